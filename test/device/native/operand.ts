// Operands for tests of the native device: tensors without a tensor library.
import type { DType } from '../../../src/base/dtype.ts'
import type { Operand } from '../../../src/device/device.ts'
import { type NativeDevice, native_device } from '../../../src/device/native/device.ts'
import { NativeUnavailableError } from '../../../src/device/native/node.ts'
import { allocate_zeroed } from '../../../src/device/storage.ts'

/** The native device, or undefined where it cannot be had: a machine without a C compiler. Its tests are skipped there. */
export const native: NativeDevice | undefined = (() => {
  try {
    return native_device()
  } catch (error) {
    if (error instanceof NativeUnavailableError) return undefined
    throw error
  }
})()

export type Number = number | bigint

/** A contiguous operand with these elements, as its typed array has them; zeros where none are given. */
export function operand(dtype: DType, sizes: readonly number[], data: readonly Number[] = []): Operand {
  const count = sizes.reduce((a, b) => a * b, 1)
  const memory = allocate_zeroed(count * dtype.itemsize)
  const array = memory.array(dtype)
  data.forEach((x, i) => {
    array[i] = x
  })
  const strides = sizes.map((_, d) => sizes.slice(d + 1).reduce((a, b) => a * b, 1))
  return { memory, offset: 0, sizes, strides, count, dtype }
}

export const contents = (x: Operand): Number[] => Array.from(x.memory.array(x.dtype) as Float32Array)

/** Numbers from -1 to 1, the same in every run. */
export function noise(count: number, seed = 1): number[] {
  let state = seed
  return Array.from({ length: count }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return state / 2 ** 31 - 1
  })
}

/** Integers from -4 to 4, with which float sums are exact. */
export const small_integers = (count: number, seed = 1): number[] =>
  noise(count, seed).map(x => Math.round(x * 4))
