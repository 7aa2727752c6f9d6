// Attention and Transformer modules against PyTorch: text, parameters after manual_seed(0), results, the gradients of inputs
// and parameters, with every option and mask; errors; second derivatives.
import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import * as torch from '../../src/index.ts'
import { type Summary, summary_difference, summary_differences } from './summary.ts'
import { cotangent, values } from './values.ts'

const { nn } = torch
const F = nn.functional

type Spec = readonly [number[], 'float' | 'hidden' | 'added' | 'causal']
type Case = {
  module: string
  args: unknown[]
  kw: Record<string, unknown>
  inputs: (Spec | number)[]
  options: Record<string, Spec | boolean>
  mode: string
  repr: string
  state: Record<string, Summary>
  out: Summary[]
  grads: (Summary | null)[]
  param_grads: Record<string, Summary | null>
}
const { cases, errors } = JSON.parse(
  readFileSync(new URL('../data/nn/transformer.json', import.meta.url), 'utf8'),
) as { cases: Case[]; errors: Record<string, [type: string, message: string]> }

function tensor([sizes, kind]: Spec, salt: number): torch.Tensor {
  if (kind === 'causal') return nn.Transformer.generate_square_subsequent_mask(sizes[0]!)
  const x = values(sizes, 'float', salt)
  return kind === 'hidden' ? x.gt(1) : kind === 'float' ? x.requires_grad_() : x
}

const options_of = (c: Case): Record<string, torch.Tensor | boolean> =>
  Object.fromEntries(
    Object.entries(c.options).map(([name, x], i) => [name, typeof x === 'boolean' ? x : tensor(x, 40 + i)]),
  )

const argument = (x: unknown): unknown =>
  typeof x !== 'string'
    ? x
    : x.startsWith('F.')
      ? (F as unknown as Record<string, unknown>)[x.slice(2)]
      : x.startsWith('nn.')
        ? new (nn as unknown as Record<string, new () => unknown>)[x.slice(3)]!()
        : x

type AnyModule = torch.nn.Layer<unknown[], unknown>
type Class = new (...args: unknown[]) => AnyModule

function make(c: Case): AnyModule {
  const classes = nn as unknown as Record<string, Class>
  const options = Object.fromEntries(Object.entries(c.kw).map(([name, x]) => [name, argument(x)]))
  if (c.module !== 'TransformerEncoder' && c.module !== 'TransformerDecoder')
    return new classes[c.module]!(...c.args, options)
  const [sizes, layers, norm] = c.args as [number[], number, boolean]
  const layer = new classes[`${c.module}Layer`]!(...sizes, options)
  return new classes[c.module]!(layer, layers, norm ? new nn.LayerNorm(sizes[0]!) : null)
}

function check(c: Case, run: () => unknown, inputs: torch.Tensor[]): void {
  torch.manual_seed(1)
  const result = run()
  const out = (Array.isArray(result) ? result : [result]).filter(t => t !== null) as torch.Tensor[]
  expect(out.length).toBe(c.out.length)
  expect(out.flatMap((t, i) => summary_difference(t, c.out[i]!) ?? [])).toEqual([])
  out
    .map(t => t.mul(cotangent(t)).sum())
    .reduce((a, b) => a.add(b))
    .backward()
  expect(inputs.flatMap((t, i) => summary_difference(t.grad, c.grads[i]!) ?? [])).toEqual([])
}

const title = (c: Case): string =>
  `${c.module}(${JSON.stringify([...c.args, c.kw])}) ${c.mode} ${JSON.stringify([c.inputs, c.options])}`

describe('modules are those of PyTorch', () => {
  test.each(cases.filter(c => c.module !== '').map(c => [title(c), c] as const))('%s', (_, c) => {
    torch.manual_seed(0)
    const module = make(c)
    expect(String(module)).toBe(c.repr)
    expect(summary_differences(module.state_dict(), c.state)).toEqual([])
    if (c.mode === 'eval') module.eval()
    const inputs: torch.Tensor[] = []
    for (const [i, spec] of c.inputs.entries())
      inputs.push(typeof spec === 'number' ? inputs[spec]! : tensor(spec, i))
    const options = options_of(c)
    check(c, () => module(...inputs, options), inputs)
    const grads = Object.fromEntries(module.named_parameters().map(([name, p]) => [name, p.grad]))
    expect(summary_differences(grads, c.param_grads)).toEqual([])
  })
})

test.each(cases.filter(c => c.module === '').map(c => [JSON.stringify(c.options), c] as const))(
  'F.multi_head_attention_forward with %s',
  (_, c) => {
    const sizes = [[5, 2, 4], [12, 4], [12], [4, 4], [4]]
    const inputs = sizes.map((s, i) => values(s, 'float', i).mul(0.5).detach().requires_grad_())
    const [x, w, b, wo, bo] = inputs as [torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]
    check(
      c,
      () => F.multi_head_attention_forward(x, x, x, 4, 2, w, b, null, null, false, 0, wo, bo, options_of(c)),
      inputs,
    )
  },
)

