// A fully connected network with one hidden layer and no biases learns to predict y from x. The weights require
// gradients, so that the operations on them build a graph, and backward() finds the gradients.
// After jcjohnson/pytorch-examples (MIT licence, Copyright (c) 2017 Justin Johnson).
import * as torch from '../../src/index.ts'
import { is_main } from '../support/main.ts'

/** Prints the loss of each step, and returns them all. */
export function run(steps = 500): number[] {
  const [N, D_in, H, D_out] = [64, 1000, 100, 10]
  const x = torch.randn(N, D_in)
  const y = torch.randn(N, D_out)
  const w1 = torch.randn(D_in, H, { requires_grad: true })
  const w2 = torch.randn(H, D_out, { requires_grad: true })

  const learning_rate = 1e-6
  const losses: number[] = []
  for (let t = 0; t < steps; t++) {
    const y_pred = x.mm(w1).clamp({ min: 0 }).mm(w2)
    const loss = y_pred.sub(y).pow(2).sum()
    console.log(t, loss.item())
    losses.push(loss.item() as number)

    loss.backward()

    // The update is no part of the graph.
    torch.no_grad(() => {
      for (const w of [w1, w2]) {
        w.sub_(w.grad!.mul(learning_rate))
        w.grad!.zero_()
      }
    })
  }
  return losses
}

if (is_main(import.meta.url)) run()
