// torch.nn.init: filling tensors in place, outside the graph, from PyTorch's stream of random numbers.
// Formulas: Glorot & Bengio 2010 (xavier), He et al. 2015 (kaiming), Saxe et al. 2013 (orthogonal), Martens 2010 (sparse).
// Not here: which module starts with which.
import { ValueError } from '../base/errors.ts'
import * as torch from '../torch.ts'
import { _is_options as is_options, type Tensor, _warn as warn } from '../torch.ts'

/** What follows the tensor: numbers and names in order, or one object of them. */
type Settings = Readonly<Record<string, unknown>>

/** Binds what follows the tensor to `names` with `defaults`, positionally or by name. */
function settings<D extends Settings>(name: string, args: readonly unknown[], defaults: D): D {
  const found: Record<string, unknown> = { ...defaults }
  const names = Object.keys(defaults)
  args.forEach((x, i) => {
    if (is_options(x)) {
      for (const [key, value] of Object.entries(x)) {
        if (!names.includes(key))
          throw new TypeError(
            `${name}() got an unexpected keyword argument '${key}' (known: ${names.join(', ')})`,
          )
        if (value !== undefined) found[key] = value
      }
    } else if (x !== undefined) {
      if (i >= names.length)
        throw new TypeError(`${name}() takes ${names.length + 1} positional arguments but more were given`)
      found[names[i] as string] = x
    }
  })
  return found as D
}

/** Runs `fill` outside the graph and gives back the tensor. */
function filled(tensor: Tensor, fill: (t: Tensor) => void): Tensor {
  torch.no_grad(() => fill(tensor))
  return tensor
}

/** The gain that keeps the variance through an activation; `param` is leaky_relu's slope. Throws ValueError for others. */
export function calculate_gain(nonlinearity: string, param: number | null = null): number {
  switch (nonlinearity) {
    case 'linear':
    case 'conv1d':
    case 'conv2d':
    case 'conv3d':
    case 'conv_transpose1d':
    case 'conv_transpose2d':
    case 'conv_transpose3d':
    case 'sigmoid':
      return 1
    case 'tanh':
      return 5 / 3
    case 'relu':
      return Math.SQRT2
    case 'selu':
      return 3 / 4
    case 'leaky_relu':
      if (param !== null && typeof param !== 'number')
        throw new ValueError(`negative_slope ${param} not a valid number`)
      return Math.sqrt(2 / (1 + (param ?? 0.01) ** 2))
    default:
      throw new ValueError(`Unsupported nonlinearity ${nonlinearity}`)
  }
}

type Pair<A extends string, B extends string> = readonly [
  first?: number | { readonly [name in A | B]?: number },
  second?: number,
]

/** Fills from U(a, b). */
export function uniform_(tensor: Tensor, ...args: Pair<'a', 'b'>): Tensor {
  const { a, b } = settings('uniform_', args, { a: 0, b: 1 })
  return filled(tensor, t => t.uniform_(a, b))
}

/** Fills from N(mean, std^2). */
export function normal_(tensor: Tensor, ...args: Pair<'mean', 'std'>): Tensor {
  const { mean, std } = settings('normal_', args, { mean: 0, std: 1 })
  return filled(tensor, t => t.normal_(mean, std))
}

type Truncated = readonly [
  mean?: number | { mean?: number; std?: number; a?: number; b?: number },
  std?: number,
  a?: number,
  b?: number,
]

/** Fills from N(mean, std^2) cut off outside [a, b], by the inverse of the cumulative distribution. */
export function trunc_normal_(tensor: Tensor, ...args: Truncated): Tensor {
  const { mean, std, a, b } = settings('trunc_normal_', args, { mean: 0, std: 1, a: -2, b: 2 })
  if (mean < a - 2 * std || mean > b + 2 * std)
    warn(
      'mean is more than 2 std from [a, b] in nn.init.trunc_normal_. The distribution of values may be incorrect.',
    )
  const cdf = (x: number): number =>
    (1 +
      (torch
        .tensor(x / Math.SQRT2, { dtype: torch.float64 })
        .erf()
        .item() as number)) /
    2
  const [low, high] = [cdf((a - mean) / std), cdf((b - mean) / std)]
  return filled(tensor, t => {
    t.uniform_(2 * low - 1, 2 * high - 1).erfinv_()
    t.mul_(std * Math.SQRT2)
      .add_(mean)
      .clamp_(a, b)
  })
}

