// Distances, similarities and normalisation to unit length. Not here: losses made of them (loss.ts).
import { RuntimeError } from '../../base/errors.ts'
import * as torch from '../../torch.ts'
import { _composite as composite, type _Op as Op, type Tensor } from '../../torch.ts'

type DistanceOptions = { p?: number; eps?: number; keepdim?: boolean }

/** The norm `p` of `x1 - x2 + eps` along the last dimension. */
export const pairwise_distance: Op<
  [
    x1: Tensor,
    x2: Tensor,
    p?: number | DistanceOptions,
    eps?: number | DistanceOptions,
    keepdim?: boolean | DistanceOptions,
  ]
> = composite('pairwise_distance(Tensor x1, Tensor x2, float p=2, float eps=1e-6, bool keepdim=False)', {
  body: (a: Tensor, b: Tensor, p: number, eps: number, keepdim: boolean) =>
    a.sub(b).add(eps).norm(p, -1, keepdim),
  samples: r => [
    [r(3, 4), r(3, 4)],
    [r(3, 4), r(4), 1, 1e-6, true],
  ],
  out: false,
})

type CosineOptions = { dim?: number; eps?: number }

/** The cosine of the angle between `x1` and `x2` along `dim`; lengths below `eps` count as `eps`. */
export const cosine_similarity: Op<
  [x1: Tensor, x2: Tensor, dim?: number | CosineOptions, eps?: number | CosineOptions]
> = composite('cosine_similarity(Tensor x1, Tensor x2, int dim=1, float eps=1e-8)', {
  body: (a: Tensor, b: Tensor, dim: number, eps: number) => {
    if (!torch.promote_types(a.dtype, b.dtype).is_floating_point)
      throw new RuntimeError(
        `expected common dtype to be floating point, yet common dtype is ${scalar_name(torch.promote_types(a.dtype, b.dtype))}`,
      )
    const dtype = torch.promote_types(a.dtype, b.dtype)
    const sizes = torch.broadcast_shapes(a.shape, b.shape)
    const [x, y] = [a.to(dtype).expand(sizes), b.to(dtype).expand(sizes)]
    // As PyTorch: the gradient does not see the clamp.
    const length = (t: Tensor): Tensor => {
      const norm = t.norm(2, dim, true).clone()
      torch.no_grad(() => norm.clamp_min_(eps))
      return norm
    }
    return x
      .div(length(x))
      .mul(y.div(length(y)))
      .sum(dim)
  },
  samples: r => [
    [r(3, 4), r(3, 4)],
    [r(3, 4), r(4), { dim: -1 }],
    [r(2, 3, 4), r(2, 3, 4), 0],
  ],
  out: false,
})

const scalar_name = (dtype: torch.DType): string => dtype.tensor_type.replace(/Tensor$/, '')

type NormalizeOptions = { p?: number; dim?: number; eps?: number }

/** `input` divided by its norm `p` along `dim`, or by `eps` where that is more. */
export const normalize: Op<
  [
    input: Tensor,
    p?: number | NormalizeOptions,
    dim?: number | NormalizeOptions,
    eps?: number | NormalizeOptions,
  ]
> = composite('normalize(Tensor input, float p=2.0, int dim=1, float eps=1e-12)', {
  body: (input: Tensor, p: number, dim: number, eps: number) =>
    input.div(input.norm(p, dim, true).clamp_min(eps).expand_as(input)),
  samples: r => [[r(3, 4)], [r(2, 3, 4), 1, 2]],
})

/** The norm `p` of the difference of every pair of rows of `input` (N, M), as a vector of N (N - 1) / 2. */
export const pdist: Op<[input: Tensor, p?: number | { p?: number }]> = composite(
  'pdist(Tensor input, float p=2)',
  {
    body: (input: Tensor, p: number) => {
      if (input.ndim !== 2) throw new RuntimeError(`pdist only supports 2D tensors, got: ${input.ndim}D`)
      if (!input.is_floating_point()) throw new RuntimeError('pdist only supports floating-point dtypes')
      if (p < 0) throw new RuntimeError('pdist only supports non-negative p values')
      const n = input.size(0)
      const [rows, columns] = torch.triu_indices(n, n, 1).unbind(0) as [Tensor, Tensor]
      const differences = input.index_select(0, rows).sub(input.index_select(0, columns))
      if (p > 0) return differences.norm(p, -1)
      // counted, with a gradient of 0
      const same = differences.eq(0)
      return differences.masked_fill(same.logical_not(), 1).masked_fill(same, 0).sum(-1)
    },
    samples: r => [[r(4, 3)], [r(4, 3), 0]],
    out: false,
  },
)
