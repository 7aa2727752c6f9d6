// The multivariate normal distribution, given its covariance, its precision or a Cholesky factor. Not here: of a
// covariance that is a diagonal and few columns (lowrank_multivariate_normal.ts).
import { ValueError } from '../base/errors.ts'
import * as torch from '../torch.ts'
import { linalg, type Tensor } from '../torch.ts'
import type { Constraint } from './constraints.ts'
import * as constraints from './constraints.ts'
import { type Constraints, Distribution, lazy_properties } from './distribution.ts'
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

/** Matrices times vectors, in batches. */
export const batch_mv = (matrix: Tensor, vector: Tensor): Tensor =>
  torch.matmul(matrix, vector.unsqueeze(-1)).squeeze(-1)

/** The diagonals of matrices. */
export const diagonal = (matrix: Tensor): Tensor => matrix.diagonal(0, -2, -1)

/** Half the log determinant of L L^T, for triangular L. */
export const half_log_det = (L: Tensor): Tensor => diagonal(L).log().sum(-1)

/** x^T M^-1 x, for M = L L^T: the batches are broadcast, and each L is solved for all vectors that share it at once. */
export function batch_mahalanobis(L: Tensor, x: Tensor): Tensor {
  const n = x.size(-1)
  const matrices = L.shape.slice(0, -2)
  const batch = x.shape.slice(0, -1)
  const outer = batch.length - matrices.length
  // dimensions of the batch are split into one that L shares and one along which it repeats
  const split = matrices.flatMap((size, i) => [(batch[outer + i] as number) / size, size])
  const places = [...matrices.keys()]
  const repeats = places.map(i => outer + 2 * i)
  const shared = places.map(i => outer + 2 * i + 1)
  const outers = Array.from({ length: outer }, (_, i) => i)
  const last = outer + 2 * matrices.length
  const grouped = x
    .reshape([...batch.slice(0, outer), ...split, n])
    .permute([...outers, ...repeats, ...shared, last])
  const flat = L.reshape([-1, n, n])
  const vectors = grouped.reshape([-1, flat.size(0), n]).permute([1, 2, 0])
  const solved = linalg.solve_triangular(flat, vectors, { upper: false }).pow(2).sum(-2)
  const back = places.flatMap(i => [outer + i, outer + matrices.length + i])
  return solved
    .t()
    .reshape(grouped.shape.slice(0, -1))
    .permute([...outers, ...back])
    .reshape(batch)
}

/** The lower triangular L with L L^T = P^-1. */
export function precision_to_scale_tril(P: Tensor): Tensor {
  const reversed = linalg.cholesky(torch.flip(P, [-2, -1]))
  const inverse = torch.flip(reversed, [-2, -1]).mT
  const eye = torch.eye(P.size(-1), { dtype: P.dtype })
  return linalg.solve_triangular(inverse, eye, { upper: false })
}

/** sum of squares of the elements of matrices. */
export const batch_trace_XXT = (matrix: Tensor): Tensor => matrix.pow(2).sum([-2, -1])

type Matrices = {
  covariance_matrix: Tensor | null
  precision_matrix: Tensor | null
  scale_tril: Tensor | null
}
type Settings = Matrices & { loc: Tensor; validate_args: Validate }
const read = signature<Settings>(
  'MultivariateNormal(Tensor loc, Tensor? covariance_matrix=None, Tensor? precision_matrix=None, ' +
    'Tensor? scale_tril=None, bool? validate_args=None)',
)

/** The one of the three matrices that is given, with its name; null where it is not one. */
export function given_matrix(settings: Matrices): readonly [keyof Matrices, Tensor] | null {
  const names = ['covariance_matrix', 'precision_matrix', 'scale_tril'] as const
  const given = names.filter(name => settings[name] !== null)
  const [name] = given
  return name === undefined || given.length !== 1 ? null : [name, settings[name] as Tensor]
}

/** The Cholesky factor of the covariance. */
export function factor_of(name: keyof Matrices, matrix: Tensor): Tensor {
  if (name === 'scale_tril') return matrix
  return name === 'covariance_matrix' ? linalg.cholesky(matrix) : precision_to_scale_tril(matrix)
}

