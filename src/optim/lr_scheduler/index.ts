// torch.optim.lr_scheduler: the schedulers, each callable without `new`.
import { type _Callable, _callable } from '../../torch.ts'
import { CosineAnnealingLR as CosineAnnealingLRClass } from './cosine.ts'
import {
  ExponentialLR as ExponentialLRClass,
  LambdaLR as LambdaLRClass,
  MultiStepLR as MultiStepLRClass,
  StepLR as StepLRClass,
} from './decay.ts'
import { OneCycleLR as OneCycleLRClass } from './one_cycle.ts'

export type { CosineAnnealingLROptions } from './cosine.ts'
export type { ExponentialLROptions, LambdaLROptions, MultiStepLROptions, StepLROptions } from './decay.ts'
export type { OneCycleLROptions } from './one_cycle.ts'
export { LRScheduler, LRScheduler as _LRScheduler, type Scheduled } from './scheduler.ts'

export type CosineAnnealingLR = CosineAnnealingLRClass
export const CosineAnnealingLR: _Callable<typeof CosineAnnealingLRClass> = _callable(CosineAnnealingLRClass)
export type ExponentialLR = ExponentialLRClass
export const ExponentialLR: _Callable<typeof ExponentialLRClass> = _callable(ExponentialLRClass)
export type LambdaLR = LambdaLRClass
export const LambdaLR: _Callable<typeof LambdaLRClass> = _callable(LambdaLRClass)
export type MultiStepLR = MultiStepLRClass
export const MultiStepLR: _Callable<typeof MultiStepLRClass> = _callable(MultiStepLRClass)
export type OneCycleLR = OneCycleLRClass
export const OneCycleLR: _Callable<typeof OneCycleLRClass> = _callable(OneCycleLRClass)
export type StepLR = StepLRClass
export const StepLR: _Callable<typeof StepLRClass> = _callable(StepLRClass)
