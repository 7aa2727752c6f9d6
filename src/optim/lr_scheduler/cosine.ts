// Cosine annealing without restarts (Loshchilov and Hutter, arXiv:1608.03983), in PyTorch's recursive form.
import { ValueError } from '../../base/errors.ts'
import { type Keywords, signature } from '../options.ts'
import { LRScheduler, type Scheduled } from './scheduler.ts'

export type CosineAnnealingLROptions = {
  /** epochs from the first rate to the smallest */
  T_max?: number
  /** the smallest rate */
  eta_min?: number
  last_epoch?: number
  verbose?: boolean
}

const options_of = signature<Required<CosineAnnealingLROptions>>(
  'CosineAnnealingLR.__init__(any? optimizer, int T_max, float eta_min=0, int last_epoch=-1, bool verbose=False)',
)

/** Rates that fall along a cosine to `eta_min` in `T_max` epochs, and rise again. */
export class CosineAnnealingLR extends LRScheduler {
  T_max: number
  eta_min: number

  constructor(
    optimizer: Scheduled,
    ...args: Keywords<
      [T_max: number, eta_min: number, last_epoch: number, verbose: boolean],
      CosineAnnealingLROptions
    >
  ) {
    const { T_max, eta_min, last_epoch, verbose } = options_of([optimizer, ...args])
    super(optimizer, last_epoch, verbose)
    this.T_max = T_max
    this.eta_min = eta_min
    this.start()
  }

  protected override get_lr(): number[] {
    const { T_max, eta_min, last_epoch, base_lrs } = this
    const height = (epoch: number): number => 1 + Math.cos((Math.PI * epoch) / T_max)
    return this.groups.map(({ lr }, i) => {
      const base = base_lrs[i] as number
      if (last_epoch === 0) return lr
      if (this._step_count === 1) return eta_min + ((base - eta_min) * height(last_epoch)) / 2
      if ((last_epoch - 1 - T_max) % (2 * T_max) === 0)
        return lr + ((base - eta_min) * (1 - Math.cos(Math.PI / T_max))) / 2
      return (height(last_epoch) / height(last_epoch - 1)) * (lr - eta_min) + eta_min
    })
  }

  protected override closed_form(): number[] {
    const { T_max, eta_min, last_epoch } = this
    return this.base_lrs.map(
      base => eta_min + ((base - eta_min) * (1 + Math.cos((Math.PI * last_epoch) / T_max))) / 2,
    )
  }
}

export type CosineAnnealingWarmRestartsOptions = {
  /** epochs to the first restart */
  T_0?: number
  /** by which they are multiplied after each */
  T_mult?: number
  eta_min?: number
  last_epoch?: number
  verbose?: boolean
}

const restart_options = signature<Required<CosineAnnealingWarmRestartsOptions>>(
  'CosineAnnealingWarmRestarts.__init__(any? optimizer, float T_0, float T_mult=1, float eta_min=0, ' +
    'int last_epoch=-1, bool verbose=False)',
)

/** Rates that fall along a cosine to `eta_min`, and begin again. Epochs may be fractions: `step(epoch + i / n)`. */
export class CosineAnnealingWarmRestarts extends LRScheduler {
  T_0: number
  T_i: number
  T_mult: number
  eta_min: number
  T_cur: number

  constructor(
    optimizer: Scheduled,
    ...args: Keywords<
      [T_0: number, T_mult: number, eta_min: number, last_epoch: number, verbose: boolean],
      CosineAnnealingWarmRestartsOptions
    >
  ) {
    const { T_0, T_mult, eta_min, last_epoch, verbose } = restart_options([optimizer, ...args])
    if (T_0 <= 0 || !Number.isInteger(T_0))
      throw new ValueError(`Expected positive integer T_0, but got ${T_0}`)
    if (T_mult < 1 || !Number.isInteger(T_mult))
      throw new ValueError(`Expected integer T_mult >= 1, but got ${T_mult}`)
    super(optimizer, last_epoch, verbose)
    this.T_0 = T_0
    this.T_i = T_0
    this.T_mult = T_mult
    this.eta_min = eta_min
    this.T_cur = last_epoch
    this.start()
  }

  protected override get_lr(): number[] {
    const { eta_min } = this
    const height = 1 + Math.cos((Math.PI * this.T_cur) / this.T_i)
    return this.base_lrs.map(base => eta_min + ((base - eta_min) * height) / 2)
  }

  override step(epoch: number | null = null): void {
    const { T_0, T_mult } = this
    const at = epoch ?? (this.last_epoch < 0 ? 0 : null)
    if (at === null) {
      this.T_cur++
      if (this.T_cur >= this.T_i) {
        this.T_cur -= this.T_i
        this.T_i *= T_mult
      }
    } else if (at < 0) throw new ValueError(`Expected non-negative epoch, but got ${at}`)
    else if (at < T_0) {
      this.T_i = T_0
      this.T_cur = at
    } else if (T_mult === 1) this.T_cur = at % T_0
    else {
      const n = Math.trunc(Math.log((at / T_0) * (T_mult - 1) + 1) / Math.log(T_mult))
      this.T_cur = at - (T_0 * (T_mult ** n - 1)) / (T_mult - 1)
      this.T_i = T_0 * T_mult ** n
    }
    const shown = at ?? this.last_epoch + 1
    this.last_epoch = Math.floor(shown)
    this.set_rates(this.get_lr(), shown)
  }
}
