// Resizing planes with antialiasing: where the result is smaller, the filter (a triangle, or a cubic) grows with the
// step between results, so that every element counts. The weights of a dimension are a table, [results, elements of the
// window]; the last dimension is resized first. Not here: resizing without (upsample.ts), the choice of sizes
// (nn/functional).
import { type DType, float32, float64, int32 } from '../../base/dtype.ts'
import { RuntimeError } from '../../base/errors.ts'
import { constant, type Expr } from '../../ir/expr.ts'
import { empty, kernels, zeros } from '../../tensor/dispatch.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { dense } from '../define/copy.ts'
import { type Op, op } from '../define/op.ts'
import { around, step } from './resample.ts'

/** The coefficient of the cubic filter: Pillow's, not that of resizing without antialiasing. */
const A = -0.5

/** The filter's value at a distance. */
function filter(x: Expr, cubic: boolean): Expr {
  const d = x.abs()
  const zero = constant(0, x.type)
  const near = cubic
    ? d
        .mul(A + 2)
        .sub(A + 3)
        .mul(d)
        .mul(d)
        .add(1)
    : constant(1, x.type).sub(d)
  if (!cubic) return d.lt(1).where(near, zero)
  const far = d.sub(5).mul(d).add(8).mul(d).sub(4).mul(A)
  return d.lt(1).where(near, d.lt(2).where(far, zero))
}

/** For each result the first element of its window, their number, and their weights, whose sum is 1. */
const table_kernel = kernels('antialias_table', (k, dtype: DType, cubic: boolean) => {
  const first = k.output('first', int32, { rank: 1, inner: 1 })
  const count = k.output('count', int32, { rank: 1, inner: 1 })
  const weights = k.inout('weights', dtype, { rank: 2, inner: 1 })
  const n = k.value('n', 'index')
  const scale = k.value('scale', weights.type)
  k.for(first.sizes[0]!, 'parallel', i => {
    const stretch = k.local(scale.type, scale.max(1))
    const reach = k.local(scale.type, stretch.mul(cubic ? 2 : 1))
    const center = k.local(scale.type, i.cast(scale.type).add(0.5).mul(scale))
    const low = k.local('index', center.sub(reach).add(0.5).max(0).floor().cast('index'))
    const high = center.add(reach).add(0.5).floor().cast('index').min(n)
    const width = k.local('index', high.sub(low))
    const sum = k.local(scale.type, 0)
    k.for(width, 'serial', j => {
      const from_center = j.add(low).cast(scale.type).sub(center).add(0.5)
      const weight = k.local(scale.type, filter(from_center.div(stretch), cubic))
      k.store(weights, [i, j], weight)
      k.assign(sum, sum.add(weight))
    })
    k.if(sum.ne(0), () => k.for(width, 'serial', j => k.store(weights, [i, j], weights.at(i, j).div(sum))))
    k.store(first, [i], low.cast('i32'))
    k.store(count, [i], width.cast('i32'))
  })
})

/** Sums `x` under the windows; backward adds to `x` what each result's gradient says. */
const sum_kernel = kernels('antialias', (k, dtype: DType, columns: boolean, backward: boolean) => {
  const layout = { rank: 3, inner: 1 } as const
  const to = backward ? k.input('g', dtype, layout) : k.inout('out', dtype, layout)
  const from = backward ? k.inout('grad', dtype, layout) : k.input('x', dtype, layout)
  const first = k.input('first', int32, { rank: 1, inner: 1 })
  const count = k.input('count', int32, { rank: 1, inner: 1 })
  const weights = k.input('weights', dtype, { rank: 2, inner: 1 })
  const [outer, results, inner] = to.sizes as [Expr, Expr, Expr]
  k.nest([outer, results], 'parallel', 'serial', (o, i) => {
    const low = k.local('index', first.at(i!).cast('index'))
    const width = k.local('index', count.at(i!).cast('index'))
    if (columns && backward) {
      const g = k.local(to.type, to.at(o!, i!, 0))
      k.for(width, 'vector', t => {
        const at = [o!, low.add(t), 0]
        k.store(from, at, from.at(...at).add(g.mul(weights.at(i!, t))))
      })
      return
    }
    if (columns) {
      const sum = k.local(to.type, 0)
      k.for(width, 'reduce', t => k.assign(sum, sum.add(weights.at(i!, t).mul(from.at(o!, low.add(t), 0)))))
      k.store(to, [o!, i!, 0], sum)
      return
    }
    if (!backward) k.for(inner, 'vector', j => k.store(to, [o!, i!, j], 0))
    k.for(width, 'serial', t => {
      const weight = k.local(to.type, weights.at(i!, t))
      k.for(inner, 'vector', j => {
        const [small, large] = [
          [o!, i!, j],
          [o!, low.add(t), j],
        ]
        if (backward) k.store(from, large, from.at(...large).add(weight.mul(to.at(...small))))
        else k.store(to, small, to.at(...small).add(weight.mul(from.at(...large))))
      })
    })
  })
})

