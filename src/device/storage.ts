// CPU memory: a window of an ArrayBuffer that tensors and views share. Small storages are carved out of slabs,
// because a fresh ArrayBuffer costs over a microsecond. V8's collector frees all of it; nothing is freed by hand.
// A device may keep the bytes of a large storage in memory of its own while JavaScript does not look (`Resident`).
// Not here: what the bytes mean (a tensor's dtype, sizes and strides), where a device keeps them (device/wasm/).
import { type DType, dtypes, type TypedArray } from '../base/dtype.ts'
import { OutOfMemoryError } from '../base/errors.ts'
import { env } from '../base/flags.ts'
import { make_room, note_end_of_pass, note_large_block } from './collection.ts'
import { can_list_young } from './collector.ts'
import { end_round, give, Holder, Lot, lend, release, take } from './pool.ts'

const SLAB_BYTES = 64 * 1024
const LARGEST_IN_SLAB = 4 * 1024
/** Blocks of this size may have huge pages. */
const HUGE_BYTES = 64 * 1024
/** The alignment of every storage that we allocate: a cache line, and the widest vector there is. */
const ALIGNMENT = 64

/** The bytes of a block in memory of a device's own. */
export interface Resident {
  /** Brings the block's buffer up to date. If it is going to be written, the bytes are there alone from then on. */
  to_buffer(block: Block, buffer: ArrayBufferLike, will_write: boolean): void
  /** Nobody will ask for the bytes again. */
  drop(block: Block): void
}

/** What storages are windows of: one block for each large storage (and its aliases), one for a slab of small ones. */
export class Block extends Holder {
  readonly nbytes: number
  /** Null until somebody needs one: the bytes are unspecified or zeros, or with the resident. */
  buffer: ArrayBufferLike | null
  readonly zeroed: boolean
  /** Whether the bytes must stay in the buffer: it is a slab, or others hold it and may use it at any time. */
  is_exposed: boolean
  /** Whether others were given the buffer. */
  #was_given = false
  resident: Resident | null = null
  /** The device's memory that the buffer is, where it is one: the bytes must leave it before the buffer is given away. */
  readonly owner: object | null

  constructor(
    nbytes: number,
    buffer: ArrayBufferLike | null,
    is_exposed: boolean,
    zeroed = false,
    owner: object | null = null,
  ) {
    super()
    this.nbytes = nbytes
    this.buffer = buffer
    this.is_exposed = is_exposed
    this.zeroed = zeroed
    this.owner = owner
  }

  /** The buffer, up to date: for use before any device computes again. */
  host(will_write: boolean): ArrayBufferLike {
    this.buffer ??= new_buffer(this.nbytes, this.zeroed && this.resident === null)
    this.resident?.to_buffer(this, this.buffer, will_write)
    return this.buffer
  }

  /** The buffer, for good. */
  expose(): ArrayBufferLike {
    const buffer = this.host(true)
    if (!this.#was_given) {
      this.#was_given = this.is_exposed = true
      release(this)
      given.set(buffer, this)
    }
    return buffer
  }
}

/** The blocks of buffers that others hold. */
const given = new WeakMap<ArrayBufferLike, Block>()

/** The block of a buffer that others hold. */
function block_over(buffer: ArrayBufferLike): Block {
  const known = given.get(buffer)
  if (known !== undefined) return known
  const block = new Block(buffer.byteLength, buffer, true)
  block.expose()
  return block
}

export class Storage {
  /** What storages of the same memory have in common. */
  block: Block
  byte_offset: number
  nbytes: number
  /** Counts in-place writes, so that autograd can tell that a saved tensor has changed. */
  version = 0
  /** Whether a leaf holds this memory as its gradient, or a user may: the next leaf that is given it takes a copy. */
  owned = false
  /** The scope that it was made in, while its death would be noticed there. */
  scope: Scope | null = null
  /** How many hold it, as the scope knows. */
  uses = 0
  /** The machine address of the first byte, or 0 while nobody asked (see the native device). */
  address = 0
  readonly #views: (TypedArray | undefined)[] = []

  constructor(block: Block, byte_offset: number, nbytes: number) {
    this.block = block
    this.byte_offset = byte_offset
    this.nbytes = nbytes
  }

  /** Memory of a user's. */
  static over(buffer: ArrayBufferLike, byte_offset: number, nbytes: number): Storage {
    return new Storage(block_over(buffer), byte_offset, nbytes)
  }

