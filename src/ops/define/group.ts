// Rows as elements: sorting them lexicographically by merging, and finding runs of equal ones. Elements in order are
// rows of one. Not here: sorting elements (sort.ts), unique (../unique.ts).
import { type DType, int64 } from '../../base/dtype.ts'
import type { Expr } from '../../ir/expr.ts'
import type { Builder, View } from '../../ir/kernel.ts'
import { empty, kernels, zeros } from '../../tensor/dispatch.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { is_less } from './sort.ts'

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

const runs_kernel = kernels('equal_runs', (k, dtype: DType) => {
  const starts = k.output('starts', int64, 'flat')
  const runs = k.output('runs', int64, 'flat')
  const total = k.output('total', int64, 'flat')
  const x = k.input('x', dtype, 'flat')
  const n = k.local('index', 0)
  k.for(x.sizes[0]!, 'serial', i => {
    const fresh = k.local('bool', i.eq(0).or(x.at(i).ne(x.at(i.sub(1).max(0)))))
    k.assign(n, n.add(fresh.cast('index')))
    // The place of the next run is written until the run begins that stays there.
    k.store(starts, [fresh.where(n.sub(1), n.min(x.sizes[0]!.sub(1)))], i.cast('i64'))
    k.store(runs, [i], n.sub(1).cast('i64'))
  })
  k.store(total, [0], n.cast('i64'))
})

/** Runs of equal elements of a contiguous vector: where each begins, the run of each element, how many there are. */
export function equal_runs(x: Tensor): { starts: Tensor; runs: Tensor; total: number } {
  const n = x.count
  const [starts, runs, total] = [empty([n], int64), empty([n], int64), zeros([1], int64)]
  if (n > 0) runs_kernel(x.dtype)([starts, runs, total, x], [])
  return { starts, runs, total: Number(total.item()) }
}

const describe_kernel = kernels('describe_runs', (k, dtype: DType) => {
  const values = k.output('values', dtype, 'flat')
  const counts = k.output('counts', int64, 'flat')
  const x = k.input('x', dtype, 'flat')
  const starts = k.input('starts', int64, 'flat')
  const total = values.sizes[0]!
  k.for(total, 'vector', i => {
    const last = i.add(1).ge(total)
    const start = starts.at(i)
    const end = last.where(x.sizes[0]!.cast('i64'), starts.at(i.add(1).min(total.sub(1))))
    k.store(values, [i], x.at(start.cast('index')))
    k.store(counts, [i], end.sub(start))
  })
})

/** The first element of each run, and how many it has. */
export function describe_runs(x: Tensor, starts: Tensor, total: number): { values: Tensor; counts: Tensor } {
  const [values, counts] = [empty([total], x.dtype), empty([total], int64)]
  if (total > 0) describe_kernel(x.dtype)([values, counts, x, starts], [])
  return { values, counts }
}

const scatter_kernel = kernels('runs_of_order', k => {
  const out = k.output('out', int64, 'flat')
  const order = k.input('order', int64, 'flat')
  const runs = k.input('runs', int64, 'flat')
  k.for(order.sizes[0]!, 'parallel', i => k.store(out, [order.at(i).cast('index')], runs.at(i)))
})

/** The run of each element before it was put in order. */
export function runs_before(runs: Tensor, order: Tensor): Tensor {
  const out = empty([runs.count], int64)
  if (out.count > 0) scatter_kernel()([out, order, runs], [])
  return out
}
