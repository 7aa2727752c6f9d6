/** The snippets under examples/snippets/: they print what PyTorch 1.13.1 prints for the documents they come from. */
import { describe, expect, it, vi } from 'vitest'
import * as by_chapters from '../../examples/snippets/by_chapters.ts'
import * as convnet from '../../examples/snippets/convnet.ts'
import * as for_torch_users from '../../examples/snippets/for_torch_users.ts'
import * as how_to_read_pytorch from '../../examples/snippets/how_to_read_pytorch.ts'
import * as ten_minutes from '../../examples/snippets/ten_minutes.ts'
import * as torch from '../../src/index.ts'
import text from '../data/examples/text.json' with { type: 'json' }
import traces from '../data/examples/traces.json' with { type: 'json' }
import { agree, expect_text, printed } from './printed.ts'

/** Runs a section from the seed it was recorded with, and compares what it prints. */
function section<T>(name: keyof typeof text, body: () => T, seeded = true): T {
  if (seeded) torch.manual_seed(0)
  const { text: actual, result } = printed(body)
  expect_text(actual, text[name])
  return result
}

describe('how to read PyTorch', () => {
  it('the one line trains a model', () => {
    torch.manual_seed(0)
    const { first, last } = how_to_read_pytorch.one_line()
    expect(last).toBeLessThan(0.2 * first)
  })
})

describe('for Torch users', () => {
  it('fill_ works in place, add does not; narrow_ and fill do not exist', () => {
    const { a } = section('for_torch_users.in_place', for_torch_users.in_place)
    expect(['narrow_' in a, 'fill' in a]).toEqual([false, false])
  })

  it('indices start at zero, and slices are views', () => {
    const { columns } = section('for_torch_users.indexing', for_torch_users.indexing)
    columns.fill_(0)
    expect(columns._base!.view(5, 8).at(':', '3:5').sum().item()).toBe(0)
  })

  it('index_add_', () => section('for_torch_users.index_add', for_torch_users.index_add))

  it('tensors and arrays share their memory, both ways', () => {
    const { result } = printed(for_torch_users.tensor_to_array)
    expect(result.b).toEqual(new Float32Array([2, 2, 2, 2, 2]))
    ;(result.b as Float32Array)[0] = 42
    expect(String(result.a)).toBe('tensor([42.,  2.,  2.,  2.,  2.])')
    const { b } = printed(for_torch_users.array_to_tensor).result
    expect(String(b)).toBe('tensor([2., 2., 2., 2., 2.], dtype=torch.float64)')
  })

  it('a LongTensor keeps its type', () => {
    const b = section('for_torch_users.long_tensor', for_torch_users.long_tensor)
    expect(b.type()).toBe('torch.LongTensor')
  })

  it('the recurrent network is a loop, and gradients flow through it', () => {
    const { output, hidden } = section('for_torch_users.unroll', for_torch_users.unroll)
    expect(output.at(-1).equal(hidden)).toBe(true)
    const actual = output.reshape(-1).tolist() as number[]
    traces.unroll.flat(2).forEach((x, i) => {
      expect(actual[i]).toBeCloseTo(x, 5)
    })
    torch.manual_seed(1)
    const { rnn, output: other } = printed(for_torch_users.unroll).result
    other.sum().backward()
    for (const p of rnn.parameters()) expect(p.grad!.abs().sum().item()).toBeGreaterThan(0)
  })
})

describe('ten minutes', () => {
  it('tensors and their gradients', () => {
    const d = section('ten_minutes.tensors', ten_minutes.tensors)
    const x = section('ten_minutes.gradients', () => ten_minutes.gradients(d))
    expect(x.data.equal(d)).toBe(true)
  })

  it('a layer, its loss and one step', () => {
    const warn = vi.spyOn(console, 'warn').mockImplementation(() => {})
    const linear_map = section('ten_minutes.linear', ten_minutes.linear)
    const { loss, probabilities } = section(
      'ten_minutes.loss_of',
      () => ten_minutes.loss_of(linear_map),
      false,
    )
    expect(warn.mock.calls.flat().join()).toContain(
      'Implicit dimension choice for softmax has been deprecated. Change the call to include dim=X as an argument.',
    )
    warn.mockRestore()
    expect(String(probabilities.sum(1))).toBe('tensor([1., 1.], grad_fn=<SumBackward1>)')
    section('ten_minutes.one_step', () => ten_minutes.one_step(linear_map, loss), false)
    expect(() => loss.backward()).toThrowError(
      /^one of the variables needed for gradient computation has been modified by an inplace operation/,
    )
  })

  it('a classifier learns in mini-batches', () => {
    torch.manual_seed(0)
    const means = ten_minutes.train()
    expect(means.every((mean, epoch) => agree(mean, traces.log_reg[epoch]!))).toBe(true)
  })
})

describe('by chapters', () => {
  it('two numbers are differentiated and optimized', () => {
    const pair = section('by_chapters.differentiate', by_chapters.differentiate)
    section('by_chapters.optimize', () => by_chapters.optimize(pair))
    expect(String(pair[0].grad)).toBe('tensor(0.)')
    expect(() => torch.tensor(3, { requires_grad: true })).toThrowError(
      new torch.RuntimeError('Only Tensors of floating point and complex dtype can require gradients'),
    )
  })

  it('layers are functions', () => {
    section('by_chapters.layer', by_chapters.layer)
    const layers = section('by_chapters.three_layers', by_chapters.three_layers)
    for (const m of layers)
      expect([m.weight.grad!.shape, m.bias!.grad!.shape]).toEqual([m.weight.shape, m.bias!.shape])
  })

  it('a network, what it gives, and its optimizer', () => {
    const network = section('by_chapters.network', by_chapters.network)
    expect(network.named_parameters().map(([name]) => name)).toEqual([
      'm1.weight',
      'm1.bias',
      'm2.weight',
      'm2.bias',
      'm3.weight',
      'm3.bias',
    ])
  })
})

describe('a convolutional network', () => {
  it('prints itself and its output, and learns as PyTorch does', () => {
    torch.manual_seed(0)
    const { text: actual, result: losses } = printed(() => convnet.train(100))
    expect(actual.startsWith(text['convnet.train'])).toBe(true)
    const wrong = losses.filter((loss, step) => {
      const wanted = traces.convnet[step]!
      return !agree(loss, wanted) && Math.abs(loss - wanted) > 1e-9
    })
    expect(wrong).toEqual([])
  })
})
