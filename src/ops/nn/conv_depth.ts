// Convolution in three dimensions over the routine for two: every depth of the result is an image, whose channels are
// those of the depths that it sees. Unfolding depths into channels, and its adjoint. Not here: the routine (device/).
import type { DType } from '../../base/dtype.ts'
import type { Expr } from '../../ir/expr.ts'
import { empty, kernels } from '../../tensor/dispatch.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { dense } from '../define/copy.ts'
import { window } from '../define/space.ts'

/** How the depths of a kernel lie: how many, and how they step. */
export type Depths = { size: number; stride: number; padding: number; dilation: number }

const unfold_kernel = kernels('unfold_depths', (k, dtype: DType) => {
  const out = k.output('out', dtype, { rank: 5, inner: 1 }) // [batch, result's depth, channel, kernel's depth, element]
  const x = k.input('x', dtype, { rank: 4, inner: 1 }) // [batch, channel, depth, element]
  const [stride, padding, dilation] = ['stride', 'padding', 'dilation'].map(name => k.value(name, 'index'))
  const [batch, depths, channels, size, count] = out.sizes as [Expr, Expr, Expr, Expr, Expr]
  k.nest([batch, depths, channels, size], 'parallel', 'parallel', (n, o, c, a) => {
    const z = k.local('index', o!.mul(stride!).sub(padding!).add(a!.mul(dilation!)))
    k.if(
      z.ge(0).and(z.lt(x.sizes[2]!)),
      () => k.for(count, 'vector', i => k.store(out, [n!, o!, c!, a!, i], x.at(n!, c!, z, i))),
      () => k.for(count, 'vector', i => k.store(out, [n!, o!, c!, a!, i], 0)),
    )
  })
})

const fold_kernel = kernels('fold_depths', (k, dtype: DType, biased: boolean) => {
  const out = k.inout('out', dtype, { rank: 4, inner: 1 })
  const x = k.input('x', dtype, { rank: 5, inner: 1 })
  const bias = biased ? k.input('bias', dtype, { rank: 1 }) : null
  const [stride, padding, dilation] = ['stride', 'padding', 'dilation'].map(name => k.value(name, 'index'))
  const [, depths, , size] = x.sizes as [Expr, Expr, Expr, Expr]
  const [batch, channels, depth, count] = out.sizes as [Expr, Expr, Expr, Expr]
  k.nest([batch, channels, depth], 'parallel', 'parallel', (n, c, z) => {
    k.for(count, 'vector', i => k.store(out, [n!, c!, z!, i], bias ? bias.at(c!) : 0))
    k.for(size, 'serial', a => {
      const from = k.local('index', z!.add(padding!).sub(a.mul(dilation!)))
      const o = k.local('index', from.floordiv(stride!))
      k.if(from.ge(0).and(o.lt(depths)).and(o.mul(stride!).eq(from)), () =>
        k.for(count, 'vector', i =>
          k.store(out, [n!, c!, z!, i], out.at(n!, c!, z!, i).add(x.at(n!, o, c!, a, i))),
        ),
      )
    })
  })
})

const of_volume = ({ sizes }: Tensor, t: Tensor): ReturnType<typeof window> => {
  const [n, c, d, h, w] = sizes as [number, number, number, number, number]
  return window(t, [n, c, d, h * w], [c * d * h * w, d * h * w, h * w, 1])
}
const of_images = (volume: Tensor, depths: number, size: number, t: Tensor): ReturnType<typeof window> => {
  const [n, c, , h, w] = volume.sizes as [number, number, number, number, number]
  const plane = h * w
  return window(
    t,
    [n, depths, c, size, plane],
    [depths * c * size * plane, c * size * plane, size * plane, plane, 1],
  )
}

/** (N, C, D, H, W) as the images (N depths, C size, H, W) that the kernels' depths see. */
export function unfold_depths(
  x: Tensor,
  depths: number,
  { size, stride, padding, dilation }: Depths,
): Tensor {
  const [n, c, , h, w] = x.sizes as [number, number, number, number, number]
  const out = empty([n * depths, c * size, h, w], x.dtype)
  if (out.count > 0)
    unfold_kernel(x.dtype)(
      [of_images(x, depths, size, out), of_volume(x, dense(x))],
      [stride, padding, dilation],
    )
  return out
}

/** Adds images up into the volume `out` that they were unfolded from, on top of `bias`. */
export function fold_depths(
  out: Tensor,
  images: Tensor,
  depths: number,
  { size, stride, padding, dilation }: Depths,
  bias: Tensor | null,
): void {
  const operands = [of_volume(out, out), of_images(out, depths, size, dense(images))]
  fold_kernel(out.dtype, bias !== null)(bias ? [...operands, bias] : operands, [stride, padding, dilation])
}

/** (N, C, D, H, W) as (N D, C, H, W). */
export const images_of = (t: Tensor): Tensor => dense(t.transpose(1, 2)).flatten(0, 1)
