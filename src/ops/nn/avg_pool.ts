// Averages over windows in one and two dimensions. Small windows are unrolled, so that rows of them are computed in lanes.
// Not here: how windows lie and are checked (pool.ts), adaptive windows (adaptive_pool.ts).
import type { DType } from '../../base/dtype.ts'
import { RuntimeError } from '../../base/errors.ts'
import { constant, type Expr } from '../../ir/expr.ts'
import type { Builder } from '../../ir/kernel.ts'
import { empty, kernels, zeros } from '../../tensor/dispatch.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { dense } from '../define/copy.ts'
import { type Op, op, overloaded, type Samples } from '../define/op.ts'
import {
  check_pool,
  each_window,
  fits,
  in_two,
  lifted,
  type Numbers,
  planes,
  pooled,
  UNROLLED,
  type Window,
  window_of,
} from './pool.ts'

/** Where a window of an average begins and ends along one dimension, and how many elements it counts. */
type Range = { from: Expr; to: Expr; padded: Expr }

/** How an average's windows lie, known when its kernel is written: of large windows nothing is. */
type Shape = readonly [kh: number, kw: number, sh: number, sw: number] | readonly []

/** What the number of a window's elements is made of, in a kernel. */
function ranges(k: Builder, include_pad: boolean, divisor: boolean, [kh, kw, sh, sw]: Shape) {
  const value = (name: string, known?: number): Expr => {
    const given = k.value(name, 'index')
    return known === undefined ? given : constant(known, 'index')
  }
  const [KH, KW, SH, SW] = [value('kh', kh), value('kw', kw), value('sh', sh), value('sw', sw)]
  const [ph, pw, by] = [value('ph'), value('pw'), value('divisor')]
  const range = (i: Expr, size: Expr, kernel: Expr, stride: Expr, pad: Expr): Range => {
    const start = i.mul(stride).sub(pad)
    const end = start.add(kernel).min(size.add(pad))
    return { from: start.max(0), to: end.min(size), padded: end.sub(start) }
  }
  return {
    ph,
    pw,
    rows: (i: Expr, h: Expr): Range => range(i, h, KH, SH, ph),
    columns: (j: Expr, w: Expr): Range => range(j, w, KW, SW, pw),
    elements: (rows: Range, columns: Range): Expr => {
      if (divisor) return by
      if (include_pad) return rows.padded.mul(columns.padded)
      return rows.to.sub(rows.from).mul(columns.to.sub(columns.from))
    },
  }
}

const avg_pool_kernel = kernels(
  'avg_pool',
  (k, dtype: DType, include_pad: boolean, divisor: boolean, inside: boolean, ...shape: number[]) => {
    const out = k.output('out', dtype, { rank: 3, inner: 1 })
    const x = k.input('x', dtype, { rank: 3, inner: 1 })
    const { ph, pw, rows, columns, elements } = ranges(k, include_pad, divisor, shape as unknown as Shape)
    const [count, oh, ow] = out.sizes as [Expr, Expr, Expr]
    const [, h, w] = x.sizes as [Expr, Expr, Expr]
    const mean = (sum: Expr, n: Expr): Expr => (out.type === 'i64' ? sum.truncdiv(n) : sum.div(n))
    k.nest([count, oh], 'parallel', 'parallel', (p, i) => {
      const [tall, height] = [rows(i!, h), shape[0]]
      const looped = (j: Expr): void => {
        const wide = columns(j, w)
        const sum = k.local(out.type, 0)
        k.for(tall.to.sub(tall.from), 'serial', a =>
          k.for(wide.to.sub(wide.from), 'reduce', b =>
            k.assign(sum, sum.add(x.at(p!, tall.from.add(a), wide.from.add(b)))),
          ),
        )
        k.store(out, [p!, i!, j], mean(sum, elements(tall, wide).cast(out.type)))
      }
      if (height === undefined) {
        k.for(ow, 'serial', looped)
        return
      }
      const [, kw, sh, sw] = shape as [number, number, number, number]
      const top = i!.mul(sh).sub(ph)
      const unrolled = (j: Expr): void => {
        const left = j.mul(sw).sub(pw)
        let sum: Expr | null = null
        for (let a = 0; a < height; a++) {
          const y = top.add(a)
          for (let b = 0; b < kw; b++) {
            const v = inside
              ? x.at(p!, y, left.add(b))
              : y
                  .ge(0)
                  .and(y.lt(h))
                  .where(x.at(p!, y.max(0).min(h.sub(1)), left.add(b)), 0)
            sum = sum === null ? v : sum.add(v)
          }
        }
        const whole = constant(kw, 'index')
        const n = elements(tall, { from: constant(0, 'index'), to: whole, padded: whole })
        k.store(out, [p!, i!, j], mean(sum!, n.cast(out.type)))
      }
      if (inside) k.for(ow, 'vector', unrolled)
      else each_window(k, ow, w, kw, sw, pw, unrolled, looped)
    })
  },
)

