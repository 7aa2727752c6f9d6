import { describe, expect, it } from 'vitest'
import { type DType, float16, float32, float64 } from '../../../src/base/dtype.ts'
import type { GemmProblem, MatrixRef, Operand } from '../../../src/device/device.ts'
import { contents, native, operand, small_integers } from './operand.ts'

const device = native!

type Layout = 'rows' | 'columns' | 'strided'

/** A batch of matrices of small integers laid out by rows, by columns, or with gaps everywhere. */
function matrices(
  dtype: DType,
  batch: number,
  rows: number,
  columns: number,
  layout: Layout,
  seed: number,
): MatrixRef {
  const [row_stride, col_stride] =
    layout === 'rows' ? [columns, 1] : layout === 'columns' ? [1, rows] : [3 * columns + 2, 3]
  const batch_stride = layout === 'strided' ? rows * row_stride + 1 : rows * columns
  const offset = layout === 'strided' ? 5 : 0
  const size = offset + batch * Math.max(batch_stride, 1) + 3
  const { memory } = operand(dtype, [size], small_integers(size, seed))
  return { storage: memory, offset, batch_stride, row_stride, col_stride }
}

const get = (
  { storage, offset, batch_stride, row_stride, col_stride }: MatrixRef,
  dtype: DType,
  b: number,
  i: number,
  j: number,
): number => storage.array(dtype)[offset + b * batch_stride + i * row_stride + j * col_stride] as number

/** Multiplies into a c whose rows have a gap after them, and compares all of its memory. */
function check(
  dtype: DType,
  [batch, m, n, k]: readonly number[],
  a: MatrixRef,
  b: MatrixRef,
  accumulate: boolean | 'bias' = false,
): void {
  const bias = accumulate === 'bias' ? operand(dtype, [n!], small_integers(n!, 9)) : null
  const start = bias === null ? null : (contents(bias) as number[])
  const gap = 3
  const stride = n! + gap
  const out: Operand = operand(dtype, [batch! * m! * stride], small_integers(batch! * m! * stride, 7))
  const expected = contents(out) as number[]
  for (let z = 0; z < batch!; z++)
    for (let i = 0; i < m!; i++)
      for (let j = 0; j < n!; j++) {
        const at = (z * m! + i) * stride + j
        let sum = start !== null ? start[j]! : accumulate ? expected[at]! : 0
        for (let p = 0; p < k!; p++) sum += get(a, dtype, z, i, p) * get(b, dtype, z, p, j)
        expected[at] = sum
      }
  const c = { storage: out.memory, offset: 0, batch_stride: m! * stride, row_stride: stride, col_stride: 1 }
  const problem: GemmProblem = {
    dtype,
    batch: batch!,
    m: m!,
    n: n!,
    k: k!,
    a,
    b,
    c,
    accumulate: accumulate === true,
    bias,
  }
  device.gemm(problem)
  expect(contents(out)).toEqual(expected)
}

