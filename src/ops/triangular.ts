// Diagonals and triangles of matrices: diag, diag_embed, tril, triu and their indices.
// Not here: the diagonal as a view (views.ts), products with triangular matrices (linalg).
import { type DType, int64 } from '../base/dtype.ts'
import { RuntimeError } from '../base/errors.ts'
import { numel, wrap_dim } from '../base/shape.ts'
import { constant, type Expr } from '../ir/expr.ts'
import { empty, kernels, zeros } from '../tensor/dispatch.ts'
import { type PlaceLike, require_available } from '../tensor/place.ts'
import { bind, parse_schema } from '../tensor/schema.ts'
import { alias, type Tensor } from '../tensor/tensor.ts'
import { copy_elements, dense } from './define/copy.ts'
import { in_place } from './define/inplace.ts'
import { composite, make_op, type Op, op } from './define/op.ts'
import { empty_result } from './define/out.ts'
import type { Number } from './define/pointwise.ts'
import { window } from './define/space.ts'
import { diagonal } from './views.ts'

type Diagonal = number | { diagonal?: number; out?: Tensor }

/** Zeros with the elements of `self` on a diagonal of the dimensions `a` and `b`. */
function embedded(self: Tensor, offset: number, dim1: number, dim2: number): Tensor {
  const ndim = self.sizes.length + 1
  const a = wrap_dim(dim1, ndim)
  const b = wrap_dim(dim2, ndim)
  if (a === b) throw new RuntimeError(`diagonal dimensions cannot be identical ${dim1}, ${dim2}`)
  const n = (self.sizes[self.sizes.length - 1] ?? 1) + Math.abs(offset)
  const sizes: number[] = []
  const rest = self.sizes.slice(0, -1)
  for (let d = 0; d < ndim; d++) sizes.push(d === a || d === b ? n : rest.shift()!)
  const out = zeros(sizes, self.dtype)
  const into = diagonal(alias(out), offset, a, b)
  copy_elements(alias(out, into.sizes, into.strides, into.offset), self)
  return out
}

/** A vector as the diagonal of a matrix, or the diagonal of a matrix as a vector. A copy. */
export const diag: Op<[self: Tensor, diagonal?: Diagonal]> = op('diag(Tensor self, int diagonal=0)', {
  forward(self: Tensor, offset: number) {
    const ndim = self.sizes.length
    if (ndim !== 1 && ndim !== 2) throw new RuntimeError('matrix or a vector expected')
    return ndim === 1 ? embedded(self, offset, 0, 1) : diagonal(self, offset).clone()
  },
  backward: {
    self: (g, [self, offset]) =>
      self.sizes.length === 1 ? diag(g, offset) : g.new_zeros(self.sizes).diagonal_scatter(g, offset),
  },
  samples: r => [[r(3)], [r(2), -1], [r(3, 4), 1]],
})

/** Zeros with the last dimension of the tensor as a diagonal of `dim1` and `dim2`. */
export const diag_embed: Op<
  [
    self: Tensor,
    offset?: number | { offset?: number; dim1?: number; dim2?: number },
    dim1?: number,
    dim2?: number,
  ]
> = op('diag_embed(Tensor self, int offset=0, int dim1=-2, int dim2=-1)', {
  forward: embedded,
  backward: { self: (g, [, offset, dim1, dim2]) => diagonal(g, offset, dim1, dim2) },
  samples: r => [[r(2, 3)], [r(2, 3), 1], [r(2, 3), -1, 0, 2]],
})

/** A matrix with the flattened tensor as its diagonal. */
export const diagflat: Op<[self: Tensor, offset?: number | { offset?: number }]> = composite(
  'diagflat(Tensor self, int offset=0)',
  {
    out: false,
    body: (self: Tensor, offset: number) => diag(self.contiguous().view(-1), offset),
    samples: r => [[r(2, 2)], [r(), 1]],
  },
)

const triangle_kernel = kernels('triangle', (k, dtype: DType, lower: boolean) => {
  const out = k.output('out', dtype, { rank: 3, inner: 1 })
  const x = k.input('x', dtype, { rank: 3, inner: 1 })
  const offset = k.value('offset', 'index')
  k.elementwise(out.sizes, (b, i, j) => {
    const distance = j!.sub(i!)
    const kept = lower ? distance.le(offset) : distance.ge(offset)
    k.store(out, [b!, i!, j!], kept.where(x.at(b!, i!, j!), constant(0, x.type)))
  })
})

function triangle(name: 'tril' | 'triu', samples: boolean): Op<[self: Tensor, diagonal?: Diagonal]> {
  return op(`${name}(Tensor self, int diagonal=0)`, {
    forward(self: Tensor, offset: number) {
      const ndim = self.sizes.length
      wrap_dim(-2, ndim)
      const out = empty_result(self.sizes, self.dtype)
      if (out.count === 0) return out
      const [m, n] = self.sizes.slice(-2) as [number, number]
      const batch = numel(self.sizes.slice(0, -2))
      const whole = (t: Tensor) => window(t, [batch, m, n], [m * n, n, 1])
      triangle_kernel(self.dtype, name === 'tril')([whole(out), whole(dense(self))], [clip(offset, m, n)])
      return out
    },
    backward: {
      self: (g, [, offset]) => (g as unknown as Record<string, (d: number) => Tensor>)[name]!(offset),
    },
    samples: r => (samples ? [[r(3, 4)], [r(2, 3, 3), 1], [r(3, 3), -1]] : []),
  })
}
/** Offsets beyond the matrix are all the same. */
const clip = (offset: number, m: number, n: number): number => Math.min(Math.max(offset, -m - 1), n + 1)

