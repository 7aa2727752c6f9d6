// Bessel functions of the orders 0 and 1, modified or not, the spherical one, and Airy's function: expansions near the
// origin, and of modulus and phase beyond. Not here: the coefficients (tables.ts).
import { constant, type Expr } from '../../ir/expr.ts'
import type { Op } from '../define/op.ts'
import { beyond, on, over, special_function, type Unary } from './function.ts'
import * as tables from './tables.ts'

const NaN_ = (x: Expr): Expr => constant(NaN, x.type)
const odd = (x: Expr, f: (size: Expr) => Expr): Expr => {
  const value = f(x.abs())
  return x.lt(0).where(value.neg(), value)
}

// ---------------------------------------------------------------------------------------------- I and K

/** exp(-x) I0(x) for x >= 0. */
function i0e_of(x: Expr): Expr {
  return x.le(8).where(on(x, 0, 8, tables.I0E_SMALL), beyond(over(8, x), tables.I0E_LARGE).div(x.sqrt()))
}

/** exp(-x) I1(x) for x >= 0. */
function i1e_of(x: Expr): Expr {
  return x
    .le(8)
    .where(x.mul(on(x, 0, 8, tables.I1E_SMALL)), beyond(over(8, x), tables.I1E_LARGE).div(x.sqrt()))
}

const i0_of = (x: Expr): Expr => x.abs().exp().mul(i0e_of(x.abs()))
const i1_of = (x: Expr): Expr => odd(x, a => a.exp().mul(i1e_of(a)))

/** The modified Bessel function of the first kind of order 0. */
export const i0: Op<Unary> = special_function('i0', i0_of, {
  backward: (g, x) => g.mul(i1_of(x)),
  node: 'I0Backward0',
})

/** exp(-|x|) times {@link i0}. */
export const i0e: Op<Unary> = special_function('special_i0e', x => i0e_of(x.abs()), {
  backward: (g, x, out) => g.mul(odd(x, i1e_of).sub(sign(x).mul(out))),
  node: 'SpecialI0EBackward0',
})

/** The modified Bessel function of the first kind of order 1. */
export const i1: Op<Unary> = special_function('special_i1', i1_of, {
  backward: (g, x, out) => g.mul(x.eq(0).where(0.5, i0_of(x).sub(out.div(x)))),
  node: 'SpecialI1Backward0',
})

/** exp(-|x|) times {@link i1}. */
export const i1e: Op<Unary> = special_function('special_i1e', x => odd(x, i1e_of), {
  backward: (g, x, out) => g.mul(x.eq(0).where(0.5, i0e_of(x.abs()).sub(out.mul(sign(x).add(over(1, x)))))),
  node: 'SpecialI1EBackward0',
})

const sign = (x: Expr): Expr => x.gt(0).where(constant(1, x.type), x.lt(0).where(constant(-1, x.type), 0))

/** K's domain: NaN below 0, infinite at 0. */
const of_positive = (x: Expr, at_zero: number, value: Expr): Expr =>
  x.lt(0).where(NaN_(x), x.eq(0).where(at_zero, value))

/** K0(x), times exp(x) where `scaled`. */
function k0_of(x: Expr, scaled: boolean): Expr {
  const near = on(x.mul(x), 0, 4, tables.K0_SMALL).sub(x.mul(0.5).log().mul(i0_of(x)))
  const far = beyond(over(2, x), tables.K0E_LARGE).div(x.sqrt())
  const value = scaled ? x.le(2).where(near.mul(x.exp()), far) : x.le(2).where(near, far.mul(x.neg().exp()))
  return of_positive(x, Infinity, value)
}

/** K1(x), times exp(x) where `scaled`. */
function k1_of(x: Expr, scaled: boolean): Expr {
  const near = on(x.mul(x), 0, 4, tables.K1_SMALL)
    .div(x)
    .add(x.mul(0.5).log().mul(i1_of(x)))
  const far = beyond(over(2, x), tables.K1E_LARGE).div(x.sqrt())
  const value = scaled ? x.le(2).where(near.mul(x.exp()), far) : x.le(2).where(near, far.mul(x.neg().exp()))
  return of_positive(x, Infinity, value)
}

/** The modified Bessel function of the first kind of order 0. Has no derivative. */
export const modified_bessel_i0: Op<Unary> = special_function('special_modified_bessel_i0', i0_of)
/** The modified Bessel function of the first kind of order 1. Has no derivative. */
export const modified_bessel_i1: Op<Unary> = special_function('special_modified_bessel_i1', i1_of)
/** The modified Bessel function of the second kind of order 0. Has no derivative. */
export const modified_bessel_k0: Op<Unary> = special_function(
  'special_modified_bessel_k0',
  x => k0_of(x, false),
  { range: [0.1, 4] },
)
/** The modified Bessel function of the second kind of order 1. Has no derivative. */
export const modified_bessel_k1: Op<Unary> = special_function(
  'special_modified_bessel_k1',
  x => k1_of(x, false),
  { range: [0.1, 4] },
)
/** exp(x) times {@link modified_bessel_k0}. */
export const scaled_modified_bessel_k0: Op<Unary> = special_function(
  'special_scaled_modified_bessel_k0',
  x => k0_of(x, true),
  {
    range: [0.1, 4],
  },
)
/** exp(x) times {@link modified_bessel_k1}. */
export const scaled_modified_bessel_k1: Op<Unary> = special_function(
  'special_scaled_modified_bessel_k1',
  x => k1_of(x, true),
  {
    range: [0.1, 4],
  },
)

