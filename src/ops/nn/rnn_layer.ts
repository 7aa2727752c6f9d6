// One recurrent layer in one direction as one node of the graph. Forward: the products of all inputs at once, then for
// each step one product and one kernel. Backward: the same way back, then the weights' gradients over all steps at once.
// Not here: the kernels (rnn_kernels.ts), layers upon layers and the public functions (rnn.ts).
import { RuntimeError } from '../../base/errors.ts'
import type { Operand } from '../../device/device.ts'
import { empty, zeros } from '../../tensor/dispatch.ts'
import { edge_of, type Grads, modes, records, Saved, set_history } from '../../tensor/tape.ts'
import { alias, type Tensor } from '../../tensor/tensor.ts'
import { copy_elements, dense } from '../define/copy.ts'
import { FnNode } from '../define/fn_node.ts'
import { without_recording } from '../define/op.ts'
import { window } from '../define/space.ts'
import { factor, product, rows_of, transposed } from './products.ts'
import { gru_step, gru_step_grad, lstm_step, lstm_step_grad, rnn_step, rnn_step_grad } from './rnn_kernels.ts'
import {
  type LayerGrads,
  type Mode,
  order,
  type State,
  unrolled,
  unrolled_grad,
  type Weights,
} from './rnn_steps.ts'

/** What the recurrent product of a step has for each hidden unit. */
export const gates_of = (mode: Mode): number => (mode === 'lstm' ? 4 : mode === 'gru' ? 3 : 1)

type Sizes = {
  readonly length: number
  readonly batch: number
  readonly input: number
  readonly hidden: number
  readonly state: number
}

/** What forward keeps for backward; states have one entry more than there are steps, the first or (reversed) last given. */
type Kept = {
  /** (length + 1, batch, state) */
  readonly h: Tensor
  /** LSTM: (length + 1, batch, hidden) */
  readonly c: Tensor | null
  /** LSTM: i, f, g, o; GRU: r, z, n: (length, batch, gates * hidden) */
  readonly gates: Tensor | null
  /** GRU: what the state contributes to n (length, batch, hidden) */
  readonly from_state: Tensor | null
  /** LSTM with a projection: what is projected (length, batch, hidden) */
  readonly wide: Tensor | null
}

/** The rows of step `t` of a (steps, batch, n) tensor, as a kernel sees them. */
const at = (x: Tensor, t: number): Operand => {
  const [, batch, n] = x.sizes as [number, number, number]
  return window(x, [batch, n], [n, 1], x.offset + t * batch * n)
}
/** The same as a matrix. */
const matrix_at = (x: Tensor, t: number): ReturnType<typeof rows_of> => {
  const [, batch, n] = x.sizes as [number, number, number]
  return rows_of(x, n, t * batch * n)
}

/** Steps `first` and on of a (steps, batch, n) tensor. */
const steps_of = (x: Tensor, first: number, count: number): Tensor => {
  const [, batch, n] = x.sizes as [number, number, number]
  return alias(x, [count, batch, n], [batch * n, n, 1], x.offset + first * batch * n)
}

const add_vectors = (a: Tensor, b: Tensor): Tensor => alias(a).add(alias(b))

/** The biases as kernels add them: to the gates, and to what the state contributes to GRU's n. */
function biases(mode: Mode, hidden: number, w: Weights): Tensor[] {
  const { b_ih, b_hh } = w
  if (b_ih === null || b_hh === null) return []
  const sum = add_vectors(dense(b_ih), dense(b_hh))
  if (mode !== 'gru') return [sum]
  const fresh = (b: Tensor): Tensor => alias(b, [hidden], [1], b.offset + 2 * hidden)
  copy_elements(fresh(sum), fresh(dense(b_ih)))
  return [sum, fresh(dense(b_hh))]
}

const flipped = (w: Tensor): Tensor => alias(w, [w.sizes[1]!, w.sizes[0]!], [w.strides[1]!, w.strides[0]!])

/** Steps whose input products are made at once; they are still in the cache when the steps come to them. */
const CHUNK_BYTES = 512 * 1024

