/** The schedulers: the rates and momenta that PyTorch 1.13.1 sets over 30 epochs, their state, and their errors. */
import { describe, expect, it, vi } from 'vitest'
import * as torch from '../../src/index.ts'
import recorded from '../data/optim/schedules.json' with { type: 'json' }

const { lr_scheduler } = torch.optim

type Name = Exclude<keyof typeof lr_scheduler, 'LRScheduler' | '_LRScheduler'>
type Stepped = Pick<
  torch.optim.lr_scheduler.LRScheduler,
  'state_dict' | 'load_state_dict' | 'get_last_lr'
> & {
  step(metrics?: number): void
}
type Case = {
  scheduler: Name
  options: Record<string, unknown> | null
  optimizer: 'SGD' | 'Adam'
  rates: number[][]
  momenta: number[][]
  state: Record<string, unknown>
}
const cases = recorded as unknown as Case[]
const lambdas = [(epoch: number) => 0.95 ** epoch, (epoch: number) => 1 / (1 + epoch)]

function make(tested: Case): {
  optimizer: torch.optim.SGD | torch.optim.Adam
  scheduler: Stepped
} {
  const groups = [{ params: [torch.zeros(1)] }, { params: [torch.zeros(1)], lr: 0.02 }]
  const optimizer =
    tested.optimizer === 'SGD'
      ? new torch.optim.SGD(groups, { lr: 0.1, momentum: 0.9 })
      : new torch.optim.Adam(groups, { lr: 0.1 })
  const { ConstantLR, ExponentialLR, StepLR } = lr_scheduler
  if (tested.scheduler === 'ChainedScheduler')
    return {
      optimizer,
      scheduler: lr_scheduler.ChainedScheduler([
        ConstantLR(optimizer, 0.1, 4),
        ExponentialLR(optimizer, 0.9),
      ]),
    }
  const schedulers =
    tested.scheduler === 'SequentialLR'
      ? {
          schedulers: [
            ConstantLR(optimizer, 0.1, 4),
            ExponentialLR(optimizer, 0.9),
            StepLR(optimizer, 4, 0.5),
          ],
        }
      : {}
  const made = lr_scheduler[tested.scheduler] as unknown as new (o: unknown, options: object) => Stepped
  return {
    optimizer,
    scheduler: new made(optimizer, { ...(tested.options ?? { lr_lambda: lambdas }), ...schedulers }),
  }
}

const metric = (c: Case, epoch: number): number[] =>
  c.scheduler === 'ReduceLROnPlateau' ? [Math.cos(epoch / 3)] : []

const momentum = (group: object): number =>
  'betas' in group ? (group.betas as number[])[0]! : (group as { momentum: number }).momentum

describe.each(cases.map(c => [`${c.scheduler} ${JSON.stringify(c.options)} of ${c.optimizer}`, c] as const))(
  '%s',
  (_, tested) => {
    it('sets the rates and momenta that PyTorch sets', () => {
      const { optimizer, scheduler } = make(tested)
      for (let epoch = 0; epoch < 30; epoch++) {
        optimizer.param_groups.forEach((group, i) => {
          expect(group.lr).toBeCloseTo(tested.rates[epoch]![i]!, 12)
          expect(momentum(group)).toBeCloseTo(tested.momenta[epoch]![i]!, 12)
        })
        if (epoch > 0 || tested.scheduler !== 'ReduceLROnPlateau')
          expect(scheduler.get_last_lr()).toEqual(optimizer.param_groups.map(group => group.lr))
        optimizer.step()
        if (epoch < 29) scheduler.step(...metric(tested, epoch + 1))
      }
      const state = scheduler.state_dict()
      for (const name of ['last_epoch', '_step_count', 'base_lrs'])
        expect(state[name]).toEqual(tested.state[name])
    })

    it('goes on from a saved state', () => {
      const whole = make(tested)
      const first = make(tested)
      for (let epoch = 0; epoch < 11; epoch++) {
        for (const { optimizer, scheduler } of [whole, first]) {
          optimizer.step()
          scheduler.step(...metric(tested, epoch))
        }
      }
      const second = make(tested)
      second.optimizer.load_state_dict(first.optimizer.state_dict())
      second.scheduler.load_state_dict(first.scheduler.state_dict())
      for (let epoch = 0; epoch < 11; epoch++) {
        for (const { optimizer, scheduler } of [whole, second]) {
          optimizer.step()
          scheduler.step(...metric(tested, epoch + 11))
        }
        expect(second.scheduler.get_last_lr()).toEqual(whole.scheduler.get_last_lr())
      }
    })
  },
)

