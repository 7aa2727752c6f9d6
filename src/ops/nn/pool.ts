// Pooling in one and two dimensions: maxima with their positions, and what averages (avg_pool.ts) have in common with
// them. Not here: adaptive windows and unpooling (adaptive_pool.ts), three dimensions.
import { type DType, float16, int64 } from '../../base/dtype.ts'
import { RuntimeError } from '../../base/errors.ts'
import { numel } from '../../base/shape.ts'
import { constant, type Expr } from '../../ir/expr.ts'
import type { Builder } from '../../ir/kernel.ts'
import { empty, kernels, zeros } from '../../tensor/dispatch.ts'
import { modes } from '../../tensor/tape.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { dense } from '../define/copy.ts'
import { type Op, op, overloaded, type Samples } from '../define/op.ts'
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

/** Planes of an image: (N, C, H, W) as [planes, H, W]. */
export function planes(t: Tensor): ReturnType<typeof window> {
  const [h, w] = t.sizes.slice(-2) as [number, number]
  return window(t, [numel(t.sizes.slice(0, -2)), h, w], [h * w, w, 1])
}

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

const max_pool_kernel = kernels(
  'max_pool',
  (
    k,
    dtype: DType,
    kh: number,
    kw: number,
    sh: number,
    sw: number,
    dh: number,
    dw: number,
    inside: boolean,
    with_index: boolean,
  ) => {
    const out = k.output('out', dtype, { rank: 3, inner: 1 })
    const index = with_index ? k.output('index', int64, { rank: 3, inner: 1 }) : null
    const x = k.input('x', dtype, { rank: 3, inner: 1 })
    const ph = k.value('padding_h', 'index')
    const pw = k.value('padding_w', 'index')
    const [count, oh, ow] = out.sizes as [Expr, Expr, Expr]
    const [, h, w] = x.sizes as [Expr, Expr, Expr]
    const lowest = dtype.is_floating_point ? -Infinity : dtype === int64 ? -(2n ** 63n) : -(2 ** 31)
    const not_number = (v: Expr): Expr => v.ne(v)
    k.nest([count, oh], 'parallel', 'parallel', (p, i) => {
      const top = i!.mul(sh).sub(ph)
      const at = (y: Expr, z: Expr): Expr => y.mul(w).add(z).cast('i32')
      const unrolled = (j: Expr): void => {
        const left = j.mul(sw).sub(pw)
        let best: Expr | null = null
        let where: Expr = constant(0, 'i32')
        for (let a = 0; a < kh; a++) {
          // Beyond the border its row is seen once more, which changes no maximum and no first position.
          const y = inside ? top.add(a * dh) : top.add(a).max(0).min(h.sub(1))
          for (let b = 0; b < kw; b++) {
            const z = left.add(b * dw)
            const v = x.at(p!, y, z)
            // The first of equal values wins, a NaN over everything.
            const better: Expr | null = best === null ? null : v.gt(best).or(not_number(v))
            where = better === null ? at(y, z) : better.where(at(y, z), where)
            best = better === null ? v : better.where(v, best!)
          }
        }
        k.store(out, [p!, i!, j], best!)
        if (index) k.store(index, [p!, i!, j], where.cast('i64'))
      }
      const looped = (j: Expr): void => {
        const left = j.mul(sw).sub(pw)
        const best = k.local(x.type, lowest)
        const where = k.local('i32', -1)
        k.for(kh, 'serial', a =>
          k.for(kw, 'serial', b => {
            const [y, z] = [top.add(a.mul(dh)), left.add(b.mul(dw))]
            const valid = y.ge(0).and(y.lt(h)).and(z.ge(0)).and(z.lt(w))
            const v = x.at_if(valid, [p!, y, z], lowest)
            k.if(valid.and(v.gt(best).or(not_number(v)).or(where.lt(0))), () => {
              k.assign(where, at(y, z))
              k.assign(best, v)
            })
          }),
        )
        k.store(out, [p!, i!, j], best)
        if (index) k.store(index, [p!, i!, j], where.cast('i64'))
      }
      if (kh * kw > UNROLLED || (!inside && dh > 1)) k.for(ow, 'serial', looped)
      else if (inside) k.for(ow, 'vector', unrolled)
      else each_window(k, ow, w, dw * (kw - 1) + 1, sw, pw, unrolled, looped)
    })
  },
)

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

type PoolArgs = [
  self: Tensor,
  kernel: number[],
  stride: number[],
  padding: number[],
  dilation: number[],
  ceil_mode: boolean,
]