function forward(
  mode: Mode,
  reverse: boolean,
  x: Tensor,
  start: State,
  w: Weights,
  s: Sizes,
  keep: boolean,
): { output: Tensor; last: Tensor[]; kept: Kept } {
  const { dtype } = x
  const { length, batch, hidden, state } = s
  const columns = gates_of(mode) * hidden
  const lstm = mode === 'lstm'
  const gru = mode === 'gru'
  const chunk = Math.max(1, Math.min(length, Math.floor(CHUNK_BYTES / (batch * columns * dtype.itemsize))))
  const room = keep ? length : chunk
  const h = empty([length + 1, batch, state], dtype)
  const c = lstm ? empty([length + 1, batch, hidden], dtype) : null
  const gates = lstm || gru ? empty([room, batch, columns], dtype) : null
  const sums = gru ? empty([1, batch, columns], dtype) : null
  const contributed = gru && keep ? empty([length, batch, hidden], dtype) : null
  const wide = w.w_hr === null ? null : empty([keep ? length : 1, batch, hidden], dtype)
  const given = reverse ? length : 0
  copy_elements(steps_of(h, given, 1), start.h)
  if (c !== null) copy_elements(steps_of(c, given, 1), start.c!)

  const bias = biases(mode, hidden, w)
  const has_bias = bias.length > 0
  const many = length > 1
  const from_input = factor(flipped(w.w_ih), many)
  const from_state = factor(flipped(w.w_hh), many)
  const project = w.w_hr === null ? null : factor(flipped(w.w_hr), many)
  const after = reverse ? 0 : 1
  const into = gates ?? h
  /** Where step t's sums are: with nothing kept, the gates are those of a chunk. */
  const place = (t: number): number => (gates === null ? t + after : keep ? t : t % chunk)

  let made_from = length
  let made_to = 0
  for (const t of order(length, reverse)) {
    if (t < made_from || t >= made_to) {
      made_from = t - (t % chunk)
      made_to = Math.min(length, made_from + chunk)
      const count = (made_to - made_from) * batch
      from_input.multiply(count, matrix_at(into, place(made_from)), matrix_at(x, made_from), false)
    }
    const before = t + 1 - after
    if (gru) from_state.multiply(batch, matrix_at(sums!, 0), matrix_at(h, before), false)
    else from_state.multiply(batch, matrix_at(into, place(t)), matrix_at(h, before), true)
    const own = at(into, place(t))
    if (lstm) {
      const hidden_rows = wide === null ? at(h, t + after) : at(wide, keep ? t : 0)
      lstm_step(dtype, has_bias, keep)([own, at(c!, t + after), hidden_rows, at(c!, before), ...bias], [])
      project?.multiply(batch, matrix_at(h, t + after), matrix_at(wide!, keep ? t : 0), false)
    } else if (gru) {
      const kept = contributed === null ? [] : [at(contributed, t)]
      const operands = [own, at(h, t + after), at(sums!, 0), at(h, before), ...kept, ...bias]
      gru_step(dtype, has_bias, keep)(operands, [])
    } else rnn_step(dtype, mode === 'rnn_relu', has_bias)([own, ...bias], [])
  }
  const copy = (t: Tensor): Tensor => {
    const out = empty(t.sizes, dtype)
    copy_elements(out, t)
    return out
  }
  const own_output = steps_of(h, after, length)
  const end = reverse ? 0 : length
  const last = [h, c].flatMap(t =>
    t === null ? [] : [copy(alias(t, t.sizes.slice(1), t.strides.slice(1), t.offset + end * t.strides[0]!))],
  )
  // What is kept may not change when the output does.
  return {
    output: keep ? copy(own_output) : own_output,
    last,
    kept: { h, c, gates, from_state: contributed, wide },
  }
}

type Needs = { readonly input: boolean; readonly h: boolean; readonly c: boolean } & {
  readonly [name in keyof Weights]: boolean
}

