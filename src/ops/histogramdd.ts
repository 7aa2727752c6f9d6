// histogramdd: counts in bins along several dimensions. Not here: one dimension (histogram.ts).
import type { Tensor } from '../tensor/tensor.ts'
import { named_tuple } from './define/named.ts'
import { type Op, overloaded } from './define/op.ts'
import { histogram } from './histogram.ts'
import { type Bins, count, problem } from './histogram_kernels.ts'

type HistogramddOptions = { range?: readonly number[] | null; weight?: Tensor | null; density?: boolean }
type Histogramdd = (Tensor | readonly Tensor[])[] & {
  readonly hist: Tensor
  readonly bin_edges: readonly Tensor[]
}

/**
 * {@link histogram} of points, rows of the last dimension of `self`: a dimension of bins for each of their coordinates.
 * `bins` is a number for all, or a list of numbers or edges; `range` has the two ends for each coordinate.
 */
export const histogramdd: Op<
  [
    self: Tensor,
    bins: number | readonly number[] | readonly Tensor[],
    range?: readonly number[] | null | HistogramddOptions,
    opts?: HistogramddOptions,
  ],
  Histogramdd
> = overloaded(
  [
    [
      'histogramdd(Tensor self, any bins, any? range=None, Tensor? weight=None, bool density=False)',
      (
        input: Tensor,
        bins: number | Bins,
        range: readonly number[] | null,
        weight: Tensor | null,
        density: boolean,
      ) => {
        if (input.ndim < 2) throw problem('input tensor should have at least 2 dimensions')
        const each = typeof bins === 'number' ? new Array<number>(input.sizes.at(-1)!).fill(bins) : bins
        const [hist, ...bin_edges] = count(input, weight, each, range, density)
        return named_tuple<Tensor | readonly Tensor[], 'hist' | 'bin_edges'>('histogramdd', {
          hist: hist!,
          bin_edges,
        }) as unknown as Histogramdd
      },
    ],
  ],
  { out: false, gradcheck: false },
)
