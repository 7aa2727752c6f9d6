// Pooling by the size of the result: adaptive averages and maxima of lines, planes and volumes, and what they throw.
// Not here: the kernels (adaptive_kernels.ts), pooling by the size of the window (pool.ts, avg_pool.ts, pool3d.ts).
import { float16 } from '../../base/dtype.ts'
import { RuntimeError, ValueError } from '../../base/errors.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { composite, type Op, type Samples } from '../define/op.ts'
import { adaptive_average, adaptive_maximum } from './adaptive_kernels.ts'
import { in_two, lifted, require_computable, require_dtype } from './pool_windows.ts'

type Size = number | null
type Sizes = Size | readonly Size[]
type Dims = 1 | 2

/** The sizes that are given; a list must be shorter than the input's. */
function sizes_of(x: unknown, input: Tensor, dims: number): Size[] {
  if (!Array.isArray(x)) return [x as Size]
  if (dims > 1 && input.ndim <= x.length)
    throw new ValueError(`Input dimension should be at least ${x.length + 1}`)
  return x as Size[]
}

/** Checks, and gives the height and width of the result: null keeps the input's. */
function result_size(name: string, input: Tensor, given: readonly Size[], dims: Dims): [number, number] {
  const spatial = input.sizes.slice(-dims)
  const wanted = given.length === 1 ? new Array<Size>(dims).fill(given[0]!) : given
  if (wanted.length !== dims) throw new RuntimeError(`${name}: output_size must be ${dims}`)
  if (input.ndim !== dims + 1 && input.ndim !== dims + 2)
    throw new RuntimeError(
      dims === 1
        ? `Expected 2 to 3 dimensions, but got ${input.ndim}-dimensional tensor for argument #1 'self' (while checking arguments for ${name})`
        : `${name}(): Expected 3D or 4D tensor, but got${name.includes('max') ? ':' : ''} [${input.sizes.join(', ')}]`,
    )
  const empty_at = input.sizes.findIndex((n, d) => n === 0 && d >= input.ndim - dims - 1 && d > 0)
  if (empty_at > 0) {
    // A line is a plane of one row.
    const sizes = dims === 1 ? input.sizes.toSpliced(-1, 0, 1) : input.sizes
    throw new RuntimeError(
      `${name.replace('1d', '2d')}(): Expected input to have non-zero size for non-batch dimensions, but input has sizes [${sizes.join(', ')}] with dimension ${sizes.indexOf(0, empty_at)} being empty`,
    )
  }
  const sizes = wanted.map((n, d) => n ?? spatial[d]!)
  if (sizes.some(n => n < 0))
    throw new RuntimeError(
      `${name}: elements of output_size must be greater than or equal to 0 but received {${sizes.join(', ')}}`,
    )
  require_computable(`adaptive_${name.includes('max') ? 'max' : 'avg'}_pool2d`, input.dtype)
  return in_two(sizes, 1)
}

type AdaptiveArgs = [input: Tensor, output_size: Sizes | { output_size: Sizes }]

const average_op = (dims: Dims, samples: Samples<AdaptiveArgs>): Op<AdaptiveArgs> => {
  const name = `adaptive_avg_pool${dims}d`
  return composite(`${name}(Tensor input, any? output_size)`, {
    body: (input: Tensor, output_size: unknown) => {
      const given = sizes_of(output_size, input, dims)
      // One value a plane is a mean, whose kernels are better.
      const fits = dims === 2 ? input.ndim > 2 : input.ndim === 2 || input.ndim === 3
      if (fits && given.every(n => n === 1)) return input.mean(dims === 2 ? [-1, -2] : [-1], true)
      const size = result_size(name, input, given, dims)
      return lifted(dims, input, x => adaptive_average[2](x, [...x.sizes.slice(0, -2), ...size]))
    },
    samples,
    out: false,
  })
}

/** The means of windows that divide the last dimension into `output_size` parts. */
export const adaptive_avg_pool1d: Op<AdaptiveArgs> = average_op(1, r => [
  [r(2, 3, 8), 3],
  [r(2, 5), 1],
])
/** The means of windows that divide the last two dimensions into `output_size` parts; null keeps a size. */
export const adaptive_avg_pool2d: Op<AdaptiveArgs> = average_op(2, r => [
  [r(1, 2, 7, 5), 3],
  [r(2, 5, 4), [2, 6]],
  [r(2, 2, 4, 4), 1],
])

const maximum_op = <R>(
  dims: Dims,
  pick: (found: [Tensor, Tensor]) => R,
  samples?: Samples<AdaptiveArgs>,
): Op<AdaptiveArgs, R> => {
  const name = `adaptive_max_pool${dims}d`
  return composite<AdaptiveArgs, R>(`${name}(Tensor input, any? output_size)`, {
    body: (input: Tensor, output_size: unknown) => {
      const size = result_size(name, input, sizes_of(output_size, input, dims), dims)
      return pick(lifted(dims, input, x => adaptive_maximum[2](x, [...x.sizes.slice(0, -2), ...size])))
    },
    ...(samples && { samples }),
    out: false,
  })
}

