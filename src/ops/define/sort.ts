// Sorting along a dimension: a stable merge sort that starts from short insertion-sorted runs and works in a scratch
// buffer, so that every row takes O(n log n) steps. NaN is larger than everything. Not here: the ops (../sorting.ts).
import { type DType, int64 } from '../../base/dtype.ts'
import { numel } from '../../base/shape.ts'
import type { Operand } from '../../device/device.ts'
import type { Expr } from '../../ir/expr.ts'
import type { Builder, View } from '../../ir/kernel.ts'
import { is_float } from '../../ir/types.ts'
import { empty, kernels, zeros } from '../../tensor/dispatch.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { dense } from './copy.ts'
import { window } from './space.ts'

/** Elements that insertion sort puts in order before runs are merged. */
const RUN = 8

/** Whether `a` comes before `b` in ascending order; NaN comes last. */
export function is_less(a: Expr, b: Expr): Expr {
  if (is_float(a.type)) return a.lt(b).or(b.ne(b).and(a.eq(a)))
  return a.type === 'bool' ? a.cast('i32').lt(b.cast('i32')) : a.lt(b)
}

const order_of =
  (descending: boolean) =>
  (a: Expr, b: Expr): Expr =>
    descending ? is_less(b, a) : is_less(a, b)

/**
 * Merges sorted runs of `first` elements two by two, then runs of twice as many, until one of `n` is left. Positions
 * are in scratch buffers of 2n: each pass goes from one half to the other. `step` writes the next element of a merge
 * to `to`, from the next left or right one (`left` says whether there is any left), and returns whether it was the
 * right one. The result is where the sorted half starts.
 */
function merge_runs(
  k: Builder,
  n: Expr,
  first: number,
  step: (left: { at: Expr; left: Expr }, right: { at: Expr; left: Expr }, to: Expr) => Expr,
): Expr {
  const from = k.local('index', 0)
  const width = k.local('index', first)
  k.while(width.lt(n), () => {
    const to = k.local('index', n.sub(from))
    const start = k.local('index', 0)
    k.while(start.lt(n), () => {
      const mid = k.local('index', start.add(width).min(n))
      const end = k.local('index', mid.add(width).min(n))
      const l = k.local('index', start)
      const r = k.local('index', mid)
      k.for(end.sub(start), 'serial', o => {
        const right = k.local(
          'bool',
          step(
            { at: from.add(l), left: l.lt(mid) },
            { at: from.add(r), left: r.lt(end) },
            to.add(start).add(o),
          ),
        )
        k.assign(r, right.where(r.add(1), r))
        k.assign(l, right.where(l, l.add(1)))
      })
      k.assign(start, end)
    })
    k.assign(from, to)
    k.assign(width, width.add(width))
  })
  return from
}

const sort_kernel = kernels('sort', (k, dtype: DType, descending: boolean) => {
  const values = k.output('values', dtype, { rank: 3 })
  const indices = k.output('indices', int64, { rank: 3 })
  const x = k.input('x', dtype, { rank: 3 })
  const keys = k.inout('keys', dtype, 'flat')
  const places = k.inout('places', int64, 'flat')
  const before = order_of(descending)
  const n = x.sizes[1]!
  k.for(x.sizes[0]!, 'serial', o =>
    k.for(x.sizes[2]!, 'serial', inner => {
      insert_runs(k, n, before, keys, places, i => x.at(o, i, inner))
      const from = merge_runs(k, n, RUN, (a, b, to) => {
        const key_a = k.local(x.type, keys.at_if(a.left, [a.at]))
        const key_b = k.local(x.type, keys.at_if(b.left, [b.at]))
        const right = k.local('bool', b.left.and(a.left.not().or(before(key_b, key_a))))
        k.store(keys, [to], right.where(key_b, key_a))
        k.store(places, [to], places.at(right.where(b.at, a.at)))
        return right
      })
      k.for(n, 'vector', i => {
        k.store(values, [o, i, inner], keys.at(from.add(i)))
        k.store(indices, [o, i, inner], places.at(from.add(i)))
      })
    }),
  )
})

