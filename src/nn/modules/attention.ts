// nn.MultiheadAttention: the projections and biases of F.multi_head_attention_forward as parameters.
// Not here: what it computes (functional/attention.ts), layers made of it (transformer.ts).
import { AssertionError } from '../../base/errors.ts'
import type { Tensor } from '../../torch.ts'
import * as torch from '../../torch.ts'
import { apply_attention } from '../functional/attention.ts'
import * as init from '../init.ts'
import { Module } from '../module.ts'
import { Parameter } from '../parameter.ts'
import { Linear } from './linear.ts'
import { FACTORY, type Factory, type FactoryOptions, reader, uninitialised } from './settings.ts'

/** A Linear by the name that PyTorch prints for the projection of attention's result. */
class NonDynamicallyQuantizableLinear extends Linear {}

export type MultiheadAttentionOptions = FactoryOptions & {
  /** Of the weights, while training. */
  dropout?: number
  bias?: boolean
  /** Adds a learnt key and value to those given. */
  add_bias_kv?: boolean
  /** Adds a key and a value of zeros. */
  add_zero_attn?: boolean
  /** Features of keys and values; `embed_dim` by default. */
  kdim?: number | null
  vdim?: number | null
  /** Inputs and result are (N, L, E) rather than (L, N, E). */
  batch_first?: boolean
}

type Settings = Required<Omit<MultiheadAttentionOptions, 'device' | 'dtype'>> & {
  embed_dim: number
  num_heads: number
} & Factory

const settings_of = reader(
  'MultiheadAttention(int embed_dim, int num_heads, float dropout=0.0, bool bias=True, bool add_bias_kv=False, ' +
    `bool add_zero_attn=False, int? kdim=None, int? vdim=None, bool batch_first=False, ${FACTORY})`,
)

export type AttentionOptions = {
  /** (N, S), or (S): true hides a key; a float is added to its scores. */
  key_padding_mask?: Tensor | null
  need_weights?: boolean
  /** (L, S) or (N * heads, L, S): true hides; a float is added. */
  attn_mask?: Tensor | null
  average_attn_weights?: boolean
}

const call_schema = torch._parse_schema(
  'forward(Tensor query, Tensor key, Tensor value, Tensor? key_padding_mask=None, bool need_weights=True, ' +
    'Tensor? attn_mask=None, bool average_attn_weights=True)',
)

/**
 * Attention of `num_heads` heads: query (L, N, embed_dim), key (S, N, kdim), value (S, N, vdim), or without N, to the result
 * (L, N, embed_dim) and the weights (N, L, S). The same numbers come in training and evaluation: there is no other path.
 */
export class MultiheadAttention extends Module {
  declare readonly embed_dim: number
  declare readonly kdim: number
  declare readonly vdim: number
  /** @internal */
  declare readonly _qkv_same_embed_dim: boolean
  declare readonly num_heads: number
  declare readonly dropout: number
  declare readonly batch_first: boolean
  declare readonly head_dim: number
  declare readonly add_zero_attn: boolean
  declare in_proj_weight: Parameter | null
  declare q_proj_weight: Parameter | null
  declare k_proj_weight: Parameter | null
  declare v_proj_weight: Parameter | null
  declare in_proj_bias: Parameter | null
  declare out_proj: Linear
  declare bias_k: Parameter | null
  declare bias_v: Parameter | null

