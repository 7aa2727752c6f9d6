// Systems of linear equations and inverses, by the LU decomposition: linalg.solve, linalg.inv, tensorsolve, tensorinv.
// Not here: triangular matrices (triangular_solve.ts), systems that have no solution (lstsq).
import { RuntimeError } from '../../base/errors.ts'
import { numel, same_sizes, wrap_dim } from '../../base/shape.ts'
import { empty } from '../../tensor/dispatch.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { to_dtype } from '../convert.ts'
import { type Named, named_tuple } from '../define/named.ts'
import { composite, type Op, op } from '../define/op.ts'
import { scalar_name } from '../define/out.ts'
import { reduce_to } from '../define/reduce_to.ts'
import { LinAlgError } from './error.ts'
import { factorize, fill_identity, solve_factored } from './lu_kernels.ts'
import {
  adjoint,
  common_batch,
  double_of,
  first_failure,
  own_copy,
  require_float,
  require_square,
  require_system,
  spread,
} from './matrices.ts'

/** Whether B is a vector, or a batch of them, rather than matrices. */
const is_vector = (a: Tensor, b: Tensor): boolean =>
  b.ndim === 1 || (a.ndim - 1 === b.ndim && same_sizes(b.sizes, a.sizes.slice(0, -1)))

type SolveExOptions = { left?: boolean; check_errors?: boolean; out?: readonly Tensor[] }

function throw_unsolved(name: string, info: Tensor): void {
  const failure = first_failure(info)
  if (failure !== null)
    throw new LinAlgError(
      `torch.linalg.${name}: ${failure.where}The solver failed because the input matrix is singular.`,
    )
}

function solution(a: Tensor, given: Tensor, left: boolean): { x: Tensor; info: Tensor } {
  const name = 'linalg.solve'
  require_float(name, a)
  require_square(name, a)
  if (a.dtype !== given.dtype)
    throw new RuntimeError(
      `${name}: Expected A and B to have the same dtype, but found A of type ${scalar_name(a.dtype)} and B of type ${scalar_name(given.dtype)} instead`,
    )
  const vector = is_vector(a, given)
  const b = vector ? given.unsqueeze(-1) : given
  require_system(name, a, b, left)
  require_float(name, a, false)
  const { lu, pivots, info } = factorize(a, double_of(a.dtype))
  const batch = common_batch(a, b)
  const factors = spread(lu, batch)
  const rows = pivots.expand([...batch, pivots.sizes.at(-1)!])
  const wide = spread(b, batch)
  // XA = B is A^H X^H = B^H
  const rhs = left ? wide : adjoint(wide)
  const x = own_copy(rhs, rhs.sizes, lu.dtype)
  solve_factored(x, factors, rows, !left)
  const out = to_dtype(left ? x : adjoint(x), a.dtype)
  return { x: vector ? out.squeeze(-1) : out, info }
}

/** torch.linalg.solve_ex: {@link solve}, and an info per matrix, which is not 0 where A is singular. */
export const solve_ex: Op<
  [A: Tensor, B: Tensor, opts?: SolveExOptions],
  Named<Tensor, 'result' | 'info'>
> = op('linalg_solve_ex(Tensor self, Tensor B, *, bool left=True, bool check_errors=False)', {
  forward(a: Tensor, b: Tensor, left: boolean, check_errors: boolean) {
    const { x, info } = solution(a, b, left)
    if (check_errors) throw_unsolved('solve_ex', info)
    return named_tuple('linalg_solve_ex', { result: x, info })
  },
  saves: ['self', 'out.0'],
  backward([g], [a, b, left], [x], needs) {
    if (g === null || g === undefined) return [null, null]
    const vector = is_vector(a, b)
    const column = (t: Tensor): Tensor => (vector ? t.unsqueeze(-1) : t)
    const for_b = solve(adjoint(a), column(g), { left })
    const turned = adjoint(column(x as Tensor))
    const for_a = (): Tensor => (left ? for_b.matmul(turned) : turned.matmul(for_b)).neg()
    return [
      needs[0] === true ? reduce_to(for_a(), a.sizes, a.dtype) : null,
      needs[1] === true ? reduce_to(vector ? for_b.squeeze(-1) : for_b, b.sizes, b.dtype) : null,
    ]
  },
})

/**
 * torch.linalg.solve: X of AX = B, or XA = B with `left: false`, for square A; B may be a vector. Throws LinAlgError
 * where A is singular.
 */
