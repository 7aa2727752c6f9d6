// Which parts of the linear memory are in use: blocks come back by their size, or are cut from what lies free.
// Not here: the memory itself (memory.ts), what is kept in it (residents.ts).

const SMALLEST = 1024
/** Beyond the smallest, sizes are rounded up to an eighth of their power of two, so that few differ. */
const STEPS = 8

function rounded(nbytes: number): number {
  if (nbytes <= SMALLEST) return SMALLEST
  const step = Math.max(SMALLEST, 2 ** Math.floor(Math.log2(nbytes)) / STEPS)
  return Math.ceil(nbytes / step) * step
}

type Span = { address: number; end: number }

/** Addresses from `start` on. */
export class Heap {
  /** The end of all that was ever given out. */
  top: number
  /** How many bytes are given out. */
  used = 0
  /** Free blocks by their size; the last one freed, which the caches may know, is the first to be given out. */
  #free = new Map<number, number[]>()
  /** How many bytes `#free` holds. */
  #kept = 0
  /** Free memory between blocks, in order. */
  #spans: Span[] = []

  constructor(start: number) {
    this.top = start
  }

  /** The address of a block; the memory must reach `top` afterwards. `end` is where it ends now. */
  allocate(nbytes: number, end: number): number {
    const size = rounded(nbytes)
    this.used += size
    const address = this.#free.get(size)?.pop()
    if (address === undefined) return this.#cut(size, end)
    this.#kept -= size
    return address
  }

  free(address: number, nbytes: number): void {
    const size = rounded(nbytes)
    this.used -= size
    this.#kept += size
    const same_size = this.#free.get(size)
    if (same_size === undefined) this.#free.set(size, [address])
    else same_size.push(address)
  }

  #cut(size: number, end: number): number {
    const found = this.#from_spans(size)
    if (found !== undefined) return found
    // before the memory grows, blocks of other sizes serve
    if (this.top + size > end && this.#kept >= Math.max(size, this.used / 4)) {
      this.merge()
      const merged = this.#from_spans(size)
      if (merged !== undefined) return merged
    }
    const address = this.top
    this.top += size
    return address
  }

  #from_spans(size: number): number | undefined {
    const at = this.#spans.findIndex(s => s.end - s.address >= size)
    if (at < 0) return undefined
    const span = this.#spans[at]!
    const { address } = span
    span.address += size
    if (span.address === span.end) this.#spans.splice(at, 1)
    return address
  }

  /** Makes spans of all free blocks. */
  merge(): void {
    const all = this.#spans
    for (const [size, addresses] of this.#free)
      for (const address of addresses) all.push({ address, end: address + size })
    all.sort((a, b) => a.address - b.address)
    this.#spans = []
    for (const span of all) {
      const last = this.#spans.at(-1)
      if (last?.end === span.address) last.end = span.end
      else this.#spans.push(span)
    }
    const last = this.#spans.at(-1)
    if (last?.end === this.top) {
      this.top = last.address
      this.#spans.pop()
    }
    this.#free = new Map()
    this.#kept = 0
  }
}