// ---------------------------------------------------------------------------------------------- J and Y

/** sqrt(2 / (pi x)) (P cos - Q sin) for J, (P sin + Q cos) for Y, at x - (order / 2 + 1/4) pi; x > 8. */
function oscillation(x: Expr, order: 0 | 1, kind: 'J' | 'Y'): Expr {
  const ratio = over(8, x)
  const square = ratio.mul(ratio)
  const p = beyond(square, order === 0 ? tables.P0 : tables.P1)
  const q = beyond(square, order === 0 ? tables.Q0 : tables.Q1).div(x)
  const angle = x.sub((order / 2 + 0.25) * Math.PI)
  const wave =
    kind === 'J' ? p.mul(angle.cos()).sub(q.mul(angle.sin())) : p.mul(angle.sin()).add(q.mul(angle.cos()))
  return over(2 / Math.PI, x)
    .sqrt()
    .mul(wave)
}

const j0_near = (x: Expr): Expr => on(x.mul(x), 0, 64, tables.J0_SMALL)
const j1_near = (x: Expr): Expr => x.mul(on(x.mul(x), 0, 64, tables.J1_SMALL))

/** Zero at infinity, where sine and cosine have no value. */
const settled = (x: Expr, value: Expr): Expr => x.eq(Infinity).where(0, value)

/** The Bessel function of the first kind of order 0. Has no derivative. */
export const bessel_j0: Op<Unary> = special_function('special_bessel_j0', x => {
  const a = x.abs()
  return settled(a, a.le(8).where(j0_near(a), oscillation(a, 0, 'J')))
})

/** The Bessel function of the first kind of order 1. Has no derivative. */
export const bessel_j1: Op<Unary> = special_function('special_bessel_j1', x =>
  odd(x, a => settled(a, a.le(8).where(j1_near(a), oscillation(a, 1, 'J')))),
)

/** The Bessel function of the second kind of order 0: NaN below 0. Has no derivative. */
export const bessel_y0: Op<Unary> = special_function(
  'special_bessel_y0',
  x => {
    const near = on(x.mul(x), 0, 64, tables.Y0_SMALL).add(
      x
        .log()
        .mul(2 / Math.PI)
        .mul(j0_near(x)),
    )
    return of_positive(x, -Infinity, settled(x, x.le(8).where(near, oscillation(x, 0, 'Y'))))
  },
  { range: [0.1, 12] },
)

/** The Bessel function of the second kind of order 1: NaN below 0. Has no derivative. */
export const bessel_y1: Op<Unary> = special_function(
  'special_bessel_y1',
  x => {
    const pole = x
      .log()
      .mul(j1_near(x))
      .sub(over(1, x))
      .mul(2 / Math.PI)
    const near = x.mul(on(x.mul(x), 0, 64, tables.Y1_SMALL)).add(pole)
    return of_positive(x, -Infinity, settled(x, x.le(8).where(near, oscillation(x, 1, 'Y'))))
  },
  { range: [0.1, 12] },
)

/** sin(x) / x, the spherical Bessel function of the first kind of order 0. Has no derivative. */
export const spherical_bessel_j0: Op<Unary> = special_function('special_spherical_bessel_j0', x =>
  x
    .abs()
    .eq(Infinity)
    .where(0, x.eq(0).where(1, x.sin().div(x))),
)

// ---------------------------------------------------------------------------------------------- Airy

/** Airy's function Ai. Has no derivative. */
export const airy_ai: Op<Unary> = special_function(
  'special_airy_ai',
  x => {
    const a = x.abs()
    const root = a.sqrt()
    const zeta = a.mul(root).mul(2 / 3)
    const ratio = over(3, a)
    const right = beyond(ratio.mul(ratio.sqrt()), tables.AI_RIGHT).mul(zeta.neg().exp()).mul(0.5)
    const cube = ratio.mul(ratio).mul(ratio)
    const angle = zeta.sub(Math.PI / 4)
    const left = beyond(cube, tables.AI_LEFT_P)
      .mul(angle.cos())
      .add(beyond(cube, tables.AI_LEFT_Q).div(zeta).mul(angle.sin()))
    const far = x
      .gt(0)
      .where(right, left)
      .div(root.sqrt())
      .mul(1 / Math.sqrt(Math.PI))
    return settled(a, a.le(3).where(on(x, -3, 3, tables.AI_MIDDLE), far))
  },
  { range: [-8, 8] },
)
