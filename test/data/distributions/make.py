"""Records what PyTorch 1.13.1 makes of distributions, divergences, constraints and transforms, a line a case.

    python3 -P test/data/distributions/make.py

Objects are described by trees that both sides read: a number, a list, a tensor {"t": dtype, "v": values}, or
{"make": class, "a": arguments, "k": keyword arguments}.
"""
import json
import math
import os
import warnings

import torch
import torch.distributions as D
from torch.distributions import constraints, transforms
from torch.distributions.kl import _KL_REGISTRY
from torch.distributions.relaxed_bernoulli import LogitRelaxedBernoulli
from torch.distributions.relaxed_categorical import ExpRelaxedCategorical

warnings.simplefilter('ignore')
torch.set_num_threads(1)
HERE = os.path.dirname(os.path.abspath(__file__))


def t(v, dtype='float32'):
    return {'t': dtype, 'v': v}


def d(name, *a, **k):
    return {'make': name, 'a': list(a), **({'k': k} if k else {})}


CLASSES = {name: getattr(D, name) for name in dir(D)}
CLASSES.update(LogitRelaxedBernoulli=LogitRelaxedBernoulli, ExpRelaxedCategorical=ExpRelaxedCategorical)


def build(x, leaves=None):
    if isinstance(x, list):
        return [build(y, leaves) for y in x]
    if not isinstance(x, dict):
        return x
    if 't' in x:
        made = torch.tensor(x['v'], dtype=getattr(torch, x['t']))
        if leaves is not None and made.is_floating_point():
            leaves.append(made.requires_grad_())
        return made
    if 'property' in x:
        return getattr(build(x['of'], leaves), x['property'])
    args = [build(y, leaves) for y in x.get('a', [])]
    kwargs = {name: build(y, leaves) for name, y in x.get('k', {}).items()}
    if x['make'].startswith('constraints.'):
        found = getattr(constraints, x['make'].split('.')[1])
        return found(*args, **kwargs) if 'a' in x else found
    return CLASSES[x['make']](*args, **kwargs)


def number(x):
    if isinstance(x, bool) or isinstance(x, int):
        return x
    if math.isnan(x):
        return 'nan'
    if math.isinf(x):
        return 'inf' if x > 0 else '-inf'
    return x


def encode(x):
    if x is None:
        return None
    if not torch.is_tensor(x):
        return list(x) if isinstance(x, torch.Size) else x
    values = [number(v) for v in x.detach().reshape(-1).tolist()]
    if x.dtype == torch.float32:
        values = [v if isinstance(v, str) else float('%.9g' % v) for v in values]
    return {'t': str(x.dtype)[6:], 's': list(x.shape), 'v': values}


def attempt(f):
    try:
        return encode(f())
    except Exception as error:
        return {'error': type(error).__name__, 'text': str(error)}


def weights(x):
    return ((torch.arange(x.numel()) % 7 - 3) / 4 + 0.25).to(x.dtype).reshape(x.shape)


def gradients(result, leaves):
    if not result.requires_grad:
        return []
    return [encode(g) for g in torch.autograd.grad((result * weights(result)).sum(), leaves, allow_unused=True)]


def gradients_of(spec, f):
    leaves = []
    made = build(spec, leaves)
    return gradients(f(made), leaves) if leaves else []


def attempt_gradients(spec, f):
    try:
        return gradients_of(spec, f)
    except Exception as error:
        return {'error': type(error).__name__, 'text': str(error)}


def seeded(f):
    torch.manual_seed(7)
    return f()


