// torch.optim.lr_scheduler: the schedulers, each callable without `new`.
import { type _Callable, _callable } from '../../torch.ts'
import {
  CosineAnnealingLR as CosineAnnealingLRClass,
  CosineAnnealingWarmRestarts as CosineAnnealingWarmRestartsClass,
} from './cosine.ts'
import {
  ExponentialLR as ExponentialLRClass,
  LambdaLR as LambdaLRClass,
  MultiplicativeLR as MultiplicativeLRClass,
  MultiStepLR as MultiStepLRClass,
  StepLR as StepLRClass,
} from './decay.ts'
import {
  ConstantLR as ConstantLRClass,
  LinearLR as LinearLRClass,
  PolynomialLR as PolynomialLRClass,
} from './ramp.ts'

export type { ConstantLROptions, LinearLROptions, PolynomialLROptions } from './ramp.ts'

import { ChainedScheduler as ChainedSchedulerClass, SequentialLR as SequentialLRClass } from './composed.ts'

export type { SequentialLROptions } from './composed.ts'

import { ReduceLROnPlateau as ReduceLROnPlateauClass } from './plateau.ts'

export type { ReduceLROnPlateauOptions } from './plateau.ts'

import { CyclicLR as CyclicLRClass } from './cyclic.ts'

export type { CyclicLROptions } from './cyclic.ts'

import { OneCycleLR as OneCycleLRClass } from './one_cycle.ts'

export type { CosineAnnealingLROptions, CosineAnnealingWarmRestartsOptions } from './cosine.ts'
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
export type ConstantLR = ConstantLRClass
export const ConstantLR: _Callable<typeof ConstantLRClass> = _callable(ConstantLRClass)
export type LinearLR = LinearLRClass
export const LinearLR: _Callable<typeof LinearLRClass> = _callable(LinearLRClass)
export type PolynomialLR = PolynomialLRClass
export const PolynomialLR: _Callable<typeof PolynomialLRClass> = _callable(PolynomialLRClass)
export type SequentialLR = SequentialLRClass
export const SequentialLR: _Callable<typeof SequentialLRClass> = _callable(SequentialLRClass)
export type ChainedScheduler = ChainedSchedulerClass
export const ChainedScheduler: _Callable<typeof ChainedSchedulerClass> = _callable(ChainedSchedulerClass)
export type ReduceLROnPlateau = ReduceLROnPlateauClass
export const ReduceLROnPlateau: _Callable<typeof ReduceLROnPlateauClass> = _callable(ReduceLROnPlateauClass)
export type CyclicLR = CyclicLRClass
export const CyclicLR: _Callable<typeof CyclicLRClass> = _callable(CyclicLRClass)
export type MultiplicativeLR = MultiplicativeLRClass
export const MultiplicativeLR: _Callable<typeof MultiplicativeLRClass> = _callable(MultiplicativeLRClass)
export type CosineAnnealingWarmRestarts = CosineAnnealingWarmRestartsClass
export const CosineAnnealingWarmRestarts: _Callable<typeof CosineAnnealingWarmRestartsClass> = _callable(
  CosineAnnealingWarmRestartsClass,
)
