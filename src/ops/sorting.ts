// Order: sort, topk, the k-th value, median, mode and quantiles. NaN is larger than everything.
// Not here: how rows are sorted (define/sort.ts), equal elements (unique.ts), extremes (extremes.ts).
import { bool, type DType, int64 } from '../base/dtype.ts'
import { IndexError, RuntimeError } from '../base/errors.ts'
import { wrap_dim } from '../base/shape.ts'
import type { Expr } from '../ir/expr.ts'
import { empty, kernels } from '../tensor/dispatch.ts'
import { tensor_from } from '../tensor/from_data.ts'
import { alias, type Tensor } from '../tensor/tensor.ts'
import { dense } from './define/copy.ts'
import { full_value } from './define/create.ts'
import { type Named, named_tuple } from './define/named.ts'
import { composite, type Op, type Overloads, op, overloaded } from './define/op.ts'
import { first_of_order, pick, type Which } from './define/select.ts'
import { around_dim, is_less, sort_dim } from './define/sort.ts'
import { window } from './define/space.ts'
import { gather } from './scatter.ts'

/** Values, and where along the dimension they were. */
export type ValuesIndices = Named<Tensor, 'values' | 'indices'>
type OutPair = { out?: readonly Tensor[] }

/** The gradient of values picked along `dim`: each goes back to where it was. */
function to_picked(
  g: Tensor,
  sizes: readonly number[],
  dim: number,
  indices: Tensor,
  keepdim: boolean,
): Tensor {
  const zeros = g.new_zeros(sizes)
  if (sizes.length === 0) return zeros.scatter(0, indices, g)
  const d = wrap_dim(dim, sizes.length)
  return keepdim ? zeros.scatter(d, indices, g) : zeros.scatter(d, indices.unsqueeze(d), g.unsqueeze(d))
}

type SortOptions = { dim?: number; descending?: boolean; stable?: boolean | null; out?: readonly Tensor[] }

/** The elements along `dim` in order, with their indices. The order of equal elements is kept, with or without `stable`. */
export const sort: Op<
  [self: Tensor, dim?: number | SortOptions, descending?: boolean | SortOptions, opts?: SortOptions],
  ValuesIndices
> = op('sort(Tensor self, int dim=-1, bool descending=False, *, bool? stable=False)', {
  forward(self: Tensor, dim: number, descending: boolean, _stable: boolean | null) {
    const { values, indices } = sort_dim(self, wrap_dim(dim, self.sizes.length), descending)
    return named_tuple('sort', { values, indices })
  },
  saves: ['out'],
  backward: {
    self: ([g], [self, dim], [, indices]) => (g ? to_picked(g, self.sizes, dim, indices!, true) : null),
  },
  samples: r => [
    [r.distinct(3, 4)],
    [r.distinct(2, 3, 4), 1, true],
    [r.distinct(5), { descending: true }],
    [r()],
  ],
})

type ArgsortOptions = { dim?: number; descending?: boolean; stable?: boolean }

/** The indices that sort along `dim`. */
export const argsort: Op<
  [self: Tensor, dim?: number | ArgsortOptions, descending?: boolean | ArgsortOptions]
> = overloaded(
  [
    [
      'argsort(Tensor self, int dim=-1, bool descending=False, *, bool stable=False)',
      (self: Tensor, dim: number, descending: boolean) =>
        sort_dim(self, wrap_dim(dim, self.sizes.length), descending).indices,
    ],
  ],
  { out: false, gradcheck: false, samples: r => [[r.distinct(3, 4)], [r.distinct(3, 4), 0, true]] },
)

/** The values of {@link sort} along dimension 0. */
export const msort: Op<[self: Tensor, opts?: { out?: Tensor }]> = composite('msort(Tensor self)', {
  body: (self: Tensor) => sort(self, 0)[0]!,
  samples: r => [[r.distinct(4, 2)]],
})

// ------------------------------------------------------------------------------------ topk

