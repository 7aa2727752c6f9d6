// Recurrent steps op by op, and their gradients in tensor methods: what 16-bit floats run on, and what a backward pass
// that is itself recorded goes through. Not here: the fused layers (rnn_layer.ts), which compute the same.
import type { Tensor } from '../../tensor/tensor.ts'
import { stack } from '../join.ts'
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

/** All steps, in the order of time whichever way they run. */
function steps(mode: Mode, reverse: boolean, input: Tensor, start: State, w: Weights): Step[] {
  const [length, batch, size] = input.sizes as [number, number, number]
  const x = affine(input.reshape([length * batch, size]), w.w_ih, w.b_ih)
    .view(length, batch, -1)
    .unbind(0)
  const done = new Array<Step>(length)
  let state = start
  for (const t of order(length, reverse)) {
    done[t] = step(mode, x[t]!, state, w)
    state = done[t].after
  }
  return done
}

/** The order in which `length` steps run. */
export const order = (length: number, reverse: boolean): number[] =>
  Array.from({ length }, (_, i) => (reverse ? length - 1 - i : i))

/** A layer in one direction: the output (seq, batch, state) and the last states. */
export function unrolled(
  mode: Mode,
  reverse: boolean,
  input: Tensor,
  start: State,
  w: Weights,
): [Tensor, ...Tensor[]] {
  const done = steps(mode, reverse, input, start, w)
  const { h, c } = done[reverse ? 0 : done.length - 1]!.after
  return [stack(done.map(s => s.after.h)), h, ...(c === null ? [] : [c])]
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
  input: Tensor,
  start: State,
  w: Weights,
  [d_output, d_h, d_c]: readonly (Tensor | null)[],
): LayerGrads {
  const done = steps(mode, reverse, input, start, w)
  const length = done.length
  const outputs = d_output?.unbind(0)
  const grads = new Array<StepGrad>(length)
  const d_hidden = new Array<Tensor>(length)
  let dh = d_h ?? start.h.detach().new_zeros(start.h.sizes)
  let dc = d_c ?? null
  for (const t of order(length, !reverse)) {
    const arriving = outputs === undefined ? dh : dh.add(outputs[t]!)
    d_hidden[t] = arriving
    const grad = step_grad(mode, done[t]!, w.w_hr === null ? arriving : arriving.mm(w.w_hr), dc)
    grads[t] = grad
    const through = grad.from_state.mm(w.w_hh)
    dh = grad.h === null ? through : through.add(grad.h)
    dc = grad.c
  }
  const joined = (parts: readonly Tensor[]): Tensor => stack(parts).flatten(0, 1)
  const dx = joined(grads.map(g => g.x))
  const ds = joined(grads.map(g => g.from_state))
  const biased = w.b_ih !== null
  return {
    input: dx.mm(w.w_ih).view(input.sizes),
    h: dh,
    c: dc,
    w_ih: dx.t().mm(input.flatten(0, 1)),
    w_hh: ds.t().mm(joined(done.map(s => s.before.h))),
    b_ih: biased ? dx.sum(0) : null,
    b_hh: biased ? ds.sum(0) : null,
    w_hr:
      w.w_hr === null
        ? null
        : joined(d_hidden)
            .t()
            .mm(joined(done.map(s => s.own[5]!))),
  }
}
