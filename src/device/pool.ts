// Large buffers that are used again. Whoever knows that one is dead gives it back at once (a backward pass does); of others
// the collector finds out: the pool keeps each buffer itself, and lists after a collection which of those that it lent are
// still held. V8 thus sees memory that hardly changes, and never marks the heap because of it.
// Not here: when there is a collection (collection.ts), what storages are (storage.ts).
import { env } from '../base/flags.ts'
import { Mortal, type WeakList, weak_list } from './collector.ts'

/** Dead buffers beyond this are left to V8. */
const POOL_BYTES = 256 * 2 ** 20
/** Rounds, each from one search or outermost scope to the next, after which what nobody took is left to V8. */
const MOST_IDLE = 256

/** A buffer, with the address of its first byte (0 where it is not known). */
export class Lot {
  readonly buffer: ArrayBuffer
  readonly address: number
  /** Where its holder is looked for; null while nobody has it, and where the holder will not be looked for. */
  generation: Generation | null = null

  constructor(buffer: ArrayBuffer, address: number) {
    this.buffer = buffer
    this.address = address
  }

  get nbytes(): number {
    return this.buffer.byteLength
  }
}

/** What alone keeps a lot in use. */
export class Holder extends Mortal {
  lot: Lot | null = null
}

/** Lots, and those who hold them. */
class Generation {
  readonly lots: Set<Lot> = new Set()
  readonly holders: WeakList<Holder> = weak_list()
}

/** Dead lots of one size. */
type Dead = {
  readonly lots: Lot[]
  /** How many of them were there throughout the present round, and for how many rounds there were any such. */
  spare: number
  idle: number
}

const pool = new Map<number, Dead>()
let pooled = 0

/** The bytes of pooled buffers: held, but by no tensor. */
export const pooled_bytes = (): number => pooled

/** A dead lot of this size, its bytes as they were left. */
export function take(nbytes: number): Lot | undefined {
  const same_size = pool.get(nbytes)
  if (same_size === undefined) return undefined
  const { lots } = same_size
  const lot = lots.pop()
  if (lot === undefined) return undefined
  if (lots.length < same_size.spare) same_size.spare = lots.length
  pooled -= nbytes
  return lot
}

/** TSTORCH_POISON=1 fills dead memory with ones (a NaN, or -1), so that using it still shows. The tests run so. */
const poison = env('TSTORCH_POISON') === '1'

/** Gives back a lot that nobody has any more. */
export function give(lot: Lot): void {
  const { nbytes } = lot
  if (poison) new Uint8Array(lot.buffer).fill(0xff)
  if (pooled + nbytes > POOL_BYTES) return
  const same_size = pool.get(nbytes)
  if (same_size === undefined) pool.set(nbytes, { lots: [lot], spare: 0, idle: 0 })
  else same_size.lots.push(lot)
  pooled += nbytes
}

/** Ends a round: leaves to V8 what none of many has taken. */
export function end_round(): void {
  for (const [nbytes, same_size] of pool) {
    const { lots, spare } = same_size
    same_size.idle = spare > 0 ? same_size.idle + 1 : 0
    if (same_size.idle > MOST_IDLE) {
      lots.splice(0, spare)
      pooled -= spare * nbytes
      same_size.idle = 0
      if (lots.length === 0) pool.delete(nbytes)
    }
    same_size.spare = lots.length
  }
}

// --- those that are lent

/** Those since the last search, those that survived one, and those that survived two: V8 ages what it keeps so, too. */
let fresh = new Generation()
let young = new Generation()
let old = new Generation()
/** The bytes of the young, and of those that became old since everything was searched. */
let young_bytes = 0
let aged_bytes = 0

/**
 * How much seems to live of what was lent since everything was searched. What was alive during a collection of
 * everything, as activations are that die soon after, seems to live until the next one.
 */
export const seemingly_alive = (): number => young_bytes + aged_bytes

/** Notes who has a lot. */
export function lend(lot: Lot, holder: Holder): void {
  lot.generation = fresh
  holder.lot = lot
  fresh.lots.add(lot)
  fresh.holders.add(holder)
}

/** The holder's lot, which from now on is its buffer's, whoever has that. */
export function release(holder: Holder): Lot | null {
  const { lot } = holder
  if (lot === null) return null
  holder.lot = null
  lot.generation?.lots.delete(lot)
  lot.generation = null
  return lot
}

/** Takes back what was found dead by the collection that has just been: of the young generation, or of everything. */
export function search(everything: boolean): void {
  const second = young.holders.living()
  const first = fresh.holders.living()
  aged_bytes += keep(second, young, old)
  young_bytes = keep(first, fresh, (young = new Generation()))
  fresh = new Generation()
  if (everything) {
    search_old()
    young_bytes = aged_bytes = 0
  }
  end_round()
}

/** Moves the lots of those who live `on`, and takes the others back. Gives the bytes of the former. */
function keep(living: readonly Holder[], from: Generation, on: Generation): number {
  let nbytes = 0
  for (const holder of living) {
    const { lot } = holder
    if (lot === null) continue
    from.lots.delete(lot)
    lot.generation = on
    on.lots.add(lot)
    on.holders.add(holder)
    nbytes += lot.nbytes
  }
  take_back(from.lots)
  return nbytes
}

function search_old(): void {
  const living = old.holders.living()
  const dead = new Set(old.lots)
  for (const { lot } of living) if (lot !== null) dead.delete(lot)
  for (const lot of dead) old.lots.delete(lot)
  take_back(dead)
}

/** Leaves the old lots to V8, which frees each with its holder. */
export function leave_old(): void {
  for (const lot of old.lots) lot.generation = null
  old = new Generation()
  aged_bytes = 0
}

function take_back(dead: ReadonlySet<Lot>): void {
  for (const lot of dead) {
    lot.generation = null
    give(lot)
  }
}
