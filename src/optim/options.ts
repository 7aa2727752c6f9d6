// Arguments of optimizers and schedulers, taken as in Python: some may stay positional, all can be keywords in one
// trailing object, and unknown ones are errors. Not here: what the options mean.
import { AssertionError, ValueError } from '../base/errors.ts'
import {
  _bind,
  _parse_schema,
  _python_scalar,
  _type_name,
  type ComplexScalar,
  complex_scalar,
  Tensor,
} from '../torch.ts'

/** The arguments after the first: a leading part of `Positional`, then perhaps an object of keywords. */
export type Keywords<Positional extends readonly unknown[], Options> =
  | [...Positional, options?: Options]
  | (Positional extends readonly [...infer Head, unknown] ? Keywords<Head, Options> : never)

/** Stands for the value of an option that has no default. */
export const required: unique symbol = Symbol('required parameter')

/**
 * Declares a constructor's arguments in the manner of PyTorch's signatures; the first is the parameters or the
 * optimizer. Gives the function that binds a call to them, as an object of options; it throws TypeError for wrong
 * types, too many arguments and unknown options.
 */
export function signature<Options>(text: string): (args: readonly unknown[]) => Options {
  const schema = _parse_schema(text)
  const names = schema.params.map(param => param.name)
  return args => {
    const { values } = _bind([schema], args)
    const own = (value: unknown): unknown => (Array.isArray(value) ? [...value] : value)
    return Object.fromEntries(names.map((name, i) => [name, own(values[i])]).slice(1)) as Options
  }
}

/** Throws ValueError where a value is not in its range: `Invalid learning rate: -1`. */
export function require_that(holds: boolean, what: string, value: number | undefined): void {
  if (!holds) throw new ValueError(`Invalid ${what}: ${value === undefined ? 'None' : _python_scalar(value)}`)
}

/** The checks that the Adam family shares. */
export function require_adam(o: {
  lr: number
  eps: number
  betas: readonly number[]
  weight_decay: number
}): void {
  require_that(o.lr >= 0, 'learning rate', o.lr)
  require_that(o.eps >= 0, 'epsilon value', o.eps)
  for (const i of [0, 1]) {
    const beta = o.betas[i] as number
    require_that(beta >= 0 && beta < 1, `beta parameter at index ${i}`, beta)
  }
  require_that(o.weight_decay >= 0, 'weight_decay value', o.weight_decay)
}

/** Throws AssertionError where PyTorch's update of many tensors at once would have to be differentiated. */
export function refuse_foreach(o: { foreach?: boolean | null; differentiable?: boolean }): void {
  if (o.foreach && o.differentiable) throw new AssertionError("_foreach ops don't support autograd")
}

/** `x`, or `x + xi` for a complex parameter: each of its parts begins with it. */
export const in_both_parts = (x: number, p: Tensor): number | ComplexScalar =>
  p.is_complex() ? complex_scalar(x, x) : x

/** What torch.typename calls a value. */
export const type_name = (x: unknown): string =>
  x instanceof Tensor ? `torch.${(x as Tensor).dtype.tensor_type}` : _type_name(x)
