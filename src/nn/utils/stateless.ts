// torch.nn.utils.stateless: a module called with other tensors in the place of its parameters and buffers. Modules find their
// tensors among their properties, so these are replaced for the time of the call.
import { RuntimeError, ValueError } from '../../base/errors.ts'
import type { Tensor } from '../../torch.ts'
import * as torch from '../../torch.ts'
import { attribute, split_path } from '../members.ts'
import type { Module } from '../module.ts'

/** Tensors by the names that named_parameters and named_buffers give. */
export type Tensors = Record<string, Tensor>

export type FunctionalCallOptions = {
  /** A tensor that goes by several names is replaced under all of them where one is given. */
  tie_weights?: boolean
  /** Throw where a name is missing or unknown. */
  strict?: boolean
}

type Slot = { readonly owner: Record<string, unknown>; readonly name: string }

function slot_of(module: Module, path: string): Slot {
  const [folder, name] = split_path(path)
  let owner = module
  if (folder !== '') for (const part of folder.split('.')) owner = attribute(owner, part) as Module
  return { owner: owner as unknown as Record<string, unknown>, name }
}

/** The names of all parameters and buffers, with what each is now. */
const members = (module: Module): [string, Tensor][] => [
  ...module.named_parameters({ remove_duplicate: false }),
  ...module.named_buffers({ remove_duplicate: false }),
]

/** `given` with the other names of tensors that have several. */
function with_tied(own: readonly [string, Tensor][], given: Tensors): Tensors {
  const names = new Map<Tensor, string[]>()
  for (const [name, t] of own) names.set(t, [...(names.get(t) ?? []), name])
  const all = { ...given }
  for (const group of names.values()) {
    const known = group.filter(name => Object.hasOwn(given, name))
    if (known.length === 0) continue
    const value = given[known[0]!]!
    if (known.some(name => given[name] !== value))
      throw new ValueError(
        `functional_call got multiple values for keys [${known.map(name => `'${name}'`).join(', ')}], which are tied. Consider using tie_weights=False`,
      )
    for (const name of group) all[name] = value
  }
  return all
}

function require_all(module: Module, own: readonly [string, Tensor][], given: Tensors): void {
  const known = new Set(own.map(([name]) => name))
  const list = (names: readonly string[]): string => names.map(name => `'${name}'`).join(', ')
  const missing = [...known].filter(name => !Object.hasOwn(given, name))
  const unknown = Object.keys(given).filter(name => !known.has(name))
  const messages = [
    ...(unknown.length > 0 ? [`Unexpected key(s): ${list(unknown)}.`] : []),
    ...(missing.length > 0 ? [`Missing key(s): ${list(missing)}.`] : []),
  ]
  if (messages.length > 0)
    throw new RuntimeError(
      `Error(s) in reparametrizing for ${module._get_name()}:\n\t${messages.join('\n\t')}`,
    )
}

/**
 * Calls `module` with the tensors of `parameters_and_buffers` in the place of its own, which are there again afterwards.
 * `args` is an array of arguments, or the only one. What the call assigns to a replaced name is then in
 * `parameters_and_buffers`.
 */
export function functional_call<R = Tensor>(
  module: Module,
  parameters_and_buffers: Tensors,
  args: unknown,
  kwargs: Readonly<Record<string, unknown>> | null = null,
  { tie_weights = true, strict = false }: FunctionalCallOptions = {},
): R {
  const own = members(module)
  const all = tie_weights ? with_tied(own, parameters_and_buffers) : { ...parameters_and_buffers }
  if (strict) require_all(module, own, all)
  const given: readonly unknown[] = Array.isArray(args) ? args : [args]
  const slots = Object.keys(all).map(path => ({ path, ...slot_of(module, path) }))
  const before = slots.map(({ owner, name }) => [Object.hasOwn(owner, name), owner[name]] as const)
  for (const { owner, name, path } of slots) owner[name] = all[path]
  try {
    const call = module as unknown as (...args: readonly unknown[]) => R
    return kwargs === null ? call(...given) : call(...given, kwargs)
  } finally {
    slots.forEach(({ owner, name, path }, i) => {
      const now = owner[name]
      if (now !== all[path] && now instanceof torch.Tensor && Object.hasOwn(parameters_and_buffers, path))
        parameters_and_buffers[path] = now
      const [existed, value] = before[i]!
      if (existed) owner[name] = value
      else delete owner[name]
    })
  }
}
