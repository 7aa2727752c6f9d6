// nn.utils.parametrizations: weights that stay orthogonal (Lezcano Casado 2019), of spectral norm 1, or are split into norm and
// direction, while they are trained.
// Not here: how a tensor is parametrised (parametrize.ts).
import { IndexError, NotImplementedError, ValueError } from '../../base/errors.ts'
import type { Tensor } from '../../torch.ts'
import * as torch from '../../torch.ts'
import * as F from '../functional/index.ts'
import { Module } from '../module.ts'
import { register_parametrization } from './parametrize.ts'
import { output_dim, type SpectralNormOptions, spectral_settings, weight_matrix } from './spectral_norm.ts'

type OrthogonalMap = 'matrix_exp' | 'cayley' | 'householder'
const MAPS = ['matrix_exp', 'cayley', 'householder']

const diagonal_of = (x: Tensor): Tensor => x.diagonal({ dim1: -2, dim2: -1 })

/** The factor Q of A = QR for which the diagonal of R is not negative. */
function make_orthogonal(a: Tensor): Tensor {
  const { Q: q, R: r } = torch.linalg.qr(a)
  return q.mul(diagonal_of(r).sgn().unsqueeze(-2))
}

function is_orthogonal(q: Tensor): boolean {
  const [n, k] = [q.size(-2), q.size(-1)]
  const identity = torch.eye(k, { dtype: q.dtype })
  return torch.allclose(q.mH.matmul(q), identity, { atol: 10 * n * torch.finfo(q.dtype).eps })
}

class _Orthogonal extends Module {
  readonly shape: torch.Size
  readonly orthogonal_map: OrthogonalMap
  declare base: Tensor | null

  constructor(weight: Tensor, orthogonal_map: OrthogonalMap, use_trivialization: boolean) {
    super()
    if (weight.is_complex() && orthogonal_map === 'householder')
      throw new ValueError('The householder parametrization does not support complex tensors.')
    this.shape = weight.shape
    this.orthogonal_map = orthogonal_map
    if (use_trivialization) this.register_buffer('base', null)
  }

  forward(x: Tensor): Tensor {
    const transposed = x.size(-2) < x.size(-1)
    const tall = transposed ? x.mT : x
    const q = this.orthogonal_map === 'householder' ? this._householder(tall) : this._exponential(tall)
    const moved = this.base ? this.base.matmul(q) : q
    return transposed ? moved.mT : moved
  }

  /** The exponential of a skew matrix, or what approximates it, of whose columns there are as many as of `x`. */
  private _exponential(x: Tensor): Tensor {
    const [n, k] = [x.size(-2), x.size(-1)]
    const lower = x.tril()
    const square = n === k ? lower : torch.cat([lower, x.new_zeros([...x.shape.slice(0, -1), n - k])], -1)
    const skew = square.sub(square.mH)
    const identity = torch.eye(n, { dtype: x.dtype })
    const q =
      this.orthogonal_map === 'matrix_exp'
        ? torch.matrix_exp(skew)
        : torch.linalg.solve(identity.sub(skew.mul(0.5)), identity.add(skew.mul(0.5)))
    return n === k ? q : q.narrow(-1, 0, k)
  }

  private _householder(x: Tensor): Tensor {
    const below = x.tril(-1)
    const tau = below.mul(below).sum(-2).add(1).reciprocal().mul(2)
    // The diagonal is of ones and minus ones, and is not trained.
    return torch.linalg.householder_product(below, tau).mul(diagonal_of(x).int().unsqueeze(-2))
  }

  right_inverse(given: Tensor): Tensor {
    if (given.shape.join() !== this.shape.join())
      throw new ValueError(
        `Expected a matrix or batch of matrices of shape ${this.shape}. Got a tensor of shape ${given.shape}.`,
      )
    return torch.no_grad(() => {
      const transposed = given.size(-2) < given.size(-1)
      const q = transposed ? given.mT : given
      const [n, k] = [q.size(-2), q.size(-1)]
      if (!Object.hasOwn(this, 'base')) {
        if (this.orthogonal_map !== 'householder')
          throw new NotImplementedError(
            'It is not possible to assign to the matrix exponential or the Cayley parametrizations when use_trivialization=False.',
          )
        const { a, tau } = torch.geqrf(q)
        const diagonal = diagonal_of(a)
        diagonal.sign_()
        diagonal.mul_(tau.eq(0).to(a.dtype).mul(-2).add(1))
        return transposed ? a.mT : a
      }
      if (n === k) this.base = is_orthogonal(q) ? q.clone() : make_orthogonal(q)
      else {
        const more = torch.randn([...q.shape.slice(0, -1), n - k], { dtype: q.dtype })
        this.base = make_orthogonal(torch.cat([q, more], -1))
      }
      // Minus the identity stands for the identity: reflections of no vector at all leave the diagonal, whose sign counts.
      const origin = torch.zeros_like(given)
      diagonal_of(origin).fill_(-1)
      return origin
    })
  }
}

export type OrthogonalOptions = {
  name?: string
  /** 'matrix_exp' for square and complex matrices and 'householder' for others, or 'cayley'. */
  orthogonal_map?: OrthogonalMap | null
  /** Keeps a base, so that any orthogonal matrix can be assigned. */
  use_trivialization?: boolean
}