describe('schedulers', () => {
  const sgd = (): torch.optim.SGD => torch.optim.SGD([torch.zeros(1)], { lr: 0.1 })

  it('take their arguments by position or by name, with or without new', () => {
    for (const scheduler of [
      new lr_scheduler.StepLR(sgd(), 7, 0.5),
      lr_scheduler.StepLR(sgd(), 7, { gamma: 0.5 }),
      lr_scheduler.StepLR(sgd(), { gamma: 0.5, step_size: 7 }),
    ])
      expect(scheduler.state_dict()).toMatchObject({
        step_size: 7,
        gamma: 0.5,
        last_epoch: 0,
        _step_count: 1,
      })
  })

  it('warn when stepped before the optimizer', () => {
    const warn = vi.spyOn(console, 'warn').mockImplementation(() => {})
    lr_scheduler.StepLR(sgd(), 7).step()
    expect(warn.mock.calls).toEqual([
      [
        expect.stringMatching(
          /^UserWarning: Detected call of `lr_scheduler.step\(\)` before `optimizer.step\(\)`/,
        ),
      ],
    ])
    warn.mockRestore()
  })

  it('print the rates when verbose', () => {
    const log = vi.spyOn(console, 'log').mockImplementation(() => {})
    lr_scheduler.ExponentialLR(sgd(), 0.9, { verbose: true })
    expect(log.mock.calls).toEqual([['Adjusting learning rate of group 0 to 1.0000e-01.']])
    log.mockRestore()
  })

  it.each<[string, () => unknown, string, string]>([
    ['no optimizer', () => lr_scheduler.StepLR({} as never, 7), 'TypeError', 'dict is not an Optimizer'],
    [
      'resuming without initial_lr',
      () => lr_scheduler.StepLR(sgd(), 7, { last_epoch: 3 }),
      'KeyError',
      "param 'initial_lr' is not specified in param_groups[0] when resuming an optimizer",
    ],
    [
      'a wrong number of functions',
      () => lr_scheduler.LambdaLR(sgd(), lambdas),
      'ValueError',
      'Expected 1 lr_lambdas, but got 2',
    ],
    [
      'no length of the cycle',
      () => lr_scheduler.OneCycleLR(sgd(), 1),
      'ValueError',
      'You must define either total_steps OR (epochs AND steps_per_epoch)',
    ],
    [
      'a length that is no positive integer',
      () => lr_scheduler.OneCycleLR(sgd(), 1, { total_steps: 0 }),
      'ValueError',
      'Expected positive integer total_steps, but got 0',
    ],
    [
      'a strategy that is not known',
      () => lr_scheduler.OneCycleLR(sgd(), 1, 10, { anneal_strategy: 'step' as 'cos' }),
      'ValueError',
      "anneal_strategy must by one of 'cos' or 'linear', instead got step",
    ],
    [
      'momentum of an optimizer that has none',
      () => lr_scheduler.OneCycleLR(torch.optim.Adagrad([torch.zeros(1)]), 1, 10),
      'ValueError',
      'optimizer must support momentum with `cycle_momentum` option enabled',
    ],
    [
      'more steps than the cycle has',
      () => {
        const optimizer = sgd()
        const scheduler = lr_scheduler.OneCycleLR(optimizer, 1, 10)
        for (let i = 0; i < 11; i++) {
          optimizer.step()
          scheduler.step()
        }
      },
      'ValueError',
      'Tried to step 12 times. The specified number of total steps is 10',
    ],
    [
      'schedulers of another optimizer',
      () => lr_scheduler.SequentialLR(sgd(), [lr_scheduler.StepLR(sgd(), 2)], []),
      'ValueError',
      'Sequential Schedulers expects all schedulers to belong to the same optimizer, but got schedulers at index 0 to ' +
        'be different than the optimizer passed in.',
    ],
    [
      'a factor above 1',
      () => lr_scheduler.ConstantLR(sgd(), 2),
      'ValueError',
      'Constant multiplicative factor expected to be between 0 and 1.',
    ],
    [
      'a plateau that would not fall',
      () => lr_scheduler.ReduceLROnPlateau(sgd(), 'min', 1),
      'ValueError',
      'Factor should be < 1.0.',
    ],
    [
      'restarts after no epochs',
      () => lr_scheduler.CosineAnnealingWarmRestarts(sgd(), 0),
      'ValueError',
      'Expected positive integer T_0, but got 0',
    ],
    [
      'an option that is not known',
      () => lr_scheduler.StepLR(sgd(), { step_size: 2, gama: 1 } as object),
      'TypeError',
      "StepLR.__init__() got an unexpected keyword argument 'gama' (known: optimizer, step_size, gamma, last_epoch, verbose)",
    ],
  ])('refuse %s', (_, call, name, message) => {
    expect(call).toThrowError(expect.objectContaining({ name, message }))
  })
})
