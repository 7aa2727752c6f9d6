// The kernels of softmax, log_softmax and their gradients: over rows where the dimension is the last, else over blocks of
// neighbouring columns. Not here: the ops (softmax.ts).

import { bfloat16, type DType, float32 } from '../../base/dtype.ts'
import { RuntimeError } from '../../base/errors.ts'
import { numel } from '../../base/shape.ts'
import { constant, type Expr } from '../../ir/expr.ts'
import type { Builder, View } from '../../ir/kernel.ts'
import { empty, kernels } from '../../tensor/dispatch.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { round_to_bfloat16 } from '../define/bfloat16.ts'
import { dense } from '../define/copy.ts'
import { type Op, op } from '../define/op.ts'
import { window } from '../define/space.ts'

/** Elements of the short rows that are taken together: exponentials are computed in one loop over all of them. */
const GROUP_ELEMENTS = 2048
/** How many rows of `n` make a group. */
export const rows_together = (n: number): number => Math.max(1, Math.floor(GROUP_ELEMENTS / n))

/** Groups of rows: `body` gets the first row of a group and the number of them. */
export function row_groups(k: Builder, rows: Expr, body: (first: Expr, count: Expr) => void): void {
  const together = k.value('together', 'index')
  k.for(rows.add(together).sub(1).truncdiv(together), 'parallel', group => {
    const first = group.mul(together)
    body(first, rows.sub(first).min(together))
  })
}

export const log_softmax_grad: Op<[g: Tensor, y: Tensor, dim: number]> = op(
  'log_softmax_backward(Tensor g, Tensor y, int dim)',
  {
    node: 'LogSoftmaxBackwardDataBackward0',
    forward: (g: Tensor, y: Tensor, dim: number) => run_grad(g, y, dim, true),
    saves: ['g', 'y'],
    backward: {
      g: (gg, [, y, dim]) => gg.sub(gg.mul(y.exp()).sum(dim, true)),
      y: (gg, [g, y, dim]) => gg.mul(y.exp()).mul(g.sum(dim, true)).neg(),
    },
  },
)

/** A dense tensor as [outer, n, inner] around dimension `dim`. */
function around(t: Tensor, dim: number): { outer: number; n: number; inner: number } {
  const { sizes } = t
  if (sizes.length === 0) return { outer: 1, n: 1, inner: 1 }
  if (dim === sizes.length - 1) {
    const n = sizes[dim] as number
    return { outer: t.count / n, n, inner: 1 }
  }
  return { outer: numel(sizes.slice(0, dim)), n: sizes[dim]!, inner: numel(sizes.slice(dim + 1)) }
}

/** The dtype in which exponentials are kept. */
const wide = (dtype: DType): DType => (dtype.itemsize < 4 ? float32 : dtype)

// ---------------------------------------------------------------------------------------------- rows

const ROWS = { rank: 2, inner: 1 } as const

/** The sum of `term` over a row. */
function row_sum(k: Builder, view: View, n: Expr, term: (j: Expr) => Expr): Expr {
  const sum = k.local(view.type, 0)
  k.for(n, 'reduce', j => k.assign(sum, sum.add(term(j))))
  return sum
}

/** From this length on each row's exponentials are a loop of their own: its last elements, done one by one, matter little. */
const LONG_ROW = 256

/** 16-bit floats have their exponentials in `stage`, others in the result. */
const softmax_rows = kernels('softmax_rows', (k, dtype: DType, log: boolean, long: boolean) => {
  const out = k.inout('out', dtype, ROWS)
  const x = k.input('x', dtype, ROWS)
  const stage = wide(dtype) === dtype ? out : k.inout('stage', wide(dtype), ROWS)
  const top = log ? k.inout('top', wide(dtype), 'flat') : null
  const total = log ? k.inout('total', wide(dtype), 'flat') : null
  const [rows, n] = x.sizes as [Expr, Expr]
  row_groups(k, rows, (first, count) => {
    k.for(count, 'serial', i => {
      const row = first.add(i)
      const max = k.local(x.type, -Infinity)
      k.for(n, 'reduce', j => k.assign(max, max.max(x.at(row, j))))
      if (top) k.store(top, [row], max)
      k.for(n, 'vector', j => {
        const shifted = x.at(row, j).sub(max)
        k.store(stage, [row, j], long ? shifted.min(0).exp() : shifted)
      })
    })
    if (!long) k.for(count.mul(n), 'vector', e => k.store(stage, [first, e], stage.at(first, e).min(0).exp()))
    if (top === null || total === null) {
      k.for(count, 'serial', i => {
        const row = first.add(i)
        const sum = row_sum(k, x, n, j => stage.at(row, j))
        const scale = k.local(x.type, constant(1, x.type).div(sum))
        k.for(n, 'vector', j => k.store(out, [row, j], stage.at(row, j).mul(scale)))
      })
      return
    }
    // as PyTorch, which keeps the sums and their logarithms in the dtype of the rows
    const kept = (e: Expr): Expr => (dtype === bfloat16 ? round_to_bfloat16(e) : e)
    k.for(count, 'serial', i =>
      k.store(total, [first.add(i)], kept(row_sum(k, x, n, j => stage.at(first.add(i), j)))),
    )
    k.for(count, 'vector', i => k.store(total, [first.add(i)], kept(total.at(first.add(i)).log())))
    k.for(count, 'serial', i => {
      const row = first.add(i)
      // In this order: the sum of the two would lose digits where the elements are large.
      k.for(n, 'vector', j => k.store(out, [row, j], x.at(row, j).sub(top.at(row)).sub(total.at(row))))
    })
  })
})

