// What the functions of torch.masked have in common: masks broadcast to the input, and the values that take the place
// of masked-out elements. Not here: the functions (reduction.ts, normalise.ts).
import { bool, type DType, iinfo } from '../../base/dtype.ts'
import { IndexError, NotImplementedError, RuntimeError, ValueError } from '../../base/errors.ts'
import { numel, same_sizes } from '../../base/shape.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { to_dtype } from '../convert.ts'
import { arange, full } from '../creation.ts'
import { where } from '../where.ts'

/** A dimension, several, or all of them. */
export type Dims = number | readonly number[] | null
/** Keyword arguments of a reduction. */
export type ReduceOptions = {
  dim?: Dims
  keepdim?: boolean | null
  dtype?: DType | null
  mask?: Tensor | null
}

/** The dimensions, wrapped and in order; all of them for null and for an empty list. */
export function canonical_dims(dim: readonly number[] | null, ndim: number): number[] {
  if (dim === null || dim.length === 0) return Array.from({ length: ndim }, (_, d) => d)
  const n = Math.max(ndim, 1)
  const dims: number[] = []
  for (const d of dim) {
    // PyTorch compares with the dimensions that are wrapped already.
    if (dims.includes(d)) throw new RuntimeError(`dim=${d} appears multiple times in the list of dims`)
    if (d >= n || d < -n)
      throw new IndexError(
        `Dimension out of range (expected to be in range of [${-n}, ${n - 1}], but got ${d})`,
      )
    dims.push(d < 0 ? d + n : d)
  }
  return dims.sort((a, b) => a - b)
}

/** The one dimension of a function that takes one. */
export const canonical_dim = (dim: number, ndim: number): number => canonical_dims([dim], ndim)[0] ?? 0

/** `mask` with the sizes of `input`, as booleans. */
export function input_mask(input: Tensor, mask: Tensor | null): Tensor {
  if (mask === null) throw new ValueError('_input_mask requires explicit mask')
  if (mask.ndim > input.ndim)
    throw new IndexError(
      '_input_mask expected broadcastable mask (got mask dimensionality higher than of the input)',
    )
  const wide = same_sizes(mask.sizes, input.sizes) ? mask : mask.broadcast_to(input.sizes)
  return to_dtype(wide, bool)
}

/** A function by whose identity masked-out elements are replaced. */
type Reducer = 'sum' | 'prod' | 'amax' | 'amin' | 'argmax' | 'argmin' | 'logsumexp' | 'median' | 'norm'

/** The value that changes no result of `name`, as far as there is one. */
function identity(name: Reducer, dtype: DType, ord: number): number | bigint {
  if (name === 'sum') return 0
  if (name === 'prod') return 1
  if (name === 'median') return NaN
  if (name === 'norm') return ord === -Infinity ? Infinity : 0
  const smallest = name === 'amin' || name === 'argmin'
  if (dtype.is_floating_point) return smallest ? Infinity : -Infinity
  if (dtype === bool) throw new NotImplementedError(`identity of ${name} on torch.bool input`)
  const limits = iinfo(dtype)
  return smallest ? limits.max : limits.min
}

/** `input` with the identity of `name` where `mask` is false. */
export function fill_masked(name: Reducer, input: Tensor, mask: Tensor | null, ord = 2): Tensor {
  if (mask === null) return input
  const keep = input_mask(input, mask)
  return where(keep, input, full([], identity(name, input.dtype, ord), { dtype: input.dtype }))
}

/** A mask for samples: every third element is masked out, so that no row of the samples is without elements. */
export function sample_mask(...sizes: number[]): Tensor {
  return arange(numel(sizes)).remainder(3).ne(0).reshape(sizes)
}
