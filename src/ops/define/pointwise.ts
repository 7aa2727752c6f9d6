// Declares elementwise ops. One declaration gives the function and method, broadcasting, type promotion, scalars,
// out=, every device, the derivative (and its derivatives), gradcheck's samples and the docs' example.
// Not here: the machinery that applies them (form.ts), in-place forms (inplace.ts).
import { ComplexScalar } from '../../base/complex_scalar.ts'
import {
  bool,
  type DType,
  FloatScalar,
  get_default_dtype,
  int8,
  int16,
  is_plain_number,
  type PlainNumber,
  result_dtype,
  scalar_dtype,
  to_real_dtype,
  uint8,
} from '../../base/dtype.ts'
import { RuntimeError } from '../../base/errors.ts'
import { broadcast_sizes, same_sizes } from '../../base/shape.ts'
import type { LaunchValue } from '../../device/device.ts'
import { NoComplexMeaning, realify } from '../../ir/complex.ts'
import { complex, constant, type Expr, variable } from '../../ir/expr.ts'
import {
  type ComplexType,
  compute_type,
  is_complex,
  is_float,
  real_type,
  type ScalarType,
} from '../../ir/types.ts'
import { refuse_batched_out } from '../../tensor/batched.ts'
import { empty } from '../../tensor/dispatch.ts'
import { bind_one, parse_schema, type Schema } from '../../tensor/schema.ts'
import { bump_version, modes } from '../../tensor/tape.ts'
import { Tensor } from '../../tensor/tensor.ts'
import {
  apply_form,
  apply_gradient,
  arithmetic_type,
  Form,
  FormNode,
  flat_kernel,
  NOT_DIFFERENTIABLE,
  reads_for_backward,
  record_form,
  run_form,
} from './form.ts'
import { real_number } from './numbers.ts'
import { add_out, make_op, node_name, type Op, refuse_out_with_grad, type Samples, type Spec } from './op.ts'
import { require_castable, resize_out } from './out.ts'

/**
 * promote: the operands' promoted dtype. float: the same, with integers lifted to the default dtype. bool: computed
 * in the promoted dtype, gives bool. A function decides from the promoted dtype and the bound values (and may throw).
 */
export type DTypeRule =
  | 'promote'
  | 'float'
  | 'bool'
  | ((promoted: DType, values: readonly unknown[]) => DType)

/** A number, or what stands for one. */
export type Number = PlainNumber

/** What `forward` gets for each parameter: an expression for tensors and Scalars, else the value itself. */
type Lift<T> = T extends Tensor ? Expr : T extends FloatScalar | ComplexScalar ? never : T

export type PointwiseDef<A extends readonly unknown[], V extends readonly unknown[]> = {
  readonly dtype?: DTypeRule
  /** Compute bools as bools (logical ops); otherwise they are computed as integers. */
  readonly logical?: boolean
  /** One element of the result. Parameters as in the signature: tensors and Scalars are expressions. */
  readonly forward: (...args: V) => Expr
  /** Only to save memory (read `out`) or to fix a subgradient; otherwise it is d(forward). An entry per tensor. */
  readonly backward?: (g: Expr, args: V, out: Expr) => (Expr | null)[]
  /** False where PyTorch has no derivative: backward then throws. */
  readonly differentiable?: boolean
  /** Whether a number may stand for the first tensor. */
  readonly number_first?: boolean
  /** Numbers may stand for no tensor at all. */
  readonly tensors_only?: boolean
  /** Numbers in the place of tensors that kernels are specialised for. */
  readonly constants?: readonly number[]
  readonly samples?: Samples<NoInfer<A>>
  /** PyTorch's name for the node, where it is not the op's name with Backward0. `numbers`: which are plain numbers. */
  readonly node?: string | ((numbers: readonly boolean[], values: readonly unknown[]) => string)
  /** Called on the bound values before anything runs: for the errors that only this op has. */
  readonly check?: (...values: never[]) => void
  /** The same, but not called where there are only tensors, and options have their defaults. */
  readonly check_options?: (...values: never[]) => void
}

/** A complex number is a pair of scalars. */
type Slot = { readonly kind: 'tensor' | 'scalar' | 'static' | 'pair'; readonly index: number }

/** One call, taken apart: the operands, and the run-time scalars. */
type Call = { form: Form; xs: Tensor[]; values: LaunchValue[]; dtype: DType }

