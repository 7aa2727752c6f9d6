// The Cholesky decomposition of the main namespace, and what is solved with it: cholesky, cholesky_solve, cholesky_inverse.
// Not here: the kernel (cholesky_kernels.ts).
import { int32 } from '../../../base/dtype.ts'
import { RuntimeError } from '../../../base/errors.ts'
import { empty } from '../../../tensor/dispatch.ts'
import type { Tensor } from '../../../tensor/tensor.ts'
import { type Op, op } from '../../define/op.ts'
import { reduce_to } from '../../define/reduce_to.ts'
import { cholesky as linalg_cholesky } from '../cholesky.ts'
import { cholesky_grad, decomposed, throw_indefinite } from '../cholesky_kernels.ts'
import { LinAlgError } from '../error.ts'
import { fill_identity, solve_triangle } from '../lu_kernels.ts'
import {
  adjoint,
  common_batch,
  first_failure,
  own_copy,
  require_lapack,
  require_matrices,
  require_pair,
  require_square,
  spread,
} from '../matrices.ts'

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
