// Counting and locating values: bincount, histc, searchsorted, bucketize, isin. No gradients.
// Not here: one_hot (nn/one_hot.ts), sorting (sorting.ts), counts of nonzero elements (reduction.ts).
import {
  bfloat16,
  bool,
  type DType,
  float16,
  float32,
  float64,
  int32,
  int64,
  result_dtype,
  scalar_dtype,
} from '../base/dtype.ts'
import { RuntimeError } from '../base/errors.ts'
import { numel, same_sizes } from '../base/shape.ts'
import { constant, type Expr } from '../ir/expr.ts'
import { empty, kernels, zeros } from '../tensor/dispatch.ts'
import { tensor_from } from '../tensor/from_data.ts'
import { alias, type Tensor } from '../tensor/tensor.ts'
import { arange } from './creation.ts'
import { round_to_bfloat16 } from './define/bfloat16.ts'
import { value_range } from './define/bounds.ts'
import { dense, dense_as } from './define/copy.ts'
import { type Op, overloaded } from './define/op.ts'
import { scalar_name } from './define/out.ts'
import type { Number } from './define/pointwise.ts'
import { is_less, sort_dim } from './define/sort.ts'
import { window } from './define/space.ts'

type Out = { out?: Tensor }

// ------------------------------------------------------------------------------------ bincount, histc

const bincount_kernel = kernels('bincount', (k, dtype: DType, weight: DType | null, to: DType) => {
  const out = k.inout('out', to, 'flat')
  const x = k.input('x', dtype, 'flat')
  const weights = weight === null ? null : k.input('weights', weight, 'flat')
  k.for(x.sizes[0]!, 'serial', i => {
    const bin = x.at(i).cast('index')
    const share = weights === null ? constant(1, out.type) : weights.at(i).cast(out.type)
    k.store(out, [bin], out.at(bin).add(share))
  })
})

function count_bins(self: Tensor, weights: Tensor | null, minlength: number): Tensor {
  if (minlength < 0) throw new RuntimeError('minlength should be >= 0')
  const { dtype } = self
  if (dtype.category !== 1)
    throw new RuntimeError(`"bincount_cpu" not implemented for '${scalar_name(dtype)}'`)
  const problem = 'bincount only supports 1-d non-negative integral inputs.'
  const to = weights === null ? int64 : weights.dtype === float32 ? float32 : float64
  if (self.sizes.length === 1 && self.count === 0) return zeros([minlength], weights === null ? int64 : to)
  if (self.sizes.length !== 1) throw new RuntimeError(problem)
  const { low, high } = value_range(self)
  if (low < 0) throw new RuntimeError(problem)
  if (weights !== null && (weights.sizes.length !== 1 || weights.count !== self.count))
    throw new RuntimeError('weights should be 1-d and have the same length as input')
  const out = zeros([Math.max(high + 1, minlength)], to)
  const operands = weights === null ? [out, dense(self)] : [out, dense(self), dense(weights)]
  bincount_kernel(dtype, weights?.dtype ?? null, to)(operands, [])
  return out
}

type BincountOptions = { weights?: Tensor | null; minlength?: number }
/** How often each value occurs in a 1-d tensor of integers that are not negative, or the sum of its weights. */
export const bincount: Op<
  [self: Tensor, weights?: Tensor | null | BincountOptions, minlength?: number | BincountOptions]
> = overloaded([['bincount(Tensor self, Tensor? weights=None, int minlength=0)', count_bins]], {
  out: false,
  gradcheck: false,
  samples: r => [[r.ints(0, 5, 7)], [r.ints(0, 5, 7), r(7)], [r.ints(0, 3, 4), { minlength: 6 }]],
})

const histc_kernel = kernels('histc', (k, dtype: DType) => {
  const out = k.inout('out', dtype, 'flat')
  const x = k.input('x', dtype, 'flat')
  const low = k.value('low', x.type)
  const high = k.value('high', x.type)
  const bins = k.value('bins', x.type)
  // bfloat16 is rounded at every step, which decides into which bin an element near an edge falls.
  const step = (e: Expr): Expr => (dtype === bfloat16 ? round_to_bfloat16(e) : e)
  k.for(x.sizes[0]!, 'serial', i => {
    const value = x.at(i)
    k.if(value.ge(low).and(value.le(high)), () => {
      const place = step(step(step(value.sub(low)).div(step(high.sub(low)))).mul(bins)).floor()
      const bin = place.min(bins.sub(1)).cast('index')
      k.store(out, [bin], out.at(bin).add(1))
    })
  })
})

