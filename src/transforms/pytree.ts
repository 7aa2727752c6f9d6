// Trees of values: arrays and plain objects, with anything else as leaves. What transformed functions take and return.
// Not here: what is done with leaves.
import { Tensor } from '../tensor/tensor.ts'

export type Tree<T> = T | readonly Tree<T>[] | { readonly [key: string]: Tree<T> }

/** How the leaves of a tree hang together: null is a leaf. */
export type TreeSpec = null | readonly TreeSpec[] | { readonly [key: string]: TreeSpec }

export const is_dict = (x: unknown): x is Record<string, unknown> => {
  if (typeof x !== 'object' || x === null) return false
  const prototype = Object.getPrototypeOf(x)
  return prototype === Object.prototype || prototype === null
}

/** The leaves of a tree, in order, and how they hang together. */
export function flatten(tree: unknown): { leaves: unknown[]; spec: TreeSpec } {
  const leaves: unknown[] = []
  const walk = (x: unknown): TreeSpec => {
    if (Array.isArray(x)) return x.map(walk)
    if (is_dict(x)) return Object.fromEntries(Object.entries(x).map(([key, v]) => [key, walk(v)]))
    leaves.push(x)
    return null
  }
  const spec = walk(tree)
  return { leaves, spec }
}

/** The reverse of {@link flatten}. */
export function unflatten(leaves: readonly unknown[], spec: TreeSpec): unknown {
  let at = 0
  const build = (s: TreeSpec): unknown => {
    if (s === null) return leaves[at++]
    if (Array.isArray(s)) return s.map(build)
    return Object.fromEntries(
      Object.entries(s as Record<string, TreeSpec>).map(([key, v]) => [key, build(v)]),
    )
  }
  return build(spec)
}

/** Applies `f` to every leaf. */
function tree_map(f: (leaf: unknown) => unknown, tree: unknown): unknown {
  const { leaves, spec } = flatten(tree)
  return unflatten(leaves.map(f), spec)
}

/** Applies `f` to every tensor; other leaves stay. */
export const map_tensors = <T>(f: (t: Tensor) => Tensor, tree: T): T =>
  tree_map(leaf => (leaf instanceof Tensor ? f(leaf) : leaf), tree) as T

/** Whether two trees have the same form. */
export function same_spec(a: TreeSpec, b: TreeSpec): boolean {
  if (a === null || b === null) return a === b
  if (Array.isArray(a) || Array.isArray(b))
    return (
      Array.isArray(a) && Array.isArray(b) && a.length === b.length && a.every((s, i) => same_spec(s, b[i]))
    )
  const [x, y] = [a as Record<string, TreeSpec>, b as Record<string, TreeSpec>]
  const keys = Object.keys(x)
  return keys.length === Object.keys(y).length && keys.every(k => k in y && same_spec(x[k]!, y[k]!))
}

/** A prefix of a tree of this form as its leaves: a leaf of the prefix stands for all leaves below it. Null: it is none. */
export function broadcast_prefix(prefix: unknown, spec: TreeSpec): unknown[] | null {
  const leaves: unknown[] = []
  const fits = (p: unknown, s: TreeSpec): boolean => {
    if (Array.isArray(p))
      return Array.isArray(s) && s.length === p.length && p.every((q, i) => fits(q, s[i] as TreeSpec))
    if (is_dict(p)) {
      if (s === null || Array.isArray(s)) return false
      const own = s as Record<string, TreeSpec>
      const keys = Object.keys(own)
      return keys.length === Object.keys(p).length && keys.every(k => k in p && fits(p[k], own[k]!))
    }
    const fill = (t: TreeSpec): void => {
      if (t === null) leaves.push(p)
      else for (const v of Object.values(t)) fill(v as TreeSpec)
    }
    fill(s)
    return true
  }
  return fits(prefix, spec) ? leaves : null
}

/** `*`, or `TreeSpec(tuple, None, [*, *])`: a form as PyTorch's messages show it. */
export function spec_text(spec: TreeSpec): string {
  if (spec === null) return '*'
  if (Array.isArray(spec)) return `TreeSpec(tuple, None, [${spec.map(spec_text).join(', ')}])`
  const entries = Object.entries(spec as Record<string, TreeSpec>)
  return `TreeSpec(dict, [${entries.map(([k]) => `'${k}'`).join(', ')}], [${entries.map(([, s]) => spec_text(s)).join(', ')}])`
}
