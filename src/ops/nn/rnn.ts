// torch.lstm, gru, rnn_tanh and rnn_relu, over sequences of one length or packed ones, and the functions for one step:
// layers upon layers, in one or both directions. Not here: a layer itself (rnn_layer.ts), the modules (nn/).
import { RuntimeError } from '../../base/errors.ts'
import { zeros } from '../../tensor/dispatch.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { composite, type Op, overloaded } from '../define/op.ts'
import { cat, stack } from '../join.ts'
import { dropout } from './dropout.ts'
import { recurrent_layer } from './rnn_layer.ts'
import type { Mode, State, Weights } from './rnn_steps.ts'

/** Runs a layer in one direction over the whole input; gives the output and the last states. */
type Layer = (reverse: boolean, input: Tensor, start: State, w: Weights) => [Tensor, ...Tensor[]]

type Settings = {
  has_biases: boolean
  num_layers: number
  dropout: number
  train: boolean
  bidirectional: boolean
}

/** The parameters of all layers, direction by direction, from the flat list that callers give. */
function weights_of(params: readonly Tensor[], has_biases: boolean, projected: boolean): Weights[] {
  const each = 2 + (has_biases ? 2 : 0) + (projected ? 1 : 0)
  if (params.length % each !== 0) throw new RuntimeError('got an incorrect number of RNN parameters')
  return Array.from({ length: params.length / each }, (_, i) => {
    const [w_ih, w_hh, ...rest] = params.slice(i * each, (i + 1) * each) as [Tensor, Tensor, ...Tensor[]]
    const [b_ih, b_hh] = has_biases ? (rest as [Tensor, Tensor]) : [null, null]
    return { w_ih, w_hh, b_ih, b_hh, w_hr: projected ? rest[rest.length - 1]! : null }
  })
}

/** All layers over `input`: the output, and the last states of all layers and directions, stacked. */
function run(
  input: Tensor,
  hx: readonly Tensor[],
  params: readonly Tensor[],
  s: Settings,
  layer: Layer,
): Tensor[] {
  const projected = hx.length === 2 && hx[0]!.sizes[2] !== hx[1]!.sizes[2]
  const weights = weights_of(params, s.has_biases, projected)
  const directions = s.bidirectional ? 2 : 1
  if (weights.length !== s.num_layers * directions)
    throw new RuntimeError('got an incorrect number of RNN parameters')
  if (hx.some(state => state.sizes[0] !== weights.length))
    throw new RuntimeError(
      hx.every(state => state.sizes[0]! >= weights.length)
        ? 'Too many hidden states in stacked_rnn'
        : 'Expected more hidden states in stacked_rnn',
    )
  const starts = hx.map(state => state.unbind(0))
  const last: Tensor[][] = hx.map(() => [])
  let x = input
  for (let i = 0; i < weights.length; i += directions) {
    const outputs = weights.slice(i, i + directions).map((w, direction) => {
      const start = { h: starts[0]![i + direction]!, c: starts[1]?.[i + direction] ?? null }
      const [output, ...ends] = layer(direction === 1, x, start, w)
      for (const [at, state] of ends.entries()) last[at]!.push(state)
      return output
    })
    x = outputs.length === 1 ? outputs[0]! : cat(outputs, outputs[0]!.ndim - 1)
    if (s.dropout > 0 && s.train && i + directions < weights.length) x = dropout(x, s.dropout, true)
  }
  return [x, ...last.map(states => stack(states))]
}

/** A layer over a padded batch (seq, batch, features). */
const dense_layer =
  (mode: Mode): Layer =>
  (reverse, input, start, w) =>
    recurrent_layer(mode, reverse, input, start, w, 'StackBackward0')

/** A layer over packed rows: `batch_sizes` says how many sequences there are at each step, longest first. */
const packed_layer =
  (mode: Mode, batch_sizes: readonly number[]): Layer =>
  (reverse, input, start, w) =>
    recurrent_layer(mode, reverse, input, start, w, 'CatBackward0', batch_sizes)

/** Arguments after the states. */
type Rest = [has_biases: boolean, num_layers: number, dropout: number, train: boolean, bidirectional: boolean]
const REST = 'bool has_biases, int num_layers, float dropout, bool train, bool bidirectional'

