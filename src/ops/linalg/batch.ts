// What the decompositions share: matrices as a batch of contiguous columns in double precision, and back again;
// checks of their inputs. Not here: kernels.
import { complex128, type DType, float64 } from '../../base/dtype.ts'
import { RuntimeError } from '../../base/errors.ts'
import { numel } from '../../base/shape.ts'
import type { Operand } from '../../device/device.ts'
import { empty } from '../../tensor/dispatch.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { to_dtype } from '../convert.ts'
import { copy_elements } from '../define/copy.ts'
import { scalar_name } from '../define/out.ts'
import { window } from '../define/space.ts'

/** The dtype in which decompositions are computed. */
export const double_of = (dtype: DType): DType => (dtype.is_complex ? complex128 : float64)

/** The dtype of singular values and of eigenvalues of Hermitian matrices. */
export const real_of = (t: Tensor): DType => (t.dtype.is_complex ? t.real.dtype : t.dtype)

/** A copy of one's own, contiguous and in double precision. */
export function double_copy(t: Tensor): Tensor {
  const out = empty(t.sizes, double_of(t.dtype))
  copy_elements(out, t)
  return out
}

/** The columns of each matrix as contiguous rows: a copy of one's own, in double precision. */
export const columns_of = (t: Tensor): Tensor => double_copy(t.transpose(-2, -1))

/** The matrices whose columns are the rows of `t`, in `dtype`. */
export const from_columns = (t: Tensor, dtype: DType): Tensor => to_dtype(t.transpose(-2, -1), dtype)

/** A contiguous tensor as [batch, rows, columns]. */
export function as_batch(t: Tensor): Operand {
  const [m, n] = t.sizes.slice(-2) as [number, number]
  return window(t, [numel(t.sizes.slice(0, -2)), m, n], [m * n, n, 1])
}

/** A contiguous tensor as [batch, length]. */
export function as_vectors(t: Tensor): Operand {
  const n = t.sizes.at(-1) as number
  return window(t, [numel(t.sizes.slice(0, -1)), n], [n, 1])
}

/** Identity matrices of m rows and n columns in memory of their own. */
export function identities(batch: readonly number[], m: number, n: number, dtype: DType): Tensor {
  const out = empty([...batch, m, n], dtype)
  out.zero_()
  out.diagonal(0, -2, -1).fill_(1)
  return out
}

/** Throws where `t` is no batch of matrices. */
export function require_matrices(name: string, t: Tensor, what = 'A'): void {
  if (t.ndim < 2) throw new RuntimeError(`${name}: The input tensor ${what} must have at least 2 dimensions.`)
}

/** Throws where `t` is no batch of square matrices. */
export function require_square(name: string, t: Tensor): void {
  require_matrices(name, t)
  const [m, n] = t.sizes.slice(-2)
  if (m !== n)
    throw new RuntimeError(
      `${name}: A must be batches of square matrices, but they are ${m} by ${n} matrices`,
    )
}

/** Whether a dtype is one that LAPACK has. */
export const has_lapack = (dtype: DType): boolean =>
  ['float32', 'float64', 'complex64', 'complex128'].includes(dtype.name)

/** Throws where there is no kernel of that name for the dtype. */
export function require_lapack(kernel: string, dtype: DType): void {
  if (!has_lapack(dtype)) throw new RuntimeError(`"${kernel}" not implemented for '${scalar_name(dtype)}'`)
}

/** Throws where `t` is neither real nor complex. */
export function require_float(name: string, t: Tensor): void {
  if (!t.dtype.is_floating_point && !t.dtype.is_complex)
    throw new RuntimeError(
      `${name}: Expected a floating point or complex tensor as input. Got ${scalar_name(t.dtype)}`,
    )
}

/** Whether all elements are finite. */
export const all_finite = (t: Tensor): boolean => t.isfinite().all().item() === true

/** x + x^H with the diagonal counted once, and real. */
export function hermitian_sum(x: Tensor): Tensor {
  const sum = x.add(x.mH)
  return sum.sub(sum.diagonal(0, -2, -1).mul(0.5).diag_embed())
}

/** A real gradient where the input is real. */
export const like_input = (g: Tensor, input: Tensor): Tensor =>
  g.dtype.is_complex && !input.dtype.is_complex ? g.real : g
