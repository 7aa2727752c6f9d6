// Sorting along a dimension. Elements become integers in the same order; short rows are sorted by counting how many
// come before each, others by their digits, from the lowest on (radix sort), as many as tell the row's elements apart.
// Both are stable. NaN is larger than everything. Not here: the ops (../sorting.ts), rows as elements (group.ts).
import { type DType, int32, int64 } from '../../base/dtype.ts'
import { numel } from '../../base/shape.ts'
import type { Operand } from '../../device/device.ts'
import { constant, type Expr } from '../../ir/expr.ts'
import type { Builder, View } from '../../ir/kernel.ts'
import { is_float } from '../../ir/types.ts'
import { empty, kernels } from '../../tensor/dispatch.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { dense } from './copy.ts'
import { digit_of, element_of, fill_keys, key_dtype, key_of } from './order_keys.ts'
import { scratch } from './scratch.ts'
import { window } from './space.ts'

/** Rows of so many elements are sorted by counting. */
const SHORT = 64
/** The most bits of a digit; of rows that are long, but do fit into a cache, the second. */
const DIGIT = 8
const LONG_DIGIT = 11
const LONG = [4096, 2 ** 18] as const

/** Whether `a` comes before `b` in ascending order; NaN comes last. */
export function is_less(a: Expr, b: Expr): Expr {
  if (is_float(a.type)) return a.lt(b).or(b.ne(b).and(a.eq(a)))
  return a.type === 'bool' ? a.cast('i32').lt(b.cast('i32')) : a.lt(b)
}

/** Into how many parts rows are cut that share no memory while they are worked on. */
export const row_parts = (rows: number, n: number): number =>
  Math.min(rows, Math.max(1, Math.min(64, Math.floor(2 ** 20 / n))))

/** Loops over the rows of operands [outer, n, inner], in parts; `part` numbers the scratch memory of a row. */
export function each_line(
  k: Builder,
  [outer, , inner]: readonly Expr[],
  parts: Expr,
  body: (at: (i: Expr) => [Expr, Expr, Expr], part: Expr) => void,
): void {
  const rows = outer!.mul(inner!)
  k.for(parts, 'parallel', part => {
    const first = k.local('index', part.mul(rows).floordiv(parts))
    const end = k.local('index', part.add(1).mul(rows).floordiv(parts))
    k.for(end.sub(first), 'serial', r => {
      const row = k.local('index', first.add(r))
      const o = k.local('index', row.floordiv(inner!))
      const c = k.local('index', row.sub(o.mul(inner!)))
      body(i => [o, i, c], part)
    })
  })
}

const sort_kernel = kernels('sort', (k, dtype: DType, descending: boolean, single: boolean) => {
  // Where inner is 1 it is left out, so that rows are contiguous.
  const place = (at: [Expr, Expr, Expr]): Expr[] => (single ? [at[0], at[1]] : at)
  const layout = single ? ({ rank: 2, inner: 1 } as const) : ({ rank: 3, inner: 1 } as const)
  const values = k.output('values', dtype, layout)
  const indices = k.output('indices', int64, layout)
  const x = k.input('x', dtype, layout)
  const keys = k.inout('keys', key_dtype(dtype), { rank: 2, inner: 1 })
  const places = k.inout('places', int32, { rank: 2, inner: 1 })
  const counts = k.inout('counts', key_dtype(dtype), { rank: 2, inner: 1 })
  const n = x.sizes[1]!
  const sizes = single ? [x.sizes[0]!, n, constant(1, 'index')] : x.sizes
  each_line(k, sizes, keys.sizes[0]!, (at, part) => {
    const { low, length } = fill_keys(k, keys, part, n, i => key_of(x.at(...place(at(i))), descending))
    const store = (i: Expr, key: Expr, from: Expr): void => {
      const source = place(at(from))
      const value = element_of(key.add(low), x.type, descending, (guard, other) =>
        x.at_if(guard, source, other),
      )
      k.store(values, place(at(i)), value)
      k.store(indices, place(at(i)), from.cast('i64'))
    }
    k.if(
      n.le(SHORT),
      () => {
        count_smaller(k, keys, counts, part, n)
        k.for(n, 'serial', i =>
          store(counts.at(part, i).cast('index'), k.local(keys.type, keys.at(part, i)), i),
        )
      },
      () => {
        const from = by_digits(k, n, length, keys, places, counts, part)
        k.for(n, 'vector', i =>
          store(i, keys.at(part, from.add(i)), k.local('index', places.at(part, from.add(i)).cast('index'))),
        )
      },
    )
  })
})

