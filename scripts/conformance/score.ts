/**
 * Runs cases and says of each whether it passed. A failing case, however it fails, never stops the run.
 */
import type { Aligned } from './align.ts'
import { find_call, Missing } from './call.ts'
import type { Case, Encoded } from './cases.ts'
import type { Tensor, Torch } from './codec.ts'
import { cotangent, decode, encode, leaves } from './codec.ts'
import { compare } from './compare.ts'
import { exceptions } from './exceptions.ts'

export type Status = 'pass' | 'missing' | 'error' | 'wrong' | 'wrong gradient'

export interface Result {
  readonly op: string
  readonly variant: string
  readonly dtype: string
  /** The case's place in the file. */
  readonly index: number
  readonly status: Status
  readonly reason: string
}

const message = (e: unknown): string => (e instanceof Error ? `${e.name}: ${e.message}` : String(e))

/** Why the result is neither of the expected ones, in terms of the first; nothing where it is one of them. */
const any_right = (reasons: readonly (string | undefined)[]): string | undefined =>
  reasons.includes(undefined) ? undefined : reasons[0]

/** PyTorch's gradients against ours, for the outputs as they were aligned. */
function check_gradients(c: Case, out: unknown, inputs: readonly Tensor[], aligned: Aligned, torch: Torch) {
  const all = leaves(out, torch)
  const outs = all.filter(x => x.requires_grad && x.is_floating_point())
  const cotangents = outs.map(x => cotangent(x, torch, aligned.signs?.[all.indexOf(x)]))
  const grads = torch.autograd.grad(outs, inputs, cotangents, { allow_unused: true })
  const tolerance = exception_of(c)?.tolerance
  const got = grads.map((grad): Encoded => (grad ? encode(grad, torch) : null))
  const wanted = [c.grads!, ...(c.also?.grads ? [c.also.grads] : [])]
  return any_right(wanted.map(want => compare(want, got, tolerance)))
}

const exception_of = (c: Case) => exceptions[`${c.op}:${c.variant}`] ?? exceptions[c.op]

export function run_case(c: Case, torch: Torch): { status: Status; reason: string } {
  try {
    const call = find_call(c, torch)
    const inputs: Tensor[] = []
    const args = c.args.map(arg => decode(arg, torch, inputs))
    const options = Object.entries(c.kw).map(([key, value]) => [key, decode(value, torch, inputs)] as const)
    if (options.length > 0) args.push(Object.fromEntries(options))
    // OpInfo seeds the generator so before every call that draws random numbers
    torch.manual_seed?.(42)
    const out = call(args)
    const exception = exception_of(c)
    const encoded = encode(out, torch)
    const aligned = exception?.align?.(c, encoded) ?? { actual: encoded }
    const wanted = [c.out, ...(c.also?.out ? [c.also.out] : [])]
    const wrong = any_right(wanted.map(want => compare(want, aligned.actual, exception?.tolerance)))
    if (wrong) return { status: 'wrong', reason: wrong }
    const gradient = c.grads && check_gradients(c, out, inputs, aligned, torch)
    if (gradient) return { status: 'wrong gradient', reason: gradient }
    return { status: 'pass', reason: '' }
  } catch (e) {
    return e instanceof Missing
      ? { status: 'missing', reason: e.message }
      : { status: 'error', reason: message(e) }
  }
}

export const run_cases = (cases: readonly Case[], torch: Torch): Result[] =>
  cases.map((c, index) => ({ op: c.op, variant: c.variant, dtype: c.dtype, index, ...run_case(c, torch) }))

export interface Score {
  readonly passed: number
  readonly total: number
}

/** Passed and total per op, in the order of the cases. */
export function score_by_op(results: readonly Result[]): Map<string, Score> {
  const scores = new Map<string, Score>()
  for (const { op, status } of results) {
    const { passed, total } = scores.get(op) ?? { passed: 0, total: 0 }
    scores.set(op, { passed: passed + (status === 'pass' ? 1 : 0), total: total + 1 })
  }
  return scores
}

/** What test/data/conformance/floor.json holds: passes in all, and per op where there are any. */
export interface Floor {
  readonly passed: number
  readonly ops: Readonly<Record<string, number>>
}

export function floor_of(results: readonly Result[]): Floor {
  const ops = [...score_by_op(results)]
    .filter(([, { passed }]) => passed > 0)
    .sort(([a], [b]) => (a < b ? -1 : 1))
  return {
    passed: results.filter(({ status }) => status === 'pass').length,
    ops: Object.fromEntries(ops.map(([op, { passed }]) => [op, passed])),
  }
}

/** Each op that passes fewer cases than the floor says, as a line to print. */
export function below_floor(results: readonly Result[], floor: Floor): string[] {
  const scores = score_by_op(results)
  return Object.entries(floor.ops).flatMap(([op, least]) => {
    const passed = scores.get(op)?.passed ?? 0
    return passed < least ? [`${op}: ${passed} pass, ${least} did`] : []
  })
}

/** What test/data/conformance/failures.json holds: by the case's place in the file, the op and why the case fails. */
export type Failures = Readonly<Record<string, { readonly op: string; readonly reason: string }>>

/** The cases that fail, with the reasons that are known already; of new ones what the comparison says. */
export function failures_of(results: readonly Result[], known: Failures): Failures {
  const failed = results.filter(({ status }) => status !== 'pass')
  return Object.fromEntries(
    failed.map(({ index, op, dtype, status, reason }) => [
      index,
      known[index] ?? { op, reason: `${dtype}: ${status}, ${reason.split('\n')[0]}` },
    ]),
  )
}

/** Where the list of failures and the results differ, either way, as lines to print. */
export function unlisted(results: readonly Result[], listed: Failures): string[] {
  return results.flatMap(({ index, op, dtype, status, reason }) => {
    const known = listed[index] !== undefined
    if (status === 'pass') return known ? [`#${index} ${op} passes: take it off the list of failures`] : []
    return known ? [] : [`#${index} ${op} ${dtype} fails: ${reason}`]
  })
}
