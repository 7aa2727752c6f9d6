// The exponential of matrices. Not here: of elements (../unary.ts).
import type { Tensor } from '../../tensor/tensor.ts'
import { to_dtype } from '../convert.ts'
import { composite, type Op } from '../define/op.ts'
import { double_of, identities, require_square } from './matrices.ts'

/** Terms of the Taylor series: what is left of it is below 2^-53 for matrices of norm 1/2 at most. */
const TERMS = 14

/**
 * The matrix exponential of square matrices, by scaling and squaring in double precision (Moler and Van Loan, "Nineteen
 * dubious ways to compute the exponential of a matrix", 2003, method 3).
 */
export const matrix_exp: Op<[self: Tensor]> = composite('matrix_exp(Tensor self)', {
  body(self: Tensor) {
    require_square('linalg.matrix_exp', self)
    if (self.count === 0) return self.clone()
    const wide = to_dtype(self, double_of(self.dtype))
    const size = wide.detach().abs().sum(-2).amax().item() as number
    const halvings = Number.isFinite(size) ? Math.max(0, Math.ceil(Math.log2(size)) + 1) : 0
    const x = wide.mul(2 ** -halvings)
    const order = x.sizes.at(-1)!
    const unit = identities(x.sizes.slice(0, -2), order, order, x.dtype)
    let sum = unit.add(x.mul(1 / TERMS))
    for (let k = TERMS - 1; k >= 1; k--) sum = unit.add(x.matmul(sum).mul(1 / k))
    for (let k = 0; k < halvings; k++) sum = sum.matmul(sum)
    return to_dtype(sum, self.dtype)
  },
  out: false,
  samples: r => [[r(3, 3)], [r(2, 2, 2)]],
})
