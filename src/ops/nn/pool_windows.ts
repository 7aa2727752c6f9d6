// What pooling in one, two and three dimensions has in common: how windows lie and are checked, loops over them, and the
// gradient of a maximum. Lines are planes of one row. Not here: the ops (pool.ts, avg_pool.ts, pool3d.ts).
import { type DType, float16, float32, float64, int64 } from '../../base/dtype.ts'
import { RuntimeError } from '../../base/errors.ts'
import { contiguous_strides, numel } from '../../base/shape.ts'
import type { Operand } from '../../device/device.ts'
import type { Expr } from '../../ir/expr.ts'
import type { Builder, LoopMode, View } from '../../ir/kernel.ts'
import { kernels, zeros } from '../../tensor/dispatch.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { dense } from '../define/copy.ts'
import { type Op, op } from '../define/op.ts'
import { window } from '../define/space.ts'

export type Numbers = number | readonly number[]
export type Window = {
  kernel: number[]
  stride: number[]
  padding: number[]
  dilation: number[]
  ceil_mode: boolean
}

/** The number of windows along a dimension; the last may start inside the padding only in ceil mode's sense. */
export function pooled(
  n: number,
  d: number,
  { kernel, stride, padding, dilation, ceil_mode }: Window,
): number {
  const [k, s, p] = [kernel[d]!, stride[d]!, padding[d]!]
  const room = n + 2 * p - dilation[d]! * (k - 1) - 1
  const out = (ceil_mode ? Math.ceil(room / s) : Math.floor(room / s)) + 1
  return ceil_mode && (out - 1) * s >= n + p ? out - 1 : out
}

/** Images of `dims` dimensions: (N, C, H, W) as [planes, H, W]. */
export function images(t: Tensor, dims: number): Operand {
  const sizes = [numel(t.sizes.slice(0, -dims)), ...t.sizes.slice(-dims)]
  return window(t, sizes, contiguous_strides(sizes))
}

/** The elements of a window along one dimension: side by side, or every `by`-th. */
export type Span = { readonly first: Expr; readonly count: Expr; readonly by?: Expr }

/** Loops over the elements of a window, rows in order; `mode` is the last dimension's. */
export function each_element(
  k: Builder,
  spans: readonly Span[],
  mode: LoopMode,
  body: (...at: Expr[]) => void,
): void {
  const go = (d: number, at: readonly Expr[]): void => {
    const span = spans[d]
    if (span === undefined) body(...at)
    else
      k.for(span.count, d === spans.length - 1 ? mode : 'serial', i =>
        go(d + 1, [...at, span.first.add(span.by ? i.mul(span.by) : i)]),
      )
  }
  go(0, [])
}

/** The position of an element in its image, rows after rows. */
export const position_in = (image: View, at: readonly Expr[]): Expr =>
  at.reduce((before, i, d) => before.mul(image.sizes[d + 1]!).add(i))

/** Whether all windows, of which `out` has one element each, lie inside the planes of `x`. */
export function fits(out: Tensor, x: Tensor, { kernel, stride, padding, dilation }: Window): boolean {
  return [0, 1].every(d => {
    const [windows, n] = [out.sizes.at(d - 2)!, x.sizes.at(d - 2)!]
    return padding[d] === 0 && (windows - 1) * stride[d]! + dilation[d]! * (kernel[d]! - 1) < n
  })
}

/** Runs `f` on sequences (N, C, L) as images with a height of one, as PyTorch does. */
export function lifted<R extends Tensor | [Tensor, Tensor]>(
  dims: number,
  input: Tensor,
  f: (input: Tensor) => R,
): R {
  if (dims === 2) return f(input)
  const found = f(input.unsqueeze(-2))
  return (Array.isArray(found) ? found.map(t => t.squeeze(-2)) : found.squeeze(-2)) as R
}

/** Numbers for two dimensions: those of a height of one come before those of a sequence. */
export const in_two = (values: readonly number[], one: number): [number, number] =>
  values.length === 1 ? [one, values[0]!] : [values[0]!, values[1]!]

/** Small windows are unrolled into straight code; larger ones loop. */
export const UNROLLED = 16

/**
 * Loops over a row of `count` windows of `extent` elements on a row of `size`: those that lie inside it, for SIMD, and
 * those that reach beyond its ends.
 */