const softmax_grad_rows = kernels('softmax_grad_rows', (k, dtype: DType, log: boolean) => {
  const grad = k.inout('grad', dtype, ROWS)
  const g = k.input('g', dtype, ROWS)
  const y = k.input('y', dtype, ROWS)
  const stage = !log || wide(dtype) === dtype ? grad : k.inout('stage', wide(dtype), ROWS)
  const [rows, n] = y.sizes as [Expr, Expr]
  row_groups(k, rows, (first, count) => {
    if (log) k.for(count.mul(n), 'vector', e => k.store(stage, [first, e], y.at(first, e).exp()))
    k.for(count, 'serial', i => {
      const row = first.add(i)
      const sum = row_sum(k, y, n, j => (log ? g.at(row, j) : g.at(row, j).mul(y.at(row, j))))
      k.for(n, 'vector', j => {
        const value = log
          ? g.at(row, j).sub(stage.at(row, j).mul(sum))
          : y.at(row, j).mul(g.at(row, j).sub(sum))
        k.store(grad, [row, j], value)
      })
    })
  })
})

// ---------------------------------------------------------------------------------------------- columns

const COLUMNS = { rank: 3, inner: 1 } as const
/** A block of columns has about so many elements, which stay in the second cache between passes over them. */
const BLOCK_ELEMENTS = 65536
const columns_together = (n: number): number => {
  const fitting = Math.floor(BLOCK_ELEMENTS / n) & -64
  return Math.min(1024, Math.max(64, fitting))
}
/** Rows whose elements are combined at once. */
const UNROLL = 4

/** Passes over one block of columns of [outer, n, inner]. */
class Block {
  readonly #k: Builder
  readonly #outer: Expr
  readonly #first: Expr
  readonly #width: Expr
  readonly #n: Expr
  constructor(k: Builder, outer: Expr, first: Expr, width: Expr, n: Expr) {
    this.#k = k
    this.#outer = outer
    this.#first = first
    this.#width = width
    this.#n = n
  }

  /** Once for each column, by its place in [outer, inner]. */
  columns(body: (at: readonly Expr[]) => void): void {
    this.#k.for(this.#width, 'vector', j => body([this.#outer, this.#first.add(j)]))
  }

  /** For each row, each column: the element's place, and the column's. */
  elements(body: (i: readonly Expr[], at: readonly Expr[]) => void): void {
    this.#k.for(this.#n, 'serial', row =>
      this.columns(([outer, column]) => body([outer!, row, column!], [outer!, column!])),
    )
  }

  /** acc[column] = acc op the terms of the column. */
  combine(op: 'add' | 'max', acc: View, term: (i: readonly Expr[]) => Expr): void {
    const k = this.#k
    const step = (row: Expr, count: number): void =>
      this.columns(at => {
        const terms = Array.from({ length: count }, (_, r) => term([at[0]!, row.add(r), at[1]!]))
        k.store(
          acc,
          at,
          terms.reduce((a, b) => a[op](b), acc.at(...at)),
        )
      })
    const groups = this.#n.truncdiv(UNROLL)
    k.for(groups, 'serial', group => step(group.mul(UNROLL), UNROLL))
    k.for(this.#n.sub(groups.mul(UNROLL)), 'serial', row => step(groups.mul(UNROLL).add(row), 1))
  }
}

/** Blocks of columns of an operand [outer, n, inner]. */
function column_blocks(k: Builder, x: View, body: (block: Block) => void): void {
  const together = k.value('together', 'index')
  const [outer, n, inner] = x.sizes as [Expr, Expr, Expr]
  const blocks = inner.add(together).sub(1).truncdiv(together)
  k.for(outer.mul(blocks), 'parallel', b => {
    const o = b.truncdiv(blocks)
    const first = b.sub(o.mul(blocks)).mul(together)
    body(new Block(k, o, first, inner.sub(first).min(together), n))
  })
}

