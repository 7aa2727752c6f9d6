// The pointwise parts of recurrent layers as kernels: for each cell what turns the products of one step into the new
// states, and the gradient of that. Not here: the products and the walk through time (rnn_layer.ts).
import type { DType } from '../../base/dtype.ts'
import type { Executable } from '../../device/device.ts'
import { constant, type Expr } from '../../ir/expr.ts'
import type { Builder, View } from '../../ir/kernel.ts'
import { kernels } from '../../tensor/dispatch.ts'

const rows = { rank: 2, inner: 1 } as const
const one = (x: Expr): Expr => constant(1, x.type)
const sigmoid = (x: Expr): Expr => one(x).div(x.neg().exp().add(1))
/** The slopes of sigmoid and tanh, from what they gave. */
const sigmoid_slope = (y: Expr): Expr => y.mul(one(y).sub(y))
const tanh_slope = (y: Expr): Expr => one(y).sub(y.mul(y))

/** Column `j` of the `gate`-th of several matrices side by side. */
const beside = (j: Expr, gate: number, size: Expr): Expr => (gate === 0 ? j : j.add(size.mul(gate)))

/** `x` at a column of a row, plus a bias where there is one. */
const biased = (x: View, bias: View | null, row: Expr, column: Expr): Expr =>
  bias === null ? x.at(row, column) : x.at(row, column).add(bias.at(column))

const bias_of = (k: Builder, dtype: DType, has_bias: boolean): View | null =>
  has_bias ? k.input('bias', dtype, 'flat') : null

/** gates (i, f, g, o; activated in place where `keep`), c, h, c before[, bias]. */
export const lstm_step: (dtype: DType, has_bias: boolean, keep: boolean) => Executable = kernels(
  'lstm_step',
  (k, dtype: DType, has_bias: boolean, keep: boolean) => {
    const gates = k.inout('gates', dtype, rows)
    const c = k.output('c', dtype, rows)
    const h = k.output('h', dtype, rows)
    const before = k.input('before', dtype, rows)
    const bias = bias_of(k, dtype, has_bias)
    const n = c.sizes[1]!
    k.elementwise(c.sizes, (b, j) => {
      const gate = (g: number): Expr => biased(gates, bias, b, beside(j, g, n))
      const i = k.local(c.type, sigmoid(gate(0)))
      const f = k.local(c.type, sigmoid(gate(1)))
      const g = k.local(c.type, gate(2).tanh())
      const o = k.local(c.type, sigmoid(gate(3)))
      const cell = k.local(c.type, f.mul(before.at(b, j)).add(i.mul(g)))
      if (keep) for (const [at, x] of [i, f, g, o].entries()) k.store(gates, [b, beside(j, at, n)], x)
      k.store(c, [b, j], cell)
      k.store(h, [b, j], o.mul(cell.tanh()))
    })
  },
)

/** d gates, dc (in place), gates, c, c before, dh[, d output]. */
export const lstm_step_grad: (dtype: DType, has_output: boolean) => Executable = kernels(
  'lstm_step_grad',
  (k, dtype: DType, has_output: boolean) => {
    const grad = k.output('grad', dtype, rows)
    const dc = k.inout('dc', dtype, rows)
    const gates = k.input('gates', dtype, rows)
    const c = k.input('c', dtype, rows)
    const before = k.input('before', dtype, rows)
    const dh = arriving(k, dtype, has_output)
    const n = c.sizes[1]!
    k.elementwise(c.sizes, (b, j) => {
      const [i, f, g, o] = [0, 1, 2, 3].map(at => k.local(c.type, gates.at(b, beside(j, at, n)))) as Four
      const d = k.local(c.type, dh(b, j))
      const t = k.local(c.type, c.at(b, j).tanh())
      const cell = k.local(c.type, dc.at(b, j).add(d.mul(o).mul(tanh_slope(t))))
      const parts = [
        cell.mul(g).mul(sigmoid_slope(i)),
        cell.mul(before.at(b, j)).mul(sigmoid_slope(f)),
        cell.mul(i).mul(tanh_slope(g)),
        d.mul(t).mul(sigmoid_slope(o)),
      ]
      for (const [at, x] of parts.entries()) k.store(grad, [b, beside(j, at, n)], x)
      k.store(dc, [b, j], cell.mul(f))
    })
  },
)
type Four = [Expr, Expr, Expr, Expr]

/** What reaches h: from the step after, and from the output where its gradient is an operand. */
function arriving(k: Builder, dtype: DType, has_output: boolean): (b: Expr, j: Expr) => Expr {
  const dh = k.input('dh', dtype, rows)
  const output = has_output ? k.input('output', dtype, rows) : null
  return (b, j) => (output === null ? dh.at(b, j) : dh.at(b, j).add(output.at(b, j)))
}

