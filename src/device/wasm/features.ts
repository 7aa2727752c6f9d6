// Which optional instructions the engine has, and whether it has memory that threads share. Where relaxed SIMD is behind a flag that can still be set (Node 20),
// it is set. Not here: what is rendered differently for it (render/wasm/).
import { env } from '../../base/flags.ts'
import { i32x4, ModuleBuilder, op } from '../../render/wasm/assembler.ts'
import type { Features } from '../../render/wasm/render.ts'

interface Flags {
  setFlagsFromString(flags: string): void
}
interface WithProcess {
  readonly process?: { getBuiltinModule?(name: string): unknown }
  readonly Worker?: unknown
}

function has_relaxed_simd(): boolean {
  const module = new ModuleBuilder()
  const probe = module.func('probe', [], 'v128')
  const zero = i32x4(0, 0, 0, 0)
  probe.emit(op('f32x4.relaxed_madd', zero, zero, zero))
  return WebAssembly.validate(module.bytes())
}

/** Whether there are workers, and memory that they can share: pages have both where they are isolated from others. */
function has_shared_memory(): boolean {
  try {
    const { buffer } = new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true })
    const { process, Worker } = globalThis as WithProcess
    const has_workers = process?.getBuiltinModule?.('node:worker_threads') ?? Worker
    return buffer instanceof SharedArrayBuffer && has_workers !== undefined
  } catch {
    return false
  }
}

function detect(): Features {
  const shared_memory = has_shared_memory()
  if (env('TSTORCH_WASM_RELAXED') === '0') return { relaxed_simd: false, shared_memory }
  if (!has_relaxed_simd()) {
    const v8 = (globalThis as WithProcess).process?.getBuiltinModule?.('node:v8') as Flags | undefined
    v8?.setFlagsFromString('--experimental-wasm-relaxed-simd')
  }
  return { relaxed_simd: has_relaxed_simd(), shared_memory }
}

let known: Features | undefined

/** What the engine can do; found out once. TSTORCH_WASM_RELAXED=0 does without relaxed SIMD (results do not depend on
 *  the processor then). */
export const features = (): Features => (known ??= detect())
