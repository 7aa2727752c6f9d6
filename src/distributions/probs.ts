// Distributions given either probabilities or log odds: reading which, and deriving one from the other when it is
// asked for. Not here: the distributions.
import { ValueError } from '../base/errors.ts'
import type { Tensor } from '../torch.ts'
import { lazy, logits_to_probs, probs_to_logits } from './utils.ts'

/** Throws ValueError unless exactly one of the two is given. */
export function require_either(probs: unknown, logits: unknown): void {
  if ((probs === null) === (logits === null))
    throw new ValueError('Either `probs` or `logits` must be specified, but not both.')
}

type Given = { readonly probs: Tensor; readonly logits: Tensor }

/** The log odds of an object's probabilities, kept. */
export const binary_logits = (self: Given): Tensor =>
  lazy(self, 'logits', () => probs_to_logits(self.probs, true))
/** The probabilities of an object's log odds, kept. */
export const binary_probs = (self: Given): Tensor =>
  lazy(self, 'probs', () => logits_to_probs(self.logits, true))

/** 0, 1, ..., n - 1 along a new first dimension before those of the batch, to which they may be expanded. */
export function enumerated(values: Tensor, batch_shape: readonly number[], expand: Expand): Tensor {
  const column = values.reshape([-1, ...batch_shape.map(() => 1)])
  return is_wanted(expand) ? column.expand([-1, ...batch_shape]) : column
}

/** How {@link Distribution.enumerate_support} is told to expand. */
export type Expand = boolean | { expand?: boolean }
export const is_wanted = (expand: Expand): boolean =>
  typeof expand === 'boolean' ? expand : (expand.expand ?? true)
