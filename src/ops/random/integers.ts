// Whole numbers in a range, and permutations. Exact on every device. Not here: the ops (../random.ts, ../random_fill.ts).
import {
  bfloat16,
  bool,
  type DType,
  finfo,
  float16,
  float32,
  float64,
  iinfo,
  int32,
  int64,
} from '../../base/dtype.ts'
import { RuntimeError } from '../../base/errors.ts'
import type { Generator } from '../../base/generator.ts'
import { round_to } from '../../base/rounding.ts'
import type { Operand } from '../../device/device.ts'
import type { Expr } from '../../ir/expr.ts'
import type { View } from '../../ir/kernel.ts'
import { empty, kernels } from '../../tensor/dispatch.ts'
import { scalar_name } from '../define/out.ts'
import { not_implemented } from '../define/rules.ts'
import { draw, unsigned, word_at } from './words.ts'

type Bound = number | bigint
const INT64_MIN = -(2n ** 63n)

/**
 * Fills with whole numbers in [from, to), or [from, the dtype's greatest] without `to`; without both, all that are not
 * negative (for floats: [0, 2^digits]). For bool, integral and floating dtypes.
 */
export function fill_random(g: Generator, out: Operand, from?: Bound | null, to?: Bound | null): void {
  const { dtype } = out
  if (from === undefined || from === null) {
    fill_unbounded(g, out)
  } else if ((to === undefined || to === null) && BigInt(from) === INT64_MIN) {
    fill_full_range(g, out)
  } else {
    const [low, last] = random_bounds(BigInt(from), to, dtype)
    const range = last - low + 1n
    const one_word = range < 2n ** 32n || (dtype !== int64 && !dtype.is_floating_point) || dtype === float16
    if (one_word && is_safe(low) && is_safe(last)) fill_words(g, out, Number(range), Number(low))
    else fill_longs(g, out, one_word ? 1 : 2, range, low)
  }
}

const is_safe = (x: bigint): boolean => Number.isSafeInteger(Number(x))

/** The remainder of a word by a range of at most 2^32, both exact in f64: the quotient may be off by one. */
function remainder(word: Expr, range: Expr, inverse: Expr): Expr {
  const x = unsigned(word)
  const rest = x.sub(x.mul(inverse).floor().mul(range))
  const raised = rest.lt(0).where(rest.add(range), rest)
  return raised.ge(range).where(raised.sub(range), raised)
}

const words_kernel = kernels('random_words', (k, dtype: DType, small: boolean) => {
  const words = k.input('words', int32, 'flat')
  const out = k.output('out', dtype, 'flat')
  const [range, inverse, low] = [k.value('range', 'f64'), k.value('inverse', 'f64'), k.value('low', 'f64')]
  k.for(out.sizes[0]!, 'vector', i => {
    const value = remainder(word_at(words, i), range, inverse).add(low)
    // there are vectors of conversions to 32 bits, rarely to 64
    k.store(out, [i], (small ? value.cast('i32') : value).cast(out.type))
  })
})

function fill_words(g: Generator, out: Operand, range: number, low: number): void {
  const small = low >= -(2 ** 31) && low + range <= 2 ** 31
  draw(g, 1, words_kernel(out.dtype, small), [out], [range, 1 / range, low])
}

/** The i-th number of 64 bits: the high word comes first. */
const long_at = (words: View, i: Expr): Expr =>
  word_at(words, i.mul(2))
    .cast('i64')
    .shl(32)
    .or(low_bits(word_at(words, i.mul(2).add(1))))
const low_bits = (word: Expr): Expr => word.cast('i64').and(0xffffffff)

const not_below = (a: Expr, b: Expr): Expr => a.xor(INT64_MIN).ge(b.xor(INT64_MIN))

