// The LKJ distribution of Cholesky factors of correlation matrices (Lewandowski, Kurowicka and Joe 2009), drawn by
// the onion method.
import { ValueError } from '../base/errors.ts'
import type { Tensor } from '../torch.ts'
import * as torch from '../torch.ts'
import type { Constraint } from './constraints.ts'
import * as constraints from './constraints.ts'
import { Beta } from './dirichlet.ts'
import { type Constraints, Distribution } from './distribution.ts'
import {
  assign,
  broadcast_all,
  type Keywords,
  one_minus,
  type SampleShape,
  signature,
  type Validate,
  type Value,
} from './utils.ts'

type Settings = { dim: number; concentration: Value; validate_args: Validate }
const read = signature<Settings>('LKJCholesky(int dim, any concentration=1.0, bool? validate_args=None)')

/** Cholesky factors of `dim` x `dim` correlation matrices, the closer to the identity the greater `concentration`. */
export class LKJCholesky extends Distribution {
  static override readonly arg_constraints: Constraints = { concentration: constraints.positive }
  static override readonly support: Constraint = constraints.corr_cholesky
  declare readonly dim: number
  declare readonly concentration: Tensor
  declare readonly _beta: Beta

  constructor(
    ...args: Keywords<[dim: number, concentration: Value, validate_args: Validate], Partial<Settings>>
  ) {
    super()
    const { dim, concentration: given, validate_args } = read(args)
    if (dim < 2)
      throw new ValueError(`Expected dim to be an integer greater than or equal to 2. Found dim=${dim}.`)
    const [concentration] = broadcast_all(given) as [Tensor]
    const offsets = [0, ...Array.from({ length: dim - 1 }, (_, i) => i)]
    const offset = torch.tensor(offsets, { dtype: concentration.dtype })
    const marginal = concentration.add(0.5 * (dim - 2))
    const _beta = new Beta(offset.add(0.5), marginal.unsqueeze(-1).sub(offset.mul(0.5)))
    assign(this, { dim, concentration, _beta })
    this._init(concentration.shape, [dim, dim], validate_args)
  }

  override expand(batch_shape: readonly number[]): this {
    const { dim } = this
    return this._copy(batch_shape, this._event_shape, {
      dim,
      ...this._expanded(batch_shape, 'concentration'),
      _beta: this._beta.expand([...batch_shape, dim]),
    })
  }

  override sample(sample_shape: SampleShape = []): Tensor {
    return torch.no_grad(() => {
      const y = this._beta.sample(sample_shape).unsqueeze(-1)
      const normal = torch.randn([...this._extended_shape(sample_shape)], { dtype: y.dtype }).tril(-1)
      const directions = normal.div(torch.linalg.norm(normal, { dim: -1, keepdim: true }))
      directions.select(-2, 0).zero_()
      const w = y.sqrt().mul(directions)
      const rest = one_minus(w.pow(2).sum(-1)).clamp_min(torch.finfo(w.dtype).tiny)
      return w.add(rest.sqrt().diag_embed())
    })
  }

  override log_prob(value: Tensor): Tensor {
    this._check(value)
    const { dim, concentration } = this
    const diagonal = value.diagonal(0, -1, -2).narrow(-1, 1, dim - 1)
    const order = concentration
      .sub(1)
      .mul(2)
      .unsqueeze(-1)
      .add(dim)
      .sub(torch.arange(2, dim + 1))
    const unnormalized = order.mul(diagonal.log()).sum(-1)
    const n = dim - 1
    const alpha = concentration.add(0.5 * n)
    const numerator = torch.mvlgamma(alpha.sub(0.5), n).add(0.5 * n * Math.log(Math.PI))
    return unnormalized.sub(numerator.sub(alpha.lgamma().mul(n)))
  }
}
