// torch.linalg's Cholesky decomposition A = LL^H of positive definite matrices.
// Not here: the kernel (cholesky_kernels.ts), the main namespace's (main/cholesky.ts), matrices that are symmetric only (ldl.ts).
import type { Tensor } from '../../tensor/tensor.ts'
import type { Named } from '../define/named.ts'
import { composite, type Op, op } from '../define/op.ts'
import { cholesky_grad, decomposed, throw_indefinite } from './cholesky_kernels.ts'
import { adjoint } from './matrices.ts'

type ExOptions = { upper?: boolean; check_errors?: boolean; out?: readonly Tensor[] }

/**
 * torch.linalg.cholesky_ex: L of A = LL^H, or U of A = U^H U, and an info per matrix: the order of the first leading
 * minor that is not positive definite, or 0.
 */
export const cholesky_ex: Op<[A: Tensor, opts?: ExOptions], Named<Tensor, 'L' | 'info'>> = op(
  'linalg_cholesky_ex(Tensor self, *, bool upper=False, bool check_errors=False)',
  {
    forward(a: Tensor, upper: boolean, check_errors: boolean) {
      const result = decomposed('linalg.cholesky', a, upper)
      if (check_errors) throw_indefinite('linalg.cholesky_ex', result.info)
      return result
    },
    saves: ['out.0'],
    backward: {
      self([g], [, upper], [l]) {
        if (g === null || g === undefined) return null
        const factor = l as Tensor
        return upper ? cholesky_grad(adjoint(g), adjoint(factor)) : cholesky_grad(g, factor)
      },
    },
  },
)

/** torch.linalg.cholesky: L of A = LL^H, or U of A = U^H U. Throws LinAlgError where A is not positive definite. */
export const cholesky: Op<[A: Tensor, opts?: { upper?: boolean; out?: Tensor }]> = composite(
  'linalg_cholesky(Tensor self, *, bool upper=False)',
  {
    body(a: Tensor, upper: boolean) {
      const { L, info } = cholesky_ex(a, { upper })
      throw_indefinite('linalg.cholesky', info)
      return L
    },
  },
)
