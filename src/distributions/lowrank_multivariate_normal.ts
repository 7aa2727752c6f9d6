// The multivariate normal distribution of covariance W W^T + D, for few columns W and a diagonal D. Computed by the
// small matrix I + W^T D^-1 W ("capacitance") and the lemmas of Woodbury and of the matrix determinant.
import { RuntimeError, ValueError } from '../base/errors.ts'
import * as torch from '../torch.ts'
import { linalg, type Tensor } from '../torch.ts'
import type { Constraint } from './constraints.ts'
import * as constraints from './constraints.ts'
import { type Constraints, Distribution, lazy_properties } from './distribution.ts'
import { batch_mahalanobis, batch_mv, half_log_det } from './multivariate_normal.ts'
import {
  assign,
  type Keywords,
  lazy,
  type SampleShape,
  signature,
  standard_normal,
  type Validate,
} from './utils.ts'

const LOG_TAU = Math.log(2 * Math.PI)
const plus_identity = (K: Tensor): Tensor => K.add(torch.eye(K.size(-1), { dtype: K.dtype }))

/** W^T D^-1. */
export const scaled_transpose = (W: Tensor, D: Tensor): Tensor => W.mT.div(D.unsqueeze(-2))

/** The Cholesky factor of I + W^T D^-1 W. */
const capacitance_tril = (W: Tensor, D: Tensor): Tensor =>
  linalg.cholesky(plus_identity(torch.matmul(scaled_transpose(W, D), W)))

/** log |W W^T + D|. */
export const lowrank_log_det = (D: Tensor, capacitance: Tensor): Tensor =>
  half_log_det(capacitance).mul(2).add(D.log().sum(-1))

/** x^T (W W^T + D)^-1 x. */
export function lowrank_mahalanobis(W: Tensor, D: Tensor, x: Tensor, capacitance: Tensor): Tensor {
  const inner = batch_mv(scaled_transpose(W, D), x)
  return x.pow(2).div(D).sum(-1).sub(batch_mahalanobis(capacitance, inner))
}

type Settings = { loc: Tensor; cov_factor: Tensor; cov_diag: Tensor; validate_args: Validate }
const read = signature<Settings>(
  'LowRankMultivariateNormal(Tensor loc, Tensor cov_factor, Tensor cov_diag, bool? validate_args=None)',
)

/** The normal distribution of vectors of mean `loc` and covariance cov_factor cov_factor^T + diag(cov_diag). */
export class LowRankMultivariateNormal extends Distribution {
  static override readonly arg_constraints: Constraints = {
    loc: constraints.real_vector,
    cov_factor: constraints.independent(constraints.real, 2),
    cov_diag: constraints.independent(constraints.positive, 1),
  }
  static override readonly support: Constraint = constraints.real_vector
  static override readonly has_rsample = true
  declare readonly loc: Tensor
  declare readonly cov_factor: Tensor
  declare readonly cov_diag: Tensor
  declare readonly _unbroadcasted_cov_factor: Tensor
  declare readonly _unbroadcasted_cov_diag: Tensor
  declare readonly _capacitance_tril: Tensor

  constructor(
    ...args: Keywords<
      [loc: Tensor, cov_factor: Tensor, cov_diag: Tensor, validate_args: Validate],
      Partial<Settings>
    >
  ) {
    super()
    const { loc, cov_factor, cov_diag, validate_args } = read(args)
    if (loc.ndim < 1) throw new ValueError('loc must be at least one-dimensional.')
    const event = loc.shape.slice(-1)
    if (cov_factor.ndim < 2)
      throw new ValueError(
        'cov_factor must be at least two-dimensional, with optional leading batch dimensions',
      )
    if (!cov_factor.shape.slice(-2, -1).equals(event))
      throw new ValueError(`cov_factor must be a batch of matrices with shape ${event[0]} x m`)
    if (!cov_diag.shape.slice(-1).equals(event))
      throw new ValueError(`cov_diag must be a batch of vectors with shape ${event}`)
    const [mean, factor, diag] = broadcast_columns(loc, cov_factor, cov_diag)
    assign(this, {
      loc: mean.select(-1, 0),
      cov_factor: factor,
      cov_diag: diag.select(-1, 0),
      _unbroadcasted_cov_factor: cov_factor,
      _unbroadcasted_cov_diag: cov_diag,
      _capacitance_tril: capacitance_tril(cov_factor, cov_diag),
    })
    this._init(this.loc.shape.slice(0, -1), event, validate_args)
  }