  /** The buffer, which may be kept: it and the tensors see each other's bytes for good. */
  get buffer(): ArrayBufferLike {
    this.#leave()
    return this.block.expose()
  }

  /** The whole storage as a typed array of the dtype's storage elements (complex: two per element). It may be kept. */
  array(dtype: DType): TypedArray {
    this.#leave()
    return this.#view(dtype, this.block.expose())
  }

  /** The same to be read at once: it is not kept, nor written. */
  peek(dtype: DType): TypedArray {
    return this.#view(dtype, this.block.host(false))
  }

  /** The same to be read and written at once: it is not kept. */
  touch(dtype: DType): TypedArray {
    return this.#view(dtype, this.block.host(true))
  }

  #view(dtype: DType, buffer: ArrayBufferLike): TypedArray {
    return (this.#views[dtype.code] ??= new dtype.array(
      buffer as ArrayBuffer,
      this.byte_offset,
      Math.floor(this.nbytes / dtype.array.BYTES_PER_ELEMENT),
    ))
  }

  /** The same bytes with a version counter of its own (`tensor.data`). */
  alias(): Storage {
    this.#leave()
    const other = new Storage(this.block, this.byte_offset, this.nbytes)
    other.address = this.address
    this.owned = other.owned = true // the death of one is not the memory's
    return other
  }

  /** Grows to at least `nbytes`, keeping the contents; every tensor on this storage sees the new memory. */
  grow(nbytes: number): void {
    if (nbytes <= this.nbytes) return
    this.#move_to(allocate(nbytes))
  }

  /** Moves the bytes to memory that other threads can have too; every tensor on this storage sees it there. */
  share(): void {
    if (!this.is_shared) this.#move_to(Storage.over(new SharedArrayBuffer(this.nbytes), 0, this.nbytes))
  }

  get is_shared(): boolean {
    const { buffer, owner } = this.block
    return typeof SharedArrayBuffer !== 'undefined' && buffer instanceof SharedArrayBuffer && owner === null
  }

  /** Moves the bytes out of a device's own memory, into a block that is this storage's. */
  #leave(): void {
    const { nbytes } = this
    if (this.block.owner !== null)
      this.#move_to(new Storage(new Block(nbytes, new_buffer(nbytes, false), false), 0, nbytes))
  }

  #move_to(other: Storage): void {
    new Uint8Array(other.block.host(true), other.byte_offset, this.nbytes).set(
      new Uint8Array(this.block.host(false), this.byte_offset, this.nbytes),
    )
    this.block = other.block
    this.byte_offset = other.byte_offset
    this.nbytes = other.nbytes
    this.address = other.address
    for (const dtype of dtypes) this.#views[dtype.code] = undefined
  }
}

let slab: Block | undefined
/** The part of the slab's buffer that nobody has yet. */
let slab_used = 0
let slab_end = 0
/** The machine address of the slab's buffer, if it is known. */
let slab_address = 0

/** A slab, and where it begins in its block's buffer. */
export type Slab = { readonly block: Block; readonly start: number }

/** The machine address of an ArrayBuffer; the native device installs one, elsewhere addresses stay 0. */
let address_of: (buffer: ArrayBufferLike) => number = () => 0
let addresses_known = false
let prepare: (address: number, nbytes: number) => void = () => {}

/** Installs that, and what is to be done with each new large block before it is written. */
export function set_address_of(
  f: (buffer: ArrayBufferLike) => number,
  prepare_block: (address: number, nbytes: number) => void,
): void {
  addresses_known = true
  address_of = f
  prepare = prepare_block
  slab_of_device = null
  slab = undefined
  lends = undefined
}

/** The machine address of a storage's first byte (needs `set_address_of`). */
export function storage_address(storage: Storage): number {
  if (storage.address === 0) storage.address = address_of(storage.block.host(true)) + storage.byte_offset
  return storage.address
}

const made_up = new WeakMap<Block, number>()
/** Beyond any address in a device's own memory. */
let next_made_up = 2 ** 33

/** The address of a storage's first byte as users see it: made up where it is not known, but it tells memories apart. */
export function visible_address(storage: Storage): number {
  if (addresses_known) return storage_address(storage)
  const { block, byte_offset } = storage
  if (block.owner !== null) return byte_offset
  let address = made_up.get(block)
  if (address === undefined) {
    address = next_made_up
    next_made_up += Math.ceil((block.nbytes + 1) / ALIGNMENT) * ALIGNMENT
    made_up.set(block, address)
  }
  return address + byte_offset
}

