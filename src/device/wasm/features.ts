// Which optional instructions the engine has. Where relaxed SIMD is behind a flag that can still be set (Node 20),
// it is set. Not here: what is rendered differently for it (render/wasm/).
import { env } from '../../base/flags.ts'
import { i32x4, ModuleBuilder, op } from '../../render/wasm/assembler.ts'
import type { Features } from '../../render/wasm/render.ts'

interface Flags {
  setFlagsFromString(flags: string): void
}
interface WithProcess {
  readonly process?: { getBuiltinModule?(name: string): unknown }
}

function has_relaxed_simd(): boolean {
  const module = new ModuleBuilder()
  const probe = module.func('probe', [], 'v128')
  const zero = i32x4(0, 0, 0, 0)
  probe.emit(op('f32x4.relaxed_madd', zero, zero, zero))
  return WebAssembly.validate(module.bytes())
}

function detect(): Features {
  if (env('TSTORCH_WASM_RELAXED') === '0') return { relaxed_simd: false }
  if (!has_relaxed_simd()) {
    const v8 = (globalThis as WithProcess).process?.getBuiltinModule?.('node:v8') as Flags | undefined
    v8?.setFlagsFromString('--experimental-wasm-relaxed-simd')
  }
  return { relaxed_simd: has_relaxed_simd() }
}

let known: Features | undefined

/** What the engine can do; found out once. TSTORCH_WASM_RELAXED=0 does without relaxed SIMD (results do not depend on
 *  the processor then). */
export const features = (): Features => (known ??= detect())
