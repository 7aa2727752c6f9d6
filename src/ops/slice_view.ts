// The view that a slice of a dimension is: what index syntax, splits and their derivatives are made of.
// Not here: Python's slice, an index (index_syntax.ts).
import { RuntimeError } from '../base/errors.ts'
import { wrap_dim } from '../base/shape.ts'
import type { Tensor } from '../tensor/tensor.ts'
import type { Op } from './define/op.ts'
import { view_op } from './define/view.ts'

/** A range of a dimension: from `start` to `end` (not included) in steps; negative numbers count from the end. */
export const slice: Op<
  [self: Tensor, dim?: number, start?: number | null, end?: number | null, step?: number]
> = view_op('slice(Tensor self, int dim=0, int? start=None, int? end=None, int step=1)', {
  geometry(self, dim: number, start: number | null, end: number | null, step: number) {
    if (self.sizes.length === 0) throw new RuntimeError('slice() cannot be applied to a 0-dim tensor.')
    if (step <= 0) throw new RuntimeError('slice step must be positive')
    const d = wrap_dim(dim, self.sizes.length)
    const n = self.sizes[d]!
    const clip = (i: number): number => Math.min(Math.max(i < 0 ? i + n : i, 0), n)
    const from = clip(start ?? 0)
    const to = Math.max(clip(end ?? n), from)
    return {
      sizes: self.sizes.map((s, k) => (k === d ? Math.ceil((to - from) / step) : s)),
      strides: self.strides.map((s, k) => (k === d ? s * step : s)),
      offset: self.offset + from * self.strides[d]!,
    }
  },
  backward: (g, self, dim: number, start: number | null, end: number | null, step: number) =>
    g.new_zeros(self.sizes).slice_scatter(g, dim, start, end, step),
  samples: r => [
    [r(5, 3), 0, 1, 4],
    [r(5, 3), 1, null, null, 2],
    [r(5), 0, -2],
  ],
})
