// Transforms of vectors and matrices as wholes: onto simplices, Cholesky factors and those of correlations.
// Not here: the base class (transform.ts), transforms of each element (elementwise.ts).
import { ValueError } from '../../base/errors.ts'
import * as F from '../../nn/functional/index.ts'
import type { Tensor } from '../../torch.ts'
import * as torch from '../../torch.ts'
import type { Constraint } from '../constraints.ts'
import * as constraints from '../constraints.ts'
import { one_minus, tril_matrix_to_vec, vec_to_tril_matrix } from '../utils.ts'
import { clipped_sigmoid } from './elementwise.ts'
import { require_dims, type Sizes, Transform } from './transform.ts'

/** Without the last column. */
const but_last = (x: Tensor): Tensor => x.narrow(-1, 0, x.size(-1) - 1)

/**
 * n (n - 1) / 2 numbers become the Cholesky factor of an n x n correlation matrix: tanh makes them partial
 * correlations, of which each row breaks its length 1.
 */
export class CorrCholeskyTransform extends Transform {
  get domain(): Constraint {
    return constraints.real_vector
  }

  get codomain(): Constraint {
    return constraints.corr_cholesky
  }

  override get bijective(): boolean {
    return true
  }

  override _call(x: Tensor): Tensor {
    const { eps } = torch.finfo(x.dtype)
    const r = vec_to_tril_matrix(x.tanh().clamp(-1 + eps, 1 - eps), -1)
    const rest = one_minus(r.pow(2)).sqrt().cumprod(-1)
    const eye = torch.eye(r.size(-1), { dtype: r.dtype })
    return r.add(eye).mul(F.pad(but_last(rest), [1, 0], { value: 1 }))
  }

  override _inverse(y: Tensor): Tensor {
    const rest = F.pad(but_last(one_minus(y.mul(y).cumsum(-1))), [1, 0], { value: 1 })
    const t = tril_matrix_to_vec(y, -1).div(tril_matrix_to_vec(rest, -1).sqrt())
    return t.add(1).div(one_minus(t)).log().div(2)
  }

  override log_abs_det_jacobian(x: Tensor, y: Tensor): Tensor {
    const rest = tril_matrix_to_vec(one_minus(y.mul(y).cumsum(-1)), -2)
    const breaking = rest.log().sum(-1).mul(0.5)
    const tanh = x
      .add(F.softplus(x.mul(-2)))
      .sub(Math.LN2)
      .sum(-1)
      .mul(-2)
    return breaking.add(tanh)
  }

  override forward_shape(shape: Sizes): torch.Size {
    require_dims(shape, 1)
    const n = shape.at(-1) as number
    const d = Math.round(Math.sqrt(0.25 + 2 * n) + 0.5)
    if ((d * (d - 1)) / 2 !== n) throw new ValueError('Input is not a flattend lower-diagonal number')
    return new torch.Size([...shape.slice(0, -1), d, d])
  }

  override inverse_shape(shape: Sizes): torch.Size {
    require_dims(shape, 2)
    const [rows, columns] = shape.slice(-2) as [number, number]
    if (rows !== columns) throw new ValueError('Input is not square')
    return new torch.Size([...shape.slice(0, -2), (columns * (columns - 1)) / 2])
  }
}

/** y = exp(x) / sum exp(x): not one to one, the inverse gives the logarithms. */
export class SoftmaxTransform extends Transform {
  get domain(): Constraint {
    return constraints.real_vector
  }

  get codomain(): Constraint {
    return constraints.simplex
  }

  override equals(other: unknown): boolean {
    return other instanceof SoftmaxTransform
  }

  override _call(x: Tensor): Tensor {
    const probs = x.sub(x.max(-1, true).values).exp()
    return probs.div(probs.sum(-1, true))
  }

  override _inverse(y: Tensor): Tensor {
    return y.log()
  }

  override forward_shape(shape: Sizes): torch.Size {
    require_dims(shape, 1)
    return new torch.Size(shape)
  }

  override inverse_shape(shape: Sizes): torch.Size {
    return this.forward_shape(shape)
  }
}

/** log(n), log(n - 1), ..., log(1). */
const log_countdown = (n: number, like: Tensor): Tensor => torch.arange(n, 0, -1, { dtype: like.dtype }).log()

/** n numbers become n + 1 that sum to 1: each sigmoid breaks off its share of what the former ones left. */
export class StickBreakingTransform extends Transform {
  get domain(): Constraint {
    return constraints.real_vector
  }

  get codomain(): Constraint {
    return constraints.simplex
  }

  override get bijective(): boolean {
    return true
  }

  override equals(other: unknown): boolean {
    return other instanceof StickBreakingTransform
  }

  override _call(x: Tensor): Tensor {
    const z = clipped_sigmoid(x.sub(log_countdown(x.size(-1), x)))
    const left = one_minus(z).cumprod(-1)
    return F.pad(z, [0, 1], { value: 1 }).mul(F.pad(left, [1, 0], { value: 1 }))
  }

  override _inverse(y: Tensor): Tensor {
    const shares = but_last(y)
    const left = one_minus(shares.cumsum(-1)).clamp_min(torch.finfo(y.dtype).tiny)
    return shares
      .log()
      .sub(left.log())
      .add(log_countdown(shares.size(-1), y))
  }

  override log_abs_det_jacobian(x: Tensor, y: Tensor): Tensor {
    const shifted = x.sub(log_countdown(x.size(-1), x))
    return F.logsigmoid(shifted).sub(shifted).add(but_last(y).log()).sum(-1)
  }

  override forward_shape(shape: Sizes): torch.Size {
    require_dims(shape, 1)
    return new torch.Size([...shape.slice(0, -1), (shape.at(-1) as number) + 1])
  }

  override inverse_shape(shape: Sizes): torch.Size {
    require_dims(shape, 1)
    return new torch.Size([...shape.slice(0, -1), (shape.at(-1) as number) - 1])
  }
}

const REAL_MATRIX = constraints.independent(constraints.real, 2)
const diagonal = (x: Tensor): Tensor => x.diagonal(0, -2, -1)

/** Square matrices become lower triangular with a positive diagonal: its exponential. */
export class LowerCholeskyTransform extends Transform {
  get domain(): Constraint {
    return REAL_MATRIX
  }

  get codomain(): Constraint {
    return constraints.lower_cholesky
  }

  override equals(other: unknown): boolean {
    return other instanceof LowerCholeskyTransform
  }

  override _call(x: Tensor): Tensor {
    return x.tril(-1).add(diagonal(x).exp().diag_embed())
  }

  override _inverse(y: Tensor): Tensor {
    return y.tril(-1).add(diagonal(y).log().diag_embed())
  }
}
