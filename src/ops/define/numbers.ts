// Plain numbers as kernels take them. Not here: which dtype they promote to (base/dtype.ts).
import { ComplexScalar } from '../../base/complex_scalar.ts'
import { type DType, FloatScalar, type PlainNumber } from '../../base/dtype.ts'
import { RuntimeError } from '../../base/errors.ts'

/** PyTorch's names of the types it converts plain numbers to. */
const C_NAMES: Readonly<Record<string, string>> = {
  bool: 'bool',
  int32: 'int',
  float16: 'at::Half',
  bfloat16: 'at::BFloat16',
  float32: 'float',
  float64: 'double',
  complex64: 'c10::complex<float>',
  complex128: 'c10::complex<double>',
}

/** PyTorch's error where a number has no value of a dtype. */
export const overflow = (dtype: DType): RuntimeError =>
  new RuntimeError(
    `value cannot be converted to type ${C_NAMES[dtype.name] ?? `${dtype.name}_t`} without overflow`,
  )

/** A number for what is not complex: complex ones only where they are real. Throws RuntimeError. */
export function real_number(value: PlainNumber, dtype: DType): number | bigint | boolean {
  if (value instanceof FloatScalar) return value.value
  if (!(value instanceof ComplexScalar)) return value
  if (value.imag !== 0) throw overflow(dtype)
  return value.real
}