const settings = ([has_biases, num_layers, p, train, bidirectional]: Rest): Settings => ({
  has_biases,
  num_layers,
  dropout: p,
  train,
  bidirectional,
})

function over_batch(
  mode: Mode,
  input: Tensor,
  hx: readonly Tensor[],
  params: readonly Tensor[],
  rest: Rest,
  batch_first: boolean,
): Tensor[] {
  const x = batch_first ? input.transpose(0, 1) : input
  const [output, ...states] = run(x, hx, params, settings(rest), dense_layer(mode)) as [Tensor, ...Tensor[]]
  return [batch_first ? output.transpose(0, 1) : output, ...states]
}

const over_packed = (
  mode: Mode,
  data: Tensor,
  batch_sizes: Tensor,
  hx: readonly Tensor[],
  params: readonly Tensor[],
  rest: Rest,
): Tensor[] =>
  run(
    data,
    hx,
    params,
    settings(rest),
    packed_layer(mode, (batch_sizes.tolist() as (number | bigint)[]).map(Number)),
  )

type SequenceArgs<Hx> =
  | [input: Tensor, hx: Hx, params: readonly Tensor[], ...Rest, batch_first: boolean]
  | [data: Tensor, batch_sizes: Tensor, hx: Hx, params: readonly Tensor[], ...Rest]

/** Long short-term memory: [output, h_n, c_n]; `hx` is [h_0, c_0], whose sizes tell whether there are projections. */
export const lstm: Op<SequenceArgs<readonly Tensor[]>, [Tensor, Tensor, Tensor]> = overloaded(
  [
    [
      `lstm(Tensor input, Tensor[] hx, Tensor[] params, ${REST}, bool batch_first)`,
      (input: Tensor, hx: Tensor[], params: Tensor[], ...rest: [...Rest, boolean]) =>
        over_batch('lstm', input, both(hx, 'lstm'), params, rest.slice(0, 5) as Rest, rest[5]) as Three,
    ],
    [
      `lstm(Tensor data, Tensor batch_sizes, Tensor[] hx, Tensor[] params, ${REST})`,
      (data: Tensor, sizes: Tensor, hx: Tensor[], params: Tensor[], ...rest: Rest) =>
        over_packed('lstm', data, sizes, both(hx, 'lstm'), params, rest) as Three,
    ],
  ],
  { out: false, gradcheck: false }, // nested lists of tensors: tested in test/ops/rnn.test.ts
)
type Three = [Tensor, Tensor, Tensor]

function both(hx: readonly Tensor[], name: string): readonly Tensor[] {
  if (hx.length !== 2) throw new RuntimeError(`${name} expects two hidden states`)
  return hx
}

const sequence = (name: string, mode: Mode): Op<SequenceArgs<Tensor>, [Tensor, Tensor]> =>
  overloaded(
    [
      [
        `${name}(Tensor input, Tensor hx, Tensor[] params, ${REST}, bool batch_first)`,
        (input: Tensor, hx: Tensor, params: Tensor[], ...rest: [...Rest, boolean]) =>
          over_batch(mode, input, [hx], params, rest.slice(0, 5) as Rest, rest[5]) as [Tensor, Tensor],
      ],
      [
        `${name}(Tensor data, Tensor batch_sizes, Tensor hx, Tensor[] params, ${REST})`,
        (data: Tensor, sizes: Tensor, hx: Tensor, params: Tensor[], ...rest: Rest) =>
          over_packed(mode, data, sizes, [hx], params, rest) as [Tensor, Tensor],
      ],
    ],
    { out: false, gradcheck: false },
  )

/** Gated recurrent units: [output, h_n]. */
export const gru: Op<SequenceArgs<Tensor>, [Tensor, Tensor]> = sequence('gru', 'gru')
/** h = tanh(W_ih x + b_ih + W_hh h + b_hh): [output, h_n]. */
export const rnn_tanh: Op<SequenceArgs<Tensor>, [Tensor, Tensor]> = sequence('rnn_tanh', 'rnn_tanh')
/** h = relu(W_ih x + b_ih + W_hh h + b_hh): [output, h_n]. */
export const rnn_relu: Op<SequenceArgs<Tensor>, [Tensor, Tensor]> = sequence('rnn_relu', 'rnn_relu')

