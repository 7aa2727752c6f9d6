// Libraries compiled on another core while the program goes on: started early, waited for where they are needed. Node's
// own event loop may not run in the meantime, so a shell runs the compiler and leaves its exit status in a file.
// Not here: what is compiled (routines.ts), how (compiler.ts), where the results live (cache.ts).
import { load_published, publish } from './cache.ts'
import { compiler_command } from './compiler.ts'
import { builtin } from './node.ts'

const SCRIPT = '"$@" 2> "$0/errors"; echo $? > "$0/exit"; mv "$0/exit" "$0/status"'
/** Longer than any library takes; who has waited so long compiles it. */
const PATIENCE_MS = 120_000

type Running = { readonly name: string; readonly folder: string; readonly pid: number }
const running = new Map<string, Running>()

/** Starts to compile the library of that name where it is missing. Failures show when it is compiled for good. */
export function start_compiling(name: string, source: string, flags: readonly string[]): void {
  if (running.has(name) || load_published(name)) return
  const [fs, os, path] = [builtin('node:fs'), builtin('node:os'), builtin('node:path')]
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'tstorch-compile-'))
  const text = path.join(folder, 'source.c')
  fs.writeFileSync(text, source)
  const command = compiler_command(text, path.join(folder, 'library'), flags)
  const child = builtin('node:child_process').spawn('/bin/sh', ['-c', SCRIPT, folder, ...command], {
    stdio: 'ignore',
    detached: true,
  })
  child.on('error', () => {}) // it is then compiled when it is needed
  child.unref()
  if (running.size === 0) process.on('exit', finish_all)
  if (child.pid === undefined) fs.rmSync(folder, { recursive: true, force: true })
  else running.set(name, { name, folder, pid: child.pid })
}

/** Waits for the library of that name and publishes it; does nothing where nobody compiles it. */
export function wait_for_compiled(name: string): void {
  const one = running.get(name)
  if (one === undefined) return
  const nap = new Int32Array(new SharedArrayBuffer(4))
  const end = performance.now() + PATIENCE_MS
  while (status_of(one) === undefined && performance.now() < end) Atomics.wait(nap, 0, 0, 2)
  finish(one)
}

function status_of({ folder }: Running): string | undefined {
  const [fs, path] = [builtin('node:fs'), builtin('node:path')]
  try {
    return fs.readFileSync(path.join(folder, 'status'), 'utf8').trim()
  } catch {
    return undefined // still running
  }
}

/** Publishes what is complete, ends what is not, and tidies up. */
function finish(one: Running): void {
  running.delete(one.name)
  const [fs, path] = [builtin('node:fs'), builtin('node:path')]
  try {
    const status = status_of(one)
    if (status === '0') publish(path.join(one.folder, 'library'), [one.name])
    else if (status === undefined) process.kill(-one.pid)
  } catch {
    // it has just ended, or cannot be published: whoever needs it compiles it
  }
  fs.rmSync(one.folder, { recursive: true, force: true })
}

function finish_all(): void {
  for (const one of [...running.values()]) finish(one)
}
