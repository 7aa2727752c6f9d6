// Norms of vectors, and of tensors taken as vectors: norm, dist, linalg.vector_norm. Also the trace.
// Not here: norms of matrices (linalg), normalisation layers (nn).
import { can_cast, type DType, float32, to_real_dtype } from '../base/dtype.ts'
import { RuntimeError, ValueError } from '../base/errors.ts'
import { wrap_dim } from '../base/shape.ts'
import { constant } from '../ir/expr.ts'
import type { Tensor } from '../tensor/tensor.ts'
import { to_dtype } from './convert.ts'
import { in_place } from './define/inplace.ts'
import { composite, type Op, op, overloaded } from './define/op.ts'
import { scalar_name } from './define/out.ts'
import { dims_of, keep_dims, type Reduction, reduction, restore_dims } from './define/reduce.ts'

type Dims = number | readonly number[] | null

// ---------------------------------------------------------------------------------------------- p-norms

const magnitude = {
  combine: 'add',
  map: (x: Parameters<NonNullable<Parameters<typeof reduction>[0]['map']>>[0]) => x.abs(),
} as const

const count_nonzero = reduction({ name: 'norm_0', combine: 'add', map: x => x.ne(0).cast(x.type) })
const sum_magnitudes = reduction({ name: 'norm_1', ...magnitude })
const euclidean = reduction({
  name: 'norm_2',
  combine: 'add',
  map: x => x.mul(x),
  final: total => total.sqrt(),
})
const largest = reduction({ name: 'norm_inf', ...magnitude, combine: 'max', final: total => total.max(0) })
const smallest = reduction({ name: 'norm_minus_inf', ...magnitude, combine: 'min' })
const general = reduction({
  name: 'norm_p',
  combine: 'add',
  values: 1,
  map: (x, [p]) => x.abs().pow(p!),
  final: (total, [p]) => total.pow(constant(1, total.type).div(p!)),
})

function norm_over(x: Tensor, p: number, dims: readonly number[]): Tensor {
  if (x.dtype.is_complex) return norm_over(x.abs(), p, dims)
  const special: Record<string, Reduction> = {
    0: count_nonzero,
    1: sum_magnitudes,
    2: euclidean,
    Infinity: largest,
    '-Infinity': smallest,
  }
  const reduce = special[String(p)]
  return reduce === undefined ? general(x, dims, x.dtype, [p]) : reduce(x, dims, x.dtype)
}

/** The gradient of the p-norm `norm` (broadcastable to `x`), times `g`. Zero, not NaN, where the norm is zero. */
function norm_grad(g: Tensor, x: Tensor, p: number, norm: Tensor, dims: readonly number[]): Tensor {
  if (p === 0) return x.new_zeros(x.sizes)
  if (x.dtype.is_complex) return x.sgn().mul(norm_grad(g, x.abs(), p, norm, dims))
  if (p === 1) return x.sgn().mul(g)
  if (p === 2) return g.mul(x.div(norm).masked_fill(norm.eq(0), 0))
  const size = x.abs()
  if (!Number.isFinite(p)) {
    const mask = size.eq(norm).logical_or(size.isnan())
    return x.sgn().mul(g.div(mask.sum(dims, { keepdim: true })).mul(mask))
  }
  if (p < 1) {
    const scaled = x.sgn().mul(size.pow(p - 1).masked_fill(x.eq(0), 0))
    return scaled.mul(g).mul(norm.pow(1 - p))
  }
  const share = g.div(norm.pow(p - 1)).masked_fill(norm.eq(0), 0)
  return (p < 2 ? x.sgn().mul(size.pow(p - 1)) : x.mul(size.pow(p - 2))).mul(share)
}

type InnerArgs = [self: Tensor, ord: number, dim: Dims, keepdim: boolean, dtype: DType | null]
type InnerValues = [
  self: Tensor,
  ord: number,
  dim: readonly number[] | null,
  keepdim: boolean,
  dtype: DType | null,
]

const norm_op = (name: string, node: string): Op<InnerArgs> =>
  op<InnerArgs, InnerValues, Tensor>(
    `${name}(Tensor self, float ord, int[]? dim, bool keepdim, dtype? dtype)`,
    {
      forward(self, ord, dim, keepdim, dtype) {
        const dims = dims_of(dim, self.sizes.length)
        return keep_dims(norm_over(to_dtype(self, dtype ?? self.dtype), ord, dims), self.sizes, dims, keepdim)
      },
      saves: ['self', 'out'],
      backward: {
        self(g, [self, ord, dim, keepdim, dtype], out) {
          if (ord === 0) return null
          const dims = dims_of(dim, self.sizes.length)
          const wide = (t: Tensor): Tensor => restore_dims(t, self.sizes, dims, keepdim)
          return norm_grad(wide(g), to_dtype(self, dtype ?? self.dtype), ord, wide(out), dims)
        },
      },
      node,
    },
  )

