// asin, acos, atan, atan2 as arithmetic: odd minimax polynomials near 0, and identities that lead there.
// Coefficients: scripts/minimax.sollya.
import { constant, type Expr } from '../../ir/expr.ts'
import { pick, polynomial } from './common.ts'

/** asin(s) = s + s^3 p(s^2) on s^2 <= 1/2 and 1/4; relative error 2^-27.3 and 2^-58. */
const ASIN = {
  f32: [0.16666666, 0.07500298, 0.04452092, 0.03222252, 0.009047462, 0.06799008, -0.08595139, 0.09831634],
  f64: [
    0.16666666666666669, 0.07499999999998022, 0.04464285714699303, 0.03038194409553674, 0.022372174502858035,
    0.017352358601519964, 0.013971691376002229, 0.011474729573957416, 0.010350533428106155,
    0.005343025055896009, 0.01770144882697766, -0.015306036804271636, 0.029058483792670075,
  ],
}

/** atan(x) = x + x^3 p(x^2) on |x| <= 1; 2^-28 and 2^-54.9. */
const ATAN = {
  f32: [
    -0.33333334, 0.20000032, -0.14285553, 0.11101296, -0.08990605, 0.071864374, -0.051402092, 0.02858802,
    -0.010308248, 0.0017377588,
  ],
  f64: [
    -0.3333333333333333, 0.19999999999998216, -0.14285714285460843, 0.11111111097018601, -0.09090908677642409,
    0.07692300279902431, -0.06666577859109633, 0.058815999148365425, -0.05258452957886246,
    0.047395978344975845, -0.042657687625176924, 0.03761646479424038, -0.031487572865530264,
    0.023976369608453386, -0.015818029888616175, 0.008582699758113616, -0.003612698364507519,
    0.0010931870623236545, -0.0002098936715264227, 1.9104461465480627e-5,
  ],
}

type TwoParts = { readonly f32: readonly [number, number]; readonly f64: readonly [number, number] }

/** pi and pi / 2 as a float and what it lacks. */
const PI: TwoParts = { f32: [Math.PI, -8.742278e-8], f64: [Math.PI, 1.2246467991473532e-16] }
const HALF_PI: TwoParts = { f32: [Math.PI / 2, -4.371139e-8], f64: [Math.PI / 2, 6.123233995736766e-17] }

/** `c` - x, for a constant in two parts. */
const minus = (c: readonly [number, number], x: Expr): Expr => constant(c[0], x.type).sub(x.sub(c[1]))

const odd = (x: Expr, square: Expr, c: readonly number[]): Expr => polynomial(square, c).mul(square).fma(x, x)

/** asin(a) where a < limit; else asin(sqrt((1 - a) / 2)), by which pi/2 - asin(a) is halved. */
function asin_or_half(a: Expr, small: Expr): Expr {
  const z = small.where(a.mul(a), constant(1, a.type).sub(a).mul(0.5))
  return odd(small.where(a, z.sqrt()), z, pick(a, ASIN))
}

export function asin(x: Expr): Expr {
  const a = x.abs()
  const small = a.lt(pick(x, { f32: 0.7, f64: 0.5 }))
  const p = asin_or_half(a, small)
  return small.where(p, minus(pick(x, HALF_PI), p.add(p))).copysign(x)
}

export function acos(x: Expr): Expr {
  const a = x.abs()
  const small = a.lt(0.5)
  const p = asin_or_half(a, small)
  const twice = p.add(p)
  const large = x.lt(0).where(minus(pick(x, PI), twice), twice)
  return small.where(minus(pick(x, HALF_PI), p.copysign(x)), large)
}

export function atan(x: Expr): Expr {
  const a = x.abs()
  const steep = a.gt(1)
  const t = steep.where(constant(1, x.type).div(a), a)
  const p = odd(t, t.mul(t), pick(x, ATAN))
  return steep.where(minus(pick(x, HALF_PI), p), p).copysign(x)
}

export function atan2(y: Expr, x: Expr): Expr {
  const [b, a] = [y.abs(), x.abs()]
  const steep = b.gt(a)
  const [small, large] = [steep.where(a, b), steep.where(b, a)]
  // 0 / 0 is the angle 0, inf / inf that of the diagonal
  const diagonal = small.eq(large)
  const ratio = diagonal.where(large.eq(0).where(constant(0, x.type), constant(1, x.type)), small.div(large))
  const p = odd(ratio, ratio.mul(ratio), pick(x, ATAN))
  const right = steep.where(minus(pick(x, HALF_PI), p), p)
  const left = steep.where(minus(pick(x, HALF_PI), p.neg()), minus(pick(x, PI), p))
  const negative = constant(1, x.type).copysign(x).lt(0)
  return negative.where(left, right).copysign(y)
}
