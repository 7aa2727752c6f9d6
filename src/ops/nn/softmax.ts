// softmax and log_softmax with their gradients. Not here: the kernels (softmax_kernels.ts), losses (class_loss.ts).
import type { DType } from '../../base/dtype.ts'
import { wrap_dim } from '../../base/shape.ts'
import { Tensor } from '../../tensor/tensor.ts'
import { to_dtype } from '../convert.ts'
import { composite, type Op, op } from '../define/op.ts'
import { with_plain } from '../define/plain.ts'
import { log_softmax_grad, run, run_grad } from './softmax_kernels.ts'

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

type SoftmaxArgs = [
  self: Tensor,
  dim: number | { dim: number; dtype?: DType | null },
  opts?: { dtype?: DType | null },
]

/** The softmax family's public face over an op of (tensor, dimension). */
const with_dtype = (name: string, raw: Op<[self: Tensor, dim: number]>): Op<SoftmaxArgs> =>
  with_plain(
    composite<SoftmaxArgs>(`${name}(Tensor self, int dim, dtype? dtype=None)`, {
      body: (self: Tensor, dim: number, dtype: DType | null) =>
        raw(to_dtype(self, dtype ?? self.dtype), wrap_dim(dim, self.sizes.length)),
      samples: r => [
        [r(3, 4), 1],
        [r(3, 4), 0],
        [r(2, 3, 4), -2],
        [r(), 0],
      ],
    }),
    (self, dim, ...rest) =>
      self instanceof Tensor && Number.isInteger(dim) && rest.length === 0
        ? raw(self, wrap_dim(dim as number, self.sizes.length))
        : undefined,
  )

/** exp(x) normalised to sum 1 along `dim`; `dtype` converts first. */
export const softmax: Op<SoftmaxArgs> = with_dtype('softmax', softmax_raw)

/** log(softmax(x)) along `dim`, computed without overflow. */
export const log_softmax: Op<SoftmaxArgs> = with_dtype('log_softmax', log_softmax_raw)
