// Transforms of each element by itself: exp, powers, sigmoid, softplus, tanh, abs, affine maps and distribution
// functions. Not here: the base class (transform.ts), transforms of vectors (vectors.ts).
import * as F from '../../nn/functional/index.ts'
import * as torch from '../../torch.ts'
import { broadcast_shapes, type Size, type Tensor } from '../../torch.ts'
import type { Constraint } from '../constraints.ts'
import * as constraints from '../constraints.ts'
import type { Distribution } from '../distribution.ts'
import { broadcast_all, is_number, is_tensor, signature, type Value } from '../utils.ts'
import { type CacheOptions, type Sign, type Sizes, Transform } from './transform.ts'

/** One to one on the real line, and rising. */
abstract class Rising extends Transform {
  get domain(): Constraint {
    return constraints.real
  }

  get codomain(): Constraint {
    return constraints.positive
  }

  override get bijective(): boolean {
    return true
  }

  override get sign(): Sign {
    return 1
  }

  override equals(other: unknown): boolean {
    return (other as object | null)?.constructor === this.constructor
  }
}

/** y = exp(x). */
export class ExpTransform extends Rising {
  override _call(x: Tensor): Tensor {
    return x.exp()
  }

  override _inverse(y: Tensor): Tensor {
    return y.log()
  }

  override log_abs_det_jacobian(x: Tensor, _: Tensor): Tensor {
    return x
  }
}

const sizes_of = (x: Value): Sizes => (is_tensor(x) ? x.shape : [])
const broadcast = (...shapes: readonly Sizes[]): Size =>
  new torch.Size(broadcast_shapes(...shapes.map(shape => [...shape])))

const power = signature<{ exponent: Value; cache_size: number }>(
  'PowerTransform(any exponent, int cache_size=0)',
)

/** y = x ** exponent, for positive x. */
export class PowerTransform extends Rising {
  declare readonly exponent: Tensor

  constructor(exponent: Value, cache_size?: number | CacheOptions)
  constructor(...args: readonly unknown[]) {
    const { exponent, cache_size } = power(args)
    super(cache_size)
    Object.assign(this, { exponent: broadcast_all(exponent)[0] })
  }

  override get domain(): Constraint {
    return constraints.positive
  }

  override with_cache(cache_size = 1): Transform {
    return this._cache_size === cache_size ? this : new PowerTransform(this.exponent, cache_size)
  }

  override equals(other: unknown): boolean {
    return other instanceof PowerTransform && Boolean(this.exponent.eq(other.exponent).all().item())
  }

  override _call(x: Tensor): Tensor {
    return x.pow(this.exponent)
  }

  override _inverse(y: Tensor): Tensor {
    return y.pow(this.exponent.reciprocal())
  }

  override log_abs_det_jacobian(x: Tensor, y: Tensor): Tensor {
    return this.exponent.mul(y).div(x).abs().log()
  }

  override forward_shape(shape: Sizes): Size {
    return broadcast(shape, this.exponent.shape)
  }

  override inverse_shape(shape: Sizes): Size {
    return broadcast(shape, this.exponent.shape)
  }
}

/** The sigmoid of x, kept off 0 and 1. */
export function clipped_sigmoid(x: Tensor): Tensor {
  const { tiny, eps } = torch.finfo(x.dtype)
  return torch.sigmoid(x).clamp(tiny, 1 - eps)
}

/** y = 1 / (1 + exp(-x)). */
export class SigmoidTransform extends Rising {
  override get codomain(): Constraint {
    return constraints.unit_interval
  }

  override _call(x: Tensor): Tensor {
    return clipped_sigmoid(x)
  }

  override _inverse(y: Tensor): Tensor {
    const { tiny, eps } = torch.finfo(y.dtype)
    const clipped = y.clamp(tiny, 1 - eps)
    return clipped.log().sub(clipped.neg().log1p())
  }

  override log_abs_det_jacobian(x: Tensor, _: Tensor): Tensor {
    return F.softplus(x.neg()).neg().sub(F.softplus(x))
  }
}

/** y = log(1 + exp(x)). */
export class SoftplusTransform extends Rising {
  override _call(x: Tensor): Tensor {
    return F.softplus(x)
  }

  override _inverse(y: Tensor): Tensor {
    return y.neg().expm1().neg().log().add(y)
  }

  override log_abs_det_jacobian(x: Tensor, _: Tensor): Tensor {
    return F.softplus(x.neg()).neg()
  }
}

const MINUS_ONE_TO_ONE = constraints.interval(torch.float_scalar(-1), torch.float_scalar(1))

/** y = tanh(x). */
export class TanhTransform extends Rising {
  override get codomain(): Constraint {
    return MINUS_ONE_TO_ONE
  }

  override _call(x: Tensor): Tensor {
    return x.tanh()
  }

  override _inverse(y: Tensor): Tensor {
    return y.atanh()
  }

