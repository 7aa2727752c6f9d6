// Relatives of the gamma function: Hurwitz's zeta, polygamma, the multivariate and the incomplete gamma functions.
// Not here: lgamma and digamma, which are primitives (unary.ts).
import { result_dtype } from '../../base/dtype.ts'
import { NotImplementedError, RuntimeError } from '../../base/errors.ts'
import { constant, type Expr } from '../../ir/expr.ts'
import type { Builder } from '../../ir/kernel.ts'
import { Tensor } from '../../tensor/tensor.ts'
import { type Looped, looped, on_numbers } from '../define/looped.ts'
import { type Op, op } from '../define/op.ts'
import { type Number, pointwise } from '../define/pointwise.ts'
import { not_implemented } from '../define/rules.ts'

type Other = Tensor | Number
type Binary = [self: Other, other: Other, opts?: { out?: Tensor }]
type Pair = [self: Tensor, other: Tensor, opts?: { out?: Tensor }]

// ---------------------------------------------------------------------------------------------- zeta

/** B_2j / (2j)! for j = 1, 2, ... */
const BERNOULLI: readonly number[] = [
  1 / 12,
  -1 / 720,
  1 / 30240,
  -1 / 1209600,
  1 / 47900160,
  -691 / 1307674368000,
  1 / 74724249600,
  -3617 / 10670622842880000,
]

/** sum (q + k)^-s over k = 0, 1, ..., by direct terms and the Euler-Maclaurin formula for the rest. */
const zeta_of = looped(
  'zeta',
  () => 'f64',
  (k, s, q) => {
    const sum = k.local('f64', 0)
    const at = k.local('f64', q)
    const terms = k.local('f64', 0)
    const defined = k.local('bool', s.gt(1).and(q.gt(0).or(q.ne(q.floor()).and(s.eq(s.floor())))))
    k.while(defined.and(terms.lt(9).or(at.le(9))), () => {
      k.assign(sum, sum.add(at.pow(s.neg())))
      k.assign(at, at.add(1))
      k.assign(terms, terms.add(1))
    })
    const power = k.local('f64', at.pow(s.neg()))
    let factor = s.mul(power).div(at)
    let rest = power.mul(at).div(s.sub(1)).add(power.mul(0.5))
    BERNOULLI.forEach((b, j) => {
      rest = rest.add(factor.mul(b))
      factor = factor
        .mul(s.add(2 * j + 1))
        .mul(s.add(2 * j + 2))
        .div(at.mul(at))
    })
    const pole = s.eq(1).or(s.gt(1).and(q.le(0)).and(q.eq(q.floor())))
    const total = sum.add(power.eq(0).where(0, rest))
    return defined.where(total, pole.where(constant(Infinity, 'f64'), NaN))
  },
)

/** Hurwitz's zeta function: the sum of (other + k) ** -self over k = 0, 1, ... Differentiable in `other`. */
export const zeta: Op<Binary> = op('special_zeta(any self, any other)', {
  forward: (self: Other, other: Other) => on_numbers(zeta_of, self, other),
  saves: ['self', 'other'],
  backward: (g, [self, other], _, needs) => {
    const tensors = [self, other].filter(v => v instanceof Tensor)
    return tensors.map((t, i) => {
      if (!needs[i]) return null
      if (t === self) throw new NotImplementedError("the derivative for 'zeta: input' is not implemented")
      const next = self instanceof Tensor ? self.add(1) : Number(self) + 1
      const s = self instanceof Tensor ? self.neg() : -Number(self)
      return g.mul(zeta(next, t)).mul(s).sum_to_size(t.sizes)
    })
  },
  node: 'SpecialZetaBackward0',
  samples: r => [
    [r.range(2, 5, 3, 4), r.range(0.5, 3, 4)],
    [3, r.range(0.5, 3, 3)],
    [r.range(2, 5, 3), 1],
  ],
  gradcheck: false, // has no derivative in self
})

// ---------------------------------------------------------------------------------------------- polygamma

