// Distributions that transforms make of uniform and exponential ones: Gumbel, Weibull, Pareto, Kumaraswamy.
// Not here: those made of normal ones (log_normal.ts, half.ts), transforms in general (transformed_distribution.ts).
import { finfo, full_like, ones_like, type Tensor } from '../torch.ts'
import type { Constraint } from './constraints.ts'
import * as constraints from './constraints.ts'
import type { Constraints } from './distribution.ts'
import { Exponential } from './exponential.ts'
import { LOC_SCALE, type LocationScale, location_scale } from './location_scale.ts'
import { TransformedDistribution } from './transformed_distribution.ts'
import { AffineTransform, ExpTransform, PowerTransform } from './transforms/elementwise.ts'
import { Uniform } from './uniform.ts'
import {
  assign,
  broadcast_all,
  euler_constant,
  type Keywords,
  masked,
  one_minus,
  signature,
  type Validate,
  type Value,
} from './utils.ts'

const read_gumbel = location_scale('Gumbel')

/** The Gumbel distribution, of the greatest of many. */
export class Gumbel extends TransformedDistribution {
  static override readonly arg_constraints: Constraints = LOC_SCALE
  static override readonly support: Constraint = constraints.real
  declare readonly loc: Tensor
  declare readonly scale: Tensor

  constructor(...args: LocationScale) {
    super()
    const settings = read_gumbel(args)
    const [loc, scale] = broadcast_all(settings.loc, settings.scale) as [Tensor, Tensor]
    assign(this, { loc, scale })
    const { tiny, eps } = finfo(loc.dtype)
    const log = new ExpTransform().inv
    const transforms = [
      log,
      new AffineTransform(0, ones_like(scale).neg()),
      log,
      new AffineTransform(loc, scale.neg()),
    ]
    const base = new Uniform(full_like(loc, tiny), full_like(loc, 1 - eps))
    this._transform(base, transforms, settings.validate_args)
  }

  override expand(batch_shape: readonly number[]): this {
    const made = super.expand(batch_shape)
    assign(made, this._expanded(batch_shape, 'loc', 'scale'))
    return made
  }

  override log_prob(value: Tensor): Tensor {
    this._check(value)
    const y = this.loc.sub(value).div(this.scale)
    return y.sub(y.exp()).sub(this.scale.log())
  }

  override get mean(): Tensor {
    return this.loc.add(this.scale.mul(euler_constant))
  }

  override get mode(): Tensor {
    return this.loc
  }

  override get stddev(): Tensor {
    return this.scale.mul(Math.PI / Math.sqrt(6))
  }

  override get variance(): Tensor {
    return this.stddev.pow(2)
  }

  override entropy(): Tensor {
    return this.scale.log().add(1 + euler_constant)
  }
}

type WeibullSettings = { scale: Value; concentration: Value; validate_args: Validate }
const read_weibull = signature<WeibullSettings>(
  'Weibull(any scale, any concentration, bool? validate_args=None)',
)

/** The Weibull distribution of scale `scale` and shape `concentration`. */
export class Weibull extends TransformedDistribution {
  static override readonly arg_constraints: Constraints = {
    scale: constraints.positive,
    concentration: constraints.positive,
  }
  static override readonly support: Constraint = constraints.positive
  declare readonly scale: Tensor
  declare readonly concentration: Tensor
  declare readonly concentration_reciprocal: Tensor

  constructor(
    ...args: Keywords<[scale: Value, concentration: Value, validate_args: Validate], Partial<WeibullSettings>>
  ) {
    super()
    const settings = read_weibull(args)
    const [scale, concentration] = broadcast_all(settings.scale, settings.concentration) as [Tensor, Tensor]
    const concentration_reciprocal = concentration.reciprocal()
    assign(this, { scale, concentration, concentration_reciprocal })
    const base = new Exponential(ones_like(scale), settings.validate_args)
    const transforms = [new PowerTransform(concentration_reciprocal), new AffineTransform(0, scale)]
    this._transform(base, transforms, settings.validate_args)
  }

  override expand(batch_shape: readonly number[]): this {
    const made = super.expand(batch_shape)
    assign(made, this._expanded(batch_shape, 'scale', 'concentration', 'concentration_reciprocal'))
    return made
  }

  override get mean(): Tensor {
    return this.scale.mul(this.concentration_reciprocal.add(1).lgamma().exp())
  }

  override get mode(): Tensor {
    const { concentration } = this
    return this.scale.mul(concentration.sub(1).div(concentration).pow(concentration.reciprocal()))
  }

  override get variance(): Tensor {
    const inverse = this.concentration_reciprocal
    const second = inverse.mul(2).add(1).lgamma().exp()
    return this.scale.pow(2).mul(second.sub(inverse.add(1).lgamma().mul(2).exp()))
  }

