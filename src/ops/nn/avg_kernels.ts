// Averages over windows of planes and volumes, and their gradients. Windows on planes that are small are unrolled, so that
// rows of them are computed in lanes. Not here: the ops (avg_pool.ts), how windows lie and are checked (pool_windows.ts),
// adaptive windows (adaptive_kernels.ts).
import type { DType } from '../../base/dtype.ts'
import { constant, type Expr } from '../../ir/expr.ts'
import type { Builder, View } from '../../ir/kernel.ts'
import { empty, kernels, zeros } from '../../tensor/dispatch.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { dense } from '../define/copy.ts'
import { type Op, op } from '../define/op.ts'
import { each_element, each_window, fits, images, pooled, type Span, UNROLLED } from './pool_windows.ts'

/** The elements of a window along one dimension, and their number with those in the padding. */
type Range = Span & { readonly padded: Expr }

/** Small windows of planes, whose sizes and strides are known when their kernel is written; nothing of others is. */
type Shape = readonly [kh: number, kw: number, sh: number, sw: number] | readonly []

/** How an average's windows lie in a kernel, and what their sums are divided by. */
function windows(k: Builder, dims: number, include_pad: boolean, divisor: boolean, shape: Shape) {
  const each = (name: string, known: readonly number[]): Expr[] =>
    Array.from({ length: dims }, (_, d) => {
      const value = k.value(`${name}${d}`, 'index')
      return known[d] === undefined ? value : constant(known[d], 'index')
    })
  const [kernel, stride] = [each('kernel', shape.slice(0, 2)), each('stride', shape.slice(2))]
  const padding = each('padding', [])
  const by = k.value('divisor', 'index')
  return {
    padding,
    range: (d: number, i: Expr, large: View): Range => {
      const size = large.sizes[d + 1]!
      const start = i.mul(stride[d]!).sub(padding[d]!)
      const end = start.add(kernel[d]!).min(size.add(padding[d]!))
      const first = k.local('index', start.max(0))
      return { first, count: k.local('index', end.min(size).sub(first)), padded: end.sub(start) }
    },
    elements: (ranges: readonly Range[]): Expr =>
      divisor ? by : ranges.map(r => (include_pad ? r.padded : r.count)).reduce((a, b) => a.mul(b)),
  }
}

const average_kernel = kernels(
  'avg_pool',
  (
    k,
    dtype: DType,
    dims: number,
    include_pad: boolean,
    divisor: boolean,
    inside: boolean,
    ...shape: Shape
  ) => {
    const out = k.output('out', dtype, { rank: dims + 1, inner: 1 })
    const x = k.input('x', dtype, { rank: dims + 1, inner: 1 })
    const { padding, range, elements } = windows(k, dims, include_pad, divisor, shape)
    const results = out.sizes[dims]!
    const mean = (sum: Expr, n: Expr): Expr => (out.type === 'i64' ? sum.truncdiv(n) : sum.div(n))
    // A volume is work enough for one thread.
    const rows = dims === 2 ? 'parallel' : 'serial'
    k.nest(out.sizes.slice(0, -1), 'parallel', rows, (image, ...row) => {
      const outer = row.map((i, d) => range(d, i, x))
      const looped = (j: Expr): void => {
        const window = [...outer, range(dims - 1, j, x)]
        const n = k.local(out.type, elements(window).cast(out.type))
        const sum = k.local(out.type, 0)
        each_element(k, window, 'reduce', (...at) => k.assign(sum, sum.add(x.at(image!, ...at))))
        k.store(out, [image!, ...row, j], mean(sum, n))
      }
      if (shape.length === 0) {
        k.for(results, 'serial', looped)
        return
      }
      const [kh, kw, sh, sw] = shape
      const [h, w] = x.sizes.slice(1) as [Expr, Expr]
      const [ph, pw] = padding as [Expr, Expr]
      const top = row[0]!.mul(sh).sub(ph)
      const unrolled = (j: Expr): void => {
        const left = j.mul(sw).sub(pw)
        let sum: Expr | null = null
        for (let a = 0; a < kh; a++) {
          const y = top.add(a)
          const valid = y.ge(0).and(y.lt(h))
          for (let b = 0; b < kw; b++) {
            const v = inside
              ? x.at(image!, y, left.add(b))
              : valid.where(x.at(image!, y.max(0).min(h.sub(1)), left.add(b)), 0)
            sum = sum === null ? v : sum.add(v)
          }
        }
        const whole = constant(kw, 'index')
        const columns = { first: constant(0, 'index'), count: whole, padded: whole }
        k.store(out, [image!, ...row, j], mean(sum!, elements([...outer, columns]).cast(out.type)))
      }
      if (inside) k.for(results, 'vector', unrolled)
      else each_window(k, results, w, kw, sw, pw, unrolled, looped)
    })
  },
)

