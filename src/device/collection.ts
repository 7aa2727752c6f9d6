// When large results are asked to die. They mostly live for one op or two, but V8 looks at them only after 64 MB or so,
// when all of them have left the cache; memory that comes back sooner is written at the cache's speed. So a collection
// of the young generation, which costs about 50 us, runs once the new large blocks would fill a cache.
// Only under Node, which offers such a collection; elsewhere the engine decides alone. TSTORCH_COLLECT=0 leaves it to V8.
import { env } from '../base/flags.ts'
import { leave_old, pooled_bytes, search, seemingly_alive } from './pool.ts'

const MB = 2 ** 20
/** New bytes between two collections: a part of a cache while collections free them, and more while they do not. */
const LEAST_BYTES = 16 * MB
const MOST_BYTES = 64 * MB
/** What seems to live before everything is collected, and the share of time that may take: when a backward pass ends. */
const AFTER_PASS = { most_alive: 8 * MB, most_time: 0.05 }
/** The same at any other time. What comes beyond that is left to V8, which takes more time still. */
const AT_ANY_TIME = { most_alive: 128 * MB, most_time: 0.2 }

/** Node's collections of the young generation and of everything. */
type Collector = { readonly collect: () => void; readonly collect_all: () => void }

let collector: Collector | null | undefined
let budget = LEAST_BYTES
let allocated = 0
/** What was held after the last collection. */
let held_before: number | undefined

/** Notes that a large block was made. */
export function note_large_block(nbytes: number): void {
  allocated += nbytes
}

/**
 * Called before a large block is taken: the place where a collection may run. There is one even while dead blocks are left,
 * since those that died last are still in the cache.
 */
export function make_room(nbytes: number): void {
  if (allocated + nbytes > budget) collect(false)
}

/**
 * Notes that a backward pass has ended, which leaves little of what was made since the one before: the best time for a
 * collection. There should be none before, when what is in use would go to the old generation.
 */
export function note_end_of_pass(): void {
  if (allocated < LEAST_BYTES) return
  collect(true)
  budget = MOST_BYTES
}

function collect(is_end_of_pass: boolean): void {
  if (collector === undefined) collector = find_collector()
  const made = allocated
  allocated = 0
  const held = held_bytes() ?? 0
  peak = Math.max(peak, held) // what is held grows from one collection to the next
  if (collector === null) return
  const before = held - pooled_bytes()
  collector.collect()
  search(false)
  const { most_alive, most_time } = is_end_of_pass ? AFTER_PASS : AT_ANY_TIME
  if (seemingly_alive() > most_alive && !collect_all(collector, most_time))
    if (seemingly_alive() > AT_ANY_TIME.most_alive) leave_old()
  const after = (held_bytes() ?? 0) - pooled_bytes()
  const kept = after - (held_before ?? before - made)
  held_before = after
  // What lives on, as activations do until backward, would be looked at again and again for nothing.
  if (kept > made / 2) budget = Math.min(2 * budget, MOST_BYTES)
  else if (kept < 0.3 * made) budget = Math.max(budget / 2, LEAST_BYTES)
}

/** When everything was last collected, and how long that took. */
let ended = 0
let took = 0

/** Collects everything, if that takes no more than this share of the time. Says whether it did. */
function collect_all({ collect_all }: Collector, most_time: number): boolean {
  const began = performance.now()
  if (began < ended + took / most_time) return false
  collect_all()
  search(true)
  ended = performance.now()
  took = ended - began
  return true
}

type Modules = {
  readonly process?: { readonly getBuiltinModule?: (name: string) => unknown }
}
type V8 = Pick<typeof import('node:v8'), 'setFlagsFromString' | 'getHeapStatistics'>
type VM = Pick<typeof import('node:vm'), 'runInNewContext'>
type Collect = (options?: { readonly type: 'minor' }) => void

function find_collector(): Collector | null {
  const { process } = globalThis as Modules
  const v8 = process?.getBuiltinModule?.('node:v8') as V8 | undefined
  const vm = process?.getBuiltinModule?.('node:vm') as VM | undefined
  if (v8 === undefined || vm === undefined || env('TSTORCH_COLLECT') === '0') return null
  v8.setFlagsFromString('--expose-gc')
  // Freed by another thread, the memory would come back too late for the next result, and cold.
  v8.setFlagsFromString('--no-concurrent-array-buffer-sweeping')
  // Little survives: threads that help take longer to wake than one takes to do it all.
  v8.setFlagsFromString('--no-parallel-scavenge')
  // A graph is alive when its backward pass ends; V8 would learn to make all graphs among what it seldom looks at.
  v8.setFlagsFromString('--no-allocation-site-pretenuring')
  const gc = vm.runInNewContext('typeof gc === "function" ? gc : null') as Collect | null
  v8.setFlagsFromString('--no-expose-gc')
  if (gc === null) return null
  return { collect: () => gc({ type: 'minor' }), collect_all: () => gc() }
}

// --- figures

let peak = 0
let engine: V8 | null | undefined

/** The bytes outside of V8's heap that it holds: what lives, and what has died since it last looked. Null without Node. */
export function held_bytes(): number | null {
  engine ??= ((globalThis as Modules).process?.getBuiltinModule?.('node:v8') as V8 | undefined) ?? null
  return engine === null ? null : engine.getHeapStatistics().external_memory
}

/** The most of them since `reset_peak`, as seen before collections and now. */
export const peak_bytes = (): number => (peak = Math.max(peak, held_bytes() ?? 0))

/** Begins a new peak with what is held now. */
export function reset_peak(): void {
  peak = held_bytes() ?? 0
}
