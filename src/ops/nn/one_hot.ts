// Class numbers as vectors with a one in the class's place. Not here: embedding tables (embedding.ts).
import { int64 } from '../../base/dtype.ts'
import { RuntimeError } from '../../base/errors.ts'
import { empty, kernels, zeros } from '../../tensor/dispatch.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { value_range } from '../define/bounds.ts'
import { dense } from '../define/copy.ts'
import { type Op, overloaded } from '../define/op.ts'
import { window } from '../define/space.ts'

const one_hot_kernel = kernels('one_hot', k => {
  const out = k.inout('out', int64, { rank: 2, inner: 1 })
  const x = k.input('x', int64, 'flat')
  k.for(x.sizes[0]!, 'serial', i => k.store(out, [i, x.at(i).cast('index')], 1))
})

function encode(self: Tensor, num_classes: number): Tensor {
  if (self.dtype !== int64) throw new RuntimeError('one_hot is only applicable to index tensor.')
  if (self.count === 0) {
    if (num_classes <= 0) throw new RuntimeError('Can not infer total number of classes from empty tensor.')
    return empty([...self.sizes, num_classes], int64)
  }
  const { low, high } = value_range(self)
  if (low < 0) throw new RuntimeError('Class values must be non-negative.')
  if (num_classes !== -1 && num_classes < 1 && high < num_classes)
    throw new RuntimeError('num_classes should be positive')
  if (num_classes !== -1 && high >= num_classes)
    throw new RuntimeError('Class values must be smaller than num_classes.')
  const classes = num_classes === -1 ? high + 1 : num_classes
  const out = zeros([...self.sizes, classes], int64)
  one_hot_kernel()([window(out, [self.count, classes], [classes, 1]), dense(self)], [])
  return out
}

/** A vector of `num_classes` (by default: one more than the largest class) for each class number, one in its place. */
export const one_hot: Op<[self: Tensor, num_classes?: number | { num_classes?: number }]> = overloaded(
  [['one_hot(Tensor self, int num_classes=-1)', encode]],
  { out: false, gradcheck: false, samples: r => [[r.ints(0, 4, 5)], [r.ints(0, 3, 2, 2), 4]] },
)
