// nn.utils.spectral_norm: a weight divided by its largest singular value (Miyato et al. 2018), which power iterations
// estimate before each call. Not here: the same as a parametrisation (parametrizations.ts).
import { RuntimeError, ValueError } from '../../base/errors.ts'
import type { Tensor } from '../../torch.ts'
import * as torch from '../../torch.ts'
import * as F from '../functional/index.ts'
import { attribute, put, take_out } from '../members.ts'
import type { Module } from '../module.ts'
import { ConvTranspose1d, ConvTranspose2d, ConvTranspose3d } from '../modules/conv.ts'
import { Parameter } from '../parameter.ts'
import type { LocalMetadata, StateDict } from '../state_dict.ts'
import { is_lazy } from '../uninitialized.ts'

export type SpectralNormOptions = {
  name?: string
  /** Power iterations before each call while training. */
  n_power_iterations?: number
  eps?: number
  /** The dimension of outputs: 0, but 1 for transposed convolutions. */
  dim?: number | null
}
type Settings = { readonly name: string; readonly n: number; readonly eps: number; readonly dim: number }
type Hook = (module: Module, args: readonly unknown[]) => unknown
/** What the hooks that compute a weight do, by hook. */
const normed = new WeakMap<object, Settings>()

/** The weight as a matrix with a row for each place along `dim`. */
export function weight_matrix(weight: Tensor, dim: number): Tensor {
  const front =
    dim === 0
      ? weight
      : weight.permute([dim, ...Array.from({ length: weight.ndim }, (_, d) => d).filter(d => d !== dim)])
  return front.reshape([front.size(0), -1])
}

function compute(module: Module, { name, n, eps, dim }: Settings, iterate: boolean): Tensor {
  const [weight, u, v] = ['_orig', '_u', '_v'].map(part => attribute(module, name + part)) as [
    Tensor,
    Tensor,
    Tensor,
  ]
  const matrix = weight_matrix(weight, dim)
  if (iterate)
    torch.no_grad(() => {
      for (let i = 0; i < n; i++) {
        v.copy_(F.normalize(matrix.t().mv(u), { dim: 0, eps }))
        u.copy_(F.normalize(matrix.mv(v), { dim: 0, eps }))
      }
    })
  // Copies: the next call changes u and v, and this one's backward pass reads them.
  const [left, right] = iterate ? [u.clone(), v.clone()] : [u, v]
  return weight.div(left.dot(matrix.mv(right)))
}

/** Arguments in order, or by name from where an object of them stands. */
export function spectral_settings(args: readonly unknown[]): SpectralNormOptions {
  const names = ['name', 'n_power_iterations', 'eps', 'dim']
  return Object.assign(
    {},
    ...args.map((x, i) => (torch._is_options(x) ? x : { [names[i] as string]: x })),
  ) as SpectralNormOptions
}

/** The dimension of a module's outputs in its weight. */
export const output_dim = (module: Module): number =>
  [ConvTranspose1d, ConvTranspose2d, ConvTranspose3d].some(type => module instanceof type) ? 1 : 0

/** States from before there was a version have the weight and no `_v`, which is solved for. */
function upgrade(state: StateDict, prefix: string, strict: boolean, missing: string[], s: Settings): void {
  const key = prefix + s.name
  const complete = ['_orig', '_u', '_v'].every(part => Object.hasOwn(state, key + part))
  if (complete && !Object.hasOwn(state, key)) return
  const lacking = ['_orig', '', '_u'].map(part => key + part).filter(k => !Object.hasOwn(state, k))
  if (lacking.length > 0) {
    if (strict) missing.push(...lacking)
    return
  }
  torch.no_grad(() => {
    const [orig, weight, u] = ['_orig', '', '_u'].map(part => state[key + part]) as [Tensor, Tensor, Tensor]
    delete state[key]
    const sigma = orig.div(weight).mean()
    const matrix = weight_matrix(orig, s.dim)
    const solution = matrix.t().mm(matrix).pinverse().mm(matrix.t()).mv(u)
    state[`${key}_v`] = solution.mul(sigma.div(u.dot(matrix.mv(solution))))
  })
}

type Versions = LocalMetadata & { spectral_norm?: Record<string, number> }

/**
 * Divides the parameter `name` by an estimate of its largest singular value, before each call: `name_orig` is trained, the
 * buffers `name_u` and `name_v` hold the vectors of the estimate. Gives back the module.
 */
export function spectral_norm<M extends Module>(
  module: M,
  ...args: readonly (string | number | null | SpectralNormOptions)[]
): M {
  const options = spectral_settings(args)
  const { name = 'weight', n_power_iterations: n = 1, eps = 1e-12 } = options
  if (n <= 0)
    throw new ValueError(`Expected n_power_iterations to be positive, but got n_power_iterations=${n}`)
  for (const hook of module._module.hooks.of('forward_pre'))
    if (normed.get(hook)?.name === name)
      throw new RuntimeError(`Cannot register two spectral_norm hooks on the same parameter ${name}`)
  const settings: Settings = { name, n, eps, dim: options.dim ?? output_dim(module) }
  const weight = attribute(module, name) as Parameter | null
  if (weight === null)
    throw new ValueError(`\`SpectralNorm\` cannot be applied as parameter \`${name}\` is None`)
  if (is_lazy(weight))
    throw new ValueError(
      "The module passed to `SpectralNorm` can't have uninitialized parameters. Make sure to run the dummy forward before " +
        'applying spectral normalization',
    )
  const [u, v] = torch.no_grad(() =>
    weight_matrix(weight, settings.dim).sizes.map(size =>
      F.normalize(weight.new_empty([size]).normal_(0, 1), { dim: 0, eps }),
    ),
  ) as [Tensor, Tensor]
  take_out(module, name)
  module.register_parameter(`${name}_orig`, weight)
  put(module, name, weight.data)
  module.register_buffer(`${name}_u`, u)
  module.register_buffer(`${name}_v`, v)
  const hook: Hook = m => put(m, name, compute(m, settings, m.training))
  normed.set(hook, settings)
  module.register_forward_pre_hook(hook)
  const key = `${name}.version`
  const save = (_: Module, __: StateDict, ___: string, local: Versions): void => {
    local.spectral_norm = { ...local.spectral_norm, [key]: 1 }
  }
  normed.set(save, settings)
  module._register_state_dict_hook(save)
  const load = (
    state: StateDict,
    prefix: string,
    local: Versions,
    strict: boolean,
    missing: string[],
  ): void => {
    if ((local.spectral_norm?.[key] ?? 0) < 1) upgrade(state, prefix, strict, missing, settings)
  }
  normed.set(load, settings)
  module._register_load_state_dict_pre_hook(load)
  return module
}

/** Makes a weight that {@link spectral_norm} normalises an ordinary parameter again, of its present value. */
export function remove_spectral_norm<M extends Module>(
  module: M,
  name: string | { name?: string } = 'weight',
): M {
  const own_name = typeof name === 'string' ? name : (name.name ?? 'weight')
  const { hooks } = module._module
  for (const hook of hooks.of('forward_pre')) {
    const settings = normed.get(hook)
    if (settings?.name !== own_name) continue
    const weight = torch.no_grad(() => compute(module, settings, false))
    for (const part of ['', '_u', '_v', '_orig']) take_out(module, own_name + part)
    module.register_parameter(own_name, new Parameter(weight.detach()))
    for (const kind of ['forward_pre', 'state_dict', 'load_pre'] as const)
      hooks.remove(kind, (h: object) => normed.get(h) === settings)
    return module
  }
  throw new ValueError(`spectral_norm of '${own_name}' not found in ${module}`)
}
