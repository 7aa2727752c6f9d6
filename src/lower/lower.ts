// The one pass between op families and renderers. A lowered kernel has the same meaning and is made of the same IR,
// but: transcendental primitives are arithmetic (decompose/), vector loops are straight lines (vector.ts), common
// subexpressions are locals, and what a loop does not change is computed before it (place.ts).
// Not here: what depends on a target, such as vector widths.
import { constant, Expr, rewrite, topological, variable } from '../ir/expr.ts'
import type { Kernel, Stmt } from '../ir/kernel.ts'
import { simplify } from '../ir/simplify.ts'
import { decompose, is_integer_power } from './decompose/index.ts'
import { place } from './place.ts'
import { straighten } from './vector.ts'

/**
 * Lowers a kernel for the renderers. The result depends on nothing but the kernel, names included: counters are
 * i0, i1, ... and locals v0, v1, ... Each local that is never assigned is declared once, before its first use.
 */
export function lower(kernel: Kernel): Kernel {
  const expand = new Expand()
  return place({ ...kernel, body: expand.block(kernel.body, 0) })
}

/** Rewrites the expressions of a kernel, statement by statement. */
class Expand {
  /** How many loops are around the declaration of a counter or local. */
  readonly #depths = new Map<string, number>()

  block(stmts: readonly Stmt[], depth: number): Stmt[] {
    return stmts.flatMap(s => this.#statement(s, depth))
  }

  #statement(s: Stmt, depth: number): Stmt[] {
    const before: Stmt[] = []
    const lowered = (e: Expr): Expr => this.#expression(e, depth, before)
    const after = (stmt: Stmt): Stmt[] => [...before, stmt]
    switch (s.kind) {
      case 'declare':
        this.#depths.set(s.var.arg as string, depth)
        return after({ ...s, value: lowered(s.value) })
      case 'assign': {
        // `acc = acc op e` keeps its form, by which reductions are recognised
        const [acc, e] = s.value.src
        const update = s.value.src.length === 2 && acc?.op === 'var' && acc.arg === s.var.arg
        const value = update ? new Expr(s.value.op, s.value.type, [acc, lowered(e!)]) : lowered(s.value)
        return after({ ...s, value })
      }
      case 'store':
        return after({ ...s, index: lowered(s.index), value: lowered(s.value) })
      case 'for': {
        const size = lowered(s.size)
        this.#depths.set(s.var.arg as string, depth + 1)
        const loop = { ...s, size, body: this.block(s.body, depth + 1) }
        return after(straighten(loop, depth === 0 ? 'parallel' : 'serial'))
      }
      case 'while':
        return this.#while(s.cond, s.body, depth)
      case 'if': {
        const cond = lowered(s.cond)
        return after({ ...s, cond, then: this.block(s.then, depth), else: this.block(s.else, depth) })
      }
    }
  }

  /** Nothing can be declared inside a condition: one that is not plain is computed before the loop and in its body. */
  #while(cond: Expr, body: readonly Stmt[], depth: number): Stmt[] {
    const before: Stmt[] = []
    const lowered = this.#expression(cond, depth + 1, before)
    if (before.length === 0 && is_tree(lowered))
      return [{ kind: 'while', cond: lowered, body: this.block(body, depth + 1) }]
    const go = variable('bool')
    const again: Stmt = { kind: 'assign', var: go, value: cond }
    return [
      ...this.#statement({ kind: 'declare', var: go, value: cond }, depth),
      { kind: 'while', cond: go, body: this.block([...body, again], depth + 1) },
    ]
  }

  /** What has to be done before `e` can be computed goes to `before`. */
  #expression(e: Expr, depth: number, before: Stmt[]): Expr {
    const arithmetic = simplify(decompose(simplify(e)))
    return rewrite(arithmetic, node => {
      if (node.type === 'index' && node.op === 'add') return this.#outermost_first(node, depth)
      return is_integer_power(node) ? power_loop(node, before) : undefined
    })
  }

  /** A sum of indices with the terms of outer loops first, so that partial sums can leave the inner loops. */
  #outermost_first(sum: Expr, depth: number): Expr {
    const terms = terms_of(sum).map(e => ({ e, depth: this.#depth_of(e, depth) }))
    if (terms.every((t, i) => i === 0 || terms[i - 1]!.depth <= t.depth)) return sum
    const [first, ...rest] = terms.toSorted((a, b) => a.depth - b.depth)
    return rest.reduce((a, t) => a.add(t.e), first!.e)
  }

  #depth_of(e: Expr, here: number): number {
    const depths = topological(e).map(x => {
      if (x.op === 'load') return here
      return x.op === 'var' ? (this.#depths.get(x.arg as string) ?? here) : 0
    })
    return Math.max(...depths)
  }
}

/** The terms of a sum that leans to the left, as sums do whose own sums are in order. */
function terms_of(e: Expr): Expr[] {
  return e.op === 'add' ? e.src.flatMap(terms_of) : [e]
}

/** No node but a leaf has two users. */
function is_tree(e: Expr): boolean {
  const edges = topological(e).flatMap(x => x.src.filter(s => s.src.length > 0))
  return new Set(edges).size === edges.length
}

/** x^n for integers, by squaring: the statements that compute it, and the local that holds it. */
function power_loop(pow: Expr, before: Stmt[]): Expr {
  const [x, n] = pow.src as [Expr, Expr]
  const { type } = pow
  const [base, rest, power] = [variable(type), variable(type), variable(type)]
  // 1 / x^-n truncated: 1 and -1 to the same power as without the sign, else 0
  const negative = n.lt(0)
  const unit = x.eq(1).or(x.eq(-1))
  const odd_power = rest.and(1).ne(0).where(power.mul(base), power)
  before.push(
    { kind: 'declare', var: base, value: x },
    { kind: 'declare', var: rest, value: negative.where(n.and(1), n) },
    {
      kind: 'declare',
      var: power,
      value: negative.and(unit.not()).where(constant(0, type), constant(1, type)),
    },
    {
      kind: 'while',
      cond: rest.ne(0),
      body: [
        { kind: 'assign', var: power, value: odd_power },
        { kind: 'assign', var: base, value: base.mul(base) },
        { kind: 'assign', var: rest, value: rest.ushr(1) },
      ],
    },
  )
  return power
}
