// Sampling images and volumes at the places of a grid, and the grids of affine maps. Bicubic and bilinear weights are
// pieces of polynomials; the gradient is a kernel of its own. Not here: resizing (upsample.ts).
import { type DType, float32, float64 } from '../../base/dtype.ts'
import { NotImplementedError, RuntimeError, ValueError } from '../../base/errors.ts'
import { warn } from '../../base/warn.ts'
import { constant, type Expr } from '../../ir/expr.ts'
import type { Builder, View } from '../../ir/kernel.ts'
import { empty, kernels, zeros } from '../../tensor/dispatch.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { ones } from '../creation.ts'
import { linspace } from '../creation_more.ts'
import { dense } from '../define/copy.ts'
import { composite, type Op, op } from '../define/op.ts'
import { window } from '../define/space.ts'

const MODES = ['bilinear', 'nearest', 'bicubic']
const PADDINGS = ['zeros', 'border', 'reflection']

/** A place in one dimension, in elements, and its derivative by the coordinate of the grid. */
type Place = { at: Expr; slope: Expr }

/** Coordinates in [-1, 1] as elements. */
function unnormalised(x: Expr, n: Expr, align: boolean): Place {
  const size = n.cast(x.type)
  if (align) return { at: x.add(1).mul(size.sub(1)).div(2), slope: size.sub(1).div(2) }
  return { at: x.add(1).mul(size).sub(1).div(2), slope: size.div(2) }
}

/** Inside [0, n - 1]: nothing beyond has a derivative. */
function clipped({ at, slope }: Place, n: Expr): Place {
  const last = n.sub(1).cast(at.type)
  // A NaN becomes 0.
  const inside = at.gt(0).and(at.lt(last))
  return { at: at.gt(0).where(at.lt(last).where(at, last), 0), slope: inside.where(slope, 0) }
}

/** Reflected at the ends: of the elements, or of the pixels around them. */
function reflected(k: Builder, { at, slope }: Place, n: Expr, align: boolean): Place {
  const { type } = at
  const span = k.local(type, align ? n.sub(1).cast(type) : n.cast(type))
  const from = align ? at : at.add(0.5)
  const distance = k.local(type, from.abs())
  const flips = k.local(type, distance.div(span.max(1)).floor())
  const extra = k.local(type, distance.sub(flips.mul(span)))
  const odd = flips.sub(flips.mul(0.5).floor().mul(2)).gt(0.5)
  const place = odd.where(span.sub(extra), extra)
  const sign = from.lt(0).where(constant(-1, type), 1)
  const alone = span.le(0)
  return {
    at: k.local(type, alone.where(0, align ? place : place.sub(0.5))),
    slope: k.local(type, alone.where(0, slope.mul(odd.where(sign.neg(), sign)))),
  }
}

function padded(k: Builder, place: Place, n: Expr, padding: number, align: boolean): Place {
  if (padding === 0) return place
  return clipped(padding === 2 ? reflected(k, place, n, align) : place, n)
}

/** An element that takes part along one dimension, its weight, and the weight's derivative by the coordinate. */
type Tap = { at: Expr; valid: Expr; weight: Expr; slope: Expr }

const A = -0.75
/** Keys' kernel between the two nearest elements and beyond, with derivatives. */
const near = (d: Expr): [Expr, Expr] => [
  d
    .mul(A + 2)
    .sub(A + 3)
    .mul(d)
    .mul(d)
    .add(1),
  d
    .mul(3 * (A + 2))
    .sub(2 * (A + 3))
    .mul(d),
]
const far = (d: Expr): [Expr, Expr] => [
  d
    .mul(A)
    .sub(5 * A)
    .mul(d)
    .add(8 * A)
    .mul(d)
    .sub(4 * A),
  d
    .mul(3 * A)
    .sub(10 * A)
    .mul(d)
    .add(8 * A),
]

/** So far a place may lie outside as a number of elements: what is beyond belongs to no image. */
const bounded = (at: Expr): Expr => at.ge(-1e6).and(at.le(1e9)).where(at, -100)

