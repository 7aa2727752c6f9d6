// Optimizers: the third notebook of "How to read PyTorch" (David Bau, 2020), with its exercises. They look for the
// lowest point of a bowl, the norm of a linear map of x. Plots go to examples/output/.

import * as torch from '../../src/index.ts'
import { optim, type Tensor } from '../../src/index.ts'
import { is_main } from '../support/main.ts'
import { save_plot } from '../support/plot.ts'

const bowl = torch.tensor([
  [0.441, -1.0317],
  [-0.2844, -0.1035],
])

/** Where x was after each step, and the loss before it. */
export type Trace = { track: Tensor[]; losses: number[] }

const objective = (x: Tensor): Tensor => torch.mm(bowl, x.at(':', null)).norm()

/** The way over the contours of the bowl, and the losses. */
export function plot_progress(name: string, { track, losses }: Trace): void {
  const angle = torch.linspace(0, 6.3, 100)
  const circle = torch.stack([angle.sin(), angle.cos()])
  const sizes = torch.linspace(0.1, 1, 10).tolist() as number[]
  const contours = sizes.map(size => {
    const [x, y] = torch.mm(torch.inverse(bowl), circle).mul(size).unbind() as [Tensor, Tensor]
    return { x, y, color: 'skyblue' }
  })
  const [x, y] = torch.stack(track).t().unbind() as [Tensor, Tensor]
  save_plot(
    name,
    [
      [
        {
          title: 'progress of x',
          lines: [...contours, { x, y, marks: true, color: '#1f77b4' }],
          x_label: 'x[0]',
          y_label: 'x[1]',
          x_range: [-1.6, 1.6],
          y_range: [-1, 1],
        },
        {
          title: 'progress of y',
          lines: [{ y: losses, marks: true }],
          x_label: 'iteration',
          y_label: 'objective',
        },
      ],
    ],
    960,
    400,
  )
}

/** Gradient descent by hand. */
export function by_hand(x_init: Tensor, steps = 21): Trace {
  let x = x_init.clone()
  const trace: Trace = { track: [], losses: [] }
  for (let i = 0; i < steps; i++) {
    x.requires_grad = true
    const loss = objective(x)
    loss.backward()
    x = torch.no_grad(() => x.sub(x.grad!.mul(0.1)))
    trace.track.push(x.detach().clone())
    trace.losses.push(loss.item() as number)
  }
  return trace
}

/** Makes an optimizer of x. */
export type Maker = (params: Tensor[]) => { step(closure: () => Tensor): Tensor; zero_grad(): void }

/** The same by an optimizer. */
export function by_optimizer(x_init: Tensor, make: Maker, steps = 21): Trace {
  const x = x_init.clone()
  x.requires_grad = true
  const optimizer = make([x])
  const trace: Trace = { track: [], losses: [] }
  for (let i = 0; i < steps; i++) {
    const loss = optimizer.step(() => {
      const loss = objective(x)
      optimizer.zero_grad()
      loss.backward()
      return loss
    })
    trace.track.push(x.detach().clone())
    trace.losses.push(loss.item() as number)
  }
  return trace
}

/** The notebook's own optimizers. */
export const examples: Readonly<Record<string, Maker>> = {
  'SGD with momentum': x => new optim.SGD(x, { lr: 0.1, momentum: 0.5 }),
  Adam: x => new optim.Adam(x, { lr: 0.1 }),
}

/** Exercises: from (-1, 0), in 101 steps. LBFGS calls the closure several times a step; with its own lr it diverges. */
export const exercises: Readonly<Record<string, Maker>> = {
  SGD: x => new optim.SGD(x, { lr: 0.1 }),
  'SGD with momentum': x => new optim.SGD(x, { lr: 0.1, momentum: 0.5 }),
  Adam: x => new optim.Adam(x, { lr: 0.1 }),
  RMSprop: x => new optim.RMSprop(x, { lr: 0.01 }),
  Adagrad: x => new optim.Adagrad(x, { lr: 0.1 }),
  Adadelta: x => new optim.Adadelta(x, { lr: 1 }),
  AdamW: x => new optim.AdamW(x, { lr: 0.1 }),
  LBFGS: x => new optim.LBFGS(x, { max_eval: 5 }),
  'LBFGS with a small lr': x => new optim.LBFGS(x, { lr: 0.1, max_eval: 5 }),
}

if (is_main(import.meta.url)) {
  const show = (name: string, trace: Trace): void => {
    console.log(`${name}: from ${trace.losses[0]} to ${trace.losses.at(-1)}`)
    plot_progress(`optimizers_${name.replaceAll(' ', '_').toLowerCase()}`, trace)
  }
  const x_init = torch.randn(2)
  show('by hand', by_hand(x_init))
  for (const [name, make] of Object.entries(examples)) show(name, by_optimizer(x_init, make))
  const start = torch.tensor([-1, 0], { dtype: torch.float32 })
  for (const [name, make] of Object.entries(exercises))
    show(`exercise ${name}`, by_optimizer(start, make, 101))
}
