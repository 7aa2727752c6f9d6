// Rules of matrix products: a batch of one operand is more rows or columns of one product, of both a product each.
// Not here: the products (ops/matmul.ts).
import type { ComplexScalar } from '../../base/complex_scalar.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { type Call, folded, padded, type Rule, unfolded } from './call.ts'

/** The product of matrices, with the batch in front. */
function product(call: Call, a: Tensor, b: Tensor): Tensor {
  const n = call.level.size
  if (!call.varies(b)) return unfolded(folded(call.all(a)).mm(b), n)
  if (call.varies(a)) return a.value.bmm(b.value)
  // As many columns as all samples have.
  const [, inner, columns] = b.value.sizes as [number, number, number]
  const wide = b.value.transpose(0, 1).reshape([inner, n * columns])
  return a.mm(wide).reshape([a.sizes[0]!, n, columns]).transpose(0, 1)
}

const operands = (call: Call): [Tensor, Tensor] => call.values.slice(0, 2) as [Tensor, Tensor]

export const mm: Rule = call => product(call, ...operands(call))

/** Batches of products become one batch. */
export const bmm: Rule = call => {
  const [a, b] = operands(call)
  return unfolded(folded(call.all(a)).bmm(folded(call.all(b))), call.level.size)
}

export const mv: Rule = call => {
  const [a, b] = operands(call)
  if (!call.varies(a)) return (b as Tensor & { value: Tensor }).value.mm(a.t())
  if (!call.varies(b)) return unfolded(folded(a.value).mv(b), call.level.size)
  return a.value.bmm(b.value.unsqueeze(2)).squeeze(2)
}

export const dot: Rule = call => {
  const [a, b] = operands(call)
  if (!call.varies(b)) return call.all(a).mv(b)
  if (!call.varies(a)) return b.value.mv(a)
  return a.value.unsqueeze(1).bmm(b.value.unsqueeze(2)).reshape([call.level.size])
}

type Factor = number | ComplexScalar

/** beta * self + alpha * product, where `self` broadcasts to a sample's product. */
const plus = (call: Call, made: Tensor, rank: number): Tensor => {
  const self = call.values[0] as Tensor
  const [beta, alpha] = [call.get<Factor>('beta'), call.get<Factor>('alpha')]
  const right = alpha === 1 ? made : made.mul(alpha)
  if (beta === 0) return right
  const wide = call.varies(self) ? padded(self.value, rank) : self
  return beta === 1 ? right.add(wide) : right.add(wide.mul(beta))
}

export const addmm: Rule = call => {
  const [, a, b] = call.values as [Tensor, Tensor, Tensor]
  const [self, beta, alpha] = [call.values[0], call.get('beta'), call.get('alpha')]
  const is_row = !call.varies(self) && !call.varies(b) && (self as Tensor).sizes.length === 1
  if (is_row && beta === 1 && alpha === 1)
    return unfolded((self as Tensor).addmm(folded(call.all(a)), b), call.level.size)
  return plus(call, product(call, a, b), 2)
}

export const baddbmm: Rule = call => {
  const [, a, b] = call.values as [Tensor, Tensor, Tensor]
  const made = unfolded(folded(call.all(a)).bmm(folded(call.all(b))), call.level.size)
  return plus(call, made, 3)
}

/** Systems of equations. A vector is told from a matrix by its sizes, so it is made a matrix first. */
export const solve: Rule = call => {
  const [a, b] = operands(call)
  const vector =
    b.sizes.length === 1 ||
    (a.sizes.length - 1 === b.sizes.length && b.sizes.every((n, d) => n === a.sizes[d]))
  const wide = vector ? call.all(b).unsqueeze(-1) : call.all(b)
  const rank = Math.max(a.sizes.length, wide.sizes.length - 1)
  const result = call.with({ self: padded(call.all(a), rank), B: padded(wide, rank) })
  if (!vector) return result
  if (!Array.isArray(result)) return (result as Tensor).squeeze(-1)
  result[0] = (result[0] as Tensor).squeeze(-1)
  return result
}
