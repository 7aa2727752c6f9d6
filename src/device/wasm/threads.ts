// Threads of the wasm device: workers that have its memory in common with this thread, which publishes a job there, takes
// parts of it like everybody, and waits until all are done. Workers start when there is work for them, join when they
// are ready, and never keep a process alive. How a result is computed does not depend on how many there are.
// Not here: what workers run (worker_source.ts), what jobs consist of (launch.ts, calls.ts).
import { ARGUMENT_BYTES } from '../../render/wasm/render.ts'
import { default_num_threads } from '../parallelism.ts'
import { features } from './features.ts'
import type { LinearMemory } from './memory.ts'
import {
  CALL_ARGUMENTS,
  CONTROL,
  CONTROL_BYTES,
  MOST_MODULES,
  OPEN,
  WORKER_SOURCE,
  type WorkerData,
} from './worker_source.ts'

/** A compiled module, which workers get as bytes when they first need it. */
export class SharedModule {
  readonly bytes: Uint8Array
  readonly exports: Readonly<Record<string, unknown>>
  /** Its place in the directory, or -1. */
  id = -1

  constructor(bytes: Uint8Array, memory: WebAssembly.Memory) {
    this.bytes = bytes
    const module = new WebAssembly.Module(bytes as Uint8Array<ArrayBuffer>)
    this.exports = new WebAssembly.Instance(module, { env: { memory } }).exports
  }
}

/** How often this thread looks before it sleeps. */
const SPINS = 4096

export class Threads {
  readonly #memory: LinearMemory
  /** What this thread does first, once others are at work. */
  readonly #meanwhile: () => void
  #people: number
  /** The word at which the control block begins; 0 before there is one. */
  #at = 0
  #words: Int32Array = new Int32Array(0)
  #started = 0
  #modules = 0

  constructor(memory: LinearMemory, meanwhile: () => void = () => {}) {
    this.#memory = memory
    this.#meanwhile = meanwhile
    this.#people = features().shared_memory ? default_num_threads() : 1
  }

  get count(): number {
    return this.#people
  }

  /** Stays 1 where there is no memory that workers could share. */
  set count(n: number) {
    if (features().shared_memory) this.#people = n
  }

  /** How many parts of jobs other threads have done. */
  get helped(): number {
    return this.#at === 0 ? 0 : Atomics.load(this.#words, this.#at + CONTROL.helped)
  }

  /** Runs iterations 0 to `size` of a kernel in parts of `length`, with the first `arg_words` of this thread's arguments. */
  run_kernel(module: SharedModule, arg_words: number, size: number, length: number): void {
    const parts = Math.ceil(size / length)
    const run = module.exports['run'] as (args: number) => void
    const part = (i: number): void => {
      const { i32 } = this.#memory
      i32[0] = i * length
      i32[2] = Math.min(size, (i + 1) * length)
      run(0)
    }
    if (!this.#prepare(module, parts)) {
      for (let i = 0; i < parts; i++) part(i)
      return
    }
    this.#set('job_args', 0)
    this.#set('arg_words', arg_words)
    this.#set('size', size)
    this.#set('length', length)
    this.#share(parts, part)
  }

  /** Runs the parts of a list of calls (see calls.ts) at address `args`. Each thread has `own_bytes` from `own` on. */
  run_calls(module: SharedModule, args: number, parts: number, own: number, own_bytes: number): void {
    const routines = Object.values(module.exports) as ((...args: number[]) => void)[]
    const base = args / 4
    const { i32 } = this.#memory
    const argument = (at: number, i: number): number => i32[at + 2 + i]! + (i32[at + 1]! & (1 << i) ? own : 0)
    const part = (i: number): void => {
      const end = base + i32[base + i + 1]!
      for (let at = base + i32[base + i]!; at < end; at += 2 + CALL_ARGUMENTS)
        routines[i32[at]!]!(
          argument(at, 0),
          argument(at, 1),
          argument(at, 2),
          argument(at, 3),
          argument(at, 4),
          argument(at, 5),
          argument(at, 6),
          argument(at, 7),
          argument(at, 8),
        )
    }
    if (!this.#prepare(module, parts)) {
      for (let i = 0; i < parts; i++) part(i)
      return
    }
    this.#set('job_args', args)
    this.#set('arg_words', 0)
    this.#set('own', own)
    this.#set('own_bytes', own_bytes)
    this.#share(parts, part)
  }

