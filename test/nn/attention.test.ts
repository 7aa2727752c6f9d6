// Attention by blocks against the formula in tensor ops, which test/nn/functional.test.ts compares with PyTorch: every
// kind of mask, several heads or several rows a block, dropout with the same random numbers, derivatives of both orders.
import { describe, expect, test } from 'vitest'
import * as torch from '../../src/index.ts'

const F = torch.nn.functional
type Options = { attn_mask?: torch.Tensor; dropout_p?: number; is_causal?: boolean }

const mask = (...sizes: number[]): torch.Tensor => torch.rand(sizes).gt(0.2)
const CASES: Record<string, [query: number[], keys: number, width: number, () => Options]> = {
  'no mask': [[2, 3, 5, 4], 7, 6, () => ({})],
  matrices: [[9, 4], 7, 4, () => ({})],
  'causal, more keys': [[2, 3, 5, 4], 7, 6, () => ({ is_causal: true })],
  'causal, more queries': [[2, 9, 4], 7, 6, () => ({ is_causal: true })],
  'who takes part, for all heads': [[2, 3, 5, 4], 7, 6, () => ({ attn_mask: mask(5, 7) })],
  'who takes part, for each sample': [[2, 3, 5, 4], 7, 6, () => ({ attn_mask: mask(2, 1, 5, 7) })],
  'added, for each head': [[2, 3, 5, 4], 7, 6, () => ({ attn_mask: torch.randn(3, 5, 7) })],
  'added, for each key': [[2, 3, 5, 4], 7, 6, () => ({ attn_mask: torch.randn(2, 1, 1, 7) })],
  'added, for each query': [[2, 3, 5, 4], 7, 6, () => ({ attn_mask: torch.randn(5, 1) })],
  dropout: [[2, 3, 5, 4], 7, 6, () => ({ dropout_p: 0.4 })],
  'blocks of rows': [[2, 300, 2], 500, 3, () => ({})],
  'blocks of rows, added': [[2, 1, 300, 2], 500, 3, () => ({ attn_mask: torch.randn(2, 1, 300, 500) })],
  'blocks of rows, causal': [[400, 2], 400, 3, () => ({ is_causal: true })],
  'blocks of rows, causal, dropout': [[1, 300, 2], 500, 3, () => ({ is_causal: true, dropout_p: 0.3 })],
}

/** The result, the gradients and the state of the generator afterwards. */
function outcome(attend: () => torch.Tensor, inputs: torch.Tensor[], g: torch.Tensor): torch.Tensor[] {
  torch.manual_seed(5)
  const out = attend()
  return [
    out.detach(),
    ...(torch.autograd.grad([out], inputs, [g]) as torch.Tensor[]),
    torch.random.get_rng_state(),
  ]
}

describe('attention by blocks is the formula', () => {
  test.each(Object.entries(CASES))('%s', (_, [sizes, keys, width, options]) => {
    torch.manual_seed(1)
    const leading = sizes.slice(0, -2)
    const q = torch.randn(sizes, { requires_grad: true })
    const k = torch.randn([...leading, keys, sizes[sizes.length - 1]!], { requires_grad: true })
    const v = torch.randn([...leading, keys, width], { requires_grad: true })
    const g = torch.randn([...sizes.slice(0, -1), width])
    const opts = options()
    const got = outcome(() => F.scaled_dot_product_attention(q, k, v, opts), [q, k, v], g)
    const wanted = outcome(() => F._scaled_dot_product_attention(q, k, v, opts)[0], [q, k, v], g)
    got.forEach((t, i) => {
      expect(torch.allclose(t.double(), wanted[i]!.double(), 1e-4, 1e-5)).toBe(true)
    })
  })
})

test('a query that sees no key gives NaN, as in PyTorch', () => {
  const attn_mask = torch.tensor([
    [true, true],
    [false, false],
  ])
  const out = F.scaled_dot_product_attention(torch.ones(2, 2), torch.ones(2, 2), torch.ones(2, 2), {
    attn_mask,
  })
  expect(out.isnan().tolist()).toEqual([
    [false, false],
    [true, true],
  ])
})

describe('derivatives to second order', () => {
  const OPTIONS: Record<string, () => Options> = {
    'no mask': () => ({}),
    causal: () => ({ is_causal: true }),
    'who takes part': () => ({ attn_mask: torch.eye(3, 4).gt(0).logical_or(mask(3, 4)) }),
    added: () => ({ attn_mask: torch.randn([3, 4], { dtype: torch.float64 }) }),
    dropout: () => ({ dropout_p: 0.3 }),
  }
  test.each(Object.entries(OPTIONS))('%s', (_, options) => {
    torch.manual_seed(2)
    const make = (...sizes: number[]) => torch.randn(sizes, { dtype: torch.float64, requires_grad: true })
    const opts = options()
    const attend = (q: torch.Tensor, k: torch.Tensor, v: torch.Tensor): torch.Tensor => {
      torch.manual_seed(3)
      return F.scaled_dot_product_attention(q, k, v, opts)
    }
    const inputs: [torch.Tensor, torch.Tensor, torch.Tensor] = [make(2, 3, 2), make(2, 4, 2), make(2, 4, 3)]
    expect(torch.autograd.gradcheck(attend, inputs)).toBe(true)
    expect(torch.autograd.gradgradcheck(attend, inputs)).toBe(true)
  })
})

test('the mask gets its gradient', () => {
  const attn_mask = torch.randn([3, 4], { dtype: torch.float64, requires_grad: true })
  const x = (...sizes: number[]) => torch.randn(sizes, { dtype: torch.float64 })
  const [q, k, v] = [x(2, 3, 2), x(2, 4, 2), x(2, 4, 3)]
  const attend = (m: torch.Tensor): torch.Tensor => F.scaled_dot_product_attention(q, k, v, { attn_mask: m })
  expect(torch.autograd.gradcheck(attend, [attn_mask])).toBe(true)
})