function taps(k: Builder, x: Expr, n: Expr, mode: number, padding: number, align: boolean): Tap[] {
  const { type } = x
  const none = constant(0, type)
  const tap = (place: Expr, weight: Expr, slope: Expr): Tap => {
    const at = k.local('index', place.cast('index'))
    return {
      at,
      valid: at.ge(0).and(at.lt(n)),
      weight: k.local(type, weight),
      slope: k.local(type, slope),
    }
  }
  if (mode === 2) {
    const raw = unnormalised(x, n, align)
    const at = k.local(type, bounded(raw.at))
    const first = k.local(type, at.floor())
    const t = k.local(type, at.sub(first))
    const one = constant(1, type)
    const weights = [far(t.add(1)), near(t), near(one.sub(t)), far(constant(2, type).sub(t))]
    return weights.map(([weight, slope], i) => {
      const { at: place } = padded(k, { at: first.add(i - 1), slope: one }, n, padding, align)
      return tap(place, weight, (i < 2 ? slope : slope.neg()).mul(raw.slope))
    })
  }
  const found = padded(k, unnormalised(x, n, align), n, padding, align)
  const at = k.local(type, bounded(found.at))
  if (mode === 1) return [tap(at.round(), constant(1, type), none)]
  const first = k.local(type, at.floor())
  const t = k.local(type, at.sub(first))
  return [tap(first, constant(1, type).sub(t), found.slope.neg()), tap(first.add(1), t, found.slope)]
}

/** All combinations of the taps of each dimension. */
const corners = (dims: readonly Tap[][]): Tap[][] =>
  dims.reduce<Tap[][]>((found, own) => found.flatMap(some => own.map(t => [...some, t])), [[]])

const product = (all: readonly Expr[]): Expr => all.reduce((a, b) => a.mul(b))
const every = (all: readonly Expr[]): Expr => all.reduce((a, b) => a.and(b))

/** The taps of place `p` of batch `n`, one list a dimension, the outermost first: a grid names the innermost first. */
const taps_at = (
  k: Builder,
  grid: View,
  x: View,
  n: Expr,
  p: Expr,
  dims: number,
  settings: readonly [mode: number, padding: number, align: boolean],
): Tap[][] =>
  Array.from({ length: dims }, (_, d) =>
    taps(k, k.local(grid.type, grid.at(n, p, dims - 1 - d)), x.sizes[d + 2]!, ...settings),
  )

const sample_kernel = kernels(
  'grid_sample',
  (k, dtype: DType, dims: number, mode: number, padding: number, align: boolean) => {
    const out = k.output('out', dtype, { rank: 3, inner: 1 }) // [batch, channel, place]
    const x = k.input('x', dtype, { rank: dims + 2, inner: 1 })
    const grid = k.input('grid', dtype, { rank: 3, inner: 1 })
    const [batch, channels, places] = out.sizes as [Expr, Expr, Expr]
    k.nest([batch, places], 'parallel', 'parallel', (n, p) => {
      const found = corners(taps_at(k, grid, x, n!, p!, dims, [mode, padding, align]))
      k.for(channels, 'serial', c => {
        const terms = found.map(corner =>
          x
            .at_if(every(corner.map(t => t.valid)), [n!, c, ...corner.map(t => t.at)])
            .mul(product(corner.map(t => t.weight))),
        )
        k.store(
          out,
          [n!, c, p!],
          terms.reduce((a, b) => a.add(b)),
        )
      })
    })
  },
)

const grad_kernel = kernels(
  'grid_sample_grad',
  (k, dtype: DType, dims: number, mode: number, padding: number, align: boolean) => {
    const grad = k.inout('grad', dtype, { rank: dims + 2, inner: 1 })
    const grad_grid = k.output('grad_grid', dtype, { rank: 3, inner: 1 })
    const g = k.input('g', dtype, { rank: 3, inner: 1 })
    const x = k.input('x', dtype, { rank: dims + 2, inner: 1 })
    const grid = k.input('grid', dtype, { rank: 3, inner: 1 })
    const [batch, channels, places] = g.sizes as [Expr, Expr, Expr]
    k.for(batch, 'parallel', n =>
      k.for(places, 'serial', p => {
        const found = corners(taps_at(k, grid, x, n, p, dims, [mode, padding, align]))
        const sums = Array.from({ length: dims }, () => k.local(x.type, 0))
        k.for(channels, 'serial', c => {
          const own = k.local(x.type, g.at(n, c, p))
          for (const corner of found)
            k.if(every(corner.map(t => t.valid)), () => {
              const at = [n, c, ...corner.map(t => t.at)]
              const value = k.local(x.type, x.at(...at).mul(own))
              k.store(grad, at, grad.at(...at).add(own.mul(product(corner.map(t => t.weight)))))
              if (mode !== 1)
                for (const [d, sum] of sums.entries())
                  k.assign(
                    sum,
                    sum.add(value.mul(product(corner.map((t, e) => (e === d ? t.slope : t.weight))))),
                  )
            })
        })
        for (const [d, sum] of sums.entries()) k.store(grad_grid, [n, p, dims - 1 - d], sum)
      }),
    )
  },
)

