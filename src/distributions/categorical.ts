// One of several categories: as its index, as a vector with a 1 in its place, and counts of several draws.
import { NotImplementedError, ValueError } from '../base/errors.ts'
import * as F from '../nn/functional/index.ts'
import type { Tensor } from '../torch.ts'
import * as torch from '../torch.ts'
import { Binomial } from './binomial.ts'
import type { Constraint } from './constraints.ts'
import * as constraints from './constraints.ts'
import { type Constraints, Distribution, lazy_properties } from './distribution.ts'
import { type Expand, enumerated, is_wanted, require_either } from './probs.ts'
import {
  assign,
  broadcast_all,
  type Keywords,
  lazy,
  logits_to_probs,
  masked,
  one_minus,
  probs_to_logits,
  type SampleShape,
  signature,
  to_size,
  type Validate,
} from './utils.ts'

type Settings = { probs: Tensor | null; logits: Tensor | null; validate_args: Validate }
type Args = Keywords<
  [probs: Tensor | null, logits: Tensor | null, validate_args: Validate],
  Partial<Settings>
>
const PROBS = 'Tensor? probs=None, Tensor? logits=None, bool? validate_args=None'
const read = signature<Settings>(`Categorical(${PROBS})`)
const arg_constraints: Constraints = { probs: constraints.simplex, logits: constraints.real_vector }

/** The index of a category: `probs` along the last dimension, which need not sum to 1, or log probabilities `logits`. */
export class Categorical extends Distribution {
  static override readonly arg_constraints: Constraints = arg_constraints
  static override readonly support: Constraint = constraints.dependent_property({
    is_discrete: true,
    event_dim: 0,
  })
  static override readonly has_enumerate_support = true
  /** Normalised, whichever was given. */
  declare readonly _param: Tensor
  declare readonly _num_events: number

  constructor(...args: Args) {
    super()
    const { probs, logits, validate_args } = read(args)
    require_either(probs, logits)
    const name = probs === null ? 'logits' : 'probs'
    const given = (probs ?? logits) as Tensor
    if (given.ndim < 1) throw new ValueError(`\`${name}\` parameter must be at least one-dimensional.`)
    const param =
      probs === null ? given.sub(given.logsumexp(-1, true)) : given.div(given.sum(-1, { keepdim: true }))
    assign(this, { [name]: param, _param: param, _num_events: param.size(-1) })
    this._init(param.shape.slice(0, -1), [], validate_args)
  }

  override expand(batch_shape: readonly number[]): this {
    const { _num_events } = this
    const fields = this._expanded([...batch_shape, _num_events], 'probs', 'logits', '_param')
    return this._copy(batch_shape, [], { ...fields, _num_events })
  }

  override get support(): Constraint {
    return constraints.integer_interval(0, this._num_events - 1)
  }

  get logits(): Tensor {
    return lazy(this, 'logits', () => probs_to_logits(this.probs))
  }

  get probs(): Tensor {
    return lazy(this, 'probs', () => logits_to_probs(this.logits))
  }

  get param_shape(): torch.Size {
    return this._param.shape
  }

  override get mean(): Tensor {
    return torch.full([...this._extended_shape()], Number.NaN, { dtype: this.probs.dtype })
  }

  override get mode(): Tensor {
    return this.probs.argmax(-1)
  }

  override get variance(): Tensor {
    return this.mean
  }

  override sample(sample_shape: SampleShape = []): Tensor {
    const shape = to_size(sample_shape)
    const rows = this.probs.reshape([-1, this._num_events])
    return torch.multinomial(rows, shape.numel(), true).t().reshape(this._extended_shape(shape))
  }

  override log_prob(value: Tensor): Tensor {
    this._check(value)
    const [index, logits] = torch.broadcast_tensors(value.long().unsqueeze(-1), this.logits) as [
      Tensor,
      Tensor,
    ]
    return logits.gather(-1, index.narrow(-1, 0, 1)).squeeze(-1)
  }

  override entropy(): Tensor {
    const logits = this.logits.clamp_min(torch.finfo(this.logits.dtype).min)
    return logits.mul(this.probs).sum(-1).neg()
  }

  override enumerate_support(expand: Expand = true): Tensor {
    return enumerated(torch.arange(this._num_events), this._batch_shape, expand)
  }
}
lazy_properties(Categorical, 'probs', 'logits')

/** Distributions that keep a categorical one. */
abstract class OverCategorical extends Distribution {
  declare readonly _categorical: Categorical

  get _param(): Tensor {
    return this._categorical._param
  }

  get probs(): Tensor {
    return this._categorical.probs
  }

  get logits(): Tensor {
    return this._categorical.logits
  }

  get param_shape(): torch.Size {
    return this._categorical.param_shape
  }
}

const read_one_hot = signature<Settings>(`OneHotCategorical(${PROBS})`)

/** A category as a vector with a 1 in its place. */
export class OneHotCategorical extends OverCategorical {
  static override readonly arg_constraints: Constraints = arg_constraints
  static override readonly support: Constraint = constraints.one_hot
  static override readonly has_enumerate_support: boolean = true