export function each_window(
  k: Builder,
  count: Expr,
  size: Expr,
  extent: number,
  stride: number,
  padding: Expr,
  inside: (j: Expr) => void,
  at_ends: (j: Expr) => void,
): void {
  const first = padding
    .add(stride - 1)
    .floordiv(stride)
    .min(count)
  const end = size.add(padding).sub(extent).floordiv(stride).add(1).min(count).max(first)
  k.for(first, 'serial', at_ends)
  k.for(end.sub(first), 'vector', j => inside(first.add(j)))
  k.for(count.sub(end), 'serial', j => at_ends(end.add(j)))
}

/** grad[plane, index] += g: each plane on its own, so planes are independent. */
const unpool_kernel = kernels('max_pool_grad', (k, dtype: DType) => {
  const grad = k.inout('grad', dtype, { rank: 2, inner: 1 })
  const g = k.input('g', dtype, { rank: 2, inner: 1 })
  const index = k.input('index', int64, { rank: 2, inner: 1 })
  const [count, n] = g.sizes as [Expr, Expr]
  k.for(count, 'parallel', p =>
    k.for(n, 'serial', i => {
      const at = index.at(p, i).cast('index')
      k.store(grad, [p, at], grad.at(p, at).add(g.at(p, i)))
    }),
  )
})

/** Adds `g` to the positions `index` of each plane of zeros: the gradient of a maximum. */
export const unpool: Op<[g: Tensor, index: Tensor, sizes: readonly number[]]> = op(
  'max_pool_backward(Tensor g, Tensor index, int[] sizes)',
  {
    node: 'MaxPool2DWithIndicesBackwardBackward0',
    forward(g: Tensor, index: Tensor, sizes: number[]) {
      const grad = zeros(sizes, g.dtype)
      const count = numel(sizes.slice(0, -2))
      const flat = (t: Tensor): ReturnType<typeof window> =>
        window(t, [count, t.count / count], [t.count / count, 1])
      if (g.count > 0) unpool_kernel(g.dtype)([flat(grad), flat(dense(g)), flat(dense(index))], [])
      return grad
    },
    saves: ['index'],
    backward: { g: (gg, [, index]) => gg.flatten(-2).gather(-1, index.flatten(-2)).view(index.sizes) },
  },
)

export const expand_to = (name: string, values: readonly number[], dims: number, what: string): number[] => {
  if (values.length === 1) return new Array<number>(dims).fill(values[0]!)
  if (values.length !== dims)
    throw new RuntimeError(
      `${name}: ${what} must either be a single int, or a tuple of ${dims === 2 ? 'two' : 'one'} ints`,
    )
  return [...values]
}

const text = (sizes: readonly number[]): string => `[${sizes.join(', ')}]`

/** Throws what PyTorch throws for a window that does not fit. */
function check_window(name: string, self: Tensor, { kernel, stride, padding, dilation }: Window): void {
  const dims = kernel.length
  const sized = self.ndim === dims + 1 || self.ndim === dims + 2
  const filled = self.sizes.slice(self.ndim === dims + 2 ? 1 : 0).every(n => n > 0)
  const wanted = (dims: number, sizes: readonly number[]): string =>
    `Expected ${dims + 1}D or ${dims + 2}D (batch mode) tensor with optional 0 dim batch size for input, but got:${text(sizes)}`
  // Averages of lines are those of planes of one row.
  const of_planes = (self: Tensor): string => wanted(2, self.sizes.toSpliced(-1, 0, 1))
  if (name === 'max_pool1d') {
    if (!sized || !filled) throw new RuntimeError(`max_pool1d: ${wanted(1, self.sizes)}`)
    if (kernel[0]! <= 0)
      throw new RuntimeError(`max_pool1d() kernel_size must be greater than zero, but got ${kernel[0]}`)
    if (stride[0]! <= 0)
      throw new RuntimeError(`max_pool1d() stride must be greater than zero, but got ${stride[0]}`)
    if (padding[0]! < 0)
      throw new RuntimeError(`max_pool1d() padding must be non-negative, but got ${padding[0]}`)
    if (padding[0]! > kernel[0]! / 2)
      throw new RuntimeError(
        `max_pool1d() padding should be at most half of kernel size, but got padding=${padding[0]} and kernel_size=${kernel[0]}`,
      )
    if (dilation[0]! <= 0)
      throw new RuntimeError(`max_pool1d() dilation must be greater than zero, but got ${dilation[0]}`)
    return
  }
  if (name === 'max_pool2d' && !sized)
    throw new RuntimeError('non-empty 3D or 4D (batch mode) tensor expected for input')
  if (dims === 1 && !sized)
    throw new RuntimeError(
      `Expected 2 to 3 dimensions, but got ${self.ndim}-dimensional tensor for argument #1 'self' (while checking arguments for ${name})`,
    )
  if (!sized) self.size(-3)
  if (stride.some(s => s <= 0)) throw new RuntimeError('stride should not be zero')
  if (kernel.some(k => k <= 0))
    throw new RuntimeError(
      `kernel size should be greater than zero, but got kH: ${kernel[0]} kW: ${kernel.at(-1)}`,
    )
  if (dilation.some(d => d <= 0))
    throw new RuntimeError(
      `dilation should be greater than zero, but got dilationH: ${dilation[0]} dilationW: ${dilation.at(-1)}`,
    )
  if (!sized || !filled) throw new RuntimeError(dims === 1 ? of_planes(self) : wanted(2, self.sizes))
  const negative = padding.find(p => p < 0)
  if (negative !== undefined) throw new RuntimeError(`pad must be non-negative, but got pad: ${negative}`)
  const wide = padding.findIndex((p, d) => p > kernel[d]! / 2)
  if (wide >= 0)
    throw new RuntimeError(
      `pad should be at most half of kernel size, but got pad=${padding[wide]} and kernel_size=${kernel[wide]}`,
    )
}