const topk_kernel = kernels('topk', (k, dtype: DType, largest: boolean, single: boolean) => {
  const values = k.inout('values', dtype, { rank: 3 })
  const indices = k.inout('indices', int64, { rank: 3 })
  const x = k.input('x', dtype, single ? { rank: 2, inner: 1 } : { rank: 3, inner: 1 })
  const room = values.sizes[1]!
  const before = (a: Expr, b: Expr): Expr => (largest ? is_less(b, a) : is_less(a, b))
  const n = x.sizes[1]!
  k.nest([values.sizes[0]!, values.sizes[2]!], 'parallel', 'parallel', (o, c) => {
    const load = (i: Expr): Expr => (single ? x.at(o!, i) : x.at(o!, i, c!))
    const last = (): Expr => values.at(o!, room.sub(1), c!)
    const take = (i: Expr): void => {
      const value = k.local(x.type, load(i))
      const held = k.local('index', i.min(room))
      const full = held.eq(room)
      k.if(full.not().or(before(value, values.at_if(full, [o!, room.sub(1), c!]))), () => {
        // The best so far are in order; the new one moves up from the end, and the last may fall off.
        const j = k.local('index', held.min(room.sub(1)))
        const previous = (): Expr => values.at_if(j.gt(0), [o!, j.sub(1), c!])
        k.while(j.gt(0).and(before(value, previous())), () => {
          k.store(values, [o!, j, c!], values.at(o!, j.sub(1), c!))
          k.store(indices, [o!, j, c!], indices.at(o!, j.sub(1), c!))
          k.assign(j, j.sub(1))
        })
        k.store(values, [o!, j, c!], value)
        k.store(indices, [o!, j, c!], i.cast('i64'))
      })
    }
    const start = k.local('index', n.min(room.max(BLOCK)))
    k.for(start, 'serial', take)
    // Of most blocks none comes before the last of those that are held.
    k.for(
      n
        .sub(start)
        .add(BLOCK - 1)
        .truncdiv(BLOCK),
      'serial',
      block => {
        const first = k.local('index', start.add(block.mul(BLOCK)))
        const length = k.local('index', n.sub(first).min(BLOCK))
        const any = k.local('i32', 0)
        const bound = k.local(x.type, last())
        k.for(length, 'reduce', i => k.assign(any, any.or(before(load(first.add(i)), bound).cast('i32'))))
        k.if(any.ne(0), () => k.for(length, 'serial', i => take(first.add(i))))
      },
    )
  })
})

/** Elements that are looked at together. */
const BLOCK = 64

/** Up to this many are kept in order while the elements pass by. */
const FEW = 32
/** A larger part of the row than this is taken from the sorted row; a smaller one is selected, then sorted. */
const SORTED_PART = 1 / 4

type TopkOptions = { dim?: number; largest?: boolean; sorted?: boolean; out?: readonly Tensor[] }

/** The `k` largest (or smallest) elements along `dim`, in order, with their indices. */
export const topk: Op<
  [
    self: Tensor,
    k: number,
    dim?: number | TopkOptions,
    largest?: boolean | TopkOptions,
    sorted?: boolean | TopkOptions,
  ],
  ValuesIndices
> = op('topk(Tensor self, int k, int dim=-1, bool largest=True, bool sorted=True)', {
  forward(self: Tensor, k: number, dim: number, largest: boolean, _sorted: boolean) {
    if (self.dtype === bool) throw new RuntimeError(`"topk_cpu" not implemented for 'Bool'`)
    const d = wrap_dim(dim, self.sizes.length)
    if (k < 0 || k > (self.sizes[d] ?? 1)) throw new RuntimeError('selected index k out of range')
    const n = self.sizes[d] ?? 1
    if (k > FEW && k <= n * SORTED_PART) {
      const some = first_of_order(self, d, k, largest)
      const { values, indices } = sort_dim(some.values, d, largest)
      return named_tuple('topk', { values, indices: gather(some.indices, d, indices) })
    }
    if (k > FEW) {
      const { values, indices } = sort_dim(self, d, largest)
      return named_tuple('topk', { values: first(values, d, k), indices: first(indices, d, k) })
    }
    const sizes = self.sizes.length === 0 ? [] : self.sizes.with(d, k)
    const [values, indices] = [empty(sizes, self.dtype), empty(sizes, int64)]
    if (values.count > 0) {
      const x = around_dim(dense(self), d)
      const single = x.sizes[2] === 1
      const row = single ? window(x, [x.sizes[0]!, n], [n, 1]) : x
      topk_kernel(self.dtype, largest, single)([around_dim(values, d), around_dim(indices, d), row], [])
    }
    return named_tuple('topk', { values, indices })
  },
  saves: ['out'],
  backward: {
    self: ([g], [self, , dim], [, indices]) => (g ? to_picked(g, self.sizes, dim, indices!, true) : null),
  },
  samples: r => [
    [r.distinct(3, 4), 2],
    [r.distinct(4, 3), 2, 0, false],
    [r.distinct(50), 40],
    [r(), 1],
  ],
})