/** The lower triangle, up to `diagonal` above the main one; zeros elsewhere. */
export const tril: Op<[self: Tensor, diagonal?: Diagonal]> = triangle('tril', true)
/** In-place {@link tril}. */
export const tril_: typeof tril = in_place(tril)
/** The upper triangle, from `diagonal` above the main one; zeros elsewhere. */
export const triu: Op<[self: Tensor, diagonal?: Diagonal]> = triangle('triu', true)
/** In-place {@link triu}. */
export const triu_: typeof triu = in_place(triu)

// ------------------------------------------------------------------------------------ indices

const clamp = (x: Expr, high: Expr): Expr => x.max(0).min(high)

const indices_kernel = kernels('triangle_indices', (k, dtype: DType, lower: boolean) => {
  const out = k.output('out', dtype, { rank: 2, inner: 1 })
  const rows = k.value('rows', 'index')
  const cols = k.value('cols', 'index')
  const offset = k.value('offset', 'index')
  const at = k.local('index', 0)
  k.for(rows, 'serial', i => {
    const edge = k.local('index', clamp(i.add(offset).add(lower ? 1 : 0), cols))
    const first = lower ? constant(0, 'index') : edge
    const count = k.local('index', lower ? edge : cols.sub(edge))
    k.for(count, 'serial', j => {
      k.store(out, [0, at.add(j)], i.cast(out.type))
      k.store(out, [1, at.add(j)], first.add(j).cast(out.type))
    })
    k.assign(at, at.add(count))
  })
})

/** How many elements a triangle of a matrix has. */
function triangle_count(rows: number, cols: number, offset: number, lower: boolean): number {
  let count = 0
  for (let i = 0; i < rows; i++) {
    const edge = Math.min(Math.max(i + offset + (lower ? 1 : 0), 0), cols)
    count += lower ? edge : cols - edge
  }
  return count
}

type IndicesOptions = { offset?: number; dtype?: DType | null; device?: PlaceLike | null; layout?: unknown }
type IndicesArgs = [row: number, col: number, offset?: number | IndicesOptions, opts?: IndicesOptions]

function triangle_indices(name: string, lower: boolean): Op<IndicesArgs> {
  const schema = parse_schema(
    `${name}(int row, int col, int offset=0, *, dtype? dtype=None, any? layout=None, device? device=None, bool pin_memory=False)`,
  )
  return make_op(
    (...args: IndicesArgs) => {
      const [row, col, offset, given, , device] = bind([schema], args).values as [
        number,
        number,
        number,
        DType | null,
        unknown,
        PlaceLike | null,
      ]
      require_available(device)
      if (row < 0) throw new RuntimeError(`row must be non-negative, got${row}`)
      if (col < 0) throw new RuntimeError(`col must be non-negative, got${col}`)
      const dtype = given ?? int64
      if (dtype.name !== 'int64' && dtype.name !== 'int32')
        throw new RuntimeError(
          `"${name}" not implemented for '${dtype.tensor_type.slice(0, -'Tensor'.length)}'`,
        )
      const bounded = clip(offset, row, col)
      const out = empty([2, triangle_count(row, col, bounded, lower)], dtype)
      if (out.count > 0) indices_kernel(dtype, lower)([out], [row, col, bounded])
      return out
    },
    { name, schemas: [schema], samples: undefined, differentiable: false },
  )
}

/** The row and column numbers of the lower triangle of a `row` by `col` matrix, as [2, n]. */
export const tril_indices: Op<IndicesArgs> = triangle_indices('tril_indices', true)
/** The row and column numbers of the upper triangle of a `row` by `col` matrix, as [2, n]. */
export const triu_indices: Op<IndicesArgs> = triangle_indices('triu_indices', false)

/**
 * Fills the diagonal in place. With `wrap`, that of a tall matrix begins anew below its end. Throws RuntimeError for more than
 * two dimensions of different sizes.
 */
export const fill_diagonal_: Op<[self: Tensor, fill_value: Number, wrap?: boolean | { wrap?: boolean }]> =
  composite('fill_diagonal_(Tensor self, Scalar fill_value, bool wrap=False)', {
    body(self: Tensor, value: Number, wrap: boolean) {
      const { sizes, strides, offset } = self
      if (sizes.length < 2) throw new RuntimeError('dimensions must larger than 1')
      if (sizes.length > 2 && sizes.some(n => n !== sizes[0]))
        throw new RuntimeError('all dimensions of input must be of equal length')
      const [rows, columns] = sizes as [number, number]
      const step = strides.reduce((a, b) => a + b, 0)
      const length = Math.min(...sizes)
      self.as_strided([length], [step], offset).fill_(value)
      if (wrap && sizes.length === 2 && rows > columns + 1) {
        const more = Math.ceil(self.count / (columns + 1)) - length
        self.as_strided([more], [step], offset + strides[0]! * (columns + 1)).fill_(value)
      }
      return self
    },
    out: false,
  })
