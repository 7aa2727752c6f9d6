// Matrix multiply on the wasm device: operands are staged, then multiplied block by block, blocks chosen for the caches.
// Not here: packing and the micro-kernel (render/wasm/gemm.ts).
import { size_of, TILE_COLUMNS, TILE_ROWS } from '../../render/wasm/gemm.ts'
import type { GemmProblem, MatrixRef } from '../device.ts'
import type { Storage } from '../storage.ts'
import { Calls, LEAST_WORK } from './calls.ts'
import type { LinearMemory } from './memory.ts'
import { type Engine, float_type } from './routines.ts'
import { WHOLE } from './slices.ts'
import type { Stage } from './stage.ts'

/** Elements of a row of a block, so that a panel of b stays in the first-level cache. */
export const BLOCK_DEPTH = 256
/** Rows of a block of a, which stays in the second-level cache. */
export const BLOCK_ROWS = 128
/** Columns of a block of b. */
export const BLOCK_COLUMNS = 2048
/** How many bytes of a batch are staged at once. */
const STAGE_BYTES = 32 << 20

/** Up to so many rows are multiplied as vectors. */
const FEW = 3

export const round_up = (n: number, unit: number): number => Math.ceil(n / unit) * unit

/** c[b] = a[b] @ b[b] (+ c[b], or + bias). Throws TypeError for a dtype other than float32 and float64. */
export function gemm(engine: Engine, problem: GemmProblem): void {
  const type = float_type(problem.dtype)
  const p = as_one_matrix(problem)
  const { batch, m, n, k, a, b, c, bias } = p
  if (batch === 0 || m === 0 || n === 0) return
  if (small(engine, p)) return
  const { memory, stage } = engine
  const size = size_of(type)
  const at_once = Math.max(1, Math.floor(STAGE_BYTES / ((m * k + k * n + m * n) * size)))
  for (let first = 0; first < batch; first += at_once) {
    const count = Math.min(at_once, batch - first)
    memory.begin()
    stage.clear()
    add_matrix(stage, c, p.accumulate ? 'inout' : 'out', size, [first, count, m, n])
    add_matrix(stage, a, 'in', size, [first, count, m, k])
    add_matrix(stage, b, 'in', size, [first, count, k, n])
    if (bias) stage.add(bias, 'in', WHOLE, 0, 0)
    stage.copy_in()
    const at = (operand: number, x: MatrixRef, i: number): number =>
      stage.address(operand) + (first + i) * x.batch_stride * size
    if (bias)
      for (let i = 0; i < count; i++)
        lay_bias(memory, at(0, c, i), m, c.row_stride * size, stage.address(3), n * size)
    const whole = bias ? { ...p, accumulate: true } : p
    const calls = new Calls(engine, type, count * m * n * k)
    const multiply = vectors(calls, whole) ?? blocks(calls, whole)
    for (let i = 0; i < count; i++) multiply(at(1, a, i), at(2, b, i), at(0, c, i))
    calls.run()
    stage.copy_out()
  }
  stage.clear()
}

/** Does products of one block each that are not worth being shared, of operands in linear memory; false if it does not. */
function small({ memory, residents, routines }: Engine, p: GemmProblem): boolean {
  const { batch, m, n, k, a, b, c, bias, accumulate } = p
  if (batch * m * n * k >= LEAST_WORK || k === 0 || k > BLOCK_DEPTH || m > BLOCK_ROWS || n > BLOCK_COLUMNS)
    return false
  if (m <= FEW || n <= FEW) return false
  const type = float_type(p.dtype)
  const size = size_of(type)
  memory.begin()
  const at = (storage: Storage, offset: number, writes: boolean): number => {
    const base = residents.find(storage.block, writes)
    return base === null ? -1 : base + storage.byte_offset + offset * size
  }
  const to = at(c.storage, c.offset, true)
  const left = at(a.storage, a.offset, false)
  const right = at(b.storage, b.offset, false)
  const row = bias ? at(bias.memory, bias.offset, false) : 0
  if (to < 0 || left < 0 || right < 0 || row < 0) return false
  const columns = TILE_COLUMNS[type]
  const [a_panel, b_panel] = [k * TILE_ROWS * size, k * columns * size]
  const scratch = memory.reserve(TILE_ROWS * columns * size)
  const a_packed = memory.reserve(Math.ceil(m / TILE_ROWS) * a_panel)
  const b_packed = memory.reserve(Math.ceil(n / columns) * b_panel)
  const { pack_a, pack_b, product, gather } = routines(type)
  const [a_row, a_col] = [a.row_stride * size, a.col_stride * size]
  const [b_row, b_col] = [b.row_stride * size, b.col_stride * size]
  const c_row = c.row_stride * size
  const adds = accumulate || bias ? 1 : 0
  for (let i = 0; i < batch; i++) {
    const out = to + i * c.batch_stride * size
    if (bias) for (let y = 0; y < m; y++) gather(out + y * c_row, row, n, size)
    pack_b(k, n, right + i * b.batch_stride * size, b_col, b_row, b_packed, b_panel)
    pack_a(k, m, left + i * a.batch_stride * size, a_row, a_col, a_packed, a_panel)
    product(m, n, k, a_packed, b_packed, out, c_row, adds, scratch)
  }
  return true
}

