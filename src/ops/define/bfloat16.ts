// Ops that PyTorch computes in bfloat16 with a rounding after each step, where others round once at the end: their
// declaration for that dtype. Not here: storage, which rounds by itself.
import { bfloat16 } from '../../base/dtype.ts'
import type { Expr } from '../../ir/expr.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { composite, type Op, type Samples } from './op.ts'

/** The nearest bfloat16, as a float32. */
export function round_to_bfloat16(e: Expr): Expr {
  const bits = e.bitcast('i32')
  return bits.add(bits.ushr(16).and(1)).add(0x7fff).and(-0x10000).bitcast('f32')
}

/** `plain`, but for bfloat16 tensors `stepwise`. */
export function by_steps<A extends readonly [Tensor, ...unknown[]]>(
  signature: string,
  plain: Op<A>,
  stepwise: Op<A>,
): Op<A> {
  const choose = (...args: A): Tensor => (args[0].dtype === bfloat16 ? stepwise : plain)(...args)
  return composite<A>(signature, {
    body: choose as unknown as (...values: never[]) => Tensor,
    samples: plain.spec.samples as Samples<NoInfer<A>>,
  })
}
