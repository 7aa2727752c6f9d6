// Sums that are a part of a kernel which does more: of expressions along rows and across columns, in partial sums, so that
// they lose no accuracy with length. Not here: reductions as kernels of their own (reduce.ts).
import { type DType, float64 } from '../../base/dtype.ts'
import { constant, type Expr } from '../../ir/expr.ts'
import type { Builder, View } from '../../ir/kernel.ts'
import type { ScalarType } from '../../ir/types.ts'
import { empty, kernels } from '../../tensor/dispatch.ts'
import type { Tensor } from '../../tensor/tensor.ts'

/** Elements of a row whose sum is added to the total at once. */
const PIECE = 1024

/** Adds what `terms` gives for each of 0 ... n - 1 to `totals`, float64 locals, in sums of `type` over some elements. */
export function add_row(
  k: Builder,
  type: ScalarType,
  n: Expr,
  totals: readonly Expr[],
  terms: (j: Expr) => readonly Expr[],
): void {
  k.for(n.add(PIECE - 1).truncdiv(PIECE), 'serial', piece => {
    const first = k.local('index', piece.mul(PIECE))
    const sums = totals.map(() => k.local(type, 0))
    k.for(n.sub(first).min(PIECE), 'reduce', j => {
      const values = terms(first.add(j))
      sums.forEach((sum, i) => {
        k.assign(sum, sum.add(values[i] as Expr))
      })
    })
    totals.forEach((total, i) => {
      k.assign(total, total.add((sums[i] as Expr).cast('f64')))
    })
  })
}

/** Totals of columns: views, and where in them column `j` is. */
export type ColumnTotals = {
  readonly width: Expr
  readonly totals: readonly View[]
  readonly at: (j: Expr) => readonly Expr[]
}

/** Adds what `terms` gives for `count` rows from `row` on, added up first, to the totals of each column. */
export function add_few_rows(
  k: Builder,
  { width, totals, at }: ColumnTotals,
  row: Expr,
  count: number,
  terms: (row: Expr, j: Expr) => readonly Expr[],
): void {
  k.for(width, 'vector', j => {
    const values = Array.from({ length: count }, (_, r) => terms(row.add(r), j))
    totals.forEach((total, i) => {
      const sum = tree_sum(values.map(v => v[i] as Expr))
      k.store(total, at(j), total.at(...at(j)).add(sum.cast(total.type)))
    })
  })
}

/** ((a + b) + (c + d)) + ... */
function tree_sum(terms: readonly Expr[]): Expr {
  if (terms.length === 1) return terms[0] as Expr
  const half = terms.length >> 1
  return tree_sum(terms.slice(0, half)).add(tree_sum(terms.slice(half)))
}

/** The same for all of `rows` rows, `together` at a time. */
export function add_rows(
  k: Builder,
  columns: ColumnTotals,
  rows: Expr,
  together: number,
  terms: (row: Expr, j: Expr) => readonly Expr[],
): void {
  const groups = k.local('index', rows.truncdiv(together))
  k.for(groups, 'serial', group => add_few_rows(k, columns, group.mul(together), together, terms))
  k.for(rows.sub(groups.mul(together)), 'serial', row =>
    add_few_rows(k, columns, groups.mul(together).add(row), 1, terms),
  )
}

const ROWS = { rank: 2, inner: 1 } as const
const TOGETHER = 8
/** Columns that one thread takes at a time. */
const COLUMNS = 256

const partial_sums = kernels('partial_sums', (k, dtype: DType) => {
  const out = k.output('out', dtype, 'flat')
  const total = k.inout('total', float64, 'flat')
  const part = k.input('part', dtype, ROWS)
  const [rows, n] = part.sizes as [Expr, Expr]
  k.for(n.add(COLUMNS - 1).truncdiv(COLUMNS), 'parallel', block => {
    const first = block.mul(COLUMNS)
    const width = k.local('index', n.sub(first).min(COLUMNS))
    const at = (j: Expr): Expr[] => [first.add(j)]
    k.for(width, 'vector', j => k.store(total, at(j), constant(0, 'f64')))
    const columns = { width, totals: [total], at }
    add_rows(k, columns, rows, TOGETHER, (row, j) => [part.at(row, first.add(j))])
    k.for(width, 'vector', j => k.store(out, at(j), total.at(...at(j)).cast(out.type)))
  })
})

/** The sums over the rows of a contiguous matrix, added up in float64. */
export function sum_partials(part: Tensor): Tensor {
  const n = part.sizes[1] as number
  const out = empty([n], part.dtype)
  partial_sums(part.dtype)([out, empty([n], float64), part], [])
  return out
}
