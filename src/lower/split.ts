// What is asked about sharing a kernel's work among threads: which loops may be cut into shares, and about how much
// work there is. Not here: the code (render/), the threads (render/c/pool.ts, device/wasm/threads.ts).
import { type Expr, topological } from '../ir/expr.ts'
import type { Stmt } from '../ir/kernel.ts'
import { all_statements, assigned_names, type Loop, name_of, weight } from './loops.ts'

/**
 * The nest of independent loops that a kernel consists of, but for declarations before and between them; empty where
 * a kernel is anything else. Each loop may be cut: their sizes are known before the first.
 */
export function split_nest(body: readonly Stmt[]): readonly Loop[] {
  const loops: Loop[] = []
  const inside = new Set<string>()
  for (let block = body; ; ) {
    const last = block.at(-1)
    if (last?.kind !== 'for' || (last.mode !== 'parallel' && last.mode !== 'vector')) return loops
    const before = block.slice(0, -1)
    if (!before.every(s => s.kind === 'declare') || depends_on(last.size, inside)) return loops
    if (loops.length > 0) for (const s of before) inside.add(name_of(s.var))
    inside.add(name_of(last.var))
    loops.push(last)
    block = last.body
  }
}

const depends_on = (e: Expr, names: { has(name: string): boolean }): boolean =>
  topological(e).some(x => x.op === 'load' || (x.op === 'var' && names.has(name_of(x))))

/** The cost of an operation in a loop that runs in lanes, and of one that does not: about 0.05 ns. */
const LANE_COST = 1
const SCALAR_COST = 8
/** How often a loop is taken to run whose size is not known beforehand. */
const UNKNOWN_SIZE = 16

/** An estimate of what a loop costs: `size` times what an iteration costs itself and with the loops inside. */
export type Cost = { readonly size: Expr | number; readonly own: number; readonly inside: readonly Cost[] }

/** What a loop costs, by sizes known before it. */
export function cost_of(loop: Loop): Cost {
  return block_cost(loop.body, loop, new Map())
}

/** `inside`: what is declared within the outermost loop, with its value; a counter has none. */
function block_cost(body: readonly Stmt[], loop: Loop, outer: ReadonlyMap<string, Expr | null>): Cost {
  const inside = new Map(outer).set(name_of(loop.var), null)
  for (const s of all_statements(body)) if (s.kind === 'declare') inside.set(name_of(s.var), s.value)
  for (const name of assigned_names(body)) inside.set(name, null)
  const own = body.filter(s => s.kind !== 'for' && s.kind !== 'while')
  const in_lanes = (loop.mode === 'vector' || loop.mode === 'reduce') && own.length === body.length
  let sum = (1 + weight(own)) * (in_lanes ? LANE_COST : SCALAR_COST)
  const loops: Cost[] = []
  for (const s of body)
    if (s.kind === 'while') sum += UNKNOWN_SIZE * SCALAR_COST * (1 + weight(s.body))
    else if (s.kind === 'for') loops.push(block_cost(s.body, s, inside))
  return { size: known_size(loop.size, outer) ?? UNKNOWN_SIZE, own: sum, inside: loops }
}

/** A size, or what bounds it, if that is known outside of where `inside` is declared. */
function known_size(size: Expr, inside: ReadonlyMap<string, Expr | null>): Expr | null {
  if (!depends_on(size, inside)) return size
  const value = size.op === 'var' ? inside.get(name_of(size)) : undefined
  if (value) return known_size(value, inside)
  if (size.op !== 'min') return null
  const [a, b] = size.src.map(e => known_size(e, inside)) as [Expr | null, Expr | null]
  return a !== null && b !== null ? a.min(b) : (a ?? b)
}
