// Reductions over any set of dimensions: elements are mapped, combined by an associative operation, and the total is
// finished. Where the reduced dimension is contiguous, each result is a loop over memory; where a kept one is, rows
// are accumulated side by side; float32 sums are made of short partial sums, added in float64, so that they lose
// no accuracy with length. Much work for few results is cut into parts of a fixed size, which threads share, and whose
// totals a second kernel combines. Not here: running totals (../scan.ts), any op.
import { bool, complex64, complex128, type DType, float32, float64, int32, int64 } from '../../base/dtype.ts'
import { coalesce, contiguous_strides, wrap_dims } from '../../base/shape.ts'
import type { Executable, LaunchValue, Operand } from '../../device/device.ts'
import { constant, type Expr } from '../../ir/expr.ts'
import type { Builder, View } from '../../ir/kernel.ts'
import { compute_type, real_type, type ScalarType } from '../../ir/types.ts'
import { empty, kernels } from '../../tensor/dispatch.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { scratch } from './scratch.ts'
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

/** Elements in a partial sum of a contiguous row. */
const BLOCK = 1024
/** Rows that are read together where columns are combined. */
const ROWS = 4
/** Columns that are combined together. */
const WIDTH = 1024
/** Fewer columns than this are taken one by one. */
const FEW_COLUMNS = 4
/** Elements of a part, where work for fewer than FEW_RESULTS independent pieces is cut into parts. */
const PART = 16384
/** Rows whose contributions are combined without widening. */
const ROW_BLOCK = 256
const FEW_RESULTS = 16
/** What is not worth a second kernel. */
const SMALL = 131072

const storage: Readonly<Record<Exclude<ScalarType, 'index'>, DType>> = {
  f32: float32,
  f64: float64,
  i32: int32,
  i64: int64,
  bool,
  c64: complex64,
  c128: complex128,
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

  /** The first operand is the result, or of type `cut` the totals of parts. */
  constructor(
    k: Builder,
    def: ReductionDef,
    [x, out, y, kept, reduced, inner]: Key,
    columns: boolean,
    cut?: 'part' | 'total',
  ) {
    const types = step_types(def, x, out)
    this.part = types.part
    this.total = types.total
    this.#def = def
    const result = { rank: kept, ...(columns && ({ inner: 1 } as const)) }
    this.out = cut
      ? k.inout('totals', storage_of(types[cut]), { rank: kept + 1, inner: 1 })
      : k.output('out', out, result)
    this.x = k.input('x', x, { rank: kept + reduced, ...inner_stride(inner) })
    this.#y = y && k.input('y', y, result)
    this.#values = Array.from({ length: def.values ?? 0 }, (_, i) =>
      k.value(`value${i}`, real_type(types.total)).cast(types.total),
    )
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
    return finish(this.#def, total.cast(this.total), this.#values, this.#second(at), this.out.type)
  }

  #second(at: readonly Expr[]): Expr {
    return this.#y === null ? constant(0, this.part) : this.#y.at(...at)
  }
}

const finish = (def: ReductionDef, total: Expr, values: readonly Expr[], y: Expr, type: ScalarType): Expr =>
  (def.final ? def.final(total, values, y) : total).cast(type)

/** Combines the contributions of `count` neighbours from `first` on with `total`. */
function add_line(
  k: Builder,
  p: Parts,
  combine: Combine,
  total: Expr,
  first: Expr,
  count: Expr,
  map: (i: Expr) => Expr,
): void {
  if (p.total === p.part) {
    k.for(count, 'reduce', i => k.assign(total, total[combine](map(first.add(i)))))
    return
  }
  k.for(count.add(BLOCK - 1).truncdiv(BLOCK), 'serial', block => {
    const start = k.local('index', block.mul(BLOCK))
    const part = k.local(p.part, neutral(combine, p.part))
    k.for(count.sub(start).min(BLOCK), 'reduce', i =>
      k.assign(part, part[combine](map(first.add(start).add(i)))),
    )
    k.assign(total, total[combine](part.cast(p.total)))
  })
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
    k.nest(sizes.slice(kept, -1), 'serial', 'serial', (...outer) =>
      add_line(k, p, combine, total, constant(0, 'index'), n, i => p.map([...at, ...outer, i], at, i)),
    )
    k.store(p.out, at, p.final(total, at))
  })
}

