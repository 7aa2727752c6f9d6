// Sampling from weights, from the stream of a generator, as PyTorch's CPU kernels do. Not here: counts (counts.ts).
import type { DType, TypedArray } from '../../base/dtype.ts'
import { float16, float32, float64, read_element } from '../../base/dtype.ts'
import { RuntimeError } from '../../base/errors.ts'
import type { Generator } from '../../base/generator.ts'
import { round_to } from '../../base/rounding.ts'
import { not_implemented } from '../define/rules.ts'

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