const factorial = (n: number): number => (n <= 1 ? 1 : n * factorial(n - 1))

/**
 * The derivative of digamma, by reflection, six steps of recurrence and its asymptotic series: as PyTorch has it, with
 * large values instead of infinities where sin(pi x) is only nearly 0.
 */
const trigamma: Op<[self: Tensor]> = pointwise('trigamma(Tensor self)', {
  dtype: 'float',
  forward(x: Expr) {
    const one = constant(1, x.type)
    const reflected = x.lt(0.5)
    const sine = x.mul(Math.PI).sin()
    let z = reflected.where(one.sub(x), x)
    let sum = reflected.where(constant(-(Math.PI ** 2), x.type).div(sine.mul(sine)), 0)
    for (let i = 0; i < 6; i++) {
      sum = sum.add(one.div(z.mul(z)))
      z = z.add(1)
    }
    const w = one.div(z.mul(z))
    const series = w
      .mul(-1 / 42)
      .add(1 / 30)
      .mul(w)
      .neg()
      .add(1 / 6)
      .mul(w)
    sum = sum.add(
      series
        .add(one)
        .add(one.div(z.mul(2)))
        .div(z),
    )
    return reflected.where(sum.neg(), sum)
  },
})

function polygamma_of(n: number, x: Tensor): Tensor {
  if (n < 0) throw new RuntimeError('polygamma(n, x) does not support negative n.')
  if (n === 0) return x.digamma()
  if (n === 1) return trigamma(x)
  return on_numbers(zeta_of, n + 1, x).mul((n % 2 === 1 ? 1 : -1) * factorial(n))
}

/** The n-th derivative of {@link digamma}. */
export const polygamma: Op<[n: number, self: Tensor, opts?: { out?: Tensor }]> = op(
  'polygamma(int n, Tensor self)',
  {
    forward: (n: number, self: Tensor) => polygamma_of(n, self),
    saves: ['self'],
    backward: { self: (g, [n, self]) => g.mul(polygamma(n + 1, self)) },
    samples: r => [
      [0, r.range(0.5, 3, 3, 4)],
      [1, r.range(0.5, 3, 3)],
      [2, r.range(0.5, 3, 3)],
      [3, r.range(-1.8, -1.2, 3)],
    ],
  },
)

/** The logarithm of the multivariate gamma function of dimension `p`. */
export const multigammaln: Op<
  [self: Tensor, p: number | { p: number; out?: Tensor }, opts?: { out?: Tensor }]
> = pointwise('mvlgamma(Tensor self, int p)', {
  dtype: 'float',
  check(_: Tensor, p: number) {
    if (p < 1) throw new RuntimeError('p has to be greater than or equal to 1')
  },
  forward(self: Expr, p: number) {
    const terms = Array.from({ length: p }, (_, j) => (j === 0 ? self : self.sub(j / 2)).lgamma())
    return terms.reduce((a, b) => a.add(b)).add((p * (p - 1) * Math.log(Math.PI)) / 4)
  },
  node: 'MvlgammaBackward0',
  samples: r => [
    [r.range(2, 4, 3, 4), 3],
    [r.range(1, 2, 3), 1],
  ],
})

// ---------------------------------------------------------------------------------------------- incomplete gamma

/** Terms after which a series gives up. */
const MOST_TERMS = 20000

/** x^a exp(-x) / gamma(a) */
const density = (a: Expr, x: Expr): Expr => x.log().mul(a).sub(x).sub(a.lgamma()).exp()

/** The lower function: density times sum of x^n / (a (a + 1) ... (a + n)). */
function lower_series(k: Builder, a: Expr, x: Expr): Expr {
  const term = k.local('f64', constant(1, 'f64').div(a))
  const sum = k.local('f64', term)
  const at = k.local('f64', a)
  k.while(term.gt(sum.mul(2 ** -53)).and(at.lt(a.add(MOST_TERMS))), () => {
    k.assign(at, at.add(1))
    k.assign(term, term.mul(x).div(at))
    k.assign(sum, sum.add(term))
  })
  return sum.mul(density(a, x))
}

