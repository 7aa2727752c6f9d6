// Storages that stay in linear memory between launches. A launch leaves its results there, and the next one finds them;
// they are copied to their buffers when JavaScript looks, or when room is needed. The room of those that died is searched
// for after collections: of the young generation, often, and of everything, when much is in use.
// Not here: how linear memory is divided (heap.ts), how death is seen (collector.ts), operands that cannot stay (stage.ts).
import {
  can_list_young,
  collect_garbage,
  collect_young,
  Mortal,
  type WeakList,
  weak_list,
} from '../collector.ts'
import { Block, type Resident, type Slab } from '../storage.ts'
import type { LinearMemory } from './memory.ts'

const MB = 2 ** 20
/** At most so much may be in use; and where death is seen only between two jobs (in browsers), much of it may be dead. */
const BUDGET = 2 ** 31
const BUDGET_UNSEEN = 2 ** 29
/** New bytes between two searches among the young: a part of a cache while most of them died, and more while they live. */
const LEAST_YOUNG = 8 * MB
const MOST_YOUNG = 64 * MB
/** Launches whose results are so large are shared by threads: a search waits for them, who then work in the meantime. */
const SHARED_BYTES = MB
/** So much is used on top of twice what lives before all are searched: the more, the faster it is used up. */
const LEAST_HEADROOM = 64 * MB
const MOST_HEADROOM = 512 * MB
/** The share of time that searching may take. */
const MOST_TIME = 0.1

/** The launch of what was in none. */
const UNUSED = -1

/** A part of linear memory that was given to a block. */
type Room = {
  readonly address: number
  readonly nbytes: number
  /** Where it is looked for. */
  generation: Generation
  /** The last launch that used it. */
  launch: number
}

/** What has a room while it is alive. */
abstract class Occupant extends Mortal {
  /** Null when it has left. */
  abstract readonly block: Block | null
  abstract readonly room: Room
}

/** Rooms, and those who have them. */
class Generation {
  readonly rooms: Set<Room> = new Set()
  readonly places: WeakList<Occupant> = weak_list()

  add(place: Occupant): void {
    const { room } = place
    room.generation = this
    this.rooms.add(room)
    this.places.add(place)
  }
}

/** The place of a block, which alone keeps it alive. */
class Place extends Occupant implements Resident {
  readonly residents: Residents
  /** A weak reference may keep the place until the job ends; the block need not stay with it. */
  block: Block | null
  readonly room: Room
  /** Whether the block's buffer has the same bytes. */
  in_step: boolean
  /** The launch that is to write all of it, and for which nothing was copied in. */
  overwritten_by = -1

  constructor(residents: Residents, block: Block, room: Room) {
    super()
    this.residents = residents
    this.block = block
    this.room = room
    this.in_step = block.buffer !== null
  }

  to_buffer(block: Block, buffer: ArrayBufferLike, will_write: boolean): void {
    const { address, nbytes } = this.room
    if (!this.in_step) this.residents.memory.read(address, buffer, 0, nbytes)
    this.in_step = true
    if (will_write) this.drop(block)
  }

  drop(block: Block): void {
    block.resident = null
    this.block = null
    this.residents.free(this.room)
  }
}

/** Small storages that share a block, which is always here. */
class SlabPlace extends Occupant implements Resident {
  readonly block: Block
  readonly room: Room

  constructor(block: Block, room: Room) {
    super()
    this.block = block
    this.room = room
  }

  to_buffer(): void {}
  drop(): void {}
}

export class Residents {
  readonly memory: LinearMemory
  readonly #budget: number
  /** Those since the last search, those that survived one, and those that survived two: V8 ages what it keeps so, too. */
  #new = new Generation()
  #young = new Generation()
  #old = new Generation()
  /** Bytes that came since the last search among the young, and how many may. */
  #came = 0
  #young_limit = LEAST_YOUNG
  /** Whether the young are to be searched as soon as other threads are at work. */
  #is_due = false
  /** Whether other threads help with large launches. */
  readonly #has_help: () => boolean
  #limit: number
  /** When the latest search among all ended, and what was in use then. */
  #ended = 0
  #left = 0

  constructor(
    memory: LinearMemory,
    budget: number = can_list_young() ? BUDGET : BUDGET_UNSEEN,
    has_help: () => boolean = () => false,
  ) {
    this.memory = memory
    this.#budget = budget
    this.#has_help = has_help
    this.#limit = Math.min(LEAST_HEADROOM, budget)
  }

  /** Whether a block may stay. */
  accepts(block: Block): boolean {
    return block.owner === this.memory || (!block.is_exposed && block.nbytes <= this.#budget / 4)
  }

  /** A block of small storages, whose offsets are addresses; only where the memory is shared: else it moves as it grows. */
  slab(nbytes: number): Slab {
    const { memory } = this
    const room = this.#room(nbytes, UNUSED)
    const block = new Block(nbytes, memory.bytes.buffer, true, false, memory)
    const place = new SlabPlace(block, room)
    block.resident = place
    this.#new.add(place)
    return { block, start: room.address }
  }

  #use_slab({ resident }: Block): number {
    ;(resident as SlabPlace).room.launch = this.memory.launch
    return 0
  }

