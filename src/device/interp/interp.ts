// The reference device: kernels run in the interpreter, matrix multiply and convolution are plain loops that sum in
// float64. Slow; the other devices are tested against it, and it checks every memory access of a kernel.

import { interpret, type Memory } from '../../ir/interpret.ts'
import type { Kernel, Param } from '../../ir/kernel.ts'
import type { Value } from '../../ir/value.ts'
import type { Device, Executable, LaunchValue, Operand } from '../device.ts'
import { allocate } from '../storage.ts'
import { conv } from './conv.ts'
import { gemm } from './gemm.ts'

/** A device that interprets. `compile` throws for a kernel that breaks a rule of the IR, a launch for one that
 * addresses what is outside of an operand. */
export function interp_device(): Device {
  return {
    backend: 'interp',
    type: 'cpu',
    num_threads: 1,
    alloc: allocate,
    compile,
    gemm,
    conv,
    synchronize: () => {},
  }
}

function compile(kernel: Kernel): Executable {
  const run = interpret(kernel)
  return (operands, values) => {
    if (operands.length !== kernel.buffers.length)
      throw new Error(`kernel ${kernel.name} takes ${kernel.buffers.length} operands, got ${operands.length}`)
    kernel.buffers.forEach((buffer, i) => {
      const { dtype } = operands[i]!
      if (dtype !== buffer.dtype)
        throw new Error(`kernel ${kernel.name}: ${buffer.name} is ${buffer.dtype}, got ${dtype}`)
    })
    run(operands.map(memory_of), arguments_of(kernel, operands, values))
  }
}

/** The window of its storage that an operand's sizes and strides can reach. */
function memory_of({ memory, offset, sizes, strides, count, dtype }: Operand): Memory {
  const array = memory.array(dtype)
  if (count === 0) return { array, offset, lowest: 0, highest: -1 }
  let lowest = 0
  let highest = 0
  sizes.forEach((size, d) => {
    const extent = (size - 1) * strides[d]!
    if (extent < 0) lowest += extent
    else highest += extent
  })
  if (offset + lowest < 0 || offset + highest >= array.length)
    throw new RangeError(
      `an operand of elements ${offset + lowest} to ${offset + highest} in a storage of ${array.length}`,
    )
  return { array, offset, lowest, highest }
}

/** Sizes, strides and values as the kernel's params take them. */
function arguments_of(kernel: Kernel, operands: readonly Operand[], values: readonly LaunchValue[]): Value[] {
  let next = 0
  const params: Value[] = []
  for (const { name, type, source } of kernel.params) {
    if (source.kind === 'value') {
      const value = values[next++]
      if (value === undefined) throw new Error(`kernel ${kernel.name}: no value for ${name}`)
      params.push(to_value(value, type))
      continue
    }
    const { count, sizes, strides } = operands[source.buffer]!
    const value = source.kind === 'numel' ? count : (source.kind === 'size' ? sizes : strides)[source.dim]
    if (value === undefined)
      throw new Error(`kernel ${kernel.name}: ${name} of an operand of ${sizes.length} dimensions`)
    params.push(value)
  }
  if (next !== values.length)
    throw new Error(`kernel ${kernel.name} takes ${next} values, got ${values.length}`)
  return params
}

function to_value(value: LaunchValue, type: Param['type']): Value {
  switch (type) {
    case 'bool':
      return Boolean(value)
    case 'i64':
      return BigInt.asIntN(64, BigInt(value))
    case 'i32':
      return Number(value) | 0
    case 'f32':
      return Math.fround(Number(value))
    default:
      return Number(value)
  }
}
