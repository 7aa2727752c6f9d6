// F.multi_head_attention_forward: projections of query, key and value, masks, attention of all heads, the projection of the
// result. Where the weights are not wanted, attention runs by blocks, which never holds them all.
// Not here: attention itself (linear.ts), the module that owns the projections (modules/attention.ts).
import { AssertionError, RuntimeError } from '../../base/errors.ts'
import * as torch from '../../torch.ts'
import { _nn, _composite as composite, type _Op as Op, type Tensor } from '../../torch.ts'
import { apply_linear, scaled_dot_product_attention } from './linear.ts'

function assert(condition: boolean, message = ''): asserts condition {
  if (!condition) throw new AssertionError(message)
}

const tuple = (sizes: readonly number[]): string => `(${sizes.join(', ')})`
const equal = (a: readonly number[], b: readonly number[]): boolean => a.join() === b.join()

/** Whether query, key and value have a dimension for the batch. Throws AssertionError where sizes do not fit. */
function is_batched(
  query: Tensor,
  key: Tensor,
  value: Tensor,
  key_padding_mask: Tensor | null,
  attn_mask: Tensor | null,
  num_heads: number,
): boolean {
  assert(
    query.ndim === 2 || query.ndim === 3,
    `query should be unbatched 2D or batched 3D tensor but received ${query.ndim}-D query tensor`,
  )
  const batched = query.ndim === 3
  const kind = batched ? 'For batched (3-D) `query`' : 'For unbatched (2-D) `query`'
  assert(
    key.ndim === query.ndim && value.ndim === query.ndim,
    `${kind}, expected \`key\` and \`value\` to be ${query.ndim}-D but found ${key.ndim}-D and ${value.ndim}-D tensors respectively`,
  )
  if (key_padding_mask !== null) {
    const dims = query.ndim - 1
    assert(
      key_padding_mask.ndim === dims,
      `${kind}, expected \`key_padding_mask\` to be \`None\` or ${dims}-D but found ${key_padding_mask.ndim}-D tensor instead`,
    )
  }
  if (attn_mask !== null) {
    assert(
      attn_mask.ndim === 2 || attn_mask.ndim === 3,
      `${kind}, expected \`attn_mask\` to be \`None\`, 2-D or 3-D but found ${attn_mask.ndim}-D tensor instead`,
    )
    if (!batched && attn_mask.ndim === 3) {
      const expected = [num_heads, query.size(0), key.size(0)]
      assert(
        equal(attn_mask.shape, expected),
        `Expected \`attn_mask\` shape to be ${tuple(expected)} but got ${attn_mask.shape}`,
      )
    }
  }
  return batched
}

/** Query, key and value by the parts of one matrix; tensors that are the same one are multiplied once. */
function project_packed(q: Tensor, k: Tensor, v: Tensor, weight: Tensor, bias: Tensor | null): Tensor[] {
  const width = q.size(-1)
  if (k === v) {
    if (q === k) return apply_linear(q, weight, bias).chunk(3, -1)
    const parts = [width, 2 * width]
    const [w_q, w_kv] = weight.split(parts) as [Tensor, Tensor]
    const [b_q, b_kv] = bias === null ? [null, null] : (bias.split(parts) as [Tensor, Tensor])
    return [apply_linear(q, w_q, b_q), ...apply_linear(k, w_kv, b_kv).chunk(2, -1)]
  }
  const weights = weight.chunk(3) as [Tensor, Tensor, Tensor]
  const biases = bias?.chunk(3) ?? [null, null, null]
  return [q, k, v].map((x, i) => apply_linear(x, weights[i]!, biases[i]!))
}

/** The same by a matrix each, for keys and values of other sizes. */
function project(inputs: readonly Tensor[], weights: readonly Tensor[], bias: Tensor | null): Tensor[] {
  const [q, k, v] = inputs as [Tensor, Tensor, Tensor]
  const width = q.size(-1)
  const [w_q, w_k, w_v] = weights as [Tensor, Tensor, Tensor]
  assert(
    equal(w_q.shape, [width, width]),
    `expecting query weights shape of ${tuple([width, width])}, but got ${w_q.shape}`,
  )
  for (const [name, x, w] of [
    ['key', k, w_k],
    ['value', v, w_v],
  ] as const)
    assert(
      equal(w.shape, [width, x.size(-1)]),
      `expecting ${name} weights shape of ${tuple([width, x.size(-1)])}, but got ${w.shape}`,
    )
  const biases = bias?.chunk(3) ?? [null, null, null]
  return inputs.map((x, i) => apply_linear(x, weights[i]!, biases[i]!))
}

