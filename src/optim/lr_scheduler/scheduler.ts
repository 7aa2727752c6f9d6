// The base of the schedulers, which set the learning rates of an optimizer's groups anew at each `step`.
// A subclass says what they are (`get_lr`). Not here: any schedule.
import { KeyError, NotImplementedError } from '../../base/errors.ts'
import type { Tensor } from '../../torch.ts'
import { Optimizer } from '../optimizer.ts'
import { type_name } from '../options.ts'

/** An optimizer whose groups have a learning rate: any of torch.optim. */
export interface Scheduled {
  readonly defaults: object
  param_groups: { params: Tensor[]; lr: number }[]
  step(closure?: (() => unknown) | null): unknown
  _step_count: number
}

/** A group, with what schedulers read and write. */
export type ScheduledGroup = Scheduled['param_groups'][number] & {
  initial_lr: number
  momentum?: number
  betas?: readonly [number, number]
}

const COUNTED = Symbol('counts its steps')

export class LRScheduler {
  readonly optimizer: Scheduled
  base_lrs: number[]
  last_epoch: number
  verbose: boolean
  _step_count = 0
  _last_lr: number[] = []

  /**
   * @param last_epoch -1 to start; otherwise the epoch to go on after, which needs `initial_lr` in every group
   * @param verbose print each new rate
   */
  constructor(optimizer: Scheduled, last_epoch: number, verbose: boolean) {
    this.optimizer = require_optimizer(optimizer)
    this.groups.forEach((group, i) => {
      if (last_epoch === -1) group.initial_lr ??= group.lr
      else if (group.initial_lr === undefined)
        throw new KeyError(
          `param 'initial_lr' is not specified in param_groups[${i}] when resuming an optimizer`,
        )
    })
    this.base_lrs = this.groups.map(group => group.initial_lr)
    this.last_epoch = last_epoch
    this.verbose = verbose
    count_steps(this.optimizer)
  }

  /** Ends a subclass's constructor: sets the rates of the first epoch. */
  start(): void {
    this.optimizer._step_count = 0
    this._step_count = 0
    this.step()
  }

  protected get groups(): ScheduledGroup[] {
    return this.optimizer.param_groups as ScheduledGroup[]
  }

  /** The rates for `last_epoch`, one a group. */
  protected get_lr(): number[] {
    throw new NotImplementedError('a scheduler defines get_lr')
  }

  /** The rates for `last_epoch`, whatever came before it; where a schedule has no such form, those that follow. */
  protected closed_form(): number[] {
    return this.get_lr()
  }

  /** The rates that were set last. */
  get_last_lr(): number[] {
    return this._last_lr
  }

  /** Goes on to the next epoch, or to the one given; to be called after `optimizer.step()`. */
  step(epoch: number | null = null): void {
    if (this._step_count === 1 && this.optimizer._step_count < 1)
      console.warn(
        'UserWarning: Detected call of `lr_scheduler.step()` before `optimizer.step()`. In PyTorch 1.1.0 and later, ' +
          'you should call them in the opposite order: `optimizer.step()` before `lr_scheduler.step()`.  Failure to ' +
          'do this will result in PyTorch skipping the first value of the learning rate schedule. See more details ' +
          'at https://pytorch.org/docs/stable/optim.html#how-to-adjust-learning-rate',
      )
    this._step_count++
    this.last_epoch = epoch ?? this.last_epoch + 1
    const rates = epoch === null ? this.get_lr() : this.closed_form()
    this.set_rates(rates, epoch)
  }

  /** Prints the rate of a group, with the epoch if there is one, where `is_verbose`. */
  print_lr(is_verbose: boolean, group: number, lr: number, epoch: number | null = null): void {
    if (!is_verbose) return
    const rate = `djusting learning rate of group ${group} to ${scientific(lr)}.`
    const at = epoch === null || !Number.isInteger(epoch) ? epoch?.toFixed(2) : String(epoch).padStart(5, '0')
    console.log(at === undefined ? `A${rate}` : `Epoch ${at}: a${rate}`)
  }

  protected set_rates(rates: readonly number[], epoch: number | null = null): void {
    this.groups.forEach((group, i) => {
      group.lr = rates[i] as number
      this.print_lr(this.verbose, i, group.lr, epoch)
    })
    this._last_lr = this.groups.map(group => group.lr)
  }

  /** All that the scheduler keeps, but for the optimizer and functions. */
  state_dict(): Record<string, unknown> {
    return Object.fromEntries(
      Object.entries(this).filter(([key, value]) => key !== 'optimizer' && typeof value !== 'function'),
    )
  }

  /** Takes over what {@link state_dict} gave. */
  load_state_dict(state_dict: Readonly<Record<string, unknown>>): void {
    Object.assign(this, state_dict)
  }
}

/** Throws TypeError for what is no optimizer. */
export function require_optimizer(optimizer: unknown): Scheduled {
  if (!(optimizer instanceof Optimizer)) throw new TypeError(`${type_name(optimizer)} is not an Optimizer`)
  return optimizer as unknown as Scheduled
}

/** Has the optimizer count its steps, so that a scheduler can tell whether it was called too early. */
function count_steps(optimizer: Scheduled): void {
  const step = optimizer.step as Scheduled['step'] & { [COUNTED]?: true }
  if (step[COUNTED]) return
  const counted = (...args: Parameters<typeof step>): unknown => {
    optimizer._step_count++
    return step.apply(optimizer, args)
  }
  Object.defineProperty(optimizer, 'step', {
    value: Object.assign(counted, { [COUNTED]: true }),
    writable: true,
    configurable: true,
  })
}

/** `%.4e` */
export function scientific(x: number): string {
  const [mantissa, power] = x.toExponential(4).split('e') as [string, string]
  return `${mantissa}e${power[0]}${power.slice(1).padStart(2, '0')}`
}
