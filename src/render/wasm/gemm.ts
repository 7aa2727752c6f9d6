// The parts of matrix multiply, after Goto and van de Geijn (Anatomy of High-Performance Matrix Multiplication, 2008):
// packing into panels, and the product of packed blocks by a micro-kernel that keeps a 4 x 8 tile of f32 (4 x 4 of f64)
// in registers. Strides are in bytes, so every layout packs alike. Not here: blocking for the caches, which the
// caller of these functions does (device/wasm/gemm.ts).
import {
  add,
  type Code,
  call,
  type Func,
  i32,
  if_else,
  if_value,
  type Local,
  load,
  type ModuleBuilder,
  mul,
  op,
  shuffle,
  splat_load,
  store,
  while_loop,
} from './assembler.ts'

export type FloatType = 'f32' | 'f64'

/** Rows of a tile: the width of the panels of a. */
export const TILE_ROWS = 4
/** Columns of a tile: the width of the panels of b. */
export const TILE_COLUMNS: Readonly<Record<FloatType, number>> = { f32: 8, f64: 4 }

export const size_of = (type: FloatType): 4 | 8 => (type === 'f32' ? 4 : 8)
export const lanes_of = (type: FloatType): 4 | 2 => (type === 'f32' ? 4 : 2)

/** a * b + c on vectors of `type`, fused where that is one instruction. */
export function fused(type: FloatType, relaxed: boolean, a: Code, b: Code, c: Code): Code {
  const s = type === 'f32' ? 'f32x4' : 'f64x2'
  return relaxed ? op(`${s}.relaxed_madd`, a, b, c) : op(`${s}.add`, op(`${s}.mul`, a, b), c)
}

/**
 * Adds the functions of matrix multiply to a module:
 *
 * - `pack_a(k, width, source, minor, step, target, panel)` packs `width` rows of `k` elements; `minor` is the distance of
 *   two rows, `step` of two elements of a row, and `panel` that of two panels in the target. A panel holds for each k the
 *   elements of 4 rows; rows past the end are zeros.
 * - `pack_b` packs columns likewise, in panels as wide as a tile.
 * - `product(m, n, k, a, b, c, row, accumulate, scratch)`: c = a b (or c += a b) for packed a and b; `row` is the distance
 *   of two rows of c, whose columns are adjacent. `scratch` has room for a tile.
 */
export function emit_gemm(module: ModuleBuilder, type: FloatType, relaxed: boolean): void {
  emit_pack(module, 'pack_a', type, TILE_ROWS)
  emit_pack(module, 'pack_b', type, TILE_COLUMNS[type])
  emit_product(module, type, emit_micro(module, type, relaxed))
}

/** Rows at this distance, or more, are far apart. */
const FAR_BYTES = 1024

const indices = (n: number): number[] => Array.from({ length: n }, (_, i) => i)

// ------------------------------------------------------------------------------------------ packing

