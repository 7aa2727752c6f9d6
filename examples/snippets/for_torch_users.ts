// "PyTorch for former Torch users" (README of jcjohnson/pytorch-examples, MIT licence, Copyright (c) 2017 Justin
// Johnson): in-place names, indexing, the bridge to arrays, and a recurrent network that is a loop.

import * as torch from '../../src/index.ts'
import { nn, type Tensor } from '../../src/index.ts'
import { is_main } from '../support/main.ts'

const F = nn.functional

/** Names that end in an underscore change their tensor, the others do not. */
export function in_place(): { a: Tensor; b: Tensor } {
  const a = torch.empty(2, 3)
  a.fill_(3.5)
  const b = a.add(4.0)
  console.log(a)
  console.log(b)
  return { a, b }
}

/** Indices start at zero. */
export function indexing(): { element: Tensor; columns: Tensor } {
  const a = torch.arange(40, { dtype: torch.float32 }).view(5, 8)
  const element = a.at(0, 3) // first row, fourth column
  const columns = a.at(':', '3:5') // all rows, columns 3 and 4
  console.log(element)
  console.log(columns)
  return { element, columns }
}

/** Names are in snake_case: indexAdd is index_add_. */
export function index_add(): void {
  const x = torch.ones(5, 5)
  console.log(x)
  const z = torch.Tensor(5, 2)
  z.index_put_([':', 0], 10)
  z.index_put_([':', 1], 100)
  console.log(z)
  x.index_add_(1, torch.LongTensor([4, 0]), z)
  console.log(x)
}

/** The array and the tensor are one memory: what is written to one shows in the other. */
export function tensor_to_array(): { a: Tensor; b: ArrayLike<unknown> } {
  const a = torch.ones(5)
  console.log(a)
  const b = a.numpy()
  console.log(b)
  a.add_(1)
  console.log(a)
  console.log(b)
  return { a, b }
}

/** The other way round: the tensor sees what is written to the array. */
export function array_to_tensor(): { a: Float64Array; b: Tensor } {
  const a = new Float64Array(5).fill(1)
  const b = torch.DoubleTensor(a)
  a.forEach((x, i) => {
    a[i] = x + 1
  })
  console.log(a)
  console.log(b)
  return { a, b }
}

/** The part of a move to the GPU and back that a CPU has: the tensor and its type. */
export function long_tensor(): Tensor {
  const a = torch.LongTensor(10).fill_(3)
  console.log(a)
  return a.cpu()
}

/** An Elman network; the sequence is a loop. (The original appends to a list of another name.) */
export class RNN extends nn.Module {
  ih: nn.Linear
  hh: nn.Linear

  constructor(input_dim: number, hidden_dim: number) {
    super()
    this.ih = new nn.Linear(input_dim, hidden_dim)
    this.hh = new nn.Linear(hidden_dim, hidden_dim)
  }

  /**
   * @param input (sequence, batch, input_dim)
   * @param hidden (batch, hidden_dim)
   */
  override forward(input: Tensor, hidden: Tensor): [output: Tensor, hidden: Tensor] {
    const outputs: Tensor[] = []
    for (const step of input) {
      hidden = F.relu(this.ih(step).add(this.hh(hidden)))
      outputs.push(hidden)
    }
    return [torch.stack(outputs), hidden]
  }
}

/** Runs the network over a sequence of five. */
export function unroll(): { rnn: RNN; output: Tensor; hidden: Tensor } {
  const rnn = new RNN(3, 4)
  const [output, hidden] = rnn(torch.randn(5, 2, 3), torch.zeros(2, 4))
  console.log(output.shape, hidden.shape)
  return { rnn, output, hidden }
}

if (is_main(import.meta.url))
  for (const part of [in_place, indexing, index_add, tensor_to_array, array_to_tensor, long_tensor, unroll])
    part()