  override expand(batch_shape: readonly number[]): this {
    const event = this._event_shape
    const { _unbroadcasted_cov_factor, _unbroadcasted_cov_diag, _capacitance_tril } = this
    return this._copy(batch_shape, event, {
      ...this._expanded([...batch_shape, ...event], 'loc', 'cov_diag'),
      ...this._expanded([...batch_shape, ...event, this.cov_factor.size(-1)], 'cov_factor'),
      _unbroadcasted_cov_factor,
      _unbroadcasted_cov_diag,
      _capacitance_tril,
    })
  }

  override get mean(): Tensor {
    return this.loc
  }

  override get mode(): Tensor {
    return this.loc
  }

  override get variance(): Tensor {
    const shape = [...this._batch_shape, ...this._event_shape]
    return lazy(this, 'variance', () =>
      this._unbroadcasted_cov_factor.pow(2).sum(-1).add(this._unbroadcasted_cov_diag).expand(shape),
    )
  }

  protected _matrix(name: string, compute: (W: Tensor, D: Tensor) => Tensor): Tensor {
    const shape = [...this._batch_shape, ...this._event_shape, ...this._event_shape]
    return lazy(this, name, () =>
      compute(this._unbroadcasted_cov_factor, this._unbroadcasted_cov_diag).expand(shape),
    )
  }

  get scale_tril(): Tensor {
    return this._matrix('scale_tril', (W, D) => {
      const root = D.sqrt().unsqueeze(-1)
      const scaled = W.div(root)
      return root.mul(linalg.cholesky(plus_identity(torch.matmul(scaled, scaled.mT))))
    })
  }

  get covariance_matrix(): Tensor {
    return this._matrix('covariance_matrix', (W, D) => torch.matmul(W, W.mT).add(torch.diag_embed(D)))
  }

  get precision_matrix(): Tensor {
    return this._matrix('precision_matrix', (W, D) => {
      const A = linalg.solve_triangular(this._capacitance_tril, scaled_transpose(W, D), { upper: false })
      return torch.diag_embed(D.reciprocal()).sub(torch.matmul(A.mT, A))
    })
  }

  override rsample(sample_shape: SampleShape = []): Tensor {
    const shape = this._extended_shape(sample_shape)
    const eps_W = standard_normal([...shape.slice(0, -1), this.cov_factor.size(-1)], this.loc)
    const eps_D = standard_normal(shape, this.loc)
    return this.loc
      .add(batch_mv(this._unbroadcasted_cov_factor, eps_W))
      .add(this._unbroadcasted_cov_diag.sqrt().mul(eps_D))
  }

  protected get _log_det(): Tensor {
    return lowrank_log_det(this._unbroadcasted_cov_diag, this._capacitance_tril)
  }

  override log_prob(value: Tensor): Tensor {
    this._check(value)
    const distance = lowrank_mahalanobis(
      this._unbroadcasted_cov_factor,
      this._unbroadcasted_cov_diag,
      value.sub(this.loc),
      this._capacitance_tril,
    )
    const n = this._event_shape[0] as number
    return this._log_det
      .add(n * LOG_TAU)
      .add(distance)
      .mul(-0.5)
  }

  override entropy(): Tensor {
    const n = this._event_shape[0] as number
    const entropy = this._log_det.add(n * (1 + LOG_TAU)).mul(0.5)
    return this._batch_shape.length === 0 ? entropy : entropy.expand(this._batch_shape)
  }
}
lazy_properties(LowRankMultivariateNormal, 'variance', 'scale_tril', 'covariance_matrix', 'precision_matrix')

/** Broadcasts mean and diagonal, as columns, with the factor. Throws ValueError where the batches do not fit. */
function broadcast_columns(loc: Tensor, factor: Tensor, diag: Tensor): [Tensor, Tensor, Tensor] {
  try {
    return torch.broadcast_tensors(loc.unsqueeze(-1), factor, diag.unsqueeze(-1)) as [Tensor, Tensor, Tensor]
  } catch (error) {
    if (!(error instanceof RuntimeError)) throw error
    throw new ValueError(
      `Incompatible batch shapes: loc ${loc.shape}, cov_factor ${factor.shape}, cov_diag ${diag.shape}`,
    )
  }
}