/** Query, key and value as attention takes them. */
function projections(given: AttentionInputs, query: Tensor, key: Tensor, value: Tensor): Tensor[] {
  const { in_proj_weight, in_proj_bias } = given
  if (!given.use_separate_proj_weight) {
    assert(equal(key.shape, value.shape), `key shape ${key.shape} does not match value shape ${value.shape}`)
    assert(in_proj_weight !== null, 'use_separate_proj_weight is False but in_proj_weight is None')
    return project_packed(query, key, value, in_proj_weight, in_proj_bias)
  }
  const [of_key, of_value] = [key, value].map(x => torch.Size.from(x.shape.slice(0, 2)))
  assert(
    equal(of_key!, of_value!),
    `key's sequence and batch dims ${of_key} do not match value's ${of_value}`,
  )
  const weights = (['q_proj_weight', 'k_proj_weight', 'v_proj_weight'] as const).map(name => {
    const weight = given[name]
    assert(weight !== null, `use_separate_proj_weight is True but ${name} is None`)
    return weight
  })
  return project([query, key, value], weights, in_proj_bias)
}

/** The mask of (L, S) or (N * heads, L, S) as three dimensions, of bool or floating dtype. */
function checked_mask(mask: Tensor, batch: number, heads: number, length: number, keys: number): Tensor {
  let given = mask
  if (mask.dtype === torch.uint8) {
    torch._warn('Byte tensor for attn_mask in nn.MultiheadAttention is deprecated. Use bool tensor instead.')
    given = mask.to(torch.bool)
  } else
    assert(
      mask.is_floating_point() || mask.dtype === torch.bool,
      `Only float, byte, and bool types are supported for attn_mask, not ${mask.dtype}`,
    )
  const expected = given.ndim === 2 ? [length, keys] : [batch * heads, length, keys]
  if (!equal(given.shape, expected))
    throw new RuntimeError(
      `The shape of the ${given.ndim}D attn_mask is ${given.shape}, but should be ${tuple(expected)}.`,
    )
  return given.ndim === 2 ? given.unsqueeze(0) : given
}

/** One mask that is added: -inf where a boolean mask hides. */
function merged_mask(
  attn_mask: Tensor | null,
  key_padding_mask: Tensor | null,
  batch: number,
  heads: number,
  keys: number,
  like: Tensor,
): Tensor | null {
  let merged = attn_mask
  if (key_padding_mask !== null) {
    assert(
      equal(key_padding_mask.shape, [batch, keys]),
      `expecting key_padding_mask shape of ${tuple([batch, keys])}, but got ${key_padding_mask.shape}`,
    )
    const padding = key_padding_mask
      .view(batch, 1, 1, keys)
      .expand(-1, heads, -1, -1)
      .reshape([batch * heads, 1, keys])
    merged =
      merged === null
        ? padding
        : merged.dtype === torch.bool
          ? merged.logical_or(padding)
          : padding.dtype === torch.bool
            ? merged.masked_fill(padding, -Infinity)
            : merged.add(padding)
  }
  if (merged?.dtype !== torch.bool) return merged
  return torch.zeros(merged.shape, { dtype: like.dtype }).masked_fill_(merged, -Infinity)
}

type Options = {
  training?: boolean
  key_padding_mask?: Tensor | null
  need_weights?: boolean
  attn_mask?: Tensor | null
  use_separate_proj_weight?: boolean
  q_proj_weight?: Tensor | null
  k_proj_weight?: Tensor | null
  v_proj_weight?: Tensor | null
  static_k?: Tensor | null
  static_v?: Tensor | null
  average_attn_weights?: boolean
}

/** All arguments by name. */
export type AttentionInputs = {
  query: Tensor
  key: Tensor
  value: Tensor
  embed_dim_to_check: number
  num_heads: number
  in_proj_weight: Tensor | null
  in_proj_bias: Tensor | null
  bias_k: Tensor | null
  bias_v: Tensor | null
  add_zero_attn: boolean
  dropout_p: number
  out_proj_weight: Tensor
  out_proj_bias: Tensor | null
} & Required<Options>