def distribution_case(spec):
    p = build(spec)
    case = {'of': spec, 'repr': str(p)}
    value = attempt(lambda: seeded(lambda: p.sample([3])))
    for name in ('batch_shape', 'event_shape', 'has_rsample', 'has_enumerate_support', 'mean', 'mode', 'variance', 'stddev'):
        case[name] = attempt(lambda: getattr(p, name))
    for name in ('entropy', 'perplexity', 'enumerate_support'):
        case[name] = attempt(lambda: getattr(p, name)())
    case['column'] = attempt(lambda: p.enumerate_support(expand=False))
    case['support'] = attempt(lambda: str(p.support))
    case['sample'] = value
    case['sample_one'] = attempt(lambda: seeded(lambda: p.sample()))
    case['rsample'] = attempt(lambda: seeded(lambda: p.rsample([2, 2])))
    x = None if 'error' in value else seeded(lambda: p.sample([3]))
    if x is not None:
        for name in ('log_prob', 'cdf'):
            case[name] = attempt(lambda: getattr(p, name)(x))
        case['inside'] = attempt(lambda: p.support.check(x))
    u = torch.tensor([0.125, 0.5, 0.875], dtype=x.dtype if x is not None and x.is_floating_point() else None)
    case['icdf'] = attempt(lambda: p.icdf(u.reshape([3] + [1] * len(p.batch_shape))))
    wide = [2, *p.batch_shape]
    case['expanded'] = attempt(lambda: p.expand(wide).batch_shape)
    case['expanded_mean'] = attempt(lambda: p.expand(wide).mean)
    case['expanded_entropy'] = attempt(lambda: p.expand(wide).entropy())
    case['expanded_sample'] = attempt(lambda: seeded(lambda: p.expand(wide).sample([2])))
    if x is not None:
        case['expanded_log_prob'] = attempt(lambda: p.expand(wide).log_prob(x[:2, None].expand(2, *wide, *p.event_shape)))
    case['repr_after'] = str(p)
    case['grad_rsample'] = attempt_gradients(spec, lambda p: seeded(lambda: p.rsample([2])))
    case['grad_entropy'] = attempt_gradients(spec, lambda p: p.entropy())
    case['grad_mean'] = attempt_gradients(spec, lambda p: p.mean)
    if x is not None:
        case['grad_log_prob'] = attempt_gradients(spec, lambda p: p.log_prob(x))
        if x.is_floating_point():
            def by_value():
                leaf = x.clone().requires_grad_()
                return gradients(p.log_prob(leaf), [leaf])[0]
            try:
                case['grad_value'] = by_value()
            except Exception:
                pass
    return case


A, B = t([0.5, 1.5, 2.25]), t([[0.75], [2.0]])
P, L = t([0.2, 0.5, 0.9]), t([-1.5, 0.0, 0.75])
ROWS = t([[0.1, 0.6, 0.3], [0.5, 0.25, 0.25]])
LOGITS = t([[0.5, -1.0, 2.0], [0.0, 0.25, -0.5]])
COV = t([[2.0, 0.3, -0.2], [0.3, 1.5, 0.4], [-0.2, 0.4, 1.2]])
TRIL = t([[[1.0, 0.0], [0.5, 1.25]], [[0.75, 0.0], [-0.25, 2.0]]])
LOC3, LOC22 = t([0.1, -0.5, 2.0]), t([[0.5, -1.0], [2.0, 0.25]])
W, DIAG = t([[0.5, 0.1], [0.2, -0.4], [0.3, 0.6]]), t([0.6, 1.1, 0.9])
MANY = t([[0.3, 1.0, 9.0], [12.0, 30.0, 2.5]])
F64 = t([0.3, 1.7], 'float64')