function emit_pack(module: ModuleBuilder, name: string, type: FloatType, width: number): void {
  const f = module.func(name, ['i32', 'i32', 'i32', 'i32', 'i32', 'i32', 'i32'])
  const [k, total, source, minor, step, target, panel] = f.params as [
    Local,
    Local,
    Local,
    Local,
    Local,
    Local,
    Local,
  ]
  const size = size_of(type)
  const lanes = lanes_of(type)
  const [left, from, to, q] = [f.local('i32'), f.local('i32'), f.local('i32'), f.local('i32')]
  const rows = indices(width).map(() => f.local('i32'))
  const rest = op('i32.sub', k.get, q.get)

  // Rows that are far apart are read a few at a time, along all panels: a few elements of each after the other would read
  // lines that the first cache has few places for.
  const panels = f.local('i32')
  const rows_along = (n: number): Code =>
    while_loop(
      op('i32.ge_s', rest, i32(n)),
      from.set(add(source.get, mul(q.get, step.get))),
      to.set(add(target.get, mul(q.get, width * size))),
      f.for(panels.get, () => [
        indices(n).map(r => {
          const row = r === 0 ? from.get : rows[r]!.get
          return [
            r === 0 ? [] : rows[r]!.set(add(r === 1 ? from.get : rows[r - 1]!.get, step.get)),
            indices(width / lanes).map(v =>
              store('v128.store', to.get, load('v128.load', row, 16 * v), r * width * size + 16 * v),
            ),
          ]
        }),
        from.step(width * size),
        to.step(panel.get),
      ]),
      q.step(n),
    )
  const far_rows: Code = [
    panels.set(op('i32.div_s', total.get, i32(width))),
    q.set(i32(0)),
    rows_along(4),
    rows_along(1),
    source.step(mul(panels.get, width * size)),
    target.step(mul(panels.get, panel.get)),
    left.set(op('i32.sub', total.get, mul(panels.get, width))),
  ]
  const adjacent = while_loop(
    op('i32.gt_s', rest, i32(0)),
    ...indices(width / lanes).map(v =>
      store('v128.store', to.get, load('v128.load', from.get, 16 * v), 16 * v),
    ),
    from.step(step.get),
    to.step(width * size),
    q.step(1),
  )
  const transposed = [
    rows.map((row, i) => row.set(add(from.get, mul(minor.get, i)))),
    while_loop(
      op('i32.ge_s', rest, i32(lanes)),
      ...indices(width / lanes).map(v =>
        transpose(f, type, rows.slice(v * lanes, (v + 1) * lanes), to, v * 16, width * size),
      ),
      rows.map(row => row.step(16)),
      from.step(16),
      to.step(lanes * width * size),
      q.step(lanes),
    ),
  ]
  const element = (i: number): Code => load(`${type}.load`, add(from.get, mul(minor.get, i)))
  const zero: Code = op(`${type}.convert_i32_s`, i32(0))
  const one_by_one = while_loop(
    op('i32.gt_s', rest, i32(0)),
    ...indices(width).map(i =>
      store(
        `${type}.store`,
        to.get,
        if_value(type, op('i32.gt_s', left.get, i32(i)), element(i), zero),
        i * size,
      ),
    ),
    from.step(step.get),
    to.step(width * size),
    q.step(1),
  )
  f.emit(
    left.set(total.get),
    if_else(
      op('i32.and', op('i32.eq', minor.get, i32(size)), op('i32.ge_s', step.get, i32(FAR_BYTES))),
      far_rows,
    ),
    while_loop(
      op('i32.gt_s', left.get, i32(0)),
      from.set(source.get),
      to.set(target.get),
      q.set(i32(0)),
      if_else(
        op('i32.ge_s', left.get, i32(width)),
        if_else(
          op('i32.eq', minor.get, i32(size)),
          adjacent,
          if_else(op('i32.eq', step.get, i32(size)), transposed),
        ),
      ),
      one_by_one, // what is left: all of it, or the last few elements after `transposed`
      source.step(mul(minor.get, width)),
      target.step(panel.get),
      left.step(-width),
    ),
  )
}

/** Loads one vector of each row and stores their transpose, its rows `pitch` bytes apart. */
function transpose(
  f: Func,
  type: FloatType,
  rows: readonly Local[],
  to: Local,
  offset: number,
  pitch: number,
): Code {
  const v = rows.map(() => f.local('v128'))
  const loads = rows.map((row, i) => v[i]!.set(load('v128.load', row.get)))
  const put = (i: number, value: Code): Code => store('v128.store', to.get, value, offset + i * pitch)
  const pick = (a: Code, b: Code, ...units: number[]): Code =>
    shuffle(
      a,
      b,
      units.flatMap(u => indices(16 / units.length).map(i => (u * 16) / units.length + i)),
    )
  const [a, b, c, d] = v as [Local, Local, Local, Local]
  if (type === 'f64') return [loads, put(0, pick(a.get, b.get, 0, 2)), put(1, pick(a.get, b.get, 1, 3))]
  const w = rows.map(() => f.local('v128'))
  return [
    loads,
    w[0]!.set(pick(a.get, b.get, 0, 4, 1, 5)),
    w[1]!.set(pick(a.get, b.get, 2, 6, 3, 7)),
    w[2]!.set(pick(c.get, d.get, 0, 4, 1, 5)),
    w[3]!.set(pick(c.get, d.get, 2, 6, 3, 7)),
    put(0, pick(w[0]!.get, w[2]!.get, 0, 2)),
    put(1, pick(w[0]!.get, w[2]!.get, 1, 3)),
    put(2, pick(w[1]!.get, w[3]!.get, 0, 2)),
    put(3, pick(w[1]!.get, w[3]!.get, 1, 3)),
  ]
}

// ------------------------------------------------------------------------------------------ products

