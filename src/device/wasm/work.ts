// How much work a launch is, and into parts of how many iterations it is cut for threads. Both follow from the operands'
// sizes alone, never from the number of threads. Not here: what may be cut and what it costs (lower/split.ts).
import type { Expr } from '../../ir/expr.ts'
import type { Param } from '../../ir/kernel.ts'
import { type PrimName, prims } from '../../ir/prims.ts'
import type { Cost } from '../../lower/split.ts'

/** What is worth waking threads for, and what a part should have at least; in the units of a Cost. */
const LEAST_WORK = 200_000
const LEAST_IN_PART = 50_000
const MOST_PARTS = 16
/** Parts are a whole number of so many iterations, where they are long: whole vectors in every type. */
const LINE = 64

type Work = (args: Int32Array) => number

/** A function that reads the sizes of a launch from its arguments, of which the parameters begin at `first_slot`. */
export function work_of({ size, own, inside }: Cost, params: readonly Param[], first_slot: number): Work {
  const count = typeof size === 'number' ? () => size : value_of(size, params, first_slot)
  const loops = inside.map(cost => work_of(cost, params, first_slot))
  return args => count(args) * loops.reduce((sum, loop) => sum + loop(args), own)
}

/** How often a loop is taken to run whose size only the kernel knows. */
const UNKNOWN_SIZE = 16

/** An index expression of the parameters as a function of the arguments. */
export function value_of(e: Expr, params: readonly Param[], first_slot: number): Work {
  if (e.op === 'const') return () => Number(e.arg)
  if (e.op === 'param') {
    const word = 2 * (first_slot + params.findIndex(p => p.name === (e.arg as Param).name))
    return args => args[word]!
  }
  if (e.op === 'var') return () => UNKNOWN_SIZE
  const src = e.src.map(x => value_of(x, params, first_slot))
  const { js } = prims[e.op as PrimName]
  return args => Number(js(e.type, ...src.map(x => x(args))))
}

/** How many of `n` iterations make a part; all of them where the work is not worth being shared. */
export function part_length(n: number, work: number): number {
  if (work < LEAST_WORK) return n
  const parts = Math.min(n, MOST_PARTS, Math.floor(work / LEAST_IN_PART))
  const length = Math.ceil(n / parts)
  return length > LINE ? Math.ceil(length / LINE) * LINE : length
}