const p_norm = norm_op('norm', 'NormBackward1')
const ord_norm = norm_op('linalg_vector_norm', 'LinalgVectorNormBackward0')

// ---------------------------------------------------------------------------------------------- norm

type NormOptions = {
  p?: number | string | null
  dim?: Dims
  keepdim?: boolean
  dtype?: DType | null
  out?: Tensor
}
type NormArgs = [
  self: Tensor,
  p?: number | string | null | NormOptions,
  dim?: Dims | NormOptions,
  keepdim?: boolean | NormOptions,
  opts?: NormOptions,
]

function norm_of(
  self: Tensor,
  p: unknown,
  dim: number[] | null,
  keepdim: boolean,
  dtype: DType | null,
): Tensor {
  const type = dtype ?? self.dtype
  if (!type.is_floating_point && !type.is_complex)
    throw new RuntimeError(
      `norm(): input dtype should be either floating point or complex. Got ${scalar_name(type)} instead.`,
    )
  if (typeof p === 'string') {
    if (p === 'nuc') {
      if (dtype !== null) throw new ValueError('dtype argument is not supported in nuclear norm')
      return dim === null ? nuclear_norm(self, keepdim) : nuclear_norm(self, dim, keepdim)
    }
    if (p !== 'fro') throw new RuntimeError(`only valid string values are 'fro' and 'nuc', found ${p}`)
    if (dtype !== null) throw new ValueError('dtype argument is not supported in frobenius norm')
  }
  return p_norm(self, typeof p === 'string' || p === null ? 2 : Number(p), dim, keepdim, dtype)
}

/**
 * The p-norm of the elements (default: Euclidean, `'fro'`), of all or over the given dimensions. Throws RuntimeError
 * for integers.
 */
export const norm: Op<NormArgs> = overloaded(
  [["norm(Tensor self, any? p='fro', int[]? dim=None, bool keepdim=False, *, dtype? dtype=None)", norm_of]],
  {
    samples: r => [
      [r(3, 4)],
      [r(3, 4), 1],
      [r(3, 4), 3, 1],
      [r(2, 3, 4), 2, [0, 2], { keepdim: true }],
      [r(3, 4), Infinity],
      [r.range(0.5, 2, 3), 1.5],
      [r.range(0.5, 2, 3), 0.5],
      [r(3, 4), { p: 'fro', dim: 0 }],
    ],
  },
)

type AlongOptions = { dim?: Dims; keepdim?: boolean; out?: Tensor }

/** The square root of the sum of squares: of all elements, or over one or two dimensions. */
export const frobenius_norm: Op<
  [self: Tensor, dim?: Dims | AlongOptions, keepdim?: boolean | AlongOptions, opts?: AlongOptions]
> = composite('frobenius_norm(Tensor self, int[]? dim=None, bool keepdim=False)', {
  body(self: Tensor, dim: number[] | null, keepdim: boolean) {
    if (dim !== null && dim.length > 2)
      throw new RuntimeError(`Expected at most 2 dimensions, but got ${dim.length} dimensions instead.`)
    return norm_of(self, 'fro', dim, keepdim, null)
  },
  samples: r => [[r(3, 4)], [r(3, 4), 1], [r(2, 3, 4), [0, 2], true]],
})

/** The sum of the singular values: of a matrix, or of those over two dimensions. */
export const nuclear_norm: Op<
  [self: Tensor, dim?: Dims | boolean | AlongOptions, keepdim?: boolean | AlongOptions, opts?: AlongOptions]
> = overloaded(
  [
    [
      'nuclear_norm(Tensor self, bool keepdim=False)',
      (self: Tensor, keepdim: boolean) => {
        if (self.ndim !== 2)
          throw new RuntimeError(
            `Expected a tensor with 2 dimensions, but got a tensor with ${self.ndim} dimension${self.ndim === 1 ? '' : 's'} instead.`,
          )
        return sum_of_singular(self, [0, 1], keepdim)
      },
    ],
    [
      'nuclear_norm(Tensor self, int[] dim, bool keepdim=False)',
      (self: Tensor, dim: number[], keepdim: boolean) => {
        if (dim.length !== 2) throw new RuntimeError("nuclear norm requires a 'dim' argument of size 2")
        return sum_of_singular(self, dim, keepdim)
      },
    ],
  ],
  { samples: r => [[r(3, 4)], [r(2, 3, 4), [0, 2], true]] },
)

