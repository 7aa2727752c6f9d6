// Differences along a dimension: diff. Not here: running sums (scan.ts), integrals (trapezoid.ts).
import { bool } from '../base/dtype.ts'
import { RuntimeError } from '../base/errors.ts'
import { wrap_dim } from '../base/shape.ts'
import type { Tensor } from '../tensor/tensor.ts'
import { composite, type Op } from './define/op.ts'
import { cat } from './join.ts'

type DiffOptions = {
  n?: number
  dim?: number
  prepend?: Tensor | null
  append?: Tensor | null
  out?: Tensor
}

function require_fits(self: Tensor, other: Tensor, dim: number): void {
  if (other.ndim !== self.ndim)
    throw new RuntimeError('diff expects prepend or append to be the same dimension as input')
  for (let d = 0; d < self.ndim; d++)
    if (d !== dim && other.sizes[d] !== self.sizes[d])
      throw new RuntimeError(
        `diff expects the shape of tensor to prepend or append to match that of input except along the differencing dimension; input.size(${d}) = ${self.sizes[d]}, but got tensor.size(${d}) = ${other.sizes[d]}`,
      )
}

/** The differences of neighbours along `dim`, `n` times, of `self` between `prepend` and `append`. */
export const diff: Op<
  [
    self: Tensor,
    n?: number | DiffOptions,
    dim?: number | DiffOptions,
    prepend?: Tensor | null | DiffOptions,
    append?: Tensor | null | DiffOptions,
    opts?: DiffOptions,
  ]
> = composite('diff(Tensor self, int n=1, int dim=-1, Tensor? prepend=None, Tensor? append=None)', {
  body: (self: Tensor, n: number, dim: number, prepend: Tensor | null, append: Tensor | null) => {
    if (self.ndim === 0) throw new RuntimeError('diff expects input to be at least one-dimensional')
    const along = wrap_dim(dim, self.ndim)
    const pieces = [prepend, self, append].filter(t => t !== null)
    for (const t of pieces) if (t !== self) require_fits(self, t, along)
    let x = pieces.length === 1 ? self : cat(pieces, along)
    if (n <= 0) return n === 0 || pieces.length === 1 ? self.clone() : x
    for (let i = Math.min(n, x.sizes[along]!); i > 0; i--) {
      const length = Math.max(0, x.sizes[along]! - 1)
      const [left, right] = [x.narrow(along, 0, length), x.narrow(along, x.sizes[along]! - length, length)]
      x = x.dtype === bool ? left.logical_xor(right) : right.sub(left)
    }
    return x
  },
  samples: r => [
    [r(5)],
    [r(3, 4), 2, 0],
    [r(3, 4), { append: r(3, 1) }],
    [r(3, 4), 2, 1, r(3, 2), r(3, 1)],
    [r(3, 4), 7],
  ],
})