  #set(field: keyof typeof CONTROL, value: number): void {
    this.#words[this.#at + CONTROL[field]] = value
  }

  /** Whether others can take part: there are workers, and the module is where they find it. */
  #prepare(module: SharedModule, parts: number): boolean {
    const people = Math.min(this.#people, parts)
    if (people < 2) return false
    if (this.#at === 0) this.#make_control()
    if (module.id < 0) {
      if (this.#modules === MOST_MODULES) return false
      this.#publish(module)
    }
    while (this.#started < people - 1) this.#start()
    this.#set('people', people)
    this.#set('module', module.id)
    return true
  }

  #make_control(): void {
    const control = this.#memory.allocate(CONTROL_BYTES)
    this.#memory.bytes.fill(0, control, control + CONTROL_BYTES)
    this.#at = control / 4
    this.#words = this.#memory.i32
  }

  #publish(module: SharedModule): void {
    const { bytes } = module
    const address = this.#memory.allocate(bytes.length)
    this.#memory.bytes.set(bytes, address)
    module.id = this.#modules++
    const entry = this.#at + CONTROL.directory + 2 * module.id
    this.#words[entry] = address
    this.#words[entry + 1] = bytes.length
  }

  #start(): void {
    const me = ++this.#started
    const args = this.#memory.allocate(ARGUMENT_BYTES)
    const seen = Atomics.load(this.#words, this.#at + CONTROL.generation)
    start_worker({ memory: this.#memory.memory, control: 4 * this.#at, me, args, seen })
  }

  /** Opens the job that has been set, works at it, and returns when all is done. */
  #share(parts: number, part: (i: number) => void): void {
    const [words, at] = [this.#words, this.#at]
    const [present, next, failed] = [at + CONTROL.present, at + CONTROL.next, at + CONTROL.failed]
    this.#set('parts', parts)
    this.#set('pages', this.#memory.pages)
    Atomics.store(words, next, 0)
    Atomics.store(words, present, OPEN)
    Atomics.add(words, at + CONTROL.generation, 1)
    if (Atomics.load(words, at + CONTROL.asleep) > 0) Atomics.notify(words, at + CONTROL.generation)
    try {
      this.#meanwhile()
      for (let i: number; (i = Atomics.add(words, next, 1)) < parts; ) part(i)
    } finally {
      Atomics.and(words, present, ~OPEN)
      for (let spins = 0, n: number; (n = Atomics.load(words, present)) !== 0; spins++)
        if (spins > SPINS && can_wait()) Atomics.wait(words, present, n)
    }
    if (Atomics.exchange(words, failed, 0) !== 0) throw new Error('a worker of the wasm device failed')
  }
}

/** Pages' main threads may not sleep. */
const can_wait = (): boolean => (may_wait ??= try_to_wait())
let may_wait: boolean | undefined

function try_to_wait(): boolean {
  try {
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 1)
    return true
  } catch {
    return false
  }
}

type Browser = {
  readonly Worker: new (url: string) => { postMessage(data: WorkerData): void }
  readonly process?: { readonly getBuiltinModule?: (name: string) => unknown }
}

function start_worker(data: WorkerData): void {
  const { Worker, process } = globalThis as unknown as Browser
  const node = process?.getBuiltinModule?.('node:worker_threads') as
    | typeof import('node:worker_threads')
    | undefined
  // A worker has nothing to load: what this process loads before its program is not for it.
  if (node !== undefined)
    new node.Worker(WORKER_SOURCE, { eval: true, execArgv: [], workerData: data }).unref()
  else
    new Worker(URL.createObjectURL(new Blob([WORKER_SOURCE], { type: 'text/javascript' }))).postMessage(data)
}
