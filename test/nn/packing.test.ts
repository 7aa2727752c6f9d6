// Packed sequences against PyTorch: packing, padding, what runs over them, the gradients of all of it, errors.
import { readFileSync } from 'node:fs'
import { inspect } from 'node:util'
import { describe, expect, expectTypeOf, test } from 'vitest'
import * as torch from '../../src/index.ts'
import { type Summary, summary_difference, summary_differences } from './summary.ts'
import { cotangent, values } from './values.ts'

const { nn } = torch
const R = nn.utils.rnn
type Packed = {
  data: Summary
  batch_sizes: number[]
  sorted_indices: number[] | null
  unsorted_indices: number[] | null
}
type Recorded = {
  pack: {
    sizes: number[]
    lengths: number[]
    batch_first: boolean
    enforce_sorted: boolean
    packed: Packed
    grad: Summary
    node: string
  }[]
  pad: {
    lengths: number[]
    rest: number[]
    kw: { batch_first?: boolean; padding_value?: number | 'inf'; total_length?: number }
    repr: string
    padded: Summary
    sizes: number[]
    grads: Summary[]
    unpacked: Summary[]
  }[]
  run: {
    module: 'RNN' | 'LSTM' | 'GRU'
    args: number[]
    kw: Record<string, unknown>
    lengths: number[]
    hx: number[][]
    out: Packed
    last: Summary[]
    grads: Summary[]
    param_grads: Record<string, Summary>
    node: string
  }[]
  errors: Record<string, [type: string, message: string]>
}
const recorded = JSON.parse(
  readFileSync(new URL('../data/nn/packing.json', import.meta.url), 'utf8'),
) as Recorded

const leaf = (sizes: readonly number[], salt: number): torch.Tensor =>
  values(sizes, 'float', salt).requires_grad_()

const backward = (...outs: torch.Tensor[]): void =>
  outs
    .map(t => t.mul(cotangent(t)).sum())
    .reduce((a, b) => a.add(b))
    .backward()

function expect_packed(got: torch.nn.utils.rnn.PackedSequence, expected: Packed): void {
  expect(summary_difference(got.data, expected.data)).toBeUndefined()
  for (const name of ['batch_sizes', 'sorted_indices', 'unsorted_indices'] as const) {
    expect(got[name]?.tolist() ?? null).toEqual(expected[name])
    expect(got[name]?.dtype ?? torch.int64).toBe(torch.int64)
  }
}

const differences = (got: (torch.Tensor | null)[], expected: Summary[]): string[] => {
  expect(got.length).toBe(expected.length)
  return got.flatMap((t, i) => summary_difference(t, expected[i]!) ?? [])
}

describe('packing a padded batch', () => {
  test.each(recorded.pack.map(c => [JSON.stringify({ ...c, packed: 0, grad: 0 }), c] as const))(
    '%s',
    (_, c) => {
      const x = leaf(c.sizes, 1)
      const { batch_first, enforce_sorted } = c
      for (const packed of [
        R.pack_padded_sequence(x, c.lengths, batch_first, enforce_sorted),
        R.pack_padded_sequence(x, torch.tensor(c.lengths), { batch_first, enforce_sorted }),
      ]) {
        expect_packed(packed, c.packed)
        expect(packed.data.grad_fn!.name()).toBe(c.node)
        x.grad = null
        backward(packed.data)
        expect(summary_difference(x.grad, c.grad)).toBeUndefined()
      }
    },
  )

  test('has derivatives to second order, as has padding', () => {
    const x = torch.randn([2, 3, 2], { dtype: torch.float64, requires_grad: true })
    const pack = (x: torch.Tensor): torch.Tensor =>
      R.pack_padded_sequence(x, [2, 3], true, false).data.square()
    const pad = (x: torch.Tensor): torch.Tensor =>
      R.pad_packed_sequence(R.pack_padded_sequence(x, [2, 3], true, false), { total_length: 4 })[0].square()
    for (const f of [pack, pad]) {
      expect(torch.autograd.gradcheck(f, [x])).toBe(true)
      expect(torch.autograd.gradgradcheck(f, [x])).toBe(true)
    }
  })
})

