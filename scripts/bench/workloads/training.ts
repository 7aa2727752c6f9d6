// Whole steps of training: forward, backward, optimizer; and inference.
import * as torch from '../../../src/index.ts'
import { group, type Scale, type Workload } from '../table.ts'

const { nn, optim } = torch
const F = nn.functional

type Loss = () => torch.Tensor
type Optimizer = { zero_grad(): void; step(): unknown }

const step_of = (optimizer: Optimizer, loss: Loss) => (): void => {
  optimizer.zero_grad()
  loss().backward()
  optimizer.step()
}

const two_layers = (from: number, hidden: number, to: number) =>
  new nn.Sequential(new nn.Linear(from, hidden), new nn.ReLU(), new nn.Linear(hidden, to))

/** Steps of a network of two layers that learns `batch` random vectors. */
function regression(
  [batch, from, hidden, to]: [number, number, number, number],
  adam: boolean,
): Workload['make'] {
  return n => {
    const model = two_layers(n(from), n(hidden), n(to))
    const [x, y] = [torch.randn(n(batch), n(from)), torch.randn(n(batch), n(to))]
    const loss = new nn.MSELoss({ reduction: 'sum' })
    const optimizer = adam
      ? new optim.Adam(model.parameters(), { lr: 1e-4 })
      : new optim.SGD(model.parameters(), { lr: 1e-4 })
    return step_of(optimizer, () => loss(model(x), y))
  }
}

class CNN extends nn.Module {
  conv1: torch.nn.Conv2d
  conv2: torch.nn.Conv2d
  pool = new nn.MaxPool2d(2)
  head: torch.nn.Linear

  constructor(n: Scale) {
    super()
    this.conv1 = new nn.Conv2d(3, n(32), 3, { padding: 1 })
    this.conv2 = new nn.Conv2d(n(32), n(64), 3, { padding: 1 })
    this.head = new nn.Linear(n(64) * (n(32) / 4) ** 2, 10)
  }

  forward(x: torch.Tensor): torch.Tensor {
    x = this.pool(this.conv1(x).relu())
    x = this.pool(this.conv2(x).relu())
    return this.head(x.flatten(1))
  }
}

class LanguageModel extends nn.Module {
  embed: torch.nn.Embedding
  lstm: torch.nn.LSTM
  head: torch.nn.Linear

  constructor(vocabulary: number, width: number) {
    super()
    this.embed = new nn.Embedding(vocabulary, width)
    this.lstm = new nn.LSTM(width, width)
    this.head = new nn.Linear(width, vocabulary)
  }

  forward(words: torch.Tensor): torch.Tensor {
    const [y] = this.lstm(this.embed(words))
    return this.head(y)
  }
}

/** Attention and two linear layers, each behind a layer norm and added to what came in. */
class Block extends nn.Module {
  heads: number
  norm1: torch.nn.LayerNorm
  norm2: torch.nn.LayerNorm
  qkv: torch.nn.Linear
  out: torch.nn.Linear
  up: torch.nn.Linear
  down: torch.nn.Linear

  constructor(width: number, heads: number, hidden: number) {
    super()
    this.heads = heads
    this.norm1 = new nn.LayerNorm(width)
    this.norm2 = new nn.LayerNorm(width)
    this.qkv = new nn.Linear(width, 3 * width)
    this.out = new nn.Linear(width, width)
    this.up = new nn.Linear(width, hidden)
    this.down = new nn.Linear(hidden, width)
  }

  forward(x: torch.Tensor): torch.Tensor {
    const [batch, time, width] = x.size() as unknown as [number, number, number]
    const head = width / this.heads
    const [q, k, v] = this.qkv(this.norm1(x))
      .view(batch, time, 3, this.heads, head)
      .permute(2, 0, 3, 1, 4)
      .unbind(0) as [torch.Tensor, torch.Tensor, torch.Tensor]
    const weights = q
      .matmul(k.transpose(-2, -1))
      .mul(head ** -0.5)
      .softmax(-1)
    x = x.add(this.out(weights.matmul(v).transpose(1, 2).reshape(batch, time, width)))
    return x.add(this.down(this.up(this.norm2(x)).relu()))
  }
}

const encoder = (n: Scale) =>
  new nn.Sequential(
    ...Array.from({ length: 4 }, () => new Block(n(128), n(4), n(512))),
    new nn.LayerNorm(n(128)),
  )

export const training: Workload[] = group('training steps, inference', {
  'MLP 4 x 8-8-2, SGD': regression([4, 8, 8, 2], false),
  'MLP 64 x 1000-100-10, SGD': regression([64, 1000, 100, 10], false),
  'MLP 64 x 1000-100-10, Adam': regression([64, 1000, 100, 10], true),
  'MLP 128 x 784-512-10, Adam': n => {
    const model = two_layers(n(784), n(512), 10)
    const x = torch.randn(n(128), n(784))
    const y = torch.randint(0, 10, [n(128)])
    const optimizer = new optim.Adam(model.parameters(), { lr: 1e-4 })
    return step_of(optimizer, () => F.cross_entropy(model(x), y))
  },
  'CNN [64, 3, 32, 32], SGD with momentum': n => {
    const model = new CNN(n)
    const x = torch.randn(n(64), 3, n(32), n(32))
    const y = torch.randint(0, 10, [n(64)])
    const optimizer = new optim.SGD(model.parameters(), { lr: 0.01, momentum: 0.9 })
    return step_of(optimizer, () => F.cross_entropy(model(x), y))
  },
  'CNN [64, 3, 32, 32], inference': n => {
    const model = new CNN(n)
    const x = torch.randn(n(64), 3, n(32), n(32))
    return () => torch.no_grad(() => model(x))
  },
  'LSTM language model [32, 16], Adam': n => {
    const model = new LanguageModel(n(1000), n(128))
    const x = torch.randint(0, n(1000), [n(32), n(16)])
    const y = torch.randint(0, n(1000), [n(32) * n(16)])
    const optimizer = new optim.Adam(model.parameters(), { lr: 1e-3 })
    return step_of(optimizer, () => F.cross_entropy(model(x).view(-1, n(1000)), y))
  },
  'transformer, 4 layers [16, 64, 128], Adam': n => {
    const model = encoder(n)
    const head = new nn.Linear(n(128), 10)
    const x = torch.randn(n(16), n(64), n(128))
    const y = torch.randint(0, 10, [n(16)])
    const optimizer = new optim.Adam([...model.parameters(), ...head.parameters()], { lr: 1e-4 })
    return step_of(optimizer, () => F.cross_entropy(head(model(x).mean(1)), y))
  },
  'transformer, 4 layers [16, 64, 128], inference': n => {
    const model = encoder(n)
    const x = torch.randn(n(16), n(64), n(128))
    return () => torch.no_grad(() => model(x))
  },
})
