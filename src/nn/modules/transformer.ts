// The Transformer of Vaswani et al. 2017: encoder and decoder layers, stacks of copies of a layer, and both together.
// Evaluation computes what training does (PyTorch's encoder has a fast path that sets padded positions to zero).
// Not here: attention (attention.ts).
import { AssertionError, RuntimeError } from '../../base/errors.ts'
import type { Tensor } from '../../torch.ts'
import * as torch from '../../torch.ts'
import * as F from '../functional/index.ts'
import * as init from '../init.ts'
import { type Layer, Module } from '../module.ts'
import { MultiheadAttention } from './attention.ts'
import { ModuleList } from './container.ts'
import { Dropout } from './dropout.ts'
import { Linear } from './linear.ts'
import { LayerNorm } from './normalization.ts'
import { FACTORY, type Factory, type FactoryOptions, reader } from './settings.ts'

/** 'relu', 'gelu', or any function from a tensor to a tensor, modules included. */
export type Activation = 'relu' | 'gelu' | ((x: Tensor) => Tensor)

export type TransformerLayerOptions = FactoryOptions & {
  dim_feedforward?: number
  dropout?: number
  activation?: Activation
  layer_norm_eps?: number
  /** Inputs and result are (N, L, E) rather than (L, N, E). */
  batch_first?: boolean
  /** Normalises before attention and the linear maps rather than after. */
  norm_first?: boolean
}

type LayerSettings = {
  d_model: number
  nhead: number
  dim_feedforward: number
  dropout: number
  activation: Activation | null
  layer_norm_eps: number
  batch_first: boolean
  norm_first: boolean
} & Factory

const NORMS = 'float layer_norm_eps=1e-05, bool batch_first=False, bool norm_first=False'
const layer_settings = reader(
  `TransformerLayer(int d_model, int nhead, int dim_feedforward=2048, float dropout=0.1, any activation=None, ${NORMS}, ${FACTORY})`,
)

function activation_of(given: Activation | null): (x: Tensor) => Tensor {
  if (given === null || given === 'relu') return F.relu
  if (given === 'gelu') return F.gelu
  if (typeof given === 'function') return given
  throw new RuntimeError(`activation should be relu/gelu, not ${given}`)
}

const factory_of = ({ dtype }: Factory): FactoryOptions => (dtype === null ? {} : { dtype })

const attention = (s: LayerSettings): MultiheadAttention =>
  new MultiheadAttention(s.d_model, s.nhead, {
    dropout: s.dropout,
    batch_first: s.batch_first,
    ...factory_of(s),
  })
const norm = (s: LayerSettings): LayerNorm =>
  new LayerNorm(s.d_model, { eps: s.layer_norm_eps, ...factory_of(s) })

type LayerRest = (number | boolean | Activation | TransformerLayerOptions)[]

/** What encoder and decoder layers share. */
abstract class TransformerLayer extends Module {
  declare self_attn: MultiheadAttention
  declare linear1: Linear
  declare dropout: Dropout
  declare linear2: Linear
  declare readonly norm_first: boolean
  declare norm1: LayerNorm
  declare norm2: LayerNorm
  declare dropout1: Dropout
  declare dropout2: Dropout
  declare activation: (x: Tensor) => Tensor

  protected add_linear(s: LayerSettings): void {
    this.linear1 = new Linear(s.d_model, s.dim_feedforward, factory_of(s))
    this.dropout = new Dropout(s.dropout)
    this.linear2 = new Linear(s.dim_feedforward, s.d_model, factory_of(s))
    Object.assign(this, { norm_first: s.norm_first })
  }

  protected attend_self(x: Tensor, attn_mask: Tensor | null, key_padding_mask: Tensor | null): Tensor {
    const [out] = this.self_attn(x, x, x, { attn_mask, key_padding_mask, need_weights: false })
    return this.dropout1(out)
  }

  protected feed_forward(x: Tensor, dropout: Dropout): Tensor {
    return dropout(this.linear2(this.dropout(this.activation(this.linear1(x)))))
  }
}

function require_mask(mask: Tensor | null): void {
  if (mask !== null && mask.dtype !== torch.bool && !mask.is_floating_point())
    throw new AssertionError('only bool and floating types of key_padding_mask are supported')
}

