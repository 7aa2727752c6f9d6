// Convolutions and their transposes in one to three dimensions. Not here: what they compute (functional).
import { ValueError } from '../../base/errors.ts'
import type { Tensor } from '../../torch.ts'
import * as F from '../functional/index.ts'
import * as init from '../init.ts'
import { Module } from '../module.ts'
import { Parameter } from '../parameter.ts'
import { tuple, value } from '../repr.ts'
import { init_bias } from './linear.ts'
import { FACTORY, type Factory, type FactoryOptions, reader, uninitialised } from './settings.ts'

type Numbers = number | readonly number[]
export type ConvOptions = FactoryOptions & {
  stride?: Numbers
  /** A number of zeros on both sides, 'same' or 'valid'. */
  padding?: Numbers | string
  dilation?: Numbers
  groups?: number
  bias?: boolean
  padding_mode?: 'zeros' | 'reflect' | 'replicate' | 'circular'
}
export type ConvTransposeOptions = Omit<ConvOptions, 'padding'> & {
  padding?: Numbers
  output_padding?: Numbers
}

type Settings = {
  in_channels: number
  out_channels: number
  kernel_size: number[]
  stride: number[]
  padding: number[] | string
  dilation: number[]
  groups: number
  bias: boolean
  padding_mode: string
  output_padding?: number[]
} & Factory

const PADDING_MODES = ['zeros', 'reflect', 'replicate', 'circular']

/** What all convolutions share. */
export abstract class ConvNd extends Module {
  declare readonly in_channels: number
  declare readonly out_channels: number
  declare readonly kernel_size: readonly number[]
  declare readonly stride: readonly number[]
  declare readonly padding: readonly number[] | string
  declare readonly dilation: readonly number[]
  declare readonly groups: number
  declare readonly padding_mode: string
  declare readonly output_padding: readonly number[]
  declare readonly transposed: boolean
  declare weight: Parameter
  declare bias: Parameter | null

  constructor(settings: Settings, transposed: boolean) {
    super()
    const { in_channels, out_channels, kernel_size, stride, padding, groups, bias, padding_mode, dtype } =
      settings
    if (groups <= 0) throw new ValueError('groups must be a positive integer')
    if (in_channels % groups !== 0) throw new ValueError('in_channels must be divisible by groups')
    if (out_channels % groups !== 0) throw new ValueError('out_channels must be divisible by groups')
    if (typeof padding === 'string') {
      if (padding !== 'same' && padding !== 'valid')
        throw new ValueError(`Invalid padding string '${padding}', should be one of {'valid', 'same'}`)
      if (padding === 'same' && stride.some(s => s !== 1))
        throw new ValueError("padding='same' is not supported for strided convolutions")
    }
    if (!PADDING_MODES.includes(padding_mode))
      throw new ValueError(
        `padding_mode must be one of {'zeros', 'reflect', 'replicate', 'circular'}, but got padding_mode='${padding_mode}'`,
      )
    const { bias: _, dtype: __, ...kept } = settings as Settings & { device?: unknown }
    const { device: ___, ...shown } = kept
    Object.assign(this, { output_padding: kernel_size.map(() => 0), ...shown, transposed })
    const channels = transposed ? [in_channels, out_channels / groups] : [out_channels, in_channels / groups]
    this.weight = new Parameter(uninitialised([...channels, ...kernel_size], { dtype }))
    if (bias) this.bias = new Parameter(uninitialised([out_channels], { dtype }))
    else this.register_parameter('bias', null)
    this.reset_parameters()
  }

  reset_parameters(): void {
    init.kaiming_uniform_(this.weight, { a: Math.sqrt(5) })
    if (this.bias === null) return
    const { sizes } = this.weight
    init_bias(
      this.bias,
      sizes.slice(1).reduce((a, b) => a * b, 1),
    )
  }

  /** The padding of non-zero modes, done beforehand: (left, right) from the last dimension on. */
  protected pad(input: Tensor): Tensor {
    const both =
      this.padding === 'same'
        ? this.kernel_size.map((k, i) => {
            const total = this.dilation[i]! * (k - 1)
            return [Math.floor(total / 2), total - Math.floor(total / 2)]
          })
        : typeof this.padding === 'string'
          ? this.kernel_size.map(() => [0, 0])
          : this.padding.map(p => [p, p])
    return F.pad(input, both.reverse().flat(), this.padding_mode)
  }

  override extra_repr(): string {
    const parts = [
      `${this.in_channels}, ${this.out_channels}, kernel_size=${tuple(this.kernel_size)}, stride=${tuple(this.stride)}`,
    ]
    const { padding, output_padding, dilation } = this
    if (typeof padding === 'string') parts.push(`padding=${padding}`)
    else if (padding.some(p => p !== 0)) parts.push(`padding=${tuple(padding)}`)
    if (dilation.some(d => d !== 1)) parts.push(`dilation=${tuple(dilation)}`)
    if (output_padding.some(p => p !== 0)) parts.push(`output_padding=${tuple(output_padding)}`)
    if (this.groups !== 1) parts.push(`groups=${this.groups}`)
    if (this.bias === null) parts.push(`bias=${value(false)}`)
    if (this.padding_mode !== 'zeros') parts.push(`padding_mode=${this.padding_mode}`)
    return parts.join(', ')
  }
}

type Dims = 1 | 2 | 3
type Rest = readonly (Numbers | string | boolean | ConvOptions | ConvTransposeOptions)[]

