// One recurrent layer in one direction as one node of the graph. Forward: the products of all inputs at once, then for
// each step one product and one kernel. Backward: the same way back, then the weights' gradients over all steps at once.
// Steps may have fewer and fewer rows (packed sequences): a step is rows of matrices that hold those of all steps.
// Not here: the kernels (rnn_kernels.ts), layers upon layers and the public functions (rnn.ts).
import { int64 } from '../../base/dtype.ts'
import { RuntimeError } from '../../base/errors.ts'
import type { Operand } from '../../device/device.ts'
import { needs_ops } from '../../tensor/batched.ts'
import { empty, zeros } from '../../tensor/dispatch.ts'
import { tensor_from } from '../../tensor/from_data.ts'
import { edge_of, type Grads, records, Saved, set_history } from '../../tensor/tape.ts'
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
const gates_of = (mode: Mode): number => (mode === 'lstm' ? 4 : mode === 'gru' ? 3 : 1)

/**
 * The rows of all steps one after the other: step t has `size(t)`, from row `first(t)` on. States have a block more than there
 * are steps, and block t + 1 is as long as step t has rows: those before and after a step are the first rows of its
 * neighbouring blocks. The block at the end where the steps begin holds the states that were given.
 */
type Sizes = {
  readonly length: number
  /** The rows of the first step, which has the most. */
  readonly batch: number
  readonly rows: number
  readonly size: (t: number) => number
  readonly first: (t: number) => number
  /** The first row of a block. */
  readonly block: (t: number) => number
  readonly packed: readonly number[] | null
  readonly input: number
  readonly hidden: number
  readonly state: number
}

function steps_of(
  length: number,
  batch: number,
  packed: readonly number[] | null,
): Omit<Sizes, 'input' | 'hidden' | 'state'> {
  if (packed === null) {
    const first = (t: number): number => t * batch
    return { length, batch, rows: length * batch, size: () => batch, first, block: first, packed }
  }
  const firsts = [0]
  for (const size of packed) firsts.push(firsts[firsts.length - 1]! + size)
  return {
    length,
    batch,
    rows: firsts[length]!,
    size: t => packed[t]!,
    first: t => firsts[t]!,
    block: t => (t === 0 ? 0 : batch + firsts[t - 1]!),
    packed,
  }
}

/** What forward keeps for backward: matrices of a row for each row of each step; states have the given ones too. */
type Kept = {
  readonly h: Tensor
  readonly c: Tensor | null
  /** LSTM: i, f, g, o; GRU: r, z, n */
  readonly gates: Tensor | null
  /** GRU: what the state contributes to n */
  readonly from_state: Tensor | null
  /** LSTM with a projection: what is projected */
  readonly wide: Tensor | null
}

/** Rows of a matrix as a kernel sees them. */
const rows_at = (x: Tensor, first: number, count: number): Operand => {
  const n = x.sizes[1]!
  return window(x, [count, n], [n, 1], x.offset + first * n)
}
/** The same for a product. */
const matrix_at = (x: Tensor, first: number): ReturnType<typeof rows_of> => {
  const n = x.sizes[1]!
  return rows_of(x, n, first * n)
}
/** The same as a tensor. */
const part_of = (x: Tensor, first: number, count: number): Tensor => {
  const n = x.sizes[1]!
  return alias(x, [count, n], [n, 1], x.offset + first * n)
}

/** The rows of the steps in blocks that begin with step 0's: in one piece, with a copy where blocks are longer than steps. */
function from_blocks(x: Tensor, s: Sizes): Tensor {
  if (s.packed === null) return part_of(x, 0, s.rows)
  const places = s.packed.flatMap((size, t) => Array.from({ length: size }, (_, i) => s.block(t) + i))
  return x.index_select(0, tensor_from(places, int64))
}

