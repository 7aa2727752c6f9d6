// Activation functions as modules. Not here: what they compute (functional).
import { AssertionError } from '../../base/errors.ts'
import type { Tensor } from '../../torch.ts'
import * as torch from '../../torch.ts'
import * as F from '../functional/index.ts'
import { Module } from '../module.ts'
import { Parameter } from '../parameter.ts'
import { float, value } from '../repr.ts'
import { FACTORY, type Factory, type FactoryOptions, reader, uninitialised } from './settings.ts'

type Inplace = boolean | { inplace?: boolean }

/** A module with an `inplace` setting and nothing else. */
abstract class InplaceModule extends Module {
  declare readonly inplace: boolean

  constructor(inplace: Inplace = false) {
    super()
    Object.assign(this, only_inplace([inplace]))
  }

  override extra_repr(): string {
    return this.inplace ? 'inplace=True' : ''
  }
}
const only_inplace = reader('Module(bool inplace=False)')

/** max(x, 0). */
export class ReLU extends InplaceModule {
  forward(input: Tensor): Tensor {
    return F.relu(input, this.inplace)
  }
}

/** x limited to [0, 6]. */
export class ReLU6 extends InplaceModule {
  forward(input: Tensor): Tensor {
    return F.relu6(input, this.inplace)
  }
}

/** See F.selu. */
export class SELU extends InplaceModule {
  forward(input: Tensor): Tensor {
    return F.selu(input, this.inplace)
  }
}

/** x sigmoid(x). */
export class SiLU extends InplaceModule {
  forward(input: Tensor): Tensor {
    return F.silu(input, this.inplace)
  }
}

/** x tanh(softplus(x)). */
export class Mish extends InplaceModule {
  forward(input: Tensor): Tensor {
    return F.mish(input, this.inplace)
  }
}

/** relu6(x + 3) / 6. */
export class Hardsigmoid extends InplaceModule {
  override extra_repr(): string {
    return ''
  }
  forward(input: Tensor): Tensor {
    return F.hardsigmoid(input, this.inplace)
  }
}

/** x relu6(x + 3) / 6. */
export class Hardswish extends InplaceModule {
  override extra_repr(): string {
    return ''
  }
  forward(input: Tensor): Tensor {
    return F.hardswish(input, this.inplace)
  }
}

/** 1 / (1 + exp(-x)). */
export class Sigmoid extends Module {
  forward(input: Tensor): Tensor {
    return torch.sigmoid(input)
  }
}

/** The hyperbolic tangent. */
export class Tanh extends Module {
  forward(input: Tensor): Tensor {
    return torch.tanh(input)
  }
}

/** log(sigmoid(x)). */
export class LogSigmoid extends Module {
  forward(input: Tensor): Tensor {
    return F.logsigmoid(input)
  }
}

/** x / (1 + |x|). */
export class Softsign extends Module {
  forward(input: Tensor): Tensor {
    return F.softsign(input)
  }
}

/** x - tanh(x). */
export class Tanhshrink extends Module {
  forward(input: Tensor): Tensor {
    return F.tanhshrink(input)
  }
}

const with_alpha = reader('Module(float alpha=1.0, bool inplace=False)')
type Alpha = number | { alpha?: number; inplace?: boolean }

/** Settings that ELU and CELU share. */
abstract class AlphaModule extends Module {
  declare readonly alpha: number
  declare readonly inplace: boolean

  constructor(alpha?: Alpha, inplace?: Inplace)
  constructor(...args: readonly unknown[]) {
    super()
    Object.assign(this, with_alpha(args))
  }

  override extra_repr(): string {
    return `alpha=${float(this.alpha)}${this.inplace ? ', inplace=True' : ''}`
  }
}

/** x above 0, `alpha (exp(x) - 1)` below. */
export class ELU extends AlphaModule {
  forward(input: Tensor): Tensor {
    return F.elu(input, this.alpha, this.inplace)
  }
}

/** x above 0, `alpha (exp(x / alpha) - 1)` below. */
export class CELU extends AlphaModule {
  forward(input: Tensor): Tensor {
    return F.celu(input, this.alpha, this.inplace)
  }
}

