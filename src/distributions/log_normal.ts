// What transforms make of normal variables: their exponentials, and points of simplices.
import type { Tensor } from '../torch.ts'
import type { Constraint } from './constraints.ts'
import * as constraints from './constraints.ts'
import type { Constraints, Distribution } from './distribution.ts'
import type { Independent } from './independent.ts'
import { LOC_SCALE, type LocationScale, location_scale, Normal } from './location_scale.ts'
import { TransformedDistribution } from './transformed_distribution.ts'
import { ExpTransform } from './transforms/elementwise.ts'
import { StickBreakingTransform } from './transforms/vectors.ts'

const read_log_normal = location_scale('LogNormal')

/** Numbers whose logarithm is normal, of mean `loc` and standard deviation `scale`. */
export class LogNormal extends TransformedDistribution {
  static override readonly arg_constraints: Constraints = LOC_SCALE
  static override readonly support: Constraint = constraints.positive
  static override readonly has_rsample = true
  declare readonly base_dist: Normal

  constructor(...args: LocationScale) {
    super()
    const { loc, scale, validate_args } = read_log_normal(args)
    this._transform(new Normal(loc, scale, validate_args), new ExpTransform(), validate_args)
  }

  get loc(): Tensor {
    return this.base_dist.loc
  }

  get scale(): Tensor {
    return this.base_dist.scale
  }

  override get mean(): Tensor {
    return this.loc.add(this.scale.pow(2).div(2)).exp()
  }

  override get mode(): Tensor {
    return this.loc.sub(this.scale.square()).exp()
  }

  override get variance(): Tensor {
    const square = this.scale.pow(2)
    return square.exp().sub(1).mul(this.loc.mul(2).add(square).exp())
  }

  override entropy(): Tensor {
    return this.base_dist.entropy().add(this.loc)
  }
}

const read_logistic_normal = location_scale('LogisticNormal')

/** Points of a simplex of one more coordinate than `loc` has: stick breaking by normal variables. */
export class LogisticNormal extends TransformedDistribution {
  static override readonly arg_constraints: Constraints = LOC_SCALE
  static override readonly support: Constraint = constraints.simplex
  static override readonly has_rsample = true

  constructor(...args: LocationScale) {
    super()
    const { loc, scale, validate_args } = read_logistic_normal(args)
    const base = new Normal(loc, scale, validate_args)
    const vector = base.batch_shape.length === 0 ? base.expand([1]) : base
    this._transform(vector, new StickBreakingTransform(), validate_args)
  }

  protected get _normal(): Normal {
    return (this.base_dist as Distribution as Independent).base_dist as Normal
  }

  get loc(): Tensor {
    return this._normal.loc
  }

  get scale(): Tensor {
    return this._normal.scale
  }
}
