// Rows as elements: sorting them lexicographically by merging, and finding runs of equal ones. Elements in order are
// rows of one; integers of a small range are counted. Not here: sorting elements (sort.ts), unique (../unique.ts).
import { type DType, float64, int32, int64 } from '../../base/dtype.ts'
import type { Expr } from '../../ir/expr.ts'
import type { Builder, View } from '../../ir/kernel.ts'
import { empty, kernels, zeros } from '../../tensor/dispatch.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { scratch } from './scratch.ts'
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

const runs_kernel = kernels('equal_runs', (k, dtype: DType, numbered: boolean) => {
  const starts = k.output('starts', int32, 'flat')
  const total = k.output('total', float64, 'flat')
  const x = k.input('x', dtype, 'flat')
  const runs = numbered ? k.output('runs', int64, 'flat') : null
  const size = x.sizes[0]!
  const n = k.local('index', 0)
  k.for(size, 'serial', i => {
    const fresh = k.local('bool', i.eq(0).or(x.at(i).ne(x.at(i.sub(1).max(0)))))
    k.assign(n, n.add(fresh.cast('index')))
    // The place of the next run is written until the run begins that stays there.
    k.store(starts, [fresh.where(n.sub(1), n.min(size.sub(1)))], i.cast('i32'))
    if (runs !== null) k.store(runs, [i], n.sub(1).cast('i64'))
  })
  k.store(total, [0], n.cast('f64'))
})

const describe_kernel = kernels('describe_runs', (k, dtype: DType, counted: boolean) => {
  const values = k.output('values', dtype, 'flat')
  const x = k.input('x', dtype, 'flat')
  const starts = k.input('starts', int32, 'flat')
  const counts = counted ? k.output('counts', int64, 'flat') : null
  const total = values.sizes[0]!
  k.for(total, 'vector', i => {
    const last = i.add(1).ge(total)
    const start = starts.at(i)
    const end = last.where(x.sizes[0]!.cast('i32'), starts.at(i.add(1).min(total.sub(1))))
    k.store(values, [i], x.at(start.cast('index')))
    if (counts !== null) k.store(counts, [i], end.sub(start).cast('i64'))
  })
})

/** Groups of equal elements: one of each and, if they are asked for, how many there are and the group of each element. */
export type Groups = {
  readonly values: Tensor
  readonly counts: Tensor | null
  readonly groups: Tensor | null
}

/** Runs of equal elements of a contiguous vector. `numbered`: whether to tell the run of each, `counted` their lengths. */
export function equal_runs(x: Tensor, numbered: boolean, counted: boolean): Groups {
  const n = x.count
  const groups = numbered ? empty([n], int64) : null
  const starts = scratch(0, [n], int32)
  const total = scratch(1, [1], float64)
  if (n > 0) runs_kernel(x.dtype, numbered)(groups ? [starts, total, x, groups] : [starts, total, x], [])
  const found = n > 0 ? Number(total.memory.peek(float64)[0]) : 0
  const values = empty([found], x.dtype)
  const counts = counted ? empty([found], int64) : null
  const operands = [values, x, starts]
  if (n > 0) describe_kernel(x.dtype, counted)(counts ? [...operands, counts] : operands, [])
  return { values, counts, groups }
}

const tally_kernel = kernels('tally', (k, dtype: DType) => {
  const counts = k.inout('counts', int32, 'flat')
  const ranks = k.output('ranks', int32, 'flat')
  const total = k.output('total', float64, 'flat')
  const x = k.input('x', dtype, 'flat')
  const low = k.value('low', x.type)
  k.for(counts.sizes[0]!, 'vector', b => k.store(counts, [b], 0))
  k.for(x.sizes[0]!, 'serial', i => {
    const bin = k.local('index', x.at(i).sub(low).cast('index'))
    k.store(counts, [bin], counts.at(bin).add(1))
  })
  const n = k.local('i32', 0)
  k.for(counts.sizes[0]!, 'serial', b => {
    k.store(ranks, [b], n)
    k.assign(n, n.add(counts.at(b).ne(0).cast('i32')))
  })
  k.store(total, [0], n.cast('f64'))
})

const tallied_kernel = kernels('tallied', (k, dtype: DType) => {
  const values = k.output('values', dtype, 'flat')
  const counts = k.output('counts', int64, 'flat')
  const tally = k.input('tally', int32, 'flat')
  const low = k.value('low', values.type)
  const n = k.local('index', 0)
  const bin = k.local('index', 0)
  // A bin without elements is written too; the next one takes its place.
  k.while(n.lt(values.sizes[0]!), () => {
    k.store(values, [n], bin.cast(values.type).add(low))
    k.store(counts, [n], tally.at(bin).cast('i64'))
    k.assign(n, n.add(tally.at(bin).ne(0).cast('index')))
    k.assign(bin, bin.add(1))
  })
})

const rank_kernel = kernels('rank_of_bin', (k, dtype: DType) => {
  const out = k.output('out', int64, 'flat')
  const x = k.input('x', dtype, 'flat')
  const ranks = k.input('ranks', int32, 'flat')
  const low = k.value('low', x.type)
  k.for(out.sizes[0]!, 'vector', i => k.store(out, [i], ranks.at(x.at(i).sub(low).cast('index')).cast('i64')))
})

/** The groups of a contiguous vector of integers in [low, low + bins), in ascending order. */
export function tally(x: Tensor, low: number, bins: number, numbered: boolean): Groups {
  const [counts, ranks] = [scratch(0, [bins], int32), scratch(1, [bins], int32)]
  const total = scratch(2, [1], float64)
  tally_kernel(x.dtype)([counts, ranks, total, x], [low])
  const found = Number(total.memory.peek(float64)[0])
  const [values, sizes] = [empty([found], x.dtype), empty([found], int64)]
  tallied_kernel(x.dtype)([values, sizes, counts], [low])
  const groups = numbered ? empty([x.count], int64) : null
  if (groups) rank_kernel(x.dtype)([groups, x, ranks], [low])
  return { values, counts: sizes, groups }
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
