// Divergences of distributions of different kinds. Infinite where the first has samples outside of the second's
// support. Not here: of one kind (same.ts).
import { ones_like, type Tensor, where } from '../../torch.ts'
import { Bernoulli } from '../bernoulli.ts'
import { Binomial } from '../binomial.ts'
import { ContinuousBernoulli } from '../continuous_bernoulli.ts'
import { Beta } from '../dirichlet.ts'
import { Exponential } from '../exponential.ts'
import { Gamma } from '../gamma.ts'
import { Laplace, Normal } from '../location_scale.ts'
import { Poisson } from '../poisson.ts'
import { Gumbel, Pareto } from '../transformed.ts'
import { Uniform } from '../uniform.ts'
import { euler_constant, masked, one_minus } from '../utils.ts'
import { register_kl } from './registry.ts'
import { infinite_like } from './same.ts'

const TAU = 2 * Math.PI
const x_log_x = (x: Tensor): Tensor => x.mul(x.log())

// ---------------------------------------------------------------------------------------------- infinite

const on_line = [Gumbel, Laplace, Normal]
for (const q of [Beta, ContinuousBernoulli, Exponential, Gamma, Pareto, Uniform])
  for (const p of on_line)
    register_kl<InstanceType<(typeof on_line)[number]>, never>(p, q as never)(p => infinite_like(p.loc))
for (const q of [Beta, ContinuousBernoulli, Pareto, Uniform]) {
  register_kl<Exponential, never>(Exponential, q as never)(p => infinite_like(p.rate))
  register_kl<Gamma, never>(Gamma, q as never)(p => infinite_like(p.concentration))
}
for (const q of [Beta, ContinuousBernoulli, Uniform])
  register_kl<Pareto, never>(Pareto, q as never)(p => infinite_like(p.scale))
for (const q of [Bernoulli, Binomial])
  register_kl<Poisson, never>(Poisson, q as never)(p => infinite_like(p.rate))
register_kl(Beta, Pareto)(p => infinite_like(p.concentration1))
register_kl(ContinuousBernoulli, Pareto)(p => infinite_like(p.probs))

// ---------------------------------------------------------------------------------------------- Bernoulli

register_kl(Bernoulli, Poisson)((p, q) => p.entropy().neg().sub(p.probs.mul(q.rate.log()).sub(q.rate)))

// ---------------------------------------------------------------------------------------------- beta

const beta_mean = (p: Beta): Tensor => p.concentration1.div(p.concentration1.add(p.concentration0))

register_kl(
  Beta,
  ContinuousBernoulli,
)((p, q) =>
  p.entropy().neg().sub(p.mean.mul(q.logits)).sub(q.probs.neg().log1p()).sub(q._cont_bern_log_norm()),
)

register_kl(
  Beta,
  Exponential,
)((p, q) =>
  p
    .entropy()
    .neg()
    .sub(q.rate.log())
    .add(q.rate.mul(beta_mean(p))),
)

/** log of the normalizing constant of a gamma distribution. */
const gamma_constant = (q: Gamma): Tensor => q.concentration.lgamma().sub(q.concentration.mul(q.rate.log()))

register_kl(
  Beta,
  Gamma,
)((p, q) => {
  const log_mean = p.concentration1.digamma().sub(p.concentration1.add(p.concentration0).digamma())
  const mean = q.rate.mul(p.concentration1).div(p.concentration1.add(p.concentration0))
  return p.entropy().neg().add(gamma_constant(q)).sub(q.concentration.sub(1).mul(log_mean)).add(mean)
})

register_kl(
  Beta,
  Normal,
)((p, q) => {
  const mean = beta_mean(p)
  const variance = q.scale.pow(2)
  const total = p.concentration1.add(p.concentration0).add(1)
  const second = mean.mul(one_minus(mean)).div(total).add(mean.pow(2)).mul(0.5)
  const distance = second.sub(q.loc.mul(mean)).add(q.loc.pow(2).mul(0.5))
  return p.entropy().neg().add(variance.mul(TAU).log().mul(0.5)).add(distance.div(variance))
})

register_kl(
  Beta,
  Uniform,
)((p, q) => {
  const result = p.entropy().neg().add(q.high.sub(q.low).log())
  return masked(result, q.low.gt(0).bitwise_or(q.high.lt(1)), Infinity)
})

// ---------------------------------------------------------------------------------------------- continuous Bernoulli

register_kl(
  ContinuousBernoulli,
  Exponential,
)((p, q) => p.entropy().neg().sub(q.rate.log()).add(q.rate.mul(p.mean)))

register_kl(
  ContinuousBernoulli,
  Normal,
)((p, q) => {
  const log_scale = q.loc.div(q.scale).square().add(Math.log(TAU)).mul(0.5).add(q.scale.log())
  const moments = p.variance.add(p.mean.square()).sub(q.loc.mul(2).mul(p.mean))
  return p
    .entropy()
    .neg()
    .add(log_scale)
    .add(moments.div(q.scale.square().mul(2)))
})