export type EncoderLayerMasks = {
  src_mask?: Tensor | null
  src_key_padding_mask?: Tensor | null
}
const encoder_layer_call = torch._parse_schema(
  'forward(Tensor src, Tensor? src_mask=None, Tensor? src_key_padding_mask=None)',
)

/** Self-attention, then two linear maps with an activation between them; each is added to its input and normalised. */
export class TransformerEncoderLayer extends TransformerLayer {
  constructor(d_model: number, nhead: number, ...rest: LayerRest) {
    super()
    const s = layer_settings<LayerSettings>([d_model, nhead, ...rest])
    this.self_attn = attention(s)
    this.add_linear(s)
    this.norm1 = norm(s)
    this.norm2 = norm(s)
    this.dropout1 = new Dropout(s.dropout)
    this.dropout2 = new Dropout(s.dropout)
    this.activation = activation_of(s.activation)
  }

  /** `src` (S, N, d_model), or (S, d_model); masks as {@link MultiheadAttention} takes them. */
  forward(src: Tensor, ...rest: (Tensor | null | EncoderLayerMasks)[]): Tensor {
    const [x, mask, padding] = torch._bind([encoder_layer_call], [src, ...rest]).values as [
      Tensor,
      Tensor | null,
      Tensor | null,
    ]
    require_mask(padding)
    if (this.norm_first) {
      const attended = x.add(this.attend_self(this.norm1(x), mask, padding))
      return attended.add(this.feed_forward(this.norm2(attended), this.dropout2))
    }
    const attended = this.norm1(x.add(this.attend_self(x, mask, padding)))
    return this.norm2(attended.add(this.feed_forward(attended, this.dropout2)))
  }
}

export type DecoderMasks = {
  tgt_mask?: Tensor | null
  memory_mask?: Tensor | null
  tgt_key_padding_mask?: Tensor | null
  memory_key_padding_mask?: Tensor | null
}
type DecoderValues = [
  tgt: Tensor,
  memory: Tensor,
  tgt_mask: Tensor | null,
  memory_mask: Tensor | null,
  tgt_key_padding_mask: Tensor | null,
  memory_key_padding_mask: Tensor | null,
]
const decoder_call = torch._parse_schema(
  'forward(Tensor tgt, Tensor memory, Tensor? tgt_mask=None, Tensor? memory_mask=None, ' +
    'Tensor? tgt_key_padding_mask=None, Tensor? memory_key_padding_mask=None)',
)

/** Like {@link TransformerEncoderLayer}, with attention to the encoder's result between self-attention and the linear maps. */
export class TransformerDecoderLayer extends TransformerLayer {
  declare multihead_attn: MultiheadAttention
  declare norm3: LayerNorm
  declare dropout3: Dropout

  constructor(d_model: number, nhead: number, ...rest: LayerRest) {
    super()
    const s = layer_settings<LayerSettings>([d_model, nhead, ...rest])
    this.self_attn = attention(s)
    this.multihead_attn = attention(s)
    this.add_linear(s)
    this.norm1 = norm(s)
    this.norm2 = norm(s)
    this.norm3 = norm(s)
    this.dropout1 = new Dropout(s.dropout)
    this.dropout2 = new Dropout(s.dropout)
    this.dropout3 = new Dropout(s.dropout)
    this.activation = activation_of(s.activation)
  }

  /** `tgt` (T, N, d_model), or (T, d_model); `memory` (S, N, d_model), or (S, d_model). */
  forward(tgt: Tensor, memory: Tensor, ...rest: (Tensor | null | DecoderMasks)[]): Tensor {
    const [x, , tgt_mask, memory_mask, tgt_padding, memory_padding] = torch._bind(
      [decoder_call],
      [tgt, memory, ...rest],
    ).values as DecoderValues
    const attend = (x: Tensor): Tensor => {
      const masks = { attn_mask: memory_mask, key_padding_mask: memory_padding, need_weights: false }
      return this.dropout2(this.multihead_attn(x, memory, memory, masks)[0])
    }
    if (this.norm_first) {
      const own = x.add(this.attend_self(this.norm1(x), tgt_mask, tgt_padding))
      const attended = own.add(attend(this.norm2(own)))
      return attended.add(this.feed_forward(this.norm3(attended), this.dropout3))
    }
    const own = this.norm1(x.add(this.attend_self(x, tgt_mask, tgt_padding)))
    const attended = this.norm2(own.add(attend(own)))
    return this.norm3(attended.add(this.feed_forward(attended, this.dropout3)))
  }
}