// ---------------------------------------------------------------------------------------------- one step

type Biases = { b_ih?: Tensor | null; b_hh?: Tensor | null }
type CellArgs<Hx> = [
  input: Tensor,
  hx: Hx,
  w_ih: Tensor,
  w_hh: Tensor,
  b_ih?: Tensor | null | Biases,
  b_hh?: Tensor | null | Biases,
]
const CELL = 'Tensor w_ih, Tensor w_hh, Tensor? b_ih=None, Tensor? b_hh=None'

function one_step(
  mode: Mode,
  node: string,
  input: Tensor,
  hx: readonly Tensor[],
  w_ih: Tensor,
  w_hh: Tensor,
  b_ih: Tensor | null,
  b_hh: Tensor | null,
): Tensor[] {
  if (input.sizes[1] !== w_ih.sizes[1])
    throw new RuntimeError(
      `input has inconsistent input_size: got ${input.sizes[1]} expected ${w_ih.sizes[1]}`,
    )
  for (const [i, state] of hx.entries()) {
    if (state.sizes[0] !== input.sizes[0])
      throw new RuntimeError(
        `Input batch size ${input.sizes[0]} doesn't match hidden${i} batch size ${state.sizes[0]}`,
      )
    if (state.sizes[1] !== w_hh.sizes[1])
      throw new RuntimeError(
        `hidden${i} has inconsistent hidden_size: got ${state.sizes[1]}, expected ${w_hh.sizes[1]}`,
      )
  }
  // The kernels take both biases or none.
  const missing = (b_ih === null) !== (b_hh === null) ? zeros([w_hh.sizes[0]!], input.dtype) : null
  const w: Weights = { w_ih, w_hh, b_ih: b_ih ?? missing, b_hh: b_hh ?? missing, w_hr: null }
  const [, ...states] = recurrent_layer(
    mode,
    false,
    input.unsqueeze(0),
    { h: hx[0]!, c: hx[1] ?? null },
    w,
    node,
  )
  return states
}

/** One step of {@link lstm}: the new [h, c] from [h, c]. */
export const lstm_cell: Op<CellArgs<readonly Tensor[]>, [Tensor, Tensor]> = composite(
  `lstm_cell(Tensor input, Tensor[] hx, ${CELL})`,
  {
    body: (input: Tensor, hx: Tensor[], ...w: [Tensor, Tensor, Tensor | null, Tensor | null]) =>
      one_step('lstm', 'MulBackward0', input, both(hx, 'lstm_cell'), ...w) as [Tensor, Tensor],
    samples: r => [
      [r(3, 2), [r(3, 4), r(3, 4)], r(16, 2), r(16, 4), r(16), r(16)],
      [r(3, 2), [r(3, 1), r(3, 1)], r(4, 2), r(4, 1)],
    ],
    out: false,
  },
)

const cell = (name: string, mode: Mode, gates: number, node: string): Op<CellArgs<Tensor>> =>
  composite(`${name}(Tensor input, Tensor hx, ${CELL})`, {
    body: (input: Tensor, hx: Tensor, ...w: [Tensor, Tensor, Tensor | null, Tensor | null]) =>
      one_step(mode, node, input, [hx], ...w)[0]!,
    samples: r => [
      [r(3, 2), r(3, 4), r(4 * gates, 2), r(4 * gates, 4), r(4 * gates), r(4 * gates)],
      [r(3, 2), r(3, 1), r(gates, 2), r(gates, 1)],
    ],
    out: false,
  })

/** One step of {@link gru}. */
export const gru_cell: Op<CellArgs<Tensor>> = cell('gru_cell', 'gru', 3, 'AddBackward0')
/** One step of {@link rnn_tanh}. */
export const rnn_tanh_cell: Op<CellArgs<Tensor>> = cell('rnn_tanh_cell', 'rnn_tanh', 1, 'TanhBackward0')
/** One step of {@link rnn_relu}. */
export const rnn_relu_cell: Op<CellArgs<Tensor>> = cell('rnn_relu_cell', 'rnn_relu', 1, 'ReluBackward0')
