// Distributions on the real line of a location and a scale: normal, Laplace, Cauchy. Not here: those made of them by
// transforms (transformed.ts).
import * as torch from '../torch.ts'
import { no_grad, type Tensor } from '../torch.ts'
import type { Constraint } from './constraints.ts'
import * as constraints from './constraints.ts'
import { type Constraints, Distribution } from './distribution.ts'
import { ExponentialFamily } from './exp_family.ts'
import {
  assign,
  broadcast_all,
  type Keywords,
  type SampleShape,
  signature,
  standard_normal,
  type Validate,
  type Value,
} from './utils.ts'

type Settings = { loc: Value; scale: Value; validate_args: Validate }
export type LocationScale = Keywords<[loc: Value, scale: Value, validate_args: Validate], Partial<Settings>>
/** Reads the arguments of a distribution of a location and a scale. */
export const location_scale = (name: string): ((args: readonly unknown[]) => Settings) =>
  signature<Settings>(`${name}(any loc, any scale, bool? validate_args=None)`)

export const LOC_SCALE: Constraints = { loc: constraints.real, scale: constraints.positive }

const read_normal = location_scale('Normal')
const LOG_ROOT_TAU = Math.log(Math.sqrt(2 * Math.PI))

/** The normal distribution of mean `loc` and standard deviation `scale`. */
export class Normal extends ExponentialFamily {
  static override readonly arg_constraints: Constraints = LOC_SCALE
  static override readonly support: Constraint = constraints.real
  static override readonly has_rsample = true
  declare readonly loc: Tensor
  declare readonly scale: Tensor

  constructor(...args: LocationScale) {
    super()
    const settings = read_normal(args)
    const [loc, scale] = broadcast_all(settings.loc, settings.scale) as [Tensor, Tensor]
    assign(this, { loc, scale })
    this._init(loc.shape, [], settings.validate_args)
  }

  override expand(batch_shape: readonly number[]): this {
    return this._copy(batch_shape, [], this._expanded(batch_shape, 'loc', 'scale'))
  }

  override get mean(): Tensor {
    return this.loc
  }

  override get mode(): Tensor {
    return this.loc
  }

  override get stddev(): Tensor {
    return this.scale
  }

  override get variance(): Tensor {
    return this.scale.pow(2)
  }

  override sample(sample_shape: SampleShape = []): Tensor {
    const shape = this._extended_shape(sample_shape)
    return no_grad(() => torch.normal(this.loc.expand(shape), this.scale.expand(shape)))
  }

  override rsample(sample_shape: SampleShape = []): Tensor {
    const eps = standard_normal(this._extended_shape(sample_shape), this.loc)
    return this.loc.add(eps.mul(this.scale))
  }

  override log_prob(value: Tensor): Tensor {
    this._check(value)
    return value
      .sub(this.loc)
      .pow(2)
      .neg()
      .div(this.scale.pow(2).mul(2))
      .sub(this.scale.log())
      .sub(LOG_ROOT_TAU)
  }

  override cdf(value: Tensor): Tensor {
    this._check(value)
    const z = value.sub(this.loc).mul(this.scale.reciprocal())
    return z.div(Math.SQRT2).erf().add(1).mul(0.5)
  }

  override icdf(value: Tensor): Tensor {
    const z = value.mul(2).sub(1).erfinv()
    return this.loc.add(this.scale.mul(z).mul(Math.SQRT2))
  }

  override entropy(): Tensor {
    return this.scale.log().add(0.5 + 0.5 * Math.log(2 * Math.PI))
  }

  override get _natural_params(): readonly Tensor[] {
    const square = this.scale.pow(2)
    return [this.loc.div(square), square.reciprocal().mul(-0.5)]
  }

  override _log_normalizer(x: Tensor, y: Tensor): Tensor {
    return x.pow(2).mul(-0.25).div(y).add(y.reciprocal().mul(-Math.PI).log().mul(0.5))
  }

  override get _mean_carrier_measure(): number {
    return 0
  }
}

const read_laplace = location_scale('Laplace')

