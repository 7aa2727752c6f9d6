// Between images and their patches: unfold (im2col) and fold (col2im), and the pixel shuffles. Each is the other's
// gradient. Not here: Tensor.unfold, which is a view of one dimension (../views.ts).
import type { DType } from '../../base/dtype.ts'
import { RuntimeError } from '../../base/errors.ts'
import { numel } from '../../base/shape.ts'
import { constant, type Expr } from '../../ir/expr.ts'
import { empty, kernels, zeros } from '../../tensor/dispatch.ts'
import { alias, type Tensor } from '../../tensor/tensor.ts'
import { copy_elements, dense } from '../define/copy.ts'
import { composite, type Op, op } from '../define/op.ts'
import { is_integral, not_implemented } from '../define/rules.ts'
import { window } from '../define/space.ts'
import { arithmetic } from '../slices.ts'

type Pair = number | readonly number[]
type Two = readonly [number, number]
/** Sizes and steps of the patches. */
type Patches = { kernel: Two; dilation: Two; padding: Two; stride: Two; out: Two; image: Two }

const pair = (given: readonly number[], name: string): Two => {
  if (given.length !== 1 && given.length !== 2)
    throw new RuntimeError(`It is expected ${name} equals to 2, but got size ${given.length}`)
  return [given[0]!, given[1] ?? given[0]!]
}
const text = ([a, b]: Two): string => `(${a}, ${b})`

function patches(image: Two, kernel: Two, dilation: Two, padding: Two, stride: Two): Patches {
  const positive = (values: Two, what: string, name: string): void => {
    if (values.some(n => n <= 0))
      throw new RuntimeError(
        `${what} should be greater than zero, but got ${name}_height: ${values[0]} ${name}_width: ${values[1]}`,
      )
  }
  positive(kernel, 'kernel size', 'kernel')
  positive(dilation, 'dilation', 'dilation')
  if (padding.some(n => n < 0))
    throw new RuntimeError(
      `padding should be non-negative, but got pad_height: ${padding[0]} pad_width: ${padding[1]}`,
    )
  positive(stride, 'stride', 'stride')
  const count = (d: 0 | 1): number =>
    Math.floor((image[d] + 2 * padding[d] - (dilation[d] * (kernel[d] - 1) + 1)) / stride[d]) + 1
  return { image, kernel, dilation, padding, stride, out: [count(0), count(1)] }
}

type Builder = Parameters<Parameters<typeof kernels>[1]>[0]

/** Where the element (i, j) of the patch at (y, x) lies in the image, and whether it is inside. */
function locate(
  k: Builder,
): (sizes: readonly Expr[], i: Expr, j: Expr, y: Expr, x: Expr) => { inside: Expr; at: [Expr, Expr] } {
  const [sy, sx, py, px, dy, dx] = ['sy', 'sx', 'py', 'px', 'dy', 'dx'].map(name =>
    k.value(name, 'index'),
  ) as [Expr, Expr, Expr, Expr, Expr, Expr]
  return (sizes, i, j, y, x) => {
    const row = y.mul(sy).sub(py).add(i.mul(dy))
    const column = x.mul(sx).sub(px).add(j.mul(dx))
    const inside = row.ge(0).and(row.lt(sizes[1]!)).and(column.ge(0)).and(column.lt(sizes[2]!))
    return { inside, at: [row, column] }
  }
}
const steps = ({ stride, padding, dilation }: Patches): number[] => [...stride, ...padding, ...dilation]

const unfold_kernel = kernels('im2col', (k, dtype: DType) => {
  const out = k.output('columns', dtype, { rank: 5, inner: 1 })
  const image = k.input('image', dtype, { rank: 3, inner: 1 })
  const place = locate(k)
  k.elementwise(out.sizes, (c, i, j, y, x) => {
    const { inside, at } = place(image.sizes, i!, j!, y!, x!)
    k.store(out, [c!, i!, j!, y!, x!], image.at_if(inside, [c!, ...at], constant(0, image.type)))
  })
})

const fold_kernel = kernels('col2im', (k, dtype: DType) => {
  const image = k.inout('image', dtype, { rank: 3, inner: 1 })
  const columns = k.input('columns', dtype, { rank: 5, inner: 1 })
  const place = locate(k)
  k.nest(columns.sizes, 'parallel', 'serial', (c, i, j, y, x) => {
    const { inside, at } = place(image.sizes, i!, j!, y!, x!)
    k.if(inside, () => {
      const to = [c!, ...at]
      k.store(image, to, arithmetic(image.at(...to)).add(arithmetic(columns.at(c!, i!, j!, y!, x!))))
    })
  })
})

const image_window = (t: Tensor, channels: number, [h, w]: Two) => window(t, [channels, h, w], [h * w, w, 1])
function column_window(t: Tensor, channels: number, { kernel: [kh, kw], out: [h, w] }: Patches) {
  const sizes = [channels, kh, kw, h, w]
  return window(
    t,
    sizes,
    sizes.map((_, d) => numel(sizes.slice(d + 1))),
  )
}