/** Whether large storages get no buffer before JavaScript asks for it. */
let lazy = false
/** Blocks beyond this always have a buffer, so that it shows at once that there is no memory for them. */
const LARGEST_LAZY = 2 ** 30

let slab_of_device: ((nbytes: number) => Slab) | null = null

/** To be called by a device that keeps large storages in memory of its own; slabs, too, where it makes them. */
export function keep_elsewhere(new_slab: ((nbytes: number) => Slab) | null): void {
  lazy = true
  slab_of_device = new_slab
  slab = undefined
}

// --- memory whose death is known

/** The innermost scope; null outside of any. */
let scope: Scope | null = null

/**
 * A stretch of the program, such as a backward pass, that knows who refers to the large storages made in it. Whoever uses
 * one for longer than a step holds it. At the end of a step what was made and is not held has died, later what is dropped,
 * and at the end everything; but not what was marked `owned`. The collector would free it too, but fresh pages cost more
 * than the arithmetic on them.
 */
export class Scope {
  readonly #outer: Scope | null
  /** What was made and lives. */
  readonly #own: Storage[] = []
  #revealed = false

  constructor() {
    this.#outer = scope
    scope = this
  }

  /** How many storages were made and live: where a step begins. While there are none, nothing can be held. */
  get mark(): number {
    return this.#own.length
  }

  /** Notes that others may have seen what was made, and kept it. Nothing made here is used again. */
  reveal(): void {
    this.#revealed = true
  }

  hold(storage: Storage): void {
    if (storage.scope === this) storage.uses++
  }

  drop(storage: Storage): void {
    if (storage.scope === this && --storage.uses === 0) this.#die(storage)
  }

  /** Ends a step that began at `mark`. */
  settle(mark: number): void {
    const own = this.#own
    let kept = mark
    for (let i = mark; i < own.length; i++) {
      const storage = own[i]!
      if (storage.uses === 0) this.#die(storage)
      if (storage.scope === this) own[kept++] = storage
    }
    own.length = kept
  }

  /** Whether a storage was made here and has one holder, who may write into it. */
  is_sole(storage: Storage): boolean {
    return storage.scope === this && storage.uses === 1 && !storage.owned && !this.#revealed
  }

