// torch.func.grad and grad_and_value. Not here: functions of several outputs (pullback.ts), the pass (autograd/engine.ts).
import { RuntimeError } from '../base/errors.ts'
import { enable_grad } from '../tensor/tape.ts'
import { Tensor } from '../tensor/tensor.ts'
import {
  type Argnums,
  type Aux,
  type ByArgument,
  by_argument,
  type Fn,
  Inputs,
  outside,
  python_type,
  released,
  replace_arguments,
  split_aux,
} from './inputs.ts'

export type GradOptions<N extends Argnums = Argnums> = { argnums?: N; has_aux?: boolean }

const grad_options = (argnums: Argnums | GradOptions, has_aux: boolean): Required<GradOptions> =>
  typeof argnums === 'object' && !Array.isArray(argnums)
    ? { argnums: 0, has_aux, ...(argnums as GradOptions) }
    : { argnums: argnums as Argnums, has_aux }

function compute_grad<A extends readonly unknown[]>(
  func: Fn<A, unknown>,
  args: A,
  { argnums, has_aux }: Required<GradOptions>,
): { gradient: unknown; value: Tensor; aux: unknown } {
  const inputs = new Inputs()
  const given = replace_arguments(inputs, args, argnums)
  return enable_grad(() => {
    const [output, aux] = split_aux(
      func(...(given.args as unknown as A)),
      has_aux,
      'grad_and_value(f)(*args): output of function f should be a tuple: (output, aux) if has_aux is True',
    )
    if (!(output instanceof Tensor))
      throw new RuntimeError(
        `grad_and_value(f)(*args): Expected f(*args) to return a Tensor, got <class '${python_type(output)}'>`,
      )
    if (output.sizes.length > 0)
      throw new RuntimeError(
        `grad_and_value(f)(*args): Expected f(*args) to return a scalar Tensor, got tensor with ${output.sizes.length} dims. Maybe you wanted to use the vjp or jacrev APIs instead?`,
      )
    const whole = inputs.whole(output)
    const recorded = inputs.is_recorded([whole])
    const found = outside(inputs.levels, () =>
      inputs.gradients([whole], [whole.detach().new_ones(whole.sizes)], recorded, recorded),
    )
    const gradient = by_argument(
      argnums,
      found.map(g => inputs.sample(g)),
      given,
    )
    return { gradient, value: inputs.release(output), aux: released(inputs, aux) }
  })
}

/**
 * The function that computes the gradient of `func` and its value, [gradient, value]; with `has_aux`, where `func` returns
 * [value, aux], [gradient, [value, aux]]. See {@link grad}.
 */
export function grad_and_value<A extends readonly unknown[], R>(
  func: Fn<A, R>,
): Fn<A, [gradient: A[0], value: R]>
export function grad_and_value<A extends readonly unknown[], R, N extends Argnums>(
  func: Fn<A, R>,
  argnums: N,
  has_aux?: boolean,
): Fn<A, [gradient: ByArgument<A, N>, value: R]>
export function grad_and_value<A extends readonly unknown[], R, N extends Argnums = 0>(
  func: Fn<A, R>,
  options: GradOptions<N>,
): Fn<A, [gradient: ByArgument<A, N>, value: R]>
export function grad_and_value<A extends readonly unknown[], R>(
  func: Fn<A, R>,
  argnums: Argnums | GradOptions = 0,
  has_aux = false,
): Fn<A, [unknown, unknown]> {
  const options = grad_options(argnums, has_aux)
  return (...args) => {
    const { gradient, value, aux } = compute_grad(func, args, options)
    return [gradient, options.has_aux ? [value, aux] : value]
  }
}

/**
 * The function that computes the gradient of `func`, which returns a number, by the argument that `argnums` names (the first,
 * unless given), in its form: tensors, arrays and objects of them. Several numbers give an array. With `has_aux`, where
 * `func` returns [value, aux], the result is [gradient, aux].
 */
export function grad<A extends readonly unknown[]>(func: Fn<A, Tensor>): Fn<A, A[0]>
export function grad<A extends readonly unknown[], N extends Argnums>(
  func: Fn<A, Tensor>,
  argnums: N,
): Fn<A, ByArgument<A, N>>
export function grad<A extends readonly unknown[], N extends Argnums = 0>(
  func: Fn<A, Tensor>,
  options: GradOptions<N> & { has_aux?: false },
): Fn<A, ByArgument<A, N>>
export function grad<A extends readonly unknown[], R, N extends Argnums>(
  func: Fn<A, R>,
  argnums: N,
  has_aux: boolean,
): Fn<A, [gradient: ByArgument<A, N>, aux: Aux<R>]>
export function grad<A extends readonly unknown[], R, N extends Argnums = 0>(
  func: Fn<A, R>,
  options: GradOptions<N>,
): Fn<A, [gradient: ByArgument<A, N>, aux: Aux<R>]>
export function grad<A extends readonly unknown[]>(
  func: Fn<A, unknown>,
  argnums: Argnums | GradOptions = 0,
  has_aux = false,
): Fn<A, unknown> {
  const options = grad_options(argnums, has_aux)
  return (...args) => {
    const { gradient, aux } = compute_grad(func, args, options)
    return options.has_aux ? [gradient, aux] : gradient
  }
}
