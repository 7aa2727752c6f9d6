// The main job: a small convolutional network learns handwritten digits (UCI, 8x8 pixels) and is tested on digits it has
// not seen. Prints a progress bar, the accuracy and a confusion matrix; writes the loss curve as an SVG.
// Run: npm run demo
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { pathToFileURL } from 'node:url'
import { gunzipSync } from 'node:zlib'
import cliProgress from 'cli-progress'
import * as echarts from 'echarts'
import type { Tensor } from '../src/index.ts'
import * as torch from '../src/index.ts'

const { nn, optim } = torch
const F = nn.functional

const TRAIN = 1400
const EPOCHS = 12
const BATCH = 32

/** Images (N, 1, 8, 8) in [0, 1] and labels (N). */
export function load_digits(): { images: Tensor; labels: Tensor } {
  const text = gunzipSync(readFileSync(new URL('data/digits.csv.gz', import.meta.url))).toString()
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

export type Report = { accuracy: number; losses: number[]; confusion: number[][] }

/** Trains and tests; `on_batch` hears of every step. */
export function train(on_batch: (epoch: number, loss: number) => void = () => {}): Report {
  torch.manual_seed(0)
  const { images, labels } = load_digits()
  const model = new Net()
  const optimizer = new optim.AdamW(model.parameters(), { lr: 2e-3, weight_decay: 1e-2 })
  const schedule = new optim.lr_scheduler.CosineAnnealingLR(optimizer, EPOCHS)
  const losses: number[] = []
  for (let epoch = 0; epoch < EPOCHS; epoch++) {
    model.train()
    for (const batch of torch.randperm(TRAIN).split(BATCH)) {
      const loss = F.cross_entropy(model(shifted(images.at(batch))), labels.at(batch))
      optimizer.zero_grad()
      loss.backward()
      optimizer.step()
      losses.push(loss.item() as number)
      on_batch(epoch, losses[losses.length - 1]!)
    }
    schedule.step()
  }
  return { losses, ...test(model, images.at(`${TRAIN}:`), labels.at(`${TRAIN}:`)) }
}

function test(model: Net, images: Tensor, labels: Tensor): { accuracy: number; confusion: number[][] } {
  model.eval()
  const predicted = torch.no_grad(() => model(images).argmax(1))
  const confusion = Array.from({ length: 10 }, () => new Array<number>(10).fill(0))
  const [truth, guess] = [labels.tolist(), predicted.tolist()] as [number[], number[]]
  truth.forEach((t, i) => {
    confusion[t]![guess[i]!]!++
  })
  return { accuracy: predicted.eq(labels).float().mean().item() as number, confusion }
}

/** The loss of each step, and its running mean, as an SVG. */
export function loss_curve(losses: readonly number[]): string {
  let mean = losses[0]!
  const smooth = losses.map(loss => (mean += 0.05 * (loss - mean)))
  const chart = echarts.init(null, null, { renderer: 'svg', ssr: true, width: 720, height: 400 })
  const line = (name: string, data: readonly number[], color: string, width: number) => ({
    name,
    type: 'line' as const,
    showSymbol: false,
    data: data.map((y, x) => [x, y]),
    lineStyle: { width, color },
    itemStyle: { color },
  })
  chart.setOption({
    animation: false,
    title: { text: 'Training loss on handwritten digits', left: 'center' },
    legend: { top: 28 },
    xAxis: { type: 'value', name: 'step', nameLocation: 'middle', nameGap: 26, max: losses.length },
    yAxis: { type: 'log', name: 'cross entropy' },
    series: [line('each step', losses, '#b0c4de', 1), line('running mean', smooth, '#1f4e8c', 2)],
  })
  const svg = chart.renderToSVGString()
  chart.dispose()
  return svg
}

function confusion_text(confusion: readonly (readonly number[])[]): string {
  const cell = (x: number | string): string => String(x).padStart(4)
  const header = ['true'.padEnd(5), ...confusion.map((_, d) => cell(d))].join('')
  const rows = confusion.map((row, d) =>
    [String(d).padEnd(5), ...row.map(n => cell(n === 0 ? '.' : n))].join(''),
  )
  return [`${' '.repeat(5)}predicted`, header, ...rows].join('\n')
}

function main(): void {
  const batches = Math.ceil(TRAIN / BATCH) * EPOCHS
  const bar = new cliProgress.SingleBar({
    format: 'epoch {epoch} |{bar}| {percentage}% | loss {loss} | {duration_formatted}',
    barCompleteChar: '█',
    barIncompleteChar: ' ',
    noTTYOutput: true,
    notTTYSchedule: 1000,
  })
  console.log(`Learning ${TRAIN} handwritten digits, ${EPOCHS} times over.`)
  bar.start(batches, 0, { epoch: 1, loss: '-' })
  const begin = performance.now()
  const { accuracy, losses, confusion } = train((epoch, loss) =>
    bar.increment({ epoch: epoch + 1, loss: loss.toFixed(3) }),
  )
  bar.stop()
  const seconds = (performance.now() - begin) / 1000
  console.log(
    `\nAccuracy on 397 digits it has not seen: ${(100 * accuracy).toFixed(1)} % after ${seconds.toFixed(1)} s\n`,
  )
  console.log(confusion_text(confusion))
  const folder = new URL('output/', import.meta.url)
  mkdirSync(folder, { recursive: true })
  writeFileSync(new URL('digits_loss.svg', folder), loss_curve(losses))
  console.log('\nThe loss curve is in examples/output/digits_loss.svg')
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) main()
