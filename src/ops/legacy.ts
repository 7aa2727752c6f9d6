// What the legacy constructors are: callable with and without `new`, with data or with sizes, and a type for instanceof.
// Not here: those of one dtype each (data.ts).
import { type DType, get_default_dtype, type TypedArray } from '../base/dtype.ts'
import { Size } from '../base/shape.ts'
import { empty } from '../tensor/dispatch.ts'
import { dtype_of_array, share_array, type TensorData, tensor_from } from '../tensor/from_data.ts'
import { Tensor } from '../tensor/tensor.ts'

// ---------------------------------------------------------------------------------------------- legacy constructors

export type LegacyArgs = readonly (number | TensorData | readonly number[])[]

/** A tensor as the legacy constructors make it: from sizes, or from data. */
export function legacy_make(name: string, dtype: DType, args: readonly unknown[]): Tensor {
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

export function legacy(name: string, dtype_of: () => DType): LegacyTensor {
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

/** `torch.FloatTensor`: makes tensors of one dtype from data or from sizes, and names the type. */
export interface LegacyTensor {
  (...args: LegacyArgs): Tensor
  new (...args: LegacyArgs): Tensor
  readonly dtype: DType
  readonly prototype: Tensor
}
/** `torch.Tensor(...)`: the legacy constructor of the default dtype; `x instanceof torch.Tensor` holds for all tensors. */
export const LegacyTensorConstructor: LegacyTensor = legacy('Tensor', get_default_dtype)