/** Has the matrix `name`, or a batch of them, stay orthogonal: its columns, or rows where there are fewer. */
export function orthogonal<M extends Module>(
  module: M,
  name: string | OrthogonalOptions = 'weight',
  orthogonal_map: OrthogonalMap | null | OrthogonalOptions = null,
  opts: OrthogonalOptions = {},
): M {
  const options: OrthogonalOptions = {}
  for (const [key, x] of Object.entries({ name, orthogonal_map }))
    Object.assign(options, typeof x === 'object' && x !== null ? x : x === null ? {} : { [key]: x })
  Object.assign(options, opts)
  const { name: own = 'weight', use_trivialization = true } = options
  const weight = (module as unknown as Record<string, unknown>)[own]
  if (!(weight instanceof torch.Tensor))
    throw new ValueError(`Module '${module}' has no parameter or buffer with name '${own}'`)
  const w = weight as Tensor
  if (w.ndim < 2)
    throw new ValueError(`Expected a matrix or batch of matrices. Got a tensor of ${w.ndim} dimensions.`)
  const map =
    options.orthogonal_map ?? (w.size(-2) === w.size(-1) || w.is_complex() ? 'matrix_exp' : 'householder')
  if (!MAPS.includes(map))
    throw new ValueError(`orthogonal_map has to be one of "matrix_exp", "cayley", "householder". Got: ${map}`)
  return register_parametrization(module, own, new _Orthogonal(w, map, use_trivialization), {
    unsafe: true,
  })
}

class _SpectralNorm extends Module {
  readonly dim: number
  readonly eps: number
  declare readonly n_power_iterations: number
  declare _u: Tensor
  declare _v: Tensor

  constructor(weight: Tensor, n_power_iterations: number, dim: number, eps: number) {
    super()
    const { ndim } = weight
    if (dim >= ndim || dim < -ndim)
      throw new IndexError(
        `Dimension out of range (expected to be in range of [-${ndim}, ${ndim - 1}] but got ${dim})`,
      )
    if (n_power_iterations <= 0)
      throw new ValueError(
        `Expected n_power_iterations to be positive, but got n_power_iterations=${n_power_iterations}`,
      )
    this.dim = dim >= 0 ? dim : dim + ndim
    this.eps = eps
    if (ndim === 1) return
    Object.assign(this, { n_power_iterations })
    const matrix = weight_matrix(weight, this.dim)
    const [u, v] = torch.no_grad(() =>
      matrix.sizes.map(size => F.normalize(matrix.new_empty([size]).normal_(0, 1), { dim: 0, eps })),
    ) as [Tensor, Tensor]
    this.register_buffer('_u', u)
    this.register_buffer('_v', v)
    this._power_method(matrix, 15)
  }

  private _power_method(matrix: Tensor, n: number): void {
    const { eps } = this
    torch.no_grad(() => {
      for (let i = 0; i < n; i++) {
        this._u.copy_(F.normalize(matrix.mv(this._v), { dim: 0, eps }))
        this._v.copy_(F.normalize(matrix.t().mv(this._u), { dim: 0, eps }))
      }
    })
  }

  forward(weight: Tensor): Tensor {
    if (weight.ndim === 1) return F.normalize(weight, { dim: 0, eps: this.eps })
    const matrix = weight_matrix(weight, this.dim)
    if (this.training) this._power_method(matrix, this.n_power_iterations)
    // Copies: the next call changes them, and this one's backward pass reads them.
    const [u, v] = [this._u.clone(), this._v.clone()]
    return weight.div(u.dot(matrix.mv(v)))
  }

  right_inverse(value: Tensor): Tensor {
    return value
  }
}

/** Has the weight `name` divided by an estimate of its largest singular value, which every reading in training improves. */
export function spectral_norm<M extends Module>(
  module: M,
  ...args: readonly (string | number | null | SpectralNormOptions)[]
): M {
  const options = spectral_settings(args)
  const { name = 'weight', n_power_iterations = 1, eps = 1e-12 } = options
  const weight = (module as unknown as Record<string, unknown>)[name]
  if (!(weight instanceof torch.Tensor))
    throw new ValueError(`Module '${module}' has no parameter or buffer with name '${name}'`)
  const dim = options.dim ?? output_dim(module)
  const norm = new _SpectralNorm(weight as Tensor, n_power_iterations, dim, eps)
  return register_parametrization(module, name, norm)
}

class _WeightNorm extends Module {
  readonly dim: number

  constructor(dim: number | null) {
    super()
    this.dim = dim ?? -1
  }

  forward(...originals: Tensor[]): Tensor {
    const [g, v] = originals as [Tensor, Tensor]
    return v.mul(g.div(torch.norm_except_dim(v, 2, this.dim)))
  }

  right_inverse(weight: Tensor): [Tensor, Tensor] {
    return [torch.norm_except_dim(weight, 2, this.dim), weight]
  }
}

/**
 * Has the weight `name` computed from its norm for each place along `dim` (null: of all of it), `original0`, and its direction,
 * `original1`. As in PyTorch 2; in 1.13 there is only `nn.utils.weight_norm`.
 */
export function weight_norm<M extends Module>(
  module: M,
  name: string | { name?: string; dim?: number | null } = 'weight',
  dim: number | null | { dim?: number | null } = 0,
): M {
  const options = {
    ...(typeof name === 'string' ? { name } : name),
    ...(typeof dim === 'object' && dim !== null ? dim : typeof name === 'string' ? { dim } : {}),
  }
  const norm = new _WeightNorm(options.dim === undefined ? 0 : options.dim)
  return register_parametrization(module, options.name ?? 'weight', norm, { unsafe: true })
}
