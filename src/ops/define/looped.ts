// Elementwise functions of two operands that need a loop for each element, which no expression has: Euclid's
// algorithm, recurrences, series that converge. Not here: expressions (pointwise.ts).
import { type DType, float64, result_dtype, scalar_dtype } from '../../base/dtype.ts'
import { broadcast_sizes, same_sizes } from '../../base/shape.ts'
import type { Expr } from '../../ir/expr.ts'
import type { Builder } from '../../ir/kernel.ts'
import type { ScalarType } from '../../ir/types.ts'
import { empty, kernels } from '../../tensor/dispatch.ts'
import { Tensor } from '../../tensor/tensor.ts'
import { copy_elements, dense_as } from './copy.ts'
import { make_filled } from './create.ts'
import type { Number } from './pointwise.ts'
import { lift } from './rules.ts'

/** Broadcasts two tensors, converts them to `dtype` and computes each element of the result, of that dtype. */
export type Looped = (a: Tensor, b: Tensor, dtype: DType) => Tensor

/** Declares such a function. `write` emits the statements for one element and returns its value; it computes in `type`. */
export function looped(
  name: string,
  type: (dtype: DType) => ScalarType,
  write: (k: Builder, a: Expr, b: Expr) => Expr,
): Looped {
  const kernel = kernels(name, (k, dtype: DType) => {
    const out = k.output('out', dtype, 'flat')
    const a = k.input('a', dtype, 'flat')
    const b = k.input('b', dtype, 'flat')
    k.for(out.sizes[0] as Expr, 'parallel', i => {
      const load = (x: typeof a): Expr => k.local(type(dtype), x.at(i).cast(type(dtype)))
      k.store(out, [i], write(k, load(a), load(b)).cast(out.type))
    })
  })
  return (a, b, dtype) => {
    const out = empty(broadcast_sizes(a.sizes, b.sizes), dtype)
    if (out.count > 0) kernel(dtype)([out, spread(a, out), spread(b, out)], [])
    return out
  }
}

/** `x` contiguous, of the size and dtype of `like`. */
function spread(x: Tensor, like: Tensor): Tensor {
  if (same_sizes(x.sizes, like.sizes)) return dense_as(x, like.dtype)
  const full = empty(like.sizes, like.dtype)
  copy_elements(full, x)
  return full
}

/** `f` on tensors or numbers, in their promoted floating-point dtype. */
export function on_numbers(f: Looped, a: Tensor | Number, b: Tensor | Number): Tensor {
  const operand = (v: Tensor | Number) =>
    v instanceof Tensor ? v : { dtype: scalar_dtype(v), sizes: [], wrapped: true }
  const tensor = (v: Tensor | Number): Tensor => (v instanceof Tensor ? v : make_filled([], float64, v))
  return f(tensor(a), tensor(b), lift(result_dtype([operand(a), operand(b)])))
}
