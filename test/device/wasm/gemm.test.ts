// Matrix multiply against the definition (the interp device's), over shapes around every block and tile edge, and over
// strides of every kind. Small whole numbers make the sums exact in any order.
import { describe, expect, it } from 'vitest'
import { type DType, float16, float32, float64 } from '../../../src/base/dtype.ts'
import type { GemmProblem, Operand } from '../../../src/device/device.ts'
import { interp_device } from '../../../src/device/interp/interp.ts'
import { wasm_device } from '../../../src/device/wasm/device.ts'
import { contents, matrices, operand, small, view } from './operands.ts'

const device = wasm_device()
const reference = interp_device()

type Shape = readonly [batch: number, m: number, n: number, k: number]

/** How a batch of matrices lies in memory. */
const LAYOUTS = ['rows', 'columns', 'spread', 'reversed', 'broadcast'] as const
type Layout = (typeof LAYOUTS)[number]

function matrix(dtype: DType, batch: number, rows: number, columns: number, layout: Layout): Operand {
  const sizes = [batch, rows, columns]
  const of = (count: number, strides: number[], offset = 0): Operand =>
    view(operand(dtype, [count], small).memory, dtype, sizes, strides, offset)
  const count = batch * rows * columns
  switch (layout) {
    case 'rows':
      return of(count, [rows * columns, columns, 1])
    case 'columns':
      return of(count, [rows * columns, 1, rows])
    case 'spread':
      return of(count * 6 + 7, [6 * rows * columns, 3 * columns, 2], 5)
    case 'reversed':
      return of(count, [-rows * columns, -columns, -1], Math.max(0, count - 1))
    case 'broadcast':
      return of(rows * columns, [0, columns, 1])
  }
}

function check(
  dtype: DType,
  [batch, m, n, k]: Shape,
  a: Layout,
  b: Layout,
  accumulate: boolean | 'bias',
  gap = 0,
): void {
  const x = matrix(dtype, batch, m, k, a)
  const y = matrix(dtype, batch, k, n, b)
  const result = (): Operand => {
    const storage = operand(dtype, [batch * m * (n + gap) + gap], i => (i % 5) - 2).memory
    return view(storage, dtype, [batch, m, n], [m * (n + gap), n + gap, 1], gap)
  }
  const [got, expected] = [result(), result()]
  const problem = (c: Operand): GemmProblem => ({
    ...{ dtype, batch, m, n, k, accumulate: accumulate === true },
    bias: accumulate === 'bias' ? operand(dtype, [n], i => (i % 7) - 3) : null,
    ...{ a: matrices(x), b: matrices(y), c: matrices(c) },
  })
  device.gemm(problem(got))
  reference.gemm(problem(expected))
  expect(contents(got), `${dtype} ${[batch, m, n, k]} ${a} ${b} ${accumulate} ${gap}`).toEqual(
    contents(expected),
  )
}

describe.each([float32, float64])('gemm in %s', dtype => {
  it('at the edges of tiles and blocks', () => {
    for (const m of [1, 2, 3, 4, 5, 8, 130])
      for (const n of [1, 3, 4, 7, 8, 9, 17])
        for (const k of [1, 2, 3, 4, 5, 9]) check(dtype, [1, m, n, k], 'rows', 'rows', false)
    for (const k of [1, 3, 4, 5, 9, 258]) check(dtype, [1, 6, 301, k], 'rows', 'rows', false) // far rows
    for (const k of [255, 256, 257, 600]) check(dtype, [1, 7, 13, k], 'rows', 'columns', false)
    check(dtype, [1, 3, 2050, 5], 'rows', 'rows', true)
    check(dtype, [1, 3, 2050, 5], 'columns', 'columns', false)
  })

  it('with every pair of layouts, in batches, into windows, accumulating', () => {
    for (const a of LAYOUTS)
      for (const b of LAYOUTS)
        for (const accumulate of [false, true, 'bias'] as const) {
          check(dtype, [3, 6, 11, 7], a, b, accumulate)
          check(dtype, [2, 9, 5, 12], a, b, accumulate, 3)
          for (const few of [1, 3])
            for (const many of [1, 7, 16]) {
              check(dtype, [2, few, many, 11], a, b, accumulate, 1)
              check(dtype, [2, many, few, 11], a, b, accumulate, 1)
            }
        }
  })

  it('of nothing: no rows do nothing, no depth gives zeros', () => {
    for (const shape of [
      [0, 2, 2, 2],
      [1, 0, 2, 2],
      [1, 2, 0, 2],
      [2, 3, 5, 0],
    ] as const)
      for (const accumulate of [false, true, 'bias'] as const)
        check(dtype, shape, 'rows', 'rows', accumulate, 2)
  })

  it('of a batch larger than what is staged at once', () => {
    check(dtype, [40, 64, 300, 200], 'rows', 'columns', false)
  })
})

it('keeps NaN and infinities to their own rows and columns', () => {
  const a = operand(float32, [1, 5, 6], small)
  const b = operand(float32, [1, 6, 9], small)
  a.memory.array(float32)[1 * 6 + 2] = Number.NaN
  b.memory.array(float32)[3 * 9 + 8] = Infinity
  const c = operand(float32, [1, 5, 9])
  device.gemm({
    ...{ dtype: float32, batch: 1, m: 5, n: 9, k: 6, accumulate: false },
    ...{ a: matrices(a), b: matrices(b), c: matrices(c) },
  })
  contents(c).forEach((x, i) => {
    expect(Number.isFinite(x)).toBe(Math.floor(i / 9) !== 1 && i % 9 !== 8)
  })
})

it('refuses other dtypes', () => {
  const x = matrices(operand(float16, [1, 1, 1]))
  expect(() =>
    device.gemm({ dtype: float16, batch: 1, m: 1, n: 1, k: 1, a: x, b: x, c: x, accumulate: false }),
  ).toThrow(TypeError)
})
