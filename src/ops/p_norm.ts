// The p-norm over dimensions with its gradient, and the norm that a name means: what norm, vector_norm and cdist are made
// of. Not here: what users call (norms.ts, matrix_norms.ts, distances.ts, linalg/norms.ts).
import type { DType } from '../base/dtype.ts'
import { RuntimeError, ValueError } from '../base/errors.ts'
import { wrap_dim } from '../base/shape.ts'
import { constant } from '../ir/expr.ts'
import type { Tensor } from '../tensor/tensor.ts'
import { to_dtype } from './convert.ts'
import { type Op, op } from './define/op.ts'
import { scalar_name } from './define/out.ts'
import { dims_of, keep_dims, type Reduction, reduction, restore_dims } from './define/reduce.ts'

export type Dims = number | readonly number[] | null

// ---------------------------------------------------------------------------------------------- p-norms

const magnitude = {
  combine: 'add',
  map: (x: Parameters<NonNullable<Parameters<typeof reduction>[0]['map']>>[0]) => x.abs(),
} as const

const count_nonzero = reduction({ name: 'norm_0', combine: 'add', map: x => x.ne(0).cast(x.type) })
const sum_magnitudes = reduction({ name: 'norm_1', ...magnitude })
const euclidean = reduction({
  name: 'norm_2',
  combine: 'add',
  map: x => x.mul(x),
  final: total => total.sqrt(),
})
const largest = reduction({ name: 'norm_inf', ...magnitude, combine: 'max', final: total => total.max(0) })
const smallest = reduction({ name: 'norm_minus_inf', ...magnitude, combine: 'min' })
const general = reduction({
  name: 'norm_p',
  combine: 'add',
  values: 1,
  map: (x, [p]) => x.abs().pow(p!),
  final: (total, [p]) => total.pow(constant(1, total.type).div(p!)),
})

export function norm_over(x: Tensor, p: number, dims: readonly number[]): Tensor {
  if (x.dtype.is_complex) return norm_over(x.abs(), p, dims)
  const special: Record<string, Reduction> = {
    0: count_nonzero,
    1: sum_magnitudes,
    2: euclidean,
    Infinity: largest,
    '-Infinity': smallest,
  }
  const reduce = special[String(p)]
  return reduce === undefined ? general(x, dims, x.dtype, [p]) : reduce(x, dims, x.dtype)
}

/** The gradient of the p-norm `norm` (broadcastable to `x`), times `g`. Zero, not NaN, where the norm is zero. */
export function norm_grad(g: Tensor, x: Tensor, p: number, norm: Tensor, dims: readonly number[]): Tensor {
  if (p === 0) return x.new_zeros(x.sizes)
  if (x.dtype.is_complex) return x.sgn().mul(norm_grad(g, x.abs(), p, norm, dims))
  if (p === 1) return x.sgn().mul(g)
  if (p === 2) return g.mul(x.div(norm).masked_fill(norm.eq(0), 0))
  const size = x.abs()
  if (!Number.isFinite(p)) {
    const mask = size.eq(norm).logical_or(size.isnan())
    return x.sgn().mul(g.div(mask.sum(dims, { keepdim: true })).mul(mask))
  }
  if (p < 1) {
    const scaled = x.sgn().mul(size.pow(p - 1).masked_fill(x.eq(0), 0))
    return scaled.mul(g).mul(norm.pow(1 - p))
  }
  const share = g.div(norm.pow(p - 1)).masked_fill(norm.eq(0), 0)
  return (p < 2 ? x.sgn().mul(size.pow(p - 1)) : x.mul(size.pow(p - 2))).mul(share)
}

type InnerArgs = [self: Tensor, ord: number, dim: Dims, keepdim: boolean, dtype: DType | null]
type InnerValues = [
  self: Tensor,
  ord: number,
  dim: readonly number[] | null,
  keepdim: boolean,
  dtype: DType | null,
]

export const norm_op = (name: string, node: string): Op<InnerArgs> =>
  op<InnerArgs, InnerValues, Tensor>(
    `${name}(Tensor self, float ord, int[]? dim, bool keepdim, dtype? dtype)`,
    {
      forward(self, ord, dim, keepdim, dtype) {
        const dims = dims_of(dim, self.sizes.length)
        return keep_dims(norm_over(to_dtype(self, dtype ?? self.dtype), ord, dims), self.sizes, dims, keepdim)
      },
      saves: ['self', 'out'],
      backward: {
        self(g, [self, ord, dim, keepdim, dtype], out) {
          if (ord === 0) return null
          const dims = dims_of(dim, self.sizes.length)
          const wide = (t: Tensor): Tensor => restore_dims(t, self.sizes, dims, keepdim)
          return norm_grad(wide(g), to_dtype(self, dtype ?? self.dtype), ord, wide(out), dims)
        },
      },
      node,
    },
  )

const p_norm = norm_op('norm', 'NormBackward1')

/** The sum of the singular values of a matrix, or of those over two dimensions. */
export function nuclear(self: Tensor, dim: readonly number[] | null, keepdim: boolean): Tensor {
  if (dim === null && self.ndim !== 2)
    throw new RuntimeError(
      `Expected a tensor with 2 dimensions, but got a tensor with ${self.ndim} dimension${self.ndim === 1 ? '' : 's'} instead.`,
    )
  const dims = dim ?? [0, 1]
  if (dims.length !== 2) throw new RuntimeError("nuclear norm requires a 'dim' argument of size 2")
  const [a, b] = dims.map(d => wrap_dim(d, self.ndim)) as [number, number]
  if (a === b) throw new RuntimeError('duplicate or invalid dimensions')
  const others = [...self.sizes.keys()].filter(d => d !== a && d !== b)
  const total = self
    .permute([...others, a, b])
    .svd()[1]!
    .sum(-1)
  if (!keepdim) return total
  return total.reshape(self.sizes.map((n, d) => (d === a || d === b ? 1 : n)))
}

/** The norm that `p` names: a p-norm, `'fro'` or `'nuc'`. Throws RuntimeError for integers. */
export function norm_of(
  self: Tensor,
  p: unknown,
  dim: number[] | null,
  keepdim: boolean,
  dtype: DType | null,
): Tensor {
  const type = dtype ?? self.dtype
  if (!type.is_floating_point && !type.is_complex)
    throw new RuntimeError(
      `norm(): input dtype should be either floating point or complex. Got ${scalar_name(type)} instead.`,
    )
  if (typeof p === 'string') {
    if (p === 'nuc') {
      if (dtype !== null) throw new ValueError('dtype argument is not supported in nuclear norm')
      return nuclear(self, dim, keepdim)
    }
    if (p !== 'fro') throw new RuntimeError(`only valid string values are 'fro' and 'nuc', found ${p}`)
    if (dtype !== null) throw new ValueError('dtype argument is not supported in frobenius norm')
  }
  return p_norm(self, typeof p === 'string' || p === null ? 2 : Number(p), dim, keepdim, dtype)
}
