// How gamma and Dirichlet numbers move with their parameters while their place in the distribution stays: minus the
// derivative of the distribution function over the density (implicit reparameterisation). PyTorch has approximations
// of about four digits, of which these are the same ones: a series near 0, a saddle point expansion for large
// parameters, and between them fitted rational functions, whose coefficients make up most of this file.
import type { DType } from '../../base/dtype.ts'
import type { Operand } from '../../device/device.ts'
import type { Expr, Scalar } from '../../ir/expr.ts'
import { constant } from '../../ir/expr.ts'
import type { Builder } from '../../ir/kernel.ts'
import { kernels } from '../../tensor/dispatch.ts'

const double = (x: number): Expr => constant(x, 'f64')

/** a[0] + a[1] x + a[2] x^2 + ... */
const polynomial = (x: Expr, a: readonly (Expr | number)[]): Expr =>
  a
    .slice(0, -1)
    .reduceRight<Expr>((sum, c) => sum.mul(x).add(c as Scalar), lift(a[a.length - 1] as Expr | number))
const lift = (x: Expr | number): Expr => (typeof x === 'number' ? double(x) : x)

const or_zero = (x: Expr): Expr => x.eq(x).where(x, double(0)) // NaN is not equal to itself

/** 1 + 1/12a + 1/288a^2: the first terms of Stirling's series. */
const stirling = (a: Expr): Expr => {
  const twelfth = a.mul(12).pow(-1)
  return twelfth.mul(twelfth.mul(0.5).add(1)).add(1)
}

// ---------------------------------------------------------------------------------------------- gamma

/** Numerator and denominator, in powers of log(alpha); each coefficient a polynomial in log(x / alpha). */
const GAMMA_FIT: readonly (readonly (readonly number[])[])[] = [
  [
    [0.16009398, 0.53487893, 0.040121004],
    [-0.094634809, 0.1298071, -0.0065914022],
    [0.025146376, 0.065735949, -0.0026286047],
    [-0.0030648343, -0.0015649758, -0.0013441777],
  ],
  [
    [1, 0.16639465, 0.017050642],
    [0.32668115, 0.020070113, -0.0021309326],
    [0.10406089, -0.0035938915, 0.00085092367],
    [0.0014179084, -0.00058392623, -1.5247877e-7],
  ],
]

/** By the series of the incomplete gamma function, term by term differentiated. */
function gamma_series(alpha: Expr, x: Expr): Expr {
  let term = double(1)
  let cdf = alpha.pow(-1)
  let derivative = cdf.mul(cdf)
  for (let i = 1; i <= 5; i++) {
    term = term.mul(x).div(-i)
    const over = alpha.add(i).pow(-1)
    cdf = cdf.add(term.mul(over))
    derivative = derivative.add(term.mul(over).mul(over))
  }
  const power = x.pow(alpha)
  const slope = x.log().sub(alpha.digamma()).mul(power.mul(cdf)).sub(power.mul(derivative))
  return or_zero(slope.neg().div(x.pow(alpha.sub(1)).mul(x.neg().exp())))
}

/** Near the mean of a large alpha, where the saddle point expansion is 0 over 0. */
function gamma_middle(alpha: Expr, x: Expr): Expr {
  const square = alpha.mul(alpha)
  const scale = polynomial(alpha, [1, 24, 288])
  const fit = square
    .mul(1440)
    .add(x.mul(6).mul(x.mul(-120).add(53)))
    .sub(x.mul(x).mul(65).div(alpha))
    .add(alpha.mul(x.mul(3600).add(107)))
  return scale.mul(fit).div(square.mul(square).mul(1244160))
}

function gamma_saddle(alpha: Expr, x: Expr): Expr {
  const log = x.div(alpha).log()
  const below = alpha.sub(x)
  const width = alpha.mul(8).sqrt()
  const tail = x.sub(alpha).sub(alpha.mul(log)).pow(-1.5)
  const sides = width.div(below).add(x.lt(alpha).where(tail.neg(), tail))
  const slope = log.mul(sides).sub(double(2).div(alpha).sqrt().mul(alpha.add(x)).div(below.mul(below)))
  return stirling(alpha).neg().mul(x.mul(slope)).div(width)
}

function gamma_fitted(alpha: Expr, x: Expr): Expr {
  const u = x.div(alpha).log()
  const v = alpha.log()
  const [p, q] = GAMMA_FIT.map(rows =>
    polynomial(
      v,
      rows.map(row => polynomial(u, row)),
    ),
  ) as [Expr, Expr]
  return p.div(q).exp()
}

