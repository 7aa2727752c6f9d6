// Pooling layers. Not here: what they compute (functional).
import { ValueError } from '../../base/errors.ts'
import type { Tensor } from '../../torch.ts'
import * as F from '../functional/index.ts'
import { Module } from '../module.ts'
import { float, tuple, value } from '../repr.ts'
import { reader } from './settings.ts'

type Numbers = number | readonly number[]
type Sizes = readonly (number | null)[]

/** A setting as it was given: a number, or a tuple. */
const as_given = (x: Numbers | null): string =>
  x === null ? 'None' : typeof x === 'number' ? value(x) : tuple(x)

export type MaxPoolOptions = {
  stride?: Numbers | null
  padding?: Numbers
  dilation?: Numbers
  return_indices?: boolean
  ceil_mode?: boolean
}
const max_pool = reader(
  'MaxPool(any kernel_size, any? stride=None, any padding=0, any dilation=1, bool return_indices=False, bool ceil_mode=False)',
)

abstract class MaxPool extends Module {
  declare readonly kernel_size: Numbers
  declare readonly stride: Numbers
  declare readonly padding: Numbers
  declare readonly dilation: Numbers
  declare readonly return_indices: boolean
  declare readonly ceil_mode: boolean

  constructor(kernel_size: Numbers, ...rest: readonly (Numbers | boolean | null | MaxPoolOptions)[]) {
    super()
    const settings = max_pool<{ kernel_size: Numbers; stride: Numbers | null }>([kernel_size, ...rest])
    Object.assign(this, settings, { stride: settings.stride ?? settings.kernel_size })
  }

  protected get options(): {
    stride: Numbers
    padding: Numbers
    dilation: Numbers
    ceil_mode: boolean
    return_indices: boolean
  } {
    const { stride, padding, dilation, ceil_mode, return_indices } = this
    return { stride, padding, dilation, ceil_mode, return_indices }
  }

  override extra_repr(): string {
    const { kernel_size, stride, padding, dilation, ceil_mode } = this
    return `kernel_size=${as_given(kernel_size)}, stride=${as_given(stride)}, padding=${as_given(padding)}, dilation=${as_given(dilation)}, ceil_mode=${value(ceil_mode)}`
  }
}

/** The largest element of each window of (N, C, L); with `return_indices`, a pair with their positions. */
export class MaxPool1d extends MaxPool {
  forward(input: Tensor): Tensor {
    return F.max_pool1d(input, this.kernel_size, this.options) as Tensor
  }
}

/** The largest element of each window of (N, C, H, W); with `return_indices`, a pair with their positions. */
export class MaxPool2d extends MaxPool {
  forward(input: Tensor): Tensor {
    return F.max_pool2d(input, this.kernel_size, this.options) as Tensor
  }
}

/** The largest element of each window of (N, C, D, H, W); with `return_indices`, a pair with their positions. */
export class MaxPool3d extends MaxPool {
  forward(input: Tensor): Tensor {
    return F.max_pool3d(input, this.kernel_size, this.options) as Tensor
  }
}

const max_unpool = reader('MaxUnpool(any kernel_size, any? stride=None, any padding=0)')
type UnpoolOptions = { stride?: Numbers | null; padding?: Numbers }

abstract class MaxUnpool extends Module {
  declare readonly kernel_size: readonly number[]
  declare readonly stride: readonly number[]
  declare readonly padding: readonly number[]

  constructor(dims: number, args: readonly unknown[]) {
    super()
    const { kernel_size, stride, padding } = max_unpool<{
      kernel_size: Numbers
      stride: Numbers | null
      padding: Numbers
    }>(args)
    const list = (x: Numbers): readonly number[] =>
      typeof x === 'number' ? new Array<number>(dims).fill(x) : x
    Object.assign(this, {
      kernel_size: list(kernel_size),
      stride: list(stride ?? kernel_size),
      padding: list(padding),
    })
  }

  override extra_repr(): string {
    return `kernel_size=${tuple(this.kernel_size)}, stride=${tuple(this.stride)}, padding=${tuple(this.padding)}`
  }
}

