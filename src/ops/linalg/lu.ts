// torch.linalg's LU decomposition: lu, lu_factor, lu_solve. Not here: the kernels (lu_kernels.ts), the main namespace's
// (main/lu.ts, lu_unpack.ts).
import { int32 } from '../../base/dtype.ts'
import { RuntimeError } from '../../base/errors.ts'
import { same_sizes } from '../../base/shape.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { type Named, named_tuple } from '../define/named.ts'
import { composite, type Op, op } from '../define/op.ts'
import { scalar_name } from '../define/out.ts'
import { cat } from '../join.ts'
import { factorize, interchange, type Parts } from './lu_kernels.ts'
import { lu_unpack } from './lu_unpack.ts'
import {
  adjoint,
  common_batch,
  first_failure,
  own_copy,
  require_float,
  require_lapack,
  require_square,
  require_system,
  spread,
} from './matrices.ts'
import { solve_triangular } from './triangular_solve.ts'

type PivotOptions = { pivot?: boolean; out?: readonly Tensor[] }
type CheckedOptions = PivotOptions & { check_errors?: boolean }

function require_factorable(name: string, a: Tensor, pivot: boolean): void {
  if (a.ndim < 2)
    throw new RuntimeError(
      `${name}: Expected tensor with 2 or more dimensions. Got size: [${a.sizes.join(', ')}] instead`,
    )
  require_lapack('lu_cpu', a.dtype)
  if (!pivot) throw new RuntimeError('linalg.lu_factor: LU without pivoting is not implemented on the CPU')
}

function throw_singular(name: string, info: Tensor): void {
  const failure = first_failure(info)
  if (failure === null) return
  const { where, code } = failure
  throw new RuntimeError(
    `torch.linalg.${name}: ${where}U[${code},${code}] is zero and using it on lu_solve would result in a division by zero. If you still want to perform the factorization, consider calling linalg.lu(A, pivot) or linalg.lu_factor_ex(A, pivot)`,
  )
}

/**
 * torch.linalg.lu_factor_ex: both factors of PA = LU in one matrix, the interchanges of rows as LAPACK counts them,
 * and an info per matrix: the first k for which U[k, k] is zero, or 0.
 */
export const lu_factor_ex: Op<
  [A: Tensor, opts?: CheckedOptions],
  Named<Tensor, 'LU' | 'pivots' | 'info'>
> = op('linalg_lu_factor_ex(Tensor self, *, bool pivot=True, bool check_errors=False)', {
  forward(a: Tensor, pivot: boolean, check_errors: boolean) {
    require_factorable('torch.lu_factor', a, pivot)
    const { lu, pivots, info } = factorize(a)
    if (check_errors) throw_singular('lu_factor_ex', info)
    return named_tuple('linalg_lu_factor_ex', { LU: lu, pivots, info })
  },
  saves: ['out.0', 'out.1'],
  backward: {
    self(grads, [a], [lu, pivots]) {
      const g = grads[0]
      if (g === null || g === undefined) return null
      const [, l, u] = lu_unpack(lu as Tensor, pivots as Tensor, true, false)
      const k = Math.min(...a.sizes.slice(-2))
      const rows = lu_grad(g.narrow(-1, 0, k), g.narrow(-2, 0, k), l as Tensor, u as Tensor)
      return interchanged(rows, pivots as Tensor, true)
    },
  },
})

/** P^T times the gradient of A, of those of L and U. */
function lu_grad(l_grad: Tensor, u_grad: Tensor, l: Tensor, u: Tensor): Tensor {
  const [m, n] = [l.sizes.at(-2)!, u.sizes.at(-1)!]
  const by_u = (x: Tensor, factor: Tensor): Tensor =>
    solve_triangular(adjoint(factor), x, { upper: false, left: false })
  const by_l = (x: Tensor, factor: Tensor): Tensor =>
    solve_triangular(adjoint(factor), x, { upper: true, unitriangular: true })
  const of_u = u_grad.triu()
  if (m === n) {
    const inner = adjoint(l)
      .matmul(l_grad)
      .tril(-1)
      .add(of_u.matmul(adjoint(u)).triu())
    return by_l(by_u(inner, u), l)
  }
  const of_l = l_grad.tril(-1)
  const difference = adjoint(l)
    .matmul(of_l)
    .sub(of_u.matmul(adjoint(u)))
  if (m < n) {
    const first = by_u(difference.tril(-1), u.narrow(-1, 0, m)).add(of_u.narrow(-1, 0, m))
    return by_l(cat([first, of_u.narrow(-1, m, n - m)], -1), l)
  }
  const first = by_l(difference.neg().triu(), l.narrow(-2, 0, n)).add(of_l.narrow(-2, 0, n))
  return by_u(cat([first, of_l.narrow(-2, n, m - n)], -2), u)
}