/** gates (r, z, n; activated in place where `keep`), h, what the state contributes to them, h before[, its part of n][, bias, bias of that]. */
export const gru_step: (dtype: DType, has_bias: boolean, keep: boolean) => Executable = kernels(
  'gru_step',
  (k, dtype: DType, has_bias: boolean, keep: boolean) => {
    const gates = k.inout('gates', dtype, rows)
    const h = k.output('h', dtype, rows)
    const sums = k.input('sums', dtype, rows)
    const before = k.input('before', dtype, rows)
    const kept = keep ? k.output('kept', dtype, rows) : null
    const bias = bias_of(k, dtype, has_bias)
    const state_bias = has_bias ? k.input('state_bias', dtype, 'flat') : null
    const n = h.sizes[1]!
    k.elementwise(h.sizes, (b, j) => {
      const gate = (g: number): Expr => biased(gates, bias, b, beside(j, g, n))
      const sum = (g: number): Expr => sums.at(b, beside(j, g, n))
      const r = k.local(h.type, sigmoid(gate(0).add(sum(0))))
      const z = k.local(h.type, sigmoid(gate(1).add(sum(1))))
      const from_state = k.local(h.type, state_bias === null ? sum(2) : sum(2).add(state_bias.at(j)))
      const x = k.local(h.type, gate(2).add(r.mul(from_state)).tanh())
      if (kept !== null) {
        for (const [at, y] of [r, z, x].entries()) k.store(gates, [b, beside(j, at, n)], y)
        k.store(kept, [b, j], from_state)
      }
      k.store(h, [b, j], before.at(b, j).sub(x).mul(z).add(x))
    })
  },
)

/**
 * The gradients of what the input and of what the state contributed to the gates, dh (in place: of h before, the part that does
 * not go through gates), gates, what the state contributed to n, h before[, d output].
 */
export const gru_step_grad: (dtype: DType, has_output: boolean) => Executable = kernels(
  'gru_step_grad',
  (k, dtype: DType, has_output: boolean) => {
    const by_input = k.output('by_input', dtype, rows)
    const by_state = k.output('by_state', dtype, rows)
    const dh = k.inout('dh', dtype, rows)
    const gates = k.input('gates', dtype, rows)
    const from_state = k.input('from_state', dtype, rows)
    const before = k.input('before', dtype, rows)
    const output = has_output ? k.input('output', dtype, rows) : null
    const n = before.sizes[1]!
    k.elementwise(before.sizes, (b, j) => {
      const [r, z, x] = [0, 1, 2].map(at => k.local(dh.type, gates.at(b, beside(j, at, n)))) as Three
      const d = k.local(dh.type, output === null ? dh.at(b, j) : dh.at(b, j).add(output.at(b, j)))
      const dx = k.local(dh.type, d.mul(one(z).sub(z)).mul(tanh_slope(x)))
      const dr = k.local(dh.type, dx.mul(from_state.at(b, j)).mul(sigmoid_slope(r)))
      const dz = k.local(dh.type, d.mul(before.at(b, j).sub(x)).mul(sigmoid_slope(z)))
      for (const [at, y] of [dr, dz, dx].entries()) k.store(by_input, [b, beside(j, at, n)], y)
      for (const [at, y] of [dr, dz, dx.mul(r)].entries()) k.store(by_state, [b, beside(j, at, n)], y)
      k.store(dh, [b, j], d.mul(z))
    })
  },
)
type Three = [Expr, Expr, Expr]

/** h (activated in place)[, bias]. */
export const rnn_step: (dtype: DType, relu: boolean, has_bias: boolean) => Executable = kernels(
  'rnn_step',
  (k, dtype: DType, relu: boolean, has_bias: boolean) => {
    const h = k.inout('h', dtype, rows)
    const bias = bias_of(k, dtype, has_bias)
    k.elementwise(h.sizes, (b, j) => {
      const x = biased(h, bias, b, j)
      k.store(h, [b, j], relu ? x.max(0) : x.tanh())
    })
  },
)

/** The gradient of what was activated, h, dh[, d output]. */
export const rnn_step_grad: (dtype: DType, relu: boolean, has_output: boolean) => Executable = kernels(
  'rnn_step_grad',
  (k, dtype: DType, relu: boolean, has_output: boolean) => {
    const grad = k.output('grad', dtype, rows)
    const h = k.input('h', dtype, rows)
    const dh = arriving(k, dtype, has_output)
    k.elementwise(h.sizes, (b, j) => {
      const y = h.at(b, j)
      const d = dh(b, j)
      k.store(grad, [b, j], relu ? y.gt(0).where(d, constant(0, d.type)) : d.mul(tanh_slope(y)))
    })
  },
)
