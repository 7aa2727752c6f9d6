// Cosine annealing without restarts (Loshchilov and Hutter, arXiv:1608.03983), in PyTorch's recursive form.
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
}