type UnfoldOptions = { dilation?: Pair; padding?: Pair; stride?: Pair }
/** The patches of a [N, C, H, W] (or [C, H, W]) image as columns: [N, C * kernel size, patches]. */
export const unfold: Op<
  [
    self: Tensor,
    kernel_size: Pair,
    dilation?: Pair | UnfoldOptions,
    padding?: Pair | UnfoldOptions,
    stride?: Pair | UnfoldOptions,
  ]
> = op('unfold(Tensor self, int[] kernel_size, int[] dilation=[1], int[] padding=[0], int[] stride=[1])', {
  node: 'Im2ColBackward0',
  forward(self: Tensor, kernel_size: number[], dilation: number[], padding: number[], stride: number[]) {
    if (is_integral(self.dtype)) not_implemented('im2col_out_cpu', self.dtype)
    const ndim = self.sizes.length
    if ((ndim !== 3 && ndim !== 4) || self.sizes.slice(-3).includes(0))
      throw new RuntimeError(
        `Expected 3D or 4D (batch mode) tensor with possibly 0 batch size and other non-zero dimensions for input, but got: [${self.sizes.join(', ')}]`,
      )
    const image = self.sizes.slice(-2) as unknown as Two
    const p = patches(
      image,
      pair(kernel_size, 'kernel_size'),
      pair(dilation, 'dilation'),
      pair(padding, 'padding'),
      pair(stride, 'stride'),
    )
    if (p.out.some(n => n < 1))
      throw new RuntimeError(
        `Given input with spatial size ${text(image)}, kernel_size=${text(p.kernel)}, dilation=${text(p.dilation)}, padding=${text(p.padding)}, calculated shape of the array of sliding blocks as ${text(p.out)}, but its components must be at least one.`,
      )
    const channels = numel(self.sizes.slice(0, -2))
    const rows = self.sizes[ndim - 3]! * p.kernel[0] * p.kernel[1]
    const out = empty([...self.sizes.slice(0, -3), rows, p.out[0] * p.out[1]], self.dtype)
    if (out.count > 0)
      unfold_kernel(self.dtype)(
        [column_window(out, channels, p), image_window(dense(self), channels, image)],
        steps(p),
      )
    return out
  },
  backward: {
    self: (g, [self, kernel_size, dilation, padding, stride]) =>
      fold(
        g,
        self.sizes.slice(-2),
        kernel_size,
        pair(dilation, 'dilation'),
        pair(padding, 'padding'),
        pair(stride, 'stride'),
      ),
  },
  samples: r => [
    [r(1, 2, 4, 3), 2],
    [r(2, 5, 4), [2, 3], { padding: 1, stride: 2 }],
    [r(1, 1, 5, 5), 2, 2],
  ],
})

/** Adds columns of patches up to images of `output_size`: the adjoint of {@link unfold}. */
export const fold: Op<
  [
    self: Tensor,
    output_size: Pair,
    kernel_size: Pair,
    dilation?: Pair | UnfoldOptions,
    padding?: Pair | UnfoldOptions,
    stride?: Pair | UnfoldOptions,
  ]
> = op(
  'fold(Tensor self, int[] output_size, int[] kernel_size, int[] dilation=[1], int[] padding=[0], int[] stride=[1])',
  {
    node: 'Col2ImBackward0',
    forward(
      self: Tensor,
      output_size: number[],
      kernel_size: number[],
      dilation: number[],
      padding: number[],
      stride: number[],
    ) {
      if (is_integral(self.dtype)) not_implemented('col2im_out_cpu', self.dtype)
      const ndim = self.sizes.length
      if ((ndim !== 2 && ndim !== 3) || self.sizes.slice(-2).includes(0))
        throw new RuntimeError(
          `Expected 2D or 3D (batch mode) tensor for input with possibly 0 batch size and non-zero dimensions for input, but got: [${self.sizes.join(', ')}]`,
        )
      const image = pair(output_size, 'output_size')
      const p = patches(
        image,
        pair(kernel_size, 'kernel_size'),
        pair(dilation, 'dilation'),
        pair(padding, 'padding'),
        pair(stride, 'stride'),
      )
      const [rows, count] = self.sizes.slice(-2) as [number, number]
      const area = p.kernel[0] * p.kernel[1]
      const blocks = p.out[0] * p.out[1]
      if (rows % area !== 0)
        throw new RuntimeError(
          `Expected size of input's dimension 1 to be divisible by the product of kernel_size, but got input.size(1)=${rows} and kernel_size=${text(p.kernel)}.`,
        )
      if (p.out.some(n => n < 1) || count !== blocks)
        throw new RuntimeError(
          `Given output_size=${text(image)}, kernel_size=${text(p.kernel)}, dilation=${text(p.dilation)}, padding=${text(p.padding)}, stride=${text(p.stride)}, expected size of input's dimension 2 to match the calculated number of sliding blocks ${p.out[0]} * ${p.out[1]} = ${blocks}, but got input.size(2)=${count}.`,
        )
      const out = zeros([...self.sizes.slice(0, -2), rows / area, ...image], self.dtype)
      const channels = numel(out.sizes.slice(0, -2))
      if (self.count > 0)
        fold_kernel(self.dtype)(
          [image_window(out, channels, image), column_window(dense(self), channels, p)],
          steps(p),
        )
      return out
    },
    backward: {
      self: (g, [, , kernel_size, dilation, padding, stride]) =>
        unfold(g, kernel_size, pair(dilation, 'dilation'), pair(padding, 'padding'), pair(stride, 'stride')),
    },
    samples: r => [
      [r(1, 8, 6), [3, 4], 2],
      [r(4, 4), [4, 4], 2, { stride: 2 }],
    ],
  },
)

