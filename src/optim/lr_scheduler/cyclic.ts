// Cyclical rates (Smith, arXiv:1506.01186): up and down between two bounds, and momentum the other way.
import { ValueError } from '../../base/errors.ts'
import { type Keywords, signature } from '../options.ts'
import { LRScheduler, require_optimizer, type Scheduled } from './scheduler.ts'

type PerGroup = number | readonly number[]
type Mode = 'triangular' | 'triangular2' | 'exp_range'
type ScaleMode = 'cycle' | 'iterations'
type Scale = (x: number) => number

export type CyclicLROptions = {
  /** the lowest rate, for all groups or for each */
  base_lr?: PerGroup
  max_lr?: PerGroup
  /** steps from the lowest rate to the highest */
  step_size_up?: number
  /** steps back; as many as up unless given */
  step_size_down?: number | null
  mode?: Mode
  gamma?: number
  /** in place of what `mode` says: the height of the cycle by its number, or by the step */
  scale_fn?: Scale | null
  scale_mode?: ScaleMode
  cycle_momentum?: boolean
  base_momentum?: PerGroup
  max_momentum?: PerGroup
  last_epoch?: number
  verbose?: boolean
}

const options_of = signature<Required<CyclicLROptions>>(
  'CyclicLR.__init__(any? optimizer, any base_lr, any max_lr, int step_size_up=2000, int? step_size_down=None, ' +
    "str mode='triangular', float gamma=1, any? scale_fn=None, str scale_mode='cycle', bool cycle_momentum=True, " +
    'any base_momentum=0.8, any max_momentum=0.9, int last_epoch=-1, bool verbose=False)',
)

/** Rates that rise and fall between `base_lr` and `max_lr`; made to be stepped after every batch. */
export class CyclicLR extends LRScheduler {
  max_lrs: readonly number[]
  total_size: number
  step_ratio: number
  mode: Mode
  gamma: number
  scale_mode: ScaleMode
  cycle_momentum: boolean
  base_momentums: readonly number[] = []
  max_momentums: readonly number[] = []
  readonly _scale_fn_custom: Scale | null

  constructor(
    optimizer: Scheduled,
    ...args: Keywords<
      [
        base_lr: PerGroup,
        max_lr: PerGroup,
        step_size_up: number,
        step_size_down: number | null,
        mode: Mode,
        gamma: number,
        scale_fn: Scale | null,
        scale_mode: ScaleMode,
        cycle_momentum: boolean,
        base_momentum: PerGroup,
        max_momentum: PerGroup,
        last_epoch: number,
        verbose: boolean,
      ],
      CyclicLROptions
    >
  ) {
    const o = options_of([optimizer, ...args])
    const groups = require_optimizer(optimizer).param_groups as { lr: number; momentum?: number }[]
    const each = (name: 'base_lr' | 'max_lr' | 'base_momentum' | 'max_momentum'): number[] => {
      const given = o[name]
      if (typeof given === 'number') return groups.map(() => given)
      if (given.length !== groups.length)
        throw new ValueError(`expected ${groups.length} values for ${name}, got ${given.length}`)
      return [...given]
    }
    const lowest = each('base_lr')
    const first = o.last_epoch === -1
    if (first)
      groups.forEach((group, i) => {
        group.lr = lowest[i] as number
      })
    const max_lrs = each('max_lr')
    if (!['triangular', 'triangular2', 'exp_range'].includes(o.mode) && o.scale_fn === null)
      throw new ValueError('mode is invalid and scale_fn is None')
    if (o.cycle_momentum) {
      if (!('momentum' in optimizer.defaults))
        throw new ValueError('optimizer must support momentum with `cycle_momentum` option enabled')
      const momentums = each('base_momentum')
      if (first)
        groups.forEach((group, i) => {
          group.momentum = momentums[i] as number
        })
    }
    super(optimizer, o.last_epoch, o.verbose)
    this.max_lrs = max_lrs
    this.total_size = o.step_size_up + (o.step_size_down ?? o.step_size_up)
    this.step_ratio = o.step_size_up / this.total_size
    this.mode = o.mode
    this.gamma = o.gamma
    this._scale_fn_custom = o.scale_fn
    this.scale_mode = o.scale_fn ? o.scale_mode : o.mode === 'exp_range' ? 'iterations' : 'cycle'
    this.cycle_momentum = o.cycle_momentum
    if (o.cycle_momentum) {
      this.base_momentums = groups.map(group => group.momentum as number)
      this.max_momentums = each('max_momentum')
    }
    this.start()
    this.base_lrs = lowest
  }

  /** The height of a cycle, by its number or by the step. */
  scale_fn(x: number): number {
    if (this._scale_fn_custom !== null) return this._scale_fn_custom(x)
    return this.mode === 'triangular' ? 1 : this.mode === 'triangular2' ? 1 / 2 ** (x - 1) : this.gamma ** x
  }

  protected override get_lr(): number[] {
    const { last_epoch, total_size, step_ratio } = this
    const cycle = Math.floor(1 + last_epoch / total_size)
    const x = 1 + last_epoch / total_size - cycle
    const part = x <= step_ratio ? x / step_ratio : (x - 1) / (step_ratio - 1)
    const height = this.scale_fn(this.scale_mode === 'cycle' ? cycle : last_epoch)
    const reach = (low: number, high: number): number => (high - low) * part * height
    if (this.cycle_momentum)
      this.groups.forEach((group, i) => {
        const high = this.max_momentums[i] as number
        group.momentum = high - reach(this.base_momentums[i] as number, high)
      })
    return this.base_lrs.map((low, i) => low + reach(low, this.max_lrs[i] as number))
  }
}
