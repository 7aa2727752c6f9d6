// exp, exp2, expm1 as arithmetic. x = n ln 2 + r with |r| <= ln(2) / 2 (Cody and Waite), a minimax polynomial of
// exp(r), and a scaling by 2^n. Coefficients: scripts/minimax.sollya.
// Not here: the hyperbolic functions built on these (hyperbolic.ts).
import { constant, type Expr } from '../../ir/expr.ts'
import {
  above,
  clamp,
  format,
  nearest,
  nearest_bits,
  pick,
  polynomial,
  power_of_two,
  scale,
} from './common.ts'

/** ln 2 as a head that n * head keeps exact and a tail. */
export const LN2: { readonly f32: readonly [number, number]; readonly f64: readonly [number, number] } = {
  f32: [0.69314575, 1.4286068e-6],
  f64: [0.6931471806019545, -4.2009150726810846e-11],
}

/** exp(r) = 1 + r + r^2 q(r) on |r| <= 0.3466; relative error 2^-28 and 2^-57.9. */
const EXP = {
  f32: [0.4999999, 0.16666521, 0.041668963, 0.008368669, 0.0013782458],
  f64: [
    0.5000000000000011, 0.16666666666666424, 0.04166666666652707, 0.008333333333487052, 0.0013888888944304325,
    0.00019841269522449036, 2.4801492495636072e-5, 2.7557572329195426e-6, 2.763043895704491e-7,
    2.5004469476879477e-8,
  ],
}

/** 2^r = 1 + r q(r) on |r| <= 1/2. */
export const EXP2: { readonly f32: readonly number[]; readonly f64: readonly number[] } = {
  f32: [Math.LN2, 0.24022645, 0.05550359, 0.009618834, 0.0013391302, 0.00015241285],
  f64: [
    Math.LN2,
    0.24022650695910136,
    0.05550410866482233,
    0.009618129107592587,
    0.0013333558146358634,
    0.00015403530458754544,
    1.5252733828893326e-5,
    1.321543456316629e-6,
    1.0178076598377052e-7,
    7.073894180501247e-9,
    4.4515179738339985e-10,
  ],
}

type Reduced = {
  /** x = n ln 2 + r. */
  readonly r: Expr
  readonly n: Expr
}

/** The reduction of a moderate x; n comes as an integer plus `offset`. */
export function reduce(x: Expr, offset: number): Reduced {
  const [head, tail] = pick(x, LN2)
  const n = nearest(x, Math.LOG2E, offset)
  return { r: n.float.fma(-tail, n.float.fma(-head, x)), n: n.integer }
}

/** exp(r) - 1 for the reduced r. */
export const expm1_reduced = (r: Expr): Expr => polynomial(r, pick(r, EXP)).mul(r).fma(r, r)

/** exp(r) and the bits of n + offset, for a moderate x = n ln 2 + r. */
function mantissa(x: Expr, offset: number): { readonly value: Expr; readonly n: Expr } {
  const [head, tail] = pick(x, LN2)
  const { float, bits } = nearest_bits(x, Math.LOG2E, offset)
  const r = float.fma(-tail, float.fma(-head, x))
  return { value: polynomial(r, [1, 1, ...pick(r, EXP)]), n: bits }
}

/** exp(x) * 2^shift, for x where that neither overflows before rounding nor is needed below the clamp. */
export function exp_scaled(x: Expr, shift: number): Expr {
  const [low, high] = pick(x, { f32: [-104, 89.5], f64: [-746, 710.5] })
  const { value, n } = mantissa(clamp(x, low!, high!), 2 * format(x).bias + shift)
  return scale(value, n)
}

/** exp(x) for a range of x where powers of two that are 2^k times too large are normal floats. */
function exp_by_power(x: Expr, k: number): Expr {
  const { value, n } = mantissa(x, format(x).bias + k)
  return value.mul(power_of_two(n, x.type as 'f32' | 'f64')).mul(2 ** -k)
}

/** exp(x) for x <= 0 or NaN. */
function exp_of_negative(x: Expr): Expr {
  const [low, k] = pick(x, { f32: [-104, 64], f64: [-746, 512] })
  return exp_by_power(above(x, low!), k!)
}

/** exp(x) where it is to be added to a number of at least 1: what it is below the last digit of that does not matter. */
export function exp_to_add(x: Expr): Expr {
  const [low, high, k] = pick(x, { f32: [-42, 89.5, -64], f64: [-353, 710.5, -512] })
  return exp_by_power(clamp(x, low!, high!), k!)
}

export const exp = (x: Expr): Expr => (is_negative(x) ? exp_of_negative(x) : exp_scaled(x, 0))

/** Whether an expression cannot be greater than 0. */
function is_negative(x: Expr): boolean {
  if (x.op === 'neg') return x.src[0]!.op === 'abs'
  return x.op === 'min' && x.src.some(bound => bound.op === 'const' && Number(bound.arg) <= 0)
}

/** exp(x) + c, in which less of the exponential is needed; undefined for any other sum. */
export function exp_plus(sum: Expr): Expr | undefined {
  const [a, b] = sum.src as [Expr, Expr]
  const [e, c] = a.op === 'exp' ? [a, b] : [b, a]
  if (e.op !== 'exp' || c.op !== 'const' || !(Number(c.arg) >= 1)) return undefined
  return exp_to_add(e.src[0]!).add(c)
}

export function exp2(x: Expr): Expr {
  const [low, high] = pick(x, { f32: [-151, 129], f64: [-1076, 1025] })
  const limited = clamp(x, low!, high!)
  const n = nearest_bits(limited, 1, 2 * format(x).bias)
  const r = limited.sub(n.float)
  return scale(polynomial(r, pick(x, EXP2)).fma(r, 1), n.bits)
}

/** Without its sign for a zero: expm1(-0) comes as 0. */
export function expm1_unsigned(x: Expr): Expr {
  const { bias } = format(x)
  const [low, high] = pick(x, { f32: [-18, 88.8], f64: [-38, 709.9] })
  const { r, n } = reduce(clamp(x, low!, high!), bias - 1)
  const e = expm1_reduced(r)
  const half = power_of_two(n, x.type as 'f32' | 'f64') // 2^(n - 1): 2^n itself may overflow
  const wide = e.fma(half, half.sub(0.5))
  return n.eq(constant(bias - 1, n.type)).where(e, wide.add(wide))
}

export const expm1 = (x: Expr): Expr => expm1_unsigned(x).copysign(x)
