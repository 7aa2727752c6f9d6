// Copies on the tape: clone, contiguous, detach, and copy_, which overwrites.
// Not here: conversions between dtypes (convert.ts), copying outside of the tape (define/copy.ts).

import { RuntimeError } from '../base/errors.ts'
import type { MemoryFormat } from '../base/memory_format.ts'
import { broadcast_sizes, same_sizes } from '../base/shape.ts'
import { empty } from '../tensor/dispatch.ts'
import { bind, parse_schema } from '../tensor/schema.ts'
import { bump_version, edge_of, records } from '../tensor/tape.ts'
import { alias, type Tensor } from '../tensor/tensor.ts'
import { copy_elements } from './define/copy.ts'
import { empty_as } from './define/create.ts'
import { FnNode } from './define/fn_node.ts'
import { make_batched_op, type Op, op } from './define/op.ts'
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
