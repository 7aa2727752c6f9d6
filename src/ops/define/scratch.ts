// Memory that a kernel needs only while it runs: kept from call to call, because new memory is not in any cache and
// is freed only by a collection. Not here: memory of results (tensor/dispatch.ts).
import type { DType } from '../../base/dtype.ts'
import { contiguous_strides } from '../../base/shape.ts'
import type { Operand } from '../../device/device.ts'
import { allocate, type Storage } from '../../device/storage.ts'

/** Larger blocks are not kept. */
const MOST_BYTES = 8 * 2 ** 20
const kept: Storage[] = []

/**
 * A contiguous operand of unspecified values, to be used by the kernels of one call of an op; operands that are used
 * together have different slots.
 */
export function scratch(slot: number, sizes: readonly number[], dtype: DType): Operand {
  const count = sizes.reduce((n, size) => n * size, 1)
  const nbytes = count * dtype.itemsize
  let memory = kept[slot]
  if (memory === undefined || memory.nbytes < nbytes) {
    memory = allocate(nbytes > MOST_BYTES ? nbytes : 2 ** Math.ceil(Math.log2(Math.max(nbytes, 4096))))
    memory.owned = true // by this module: a backward pass may not give it away
    if (nbytes <= MOST_BYTES) kept[slot] = memory
  }
  return { memory, offset: 0, sizes, strides: contiguous_strides(sizes), count, dtype }
}