/**
 * Declares an elementwise op. `signature` names the parameters; those of type Tensor also take numbers, those of
 * type Scalar become run-time arguments of the kernel, or constants where they have their default value.
 */
export function pointwise<A extends readonly unknown[], V extends readonly unknown[] = readonly Expr[]>(
  signature: string,
  def: PointwiseDef<A, V>,
): Op<A> {
  const numbers = (type: string, q: string, n: string): string =>
    def.tensors_only || (n === 'self' && !def.number_first) ? `${type}${q} ${n}` : `any${q} ${n}`
  const schema = parse_schema(
    signature.replaceAll(/\b(Tensor)(\??) (\w+)/g, (_, type: string, q: string, n: string) =>
      numbers(type, q, n),
    ),
  )
  // Read off the text: the schema itself is parsed when the op is first called.
  const params = signature
    .slice(signature.indexOf('(') + 1, -1)
    .split(', ')
    .filter(p => p !== '*')
  const is_operand = params.map(p => /^Tensor\b/.test(p))
  const required = params.filter(p => !p.includes('=')).length
  const operand_count = is_operand.filter(Boolean).length
  const takes_out = parse_schema(add_out(schema.text))
  const rule = def.dtype ?? 'promote'
  const forms = new Map<string, Form>()
  const { name } = schema

  /** Forms of calls whose options have their defaults, by computing type and the kinds of arguments. */
  const usual_forms: (Form | undefined)[] = []

  /** The form for what the arguments are; `type` is the computing type. `code`: see `kinds_of`. */
  function form_for(values: readonly unknown[], type: ScalarType, code: number): Form {
    if (code < 0) return unusual_form(values, type)
    return (usual_forms[code * 8 + TYPE_CODES[type]] ??= unusual_form(values, type))
  }

  /** Two bits for each value, tensor, scalar or static, as a number; -1 where a static one is not the default. */
  function kinds_of(values: readonly unknown[]): number {
    let code = 1
    for (let i = 0; i < values.length; i++) {
      const v = values[i]
      const kind = kind_of(v, i)
      if (kind === 'static' && v !== schema.params[i]!.default) return -1
      code = code * 4 + KIND_CODES[kind]
    }
    return code
  }

  function unusual_form(values: readonly unknown[], type: ScalarType): Form {
    const slots = values.map((v, i) => slot_of(v, i))
    const statics = slots.flatMap((s, i) => (s.kind === 'static' ? [`${i}=${String(values[i])}`] : []))
    const key = `${type}|${slots.map(s => s.kind[0]).join('')}|${statics.join()}`
    let form = forms.get(key)
    if (form === undefined) {
      form = make_form(values, slots, type)
      forms.set(key, form)
    }
    return form
  }

  function kind_of(v: unknown, index: number): Slot['kind'] {
    if (v instanceof Tensor) return 'tensor'
    const param = schema.params[index]!
    if (v === null || typeof v === 'string') return 'static'
    if (v instanceof ComplexScalar) return 'pair'
    if (is_operand[index]) return def.constants?.includes(v as number) ? 'static' : 'scalar'
    return param.type === 'Scalar' && v !== param.default ? 'scalar' : 'static'
  }

  const slot_of = (v: unknown, index: number): Slot => ({ kind: kind_of(v, index), index })

  function make_form(values: readonly unknown[], slots: readonly Slot[], type: ScalarType): Form {
    const operands: Expr[] = []
    const scalars: Expr[] = []
    const args = slots.map(({ kind, index }) => {
      const value = values[index]
      if (kind === 'pair') {
        const pair = [variable(real_type(type), 's'), variable(real_type(type), 's')] as const
        scalars.push(...pair)
        return complex(...pair)
      }
      if (kind === 'tensor' || kind === 'scalar') {
        const e = variable(kind === 'tensor' ? type : real_type(type), kind === 'tensor' ? 'x' : 's')
        ;(kind === 'tensor' ? operands : scalars).push(e)
        return e.cast(type)
      }
      const param = schema.params[index]!
      const constants = param.type === 'Scalar' || is_operand[index]
      return constants && value !== null ? constant(value as number, type) : value
    }) as unknown as V
    const numbers = slots.filter(s => is_operand[s.index]).map(s => s.kind !== 'tensor')
    const named = typeof def.node === 'function' ? def.node(numbers, values) : (def.node ?? node_name(name))
    const node = def.differentiable === false ? NOT_DIFFERENTIABLE : named
    const { backward } = def
    const derive =
      backward &&
      ((g: Expr, out: Expr) => {
        const grads = backward(g, args, out)
        return slots
          .filter(s => is_operand[s.index])
          .flatMap((s, i) => (s.kind === 'tensor' ? [grads[i] ?? null] : []))
      })
    const unique = `${name}_${type}${forms.size === 0 ? '' : `_${forms.size}`}`
    const body = def.forward(...args)
    if (is_complex(type)) require_complex_meaning(name, type, body)
    return new Form(unique, node, operands, scalars, body, is_complex(type) ? of_complex(derive) : derive)
  }

  /** Promotes, and splits the values into operands and scalars. */
  function take_apart(given: readonly unknown[]): Call {
    const promoted = plain_promotion(given) ?? promotion(given)
    const lifted =
      rule === 'float' && !promoted.is_floating_point && !promoted.is_complex ? get_default_dtype() : promoted
    const computed = typeof rule === 'function' ? rule(promoted, given) : lifted
    const dtype = rule === 'bool' ? bool : computed
    const own = compute_type(rule === 'bool' ? promoted : computed)
    const type = def.logical ? own : arithmetic_type(own)
    const values = is_complex(type) ? given : without_complex(given, computed)
    const form = form_for(values, type, kinds_of(values))
    const xs: Tensor[] = []
    const numbers: LaunchValue[] = []
    for (let i = 0; i < values.length; i++) {
      const v = values[i]
      if (v instanceof Tensor) xs.push(v)
      else if (v instanceof ComplexScalar) numbers.push(v.real, v.imag)
      else if (kind_of(v, i) === 'scalar') {
        const value = scalar_value(v, type)
        numbers.push(rule === 'bool' && is_operand[i] ? wrapped_number(value, promoted) : value)
      }
    }
    if (xs.length === 0)
      throw new TypeError(`${name}(): argument 'input' (position 1) must be Tensor, not ${typeof values[0]}`)
    // functions such as abs give real numbers
    return { form, xs, values: numbers, dtype: is_complex(form.body.type) ? dtype : to_real_dtype(dtype) }
  }

  /** The dtype of tensors that all have the same, and numbers that do not change it; null for anything else. */
  function plain_promotion(values: readonly unknown[]): DType | null {
    let dtype: DType | null = null
    for (let i = 0; i < values.length; i++) {
      const v = values[i]
      if (!is_operand[i] || !(v instanceof Tensor)) continue
      if (dtype !== null && v.dtype !== dtype) return null
      dtype = v.dtype
    }
    if (dtype === null) return null
    for (let i = 0; i < values.length; i++) {
      const v = values[i]
      if (!is_operand[i] || v instanceof Tensor || v === null) continue
      if (typeof v !== 'number' || !(dtype.is_floating_point || (dtype !== bool && Number.isInteger(v))))
        return null
    }
    return dtype
  }

  function promotion(values: readonly unknown[]): DType {
    const operands: { dtype: DType; sizes: readonly number[]; wrapped?: boolean }[] = []
    values.forEach((v, i) => {
      if (!is_operand[i] || v === null) return
      operands.push(
        v instanceof Tensor ? v : { dtype: scalar_dtype(require_number(v, i)), sizes: [], wrapped: true },
      )
    })
    return result_dtype(operands)
  }

  function require_number(v: unknown, i: number): Number {
    if (is_plain_number(v)) return v
    const param = schema.params[i]!.name.replace(/^self$/, 'input')
    const got =
      v === undefined || v === null
        ? 'NoneType'
        : Array.isArray(v)
          ? 'list'
          : typeof v === 'string'
            ? 'str'
            : (v as object).constructor?.name === 'Object'
              ? 'dict'
              : typeof v
    throw new TypeError(`${name}(): argument '${param}' (position ${i + 1}) must be Tensor, not ${got}`)
  }

  function run(values: readonly unknown[], out: Tensor | null): Tensor {
    def.check?.(...(values as never[]))
    def.check_options?.(...(values as never[]))
    const call = take_apart(values)
    if (out === null) return apply_form(call.form, call.xs, call.values, call.dtype, null)
    require_castable(call.dtype, out.dtype)
    run_form(call.form, call.xs, call.values, call.dtype, out)
    bump_version(out)
    return out
  }

  /** Forms of plain calls on one or two tensors, by dtype: the path without binding or promotion. */
  const unary: ({ form: Form; dtype: DType } | undefined)[] = []
  const binary: ({ form: Form; dtype: DType } | undefined)[] = []
  const plain_unary = operand_count === 1 && def.check === undefined && required <= 1
  const plain_binary =
    operand_count === 2 && def.check === undefined && is_operand[0] && is_operand[1] && required <= 2

  function first_unary(x: Tensor): { form: Form; dtype: DType } {
    const { form, dtype } = take_apart([x, ...schema.params.slice(1).map(p => p.default)])
    return (unary[x.dtype.code] = { form, dtype })
  }

  function first_binary(a: Tensor, b: Tensor): { form: Form; dtype: DType } {
    const { form, dtype } = take_apart([a, b, ...schema.params.slice(2).map(p => p.default)])
    return (binary[a.dtype.code * 16 + b.dtype.code] = { form, dtype })
  }

  function fast_unary(x: Tensor): Tensor {
    const { form, dtype } = unary[x.dtype.code] ?? first_unary(x)
    if (!x.dense || x.count === 0) return apply_form(form, [x], [], dtype, null)
    const out = empty(x.sizes, dtype)
    const code = (dtype.code * 16 + x.dtype.code) * 16 + 15
    ;(form.flat[code] ?? flat_kernel(form, [x], out))([out, x], no_values)
    if (modes.grad && x._requires_grad) record_form(form, [x], no_values, out)
    return out
  }

  function fast_binary(a: Tensor, b: Tensor): Tensor | null {
    // Promotion looks at 0-dim operands; those go the long way.
    if (a.sizes.length === 0 || b.sizes.length === 0) return null
    const pair = a.dtype.code * 16 + b.dtype.code
    const { form, dtype } = binary[pair] ?? first_binary(a, b)
    if (!a.dense || !b.dense || a.count === 0 || !same_sizes(a.sizes, b.sizes))
      return apply_form(form, [a, b], no_values, dtype, null)
    const out = empty(a.sizes, dtype)
    const code = dtype.code * 256 + pair
    ;(form.flat[code] ?? flat_kernel(form, [a, b], out))([out, a, b], no_values)
    if (modes.grad && (a._requires_grad || b._requires_grad)) record_form(form, [a, b], no_values, out)
    return out
  }

  /** f(a, b, { out }) on dense tensors of one shape, with nothing to record; null for anything else. */
  function fast_out(a: Tensor, b: Tensor, options: unknown): Tensor | null {
    if (typeof options !== 'object' || options === null || options instanceof Tensor) return null
    for (const key in options) if (key !== 'out') return null
    const { out } = options as { readonly out?: unknown }
    if (!(out instanceof Tensor) || !out.dense || !a.dense || !b.dense || a.count === 0) return null
    if (a.sizes.length === 0 || !same_sizes(a.sizes, b.sizes) || !same_sizes(a.sizes, out.sizes)) return null
    if (modes.grad && (a._requires_grad || b._requires_grad || out._requires_grad)) return null
    const { form, dtype } = binary[a.dtype.code * 16 + b.dtype.code] ?? first_binary(a, b)
    if (dtype !== out.dtype) return null
    flat_kernel(form, [a, b], out)([out, a, b], no_values)
    bump_version(out)
    return out
  }

  function quick(self: Tensor, other: Tensor | undefined): boolean {
    if (!self.dense || self.count === 0 || self.sizes.length === 0 || (modes.grad && self._requires_grad))
      return false
    if (other === undefined) {
      if (!plain_unary) return false
      const entry = unary[self.dtype.code] ?? first_unary(self)
      if (entry.dtype !== self.dtype) return false
      flat_kernel(entry.form, [self], self)([self, self], no_values)
    } else {
      if (
        !plain_binary ||
        !other.dense ||
        (modes.grad && other._requires_grad) ||
        !same_sizes(self.sizes, other.sizes)
      )
        return false
      if (other.memory === self.memory && other.offset !== self.offset) return false
      const entry = binary[self.dtype.code * 16 + other.dtype.code] ?? first_binary(self, other)
      if (entry.dtype !== self.dtype) return false
      const code = self.dtype.code * 256 + self.dtype.code * 16 + other.dtype.code
      ;(entry.form.flat[code] ?? flat_kernel(entry.form, [self, other], self))([self, self, other], no_values)
    }
    bump_version(self)
    return true
  }

  const call = (...args: A): Tensor => {
    if (args.length === 1 && plain_unary && args[0] instanceof Tensor) return fast_unary(args[0])
    if (args.length === 2 && plain_binary && args[0] instanceof Tensor && args[1] instanceof Tensor) {
      const result = fast_binary(args[0], args[1])
      if (result !== null) return result
    }
    if (args.length === 3 && plain_binary && args[0] instanceof Tensor && args[1] instanceof Tensor) {
      const result = fast_out(args[0], args[1], args[2])
      if (result !== null) return result
    }
    const values = bind_one(takes_out, args)
    const out = values.pop() as Tensor | null
    if (out === null) return run(values, null)
    refuse_batched_out(name, args)
    refuse_out_with_grad(
      name,
      values.filter(v => v instanceof Tensor),
      out,
    )
    const call = take_apart(values)
    require_castable(call.dtype, out.dtype)
    resize_out(out, broadcast_sizes(...call.xs.map(x => x.sizes)))
    return run(values, out)
  }

  const spec: Spec = {
    name,
    schemas: [schema],
    samples: def.samples as Samples<readonly unknown[]> | undefined,
    differentiable: rule !== 'bool' && def.differentiable !== false,
    run: (values, _, out) => run(values, out),
    quick,
    writes_out: true,
    inputs: values => take_apart(values).xs,
    node: (values, _, result, edges) => {
      const { form, xs, values: numbers } = take_apart(values)
      return new FormNode(form, xs, numbers, result as Tensor, edges)
    },
    gradient: (g, i, values) => {
      const { form, xs, values: numbers } = take_apart(values)
      return apply_gradient(form, i, g, xs, numbers)
    },
    saves_self: values => reads_for_backward(take_apart(values).form, 0),
  }
  return make_op(call, spec)
}

