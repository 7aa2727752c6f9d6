// Schedules that multiply the rate by a factor at certain epochs, or by a function of the epoch.
import { ValueError } from '../../base/errors.ts'
import { type Keywords, signature } from '../options.ts'
import { LRScheduler, type Scheduled } from './scheduler.ts'

type Common = { last_epoch?: number; verbose?: boolean }
const COMMON = 'int last_epoch=-1, bool verbose=False'

export type StepLROptions = Common & { step_size?: number; gamma?: number }
const step_options = signature<Required<StepLROptions>>(
  `StepLR.__init__(any? optimizer, int step_size, float gamma=0.1, ${COMMON})`,
)

/** Multiplies the rates by `gamma` every `step_size` epochs. */
export class StepLR extends LRScheduler {
  step_size: number
  gamma: number

  constructor(
    optimizer: Scheduled,
    ...args: Keywords<[step_size: number, gamma: number, last_epoch: number, verbose: boolean], StepLROptions>
  ) {
    const { step_size, gamma, last_epoch, verbose } = step_options([optimizer, ...args])
    super(optimizer, last_epoch, verbose)
    this.step_size = step_size
    this.gamma = gamma
    this.start()
  }

  protected override get_lr(): number[] {
    const decays = this.last_epoch !== 0 && this.last_epoch % this.step_size === 0
    return this.groups.map(({ lr }) => (decays ? lr * this.gamma : lr))
  }

  protected override closed_form(): number[] {
    return this.base_lrs.map(lr => lr * this.gamma ** Math.floor(this.last_epoch / this.step_size))
  }
}

export type MultiStepLROptions = Common & { milestones?: readonly number[]; gamma?: number }
const multi_step_options = signature<Required<MultiStepLROptions>>(
  `MultiStepLR.__init__(any? optimizer, int[] milestones, float gamma=0.1, ${COMMON})`,
)

/** Multiplies the rates by `gamma` at each of the epochs in `milestones`; twice where one is listed twice. */
export class MultiStepLR extends LRScheduler {
  milestones: readonly number[]
  gamma: number

  constructor(
    optimizer: Scheduled,
    ...args: Keywords<
      [milestones: readonly number[], gamma: number, last_epoch: number, verbose: boolean],
      MultiStepLROptions
    >
  ) {
    const { milestones, gamma, last_epoch, verbose } = multi_step_options([optimizer, ...args])
    super(optimizer, last_epoch, verbose)
    this.milestones = milestones
    this.gamma = gamma
    this.start()
  }

  protected override get_lr(): number[] {
    const times = this.milestones.filter(epoch => epoch === this.last_epoch).length
    return this.groups.map(({ lr }) => (times > 0 ? lr * this.gamma ** times : lr))
  }

  protected override closed_form(): number[] {
    const past = this.milestones.filter(epoch => epoch <= this.last_epoch).length
    return this.base_lrs.map(lr => lr * this.gamma ** past)
  }
}

export type ExponentialLROptions = Common & { gamma?: number }
const exponential_options = signature<Required<ExponentialLROptions>>(
  `ExponentialLR.__init__(any? optimizer, float gamma, ${COMMON})`,
)

/** Multiplies the rates by `gamma` every epoch. */
export class ExponentialLR extends LRScheduler {
  gamma: number

  constructor(
    optimizer: Scheduled,
    ...args: Keywords<[gamma: number, last_epoch: number, verbose: boolean], ExponentialLROptions>
  ) {
    const { gamma, last_epoch, verbose } = exponential_options([optimizer, ...args])
    super(optimizer, last_epoch, verbose)
    this.gamma = gamma
    this.start()
  }

  protected override get_lr(): number[] {
    return this.groups.map(({ lr }) => (this.last_epoch === 0 ? lr : lr * this.gamma))
  }

  protected override closed_form(): number[] {
    return this.base_lrs.map(lr => lr * this.gamma ** this.last_epoch)
  }
}

type Factor = (epoch: number) => number
export type LambdaLROptions = Common & { lr_lambda?: Factor | readonly Factor[] }
const lambda_options = signature<Required<LambdaLROptions>>(
  `LambdaLR.__init__(any? optimizer, any lr_lambda, ${COMMON})`,
)

/** The first rates times `lr_lambda(epoch)`: one function, or one for each group. */
export class LambdaLR extends LRScheduler {
  readonly lr_lambdas: readonly Factor[]

  constructor(
    optimizer: Scheduled,
    ...args: Keywords<
      [lr_lambda: Factor | readonly Factor[], last_epoch: number, verbose: boolean],
      LambdaLROptions
    >
  ) {
    const { lr_lambda, last_epoch, verbose } = lambda_options([optimizer, ...args])
    super(optimizer, last_epoch, verbose)
    const count = this.groups.length
    const lambdas = typeof lr_lambda === 'function' ? this.groups.map(() => lr_lambda) : lr_lambda
    if (lambdas.length !== count)
      throw new ValueError(`Expected ${count} lr_lambdas, but got ${lambdas.length}`)
    this.lr_lambdas = lambdas
    this.start()
  }

  protected override get_lr(): number[] {
    return this.base_lrs.map((lr, i) => lr * (this.lr_lambdas[i] as Factor)(this.last_epoch))
  }

  /** The functions are not saved: null stands for each, as in PyTorch. */
  override state_dict(): Record<string, unknown> {
    return { ...super.state_dict(), lr_lambdas: this.lr_lambdas.map(() => null) }
  }

  override load_state_dict({ lr_lambdas: _, ...state }: Readonly<Record<string, unknown>>): void {
    super.load_state_dict(state)
  }
}

/** The rates times `lr_lambda(epoch)` at each epoch but the first: one function, or one for each group. */
export class MultiplicativeLR extends LambdaLR {
  protected override get_lr(): number[] {
    const { last_epoch } = this
    return this.groups.map(({ lr }, i) =>
      last_epoch > 0 ? lr * (this.lr_lambdas[i] as Factor)(last_epoch) : lr,
    )
  }
}
