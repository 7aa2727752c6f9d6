// The package is one file (rolldown.config.ts), under Node with what V8 made of it (src/node.ts). What it exports, and
// under which names, is what the source exports; and importing it does not take long.
import { spawnSync } from 'node:child_process'
import {
  copyFileSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { rolldown } from 'rolldown'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import config from '../rolldown.config.ts'
import * as source from '../src/index.ts'

const project = mkdtempSync(join(tmpdir(), 'tstorch-bundle-'))
const installed = join(project, 'node_modules/tstorch')
const folder = join(installed, 'dist')
const cache = join(project, 'cache')

beforeAll(async () => {
  const { output, ...input } = config
  const bundle = await rolldown(input)
  await bundle.write({ ...output, file: join(folder, 'index.js') })
  await bundle.close()
  copyFileSync(join(import.meta.dirname, '../package.json'), join(installed, 'package.json'))
})
afterAll(() => rmSync(project, { recursive: true, force: true }))

const is_namespace = (x: unknown): x is Record<string, unknown> =>
  Object.prototype.toString.call(x) === '[object Module]'

/** The path of every export, with the name that functions and classes have. */
function exported(namespace: Record<string, unknown>, path = ''): string[] {
  return Object.entries(namespace)
    .flatMap(([key, value]) =>
      is_namespace(value)
        ? exported(value, `${path}${key}.`)
        : [`${path}${key}: ${typeof value === 'function' ? value.name : typeof value}`],
    )
    .sort()
}

type Run = { readonly printed: string; readonly cpu_ms: number }

/** Runs a program that may import the package as `tstorch`, from the file of that name. */
function run(file: string, program: string, ...flags: string[]): Run {
  const url = pathToFileURL(join(folder, file)).href
  const text = `${program.replace("'tstorch'", `'${url}'`)}
    const { user, system } = process.cpuUsage()
    console.log(\`\\n\${user + system}\`)`
  const { stdout, stderr, status } = spawnSync(
    process.execPath,
    [...flags, '--input-type=module', '--eval', text],
    { env: { ...process.env, TSTORCH_CACHE: cache, TSTORCH_CPU: 'interp' }, encoding: 'utf8' },
  )
  if (status !== 0) throw new Error(stderr)
  const lines = stdout.trimEnd().split('\n')
  const cpu_ms = Number(lines.pop()) / 1000
  return { printed: lines.join('\n').trim(), cpu_ms }
}

const add = `import * as torch from 'tstorch'; console.log(String(torch.ones(2).add(1)))`
const compiled = (): string[] => readdirSync(cache).filter(name => name.startsWith('code_'))

describe('the built package', { timeout: 120_000 }, () => {
  test.each(['index.js', 'node.js'])(
    '%s exports what the source exports, under the same names',
    async file => {
      const built = (await import(pathToFileURL(join(folder, file)).href)) as typeof source
      expect(exported(built)).toEqual(exported(source))
      expect(String(new built.optim.Adam(new built.nn.Linear(1, 1).parameters()))).toMatch(/^Adam \(/)
    },
  )

  test('is taken by Node as a script and by bundlers as a module', async () => {
    const program = join(project, 'program.mjs')
    writeFileSync(program, `import 'tstorch'; console.log(import.meta.resolve('tstorch'))`)
    const { stdout } = spawnSync(process.execPath, [program], { encoding: 'utf8' })
    expect(stdout.trim()).toBe(pathToFileURL(join(folder, 'node.js')).href)
    for (const platform of ['node', 'browser', 'neutral'] as const) {
      const bundle = await rolldown({ input: program, platform })
      const { output } = await bundle.generate()
      await bundle.close()
      expect(output[0].moduleIds).toContain(join(folder, 'index.js'))
    }
  })

  test('keeps what V8 compiled for later processes, once', () => {
    rmSync(cache, { recursive: true, force: true })
    expect(run('node.js', add).printed).toBe('tensor([2., 2.])')
    const [name = ''] = compiled()
    const { mtimeMs, ino } = statSync(join(cache, name))
    expect(run('node.js', add).printed).toBe('tensor([2., 2.])')
    expect(compiled()).toEqual([name])
    expect(statSync(join(cache, name))).toMatchObject({ mtimeMs, ino })
  })

  test('compiles anew what was damaged or made under other flags', () => {
    run('node.js', add)
    const [name = ''] = compiled()
    const sound = readFileSync(join(cache, name))
    const damaged = Uint8Array.from(sound, (byte, i) => (i === sound.length >> 1 ? byte ^ 1 : byte))
    writeFileSync(join(cache, name), damaged)
    expect(run('node.js', add).printed).toBe('tensor([2., 2.])')
    expect(readFileSync(join(cache, name)).equals(damaged)).toBe(false)
    expect(run('node.js', add, '--no-opt').printed).toBe('tensor([2., 2.])')
    expect(run('node.js', add).printed).toBe('tensor([2., 2.])')
    expect(compiled()).toEqual([name])
  })

  test('needs no folder that can be written', () => {
    rmSync(cache, { recursive: true, force: true })
    writeFileSync(cache, 'a file in its place')
    expect(run('node.js', add).printed).toBe('tensor([2., 2.])')
    rmSync(cache)
  })

  test.each(['index.js', 'node.js'])('%s has a map to the sources', file => {
    const fails = `import * as torch from 'tstorch'
      try { torch.ones(2).add() } catch (error) { console.log(error.stack) }`
    const { printed } = run(file, fails, '--enable-source-maps')
    const [, line] = /at bind\w* \(.*schema\.ts:(\d+):/.exec(printed)!
    const schema = readFileSync(resolve(import.meta.dirname, '../src/tensor/schema.ts'), 'utf8')
    expect(schema.split('\n')[Number(line) - 1]).toContain('throw new TypeError')
  })

  // Before properties were added to prototypes in one go, and without what V8 compiled, it took more than three times.
  test('takes less than 2.3 times what Node takes by itself', () => {
    const bare: number[] = []
    const with_import: number[] = []
    for (let i = 0; i < 8; i++) {
      bare.push(run('', '').cpu_ms)
      with_import.push(run('node.js', `import 'tstorch'`).cpu_ms)
    }
    expect(Math.min(...with_import) / Math.min(...bare)).toBeLessThan(2.3)
  })
})