/** The states after the last step of each sequence. */
function last_states(x: Tensor, s: Sizes, reverse: boolean): Tensor {
  if (reverse || s.packed === null) return part_of(x, s.block(reverse ? 0 : s.length), s.batch)
  const places = new Array<number>(s.batch)
  for (const [t, size] of s.packed.entries()) for (let i = 0; i < size; i++) places[i] = s.block(t + 1) + i
  return x.index_select(0, tensor_from(places, int64))
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

/** Copies the states that are given to where the steps that begin with them look for them. */
function place_given(x: Tensor, given: Tensor, s: Sizes, reverse: boolean): void {
  if (!reverse || s.packed === null) {
    copy_elements(part_of(x, s.block(reverse ? s.length : 0), s.batch), given)
    return
  }
  // Those of sequences that end with step t.
  for (const [t, size] of s.packed.entries()) {
    const next = s.packed[t + 1] ?? 0
    if (next < size)
      copy_elements(
        part_of(x, s.block(t + 1) + next, size - next),
        alias(given, [size - next, given.sizes[1]!], given.strides, given.offset + next * given.strides[0]!),
      )
  }
}

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
  const { length, batch, rows, hidden, state } = s
  const columns = gates_of(mode) * hidden
  const lstm = mode === 'lstm'
  const gru = mode === 'gru'
  const at_once = Math.max(1, Math.min(length, Math.floor(CHUNK_BYTES / (batch * columns * dtype.itemsize))))
  // Sums that go straight to the states lie in blocks, which backwards are longer than the steps.
  const chunk = reverse && s.packed !== null && !lstm && !gru ? 1 : at_once
  const room = keep ? rows : Math.min(rows, chunk * batch)
  const h = empty([rows + batch, state], dtype)
  const c = lstm ? empty([rows + batch, hidden], dtype) : null
  const gates = lstm || gru ? empty([room, columns], dtype) : null
  const sums = gru ? empty([batch, columns], dtype) : null
  const contributed = gru && keep ? empty([rows, hidden], dtype) : null
  const wide = w.w_hr === null ? null : empty([keep ? rows : batch, hidden], dtype)
  place_given(h, start.h, s, reverse)
  if (c !== null) place_given(c, start.c!, s, reverse)

  const bias = biases(mode, hidden, w)
  const has_bias = bias.length > 0
  const many = length > 1
  const from_input = factor(flipped(w.w_ih), many)
  const from_state = factor(flipped(w.w_hh), many)
  const project = w.w_hr === null ? null : factor(flipped(w.w_hr), many)
  const after = reverse ? 0 : 1
  const into = gates ?? h
  let made_from = length
  let made_to = 0
  /** Where step t's sums are: with nothing kept, the gates are those of a chunk. */
  const place = (t: number): number =>
    gates === null ? s.block(t + after) : keep ? s.first(t) : s.first(t) - s.first(made_from)

  for (const t of order(length, reverse)) {
    const size = s.size(t)
    if (t < made_from || t >= made_to) {
      made_from = t - (t % chunk)
      made_to = Math.min(length, made_from + chunk)
      const first = s.first(made_from)
      const count = (made_to === length ? rows : s.first(made_to)) - first
      from_input.multiply(count, matrix_at(into, place(made_from)), matrix_at(x, first), false)
    }
    const before = s.block(t + 1 - after)
    const next = s.block(t + after)
    if (gru) from_state.multiply(size, matrix_at(sums!, 0), matrix_at(h, before), false)
    else from_state.multiply(size, matrix_at(into, place(t)), matrix_at(h, before), true)
    const own = rows_at(into, place(t), size)
    if (lstm) {
      const at = keep ? s.first(t) : 0
      const hidden_rows = wide === null ? rows_at(h, next, size) : rows_at(wide, at, size)
      const operands = [own, rows_at(c!, next, size), hidden_rows, rows_at(c!, before, size), ...bias]
      lstm_step(dtype, has_bias, keep)(operands, [])
      project?.multiply(size, matrix_at(h, next), matrix_at(wide!, at), false)
    } else if (gru) {
      const kept = contributed === null ? [] : [rows_at(contributed, s.first(t), size)]
      const [to, sum, from] = [rows_at(h, next, size), rows_at(sums!, 0, size), rows_at(h, before, size)]
      gru_step(dtype, has_bias, keep)([own, to, sum, from, ...kept, ...bias], [])
    } else rnn_step(dtype, mode === 'rnn_relu', has_bias)([own, ...bias], [])
  }
  const copy = (t: Tensor): Tensor => {
    const out = empty(t.sizes, dtype)
    copy_elements(out, t)
    return out
  }
  const own_output = reverse ? from_blocks(h, s) : part_of(h, batch, rows)
  const last = [h, c].flatMap(t => (t === null ? [] : [copy(last_states(t, s, reverse))]))
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
  const { length, batch, rows, hidden, state } = s
  const { h, c, gates, wide } = kept
  const columns = gates_of(mode) * hidden
  const gru = mode === 'gru'
  const after = reverse ? 0 : 1
  const outputs = d_output === null ? null : alias_rows(dense(d_output), state)
  const has_output = outputs !== null
  const last = (given: Tensor | null, n: number): Tensor => {
    if (given === null) return zeros([batch, n], dtype)
    const own = empty([batch, n], dtype)
    copy_elements(own, given)
    return own
  }
  const dh = last(d_h, state)
  const dc = c === null ? null : last(d_c, hidden)
  const grad = empty([rows, columns], dtype)
  /** By way of the input; only GRU's differ from those by way of the state. */
  const from_input = gru ? empty(grad.sizes, dtype) : grad
  const grad_projected = wide === null ? null : empty([rows, state], dtype)
  const grad_wide = wide === null ? null : empty([batch, hidden], dtype)
  const many = length > 1
  const to_state = factor(w.w_hh, many)
  const to_wide = w.w_hr === null ? null : factor(w.w_hr, many)

  for (const t of order(length, !reverse)) {
    const size = s.size(t)
    const first = s.first(t)
    const before = rows_at(h, s.block(t + 1 - after), size)
    const reached = rows_at(dh, 0, size)
    const output = has_output ? [rows_at(outputs, first, size)] : []
    const own = rows_at(grad, first, size)
    if (mode === 'lstm') {
      let reaching: Operand[] = [reached, ...output]
      if (grad_projected !== null) {
        const projected = part_of(grad_projected, first, size)
        copy_elements(projected, part_of(dh, 0, size))
        if (has_output) projected.add_(part_of(outputs, first, size))
        to_wide!.multiply(size, matrix_at(grad_wide!, 0), matrix_at(projected, 0), false)
        reaching = [rows_at(grad_wide!, 0, size)]
      }
      const cells = [s.block(t + after), s.block(t + 1 - after)].map(at => rows_at(c!, at, size))
      const operands = [own, rows_at(dc!, 0, size), rows_at(gates!, first, size), ...cells, ...reaching]
      lstm_step_grad(dtype, reaching.length > 1)(operands, [])
    } else if (gru) {
      const by_input = rows_at(from_input, first, size)
      const saved = [rows_at(gates!, first, size), rows_at(kept.from_state!, first, size), before]
      gru_step_grad(dtype, has_output)([by_input, own, reached, ...saved, ...output], [])
    } else {
      const operands = [own, rows_at(h, s.block(t + after), size), reached, ...output]
      rnn_step_grad(dtype, mode === 'rnn_relu', has_output)(operands, [])
    }
    to_state.multiply(size, rows_of(dh, state), matrix_at(grad, first), gru)
  }

  /** Of a weight: the gradients of what it made, times what it was given. */
  const weight_grad = (made: Tensor, given: Tensor): Tensor => {
    const [m, n] = [made.sizes[1]!, given.sizes[1]!]
    const out = empty([m, n], dtype)
    product(dtype, [m, n, rows], rows_of(out, n), transposed(rows_of(made, m)), rows_of(given, n))
    return out
  }
  const column_sums = (made: Tensor): Tensor => alias(made).sum(0)
  const states_before = (): Tensor => (reverse ? part_of(h, batch, rows) : from_blocks(h, s))
  const input_grad = (): Tensor => {
    const out = empty([rows, s.input], dtype)
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
    w_hh: needs.w_hh ? weight_grad(grad, states_before()) : null,
    b_ih: gru && needs.b_ih ? column_sums(from_input) : d_bias,
    b_hh: d_bias,
    w_hr: needs.w_hr ? weight_grad(grad_projected!, wide!) : null,
  }
}