const extremes_kernel = kernels('extremes', (k, dtype: DType) => {
  const out = k.output('out', float64, 'flat')
  const x = k.input('x', dtype, 'flat')
  const low = k.local(x.type, x.at(0))
  const high = k.local(x.type, x.at(0))
  k.for(x.sizes[0]!, 'reduce', i => {
    k.assign(low, low.min(x.at(i)))
    k.assign(high, high.max(x.at(i)))
  })
  k.store(out, [0], low.cast('f64'))
  k.store(out, [1], high.cast('f64'))
})

function histogram(self: Tensor, bins: number, min: Number, max: Number): Tensor {
  if (bins <= 0)
    throw new RuntimeError(`torch.histogram(): bins must be > 0, but got ${bins} for dimension 0`)
  if (!self.dtype.is_floating_point || self.dtype === float16)
    throw new RuntimeError(`"histogram_cpu" not implemented for '${scalar_name(self.dtype)}'`)
  let [low, high] = [Number(min), Number(max)]
  if (low === high && self.count > 0) {
    const out = empty([2], float64)
    extremes_kernel(self.dtype)([out, dense(self)], [])
    const found = out.memory.peek(float64)
    low = Number(found[out.offset])
    high = Number(found[out.offset + 1])
  }
  if (low === high) {
    low -= 1
    high += 1
  }
  if (!Number.isFinite(low) || !Number.isFinite(high))
    throw new RuntimeError(`torch.histc: range of [${c_float(low)}, ${c_float(high)}] is not finite`)
  if (low > high) throw new RuntimeError('torch.histc: max must be larger than min')
  const out = zeros([bins], self.dtype)
  if (self.count > 0) histc_kernel(self.dtype)([out, dense(self)], [low, high, bins])
  return out
}
const c_float = (x: number): string =>
  Number.isNaN(x) ? 'nan' : x === Infinity ? 'inf' : x === -Infinity ? '-inf' : String(x)

type HistcOptions = { bins?: number; min?: Number; max?: Number; out?: Tensor }
/** How many elements lie in each of `bins` equal parts of the range `min` to `max` (by default the elements' own). */
export const histc: Op<
  [
    self: Tensor,
    bins?: number | HistcOptions,
    min?: Number | HistcOptions,
    max?: Number | HistcOptions,
    opts?: Out,
  ]
> = overloaded([['histc(Tensor self, int bins=100, Scalar min=0, Scalar max=0)', histogram]], {
  gradcheck: false,
  samples: r => [
    [r(9), 4],
    [r(9), { bins: 3, min: -1, max: 1 }],
  ],
})

// ------------------------------------------------------------------------------------ searchsorted

const search_kernel = kernels(
  'searchsorted',
  (k, dtype: DType, to: DType, right: boolean, sorted: boolean) => {
    const out = k.output('out', to, { rank: 2, inner: 1 })
    const edges = k.input('edges', dtype, { rank: 2 })
    const values = k.input('values', dtype, { rank: 2, inner: 1 })
    const order = sorted ? k.input('order', int64, { rank: 2 }) : null
    k.nest(out.sizes, 'parallel', 'serial', (row, i) => {
      const low = k.local('index', 0)
      const high = k.local('index', edges.sizes[1]!)
      const value = values.at(row!, i!)
      k.while(low.lt(high), () => {
        const middle = k.local('index', low.add(high).shr(1))
        const edge = edges.at(row!, order === null ? middle : order.at(row!, middle).cast('index'))
        // Written as "not greater", so that a value is put after every NaN.
        const after = (right ? edge.gt(value) : edge.ge(value)).not()
        k.if(
          after,
          () => k.assign(low, middle.add(1)),
          () => k.assign(high, middle),
        )
      })
      k.store(out, [row!, i!], low.cast(out.type))
    })
  },
)

