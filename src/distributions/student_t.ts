// Student's t distribution.
import { type Tensor, where } from '../torch.ts'
import type { Constraint } from './constraints.ts'
import * as constraints from './constraints.ts'
import { type Constraints, Distribution } from './distribution.ts'
import { Chi2 } from './gamma.ts'
import {
  assign,
  broadcast_all,
  type Keywords,
  masked,
  type SampleShape,
  signature,
  standard_normal,
  type Validate,
  type Value,
} from './utils.ts'

type Settings = { df: Value; loc: Value; scale: Value; validate_args: Validate }
const read = signature<Settings>('StudentT(any df, any loc=0.0, any scale=1.0, bool? validate_args=None)')

/** Student's t distribution of `df` degrees of freedom, shifted and scaled. */
export class StudentT extends Distribution {
  static override readonly arg_constraints: Constraints = {
    df: constraints.positive,
    loc: constraints.real,
    scale: constraints.positive,
  }
  static override readonly support: Constraint = constraints.real
  static override readonly has_rsample = true
  declare readonly df: Tensor
  declare readonly loc: Tensor
  declare readonly scale: Tensor
  declare readonly _chi2: Chi2

  constructor(
    ...args: Keywords<[df: Value, loc: Value, scale: Value, validate_args: Validate], Partial<Settings>>
  ) {
    super()
    const settings = read(args)
    const [df, loc, scale] = broadcast_all(settings.df, settings.loc, settings.scale) as [
      Tensor,
      Tensor,
      Tensor,
    ]
    assign(this, { df, loc, scale, _chi2: new Chi2(df) })
    this._init(df.shape, [], settings.validate_args)
  }

  override expand(batch_shape: readonly number[]): this {
    return this._copy(batch_shape, [], {
      ...this._expanded(batch_shape, 'df', 'loc', 'scale'),
      _chi2: this._chi2.expand(batch_shape),
    })
  }

  override get mean(): Tensor {
    return masked(this.loc, this.df.le(1), Number.NaN)
  }

  override get mode(): Tensor {
    return this.loc
  }

  override get variance(): Tensor {
    const { df } = this
    const has_variance = df.gt(2)
    const safe = where(has_variance, df, 3)
    const variance = this.scale.pow(2).mul(safe).div(safe.sub(2))
    return masked(masked(variance, has_variance.logical_not(), Infinity), df.le(1), Number.NaN)
  }

  override rsample(sample_shape: SampleShape = []): Tensor {
    const x = standard_normal(this._extended_shape(sample_shape), this.df)
    const z = this._chi2.rsample(sample_shape)
    return this.loc.add(this.scale.mul(x.mul(z.div(this.df).rsqrt())))
  }

  override log_prob(value: Tensor): Tensor {
    this._check(value)
    const { df, scale } = this
    const y = value.sub(this.loc).div(scale)
    const half = df.mul(0.5)
    const more = df.add(1).mul(0.5)
    const normalization = scale
      .log()
      .add(df.log().mul(0.5))
      .add(0.5 * Math.log(Math.PI))
      .add(half.lgamma())
      .sub(more.lgamma())
    return more.neg().mul(y.pow(2).div(df).log1p()).sub(normalization)
  }

  override entropy(): Tensor {
    const { df, scale } = this
    const half = df.mul(0.5)
    const more = df.add(1).mul(0.5)
    const log_beta = half
      .lgamma()
      .add(0.5 * Math.log(Math.PI))
      .sub(more.lgamma())
    return scale
      .log()
      .add(more.mul(more.digamma().sub(half.digamma())))
      .add(df.log().mul(0.5))
      .add(log_beta)
  }
}
