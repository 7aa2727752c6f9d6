// Draws whose probabilities are a tensor's values, as functions and methods: bernoulli, multinomial.
// Not here: draws into a tensor (random_fill.ts), other distributions (random.ts).
import { int64, type TypedArray } from '../base/dtype.ts'
import { RuntimeError } from '../base/errors.ts'
import type { Generator } from '../base/generator.ts'
import { empty } from '../tensor/dispatch.ts'
import type { Tensor } from '../tensor/tensor.ts'
import { dense } from './define/copy.ts'
import { empty_as } from './define/create.ts'
import { type Op, op, overloaded } from './define/op.ts'
import { scalar_name } from './define/out.ts'
import { array_of, draw_bernoulli, draw_into, generator_of, zeros_for } from './random/draw.ts'
import { fill_multinomial } from './random/multinomial.ts'
import { fill_exponential } from './random/transforms.ts'
import { fill_bernoulli } from './random/uniform.ts'
import type { DrawOptions } from './random_fill.ts'

/** 1 with the probability at the same place of `input`, else 0. */
const bernoulli_from: Op<[input: Tensor, opts?: DrawOptions]> = op(
  'bernoulli(Tensor self, *, generator? generator=None)',
  {
    forward(self: Tensor, generator: Generator | null) {
      const out = empty(self.sizes, self.dtype)
      draw_bernoulli(generator_of(generator), out, out, self)
      return out
    },
    backward: { self: zeros_for },
  },
)

const bernoulli_of: Op<[input: Tensor, p: number, opts?: DrawOptions]> = op(
  'bernoulli(Tensor self, float p, *, generator? generator=None)',
  {
    forward(self: Tensor, p: number, generator: Generator | null) {
      const out = empty(self.sizes, self.dtype)
      fill_bernoulli(generator_of(generator), out, p)
      return out
    },
  },
)

/** 1 with the probability at the same place of `input`, or (where it is given) with probability `p`; else 0. */
export const bernoulli: Op<[input: Tensor, p?: number | BernoulliOptions, opts?: BernoulliOptions]> =
  overloaded([
    [
      'bernoulli(Tensor self, *, generator? generator=None)',
      (self: Tensor, generator: Generator | null) => bernoulli_from(self, { generator }),
    ],
    [
      'bernoulli(Tensor self, float p, *, generator? generator=None)',
      (self: Tensor, p: number, generator: Generator | null) => bernoulli_of(self, p, { generator }),
    ],
  ])
type BernoulliOptions = DrawOptions & { p?: number; out?: Tensor }

type MultinomialOptions = DrawOptions & { replacement?: boolean; out?: Tensor }
/**
 * For each row of weights (they need not sum to 1) the indices of `num_samples` draws, as int64. Throws RuntimeError
 * for negative weights, rows of zeros, and more samples than there are categories without replacement.
 */
export const multinomial: Op<
  [input: Tensor, num_samples: number, replacement?: boolean | MultinomialOptions, opts?: MultinomialOptions]
> = op('multinomial(Tensor self, int num_samples, bool replacement=False, *, generator? generator=None)', {
  forward(self: Tensor, samples: number, replacement: boolean, generator: Generator | null) {
    const { sizes, dtype } = self
    if (sizes.length !== 1 && sizes.length !== 2) throw new RuntimeError('prob_dist must be 1 or 2 dim')
    if (!dtype.is_floating_point)
      throw new RuntimeError(
        `multinomial only supports floating-point dtypes for input, got: ${scalar_name(dtype)}`,
      )
    if (samples <= 0) throw new RuntimeError('cannot sample n_sample <= 0 samples')
    const out = empty([...sizes.slice(0, -1), samples], int64)
    const categories = sizes[sizes.length - 1] as number
    const g = generator_of(generator)
    // The noise is a tensor like the weights, drawn in its order of memory.
    const draw_noise = (noise: TypedArray): void => {
      const like = empty_as(self, dtype)
      draw_into(like, drawn => fill_exponential(g, drawn))
      noise.set(array_of(dense(like)) as never)
    }
    const indices = array_of(out) as BigInt64Array
    const { memory, offset, count } = dense(self)
    // It has to last while noise is drawn.
    const weights = memory.array(dtype).subarray(offset, offset + count) as TypedArray
    fill_multinomial(g, indices, weights, dtype, categories, samples, replacement, draw_noise)
    return out
  },
})
