// Recurrent layers as modules: RNN, LSTM, GRU (several layers, both directions, projections) and their cells, with
// PyTorch's parameter names, order and initialisation. Not here: what they compute (ops/nn/rnn.ts).
import { AssertionError, RuntimeError, ValueError } from '../../base/errors.ts'
import type { DeviceLike, DType, Tensor } from '../../torch.ts'
import * as torch from '../../torch.ts'
import { Module } from '../module.ts'
import { Parameter } from '../parameter.ts'
import { value } from '../repr.ts'
import { PackedSequence } from '../utils/rnn.ts'

export type RNNOptions = {
  num_layers?: number
  bias?: boolean
  /** Input and output are (batch, seq, feature) rather than (seq, batch, feature). */
  batch_first?: boolean
  /** Between layers, while training. */
  dropout?: number
  bidirectional?: boolean
  /** LSTM only: the size that hidden states are projected to. */
  proj_size?: number
  /** RNN only: 'tanh' or 'relu'. */
  nonlinearity?: 'tanh' | 'relu'
  device?: DeviceLike
  dtype?: DType
}

type Factory = { dtype?: DType }
const factory = (dtype: DType | null): Factory => (dtype === null ? {} : { dtype })

const OPTIONS =
  'int num_layers=1, bool bias=True, bool batch_first=False, float dropout=0.0, bool bidirectional=False, int proj_size=0'
const PLACE = '*, device? device=None, dtype? dtype=None'
type Mode = 'RNN' | 'LSTM' | 'GRU'
const schemas: Readonly<Record<Mode, ReturnType<typeof torch._parse_schema>>> = {
  RNN: torch._parse_schema(
    `RNN(int input_size, int hidden_size, int num_layers=1, str nonlinearity='tanh', bool bias=True, bool batch_first=False, float dropout=0.0, bool bidirectional=False, ${PLACE})`,
  ),
  LSTM: torch._parse_schema(`LSTM(int input_size, int hidden_size, ${OPTIONS}, ${PLACE})`),
  GRU: torch._parse_schema(`GRU(int input_size, int hidden_size, ${OPTIONS}, ${PLACE})`),
}

const GATES: Readonly<Record<Mode, number>> = { RNN: 1, LSTM: 4, GRU: 3 }

const list_text = (sizes: readonly number[]): string => `[${sizes.join(', ')}]`
const tuple_text = (sizes: readonly number[]): string => `(${sizes.join(', ')})`

/** Fills every parameter from U(-k, k) with k = 1 / sqrt(hidden_size), in order. */
function initialise(module: Module, hidden_size: number): void {
  const k = hidden_size > 0 ? 1 / Math.sqrt(hidden_size) : 0
  torch.no_grad(() => {
    for (const p of module.parameters()) p.uniform_(-k, k)
  })
}

/** What RNN, LSTM and GRU share. */
export abstract class RNNBase extends Module {
  declare readonly mode: Mode
  declare readonly input_size: number
  declare readonly hidden_size: number
  declare readonly num_layers: number
  declare readonly bias: boolean
  declare readonly batch_first: boolean
  declare readonly dropout: number
  declare readonly bidirectional: boolean
  declare readonly proj_size: number
  declare readonly nonlinearity: string | undefined

  constructor(mode: Mode, args: readonly unknown[]) {
    super()
    const { values } = torch._bind([schemas[mode]], args)
    const given = Object.fromEntries(
      schemas[mode].params.map((p, i) => [p.name, values[i]]),
    ) as Required<RNNOptions> & {
      input_size: number
      hidden_size: number
      dtype: DType | null
    }
    const { dtype, device: _, nonlinearity, proj_size = 0, ...settings } = given
    if (given.dropout < 0 || given.dropout > 1)
      throw new ValueError(
        'dropout should be a number in range [0, 1] representing the probability of an element being zeroed',
      )
    if (given.dropout > 0 && given.num_layers === 1)
      torch._warn(
        `dropout option adds dropout after all but last recurrent layer, so non-zero dropout expects num_layers greater than 1, but got dropout=${given.dropout} and num_layers=${given.num_layers}`,
      )
    if (proj_size < 0)
      throw new ValueError('proj_size should be a positive integer or zero to disable projections')
    if (proj_size > 0 && mode !== 'LSTM')
      throw new ValueError('proj_size argument is only supported for LSTM, not RNN or GRU')
    if (proj_size > 0 && proj_size >= given.hidden_size)
      throw new ValueError('proj_size has to be smaller than hidden_size')
    if (mode === 'RNN' && nonlinearity !== 'tanh' && nonlinearity !== 'relu')
      throw new ValueError(`Unknown nonlinearity '${nonlinearity}'`)
    Object.assign(this, { mode, ...settings, proj_size, ...(mode === 'RNN' && { nonlinearity }) })
    this._make_parameters(factory(dtype))
    initialise(this, this.hidden_size)
  }

