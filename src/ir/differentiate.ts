// Derivatives of scalar expressions, in reverse mode over the DAG, from the `d` of each row of ir/prims.ts. The result
// is again an expression, so it can be differentiated again. Complex numbers follow PyTorch: the gradient of x is
// dL/d(re x) + i dL/d(im x). Not here: the tape of tensors (autograd/).
import { complex, constant, type Expr, topological } from './expr.ts'
import { type PrimName, prims } from './prims.ts'
import { is_complex, is_float } from './types.ts'

/**
 * What each of `wrt` receives of the gradient `seed` of `out`: the product of `seed` with the partial derivative, or
 * null where `out` does not depend on it (differentiably: integers and truth values carry no gradient).
 *
 * The nodes in `wrt` are compared by identity and taken as independent variables: nothing flows through one of them
 * to another below it. The result is neither simplified nor shared; see ir/simplify.ts.
 *
 * Under way the conjugates of gradients are handed down: for them the chain rule of a holomorphic function is a
 * product with its derivative, so that the rows of real functions serve complex ones.
 */
export function differentiate(out: Expr, seed: Expr, wrt: readonly Expr[]): (Expr | null)[] {
  const variables = new Set(wrt)
  const order = topological(out)
  const depends = new Set<Expr>()
  for (const node of order)
    if (
      (is_float(node.type) || is_complex(node.type)) &&
      (variables.has(node) || node.src.some(s => depends.has(s)))
    )
      depends.add(node)

  const gradients = new Map<Expr, Expr>()
  if (depends.has(out)) gradients.set(out, seed.conj())
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
  return wrt.map(variable => gradients.get(variable)?.conj() ?? null)
}

function gradients_of_operands(node: Expr, g: Expr): (Expr | null)[] {
  const x = node.src[0]!
  switch (node.op) {
    case 'cast':
      return [is_complex(g.type) && !is_complex(x.type) ? g.real().cast(x.type) : g.cast(x.type)]
    case 'load': // memory is constant; a guarded load passes its third operand on where it does not read
      return node.src.length === 3 ? [null, null, node.src[1]!.where(0, g)] : [null]
    case 'bitcast':
      return [null]
    case 'const':
    case 'param':
    case 'var':
      return []
    case 'complex':
      return [g.real(), g.imag().neg()]
    case 'real':
      return [complex(g, zero(g))]
    case 'imag':
      return [complex(zero(g), g.neg())]
    case 'conj':
      return [g.conj()]
    case 'abs': {
      if (!is_complex(x.type)) break
      // g conj(x) / |x|, and 0 at 0
      const [re, im] = [x.real().mul(g).div(node), x.imag().mul(g).div(node)]
      const at_zero = node.eq(0)
      return [complex(at_zero.where(0, re), at_zero.where(0, im).neg())]
    }
    case 'angle': {
      const [re, im] = [x.real(), x.imag()]
      const square = re.mul(re).add(im.mul(im))
      const scaled = square.eq(0).where(0, g.div(square))
      return [complex(im.mul(scaled).neg(), re.mul(scaled).neg())]
    }
  }
  return prims[node.op as PrimName].d?.(g, node.src, node) ?? []
}

const zero = (g: Expr): Expr => constant(0, g.type)
