// CPU memory: a window of an ArrayBuffer that tensors and views share. Small storages are carved out of slabs,
// because a fresh ArrayBuffer costs over a microsecond. V8's collector frees all of it; nothing is freed by hand.
// Not here: what the bytes mean (a tensor's dtype, sizes and strides).
import { type DType, dtypes, type TypedArray } from '../base/dtype.ts'
import { OutOfMemoryError } from '../base/errors.ts'
import { env } from '../base/flags.ts'
import { note_large_block } from './collection.ts'

const SLAB_BYTES = 64 * 1024
const LARGEST_IN_SLAB = 4 * 1024
/** Blocks of this size may have huge pages. */
const HUGE_BYTES = 4 * 2 ** 20
/** The alignment of every storage that we allocate: a cache line, and the widest vector there is. */
export const ALIGNMENT = 64

export class Storage {
  buffer: ArrayBufferLike
  byte_offset: number
  nbytes: number
  /** Counts in-place writes, so that autograd can tell that a saved tensor has changed. */
  version = 0
  /** Whether a leaf holds this memory as its gradient, or a user may: the next leaf that is given it takes a copy. */
  owned = false
  /** The machine address of the first byte, or 0 while nobody asked (see the native device). */
  address = 0
  readonly #views: (TypedArray | undefined)[] = []

  constructor(buffer: ArrayBufferLike, byte_offset: number, nbytes: number) {
    this.buffer = buffer
    this.byte_offset = byte_offset
    this.nbytes = nbytes
  }

  /** The whole storage as a typed array of the dtype's storage elements (complex: two per element). */
  array(dtype: DType): TypedArray {
    return (this.#views[dtype.code] ??= new dtype.array(
      this.buffer as ArrayBuffer,
      this.byte_offset,
      Math.floor(this.nbytes / dtype.array.BYTES_PER_ELEMENT),
    ))
  }

  /** The same bytes with a version counter of its own (`tensor.data`). */
  alias(): Storage {
    const other = new Storage(this.buffer, this.byte_offset, this.nbytes)
    other.address = this.address
    return other
  }

  /** Grows to at least `nbytes`, keeping the contents; every tensor on this storage sees the new memory. */
  grow(nbytes: number): void {
    if (nbytes <= this.nbytes) return
    this.#move_to(allocate(nbytes))
  }

  /** Moves the bytes to memory that other threads can have too; every tensor on this storage sees it there. */
  share(): void {
    if (!this.is_shared) this.#move_to(new Storage(new SharedArrayBuffer(this.nbytes), 0, this.nbytes))
  }

  get is_shared(): boolean {
    return typeof SharedArrayBuffer !== 'undefined' && this.buffer instanceof SharedArrayBuffer
  }

  #move_to(other: Storage): void {
    new Uint8Array(other.buffer, other.byte_offset, this.nbytes).set(
      new Uint8Array(this.buffer, this.byte_offset, this.nbytes),
    )
    this.buffer = other.buffer
    this.byte_offset = other.byte_offset
    this.nbytes = other.nbytes
    this.address = other.address
    for (const dtype of dtypes) this.#views[dtype.code] = undefined
  }
}

let slab: ArrayBuffer | undefined
let slab_used = SLAB_BYTES
let slab_address = 0

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
  slab = undefined
  slab_used = SLAB_BYTES
}

/** The machine address of a storage's first byte (needs `set_address_of`). */
export function storage_address(storage: Storage): number {
  if (storage.address === 0) storage.address = address_of(storage.buffer) + storage.byte_offset
  return storage.address
}

const made_up = new WeakMap<ArrayBufferLike, number>()
let next_made_up = 0x10000000

/** The address of a storage's first byte as users see it: made up where it is not known, but it tells memories apart. */
export function visible_address(storage: Storage): number {
  if (addresses_known) return storage_address(storage)
  let address = made_up.get(storage.buffer)
  if (address === undefined) {
    address = next_made_up
    next_made_up += Math.ceil((storage.buffer.byteLength + 1) / ALIGNMENT) * ALIGNMENT
    made_up.set(storage.buffer, address)
  }
  return address + storage.byte_offset
}

