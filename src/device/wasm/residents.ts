// Storages that stay in linear memory between launches. A launch leaves its results there, and the next one finds them;
// they are copied to their buffers when JavaScript looks, or when room is needed. What died is found by weak references.
// Not here: how linear memory is divided (heap.ts), operands that cannot stay (stage.ts).
import type { Block, Resident } from '../storage.ts'
import { clear_kept, collect_garbage } from './collector.ts'
import type { LinearMemory } from './memory.ts'

/** At most so much may be in use. */
const BUDGET = 2 ** 31
/** So much is used on top of twice what lives before the dead are searched for: the more, the faster it is used up. */
const LEAST_HEADROOM = 64 * 2 ** 20
const MOST_HEADROOM = 512 * 2 ** 20
/** The share of time that searching may take. */
const MOST_TIME = 0.1

/** The place of a block. */
class Place implements Resident {
  readonly residents: Residents
  readonly block: WeakRef<Block>
  readonly address: number
  readonly nbytes: number
  /** Whether the block's buffer has the same bytes. */
  in_step: boolean
  /** The last launch that used it. */
  launch = 0
  /** The launch that is to write all of it, and for which nothing was copied in. */
  overwritten_by = -1

  constructor(residents: Residents, block: Block, address: number) {
    this.residents = residents
    this.block = new WeakRef(block)
    this.address = address
    this.nbytes = block.nbytes
    this.in_step = block.buffer !== null
  }

  to_buffer(block: Block, buffer: ArrayBufferLike, will_write: boolean): void {
    if (!this.in_step) this.residents.memory.read(this.address, buffer, 0, this.nbytes)
    this.in_step = true
    if (will_write) this.drop(block)
  }

  drop(block: Block): void {
    block.resident = null
    this.residents.free(this)
  }
}

export class Residents {
  readonly memory: LinearMemory
  readonly #budget: number
  readonly #places = new Set<Place>()
  #limit: number
  /** When the latest search ended, and what was in use then. */
  #ended = 0
  #left = 0

  constructor(memory: LinearMemory, budget: number = BUDGET) {
    this.memory = memory
    this.#budget = budget
    this.#limit = Math.min(LEAST_HEADROOM, budget)
  }

  /** Whether a block may stay. */
  accepts(block: Block): boolean {
    return !block.is_exposed && block.nbytes <= this.#budget / 4
  }

  /** The address of a block's bytes during this launch, which writes all of them before it reads any if `overwrites`. */
  use(block: Block, writes: boolean, overwrites: boolean): number {
    let place = block.resident as Place | null
    if (place === null || place.residents !== this) place = this.#enter(block, overwrites)
    const { launch } = this.memory
    place.launch = launch
    // another operand of the same launch reads it after all
    if (place.overwritten_by === launch && !overwrites) this.#fill(place, block)
    if (writes) place.in_step = false
    return place.address
  }

  #enter(block: Block, overwrites: boolean): Place {
    if (block.resident !== null) block.host(true)
    const { nbytes } = block
    if (this.memory.used + nbytes > this.#limit) this.#make_room(nbytes)
    const place = new Place(this, block, this.memory.allocate(nbytes))
    if (overwrites) place.overwritten_by = this.memory.launch
    else this.#fill(place, block)
    block.resident = place
    this.#places.add(place)
    return place
  }

  /** Copies what a block has so far to its place. */
  #fill(place: Place, { buffer, zeroed, nbytes }: Block): void {
    const { memory } = this
    if (buffer !== null) memory.write(place.address, buffer, 0, nbytes)
    else if (zeroed) memory.bytes.fill(0, place.address, place.address + nbytes)
    place.overwritten_by = -1
  }

  free(place: Place): void {
    this.#places.delete(place)
    this.memory.free(place.address, place.nbytes)
  }

  #make_room(nbytes: number): void {
    const { memory } = this
    const began = performance.now()
    const rate = (memory.used - this.#left) / (began - this.#ended)
    collect_garbage()
    for (const place of this.#places) if (place.block.deref() === undefined) this.free(place)
    clear_kept()
    this.#ended = performance.now()
    this.#left = memory.used
    const headroom = (rate * (this.#ended - began)) / MOST_TIME
    const live = memory.used + nbytes
    const limit = 2 * live + Math.min(Math.max(headroom, LEAST_HEADROOM), MOST_HEADROOM)
    this.#limit = Math.min(limit, this.#budget)
    if (live > this.#budget) this.#evict(nbytes)
  }

  /** Copies those that were not used for longest to their buffers. */
  #evict(nbytes: number): void {
    const { memory } = this
    const enough = this.#budget / 2
    const places = [...this.#places].sort((a, b) => a.launch - b.launch)
    for (const place of places) {
      if (memory.used + nbytes <= enough) break
      if (place.launch === memory.launch) continue
      const block = place.block.deref()
      if (block === undefined) this.free(place)
      else block.host(true)
    }
    clear_kept()
  }
}
