// Norms of tensors taken as vectors, and distances: norm, dist, renorm. Also the trace.
// Not here: how (p_norm.ts), norms that are functions only (matrix_norms.ts), torch.linalg's (linalg/norms.ts).
import { type DType, float32, to_real_dtype } from '../base/dtype.ts'
import { RuntimeError } from '../base/errors.ts'
import { wrap_dim } from '../base/shape.ts'
import type { Tensor } from '../tensor/tensor.ts'
import { to_dtype } from './convert.ts'
import { in_place } from './define/inplace.ts'
import { composite, type Op, op, overloaded } from './define/op.ts'
import { dims_of } from './define/reduce.ts'
import { vector_norm } from './linalg/norms.ts'
import { type Dims, norm_grad, norm_of, norm_over } from './p_norm.ts'

// ---------------------------------------------------------------------------------------------- norm

type NormOptions = {
  p?: number | string | null
  dim?: Dims
  keepdim?: boolean
  dtype?: DType | null
  out?: Tensor
}
type NormArgs = [
  self: Tensor,
  p?: number | string | null | NormOptions,
  dim?: Dims | NormOptions,
  keepdim?: boolean | NormOptions,
  opts?: NormOptions,
]

/**
 * The p-norm of the elements (default: Euclidean, `'fro'`), of all or over the given dimensions. Throws RuntimeError
 * for integers.
 */
export const norm: Op<NormArgs> = overloaded(
  [["norm(Tensor self, any? p='fro', int[]? dim=None, bool keepdim=False, *, dtype? dtype=None)", norm_of]],
  {
    samples: r => [
      [r(3, 4)],
      [r(3, 4), 1],
      [r(3, 4), 3, 1],
      [r(2, 3, 4), 2, [0, 2], { keepdim: true }],
      [r(3, 4), Infinity],
      [r.range(0.5, 2, 3), 1.5],
      [r.range(0.5, 2, 3), 0.5],
      [r(3, 4), { p: 'fro', dim: 0 }],
    ],
  },
)

// ---------------------------------------------------------------------------------------------- dist, trace

/** The p-norm of the difference of two tensors. */
export const dist: Op<[self: Tensor, other: Tensor, p?: number | { p?: number }]> = op(
  'dist(Tensor self, Tensor other, float p=2)',
  {
    forward(self: Tensor, other: Tensor, p: number) {
      const away = self.sub(other)
      return norm_over(away, p, dims_of(null, away.sizes.length))
    },
    saves: ['self', 'other', 'out'],
    backward(g, [self, other, p], out) {
      const away = self.sub(other)
      const grad = norm_grad(g, away, p, out, dims_of(null, away.sizes.length))
      return [grad.sum_to_size(self.sizes), grad.neg().sum_to_size(other.sizes)]
    },
    samples: r => [
      [r(3, 4), r(3, 4)],
      [r(3, 4), r(4), 1],
      [r(3), r(3), 3],
      [r(3, 4), r(4), Infinity],
    ],
  },
)

/** The sum of a matrix's diagonal. */
export const trace: Op<[self: Tensor]> = op('trace(Tensor self)', {
  forward(self: Tensor) {
    if (self.sizes.length !== 2)
      throw new RuntimeError(`trace: expected a matrix, but got tensor with dim ${self.sizes.length}`)
    return self.diagonal().sum()
  },
  backward: {
    self: (g, [self]) => g.new_zeros(self.sizes).diagonal_scatter(g.expand([Math.min(...self.sizes)])),
  },
  samples: r => [[r(3, 4)], [r(3, 3)]],
})

/**
 * Scales each slice of `self` along `dim` whose p-norm exceeds `maxnorm` down to that norm. Throws RuntimeError for a `p`
 * that is not positive, a negative `maxnorm`, and tensors of fewer than two dimensions.
 */
export const renorm: Op<[self: Tensor, p: number, dim: number, maxnorm: number, opts?: { out?: Tensor }]> =
  composite('renorm(Tensor self, float p, int dim, float maxnorm)', {
    body(self: Tensor, p: number, dim: number, maxnorm: number) {
      if (!(p > 0)) throw new RuntimeError('renorm: non-positive norm not supported')
      if (!(maxnorm >= 0)) throw new RuntimeError(`renorm: expected maxnorm to be >= 0 but got ${maxnorm}`)
      if (self.ndim < 2)
        throw new RuntimeError(`renorm: input needs at least 2 dimensions, got ${self.ndim} dimensions`)
      const at = wrap_dim(dim, self.ndim)
      const others = self.sizes.flatMap((_, d) => (d === at ? [] : [d]))
      const half = self.dtype.itemsize === 2
      const size = vector_norm(half ? to_dtype(self, float32) : self, p, others, true)
      const factor = size.add(1e-7).reciprocal().mul(maxnorm).masked_fill(size.le(maxnorm), 1)
      return self.mul(to_dtype(factor, to_real_dtype(self.dtype)))
    },
    samples: r => [
      [r(3, 4), 2, 0, 0.5],
      [r(2, 3, 4), 1, -1, 2],
    ],
  })

/** In-place {@link renorm}. */
export const renorm_: typeof renorm = in_place(renorm)
