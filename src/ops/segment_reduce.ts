// torch.segment_reduce: the sum, mean, product, maximum or minimum of runs along one dimension, which lengths or offsets
// cut it into. Not here: reducing what an index tensor brings together (scatter.ts), bags of embeddings (nn/).
import { type float64, int32, int64 } from '../base/dtype.ts'
import { RuntimeError } from '../base/errors.ts'
import { numel, wrap_dim } from '../base/shape.ts'
import type { Expr } from '../ir/expr.ts'
import { empty, kernels } from '../tensor/dispatch.ts'
import type { Tensor } from '../tensor/tensor.ts'
import { arange } from './creation.ts'
import { value_range } from './define/bounds.ts'
import { dense } from './define/copy.ts'
import { composite, type Op, op } from './define/op.ts'
import { scalar_name } from './define/out.ts'
import type { Number } from './define/pointwise.ts'
import { window } from './define/space.ts'
import { cat } from './join.ts'
import { searchsorted } from './searching.ts'
import { where } from './where.ts'

type Reduction = 'sum' | 'mean' | 'prod' | 'max' | 'min'

const starts: Readonly<Record<Reduction, number>> = {
  sum: 0,
  mean: 0,
  prod: 1,
  max: -Infinity,
  min: Infinity,
}

const combine = (reduction: Reduction, a: Expr, b: Expr): Expr =>
  reduction === 'max' ? a.max(b) : reduction === 'min' ? a.min(b) : reduction === 'prod' ? a.mul(b) : a.add(b)

/** Totals are kept in the result, so every step rounds to its dtype, as PyTorch does. */
const reduce_kernel = kernels('segment_reduce', (k, dtype: typeof float64, reduction: Reduction) => {
  const out = k.inout('out', dtype, { rank: 3, inner: 1 })
  const x = k.input('x', dtype, { rank: 3, inner: 1 })
  const offsets = k.input('offsets', int64, { rank: 2, inner: 1 })
  const initial = k.value('initial', out.type)
  const nothing = k.value('nothing', out.type)
  const [outer, segments, inner] = out.sizes as [Expr, Expr, Expr]
  const n = x.sizes[1]!
  k.nest([outer, segments], 'parallel', 'parallel', (o, s) => {
    const start = k.local('index', offsets.at(o!, s!).cast('index').max(0).min(n))
    const end = k.local('index', offsets.at(o!, s!.add(1)).cast('index').min(n))
    const length = k.local('index', end.sub(start).max(0))
    const first = k.local(out.type, length.eq(0).where(nothing, initial))
    k.for(inner, 'vector', i => k.store(out, [o!, s!, i], first))
    k.for(length, 'serial', t =>
      k.for(inner, 'vector', i => {
        const next = combine(reduction, out.at(o!, s!, i), x.at(o!, start.add(t), i))
        k.store(out, [o!, s!, i], next)
      }),
    )
    if (reduction !== 'mean') return
    k.if(length.gt(0), () => {
      const divisor = k.local(out.type, length.cast(out.type))
      k.for(inner, 'vector', i => k.store(out, [o!, s!, i], out.at(o!, s!, i).div(divisor)))
    })
  })
})

/** Sizes as [outer, axis, inner]. */
function around(sizes: readonly number[], axis: number): [number, number, number] {
  return [numel(sizes.slice(0, axis)), sizes[axis]!, numel(sizes.slice(axis + 1))]
}

function window_of(t: Tensor, axis: number): ReturnType<typeof window> {
  const [outer, n, inner] = around(t.sizes, axis)
  return window(t, [outer, n, inner], [n * inner, inner, 1])
}

const segments: Op<[data: Tensor, reduce: string, offsets: Tensor, axis: number, initial: Number | null]> =
  op('segment_reduce(Tensor data, str reduce, Tensor offsets, int axis, Scalar? initial)', {
    forward(data: Tensor, reduce: Reduction, offsets: Tensor, axis: number, initial: Number | null) {
      const count = offsets.sizes[axis]! - 1
      const out = empty(data.sizes.with(axis, count), data.dtype)
      if (out.count === 0) return out
      const first = initial === null ? starts[reduce] : Number(initial)
      const nothing = initial === null && reduce === 'mean' ? NaN : first
      const [outer] = around(data.sizes, axis)
      reduce_kernel(data.dtype, reduce)(
        [
          window_of(out, axis),
          window_of(dense(data), axis),
          window(dense(offsets), [outer, count + 1], [count + 1, 1]),
        ],
        [first, nothing],
      )
      return out
    },
    saves: ['data', 'offsets', 'out'],
    backward: {
      data: (g, [data, reduce, offsets, axis, initial], out) =>
        gradient(g, data, reduce as Reduction, offsets, axis, initial, out),
    },
  })

