// Products over named dimensions: einsum, as permutations around one batched matrix product a pair.
// Not here: the matrix product (matmul.ts), tensordot (tensordot.ts).
import { RuntimeError } from '../base/errors.ts'
import { numel } from '../base/shape.ts'
import { Tensor } from '../tensor/tensor.ts'
import { make_op, type Op } from './define/op.ts'

/**
 * Sums products of elements of the operands over the indices that the right-hand side leaves out:
 * `einsum('ij, jk -> ik', a, b)`. Ellipses and repeated indices (diagonals) are allowed.
 */
export const einsum: Op<[equation: string, ...operands: readonly (Tensor | readonly Tensor[])[]]> = make_op(
  (equation: string, ...given: readonly (Tensor | readonly Tensor[])[]) => {
    if (typeof equation !== 'string')
      throw new TypeError(`einsum(): argument 'equation' (position 1) must be str, not ${typeof equation}`)
    const operands = given.flat() as Tensor[]
    for (const t of operands)
      if (!(t instanceof Tensor))
        throw new TypeError("einsum(): argument 'operands' must be tuple of Tensors")
    return contract(equation, operands)
  },
  { name: 'einsum', schemas: [], samples: undefined, differentiable: false },
)

type Labelled = { t: Tensor; labels: string[] }

function contract(equation: string, operands: Tensor[]): Tensor {
  const text = equation.replaceAll(' ', '')
  const [lhs, rhs] = text.split('->') as [string, string | undefined]
  const terms = lhs.split(',')
  if (terms.length !== operands.length)
    throw new RuntimeError(
      `einsum(): ${terms.length > operands.length ? 'fewer' : 'more'} operands were provided than specified in the equation`,
    )
  const bad = /[^A-Za-z.,]/.exec(lhs + (rhs ?? ''))
  if (bad)
    throw new RuntimeError(
      `einsum(): invalid subscript given at index ${text.indexOf(bad[0])} in the equation string, subscripts must be in [a-zA-Z]`,
    )
  const labelled = terms.map((term, i) => label(operands[i]!, term, i))
  const dots = [...new Set(labelled.flatMap(o => o.labels.filter(l => l.startsWith('.'))))].sort(
    (a, b) => Number(b.slice(1)) - Number(a.slice(1)),
  )
  const output = output_labels(rhs, labelled, dots)
  const sizes = label_sizes(labelled)
  let current = take_diagonals(labelled[0]!)
  for (let i = 0; i < labelled.length; i++) {
    const later = new Set([...output, ...labelled.slice(i + 1).flatMap(o => o.labels)])
    if (i > 0) current = pair(current, take_diagonals(labelled[i]!), later, sizes)
    else current = sum_out(current, later)
  }
  const missing = output.filter(l => !current.labels.includes(l))
  if (missing.length > 0)
    throw new RuntimeError(
      `einsum(): output subscript ${missing[0]} does not appear in the equation for any input operand`,
    )
  return current.t.permute(output.map(l => current.labels.indexOf(l)))
}

/** Labels per dimension; those under an ellipsis are `.0` for the last, `.1` for the one before. */
function label(t: Tensor, term: string, i: number): Labelled {
  const [before, after, ...more] = term.split('...') as [string, string | undefined, ...string[]]
  if (more.length > 0 || before.includes('.') || after?.includes('.'))
    throw new RuntimeError(`einsum(): found '.' for operand ${i} for which an ellipsis was already found`)
  const named = before.length + (after?.length ?? 0)
  if (after === undefined ? named !== t.ndim : named > t.ndim)
    throw new RuntimeError(
      `einsum(): the number of subscripts in the equation (${named}) ${after === undefined ? 'does not match' : 'is more than'} the number of dimensions (${t.ndim}) for operand ${i}${after === undefined ? ' and no ellipsis was given' : ''}`,
    )
  const hidden = Array.from(
    { length: after === undefined ? 0 : t.ndim - named },
    (_, k) => `.${t.ndim - named - 1 - k}`,
  )
  return { t, labels: [...before, ...hidden, ...(after ?? '')] }
}

