// What ops use to convert and to overwrite: to another dtype on the tape, and in place with the history that implies.
// Not here: ops (copies.ts, conversions.ts, fills.ts).
import type { DType } from '../base/dtype.ts'
import { Batched, with_level } from '../tensor/batched.ts'
import { empty, empty_in_order } from '../tensor/dispatch.ts'
import { bump_version, edge_of, modes } from '../tensor/tape.ts'
import type { Tensor } from '../tensor/tensor.ts'
import { clone } from './copies.ts'
import { copy_elements, dense_as } from './define/copy.ts'
import { FnNode } from './define/fn_node.ts'
import { type Op, op } from './define/op.ts'
import { check_inplace, rebase_history } from './define/view.ts'

/** Converts to `dtype`, on the tape; the tensor itself where it has it (and `copy` is off). */
export function to_dtype(self: Tensor, dtype: DType, copy = false): Tensor {
  if (self.dtype === dtype) return copy ? clone(self) : self
  return convert(self, dtype)
}

const convert: Op<[self: Tensor, dtype: DType]> = op('_to_copy(Tensor self, dtype dtype)', {
  node: 'ToCopyBackward0',
  forward(self: Tensor, dtype: DType) {
    const out = self.dense ? empty(self.sizes, dtype) : empty_in_order(self.sizes, self.strides, dtype)
    copy_elements(out, self)
    return out
  },
  backward: { self: (g, [self]) => to_dtype(g, self.dtype) },
})

/** A contiguous copy of `t` in `dtype` (or `t` itself), outside the graph: what kernels take. */
export { dense_as }

/** Writes something that does not depend on the old value into `self`, with the history that implies. */
export function overwrite(self: Tensor, name: string, write: (self: Tensor) => void): Tensor {
  if (self instanceof Batched) {
    const { value, level } = self
    with_level(level.outer, () => overwrite(value, name, write))
    return self
  }
  const recording = modes.grad && self._requires_grad
  check_inplace(self, recording)
  const edges = recording ? [edge_of(self)] : []
  write(self)
  bump_version(self)
  if (recording) {
    const { sizes } = self
    rebase_history(self, new FnNode(name, edges, ([g]) => [g ? g.new_zeros(sizes) : null]))
  }
  return self
}
