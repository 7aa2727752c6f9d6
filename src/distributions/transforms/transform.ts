// Transforms of random variables: the base class, with its cache, inverses, chains, and those that change what counts
// as one event. Not here: the functions themselves (elementwise.ts, vectors.ts), joined ones (parts.ts).
import { AssertionError, NotImplementedError, ValueError } from '../../base/errors.ts'
import { _is_options, _print_as, Size, type Tensor, zeros_like } from '../../torch.ts'
import type { Constraint } from '../constraints.ts'
import * as constraints from '../constraints.ts'
import { signature, sum_rightmost } from '../utils.ts'

export type CacheOptions = { cache_size?: number }
export type Sizes = readonly number[]
/** Whether a transform ascends (1) or descends (-1), for all elements or for each. */
export type Sign = number | Tensor

export function assert(holds: boolean): void {
  if (!holds) throw new AssertionError()
}

/**
 * A transform with a computable log abs det jacobian, called like a function: `t(x)`; `t.inv(y)` goes back. With
 * `cache_size` 1 it keeps its last pair of x and y, so that `t.inv(t(x))` is x itself.
 */
export interface Transform {
  // biome-ignore lint/style/useShorthandFunctionType: it is merged with the class
  (x: Tensor): Tensor
}

export abstract class Transform {
  /** @internal */
  declare readonly _cache_size: number
  /** @internal */
  declare _inv: Transform | null
  /** @internal */
  declare _cached_x_y: readonly [Tensor, Tensor] | null

  constructor(cache_size: number | CacheOptions = 0) {
    const size = _is_options(cache_size) ? ((cache_size as CacheOptions).cache_size ?? 0) : cache_size
    if (size !== 0 && size !== 1) throw new ValueError('cache_size must be 0 or 1')
    const self = ((x: Tensor) => self._forward(x)) as unknown as this
    delete (self as { name?: string }).name
    delete (self as { length?: number }).length
    Object.setPrototypeOf(self, new.target.prototype)
    Object.assign(self, { _cache_size: size, _inv: null, _cached_x_y: null })
    // biome-ignore lint/correctness/noConstructorReturn: a callable transform is a function
    return self
  }

  /** What it can be applied to. */
  abstract get domain(): Constraint
  /** What comes out. */
  abstract get codomain(): Constraint

  /** Whether it is one to one, so that {@link inv} undoes it. */
  get bijective(): boolean {
    return false
  }

  /** The dimensions of an event, where they are the same before and after. */
  get event_dim(): number {
    const { event_dim } = this.domain
    if (event_dim === this.codomain.event_dim) return event_dim
    throw new ValueError('Please use either .domain.event_dim or .codomain.event_dim')
  }

  /** The inverse, whose inverse is this. */
  get inv(): Transform {
    return (this._inv ??= new InverseTransform(this))
  }

  /** The sign of the derivative, of monotone transforms. */
  get sign(): Sign {
    throw new NotImplementedError()
  }

  /** This transform with a cache of that size. */
  with_cache(cache_size = 1): Transform {
    if (this._cache_size === cache_size) return this
    const cls = this.constructor as new (o: CacheOptions) => Transform
    if (cls.length > 1)
      throw new NotImplementedError(`<class '__main__.${cls.name}'>.with_cache is not implemented`)
    return new cls({ cache_size })
  }

  /** Whether another transform is known to be the same one. */
  equals(other: unknown): boolean {
    return this === other
  }

  /** The call: by the cache where there is one. @internal */
  _forward(x: Tensor): Tensor {
    if (this._cache_size === 0) return this._call(x)
    if (this._cached_x_y?.[0] === x) return this._cached_x_y[1]
    const y = this._call(x)
    this._cached_x_y = [x, y]
    return y
  }

  /** @internal */
  _inv_call(y: Tensor): Tensor {
    if (this._cache_size === 0) return this._inverse(y)
    if (this._cached_x_y?.[1] === y) return this._cached_x_y[0]
    const x = this._inverse(y)
    this._cached_x_y = [x, y]
    return x
  }

  /** Computes the transform. */
  _call(_x: Tensor): Tensor {
    throw new NotImplementedError()
  }

  /** Computes the inverse. */
  _inverse(_y: Tensor): Tensor {
    throw new NotImplementedError()
  }

  /** log |dy / dx| of x and what it became, of each event. */
  log_abs_det_jacobian(_x: Tensor, _y: Tensor): Tensor {
    throw new NotImplementedError()
  }

  /** The sizes that an argument of the given sizes is given. */
  forward_shape(shape: Sizes): Size {
    return new Size(shape)
  }

  /** The sizes of the argument for a result of the given sizes. */
  inverse_shape(shape: Sizes): Size {
    return new Size(shape)
  }

  toString(): string {
    return `${this.constructor.name}()`
  }
}
_print_as(Transform, self => self.toString())

class InverseTransform extends Transform {
  declare _inv: Transform

  constructor(transform: Transform) {
    super(transform._cache_size)
    // biome-ignore lint/correctness/noConstructorReturn: the base class returned another object, which is `this`
    return Object.assign(this, { _inv: transform })
  }

