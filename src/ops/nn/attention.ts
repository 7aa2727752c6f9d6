// Scaled dot-product attention by blocks of heads and rows: the scores of a block stay in the cache and are never kept.
// Forward saves the logarithm of each row's sum of exponentials, from which backward computes the scores again.
// Not here: which calls come here, and the formula in tensor ops for all others (nn/functional/linear.ts).
import type { DType } from '../../base/dtype.ts'
import { default_generator, Generator } from '../../base/generator.ts'
import { numel } from '../../base/shape.ts'
import type { MatrixRef, Operand } from '../../device/device.ts'
import { constant, type Expr } from '../../ir/expr.ts'
import type { Builder, View } from '../../ir/kernel.ts'
import { needs_ops } from '../../tensor/batched.ts'
import { cpu_device, empty, kernels, zeros } from '../../tensor/dispatch.ts'
import { alias, type Tensor } from '../../tensor/tensor.ts'
import { dense } from '../define/copy.ts'
import { type Op, op } from '../define/op.ts'
import { inner_class, inner_stride, window } from '../define/space.ts'
import { fill_bernoulli } from '../random/uniform.ts'
import { rows_of, transposed } from './products.ts'

/** The scores of a block: so many stay in the cache between the products and the kernel. */
const BLOCK_SCORES = 128 * 1024
/** Rows of a block, at least: a product lays out its right operand for each block. */
const LEAST_ROWS = 64

// ------------------------------------------------------------------------------------------------- kernels

const ROWS = { rank: 3, inner: 1 } as const

/** How scores become exponents: scaled, then with the mask, `none`, `bool` (who takes part) or added. */
type Mask = 'none' | 'bool' | 'added'

/** Declares the parameters of a block's scores; gives them with what stands in the exponent and how long a row is. */
function block(
  k: Builder,
  dtype: DType,
  mask: Mask,
  mask_dtype: DType | null,
  inner: string,
  causal: boolean,
) {
  const scores = k.inout('scores', dtype, ROWS)
  const lse = k.inout('lse', dtype, { rank: 2, inner: 1 })
  const view =
    mask === 'none' ? null : k.input('mask', mask_dtype as DType, { rank: 3, ...inner_stride(inner) })
  const scale = k.value('scale', scores.type)
  const keep = k.value('keep', scores.type)
  const first_row = k.value('first_row', 'index')
  const [heads, rows, columns] = scores.sizes as [Expr, Expr, Expr]
  const exponent = (i: readonly [Expr, Expr, Expr]): Expr => {
    const scaled = scores.at(...i).mul(scale)
    if (view === null) return scaled
    return mask === 'bool' ? view.at(...i).where(scaled, -Infinity) : scaled.add(view.at(...i))
  }
  /** How many columns of a row take part: with `causal`, none that come after it. */
  const length = (row: Expr): Expr => (causal ? columns.min(first_row.add(row).add(1)) : columns)
  const each_row = (body: (head: Expr, row: Expr) => void): void =>
    k.for(heads, 'parallel', head => k.for(rows, 'parallel', row => body(head, row)))
  const clear_after = (view: View, head: Expr, row: Expr, n: Expr): void => {
    if (causal) k.for(columns.sub(n), 'vector', j => k.store(view, [head, row, n.add(j)], 0))
  }
  return { scores, lse, keep, scale, exponent, length, each_row, clear_after }
}

type Key = [
  dtype: DType,
  mask: Mask,
  mask_dtype: DType | null,
  inner: string,
  causal: boolean,
  noise: boolean,
]

/** Scores become weights, in place. */
const weights_of = kernels(
  'attention_weights',
  (k, ...[dtype, mask, mask_dtype, inner, causal, noisy]: Key) => {
    const { scores, lse, keep, exponent, length, each_row, clear_after } = block(
      k,
      dtype,
      mask,
      mask_dtype,
      inner,
      causal,
    )
    const noise = noisy ? k.input('noise', dtype, ROWS) : null
    each_row((head, row) => {
      const n = k.local('index', length(row))
      const top = k.local(scores.type, -Infinity)
      k.for(n, 'reduce', j => k.assign(top, top.max(exponent([head, row, j]))))
      k.for(n, 'vector', j => k.store(scores, [head, row, j], exponent([head, row, j]).sub(top).min(0).exp()))
      const sum = k.local(scores.type, 0)
      k.for(n, 'reduce', j => k.assign(sum, sum.add(scores.at(head, row, j))))
      k.store(lse, [head, row], top.add(sum.log()))
      const share = k.local(scores.type, constant(1, sum.type).div(sum))
      k.for(n, 'vector', j => {
        const weight = scores.at(head, row, j).mul(share)
        k.store(scores, [head, row, j], noise ? weight.mul(noise.at(head, row, j).mul(keep)) : weight)
      })
      clear_after(scores, head, row, n)
    })
  },
)