/** a mod b of the bits of i64 read without a sign. */
function unsigned_remainder(a: Expr, b: Expr): Expr {
  const quotient = a.ushr(1).truncdiv(b).shl(1)
  const rest = b.lt(0).where(a, a.sub(quotient.mul(b)))
  return not_below(rest, b).where(rest.sub(b), rest)
}

const longs_kernel = kernels('random_longs', (k, dtype: DType, per: number) => {
  const words = k.input('words', int32, 'flat')
  const out = k.output('out', dtype, 'flat')
  const [range, low] = [k.value('range', 'i64'), k.value('low', 'i64')]
  k.for(out.sizes[0]!, 'vector', i => {
    const drawn = per === 1 ? low_bits(word_at(words, i)) : long_at(words, i)
    k.store(out, [i], unsigned_remainder(drawn, range).add(low).cast(out.type))
  })
})

function fill_longs(g: Generator, out: Operand, per: 1 | 2, range: bigint, low: bigint): void {
  draw(g, per, longs_kernel(out.dtype, per), [out], [BigInt.asIntN(64, range), low])
}

const masked_kernel = kernels('random_bits', (k, dtype: DType) => {
  const words = k.input('words', int32, 'flat')
  const out = k.output('out', dtype, 'flat')
  const mask = k.value('mask', 'i64')
  k.for(out.sizes[0]!, 'vector', i => k.store(out, [i], long_at(words, i).and(mask).cast(out.type)))
})

function fill_unbounded(g: Generator, out: Operand): void {
  const { dtype } = out
  if (dtype.is_complex) not_implemented('random_kernel_cpu', dtype)
  if (dtype === int64) draw(g, 2, masked_kernel(dtype), [out], [2n ** 63n - 1n])
  else if (dtype === float64) fill_longs(g, out, 2, greatest_drawn(dtype) + 1n, 0n)
  else fill_words(g, out, Number(greatest_drawn(dtype)) + 1, 0)
}

function fill_full_range(g: Generator, out: Operand): void {
  const { dtype } = out
  if (dtype !== int64 && dtype !== float64 && dtype !== float32 && dtype !== bfloat16)
    throw new RuntimeError(
      'random_full_64_bits_range_kernel_cpu handles only int64, double, float and bfloat16',
    )
  draw(g, 2, masked_kernel(dtype), [out], [-1n])
}

// ---------------------------------------------------------------------------------------------- bounds

/** The least and the greatest number that `random_` may draw for these arguments. Throws where there is none. */
function random_bounds(from: bigint, to: Bound | null | undefined, dtype: DType): [bigint, bigint] {
  if (dtype.is_complex)
    throw new RuntimeError('check_random_bounds handles only integral, floating-point and boolean types')
  const bounded = to !== undefined && to !== null
  let low = from
  let end = bounded ? BigInt(to) : greatest_drawn(dtype) + 1n
  if (bounded && low >= end)
    throw new RuntimeError(`random_ expects 'from' to be less than 'to', but got from=${low} >= to=${end}`)
  if (dtype.is_floating_point) {
    low = next_representable(low, 1n, dtype)
    if (bounded) end = next_representable(end, -1n, dtype)
    if (bounded && low >= end)
      throw new RuntimeError(
        "random_ expects 'from' casted to dtype to be less than 'to' casted to dtype, " +
          `but got from=${low} >= to=${end}`,
      )
    if (!bounded && low >= end - 1n)
      throw new RuntimeError(
        "random_ expects 'from' casted to dtype to be less than or equal to 'to_inc' casted to dtype, " +
          `but got from=${low} > to_inc=${end - 1n}`,
      )
  }
  const [min, max] = bounds_of(dtype)
  check_bounds(low, 'from', min, max, dtype)
  check_bounds(end - 1n, 'to - 1', min, max, dtype)
  return [low, end - 1n]
}

/** Binary digits that a floating-point number has. */
const digits_of = (dtype: DType): number => 1 - Math.log2(finfo(dtype).eps)

