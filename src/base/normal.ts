/**
 * Filling typed arrays with normal numbers by the Box-Muller transform, as PyTorch's CPU kernels do it.
 *
 * PyTorch draws small and strided tensors pair by pair in double precision, and contiguous ones of 16 elements or
 * more in blocks: a block of 16 uniforms becomes 8 radii and 8 angles. For float32 it has its own log, sin and cos (the
 * polynomials of Moshier's Cephes library, in single precision with fused multiply-add); they are followed here to the
 * last bit. float64 and float16 have the C library's, and may differ in the last bit: of float64 one number in 20, of
 * float16 one in 250,000.
 */

import type { DType, TypedArray } from './dtype.ts'
import { float16, float32, float64, to_real_dtype, write_element } from './dtype.ts'
import { RuntimeError } from './errors.ts'
import { general } from './format.ts'
import type { Generator } from './generator.ts'
import { fma } from './rounding.ts'
import { fill_uniform, not_implemented, short_float } from './sampling.ts'

/**
 * Normal numbers, for floating and complex dtypes (of a complex one, both parts: the variance is shared).
 * `contiguous` tells whether the tensor to be filled is: it decides how PyTorch draws, not how `out` is laid out.
 */
export function fill_normal(
  g: Generator,
  out: TypedArray,
  dtype: DType,
  mean = 0,
  std = 1,
  contiguous = true,
): void {
  if (!(std >= 0)) throw new RuntimeError(`normal expects std >= 0.0, but found std ${general(std)}`)
  if (dtype.is_complex) std /= Math.SQRT2
  dtype = to_real_dtype(dtype)
  if (!dtype.is_floating_point) not_implemented('normal_kernel_cpu', dtype)
  if (out.length < 16 || !contiguous) {
    for (let i = 0; i < out.length; i++) write_element(out, dtype, i, fma(g.normal_double(), std, mean))
  } else if (dtype === float32) {
    const [m, s] = [Math.fround(mean), Math.fround(std)]
    fill_blocks(g, out as Float32Array, dtype, (data, at) => float_block(data, at, m, s))
  } else if (dtype === float64) {
    fill_blocks(g, out as Float64Array, dtype, (data, at) => double_block(data, at, mean, std))
  } else {
    fill_blocks(g, out as Uint16Array, dtype, (data, at) => short_block(data, at, mean, std, dtype))
  }
}

/** Uniforms, made normal block by block. Where 16 does not divide the size the last 16 are drawn anew. */
function fill_blocks<T extends TypedArray>(
  g: Generator,
  out: T,
  dtype: DType,
  transform: (data: T, at: number) => void,
): void {
  const n = out.length
  fill_uniform(g, out, dtype)
  for (let at = 0; at + 16 <= n; at += 16) transform(out, at)
  if (n % 16 !== 0) {
    fill_uniform(g, out.subarray(n - 16), dtype)
    transform(out, n - 16)
  }
}

function double_block(data: Float64Array, at: number, mean: number, std: number): void {
  for (let i = at; i < at + 8; i++) {
    const radius = Math.sqrt(-2 * Math.log(1 - (data[i] as number)))
    const theta = 2 * Math.PI * (data[i + 8] as number)
    data[i] = fma(radius * Math.cos(theta), std, mean)
    data[i + 8] = fma(radius * Math.sin(theta), std, mean)
  }
}

// float16 computes between its roundings in float32; bfloat16 rounds every step.
function short_block(data: Uint16Array, at: number, mean: number, std: number, dtype: DType): void {
  const { encode, decode, round } = short_float(dtype)
  const step = dtype === float16 ? Math.fround : round
  const m = round(mean)
  const s = round(std)
  for (let i = at; i < at + 8; i++) {
    const u1 = round(1 - decode(data[i] as number))
    const radius = round(Math.sqrt(step(-2 * step(Math.log(u1)))))
    const theta = round(2 * Math.PI * decode(data[i + 8] as number))
    const [x, y] = [step(radius * step(Math.cos(theta))), step(radius * step(Math.sin(theta)))]
    data[i] = encode(dtype === float16 ? x * s + m : step(x * s) + m)
    data[i + 8] = encode(dtype === float16 ? y * s + m : step(y * s) + m)
  }
}

