/**
 * Fused multiply-add, one rounding for a product and a sum, as the processors that PyTorch runs on have it and
 * JavaScript does not: generated numbers agree with PyTorch's to the last bit only with it. And rounding to a dtype.
 */

import type { DType } from './dtype.ts'
import { bfloat16_to_float, float_to_bfloat16, float_to_half, half_to_float } from './half.ts'

const double: Float64Array = new Float64Array(1)
const halves: Uint32Array = new Uint32Array(double.buffer)

/** The part of the exact a + b that `sum` = a + b as rounded lacks (Knuth's two-sum). */
function lost_in_sum(a: number, b: number, sum: number): number {
  const b_seen = sum - a
  return a - (sum - b_seen) + (b - b_seen)
}

/** The part of the exact a * b that `product` = a * b as rounded lacks (Dekker). */
function lost_in_product(a: number, b: number, product: number): number {
  const a_split = a * 134217729
  const a_high = a_split - (a_split - a)
  const a_low = a - a_high
  const b_split = b * 134217729
  const b_high = b_split - (b_split - b)
  const b_low = b - b_high
  return a_low * b_low - (product - a_high * b_high - a_low * b_high - a_high * b_low)
}

/** a + b rounded to odd: where inexact, to the neighbour with an odd last bit, so that a second rounding is right. */
function sum_to_odd(a: number, b: number): number {
  const sum = a + b
  const lost = lost_in_sum(a, b, sum)
  if (lost === 0 || !Number.isFinite(sum)) return sum
  double[0] = sum
  const low = halves[0] as number
  if ((low & 1) === 0) {
    // The odd neighbour on the side of what was lost: one bit up in magnitude, or one down with its borrow.
    if (lost > 0 === sum > 0) halves[0] = low + 1
    else {
      halves[0] = low - 1
      if (low === 0) halves[1] = (halves[1] as number) - 1
    }
  }
  return double[0] as number
}

/** a * b + c in doubles, rounded once (Boldo and Melquiond). Not for results near overflow or underflow. */
export function fma(a: number, b: number, c: number): number {
  const product = a * b
  const product_low = lost_in_product(a, b, product)
  const t = c + product_low
  const t_low = lost_in_sum(c, product_low, t)
  const high = product + t
  if (!Number.isFinite(high)) return product + c
  return high + sum_to_odd(t_low, lost_in_sum(product, t, high))
}

/** a * b + c in floats, rounded once. */
export function fma_float(a: number, b: number, c: number): number {
  return Math.fround(sum_to_odd(a * b, c))
}

/** To the nearest number that a floating dtype has. */
export function round_to(dtype: DType): (x: number) => number {
  switch (dtype.name) {
    case 'float16':
      return x => half_to_float(float_to_half(x))
    case 'bfloat16':
      return x => bfloat16_to_float(float_to_bfloat16(x))
    case 'float32':
      return Math.fround
    default:
      return x => x
  }
}
