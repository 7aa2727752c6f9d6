/**
 * What a user gets from the registry: the packed package is installed into an empty project, on a machine with no
 * C compiler, and is then imported, run and type-checked there. Slow: it builds the package and runs npm.
 */
import { spawnSync } from 'node:child_process'
import {
  accessSync,
  constants,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join, resolve } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

const root = resolve(import.meta.dirname, '..')
const temp = mkdtempSync(join(tmpdir(), 'tstorch-pack-'))
const bare_path = join(temp, 'bin')
let tarball = ''

/** Where `command` is found on PATH. */
function which(command: string): string {
  for (const folder of (process.env['PATH'] ?? '').split(delimiter)) {
    try {
      accessSync(join(folder, command), constants.X_OK)
      return join(folder, command)
    } catch {}
  }
  throw new Error(`${command} is not on PATH`)
}

/** The environment of a machine that has node, npm and a shell, and nothing else. */
function bare_environment(): NodeJS.ProcessEnv {
  const env: NodeJS.ProcessEnv = { ...process.env, PATH: bare_path, XDG_CACHE_HOME: join(temp, 'cache') }
  for (const name of Object.keys(env))
    if (/^(CC|TSTORCH_.*|NODE_OPTIONS|VITEST.*)$/.test(name)) delete env[name]
  return env
}

function run(command: string, args: readonly string[], cwd: string, env = bare_environment()): string {
  const { status, stdout, stderr, error } = spawnSync(command, args, {
    cwd,
    env,
    encoding: 'utf8',
  })
  if (status !== 0)
    throw new Error(`${command} ${args.join(' ')} failed\n${stdout}\n${stderr}\n${error ?? ''}`)
  return stdout
}

const program = `
  import * as torch from 'tstorch'
  import { createRequire } from 'node:module'
  const sum = torch.tensor([1, 2]).add(1)
  console.log(JSON.stringify(sum.tolist()))
  console.log(createRequire(import.meta.url)('tstorch/package.json').name)
`
const consumer = `
  import * as torch from 'tstorch'
  import { tensor, type Tensor } from 'tstorch'
  const sum: Tensor = torch.tensor([1, 2]).add(1)
  const same: torch.Tensor = tensor([[1.5]]).matmul(sum)
  // @ts-expect-error: an addend is a tensor or a number
  same.add({ not: 'a tensor' })
  // @ts-expect-error: no such function
  torch.no_such_function()
`
const tsconfig = {
  compilerOptions: {
    strict: true,
    skipLibCheck: false,
    noEmit: true,
    target: 'es2022',
    module: 'nodenext',
    types: [],
  },
  files: ['consumer.ts'],
}

/** An empty project with the package installed as `npm install` was told to. */
function project(name: string, ...flags: string[]): string {
  const folder = join(temp, name)
  mkdirSync(folder)
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ name, private: true, type: 'module' }))
  writeFileSync(join(folder, 'main.js'), program)
  writeFileSync(join(folder, 'consumer.ts'), consumer)
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(tsconfig))
  run('npm', ['install', '--no-audit', '--no-fund', ...flags, tarball], folder)
  return folder
}

describe('the packed package, without a compiler on PATH', () => {
  beforeAll(() => {
    mkdirSync(bare_path)
    for (const command of ['node', 'npm', 'sh']) symlinkSync(which(command), join(bare_path, command))
    const listing = run('npm', ['pack', '--json', '--pack-destination', temp], root, process.env)
    // The build's own output may come before the JSON.
    const [packed] = JSON.parse(listing.slice(listing.lastIndexOf('\n[') + 1)) as { filename: string }[]
    tarball = join(temp, packed!.filename)
  })

  afterAll(() => rmSync(temp, { recursive: true, force: true }))

  it('installs, imports and adds', () => {
    const folder = project('plain', '--prefer-offline')
    expect(run('node', ['main.js'], folder)).toBe('[2,3]\ntstorch\n')
  })

  it('needs no download and no optional dependency', () => {
    const folder = project('offline', '--offline', '--omit=optional')
    expect(existsSync(join(folder, 'node_modules', 'koffi'))).toBe(false)
    expect(run('node', ['main.js'], folder)).toBe('[2,3]\ntstorch\n')
  })

  it('has types that resolve in a strict project', () => {
    const folder = project('typed', '--offline', '--omit=optional')
    expect(run('node', [join(root, 'node_modules/typescript/bin/tsc'), '-p', folder], folder)).toBe('')
  })

  it('runs no install script of its own', () => {
    const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { scripts: object }
    for (const name of ['preinstall', 'install', 'postinstall', 'prepare'])
      expect(scripts).not.toHaveProperty(name)
  })
})

describe('the lock file', () => {
  interface Locked {
    readonly resolved?: string
    readonly optionalDependencies?: Readonly<Record<string, string>>
  }
  const { packages } = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')) as {
    packages: Readonly<Record<string, Locked>>
  }

  it('names no download address but the public registry', () => {
    const addresses = Object.values(packages).flatMap(({ resolved }) => resolved ?? [])
    expect(addresses.filter(address => !address.startsWith('https://registry.npmjs.org/'))).toEqual([])
  })

  // npm leaves out what it could not look up when it wrote the file; `npm ci` then refuses it, on every platform
  it('has an entry for every platform of every package', () => {
    const wanted = Object.values(packages).flatMap(({ optionalDependencies = {} }) =>
      Object.keys(optionalDependencies),
    )
    expect(wanted.filter(name => packages[`node_modules/${name}`] === undefined)).toEqual([])
  })
})