/** One of several values, each computed only where its condition is the first to hold. */
function choose(k: Builder, cases: readonly (readonly [Expr, () => Expr])[], otherwise: () => Expr): Expr {
  const result = k.local('f64', 0)
  const from = (i: number): void => {
    const [condition, value] = cases[i] ?? []
    if (condition === undefined || value === undefined) k.assign(result, otherwise())
    else
      k.if(
        condition,
        () => k.assign(result, value()),
        () => from(i + 1),
      )
  }
  from(0)
  return result
}

/** The derivative of a gamma number `x` with respect to the shape `alpha` of its distribution. */
export const gamma_grad = (k: Builder, alpha: Expr, x: Expr): Expr => {
  const near = x.ge(alpha.mul(Math.fround(0.9))).and(x.le(alpha.mul(Math.fround(1.1))))
  const large = alpha.gt(8)
  return choose(
    k,
    [
      [x.lt(Math.fround(0.8)), () => gamma_series(alpha, x)],
      [large.and(near), () => gamma_middle(alpha, x)],
      [large, () => gamma_saddle(alpha, x)],
    ],
    () => gamma_fitted(alpha, x),
  )
}

// ---------------------------------------------------------------------------------------------- beta

/**
 * Numerator and denominator: sums over i and j of log(x)^i a^j times a cubic polynomial in b, where
 * a = log(alpha) - log(x) and b = log(alpha + beta) - a.
 */
const BETA_FIT: readonly (readonly (readonly (readonly number[])[])[])[] = [
  [
    [
      [1.003668233, -0.01061107488, -0.0657888334, 0.01201642863],
      [0.6336835991, -0.3557432599, 0.05486251648, -0.001465281033],
      [-0.03276231906, 0.004474107445, 0.002429354597, -0.0001557569013],
    ],
    [
      [0.221950385, -0.3187676331, 0.01799915743, 0.01074823814],
      [-0.2951249643, 0.06219954479, 0.01535556598, 0.001550077057],
      [0.02155310298, 0.004170831599, 0.001292462449, 6.976601077e-5],
    ],
    [
      [-0.05980841433, 0.008441916499, 0.01085618172, 0.002319392565],
      [0.02911413504, 0.01400243777, -0.002721828457, 0.000751041181],
      [0.005900514878, -0.001936558688, -9.495446725e-6, 5.385558597e-5],
    ],
  ],
  [
    [
      [1, -0.02924021934, -0.04438342661, 0.007285809825],
      [0.6357567472, -0.3473456711, 0.05454656494, -0.002407477521],
      [-0.03301322327, 0.004845219414, 0.00231480583, -0.0002307248149],
    ],
    [
      [0.5925320577, -0.1757678135, 0.01505928619, 0.000564515273],
      [0.1014815858, -0.06589186703, 0.01272886114, -0.0007316646956],
      [-0.007258481865, 0.001096195486, 0.0003934994223, -4.12701925e-5],
    ],
    [
      [0.06469649321, -0.0236701437, 0.002902096474, -5.896963079e-5],
      [0.001925008108, -0.002869809258, 0.0008000589141, -6.063713228e-5],
      [-0.0003477407336, 6.959756487e-5, 1.097287507e-5, -1.650964693e-6],
    ],
  ],
]

/** The derivative by alpha, for x near 0: the series of the incomplete beta function. */
function beta_series_alpha(x: Expr, alpha: Expr, beta: Expr): Expr {
  const factor = alpha.digamma().sub(alpha.add(beta).digamma()).sub(x.log())
  let term = double(1)
  let sum = factor.add(alpha.pow(-1)).div(alpha)
  for (let i = 1; i <= 10; i++) {
    term = term.mul(beta.neg().add(i)).mul(x).div(i)
    const over = alpha.add(i).pow(-1)
    sum = sum.add(term.mul(over).mul(factor.add(over)))
  }
  return or_zero(x.mul(x.neg().add(1).pow(beta.neg())).mul(sum))
}

/** The derivative by beta, for x near 0. */
function beta_series_beta(x: Expr, alpha: Expr, beta: Expr): Expr {
  const factor = alpha.add(beta).digamma().sub(beta.digamma())
  let term = double(1)
  let product = double(1) // (beta - 1) ... (beta - i)
  let slope = double(0) // its derivative
  let sum = factor.div(alpha)
  for (let i = 1; i <= 8; i++) {
    const next = beta.sub(i)
    term = term.mul(x).div(-i)
    slope = slope.mul(next).add(product)
    product = product.mul(next)
    sum = sum.add(term.div(alpha.add(i)).mul(slope.add(factor.mul(product))))
  }
  return or_zero(x.neg().add(1).pow(beta.neg().add(1)).neg().mul(sum))
}

