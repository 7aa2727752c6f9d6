// The main job: a small convolutional network learns handwritten digits and is tested on digits it has not seen.
// Prints a progress bar, the accuracy and a confusion matrix; writes the loss curve as an SVG.
// Run: npm run demo. Not here: the network and its training (support/digits.ts).
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { pathToFileURL } from 'node:url'
import { gunzipSync } from 'node:zlib'
import cliProgress from 'cli-progress'
import * as echarts from 'echarts'
import * as torch from '../src/index.ts'
import { type Digits, EPOCHS, Net, parse_digits, STEPS, TRAIN, test, train } from './support/digits.ts'

export const load_digits = (): Digits =>
  parse_digits(gunzipSync(readFileSync(new URL('data/digits.csv.gz', import.meta.url))).toString())

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
  const bar = new cliProgress.SingleBar({
    format: 'epoch {epoch} |{bar}| {percentage}% | loss {loss} | {duration_formatted}',
    barCompleteChar: '█',
    barIncompleteChar: ' ',
    noTTYOutput: true,
    notTTYSchedule: 1000,
  })
  console.log(`Learning ${TRAIN} handwritten digits, ${EPOCHS} times over.`)
  bar.start(STEPS, 0, { epoch: 1, loss: '-' })
  const begin = performance.now()
  torch.manual_seed(0)
  const digits = load_digits()
  const model = new Net()
  const losses: number[] = []
  for (const { epoch, loss } of train(model, digits)) {
    losses.push(loss)
    bar.increment({ epoch: epoch + 1, loss: loss.toFixed(3) })
  }
  const { accuracy, confusion } = test(model, digits)
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
