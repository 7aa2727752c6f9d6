// softmax and log_softmax with their gradients, each one kernel over rows. Not here: losses made of them (loss.ts).
import type { DType } from '../../base/dtype.ts'
import { RuntimeError } from '../../base/errors.ts'
import { numel, wrap_dim } from '../../base/shape.ts'
import { constant } from '../../ir/expr.ts'
import { empty, kernels } from '../../tensor/dispatch.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { to_dtype } from '../convert.ts'
import { dense } from '../define/copy.ts'
import { composite, type Op, op } from '../define/op.ts'
import { window } from '../define/space.ts'

/** A dense tensor as [outer, n, inner] around dimension `dim`. */
export function around(t: Tensor, dim: number): { outer: number; n: number; inner: number } {
  const { sizes } = t
  if (sizes.length === 0) return { outer: 1, n: 1, inner: 1 }
  return { outer: numel(sizes.slice(0, dim)), n: sizes[dim]!, inner: numel(sizes.slice(dim + 1)) }
}

/** The operands of a row kernel: dense tensors of one shape as [outer, inner, n], the row last. */
function as_rows(tensors: readonly Tensor[], dim: number): ReturnType<typeof window>[] {
  const { outer, n, inner } = around(tensors[0]!, dim)
  return tensors.map(t => window(t, [outer, inner, n], [n * inner, 1, inner]))
}

/** Rows are contiguous where the reduced dimension is the last. */
const row_layout = (contiguous: boolean): { rank: number; inner?: 1 } =>
  contiguous ? { rank: 3, inner: 1 } : { rank: 3 }

const softmax_kernel = kernels('softmax', (k, dtype: DType, log: boolean, contiguous: boolean) => {
  const out = k.inout('out', dtype, row_layout(contiguous))
  const x = k.input('x', dtype, row_layout(contiguous))
  const [outer, inner, n] = x.sizes
  k.nest([outer!, inner!], 'parallel', 'serial', (a, b) => {
    const max = k.local(x.type, -Infinity)
    k.for(n!, 'reduce', i => k.assign(max, max.max(x.at(a, b, i))))
    const sum = k.local(x.type, 0)
    if (log) {
      k.for(n!, 'reduce', i => k.assign(sum, sum.add(x.at(a, b, i).sub(max).exp())))
      const shift = k.local(x.type, max.add(sum.log()))
      k.for(n!, 'vector', i => k.store(out, [a, b, i], x.at(a, b, i).sub(shift)))
      return
    }
    k.for(n!, 'vector', i => k.store(out, [a, b, i], x.at(a, b, i).sub(max).exp()))
    if (dtype.itemsize < 4) k.for(n!, 'reduce', i => k.assign(sum, sum.add(x.at(a, b, i).sub(max).exp())))
    else k.for(n!, 'reduce', i => k.assign(sum, sum.add(out.at(a, b, i))))
    const scale = k.local(x.type, constant(1, x.type).div(sum))
    k.for(n!, 'vector', i => {
      const e = dtype.itemsize < 4 ? x.at(a, b, i).sub(max).exp() : out.at(a, b, i)
      k.store(out, [a, b, i], e.mul(scale))
    })
  })
})

const softmax_grad_kernel = kernels('softmax_grad', (k, dtype: DType, log: boolean, contiguous: boolean) => {
  const grad = k.output('grad', dtype, row_layout(contiguous))
  const g = k.input('g', dtype, row_layout(contiguous))
  const y = k.input('y', dtype, row_layout(contiguous))
  const [outer, inner, n] = y.sizes
  k.nest([outer!, inner!], 'parallel', 'serial', (a, b) => {
    const sum = k.local(y.type, 0)
    k.for(n!, 'reduce', i => {
      const term = log ? g.at(a, b, i) : g.at(a, b, i).mul(y.at(a, b, i))
      k.assign(sum, sum.add(term))
    })
    k.for(n!, 'vector', i => {
      const gi = g.at(a, b, i)
      const yi = y.at(a, b, i)
      k.store(grad, [a, b, i], log ? gi.sub(yi.exp().mul(sum)) : yi.mul(gi.sub(sum)))
    })
  })
})

