// Eigenvalues of general matrices: linalg.eig, linalg.eigvals. The results are complex. Not here: the kernel (schur.ts),
// Hermitian matrices (eigh.ts).
import { complex64, complex128, type DType, int32 } from '../../base/dtype.ts'
import { RuntimeError } from '../../base/errors.ts'
import { numel } from '../../base/shape.ts'
import { empty } from '../../tensor/dispatch.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { to_dtype } from '../convert.ts'
import { copy_elements } from '../define/copy.ts'
import { named_tuple } from '../define/named.ts'
import { composite, type Op, op } from '../define/op.ts'
import { scalar_name } from '../define/out.ts'
import type { Eigen } from './eigh.ts'
import { LinAlgError } from './error.ts'
import {
  all_finite,
  as_matrices,
  as_rows,
  from_columns,
  identities,
  like_input,
  require_lapack,
  require_square,
} from './matrices.ts'
import { pseudo_inverse } from './pseudo_inverse.ts'
import { schur } from './schur.ts'

const complex_of = (dtype: DType): DType =>
  dtype.name === 'float32' ? complex64 : dtype.name === 'float64' ? complex128 : dtype

function decompose(a: Tensor, vectors: boolean): { L: Tensor; V: Tensor | null } {
  require_square('linalg.eig', a)
  if (!a.dtype.is_floating_point && !a.dtype.is_complex)
    throw new RuntimeError(`Unknown Complex ScalarType for ${scalar_name(a.dtype)}`)
  if (!all_finite(a))
    throw new RuntimeError('torch.linalg.eig: input tensor should not contain infs or NaNs.')
  require_lapack('linalg_eig_out_cpu', a.dtype)
  const dtype = complex_of(a.dtype)
  const n = a.sizes.at(-1)!
  const batch = a.sizes.slice(0, -2)
  const h = empty(a.sizes, complex128)
  copy_elements(h, a)
  const L = empty([...batch, n], complex128)
  const info = empty([numel(batch)], int32)
  const w = empty(L.sizes, complex128)
  const out = vectors ? empty(a.sizes, complex128) : null
  if (L.count > 0) {
    const operands = [as_rows(L), info, as_matrices(h), as_rows(w)]
    if (out !== null) operands.push(as_matrices(identities(batch, n, n, complex128)), as_matrices(out))
    schur(vectors, !a.dtype.is_complex)(operands, [])
    if (info.any().item() === true)
      throw new LinAlgError(
        'linalg.eig: The algorithm failed to converge because the input matrix is ill-conditioned or has too many ' +
          `repeated eigenvalues (error code: ${info.max().item()}).`,
      )
  }
  return { L: to_dtype(L, dtype), V: out && from_columns(out, dtype) }
}

/** The gradient of eigenvalues and eigenvectors, which have length 1 and any phase. */
function gradient(gL: Tensor | null, gV: Tensor | null, L: Tensor, V: Tensor): Tensor | null {
  if (gV === null) return gL && pseudo_inverse(V.mH, 0, 0, false).matmul(gL.unsqueeze(-1).mul(V.mH))
  const projected = V.mH.matmul(gV)
  const diagonal = projected.diagonal(0, -2, -1)
  const phases = diagonal.detach().imag
  if (phases.abs().le(1e-2).all().item() !== true)
    throw new RuntimeError(
      'linalg_eig_backward: The eigenvectors in the complex case are specified up to multiplication by e^{i phi}. ' +
        'The specified loss function depends on this quantity, so it is ill-defined.',
    )
  const along = V.mH.matmul(V).mul(diagonal.real.unsqueeze(-2))
  const eye = L.real.new_ones([L.sizes.at(-1)!]).diag_embed()
  const difference = L.unsqueeze(-2).sub(L.unsqueeze(-1)).conj().add(eye)
  const off = projected.sub(along).div(difference).mul(eye.neg().add(1))
  const inner = gL === null ? off : off.add(gL.diag_embed())
  return pseudo_inverse(V.mH, 0, 0, false).matmul(inner.matmul(V.mH))
}

type Options = { out?: readonly Tensor[] }

/** Eigenvalues, in no order, and eigenvectors of square matrices. */
export const eig: Op<[A: Tensor, opts?: Options], Eigen> = op('linalg_eig(Tensor A)', {
  forward(A: Tensor) {
    const { L, V } = decompose(A, true)
    return named_tuple('linalg_eig', { eigenvalues: L, eigenvectors: V! })
  },
  saves: ['out'],
  backward: {
    A: ([gL, gV], [A], [L, V]) => {
      const g = gradient(gL ?? null, gV ?? null, L!, V!)
      return g && like_input(g, A)
    },
  },
})

const values_alone: Op<[A: Tensor]> = op('linalg_eigvals(Tensor A)', {
  forward: (A: Tensor) => decompose(A, false).L,
})

/** The eigenvalues of square matrices, in no order. */
export const eigvals: Op<[A: Tensor, opts?: { out?: Tensor }]> = composite('linalg_eigvals(Tensor A)', {
  body: (A: Tensor) => (A.requires_grad ? eig(A)[0]! : values_alone(A)),
})