describe('padding a packed sequence', () => {
  test.each(recorded.pad.map(c => [JSON.stringify([c.lengths, c.rest, c.kw]), c] as const))('%s', (_, c) => {
    const sequences = c.lengths.map((n, i) => leaf([n, ...c.rest], i))
    const packed = R.pack_sequence(sequences, false)
    const shown = new R.PackedSequence(
      packed.data.detach(),
      packed.batch_sizes,
      packed.sorted_indices,
      packed.unsorted_indices,
    )
    expect(String(shown)).toBe(c.repr)
    expect(inspect(shown)).toBe(c.repr)
    const kw = { ...c.kw, ...(c.kw.padding_value === 'inf' && { padding_value: Infinity }) }
    const [padded, lengths] = R.pad_packed_sequence(packed, kw as { padding_value?: number })
    const finite = padded.masked_fill(padded.eq(Infinity), 7)
    expect(summary_difference(finite, c.padded)).toBeUndefined()
    expect(lengths.tolist()).toEqual(c.sizes)
    backward(finite)
    expect(
      differences(
        sequences.map(s => s.grad),
        c.grads,
      ),
    ).toEqual([])
    expect(differences(R.unpack_sequence(packed), c.unpacked)).toEqual([])
  })
})

const title = (c: Recorded['run'][number]): string =>
  `${c.module} ${JSON.stringify([c.args, c.kw, c.lengths, c.hx])}`

describe('recurrent modules take and give packed sequences', () => {
  test.each(recorded.run.map(c => [title(c), c] as const))('%s', (_, c) => {
    torch.manual_seed(0)
    type Run = torch.nn.Layer<unknown[], [torch.nn.utils.rnn.PackedSequence, torch.Tensor | torch.Tensor[]]>
    const classes = nn as unknown as Record<string, new (...args: unknown[]) => Run>
    const module = new classes[c.module]!(...c.args, c.kw)
    const sequences = c.lengths.map((n, i) => leaf([n, 2], i))
    const hx = c.hx.map((s, i) => leaf(s, 50 + i))
    torch.manual_seed(1)
    const states = hx.length === 0 ? [] : [c.module === 'LSTM' ? hx : hx[0]]
    const [out, given] = module(R.pack_sequence(sequences, { enforce_sorted: false }), ...states)
    const last = Array.isArray(given) ? given : [given]
    expect_packed(out, c.out)
    expect(out.data.grad_fn!.name()).toBe(c.node)
    expect(differences(last, c.last)).toEqual([])
    backward(out.data, ...last)
    expect(
      differences(
        [...sequences, ...hx].map(t => t.grad),
        c.grads,
      ),
    ).toEqual([])
    const grads = Object.fromEntries(module.named_parameters().map(([name, p]) => [name, p.grad]))
    expect(summary_differences(grads, c.param_grads)).toEqual([])
  })

  test('with the types of what they are given', () => {
    const lstm = new nn.LSTM(2, 3)
    const gru = new nn.GRU(2, 3)
    const packed = R.pack_sequence([torch.ones(2, 2), torch.ones(1, 2)])
    expectTypeOf(lstm(packed)[0]).toEqualTypeOf<torch.nn.utils.rnn.PackedSequence>()
    expectTypeOf(lstm(torch.ones(2, 1, 2))[0]).toEqualTypeOf<torch.Tensor>()
    expectTypeOf(gru(packed)).toEqualTypeOf<[torch.nn.utils.rnn.PackedSequence, torch.Tensor]>()
    expect(gru(packed)[0].batch_sizes.tolist()).toEqual([2, 1])
  })

  test.each(['LSTM', 'GRU', 'RNN'] as const)('%s: each sequence as if it were alone', name => {
    torch.manual_seed(0)
    const module = new nn[name](2, 3, { num_layers: 2, bidirectional: true }) as unknown as torch.nn.GRU
    const sequences = [3, 7, 1, 7, 2].map(n => torch.randn(n, 2))
    for (const run of [torch.no_grad, (f: () => void): void => f()])
      run(() => {
        const [out] = module(R.pack_sequence(sequences, false))
        for (const [i, rows] of R.unpack_sequence(out).entries())
          expect(torch.allclose(rows, module(sequences[i]!)[0], 1e-5, 1e-6)).toBe(true)
      })
  })

  test.each(['lstm', 'gru', 'rnn_tanh'] as const)('%s: derivatives to second order', name => {
    torch.manual_seed(0)
    const double = (...sizes: number[]): torch.Tensor =>
      torch.randn(sizes, { dtype: torch.float64 }).mul(0.5).requires_grad_()
    const gates = { lstm: 4, gru: 3, rnn_tanh: 1 }[name]
    const states = name === 'lstm' ? 2 : 1
    const params = [0, 1].flatMap(() => [double(gates * 2, 2), double(gates * 2, 2)])
    const hx = Array.from({ length: states }, () => double(2, 3, 2))
    const f = (torch as unknown as Record<string, (...args: unknown[]) => torch.Tensor[]>)[name]!
    const call = (x: torch.Tensor, ...rest: torch.Tensor[]): torch.Tensor[] => {
      const own = rest.slice(0, states)
      const h = name === 'lstm' ? own : own[0]
      return f(x, torch.tensor([3, 2, 1]), h, rest.slice(states), false, 1, 0, true, true)
    }
    const inputs = [double(6, 2), ...hx, ...params]
    expect(torch.autograd.gradcheck(call, inputs)).toBe(true)
    expect(torch.autograd.gradgradcheck(call, inputs)).toBe(true)
  })

  test('in bfloat16', () => {
    torch.manual_seed(0)
    const lstm = new nn.LSTM(2, 3, { bidirectional: true })
    const packed = R.pack_sequence([torch.ones(2, 2), torch.ones(4, 2)], false)
    const exact = lstm(packed)[0].data
    const rounded = lstm.to(torch.bfloat16)(packed.to(torch.bfloat16))[0].data
    expect(rounded.dtype).toBe(torch.bfloat16)
    expect(rounded.float().sub(exact).abs().max().item()).toBeLessThan(0.02)
  })
})

