// The 1cycle policy (Smith and Topin, arXiv:1708.07120): one rise and one fall of the rate, and momentum the other way.
import { ValueError } from '../../base/errors.ts'
import { type Keywords, signature } from '../options.ts'
import { LRScheduler, require_optimizer, type Scheduled, type ScheduledGroup } from './scheduler.ts'

export type OneCycleLROptions = {
  /** the highest rate, for all groups or for each */
  max_lr?: number | readonly number[]
  /** the length of the cycle, in steps; or give `epochs` and `steps_per_epoch` */
  total_steps?: number | null
  epochs?: number | null
  steps_per_epoch?: number | null
  /** the part of the cycle in which the rate rises */
  pct_start?: number
  anneal_strategy?: 'cos' | 'linear'
  /** whether momentum (or the first beta) goes from its highest to its lowest value and back */
  cycle_momentum?: boolean
  base_momentum?: number | readonly number[]
  max_momentum?: number | readonly number[]
  /** the first rate is `max_lr / div_factor` */
  div_factor?: number
  /** the last is the first divided by this */
  final_div_factor?: number
  /** fall back to the first rate, then further to the last */
  three_phase?: boolean
  last_epoch?: number
  verbose?: boolean
}

type Options = Required<OneCycleLROptions>
type Positional = [
  max_lr: number | readonly number[],
  total_steps: number | null,
  epochs: number | null,
  steps_per_epoch: number | null,
  pct_start: number,
  anneal_strategy: 'cos' | 'linear',
  cycle_momentum: boolean,
  base_momentum: number | readonly number[],
  max_momentum: number | readonly number[],
  div_factor: number,
  final_div_factor: number,
  three_phase: boolean,
  last_epoch: number,
  verbose: boolean,
]

const options_of = signature<Options>(
  'OneCycleLR.__init__(any? optimizer, any max_lr, any? total_steps=None, any? epochs=None, ' +
    "any? steps_per_epoch=None, float pct_start=0.3, str anneal_strategy='cos', bool cycle_momentum=True, " +
    'any base_momentum=0.85, any max_momentum=0.95, float div_factor=25, float final_div_factor=1e4, ' +
    'bool three_phase=False, int last_epoch=-1, bool verbose=False)',
)

type Group = ScheduledGroup & { max_lr: number; min_lr: number; max_momentum: number; base_momentum: number }
type Rate = 'initial_lr' | 'max_lr' | 'min_lr'
type Momentum = 'max_momentum' | 'base_momentum'
type Phase = {
  end_step: number
  start_lr: Rate
  end_lr: Rate
  start_momentum: Momentum
  end_momentum: Momentum
}

const anneal = {
  cos: (start: number, end: number, part: number): number =>
    end + ((start - end) / 2) * (Math.cos(Math.PI * part) + 1),
  linear: (start: number, end: number, part: number): number => (end - start) * part + start,
}

/** One cycle of rates over `total_steps` steps; made to be stepped after every batch. */
export class OneCycleLR extends LRScheduler {
  total_steps: number
  cycle_momentum: boolean
  readonly _schedule_phases: readonly Phase[]
  readonly _anneal: (start: number, end: number, part: number) => number