const no_values: readonly LaunchValue[] = []

/** Throws PyTorch's error where the body is made of what complex numbers do not have, such as an order. */
function require_complex_meaning(name: string, type: ComplexType, body: Expr): void {
  try {
    realify(body)
  } catch (error) {
    if (!(error instanceof NoComplexMeaning)) throw error
    const dtype = type === 'c64' ? 'ComplexFloat' : 'ComplexDouble'
    throw new RuntimeError(`"${name}_cpu" not implemented for '${dtype}'`)
  }
}

/** The values with complex numbers as real ones, for operands that are not complex. */
const without_complex = (values: readonly unknown[], dtype: DType): readonly unknown[] =>
  values.some(v => v instanceof ComplexScalar)
    ? values.map(v => (v instanceof ComplexScalar ? real_number(v, dtype) : v))
    : values

const KIND_CODES: Readonly<Record<Slot['kind'], number>> = { tensor: 0, scalar: 1, static: 2, pair: 3 }

type Derive = (g: Expr, out: Expr) => (Expr | null)[]

/** A declared gradient for complex numbers: it is handed the conjugate, as derivatives of primitives are. */
const of_complex = (derive: Derive | undefined): Derive | undefined =>
  derive && ((g, out) => derive(g.conj(), out).map(e => e?.conj() ?? null))

const TYPE_CODES: Readonly<Record<ScalarType, number>> = {
  f32: 0,
  f64: 1,
  i32: 2,
  i64: 3,
  bool: 4,
  index: 5,
  c64: 6,
  c128: 7,
}

/** A number as a kernel of this type takes it: where that computes in integers, without its fraction. */
function scalar_value(v: unknown, type: ScalarType): LaunchValue {
  const value = v instanceof FloatScalar ? v.value : (v as LaunchValue)
  return is_float(real_type(type)) || typeof value !== 'number' ? value : Math.trunc(value)
}

/** What a number is that a comparison makes an element of small integers: -1 is 255 as uint8. */
function wrapped_number(value: LaunchValue, dtype: DType): LaunchValue {
  if (typeof value !== 'number' || dtype.itemsize > 2) return value
  return dtype === uint8
    ? value & 0xff
    : dtype === int8
      ? (value << 24) >> 24
      : dtype === int16
        ? (value << 16) >> 16
        : value
}

export type { Lift, Schema }
