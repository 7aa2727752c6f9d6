// The tuned routines of the wasm device, compiled at first use, one module for each float type.
// Not here: what they compute (render/wasm/), how they are called (gemm.ts, conv.ts).
import type { DType } from '../../base/dtype.ts'
import type { FloatType } from '../../render/wasm/gemm.ts'
import { type Routines, render_routines } from '../../render/wasm/routines.ts'
import { features } from './features.ts'
import type { LinearMemory } from './memory.ts'
import { Residents } from './residents.ts'
import { Stage } from './stage.ts'
import { SharedModule, Threads } from './threads.ts'

/** The linear memory and the routines that work on it. */
export class Engine {
  readonly memory: LinearMemory
  readonly residents: Residents
  readonly stage: Stage
  readonly threads: Threads
  readonly #routines = new Map<FloatType, SharedModule>()

  constructor(memory: LinearMemory, budget?: number) {
    this.memory = memory
    this.threads = new Threads(memory, () => this.residents.search_meanwhile())
    this.residents = new Residents(memory, budget, () => this.threads.count > 1)
    this.stage = new Stage(this.residents)
  }

  readonly module = (type: FloatType): SharedModule => {
    let module = this.#routines.get(type)
    if (module === undefined) {
      module = new SharedModule(render_routines(type, features()), this.memory.memory)
      this.#routines.set(type, module)
    }
    return module
  }

  readonly routines = (type: FloatType): Routines => this.module(type).exports as Routines
}

/** The type that the routines for a dtype compute in. Throws TypeError unless it is float32 or float64. */
export function float_type(dtype: DType): FloatType {
  if (dtype.name === 'float32') return 'f32'
  if (dtype.name === 'float64') return 'f64'
  throw new TypeError(`the tuned routines take float32 and float64, not ${dtype}`)
}