export const solve: Op<[A: Tensor, B: Tensor, opts?: { left?: boolean; out?: Tensor }]> = composite(
  'linalg_solve(Tensor self, Tensor B, *, bool left=True)',
  {
    body(a: Tensor, b: Tensor, left: boolean) {
      const { result, info } = solve_ex(a, b, { left })
      throw_unsolved('solve', info)
      return result
    },
    samples: r => [
      [r(3, 3), r(3)],
      [r(2, 2, 2), r(2, 3), { left: true }],
      [r(2, 3, 3), r(4, 1, 2, 3), { left: false }],
    ],
  },
)

// -------------------------------------------------------------------------------------------- inverses

type InverseOptions = { check_errors?: boolean; out?: readonly Tensor[] }

function throw_singular(name: string, info: Tensor): void {
  const failure = first_failure(info)
  if (failure === null) return
  const { where, code } = failure
  throw new LinAlgError(
    `${name}: ${where}The diagonal element ${code} is zero, the inversion could not be completed because the input matrix is singular.`,
  )
}

/** torch.linalg.inv_ex: {@link inv}, and an info per matrix, which is not 0 where A is singular. */
export const inv_ex: Op<[A: Tensor, opts?: InverseOptions], Named<Tensor, 'inverse' | 'info'>> = op(
  'linalg_inv_ex(Tensor self, *, bool check_errors=False)',
  {
    node: 'LinalgInvExBackward0',
    forward(a: Tensor, check_errors: boolean) {
      require_square('linalg.inv', a)
      require_float('linalg.inv', a, false)
      const { lu, pivots, info } = factorize(a, double_of(a.dtype))
      const out = empty(a.sizes, lu.dtype)
      fill_identity(out)
      solve_factored(out, lu, pivots, false)
      if (check_errors) throw_singular('linalg.inv_ex', info)
      return named_tuple('linalg_inv_ex', { inverse: to_dtype(out, a.dtype), info })
    },
    saves: ['out.0'],
    backward: {
      self([g], _, [out]) {
        if (g === null || g === undefined) return null
        const turned = adjoint(out as Tensor)
        return turned.matmul(g).matmul(turned).neg()
      },
    },
  },
)

/** The inverse of a square matrix, or of each of a batch. Throws LinAlgError for a singular one. */
export const inv: Op<[A: Tensor, opts?: { out?: Tensor }]> = composite('linalg_inv(Tensor self)', {
  body(a: Tensor) {
    const out = inv_ex(a)
    throw_singular('linalg.inv', out.info)
    return out.inverse
  },
})

// -------------------------------------------------------------------------------------------- tensors

/** torch.linalg.tensorinv: the inverse of the linear map that {@link tensordot} makes of a tensor, by its first `ind` dimensions. */
export const tensorinv: Op<[A: Tensor, ind?: number | { ind?: number; out?: Tensor }]> = composite(
  'linalg_tensorinv(Tensor self, int ind=2)',
  {
    body(a: Tensor, ind: number) {
      if (ind <= 0) throw new RuntimeError(`Expected a strictly positive integer for 'ind', but got ${ind}`)
      const [front, back] = [a.sizes.slice(0, ind), a.sizes.slice(ind)]
      const [rows, columns] = [numel(front), numel(back)]
      if (rows !== columns)
        throw new RuntimeError(
          `Expected self to satisfy the requirement prod(self.shape[ind:]) == prod(self.shape[:ind]), but got ${columns} != ${rows}`,
        )
      const out = inv_ex(a.reshape([columns, rows]))
      throw_singular('inv', out.info)
      return out.inverse.reshape([...back, ...front])
    },
    samples: r => [[r(2, 3, 6)], [r(2, 2), 1]],
  },
)

type TensorSolveOptions = { dims?: readonly number[] | null; out?: Tensor }

/** torch.linalg.tensorsolve: X of tensordot(A, X, X.ndim) = B; `dims` of A are moved to its end before. */
export const tensorsolve: Op<[A: Tensor, B: Tensor, dims?: readonly number[] | null | TensorSolveOptions]> =
  composite('linalg_tensorsolve(Tensor self, Tensor B, int[]? dims=None)', {
    body(given: Tensor, b: Tensor, dims: number[] | null) {
      const { ndim } = given
      const moved = dims?.map(d => wrap_dim(d, ndim))
      const a =
        moved === undefined
          ? given
          : given.movedim(
              moved,
              moved.map((_, i) => ndim - moved.length + i),
            )
      const back = a.sizes.slice(b.ndim)
      const [rows, columns] = [numel(a.sizes.slice(0, b.ndim)), numel(back)]
      if (rows !== columns)
        throw new RuntimeError(
          `Expected self to satisfy the requirement prod(self.shape[other.ndim:]) == prod(self.shape[:other.ndim]), but got ${columns} != ${rows}`,
        )
      return solve(a.reshape([rows, columns]), b.reshape([-1])).reshape([...back])
    },
    samples: r => [[r(2, 3, 6), r(2, 3)]],
  })
