// Specification of device/pool.ts on the native device: memory of large tensors that died is used again, and that of tensors
// which live never is, whoever collects and however old they are. TSTORCH_POISON=1 fills what died with NaNs.
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { beforeAll, describe, expect, test } from 'vitest'
import { pooled_bytes } from '../../src/device/pool.ts'
import type { Tensor } from '../../src/index.ts'
import * as torch from '../../src/index.ts'

const MB = 2 ** 20
const native = (process.env['TSTORCH_CPU'] ?? 'native') === 'native'
/** A tensor of about so many bytes, all of one value. */
const made = (nbytes: number, value: number): Tensor =>
  torch.full([Math.ceil(nbytes / 4)], value, { dtype: torch.float32 })
const is_still = (t: Tensor, value: number): boolean => t.eq(value).all().item() === true

let gc: (options?: { type: 'minor' }) => void
beforeAll(() => {
  setFlagsFromString('--expose-gc')
  gc = runInNewContext('gc') as typeof gc
  setFlagsFromString('--no-expose-gc')
})

// First, while there is nothing to use again.
test.runIf(native)('steps of training hold what they need, and ask V8 for nothing more', () => {
  const { nn, optim } = torch
  torch.manual_seed(0)
  const model = new nn.Sequential(
    new nn.Conv2d(3, 16, 3, { padding: 1 }),
    new nn.ReLU(),
    new nn.MaxPool2d(2),
    new nn.Conv2d(16, 32, 3, { padding: 1 }),
    new nn.ReLU(),
    new nn.MaxPool2d(2),
    new nn.Flatten(),
    new nn.Linear(32 * 64, 10),
  )
  const optimizer = new optim.SGD(model.parameters(), { lr: 0.01, momentum: 0.9 })
  const [x, y] = [torch.randn(64, 3, 32, 32), torch.randint(0, 10, [64])]
  const step = (): void => {
    const loss = nn.functional.cross_entropy(model(x), y)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
  }
  const empty = torch.cpu.memory_reserved()
  for (let i = 0; i < 20; i++) step()
  const held = torch.cpu.memory_reserved()
  torch.cpu.reset_peak_memory_stats()
  for (let i = 0; i < 40; i++) step()
  expect(torch.cpu.max_memory_reserved() - held).toBeLessThan(MB)
  // Convolutions, activations and pooling with indices make 4 + 4 + 1 + 2 MB, then half of it; gradients take less.
  expect(held - empty).toBeLessThan(3 * 16.5 * MB)
})

describe.runIf(native)('large results', () => {
  test('that died make room for others', () => {
    for (let i = 0; i < 100; i++) made(MB, i)
    const before = torch.cpu.memory_reserved()
    for (let i = 0; i < 400; i++) made(MB, i)
    expect(torch.cpu.memory_reserved() - before).toBeLessThan(4 * MB)
  })

  test('that live stay as they are, through collections of either kind', () => {
    let seed = 1
    const random = (n: number): number => {
      seed = (seed * 48271) % 2147483647
      return seed % n
    }
    const living: { t: Tensor; value: number }[] = []
    for (let i = 0; i < 3000; i++) {
      const t = made(5000 + random(40) * 10_000, i)
      const move = random(10)
      if (move < 4) living.push({ t: move === 0 ? t.view(-1, 1).t() : t, value: i })
      if (move === 4) living.push({ t: t.data, value: i })
      if (living.length > 60) living.splice(random(60), 1)
      if (i % 97 === 0) gc(random(3) === 0 ? undefined : { type: 'minor' })
      if (i % 50 === 0) for (const { t, value } of living) expect(is_still(t, value)).toBe(true)
    }
  })

  test('whose arrays somebody has are not used again', () => {
    const arrays = Array.from({ length: 8 }, (_, i) => made(MB, i).numpy() as Float32Array)
    const buffers = Array.from({ length: 8 }, (_, i) => {
      const t = made(MB, 100 + i)
      return new Float32Array(t.memory.buffer as ArrayBuffer, t.memory.byte_offset, t.count)
    })
    gc()
    for (let i = 0; i < 200; i++) made(MB, -1)
    expect(arrays.map(a => [a[0], a.at(-1)])).toEqual(arrays.map((_, i) => [i, i]))
    expect(buffers.map(a => [a[0], a.at(-1)])).toEqual(buffers.map((_, i) => [100 + i, 100 + i]))
  })

  test('that live through many others before they die are freed, without any backward pass', () => {
    const ring: Tensor[] = []
    const turn = (n: number): void => {
      for (let i = 0; i < n; i++) ring[i % 40] = made(2 * MB, i)
    }
    turn(400)
    const before = torch.cpu.memory_reserved()
    turn(1000)
    expect(torch.cpu.memory_reserved() - before).toBeLessThan(300 * MB)
  })

  test('that nothing needs any more are left to V8', () => {
    for (let i = 0; i < 64; i++) made(3 * MB, i)
    for (let i = 0; i < 6000; i++) made(MB, i)
    expect(pooled_bytes()).toBeLessThan(64 * MB)
  })
})