test('a packed sequence is converted', () => {
  const packed = R.pack_sequence([torch.ones(1), torch.ones(2)], false)
  expect(packed.double().data.dtype).toBe(torch.float64)
  expect(packed.double().sorted_indices!.tolist()).toEqual([1, 0])
  expect(packed.cpu()).toBe(packed)
  expect([...packed].map(t => t?.tolist())).toEqual([
    [1, 1, 1],
    [2, 1],
    [1, 0],
    [1, 0],
  ])
  expect(R.invert_permutation(torch.tensor([2, 0, 1])).tolist()).toEqual([1, 2, 0])
})

describe("PyTorch's errors", () => {
  const z = (...sizes: number[]): torch.Tensor => torch.zeros(sizes)
  const [lstm, gru] = [new nn.LSTM(1, 2), new nn.GRU(1, 2)]
  const q = R.pack_sequence([z(2, 1), z(1, 1)])
  const calls: Record<string, () => unknown> = {
    'length 0': () => R.pack_padded_sequence(z(3, 2, 1), [3, 0]),
    unsorted: () => R.pack_padded_sequence(z(3, 2, 1), [2, 3]),
    'too many lengths': () => R.pack_padded_sequence(z(3, 2, 1), [3, 2, 1]),
    'one dimension': () => R.pack_padded_sequence(z(3), [3]),
    'matrix of lengths': () => R.pack_padded_sequence(z(3, 2, 1), torch.tensor([[3, 1]])),
    empty: () => R.pack_padded_sequence(z(3, 0, 1), []),
    'total length': () => R.pad_packed_sequence(R.pack_sequence([z(3)]), { total_length: 2 }),
    constructor: () => new R.PackedSequence(z(3)),
    cell: () => lstm(q, [z(1, 2, 2), z(1, 2, 3)]),
    hidden: () => lstm(q, [z(1, 1, 2), z(1, 2, 2)]),
    features: () => lstm(R.pack_sequence([z(2, 3), z(1, 3)])),
    'gru hidden': () => gru(q, z(1, 3, 2)),
    'gru hidden dims': () => gru(q, z(2, 2)),
    'data dims': () => gru(R.pack_sequence([z(2, 3, 1), z(1, 3, 1)])),
    dtype: () => lstm(q, [z(1, 2, 2).double(), z(1, 2, 2).double()]),
  }
  test.each(Object.entries(recorded.errors))('%s', (name, [type, message]) => {
    let thrown: unknown
    try {
      calls[name]!()
    } catch (error) {
      thrown = error
    }
    expect([(thrown as Error).constructor.name, (thrown as Error).message]).toEqual([type, message])
  })
})