type SearchOptions = {
  out_int32?: boolean
  right?: boolean
  side?: string | null
  sorter?: Tensor | null
  out?: Tensor
}

function search(
  name: string,
  edges: Tensor,
  values: Tensor,
  out_int32: boolean,
  right: boolean,
  side: string | null,
  sorter: Tensor | null,
): Tensor {
  if (side !== null && side !== 'left' && side !== 'right')
    throw new RuntimeError(`torch.${name}(): side can only be 'left' or 'right' but got ${side}`)
  if (side === 'left' && right)
    throw new RuntimeError(
      `torch.${name}(): side and right can't be set to opposites, got side of left while right was True`,
    )
  const rows = edges.sizes.slice(0, -1)
  const show = (sizes: readonly number[]): string => `[${sizes.join(', ')}]`
  if (
    edges.sizes.length !== 1 &&
    !(edges.sizes.length === values.sizes.length && same_sizes(rows, values.sizes.slice(0, -1)))
  ) {
    if (values.sizes.length === 0)
      throw new RuntimeError(
        `torch.${name}(): input value can be a scalar only when boundaries tensor dimension is 1, but we got boundaries tensor dim(${edges.sizes.length}) and input value's dim(0) numel(1)`,
      )
    throw new RuntimeError(
      `torch.${name}(): boundaries tensor should be 1 dimension or the first N-1 dimensions of boundaries tensor and input value tensor must match, but we got boundaries tensor ${show(edges.sizes)} and input value tensor ${show(values.sizes)}`,
    )
  }
  if (sorter !== null) {
    if (!same_sizes(sorter.sizes, edges.sizes))
      throw new RuntimeError(
        `torch.${name}(): boundary and sorter must have the same size, but got boundary tensor ${show(edges.sizes)}and got sorter tensor ${show(sorter.sizes)}`,
      )
    if (sorter.dtype !== int64)
      throw new RuntimeError(
        `torch.${name}(): sorter must be a tensor of long dtype but got dtype ${scalar_name(sorter.dtype)}`,
      )
    const range = sorter.count > 0 ? value_range(sorter) : { low: 0, high: -1 }
    if (range.low < 0 || range.high >= (edges.sizes.at(-1) ?? 0))
      throw new RuntimeError(`torch.${name}(): sorter index out of range`)
  }
  const out = empty(values.sizes, out_int32 ? int32 : int64)
  if (out.count === 0) return out
  const dtype = result_dtype([edges, values])
  const n = edges.sizes[edges.sizes.length - 1]!
  const [batch, step] = edges.sizes.length === 1 ? [1, 0] : [numel(rows), n]
  const count = out.count / batch
  const as_rows = (t: Tensor) => window(t, [batch, count], [count, 1])
  const as_edges = (t: Tensor) => window(t, [batch, n], [step, 1])
  const operands = [as_rows(out), as_edges(dense_as(edges, dtype)), as_rows(dense_as(values, dtype))]
  if (sorter !== null) operands.push(as_edges(dense(sorter)))
  search_kernel(dtype, out.dtype, right || side === 'right', sorter !== null)(operands, [])
  return out
}

/** A number as a 0-dim tensor of its dtype: what stands for it in promotion. */
const of_number = (value: Number): Tensor => tensor_from(value, scalar_dtype(value))

/**
 * Where in the ascending last dimension of `sorted_sequence` each value would be put: before equal elements, or after
 * them with `right` (or side: 'right'). `sorter` holds the order of a sequence that is not sorted itself.
 */
export const searchsorted: Op<[sorted_sequence: Tensor, self: Tensor | Number, opts?: SearchOptions]> =
  overloaded(
    [
      [
        'searchsorted(Tensor sorted_sequence, Tensor self, *, bool out_int32=False, bool right=False, str? side=None, Tensor? sorter=None)',
        (
          edges: Tensor,
          values: Tensor,
          int32_: boolean,
          right: boolean,
          side: string | null,
          sorter: Tensor | null,
        ) => search('searchsorted', edges, values, int32_, right, side, sorter),
      ],
      [
        'searchsorted(Tensor sorted_sequence, Scalar self, *, bool out_int32=False, bool right=False, str? side=None, Tensor? sorter=None)',
        (
          edges: Tensor,
          value: Number,
          int32_: boolean,
          right: boolean,
          side: string | null,
          sorter: Tensor | null,
        ) => search('searchsorted', edges, of_number(value), int32_, right, side, sorter),
      ],
    ],
    {
      gradcheck: false,
      samples: r => [
        [arange(5), r.range(-1, 6, 4)],
        [arange(5), 2, { right: true }],
      ],
    },
  )