/** The weights that there are, and the states, as a node's inputs. */
type Named = readonly (readonly [keyof LayerGrads, Tensor])[]

/**
 * A layer in one direction: `input` (seq, batch, features), states (batch, size). Gives the output (seq, batch, size) and
 * the last states. With `packed`, the rows of each step, which do not grow, the input is (rows, features), and so is the
 * output. `node_name` is the name of the node that it records.
 */
export function recurrent_layer(
  mode: Mode,
  reverse: boolean,
  input: Tensor,
  start: State,
  w: Weights,
  node_name: string,
  packed: readonly number[] | null = null,
): [Tensor, ...Tensor[]] {
  const named: Named = Object.entries({ input, ...start, ...w }).filter(
    (entry): entry is [keyof LayerGrads, Tensor] => entry[1] !== null,
  )
  const length = packed?.length ?? input.sizes[0]!
  const batch = packed === null ? input.sizes[1]! : (packed[0] ?? 0)
  const features = input.sizes[input.ndim - 1]!
  const steps = steps_of(length, batch, packed)
  check(mode, features, steps, start, w, named)
  const sizes: Sizes = {
    ...steps,
    input: features,
    hidden: w.w_hh.sizes[0]! / gates_of(mode),
    state: w.w_hh.sizes[1]!,
  }
  const all_sizes = (): readonly number[] => packed ?? new Array<number>(length).fill(batch)
  const as_output = (rows: Tensor): Tensor => (packed === null ? rows.view(length, batch, -1) : rows)
  const as_rows = (t: Tensor): Tensor => (packed === null ? t.flatten(0, 1) : t)
  if (input.dtype.name !== 'float32' && input.dtype.name !== 'float64') {
    const [rows, ...last] = unrolled(mode, reverse, as_rows(input), all_sizes(), start, w)
    return [as_output(rows), ...last]
  }
  const inputs = named.map(([, t]) => t)
  const keep = records(inputs)
  const edges = keep ? inputs.map(edge_of) : []
  const run = (): ReturnType<typeof forward> =>
    forward(mode, reverse, alias_rows(dense(input), features), start, dense_weights(w), sizes, keep)
  const done = keep ? without_recording(run) : run()
  const { output: made } = done
  const { state } = sizes
  const output =
    packed === null ? alias(made, [length, batch, state], [batch * state, state, 1], made.offset) : made
  const results: [Tensor, ...Tensor[]] = [output, ...done.last]
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
    let found: Partial<Record<keyof LayerGrads, Tensor | null>>
    if (grads.some(needs_ops)) {
      const before = { h: own['h']!, c: get('c') }
      const [d_output, ...rest] = grads
      const of_rows = [d_output ? as_rows(d_output) : null, ...rest]
      found = unrolled_grad(mode, reverse, as_rows(own['input']!), all_sizes(), before, weights, of_rows)
    } else {
      const x = alias_rows(dense(own['input']!), features)
      found = backward(mode, reverse, x, dense_weights(weights), sizes, kept!, grads, needs)
    }
    if (found.input) found.input = found.input.view(input.sizes)
    return named.map(([name]) => (needs[name] ? (found[name] ?? null) : null))
  }
  const release = (): void => {
    kept = null
    for (const [, s] of saved) s.release()
  }
  set_history(new FnNode(node_name, edges, apply, release), results)
  return results
}

