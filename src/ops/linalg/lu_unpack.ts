// lu_unpack: P, L and U from what lu_factor returns. A function only, of the main namespace.
import { int32 } from '../../base/dtype.ts'
import { RuntimeError } from '../../base/errors.ts'
import { empty } from '../../tensor/dispatch.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { named_tuple } from '../define/named.ts'
import { composite, type Op } from '../define/op.ts'
import { fill_identity, interchange, type Parts } from './lu_kernels.ts'

/** The permutation matrices of the pivots, n by n. */
function permutation(pivots: Tensor, n: number, like: Tensor): Tensor {
  const out = empty([...pivots.sizes.slice(0, -1), n, n], like.dtype)
  fill_identity(out)
  interchange(out, pivots, true)
  return out
}

type UnpackOptions = { unpack_data?: boolean; unpack_pivots?: boolean; out?: readonly Tensor[] }

/** P, L and U of what `torch.linalg.lu_factor` gives; empty tensors for those that are not wanted. */
export const lu_unpack: Op<
  [
    LU_data: Tensor,
    LU_pivots: Tensor,
    unpack_data?: boolean | UnpackOptions,
    unpack_pivots?: boolean | UnpackOptions,
  ],
  Parts
> = composite('lu_unpack(Tensor self, Tensor LU_pivots, bool unpack_data=True, bool unpack_pivots=True)', {
  body(data: Tensor, pivots: Tensor, unpack_data: boolean, unpack_pivots: boolean) {
    if (data.ndim < 2)
      throw new RuntimeError(
        `torch.lu_unpack: Expected tensor with 2 or more dimensions. Got size: [${data.sizes.join(', ')}] instead`,
      )
    if (unpack_pivots && pivots.dtype !== int32)
      throw new RuntimeError(
        'torch.lu_unpack: LU_pivots is expected to be a contiguous tensor of torch.int32 dtype.',
      )
    const [m, n] = data.sizes.slice(-2) as [number, number]
    const k = Math.min(m, n)
    const none = (): Tensor => empty([0], data.dtype)
    const parts = { P: none(), L: none(), U: none() }
    if (unpack_pivots) {
      if (pivots.count > 0 && pivots.lt(1).logical_or(pivots.gt(m)).any().item() === true)
        throw new RuntimeError(
          'pivots passed to lu_unpack must be between 1 and LU.size(-2) inclusive.Did you properly pass the result of lu_factor?',
        )
      parts.P = permutation(pivots, m, data)
    }
    if (unpack_data) {
      const ones = empty([m, k], data.dtype)
      fill_identity(ones)
      parts.L = data.narrow(-1, 0, k).tril(-1).add(ones)
      parts.U = data.narrow(-2, 0, k).triu()
    }
    return named_tuple('lu_unpack', parts)
  },
})
