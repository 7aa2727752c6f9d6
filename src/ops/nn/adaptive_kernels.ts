// Pooling images of two or three dimensions by the size of the result: averages and maxima with their positions, and their
// gradients. Results take the parts that divide a dimension as evenly as can be; parts may overlap.
// Not here: the ops and what they throw (adaptive_pool.ts, adaptive_pool3d.ts), windows of one size (pool.ts).
import { type DType, int64 } from '../../base/dtype.ts'
import type { Expr } from '../../ir/expr.ts'
import type { Builder, View } from '../../ir/kernel.ts'
import { empty, kernels, zeros } from '../../tensor/dispatch.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { dense } from '../define/copy.ts'
import { type Op, op } from '../define/op.ts'
import { each_element, images, position_in, type Span, unpool_images } from './pool_windows.ts'

/** Loops over the elements of `small`, one image after the other, each with the part of `large` that it stands for. */
function each_result(
  k: Builder,
  small: View,
  large: View,
  body: (image: Expr, at: readonly Expr[], part: readonly Span[]) => void,
): void {
  const [count, ...sizes] = small.sizes as [Expr, ...Expr[]]
  const go = (image: Expr, at: readonly Expr[], part: readonly Span[]): void => {
    const d = at.length
    const [n, results] = [large.sizes[d + 1], sizes[d]]
    if (n === undefined || results === undefined) body(image, at, part)
    else
      k.for(results, 'serial', i => {
        const first = k.local('index', i.mul(n).truncdiv(results))
        const end = i.add(1).mul(n).add(results.sub(1)).truncdiv(results)
        go(image, [...at, i], [...part, { first, count: end.sub(first) }])
      })
  }
  k.for(count, 'parallel', image => go(image, [], []))
}

const average_kernel = kernels('adaptive_avg_pool', (k, dtype: DType, dims: number, backward: boolean) => {
  const layout = { rank: dims + 1, inner: 1 } as const
  const small = backward ? k.input('g', dtype, layout) : k.output('out', dtype, layout)
  const large = backward ? k.inout('grad', dtype, layout) : k.input('x', dtype, layout)
  each_result(k, small, large, (image, at, part) => {
    const n = part
      .map(span => span.count)
      .reduce((a, b) => a.mul(b))
      .cast(small.type)
    if (backward) {
      const share = k.local(small.type, small.at(image, ...at).div(n))
      each_element(k, part, 'vector', (...from) =>
        k.store(large, [image, ...from], large.at(image, ...from).add(share)),
      )
      return
    }
    const sum = k.local(small.type, 0)
    each_element(k, part, 'reduce', (...from) => k.assign(sum, sum.add(large.at(image, ...from))))
    k.store(small, [image, ...at], sum.div(n))
  })
})

const maximum_kernel = kernels('adaptive_max_pool', (k, dtype: DType, dims: number) => {
  const layout = { rank: dims + 1, inner: 1 } as const
  const out = k.output('out', dtype, layout)
  const index = k.output('index', int64, layout)
  const x = k.input('x', dtype, layout)
  each_result(k, out, x, (image, at, part) => {
    const first = part.map(span => span.first)
    const best = k.local(x.type, x.at(image, ...first))
    const where = k.local('index', position_in(x, first))
    each_element(k, part, 'serial', (...from) => {
      const v = x.at(image, ...from)
      // The first of equal values wins, the last NaN over everything.
      k.if(v.gt(best).or(v.ne(v)), () => {
        k.assign(where, position_in(x, from))
        k.assign(best, v)
      })
    })
    k.store(out, [image, ...at], best)
    k.store(index, [image, ...at], where.cast('i64'))
  })
})

type Adaptive<R = Tensor> = Op<[self: Tensor, sizes: readonly number[]], R>

function averaging(dims: 2 | 3): Adaptive {
  const average: Adaptive = op(`adaptive_avg_pool${dims}d(Tensor self, int[] sizes)`, {
    node: `AdaptiveAvgPool${dims}DBackward0`,
    forward(self: Tensor, sizes: number[]) {
      const out = empty(sizes, self.dtype)
      if (out.count > 0)
        average_kernel(self.dtype, dims, false)([images(out, dims), images(dense(self), dims)], [])
      return out
    },
    backward: { self: (g, [self]) => gradient(g, self.sizes) },
  })
  const gradient: Adaptive = op(`adaptive_avg_pool${dims}d_backward(Tensor g, int[] sizes)`, {
    node: `AdaptiveAvgPool${dims}DBackwardBackward0`,
    forward(g: Tensor, sizes: number[]) {
      const grad = zeros(sizes, g.dtype)
      if (g.count > 0) average_kernel(g.dtype, dims, true)([images(dense(g), dims), images(grad, dims)], [])
      return grad
    },
    backward: { g: (gg, [g]) => average(gg, g.sizes) },
  })
  return average
}

const maximising = (dims: 2 | 3): Adaptive<[Tensor, Tensor]> =>
  op(`adaptive_max_pool${dims}d(Tensor self, int[] sizes)`, {
    node: `AdaptiveMaxPool${dims}DBackward0`,
    forward(self: Tensor, sizes: number[]): [Tensor, Tensor] {
      const [out, index] = [empty(sizes, self.dtype), empty(sizes, int64)]
      const operands = [out, index, dense(self)].map(t => images(t, dims))
      if (out.count > 0) maximum_kernel(self.dtype, dims)(operands, [])
      return [out, index]
    },
    saves: ['out.1'],
    backward: { self: ([g], [self], [, index]) => (g ? unpool_images(g, index, self.sizes, dims) : null) },
  })

/** The means of the parts, by the number of spatial dimensions; the result's sizes are given whole. */
export const adaptive_average: Readonly<Record<2 | 3, Adaptive>> = { 2: averaging(2), 3: averaging(3) }
/** The largest elements of the parts and their positions in each image, by the number of spatial dimensions. */
export const adaptive_maximum: Readonly<Record<2 | 3, Adaptive<[Tensor, Tensor]>>> = {
  2: maximising(2),
  3: maximising(3),
}