  private _make_parameters(options: Factory): void {
    const gates = GATES[this.mode] * this.hidden_size
    const state_size = this.proj_size || this.hidden_size
    for (let layer = 0; layer < this.num_layers; layer++)
      for (const suffix of this._suffixes(layer)) {
        const input_size = layer === 0 ? this.input_size : state_size * this._directions
        const make = (name: string, ...size: number[]): void =>
          this.register_parameter(`${name}_${suffix}`, new Parameter(torch.empty(size, options)))
        make('weight_ih', gates, input_size)
        make('weight_hh', gates, state_size)
        if (this.bias) {
          make('bias_ih', gates)
          make('bias_hh', gates)
        }
        if (this.proj_size > 0) make('weight_hr', this.proj_size, this.hidden_size)
      }
  }

  /** The parameters of all layers, or what stands in their places. */
  private _weights(): Tensor[] {
    const own = this as unknown as Record<string, Tensor>
    const names = [
      'weight_ih',
      'weight_hh',
      ...(this.bias ? ['bias_ih', 'bias_hh'] : []),
      ...(this.proj_size > 0 ? ['weight_hr'] : []),
    ]
    return Array.from({ length: this.num_layers }, (_, layer) =>
      this._suffixes(layer).map(suffix => names.map(name => own[`${name}_${suffix}`] as Tensor)),
    ).flat(2)
  }

  private get _directions(): number {
    return this.bidirectional ? 2 : 1
  }

  private _suffixes(layer: number): string[] {
    return this.bidirectional ? [`l${layer}`, `l${layer}_reverse`] : [`l${layer}`]
  }

  /** Draws the parameters anew. */
  reset_parameters(): void {
    initialise(this, this.hidden_size)
  }

  /** For programs that call it: parameters need no flattening here. */
  flatten_parameters(): void {}

  override extra_repr(): string {
    const parts = [`${this.input_size}, ${this.hidden_size}`]
    const add = (name: string, x: number | boolean, usual: number | boolean): void => {
      if (x !== usual)
        parts.push(`${name}=${name === 'dropout' ? torch._python_float(x as number) : value(x)}`)
    }
    add('proj_size', this.proj_size, 0)
    add('num_layers', this.num_layers, 1)
    add('bias', this.bias, true)
    add('batch_first', this.batch_first, false)
    add('dropout', this.dropout, 0)
    add('bidirectional', this.bidirectional, false)
    return parts.join(', ')
  }

  /** Sizes of the states: the hidden state, and for LSTM the cell. */
  private _state_sizes(batch: number): number[][] {
    const count = this.num_layers * this._directions
    const hidden = [count, batch, this.proj_size || this.hidden_size]
    return this.mode === 'LSTM' ? [hidden, [count, batch, this.hidden_size]] : [hidden]
  }

  private _check(input: Tensor, states: readonly Tensor[] | null): void {
    const last = input.size(-1)
    if (last !== this.input_size)
      throw new RuntimeError(
        `input.size(-1) must be equal to input_size. Expected ${this.input_size}, got ${last}`,
      )
    const own = this._weights()[0] as Tensor
    if (input.dtype !== own.dtype)
      throw new RuntimeError(
        `expected scalar type ${own.dtype.tensor_type.slice(0, -6)} but found ${input.dtype.tensor_type.slice(0, -6)}`,
      )
    if (states !== null && states.length !== (this.mode === 'LSTM' ? 2 : 1))
      throw new RuntimeError('LSTM expects two hidden states')
  }

