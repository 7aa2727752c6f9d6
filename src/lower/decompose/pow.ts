// pow of floats as arithmetic: 2^(y log2|x|), then signs and special values as in C. A float of 1 ulp in the logarithm
// is one of up to 1024 in the power, so the logarithm has to be better than the type: f32 computes in f64, and f64 in
// two floats. Powers of integers are in index.ts and lower.ts.
import { constant, type Expr } from '../../ir/expr.ts'
import {
  clamp,
  type Double,
  fast_two_sum,
  nearest,
  polynomial,
  power_of_two,
  scale,
  two_product,
} from './common.ts'
import { EXP2 } from './exp.ts'
import { R, reduce } from './log.ts'

/** 2 / ln 2 and 1 / 3, and what they lack as f64. */
const TWO_LOG2E = [2.8853900817779268, 4.0710547481862066e-17] as const
const THIRD = [0.3333333333333333, 1.850371707708594e-17] as const

/** 1/5 + z/7 + z^2/9 + ... where (1 + z/3 + z^2 (...)) 2s = log((1 + s) / (1 - s)), z = s^2 <= 0.0295; 2^-54. */
const ATANH = [
  0.2, 0.14285714285713175, 0.11111111111375359, 0.09090909080140486, 0.07692304667688368,
  0.06667086543338427, 0.05860184007328893, 0.05798364777472451,
]

/** a * b to about twice the precision. */
function multiply(a: Double, b: Double): Double {
  const p = two_product(a.hi, b.hi)
  return fast_two_sum(p.hi, p.lo.add(a.hi.mul(b.lo).add(a.lo.mul(b.hi))))
}

/** log2(a) for positive finite a: to 2^-62 or so. */
function log2_double(a: Expr): Double {
  const { k, f } = reduce(a)
  const one = (x: number): Expr => constant(x, 'f64')
  const d = fast_two_sum(one(2), f)
  const hi = f.div(d.hi)
  const back = two_product(hi, d.hi)
  const s: Double = { hi, lo: f.sub(back.hi).sub(back.lo).sub(hi.mul(d.lo)).div(d.hi) }
  const z = multiply(s, s)
  const third = fast_two_sum(one(THIRD[0]), polynomial(z.hi, ATANH).mul(z.hi))
  const w = multiply(z, { hi: third.hi, lo: third.lo.add(THIRD[1]) })
  const u = multiply(s, { hi: one(TWO_LOG2E[0]), lo: one(TWO_LOG2E[1]) })
  const uw = multiply(u, w)
  const fraction = fast_two_sum(u.hi, uw.hi)
  const sum = fast_two_sum(k, fraction.hi)
  return fast_two_sum(sum.hi, sum.lo.add(fraction.lo.add(u.lo.add(uw.lo))))
}

/** y log2(a), given the logarithm for positive finite a. Where the power is 1 whatever the other operand, 0. */
function exponent(a: Expr, log: Expr, y: Expr): Expr {
  const special = a.eq(0).where(constant(-Infinity, 'f64'), a)
  const l = a.gt(0).and(a.lt(Infinity)).where(log, special)
  return a.eq(1).or(y.eq(0)).where(constant(0, 'f64'), l.mul(y))
}

/** a^y for f64 operands, a not negative. */
function power_f64(a: Expr, y: Expr): Expr {
  const log = log2_double(a)
  const t = clamp(exponent(a, log.hi, y), -1100, 1100)
  const product = two_product(log.hi, y)
  const lost = product.hi
    .abs()
    .lt(1090)
    .where(product.lo.add(log.lo.mul(y)), constant(0, 'f64'))
  const n = nearest(t, 1, 2 * 1023)
  const r = t.sub(n.float).add(lost)
  return scale(polynomial(r, EXP2.f64).fma(r, 1), n.integer)
}

/** The same for f32 operands that are held as f64, precise enough for an f32. */
function power_f32(a: Expr, y: Expr): Expr {
  const { k, f } = reduce(a)
  const s = f.div(f.add(2))
  const z = s.mul(s)
  const log = polynomial(z, R.f32).fma(z, 2).mul(s).fma(Math.LOG2E, k)
  const t = clamp(exponent(a, log, y), -200, 200)
  const n = nearest(t, 1, 1023)
  const r = t.sub(n.float)
  return polynomial(r, EXP2.f32).fma(r, 1).mul(power_of_two(n.integer, 'f64'))
}

export function pow(x: Expr, y: Expr): Expr {
  const { type } = x
  const [base, n] = [x.cast('f64'), y.cast('f64')]
  const a = base.abs()
  const value = (type === 'f32' ? power_f32(a, n) : power_f64(a, n)).cast(type)
  const whole = y.floor().eq(y)
  const half = y.mul(0.5)
  const odd = whole.and(half.floor().ne(half))
  const negative = constant(1, type).copysign(x).lt(0)
  const undefined_ = x.lt(0).and(x.gt(-Infinity)).and(whole.not())
  const signed = odd.and(negative).where(value.neg(), value)
  return x.eq(1).where(constant(1, type), undefined_.where(constant(NaN, type), signed))
}
