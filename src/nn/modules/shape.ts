// Layers that change shape: Flatten, Unflatten, pixel shuffling, padding, up-sampling, unfolding.
// Not here: what they compute (functional).
import type { Tensor } from '../../torch.ts'
import * as F from '../functional/index.ts'
import { Module } from '../module.ts'
import { float, tuple, typename, value } from '../repr.ts'
import { reader } from './settings.ts'

type Numbers = number | readonly number[]

const flatten = reader('Flatten(int start_dim=1, int end_dim=-1)')

/** Joins the dimensions from `start_dim` to `end_dim`: all but the batch. */
export class Flatten extends Module {
  declare readonly start_dim: number
  declare readonly end_dim: number

  constructor(start_dim?: number | { start_dim?: number; end_dim?: number }, end_dim?: number)
  constructor(...args: readonly unknown[]) {
    super()
    Object.assign(this, flatten(args))
  }

  forward(input: Tensor): Tensor {
    return input.flatten(this.start_dim, this.end_dim)
  }

  override extra_repr(): string {
    return `start_dim=${this.start_dim}, end_dim=${this.end_dim}`
  }
}

const unflatten = reader('Unflatten(any dim, any unflattened_size)')

/** Splits one dimension into several. */
export class Unflatten extends Module {
  declare readonly dim: number
  declare readonly unflattened_size: readonly number[]

  constructor(dim: number | { dim: number; unflattened_size: readonly number[] }, size?: readonly number[])
  constructor(...args: readonly unknown[]) {
    super()
    const { dim, unflattened_size } = unflatten<{ dim: unknown; unflattened_size: unknown }>(args)
    if (!Number.isInteger(dim)) throw new TypeError('invalid argument type for dim parameter')
    if (!Array.isArray(unflattened_size))
      throw new TypeError(
        `unflattened_size must be a tuple of ints, but found type ${typename(unflattened_size)}`,
      )
    unflattened_size.forEach((n, i) => {
      if (!Number.isInteger(n))
        throw new TypeError(
          `unflattened_size must be tuple of ints, but found element of type ${typename(n)} at pos ${i}`,
        )
    })
    Object.assign(this, { dim, unflattened_size })
  }

  forward(input: Tensor): Tensor {
    return input.unflatten(this.dim, this.unflattened_size)
  }

  override extra_repr(): string {
    return `dim=${this.dim}, unflattened_size=${tuple(this.unflattened_size)}`
  }
}

const pixel_shuffle = reader('PixelShuffle(int upscale_factor)')

/** Moves channels into space: (N, C r^2, H, W) to (N, C, H r, W r). */
export class PixelShuffle extends Module {
  declare readonly upscale_factor: number

  constructor(upscale_factor: number | { upscale_factor: number }) {
    super()
    Object.assign(this, pixel_shuffle([upscale_factor]))
  }

  forward(input: Tensor): Tensor {
    return F.pixel_shuffle(input, this.upscale_factor)
  }

  override extra_repr(): string {
    return `upscale_factor=${this.upscale_factor}`
  }
}

const pixel_unshuffle = reader('PixelUnshuffle(int downscale_factor)')

/** Moves space into channels: the reverse of {@link PixelShuffle}. */
export class PixelUnshuffle extends Module {
  declare readonly downscale_factor: number

  constructor(downscale_factor: number | { downscale_factor: number }) {
    super()
    Object.assign(this, pixel_unshuffle([downscale_factor]))
  }

  forward(input: Tensor): Tensor {
    return F.pixel_unshuffle(input, this.downscale_factor)
  }

  override extra_repr(): string {
    return `downscale_factor=${this.downscale_factor}`
  }
}

const padded = reader('Pad(any padding)')
type Padding = Numbers | { padding: Numbers }

/** Padding of the last `dims` dimensions: one number, or (before, after) from the last dimension on. */
abstract class Pad extends Module {
  declare readonly padding: readonly number[]
  protected abstract readonly mode: string

  constructor(dims: number, { padding }: { padding: Numbers }) {
    super()
    this.padding = typeof padding === 'number' ? new Array<number>(2 * dims).fill(padding) : [...padding]
  }