/** The upper function by its continued fraction 1 / (x + 1 - a - (1 - a) / (x + 3 - a - ...)): Lentz's algorithm. */
function upper_fraction(k: Builder, a: Expr, x: Expr): Expr {
  const tiny = 1e-300
  const nonzero = (e: Expr): Expr => e.abs().lt(tiny).where(constant(tiny, 'f64'), e)
  const b = k.local('f64', x.sub(a).add(1))
  const c = k.local('f64', 1 / tiny)
  const d = k.local('f64', constant(1, 'f64').div(nonzero(b)))
  const h = k.local('f64', d)
  const n = k.local('f64', 0)
  const change = k.local('f64', 0)
  k.while(
    change
      .sub(1)
      .abs()
      .gt(2 ** -53)
      .and(n.lt(MOST_TERMS)),
    () => {
      k.assign(n, n.add(1))
      const numerator = k.local('f64', n.mul(a.sub(n)))
      k.assign(b, b.add(2))
      k.assign(d, constant(1, 'f64').div(nonzero(numerator.mul(d).add(b))))
      k.assign(c, nonzero(b.add(numerator.div(c))))
      k.assign(change, d.mul(c))
      k.assign(h, h.mul(change))
    },
  )
  return h.mul(density(a, x))
}

/** The regularised incomplete gamma functions. */
const incomplete = (name: string, upper: boolean): Looped =>
  looped(
    name,
    () => 'f64',
    (k, a, x) => {
      const part = k.local('f64', 0) // the function that was computed
      const by_series = k.local('bool', x.le(1).or(x.le(a)))
      const regular = a.gt(0).and(x.gt(0)).and(a.lt(Infinity)).and(x.lt(Infinity))
      k.if(regular, () =>
        k.if(
          by_series,
          () => k.assign(part, lower_series(k, a, x)),
          () => k.assign(part, upper_fraction(k, a, x)),
        ),
      )
      const other = part.neg().add(1)
      const value = upper ? by_series.where(other, part) : by_series.where(part, other)
      // At the ends of the domain: nothing of the mass is below 0, all is below infinity, a = 0 has it all at 0.
      const below = x.eq(0).where(constant(0, 'f64'), a.eq(Infinity).where(constant(0, 'f64'), 1))
      const none = a
        .lt(0)
        .or(x.lt(0))
        .or(a.ne(a))
        .or(x.ne(x))
        .or(a.eq(x).and(a.eq(0).or(a.eq(Infinity))))
      return none.where(constant(NaN, 'f64'), regular.where(value, upper ? below.neg().add(1) : below))
    },
  )

const incomplete_op = (name: 'igamma' | 'igammac', f: Looped, sign: 1 | -1): Op<Pair> =>
  op<Pair, [self: Tensor, other: Tensor], Tensor>(`${name}(Tensor self, Tensor other)`, {
    forward(self, other) {
      const dtype = result_dtype([self, other])
      return dtype.is_floating_point ? f(self, other, dtype) : not_implemented(`${name}_cpu`, dtype)
    },
    saves: ['self', 'other'],
    backward: {
      self() {
        throw new NotImplementedError(`the derivative for '${name}: input' is not implemented`)
      },
      other(g, [self, other]) {
        const slope = self.sub(1).mul(other.log()).sub(other).sub(self.lgamma()).exp()
        return g.mul(slope).mul(sign).sum_to_size(other.sizes)
      },
    },
    samples: r => [[r.range(0.5, 5, 3, 4), r.range(0.1, 8, 4)]],
    gradcheck: false, // has no derivative in self
  })

/** The regularised lower incomplete gamma function of shape `self` at `other`. Differentiable in `other`. */
export const gammainc: Op<Pair> = incomplete_op('igamma', incomplete('igamma', false), 1)
/** The regularised upper incomplete gamma function, 1 - {@link gammainc}. Differentiable in `other`. */
export const gammaincc: Op<Pair> = incomplete_op('igammac', incomplete('igammac', true), -1)
