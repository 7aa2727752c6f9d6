// Elementwise choice by a condition, on the tape: what where is, as a function and as a method.
import { ComplexScalar } from '../../base/complex_scalar.ts'
import { bool, result_dtype, scalar_dtype } from '../../base/dtype.ts'
import { RuntimeError } from '../../base/errors.ts'
import type { LaunchValue } from '../../device/device.ts'
import { complex, type Expr, variable } from '../../ir/expr.ts'
import { compute_type, real_type, type ScalarType } from '../../ir/types.ts'
import { Tensor } from '../../tensor/tensor.ts'
import { apply_form, Form } from './form.ts'
import { real_number } from './numbers.ts'
import { scalar_name } from './out.ts'
import type { Number } from './pointwise.ts'

export type Other = Tensor | Number

/** The forms of where, by computing type and by which of the choices are numbers. */
const where_forms = new Map<string, Form>()

/** `condition ? self : other`, elementwise, on the tape. */
export function choose(condition: Tensor, self: Other, other: Other): Tensor {
  if (condition.dtype !== bool && condition.dtype.name !== 'uint8')
    throw new RuntimeError(
      `where expected condition to be a boolean tensor, but got a tensor with dtype ${scalar_name(condition.dtype)}`,
    )
  const choices = [self, other]
  const dtype = result_dtype(
    choices.map(v => (v instanceof Tensor ? v : { dtype: scalar_dtype(v), sizes: [], wrapped: true })),
  )
  const type = compute_type(dtype)
  const kind = (v: Other): string => (v instanceof Tensor ? 'x' : v instanceof ComplexScalar ? 'c' : 's')
  const key = `where_${type}_${choices.map(kind).join('')}`
  let form = where_forms.get(key)
  if (form === undefined) {
    const mask = variable('bool', 'x')
    const operands = [mask]
    const scalars: Expr[] = []
    const declare = (list: Expr[], of: ScalarType): Expr => {
      const e = variable(of)
      list.push(e)
      return e
    }
    const [a, b] = choices.map(v => {
      if (v instanceof Tensor) return declare(operands, type)
      const real = declare(scalars, real_type(type))
      return v instanceof ComplexScalar ? complex(real, declare(scalars, real_type(type))) : real.cast(type)
    }) as [Expr, Expr]
    form = new Form(key, 'WhereBackward0', operands, scalars, mask.where(a, b))
    where_forms.set(key, form)
  }
  const tensors = choices.filter(v => v instanceof Tensor)
  const numbers = choices.flatMap((v): LaunchValue[] => {
    if (v instanceof Tensor) return []
    return v instanceof ComplexScalar ? [v.real, v.imag] : [real_number(v, dtype)]
  })
  return apply_form(form, [condition, ...tensors], numbers, dtype, null)
}