  constructor(
    embed_dim: number,
    num_heads: number,
    ...rest: (number | boolean | null | MultiheadAttentionOptions)[]
  )
  constructor(...args: readonly unknown[]) {
    super()
    const s = settings_of<Settings & { embed_dim: number; num_heads: number }>(args)
    const { embed_dim, num_heads } = s
    const [kdim, vdim] = [s.kdim ?? embed_dim, s.vdim ?? embed_dim]
    const same = kdim === embed_dim && vdim === embed_dim
    const head_dim = Math.floor(embed_dim / num_heads)
    Object.assign(this, {
      embed_dim,
      kdim,
      vdim,
      _qkv_same_embed_dim: same,
      num_heads,
      dropout: s.dropout,
      batch_first: s.batch_first,
      head_dim,
    })
    if (head_dim * num_heads !== embed_dim)
      throw new AssertionError('embed_dim must be divisible by num_heads')
    const make = (...sizes: number[]): Parameter => new Parameter(uninitialised(sizes, s))
    if (same) {
      this.in_proj_weight = make(3 * embed_dim, embed_dim)
      for (const name of ['q_proj_weight', 'k_proj_weight', 'v_proj_weight'])
        this.register_parameter(name, null)
    } else {
      this.q_proj_weight = make(embed_dim, embed_dim)
      this.k_proj_weight = make(embed_dim, kdim)
      this.v_proj_weight = make(embed_dim, vdim)
      this.register_parameter('in_proj_weight', null)
    }
    if (s.bias) this.in_proj_bias = make(3 * embed_dim)
    else this.register_parameter('in_proj_bias', null)
    const { dtype } = s
    this.out_proj = new NonDynamicallyQuantizableLinear(embed_dim, embed_dim, {
      bias: s.bias,
      ...(dtype !== null && { dtype }),
    })
    this.bias_k = s.add_bias_kv ? make(1, 1, embed_dim) : null
    this.bias_v = s.add_bias_kv ? make(1, 1, embed_dim) : null
    Object.assign(this, { add_zero_attn: s.add_zero_attn })
    this._reset_parameters()
  }

  /** Draws the parameters anew, but for the last projection's matrix. @internal */
  _reset_parameters(): void {
    for (const weight of [this.in_proj_weight, this.q_proj_weight, this.k_proj_weight, this.v_proj_weight])
      if (weight !== null) init.xavier_uniform_(weight)
    if (this.in_proj_bias !== null) {
      init.constant_(this.in_proj_bias, 0)
      init.constant_(this.out_proj.bias as Parameter, 0)
    }
    for (const bias of [this.bias_k, this.bias_v]) if (bias !== null) init.xavier_normal_(bias)
  }

  /** The result and the weights, which are null without `need_weights`. */
  forward(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    ...rest: (Tensor | boolean | null | AttentionOptions)[]
  ): [Tensor, Tensor | null] {
    const [, , , key_padding_mask, need_weights, attn_mask, average_attn_weights] = torch._bind(
      [call_schema],
      [query, key, value, ...rest],
    ).values as [Tensor, Tensor, Tensor, Tensor | null, boolean, Tensor | null, boolean]
    if (
      key_padding_mask !== null &&
      key_padding_mask.dtype !== torch.bool &&
      !key_padding_mask.is_floating_point()
    )
      throw new AssertionError('only bool and floating types of key_padding_mask are supported')
    const turned = this.batch_first && query.ndim === 3
    // Tensors that are the same one stay so: they are projected together.
    const turn = (x: Tensor): Tensor => (turned ? x.transpose(1, 0) : x)
    const q = turn(query)
    const k = key === query ? q : turn(key)
    const v = value === key ? k : turn(value)
    const [out, weights] = apply_attention({
      query: q,
      key: k,
      value: v,
      embed_dim_to_check: this.embed_dim,
      num_heads: this.num_heads,
      in_proj_weight: this.in_proj_weight,
      in_proj_bias: this.in_proj_bias,
      bias_k: this.bias_k,
      bias_v: this.bias_v,
      add_zero_attn: this.add_zero_attn,
      dropout_p: this.dropout,
      out_proj_weight: this.out_proj.weight,
      out_proj_bias: this.out_proj.bias,
      training: this.training,
      key_padding_mask,
      need_weights,
      attn_mask,
      use_separate_proj_weight: !this._qkv_same_embed_dim,
      q_proj_weight: this.q_proj_weight,
      k_proj_weight: this.k_proj_weight,
      v_proj_weight: this.v_proj_weight,
      static_k: null,
      static_v: null,
      average_attn_weights,
    })
    return [turned ? out.transpose(1, 0) : out, weights]
  }
}