/** Scores become weights again; `slopes`, which holds the gradient of the weights, becomes that of the raw scores. */
const slopes_of = kernels(
  'attention_slopes',
  (k, ...[dtype, mask, mask_dtype, inner, causal, noisy]: Key) => {
    const own = block(k, dtype, mask, mask_dtype, inner, causal)
    const { scores, lse, keep, scale, exponent, length, each_row, clear_after } = own
    const noise = noisy ? k.input('noise', dtype, ROWS) : null
    const slopes = k.inout('slopes', dtype, ROWS)
    const g = k.input('g', dtype, ROWS)
    const out = k.input('out', dtype, ROWS)
    each_row((head, row) => {
      const n = k.local('index', length(row))
      const mean = k.local(scores.type, 0)
      k.for(g.sizes[2] as Expr, 'reduce', j =>
        k.assign(mean, mean.add(g.at(head, row, j).mul(out.at(head, row, j)))),
      )
      const total = k.local(scores.type, lse.at(head, row))
      k.for(n, 'vector', j =>
        k.store(scores, [head, row, j], exponent([head, row, j]).sub(total).min(0).exp()),
      )
      k.for(n, 'vector', j => {
        const i = [head, row, j] as const
        const kept = noise?.at(...i).mul(keep)
        const slope = kept ? slopes.at(...i).mul(kept) : slopes.at(...i)
        k.store(
          slopes,
          i,
          scores
            .at(...i)
            .mul(slope.sub(mean))
            .mul(scale),
        )
        if (kept) k.store(scores, i, scores.at(...i).mul(kept))
      })
      clear_after(scores, head, row, n)
      clear_after(slopes, head, row, n)
    })
  },
)

/** The gradient of weights that were kept becomes that of the raw scores. */
const kept_slopes = kernels('attention_kept_slopes', (k, dtype: DType) => {
  const slopes = k.inout('slopes', dtype, ROWS)
  const weights = k.input('weights', dtype, ROWS)
  const g = k.input('g', dtype, ROWS)
  const out = k.input('out', dtype, ROWS)
  const scale = k.value('scale', slopes.type)
  const [heads, rows, columns] = slopes.sizes as [Expr, Expr, Expr]
  k.for(heads, 'parallel', head =>
    k.for(rows, 'parallel', row => {
      const mean = k.local(slopes.type, 0)
      k.for(g.sizes[2] as Expr, 'reduce', j =>
        k.assign(mean, mean.add(g.at(head, row, j).mul(out.at(head, row, j)))),
      )
      k.for(columns, 'vector', j => {
        const slope = slopes.at(head, row, j).sub(mean)
        k.store(slopes, [head, row, j], weights.at(head, row, j).mul(slope).mul(scale))
      })
    }),
  )
})

// ------------------------------------------------------------------------------------------------- blocks

/** A tensor (..., rows, columns) as a batch of matrices, contiguous. */
class Heads {
  readonly tensor: Tensor
  readonly rows: number
  readonly columns: number
  constructor(t: Tensor) {
    this.tensor = dense(t)
    this.rows = t.sizes[t.sizes.length - 2] as number
    this.columns = t.sizes[t.sizes.length - 1] as number
  }
  /** The matrices from a head on, from a row on. */
  at(head: number, row = 0): MatrixRef {
    const each = this.rows * this.columns
    const matrix = rows_of(this.tensor, this.columns, head * each + row * this.columns)
    return { ...matrix, batch_stride: each }
  }
  /** The same as an operand of kernels. */
  view(head: number, row: number, { heads, rows }: Block): Operand {
    const { tensor, columns } = this
    const each = this.rows * columns
    return window(
      tensor,
      [heads, rows, columns],
      [each, columns, 1],
      tensor.offset + head * each + row * columns,
    )
  }
}

