// Linear maps and attention. Not here: matrix multiplication itself (ops/matmul.ts).
import { RuntimeError } from '../../base/errors.ts'
import * as torch from '../../torch.ts'
import { _nn, _composite as composite, type _Op as Op, type Tensor } from '../../torch.ts'

/** `linear` without the binding of arguments: what modules call. */
export function apply_linear(input: Tensor, weight: Tensor, bias: Tensor | null): Tensor {
  if (torch._autocasts()) return linear(input, weight, bias)
  // A batch of matrices with a bias has a history of three nodes in PyTorch.
  const batch = bias !== null && input.ndim === 3 && input.is_contiguous() && torch.is_grad_enabled()
  const rows = batch ? null : _nn.linear_rows(input, weight, bias)
  if (rows !== null) return rows
  if (bias === null) return input.matmul(weight.t())
  if (input.ndim === 2) return torch.addmm(bias, input, weight.t())
  if (input.ndim === 3 && input.is_contiguous()) {
    const [n, l, features] = input.shape as unknown as [number, number, number]
    return apply_linear(input.view([n * l, features]), weight, bias).view([n, l, weight.size(0)])
  }
  return input.matmul(weight.t()).add_(bias)
}

/** `input @ weight^T + bias`: input (..., in), weight (out, in), bias (out). */
export const linear: Op<[input: Tensor, weight: Tensor, bias?: Tensor | null | { bias?: Tensor | null }]> =
  composite('linear(Tensor input, Tensor weight, Tensor? bias=None)', {
    body: apply_linear,
    samples: r => [
      [r(3, 4), r(2, 4), r(2)],
      [r(2, 3, 4), r(2, 4), r(2)],
      [r(4), r(2, 4)],
    ],
    out: false,
  })

/** `input1^T A_k input2 + bias_k` for every k: input1 (..., in1), input2 (..., in2), weight (out, in1, in2). */
export const bilinear: Op<
  [input1: Tensor, input2: Tensor, weight: Tensor, bias?: Tensor | null | { bias?: Tensor | null }]
> = composite('bilinear(Tensor input1, Tensor input2, Tensor weight, Tensor? bias=None)', {
  body: (a: Tensor, b: Tensor, weight: Tensor, bias: Tensor | null) => {
    if (a.ndim !== b.ndim)
      throw new RuntimeError(`bilinear(): input dimensions do not match: got ${a.ndim} and ${b.ndim}`)
    for (let d = 0; d < a.ndim - 1; d++)
      if (a.size(d) !== b.size(d))
        throw new RuntimeError(
          `bilinear(): input batch dimensions do not match at dim ${d}: got ${a.size(d)} and ${b.size(d)}`,
        )
    if (a.size(-1) !== weight.size(1))
      throw new RuntimeError(
        `bilinear(): input1 size does not match weight size: got ${a.size(-1)} but expected ${weight.size(1)}`,
      )
    if (b.size(-1) !== weight.size(2))
      throw new RuntimeError(
        `bilinear(): input2 size does not match weight size: got ${b.size(-1)} but expected ${weight.size(2)}`,
      )
    if (bias !== null && bias.size(0) !== weight.size(0))
      throw new RuntimeError(
        `bilinear(): bias size does not match weight size: got ${bias.size(0)} but expected ${weight.size(0)}`,
      )
    const [out, in1, in2] = weight.shape as unknown as [number, number, number]
    const rows = a.reshape([-1, in1]).matmul(weight.permute([1, 0, 2]).reshape([in1, out * in2])) // (N, out * in2)
    const joined = rows
      .view([-1, out, in2])
      .matmul(b.reshape([-1, in2, 1]))
      .view([...a.shape.slice(0, -1), out])
    return bias === null ? joined : joined.add(bias)
  },
  samples: r => [
    [r(3, 2), r(3, 4), r(5, 2, 4), r(5)],
    [r(2, 3, 2), r(2, 3, 4), r(1, 2, 4)],
  ],
  out: false,
})

export const one_hot: typeof _nn.one_hot = _nn.one_hot

type AttentionOptions = {
  attn_mask?: Tensor | null
  dropout_p?: number
  is_causal?: boolean
  scale?: number | null
}

function attend(
  query: Tensor,
  key: Tensor,
  value: Tensor,
  attn_mask: Tensor | null,
  dropout_p: number,
  is_causal: boolean,
  scale: number | null,
): [Tensor, Tensor] {
  if (is_causal && attn_mask !== null)
    throw new RuntimeError(
      '_scaled_dot_product_attention: Explicit attn_mask should not be set when is_causal=True',
    )
  const mask = is_causal
    ? torch.ones([query.size(-2), key.size(-2)], { dtype: torch.bool }).tril()
    : attn_mask
  const factor = scale ?? 1 / Math.sqrt(query.size(-1))
  const scores = query.mul(factor).matmul(key.transpose(-2, -1)) // (..., L, S)
  const masked =
    mask === null
      ? scores
      : mask.dtype === torch.bool
        ? scores.masked_fill(mask.logical_not(), -Infinity)
        : scores.add(mask)
  const weights = _nn.softmax(masked, -1)
  const dropped = dropout_p > 0 ? _nn.dropout(weights, dropout_p, true) : weights
  return [dropped.matmul(value), dropped]
}