  forward(input: Tensor): Tensor {
    return F.pad(input, this.padding, this.mode)
  }

  override extra_repr(): string {
    return tuple(this.padding)
  }
}

const constant = reader('ConstantPad(any padding, float value)')
type Filled = Numbers | { padding: Numbers; value: number }

abstract class ConstantPad extends Pad {
  declare readonly value: number

  constructor(dims: number, args: readonly unknown[]) {
    const settings = constant<{ padding: Numbers; value: number }>(args)
    super(dims, settings)
    this.value = settings.value
  }

  protected get mode(): string {
    return 'constant'
  }

  override forward(input: Tensor): Tensor {
    return F.pad(input, this.padding, 'constant', this.value)
  }

  override extra_repr(): string {
    return `padding=${tuple(this.padding)}, value=${Number.isInteger(this.value) ? value(this.value) : float(this.value)}`
  }
}

/** Pads the last dimension with a number. */
export class ConstantPad1d extends ConstantPad {
  constructor(padding: Filled, fill?: number | { value: number })
  constructor(...args: readonly unknown[]) {
    super(1, args)
  }
}

/** Pads the last two dimensions with a number. */
export class ConstantPad2d extends ConstantPad {
  constructor(padding: Filled, fill?: number | { value: number })
  constructor(...args: readonly unknown[]) {
    super(2, args)
  }
}

/** Pads the last three dimensions with a number. */
export class ConstantPad3d extends ConstantPad {
  constructor(padding: Filled, fill?: number | { value: number })
  constructor(...args: readonly unknown[]) {
    super(3, args)
  }
}

/** Pads the last two dimensions with zeros. */
export class ZeroPad2d extends Pad {
  constructor(padding: Padding) {
    super(2, padded([padding]))
  }

  protected get mode(): string {
    return 'constant'
  }
}

abstract class ReflectionPad extends Pad {
  protected get mode(): string {
    return 'reflect'
  }
}

abstract class ReplicationPad extends Pad {
  protected get mode(): string {
    return 'replicate'
  }
}

/** Pads the last dimension by reflection. */
export class ReflectionPad1d extends ReflectionPad {
  constructor(padding: Padding) {
    super(1, padded([padding]))
  }
}

/** Pads the last two dimensions by reflection. */
export class ReflectionPad2d extends ReflectionPad {
  constructor(padding: Padding) {
    super(2, padded([padding]))
  }
}

/** Pads the last three dimensions by reflection. */
export class ReflectionPad3d extends ReflectionPad {
  constructor(padding: Padding) {
    super(3, padded([padding]))
  }
}

/** Pads the last dimension with its outermost elements. */
export class ReplicationPad1d extends ReplicationPad {
  constructor(padding: Padding) {
    super(1, padded([padding]))
  }
}

/** Pads the last two dimensions with their outermost elements. */
export class ReplicationPad2d extends ReplicationPad {
  constructor(padding: Padding) {
    super(2, padded([padding]))
  }
}

/** Pads the last three dimensions with their outermost elements. */
export class ReplicationPad3d extends ReplicationPad {
  constructor(padding: Padding) {
    super(3, padded([padding]))
  }
}

const channel_shuffle = reader('ChannelShuffle(int groups)')

/** Mixes the channels of `groups` groups: (N, g c, ...) is transposed as (N, g, c, ...) to (N, c, g, ...). */
export class ChannelShuffle extends Module {
  declare readonly groups: number

  constructor(groups: number | { groups: number }) {
    super()
    Object.assign(this, channel_shuffle([groups]))
  }

  forward(input: Tensor): Tensor {
    return F.channel_shuffle(input, this.groups)
  }

  override extra_repr(): string {
    return `groups=${this.groups}`
  }
}

const upsample = reader(
  "Upsample(any? size=None, any? scale_factor=None, str mode='nearest', bool? align_corners=None)",
)
type UpsampleOptions = {
  size?: Numbers | null
  scale_factor?: Numbers | null
  mode?: string
  align_corners?: boolean | null
}

