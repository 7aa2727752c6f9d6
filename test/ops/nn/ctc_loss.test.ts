// Specification of connectionist temporal classification: PyTorch's values, gradients and errors.
import { describe, expect, test } from 'vitest'
import * as torch from '../../../src/index.ts'
import { describe_calls, grads, leaf, values } from '../calls.ts'

const C = torch.nn.functional.ctc_loss
type Lengths = torch.Tensor | readonly number[]
const ints = (...v: (number | number[])[]): torch.Tensor =>
  torch.tensor(v as number[], { dtype: torch.int64 })
const lp = torch.log_softmax(values([6, 2, 4]), 2)
const first = lp.select(1, 0)
const tg = ints([1, 2, 2], [3, 1, 0])
const il = ints(6, 5)
const tl = ints(3, 2)

const gradient = (input: Lengths, target: Lengths, options: object): unknown => {
  const w = leaf(lp)
  return grads(C(w, tg, input, target, options), w)
}

describe('ctc_loss', () => {
  describe_calls('ctc_loss', {
    mean: () => C(lp, tg, il, tl),
    rows: () => C(lp, tg, il, tl, { reduction: 'none' }),
    'one after the other': () => C(lp, ints(1, 2, 2, 3, 1), [6, 5], [3, 2], { reduction: 'none' }),
    int32: () => C(lp, tg.int(), il.int(), tl.int(), { reduction: 'sum' }),
    'another blank': () => C(lp, ints([1, 2, 2], [0, 1, 0]), il, tl, { blank: 3, reduction: 'none' }),
    'without batch': () => C(first, tg.select(0, 0), il.select(0, 0), tl.select(0, 0)),
    'without batch or reduction': () => C(first, tg.select(0, 0), [6], [3], { reduction: 'none' }),
    float64: () => C(torch.log_softmax(values([6, 2, 4]).double(), 2), tg, il, tl, { reduction: 'none' }),
    'too short': () => C(lp, tg, [2, 5], [3, 2], { reduction: 'none' }),
    'too short, zero': () => C(lp, tg, [2, 5], [3, 2], { reduction: 'none', zero_infinity: true }),
    'no target': () => C(lp, tg, il, ints(3, 0), { reduction: 'none' }),
    'no batch': () => C(lp.narrow(1, 0, 0), tg.narrow(0, 0, 0), [], [], { reduction: 'none' }),
    'torch.ctc_loss': () => torch.ctc_loss(lp, tg, il, tl, 0, 2, false),
    'gradient none': () => gradient(il, tl, { reduction: 'none' }),
    'gradient mean': () => gradient(il, tl, { reduction: 'mean' }),
    'gradient sum': () => gradient(il, tl, { reduction: 'sum' }),
    'gradient, too short': () => gradient([2, 5], [3, 2], { zero_infinity: true }),
    'gradient, no target': () => gradient([2, 5], [0, 2], {}),
    'second gradient': () => {
      const w = leaf(lp)
      const [g] = torch.autograd.grad([C(w, tg, il, tl)], [w], { create_graph: true })
      return torch.autograd.grad([g!.sum()], [w])
    },
    blank: () => C(lp, tg, il, tl, { blank: 7 }),
    'long input': () => C(lp, tg, [7, 5], [3, 2]),
    'long target': () => C(lp, tg, [6, 5], [4, 2]),
    'input lengths': () => C(lp, tg, [6], [3, 2]),
    'target lengths': () => C(lp, tg, [6, 5], [3]),
    'float input lengths': () => C(lp, tg, il.float(), tl),
    'float target lengths': () => C(lp, tg, il, tl.float()),
    integers: () => C(lp.long(), tg, il, tl),
    bfloat16: () => C(lp.bfloat16(), tg, il, tl),
    'few targets': () => C(lp, ints(1, 2, 2, 3), il, tl),
    'rows of targets': () => C(lp, tg.narrow(0, 0, 1), il, tl),
    '3-d targets': () => C(lp, tg.view(1, 2, 3), il, tl),
    reduction: () => C(lp, tg, il, tl, { reduction: 'median' }),
    dimensions: () => C(lp.select(0, 0).select(0, 0), tg, il, tl),
  })

  test('a loss over logits has the gradient of finite differences', () => {
    const x = values([5, 2, 3], { dtype: torch.float64 }).requires_grad_()
    const loss = (x: torch.Tensor): torch.Tensor =>
      C(torch.log_softmax(x, 2), ints([1, 1], [2, 1]), [5, 4], [2, 1], { reduction: 'none' })
    expect(torch.autograd.gradcheck(loss as never, [x])).toBe(true)
  })

  test('nn.CTCLoss computes it with its settings', () => {
    const criterion = new torch.nn.CTCLoss({ blank: 3, reduction: 'sum', zero_infinity: true })
    expect(`${criterion}`).toBe('CTCLoss()')
    const labels = ints([1, 2, 2], [0, 1, 0])
    const expected = C(lp, labels, [2, 5], [3, 2], 3, 'sum', true)
    expect(criterion(lp, labels, [2, 5], [3, 2]).item()).toBe(expected.item())
    expect(expected.item()).not.toBe(Number.POSITIVE_INFINITY)
  })

  test('labels out of range, and lengths below zero, are refused', () => {
    expect(() => C(lp, tg.add(2), il, tl)).toThrow('targets must be labels from 0 to 3')
    expect(() => C(lp, tg, [6, 5], [-1, 2])).toThrow('target_lengths to have value at least 0')
    expect(() => C(lp, tg, [-1, 2], [3, 2])).toThrow('input_lengths to have value at least 0')
  })
})
