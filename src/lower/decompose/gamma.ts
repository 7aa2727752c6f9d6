// lgamma and digamma as arithmetic, in f64 also for f32. Positive arguments: a polynomial near the root, recurrences
// that lead there, and asymptotic series from 8 and 3 on; negative ones by reflection. Next to the roots among negative
// arguments the result is exact to some 1e-15, not to some ulps, for it is a difference of larger numbers.
// Coefficients: scripts/minimax.py.
import { constant, type Expr } from '../../ir/expr.ts'
import { polynomial } from './common.ts'
import { log_corrected } from './log.ts'

/** log(gamma(2 + t)) / t on -3/4 <= t <= 1/4; relative error 2^-56. */
const LGAMMA = [
  0.42278433509846713, 0.32246703342411304, -0.06735230105318951, 0.020580808427854112, -0.007385551029831838,
  0.002890510322068016, -0.001192753862937682, 0.0005096699878836973, -0.00022315513935797885,
  9.94464099254295e-5, -4.4945921732577495e-5, 2.0603913031732168e-5, -9.012152351623772e-6,
  4.652564009633071e-6, -3.908198487731717e-6, -4.8107090729535866e-6, -8.228537465928191e-6,
  -5.260262096287016e-6, -1.8247569026949736e-6,
]

/** (log(gamma(x)) - (x - 1/2) log(x) + x - log(2 pi) / 2) x as a polynomial in x^-2, x >= 8; 2^-51. */
const STIRLING = [
  0.0833333333333333, -0.0027777777776099703, 0.0007936506668471085, -0.0005952029341350808,
  0.0008373081770668437, -0.0016532321156211504,
]

/** sin(pi f) / f in f^2 on |f| <= 1/2; 2^-61. */
const SIN_PI = [
  Math.PI,
  -5.167712780049969,
  2.550164039877294,
  -0.5992645293187376,
  0.08214588656988271,
  -0.007370430478671038,
  0.00046629968831037266,
  -2.1903184213668205e-5,
  7.694714657452184e-7,
]

/** digamma(2 + t) / (2 + t - root) on |t| <= 1; 2^-55. */
const DIGAMMA = [
  0.7853075386041053, -0.26073895468300085, 0.10899991701762683, -0.04955103291774928, 0.023447309597687722,
  -0.011338432550152731, 0.005552254172298447, -0.0027395729450411747, 0.0013581421776617155,
  -0.0006753126884983983, 0.0003364324781549307, -0.0001678198988717639, 8.377913518498968e-5,
  -4.182446438463629e-5, 2.0893578194649255e-5, -1.0510769401857844e-5, 5.264129262424456e-6,
  -2.4758591128551126e-6, 1.2199180684140673e-6, -8.610757941364628e-7, 4.521128246053933e-7,
  6.091091463033299e-8, -4.8409339245488444e-8, -2.025712180844598e-7, 1.110433632748717e-7,
  6.236884271316956e-8, -3.4307500781238285e-8, -1.911075332481622e-8, 1.0001590337777331e-8,
]

/** (log(x) - 1 / (2x) - digamma(x)) x^2 as a polynomial in x^-2, x >= 3; 2^-47.8, of a small term. */
const ASYMPTOTIC = [
  0.083333333333333, -0.008333333332535622, 0.003968253660033379, -0.00416661986389674, 0.007572058701623898,
  -0.020917907836221765, 0.0779520390825777, -0.32854720616804833, 1.2464434332856935, -3.325653067499845,
  4.34324945169921,
]

/** (1/f - pi cot(pi f)) / f in f^2 on |f| <= 1/2; 2^-56. */
const COTANGENT = [
  3.289868133696453, 2.1646464674222243, 2.034686123984342, 2.0081547105923496, 2.001989260281345,
  2.0004881425862093, 2.0002185222310427, 1.9984689541432994, 2.0178438776909124, 1.854939233130446,
  2.8404072018875444, -1.416885198965434, 11.392188032054893, -14.101918964610988, 16.06358292372425,
]

/** The root of digamma less 2, in two parts. */
const ROOT = [-0.5383678550316376, -1.5522348162858677e-17] as const

const number = (x: number): Expr => constant(x, 'f64')

export function lgamma(x: Expr): Expr {
  if (x.type === 'f32') return lgamma(x.cast('f64')).cast('f32')
  const reflected = x.lt(-0.5)
  const a = reflected.where(x.neg(), x)
  // a = m + t with -3/4 <= t < 1/4: gamma(a) = gamma(2 + t) p, or gamma(2 + t) / p where m < 2
  const m = a.add(0.75).floor()
  const t = a.sub(m)
  const below = m.eq(0).where(t.mul(t.add(1)).abs(), m.eq(1).where(t.add(1), number(1)))
  const p = [2, 3, 4, 5, 6, 7].reduce((product, j) => m.gt(j).where(product.mul(t.add(j)), product), below)
  const large = a.ge(8)
  const log = log_corrected(large.where(a, p))
  const near = polynomial(t, LGAMMA).mul(t).add(m.lt(2).where(log.neg(), log))
  const inverse = number(1).div(a)
  const far = log.sub(1).fma(
    a.sub(0.5),
    polynomial(inverse.mul(inverse), STIRLING)
      .mul(inverse)
      .add(0.5 * Math.log(2 * Math.PI) - 0.5),
  )
  const positive = large.where(far, near)
  const f = a.sub(a.round())
  const sine = polynomial(f.mul(f), SIN_PI).mul(f).abs()
  const value = reflected.where(
    number(Math.log(Math.PI))
      .sub(log_corrected(sine.mul(a)))
      .sub(positive),
    positive,
  )
  const pole = f.eq(0).and(x.le(0))
  return a.lt(Infinity).where(pole.where(number(Infinity), value), a)
}

export function digamma(x: Expr): Expr {
  if (x.type === 'f32') return digamma(x.cast('f64')).cast('f32')
  const reflected = x.lt(0)
  // digamma(a) = digamma(a + 1) - 1 / a below 1; the reflection leads above 1
  const a = reflected.where(number(1).sub(x), x)
  const low = a.lt(1)
  const t = low.where(a.sub(1), a.sub(2))
  const recurrence = low.where(number(1).div(x), number(0))
  const near = t.sub(ROOT[0]).sub(ROOT[1]).mul(polynomial(t, DIGAMMA)).sub(recurrence)
  const inverse = number(1).div(a)
  const square = inverse.mul(inverse)
  const far = log_corrected(a).sub(polynomial(square, ASYMPTOTIC).fma(square, inverse.mul(0.5)))
  const positive = a.lt(3).where(near, a.lt(Infinity).where(far, a))
  const f = x.sub(x.round())
  const cotangent = number(1)
    .div(f)
    .sub(polynomial(f.mul(f), COTANGENT).mul(f))
  const negative = f.eq(0).where(number(NaN), positive.sub(cotangent))
  return reflected.where(negative, positive)
}
