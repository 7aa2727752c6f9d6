// Continuous relaxations of Bernoulli and one-hot categorical variables (Maddison et al. 2016, Jang et al. 2016):
// samples that are differentiable, and the closer to 0 and 1 the lower the temperature.
import type { Tensor } from '../torch.ts'
import { Categorical } from './categorical.ts'
import type { Constraint } from './constraints.ts'
import * as constraints from './constraints.ts'
import { type Constraints, Distribution, lazy_properties } from './distribution.ts'
import { binary_logits, binary_probs, require_either } from './probs.ts'
import { TransformedDistribution } from './transformed_distribution.ts'
import { ExpTransform, SigmoidTransform } from './transforms/elementwise.ts'
import {
  assign,
  broadcast_all,
  clamp_probs,
  type Keywords,
  type SampleShape,
  signature,
  uniform,
  type Validate,
  type Value,
} from './utils.ts'

type Relaxed<P> = { temperature: Value; probs: P | null; logits: P | null; validate_args: Validate }
type Args<P> = Keywords<
  [temperature: Value, probs: P | null, logits: P | null, validate_args: Validate],
  Partial<Relaxed<P>>
>
const SETTINGS = 'any? probs=None, any? logits=None, bool? validate_args=None'
const reads = <P>(name: string): ((args: readonly unknown[]) => Relaxed<P>) =>
  signature<Relaxed<P>>(`${name}(any temperature, ${SETTINGS})`)

const read_logit = reads<Value>('LogitRelaxedBernoulli')
const BINARY: Constraints = { probs: constraints.unit_interval, logits: constraints.real }

/** The log odds of {@link RelaxedBernoulli}. */
export class LogitRelaxedBernoulli extends Distribution {
  static override readonly arg_constraints: Constraints = BINARY
  static override readonly support: Constraint = constraints.real
  declare readonly temperature: Value
  declare readonly _param: Tensor

  constructor(...args: Args<Value>) {
    super()
    const { temperature, probs, logits, validate_args } = read_logit(args)
    require_either(probs, logits)
    const [param] = broadcast_all((probs ?? logits) as Value) as [Tensor]
    assign(this, { temperature, [probs === null ? 'logits' : 'probs']: param, _param: param })
    this._init(param.shape, [], validate_args)
  }

  override expand(batch_shape: readonly number[]): this {
    const { temperature } = this
    const fields = this._expanded(batch_shape, 'probs', 'logits', '_param')
    return this._copy(batch_shape, [], { temperature, ...fields })
  }

  get logits(): Tensor {
    return binary_logits(this)
  }

  get probs(): Tensor {
    return binary_probs(this)
  }

  get param_shape(): readonly number[] {
    return this._param.shape
  }

  override rsample(sample_shape: SampleShape = []): Tensor {
    const shape = this._extended_shape(sample_shape)
    const probs = clamp_probs(this.probs.expand(shape))
    const u = clamp_probs(uniform(shape, probs))
    return u.log().sub(u.neg().log1p()).add(probs.log()).sub(probs.neg().log1p()).div(this.temperature)
  }

  override log_prob(value: Tensor): Tensor {
    this._check(value)
    const [logits, x] = broadcast_all(this.logits, value) as [Tensor, Tensor]
    const [temperature] = broadcast_all(this.temperature) as [Tensor]
    const diff = logits.sub(x.mul(temperature))
    return temperature.log().add(diff).sub(diff.exp().log1p().mul(2))
  }
}
lazy_properties(LogitRelaxedBernoulli, 'probs', 'logits')

const read_bernoulli = reads<Value>('RelaxedBernoulli')

/** Numbers from 0 to 1, near 1 with about the probability `probs`. */
export class RelaxedBernoulli extends TransformedDistribution {
  static override readonly arg_constraints: Constraints = BINARY
  static override readonly support: Constraint = constraints.unit_interval
  static override readonly has_rsample = true
  declare readonly base_dist: LogitRelaxedBernoulli

  constructor(...args: Args<Value>) {
    super()
    const { temperature, probs, logits, validate_args } = read_bernoulli(args)
    const base = new LogitRelaxedBernoulli(temperature, probs, logits)
    this._transform(base, new SigmoidTransform(), validate_args)
  }

  get temperature(): Value {
    return this.base_dist.temperature
  }

  get logits(): Tensor {
    return this.base_dist.logits
  }

  get probs(): Tensor {
    return this.base_dist.probs
  }
}

const read_exp = reads<Tensor>('ExpRelaxedCategorical')
const CATEGORIES: Constraints = { probs: constraints.simplex, logits: constraints.real_vector }

/** The logarithms of {@link RelaxedOneHotCategorical}. */
export class ExpRelaxedCategorical extends Distribution {
  static override readonly arg_constraints: Constraints = CATEGORIES
  static override readonly support: Constraint = constraints.real_vector
  static override readonly has_rsample = true
  declare readonly temperature: Value
  declare readonly _categorical: Categorical

  constructor(...args: Args<Tensor>) {
    super()
    const { temperature, probs, logits, validate_args } = read_exp(args)
    const _categorical = new Categorical(probs, logits)
    assign(this, { temperature, _categorical })
    this._init(_categorical.batch_shape, _categorical.param_shape.slice(-1), validate_args)
  }

  override expand(batch_shape: readonly number[]): this {
    const { temperature } = this
    const _categorical = this._categorical.expand(batch_shape)
    return this._copy(batch_shape, this._event_shape, { temperature, _categorical })
  }

  get param_shape(): readonly number[] {
    return this._categorical.param_shape
  }

  get logits(): Tensor {
    return this._categorical.logits
  }

  get probs(): Tensor {
    return this._categorical.probs
  }

  override rsample(sample_shape: SampleShape = []): Tensor {
    const u = clamp_probs(uniform(this._extended_shape(sample_shape), this.logits))
    const gumbels = u.log().neg().log().neg()
    const scores = this.logits.add(gumbels).div(this.temperature)
    return scores.sub(scores.logsumexp(-1, true))
  }

  override log_prob(value: Tensor): Tensor {
    this._check(value)
    const k = this._categorical._num_events
    const [logits, x] = broadcast_all(this.logits, value) as [Tensor, Tensor]
    const [temperature] = broadcast_all(this.temperature) as [Tensor]
    const factorial = temperature.new_full(temperature.shape, k).lgamma()
    const log_scale = factorial.sub(temperature.log().mul(1 - k))
    const score = logits.sub(x.mul(temperature))
    return score.sub(score.logsumexp(-1, true)).sum(-1).add(log_scale)
  }
}

const read_one_hot = reads<Tensor>('RelaxedOneHotCategorical')

/** Points of a simplex, near the corner of a category with about its probability. */
export class RelaxedOneHotCategorical extends TransformedDistribution {
  static override readonly arg_constraints: Constraints = CATEGORIES
  static override readonly support: Constraint = constraints.simplex
  static override readonly has_rsample = true
  declare readonly base_dist: ExpRelaxedCategorical

  constructor(...args: Args<Tensor>) {
    super()
    const { temperature, probs, logits, validate_args } = read_one_hot(args)
    const base = new ExpRelaxedCategorical(temperature, probs, logits, validate_args)
    this._transform(base, new ExpTransform(), validate_args)
  }

  get temperature(): Value {
    return this.base_dist.temperature
  }

  get logits(): Tensor {
    return this.base_dist.logits
  }

  get probs(): Tensor {
    return this.base_dist.probs
  }
}
