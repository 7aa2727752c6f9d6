// Whether a loop is better done as vectors, and how: what varies from iteration to iteration, which locals are
// accumulators of reductions, and how many iterations go together. Not here: the code (vector_loop.ts).
import { type Expr, topological } from '../../ir/expr.ts'
import type { Stmt } from '../../ir/kernel.ts'
import type { PrimName } from '../../ir/prims.ts'
import { own_expressions } from '../../lower/loops.ts'
import { type Affine, affine, inline_index_locals, is_constant } from './affine.ts'
import { is_native, is_wide, LANES } from './vector.ts'

export type ForStmt = Stmt & { readonly kind: 'for' }

export type Plan = {
  readonly body: readonly Stmt[]
  /** Depends on the loop's counter or on a local of its body: has a value for each lane. */
  readonly varies: (e: Expr) => boolean
  readonly accumulators: ReadonlyMap<string, Accumulator>
  /** How many iterations are done at once. */
  readonly lanes: number
}
export type Accumulator = { readonly var: Expr; readonly op: PrimName }

const ASSOCIATIVE = new Set<string>(['add', 'mul', 'min', 'max', 'and', 'or', 'xor'])

/** The plan for a loop, or null where it is better done one by one, or cannot be done otherwise. */
export function vector_plan(s: ForStmt): Plan | null {
  if (s.body.some(stmt => stmt.kind === 'for' || stmt.kind === 'while' || stmt.kind === 'if')) return null
  const body = inline_index_locals(s.body)
  const roots = body.flatMap(own_expressions)
  const lane_vars = new Set([s.var.arg as string])
  const accumulators = new Map<string, Accumulator>()
  for (const stmt of body) {
    if (stmt.kind === 'store' && s.mode === 'reduce') return null
    if (stmt.kind === 'declare') lane_vars.add(stmt.var.arg as string)
    if (stmt.kind !== 'assign' || lane_vars.has(stmt.var.arg as string)) continue
    const op = s.mode === 'reduce' ? reduction(stmt.var, stmt.value, roots) : null
    if (op === null) return null
    accumulators.set(stmt.var.arg as string, { var: stmt.var, op })
    lane_vars.add(stmt.var.arg as string)
  }
  const varies = depends_on(lane_vars)
  const lanes = lanes_that_pay(body, s.var.arg as string, varies)
  return lanes === null ? null : { body, varies, accumulators, lanes }
}

/** Compares instructions for four iterations, one by one and as vectors; short loops are unrolled. */
function lanes_that_pay(body: readonly Stmt[], counter: string, varies: (e: Expr) => boolean): number | null {
  let [scalar, vector, contiguous, wide] = [0, 0, true, false]
  const hidden = new Set<Expr>() // index arithmetic that a moving pointer replaces
  const count_access = (index: Expr, parts: number): void => {
    const a = lane_affine(index, counter, varies)
    const is_unit = a !== null && is_constant(a.coefficient, 1)
    contiguous &&= is_unit
    vector += is_unit ? parts : a ? 6 : 8
    if (a) for (const e of topological(index)) hidden.add(e)
  }
  for (const s of body)
    if (s.kind === 'store') {
      scalar += LANES
      count_access(s.index, is_wide(s.value.type) ? 2 : 1)
    }
  // users first, so that index arithmetic is known when it is met
  for (const e of topological(...body.flatMap(own_expressions)).toReversed()) {
    if (e.src.length === 0 || !varies(e) || hidden.has(e)) continue
    const is_double = is_wide(e.type) || is_wide(e.src[e.src.length - 1]!.type)
    const parts = is_double ? 2 : 1
    wide ||= is_double
    scalar += LANES
    if (e.op !== 'load') vector += is_native(e, { is_invariant: x => !varies(x) }) ? parts : 10
    else {
      count_access(e.src[0]!, parts)
      if (e.src[1] && varies(e.src[1])) vector += 6
    }
  }
  if (vector >= scalar) return null
  if (!contiguous || vector > 64) return LANES
  return LANES * Math.max(1, (vector > 10 ? 2 : 4) / (wide ? 2 : 1))
}

/** The op of `acc = acc op e` or `acc = e op acc`, where nothing else reads `acc`; also of fma(a, b, acc). */
function reduction(acc: Expr, value: Expr, roots: readonly Expr[]): PrimName | null {
  const is_acc = (e: Expr): boolean => e.op === 'var' && e.arg === acc.arg
  const uses = roots.reduce(
    (n, root) =>
      n +
      topological(root)
        .flatMap(e => e.src)
        .filter(is_acc).length,
    0,
  )
  if (uses !== 1 || roots.some(is_acc)) return null
  if (value.op === 'fma' && is_acc(value.src[2]!)) return 'add'
  return ASSOCIATIVE.has(value.op) && value.src.some(is_acc) ? (value.op as PrimName) : null
}

/** Whether an expression mentions one of these variables. */
function depends_on(names: ReadonlySet<string>): (e: Expr) => boolean {
  const known = new Map<Expr, boolean>()
  return root => {
    const answer = known.get(root)
    if (answer !== undefined) return answer
    for (const e of topological(root))
      if (!known.has(e))
        known.set(e, (e.op === 'var' && names.has(e.arg as string)) || e.src.some(x => known.get(x)!))
    return known.get(root)!
  }
}

/** An index as a linear function of the counter whose parts are the same in all lanes. */
export function lane_affine(index: Expr, counter: string, varies: (e: Expr) => boolean): Affine | null {
  const a = affine(index, counter)
  return a && !varies(a.coefficient) && !varies(a.rest) ? a : null
}
