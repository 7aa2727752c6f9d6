// Tensors as JavaScript values: numpy, tolist. Not here: the other way round (data.ts).
import type { TypedArray } from '../base/dtype.ts'
import { type Nested, to_list, to_typed_array } from '../tensor/from_data.ts'
import type { Tensor } from '../tensor/tensor.ts'
import { make_op, type Op } from './define/op.ts'

/** The memory of a tensor as a typed array, shared both ways. */
export const numpy: Op<[self: Tensor], TypedArray> = make_op((self: Tensor) => to_typed_array(self), {
  name: 'numpy',
  schemas: [],
  samples: undefined,
  differentiable: false,
})

/** The elements as nested arrays. */
export const tolist: Op<[self: Tensor], Nested> = make_op((self: Tensor) => to_list(self), {
  name: 'tolist',
  schemas: [],
  samples: undefined,
  differentiable: false,
})
