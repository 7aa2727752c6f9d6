// Splits an index expression into coefficient * variable + rest, where neither part mentions the variable. From this
// follow which loads of a loop are contiguous, and which part of an operand a range of iterations touches.
// Not here: what is done about it (vector_loop.ts, the wasm device's slicing).
import { constant, type Expr, rewrite, topological } from '../../ir/expr.ts'
import type { Stmt } from '../../ir/kernel.ts'
import { visit_statements } from './walk.ts'

export type Affine = { readonly coefficient: Expr; readonly rest: Expr }

const ZERO: Expr = constant(0, 'index')
const ONE: Expr = constant(1, 'index')

export const is_constant = (e: Expr, value: number): boolean => e.op === 'const' && Number(e.arg) === value

const plus = (a: Expr, b: Expr): Expr => (is_constant(a, 0) ? b : is_constant(b, 0) ? a : a.add(b))
const minus = (a: Expr, b: Expr): Expr => (is_constant(b, 0) ? a : a.sub(b))
const times = (a: Expr, b: Expr): Expr =>
  is_constant(a, 0) || is_constant(b, 0) ? ZERO : is_constant(a, 1) ? b : is_constant(b, 1) ? a : a.mul(b)

/** `index` as a linear function of the loop variable named `name`, or null where it is none. */
export function affine(index: Expr, name: string): Affine | null {
  const done = new Map<Expr, Affine | null>()
  for (const node of topological(index))
    done.set(
      node,
      step(
        node,
        name,
        node.src.map(s => done.get(s)!),
      ),
    )
  return done.get(index)!
}

function step(node: Expr, name: string, src: readonly (Affine | null)[]): Affine | null {
  if (node.op === 'var' && node.arg === name) return { coefficient: ONE, rest: ZERO }
  if (src.every(s => s !== null && is_constant(s.coefficient, 0))) return { coefficient: ZERO, rest: node }
  const [a, b] = src
  if (node.type !== 'index' || !a || !b) return null
  if (node.op === 'add')
    return { coefficient: plus(a.coefficient, b.coefficient), rest: plus(a.rest, b.rest) }
  if (node.op === 'sub')
    return { coefficient: minus(a.coefficient, b.coefficient), rest: minus(a.rest, b.rest) }
  if (node.op !== 'mul') return null
  if (is_constant(b.coefficient, 0))
    return { coefficient: times(a.coefficient, b.rest), rest: times(a.rest, b.rest) }
  if (is_constant(a.coefficient, 0))
    return { coefficient: times(a.rest, b.coefficient), rest: times(a.rest, b.rest) }
  return null
}

/**
 * A loop body without its index locals: each `declare` of type index that is never assigned is put in place of its
 * uses, so that index expressions can be seen through. Nested loops are gone through as well.
 */
export function inline_index_locals(body: readonly Stmt[]): Stmt[] {
  const assigned = new Set<string>()
  visit_statements(body, s => {
    if (s.kind === 'assign') assigned.add(s.var.arg as string)
  })
  const values = new Map<string, Expr>()
  const put = (e: Expr): Expr =>
    rewrite(e, node => (node.op === 'var' ? values.get(node.arg as string) : undefined))
  const go = (statements: readonly Stmt[]): Stmt[] => statements.flatMap(inlined)
  function inlined(s: Stmt): Stmt[] {
    switch (s.kind) {
      case 'for':
        return [{ ...s, size: put(s.size), body: go(s.body) }]
      case 'while':
        return [{ ...s, cond: put(s.cond), body: go(s.body) }]
      case 'if':
        return [{ ...s, cond: put(s.cond), then: go(s.then), else: go(s.else) }]
      case 'store':
        return [{ ...s, index: put(s.index), value: put(s.value) }]
      case 'assign':
        return [{ ...s, value: put(s.value) }]
      case 'declare': {
        const value = put(s.value)
        const name = s.var.arg as string
        if (s.var.type !== 'index' || assigned.has(name) || topological(value).some(e => e.op === 'load'))
          return [{ ...s, value }]
        values.set(name, value)
        return []
      }
    }
  }
  return go(body)
}
