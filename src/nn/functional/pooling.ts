// Pooling functions of torch.nn.functional: maxima with `return_indices`, averages, adaptive pooling, power averages,
// unpooling. Not here: the kernels (ops/nn/*pool*.ts).
import { _nn, _composite as composite, float_scalar, type _Op as Op, type Tensor } from '../../torch.ts'

type Numbers = number | readonly number[]
type MaxOptions = {
  kernel_size?: Numbers
  stride?: Numbers | null
  padding?: Numbers
  dilation?: Numbers
  ceil_mode?: boolean
}
type MaxArgs = [
  input: Tensor,
  kernel_size: Numbers | MaxOptions,
  stride?: Numbers | null | MaxOptions,
  padding?: Numbers | MaxOptions,
  dilation?: Numbers | MaxOptions,
  ceil_mode?: boolean | MaxOptions,
]

/** A maximum; with `return_indices: true` in the options it gives the positions as well. */
export interface MaxPool<A extends readonly unknown[]> {
  (...args: [...A, options: { return_indices: true; [option: string]: unknown }]): [Tensor, Tensor]
  (...args: A): Tensor
  (
    ...args: [...A, options: { return_indices: boolean; [option: string]: unknown }]
  ): Tensor | [Tensor, Tensor]
}

const WINDOW =
  'int[] kernel_size, int[]? stride=None, int[] padding=[0], int[] dilation=[1], bool ceil_mode=False'

function max_pool<A extends readonly unknown[]>(
  signature: string,
  found: (...args: never[]) => [Tensor, Tensor],
  values_of: (...args: never[]) => Tensor = (...args) => found(...args)[0],
): MaxPool<A> {
  return composite(signature.replace(/\)$/, ', bool return_indices=False)'), {
    body: (...values: never[]) => {
      const return_indices = values.pop() as boolean | undefined
      return return_indices ? found(...values) : values_of(...values)
    },
    out: false,
  }) as unknown as MaxPool<A>
}

/** The largest element of each window of (N, C, L) or (C, L); `stride` defaults to the window's size. */
export const max_pool1d: MaxPool<MaxArgs> = max_pool(
  `max_pool1d(Tensor input, ${WINDOW})`,
  _nn.max_pool1d_with_indices,
  _nn.max_pool1d,
)
/** The largest element of each window of (N, C, H, W) or (C, H, W); `stride` defaults to the window's size. */
export const max_pool2d: MaxPool<MaxArgs> = max_pool(
  `max_pool2d(Tensor input, ${WINDOW})`,
  _nn.max_pool2d_with_indices,
  _nn.max_pool2d,
)

/** The largest element of each window of (N, C, D, H, W) or (C, D, H, W); `stride` defaults to the window's size. */
export const max_pool3d: MaxPool<MaxArgs> = max_pool(
  `max_pool3d(Tensor input, ${WINDOW})`,
  _nn.max_pool3d_with_indices,
)

type Sizes = number | null | readonly (number | null)[]
type AdaptiveArgs = [input: Tensor, output_size: Sizes | { output_size: Sizes; return_indices?: boolean }]

/** The largest elements of windows that divide the last dimension into `output_size` parts. */
export const adaptive_max_pool1d: MaxPool<AdaptiveArgs> = max_pool(
  'adaptive_max_pool1d(Tensor input, any? output_size)',
  _nn.adaptive_max_pool1d_with_indices,
)
/** The largest elements of windows that divide the last two dimensions into `output_size` parts; null keeps a size. */
export const adaptive_max_pool2d: MaxPool<AdaptiveArgs> = max_pool(
  'adaptive_max_pool2d(Tensor input, any? output_size)',
  _nn.adaptive_max_pool2d_with_indices,
)
/** The largest elements of windows that divide the last three dimensions into `output_size` parts; null keeps a size. */
export const adaptive_max_pool3d: MaxPool<AdaptiveArgs> = max_pool(
  'adaptive_max_pool3d(Tensor input, any? output_size)',
  _nn.adaptive_max_pool3d_with_indices,
)

type FractionalOptions = {
  output_size?: number | readonly number[] | null
  output_ratio?: number | readonly number[] | null
  _random_samples?: Tensor | null
}
type FractionalArgs = [
  input: Tensor,
  kernel_size: Numbers,
  output_size?: Numbers | null | FractionalOptions,
  output_ratio?: Numbers | null | FractionalOptions,
]
const fractional = (dims: 2 | 3): [MaxPool<FractionalArgs>, Op<FractionalArgs, [Tensor, Tensor]>] => {
  const found = dims === 2 ? _nn.fractional_max_pool2d_with_indices : _nn.fractional_max_pool3d_with_indices
  const signature = (name: string, random: string): string =>
    `${name}(Tensor input, int[] kernel_size, int[]? output_size=None, float[]? output_ratio=None, ${random})`
  const name = `fractional_max_pool${dims}d`
  const body = (...values: unknown[]): Tensor | [Tensor, Tensor] => {
    const [input, kernel_size, output_size, output_ratio, return_indices, samples] = values as [
      Tensor,
      number[],
      number[] | null,
      number[] | null,
      boolean,
      Tensor | null,
    ]
    const pair = found(input, kernel_size, output_size, output_ratio, samples)
    return return_indices ? pair : pair[0]
  }
  const random = 'bool return_indices=False, Tensor? _random_samples=None'
  return [
    composite(signature(name, random), { body, out: false }) as unknown as MaxPool<FractionalArgs>,
    composite(signature(`${name}_with_indices`, random), {
      body: (...values: unknown[]) => body(...values.with(4, true)) as [Tensor, Tensor],
      out: false,
    }),
  ]
}

