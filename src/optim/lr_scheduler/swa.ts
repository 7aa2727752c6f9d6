// The schedule of stochastic weight averaging (Izmailov et al. 2018): from whatever rate there is to a constant one.
// Not here: the averages (swa_utils.ts).
import { ValueError } from '../../base/errors.ts'
import { LRScheduler, type Scheduled, type ScheduledGroup } from './scheduler.ts'

export type SWALROptions = {
  /** Epochs until the rate is `swa_lr`. */
  anneal_epochs?: number
  anneal_strategy?: 'cos' | 'linear'
  last_epoch?: number
}

/** Moves each group's rate to `swa_lr`, one for all groups or one a group, and keeps it there. */
export class SWALR extends LRScheduler {
  readonly anneal_epochs: number
  readonly anneal_strategy: 'cos' | 'linear'

  constructor(
    optimizer: object,
    swa_lr: number | readonly number[],
    anneal_epochs: number | SWALROptions = 10,
    anneal_strategy: 'cos' | 'linear' | SWALROptions = 'cos',
    last_epoch: number | SWALROptions = -1,
  ) {
    const options: SWALROptions = {}
    for (const [name, x] of Object.entries({ last_epoch, anneal_strategy, anneal_epochs }))
      Object.assign(options, typeof x === 'object' ? x : { [name]: x })
    const { param_groups } = optimizer as Scheduled
    if (Array.isArray(swa_lr) && swa_lr.length !== param_groups.length)
      throw new ValueError(
        `swa_lr must have the same length as optimizer.param_groups: swa_lr has ${swa_lr.length}, optimizer.param_groups has ${param_groups.length}`,
      )
    for (const [i, group] of param_groups.entries())
      Object.assign(group, { swa_lr: Array.isArray(swa_lr) ? swa_lr[i] : swa_lr })
    const { anneal_strategy: strategy = 'cos', anneal_epochs: epochs = 10 } = options
    if (strategy !== 'cos' && strategy !== 'linear')
      throw new ValueError(`anneal_strategy must by one of 'cos' or 'linear', instead got ${strategy}`)
    if (!Number.isInteger(epochs) || epochs < 0)
      throw new ValueError(`anneal_epochs must be equal or greater than 0, got ${epochs}`)
    super(optimizer as Scheduled, options.last_epoch ?? -1, false)
    this.anneal_epochs = epochs
    this.anneal_strategy = strategy
    this.start()
  }

  protected override get_lr(): number[] {
    const step = this.anneal_epochs === 0 ? Math.max(1, this._step_count - 1) : this._step_count - 1
    const share = (epoch: number): number => {
      const t = Math.max(0, Math.min(1, epoch / Math.max(1, this.anneal_epochs)))
      return this.anneal_strategy === 'linear' ? t : (1 - Math.cos(Math.PI * t)) / 2
    }
    const [before, now] = [share(step - 1), share(step)]
    return this.groups.map(group => {
      const { lr, swa_lr } = group as ScheduledGroup & { swa_lr: number }
      // The rate that the group had before the annealing, from what it has now.
      const initial = before === 1 ? swa_lr : (lr - before * swa_lr) / (1 - before)
      return swa_lr * now + initial * (1 - now)
    })
  }
}