DISTRIBUTIONS = [
    d('Bernoulli', 0.3), d('Bernoulli', P), d('Bernoulli', logits=L), d('Bernoulli', t([0.0, 1.0])),
    d('Beta', 2, 3.5), d('Beta', A, B), d('Beta', t([8.0, 0.3]), t([9.0, 20.0])), d('Beta', F64, F64),
    d('Binomial', 10, 0.25), d('Binomial', 4, P), d('Binomial', t([3.0, 30.0, 7.0]), P), d('Binomial', 5, logits=L),
    d('Categorical', ROWS), d('Categorical', logits=LOGITS), d('Categorical', t([1.0, 2.0, 5.0])),
    d('Cauchy', 0, 1), d('Cauchy', L, A),
    d('Chi2', 3), d('Chi2', A), d('Chi2', MANY),
    d('ContinuousBernoulli', 0.3), d('ContinuousBernoulli', P), d('ContinuousBernoulli', logits=L),
    d('ContinuousBernoulli', P, None, [0.45, 0.55]),
    d('Dirichlet', A), d('Dirichlet', MANY), d('Dirichlet', t([0.4, 0.6, 0.2])),
    d('Exponential', 2), d('Exponential', A), d('Exponential', F64),
    d('FisherSnedecor', 3, 5), d('FisherSnedecor', A, B), d('FisherSnedecor', t([5.0, 9.0]), t([6.0, 12.0])),
    d('Gamma', 2, 3), d('Gamma', A, B), d('Gamma', MANY, 0.5), d('Gamma', F64, 1),
    d('Geometric', 0.3), d('Geometric', P), d('Geometric', logits=L), d('Geometric', t([1.0, 0.5])),
    d('Gumbel', 0.5, 2), d('Gumbel', L, A),
    d('HalfCauchy', 1.5), d('HalfCauchy', A), d('HalfNormal', 1.5), d('HalfNormal', A),
    d('Independent', d('Normal', LOC22, 1), 1), d('Independent', d('Normal', LOC22, 1), 2),
    d('Independent', d('Bernoulli', P), 0), d('Independent', d('Gamma', A, B), 1),
    d('Kumaraswamy', 2, 3), d('Kumaraswamy', A, B),
    d('LKJCholesky', 3), d('LKJCholesky', 4, t([0.5, 2.0])), d('LKJCholesky', 2, 1.5),
    d('Laplace', 0, 1), d('Laplace', L, A),
    d('LogNormal', 0.5, 0.75), d('LogNormal', L, A),
    d('LogisticNormal', LOC22, t([0.5, 1.5])), d('LogisticNormal', 0.5, 1),
    d('LowRankMultivariateNormal', LOC3, W, DIAG),
    d('LowRankMultivariateNormal', t([[0.0, 1.0, 2.0], [3.0, -1.0, 0.5]]), W, DIAG),
    d('MixtureSameFamily', d('Categorical', t([0.3, 0.7])), d('Normal', t([-1.0, 2.0]), t([0.5, 1.5]))),
    d('MixtureSameFamily', d('Categorical', ROWS), d('Independent', d('Normal', t([[[0.0, 1.0], [2.0, 3.0], [4.0, -1.0]]] * 2), 1), 1)),
    d('MixtureSameFamily', d('Categorical', logits=LOGITS), d('Exponential', t([[0.5, 1.0, 2.0], [1.0, 3.0, 0.25]]))),
    d('Multinomial', 5, ROWS), d('Multinomial', 3, logits=LOGITS), d('Multinomial', 4, t([0.0, 0.5, 0.5])),
    d('MultivariateNormal', LOC3, COV), d('MultivariateNormal', LOC3, precision_matrix=COV),
    d('MultivariateNormal', LOC22, scale_tril=TRIL), d('MultivariateNormal', t([0.5, 1.0]), scale_tril=TRIL),
    d('MultivariateNormal', LOC22, t([[1.0, 0.2], [0.2, 0.7]])),
    d('NegativeBinomial', 3, 0.4), d('NegativeBinomial', t([0.5, 2.0, 6.0]), P), d('NegativeBinomial', 4, logits=L),
    d('NegativeBinomial', t([0.0, 2.0]), t([0.5, 0.5])),
    d('Normal', 0, 1), d('Normal', L, A), d('Normal', L, B), d('Normal', F64, 0.5), d('Normal', t([[0.0] * 9] * 2), 2),
    d('OneHotCategorical', ROWS), d('OneHotCategorical', logits=LOGITS),
    d('OneHotCategoricalStraightThrough', ROWS), d('OneHotCategoricalStraightThrough', logits=LOGITS),
    d('Pareto', 1, 2.5), d('Pareto', A, t([0.5, 1.5, 3.5])),
    d('Poisson', 3), d('Poisson', A), d('Poisson', t([0.0, 25.0])),
    d('RelaxedBernoulli', t(0.7), P), d('RelaxedBernoulli', t(0.7), logits=L),
    d('LogitRelaxedBernoulli', t(0.7), P),
    d('RelaxedOneHotCategorical', t(0.7), ROWS), d('RelaxedOneHotCategorical', t(0.7), logits=LOGITS),
    d('ExpRelaxedCategorical', t(0.7), ROWS),
    d('StudentT', 3), d('StudentT', A, L, 1.5), d('StudentT', t([0.5, 1.5, 4.0])),
    d('TransformedDistribution', d('Normal', L, A), [d('ExpTransform'), d('AffineTransform', 1.0, 2.0)]),
    d('TransformedDistribution', d('Normal', 0, 1), d('AffineTransform', LOC22, -2.0)),
    d('TransformedDistribution', d('Uniform', t([0.0, 0.0]), 1), [d('SigmoidTransform'), d('AffineTransform', t(1.0), t(-3.0))]),
    d('TransformedDistribution', d('Normal', LOC22, 1), [d('StickBreakingTransform')]),
    d('TransformedDistribution', d('Independent', d('Normal', LOC22, 1), 1), [d('TanhTransform')]),
    d('TransformedDistribution', d('Normal', t([[0.0, 1.0, 2.0, 3.0]]), 1), [d('ReshapeTransform', [4], [2, 2])]),
    d('TransformedDistribution', d('Normal', L, 1), []),
    d('Uniform', 0, 2), d('Uniform', L, t([0.0, 1.0, 4.0])),
    d('VonMises', 0.5, 2), d('VonMises', L, t([0.5, 3.75, 20.0])),
    d('Weibull', 2, 1.5), d('Weibull', A, B),
    d('Wishart', 4, COV), d('Wishart', t([3.5, 6.0]), scale_tril=TRIL), d('Wishart', 5.5, precision_matrix=COV),
]


def doubled(x):
    """The same in float64."""
    if isinstance(x, dict) and x.get('t') == 'float32':
        return {**x, 't': 'float64'}
    if isinstance(x, dict):
        return {key: doubled(v) for key, v in x.items()}
    return [doubled(v) for v in x] if isinstance(x, list) else x