/** Copies a row of numbers to each row of a matrix, in twice as many each time; the product is added to it then. */
function lay_bias(
  { bytes }: LinearMemory,
  to: number,
  rows: number,
  stride: number,
  from: number,
  nbytes: number,
): void {
  if (stride !== nbytes) {
    for (let i = 0; i < rows; i++) bytes.copyWithin(to + i * stride, from, from + nbytes)
    return
  }
  bytes.copyWithin(to, from, from + nbytes)
  for (let done = 1; done < rows; done *= 2)
    bytes.copyWithin(to + done * nbytes, to, to + Math.min(done, rows - done) * nbytes)
}

/** A batch of matrices times one matrix is one tall matrix times that, where the rows follow each other evenly. */
function as_one_matrix(p: GemmProblem): GemmProblem {
  const follows = (x: MatrixRef): boolean => x.batch_stride === p.m * x.row_stride
  return p.batch > 1 && p.b.batch_stride === 0 && follows(p.a) && follows(p.c)
    ? { ...p, batch: 1, m: p.batch * p.m }
    : p
}

/** Stages matrices `first` to `first + count` of a batch. */
function add_matrix(
  stage: Stage,
  x: MatrixRef,
  access: 'in' | 'out' | 'inout',
  size: number,
  [first, count, rows, columns]: readonly [number, number, number, number],
): void {
  const origin = x.storage.byte_offset + x.offset * size
  if (rows === 0 || columns === 0) {
    stage.add_nothing()
    return
  }
  const spans = [(count - 1) * x.batch_stride, (rows - 1) * x.row_stride, (columns - 1) * x.col_stride]
  const start = x.offset + first * x.batch_stride
  const low = spans.reduce((at, s) => at + Math.min(s, 0), start)
  const high = spans.reduce((at, s) => at + Math.max(s, 0), start)
  const covered = access === 'out' && high - low + 1 === count * rows * columns
  const base = x.storage.byte_offset
  stage.add_bytes(x.storage, origin, base + low * size, base + (high + 1) * size, access, covered)
}

/** Results of a matrix times a vector are made in parts of a whole number of so many, from so much work on. */
const LINE = 64
const VECTOR_WORK = 1 << 19

/**
 * The product with so few rows, or columns, that it is done by matrix times vector, without packing; null where there
 * are more, or the other matrix does not lie so that its elements are read in order.
 */
