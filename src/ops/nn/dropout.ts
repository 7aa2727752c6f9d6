// Dropout: zeroes elements or whole channels at random and scales the rest, with PyTorch's stream of random numbers.
// Not here: nn.functional's dropout functions, which check p as a ValueError and pick one of these.
import { RuntimeError } from '../../base/errors.ts'
import { default_generator } from '../../base/generator.ts'
import { empty, zeros } from '../../tensor/dispatch.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { composite, type Op, without_recording } from '../define/op.ts'
import { draw_into } from '../random/draw.ts'
import { fill_bernoulli } from '../random/uniform.ts'

/** Which elements fall out together, and whether what remains is shifted to keep mean and variance (SELU's dropout). */
type Kind = { readonly feature: boolean; readonly alpha: boolean; readonly inplace: boolean }

/** The saturation of SELU, lambda * alpha. */
const ALPHA = 1.7580993408473766

function drop(input: Tensor, p: number, train: boolean, { feature, alpha, inplace }: Kind): Tensor {
  if (!(p >= 0 && p <= 1))
    throw new RuntimeError(`dropout probability has to be between 0 and 1, but got ${p}`)
  if (p === 0 || !train || input.count === 0) return input
  const times = (mask: Tensor): Tensor => (inplace ? input.mul_(mask) : input.mul(mask))
  if (p === 1) return times(zeros([], input.dtype))
  const [mask, shift] = without_recording(() => {
    const noise = feature ? channels_of(input) : empty(input.sizes, input.dtype)
    draw_into(noise, out => fill_bernoulli(default_generator, out, 1 - p))
    if (!alpha) return [noise.div_(1 - p), null]
    const a = 1 / Math.sqrt((ALPHA * ALPHA * p + 1) * (1 - p))
    const b = noise
      .add(-1)
      .mul_(ALPHA * a)
      .add_(ALPHA * a * p)
    return [noise.mul_(a), b]
  })
  return shift === null ? times(mask) : times(mask).add_(shift)
}

/** Room for one number for each channel of each sample. */
function channels_of(input: Tensor): Tensor {
  if (input.sizes.length < 2)
    throw new RuntimeError('Feature dropout requires at least 2 dimensions in the input')
  return empty(
    input.sizes.map((n, d) => (d < 2 ? n : 1)),
    input.dtype,
  )
}

type Args = [input: Tensor, p: number, train: boolean]
const dropout_op = (name: string, kind: Kind): Op<Args> =>
  composite(`${name}(Tensor input, float p, bool train)`, {
    body: (input: Tensor, p: number, train: boolean) => drop(input, p, train, kind),
    out: false,
  })

/** Zeroes each element with probability `p` and divides the others by 1 - p, where `train`; else `input` itself. */
export const dropout: Op<Args> = dropout_op('dropout', { feature: false, alpha: false, inplace: false })
/** {@link dropout} of whole channels: what lies behind the first two dimensions falls out together. */
export const feature_dropout: Op<Args> = dropout_op('feature_dropout', {
  feature: true,
  alpha: false,
  inplace: false,
})
/** Dropout that keeps the mean and the variance of what SELU gives: elements saturate instead of becoming zero. */
export const alpha_dropout: Op<Args> = dropout_op('alpha_dropout', {
  feature: false,
  alpha: true,
  inplace: false,
})
/** {@link alpha_dropout} of whole channels. */
export const feature_alpha_dropout: Op<Args> = dropout_op('feature_alpha_dropout', {
  feature: true,
  alpha: true,
  inplace: false,
})

/** {@link dropout} in place. */
export const dropout_: Op<Args> = dropout_op('dropout_', { feature: false, alpha: false, inplace: true })
/** {@link feature_dropout} in place. */
export const feature_dropout_: Op<Args> = dropout_op('feature_dropout_', {
  feature: true,
  alpha: false,
  inplace: true,
})
/** {@link alpha_dropout} in place. */
export const alpha_dropout_: Op<Args> = dropout_op('alpha_dropout_', {
  feature: false,
  alpha: true,
  inplace: true,
})
/** {@link feature_alpha_dropout} in place. */
export const feature_alpha_dropout_: Op<Args> = dropout_op('feature_alpha_dropout_', {
  feature: true,
  alpha: true,
  inplace: true,
})
