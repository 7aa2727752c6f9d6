// What renderers ask about statements: which reductions can be written in lanes, that is with an array of accumulators
// for neighbouring iterations, and what a body contains. A compiler may not reorder a reduction of floats by itself.
// Not here: the code (render/).
import { type Expr, topological } from '../ir/expr.ts'
import type { Stmt } from '../ir/kernel.ts'
import type { ScalarType } from '../ir/types.ts'

export type Loop = Extract<Stmt, { kind: 'for' }>
type Assign = Extract<Stmt, { kind: 'assign' }>

export const name_of = (variable: Expr): string => variable.arg as string

const bodies = (s: Stmt): readonly (readonly Stmt[])[] =>
  s.kind === 'for' || s.kind === 'while' ? [s.body] : s.kind === 'if' ? [s.then, s.else] : []

/** Every statement, outer before inner. */
export const all_statements = (body: readonly Stmt[]): Stmt[] =>
  body.flatMap(s => [s, ...bodies(s).flatMap(all_statements)])

/** The expressions of a statement itself, without those of its body. */
export function own_expressions(s: Stmt): readonly Expr[] {
  switch (s.kind) {
    case 'for':
      return [s.size]
    case 'while':
    case 'if':
      return [s.cond]
    case 'store':
      return [s.index, s.value]
    default:
      return [s.value]
  }
}

/** The names of the locals that `body` assigns. */
export const assigned_names = (body: readonly Stmt[]): ReadonlySet<string> =>
  new Set(all_statements(body).flatMap(s => (s.kind === 'assign' ? [name_of(s.var)] : [])))

export const has_loop = (body: readonly Stmt[]): boolean =>
  all_statements(body).some(s => s.kind === 'for' || s.kind === 'while')

/** How many values a body computes and reads, other than indices. */
export const weight = (body: readonly Stmt[]): number =>
  topological(...all_statements(body).flatMap(own_expressions)).filter(
    e => e.src.length > 0 && e.type !== 'index',
  ).length

/** The most that a loop computes of what it reads, so that it does little but look up. */
const LIGHT = 2

/** Whether a loop only reads memory at places, of 64 bits, that it has read from memory: vectors make that slower. */
export function looks_up(loop: Loop): boolean {
  if (has_loop(loop.body)) return false
  const read = new Set<Expr | string>()
  let [lookups, computed] = [0, 0]
  for (const s of all_statements(loop.body)) {
    for (const e of topological(...own_expressions(s))) {
      if (read.has(e)) continue
      const of_read = e.src.some(x => read.has(x)) || (e.op === 'var' && read.has(name_of(e)))
      if (e.op === 'load' && of_read) lookups++
      else if (of_read && e.op !== 'cast' && e.op !== 'var') computed++
      if (of_read || (e.op === 'load' && e.type === 'i64')) read.add(e)
    }
    if ((s.kind === 'declare' || s.kind === 'assign') && read.has(s.value)) read.add(name_of(s.var))
  }
  return lookups > 0 && computed <= LIGHT
}

/** An accumulator of a reduction: `assign` is acc = acc op e, and `identity` op e is e. */
export type Accumulator = {
  readonly assign: Assign
  readonly op: 'add' | 'mul' | 'min' | 'max' | 'and' | 'or' | 'xor'
  readonly identity: number | bigint | boolean
}

type Identity = (type: ScalarType) => number | bigint | boolean
const is_float = (type: ScalarType): boolean => type === 'f32' || type === 'f64'

const highest: Identity = type => {
  if (type === 'bool') return true
  return is_float(type) ? Infinity : type === 'i32' ? 2 ** 31 - 1 : 2n ** 63n - 1n
}
const lowest: Identity = type => {
  if (type === 'bool') return false
  return is_float(type) ? -Infinity : type === 'i32' ? -(2 ** 31) : -(2n ** 63n)
}

const IDENTITY: Readonly<Record<Accumulator['op'], Identity>> = {
  // -0 + x is x for every float, 0 + -0 is not -0
  add: type => (is_float(type) ? -0 : 0),
  mul: () => 1,
  min: highest,
  max: lowest,
  and: type => (type === 'bool' ? true : -1),
  or: type => (type === 'bool' ? false : 0),
  xor: type => (type === 'bool' ? false : 0),
}

function accumulator(assign: Assign): Accumulator {
  const op = (assign.value.op === 'fma' ? 'add' : assign.value.op) as Accumulator['op']
  return { assign, op, identity: IDENTITY[op](assign.var.type) }
}

/** The accumulators of a reduce loop that can be written in lanes: nothing in it but values and their accumulation. */
export function accumulators_of(loop: Loop): readonly Accumulator[] | undefined {
  if (loop.mode !== 'reduce') return undefined
  if (!loop.body.every(s => s.kind === 'declare' || s.kind === 'assign')) return undefined
  const assigns = loop.body.filter(s => s.kind === 'assign')
  const names = new Set(assigns.map(s => name_of(s.var)))
  const inside = loop.body.some(s => s.kind === 'declare' && names.has(name_of(s.var)))
  if (assigns.length === 0 || inside || names.size < assigns.length) return undefined
  return assigns.map(accumulator)
}