/** The largest elements and, where they are asked for, their positions. */
function run_max_pool(self: Tensor, win: Window, with_index: boolean): [Tensor, Tensor | null] {
  const { kernel, stride, padding, dilation } = win
  const spatial = self.sizes.slice(-2)
  const sizes = [...self.sizes.slice(0, -2), ...spatial.map((n, d) => pooled(n, d, win))]
  const out = empty(sizes, self.dtype)
  const index = with_index ? empty(sizes, int64) : null
  if (out.count === 0) return [out, index]
  const shape = [...kernel, ...stride, ...dilation] as [number, number, number, number, number, number]
  const executable = max_pool_kernel(self.dtype, ...shape, fits(out, self, win), with_index)
  executable([planes(out), ...(index ? [planes(index)] : []), planes(dense(self))], padding)
  return [out, index]
}

const max_pool: Op<PoolArgs, [Tensor, Tensor]> = op(
  'max_pool2d_with_indices(Tensor self, int[] kernel, int[] stride, int[] padding, int[] dilation, bool ceil_mode)',
  {
    node: 'MaxPool2DWithIndicesBackward0',
    forward(
      self: Tensor,
      kernel: number[],
      stride: number[],
      padding: number[],
      dilation: number[],
      ceil_mode: boolean,
    ) {
      return run_max_pool(self, { kernel, stride, padding, dilation, ceil_mode }, true) as [Tensor, Tensor]
    },
    saves: ['out.1'],
    backward: { self: ([g], [self], [, index]) => (g ? unpool(g, index, self.sizes) : null) },
  },
)

/** The largest elements alone, for operands whose gradient is not asked for. */
const max_values: Op<PoolArgs> = op(
  'max_pool2d_values(Tensor self, int[] kernel, int[] stride, int[] padding, int[] dilation, bool ceil_mode)',
  {
    forward(
      self: Tensor,
      kernel: number[],
      stride: number[],
      padding: number[],
      dilation: number[],
      ceil_mode: boolean,
    ) {
      return run_max_pool(self, { kernel, stride, padding, dilation, ceil_mode }, false)[0]
    },
  },
)

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

type MaxOptions = {
  kernel_size?: Numbers
  stride?: Numbers | null
  padding?: Numbers
  dilation?: Numbers
  ceil_mode?: boolean
  return_indices?: boolean
}
type MaxArgs = [
  input: Tensor,
  kernel_size: Numbers | MaxOptions,
  stride?: Numbers | null | MaxOptions,
  padding?: Numbers | MaxOptions,
  dilation?: Numbers | MaxOptions,
  ceil_mode?: boolean | MaxOptions,
]

const MAX =
  'int[] kernel_size, int[]? stride=None, int[] padding=[0], int[] dilation=[1], bool ceil_mode=False'

const max_pool_op = <R extends Tensor | [Tensor, Tensor]>(
  name: string,
  dims: 1 | 2,
  run: (x: Tensor, ...window: [number[], number[], number[], number[], boolean]) => R,
  samples?: Samples<MaxArgs>,
): Op<MaxArgs, R> =>
  overloaded<MaxArgs, R>(
    [
      [
        `${name}(Tensor input, ${MAX})`,
        (
          input: Tensor,
          kernel_: number[],
          stride_: number[] | null,
          padding_: number[],
          dilation_: number[],
          ceil_mode: boolean,
        ) => {
          const win = window_of(name, dims, kernel_, stride_, padding_, dilation_, ceil_mode)
          check_pool(name, input, win)
          const { kernel, stride, padding, dilation } = win
          const window = [
            in_two(kernel, 1),
            in_two(stride, 1),
            in_two(padding, 0),
            in_two(dilation, 1),
          ] as const
          return lifted(dims, input, x => run(x, ...window, ceil_mode))
        },
      ],
    ],
    { out: false, ...(samples && { samples }) },
  )

/** The largest elements; their positions are found only where a gradient may ask for them. */
const largest = (...args: PoolArgs): Tensor =>
  modes.grad && args[0].requires_grad ? max_pool(...args)[0] : max_values(...args)

/** The largest element of each window; `stride` defaults to the window's size. */
export const max_pool1d: Op<MaxArgs> = max_pool_op('max_pool1d', 1, largest, r => [
  [r.distinct(2, 3, 8), 3, 2],
])
/** The largest element of each window; `stride` defaults to the window's size. */
export const max_pool2d: Op<MaxArgs> = max_pool_op('max_pool2d', 2, largest, r => [
  [r.distinct(1, 2, 6, 6), 2],
  [r.distinct(1, 2, 7, 6), 3, 2, 1],
  [r.distinct(2, 7, 7), 2, 2, 0, 2, true],
])
/** {@link max_pool1d} and the positions of the largest elements in each plane. */
export const max_pool1d_with_indices: Op<MaxArgs, [Tensor, Tensor]> = max_pool_op('max_pool1d', 1, max_pool)
/** {@link max_pool2d} and the positions of the largest elements in each plane. */
export const max_pool2d_with_indices: Op<MaxArgs, [Tensor, Tensor]> = max_pool_op('max_pool2d', 2, max_pool)
