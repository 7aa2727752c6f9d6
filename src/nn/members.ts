// What modules share for finding and naming their members. Not here: which properties are members (module.ts).
import { AttributeError, KeyError } from '../base/errors.ts'
import type { Module } from './module.ts'
import { typename } from './repr.ts'

/** What named_parameters and named_buffers list. */
export type MembersOptions = { prefix?: string; recurse?: boolean; remove_duplicate?: boolean }

/** The path of what is called `name` below `path`. */
export const join = (path: string, name: string): string => (path === '' ? name : `${path}.${name}`)

/** The members that `own` finds in the modules below `root`, with their paths. */
export function named_members<T>(
  root: Module,
  own: (module: Module) => [string, T][],
  options: MembersOptions,
): [string, T][] {
  const { prefix = '', recurse = true, remove_duplicate = true } = options
  const modules: [string, Module][] = recurse
    ? root.named_modules({ prefix, remove_duplicate })
    : [[prefix, root]]
  const found = modules.flatMap(([path, module]) =>
    own(module).map(([name, x]): [string, T] => [join(path, name), x]),
  )
  return remove_duplicate ? unique(found) : found
}

/** Throws where a member cannot be registered under `name`. */
export function require_new(
  module: Module,
  kind: string,
  name: unknown,
  known: { has(name: string): boolean },
): asserts name is string {
  if (typeof name !== 'string') throw new TypeError(`${kind} name should be a string. Got ${typename(name)}`)
  if (name.includes('.'))
    throw new KeyError(`${kind} name can't contain "."${kind === 'module' ? `, got: ${name}` : ''}`)
  if (name === '') throw new KeyError(`${kind} name can't be empty string ""`)
  if ((module as unknown as Record<string, unknown>)[name] !== undefined && !known.has(name))
    throw new KeyError(`attribute '${name}' already exists`)
}

/** A path without its last name, and that name. */
export function split_path(target: string): [string, string] {
  const dot = target.lastIndexOf('.')
  return [target.slice(0, Math.max(dot, 0)), target.slice(dot + 1)]
}

/** The property `name` of a module. Throws AttributeError where there is none. */
export function attribute(module: Module, name: string): unknown {
  if (!(name in module)) throw new AttributeError(`${module._get_name()} has no attribute \`${name}\``)
  return (module as unknown as Record<string, unknown>)[name]
}

/** The entries whose value has not come before. */
export function unique<T>(entries: readonly [string, T][]): [string, T][] {
  const seen = new Set<T>()
  return entries.filter(([, x]) => !seen.has(x) && seen.add(x))
}

/**
 * The own properties of `module` for which `is` holds, in order of assignment. Their names join `known`; `check` sees
 * what else is found under names that are known.
 */
export function own_members<T>(
  module: Module,
  known: Set<string>,
  is: (x: unknown) => x is T,
  check: (name: string, x: unknown) => void,
): [string, T][] {
  const found: [string, T][] = []
  let present = 0
  for (const entry of module._entries()) {
    const [name, x] = entry
    if (is(x)) {
      found.push(entry as [string, T])
      known.add(name)
      present++
    } else if (known.size > 0 && known.has(name)) {
      check(name, x)
      present++
    }
  }
  // Names whose property has been deleted are free again.
  if (known.size > present) for (const name of known) if (!Object.hasOwn(module, name)) known.delete(name)
  return found
}

/** Takes the property `name` off a module, whose name is free for anything then, and gives what it was. */
export function take_out(module: Module, name: string): unknown {
  const own = module as unknown as Record<string, unknown>
  const x = own[name]
  delete own[name]
  for (const known of [module._module.parameters, module._module.children, module._module.buffers])
    known.delete(name)
  return x
}

/** Assigns a property that is no member, or is one by being a parameter or module. */
export function put(module: Module, name: string, x: unknown): void {
  ;(module as unknown as Record<string, unknown>)[name] = x
}
