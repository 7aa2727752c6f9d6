// The products that are functions and methods of the main namespace: cross, kron. Not here: torch.linalg's.
import { RuntimeError } from '../../../base/errors.ts'
import type { Tensor } from '../../../tensor/tensor.ts'
import { composite, type Op } from '../../define/op.ts'
import { cross as linalg_cross } from '../products.ts'

type Out = { out?: Tensor }
type CrossArgs = [
  self: Tensor,
  other: Tensor,
  dim?: number | null | { dim?: number | null; out?: Tensor },
  opts?: Out,
]

/** The cross product along `dim`; without it, along the first dimension of size 3. */
export const cross: Op<CrossArgs> = composite('cross(Tensor self, Tensor other, int? dim=None)', {
  body(x: Tensor, y: Tensor, dim: number | null) {
    const at = dim ?? x.sizes.indexOf(3)
    if (at < 0 && dim === null) throw new RuntimeError('no dimension of size 3 in input')
    return linalg_cross(x, y, { dim: at })
  },
  samples: r => [
    [r(4, 3), r(4, 3)],
    [r(3, 4, 3), r(3, 4, 3), 2],
  ],
})

/** The Kronecker product: each element of `self` times the whole of `other`, as blocks. */
export const kron: Op<[self: Tensor, other: Tensor, opts?: Out]> = composite(
  'kron(Tensor self, Tensor other)',
  {
    body(self: Tensor, other: Tensor) {
      const n = Math.max(self.ndim, other.ndim)
      const padded = (t: Tensor): number[] => [...new Array<number>(n - t.ndim).fill(1), ...t.sizes]
      const [a, b] = [padded(self), padded(other)]
      const blocks = self.reshape(a.flatMap(s => [s, 1])).mul(other.reshape(b.flatMap(s => [1, s])))
      return blocks.reshape(a.map((s, d) => s * b[d]!))
    },
    samples: r => [
      [r(2, 3), r(3, 2)],
      [r(2), r(2, 1, 3)],
      [r(), r(2)],
    ],
  },
)