function vectors(calls: Calls, p: GemmProblem): ((a: number, b: number, c: number) => void) | null {
  const size = size_of(float_type(p.dtype))
  const { m, n, k, a, b, c, accumulate } = p
  const adds = Number(accumulate)
  const length = Math.max(LINE, round_up(VECTOR_WORK / Math.max(1, k), LINE))
  const each_part = (count: number, part: (first: number, count: number) => void): void => {
    for (let first = 0; first < count; first += length) {
      calls.part()
      part(first, Math.min(length, count - first))
    }
  }
  const [a_row, c_row] = [a.row_stride * size, c.row_stride * size]
  const [b_row, b_col] = [b.row_stride * size, b.col_stride * size]
  if (m <= FEW && a.col_stride === 1 && b.row_stride === 1)
    return (from, matrix, to) => {
      for (let i = 0; i < m; i++)
        each_part(n, (j, count) => {
          const out = to + i * c_row + j * size
          calls.call('dots', count, k, from + i * a_row, matrix + j * b_col, b_col, out, size, adds)
        })
    }
  if (n <= FEW && a.col_stride === 1 && b.row_stride === 1)
    return (matrix, from, to) => {
      for (let j = 0; j < n; j++)
        each_part(m, (i, count) => {
          const out = to + i * c_row + j * size
          calls.call('dots', count, k, from + j * b_col, matrix + i * a_row, a_row, out, c_row, adds)
        })
    }
  if (m <= FEW && b.col_stride === 1)
    return (from, matrix, to) => {
      for (let i = 0; i < m; i++)
        each_part(n, (j, count) => {
          const out = to + i * c_row + j * size
          if (!accumulate) calls.call('zero', out, count)
          calls.call(
            'combine',
            count,
            k,
            from + i * a_row,
            a.col_stride * size,
            matrix + j * size,
            b_row,
            out,
          )
        })
    }
  return null
}

/** A product of more multiplications and additions than this is done in several parts. */
const PART_WORK = 1 << 21
const MOST_PARTS = 8

/** Rows and columns of the parts that a batch of products is done in: they follow from the shape alone. */
function part_of({ m, n, k, batch }: GemmProblem, columns: number): [rows: number, columns: number] {
  let [height, width] = [m, n]
  const wanted = Math.min(MOST_PARTS, (batch * m * n * k) / PART_WORK)
  while (batch * Math.ceil(m / height) * Math.ceil(n / width) < wanted) {
    if (width >= height && width >= 2 * columns) width = round_up(width / 2, columns)
    else if (height >= 2 * TILE_ROWS) height = round_up(height / 2, TILE_ROWS)
    else break
  }
  return [height, width]
}

/** Adds the product of the staged matrices at the given addresses to the calls: each thread packs blocks for itself. */
function blocks(calls: Calls, p: GemmProblem): (a: number, b: number, c: number) => void {
  const type = float_type(p.dtype)
  const size = size_of(type)
  const columns = TILE_COLUMNS[type]
  const { m, n, k } = p
  const [part_rows, part_columns] = part_of(p, columns)
  const depth = Math.min(k, BLOCK_DEPTH)
  const a_packed = calls.own(round_up(Math.min(part_rows, BLOCK_ROWS), TILE_ROWS) * depth * size)
  const b_packed = calls.own(round_up(Math.min(part_columns, BLOCK_COLUMNS), columns) * depth * size)
  const scratch = calls.own(TILE_ROWS * columns * size)
  const [a_row, a_col] = [p.a.row_stride * size, p.a.col_stride * size]
  const [b_row, b_col] = [p.b.row_stride * size, p.b.col_stride * size]
  const c_row = p.c.row_stride * size
  const part = (rows: number, width: number, a: number, b: number, c: number): void => {
    calls.part()
    if (k === 0 && !p.accumulate) for (let i = 0; i < rows; i++) calls.call('zero', c + i * c_row, width)
    for (let q = 0; q < k; q += BLOCK_DEPTH) {
      const deep = Math.min(k - q, BLOCK_DEPTH)
      calls.call('pack_b', deep, width, b + q * b_row, b_col, b_row, b_packed, deep * columns * size)
      for (let i = 0; i < rows; i += BLOCK_ROWS) {
        const height = Math.min(rows - i, BLOCK_ROWS)
        const from = a + i * a_row + q * a_col
        calls.call('pack_a', deep, height, from, a_row, a_col, a_packed, deep * TILE_ROWS * size)
        const adds = p.accumulate || q > 0 ? 1 : 0
        calls.call('product', height, width, deep, a_packed, b_packed, c + i * c_row, c_row, adds, scratch)
      }
    }
  }
  const most_columns = Math.min(part_columns, BLOCK_COLUMNS)
  return (a, b, c) => {
    for (let j = 0; j < n; j += most_columns)
      for (let i = 0; i < m; i += part_rows) {
        const to = c + i * c_row + j * size
        part(Math.min(m - i, part_rows), Math.min(n - j, most_columns), a + i * a_row, b + j * b_col, to)
      }
  }
}
