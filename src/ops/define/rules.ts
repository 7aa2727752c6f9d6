// DType rules that several ops share: which dtypes an op refuses, as PyTorch says it, and what it lifts.
// Not here: promotion itself (base/dtype.ts), the rules that have a name (pointwise.ts).
import { bool, type DType, get_default_dtype } from '../../base/dtype.ts'
import { RuntimeError } from '../../base/errors.ts'
import { scalar_name } from './out.ts'
import type { DTypeRule } from './pointwise.ts'

/** Throws PyTorch's error for a dtype that a kernel does not have. */
export function not_implemented(kernel: string, dtype: DType): never {
  throw new RuntimeError(`"${kernel}" not implemented for '${scalar_name(dtype)}'`)
}

export const is_integral = (dtype: DType): boolean => !dtype.is_floating_point && !dtype.is_complex

/** Integers become the default dtype. */
export const lift = (dtype: DType): DType => (is_integral(dtype) ? get_default_dtype() : dtype)

/** Promoted; only floating-point dtypes. */
export const floating =
  (kernel: string): DTypeRule =>
  dtype =>
    is_integral(dtype) ? not_implemented(kernel, dtype) : dtype

/** Promoted; only real floating-point dtypes. */
export const real_floating =
  (kernel: string): DTypeRule =>
  dtype =>
    dtype.is_floating_point ? dtype : not_implemented(kernel, dtype)

/** Promoted; no complex dtypes, in PyTorch's words for the op. */
export const real =
  (refusal: string) =>
  (dtype: DType): DType => {
    if (dtype.is_complex) throw new RuntimeError(refusal)
    return dtype
  }

/** Promoted; limits need an order. */
export const ordered: (dtype: DType) => DType = real('clamp is not supported for complex types')

/** Promoted; only integers and bools. */
export const integral =
  (kernel: string): DTypeRule =>
  dtype =>
    is_integral(dtype) ? dtype : not_implemented(kernel, dtype)

/** Promoted; no bools. */
export const numeric =
  (kernel: string): DTypeRule =>
  dtype =>
    dtype === bool ? not_implemented(kernel, dtype) : dtype

/** The node of a function of (self, other), either of which may be a number. */
export const number_node =
  (name: string) =>
  ([self, other]: readonly boolean[]): string =>
    `${name}Backward${self ? 1 : other ? 2 : 0}`