const or_infinite = (x: Tensor, outside: Tensor): Tensor => where(outside, ones_like(x).mul(Infinity), x)

register_kl(
  ContinuousBernoulli,
  Uniform,
)((p, q) => {
  const result = p.entropy().neg().add(q.high.sub(q.low).log())
  return or_infinite(result, q.low.ge(0).bitwise_or(q.high.le(1)))
})

// ---------------------------------------------------------------------------------------------- exponential, gamma

register_kl(
  Exponential,
  Gamma,
)((p, q) => {
  const ratio = q.rate.div(p.rate)
  return q.concentration
    .neg()
    .mul(ratio.log())
    .add(ratio)
    .add(q.concentration.lgamma())
    .add(q.concentration.mul(euler_constant))
    .sub(1 + euler_constant)
})

register_kl(
  Exponential,
  Gumbel,
)((p, q) => {
  const product = p.rate.mul(q.scale)
  const place = q.loc.div(q.scale)
  return product
    .log()
    .sub(1)
    .sub(place)
    .add(place.exp().mul(product).div(product.add(1)))
    .add(product.reciprocal())
})

register_kl(
  Exponential,
  Normal,
)((p, q) => {
  const variance = q.scale.pow(2)
  const square = p.rate.pow(2)
  const distance = square.reciprocal().sub(q.loc.div(p.rate)).add(q.loc.pow(2).mul(0.5))
  return square.mul(variance).mul(TAU).log().mul(0.5).sub(1).add(distance.div(variance))
})

register_kl(
  Gamma,
  Exponential,
)((p, q) => p.entropy().neg().sub(q.rate.log()).add(q.rate.mul(p.concentration).div(p.rate)))

register_kl(
  Gamma,
  Gumbel,
)((p, q) => {
  const a = p.concentration
  const product = p.rate.mul(q.scale)
  const place = q.loc.div(q.scale)
  return a
    .sub(1)
    .mul(a.digamma())
    .sub(a.lgamma())
    .sub(a)
    .add(product.log().add(a.div(product)))
    .add(place.exp().mul(product.reciprocal().add(1).pow(a.neg())).sub(place))
})

register_kl(
  Gamma,
  Normal,
)((p, q) => {
  const a = p.concentration
  const variance = q.scale.pow(2)
  const square = p.rate.pow(2)
  const second = a.pow(2).add(a).mul(0.5).div(square)
  const distance = second.sub(q.loc.mul(a).div(p.rate)).add(q.loc.pow(2).mul(0.5))
  return square
    .mul(variance)
    .mul(TAU)
    .log()
    .mul(0.5)
    .sub(a)
    .sub(a.lgamma())
    .add(a.sub(1).mul(a.digamma()))
    .add(distance.div(variance))
})

// ---------------------------------------------------------------------------------------------- on the real line

register_kl(
  Gumbel,
  Normal,
)((p, q) => {
  const ratio = p.scale.div(q.scale)
  const shift = p.loc.add(p.scale.mul(euler_constant)).sub(q.loc).div(q.scale)
  return ratio
    .div(Math.sqrt(TAU))
    .log()
    .neg()
    .add(
      ratio
        .mul(Math.PI * 0.5)
        .pow(2)
        .div(3),
    )
    .add(shift.pow(2).mul(0.5))
    .sub(euler_constant + 1)
})

register_kl(
  Laplace,
  Normal,
)((p, q) => {
  const variance = q.scale.pow(2)
  const ratio = p.scale.pow(2).div(variance)
  const distance = p.loc.pow(2).mul(0.5).sub(p.loc.mul(q.loc)).add(q.loc.pow(2).mul(0.5))
  return ratio.mul(2).div(Math.PI).log().mul(-0.5).add(ratio).add(distance.div(variance)).sub(1)
})

register_kl(
  Normal,
  Gumbel,
)((p, q) => {
  const [at_p, at_q] = [p.loc.div(q.scale), q.loc.div(q.scale)]
  const ratio = p.scale.div(q.scale).pow(2)
  return ratio
    .log()
    .mul(-0.5)
    .add(at_p.sub(at_q))
    .add(ratio.mul(0.5).sub(at_p).add(at_q).exp())
    .sub(0.5 * (1 + Math.log(TAU)))
})

register_kl(
  Normal,
  Laplace,
)((p, q) => {
  const off = p.loc.sub(q.loc)
  const z = off.div(p.scale)
  const density = p.scale.mul(Math.sqrt(2 / Math.PI)).mul(z.pow(2).mul(-0.5).exp())
  const tails = off.mul(z.mul(Math.sqrt(0.5)).erf())
  return p.scale
    .div(q.scale)
    .log()
    .neg()
    .add(density.add(tails).div(q.scale))
    .sub(0.5 * (1 + Math.log(0.5 * Math.PI)))
})

