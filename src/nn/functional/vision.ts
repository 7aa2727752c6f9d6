// Resizing images, padding and patches. Not here: the kernels (ops/nn/upsample.ts, pad.ts, fold.ts).
import { NotImplementedError, ValueError } from '../../base/errors.ts'
import {
  _nn,
  _python_float,
  _composite as composite,
  type _Op as Op,
  type Tensor,
  _warn as warn,
} from '../../torch.ts'

export const pad: typeof _nn.pad = _nn.pad
export const affine_grid: typeof _nn.affine_grid = _nn.affine_grid
export const grid_sample: typeof _nn.grid_sample = _nn.grid_sample
export const fold: typeof _nn.fold = _nn.fold
export const unfold: typeof _nn.unfold = _nn.unfold
export const pixel_shuffle: typeof _nn.pixel_shuffle = _nn.pixel_shuffle
export const pixel_unshuffle: typeof _nn.pixel_unshuffle = _nn.pixel_unshuffle
export const channel_shuffle: typeof _nn.channel_shuffle = _nn.channel_shuffle
export const native_channel_shuffle: typeof _nn.channel_shuffle = _nn.channel_shuffle

type Numbers = number | readonly number[]
type InterpolateOptions = {
  size?: Numbers | null
  scale_factor?: Numbers | null
  mode?: string
  align_corners?: boolean | null
  recompute_scale_factor?: boolean | null
  antialias?: boolean
}

/** `(2, 3)`. */
const tuple = (sizes: readonly number[]): string => `(${sizes.join(', ')})`

/** The number of dimensions that each mode resizes. */
const MODES: Readonly<Record<string, readonly number[]>> = {
  nearest: [1, 2, 3],
  'nearest-exact': [1, 2, 3],
  area: [1, 2, 3],
  linear: [1],
  bilinear: [2],
  bicubic: [2],
  trilinear: [3],
}

/** One number for each of `dims` dimensions. Throws ValueError where there are others. */
function for_each(given: number[], dims: number, what: string): number[] {
  if (given.length === 1) return new Array<number>(dims).fill(given[0]!)
  if (given.length === dims) return given
  throw new ValueError(
    `${what} must match input size. Input is ${dims}D, ${what === 'size' ? 'size' : 'scale_factor'} is [${given.join(', ')}]`,
  )
}

const unsupported = (ndim: number, mode: string): NotImplementedError =>
  new NotImplementedError(
    `Input Error: Only 3D, 4D and 5D input Tensors supported (got ${ndim}D) for the modes: nearest | linear | bilinear | bicubic | trilinear | area | nearest-exact (got ${mode})`,
  )

function resize(
  input: Tensor,
  size: number[] | null,
  scale_factor: number[] | null,
  mode: string,
  align_corners: boolean | null,
  recompute: boolean | null,
  antialias: boolean,
): Tensor {
  const dims = input.ndim - 2
  const blends = !['nearest', 'area', 'nearest-exact'].includes(mode)
  if (!blends && align_corners !== null)
    throw new ValueError(
      'align_corners option can only be set with the interpolating modes: linear | bilinear | bicubic | trilinear',
    )
  if (size !== null && scale_factor !== null)
    throw new ValueError('only one of size or scale_factor should be defined')
  if (size === null && scale_factor === null)
    throw new ValueError('either size or scale_factor should be defined')
  const wrong_count = (given: number[]): boolean => given.length !== 1 && given.length !== dims
  if (size !== null && wrong_count(size))
    throw new ValueError(
      `Input and output must have the same number of spatial dimensions, but got input with spatial dimensions of [${input.shape.slice(2).join(', ')}] and output size of ${tuple(size)}. Please provide input tensor in (N, C, d1, d2, ...,dK) format and output size in (o1, o2, ...,oK) format.`,
    )
  if (scale_factor !== null && wrong_count(scale_factor))
    throw new ValueError(
      `Input and scale_factor must have the same number of spatial dimensions, but got input with spatial dimensions of [${input.shape.slice(2).join(', ')}] and scale_factor of shape (${scale_factor.map(_python_float).join(', ')}). Please provide input tensor in (N, C, d1, d2, ...,dK) format and scale_factor in (s1, s2, ...,sK) format.`,
    )
  if (recompute === true && size !== null)
    throw new ValueError('recompute_scale_factor is not meaningful with an explicit size.')
  if (dims < 1) throw unsupported(input.ndim, mode)
  const spatial = input.shape.slice(2)
  const scales = scale_factor === null ? null : for_each(scale_factor, dims, 'scale_factor')
  const target =
    size !== null ? for_each(size, dims, 'size') : spatial.map((n, d) => Math.floor(n * scales![d]!))
  if (antialias) {
    if (!((mode === 'bilinear' || mode === 'bicubic') && input.ndim === 4))
      throw new ValueError('Anti-alias option is only supported for bilinear and bicubic modes')
    return _nn.upsample_antialiased(
      input,
      target,
      mode,
      align_corners ?? false,
      recompute === true ? null : scales,
    )
  }
  const known = MODES[mode]
  if (known === undefined || !known.includes(dims))
    throw known !== undefined && dims >= 1 && dims <= 3
      ? new NotImplementedError(`Got ${input.ndim}D input, but ${mode} mode needs ${known[0]! + 2}D input`)
      : unsupported(input.ndim, mode)
  if (mode === 'area') {
    const averages = [_nn.adaptive_avg_pool1d, _nn.adaptive_avg_pool2d, _nn.adaptive_avg_pool3d]
    return averages[dims - 1]!(input, target)
  }
  return _nn.upsample_to(input, target, mode, align_corners ?? false, recompute === true ? null : scales)
}

