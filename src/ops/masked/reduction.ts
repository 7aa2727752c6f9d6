// torch.masked's reductions: what is masked out does not count. Where everything is masked out the result is the
// reduction's identity, NaN where it has none. Made of other ops, which autograd follows.
// Not here: functions that keep the sizes (normalise.ts).
import { bool, type DType, float32, int8, int16, int32, int64, uint8 } from '../../base/dtype.ts'
import { ValueError } from '../../base/errors.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { to_dtype } from '../convert.ts'
import { ones } from '../creation.ts'
import { composite, type Op } from '../define/op.ts'
import { vector_norm } from '../linalg/norms.ts'
import {
  canonical_dim,
  canonical_dims,
  type Dims,
  fill_masked,
  input_mask,
  type ReduceOptions,
  sample_mask,
} from './mask.ts'

type ReduceArgs = [input: Tensor, dim?: Dims | ReduceOptions, opts?: ReduceOptions]
type Bound = [
  input: Tensor,
  dim: readonly number[] | null,
  keepdim: boolean | null,
  dtype: DType | null,
  mask: Tensor | null,
]

const REST = '*, bool? keepdim=False, dtype? dtype=None, Tensor? mask=None'
const reduction = (name: string, body: (...values: Bound) => Tensor): Op<ReduceArgs> =>
  composite<ReduceArgs>(`${name}(Tensor input, int[]? dim=None, ${REST})`, {
    body,
    out: false,
    samples: r => [
      [r.distinct(3, 4)],
      [r.distinct(3, 4), 1, { mask: sample_mask(3, 4) }],
      [r.distinct(2, 3, 4), [0, -1], { mask: sample_mask(2, 1, 4), keepdim: true }],
    ],
  })

const narrow_integers: readonly DType[] = [uint8, bool, int8, int16, int32]
const sum_dtype = (input: Tensor, dtype: DType | null): DType =>
  dtype ?? (narrow_integers.includes(input.dtype) ? int64 : input.dtype)

function sum_of(...[input, dim, keepdim, dtype, mask]: Bound): Tensor {
  const dims = canonical_dims(dim, input.ndim)
  return fill_masked('sum', input, mask).sum(dims, keepdim === true, { dtype: sum_dtype(input, dtype) })
}

/** The sum of the elements that are not masked out; 0 where there is none. Narrow integers are summed as int64. */
export const sum: Op<ReduceArgs> = reduction('sum', sum_of)

/** The product of the elements that are not masked out; 1 where there is none. */
export const prod: Op<ReduceArgs> = reduction('prod', (input, dim, keepdim, dtype, mask) => {
  const dims = canonical_dims(dim, input.ndim)
  let result = to_dtype(fill_masked('prod', input, mask), sum_dtype(input, dtype))
  for (const d of dims.reverse()) result = result.prod(d, keepdim === true)
  return result
})

const extreme = (name: 'amax' | 'amin'): Op<ReduceArgs> =>
  reduction(name, (input, dim, keepdim, dtype, mask) => {
    const filled = fill_masked(name, input, mask)
    return to_dtype(filled[name](canonical_dims(dim, input.ndim), keepdim === true), dtype ?? input.dtype)
  })

/** The largest element that is not masked out; the dtype's least value where there is none. */
export const amax: Op<ReduceArgs> = extreme('amax')
/** The smallest element that is not masked out; the dtype's greatest value where there is none. */
export const amin: Op<ReduceArgs> = extreme('amin')

type OneDim = { dim?: number | null; keepdim?: boolean | null; dtype?: DType | null; mask?: Tensor | null }
type PositionArgs = [input: Tensor, dim?: number | null | OneDim, opts?: OneDim]

const position = (name: 'argmax' | 'argmin'): Op<PositionArgs> =>
  composite<PositionArgs>(`${name}(Tensor input, int? dim=None, ${REST})`, {
    body: (
      input: Tensor,
      dim: number | null,
      keepdim: boolean | null,
      dtype: DType | null,
      mask: Tensor | null,
    ) => to_dtype(fill_masked(name, input, mask)[name](dim, keepdim === true), dtype ?? input.dtype),
    out: false,
    gradcheck: false, // positions have no derivative
    samples: r => [[r.distinct(3, 4)], [r.distinct(3, 4), 1, { mask: sample_mask(3, 4) }]],
  })

/** The position of the largest element that is not masked out. As in PyTorch in the dtype of the input by default. */
export const argmax: Op<PositionArgs> = position('argmax')
/** The position of the smallest element that is not masked out. As in PyTorch in the dtype of the input by default. */
export const argmin: Op<PositionArgs> = position('argmin')

/** How many elements are not masked out. */
function count_of(
  input: Tensor,
  dim: readonly number[] | null,
  keepdim: boolean,
  mask: Tensor | null,
): Tensor {
  const counted = mask === null ? ones(input.sizes, { dtype: int64 }) : to_dtype(mask, int64)
  return counted.sum(canonical_dims(dim, input.ndim), keepdim)
}

