// Reductions over any set of dimensions: elements are mapped, combined by an associative operation, and the total is
// finished. Where the reduced dimension is contiguous, each result is a loop over memory; where a kept one is, rows
// are accumulated side by side; float32 sums are made of short partial sums, added in float64, so that they lose
// no accuracy with length. Not here: positions (arg_reduce.ts), running totals (../scan.ts), any op.
import { bool, type DType, float32, float64, int32, int64 } from '../../base/dtype.ts'
import { coalesce, contiguous_strides, wrap_dims } from '../../base/shape.ts'
import type { LaunchValue } from '../../device/device.ts'
import { constant, type Expr } from '../../ir/expr.ts'
import type { Builder, View } from '../../ir/kernel.ts'
import { compute_type, type ScalarType } from '../../ir/types.ts'
import { empty, kernels } from '../../tensor/dispatch.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { inner_class, inner_stride, window } from './space.ts'

export interface Reduction {
  /** Tells the kernels of one reduction from those of others. */
  readonly name: string
  readonly combine: 'add' | 'mul' | 'min' | 'max' | 'and' | 'or'
  /** What an element contributes (default: itself). `y` is the second operand's value for this result. */
  readonly map?: (x: Expr, values: readonly Expr[], y: Expr) => Expr
  /** The result from the total (default: the total). */
  readonly final?: (total: Expr, values: readonly Expr[], y: Expr) => Expr
  /** The type in which contributions are combined (default: the result's). */
  readonly type?: (x: ScalarType) => ScalarType
  /** Whether there is a second operand, with one element for each result. */
  readonly has_y?: boolean
  /** The number of run-time values that map and final take; they have the type of the total. */
  readonly values?: number
}

/** Elements in a partial sum of a contiguous row, and rows in one of columns. */
const BLOCK = 1024
const ROW_BLOCK = 256
/** Rows that are read together where columns are summed. */
const ROWS = 4
/** Fewer columns than this are summed one by one. */
const FEW_COLUMNS = 4

const storage_dtype: Partial<Record<ScalarType, DType>> = {
  f32: float32,
  f64: float64,
  i32: int32,
  i64: int64,
  bool,
}

/** What combines with anything to that. */
function neutral(combine: Reduction['combine'], type: ScalarType): Expr {
  const float = type === 'f32' || type === 'f64'
  const lowest = float ? -Infinity : type === 'i64' ? -(2n ** 63n) : -(2 ** 31)
  const highest = float ? Infinity : type === 'i64' ? 2n ** 63n - 1n : 2 ** 31 - 1
  const value = { add: 0, mul: 1, min: highest, max: lowest, and: type === 'bool' ? 1 : -1, or: 0 }[combine]
  return constant(value, type)
}

/** The types of a reduction's steps: of partial results, and of totals (wider where that keeps sums exact). */
function step_types(r: Reduction, x: DType, out: DType): { part: ScalarType; total: ScalarType } {
  const part = r.type?.(compute_type(x)) ?? compute_type(out)
  return { part, total: r.combine === 'add' && part === 'f32' ? 'f64' : part }
}

/** A kernel's operands and the reduction's functions over them. */
class Parts {
  readonly x: View
  readonly y: View | null
  readonly out: View
  readonly part: ScalarType
  readonly total: ScalarType
  readonly #r: Reduction
  readonly #values: Expr[]

  constructor(
    k: Builder,
    r: Reduction,
    x: DType,
    out: DType,
    kept: number,
    reduced: number,
    x_inner: string,
    columns: boolean,
  ) {
    const types = step_types(r, x, out)
    this.part = types.part
    this.total = types.total
    this.#r = r
    this.out = k.output('out', out, { rank: kept, ...(columns && { inner: 1 }) })
    this.x = k.input('x', x, { rank: kept + reduced, ...inner_stride(x_inner) })
    this.y = r.has_y
      ? k.input('y', storage_dtype[types.total] as DType, { rank: kept, ...(columns && { inner: 1 }) })
      : null
    this.#values = Array.from({ length: r.values ?? 0 }, (_, i) => k.value(`value${i}`, types.total))
  }

