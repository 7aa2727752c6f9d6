// Products over named dimensions: einsum and tensordot, as permutations around one batched matrix product a pair.
// Not here: the matrix product (matmul.ts).
import { RuntimeError } from '../base/errors.ts'
import { numel, wrap_dim } from '../base/shape.ts'
import { Tensor } from '../tensor/tensor.ts'
import { composite, make_op, type Op } from './define/op.ts'

/** Contracts the dimensions `dims[0]` of `self` with `dims[1]` of `other`, or the last `dims` with the first. */
export const tensordot: Op<
  [
    self: Tensor,
    other: Tensor,
    dims?:
      | number
      | readonly (number | readonly number[])[]
      | { dims?: number | readonly (readonly number[])[] },
  ]
> = composite('tensordot(Tensor self, Tensor other, any dims=2)', {
  body: (self: Tensor, other: Tensor, dims: number | (number | number[])[]) => {
    const [own, theirs] = contraction(self, other, dims)
    const free = (t: Tensor, used: readonly number[]): number[] =>
      [...t.sizes.keys()].filter(d => !used.includes(d))
    const left = free(self, own)
    const right = free(other, theirs)
    const sizes = (t: Tensor, list: readonly number[]): number[] => list.map(d => t.sizes[d]!)
    const k = numel(sizes(self, own))
    const a = self.permute([...left, ...own]).reshape([numel(sizes(self, left)), k])
    const b = other.permute([...theirs, ...right]).reshape([k, numel(sizes(other, right))])
    return a.mm(b).reshape([...sizes(self, left), ...sizes(other, right)])
  },
  samples: r => [
    [r(2, 3, 4), r(3, 4, 2)],
    [r(2, 3), r(4, 2), [[0], [1]]],
    [r(2, 3), r(3, 2), 1],
  ],
})

function contraction(
  self: Tensor,
  other: Tensor,
  dims: number | (number | number[])[],
): [number[], number[]] {
  if (typeof dims === 'number') {
    if (dims < 0) throw new RuntimeError(`tensordot expects dims >= 0, but got dims=${dims}`)
    if (dims > Math.min(self.ndim, other.ndim))
      throw new RuntimeError(`tensordot expects dims < ndim_a or ndim_b, but got dims=${dims}`)
    const n = self.ndim - dims
    return [Array.from({ length: dims }, (_, i) => n + i), Array.from({ length: dims }, (_, i) => i)]
  }
  const [a, b] = dims.map(list => [list].flat()) as [number[], number[]]
  if (a.length !== b.length) throw new RuntimeError('both dimension lists should have same length')
  const own = a.map(d => wrap_dim(d, self.ndim))
  const theirs = b.map(d => wrap_dim(d, other.ndim))
  own.forEach((d, i) => {
    const [m, n] = [self.sizes[d], other.sizes[theirs[i]!]]
    if (m !== n)
      throw new RuntimeError(
        `contracted dimensions need to match, but first has size ${m} in dim ${d} and second has size ${n} in dim ${theirs[i]}`,
      )
  })
  return [own, theirs]
}

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