const softmax_columns = kernels('softmax_columns', (k, dtype: DType, log: boolean) => {
  const out = k.inout('out', dtype, COLUMNS)
  const x = k.input('x', dtype, COLUMNS)
  const top = k.inout('top', wide(dtype), ROWS)
  const total = k.inout('total', wide(dtype), ROWS)
  const keeps = !log && wide(dtype) === dtype
  column_blocks(k, x, block => {
    block.columns(at => {
      k.store(top, at, -Infinity)
      k.store(total, at, 0)
    })
    block.combine('max', top, i => x.at(...i))
    const exponential = (i: readonly Expr[], at: readonly Expr[]): Expr =>
      x
        .at(...i)
        .sub(top.at(...at))
        .min(0)
        .exp()
    block.elements((i, at) => {
      const e = k.local(x.type, exponential(i, at))
      if (keeps) k.store(out, i, e)
      k.store(total, at, total.at(...at).add(e))
    })
    block.columns(at => {
      const sum = total.at(...at)
      k.store(total, at, log ? sum.log() : constant(1, x.type).div(sum))
    })
    block.elements((i, at) => {
      const shifted = x.at(...i).sub(top.at(...at))
      const e = keeps ? out.at(...i) : shifted.min(0).exp()
      k.store(out, i, log ? shifted.sub(total.at(...at)) : e.mul(total.at(...at)))
    })
  })
})

const softmax_grad_columns = kernels('softmax_grad_columns', (k, dtype: DType, log: boolean) => {
  const grad = k.output('grad', dtype, COLUMNS)
  const g = k.input('g', dtype, COLUMNS)
  const y = k.input('y', dtype, COLUMNS)
  const total = k.inout('total', wide(dtype), ROWS)
  column_blocks(k, y, block => {
    block.columns(at => k.store(total, at, 0))
    block.combine('add', total, i => (log ? g.at(...i) : g.at(...i).mul(y.at(...i))))
    block.elements((i, at) => {
      const [gi, yi, sum] = [g.at(...i), y.at(...i), total.at(...at)]
      k.store(grad, i, log ? gi.sub(yi.exp().mul(sum)) : yi.mul(gi.sub(sum)))
    })
  })
})

// ---------------------------------------------------------------------------------------------- ops

export function run(x: Tensor, dim: number, log: boolean): Tensor {
  const { dtype } = x
  if (!dtype.is_floating_point)
    throw new RuntimeError(
      `"${dim === x.ndim - 1 ? `${log ? 'log_softmax' : 'softmax'}_lastdim` : 'softmax'}_kernel_impl" not implemented for '${dtype.tensor_type.slice(0, -6)}'`,
    )
  const out = empty(x.sizes, dtype)
  if (out.count === 0) return out
  const { outer, n, inner } = around(x, dim)
  const scratch = (...sizes: number[]): Tensor => empty(sizes, wide(dtype))
  if (inner === 1) {
    const rows = (t: Tensor): ReturnType<typeof window> => window(t, [outer, n], [n, 1])
    const operands = [rows(out), rows(dense(x))]
    if (wide(dtype) !== dtype) operands.push(scratch(outer, n))
    if (log) operands.push(scratch(outer), scratch(outer))
    softmax_rows(dtype, log, n >= LONG_ROW)(operands, [rows_together(n)])
  } else {
    const operands = [in_three(out, outer, n, inner), in_three(dense(x), outer, n, inner)]
    operands.push(scratch(outer, inner), scratch(outer, inner))
    softmax_columns(dtype, log)(operands, [columns_together(n)])
  }
  return out
}

const in_three = (t: Tensor, outer: number, n: number, inner: number): ReturnType<typeof window> =>
  window(t, [outer, n, inner], [n * inner, inner, 1])

export function run_grad(g: Tensor, y: Tensor, dim: number, log: boolean): Tensor {
  const { dtype } = y
  const grad = empty(y.sizes, dtype)
  if (grad.count === 0) return grad
  const { outer, n, inner } = around(y, dim)
  const tensors = [grad, dense(g), dense(y)]
  if (inner === 1) {
    const operands = tensors.map(t => window(t, [outer, n], [n, 1]))
    if (log && wide(dtype) !== dtype) operands.push(empty([outer, n], wide(dtype)))
    softmax_grad_rows(dtype, log)(operands, [rows_together(n)])
  } else {
    const operands = tensors.map(t => in_three(t, outer, n, inner))
    operands.push(empty([outer, inner], wide(dtype)))
    softmax_grad_columns(dtype, log)(operands, [columns_together(n)])
  }
  return grad
}