/** [batch, places, dims], or with channels first. */
const flat = (t: Tensor, last: number, first: boolean): ReturnType<typeof window> => {
  const places = t.count / (t.sizes[0]! * last)
  const sizes = first ? [t.sizes[0]!, last, places] : [t.sizes[0]!, places, last]
  return window(t, sizes, [last * places, sizes[2]!, 1])
}

type Settings = [mode: number, padding: number, align: boolean]
const SETTINGS = 'int mode, int padding, bool align_corners'

const sampler = (dims: 2 | 3): Op<[input: Tensor, grid: Tensor, ...Settings]> => {
  const backward: Op<[g: Tensor, input: Tensor, grid: Tensor, ...Settings], [Tensor, Tensor]> = op(
    `grid_sampler_${dims}d_backward(Tensor g, Tensor input, Tensor grid, ${SETTINGS})`,
    {
      forward(g: Tensor, input: Tensor, grid: Tensor, ...settings: Settings): [Tensor, Tensor] {
        const grads: [Tensor, Tensor] = [zeros(input.sizes, input.dtype), zeros(grid.sizes, grid.dtype)]
        if (g.count > 0) {
          const operands = [grads[0], flat(grads[1], dims, false), flat(dense(g), g.sizes[1]!, true)]
          grad_kernel(
            g.dtype,
            dims,
            ...settings,
          )([...operands, dense(input), flat(dense(grid), dims, false)], [])
        }
        return grads
      },
      backward: {},
    },
  )
  return op(`grid_sampler_${dims}d(Tensor input, Tensor grid, ${SETTINGS})`, {
    node: `GridSampler${dims}DBackward0`,
    forward(input: Tensor, grid: Tensor, ...settings: Settings) {
      const out = empty([input.sizes[0]!, input.sizes[1]!, ...grid.sizes.slice(1, -1)], input.dtype)
      if (out.count > 0)
        sample_kernel(
          input.dtype,
          dims,
          ...settings,
        )([flat(out, out.sizes[1]!, true), dense(input), flat(dense(grid), dims, false)], [])
      return out
    },
    saves: ['input', 'grid'],
    backward: (g, [input, grid, ...settings]) => backward(g, input, grid, ...settings),
  })
}
const [sampler2, sampler3] = [sampler(2), sampler(3)]

const list = (sizes: readonly number[]): string => `[${sizes.join(', ')}]`

function check(input: Tensor, grid: Tensor, mode: number): void {
  const shown = `input with sizes ${list(input.sizes)} and grid with sizes ${list(grid.sizes)}`
  if (input.sizes[0] !== grid.sizes[0])
    throw new RuntimeError(
      `grid_sampler(): expected grid and input to have same batch size, but got ${shown}`,
    )
  if (grid.sizes.at(-1) !== input.ndim - 2)
    throw new RuntimeError(
      `grid_sampler(): expected grid to have size ${input.ndim - 2} in last dimension, but got grid with sizes ${list(grid.sizes)}`,
    )
  const empty_at = input.sizes.findIndex((n, d) => d > 1 && n === 0)
  if (empty_at > 0)
    throw new RuntimeError(
      `grid_sampler(): expected input to have non-empty spatial dimensions, but input has sizes ${list(input.sizes)} with dimension ${empty_at} being empty`,
    )
  if ((input.ndim !== 4 && input.ndim !== 5) || input.ndim !== grid.ndim)
    throw new RuntimeError(
      `grid_sampler(): expected ${input.ndim === 5 ? '5D' : '4D'} input and grid with same number of dimensions, but got ${shown}`,
    )
  if (input.ndim === 5 && mode === 2)
    throw new RuntimeError('grid_sampler(): bicubic interpolation only supports 4D input')
  const scalar = (t: Tensor): string => t.dtype.tensor_type.slice(0, -6)
  if (input.dtype !== float32 && input.dtype !== float64)
    throw new RuntimeError(
      input.ndim === 5
        ? `"grid_sampler_3d_cpu" not implemented for '${scalar(input)}'`
        : `grid_sampler_2d_cpu not implemented for ${scalar(input)}`,
    )
  if (input.dtype !== grid.dtype)
    throw new RuntimeError(`expected scalar type ${scalar(input)} but found ${scalar(grid)}`)
}

type SampleOptions = { mode?: string; padding_mode?: string; align_corners?: boolean | null }

