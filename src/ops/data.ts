// Tensors from JavaScript values as users call it: tensor, as_tensor, from_numpy, and the legacy constructors of each dtype.
// Not here: the conversion itself (tensor/from_data.ts), the way back (data_out.ts).
import {
  bfloat16,
  bool,
  type DType,
  float16,
  float32,
  float64,
  int8,
  int16,
  int32,
  int64,
  type TypedArray,
  uint8,
} from '../base/dtype.ts'
import { RuntimeError } from '../base/errors.ts'
import { dtype_of_array, share_array, type TensorData, tensor_from } from '../tensor/from_data.ts'
import { type PlaceLike, require_available } from '../tensor/place.ts'
import { bind, parse_schema } from '../tensor/schema.ts'
import { Tensor } from '../tensor/tensor.ts'
import { to_dtype } from './convert.ts'
import { make_op, type Op } from './define/op.ts'
import { type LegacyTensor, legacy } from './legacy.ts'

type DataOptions = {
  dtype?: DType | null
  device?: PlaceLike | null
  requires_grad?: boolean
  pin_memory?: boolean
}

const tensor_schema = parse_schema(
  'tensor(any data, *, dtype? dtype=None, device? device=None, bool requires_grad=False, bool pin_memory=False)',
)

/**
 * A new tensor holding a copy of `data`: a number, a boolean, (nested) arrays, a typed array or a tensor. Whole
 * numbers give int64, others the default dtype; JavaScript cannot tell 3.0 from 3, so say `{ dtype: torch.float32 }`.
 */
export const tensor: Op<[data: TensorData, opts?: DataOptions]> = make_op(
  (...args: readonly unknown[]) => {
    const [data, dtype, device, requires_grad] = bind([tensor_schema], args).values as [
      TensorData,
      DType | null,
      PlaceLike | null,
      boolean,
    ]
    require_available(device)
    if (data instanceof Tensor)
      console.warn(
        'UserWarning: To copy construct from a tensor, it is recommended to use sourceTensor.clone().detach() or ' +
          'sourceTensor.clone().detach().requires_grad_(True), rather than torch.tensor(sourceTensor).',
      )
    const made = tensor_from(data, dtype)
    if (!requires_grad) return made
    if (!made.dtype.is_floating_point && !made.dtype.is_complex)
      throw new RuntimeError('Only Tensors of floating point and complex dtype can require gradients')
    return made.requires_grad_()
  },
  { name: 'tensor', schemas: [tensor_schema], samples: undefined, differentiable: false },
)

/** Like {@link tensor}, but shares the memory of typed arrays, and tensors are kept (converted if need be). */
export const as_tensor: Op<[data: TensorData, opts?: DataOptions]> = make_op(
  (...args: readonly unknown[]) => {
    const [data, dtype, device] = bind([as_tensor_schema], args).values as [
      TensorData,
      DType | null,
      PlaceLike | null,
    ]
    require_available(device)
    if (data instanceof Tensor) return to_dtype(data, dtype ?? data.dtype)
    if (ArrayBuffer.isView(data))
      return to_dtype(share_array(data as TypedArray), dtype ?? dtype_of_array(data as TypedArray))
    return tensor_from(data, dtype)
  },
  { name: 'as_tensor', schemas: [], samples: undefined, differentiable: false },
)
const as_tensor_schema = parse_schema('as_tensor(any data, *, dtype? dtype=None, device? device=None)')

/** A 1-d tensor on the memory of a typed array: what is written to one shows in the other. */
export const from_numpy: Op<[array: TypedArray]> = make_op(
  (array: TypedArray) => {
    if (!ArrayBuffer.isView(array))
      throw new TypeError(`expected np.ndarray (got ${array === null ? 'NoneType' : typeof array})`)
    return share_array(array)
  },
  { name: 'from_numpy', schemas: [], samples: undefined, differentiable: false },
)

export const FloatTensor: LegacyTensor = legacy('FloatTensor', () => float32)
export const DoubleTensor: LegacyTensor = legacy('DoubleTensor', () => float64)
export const HalfTensor: LegacyTensor = legacy('HalfTensor', () => float16)
export const BFloat16Tensor: LegacyTensor = legacy('BFloat16Tensor', () => bfloat16)
export const LongTensor: LegacyTensor = legacy('LongTensor', () => int64)
export const IntTensor: LegacyTensor = legacy('IntTensor', () => int32)
export const ShortTensor: LegacyTensor = legacy('ShortTensor', () => int16)
export const CharTensor: LegacyTensor = legacy('CharTensor', () => int8)
export const ByteTensor: LegacyTensor = legacy('ByteTensor', () => uint8)
export const BoolTensor: LegacyTensor = legacy('BoolTensor', () => bool)