/** The Laplace distribution: exponential on both sides of `loc`. */
export class Laplace extends Distribution {
  static override readonly arg_constraints: Constraints = LOC_SCALE
  static override readonly support: Constraint = constraints.real
  static override readonly has_rsample = true
  declare readonly loc: Tensor
  declare readonly scale: Tensor

  constructor(...args: LocationScale) {
    super()
    const settings = read_laplace(args)
    const [loc, scale] = broadcast_all(settings.loc, settings.scale) as [Tensor, Tensor]
    assign(this, { loc, scale })
    this._init(loc.shape, [], settings.validate_args)
  }

  override expand(batch_shape: readonly number[]): this {
    return this._copy(batch_shape, [], this._expanded(batch_shape, 'loc', 'scale'))
  }

  override get mean(): Tensor {
    return this.loc
  }

  override get mode(): Tensor {
    return this.loc
  }

  override get variance(): Tensor {
    return this.scale.pow(2).mul(2)
  }

  override get stddev(): Tensor {
    return this.scale.mul(Math.SQRT2)
  }

  override rsample(sample_shape: SampleShape = []): Tensor {
    const shape = this._extended_shape(sample_shape)
    const u = this.loc.new_empty(shape).uniform_(torch.finfo(this.loc.dtype).eps - 1, 1)
    return this.loc.sub(this.scale.mul(u.sign()).mul(u.abs().neg().log1p()))
  }

  override log_prob(value: Tensor): Tensor {
    this._check(value)
    return this.scale.mul(2).log().neg().sub(value.sub(this.loc).abs().div(this.scale))
  }

  override cdf(value: Tensor): Tensor {
    this._check(value)
    const off = value.sub(this.loc)
    return off.sign().mul(0.5).mul(off.abs().neg().div(this.scale).expm1()).rsub(0.5)
  }

  override icdf(value: Tensor): Tensor {
    const term = value.sub(0.5)
    return this.loc.sub(this.scale.mul(term.sign()).mul(term.abs().mul(-2).log1p()))
  }

  override entropy(): Tensor {
    return this.scale.mul(2).log().add(1)
  }
}

const read_cauchy = location_scale('Cauchy')

/** The Cauchy distribution, which has neither mean nor variance. */
export class Cauchy extends Distribution {
  static override readonly arg_constraints: Constraints = LOC_SCALE
  static override readonly support: Constraint = constraints.real
  static override readonly has_rsample = true
  declare readonly loc: Tensor
  declare readonly scale: Tensor

  constructor(...args: LocationScale) {
    super()
    const settings = read_cauchy(args)
    const [loc, scale] = broadcast_all(settings.loc, settings.scale) as [Tensor, Tensor]
    assign(this, { loc, scale })
    this._init(loc.shape, [], settings.validate_args)
  }

  override expand(batch_shape: readonly number[]): this {
    return this._copy(batch_shape, [], this._expanded(batch_shape, 'loc', 'scale'))
  }

  protected _filled(value: number): Tensor {
    return torch.full([...this._extended_shape()], value, { dtype: this.loc.dtype })
  }

  override get mean(): Tensor {
    return this._filled(Number.NaN)
  }

  override get mode(): Tensor {
    return this.loc
  }

  override get variance(): Tensor {
    return this._filled(Infinity)
  }

  override rsample(sample_shape: SampleShape = []): Tensor {
    const eps = this.loc.new_empty(this._extended_shape(sample_shape)).cauchy_()
    return this.loc.add(eps.mul(this.scale))
  }

  override log_prob(value: Tensor): Tensor {
    this._check(value)
    const z = value.sub(this.loc).div(this.scale)
    return this.scale.log().rsub(-Math.log(Math.PI)).sub(z.pow(2).add(1).log())
  }

  override cdf(value: Tensor): Tensor {
    this._check(value)
    return value.sub(this.loc).div(this.scale).atan().div(Math.PI).add(0.5)
  }

  override icdf(value: Tensor): Tensor {
    return value.sub(0.5).mul(Math.PI).tan().mul(this.scale).add(this.loc)
  }

  override entropy(): Tensor {
    return this.scale.log().add(Math.log(4 * Math.PI))
  }
}
