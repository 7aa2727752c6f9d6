// Pooling layers. Not here: what they compute (functional).
import type { Tensor } from '../../torch.ts'
import * as F from '../functional/index.ts'
import { Module } from '../module.ts'
import { tuple, value } from '../repr.ts'
import { reader } from './settings.ts'

type Numbers = number | readonly number[]
type Sizes = (number | null)[]

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

export type AvgPoolOptions = {
  stride?: Numbers | null
  padding?: Numbers
  ceil_mode?: boolean
  count_include_pad?: boolean
  divisor_override?: number | null
}
const avg_pool = reader(
  'AvgPool(any kernel_size, any? stride=None, any padding=0, bool ceil_mode=False, bool count_include_pad=True, int? divisor_override=None)',
)

abstract class AvgPool extends Module {
  declare readonly kernel_size: Numbers
  declare readonly stride: Numbers
  declare readonly padding: Numbers
  declare readonly ceil_mode: boolean
  declare readonly count_include_pad: boolean
  declare readonly divisor_override: number | null

  constructor(kernel_size: Numbers, ...rest: readonly (Numbers | boolean | null | AvgPoolOptions)[]) {
    super()
    const settings = avg_pool<{ kernel_size: Numbers; stride: Numbers | null }>([kernel_size, ...rest])
    Object.assign(this, settings, { stride: settings.stride ?? settings.kernel_size })
  }
}

/** The mean of each window of (N, C, L). */
export class AvgPool1d extends AvgPool {
  forward(input: Tensor): Tensor {
    return F.avg_pool1d(
      input,
      this.kernel_size,
      this.stride,
      this.padding,
      this.ceil_mode,
      this.count_include_pad,
    )
  }

  override extra_repr(): string {
    const one = (x: Numbers): string => tuple(typeof x === 'number' ? [x] : x)
    return `kernel_size=${one(this.kernel_size)}, stride=${one(this.stride)}, padding=${one(this.padding)}`
  }
}

/** The mean of each window of (N, C, H, W). */
export class AvgPool2d extends AvgPool {
  forward(input: Tensor): Tensor {
    const { kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override } = this
    return F.avg_pool2d(input, kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override)
  }

  override extra_repr(): string {
    return `kernel_size=${as_given(this.kernel_size)}, stride=${as_given(this.stride)}, padding=${as_given(this.padding)}`
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

/** A pooling layer that is told its output's size; null keeps a dimension. */
abstract class AdaptivePool extends Module {
  declare readonly output_size: number | null | Sizes

  constructor(output_size: number | null | readonly (number | null)[]) {
    super()
    Object.assign(this, { output_size })
  }

  override extra_repr(): string {
    const { output_size } = this
    if (!Array.isArray(output_size)) return `output_size=${value(output_size)}`
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

abstract class AdaptiveMaxPool extends AdaptivePool {
  declare readonly return_indices: boolean

  constructor(
    output_size: number | null | readonly (number | null)[],
    return_indices: boolean | { return_indices?: boolean } = false,
  ) {
    super(output_size)
    this.return_indices =
      typeof return_indices === 'boolean' ? return_indices : (return_indices.return_indices ?? false)
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