/** The totals of the parts of each contiguous row of x, [results, elements]. */
function write_row_parts(k: Builder, def: ReductionDef, key: Key): void {
  const p = new Parts(k, def, key, false, 'total')
  const n = p.x.sizes[1] as Expr
  const length = k.value('length', 'index')
  k.for(p.out.sizes[0] as Expr, 'parallel', o =>
    k.for(p.out.sizes[1] as Expr, 'parallel', part => {
      const total = k.local(p.total, neutral(def.combine, p.total))
      const first = k.local('index', part.mul(length))
      add_line(k, p, def.combine, total, first, n.sub(first).min(length), i => p.map([o, i], [o], i))
      k.store(p.out, [o, part], total)
    }),
  )
}

/** Loops over blocks of columns, which are independent, and in one over its columns. */
function column_blocks(
  k: Builder,
  columns: Expr,
  body: (each: (f: (column: Expr) => void) => void) => void,
): void {
  k.for(columns.add(WIDTH - 1).truncdiv(WIDTH), 'parallel', block => {
    const first = k.local('index', block.mul(WIDTH))
    const width = k.local('index', columns.sub(first).min(WIDTH))
    body(f => k.for(width, 'vector', c => f(first.add(c))))
  })
}

/** Combines `count` rows from `first` on with `totals`, some rows at a time. `term` is a contribution. */
function add_rows(
  k: Builder,
  combine: Combine,
  [first, count]: readonly [Expr, Expr],
  each: (f: (column: Expr) => void) => void,
  totals: (column: Expr) => [view: View, at: readonly Expr[]],
  term: (row: Expr, column: Expr) => Expr,
): void {
  const add = (row: Expr, n: number): void =>
    each(column => {
      const terms = Array.from({ length: n }, (_, j) => term(row.add(j), column))
      const [view, at] = totals(column)
      k.store(view, at, view.at(...at)[combine](tree(terms, combine).cast(view.type)))
    })
  const groups = k.local('index', count.truncdiv(ROWS))
  const rest = k.local('index', first.add(groups.mul(ROWS)))
  k.for(groups, 'serial', group => add(first.add(group.mul(ROWS)), ROWS))
  k.for(first.add(count).sub(rest), 'serial', row => add(rest.add(row), 1))
}

/**
 * Many results side by side: rows of the last kept dimension, which is contiguous, are combined elementwise. x is
 * viewed as [kept but the last..., reduced..., columns].
 */
function write_columns(k: Builder, def: ReductionDef, key: Key, wide: boolean): void {
  const p = new Parts(k, def, key, true)
  const kept = key[3]
  const totals = k.inout('totals', storage_of(wide ? p.total : p.part), { rank: kept, inner: 1 })
  const { sizes } = p.x
  const rows = sizes[sizes.length - 2] as Expr
  k.nest(sizes.slice(0, kept - 1), 'parallel', 'parallel', (...at) =>
    column_blocks(k, sizes[sizes.length - 1] as Expr, each => {
      each(c => k.store(totals, [...at, c], neutral(def.combine, totals.type)))
      k.nest(sizes.slice(kept - 1, -2), 'serial', 'serial', (...outer) =>
        add_rows(
          k,
          def.combine,
          [constant(0, 'index'), rows],
          each,
          c => [totals, [...at, c]],
          (r, c) => p.map([...at, ...outer, r, c], [...at, c], r),
        ),
      )
      each(c => k.store(p.out, [...at, c], p.final(totals.at(...at, c), [...at, c])))
    }),
  )
}

