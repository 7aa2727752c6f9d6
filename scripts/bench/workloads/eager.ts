// Calls on tensors so small that the time is what a call costs.
import * as torch from '../../../src/index.ts'
import { group, type Workload } from '../table.ts'

const two = (grad = false): [torch.Tensor, torch.Tensor] => [
  torch.randn(4, { requires_grad: grad }),
  torch.randn(4),
]

export const eager: Workload[] = group('eager, 4 elements', {
  add: () => {
    const [a, b] = two()
    return () => a.add(b)
  },
  'add, recorded': () => {
    const [a, b] = two(true)
    return () => a.add(b)
  },
  'mul by a number': () => {
    const [a] = two()
    return () => a.mul(2.5)
  },
  'add_ in place': () => {
    const [a, b] = two()
    return () => a.add_(b)
  },
  sum: () => {
    const [a] = two()
    return () => a.sum()
  },
  'chain of 10': () => {
    const [a, b] = two()
    return () => a.add(b).mul(b).sub(b).tanh().mul(b).add(a).exp().mul(b).neg().add(b)
  },
  'chain of 10, forward and backward': () => {
    const [a, b] = two(true)
    const g = torch.ones(4)
    return () => {
      const y = a.add(b).mul(b).sub(b).tanh().mul(b).add(a).exp().mul(b).neg().add(b)
      torch.autograd.grad([y], [a], [g])
    }
  },
  'mul, sum, backward into .grad': () => {
    const [a, b] = two(true)
    return () => a.mul(b).sum().backward()
  },
  view: () => {
    const x = torch.randn(4, 4)
    return () => x.view(16)
  },
  transpose: () => {
    const x = torch.randn(4, 4)
    return () => x.transpose(0, 1)
  },
  'index x[1]': () => {
    const x = torch.randn(4, 4)
    return () => x.at(1)
  },
  'slice x[1:3]': () => {
    const x = torch.randn(4, 4)
    return () => x.at('1:3')
  },
  item: () => {
    const x = torch.randn(1)
    return () => x.item()
  },
  'zeros(4)': () => () => torch.zeros(4),
  'tensor([1, 2, 3, 4])': () => () => torch.tensor([1, 2, 3, 4]),
  'Linear(8, 8) of 4 rows, no_grad': () => {
    const layer = new torch.nn.Linear(8, 8)
    const x = torch.randn(4, 8)
    return () => torch.no_grad(() => layer(x))
  },
})