  /** Ends the scope; `recycle` says that nobody has kept what is not `owned`. */
  end(recycle: boolean): void {
    scope = this.#outer
    if (!recycle) return
    for (const storage of this.#own) this.#die(storage)
    if (scope !== null) return
    if (!lends) end_round()
    note_end_of_pass()
  }

  add(storage: Storage): void {
    storage.scope = this
    this.#own.push(storage)
  }

  #die(storage: Storage): void {
    if (this.#revealed || storage.scope !== this) return
    storage.scope = null
    if (!storage.owned) give_to_pool(storage)
  }
}

/** Whether a storage was made in the present scope, and has no holder but the caller's, who may write into it. */
export const is_sole = (storage: Storage): boolean => scope?.is_sole(storage) === true

function give_to_pool(storage: Storage): void {
  const { block } = storage
  if (block.is_exposed) return
  block.resident?.drop(block)
  const { buffer } = block
  if (lazy || !(buffer instanceof ArrayBuffer)) return
  const lot = lends ? release(block) : new Lot(buffer, 0)
  if (lot !== null) give(lot)
}

/** Whether the dead are found after collections, so that V8 need not free them. */
let lends: boolean | undefined

// --- new memory

/** Node's way to an ArrayBuffer that nobody has cleared; a bundler's substitute may clear it, which does no harm. */
type Uncleared = { readonly allocUnsafeSlow?: (nbytes: number) => Uint8Array }
const node_buffer = (globalThis as { readonly Buffer?: Uncleared }).Buffer

/** A buffer of unspecified contents: clearing would cost as much as the op that is going to write it. */
function uncleared(nbytes: number): ArrayBuffer {
  const made = node_buffer?.allocUnsafeSlow?.(nbytes).buffer
  return made instanceof ArrayBuffer && made.byteLength === nbytes ? made : new ArrayBuffer(nbytes)
}

/** A new buffer. Throws OutOfMemoryError where the engine refuses. */
function new_buffer(nbytes: number, zeroed: boolean): ArrayBuffer {
  try {
    return zeroed ? new ArrayBuffer(nbytes) : uncleared(nbytes)
  } catch {
    throw new OutOfMemoryError(
      `[enforce fail at alloc_cpu.cpp] . DefaultCPUAllocator: can't allocate memory: you tried to allocate ${nbytes} bytes.`,
    )
  }
}

/** TSTORCH_POISON=1 fills new memory with ones (a NaN, or -1), so that reading it unwritten shows. The tests run so. */
const poison = env('TSTORCH_POISON') === '1'

/** New memory of unspecified contents, aligned to `ALIGNMENT` bytes. Throws OutOfMemoryError where the engine refuses. */
export function allocate(nbytes: number): Storage {
  const storage = nbytes <= LARGEST_IN_SLAB ? carve(nbytes) : allocate_large(nbytes, false)
  if (poison) fill(storage, 0xff)
  return storage
}

/** New memory of zeros, aligned to `ALIGNMENT` bytes. Throws OutOfMemoryError where the engine refuses. */
export function allocate_zeroed(nbytes: number): Storage {
  return nbytes <= LARGEST_IN_SLAB ? fill(carve(nbytes), 0) : allocate_large(nbytes, true)
}

function fill(storage: Storage, byte: number): Storage {
  new Uint8Array(storage.block.host(true), storage.byte_offset, storage.nbytes).fill(byte)
  return storage
}

function carve(nbytes: number): Storage {
  const rounded = (nbytes + ALIGNMENT - 1) & -ALIGNMENT
  if (slab === undefined || slab_used + rounded > slab_end) slab = begin_slab()
  const storage = new Storage(slab, slab_used, nbytes)
  if (slab_address !== 0) storage.address = slab_address + slab_used
  slab_used += rounded
  return storage
}

function begin_slab(): Block {
  if (slab_of_device !== null) {
    const { block, start } = slab_of_device(SLAB_BYTES)
    slab_address = 0
    slab_used = start
    slab_end = start + SLAB_BYTES
    return block
  }
  const buffer = uncleared(SLAB_BYTES + ALIGNMENT)
  slab_address = address_of(buffer)
  slab_used = -slab_address & (ALIGNMENT - 1)
  slab_end = slab_used + SLAB_BYTES
  return new Block(buffer.byteLength, buffer, true)
}

/** To be done before the first large block is made. */
let before_large: (() => void) | null = null

/** Installs that: the device that is going to compute decides where large blocks lie, so it has to be there first. */
export function before_first_large(f: () => void): void {
  before_large = f
}

function allocate_large(nbytes: number, zeroed: boolean): Storage {
  if (before_large !== null) {
    const f = before_large
    before_large = null
    f()
  }
  if (lazy && nbytes <= LARGEST_LAZY) {
    const storage = new Storage(new Block(nbytes, null, false, zeroed), 0, nbytes)
    scope?.add(storage)
    return storage
  }
  lends ??= addresses_known && can_list_young()
  const slack = slack_of(nbytes)
  const size = rounded(nbytes) + slack
  if (scope === null) make_room(size)
  // Where V8 frees what forward passes make, they leave alone what backward passes need.
  let lot = lends || scope !== null ? take(size) : undefined
  const is_new = lot === undefined
  if (is_new || lends) note_large_block(size)
  if (lot === undefined) {
    const buffer = new_buffer(size, zeroed)
    lot = new Lot(buffer, address_of(buffer))
  }
  const { buffer, address } = lot
  const offset = slack === 0 ? 0 : -address & (slack - 1)
  const block = new Block(size, buffer, false, zeroed)
  if (lends) lend(lot, block)
  const storage = new Storage(block, offset, nbytes)
  if (addresses_known) storage.address = address + offset
  if (is_new && nbytes >= HUGE_BYTES && addresses_known) prepare(storage.address, nbytes)
  scope?.add(storage)
  return zeroed && !is_new ? fill(storage, 0) : storage
}

/** Sizes that few others are near: what died is used again for something a little smaller. The rest is never touched. */
function rounded(nbytes: number): number {
  if (!lends) return nbytes
  const step = 2 ** (Math.floor(Math.log2(nbytes)) - 3)
  return Math.ceil(nbytes / step) * step
}

const PAGE = 4096
const LEAST_IN_PAGES = 64 * 1024

/**
 * What is allocated beyond a large storage, to align it where addresses are known. The larger ones begin a page: a
 * result that lay a little further in its page than the operands would be taken, store by store, for what is read next.
 */
const slack_of = (nbytes: number): number =>
  addresses_known ? (nbytes >= LEAST_IN_PAGES ? PAGE : ALIGNMENT) : 0
