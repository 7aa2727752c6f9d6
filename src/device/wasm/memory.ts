// The linear memory that kernels of the wasm device work on: an argument block, and behind it an arena that every
// launch fills anew with copies of its operands. It grows as needed, to 4 GB. Not here: what is staged (stage.ts).
import { OutOfMemoryError } from '../../base/errors.ts'
import { ARGUMENT_BYTES } from '../../render/wasm/render.ts'

const PAGE_BYTES = 65536
const MAX_PAGES = 65536
const FIRST_PAGES = 32
const ALIGNMENT = 64
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
  #top: number = ARGUMENT_BYTES

  constructor() {
    this.memory = new WebAssembly.Memory({ initial: FIRST_PAGES, maximum: MAX_PAGES })
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

  /** Starts an empty arena: what was reserved before is given up. */
  reset(): void {
    this.#top = ARGUMENT_BYTES
  }

  /** How much of the arena is in use; `release` goes back to there. */
  get mark(): number {
    return this.#top
  }

  release(mark: number): void {
    this.#top = mark
  }

  /**
   * The address of `size` fresh bytes of the arena, not zeroed.
   * Throws OutOfMemoryError past 4 GB, or where the engine has no more memory.
   */
  reserve(size: number): number {
    const address = this.#top
    const top = address + Math.ceil(size / ALIGNMENT) * ALIGNMENT
    if (top > this.#size) this.#grow(top)
    this.#top = top
    return address
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
