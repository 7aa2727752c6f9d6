// The two demos: the network learns the digits, and the server sends the page that does the same in a browser.
import type { AddressInfo } from 'node:net'
import { expect, test } from 'vitest'
import { serve } from '../../examples/browser/serve.ts'
import { load_digits } from '../../examples/digits.ts'
import { Net, parse_digits, STEPS, test as test_digits, train } from '../../examples/support/digits.ts'
import * as torch from '../../src/index.ts'

test('the network knows the digits that it has not seen', () => {
  torch.manual_seed(0)
  const digits = load_digits()
  const model = new Net()
  expect([...train(model, digits)]).toHaveLength(STEPS)
  const { accuracy, confusion } = test_digits(model, digits)
  expect(accuracy).toBeGreaterThan(0.96)
  expect(confusion.flat().reduce((a, b) => a + b)).toBe(397)
  expect(confusion.reduce((right, row, i) => right + row[i]!, 0) / 397).toBeCloseTo(accuracy, 6)
})

test('the server sends the page, its script and the digits, and lets the page have threads', async () => {
  const server = await serve()
  try {
    const get = (path: string) => fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}${path}`)
    const page = await get('/')
    expect(page.headers.get('cross-origin-opener-policy')).toBe('same-origin')
    expect(page.headers.get('cross-origin-embedder-policy')).toBe('require-corp')
    expect(await page.text()).toContain('src="page.js"')
    const script = await get('/page.js')
    expect(script.headers.get('content-type')).toBe('text/javascript')
    expect(await script.text()).toContain('cross entropy')
    const { images, labels } = parse_digits(await (await get('/digits.csv')).text())
    const here = load_digits()
    expect(images.equal(here.images)).toBe(true)
    expect(labels.equal(here.labels)).toBe(true)
    expect((await get('/no-such-page')).status).toBe(404)
  } finally {
    server.close()
  }
})
