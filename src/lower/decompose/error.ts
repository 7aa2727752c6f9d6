// erf, erfc, erfinv as arithmetic. Near 0 an odd polynomial; away from it what is left to 1, which falls like
// exp(-x^2): its logarithm is a polynomial for erf in f32, its quotient by exp(-x^2) one for the rest.
// Coefficients: scripts/minimax.sollya; those of erfinv: scripts/minimax.py.
import { constant, type Expr } from '../../ir/expr.ts'
import { format, pick, polynomial, power_of_two, scale, two_product } from './common.ts'
import { expm1_reduced, reduce } from './exp.ts'

/** erf(x) = x + x p(x^2) on |x| <= 0.65 and 1; relative error 2^-30 and 2^-56. */
const ERF = {
  f32: [0.12837917, -0.37612632, 0.11283635, -0.026851475, 0.0051582824, -0.00071469025],
  f64: [
    0.12837916709551256, -0.37612638903183476, 0.11283791670943447, -0.02686617064306099,
    0.005223977605995373, -0.0008548325931727704, 0.00012055293808155596, -1.4924718787982984e-5,
    1.6447228937057244e-6, -1.620715229537573e-7, 1.3714890690732947e-8, -7.78714026300816e-10,
  ],
}

/** log(1 - erf(a)) on [0.64, 3.95], where an error counts less the smaller 1 - erf(a) is; 2^-29.9 of erf(a). */
const LOG_REST = [
  8.584433e-5, -1.1290406, -0.6344082, -0.10699235, 0.024205565, -0.0037922247, 0.00034960074, -1.317624e-5,
]

const small_erf = (x: Expr): Expr => polynomial(x.mul(x), pick(x, ERF)).fma(x, x)

export function erf(x: Expr): Expr {
  const a = x.abs()
  if (x.type === 'f64') {
    const rest = constant(1, x.type).sub(large_erfc(a))
    return a.lt(1).where(small_erf(x), rest.copysign(x))
  }
  // beyond 4 the rest is less than half an ulp of 1
  const { r, n } = reduce(polynomial(a.gt(4).where(constant(4, x.type), a), LOG_REST), format(x).bias)
  const rest = expm1_reduced(r).add(1).mul(power_of_two(n, 'f32'))
  return a.lt(0.65).where(small_erf(x), constant(1, x.type).sub(rest).copysign(x))
}

/** (1 + 2a) exp(a^2) erfc(a) for a >= 0.45 as a polynomial in (a - 3) / (a + 3); 2^-54.6. */
const SCALED_ERFC = [
  1.2530080582697296, -0.13562110612458128, -0.04756229435344348, 0.1296451587027754, -0.11927366341565132,
  0.06830802734340298, -0.02377051491126667, 0.0025293918262044267, 0.0018886902706989148,
  -0.0007798323693110345, -0.00010515914617937614, 0.00012509990584410704, 4.946355923677978e-6,
  -2.0102505645025543e-5, -7.216041112255154e-7, 3.476543560655869e-6, 3.3616484543310765e-7,
  -6.215926194743926e-7, -1.1402673406338236e-7, 1.0425202764220891e-7, 2.0024257274743445e-8,
  -1.2500802465760538e-8,
]

/** erfc(a) for a >= 0.45 in f64; what rounding the square loses is made good in the exponent. */
function large_erfc(a: Expr): Expr {
  const limited = a.gt(27.5).where(constant(27.5, 'f64'), a)
  const q = limited.sub(3).div(limited.add(3))
  const value = polynomial(q, SCALED_ERFC).div(limited.add(limited).add(1))
  const square = two_product(limited, limited)
  const { r, n } = reduce(square.hi.neg(), 2 * format(a).bias)
  return scale(value.fma(expm1_reduced(r.sub(square.lo)), value), n)
}

/** In f64 also for f32. */
export function erfc(x: Expr): Expr {
  if (x.type === 'f32') return erfc(x.cast('f64')).cast('f32')
  const a = x.abs()
  const large = large_erfc(a)
  const outside = x.lt(0).where(constant(2, 'f64').sub(large), large)
  return a.lt(0.45).where(constant(1, 'f64').sub(small_erf(x)), outside)
}
