// Transforms of which each acts on a part of a tensor: slices along a dimension, or its indices one by one.
// Not here: the base class, and chains of transforms (transform.ts).

import type { Tensor } from '../../torch.ts'
import * as torch from '../../torch.ts'
import type { Constraint } from '../constraints.ts'
import * as constraints from '../constraints.ts'
import { signature, sum_rightmost } from '../utils.ts'
import { assert, type CacheOptions, Transform } from './transform.ts'

type Tseq = readonly Transform[]
type Lengths = readonly number[]
type CatSettings = { tseq: Tseq; dim: number; lengths: Lengths | null; cache_size: number }
const cat = signature<CatSettings>('CatTransform(any tseq, int dim=0, any? lengths=None, int cache_size=0)')

function cached(tseq: Tseq, cache_size: number): Tseq {
  assert(tseq.every(t => t instanceof Transform))
  return cache_size ? tseq.map(t => t.with_cache(cache_size)) : [...tseq]
}

/** Different transforms for slices of `lengths` along `dim`, as torch.cat joins them. */
export class CatTransform extends Transform {
  declare readonly transforms: Tseq
  declare readonly lengths: Lengths
  declare readonly dim: number

  constructor(
    tseq: Tseq,
    dim?: number | (CacheOptions & { dim?: number; lengths?: Lengths }),
    lengths?: Lengths | null,
    cache_size?: number | CacheOptions,
  )
  constructor(...args: readonly unknown[]) {
    const { tseq, dim, lengths, cache_size } = cat(args)
    super(cache_size)
    const transforms = cached(tseq, cache_size)
    const own = lengths === null ? tseq.map(() => 1) : [...lengths]
    assert(own.length === tseq.length)
    Object.assign(this, { transforms, lengths: own, dim })
  }

  override get event_dim(): number {
    return Math.max(...this.transforms.map(t => t.event_dim))
  }

  /** The size of the dimension. */
  override get length(): number {
    return this.lengths.reduce((a, b) => a + b, 0)
  }

  override with_cache(cache_size = 1): Transform {
    if (this._cache_size === cache_size) return this
    return new CatTransform(this.transforms, this.dim, this.lengths, cache_size)
  }

  /** The part of `x` for each transform. */
  #slices(x: Tensor): Tensor[] {
    assert(-x.ndim <= this.dim && this.dim < x.ndim)
    assert(x.size(this.dim) === this.length)
    let start = 0
    return this.lengths.map(length => {
      start += length
      return x.narrow(this.dim, start - length, length)
    })
  }

  override _call(x: Tensor): Tensor {
    const slices = this.#slices(x)
    return torch.cat(
      this.transforms.map((t, i) => t(slices[i] as Tensor)),
      this.dim,
    )
  }

  override _inverse(y: Tensor): Tensor {
    const slices = this.#slices(y)
    return torch.cat(
      this.transforms.map((t, i) => t.inv(slices[i] as Tensor)),
      this.dim,
    )
  }

  override log_abs_det_jacobian(x: Tensor, y: Tensor): Tensor {
    const [xs, ys] = [this.#slices(x), this.#slices(y)]
    const { event_dim } = this
    const logs = this.transforms.map((t, i) => {
      const log = t.log_abs_det_jacobian(xs[i] as Tensor, ys[i] as Tensor)
      return sum_rightmost(log, Math.max(event_dim - t.event_dim, 0))
    })
    const dim = (this.dim >= 0 ? this.dim - x.ndim : this.dim) + event_dim
    return dim < 0 ? torch.cat(logs, dim) : logs.reduce((a, b) => a.add(b))
  }

  override get bijective(): boolean {
    return this.transforms.every(t => t.bijective)
  }

  get domain(): Constraint {
    return constraints.cat(
      this.transforms.map(t => t.domain),
      this.dim,
      this.lengths,
    )
  }

  get codomain(): Constraint {
    return constraints.cat(
      this.transforms.map(t => t.codomain),
      this.dim,
      this.lengths,
    )
  }
}

const stack = signature<{ tseq: Tseq; dim: number; cache_size: number }>(
  'StackTransform(any tseq, int dim=0, int cache_size=0)',
)

/** A transform for each index along `dim`, as torch.stack joins them. */
export class StackTransform extends Transform {
  declare readonly transforms: Tseq
  declare readonly dim: number

  constructor(
    tseq: Tseq,
    dim?: number | (CacheOptions & { dim?: number }),
    cache_size?: number | CacheOptions,
  )
  constructor(...args: readonly unknown[]) {
    const { tseq, dim, cache_size } = stack(args)
    super(cache_size)
    Object.assign(this, { transforms: cached(tseq, cache_size), dim })
  }

  override with_cache(cache_size = 1): Transform {
    if (this._cache_size === cache_size) return this
    return new StackTransform(this.transforms, this.dim, cache_size)
  }

  #slices(x: Tensor): Tensor[] {
    assert(-x.ndim <= this.dim && this.dim < x.ndim)
    assert(x.size(this.dim) === this.transforms.length)
    return this.transforms.map((_, i) => x.select(this.dim, i))
  }

  override _call(x: Tensor): Tensor {
    const slices = this.#slices(x)
    return torch.stack(
      this.transforms.map((t, i) => t(slices[i] as Tensor)),
      this.dim,
    )
  }

  override _inverse(y: Tensor): Tensor {
    const slices = this.#slices(y)
    return torch.stack(
      this.transforms.map((t, i) => t.inv(slices[i] as Tensor)),
      this.dim,
    )
  }

  override log_abs_det_jacobian(x: Tensor, y: Tensor): Tensor {
    const [xs, ys] = [this.#slices(x), this.#slices(y)]
    return torch.stack(
      this.transforms.map((t, i) => t.log_abs_det_jacobian(xs[i] as Tensor, ys[i] as Tensor)),
      this.dim,
    )
  }

  override get bijective(): boolean {
    return this.transforms.every(t => t.bijective)
  }

  get domain(): Constraint {
    return constraints.stack(
      this.transforms.map(t => t.domain),
      this.dim,
    )
  }

  get codomain(): Constraint {
    return constraints.stack(
      this.transforms.map(t => t.codomain),
      this.dim,
    )
  }
}
