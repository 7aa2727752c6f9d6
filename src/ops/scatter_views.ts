// Copies of a tensor with one window replaced: the out-of-place counterparts of writing through a view, and what the
// backward of views is made of. Not here: scatter by index tensors (scatter.ts).
import { RuntimeError } from '../base/errors.ts'
import { same_sizes } from '../base/shape.ts'
import type { Tensor } from '../tensor/tensor.ts'
import { type Op, op } from './define/op.ts'
import { slice } from './slice_view.ts'
import { as_strided, diagonal, select } from './views.ts'

/** Declares the scatter form of a view: `window` is the view, on the tensor's clone and on gradients. */
function scatter_view<A extends readonly unknown[], V extends readonly unknown[]>(
  signature: string,
  window: (t: Tensor, ...values: V) => Tensor,
  samples: (r: Parameters<NonNullable<Parameters<typeof op>[1]['samples']>>[0]) => NoInfer<A>[],
): Op<A> {
  const name = signature.slice(0, signature.indexOf('('))
  return op<A, [self: Tensor, src: Tensor, ...V], Tensor>(signature, {
    forward(self, src, ...values) {
      const out = self.clone()
      const into = window(out, ...values)
      if (!same_sizes(into.sizes, src.sizes))
        throw new RuntimeError(
          `expected src to have a size equal to the slice of self. src size = [${src.sizes.join(', ')}], slice size = [${into.sizes.join(', ')}]`,
        )
      into.copy_(src)
      return out
    },
    backward: {
      self: (g, [, src, ...values]) => scatter_named(name, g, g.new_zeros(src.sizes), values),
      src: (g, [, , ...values]) => window(g, ...(values as unknown as V)).clone(),
    },
    samples,
  })
}

const scatter_named = (name: string, g: Tensor, zeros: Tensor, values: readonly unknown[]): Tensor =>
  (g as unknown as Record<string, (src: Tensor, ...rest: readonly unknown[]) => Tensor>)[name]!(
    zeros,
    ...values,
  )

/** A copy with `src` at `index` of `dim`. */
export const select_scatter: Op<[self: Tensor, src: Tensor, dim: number, index: number]> = scatter_view(
  'select_scatter(Tensor self, Tensor src, int dim, int index)',
  (t, dim: number, index: number) => select(t, dim, index),
  r => [[r(3, 4), r(4), 0, 1]],
)

/** A copy with `src` in a range of `dim`. */
export const slice_scatter: Op<
  [self: Tensor, src: Tensor, dim?: number, start?: number | null, end?: number | null, step?: number]
> = scatter_view(
  'slice_scatter(Tensor self, Tensor src, int dim=0, int? start=None, int? end=None, int step=1)',
  (t, dim: number, start: number | null, end: number | null, step: number) => slice(t, dim, start, end, step),
  r => [[r(5, 3), r(2, 3), 0, 1, 4, 2]],
)

/** A copy with `src` on a diagonal. */
export const diagonal_scatter: Op<
  [
    self: Tensor,
    src: Tensor,
    offset?: number | { offset?: number; dim1?: number; dim2?: number },
    dim1?: number,
    dim2?: number,
  ]
> = scatter_view(
  'diagonal_scatter(Tensor self, Tensor src, int offset=0, int dim1=0, int dim2=1)',
  (t, offset: number, dim1: number, dim2: number) => diagonal(t, offset, dim1, dim2),
  r => [[r(3, 4), r(3), 1]],
)

/** A copy with `src` in a strided window. */
export const as_strided_scatter: Op<
  [
    self: Tensor,
    src: Tensor,
    size: readonly number[],
    stride: readonly number[],
    storage_offset?: number | null,
  ]
> = scatter_view(
  'as_strided_scatter(Tensor self, Tensor src, int[] size, int[] stride, int? storage_offset=None)',
  (t, size: number[], stride: number[], offset: number | null) =>
    as_strided(t, size, stride, (offset ?? 0) + t.offset),
  r => [[r(3, 4), r(2, 2), [2, 2], [4, 1], 1]],
)
