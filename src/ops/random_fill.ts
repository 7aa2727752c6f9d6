import { default_generator, type Generator } from '../base/generator.ts'
import { coalesce, expand_strides, non_overlapping_and_dense, overlaps, same_sizes } from '../base/shape.ts'
import type { Operand } from '../device/device.ts'
import { empty } from '../tensor/dispatch.ts'
import { bind, parse_schema } from '../tensor/schema.ts'
import { alias, type Tensor } from '../tensor/tensor.ts'
import { overwrite } from './convert.ts'
import { copy_elements } from './define/copy.ts'
import { make_batched_op, type Op } from './define/op.ts'
import { self_overlap } from './define/out.ts'
import { not_implemented } from './define/rules.ts'
import { fill_random } from './random/integers.ts'
import { fill_log_normal, fill_normal } from './random/normal.ts'
import { fill_cauchy, fill_exponential, fill_geometric } from './random/transforms.ts'
import { fill_bernoulli, fill_bernoulli_from, fill_uniform } from './random/uniform.ts'

/**
 * Has `fill` write the elements of `t` in the order of memory, as an operand without gaps; `contiguous` tells it whether
 * that is row-major. Where memory has gaps it writes a block that is then spread over them. Throws where elements share
 * memory.
 */
export function draw_into(t: Tensor, fill: (out: Operand, contiguous: boolean) => void): void {
  if (t.dense) {
    fill(t, true)
    return
  }
  if (overlaps(t.sizes, t.strides)) throw self_overlap()
  if (non_overlapping_and_dense(t.sizes, t.strides)) {
    fill(t, false)
    return
  }
  const { sizes, strides_list } = coalesce(t.sizes, [t.strides])
  const block = empty(sizes, t.dtype)
  fill(block, false)
  copy_elements(alias(t, sizes, strides_list[0]), block)
}

/** The elements of `p`, broadcast to `t`, without gaps in the order in which {@link draw_into} draws those of `t`. */
export function in_order_of(t: Tensor, p: Tensor): Tensor {
  if (t.dense && p.dense && same_sizes(t.sizes, p.sizes)) return p
  const strides = expand_strides(p.sizes, p.strides, t.sizes, p.dtype.tensor_type)
  const space = coalesce(t.sizes, [t.strides, strides])
  const block = empty(space.sizes, p.dtype)
  copy_elements(block, alias(p, space.sizes, space.strides_list[1]))
  return block
}

/** Fills `out`, the elements of `t` in order, with 1 with the probability at the same place of `p`, else 0. */
export function draw_bernoulli(g: Generator, out: Operand, t: Tensor, p: Tensor): void {
  if (t.dtype.is_complex) not_implemented('bernoulli_tensor_cpu_self_', t.dtype)
  if (!p.dtype.is_floating_point) not_implemented('bernoulli_tensor_cpu_p_', p.dtype)
  fill_bernoulli_from(g, out, in_order_of(t, p))
}

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
