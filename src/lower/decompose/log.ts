// log, log2, log10, log1p as arithmetic. x = 2^k (1 + f) with sqrt(1/2) <= 1 + f < sqrt(2), and with
// s = f / (2 + f), log(1 + f) = 2 atanh(s) = f - (f^2/2 - s (f^2/2 + R(s^2))): the form of fdlibm, which loses
// nothing where f is small. Coefficients of R: scripts/minimax.sollya.
import { constant, type Expr } from '../../ir/expr.ts'
import {
  bits_of,
  bits_of_constant,
  fast_two_sum,
  format,
  pick,
  polynomial,
  split,
  two_sum,
} from './common.ts'
import { LN2 } from './exp.ts'

/** R(z) / z; relative error of the logarithm 2^-33 and 2^-57.6. */
export const R: { readonly f32: readonly number[]; readonly f64: readonly number[] } = {
  f32: [0.6666667, 0.39999554, 0.28589344, 0.22583877],
  f64: [
    0.666666666666667, 0.3999999999989928, 0.28571428626210205, 0.2222221109052324, 0.18182892462868555,
    0.15331610842054674, 0.14617797125374243,
  ],
}

type Reduced = {
  readonly k: Expr
  readonly f: Expr
}

/** x = 2^k (1 + f) for positive finite x, k a float. */
export function reduce(x: Expr): Reduced {
  const type = x.type as 'f32' | 'f64'
  const { bits, fraction, bias, min_normal } = format(x)
  const subnormal = x.lt(min_normal)
  const normal = subnormal.where(x.mul(2 ** (fraction + 1)), x)
  const origin = bits_of_constant(type, Math.SQRT1_2)
  const mask = bits === 'i32' ? constant(2 ** 23 - 1, bits) : constant(2n ** 52n - 1n, bits)
  const offset = bits_of(normal).sub(origin)
  const f = offset.and(mask).add(origin).bitcast(type).sub(1)
  const lift = subnormal.where(constant(-(fraction + 1), type), constant(0, type))
  if (bits === 'i32') return { k: offset.shr(fraction).cast(type).add(lift), f }
  // no vector unit shifts or converts 64-bit integers arithmetically: bias the exponent, read it through 2^52
  const exponent = offset.add(constant(BigInt(bias) << 52n, bits)).ushr(fraction)
  const k = exponent
    .or(bits_of_constant('f64', 2 ** 52))
    .bitcast(type)
    .sub(2 ** 52 + bias)
  return { k: k.add(lift), f }
}

/** With h = f^2 / 2: log(1 + f) = f - h + s (h + R). Gives h and the last term. */
function terms(f: Expr): { readonly h: Expr; readonly rest: Expr } {
  const s = f.div(f.add(2))
  const z = s.mul(s)
  const h = f.mul(f).mul(0.5)
  return { h, rest: polynomial(z, pick(f, R)).fma(z, h).mul(s) }
}

/** `value` where x is positive and finite; else the values of a logarithm at 0, below 0, at infinity and NaN. */
function with_specials(x: Expr, value: Expr): Expr {
  const special = x.eq(0).where(constant(-Infinity, x.type), x.lt(0).where(constant(NaN, x.type), x))
  return x.gt(0).and(x.lt(Infinity)).where(value, special)
}

/** log(u + c) + n ln 2 for positive finite u; |c| of the order of an ulp of u. */
export function log_corrected(u: Expr, c?: Expr, n?: Expr): Expr {
  const { k: exponent, f } = reduce(u)
  const k = n ? exponent.add(n) : exponent
  const { h, rest } = terms(f)
  const [head, tail] = pick(u, LN2)
  const small = c ? rest.add(k.fma(tail, c.div(u))) : k.fma(tail, rest)
  return k.fma(head, f.sub(h.sub(small)))
}

export const log = (x: Expr): Expr => with_specials(x, log_corrected(x))

/** log(1 + x + c) for finite x > -1. Without its sign for a zero. */
function log1p_corrected(x: Expr, c?: Expr): Expr {
  const u = two_sum(x, constant(1, x.type))
  return log_corrected(u.hi, c ? u.lo.add(c) : u.lo)
}

export function log1p(x: Expr): Expr {
  const u = x.add(1)
  const finite = u.gt(0).and(u.lt(Infinity))
  const special = u.eq(0).where(constant(-Infinity, x.type), u.lt(0).where(constant(NaN, x.type), x))
  return finite.where(log1p_corrected(x), special).copysign(x)
}

/** log(x) in another base: k * per_octave + log(1 + f) * factor, the latter in two floats. */
function log_in_base(
  x: Expr,
  factor: readonly [number, number],
  per_octave: readonly [number, number],
): Expr {
  const { k, f } = reduce(x)
  const { h, rest } = terms(f)
  const head = split(f.sub(h)).hi // few bits: its product with factor[0] is exact
  const tail = f.sub(head).sub(h).add(rest)
  const lower = tail.mul(factor[0]).add(tail.add(head).mul(factor[1]))
  const octaves = k.mul(per_octave[0])
  const sum = fast_two_sum(octaves, head.mul(factor[0]))
  return with_specials(x, k.mul(per_octave[1]).add(lower).add(sum.lo).add(sum.hi))
}

export const log2 = (x: Expr): Expr =>
  log_in_base(
    x,
    pick(x, { f32: [1.4428711, -0.00017605155], f64: [1.4426950514316559, -1.0542692476429138e-8] }),
    [1, 0],
  )

export const log10 = (x: Expr): Expr =>
  log_in_base(
    x,
    pick(x, { f32: [0.43432617, -3.168997e-5], f64: [0.4342944845557213, -2.6524694553078553e-9] }),
    pick(x, { f32: [0.3010254, 4.605039e-6], f64: [0.3010299956640665, -8.532344317057107e-14] }),
  )
