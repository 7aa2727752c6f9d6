// The linear memory that kernels of the wasm device work on: an argument block, blocks that stay until they are freed,
// and an arena, in blocks of its own, that every launch fills anew. It grows as needed, to 4 GB.
// Not here: which storages stay (residents.ts), which are copied for a launch (stage.ts).
import { OutOfMemoryError } from '../../base/errors.ts'
import { ARGUMENT_BYTES } from '../../render/wasm/render.ts'
import { features } from './features.ts'
import { Heap } from './heap.ts'

const PAGE_BYTES = 65536
const MAX_PAGES = 65536
const FIRST_PAGES = 32
const ALIGNMENT = 64
/** The arena's blocks are at least so large; from launch to launch it keeps one of up to so many bytes. */
const ARENA_BYTES = 1 << 20
const LARGEST_ARENA = 64 << 20
/** Copies up to this size are done word by word: a subarray costs more. */
const SMALL_COPY = 192

export class LinearMemory {
  readonly memory: WebAssembly.Memory
  // Views of the whole memory, made anew whenever it grows.
  bytes!: Uint8Array
  i32!: Int32Array
  i64!: BigInt64Array
  f32!: Float32Array
  f64!: Float64Array
  #size = 0
  readonly #heap = new Heap(ARGUMENT_BYTES)
  /** The arena's blocks; the last one is free from `#top` to `#end`. */
  #arena: { readonly address: number; readonly size: number }[] = []
  #top = 0
  #end = 0
  /** Counts the launches. */
  launch = 0

  constructor() {
    const shared = features().shared_memory === true
    this.memory = new WebAssembly.Memory({ initial: FIRST_PAGES, maximum: MAX_PAGES, shared })
    this.#refresh()
  }

  #refresh(): void {
    const { buffer } = this.memory
    this.#size = buffer.byteLength
    this.bytes = new Uint8Array(buffer)
    this.i32 = new Int32Array(buffer)
    this.i64 = new BigInt64Array(buffer)
    this.f32 = new Float32Array(buffer)
    this.f64 = new Float64Array(buffer)
  }

  /** Begins a launch, with an empty arena. */
  begin(): void {
    this.launch++
    this.reset()
  }

  /** Starts an empty arena: what was reserved before is given up. */
  reset(): void {
    if (this.#arena.length > 1 || this.#end - this.#top > LARGEST_ARENA) this.#join_arena()
    this.#top = this.#arena[0]?.address ?? 0
  }

  /** One block for all that the latest launch needed. */
  #join_arena(): void {
    const size = this.#arena.reduce((sum, block) => sum + block.size, 0)
    for (const block of this.#arena) this.free(block.address, block.size)
    this.#arena = []
    this.#end = 0
    if (size <= LARGEST_ARENA) this.#extend_arena(size)
  }

  #extend_arena(size: number): void {
    const address = this.allocate(size)
    this.#arena.push({ address, size })
    this.#top = address
    this.#end = address + size
  }

  /**
   * The address of `size` fresh bytes of the arena, not zeroed.
   * Throws OutOfMemoryError past 4 GB, or where the engine has no more memory.
   */
  reserve(size: number): number {
    const needed = Math.ceil(size / ALIGNMENT) * ALIGNMENT
    if (this.#top + needed > this.#end) this.#extend_arena(Math.max(needed, ARENA_BYTES))
    const address = this.#top
    this.#top += needed
    return address
  }

  /** The address of a block that stays until it is freed. Throws as `reserve` does. */
  allocate(size: number): number {
    const address = this.#heap.allocate(size, this.#size)
    try {
      if (this.#heap.top > this.#size) this.#grow(this.#heap.top)
    } catch (error) {
      this.#heap.free(address, size)
      this.#heap.merge()
      throw error
    }
    return address
  }

  free(address: number, size: number): void {
    this.#heap.free(address, size)
  }

  /** How large the memory is. */
  get pages(): number {
    return this.#size / PAGE_BYTES
  }

  /** How many bytes are in use. */
  get used(): number {
    return this.#heap.used
  }

  #grow(size: number): void {
    const now = this.#size / PAGE_BYTES
    const needed = Math.ceil(size / PAGE_BYTES)
    const fail = (): never => {
      throw new OutOfMemoryError(
        `the wasm device cannot stage ${size} bytes of operands: its memory ends at ${MAX_PAGES * PAGE_BYTES} bytes`,
      )
    }
    if (needed > MAX_PAGES) fail()
    try {
      this.memory.grow(Math.min(Math.max(needed, 2 * now), MAX_PAGES) - now)
    } catch {
      try {
        this.memory.grow(needed - now)
      } catch {
        fail()
      }
    }
    this.#refresh()
  }

  /** Copies bytes from an ArrayBuffer into the memory. */
  write(address: number, buffer: ArrayBufferLike, from: number, size: number): void {
    if (size <= SMALL_COPY && ((from | size) & 3) === 0) {
      const source = words_of(buffer)
      const { i32 } = this
      for (let i = from / 4, j = address / 4, end = i + (size >> 2); i < end; i++, j++) i32[j] = source[i]!
    } else this.bytes.set(new Uint8Array(buffer, from, size), address)
  }

  /** Copies bytes of the memory to an ArrayBuffer. */
  read(address: number, buffer: ArrayBufferLike, to: number, size: number): void {
    if (size <= SMALL_COPY && ((to | size) & 3) === 0) {
      const target = words_of(buffer)
      const { i32 } = this
      for (let i = to / 4, j = address / 4, end = i + (size >> 2); i < end; i++, j++) target[i] = i32[j]!
    } else new Uint8Array(buffer, to, size).set(this.bytes.subarray(address, address + size))
  }
}

// Most small copies are to and from the slab that small storages share.
const views = new WeakMap<ArrayBufferLike, Int32Array>()
let latest_buffer: ArrayBufferLike | undefined
let latest_words: Int32Array = new Int32Array(0)
const KEEP = 1 << 20

function words_of(buffer: ArrayBufferLike): Int32Array {
  if (buffer === latest_buffer) return latest_words
  let words = views.get(buffer)
  if (words === undefined) {
    words = new Int32Array(buffer, 0, buffer.byteLength >> 2)
    views.set(buffer, words)
  }
  if (buffer.byteLength <= KEEP) {
    latest_buffer = buffer
    latest_words = words
  }
  return words
}
