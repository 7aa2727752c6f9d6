// tanh as arithmetic, on top of exp.ts.
// Coefficients: scripts/minimax.sollya.
import { constant, type Expr } from '../../ir/expr.ts'
import { polynomial } from './common.ts'
import { exp_scaled, expm1_unsigned } from './exp.ts'

/** tanh(x) = x + x^3 p(x^2) on |x| <= 0.556; relative error 2^-27.7. */
const TANH_F32 = [-0.3333333, 0.13333076, -0.053903814, 0.021279233, -0.0065577617]

/** Saturates long before 2|x| = 45. */
export function tanh(x: Expr): Expr {
  const a = x.abs()
  const twice = a.gt(22.5).where(constant(45, x.type), a.add(a))
  if (x.type === 'f64') {
    const t = expm1_unsigned(twice)
    return t.div(t.add(2)).copysign(x)
  }
  const large = constant(1, x.type).sub(constant(2, x.type).div(exp_scaled(twice, 0).add(1)))
  const square = x.mul(x)
  const small = polynomial(square, TANH_F32).mul(square).fma(a, a)
  return a.lt(0.55).where(small, large).copysign(x)
}