const readers = ([1, 2, 3] as const).map(n =>
  reader(
    `Conv${n}d(int in_channels, int out_channels, int[${n}] kernel_size, int[${n}] stride=1, int[${n}] padding=0, int[${n}] dilation=1, int groups=1, bool bias=True, str padding_mode='zeros', ${FACTORY})`,
  ),
)
const transpose_readers = ([1, 2, 3] as const).map(n =>
  reader(
    `ConvTranspose${n}d(int in_channels, int out_channels, int[${n}] kernel_size, int[${n}] stride=1, int[${n}] padding=0, int[${n}] output_padding=0, int groups=1, bool bias=True, int[${n}] dilation=1, str padding_mode='zeros', ${FACTORY})`,
  ),
)
const convolutions = [F.conv1d, F.conv2d, F.conv3d] as const
const transposes = [F.conv_transpose1d, F.conv_transpose2d, F.conv_transpose3d] as const

/** What the convolutions that are no transposes share. */
abstract class Correlation extends ConvNd {
  constructor(dims: Dims, args: readonly unknown[]) {
    super(readers[dims - 1]!<Settings>(args), false)
  }

  forward(input: Tensor): Tensor {
    const convolve = convolutions[this.kernel_size.length - 1]!
    const { weight, bias, stride, padding, dilation, groups } = this
    return this.padding_mode === 'zeros'
      ? convolve(input, weight, bias, stride, padding, dilation, groups)
      : convolve(this.pad(input), weight, bias, stride, 0, dilation, groups)
  }
}

/** Cross-correlation of (N, C, L); see F.conv1d. */
export class Conv1d extends Correlation {
  constructor(in_channels: number, out_channels: number, kernel_size: Numbers, ...rest: Rest) {
    super(1, [in_channels, out_channels, kernel_size, ...rest])
  }
}

/** Cross-correlation of (N, C, H, W); see F.conv2d. */
export class Conv2d extends Correlation {
  constructor(in_channels: number, out_channels: number, kernel_size: Numbers, ...rest: Rest) {
    super(2, [in_channels, out_channels, kernel_size, ...rest])
  }
}

/** Cross-correlation of (N, C, D, H, W); see F.conv3d. */
export class Conv3d extends Correlation {
  constructor(in_channels: number, out_channels: number, kernel_size: Numbers, ...rest: Rest) {
    super(3, [in_channels, out_channels, kernel_size, ...rest])
  }
}

/** What the transposed convolutions share. */
abstract class ConvTransposeNd extends ConvNd {
  constructor(dims: Dims, args: readonly unknown[]) {
    const settings = transpose_readers[dims - 1]!<Settings>(args)
    if (settings.padding_mode !== 'zeros')
      throw new ValueError(`Only "zeros" padding mode is supported for ConvTranspose${dims}d`)
    super(settings, true)
  }

  forward(input: Tensor, output_size: readonly number[] | null = null): Tensor {
    const { weight, bias, stride, padding, groups, dilation } = this
    const extra = this.output_padding_for(input, output_size)
    const transpose = transposes[this.kernel_size.length - 1]!
    return transpose(input, weight, bias, stride, padding as Numbers, extra, groups, dilation)
  }

  /** The output padding that gives `output_size`, or the module's own. */
  private output_padding_for(input: Tensor, output_size: readonly number[] | null): readonly number[] {
    if (output_size === null) return this.output_padding
    const dims = this.kernel_size.length
    const leading = input.ndim === dims + 2 ? 2 : 1
    const wanted = output_size.length === leading + dims ? output_size.slice(leading) : output_size
    if (wanted.length !== dims)
      throw new ValueError(
        `ConvTranspose${dims}D: for ${input.ndim}D input, output_size must have ${dims} or ${leading + dims} elements (got ${wanted.length})`,
      )
    const padding = this.padding as readonly number[]
    const least = wanted.map(
      (_, d) =>
        (input.size(leading + d) - 1) * this.stride[d]! -
        2 * padding[d]! +
        this.dilation[d]! * (this.kernel_size[d]! - 1) +
        1,
    )
    const most = least.map((n, d) => n + this.stride[d]! - 1)
    if (wanted.some((n, d) => n < least[d]! || n > most[d]!)) {
      const list = (x: readonly number[]): string => `[${x.join(', ')}]`
      throw new ValueError(
        `requested an output size of ${list(wanted)}, but valid sizes range from ${list(least)} to ${list(most)} (for an input of torch.Size(${list(input.sizes.slice(2))}))`,
      )
    }
    return wanted.map((n, d) => n - least[d]!)
  }
}

/** The gradient of {@link Conv1d} as a layer. */
export class ConvTranspose1d extends ConvTransposeNd {
  constructor(in_channels: number, out_channels: number, kernel_size: Numbers, ...rest: Rest) {
    super(1, [in_channels, out_channels, kernel_size, ...rest])
  }
}

/** The gradient of {@link Conv2d} as a layer. */
export class ConvTranspose2d extends ConvTransposeNd {
  constructor(in_channels: number, out_channels: number, kernel_size: Numbers, ...rest: Rest) {
    super(2, [in_channels, out_channels, kernel_size, ...rest])
  }
}

/** The gradient of {@link Conv3d} as a layer. */
export class ConvTranspose3d extends ConvTransposeNd {
  constructor(in_channels: number, out_channels: number, kernel_size: Numbers, ...rest: Rest) {
    super(3, [in_channels, out_channels, kernel_size, ...rest])
  }
}