const clones = <M extends Module>(module: M, n: number): ModuleList<M> =>
  new ModuleList(Array.from({ length: n }, () => torch.deepcopy(module)))

type EncoderLayer = Module & { forward(src: Tensor, masks: EncoderLayerMasks): Tensor }
type DecoderLayer = Module & { forward(tgt: Tensor, memory: Tensor, masks: DecoderMasks): Tensor }

export type EncoderMasks = { mask?: Tensor | null; src_key_padding_mask?: Tensor | null }
export type TransformerEncoderOptions = {
  norm?: Layer | null
  /** For programs that give it: there is no nested path. */
  enable_nested_tensor?: boolean
  mask_check?: boolean
}
const encoder_settings = reader(
  'TransformerEncoder(any encoder_layer, int num_layers, any norm=None, bool enable_nested_tensor=True, bool mask_check=True)',
)
const encoder_call = torch._parse_schema(
  'forward(Tensor src, Tensor? mask=None, Tensor? src_key_padding_mask=None)',
)

/** `num_layers` copies of `encoder_layer` one after the other, and a normalisation where one is given. */
export class TransformerEncoder extends Module {
  declare layers: ModuleList<EncoderLayer>
  declare readonly num_layers: number
  declare norm: Layer | null

  constructor(
    encoder_layer: EncoderLayer,
    num_layers: number,
    ...rest: (Layer | boolean | null | TransformerEncoderOptions)[]
  ) {
    super()
    const { norm, enable_nested_tensor, mask_check } = encoder_settings<Required<TransformerEncoderOptions>>([
      encoder_layer,
      num_layers,
      ...rest,
    ])
    this.layers = clones(encoder_layer, num_layers)
    Object.assign(this, { num_layers, norm, enable_nested_tensor, mask_check })
  }

  forward(src: Tensor, ...rest: (Tensor | null | EncoderMasks)[]): Tensor {
    const [, src_mask, src_key_padding_mask] = torch._bind([encoder_call], [src, ...rest]).values as [
      Tensor,
      Tensor | null,
      Tensor | null,
    ]
    require_mask(src_key_padding_mask)
    let x = src
    for (const layer of this.layers) x = layer(x, { src_mask, src_key_padding_mask })
    return this.norm === null ? x : this.norm(x)
  }
}

const decoder_settings = reader('TransformerDecoder(any decoder_layer, int num_layers, any norm=None)')

/** `num_layers` copies of `decoder_layer` one after the other, and a normalisation where one is given. */
export class TransformerDecoder extends Module {
  declare layers: ModuleList<DecoderLayer>
  declare readonly num_layers: number
  declare norm: Layer | null

  constructor(decoder_layer: DecoderLayer, num_layers: number, norm?: Layer | null | { norm?: Layer | null })
  constructor(...args: readonly unknown[]) {
    super()
    const s = decoder_settings<{ decoder_layer: DecoderLayer; num_layers: number; norm: Layer | null }>(args)
    this.layers = clones(s.decoder_layer, s.num_layers)
    Object.assign(this, { num_layers: s.num_layers, norm: s.norm })
  }

  forward(tgt: Tensor, memory: Tensor, ...rest: (Tensor | null | DecoderMasks)[]): Tensor {
    const [, , tgt_mask, memory_mask, tgt_key_padding_mask, memory_key_padding_mask] = torch._bind(
      [decoder_call],
      [tgt, memory, ...rest],
    ).values as DecoderValues
    const masks = { tgt_mask, memory_mask, tgt_key_padding_mask, memory_key_padding_mask }
    let x = tgt
    for (const layer of this.layers) x = layer(x, memory, masks)
    return this.norm === null ? x : this.norm(x)
  }
}

type Encoder = Module & { forward(src: Tensor, masks: EncoderMasks): Tensor }
type Decoder = Module & { forward(tgt: Tensor, memory: Tensor, masks: DecoderMasks): Tensor }

