// torch.optim: the optimizers, each callable without `new`, and the schedulers.
import { type _Callable, _callable } from '../torch.ts'
import { Adadelta as AdadeltaClass } from './adadelta.ts'
import { Adagrad as AdagradClass } from './adagrad.ts'
import { Adam as AdamClass } from './adam.ts'
import { Adamax as AdamaxClass } from './adamax.ts'
import { AdamW as AdamWClass } from './adamw.ts'
import { ASGD as ASGDClass } from './asgd.ts'
import { LBFGS as LBFGSClass } from './lbfgs.ts'
import { NAdam as NAdamClass } from './nadam.ts'
import { RAdam as RAdamClass } from './radam.ts'
import { RMSprop as RMSpropClass } from './rmsprop.ts'
import { Rprop as RpropClass } from './rprop.ts'
import { SGD as SGDClass } from './sgd.ts'
import { SparseAdam as SparseAdamClass } from './sparse_adam.ts'

export type { AdadeltaOptions } from './adadelta.ts'
export type { AdagradOptions } from './adagrad.ts'
export type { AdamOptions } from './adam.ts'
export type { AdamaxOptions } from './adamax.ts'
export type { AdamWOptions } from './adamw.ts'
export type { ASGDOptions } from './asgd.ts'
export type { LBFGSOptions } from './lbfgs.ts'
export * as lr_scheduler from './lr_scheduler/index.ts'
export type { NAdamOptions } from './nadam.ts'
export {
  type GroupInit,
  Optimizer,
  type OptimizerStateDict,
  type ParamGroup,
  type Params,
} from './optimizer.ts'
export type { RAdamOptions } from './radam.ts'
export type { RMSpropOptions } from './rmsprop.ts'
export type { RpropOptions } from './rprop.ts'
export type { SGDOptions } from './sgd.ts'
export type { SparseAdamOptions } from './sparse_adam.ts'
export * as swa_utils from './swa_utils.ts'

export type Adadelta = AdadeltaClass
export const Adadelta: _Callable<typeof AdadeltaClass> = _callable(AdadeltaClass)
export type Adagrad = AdagradClass
export const Adagrad: _Callable<typeof AdagradClass> = _callable(AdagradClass)
export type Adam = AdamClass
export const Adam: _Callable<typeof AdamClass> = _callable(AdamClass)
export type Adamax = AdamaxClass
export const Adamax: _Callable<typeof AdamaxClass> = _callable(AdamaxClass)
export type AdamW = AdamWClass
export const AdamW: _Callable<typeof AdamWClass> = _callable(AdamWClass)
export type ASGD = ASGDClass
export const ASGD: _Callable<typeof ASGDClass> = _callable(ASGDClass)
export type LBFGS = LBFGSClass
export const LBFGS: _Callable<typeof LBFGSClass> = _callable(LBFGSClass)
export type NAdam = NAdamClass
export const NAdam: _Callable<typeof NAdamClass> = _callable(NAdamClass)
export type RAdam = RAdamClass
export const RAdam: _Callable<typeof RAdamClass> = _callable(RAdamClass)
export type RMSprop = RMSpropClass
export const RMSprop: _Callable<typeof RMSpropClass> = _callable(RMSpropClass)
export type Rprop = RpropClass
export const Rprop: _Callable<typeof RpropClass> = _callable(RpropClass)
export type SGD = SGDClass
export const SGD: _Callable<typeof SGDClass> = _callable(SGDClass)
export type SparseAdam = SparseAdamClass
export const SparseAdam: _Callable<typeof SparseAdamClass> = _callable(SparseAdamClass)