const gradient_kernel = kernels(
  'avg_pool_grad',
  (k, dtype: DType, dims: number, include_pad: boolean, divisor: boolean) => {
    const g = k.input('g', dtype, { rank: dims + 1, inner: 1 })
    const grad = k.inout('grad', dtype, { rank: dims + 1, inner: 1 })
    const { range, elements } = windows(k, dims, include_pad, divisor, [])
    const [count, ...sizes] = g.sizes as [Expr, ...Expr[]]
    k.for(count, 'parallel', image =>
      k.nest(sizes, 'serial', 'serial', (...i) => {
        const window = i.map((at, d) => range(d, at, grad))
        const share = k.local(g.type, g.at(image, ...i).div(elements(window).cast(g.type)))
        each_element(k, window, 'vector', (...at) =>
          k.store(grad, [image, ...at], grad.at(image, ...at).add(share)),
        )
      }),
    )
  },
)

type Flat = [
  kernel: number[],
  stride: number[],
  padding: number[],
  ceil_mode: boolean,
  count_include_pad: boolean,
  divisor: number | null,
]
const FLAT = 'int[] kernel, int[] stride, int[] padding, bool ceil_mode, bool count_include_pad, int? divisor'

const values_of = ([kernel, stride, padding, , , divisor]: Flat): number[] => [
  ...kernel,
  ...stride,
  ...padding,
  divisor ?? 1,
]

function averaging(dims: 2 | 3): Op<[self: Tensor, ...Flat]> {
  const average: Op<[self: Tensor, ...Flat]> = op(`avg_pool${dims}d(Tensor self, ${FLAT})`, {
    node: `AvgPool${dims}DBackward0`,
    forward(self: Tensor, ...flat: Flat) {
      const [kernel, stride, padding, ceil_mode, include_pad, divisor] = flat
      const win = { kernel, stride, padding, dilation: kernel.map(() => 1), ceil_mode }
      const sizes = [
        ...self.sizes.slice(0, -dims),
        ...self.sizes.slice(-dims).map((n, d) => pooled(n, d, win)),
      ]
      const out = empty(sizes, self.dtype)
      if (out.count === 0) return out
      const small = dims === 2 && kernel[0]! * kernel[1]! <= UNROLLED
      const shape: Shape = small ? [kernel[0]!, kernel[1]!, stride[0]!, stride[1]!] : []
      const kernel_of = average_kernel(
        self.dtype,
        dims,
        include_pad,
        divisor !== null,
        small && fits(out, self, win),
        ...shape,
      )
      kernel_of([images(out, dims), images(dense(self), dims)], values_of(flat))
      return out
    },
    backward: { self: (g, [self, ...flat]) => gradient(g, self.sizes, ...flat) },
  })
  const gradient: Op<[g: Tensor, sizes: readonly number[], ...Flat]> = op(
    `avg_pool${dims}d_backward(Tensor g, int[] sizes, ${FLAT})`,
    {
      node: `AvgPool${dims}DBackwardBackward0`,
      forward(g: Tensor, sizes: number[], ...flat: Flat) {
        const grad = zeros(sizes, g.dtype)
        const [, , , , include_pad, divisor] = flat
        if (g.count > 0)
          gradient_kernel(
            g.dtype,
            dims,
            include_pad,
            divisor !== null,
          )([images(dense(g), dims), images(grad, dims)], values_of(flat))
        return grad
      },
      backward: { g: (gg, [, , ...flat]) => average(gg, ...flat) },
    },
  )
  return average
}

/** The mean of each window, by the number of spatial dimensions. */
export const average: Readonly<Record<2 | 3, Op<[self: Tensor, ...Flat]>>> = {
  2: averaging(2),
  3: averaging(3),
}
