/**
 * Filling typed arrays with random numbers from the stream of a Generator: PyTorch's numbers, drawn in its order.
 * normal.ts has the normal distribution, discrete.ts multinomial, Poisson and binomial.
 *
 * `out` holds the elements of a tensor in the order in which PyTorch draws them, which is the order of memory: the
 * dimension of the smallest stride varies fastest. The tensor layer fills a copy where a tensor has gaps. Each function
 * checks its arguments before it draws or writes. Where a transform is one of log, tan and exp in double precision,
 * float64 results may differ from PyTorch's in the last bit (the C library's log is not V8's); uniform, integer,
 * bernoulli and permuted ones never do.
 */

import type { DType, TypedArray } from './dtype.ts'
import {
  bfloat16,
  bool,
  finfo,
  float_to_bfloat16,
  float_to_half,
  float16,
  float32,
  float64,
  iinfo,
  int64,
  to_real_dtype,
  write_element,
} from './dtype.ts'
import { RuntimeError } from './errors.ts'
import { general } from './format.ts'
import type { Generator } from './generator.ts'
import { bfloat16_to_float, half_to_float } from './half.ts'
import { fma, fma_float } from './rounding.ts'

/** Throws PyTorch's error for a dtype that `kernel` has no code for. */
export function not_implemented(kernel: string, dtype: DType): never {
  throw new RuntimeError(`"${kernel}" not implemented for '${dtype.tensor_type.replace('Tensor', '')}'`)
}

function check_floating(kernel: string, dtype: DType): void {
  if (!dtype.is_floating_point) not_implemented(kernel, dtype)
}

// ---------------------------------------------------------------------------------------------- uniform

/**
 * Uniform in [from, to), for floating-point and complex dtypes: 24 bits a float32, 53 a float64, 11 a float16 and
 * 8 a bfloat16, scaled in the dtype's own arithmetic. Exact.
 */
export function fill_uniform(g: Generator, out: TypedArray, dtype: DType, from = 0, to = 1): void {
  dtype = to_real_dtype(dtype)
  check_floating('check_uniform_bounds', dtype)
  const { max } = finfo(dtype)
  check_bounds(from, 'from', -max, max, dtype)
  check_bounds(to, 'to', -max, max, dtype)
  if (from > to) {
    throw new RuntimeError(
      `uniform_ expects to return a [from, to) range, but found from=${general(from)} > to=${general(to)}`,
    )
  }
  if (to - from > max) {
    throw new RuntimeError(
      `uniform_ expects to-from <= std::numeric_limits<${dtype.tensor_type.replace('Tensor', '')}>::max(), ` +
        `but found to=${general(to)} and from=${general(from)} which result in to-from to exceed the limit`,
    )
  }
  if (dtype === float32) {
    const array = out as Float32Array
    const low = Math.fround(from)
    const width = Math.fround(Math.fround(to) - low)
    in_blocks(g, out.length, 1, (words, at, n) => {
      if (low === 0) for (let i = 0; i < n; i++) array[at + i] = unit_float(words, i) * width
      else for (let i = 0; i < n; i++) array[at + i] = fma_float(unit_float(words, i), width, low)
    })
  } else if (dtype === float64) {
    const array = out as Float64Array
    const width = to - from
    in_blocks(g, out.length, 2, (words, at, n) => {
      if (from === 0) for (let i = 0; i < n; i++) array[at + i] = unit_double(words, i) * width
      else for (let i = 0; i < n; i++) array[at + i] = fma(unit_double(words, i), width, from)
    })
  } else {
    const array = out as Uint16Array
    const { encode, round, digits } = short_float(dtype)
    const low = round(from)
    const width = round(round(to) - low)
    const mask = 2 ** digits - 1
    for (let i = 0; i < array.length; i++) {
      array[i] = encode(fma_float((g.random() & mask) / (mask + 1), width, low))
    }
  }
}

const block = new Uint32Array(2048)

/** Calls `fill(words, at, n)` for one stretch of `total` elements after another, with `per` words for each of them. */
function in_blocks(
  g: Generator,
  total: number,
  per: 1 | 2,
  fill: (words: Uint32Array, at: number, n: number) => void,
): void {
  const most = block.length / per
  for (let at = 0; at < total; at += most) {
    const n = Math.min(most, total - at)
    const words = block.subarray(0, n * per)
    g.random_words(words)
    fill(words, at, n)
  }
}

// A float32 in [0, 1) from word i, a double from words 2i and 2i + 1.
function unit_float(words: Uint32Array, i: number): number {
  return ((words[i] as number) & 0xffffff) * 2 ** -24
}

