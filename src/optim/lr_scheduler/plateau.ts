// Rates that fall when a metric has stopped improving. Not a schedule: it is stepped with the metric.
import { ValueError } from '../../base/errors.ts'
import type { Tensor } from '../../torch.ts'
import { type Keywords, signature } from '../options.ts'
import { require_optimizer, type Scheduled, scientific } from './scheduler.ts'

export type ReduceLROnPlateauOptions = {
  /** whether less of the metric is better, or more */
  mode?: 'min' | 'max'
  factor?: number
  /** epochs without improvement that are let pass */
  patience?: number
  /** how much better is an improvement */
  threshold?: number
  threshold_mode?: 'rel' | 'abs'
  /** epochs after a fall in which none is counted as bad */
  cooldown?: number
  min_lr?: number | readonly number[]
  /** smaller changes of a rate are not made */
  eps?: number
  verbose?: boolean
}

const options_of = signature<Required<ReduceLROnPlateauOptions>>(
  "ReduceLROnPlateau.__init__(any? optimizer, str mode='min', float factor=0.1, int patience=10, " +
    "float threshold=1e-4, str threshold_mode='rel', int cooldown=0, any min_lr=0, float eps=1e-8, bool verbose=False)",
)

/** Multiplies the rates by `factor` when the metric has not improved for more than `patience` epochs. */
export class ReduceLROnPlateau {
  readonly optimizer: Scheduled
  factor: number
  min_lrs: readonly number[]
  patience: number
  verbose: boolean
  cooldown: number
  cooldown_counter = 0
  mode: 'min' | 'max'
  threshold: number
  threshold_mode: 'rel' | 'abs'
  best: number
  num_bad_epochs = 0
  mode_worse: number
  eps: number
  last_epoch = 0
  _last_lr?: number[]

  constructor(
    optimizer: Scheduled,
    ...args: Keywords<
      [
        mode: 'min' | 'max',
        factor: number,
        patience: number,
        threshold: number,
        threshold_mode: 'rel' | 'abs',
        cooldown: number,
        min_lr: number | readonly number[],
        eps: number,
        verbose: boolean,
      ],
      ReduceLROnPlateauOptions
    >
  ) {
    const { min_lr, ...o } = options_of([optimizer, ...args])
    if (o.factor >= 1) throw new ValueError('Factor should be < 1.0.')
    this.optimizer = require_optimizer(optimizer)
    const count = optimizer.param_groups.length
    if (typeof min_lr !== 'number' && min_lr.length !== count)
      throw new ValueError(`expected ${count} min_lrs, got ${min_lr.length}`)
    this.factor = o.factor
    this.min_lrs = typeof min_lr === 'number' ? Array<number>(count).fill(min_lr) : [...min_lr]
    this.patience = o.patience
    this.verbose = o.verbose
    this.cooldown = o.cooldown
    this.eps = o.eps
    if (o.mode !== 'min' && o.mode !== 'max') throw new ValueError(`mode ${o.mode} is unknown!`)
    if (o.threshold_mode !== 'rel' && o.threshold_mode !== 'abs')
      throw new ValueError(`threshold mode ${o.threshold_mode} is unknown!`)
    this.mode = o.mode
    this.threshold = o.threshold
    this.threshold_mode = o.threshold_mode
    this.mode_worse = o.mode === 'min' ? Infinity : -Infinity
    this.best = this.mode_worse
  }

  /** Takes the metric of an epoch; to be called after validation. */
  step(metrics: number | Tensor): void {
    const current = Number(metrics)
    this.last_epoch++
    if (this.is_better(current, this.best)) {
      this.best = current
      this.num_bad_epochs = 0
    } else this.num_bad_epochs++
    if (this.in_cooldown) {
      this.cooldown_counter--
      this.num_bad_epochs = 0
    }
    if (this.num_bad_epochs > this.patience) {
      this.#reduce()
      this.cooldown_counter = this.cooldown
      this.num_bad_epochs = 0
    }
    this._last_lr = this.optimizer.param_groups.map(group => group.lr)
  }

  #reduce(): void {
    this.optimizer.param_groups.forEach((group, i) => {
      const lr = Math.max(group.lr * this.factor, this.min_lrs[i] as number)
      if (group.lr - lr <= this.eps) return
      group.lr = lr
      const epoch = String(this.last_epoch).padStart(5, '0')
      if (this.verbose)
        console.log(`Epoch ${epoch}: reducing learning rate of group ${i} to ${scientific(lr)}.`)
    })
  }

  get in_cooldown(): boolean {
    return this.cooldown_counter > 0
  }

  is_better(a: number, best: number): boolean {
    const { threshold, threshold_mode } = this
    if (this.mode === 'min') return a < (threshold_mode === 'rel' ? best * (1 - threshold) : best - threshold)
    return a > (threshold_mode === 'rel' ? best * (threshold + 1) : best + threshold)
  }

  /** The rates that were set last. */
  get_last_lr(): number[] {
    return this._last_lr ?? this.optimizer.param_groups.map(group => group.lr)
  }

  /** All that is kept but the optimizer. */
  state_dict(): Record<string, unknown> {
    return Object.fromEntries(Object.entries(this).filter(([key]) => key !== 'optimizer'))
  }

  /** Takes over what {@link state_dict} gave. */
  load_state_dict(state_dict: Readonly<Record<string, unknown>>): void {
    Object.assign(this, state_dict)
    this.mode_worse = this.mode === 'min' ? Infinity : -Infinity
  }
}