/** Rows of `n` numbers without gaps as a matrix, outside the graph. */
const alias_rows = (t: Tensor, n: number): Tensor => {
  if (t.sizes.length === 2) return alias(t)
  const [length, batch] = t.sizes as [number, number, number]
  return alias(t, [length * batch, n], [n, 1], t.offset)
}

const dense_weights = (w: Weights): Weights => ({
  ...w,
  w_ih: dense(w.w_ih),
  w_hh: dense(w.w_hh),
  w_hr: w.w_hr === null ? null : dense(w.w_hr),
})

function check(
  mode: Mode,
  features: number,
  { length, batch, rows }: Pick<Sizes, 'length' | 'batch' | 'rows'>,
  start: State,
  w: Weights,
  named: Named,
): void {
  for (const [, t] of named)
    if (t.dtype !== named[0]![1].dtype) throw new RuntimeError('mat1 and mat2 must have the same dtype')
  if (length === 0) throw new RuntimeError('Expected sequence length to be larger than 0 in RNN')
  const require_product = (m: number, k: number, weight: Tensor): void => {
    if (k !== weight.sizes[1])
      throw new RuntimeError(
        `mat1 and mat2 shapes cannot be multiplied (${m}x${k} and ${weight.sizes[1]}x${weight.sizes[0]})`,
      )
  }
  const require_equal = (a: number, b: number, dim: number): void => {
    if (a !== b)
      throw new RuntimeError(
        `The size of tensor a (${a}) must match the size of tensor b (${b}) at non-singleton dimension ${dim}`,
      )
  }
  require_product(rows, features, w.w_ih)
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
