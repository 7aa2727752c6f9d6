// The QR decomposition and its gradient, under torch.linalg's name and the main namespace's.
// Not here: Householder reflections (reflectors.ts).
import { RuntimeError } from '../../base/errors.ts'
import { empty } from '../../tensor/dispatch.ts'
import type { Grads } from '../../tensor/tape.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { type Named, named_tuple } from '../define/named.ts'
import { cat } from '../join.ts'
import {
  from_columns,
  hermitian_sum,
  identities,
  require_float,
  require_lapack,
  require_matrices,
} from './matrices.ts'
import { pseudo_inverse } from './pseudo_inverse.ts'
import type { Mode } from './qr.ts'
import { apply_reflectors, reflectors_of } from './reflectors.ts'

/** An orthogonal (unitary) factor and an upper triangular one. */
export type QR = Named<Tensor, 'Q' | 'R'>

export function decompose(name: string, a: Tensor, mode: string): QR {
  require_matrices('linalg.qr', a)
  require_float('linalg.qr', a)
  require_lapack('geqrf_cpu', a.dtype)
  const [m, n] = a.sizes.slice(-2) as [number, number]
  const batch = a.sizes.slice(0, -2)
  const k = mode === 'complete' ? m : Math.min(m, n)
  const factors = reflectors_of(a)
  const R = from_columns(factors.columns, a.dtype).narrow(-2, 0, k).triu()
  if (mode === 'r') return named_tuple(name, { Q: empty([0], a.dtype), R })
  const Q = apply_reflectors(identities(batch, k, m, factors.columns.dtype), factors)
  return named_tuple(name, { Q: from_columns(Q, a.dtype), R })
}

/** The gradient where Q has as many columns as R rows, and no more than R columns. */
function tall_gradient(gQ: Tensor | null, gR: Tensor | null, Q: Tensor, R: Tensor): Tensor | null {
  if (gQ === null && gR === null) return null
  const inner =
    gQ === null
      ? gR!.matmul(R.mH)
      : gR === null
        ? Q.mH.matmul(gQ).neg()
        : gR.matmul(R.mH).sub(Q.mH.matmul(gQ))
  const g = Q.matmul(hermitian_sum(inner.triu()))
  return (gQ === null ? g : g.add(gQ)).matmul(pseudo_inverse(R.mH, 0, 0, false))
}

export function gradient([gQ, gR]: Grads, mode: Mode, [Q, R]: readonly Tensor[]): Tensor | null {
  if (mode === 'r')
    throw new RuntimeError(
      "The derivative of linalg.qr depends on Q, which is not computed when mode='r'. Please use " +
        "linalg.qr(A, mode='reduced') if you are going to differentiate through linalg.qr.",
    )
  const [m, n] = [Q!.sizes.at(-2)!, R!.sizes.at(-1)!]
  if (mode === 'complete' && m > n)
    throw new RuntimeError(
      "The QR decomposition is not differentiable when mode='complete' and nrows > ncols.",
    )
  if (m >= n) return tall_gradient(gQ ?? null, gR ?? null, Q!, R!)
  // A = [X, Y] = Q [U, V], X square: Y = Q V has its part in the gradient of Q
  const [U, V] = [R!.narrow(-1, 0, m), R!.narrow(-1, m, n - m)]
  const gV = gR?.narrow(-1, m, n - m)
  const through = gV && Q!.matmul(V).matmul(gV.mH)
  const both = through && gQ ? gQ.add(through) : (through ?? gQ ?? null)
  const gX = tall_gradient(both, gR?.narrow(-1, 0, m) ?? null, Q!, U)
  if (gX === null) return null
  const gY = gV ? Q!.matmul(gV) : gX.new_zeros([...gX.sizes.slice(0, -1), n - m])
  return cat([gX, gY], -1)
}
