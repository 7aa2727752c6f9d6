// A fully connected network with one hidden layer learns to predict y from x. It is built from the layers of nn, and
// its parameters are moved by hand.
// After jcjohnson/pytorch-examples (MIT licence, Copyright (c) 2017 Justin Johnson).
import * as torch from '../../src/index.ts'
import { nn } from '../../src/index.ts'
import { is_main } from '../support/main.ts'

/** Prints the loss of each step, and returns them all. */
export function run(steps = 500): number[] {
  const [N, D_in, H, D_out] = [64, 1000, 100, 10]
  const x = torch.randn(N, D_in)
  const y = torch.randn(N, D_out)
  const model = new nn.Sequential(new nn.Linear(D_in, H), new nn.ReLU(), new nn.Linear(H, D_out))
  const loss_fn = new nn.MSELoss({ reduction: 'sum' })

  const learning_rate = 1e-4
  const losses: number[] = []
  for (let t = 0; t < steps; t++) {
    const y_pred = model(x)
    const loss = loss_fn(y_pred, y)
    console.log(t, loss.item())
    losses.push(loss.item() as number)

    model.zero_grad()
    loss.backward()

    torch.no_grad(() => {
      for (const param of model.parameters()) param.data.sub_(param.grad!.mul(learning_rate))
    })
  }
  return losses
}

if (is_main(import.meta.url)) run()
