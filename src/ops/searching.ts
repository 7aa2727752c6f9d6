// Where values stand in sorted ones (searchsorted, bucketize), and whether they are among others (isin).
// Not here: counting them (counting.ts).
import { bool, type DType, int32, int64, result_dtype, scalar_dtype } from '../base/dtype.ts'
import { RuntimeError } from '../base/errors.ts'
import { numel, same_sizes } from '../base/shape.ts'
import { empty, kernels } from '../tensor/dispatch.ts'
import { tensor_from } from '../tensor/from_data.ts'
import { alias, type Tensor } from '../tensor/tensor.ts'
import { arange } from './creation.ts'
import { value_range } from './define/bounds.ts'
import { dense, dense_as } from './define/copy.ts'
import { type Op, overloaded } from './define/op.ts'
import { scalar_name } from './define/out.ts'
import type { Number } from './define/pointwise.ts'
import { is_less, sort_dim } from './define/sort.ts'
import { window } from './define/space.ts'

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