export function check_pool(name: string, self: Tensor, win: Window): void {
  check_window(name, self, win)
  const dims = win.kernel.length
  const out = self.sizes.slice(-dims).map((n, d) => pooled(n, d, win))
  if (out.some(n => n < (name === 'max_pool1d' ? 0 : 1))) {
    const one = name === 'avg_pool1d' ? [1] : []
    const text = (sizes: readonly number[]): string =>
      [self.sizes[self.ndim - dims - 1], ...one, ...sizes].join('x')
    throw new RuntimeError(
      `Given input size: (${text(self.sizes.slice(-dims))}). Calculated output size: (${text(out.map(n => Math.max(n, 0)))}). Output size is too small`,
    )
  }
  const maximum = name.startsWith('max')
  const kernel =
    name === 'max_pool1d' && !self.requires_grad ? 'max_pool1d_impl' : maximum ? 'max_pool2d' : 'avg_pool2d'
  require_computable(kernel, self.dtype, maximum ? [] : [int64])
}

/** Throws for dtypes that PyTorch has no kernel for: all but float32, float64, bfloat16 and `others`. */
export function require_computable(name: string, dtype: DType, others: readonly DType[] = []): void {
  if ((dtype.is_floating_point && dtype !== float16) || others.includes(dtype)) return
  throw new RuntimeError(`"${name}" not implemented for '${dtype.tensor_type.slice(0, -6)}'`)
}

/** What is given for a window, one number for each dimension. */
export function window_of(
  name: string,
  dims: number,
  kernel_: number[],
  stride_: number[] | null,
  padding: number[],
  dilation: number[],
  ceil_mode: boolean,
): Window {
  const kernel = expand_to(name, kernel_, dims, 'kernel_size')
  return {
    kernel,
    stride: stride_ === null || stride_.length === 0 ? kernel : expand_to(name, stride_, dims, 'stride'),
    padding: expand_to(name, padding, dims, 'padding'),
    dilation: expand_to(name, dilation, dims, 'dilation'),
    ceil_mode,
  }
}

/** Throws for dtypes that PyTorch has no kernel for. */
export function require_dtype(name: string, { dtype }: Tensor, others: readonly DType[] = []): void {
  if (dtype !== float32 && dtype !== float64 && !others.includes(dtype))
    throw new RuntimeError(`"${name}" not implemented for '${dtype.tensor_type.slice(0, -6)}'`)
}

/** {@link unpool} for images of `dims` dimensions. */
export function unpool_images(g: Tensor, index: Tensor, sizes: readonly number[], dims: 2 | 3): Tensor {
  if (dims === 2) return unpool(g, index, sizes)
  const [d, h, w] = sizes.slice(-3) as [number, number, number]
  return unpool(g.flatten(-3, -2), index.flatten(-3, -2), [...sizes.slice(0, -3), d * h, w]).view(sizes)
}
