// The scalar types that kernels compute in, and how the dtypes that tensors store map onto them.
// This is not the dtype table (base/dtype.ts): a float16 is stored in two bytes but computed in f32.
import type { DType } from '../base/dtype.ts'

/** `index` is what addresses and loop counters are made of: 64 bits in C, 32 in WebAssembly. */
export type ScalarType = KernelType | ComplexType

/** What there is in a kernel. */
export type KernelType = 'f32' | 'f64' | 'i32' | 'i64' | 'bool' | 'index'

/** Types of expressions only: the builder of kernels turns what is made of them into pairs of floats (ir/complex.ts). */
export type ComplexType = 'c64' | 'c128'

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
    case 'complex64':
      return 'c64'
    case 'complex128':
      return 'c128'
  }
}

export const is_float = (type: ScalarType): boolean => type === 'f32' || type === 'f64'
export const is_complex = (type: ScalarType): type is ComplexType => type === 'c64' || type === 'c128'
/** The type of a complex type's parts; any other type is returned as it is. */
export const real_type = (type: ScalarType): ScalarType =>
  type === 'c64' ? 'f32' : type === 'c128' ? 'f64' : type
export const is_integer = (type: ScalarType): boolean => type === 'i32' || type === 'i64' || type === 'index'