/**
 * The elements of `input` (N, C, H, W) or (N, C, D, H, W) at the places of `grid` (N, ..., 2 or 3), whose coordinates name
 * the last dimension first and go from -1 to 1. `mode` is bilinear, nearest or bicubic; `padding_mode` says what lies
 * outside: zeros, the border, or a reflection. With `align_corners`, -1 and 1 are the centres of the outermost elements.
 */
export const grid_sample: Op<
  [
    input: Tensor,
    grid: Tensor,
    mode?: string | SampleOptions,
    padding_mode?: string | SampleOptions,
    align_corners?: boolean | null | SampleOptions,
  ]
> = composite(
  "grid_sample(Tensor input, Tensor grid, str mode='bilinear', str padding_mode='zeros', bool? align_corners=None)",
  {
    body: (input: Tensor, grid: Tensor, mode: string, padding: string, align: boolean | null) => {
      if (!MODES.includes(mode))
        throw new ValueError(
          `nn.functional.grid_sample(): expected mode to be 'bilinear', 'nearest' or 'bicubic', but got: '${mode}'`,
        )
      if (!PADDINGS.includes(padding))
        throw new ValueError(
          `nn.functional.grid_sample(): expected padding_mode to be 'zeros', 'border', or 'reflection', but got: '${padding}'`,
        )
      if (align === null)
        warn(
          'Default grid_sample and affine_grid behavior has changed to align_corners=False since 1.3.0. Please specify align_corners=True if the old behavior is desired. See the documentation of grid_sample for details.',
        )
      check(input, grid, MODES.indexOf(mode))
      const settings: Settings = [MODES.indexOf(mode), PADDINGS.indexOf(padding), align ?? false]
      return input.ndim === 4 ? sampler2(input, grid, ...settings) : sampler3(input, grid, ...settings)
    },
    out: false,
  },
)

/** The coordinates of `n` elements' centres, from -1 to 1. */
function centres(n: number, align: boolean, dtype: DType): Tensor {
  if (n <= 1) return linspace(0, 0, n, { dtype })
  const steps = linspace(-1, 1, n, { dtype })
  return align ? steps : steps.mul(n - 1).div(n)
}

/**
 * The grid that takes an image (or volume) of `size` (N, C, ...) through the affine maps `theta`, (N, 2, 3) or (N, 3, 4),
 * for {@link grid_sample}.
 */
export const affine_grid: Op<
  [
    theta: Tensor,
    size: readonly number[],
    align_corners?: boolean | null | { align_corners?: boolean | null },
  ]
> = composite('affine_grid(Tensor theta, int[] size, bool? align_corners=None)', {
  body: (theta: Tensor, size: number[], given: boolean | null) => {
    if (given === null)
      warn(
        'Default grid_sample and affine_grid behavior has changed to align_corners=False since 1.3.0. Please specify align_corners=True if the old behavior is desired. See the documentation of grid_sample for details.',
      )
    const align = given ?? false
    if (!theta.dtype.is_floating_point)
      throw new ValueError(`Expected theta to have floating point type, but got ${theta.dtype}`)
    if (size.length !== 4 && size.length !== 5)
      throw new NotImplementedError(
        `affine_grid only supports 4D and 5D sizes, for 2D and 3D affine transforms, respectively. Got size ${list(size)}.`,
      )
    const dims = size.length - 2
    if (theta.ndim !== 3 || theta.sizes[1] !== dims || theta.sizes[2] !== dims + 1)
      throw new ValueError(
        `Expected a batch of ${dims}D affine matrices of shape Nx${dims}x${dims + 1} for size ${list(size)}. Got ${theta.shape}.`,
      )
    if (size.some(n => n <= 0))
      throw new ValueError(`Expected non-zero, positive output size. Got ${list(size)}`)
    const batch = size[0]!
    if (theta.sizes[0] !== batch)
      throw new RuntimeError(
        `Expected size for first two dimensions of batch2 tensor to be: [${batch}, ${dims + 1}] but got: [${theta.sizes[0]}, ${dims + 1}].`,
      )
    const spatial = size.slice(2)
    const base = empty([...spatial, dims + 1], theta.dtype)
    for (let d = 0; d < dims; d++) {
      const shape = spatial.map((n, e) => (e === dims - 1 - d ? n : 1))
      base.select(-1, d).copy_(centres(spatial[dims - 1 - d]!, align, theta.dtype).view(shape))
    }
    base.select(-1, dims).copy_(ones([], { dtype: theta.dtype }))
    const rows = base.view([1, -1, dims + 1]).expand([batch, -1, -1])
    return rows.bmm(theta.transpose(1, 2)).view([batch, ...spatial, dims])
  },
  out: false,
})