/** The mean of the elements that are not masked out; NaN where there is none. */
export const mean: Op<ReduceArgs> = reduction('mean', (input, dim, keepdim, dtype, mask) => {
  const inside = mask === null ? null : input_mask(input, mask)
  const total = sum_of(input, dim, keepdim, dtype ?? input.dtype, inside)
  return total.div(count_of(input, dim, keepdim === true, inside))
})

type MedianArgs = [input: Tensor, dim?: number | Omit<OneDim, 'dim'> | { dim?: number }, opts?: OneDim]

/**
 * The lower median along `dim` of the elements that are not masked out (and not NaN). NaN where there is none; integers
 * throw ValueError there.
 */
export const median: Op<MedianArgs> = composite<MedianArgs>(`median(Tensor input, int dim=-1, ${REST})`, {
  body: (
    input: Tensor,
    dim: number,
    keepdim: boolean | null,
    dtype: DType | null,
    mask: Tensor | null,
  ): Tensor => {
    const along = canonical_dim(dim, input.ndim)
    const is_float = input.dtype.is_floating_point
    const filled = fill_masked('median', is_float ? input : to_dtype(input, float32), mask)
    const { values } = filled.nanmedian(along, keepdim === true)
    if (is_float) return values
    if (values.isnan().any().item() as boolean)
      throw new ValueError('masked median expects no fully masked out rows if dtype is not floating point')
    return to_dtype(values, dtype ?? input.dtype)
  },
  out: false,
  samples: r => [[r.distinct(3, 4)], [r.distinct(3, 4), 0, { mask: sample_mask(3, 4) }]],
})

/** log(sum(exp(input))) of the elements that are not masked out; -inf where there is none. */
export const logsumexp: Op<ReduceArgs> = reduction('logsumexp', (input, dim, keepdim, dtype, mask) => {
  const filled = fill_masked('logsumexp', input, mask)
  return to_dtype(filled.logsumexp(canonical_dims(dim, input.ndim), keepdim === true), dtype ?? input.dtype)
})

type NormOptions = ReduceOptions & { ord?: number }
type NormArgs = [
  input: Tensor,
  ord?: number | null | NormOptions,
  dim?: Dims | NormOptions,
  opts?: NormOptions,
]

/** The vector norm of order `ord` of the elements that are not masked out. */
export const norm: Op<NormArgs> = composite<NormArgs>(
  `norm(Tensor input, float? ord=2.0, int[]? dim=None, ${REST})`,
  {
    body: (
      input: Tensor,
      ord: number | null,
      dim: readonly number[] | null,
      keepdim: boolean | null,
      dtype: DType | null,
      mask: Tensor | null,
    ) => {
      const filled = fill_masked('norm', input, mask, ord ?? 2)
      const dims = canonical_dims(dim, input.ndim)
      return vector_norm(filled, ord ?? 2, dims, keepdim === true, { dtype: dtype ?? input.dtype })
    },
    out: false,
    samples: r => [
      [r(3, 4)],
      [r(3, 4), 1, 0, { mask: sample_mask(3, 4) }],
      [r(2, 3, 4), 3, [0, 2], { mask: sample_mask(4), keepdim: true }],
    ],
  },
)

type MomentOptions = ReduceOptions & { unbiased?: boolean | null }
type MomentArgs = [
  input: Tensor,
  dim?: Dims | MomentOptions,
  unbiased?: boolean | null | MomentOptions,
  opts?: MomentOptions,
]

const moment = (name: 'var' | 'std'): Op<MomentArgs> =>
  composite<MomentArgs>(`${name}(Tensor input, int[]? dim=None, bool? unbiased=False, ${REST})`, {
    body: (
      input: Tensor,
      dim: readonly number[] | null,
      unbiased: boolean | null,
      keepdim: boolean | null,
      dtype: DType | null,
      mask: Tensor | null,
    ) => {
      const floats = (d: DType): boolean => d.is_floating_point || d.is_complex
      const to = dtype ?? (floats(input.dtype) ? input.dtype : float32)
      const inside = mask === null ? null : input_mask(input, mask)
      let count = count_of(input, dim, true, inside)
      const away = input.sub(sum_of(input, dim, true, to, inside).div(count))
      const total = sum_of(away.mul(away.conj()), dim, keepdim, floats(to) ? to : float32, inside)
      if (keepdim !== true) count = count.reshape(total.sizes)
      if (unbiased === true) count = count.sub(1).clamp_min(0)
      const variance = to_dtype(total.div(count), to)
      return name === 'std' ? variance.sqrt() : variance
    },
    out: false,
    samples: r => [
      [r(3, 4)],
      [r(3, 4), 1, true, { mask: sample_mask(3, 4) }],
      [r(2, 3, 4), [0, -1], { mask: sample_mask(2, 1, 4), keepdim: true }],
    ],
  })

/** The variance of the elements that are not masked out, divided by their number; one less where `unbiased`. */
const variance: Op<MomentArgs> = moment('var')
/** The standard deviation of the elements that are not masked out: the root of the variance. */
export const std: Op<MomentArgs> = moment('std')
export { variance as var }
