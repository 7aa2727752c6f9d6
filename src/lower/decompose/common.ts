// What the decompositions share: the bit layout of the two float formats, powers of two, polynomials, and sums
// and products kept in two floats. All of it is arithmetic on expressions, free of branches, so that a vector
// loop stays one. Nothing here relies on a fused fma: `fma` marks where fusing is welcome. Renderers must not
// reassociate floats, nor contract a written mul and add.
import { constant, type Expr } from '../../ir/expr.ts'

type Format = {
  /** The integer type of the same size. */
  readonly bits: 'i32' | 'i64'
  /** Width of the stored significand. */
  readonly fraction: number
  readonly bias: number
  /** 1.5 * 2^fraction: adding it rounds to an integer, which stands in the low bits of the sum. */
  readonly magic: number
  readonly min_normal: number
}

const FORMATS: { readonly f32: Format; readonly f64: Format } = {
  f32: { bits: 'i32', fraction: 23, bias: 127, magic: 1.5 * 2 ** 23, min_normal: 2 ** -126 },
  f64: { bits: 'i64', fraction: 52, bias: 1023, magic: 1.5 * 2 ** 52, min_normal: 2 ** -1022 },
}

export const format = (x: Expr): Format => FORMATS[x.type as 'f32' | 'f64']

/** Picks what belongs to the float type of `x`. */
export const pick = <T>(x: Expr, values: { readonly f32: T; readonly f64: T }): T =>
  values[x.type as 'f32' | 'f64']

export const bits_of = (x: Expr): Expr => x.bitcast(format(x).bits)

/** The bits of a float constant, as a literal of the integer type of the same size. */
export function bits_of_constant(type: 'f32' | 'f64', value: number): Expr {
  const view = new DataView(new ArrayBuffer(8))
  if (type === 'f32') {
    view.setFloat32(0, value)
    return constant(view.getInt32(0), 'i32')
  }
  view.setFloat64(0, value)
  return constant(view.getBigInt64(0), 'i64')
}

/** c[0] + c[1] x + c[2] x^2 + ..., by Horner's rule. */
export const polynomial = (x: Expr, c: readonly number[]): Expr =>
  c.slice(0, -1).reduceRight((sum, coefficient) => sum.fma(x, coefficient), constant(c.at(-1)!, x.type))

/** Limits `x` to [low, high]; a NaN passes through. */
export const clamp = (x: Expr, low: number, high: number): Expr => {
  const risen = above(x, low)
  return risen.gt(high).where(constant(high, x.type), risen)
}

/** `x`, or `low` where it is less; a NaN passes through. */
export const above = (x: Expr, low: number): Expr => x.lt(low).where(constant(low, x.type), x)

/**
 * The integer n nearest to x * factor (half to even, but half up and down in turn for an odd `offset`), as a float, and
 * bits of which the lower half are those of n + offset. For |x * factor| + |offset| < 2^(fraction - 2).
 */
export function nearest_bits(
  x: Expr,
  factor: number,
  offset: number,
): { readonly float: Expr; readonly bits: Expr } {
  const { magic, bits } = format(x)
  const sum = factor === 1 ? x.add(magic + offset) : x.fma(factor, magic + offset)
  return { float: sum.sub(magic + offset), bits: sum.bitcast(bits) }
}

/**
 * The integer nearest to x * factor (half to even), as a float and as an integer plus `offset`.
 * For |x * factor| < 2^(fraction - 2).
 */
export function nearest(
  x: Expr,
  factor: number,
  offset = 0,
): { readonly float: Expr; readonly integer: Expr } {
  const { magic, bits } = format(x)
  const sum = factor === 1 ? x.add(magic) : x.fma(factor, magic)
  const origin = bits_of_constant(x.type as 'f32' | 'f64', magic)
  const shift = bits === 'i64' ? BigInt(offset) - (origin.arg as bigint) : offset - (origin.arg as number)
  return { float: sum.sub(magic), integer: sum.bitcast(bits).add(constant(shift, bits)) }
}

/** 2^n for an integer n given with the bias already added: 0 < biased < 2 bias + 1; only its lower half matters. */
export const power_of_two = (biased: Expr, type: 'f32' | 'f64'): Expr =>
  biased.shl(FORMATS[type].fraction).bitcast(type)

/**
 * x * 2^n, rounded once and with gradual underflow, for 1/2 <= |x| < 4 and any n that a product of two normal
 * powers of two can reach. `n` is given plus twice the bias, in the lower half of its bits.
 */
export function scale(x: Expr, n: Expr): Expr {
  const half = n.ushr(1)
  const type = x.type as 'f32' | 'f64'
  return x.mul(power_of_two(half, type)).mul(power_of_two(n.sub(half), type))
}

/** A number as the unevaluated sum of two floats, |lo| <= ulp(hi) / 2 or so. */
export type Double = { readonly hi: Expr; readonly lo: Expr }

/** a + b exactly, for |a| >= |b| or a = 0 (Dekker). */
export function fast_two_sum(a: Expr, b: Expr): Double {
  const hi = a.add(b)
  return { hi, lo: b.sub(hi.sub(a)) }
}

/** a + b exactly (Knuth). */
export function two_sum(a: Expr, b: Expr): Double {
  const hi = a.add(b)
  const b_part = hi.sub(a)
  return { hi, lo: a.sub(hi.sub(b_part)).add(b.sub(b_part)) }
}

/** x as a sum of two halves of the significand each; products of such halves are exact. */
export function split(x: Expr): Double {
  const { bits } = format(x)
  const low = bits === 'i32' ? 12 : 27
  const mask = bits === 'i32' ? constant(-(2 ** low), bits) : constant(-(1n << BigInt(low)), bits)
  const hi = x.bitcast(bits).and(mask).bitcast(x.type)
  return { hi, lo: x.sub(hi) }
}

/** a * b exactly, unless it under- or overflows (Dekker). */
export function two_product(a: Expr, b: Expr): Double {
  const x = split(a)
  const y = a === b ? x : split(b)
  const hi = a.mul(b)
  const lo = x.hi.mul(y.hi).sub(hi).add(x.hi.mul(y.lo)).add(x.lo.mul(y.hi)).add(x.lo.mul(y.lo))
  return { hi, lo }
}
