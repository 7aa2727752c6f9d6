// tensordot: a matrix product over any dimensions of two tensors. Not here: einsum (einsum.ts).
import { RuntimeError } from '../base/errors.ts'
import { numel, wrap_dim } from '../base/shape.ts'
import type { Tensor } from '../tensor/tensor.ts'
import { composite, type Op } from './define/op.ts'

/** Contracts the dimensions `dims[0]` of `self` with `dims[1]` of `other`, or the last `dims` with the first. */
export const tensordot: Op<
  [
    self: Tensor,
    other: Tensor,
    dims?:
      | number
      | readonly (number | readonly number[])[]
      | { dims?: number | readonly (readonly number[])[] },
  ]
> = composite('tensordot(Tensor self, Tensor other, any dims=2)', {
  body: (self: Tensor, other: Tensor, dims: number | (number | number[])[]) => {
    const [own, theirs] = contraction(self, other, dims)
    const free = (t: Tensor, used: readonly number[]): number[] =>
      [...t.sizes.keys()].filter(d => !used.includes(d))
    const left = free(self, own)
    const right = free(other, theirs)
    const sizes = (t: Tensor, list: readonly number[]): number[] => list.map(d => t.sizes[d]!)
    const k = numel(sizes(self, own))
    const a = self.permute([...left, ...own]).reshape([numel(sizes(self, left)), k])
    const b = other.permute([...theirs, ...right]).reshape([k, numel(sizes(other, right))])
    return a.mm(b).reshape([...sizes(self, left), ...sizes(other, right)])
  },
  samples: r => [
    [r(2, 3, 4), r(3, 4, 2)],
    [r(2, 3), r(4, 2), [[0], [1]]],
    [r(2, 3), r(3, 2), 1],
  ],
})

function contraction(
  self: Tensor,
  other: Tensor,
  dims: number | (number | number[])[],
): [number[], number[]] {
  if (typeof dims === 'number') {
    if (dims < 0) throw new RuntimeError(`tensordot expects dims >= 0, but got dims=${dims}`)
    if (dims > Math.min(self.ndim, other.ndim))
      throw new RuntimeError(`tensordot expects dims < ndim_a or ndim_b, but got dims=${dims}`)
    const n = self.ndim - dims
    return [Array.from({ length: dims }, (_, i) => n + i), Array.from({ length: dims }, (_, i) => i)]
  }
  const [a, b] = dims.map(list => [list].flat()) as [number[], number[]]
  if (a.length !== b.length) throw new RuntimeError('both dimension lists should have same length')
  const own = a.map(d => wrap_dim(d, self.ndim))
  const theirs = b.map(d => wrap_dim(d, other.ndim))
  own.forEach((d, i) => {
    const [m, n] = [self.sizes[d], other.sizes[theirs[i]!]]
    if (m !== n)
      throw new RuntimeError(
        `contracted dimensions need to match, but first has size ${m} in dim ${d} and second has size ${n} in dim ${theirs[i]}`,
      )
  })
  return [own, theirs]
}
