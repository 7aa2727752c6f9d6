// Recurrent steps op by op, and their gradients in tensor methods: what 16-bit floats run on, and what a backward pass
// that is itself recorded goes through. Not here: the fused layers (rnn_layer.ts), which compute the same.
import type { Tensor } from '../../tensor/tensor.ts'
import { cat, stack } from '../join.ts'
import { addmm } from '../matmul.ts'

export type Mode = 'lstm' | 'gru' | 'rnn_tanh' | 'rnn_relu'

/** The weights of one layer in one direction: biases both or none; `w_hr` projects the hidden state (LSTM). */
export type Weights = {
  readonly w_ih: Tensor
  readonly w_hh: Tensor
  readonly b_ih: Tensor | null
  readonly b_hh: Tensor | null
  readonly w_hr: Tensor | null
}

/** Where a layer begins: (batch, size), `c` for LSTM only. */
export type State = { readonly h: Tensor; readonly c: Tensor | null }

/** One step: the states before and after, and what its gradient reads. */
type Step = { readonly before: State; readonly after: State; readonly own: readonly Tensor[] }

const affine = (x: Tensor, w: Tensor, b: Tensor | null): Tensor =>
  b === null ? x.mm(w.t()) : addmm(b, x, w.t())

function step(mode: Mode, x: Tensor, before: State, w: Weights): Step {
  const { h, c } = before
  const from_state = affine(h, w.w_hh, w.b_hh)
  if (mode === 'gru') {
    const [ir, iz, inew] = x.chunk(3, 1) as [Tensor, Tensor, Tensor]
    const [hr, hz, hnew] = from_state.chunk(3, 1) as [Tensor, Tensor, Tensor]
    const r = ir.add(hr).sigmoid()
    const z = iz.add(hz).sigmoid()
    const n = inew.add(r.mul(hnew)).tanh()
    return { before, after: { h: h.sub(n).mul(z).add(n), c: null }, own: [r, z, n, hnew] }
  }
  const sum = x.add(from_state)
  if (mode !== 'lstm')
    return { before, after: { h: mode === 'rnn_relu' ? sum.relu() : sum.tanh(), c: null }, own: [] }
  const parts = sum.chunk(4, 1) as [Tensor, Tensor, Tensor, Tensor]
  const [i, f, o] = [parts[0].sigmoid(), parts[1].sigmoid(), parts[3].sigmoid()]
  const g = parts[2].tanh()
  const cell = f.mul(c!).add(i.mul(g))
  const t = cell.tanh()
  const wide = o.mul(t)
  const after = { h: w.w_hr === null ? wide : wide.mm(w.w_hr.t()), c: cell }
  return { before, after, own: [i, f, g, o, t, wide] }
}

/**
 * What passes from step to step where steps have different numbers of rows: rows that are over stay behind, and rows that
 * enter are those of `given`.
 */
class Passing {
  #now: Tensor | null = null
  readonly #given: Tensor
  #left: Tensor[] = []

  constructor(given: Tensor) {
    this.#given = given
  }