/** For large alpha and beta, near the mean, where the saddle point expansion is 0 over 0. */
function beta_middle(x: Expr, alpha: Expr, beta: Expr): Expr {
  const total = alpha.add(beta)
  const rest = x.neg().add(1)
  const square = beta.mul(beta)
  const fit = polynomial(alpha, [
    x.mul(47).mul(square).mul(square),
    beta.mul(27).add(16).mul(20).mul(x).add(43).mul(square).mul(beta),
    beta.mul(180).add(59).sub(x.mul(90)).mul(3).mul(square),
    beta.mul(rest).mul(1620).add(453).sub(x.mul(455)).mul(beta),
    rest.mul(8).mul(beta.mul(135).sub(11)),
  ])
  const scale = alpha.mul(12).add(1).mul(beta.mul(12).add(1)).div(total.mul(total))
  const under = alpha.mul(alpha).mul(alpha).mul(square).mul(total.mul(12).add(1)).mul(12960)
  return scale.div(rest).mul(fit).div(under)
}

function beta_saddle(x: Expr, alpha: Expr, beta: Expr): Expr {
  const total = alpha.add(beta)
  const rest = x.neg().add(1)
  const scale = stirling(alpha).mul(stirling(beta)).div(stirling(total))
  const front = x.neg().div(alpha.mul(beta).mul(2).div(total).sqrt())
  const away = beta.mul(x).sub(alpha.mul(rest)) // from the mean, times the total
  const over = alpha.mul(alpha).mul(2).add(alpha.mul(beta)).mul(rest).neg().sub(x.mul(beta).mul(beta))
  const under = alpha.div(beta).mul(2).sqrt().mul(total.pow(1.5)).mul(away).mul(away)
  const ratio = alpha.div(total.mul(x)).log()
  const divergence = beta.mul(beta.div(total.mul(rest)).log()).add(alpha.mul(ratio))
  const tail = divergence.pow(-1.5)
  const sides = alpha
    .mul(beta)
    .mul(8)
    .div(total)
    .sqrt()
    .div(away)
    .add(x.lt(alpha.div(total)).where(tail, tail.neg()))
  return scale.mul(front).mul(over.div(under).add(ratio.mul(0.5).mul(sides)))
}

function beta_fitted(x: Expr, alpha: Expr, beta: Expr): Expr {
  const total = alpha.add(beta)
  const u = x.log()
  const a = alpha.log().sub(u)
  const b = total.log().sub(a)
  const [p, q] = BETA_FIT.map(planes =>
    polynomial(
      u,
      planes.map(rows =>
        polynomial(
          a,
          rows.map(row => polynomial(b, row)),
        ),
      ),
    ),
  ) as [Expr, Expr]
  return p.div(q).mul(x.mul(total.digamma().sub(alpha.digamma())).div(beta))
}

/** Of a beta number `x`: minus the derivative of its distribution function by alpha, over its density and 1 - x. */
function beta_grad(k: Builder, x: Expr, alpha: Expr, total: Expr): Expr {
  const beta = total.sub(alpha)
  const rest = x.neg().add(1)
  const edge = total.mul(x).mul(rest)
  const deviation = alpha.mul(beta).div(total.add(1)).sqrt().div(total).mul(0.1)
  const off_mean = x.sub(alpha.div(total))
  const near = off_mean.ge(deviation.neg()).and(off_mean.le(deviation))
  const large = alpha.gt(6).and(beta.gt(6))
  return choose(
    k,
    [
      [x.le(0.5).and(edge.lt(2.5)), () => beta_series_alpha(x, alpha, beta)],
      [x.ge(0.5).and(edge.lt(0.75)), () => beta_series_beta(rest, beta, alpha).neg()],
      [large.and(near), () => beta_middle(x, alpha, beta)],
      [large, () => beta_saddle(x, alpha, beta)],
    ],
    () => beta_fitted(x, alpha, beta),
  )
}

const dirichlet_grad_kernel = kernels('dirichlet_grad', (k, dtype: DType) => {
  const out = k.output('out', dtype, 'flat')
  const operands = ['x', 'alpha', 'total'].map(name => k.input(name, dtype, 'flat'))
  k.for(out.sizes[0] as Expr, 'parallel', i => {
    const [x, alpha, total] = operands.map(v => k.local('f64', v.at(i).cast('f64'))) as [Expr, Expr, Expr]
    k.store(out, [i], beta_grad(k, x, alpha, total).cast(out.type))
  })
})

/** The gradients for `x`, `alpha` and `total`, without gaps and of one dtype, into `out`. */
export function fill_dirichlet_grad(out: Operand & { dtype: DType }, ...operands: readonly Operand[]): void {
  if (out.count > 0) dirichlet_grad_kernel(out.dtype)([out, ...operands], [])
}
