// where: elements of one tensor or another, by a condition. A function and a method whose arguments differ in order.
// Not here: filling by a mask (masked.ts).
import { ComplexScalar } from '../base/complex_scalar.ts'
import { bool, result_dtype, scalar_dtype } from '../base/dtype.ts'
import { RuntimeError } from '../base/errors.ts'
import type { LaunchValue } from '../device/device.ts'
import { complex, type Expr, variable } from '../ir/expr.ts'
import { compute_type, real_type, type ScalarType } from '../ir/types.ts'
import { Tensor } from '../tensor/tensor.ts'
import { apply_form, Form } from './define/form.ts'
import { real_number } from './define/numbers.ts'
import { type Op, overloaded } from './define/op.ts'
import { scalar_name } from './define/out.ts'
import type { Number } from './define/pointwise.ts'
import { nonzero } from './masked.ts'

type Other = Tensor | Number
type Out = { out?: Tensor }

/** The forms of where, by computing type and by which of the choices are numbers. */
const where_forms = new Map<string, Form>()

/** `condition ? self : other`, elementwise, on the tape. */
function choose(condition: Tensor, self: Other, other: Other): Tensor {
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

type WhereArgs = [condition: Tensor, self: Other, other: Other, opts?: Out]
const choice: Op<WhereArgs> = overloaded([['where(Tensor condition, any self, any other)', choose]], {
  samples: r => [
    [r.bools(3, 4), r(3, 4), r(4)],
    [r.bools(3, 1), r(4), 2.5],
    [r.bools(3), 1, r(3)],
    [r.bools(3), 1, 2],
  ],
})

/** `where(condition)`: the positions where it holds, as one index tensor a dimension. */
type Positions = (condition: Tensor) => Tensor[]

/**
 * Elements of `self` where `condition` (bool or uint8) holds, else of `other`; both may be numbers. With the condition
 * alone, the positions where it holds, one index tensor a dimension.
 */
export const where: Positions & Op<WhereArgs> = Object.assign(
  ((...args: [Tensor] | WhereArgs) =>
    args.length === 1 ? nonzero(args[0], { as_tuple: true }) : choice(...args)) as Positions &
    ((...args: WhereArgs) => Tensor),
  { op_name: 'where', spec: choice.spec },
)

/** `x.where(condition, y)` is `where(condition, x, y)`. */
export const where_method: Op<[self: Tensor, condition: Tensor, other: Other]> = overloaded(
  [
    [
      'where(Tensor self, Tensor condition, any other)',
      (self: Tensor, condition: Tensor, other: Other) => choose(condition, self, other),
    ],
  ],
  { samples: r => [[r(3, 4), r.bools(3, 4), r(4)]], out: false },
)
