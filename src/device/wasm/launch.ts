// Compiled kernels of the wasm device: stages the operands, fills the argument block, runs, copies back. A kernel whose
// outermost loop may be split runs in pieces whose operands fit the cache, where the operands are large.
// Not here: rendering (render/wasm/), which bytes are copied (stage.ts).
import type { Kernel, Param } from '../../ir/kernel.ts'
import { lower } from '../../lower/lower.ts'
import { cost_of } from '../../lower/split.ts'
import { FIRST_BUFFER, render_wasm, split_loop } from '../../render/wasm/render.ts'
import type { Executable, LaunchValue, Operand } from '../device.ts'
import { features } from './features.ts'
import type { LinearMemory } from './memory.ts'
import type { Engine } from './routines.ts'
import { slices, WHOLE } from './slices.ts'
import { SharedModule } from './threads.ts'
import { part_length, value_of, work_of } from './work.ts'

/** Operands of more bytes in all than this are staged piece by piece, in pieces of about so many bytes. */
const PIECE_BYTES = 256 * 1024

/** Where no operand has more elements than this, the work is not worth being shared, or looked at. */
const SMALL = 2048

/** Compiles a kernel for launches on the engine's memory. */
export function compile({ memory, stage, threads, residents }: Engine, kernel: Kernel): Executable {
  const lowered = lower(kernel)
  const module = new SharedModule(render_wasm(lowered, features()), memory.memory)
  const run = module.exports['run'] as (args: number) => void
  const { buffers, params } = kernel
  const first_param = FIRST_BUFFER + buffers.length
  const split = split_loop(lowered)
  const size = split ? value_of(split.size, params, first_param) : () => 0
  const dims = split ? slices(lowered, split) : buffers.map(() => WHOLE)
  const can_split = dims.some(d => d !== WHOLE)
  const arg_words = (first_param + params.length) * 2
  const work = split ? work_of(cost_of(split), params, first_param) : () => 0

  /** Stages what iterations `begin` to `end` touch, or everything. */
  const stage_range = (operands: readonly Operand[], part: boolean, begin: number, end: number): void => {
    memory.reset()
    stage.clear()
    for (let i = 0; i < buffers.length; i++)
      stage.add(operands[i]!, buffers[i]!.access, part ? dims[i]! : WHOLE, begin, end)
  }
  const run_range = (begin: number, end: number, n: number): void => {
    stage.copy_in()
    const { i32 } = memory
    i32[0] = begin
    i32[2] = end
    for (let i = 0; i < buffers.length; i++) i32[(FIRST_BUFFER + i) * 2] = stage.address(i)
    const length = end - begin === n ? part_length(n, work(i32)) : n
    if (length < n) threads.run_kernel(module, arg_words, n, length)
    else run(0)
    stage.copy_out()
  }

  const writes = buffers.map(b => b.access !== 'in')
  /** Runs on operands that are all in linear memory; returns false if one is not. */
  const run_in_place = (operands: readonly Operand[]): boolean => {
    const { i32 } = memory
    let most = 0
    for (let i = 0; i < writes.length; i++) {
      const { memory: storage, offset, count, dtype } = operands[i]!
      const base = residents.find(storage.block, writes[i]!)
      if (base === null) return false
      i32[(FIRST_BUFFER + i) * 2] = base + storage.byte_offset + offset * dtype.itemsize
      if (count > most) most = count
    }
    const n = size(i32)
    i32[0] = 0
    i32[2] = n
    const length = most > SMALL ? part_length(n, work(i32)) : n
    if (length < n) threads.run_kernel(module, arg_words, n, length)
    else run(0)
    return true
  }

  return (operands, values) => {
    memory.begin()
    write_params(memory, params, first_param, operands, values)
    if (run_in_place(operands)) return
    stage_range(operands, false, 0, 0)
    const n = size(memory.i32)
    const total = stage.bytes
    const length = total > PIECE_BYTES && can_split ? piece_length((n * PIECE_BYTES) / total) : n
    let in_pieces = length < n
    if (in_pieces) {
      // worth it unless each piece needs much of the same
      stage_range(operands, true, 0, length)
      in_pieces = stage.bytes * Math.ceil(n / length) <= 2 * total
      if (!in_pieces) stage_range(operands, false, 0, 0)
    }
    if (!in_pieces) run_range(0, n, n)
    else
      for (let begin = 0; begin < n; begin += length) {
        const end = Math.min(begin + length, n)
        stage_range(operands, true, begin, end)
        run_range(begin, end, n)
      }
    stage.clear()
  }
}

/** A whole number of vectors, where it is not just a few iterations. */
function piece_length(iterations: number): number {
  const n = Math.max(1, Math.floor(iterations))
  return n > 64 ? n - (n % 64) : n
}

function write_params(
  memory: LinearMemory,
  params: readonly Param[],
  first_slot: number,
  operands: readonly Operand[],
  values: readonly LaunchValue[],
): void {
  const { i32 } = memory
  let value = 0
  for (let i = 0; i < params.length; i++) {
    const { source, type } = params[i]!
    const slot = first_slot + i
    switch (source.kind) {
      case 'size':
        i32[slot * 2] = operands[source.buffer]!.sizes[source.dim]!
        break
      case 'stride':
        i32[slot * 2] = operands[source.buffer]!.strides[source.dim]!
        break
      case 'numel':
        i32[slot * 2] = operands[source.buffer]!.count
        break
      default: {
        const x = values[value++]!
        if (type === 'f32') memory.f32[slot * 2] = Number(x)
        else if (type === 'f64') memory.f64[slot] = Number(x)
        else if (type === 'i64') memory.i64[slot] = BigInt(x)
        else i32[slot * 2] = Number(x)
      }
    }
  }
}
