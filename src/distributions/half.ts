// The absolute values of normal and Cauchy variables.
import { as_tensor, full, type Tensor, where, zeros_like } from '../torch.ts'
import type { Constraint } from './constraints.ts'
import * as constraints from './constraints.ts'
import type { Constraints } from './distribution.ts'
import { Cauchy, Normal } from './location_scale.ts'
import { TransformedDistribution } from './transformed_distribution.ts'
import { AbsTransform } from './transforms/elementwise.ts'
import { type Keywords, signature, type Validate, type Value } from './utils.ts'

type Settings = { scale: Value; validate_args: Validate }
type Args = Keywords<[scale: Value, validate_args: Validate], Partial<Settings>>
const read_normal = signature<Settings>('HalfNormal(any scale, bool? validate_args=None)')
const read_cauchy = signature<Settings>('HalfCauchy(any scale, bool? validate_args=None)')

/** The absolute value of a variable of location 0. */
abstract class Half extends TransformedDistribution {
  static override readonly arg_constraints: Constraints = { scale: constraints.positive }
  static override readonly support: Constraint = constraints.nonnegative
  static override readonly has_rsample = true
  declare readonly base_dist: Normal | Cauchy

  constructor(base: Normal | Cauchy, validate_args: Validate) {
    super()
    this._transform(base, new AbsTransform(), validate_args)
  }

  get scale(): Tensor {
    return this.base_dist.scale
  }

  override get mode(): Tensor {
    return zeros_like(this.scale)
  }

  override log_prob(value: Tensor): Tensor {
    this._check(value)
    return where(value.ge(0), this.base_dist.log_prob(value).add(Math.LN2), -Infinity)
  }

  override cdf(value: Tensor): Tensor {
    this._check(value)
    return this.base_dist.cdf(value).mul(2).sub(1)
  }

  override icdf(value: Tensor): Tensor {
    return this.base_dist.icdf(value.add(1).div(2))
  }

  override entropy(): Tensor {
    return this.base_dist.entropy().sub(Math.LN2)
  }
}

/** The absolute value of a normal variable of mean 0 and standard deviation `scale`. */
export class HalfNormal extends Half {
  declare readonly base_dist: Normal

  constructor(...args: Args) {
    const { scale, validate_args } = read_normal(args)
    super(new Normal(0, scale, false), validate_args)
  }

  override get mean(): Tensor {
    return this.scale.mul(Math.sqrt(2 / Math.PI))
  }

  override get variance(): Tensor {
    return this.scale.pow(2).mul(1 - 2 / Math.PI)
  }
}

/** The absolute value of a Cauchy variable of scale `scale`. */
export class HalfCauchy extends Half {
  declare readonly base_dist: Cauchy

  constructor(...args: Args) {
    const { scale, validate_args } = read_cauchy(args)
    super(new Cauchy(0, scale, false), validate_args)
  }

  override log_prob(value: Tensor | number): Tensor {
    return super.log_prob(as_tensor(value, { dtype: this.scale.dtype }))
  }

  override get mean(): Tensor {
    return full([...this._extended_shape()], Infinity, { dtype: this.scale.dtype })
  }

  override get variance(): Tensor {
    return this.base_dist.variance
  }
}
