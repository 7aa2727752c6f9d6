// The uniform distribution.
import { ValueError } from '../base/errors.ts'
import type { Tensor } from '../torch.ts'
import type { Constraint } from './constraints.ts'
import * as constraints from './constraints.ts'
import { type Constraints, Distribution } from './distribution.ts'
import {
  assign,
  broadcast_all,
  type Keywords,
  type SampleShape,
  signature,
  uniform,
  type Validate,
  type Value,
} from './utils.ts'

type Settings = { low: Value; high: Value; validate_args: Validate }
const read = signature<Settings>('Uniform(any low, any high, bool? validate_args=None)')
const anything = constraints.dependent({ is_discrete: false, event_dim: 0 })

/** Numbers in [low, high). */
export class Uniform extends Distribution {
  static override readonly arg_constraints: Constraints = { low: anything, high: anything }
  static override readonly support: Constraint = constraints.dependent_property({
    is_discrete: false,
    event_dim: 0,
  })
  static override readonly has_rsample = true
  declare readonly low: Tensor
  declare readonly high: Tensor

  constructor(...args: Keywords<[low: Value, high: Value, validate_args: Validate], Partial<Settings>>) {
    super()
    const settings = read(args)
    const [low, high] = broadcast_all(settings.low, settings.high) as [Tensor, Tensor]
    assign(this, { low, high })
    this._init(low.shape, [], settings.validate_args)
    if (this._validate_args && !low.lt(high).all().item())
      throw new ValueError('Uniform is not defined when low>= high')
  }

  override expand(batch_shape: readonly number[]): this {
    return this._copy(batch_shape, [], this._expanded(batch_shape, 'low', 'high'))
  }

  override get support(): Constraint {
    return constraints.interval(this.low, this.high)
  }

  override get mean(): Tensor {
    return this.high.add(this.low).div(2)
  }

  override get mode(): Tensor {
    return this.high.mul(Number.NaN)
  }

  override get stddev(): Tensor {
    return this.high.sub(this.low).div(Math.sqrt(12))
  }

  override get variance(): Tensor {
    return this.high.sub(this.low).pow(2).div(12)
  }

  override rsample(sample_shape: SampleShape = []): Tensor {
    const unit = uniform(this._extended_shape(sample_shape), this.low)
    return this.low.add(unit.mul(this.high.sub(this.low)))
  }

  override log_prob(value: Tensor): Tensor {
    this._check(value)
    const { low, high } = this
    const inside = low.le(value).type_as(low).mul(high.gt(value).type_as(low))
    return inside.log().sub(high.sub(low).log())
  }

  override cdf(value: Tensor): Tensor {
    this._check(value)
    return value.sub(this.low).div(this.high.sub(this.low)).clamp(0, 1)
  }

  override icdf(value: Tensor): Tensor {
    return value.mul(this.high.sub(this.low)).add(this.low)
  }

  override entropy(): Tensor {
    return this.high.sub(this.low).log()
  }
}