// ---------------------------------------------------------------------------------------------- float32

const f = Math.fround
const SQRT_HALF = f(Math.SQRT1_2)
const TWO_PI = f(2 * Math.PI)
const FOUR_OVER_PI = f(1.27323954473516)

// log(1 + x) - x + x^2/2 over x^3, for sqrt(1/2) <= 1 + x < sqrt(2); ln 2 in two parts.
const L0 = f(7.0376836292e-2)
const L1 = f(-1.151461031e-1)
const L2 = f(1.167699874e-1)
const L3 = f(-1.2420140846e-1)
const L4 = f(1.4249322787e-1)
const L5 = f(-1.6668057665e-1)
const L6 = f(2.0000714765e-1)
const L7 = f(-2.4999993993e-1)
const L8 = f(3.3333331174e-1)
const LN2_LOW = f(-2.1219444e-4)
const LN2_HIGH = f(0.693359375)

// pi/4 in three parts; sine and cosine on [-pi/4, pi/4].
const Q1 = f(0.78515625)
const Q2 = f(2.4187564849853516e-4)
const Q3 = f(3.774894977445941e-8)
const S0 = f(-1.9515295891e-4)
const S1 = f(8.3321608736e-3)
const S2 = f(-1.6666654611e-1)
const C0 = f(2.443315711809948e-5)
const C1 = f(-1.388731625493765e-3)
const C2 = f(4.166664568298827e-2)

/** 2^(i-32): what takes a whole number with i leading zeros of 32 to [0.5, 1). */
const scale_by_zeros: Float64Array = Float64Array.from({ length: 32 }, (_, i) => 2 ** (i - 32))

/**
 * One block. f(a * b + c) is a fused multiply-add: a product of floats is exact in a double, and the two roundings of
 * the sum differ from one only where they meet a tie, about once in 10^9. Where no f stands the result is exact. There
 * are no branches: they would go either way at random.
 */
function float_block(data: Float32Array, at: number, mean: number, std: number): void {
  for (let i = at; i < at + 8; i++) {
    // 1 - u is k * 2^-24 with k a whole number: its exponent and mantissa come from the leading zeros of k.
    const k = (1 - (data[i] as number)) * 16777216
    const zeros = Math.clz32(k)
    const scaled = k * (scale_by_zeros[zeros] as number)
    const doubled = Number(scaled < SQRT_HALF)
    const e = 8 - zeros - doubled
    const x = scaled + doubled * scaled - 1
    const xx = f(x * x)
    let p = f(L0 * x + L1)
    p = f(p * x + L2)
    p = f(p * x + L3)
    p = f(p * x + L4)
    p = f(p * x + L5)
    p = f(p * x + L6)
    p = f(p * x + L7)
    p = f(p * x + L8)
    p = f(f(p * x) * xx + f(e * LN2_LOW))
    p = f(p - xx * 0.5)
    const log = f(f(x + p) + e * LN2_HIGH)
    const radius = f(Math.sqrt(-2 * log))

    const theta = f(TWO_PI * (data[i + 8] as number))
    const octant = (f(theta * FOUR_OVER_PI) + 1) & ~1
    let y = theta - octant * Q1
    y = f(y - octant * Q2)
    y = f(y - octant * Q3)
    const yy = f(y * y)
    const c = f(f(f(C0 * yy + C1) * yy + C2) * yy)
    const cos_y = f(f(c * yy - yy * 0.5) + 1)
    const s = f(f(f(S0 * yy + S1) * yy + S2) * yy)
    const sin_y = f(s * y + y)
    // Turned by quarters of a circle: an odd number of them swaps sine and cosine.
    const quarters = octant >> 1
    const odd = quarters & 1
    const sin = (1 - (quarters & 2)) * ((1 - odd) * sin_y + odd * cos_y)
    const cos = (1 - ((quarters + 1) & 2)) * ((1 - odd) * cos_y + odd * sin_y)
    data[i] = f(radius * cos) * std + mean
    data[i + 8] = f(radius * sin) * std + mean
  }
}