function backward(
  mode: Mode,
  reverse: boolean,
  x: Tensor,
  w: Weights,
  s: Sizes,
  kept: Kept,
  [d_output = null, d_h = null, d_c = null]: Grads,
  needs: Needs,
): Partial<Record<keyof LayerGrads, Tensor | null>> {
  const { dtype } = x
  const { length, batch, hidden, state } = s
  const { h, c, gates, wide } = kept
  const columns = gates_of(mode) * hidden
  const gru = mode === 'gru'
  const after = reverse ? 0 : 1
  const outputs = d_output === null ? null : dense(d_output)
  const has_output = outputs !== null
  const last = (given: Tensor | null, n: number): Tensor => {
    if (given === null) return zeros([batch, n], dtype)
    const own = empty([batch, n], dtype)
    copy_elements(own, given)
    return own
  }
  const dh = last(d_h, state)
  const dc = c === null ? null : last(d_c, hidden)
  const grad = empty([length, batch, columns], dtype)
  /** By way of the input; only GRU's differ from those by way of the state. */
  const from_input = gru ? empty(grad.sizes, dtype) : grad
  const grad_projected = wide === null ? null : empty([length, batch, state], dtype)
  const grad_wide = wide === null ? null : empty([1, batch, hidden], dtype)
  const many = length > 1
  const to_state = factor(w.w_hh, many)
  const to_wide = w.w_hr === null ? null : factor(w.w_hr, many)
  const dh_rows = rows_of(dh, state)

  for (const t of order(length, !reverse)) {
    const before = t + 1 - after
    const output = has_output ? [at(outputs, t)] : []
    if (mode === 'lstm') {
      let reaching: Operand[] = [dh, ...output]
      if (grad_projected !== null) {
        const own = steps_of(grad_projected, t, 1)
        copy_elements(own, dh)
        if (has_output) own.add_(steps_of(outputs, t, 1))
        to_wide!.multiply(batch, matrix_at(grad_wide!, 0), matrix_at(own, 0), false)
        reaching = [at(grad_wide!, 0)]
      }
      const operands = [at(grad, t), dc!, at(gates!, t), at(c!, t + after), at(c!, before), ...reaching]
      lstm_step_grad(dtype, reaching.length > 1)(operands, [])
    } else if (gru) {
      const operands = [
        at(from_input, t),
        at(grad, t),
        dh,
        at(gates!, t),
        at(kept.from_state!, t),
        at(h, before),
        ...output,
      ]
      gru_step_grad(dtype, has_output)(operands, [])
    } else {
      const operands = [at(grad, t), at(h, t + after), dh, ...output]
      rnn_step_grad(dtype, mode === 'rnn_relu', has_output)(operands, [])
    }
    to_state.multiply(batch, dh_rows, matrix_at(grad, t), gru)
  }

  const rows = length * batch
  /** Of a weight: the gradients of what it made, times what it was given. */
  const weight_grad = (made: Tensor, given: Tensor): Tensor => {
    const [m, n] = [made.sizes[2]!, given.sizes[2]!]
    const out = empty([m, n], dtype)
    product(dtype, [m, n, rows], rows_of(out, n), transposed(rows_of(made, m)), rows_of(given, n))
    return out
  }
  const column_sums = (made: Tensor): Tensor =>
    alias(made, [rows, made.sizes[2]!], [made.sizes[2]!, 1]).sum(0)
  const states = steps_of(h, 1 - after, length)
  const input_grad = (): Tensor => {
    const out = empty([length, batch, s.input], dtype)
    product(
      dtype,
      [rows, s.input, columns],
      rows_of(out, s.input),
      rows_of(from_input, columns),
      rows_of(w.w_ih, s.input),
    )
    return out
  }
  const d_bias = needs.b_hh || (needs.b_ih && !gru) ? column_sums(grad) : null
  return {
    input: needs.input ? input_grad() : null,
    h: dh,
    c: dc,
    w_ih: needs.w_ih ? weight_grad(from_input, x) : null,
    w_hh: needs.w_hh ? weight_grad(grad, states) : null,
    b_ih: gru && needs.b_ih ? column_sums(from_input) : d_bias,
    b_hh: d_bias,
    w_hr: needs.w_hr ? weight_grad(grad_projected!, wide!) : null,
  }
}

/** The weights that there are, and the states, as a node's inputs. */
type Named = readonly (readonly [keyof LayerGrads, Tensor])[]

/**
 * A layer in one direction: `input` (seq, batch, features), states (batch, size). Gives the output (seq, batch, size) and
 * the last states. `node` is the name of the node that it records.
 */
