// Systems of equations with triangular matrices: torch.linalg.solve_triangular.
// Not here: the kernel (lu_kernels.ts); general matrices (solve.ts).
import { RuntimeError } from '../../base/errors.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { type Op, op } from '../define/op.ts'
import { scalar_name } from '../define/out.ts'
import { reduce_to } from '../define/reduce_to.ts'
import { solve_triangle } from './lu_kernels.ts'
import { adjoint, common_batch, own_copy, require_lapack, require_system, spread } from './matrices.ts'

type TriangularOptions = { upper: boolean; left?: boolean; unitriangular?: boolean; out?: Tensor }

/**
 * torch.linalg.solve_triangular: X of AX = B, or XA = B with `left: false`, where A is triangular; what lies on the
 * other side of its diagonal is not read.
 */
export const solve_triangular: Op<[A: Tensor, B: Tensor, opts: TriangularOptions]> = op(
  'linalg_solve_triangular(Tensor self, Tensor B, *, bool upper, bool left=True, bool unitriangular=False)',
  {
    forward(a: Tensor, b: Tensor, upper: boolean, left: boolean, unit: boolean) {
      require_system('linalg.solve_triangular', a, b, left)
      if (a.dtype !== b.dtype)
        throw new RuntimeError(
          `linalg.solve_triangular: Expected A and B to have the same dtype, but found A of type ${scalar_name(a.dtype)} and B of type ${scalar_name(b.dtype)} instead`,
        )
      require_lapack('triangular_solve_cpu', a.dtype)
      const batch = common_batch(a, b)
      const wide = spread(a, batch)
      if (left) {
        const x = own_copy(b, [...batch, ...b.sizes.slice(-2)])
        solve_triangle(x, wide, { upper, unit })
        return x
      }
      // XA = B is A^T X^T = B^T
      const x = own_copy(spread(b, batch).transpose(-2, -1))
      solve_triangle(x, wide.transpose(-2, -1), { upper: !upper, unit })
      return x.transpose(-2, -1)
    },
    saves: ['self', 'out'],
    backward(g, [a, b, upper, left, unit], x, needs) {
      const for_b = solve_triangular(adjoint(a), g, { upper: !upper, left, unitriangular: unit })
      const product = left ? for_b.matmul(adjoint(x)) : adjoint(x).matmul(for_b)
      const edge = unit ? 1 : 0
      const triangle = upper ? product.triu(edge) : product.tril(-edge)
      return [
        needs[0] === true ? reduce_to(triangle.neg(), a.sizes, a.dtype) : null,
        needs[1] === true ? reduce_to(for_b, b.sizes, b.dtype) : null,
      ]
    },
    samples: r => [
      [r.range(1, 2, 3, 3), r(3, 2), { upper: true }],
      [r.range(1, 2, 2, 2), r(2, 3, 2), { upper: false, left: false }],
      [r.range(1, 2, 2, 1, 3, 3), r(2, 3, 1), { upper: false, unitriangular: true }],
    ],
  },
)
