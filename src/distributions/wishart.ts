// The Wishart distribution of covariance matrices, drawn by Bartlett's decomposition.
import { AssertionError, ValueError } from '../base/errors.ts'
import * as torch from '../torch.ts'
import { linalg, type Tensor } from '../torch.ts'
import type { Constraint } from './constraints.ts'
import * as constraints from './constraints.ts'
import { type Constraints, lazy_properties } from './distribution.ts'
import { ExponentialFamily } from './exp_family.ts'
import { Chi2 } from './gamma.ts'
import { diagonal, factor_of, given_matrix, half_log_det } from './multivariate_normal.ts'
import {
  assign,
  format,
  is_number,
  type Keywords,
  lazy,
  masked,
  type SampleShape,
  signature,
  to_size,
  type Validate,
  type Value,
} from './utils.ts'

/** The derivative of the multivariate log gamma function. Throws AssertionError outside of its domain. */
function mvdigamma(x: Tensor, p: number): Tensor {
  if (
    !x
      .gt((p - 1) / 2)
      .all()
      .item()
  )
    throw new AssertionError('Wrong domain for multivariate digamma function.')
  return x
    .unsqueeze(-1)
    .sub(torch.arange(p, { dtype: x.dtype }).div(2))
    .digamma()
    .sum(-1)
}

type Settings = {
  df: Value
  covariance_matrix: Tensor | null
  precision_matrix: Tensor | null
  scale_tril: Tensor | null
  validate_args: Validate
}
const read = signature<Settings>(
  'Wishart(any df, Tensor? covariance_matrix=None, Tensor? precision_matrix=None, Tensor? scale_tril=None, ' +
    'bool? validate_args=None)',
)

/** The chi-squared distributions of the diagonal of Bartlett's factor. */
const diagonal_of = (df: Tensor, factor: Tensor): Chi2 =>
  new Chi2(df.unsqueeze(-1).sub(torch.arange(factor.size(-1), { dtype: factor.dtype })))

/** The scatter of `df` normal vectors of a covariance matrix: positive definite matrices. */
export class Wishart extends ExponentialFamily {
  static override readonly arg_constraints: Constraints = {
    covariance_matrix: constraints.positive_definite,
    precision_matrix: constraints.positive_definite,
    scale_tril: constraints.lower_cholesky,
    df: constraints.greater_than(0),
  }
  static override readonly support: Constraint = constraints.positive_definite
  static override readonly has_rsample = true
  declare readonly df: Tensor
  declare readonly _unbroadcasted_scale_tril: Tensor
  declare readonly _dist_chi2: Chi2

  constructor(
    ...args: Keywords<
      [
        df: Value,
        covariance_matrix: Tensor | null,
        precision_matrix: Tensor | null,
        scale_tril: Tensor | null,
        validate_args: Validate,
      ],
      Partial<Settings>
    >
  ) {
    super()
    const settings = read(args)
    const given = given_matrix(settings)
    if (given === null)
      throw new AssertionError(
        'Exactly one of covariance_matrix or precision_matrix or scale_tril may be specified.',
      )
    const [name, matrix] = given
    if (matrix.ndim < 2)
      throw new ValueError(
        'scale_tril must be at least two-dimensional, with optional leading batch dimensions',
      )
    const event = matrix.shape.slice(-2)
    const n = event.at(-1) as number
    const matrices = matrix.shape.slice(0, -2)
    const batch = is_number(settings.df) ? matrices : torch.broadcast_shapes(matrices, [...settings.df.shape])
    const df = is_number(settings.df)
      ? torch.tensor(settings.df, { dtype: matrix.dtype })
      : settings.df.expand([...batch])
    if (
      df
        .le(n - 1)
        .any()
        .item()
    )
      throw new ValueError(
        `Value of df=${format(settings.df)} expected to be greater than ndim - 1 = ${n - 1}.`,
      )
    assign(this, { df, [name]: matrix.expand([...batch, -1, -1]) })
    if (df.lt(n).any().item())
      torch._warn(
        'Low df values detected. Singular samples are highly likely to occur for ndim - 1 < df < ndim.',
      )
    this._init(batch, event, settings.validate_args)
    const _unbroadcasted_scale_tril = factor_of(name, matrix)
    assign(this, {
      _unbroadcasted_scale_tril,
      _dist_chi2: diagonal_of(df, _unbroadcasted_scale_tril).expand([...batch, n]),
    })
  }

  override get arg_constraints(): Constraints {
    const n = this._event_shape.at(-1) as number
    return { ...Wishart.arg_constraints, df: constraints.greater_than(n - 1) }
  }

  override expand(batch_shape: readonly number[]): this {
    const event = this._event_shape
    const shape = [...batch_shape, ...event]
    const fields = this._expanded(
      shape,
      'covariance_matrix',
      'scale_tril',
      'precision_matrix',
      '_unbroadcasted_scale_tril',
    )
    const df = this.df.expand([...batch_shape])
    const _dist_chi2 = this._dist_chi2.expand([...batch_shape, event.at(-1) as number])
    return this._copy(batch_shape, event, { ...fields, df, _dist_chi2 })
  }