// --- memory whose death is known

const POOL_BYTES = 256 * 2 ** 20
/** Buffers that nobody refers to any more, by size. */
const pool = new Map<number, ArrayBuffer[]>()
let pooled = 0

/** The large storages made since the scope began; null outside of any. */
let scope: Storage[] | null = null

/** Ends a scope; `recycle` says that what was made in it and is not `owned` has died. */
export type EndScope = (recycle: boolean) => void

/**
 * Begins a scope, such as a backward pass, at whose end all memory made in it is dead, but for what was marked `owned`.
 * The collector would free it too, but fresh pages cost more than the arithmetic on them.
 */
export function begin_scope(): EndScope {
  const outer = scope
  const own: Storage[] = []
  scope = own
  return recycle => {
    scope = outer
    if (!recycle) return
    for (const storage of own) {
      if (storage.owned || pooled + storage.nbytes > POOL_BYTES) continue
      const { buffer, nbytes } = storage
      if (!(buffer instanceof ArrayBuffer) || buffer.byteLength !== nbytes) continue
      const same_size = pool.get(nbytes)
      if (same_size === undefined) pool.set(nbytes, [buffer])
      else same_size.push(buffer)
      pooled += nbytes
    }
  }
}

/** The bytes of pooled buffers: held, but by no tensor. */
export const pooled_bytes = (): number => pooled

/** A pooled buffer of this size, as it was left. */
function take_pooled(nbytes: number): ArrayBuffer | undefined {
  const buffer = pool.get(nbytes)?.pop()
  if (buffer !== undefined) pooled -= nbytes
  return buffer
}

// --- new memory

/** Node's way to an ArrayBuffer that nobody has cleared; a bundler's substitute may clear it, which does no harm. */
type Uncleared = { readonly allocUnsafeSlow?: (nbytes: number) => Uint8Array }
const node_buffer = (globalThis as { readonly Buffer?: Uncleared }).Buffer

/** A buffer of unspecified contents: clearing would cost as much as the op that is going to write it. */
function uncleared(nbytes: number): ArrayBuffer {
  const made = node_buffer?.allocUnsafeSlow?.(nbytes).buffer
  return made instanceof ArrayBuffer && made.byteLength === nbytes ? made : new ArrayBuffer(nbytes)
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
  new Uint8Array(storage.buffer, storage.byte_offset, storage.nbytes).fill(byte)
  return storage
}

function carve(nbytes: number): Storage {
  const rounded = (nbytes + ALIGNMENT - 1) & -ALIGNMENT
  if (slab === undefined || slab_used + rounded > SLAB_BYTES) {
    slab = uncleared(SLAB_BYTES + ALIGNMENT)
    slab_address = address_of(slab)
    slab_used = slab_address % ALIGNMENT === 0 ? 0 : ALIGNMENT - (slab_address % ALIGNMENT)
  }
  const storage = new Storage(slab, slab_used, nbytes)
  if (slab_address !== 0) storage.address = slab_address + slab_used
  slab_used += rounded
  return storage
}

function allocate_large(nbytes: number, zeroed: boolean): Storage {
  let buffer = take_pooled(nbytes)
  const clear = zeroed && buffer !== undefined
  if (buffer === undefined) note_large_block(nbytes)
  try {
    buffer ??= zeroed ? new ArrayBuffer(nbytes) : uncleared(nbytes)
  } catch {
    throw new OutOfMemoryError(
      `[enforce fail at alloc_cpu.cpp] . DefaultCPUAllocator: can't allocate memory: you tried to allocate ${nbytes} bytes.`,
    )
  }
  const storage = new Storage(buffer, 0, nbytes)
  if (nbytes >= HUGE_BYTES && addresses_known) prepare(storage_address(storage), nbytes)
  scope?.push(storage)
  return clear ? fill(storage, 0) : storage
}
