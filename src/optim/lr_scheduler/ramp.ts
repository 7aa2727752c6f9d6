// Schedules that go from one multiple of the rate to another in so many epochs, then stay.
import { ValueError } from '../../base/errors.ts'
import { type Keywords, signature } from '../options.ts'
import { LRScheduler, type Scheduled } from './scheduler.ts'

type Common = { last_epoch?: number; verbose?: boolean }
const COMMON = 'int last_epoch=-1, bool verbose=False'
const THIRD = 1 / 3

export type ConstantLROptions = Common & { factor?: number; total_iters?: number }
const constant_options = signature<Required<ConstantLROptions>>(
  `ConstantLR.__init__(any? optimizer, float factor=${THIRD}, int total_iters=5, ${COMMON})`,
)

/** The first rates times `factor`, until epoch `total_iters`. */
export class ConstantLR extends LRScheduler {
  factor: number
  total_iters: number

  constructor(
    optimizer: Scheduled,
    ...args: Keywords<
      [factor: number, total_iters: number, last_epoch: number, verbose: boolean],
      ConstantLROptions
    >
  ) {
    const { factor, total_iters, last_epoch, verbose } = constant_options([optimizer, ...args])
    if (factor > 1 || factor < 0)
      throw new ValueError('Constant multiplicative factor expected to be between 0 and 1.')
    super(optimizer, last_epoch, verbose)
    this.factor = factor
    this.total_iters = total_iters
    this.start()
  }

  protected override get_lr(): number[] {
    const { last_epoch, total_iters, factor } = this
    const times = last_epoch === 0 ? factor : last_epoch === total_iters ? 1 / factor : 1
    return this.groups.map(({ lr }) => lr * times)
  }

  protected override closed_form(): number[] {
    const done = this.last_epoch >= this.total_iters ? 1 : 0
    return this.base_lrs.map(lr => lr * (this.factor + done * (1 - this.factor)))
  }
}

export type LinearLROptions = Common & { start_factor?: number; end_factor?: number; total_iters?: number }
const linear_options = signature<Required<LinearLROptions>>(
  `LinearLR.__init__(any? optimizer, float start_factor=${THIRD}, float end_factor=1, int total_iters=5, ${COMMON})`,
)

/** The first rates times a factor that goes from `start_factor` to `end_factor` in equal steps. */
export class LinearLR extends LRScheduler {
  start_factor: number
  end_factor: number
  total_iters: number

  constructor(
    optimizer: Scheduled,
    ...args: Keywords<
      [start_factor: number, end_factor: number, total_iters: number, last_epoch: number, verbose: boolean],
      LinearLROptions
    >
  ) {
    const { start_factor, end_factor, total_iters, last_epoch, verbose } = linear_options([
      optimizer,
      ...args,
    ])
    if (start_factor > 1 || start_factor < 0)
      throw new ValueError('Starting multiplicative factor expected to be between 0 and 1.')
    if (end_factor > 1 || end_factor < 0)
      throw new ValueError('Ending multiplicative factor expected to be between 0 and 1.')
    super(optimizer, last_epoch, verbose)
    this.start_factor = start_factor
    this.end_factor = end_factor
    this.total_iters = total_iters
    this.start()
  }

  protected override get_lr(): number[] {
    const { last_epoch, total_iters, start_factor } = this
    const rise = this.end_factor - start_factor
    return this.groups.map(({ lr }) => {
      if (last_epoch === 0) return lr * start_factor
      if (last_epoch > total_iters) return lr
      return lr * (1 + rise / (total_iters * start_factor + (last_epoch - 1) * rise))
    })
  }

  protected override closed_form(): number[] {
    const part = Math.min(this.total_iters, this.last_epoch) / this.total_iters
    return this.base_lrs.map(lr => lr * (this.start_factor + (this.end_factor - this.start_factor) * part))
  }
}

export type PolynomialLROptions = Common & { total_iters?: number; power?: number }
const polynomial_options = signature<Required<PolynomialLROptions>>(
  `PolynomialLR.__init__(any? optimizer, int total_iters=5, float power=1, ${COMMON})`,
)

/** Rates that fall to zero in `total_iters` epochs, as a power of what is left of them. */
export class PolynomialLR extends LRScheduler {
  total_iters: number
  power: number

  constructor(
    optimizer: Scheduled,
    ...args: Keywords<
      [total_iters: number, power: number, last_epoch: number, verbose: boolean],
      PolynomialLROptions
    >
  ) {
    const { total_iters, power, last_epoch, verbose } = polynomial_options([optimizer, ...args])
    super(optimizer, last_epoch, verbose)
    this.total_iters = total_iters
    this.power = power
    this.start()
  }

  protected override get_lr(): number[] {
    const { last_epoch, total_iters, power } = this
    const stays = last_epoch === 0 || last_epoch > total_iters
    const decay = ((1 - last_epoch / total_iters) / (1 - (last_epoch - 1) / total_iters)) ** power
    return this.groups.map(({ lr }) => (stays ? lr : lr * decay))
  }

  protected override closed_form(): number[] {
    const { total_iters, power } = this
    const left = 1 - Math.min(total_iters, this.last_epoch) / total_iters
    return this.base_lrs.map(lr => lr * left ** power)
  }
}
