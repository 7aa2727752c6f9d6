// How much of PyTorch's public names tstorch has: PyTorch's list (test/data/names/names.json) against the namespaces as
// they are imported. Not here: what is left out and why (apart.ts), the command (run.ts).
import { readFileSync } from 'node:fs'
import { apart, operators } from './apart.ts'

export interface Space {
  readonly name: string
  /** What a user of dense tensors on the CPU would type. */
  readonly counted: readonly string[]
  readonly missing: readonly string[]
  /** Reason to names. */
  readonly apart: ReadonlyMap<string, readonly string[]>
}

type Namespace = Readonly<Record<string | symbol, unknown>>

const data = new URL('../../test/data/names/names.json', import.meta.url)
/** PyTorch's names by namespace. */
export const pytorch = (): Record<string, string[]> =>
  JSON.parse(readFileSync(data, 'utf8')) as Record<string, string[]>

const fits = (name: string, patterns: string): boolean =>
  patterns
    .split(' ')
    .some(pattern =>
      pattern.includes('*') ? new RegExp(`^${pattern.replaceAll('*', '.*')}$`).test(name) : pattern === name,
    )

/** Why a name is not counted, or nothing. */
export const reason_apart = (space: string, name: string): string | undefined =>
  apart.find(entry => entry.spaces.includes(space) && fits(name, entry.names))?.reason

/** Our object for a namespace: `optim.lr_scheduler` is torch.optim.lr_scheduler, `Tensor` a tensor. */
function ours(torch: Namespace, space: string): Namespace {
  if (space === 'torch') return torch
  if (space === 'Tensor')
    return (torch['view_as_complex'] as (x: unknown) => Namespace)(
      (torch['ones'] as (...size: number[]) => unknown)(2, 2),
    )
  let at: Namespace | undefined = torch
  for (const part of space.split('.')) at = at?.[part] as Namespace | undefined
  return at ?? {}
}

/** What a call without arguments would change. */
const not_probed = /^(seed|fork_rng|set_.*|use_.*|autocast_.*)$/

/** Whether calling something says at once that it is not there: a name alone is no coverage. */
function is_stub(namespace: Namespace, key: string): boolean {
  if (not_probed.test(key)) return false
  const warn = console.warn
  console.warn = () => undefined
  try {
    const thing = namespace[key]
    if (typeof thing === 'function') thing.call(namespace)
  } catch (error) {
    return error instanceof Error && /not (yet )?(implemented|supported|there)( yet)?$/.test(error.message)
  } finally {
    console.warn = warn
  }
  return false
}

function has(space: string, namespace: Namespace, name: string): boolean {
  const key = space === 'Tensor' && name.startsWith('__') ? operators[name] : name
  if (key === undefined) return false
  if (key === 'Symbol.iterator') return Symbol.iterator in namespace
  return key in namespace && !is_stub(namespace, key)
}

/** Each namespace of PyTorch's, and what of it is missing. */
export function coverage(torch: Namespace): Space[] {
  return Object.entries(pytorch()).map(([name, all]) => {
    const left_out = new Map<string, string[]>()
    const counted: string[] = []
    for (const n of all) {
      const reason = reason_apart(name, n)
      if (reason === undefined) counted.push(n)
      else left_out.set(reason, [...(left_out.get(reason) ?? []), n])
    }
    const namespace = ours(torch, name)
    return { name, counted, missing: counted.filter(n => !has(name, namespace, n)), apart: left_out }
  })
}
