// The Cholesky decomposition A = LL^H of positive definite matrices, and what is solved with it.
// Not here: matrices that are symmetric only (ldl.ts).
import { type DType, int32 } from '../../base/dtype.ts'
import { RuntimeError } from '../../base/errors.ts'
import { complex, constant, type Expr } from '../../ir/expr.ts'
import { is_complex } from '../../ir/types.ts'
import { empty, kernels } from '../../tensor/dispatch.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { dense } from '../define/copy.ts'
import { type Named, named_tuple } from '../define/named.ts'
import { composite, type Op, op } from '../define/op.ts'
import { reduce_to } from '../define/reduce_to.ts'
import { LinAlgError } from './error.ts'
import { fill_identity, solve_triangle } from './lu_kernels.ts'
import {
  adjoint,
  as_list,
  as_matrices,
  common_batch,
  first_failure,
  own_copy,
  require_float,
  require_lapack,
  require_matrices,
  require_square,
  spread,
} from './matrices.ts'
import { require_pair, solve_triangular } from './triangular_solve.ts'

/** L, row by row. After a pivot that is not positive the rest stays that of A; info says which it was, from 1. */
const kernel = kernels('cholesky', (k, dtype: DType) => {
  const out = k.inout('out', dtype, { rank: 3, inner: 1 })
  const a = k.input('a', dtype, { rank: 3 })
  const info = k.output('info', int32, { rank: 1, inner: 1 })
  const [count, n] = out.sizes as [Expr, Expr]
  k.for(count, 'parallel', b => {
    const failed = k.local('i32', 0)
    k.for(n, 'serial', i => {
      k.for(i, 'serial', j => {
        const rest = k.local(out.type, a.at(b, i, j))
        k.if(failed.eq(0), () => {
          const known = k.local(out.type, 0)
          k.for(j, 'reduce', t => k.assign(known, known.add(out.at(b, i, t).mul(out.at(b, j, t).conj()))))
          k.assign(rest, rest.sub(known).div(out.at(b, j, j)))
        })
        k.store(out, [b, i, j], rest)
      })
      const pivot = k.local(a.at(b, i, i).real().type, a.at(b, i, i).real())
      k.if(failed.eq(0), () => {
        const known = k.local(pivot.type, 0)
        k.for(i, 'reduce', t =>
          k.assign(
            known,
            known.add(
              out
                .at(b, i, t)
                .mul(out.at(b, i, t).conj())
                .real(),
            ),
          ),
        )
        k.assign(pivot, pivot.sub(known))
        k.if(
          pivot.gt(0),
          () => k.assign(pivot, pivot.sqrt()),
          () => k.assign(failed, i.cast('i32').add(1)),
        )
      })
      k.store(out, [b, i, i], is_complex(out.type) ? complex(pivot, constant(0, pivot.type)) : pivot)
      k.for(n.sub(i).sub(1), 'serial', t => k.store(out, [b, i, i.add(1).add(t)], constant(0, out.type)))
    })
    k.store(info, [b], failed)
  })
})

type ExOptions = { upper?: boolean; check_errors?: boolean; out?: readonly Tensor[] }

function decomposed(name: string, a: Tensor, upper: boolean): Named<Tensor, 'L' | 'info'> {
  require_square(name, a)
  if (name !== 'cholesky') require_float(name, a)
  require_lapack('cholesky_cpu', a.dtype)
  const out = empty(a.sizes, a.dtype)
  const info = empty(a.sizes.slice(0, -2), int32)
  const from = dense(upper ? adjoint(a) : a)
  if (a.count > 0) kernel(a.dtype)([as_matrices(out), as_matrices(from), as_list(info)], [])
  else info.zero_()
  return named_tuple('linalg_cholesky_ex', { L: upper ? adjoint(out) : out, info })
}

function throw_indefinite(name: string, info: Tensor): void {
  const failure = first_failure(info)
  if (failure !== null)
    throw new LinAlgError(
      `${name}: ${failure.where}The factorization could not be completed because the input is not positive-definite (the leading minor of order ${failure.code} is not positive-definite).`,
    )
}

