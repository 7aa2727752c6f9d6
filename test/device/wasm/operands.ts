// Operands for the tests of the wasm device.
import { type DType, float64 } from '../../../src/base/dtype.ts'
import type { MatrixRef, Operand } from '../../../src/device/device.ts'
import { allocate, type Storage } from '../../../src/device/storage.ts'

type Values = (i: number) => number

export const product = (sizes: readonly number[]): number => sizes.reduce((a, b) => a * b, 1)
export const contiguous = (sizes: readonly number[]): number[] =>
  sizes.map((_, d) => product(sizes.slice(d + 1)))

/** A window of a storage. */
export const view = (
  memory: Storage,
  dtype: DType,
  sizes: readonly number[],
  strides: readonly number[] = contiguous(sizes),
  offset = 0,
): Operand => ({ memory, dtype, sizes, strides, offset, count: product(sizes) })

/**
 * A new contiguous operand whose element i is f(i). JavaScript holds the memory of float64, so that it is copied for each
 * launch; others may stay in linear memory.
 */
export function operand(dtype: DType, sizes: readonly number[], f: Values = () => 0): Operand {
  const x = view(allocate(product(sizes) * dtype.itemsize), dtype, sizes)
  const array = dtype === float64 ? elements(x) : (x.memory.touch(dtype) as unknown as (number | bigint)[])
  for (let i = 0; i < x.count; i++) array[i] = dtype.name === 'int64' ? BigInt(f(i)) : f(i)
  return x
}

/** The whole storage of an operand. */
export const elements = (x: Operand): (number | bigint)[] =>
  x.memory.array(x.dtype) as unknown as (number | bigint)[]

export const contents = (x: Operand): (number | bigint)[] =>
  Array.from(x.memory.peek(x.dtype) as unknown as (number | bigint)[])

/** The matrices of an operand of sizes [batch, rows, columns]. */
export const matrices = (x: Operand): MatrixRef => ({
  storage: x.memory,
  offset: x.offset,
  batch_stride: x.strides[0]!,
  row_stride: x.strides[1]!,
  col_stride: x.strides[2]!,
})

/** Small whole numbers, so that sums are exact in any order. */
export const small: Values = i => ((i * 7919) % 13) - 6
