// svd of the main namespace, which returns V where torch.linalg's returns its adjoint.
import { RuntimeError } from '../../../base/errors.ts'
import type { Tensor } from '../../../tensor/tensor.ts'
import { type Named, named_tuple } from '../../define/named.ts'
import { composite, type Op } from '../../define/op.ts'
import { svd as linalg_svd, svdvals as linalg_svdvals } from '../svd.ts'

type OldOptions = { some?: boolean; compute_uv?: boolean; out?: readonly Tensor[] }

/** U, S and V (not its adjoint), without completion where `some`. Deprecated in PyTorch. */
export const svd: Op<
  [self: Tensor, some?: boolean | OldOptions, compute_uv?: boolean | OldOptions, opts?: OldOptions],
  Named<Tensor, 'U' | 'S' | 'V'>
> = composite('svd(Tensor self, bool some=True, bool compute_uv=True)', {
  body(self: Tensor, some: boolean, compute_uv: boolean) {
    if (self.ndim < 2)
      throw new RuntimeError(
        `linalg.svd: input should have at least 2 dimensions, but has ${self.ndim} dimensions instead`,
      )
    if (compute_uv) {
      const { U, S, Vh } = linalg_svd(self, !some)
      return named_tuple('svd', { U, S, V: Vh.mH })
    }
    const [m, n] = self.sizes.slice(-2) as [number, number]
    const batch = self.sizes.slice(0, -2)
    const zeros = (size: number): Tensor => self.new_zeros([...batch, size, size])
    return named_tuple('svd', { U: zeros(m), S: linalg_svdvals(self), V: zeros(n) })
  },
})