/** A contiguous copy of the first `n` along `dim`. */
const first = (t: Tensor, dim: number, n: number): Tensor => dense(alias(t, t.sizes.with(dim, n), t.strides))

// ------------------------------------------------------------------------------------ one element of the order

function pick_along(
  self: Tensor,
  d: number,
  keepdim: boolean,
  which: Which,
  rank: number,
): { values: Tensor; indices: Tensor } {
  const sizes = self.sizes.length === 0 ? [] : keepdim ? self.sizes.with(d, 1) : self.sizes.toSpliced(d, 1)
  return pick(self, d, sizes, which, rank)
}

function require_elements(name: string, self: Tensor, dim: number): number {
  const d = wrap_dim(dim, self.sizes.length)
  if (self.sizes[d] === 0)
    throw new IndexError(`${name}(): Expected reduction dim ${d} to have non-zero size.`)
  return d
}

type DimOptions = { dim?: number; keepdim?: boolean; out?: readonly Tensor[] }
type Keepdim = boolean | DimOptions

/** The `k`-th smallest element along `dim` (counted from 1), with its index. */
export const kthvalue: Op<
  [self: Tensor, k: number, dim?: number | DimOptions, keepdim?: Keepdim, opts?: OutPair],
  ValuesIndices
> = op('kthvalue(Tensor self, int k, int dim=-1, bool keepdim=False)', {
  forward(self: Tensor, k: number, dim: number, keepdim: boolean) {
    const d = require_elements('kthvalue', self, dim)
    if (k < 1 || k > (self.sizes[d] ?? 1))
      throw new RuntimeError(`kthvalue(): selected number k out of range for dimension ${d}`)
    return named_tuple('kthvalue', pick_along(self, d, keepdim, 'kth', k - 1))
  },
  saves: ['out'],
  backward: {
    self: ([g], [self, , dim, keepdim], [, indices]) =>
      g ? to_picked(g, self.sizes, dim, indices!, keepdim) : null,
  },
  samples: r => [
    [r.distinct(3, 4), 2],
    [r.distinct(3, 4), 1, 0, true],
  ],
})

/** The gradient of one value of a whole tensor, shared by all elements that are equal to it. */
function to_equal(g: Tensor, self: Tensor, value: Tensor): Tensor {
  const equal = Number.isNaN(Number(value.item())) ? self.ne(self) : self.eq(value)
  const mask = equal.to(g.dtype)
  return mask.mul(g.div(mask.sum()))
}

/** Medians of all elements and along a dimension. */
function medians(name: 'median' | 'nanmedian'): Medians {
  const node = name === 'median' ? 'Median' : 'Nanmedian'
  const of_all: Op<[self: Tensor]> = op(`${name}(Tensor self)`, {
    node: `${node}Backward0`,
    forward(self: Tensor) {
      const flat = alias(dense(self), [self.count], [1])
      if (self.count > 0) return pick(flat, 0, [], name, 0).values
      const out = empty([], self.dtype)
      full_value(out, self.dtype.is_floating_point ? Number.NaN : -(2n ** 63n))
      return out
    },
    saves: ['self', 'out'],
    backward: { self: (g, [self], out) => to_equal(g, self, out) },
  })
  const of_dim: Op<[self: Tensor, dim: number, keepdim: boolean], ValuesIndices> = op(
    `${name}(Tensor self, int dim, bool keepdim=False)`,
    {
      node: `${node}Backward1`,
      forward(self: Tensor, dim: number, keepdim: boolean) {
        const d = require_elements(name, self, dim)
        return named_tuple(name, pick_along(self, d, keepdim, name, 0))
      },
      saves: ['out'],
      backward: {
        self: ([g], [self, dim, keepdim], [, indices]) =>
          g ? to_picked(g, self.sizes, dim, indices!, keepdim) : null,
      },
    },
  )
  return overloaded<MedianArgs, ValuesIndices>(
    [
      [`${name}(Tensor self)`, (self: Tensor) => of_all(self) as unknown as ValuesIndices],
      [
        `${name}(Tensor self, int dim, bool keepdim=False)`,
        (self: Tensor, dim: number, keepdim: boolean) => of_dim(self, dim, keepdim),
      ],
    ],
    { samples: r => [[r.distinct(3, 5)] as never, [r.distinct(3, 4), 1], [r.distinct(3, 5), 0, true]] },
  ) as Medians
}
interface MedianMethod {
  (opts?: { dim?: undefined; out?: Tensor }): Tensor
  (dim: number | (DimOptions & { dim: number }), keepdim?: Keepdim, opts?: OutPair): ValuesIndices
}
type MedianArgs = [
  self: Tensor,
  dim: number | (DimOptions & { dim: number }),
  keepdim?: Keepdim,
  opts?: OutPair,
]
type Medians = ((self: Tensor) => Tensor) & Op<MedianArgs, ValuesIndices> & Overloads<MedianMethod>

