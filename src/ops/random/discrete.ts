// Sampling from weights, and Poisson and binomial counts, from the stream of a generator, as PyTorch's CPU kernels do.
import type { DType, TypedArray } from '../../base/dtype.ts'
import { bfloat16, float16, float32, float64, read_element, write_element } from '../../base/dtype.ts'
import { RuntimeError } from '../../base/errors.ts'
import type { Generator } from '../../base/generator.ts'
import { round_to } from '../../base/rounding.ts'
import { not_implemented } from '../define/rules.ts'

type Round = (x: number) => number

/**
 * For each row of `categories` weights, `samples` indices drawn with those weights, into `out`, row after row. Weights
 * need not sum to 1. Without replacement a row's indices come in descending order of weight over exponential noise,
 * which `draw_noise` draws, row after row, where memory has it in another order.
 * Throws RuntimeError for negative, infinite or NaN weights and rows that sum to 0.
 */
export function fill_multinomial(
  g: Generator,
  out: BigInt64Array,
  weights: TypedArray,
  dtype: DType,
  categories: number,
  samples: number,
  replacement: boolean,
  draw_noise: (noise: TypedArray) => void,
): void {
  if (!dtype.is_floating_point) not_implemented('multinomial', dtype)
  if (samples <= 0) throw new RuntimeError('cannot sample n_sample <= 0 samples')
  if (!replacement && samples > categories) {
    throw new RuntimeError('cannot sample n_sample > prob_dist.size(-1) samples without replacement')
  }
  if (categories > 2 ** 24) throw new RuntimeError('number of categories cannot exceed 2^24')
  const rows = out.length / samples
  if (rows === 0) return
  if (dtype === float16) throw new RuntimeError('multinomial is not implemented for half on CPU')
  const values = doubles_of(weights, dtype, rows * categories)
  check_weights(values, categories, replacement)
  if (replacement) draw_with_replacement(g, out, values, dtype, categories, samples)
  else draw_without_replacement(draw_noise, out, values, dtype, categories, samples)
}

/** The first `n` numbers of an array of a floating dtype. */
function doubles_of(array: TypedArray, dtype: DType, n: number): Float64Array {
  if (dtype === float32 || dtype === float64) return new Float64Array((array as Float32Array).subarray(0, n))
  const doubles = new Float64Array(n)
  for (let i = 0; i < n; i++) doubles[i] = Number(read_element(array, dtype, i))
  return doubles
}

function check_weights(values: Float64Array, categories: number, replacement: boolean): void {
  for (let start = 0; start < values.length || start === 0; start += categories) {
    let finite = true
    let none_negative = true // and none NaN
    let some_positive = false
    for (let i = start; i < start + categories; i++) {
      const w = values[i] as number
      if (!Number.isFinite(w)) finite = false
      if (!(w >= 0)) none_negative = false
      if (w > 0) some_positive = true
    }
    if (!replacement && !(finite && none_negative))
      throw new RuntimeError('probability tensor contains either `inf`, `nan` or element < 0')
    if (!none_negative)
      throw new RuntimeError('invalid multinomial distribution (encountering probability entry < 0)')
    if (!finite)
      throw new RuntimeError(
        'invalid multinomial distribution (encountering probability entry = infinity or NaN)',
      )
    if (!some_positive) throw new RuntimeError('invalid multinomial distribution (sum of probabilities <= 0)')
  }
}

// Looks up a uniform double in the row's cumulative weights, which are summed in the weights' own dtype.
function draw_with_replacement(
  g: Generator,
  out: BigInt64Array,
  values: Float64Array,
  dtype: DType,
  categories: number,
  samples: number,
): void {
  const round = round_to(dtype)
  const cumulative = new Float64Array(categories)
  for (let start = 0, at = 0; at < out.length; start += categories) {
    let sum = 0
    for (let j = 0; j < categories; j++) {
      sum = round(sum + (values[start + j] as number))
      cumulative[j] = sum
    }
    for (let j = 0; j < categories; j++) cumulative[j] = round((cumulative[j] as number) / sum)
    cumulative[categories - 1] = 1
    for (const end = at + samples; at < end; at++)
      out[at] = BigInt(lower_bound(cumulative, g.uniform_double()))
  }
}

/** The first place whose value is not below `x`. */
function lower_bound(sorted: Float64Array, x: number): number {
  let low = 0
  let high = sorted.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((sorted[middle] as number) < x) low = middle + 1
    else high = middle
  }
  return low
}

// Weights over exponential noise are a race that each category wins in proportion to its weight.
function draw_without_replacement(
  draw_noise: (noise: TypedArray) => void,
  out: BigInt64Array,
  values: Float64Array,
  dtype: DType,
  categories: number,
  samples: number,
): void {
  const round = round_to(dtype)
  const noise = new dtype.array(values.length)
  draw_noise(noise)
  const scores = values.map((w, i) => round(w / Number(read_element(noise, dtype, i))))
  for (let row = 0; row * samples < out.length; row++) {
    const score = (j: number): number => scores[row * categories + j] as number
    const order = Int32Array.from({ length: categories }, (_, j) => j).sort(
      (a, b) => score(b) - score(a) || a - b,
    )
    for (let k = 0; k < samples; k++) out[row * samples + k] = BigInt(order[k] as number)
  }
}

// ---------------------------------------------------------------------------------------------- Poisson

