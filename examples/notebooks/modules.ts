// Modules: the fourth notebook of "How to read PyTorch" (David Bau, 2020), with its exercises, on the CPU. States are
// kept in variables rather than in files. Plots go to examples/output/.

import * as torch from '../../src/index.ts'
import { nn, type Tensor } from '../../src/index.ts'
import { is_main } from '../support/main.ts'
import { save_plot } from '../support/plot.ts'

const { cross_entropy } = nn.functional
const { Adam } = torch.optim

type Linear = nn.Linear
type State = ReturnType<Linear['state_dict']>

/** The unit vectors and the origin, as a batch. */
export const x_batch: Tensor = torch.tensor(
  [
    [1, 0, 0],
    [0, 1, 0],
    [0, 0, 1],
    [0, 0, 0],
  ],
  { dtype: torch.float32 },
)
const target = torch.tensor([[1, 1]], { dtype: torch.float32 })

/** The sizes of a tensor as Python prints a tuple. */
const tuple = (t: Tensor): string => `(${[...t.shape].join(', ')}${t.dim() === 1 ? ',' : ''})`

/** A layer: what it prints, what it computes, and its parameters. */
export function linear(): Linear {
  const net = new nn.Linear(3, 2)
  console.log(net)
  console.log(net(torch.tensor([[1, 0, 0]], { dtype: torch.float32 })))
  console.log(net(x_batch))
  console.log('weight is', net.weight)
  console.log('bias is', net.bias)
  return net
}

/** Exercise: without a bias, the unit vectors give the columns of the weight. */
export function zero_bias(net: Linear): void {
  try {
    net.bias!.zero_()
  } catch (error) {
    console.log((error as Error).message)
  }
  torch.no_grad(() => net.bias!.zero_())
  const y = net(x_batch)
  console.log(y.at(':3').equal(net.weight.t()), y.at(3))
}

/** Parameters have names. */
export function named_parameters(net: Linear): void {
  for (const [name, param] of net.named_parameters()) console.log(`${name} = ${param}\n`)
}

/** The state of a network: its tensors by their names. It can be loaded into another one. */
export function save_and_load(net: Linear): State {
  const state = net.state_dict()
  for (const [name, v] of Object.entries(state)) console.log(`${name}: ${v.type()}${tuple(v)}`)
  console.log(new nn.Linear(3, 2).load_state_dict(state))
  return state
}

/** Exercise: a network without bias takes what it knows from a state with one. */
export function load_without_bias(state: State): Linear {
  const net2 = new nn.Linear(3, 2, { bias: false })
  try {
    net2.load_state_dict(state)
  } catch (error) {
    console.log((error as Error).message)
  }
  console.log(net2.load_state_dict(state, { strict: false }))
  return net2
}

const squared_error = (y_batch: Tensor): Tensor => y_batch.sub(target).pow(2).sum(1).mean()

/** A loss, and the gradients that it gives the parameters. */
export function gradients(net: Linear): void {
  const loss = squared_error(net(x_batch))
  console.log(`loss is ${loss.item()}`)
  loss.backward()
  console.log(`weight is ${net.weight} and grad is:\n${net.weight.grad}\n`)
  console.log(`bias is ${net.bias} and grad is:\n${net.bias!.grad}\n`)
}

/** Training by hand: all inputs are to give (1, 1), so the weight vanishes and the bias becomes that. */
export function train_by_hand(steps = 10_000): { net: Linear; log: number[] } {
  const net = new nn.Linear(3, 2)
  const log: number[] = []
  for (let i = 0; i < steps; i++) {
    const loss = squared_error(net(x_batch))
    log.push(loss.item() as number)
    net.zero_grad()
    loss.backward()
    torch.no_grad(() => {
      for (const p of net.parameters()) p.sub_(p.grad!.mul(0.01))
    })
  }
  console.log(`weight is ${net.weight}\n`)
  console.log(`bias is ${net.bias}\n`)
  plot_log('modules_by_hand', log)
  return { net, log }
}

/** The losses; and (exercise) the same on a logarithmic scale. */
function plot_log(name: string, log: readonly number[]): void {
  const panel = { lines: [{ y: log }], x_label: 'iteration', y_label: 'loss' }
  save_plot(name, [[panel]])
  save_plot(`${name}_log`, [[{ ...panel, log_scale: true }]])
}

/** Training by Adam, on random inputs. */
export function train_by_adam(steps = 1000): { net: Linear; log: number[] } {
  const net = new nn.Linear(3, 2)
  const optimizer = new Adam(net.parameters(), { lr: 0.01 })
  const log: number[] = []
  for (let i = 0; i < steps; i++) {
    const loss = squared_error(net(torch.randn(100, 3)))
    log.push(loss.item() as number)
    net.zero_grad()
    loss.backward()
    optimizer.step()
  }
  console.log(`weight is ${net.weight}\n`)
  console.log(`bias is ${net.bias}\n`)
  plot_log('modules_adam', log)
  return { net, log }
}

