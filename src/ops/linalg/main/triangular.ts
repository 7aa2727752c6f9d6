// triangular_solve of the main namespace, by torch.linalg.solve_triangular.
import { RuntimeError } from '../../../base/errors.ts'
import type { Tensor } from '../../../tensor/tensor.ts'
import { type Named, named_tuple } from '../../define/named.ts'
import { composite, type Op } from '../../define/op.ts'
import { common_batch, require_pair, spread } from '../matrices.ts'
import { solve_triangular } from '../triangular_solve.ts'

type LegacyOptions = {
  upper?: boolean
  transpose?: boolean
  unitriangular?: boolean
  out?: readonly Tensor[]
}

/** X of AX = b with triangular A, or of A^T X = b, and A as it came. */
export const triangular_solve: Op<
  [
    b: Tensor,
    A: Tensor,
    upper?: boolean | LegacyOptions,
    transpose?: boolean | LegacyOptions,
    unitriangular?: boolean | LegacyOptions,
  ],
  Named<Tensor, 'solution' | 'cloned_coefficient'>
> = composite(
  'triangular_solve(Tensor self, Tensor A, bool upper=True, bool transpose=False, bool unitriangular=False)',
  {
    body(b: Tensor, a: Tensor, upper: boolean, transpose: boolean, unitriangular: boolean) {
      for (const [t, what] of [
        [b, 'b'],
        [a, 'A'],
      ] as const)
        if (t.ndim < 2)
          throw new RuntimeError(
            `torch.triangular_solve: Expected ${what} to have at least 2 dimensions, but it has ${t.ndim} dimensions instead`,
          )
      require_pair('triangular_solve', b, a)
      const solution = transpose
        ? solve_triangular(a.transpose(-2, -1), b, { upper: !upper, unitriangular })
        : solve_triangular(a, b, { upper, unitriangular })
      const batch = common_batch(a, b)
      return named_tuple('triangular_solve', { solution, cloned_coefficient: spread(a, batch).clone() })
    },
  },
)
