// Operands whose elements lie far apart, such as one column of a wide matrix: only the runs of adjacent elements are
// copied, not what lies between. Not here: which operands are copied so (stage.ts).
import type { Operand } from '../device.ts'
import type { LinearMemory } from './memory.ts'

/** Where an operand's elements are: `length` bytes at every combination of steps from `start`, all in bytes. */
export type Runs = {
  readonly start: number
  readonly length: number
  readonly sizes: readonly number[]
  readonly steps: readonly number[]
}

/** Runs up to so many words are copied word by word. */
const SHORT = 32

/** The runs of an operand, or of elements `begin` to `end` of its dimension `slice`. */
export function runs_of(o: Operand, slice: number, begin: number, end: number): Runs {
  const { itemsize } = o.dtype
  let first = o.offset
  let length = itemsize
  const sizes: number[] = []
  const steps: number[] = []
  for (let d = o.sizes.length - 1; d >= 0; d--) {
    const stride = o.strides[d]!
    const size = d === slice ? end - begin : o.sizes[d]!
    if (d === slice) first += begin * stride
    if (stride === 0 || size === 1) continue
    if (sizes.length === 0 && stride * itemsize === length) length *= size
    else {
      sizes.unshift(size)
      steps.unshift(stride * itemsize)
    }
  }
  return { start: o.memory.byte_offset + first * itemsize, length, sizes, steps }
}

/** Copies the runs between `buffer` and the memory, where byte `low` of the buffer is at `address`. */
export function copy_runs(
  memory: LinearMemory,
  runs: Runs,
  buffer: ArrayBufferLike,
  low: number,
  address: number,
  to_memory: boolean,
): void {
  const { length, sizes, steps } = runs
  const shift = address - low
  const in_words = ((runs.start | length | shift) & 3) === 0 && steps.every(s => (s & 3) === 0)
  const unit = in_words ? 4 : 1
  const outside = in_words
    ? new Int32Array(buffer, 0, Math.floor(buffer.byteLength / 4))
    : new Uint8Array(buffer)
  const inside = in_words ? memory.i32 : memory.bytes
  const [source, target] = to_memory ? [outside, inside] : [inside, outside]
  const move = (to_memory ? shift : -shift) / unit
  const count = length / unit
  const copy = (at: number): void => {
    const from = (to_memory ? at : at + shift) / unit
    if (count > SHORT) target.set(source.subarray(from, from + count), from + move)
    else for (let i = from; i < from + count; i++) target[i + move] = source[i]!
  }
  const go = (d: number, at: number): void => {
    if (d === sizes.length) copy(at)
    else for (let i = 0; i < sizes[d]!; i++) go(d + 1, at + i * steps[d]!)
  }
  go(0, runs.start)
}