// ------------------------------------------------------------------------------------ pixel shuffles

/** Copies between [.., C * r * r, H, W] and [.., C, H * r, W * r] by way of [batch, C, r, r, H, W]. */
function shuffled(self: Tensor, sizes: readonly number[], r: number, up: boolean): Tensor {
  const out = empty(sizes, self.dtype)
  if (out.count === 0) return out
  const [small, large] = up ? [dense(self), out] : [out, dense(self)]
  const [channels, h, w] = [large.sizes.at(-3)!, small.sizes.at(-2)!, small.sizes.at(-1)!]
  const split = [numel(sizes.slice(0, -3)), channels, r, r, h, w]
  const apart = alias(
    small,
    split,
    split.map((_, d) => numel(split.slice(d + 1))),
  )
  const row = w * r
  const plane = h * r * row
  const together = alias(large, split, [channels * plane, plane, row, 1, r * row, r])
  copy_elements(up ? together : apart, up ? apart : together)
  return out
}

function require_image(name: string, self: Tensor): [number, number, number] {
  if (self.sizes.length < 3)
    throw new RuntimeError(
      `${name} expects input to have at least 3 dimensions, but got input with ${self.sizes.length} dimension(s)`,
    )
  return self.sizes.slice(-3) as [number, number, number]
}

/** Turns [.., C * r^2, H, W] into [.., C, H * r, W * r]. */
export const pixel_shuffle: Op<[self: Tensor, upscale_factor: number]> = op(
  'pixel_shuffle(Tensor self, int upscale_factor)',
  {
    forward(self: Tensor, r: number) {
      const [c, h, w] = require_image('pixel_shuffle', self)
      if (r <= 0) throw new RuntimeError(`pixel_shuffle expects a positive upscale_factor, but got ${r}`)
      if (c % (r * r) !== 0)
        throw new RuntimeError(
          `pixel_shuffle expects its input's 'channel' dimension to be divisible by the square of upscale_factor, but input.size(-3)=${c} is not divisible by ${r * r}`,
        )
      return shuffled(self, [...self.sizes.slice(0, -3), c / (r * r), h * r, w * r], r, true)
    },
    backward: { self: (g, [, r]) => pixel_unshuffle(g, r) },
    samples: r => [
      [r(1, 8, 2, 3), 2],
      [r(9, 2, 1), 3],
    ],
  },
)

/** Turns [.., C, H * r, W * r] into [.., C * r^2, H, W]. */
export const pixel_unshuffle: Op<[self: Tensor, downscale_factor: number]> = op(
  'pixel_unshuffle(Tensor self, int downscale_factor)',
  {
    forward(self: Tensor, r: number) {
      const [c, h, w] = require_image('pixel_unshuffle', self)
      if (r <= 0) throw new RuntimeError(`pixel_unshuffle expects a positive downscale_factor, but got ${r}`)
      if (h % r !== 0)
        throw new RuntimeError(
          `pixel_unshuffle expects height to be divisible by downscale_factor, but input.size(-2)=${h} is not divisible by ${r}`,
        )
      if (w % r !== 0)
        throw new RuntimeError(
          `pixel_unshuffle expects width to be divisible by downscale_factor, but input.size(-1)=${w} is not divisible by ${r}`,
        )
      return shuffled(self, [...self.sizes.slice(0, -3), c * r * r, h / r, w / r], r, false)
    },
    backward: { self: (g, [, r]) => pixel_shuffle(g, r) },
    samples: r => [[r(1, 2, 4, 2), 2]],
  },
)

/** Splits the channels into `groups` and interleaves these. */
export const channel_shuffle: Op<[self: Tensor, groups: number]> = composite(
  'channel_shuffle(Tensor self, int groups)',
  {
    out: false,
    body(self: Tensor, groups: number): Tensor {
      if (self.sizes.length < 3)
        throw new RuntimeError(
          `channel_shuffle expects input with > 2 dims, but got input with sizes [${self.sizes.join(', ')}]`,
        )
      if (groups <= 0)
        throw new RuntimeError(
          `Number of groups to divide channels in must be positive. Value of groups:${groups}`,
        )
      const c = self.sizes[1]!
      if (c % groups !== 0)
        throw new RuntimeError(
          `Number of channels must be divisible by groups. Got ${c} channels and ${groups} groups.`,
        )
      return self
        .unflatten(1, [groups, c / groups])
        .transpose(1, 2)
        .reshape(self.sizes)
    },
    samples: r => [[r(1, 4, 2, 2), 2]],
  },
)
