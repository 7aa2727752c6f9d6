/**
 * The Mersenne Twister MT19937 (Matsumoto and Nishimura, 1998): a stream of 32-bit words from a 32-bit seed.
 *
 * Only the stream, kept as a window of the recurrence: words are tempered as they are given out, so whoever makes many
 * (ops/random/words.ts) writes the recurrence on in SIMD and reads it where it lies. Seeds and saved states are in
 * generator.ts.
 */

/** Words in a block: PyTorch's state is a block, replaced as a whole after so many draws. */
export const BLOCK = 624

export class Mt19937 {
  /** A window of the recurrence. It begins with a block, and holds the block of the last word that was given out. */
  words: Int32Array = new Int32Array(2 * BLOCK)
  /** How many of `words` are known: whole blocks. */
  known: number = BLOCK
  /** The place of the next word to give out. */
  position: number = BLOCK
  /** Whether nothing has been drawn since the stream was seeded. */
  fresh: boolean = true

  constructor(seed: number) {
    this.seed(seed)
  }

  /** Restarts the stream from the low 32 bits of `seed`. */
  seed(seed: number): void {
    const { words } = this
    words[0] = seed
    for (let i = 1; i < BLOCK; i++) {
      const previous = words[i - 1] as number
      words[i] = Math.imul(1812433253, previous ^ (previous >>> 30)) + i
    }
    this.known = this.position = BLOCK
    this.fresh = true
  }

  /** Continues a stream from a block and the position in it. */
  restore(block: ArrayLike<number>, position: number, fresh: boolean): void {
    this.words.set(block)
    this.known = BLOCK
    this.position = position
    this.fresh = fresh
  }

  /** Where the block of the last word that was given out begins. What comes before is never asked for again. */
  get #start(): number {
    return Math.max(0, Math.ceil(this.position / BLOCK) - 1) * BLOCK
  }

  /** That block, and the position of the next word in it. */
  state(): { readonly block: Int32Array; readonly position: number } {
    const start = this.#start
    return { block: this.words.slice(start, start + BLOCK), position: this.position - start }
  }

  /** The next word: a whole number in [0, 2^32). */
  next(): number {
    if (this.position === this.known) this.#make_block()
    let y = this.words[this.position++] as number
    y ^= y >>> 11
    y ^= (y << 7) & 0x9d2c5680
    y ^= (y << 15) & 0xefc60000
    return (y ^ (y >>> 18)) >>> 0
  }

  /**
   * Makes room for `count` words from `position` on, all that will be drawn next, which may move the window. Returns
   * how many of them are not known yet, rounded up to whole blocks: who asked must write these from `known` on.
   */
  reserve(count: number): number {
    const missing = Math.ceil((this.position + count - this.known) / BLOCK) * BLOCK
    if (missing <= 0) return 0
    this.fresh = false
    if (this.known + missing > this.words.length) {
      const start = this.#start
      const size = this.known - start + missing
      const window = size > this.words.length ? new Int32Array(size) : this.words
      window.set(this.words.subarray(start, this.known))
      this.words = window
      this.known -= start
      this.position -= start
    }
    return missing
  }

  #make_block(): void {
    this.reserve(1)
    const { words, known } = this
    for (let i = known; i < known + BLOCK; i++) {
      const word = ((words[i - 624] as number) & 0x80000000) | ((words[i - 623] as number) & 0x7fffffff)
      words[i] = (words[i - 227] as number) ^ (word >>> 1) ^ (-(word & 1) & 0x9908b0df)
    }
    this.known += BLOCK
  }
}
