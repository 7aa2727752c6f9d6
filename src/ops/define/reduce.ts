// Reductions over any set of dimensions: elements are mapped, combined by an associative operation, and the total is
// finished. Where the reduced dimension is contiguous, each result is a loop over memory; where a kept one is, rows
// are accumulated side by side; float32 sums are made of short partial sums, added in float64, so that they lose
// no accuracy with length. Not here: running totals (../scan.ts), any op.
import { bool, type DType, float32, float64, int32, int64 } from '../../base/dtype.ts'
import { coalesce, contiguous_strides, wrap_dims } from '../../base/shape.ts'
import type { Executable, LaunchValue } from '../../device/device.ts'
import { constant, type Expr } from '../../ir/expr.ts'
import type { Builder, View } from '../../ir/kernel.ts'
import { compute_type, type ScalarType } from '../../ir/types.ts'
import { empty, kernels } from '../../tensor/dispatch.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { inner_class, inner_stride, window } from './space.ts'

type Combine = 'add' | 'mul' | 'min' | 'max' | 'and' | 'or'

export interface ReductionDef {
  /** The name of its kernels. */
  readonly name: string
  readonly combine: Combine
  /**
   * What an element contributes (default: itself). `y` is the second operand's value for this result, in its own type, `position` the
   * element's place along the reduced dimension, where that is one.
   */
  readonly map?: (x: Expr, values: readonly Expr[], y: Expr, position: Expr) => Expr
  /** The result from the total (default: the total). */
  readonly final?: (total: Expr, values: readonly Expr[], y: Expr) => Expr
  /** The type in which contributions are combined (default: the result's). */
  readonly type?: (x: ScalarType) => ScalarType
  /** The number of run-time values that map and final take; they have the type of the total. */
  readonly values?: number
}

/**
 * The reduction of `x` over `dims` (wrapped, distinct) as a new tensor of `dtype` without those dimensions. `y` has one
 * element for each result. Nothing is recorded. Empty reductions give the neutral element, finished.
 */
export type Reduction = (
  x: Tensor,
  dims: readonly number[],
  dtype: DType,
  values?: readonly LaunchValue[],
  y?: Tensor,
) => Tensor

/** Elements in a partial sum of a contiguous row, and rows in one of columns. */
const BLOCK = 1024
const ROW_BLOCK = 256
/** Rows that are read together where columns are combined. */
const ROWS = 4
/** Fewer columns than this are taken one by one. */
const FEW_COLUMNS = 4

const storage: Readonly<Record<Exclude<ScalarType, 'index'>, DType>> = {
  f32: float32,
  f64: float64,
  i32: int32,
  i64: int64,
  bool,
}
const storage_of = (type: ScalarType): DType => storage[type as Exclude<ScalarType, 'index'>]

/** What combines with anything to that. */
function neutral(combine: Combine, type: ScalarType): Expr {
  const float = type === 'f32' || type === 'f64'
  const lowest = float ? -Infinity : type === 'i64' ? -(2n ** 63n) : -(2 ** 31)
  const highest = float ? Infinity : type === 'i64' ? 2n ** 63n - 1n : 2 ** 31 - 1
  const value = { add: 0, mul: 1, min: highest, max: lowest, and: type === 'bool' ? 1 : -1, or: 0 }[combine]
  return constant(value, type)
}

/** The types of partial results and of totals, which are wider where that keeps sums exact. */
function step_types(def: ReductionDef, x: DType, out: DType): { part: ScalarType; total: ScalarType } {
  const part = def.type?.(compute_type(x)) ?? compute_type(out)
  return { part, total: def.combine === 'add' && part === 'f32' ? 'f64' : part }
}

/** What tells the kernels of one reduction apart. `inner`: the layout of x's last dimension. */
type Key = readonly [x: DType, out: DType, y: DType | null, kept: number, reduced: number, inner: string]

/** A kernel's operands and the reduction's functions over them. */
class Parts {
  readonly x: View
  readonly out: View
  readonly part: ScalarType
  readonly total: ScalarType
  readonly #y: View | null
  readonly #def: ReductionDef
  readonly #values: Expr[]

