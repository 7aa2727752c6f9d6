// Equal elements: unique and unique_consecutive, of all elements or of slices along a dimension. No gradients.
// Not here: how rows are sorted and grouped (define/group.ts).
import { bool, int64 } from '../base/dtype.ts'
import { RuntimeError } from '../base/errors.ts'
import { numel, wrap_dim } from '../base/shape.ts'
import { empty } from '../tensor/dispatch.ts'
import { alias, type Tensor } from '../tensor/tensor.ts'
import { arange } from './creation.ts'
import { value_range } from './define/bounds.ts'
import { dense } from './define/copy.ts'
import { equal_runs, type Groups, group_rows, runs_before, sort_rows, tally } from './define/group.ts'
import { type Op, type Overloads, overloaded, without_recording } from './define/op.ts'
import { is_integral } from './define/rules.ts'
import { sort_dim } from './define/sort.ts'
import { index_select } from './index_ops.ts'
import { movedim } from './rearrange.ts'

type Options = { sorted?: boolean; return_inverse?: boolean; return_counts?: boolean; dim?: number | null }
type Flag = boolean | Options

/** The tensor alone, or a list with the inverse and the counts that were asked for. */
function results(output: Tensor, inverse: Tensor | null, counts: Tensor | null): Tensor | Tensor[] {
  const extra = [inverse, counts].filter(t => t !== null)
  return extra.length === 0 ? output : [output, ...extra]
}

/** Fewer elements than this are sorted, whatever they are. */
const FEW = 4096

function groups_of(x: Tensor, sorted: boolean, numbered: boolean, counted: boolean): Groups {
  if (!sorted) return equal_runs(x, numbered, counted)
  if (x.count >= FEW && is_integral(x.dtype) && x.dtype !== bool) {
    const { low, high } = value_range(x)
    const bins = high - low + 1
    if (bins <= x.count && Number.isSafeInteger(low) && Number.isSafeInteger(high))
      return tally(x, low, bins, numbered)
  }
  const { values, indices } = sort_dim(x, 0, false)
  const found = equal_runs(values, numbered, counted)
  return { ...found, groups: found.groups && runs_before(found.groups, indices) }
}

function distinct(
  name: string,
  self: Tensor,
  dim: number | null,
  sorted: boolean,
  return_inverse: boolean,
  return_counts: boolean,
): Tensor | Tensor[] {
  return without_recording(() => {
    const d = dim === null ? 0 : wrap_dim(dim, self.sizes.length)
    if (dim !== null && self.count === 0 && self.sizes.some((n, k) => k !== d && n === 0))
      throw new RuntimeError(
        `There are 0 sized dimensions, and they aren't selected, so ${name === 'unique' ? 'unique' : 'unique_consecutive'} cannot be applied`,
      )
    // Slices as the rows of a matrix; all elements are rows of one.
    const slices =
      dim === null || self.sizes.length === 0
        ? alias(dense(self), [self.count], [1])
        : dense(movedim(self, d, 0))
    const n = slices.sizes[0]!
    const width = numel(slices.sizes.slice(1))
    const whole = (t: Tensor): Tensor =>
      dim === null ? alias(t, self.sizes, empty(self.sizes, int64).strides) : t
    if (width === 1) {
      const { values, counts, groups } = groups_of(
        alias(slices, [n], [1]),
        sorted,
        return_inverse,
        return_counts,
      )
      const shape =
        dim === null || self.sizes.length === 0 ? [values.count] : self.sizes.with(d, values.count)
      return results(
        alias(values, shape, empty(shape, int64).strides),
        groups && whole(groups),
        return_counts ? counts : null,
      )
    }
    const rows = alias(slices, [n, width], [width, 1])
    const order = sorted ? sort_rows(rows) : arange(n)
    const { firsts, counts, inverse, total } = group_rows(rows, order)
    const first = (t: Tensor): Tensor => dense(alias(t, [total], [1]))
    const found = index_select(slices, 0, first(firsts))
    const output = dim === null || self.sizes.length === 0 ? found : dense(movedim(found, 0, d))
    return results(
      alias(output),
      return_inverse ? whole(inverse) : null,
      return_counts ? first(counts) : null,
    )
  })
}

type UniqueArgs = [
  self: Tensor,
  sorted?: Flag,
  return_inverse?: Flag,
  return_counts?: Flag,
  dim?: number | null | Options,
]
type ConsecutiveArgs = [
  self: Tensor,
  return_inverse?: Flag,
  return_counts?: Flag,
  dim?: number | null | Options,
]
/** A list with the inverse and the counts where they are asked for, else a tensor. */
type Asked = Options & ({ return_inverse: true } | { return_counts: true })
interface UniqueMethod<Rest extends readonly unknown[]> {
  (opts: Asked): Tensor[]
  (...args: Rest): Tensor
}
type Tail<A> = A extends readonly [unknown, ...infer Rest] ? Rest : never
type Unique<A extends readonly unknown[]> = ((self: Tensor, opts: Asked) => Tensor[]) &
  Op<A> &
  Overloads<UniqueMethod<Tail<A>>>

/**
 * The distinct elements in ascending order, or the distinct slices along `dim`. With `return_inverse` also where each
 * element went, with `return_counts` how often each occurs.
 */
export const unique: Unique<UniqueArgs> = overloaded<UniqueArgs>(
  [
    [
      'unique(Tensor self, bool sorted=True, bool return_inverse=False, bool return_counts=False, int? dim=None)',
      (self: Tensor, _sorted: boolean, inverse: boolean, counts: boolean, dim: number | null) =>
        distinct('unique', self, dim, true, inverse, counts) as Tensor,
    ],
  ],
  { out: false, gradcheck: false, samples: r => [[r.ints(0, 4, 7)], [r.ints(0, 2, 5, 2), { dim: 0 }]] },
) as unknown as Unique<UniqueArgs>

/** The elements (or slices along `dim`) without those that repeat the one before. Results as of {@link unique}. */
export const unique_consecutive: Unique<ConsecutiveArgs> = overloaded<ConsecutiveArgs>(
  [
    [
      'unique_consecutive(Tensor self, bool return_inverse=False, bool return_counts=False, int? dim=None)',
      (self: Tensor, inverse: boolean, counts: boolean, dim: number | null) =>
        distinct('unique_consecutive', self, dim, false, inverse, counts) as Tensor,
    ],
  ],
  { out: false, gradcheck: false, samples: r => [[r.ints(0, 2, 9)], [r.ints(0, 2, 6, 1), { dim: 0 }]] },
) as unknown as Unique<ConsecutiveArgs>
