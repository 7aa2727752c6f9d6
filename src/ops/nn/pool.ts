// Maxima of windows of lines and planes, with their positions where these are asked for. Not here: how windows lie and are
// checked (pool_windows.ts), averages (avg_pool.ts), adaptive windows (adaptive_pool.ts), volumes (pool3d.ts).
import { type DType, int64 } from '../../base/dtype.ts'
import { constant, type Expr } from '../../ir/expr.ts'
import { empty, kernels } from '../../tensor/dispatch.ts'
import { modes } from '../../tensor/tape.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { dense } from '../define/copy.ts'
import { type Op, op, overloaded, type Samples } from '../define/op.ts'
import {
  check_pool,
  each_window,
  fits,
  images,
  in_two,
  lifted,
  type Numbers,
  pooled,
  UNROLLED,
  unpool,
  type Window,
  window_of,
} from './pool_windows.ts'

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
  executable([images(out, 2), ...(index ? [images(index, 2)] : []), images(dense(self), 2)], padding)
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

type MaxOptions = {
  kernel_size?: Numbers
  stride?: Numbers | null
  padding?: Numbers
  dilation?: Numbers
  ceil_mode?: boolean
}
export type MaxArgs = [
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