const leaky = reader('LeakyReLU(float negative_slope=0.01, bool inplace=False)')

/** x above 0, `negative_slope x` below. */
export class LeakyReLU extends Module {
  declare readonly negative_slope: number
  declare readonly inplace: boolean

  constructor(negative_slope?: number | { negative_slope?: number; inplace?: boolean }, inplace?: Inplace)
  constructor(...args: readonly unknown[]) {
    super()
    Object.assign(this, leaky(args))
  }

  forward(input: Tensor): Tensor {
    return F.leaky_relu(input, this.negative_slope, this.inplace)
  }

  override extra_repr(): string {
    return `negative_slope=${value_of(this.negative_slope)}${this.inplace ? ', inplace=True' : ''}`
  }
}

/** A float setting as it was given: whole numbers are Python's ints. */
const value_of = (x: number): string => (Number.isInteger(x) ? value(x) : float(x))

const hardtanh = reader('Hardtanh(float min_val=-1.0, float max_val=1.0, bool inplace=False)')

/** x limited to [min_val, max_val]. */
export class Hardtanh extends Module {
  declare readonly min_val: number
  declare readonly max_val: number
  declare readonly inplace: boolean

  constructor(
    min_val?: number | { min_val?: number; max_val?: number; inplace?: boolean },
    max_val?: number,
    inplace?: Inplace,
  )
  constructor(...args: readonly unknown[]) {
    super()
    Object.assign(this, hardtanh(args))
    if (this.max_val <= this.min_val) throw new AssertionError('')
  }

  forward(input: Tensor): Tensor {
    return F.hardtanh(input, this.min_val, this.max_val, this.inplace)
  }

  override extra_repr(): string {
    return `min_val=${float(this.min_val)}, max_val=${float(this.max_val)}${this.inplace ? ', inplace=True' : ''}`
  }
}

const threshold = reader('Threshold(float threshold, float value, bool inplace=False)')

/** x above `threshold`, else `value`. */
export class Threshold extends Module {
  declare readonly threshold: number
  declare readonly value: number
  declare readonly inplace: boolean

  constructor(threshold: number, value: number, inplace?: Inplace)
  constructor(...args: readonly unknown[]) {
    super()
    Object.assign(this, threshold(args))
  }

  forward(input: Tensor): Tensor {
    return F.threshold(input, this.threshold, this.value, this.inplace)
  }

  override extra_repr(): string {
    return `threshold=${value_of(this.threshold)}, value=${value_of(this.value)}${this.inplace ? ', inplace=True' : ''}`
  }
}

const rrelu = reader('RReLU(float lower=0.125, float upper=0.3333333333333333, bool inplace=False)')

/** x above 0; below, x times a slope drawn from [lower, upper] in training, or their mean. */
export class RReLU extends Module {
  declare readonly lower: number
  declare readonly upper: number
  declare readonly inplace: boolean

  constructor(
    lower?: number | { lower?: number; upper?: number; inplace?: boolean },
    upper?: number,
    inplace?: Inplace,
  )
  constructor(...args: readonly unknown[]) {
    super()
    Object.assign(this, rrelu(args))
  }

  forward(input: Tensor): Tensor {
    return F.rrelu(input, this.lower, this.upper, this.training, this.inplace)
  }

  override extra_repr(): string {
    return `lower=${float(this.lower)}, upper=${float(this.upper)}${this.inplace ? ', inplace=True' : ''}`
  }
}

const gelu = reader("GELU(str approximate='none')")

/** x Phi(x), or its approximation by tanh. */
export class GELU extends Module {
  declare readonly approximate: 'none' | 'tanh'

  constructor(approximate?: 'none' | 'tanh' | { approximate?: 'none' | 'tanh' })
  constructor(...args: readonly unknown[]) {
    super()
    Object.assign(this, gelu(args))
  }

  forward(input: Tensor): Tensor {
    return F.gelu(input, { approximate: this.approximate })
  }

  override extra_repr(): string {
    return `approximate=${value(this.approximate)}`
  }
}

const softplus = reader('Softplus(float beta=1, float threshold=20)')

