// Random numbers into tensors that exist: uniform_, normal_, random_, bernoulli_ and their relatives, as methods.
// After torch.manual_seed they are PyTorch's numbers: drawn in the order of memory, element by element.
// Not here: functions that make random tensors (random.ts), the distributions themselves (random/).
import { default_generator, type Generator } from '../base/generator.ts'
import type { Operand } from '../device/device.ts'
import { bind, parse_schema } from '../tensor/schema.ts'
import type { Tensor } from '../tensor/tensor.ts'
import { overwrite } from './convert.ts'
import { make_batched_op, type Op } from './define/op.ts'
import { draw_bernoulli, draw_into } from './random/draw.ts'
import { fill_random } from './random/integers.ts'
import { fill_log_normal, fill_normal } from './random/normal.ts'
import { fill_cauchy, fill_exponential, fill_geometric } from './random/transforms.ts'
import { fill_bernoulli, fill_uniform } from './random/uniform.ts'

type Draw = (g: Generator, out: Operand, values: readonly unknown[], t: Tensor, contiguous: boolean) => void

/** An in-place method that overwrites with draws; an overload each: its schema, its node and what it draws. */
function random_fill<A extends readonly unknown[]>(
  ...overloads: readonly (readonly [string, string, Draw])[]
): Op<A> {
  const schemas = overloads.map(([signature]) => parse_schema(`${signature}, *, generator? generator=None)`))
  return make_batched_op(
    (...args: A) => {
      const { overload, values } = bind(schemas, args)
      const [, node, draw] = overloads[overload] as (typeof overloads)[number]
      const [self, ...rest] = values as [Tensor, ...unknown[]]
      const generator = (rest.pop() as Generator | null) ?? default_generator
      return overwrite(self, node, t =>
        draw_into(t, (out, contiguous) => draw(generator, out, rest, t, contiguous)),
      )
    },
    { name: schemas[0]!.name, schemas, samples: undefined, differentiable: false },
  )
}

export type DrawOptions = { generator?: Generator | null }
type Two<A extends string, B extends string> = DrawOptions & { [K in A | B]?: number }

/** Uniform numbers in [from, to), by default in [0, 1). */
export const uniform_: Op<
  [self: Tensor, from?: number | Two<'from', 'to'>, to?: number | DrawOptions, opts?: DrawOptions]
> = random_fill([
  'uniform_(Tensor self, float from=0, float to=1',
  'UniformBackward0',
  (g, out, [from, to]) => fill_uniform(g, out, from as number, to as number),
])

/** Normal numbers of the given mean and standard deviation. */
export const normal_: Op<
  [self: Tensor, mean?: number | Two<'mean', 'std'>, std?: number | DrawOptions, opts?: DrawOptions]
> = random_fill([
  'normal_(Tensor self, float mean=0, float std=1',
  'NormalBackward0',
  (g, out, [mean, std], _, contiguous) => fill_normal(g, out, mean as number, std as number, contiguous),
])

type Bound = number | bigint
/**
 * Whole numbers: `random_(from, to)` in [from, to), `random_(to)` in [0, to), `random_()` all that the dtype holds
 * without gaps from 0 on.
 */
export const random_: Op<
  | [self: Tensor, from: Bound, to: Bound | null, opts?: DrawOptions]
  | [self: Tensor, to: Bound, opts?: DrawOptions]
  | [self: Tensor, opts?: DrawOptions]
> = random_fill(
  ['random_(Tensor self', 'RandomBackward2', (g, out) => fill_random(g, out)],
  ['random_(Tensor self, int to', 'RandomBackward1', (g, out, [to]) => fill_random(g, out, 0, to as Bound)],
  [
    'random_(Tensor self, int from, int? to',
    'RandomBackward0',
    (g, out, [from, to]) => fill_random(g, out, from as Bound, to as Bound | null),
  ],
)

/** 1 with probability `p` (one for all, or a tensor of them), else 0. */
export const bernoulli_: Op<
  [self: Tensor, p?: number | Tensor | (DrawOptions & { p?: number | Tensor }), opts?: DrawOptions]
> = random_fill(
  [
    'bernoulli_(Tensor self, Tensor p',
    'BernoulliBackward1',
    (g, out, [p], t) => draw_bernoulli(g, out, t, p as Tensor),
  ],
  [
    'bernoulli_(Tensor self, float p=0.5',
    'BernoulliBackward2',
    (g, out, [p]) => fill_bernoulli(g, out, p as number),
  ],
)

/** Exponential numbers of rate `lambd`. */
export const exponential_: Op<
  [self: Tensor, lambd?: number | (DrawOptions & { lambd?: number }), opts?: DrawOptions]
> = random_fill([
  'exponential_(Tensor self, float lambd=1',
  'ExponentialBackward0',
  (g, out, [lambd]) => fill_exponential(g, out, lambd as number),
])

/** The number of trials up to the first success, each of probability `p`. */
export const geometric_: Op<[self: Tensor, p: number | (DrawOptions & { p: number }), opts?: DrawOptions]> =
  random_fill([
    'geometric_(Tensor self, float p',
    'GeometricBackward0',
    (g, out, [p]) => fill_geometric(g, out, p as number),
  ])

/** Cauchy numbers of the given median and scale. */
export const cauchy_: Op<
  [self: Tensor, median?: number | Two<'median', 'sigma'>, sigma?: number | DrawOptions, opts?: DrawOptions]
> = random_fill([
  'cauchy_(Tensor self, float median=0, float sigma=1',
  'CauchyBackward0',
  (g, out, [median, sigma]) => fill_cauchy(g, out, median as number, sigma as number),
])

/** Numbers whose logarithm is normal of the given mean and standard deviation. */
export const log_normal_: Op<
  [self: Tensor, mean?: number | Two<'mean', 'std'>, std?: number | DrawOptions, opts?: DrawOptions]
> = random_fill([
  'log_normal_(Tensor self, float mean=1, float std=2',
  'LogNormalBackward0',
  (g, out, [mean, std]) => fill_log_normal(g, out, mean as number, std as number),
])