/** The gradient of A, of that of L. */
function cholesky_grad(g: Tensor, l: Tensor): Tensor {
  const inner = adjoint(l).matmul(g)
  const symmetric = inner
    .tril()
    .add(adjoint(inner.tril(-1)))
    .mul(0.5)
  const left = solve_triangular(adjoint(l), symmetric, { upper: true })
  return solve_triangular(l, left, { upper: false, left: false })
}

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
export const linalg_cholesky: Op<[A: Tensor, opts?: { upper?: boolean; out?: Tensor }]> = composite(
  'linalg_cholesky(Tensor self, *, bool upper=False)',
  {
    body(a: Tensor, upper: boolean) {
      const { L, info } = cholesky_ex(a, { upper })
      throw_indefinite('linalg.cholesky', info)
      return L
    },
  },
)

/** {@link linalg_cholesky}, by its older name. */
export const cholesky: Op<[A: Tensor, upper?: boolean | { upper?: boolean; out?: Tensor }]> = op(
  'cholesky(Tensor self, bool upper=False)',
  {
    forward(a: Tensor, upper: boolean) {
      const { L, info } = decomposed('cholesky', a, upper)
      throw_indefinite('cholesky', info)
      return L
    },
    saves: ['out'],
    backward: {
      self: (g, [, upper], l) => (upper ? cholesky_grad(adjoint(g), adjoint(l)) : cholesky_grad(g, l)),
    },
  },
)

// -------------------------------------------------------------------------------------------- solving

/** Solves LL^H X = B in place of B, or U^H U X = B. */
function solve_decomposed(x: Tensor, factor: Tensor, upper: boolean): void {
  solve_triangle(x, factor, { upper, adjoint: upper })
  solve_triangle(x, factor, { upper, adjoint: !upper })
}

type SolveOptions = { upper?: boolean; out?: Tensor }

/** X of AX = B, where A = LL^H, or U^H U with `upper`. */
export const cholesky_solve: Op<[B: Tensor, L: Tensor, upper?: boolean | SolveOptions]> = op(
  'cholesky_solve(Tensor self, Tensor input2, bool upper=False)',
  {
    forward(b: Tensor, factor: Tensor, upper: boolean) {
      for (const [t, what] of [
        [b, 'b'],
        [factor, 'u'],
      ] as const)
        if (t.ndim < 2)
          throw new RuntimeError(
            `${what} should have at least 2 dimensions, but has ${t.ndim} dimensions instead`,
          )
      require_pair('cholesky_solve', b, factor)
      require_lapack('cholesky_solve_cpu', b.dtype)
      const batch = common_batch(b, factor)
      const x = own_copy(b, [...batch, ...b.sizes.slice(-2)])
      solve_decomposed(x, spread(factor, batch), upper)
      return x
    },
    saves: ['input2', 'out'],
    // as in PyTorch, of the whole matrix L, of which one triangle is not read
    backward(g, [b, factor, upper], x) {
      const for_b = cholesky_solve(g, factor, upper)
      const half = for_b.matmul(adjoint(x))
      const both = half.add(adjoint(half))
      const for_factor = (upper ? factor.matmul(both) : both.matmul(factor)).neg()
      return [reduce_to(for_b, b.sizes, b.dtype), reduce_to(for_factor, factor.sizes, factor.dtype)]
    },
  },
)

/** The inverse of A = LL^H, or of U^H U with `upper`. */
export const cholesky_inverse: Op<[L: Tensor, upper?: boolean | SolveOptions]> = op(
  'cholesky_inverse(Tensor self, bool upper=False)',
  {
    forward(factor: Tensor, upper: boolean) {
      require_matrices('cholesky_inverse', factor)
      require_square('cholesky_inverse', factor)
      require_lapack('cholesky_inverse_out_cpu', factor.dtype)
      const out = empty(factor.sizes, factor.dtype)
      fill_identity(out)
      if (factor.count === 0) return out
      const zero = factor.diagonal(0, -2, -1).eq(0)
      const info = zero.any(-1).mul(zero.to(int32).argmax(-1).add(1)).to(int32)
      const failure = first_failure(info)
      if (failure !== null)
        throw new LinAlgError(
          `cholesky_inverse: ${failure.where}The diagonal element ${failure.code} is zero, the inversion could not be completed because the input matrix is singular.`,
        )
      solve_decomposed(out, factor, upper)
      return out
    },
    saves: ['self', 'out'],
    // as in PyTorch, of the whole matrix L
    backward: {
      self(g, [factor, upper], out) {
        const inner = out.matmul(g.add(adjoint(g))).matmul(out)
        return (upper ? factor.matmul(inner) : inner.matmul(factor)).neg()
      },
    },
  },
)