  /** The first `size` rows, for a step. */
  enter(size: number): Tensor {
    const rows = this.#now?.sizes[0] ?? 0
    if (this.#now === null)
      this.#now = size === this.#given.sizes[0] ? this.#given : this.#given.narrow(0, 0, size)
    else if (size > rows) this.#now = cat([this.#now, this.#given.narrow(0, rows, size - rows)], 0)
    else if (size < rows) {
      this.#left = [this.#now.narrow(0, size, rows - size), ...this.#left]
      this.#now = this.#now.narrow(0, 0, size)
    }
    return this.#now
  }

  /** What a step made of them. */
  leave(made: Tensor): void {
    this.#now = made
  }

  /** All rows as they are after the last step. */
  all(): Tensor {
    return this.#left.length === 0 ? this.#now! : cat([this.#now!, ...this.#left], 0)
  }
}

/** The states that pass from step to step. */
function passing({ h, c }: State): { enter(size: number): State; leave(after: State): void; all(): State } {
  const [own_h, own_c] = [new Passing(h), c === null ? null : new Passing(c)]
  return {
    enter: size => ({ h: own_h.enter(size), c: own_c?.enter(size) ?? null }),
    leave(after) {
      own_h.leave(after.h)
      if (after.c !== null) own_c?.leave(after.c)
    },
    all: () => ({ h: own_h.all(), c: own_c?.all() ?? null }),
  }
}

/** All steps, in the order of time whichever way they run, and the last states. */
function steps(
  mode: Mode,
  reverse: boolean,
  rows: Tensor,
  sizes: readonly number[],
  start: State,
  w: Weights,
): { done: Step[]; last: State } {
  const x = affine(rows, w.w_ih, w.b_ih).split(sizes)
  const done = new Array<Step>(sizes.length)
  const states = passing(start)
  for (const t of order(sizes.length, reverse)) {
    const made = step(mode, x[t]!, states.enter(sizes[t]!), w)
    done[t] = made
    states.leave(made.after)
  }
  return { done, last: states.all() }
}

/** The order in which `length` steps run. */
export const order = (length: number, reverse: boolean): number[] =>
  Array.from({ length }, (_, i) => (reverse ? length - 1 - i : i))

/**
 * A layer in one direction over the rows of all steps, `sizes` of them each: the output's rows and the last states. Sizes do
 * not grow from step to step.
 */
export function unrolled(
  mode: Mode,
  reverse: boolean,
  rows: Tensor,
  sizes: readonly number[],
  start: State,
  w: Weights,
): [Tensor, ...Tensor[]] {
  const { done, last } = steps(mode, reverse, rows, sizes, start, w)
  const { h, c } = last
  return [cat(done.map(s => s.after.h)), h, ...(c === null ? [] : [c])]
}

const sigmoid_slope = (y: Tensor): Tensor => y.mul(y.rsub(1))
const tanh_slope = (y: Tensor): Tensor => y.mul(y).rsub(1)

/** The gradients of what a step added up, by way of the input and of the state, and those that reach the states before. */
type StepGrad = { x: Tensor; from_state: Tensor; h: Tensor | null; c: Tensor | null }

function step_grad(mode: Mode, { before, after, own }: Step, dh: Tensor, dc: Tensor | null): StepGrad {
  if (mode === 'lstm') {
    const [i, f, g, o, t] = own as [Tensor, Tensor, Tensor, Tensor, Tensor]
    const through = dh.mul(o).mul(tanh_slope(t))
    const cell = dc === null ? through : dc.add(through)
    const x = stack(
      [
        cell.mul(g).mul(sigmoid_slope(i)),
        cell.mul(before.c!).mul(sigmoid_slope(f)),
        cell.mul(i).mul(tanh_slope(g)),
        dh.mul(t).mul(sigmoid_slope(o)),
      ],
      1,
    ).flatten(1)
    return { x, from_state: x, h: null, c: cell.mul(f) }
  }
  if (mode === 'gru') {
    const [r, z, n, hnew] = own as [Tensor, Tensor, Tensor, Tensor]
    const dn = dh.mul(z.rsub(1)).mul(tanh_slope(n))
    const dr = dn.mul(hnew).mul(sigmoid_slope(r))
    const dz = dh.mul(before.h.sub(n)).mul(sigmoid_slope(z))
    return {
      x: stack([dr, dz, dn], 1).flatten(1),
      from_state: stack([dr, dz, dn.mul(r)], 1).flatten(1),
      h: dh.mul(z),
      c: null,
    }
  }
  const x = mode === 'rnn_relu' ? dh.mul(after.h.gt(0).to(dh.dtype)) : dh.mul(tanh_slope(after.h))
  return { x, from_state: x, h: null, c: null }
}

/** The gradients of a layer's inputs. */
export type LayerGrads = { input: Tensor; h: Tensor; c: Tensor | null } & {
  readonly [name in keyof Weights]: Tensor | null
}

/** The gradients of {@link unrolled}, made of ops that are recorded where recording is on. */
export function unrolled_grad(
  mode: Mode,
  reverse: boolean,
  rows: Tensor,
  sizes: readonly number[],
  start: State,
  w: Weights,
  [d_output, d_h, d_c]: readonly (Tensor | null)[],
): LayerGrads {
  const { done } = steps(mode, reverse, rows, sizes, start, w)
  const length = done.length
  const outputs = d_output?.split(sizes)
  const grads = new Array<StepGrad>(length)
  const d_hidden = new Array<Tensor>(length)
  const zeros_like = (t: Tensor): Tensor => t.detach().new_zeros(t.sizes)
  const { c } = start
  const flow = passing({ h: d_h ?? zeros_like(start.h), c: c === null ? null : (d_c ?? zeros_like(c)) })
  for (const t of order(length, !reverse)) {
    const after = flow.enter(sizes[t]!)
    const arriving = outputs === undefined ? after.h : after.h.add(outputs[t]!)
    d_hidden[t] = arriving
    const grad = step_grad(mode, done[t]!, w.w_hr === null ? arriving : arriving.mm(w.w_hr), after.c)
    grads[t] = grad
    const through = grad.from_state.mm(w.w_hh)
    flow.leave({ h: grad.h === null ? through : through.add(grad.h), c: grad.c })
  }
  const dx = cat(grads.map(g => g.x))
  const ds = cat(grads.map(g => g.from_state))
  const biased = w.b_ih !== null
  return {
    ...flow.all(),
    input: dx.mm(w.w_ih),
    w_ih: dx.t().mm(rows),
    w_hh: ds.t().mm(cat(done.map(s => s.before.h))),
    b_ih: biased ? dx.sum(0) : null,
    b_hh: biased ? ds.sum(0) : null,
    w_hr:
      w.w_hr === null
        ? null
        : cat(d_hidden)
            .t()
            .mm(cat(done.map(s => s.own[5]!))),
  }
}
