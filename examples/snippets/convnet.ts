// A small convolutional network, after LeNet, and one step of its training.

import * as torch from '../../src/index.ts'
import { nn, type Tensor } from '../../src/index.ts'
import { is_main } from '../support/main.ts'

const F = nn.functional

class Net extends nn.Module {
  // one channel in (grey values), six out, 3x3 kernels
  conv1 = new nn.Conv2d(1, 6, 3)
  conv2 = new nn.Conv2d(6, 16, 3)
  // y = Wx + b, of images that are 6x6 by then
  fc1 = new nn.Linear(16 * 6 * 6, 120)
  fc2 = new nn.Linear(120, 84)
  fc3 = new nn.Linear(84, 10)

  override forward(x: Tensor): Tensor {
    x = F.max_pool2d(F.relu(this.conv1(x)), [2, 2])
    x = F.max_pool2d(F.relu(this.conv2(x)), 2) // a square can be one number
    x = x.view(-1, this.num_flat_features(x))
    x = F.relu(this.fc1(x))
    x = F.relu(this.fc2(x))
    return this.fc3(x)
  }

  /** The number of features of each example. */
  num_flat_features(x: Tensor): number {
    return x
      .size()
      .slice(1)
      .reduce((product, size) => product * size, 1)
  }
}

/** Trains on one random image and target; returns the loss of each step. */
export function train(steps = 2): number[] {
  const net = new Net()
  console.log(net)
  const criterion = new nn.MSELoss()
  const optimizer = new torch.optim.SGD(net.parameters(), { lr: 0.01 })
  const input = torch.randn(1, 1, 32, 32)
  const random_target = torch.randn(10)

  const losses: number[] = []
  for (let step = 0; step < steps; step++) {
    optimizer.zero_grad()
    const output = net(input)
    if (step === 0) console.log(output)
    const [rows, columns] = output.shape as unknown as [number, number]
    const target = random_target.view(rows, columns)
    const loss = criterion(output, target)
    loss.backward()
    optimizer.step()
    losses.push(loss.item() as number)
  }
  console.log(losses)
  return losses
}

if (is_main(import.meta.url)) train()