/** torch.linalg.lu_factor: {@link lu_factor_ex} without the info. Throws RuntimeError where U is singular. */
export const lu_factor: Op<
  [A: Tensor, pivot?: boolean | PivotOptions, opts?: PivotOptions],
  Named<Tensor, 'LU' | 'pivots'>
> = composite('linalg_lu_factor(Tensor self, *, bool pivot=True)', {
  body(a: Tensor, pivot: boolean) {
    const { LU, pivots, info } = lu_factor_ex(a, { pivot })
    throw_singular('lu_factor', info)
    return named_tuple('linalg_lu_factor', { LU, pivots })
  },
})

// -------------------------------------------------------------------------------------------- unpacking

/** P^T x or, backwards, P x, where the pivots are those of P. */
const interchanged: Op<[self: Tensor, pivots: Tensor, backwards: boolean]> = op(
  'interchange_rows(Tensor self, Tensor pivots, bool backwards)',
  {
    forward(self: Tensor, pivots: Tensor, backwards: boolean) {
      const out = own_copy(self)
      interchange(out, pivots, backwards)
      return out
    },
    saves: ['pivots'],
    backward: { self: (g, [, pivots, backwards]) => interchanged(g, pivots, !backwards) },
  },
)

/** torch.linalg.lu: P, L and U of A = PLU. */
export const lu: Op<[A: Tensor, opts?: PivotOptions], Parts> = composite(
  'linalg_lu(Tensor self, *, bool pivot=True)',
  {
    body(a: Tensor, pivot: boolean) {
      require_factorable('linalg.lu', a, pivot)
      const { LU, pivots } = lu_factor_ex(a)
      const { P, L, U } = lu_unpack(LU, pivots)
      return named_tuple('linalg_lu', { P, L, U })
    },
  },
)

// -------------------------------------------------------------------------------------------- solving

type SolveOptions = { left?: boolean; adjoint?: boolean; out?: Tensor }

/** torch.linalg.lu_solve: X of AX = B, or XA = B with `left: false`, by the decomposition of A; of A^H with `adjoint`. */
export const lu_solve: Op<[LU: Tensor, pivots: Tensor, B: Tensor, opts?: SolveOptions]> = composite(
  'linalg_lu_solve(Tensor self, Tensor pivots, Tensor B, *, bool left=True, bool adjoint=False)',
  {
    body(data: Tensor, pivots: Tensor, b: Tensor, left: boolean, adjoined: boolean) {
      const name = 'linalg.lu_solve'
      require_float(`torch.${name}`, data)
      if (data.dtype !== b.dtype)
        throw new RuntimeError(
          `${name}: Expected LU and B to have the same dtype, but found LU of type ${scalar_name(data.dtype)} and B of type ${scalar_name(b.dtype)} instead`,
        )
      if (pivots.dtype !== int32)
        throw new RuntimeError(`${name}: pivots should be a Tensor of scalar type torch.int32`)
      require_square(`torch.${name}`, data)
      require_system(name, data, b, left)
      if (data.sizes.at(-1) !== pivots.sizes.at(-1))
        throw new RuntimeError(
          `${name}: Number of pivots per batch should be same as the dimension of the matrix`,
        )
      if (!same_sizes(data.sizes.slice(0, -1), pivots.sizes))
        throw new RuntimeError(
          `${name}: Expected LU.shape[:-1] and pivots.shape to be the same, but got pivots with shape [${pivots.sizes.join(', ')}] instead`,
        )
      const batch = common_batch(data, b)
      const rows = pivots.expand([...batch, pivots.sizes.at(-1)!])
      const wide = spread(b, batch)
      if (left) return solved(data, rows, wide, adjoined)
      return adjoint(solved(data, rows, adjoint(wide), !adjoined))
    },
  },
)

function solved(data: Tensor, pivots: Tensor, b: Tensor, adjoined: boolean): Tensor {
  if (!adjoined) {
    const y = solve_triangular(data, interchanged(b, pivots, false), { upper: false, unitriangular: true })
    return solve_triangular(data, y, { upper: true })
  }
  const turned = adjoint(data)
  const y = solve_triangular(turned, b, { upper: false })
  return interchanged(solve_triangular(turned, y, { upper: true, unitriangular: true }), pivots, true)
}
