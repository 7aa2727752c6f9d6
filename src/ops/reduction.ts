// Reductions: sums, products, means, extremes, counts, truth. Each takes all dimensions or some.
// Not here: how they are computed (define/reduce.ts), variance and norms (statistics.ts), running totals (scan.ts).
import { type DType, int64 } from '../base/dtype.ts'
import { RuntimeError } from '../base/errors.ts'
import type { Tensor } from '../tensor/tensor.ts'
import { type Op, op, overloaded } from './define/op.ts'
import { dims_of, keep_dims, type Reduction, reduce, restore_dims } from './define/reduce.ts'

type Dims = number | readonly number[] | null
type Options = { dim?: Dims; keepdim?: boolean; dtype?: DType | null; out?: Tensor }
type Args = [self: Tensor, dim?: Dims | Options, keepdim?: boolean | Options, opts?: Options]

const addition: Reduction = { name: 'sum', combine: 'add' }

/** Integers are summed (and multiplied) as int64. */
const sum_dtype = (self: Tensor, dtype: DType | null): DType =>
  dtype ?? (self.dtype.is_floating_point || self.dtype.is_complex ? self.dtype : int64)

const sum_all: Op<[self: Tensor, dtype: DType | null]> = op('sum(Tensor self, dtype? dtype)', {
  forward: (self: Tensor, dtype: DType | null) =>
    reduce(addition, self, dims_of(null, self.sizes.length), sum_dtype(self, dtype)),
  backward: { self: (g, [self]) => g.expand(self.sizes) },
})

const sum_dims: Op<[self: Tensor, dim: Dims, keepdim: boolean, dtype: DType | null]> = op(
  'sum(Tensor self, int[]? dim, bool keepdim, dtype? dtype)',
  {
    forward(self: Tensor, dim: number[] | null, keepdim: boolean, dtype: DType | null) {
      const dims = dims_of(dim, self.sizes.length)
      return keep_dims(reduce(addition, self, dims, sum_dtype(self, dtype)), self.sizes, dims, keepdim)
    },
    backward: {
      self: (g, [self, dim, keepdim]) =>
        restore_dims(g, self.sizes, dims_of(dim, self.sizes.length), keepdim).expand(self.sizes),
    },
    node: 'SumBackward1',
  },
)

/**
 * The sum of all elements, or over the given dimensions. Integers are summed as int64. float32 sums are made of
 * partial sums and lose no accuracy with length.
 */
export const sum: Op<Args> = overloaded(
  [
    ['sum(Tensor self, *, dtype? dtype=None)', (self: Tensor, dtype: DType | null) => sum_all(self, dtype)],
    [
      'sum(Tensor self, int[]? dim, bool keepdim=False, *, dtype? dtype=None)',
      (self: Tensor, dim: number[] | null, keepdim: boolean, dtype: DType | null) =>
        sum_dims(self, dim, keepdim, dtype),
    ],
  ],
  {
    samples: r => [
      [r(3, 4)],
      [r(2, 3, 4), 1],
      [r(2, 3, 4), [0, -1], { keepdim: true }],
      [r()],
      [r(0, 3), 0],
      [r(3, 5), 0],
    ],
  },
)

/** The sum over the dimensions that broadcasting to the present sizes would have added or repeated. */
export const sum_to_size: Op<[self: Tensor, ...size: readonly (number | readonly number[])[]]> = overloaded(
  [['sum_to_size(Tensor self, int... size)', (self: Tensor, size: number[]) => sum_to(self, size)]],
  {
    samples: r => [
      [r(2, 3, 4), 3, 1],
      [r(2, 3), [1, 3]],
      [r(2, 3), [2, 3]],
      [r(2, 2), []],
    ],
    out: false,
  },
)

function sum_to(self: Tensor, size: readonly number[]): Tensor {
  const lead = self.sizes.length - size.length
  const fits = lead >= 0 && size.every((n, d) => n === self.sizes[d + lead] || n === 1)
  if (!fits)
    throw new RuntimeError(
      `size {[${size.join(', ')}]} is not expandable to size {[${self.sizes.join(', ')}]}.`,
    )
  if (size.length === 0) return sum(self)
  const dims = self.sizes.flatMap((n, d) => (d < lead || (size[d - lead] === 1 && n !== 1) ? [d] : []))
  if (dims.length === 0) return self
  const summed = sum(self, dims, { keepdim: true })
  return lead > 0 ? summed.reshape(size) : summed
}