/** {@link multi_head_attention_forward} without the binding of arguments: what the module calls. */
export function apply_attention(given: AttentionInputs): [Tensor, Tensor | null] {
  let { query, key, value, key_padding_mask } = given
  const { num_heads: heads, embed_dim_to_check, static_k, static_v, bias_k, bias_v } = given
  const batched = is_batched(query, key, value, key_padding_mask, given.attn_mask, heads)
  if (!batched) {
    const same = [query === key, key === value]
    query = query.unsqueeze(1)
    key = same[0] ? query : key.unsqueeze(1)
    value = same[1] ? key : value.unsqueeze(1)
    key_padding_mask = key_padding_mask?.unsqueeze(0) ?? null
  }
  const [length, batch, width] = query.shape as unknown as [number, number, number]
  if (key_padding_mask !== null)
    assert(
      key_padding_mask.dtype === torch.bool || key_padding_mask.is_floating_point(),
      'only bool and floating types of key_padding_mask are supported',
    )
  assert(
    width === embed_dim_to_check,
    `was expecting embedding dimension of ${embed_dim_to_check}, but got ${width}`,
  )
  const head_dim = Math.floor(width / heads)
  assert(head_dim * heads === width, `embed_dim ${width} not divisible by num_heads ${heads}`)
  let [q, k, v] = projections(given, query, key, value) as [Tensor, Tensor, Tensor]
  let attn_mask =
    given.attn_mask === null ? null : checked_mask(given.attn_mask, batch, heads, length, key.size(0))
  const one_more_key = (): void => {
    attn_mask = attn_mask === null ? null : _nn.pad(attn_mask, [0, 1])
    key_padding_mask = key_padding_mask === null ? null : _nn.pad(key_padding_mask, [0, 1])
  }

  if (bias_k !== null && bias_v !== null) {
    assert(static_k === null, 'bias cannot be added to static key.')
    assert(static_v === null, 'bias cannot be added to static value.')
    k = torch.cat([k, bias_k.repeat(1, batch, 1)])
    v = torch.cat([v, bias_v.repeat(1, batch, 1)])
    one_more_key()
  } else assert(bias_k === null && bias_v === null)

  // (L, N, E) to (N * heads, L, head_dim)
  const by_head = (x: Tensor): Tensor =>
    x
      .contiguous()
      .view(x.size(0), batch * heads, head_dim)
      .transpose(0, 1)
  const as_given = (name: string, x: Tensor): Tensor => {
    assert(x.size(0) === batch * heads, `expecting ${name}.size(0) of ${batch * heads}, but got ${x.size(0)}`)
    assert(x.size(2) === head_dim, `expecting ${name}.size(2) of ${head_dim}, but got ${x.size(2)}`)
    return x
  }
  q = by_head(q)
  k = static_k === null ? by_head(k) : as_given('static_k', static_k)
  v = static_v === null ? by_head(v) : as_given('static_v', static_v)
  if (given.add_zero_attn) {
    const zero = (x: Tensor): Tensor => torch.zeros([batch * heads, 1, head_dim], { dtype: x.dtype })
    k = torch.cat([k, zero(k)], 1)
    v = torch.cat([v, zero(v)], 1)
    one_more_key()
  }
  const keys = k.size(1)
  const added = merged_mask(attn_mask, key_padding_mask, batch, heads, keys, q)
  const p = given.training ? given.dropout_p : 0

  let weights: Tensor | null = null
  let attended: Tensor
  if (given.need_weights) {
    const scaled = q.div(Math.sqrt(head_dim))
    const scores =
      added === null ? scaled.bmm(k.transpose(-2, -1)) : torch.baddbmm(added, scaled, k.transpose(-2, -1))
    weights = _nn.softmax(scores, -1)
    if (p > 0) weights = _nn.dropout(weights, p, true)
    attended = weights.bmm(v)
  } else attended = scaled_dot_product_attention(q, k, v, { attn_mask: added, dropout_p: p })

  const rows = attended
    .transpose(0, 1)
    .contiguous()
    .view(length * batch, width)
  const out = apply_linear(rows, given.out_proj_weight, given.out_proj_bias).view(
    length,
    batch,
    given.out_proj_weight.size(0),
  )
  if (weights !== null) {
    weights = weights.view(batch, heads, length, keys)
    if (given.average_attn_weights) weights = weights.sum(1).div(heads)
    if (!batched) weights = weights.squeeze(0)
  }
  return [batched ? out : out.squeeze(1), weights]
}

const signature =
  'multi_head_attention_forward(Tensor query, Tensor key, Tensor value, int embed_dim_to_check, int num_heads, ' +
  'Tensor? in_proj_weight, Tensor? in_proj_bias, Tensor? bias_k, Tensor? bias_v, bool add_zero_attn, float dropout_p, ' +
  'Tensor out_proj_weight, Tensor? out_proj_bias, bool training=True, Tensor? key_padding_mask=None, ' +
  'bool need_weights=True, Tensor? attn_mask=None, bool use_separate_proj_weight=False, Tensor? q_proj_weight=None, ' +
  'Tensor? k_proj_weight=None, Tensor? v_proj_weight=None, Tensor? static_k=None, Tensor? static_v=None, ' +
  'bool average_attn_weights=True)'
const names = torch._parse_schema(signature).params.map(p => p.name)

/**
 * Attention of several heads, with the projections given as arguments: query (L, N, E), key (S, N, E_k), value (S, N, E_v), or
 * without N. Gives the result (L, N, E) and the weights: (N, L, S), averaged over heads, or with `average_attn_weights: false`
 * (N, heads, L, S); null without `need_weights`, where they are never all in memory. Masks are boolean (true hides) or added.
 */
export const multi_head_attention_forward: Op<
  [
    query: Tensor,
    key: Tensor,
    value: Tensor,
    embed_dim_to_check: number,
    num_heads: number,
    in_proj_weight: Tensor | null,
    in_proj_bias: Tensor | null,
    bias_k: Tensor | null,
    bias_v: Tensor | null,
    add_zero_attn: boolean,
    dropout_p: number,
    out_proj_weight: Tensor,
    out_proj_bias: Tensor | null,
    ...rest: (Tensor | boolean | null | Options)[],
  ],
  [Tensor, Tensor | null]
> = composite(signature, {
  body: (...values: unknown[]) =>
    apply_attention(Object.fromEntries(names.map((name, i) => [name, values[i]])) as AttentionInputs),
  out: false,
  gradcheck: false, // many arguments: tested in test/nn/transformer.test.ts
})