/** The greatest number that is drawn where no bound is given: of the whole numbers that a float has without gaps. */
function greatest_drawn(dtype: DType): bigint {
  if (dtype.is_floating_point) return 2n ** BigInt(digits_of(dtype))
  return dtype === bool ? 1n : BigInt(iinfo(dtype).max)
}

function bounds_of(dtype: DType): [lowest: Bound, greatest: Bound] {
  if (dtype.is_floating_point) return [finfo(dtype).min, finfo(dtype).max]
  return dtype === bool ? [0, 1] : [iinfo(dtype).min, iinfo(dtype).max]
}

/**
 * A bound that rounding to the dtype keeps: where the number next to it on the inside (`step` away) would round to it
 * or beyond, the next number inwards that the dtype has.
 */
function next_representable(bound: bigint, step: 1n | -1n, dtype: DType): bigint {
  const inner = bound + step
  const value = round_to(dtype)(Number(inner))
  if (!Number.isFinite(value)) return bound
  const neighbour = BigInt(value)
  if (step > 0n ? neighbour >= bound : neighbour < bound) return bound
  const magnitude = inner < 0n ? -inner : inner
  const exponent = magnitude.toString(2).length - 1
  return neighbour + step * 2n ** BigInt(exponent - digits_of(dtype) + 1)
}

const cpp_names: Readonly<Record<string, string>> = {
  uint8: 'unsigned char',
  int8: 'signed char',
  int16: 'short int',
  int32: 'int',
  int64: 'long int',
  float16: 'c10::Half',
  bfloat16: 'c10::BFloat16',
  float32: 'float',
  float64: 'double',
}

/** Throws where a bound is none of the dtype's numbers. */
export function check_bounds(value: Bound, name: string, min: Bound, max: Bound, dtype: DType): void {
  if (!(value >= min && value <= max))
    throw new RuntimeError(`${name} is out of bounds for ${cpp_names[dtype.name] ?? dtype.name}`)
}

// ---------------------------------------------------------------------------------------------- permutations

/** How far ahead each place's number comes from: less than what is left from there on, `left` at the first. */
const distances = kernels('randperm_distances', k => {
  const words = k.input('words', int32, 'flat')
  const out = k.output('out', int32, 'flat')
  const left = k.value('left', 'f64')
  k.for(out.sizes[0]!, 'vector', i => {
    const x = unsigned(word_at(words, i))
    const range = left.sub(i.cast('f64'))
    k.store(out, [i], x.sub(x.div(range).floor().mul(range)).cast('i32'))
  })
})

const shuffle = kernels('randperm', (k, dtype: DType) => {
  const out = k.inout('out', dtype, 'flat')
  const distance = k.input('distance', int32, 'flat')
  k.for(out.sizes[0]!, 'vector', i => k.store(out, [i], i.cast(out.type)))
  k.for(distance.sizes[0]!, 'serial', i => {
    const from = i.add(distance.at(i).cast('index'))
    const taken = k.local(out.type, out.at(from))
    k.store(out, [from], out.at(i))
    k.store(out, [i], taken)
  })
})

/** Fills with the numbers from 0 on in a random order, for integral and floating dtypes. */
export function fill_randperm(g: Generator, out: Operand): void {
  const { dtype, count: n } = out
  if (dtype === bool || dtype.is_complex) not_implemented('randperm', dtype)
  if (dtype.is_floating_point) {
    const limit = 2 ** digits_of(dtype) + 1
    if (n > limit && dtype !== bfloat16)
      throw new RuntimeError(`n cannot be greater than ${limit} for ${scalar_name(dtype)} type.`)
  } else if (n > greatest_drawn(dtype) + 1n) {
    throw new RuntimeError(`value cannot be converted to type ${dtype.name}_t without overflow`)
  }
  if (n === 0) return
  const distance = empty([n - 1], int32)
  draw(g, 1, distances(), [distance], at => [n - at])
  shuffle(dtype)([out, distance], [])
}