/** Some heads, or some rows of one; `columns` of each row are computed. */
type Block = { readonly heads: number; readonly rows: number; readonly columns: number }

type Values = [Tensor, Tensor, Tensor, Tensor | null, number, Uint8Array | null, boolean, number, boolean]

/** What forward and backward share: the walk over blocks, the scores, the mask and the noise of a block. */
class Blocks {
  readonly q: Heads
  readonly k: Heads
  readonly v: Heads
  readonly dtype: DType
  readonly count: number
  readonly causal: boolean
  readonly #mask: Tensor | null
  readonly #p: number
  readonly #scale: number
  readonly #most: { readonly heads: number; readonly rows: number }
  readonly #noise: Tensor | null

  constructor(...[query, key, value, mask, p, , causal, scale]: Values) {
    this.q = new Heads(query)
    this.k = new Heads(key)
    this.v = new Heads(value)
    this.dtype = query.dtype
    this.count = numel(query.sizes.slice(0, -2))
    this.causal = causal
    const [rows, columns] = [this.q.rows, this.k.rows]
    this.#mask = mask?.expand([...query.sizes.slice(0, -2), rows, columns]) ?? null
    this.#p = p
    this.#scale = scale
    const heads = Math.min(this.count, Math.floor(BLOCK_SCORES / (rows * columns)))
    const some = Math.max(LEAST_ROWS, Math.floor(BLOCK_SCORES / columns / LEAST_ROWS) * LEAST_ROWS)
    this.#most = heads > 0 ? { heads, rows } : { heads: 1, rows: Math.min(rows, some) }
    this.#noise = p > 0 ? this.scores() : null
  }

  /** Whether each head is computed as a whole, with all columns. */
  get whole(): boolean {
    const { rows } = this.q
    return this.#most.rows === rows && !(this.causal && rows < this.k.rows)
  }

