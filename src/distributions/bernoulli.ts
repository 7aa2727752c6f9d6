// The Bernoulli distribution: 1 with a probability, else 0.
import { arange, bernoulli, no_grad, type Tensor } from '../torch.ts'
import type { Constraint } from './constraints.ts'
import * as constraints from './constraints.ts'
import { type Constraints, lazy_properties } from './distribution.ts'
import { ExponentialFamily } from './exp_family.ts'
import { binary_logits, binary_probs, type Expand, enumerated, require_either } from './probs.ts'
import {
  assign,
  binary_cross_entropy,
  broadcast_all,
  type Keywords,
  masked,
  one_minus,
  type SampleShape,
  signature,
  type Validate,
  type Value,
} from './utils.ts'

type Settings = { probs: Value | null; logits: Value | null; validate_args: Validate }
const read = signature<Settings>('Bernoulli(any? probs=None, any? logits=None, bool? validate_args=None)')

/** 1 with probability `probs`, or of log odds `logits`; else 0. */
export class Bernoulli extends ExponentialFamily {
  static override readonly arg_constraints: Constraints = {
    probs: constraints.unit_interval,
    logits: constraints.real,
  }
  static override readonly support: Constraint = constraints.boolean
  static override readonly has_enumerate_support = true
  /** Whichever was given. */
  declare readonly _param: Tensor

  constructor(
    ...args: Keywords<[probs: Value | null, logits: Value | null, validate_args: Validate], Partial<Settings>>
  ) {
    super()
    const { probs, logits, validate_args } = read(args)
    require_either(probs, logits)
    const [param] = broadcast_all((probs ?? logits) as Value) as [Tensor]
    assign(this, { [probs === null ? 'logits' : 'probs']: param, _param: param })
    this._init(param.shape, [], validate_args)
  }

  override expand(batch_shape: readonly number[]): this {
    const fields = this._expanded(batch_shape, 'probs', 'logits', '_param')
    return this._copy(batch_shape, [], fields)
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

  override get mean(): Tensor {
    return this.probs
  }

  override get mode(): Tensor {
    return masked(this.probs.ge(0.5).to(this.probs), this.probs.eq(0.5), Number.NaN)
  }

  override get variance(): Tensor {
    return this.probs.mul(one_minus(this.probs))
  }

  override sample(sample_shape: SampleShape = []): Tensor {
    return no_grad(() => bernoulli(this.probs.expand(this._extended_shape(sample_shape))))
  }

  override log_prob(value: Tensor): Tensor {
    this._check(value)
    const [logits, labels] = broadcast_all(this.logits, value) as [Tensor, Tensor]
    return binary_cross_entropy(logits, labels).neg()
  }

  override entropy(): Tensor {
    return binary_cross_entropy(this.logits, this.probs)
  }

  override enumerate_support(expand: Expand = true): Tensor {
    return enumerated(arange(2, { dtype: this._param.dtype }), this._batch_shape, expand)
  }

  override get _natural_params(): readonly Tensor[] {
    return [this.probs.div(one_minus(this.probs)).log()]
  }

  override _log_normalizer(x: Tensor): Tensor {
    return x.exp().add(1).log()
  }

  override get _mean_carrier_measure(): number {
    return 0
  }
}
lazy_properties(Bernoulli, 'probs', 'logits')
