/**
 * The bits of the two 16-bit floating-point types, float16 and bfloat16, from and to JavaScript numbers.
 */

const scratch_float: Float32Array = new Float32Array(1)
const scratch_bits: Uint32Array = new Uint32Array(scratch_float.buffer)

function bits_of(x: number): number {
  scratch_float[0] = x
  return scratch_bits[0] as number
}

function float_of(bits: number): number {
  scratch_bits[0] = bits
  return scratch_float[0] as number
}

// Adding 2^-14 * 2^(24-10) aligns a float's mantissa so that the FPU rounds a subnormal half for us.
const SUBNORMAL_MAGIC = 0.5

/** The bits of the float16 nearest to `x` (by way of float32, ties to even, as PyTorch converts a double). */
export function float_to_half(x: number): number {
  const bits = bits_of(x)
  const sign = (bits >>> 16) & 0x8000
  const magnitude = bits & 0x7fffffff
  if (magnitude > 0x7f800000) return sign | 0x7e00
  if (magnitude >= 0x477ff000) return sign | 0x7c00
  if (magnitude < 0x38800000) return sign | (bits_of(float_of(magnitude) + SUBNORMAL_MAGIC) - 0x3f000000)
  const odd = (magnitude >>> 13) & 1
  return sign | ((magnitude - 0x38000000 + 0xfff + odd) >>> 13)
}

/** The value of a float16's bits. */
export function half_to_float(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1
  const exponent = (bits >>> 10) & 31
  const mantissa = bits & 1023
  if (exponent === 0) return sign * mantissa * 2 ** -24
  if (exponent === 31) return mantissa === 0 ? sign * Infinity : NaN
  return float_of(((bits & 0x8000) << 16) | ((exponent + 112) << 23) | (mantissa << 13))
}

/** The bits of the bfloat16 nearest to `x` (by way of float32, ties to even; NaN becomes the quiet 0x7fc0). */
export function float_to_bfloat16(x: number): number {
  if (Number.isNaN(x)) return 0x7fc0
  const bits = bits_of(x)
  return ((bits + 0x7fff + ((bits >>> 16) & 1)) >>> 16) & 0xffff
}

/** The value of a bfloat16's bits. */
export function bfloat16_to_float(bits: number): number {
  return float_of(bits << 16)
}