/** log(1 + exp(beta x)) / beta. */
export class Softplus extends Module {
  declare readonly beta: number
  declare readonly threshold: number

  constructor(beta?: number | { beta?: number; threshold?: number }, threshold?: number)
  constructor(...args: readonly unknown[]) {
    super()
    Object.assign(this, softplus(args))
  }

  forward(input: Tensor): Tensor {
    return F.softplus(input, this.beta, this.threshold)
  }

  override extra_repr(): string {
    return `beta=${value_of(this.beta)}, threshold=${value_of(this.threshold)}`
  }
}

const lambd = reader('Module(float lambd=0.5)')

/** A module with the setting `lambd`. */
abstract class LambdaModule extends Module {
  declare readonly lambd: number

  constructor(lambd?: number | { lambd?: number })
  constructor(...args: readonly unknown[]) {
    super()
    Object.assign(this, lambd(args))
  }

  override extra_repr(): string {
    return value_of(this.lambd)
  }
}

/** x moved towards 0 by `lambd`, and 0 within. */
export class Softshrink extends LambdaModule {
  forward(input: Tensor): Tensor {
    return F.softshrink(input, this.lambd)
  }
}

/** x, and 0 within `lambd` of 0. */
export class Hardshrink extends LambdaModule {
  forward(input: Tensor): Tensor {
    return F.hardshrink(input, this.lambd)
  }
}

const prelu = reader(`PReLU(int num_parameters=1, float init=0.25, ${FACTORY})`)
type PReLUOptions = FactoryOptions & { num_parameters?: number; init?: number }

/** x above 0, `weight x` below, with a learnt weight for all or for each channel. */
export class PReLU extends Module {
  declare readonly num_parameters: number
  declare weight: Parameter

  constructor(num_parameters?: number | PReLUOptions, init?: number | PReLUOptions, opts?: PReLUOptions)
  constructor(...args: readonly unknown[]) {
    super()
    const { num_parameters, init, ...factory } = prelu<{ num_parameters: number; init: number } & Factory>(
      args,
    )
    Object.assign(this, { num_parameters })
    this.weight = new Parameter(uninitialised([num_parameters], factory).fill_(init))
  }

  forward(input: Tensor): Tensor {
    return F.prelu(input, this.weight)
  }

  override extra_repr(): string {
    return `num_parameters=${this.num_parameters}`
  }
}

const glu = reader('GLU(int dim=-1)')

/** The first half along `dim`, times the sigmoid of the second. */
export class GLU extends Module {
  declare readonly dim: number

  constructor(dim?: number | { dim?: number })
  constructor(...args: readonly unknown[]) {
    super()
    Object.assign(this, glu(args))
  }

  forward(input: Tensor): Tensor {
    return F.glu(input, this.dim)
  }

  override extra_repr(): string {
    return `dim=${this.dim}`
  }
}

const over_dim = reader('Module(int? dim=None)')

/** A module with the setting `dim`, which may be left out with a warning. */
abstract class DimModule extends Module {
  declare readonly dim: number | null

  constructor(dim?: number | null | { dim?: number | null })
  constructor(...args: readonly unknown[]) {
    super()
    Object.assign(this, over_dim(args))
  }

  override extra_repr(): string {
    return `dim=${value(this.dim)}`
  }
}

/** exp(x) normalised to sum 1 along `dim`. */
export class Softmax extends DimModule {
  forward(input: Tensor): Tensor {
    return F.softmax(input, this.dim)
  }
}

/** Softmax of -x. */
export class Softmin extends DimModule {
  forward(input: Tensor): Tensor {
    return F.softmin(input, this.dim)
  }
}

/** log(softmax(x)) along `dim`. */
export class LogSoftmax extends DimModule {
  forward(input: Tensor): Tensor {
    return F.log_softmax(input, this.dim)
  }
}

/** Softmax over the channels of each pixel of (N, C, H, W). */
export class Softmax2d extends Module {
  forward(input: Tensor): Tensor {
    if (input.ndim !== 4 && input.ndim !== 3)
      throw new AssertionError('Softmax2d requires a 3D or 4D tensor as input')
    return F.softmax(input, -3)
  }
}