/** The normal distribution of vectors: of mean `loc` and one of three matrices. */
export class MultivariateNormal extends Distribution {
  static override readonly arg_constraints: Constraints = {
    loc: constraints.real_vector,
    covariance_matrix: constraints.positive_definite,
    precision_matrix: constraints.positive_definite,
    scale_tril: constraints.lower_cholesky,
  }
  static override readonly support: Constraint = constraints.real_vector
  static override readonly has_rsample = true
  declare readonly loc: Tensor
  declare readonly _unbroadcasted_scale_tril: Tensor

  constructor(
    ...args: Keywords<
      [
        loc: Tensor,
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
    const { loc } = settings
    if (loc.ndim < 1) throw new ValueError('loc must be at least one-dimensional.')
    const given = given_matrix(settings)
    if (given === null)
      throw new ValueError(
        'Exactly one of covariance_matrix or precision_matrix or scale_tril may be specified.',
      )
    const [name, matrix] = given
    if (matrix.ndim < 2)
      throw new ValueError(
        `${name === 'scale_tril' ? 'scale_tril matrix' : name} must be at least two-dimensional, ` +
          'with optional leading batch dimensions',
      )
    const batch = torch.broadcast_shapes(matrix.shape.slice(0, -2), loc.shape.slice(0, -1))
    assign(this, {
      [name]: matrix.expand([...batch, -1, -1]),
      loc: loc.expand([...batch, -1]),
    })
    this._init(batch, loc.shape.slice(-1), settings.validate_args)
    assign(this, { _unbroadcasted_scale_tril: factor_of(name, matrix) })
  }

  override expand(batch_shape: readonly number[]): this {
    const event = this._event_shape
    const { _unbroadcasted_scale_tril } = this
    return this._copy(batch_shape, event, {
      ...this._expanded([...batch_shape, ...event], 'loc'),
      ...this._expanded(
        [...batch_shape, ...event, ...event],
        'covariance_matrix',
        'scale_tril',
        'precision_matrix',
      ),
      _unbroadcasted_scale_tril,
    })
  }

  protected _matrix(name: string, compute: (L: Tensor) => Tensor): Tensor {
    const shape = [...this._batch_shape, ...this._event_shape, ...this._event_shape]
    return lazy(this, name, () => compute(this._unbroadcasted_scale_tril).expand(shape))
  }

  get scale_tril(): Tensor {
    return this._matrix('scale_tril', L => L)
  }

  get covariance_matrix(): Tensor {
    return this._matrix('covariance_matrix', L => torch.matmul(L, L.mT))
  }

  get precision_matrix(): Tensor {
    return this._matrix('precision_matrix', L => torch.cholesky_inverse(L))
  }

  override get mean(): Tensor {
    return this.loc
  }

  override get mode(): Tensor {
    return this.loc
  }

  override get variance(): Tensor {
    const shape = [...this._batch_shape, ...this._event_shape]
    return this._unbroadcasted_scale_tril.pow(2).sum(-1).expand(shape)
  }

  override rsample(sample_shape: SampleShape = []): Tensor {
    const eps = standard_normal(this._extended_shape(sample_shape), this.loc)
    return this.loc.add(batch_mv(this._unbroadcasted_scale_tril, eps))
  }

  override log_prob(value: Tensor): Tensor {
    this._check(value)
    const L = this._unbroadcasted_scale_tril
    const distance = batch_mahalanobis(L, value.sub(this.loc))
    const n = this._event_shape[0] as number
    return distance
      .add(n * LOG_TAU)
      .mul(-0.5)
      .sub(half_log_det(L))
  }

  override entropy(): Tensor {
    const n = this._event_shape[0] as number
    const entropy = half_log_det(this._unbroadcasted_scale_tril).add(0.5 * n * (1 + LOG_TAU))
    return this._batch_shape.length === 0 ? entropy : entropy.expand(this._batch_shape)
  }
}
lazy_properties(MultivariateNormal, 'scale_tril', 'covariance_matrix', 'precision_matrix')