/** Puts the results of MaxPool1d back where they came from; all else is 0. */
export class MaxUnpool1d extends MaxUnpool {
  constructor(kernel_size: Numbers, ...rest: readonly (Numbers | null | UnpoolOptions)[]) {
    super(1, [kernel_size, ...rest])
  }

  forward(input: Tensor, indices: Tensor, output_size: readonly number[] | null = null): Tensor {
    return F.max_unpool1d(input, indices, this.kernel_size, this.stride, this.padding, output_size)
  }
}

/** Puts the results of MaxPool2d back where they came from; all else is 0. */
export class MaxUnpool2d extends MaxUnpool {
  constructor(kernel_size: Numbers, ...rest: readonly (Numbers | null | UnpoolOptions)[]) {
    super(2, [kernel_size, ...rest])
  }

  forward(input: Tensor, indices: Tensor, output_size: readonly number[] | null = null): Tensor {
    return F.max_unpool2d(input, indices, this.kernel_size, this.stride, this.padding, output_size)
  }
}

/** Puts the results of MaxPool3d back where they came from; all else is 0. */
export class MaxUnpool3d extends MaxUnpool {
  constructor(kernel_size: Numbers, ...rest: readonly (Numbers | null | UnpoolOptions)[]) {
    super(3, [kernel_size, ...rest])
  }

  forward(input: Tensor, indices: Tensor, output_size: readonly number[] | null = null): Tensor {
    return F.max_unpool3d(input, indices, this.kernel_size, this.stride, this.padding, output_size)
  }
}

export type AvgPoolOptions = {
  stride?: Numbers | null
  padding?: Numbers
  ceil_mode?: boolean
  count_include_pad?: boolean
}
const AVERAGE =
  'any kernel_size, any? stride=None, any padding=0, bool ceil_mode=False, bool count_include_pad=True'
const avg_pool = reader(`AvgPool(${AVERAGE}, int? divisor_override=None)`)
const avg_pool1d = reader(`AvgPool1d(${AVERAGE})`)

abstract class AvgPool extends Module {
  declare readonly kernel_size: Numbers
  declare readonly stride: Numbers
  declare readonly padding: Numbers
  declare readonly ceil_mode: boolean
  declare readonly count_include_pad: boolean

  constructor(settings: { kernel_size: Numbers; stride: Numbers | null }) {
    super()
    Object.assign(this, settings, { stride: settings.stride ?? settings.kernel_size })
  }

  override extra_repr(): string {
    return `kernel_size=${as_given(this.kernel_size)}, stride=${as_given(this.stride)}, padding=${as_given(this.padding)}`
  }
}

/** The mean of each window of (N, C, L). */
export class AvgPool1d extends AvgPool {
  constructor(kernel_size: Numbers, ...rest: readonly (Numbers | boolean | null | AvgPoolOptions)[]) {
    const one = (x: Numbers): readonly number[] => (typeof x === 'number' ? [x] : x)
    const read = avg_pool1d<{ kernel_size: Numbers; stride: Numbers | null; padding: Numbers }>([
      kernel_size,
      ...rest,
    ])
    const lists = { kernel_size: one(read.kernel_size), stride: one(read.stride ?? read.kernel_size) }
    super({ ...read, ...lists, padding: one(read.padding) } as typeof read)
  }

  forward(input: Tensor): Tensor {
    const { kernel_size, stride, padding, ceil_mode, count_include_pad } = this
    return F.avg_pool1d(input, kernel_size, stride, padding, ceil_mode, count_include_pad)
  }
}

/** Averages of planes and volumes, whose divisor may be given. */
abstract class AvgPoolNd extends AvgPool {
  declare readonly divisor_override: number | null

  constructor(
    kernel_size: Numbers,
    ...rest: readonly (Numbers | boolean | null | (AvgPoolOptions & { divisor_override?: number | null }))[]
  ) {
    super(avg_pool([kernel_size, ...rest]))
  }
}

/** The mean of each window of (N, C, H, W). */
export class AvgPool2d extends AvgPoolNd {
  forward(input: Tensor): Tensor {
    const { kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override } = this
    return F.avg_pool2d(input, kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override)
  }
}

