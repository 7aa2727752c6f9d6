// Which optional instructions the engine has, and whether it has memory that threads share. Where relaxed SIMD is behind
// a flag that can still be set (Node 20), it is set. Not here: what is rendered differently for it (render/wasm/).
import { env } from '../../base/flags.ts'
import { f32, f64, i32x4, lane, ModuleBuilder, op } from '../../render/wasm/assembler.ts'
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

/** Whether relaxed products and sums are rounded once, as on every processor that has an instruction for it. */
function has_fused_madd(): boolean {
  const module = new ModuleBuilder()
  for (const [type, literal, e] of [
    ['f32', f32, 2 ** -23],
    ['f64', f64, 2 ** -52],
  ] as const) {
    const s = type === 'f32' ? 'f32x4' : 'f64x2'
    const all = (x: number) => op(`${s}.splat`, literal(x))
    const lost = op(`${s}.relaxed_madd`, all(1 + e), all(1 + e), all(-1 - 2 * e))
    module.func(type, [], type).emit(lane(`${s}.extract_lane`, 0, lost))
  }
  const memory = new WebAssembly.Memory({ initial: 1 })
  const compiled = new WebAssembly.Module(module.bytes())
  const { exports } = new WebAssembly.Instance(compiled, { env: { memory } })
  const { f32: of_floats, f64: of_doubles } = exports as Record<'f32' | 'f64', () => number>
  return of_floats() === 2 ** -46 && of_doubles() === 2 ** -104
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
  const relaxed_simd = has_relaxed_simd()
  return { relaxed_simd, fused_madd: relaxed_simd && has_fused_madd(), shared_memory }
}

let known: Features | undefined

/** What the engine can do; found out once. TSTORCH_WASM_RELAXED=0 does without relaxed SIMD (results do not depend on
 *  the processor then). */
export const features = (): Features => (known ??= detect())
