// An introduction by chapters: a derivative, an optimizer of two numbers, layers, and a module, which an optimizer moves
// in just the same way.

import * as torch from '../../src/index.ts'
import { float32, nn, type Tensor } from '../../src/index.ts'
import { is_main } from '../support/main.ts'

/** Two numbers, their product, and its derivatives. JavaScript's 3.0 is an integer to torch unless told otherwise. */
export function differentiate(): [Tensor, Tensor] {
  const var_1 = torch.tensor(3.0, { requires_grad: true, dtype: float32 })
  const var_2 = torch.tensor(4.0, { requires_grad: true, dtype: float32 })
  console.log(var_1, var_2)
  const var_mult = var_1.mul(var_2)
  console.log(var_mult)
  var_mult.backward()
  console.log(var_1.grad)
  console.log(var_2.grad)
  return [var_1, var_2]
}

/** One step of gradient descent on the product. */
export function optimize([var_1, var_2]: [Tensor, Tensor]): void {
  const optim = new torch.optim.SGD([var_1, var_2], { lr: 1e-2, momentum: 0.9 })
  optim.step()
  // Otherwise this gradient would be part of the next one.
  optim.zero_grad()
  console.log(var_1, var_2)
}

/** A layer is called like a function. */
export function layer(): Tensor {
  const m = new nn.Linear(20, 30)
  const input = torch.randn(128, 20)
  const output = m(input)
  console.log(output.size(), output.grad_fn?.name())
  return output
}

/** Calls nest from the right to the left, and all parameters get their gradients. */
export function three_layers(): nn.Linear[] {
  const m1 = new nn.Linear(20, 30)
  const m2 = new nn.Linear(30, 30)
  const m3 = new nn.Linear(30, 40)
  const input = torch.randn(128, 20)
  const output = m3(m2(m1(input)))
  console.log(output.size())
  output.sum().sub(12).backward()

  const optim = new torch.optim.SGD(
    [m1, m2, m3].flatMap(m => [m.weight, m.bias!]),
    { lr: 1e-2, momentum: 0.9 },
  )
  optim.step()
  return [m1, m2, m3]
}

class MyNetwork extends nn.Module {
  // Declared here, used below.
  m1 = new nn.Linear(20, 30)
  m2 = new nn.Linear(30, 30)
  m3 = new nn.Linear(30, 40)

  /** What happens when the module is called. */
  override forward(x: Tensor): Tensor {
    x = this.m1(x)
    x = this.m2(x)
    x = this.m3(x)
    return x
  }
}

/** The network, what it gives, and its optimizer. */
export function network(): nn.Module {
  const my_network = new MyNetwork()
  const input = torch.randn(128, 20)
  console.log(my_network(input))
  console.log(my_network)
  const optim = new torch.optim.SGD(my_network.parameters(), { lr: 1e-2, momentum: 0.9 })
  console.log(optim)
  return my_network
}

if (is_main(import.meta.url)) {
  optimize(differentiate())
  layer()
  three_layers()
  network()
}