type BucketizeOptions = { out_int32?: boolean; right?: boolean; out?: Tensor }

function buckets(values: Tensor, edges: Tensor, out_int32: boolean, right: boolean): Tensor {
  if (edges.sizes.length !== 1)
    throw new RuntimeError(`boundaries tensor must be 1 dimension, but got dim(${edges.sizes.length})`)
  return search('searchsorted', edges, values, out_int32, right, null, null)
}

/** The number of the part between ascending `boundaries` that each value lies in; see {@link searchsorted}. */
export const bucketize: Op<[self: Tensor | Number, boundaries: Tensor, opts?: BucketizeOptions]> = overloaded(
  [
    ['bucketize(Tensor self, Tensor boundaries, *, bool out_int32=False, bool right=False)', buckets],
    [
      'bucketize(Scalar self, Tensor boundaries, *, bool out_int32=False, bool right=False)',
      (value: Number, edges: Tensor, out_int32: boolean, right: boolean) =>
        buckets(of_number(value), edges, out_int32, right),
    ],
  ],
  { gradcheck: false, samples: r => [[r(3, 4), arange(-1, 2)]] },
)

// ------------------------------------------------------------------------------------ isin

const member_kernel = kernels('isin', (k, dtype: DType, invert: boolean) => {
  const out = k.output('out', bool, 'flat')
  const x = k.input('x', dtype, 'flat')
  const sorted = k.input('sorted', dtype, 'flat')
  const n = sorted.sizes[0]!
  k.for(out.sizes[0]!, 'serial', i => {
    const low = k.local('index', 0)
    const high = k.local('index', n)
    const value = x.at(i)
    k.while(low.lt(high), () => {
      const middle = k.local('index', low.add(high).shr(1))
      k.if(
        is_less(sorted.at(middle), value),
        () => k.assign(low, middle.add(1)),
        () => k.assign(high, middle),
      )
    })
    const inside = low.lt(n)
    const found = inside.and(sorted.at_if(inside, [low]).eq(value))
    k.store(out, [i], invert ? found.not() : found)
  })
})

function members(elements: Tensor, test: Tensor, invert: boolean): Tensor {
  const dtype = result_dtype([elements, test])
  const out = empty(elements.sizes, bool)
  if (out.count === 0) return out
  const values = dense_as(test, dtype)
  const { values: sorted } = sort_dim(alias(values, [values.count], [1]), 0, false)
  member_kernel(dtype, invert)([out, dense_as(elements, dtype), sorted], [])
  return out
}

type IsinOptions = { assume_unique?: boolean; invert?: boolean; out?: Tensor }
const ISIN = '*, bool assume_unique=False, bool invert=False'

/** Whether each element is among `test_elements` (or is not, with `invert`). */
export const isin: Op<[elements: Tensor | Number, test_elements: Tensor | Number, opts?: IsinOptions]> =
  overloaded(
    [
      [
        `isin(Tensor elements, Tensor test_elements, ${ISIN})`,
        (x: Tensor, test: Tensor, _: boolean, invert: boolean) => members(x, test, invert),
      ],
      [
        `isin(Tensor elements, Scalar test_element, ${ISIN})`,
        (x: Tensor, test: Number, _: boolean, invert: boolean) => members(x, of_number(test), invert),
      ],
      [
        `isin(Scalar element, Tensor test_elements, ${ISIN})`,
        (x: Number, test: Tensor, _: boolean, invert: boolean) => members(of_number(x), test, invert),
      ],
    ],
    {
      gradcheck: false,
      samples: r => [
        [r.ints(0, 5, 3, 4), r.ints(0, 5, 3)],
        [r.ints(0, 5, 3), 2, { invert: true }],
      ],
    },
  )
