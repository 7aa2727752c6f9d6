// Derivatives of scalar expressions, in reverse mode over the DAG, from the `d` of each row of ir/prims.ts. The result
// is again an expression, so it can be differentiated again. Not here: the tape of tensors (autograd/).
import { type Expr, topological } from './expr.ts'
import { type PrimName, prims } from './prims.ts'
import { is_float } from './types.ts'

/**
 * What each of `wrt` receives of the gradient `seed` of `out`: the product of `seed` with the partial derivative, or
 * null where `out` does not depend on it (differentiably: integers and truth values carry no gradient).
 *
 * The nodes in `wrt` are compared by identity and taken as independent variables: nothing flows through one of them
 * to another below it. The result is neither simplified nor shared; see ir/simplify.ts.
 */
export function differentiate(out: Expr, seed: Expr, wrt: readonly Expr[]): (Expr | null)[] {
  const variables = new Set(wrt)
  const order = topological(out)
  const depends = new Set<Expr>()
  for (const node of order)
    if (is_float(node.type) && (variables.has(node) || node.src.some(s => depends.has(s)))) depends.add(node)

  const gradients = new Map<Expr, Expr>()
  if (depends.has(out)) gradients.set(out, seed)
  for (const node of order.reverse()) {
    const g = gradients.get(node)
    if (g === undefined || variables.has(node)) continue
    gradients_of_operands(node, g).forEach((gi, i) => {
      const operand = node.src[i]!
      if (gi === null || !depends.has(operand)) return
      const sum = gradients.get(operand)
      gradients.set(operand, sum === undefined ? gi : sum.add(gi))
    })
  }
  return wrt.map(variable => gradients.get(variable) ?? null)
}

function gradients_of_operands(node: Expr, g: Expr): (Expr | null)[] {
  switch (node.op) {
    case 'cast':
      return [g.cast(node.src[0]!.type)]
    case 'load': // memory is constant; a guarded load passes its third operand on where it does not read
      return node.src.length === 3 ? [null, null, node.src[1]!.where(0, g)] : [null]
    case 'bitcast':
      return [null]
    case 'const':
    case 'param':
    case 'var':
      return []
    default:
      return prims[node.op as PrimName].d?.(g, node.src, node) ?? []
  }
}