function unit_double(words: Uint32Array, i: number): number {
  return (((words[2 * i] as number) & 0x1fffff) * 2 ** 32 + (words[2 * i + 1] as number)) * 2 ** -53
}

/** The arithmetic of float16 and bfloat16: to their bits, to the nearest value, and how many digits that has. */
export interface ShortFloat {
  readonly encode: (x: number) => number
  readonly decode: (bits: number) => number
  readonly round: (x: number) => number
  readonly digits: number
}

const half_arithmetic: ShortFloat = {
  encode: float_to_half,
  decode: half_to_float,
  round: x => half_to_float(float_to_half(x)),
  digits: 11,
}

const bfloat16_arithmetic: ShortFloat = {
  encode: float_to_bfloat16,
  decode: bfloat16_to_float,
  round: x => bfloat16_to_float(float_to_bfloat16(x)),
  digits: 8,
}

export function short_float(dtype: DType): ShortFloat {
  return dtype === float16 ? half_arithmetic : bfloat16_arithmetic
}

// ---------------------------------------------------------------------------------------------- integers

/**
 * Whole numbers in [from, to), or [from, the dtype's greatest] without `to`; without both, all that are not negative
 * (for floats: [0, 2^digits]), as `random_` and `randint` draw them. For bool, integral and floating dtypes. Exact.
 */
export function fill_random(
  g: Generator,
  out: TypedArray,
  dtype: DType,
  from?: number | bigint | null,
  to?: number | bigint | null,
): void {
  if (from === undefined || from === null) {
    fill_unbounded(g, out, dtype)
  } else if ((to === undefined || to === null) && BigInt(from) === INT64_MIN) {
    fill_full_range(g, out, dtype)
  } else {
    const [low, last] = random_bounds(BigInt(from), to, dtype)
    const range = last - low + 1n
    const one_word = range < 2n ** 32n || (dtype !== int64 && !dtype.is_floating_point) || dtype === float16
    if (one_word && Number.isSafeInteger(Number(low)) && Number.isSafeInteger(Number(last))) {
      fill_words(g, out, dtype, Number(range), Number(low))
    } else {
      for (let i = 0; i < out.length; i++) {
        const drawn = one_word ? BigInt(g.random()) : g.random64()
        write_int64(out, dtype, i, (drawn % range) + low)
      }
    }
  }
}

const INT64_MIN = -(2n ** 63n)

/** The least and the greatest number that `random_` may draw for these arguments. Throws where there is none. */
function random_bounds(from: bigint, to: number | bigint | null | undefined, dtype: DType): [bigint, bigint] {
  if (dtype.is_complex) {
    throw new RuntimeError('check_random_bounds handles only integral, floating-point and boolean types')
  }
  const bounded = to !== undefined && to !== null
  let low = from
  let end = bounded ? BigInt(to) : greatest_drawn(dtype) + 1n
  if (bounded && low >= end) {
    throw new RuntimeError(`random_ expects 'from' to be less than 'to', but got from=${low} >= to=${end}`)
  }
  if (dtype.is_floating_point) {
    low = next_representable(low, 1n, dtype)
    if (bounded) end = next_representable(end, -1n, dtype)
    if (bounded && low >= end) {
      throw new RuntimeError(
        "random_ expects 'from' casted to dtype to be less than 'to' casted to dtype, " +
          `but got from=${low} >= to=${end}`,
      )
    }
    if (!bounded && low >= end - 1n) {
      throw new RuntimeError(
        "random_ expects 'from' casted to dtype to be less than or equal to 'to_inc' casted to dtype, " +
          `but got from=${low} > to_inc=${end - 1n}`,
      )
    }
  }
  const [min, max] = bounds_of(dtype)
  check_bounds(low, 'from', min, max, dtype)
  check_bounds(end - 1n, 'to - 1', min, max, dtype)
  return [low, end - 1n]
}

// word % range + base for each element, where doubles hold that exactly.
function fill_words(g: Generator, out: TypedArray, dtype: DType, range: number, base: number): void {
  const small = base >= -(2 ** 31) && base + range <= 2 ** 31 && range < 2 ** 31
  in_blocks(g, out.length, 1, (words, at, n) => {
    const values = small ? remainders(words, range, base) : new Float64Array(n)
    if (!small) for (let i = 0; i < n; i++) values[i] = ((words[i] as number) % range) + base
    write_integers(out, dtype, at, values)
  })
}

// The same in integer arithmetic, which is several times as fast.
function remainders(words: Uint32Array, range: number, base: number): Int32Array {
  const values = new Int32Array(words.length)
  const divisor = range >>> 0
  const first = base | 0
  for (let i = 0; i < words.length; i++) values[i] = (((words[i] as number) >>> 0) % divisor) + first
  return values
}

