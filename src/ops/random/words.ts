// The words of a generator's stream, many at a time: the recurrence of MT19937 written on by a kernel where the
// generator keeps it, and kernels that turn its words into numbers called on one stretch of them after another.
// Not here: the stream itself (base/mt19937.ts), what is made of the words (uniform.ts, normal.ts, integers.ts, ...).
import { int32, type TypedArray, to_real_dtype } from '../../base/dtype.ts'
import type { Generator } from '../../base/generator.ts'
import { BLOCK } from '../../base/mt19937.ts'
import type { Executable, LaunchValue, Operand } from '../../device/device.ts'
import { Storage } from '../../device/storage.ts'
import type { Expr } from '../../ir/expr.ts'
import type { View } from '../../ir/kernel.ts'
import { kernels } from '../../tensor/dispatch.ts'

/**
 * A word depends on none of the 226 before it. A third of a block is less, and whole vectors.
 */
const STEP = BLOCK / 3

/** Writes the words after the first block, which is known. */
const recurrence = kernels('mt19937', k => {
  const x = k.inout('words', int32, 'flat')
  const steps = x.sizes[0]!.sub(BLOCK).floordiv(STEP)
  k.for(steps, 'serial', s => {
    const start = s.mul(STEP)
    k.for(STEP, 'vector', i => {
      const at = start.add(i)
      const word = x
        .at(at)
        .and(-(2 ** 31))
        .or(x.at(at.add(1)).and(0x7fffffff))
      const twisted = word.ushr(1).xor(
        word
          .and(1)
          .neg()
          .and(0x9908b0df | 0),
      )
      k.store(x, [at.add(BLOCK)], x.at(at.add(397)).xor(twisted))
    })
  })
})

/** What MT19937 gives out for a word of its recurrence. */
function temper(word: Expr): Expr {
  const a = word.xor(word.ushr(11))
  const b = a.xor(a.shl(7).and(0x9d2c5680 | 0))
  const c = b.xor(b.shl(15).and(0xefc60000 | 0))
  return c.xor(c.ushr(18))
}

/** The i-th word of a stretch, as the 32 bits of an i32. */
export const word_at = (words: View, i: Expr): Expr => temper(words.at(i))

/** An i32 as the f64 of its bits read without a sign. */
export const unsigned = (word: Expr): Expr =>
  word
    .xor(-(2 ** 31))
    .cast('f64')
    .add(2 ** 31)

/** The i-th whole number of 53 bits, from two words, as an f64. */
export function bits53_at(words: View, i: Expr): Expr {
  const high = word_at(words, i.mul(2)).and(0x1fffff).cast('f64')
  return high.mul(2 ** 32).add(unsigned(word_at(words, i.mul(2).add(1))))
}

/** The i-th double in [0, 1). */
export const double_at = (words: View, i: Expr): Expr => bits53_at(words, i).mul(2 ** -53)

/** Words that are made at once: they stay in the cache until they are used. */
export const MOST: number = 2 ** 16

class Window implements Operand {
  memory: Storage
  offset = 0
  count = 0
  readonly sizes: number[] = [0]
  readonly strides: readonly number[] = [1]
  readonly dtype = int32

  constructor(array: Int32Array) {
    this.memory = Storage.over(array.buffer, array.byteOffset, array.byteLength)
  }

  over(offset: number, count: number): this {
    this.offset = offset
    this.count = this.sizes[0] = count
    return this
  }
}

/** The generator's words as memory that kernels take: of the generator that was used last. */
let last_array: TypedArray | undefined
let last_window: Window | undefined

function window_of(array: Int32Array): Window {
  if (last_array !== array) {
    last_array = array
    last_window = new Window(array)
  }
  return last_window as Window
}

/** The next `count` words, for one launch, which is to say how many of them it used: they are not drawn yet. */
export function peek(g: Generator, count: number): Operand {
  const { engine } = g
  const missing = engine.reserve(count)
  const window = window_of(engine.words)
  if (missing > 0) {
    recurrence()([window.over(engine.known - BLOCK, BLOCK + missing)], [])
    engine.known += missing
  }
  return window.over(engine.position, count)
}

/** The next `count` words, at most `MOST`, for one launch. */
function take(g: Generator, count: number): Operand {
  const words = peek(g, count)
  g.engine.position += count
  return words
}

/** Elements [at, at + n) of an operand without gaps, as one dimension. */
export const part = ({ memory, offset, dtype }: Operand, at: number, n: number): Operand => ({
  memory,
  offset: offset + at,
  sizes: [n],
  strides: [1],
  count: n,
  dtype,
})

/** The numbers of which a complex operand consists; others are what they are. */
export const real_parts = (x: Operand): Operand =>
  x.dtype.is_complex ? part({ ...x, dtype: to_real_dtype(x.dtype), offset: 2 * x.offset }, 0, 2 * x.count) : x

type Values = readonly LaunchValue[]

/**
 * Runs a kernel of flat operands, the first of them words and `per` of these for each element of the others, over
 * all elements, which have no gaps; `values` may depend on where a stretch of them begins. Elements stay together by 16.
 */
export function draw(
  g: Generator,
  per: number,
  kernel: Executable,
  operands: readonly Operand[],
  values: Values | ((at: number) => Values) = [],
): void {
  const total = operands[0]!.count
  const most = MOST / per
  const values_at = typeof values === 'function' ? values : () => values
  if (total <= most) {
    if (total > 0) kernel([take(g, total * per), ...operands], values_at(0))
    return
  }
  for (let at = 0; at < total; at += most) {
    const n = Math.min(most, total - at)
    kernel([take(g, n * per), ...operands.map(x => part(x, at, n))], values_at(at))
  }
}
