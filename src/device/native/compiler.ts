// The system's C compiler: finding one that works, and running it. What was found is remembered on disk, so that a
// start compiles nothing. Not here: what is compiled (render/c/), where the results live (cache.ts).
import { debug_level, env } from '../../base/flags.ts'
import { KERNEL_FLAGS } from '../../render/c/prelude.ts'
import { cache_directory, content_hash, write_atomically } from './cache.ts'
import { builtin, koffi, NativeUnavailableError } from './node.ts'

/** A working compiler. `identity` changes with its binary, its flags and the processor. */
export type Compiler = {
  readonly command: readonly string[]
  /** The options by which it compiles for this processor. */
  readonly machine: readonly string[]
  readonly identity: string
}

/** Options for this very processor: as x86 has them, as ARM has them, and none. */
const MACHINE_FLAGS: readonly (readonly string[])[] = [['-march=native'], ['-mcpu=native'], []]

let compiler: Compiler | undefined

/**
 * The first of $CC, cc, gcc and clang that compiles a library which loads and runs. Throws NativeUnavailableError
 * with the reasons if there is none.
 */
export function find_compiler(): Compiler {
  if (compiler) return compiler
  if (builtin('node:process').platform === 'win32')
    throw new NativeUnavailableError('the native device does not run on Windows yet')
  const failures: string[] = []
  const candidates = [env('CC') ?? '', 'cc', 'gcc', 'clang'].map(c => c.split(/\s+/).filter(Boolean))
  for (const command of candidates.filter(c => c.length > 0)) {
    const path = resolve(command[0]!)
    if (path === undefined) failures.push(`${command[0]}: not found`)
    else {
      const found = remembered(command, path, failures)
      if (found) return (compiler = found)
    }
  }
  throw new NativeUnavailableError(`no working C compiler: ${failures.join('; ')}`)
}

/** The full path of a program. */
function resolve(program: string): string | undefined {
  const [fs, path] = [builtin('node:fs'), builtin('node:path')]
  const directories = program.includes('/') ? [''] : (env('PATH') ?? '').split(path.delimiter)
  return directories
    .map(directory => path.join(directory, program))
    .find(file => {
      try {
        fs.accessSync(file, fs.constants.X_OK)
        return fs.statSync(file).isFile()
      } catch {
        return false
      }
    })
}

/** The compiler at `path`, tried unless a note in the cache says that it was tried before. */
function remembered(command: readonly string[], path: string, failures: string[]): Compiler | undefined {
  const fs = builtin('node:fs')
  const real = fs.realpathSync(path)
  const { mtimeMs, size } = fs.statSync(real)
  const identity = [command.join(' '), real, mtimeMs, size, process.platform, process.arch, processor()].join(
    '\n',
  )
  const note = builtin('node:path').join(
    cache_directory(),
    `compiler-${content_hash(identity, ...KERNEL_FLAGS)}.json`,
  )
  try {
    const { machine } = JSON.parse(fs.readFileSync(note, 'utf8')) as Pick<Compiler, 'machine'>
    return { command, machine, identity }
  } catch {
    // not tried yet
  }
  for (const machine of MACHINE_FLAGS) {
    const candidate = { command, machine, identity }
    try {
      probe(candidate)
      write_atomically(note, JSON.stringify({ command, machine }))
      return candidate
    } catch (error) {
      if (machine.length === 0) failures.push(`${command.join(' ')}: ${(error as Error).message}`)
    }
  }
  return undefined
}

/** What code for this processor depends on: its model and the instructions it has. */
function processor(): string {
  const fs = builtin('node:fs')
  try {
    const file = fs.openSync('/proc/cpuinfo', 'r')
    const bytes = new Uint8Array(8192) // the first core's lines
    const length = fs.readSync(file, bytes)
    fs.closeSync(file)
    const text = new TextDecoder().decode(bytes.subarray(0, length))
    return text
      .split('\n')
      .filter(line => /^(model name|flags|Features|CPU part)\s/.test(line))
      .slice(0, 2)
      .join('\n')
  } catch {
    return builtin('node:os').cpus()[0]?.model ?? ''
  }
}

const PROBE = `#include <stdint.h>
#include <math.h>
int64_t tstorch_probe(double x) { return (int64_t)fmod(x, 7.0); }
`

function probe(candidate: Compiler): void {
  const [fs, path] = [builtin('node:fs'), builtin('node:path')]
  const directory = fs.mkdtempSync(path.join(cache_directory(), 'probe-'))
  try {
    const library = path.join(directory, 'probe.so')
    run(candidate, PROBE, library, KERNEL_FLAGS)
    const result = koffi().load(library).func('tstorch_probe', 'int64_t', ['double'])(44)
    if (Number(result) !== 2) throw new Error(`its code computed ${result} instead of 2`)
  } finally {
    fs.rmSync(directory, { recursive: true, force: true })
  }
}

const arguments_for = (
  { command, machine }: Compiler,
  output: string,
  flags: readonly string[],
  input = '-',
): string[] => [
  ...command.slice(1),
  ...flags,
  ...machine,
  ...['-w', '-shared', '-fPIC', '-x', 'c', input, '-o', output, '-lm'],
]

/** The command that compiles the C source in one file to a shared library in another. */
export function compiler_command(input: string, output: string, flags: readonly string[]): string[] {
  const found = find_compiler()
  return [found.command[0]!, ...arguments_for(found, output, flags, input)]
}

const failure = (command: readonly string[], stderr: string): Error =>
  new Error(`${command.join(' ')} failed: ${stderr.trim().split('\n').slice(0, 20).join('\n')}`)

function show(source: string): void {
  if (debug_level() >= 4) console.error(source)
}

function run({ command, ...rest }: Compiler, source: string, output: string, flags: readonly string[]): void {
  show(source)
  const { spawnSync } = builtin('node:child_process')
  const args = arguments_for({ command, ...rest }, output, flags)
  const { status, stderr, error } = spawnSync(command[0]!, args, { input: source, encoding: 'utf8' })
  if (error) throw error
  if (status !== 0) throw failure(command, stderr)
}

/** Compiles C source to a shared library at `output`. Throws an Error with what the compiler said. */
export function compile_c(source: string, output: string, flags: readonly string[]): void {
  run(find_compiler(), source, output, flags)
}

/** The same in the background. */
export function compile_c_async(source: string, output: string, flags: readonly string[]): Promise<void> {
  show(source)
  const found = find_compiler()
  const { spawn } = builtin('node:child_process')
  return new Promise((resolve, reject) => {
    const child = spawn(found.command[0]!, arguments_for(found, output, flags), {
      stdio: ['pipe', 'ignore', 'pipe'],
    })
    let stderr = ''
    child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text))
    child.on('error', reject)
    child.on('close', status => (status === 0 ? resolve() : reject(failure(found.command, stderr))))
    child.stdin.on('error', () => {}) // the exit status tells
    child.stdin.end(source)
  })
}
