// nn.utils.weight_norm: a weight as its norm times its direction (Salimans & Kingma 2016), computed before each call.
// Not here: parametrisations that are computed when read (parametrize.ts).
import { RuntimeError, ValueError } from '../../base/errors.ts'
import type { Tensor } from '../../torch.ts'
import * as torch from '../../torch.ts'
import { attribute, put, take_out } from '../members.ts'
import type { Module } from '../module.ts'
import { Parameter } from '../parameter.ts'
import { is_lazy } from '../uninitialized.ts'

type Hook = (module: Module, args: readonly unknown[]) => unknown
/** What the hooks that compute a weight do, by hook. */
const normed = new WeakMap<Hook, { readonly name: string; readonly dim: number }>()

function compute(module: Module, name: string, dim: number): Tensor {
  const [g, v] = ['_g', '_v'].map(part => attribute(module, name + part) as Tensor) as [Tensor, Tensor]
  return v.mul(g.div(torch.norm_except_dim(v, 2, dim)))
}

/**
 * Replaces the parameter `name` by `name_g`, its norm for each place along `dim` (null: of all of it), and `name_v`, its direction;
 * the weight is computed from them before each call. Gives back the module.
 */
export function weight_norm<M extends Module>(
  module: M,
  name: string | { name?: string; dim?: number | null } = 'weight',
  dim: number | null | { dim?: number | null } = 0,
): M {
  const options = {
    ...(typeof name === 'string' ? { name } : name),
    ...(typeof dim === 'object' && dim !== null ? dim : typeof name === 'string' ? { dim } : {}),
  }
  const own_name = options.name ?? 'weight'
  const own_dim = options.dim === null ? -1 : (options.dim ?? 0)
  for (const hook of module._module.hooks.of('forward_pre'))
    if (normed.get(hook)?.name === own_name)
      throw new RuntimeError(`Cannot register two weight_norm hooks on the same parameter ${own_name}`)
  const weight = attribute(module, own_name) as Tensor
  if (is_lazy(weight))
    throw new ValueError(
      "The module passed to `WeightNorm` can't have uninitialized parameters. Make sure to run the dummy forward before applying " +
        'weight normalization',
    )
  take_out(module, own_name)
  module.register_parameter(
    `${own_name}_g`,
    new Parameter(torch.norm_except_dim(weight.detach(), 2, own_dim)),
  )
  module.register_parameter(`${own_name}_v`, new Parameter(weight.data))
  const hook: Hook = m => put(m, own_name, compute(m, own_name, own_dim))
  normed.set(hook, { name: own_name, dim: own_dim })
  hook(module, [])
  module.register_forward_pre_hook(hook)
  return module
}

/** Makes a weight that {@link weight_norm} split an ordinary parameter again. */
export function remove_weight_norm<M extends Module>(
  module: M,
  name: string | { name?: string } = 'weight',
): M {
  const own_name = typeof name === 'string' ? name : (name.name ?? 'weight')
  for (const hook of module._module.hooks.of('forward_pre')) {
    const found = normed.get(hook)
    if (found?.name !== own_name) continue
    const weight = compute(module, own_name, found.dim)
    for (const part of ['', '_g', '_v']) take_out(module, own_name + part)
    module.register_parameter(own_name, new Parameter(weight.data))
    module._module.hooks.remove('forward_pre', h => h === hook)
    return module
  }
  throw new ValueError(`weight_norm of '${own_name}' not found in ${module}`)
}
