// Iteration spaces of strided kernels: windows on tensors with collapsed dimensions, and the class of their inner
// stride, by which kernels are specialised. Not here: the arithmetic of collapsing (base/shape.ts).
import type { Operand } from '../../device/device.ts'

/** The operand that a kernel sees: the memory of `t` under other sizes and strides. */
export function window(
  t: Operand,
  sizes: readonly number[],
  strides: readonly number[],
  offset: number = t.offset,
): Operand {
  let count = 1
  for (const size of sizes) count *= size
  return { memory: t.memory, offset, sizes, strides, count, dtype: t.dtype }
}

/** The layout entry for an inner stride class: '1' contiguous, '0' broadcast, 'x' any. */
export const inner_stride = (kind: string): { inner?: 0 | 1 } =>
  kind === '1' ? { inner: 1 } : kind === '0' ? { inner: 0 } : {}

/** The class of the last of `strides`. */
export function inner_class(strides: readonly number[]): '0' | '1' | 'x' {
  const last = strides[strides.length - 1]
  return last === 1 ? '1' : last === 0 ? '0' : 'x'
}