function run(x: Tensor, dim: number, log: boolean): Tensor {
  if (!x.dtype.is_floating_point)
    throw new RuntimeError(
      `"${log ? 'log_softmax' : 'softmax'}${dim === x.ndim - 1 ? '_lastdim' : ''}_kernel_impl" not implemented for '${x.dtype.tensor_type.slice(0, -6)}'`,
    )
  const out = empty(x.sizes, x.dtype)
  if (out.count === 0) return out
  softmax_kernel(x.dtype, log, around(x, dim).inner === 1)(as_rows([out, dense(x)], dim), [])
  return out
}

function run_grad(g: Tensor, y: Tensor, dim: number, log: boolean): Tensor {
  const grad = empty(y.sizes, y.dtype)
  if (grad.count === 0) return grad
  softmax_grad_kernel(y.dtype, log, around(y, dim).inner === 1)(as_rows([grad, dense(g), dense(y)], dim), [])
  return grad
}

const softmax_raw: Op<[self: Tensor, dim: number]> = op('softmax(Tensor self, int dim)', {
  forward: (self: Tensor, dim: number) => run(self, dim, false),
  saves: ['out'],
  backward: { self: (g, [, dim], y) => softmax_grad(g, y, dim) },
})

const softmax_grad: Op<[g: Tensor, y: Tensor, dim: number]> = op(
  'softmax_backward(Tensor g, Tensor y, int dim)',
  {
    node: 'SoftmaxBackwardDataBackward0',
    forward: (g: Tensor, y: Tensor, dim: number) => run_grad(g, y, dim, false),
    saves: ['g', 'y'],
    backward: {
      g: (gg, [, y, dim]) => softmax_grad(gg, y, dim),
      y: (gg, [g, y, dim]) => {
        const inner = g.mul(y).sum(dim, true)
        return gg.mul(g.sub(inner)).sub(g.mul(gg.mul(y).sum(dim, true)))
      },
    },
  },
)

const log_softmax_raw: Op<[self: Tensor, dim: number]> = op('log_softmax(Tensor self, int dim)', {
  forward: (self: Tensor, dim: number) => run(self, dim, true),
  saves: ['out'],
  backward: { self: (g, [, dim], y) => log_softmax_grad(g, y, dim) },
})

const log_softmax_grad: Op<[g: Tensor, y: Tensor, dim: number]> = op(
  'log_softmax_backward(Tensor g, Tensor y, int dim)',
  {
    node: 'LogSoftmaxBackwardDataBackward0',
    forward: (g: Tensor, y: Tensor, dim: number) => run_grad(g, y, dim, true),
    saves: ['g', 'y'],
    backward: {
      g: (gg, [, y, dim]) => gg.sub(gg.mul(y.exp()).sum(dim, true)),
      y: (gg, [g, y, dim]) => gg.mul(y.exp()).mul(g.sum(dim, true)).neg(),
    },
  },
)

type SoftmaxArgs = [
  self: Tensor,
  dim: number | { dim: number; dtype?: DType | null },
  opts?: { dtype?: DType | null },
]

/** exp(x) normalised to sum 1 along `dim`; `dtype` converts first. */
export const softmax: Op<SoftmaxArgs> = composite('softmax(Tensor self, int dim, dtype? dtype=None)', {
  body: (self: Tensor, dim: number, dtype: DType | null) =>
    softmax_raw(to_dtype(self, dtype ?? self.dtype), wrap_dim(dim, self.sizes.length)),
  samples: r => [
    [r(3, 4), 1],
    [r(3, 4), 0],
    [r(2, 3, 4), -2],
    [r(), 0],
  ],
})

/** log(softmax(x)) along `dim`, computed without overflow. */
export const log_softmax: Op<SoftmaxArgs> = composite(
  'log_softmax(Tensor self, int dim, dtype? dtype=None)',
  {
    body: (self: Tensor, dim: number, dtype: DType | null) =>
      log_softmax_raw(to_dtype(self, dtype ?? self.dtype), wrap_dim(dim, self.sizes.length)),
    samples: r => [
      [r(3, 4), 1],
      [r(3, 4), 0],
      [r(2, 3, 4), -2],
      [r(), 0],
    ],
  },
)