/** So many weights are kept for backward rather than computed again: they take no more room than the activations. */
const MOST_KEPT = 2 ** 20

/** The same without the weights, whose memory would grow with the square of the length; null for unusual operands. */
function attend_in_blocks(
  query: Tensor,
  key: Tensor,
  value: Tensor,
  attn_mask: Tensor | null,
  dropout_p: number,
  is_causal: boolean,
  scale: number | null,
): Tensor | null {
  const { dtype } = query
  if ((dtype !== torch.float32 && dtype !== torch.float64) || key.dtype !== dtype || value.dtype !== dtype)
    return null
  if (query.ndim < 2 || key.ndim !== query.ndim || value.ndim !== query.ndim) return null
  const [length, width] = [query.size(-2), query.size(-1)]
  const leading = query.shape.slice(0, -2)
  const same = (t: Tensor): boolean => leading.every((n, d) => t.shape[d] === n)
  if (!same(key) || !same(value) || key.size(-1) !== width || key.size(-2) !== value.size(-2)) return null
  if (query.numel() === 0 || key.numel() === 0 || value.numel() === 0) return null
  if (!(dropout_p >= 0 && dropout_p < 1)) return null
  if (attn_mask !== null) {
    if (is_causal || attn_mask.requires_grad) return null
    if (attn_mask.dtype !== torch.bool && attn_mask.dtype !== dtype) return null
    const sizes = [...leading, length, key.size(-2)]
    const extra = sizes.length - attn_mask.ndim
    if (extra < 0 || !attn_mask.shape.every((n, d) => n === 1 || n === sizes[d + extra])) return null
  }
  const state = dropout_p > 0 ? torch.default_generator.get_state() : null
  const factor = scale ?? 1 / Math.sqrt(width)
  const scores = (query.numel() / width) * key.size(-2)
  const recorded = torch.is_grad_enabled() && [query, key, value].some(t => t.requires_grad)
  const keep = recorded && dropout_p === 0 && scores <= MOST_KEPT
  return _nn.attention(query, key, value, attn_mask, dropout_p, state, is_causal, factor, keep)[0]!
}

/**
 * softmax(query key^T * scale + mask) value: query (..., L, E), key (..., S, E), value (..., S, Ev). `attn_mask` is added,
 * or where it is boolean says who takes part; `is_causal` lets no position see later ones; `scale` is 1 / sqrt(E).
 */
export const scaled_dot_product_attention: Op<
  [
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attn_mask?: Tensor | null | AttentionOptions,
    opts?: AttentionOptions,
  ]
> = composite(
  'scaled_dot_product_attention(Tensor query, Tensor key, Tensor value, Tensor? attn_mask=None, float dropout_p=0.0, bool is_causal=False, *, float? scale=None)',
  {
    body: (
      ...[query, key, value, attn_mask, dropout_p, is_causal, scale]: [
        Tensor,
        Tensor,
        Tensor,
        Tensor | null,
        number,
        boolean,
        number | null,
      ]
    ) =>
      attend_in_blocks(query, key, value, attn_mask, dropout_p, is_causal, scale) ??
      attend(query, key, value, attn_mask, dropout_p, is_causal, scale)[0],
    out: false,
  },
)

type OldAttentionOptions = {
  attn_mask?: Tensor | null
  dropout_p?: number
  need_attn_weights?: boolean
  is_causal?: boolean
}

/** PyTorch 1.13's form of {@link scaled_dot_product_attention}: gives the result and the weights. */
export const _scaled_dot_product_attention: Op<
  [
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attn_mask?: Tensor | null | OldAttentionOptions,
    dropout_p?: number | OldAttentionOptions,
    need_attn_weights?: boolean | OldAttentionOptions,
    is_causal?: boolean,
  ],
  [Tensor, Tensor]
> = composite(
  '_scaled_dot_product_attention(Tensor query, Tensor key, Tensor value, Tensor? attn_mask=None, float dropout_p=0.0, bool need_attn_weights=False, bool is_causal=False)',
  {
    body: (
      ...[query, key, value, attn_mask, dropout_p, , is_causal]: [
        Tensor,
        Tensor,
        Tensor,
        Tensor | null,
        number,
        boolean,
        boolean,
      ]
    ) => attend(query, key, value, attn_mask, dropout_p, is_causal, null),
    out: false,
  },
)
