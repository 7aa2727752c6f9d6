// Copies and conversions: clone, contiguous, detach, and the in-place forms that overwrite (copy_, fill_, zero_).
// Not here: `to` and its relatives, which are methods only (method_only.ts).
import type { DType } from '../base/dtype.ts'
import { RuntimeError } from '../base/errors.ts'
import type { MemoryFormat } from '../base/memory_format.ts'
import { broadcast_sizes, same_sizes } from '../base/shape.ts'
import { Batched, with_level } from '../tensor/batched.ts'
import { empty, empty_in_order } from '../tensor/dispatch.ts'
import { bind, parse_schema } from '../tensor/schema.ts'
import { bump_version, edge_of, modes, records } from '../tensor/tape.ts'
import { alias, type Tensor } from '../tensor/tensor.ts'
import { empty_as } from './creation.ts'
import { copy_elements, dense_as } from './define/copy.ts'
import { FnNode } from './define/fn_node.ts'
import { composite, make_batched_op, type Op, op } from './define/op.ts'
import type { Number } from './define/pointwise.ts'
import { reduce_to } from './define/reduce_to.ts'
import { check_inplace, rebase_history } from './define/view.ts'

/** A copy. The dimensions keep their order in memory unless a format says another. */
export const clone: Op<[self: Tensor, opts?: { memory_format?: MemoryFormat }]> = op(
  'clone(Tensor self, *, any? memory_format=None)',
  {
    forward(self: Tensor, format: MemoryFormat | null) {
      const out = empty_as(self, self.dtype, format)
      copy_elements(out, self)
      return out
    },
    backward: { self: g => g },
    samples: r => [[r(3, 4)], [r()]],
  },
)

/** The tensor itself where it is row-major (or as the memory format has it), else a copy that is. */
export const contiguous: Op<[self: Tensor, opts?: { memory_format?: MemoryFormat }]> = make_batched_op(
  (...args: readonly unknown[]) => {
    const [self, given] = bind([contiguous_schema], args).values as [Tensor, MemoryFormat | null]
    if (given === null) return self.dense ? self : clone(self, { memory_format: 'contiguous_format' })
    return self.is_contiguous({ memory_format: given }) ? self : clone(self, { memory_format: given })
  },
  {
    name: 'contiguous',
    schemas: [parse_schema('contiguous(Tensor self)')],
    samples: r => [[r(3, 4)]],
    differentiable: true,
  },
)
const contiguous_schema = parse_schema('contiguous(Tensor self, *, any? memory_format=None)')

/** The same memory outside the graph. */
export const detach: Op<[self: Tensor]> = make_batched_op((self: Tensor) => alias(self), {
  name: 'detach',
  schemas: [parse_schema('detach(Tensor self)')],
  samples: undefined,
  differentiable: false,
})

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

function require_broadcast(src: Tensor, self: Tensor): void {
  const sizes = broadcast_sizes(self.sizes, src.sizes)
  if (!same_sizes(sizes, self.sizes))
    throw new RuntimeError(
      `output with shape [${self.sizes.join(', ')}] doesn't match the broadcast shape [${sizes.join(', ')}]`,
    )
}

/** Overwrites `self` with `src`, broadcast and converted. */
export const copy_: Op<[self: Tensor, src: Tensor, non_blocking?: boolean]> = make_batched_op(
  (...args: readonly unknown[]) => {
    const [self, src] = bind([copy_schema], args).values as [Tensor, Tensor]
    const recording = records([self, src])
    check_inplace(self, recording)
    if (!same_sizes(src.sizes, self.sizes)) require_broadcast(src, self)
    const edges = recording ? [edge_of(self), edge_of(src)] : []
    const overlap =
      src.memory.block === self.memory.block &&
      !(
        same_sizes(src.sizes, self.sizes) &&
        src.offset === self.offset &&
        src.strides.join() === self.strides.join()
      )
    copy_elements(self, overlap ? copy_apart(src) : src)
    bump_version(self)
    if (recording) {
      const { sizes, dtype } = src
      const own = self.sizes
      rebase_history(
        self,
        new FnNode('CopyBackwards', edges, ([g]) => [
          g ? g.new_zeros(own) : null,
          g ? reduce_to(g, sizes, dtype) : null,
        ]),
      )
    }
    return self
  },
  {
    name: 'copy_',
    schemas: [parse_schema('copy_(Tensor self, Tensor src, bool non_blocking=False)')],
    samples: undefined,
    differentiable: false,
  },
)
const copy_schema = parse_schema('copy_(Tensor self, Tensor src, bool non_blocking=False)')

function copy_apart(t: Tensor): Tensor {
  const out = empty(t.sizes, t.dtype)
  copy_elements(out, t)
  return out
}

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

/** A tensor of the same sizes and dtype with one value, a number or a 0-dim tensor. */
export const fill: Op<[input: Tensor, value: Number | Tensor]> = composite(
  ['fill(Tensor self, Tensor value)', 'fill(Tensor self, Scalar value)'],
  {
    body: (self: Tensor, value: Number | Tensor) => self.clone().fill_(value),
    samples: r => [
      [r(3, 4), 2],
      [r(3), r()],
    ],
  },
)