export type TransformerOptions = TransformerLayerOptions & {
  d_model?: number
  nhead?: number
  num_encoder_layers?: number
  num_decoder_layers?: number
  custom_encoder?: Encoder | null
  custom_decoder?: Decoder | null
}
type Settings = LayerSettings & {
  num_encoder_layers: number
  num_decoder_layers: number
  custom_encoder: Encoder | null
  custom_decoder: Decoder | null
}
const transformer_settings = reader(
  'Transformer(int d_model=512, int nhead=8, int num_encoder_layers=6, int num_decoder_layers=6, int dim_feedforward=2048, ' +
    `float dropout=0.1, any activation=None, any custom_encoder=None, any custom_decoder=None, ${NORMS}, ${FACTORY})`,
)

export type TransformerMasks = DecoderMasks & EncoderLayerMasks
const transformer_call = torch._parse_schema(
  'forward(Tensor src, Tensor tgt, Tensor? src_mask=None, Tensor? tgt_mask=None, Tensor? memory_mask=None, ' +
    'Tensor? src_key_padding_mask=None, Tensor? tgt_key_padding_mask=None, Tensor? memory_key_padding_mask=None)',
)

/** An encoder, and a decoder that attends to what the encoder gives. */
export class Transformer extends Module {
  declare encoder: Encoder
  declare decoder: Decoder
  declare readonly d_model: number
  declare readonly nhead: number
  declare readonly batch_first: boolean

  constructor(...args: (number | Activation | Encoder | Decoder | boolean | null | TransformerOptions)[]) {
    super()
    const s = transformer_settings<Settings>(args)
    const options = {
      dim_feedforward: s.dim_feedforward,
      dropout: s.dropout,
      activation: activation_of(s.activation),
      layer_norm_eps: s.layer_norm_eps,
      batch_first: s.batch_first,
      norm_first: s.norm_first,
      ...factory_of(s),
    }
    this.encoder =
      s.custom_encoder ??
      new TransformerEncoder(
        new TransformerEncoderLayer(s.d_model, s.nhead, options),
        s.num_encoder_layers,
        norm(s),
      )
    this.decoder =
      s.custom_decoder ??
      new TransformerDecoder(
        new TransformerDecoderLayer(s.d_model, s.nhead, options),
        s.num_decoder_layers,
        norm(s),
      )
    this._reset_parameters()
    Object.assign(this, { d_model: s.d_model, nhead: s.nhead, batch_first: s.batch_first })
  }

  /** `src` (S, N, d_model) and `tgt` (T, N, d_model), or without N, to (T, N, d_model). */
  forward(src: Tensor, tgt: Tensor, ...rest: (Tensor | null | TransformerMasks)[]): Tensor {
    const [
      ,
      ,
      mask,
      tgt_mask,
      memory_mask,
      src_key_padding_mask,
      tgt_key_padding_mask,
      memory_key_padding_mask,
    ] = torch._bind([transformer_call], [src, tgt, ...rest]).values as [
      Tensor,
      Tensor,
      ...(Tensor | null)[],
    ] as [
      Tensor,
      Tensor,
      Tensor | null,
      Tensor | null,
      Tensor | null,
      Tensor | null,
      Tensor | null,
      Tensor | null,
    ]
    const batch = this.batch_first ? 0 : 1
    if (src.ndim === 3 && src.size(batch) !== tgt.size(batch))
      throw new RuntimeError('the batch number of src and tgt must be equal')
    if (src.size(-1) !== this.d_model || tgt.size(-1) !== this.d_model)
      throw new RuntimeError('the feature number of src and tgt must be equal to d_model')
    const memory = this.encoder(src, { mask, src_key_padding_mask })
    return this.decoder(tgt, memory, {
      tgt_mask,
      memory_mask,
      tgt_key_padding_mask,
      memory_key_padding_mask,
    })
  }

  /** A mask (sz, sz) to be added that hides later positions: -inf above the diagonal, else 0. */
  static generate_square_subsequent_mask(sz: number): Tensor {
    return torch.full([sz, sz], -Infinity).triu(1)
  }

  /** @internal */
  _reset_parameters(): void {
    for (const p of this.parameters()) if (p.ndim > 1) init.xavier_uniform_(p)
  }
}
