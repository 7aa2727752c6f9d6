// Logarithms of determinants in the main namespace: slogdet, logdet. Not here: det, torch.linalg's own (det.ts).
import type { Tensor } from '../../../tensor/tensor.ts'
import { composite, type Op } from '../../define/op.ts'
import { type SignAndLog, sign_and_log } from '../det_kernels.ts'
import { require_float, require_square } from '../matrices.ts'

/** The sign of the determinant and the logarithm of its size: 0 and -inf where it is 0. */
export const slogdet: Op<[A: Tensor, opts?: { out?: readonly Tensor[] }], SignAndLog> =
  sign_and_log('slogdet')

/** The logarithm of the determinant: NaN where that is negative. */
export const logdet: Op<[A: Tensor]> = composite('logdet(Tensor self)', {
  out: false,
  body(a: Tensor) {
    require_square('logdet', a)
    require_float('logdet', a, false)
    const { sign, logabsdet } = slogdet(a)
    return a.dtype.is_complex ? sign.log().add(logabsdet) : logabsdet.masked_fill(sign.eq(-1), Number.NaN)
  },
})
