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

/** a exp(a^2) erfc(a) for a >= 0.45 as a polynomial in (a - k) / (a + k), k = 3 and 4; 2^-27 and 2^-54. */
const SCALED_ERFC = {
  f32: [
    0.53700346, 0.095306225, -0.14658324, 0.13988054, -0.09546689, 0.046351463, -0.014037576, 0.00089792366,
    0.0012922374, -0.00036254144, -0.0001334824,
  ],
  f64: [
    0.5479978305002455, 0.05972346595980453, -0.10167001340781792, 0.11617743547600579, -0.105001121717824,
    0.07842032531881639, -0.04881471116068517, 0.025005730789335195, -0.010128998898427631,
    0.002915548336139351, -0.0003680053589685617, -0.00013911949330593315, 8.65868452604334e-5,
    -1.125013345175254e-5, -7.077060963702446e-6, 3.0659132470051085e-6, 2.764031296672784e-7,
    -4.744166616069687e-7, 4.049292980775159e-8, 8.000494070455098e-8, -1.919710372051263e-8,
    -2.05851686690267e-8, 4.385134330767687e-9, 4.664033049242275e-9,
  ],
}

/** erfc(a) for a >= 0.45 */
function large_erfc(a: Expr): Expr {
  const [k, end] = pick(a, { f32: [3, 10.2], f64: [4, 27.5] }) as [number, number]
  const limited = a.gt(end).where(constant(end, a.type), a)
  const q = limited.sub(k).div(limited.add(k))
  const value = polynomial(q, pick(a, SCALED_ERFC)).div(limited)
  const square = two_product(limited, limited)
  const { r, n } = reduce(square.hi.neg(), 2 * format(a).bias)
  const gauss = expm1_reduced(r).sub(square.lo)
  return scale(value.fma(gauss, value), n)
}

export function erfc(x: Expr): Expr {
  const a = x.abs()
  const large = large_erfc(a)
  const outside = x.lt(0).where(constant(2, x.type).sub(large), large)
  return a.lt(0.45).where(constant(1, x.type).sub(small_erf(x)), outside)
}
