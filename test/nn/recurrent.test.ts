// Recurrent functions against PyTorch where the modules' cases do not reach: sizes that are divided into panels and chunks,
// packed sequences, one step; gradients of gradients; what may be changed after the call.
import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import * as torch from '../../src/index.ts'
import { cotangent, values } from './values.ts'

type Summary = { s: number[]; v: number[]; sum: number }
type Case = {
  name: 'lstm' | 'gru' | 'rnn_tanh' | 'rnn_relu'
  input: number[]
  hx: number[][]
  params: number[][]
  scale: number
  rest: unknown[]
  batch_sizes: number[] | null
  batch_first: boolean
  out: Summary[]
  grads: Summary[]
}

const cases = JSON.parse(
  readFileSync(new URL('../data/nn/recurrent.json', import.meta.url), 'utf8'),
) as Case[]

const leaf = (sizes: readonly number[], salt: number, scale: number): torch.Tensor =>
  values(sizes, 'float', salt).mul(scale).detach().requires_grad_()

/** What of a tensor was recorded: its first and last numbers, and a sum that each enters with a weight of its own. */
function expect_summary(t: torch.Tensor | null, expected: Summary): void {
  expect([...t!.shape]).toEqual(expected.s)
  const flat = t!.detach().reshape([-1]).tolist() as number[]
  const scale = flat.reduce((most, x) => Math.max(most, Math.abs(x)), 1)
  const ends = [...flat.slice(0, 4), ...flat.slice(-4)]
  expect(ends.length).toBe(expected.v.length)
  for (const [i, x] of ends.entries()) expect(Math.abs(x - expected.v[i]!)).toBeLessThan(2e-5 * scale)
  const sum = flat.reduce((a, x, i) => a + x * Math.cos(i + 1), 0)
  expect(Math.abs(sum - expected.sum)).toBeLessThan(2e-5 * scale * Math.sqrt(flat.length))
}

const title = (c: Case): string =>
  `${c.name} ${JSON.stringify({ input: c.input, hx: c.hx, rest: c.rest, batch_sizes: c.batch_sizes })}`

type Call = (...args: unknown[]) => torch.Tensor[]
const functions = torch as unknown as Record<string, Call>

describe('recurrent functions give what PyTorch gives', () => {
  test.each(cases.map(c => [title(c), c] as const))('%s', (_, c) => {
    const params = c.params.map((s, i) => leaf(s, i, c.scale))
    const x = leaf(c.input, 50, 1)
    const hx = c.hx.map((s, i) => leaf(s, 51 + i, 1))
    const states = c.name === 'lstm' ? hx : hx[0]!
    const f = functions[c.name]!
    const run = (): torch.Tensor[] =>
      c.batch_sizes === null
        ? f(x, states, params, ...c.rest, c.batch_first)
        : f(x, torch.tensor(c.batch_sizes), states, params, ...c.rest)
    for (const out of [torch.no_grad(run), run()])
      for (const [i, t] of out.entries()) expect_summary(t, c.out[i]!)
    const inputs = [x, ...hx, ...params]
    const loss = (): torch.Tensor =>
      run()
        .map(t => t.mul(cotangent(t)).sum())
        .reduce((a, b) => a.add(b))
    loss().backward()
    for (const [i, t] of inputs.entries()) expect_summary(t.grad, c.grads[i]!)
    // The backward pass that is recorded computes them another way.
    const recorded = torch.autograd.grad(loss(), inputs, { create_graph: true })
    for (const [i, g] of recorded.entries()) expect_summary(g, c.grads[i]!)
  })
})

const double = (...sizes: number[]): torch.Tensor =>
  torch.randn(sizes, { dtype: torch.float64 }).mul_(0.5).requires_grad_()

const GATES = { lstm: 4, gru: 3, rnn_tanh: 1 } as const

describe.each(Object.entries(GATES))('%s has the gradients of finite differences', (name, gates) => {
  test.each([
    ['forward', { bidirectional: false, biases: true, proj: 0 }],
    ['both ways, without biases', { bidirectional: true, biases: false, proj: 0 }],
    ...(name === 'lstm' ? [['projected', { bidirectional: false, biases: true, proj: 2 }] as const] : []),
  ] as const)('%s, to second order', (_, { bidirectional, biases, proj }) => {
    torch.manual_seed(0)
    const [length, batch, features, hidden] = [3, 2, 2, 3]
    const directions = bidirectional ? 2 : 1
    const state = proj || hidden
    const each = (): torch.Tensor[] => [
      double(gates * hidden, features),
      double(gates * hidden, state),
      ...(biases ? [double(gates * hidden), double(gates * hidden)] : []),
      ...(proj > 0 ? [double(proj, hidden)] : []),
    ]
    const params = Array.from({ length: directions }, each).flat()
    const hx = [
      double(directions, batch, state),
      ...(name === 'lstm' ? [double(directions, batch, hidden)] : []),
    ]
    const f = functions[name]!
    const call = (x: torch.Tensor, ...rest: torch.Tensor[]): torch.Tensor[] => {
      const own = rest.slice(0, hx.length)
      return f(
        x,
        name === 'lstm' ? own : own[0],
        rest.slice(hx.length),
        biases,
        1,
        0,
        true,
        bidirectional,
        false,
      )
    }
    const inputs = [double(length, batch, features), ...hx, ...params]
    expect(torch.autograd.gradcheck(call, inputs)).toBe(true)
    expect(torch.autograd.gradgradcheck(call, inputs)).toBe(true)
  })
})