/** The mean of each window of (N, C, D, H, W). */
export class AvgPool3d extends AvgPoolNd {
  forward(input: Tensor): Tensor {
    const { kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override } = this
    return F.avg_pool3d(input, kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override)
  }
}

const lp_pool = reader('LPPool(float norm_type, any kernel_size, any? stride=None, bool ceil_mode=False)')

abstract class LPPool extends Module {
  declare readonly norm_type: number
  declare readonly kernel_size: Numbers
  declare readonly stride: Numbers | null
  declare readonly ceil_mode: boolean

  constructor(
    norm_type: number,
    kernel_size: Numbers,
    ...rest: readonly (Numbers | boolean | null | { stride?: Numbers; ceil_mode?: boolean })[]
  ) {
    super()
    Object.assign(this, lp_pool([norm_type, kernel_size, ...rest]))
  }

  override extra_repr(): string {
    return `norm_type=${value(this.norm_type)}, kernel_size=${as_given(this.kernel_size)}, stride=${as_given(this.stride)}, ceil_mode=${value(this.ceil_mode)}`
  }
}

/** The p-norm of each window of (N, C, L). */
export class LPPool1d extends LPPool {
  forward(input: Tensor): Tensor {
    return F.lp_pool1d(
      input,
      this.norm_type,
      this.kernel_size as number,
      this.stride as number | null,
      this.ceil_mode,
    )
  }
}

/** The p-norm of each window of (N, C, H, W). */
export class LPPool2d extends LPPool {
  forward(input: Tensor): Tensor {
    return F.lp_pool2d(input, this.norm_type, this.kernel_size, this.stride, this.ceil_mode)
  }
}

const adaptive_avg = reader('AdaptiveAvgPool(any? output_size)')
const adaptive_max = reader('AdaptiveMaxPool(any? output_size, bool return_indices=False)')
type AdaptiveOptions = { output_size: number | null | Sizes; return_indices?: boolean }

/** A pooling layer that is told its output's size; null keeps a dimension. */
abstract class AdaptivePool extends Module {
  declare readonly output_size: number | null | Sizes

  constructor(output_size: number | null | Sizes | AdaptiveOptions)
  constructor(...args: readonly unknown[])
  constructor(...args: readonly unknown[]) {
    super()
    Object.assign(this, this.read(args))
  }

  /** The settings that the arguments give. */
  protected read(args: readonly unknown[]): object {
    return adaptive_avg(args)
  }

  override extra_repr(): string {
    const { output_size } = this
    if (output_size === null || typeof output_size === 'number') return `output_size=${value(output_size)}`
    return `output_size=(${output_size.map(n => value(n)).join(', ')}${output_size.length === 1 ? ',' : ''})`
  }
}

/** Means over windows that divide (N, C, L) into `output_size` parts. */
export class AdaptiveAvgPool1d extends AdaptivePool {
  forward(input: Tensor): Tensor {
    return F.adaptive_avg_pool1d(input, this.output_size as number)
  }
}

/** Means over windows that divide (N, C, H, W) into `output_size` parts. */
export class AdaptiveAvgPool2d extends AdaptivePool {
  forward(input: Tensor): Tensor {
    return F.adaptive_avg_pool2d(input, this.output_size as number | readonly number[])
  }
}

/** Means over windows that divide (N, C, D, H, W) into `output_size` parts. */
export class AdaptiveAvgPool3d extends AdaptivePool {
  forward(input: Tensor): Tensor {
    return F.adaptive_avg_pool3d(input, this.output_size as number | readonly number[])
  }
}

abstract class AdaptiveMaxPool extends AdaptivePool {
  declare readonly return_indices: boolean

  constructor(
    output_size: number | null | Sizes | AdaptiveOptions,
    return_indices?: boolean | { return_indices?: boolean },
  )
  constructor(...args: readonly unknown[]) {
    super(...args)
  }

  protected override read(args: readonly unknown[]): object {
    return adaptive_max(args)
  }
}

