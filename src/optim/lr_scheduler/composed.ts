// Schedulers made of schedulers: one after another, or all at once.
import { ValueError } from '../../base/errors.ts'
import { type Keywords, signature } from '../options.ts'
import { LRScheduler, type Scheduled } from './scheduler.ts'

type State = Readonly<Record<string, unknown>>

export type SequentialLROptions = {
  schedulers?: readonly LRScheduler[]
  milestones?: readonly number[]
  last_epoch?: number
  verbose?: boolean
}
const sequential_options = signature<Required<SequentialLROptions>>(
  'SequentialLR.__init__(any? optimizer, any schedulers, int[] milestones, int last_epoch=-1, bool verbose=False)',
)

/** Each scheduler from its milestone on; the first from the start, so there is one milestone fewer. */
export class SequentialLR extends LRScheduler {
  readonly _schedulers: readonly LRScheduler[]
  _milestones: readonly number[]

  constructor(
    optimizer: Scheduled,
    ...args: Keywords<
      [
        schedulers: readonly LRScheduler[],
        milestones: readonly number[],
        last_epoch: number,
        verbose: boolean,
      ],
      SequentialLROptions
    >
  ) {
    const { schedulers, milestones, last_epoch, verbose } = sequential_options([optimizer, ...args])
    schedulers.forEach((scheduler, i) => {
      if (scheduler.optimizer !== optimizer)
        throw new ValueError(
          'Sequential Schedulers expects all schedulers to belong to the same optimizer, but ' +
            `got schedulers at index ${i} to be different than the optimizer passed in.`,
        )
    })
    if (milestones.length !== schedulers.length - 1)
      throw new ValueError(
        'Sequential Schedulers expects number of schedulers provided to be one more than the number of milestone ' +
          `points, but got number of schedulers ${schedulers.length} and the number of milestones to be equal to ${milestones.length}`,
      )
    super(optimizer, last_epoch, verbose)
    this._schedulers = schedulers
    this._milestones = milestones
    this.last_epoch = last_epoch + 1
    for (const group of this.groups) group.lr = group.initial_lr
    for (const scheduler of schedulers) scheduler.last_epoch--
    const first = schedulers[0] as LRScheduler
    first.start()
    this._last_lr = first.get_last_lr()
  }

  override step(): void {
    this.last_epoch++
    const past = this._milestones.filter(epoch => epoch <= this.last_epoch).length
    const scheduler = this._schedulers[past] as LRScheduler
    scheduler.step(this._milestones[past - 1] === this.last_epoch ? 0 : null)
    this._last_lr = scheduler.get_last_lr()
  }

  override state_dict(): Record<string, unknown> {
    const { _milestones, last_epoch, _last_lr } = this
    return { _milestones, last_epoch, _last_lr, _schedulers: states(this._schedulers) }
  }

  override load_state_dict({ _schedulers, ...own }: State): void {
    super.load_state_dict(own)
    load_all(this._schedulers, _schedulers)
  }
}

/** All schedulers at every step, each from the rates that the one before left. */
export class ChainedScheduler extends LRScheduler {
  readonly _schedulers: readonly LRScheduler[]

  constructor(schedulers: readonly LRScheduler[]) {
    const [first] = schedulers as readonly [LRScheduler, ...LRScheduler[]]
    schedulers.forEach((scheduler, i) => {
      if (scheduler.optimizer !== first.optimizer)
        throw new ValueError(
          'ChainedScheduler expects all schedulers to belong to the same optimizer, but ' +
            `got schedulers at index 0 and ${i} to be different`,
        )
    })
    super(first.optimizer, -1, false)
    this._schedulers = [...schedulers]
    this._last_lr = this.groups.map(group => group.lr)
  }

  override step(): void {
    for (const scheduler of this._schedulers) scheduler.step()
    this._last_lr = this.groups.map(group => group.lr)
  }

  override state_dict(): Record<string, unknown> {
    return { _last_lr: this._last_lr, _schedulers: states(this._schedulers) }
  }

  override load_state_dict({ _schedulers, ...own }: State): void {
    super.load_state_dict(own)
    load_all(this._schedulers, _schedulers)
  }
}

const states = (schedulers: readonly LRScheduler[]): Record<string, unknown>[] =>
  schedulers.map(scheduler => scheduler.state_dict())

function load_all(schedulers: readonly LRScheduler[], saved: unknown): void {
  ;(saved as readonly State[]).forEach((state, i) => {
    schedulers[i]?.load_state_dict(state)
  })
}