/** Fills the scratch buffers with runs of RUN elements in order, each with its place. */
function insert_runs(
  k: Builder,
  n: Expr,
  before: (a: Expr, b: Expr) => Expr,
  keys: View,
  places: View,
  load: (i: Expr) => Expr,
): void {
  k.for(n, 'serial', i => {
    const key = k.local(keys.type, load(i))
    const low = k.local('index', i.sub(i.mod(RUN)))
    const j = k.local('index', i)
    k.while(j.gt(low).and(before(key, keys.at_if(j.gt(low), [j.sub(1)]))), () => {
      k.store(keys, [j], keys.at(j.sub(1)))
      k.store(places, [j], places.at(j.sub(1)))
      k.assign(j, j.sub(1))
    })
    k.store(keys, [j], key)
    k.store(places, [j], i.cast('i64'))
  })
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
  sort_kernel(self.dtype, descending)(
    [
      around_dim(values, dim),
      around_dim(indices, dim),
      around_dim(dense(self), dim),
      empty([2 * n], self.dtype),
      empty([2 * n], int64),
    ],
    [],
  )
  return { values, indices }
}

const rows_kernel = kernels('sort_rows', (k, dtype: DType) => {
  const order = k.output('order', int64, 'flat')
  const x = k.input('x', dtype, { rank: 2, inner: 1 })
  const places = k.inout('places', int64, 'flat')
  const [n, m] = x.sizes as [Expr, Expr]
  k.for(n, 'vector', i => k.store(places, [i], i.cast('i64')))
  const from = merge_runs(k, n, 1, (a, b, to) => {
    const right = k.local('bool', a.left.not())
    k.if(a.left.and(b.left), () => {
      const row_a = k.local('index', places.at(a.at).cast('index'))
      const row_b = k.local('index', places.at(b.at).cast('index'))
      const j = first_difference(k, x, m, row_a, row_b)
      const differs = j.lt(m)
      k.assign(right, differs.and(is_less(x.at_if(differs, [row_b, j]), x.at_if(differs, [row_a, j]))))
    })
    k.store(places, [to], places.at(right.where(b.at, a.at)))
    return right
  })
  k.for(n, 'vector', i => k.store(order, [i], places.at(from.add(i))))
})

/** The first column in which two rows differ, or the number of columns. */
function first_difference(k: Builder, x: View, m: Expr, a: Expr, b: Expr): Expr {
  const j = k.local('index', 0)
  const inside = j.lt(m)
  k.while(inside.and(x.at_if(inside, [a, j]).eq(x.at_if(inside, [b, j]))), () => k.assign(j, j.add(1)))
  return j
}

/** The order that sorts the rows of a contiguous [n, m] tensor lexicographically. */
export function sort_rows(rows: Tensor): Tensor {
  const n = rows.sizes[0]!
  const order = empty([n], int64)
  if (n > 0) rows_kernel(rows.dtype)([order, rows, empty([2 * n], int64)], [])
  return order
}

const group_kernel = kernels('group_rows', (k, dtype: DType) => {
  const firsts = k.inout('firsts', int64, 'flat')
  const counts = k.inout('counts', int64, 'flat')
  const inverse = k.output('inverse', int64, 'flat')
  const total = k.output('total', int64, 'flat')
  const x = k.input('x', dtype, { rank: 2, inner: 1 })
  const order = k.input('order', int64, 'flat')
  const [n, m] = x.sizes as [Expr, Expr]
  const group = k.local('index', -1)
  k.for(n, 'serial', i => {
    const row = k.local('index', order.at(i).cast('index'))
    const fresh = k.local('bool', i.eq(0))
    k.if(i.gt(0), () => {
      const last = k.local('index', order.at(i.sub(1)).cast('index'))
      k.assign(fresh, first_difference(k, x, m, row, last).lt(m))
    })
    k.if(fresh, () => {
      k.assign(group, group.add(1))
      k.store(firsts, [group], row.cast('i64'))
      k.store(counts, [group], 0)
    })
    k.store(counts, [group], counts.at(group).add(1))
    k.store(inverse, [row], group.cast('i64'))
  })
  k.store(total, [0], group.add(1).cast('i64'))
})

/** Runs of equal rows of a contiguous [n, m] tensor taken in `order`: the first of each, its length, the run of each row. */
export function group_rows(
  rows: Tensor,
  order: Tensor,
): { firsts: Tensor; counts: Tensor; inverse: Tensor; total: number } {
  const n = rows.sizes[0]!
  const [firsts, counts, inverse, total] = [
    empty([n], int64),
    empty([n], int64),
    empty([n], int64),
    zeros([1], int64),
  ]
  if (n > 0) group_kernel(rows.dtype)([firsts, counts, inverse, total, rows, order], [])
  return { firsts, counts, inverse, total: Number(total.item()) }
}