/** micro(k, a, b, c, row, accumulate): one tile of c from a panel of a and one of b. Not unrolled: that spills. */
function emit_micro(module: ModuleBuilder, type: FloatType, relaxed: boolean): Func {
  const f = module.func('micro', ['i32', 'i32', 'i32', 'i32', 'i32', 'i32'])
  const [k, a, b, c, row, accumulate] = f.params as [Local, Local, Local, Local, Local, Local]
  const size = size_of(type)
  const columns = TILE_COLUMNS[type]
  const vectors = indices(columns / lanes_of(type))
  const tile = indices(TILE_ROWS).map(() => vectors.map(() => f.local('v128')))
  const b_row = vectors.map(() => f.local('v128'))
  const x = f.local('v128')
  const end = f.local('i32')
  const add_vectors = (p: Code, q: Code): Code => op(type === 'f32' ? 'f32x4.add' : 'f64x2.add', p, q)
  const write = (value: (i: number, v: number) => Code): Code =>
    tile.map((_, i) => [
      vectors.map(v => store('v128.store', c.get, value(i, v), 16 * v)),
      i < TILE_ROWS - 1 ? c.step(row.get) : [],
    ])
  f.emit(
    end.set(add(b.get, mul(k.get, columns * size))),
    while_loop(
      op('i32.lt_u', b.get, end.get),
      vectors.map(v => b_row[v]!.set(load('v128.load', b.get, 16 * v))),
      tile.map((sums, i) => [
        x.set(splat_load(type, a.get, i * size)),
        sums.map((sum, v) => sum.set(fused(type, relaxed, x.get, b_row[v]!.get, sum.get))),
      ]),
      a.step(TILE_ROWS * size),
      b.step(columns * size),
    ),
    if_else(
      accumulate.get,
      write((i, v) => add_vectors(load('v128.load', c.get, 16 * v), tile[i]![v]!.get)),
      write((i, v) => tile[i]![v]!.get),
    ),
  )
  return f
}

function emit_product(module: ModuleBuilder, type: FloatType, micro: Func): void {
  const f = module.func('product', ['i32', 'i32', 'i32', 'i32', 'i32', 'i32', 'i32', 'i32', 'i32'])
  const [m, n, k, a, b, c, row, accumulate, scratch] = f.params as [
    Local,
    Local,
    Local,
    Local,
    Local,
    Local,
    Local,
    Local,
    Local,
  ]
  const size = size_of(type)
  const columns = TILE_COLUMNS[type]
  const [a_panel, target, height, width] = [f.local('i32'), f.local('i32'), f.local('i32'), f.local('i32')]
  const at_most = (x: Local, limit: number): Code =>
    if_else(op('i32.gt_s', x.get, i32(limit)), x.set(i32(limit)))
  /** Tiles that stick out of c are made in the scratch, and what is inside is copied. */
  const edge = (): Code => [
    call(micro, k.get, a_panel.get, b.get, scratch.get, i32(columns * size), i32(0)),
    at_most(height, TILE_ROWS),
    at_most(width, columns),
    f.for(height.get, y =>
      f.for(width.get, x => {
        const to = add(add(target.get, mul(y.get, row.get)), mul(x.get, size))
        const value = load(`${type}.load`, add(scratch.get, mul(add(mul(y.get, columns), x.get), size)))
        return if_else(
          accumulate.get,
          store(`${type}.store`, to, op(`${type}.add`, load(`${type}.load`, to), value)),
          store(`${type}.store`, to, value),
        )
      }),
    ),
  ]
  const fits = op(
    'i32.and',
    op('i32.ge_s', height.get, i32(TILE_ROWS)),
    op('i32.ge_s', width.get, i32(columns)),
  )
  f.emit(
    f.for(
      n.get,
      j => [
        a_panel.set(a.get),
        target.set(add(c.get, mul(j.get, size))),
        f.for(
          m.get,
          i => [
            height.set(op('i32.sub', m.get, i.get)),
            width.set(op('i32.sub', n.get, j.get)),
            if_else(
              fits,
              call(micro, k.get, a_panel.get, b.get, target.get, row.get, accumulate.get),
              edge(),
            ),
            a_panel.step(mul(k.get, TILE_ROWS * size)),
            target.step(mul(row.get, TILE_ROWS)),
          ],
          TILE_ROWS,
        ),
        b.step(mul(k.get, columns * size)),
      ],
      columns,
    ),
  )
}
