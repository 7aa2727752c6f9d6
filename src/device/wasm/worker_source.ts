// What a worker thread of the wasm device runs, as the text of a script: a text needs no file beside the package, and no
// bundler changes it. It takes part in jobs that it finds in shared memory; messages reach it only once, at its start,
// because it never returns to its event loop. So modules come through shared memory, too, as bytes.
// Not here: starting workers and making jobs (threads.ts).

/** Words of the control block, on cache lines of their own where several threads write them. */
export const CONTROL = {
  /** Counts the jobs; workers wait for it to change. */
  generation: 0,
  /** How many workers sleep. */
  asleep: 16,
  /** How many workers are at the job; OPEN while others may join. */
  present: 32,
  /** The next part to be taken. */
  next: 48,
  /** Set by a worker whose part threw. */
  failed: 64,
  /** How many parts workers have done since they exist. */
  helped: 72,
  // The job stands still while it is open or workers are present.
  /** How many threads may take part, the caller's included. */
  people: 80,
  /** The module, by its place in the directory. */
  module: 81,
  /** Pages of the memory: a worker that does not see all of it yet stays away. */
  pages: 82,
  /** How many parts there are. */
  parts: 83,
  /** The address of the arguments, or of the calls. */
  job_args: 84,
  /** Words of arguments; 0 for calls. */
  arg_words: 85,
  /** Iterations of a kernel in all, and of one part. */
  size: 86,
  length: 87,
  /** The address and the bytes of each thread's own memory for calls. */
  own: 88,
  own_bytes: 89,
  /** The address and the length of each module's bytes. */
  directory: 96,
} as const

/** How many modules there may be. */
export const MOST_MODULES = 4096
export const CONTROL_BYTES: number = 4 * (CONTROL.directory + 2 * MOST_MODULES)
export const OPEN = 0x10000
/** A call's routine and which of its arguments are addresses of own memory, in two words; the arguments follow. */
export const CALL_ARGUMENTS = 9

/** What a worker is told at its start. */
export type WorkerData = {
  readonly memory: WebAssembly.Memory
  /** The address of the control block. */
  readonly control: number
  /** Its number, from 1 on. */
  readonly me: number
  /** The address of its argument block. */
  readonly args: number
  /** The jobs until now. */
  readonly seen: number
}

export const WORKER_SOURCE: string = `'use strict'
const SPIN_MS = 0.05
const serve = ({ memory, control, me, args, seen }) => {
  const [${Object.keys(CONTROL).join(', ')}] = [${Object.values(CONTROL).join(', ')}].map(at => control / 4 + at)
  let words = new Int32Array(memory.buffer)
  const modules = []

  const wait = () => {
    for (let start = performance.now(); performance.now() - start < SPIN_MS; )
      for (let i = 0; i < 64; i++) if (Atomics.load(words, generation) !== seen) return
    Atomics.add(words, asleep, 1)
    Atomics.wait(words, generation, seen)
    Atomics.sub(words, asleep, 1)
  }

  // Whether this thread is wanted, and sees all of the memory and has the module.
  const is_ready = () => {
    if (me >= Atomics.load(words, people)) return false
    const bytes = memory.buffer.byteLength
    if (bytes < Atomics.load(words, pages) * 65536) return false
    if (words.byteLength !== bytes) words = new Int32Array(memory.buffer)
    const id = Atomics.load(words, module)
    if (modules[id] === undefined) {
      const entry = directory + 2 * id
      const code = new Uint8Array(memory.buffer, words[entry] >>> 0, words[entry + 1]).slice()
      const { exports } = new WebAssembly.Instance(new WebAssembly.Module(code), { env: { memory } })
      modules[id] = { run: exports.run, routines: Object.values(exports) }
    }
    return true
  }

  const join = () => {
    let n = Atomics.load(words, present)
    while (n & ${OPEN}) {
      const found = Atomics.compareExchange(words, present, n, n + 1)
      if (found === n) return true
      n = found
    }
    return false
  }

  const run_kernel = run => {
    const [from, to] = [words[job_args] >>> 2, args / 4]
    words.copyWithin(to, from, from + words[arg_words])
    for (let i; (i = Atomics.add(words, next, 1)) < words[parts]; ) {
      words[to] = i * words[length]
      words[to + 2] = Math.min(words[size], (i + 1) * words[length])
      run(args)
      Atomics.add(words, helped, 1)
    }
  }

  const run_calls = routines => {
    const base = words[job_args] >>> 2
    const mine = (words[own] >>> 0) + me * words[own_bytes]
    const argument = (at, i) => words[at + 2 + i] + (words[at + 1] & (1 << i) ? mine : 0)
    for (let i; (i = Atomics.add(words, next, 1)) < words[parts]; ) {
      Atomics.add(words, helped, 1)
      const end = base + words[base + i + 1]
      for (let at = base + words[base + i]; at < end; at += ${2 + CALL_ARGUMENTS})
        routines[words[at]](${Array.from({ length: CALL_ARGUMENTS }, (_, i) => `argument(at, ${i})`).join(', ')})
    }
  }

  for (;;) {
    while (Atomics.load(words, generation) === seen) wait()
    seen = Atomics.load(words, generation)
    if (!is_ready() || !join()) continue
    try {
      // The job may be a later one by now, for which this thread is not ready.
      const found = modules[words[module]]
      if (found !== undefined && me < words[people] && words.byteLength >= words[pages] * 65536)
        words[arg_words] > 0 ? run_kernel(found.run) : run_calls(found.routines)
    } catch (error) {
      Atomics.store(words, failed, 1)
      console.error(error)
    } finally {
      if (Atomics.sub(words, present, 1) === 1) Atomics.notify(words, present)
    }
  }
}
if (typeof require === 'function') serve(require('node:worker_threads').workerData)
else self.onmessage = event => serve(event.data)
`