/** The totals of parts of the rows of x, [outer, rows, columns], as [outer, parts, columns]. */
function write_column_parts(k: Builder, def: ReductionDef, key: Key): void {
  const p = new Parts(k, def, key, true, 'part')
  const [, rows, columns] = p.x.sizes as [Expr, Expr, Expr]
  const length = k.value('length', 'index')
  const { combine } = def
  k.for(p.out.sizes[0] as Expr, 'parallel', o =>
    k.for(p.out.sizes[1] as Expr, 'parallel', part =>
      column_blocks(k, columns, each => {
        const first = k.local('index', part.mul(length))
        const rows_here: [Expr, Expr] = [first, k.local('index', rows.sub(first).min(length))]
        each(c => k.store(p.out, [o, part, c], neutral(combine, p.part)))
        add_rows(
          k,
          combine,
          rows_here,
          each,
          c => [p.out, [o, part, c]],
          (r, c) => p.map([o, r, c], [o, c], r),
        )
      }),
    ),
  )
}

/** Results from the totals of parts, [outer, parts, columns]. */
function write_finish_columns(
  k: Builder,
  def: ReductionDef,
  [x, dtype, y]: readonly [DType, DType, DType | null],
): void {
  const types = step_types(def, x, dtype)
  const out = k.output('out', dtype, { rank: 2, inner: 1 })
  const parts = k.input('parts', storage_of(types.part), { rank: 3, inner: 1 })
  const totals = k.inout('totals', storage_of(types.total), { rank: 2, inner: 1 })
  const second = y && k.input('y', y, { rank: 2, inner: 1 })
  const values = Array.from({ length: def.values ?? 0 }, (_, i) =>
    k.value(`value${i}`, real_type(types.total)).cast(types.total),
  )
  k.for(out.sizes[0] as Expr, 'parallel', o =>
    column_blocks(k, out.sizes[1] as Expr, each => {
      each(c => k.store(totals, [o, c], neutral(def.combine, types.total)))
      const rows: [Expr, Expr] = [constant(0, 'index'), parts.sizes[1] as Expr]
      add_rows(
        k,
        def.combine,
        rows,
        each,
        c => [totals, [o, c]],
        (part, c) => parts.at(o, part, c).cast(types.total),
      )
      each(c => {
        const y = second ? second.at(o, c) : constant(0, types.total)
        k.store(out, [o, c], finish(def, totals.at(o, c), values, y, out.type))
      })
    }),
  )
}

