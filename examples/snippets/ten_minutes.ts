// "Understand PyTorch in 10 minutes": tensors, gradients, a layer, losses, and a classifier that learns. Written for
// PyTorch 0.1, whose Variable still works: it is a tensor.

import * as torch from '../../src/index.ts'
import { autograd, nn, optim, type Tensor } from '../../src/index.ts'
import { is_main } from '../support/main.ts'

const F = nn.functional

/** Two matrices of size 2x3 as one tensor of three dimensions. */
export function tensors(): Tensor {
  const list = [
    [
      [1, 2, 3],
      [4, 5, 6],
    ],
    [
      [7, 8, 9],
      [11, 12, 13],
    ],
  ]
  const d = torch.Tensor(list)
  console.log('shape of the tensor:', d.size())
  // The first index is the depth.
  const z = d.at(0).add(d.at(1))
  console.log('adding up the two matrices of the 3d tensor:', z)
  // -1: as many as there must be
  console.log(d.view(2, -1))
  return d
}

/** What is computed from a tensor that requires gradients is a graph; backward() fills in the gradients. */
export function gradients(d: Tensor): Tensor {
  const x = autograd.Variable(d, { requires_grad: true })
  console.log("the node's data is the tensor:", x.data.size())
  console.log("the node's gradient is empty at creation:", x.grad)
  const y = x.add(1)
  const z = x.add(y)
  const s = z.sum()
  console.log(s.grad_fn?.name())
  s.backward()
  console.log('the variable now has gradients:', x.grad)
  return x
}

/** A linear map of 5 features to 3, with randomly initialised parameters. */
export function linear(): nn.Linear {
  const linear_map = new nn.Linear(5, 3)
  console.log('using randomly initialized params:', linear_map)
  return linear_map
}

/** Two examples through the map, and their loss. Without a dim, softmax warns and chooses one. */
export function loss_of(linear_map: nn.Linear): { probabilities: Tensor; loss: Tensor } {
  const data = torch.randn(2, 5)
  const y = autograd.Variable(torch.randn(2, 3))
  const x = autograd.Variable(data, { requires_grad: true })
  const a = linear_map(x)
  const z = F.relu(a)
  const probabilities = F.softmax(z)
  console.log('output of softmax as a probability distribution:', probabilities.data.view(1, -1))

  const loss_func = new nn.MSELoss()
  const loss = loss_func(z, y)
  console.log('Loss:', loss)
  return { probabilities, loss }
}

/** One update. The loss is what it was: nothing is computed anew until it is asked for. */
export function one_step(linear_map: nn.Linear, loss: Tensor): void {
  const optimizer = new optim.SGD(linear_map.parameters(), { lr: 1e-2 })
  optimizer.zero_grad()
  loss.backward({ retain_graph: true }) // retain_variables, in those days
  optimizer.step()
  console.log(loss)
}

export class Log_reg_classifier extends nn.Module {
  linear: nn.Linear

  constructor(in_size: number, out_size: number) {
    super()
    this.linear = new nn.Linear(in_size, out_size)
  }

  override forward(vect: Tensor): Tensor {
    return F.log_softmax(this.linear(vect), 1)
  }
}

/** Pairs of examples (batch, 10) and one-hot log-probabilities to reach, by the sign of the first feature. */
function make_data(batches: number): [minibatch: Tensor, target: Tensor][] {
  return Array.from({ length: batches }, () => {
    const minibatch = torch.randn(20, 10)
    const target = F.one_hot(minibatch.at(':', 0).gt(0).long(), 2).float().sub(1).mul(3)
    return [minibatch, target]
  })
}

/** Ten epochs over mini-batches; returns the mean loss of each. */
export function train(): number[] {
  const data = make_data(10)
  const model = new Log_reg_classifier(10, 2)
  const loss_func = new nn.MSELoss()
  const optimizer = new optim.SGD(model.parameters(), { lr: 1e-1 })
  const means: number[] = []
  for (let epoch = 0; epoch < 10; epoch++) {
    let sum = 0
    for (const [minibatch, target] of data) {
      model.zero_grad() // gradients add up: begin each mini-batch with none
      const out = model(autograd.Variable(minibatch))
      const L = loss_func(out, target)
      L.backward()
      optimizer.step()
      sum += L.item() as number
    }
    means.push(sum / data.length)
  }
  return means
}

if (is_main(import.meta.url)) {
  gradients(tensors())
  const linear_map = linear()
  one_step(linear_map, loss_of(linear_map).loss)
  console.log(train())
}