export function recurrent_layer(
  mode: Mode,
  reverse: boolean,
  input: Tensor,
  start: State,
  w: Weights,
  node_name: string,
): [Tensor, ...Tensor[]] {
  const named: Named = Object.entries({ input, ...start, ...w }).filter(
    (entry): entry is [keyof LayerGrads, Tensor] => entry[1] !== null,
  )
  check(mode, input, start, w, named)
  if (input.dtype.name !== 'float32' && input.dtype.name !== 'float64')
    return unrolled(mode, reverse, input, start, w)
  const inputs = named.map(([, t]) => t)
  const sizes: Sizes = {
    length: input.sizes[0]!,
    batch: input.sizes[1]!,
    input: input.sizes[2]!,
    hidden: w.w_hh.sizes[0]! / gates_of(mode),
    state: w.w_hh.sizes[1]!,
  }
  const keep = records(inputs)
  const edges = keep ? inputs.map(edge_of) : []
  const run = (): ReturnType<typeof forward> =>
    forward(mode, reverse, dense(input), start, dense_weights(w), sizes, keep)
  const done = keep ? without_recording(run) : run()
  const results: [Tensor, ...Tensor[]] = [done.output, ...done.last]
  if (!keep) return results
  const saved = named.map(([name, t]) => [name, new Saved(t)] as const)
  let kept: Kept | null = done.kept
  const apply = (grads: Grads): Grads => {
    const own = Object.fromEntries(saved.map(([name, s]) => [name, s.get()])) as Record<
      string,
      Tensor | undefined
    >
    const needs = Object.fromEntries(named.map(([name], i) => [name, edges[i] !== null])) as Needs
    const get = (name: keyof LayerGrads): Tensor | null => own[name] ?? null
    const weights: Weights = {
      w_ih: own['w_ih']!,
      w_hh: own['w_hh']!,
      b_ih: get('b_ih'),
      b_hh: get('b_hh'),
      w_hr: get('w_hr'),
    }
    const found: Partial<Record<keyof LayerGrads, Tensor | null>> = modes.grad
      ? unrolled_grad(mode, reverse, own['input']!, { h: own['h']!, c: get('c') }, weights, grads)
      : backward(mode, reverse, dense(own['input']!), dense_weights(weights), sizes, kept!, grads, needs)
    return named.map(([name]) => (needs[name] ? (found[name] ?? null) : null))
  }
  const release = (): void => {
    kept = null
    for (const [, s] of saved) s.release()
  }
  set_history(new FnNode(node_name, edges, apply, release), results)
  return results
}

const dense_weights = (w: Weights): Weights => ({
  ...w,
  w_ih: dense(w.w_ih),
  w_hh: dense(w.w_hh),
  w_hr: w.w_hr === null ? null : dense(w.w_hr),
})

function check(mode: Mode, input: Tensor, start: State, w: Weights, named: Named): void {
  for (const [, t] of named)
    if (t.dtype !== input.dtype) throw new RuntimeError('mat1 and mat2 must have the same dtype')
  if (input.sizes[0] === 0) throw new RuntimeError('Expected sequence length to be larger than 0 in RNN')
  const [length, batch, features] = input.sizes as [number, number, number]
  const require_product = (rows: number, k: number, weight: Tensor): void => {
    if (k !== weight.sizes[1])
      throw new RuntimeError(
        `mat1 and mat2 shapes cannot be multiplied (${rows}x${k} and ${weight.sizes[1]}x${weight.sizes[0]})`,
      )
  }
  const require_equal = (a: number, b: number, dim: number): void => {
    if (a !== b)
      throw new RuntimeError(
        `The size of tensor a (${a}) must match the size of tensor b (${b}) at non-singleton dimension ${dim}`,
      )
  }
  require_product(length * batch, features, w.w_ih)
  require_product(start.h.sizes[0]!, start.h.sizes[1]!, w.w_hh)
  require_equal(start.h.sizes[0]!, batch, 0)
  const columns = w.w_hh.sizes[0]!
  for (const t of [w.w_ih, w.b_ih, w.b_hh]) if (t !== null) require_equal(t.sizes[0]!, columns, t.ndim - 1)
  const hidden = columns / gates_of(mode)
  if (start.c !== null) {
    require_equal(start.c.sizes[0]!, batch, 0)
    require_equal(start.c.sizes[1]!, hidden, 1)
  }
  if (w.w_hr !== null) require_product(batch, hidden, w.w_hr)
  require_equal(start.h.sizes[1]!, w.w_hr === null ? hidden : w.w_hr.sizes[0]!, 1)
}
