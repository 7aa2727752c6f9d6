// Relatives of the error function and of the normal distribution: erfcx, ndtr, ndtri, log_ndtr; and entropy.
// Not here: erf, erfc and erfinv, which are primitives (unary.ts).
import { constant, type Expr } from '../../ir/expr.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { by_steps, round_to_bfloat16 } from '../define/bfloat16.ts'
import type { Op } from '../define/op.ts'
import { type Number, pointwise } from '../define/pointwise.ts'
import { number_node } from '../define/rules.ts'
import { chebyshev, over, special_function, type Unary } from './function.ts'
import { ERFCX } from './tables.ts'

const SQRT_2PI = Math.sqrt(2 * Math.PI)

/** exp(x^2) erfc(x) for x >= 0. */
function erfcx_right(x: Expr): Expr {
  const value = chebyshev(x.sub(3.75).div(x.add(3.75)), ERFCX).div(x.mul(2).add(1))
  return x.eq(Infinity).where(0, value)
}

function erfcx_of(x: Expr): Expr {
  const right = erfcx_right(x.abs())
  return x.lt(0).where(x.mul(x).exp().mul(2).sub(right), right)
}

/** exp(x^2) erfc(x): erfc without its fast decay. */
export const erfcx: Op<Unary> = special_function('special_erfcx', erfcx_of, {
  backward: (g, x, out) =>
    g.mul(
      x
        .mul(out)
        .mul(2)
        .sub(2 / Math.sqrt(Math.PI)),
    ),
})

const ndtr_by = (f: (x: Expr) => Expr): Op<Unary> =>
  special_function('special_ndtr', f, {
    backward: (g, x) => g.mul(x.mul(x).mul(-0.5).exp()).mul(1 / SQRT_2PI),
    node: 'MulBackward1',
  })
const rounded = (x: Expr): Expr => round_to_bfloat16(x.cast('f32')).cast(x.type)

/** The distribution function of the standard normal distribution. */
export const ndtr: Op<Unary> = by_steps(
  'special_ndtr(Tensor self)',
  ndtr_by(x => x.mul(-Math.SQRT1_2).erfc().mul(0.5)),
  ndtr_by(x =>
    rounded(rounded(x.mul(Math.SQRT1_2)).erf())
      .add(1)
      .mul(0.5),
  ),
)

/** The logarithm of {@link ndtr}, accurate far to the left. */
export const log_ndtr: Op<Unary> = special_function(
  'special_log_ndtr',
  x => {
    const t = x.mul(Math.SQRT1_2)
    const left = erfcx_right(t.abs()).mul(0.5).log().sub(t.mul(t))
    return x.lt(-1).where(left, t.erfc().mul(-0.5).log1p())
  },
  { backward: (g, x) => g.div(erfcx_of(x.mul(-Math.SQRT1_2))).mul(Math.sqrt(2 / Math.PI)) },
)

/**
 * The inverse of {@link ndtr}: Abramowitz & Stegun 26.2.23 for the nearer tail, made exact by three steps of Halley's
 * method on the tail relative to the density.
 */
export const ndtri: Op<Unary> = special_function(
  'special_ndtri',
  p => {
    const tail = p.min(p.neg().add(1))
    const t = tail.log().mul(-2).sqrt()
    const above = t.mul(0.010328).add(0.802853).mul(t).add(2.515517)
    const below = t.mul(0.001308).add(0.189269).mul(t).add(1.432788).mul(t).add(1)
    let y = t.sub(above.div(below))
    for (let i = 0; i < 3; i++) {
      const wanted = tail.mul(y.mul(y).mul(0.5).exp()).mul(SQRT_2PI)
      const excess = erfcx_of(y.mul(Math.SQRT1_2))
        .mul(Math.sqrt(Math.PI / 2))
        .sub(wanted)
      y = y.add(excess.div(y.mul(excess).mul(-0.5).add(1)))
    }
    const inside = p.lt(0.5).where(y.neg(), y)
    const end = p.eq(0).where(constant(-Infinity, p.type), p.eq(1).where(constant(Infinity, p.type), NaN))
    return p.gt(0).and(p.lt(1)).where(p.eq(0.5).where(0, inside), end)
  },
  { backward: (g, _, out) => g.mul(out.mul(out).mul(0.5).exp()).mul(SQRT_2PI), range: [0.01, 0.99] },
)

/** -x log(x), 0 at 0, and minus infinity below. */
export const entr: Op<Unary> = special_function(
  'special_entr',
  x => {
    const value = x.gt(0).where(x.log().mul(x).neg(), x.eq(0).where(constant(0, x.type), -Infinity))
    return x.ne(x).where(x, value)
  },
  { backward: (g, x) => g.mul(x.log().neg().sub(1)), range: [0.1, 2] },
)

/** x log1p(y), 0 where `x` is 0 (unless `y` is NaN). Integers give floats. */
export const xlog1py: Op<[self: Tensor | Number, other: Tensor | Number, opts?: { out?: Tensor }]> =
  pointwise('special_xlog1py(Tensor self, Tensor other)', {
    number_first: true,
    dtype: 'float',
    forward: (x: Expr, y: Expr) => y.ne(y).where(y, x.eq(0).where(0, x.mul(y.log1p()))),
    backward: (g, [x, y]) => [
      x.eq(0).and(y.le(-1)).where(0, g.mul(y.log1p())),
      g.mul(x).mul(over(1, y.add(1))),
    ],
    node: number_node('SpecialXlog1Py'),
    samples: r => [
      [r(3, 4), r.range(-0.5, 2, 4)],
      [r(3), 2.5],
      [2, r.range(-0.5, 2, 3)],
    ],
  })
