// Eigenvalues of Hermitian matrices: eigh, eigvalsh. Not here: the kernel (jacobi.ts), general matrices (eig.ts).
import { float64 } from '../../base/dtype.ts'
import { RuntimeError } from '../../base/errors.ts'
import { empty } from '../../tensor/dispatch.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { to_dtype } from '../convert.ts'
import { type Named, named_tuple } from '../define/named.ts'
import { composite, type Op, op } from '../define/op.ts'
import { LinAlgError } from './error.ts'
import { two_sided } from './jacobi.ts'
import {
  all_finite,
  as_matrices,
  as_rows,
  columns_of,
  from_columns,
  identities,
  real_of,
  require_lapack,
  require_square,
} from './matrices.ts'

/** Eigenvalues, and eigenvectors as columns. */
export type Eigen = Named<Tensor, 'eigenvalues' | 'eigenvectors'>

/** The matrix of which one triangle was given, and the real part of the diagonal. */
function mirrored(a: Tensor, lower: boolean): Tensor {
  const strict = lower ? a.tril(-1) : a.triu(1)
  const diagonal = a.diagonal(0, -2, -1)
  const own = a.dtype.is_complex ? to_dtype(diagonal.real, a.dtype) : diagonal
  return strict.add(strict.mH).add(own.diag_embed())
}

function decompose(a: Tensor, lower: boolean, vectors: boolean): { L: Tensor; V: Tensor | null } {
  require_square('linalg.eigh', a)
  require_lapack('linalg_eigh_cpu', a.dtype)
  if (!all_finite(a))
    throw new LinAlgError(
      'linalg.eigh: The algorithm failed to converge because the input matrix contained non-finite values.',
    )
  const x = columns_of(mirrored(a, lower))
  const L = empty(a.sizes.slice(0, -1), float64)
  const n = a.sizes.at(-1)!
  const v = vectors ? identities(a.sizes.slice(0, -2), n, n, x.dtype) : null
  const kernel = two_sided(x.dtype, float64, vectors)
  if (L.count > 0) kernel([as_rows(L), as_matrices(x), ...(v === null ? [] : [as_matrices(v)])], [])
  const [values, order] = L.sort(-1) as unknown as [Tensor, Tensor]
  const ordered = v?.take_along_dim(order.unsqueeze(-1), -2)
  return { L: to_dtype(values, real_of(a)), V: ordered ? from_columns(ordered, a.dtype) : null }
}

/** The gradient, where L has no equal values if V is used. */
function gradient(gL: Tensor | null, gV: Tensor | null, L: Tensor, V: Tensor): Tensor | null {
  if (gV === null) return gL && V.matmul(gL.unsqueeze(-1).mul(V.mH))
  const projected = V.mH.matmul(gV)
  if (V.dtype.is_complex) {
    const phases = projected.detach().diagonal(0, -2, -1).imag
    if (phases.abs().le(1e-2).all().item() !== true)
      throw new RuntimeError(
        'linalg_eigh_backward: The eigenvectors in the complex case are specified up to multiplication by e^{i phi}. ' +
          'The specified loss function depends on this quantity, so it is ill-defined.',
      )
  }
  const eye = L.new_ones([L.sizes.at(-1)!]).diag_embed()
  const difference = L.unsqueeze(-2).sub(L.unsqueeze(-1)).add(eye)
  const off = projected.sub(projected.mH).mul(0.5).div(difference).mul(eye.neg().add(1))
  const inner = gL === null ? off : off.add(gL.diag_embed())
  return V.matmul(inner.matmul(V.mH))
}

/** Whether the lower triangle was meant. */
function is_lower(UPLO: string): boolean {
  if (!/^[LlUu]$/.test(UPLO))
    throw new RuntimeError(`Expected UPLO argument to be 'L' or 'U', but got ${UPLO}`)
  return UPLO.toUpperCase() === 'L'
}

type Options = { UPLO?: string; out?: readonly Tensor[] }

/** Eigenvalues (in ascending order) and eigenvectors of Hermitian matrices, of which one triangle is read. */
export const eigh: Op<[A: Tensor, UPLO?: string | Options, opts?: Options], Eigen> = op(
  "linalg_eigh(Tensor A, str UPLO='L')",
  {
    forward(A: Tensor, UPLO: string) {
      const { L, V } = decompose(A, is_lower(UPLO), true)
      return named_tuple('linalg_eigh', { eigenvalues: L, eigenvectors: V! })
    },
    saves: ['out'],
    backward: { A: ([gL, gV], _, [L, V]) => gradient(gL ?? null, gV ?? null, L!, V!) },
  },
)

const values_alone: Op<[A: Tensor, UPLO: string]> = op('linalg_eigvalsh(Tensor A, str UPLO)', {
  forward: (A: Tensor, UPLO: string) => decompose(A, is_lower(UPLO), false).L,
})

type ValueOptions = { UPLO?: string; out?: Tensor }

/** The eigenvalues of Hermitian matrices in ascending order. */
export const eigvalsh: Op<[A: Tensor, UPLO?: string | ValueOptions, opts?: ValueOptions]> = composite(
  "linalg_eigvalsh(Tensor A, str UPLO='L')",
  {
    body: (A: Tensor, UPLO: string) => (A.requires_grad ? eigh(A, UPLO)[0]! : values_alone(A, UPLO)),
  },
)
