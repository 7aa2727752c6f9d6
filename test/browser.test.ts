// Where there is no Node: an engine with nothing but JavaScript, and a page in Chromium where one is installed, with and
// without the headers that let threads share memory. The numbers have to be those of the default device here.
import { spawn } from 'node:child_process'
import { accessSync, constants, mkdtempSync, rmSync } from 'node:fs'
import { createServer, type IncomingMessage, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { createContext, runInContext } from 'node:vm'
import { rolldown } from 'rolldown'
import { beforeAll, describe, expect, test } from 'vitest'
import * as torch from '../src/index.ts'

/** The steps of a small training, as a text to be run anywhere: returns the losses, and what `print` shows of one. */
const program = `
  torch.manual_seed(0)
  const { nn, optim } = torch
  const model = new nn.Sequential(
    new nn.Conv2d(3, 8, 3, { padding: 1 }), new nn.ReLU(), new nn.MaxPool2d(2), new nn.Flatten(), new nn.Linear(2048, 10))
  const optimizer = new optim.Adam(model.parameters(), { lr: 1e-3 })
  const [x, y] = [torch.randn(32, 3, 32, 32), torch.randint(0, 10, [32])]
  const losses = []
  let loss
  for (let step = 0; step < 5; step++) {
    loss = nn.functional.cross_entropy(model(x), y)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    losses.push(loss.item())
  }
  return { losses, printed: String(loss.detach()) }
`
type Outcome = { readonly losses: readonly number[]; readonly printed: string }

const here = (): Outcome => new Function('torch', program)(torch) as Outcome

/** Other kernels round otherwise; after five steps of Adam that is still in the sixth digit. */
function expect_same(there: Outcome): void {
  const { losses, printed } = here()
  expect(there.losses).toHaveLength(losses.length)
  there.losses.forEach((loss, i) => {
    expect(loss).toBeCloseTo(losses[i]!, 4)
  })
  expect(there.losses[4]).toBeLessThan(there.losses[0]!)
  expect(there.printed.slice(0, 9)).toBe(printed.slice(0, 9))
}

/** The library as one script that makes a global `torch`. */
let script = ''
beforeAll(async () => {
  const bundle = await rolldown({
    input: 'src/index.ts',
    platform: 'neutral',
    transform: { define: { 'import.meta': '{}' } },
  })
  const { output } = await bundle.generate({ format: 'iife', name: 'torch' })
  await bundle.close()
  script = output[0].code
})

test('the library needs nothing but JavaScript', () => {
  const context = createContext({})
  runInContext(`${script}; globalThis.torch = torch`, context)
  expect_same(runInContext(`(() => { ${program} })()`, context) as Outcome)
})

const chromium = ['chromium', 'chromium-browser', 'google-chrome']
  .flatMap(name => (process.env['PATH'] ?? '').split(delimiter).map(folder => join(folder, name)))
  .find(path => {
    try {
      accessSync(path, constants.X_OK)
      return true
    } catch {
      return false
    }
  })

type FromPage = Outcome & { readonly threads: number; readonly error?: string }

const page = `<!doctype html><script src="/torch.js"></script><script type="module">
  let result
  try {
    result = { ...(() => { ${program} })(), threads: torch.get_num_threads() }
  } catch (error) {
    result = { error: String(error?.stack ?? error) }
  }
  await fetch('/result', { method: 'POST', body: JSON.stringify(result) })
</script>`

async function text_of(request: IncomingMessage): Promise<string> {
  let text = ''
  for await (const chunk of request) text += String(chunk)
  return text
}

/** What the page says, opened in Chromium; `isolated` sends the headers that let it share memory. */
async function in_chromium(path: string, isolated: boolean): Promise<FromPage> {
  const profile = mkdtempSync(join(tmpdir(), 'tstorch-chromium-'))
  let server: Server | undefined
  let stop: (() => void) | undefined
  try {
    return await new Promise<FromPage>((resolve, reject) => {
      server = createServer(async (request, response) => {
        if (isolated) {
          response.setHeader('Cross-Origin-Opener-Policy', 'same-origin')
          response.setHeader('Cross-Origin-Embedder-Policy', 'require-corp')
        }
        if (request.method === 'POST') {
          resolve(JSON.parse(await text_of(request)) as FromPage)
          response.end()
        } else if (request.url === '/torch.js') {
          response.setHeader('Content-Type', 'text/javascript').end(script)
        } else {
          response.setHeader('Content-Type', 'text/html').end(page)
        }
      }).listen(0, '127.0.0.1', () => {
        const { port } = server!.address() as AddressInfo
        const flags = ['--headless', '--no-sandbox', '--disable-gpu', `--user-data-dir=${profile}`]
        const browser = spawn(path, [...flags, `http://127.0.0.1:${port}/`], {
          stdio: 'ignore',
          detached: true,
        })
        browser.on('error', reject)
        browser.on('exit', code => reject(new Error(`Chromium ended with ${code}`)))
        stop = () => process.kill(-browser.pid!, 'SIGKILL')
      })
    })
  } finally {
    stop?.()
    server?.close()
    rmSync(profile, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 })
  }
}

describe.skipIf(chromium === undefined)('in Chromium, if there is one,', () => {
  test.each([
    ['a page that is isolated computes on several threads', true],
    ['any other page computes on one', false],
  ])('%s', async (_, isolated) => {
    const result = await in_chromium(chromium!, isolated)
    expect(result.error).toBeUndefined()
    expect_same(result)
    expect(result.threads).toBe(isolated ? torch.get_num_threads() : 1)
  })
})
