// Lazy modules: those whose number of input features is found from the first input. Their parameters have no sizes until then;
// the first call gives them some, draws them, and makes the module one of the ordinary class.
// Not here: parameters without sizes (uninitialized.ts).
import { RuntimeError, ValueError } from '../../base/errors.ts'
import type { Tensor } from '../../torch.ts'
import * as torch from '../../torch.ts'
import type { Module } from '../module.ts'
import type { Parameter } from '../parameter.ts'
import { is_lazy, UninitializedBuffer, UninitializedParameter } from '../uninitialized.ts'
import {
  Conv1d,
  Conv2d,
  Conv3d,
  type ConvNd,
  type ConvOptions,
  ConvTranspose1d,
  ConvTranspose2d,
  ConvTranspose3d,
  type ConvTransposeOptions,
} from './conv.ts'
import { Linear } from './linear.ts'
import {
  BatchNorm1d,
  BatchNorm2d,
  BatchNorm3d,
  InstanceNorm1d,
  InstanceNorm2d,
  InstanceNorm3d,
  type NormOptions,
} from './normalization.ts'
import { FACTORY, type Factory, type FactoryOptions, reader } from './settings.ts'

/** What lazy modules have until their first call. */
export type LazyModule = {
  /** The class that the module is of after its first call. */
  readonly cls_to_become: abstract new (
    ...args: never[]
  ) => Module
  /** Whether there are parameters or buffers without sizes. */
  has_uninitialized_params(): boolean
  /** Gives parameters the sizes that go with `input`, and draws them. */
  initialize_parameters(input: Tensor): void
}
type Lazy = Module & LazyModule

const is_uninitialized = (module: Module): boolean =>
  [...module._own_parameters(), ...module._own_buffers()].some(([, t]) => is_lazy(t))

/** Initialises `module` and makes it one of the class it is to become, whose forward the call goes on with. */
function first_call(module: Lazy, args: readonly unknown[]): unknown {
  module.initialize_parameters(...(args as [Tensor]))
  if (module.has_uninitialized_params())
    throw new RuntimeError(`module ${module._get_name()} has not been fully initialized`)
  Object.setPrototypeOf(module, module.cls_to_become.prototype)
  return module.forward(...(args as never[]))
}

/** Gives a parameter sizes. */
function materialize(t: Tensor | null, sizes: readonly number[]): void {
  if (is_lazy(t)) t.materialize(sizes)
}

const factory_of = ({ dtype }: Factory): FactoryOptions => (dtype === null ? {} : { dtype })

type LinearSettings = { out_features: number; bias: boolean } & Factory
const linear = reader(`LazyLinear(int out_features, bool bias=True, ${FACTORY})`)

/** A {@link Linear} that finds `in_features` from its first input. */
export class LazyLinear extends Linear implements LazyModule {
  declare weight: Parameter
  declare bias: Parameter | null

  constructor(
    out_features: number,
    bias?: boolean | (FactoryOptions & { bias?: boolean }),
    opts?: FactoryOptions,
  )
  constructor(...args: readonly unknown[]) {
    const s = linear<LinearSettings>(args)
    super(0, 0, false, factory_of(s))
    this.weight = new UninitializedParameter(factory_of(s))
    Object.assign(this, { out_features: s.out_features })
    if (s.bias) this.bias = new UninitializedParameter(factory_of(s))
  }

  get cls_to_become(): typeof Linear {
    return Linear
  }

  has_uninitialized_params(): boolean {
    return is_uninitialized(this)
  }

  override reset_parameters(): void {
    if (!this.has_uninitialized_params() && this.in_features !== 0) super.reset_parameters()
  }

  initialize_parameters(input: Tensor): void {
    if (!this.has_uninitialized_params()) return
    Object.assign(this, { in_features: input.size(-1) })
    materialize(this.weight, [this.out_features, this.in_features])
    materialize(this.bias, [this.out_features])
    this.reset_parameters()
  }

  override forward(...args: [input: Tensor]): Tensor {
    return first_call(this, args) as Tensor
  }
}

// ---------------------------------------------------------------------------------------------- convolutions

type Numbers = number | readonly number[]
export interface LazyConvConstructor<C extends Module, O> {
  new (
    out_channels: number,
    kernel_size: Numbers,
    ...rest: readonly (Numbers | string | boolean | O)[]
  ): C & LazyModule
  readonly prototype: C & LazyModule
}
type ConvSettings = {
  out_channels: number
  kernel_size: number[]
  bias: boolean
  device?: unknown
} & Omit<ConvTransposeOptions & ConvOptions, 'dtype' | 'device' | 'bias'> &
  Factory

