// erf, erfc, erfinv as arithmetic. Near 0 an odd polynomial; away from it what is left to 1, which falls like
// exp(-x^2): its logarithm is a polynomial for erf in f32, its quotient by exp(-x^2) one for the rest.
// Coefficients: scripts/minimax.sollya; those of erfinv: scripts/minimax.py.
import { constant, type Expr } from '../../ir/expr.ts'
import { format, pick, polynomial, power_of_two, scale, two_product } from './common.ts'
import { expm1_reduced, reduce } from './exp.ts'
import { log_corrected } from './log.ts'

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

/** erfinv(x) / x as a polynomial in w - 3 for w = -log(1 - x^2) < 6, and in sqrt(w) - 4 beyond; 2^-55. */
const ERFINV_CENTRE = [
  1.6235420064648298, 0.2416304041661583, -0.005738135221005929, -0.0008361817769093585,
  0.0001950613244135545, -1.2716422638595516e-5, -1.7480020964017859e-6, 4.4998542528598103e-7,
  -2.3688726533222517e-8, -5.46717885452509e-9, 1.110797562584048e-9, -3.142561112877388e-11,
  -1.732858386413329e-11, 2.6989829255617247e-12, 6.2001651319933324e-15, -5.293314301174812e-14,
  6.3377493036674595e-15, 2.7449029042321667e-16, -1.624434366372541e-16, 1.2840385236507029e-17,
  2.036262026547925e-18, -3.9008566926409645e-19, -1.0110133177176859e-20, 4.306659214342294e-21,
]
const ERFINV_TAIL = [
  3.8397837974115534, 1.0094932532454268, 0.0012598472671190614, -0.0008689918052856403,
  0.0003209550435695907, -0.00011786478904181975, 5.567495412982072e-5, -3.2549195019839805e-5,
  1.867207226461429e-5, -8.87958017133027e-6, 3.0148848096653596e-6, -4.158712740433242e-7,
  -2.7488793756185975e-7, 2.3919660756234554e-7, -9.356052547691392e-8, 1.4871393602256265e-8,
  5.4672921078196e-9, -4.616557858988997e-9, 1.5213478815067837e-9, -1.7756248512767573e-10,
  -8.970331747224647e-11, 6.168062924276474e-11, -1.6764456687157933e-11, 3.2355135247839663e-13,
  1.2335637406527936e-12, -3.613502549993491e-13, 3.883629699856048e-14, -9.188426121896352e-16,
]

/** In f64 also for f32. The form of the approximation is Giles's (GPU Computing Gems, 2010). */
export function erfinv(x: Expr): Expr {
  if (x.type === 'f32') return erfinv(x.cast('f64')).cast('f32')
  const a = x.abs()
  const one = constant(1, 'f64')
  const w = log_corrected(one.sub(a).mul(one.add(a))).neg()
  const centre = polynomial(w.sub(3), ERFINV_CENTRE)
  const tail = polynomial(w.sqrt().sub(4), ERFINV_TAIL)
  const outside = a.eq(1).where(constant(Infinity, 'f64').copysign(x), constant(NaN, 'f64'))
  return a.lt(1).where(w.lt(6).where(centre, tail).mul(x), outside)
}