  private _check_dims(states: readonly Tensor[], batched: boolean): void {
    const dims = batched ? 3 : 2
    const kind = batched ? 'batched 3' : 'unbatched 2'
    if (states.every(state => state.ndim === dims)) return
    throw new RuntimeError(
      this.mode === 'LSTM'
        ? `For ${kind}-D input, hx and cx should also be ${dims}-D but got (${states[0]!.ndim}-D, ${states[1]!.ndim}-D) tensors`
        : `For ${kind}-D input, hx should also be ${dims}-D but got ${states[0]!.ndim}-D tensor`,
    )
  }

  private _check_sizes(states: readonly Tensor[], sizes: readonly number[][]): void {
    for (const [i, s] of states.entries())
      if (s.sizes.join() !== sizes[i]!.join())
        throw new RuntimeError(
          this.mode === 'LSTM'
            ? `Expected hidden[${i}] size ${tuple_text(sizes[i]!)}, got ${list_text(s.sizes)}`
            : `Expected hidden size ${tuple_text(sizes[i]!)}, got ${list_text(s.sizes)}`,
        )
  }

  private _settings(): Rest {
    const { bias, num_layers, dropout, training, bidirectional } = this
    return [this._weights(), bias, num_layers, dropout, training, bidirectional]
  }

  /** Runs all layers over `input`; returns the output and the last states. */
  protected run<S extends Tensor | PackedSequence>(
    input: S,
    given: readonly Tensor[] | null,
    compute: Compute,
  ): [S, Tensor[]] {
    return (
      input instanceof PackedSequence
        ? this._run_packed(input, given, compute)
        : this._run_padded(input, given, compute)
    ) as [S, Tensor[]]
  }

  private _run_padded(input: Tensor, given: readonly Tensor[] | null, compute: Compute): [Tensor, Tensor[]] {
    if (input.ndim !== 2 && input.ndim !== 3)
      // As PyTorch counts: what is not a batch has got a dimension for one.
      throw new RuntimeError(`input must have 3 dimensions, got ${input.ndim + 1}`)
    const batched = input.ndim === 3
    this._check(input, given)
    if (given !== null) this._check_dims(given, batched)
    const batch_first = batched && this.batch_first
    const x = batched ? input : input.unsqueeze(1)
    const sizes = this._state_sizes(x.size(batch_first ? 0 : 1))
    const states = given?.map(s => (batched ? s : s.unsqueeze(1))) ?? null
    if (states !== null) this._check_sizes(states, sizes)
    const initial = states ?? sizes.map(size => torch.zeros(size, { dtype: input.dtype }))
    const [output, ...last] = compute(x, null, initial, this._settings(), batch_first)
    return batched ? [output, last] : [output.squeeze(1), last.map(s => s.squeeze(1))]
  }

  private _run_packed(
    input: PackedSequence,
    given: readonly Tensor[] | null,
    compute: Compute,
  ): [PackedSequence, Tensor[]] {
    const { data, batch_sizes, sorted_indices, unsorted_indices } = input
    const permuted = (states: readonly Tensor[], order: Tensor | null): Tensor[] =>
      order === null ? [...states] : states.map(s => s.index_select(1, order))
    const states = given === null ? null : permuted(given, sorted_indices)
    if (data.ndim !== 2) throw new RuntimeError(`input must have 2 dimensions, got ${data.ndim}`)
    this._check(data, states)
    const sizes = this._state_sizes(Number(batch_sizes.select(0, 0).item()))
    if (states !== null) this._check_sizes(states, sizes)
    const initial = states ?? sizes.map(size => torch.zeros(size, { dtype: data.dtype }))
    const [output, ...last] = compute(data, batch_sizes, initial, this._settings(), false)
    return [
      new PackedSequence(output, batch_sizes, sorted_indices, unsorted_indices),
      permuted(last, unsorted_indices),
    ]
  }
}

type Rest = [
  params: Tensor[],
  has_biases: boolean,
  num_layers: number,
  dropout: number,
  train: boolean,
  bidirectional: boolean,
]

/** Calls the function that computes all layers, with what the module has settled. */
type Compute = (
  input: Tensor,
  batch_sizes: Tensor | null,
  states: readonly Tensor[],
  rest: Rest,
  batch_first: boolean,
) => [Tensor, ...Tensor[]]

/** A function of one state, as {@link Compute}. */
const with_one_state =
  (f: typeof torch.gru): Compute =>
  (x, sizes, [h], rest, batch_first) =>
    sizes === null ? f(x, h!, ...rest, batch_first) : f(x, sizes, h!, ...rest)