  override entropy(): Tensor {
    const inverse = this.concentration_reciprocal
    return one_minus(inverse).mul(euler_constant).add(this.scale.mul(inverse).log()).add(1)
  }
}

type ParetoSettings = { scale: Value; alpha: Value; validate_args: Validate }
const read_pareto = signature<ParetoSettings>('Pareto(any scale, any alpha, bool? validate_args=None)')

/** The Pareto distribution: numbers from `scale` on, of which the tail falls by the power `alpha`. */
export class Pareto extends TransformedDistribution {
  static override readonly arg_constraints: Constraints = {
    alpha: constraints.positive,
    scale: constraints.positive,
  }
  static override readonly support: Constraint = constraints.dependent_property({
    is_discrete: false,
    event_dim: 0,
  })
  declare readonly scale: Tensor
  declare readonly alpha: Tensor

  constructor(
    ...args: Keywords<[scale: Value, alpha: Value, validate_args: Validate], Partial<ParetoSettings>>
  ) {
    super()
    const settings = read_pareto(args)
    const [scale, alpha] = broadcast_all(settings.scale, settings.alpha) as [Tensor, Tensor]
    assign(this, { scale, alpha })
    const base = new Exponential(alpha, settings.validate_args)
    this._transform(base, [new ExpTransform(), new AffineTransform(0, scale)], settings.validate_args)
  }

  override expand(batch_shape: readonly number[]): this {
    const made = super.expand(batch_shape)
    assign(made, this._expanded(batch_shape, 'scale', 'alpha'))
    return made
  }

  override get mean(): Tensor {
    const a = this.alpha.clamp_min(1)
    return a.mul(this.scale).div(a.sub(1))
  }

  override get mode(): Tensor {
    return this.scale
  }

  override get variance(): Tensor {
    const a = this.alpha.clamp_min(2)
    return this.scale
      .pow(2)
      .mul(a)
      .div(a.sub(1).pow(2).mul(a.sub(2)))
  }

  override get support(): ReturnType<typeof constraints.greater_than_eq> {
    return constraints.greater_than_eq(this.scale)
  }

  override entropy(): Tensor {
    return this.scale.div(this.alpha).log().add(this.alpha.reciprocal().add(1))
  }
}

type KumaraswamySettings = { concentration1: Value; concentration0: Value; validate_args: Validate }
const read_kumaraswamy = signature<KumaraswamySettings>(
  'Kumaraswamy(any concentration1, any concentration0, bool? validate_args=None)',
)

/** The Kumaraswamy distribution on [0, 1], much like a beta distribution. */
export class Kumaraswamy extends TransformedDistribution {
  static override readonly arg_constraints: Constraints = {
    concentration1: constraints.positive,
    concentration0: constraints.positive,
  }
  static override readonly support: Constraint = constraints.unit_interval
  static override readonly has_rsample = true
  declare readonly concentration1: Tensor
  declare readonly concentration0: Tensor

  constructor(
    ...args: Keywords<
      [concentration1: Value, concentration0: Value, validate_args: Validate],
      Partial<KumaraswamySettings>
    >
  ) {
    super()
    const { validate_args, ...given } = read_kumaraswamy(args)
    const [a, b] = broadcast_all(given.concentration1, given.concentration0) as [Tensor, Tensor]
    assign(this, { concentration1: a, concentration0: b })
    const base = new Uniform(full_like(b, 0), full_like(b, 1), validate_args)
    const transforms = [
      new PowerTransform(b.reciprocal()),
      new AffineTransform(1, -1),
      new PowerTransform(a.reciprocal()),
    ]
    this._transform(base, transforms, validate_args)
  }

  override expand(batch_shape: readonly number[]): this {
    const made = super.expand(batch_shape)
    assign(made, this._expanded(batch_shape, 'concentration1', 'concentration0'))
    return made
  }

  override get mean(): Tensor {
    return moment(this, 1)
  }

  override get mode(): Tensor {
    const { concentration1: a, concentration0: b } = this
    const log_mode = b.reciprocal().mul(b.neg().log1p()).sub(b.neg().mul(a).log1p())
    return masked(log_mode, b.lt(1).bitwise_or(a.lt(1)), Number.NaN).exp()
  }

  override get variance(): Tensor {
    return moment(this, 2).sub(this.mean.pow(2))
  }

  override entropy(): Tensor {
    const { concentration1: a, concentration0: b } = this
    const harmonic = b.add(1).digamma().add(euler_constant)
    return one_minus(b.reciprocal()).add(one_minus(a.reciprocal()).mul(harmonic)).sub(a.log()).sub(b.log())
  }
}

/** The mean of the n-th power. */
function moment({ concentration1: a, concentration0: b }: Kumaraswamy, n: number): Tensor {
  const power = a.reciprocal().mul(n).add(1)
  return b.mul(power.lgamma().add(b.lgamma()).sub(power.add(b).lgamma()).exp())
}
