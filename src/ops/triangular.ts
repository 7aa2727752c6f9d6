// Diagonals and triangles of matrices: diag, diag_embed, tril, triu. Not here: their positions (triangle_indices.ts), the
// diagonal as a view (views.ts), products with triangular matrices (linalg).
import type { DType } from '../base/dtype.ts'
import { RuntimeError } from '../base/errors.ts'
import { clip_diagonal, numel, wrap_dim } from '../base/shape.ts'
import { constant } from '../ir/expr.ts'
import { kernels, zeros } from '../tensor/dispatch.ts'
import { alias, type Tensor } from '../tensor/tensor.ts'
import { copy_elements, dense } from './define/copy.ts'
import { in_place } from './define/inplace.ts'
import { composite, type Op, op } from './define/op.ts'
import { empty_result } from './define/out.ts'
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
      triangle_kernel(self.dtype, name === 'tril')(
        [whole(out), whole(dense(self))],
        [clip_diagonal(offset, m, n)],
      )
      return out
    },
    backward: {
      self: (g, [, offset]) => (g as unknown as Record<string, (d: number) => Tensor>)[name]!(offset),
    },
    samples: r => (samples ? [[r(3, 4)], [r(2, 3, 3), 1], [r(3, 3), -1]] : []),
  })
}

/** The lower triangle, up to `diagonal` above the main one; zeros elsewhere. */
export const tril: Op<[self: Tensor, diagonal?: Diagonal]> = triangle('tril', true)
/** In-place {@link tril}. */
export const tril_: typeof tril = in_place(tril)
/** The upper triangle, from `diagonal` above the main one; zeros elsewhere. */
export const triu: Op<[self: Tensor, diagonal?: Diagonal]> = triangle('triu', true)
/** In-place {@link triu}. */
export const triu_: typeof triu = in_place(triu)
