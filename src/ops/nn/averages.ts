// What optimizers move their averages and parameters by, each in one pass over memory: a running average, of values or
// of products, and a step along one average over the root of another. Not here: the optimizers (src/optim).
import type { Expr } from '../../ir/expr.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { in_place } from '../define/inplace.ts'
import type { Op } from '../define/op.ts'
import { type Number, pointwise } from '../define/pointwise.ts'

type Average = [self: Tensor, other: Tensor, opts: { decay: Number; alpha: Number }]
type AverageOfProducts = [self: Tensor, a: Tensor, b: Tensor, opts: { decay: Number; value: Number }]
type RootStep = [self: Tensor, a: Tensor, b: Tensor, opts: { value: Number; scale?: Number; eps: Number }]

const decay_add: Op<Average> = pointwise(
  'decay_add(Tensor self, Tensor other, *, Scalar decay, Scalar alpha)',
  {
    forward: (self: Expr, other: Expr, decay: Expr, alpha: Expr) => self.mul(decay).add(alpha.mul(other)),
  },
)
/** `self = decay * self + alpha * other` */
export const decay_add_: Op<Average> = in_place(decay_add)

const decay_addcmul: Op<AverageOfProducts> = pointwise(
  'decay_addcmul(Tensor self, Tensor a, Tensor b, *, Scalar decay, Scalar value)',
  {
    forward: (self: Expr, a: Expr, b: Expr, decay: Expr, value: Expr) =>
      self.mul(decay).add(value.mul(a).mul(b)),
  },
)
/** `self = decay * self + value * a * b` */
export const decay_addcmul_: Op<AverageOfProducts> = in_place(decay_addcmul)

const add_over_root: Op<RootStep> = pointwise(
  'add_over_root(Tensor self, Tensor a, Tensor b, *, Scalar value, Scalar scale=1, Scalar eps)',
  {
    forward: (self: Expr, a: Expr, b: Expr, value: Expr, scale: Expr, eps: Expr) =>
      self.add(value.mul(a).div(b.sqrt().div(scale).add(eps))),
  },
)
/** `self = self + value * a / (sqrt(b) / scale + eps)` */
export const add_over_root_: Op<RootStep> = in_place(add_over_root)