DOUBLES = [
    d('Bernoulli', P), d('Beta', A, B), d('Binomial', t([3.0, 30.0, 7.0]), P), d('Categorical', logits=LOGITS), d('Cauchy', L, A), d('Chi2', A),
    d('ContinuousBernoulli', P), d('Dirichlet', A), d('FisherSnedecor', A, B), d('Geometric', P), d('Gumbel', L, A), d('HalfCauchy', A),
    d('HalfNormal', A), d('Kumaraswamy', A, B), d('LKJCholesky', 4, t([0.5, 2.0])), d('Laplace', L, A), d('LogNormal', L, A),
    d('LogisticNormal', LOC22, t([0.5, 1.5])), d('LowRankMultivariateNormal', LOC3, W, DIAG), d('Multinomial', 5, ROWS),
    d('MultivariateNormal', LOC3, COV), d('NegativeBinomial', 4, P), d('OneHotCategorical', ROWS), d('Pareto', A, t([0.5, 1.5, 3.5])),
    d('Poisson', A), d('RelaxedBernoulli', t(0.7), P), d('RelaxedOneHotCategorical', t(0.7), ROWS), d('StudentT', t([0.5, 1.5, 4.0]), 1, 2),
    d('Uniform', L, t([0.0, 1.0, 4.0])), d('VonMises', L, t([0.5, 3.75, 20.0])), d('Weibull', A, B), d('Wishart', 4, COV),
]
DISTRIBUTIONS += [doubled(x) for x in DOUBLES]

ERRORS = [
    d('Bernoulli'), d('Bernoulli', 0.5, 0.5), d('Bernoulli', 1.5), d('Bernoulli', t([0.5, -1.0])), d('Bernoulli', 'a'),
    d('Beta', -1, 2), d('Beta', t([1.0, 2.0]), t([0.0, 1.0])), d('Dirichlet', t(1.0)), d('Dirichlet', t([1.0, -1.0])),
    d('Binomial', -1, 0.5), d('Binomial', 2.5, 0.5), d('Binomial', 2), d('Binomial', 2, 0.5, 0.5),
    d('Categorical'), d('Categorical', t(0.5)), d('Categorical', logits=t(0.5)), d('Categorical', t([0.5, -0.5])),
    d('Categorical', t([float('nan'), 0.5])), d('Cauchy', 0, -1), d('Chi2', -2), d('ContinuousBernoulli', 1.5, validate_args=True),
    d('ContinuousBernoulli'), d('Exponential', 0), d('Exponential', t([1.0, -0.5])), d('FisherSnedecor', -1, 2),
    d('Gamma', 1, -1), d('Gamma', t([[1.0], [-1.0]]), t([1.0, 2.0])), d('Geometric', 0), d('Geometric', t([0.5, 0.0])),
    d('Geometric', 2), d('Geometric'), d('Gumbel', 0, 0), d('HalfCauchy', -1), d('HalfNormal', 0),
    d('Independent', d('Normal', 0, 1), 1), d('Kumaraswamy', 0, 1), d('Kumaraswamy', 1, -1),
    d('LKJCholesky', 1), d('LKJCholesky', 3, -1.0), d('Laplace', 0, -2), d('LogNormal', 0, -1), d('LogNormal', float('nan'), 1),
    d('LowRankMultivariateNormal', t(1.0), W, DIAG), d('LowRankMultivariateNormal', LOC3, t([1.0]), DIAG),
    d('LowRankMultivariateNormal', LOC22, W, DIAG), d('LowRankMultivariateNormal', LOC3, W, t([1.0, 2.0])),
    d('LowRankMultivariateNormal', LOC3, W, t([1.0, 2.0, -1.0])),
    d('LowRankMultivariateNormal', t([[0.0] * 3] * 2), t([[[1.0]] * 3] * 3), DIAG),
    d('MixtureSameFamily', d('Normal', 0, 1), d('Normal', 0, 1)), d('MixtureSameFamily', d('Categorical', ROWS), 3),
    d('MixtureSameFamily', d('Categorical', ROWS), d('Normal', LOC22, 1)),
    d('MixtureSameFamily', d('Categorical', ROWS), d('Normal', t([[0.0] * 3] * 3), 1)),
    d('Multinomial', 2.5, ROWS), d('Multinomial', 2), d('MultivariateNormal', t(0.0), COV), d('MultivariateNormal', LOC3),
    d('MultivariateNormal', LOC3, COV, COV), d('MultivariateNormal', LOC3, LOC3),
    d('MultivariateNormal', LOC3, precision_matrix=LOC3), d('MultivariateNormal', LOC3, scale_tril=LOC3),
    d('MultivariateNormal', t([0.0, 0.0]), t([[1.0, 2.0], [2.0, 1.0]])),
    d('MultivariateNormal', t([0.0, 0.0]), t([[1.0, 2.0], [0.0, 1.0]])),
    d('MultivariateNormal', t([0.0, 0.0]), scale_tril=t([[1.0, 2.0], [0.0, 1.0]])),
    d('NegativeBinomial', -1, 0.5), d('NegativeBinomial', 2, 1.0), d('NegativeBinomial', 2),
    d('Normal', 0, -1), d('Normal', t([0.0, float('nan')]), 1), d('Normal', t([0.0, 1.0]), t([1.0, -1.0])),
    d('Normal', t([0.0, 1.0]), t([1.0, 1.0, 1.0])), d('OneHotCategorical'), d('Pareto', -1, 1), d('Pareto', 1, 0), d('Poisson', -1),
    d('RelaxedBernoulli', t(0.5)), d('RelaxedBernoulli', t(0.5), 1.5), d('RelaxedOneHotCategorical', t(0.5)),
    d('StudentT', 0), d('StudentT', 2, 0, -1), d('TransformedDistribution', d('Normal', 0, 1), 3),
    d('TransformedDistribution', d('Normal', 0, 1), [3]), d('TransformedDistribution', d('Normal', 0, 1), [d('StickBreakingTransform')]),
    d('Uniform', 1, 1), d('Uniform', t([0.0, 3.0]), t([1.0, 2.0])), d('VonMises', 0, -1), d('Weibull', 1, -1), d('Weibull', 0, 1),
    d('Wishart', 1, COV), d('Wishart', t([3.0, 1.5]), COV), d('Wishart', 4), d('Wishart', 4, LOC3), d('Wishart', 4, COV, COV),
    d('Wishart', 4, t([[1.0, 2.0], [2.0, 1.0]])),
    d('ExpTransform', cache_size=2), d('ReshapeTransform', [4], [3]),
]

