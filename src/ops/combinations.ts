// combinations: the selections of some elements of a 1-d tensor. Not here: grids and products (join.ts).
import { RuntimeError } from '../base/errors.ts'
import type { Tensor } from '../tensor/tensor.ts'
import { arange } from './creation.ts'
import { composite, type Op } from './define/op.ts'
import { meshgrid, stack } from './join.ts'
import { masked_select } from './masked.ts'

/** The combinations of `r` elements of a 1-d tensor, a row each, in lexicographic order of their positions. */
export const combinations: Op<
  [
    self: Tensor,
    r?: number | { r?: number; with_replacement?: boolean },
    with_replacement?: boolean | { with_replacement?: boolean },
  ]
> = composite('combinations(Tensor self, int r=2, bool with_replacement=False)', {
  out: false,
  body(self: Tensor, r: number, with_replacement: boolean): Tensor {
    if (self.ndim !== 1)
      throw new RuntimeError(`Expect a 1D vector, but got shape [${self.sizes.join(', ')}]`)
    if (r < 0) throw new RuntimeError(`Expect a non-negative number, but got ${r}`)
    if (r === 0) return self.new_empty([0])
    const positions = meshgrid(...new Array<Tensor>(r).fill(arange(self.count)))
    const mask = positions
      .slice(1)
      .map((p, i) => (with_replacement ? p.ge(positions[i]!) : p.gt(positions[i]!)))
      .reduce<Tensor | null>((all, m) => (all === null ? m : all.logical_and(m)), null)
    const fields = meshgrid(...new Array<Tensor>(r).fill(self))
    return stack(mask === null ? fields : fields.map(f => masked_select(f, mask)), 1)
  },
  samples: r => [[r(4)], [r(3), 3, true]],
})
