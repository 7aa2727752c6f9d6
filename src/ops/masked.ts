// Masks: filling, selecting and scattering where a boolean tensor is true, and the positions where it is.
// Not here: the kernels that they share with index syntax (masks.ts), indices (index_ops.ts, scatter.ts).
import { bool, type DType, float64, uint8 } from '../base/dtype.ts'
import { RuntimeError } from '../base/errors.ts'
import { broadcast_sizes, expand_strides } from '../base/shape.ts'
import type { Expr } from '../ir/expr.ts'
import { empty, kernels } from '../tensor/dispatch.ts'
import { Tensor } from '../tensor/tensor.ts'
import { to_dtype } from './convert.ts'
import { dense } from './define/copy.ts'
import { in_place } from './define/inplace.ts'
import { make_op, type Op, type Overloads, op, overloaded } from './define/op.ts'
import { scalar_name } from './define/out.ts'
import { type Number, pointwise } from './define/pointwise.ts'
import { update_op } from './define/update.ts'
import { count_blocks, each_true, fill_args, nonzero_rows } from './masks.ts'

type Out = { out?: Tensor }
type MaskedFill = Op<[self: Tensor, mask: Tensor, value: Tensor | Number, opts?: Out]>

const fill_where = pointwise<[self: Tensor, mask: Tensor, value: Tensor | Number], [Expr, Expr, Expr]>(
  'masked_fill(Tensor self, Tensor mask, Tensor value)',
  {
    node: numbers => (numbers[2] ? 'MaskedFillBackward0' : 'MaskedFillBackward1'),
    forward: (self, mask, value) => mask.ne(0).where(value, self),
    samples: r => [
      [r(3, 4), r.bools(3, 4), 2.5],
      [r(3, 4), r.bools(4), r()],
      [r(3), r.bools(3), -1],
    ],
  },
)
const fill_where_ = in_place(
  fill_where as unknown as Op<[self: Tensor, mask: Tensor, value: Tensor | Number]>,
)

/** A copy with `value` (a number or a 0-dim tensor) where `mask` is true; the mask is broadcast. */
export const masked_fill: MaskedFill = make_op(
  (self, mask, value, opts) =>
    (fill_where as MaskedFill)(...fill_args(self, mask, value), ...(opts ? [opts] : [])),
  fill_where.spec,
)
/** In-place {@link masked_fill}. */
export const masked_fill_: MaskedFill = make_op(
  (self, mask, value) => fill_where_(...fill_args(self, mask, value)),
  fill_where_.spec,
)

const pack_kernel = kernels('masked_select', (k, dtype: DType) => {
  const out = k.output('out', dtype, 'flat')
  const x = k.input('x', dtype, 'flat')
  const mask = k.input('mask', bool, 'flat')
  const starts = k.input('starts', float64, 'flat')
  each_true(
    k,
    starts,
    i => mask.at(i),
    (n, i) => k.store(out, [n], x.at(i)),
  )
})

const unpack_kernel = kernels('masked_scatter', (k, dtype: DType) => {
  const out = k.inout('out', dtype, 'flat')
  const source = k.input('source', dtype, 'flat')
  const mask = k.input('mask', bool, 'flat')
  const starts = k.input('starts', float64, 'flat')
  each_true(
    k,
    starts,
    i => mask.at(i),
    (n, i, here) => k.store(out, [i], here.where(source.at(n), out.at(i))),
  )
})

/** A contiguous bool mask of the given sizes. */
const spread_mask = (mask: Tensor, sizes: readonly number[]): Tensor =>
  dense(window_of(to_dtype(mask, bool), sizes))
const window_of = (t: Tensor, sizes: readonly number[]): Tensor =>
  new Tensor(t.memory, t.offset, sizes, expand_strides(t.sizes, t.strides, sizes), t.dtype)

