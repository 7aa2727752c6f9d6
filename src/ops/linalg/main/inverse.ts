// Inverses of the main namespace: inverse, pinverse, which are torch.linalg's inv and pinv.
import type { Tensor } from '../../../tensor/tensor.ts'
import { composite, type Op } from '../../define/op.ts'
import { pinv as linalg_pinv } from '../least_squares.ts'
import { inv } from '../solve.ts'

/** {@link linalg_pinv}. */
export const pinverse: Op<[self: Tensor, rcond?: number | { rcond?: number }]> = composite(
  'pinverse(Tensor self, float rcond=1e-15)',
  { out: false, body: (self: Tensor, rcond: number) => linalg_pinv(self, rcond) },
)

/** The inverse of a square matrix, or of each of a batch. Throws LinAlgError for a singular one. */
export const inverse: Op<[self: Tensor, opts?: { out?: Tensor }]> = composite('inverse(Tensor self)', {
  body: (a: Tensor) => inv(a),
  samples: r => [[r(3, 3)], [r(2, 2, 2)]],
})
