// The continuous Bernoulli distribution (Loaiza-Ganem and Cunningham 2019): a density on [0, 1] of the form of
// Bernoulli's. Near probability 1/2, where its formulas are 0 over 0, they are replaced by their Taylor series.
import { ValueError } from '../base/errors.ts'
import { no_grad, ones_like, type Tensor, where, zeros_like } from '../torch.ts'
import type { Constraint } from './constraints.ts'
import * as constraints from './constraints.ts'
import { type Constraints, lazy_properties } from './distribution.ts'
import { ExponentialFamily } from './exp_family.ts'
import { binary_logits, require_either } from './probs.ts'
import {
  assign,
  binary_cross_entropy,
  broadcast_all,
  clamp_probs,
  type Keywords,
  lazy,
  logits_to_probs,
  one_minus,
  type SampleShape,
  signature,
  uniform,
  type Validate,
  type Value,
} from './utils.ts'

type Limits = readonly [number, number]
type Settings = { probs: Value | null; logits: Value | null; lims: Limits | null; validate_args: Validate }
const read = signature<Settings>(
  'ContinuousBernoulli(any? probs=None, any? logits=None, any? lims=None, bool? validate_args=None)',
)

/** The density probs^x (1 - probs)^(1 - x), normalised, on [0, 1]; between `lims` Taylor series compute it. */
export class ContinuousBernoulli extends ExponentialFamily {
  static override readonly arg_constraints: Constraints = {
    probs: constraints.unit_interval,
    logits: constraints.real,
  }
  static override readonly support: Constraint = constraints.unit_interval
  static override readonly has_rsample = true
  declare readonly _param: Tensor
  declare readonly _lims: Limits

  constructor(
    ...args: Keywords<
      [probs: Value | null, logits: Value | null, lims: Limits, validate_args: Validate],
      Partial<Settings>
    >
  ) {
    super()
    const { probs, logits, lims, validate_args } = read(args)
    require_either(probs, logits)
    const [given] = broadcast_all((probs ?? logits) as Value) as [Tensor]
    if (probs !== null && validate_args !== null && !constraints.unit_interval.check(given).all().item())
      throw new ValueError('The parameter probs has invalid values')
    const param = probs === null ? given : clamp_probs(given)
    const name = probs === null ? 'logits' : 'probs'
    assign(this, { [name]: param, _param: param, _lims: lims ?? [0.499, 0.501] })
    this._init(param.shape, [], validate_args)
  }

  override expand(batch_shape: readonly number[]): this {
    const fields = this._expanded(batch_shape, 'probs', 'logits', '_param')
    return this._copy(batch_shape, [], { ...fields, _lims: this._lims })
  }

  get logits(): Tensor {
    return binary_logits(this)
  }

  get probs(): Tensor {
    return lazy(this, 'probs', () => clamp_probs(logits_to_probs(this.logits, true)))
  }

  get param_shape(): readonly number[] {
    return this._param.shape
  }

  /** Where the formulas can be computed. */
  protected _stable(): Tensor {
    const [low, high] = this._lims
    return this.probs.le(low).bitwise_or(this.probs.gt(high))
  }

  /** The probabilities, but one that does no harm where the formulas cannot be computed. */
  protected _cut(): Tensor {
    return where(this._stable(), this.probs, ones_like(this.probs).mul(this._lims[0]))
  }

  /** The logarithm of the normalizing constant. */
  _cont_bern_log_norm(): Tensor {
    const cut = this._cut()
    const is_below = cut.le(0.5)
    const below = where(is_below, cut, zeros_like(cut))
    const above = where(cut.ge(0.5), cut, ones_like(cut))
    const odds = cut.neg().log1p().sub(cut.log()).abs().log()
    const log_norm = odds.sub(where(is_below, below.mul(-2).log1p(), above.mul(2).sub(1).log()))
    const x = this.probs.sub(0.5).pow(2)
    const taylor = x
      .mul(104 / 45)
      .add(4 / 3)
      .mul(x)
      .add(Math.LN2)
    return where(this._stable(), log_norm, taylor)
  }

  override get mean(): Tensor {
    const cut = this._cut()
    const formula = cut.div(cut.mul(2).sub(1)).add(cut.neg().log1p().sub(cut.log()).reciprocal())
    const x = this.probs.sub(0.5)
    const taylor = x
      .pow(2)
      .mul(16 / 45)
      .add(1 / 3)
      .mul(x)
      .add(0.5)
    return where(this._stable(), formula, taylor)
  }

  override get stddev(): Tensor {
    return this.variance.sqrt()
  }

  override get variance(): Tensor {
    const cut = this._cut()
    const formula = cut
      .mul(cut.sub(1))
      .div(one_minus(cut.mul(2)).pow(2))
      .add(cut.neg().log1p().sub(cut.log()).pow(2).reciprocal())
    const x = this.probs.sub(0.5).pow(2)
    const taylor = x
      .mul(128 / 945)
      .rsub(1 / 15)
      .mul(x)
      .rsub(1 / 12)
    return where(this._stable(), formula, taylor)
  }

  override sample(sample_shape: SampleShape = []): Tensor {
    return no_grad(() => this.rsample(sample_shape))
  }

  override rsample(sample_shape: SampleShape = []): Tensor {
    return this.icdf(uniform(this._extended_shape(sample_shape), this.probs))
  }

  override log_prob(value: Tensor): Tensor {
    this._check(value)
    const [logits, x] = broadcast_all(this.logits, value) as [Tensor, Tensor]
    return binary_cross_entropy(logits, x).neg().add(this._cont_bern_log_norm())
  }

  override cdf(value: Tensor): Tensor {
    this._check(value)
    const cut = this._cut()
    const powers = cut.pow(value).mul(one_minus(cut).pow(one_minus(value)))
    const formula = powers.add(cut).sub(1).div(cut.mul(2).sub(1))
    const unbounded = where(this._stable(), formula, value)
    const bounded = where(value.ge(1), ones_like(value), unbounded)
    return where(value.le(0), zeros_like(value), bounded)
  }

  override icdf(value: Tensor): Tensor {
    const cut = this._cut()
    const rest = cut.neg().log1p()
    const over = value.mul(cut.mul(2).sub(1)).sub(cut).log1p().sub(rest)
    return where(this._stable(), over.div(cut.log().sub(rest)), value)
  }

  override entropy(): Tensor {
    const log_rest = this.probs.neg().log1p()
    return this.mean.mul(log_rest.sub(this.probs.log())).sub(this._cont_bern_log_norm()).sub(log_rest)
  }

  override get _natural_params(): readonly Tensor[] {
    return [this.logits]
  }

  override _log_normalizer(x: Tensor): Tensor {
    const [low, high] = [this._lims[0] - 0.5, this._lims[1] - 0.5]
    const stable = x.le(low).bitwise_or(x.gt(high))
    const cut = where(stable, x, ones_like(x).mul(low))
    const log_norm = cut.exp().sub(1).abs().log().sub(cut.abs().log())
    const taylor = x.mul(0.5).add(x.pow(2).div(24)).sub(x.pow(4).div(2880))
    return where(stable, log_norm, taylor)
  }

  override get _mean_carrier_measure(): number {
    return 0
  }
}
lazy_properties(ContinuousBernoulli, 'probs', 'logits')