/** How many keys come before each: smaller ones, and equal ones that stand before it. */
function count_smaller(k: Builder, keys: View, counts: View, part: Expr, n: Expr): void {
  const one = counts.type
  k.for(n, 'vector', i => k.store(counts, [part, i], 0))
  k.for(n, 'serial', j => {
    // Distances are unsigned; keys of the whole range have the top bit.
    const key = k.local(keys.type, flipped(keys.at(part, j)))
    k.for(n, 'vector', i => {
      const other = flipped(keys.at(part, i))
      const before = key.lt(other).or(key.eq(other).and(j.lt(i)))
      k.store(counts, [part, i], counts.at(part, i).add(before.cast(one)))
    })
  })
}

const flipped = (key: Expr): Expr => key.xor(key.type === 'i64' ? -(2n ** 63n) : -(2 ** 31))

const ONE = constant(1, 'i32')

/** Sorts the keys of a row, with their places, digit by digit. Returns where the sorted half begins. */
function by_digits(
  k: Builder,
  n: Expr,
  length: Expr,
  keys: View,
  places: View,
  counts: View,
  part: Expr,
): Expr {
  const most = k.local(
    'i32',
    n.gt(LONG[0]).and(n.le(LONG[1])).where(constant(LONG_DIGIT, 'i32'), constant(DIGIT, 'i32')),
  )
  const passes = k.local('i32', length.add(most).sub(1).truncdiv(most).max(1))
  const width = k.local('i32', length.add(passes).sub(1).truncdiv(passes))
  const buckets = k.local('index', ONE.shl(width).cast('index'))
  const mask = k.local('i32', ONE.shl(width).sub(1))
  const shift = k.local('i32', 0)
  const from = k.local('index', 0)
  k.for(n, 'vector', i => k.store(places, [part, i], i.cast('i32')))
  k.while(shift.lt(length), () => {
    const to = k.local('index', n.sub(from))
    const digit = (i: Expr): Expr => k.local('index', digit_of(keys.at(part, from.add(i)), shift, mask))
    k.for(buckets, 'vector', d => k.store(counts, [part, d], 0))
    k.for(n, 'serial', i => {
      const d = digit(i)
      k.store(counts, [part, d], counts.at(part, d).add(1))
    })
    const sum = k.local(counts.type, 0)
    k.for(buckets, 'serial', d => {
      const here = k.local(counts.type, counts.at(part, d))
      k.store(counts, [part, d], sum)
      k.assign(sum, sum.add(here))
    })
    k.for(n, 'serial', i => {
      const d = digit(i)
      const place = k.local(counts.type, counts.at(part, d))
      k.store(counts, [part, d], place.add(1))
      const target = k.local('index', to.add(place.cast('index')))
      k.store(keys, [part, target], keys.at(part, from.add(i)))
      k.store(places, [part, target], places.at(part, from.add(i)))
    })
    k.assign(from, to)
    k.assign(shift, shift.add(width))
  })
  return from
}

/** A contiguous tensor as [outer, dim, inner]. */
export function around_dim(t: Tensor, dim: number): Operand {
  const before = numel(t.sizes.slice(0, dim))
  const n = t.sizes[dim] ?? 1
  const inner = numel(t.sizes.slice(dim + 1))
  return window(t, [before, n, inner], [n * inner, inner, 1])
}

/** The values along `dim` in order, and where they were. */
export function sort_dim(
  self: Tensor,
  dim: number,
  descending: boolean,
): { values: Tensor; indices: Tensor } {
  const values = empty(self.sizes, self.dtype)
  const indices = empty(self.sizes, int64)
  if (self.count === 0) return { values, indices }
  const n = self.sizes[dim] ?? 1
  const [outer, , inner] = around_dim(values, dim).sizes as [number, number, number]
  const single = inner === 1
  const rows = (t: Tensor): Operand => (single ? window(t, [outer, n], [n, 1]) : around_dim(t, dim))
  const parts = row_parts(outer * inner, n)
  const key = key_dtype(self.dtype)
  sort_kernel(
    self.dtype,
    descending,
    single,
  )(
    [
      rows(values),
      rows(indices),
      rows(dense(self)),
      scratch(0, [parts, 2 * n], key),
      scratch(1, [parts, 2 * n], int32),
      scratch(2, [parts, 2 ** LONG_DIGIT], key),
    ],
    [],
  )
  return { values, indices }
}