/** Results from the totals of parts of rows, [results, parts]. */
function write_finish_rows(
  k: Builder,
  def: ReductionDef,
  [x, dtype, y]: readonly [DType, DType, DType | null],
): void {
  const { total } = step_types(def, x, dtype)
  const out = k.output('out', dtype, { rank: 1, inner: 1 })
  const totals = k.input('totals', storage_of(total), { rank: 2, inner: 1 })
  const second = y && k.input('y', y, { rank: 1, inner: 1 })
  const values = Array.from({ length: def.values ?? 0 }, (_, i) =>
    k.value(`value${i}`, real_type(total)).cast(total),
  )
  k.for(out.sizes[0] as Expr, 'parallel', o => {
    const sum = k.local(total, neutral(def.combine, total))
    k.for(totals.sizes[1] as Expr, 'reduce', part => k.assign(sum, sum[def.combine](totals.at(o, part))))
    k.store(out, [o], finish(def, sum, values, second ? second.at(o) : constant(0, total), out.type))
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
const COLUMNS_WIDE = 3

/** Declares a reduction. */
export function reduction(def: ReductionDef): Reduction {
  const rows_kernel = kernels(def.name, (k, ...key: Key) => write_rows(k, def, key))
  const columns_kernel = kernels(`${def.name}_columns`, (k, wide: boolean, ...key: Key) =>
    write_columns(k, def, key, wide),
  )
  type Types = [x: DType, out: DType, y: DType | null]
  const row_parts = kernels(`${def.name}_row_parts`, (k, ...types: Types) =>
    write_row_parts(k, def, [...types, 1, 1, '1']),
  )
  const finish_rows = kernels(`${def.name}_finish_rows`, (k, ...types: Types) =>
    write_finish_rows(k, def, types),
  )
  const column_parts = kernels(`${def.name}_column_parts`, (k, ...types: Types) =>
    write_column_parts(k, def, [...types, 2, 1, '1']),
  )
  const finish_columns = kernels(`${def.name}_finish_columns`, (k, ...types: Types) =>
    write_finish_columns(k, def, types),
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
      executable = kind < COLUMNS ? rows_kernel(...key) : columns_kernel(kind === COLUMNS_WIDE, ...key)
      if (kept.length < 8 && reduced.length < 8) found[code] = executable
    }
    return executable
  }

  /** Contiguous x as [outer, n, columns], in parts of `length` rows whose totals are then combined. */
  function in_parts(
    x: Tensor,
    out: Tensor,
    [outer, n, columns]: readonly [number, number, number],
    length: number,
    values: readonly LaunchValue[],
    y: Tensor | undefined,
  ): void {
    const parts = Math.ceil(n / length)
    const key: Types = [x.dtype, out.dtype, y?.dtype ?? null]
    const types = step_types(def, x.dtype, out.dtype)
    const results = (t: Tensor): Operand =>
      columns === 1 ? window(t, [outer], [1]) : window(t, [outer, columns], [columns, 1])
    const second = y === undefined ? [] : [results(y)]
    if (columns === 1) {
      const totals = scratch(0, [outer, parts], storage_of(types.total))
      row_parts(...key)([totals, window(x, [outer, n], [n, 1]), ...second], [...values, length])
      finish_rows(...key)([results(out), totals, ...second], values)
      return
    }
    const totals = scratch(0, [outer, parts, columns], storage_of(types.part))
    const rows = window(x, [outer, n, columns], [n * columns, columns, 1])
    column_parts(...key)([totals, rows, ...second], [...values, length])
    const sums = scratch(1, [outer, columns], storage_of(types.total))
    finish_columns(...key)([results(out), totals, sums, ...second], values)
  }

  return (x, dims, dtype, values = [], y) => {
    const out = empty(reduced_sizes(x.sizes, dims, false), dtype)
    if (out.count === 0) return out
    const plain = plain_space(x, dims)
    if (plain !== null && x.count >= SMALL && (y === undefined || y.dense)) {
      const shape = plain_shape(plain)
      const { part, total } = step_types(def, x.dtype, dtype)
      const length = part_length(shape, part !== total)
      if (length < shape[1]) {
        in_parts(x, out, shape, length, values, y)
        return out
      }
    }
    const space = plain ?? any_space(x, dims, out)
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
      const wide = part !== total && reduced_count(reduced, all_dims(reduced.length)) > ROW_BLOCK
      operands.push(window(scratch(0, [out.count], storage_of(wide ? total : part)), kept, out_strides))
      kind = wide ? COLUMNS_WIDE : COLUMNS
    }
    kernel(kind, x.dtype, dtype, y?.dtype, space)(operands, values)
    return out
  }
}

/** [outer, n, columns] of the space of a contiguous tensor. */
function plain_shape({ kept, reduced, x_reduced }: Space): [outer: number, n: number, columns: number] {
  const n = reduced[0] as number
  if (x_reduced[0] === 1) return [kept[0] as number, n, 1]
  return kept.length === 1 ? [1, n, kept[0] as number] : [kept[0] as number, n, kept[1] as number]
}

/** Of how many rows the parts are, by the shape alone; n or more: they are not cut. */
function part_length([outer, n, columns]: readonly [number, number, number], widens: boolean): number {
  if (columns === 1) return outer < FEW_RESULTS ? PART : n
  if (columns < FEW_COLUMNS) return n
  if (outer * Math.ceil(columns / WIDTH) < FEW_RESULTS) {
    const length = Math.max(64, Math.ceil(PART / columns))
    return widens ? Math.min(ROW_BLOCK, length) : length
  }
  return widens ? ROW_BLOCK : n
}

/** `sizes` without `dims`, or with 1 there. */
const reduced_sizes = (sizes: readonly number[], dims: readonly number[], keepdim: boolean): number[] =>
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

// ---------------------------------------------------------------------------------------------- means

export const average: Reduction = reduction({
  name: 'mean',
  combine: 'add',
  values: 1,
  final: (total, [n]) => total.div(n!),
})
