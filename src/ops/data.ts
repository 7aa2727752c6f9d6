// Tensors from JavaScript values as users call it: tensor, as_tensor, from_numpy, numpy, tolist, and the legacy
// constructors (FloatTensor and such). Not here: the conversion itself (tensor/from_data.ts).
import {
  bfloat16,
  bool,
  type DType,
  float16,
  float32,
  float64,
  get_default_dtype,
  int8,
  int16,
  int32,
  int64,
  type TypedArray,
  uint8,
} from '../base/dtype.ts'
import { RuntimeError } from '../base/errors.ts'
import { Size } from '../base/shape.ts'
import { empty } from '../tensor/dispatch.ts'
import {
  dtype_of_array,
  type Nested,
  share_array,
  type TensorData,
  tensor_from,
  to_list,
  to_typed_array,
} from '../tensor/from_data.ts'
import { type PlaceLike, require_available } from '../tensor/place.ts'
import { bind, parse_schema } from '../tensor/schema.ts'
import { Tensor } from '../tensor/tensor.ts'
import { to_dtype } from './convert.ts'
import { make_op, type Op } from './define/op.ts'

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

// ---------------------------------------------------------------------------------------------- legacy constructors

type LegacyArgs = readonly (number | TensorData | readonly number[])[]

/** `torch.FloatTensor`: makes tensors of one dtype from data or from sizes, and names the type. */
export interface LegacyTensor {
  (...args: LegacyArgs): Tensor
  new (...args: LegacyArgs): Tensor
  readonly dtype: DType
  readonly prototype: Tensor
}

/** A tensor as the legacy constructors make it: from sizes, or from data. */
function legacy_make(name: string, dtype: DType, args: readonly unknown[]): Tensor {
  if (args.length === 0) return empty([0], dtype)
  const [first] = args
  if (args.length === 1 && first instanceof Size) return empty([...first], dtype)
  if (args.every(a => typeof a === 'number')) return empty(args as number[], dtype)
  if (args.length > 1) throw new TypeError(`new(): data must be a sequence (got ${typeof first})`)
  if (first instanceof Tensor) {
    if (first.dtype !== dtype)
      throw new TypeError(`expected Tensor(${first.dtype.tensor_type}) (got ${name})`)
    return first.detach()
  }
  // As the documents have it: a typed array of the same element type is shared, not copied.
  if (ArrayBuffer.isView(first) && dtype_of_array(first as TypedArray) === dtype)
    return share_array(first as TypedArray)
  return tensor_from(first as TensorData, dtype)
}

/** `x.new(...)`: the legacy constructor of the tensor's dtype. */
export const new_legacy: Op<[self: Tensor, ...args: LegacyArgs]> = make_op(
  (self: Tensor, ...args: LegacyArgs) => legacy_make(self.dtype.tensor_type, self.dtype, args),
  { name: 'new', schemas: [], samples: undefined, differentiable: false },
)

function legacy(name: string, dtype_of: () => DType): LegacyTensor {
  const constructor = (...args: readonly unknown[]): Tensor => legacy_make(name, dtype_of(), args)
  Object.defineProperties(constructor, {
    name: { value: name },
    prototype: { value: Tensor.prototype },
    dtype: { get: dtype_of },
    [Symbol.hasInstance]: {
      value: (x: unknown) => x instanceof Tensor && (name === 'Tensor' || x.dtype === dtype_of()),
    },
    toString: { value: () => `<class 'torch.${name}'>` },
    [Symbol.for('nodejs.util.inspect.custom')]: { value: () => `<class 'torch.${name}'>` },
  })
  return constructor as unknown as LegacyTensor
}

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
/** `torch.Tensor(...)`: the legacy constructor of the default dtype; `x instanceof torch.Tensor` holds for all tensors. */
export const LegacyTensorConstructor: LegacyTensor = legacy('Tensor', get_default_dtype)