function sum_of_singular(self: Tensor, dims: readonly number[], keepdim: boolean): Tensor {
  const [a, b] = dims.map(d => wrap_dim(d, self.ndim)) as [number, number]
  if (a === b) throw new RuntimeError('duplicate or invalid dimensions')
  const others = [...self.sizes.keys()].filter(d => d !== a && d !== b)
  const total = self
    .permute([...others, a, b])
    .svd()[1]!
    .sum(-1)
  if (!keepdim) return total
  return total.reshape(self.sizes.map((n, d) => (d === a || d === b ? 1 : n)))
}

/** The norms of order `pow` of the slices along `dim`, in as many dimensions; -1: of the whole tensor. */
export const norm_except_dim: Op<
  [v: Tensor, pow?: number | { pow?: number; dim?: number }, dim?: number | { dim?: number }]
> = composite('norm_except_dim(Tensor v, int pow=2, int dim=0)', {
  body(v: Tensor, pow: number, dim: number) {
    if (dim === -1) return norm_of(v, pow, null, false, null)
    const others = [...v.sizes.keys()].filter(d => d !== wrap_dim(dim, v.ndim))
    // No dimensions would mean all of them.
    if (others.length === 0) return norm_of(v.unsqueeze(-1), pow, [-1], false, null)
    return norm_of(v, pow, others, true, null)
  },
  out: false,
  samples: r => [[r(3, 4)], [r(2, 3, 4), 1, 2], [r(3, 4), 2, -1]],
})

type VectorOptions = { ord?: number; dim?: Dims; keepdim?: boolean; dtype?: DType | null; out?: Tensor }

/** torch.linalg.vector_norm: the norm of order `ord` of the elements, of all or over the given dimensions. */
export const vector_norm: Op<
  [
    x: Tensor,
    ord?: number | VectorOptions,
    dim?: Dims | VectorOptions,
    keepdim?: boolean | VectorOptions,
    opts?: VectorOptions,
  ]
> = overloaded(
  [
    [
      'linalg_vector_norm(Tensor self, float ord=2, int[]? dim=None, bool keepdim=False, *, dtype? dtype=None)',
      checked_vector_norm,
    ],
  ],
  {
    samples: r => [
      [r(3, 4)],
      [r(3, 4), 1, 1],
      [r(3, 4), Infinity, 0],
      [r(3, 4), 3.5, [0, 1], { keepdim: true }],
    ],
  },
)

function checked_vector_norm(
  self: Tensor,
  ord: number,
  dim: number[] | null,
  keepdim: boolean,
  dtype: DType | null,
): Tensor {
  const fail = (text: string): never => {
    throw new RuntimeError(`linalg.vector_norm: ${text}`)
  }
  const floats = (d: DType): boolean => d.is_floating_point || d.is_complex
  if (!floats(self.dtype))
    fail(`Expected a floating point or complex tensor as input. Got ${scalar_name(self.dtype)}`)
  if (dtype !== null && !floats(dtype))
    fail(`dtype should be floating point or complex. Got ${scalar_name(dtype)}`)
  if (dtype !== null && (!can_cast(self.dtype, dtype) || dtype.itemsize < self.dtype.itemsize))
    fail(
      `the dtype of the input (${scalar_name(self.dtype)}) should be convertible without narrowing to the specified dtype (${scalar_name(dtype)})`,
    )
  const dims = dims_of(dim, self.sizes.length)
  if ((ord < 0 || ord === Infinity) && dims.some(d => self.sizes[d] === 0)) {
    const what = Number.isFinite(ord) ? `the ${ord} norm` : 'the infinity norm'
    if (dim === null || dim.length === 0)
      fail(`cannot compute ${what} on an empty tensor because the operation does not have an identity`)
    fail(
      `cannot compute ${what} on the dimension ${dims.find(d => self.sizes[d] === 0)} because this dimension is empty and the operation does not have an identity`,
    )
  }
  return ord_norm(self, ord, dim, keepdim, dtype)
}

// ---------------------------------------------------------------------------------------------- dist, trace

/** The p-norm of the difference of two tensors. */
export const dist: Op<[self: Tensor, other: Tensor, p?: number | { p?: number }]> = op(
  'dist(Tensor self, Tensor other, float p=2)',
  {
    forward(self: Tensor, other: Tensor, p: number) {
      const away = self.sub(other)
      return norm_over(away, p, dims_of(null, away.sizes.length))
    },
    saves: ['self', 'other', 'out'],
    backward(g, [self, other, p], out) {
      const away = self.sub(other)
      const grad = norm_grad(g, away, p, out, dims_of(null, away.sizes.length))
      return [grad.sum_to_size(self.sizes), grad.neg().sum_to_size(other.sizes)]
    },
    samples: r => [
      [r(3, 4), r(3, 4)],
      [r(3, 4), r(4), 1],
      [r(3), r(3), 3],
      [r(3, 4), r(4), Infinity],
    ],
  },
)

