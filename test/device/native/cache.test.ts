// The cache of compiled kernels, seen from outside: programs that share a directory, and a compiler that counts its runs.
import { execFile } from 'node:child_process'
import {
  chmodSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { native } from './operand.ts'

const program = new URL('program.ts', import.meta.url).pathname

let directory: string
let compiler: string
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'tstorch-test-'))
  compiler = join(directory, 'counting-cc')
  writeFileSync(compiler, `#!/bin/sh\necho run >> ${directory}/runs\nexec cc "$@"\n`)
  chmodSync(compiler, 0o755)
})
afterEach(() => rmSync(directory, { recursive: true, force: true }))

/** What the program prints with `count` kernels. */
async function run(count: number, env: Record<string, string> = {}, ...args: string[]): Promise<string> {
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ['--import', 'tsx', program, `${count}`, ...args],
    {
      env: {
        ...process.env,
        TSTORCH_CACHE: join(directory, 'cache'),
        CC: compiler,
        OMP_NUM_THREADS: '2',
        ...env,
      },
    },
  )
  return stdout.trim()
}

const compiler_runs = (): number => readFileSync(join(directory, 'runs'), 'utf8').split('\n').length - 1
const libraries = (): string[] =>
  readdirSync(join(directory, 'cache'))
    .filter(name => name.startsWith('plus_'))
    .map(name => join(directory, 'cache', name))

describe.skipIf(!native)('the cache of compiled kernels', { timeout: 60_000 }, () => {
  it('a second start compiles nothing, neither kernels nor the pool of threads nor the test of the compiler', async () => {
    expect(await run(2)).toBe('[2,3,4]')
    expect(compiler_runs()).toBe(4)
    expect(await run(2)).toBe('[2,3,4]')
    expect(compiler_runs()).toBe(4)
  })

  it.each([
    ['empty', (path: string) => truncateSync(path, 0)],
    ['cut in the middle', (path: string) => truncateSync(path, 9000)],
    ['cut by a byte', (path: string) => truncateSync(path, readFileSync(path).length - 1)],
    ['text', (path: string) => writeFileSync(path, 'not a library')],
    [
      'changed in one bit',
      (path: string) => {
        const bytes = readFileSync(path)
        bytes[5000]! ^= 1
        writeFileSync(path, bytes)
      },
    ],
  ])('a library that is %s is compiled again', async (_, damage) => {
    expect(await run(2)).toBe('[2,3,4]')
    const before = compiler_runs()
    expect(libraries().length).toBe(2)
    damage(libraries()[0]!)
    expect(await run(2)).toBe('[2,3,4]')
    expect(compiler_runs()).toBe(before + 1)
    expect(await run(2)).toBe('[2,3,4]')
    expect(compiler_runs()).toBe(before + 1)
  })

  it('several processes may fill it at once; nothing temporary is left', async () => {
    const results = await Promise.all([run(3), run(3), run(3), run(3)])
    expect(results).toEqual(['[4,5,6]', '[4,5,6]', '[4,5,6]', '[4,5,6]'])
    const files = readdirSync(join(directory, 'cache')).map(name => name.replace(/[_-][0-9a-f]{32}/, ''))
    expect(files.sort()).toEqual(['compiler.json', 'plus_0.so', 'plus_1.so', 'plus_2.so', 'pool.so'])
  })

  it('kernels compiled ahead take few runs of the compiler and none later', async () => {
    expect(await run(20, {}, 'ahead')).toBe('[191,192,193]')
    expect(compiler_runs()).toBe(2 + 3)
    expect(await run(20)).toBe('[191,192,193]')
    expect(compiler_runs()).toBe(2 + 3)
    expect(libraries().length).toBe(20)
  })

  it('a directory that cannot be made is replaced by a temporary one', async () => {
    expect(await run(1, { TSTORCH_CACHE: '/dev/null/cache' })).toBe('[1,2,3]')
  })

  it('a compiler that does not work is passed over; without any, the error says what was tried', async () => {
    expect(await run(1, { CC: 'false' })).toBe('[1,2,3]')
    expect(await run(1, { CC: 'false', PATH: directory, TSTORCH_CACHE: join(directory, 'none') })).toBe(
      'NativeUnavailableError: no working C compiler: ' +
        'false: not found; cc: not found; gcc: not found; clang: not found',
    )
  })
})