/** The largest elements of windows that divide the last dimension into `output_size` parts. */
export const adaptive_max_pool1d: Op<AdaptiveArgs> = maximum_op(1, ([values]) => values)
/** The largest elements of windows that divide the last two dimensions into `output_size` parts; null keeps a size. */
export const adaptive_max_pool2d: Op<AdaptiveArgs> = maximum_op(2, ([values]) => values)
/** {@link adaptive_max_pool1d} and the positions of the largest elements. */
export const adaptive_max_pool1d_with_indices: Op<AdaptiveArgs, [Tensor, Tensor]> = maximum_op(
  1,
  found => found,
  r => [[r.distinct(2, 3, 8), 3]],
)
/** {@link adaptive_max_pool2d} and the positions of the largest elements in each plane. */
export const adaptive_max_pool2d_with_indices: Op<AdaptiveArgs, [Tensor, Tensor]> = maximum_op(
  2,
  found => found,
  r => [
    [r.distinct(1, 2, 7, 5), 3],
    [r.distinct(2, 5, 4), [2, 6]],
  ],
)

// ---------------------------------------------------------------------------------------------- volumes

/** Checks, and gives the sizes of the result: null keeps the input's. */
function volume_size(name: string, input: Tensor, output_size: unknown): number[] {
  const given = sizes_of(output_size, input, 3)
  const maximum = name.includes('max')
  if (given.length !== 1 && given.length !== 3)
    throw new RuntimeError(
      maximum ? `${name}(): internal error: output_size.size() must be 3` : `${name}: output_size must be 3`,
    )
  const { sizes } = input
  if (input.ndim !== 4 && input.ndim !== 5)
    throw new RuntimeError(
      `${name}(): Expected 4D or 5D tensor, but got${maximum ? ':' : ''} [${sizes.join(', ')}]`,
    )
  const spatial = sizes.slice(-3)
  const wanted = [0, 1, 2].map(d => (given.length === 1 ? given[0]! : given[d]!) ?? spatial[d]!)
  if (wanted.some(n => n < 0))
    throw new RuntimeError(
      maximum
        ? `Trying to create tensor with negative dimension ${wanted.find(n => n < 0)}: [${[...sizes.slice(0, -3), ...wanted].join(', ')}]`
        : `adaptive_avg_pool2d: elements of output_size must be greater than or equal to 0 but received {${wanted[0]}, ${wanted[1]},${wanted[2]}}`,
    )
  const empty_at = sizes.findIndex((n, d) => n === 0 && d > 0 && d >= input.ndim - 4)
  if (empty_at > 0)
    throw new RuntimeError(
      `${name}(): Expected input to have non-zero size for non-batch dimensions, but input has sizes [${sizes.join(', ')}] with dimension ${empty_at} being empty`,
    )
  require_dtype(`${name}_cpu`, input)
  return wanted
}

/** The means of windows that divide a volume into `output_size` parts; null keeps a size. */
export const adaptive_avg_pool3d: Op<AdaptiveArgs> = composite(
  'adaptive_avg_pool3d(Tensor input, any? output_size)',
  {
    body: (input: Tensor, output_size: unknown) => {
      const alone = (Array.isArray(output_size) ? output_size : [output_size]).every(n => n === 1)
      if (alone && input.ndim > 3 && (input.dtype === float16 || input.dtype.is_floating_point))
        return input.mean([-1, -2, -3], true)
      const size = volume_size('adaptive_avg_pool3d', input, output_size)
      return adaptive_average[3](input, [...input.sizes.slice(0, -3), ...size])
    },
    samples: r => [
      [r(1, 2, 4, 5, 3), 2],
      [r(2, 3, 4, 2), [2, 3, null]],
      [r(2, 2, 2, 2), 1],
    ],
    out: false,
  },
)

const maximum3d_op = <R>(
  pick: (found: [Tensor, Tensor]) => R,
  samples?: Samples<AdaptiveArgs>,
): Op<AdaptiveArgs, R> =>
  composite<AdaptiveArgs, R>('adaptive_max_pool3d(Tensor input, any? output_size)', {
    body: (input: Tensor, output_size: unknown) => {
      const size = volume_size('adaptive_max_pool3d', input, output_size)
      return pick(adaptive_maximum[3](input, [...input.sizes.slice(0, -3), ...size]))
    },
    ...(samples && { samples }),
    out: false,
  })

/** The largest elements of windows that divide a volume into `output_size` parts; null keeps a size. */
export const adaptive_max_pool3d: Op<AdaptiveArgs> = maximum3d_op(([values]) => values)
/** {@link adaptive_max_pool3d} and the positions of the largest elements in each volume. */
export const adaptive_max_pool3d_with_indices: Op<AdaptiveArgs, [Tensor, Tensor]> = maximum3d_op(
  found => found,
  r => [
    [r.distinct(1, 2, 4, 5, 3), 2],
    [r.distinct(2, 3, 4, 2), [2, 3, 1]],
  ],
)
