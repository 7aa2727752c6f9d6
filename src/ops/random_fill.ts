// Random numbers into tensors that exist: uniform_, normal_, random_, bernoulli_ and their relatives, as methods.
// After torch.manual_seed they are PyTorch's numbers: drawn in the order of memory, element by element.
// Not here: functions that make random tensors (random.ts), the distributions themselves (base/sampling.ts).
import { float64, type TypedArray } from '../base/dtype.ts'
import { RuntimeError } from '../base/errors.ts'
import { default_generator, type Generator } from '../base/generator.ts'
import { fill_normal } from '../base/normal.ts'
import {
  fill_bernoulli,
  fill_bernoulli_from,
  fill_cauchy,
  fill_exponential,
  fill_geometric,
  fill_log_normal,
  fill_random,
  fill_uniform,
} from '../base/sampling.ts'
import { coalesce, expand_strides, non_overlapping_and_dense } from '../base/shape.ts'
import { empty } from '../tensor/dispatch.ts'
import { bind, parse_schema } from '../tensor/schema.ts'
import { alias, type Tensor } from '../tensor/tensor.ts'
import { overwrite } from './convert.ts'
import { copy_elements } from './define/copy.ts'
import { make_op, type Op } from './define/op.ts'
import { overlaps } from './define/view.ts'

/**
 * Has `fill` write the elements of `t` in the order of memory; `contiguous` tells it whether that is row-major.
 * Where memory has gaps it writes a block that is then spread over them. Throws where elements share memory.
 */
export function draw_into(t: Tensor, fill: (out: TypedArray, contiguous: boolean) => void): void {
  if (overlaps(t.sizes, t.strides))
    throw new RuntimeError(
      'unsupported operation: more than one element of the written-to tensor refers to a single memory location. Please clone() the tensor before performing the operation.',
    )
  const per = t.dtype.is_complex ? 2 : 1
  if (t.dense || non_overlapping_and_dense(t.sizes, t.strides)) {
    const array = t.memory.array(t.dtype)
    fill(array.subarray(t.offset * per, (t.offset + t.count) * per) as TypedArray, t.dense)
    return
  }
  const { sizes, strides_list } = coalesce(t.sizes, [t.strides])
  const block = empty(sizes, t.dtype)
  fill(block.memory.array(t.dtype).subarray(0, block.count * per) as TypedArray, false)
  copy_elements(alias(t, sizes, strides_list[0]), block)
}

/** The elements of `p`, broadcast to `t`, as numbers in the order in which {@link draw_into} draws those of `t`. */
export function in_order_of(t: Tensor, p: Tensor): Float64Array {
  const strides = expand_strides(p.sizes, p.strides, t.sizes, p.dtype.tensor_type)
  const space = coalesce(t.sizes, [t.strides, strides])
  const block = empty(space.sizes, float64)
  copy_elements(block, alias(p, space.sizes, space.strides_list[1]))
  return block.memory.array(float64).subarray(0, block.count) as Float64Array
}

type Draw = (
  g: Generator,
  self: Tensor,
  values: readonly unknown[],
  out: TypedArray,
  contiguous: boolean,
) => void

/** An in-place method that overwrites with draws; an overload each: its schema, its node and what it draws. */
function random_fill<A extends readonly unknown[]>(
  ...overloads: readonly (readonly [string, string, Draw])[]
): Op<A> {
  const schemas = overloads.map(([signature]) => parse_schema(`${signature}, *, generator? generator=None)`))
  return make_op(
    (...args: A) => {
      const { overload, values } = bind(schemas, args)
      const [, node, draw] = overloads[overload] as (typeof overloads)[number]
      const [self, ...rest] = values as [Tensor, ...unknown[]]
      const generator = (rest.pop() as Generator | null) ?? default_generator
      return overwrite(self, node, t =>
        draw_into(t, (out, contiguous) => draw(generator, t, rest, out, contiguous)),
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
  (g, { dtype }, [from, to], out) => fill_uniform(g, out, dtype, from as number, to as number),
])

/** Normal numbers of the given mean and standard deviation. */
export const normal_: Op<
  [self: Tensor, mean?: number | Two<'mean', 'std'>, std?: number | DrawOptions, opts?: DrawOptions]
> = random_fill([
  'normal_(Tensor self, float mean=0, float std=1',
  'NormalBackward0',
  (g, { dtype }, [mean, std], out, contiguous) =>
    fill_normal(g, out, dtype, mean as number, std as number, contiguous),
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
  ['random_(Tensor self', 'RandomBackward2', (g, { dtype }, _, out) => fill_random(g, out, dtype)],
  [
    'random_(Tensor self, int to',
    'RandomBackward1',
    (g, { dtype }, [to], out) => fill_random(g, out, dtype, 0, to as Bound),
  ],
  [
    'random_(Tensor self, int from, int? to',
    'RandomBackward0',
    (g, { dtype }, [from, to], out) => fill_random(g, out, dtype, from as Bound, to as Bound | null),
  ],
)

/** 1 with probability `p` (one for all, or a tensor of them), else 0. */
export const bernoulli_: Op<
  [self: Tensor, p?: number | Tensor | (DrawOptions & { p?: number | Tensor }), opts?: DrawOptions]
> = random_fill(
  [
    'bernoulli_(Tensor self, Tensor p',
    'BernoulliBackward1',
    (g, t, [p], out) =>
      fill_bernoulli_from(g, out, t.dtype, in_order_of(t, p as Tensor), (p as Tensor).dtype),
  ],
  [
    'bernoulli_(Tensor self, float p=0.5',
    'BernoulliBackward2',
    (g, { dtype }, [p], out) => fill_bernoulli(g, out, dtype, p as number),
  ],
)

/** Exponential numbers of rate `lambd`. */
export const exponential_: Op<
  [self: Tensor, lambd?: number | (DrawOptions & { lambd?: number }), opts?: DrawOptions]
> = random_fill([
  'exponential_(Tensor self, float lambd=1',
  'ExponentialBackward0',
  (g, { dtype }, [lambd], out) => fill_exponential(g, out, dtype, lambd as number),
])

/** The number of trials up to the first success, each of probability `p`. */
export const geometric_: Op<[self: Tensor, p: number | (DrawOptions & { p: number }), opts?: DrawOptions]> =
  random_fill([
    'geometric_(Tensor self, float p',
    'GeometricBackward0',
    (g, { dtype }, [p], out) => fill_geometric(g, out, dtype, p as number),
  ])

/** Cauchy numbers of the given median and scale. */
export const cauchy_: Op<
  [self: Tensor, median?: number | Two<'median', 'sigma'>, sigma?: number | DrawOptions, opts?: DrawOptions]
> = random_fill([
  'cauchy_(Tensor self, float median=0, float sigma=1',
  'CauchyBackward0',
  (g, { dtype }, [median, sigma], out) => fill_cauchy(g, out, dtype, median as number, sigma as number),
])

/** Numbers whose logarithm is normal of the given mean and standard deviation. */
export const log_normal_: Op<
  [self: Tensor, mean?: number | Two<'mean', 'std'>, std?: number | DrawOptions, opts?: DrawOptions]
> = random_fill([
  'log_normal_(Tensor self, float mean=1, float std=2',
  'LogNormalBackward0',
  (g, { dtype }, [mean, std], out) => fill_log_normal(g, out, dtype, mean as number, std as number),
])
