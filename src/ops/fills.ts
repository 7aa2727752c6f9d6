// Fills in place: fill_, zero_, fill_diagonal_. Not here: by a mask or an index (masked.ts, index_ops.ts).

import { is_plain_number } from '../base/dtype.ts'
import { RuntimeError } from '../base/errors.ts'
import { is_options } from '../tensor/schema.ts'
import { Tensor } from '../tensor/tensor.ts'
import { overwrite } from './convert.ts'
import { full_value } from './define/create.ts'
import { method } from './define/method.ts'
import { composite, type Op } from './define/op.ts'
import type { Number } from './define/pointwise.ts'

/**
 * Fills the diagonal in place. With `wrap`, that of a tall matrix begins anew below its end. Throws RuntimeError for more than
 * two dimensions of different sizes.
 */
export const fill_diagonal_: Op<[self: Tensor, fill_value: Number, wrap?: boolean | { wrap?: boolean }]> =
  composite('fill_diagonal_(Tensor self, Scalar fill_value, bool wrap=False)', {
    body(self: Tensor, value: Number, wrap: boolean) {
      const { sizes, strides, offset } = self
      if (sizes.length < 2) throw new RuntimeError('dimensions must larger than 1')
      if (sizes.length > 2 && sizes.some(n => n !== sizes[0]))
        throw new RuntimeError('all dimensions of input must be of equal length')
      const [rows, columns] = sizes as [number, number]
      const step = strides.reduce((a, b) => a + b, 0)
      const length = Math.min(...sizes)
      self.as_strided([length], [step], offset).fill_(value)
      if (wrap && sizes.length === 2 && rows > columns + 1) {
        const more = Math.ceil(self.count / (columns + 1)) - length
        self.as_strided([more], [step], offset + strides[0]! * (columns + 1)).fill_(value)
      }
      return self
    },
    out: false,
  })

/** Fills in place with a number or a 0-dim tensor. */
export const fill_: Op<[self: Tensor, value: Number | Tensor]> = method('fill_', (self, given) => {
  const value = is_options(given) ? given['value'] : given
  if (value instanceof Tensor) {
    if (value.sizes.length > 0)
      throw new RuntimeError(
        `fill_ only supports 0-dimension value tensor but got tensor with ${value.sizes.length} dimensions.`,
      )
    return self.copy_(value)
  }
  if (!is_plain_number(value))
    throw new TypeError(`fill_(): argument 'value' (position 1) must be Tensor, not ${typeof value}`)
  return overwrite(self, 'FillBackward0', x => full_value(x, value))
})

/** Fills with zeros in place. */
export const zero_: Op<[self: Tensor]> = method('zero_', self =>
  overwrite(self, 'ZeroBackward0', x => full_value(x, 0)),
)