  override log_abs_det_jacobian(x: Tensor, _: Tensor): Tensor {
    return x
      .rsub(Math.LN2)
      .sub(F.softplus(x.mul(-2)))
      .mul(2)
  }
}

/** y = |x|, of which the inverse is y itself. */
export class AbsTransform extends Transform {
  get domain(): Constraint {
    return constraints.real
  }

  get codomain(): Constraint {
    return constraints.positive
  }

  override equals(other: unknown): boolean {
    return other instanceof AbsTransform
  }

  override _call(x: Tensor): Tensor {
    return x.abs()
  }

  override _inverse(y: Tensor): Tensor {
    return y
  }
}

type AffineSettings = { loc: Value; scale: Value; event_dim: number; cache_size: number }
const affine = signature<AffineSettings>(
  'AffineTransform(any loc, any scale, int event_dim=0, int cache_size=0)',
)

/** y = loc + scale * x, of events of `event_dim` dimensions. */
export class AffineTransform extends Transform {
  declare readonly loc: Value
  declare readonly scale: Value
  /** @internal */
  declare readonly _event_dim: number

  constructor(
    loc: Value,
    scale: Value,
    event_dim?: number | (CacheOptions & { event_dim?: number }),
    cache_size?: number | CacheOptions,
  )
  constructor(...args: readonly unknown[]) {
    const { loc, scale, event_dim, cache_size } = affine(args)
    super(cache_size)
    Object.assign(this, { loc, scale, _event_dim: event_dim })
  }

  override get bijective(): boolean {
    return true
  }

  override get event_dim(): number {
    return this._event_dim
  }

  get domain(): Constraint {
    const { event_dim } = this
    return event_dim === 0 ? constraints.real : constraints.independent(constraints.real, event_dim)
  }

  get codomain(): Constraint {
    return this.domain
  }

  override with_cache(cache_size = 1): Transform {
    if (this._cache_size === cache_size) return this
    return new AffineTransform(this.loc, this.scale, this.event_dim, cache_size)
  }

  override equals(other: unknown): boolean {
    return (
      other instanceof AffineTransform &&
      same_value(this.loc, other.loc) &&
      same_value(this.scale, other.scale)
    )
  }

  override get sign(): Sign {
    return is_number(this.scale) ? Math.sign(this.scale) : this.scale.sign()
  }

  override _call(x: Tensor): Tensor {
    return x.mul(this.scale).add(this.loc)
  }

  override _inverse(y: Tensor): Tensor {
    return y.sub(this.loc).div(this.scale)
  }

  override log_abs_det_jacobian(x: Tensor, _: Tensor): Tensor {
    const { scale, event_dim } = this
    const kept = x.shape.slice(0, x.ndim - event_dim)
    const each = is_number(scale) ? torch.full_like(x, Math.log(Math.abs(scale))) : scale.abs().log()
    if (event_dim === 0) return each.expand(x.shape)
    return each
      .reshape([...each.shape.slice(0, -event_dim), -1])
      .sum(-1)
      .expand(kept)
  }

  override forward_shape(shape: Sizes): Size {
    return broadcast(shape, sizes_of(this.loc), sizes_of(this.scale))
  }

  override inverse_shape(shape: Sizes): Size {
    return this.forward_shape(shape)
  }
}

function same_value(a: Value, b: Value): boolean {
  if (is_number(a) && is_number(b)) return a === b
  const tensor = is_number(a) ? (b as Tensor) : a
  return Boolean(
    tensor
      .eq(is_number(a) ? a : b)
      .all()
      .item(),
  )
}

const cumulative = signature<{ distribution: Distribution; cache_size: number }>(
  'CumulativeDistributionTransform(any distribution, int cache_size=0)',
)

/** y = cdf(x) of a distribution. */
export class CumulativeDistributionTransform extends Transform {
  declare readonly distribution: Distribution

  constructor(distribution: Distribution, cache_size?: number | CacheOptions)
  constructor(...args: readonly unknown[]) {
    const { distribution, cache_size } = cumulative(args)
    super(cache_size)
    Object.assign(this, { distribution })
  }

  get domain(): Constraint {
    return this.distribution.support
  }

  get codomain(): Constraint {
    return constraints.unit_interval
  }

  override get bijective(): boolean {
    return true
  }

  override get sign(): Sign {
    return 1
  }

  override _call(x: Tensor): Tensor {
    return this.distribution.cdf(x)
  }

  override _inverse(y: Tensor): Tensor {
    return this.distribution.icdf(y)
  }

  override log_abs_det_jacobian(x: Tensor, _: Tensor): Tensor {
    return this.distribution.log_prob(x)
  }

  override with_cache(cache_size = 1): Transform {
    return this._cache_size === cache_size
      ? this
      : new CumulativeDistributionTransform(this.distribution, cache_size)
  }
}
