// Calls of the tuned routines, in parts that threads may do in any order. What is little is called at once; more is
// written down first and then done by whoever is there. Not here: doing it (threads.ts), what is called (gemm.ts,
// conv.ts).
import type { FloatType } from '../../render/wasm/gemm.ts'
import type { Routines } from '../../render/wasm/routines.ts'
import type { LinearMemory } from './memory.ts'
import type { Engine } from './routines.ts'
import type { SharedModule, Threads } from './threads.ts'
import { CALL_ARGUMENTS } from './worker_source.ts'

/** An address of a thread's own memory is this and more. */
const OWN = 2 ** 40
/** Multiplications and additions that are worth waking a thread for. */
export const LEAST_WORK: number = 1 << 20
/** When a list has so many words it is done before it gets longer. */
const LONG = 1 << 18

export class Calls {
  readonly #memory: LinearMemory
  readonly #threads: Threads
  readonly #module: SharedModule
  readonly #at_once: boolean
  readonly #names: readonly string[]
  readonly #parts: number[] = []
  readonly #words: number[] = []
  #own_bytes = 0
  #own = 0
  /** Where the list goes, and how many words have room there. */
  #list = 0
  #room = 0

  /** For about `work` multiplications and additions. */
  constructor({ memory, threads, module }: Engine, type: FloatType, work: number) {
    this.#memory = memory
    this.#threads = threads
    this.#module = module(type)
    this.#at_once = work < LEAST_WORK
    this.#names = this.#at_once ? [] : Object.keys(this.#module.exports)
  }

  /** Room that each thread has for itself, to be asked for before any part: an address to compute with and to pass. */
  own(bytes: number): number {
    if (this.#at_once) return this.#memory.reserve(bytes)
    const address = OWN + this.#own_bytes
    this.#own_bytes += Math.ceil(bytes / 64) * 64
    return address
  }

  /** Begins a part: calls that neither need nor disturb those of another. */
  part(): void {
    if (this.#words.length > LONG) this.run()
    if (!this.#at_once) this.#parts.push(this.#words.length)
  }

  call(routine: keyof Routines, ...args: number[]): void {
    if (this.#at_once) {
      ;(this.#module.exports as Routines)[routine](...args)
      return
    }
    const words = this.#words
    const head = words.length
    words.push(this.#names.indexOf(routine), 0)
    for (let i = 0; i < CALL_ARGUMENTS; i++) {
      const x = args[i] ?? 0
      if (x >= OWN) words[head + 1]! |= 1 << i
      words.push(x >= OWN ? x - OWN : x)
    }
  }

  /** Does all parts that were begun; returns when they are done. */
  run(): void {
    const parts = this.#parts.length
    if (parts === 0) return
    const memory = this.#memory
    const first = parts + 1
    const size = first + this.#words.length
    if (this.#own === 0) this.#own = memory.reserve(this.#own_bytes * this.#threads.count)
    if (size > this.#room) {
      this.#list = memory.reserve(4 * size)
      this.#room = size
    }
    this.#parts.push(this.#words.length)
    const starts = this.#parts.map(at => first + at)
    memory.i32.set(starts, this.#list / 4)
    memory.i32.set(this.#words, this.#list / 4 + first)
    this.#threads.run_calls(this.#module, this.#list, parts, this.#own, this.#own_bytes)
    this.#parts.length = 0
    this.#words.length = 0
  }
}
