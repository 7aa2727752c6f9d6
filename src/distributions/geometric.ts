// The geometric distribution: failures before the first success.
import { ValueError } from '../base/errors.ts'
import { finfo, no_grad, type Tensor } from '../torch.ts'
import type { Constraint } from './constraints.ts'
import * as constraints from './constraints.ts'
import { type Constraints, Distribution, lazy_properties } from './distribution.ts'
import { binary_logits, binary_probs, require_either } from './probs.ts'
import {
  assign,
  binary_cross_entropy,
  broadcast_all,
  format,
  type Keywords,
  masked,
  type SampleShape,
  signature,
  tuple,
  type Validate,
  type Value,
} from './utils.ts'

type Settings = { probs: Value | null; logits: Value | null; validate_args: Validate }
const read = signature<Settings>('Geometric(any? probs=None, any? logits=None, bool? validate_args=None)')

/** The number of failures before the first success of probability `probs`, or of log odds `logits`. */
export class Geometric extends Distribution {
  static override readonly arg_constraints: Constraints = {
    probs: constraints.unit_interval,
    logits: constraints.real,
  }
  static override readonly support: Constraint = constraints.nonnegative_integer

  constructor(
    ...args: Keywords<[probs: Value | null, logits: Value | null, validate_args: Validate], Partial<Settings>>
  ) {
    super()
    const { probs, logits, validate_args } = read(args)
    require_either(probs, logits)
    const [param] = broadcast_all((probs ?? logits) as Value) as [Tensor]
    assign(this, { [probs === null ? 'logits' : 'probs']: param })
    this._init(param.shape, [], validate_args)
    if (!this._validate_args || probs === null) return
    const wrong = param.gt(0).logical_not()
    if (wrong.any().item())
      throw new ValueError(
        `Expected parameter probs (Tensor of shape ${tuple(param.shape)}) of distribution ${this} ` +
          `to be positive but found invalid values:\n${format(param.detach().at(wrong))}`,
      )
  }

  override expand(batch_shape: readonly number[]): this {
    return this._copy(batch_shape, [], this._expanded(batch_shape, 'probs', 'logits'))
  }

  get logits(): Tensor {
    return binary_logits(this)
  }

  get probs(): Tensor {
    return binary_probs(this)
  }

  override get mean(): Tensor {
    return this.probs.reciprocal().sub(1)
  }

  override get mode(): Tensor {
    return this.probs.new_zeros(this.probs.shape)
  }

  override get variance(): Tensor {
    return this.mean.div(this.probs)
  }

  override sample(sample_shape: SampleShape = []): Tensor {
    const shape = this._extended_shape(sample_shape)
    const { tiny } = finfo(this.probs.dtype)
    return no_grad(() => {
      const u = this.probs.new_empty(shape).uniform_(tiny, 1)
      return u.log().div(this.probs.neg().log1p()).floor()
    })
  }

  override log_prob(value: Tensor): Tensor {
    this._check(value)
    const [counts, probs] = broadcast_all(value, this.probs) as [Tensor, Tensor]
    const certain = probs.eq(1).bitwise_and(counts.eq(0))
    return counts.mul(masked(probs, certain, 0).neg().log1p()).add(this.probs.log())
  }

  override entropy(): Tensor {
    return binary_cross_entropy(this.logits, this.probs).div(this.probs)
  }
}
lazy_properties(Geometric, 'probs', 'logits')
