// Memory is ours, never the user's: a synchronous loop of 20,000 training steps, in which no callback can run and
// nothing is freed by hand, holds its memory flat. Slow: it runs in a process of its own.
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

const program = `
  import * as torch from ${JSON.stringify(new URL('../src/index.ts', import.meta.url).href)}
  const { nn, optim } = torch
  torch.manual_seed(0)
  const model = new nn.Sequential(new nn.Linear(100, 50), new nn.ReLU(), new nn.Linear(50, 10))
  const optimizer = new optim.SGD(model.parameters(), { lr: 1e-4, momentum: 0.9 })
  const x = torch.randn(64, 100)
  const y = torch.randn(64, 10)
  const used = []
  for (let step = 1; step <= 20_000; step++) {
    const loss = nn.functional.mse_loss(model(x), y)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    if (step % 2_000 === 0) used.push(process.memoryUsage().rss / 2 ** 20)
  }
  console.log(JSON.stringify(used))
`

test('20,000 training steps in a synchronous loop hold their memory flat', () => {
  const run = spawnSync(process.execPath, ['--import', 'tsx', '--input-type=module', '--eval', program], {
    cwd: fileURLToPath(new URL('..', import.meta.url)),
    encoding: 'utf8',
    timeout: 600_000,
  })
  expect(run.stderr.replace(/^npm warn.*$/gm, ''), run.stderr).not.toMatch(/Error/)
  const megabytes = JSON.parse(run.stdout) as number[]
  const early = Math.max(...megabytes.slice(0, 3))
  const late = Math.max(...megabytes.slice(-3))
  expect(late - early, `resident MB every 2,000 steps: ${megabytes.map(Math.round).join(' ')}`).toBeLessThan(
    40,
  )
}, 600_000)
