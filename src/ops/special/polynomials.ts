// Orthogonal polynomials of a degree that each element has of its own, by their recurrences in the degree, in float64.
// As in PyTorch they have no derivatives, and are 0 for negative degrees. Not here: expansions in them (function.ts).
import { constant, type Expr } from '../../ir/expr.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { looped, on_numbers } from '../define/looped.ts'
import { type Op, overloaded } from '../define/op.ts'
import type { Number } from '../define/pointwise.ts'

type Args = [input: Tensor | Number, n: Tensor | Number, opts?: { out?: Tensor }]

/** The polynomial of degree k + 1 from those of degrees k and k - 1. */
type Step = (x: Expr, k: Expr, here: Expr, before: Expr) => Expr

function polynomial(
  name: string,
  first: (x: Expr) => Expr,
  step: Step,
  argument: (x: Expr) => Expr = x => x,
): Op<Args> {
  const value = looped(
    name,
    () => 'f64',
    (k, given, n) => {
      const degree = n.trunc()
      const x = k.local('f64', argument(given))
      const before = k.local('f64', 1)
      const here = k.local('f64', first(x))
      const at = k.local('f64', 1)
      k.while(at.lt(degree), () => {
        const next = k.local('f64', step(x, at, here, before))
        k.assign(before, here)
        k.assign(here, next)
        k.assign(at, at.add(1))
      })
      return degree.lt(0).where(constant(0, 'f64'), degree.eq(0).where(1, here))
    },
  )
  return overloaded(
    [[`${name}(any input, any n)`, (x: Tensor | Number, n: Tensor | Number) => on_numbers(value, x, n)]],
    {
      samples: r => [
        [r.range(-1, 1, 3, 4), r.ints(0, 6, 4)],
        [r.range(-1, 1, 3), 5],
        [0.3, r.ints(0, 6, 3)],
      ],
      gradcheck: false, // have no derivative
    },
  )
}

const double = (x: Expr): Expr => x.add(x)
const chebyshev: Step = (x, _, here, before) => double(x).mul(here).sub(before)
const shifted = (x: Expr): Expr => double(x).sub(1)

/** Chebyshev's polynomials of the first kind. */
export const chebyshev_polynomial_t: Op<Args> = polynomial(
  'special_chebyshev_polynomial_t',
  x => x,
  chebyshev,
)
/** Chebyshev's polynomials of the second kind. */
export const chebyshev_polynomial_u: Op<Args> = polynomial(
  'special_chebyshev_polynomial_u',
  double,
  chebyshev,
)
/** Chebyshev's polynomials of the third kind. */
export const chebyshev_polynomial_v: Op<Args> = polynomial(
  'special_chebyshev_polynomial_v',
  x => double(x).sub(1),
  chebyshev,
)
/** Chebyshev's polynomials of the fourth kind. */
export const chebyshev_polynomial_w: Op<Args> = polynomial(
  'special_chebyshev_polynomial_w',
  x => double(x).add(1),
  chebyshev,
)

/** {@link chebyshev_polynomial_t} at 2x - 1. */
export const shifted_chebyshev_polynomial_t: Op<Args> = polynomial(
  'special_shifted_chebyshev_polynomial_t',
  x => x,
  chebyshev,
  shifted,
)
/** {@link chebyshev_polynomial_u} at 2x - 1. */
export const shifted_chebyshev_polynomial_u: Op<Args> = polynomial(
  'special_shifted_chebyshev_polynomial_u',
  double,
  chebyshev,
  shifted,
)
/** {@link chebyshev_polynomial_v} at 2x - 1. */
export const shifted_chebyshev_polynomial_v: Op<Args> = polynomial(
  'special_shifted_chebyshev_polynomial_v',
  x => double(x).sub(1),
  chebyshev,
  shifted,
)
/** {@link chebyshev_polynomial_w} at 2x - 1. */
export const shifted_chebyshev_polynomial_w: Op<Args> = polynomial(
  'special_shifted_chebyshev_polynomial_w',
  x => double(x).add(1),
  chebyshev,
  shifted,
)

/** Hermite's polynomials (of physics). */
export const hermite_polynomial_h: Op<Args> = polynomial(
  'special_hermite_polynomial_h',
  double,
  (x, k, here, before) => double(x.mul(here).sub(k.mul(before))),
)
/** Hermite's polynomials (of probability). */
export const hermite_polynomial_he: Op<Args> = polynomial(
  'special_hermite_polynomial_he',
  x => x,
  (x, k, here, before) => x.mul(here).sub(k.mul(before)),
)
/** Laguerre's polynomials. */
export const laguerre_polynomial_l: Op<Args> = polynomial(
  'special_laguerre_polynomial_l',
  x => x.neg().add(1),
  (x, k, here, before) => double(k).add(1).sub(x).mul(here).sub(k.mul(before)).div(k.add(1)),
)
/** Legendre's polynomials. */
export const legendre_polynomial_p: Op<Args> = polynomial(
  'special_legendre_polynomial_p',
  x => x,
  (x, k, here, before) => double(k).add(1).mul(x).mul(here).sub(k.mul(before)).div(k.add(1)),
)
