/**
 * The Mersenne Twister MT19937 (Matsumoto and Nishimura, 1998): a stream of 32-bit words from a 32-bit seed.
 *
 * Only the stream. Seeds and saved states are in generator.ts, what numbers are made of the words in sampling.ts.
 */

/** Words in a block: the state is replaced as a whole after so many draws. */
export const BLOCK = 624

function temper(y: number): number {
  y ^= y >>> 11
  y ^= (y << 7) & 0x9d2c5680
  y ^= (y << 15) & 0xefc60000
  return y ^ (y >>> 18)
}

export class Mt19937 {
  /** The recurrence's state, of which `#words` are made. */
  readonly state: Int32Array = new Int32Array(BLOCK)
  /** The next word of the block to give out; BLOCK where the next draw begins a new one. */
  position: number = BLOCK
  /** Whether nothing has been drawn since the stream was seeded. */
  fresh: boolean = true
  readonly #words: Uint32Array = new Uint32Array(BLOCK)

  constructor(seed: number) {
    this.seed(seed)
  }

  /** Restarts the stream from the low 32 bits of `seed`. */
  seed(seed: number): void {
    const { state } = this
    state[0] = seed
    for (let i = 1; i < BLOCK; i++) {
      const previous = state[i - 1] as number
      state[i] = Math.imul(1812433253, previous ^ (previous >>> 30)) + i
    }
    this.position = BLOCK
    this.fresh = true
  }

  /** Continues a stream from a state and the position in its block. */
  restore(state: ArrayLike<number>, position: number, fresh: boolean): void {
    this.state.set(state)
    this.position = position
    this.fresh = fresh
    this.#words.set(this.state.map(temper))
  }

  /** The next word: a whole number in [0, 2^32). */
  next(): number {
    if (this.position === BLOCK) this.#advance()
    return this.#words[this.position++] as number
  }

  /** Fills `out` with the next words, which costs half of taking them one by one. */
  take(out: Uint32Array): void {
    for (let at = 0; at < out.length; ) {
      if (this.position === BLOCK) this.#advance()
      const n = Math.min(out.length - at, BLOCK - this.position)
      out.set(this.#words.subarray(this.position, this.position + n), at)
      this.position += n
      at += n
    }
  }

  #advance(): void {
    const s = this.state
    const words = this.#words
    const n = s.length
    for (let i = 0; i < n; i++) {
      const following = s[i + 1 < n ? i + 1 : 0] as number
      const shifted = s[i + 397 < n ? i + 397 : i + 397 - n] as number
      const word = ((s[i] as number) & 0x80000000) | (following & 0x7fffffff)
      const y = shifted ^ (word >>> 1) ^ (-(word & 1) & 0x9908b0df)
      s[i] = y
      words[i] = temper(y)
    }
    this.position = 0
    this.fresh = false
  }
}
