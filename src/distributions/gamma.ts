// The gamma distribution and what is made of it: chi-squared, and Fisher and Snedecor's F.
import { _standard_gamma, as_tensor, finfo, type Tensor } from '../torch.ts'
import type { Constraint } from './constraints.ts'
import * as constraints from './constraints.ts'
import { type Constraints, Distribution } from './distribution.ts'
import { ExponentialFamily } from './exp_family.ts'
import {
  assign,
  broadcast_all,
  is_number,
  is_tensor,
  type Keywords,
  masked,
  one_minus,
  type SampleShape,
  signature,
  type Validate,
  type Value,
} from './utils.ts'

type GammaSettings = { concentration: Value; rate: Value; validate_args: Validate }
const read_gamma = signature<GammaSettings>('Gamma(any concentration, any rate, bool? validate_args=None)')

/** The gamma distribution of shape `concentration` and inverse scale `rate`. */
export class Gamma extends ExponentialFamily {
  static override readonly arg_constraints: Constraints = {
    concentration: constraints.positive,
    rate: constraints.positive,
  }
  static override readonly support: Constraint = constraints.nonnegative
  static override readonly has_rsample = true
  declare readonly concentration: Tensor
  declare readonly rate: Tensor

  constructor(
    ...args: Keywords<[concentration: Value, rate: Value, validate_args: Validate], Partial<GammaSettings>>
  ) {
    super()
    const settings = read_gamma(args)
    const [concentration, rate] = broadcast_all(settings.concentration, settings.rate) as [Tensor, Tensor]
    assign(this, { concentration, rate })
    this._init(concentration.shape, [], settings.validate_args)
  }

  override expand(batch_shape: readonly number[]): this {
    return this._copy(batch_shape, [], this._expanded(batch_shape, 'concentration', 'rate'))
  }

  override get mean(): Tensor {
    return this.concentration.div(this.rate)
  }

  override get mode(): Tensor {
    return this.concentration.sub(1).div(this.rate).clamp_min(0)
  }

  override get variance(): Tensor {
    return this.concentration.div(this.rate.pow(2))
  }

  override rsample(sample_shape: SampleShape = []): Tensor {
    const shape = this._extended_shape(sample_shape)
    const value = _standard_gamma(this.concentration.expand(shape)).div(this.rate.expand(shape))
    const { tiny } = finfo(value.dtype)
    if (!value.requires_grad) return value.clamp_(tiny)
    const fixed = value.detach()
    return value.add(fixed.clamp(tiny).sub(fixed)) // clamped, but with gradients everywhere
  }

  override log_prob(value: Tensor | number): Tensor {
    const { concentration, rate } = this
    const x = as_tensor(value, { dtype: rate.dtype })
    this._check(x)
    return concentration
      .xlogy(rate)
      .add(concentration.sub(1).xlogy(x))
      .sub(rate.mul(x))
      .sub(concentration.lgamma())
  }

  override entropy(): Tensor {
    const { concentration, rate } = this
    return concentration
      .sub(rate.log())
      .add(concentration.lgamma())
      .add(one_minus(concentration).mul(concentration.digamma()))
  }

  override get _natural_params(): readonly Tensor[] {
    return [this.concentration.sub(1), this.rate.neg()]
  }

  override _log_normalizer(x: Tensor, y: Tensor): Tensor {
    return x.add(1).lgamma().add(x.add(1).mul(y.reciprocal().neg().log()))
  }

  override get _mean_carrier_measure(): number {
    return 0
  }
}

type Chi2Settings = { df: Value; validate_args: Validate }
const read_chi2 = signature<Chi2Settings>('Chi2(any df, bool? validate_args=None)')

/** The chi-squared distribution of `df` degrees of freedom. */
export class Chi2 extends Gamma {
  static override readonly arg_constraints: Constraints = { df: constraints.positive }

  constructor(...args: Keywords<[df: Value, validate_args: Validate], Partial<Chi2Settings>>) {
    const { df, validate_args } = read_chi2(args)
    super(is_number(df) ? 0.5 * df : is_tensor(df) ? df.mul(0.5) : df, 0.5, validate_args)
  }

  get df(): Tensor {
    return this.concentration.mul(2)
  }
}

type FisherSettings = { df1: Value; df2: Value; validate_args: Validate }
const read_fisher = signature<FisherSettings>('FisherSnedecor(any df1, any df2, bool? validate_args=None)')

/** The ratio of two chi-squared variables over their degrees of freedom, `df1` and `df2`. */
export class FisherSnedecor extends Distribution {
  static override readonly arg_constraints: Constraints = {
    df1: constraints.positive,
    df2: constraints.positive,
  }
  static override readonly support: Constraint = constraints.positive
  static override readonly has_rsample = true
  declare readonly df1: Tensor
  declare readonly df2: Tensor
  declare readonly _gamma1: Gamma
  declare readonly _gamma2: Gamma

  constructor(...args: Keywords<[df1: Value, df2: Value, validate_args: Validate], Partial<FisherSettings>>) {
    super()
    const settings = read_fisher(args)
    const [df1, df2] = broadcast_all(settings.df1, settings.df2) as [Tensor, Tensor]
    assign(this, {
      df1,
      df2,
      _gamma1: new Gamma(df1.mul(0.5), df1),
      _gamma2: new Gamma(df2.mul(0.5), df2),
    })
    this._init(df1.shape, [], settings.validate_args)
  }

  override expand(batch_shape: readonly number[]): this {
    return this._copy(batch_shape, [], {
      ...this._expanded(batch_shape, 'df1', 'df2'),
      _gamma1: this._gamma1.expand(batch_shape),
      _gamma2: this._gamma2.expand(batch_shape),
    })
  }

  override get mean(): Tensor {
    const df2 = masked(this.df2, this.df2.le(2), Number.NaN)
    return df2.div(df2.sub(2))
  }

  override get mode(): Tensor {
    const { df1, df2 } = this
    const mode = df1.sub(2).div(df1).mul(df2).div(df2.add(2))
    return masked(mode, df1.le(2), Number.NaN)
  }

  override get variance(): Tensor {
    const { df1 } = this
    const df2 = masked(this.df2, this.df2.le(4), Number.NaN)
    const over = df2.pow(2).mul(2).mul(df1.add(df2).sub(2))
    return over.div(df1.mul(df2.sub(2).pow(2)).mul(df2.sub(4)))
  }

  override rsample(sample_shape: SampleShape = []): Tensor {
    const over = this._gamma1.rsample(sample_shape)
    const { tiny } = finfo(over.dtype)
    return over.div(this._gamma2.rsample(sample_shape).clamp(tiny)).clamp(tiny)
  }

  override log_prob(value: Tensor): Tensor {
    this._check(value)
    const [a, b, ratio] = [this.df1.mul(0.5), this.df2.mul(0.5), this.df1.div(this.df2)]
    const scale = a.add(b).lgamma().sub(a.lgamma()).sub(b.lgamma())
    const power = a.mul(ratio.log()).add(a.sub(1).mul(value.log()))
    return scale.add(power).sub(a.add(b).mul(ratio.mul(value).log1p()))
  }
}
