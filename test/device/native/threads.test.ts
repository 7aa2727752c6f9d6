import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { afterEach, describe, expect, it } from 'vitest'
import { float32 } from '../../../src/base/dtype.ts'
import type { Executable, MatrixRef, Operand } from '../../../src/device/device.ts'
import { build } from '../../../src/ir/kernel.ts'
import { contents, native, noise, operand } from './operand.ts'

const device = native!
const initial = native?.num_threads ?? 1

/** What `run` writes, for each number of threads. */
function with_threads(run: () => Operand): Float32Array[] {
  return [1, 2, 3, 8, 2].map(n => {
    device.num_threads = n
    return Float32Array.from(contents(run()) as number[])
  })
}

describe.skipIf(!native)('threads', { timeout: 60_000 }, () => {
  afterEach(() => {
    device.num_threads = initial
  })

  const softened = (rank: number): Executable =>
    device.compile(
      build(`softened_${rank}`, k => {
        const out = k.output('out', float32, rank === 1 ? 'flat' : { rank, inner: 1 })
        const x = k.input('x', float32, rank === 1 ? 'flat' : { rank, inner: 1 })
        k.elementwise(out.sizes, (...i) => {
          const e = x.at(...i).exp()
          k.store(out, i, e.div(e.add(1)))
        })
      }),
    )

  it.each([
    ['one loop', [300_001]],
    ['many rows', [1500, 201]],
    ['two long rows', [2, 150_001]],
    ['one row of rows', [1, 3, 100_000]],
    ['a plane of short rows', [2, 50_000, 3]],
  ])('an elementwise kernel gives the same bits with any number: %s', (_, sizes) => {
    const run = softened(sizes.length)
    const x = operand(
      float32,
      sizes,
      noise(sizes.reduce((a, b) => a * b)).map(v => 20 * v),
    )
    const [first, ...others] = with_threads(() => {
      const out = operand(float32, sizes)
      run([out, x], [])
      return out
    })
    const inputs = contents(x) as number[]
    expect(first!.every((y, i) => Math.abs(y - 1 / (1 + Math.exp(-inputs[i]!))) < 1e-6)).toBe(true)
    for (const other of others) expect(other.every((v, i) => v === first![i])).toBe(true)
  })

  it('sums of rows give the same bits with any number', () => {
    const run = device.compile(
      build('row_sums', k => {
        const out = k.output('out', float32, 'flat')
        const x = k.input('x', float32, { rank: 2, inner: 1 })
        k.for(x.sizes[0]!, 'parallel', row => {
          const sum = k.local('f32', 0)
          k.for(x.sizes[1]!, 'reduce', i => k.assign(sum, sum.add(x.at(row, i))))
          k.store(out, [row], sum)
        })
      }),
    )
    const x = operand(float32, [70, 9000], noise(70 * 9000))
    const [first, ...others] = with_threads(() => {
      const out = operand(float32, [70])
      run([out, x], [])
      return out
    })
    expect(first!.some(v => v !== 0)).toBe(true)
    for (const other of others) expect(other).toEqual(first)
  })

  it.each([
    ['square', 1, 200, 210, 190],
    ['a row', 1, 1, 4096, 700],
    ['few columns', 1, 3000, 10, 300],
    ['a batch', 5, 130, 110, 90],
    ['deep', 1, 150, 150, 3000],
    ['columns of b contiguous, few beyond whole vectors', 1, 300, 98, 200, true],
    ['columns of b contiguous, turned', 1, 64, 98, 1000, true],
    ['shallow', 1, 100, 1000, 64],
  ])('a matrix product gives the same bits with any number: %s', (_, batch, m, n, k, by_columns = false) => {
    const matrices = (rows: number, columns: number): Operand =>
      operand(float32, [batch, rows, columns], noise(batch * rows * columns))
    const ref = ({ memory, offset, strides }: Operand): MatrixRef => ({
      storage: memory,
      offset,
      batch_stride: strides[0]!,
      row_stride: strides[1]!,
      col_stride: strides[2]!,
    })
    const a = matrices(m, k)
    const b = by_columns ? matrices(n, k) : matrices(k, n)
    const of_b = by_columns ? { ...ref(b), row_stride: 1, col_stride: k } : ref(b)
    const [first, ...others] = with_threads(() => {
      const c = operand(float32, [batch, m, n])
      const refs = { a: ref(a), b: of_b, c: ref(c) }
      device.gemm({ dtype: float32, batch, m, n, k, ...refs, accumulate: false })
      return c
    })
    const [x, y] = [contents(a) as number[], contents(b) as number[]]
    let last = 0
    const column = (batch - 1) * k * n + (n - 1) * of_b.col_stride
    for (let p = 0; p < k; p++) last += x[batch * m * k - k + p]! * y[column + p * of_b.row_stride]!
    expect(Math.abs(first!.at(-1)! - last)).toBeLessThan(1e-4)
    for (const other of others) expect(other).toEqual(first)
  })

  it('large and small calls in a row, while the number changes', () => {
    const run = device.compile(
      build('increment', k => {
        const x = k.inout('x', float32, 'flat')
        k.for(x.sizes[0]!, 'vector', i => k.store(x, [i], x.at(i).add(1)))
      }),
    )
    const sizes = [10, 100_000, 1, 50_000, 1_000_000, 3]
    const operands = sizes.map(n => operand(float32, [n]))
    const rounds = 400
    for (let round = 0; round < rounds; round++) {
      device.num_threads = 1 + (round % 5)
      for (const x of operands) run([x], [])
    }
    for (const x of operands) expect(contents(x).every(v => v === rounds)).toBe(true)
  })

  it('several JavaScript threads compute at once, and the process ends', async () => {
    const program = new URL('threads_program.ts', import.meta.url).pathname
    const { stdout } = await promisify(execFile)(process.execPath, ['--import', 'tsx', program])
    expect(stdout.trim()).toBe('200 200 200 200')
  })
})
