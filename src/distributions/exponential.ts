// The exponential distribution.
import { type Tensor, zeros_like } from '../torch.ts'
import type { Constraint } from './constraints.ts'
import * as constraints from './constraints.ts'
import type { Constraints } from './distribution.ts'
import { ExponentialFamily } from './exp_family.ts'
import {
  assign,
  broadcast_all,
  type Keywords,
  one_minus,
  type SampleShape,
  signature,
  type Validate,
  type Value,
} from './utils.ts'

type Settings = { rate: Value; validate_args: Validate }
const read = signature<Settings>('Exponential(any rate, bool? validate_args=None)')

/** Times between events of which there are `rate` in a unit of time. */
export class Exponential extends ExponentialFamily {
  static override readonly arg_constraints: Constraints = { rate: constraints.positive }
  static override readonly support: Constraint = constraints.nonnegative
  static override readonly has_rsample = true
  declare readonly rate: Tensor

  constructor(...args: Keywords<[rate: Value, validate_args: Validate], Partial<Settings>>) {
    super()
    const settings = read(args)
    const [rate] = broadcast_all(settings.rate) as [Tensor]
    assign(this, { rate })
    this._init(rate.shape, [], settings.validate_args)
  }

  override expand(batch_shape: readonly number[]): this {
    return this._copy(batch_shape, [], this._expanded(batch_shape, 'rate'))
  }

  override get mean(): Tensor {
    return this.rate.reciprocal()
  }

  override get mode(): Tensor {
    return zeros_like(this.rate)
  }

  override get stddev(): Tensor {
    return this.rate.reciprocal()
  }

  override get variance(): Tensor {
    return this.rate.pow(-2)
  }

  override rsample(sample_shape: SampleShape = []): Tensor {
    return this.rate.new_empty(this._extended_shape(sample_shape)).exponential_().div(this.rate)
  }

  override log_prob(value: Tensor): Tensor {
    this._check(value)
    return this.rate.log().sub(this.rate.mul(value))
  }

  override cdf(value: Tensor): Tensor {
    this._check(value)
    return one_minus(this.rate.neg().mul(value).exp())
  }

  override icdf(value: Tensor): Tensor {
    return one_minus(value).log().neg().div(this.rate)
  }

  override entropy(): Tensor {
    return one_minus(this.rate.log())
  }

  override get _natural_params(): readonly Tensor[] {
    return [this.rate.neg()]
  }

  override _log_normalizer(x: Tensor): Tensor {
    return x.neg().log().neg()
  }

  override get _mean_carrier_measure(): number {
    return 0
  }
}
