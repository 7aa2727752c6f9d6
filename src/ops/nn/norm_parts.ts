// What the normalisations share: the dtype of statistics, sums over rows and over columns as loops of a kernel, and the
// formulas that are differentiated further. Not here: the kernels (layer_norm.ts, batch_norm_kernels.ts, group_norm.ts).
import { type DType, float16, float32, float64 } from '../../base/dtype.ts'
import { RuntimeError } from '../../base/errors.ts'
import { constant, type Expr, type Scalar } from '../../ir/expr.ts'
import type { Builder, View } from '../../ir/kernel.ts'
import type { ScalarType } from '../../ir/types.ts'
import { empty, kernels } from '../../tensor/dispatch.ts'
import { edge_of, type Grads, Node, records, Saved, set_history } from '../../tensor/tape.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { to_dtype } from '../convert.ts'

/** The dtype statistics are kept in: 16-bit floats use float32. */
export const statistics_dtype = (dtype: DType): DType => (dtype.itemsize < 4 ? float32 : dtype)

export const require_float = (name: string, t: Tensor): void => {
  if (!t.dtype.is_floating_point || t.dtype === float16)
    throw new RuntimeError(`"${name}" not implemented for '${t.dtype.tensor_type.slice(0, -6)}'`)
}

/** Channels-in-dim-1 vectors against a tensor of `ndim` dimensions. */
export const per_channel = (t: Tensor, ndim: number): Tensor =>
  t.view([1, -1, ...new Array<number>(ndim - 2).fill(1)])

// ---------------------------------------------------------------------------------------------- on the tape

/** rstd * (g - mean(g) - x * mean(g * x)): how a gradient goes through normalisation. */
export function centred(g: Tensor, normal: Tensor, rstd: Tensor, dims: readonly number[]): Tensor {
  const projection = normal.mul(g.mul(normal).mean(dims, true))
  return g.sub(g.mean(dims, true)).sub(projection).mul(rstd)
}

/** The mean and the reciprocal of the standard deviation, on the tape. */
export function statistics(x: Tensor, dims: readonly number[], eps: number): [Tensor, Tensor] {
  const mean = x.mean(dims, true)
  const d = x.sub(mean)
  return [mean, d.mul(d).mean(dims, true).add(eps).rsqrt()]
}

/** Gradients of input, weight and bias; null where none is wanted. */
export type Gradients = [input: Tensor | null, weight: Tensor | null, bias: Tensor | null]
/** Computes those that `needs` names. With recording on, by ops on the tape. */
type Derive = (g: Tensor, input: Tensor, weight: Tensor | null, needs: readonly boolean[]) => Gradients

/** The history of a normalisation. Statistics that it gives besides the result have no gradient. */
class NormNode extends Node {
  readonly #input: Saved
  readonly #weight: Saved | null
  readonly #dtypes: readonly (DType | undefined)[]
  #derive: Derive | null

  constructor(name: string, inputs: readonly [Tensor, Tensor | null, Tensor | null], derive: Derive) {
    super(
      name,
      inputs.map(t => t && edge_of(t)),
    )
    this.#input = new Saved(inputs[0])
    this.#weight = inputs[1] && new Saved(inputs[1])
    this.#dtypes = inputs.map(t => t?.dtype)
    this.#derive = derive
  }

  apply([g]: Grads): Grads {
    const [input, weight] = [this.#input.get(), this.#weight?.get() ?? null]
    if (!g || this.#derive === null) return [null, null, null]
    const needs = this.edges.map(e => e !== null)
    const grads = this.#derive(g, input, weight, needs)
    return grads.map((t, i) => (t && needs[i] ? to_dtype(t, this.#dtypes[i] as DType) : null))
  }

  override release(): void {
    this.#input.release()
    this.#weight?.release()
    this.#derive = null
  }
}

/** Records what `results` were made by, where an input requires grad. */
export function record_norm(
  name: string,
  results: readonly Tensor[],
  inputs: readonly [input: Tensor, weight: Tensor | null, bias: Tensor | null],
  derive: Derive,
): void {
  if (records(inputs)) set_history(new NormNode(name, inputs, derive), results)
}

// ---------------------------------------------------------------------------------------------- in kernels

/** Elements of a row whose sum is added to the total at once. */
const PIECE = 1024
/** The last elements of a row are filled up to as many. */
const LANES = 32

/** Reads an element, or gives `beyond` where the row has ended. */
export type Read = (view: View, index: readonly Expr[], beyond?: Scalar) => Expr

/**
 * Adds what `terms` gives for each of 0 ... n - 1 to `totals`, float64 locals, in sums of `type` over some elements. Beyond
 * the end of the row terms must come out as 0.
 */
export function add_row(
  k: Builder,
  type: ScalarType,
  n: Expr,
  totals: readonly Expr[],
  terms: (j: Expr, read: Read) => readonly Expr[],
): void {
  const add = (count: Expr | number, term: (j: Expr) => readonly Expr[]): void => {
    const sums = totals.map(() => k.local(type, 0))
    k.for(count, 'reduce', j => {
      const values = term(j)
      sums.forEach((sum, i) => {
        k.assign(sum, sum.add(values[i] as Expr))
      })
    })
    totals.forEach((total, i) => {
      k.assign(total, total.add((sums[i] as Expr).cast('f64')))
    })
  }
  const whole = k.local('index', n.truncdiv(LANES).mul(LANES))
  k.for(whole.add(PIECE - 1).truncdiv(PIECE), 'serial', piece => {
    const first = piece.mul(PIECE)
    add(whole.sub(first).min(PIECE), j => terms(first.add(j), (view, index) => view.at(...index)))
  })
  k.if(whole.lt(n), () =>
    add(LANES, lane => {
      const j = whole.add(lane)
      return terms(j, (view, index, beyond = 0) => view.at_if(j.lt(n), index, beyond))
    }),
  )
}

/** ((a + b) + (c + d)) + ... */
function tree_sum(terms: readonly Expr[]): Expr {
  if (terms.length === 1) return terms[0] as Expr
  const half = terms.length >> 1
  return tree_sum(terms.slice(0, half)).add(tree_sum(terms.slice(half)))
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

// ---------------------------------------------------------------------------------------------- sums of partial sums

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