// ---------------------------------------------------------------------------------------------- Pareto

register_kl(
  Pareto,
  Exponential,
)((p, q) => {
  const product = p.scale.mul(q.rate)
  const result = p.alpha
    .div(product)
    .log()
    .sub(p.alpha.reciprocal())
    .add(p.alpha.mul(product).div(p.alpha.sub(1)))
    .sub(1)
  return masked(result, p.alpha.le(1), Infinity)
})

register_kl(
  Pareto,
  Gamma,
)((p, q) => {
  const common = p.scale.log().add(p.alpha.reciprocal())
  const result = p.alpha
    .log()
    .sub(common)
    .add(gamma_constant(q))
    .add(one_minus(q.concentration).mul(common))
    .add(q.rate.mul(p.alpha).mul(p.scale).div(p.alpha.sub(1)))
    .sub(1)
  return masked(result, p.alpha.le(1), Infinity)
})

register_kl(
  Pareto,
  Normal,
)((p, q) => {
  const common = p.scale.div(p.alpha.sub(1))
  const spread = p.alpha.mul(common.pow(2)).div(p.alpha.sub(2))
  const shift = p.alpha.mul(common).sub(q.loc).pow(2)
  const result = q.scale
    .mul(Math.sqrt(TAU))
    .mul(p.alpha)
    .div(p.scale)
    .log()
    .sub(p.alpha.reciprocal())
    .add(spread.add(shift).div(q.scale.pow(2).mul(2)))
    .sub(1)
  return masked(result, p.alpha.le(2), Infinity)
})

// ---------------------------------------------------------------------------------------------- uniform

/** The mean of log x + 1 over the interval, less 2 + the logarithm: (high log high - low log low - width) / width. */
const mean_log = (low: Tensor, high: Tensor): Tensor => {
  const width = high.sub(low)
  return x_log_x(high).sub(x_log_x(low)).sub(width).div(width)
}

register_kl(
  Uniform,
  Beta,
)((p, q) => {
  const [a, b] = [q.concentration1, q.concentration0]
  const constant = a.lgamma().add(b.lgamma()).sub(a.add(b).lgamma())
  const result = b
    .sub(1)
    .mul(mean_log(one_minus(p.high), one_minus(p.low)).neg())
    .add(constant)
    .sub(p.high.sub(p.low).log())
    .sub(a.sub(1).mul(mean_log(p.low, p.high)))
  return masked(result, p.high.gt(1).bitwise_or(p.low.lt(0)), Infinity)
})

register_kl(
  Uniform,
  ContinuousBernoulli,
)((p, q) => {
  const result = p
    .entropy()
    .neg()
    .sub(p.mean.mul(q.logits))
    .sub(q.probs.neg().log1p())
    .sub(q._cont_bern_log_norm())
  return or_infinite(result, p.high.ge(1).bitwise_or(p.low.le(0)))
})

register_kl(
  Uniform,
  Exponential,
)((p, q) => {
  const result = q.rate.mul(p.high.add(p.low)).div(2).sub(p.high.sub(p.low).mul(q.rate).log())
  return masked(result, p.low.lt(0), Infinity)
})

register_kl(
  Uniform,
  Gamma,
)((p, q) => {
  const result = gamma_constant(q)
    .sub(p.high.sub(p.low).log())
    .add(one_minus(q.concentration).mul(mean_log(p.low, p.high)))
    .add(q.rate.mul(p.high.add(p.low)).div(2))
  return masked(result, p.low.lt(0), Infinity)
})

register_kl(
  Uniform,
  Gumbel,
)((p, q) => {
  const ratio = q.scale.div(p.high.sub(p.low))
  const [high, low] = [p.high.sub(q.loc).div(q.scale), p.low.sub(q.loc).div(q.scale)]
  return ratio
    .log()
    .add(high.add(low).mul(0.5))
    .sub(ratio.mul(high.neg().exp().sub(low.neg().exp())))
})

register_kl(
  Uniform,
  Normal,
)((p, q) => {
  const width = p.high.sub(p.low)
  const shift = p.high.add(p.low).sub(q.loc.mul(2)).div(2).pow(2)
  return q.scale
    .mul(Math.sqrt(TAU))
    .div(width)
    .log()
    .add(width.pow(2).div(12).add(shift).mul(0.5).div(q.scale.pow(2)))
})

register_kl(
  Uniform,
  Pareto,
)((p, q) => {
  const constant = q.alpha.mul(q.scale.pow(q.alpha)).mul(p.high.sub(p.low)).log()
  const result = mean_log(p.low, p.high).mul(q.alpha.add(1)).sub(constant)
  return masked(result, p.low.lt(q.scale), Infinity)
})
