// Loops over slices that an index tensor names: reading them into a result, and writing them to places that may be
// named twice. Written so that the work can be split among threads whatever the sizes, and so that nobody's order
// depends on how it is split. Not here: what is done with the elements (index_ops.ts, advanced_index.ts, embedding.ts).
import { numel } from '../../base/shape.ts'
import type { Operand } from '../../device/device.ts'
import type { Expr } from '../../ir/expr.ts'
import type { Builder } from '../../ir/kernel.ts'
import { window } from './space.ts'

/** A contiguous tensor as [outer, `dim`, inner]; without `inner` where that is 1. */
export function around(
  t: Operand & { readonly sizes: readonly number[] },
  dim: number,
  rows: number = t.sizes[dim] ?? 1,
): Operand {
  const before = numel(t.sizes.slice(0, dim))
  const inner = numel(t.sizes.slice(dim + 1))
  return inner === 1
    ? window(t, [before, rows], [rows, 1])
    : window(t, [before, rows, inner], [rows * inner, inner, 1])
}

/** What is done with an element: `at` is the place of row `j`, `inner` the rest of the index (nothing, or one). */
type Body = (o: Expr, j: Expr, at: Expr, inner: Expr[]) => void

/** The place that an index names: counted from the end where it is negative. */
export function wrapped(k: Builder, index: Expr, n: Expr): Expr {
  const at = k.local('index', index.cast('index'))
  return at.lt(0).where(at.add(n), at)
}

/** In how many blocks {@link each_row_in_order} cuts the inner dimension: enough for threads, none too narrow. */
export function blocks_of(outer: number, inner: number, count: number): number {
  if (outer >= 8 || count < 32768) return 1
  return Math.max(1, Math.min(8, Math.floor(inner / 32)))
}

/**
 * Loops over [outer, rows, inner?] where rows may go to the same place, which they do in their order. The inner
 * dimension is cut into `blocks` (a launch value, see {@link blocks_of}), which are independent.
 */
export function each_row_in_order(
  k: Builder,
  sizes: readonly Expr[],
  blocks: Expr,
  place: (j: Expr) => Expr,
  body: Body,
): void {
  const [outer, rows, inner] = sizes as [Expr, Expr, Expr | undefined]
  if (inner === undefined) {
    k.for(outer, 'parallel', o => k.for(rows, 'serial', j => body(o, j, k.local('index', place(j)), [])))
    return
  }
  const width = k.local('index', inner.add(blocks).sub(1).floordiv(blocks))
  k.for(outer.mul(blocks), 'parallel', t => {
    const o = k.local('index', t.floordiv(blocks))
    const start = k.local('index', t.mod(blocks).mul(width))
    const n = k.local('index', inner.sub(start).min(width))
    k.for(rows, 'serial', j => {
      const at = k.local('index', place(j))
      k.for(n, 'vector', i => body(o, j, at, [start.add(i)]))
    })
  })
}