function gradient(
  g: Tensor,
  data: Tensor,
  reduction: Reduction,
  offsets: Tensor,
  axis: number,
  initial: Number | null,
  out: Tensor,
): Tensor {
  const [outer, n, inner] = around(data.sizes, axis)
  const count = offsets.sizes[axis]! - 1
  if (count === 0) return data.new_zeros(data.sizes)
  const places = arange(n).expand([outer, n]).contiguous()
  const segment = searchsorted(offsets.reshape([outer, count + 1]), places, { right: true }).sub(1)
  const inside = segment.ge(0).logical_and(segment.lt(count)).view([outer, n, 1])
  const index = segment
    .clamp(0, count - 1)
    .view([outer, n, 1])
    .expand([outer, n, inner])
  /** For each element, what its segment has. */
  const spread = (t: Tensor): Tensor =>
    t.reshape([outer, count, inner]).gather(1, index).mul(inside).view(data.sizes)
  const total = (t: Tensor): Tensor => segments(t, 'sum', offsets, axis, 0)
  switch (reduction) {
    case 'sum':
      return spread(g)
    case 'mean': {
      const lengths = offsets.diff({ dim: axis }).clamp({ min: 1 })
      return spread(g.div(lengths.view([...lengths.sizes, ...Array(g.ndim - 1 - axis).fill(1)])))
    }
    case 'prod': {
      const none = data.eq(0).logical_or(data.isnan())
      // The product of the others, for elements by which the whole product cannot be divided.
      const others = segments(where(none, 1, data), 'prod', offsets, axis, initial)
      const lost = total(none.to(data.dtype))
      const nans = spread(total(data.isnan().to(data.dtype))).sub(data.isnan().to(data.dtype))
      const alone = where(spread(lost).eq(1), spread(g.mul(others)), where(nans.gt(0), NaN, spread(g).mul(0)))
      return where(none, alone, spread(g.mul(out)).div(where(none, 1, data)))
    }
    default: {
      const chosen = data.eq(spread(out)).logical_or(data.isnan())
      const shares = total(chosen.to(data.dtype)).clamp({ min: 1 })
      return where(chosen, spread(g.div(shares)), 0)
    }
  }
}

const problem = (text: string): RuntimeError => new RuntimeError(`segment_reduce(): ${text}`)
const expected = (condition: string): RuntimeError =>
  new RuntimeError(
    `Expected ${condition} to be true, but got false.  (Could this error message be improved?  If so, please report an enhancement request to PyTorch.)`,
  )

/** Where the segments begin, and where the last one ends, along the last dimension. */
function offsets_of(data: Tensor, lengths: Tensor, axis: number, unsafe: boolean): Tensor {
  if (!unsafe && lengths.count > 0 && value_range(lengths).low < 0)
    throw new RuntimeError('lengths contains negative value!')
  const ends = lengths.to(int64).cumsum(axis)
  const offsets = cat([ends.new_zeros(ends.sizes.with(axis, 1)), ends], axis)
  if (!unsafe) {
    const { low, high } = value_range(offsets.select(axis, -1).contiguous())
    const n = data.sizes[axis]!
    if (low !== n || high !== n)
      throw problem(
        'Expected all rows of lengths along axis to sum to data.size(lengths.dim()-1) when !unsafe.',
      )
  }
  return offsets
}

type SegmentOptions = {
  lengths?: Tensor | null
  indices?: Tensor | null
  offsets?: Tensor | null
  axis?: number
  unsafe?: boolean
  initial?: Number | null
}

/**
 * Reduces runs along `axis` by 'sum', 'mean', 'prod', 'max' or 'min'. `lengths` says how long they are; or `offsets`
 * where they begin, and at its end where the last one ends. They may have dimensions before `axis`, where those of `data`
 * are cut differently. Reductions begin with `initial`, which is also what comes of an empty run.
 */
export const segment_reduce: Op<[data: Tensor, reduce: string, opts?: SegmentOptions]> = composite(
  'segment_reduce(Tensor data, str reduce, *, Tensor? lengths=None, Tensor? indices=None, Tensor? offsets=None, int axis=0, bool unsafe=False, Scalar? initial=None)',
  {
    body: (
      data: Tensor,
      reduce: string,
      lengths: Tensor | null,
      indices: Tensor | null,
      offsets: Tensor | null,
      dim: number,
      unsafe: boolean,
      initial: Number | null,
    ) => {
      const axis = wrap_dim(dim, data.ndim)
      if (data.count === 0) throw expected('data.numel() > 0')
      if (!Object.hasOwn(starts, reduce)) throw new RuntimeError(`unsupported reduction given! ${reduce}`)
      if (indices !== null) throw problem('indices based reduction is not supported yet.')
      const [name, cuts] = lengths === null ? ['offsets', offsets] : ['lengths', lengths]
      if (cuts === null) throw problem('Either lengths or offsets must be defined.')
      if (data.ndim < cuts.ndim) throw expected(`data.dim() >= ${name}_value.dim()`)
      if (axis !== cuts.ndim - 1)
        throw problem(`Expected axis to be the last dimension of ${name} but got ${axis}.`)
      if (!data.dtype.is_floating_point)
        throw new RuntimeError(`"_segment_reduce_cpu" not implemented for '${scalar_name(data.dtype)}'`)
      if (cuts.dtype !== int64 && cuts.dtype !== int32)
        throw new RuntimeError(
          `"_segment_reduce_${name}_cpu_kernel1" not implemented for '${scalar_name(cuts.dtype)}'`,
        )
      for (let d = 0; d < axis; d++)
        if (cuts.sizes[d] !== data.sizes[d])
          throw problem(`Expected ${name} and data to have the same sizes before axis.`)
      const at = lengths === null ? cuts.to(int64) : offsets_of(data, cuts, axis, unsafe)
      if (
        lengths === null &&
        at.count > at.select(axis, 0).count &&
        value_range(at.diff({ dim: axis })).low < 0
      )
        throw expected('segment_length >= 0')
      return segments(data, reduce, at, axis, initial)
    },
    samples: r => [
      [r(6), 'sum', { lengths: r.ints(2, 3, 3) }],
      [r(4, 3), 'mean', { lengths: r.ints(2, 3, 2), initial: 1 }],
      [r(6), 'prod', { lengths: r.ints(3, 4, 2) }],
      [r(2, 4, 2), 'prod', { lengths: r.ints(2, 3, 2, 2), axis: 1, initial: 2 }],
      [r.distinct(6, 2), 'max', { lengths: r.ints(3, 4, 2) }],
      [r.distinct(4), 'min', { lengths: r.ints(2, 3, 2), initial: 2.5 }],
    ],
    out: false,
  },
)
