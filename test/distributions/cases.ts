// The objects and results that test/data/distributions/make.py recorded: building the one, comparing with the other.
import { readFileSync } from 'node:fs'
import * as torch from '../../src/index.ts'
import { cotangent, type Data, difference } from '../nn/values.ts'

export type Spec =
  | number
  | string
  | boolean
  | null
  | readonly Spec[]
  | { readonly t: string; readonly v: unknown }
  | { readonly make: string; readonly a?: readonly Spec[]; readonly k?: Readonly<Record<string, Spec>> }
  | { readonly property: string; readonly of: Spec }

/** What was recorded: a tensor, sizes, a number, a text, or an error. */
export type Recorded = Data | readonly number[] | number | string | boolean | null | Failure
export type Failure = { readonly error: string; readonly text: string }

const { distributions } = torch

export const load = <Case>(name: string): Case[] =>
  JSON.parse(readFileSync(new URL(`../data/distributions/${name}.json`, import.meta.url), 'utf8')) as Case[]

const unwritten: Readonly<Record<string, number>> = { nan: Number.NaN, inf: Infinity, '-inf': -Infinity }
const number = (x: unknown): unknown =>
  Array.isArray(x) ? x.map(number) : typeof x === 'string' ? (unwritten[x] ?? x) : x

function find(name: string): unknown {
  const place = name.startsWith('constraints.') ? distributions.constraints : distributions
  const found = (place as unknown as Record<string, unknown>)[name.replace('constraints.', '')]
  if (found === undefined) throw new Error(`torch.distributions has no ${name}`)
  return found
}

/** The object that a tree describes. Its floating-point tensors are put on `leaves`, and require grad. */
export function build(spec: Spec, leaves?: torch.Tensor[]): unknown {
  if (typeof spec !== 'object' || spec === null) return number(spec)
  if (Array.isArray(spec)) return spec.map(s => build(s, leaves))
  if ('t' in spec) {
    const dtype = torch.dtypes.find(d => d.name === spec.t) as torch.DType
    const made = torch.tensor(number(spec.v) as number[], { dtype })
    if (leaves === undefined || !dtype.is_floating_point) return made
    leaves.push(made.requires_grad_())
    return made
  }
  if ('property' in spec) return (build(spec.of, leaves) as Record<string, unknown>)[spec.property]
  const { make, a, k } = spec as { make: string; a?: Spec[]; k?: Record<string, Spec> }
  const cls = find(make) as (...args: unknown[]) => unknown
  if (make.startsWith('constraints.') && a === undefined) return cls
  const args = (a ?? []).map(s => build(s, leaves))
  if (k !== undefined)
    args.push(Object.fromEntries(Object.entries(k).map(([name, s]) => [name, build(s, leaves)])))
  return cls(...args)
}

/** Runs, giving an error as it is recorded. */
export function attempt(f: () => unknown): unknown {
  try {
    return f()
  } catch (error) {
    if (!(error instanceof Error)) throw error
    return { error: error.name, text: error.message } satisfies Failure
  }
}

const is_failure = (x: unknown): x is Failure => typeof x === 'object' && x !== null && 'error' in x
const is_data = (x: unknown): x is Data => typeof x === 'object' && x !== null && 's' in x

/** How a result differs from what was recorded, in words, or nothing. */
export function mismatch(
  got: unknown,
  expected: Recorded | undefined,
  tolerance?: number,
): string | undefined {
  if (expected === undefined) return undefined
  if (is_failure(expected) || is_failure(got)) {
    const [a, b] = [got, expected].map(x => (is_failure(x) ? `${x.error}: ${x.text}` : String(x)))
    return a === b ? undefined : `got ${a}\nexpected ${b}`
  }
  if (is_data(expected)) {
    if (!(got instanceof torch.Tensor)) return `got ${got}, expected a tensor`
    return difference(got as torch.Tensor, expected, tolerance ?? (expected.t === 'float64' ? 1e-8 : 2e-5))
  }
  const [a, b] = [JSON.stringify(got), JSON.stringify(expected)]
  return a === b ? undefined : `got ${a}, expected ${b}`
}

/** How lists of gradients differ. */
export function mismatches(
  got: unknown,
  expected: readonly (Data | null)[] | Failure | undefined,
  tolerance?: number,
): string | undefined {
  if (expected === undefined) return undefined
  if (is_failure(expected) || is_failure(got)) return mismatch(got, expected as Failure, tolerance)
  const list = got as (torch.Tensor | null)[]
  if (list.length !== expected.length) return `${list.length} gradients, expected ${expected.length}`
  for (const [i, e] of (expected as (Data | null)[]).entries()) {
    const wrong =
      e === null ? (list[i] === null ? undefined : `got ${list[i]}`) : mismatch(list[i], e, tolerance)
    if (wrong !== undefined) return `gradient ${i}: ${wrong}`
  }
  return undefined
}

/** The gradients of a result, weighted as in make.py. */
export function gradients(result: torch.Tensor, leaves: readonly torch.Tensor[]): (torch.Tensor | null)[] {
  if (!result.requires_grad) return []
  const total = result.mul(cotangent(result)).sum()
  return torch.autograd.grad(total, leaves, { allow_unused: true }) as (torch.Tensor | null)[]
}

export function gradients_of(spec: Spec, f: (made: never) => torch.Tensor): (torch.Tensor | null)[] {
  const leaves: torch.Tensor[] = []
  const made = build(spec, leaves)
  return leaves.length === 0 ? [] : gradients(f(made as never), leaves)
}

/** Runs after a fixed seed. */
export function seeded<T>(f: () => T): T {
  torch.manual_seed(7)
  return f()
}
