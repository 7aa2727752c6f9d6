// What type a tensor is, as functions: predicates, type names, promotion, the default dtype by type name; and
// the number of threads. Not here: dtypes themselves (base/dtype.ts), questions that are methods too (tensor_info.ts).
import { DType, is_plain_number, result_dtype, scalar_dtype, set_default_dtype } from '../base/dtype.ts'
import { RuntimeError } from '../base/errors.ts'
import { Size } from '../base/shape.ts'
import { cpu_device } from '../tensor/dispatch.ts'
import { type_name } from '../tensor/schema.ts'
import { TypedStorage } from '../tensor/storage_view.ts'
import { Tensor } from '../tensor/tensor.ts'
import { dtype_of_type, type TypeLike } from '../tensor/type_like.ts'
import { about } from './define/method.ts'
import { composite, type Op } from './define/op.ts'
import type { Number as Numeric } from './define/pointwise.ts'

/** The name of what `obj` is: 'torch.FloatTensor' for tensors, else its class. */
export function typename(obj: unknown): string {
  if (obj instanceof Tensor) return `torch.${obj.dtype.tensor_type}`
  if (obj instanceof Size) return 'torch.Size'
  return type_name(obj)
}

/** Sets the default dtype by a type: torch.DoubleTensor or 'torch.DoubleTensor'. Throws TypeError for others. */
export function set_default_tensor_type(type: TypeLike): void {
  const dtype = type instanceof DType ? null : dtype_of_type(type)
  if (dtype === null) throw new TypeError('invalid type object')
  set_default_dtype(dtype)
}

type Operand = Tensor | Numeric

/** The dtype of an operation on two tensors or numbers. */
export const result_type: Op<[tensor1: Operand, tensor2: Operand], DType> = composite(
  ['result_type(Tensor tensor1, any tensor2)', 'result_type(Scalar scalar, any tensor)'],
  {
    body(...operands: unknown[]) {
      return result_dtype(
        operands.map(x => {
          if (x instanceof Tensor) return x
          if (is_plain_number(x)) return { dtype: scalar_dtype(x), sizes: [], wrapped: true }
          throw new TypeError(
            `result_type(): argument 'other' (position 2) must be Tensor, not ${type_name(x)}`,
          )
        }),
      )
    },
    out: false,
  },
)

export const is_floating_point: Op<[input: Tensor], boolean> = about(
  'is_floating_point',
  t => t.dtype.is_floating_point,
)
export const is_complex: Op<[input: Tensor], boolean> = about('is_complex', t => t.dtype.is_complex)
export const is_signed: Op<[input: Tensor], boolean> = about('is_signed', t => t.dtype.is_signed)
/** The number of elements. */
export const numel: Op<[input: Tensor], number> = about('numel', t => t.count)

export const is_storage = (obj: unknown): obj is TypedStorage => obj instanceof TypedStorage

// ---------------------------------------------------------------------------------------------- threads

let interop_threads = 1

function checked(name: string, n: number): number {
  if (!Number.isInteger(n)) throw new RuntimeError(`${name} expects an int, but got ${type_name(n)}`)
  if (n <= 0 || n >= 2 ** 31) throw new RuntimeError(`${name} expects a positive integer`)
  return n
}

/** How many threads one operation may use: at first as many as there are cores, or what OMP_NUM_THREADS says. */
export const get_num_threads = (): number => cpu_device().num_threads
/** Sets how many threads one operation may use, 1 for none beside the caller's. Results do not depend on it. */
export function set_num_threads(n: number): void {
  cpu_device().num_threads = checked('set_num_threads', n)
}

/** The number that set_num_interop_threads was given, 1 at first: operations run one after the other. */
export const get_num_interop_threads = (): number => interop_threads
/** Accepted as PyTorch accepts it, and without effect: operations run one after the other. */
export function set_num_interop_threads(n: number): void {
  interop_threads = checked('set_num_interop_threads', n)
}
