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

/** Makes `set` hold `names`. */
export function replace(set: Set<string>, names: ReadonlySet<string>): void {
  set.clear()
  for (const name of names) set.add(name)
}
