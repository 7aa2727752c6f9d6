// Threads of the wasm device: results do not depend on how many there are, they compute, and they keep nothing alive.
import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { rolldown } from 'rolldown'
import { describe, expect, it } from 'vitest'
import config from '../../../rolldown.config.ts'
import { float32 } from '../../../src/base/dtype.ts'
import type { Executable, Operand } from '../../../src/device/device.ts'
import { allocate } from '../../../src/device/storage.ts'
import { gemm } from '../../../src/device/wasm/gemm.ts'
import { compile } from '../../../src/device/wasm/launch.ts'
import { LinearMemory } from '../../../src/device/wasm/memory.ts'
import { Engine } from '../../../src/device/wasm/routines.ts'
import type { Expr } from '../../../src/ir/expr.ts'
import { build } from '../../../src/ir/kernel.ts'
import { matrices, product, view } from './operands.ts'

const root = resolve(import.meta.dirname, '../../..')
const execute = promisify(execFile)

/** A new operand that may stay in linear memory: nobody holds its buffer. */
const resident = (sizes: readonly number[], f: (i: number) => number = () => 0): Operand => {
  const x = view(allocate(4 * product(sizes)), float32, sizes)
  const array = x.memory.touch(float32)
  for (let i = 0; i < x.count; i++) array[i] = f(i)
  return x
}
const values = (x: Operand): Float32Array => Float32Array.from(x.memory.peek(float32) as Float32Array)

const increment = (engine: Engine): Executable =>
  compile(
    engine,
    build('increment', k => {
      const x = k.inout('x', float32, 'flat')
      k.for(x.sizes[0]!, 'vector', i => k.store(x, [i], x.at(i).add(1)))
    }),
  )

/** Calls until a worker has taken part, which it does when it has started. */
function until_helped(engine: Engine, call: () => void): number {
  const before = engine.threads.helped
  let calls = 0
  for (const began = performance.now(); engine.threads.helped === before; calls++) {
    if (performance.now() - began > 30_000) throw new Error('no worker took part')
    call()
  }
  return calls
}

describe('threads of the wasm device', { timeout: 120_000 }, () => {
  it('each iteration of a kernel is done once, whoever does it', () => {
    const engine = new Engine(new LinearMemory())
    const run = increment(engine)
    const x = resident([500_001])
    engine.threads.count = 3
    let calls = until_helped(engine, () => run([x], []))
    for (const n of [1, 2, 5, 3]) {
      engine.threads.count = n
      for (let i = 0; i < 20; i++, calls++) run([x], [])
    }
    expect([...new Set(values(x))]).toEqual([calls])
  })

  it('a worker joins with a kernel that it has not seen before, and after the memory has grown', () => {
    const engine = new Engine(new LinearMemory())
    engine.threads.count = 2
    const small = resident([100_000])
    until_helped(engine, () => increment(engine)([small], []))
    const large = resident([8_000_000], i => i % 10)
    const run = increment(engine)
    const calls = until_helped(engine, () => run([large], []))
    expect(values(large).every((v, i) => v === (i % 10) + calls)).toBe(true)
  })

  it('workers take part where the number of iterations is computed from sizes', () => {
    const engine = new Engine(new LinearMemory())
    engine.threads.count = 2
    const blocks = compile(
      engine,
      build('blocks', k => {
        const x = k.inout('x', float32, 'flat')
        const width = k.value('width', 'index')
        const [n] = x.sizes as [Expr]
        k.for(n.add(width).sub(1).truncdiv(width), 'parallel', block => {
          const first = block.mul(width)
          k.for(n.sub(first).min(width), 'vector', i => k.store(x, [first.add(i)], x.at(first.add(i)).add(1)))
        })
      }),
    )
    const x = resident([1_000_003])
    const calls = until_helped(engine, () => blocks([x], [1000]))
    expect([...new Set(values(x))]).toEqual([calls])
  })

  it('workers take part in a matrix product', () => {
    const engine = new Engine(new LinearMemory())
    engine.threads.count = 2
    const [a, b] = [resident([1, 200, 200], i => i % 7), resident([1, 200, 200], i => i % 5)]
    const c = resident([1, 200, 200])
    const shape = { dtype: float32, batch: 1, m: 200, n: 200, k: 200, accumulate: false }
    until_helped(engine, () => gemm(engine, { ...shape, a: matrices(a), b: matrices(b), c: matrices(c) }))
    const [x, y] = [values(a), values(b)]
    let last = 0
    for (let k = 0; k < 200; k++) last += x[199 * 200 + k]! * y[k * 200 + 199]!
    expect(values(c).at(-1)).toBe(last)
  })

  it('one thread computes alone', () => {
    const engine = new Engine(new LinearMemory())
    const run = increment(engine)
    const x = resident([500_000])
    engine.threads.count = 2
    until_helped(engine, () => run([x], []))
    engine.threads.count = 1
    const before = engine.threads.helped
    for (let i = 0; i < 50; i++) run([x], [])
    expect(engine.threads.helped).toBe(before)
  })

  it('the same bits with any number of threads, and the process ends by itself', async () => {
    const program = join(import.meta.dirname, 'threads_program.ts')
    const tsx = join(root, 'node_modules/tsx/dist/cli.mjs')
    const env = { ...process.env, TSTORCH_CPU: 'wasm' }
    const { stdout, stderr } = await execute(process.execPath, [tsx, program], { env, timeout: 100_000 })
    expect(stderr).toBe('')
    expect(stdout.trim()).toBe('2 true')
  })

  it('workers start from the bundled package', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'tstorch-threads-'))
    try {
      const bundle = await rolldown({ input: config.input!, platform: 'neutral' })
      await bundle.write({ ...config.output, file: join(folder, 'index.mjs') })
      await bundle.close()
      const program = `
        import * as torch from ${JSON.stringify(join(folder, 'index.mjs'))}
        torch.set_num_threads(3)
        const x = torch.zeros(1000000)
        const workers = () => process.report.getReport().workers.length
        const end = Date.now() + 20_000
        let n = 0
        do for (let i = 0; i < 100; i++, n++) x.add_(1)
        while (workers() < 2 && Date.now() < end) // they take a moment to start
        console.log(x.min().item() === n && x.max().item() === n, workers())`
      const env = { ...process.env, TSTORCH_CPU: 'wasm' }
      const { stdout, stderr } = await execute(process.execPath, ['--input-type=module', '--eval', program], {
        env,
        timeout: 60_000,
      })
      expect(stderr).toBe('')
      expect(stdout.trim()).toBe('true 2')
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  })
})