  constructor(optimizer: Scheduled, ...args: Keywords<Positional, OneCycleLROptions>) {
    const options = options_of([optimizer, ...args])
    const scheduled = require_optimizer(optimizer)
    const total_steps = total_of(options)
    const { pct_start, anneal_strategy, cycle_momentum, last_epoch } = options
    if (!(pct_start >= 0 && pct_start <= 1))
      throw new ValueError(`Expected float between 0 and 1 pct_start, but got ${pct_start}`)
    if (!Object.hasOwn(anneal, anneal_strategy))
      throw new ValueError(`anneal_strategy must by one of 'cos' or 'linear', instead got ${anneal_strategy}`)
    const groups = scheduled.param_groups as Group[]
    const each = (name: 'max_lr' | Momentum): number[] => per_group(name, options[name], groups.length)
    const highest = each('max_lr')
    if (last_epoch === -1)
      groups.forEach((group, i) => {
        group.max_lr = highest[i] as number
        group.initial_lr = group.max_lr / options.div_factor
        group.min_lr = group.initial_lr / options.final_div_factor
      })
    if (cycle_momentum) {
      if (!('momentum' in scheduled.defaults) && !('betas' in scheduled.defaults))
        throw new ValueError('optimizer must support momentum with `cycle_momentum` option enabled')
      const [largest, least] = [each('max_momentum'), each('base_momentum')]
      if (last_epoch === -1)
        groups.forEach((group, i) => {
          group.max_momentum = largest[i] as number
          group.base_momentum = least[i] as number
          set_momentum(group, group.max_momentum)
        })
    }
    super(optimizer, last_epoch, options.verbose)
    this.total_steps = total_steps
    this.cycle_momentum = cycle_momentum
    this._schedule_phases = phases(total_steps, pct_start, options.three_phase)
    this._anneal = anneal[anneal_strategy]
    this.start()
  }

  protected override get_lr(): number[] {
    const at = this.last_epoch
    if (at > this.total_steps)
      throw new ValueError(
        `Tried to step ${at + 1} times. The specified number of total steps is ${this.total_steps}`,
      )
    const all = this._schedule_phases
    const i = all.findIndex(({ end_step }, i) => at <= end_step || i === all.length - 1)
    const phase = all[i] as Phase
    const start = all[i - 1]?.end_step ?? 0
    const part = (at - start) / (phase.end_step - start)
    return (this.groups as Group[]).map(group => {
      if (this.cycle_momentum)
        set_momentum(group, this._anneal(group[phase.start_momentum], group[phase.end_momentum], part))
      return this._anneal(group[phase.start_lr], group[phase.end_lr], part)
    })
  }
}

function set_momentum(group: Group, momentum: number): void {
  if (group.betas !== undefined) group.betas = [momentum, group.betas[1]]
  else group.momentum = momentum
}

function phases(total_steps: number, pct_start: number, three: boolean): Phase[] {
  const peak = pct_start * total_steps - 1
  const end = total_steps - 1
  const up = {
    start_lr: 'initial_lr',
    end_lr: 'max_lr',
    start_momentum: 'max_momentum',
    end_momentum: 'base_momentum',
  } as const
  const down = { start_lr: 'max_lr', start_momentum: 'base_momentum', end_momentum: 'max_momentum' } as const
  if (!three)
    return [
      { end_step: peak, ...up },
      { end_step: end, ...down, end_lr: 'min_lr' },
    ]
  return [
    { end_step: peak, ...up },
    { end_step: 2 * pct_start * total_steps - 2, ...down, end_lr: 'initial_lr' },
    {
      end_step: end,
      start_lr: 'initial_lr',
      end_lr: 'min_lr',
      start_momentum: 'max_momentum',
      end_momentum: 'max_momentum',
    },
  ]
}

function total_of({ total_steps, epochs, steps_per_epoch }: Options): number {
  const positive = (name: string, value: number | null): number => {
    if (value === null || value <= 0 || !Number.isInteger(value))
      throw new ValueError(`Expected positive integer ${name}, but got ${value ?? 'None'}`)
    return value
  }
  if (total_steps === null && epochs === null && steps_per_epoch === null)
    throw new ValueError('You must define either total_steps OR (epochs AND steps_per_epoch)')
  if (total_steps !== null) return positive('total_steps', total_steps)
  return positive('epochs', epochs) * positive('steps_per_epoch', steps_per_epoch)
}

/** A setting for each group, from one for all or a list. */
function per_group(name: string, value: number | readonly number[], count: number): number[] {
  if (typeof value === 'number') return Array<number>(count).fill(value)
  if (value.length !== count)
    throw new ValueError(`expected ${count} values for ${name}, got ${value.length}`)
  return [...value]
}