const [in_planes, in_volumes] = [fractional(2), fractional(3)]

/** Maxima of windows of `kernel_size`, which lie at random so that there are `output_size` of them, or by the ratio. */
export const fractional_max_pool2d: MaxPool<FractionalArgs> = in_planes[0]
/** Maxima of windows of `kernel_size`, which lie at random so that there are `output_size` of them, or by the ratio. */
export const fractional_max_pool3d: MaxPool<FractionalArgs> = in_volumes[0]
/** {@link fractional_max_pool2d} and the positions of the largest elements in each plane. */
export const fractional_max_pool2d_with_indices: Op<FractionalArgs, [Tensor, Tensor]> = in_planes[1]
/** {@link fractional_max_pool3d} and the positions of the largest elements in each volume. */
export const fractional_max_pool3d_with_indices: Op<FractionalArgs, [Tensor, Tensor]> = in_volumes[1]

export const max_pool1d_with_indices: typeof _nn.max_pool1d_with_indices = _nn.max_pool1d_with_indices
export const max_pool2d_with_indices: typeof _nn.max_pool2d_with_indices = _nn.max_pool2d_with_indices
export const adaptive_max_pool1d_with_indices: typeof _nn.adaptive_max_pool1d_with_indices =
  _nn.adaptive_max_pool1d_with_indices
export const adaptive_max_pool2d_with_indices: typeof _nn.adaptive_max_pool2d_with_indices =
  _nn.adaptive_max_pool2d_with_indices
export const adaptive_avg_pool1d: typeof _nn.adaptive_avg_pool1d = _nn.adaptive_avg_pool1d
export const adaptive_avg_pool2d: typeof _nn.adaptive_avg_pool2d = _nn.adaptive_avg_pool2d
export const max_pool3d_with_indices: typeof _nn.max_pool3d_with_indices = _nn.max_pool3d_with_indices
export const adaptive_max_pool3d_with_indices: typeof _nn.adaptive_max_pool3d_with_indices =
  _nn.adaptive_max_pool3d_with_indices
export const adaptive_avg_pool3d: typeof _nn.adaptive_avg_pool3d = _nn.adaptive_avg_pool3d
export const avg_pool3d: typeof _nn.avg_pool3d = _nn.avg_pool3d
export const max_unpool3d: typeof _nn.max_unpool3d = _nn.max_unpool3d
export const avg_pool1d: typeof _nn.avg_pool1d = _nn.avg_pool1d
export const avg_pool2d: typeof _nn.avg_pool2d = _nn.avg_pool2d
export const max_unpool1d: typeof _nn.max_unpool1d = _nn.max_unpool1d
export const max_unpool2d: typeof _nn.max_unpool2d = _nn.max_unpool2d

type PowerOptions = { stride?: Numbers | null; ceil_mode?: boolean }
type PowerArgs = [
  input: Tensor,
  norm_type: number,
  kernel_size: Numbers,
  stride?: Numbers | null | PowerOptions,
  ceil_mode?: boolean | PowerOptions,
]

const power_average = (dims: 1 | 2): Op<PowerArgs> =>
  composite(
    `lp_pool${dims}d(Tensor input, float norm_type, int[] kernel_size, int[]? stride=None, bool ceil_mode=False)`,
    {
      body: (
        input: Tensor,
        norm_type: number,
        kernel_size: number[],
        stride: number[] | null,
        ceil_mode: boolean,
      ) => {
        const average = dims === 1 ? _nn.avg_pool1d : _nn.avg_pool2d
        const mean = average(input.pow(float_scalar(norm_type)), kernel_size, stride, 0, ceil_mode)
        const elements =
          kernel_size.length === dims ? kernel_size.reduce((a, b) => a * b, 1) : kernel_size[0]! ** dims
        return mean
          .sign()
          .mul(mean.abs().relu())
          .mul(elements)
          .pow(1 / norm_type)
      },
      samples: r => [[dims === 1 ? r.range(0.5, 2, 2, 3, 7) : r.range(0.5, 2, 2, 5, 7), 2, 3, 2]],
      out: false,
    },
  )

/** The power average of each window: (sum of x^p)^(1/p). */
export const lp_pool1d: Op<PowerArgs> = power_average(1)
/** The power average of each window: (sum of x^p)^(1/p). */
export const lp_pool2d: Op<PowerArgs> = power_average(2)
