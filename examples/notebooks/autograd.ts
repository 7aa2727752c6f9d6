// Gradients: the second notebook of "How to read PyTorch" (David Bau, 2020), with its exercises. Plots go to
// examples/output/.

import type { Tensor } from '../../src/index.ts'
import * as torch from '../../src/index.ts'
import { is_main } from '../support/main.ts'
import { save_plot } from '../support/plot.ts'

function plot(name: string, x: Tensor, lines: Readonly<Record<string, Tensor>>): void {
  const detached = Object.entries(lines).map(([name, y]) => ({ name, x: x.detach(), y: y.detach() }))
  save_plot(name, [[{ lines: detached }]])
}

/** The derivative of y = cos(x²), by autograd.grad. */
export function by_grad(): { x: Tensor; dydx: Tensor } {
  const x = torch.linspace(0, 5, 100, { requires_grad: true })
  const y = x.pow(2).cos()
  const s = y.sum()
  const [dydx] = torch.autograd.grad(s, [x]) as [Tensor]
  plot('autograd_grad', x, { y, 'dy/dx': dydx })
  return { x, dydx }
}

/** x³ - 6x² + 8x of x in [0, 5] */
const cubic = (x: Tensor): Tensor => x.pow(3).sub(x.pow(2).mul(6)).add(x.mul(8))

/** Exercise: the derivative of a cubic, 3x² - 12x + 8. */
export function cubic_derivative(): void {
  const x = torch.linspace(0, 5, 101, { requires_grad: true })
  const y = cubic(x)
  const [dydx] = torch.autograd.grad(y.sum(), [x]) as [Tensor]
  const wanted = x.detach().pow(2).mul(3).sub(x.detach().mul(12)).add(8)
  console.log(torch.allclose(dydx, wanted, { atol: 1e-4 }), dydx.at(0), dydx.at(-1))
  plot('autograd_cubic', x, { y, 'dy/dx': dydx })
}

/** The same derivative as by_grad, which backward() leaves in x.grad. */
export function by_backward(): Tensor {
  const x = torch.linspace(0, 5, 100, { requires_grad: true })
  const y = x.pow(2).cos()
  y.sum().backward()
  console.log(x.grad)
  plot('autograd_backward', x, { y, 'dy/dx': x.grad! })
  return x
}

/** Exercise: x³ - 6·x2² + 8x of two inputs of the same values has a gradient for each. */
export function two_inputs(): void {
  const x = torch.linspace(0, 5, 101, { requires_grad: true })
  const x2 = torch.linspace(0, 5, 101, { requires_grad: true })
  const y = x2.pow(3).sub(x.pow(2).mul(6)).add(x.mul(8))
  y.sum().backward()
  console.log(x.grad!.at(0), x2.grad!.at(0), x.grad!.at(-1), x2.grad!.at(-1))
  plot('autograd_two_inputs', x, { y, 'dy/dx': x.grad!, 'dy/dx2': x2.grad! })
}

/** Gradients add up until they are cleared. */
export function accumulate(): void {
  const x = torch.tensor([1, 2], { dtype: torch.float32, requires_grad: true })
  for (let i = 0; i < 2; i++) x.pow(2).sum().backward()
  console.log(x.grad)
  x.grad!.zero_()
  x.pow(2).sum().backward()
  console.log(x.grad)
}

/** Exercise: the gradient has a graph of its own, and so a derivative: 6x - 12. */
export function second_derivative(): void {
  const x = torch.linspace(0, 5, 101, { requires_grad: true })
  const y = cubic(x)
  y.sum().backward({ create_graph: true })
  const first = x.grad!
  console.log(first.requires_grad)
  x.grad = null
  first.sum().backward()
  const second = x.grad as unknown as Tensor
  console.log(second.at(':3'), torch.allclose(second, x.detach().mul(6).sub(12), { atol: 1e-4 }))
  plot('autograd_second', x, { y, 'dy/dx': first, 'd2y/dx2': second })
}

if (is_main(import.meta.url)) {
  by_grad()
  cubic_derivative()
  by_backward()
  two_inputs()
  accumulate()
  second_derivative()
}
