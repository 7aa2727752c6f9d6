// sinh, cosh, tanh and their inverses as arithmetic, on top of exp.ts and log.ts.
// Coefficients: scripts/minimax.sollya.
import { constant, type Expr } from '../../ir/expr.ts'
import { fast_two_sum, pick, polynomial, two_sum } from './common.ts'
import { exp_scaled, exp_to_add, expm1_unsigned } from './exp.ts'
import { log_corrected } from './log.ts'

/** sinh(x) = x + x^3 p(x^2) on |x| <= 1; relative error 2^-30 and 2^-59.9. */
const SINH = {
  f32: [0.16666667, 0.008333298, 0.00019846359, 2.7591075e-6],
  f64: [
    0.16666666666666666, 0.008333333333333567, 0.00019841269841110008, 2.755731926476937e-6,
    2.5052105469960146e-8, 1.6058657399468799e-10, 7.71610008115315e-13,
  ],
}

/** tanh(x) = x + x^3 p(x^2) on |x| <= 0.556; 2^-27.7. */
const TANH_F32 = [-0.3333333, 0.13333076, -0.053903814, 0.021279233, -0.0065577617]

export function sinh(x: Expr): Expr {
  const a = x.abs()
  const half = exp_scaled(a, -1)
  const square = a.mul(a)
  const small = polynomial(square, pick(x, SINH)).mul(square).fma(a, a)
  return a
    .lt(1)
    .where(small, half.sub(constant(0.25, x.type).div(half)))
    .copysign(x)
}

export function cosh(x: Expr): Expr {
  const half = exp_scaled(x.abs(), -1)
  return half.add(constant(0.25, x.type).div(half))
}

/** Saturates long before 2|x| = 45. */
export function tanh(x: Expr): Expr {
  const a = x.abs()
  const twice = a.gt(22.5).where(constant(45, x.type), a.add(a))
  if (x.type === 'f64') {
    const t = expm1_unsigned(twice)
    return t.div(t.add(2)).copysign(x)
  }
  const large = constant(1, x.type).sub(constant(2, x.type).div(exp_to_add(twice).add(1)))
  const square = x.mul(x)
  const small = polynomial(square, TANH_F32).mul(square).fma(a, a)
  return a.lt(0.55).where(small, large).copysign(x)
}

/** From here on x^2 + 1 and x^2 - 1 are x^2. */
const huge = (x: Expr): number => pick(x, { f32: 2 ** 13, f64: 2 ** 28 })

/** log(u + c), or log(2 a) where a is huge. */
function log_or_twice(a: Expr, u: Expr, c: Expr): Expr {
  const large = a.gt(huge(a))
  const [zero, one] = [constant(0, a.type), constant(1, a.type)]
  return log_corrected(large.where(a, u), large.where(zero, c), large.where(one, zero))
}

/** log(1 + (a + a^2 / (1 + sqrt(a^2 + 1)))) */
export function asinh(x: Expr): Expr {
  const a = x.abs()
  const square = a.mul(a)
  const sum = fast_two_sum(a, square.div(square.add(1).sqrt().add(1)))
  const u = two_sum(sum.hi, constant(1, x.type))
  return a
    .lt(Infinity)
    .where(log_or_twice(a, u.hi, u.lo.add(sum.lo)), x)
    .copysign(x)
}

/** log(x + sqrt(x^2 - 1)), with x^2 - 1 = t^2 + 2t for t = x - 1 */
export function acosh(x: Expr): Expr {
  const t = x.sub(1)
  const u = fast_two_sum(x, t.fma(t, t.add(t)).sqrt())
  const outside = x.lt(1).where(constant(NaN, x.type), x)
  return x
    .ge(1)
    .and(x.lt(Infinity))
    .where(log_or_twice(x, u.hi, u.lo), outside)
}

/** log(1 + (2a + 2a^2 / (1 - a))) / 2 */
export function atanh(x: Expr): Expr {
  const a = x.abs()
  const twice = a.add(a)
  const sum = two_sum(twice, twice.mul(a).div(constant(1, x.type).sub(a)))
  const u = two_sum(sum.hi, constant(1, x.type))
  const outside = a.eq(1).where(constant(Infinity, x.type), constant(NaN, x.type))
  return a
    .lt(1)
    .where(log_corrected(u.hi, u.lo.add(sum.lo)).mul(0.5), outside)
    .copysign(x)
}