describe('attention', () => {
  test('without weights is the same as with them', () => {
    torch.manual_seed(0)
    const attend = new nn.MultiheadAttention(8, 2, { dropout: 0.2 })
    const x = torch.randn(5, 3, 8)
    const [with_weights, without] = [true, false].map(need_weights => {
      torch.manual_seed(3)
      return attend(x, x, x, { need_weights })[0]
    })
    expect(torch.allclose(with_weights!, without!, 1e-5, 1e-6)).toBe(true)
  })

  test('takes its options by position too', () => {
    const attend = new nn.MultiheadAttention(8, 2, 0, true, false, false, null, null, true)
    expect(attend.batch_first).toBe(true)
    const x = torch.ones(2, 5, 8)
    const hidden = torch.zeros([2, 5], { dtype: torch.bool })
    expect(attend(x, x, x, hidden, false)[1]).toBeNull()
    expect(attend(x, x, x, hidden, true, null, false)[1]!.shape.join()).toBe('2,2,5,5')
  })

  test('adds a float padding mask to a float mask', () => {
    torch.manual_seed(0)
    const attend = new nn.MultiheadAttention(4, 2)
    const [x, mask, padding] = [torch.randn(3, 2, 4), torch.randn(3, 3), torch.randn(2, 3)]
    const both = attend(x, x, x, { attn_mask: mask, key_padding_mask: padding })[0]
    const each = padding.view(2, 1, 1, 3).expand(2, 2, 1, 3).reshape([4, 1, 3]).add(mask)
    expect(torch.allclose(both, attend(x, x, x, { attn_mask: each })[0])).toBe(true)
  })

  test.each([true, false])('has second derivatives, with weights: %s', need_weights => {
    torch.manual_seed(0)
    const attend = new nn.MultiheadAttention(4, 2, { dtype: torch.float64, add_bias_kv: true })
    const mask = torch.tensor([
      [false, true, false],
      [false, false, false],
    ])
    const double = (...sizes: number[]): torch.Tensor =>
      torch.randn(sizes, { dtype: torch.float64, requires_grad: true })
    const call = (q: torch.Tensor, k: torch.Tensor): torch.Tensor[] =>
      attend(q, k, k, { need_weights, attn_mask: mask }).filter(t => t !== null)
    expect(torch.autograd.gradgradcheck(call, [double(2, 1, 4), double(3, 1, 4)])).toBe(true)
  })
})

describe('a stack of layers', () => {
  test('has copies of the layer that share nothing', () => {
    const layer = new nn.TransformerEncoderLayer(4, 2, 6)
    const stack = new nn.TransformerEncoder(layer, 3)
    const seen = new Set([...layer.parameters(), ...stack.parameters()])
    expect(seen.size).toBe(layer.parameters().length * 4)
    torch.no_grad(() => layer.linear1.weight.zero_())
    expect(stack.layers.at(0).get_parameter('linear1.weight').abs().sum().item()).not.toBe(0)
  })

  test('takes custom parts', () => {
    class Same extends nn.Module {
      forward(x: torch.Tensor): torch.Tensor {
        return x
      }
    }
    const model = new nn.Transformer(4, 2, { custom_encoder: new Same(), custom_decoder: new Same() })
    const tgt = torch.ones(3, 2, 4)
    expect(model(torch.zeros(5, 2, 4), tgt)).toBe(tgt)
  })
})

describe("PyTorch's errors", () => {
  const z = (...sizes: number[]): torch.Tensor => torch.zeros(sizes)
  const mha = new nn.MultiheadAttention(4, 2)
  const tr = new nn.Transformer(4, 2, 1, 1, 4)
  const x = z(5, 2, 4)
  const row = z(5, 4)
  const attend = (options: Record<string, torch.Tensor>, of = x): unknown => mha(of, of, of, options)
  const calls: Record<string, () => unknown> = {
    heads: () => new nn.MultiheadAttention(5, 2),
    dims: () => mha(z(1, 2, 3, 4), z(2, 4), z(2, 4)),
    'batched key': () => mha(x, row, row),
    'unbatched key': () => mha(row, x, x),
    'padding dims': () => attend({ key_padding_mask: z(5).bool() }),
    'unbatched padding dims': () => attend({ key_padding_mask: z(2, 5).bool() }, row),
    'padding dtype': () => attend({ key_padding_mask: z(2, 5).long() }),
    'padding sizes': () => attend({ key_padding_mask: z(5, 2).bool() }),
    'mask dims': () => attend({ attn_mask: z(5) }),
    'mask dtype': () => attend({ attn_mask: z(5, 5).long() }),
    'mask sizes': () => attend({ attn_mask: z(5, 6) }),
    'mask sizes 3': () => attend({ attn_mask: z(2, 5, 5) }),
    'unbatched mask sizes': () => attend({ attn_mask: z(3, 5, 5) }, row),
    embedding: () => attend({}, z(5, 2, 6)),
    'key and value': () => mha(x, x, z(6, 2, 4)),
    'key and value apart': () => new nn.MultiheadAttention(4, 2, { kdim: 3 })(x, z(5, 2, 3), z(6, 2, 4)),
    'key width': () => new nn.MultiheadAttention(4, 2, { kdim: 3 })(x, x, x),
    // @ts-expect-error no such activation
    activation: () => new nn.TransformerEncoderLayer(4, 2, { activation: 'tanh' }),
    batches: () => tr(z(3, 2, 4), z(3, 1, 4)),
    features: () => tr(z(3, 2, 4), z(3, 2, 6)),
  }
  test.each(Object.entries(errors))('%s', (name, [type, message]) => {
    let thrown: unknown
    try {
      calls[name]!()
    } catch (error) {
      thrown = error
    }
    expect([(thrown as Error).constructor.name, (thrown as Error).message]).toEqual([type, message])
  })
})
