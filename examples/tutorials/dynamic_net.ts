// A network that is another one at each call: it passes its middle layer, one and the same, none to three times. The
// graph is what was called, so loops and choices are the language's own.
// After jcjohnson/pytorch-examples (MIT licence, Copyright (c) 2017 Justin Johnson).

import * as torch from '../../src/index.ts'
import { nn, type Tensor } from '../../src/index.ts'
import { is_main } from '../support/main.ts'

export class DynamicNet extends nn.Module {
  input_linear: nn.Linear
  middle_linear: nn.Linear
  output_linear: nn.Linear
  readonly choose: () => number

  /** @param choose how often the middle layer is passed this time */
  constructor(D_in: number, H: number, D_out: number, choose: () => number) {
    super()
    this.input_linear = new nn.Linear(D_in, H)
    this.middle_linear = new nn.Linear(H, H)
    this.output_linear = new nn.Linear(H, D_out)
    this.choose = choose
  }

  override forward(x: Tensor): Tensor {
    let h_relu = this.input_linear(x).clamp({ min: 0 })
    for (let left = this.choose(); left > 0; left--) h_relu = this.middle_linear(h_relu).clamp({ min: 0 })
    return this.output_linear(h_relu)
  }
}

const none_to_three = (): number => Math.floor(4 * Math.random())

/** Prints the loss of each step, and returns them all. */
export function run(steps = 500, choose: () => number = none_to_three): number[] {
  const [N, D_in, H, D_out] = [64, 1000, 100, 10]
  const x = torch.randn(N, D_in)
  const y = torch.randn(N, D_out)
  const model = new DynamicNet(D_in, H, D_out, choose)
  const criterion = new nn.MSELoss({ reduction: 'sum' })
  const optimizer = new torch.optim.SGD(model.parameters(), { lr: 1e-4, momentum: 0.9 })

  const losses: number[] = []
  for (let t = 0; t < steps; t++) {
    const y_pred = model(x)
    const loss = criterion(y_pred, y)
    console.log(t, loss.item())
    losses.push(loss.item() as number)

    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
  }
  return losses
}

if (is_main(import.meta.url)) run()