# a distribution and values that are not its samples
OUTSIDE = [
    (d('Normal', t([0.0, 1.0]), 1), t([0.0, 1.0, 2.0])), (d('Normal', 0, 1), t([0.0, float('nan')])),
    (d('Bernoulli', P), t([0.0, 0.5, 1.0])), (d('Binomial', 3, P), t([4.0, 1.0, 2.0])), (d('Binomial', 3, 0.5), t(-1.0)),
    (d('Categorical', ROWS), t([3, 0], 'int64')), (d('Categorical', ROWS), t([0, 1, 2], 'int64')),
    (d('Exponential', A), t([1.0, -1.0, 1.0])), (d('Gamma', 1, 1), t(-2.0)), (d('Beta', 1, 1), t(1.5)),
    (d('Dirichlet', A), t([0.5, 0.5, 0.5])), (d('Dirichlet', A), t([0.5, 0.5])), (d('Uniform', 0, 1), t(2.0)),
    (d('Uniform', L, t([1.0, 1.0, 1.0])), t([0.0, 2.0, 0.0])), (d('Poisson', 1), t(0.5)), (d('Geometric', 0.5), t(-1.0)),
    (d('MultivariateNormal', LOC3, COV), t([1.0, 2.0])), (d('Multinomial', 3, t([0.5, 0.5])), t([3.0, 4.0])),
    (d('OneHotCategorical', t([0.5, 0.5])), t([1.0, 1.0])), (d('LogNormal', 0, 1), t(-1.0)), (d('Pareto', 2, 1), t(1.0)),
    (d('HalfNormal', 1), t(-1.0)), (d('HalfCauchy', 1), t(-1.0)), (d('Weibull', 1, 1), t(0.0)), (d('LKJCholesky', 2), t([[1.0, 0.0], [0.5, 0.5]])),
    (d('Wishart', 4, COV), COV if False else t([[1.0, 2.0, 0.0], [2.0, 1.0, 0.0], [0.0, 0.0, 1.0]])),
    (d('TransformedDistribution', d('Normal', 0, 1), [d('ExpTransform')]), t(-1.0)),
    (d('Normal', 0, 1, False), t(float('nan'))), (d('Uniform', 0, 1, False), t([-1.0, 0.5, 2.0])),
    (d('VonMises', 0, 1), t(float('inf'))), (d('StudentT', 2), t(float('nan'))), (d('ContinuousBernoulli', 0.5), t(2.0)),
    (d('Independent', d('Exponential', A), 1), t([1.0, 1.0, -1.0])), (d('RelaxedBernoulli', t(0.5), 0.5), t(2.0)),
    (d('NegativeBinomial', 2, 0.5), t(0.5)), (d('MixtureSameFamily', d('Categorical', t([0.5, 0.5])), d('Exponential', t([1.0, 2.0]))), t(-1.0)),
]

