// A side of the benchmark as the parent sees it: a child process that is asked for a workload and answers with samples.
// Also here: making the plain JavaScript that the children run. Not here: what they compute.
import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { createInterface } from 'node:readline'
import type { Answer, Hello, Request } from './serve.ts'

export const root: string = resolve(import.meta.dirname, '../..')
const compiled = join(root, 'out/bench')

/** Brings out/bench up to date: what tsc makes of src/ and scripts/bench/, file by file, without checking types. */
export async function compile(): Promise<void> {
  const stale = ['src', 'scripts/bench'].flatMap(folder =>
    readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
      .filter(name => name.endsWith('.ts') && !name.endsWith('.d.ts'))
      .map(name => ({
        from: join(root, folder, name),
        to: join(compiled, folder, name.replace(/ts$/, 'js')),
      }))
      .filter(({ from, to }) => !existsSync(to) || statSync(to).mtimeMs < statSync(from).mtimeMs),
  )
  if (stale.length === 0) return
  const { default: ts } = await import('typescript')
  const { config } = ts.readConfigFile(join(root, 'tsconfig.json'), ts.sys.readFile)
  const { options } = ts.convertCompilerOptionsFromJson(config.compilerOptions, root)
  for (const { from, to } of stale) {
    const { outputText } = ts.transpileModule(readFileSync(from, 'utf8'), {
      fileName: from,
      // The transpiler sees no package.json, so it has to be told that these are ES modules.
      compilerOptions: { ...options, noEmit: false, module: ts.ModuleKind.ESNext },
    })
    mkdirSync(dirname(to), { recursive: true })
    writeFileSync(to, outputText)
  }
}

/** A child that is up: how it introduced itself, and how to ask it. */
export type Side = {
  hello: Hello
  ask(request: Request): Promise<Answer>
  stop(): void
}

/** Starts a child; rejects where it dies before it has said its first line. */
export async function start(
  command: string,
  args: readonly string[],
  env: Record<string, string>,
): Promise<Side> {
  const child: ChildProcess = spawn(command, args, {
    cwd: root,
    env: { ...process.env, ...env },
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  const lines = createInterface({ input: child.stdout! })[Symbol.asyncIterator]()
  const failed = new Promise<never>((_, reject) => child.once('error', reject))
  const line = async (): Promise<unknown> => {
    const { value, done } = await Promise.race([lines.next(), failed])
    if (done) throw new Error(`${command} ended`)
    return JSON.parse(value)
  }
  return {
    hello: (await line()) as Hello,
    async ask(request) {
      child.stdin!.write(`${JSON.stringify(request)}\n`)
      return (await line()) as Answer
    },
    stop: () => child.stdin!.end(),
  }
}

type Options = { threads: number; smoke: boolean }
const args = ({ threads, smoke }: Options): string[] => [String(threads), smoke ? 'smoke' : 'full']

/** A child of compiled JavaScript: scripts/bench/`script`. */
export function start_node(
  script: string,
  options: Options,
  env: Record<string, string> = {},
): Promise<Side> {
  return start(
    process.execPath,
    ['--expose-gc', join(compiled, 'scripts/bench', script), ...args(options)],
    env,
  )
}

/** PyTorch, by the first Python that has it; undefined where none does. */
export async function start_pytorch(options: Options): Promise<Side | undefined> {
  const script = join(import.meta.dirname, 'pytorch.py')
  const threads = String(options.threads)
  const env = { OMP_NUM_THREADS: threads, OPENBLAS_NUM_THREADS: threads, MKL_NUM_THREADS: threads }
  for (const python of [process.env['PYTHON'], '/usr/bin/python3', 'python3']) {
    if (python === undefined || python === '' || !(await has_torch(python))) continue
    return start(python, [script, ...args(options)], env)
  }
  return undefined
}

function has_torch(python: string): Promise<boolean> {
  return new Promise(done => {
    const child = spawn(
      python,
      ['-c', 'import importlib.util as u, sys; sys.exit(u.find_spec("torch") is None)'],
      {
        stdio: 'ignore',
      },
    )
    child.once('error', () => done(false))
    child.once('exit', code => done(code === 0))
  })
}
