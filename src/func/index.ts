// torch.func: transforms of functions, and modules as functions of their parameters. Not here: how transforms work
// (transforms/). functionalize is not there: no pass of a compiler would use it.
import { RuntimeError, ValueError } from '../base/errors.ts'
import type { Module } from '../nn/module.ts'
import {
  functional_call as call_with,
  type FunctionalCallOptions,
  type Tensors,
} from '../nn/utils/stateless.ts'
import type { Tensor } from '../torch.ts'
import * as torch from '../torch.ts'

export { vmap } from '../torch.ts'
export { grad, grad_and_value } from '../transforms/grad.ts'
export { hessian, jacfwd, jacrev } from '../transforms/jacobian.ts'
export { vjp } from '../transforms/pullback.ts'
export { jvp, linearize } from '../transforms/pushforward.ts'

/**
 * Calls `module` with other tensors in the place of its parameters and buffers, by name: an object of them, or several. `args`
 * is an array of arguments, or the only one. The call can be differentiated by the tensors, and mapped over.
 */
export function functional_call<R = Tensor>(
  module: Module,
  parameter_and_buffer_dicts: Tensors | readonly Tensors[],
  args: unknown = [],
  kwargs: Readonly<Record<string, unknown>> | null = null,
  options: FunctionalCallOptions = {},
): R {
  if (!Array.isArray(parameter_and_buffer_dicts))
    return call_with(module, parameter_and_buffer_dicts as Tensors, args, kwargs, options)
  const dicts = parameter_and_buffer_dicts as readonly Tensors[]
  const names = dicts.flatMap(dict => Object.keys(dict))
  const repeated = names.find((name, i) => names.indexOf(name) !== i)
  if (repeated !== undefined)
    throw new ValueError(
      `${repeated} appears in multiple dictionaries; behavior of functional call is ambiguous`,
    )
  return call_with(module, Object.assign({}, ...dicts) as Tensors, args, kwargs, options)
}

/** Tensors of the same name on top of each other, as a leaf. */
function stacked(name: string, tensors: readonly Tensor[]): Tensor {
  const all = tensors.every(t => t.requires_grad)
  if (!all && tensors.some(t => t.requires_grad))
    throw new RuntimeError(`Expected ${name} from each model to have the same .requires_grad`)
  const made = torch.stack(tensors).detach()
  return all ? made.requires_grad_() : made
}

/**
 * The parameters and the buffers of models of one class, those of the same name stacked: [parameters, buffers]. What an
 * ensemble maps {@link functional_call} over.
 */
export function stack_module_state(models: readonly Module[]): [parameters: Tensors, buffers: Tensors] {
  const [first] = models
  if (first === undefined) throw new RuntimeError('stack_module_state: Expected at least one model, got 0.')
  if (models.some(m => m.training !== first.training))
    throw new RuntimeError('stack_module_state: Expected all models to have the same training/eval mode.')
  if (models.some(m => m.constructor !== first.constructor))
    throw new RuntimeError('stack_module_state: Expected all models to be of the same class.')
  const all = (named: (m: Module) => [string, Tensor][]): Tensors => {
    const each = models.map(m => Object.fromEntries(named(m)))
    return Object.fromEntries(
      Object.keys(each[0]!).map(name => [
        name,
        stacked(
          name,
          each.map(dict => dict[name]!),
        ),
      ]),
    )
  }
  return [all(m => m.named_parameters()), all(m => m.named_buffers())]
}
