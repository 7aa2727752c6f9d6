// torch.testing.make_tensor: random tensors for tests, with the numbers that PyTorch draws.
// Not here: comparing (comparison.ts).
import { ValueError } from '../base/errors.ts'
import * as torch from '../torch.ts'
import {
  type DeviceLike,
  type DType,
  _is_options as is_options,
  type Tensor,
  _warn as warn,
} from '../torch.ts'

export type MakeOptions = {
  dtype: DType
  device?: DeviceLike
  /** the least value (default: -9; of unsigned integers 0) */
  low?: number | null
  /** an upper limit (default: 9, and of integers 10), which integers do not reach */
  high?: number | null
  requires_grad?: boolean
  /** with gaps between the elements, where there is more than one */
  noncontiguous?: boolean
  /** small positive numbers in the place of zeros */
  exclude_zero?: boolean
}

const is_float = (dtype: DType): boolean => dtype.is_floating_point || dtype.is_complex

function limits(
  { low, high }: MakeOptions,
  standard: readonly [number, number],
  range: { min: number | bigint; max: number | bigint },
): [number, number] {
  const [from, to] = [low ?? standard[0], high ?? standard[1]]
  if (Number.isNaN(from) || Number.isNaN(to)) throw new ValueError('make_tensor: one of low or high was NaN!')
  if (from > to) throw new ValueError('make_tensor: low must be weakly less than high!')
  const clamp = (x: number): number => Math.min(Math.max(x, Number(range.min)), Number(range.max))
  return [clamp(from), clamp(to)]
}

function uniform(size: readonly number[], dtype: DType, [low, high]: readonly [number, number]): Tensor {
  const drawn = torch.rand(size, { dtype })
  return drawn.mul(high).add(drawn.neg().add(1).mul(low))
}

function drawn(size: readonly number[], options: MakeOptions): Tensor {
  const { dtype } = options
  if (dtype === torch.bool) return torch.randint(0, 2, size, { dtype })
  if (dtype.is_complex) {
    const part = dtype === torch.complex64 ? torch.float32 : torch.float64
    const range = limits(options, [-9, 9], torch.finfo(part))
    return torch.complex(uniform(size, part, range), uniform(size, part, range))
  }
  if (dtype.is_floating_point) return uniform(size, dtype, limits(options, [-9, 9], torch.finfo(dtype)))
  const [low, high] = limits(options, [dtype.is_signed ? -9 : 0, 10], torch.iinfo(dtype))
  return torch.randint(Math.floor(low), Math.ceil(high), size, { dtype })
}

/**
 * A tensor of random values, uniform in [low, high): `make_tensor(3, 4, { dtype: torch.float32, low: 0 })`. Throws ValueError for
 * limits that are none, and for integers that are to require grad.
 */
export function make_tensor(...args: readonly (number | readonly number[] | MakeOptions)[]): Tensor {
  const options = args.at(-1) as MakeOptions
  if (!is_options(options) || options.dtype === undefined)
    throw new TypeError("make_tensor() missing 1 required keyword-only argument: 'dtype'")
  const { dtype, requires_grad = false, noncontiguous = false, exclude_zero = false } = options
  if (options.device !== undefined) torch.empty(0, { device: options.device })
  if (requires_grad && !is_float(dtype))
    throw new ValueError('make_tensor: requires_grad must be False for integral dtype')
  let made = drawn(args.slice(0, -1).flat() as number[], options)
  if (noncontiguous) made = with_gaps(made)
  if (exclude_zero) {
    const tiny = is_float(dtype) ? torch.finfo(dtype).tiny : 1
    made.masked_fill_(made.eq(0), dtype.is_complex ? torch.complex_scalar(tiny, tiny) : tiny)
  }
  return is_float(dtype) ? made.requires_grad_(requires_grad) : made
}

/** The same values with gaps between the elements of the last dimension, where there is more than one. */
const with_gaps = (t: Tensor): Tensor => {
  if (t.numel() <= 1) return t
  const doubled = t.repeat_interleave(2, -1)
  return doubled.as_strided(
    t.shape,
    doubled.stride().map((s, d) => (d === t.ndim - 1 ? 2 : s)),
  )
}

/** The same values in memory with gaps. Deprecated: make them by {@link make_tensor}. */
export function make_non_contiguous(tensor: Tensor): Tensor {
  warn(
    'torch.testing.make_non_contiguous() is deprecated since 1.12 and will be removed in a future release. Use torch.testing.make_tensor(..., { noncontiguous: true }) instead.',
  )
  return tensor.numel() <= 1 ? tensor.clone() : with_gaps(tensor.detach())
}
