// Drawing into memory of any layout: PyTorch draws elements in the order in which they lie.
// Not here: the numbers (words.ts and its users), the ops (random.ts, random_fill.ts).

import type { TypedArray } from '../../base/dtype.ts'
import { default_generator, type Generator } from '../../base/generator.ts'
import {
  coalesce,
  expand_strides,
  non_overlapping_and_dense,
  overlaps,
  same_sizes,
} from '../../base/shape.ts'
import type { Operand } from '../../device/device.ts'
import { empty } from '../../tensor/dispatch.ts'
import { alias, type Tensor } from '../../tensor/tensor.ts'
import { copy_elements } from '../define/copy.ts'
import { self_overlap } from '../define/out.ts'
import { not_implemented } from '../define/rules.ts'
import { fill_bernoulli_from } from './uniform.ts'

/**
 * Has `fill` write the elements of `t` in the order of memory, as an operand without gaps; `contiguous` tells it whether
 * that is row-major. Where memory has gaps it writes a block that is then spread over them. Throws where elements share
 * memory.
 */
export function draw_into(t: Tensor, fill: (out: Operand, contiguous: boolean) => void): void {
  if (t.dense) {
    fill(t, true)
    return
  }
  if (overlaps(t.sizes, t.strides)) throw self_overlap()
  if (non_overlapping_and_dense(t.sizes, t.strides)) {
    fill(t, false)
    return
  }
  const { sizes, strides_list } = coalesce(t.sizes, [t.strides])
  const block = empty(sizes, t.dtype)
  fill(block, false)
  copy_elements(alias(t, sizes, strides_list[0]), block)
}

/** The elements of `p`, broadcast to `t`, without gaps in the order in which {@link draw_into} draws those of `t`. */
function in_order_of(t: Tensor, p: Tensor): Tensor {
  if (t.dense && p.dense && same_sizes(t.sizes, p.sizes)) return p
  const strides = expand_strides(p.sizes, p.strides, t.sizes, p.dtype.tensor_type)
  const space = coalesce(t.sizes, [t.strides, strides])
  const block = empty(space.sizes, p.dtype)
  copy_elements(block, alias(p, space.sizes, space.strides_list[1]))
  return block
}

/** Fills `out`, the elements of `t` in order, with 1 with the probability at the same place of `p`, else 0. */
export function draw_bernoulli(g: Generator, out: Operand, t: Tensor, p: Tensor): void {
  if (t.dtype.is_complex) not_implemented('bernoulli_tensor_cpu_self_', t.dtype)
  if (!p.dtype.is_floating_point) not_implemented('bernoulli_tensor_cpu_p_', p.dtype)
  fill_bernoulli_from(g, out, in_order_of(t, p))
}

// ---------------------------------------------------------------------------------------------- from parameters

/** Gradients of draws from distributions: none, as zeros. */
export const zeros_for = (_: Tensor, [self]: readonly unknown[]): Tensor =>
  (self as Tensor).new_zeros((self as Tensor).sizes)

export const array_of = (t: Tensor): TypedArray =>
  t.memory.touch(t.dtype).subarray(t.offset, t.offset + t.count) as TypedArray
export const generator_of = (generator: Generator | null): Generator => generator ?? default_generator
