// Norms that are functions only: of matrices, and of the slices of a tensor.
// Not here: norm (norms.ts), torch.linalg (linalg/norms.ts).
import { RuntimeError } from '../base/errors.ts'
import { wrap_dim } from '../base/shape.ts'
import type { Tensor } from '../tensor/tensor.ts'
import { composite, type Op, overloaded } from './define/op.ts'
import { type Dims, norm_of, nuclear } from './p_norm.ts'

type AlongOptions = { dim?: Dims; keepdim?: boolean; out?: Tensor }

/** The square root of the sum of squares: of all elements, or over one or two dimensions. */
export const frobenius_norm: Op<
  [self: Tensor, dim?: Dims | AlongOptions, keepdim?: boolean | AlongOptions, opts?: AlongOptions]
> = composite('frobenius_norm(Tensor self, int[]? dim=None, bool keepdim=False)', {
  body(self: Tensor, dim: number[] | null, keepdim: boolean) {
    if (dim !== null && dim.length > 2)
      throw new RuntimeError(`Expected at most 2 dimensions, but got ${dim.length} dimensions instead.`)
    return norm_of(self, 'fro', dim, keepdim, null)
  },
  samples: r => [[r(3, 4)], [r(3, 4), 1], [r(2, 3, 4), [0, 2], true]],
})

/** The sum of the singular values: of a matrix, or of those over two dimensions. */
export const nuclear_norm: Op<
  [self: Tensor, dim?: Dims | boolean | AlongOptions, keepdim?: boolean | AlongOptions, opts?: AlongOptions]
> = overloaded(
  [
    [
      'nuclear_norm(Tensor self, bool keepdim=False)',
      (self: Tensor, keepdim: boolean) => nuclear(self, null, keepdim),
    ],
    [
      'nuclear_norm(Tensor self, int[] dim, bool keepdim=False)',
      (self: Tensor, dim: number[], keepdim: boolean) => nuclear(self, dim, keepdim),
    ],
  ],
  { samples: r => [[r(3, 4)], [r(2, 3, 4), [0, 2], true]] },
)

/** The norms of order `pow` of the slices along `dim`, in as many dimensions; -1: of the whole tensor. */
export const norm_except_dim: Op<
  [v: Tensor, pow?: number | { pow?: number; dim?: number }, dim?: number | { dim?: number }]
> = composite('norm_except_dim(Tensor v, int pow=2, int dim=0)', {
  body(v: Tensor, pow: number, dim: number) {
    if (dim === -1) return norm_of(v, pow, null, false, null)
    const others = [...v.sizes.keys()].filter(d => d !== wrap_dim(dim, v.ndim))
    // No dimensions would mean all of them.
    if (others.length === 0) return norm_of(v.unsqueeze(-1), pow, [-1], false, null)
    return norm_of(v, pow, others, true, null)
  },
  out: false,
  samples: r => [[r(3, 4)], [r(2, 3, 4), 1, 2], [r(3, 4), 2, -1]],
})