describe('a recurrent layer', () => {
  const parameter = (lstm: torch.nn.LSTM, name: string): torch.nn.Parameter => lstm.get_parameter(name)
  const layer = (): torch.nn.LSTM => {
    torch.manual_seed(0)
    return new torch.nn.LSTM(3, 4)
  }

  test('is one node, by the name that PyTorch shows', () => {
    const [output, [h, c]] = layer()(torch.ones([5, 2, 3]))
    expect([output, h, c].map(t => t.grad_fn!.name())).toEqual([
      'StackBackward0',
      'StackBackward0',
      'StackBackward0',
    ])
  })

  test('may have its output changed in place before backward', () => {
    const grads = [true, false].map(in_place => {
      const lstm = layer()
      const [output] = lstm(torch.ones([5, 2, 3]))
      ;(in_place ? output.mul_(2) : output.mul(2)).sum().backward()
      return parameter(lstm, 'weight_hh_l0').grad!.tolist()
    })
    expect(grads[0]).toEqual(grads[1])
  })

  test('refuses a second backward and weights that were changed', () => {
    const lstm = layer()
    const loss = lstm(torch.ones([5, 2, 3]))[0].sum()
    loss.backward()
    expect(() => loss.backward()).toThrow('Trying to backward through the graph a second time')
    const again = lstm(torch.ones([5, 2, 3]))[0].sum()
    torch.no_grad(() => parameter(lstm, 'weight_hh_l0').add_(1))
    expect(() => again.backward()).toThrow('modified by an inplace operation')
  })

  test('gives the gradients that are asked for when some weights are frozen', () => {
    const all = layer()
    all(torch.ones([5, 2, 3]))[0]
      .sum()
      .backward()
    const some = layer()
    parameter(some, 'weight_ih_l0').requires_grad_(false)
    parameter(some, 'bias_hh_l0').requires_grad_(false)
    some(torch.ones([5, 2, 3]))[0]
      .sum()
      .backward()
    expect(parameter(some, 'weight_ih_l0').grad).toBeNull()
    expect(parameter(some, 'bias_hh_l0').grad).toBeNull()
    expect(parameter(some, 'weight_hh_l0').grad!.tolist()).toEqual(
      parameter(all, 'weight_hh_l0').grad!.tolist(),
    )
    expect(parameter(some, 'bias_ih_l0').grad!.tolist()).toEqual(parameter(all, 'bias_ih_l0').grad!.tolist())
  })

  test('takes an empty batch', () => {
    const [output, [h]] = layer()(torch.zeros([4, 0, 3]))
    expect([output.shape, h.shape].map(s => [...s])).toEqual([
      [4, 0, 4],
      [1, 0, 4],
    ])
  })

  test('runs in bfloat16', () => {
    const lstm = layer().to(torch.bfloat16) as torch.nn.LSTM
    const x = torch.ones([5, 2, 3])
    const [output] = lstm(x.to(torch.bfloat16))
    expect(output.dtype).toBe(torch.bfloat16)
    const [exact] = layer()(x)
    expect(output.to(torch.float32).sub(exact).abs().max().item()).toBeLessThan(0.02)
  })
})

describe("PyTorch's errors", () => {
  const z = (...s: number[]): torch.Tensor => torch.zeros(s)
  const weights = [z(8, 3), z(8, 2), z(8), z(8)]
  const lstm = (x: torch.Tensor, hx: torch.Tensor[], params = weights): unknown =>
    torch.lstm(x, hx, params, true, 1, 0, false, false, false)
  test.each([
    [
      'no steps',
      () => lstm(z(0, 2, 3), [z(1, 2, 2), z(1, 2, 2)]),
      'Expected sequence length to be larger than 0 in RNN',
    ],
    [
      'features',
      () => lstm(z(4, 2, 5), [z(1, 2, 2), z(1, 2, 2)]),
      'mat1 and mat2 shapes cannot be multiplied (8x5 and 3x8)',
    ],
    ['one state', () => lstm(z(4, 2, 3), [z(1, 2, 2)]), 'lstm expects two hidden states'],
    [
      'state size',
      () => lstm(z(4, 2, 3), [z(1, 2, 3), z(1, 2, 3)]),
      'mat1 and mat2 shapes cannot be multiplied (2x3 and 2x8)',
    ],
    [
      'batch',
      () => lstm(z(4, 2, 3), [z(1, 3, 2), z(1, 3, 2)]),
      'The size of tensor a (3) must match the size of tensor b (2) at non-singleton dimension 0',
    ],
    [
      'parameters',
      () => lstm(z(4, 2, 3), [z(1, 2, 2), z(1, 2, 2)], weights.slice(0, 3)),
      'got an incorrect number of RNN parameters',
    ],
    [
      'dtype',
      () => lstm(z(4, 2, 3).double(), [z(1, 2, 2), z(1, 2, 2)]),
      'mat1 and mat2 must have the same dtype',
    ],
    [
      'cell states',
      () => torch.lstm_cell(z(4, 3), [z(4, 2)], weights[0]!, weights[1]!),
      'lstm_cell expects two hidden states',
    ],
    [
      'cell features',
      () => torch.lstm_cell(z(4, 5), [z(4, 2), z(4, 2)], weights[0]!, weights[1]!),
      'input has inconsistent input_size: got 5 expected 3',
    ],
    [
      'cell batch',
      () => torch.lstm_cell(z(4, 3), [z(3, 2), z(3, 2)], weights[0]!, weights[1]!),
      "Input batch size 4 doesn't match hidden0 batch size 3",
    ],
    [
      'cell state size',
      () => torch.lstm_cell(z(4, 3), [z(4, 3), z(4, 3)], weights[0]!, weights[1]!),
      'hidden0 has inconsistent hidden_size: got 3, expected 2',
    ],
  ])('%s', (_, call, message) => {
    expect(call).toThrow(message)
  })
})