KL = {
    'Bernoulli': [d('Bernoulli', P), d('Bernoulli', logits=L), d('Bernoulli', t([0.0, 1.0, 0.5]))],
    'Beta': [d('Beta', A, t([1.0, 2.0, 0.5])), d('Beta', 2, 3)],
    'Binomial': [d('Binomial', 4, P), d('Binomial', t([4.0, 3.0, 4.0]), t([0.3, 0.4, 0.5]))],
    'Categorical': [d('Categorical', ROWS), d('Categorical', logits=LOGITS), d('Categorical', t([0.0, 0.5, 0.5]))],
    'Cauchy': [d('Cauchy', L, A), d('Cauchy', 0, 1)],
    'ContinuousBernoulli': [d('ContinuousBernoulli', P), d('ContinuousBernoulli', 0.3)],
    'Dirichlet': [d('Dirichlet', A), d('Dirichlet', t([[1.0, 2.0, 3.0], [0.5, 0.6, 0.7]]))],
    'Exponential': [d('Exponential', A), d('Exponential', 2)],
    'ExponentialFamily': [d('Chi2', A), d('Chi2', 3)],
    'Gamma': [d('Gamma', A, t([1.0, 2.0, 0.5])), d('Gamma', 2, 3)],
    'Geometric': [d('Geometric', P), d('Geometric', 0.3)],
    'Gumbel': [d('Gumbel', L, A), d('Gumbel', 0, 2)],
    'HalfNormal': [d('HalfNormal', A), d('HalfNormal', 2)],
    'Independent': [d('Independent', d('Normal', LOC22, 1), 1), d('Independent', d('Normal', t([0.0, 0.5]), 2), 1), d('Independent', d('Normal', LOC22, 2), 2)],
    'Laplace': [d('Laplace', L, A), d('Laplace', 0, 2)],
    'LowRankMultivariateNormal': [d('LowRankMultivariateNormal', LOC3, W, DIAG), d('LowRankMultivariateNormal', t([[0.5, 1.0, -1.0], [0.0, 0.0, 0.0]]), W, t([1.0, 0.5, 0.75]))],
    'MultivariateNormal': [d('MultivariateNormal', LOC3, COV), d('MultivariateNormal', t([[0.5, 1.0, -1.0], [0.0, 0.0, 0.0]]), precision_matrix=COV)],
    'Normal': [d('Normal', L, A), d('Normal', 0, 2)],
    'OneHotCategorical': [d('OneHotCategorical', ROWS), d('OneHotCategorical', logits=LOGITS)],
    'Pareto': [d('Pareto', A, t([0.5, 1.5, 3.5])), d('Pareto', 1, 2)],
    'Poisson': [d('Poisson', A), d('Poisson', 3)],
    'TransformedDistribution': [d('LogNormal', L, A), d('LogNormal', 0, 1)],
    'Uniform': [d('Uniform', t([0.1, 0.2, -1.0]), t([0.6, 0.9, 0.5])), d('Uniform', 0.25, 1.5), d('Uniform', 1.0, 1.5)],
}
KL_ERRORS = [
    (d('Normal', 0, 1), d('Cauchy', 0, 1)), (d('StudentT', 3), d('StudentT', 3)), (d('Normal', 0, 1), d('Poisson', 1)),
    (d('Binomial', 2, 0.5), d('Binomial', 3, 0.5)), (d('LogNormal', 0, 1), d('HalfCauchy', 1)),
    (d('Independent', d('Normal', LOC22, 1), 1), d('Independent', d('Normal', LOC22, 1), 2)),
    (d('MultivariateNormal', LOC3, COV), d('MultivariateNormal', t([0.0, 0.0]), t([[1.0, 0.0], [0.0, 1.0]]))),
    (d('LowRankMultivariateNormal', LOC3, W, DIAG), d('MultivariateNormal', t([0.0, 0.0]), t([[1.0, 0.0], [0.0, 1.0]]))),
    (d('VonMises', 0, 1), d('Normal', 0, 1)), (d('Gumbel', 0, 1), d('Cauchy', 0, 1)),
]


def c(name, *a):
    return {'make': 'constraints.' + name, 'a': list(a)} if a else {'make': 'constraints.' + name}