  /** As `use`, of a block that is here already; null of one that is not. */
  find(block: Block, writes: boolean): number | null {
    if (block.owner === this.memory) return this.#use_slab(block)
    const { resident } = block
    if (!(resident instanceof Place) || resident.residents !== this) return null
    resident.room.launch = this.memory.launch
    if (writes) resident.in_step = false
    return resident.room.address
  }

  /**
   * What is to be added to a storage's offset to get its address, during this launch, which writes all of the block
   * before it reads any if `overwrites`.
   */
  use(block: Block, writes: boolean, overwrites: boolean): number {
    if (block.owner === this.memory) return this.#use_slab(block)
    let place = block.resident as Place | null
    if (place === null || place.residents !== this) place = this.#enter(block, overwrites)
    const { launch } = this.memory
    place.room.launch = launch
    // another operand of the same launch reads it after all
    if (place.overwritten_by === launch && !overwrites) this.#fill(place, block)
    if (writes) place.in_step = false
    return place.room.address
  }

  #enter(block: Block, overwrites: boolean): Place {
    if (block.resident !== null) block.host(true)
    const place = new Place(this, block, this.#room(block.nbytes, this.memory.launch))
    if (overwrites) place.overwritten_by = this.memory.launch
    else this.#fill(place, block)
    block.resident = place
    this.#new.add(place)
    return place
  }

  #room(nbytes: number, launch: number): Room {
    const { memory } = this
    const may_wait = nbytes >= SHARED_BYTES && this.#has_help()
    if (memory.used + nbytes > this.#limit) this.#make_room(nbytes)
    else if (this.#came + nbytes > (may_wait ? 2 : 1) * this.#young_limit) this.#search_young()
    this.#came += nbytes
    this.#is_due = may_wait && this.#came >= this.#young_limit
    return { address: memory.allocate(nbytes), nbytes, generation: this.#new, launch }
  }

  /** Copies what a block has so far to its place. */
  #fill(place: Place, { buffer, zeroed, nbytes }: Block): void {
    const { memory } = this
    const { address } = place.room
    if (buffer !== null) memory.write(address, buffer, 0, nbytes)
    else if (zeroed) memory.bytes.fill(0, address, address + nbytes)
    place.overwritten_by = -1
  }

  free(room: Room): void {
    room.generation.rooms.delete(room)
    this.memory.free(room.address, room.nbytes)
  }

  /** Called when other threads have begun to work: a search that is due takes no time of its own then. */
  search_meanwhile(): void {
    if (this.#is_due) this.#search_young()
  }

  #search_young(): void {
    this.#is_due = false
    const before = this.memory.used
    collect_young()
    const young = new Generation()
    this.#search(this.#young, this.#old)
    this.#search(this.#new, young)
    this.#new = new Generation()
    this.#young = young
    const kept = this.#came - (before - this.memory.used)
    // What lives on, as activations do until backward, would be looked at again and again for nothing.
    if (kept > this.#came / 2) this.#young_limit = Math.min(2 * this.#young_limit, MOST_YOUNG)
    else if (kept < 0.3 * this.#came) this.#young_limit = Math.max(this.#young_limit / 2, LEAST_YOUNG)
    this.#came = 0
  }

  /** Frees the rooms whose places died; the others go to `next`. */
  #search(among: Generation, next: Generation): void {
    for (const place of among.places.living()) {
      // a room that was freed has left its generation
      if (!among.rooms.delete(place.room)) continue
      next.add(place)
    }
    const { launch } = this.memory
    for (const room of among.rooms) {
      // what this launch uses stays, even if its operands can no longer be reached
      if (room.launch !== launch) this.free(room)
      else {
        among.rooms.delete(room)
        room.generation = next
        next.rooms.add(room)
      }
    }
  }

  #make_room(nbytes: number): void {
    const { memory } = this
    const began = performance.now()
    const rate = (memory.used - this.#left) / (began - this.#ended)
    collect_garbage()
    this.#search_all()
    this.#ended = performance.now()
    this.#left = memory.used
    const headroom = (rate * (this.#ended - began)) / MOST_TIME
    const live = memory.used + nbytes
    const limit = 2 * live + Math.min(Math.max(headroom, LEAST_HEADROOM), MOST_HEADROOM)
    this.#limit = Math.min(limit, this.#budget)
    if (live > this.#budget) this.#evict(nbytes)
  }

  #search_all(): void {
    const left = new Generation()
    for (const generation of [this.#new, this.#young, this.#old]) this.#search(generation, left)
    this.#new = new Generation()
    this.#young = new Generation()
    this.#came = 0
    this.#is_due = false
    this.#old = left
  }

  /** Copies those that were not used for longest to their buffers. */
  #evict(nbytes: number): void {
    const { memory } = this
    const enough = this.#budget / 2
    const places = this.#old.places.living().sort((a, b) => a.room.launch - b.room.launch)
    for (const { block, room } of places) {
      if (memory.used + nbytes <= enough) break
      if (room.launch !== memory.launch && room.generation.rooms.has(room)) block?.host(true)
    }
  }
}