function output_labels(
  rhs: string | undefined,
  labelled: readonly Labelled[],
  dots: readonly string[],
): string[] {
  if (rhs !== undefined) {
    const [before, after] = rhs.split('...') as [string, string | undefined]
    const output = after === undefined ? [...before] : [...before, ...dots, ...after]
    const twice = output.find((l, i) => output.indexOf(l) !== i)
    if (twice)
      throw new RuntimeError(`einsum(): output subscript ${twice} appears more than once in the output`)
    return output
  }
  const all = labelled.flatMap(o => o.labels).filter(l => !l.startsWith('.'))
  return [...dots, ...[...new Set(all)].filter(l => all.indexOf(l) === all.lastIndexOf(l)).sort()]
}

function label_sizes(labelled: readonly Labelled[]): Map<string, number> {
  const sizes = new Map<string, number>()
  labelled.forEach(({ t, labels }, i) => {
    labels.forEach((l, d) => {
      const known = sizes.get(l) ?? 1
      const n = t.sizes[d]!
      if (known !== 1 && n !== 1 && known !== n)
        throw new RuntimeError(
          `einsum(): subscript ${l} has size ${n} for operand ${i} which does not broadcast with previously seen size ${known}`,
        )
      sizes.set(l, Math.max(known, n === 0 ? 0 : n))
    })
  })
  return sizes
}

function take_diagonals({ t, labels }: Labelled): Labelled {
  const twice = labels.find((l, i) => labels.indexOf(l) !== i)
  if (twice === undefined) return { t, labels }
  const a = labels.indexOf(twice)
  const b = labels.lastIndexOf(twice)
  if (t.sizes[a] !== t.sizes[b])
    throw new RuntimeError(
      `einsum(): subscript ${twice} is repeated for operand 0 but the sizes don't match, ${t.sizes[b]} != ${t.sizes[a]}`,
    )
  return take_diagonals({
    t: t.diagonal(0, a, b),
    labels: [...labels.filter((_, d) => d !== a && d !== b), twice],
  })
}

/** Sums over the labels that nothing needs later. */
function sum_out({ t, labels }: Labelled, later: ReadonlySet<string>): Labelled {
  const gone = labels.flatMap((l, d) => (later.has(l) ? [] : [d]))
  return gone.length === 0 ? { t, labels } : { t: t.sum(gone), labels: labels.filter(l => later.has(l)) }
}

/** The product of two operands, summed over what they share and nothing needs later: one bmm. */
function pair(
  left: Labelled,
  right: Labelled,
  later: ReadonlySet<string>,
  sizes: ReadonlyMap<string, number>,
): Labelled {
  const a = sum_out(left, new Set([...later, ...right.labels]))
  const b = sum_out(right, new Set([...later, ...left.labels]))
  const shared = a.labels.filter(l => b.labels.includes(l))
  const batch = shared.filter(l => later.has(l))
  const summed = shared.filter(l => !later.has(l))
  const own = a.labels.filter(l => !shared.includes(l))
  const theirs = b.labels.filter(l => !shared.includes(l))
  const count = (labels: readonly string[]): number => numel(labels.map(l => sizes.get(l)!))
  const arrange = (o: Labelled, groups: readonly (readonly string[])[]): Tensor => {
    const order = groups.flat()
    const full = o.t
      .permute(order.map(l => o.labels.indexOf(l)))
      .expand(order.map(l => (shared.includes(l) ? sizes.get(l)! : o.t.sizes[o.labels.indexOf(l)]!)))
    return full.reshape(groups.map(count))
  }
  const product = arrange(a, [batch, own, summed]).bmm(arrange(b, [batch, summed, theirs]))
  const labels = [...batch, ...own, ...theirs]
  return { t: product.reshape(labels.map(l => sizes.get(l)!)), labels }
}
