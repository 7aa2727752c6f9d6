// Normalisation functions of torch.nn.functional. Not here: the kernels (ops/nn/*_norm.ts), running statistics as
// modules keep them (nn/modules/batchnorm.ts).
import { ValueError } from '../../base/errors.ts'
import { _nn, _composite as composite, type _Op as Op, type Tensor } from '../../torch.ts'

export const batch_norm: typeof _nn.batch_norm = _nn.batch_norm
export const instance_norm: typeof _nn.instance_norm = _nn.instance_norm
export const layer_norm: typeof _nn.layer_norm = _nn.layer_norm

type ResponseOptions = { alpha?: number; beta?: number; k?: number }

/** Divides each element by (k + alpha * mean of squares over `size` neighbouring channels)^beta. */
export const local_response_norm: Op<
  [
    input: Tensor,
    size: number,
    alpha?: number | ResponseOptions,
    beta?: number | ResponseOptions,
    k?: number | ResponseOptions,
  ]
> = composite(
  'local_response_norm(Tensor input, int size, float alpha=0.0001, float beta=0.75, float k=1.0)',
  {
    body: (input: Tensor, size: number, alpha: number, beta: number, k: number) => {
      if (input.ndim < 3)
        throw new ValueError(
          `Expected 3D or higher dimensionality                          input (got ${input.ndim} dimensions)`,
        )
      if (input.numel() === 0) return input
      const [n, channels] = input.shape as unknown as [number, number]
      const squares = input.mul(input).reshape([n, 1, channels, -1])
      const padded = _nn.pad(squares, [0, 0, Math.floor(size / 2), Math.floor((size - 1) / 2)])
      const means = _nn.avg_pool2d(padded, [size, 1], 1).view(input.shape)
      return input.div(means.mul(alpha).add(k).pow(beta))
    },
    samples: r => [
      [r(2, 4, 3), 2],
      [r(1, 5, 2, 3), 3, { alpha: 0.5, k: 2 }],
    ],
    out: false,
  },
)

type GroupOptions = { weight?: Tensor | null; bias?: Tensor | null; eps?: number }

/** Normalises each group of channels of each sample, then scales and shifts the channels. */
export const group_norm: Op<
  [
    input: Tensor,
    num_groups: number,
    weight?: Tensor | null | GroupOptions,
    bias?: Tensor | null | GroupOptions,
    eps?: number | GroupOptions,
  ]
> = composite(
  'group_norm(Tensor input, int num_groups, Tensor? weight=None, Tensor? bias=None, float eps=1e-05)',
  {
    body: (input: Tensor, groups: number, weight: Tensor | null, bias: Tensor | null, eps: number) => {
      const sizes = [Math.floor((input.size(0) * input.size(1)) / groups), groups, ...input.shape.slice(2)]
      if (sizes.reduce((a, b, d) => (d === 1 ? a : a * b), 1) === 1)
        throw new ValueError(
          `Expected more than 1 value per channel when training, got input size [${sizes.join(', ')}]`,
        )
      return _nn.group_norm(input, groups, weight, bias, eps)
    },
    out: false,
  },
)