/** The lazy class of a convolution over `dims` dimensions. */
function lazy_conv<C extends ConvNd, O>(
  Class: new (...args: never[]) => C,
  dims: number,
): LazyConvConstructor<C, O> {
  const name = `Lazy${Class.name}`
  const n = `int[${dims}]`
  const sizes = `int out_channels, ${n} kernel_size, ${n} stride=1, ${n} padding=0`
  const read = reader(
    Class.name.includes('Transpose')
      ? `${name}(${sizes}, ${n} output_padding=0, int groups=1, bool bias=True, ${n} dilation=1, str padding_mode='zeros', ${FACTORY})`
      : `${name}(${sizes}, ${n} dilation=1, int groups=1, bool bias=True, str padding_mode='zeros', ${FACTORY})`,
  )
  const Base = Class as unknown as new (...args: readonly unknown[]) => Conv1d
  class LazyConv extends Base implements LazyModule {
    constructor(...args: readonly unknown[]) {
      const { out_channels, kernel_size, dtype, device: _, bias, ...settings } = read<ConvSettings>(args)
      const factory = factory_of({ dtype })
      super(0, 0, kernel_size, { ...settings, ...factory, bias: false })
      this.weight = new UninitializedParameter(factory)
      Object.assign(this, { out_channels })
      if (bias) this.bias = new UninitializedParameter(factory)
    }

    get cls_to_become(): abstract new (
      ...args: never[]
    ) => Module {
      return Class
    }

    has_uninitialized_params(): boolean {
      return is_uninitialized(this)
    }

    override reset_parameters(): void {
      if (!this.has_uninitialized_params() && this.in_channels !== 0) super.reset_parameters()
    }

    initialize_parameters(input: Tensor): void {
      if (!this.has_uninitialized_params()) return
      if (input.ndim !== dims + 1 && input.ndim !== dims + 2)
        throw new RuntimeError(
          `Expected ${dims + 1}D (unbatched) or ${dims + 2}D (batched) input to ${name}, but got input of size: ${input.shape}`,
        )
      const in_channels = input.size(input.ndim - dims - 1)
      Object.assign(this, { in_channels })
      const { groups, out_channels, kernel_size } = this
      if (in_channels % groups !== 0) throw new ValueError('in_channels must be divisible by groups')
      const channels = this.transposed
        ? [in_channels, Math.floor(out_channels / groups)]
        : [out_channels, in_channels / groups]
      materialize(this.weight, [...channels, ...kernel_size])
      materialize(this.bias, [out_channels])
      this.reset_parameters()
    }

    override forward(...args: [input: Tensor]): Tensor {
      return first_call(this, args) as Tensor
    }
  }
  Object.defineProperty(LazyConv, 'name', { value: name })
  return LazyConv as unknown as LazyConvConstructor<C, O>
}

/** A {@link Conv1d} that finds `in_channels` from its first input. */
export const LazyConv1d: LazyConvConstructor<Conv1d, ConvOptions> = lazy_conv(Conv1d, 1)
export type LazyConv1d = Conv1d & LazyModule
/** A {@link Conv2d} that finds `in_channels` from its first input. */
export const LazyConv2d: LazyConvConstructor<Conv2d, ConvOptions> = lazy_conv(Conv2d, 2)
export type LazyConv2d = Conv2d & LazyModule
/** A {@link Conv3d} that finds `in_channels` from its first input. */
export const LazyConv3d: LazyConvConstructor<Conv3d, ConvOptions> = lazy_conv(Conv3d, 3)
export type LazyConv3d = Conv3d & LazyModule
/** A {@link ConvTranspose1d} that finds `in_channels` from its first input. */
export const LazyConvTranspose1d: LazyConvConstructor<ConvTranspose1d, ConvTransposeOptions> = lazy_conv(
  ConvTranspose1d,
  1,
)
export type LazyConvTranspose1d = ConvTranspose1d & LazyModule
/** A {@link ConvTranspose2d} that finds `in_channels` from its first input. */
export const LazyConvTranspose2d: LazyConvConstructor<ConvTranspose2d, ConvTransposeOptions> = lazy_conv(
  ConvTranspose2d,
  2,
)
export type LazyConvTranspose2d = ConvTranspose2d & LazyModule
/** A {@link ConvTranspose3d} that finds `in_channels` from its first input. */
export const LazyConvTranspose3d: LazyConvConstructor<ConvTranspose3d, ConvTransposeOptions> = lazy_conv(
  ConvTranspose3d,
  3,
)
export type LazyConvTranspose3d = ConvTranspose3d & LazyModule

