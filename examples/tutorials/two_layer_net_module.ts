// A fully connected network with one hidden layer learns to predict y from x. It is a module of its own: what a network
// that is more than a sequence of layers has to be.
// After jcjohnson/pytorch-examples (MIT licence, Copyright (c) 2017 Justin Johnson).

import * as torch from '../../src/index.ts'
import { nn, type Tensor } from '../../src/index.ts'
import { is_main } from '../support/main.ts'

export class TwoLayerNet extends nn.Module {
  linear1: nn.Linear
  linear2: nn.Linear

  constructor(D_in: number, H: number, D_out: number) {
    super()
    this.linear1 = new nn.Linear(D_in, H)
    this.linear2 = new nn.Linear(H, D_out)
  }

  override forward(x: Tensor): Tensor {
    const h_relu = this.linear1(x).clamp({ min: 0 })
    return this.linear2(h_relu)
  }
}

/** Prints the loss of each step, and returns them all. */
export function run(steps = 500): number[] {
  const [N, D_in, H, D_out] = [64, 1000, 100, 10]
  const x = torch.randn(N, D_in)
  const y = torch.randn(N, D_out)
  const model = new TwoLayerNet(D_in, H, D_out)
  const loss_fn = new nn.MSELoss({ reduction: 'sum' })
  const optimizer = new torch.optim.SGD(model.parameters(), { lr: 1e-4 })

  const losses: number[] = []
  for (let t = 0; t < steps; t++) {
    const y_pred = model(x)
    const loss = loss_fn(y_pred, y)
    console.log(t, loss.item())
    losses.push(loss.item() as number)

    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
  }
  return losses
}

if (is_main(import.meta.url)) run()
