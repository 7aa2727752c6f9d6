// Staging: which bytes a launch touches, and where they are in linear memory. Of what does not stay there a copy is made
// for the launch. Operands that share bytes which one of them writes share one copy, so that they see each other as they
// would in place.
// Not here: what runs on the copies (launch.ts, gemm.ts, conv.ts).
import type { Buffer } from '../../ir/kernel.ts'
import type { Operand } from '../device.ts'
import type { Storage } from '../storage.ts'
import type { LinearMemory } from './memory.ts'
import type { Residents } from './residents.ts'
import { copy_runs, type Runs, runs_of } from './runs.ts'
import { FLAT } from './slices.ts'

/** An operand is sparse when it spans so many times the bytes it has, and more than so many bytes. */
const SPARSE = 4
const SPARSE_BYTES = 4096

/** A range of an ArrayBuffer, and the address of its copy. */
class Region {
  buffer!: ArrayBufferLike
  low = 0
  high = 0
  read = false
  written = false
  /** Every byte is written before anything is read: nothing need be copied in. */
  covered = false
  /** What of the range is touched, where that is little; then only that is copied. */
  runs: Runs | null = null
  address = 0
}

/** The copies of one launch. Kept and refilled from launch to launch, as small launches must be quick. */
export class Stage {
  readonly #memory: LinearMemory
  readonly #residents: Residents
  readonly #pool: Region[] = []
  #used = 0
  /** The region of each operand; one that stays, or has no elements, has none. */
  readonly #regions: (Region | undefined)[] = []
  /** The byte offset of each operand's first element in its buffer, or its address where it has no region. */
  readonly #origins: number[] = []

  constructor(residents: Residents) {
    this.#residents = residents
    this.#memory = residents.memory
  }

  clear(): void {
    for (let i = 0; i < this.#used; i++) this.#pool[i]!.buffer = NOTHING
    this.#used = 0
    this.#regions.length = 0
    this.#origins.length = 0
  }

  /** Adds the bytes that an operand touches: of elements `begin` to `end` along dim `slice`, if it is not WHOLE. */
  add(o: Operand, access: Buffer['access'], slice: number, begin: number, end: number): void {
    const { sizes, strides } = o
    let low = o.offset
    let high = o.offset
    let count = 1
    if (slice === FLAT) {
      low += begin
      high += end - 1
      count = end - begin
    }
    for (let d = 0; slice !== FLAT && d < sizes.length; d++) {
      const stride = strides[d]!
      let n = sizes[d]!
      if (d === slice) {
        n = end - begin
        low += begin * stride
        high += begin * stride
      }
      count *= n
      if (stride < 0) low += (n - 1) * stride
      else high += (n - 1) * stride
    }
    const { memory } = o
    const { itemsize } = o.dtype
    const origin = memory.byte_offset + o.offset * itemsize
    if (count === 0) {
      this.add_nothing()
      return
    }
    const covered = access === 'out' && count === high - low + 1
    const span = (high - low + 1) * itemsize
    const runs = span > SPARSE_BYTES && high - low > SPARSE * count ? runs_of(o, slice, begin, end) : null
    const bytes_low = memory.byte_offset + low * itemsize
    this.add_bytes(memory, origin, bytes_low, bytes_low + span, access, covered, runs)
  }

  /** Adds an operand without elements. */
  add_nothing(): void {
    this.#regions.push(undefined)
    this.#origins.push(0)
  }

  /** Adds the bytes `low` to `high` of a storage's buffer; `origin` is where the operand's offset points. */
  add_bytes(
    { block }: Storage,
    origin: number,
    low: number,
    high: number,
    access: Buffer['access'],
    covered: boolean,
    runs: Runs | null = null,
  ): void {
    if (this.#residents.accepts(block)) {
      const overwrites = covered && high - low === block.nbytes
      this.#regions.push(undefined)
      this.#origins.push(origin + this.#residents.use(block, access !== 'in', overwrites))
      return
    }
    let region = (this.#pool[this.#used] ??= new Region())
    region.buffer = block.host(true)
    region.low = low
    region.high = high
    region.read = access !== 'out'
    region.written = access !== 'in'
    region.covered = covered
    region.runs = runs
    this.#origins.push(origin)
    this.#regions.push(region)
    for (let i = 0; i < this.#used; i++) {
      const other = this.#pool[i]!
      if (other === region || !shares(other, region)) continue
      this.#merge(other, region)
      region = other
    }
    if (region === this.#pool[this.#used]) this.#used++
  }

  #merge(into: Region, from: Region): void {
    into.covered &&= from.covered
    into.runs = null
    into.low = Math.min(into.low, from.low)
    into.high = Math.max(into.high, from.high)
    into.read ||= from.read
    into.written ||= from.written
    for (let i = 0; i < this.#regions.length; i++) if (this.#regions[i] === from) this.#regions[i] = into
    // an absorbed region stays in the pool, empty, if it is not the last one
    from.high = from.low = -1
    from.read = from.written = false
  }

  get bytes(): number {
    let sum = 0
    for (let i = 0; i < this.#used; i++) sum += this.#pool[i]!.high - this.#pool[i]!.low
    return sum
  }

  /** Makes the copies. */
  copy_in(): void {
    for (let i = 0; i < this.#used; i++) {
      const r = this.#pool[i]!
      const size = r.high - r.low
      if (size === 0) continue
      r.address = this.#memory.reserve(size)
      if (r.runs !== null) {
        if (r.read) copy_runs(this.#memory, r.runs, r.buffer, r.low, r.address, true)
      } else if (r.read || !r.covered) this.#memory.write(r.address, r.buffer, r.low, size)
    }
  }

  /** Copies back what may have been written. */
  copy_out(): void {
    for (let i = 0; i < this.#used; i++) {
      const r = this.#pool[i]!
      if (!r.written) continue
      if (r.runs !== null) copy_runs(this.#memory, r.runs, r.buffer, r.low, r.address, false)
      else this.#memory.read(r.address, r.buffer, r.low, r.high - r.low)
    }
  }

  /**
   * The address at which operand `i` has its offset. It may lie outside of the copy, even below 0, where only a part of
   * the operand was staged: kernels compute addresses modulo 2^32.
   */
  address(i: number): number {
    const region = this.#regions[i]
    const origin = this.#origins[i]!
    return region === undefined ? origin : region.address + origin - region.low
  }
}

const NOTHING = new ArrayBuffer(0)

/** Whether two ranges need one copy: one writes what the other touches. Reading the same twice shares it, too. */
function shares(a: Region, b: Region): boolean {
  if (a.buffer !== b.buffer) return false
  if (a.low === b.low && a.high === b.high) return true
  return (a.written || b.written) && a.low < b.high && b.low < a.high
}
