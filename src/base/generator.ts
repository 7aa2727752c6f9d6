/**
 * `torch.Generator`: PyTorch's CPU generator, word for word. After `manual_seed(n)` it gives the stream that PyTorch
 * gives, and its saved state is PyTorch's: a state saved by either restores in the other.
 *
 * Few numbers at a time: what fills tensors is in ops/random/.
 */

import { RuntimeError } from './errors.ts'
import { BLOCK, Mt19937 } from './mt19937.ts'

/** What a new generator is seeded with, in PyTorch too. */
const DEFAULT_SEED = 67280421310721

/**
 * The bytes of a saved state, little-endian: seed u64, words left in the block i32, seeded i32, next word u64,
 * 624 words of state as u64, two unused doubles around the cached double normal at NORMAL, whether there is one i32,
 * the cached float normal f32, whether there is one u8.
 */
const STATE_BYTES = 5056
const WORDS = 24
const NORMAL = WORDS + 8 * BLOCK + 8
const NORMAL_VALID = NORMAL + 16
const FLOAT_NORMAL = NORMAL_VALID + 8
const FLOAT_NORMAL_VALID = FLOAT_NORMAL + 4

export class Generator {
  /** The second of a pair of normal numbers, kept for the next draw; null where there is none. */
  next_normal: number | null = null
  #next_float_normal: number | null = null // only carried from state to state: CPU kernels never draw it
  #seed = 0n
  /** The stream itself, for those who draw many words at once. */
  readonly engine: Mt19937 = new Mt19937(0)

  /** `device` can only be 'cpu', or a torch.device that is. Throws RuntimeError for others. */
  constructor(device: string | { readonly type: string } = 'cpu') {
    const type = typeof device === 'string' ? device : device.type
    if (type !== 'cpu')
      throw new RuntimeError(`Device type ${type.toUpperCase()} is not supported for torch.Generator() api.`)
    this.manual_seed(DEFAULT_SEED)
  }

  /**
   * Restarts the stream from a seed of 64 bits, signed or not (the stream depends on its low 32). Returns itself.
   * Throws RuntimeError for what is not a whole number of 64 bits.
   */
  manual_seed(seed: number | bigint): this {
    if (typeof seed !== 'bigint' && !Number.isInteger(seed)) {
      const type = typeof seed === 'number' ? 'float' : typeof seed
      throw new RuntimeError(`manual_seed expected a long, but got ${type}`)
    }
    const value = BigInt(seed)
    if (value < -(2n ** 63n) || value >= 2n ** 64n) throw new RuntimeError('Overflow when unpacking long')
    this.#seed = BigInt.asUintN(64, value)
    this.engine.seed(Number(BigInt.asUintN(32, value)))
    this.next_normal = null
    this.#next_float_normal = null
    return this
  }

  /** Seeds with a random number of 53 bits and returns it. */
  seed(): number {
    const [high = 0, low = 0] = globalThis.crypto.getRandomValues(new Uint32Array(2))
    const seed = (high >>> 11) * 2 ** 32 + low
    this.manual_seed(seed)
    return seed
  }

  /** The seed that the stream began with; a bigint past 2^53. */
  initial_seed(): number | bigint {
    const seed = Number(this.#seed)
    return Number.isSafeInteger(seed) ? seed : this.#seed
  }

  /** The next 32 bits of the stream, as a whole number. */
  random(): number {
    return this.engine.next()
  }

  /** The next 64 bits: two words, the high one first. Slow; most uses take the words themselves. */
  random64(): bigint {
    const high = this.engine.next()
    return (BigInt(high) << 32n) | BigInt(this.engine.next())
  }

  /** A float32 in [0, 1): 24 bits of one word. */
  uniform_float(): number {
    return (this.engine.next() & 0xffffff) * 2 ** -24
  }

  /** A double in [0, 1): the low 53 bits of two words. */
  uniform_double(): number {
    const high = this.engine.next() & 0x1fffff
    return (high * 2 ** 32 + this.engine.next()) * 2 ** -53
  }

  /** A standard normal double by Box-Muller, which makes two at a time: every second call gives the one kept. */
  normal_double(): number {
    const kept = this.next_normal
    if (kept !== null) {
      this.next_normal = null
      return kept
    }
    const u1 = this.uniform_double()
    const u2 = this.uniform_double()
    const radius = Math.sqrt(-2 * Math.log1p(-u2))
    const theta = 2 * Math.PI * u1
    this.next_normal = radius * Math.sin(theta)
    return radius * Math.cos(theta)
  }

  /** The state as PyTorch's 5056 bytes. */
  get_state(): Uint8Array {
    const bytes = new Uint8Array(STATE_BYTES)
    const view = new DataView(bytes.buffer)
    const { fresh } = this.engine
    const { block, position } = this.engine.state()
    // Before the first draw PyTorch stands at word 0 of a block that it has yet to make.
    view.setBigUint64(0, this.#seed, true)
    view.setInt32(8, position === BLOCK ? 1 : BLOCK + 1 - position, true)
    view.setInt32(12, 1, true)
    view.setUint32(16, fresh ? 0 : position, true)
    block.forEach((word, i) => {
      view.setUint32(WORDS + 8 * i, word, true)
    })
    view.setFloat64(NORMAL, this.next_normal ?? 0, true)
    view.setInt32(NORMAL_VALID, this.next_normal === null ? 0 : 1, true)
    view.setFloat32(FLOAT_NORMAL, this.#next_float_normal ?? 0, true)
    view.setUint8(FLOAT_NORMAL_VALID, this.#next_float_normal === null ? 0 : 1)
    return bytes
  }

  /**
   * Continues from bytes that `get_state` gave, here or in PyTorch, or from a uint8 tensor of them. Throws RuntimeError
   * for anything else.
   */
  set_state(state: Uint8Array | { numpy(): ArrayLike<unknown> }): this {
    const bytes = state instanceof Uint8Array ? state : state.numpy()
    if (!(bytes instanceof Uint8Array)) throw new TypeError('RNG state must be a torch.ByteTensor')
    if (bytes.length !== STATE_BYTES) {
      throw new RuntimeError(
        `Expected a CPUGeneratorImplState of size ${STATE_BYTES} but found the input RNG state size to be ` +
          `${bytes.length}`,
      )
    }
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    const left = view.getInt32(8, true)
    const next = view.getUint32(16, true)
    if (view.getInt32(12, true) === 0 || left <= 0 || left > BLOCK || next > BLOCK) {
      throw new RuntimeError('Invalid mt19937 state')
    }
    const words = Uint32Array.from({ length: BLOCK }, (_, i) => view.getUint32(WORDS + 8 * i, true))
    this.#seed = view.getBigUint64(0, true)
    this.engine.restore(words, left === 1 ? BLOCK : next, left === 1 && next === 0)
    this.next_normal = view.getInt32(NORMAL_VALID, true) === 0 ? null : view.getFloat64(NORMAL, true)
    this.#next_float_normal =
      view.getUint8(FLOAT_NORMAL_VALID) === 0 ? null : view.getFloat32(FLOAT_NORMAL, true)
    return this
  }
}

/** The generator that everything draws from where none is given. Randomly seeded. */
export const default_generator: Generator = new Generator()
default_generator.manual_seed(Math.floor(Math.random() * 2 ** 53)) // crypto takes long to load
