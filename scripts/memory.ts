// Peak memory of training steps against PyTorch's: each side in a process of its own, the growth of its resident set's
// peak since after the import. Run: npx tsx scripts/memory.ts [python], with a python that has torch 1.13.1.
// Not here: times (scripts/bench/).
import { spawnSync } from 'node:child_process'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Tensor } from '../src/index.ts'
import * as torch from '../src/index.ts'

const { nn, optim } = torch
const F = nn.functional

const STEPS = 30
const MB = 2 ** 20

function steps(
  parameters: Iterable<Tensor>,
  make: (parameters: Iterable<Tensor>) => { zero_grad(): void; step(): unknown },
  loss_of: () => Tensor,
): () => void {
  const optimizer = make(parameters)
  return () => {
    const loss = loss_of()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
  }
}

const adam = (p: Iterable<Tensor>) => new optim.Adam(p)

const workloads: Record<string, () => () => void> = {
  mlp: () => {
    const model = new nn.Sequential(new nn.Linear(784, 512), new nn.ReLU(), new nn.Linear(512, 10))
    const [x, y] = [torch.randn(128, 784), torch.randint(0, 10, [128])]
    return steps(model.parameters(), adam, () => F.cross_entropy(model(x), y))
  },
  cnn: () => {
    const model = new nn.Sequential(
      ...[
        new nn.Conv2d(3, 32, 3, { padding: 1 }),
        new nn.BatchNorm2d(32),
        new nn.ReLU(),
        new nn.MaxPool2d(2),
      ],
      ...[
        new nn.Conv2d(32, 64, 3, { padding: 1 }),
        new nn.BatchNorm2d(64),
        new nn.ReLU(),
        new nn.MaxPool2d(2),
      ],
      ...[new nn.Flatten(), new nn.Linear(64 * 8 * 8, 10)],
    )
    const [x, y] = [torch.randn(64, 3, 32, 32), torch.randint(0, 10, [64])]
    const sgd = (p: Iterable<Tensor>) => new optim.SGD(p, { lr: 0.01, momentum: 0.9 })
    return steps(model.parameters(), sgd, () => F.cross_entropy(model(x), y))
  },
  attention: () => {
    const make = () => torch.randn(1, 8, 2048, 64, { requires_grad: true })
    const [q, k, v] = [make(), make(), make()]
    return () => torch.autograd.grad([F.scaled_dot_product_attention(q, k, v).sum()], [q, k, v])
  },
  lstm: () => {
    const [embedding, model, head] = [
      new nn.Embedding(1000, 128),
      new nn.LSTM(128, 128),
      new nn.Linear(128, 1000),
    ]
    const [x, y] = [torch.randint(0, 1000, [16, 32]), torch.randint(0, 1000, [512])]
    const parameters = [...embedding.parameters(), ...model.parameters(), ...head.parameters()]
    return steps(parameters, adam, () => F.cross_entropy(head(model(embedding(x))[0].flatten(0, 1)), y))
  },
}

const peak = (): number => process.resourceUsage().maxRSS * 1024

function growth(name: string): number {
  torch.tensor([1, 2]).add(1) // the device is up
  const before = peak()
  const step = workloads[name]!()
  for (let i = 0; i < STEPS; i++) step()
  return peak() - before
}

function run(command: string, ...args: readonly string[]): number {
  const { stdout, stderr, status } = spawnSync(command, args, { encoding: 'utf8' })
  if (status !== 0) throw new Error(stderr)
  return Number(stdout.trim().split('\n').at(-1)) / MB
}

const self = fileURLToPath(import.meta.url)
const [only, python = 'python3'] =
  process.argv[2] === '--only' ? [process.argv[3]] : [undefined, process.argv[2]]
if (only !== undefined) console.log(growth(only))
else {
  console.log('| step | tstorch MB | PyTorch MB | ratio |\n|---|--:|--:|--:|')
  for (const name of Object.keys(workloads)) {
    const own = run(process.execPath, ...process.execArgv, self, '--only', name)
    const other = run(python, '-P', join(dirname(self), 'memory.py'), name, String(STEPS))
    console.log(`| ${name} | ${own.toFixed(1)} | ${other.toFixed(1)} | ${(own / other).toFixed(2)} |`)
  }
}
