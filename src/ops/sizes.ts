// Methods that bring a tensor to other sizes: repeat, and sum_to_size, which undoes broadcasting.
// Not here: what is a function too (repeat.ts, views.ts), resizing in place (geometry.ts).
import { RuntimeError } from '../base/errors.ts'
import { empty } from '../tensor/dispatch.ts'
import { alias, type Tensor } from '../tensor/tensor.ts'
import { copy_elements } from './define/copy.ts'
import { type Op, op, overloaded } from './define/op.ts'
import { sum } from './reduction.ts'
import { reshape } from './views.ts'

type SizeArgs = readonly [sizes: readonly number[]] | readonly number[]

/** A result of `repeats` copies along each dimension, as [repeats, size] pairs, and the input spread over it. */
function repeated(self: Tensor, repeats: readonly number[]): Tensor {
  const added = repeats.length - self.sizes.length
  if (added < 0)
    throw new RuntimeError(
      'Number of dimensions of repeat dims can not be smaller than number of dimensions of tensor',
    )
  const own = [...new Array<number>(added).fill(1), ...self.sizes]
  const steps = [...new Array<number>(added).fill(0), ...self.strides]
  const sizes = own.map((n, d) => n * repeats[d]!)
  const negative = sizes.find(n => n < 0)
  if (negative !== undefined)
    throw new RuntimeError(
      `Trying to create tensor with negative dimension ${negative}: [${sizes.join(', ')}]`,
    )
  const out = empty(sizes, self.dtype)
  const pairs = own.flatMap((n, d) => [repeats[d]!, n])
  copy_elements(
    alias(
      out,
      pairs,
      out.strides.flatMap((s, d) => [s * own[d]!, s]),
    ),
    alias(
      self,
      pairs,
      steps.flatMap(s => [0, s]),
    ),
  )
  return out
}

/** The tensor `repeats[d]` times along each dimension; more repeats than dimensions add dimensions in front. */
export const repeat: Op<[self: Tensor, ...repeats: SizeArgs]> = op('repeat(Tensor self, int... repeats)', {
  forward: repeated,
  backward: {
    self(g, [self, repeats]) {
      if (repeats.includes(0)) return g.new_zeros(self.sizes)
      const added = repeats.length - self.sizes.length
      const pairs = repeats.flatMap((n, d) => (d < added ? [n] : [n, self.sizes[d - added]!]))
      const summed = [...repeats.keys()].map(d => (d < added ? d : added + 2 * (d - added)))
      return repeats.length === 0 ? g : reshape(g, pairs).sum(summed)
    },
  },
  samples: r => [
    [r(2, 3), 2, 2],
    [r(3), [2, 1, 2]],
    [r(), 3],
    [r(2, 3), 0, 1],
  ],
})

/** The sum over the dimensions that broadcasting to the present sizes would have added or repeated. */
export const sum_to_size: Op<[self: Tensor, ...size: readonly (number | readonly number[])[]]> = overloaded(
  [['sum_to_size(Tensor self, int... size)', sum_to]],
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
  const summed = sum(self, dims, true)
  return lead > 0 ? summed.reshape(size) : summed
}