  /** Room for the scores of a block. */
  scores(): Tensor {
    return empty([this.#most.heads * this.#most.rows * this.k.rows], this.dtype)
  }

  /** Calls `body` for each block, in the order of memory, in which dropout's random numbers are drawn. */
  each(g: Generator, body: (head: number, row: number, block: Block) => void): void {
    const [rows, columns] = [this.q.rows, this.k.rows]
    const { heads: most_heads, rows: most_rows } = this.#most
    for (let head = 0; head < this.count; head += most_heads)
      for (let row = 0; row < rows; row += most_rows) {
        const own = { heads: Math.min(most_heads, this.count - head), rows: Math.min(most_rows, rows - row) }
        if (this.#noise !== null) {
          const count = own.heads * own.rows * columns
          fill_bernoulli(g, window(this.#noise, [count], [1]), 1 - this.#p)
        }
        body(head, row, { ...own, columns: this.causal ? Math.min(columns, row + own.rows) : columns })
      }
  }

  /** c = a b (+ c) for the heads of a block. */
  product(
    heads: number,
    [m, n, k]: readonly [number, number, number],
    c: MatrixRef,
    a: MatrixRef,
    b: MatrixRef,
    accumulate = false,
  ): void {
    cpu_device().gemm({ dtype: this.dtype, batch: heads, m, n, k, a, b, c, accumulate })
  }

  /** A block of scores as matrices. */
  matrix(scores: Tensor, { rows, columns }: Block): MatrixRef {
    return { ...rows_of(scores, columns), batch_stride: rows * columns }
  }

  /** Runs a kernel over a block; `more` gives its further operands for some of the heads. */
  run(
    kernel: typeof weights_of,
    scores: Tensor,
    lse: Tensor,
    head: number,
    row: number,
    own: Block,
    more: (from: number, part: Block) => Operand[] = () => [],
  ): void {
    const mask = this.#mask
    const sizes = mask?.sizes.slice(0, -2) ?? []
    const strides = mask?.strides.slice(0, -2) ?? []
    const each = mask === null ? 0 : one_stride(sizes, strides)
    // Where no one stride leads from head to head, each is a call of its own.
    const step = each === null ? 1 : own.heads
    const [mask_row, mask_column] = mask?.strides.slice(-2) ?? [0, 0]
    const kind: Mask = mask === null ? 'none' : mask.dtype === this.dtype ? 'added' : 'bool'
    const inner = inner_class([mask_column as number])
    const run = kernel(this.dtype, kind, mask?.dtype ?? null, inner, this.causal, this.#noise !== null)
    const { rows, columns } = own
    for (let i = 0; i < own.heads; i += step) {
      const part = { heads: step, rows, columns }
      const operands = [
        window(
          scores,
          [step, rows, columns],
          [rows * columns, columns, 1],
          scores.offset + i * rows * columns,
        ),
        window(lse, [step, rows], [this.q.rows, 1], lse.offset + (head + i) * this.q.rows + row),
      ]
      if (mask !== null) {
        const at = mask.offset + offset_of(head + i, sizes, strides) + row * (mask_row as number)
        const own_strides = [each ?? 0, mask_row as number, mask_column as number]
        operands.push(window(mask, [step, rows, columns], own_strides, at))
      }
      if (this.#noise !== null) {
        const width = this.k.rows
        operands.push(window(this.#noise, [step, rows, columns], [rows * width, width, 1], i * rows * width))
      }
      run([...operands, ...more(head + i, part)], [this.#scale, 1 / (1 - this.#p), row])
    }
  }
}

/** The stride that leads through all of these dimensions, or null where there is none. */
function one_stride(sizes: readonly number[], strides: readonly number[]): number | null {
  let stride = 0
  let next: number | null = null
  for (let d = sizes.length - 1; d >= 0; d--) {
    const [size, own] = [sizes[d] as number, strides[d] as number]
    if (size === 1) continue
    if (next === null) stride = own
    else if (own !== next) return null
    next = size * own
  }
  return stride
}

/** Where the `i`-th of a nest of dimensions lies. */
function offset_of(i: number, sizes: readonly number[], strides: readonly number[]): number {
  let offset = 0
  for (let d = sizes.length - 1; d >= 0; d--) {
    const size = sizes[d] as number
    offset += (i % size) * (strides[d] as number)
    i = Math.floor(i / size)
  }
  return offset
}

function forward(...values: Values): Tensor[] {
  const [query, , value, , , , , , keep] = values
  const blocks = new Blocks(...values)
  const { q, k, v, dtype } = blocks
  const out = new Heads(
    empty([...query.sizes.slice(0, -1), value.sizes[value.sizes.length - 1] as number], dtype),
  )
  const lse = empty(query.sizes.slice(0, -1), dtype)
  const weights = keep && blocks.whole ? empty([blocks.count, q.rows, k.rows], dtype) : null
  const room = weights ?? blocks.scores()
  blocks.each(default_generator, (head, row, own) => {
    const { heads, rows, columns } = own
    const scores = weights === null ? room : head_of(weights, head)
    const s = blocks.matrix(scores, own)
    blocks.product(heads, [rows, columns, q.columns], s, q.at(head, row), transposed(k.at(head)))
    blocks.run(weights_of, scores, lse, head, row, own)
    blocks.product(heads, [rows, v.columns, columns], out.at(head, row), s, v.at(head))
  })
  return weights === null ? [out.tensor, lse] : [out.tensor, weights]
}

/** A batch of matrices from one of them on. */
const head_of = (t: Tensor, head: number): Tensor =>
  alias(t, t.sizes, t.strides, t.offset + head * (t.strides[0] as number))

/** `saved`: the weights where they were kept, else the logarithms of the sums. */
function backward(g: Tensor, values: Values, result: Tensor, saved: Tensor): Tensor[] {
  const [state, scale, keep] = [values[5], values[7], values[8]]
  const blocks = new Blocks(...values)
  const { q, k, v, dtype } = blocks
  const [grad, out] = [new Heads(g), new Heads(result)]
  const gradient = (of: Heads): Heads =>
    new Heads((blocks.whole || of === q ? empty : zeros)(of.tensor.sizes, dtype))
  const [dq, dk, dv] = [gradient(q), gradient(k), gradient(v)]
  const weights = keep && blocks.whole ? saved : null
  const [room, slopes] = [weights ?? blocks.scores(), blocks.scores()]
  const generator = state === null ? default_generator : new Generator().set_state(state)
  blocks.each(generator, (head, row, own) => {
    const { heads, rows, columns } = own
    const scores = weights === null ? room : head_of(weights, head)
    const [s, ds] = [blocks.matrix(scores, own), blocks.matrix(slopes, own)]
    const [q_rows, g_rows] = [q.at(head, row), grad.at(head, row)]
    blocks.product(heads, [rows, columns, v.columns], ds, g_rows, transposed(v.at(head)))
    const others = (from: number, part: Block): Operand[] => [
      grad.view(from, row, part),
      out.view(from, row, part),
    ]
    if (weights !== null) {
      const block = (t: Tensor): Operand => window(t, [heads, rows, columns], [rows * columns, columns, 1])
      kept_slopes(dtype)([block(slopes), block(scores), ...others(head, own)], [scale])
    } else {
      blocks.product(heads, [rows, columns, q.columns], s, q_rows, transposed(k.at(head)))
      blocks.run(slopes_of, scores, saved, head, row, own, (from, part) => {
        const at = slopes.offset + (from - head) * rows * columns
        const of_part = window(slopes, [part.heads, rows, columns], [rows * columns, columns, 1], at)
        return [of_part, ...others(from, part)]
      })
    }
    const add = !blocks.whole
    blocks.product(heads, [columns, v.columns, rows], dv.at(head), transposed(s), g_rows, add)
    blocks.product(heads, [rows, q.columns, columns], dq.at(head, row), ds, k.at(head))
    blocks.product(heads, [columns, q.columns, rows], dk.at(head), transposed(ds), q_rows, add)
  })
  return [dq.tensor, dk.tensor, dv.tensor]
}

/** The gradients in tensor ops, for derivatives of higher order. */
function recorded_backward(g: Tensor, values: Values, result: Tensor): Tensor[] {
  const [query, key, value, mask, p, state, causal, scale] = values
  const raw = query.matmul(key.transpose(-2, -1)).mul(scale)
  const hidden = causal
    ? raw.new_ones(raw.sizes.slice(-2)).tril().eq(0)
    : mask?.dtype === raw.dtype
      ? null
      : mask?.logical_not()
  const biased = mask && hidden === null ? raw.add(mask) : raw
  const weights = (hidden ? biased.masked_fill(hidden, -Infinity) : biased).softmax(-1)
  let slope = g.matmul(value.transpose(-2, -1))
  let kept = weights
  if (state !== null) {
    const noise = empty(weights.sizes, weights.dtype)
    fill_bernoulli(new Generator().set_state(state), noise, 1 - p)
    const factors = noise.div(1 - p)
    slope = slope.mul(factors)
    kept = weights.mul(factors)
  }
  const ds = weights.mul(slope.sub(g.mul(result).sum(-1, true))).mul(scale)
  return [ds.matmul(key), ds.transpose(-2, -1).matmul(query), kept.transpose(-2, -1).matmul(g)]
}

/**
 * softmax(query key^T * scale + mask) value, and what backward reads: the logarithm of each row's sum of exponentials, or
 * with `keep`, which needs room but no dropout, the weights of whole heads. All operands are of one dtype,
 * float32 or float64, and with the same leading sizes; the mask can be expanded to theirs, is boolean or of that
 * dtype, and gets no gradient. `state` is the generator's before the call where `dropout_p` is not 0.
 */
export const attention: Op<
  [
    query: Tensor,
    key: Tensor,
    value: Tensor,
    mask: Tensor | null,
    dropout_p: number,
    state: Uint8Array | null,
    is_causal: boolean,
    scale: number,
    keep: boolean,
  ],
  Tensor[]
> = op(
  'scaled_dot_product_attention(Tensor query, Tensor key, Tensor value, Tensor? attn_mask, float dropout_p, any? state, bool is_causal, float scale, bool keep)',
  {
    forward,
    saves: ['query', 'key', 'value', 'attn_mask', 'out'],
    backward: ([g], values: Values, [out, saved]) => {
      const run = needs_ops(g) ? recorded_backward : backward
      const grads: (Tensor | null)[] = run(g as Tensor, values, out as Tensor, saved as Tensor)
      if (values[3] !== null) grads.push(null)
      return grads
    },
  },
)
