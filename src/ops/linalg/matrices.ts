// What solvers and factorisations share: batches of matrices as operands of kernels, checks of inputs, what an
// `info` says. Not here: kernels.
import { complex128, type DType, float64, to_real_dtype } from '../../base/dtype.ts'
import { RuntimeError } from '../../base/errors.ts'
import { broadcast_sizes, numel, same_sizes } from '../../base/shape.ts'
import type { Operand } from '../../device/device.ts'
import { empty } from '../../tensor/dispatch.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { to_dtype } from '../convert.ts'
import { copy_elements } from '../define/copy.ts'
import { scalar_name } from '../define/out.ts'
import { window } from '../define/space.ts'

/** A contiguous tensor as [batch, rows, columns], or transposed where `turned` says so. */
export function as_matrices(t: Tensor, turned = false): Operand {
  const [m, n] = t.sizes.slice(-2) as [number, number]
  const batch = numel(t.sizes.slice(0, -2))
  return turned ? window(t, [batch, n, m], [m * n, 1, n]) : window(t, [batch, m, n], [m * n, n, 1])
}

/** A contiguous tensor as [batch, length]. */
export function as_rows(t: Tensor): Operand {
  const n = t.sizes.at(-1) as number
  return window(t, [numel(t.sizes.slice(0, -1)), n], [n, 1])
}

/** A tensor as a list of its elements. */
export const as_list = (t: Tensor): Operand => window(t, [t.count], [1])

/** The dtype in which what is not a factorisation itself is computed: rounded once, results are as good as can be. */
export const double_of = (dtype: DType): DType => (dtype.is_complex ? complex128 : float64)

/** A contiguous copy, broadcast to `sizes`. */
export function own_copy(t: Tensor, sizes: readonly number[] = t.sizes, dtype: DType = t.dtype): Tensor {
  const out = empty(sizes, dtype)
  copy_elements(out, t)
  return out
}

/** `batch` dimensions before those of each matrix. */
export const spread = (t: Tensor, batch: readonly number[]): Tensor => {
  const sizes = [...batch, ...t.sizes.slice(-2)]
  return same_sizes(sizes, t.sizes) ? t : t.expand(sizes)
}

/** The dimensions before those of the matrices, of both. */
export const common_batch = (a: Tensor, b: Tensor): number[] =>
  broadcast_sizes(a.sizes.slice(0, -2), b.sizes.slice(0, -2))

/** Throws where `t` is no batch of matrices. */
export function require_matrices(name: string, t: Tensor, what = 'A'): void {
  if (t.ndim < 2) throw new RuntimeError(`${name}: The input tensor ${what} must have at least 2 dimensions.`)
}

/** Throws where `t` is no batch of square matrices. */
export function require_square(name: string, t: Tensor): void {
  require_matrices(name, t)
  const [m, n] = t.sizes.slice(-2)
  const where = name === '' ? '' : `${name}: `
  if (m !== n)
    throw new RuntimeError(`${where}A must be batches of square matrices, but they are ${m} by ${n} matrices`)
}

/** Throws where `t` is neither real nor complex, or has few digits. */
export function require_float(name: string, t: Tensor, low = true): void {
  const { dtype } = t
  if (!dtype.is_floating_point && !dtype.is_complex)
    throw new RuntimeError(
      `${name}: Expected a floating point or complex tensor as input. Got ${scalar_name(dtype)}`,
    )
  if (!low && !has_lapack(dtype))
    throw new RuntimeError(`${name}: Low precision dtypes not supported. Got ${scalar_name(dtype)}`)
}

/** Whether a dtype is one that LAPACK has. */
export const has_lapack = (dtype: DType): boolean =>
  ['float32', 'float64', 'complex64', 'complex128'].includes(dtype.name)

/** Throws where there is no kernel of that name for the dtype. */
export function require_lapack(kernel: string, dtype: DType): void {
  if (!has_lapack(dtype)) throw new RuntimeError(`"${kernel}" not implemented for '${scalar_name(dtype)}'`)
}

/** Throws where A and B cannot stand in AX = B or XA = B. */
export function require_system(name: string, a: Tensor, b: Tensor, left: boolean): void {
  require_square(name, a)
  require_matrices(name, b, 'B')
  const [m, n] = b.sizes.slice(-2)
  const [rows, columns] = a.sizes.slice(-2)
  if ((left ? m : n) !== rows)
    throw new RuntimeError(
      `${name}: Incompatible shapes of A and B for the equation ${left ? 'AX = B' : 'XA = B'} (${rows}x${columns} and ${m}x${n})`,
    )
}

/** The first of a batch whose info is not 0: how a message names it, and the info. */
export function first_failure(info: Tensor): { readonly where: string; readonly code: number } | null {
  if (info.count === 0) return null
  const codes = info.memory.peek(info.dtype)
  for (let b = 0; b < info.count; b++) {
    const code = Number(codes[info.offset + b])
    if (code !== 0) return { where: info.ndim > 0 ? `(Batch element ${b}): ` : '', code }
  }
  return null
}

/** A^H. */
export const adjoint = (t: Tensor): Tensor => t.transpose(-2, -1).conj()

/** A contiguous copy in double precision. */
export const double_copy = (t: Tensor): Tensor => own_copy(t, t.sizes, double_of(t.dtype))

/** The dtype of singular values and of eigenvalues of Hermitian matrices. */
export const real_of = (t: Tensor): DType => to_real_dtype(t.dtype)

/** The columns of each matrix as contiguous rows: a copy of one's own, in double precision. */
export const columns_of = (t: Tensor): Tensor => double_copy(t.transpose(-2, -1))

/** The matrices whose columns are the rows of `t`, in `dtype`. */
export const from_columns = (t: Tensor, dtype: DType): Tensor => to_dtype(t.transpose(-2, -1), dtype)

/** Identity matrices of m rows and n columns in memory of their own. */
export function identities(batch: readonly number[], m: number, n: number, dtype: DType): Tensor {
  const out = empty([...batch, m, n], dtype)
  out.zero_()
  out.diagonal(0, -2, -1).fill_(1)
  return out
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

/** The checks of the older solvers: b and A. */
export function require_pair(name: string, b: Tensor, a: Tensor): void {
  if (a.dtype !== b.dtype)
    throw new RuntimeError(
      `Expected b and A to have the same dtype, but found b of type ${scalar_name(b.dtype)} and A of type ${scalar_name(a.dtype)} instead.`,
    )
  require_square('', a)
  const [m, n] = b.sizes.slice(-2)
  const [rows, columns] = a.sizes.slice(-2)
  if (m !== rows)
    throw new RuntimeError(
      `Incompatible matrix sizes for ${name}: each A matrix is ${rows} by ${columns} but each b matrix is ${m} by ${n}`,
    )
}
