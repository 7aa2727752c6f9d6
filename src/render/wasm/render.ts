// Kernels to WebAssembly modules. The module imports `env.memory` and exports `run(args)`, where `args` is the address
// of an argument block in that memory: slots of 8 bytes, first the range of the kernel's split loop (begin, end), then
// the address of each buffer's first element, then each parameter, all little-endian in the slot's low bytes. Behind
// them is room for the kernel's constants, which `run` writes itself.
// Not here: compiling and launching (device/wasm/).
import { topological } from '../../ir/expr.ts'
import type { Kernel } from '../../ir/kernel.ts'
import { inline_index_locals } from './affine.ts'
import { type Code, type Local, load, ModuleBuilder } from './assembler.ts'
import { type Features, KernelWriter } from './kernel_writer.ts'
import { legalise } from './legalise.ts'
import { value_type } from './scalar.ts'
import type { ForStmt } from './vector_plan.ts'

export type { Features } from './kernel_writer.ts'

/** The size that an argument block may have, constants included. */
export const ARGUMENT_BYTES = 32768
export const SLOT_BYTES = 8
/** The slot of the first buffer's address. */
export const FIRST_BUFFER = 2

/**
 * The loop whose range the first two slots choose: the only statement of the kernel but for declarations before it,
 * and its iterations are independent. Such a kernel may be run piece by piece. Its size, and those of the loops in it,
 * are functions of the parameters where they can be: index locals are written out.
 */
export function split_loop(kernel: Kernel): ForStmt | null {
  const last = inline_index_locals(kernel.body).at(-1)
  if (last?.kind !== 'for' || (last.mode !== 'parallel' && last.mode !== 'vector')) return null
  if (topological(last.size).some(e => e.op === 'var' || e.op === 'load' || e.type !== 'index')) return null
  return kernel.body.slice(0, -1).every(s => s.kind === 'declare') ? last : null
}

/**
 * Renders a lowered kernel as the bytes of a module.
 * Throws TypeError for a primitive that lower() should have decomposed.
 */
export function render_wasm(kernel: Kernel, features: Features): Uint8Array {
  const module = new ModuleBuilder(features.shared_memory)
  const run = module.func('run', ['i32'])
  const args = run.params[0]!.get
  const { buffers, params, body } = legalise(kernel, features.fused_madd === true)
  const slots = FIRST_BUFFER + buffers.length + params.length
  const writer = new KernelWriter(module, run, features, slots * SLOT_BYTES)

  const setup: Code[] = []
  const argument = (slot: number, type: 'i32' | 'i64' | 'f32' | 'f64'): Local => {
    const local = run.local(type)
    setup.push(local.set(load(`${type}.load`, args, slot * SLOT_BYTES)))
    return local
  }
  buffers.forEach((b, i) => void writer.buffers.set(b, argument(FIRST_BUFFER + i, 'i32')))
  params.forEach(
    (p, i) => void writer.params.set(p, argument(FIRST_BUFFER + buffers.length + i, value_type(p.type))),
  )

  const split = split_loop({ ...kernel, body })
  const main: Code = split
    ? [
        writer.statements(body.slice(0, -1)),
        writer.range(body.at(-1) as ForStmt, argument(0, 'i32').get, argument(1, 'i32')),
      ]
    : writer.statements(body)
  if (writer.argument_bytes > ARGUMENT_BYTES)
    throw new RangeError(`kernel ${kernel.name} has too many arguments and constants`)
  run.emit(...setup, writer.constant_setup(), main)
  return module.bytes()
}