  /** The contribution of the element of x at `index`, to the result at `at`. */
  map(index: readonly Expr[], at: readonly Expr[]): Expr {
    const x = this.x.at(...index)
    const { map } = this.#r
    if (map === undefined) return x.cast(this.part)
    const values = this.#values.map(v => v.cast(this.part))
    return map(x, values, this.#y(at, this.part)).cast(this.part)
  }

  final(total: Expr, at: readonly Expr[]): Expr {
    const { final } = this.#r
    return (final ? final(total.cast(this.total), this.#values, this.#y(at, this.total)) : total).cast(
      this.out.type,
    )
  }

  #y(at: readonly Expr[], type: ScalarType): Expr {
    return this.y === null ? constant(0, type) : this.y.at(...at).cast(type)
  }
}

const named = new Map<string, Reduction>()

/** One result after the other: kept dimensions outside, reduced ones inside. */
const rows_kernel = kernels(
  'reduce',
  (k, name: string, x: DType, out: DType, kept: number, reduced: number, inner: string) => {
    const r = named.get(name) as Reduction
    const p = new Parts(k, r, x, out, kept, reduced, inner, false)
    const sizes = p.x.sizes
    const n = sizes[sizes.length - 1] as Expr
    k.nest(sizes.slice(0, kept), 'parallel', 'serial', (...at) => {
      const total = k.local(p.total, neutral(r.combine, p.total))
      k.nest(sizes.slice(kept, -1), 'serial', 'serial', (...outer) => {
        if (p.total === p.part) {
          k.for(n, 'reduce', i => k.assign(total, total[r.combine](p.map([...at, ...outer, i], at))))
          return
        }
        k.for(n.add(BLOCK - 1).truncdiv(BLOCK), 'serial', block => {
          const first = block.mul(BLOCK)
          const part = k.local(p.part, neutral(r.combine, p.part))
          k.for(n.sub(first).min(BLOCK), 'reduce', i =>
            k.assign(part, part[r.combine](p.map([...at, ...outer, first.add(i)], at))),
          )
          k.assign(total, total[r.combine](part.cast(p.total)))
        })
      })
      k.store(p.out, at, p.final(total, at))
    })
  },
)

/** Many results side by side: rows of the last kept dimension, which is contiguous, are combined elementwise. */
const columns_kernel = kernels(
  'reduce_columns',
  (k, name: string, x: DType, out: DType, kept: number, reduced: number, blocked: boolean) => {
    const r = named.get(name) as Reduction
    const p = new Parts(k, r, x, out, kept, reduced, '1', true)
    const part = k.inout('part', storage_dtype[p.part] as DType, { rank: kept, inner: 1 })
    const total = blocked ? k.inout('total', storage_dtype[p.total] as DType, { rank: kept, inner: 1 }) : part
    // x is viewed as [kept but the last..., reduced..., columns]
    const sizes = p.x.sizes
    const columns = sizes[sizes.length - 1] as Expr
    const rows = sizes[sizes.length - 2] as Expr
    k.nest(sizes.slice(0, kept - 1), 'parallel', 'serial', (...at) => {
      const each_column = (body: (at: Expr[]) => void): void =>
        k.for(columns, 'vector', c => body([...at, c]))
      const reset = (view: View): void => each_column(i => k.store(view, i, neutral(r.combine, view.type)))
      const add_rows = (outer: readonly Expr[], first: Expr, count: Expr): void => {
        const groups = count.truncdiv(ROWS)
        const add = (row: Expr, n: number): void =>
          each_column(i => {
            const terms = Array.from({ length: n }, (_, j) =>
              p.map([...at, ...outer, row.add(j), i[i.length - 1] as Expr], i),
            )
            k.store(part, i, part.at(...i)[r.combine](tree(terms, r.combine)))
          })
        k.for(groups, 'serial', group => add(first.add(group.mul(ROWS)), ROWS))
        k.for(count.sub(groups.mul(ROWS)), 'serial', rest => add(first.add(groups.mul(ROWS)).add(rest), 1))
      }
      reset(part)
      if (blocked) reset(total)
      k.nest(sizes.slice(kept - 1, -2), 'serial', 'serial', (...outer) => {
        if (!blocked) return add_rows(outer, constant(0, 'index'), rows)
        k.for(rows.add(ROW_BLOCK - 1).truncdiv(ROW_BLOCK), 'serial', block => {
          const first = block.mul(ROW_BLOCK)
          add_rows(outer, first, rows.sub(first).min(ROW_BLOCK))
          each_column(i => k.store(total, i, total.at(...i)[r.combine](part.at(...i).cast(p.total))))
          reset(part)
        })
      })
      each_column(i => k.store(p.out, i, p.final(total.at(...i), i)))
    })
  },
)

/** ((a op b) op (c op d)) ... */
function tree(terms: readonly Expr[], combine: Reduction['combine']): Expr {
  if (terms.length === 1) return terms[0] as Expr
  const half = terms.length >> 1
  return tree(terms.slice(0, half), combine)[combine](tree(terms.slice(half), combine))
}

/**
 * The reduction of `x` over `dims` (wrapped, distinct) as a new tensor of `dtype` without those dimensions. `y`, of the
 * total's type, has one element for each result. Nothing is recorded. Empty reductions give the neutral element.
 */
export function reduce(
  r: Reduction,
  x: Tensor,
  dims: readonly number[],
  dtype: DType,
  values: readonly LaunchValue[] = [],
  y?: Tensor,
): Tensor {
  named.set(r.name, r)
  const out = empty(reduced_sizes(x.sizes, dims, false), dtype)
  if (out.count === 0) return out
  const of = (list: readonly number[], reduced: boolean): number[] =>
    list.filter((_, d) => dims.includes(d) === reduced)
  const kept = filled(coalesce(of(x.sizes, false), [out.strides, of(x.strides, false)]))
  const reduced = filled(coalesce(of(x.sizes, true), [of(x.strides, true)]))
  const [out_strides, x_kept] = kept.strides_list as [number[], number[]]
  const [x_reduced] = reduced.strides_list as [number[]]
  const result = window(out, kept.sizes, out_strides)
  const second = y === undefined ? [] : [window(y, kept.sizes, out_strides)]
  const kept_rank = kept.sizes.length
  const reduced_rank = reduced.sizes.length
  const columns = kept.sizes[kept_rank - 1] as number
  if (inner_class(x_reduced) === '1' || inner_class(x_kept) !== '1' || columns < FEW_COLUMNS) {
    const view = window(x, [...kept.sizes, ...reduced.sizes], [...x_kept, ...x_reduced])
    rows_kernel(
      r.name,
      x.dtype,
      dtype,
      kept_rank,
      reduced_rank,
      inner_class(x_reduced) === '1' ? '1' : 'x',
    )([result, view, ...second], values)
    return out
  }
  const view = window(
    x,
    [...kept.sizes.slice(0, -1), ...reduced.sizes, columns],
    [...x_kept.slice(0, -1), ...x_reduced, 1],
  )
  const types = step_types(r, x.dtype, dtype)
  const blocked = types.part !== types.total && reduced.sizes.reduce((a, b) => a * b, 1) > ROW_BLOCK
  const scratch = (type: ScalarType) =>
    window(empty([out.count], storage_dtype[type] as DType), kept.sizes, out_strides)
  const partial = blocked ? [scratch(types.part), scratch(types.total)] : [scratch(types.part)]
  columns_kernel(
    r.name,
    x.dtype,
    dtype,
    kept_rank,
    reduced_rank,
    blocked,
  )([result, view, ...second, ...partial], values)
  return out
}

/** At least one dimension, for kernels that have a loop there. */
function filled<S extends { readonly sizes: number[]; readonly strides_list: number[][] }>(space: S): S {
  if (space.sizes.length === 0) {
    space.sizes.push(1)
    for (const strides of space.strides_list) strides.push(1)
  }
  return space
}

/** `sizes` without `dims`, or with 1 there. */
export const reduced_sizes = (
  sizes: readonly number[],
  dims: readonly number[],
  keepdim: boolean,
): number[] =>
  keepdim ? sizes.map((n, d) => (dims.includes(d) ? 1 : n)) : sizes.filter((_, d) => !dims.includes(d))

/** The dimensions that a `dim` argument means: null and [] are all. Throws for one that is out of range or repeated. */
export function dims_of(dim: readonly number[] | null, ndim: number): number[] {
  if (dim === null || dim.length === 0) return Array.from({ length: ndim }, (_, d) => d)
  return wrap_dims(dim, ndim)
}

/** The same memory with the reduced dimensions back as 1 where `keepdim`. `t` has no history. */
export function keep_dims(
  t: Tensor,
  sizes: readonly number[],
  dims: readonly number[],
  keepdim: boolean,
): Tensor {
  if (keepdim) {
    const kept = reduced_sizes(sizes, dims, true)
    t.set_geometry(t.offset, kept, contiguous_strides(kept))
  }
  return t
}

/** The gradient (or result) of a reduction with its reduced dimensions back as 1, so that it broadcasts. On the tape. */
export function restore_dims(
  g: Tensor,
  sizes: readonly number[],
  dims: readonly number[],
  keepdim: boolean,
): Tensor {
  return keepdim || g.sizes.length === sizes.length ? g : g.reshape(reduced_sizes(sizes, dims, true))
}
