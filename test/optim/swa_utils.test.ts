// torch.optim.swa_utils against PyTorch: averages over training, statistics of BatchNorms, learning rates, errors.
import { describe, expect, test } from 'vitest'
import * as torch from '../../src/index.ts'
import recorded from '../data/optim/swa.json' with { type: 'json' }
import { values } from '../nn/values.ts'

const { nn } = torch
const { AveragedModel, SWALR, update_bn } = torch.optim.swa_utils

type State = Record<string, number[]>
const batch = (sizes: number[], salt: number): torch.Tensor => values(sizes, 'float', salt)

function expect_close(got: number[], expected: number[], tolerance = 1e-5): void {
  expect(got.length).toBe(expected.length)
  for (const [i, x] of got.entries())
    expect(Math.abs(x - expected[i]!)).toBeLessThan(tolerance * Math.max(1, Math.abs(expected[i]!)))
}

function expect_state(module: torch.nn.Module, expected: State): void {
  const state = module.state_dict()
  expect(Object.keys(state)).toEqual(Object.keys(expected))
  for (const [name, numbers] of Object.entries(expected))
    expect_close((state[name]!.flatten().tolist() as (number | bigint)[]).map(Number), numbers)
}

type Options = torch.optim.swa_utils.AveragedModelOptions
const ema: torch.optim.swa_utils.AverageFunction = (averaged, value) => averaged.mul(0.9).add(value.mul(0.1))
const RUNS: Record<'equal' | 'ema' | 'buffers', [Options, number, torch.optim.swa_utils.SWALROptions]> = {
  equal: [{}, 0.02, { anneal_epochs: 3 }],
  ema: [{ avg_fn: ema }, 0.3, { anneal_epochs: 2, anneal_strategy: 'linear' }],
  buffers: [{ use_buffers: true }, 0.05, { anneal_epochs: 0 }],
}

describe('a model whose weights are averages', () => {
  test.each(Object.keys(RUNS) as (keyof typeof RUNS)[])('%s', async name => {
    const [options, swa_lr, schedule] = RUNS[name]
    const expected = recorded[name]
    torch.manual_seed(0)
    const model = new nn.Sequential(
      new nn.Linear(3, 4),
      new nn.BatchNorm1d(4),
      new nn.Tanh(),
      new nn.Linear(4, 1),
    )
    const optimizer = new torch.optim.SGD(model.parameters(), { lr: 0.1, momentum: 0.9 })
    const averaged = new AveragedModel(model, options)
    const scheduler = SWALR(optimizer, swa_lr, schedule)
    const rates: number[] = []
    for (let i = 0; i < 6; i++) {
      optimizer.zero_grad()
      model(batch([5, 3], i))
        .sub(1)
        .square()
        .mean()
        .backward()
      optimizer.step()
      rates.push(optimizer.param_groups[0]!.lr)
      if (i < 2) continue
      averaged.update_parameters(model)
      scheduler.step()
    }
    expect_close(rates, expected.rates, 1e-12)
    expect_state(averaged, expected.before)
    averaged.eval()
    const batches = [0, 1, 2].map(i => [batch([5, 3], i), i] as const)
    const later = torch.deepcopy(averaged)
    update_bn(batches, averaged)
    expect_state(averaged, expected.after)
    expect([averaged.training, (averaged.module.at(1) as torch.nn.BatchNorm1d).momentum]).toEqual([
      expected.training,
      expected.momentum,
    ])
    expect_close(
      averaged(batch([2, 3], 9))
        .flatten()
        .tolist() as number[],
      expected.out,
    )

    async function* loader(): AsyncGenerator<readonly [torch.Tensor, number]> {
      yield* batches
    }
    await update_bn(loader(), later)
    expect_state(later, expected.after)
  })

  test('leaves the model as it is', () => {
    const model = new nn.Linear(2, 1)
    const averaged = new AveragedModel(model)
    averaged.update_parameters(model)
    torch.no_grad(() => model.weight.add_(1))
    averaged.update_parameters(model)
    expect(averaged.n_averaged.item()).toBe(2)
    expect(torch.allclose(averaged.module.weight, model.weight.sub(0.5))).toBe(true)
    expect(averaged(torch.ones(1, 2)).requires_grad).toBe(true)
  })

  test('without BatchNorm calls nothing for statistics', () => {
    const model = new nn.Linear(2, 1)
    model.register_forward_hook(() => {
      throw new Error('called')
    })
    expect(() => update_bn([torch.ones(1, 2)], model)).not.toThrow()
  })
})

test.each(recorded.rates.map(c => [JSON.stringify([c.groups, c.options]), c] as const))(
  'the rates of %s',
  (_, c) => {
    const groups = c.groups.map(lr => ({ params: [torch.zeros(1)], lr }))
    const optimizer = new torch.optim.SGD(groups, { lr: 0.1 })
    const { swa_lr, ...options } = c.options as { swa_lr: number | number[] }
    const scheduler = SWALR(optimizer, swa_lr, options)
    for (const rates of c.rates) {
      optimizer.step()
      expect_close(
        optimizer.param_groups.map(g => g.lr),
        rates,
        1e-12,
      )
      scheduler.step()
    }
  },
)

test("PyTorch's errors", () => {
  const optimizer = new torch.optim.SGD([torch.zeros(1)], { lr: 0.1 })
  const calls: Record<keyof typeof recorded.errors, () => unknown> = {
    groups: () => SWALR(optimizer, [0.1, 0.2]),
    // @ts-expect-error no such strategy
    strategy: () => SWALR(optimizer, 0.1, { anneal_strategy: 'exp' }),
    epochs: () => SWALR(optimizer, 0.1, { anneal_epochs: -1 }),
  }
  for (const [name, call] of Object.entries(calls)) {
    const [, message] = recorded.errors[name as keyof typeof recorded.errors]
    expect(call).toThrow(torch.ValueError)
    expect(call).toThrow(message)
  }
})
