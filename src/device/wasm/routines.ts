// The tuned routines of the wasm device, compiled at first use, one module for each float type.
// Not here: what they compute (render/wasm/), how they are called (gemm.ts, conv.ts).
import type { DType } from '../../base/dtype.ts'
import type { FloatType } from '../../render/wasm/gemm.ts'
import { type Routines, render_routines } from '../../render/wasm/routines.ts'
import { features } from './features.ts'
import type { LinearMemory } from './memory.ts'
import { Residents } from './residents.ts'
import { Stage } from './stage.ts'

/** The linear memory and the routines that work on it. */
export class Engine {
  readonly memory: LinearMemory
  readonly residents: Residents
  readonly stage: Stage
  readonly #routines = new Map<FloatType, Routines>()

  constructor(memory: LinearMemory, budget?: number) {
    this.memory = memory
    this.residents = new Residents(memory, budget)
    this.stage = new Stage(this.residents)
  }

  routines(type: FloatType): Routines {
    let routines = this.#routines.get(type)
    if (routines === undefined) {
      const module = new WebAssembly.Module(render_routines(type, features()))
      const instance = new WebAssembly.Instance(module, { env: { memory: this.memory.memory } })
      this.#routines.set(type, (routines = instance.exports as Routines))
    }
    return routines
  }
}

/** The type that the routines for a dtype compute in. Throws TypeError unless it is float32 or float64. */
export function float_type(dtype: DType): FloatType {
  if (dtype.name === 'float32') return 'f32'
  if (dtype.name === 'float64') return 'f64'
  throw new TypeError(`the tuned routines take float32 and float64, not ${dtype}`)
}
