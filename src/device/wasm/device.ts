// The CPU device that needs nothing but a WebAssembly engine: it works in every browser and in Node without a compiler.
// Kernels and routines work in linear memory. There storages stay, as long as JavaScript does not hold them; what it holds
// lives in ordinary ArrayBuffers and is copied for each launch.
// Not here: rendering (render/wasm/), staging and launching (the other files of this folder).
import type { Device } from '../device.ts'
import { allocate, keep_elsewhere } from '../storage.ts'
import { conv } from './conv.ts'
import { features } from './features.ts'
import { gemm } from './gemm.ts'
import { compile } from './launch.ts'
import { LinearMemory } from './memory.ts'
import { Engine } from './routines.ts'

/**
 * A new wasm device with a linear memory of its own, which grows as needed and is never given back. Storages of up to
 * `budget` bytes in all stay there. Launches throw OutOfMemoryError where their operands do not fit 4 GB.
 */
export function wasm_device(budget?: number): Device {
  const engine = new Engine(new LinearMemory(), budget)
  const { residents } = engine
  keep_elsewhere(features().shared_memory ? nbytes => residents.slab(nbytes) : null)
  return {
    backend: 'wasm',
    type: 'cpu',
    get num_threads() {
      return engine.threads.count
    },
    set num_threads(n) {
      engine.threads.count = n
    },
    alloc: allocate,
    compile: kernel => compile(engine, kernel),
    gemm: problem => gemm(engine, problem),
    conv: problem => conv(engine, problem),
    synchronize() {},
  }
}