/** Sums rows or columns of `from` into `to`, both contiguous, or backward from `to` into `from`. */
function resize(to: Tensor, from: Tensor, { dim, scale, cubic }: Pass, backward: boolean): void {
  const { dtype } = to
  const [out, n] = [to.sizes[dim]!, from.sizes[dim]!]
  const most = Math.ceil(Math.max(scale, 1) * (cubic ? 2 : 1)) * 2 + 1
  const [first, count, weights] = [empty([out], int32), empty([out], int32), empty([out, most], dtype)]
  table_kernel(dtype, cubic)([first, count, weights], [n, scale])
  const columns = dim === to.sizes.length - 1
  sum_kernel(dtype, columns, backward)([around(to, dim), around(from, dim), first, count, weights], [])
}

type Arguments = [
  size: readonly number[],
  cubic: boolean,
  align_corners: boolean,
  scales: readonly number[] | null,
]
const SIGNATURE = 'int[] size, bool cubic, bool align_corners, float[]? scales'
type Pass = { readonly dim: number; readonly out: number; readonly scale: number; readonly cubic: boolean }

const passes = (sizes: readonly number[], [size, cubic, align_corners, scales]: Arguments): Pass[] =>
  size.map((out, d) => {
    const mode = cubic ? 'cubic' : 'linear'
    const scale = step(sizes[2 + d]!, out, mode, align_corners, scales?.[d] ?? null)
    return { dim: 2 + d, out, scale, cubic }
  })

type Pair = {
  forward: Op<[self: Tensor, ...Arguments]>
  backward: Op<[g: Tensor, sizes: readonly number[], ...Arguments]>
}

function pair(name: 'Bilinear' | 'Bicubic'): Pair {
  const made: Pair = {
    forward: op(`_upsample_aa(Tensor self, ${SIGNATURE})`, {
      node: `Upsample${name}2DAaBackward1`,
      forward(self: Tensor, ...args: Arguments) {
        let value = dense(self)
        for (const pass of passes(self.sizes, args).reverse()) {
          const next = empty(value.sizes.with(pass.dim, pass.out), self.dtype)
          if (next.count > 0) resize(next, value, pass, false)
          value = next
        }
        return value
      },
      backward: { self: (g, [self, ...args]) => made.backward(g, self.sizes, ...args) },
    }),
    backward: op(`_upsample_aa_backward(Tensor g, int[] sizes, ${SIGNATURE})`, {
      node: `Upsample${name}2DAaBackwardBackward0`,
      forward(g: Tensor, sizes: readonly number[], ...args: Arguments) {
        let value = dense(g)
        for (const pass of passes(sizes, args)) {
          const next = zeros(value.sizes.with(pass.dim, sizes[pass.dim]!), g.dtype)
          if (value.count > 0) resize(value, next, pass, true)
          value = next
        }
        return value
      },
      backward: { g: (gg, [, , ...args]) => made.forward(gg, ...args) },
    }),
  }
  return made
}

const [bilinear, bicubic] = [pair('Bilinear'), pair('Bicubic')]

/** `input` (N, C, H, W) resized to `size`, antialiased; `scales` (results per element) take the place of the ratio of sizes. */
export function upsample_antialiased(
  input: Tensor,
  size: readonly number[],
  mode: 'bilinear' | 'bicubic',
  align_corners: boolean,
  scales: readonly number[] | null,
): Tensor {
  const [, channels, h, w] = input.sizes as [number, number, number, number]
  const [oh, ow] = size as [number, number]
  if (!(h > 0 && w > 0 && oh > 0 && ow > 0))
    throw new RuntimeError(
      `Input and output sizes should be greater than 0, but got input (H: ${h}, W: ${w}) output (H: ${oh}, W: ${ow})`,
    )
  if (channels === 0)
    throw new RuntimeError(
      `Non-empty 4D data tensor expected but got a tensor with sizes [${input.sizes.join(', ')}]`,
    )
  if (input.dtype !== float32 && input.dtype !== float64)
    throw new RuntimeError(
      `"compute_indices_weights_aa" not implemented for '${input.dtype.tensor_type.slice(0, -6)}'`,
    )
  return (mode === 'bilinear' ? bilinear : bicubic).forward(
    input,
    size,
    mode === 'bicubic',
    align_corners,
    scales,
  )
}
