// Divergences of distributions of one kind from each other. Not here: of different kinds (pairs.ts).
import { NotImplementedError, ValueError } from '../../base/errors.ts'
import * as F from '../../nn/functional/index.ts'
import * as torch from '../../torch.ts'
import { full_like, linalg, type Tensor } from '../../torch.ts'
import { Bernoulli } from '../bernoulli.ts'
import { Binomial } from '../binomial.ts'
import { Categorical, OneHotCategorical } from '../categorical.ts'
import { ContinuousBernoulli } from '../continuous_bernoulli.ts'
import { Beta, Dirichlet } from '../dirichlet.ts'
import type { Distribution } from '../distribution.ts'
import { differentiate, ExponentialFamily } from '../exp_family.ts'
import { Exponential } from '../exponential.ts'
import { Gamma } from '../gamma.ts'
import { Geometric } from '../geometric.ts'
import { HalfNormal } from '../half.ts'
import { Independent } from '../independent.ts'
import { Cauchy, Laplace, Normal } from '../location_scale.ts'
import {
  LowRankMultivariateNormal,
  lowrank_log_det,
  lowrank_mahalanobis,
  scaled_transpose,
} from '../lowrank_multivariate_normal.ts'
import {
  batch_mahalanobis,
  batch_trace_XXT,
  half_log_det,
  MultivariateNormal,
} from '../multivariate_normal.ts'
import { Poisson } from '../poisson.ts'
import { Gumbel, Pareto } from '../transformed.ts'
import { TransformedDistribution } from '../transformed_distribution.ts'
import { same_transforms } from '../transforms/transform.ts'
import { Uniform } from '../uniform.ts'
import { euler_constant, masked, one_minus, sum_rightmost } from '../utils.ts'
import { kl_divergence, register_kl } from './registry.ts'

// ---------------------------------------------------------------------------------------------- discrete

register_kl(
  Bernoulli,
  Bernoulli,
)((p, q) => {
  const one = p.probs.mul(F.softplus(q.logits.neg()).sub(F.softplus(p.logits.neg())))
  const zero = one_minus(p.probs).mul(F.softplus(q.logits).sub(F.softplus(p.logits)))
  const ones = masked(masked(one, q.probs.eq(0), Infinity), p.probs.eq(0), 0)
  return ones.add(masked(masked(zero, q.probs.eq(1), Infinity), p.probs.eq(1), 0))
})

register_kl(
  Binomial,
  Binomial,
)((p, q) => {
  if (p.total_count.lt(q.total_count).any().item())
    throw new NotImplementedError(
      'KL between Binomials where q.total_count > p.total_count is not implemented',
    )
  const each = p.probs.mul(p.logits.sub(q.logits)).add(p.probs.neg().log1p()).sub(q.probs.neg().log1p())
  return masked(p.total_count.mul(each), p.total_count.gt(q.total_count), Infinity)
})

function categorical(p: Categorical, q: Categorical): Tensor {
  const each = p.probs.mul(p.logits.sub(q.logits))
  return masked(masked(each, q.probs.eq(0), Infinity), p.probs.eq(0), 0).sum(-1)
}
register_kl(Categorical, Categorical)(categorical)
register_kl(OneHotCategorical, OneHotCategorical)((p, q) => categorical(p._categorical, q._categorical))

register_kl(
  Geometric,
  Geometric,
)((p, q) => p.entropy().neg().sub(q.probs.neg().log1p().div(p.probs)).sub(q.logits))

register_kl(Poisson, Poisson)((p, q) => p.rate.mul(p.rate.log().sub(q.rate.log())).sub(p.rate.sub(q.rate)))

// ---------------------------------------------------------------------------------------------- on an interval

register_kl(
  Beta,
  Beta,
)((p, q) => {
  const [p1, p0, q1, q0] = [p.concentration1, p.concentration0, q.concentration1, q.concentration0]
  const [p_sum, q_sum] = [p1.add(p0), q1.add(q0)]
  const of_q = q1.lgamma().add(q0.lgamma()).add(p_sum.lgamma())
  const of_p = p1.lgamma().add(p0.lgamma()).add(q_sum.lgamma())
  return of_q
    .sub(of_p)
    .add(p1.sub(q1).mul(p1.digamma()))
    .add(p0.sub(q0).mul(p0.digamma()))
    .add(q_sum.sub(p_sum).mul(p_sum.digamma()))
})

register_kl(
  ContinuousBernoulli,
  ContinuousBernoulli,
)((p, q) =>
  p.mean
    .mul(p.logits.sub(q.logits))
    .add(p._cont_bern_log_norm().add(p.probs.neg().log1p()))
    .sub(q._cont_bern_log_norm().add(q.probs.neg().log1p())),
)

