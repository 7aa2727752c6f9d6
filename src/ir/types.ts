// The scalar types that kernels compute in, and how the dtypes that tensors store map onto them.
// This is not the dtype table (base/dtype.ts): a float16 is stored in two bytes but computed in f32.
import type { DType } from '../base/dtype.ts'

/** `index` is what addresses and loop counters are made of: 64 bits in C, 32 in WebAssembly. */
export type ScalarType = 'f32' | 'f64' | 'i32' | 'i64' | 'bool' | 'index'

/** The type in which values of `dtype` are computed. Stores narrow it again: integers wrap, floats round. */
export function compute_type(dtype: DType): ScalarType {
  switch (dtype.name) {
    case 'bool':
      return 'bool'
    case 'uint8':
    case 'int8':
    case 'int16':
    case 'int32':
      return 'i32'
    case 'int64':
      return 'i64'
    case 'float16':
    case 'bfloat16':
    case 'float32':
      return 'f32'
    case 'float64':
      return 'f64'
    default:
      throw new TypeError(`complex tensors have no kernels: a ${dtype} operand cannot be computed with`)
  }
}

export const is_float = (type: ScalarType): boolean => type === 'f32' || type === 'f64'
export const is_integer = (type: ScalarType): boolean => type === 'i32' || type === 'i64' || type === 'index'
