// torch.linalg's singular values: svd, svdvals. Not here: the kernels (jacobi.ts, reflectors.ts), what is made of singular
// values (least_squares.ts), the main namespace's svd (main/svd.ts).
import { float64 } from '../../base/dtype.ts'
import { RuntimeError } from '../../base/errors.ts'
import { empty } from '../../tensor/dispatch.ts'
import type { Grads } from '../../tensor/tape.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { to_dtype } from '../convert.ts'
import { type Named, named_tuple } from '../define/named.ts'
import { composite, type Op, op } from '../define/op.ts'
import { LinAlgError } from './error.ts'
import { one_sided } from './jacobi.ts'
import {
  all_finite,
  as_matrices,
  as_rows,
  double_copy,
  identities,
  real_of,
  require_float,
  require_lapack,
  require_matrices,
} from './matrices.ts'
import { apply_reflectors, reflectors_of } from './reflectors.ts'

/** The factors of A = U diag(S) Vh. */
export type SVD = Named<Tensor, 'U' | 'S' | 'Vh'>

type Factors = { readonly U: Tensor; readonly S: Tensor; readonly Vh: Tensor }

function check(name: string, a: Tensor): void {
  require_matrices(name, a)
  require_float(name, a)
  require_lapack('linalg_svd_cpu', a.dtype)
  if (!all_finite(a))
    throw new LinAlgError(
      `${name}: The algorithm failed to converge because the input matrix contained non-finite values.`,
    )
}

/** Singular values in double precision, from the largest; the columns they belong to if wanted, in that order. */
function rotated(columns: Tensor, vectors: boolean): { S: Tensor; x: Tensor; v: Tensor | null } {
  const [n] = columns.sizes.slice(-2) as [number, number]
  const batch = columns.sizes.slice(0, -2)
  const S = empty([...batch, n], float64)
  const v = vectors ? identities(batch, n, n, columns.dtype) : null
  const kernel = one_sided(columns.dtype, float64, vectors)
  if (S.count > 0) kernel([as_rows(S), as_matrices(columns), ...(v === null ? [] : [as_matrices(v)])], [])
  const [values, order] = S.sort(-1, true) as unknown as [Tensor, Tensor]
  const ordered = (t: Tensor): Tensor => t.take_along_dim(order.unsqueeze(-1), -2)
  return { S: values, x: v === null ? columns : ordered(columns), v: v && ordered(v) }
}

/** The decomposition of matrices with at least as many rows as columns, in double precision. */
function tall(a: Tensor, full: boolean): Factors {
  const [m, n] = a.sizes.slice(-2) as [number, number]
  const { S, x, v } = rotated(double_copy(a.transpose(-2, -1)), true)
  // A V = U S has orthogonal columns, so R of its QR decomposition is diagonal, and Q is U but for phases; where
  // singular values are 0, Q has a completion
  const factors = reflectors_of(x.transpose(-2, -1))
  const columns = apply_reflectors(identities(a.sizes.slice(0, -2), full ? m : n, m, x.dtype), factors)
  const diagonal = factors.columns.diagonal(0, -2, -1)
  const phases = diagonal.sgn().masked_fill(diagonal.eq(0), 1).unsqueeze(-1)
  const own = columns.narrow(-2, 0, n)
  own.mul_(phases)
  return { U: columns.transpose(-2, -1), S, Vh: v!.conj() }
}

function decompose(name: string, a: Tensor, full: boolean): Factors {
  check(name, a)
  const [m, n] = a.sizes.slice(-2) as [number, number]
  const wide = m < n
  const { U, S, Vh } = tall(wide ? a.mH : a, full)
  return {
    U: to_dtype(wide ? Vh.mH : U, a.dtype),
    S: to_dtype(S, real_of(a)),
    Vh: to_dtype(wide ? U.mH : Vh, a.dtype),
  }
}

/** The singular values alone. */
function values_of(name: string, a: Tensor): Tensor {
  check(name, a)
  const [m, n] = a.sizes.slice(-2) as [number, number]
  // the columns of A, or of its transpose
  return to_dtype(rotated(double_copy(m < n ? a : a.transpose(-2, -1)), false).S, real_of(a))
}

const skew = (x: Tensor): Tensor => x.sub(x.mH)