/** The lower median of all elements, or along `dim` with its index. NaN where there is one. */
export const median: Medians = medians('median')
/** {@link median} of what is not NaN. */
export const nanmedian: Medians = medians('nanmedian')

const mode_kernel = kernels('mode', (k, dtype: DType) => {
  const out = k.output('out', dtype, { rank: 2, inner: 1 })
  const places = k.output('places', int64, { rank: 2, inner: 1 })
  const values = k.input('values', dtype, { rank: 3 })
  const indices = k.input('indices', int64, { rank: 3 })
  k.nest(out.sizes, 'parallel', 'serial', (o, c) => {
    const best = k.local('index', 0)
    const most = k.local('index', 0)
    const run = k.local('index', 0)
    k.for(values.sizes[1]!, 'serial', i => {
      const same = i.gt(0).and(values.at(o!, i, c!).eq(values.at_if(i.gt(0), [o!, i.sub(1), c!])))
      k.assign(run, same.where(run.add(1), 1))
      k.if(run.gt(most), () => {
        k.assign(most, run)
        k.assign(best, i)
      })
    })
    k.store(out, [o!, c!], values.at(o!, best, c!))
    k.store(places, [o!, c!], indices.at(o!, best, c!))
  })
})

/** The most frequent element along `dim` (the smallest of several), with the index of its last occurrence. */
export const mode: Op<
  [self: Tensor, dim?: number | DimOptions, keepdim?: Keepdim, opts?: OutPair],
  ValuesIndices
> = op('mode(Tensor self, int dim=-1, bool keepdim=False)', {
  forward(self: Tensor, dim: number, keepdim: boolean) {
    const d = require_elements('mode', self, dim)
    const sizes = self.sizes.length === 0 ? [] : keepdim ? self.sizes.with(d, 1) : self.sizes.toSpliced(d, 1)
    const [values, indices] = [empty(sizes, self.dtype), empty(sizes, int64)]
    if (values.count > 0) {
      const sorted = sort_dim(self, d, false)
      const from = around_dim(sorted.values, d)
      const rows = (t: Tensor) => window(t, [from.sizes[0]!, from.sizes[2]!], [from.sizes[2]!, 1])
      mode_kernel(self.dtype)([rows(values), rows(indices), from, around_dim(sorted.indices, d)], [])
    }
    return named_tuple('mode', { values, indices })
  },
  saves: ['out'],
  backward: {
    self: ([g], [self, dim, keepdim], [, indices]) =>
      g ? to_picked(g, self.sizes, dim, indices!, keepdim) : null,
  },
  samples: r => [[r.distinct(3, 4)], [r.ints(0, 3, 4, 5), 0, true]],
})
// ------------------------------------------------------------------------------------ quantiles

const INTERPOLATIONS = ['linear', 'lower', 'higher', 'midpoint', 'nearest']