  get domain(): Constraint {
    return this._inv.codomain
  }

  get codomain(): Constraint {
    return this._inv.domain
  }

  override get bijective(): boolean {
    return this._inv.bijective
  }

  override get sign(): Sign {
    return this._inv.sign
  }

  override get inv(): Transform {
    return this._inv
  }

  override with_cache(cache_size = 1): Transform {
    return this.inv.with_cache(cache_size).inv
  }

  override equals(other: unknown): boolean {
    return other instanceof InverseTransform && this._inv.equals(other._inv)
  }

  override _forward(x: Tensor): Tensor {
    return this._inv._inv_call(x)
  }

  override log_abs_det_jacobian(x: Tensor, y: Tensor): Tensor {
    return this._inv.log_abs_det_jacobian(y, x).neg()
  }

  override forward_shape(shape: Sizes): Size {
    return this._inv.inverse_shape(shape)
  }

  override inverse_shape(shape: Sizes): Size {
    return this._inv.forward_shape(shape)
  }

  override toString(): string {
    return `_InverseTransform(${this._inv})`
  }
}

// ---------------------------------------------------------------------------------------------- chains

const compose = signature<{ parts: readonly Transform[]; cache_size: number }>(
  'ComposeTransform(any parts, int cache_size=0)',
)

/** A region whose events have at least `event_dim` dimensions. */
function widened(region: Constraint, event_dim: number): Constraint {
  assert(event_dim >= region.event_dim)
  return event_dim > region.event_dim ? constraints.independent(region, event_dim - region.event_dim) : region
}

/** Several transforms, one after the other. */
export class ComposeTransform extends Transform {
  declare readonly parts: readonly Transform[]

  constructor(parts: readonly Transform[], cache_size?: number | CacheOptions)
  constructor(...args: readonly unknown[]) {
    const { parts, cache_size } = compose(args)
    super(cache_size)
    Object.assign(this, { parts: cache_size ? parts.map(part => part.with_cache(cache_size)) : parts })
  }

  get domain(): Constraint {
    const [first] = this.parts
    if (first === undefined) return constraints.real
    let event_dim = this.parts.at(-1)!.codomain.event_dim
    for (const { domain, codomain } of [...this.parts].reverse())
      event_dim = Math.max(event_dim + domain.event_dim - codomain.event_dim, domain.event_dim)
    return widened(first.domain, event_dim)
  }

  get codomain(): Constraint {
    const last = this.parts.at(-1)
    if (last === undefined) return constraints.real
    let { event_dim } = this.parts[0]!.domain
    for (const { domain, codomain } of this.parts)
      event_dim = Math.max(event_dim + codomain.event_dim - domain.event_dim, codomain.event_dim)
    return widened(last.codomain, event_dim)
  }

  override get bijective(): boolean {
    return this.parts.every(part => part.bijective)
  }

  override get sign(): Sign {
    return this.parts.reduce<Sign>((sign, part) => times(sign, part.sign), 1)
  }

  override get inv(): Transform {
    if (this._inv === null) {
      this._inv = new ComposeTransform(this.parts.map(part => part.inv).reverse())
      this._inv._inv = this
    }
    return this._inv
  }

  override with_cache(cache_size = 1): Transform {
    return this._cache_size === cache_size ? this : new ComposeTransform(this.parts, cache_size)
  }

  override equals(other: unknown): boolean {
    return other instanceof ComposeTransform && same_transforms(this.parts, other.parts)
  }

  override _forward(x: Tensor): Tensor {
    return this.parts.reduce((value, part) => part(value), x)
  }

  override log_abs_det_jacobian(x: Tensor, y: Tensor): Tensor {
    const { parts } = this
    if (parts.length === 0) return zeros_like(x)
    let { event_dim } = this.domain
    let from = x
    let total: Tensor | null = null
    parts.forEach((part, i) => {
      const to = i === parts.length - 1 ? y : part(from)
      const { domain, codomain } = part
      const term = sum_rightmost(part.log_abs_det_jacobian(from, to), event_dim - domain.event_dim)
      total = total === null ? term : total.add(term)
      event_dim += codomain.event_dim - domain.event_dim
      from = to
    })
    return total as unknown as Tensor
  }

  override forward_shape(shape: Sizes): Size {
    return new Size(this.parts.reduce<Sizes>((sizes, part) => part.forward_shape(sizes), shape))
  }

  override inverse_shape(shape: Sizes): Size {
    return new Size(this.parts.reduceRight<Sizes>((sizes, part) => part.inverse_shape(sizes), shape))
  }

  override toString(): string {
    return `ComposeTransform(\n    ${this.parts.join(',\n    ')}\n)`
  }
}

/** The product of two signs. */
export const times = (a: Sign, b: Sign): Sign => {
  if (typeof a === 'number') return typeof b === 'number' ? a * b : b.mul(a)
  return a.mul(b)
}

/** Whether two lists hold the same transforms. */
export const same_transforms = (a: readonly Transform[], b: readonly Transform[]): boolean =>
  a.length === b.length && a.every((t, i) => t.equals(b[i]))