/** Layers in layers, with names. */
export const make_mlp = (): nn.Sequential =>
  new nn.Sequential({
    layer1: new nn.Sequential(new nn.Linear(2, 20), new nn.ReLU()),
    layer2: new nn.Sequential(new nn.Linear(20, 20), new nn.ReLU()),
    layer3: new nn.Sequential(new nn.Linear(20, 2)),
  })
type Classifier = nn.Layer

/** What a network is made of. */
export function describe(): Classifier {
  const mlp = make_mlp()
  console.log(mlp)
  for (const [n, c] of mlp.named_modules())
    console.log(`${n || 'The whole network'} is a ${c.constructor.name}`)
  for (const [name, param] of mlp.named_parameters()) console.log(`${name} has shape ${tuple(param)}`)
  for (const [name, v] of Object.entries(mlp.state_dict())) console.log(`${name}: ${v.dtype}${tuple(v)}`)
  return mlp
}

/** Which points (x, y) are of class 1. */
export type Objective = (x: Tensor, y: Tensor) => Tensor

/** Above a sine wave. */
export const above_sine: Objective = (x, y) => y.gt(x.mul(3).sin()).long()

/** Exercise: other objectives. The last is a chessboard, with which the network has trouble. */
export const objectives: Readonly<Record<string, Objective>> = {
  above_parabola: (x, y) => y.gt(x.pow(2)).long(),
  same_floor: (x, y) => y.floor().eq(x.floor()).long(),
  chessboard: (x, y) => x.mul(4).floor().add(y.mul(4).floor()).remainder(2).long(),
}

/** The objective over a square, and the probability of class 1 that the network gives. */
export function visualize_net(name: string, net: Classifier, objective: Objective): void {
  const n = 50
  const grid = torch.stack([
    torch.linspace(-2, 2, n).at(null, ':').expand(n, n),
    torch.linspace(2, -2, n).at(':', null).expand(n, n),
  ])
  const [x, y] = grid.unbind() as [Tensor, Tensor]
  const score = torch.no_grad(() => net(grid.permute(1, 2, 0).reshape(-1, 2)).softmax(1))
  save_plot(
    name,
    [
      [
        { title: 'target', image: objective(x, y).float() },
        { title: 'network output', image: score.at(':', 1).reshape(n, n) },
      ],
    ],
    800,
    420,
  )
}

/** Trains a classifier; prints the accuracy at iterations 0, 1, 3, 7, 15, ... and returns these. */
export function train_classifier(
  net: Classifier,
  objective: Objective,
  iterations = 1024,
): Map<number, number> {
  const optimizer = new Adam(net.parameters(), { lr: 0.01 })
  const accuracies = new Map<number, number>()
  for (let iteration = 0; iteration < iterations; iteration++) {
    const in_batch = torch.randn(10_000, 2)
    const target_batch = objective(in_batch.at(':', 0), in_batch.at(':', 1))
    const out_batch = net(in_batch)
    const loss = cross_entropy(out_batch, target_batch)
    if (iteration > 0) {
      net.zero_grad()
      loss.backward()
      optimizer.step()
    }
    if (Number.isInteger(Math.log2(iteration + 1))) {
      const { indices: pred_batch } = out_batch.max(1)
      const accuracy = pred_batch.eq(target_batch).float().sum().div(in_batch.length).item() as number
      console.log(`Iteration ${iteration} accuracy: ${accuracy}`)
      accuracies.set(iteration, accuracy)
    }
  }
  return accuracies
}

/** The second layer adds to what it is given. */
class MyNetwork extends nn.Module {
  layer1 = new nn.Sequential(new nn.Linear(2, 20), new nn.ReLU())
  residual_layer2 = new nn.Sequential(new nn.Linear(20, 20), new nn.ReLU())
  layer3 = new nn.Linear(20, 2)

  override forward(x: Tensor): Tensor {
    x = this.layer1(x)
    x = x.add(this.residual_layer2(x))
    return this.layer3(x)
  }
}

/** A module of one's own prints like any other. */
export function residual(): nn.Layer {
  const res_mlp = new MyNetwork()
  console.log(res_mlp)
  return res_mlp
}

if (is_main(import.meta.url)) {
  const net = linear()
  named_parameters(net)
  gradients(net)
  zero_bias(net)
  load_without_bias(save_and_load(net))
  train_by_hand()
  train_by_adam()
  const mlp = describe()
  train_classifier(mlp, above_sine)
  visualize_net('modules_above_sine', mlp, above_sine)
  for (const [name, objective] of Object.entries(objectives)) {
    console.log(name)
    const other = make_mlp()
    train_classifier(other, objective)
    visualize_net(`modules_${name}`, other, objective)
  }
  train_classifier(residual(), above_sine)
}
