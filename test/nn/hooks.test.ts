// Hooks of modules: what they see and change, in the order of PyTorch.
import { expect, test } from 'vitest'
import * as torch from '../../src/index.ts'
import { numbers, recorded, rounded } from './behaviour.ts'

const { nn } = torch

function linear(inputs: number, outputs: number, salt: number): torch.nn.Linear {
  const lin = new nn.Linear(inputs, outputs)
  torch.no_grad(() => {
    lin.weight.copy_(numbers(inputs * outputs, salt).view(outputs, inputs))
    lin.bias?.copy_(numbers(outputs, 2))
  })
  return lin
}

test('hooks see and change arguments, outputs and gradients', () => {
  const log: unknown[] = []
  const see = (...entry: unknown[]): void => void log.push(rounded(entry))
  const lin = linear(2, 2, 1)
  lin.register_forward_pre_hook((_, [x]) => see('pre', x))
  lin.register_forward_pre_hook((_, [x]) => [(x as torch.Tensor).mul(2)])
  lin.register_forward_hook((_, [x], out) => see('forward', x, out))
  lin.register_forward_hook((_, __, out: torch.Tensor) => out.add(1))
  lin.register_full_backward_hook((_, [gi], [go]) => see('backward', gi, go))
  const handle = lin.register_full_backward_hook((_, [gi]) => [gi!.mul(10)])
  const x = numbers(4, 3).view(2, 2).requires_grad_()
  const y = lin(x)
  see('out', y, y.grad_fn?.name())
  y.mul(numbers(4, 4).view(2, 2)).sum().backward()
  see('grad', x.grad, lin.weight.grad)
  handle.remove()
  x.grad = null
  lin(x).sum().backward()
  see('grad after remove', x.grad)

  const last = linear(2, 1, 1)
  last.register_full_backward_hook((_, gi, [go]) => see('no input grad', gi, go))
  last(numbers(2, 3).view(1, 2)).sum().backward()
  expect(log).toEqual(rounded(recorded.hooks))
})

test('a hook is taken off by its handle, or at the end of its scope', () => {
  const relu = new nn.ReLU()
  let calls = 0
  {
    using _ = relu.register_forward_hook(() => {
      calls++
    })
    relu(torch.ones(1))
  }
  relu(torch.ones(1))
  expect(calls).toBe(1)
})

test('one function may be registered twice', () => {
  const relu = new nn.ReLU()
  let calls = 0
  const hook = (): void => {
    calls++
  }
  const first = relu.register_forward_pre_hook(hook)
  relu.register_forward_pre_hook(hook)
  first.remove()
  relu(torch.ones(1))
  expect(calls).toBe(1)
})

test('old backward hooks see the gradients of the last operation', () => {
  const lin = linear(2, 1, 1)
  const seen: unknown[] = []
  lin.register_backward_hook((_, grad_input, grad_output) => {
    seen.push(grad_input.length, rounded(grad_output[0]))
  })
  lin(numbers(2, 3).view(1, 2)).sum().backward()
  expect(seen).toEqual([3, [1]])
})

test('without recording, backward hooks do nothing', () => {
  const lin = linear(2, 1, 1)
  lin.register_full_backward_hook(() => {
    throw new Error('not reached')
  })
  expect(torch.no_grad(() => lin(torch.ones(1, 2))).requires_grad).toBe(false)
})

test('a full hook that gives a wrong number of gradients is refused', () => {
  const lin = linear(2, 1, 1)
  lin.register_full_backward_hook((_, [g]) => [g!, g!])
  expect(() =>
    lin(torch.ones(1, 2, { requires_grad: true }))
      .sum()
      .backward(),
  ).toThrow('Backward hook returned an invalid number of grad_input, got 2, but expected 1')
})