  constructor(...args: Args) {
    super()
    const { probs, logits, validate_args } = read_one_hot(args)
    const _categorical = new Categorical(probs, logits)
    assign(this, { _categorical })
    this._init(_categorical.batch_shape, _categorical.param_shape.slice(-1), validate_args)
  }

  override expand(batch_shape: readonly number[]): this {
    const _categorical = this._categorical.expand(batch_shape)
    return this._copy(batch_shape, this._event_shape, { _categorical })
  }

  override get mean(): Tensor {
    return this.probs
  }

  override get mode(): Tensor {
    return F.one_hot(this.probs.argmax(-1), this.probs.size(-1)).to(this.probs)
  }

  override get variance(): Tensor {
    return this.probs.mul(one_minus(this.probs))
  }

  override sample(sample_shape: SampleShape = []): Tensor {
    const indices = this._categorical.sample(sample_shape)
    return F.one_hot(indices, this._categorical._num_events).to(this.probs)
  }

  override log_prob(value: Tensor): Tensor {
    this._check(value)
    return this._categorical.log_prob(value.max(-1).indices)
  }

  override entropy(): Tensor {
    return this._categorical.entropy()
  }

  override enumerate_support(expand: Expand = true): Tensor {
    const n = this._event_shape[0] as number
    const batch = this._batch_shape
    const values = torch.eye(n, { dtype: this._param.dtype }).reshape([n, ...batch.map(() => 1), n])
    return is_wanted(expand) ? values.expand([n, ...batch, n]) : values
  }
}

/** {@link OneHotCategorical} whose samples have the gradients of the probabilities (Bengio et al. 2013). */
export class OneHotCategoricalStraightThrough extends OneHotCategorical {
  static override readonly has_rsample = true

  override rsample(sample_shape: SampleShape = []): Tensor {
    const { probs } = this
    return this.sample(sample_shape).add(probs.sub(probs.detach()))
  }
}

type MultinomialSettings = Settings & { total_count: number }
const read_multinomial = signature<MultinomialSettings>(`Multinomial(any total_count=1, ${PROBS})`)

/** How often each category comes in `total_count` draws. */
export class Multinomial extends OverCategorical {
  static override readonly arg_constraints: Constraints = arg_constraints
  static override readonly support: Constraint = constraints.dependent_property({
    is_discrete: true,
    event_dim: 1,
  })
  declare readonly total_count: number
  /** The count of each category by itself. */
  declare readonly _binomial: Binomial

  constructor(
    ...args: Keywords<
      [total_count: number, probs: Tensor | null, logits: Tensor | null, validate_args: Validate],
      Partial<MultinomialSettings>
    >
  ) {
    super()
    const { total_count, probs, logits, validate_args } = read_multinomial(args)
    if (!Number.isInteger(total_count))
      throw new NotImplementedError('inhomogeneous total_count is not supported')
    const _categorical = new Categorical({ probs, logits })
    assign(this, {
      total_count,
      _categorical,
      _binomial: new Binomial(total_count, _categorical.probs),
    })
    this._init(_categorical.batch_shape, _categorical.param_shape.slice(-1), validate_args)
  }

  override expand(batch_shape: readonly number[]): this {
    const _categorical = this._categorical.expand(batch_shape)
    const _binomial = this._binomial.expand([...batch_shape, ...this._event_shape])
    return this._copy(batch_shape, this._event_shape, {
      total_count: this.total_count,
      _categorical,
      _binomial,
    })
  }

  override get support(): Constraint {
    return constraints.multinomial(this.total_count)
  }

  override get mean(): Tensor {
    return this.probs.mul(this.total_count)
  }

  override get variance(): Tensor {
    return this.mean.mul(one_minus(this.probs))
  }

  override sample(sample_shape: SampleShape = []): Tensor {
    const shape = to_size(sample_shape)
    const drawn = this._categorical.sample([this.total_count, ...shape])
    const samples = drawn.permute([...drawn.shape.keys()].slice(1).concat(0))
    const counts = samples.new_zeros(this._extended_shape(shape))
    return counts.scatter_add_(-1, samples, torch.ones_like(samples)).type_as(this.probs)
  }

  override entropy(): Tensor {
    const n = torch.tensor(this.total_count)
    const first = n.mul(this._categorical.entropy()).sub(n.add(1).lgamma())
    const support = this._binomial.enumerate_support(false).narrow(0, 1, this.total_count)
    const probs = this._binomial.log_prob(support).exp()
    return first.add(probs.mul(support.add(1).lgamma()).sum([0, -1]))
  }

  override log_prob(value: Tensor): Tensor {
    this._check(value)
    const [given, counts] = broadcast_all(this.logits, value) as [Tensor, Tensor]
    const impossible = counts.eq(0).bitwise_and(given.eq(-Infinity))
    const logits = masked(given, impossible, 0)
    return counts.sum(-1).add(1).lgamma().sub(counts.add(1).lgamma().sum(-1)).add(logits.mul(counts).sum(-1))
  }
}
