// torch.distributions: the namespace. Each distribution is made with or without `new`, of numbers or tensors; Python's
// keyword arguments come as one trailing object: `new Normal(0, 1, { validate_args: false })`.
import { type _Callable, _callable } from '../torch.ts'
import * as bernoulli from './bernoulli.ts'
import * as binomial from './binomial.ts'
import * as categorical from './categorical.ts'
import * as continuous_bernoulli from './continuous_bernoulli.ts'
import * as dirichlet from './dirichlet.ts'
import * as exponential from './exponential.ts'
import * as gamma from './gamma.ts'
import * as geometric from './geometric.ts'
import * as half from './half.ts'
import * as independent from './independent.ts'
import * as lkj_cholesky from './lkj_cholesky.ts'
import * as location_scale from './location_scale.ts'
import * as log_normal from './log_normal.ts'
import * as lowrank_multivariate_normal from './lowrank_multivariate_normal.ts'
import * as mixture_same_family from './mixture_same_family.ts'
import * as multivariate_normal from './multivariate_normal.ts'
import * as poisson from './poisson.ts'
import * as relaxed from './relaxed.ts'
import * as student_t from './student_t.ts'
import * as transformed from './transformed.ts'
import * as transformed_distribution from './transformed_distribution.ts'
import * as uniform from './uniform.ts'
import * as von_mises from './von_mises.ts'
import * as wishart from './wishart.ts'

export { biject_to, type ConstraintRegistry, transform_to } from './constraint_registry.ts'
export * as constraints from './constraints.ts'
export { type Constraints, Distribution } from './distribution.ts'
export { ExponentialFamily } from './exp_family.ts'
export * as kl from './kl/index.ts'
export { kl_divergence, register_kl } from './kl/index.ts'
export * as utils from './public_utils.ts'
export * from './transforms/index.ts'
export * as transforms from './transforms/index.ts'

export type Bernoulli = bernoulli.Bernoulli
export const Bernoulli: _Callable<typeof bernoulli.Bernoulli> = _callable(bernoulli.Bernoulli)
export type Beta = dirichlet.Beta
export const Beta: _Callable<typeof dirichlet.Beta> = _callable(dirichlet.Beta)
export type Binomial = binomial.Binomial
export const Binomial: _Callable<typeof binomial.Binomial> = _callable(binomial.Binomial)
export type Categorical = categorical.Categorical
export const Categorical: _Callable<typeof categorical.Categorical> = _callable(categorical.Categorical)
export type Cauchy = location_scale.Cauchy
export const Cauchy: _Callable<typeof location_scale.Cauchy> = _callable(location_scale.Cauchy)
export type Chi2 = gamma.Chi2
export const Chi2: _Callable<typeof gamma.Chi2> = _callable(gamma.Chi2)
export type ContinuousBernoulli = continuous_bernoulli.ContinuousBernoulli
export const ContinuousBernoulli: _Callable<typeof continuous_bernoulli.ContinuousBernoulli> = _callable(
  continuous_bernoulli.ContinuousBernoulli,
)
export type Dirichlet = dirichlet.Dirichlet
export const Dirichlet: _Callable<typeof dirichlet.Dirichlet> = _callable(dirichlet.Dirichlet)
export type ExpRelaxedCategorical = relaxed.ExpRelaxedCategorical
export const ExpRelaxedCategorical: _Callable<typeof relaxed.ExpRelaxedCategorical> = _callable(
  relaxed.ExpRelaxedCategorical,
)
export type Exponential = exponential.Exponential
export const Exponential: _Callable<typeof exponential.Exponential> = _callable(exponential.Exponential)
export type FisherSnedecor = gamma.FisherSnedecor
export const FisherSnedecor: _Callable<typeof gamma.FisherSnedecor> = _callable(gamma.FisherSnedecor)
export type Gamma = gamma.Gamma
export const Gamma: _Callable<typeof gamma.Gamma> = _callable(gamma.Gamma)
export type Geometric = geometric.Geometric
export const Geometric: _Callable<typeof geometric.Geometric> = _callable(geometric.Geometric)
export type Gumbel = transformed.Gumbel
export const Gumbel: _Callable<typeof transformed.Gumbel> = _callable(transformed.Gumbel)
export type HalfCauchy = half.HalfCauchy
export const HalfCauchy: _Callable<typeof half.HalfCauchy> = _callable(half.HalfCauchy)
export type HalfNormal = half.HalfNormal
export const HalfNormal: _Callable<typeof half.HalfNormal> = _callable(half.HalfNormal)
export type Independent = independent.Independent
export const Independent: _Callable<typeof independent.Independent> = _callable(independent.Independent)
export type Kumaraswamy = transformed.Kumaraswamy
export const Kumaraswamy: _Callable<typeof transformed.Kumaraswamy> = _callable(transformed.Kumaraswamy)
export type LKJCholesky = lkj_cholesky.LKJCholesky
export const LKJCholesky: _Callable<typeof lkj_cholesky.LKJCholesky> = _callable(lkj_cholesky.LKJCholesky)
export type Laplace = location_scale.Laplace
export const Laplace: _Callable<typeof location_scale.Laplace> = _callable(location_scale.Laplace)
export type LogNormal = log_normal.LogNormal
export const LogNormal: _Callable<typeof log_normal.LogNormal> = _callable(log_normal.LogNormal)
export type LogisticNormal = log_normal.LogisticNormal
export const LogisticNormal: _Callable<typeof log_normal.LogisticNormal> = _callable(
  log_normal.LogisticNormal,
)
export type LogitRelaxedBernoulli = relaxed.LogitRelaxedBernoulli
export const LogitRelaxedBernoulli: _Callable<typeof relaxed.LogitRelaxedBernoulli> = _callable(
  relaxed.LogitRelaxedBernoulli,
)
export type LowRankMultivariateNormal = lowrank_multivariate_normal.LowRankMultivariateNormal
export const LowRankMultivariateNormal: _Callable<
  typeof lowrank_multivariate_normal.LowRankMultivariateNormal
