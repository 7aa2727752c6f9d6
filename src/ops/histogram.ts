// histogram: counts or weights of elements in bins. Not here: how (histogram_kernels.ts), histc and bincount (counting.ts).
import type { Tensor } from '../tensor/tensor.ts'
import { type Named, named_tuple } from './define/named.ts'
import { type Op, overloaded } from './define/op.ts'
import { count } from './histogram_kernels.ts'

type HistogramOptions = {
  bins?: number | Tensor
  range?: readonly number[] | null
  weight?: Tensor | null
  density?: boolean
  out?: readonly Tensor[]
}

const histogram_of = (
  input: Tensor,
  bins: number | Tensor,
  range: readonly number[] | null,
  weight: Tensor | null,
  density: boolean,
): Named<Tensor, 'hist' | 'bin_edges'> => {
  const points = input.reshape([input.count, 1])
  const [hist, bin_edges] = count(points, weight?.reshape([-1]) ?? null, [bins], range, density)
  return named_tuple('histogram', { hist: hist!, bin_edges: bin_edges! })
}

/**
 * How many elements lie in each bin, or the sum of their weights; with `density` their shares per width. `bins` is a number
 * of equal bins over `range` (by default the elements' own), or the edges in ascending order. Returns the edges too.
 */
export const histogram: Op<
  [self: Tensor, bins?: number | Tensor | HistogramOptions, opts?: HistogramOptions],
  Named<Tensor, 'hist' | 'bin_edges'>
> = overloaded(
  [
    [
      'histogram(Tensor self, Tensor bins, *, Tensor? weight=None, bool density=False)',
      (input: Tensor, bins: Tensor, weight: Tensor | null, density: boolean) =>
        histogram_of(input, bins, null, weight, density),
    ],
    [
      'histogram(Tensor self, int bins=100, *, any? range=None, Tensor? weight=None, bool density=False)',
      histogram_of,
    ],
  ],
  {
    gradcheck: false,
    samples: r => [
      [r(9), 4],
      [r(3, 3), 3, { range: [-1, 1.5], weight: r(3, 3) }],
      [r(9), { bins: 5, density: true }],
    ],
  },
)
