// Shared by the tests of the IR: the stored reference values, and evaluation of an expression by its rows alone.
import { readFileSync } from 'node:fs'
import { type Expr, topological } from '../../src/ir/expr.ts'
import { type PrimName, prims } from '../../src/ir/prims.ts'
import type { ScalarType } from '../../src/ir/types.ts'
import { convert, reinterpret, type Value } from '../../src/ir/value.ts'

const load = (name: string): unknown =>
  JSON.parse(readFileSync(new URL(`../data/ir/${name}`, import.meta.url), 'utf8'))

/** Points and values of scalar functions of one float64 (mpmath). */
export const special = load('special.json') as Record<string, [number, number][]>

/** Values and gradients at corner points (PyTorch 1.13), see generate.py beside it. */
export const torch = load('torch.json') as {
  operands: Record<string, string>
  values: Record<string, string>
  gradient_operands: string
  gradients: Record<string, string[]>
}

/** The numbers of a grid; null where there is no reference. */
export const numbers = (text: string, type: ScalarType): (Value | null)[] =>
  text.split(' ').map(word => (word === '_' ? null : type === 'i64' ? BigInt(word) : Number(word)))

/** All operand tuples of a grid, the first operand outermost. */
export const tuples = (operands: readonly Value[], arity: number): Value[][] =>
  arity === 1 ? operands.map(x => [x]) : operands.flatMap(a => operands.map(b => [a, b]))

/** The value of an expression with its variables, or other nodes, bound. */
export function evaluate(root: Expr, bindings: ReadonlyMap<Expr, Value>): Value {
  const values = new Map<Expr, Value>(bindings)
  for (const node of topological(root)) {
    if (values.has(node) || node.op === 'var') continue
    const src = node.src.map(s => values.get(s)!)
    const operand = node.src.at(-1)
    if (node.op === 'const') values.set(node, node.arg as Value)
    else if (node.op === 'cast') values.set(node, convert(src[0]!, operand!.type, node.type))
    else if (node.op === 'bitcast') values.set(node, reinterpret(src[0]!, operand!.type, node.type))
    else values.set(node, prims[node.op as PrimName].js(operand!.type, ...src))
  }
  return values.get(root)!
}
