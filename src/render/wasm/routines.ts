// The module of tuned routines for one float type: matrix multiply and convolution. Like kernels it works on imported
// memory; its functions take plain numbers. Not here: calling them (device/wasm/).
import { ModuleBuilder } from './assembler.ts'
import { emit_conv } from './conv.ts'
import { emit_depthwise } from './depthwise.ts'
import { emit_gemm, type FloatType } from './gemm.ts'
import { emit_gemv } from './gemv.ts'
import type { Features } from './kernel_writer.ts'

/** The functions that the module exports; see gemm.ts, gemv.ts, conv.ts and depthwise.ts for their parameters. */
export type Routines = Readonly<
  Record<
    | 'pack_a'
    | 'pack_b'
    | 'product'
    | 'dots'
    | 'combine'
    | 'im2col'
    | 'pack_columns'
    | 'col2im'
    | 'zero'
    | 'gather'
    | 'axpy'
    | 'fill_rows'
    | 'depthwise_forward'
    | 'depthwise_input_grad'
    | 'depthwise_weight_grad',
    (...args: number[]) => void
  >
>

/** Renders the routines for f32 or f64 as the bytes of a module. */
export function render_routines(type: FloatType, features: Features): Uint8Array {
  const module = new ModuleBuilder(features.shared_memory)
  emit_gemm(module, type, features.relaxed_simd)
  emit_gemv(module, type, features.relaxed_simd)
  const runs = emit_conv(module, type, features.relaxed_simd)
  emit_depthwise(module, type, features.relaxed_simd, runs)
  return module.bytes()
}