register_kl(
  Dirichlet,
  Dirichlet,
)((p, q) => {
  const [a, b] = [p.concentration, q.concentration]
  const [a_sum, b_sum] = [a.sum(-1), b.sum(-1)]
  return a_sum
    .lgamma()
    .sub(b_sum.lgamma())
    .sub(a.lgamma().sub(b.lgamma()).sum(-1))
    .add(
      a
        .sub(b)
        .mul(a.digamma().sub(a_sum.digamma().unsqueeze(-1)))
        .sum(-1),
    )
})

register_kl(
  Uniform,
  Uniform,
)((p, q) => {
  const ratio = q.high.sub(q.low).div(p.high.sub(p.low)).log()
  return masked(ratio, q.low.gt(p.low).bitwise_or(q.high.lt(p.high)), Infinity)
})

// ---------------------------------------------------------------------------------------------- from 0 on

register_kl(
  Exponential,
  Exponential,
)((p, q) => {
  const ratio = q.rate.div(p.rate)
  return ratio.log().neg().add(ratio).sub(1)
})

register_kl(
  Gamma,
  Gamma,
)((p, q) =>
  q.concentration
    .mul(p.rate.div(q.rate).log())
    .add(q.concentration.lgamma().sub(p.concentration.lgamma()))
    .add(p.concentration.sub(q.concentration).mul(p.concentration.digamma()))
    .add(q.rate.sub(p.rate).mul(p.concentration.div(p.rate))),
)

register_kl(
  Pareto,
  Pareto,
)((p, q) => {
  const ratio = q.alpha.div(p.alpha)
  const result = q.alpha.mul(p.scale.div(q.scale).log()).sub(ratio.log()).add(ratio).sub(1)
  return masked(result, p.scale.lt(q.scale), Infinity)
})

// ---------------------------------------------------------------------------------------------- on the real line

function normal(p: Normal, q: Normal): Tensor {
  const ratio = p.scale.div(q.scale).pow(2)
  const shift = p.loc.sub(q.loc).div(q.scale).pow(2)
  return ratio.add(shift).sub(1).sub(ratio.log()).mul(0.5)
}
register_kl(Normal, Normal)(normal)
register_kl(HalfNormal, HalfNormal)((p, q) => normal(p.base_dist, q.base_dist))

register_kl(
  Laplace,
  Laplace,
)((p, q) => {
  const ratio = p.scale.div(q.scale)
  const distance = p.loc.sub(q.loc).abs()
  return distance
    .div(q.scale)
    .sub(ratio.log())
    .add(ratio.mul(distance.neg().div(p.scale).exp()))
    .sub(1)
})

register_kl(
  Cauchy,
  Cauchy,
)((p, q) => {
  const over = p.scale.add(q.scale).pow(2).add(p.loc.sub(q.loc).pow(2)).log()
  return over.sub(p.scale.mul(4).mul(q.scale).log())
})

register_kl(
  Gumbel,
  Gumbel,
)((p, q) => {
  const ratio = p.scale.div(q.scale)
  const [at_q, at_p] = [q.loc.div(q.scale), p.loc.div(q.scale)]
  return at_p
    .sub(at_q)
    .sub(ratio.log())
    .add(ratio.mul(euler_constant))
    .add(at_q.add(ratio.add(1).lgamma()).sub(at_p).exp())
    .sub(1 + euler_constant)
})

// ---------------------------------------------------------------------------------------------- vectors

function require_same_event(p: Distribution, q: Distribution, what: string): void {
  if (!p.event_shape.equals(q.event_shape))
    throw new ValueError(
      `KL-divergence between two ${what} with${' '.repeat(26)}different event shapes cannot be computed`,
    )
}
const solve = (L: Tensor, B: Tensor): Tensor => linalg.solve_triangular(L, B, { upper: false })
const dims = (p: Distribution): number => p.event_shape[0] as number

/** Matrices with their batches broadcast to those of another. */
function with_batches(a: Tensor, b: Tensor): Tensor {
  const batch = torch.broadcast_shapes(a.shape.slice(0, -2), b.shape.slice(0, -2))
  return a.expand([...batch, ...a.shape.slice(-2)])
}

register_kl(
  MultivariateNormal,
  MultivariateNormal,
)((p, q) => {
  require_same_event(p, q, 'Multivariate Normals')
  const [P, Q] = [p._unbroadcasted_scale_tril, q._unbroadcasted_scale_tril]
  const trace = batch_trace_XXT(solve(with_batches(Q, P), with_batches(P, Q)))
  const distance = batch_mahalanobis(Q, q.loc.sub(p.loc))
  const log_det = half_log_det(Q).sub(half_log_det(P))
  return log_det.add(trace.add(distance).sub(dims(p)).mul(0.5))
})