/** The elements where `mask` is true, as one dimension; both are broadcast. */
export const masked_select: Op<[self: Tensor, mask: Tensor, opts?: Out]> = op(
  'masked_select(Tensor self, Tensor mask)',
  {
    forward(self: Tensor, mask: Tensor) {
      if (mask.dtype !== bool && mask.dtype !== uint8)
        throw new RuntimeError('masked_select: expected BoolTensor or ByteTensor for mask')
      const sizes = broadcast_sizes(mask.sizes, self.sizes)
      const where = spread_mask(mask, sizes)
      const x = dense(window_of(self, sizes))
      const { starts, total } = count_blocks(where)
      const out = empty([total], self.dtype)
      if (total > 0) pack_kernel(self.dtype)([out, x, where, starts], [])
      return out
    },
    saves: ['mask'],
    backward: {
      self: (g, [self, mask]) => {
        const sizes = broadcast_sizes(mask.sizes, self.sizes)
        const full = g.new_zeros(sizes).masked_scatter(mask.expand(sizes), g)
        return String(sizes) === String(self.sizes) ? full : full.sum_to_size(self.sizes)
      },
    },
    samples: r => [
      [r(3, 4), r.bools(3, 4)],
      [r(3, 1), r.bools(4)],
      [r(), r.bools()],
    ],
  },
)

/** A copy with the elements of `source`, in order, where `mask` is true. */
export const masked_scatter: Op<[self: Tensor, mask: Tensor, source: Tensor]> = update_op(
  'masked_scatter(Tensor self, Tensor mask, Tensor source)',
  {
    prepare(self: Tensor, mask: Tensor, source: Tensor) {
      if (self.dtype !== source.dtype)
        throw new RuntimeError(
          `masked_scatter: expected self and source to have same dtypes but got${scalar_name(self.dtype)} and ${scalar_name(source.dtype)}`,
        )
      const where = spread_mask(mask, self.sizes)
      if (count_blocks(where).total > source.count)
        throw new RuntimeError('Number of elements of source < number of ones in mask')
      return out => {
        const from = dense(source)
        const { starts, total } = count_blocks(where)
        if (total > 0) unpack_kernel(self.dtype)([out, from, where, starts], [])
      }
    },
    saves: ['mask'],
    backward: {
      self: (g, [, mask]) => g.masked_fill(mask, 0),
      source: (g, [, mask, source]) => {
        const used = g.masked_select(mask)
        const rest = source.numel() - used.numel()
        const flat = g.new_zeros([source.numel()])
        return (rest === 0 ? used : flat.slice_scatter(used, 0, 0, used.numel())).reshape(source.sizes)
      },
    },
    samples: r => [
      [r(3, 4), r.bools(3, 4), r(12)],
      [r(3, 4), r.bools(4), r(4, 4)],
    ],
  },
)
/** In-place {@link masked_scatter}. */
export const masked_scatter_: typeof masked_scatter = in_place(masked_scatter)

interface NonzeroMethod {
  (opts: { as_tuple: true }): Tensor[]
  (opts?: { as_tuple?: false; out?: Tensor }): Tensor
}
type NonzeroArgs = [self: Tensor, opts?: { as_tuple?: boolean; out?: Tensor }]
type Nonzero = ((self: Tensor, opts: { as_tuple: true }) => Tensor[]) &
  Op<NonzeroArgs> &
  Overloads<NonzeroMethod>

/** The positions of the elements that are not zero: [n, ndim], or with `as_tuple` a tensor of n per dimension. */
export const nonzero: Nonzero = overloaded<NonzeroArgs>(
  [
    [
      'nonzero(Tensor self, *, bool as_tuple=False)',
      nonzero_as as (self: Tensor, as_tuple: boolean) => Tensor,
    ],
  ],
  { samples: r => [[r(3, 4)], [r()]], gradcheck: false },
) as unknown as Nonzero

function nonzero_as(self: Tensor, as_tuple: boolean): Tensor | Tensor[] {
  if (!as_tuple) return nonzero_rows(self)
  const rows = nonzero_rows(self.sizes.length === 0 ? window_of(self, [1]) : self)
  return Array.from({ length: rows.sizes[1]! }, (_, d) => rows.select(1, d))
}

/** The positions of the elements that are not zero, a row each. */
export const argwhere: Op<[self: Tensor]> = overloaded<[self: Tensor]>(
  [['argwhere(Tensor self)', nonzero_rows]],
  {
    samples: r => [[r(3, 4)], [r()]],
    gradcheck: false,
    out: false,
  },
)