// ---------------------------------------------------------------------------------------------- normalisations

export interface LazyNormConstructor<N extends Module> {
  new (...args: readonly (number | boolean | null | NormOptions)[]): N & LazyModule
  readonly prototype: N & LazyModule
}
type NormSettings = {
  eps: number
  momentum: number | null
  affine: boolean
  track_running_stats: boolean
} & Factory

const norm = reader(
  `LazyNorm(float eps=1e-05, float? momentum=0.1, bool affine=True, bool track_running_stats=True, ${FACTORY})`,
)

/** The lazy class of a normalisation; instance normalisations, too, are affine and keep statistics by default. */
function lazy_norm<N extends Module>(Class: new (...args: never[]) => N): LazyNormConstructor<N> {
  const Base = Class as unknown as new (...args: readonly unknown[]) => BatchNorm1d
  class LazyNorm extends Base implements LazyModule {
    constructor(...args: readonly unknown[]) {
      const s = norm<NormSettings>(args)
      const { affine, track_running_stats } = s
      const factory = factory_of(s)
      super(0, s.eps, s.momentum, false, false, factory)
      Object.assign(this, { affine, track_running_stats })
      if (affine) {
        this.weight = new UninitializedParameter(factory)
        this.bias = new UninitializedParameter(factory)
      }
      if (track_running_stats) {
        this.running_mean = new UninitializedBuffer(factory)
        this.running_var = new UninitializedBuffer(factory)
        this.num_batches_tracked = torch.tensor(0, { dtype: torch.int64 })
      }
    }

    get cls_to_become(): abstract new (
      ...args: never[]
    ) => Module {
      return Class
    }

    has_uninitialized_params(): boolean {
      return is_uninitialized(this)
    }

    override reset_parameters(): void {
      if (!this.has_uninitialized_params() && this.num_features !== 0) super.reset_parameters()
    }

    initialize_parameters(input: Tensor): void {
      if (!this.has_uninitialized_params()) return
      const num_features = input.size(1)
      Object.assign(this, { num_features })
      for (const t of [this.weight, this.bias, this.running_mean, this.running_var])
        materialize(t, [num_features])
      this.reset_parameters()
    }

    override forward(...args: [input: Tensor]): Tensor {
      return first_call(this, args) as Tensor
    }
  }
  Object.defineProperty(LazyNorm, 'name', { value: `Lazy${Class.name}` })
  return LazyNorm as unknown as LazyNormConstructor<N>
}

/** A {@link BatchNorm1d} that finds `num_features` from its first input. */
export const LazyBatchNorm1d: LazyNormConstructor<BatchNorm1d> = lazy_norm(BatchNorm1d)
export type LazyBatchNorm1d = BatchNorm1d & LazyModule
/** A {@link BatchNorm2d} that finds `num_features` from its first input. */
export const LazyBatchNorm2d: LazyNormConstructor<BatchNorm2d> = lazy_norm(BatchNorm2d)
export type LazyBatchNorm2d = BatchNorm2d & LazyModule
/** A {@link BatchNorm3d} that finds `num_features` from its first input. */
export const LazyBatchNorm3d: LazyNormConstructor<BatchNorm3d> = lazy_norm(BatchNorm3d)
export type LazyBatchNorm3d = BatchNorm3d & LazyModule
/** An {@link InstanceNorm1d} that finds `num_features` from its first input. */
export const LazyInstanceNorm1d: LazyNormConstructor<InstanceNorm1d> = lazy_norm(InstanceNorm1d)
export type LazyInstanceNorm1d = InstanceNorm1d & LazyModule
/** An {@link InstanceNorm2d} that finds `num_features` from its first input. */
export const LazyInstanceNorm2d: LazyNormConstructor<InstanceNorm2d> = lazy_norm(InstanceNorm2d)
export type LazyInstanceNorm2d = InstanceNorm2d & LazyModule
/** An {@link InstanceNorm3d} that finds `num_features` from its first input. */
export const LazyInstanceNorm3d: LazyNormConstructor<InstanceNorm3d> = lazy_norm(InstanceNorm3d)
export type LazyInstanceNorm3d = InstanceNorm3d & LazyModule