NUMBERS = t([-1.0, 0.0, 0.5, 1.0, 2.0, 3.0, float('nan'), float('inf')])
VECTORS = t([[0.2, 0.3, 0.5], [1.0, 0.0, 0.0], [0.5, 0.6, -0.1], [1.0, 1.0, 2.0]])
MATRICES = t([[[1.0, 0.0], [0.6, 0.8]], [[2.0, 0.5], [0.5, 1.0]], [[1.0, 2.0], [2.0, 1.0]], [[1.0, 1.0], [1.0, 1.0]], [[-1.0, 0.0], [0.0, 1.0]]])
CONSTRAINTS = [(c(n), NUMBERS) for n in ('boolean', 'nonnegative_integer', 'positive_integer', 'real', 'positive', 'unit_interval')]
CONSTRAINTS += [(c('nonnegative'), NUMBERS)] if hasattr(constraints, 'nonnegative') else []
CONSTRAINTS += [
    (c('greater_than', 1), NUMBERS), (c('greater_than', 0.5), NUMBERS), (c('greater_than_eq', 1), NUMBERS), (c('less_than', 1.5), NUMBERS),
    (c('interval', -0.5, 2), NUMBERS), (c('interval', t(0.0), t(1.0)), NUMBERS), (c('half_open_interval', 0, 1), NUMBERS), (c('integer_interval', 0, 2), NUMBERS),
    (c('integer_interval', 0, t([1.0] * 8)), NUMBERS),
    (c('one_hot'), VECTORS), (c('real_vector'), VECTORS), (c('simplex'), VECTORS), (c('multinomial', 1), VECTORS),
    (c('independent', c('positive'), 1), VECTORS), (c('independent', c('unit_interval'), 2), VECTORS), (c('independent', c('real'), 3), VECTORS),
    (c('lower_triangular'), MATRICES), (c('lower_cholesky'), MATRICES), (c('corr_cholesky'), MATRICES), (c('square'), MATRICES), (c('square'), VECTORS),
    (c('symmetric'), MATRICES), (c('symmetric'), VECTORS), (c('positive_semidefinite'), MATRICES), (c('positive_definite'), MATRICES),
    (c('cat', [c('positive'), c('unit_interval')], -1, [1, 2]), VECTORS), (c('stack', [c('positive'), c('unit_interval'), c('real')], -1), VECTORS),
    (c('dependent'), VECTORS),
]

X3 = t([[-1.25, 0.5, 2.0], [0.1, -0.3, 0.0]])
POS = t([[0.25, 1.5, 2.0], [0.1, 0.3, 4.0]])
SQUARE = t([[0.5, 0.2, 0.1], [-0.4, 1.0, 0.6], [0.3, -0.7, 0.2]])
TRANSFORMS = [
    (d('ExpTransform'), X3), (d('PowerTransform', 2), POS), (d('PowerTransform', t([0.5, 1.0, 3.0])), POS), (d('SigmoidTransform'), X3),
    (d('SoftplusTransform'), X3), (d('TanhTransform'), X3), (d('AbsTransform'), X3), (d('AffineTransform', 1, 2), X3),
    (d('AffineTransform', t([1.0, 2.0, 3.0]), t([-1.0, 0.5, 2.0])), X3), (d('AffineTransform', 0.5, t([-1.0, 0.5, 2.0]), 1), X3),
    (d('AffineTransform', 0, -2.0, event_dim=1), X3), (d('CorrCholeskyTransform'), X3), (d('SoftmaxTransform'), X3), (d('StickBreakingTransform'), X3),
    (d('LowerCholeskyTransform'), SQUARE), (d('ReshapeTransform', [3], [3, 1]), X3), (d('IndependentTransform', d('ExpTransform'), 1), X3),
    (d('IndependentTransform', d('ExpTransform'), 3), X3),
    (d('ComposeTransform', [d('AffineTransform', 1.0, 2.0), d('ExpTransform')]), X3), (d('ComposeTransform', []), X3),
    (d('ComposeTransform', [d('ExpTransform'), d('StickBreakingTransform')]), X3),
    (d('ComposeTransform', [d('StickBreakingTransform'), d('IndependentTransform', d('AffineTransform', 0, 3.0), 1)]), X3),
    (d('CatTransform', [d('ExpTransform'), d('AffineTransform', 1, 2)], -1, [1, 2]), X3), (d('CatTransform', [d('ExpTransform'), d('TanhTransform')], 0), X3),
    (d('StackTransform', [d('ExpTransform'), d('TanhTransform'), d('SigmoidTransform')], 1), X3), (d('StackTransform', [d('ExpTransform'), d('TanhTransform')]), X3),
    (d('CumulativeDistributionTransform', d('Normal', 0.5, 2)), X3),
    ({'property': 'inv', 'of': d('ExpTransform')}, POS), ({'property': 'inv', 'of': d('StickBreakingTransform')}, t([[0.2, 0.3, 0.5], [0.6, 0.3, 0.1]])),
    ({'property': 'inv', 'of': d('ComposeTransform', [d('ExpTransform'), d('AffineTransform', 0, 2.0)])}, POS),
]