/** Resizes by a factor or to a size; see F.interpolate. */
export class Upsample extends Module {
  declare readonly size: Numbers | null
  declare readonly scale_factor: Numbers | null
  declare readonly mode: string
  declare readonly align_corners: boolean | null

  constructor(
    size?: Numbers | null | UpsampleOptions,
    scale_factor?: Numbers | null | UpsampleOptions,
    mode?: string | UpsampleOptions,
    align_corners?: boolean | null,
  )
  constructor(...args: readonly unknown[]) {
    super()
    Object.assign(this, upsample(args))
  }

  forward(input: Tensor): Tensor {
    const { size, scale_factor, mode, align_corners } = this
    return F.interpolate(input, size, scale_factor, mode, align_corners)
  }

  override extra_repr(): string {
    const { size, scale_factor, mode } = this
    const factor = (x: number): string => float(x)
    const shown =
      scale_factor !== null
        ? `scale_factor=${typeof scale_factor === 'number' ? factor(scale_factor) : `(${scale_factor.map(factor).join(', ')})`}`
        : `size=${typeof size === 'number' ? value(size) : tuple(size ?? [])}`
    return `${shown}, mode=${mode}`
  }
}

type ScaleOptions = { size?: Numbers | null; scale_factor?: Numbers | null }

/** Resizes (N, C, H, W) to the nearest element. */
export class UpsamplingNearest2d extends Upsample {
  constructor(size?: Numbers | null | ScaleOptions, scale_factor?: Numbers | null | ScaleOptions) {
    super(size, scale_factor)
  }
}

/** Resizes (N, C, H, W) between the four nearest elements, with aligned corners. */
export class UpsamplingBilinear2d extends Upsample {
  constructor(size?: Numbers | null | ScaleOptions, scale_factor?: Numbers | null | ScaleOptions) {
    super(size, scale_factor)
    Object.assign(this, { mode: 'bilinear', align_corners: true })
  }
}

const unfold = reader('Unfold(any kernel_size, any dilation=1, any padding=0, any stride=1)')
type UnfoldOptions = { dilation?: Numbers; padding?: Numbers; stride?: Numbers }
const shown = (x: Numbers): string => (typeof x === 'number' ? value(x) : tuple(x))

/** The windows of an image as columns; see F.unfold. */
export class Unfold extends Module {
  declare readonly kernel_size: Numbers
  declare readonly dilation: Numbers
  declare readonly padding: Numbers
  declare readonly stride: Numbers

  constructor(kernel_size: Numbers, ...rest: readonly (Numbers | UnfoldOptions)[]) {
    super()
    Object.assign(this, unfold([kernel_size, ...rest]))
  }

  forward(input: Tensor): Tensor {
    return F.unfold(input, this.kernel_size, this.dilation, this.padding, this.stride)
  }

  override extra_repr(): string {
    return `kernel_size=${shown(this.kernel_size)}, dilation=${shown(this.dilation)}, padding=${shown(this.padding)}, stride=${shown(this.stride)}`
  }
}

const fold = reader('Fold(any output_size, any kernel_size, any dilation=1, any padding=0, any stride=1)')

/** Columns added up into an image: the transpose of {@link Unfold}. */
export class Fold extends Module {
  declare readonly output_size: Numbers
  declare readonly kernel_size: Numbers
  declare readonly dilation: Numbers
  declare readonly padding: Numbers
  declare readonly stride: Numbers

  constructor(output_size: Numbers, kernel_size: Numbers, ...rest: readonly (Numbers | UnfoldOptions)[]) {
    super()
    Object.assign(this, fold([output_size, kernel_size, ...rest]))
  }

  forward(input: Tensor): Tensor {
    return F.fold(input, this.output_size, this.kernel_size, this.dilation, this.padding, this.stride)
  }

  override extra_repr(): string {
    return `output_size=${shown(this.output_size)}, kernel_size=${shown(this.kernel_size)}, dilation=${shown(this.dilation)}, padding=${shown(this.padding)}, stride=${shown(this.stride)}`
  }
}