/** The gradient of a decomposition, from those of its factors (U and Vh without a completion). */
function gradient(
  gU: Tensor | null,
  gS: Tensor | null,
  gVh: Tensor | null,
  { U, S, Vh }: Factors,
): Tensor | null {
  const [m, n] = [U.sizes.at(-2)!, Vh.sizes.at(-1)!]
  const k = S.sizes.at(-1)!
  const columns = S.unsqueeze(-2)
  const rows = S.unsqueeze(-1)
  if (gU === null && gVh === null) {
    if (gS === null) return null
    return m >= n ? U.matmul(gS.unsqueeze(-1).mul(Vh)) : U.mul(gS.unsqueeze(-2)).matmul(Vh)
  }
  const left = gU && skew(U.mH.matmul(gU))
  const right = gVh && skew(Vh.matmul(gVh.mH))
  if (U.dtype.is_complex) require_phase_free(left, right)
  const difference = columns.mul(columns).sub(rows.mul(rows))
  const E = difference.add(difference.new_ones([k]).diag_embed())
  let inner: Tensor | null = left?.div(E).mul(columns) ?? null
  if (right !== null) {
    const part = rows.mul(right.div(E))
    inner = inner === null ? part : inner.add(part)
  }
  if (U.dtype.is_complex && left !== null)
    inner = inner!.add(left.diagonal(0, -2, -1).div(S.mul(2)).diag_embed())
  if (gS !== null) inner = inner!.add(gS.diag_embed())
  const g = inner!
  if (m > k && gU !== null) {
    const part = gU.div(columns)
    return U.matmul(g)
      .add(part)
      .sub(U.matmul(U.mH.matmul(part)))
      .matmul(Vh)
  }
  if (n > k && gVh !== null) {
    const part = gVh.div(rows)
    return U.matmul(g.matmul(Vh).add(part).sub(part.matmul(Vh.mH).matmul(Vh)))
  }
  return m >= n ? U.matmul(g.matmul(Vh)) : U.matmul(g).matmul(Vh)
}

/** Throws where a function of singular vectors depends on their phases. */
function require_phase_free(left: Tensor | null, right: Tensor | null): void {
  const parts = [left, right].filter(x => x !== null).map(x => x.detach().diagonal(0, -2, -1).imag)
  const total = parts.reduce((a, b) => a.add(b))
  if (total.abs().le(2e-2).all().item() !== true)
    throw new RuntimeError(
      'svd_backward: The singular vectors in the complex case are specified up to multiplication by e^{i phi}. ' +
        'The specified loss function depends on this phase term, making it ill-defined.',
    )
}

/** As {@link gradient}, where U and Vh may have been completed. */
function full_gradient([gU, gS, gVh]: Grads, [U, S, Vh]: readonly Tensor[]): Tensor | null {
  const k = S!.sizes.at(-1)!
  const thin = (t: Tensor, dim: number): Tensor => (t.sizes.at(dim) === k ? t : t.narrow(dim, 0, k))
  return gradient(gU ? thin(gU, -1) : null, gS ?? null, gVh ? thin(gVh, -2) : null, {
    U: thin(U!, -1),
    S: S!,
    Vh: thin(Vh!, -2),
  })
}

type SvdOptions = { full_matrices?: boolean; driver?: string | null; out?: readonly Tensor[] }

function refuse_driver(name: string, driver: string | null): void {
  if (driver !== null)
    throw new RuntimeError(
      `torch.${name}: keyword argument \`driver=\` is only supported on CUDA inputs with cuSOLVER backend.`,
    )
}

/** The singular value decomposition A = U diag(S) Vh; U and Vh are square with `full_matrices`. */
export const svd: Op<[A: Tensor, full_matrices?: boolean | SvdOptions, opts?: SvdOptions], SVD> = op(
  'linalg_svd(Tensor A, bool full_matrices=True, *, str? driver=None)',
  {
    forward(A: Tensor, full: boolean, driver: string | null) {
      refuse_driver('linalg.svd', driver)
      return named_tuple('linalg_svd', decompose('linalg.svd', A, full))
    },
    saves: ['out'],
    backward: { A: (g, _, out) => full_gradient(g, out) },
  },
)

const values_alone: Op<[A: Tensor]> = op('linalg_svdvals(Tensor A)', {
  forward: (A: Tensor) => values_of('linalg.svd', A),
})

type ValueOptions = { driver?: string | null; out?: Tensor }

/** The singular values, from the largest. */
export const svdvals: Op<[A: Tensor, opts?: ValueOptions]> = composite(
  'linalg_svdvals(Tensor A, *, str? driver=None)',
  {
    body(A: Tensor, driver: string | null) {
      refuse_driver('linalg.svd', driver)
      return A.requires_grad ? svd(A, false)[1]! : values_alone(A)
    },
  },
)
