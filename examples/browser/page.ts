// The page: trains the network, draws the loss as it falls, and says which digit was drawn.
// Not here: the network (support/digits.ts), the server that sends the page (serve.ts).
import type { Tensor } from '../../src/index.ts'
import * as torch from '../../src/index.ts'
import { EPOCHS, Net, parse_digits, STEPS, TRAIN, test, train } from '../support/digits.ts'

const element = <T extends HTMLElement>(id: string): T => document.getElementById(id) as T
const say = (text: string): void => {
  element('status').textContent = text
}
/** Lets the page be drawn and used between two steps; until then the memory of dead tensors is not free either. */
const next_task = (): Promise<void> =>
  new Promise(resolve => {
    const { port1, port2 } = new MessageChannel()
    port1.onmessage = () => resolve()
    port2.postMessage(null)
  })

// ---------------------------------------------------------------------------------------- the loss curve

const curve = element<HTMLCanvasElement>('loss')

const HIGHEST = 3
const LOWEST = 0.01

/** The running mean of the loss, in a logarithmic scale. */
function draw_loss(means: readonly number[]): void {
  const paint = curve.getContext('2d')!
  const [top, bottom] = [Math.log(HIGHEST), Math.log(LOWEST)]
  paint.clearRect(0, 0, curve.width, curve.height)
  paint.font = '24px sans-serif'
  paint.fillText(`cross entropy ${HIGHEST}`, 12, 32)
  paint.fillText(String(LOWEST), 12, curve.height - 14)
  paint.beginPath()
  means.forEach((mean, step) => {
    paint.lineTo(
      (step / STEPS) * curve.width,
      ((top - Math.log(Math.max(mean, LOWEST))) / (top - bottom)) * curve.height,
    )
  })
  paint.strokeStyle = '#1f4e8c'
  paint.lineWidth = 3
  paint.stroke()
}

// --------------------------------------------------------------------------------------- the drawing pad

const pad = element<HTMLCanvasElement>('pad')
const ink = pad.getContext('2d', { willReadFrequently: true })!
const SIDE = pad.width

function clear_pad(): void {
  ink.fillStyle = 'black'
  ink.fillRect(0, 0, SIDE, SIDE)
}

/** The drawing as the data has digits: scaled to 8x8 pixels, the digit as high as the image. Null if nothing is drawn. */
function drawn_image(): Tensor | null {
  const shades = torch
    .tensor(ink.getImageData(0, 0, SIDE, SIDE).data)
    .view(SIDE, SIDE, 4)
    .at('...', 0)
    .to(torch.float32)
    .div(255)
  const places = shades.gt(0.3).nonzero()
  if (places.size(0) === 0) return null
  const [y0, x0] = places.amin(0).tolist() as [number, number]
  const [y1, x1] = places.amax(0).tolist() as [number, number]
  const side = Math.max(y1 - y0, x1 - x0) + 1
  const digit = shades.at(`${y0}:${y1 + 1}`, `${x0}:${x1 + 1}`)
  const [rows, columns] = [digit.size(0), digit.size(1)]
  const [left, above] = [(side - columns) >> 1, (side - rows) >> 1]
  const square = torch.nn.functional.pad(digit, [left, side - columns - left, above, side - rows - above])
  return torch.nn.functional.adaptive_avg_pool2d(square.view(1, 1, side, side), 8)
}

function let_draw(on_change: () => void): void {
  clear_pad()
  ink.lineCap = ink.lineJoin = 'round'
  ink.lineWidth = SIDE / 9
  ink.strokeStyle = 'white'
  let from: readonly [x: number, y: number] | null = null
  const at = (event: PointerEvent): readonly [number, number] => [
    (event.offsetX / pad.clientWidth) * SIDE,
    (event.offsetY / pad.clientHeight) * SIDE,
  ]
  pad.addEventListener('pointerdown', event => {
    from = at(event)
    pad.setPointerCapture(event.pointerId)
  })
  pad.addEventListener('pointermove', event => {
    if (from === null) return
    ink.beginPath()
    ink.moveTo(...from)
    from = at(event)
    ink.lineTo(...from)
    ink.stroke()
    on_change()
  })
  pad.addEventListener('pointerup', () => {
    from = null
  })
  element('clear').addEventListener('click', () => {
    clear_pad()
    on_change()
  })
}

const meters = Array.from({ length: 10 }, (_, digit) => {
  const meter = document.createElement('meter')
  const percent = document.createElement('span')
  element('bars').append(String(digit), meter, percent)
  return { meter, percent }
})

function show(probabilities: readonly number[] | null): void {
  meters.forEach(({ meter, percent }, digit) => {
    const p = probabilities?.[digit] ?? 0
    meter.value = p
    percent.textContent = probabilities === null ? '' : `${(100 * p).toFixed(0)} %`
  })
}

// --------------------------------------------------------------------------------------------- the work

async function main(): Promise<void> {
  torch.manual_seed(0)
  const digits = parse_digits(await (await fetch('digits.csv')).text())
  const model = new Net()
  const means: number[] = []
  const begin = performance.now()
  for (const { epoch, loss } of train(model, digits)) {
    const mean = means.length === 0 ? loss : means[means.length - 1]!
    means.push(mean + 0.05 * (loss - mean))
    if (means.length % 10 === 0) {
      say(`Epoch ${epoch + 1} of ${EPOCHS}, loss ${means[means.length - 1]!.toFixed(3)}`)
      draw_loss(means)
    }
    await next_task()
  }
  const seconds = ((performance.now() - begin) / 1000).toFixed(1)
  const { accuracy } = test(model, digits)
  say(
    `Learned ${TRAIN} digits, ${EPOCHS} times over, in ${seconds} s on ${torch.get_num_threads()} thread(s); ` +
      `knows ${(100 * accuracy).toFixed(1)} % of 397 others.`,
  )
  let_draw(() => {
    const image = drawn_image()
    const probabilities = image && torch.no_grad(() => model(image).softmax(1).at(0))
    show(probabilities && (probabilities.tolist() as number[]))
  })
  document.body.dataset['accuracy'] = String(accuracy)
}

main().catch((error: unknown) => say(String(error)))
