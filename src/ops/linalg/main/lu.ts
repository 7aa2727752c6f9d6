// The LU decomposition of the main namespace: lu, lu_solve, by torch.linalg's.
// Not here: lu_unpack, a function only (lu_unpack.ts).
import type { Tensor } from '../../../tensor/tensor.ts'
import { composite, type Op } from '../../define/op.ts'
import { lu_solve as linalg_lu_solve, lu_factor_ex } from '../lu.ts'

type LegacyOptions = { pivot?: boolean; get_infos?: boolean }

/** The LU decomposition as LAPACK holds it, and its pivots; with `get_infos` an info per matrix too. */
export const lu: Op<
  [A: Tensor, pivot?: boolean | LegacyOptions, get_infos?: boolean | LegacyOptions],
  Tensor[]
> = composite('lu(Tensor self, bool pivot=True, bool get_infos=False)', {
  out: false,
  body: (a: Tensor, pivot: boolean, get_infos: boolean) =>
    [...lu_factor_ex(a, { pivot })].slice(0, get_infos ? 3 : 2),
})

/** X of AX = b, by the decomposition of A that {@link lu} gives. */
export const lu_solve: Op<[b: Tensor, LU_data: Tensor, LU_pivots: Tensor, opts?: { out?: Tensor }]> =
  composite('lu_solve(Tensor self, Tensor LU_data, Tensor LU_pivots)', {
    body: (b: Tensor, data: Tensor, pivots: Tensor) => linalg_lu_solve(data, pivots, b),
  })