/** Fills with one number. */
export const constant_ = (tensor: Tensor, val: number): Tensor => filled(tensor, t => t.fill_(val))
/** Fills with ones. */
export const ones_ = (tensor: Tensor): Tensor => constant_(tensor, 1)
/** Fills with zeros. */
export const zeros_ = (tensor: Tensor): Tensor => constant_(tensor, 0)

/** Fills a matrix with the identity. Throws ValueError for other tensors. */
export function eye_(tensor: Tensor): Tensor {
  if (tensor.ndim !== 2) throw new ValueError('Only tensors with 2 dimensions are supported')
  return filled(tensor, t => {
    t.zero_()
    t.diagonal().fill_(1)
  })
}

/** Fills a convolution's weight so that it gives back its input, each group on its own. */
export function dirac_(tensor: Tensor, groups: number | { groups?: number } = 1): Tensor {
  const n = settings('dirac_', [groups], { groups: 1 }).groups
  if (tensor.ndim < 3 || tensor.ndim > 5)
    throw new ValueError('Only tensors with 3, 4, or 5 dimensions are supported')
  if (tensor.size(0) % n !== 0) throw new ValueError('dim 0 must be divisible by groups')
  const per_group = tensor.size(0) / n
  const least = Math.min(per_group, tensor.size(1))
  const middle = tensor.sizes.slice(2).map(k => Math.floor(k / 2))
  return filled(tensor, t => {
    t.zero_()
    for (let g = 0; g < n; g++)
      for (let d = 0; d < least; d++) t.index_put_([g * per_group + d, d, ...middle], 1)
  })
}

/** How many inputs and outputs an entry of a weight connects. */
function fans(tensor: Tensor): { fan_in: number; fan_out: number } {
  if (tensor.ndim < 2)
    throw new ValueError('Fan in and fan out can not be computed for tensor with fewer than 2 dimensions')
  const field = tensor.sizes.slice(2).reduce((a, b) => a * b, 1)
  return { fan_in: tensor.size(1) * field, fan_out: tensor.size(0) * field }
}

type Gain = number | { gain?: number }

/** Uniform within `gain sqrt(6 / (fan_in + fan_out))`. */
export function xavier_uniform_(tensor: Tensor, gain: Gain = 1): Tensor {
  const { fan_in, fan_out } = fans(tensor)
  const bound =
    settings('xavier_uniform_', [gain], { gain: 1 }).gain * Math.sqrt(2 / (fan_in + fan_out)) * Math.sqrt(3)
  return filled(tensor, t => t.uniform_(-bound, bound))
}

/** Normal with deviation `gain sqrt(2 / (fan_in + fan_out))`. */
export function xavier_normal_(tensor: Tensor, gain: Gain = 1): Tensor {
  const { fan_in, fan_out } = fans(tensor)
  const std = settings('xavier_normal_', [gain], { gain: 1 }).gain * Math.sqrt(2 / (fan_in + fan_out))
  return filled(tensor, t => t.normal_(0, std))
}

type Kaiming = readonly [
  a?: number | { a?: number; mode?: 'fan_in' | 'fan_out'; nonlinearity?: string },
  mode?: 'fan_in' | 'fan_out',
  nonlinearity?: string,
]

/** The deviation that keeps the variance of the forward (fan_in) or backward (fan_out) pass. */
function kaiming_std(name: string, tensor: Tensor, args: Kaiming): number {
  const { a, mode, nonlinearity } = settings(name, args, { a: 0, mode: 'fan_in', nonlinearity: 'leaky_relu' })
  if (mode !== 'fan_in' && mode !== 'fan_out')
    throw new ValueError(`Mode ${mode} not supported, please use one of ['fan_in', 'fan_out']`)
  return calculate_gain(nonlinearity, a) / Math.sqrt(fans(tensor)[mode])
}

/** Whether there is nothing to fill; PyTorch warns of it. */
function is_empty(tensor: Tensor): boolean {
  if (!tensor.sizes.includes(0)) return false
  warn('Initializing zero-element tensors is a no-op')
  return true
}

/** Uniform within `gain sqrt(3 / fan)`. */
export function kaiming_uniform_(tensor: Tensor, ...args: Kaiming): Tensor {
  if (is_empty(tensor)) return tensor
  const bound = Math.sqrt(3) * kaiming_std('kaiming_uniform_', tensor, args)
  return filled(tensor, t => t.uniform_(-bound, bound))
}

