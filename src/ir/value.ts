// Scalars of the kernel IR as JavaScript values, and how they convert: what constant folding and the interpreter
// compute with. Not here: operations (ir/prims.ts), or how dtypes are laid out in memory (base/element.ts).
import type { ScalarType } from './types.ts'

/** A scalar as JavaScript has it: a boolean for bool, a bigint for i64, else a number. */
export type Value = number | bigint | boolean

/** Rounds or wraps the result of an exact operation to what `type` holds. */
export function narrow(type: ScalarType, x: Value): Value {
  switch (type) {
    case 'f32':
      return Math.fround(x as number)
    case 'i32':
      return (x as number) | 0
    case 'i64':
      return BigInt.asIntN(64, x as bigint)
    case 'index':
      return (x as number) + 0 // an index has no -0
    default:
      return x
  }
}

const LOWEST_I32 = -(2 ** 31)
const LOWEST_I64 = -(2n ** 63n)

/**
 * Value conversion as in C: towards zero, integers wrap, anything but 0 is true. A float that the integer type cannot
 * hold (or NaN) becomes the type's lowest value, as on x86 and so in PyTorch.
 */
export function convert(x: Value, from: ScalarType, to: ScalarType): Value {
  if (from === to) return x
  const float = from === 'f32' || from === 'f64'
  switch (to) {
    case 'bool':
      return typeof x === 'bigint' ? x !== 0n : x !== 0
    case 'i32':
      if (typeof x === 'bigint') return Number(BigInt.asIntN(32, x))
      if (!float) return Number(x) | 0
      return (x as number) > LOWEST_I32 - 1 && (x as number) < 2 ** 31
        ? Math.trunc(x as number) | 0
        : LOWEST_I32
    case 'i64':
      if (!float) return BigInt.asIntN(64, BigInt(x)) // an index may be past it
      return (x as number) >= -(2 ** 63) && (x as number) < 2 ** 63
        ? BigInt(Math.trunc(x as number))
        : LOWEST_I64
    case 'index':
      return float ? Number(convert(x, from, 'i64')) : Number(x)
    case 'f32':
      return typeof x === 'bigint' ? bigint_to_f32(x) : Math.fround(Number(x))
    case 'f64':
      return Number(x)
    default:
      throw new TypeError(`${to} is a pair of floats, not one value`)
  }
}

/** Rounded once: by way of a double, a bigint just beside a tie would be rounded twice. */
function bigint_to_f32(x: bigint): number {
  const double = Number(x)
  const single = Math.fround(double)
  if (BigInt(double) === x || single === double) return single
  // round to odd: move an inexact double off the tie, towards x
  const bits = new BigInt64Array(new Float64Array([double]).buffer)
  if ((bits[0]! & 1n) === 0n) bits[0]! += BigInt(double) < x === double > 0 ? 1n : -1n
  return Math.fround(new Float64Array(bits.buffer)[0]!)
}

const bytes = new DataView(new ArrayBuffer(8))

/** The same bits read as another type of the same size: f32 with i32, f64 with i64. */
export function reinterpret(x: Value, from: ScalarType, to: ScalarType): Value {
  if (from === 'f32' && to === 'i32') {
    bytes.setFloat32(0, x as number)
    return bytes.getInt32(0)
  }
  if (from === 'i32' && to === 'f32') {
    bytes.setInt32(0, x as number)
    return bytes.getFloat32(0)
  }
  if (from === 'f64' && to === 'i64') {
    bytes.setFloat64(0, x as number)
    return bytes.getBigInt64(0)
  }
  if (from === 'i64' && to === 'f64') {
    bytes.setBigInt64(0, x as bigint)
    return bytes.getFloat64(0)
  }
  if (from === to) return x
  throw new TypeError(`the bits of ${from} cannot be read as ${to}`)
}