type Sized = [input_size: number, hidden_size: number, ...rest: (number | boolean | string | RNNOptions)[]]

export interface RNN {
  (input: Tensor, h_0?: Tensor | null): [Tensor, Tensor]
  (input: PackedSequence, h_0?: Tensor | null): [PackedSequence, Tensor]
}
/** h = tanh(W_ih x + b_ih + W_hh h + b_hh), over a sequence; `nonlinearity: 'relu'` instead of tanh. */
export class RNN extends RNNBase {
  constructor(...args: Sized) {
    super('RNN', args)
  }

  /**
   * `input` (seq, batch, input_size); returns the outputs (seq, batch, hidden) and the last states (layers, batch, hidden). Of a
   * packed sequence the outputs are packed; states are in the order from before packing.
   */
  forward(input: PackedSequence, h_0?: Tensor | null): [PackedSequence, Tensor]
  forward(input: Tensor, h_0?: Tensor | null): [Tensor, Tensor]
  forward<S extends Tensor | PackedSequence>(input: S, h_0: Tensor | null = null): [S, Tensor] {
    const f = this.nonlinearity === 'relu' ? torch.rnn_relu : torch.rnn_tanh
    const [output, [h]] = this.run(input, h_0 === null ? null : [h_0], with_one_state(f))
    return [output, h!]
  }
}

export interface LSTM {
  (input: Tensor, states?: readonly [Tensor, Tensor] | null): [Tensor, [Tensor, Tensor]]
  (input: PackedSequence, states?: readonly [Tensor, Tensor] | null): [PackedSequence, [Tensor, Tensor]]
}
/** Long short-term memory over a sequence. */
export class LSTM extends RNNBase {
  constructor(...args: Sized) {
    super('LSTM', args)
  }

  /** Returns the outputs (seq, batch, hidden), or packed, and the last [hidden, cell] states. */
  forward(
    input: PackedSequence,
    states?: readonly [Tensor, Tensor] | null,
  ): [PackedSequence, [Tensor, Tensor]]
  forward(input: Tensor, states?: readonly [Tensor, Tensor] | null): [Tensor, [Tensor, Tensor]]
  forward<S extends Tensor | PackedSequence>(
    input: S,
    states: readonly [Tensor, Tensor] | null = null,
  ): [S, [Tensor, Tensor]] {
    const [output, last] = this.run(input, states, (x, sizes, hx, rest, batch_first) =>
      sizes === null ? torch.lstm(x, hx, ...rest, batch_first) : torch.lstm(x, sizes, hx, ...rest),
    )
    return [output, last as [Tensor, Tensor]]
  }
}

export interface GRU {
  (input: Tensor, h_0?: Tensor | null): [Tensor, Tensor]
  (input: PackedSequence, h_0?: Tensor | null): [PackedSequence, Tensor]
}
/** Gated recurrent units over a sequence. */
export class GRU extends RNNBase {
  constructor(...args: Sized) {
    super('GRU', args)
  }

  /** Returns the outputs (seq, batch, hidden), or packed, and the last states (layers, batch, hidden). */
  forward(input: PackedSequence, h_0?: Tensor | null): [PackedSequence, Tensor]
  forward(input: Tensor, h_0?: Tensor | null): [Tensor, Tensor]
  forward<S extends Tensor | PackedSequence>(input: S, h_0: Tensor | null = null): [S, Tensor] {
    const [output, [h]] = this.run(input, h_0 === null ? null : [h_0], with_one_state(torch.gru))
    return [output, h!]
  }
}

// ---------------------------------------------------------------------------------------------- cells

const cell_schema = torch._parse_schema(
  "RNNCell(int input_size, int hidden_size, bool bias=True, str nonlinearity='tanh', *, device? device=None, dtype? dtype=None)",
)

type CellOptions = { bias?: boolean; nonlinearity?: 'tanh' | 'relu'; device?: DeviceLike; dtype?: DType }
type CellSized = [
  input_size: number,
  hidden_size: number,
  bias?: boolean | CellOptions,
  nonlinearity?: string | CellOptions,
  opts?: CellOptions,
]