> = _callable(lowrank_multivariate_normal.LowRankMultivariateNormal)
export type MixtureSameFamily = mixture_same_family.MixtureSameFamily
export const MixtureSameFamily: _Callable<typeof mixture_same_family.MixtureSameFamily> = _callable(
  mixture_same_family.MixtureSameFamily,
)
export type Multinomial = categorical.Multinomial
export const Multinomial: _Callable<typeof categorical.Multinomial> = _callable(categorical.Multinomial)
export type MultivariateNormal = multivariate_normal.MultivariateNormal
export const MultivariateNormal: _Callable<typeof multivariate_normal.MultivariateNormal> = _callable(
  multivariate_normal.MultivariateNormal,
)
export type NegativeBinomial = binomial.NegativeBinomial
export const NegativeBinomial: _Callable<typeof binomial.NegativeBinomial> = _callable(
  binomial.NegativeBinomial,
)
export type Normal = location_scale.Normal
export const Normal: _Callable<typeof location_scale.Normal> = _callable(location_scale.Normal)
export type OneHotCategorical = categorical.OneHotCategorical
export const OneHotCategorical: _Callable<typeof categorical.OneHotCategorical> = _callable(
  categorical.OneHotCategorical,
)
export type OneHotCategoricalStraightThrough = categorical.OneHotCategoricalStraightThrough
export const OneHotCategoricalStraightThrough: _Callable<
  typeof categorical.OneHotCategoricalStraightThrough
> = _callable(categorical.OneHotCategoricalStraightThrough)
export type Pareto = transformed.Pareto
export const Pareto: _Callable<typeof transformed.Pareto> = _callable(transformed.Pareto)
export type Poisson = poisson.Poisson
export const Poisson: _Callable<typeof poisson.Poisson> = _callable(poisson.Poisson)
export type RelaxedBernoulli = relaxed.RelaxedBernoulli
export const RelaxedBernoulli: _Callable<typeof relaxed.RelaxedBernoulli> = _callable(
  relaxed.RelaxedBernoulli,
)
export type RelaxedOneHotCategorical = relaxed.RelaxedOneHotCategorical
export const RelaxedOneHotCategorical: _Callable<typeof relaxed.RelaxedOneHotCategorical> = _callable(
  relaxed.RelaxedOneHotCategorical,
)
export type StudentT = student_t.StudentT
export const StudentT: _Callable<typeof student_t.StudentT> = _callable(student_t.StudentT)
export type TransformedDistribution = transformed_distribution.TransformedDistribution
export const TransformedDistribution: _Callable<typeof transformed_distribution.TransformedDistribution> =
  _callable(transformed_distribution.TransformedDistribution)
export type Uniform = uniform.Uniform
export const Uniform: _Callable<typeof uniform.Uniform> = _callable(uniform.Uniform)
export type VonMises = von_mises.VonMises
export const VonMises: _Callable<typeof von_mises.VonMises> = _callable(von_mises.VonMises)
export type Weibull = transformed.Weibull
export const Weibull: _Callable<typeof transformed.Weibull> = _callable(transformed.Weibull)
export type Wishart = wishart.Wishart
export const Wishart: _Callable<typeof wishart.Wishart> = _callable(wishart.Wishart)
