// A fully connected network with one hidden layer and no biases learns to predict y from x. Plain tensors know nothing
// of gradients: the forward pass, the loss and the backward pass are written by hand.
// After jcjohnson/pytorch-examples (MIT licence, Copyright (c) 2017 Justin Johnson).
import * as torch from '../../src/index.ts'
import { is_main } from '../support/main.ts'

/** Prints the loss of each step, and returns them all. */
export function run(steps = 500): number[] {
  // N examples; sizes of the input, of the hidden layer and of the output
  const [N, D_in, H, D_out] = [64, 1000, 100, 10]
  const x = torch.randn(N, D_in)
  const y = torch.randn(N, D_out)
  const w1 = torch.randn(D_in, H)
  const w2 = torch.randn(H, D_out)

  const learning_rate = 1e-6
  const losses: number[] = []
  for (let t = 0; t < steps; t++) {
    const h = x.mm(w1)
    const h_relu = h.clamp({ min: 0 })
    const y_pred = h_relu.mm(w2)

    const loss = y_pred.sub(y).pow(2).sum().item() as number
    console.log(t, loss)
    losses.push(loss)

    const grad_y_pred = y_pred.sub(y).mul(2)
    const grad_w2 = h_relu.t().mm(grad_y_pred)
    const grad_h = grad_y_pred.mm(w2.t())
    grad_h.index_put_([h.lt(0)], 0)
    const grad_w1 = x.t().mm(grad_h)

    w1.sub_(grad_w1.mul(learning_rate))
    w2.sub_(grad_w2.mul(learning_rate))
  }
  return losses
}

if (is_main(import.meta.url)) run()