/** Leaves everything as it is. */
export const identity_transform: ComposeTransform = new ComposeTransform([])

// ---------------------------------------------------------------------------------------------- events

const independent = signature<{
  base_transform: Transform
  reinterpreted_batch_ndims: number
  cache_size: number
}>('IndependentTransform(any base_transform, int reinterpreted_batch_ndims, int cache_size=0)')

/** Another transform, of which the last dimensions of the batch count to the event. */
export class IndependentTransform extends Transform {
  declare readonly base_transform: Transform
  declare readonly reinterpreted_batch_ndims: number

  constructor(
    base_transform: Transform,
    reinterpreted_batch_ndims: number,
    cache_size?: number | CacheOptions,
  )
  constructor(...args: readonly unknown[]) {
    const { base_transform, reinterpreted_batch_ndims, cache_size } = independent(args)
    super(cache_size)
    Object.assign(this, { base_transform: base_transform.with_cache(cache_size), reinterpreted_batch_ndims })
  }

  override with_cache(cache_size = 1): Transform {
    if (this._cache_size === cache_size) return this
    return new IndependentTransform(this.base_transform, this.reinterpreted_batch_ndims, cache_size)
  }

  get domain(): Constraint {
    return constraints.independent(this.base_transform.domain, this.reinterpreted_batch_ndims)
  }

  get codomain(): Constraint {
    return constraints.independent(this.base_transform.codomain, this.reinterpreted_batch_ndims)
  }

  override get bijective(): boolean {
    return this.base_transform.bijective
  }

  override get sign(): Sign {
    return this.base_transform.sign
  }

  override _call(x: Tensor): Tensor {
    require_dims(x.shape, this.domain.event_dim)
    return this.base_transform(x)
  }

  override _inverse(y: Tensor): Tensor {
    require_dims(y.shape, this.codomain.event_dim)
    return this.base_transform.inv(y)
  }

  override log_abs_det_jacobian(x: Tensor, y: Tensor): Tensor {
    return sum_rightmost(this.base_transform.log_abs_det_jacobian(x, y), this.reinterpreted_batch_ndims)
  }

  override forward_shape(shape: Sizes): Size {
    return this.base_transform.forward_shape(shape)
  }

  override inverse_shape(shape: Sizes): Size {
    return this.base_transform.inverse_shape(shape)
  }

  override toString(): string {
    return `IndependentTransform(${this.base_transform}, ${this.reinterpreted_batch_ndims})`
  }
}

/** Throws ValueError for fewer dimensions than an event has. */
export function require_dims(shape: Sizes, dims: number): void {
  if (shape.length < dims) throw new ValueError('Too few dimensions on input')
}

const reshape = signature<{ in_shape: Sizes; out_shape: Sizes; cache_size: number }>(
  'ReshapeTransform(any in_shape, any out_shape, int cache_size=0)',
)

/** Gives the last dimensions, which are `in_shape`, other sizes. */
export class ReshapeTransform extends Transform {
  declare readonly in_shape: Size
  declare readonly out_shape: Size

  constructor(in_shape: Sizes, out_shape: Sizes, cache_size?: number | CacheOptions)
  constructor(...args: readonly unknown[]) {
    const given = reshape(args)
    const [in_shape, out_shape] = [new Size(given.in_shape), new Size(given.out_shape)]
    if (in_shape.numel() !== out_shape.numel())
      throw new ValueError('in_shape, out_shape have different numbers of elements')
    super(given.cache_size)
    Object.assign(this, { in_shape, out_shape })
  }

  override get bijective(): boolean {
    return true
  }

  get domain(): Constraint {
    return constraints.independent(constraints.real, this.in_shape.length)
  }

  get codomain(): Constraint {
    return constraints.independent(constraints.real, this.out_shape.length)
  }

  override with_cache(cache_size = 1): Transform {
    if (this._cache_size === cache_size) return this
    return new ReshapeTransform(this.in_shape, this.out_shape, cache_size)
  }

  override _call(x: Tensor): Tensor {
    return x.reshape([...x.shape.slice(0, x.ndim - this.in_shape.length), ...this.out_shape])
  }

  override _inverse(y: Tensor): Tensor {
    return y.reshape([...y.shape.slice(0, y.ndim - this.out_shape.length), ...this.in_shape])
  }

  override log_abs_det_jacobian(x: Tensor, _: Tensor): Tensor {
    return x.new_zeros(x.shape.slice(0, x.ndim - this.in_shape.length))
  }

  override forward_shape(shape: Sizes): Size {
    return exchanged(shape, this.in_shape, this.out_shape)
  }

  override inverse_shape(shape: Sizes): Size {
    return exchanged(shape, this.out_shape, this.in_shape)
  }
}

/** Sizes that end in `from`, ending in `to`. Throws ValueError for others. */
function exchanged(shape: Sizes, from: Size, to: Size): Size {
  require_dims(shape, from.length)
  const cut = shape.length - from.length
  const end = new Size(shape.slice(cut))
  if (!end.equals(from)) throw new ValueError(`Shape mismatch: expected ${end} but got ${from}`)
  return new Size([...shape.slice(0, cut), ...to])
}