/**
 * Resizes the dimensions behind the first two, to `size` or by `scale_factor`. `mode`: nearest (the default), linear,
 * bilinear, bicubic, area, nearest-exact. `align_corners` makes the corner elements coincide, not the corners' corners.
 * `antialias` (bilinear and bicubic) lets every element count where the result is smaller.
 */
export const interpolate: Op<
  [
    input: Tensor,
    size?: Numbers | null | InterpolateOptions,
    scale_factor?: Numbers | null | InterpolateOptions,
    mode?: string | InterpolateOptions,
    align_corners?: boolean | null | InterpolateOptions,
  ]
> = composite(
  "interpolate(Tensor input, int[]? size=None, float[]? scale_factor=None, str mode='nearest', bool? align_corners=None, bool? recompute_scale_factor=None, bool antialias=False)",
  {
    body: resize,
    samples: r => [
      [r(1, 2, 4), 7],
      [r(1, 2, 7, 6), [3, 4], null, 'bilinear', { antialias: true }],
      [r(1, 2, 5, 8), [2, 10], null, 'bicubic', { antialias: true }],
      [r(1, 2, 5), { scale_factor: 1.5, mode: 'linear' }],
      [r(1, 2, 3, 4), [5, 6], { mode: 'bilinear' }],
      [r(1, 2, 3, 4), [5, 6], { mode: 'bilinear', align_corners: true }],
      [r(1, 1, 4, 4), { scale_factor: 0.6, mode: 'bicubic' }],
      [r(1, 1, 4, 5), [2, 3], { mode: 'area' }],
      [r(1, 1, 4, 5), [3, 8], { mode: 'nearest-exact' }],
    ],
    out: false,
  },
)

type UpsampleOptions = {
  size?: Numbers | null
  scale_factor?: Numbers | null
  mode?: string
  align_corners?: boolean | null
}

/** The old name of {@link interpolate}. */
export function upsample(
  input: Tensor,
  size?: Numbers | null | UpsampleOptions,
  scale_factor?: Numbers | null | UpsampleOptions,
  mode?: string | UpsampleOptions,
  align_corners?: boolean | null | UpsampleOptions,
): Tensor {
  warn('nn.functional.upsample is deprecated. Use nn.functional.interpolate instead.')
  return interpolate(
    ...([input, size, scale_factor, mode, align_corners].filter(x => x !== undefined) as Parameters<
      typeof interpolate
    >),
  )
}

/** {@link interpolate} to the nearest element. */
export const upsample_nearest: Op<
  [input: Tensor, size?: Numbers | null | UpsampleOptions, scale_factor?: Numbers | null | UpsampleOptions]
> = composite('upsample_nearest(Tensor input, int[]? size=None, float[]? scale_factor=None)', {
  body: (input: Tensor, size: number[] | null, scale_factor: number[] | null) => {
    warn('nn.functional.upsample_nearest is deprecated. Use nn.functional.interpolate instead.')
    return resize(input, size, scale_factor, 'nearest', null, null, false)
  },
  out: false,
})

/** {@link interpolate} between the four nearest elements, with aligned corners. */
export const upsample_bilinear: Op<
  [input: Tensor, size?: Numbers | null | UpsampleOptions, scale_factor?: Numbers | null | UpsampleOptions]
> = composite('upsample_bilinear(Tensor input, int[]? size=None, float[]? scale_factor=None)', {
  body: (input: Tensor, size: number[] | null, scale_factor: number[] | null) => {
    warn('nn.functional.upsample_bilinear is deprecated. Use nn.functional.interpolate instead.')
    return resize(input, size, scale_factor, 'bilinear', true, null, false)
  },
  out: false,
})