def transform_case(spec, x):
    f, x_ = build(spec), build(x)
    y = attempt(lambda: f(x_))
    case = {'of': spec, 'x': x, 'repr': str(f), 'y': y, 'grad': attempt_gradients(x, lambda x: f(x))}
    for name in ('bijective', 'event_dim', 'sign'):
        case[name] = attempt(lambda: getattr(f, name))
    case['domain'] = attempt(lambda: str(f.domain)) if not isinstance(f, (D.CatTransform, D.StackTransform)) else None
    case['codomain'] = attempt(lambda: str(f.codomain)) if not isinstance(f, (D.CatTransform, D.StackTransform)) else None
    case['dims'] = attempt(lambda: torch.Size([f.domain.event_dim, f.codomain.event_dim]))
    case['forward_shape'] = attempt(lambda: f.forward_shape(x_.shape))
    if 'error' not in y:
        case['back'] = attempt(lambda: f.inv(f(x_)))
        case['log_det'] = attempt(lambda: f.log_abs_det_jacobian(x_, f(x_)))
        case['grad_log_det'] = attempt_gradients(x, lambda x: f.log_abs_det_jacobian(x, f(x)))
        case['inverse_shape'] = attempt(lambda: f.inverse_shape(f(x_).shape))
        case['inverse_repr'] = str(f.inv)
    return case


SHAPE_ERRORS = [
    (d('CorrCholeskyTransform'), 'forward_shape', [2, 4]), (d('CorrCholeskyTransform'), 'forward_shape', []), (d('CorrCholeskyTransform'), 'inverse_shape', [3]),
    (d('CorrCholeskyTransform'), 'inverse_shape', [2, 3]), (d('ReshapeTransform', [4], [2, 2]), 'forward_shape', [5]), (d('ReshapeTransform', [4], [2, 2]), 'forward_shape', []),
    (d('ReshapeTransform', [4], [2, 2]), 'inverse_shape', [4]), (d('ReshapeTransform', [4], [2, 2]), 'inverse_shape', [3, 4, 1]), (d('SoftmaxTransform'), 'forward_shape', []),
    (d('StickBreakingTransform'), 'inverse_shape', []), (d('CorrCholeskyTransform'), 'forward_shape', [2, 6]), (d('CorrCholeskyTransform'), 'inverse_shape', [5, 4, 4]),
]

REGISTRY = [s for s, _ in CONSTRAINTS if s not in (c('square'),)]


def registry_case(spec):
    made = build(spec)
    return {'of': spec, 'biject_to': attempt(lambda: str(D.biject_to(made))), 'transform_to': attempt(lambda: str(D.transform_to(made)))}


def plain(x):
    """Without the floats that JSON has no word for."""
    if isinstance(x, dict):
        return {key: plain(v) for key, v in x.items()}
    if isinstance(x, (list, tuple)):
        return [plain(v) for v in x]
    return number(x) if isinstance(x, float) else x


def write(name, cases):
    with open(os.path.join(HERE, name), 'w') as f:
        f.write('[\n' + ',\n'.join(json.dumps(plain(case)) for case in cases) + '\n]\n')


def kl_cases():
    for (p, q) in sorted(_KL_REGISTRY, key=lambda pair: (pair[0].__name__, pair[1].__name__)):
        for i, left in enumerate(KL[p.__name__]):
            for right in KL[q.__name__]:
                both = [left, right]
                yield {'pair': [p.__name__, q.__name__], 'p': left, 'q': right,
                       'kl': attempt(lambda: D.kl_divergence(build(left), build(right))),
                       'grad': attempt_gradients(both, lambda x: D.kl_divergence(*x))}
    for left, right in KL_ERRORS:
        yield {'p': left, 'q': right, 'kl': attempt(lambda: D.kl_divergence(build(left), build(right)))}


if __name__ == '__main__':
    write('distributions.json', [distribution_case(spec) for spec in DISTRIBUTIONS])
    write('errors.json', [{'of': spec, 'made': attempt(lambda: str(build(spec)))} for spec in ERRORS]
          + [{'of': spec, 'value': v, 'log_prob': attempt(lambda: build(spec).log_prob(build(v)))} for spec, v in OUTSIDE])
    write('kl.json', list(kl_cases()))
    write('constraints.json', [
        {'of': spec, 'value': v, 'repr': str(build(spec)), 'check': attempt(lambda: build(spec).check(build(v))),
         'is_discrete': attempt(lambda: build(spec).is_discrete), 'event_dim': attempt(lambda: build(spec).event_dim)}
        for spec, v in CONSTRAINTS] + [registry_case(spec) for spec in REGISTRY])
    write('transforms.json', [transform_case(spec, x) for spec, x in TRANSFORMS]
          + [{'of': spec, 'method': m, 'shape': s, 'result': attempt(lambda: getattr(build(spec), m)(torch.Size(s)))} for spec, m, s in SHAPE_ERRORS])
