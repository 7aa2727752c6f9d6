// torch.cpu's figures of memory, and that training in a synchronous loop, which never lets the event loop run, needs no
// more memory the longer it goes on.
import { describe, expect, test } from 'vitest'
import * as torch from '../../src/index.ts'

const MB = 2 ** 20

describe('torch.cpu.memory_stats', () => {
  test('counts what tensors take', () => {
    const before = torch.cpu.memory_allocated()
    const x = torch.zeros(8, MB)
    const held = torch.cpu.memory_allocated() - before
    expect(held).toBeGreaterThanOrEqual(30 * MB) // 32 MB, less what was collected meanwhile
    expect(held).toBeLessThan(40 * MB)
    expect(x.numel()).toBe(8 * MB)
  })

  test('has the keys of torch.cuda.memory_stats, and peaks not below what is held', () => {
    const stats = torch.cpu.memory_stats()
    for (const kind of ['allocated_bytes', 'reserved_bytes'] as const)
      expect(stats[`${kind}.all.peak`]).toBeGreaterThanOrEqual(stats[`${kind}.all.current`])
    expect(torch.cpu.memory_reserved()).toBeGreaterThanOrEqual(torch.cpu.memory_allocated())
  })

  test('peaks see what died since, until they are reset', () => {
    torch.cpu.reset_peak_memory_stats()
    const kept = Array.from({ length: 20 }, () => torch.zeros(MB))
    expect(torch.cpu.max_memory_allocated()).toBeGreaterThan(80 * MB)
    kept.length = 0
    for (let i = 0; i < 100; i++) torch.zeros(MB) // collected as it goes
    expect(torch.cpu.max_memory_allocated()).toBeGreaterThan(80 * MB)
    torch.cpu.reset_peak_memory_stats()
    expect(torch.cpu.max_memory_reserved()).toBeGreaterThanOrEqual(torch.cpu.memory_reserved())
  })
})

test('100,000 training steps in one synchronous loop stay flat', { timeout: 120_000 }, () => {
  const { nn, optim } = torch
  const model = new nn.Sequential(new nn.Linear(4, 4), new nn.Tanh(), new nn.Linear(4, 1))
  const optimizer = new optim.SGD(model.parameters(), { lr: 0.01 })
  const [x, y] = [torch.randn(2, 4), torch.randn(2, 1)]
  const resident: number[] = []
  for (let step = 0; step < 100_000; step++) {
    const loss = nn.functional.mse_loss(model(x), y)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    if (step % 20_000 === 19_999) resident.push(process.memoryUsage().rss)
  }
  expect(resident[4]! - resident[0]!).toBeLessThan(48 * MB)
})