/** Poisson counts of the rates in `rate`, an array of the same dtype and length as `out`, for floating dtypes. */
export function fill_poisson(g: Generator, out: TypedArray, dtype: DType, rate: TypedArray): void {
  if (!dtype.is_floating_point || dtype === float16) not_implemented('poisson_cpu', dtype)
  const rates = Float64Array.from({ length: out.length }, (_, i) => Number(read_element(rate, dtype, i)))
  if (rates.some(r => !(r >= 0))) {
    throw new RuntimeError('invalid Poisson rate, expected rate to be non-negative')
  }
  rates.forEach((r, i) => {
    write_element(out, dtype, i, poisson(g, r))
  })
}

function poisson(g: Generator, rate: number): number {
  if (rate === 0) return 0
  if (rate < 10) {
    // Uniforms multiplied until their product falls below exp(-rate) (Knuth).
    const limit = Math.exp(-rate)
    let count = 0
    for (let product = g.uniform_double(); product > limit; product *= g.uniform_double()) count++
    return count
  }
  // Transformed rejection (Hoermann 1993, PTRS).
  const root = Math.sqrt(rate)
  const b = 0.931 + 2.53 * root
  const a = -0.059 + 0.02483 * b
  const inverse_alpha = 1.1239 + 1.1328 / (b - 3.4)
  const accepted = 0.9277 - 3.6224 / (b - 2)
  for (;;) {
    const u = g.uniform_double() - 0.5
    const v = g.uniform_double()
    const us = 0.5 - Math.abs(u)
    const k = Math.floor(((2 * a) / us + b) * u + rate + 0.43)
    if (us >= 0.07 && v <= accepted) return k
    if (k < 0 || (us < 0.013 && v > us)) continue
    const left = Math.log(v) + Math.log(inverse_alpha) - Math.log(a / (us * us) + b)
    if (left <= -rate + k * Math.log(rate) - log_factorial(k)) return k
  }
}

/** log(k!): Stirling's series, with the first factorials stepped up to where it holds. */
function log_factorial(k: number): number {
  let x = k + 1
  let product = 1
  for (; x < 10; x++) product *= x
  const xx = x * x
  const tail = (1 / 12 - (1 / 360 - (1 / 1260 - 1 / 1680 / xx) / xx) / xx) / x
  return (x - 0.5) * Math.log(x) - x + 0.5 * Math.log(2 * Math.PI) + tail - Math.log(product)
}

// ---------------------------------------------------------------------------------------------- binomial

/** Binomial counts of `count` trials with probability `p`, arrays of the same dtype and length as `out`. */
export function fill_binomial(
  g: Generator,
  out: TypedArray,
  dtype: DType,
  count: TypedArray,
  p: TypedArray,
): void {
  if (!dtype.is_floating_point || dtype === float16 || dtype === bfloat16)
    not_implemented('binomial_cpu', dtype)
  for (let i = 0; i < out.length; i++) {
    const trials = Number(read_element(count, dtype, i))
    write_element(out, dtype, i, binomial(g, trials, Number(read_element(p, dtype, i)), round_to(dtype)))
  }
}

function binomial(g: Generator, count: number, p: number, round: Round): number {
  if (count <= 0 || p <= 0) return 0
  if (p >= 1) return count
  if (Number.isNaN(p)) return NaN
  const rare = p <= 0.5 ? p : round(1 - p)
  const draw = round(count * rare) >= 10 ? binomial_rejection : binomial_inversion
  const drawn = draw(g, count, rare, round)
  return p <= 0.5 ? drawn : count - drawn
}

// Adds up the trials to each success until they are used up.
function binomial_inversion(g: Generator, count: number, p: number, round: Round): number {
  const log_failure = round(Math.log1p(-p))
  let successes = 0
  for (let trials = 0; ; successes++) {
    trials += Math.ceil(Math.log(g.uniform_double()) / log_failure)
    if (trials > count) return successes
  }
}

// Transformed rejection with squeeze (Hoermann 1993, BTRS).
function binomial_rejection(g: Generator, count: number, p: number, round: Round): number {
  const mean = round(count * p)
  const deviation = round(Math.sqrt(round(mean * round(1 - p))))
  const b = 1.15 + 2.53 * deviation
  const a = -0.0873 + 0.0248 * b + 0.01 * p
  const c = mean + 0.5
  const accepted = 0.92 - 4.2 / b
  const odds = round(p / round(1 - p))
  const alpha = (2.83 + 5.1 / b) * deviation
  const mode = Math.floor(round((count + 1) * p))
  for (;;) {
    const u = g.uniform_double() - 0.5
    const v = g.uniform_double()
    const us = 0.5 - Math.abs(u)
    const k = Math.floor(((2 * a) / us + b) * u + c)
    if (k < 0 || k > count) continue
    if (us >= 0.07 && v <= accepted) return k
    const bound =
      (mode + 0.5) * Math.log((mode + 1) / (odds * (count - mode + 1))) +
      (count + 1) * Math.log((count - mode + 1) / (count - k + 1)) +
      (k + 0.5) * Math.log((odds * (count - k + 1)) / (k + 1)) +
      stirling_tail(mode) +
      stirling_tail(count - mode) -
      stirling_tail(k) -
      stirling_tail(count - k)
    if (Math.log((v * alpha) / (a / (us * us) + b)) <= bound) return k
  }
}

/** log(k!) less Stirling's formula for it. */
function stirling_tail(k: number): number {
  if (k < 10) return log_factorial(k) - ((k + 0.5) * Math.log(k + 1) - (k + 1) + 0.5 * Math.log(2 * Math.PI))
  const square = (k + 1) * (k + 1)
  return (1 / 12 - (1 / 360 - 1 / 1260 / square) / square) / (k + 1)
}