describe.skipIf(!native).each([float32, float64])('gemm in %s', dtype => {
  // around the tile (6 or 12 rows; 1, 2, 4, ... vectors of columns) and across the blocks of k
  const shapes = [
    [1, 1, 1, 1],
    [1, 2, 3, 4],
    [1, 1, 100, 70],
    [1, 7, 1, 300],
    [1, 5, 33, 17],
    [1, 8, 65, 130],
    [1, 11, 10, 200],
    [1, 12, 32, 16],
    [1, 13, 47, 9],
    [1, 16, 40, 600],
    [1, 25, 31, 401],
    [1, 64, 10, 130],
    [1, 157, 35, 20],
    [1, 30, 300, 150],
    [1, 20, 51, 900],
    [1, 20, 600, 60],
    [2, 30, 100, 40],
    [3, 4, 5, 6],
    [2, 14, 33, 40],
  ]
  const layouts: Layout[] = ['rows', 'columns', 'strided']
  for (const [batch, m, n, k] of shapes as [number, number, number, number][])
    it(`${batch} of ${m} x ${k} by ${k} x ${n}, in every layout`, () => {
      for (const la of layouts)
        for (const lb of layouts)
          for (const accumulate of [false, true, 'bias'] as const)
            check(
              dtype,
              [batch, m, n, k],
              matrices(dtype, batch, m, k, la, 3),
              matrices(dtype, batch, k, n, lb, 5),
              accumulate,
            )
    })

  it('matrices too large for one block', () => {
    check(
      dtype,
      [1, 150, 1100, 30],
      matrices(dtype, 1, 150, 30, 'rows', 1),
      matrices(dtype, 1, 30, 1100, 'columns', 2),
    )
    check(
      dtype,
      [1, 20, 2100, 5],
      matrices(dtype, 1, 20, 5, 'columns', 1),
      matrices(dtype, 1, 5, 2100, 'strided', 2),
    )
  })

  it('rows that lie a power of two apart', () => {
    check(
      dtype,
      [1, 6, 40, 1024],
      matrices(dtype, 1, 6, 1024, 'rows', 1),
      matrices(dtype, 1, 1024, 40, 'columns', 2),
    )
    check(
      dtype,
      [1, 30, 70, 512],
      matrices(dtype, 1, 30, 512, 'rows', 1),
      matrices(dtype, 1, 512, 70, 'columns', 2),
    )
  })

  it('one b for all of the batch, one a for all, and operands broadcast along a dimension', () => {
    const one = (x: MatrixRef): MatrixRef => ({ ...x, batch_stride: 0 })
    check(dtype, [4, 5, 6, 7], matrices(dtype, 4, 5, 7, 'rows', 1), one(matrices(dtype, 1, 7, 6, 'rows', 2)))
    check(
      dtype,
      [4, 5, 6, 7],
      one(matrices(dtype, 1, 5, 7, 'rows', 1)),
      matrices(dtype, 4, 7, 6, 'columns', 2),
    )
    const row = { ...matrices(dtype, 1, 20, 30, 'rows', 1), row_stride: 0 }
    check(dtype, [1, 20, 40, 30], row, { ...matrices(dtype, 1, 30, 40, 'rows', 2), col_stride: 0 })
  })

  it('negative strides', () => {
    const a = matrices(dtype, 1, 9, 20, 'rows', 1)
    const reversed = { ...a, offset: 9 * 20 - 1, row_stride: -20, col_stride: -1 }
    check(dtype, [1, 9, 30, 20], reversed, matrices(dtype, 1, 20, 30, 'rows', 2))
  })

  it('k = 0 writes zeros, or leaves c when accumulating; empty shapes do nothing', () => {
    const a = matrices(dtype, 1, 5, 5, 'rows', 1)
    for (const shape of [
      [1, 3, 4, 0],
      [1, 0, 4, 3],
      [1, 3, 0, 3],
      [0, 3, 4, 3],
    ])
      for (const accumulate of [false, true]) check(dtype, shape, a, a, accumulate)
  })

  it('NaN and infinity go where they belong', () => {
    const n = 20
    const x = operand(dtype, [n, n], small_integers(n * n))
    const y = operand(
      dtype,
      [n, n],
      small_integers(n * n, 2).map(v => v || 1),
    )
    ;(x.memory.array(dtype) as Float64Array)[3 * n + 2] = NaN
    ;(x.memory.array(dtype) as Float64Array)[5 * n + 2] = Infinity
    const out = operand(dtype, [n, n])
    const ref = ({ memory }: Operand): MatrixRef => ({
      storage: memory,
      offset: 0,
      batch_stride: 0,
      row_stride: n,
      col_stride: 1,
    })
    device.gemm({ dtype, batch: 1, m: n, n, k: n, a: ref(x), b: ref(y), c: ref(out), accumulate: false })
    const rows = Array.from({ length: n }, (_, i) => contents(out).slice(i * n, i * n + n) as number[])
    rows.forEach((row, i) => {
      for (const v of row)
        expect(i === 3 ? Number.isNaN(v) : i === 5 ? Math.abs(v) === Infinity : Number.isFinite(v)).toBe(true)
    })
  })
})

it.skipIf(!native)('other dtypes are refused', () => {
  const a = matrices(float32, 1, 2, 2, 'rows', 1)
  const problem = { dtype: float16, batch: 1, m: 2, n: 2, k: 2, a, b: a, c: a, accumulate: false }
  expect(() => device.gemm(problem)).toThrow(
    new TypeError('gemm computes in float32 and float64, not in float16'),
  )
})
