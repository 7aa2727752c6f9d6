// The Poisson distribution.
import { no_grad, poisson, type Tensor } from '../torch.ts'
import type { Constraint } from './constraints.ts'
import * as constraints from './constraints.ts'
import type { Constraints } from './distribution.ts'
import { ExponentialFamily } from './exp_family.ts'
import {
  assign,
  broadcast_all,
  type Keywords,
  type SampleShape,
  signature,
  type Validate,
  type Value,
} from './utils.ts'

type Settings = { rate: Value; validate_args: Validate }
const read = signature<Settings>('Poisson(any rate, bool? validate_args=None)')

/** Counts of events of which there are `rate` on average. */
export class Poisson extends ExponentialFamily {
  static override readonly arg_constraints: Constraints = { rate: constraints.nonnegative }
  static override readonly support: Constraint = constraints.nonnegative_integer
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
    return this.rate
  }

  override get mode(): Tensor {
    return this.rate.floor()
  }

  override get variance(): Tensor {
    return this.rate
  }

  override sample(sample_shape: SampleShape = []): Tensor {
    return no_grad(() => poisson(this.rate.expand(this._extended_shape(sample_shape))))
  }

  override log_prob(value: Tensor): Tensor {
    this._check(value)
    const [rate, counts] = broadcast_all(this.rate, value) as [Tensor, Tensor]
    return counts.xlogy(rate).sub(rate).sub(counts.add(1).lgamma())
  }

  override get _natural_params(): readonly Tensor[] {
    return [this.rate.log()]
  }

  override _log_normalizer(x: Tensor): Tensor {
    return x.exp()
  }
}
