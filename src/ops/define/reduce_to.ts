// Bringing a gradient back to the shape and dtype of the operand it belongs to: the reverse of broadcasting and
// promotion. Written with tensor methods, so that it is itself differentiable.
import type { DType } from '../../base/dtype.ts'
import { same_sizes } from '../../base/shape.ts'
import { needs_ops } from '../../tensor/batched.ts'
import { alias, type Tensor } from '../../tensor/tensor.ts'

/** A number as the gradient of each element of what it was made of. */
export const spread_number = (grad: Tensor, sizes: readonly number[]): Tensor =>
  needs_ops(grad) || grad.count !== 1
    ? grad.expand(sizes)
    : alias(
        grad,
        sizes,
        sizes.map(() => 0),
      )

/** `grad` summed to `sizes` and cast to `dtype`; itself where there is nothing to do. */
export function reduce_to(grad: Tensor, sizes: readonly number[], dtype: DType): Tensor {
  const summed = same_sizes(grad.sizes, sizes) ? grad : grad.sum_to_size(sizes)
  return summed.dtype === dtype ? summed : summed.to(dtype)
}