/** One step of a recurrent layer. */
export abstract class RNNCellBase extends Module {
  declare readonly input_size: number
  declare readonly hidden_size: number
  declare readonly bias: boolean
  declare weight_ih: Parameter
  declare weight_hh: Parameter
  declare bias_ih: Parameter | null
  declare bias_hh: Parameter | null

  constructor(gates: number, args: readonly unknown[]) {
    super()
    const [input_size, hidden_size, bias, nonlinearity, , dtype] = torch._bind([cell_schema], args)
      .values as [number, number, boolean, string, unknown, DType | null]
    Object.assign(this, { input_size, hidden_size, bias, ...(gates === 1 && { nonlinearity }) })
    const make = (...size: number[]): Parameter => new Parameter(torch.empty(size, factory(dtype)))
    this.weight_ih = make(gates * hidden_size, input_size)
    this.weight_hh = make(gates * hidden_size, hidden_size)
    if (bias) {
      this.bias_ih = make(gates * hidden_size)
      this.bias_hh = make(gates * hidden_size)
    } else {
      this.register_parameter('bias_ih', null)
      this.register_parameter('bias_hh', null)
    }
    initialise(this, hidden_size)
  }

  reset_parameters(): void {
    initialise(this, this.hidden_size)
  }

  override extra_repr(): string {
    const { nonlinearity } = this as unknown as { nonlinearity?: string }
    const shown =
      nonlinearity !== undefined && nonlinearity !== 'tanh' ? `, nonlinearity=${nonlinearity}` : ''
    return `${this.input_size}, ${this.hidden_size}${this.bias ? '' : `, bias=${value(this.bias)}`}${shown}`
  }

  protected step(
    input: Tensor,
    states: readonly Tensor[] | null,
    count: number,
    compute: (input: Tensor, states: readonly Tensor[], weights: CellWeights) => Tensor[],
  ): Tensor[] {
    const name = this._get_name()
    if (input.ndim !== 1 && input.ndim !== 2)
      throw new AssertionError(`${name}: Expected input to be 1-D or 2-D but received ${input.ndim}-D tensor`)
    const batched = input.ndim === 2
    const x = batched ? input : input.unsqueeze(0)
    const zeros = (): Tensor => torch.zeros([x.size(0), this.hidden_size], { dtype: x.dtype })
    const old =
      states === null ? Array.from({ length: count }, zeros) : states.map(s => (batched ? s : s.unsqueeze(0)))
    const next = compute(x, old, [this.weight_ih, this.weight_hh, this.bias_ih, this.bias_hh])
    return batched ? next : next.map(s => s.squeeze(0))
  }
}

type CellWeights = [w_ih: Tensor, w_hh: Tensor, b_ih: Tensor | null, b_hh: Tensor | null]

/** One step of {@link RNN}: (batch, input_size) and (batch, hidden_size) to (batch, hidden_size). */
export class RNNCell extends RNNCellBase {
  declare readonly nonlinearity: string

  constructor(...args: CellSized) {
    super(1, args)
    if (this.nonlinearity !== 'tanh' && this.nonlinearity !== 'relu')
      throw new RuntimeError(`Unknown nonlinearity: ${this.nonlinearity}`)
  }

  forward(input: Tensor, hx: Tensor | null = null): Tensor {
    const compute = this.nonlinearity === 'relu' ? torch.rnn_relu_cell : torch.rnn_tanh_cell
    return this.step(input, hx === null ? null : [hx], 1, (x, [h], w) => [compute(x, h!, ...w)])[0]!
  }
}

/** One step of {@link LSTM}: returns the new [hidden, cell] states. */
export class LSTMCell extends RNNCellBase {
  constructor(...args: CellSized) {
    super(4, args)
  }

  forward(input: Tensor, states: readonly [Tensor, Tensor] | null = null): [Tensor, Tensor] {
    return this.step(input, states, 2, (x, hx, w) => torch.lstm_cell(x, hx, ...w)) as [Tensor, Tensor]
  }
}

/** One step of {@link GRU}. */
export class GRUCell extends RNNCellBase {
  constructor(...args: CellSized) {
    super(3, args)
  }

  forward(input: Tensor, hx: Tensor | null = null): Tensor {
    return this.step(input, hx === null ? null : [hx], 1, (x, [h], w) => [torch.gru_cell(x, h!, ...w)])[0]!
  }
}