// Whole numbers to the elements from `at` on.
function write_integers(out: TypedArray, dtype: DType, at: number, values: Float64Array | Int32Array): void {
  const n = values.length
  if (dtype === int64) {
    // As two words an element: a tenth of what bigints cost.
    const words = new Int32Array(out.buffer, out.byteOffset + 8 * at, 2 * n)
    for (let i = 0; i < n; i++) {
      const value = values[i] as number
      words[2 * i] = value
      words[2 * i + 1] = values instanceof Int32Array ? value >> 31 : Math.floor(value / 2 ** 32)
    }
  } else if (dtype === float16 || dtype === bfloat16) {
    for (let i = 0; i < n; i++) write_element(out, dtype, at + i, values[i] as number)
  } else {
    const array = out as Exclude<TypedArray, BigInt64Array>
    array.set(values, at)
  }
}

// An int64 as C casts it to the dtype.
function write_int64(out: TypedArray, dtype: DType, i: number, value: bigint): void {
  write_element(out, dtype, i, dtype === int64 ? BigInt.asIntN(64, value) : Number(value))
}

function fill_unbounded(g: Generator, out: TypedArray, dtype: DType): void {
  if (dtype.is_complex) not_implemented('random_kernel_cpu', dtype)
  if (dtype === int64 || dtype === float64) {
    const range = greatest_drawn(dtype) + 1n
    for (let i = 0; i < out.length; i++) write_int64(out, dtype, i, g.random64() % range)
  } else {
    fill_words(g, out, dtype, Number(greatest_drawn(dtype)) + 1, 0)
  }
}

function fill_full_range(g: Generator, out: TypedArray, dtype: DType): void {
  if (dtype !== int64 && dtype !== float64 && dtype !== float32 && dtype !== bfloat16) {
    throw new RuntimeError(
      'random_full_64_bits_range_kernel_cpu handles only int64, double, float and bfloat16',
    )
  }
  for (let i = 0; i < out.length; i++) write_int64(out, dtype, i, BigInt.asIntN(64, g.random64()))
}

// Binary digits that a floating-point number has.
function digits_of(dtype: DType): number {
  return 1 - Math.log2(finfo(dtype).eps)
}

// The greatest number that is drawn where no bound is given: of the whole numbers that a float has without gaps.
function greatest_drawn(dtype: DType): bigint {
  if (dtype.is_floating_point) return 2n ** BigInt(digits_of(dtype))
  return dtype === bool ? 1n : BigInt(iinfo(dtype).max)
}

function bounds_of(dtype: DType): [lowest: number | bigint, greatest: number | bigint] {
  if (dtype.is_floating_point) return [finfo(dtype).min, finfo(dtype).max]
  return dtype === bool ? [0, 1] : [iinfo(dtype).min, iinfo(dtype).max]
}

/**
 * A bound that rounding to the dtype keeps: where the number next to it on the inside (`step` away) would round to it
 * or beyond, the next number inwards that the dtype has.
 */
