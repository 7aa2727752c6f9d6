// The line with which "How to read PyTorch" (David Bau, 2020) begins: forward, loss and backward at once, then a step.
// The original moves the batch to a GPU and writes nn.cross_entropy, which PyTorch does not have.

import * as torch from '../../src/index.ts'
import { nn, optim, type Tensor } from '../../src/index.ts'
import { is_main } from '../support/main.ts'

/** Two clouds of points and the classes they belong to. */
function make_batch(): { images: Tensor; labels: Tensor } {
  const labels = torch.randint(0, 2, [64])
  const images = torch.randn(64, 2).add(labels.unsqueeze(1).mul(4).sub(2))
  return { images, labels }
}

/** Trains a small classifier with the line, and returns its losses before and after. */
export function one_line(steps = 50): { first: number; last: number } {
  const { images, labels } = make_batch()
  const model = new nn.Sequential(new nn.Linear(2, 8), new nn.ReLU(), new nn.Linear(8, 2))
  const optimizer = new optim.SGD(model.parameters(), { lr: 0.1 })
  const loss = (): number => nn.functional.cross_entropy(model(images), labels).item() as number

  const first = loss()
  for (let i = 0; i < steps; i++) {
    optimizer.zero_grad()
    nn.functional.cross_entropy(model(images), labels).backward()
    optimizer.step()
  }
  return { first, last: loss() }
}

if (is_main(import.meta.url)) console.log(one_line())
