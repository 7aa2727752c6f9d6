// The network of the two demos and its training on handwritten digits (UCI, 8x8 pixels). Runs anywhere.
// Not here: reading the file and showing what happens (examples/digits.ts in a terminal, examples/browser/ in a page).
import type { Tensor } from '../../src/index.ts'
import * as torch from '../../src/index.ts'

const { nn, optim } = torch
const F = nn.functional

/** The digits that are learned; the 397 others are for the test. */
export const TRAIN = 1400
export const EPOCHS = 12
export const BATCH = 32
export const STEPS: number = Math.ceil(TRAIN / BATCH) * EPOCHS

/** Images (N, 1, 8, 8) in [0, 1] and labels (N). */
export type Digits = { readonly images: Tensor; readonly labels: Tensor }

/** From lines of 64 pixels from 0 to 16 and a label. */
export function parse_digits(text: string): Digits {
  const rows = text
    .trim()
    .split('\n')
    .map(line => line.split(',').map(Number))
  const images = torch.tensor(
    rows.map(row => row.slice(0, 64)),
    { dtype: torch.float32 },
  )
  return { images: images.view(-1, 1, 8, 8).div(16), labels: torch.tensor(rows.map(row => row[64]!)) }
}

export class Net extends nn.Module {
  features = new nn.Sequential(
    new nn.Conv2d(1, 32, 3, { padding: 1 }),
    new nn.BatchNorm2d(32),
    new nn.ReLU(),
    new nn.Conv2d(32, 64, 3, { padding: 1 }),
    new nn.BatchNorm2d(64),
    new nn.ReLU(),
    new nn.MaxPool2d(2),
  )
  classifier = new nn.Sequential(
    new nn.Flatten(),
    new nn.Linear(64 * 4 * 4, 64),
    new nn.ReLU(),
    new nn.Dropout(0.3),
    new nn.Linear(64, 10),
  )

  forward(x: Tensor): Tensor {
    return this.classifier(this.features(x))
  }
}

/** The images moved by up to one pixel, all the same way: the network should not care where a digit stands. */
function shifted(images: Tensor): Tensor {
  const [dy, dx] = torch.randint(0, 3, [2]).tolist() as [number, number]
  return F.pad(images, [1, 1, 1, 1]).at(':', ':', `${dy}:${dy + 8}`, `${dx}:${dx + 8}`)
}

/** Trains the model step by step; what it is asked for next is the next step. */
export function* train(model: Net, { images, labels }: Digits): Generator<{ epoch: number; loss: number }> {
  const optimizer = new optim.AdamW(model.parameters(), { lr: 2e-3, weight_decay: 1e-2 })
  const schedule = new optim.lr_scheduler.CosineAnnealingLR(optimizer, EPOCHS)
  for (let epoch = 0; epoch < EPOCHS; epoch++) {
    model.train()
    for (const batch of torch.randperm(TRAIN).split(BATCH)) {
      const loss = F.cross_entropy(model(shifted(images.at(batch))), labels.at(batch))
      optimizer.zero_grad()
      loss.backward()
      optimizer.step()
      yield { epoch, loss: loss.item() as number }
    }
    schedule.step()
  }
}

/** The accuracy on the digits that were not learned, and how often each (first index) was taken for each. */
export function test(model: Net, { images, labels }: Digits): { accuracy: number; confusion: number[][] } {
  model.eval()
  const truth = labels.at(`${TRAIN}:`)
  const predicted = torch.no_grad(() => model(images.at(`${TRAIN}:`)).argmax(1))
  const confusion = Array.from({ length: 10 }, () => new Array<number>(10).fill(0))
  const guesses = predicted.tolist() as number[]
  ;(truth.tolist() as number[]).forEach((t, i) => {
    confusion[t]![guesses[i]!]!++
  })
  return { accuracy: predicted.eq(truth).float().mean().item() as number, confusion }
}
