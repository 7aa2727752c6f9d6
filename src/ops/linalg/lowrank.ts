// The largest singular values and their vectors, by random projection (Halko, Martinsson and Tropp, algorithms 4.4 and
// 5.1): svd_lowrank, pca_lowrank. Not here: whole decompositions (svd.ts), which compute the small ones as well.
import { float16, float32, float64 } from '../../base/dtype.ts'
import { AssertionError, ValueError } from '../../base/errors.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { composite, type Op } from '../define/op.ts'
import { randn } from '../random.ts'
import { qr } from './qr.ts'
import { svd } from './svd.ts'

/** `q` orthonormal columns that nearly span those of A - M. */
function basis(a: Tensor, q: number, niter: number, m: Tensor | null): Tensor {
  const times = (x: Tensor, y: Tensor, mean: Tensor | null): Tensor =>
    mean === null ? x.matmul(y) : x.matmul(y).sub(mean.matmul(y))
  const dtype = [float16, float64].includes(a.dtype) ? a.dtype : float32
  let columns = qr(times(a, randn([a.sizes.at(-1)!, q], { dtype }), m)).Q
  for (let i = 0; i < niter; i++) {
    columns = qr(times(a.mH, columns, m?.mH ?? null)).Q
    columns = qr(times(a, columns, m)).Q
  }
  return columns
}

/** Singular values and vectors of A - M; the transpose is projected where that leaves the smaller matrices. */
function approximate(a: Tensor, q: number, niter: number, mean: Tensor | null): Tensor[] {
  if (a.ndim < 2) throw new ValueError(`not enough values to unpack (expected 2, got ${a.ndim})`)
  const [m, n] = a.sizes.slice(-2) as [number, number]
  const turned = m < n || n > q
  const columns = turned ? basis(a.mT, q, niter, mean?.mT ?? null) : basis(a, q, niter, mean)
  const [x, shift] = turned ? [a, mean] : [a.mT, mean?.mT ?? null]
  const weights = columns.conj()
  const product = shift === null ? x.matmul(weights) : x.matmul(weights).sub(shift.matmul(weights))
  const small = turned ? product : product.mT
  const [rows, width] = small.sizes.slice(-2) as [number, number]
  const [wanted, given] = turned ? [q, width] : [q, rows]
  if (wanted !== given) throw new AssertionError(`(${small.shape}, ${q})`)
  if (width > rows) throw new AssertionError(`${small.shape}`)
  const { U, S, Vh } = svd(small, false)
  return turned ? [U, S, columns.matmul(Vh.mH)] : [columns.matmul(U), S, Vh.mH]
}

type SvdOptions = { q?: number | null; niter?: number | null; M?: Tensor | null }

/**
 * The `q` largest singular values of `A` (of A - M), nearly, with their vectors: U, S and V of A = U diag(S) V^H. Draws
 * random numbers; `niter` more passes make it closer.
 */
export const svd_lowrank: Op<
  [
    A: Tensor,
    q?: number | null | SvdOptions,
    niter?: number | null | SvdOptions,
    M?: Tensor | null | SvdOptions,
  ],
  Tensor[]
> = composite('svd_lowrank(Tensor A, int? q=6, int? niter=2, Tensor? M=None)', {
  body: (a: Tensor, q: number | null, niter: number | null, m: Tensor | null) =>
    approximate(a, q ?? 6, niter ?? 2, m),
  out: false,
})

type PcaOptions = { q?: number | null; center?: boolean; niter?: number }

/** {@link svd_lowrank} of a matrix of samples in rows, less their mean where `center` says so: its principal components. */
export const pca_lowrank: Op<
  [A: Tensor, q?: number | null | PcaOptions, center?: boolean | PcaOptions, niter?: number | PcaOptions],
  Tensor[]
> = composite('pca_lowrank(Tensor A, int? q=None, bool center=True, int niter=2)', {
  body(a: Tensor, q: number | null, center: boolean, niter: number) {
    if (a.ndim < 2) throw new ValueError(`not enough values to unpack (expected 2, got ${a.ndim})`)
    const most = Math.min(...a.sizes.slice(-2))
    if (q !== null && (q < 0 || q > most))
      throw new ValueError(`q(=${q}) must be non-negative integer and not greater than min(m, n)=${most}`)
    if (niter < 0) throw new ValueError(`niter(=${niter}) must be non-negative integer`)
    return approximate(center ? a.sub(a.mean(-2, true)) : a, q ?? Math.min(6, most), niter, null)
  },
  out: false,
})
