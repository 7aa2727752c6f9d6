// A fully connected network with one hidden layer and no biases learns to predict y from x. Its ReLU is a function with
// a backward of its own.
// After jcjohnson/pytorch-examples (MIT licence, Copyright (c) 2017 Justin Johnson).

import type { Tensor } from '../../src/index.ts'
import * as torch from '../../src/index.ts'
import { is_main } from '../support/main.ts'

type Context = torch.autograd.FunctionCtx

export class MyReLU extends torch.autograd.Function {
  /** What is saved here can be read in backward. */
  static override forward(ctx: Context, x: Tensor): Tensor {
    ctx.save_for_backward(x)
    return x.clamp({ min: 0 })
  }

  /** The gradient of the loss with respect to the input, from that with respect to the output. */
  static override backward(ctx: Context, grad_output: Tensor): Tensor {
    const [x] = ctx.saved_tensors as [Tensor]
    const grad_x = grad_output.clone()
    grad_x.index_put_([x.lt(0)], 0)
    return grad_x
  }
}

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
    const y_pred = MyReLU.apply(x.mm(w1)).mm(w2)
    const loss = y_pred.sub(y).pow(2).sum()
    console.log(t, loss.item())
    losses.push(loss.item() as number)

    loss.backward()

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
