// symeig, the main namespace's eigenvalues of symmetric matrices, by torch.linalg's.
import type { Tensor } from '../../../tensor/tensor.ts'
import { named_tuple } from '../../define/named.ts'
import { composite, type Op } from '../../define/op.ts'
import { type Eigen, eigh as linalg_eigh, eigvalsh as linalg_eigvalsh } from '../eigh.ts'

type SymeigOptions = { eigenvectors?: boolean; upper?: boolean; out?: readonly Tensor[] }

/** {@link linalg_eigh} of the upper triangle; eigenvectors if wanted. Deprecated in PyTorch. */
export const symeig: Op<
  [
    self: Tensor,
    eigenvectors?: boolean | SymeigOptions,
    upper?: boolean | SymeigOptions,
    opts?: SymeigOptions,
  ],
  Eigen
> = composite('symeig(Tensor self, bool eigenvectors=False, bool upper=True)', {
  body(self: Tensor, eigenvectors: boolean, upper: boolean) {
    const UPLO = upper ? 'U' : 'L'
    if (eigenvectors) {
      const [L, V] = linalg_eigh(self, UPLO)
      return named_tuple('symeig', { eigenvalues: L!, eigenvectors: V! })
    }
    return named_tuple('symeig', {
      eigenvalues: linalg_eigvalsh(self, UPLO),
      eigenvectors: self.new_empty([0]),
    })
  },
})