function next_representable(bound: bigint, step: 1n | -1n, dtype: DType): bigint {
  const inner = bound + step
  const rounded = dtype === float64 ? Number(inner) : dtype === float32 ? Math.fround(Number(inner)) : null
  const value = rounded ?? short_float(dtype).round(Number(inner))
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

function check_bounds(
  value: number | bigint,
  name: string,
  min: number | bigint,
  max: number | bigint,
  dtype: DType,
): void {
  if (!(value >= min && value <= max)) {
    throw new RuntimeError(`${name} is out of bounds for ${cpp_names[dtype.name] ?? dtype.name}`)
  }
}

/** A random permutation of 0 to out.length - 1, for integral and floating dtypes. Exact. */
export function fill_randperm(g: Generator, out: TypedArray, dtype: DType): void {
  if (dtype === bool || dtype.is_complex) not_implemented('randperm', dtype)
  const n = out.length
  if (dtype.is_floating_point) {
    const limit = 2 ** digits_of(dtype) + 1
    if (n > limit && dtype !== bfloat16) {
      const type = dtype.tensor_type.replace('Tensor', '')
      throw new RuntimeError(`n cannot be greater than ${limit} for ${type} type.`)
    }
  } else if (n > greatest_drawn(dtype) + 1n) {
    throw new RuntimeError(`value cannot be converted to type ${dtype.name}_t without overflow`)
  }
  const order = Int32Array.from({ length: n }, (_, i) => i)
  for (let i = 0; i < n - 1; i++) {
    const j = i + (g.random() % (n - i))
    const taken = order[j] as number
    order[j] = order[i] as number
    order[i] = taken
  }
  write_integers(out, dtype, 0, order)
}

// ---------------------------------------------------------------------------------------------- bernoulli

/** 1 with probability `p`, else 0, for every dtype but the complex ones. Exact. */
export function fill_bernoulli(g: Generator, out: TypedArray, dtype: DType, p: number): void {
  if (!(p >= 0 && p <= 1)) {
    throw new RuntimeError(`bernoulli_ expects p to be in [0, 1], but got p=${general(p)}`)
  }
  if (dtype.is_complex) not_implemented('bernoulli_scalar_cpu_', dtype)
  const one = dtype === float16 ? 0x3c00 : dtype === bfloat16 ? 0x3f80 : 1
  in_blocks(g, out.length, 2, (words, at, n) => {
    if (dtype === int64) {
      const array = out as BigInt64Array
      for (let i = 0; i < n; i++) array[at + i] = unit_double(words, i) < p ? 1n : 0n
    } else {
      const array = out as Exclude<TypedArray, BigInt64Array>
      for (let i = 0; i < n; i++) array[at + i] = unit_double(words, i) < p ? one : 0
    }
  })
}

/**
 * 1 with the probability at the same place in `p`, else 0: `p` as plain numbers that came from `p_dtype`, of which
 * float64 draws 53 bits an element and the others 24. Exact.
 */
export function fill_bernoulli_from(
  g: Generator,
  out: TypedArray,
  dtype: DType,
  p: ArrayLike<number>,
  p_dtype: DType,
): void {
  if (dtype.is_complex) not_implemented('bernoulli_tensor_cpu_self_', dtype)
  check_floating('bernoulli_tensor_cpu_p_', p_dtype)
  for (let i = 0; i < out.length; i++) {
    if (!((p[i] as number) >= 0 && (p[i] as number) <= 1)) {
      throw new RuntimeError(
        'Expected p_in >= 0 && p_in <= 1 to be true, but got false.  (Could this error message be improved?  ' +
          'If so, please report an enhancement request to PyTorch.)',
      )
    }
  }
  for (let i = 0; i < out.length; i++) {
    const drawn = p_dtype === float64 ? g.uniform_double() : g.uniform_float()
    write_element(out, dtype, i, drawn < (p[i] as number))
  }
}

// ---------------------------------------------------------------------------------------------- transforms of doubles

function fill_each(out: TypedArray, dtype: DType, sample: () => number): void {
  for (let i = 0; i < out.length; i++) write_element(out, dtype, i, sample())
}

/** Exponential with rate `lambda`, for floating dtypes. */
export function fill_exponential(g: Generator, out: TypedArray, dtype: DType, lambda = 1): void {
  if (!(lambda >= 0)) {
    throw new RuntimeError(`exponential_ expects lambda >= 0.0, but found lambda=${general(lambda)}`)
  }
  check_floating('exponential_cpu', dtype)
  const scale = -1 / lambda
  fill_each(out, dtype, () => scale * Math.log(1 - g.uniform_double()))
}

/** The number of trials to the first success of probability `p`, for integral and floating dtypes. */
export function fill_geometric(g: Generator, out: TypedArray, dtype: DType, p: number): void {
  if (!(p > 0 && p < 1)) {
    throw new RuntimeError(`geometric_ expects p to be in (0, 1), but got p=${general(p)}`)
  }
  if (dtype === bool || dtype.is_complex) not_implemented('geometric_cpu', dtype)
  const log_failure = Math.log(1 - p)
  fill_each(out, dtype, () => Math.ceil(Math.log(g.uniform_double()) / log_failure))
}

/** Cauchy, for floating dtypes. */
export function fill_cauchy(g: Generator, out: TypedArray, dtype: DType, median = 0, sigma = 1): void {
  check_floating('cauchy_cpu', dtype)
  if (!(sigma > 0)) {
    throw new RuntimeError(`cauchy_ expects sigma > 0.0, but found sigma=${general(sigma)}`)
  }
  fill_each(out, dtype, () => fma(sigma, Math.tan(Math.PI * (g.uniform_double() - 0.5)), median))
}

/** exp of a normal of this mean and standard deviation, for floating dtypes. */
export function fill_log_normal(g: Generator, out: TypedArray, dtype: DType, mean = 1, std = 2): void {
  if (!(std > 0)) {
    throw new RuntimeError(`log_normal_ expects std > 0.0, but found std=${general(std)}`)
  }
  check_floating('log_normal_cpu', dtype)
  fill_each(out, dtype, () => Math.exp(fma(g.normal_double(), std, mean)))
}
