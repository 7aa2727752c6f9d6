// nll_loss as users call it. Not here: its kernels (class_loss.ts), losses of logits (cross_entropy.ts).
import type { Tensor } from '../../tensor/tensor.ts'
import { composite, type Op } from '../define/op.ts'
import { likelihood, NLL, type NllOptions, type NllValues } from './class_loss.ts'
import { legacy_reduction } from './reduction.ts'

type NllArgs = [input: Tensor, target: Tensor, weight?: Tensor | null | NllOptions, opts?: NllOptions]

/** Minus the entry of `input` (log-probabilities, classes in dim 1) at each target class. */
export const nll_loss: Op<NllArgs> = composite(`nll_loss(Tensor input, Tensor target, ${NLL})`, {
  body: (...[input, target, weight, size_average, ignore_index, reduce, reduction]: NllValues) =>
    likelihood(input, target, weight, legacy_reduction(size_average, reduce, reduction), ignore_index),
  samples: r => [
    [r(3, 5), r.ints(0, 5, 3)],
    [r(3, 5), r.ints(0, 5, 3), r.range(0.1, 1, 5), { reduction: 'sum' }],
    [r(2, 4, 3), r.ints(0, 4, 2, 3), { reduction: 'none' }],
  ],
})