  constructor(k: Builder, def: ReductionDef, [x, out, y, kept, reduced, inner]: Key, columns: boolean) {
    const types = step_types(def, x, out)
    this.part = types.part
    this.total = types.total
    this.#def = def
    const result = { rank: kept, ...(columns && ({ inner: 1 } as const)) }
    this.out = k.output('out', out, result)
    this.x = k.input('x', x, { rank: kept + reduced, ...inner_stride(inner) })
    this.#y = y && k.input('y', y, result)
    this.#values = Array.from({ length: def.values ?? 0 }, (_, i) => k.value(`value${i}`, types.total))
  }

  /** The contribution of the element of x at `index` (at `position` along its dimension) to the result at `at`. */
  map(index: readonly Expr[], at: readonly Expr[], position: Expr): Expr {
    const x = this.x.at(...index)
    const { map } = this.#def
    if (map === undefined) return x.cast(this.part)
    const values = this.#values.map(v => v.cast(this.part))
    return map(x, values, this.#second(at), position).cast(this.part)
  }

  final(total: Expr, at: readonly Expr[]): Expr {
    const { final } = this.#def
    const wide = total.cast(this.total)
    return (final ? final(wide, this.#values, this.#second(at)) : total).cast(this.out.type)
  }

  #second(at: readonly Expr[]): Expr {
    return this.#y === null ? constant(0, this.part) : this.#y.at(...at)
  }
}

/** One result after the other: kept dimensions outside, reduced ones inside. */
function write_rows(k: Builder, def: ReductionDef, key: Key): void {
  const p = new Parts(k, def, key, false)
  const { combine } = def
  const kept = key[3]
  const { sizes } = p.x
  const n = sizes[sizes.length - 1] as Expr
  k.nest(sizes.slice(0, kept), 'parallel', 'serial', (...at) => {
    const total = k.local(p.total, neutral(combine, p.total))
    k.nest(sizes.slice(kept, -1), 'serial', 'serial', (...outer) => {
      const map = (i: Expr): Expr => p.map([...at, ...outer, i], at, i)
      if (p.total === p.part) {
        k.for(n, 'reduce', i => k.assign(total, total[combine](map(i))))
        return
      }
      k.for(n.add(BLOCK - 1).truncdiv(BLOCK), 'serial', block => {
        const first = block.mul(BLOCK)
        const part = k.local(p.part, neutral(combine, p.part))
        k.for(n.sub(first).min(BLOCK), 'reduce', i => k.assign(part, part[combine](map(first.add(i)))))
        k.assign(total, total[combine](part.cast(p.total)))
      })
    })
    k.store(p.out, at, p.final(total, at))
  })
}

/**
 * Many results side by side: rows of the last kept dimension, which is contiguous, are combined elementwise. x is
 * viewed as [kept but the last..., reduced..., columns].
 */
function write_columns(k: Builder, def: ReductionDef, key: Key, blocked: boolean): void {
  const p = new Parts(k, def, key, true)
  const { combine } = def
  const kept = key[3]
  const part = k.inout('part', storage_of(p.part), { rank: kept, inner: 1 })
  const total = blocked ? k.inout('total', storage_of(p.total), { rank: kept, inner: 1 }) : part
  const { sizes } = p.x
  const columns = sizes[sizes.length - 1] as Expr
  const rows = sizes[sizes.length - 2] as Expr
  k.nest(sizes.slice(0, kept - 1), 'parallel', 'serial', (...at) => {
    const each_column = (body: (at: Expr[], column: Expr) => void): void =>
      k.for(columns, 'vector', c => body([...at, c], c))
    const reset = (view: View): void => each_column(i => k.store(view, i, neutral(combine, view.type)))
    const add = (outer: readonly Expr[], row: Expr, n: number): void =>
      each_column((i, column) => {
        const rows = Array.from({ length: n }, (_, j) => row.add(j))
        const terms = rows.map(r => p.map([...at, ...outer, r, column], i, r))
        k.store(part, i, part.at(...i)[combine](tree(terms, combine)))
      })
    const add_rows = (outer: readonly Expr[], first: Expr, count: Expr): void => {
      const groups = count.truncdiv(ROWS)
      const rest = first.add(groups.mul(ROWS))
      k.for(groups, 'serial', group => add(outer, first.add(group.mul(ROWS)), ROWS))
      k.for(count.sub(groups.mul(ROWS)), 'serial', row => add(outer, rest.add(row), 1))
    }
    reset(part)
    if (blocked) reset(total)
    k.nest(sizes.slice(kept - 1, -2), 'serial', 'serial', (...outer) => {
      if (!blocked) return add_rows(outer, constant(0, 'index'), rows)
      k.for(rows.add(ROW_BLOCK - 1).truncdiv(ROW_BLOCK), 'serial', block => {
        const first = block.mul(ROW_BLOCK)
        add_rows(outer, first, rows.sub(first).min(ROW_BLOCK))
        each_column(i => k.store(total, i, total.at(...i)[combine](part.at(...i).cast(p.total))))
        reset(part)
      })
    })
    each_column(i => k.store(p.out, i, p.final(total.at(...i), i)))
  })
}

/** ((a op b) op (c op d)) ... */
function tree(terms: readonly Expr[], combine: Combine): Expr {
  if (terms.length === 1) return terms[0] as Expr
  const half = terms.length >> 1
  return tree(terms.slice(0, half), combine)[combine](tree(terms.slice(half), combine))
}

/** Kept and reduced dimensions, each collapsed, with their strides; the result is contiguous. */
type Space = {
  readonly kept: readonly number[]
  readonly out_strides: readonly number[]
  readonly x_kept: readonly number[]
  readonly reduced: readonly number[]
  readonly x_reduced: readonly number[]
}

/** The space of neighbouring dimensions of a contiguous tensor: no search for what collapses. Null for others. */
function plain_space(x: Tensor, dims: readonly number[]): Space | null {
  const first = dims[0]
  if (first === undefined || !x.dense || x.sizes.length === 0) return null
  for (let i = 1; i < dims.length; i++) if (dims[i] !== first + i) return null
  let [outer, n, inner] = [1, 1, 1]
  for (let d = 0; d < x.sizes.length; d++) {
    const size = x.sizes[d] as number
    if (d < first) outer *= size
    else if (d < first + dims.length) n *= size
    else inner *= size
  }
  const reduced = { reduced: [n], x_reduced: [inner] }
  if (inner === 1) return { kept: [outer], out_strides: [1], x_kept: [n], ...reduced }
  if (outer === 1) return { kept: [inner], out_strides: [1], x_kept: [1], ...reduced }
  return { kept: [outer, inner], out_strides: [inner, 1], x_kept: [n * inner, 1], ...reduced }
}

function any_space(x: Tensor, dims: readonly number[], out: Tensor): Space {
  const of = (list: readonly number[], reduced: boolean): number[] =>
    list.filter((_, d) => dims.includes(d) === reduced)
  const kept = coalesce(of(x.sizes, false), [out.strides, of(x.strides, false)])
  const reduced = coalesce(of(x.sizes, true), [of(x.strides, true)])
  // Kernels have at least one loop over either.
  const or_one = (list: readonly number[]): readonly number[] => (list.length === 0 ? [1] : list)
  return {
    kept: or_one(kept.sizes),
    out_strides: or_one(kept.strides_list[0] as number[]),
    x_kept: or_one(kept.strides_list[1] as number[]),
    reduced: or_one(reduced.sizes),
    x_reduced: or_one(reduced.strides_list[0] as number[]),
  }
}

const ROWS_DENSE = 0
const ROWS_STRIDED = 1
const COLUMNS = 2
const COLUMNS_BLOCKED = 3

/** Declares a reduction. */
export function reduction(def: ReductionDef): Reduction {
  const rows_kernel = kernels(def.name, (k, ...key: Key) => write_rows(k, def, key))
  const columns_kernel = kernels(`${def.name}_columns`, (k, blocked: boolean, ...key: Key) =>
    write_columns(k, def, key, blocked),
  )
  /** By everything that tells them apart, as digits of a number. */
  const found: Executable[] = []

  function kernel(
    kind: number,
    x: DType,
    out: DType,
    y: DType | undefined,
    { kept, reduced }: Space,
  ): Executable {
    const digits = ((x.code * 16 + out.code) * 16 + (y?.code ?? 15)) * 4 + kind
    const code = (digits * 8 + kept.length) * 8 + reduced.length
    let executable = found[code]
    if (executable === undefined) {
      const inner = kind === ROWS_STRIDED ? 'x' : '1'
      const key: Key = [x, out, y ?? null, kept.length, reduced.length, inner]
      executable = kind < COLUMNS ? rows_kernel(...key) : columns_kernel(kind === COLUMNS_BLOCKED, ...key)
      if (kept.length < 8 && reduced.length < 8) found[code] = executable
    }
    return executable
  }

  return (x, dims, dtype, values = [], y) => {
    const out = empty(reduced_sizes(x.sizes, dims, false), dtype)
    if (out.count === 0) return out
    const space = plain_space(x, dims) ?? any_space(x, dims, out)
    const { kept, out_strides, x_kept, reduced, x_reduced } = space
    const columns = kept[kept.length - 1] as number
    const dense = inner_class(x_reduced) === '1'
    const along_rows = dense || inner_class(x_kept) !== '1' || columns < FEW_COLUMNS
    const view = along_rows
      ? window(x, [...kept, ...reduced], [...x_kept, ...x_reduced])
      : window(x, [...kept.slice(0, -1), ...reduced, columns], [...x_kept.slice(0, -1), ...x_reduced, 1])
    const operands = [window(out, kept, out_strides), view]
    if (y !== undefined) operands.push(window(y, kept, out_strides))
    let kind = dense ? ROWS_DENSE : ROWS_STRIDED
    if (!along_rows) {
      const { part, total } = step_types(def, x.dtype, dtype)
      const blocked = part !== total && reduced_count(reduced, all_dims(reduced.length)) > ROW_BLOCK
      for (const type of blocked ? [part, total] : [part])
        operands.push(window(empty([out.count], storage_of(type)), kept, out_strides))
      kind = blocked ? COLUMNS_BLOCKED : COLUMNS
    }
    kernel(kind, x.dtype, dtype, y?.dtype, space)(operands, values)
    return out
  }
}

/** `sizes` without `dims`, or with 1 there. */
export const reduced_sizes = (
  sizes: readonly number[],
  dims: readonly number[],
  keepdim: boolean,
): number[] =>
  keepdim ? sizes.map((n, d) => (dims.includes(d) ? 1 : n)) : sizes.filter((_, d) => !dims.includes(d))

/** The number of elements that each result is made of. */
export const reduced_count = (sizes: readonly number[], dims: readonly number[]): number =>
  dims.reduce((n, d) => n * (sizes[d] ?? 1), 1)

/** All dimensions. */
export const all_dims = (ndim: number): number[] => Array.from({ length: ndim }, (_, d) => d)

/** The dimensions that a `dim` argument means: null and [] are all. Throws for one that is out of range or repeated. */
export function dims_of(dim: readonly number[] | null, ndim: number): number[] {
  if (dim === null || dim.length === 0) return all_dims(ndim)
  return wrap_dims(dim, ndim)
}

/** The result of a reduction with its reduced dimensions back as 1 where `keepdim`. `t` has no history. */
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

/** A gradient (or result) of a reduction with its reduced dimensions back as 1, so that it broadcasts. On the tape. */
export function restore_dims(
  g: Tensor,
  sizes: readonly number[],
  dims: readonly number[],
  keepdim: boolean,
): Tensor {
  return keepdim || g.sizes.length === sizes.length ? g : g.reshape(reduced_sizes(sizes, dims, true))
}

const has_zero = reduction({ name: 'has_zero', combine: 'or', map: x => x.eq(0) })

/** Whether some element is zero. */
export const any_zero = (x: Tensor): boolean => has_zero(x, all_dims(x.sizes.length), bool).item() as boolean
