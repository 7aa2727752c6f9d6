// Arithmetic between tensors and numbers: +, -, *, /, remainders, powers, and their fused relatives.
// Not here: functions of one variable (unary.ts), comparisons (compare.ts), matrix products (matmul.ts).
import { bool, type DType } from '../base/dtype.ts'
import { RuntimeError } from '../base/errors.ts'
import type { Expr } from '../ir/expr.ts'
import type { Tensor } from '../tensor/tensor.ts'
import { in_place } from './define/inplace.ts'
import type { Op } from './define/op.ts'
import { type Number, pointwise } from './define/pointwise.ts'

type Other = Tensor | Number
type Alpha = { alpha?: Number; out?: Tensor }
type Out = { out?: Tensor }

/** `self + alpha * other`, elementwise with broadcasting. */
export const add: Op<[self: Tensor | Number, other: Other, opts?: Alpha]> = pointwise(
  'add(Tensor self, Tensor other, *, Scalar alpha=1)',
  {
    forward: (self, other, alpha) => self.add(alpha.mul(other)),
    samples: r => [[r(3, 4), r(3, 4)], [r(3, 1), r(4)], [r(2), 2.5], [r(3), r(3), { alpha: 2 }], [r(), r()], [r(0, 3), r(3)]],
  },
)
/** In-place {@link add}. */
export const add_: typeof add = in_place(add)

/** `self - alpha * other`. Throws RuntimeError for bools. */
export const sub: Op<[self: Tensor | Number, other: Other, opts?: Alpha]> = pointwise(
  'sub(Tensor self, Tensor other, *, Scalar alpha=1)',
  {
    dtype: refuse_bool,
    forward: (self, other, alpha) => self.sub(alpha.mul(other)),
    samples: r => [[r(3, 4), r(3, 4)], [r(3, 1), r(4)], [r(2), 2.5], [r(3), r(3), { alpha: 2 }]],
  },
)
/** In-place {@link sub}. */
export const sub_: typeof sub = in_place(sub)

function refuse_bool(promoted: DType): DType {
  if (promoted === bool)
    throw new RuntimeError(
      'Subtraction, the `-` operator, with two bool tensors is not supported. Use the `^` or `logical_xor()` operator instead.',
    )
  return promoted
}

/** `self * other`, elementwise with broadcasting. */
export const mul: Op<[self: Tensor | Number, other: Other, opts?: Out]> = pointwise('mul(Tensor self, Tensor other)', {
  forward: (self: Expr, other: Expr) => self.mul(other),
  samples: r => [[r(3, 4), r(3, 4)], [r(3, 1), r(4)], [r(2), 2.5], [r(), r()]],
})
/** In-place {@link mul}. */
export const mul_: typeof mul = in_place(mul)
