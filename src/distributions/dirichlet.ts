// Distributions on simplices: Dirichlet, and beta, which is its case of two coordinates.
import { ValueError } from '../base/errors.ts'
import * as F from '../nn/functional/index.ts'
import {
  _dirichlet_grad,
  _sample_dirichlet,
  autograd,
  get_default_dtype,
  stack,
  type Tensor,
  tensor,
  where,
} from '../torch.ts'
import type { Constraint } from './constraints.ts'
import * as constraints from './constraints.ts'
import type { Constraints } from './distribution.ts'
import { ExponentialFamily } from './exp_family.ts'
import {
  assign,
  broadcast_all,
  is_number,
  type Keywords,
  one_minus,
  type SampleShape,
  signature,
  type Validate,
  type Value,
} from './utils.ts'

/** Draws from a Dirichlet distribution, which move with its concentrations. */
class Draw extends autograd.Function {
  static override forward(ctx: autograd.FunctionCtx, concentration: Tensor): Tensor {
    const x = _sample_dirichlet(concentration)
    ctx.save_for_backward(x, concentration)
    return x
  }

  static override backward(ctx: autograd.FunctionCtx, g: Tensor): Tensor {
    const [x, concentration] = ctx.saved_tensors as [Tensor, Tensor]
    const total = concentration.sum(-1, true).expand_as(concentration)
    const slope = _dirichlet_grad(x, concentration, total)
    return slope.mul(g.sub(x.mul(g).sum(-1, true)))
  }
}

type DirichletSettings = { concentration: Tensor; validate_args: Validate }
const read_dirichlet = signature<DirichletSettings>(
  'Dirichlet(Tensor concentration, bool? validate_args=None)',
)

/** Vectors that sum to 1, of the concentrations along the last dimension. */
export class Dirichlet extends ExponentialFamily {
  static override readonly arg_constraints: Constraints = {
    concentration: constraints.independent(constraints.positive, 1),
  }
  static override readonly support: Constraint = constraints.simplex
  static override readonly has_rsample = true
  declare readonly concentration: Tensor

  constructor(
    ...args: Keywords<[concentration: Tensor, validate_args: Validate], Partial<DirichletSettings>>
  ) {
    super()
    const { concentration, validate_args } = read_dirichlet(args)
    if (concentration.ndim < 1)
      throw new ValueError('`concentration` parameter must be at least one-dimensional.')
    assign(this, { concentration })
    this._init(concentration.shape.slice(0, -1), concentration.shape.slice(-1), validate_args)
  }

  override expand(batch_shape: readonly number[]): this {
    const fields = this._expanded([...batch_shape, ...this._event_shape], 'concentration')
    return this._copy(batch_shape, this._event_shape, fields)
  }

  override rsample(sample_shape: SampleShape = []): Tensor {
    return Draw.apply(this.concentration.expand(this._extended_shape(sample_shape))) as Tensor
  }

  override log_prob(value: Tensor): Tensor {
    this._check(value)
    const { concentration } = this
    return value
      .log()
      .mul(concentration.sub(1))
      .sum(-1)
      .add(concentration.sum(-1).lgamma())
      .sub(concentration.lgamma().sum(-1))
  }

  override get mean(): Tensor {
    return this.concentration.div(this.concentration.sum(-1, true))
  }

  override get mode(): Tensor {
    const above = this.concentration.sub(1).clamp_min(0)
    const mode = above.div(above.sum(-1, true))
    const all_below = this.concentration.lt(1).all(-1)
    // there the mode is 0 / 0, of which the first is the greatest
    const corner = F.one_hot(mode.argmax(-1), above.size(-1)).to(mode)
    return where(all_below.unsqueeze(-1), corner, mode)
  }

  override get variance(): Tensor {
    const total = this.concentration.sum(-1, true)
    const over = this.concentration.mul(total.sub(this.concentration))
    return over.div(total.pow(2).mul(total.add(1)))
  }

  override entropy(): Tensor {
    const { concentration } = this
    const total = concentration.sum(-1)
    return concentration
      .lgamma()
      .sum(-1)
      .sub(total.lgamma())
      .sub(total.rsub(concentration.size(-1)).mul(total.digamma()))
      .sub(concentration.sub(1).mul(concentration.digamma()).sum(-1))
  }

  override get _natural_params(): readonly Tensor[] {
    return [this.concentration]
  }

  override _log_normalizer(x: Tensor): Tensor {
    return x.lgamma().sum(-1).sub(x.sum(-1).lgamma())
  }
}

type BetaSettings = { concentration1: Value; concentration0: Value; validate_args: Validate }
const read_beta = signature<BetaSettings>(
  'Beta(any concentration1, any concentration0, bool? validate_args=None)',
)

/** Numbers from 0 to 1, drawn to 1 by `concentration1` and to 0 by `concentration0`. */
export class Beta extends ExponentialFamily {
  static override readonly arg_constraints: Constraints = {
    concentration1: constraints.positive,
    concentration0: constraints.positive,
  }
  static override readonly support: Constraint = constraints.unit_interval
  static override readonly has_rsample = true
  declare readonly _dirichlet: Dirichlet

  constructor(
    ...args: Keywords<
      [concentration1: Value, concentration0: Value, validate_args: Validate],
      Partial<BetaSettings>
    >
  ) {
    super()
    const { concentration1: one, concentration0: zero, validate_args } = read_beta(args)
    const both =
      is_number(one) && is_number(zero)
        ? tensor([one, zero], { dtype: get_default_dtype() })
        : stack(broadcast_all(one, zero), -1)
    assign(this, { _dirichlet: new Dirichlet(both, validate_args) })
    this._init(this._dirichlet.batch_shape, [], validate_args)
  }

  override expand(batch_shape: readonly number[]): this {
    return this._copy(batch_shape, [], { _dirichlet: this._dirichlet.expand(batch_shape) })
  }

  get concentration1(): Tensor {
    return this._dirichlet.concentration.select(-1, 0)
  }

  get concentration0(): Tensor {
    return this._dirichlet.concentration.select(-1, 1)
  }

  override get mean(): Tensor {
    return this.concentration1.div(this.concentration1.add(this.concentration0))
  }

  override get mode(): Tensor {
    return this._dirichlet.mode.select(-1, 0)
  }

  override get variance(): Tensor {
    const total = this.concentration1.add(this.concentration0)
    return this.concentration1.mul(this.concentration0).div(total.pow(2).mul(total.add(1)))
  }

  override rsample(sample_shape: SampleShape = []): Tensor {
    return this._dirichlet.rsample(sample_shape).select(-1, 0)
  }

  override log_prob(value: Tensor): Tensor {
    this._check(value)
    return this._dirichlet.log_prob(stack([value, one_minus(value)], -1))
  }

  override entropy(): Tensor {
    return this._dirichlet.entropy()
  }

  override get _natural_params(): readonly Tensor[] {
    return [this.concentration1, this.concentration0]
  }

  override _log_normalizer(x: Tensor, y: Tensor): Tensor {
    return x.lgamma().add(y.lgamma()).sub(x.add(y).lgamma())
  }
}