function quantiles(
  name: string,
  self: Tensor,
  q: Tensor | number,
  dim: number | null,
  keepdim: boolean,
  interpolation: string,
): Tensor {
  const ignore_nan = name === 'nanquantile'
  const d = dim === null ? 0 : wrap_dim(dim, self.sizes.length)
  if (self.count === 0) throw new RuntimeError(`${name}() input tensor must be non-empty`)
  if (self.dtype.name !== 'float32' && self.dtype.name !== 'float64')
    throw new RuntimeError(`${name}() input tensor must be either float or double dtype`)
  if (typeof q === 'number' && !(q >= 0 && q <= 1))
    throw new RuntimeError(`${name}() q must be in the range [0, 1] but got ${q}`)
  const fractions = typeof q === 'number' ? tensor_from(q, self.dtype) : q
  if (fractions.sizes.length > 1) throw new RuntimeError(`${name}() q must be a scalar or 1D tensor`)
  if (fractions.dtype !== self.dtype)
    throw new RuntimeError(`${name}() q tensor must be same dtype as the input tensor`)
  if (!INTERPOLATIONS.includes(interpolation))
    throw new RuntimeError(
      `${name}() interpolation must be one of linear, lower, higher, midpoint or nearest, but got ${interpolation}`,
    )
  if (typeof q !== 'number' && !q.ge(0).logical_and(q.le(1)).all().item())
    throw new RuntimeError(`${name}() q values must be in the range [0, 1]`)

  const kept = dim === null ? self.sizes.map(() => 1) : self.sizes.length === 0 ? [] : self.sizes.with(d, 1)
  const lanes = dim === null || self.sizes.length === 0 ? self.flatten() : self.movedim(d, -1)
  const sorted = sort(lanes, -1)[0]!
  const last = sorted.sizes[sorted.sizes.length - 1]! - 1
  let ranks: Tensor
  if (ignore_nan) {
    const numbers = sorted.isnan().logical_not().sum(-1, true)
    ranks = fractions.mul(numbers.sub(1))
    ranks = ranks.masked_fill(ranks.lt(0), 0)
  } else ranks = fractions.mul(last).masked_fill(sorted.isnan().any(-1, true), last)
  if (interpolation === 'lower') ranks = ranks.floor()
  else if (interpolation === 'higher') ranks = ranks.ceil()
  else if (interpolation === 'nearest') ranks = ranks.round()
  const below = ranks.to(int64)
  let values = sorted.gather(-1, below)
  if (interpolation === 'linear' || interpolation === 'midpoint') {
    const above = sorted.gather(-1, ranks.ceil().to(int64))
    values = values.lerp(above, interpolation === 'midpoint' ? 0.5 : ranks.sub(below))
  }
  // values: [other dimensions..., quantiles]
  const rest = keepdim ? kept : dim === null || self.sizes.length === 0 ? [] : self.sizes.toSpliced(d, 1)
  if (fractions.sizes.length === 0) return values.squeeze(-1).reshape(rest)
  return values.movedim(-1, 0).reshape([fractions.count, ...rest])
}

type QuantileOptions = { dim?: number | null; keepdim?: boolean; interpolation?: string; out?: Tensor }
type QuantileArgs = [
  self: Tensor,
  q: Tensor | number,
  dim?: number | null | QuantileOptions,
  keepdim?: boolean | QuantileOptions,
  opts?: QuantileOptions,
]

function quantile_form(name: string): Op<QuantileArgs> {
  type Body = (
    self: Tensor,
    q: Tensor | number,
    dim: number | null,
    keepdim: boolean,
    interpolation: string,
  ) => Tensor
  const body: Body = (...args) => quantiles(name, ...args)
  return overloaded<QuantileArgs>(
    [
      [
        `${name}(Tensor self, Tensor q, int? dim=None, bool keepdim=False, *, str interpolation='linear')`,
        body,
      ],
      [
        `${name}(Tensor self, float q, int? dim=None, bool keepdim=False, *, str interpolation='linear')`,
        body,
      ],
    ],
    {
      samples: r => [
        [r.distinct(3, 5), 0.3],
        [r.distinct(3, 5), 0.6, 1, true],
        [r.distinct(7), 0.5, { interpolation: 'midpoint' }],
      ],
    },
  )
}

/** The value below which the fraction `q` (one, or a 1-d tensor of them) of the elements lies; by default interpolated. */
export const quantile: Op<QuantileArgs> = quantile_form('quantile')
/** {@link quantile} of what is not NaN. */
export const nanquantile: Op<QuantileArgs> = quantile_form('nanquantile')