/** What divergences from a low-rank distribution share: its log determinant, and the distance of the means. */
function from_lowrank(q: LowRankMultivariateNormal, mean: Tensor): Tensor {
  const [W, D, C] = [q._unbroadcasted_cov_factor, q._unbroadcasted_cov_diag, q._capacitance_tril]
  return lowrank_log_det(D, C).add(lowrank_mahalanobis(W, D, q.loc.sub(mean), C))
}
const log_det = (p: LowRankMultivariateNormal): Tensor =>
  lowrank_log_det(p._unbroadcasted_cov_diag, p._capacitance_tril)

register_kl(
  LowRankMultivariateNormal,
  LowRankMultivariateNormal,
)((p, q) => {
  require_same_event(p, q, 'Low Rank Multivariate Normals')
  const [W, D] = [p._unbroadcasted_cov_factor, p._unbroadcasted_cov_diag]
  const E = q._unbroadcasted_cov_diag
  const A = solve(q._capacitance_tril, scaled_transpose(q._unbroadcasted_cov_factor, E))
  const trace = D.div(E)
    .sum(-1)
    .add(batch_trace_XXT(W.mul(E.rsqrt().unsqueeze(-1))))
    .sub(batch_trace_XXT(A.mul(D.sqrt().unsqueeze(-2))))
    .sub(batch_trace_XXT(A.matmul(W)))
  return from_lowrank(q, p.loc).sub(log_det(p)).add(trace).sub(dims(p)).mul(0.5)
})

register_kl(
  MultivariateNormal,
  LowRankMultivariateNormal,
)((p, q) => {
  require_same_event(p, q, '(Low Rank) Multivariate Normals')
  const L = p._unbroadcasted_scale_tril
  const E = q._unbroadcasted_cov_diag
  const A = solve(q._capacitance_tril, scaled_transpose(q._unbroadcasted_cov_factor, E))
  const trace = batch_trace_XXT(L.mul(E.rsqrt().unsqueeze(-1))).sub(batch_trace_XXT(A.matmul(L)))
  return from_lowrank(q, p.loc).sub(half_log_det(L).mul(2)).add(trace).sub(dims(p)).mul(0.5)
})

register_kl(
  LowRankMultivariateNormal,
  MultivariateNormal,
)((p, q) => {
  require_same_event(p, q, '(Low Rank) Multivariate Normals')
  const [Q, W] = [q._unbroadcasted_scale_tril, p._unbroadcasted_cov_factor]
  const root = with_batches(torch.diag_embed(p._unbroadcasted_cov_diag.sqrt()), Q)
  const spread = with_batches(Q, W)
  const trace = batch_trace_XXT(solve(spread, with_batches(W, Q))).add(batch_trace_XXT(solve(spread, root)))
  const distance = batch_mahalanobis(Q, q.loc.sub(p.loc))
  return half_log_det(Q).mul(2).sub(log_det(p)).add(trace).add(distance).sub(dims(p)).mul(0.5)
})

// ---------------------------------------------------------------------------------------------- made of others

register_kl(
  Independent,
  Independent,
)((p, q) => {
  if (p.reinterpreted_batch_ndims !== q.reinterpreted_batch_ndims) throw new NotImplementedError()
  return sum_rightmost(kl_divergence(p.base_dist, q.base_dist), p.reinterpreted_batch_ndims)
})

register_kl(
  TransformedDistribution,
  TransformedDistribution,
)((p, q) => {
  if (!same_transforms(p.transforms, q.transforms) || !p.event_shape.equals(q.event_shape))
    throw new NotImplementedError()
  return kl_divergence(p.base_dist, q.base_dist)
})

// By the Bregman divergence of the log normalizer.
register_kl(
  ExponentialFamily,
  ExponentialFamily,
)((p, q) => {
  if (p.constructor !== q.constructor)
    throw new NotImplementedError(
      `The cross KL-divergence between different exponential families cannot${' '.repeat(28)}` +
        ' be computed using Bregman divergences',
    )
  const { normalizer, params, gradients } = differentiate(p)
  const q_params = q._natural_params
  return params.reduce(
    (sum, param, i) => {
      const term = (q_params[i] as Tensor).sub(param).mul(gradients[i] as Tensor)
      return sum.sub(sum_rightmost(term, q.event_shape.length))
    },
    q._log_normalizer(...q_params).sub(normalizer),
  )
})

/** The divergence from a distribution that is 0 where p is not. */
export const infinite_like = (x: Tensor): Tensor => full_like(x, Infinity)
