/**
 * Every scheduler with each of its options over 100 epochs, saved and loaded in the middle, against PyTorch's rates and momenta;
 * where a jump to an epoch leads, what is printed when verbose, and the errors for options that make no sense.
 */
import { afterEach, describe, expect, it, vi } from 'vitest'
import * as torch from '../../src/index.ts'
import recorded from '../data/optim/schedule_options.json' with { type: 'json' }

type Options = Record<string, unknown>
type Row = {
  readonly scheduler: string
  readonly options: Options
  readonly rates: readonly (readonly number[])[]
  readonly momenta?: readonly (readonly number[])[]
  readonly jumps?: readonly (readonly number[])[]
  readonly said?: readonly string[]
}
const { cases, errors, epochs, jumps } = recorded as unknown as {
  cases: Row[]
  errors: { scheduler: string; options: Options; error: string; message: string }[]
  epochs: number
  jumps: number[]
}
type Scheduler = {
  step(x?: number): void
  print_lr(verbose: boolean, group: number, lr: number, epoch?: number): void
  state_dict(): Record<string, unknown>
  load_state_dict(state: Record<string, unknown>): void
}

function sgd(): torch.optim.SGD {
  const leaf = (): torch.Tensor => torch.zeros(1, { requires_grad: true })
  return torch.optim.SGD([{ params: [leaf()] }, { params: [leaf()], lr: 0.03 }], { lr: 0.1, momentum: 0.9 })
}
const make = (name: string, optimizer: torch.optim.SGD, options: Options): Scheduler =>
  (torch.optim.lr_scheduler as unknown as Record<string, (o: unknown, options: Options) => Scheduler>)[name]!(
    optimizer,
    options,
  )
const metric = (epoch: number): number => Math.sin(epoch / 7) + 2 / (1 + epoch)
const step = (name: string, scheduler: Scheduler, epoch: number): void =>
  name === 'ReduceLROnPlateau' ? scheduler.step(metric(epoch)) : scheduler.step()

function expect_close(actual: readonly number[], expected: readonly number[], where: string): void {
  actual.forEach((x, i) => {
    expect(Math.abs(x - expected[i]!), `${where}: ${x}, not ${expected[i]}`).toBeLessThanOrEqual(
      1e-12 * Math.abs(expected[i]!) + 1e-15,
    )
  })
}

afterEach(() => {
  vi.restoreAllMocks()
})

describe.each(cases.map(c => [`${c.scheduler} ${JSON.stringify(c.options)}`, c] as const))('%s', (_, c) => {
  const { scheduler: name, options } = c

  it('sets the rates that PyTorch sets, saved and loaded in the middle', () => {
    let optimizer = sgd()
    let scheduler = make(name, optimizer, options)
    for (let epoch = 0; epoch < epochs; epoch++) {
      const rates = optimizer.param_groups.map(g => g.lr)
      const momenta = optimizer.param_groups.map(g => g.momentum)
      expect_close(rates, c.rates[epoch]!, `epoch ${epoch}`)
      expect_close(momenta, c.momenta?.[epoch] ?? [0.9, 0.9], `momentum of epoch ${epoch}`)
      optimizer.step()
      step(name, scheduler, epoch)
      if (epoch === 41) {
        const saved = [optimizer.state_dict(), scheduler.state_dict()] as const
        optimizer = sgd()
        scheduler = make(name, optimizer, options)
        optimizer.load_state_dict(saved[0])
        scheduler.load_state_dict(saved[1])
      }
    }
  })

  it.runIf(c.jumps)('jumps to the epoch that step is given', () => {
    vi.spyOn(console, 'warn').mockImplementation(() => undefined)
    const optimizer = sgd()
    const scheduler = make(name, optimizer, options)
    jumps.forEach((epoch, i) => {
      optimizer.step()
      scheduler.step(epoch)
      const rates = optimizer.param_groups.map(g => g.lr)
      expect_close(rates, c.jumps![i]!, `jump to ${epoch}`)
    })
  })

  it.runIf(c.said)('prints what PyTorch prints when verbose', () => {
    const said: string[] = []
    vi.spyOn(console, 'log').mockImplementation(line => void said.push(String(line)))
    const optimizer = sgd()
    const scheduler = make(name, optimizer, { ...options, verbose: true })
    for (let epoch = 0; epoch < 14; epoch++) {
      optimizer.step()
      step(name, scheduler, epoch)
    }
    if (name !== 'ReduceLROnPlateau') scheduler.print_lr(true, 1, 0.025, 3)
    expect(said).toEqual(c.said)
  })
})

describe('an option that makes no sense', () => {
  it.each(errors.map(e => [`${e.scheduler} ${JSON.stringify(e.options)}`, e] as const))('%s', (_, e) => {
    let thrown: unknown
    try {
      make(e.scheduler, sgd(), e.options)
    } catch (error) {
      thrown = error
    }
    expect(thrown).toBeInstanceOf(Error)
    expect(`${(thrown as Error).name}: ${(thrown as Error).message}`).toBe(`${e.error}: ${e.message}`)
  })
})