/** The sum of a matrix's diagonal. */
export const trace: Op<[self: Tensor]> = op('trace(Tensor self)', {
  forward(self: Tensor) {
    if (self.sizes.length !== 2)
      throw new RuntimeError(`trace: expected a matrix, but got tensor with dim ${self.sizes.length}`)
    return self.diagonal().sum()
  },
  backward: {
    self: (g, [self]) => g.new_zeros(self.sizes).diagonal_scatter(g.expand([Math.min(...self.sizes)])),
  },
  samples: r => [[r(3, 4)], [r(3, 3)]],
})

/**
 * Scales each slice of `self` along `dim` whose p-norm exceeds `maxnorm` down to that norm. Throws RuntimeError for a `p`
 * that is not positive, a negative `maxnorm`, and tensors of fewer than two dimensions.
 */
export const renorm: Op<[self: Tensor, p: number, dim: number, maxnorm: number, opts?: { out?: Tensor }]> =
  composite('renorm(Tensor self, float p, int dim, float maxnorm)', {
    body(self: Tensor, p: number, dim: number, maxnorm: number) {
      if (!(p > 0)) throw new RuntimeError('renorm: non-positive norm not supported')
      if (!(maxnorm >= 0)) throw new RuntimeError(`renorm: expected maxnorm to be >= 0 but got ${maxnorm}`)
      if (self.ndim < 2)
        throw new RuntimeError(`renorm: input needs at least 2 dimensions, got ${self.ndim} dimensions`)
      const at = wrap_dim(dim, self.ndim)
      const others = self.sizes.flatMap((_, d) => (d === at ? [] : [d]))
      const half = self.dtype.itemsize === 2
      const size = vector_norm(half ? to_dtype(self, float32) : self, p, others, true)
      const factor = size.add(1e-7).reciprocal().mul(maxnorm).masked_fill(size.le(maxnorm), 1)
      return self.mul(to_dtype(factor, to_real_dtype(self.dtype)))
    },
    samples: r => [
      [r(3, 4), 2, 0, 0.5],
      [r(2, 3, 4), 1, -1, 2],
    ],
  })

/** In-place {@link renorm}. */
export const renorm_: typeof renorm = in_place(renorm)

// ---------------------------------------------------------------------------------------------- distances of all pairs

const away_from = (x1: Tensor, x2: Tensor): Tensor => x1.unsqueeze(-2).sub(x2.unsqueeze(-3))

/**
 * The p-norm of the difference of each row of `x1` and each of `x2`: [..., P, M] and [..., R, M] give [..., P, R]. How it
 * is computed does not depend on `compute_mode`.
 */
export const cdist: Op<
  [x1: Tensor, x2: Tensor, p?: number | { p?: number; compute_mode?: string }, compute_mode?: string]
> = op("cdist(Tensor x1, Tensor x2, float p=2, str? compute_mode='use_mm_for_euclid_dist_if_necessary')", {
  forward(x1: Tensor, x2: Tensor, p: number, mode: string | null) {
    if (x1.ndim < 2 || x2.ndim < 2)
      throw new RuntimeError(`cdist only supports at least 2D tensors, X1 got: ${x1.ndim}D`)
    if (x1.sizes.at(-1) !== x2.sizes.at(-1))
      throw new RuntimeError(
        `X1 and X2 must have the same number of columns. X1: ${x1.sizes.at(-1)} X2: ${x2.sizes.at(-1)}`,
      )
    if (!(p >= 0)) throw new RuntimeError('cdist only supports non-negative p values')
    const modes = [
      'use_mm_for_euclid_dist_if_necessary',
      'use_mm_for_euclid_dist',
      'donot_use_mm_for_euclid_dist',
    ]
    if (mode !== null && !modes.includes(mode))
      throw new ValueError(`${mode} is not a valid value for compute_mode`)
    const away = away_from(x1, x2)
    return norm_over(away, p, [away.ndim - 1])
  },
  saves: ['x1', 'x2', 'out'],
  backward(g, [x1, x2, p], out) {
    const away = away_from(x1, x2)
    const last = [away.ndim - 1]
    const grad = p === 0 ? null : norm_grad(g.unsqueeze(-1), away, p, out.unsqueeze(-1), last)
    if (grad === null) return [x1.new_zeros(x1.sizes), x2.new_zeros(x2.sizes)]
    return [grad.sum(-2).sum_to_size(x1.sizes), grad.sum(-3).neg().sum_to_size(x2.sizes)]
  },
  node: 'CdistBackward0',
  samples: r => [
    [r(3, 4), r(2, 4)],
    [r(2, 3, 4), r(2, 4), 1],
    [r(3, 4), r(2, 4), 3],
  ],
})
