// Counts of successes in trials: the binomial distribution of a number of them, the negative binomial one of those
// before a number of failures. Not here: one trial (bernoulli.ts), several kinds of success (categorical.ts).
import { NotImplementedError } from '../base/errors.ts'
import * as F from '../nn/functional/index.ts'
import { arange, binomial, float_scalar, no_grad, poisson, sigmoid, type Tensor } from '../torch.ts'
import type { Constraint } from './constraints.ts'
import * as constraints from './constraints.ts'
import { type Constraints, Distribution, lazy_properties } from './distribution.ts'
import { Gamma } from './gamma.ts'
import { binary_logits, binary_probs, type Expand, enumerated, require_either } from './probs.ts'
import {
  assign,
  broadcast_all,
  type Keywords,
  lazy,
  masked,
  one_minus,
  type SampleShape,
  signature,
  to_size,
  type Validate,
  type Value,
} from './utils.ts'

type Settings = {
  total_count: Value
  probs: Value | null
  logits: Value | null
  validate_args: Validate
}
type Args = Keywords<
  [total_count: Value, probs: Value | null, logits: Value | null, validate_args: Validate],
  Partial<Settings>
>
const PROBS = 'any? probs=None, any? logits=None, bool? validate_args=None'
const read_binomial = signature<Settings>(`Binomial(any total_count=1, ${PROBS})`)
const read_negative = signature<Settings>(`NegativeBinomial(any total_count, ${PROBS})`)

/** A number of trials, and how probable success is in each. */
abstract class Trials extends Distribution {
  declare readonly total_count: Tensor
  /** Probabilities or log odds, whichever were given. */
  declare readonly _param: Tensor

  constructor({ total_count, probs, logits, validate_args }: Settings) {
    super()
    require_either(probs, logits)
    const [count, param] = broadcast_all(total_count, (probs ?? logits) as Value) as [Tensor, Tensor]
    assign(this, {
      [probs === null ? 'logits' : 'probs']: param,
      total_count: count.type_as(param),
      _param: param,
    })
    this._init(param.shape, [], validate_args)
  }

  override expand(batch_shape: readonly number[]): this {
    return this._copy(
      batch_shape,
      [],
      this._expanded(batch_shape, 'total_count', 'probs', 'logits', '_param'),
    )
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
}
lazy_properties(Trials, 'probs', 'logits')

/** The number of successes in `total_count` trials of probability `probs`, or of log odds `logits`. */
export class Binomial extends Trials {
  static override readonly arg_constraints: Constraints = {
    total_count: constraints.nonnegative_integer,
    probs: constraints.unit_interval,
    logits: constraints.real,
  }
  static override readonly support: Constraint = constraints.dependent_property({
    is_discrete: true,
    event_dim: 0,
  })
  static override readonly has_enumerate_support = true

  constructor(...args: Args) {
    super(read_binomial(args))
  }

  override get support(): Constraint {
    return constraints.integer_interval(0, this.total_count)
  }

  override get mean(): Tensor {
    return this.total_count.mul(this.probs)
  }

  override get mode(): Tensor {
    return this.total_count.add(1).mul(this.probs).floor().clamp({ max: this.total_count })
  }

  override get variance(): Tensor {
    return this.mean.mul(one_minus(this.probs))
  }

  override sample(sample_shape: SampleShape = []): Tensor {
    const shape = this._extended_shape(sample_shape)
    return no_grad(() => binomial(this.total_count.expand(shape), this.probs.expand(shape)))
  }

  override log_prob(value: Tensor): Tensor {
    this._check(value)
    const { total_count: n, logits } = this
    const positive = logits.clamp_min(0).add(logits).sub(logits.clamp_max(0)).div(2) // with a gradient of 1/2 at 0
    const normalize = n.mul(positive).add(n.mul(logits.abs().neg().exp().log1p())).sub(n.add(1).lgamma())
    return value.mul(logits).sub(value.add(1).lgamma()).sub(n.sub(value).add(1).lgamma()).sub(normalize)
  }

  override entropy(): Tensor {
    this._common_count('entropy')
    const log_prob = this.log_prob(this.enumerate_support(false))
    return log_prob.exp().mul(log_prob).sum(0).neg()
  }

  override enumerate_support(expand: Expand = true): Tensor {
    const count = this._common_count('enumerate_support')
    return enumerated(arange(1 + count, { dtype: this._param.dtype }), this._batch_shape, expand)
  }

  protected _common_count(asker: string): number {
    const most = Math.trunc(Number(this.total_count.max().item()))
    if (this.total_count.min().item() !== most)
      throw new NotImplementedError(`Inhomogeneous total count not supported by \`${asker}\`.`)
    return most
  }
}

/** The number of successes of probability `probs`, or of log odds `logits`, before `total_count` failures. */
export class NegativeBinomial extends Trials {
  static override readonly arg_constraints: Constraints = {
    total_count: constraints.greater_than_eq(0),
    probs: constraints.half_open_interval(float_scalar(0), float_scalar(1)),
    logits: constraints.real,
  }
  static override readonly support: Constraint = constraints.nonnegative_integer

  constructor(...args: Args) {
    super(read_negative(args))
  }

  override get mean(): Tensor {
    return this.total_count.mul(this.logits.exp())
  }

  override get mode(): Tensor {
    return this.total_count.sub(1).mul(this.logits.exp()).floor().clamp_min(0)
  }

  override get variance(): Tensor {
    return this.mean.div(sigmoid(this.logits.neg()))
  }

  /** The distribution of the rates of which the counts are Poisson counts. */
  get _gamma(): Gamma {
    return lazy(
      this,
      '_gamma',
      () => new Gamma(this.total_count, this.logits.neg().exp(), { validate_args: false }),
    )
  }

  override sample(sample_shape: SampleShape = []): Tensor {
    return no_grad(() => poisson(this._gamma.sample(to_size(sample_shape))))
  }

  override log_prob(value: Tensor): Tensor {
    this._check(value)
    const { total_count: n, logits } = this
    const unnormalized = n.mul(F.logsigmoid(logits.neg())).add(value.mul(F.logsigmoid(logits)))
    const all = n.add(value)
    const normalization = value.add(1).lgamma().sub(all.lgamma()).add(n.lgamma())
    return unnormalized.sub(masked(normalization, all.eq(0), 0))
  }
}
