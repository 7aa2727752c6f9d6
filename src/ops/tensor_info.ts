// Questions to a tensor that are functions and methods: is_nonzero and such.
// Not here: those that are functions only, as dtype and size are properties (type_info.ts).
import { ComplexScalar } from '../base/complex_scalar.ts'
import { RuntimeError } from '../base/errors.ts'
import { same_sizes } from '../base/shape.ts'
import type { Tensor } from '../tensor/tensor.ts'
import { about } from './define/method.ts'
import { composite, type Op } from './define/op.ts'

/** Whether it was made in inference mode. */
export const is_inference: Op<[input: Tensor], boolean> = about('is_inference', t => t._inference)
/** Whether a negation is pending: never. */
export const is_neg: Op<[input: Tensor], boolean> = about('is_neg', () => false)

/** Python's bool(): whether the one element is not zero. Throws RuntimeError for any other number of elements. */
export const is_nonzero: Op<[input: Tensor], boolean> = about('is_nonzero', t => {
  if (t.count !== 1)
    throw new RuntimeError(
      `Boolean value of Tensor with ${t.count === 0 ? 'no values' : 'more than one value'} is ambiguous`,
    )
  const value = t.item()
  return value instanceof ComplexScalar ? value.abs() !== 0 : Number(value) !== 0
})

/** Whether two tensors have the same sizes. */
export const is_same_size: Op<[input: Tensor, other: Tensor], boolean> = composite(
  'is_same_size(Tensor self, Tensor other)',
  {
    body: (a: Tensor, b: Tensor) => same_sizes(a.sizes, b.sizes),
    out: false,
  },
)
