// Which primitives are transcendental, and the arithmetic that each becomes. What remains after `decompose`:
// add sub mul div neg abs min max fma fused, floordiv truncdiv mod fmod, and or xor not shl shr ushr, floor ceil trunc
// round, comparisons, where, sqrt, copysign, cast and bitcast; and pow on integers with a variable exponent, which
// lower.ts turns into a loop. A renderer needs no more.
import { constant, type Expr, rewrite } from '../../ir/expr.ts'
import type { PrimName } from '../../ir/prims.ts'
import { is_float } from '../../ir/types.ts'
import { erf, erfc, erfinv } from './error.ts'
import { exp, exp_plus, exp2, expm1 } from './exp.ts'
import { digamma, lgamma } from './gamma.ts'
import { acosh, asinh, atanh, cosh, sinh, tanh } from './hyperbolic.ts'
import { acos, asin, atan, atan2 } from './inverse.ts'
import { log, log1p, log2, log10 } from './log.ts'
import { pow } from './pow.ts'
import { cos, sin, tan } from './trig.ts'

type Decomposition = (x: Expr, y: Expr) => Expr

const DECOMPOSITIONS: { readonly [K in PrimName]?: Decomposition } = {
  exp,
  exp2,
  expm1,
  log,
  log2,
  log10,
  log1p,
  sin,
  cos,
  tan,
  asin,
  acos,
  atan,
  atan2,
  sinh,
  cosh,
  tanh,
  asinh,
  acosh,
  atanh,
  erf,
  erfc,
  erfinv,
  lgamma,
  digamma,
  pow,
}

/** x^n by squaring, for a constant n >= 0. */
function integer_power(x: Expr, n: bigint): Expr {
  let power: Expr | undefined
  for (let square = x; n > 0n; n >>= 1n) {
    if (n & 1n) power = power?.mul(square) ?? square
    if (n > 1n) square = square.mul(square)
  }
  return power ?? constant(1, x.type)
}

/** The same value without transcendental primitives, to within 2 ulp in f32 and 4 ulp in f64. */
export function decompose(e: Expr): Expr {
  const sums = rewrite(e, node => (node.op === 'add' && is_float(node.type) ? exp_plus(node) : undefined))
  return rewrite(sums, node => {
    const [x, y] = node.src as [Expr, Expr]
    if (node.op === 'pow' && !is_float(node.type)) {
      const n = y.op === 'const' ? BigInt(y.arg as number | bigint) : -1n
      return n >= 0n ? integer_power(x, n) : undefined
    }
    return DECOMPOSITIONS[node.op as PrimName]?.(x, y)
  })
}

/** A power of integers that `decompose` leaves: its exponent is not a constant. */
export const is_integer_power = (e: Expr): boolean => e.op === 'pow' && !is_float(e.type)