/** Maxima over windows that divide (N, C, L) into `output_size` parts. */
export class AdaptiveMaxPool1d extends AdaptiveMaxPool {
  forward(input: Tensor): Tensor {
    return F.adaptive_max_pool1d(input, this.output_size as number, {
      return_indices: this.return_indices,
    }) as Tensor
  }
}

/** Maxima over windows that divide (N, C, H, W) into `output_size` parts. */
export class AdaptiveMaxPool2d extends AdaptiveMaxPool {
  forward(input: Tensor): Tensor {
    return F.adaptive_max_pool2d(input, this.output_size as number | readonly number[], {
      return_indices: this.return_indices,
    }) as Tensor
  }
}

/** Maxima over windows that divide (N, C, D, H, W) into `output_size` parts. */
export class AdaptiveMaxPool3d extends AdaptiveMaxPool {
  forward(input: Tensor): Tensor {
    return F.adaptive_max_pool3d(input, this.output_size as number | readonly number[], {
      return_indices: this.return_indices,
    }) as Tensor
  }
}

type FractionalOptions = {
  output_size?: Numbers | null
  output_ratio?: Numbers | null
  return_indices?: boolean
  _random_samples?: Tensor | null
}
const fractional = ([2, 3] as const).map(n =>
  reader(
    `FractionalMaxPool${n}d(int[${n}] kernel_size, int[${n}]? output_size=None, any? output_ratio=None, bool return_indices=False, Tensor? _random_samples=None)`,
  ),
)

/** Maxima of windows that lie at random, so that the output has a given size or ratio to the input's. */
abstract class FractionalMaxPool extends Module {
  declare readonly kernel_size: readonly number[]
  declare readonly output_size: readonly number[] | null
  declare readonly output_ratio: readonly number[] | null
  declare readonly return_indices: boolean
  declare _random_samples: Tensor | null

  constructor(dims: 2 | 3, args: readonly unknown[]) {
    super()
    const { _random_samples, output_ratio, ...settings } =
      fractional[dims - 2]!<Required<FractionalOptions>>(args)
    const ratios =
      typeof output_ratio === 'number' ? new Array<number>(dims).fill(output_ratio) : output_ratio
    Object.assign(this, settings, { output_ratio: ratios })
    this.register_buffer('_random_samples', _random_samples)
    if (settings.output_size === null && ratios === null)
      throw new ValueError(
        `FractionalMaxPool${dims}d requires specifying either an output size, or a pooling ratio`,
      )
    if (settings.output_size !== null && ratios !== null)
      throw new ValueError('only one of output_size and output_ratio may be specified')
    if (ratios?.some(r => !(r > 0 && r < 1))) {
      const given =
        typeof output_ratio === 'number' ? float(output_ratio) : `(${ratios.map(float).join(', ')})`
      throw new ValueError(`output_ratio must be between 0 and 1 (got ${given})`)
    }
  }

  protected get options(): {
    output_size: readonly number[] | null
    output_ratio: readonly number[] | null
    return_indices: boolean
    _random_samples: Tensor | null
  } {
    const { output_size, output_ratio, return_indices, _random_samples } = this
    return { output_size, output_ratio, return_indices, _random_samples }
  }
}

type FractionalRest = readonly (Numbers | null | boolean | Tensor | FractionalOptions)[]

/** Maxima of windows of (N, C, H, W) that lie at random; see F.fractional_max_pool2d. */
export class FractionalMaxPool2d extends FractionalMaxPool {
  constructor(kernel_size: Numbers, ...rest: FractionalRest) {
    super(2, [kernel_size, ...rest])
  }

  forward(input: Tensor): Tensor {
    return F.fractional_max_pool2d(input, this.kernel_size, this.options) as Tensor
  }
}

/** Maxima of windows of (N, C, D, H, W) that lie at random; see F.fractional_max_pool3d. */
export class FractionalMaxPool3d extends FractionalMaxPool {
  constructor(kernel_size: Numbers, ...rest: FractionalRest) {
    super(3, [kernel_size, ...rest])
  }

  forward(input: Tensor): Tensor {
    return F.fractional_max_pool3d(input, this.kernel_size, this.options) as Tensor
  }
}