const avg_pool_grad_kernel = kernels(
  'avg_pool_grad',
  (k, dtype: DType, include_pad: boolean, divisor: boolean) => {
    const g = k.input('g', dtype, { rank: 3, inner: 1 })
    const grad = k.inout('grad', dtype, { rank: 3, inner: 1 })
    const { rows, columns, elements } = ranges(k, include_pad, divisor, [])
    const [count, oh, ow] = g.sizes as [Expr, Expr, Expr]
    const [, h, w] = grad.sizes as [Expr, Expr, Expr]
    k.for(count, 'parallel', p =>
      k.nest([oh, ow], 'serial', 'serial', (i, j) => {
        const [tall, wide] = [rows(i!, h), columns(j!, w)]
        const share = k.local(g.type, g.at(p, i!, j!).div(elements(tall, wide).cast(g.type)))
        k.for(tall.to.sub(tall.from), 'serial', a =>
          k.for(wide.to.sub(wide.from), 'vector', b => {
            const at = [p, tall.from.add(a), wide.from.add(b)]
            k.store(grad, at, grad.at(...at).add(share))
          }),
        )
      }),
    )
  },
)

type AvgFlat = [
  kernel: number[],
  stride: number[],
  padding: number[],
  ceil_mode: boolean,
  count_include_pad: boolean,
  divisor: number | null,
]
const AVG_FLAT =
  'int[] kernel, int[] stride, int[] padding, bool ceil_mode, bool count_include_pad, int? divisor'

function run_avg(
  small: Tensor,
  large: Tensor,
  [kernel, stride, padding, , include_pad, divisor]: AvgFlat,
  backward: boolean,
): void {
  const values = [...kernel, ...stride, ...padding, divisor ?? 1]
  const operands = [planes(small), planes(large)]
  if (backward) {
    avg_pool_grad_kernel(small.dtype, include_pad, divisor !== null)(operands, values)
    return
  }
  const shape = kernel[0]! * kernel[1]! <= UNROLLED ? [...kernel, ...stride] : []
  const inside = fits(small, large, { kernel, stride, padding, dilation: [1, 1], ceil_mode: false })
  avg_pool_kernel(small.dtype, include_pad, divisor !== null, inside, ...shape)(operands, values)
}

const avg_pool: Op<[self: Tensor, ...AvgFlat]> = op(`avg_pool2d(Tensor self, ${AVG_FLAT})`, {
  node: 'AvgPool2DBackward0',
  forward(self: Tensor, ...flat: AvgFlat) {
    const [kernel, stride, padding, ceil_mode] = flat
    const win: Window = { kernel, stride, padding, dilation: kernel.map(() => 1), ceil_mode }
    const out = empty(
      [...self.sizes.slice(0, -2), ...self.sizes.slice(-2).map((n, d) => pooled(n, d, win))],
      self.dtype,
    )
    if (out.count > 0) run_avg(out, dense(self), flat, false)
    return out
  },
  backward: { self: (g, [self, ...flat]) => avg_pool_grad(g, self.sizes, ...flat) },
})

const avg_pool_grad: Op<[g: Tensor, sizes: readonly number[], ...AvgFlat]> = op(
  `avg_pool2d_backward(Tensor g, int[] sizes, ${AVG_FLAT})`,
  {
    node: 'AvgPool2DBackwardBackward0',
    forward(g: Tensor, sizes: number[], ...flat: AvgFlat) {
      const grad = zeros(sizes, g.dtype)
      if (g.count > 0) run_avg(dense(g), grad, flat, true)
      return grad
    },
    backward: { g: (gg, [, , ...flat]) => avg_pool(gg, ...flat) },
  },
)

type AvgOptions = {
  kernel_size?: Numbers
  stride?: Numbers | null
  padding?: Numbers
  ceil_mode?: boolean
  count_include_pad?: boolean
  divisor_override?: number | null
}
type AvgArgs = [
  input: Tensor,
  kernel_size: Numbers | AvgOptions,
  stride?: Numbers | null | AvgOptions,
  padding?: Numbers | AvgOptions,
  ceil_mode?: boolean | AvgOptions,
  count_include_pad?: boolean | AvgOptions,
  divisor_override?: number | null,
]

const avg_pool_op = (dims: 1 | 2, samples: Samples<AvgArgs>): Op<AvgArgs> => {
  const name = `avg_pool${dims}d`
  return overloaded<AvgArgs>(
    [
      [
        `${name}(Tensor input, int[] kernel_size, int[]? stride=None, int[] padding=[0], bool ceil_mode=False, bool count_include_pad=True, int? divisor_override=None)`,
        (
          input: Tensor,
          kernel_: number[],
          stride_: number[] | null,
          padding_: number[],
          ceil_mode: boolean,
          include_pad: boolean,
          divisor: number | null,
        ) => {
          const win = window_of(name, dims, kernel_, stride_, padding_, [1], ceil_mode)
          check_pool(name, input, win)
          const { kernel, stride, padding } = win
          if (divisor === 0) throw new RuntimeError('divisor must be not zero')
          return lifted(dims, input, x =>
            avg_pool(
              x,
              in_two(kernel, 1),
              in_two(stride, 1),
              in_two(padding, 0),
              ceil_mode,
              include_pad,
              divisor,
            ),
          )
        },
      ],
    ],
    { samples, out: false },
  )
}

/** The mean of each window; `stride` defaults to the window's size. */
export const avg_pool1d: Op<AvgArgs> = avg_pool_op(1, r => [[r(2, 3, 8), 3, 2, 1]])
/** The mean of each window; `stride` defaults to the window's size. */
export const avg_pool2d: Op<AvgArgs> = avg_pool_op(2, r => [
  [r(1, 2, 6, 6), 2],
  [r(2, 7, 7), 3, 2, 1, true, false],
])
