// Losses that are computed with their reduction in one kernel: the same as elementwise and then reduced, at sizes of one
// block and of several, with the same gradients, and a graph that shows PyTorch's nodes.
import { describe, expect, test } from 'vitest'
import * as torch from '../../../src/index.ts'
import type { Tensor } from '../../../src/tensor/tensor.ts'

const F = torch.nn.functional
type Reduction = 'none' | 'mean' | 'sum'
type Loss = (input: Tensor, target: Tensor, reduction: Reduction) => Tensor

const losses: Readonly<Record<string, Loss>> = {
  mse_loss: (x, y, reduction) => F.mse_loss(x, y, { reduction }),
  l1_loss: (x, y, reduction) => F.l1_loss(x, y, { reduction }),
  smooth_l1_loss: (x, y, reduction) => F.smooth_l1_loss(x, y, { reduction, beta: 0.25 }),
  huber_loss: (x, y, reduction) => F.huber_loss(x, y, { reduction, delta: 0.25 }),
  soft_margin_loss: (x, y, reduction) => F.soft_margin_loss(x, y, { reduction }),
  binary_cross_entropy: (x, y, reduction) => F.binary_cross_entropy(x, y, { reduction }),
  binary_cross_entropy_with_logits: (x, y, reduction) =>
    F.binary_cross_entropy_with_logits(x, y, { reduction }),
  kl_div: (x, y, reduction) => F.kl_div(x, y, { reduction }),
  'kl_div of logarithms': (x, y, reduction) => F.kl_div(x, y, { reduction, log_target: true }),
}

const operands = (n: number): [Tensor, Tensor] => {
  torch.manual_seed(n)
  const make = (): Tensor => torch.rand([n], { dtype: torch.float64 }).mul(0.9).add(0.05)
  return [make().requires_grad_(), make()]
}
const close = (a: Tensor, b: Tensor): void =>
  expect(torch.allclose(a.detach(), b.detach(), { rtol: 1e-10, atol: 1e-12 })).toBe(true)

describe('losses with their reduction', () => {
  for (const [name, loss] of Object.entries(losses))
    for (const reduction of ['mean', 'sum'] as const)
      test(`${name}, ${reduction}`, () => {
        for (const n of [1, 77, 40001]) {
          const [x, y] = operands(n)
          const each = loss(x, y, 'none')
          const whole = loss(x, y, reduction)
          close(whole, each[reduction]())
          const g = torch.tensor(1.75, { dtype: torch.float64 })
          const [fused] = torch.autograd.grad([whole], [x], [g])
          const [apart] = torch.autograd.grad([each[reduction]()], [x], [g])
          const [recorded] = torch.autograd.grad([loss(x, y, reduction)], [x], [g], { create_graph: true })
          close(fused!, apart!)
          close(fused!, recorded!)
        }
      })

  test('targets have gradients too', () => {
    for (const loss of Object.values(losses)) {
      const [x, y] = operands(50)
      y.requires_grad_()
      const together = torch.autograd.grad([loss(x, y, 'sum')], [x, y])
      const apart = torch.autograd.grad([loss(x, y, 'none').sum()], [x, y])
      together.forEach((t, i) => {
        close(t!, apart[i]!)
      })
    }
  })

  test('probabilities outside of [0, 1] are found, wherever they are', () => {
    for (const n of [50, 40001]) {
      const [x, y] = operands(n)
      for (const bad of [-0.5, 1.5, NaN]) {
        const wrong = x.detach().clone()
        wrong.index_fill_(0, torch.tensor([n - 1]), bad)
        expect(() => F.binary_cross_entropy(wrong, y)).toThrow(
          'all elements of input should be between 0 and 1',
        )
      }
    }
  })

  test('the graph has the nodes of the formula', () => {
    const [x, y] = operands(5)
    const names = (t: Tensor): string[] => {
      const list: string[] = []
      for (let node = t.grad_fn; node; node = node.next_functions[0]?.[0] ?? null) list.push(node.name())
      return list
    }
    expect(names(F.l1_loss(x, y))).toEqual([
      'MeanBackward0',
      'AbsBackward0',
      'SubBackward0',
      'AccumulateGrad',
    ])
    const divergence = F.kl_div(x, y, { reduction: 'batchmean' })
    expect(names(divergence)).toEqual(['DivBackward0', 'SumBackward0', 'SubBackward0'])
    const looked = F.l1_loss(x, y)
    names(looked)
    close(torch.autograd.grad([looked], [x])[0]!, torch.autograd.grad([F.l1_loss(x, y)], [x])[0]!)
  })

  test('the bits are the same for any number of threads', () => {
    torch.manual_seed(1)
    const [x, y] = [torch.rand(100_003), torch.rand(100_003)]
    const before = torch.get_num_threads()
    const sums = [1, 2, 3].map(n => {
      torch.set_num_threads(n)
      return F.mse_loss(x, y).item()
    })
    torch.set_num_threads(before)
    expect(new Set(sums).size).toBe(1)
  })
})
