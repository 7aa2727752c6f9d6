// torch.distributions.transforms: the namespace, each transform made with or without `new`.
import { type _Callable, _callable } from '../../torch.ts'
import * as elementwise from './elementwise.ts'
import * as parts from './parts.ts'
import * as chains from './transform.ts'
import * as vectors from './vectors.ts'

export { identity_transform, type Sign, Transform } from './transform.ts'

export type AbsTransform = elementwise.AbsTransform
export const AbsTransform: _Callable<typeof elementwise.AbsTransform> = _callable(elementwise.AbsTransform)
export type AffineTransform = elementwise.AffineTransform
export const AffineTransform: _Callable<typeof elementwise.AffineTransform> = _callable(
  elementwise.AffineTransform,
)
export type CatTransform = parts.CatTransform
export const CatTransform: _Callable<typeof parts.CatTransform> = _callable(parts.CatTransform)
export type ComposeTransform = chains.ComposeTransform
export const ComposeTransform: _Callable<typeof chains.ComposeTransform> = _callable(chains.ComposeTransform)
export type CorrCholeskyTransform = vectors.CorrCholeskyTransform
export const CorrCholeskyTransform: _Callable<typeof vectors.CorrCholeskyTransform> = _callable(
  vectors.CorrCholeskyTransform,
)
export type CumulativeDistributionTransform = elementwise.CumulativeDistributionTransform
export const CumulativeDistributionTransform: _Callable<typeof elementwise.CumulativeDistributionTransform> =
  _callable(elementwise.CumulativeDistributionTransform)
export type ExpTransform = elementwise.ExpTransform
export const ExpTransform: _Callable<typeof elementwise.ExpTransform> = _callable(elementwise.ExpTransform)
export type IndependentTransform = chains.IndependentTransform
export const IndependentTransform: _Callable<typeof chains.IndependentTransform> = _callable(
  chains.IndependentTransform,
)
export type LowerCholeskyTransform = vectors.LowerCholeskyTransform
export const LowerCholeskyTransform: _Callable<typeof vectors.LowerCholeskyTransform> = _callable(
  vectors.LowerCholeskyTransform,
)
export type PowerTransform = elementwise.PowerTransform
export const PowerTransform: _Callable<typeof elementwise.PowerTransform> = _callable(
  elementwise.PowerTransform,
)
export type ReshapeTransform = chains.ReshapeTransform
export const ReshapeTransform: _Callable<typeof chains.ReshapeTransform> = _callable(chains.ReshapeTransform)
export type SigmoidTransform = elementwise.SigmoidTransform
export const SigmoidTransform: _Callable<typeof elementwise.SigmoidTransform> = _callable(
  elementwise.SigmoidTransform,
)
export type SoftmaxTransform = vectors.SoftmaxTransform
export const SoftmaxTransform: _Callable<typeof vectors.SoftmaxTransform> = _callable(
  vectors.SoftmaxTransform,
)
export type SoftplusTransform = elementwise.SoftplusTransform
export const SoftplusTransform: _Callable<typeof elementwise.SoftplusTransform> = _callable(
  elementwise.SoftplusTransform,
)
export type StackTransform = parts.StackTransform
export const StackTransform: _Callable<typeof parts.StackTransform> = _callable(parts.StackTransform)
export type StickBreakingTransform = vectors.StickBreakingTransform
export const StickBreakingTransform: _Callable<typeof vectors.StickBreakingTransform> = _callable(
  vectors.StickBreakingTransform,
)
export type TanhTransform = elementwise.TanhTransform
export const TanhTransform: _Callable<typeof elementwise.TanhTransform> = _callable(elementwise.TanhTransform)
