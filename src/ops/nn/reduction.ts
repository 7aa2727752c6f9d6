// The argument `reduction` of losses: checked, made of its older form, applied. Not here: any loss.

import { ValueError } from '../../base/errors.ts'
import { warn } from '../../base/warn.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import type { Reduction } from './loss.ts'

/** Applies a reduction. */
export const reduced = (t: Tensor, reduction: string): Tensor =>
  reduction === 'mean' ? t.mean() : reduction === 'sum' ? t.sum() : t

/** Throws ValueError for what is no reduction. */
export function require_reduction(reduction: string): asserts reduction is Reduction {
  if (reduction !== 'none' && reduction !== 'mean' && reduction !== 'sum')
    throw new ValueError(`${reduction} is not a valid value for reduction`)
}

/** What the flags of old PyTorch meant, as a reduction. */
export function legacy_reduction(
  size_average: boolean | null,
  reduce: boolean | null,
  reduction: string,
): string {
  if (size_average === null && reduce === null) return reduction
  const meant = reduce === false ? 'none' : (size_average ?? true) ? 'mean' : 'sum'
  warn(`size_average and reduce args will be deprecated, please use reduction='${meant}' instead.`)
  return meant
}