/** Normal with deviation `gain / sqrt(fan)`. */
export function kaiming_normal_(tensor: Tensor, ...args: Kaiming): Tensor {
  if (is_empty(tensor)) return tensor
  const std = kaiming_std('kaiming_normal_', tensor, args)
  return filled(tensor, t => t.normal_(0, std))
}

/** Orthonormal rows or columns, times `gain`: the Q of a normal matrix's QR decomposition, with R's diagonal positive. */
export function orthogonal_(tensor: Tensor, gain: Gain = 1): Tensor {
  if (tensor.ndim < 2) throw new ValueError('Only tensors with 2 or more dimensions are supported')
  if (tensor.count === 0) return tensor
  const factor = settings('orthogonal_', [gain], { gain: 1 }).gain
  const rows = tensor.size(0)
  const columns = tensor.count / rows
  return filled(tensor, t => {
    const drawn = t.new_empty(rows, columns).normal_(0, 1)
    const q = orthonormal_columns(rows < columns ? drawn.t() : drawn)
    t.view_as(t)
      .copy_((rows < columns ? q.t() : q).reshape(t.sizes))
      .mul_(factor)
  })
}

/**
 * The Q of a QR decomposition whose R has a positive diagonal, by modified Gram-Schmidt in float64, twice over for
 * orthogonality. That sign makes Q unique, so it is the one PyTorch makes from LAPACK's.
 */
function orthonormal_columns(matrix: Tensor): Tensor {
  const columns = matrix.to(torch.float64).unbind(1) as Tensor[]
  const basis: Tensor[] = []
  for (const column of columns) {
    let rest = column.clone()
    for (let pass = 0; pass < 2; pass++) for (const q of basis) rest = rest.sub(q.mul(q.dot(rest)))
    basis.push(rest.div(rest.norm()))
  }
  return torch.stack(basis, 1).to(matrix.dtype)
}

/** Normal with deviation `std`, and a fraction `sparsity` of each column's entries zero. */
export function sparse_(
  tensor: Tensor,
  ...args: readonly [sparsity: number | { sparsity: number; std?: number }, std?: number]
): Tensor {
  const { sparsity, std } = settings('sparse_', args, { sparsity: 0, std: 0.01 })
  if (tensor.ndim !== 2) throw new ValueError('Only tensors with 2 dimensions are supported')
  const [rows, columns] = tensor.sizes as [number, number]
  const zeros = Math.ceil(sparsity * rows)
  return filled(tensor, t => {
    t.normal_(0, std)
    for (let c = 0; c < columns; c++) {
      const gone = torch.randperm(rows).narrow(0, 0, zeros)
      t.select(1, c).index_fill_(0, gone, 0)
    }
  })
}

// ---------------------------------------------------------------------------------------------- names of before 0.4

type Fill = (tensor: Tensor, ...args: never[]) => Tensor

function deprecated<F extends Fill>(fill: F, name: string): F {
  const call = (tensor: Tensor, ...args: never[]): Tensor => {
    warn(`nn.init.${name.slice(0, -1)} is now deprecated in favor of nn.init.${name}.`)
    return fill(tensor, ...args)
  }
  return call as F
}

export const uniform: typeof uniform_ = deprecated(uniform_, 'uniform_')
export const normal: typeof normal_ = deprecated(normal_, 'normal_')
export const constant: typeof constant_ = deprecated(constant_, 'constant_')
export const eye: typeof eye_ = deprecated(eye_, 'eye_')
export const dirac: typeof dirac_ = deprecated(dirac_, 'dirac_')
export const xavier_uniform: typeof xavier_uniform_ = deprecated(xavier_uniform_, 'xavier_uniform_')
export const xavier_normal: typeof xavier_normal_ = deprecated(xavier_normal_, 'xavier_normal_')
export const kaiming_uniform: typeof kaiming_uniform_ = deprecated(kaiming_uniform_, 'kaiming_uniform_')
export const kaiming_normal: typeof kaiming_normal_ = deprecated(kaiming_normal_, 'kaiming_normal_')
export const orthogonal: typeof orthogonal_ = deprecated(orthogonal_, 'orthogonal_')
export const sparse: typeof sparse_ = deprecated(sparse_, 'sparse_')
