// The linear map of rows: one product, bias included, and one node for backward: a product for each of input and weight,
// a sum for the bias. For dense float32 and float64; nn.functional composes other cases of mm and add.
// Not here: the products themselves (products.ts, device/).
import { type DType, float32 } from '../../base/dtype.ts'
import { keep_exemplar } from '../../base/exemplar.ts'
import type { MatrixRef } from '../../device/device.ts'
import { batching, level_of, needs_ops } from '../../tensor/batched.ts'
import { empty, kernels } from '../../tensor/dispatch.ts'
import { type Edge, edge_of, type Grads, modes, Node, Saved, set_history } from '../../tensor/tape.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { reduction } from '../define/reduce.ts'
import { matrix_at, product, rows_of, transposed } from './products.ts'

const add_up = reduction({ name: 'sum', combine: 'add' })

/** Up to so many numbers are summed by the plain kernel. */
const FEW = 512

const few_columns = kernels('sum_few_columns', (k, dtype: DType) => {
  const out = k.output('out', dtype, { rank: 1, inner: 1 })
  const x = k.input('x', dtype, { rank: 2 })
  const [rows, columns] = x.sizes
  k.for(columns!, 'parallel', j => {
    const sum = k.local(out.type, 0)
    k.for(rows!, 'serial', i => k.assign(sum, sum.add(x.at(i, j))))
    k.store(out, [j], sum)
  })
})

/** The sums of the columns of a matrix. */
function column_sums(x: Tensor): Tensor {
  const { dtype, count } = x
  if (count > FEW) return add_up(x, [0], dtype)
  const out = empty([x.sizes[1]!], dtype)
  few_columns(dtype)([out, x], [])
  return out
}

/** A matrix of all rows: the last dimension of a tensor that is dense, or a matrix. */
const matrix_of = (t: Tensor, columns: number): MatrixRef =>
  t.sizes.length === 2 ? matrix_at(t, t.strides[0]!, t.strides[1]!) : rows_of(t, columns)

class LinearNode extends Node {
  readonly #input: Saved | null
  readonly #weight: Saved | null
  readonly #sizes: readonly number[]

  /** Edges as those of addmm (bias, input, weight) or mm (input, weight). */
  constructor(name: string, edges: (Edge | null)[], input: Tensor, weight: Tensor) {
    super(name, edges)
    const n = edges.length
    this.#input = edges[n - 1] === null ? null : new Saved(input)
    this.#weight = edges[n - 2] === null ? null : new Saved(weight)
    this.#sizes = input.sizes
  }

  apply([g]: Grads): Grads {
    const input = this.#input === null ? null : this.#input.get()
    const weight = this.#weight === null ? null : this.#weight.get()
    const bias = this.edges.length === 3 && this.edges[0] !== null
    const grads = needs_ops(g)
      ? recorded_gradients(g!, input, weight, bias, this.#sizes)
      : gradients(g!, input, weight, bias, this.#sizes)
    if (this.edges.length === 2) grads.shift()
    return grads
  }

  override release(): void {
    this.#input?.release()
    this.#weight?.release()
  }
}

{
  const number = empty([], float32)
  keep_exemplar(new LinearNode('', [null, null], number, number))
}

/** The gradients of bias, input and weight; of the input where there is a weight, and the reverse. */
function gradients(
  g: Tensor,
  input: Tensor | null,
  weight: Tensor | null,
  bias: boolean,
  sizes: readonly number[],
): Grads {
  if (g.sizes.length !== 2) g = g.contiguous().view(-1, g.sizes[g.sizes.length - 1]!)
  const [rows, to] = g.sizes as [number, number]
  const from = sizes[sizes.length - 1]!
  const { dtype } = g
  const grad = matrix_at(g, g.strides[0]!, g.strides[1]!)
  let [for_input, for_weight]: Grads = [null, null]
  if (weight !== null) {
    for_input = empty(sizes, dtype)
    product(dtype, [rows, from, to], rows_of(for_input, from), grad, matrix_of(weight, from))
  }
  if (input !== null) {
    for_weight = empty([to, from], dtype)
    product(dtype, [to, from, rows], rows_of(for_weight, from), transposed(grad), matrix_of(input, from))
  }
  return [bias ? column_sums(g) : null, for_input!, for_weight!]
}

/** The same of ops, which are recorded. */
function recorded_gradients(
  g: Tensor,
  input: Tensor | null,
  weight: Tensor | null,
  bias: boolean,
  sizes: readonly number[],
): Grads {
  const rows = g.sizes.length === 2 ? g : g.reshape([-1, g.sizes[g.sizes.length - 1]!])
  return [
    bias ? rows.sum(0) : null,
    weight === null ? null : rows.mm(weight).reshape(sizes),
    input === null ? null : rows.t().mm(input.reshape([-1, sizes[sizes.length - 1]!])),
  ]
}

/**
 * `input @ weight^T + bias` for an input (..., in) that is dense or a matrix, weight (out, in) and bias (out), all of float32
 * or all of float64. Null for anything else, wrong arguments included.
 */
export function linear_rows(input: Tensor, weight: Tensor, bias: Tensor | null): Tensor | null {
  if (batching.top !== null && level_of([input, weight, bias]) !== null) {
    const out = input.matmul(weight.t())
    return bias === null ? out : out.add(bias)
  }
  const { dtype, sizes } = input
  const ndim = sizes.length
  if ((dtype.name !== 'float32' && dtype.name !== 'float64') || weight.dtype !== dtype) return null
  if (ndim < 2 || (ndim > 2 && !input.dense) || weight.sizes.length !== 2) return null
  const [to, from] = weight.sizes as [number, number]
  if (sizes[ndim - 1] !== from || input.count === 0 || to === 0) return null
  if (bias !== null && (bias.dtype !== dtype || !bias.dense || bias.sizes.length !== 1 || bias.count !== to))
    return null
  const rows = input.count / from
  const out = empty(ndim === 2 ? [rows, to] : [...sizes.slice(0, -1), to], dtype)
  const factor = matrix_at(weight, weight.strides[1]!, weight.strides[0]!)
  product(dtype, [rows, to, from], rows_of(out, to), matrix_of(input, from), factor, false, bias)
  const needs_bias = bias?._requires_grad ?? false
  if (modes.grad && (input._requires_grad || weight._requires_grad || needs_bias)) {
    const edges = [edge_of(input), edge_of(weight)]
    if (bias !== null) edges.unshift(edge_of(bias))
    set_history(new LinearNode(node_name(ndim, bias !== null), edges, input, weight), [out])
  }
  return out
}

/** PyTorch's name for the last node of what it composes. */
const node_name = (ndim: number, has_bias: boolean): string =>
  ndim === 2
    ? has_bias
      ? 'AddmmBackward0'
      : 'MmBackward0'
    : has_bias
      ? 'AddBackward0'
      : 'UnsafeViewBackward0'
