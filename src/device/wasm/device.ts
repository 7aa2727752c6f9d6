// The CPU device that needs nothing but a WebAssembly engine: it works in every browser and in Node without a compiler.
// Tensors live in ordinary ArrayBuffers; kernels and routines work on copies of their operands in linear memory.
// Not here: rendering (render/wasm/), staging and launching (the other files of this folder).
import type { Device } from '../device.ts'
import { allocate } from '../storage.ts'
import { conv } from './conv.ts'
import { gemm } from './gemm.ts'
import { compile } from './launch.ts'
import { LinearMemory } from './memory.ts'
import { Engine } from './routines.ts'

/**
 * A new wasm device with a linear memory of its own, which grows to the largest launch so far and is never given back.
 * Launches throw OutOfMemoryError where their operands do not fit 4 GB.
 */
export function wasm_device(): Device {
  const engine = new Engine(new LinearMemory())
  return {
    backend: 'wasm',
    type: 'cpu',
    num_threads: 1,
    alloc: allocate,
    compile: kernel => compile(engine, kernel),
    gemm: problem => gemm(engine, problem),
    conv: problem => conv(engine, problem),
    synchronize() {},
  }
}