  protected _matrix(name: string, compute: (L: Tensor) => Tensor): Tensor {
    const shape = [...this._batch_shape, ...this._event_shape]
    return lazy(this, name, () => compute(this._unbroadcasted_scale_tril).expand(shape))
  }

  get scale_tril(): Tensor {
    return this._matrix('scale_tril', L => L)
  }

  get covariance_matrix(): Tensor {
    return this._matrix('covariance_matrix', L => torch.matmul(L, L.mT))
  }

  get precision_matrix(): Tensor {
    return this._matrix('precision_matrix', L =>
      torch.cholesky_solve(torch.eye(L.size(-1), { dtype: L.dtype }), L),
    )
  }

  protected _for_matrices(x: Tensor): Tensor {
    return x.reshape([...this._batch_shape, 1, 1])
  }

  override get mean(): Tensor {
    return this._for_matrices(this.df).mul(this.covariance_matrix)
  }

  override get mode(): Tensor {
    const factor = this.df.sub((this._event_shape.at(-1) as number) + 1)
    return this._for_matrices(masked(factor, factor.le(0), Number.NaN)).mul(this.covariance_matrix)
  }

  override get variance(): Tensor {
    const V = this.covariance_matrix
    const d = diagonal(V)
    const products = d.unsqueeze(-1).mul(d.unsqueeze(-2))
    return this._for_matrices(this.df).mul(V.pow(2).add(products))
  }

  protected _bartlett(sample_shape: readonly number[]): Tensor {
    const p = this._event_shape.at(-1) as number
    const L = this._unbroadcasted_scale_tril
    const roots = this._dist_chi2.rsample(sample_shape).sqrt()
    const diag = roots.clamp_min(torch.finfo(roots.dtype).eps).diag_embed()
    const below = torch.randn([...sample_shape, ...this._batch_shape, (p * (p - 1)) / 2], { dtype: L.dtype })
    const [i, j] = torch.tril_indices(p, p, -1).unbind() as [Tensor, Tensor]
    const places = i
      .mul(p)
      .add(j)
      .expand([...below.shape])
    const factor = L.matmul(diag.flatten(-2).scatter(-1, places, below).reshape(diag.shape))
    return torch.matmul(factor, factor.mT)
  }

  /** Per sample whether it, or one of its batch, satisfies `mask`. */
  protected _any_of_batch(mask: Tensor): Tensor {
    const dims = [...this._batch_shape.keys()].map(d => -(d + 1))
    return dims.length === 0 ? mask : mask.amax(dims)
  }

  // PyTorch 1.13 first takes the samples that are positive definite for the singular ones, and draws them once more.
  override rsample(sample_shape: SampleShape = [], max_try_correction = 10): Tensor {
    let sample = this._bartlett(to_size(sample_shape))
    let again = this._any_of_batch(this.support.check(sample))
    if (!again.any().item()) return sample
    torch._warn('Singular sample detected.')
    for (let i = 0; i < max_try_correction && again.any().item(); i++) {
      const count = Number(again.sum().item())
      const drawn = this._bartlett([count])
      const singular = this._any_of_batch(this.support.check(drawn).logical_not())
      const places = again.reshape([-1]).nonzero().squeeze(-1)
      const rows = sample.reshape([-1, ...this._batch_shape, ...this._event_shape])
      sample = rows.index_copy(0, places, drawn).reshape(sample.shape)
      again = again.reshape([-1]).index_copy(0, places, singular).reshape(again.shape)
    }
    return sample
  }

  override log_prob(value: Tensor): Tensor {
    this._check(value)
    const nu = this.df
    const p = this._event_shape.at(-1) as number
    const L = this._unbroadcasted_scale_tril
    const scale = half_log_det(L).add((p * Math.LN2) / 2)
    return nu
      .neg()
      .mul(scale)
      .sub(torch.mvlgamma(nu.div(2), p))
      .add(
        nu
          .sub(p + 1)
          .div(2)
          .mul(linalg.slogdet(value).logabsdet),
      )
      .sub(diagonal(torch.cholesky_solve(value, L)).sum(-1).div(2))
  }

  override entropy(): Tensor {
    const nu = this.df
    const p = this._event_shape.at(-1) as number
    const half = nu.div(2)
    return half_log_det(this._unbroadcasted_scale_tril)
      .add((p * Math.LN2) / 2)
      .mul(p + 1)
      .add(torch.mvlgamma(half, p))
      .sub(
        nu
          .sub(p + 1)
          .div(2)
          .mul(mvdigamma(half, p)),
      )
      .add(nu.mul(p / 2))
  }

  override get _natural_params(): readonly Tensor[] {
    const p = this._event_shape.at(-1) as number
    return [this.precision_matrix.neg().div(2), this.df.sub(p + 1).div(2)]
  }

  override _log_normalizer(x: Tensor, y: Tensor): Tensor {
    const p = this._event_shape.at(-1) as number
    const more = y.add((p + 1) / 2)
    const log_det = linalg.slogdet(x.mul(-2)).logabsdet
    return more.mul(log_det.rsub(Math.LN2 * p)).add(torch.mvlgamma(more, p))
  }

  override get _mean_carrier_measure(): number {
    return 0
  }
}
lazy_properties(Wishart, 'scale_tril', 'covariance_matrix', 'precision_matrix')
