// Functions that make random tensors: rand, randn, randint, randperm, and draws whose parameters are tensors: normal,
// poisson, binomial. After torch.manual_seed they are PyTorch's numbers, to the bit. Not here: draws that are methods
// (sampling.ts, random_fill.ts), the generators' seeds and states (rng.ts), dropout (nn/dropout.ts).
import { type DType, float64, get_default_dtype, int64 } from '../base/dtype.ts'
import { RuntimeError } from '../base/errors.ts'
import { default_generator, type Generator } from '../base/generator.ts'
import { broadcast_sizes } from '../base/shape.ts'
import type { Operand } from '../device/device.ts'
import { Batched, draw_batched } from '../tensor/batched.ts'
import { empty } from '../tensor/dispatch.ts'
import { type PlaceLike, require_available } from '../tensor/place.ts'
import { bind, parse_schema, type Schema } from '../tensor/schema.ts'
import type { Tensor } from '../tensor/tensor.ts'
import { overwrite } from './convert.ts'
import { dense, dense_as } from './define/copy.ts'
import { bind_sized, CREATE, type CreateOptions, empty_as, empty_checked } from './define/create.ts'
import { make_op, type Op, op, overloaded } from './define/op.ts'
import { resize_out } from './define/out.ts'
import { fill_binomial, fill_poisson } from './random/counts.ts'
import { array_of, draw_into, generator_of, zeros_for } from './random/draw.ts'
import { fill_random, fill_randperm } from './random/integers.ts'
import { fill_normal } from './random/normal.ts'
import { fill_uniform } from './random/uniform.ts'
import { part } from './random/words.ts'
import type { DrawOptions } from './random_fill.ts'

type RandomOptions = CreateOptions & DrawOptions
type Fill = (g: Generator, out: Operand, contiguous: boolean) => void

/** The keyword arguments of functions that make a random tensor, and their values. */
const RANDOM = `${CREATE}, generator? generator=None, Tensor? out=None`
type RandomValues = [
  DType | null,
  unknown,
  PlaceLike | null,
  boolean,
  boolean,
  unknown,
  Generator | null,
  Tensor | null,
]

/** A new tensor filled by `fill`, or `out` resized and filled. */
function make_random(
  size: readonly number[],
  options: readonly unknown[],
  standard: DType,
  fill: Fill,
): Tensor {
  const [dtype, , device, , requires_grad, , generator, out] = options as RandomValues
  require_available(device)
  const write = (t: Tensor): void =>
    draw_into(t, (array, dense) => fill(generator ?? default_generator, array, dense))
  if (out !== null) {
    resize_out(out, size)
    return overwrite(out, 'RandomBackward0', write)
  }
  const made = draw_batched(batch => {
    const drawn = empty_checked([...batch, ...size], dtype ?? standard)
    write(drawn)
    return drawn
  })
  return requires_grad ? made.requires_grad_() : made
}

function random_maker<A extends readonly unknown[]>(
  name: string,
  schemas: readonly Schema[],
  make: (args: A) => Tensor,
): Op<A> {
  return make_op((...args: A) => make(args), { name, schemas, samples: undefined, differentiable: false })
}

// ---------------------------------------------------------------------------------------------- of a size

type SizedArgs = readonly [
  ...size: readonly (number | readonly number[] | (RandomOptions & { size?: readonly number[] }))[],
]

function sized(name: string, fill: Fill): Op<SizedArgs> {
  const schema = parse_schema(`${name}(int... size, ${RANDOM})`)
  return random_maker(name, [schema], args => {
    const [size, ...options] = bind_sized(schema, args) as [number[], ...unknown[]]
    return make_random(size, options, get_default_dtype(), fill)
  })
}

const uniform: Fill = (g, out) => fill_uniform(g, out)
const normal_numbers: Fill = (g, out, contiguous) => fill_normal(g, out, 0, 1, contiguous)

/** Uniform numbers in [0, 1). */
export const rand: Op<SizedArgs> = sized('rand', uniform)
/** Standard normal numbers. */
export const randn: Op<SizedArgs> = sized('randn', normal_numbers)

type Bound = number | bigint
const randint_schemas = [
  parse_schema(`randint(int high, int[] size, ${RANDOM})`),
  parse_schema(`randint(int low, int high, int[] size, ${RANDOM})`),
]
type RandintOptions = RandomOptions & { low?: Bound; high?: Bound; size?: readonly number[] }

/** Whole numbers in [low, high), int64 unless a dtype is given: `randint(high, size)`, `randint(low, high, size)`. */
export const randint: Op<
  | [high: Bound, size: readonly number[] | RandintOptions, opts?: RandomOptions]
  | [low: Bound, high: Bound | RandintOptions, size: readonly number[] | RandintOptions, opts?: RandomOptions]
  | [opts: RandintOptions]
> = random_maker('randint', randint_schemas, args => {
  const { overload, values } = bind(randint_schemas, args)
  const [low, high, size, ...options] = (overload === 0 ? [0, ...values] : values) as [
    Bound,
    Bound,
    number[],
    ...unknown[],
  ]
  return make_random(size, options, int64, (g, out) => fill_random(g, out, low, high))
})

const randperm_schema = parse_schema(`randperm(int n, ${RANDOM})`)
/** A random order of the numbers from 0 to n - 1. */
export const randperm: Op<[n: number, opts?: RandomOptions]> = random_maker(
  'randperm',
  [randperm_schema],
  args => {
    const [n, ...options] = bind([randperm_schema], args).values as [number, ...unknown[]]
    return make_random([n], options, int64, (g, out) => {
      for (let at = 0; at < out.count; at += n) fill_randperm(g, part(out, at, n))
    })
  },
)

// ---------------------------------------------------------------------------------------------- like another

/** A tensor like `self`, drawn by the default generator. */
function random_like(self: Tensor, options: readonly unknown[], fill: Fill): Tensor {
  const [dtype, , device, , requires_grad, memory_format] = options as RandomValues
  require_available(device)
  const made = draw_batched(batch => {
    const own = dtype ?? self.dtype
    const plain = batch.length === 0 && !(self instanceof Batched)
    const drawn = plain ? empty_as(self, own, memory_format) : empty([...batch, ...self.sizes], own)
    draw_into(drawn, (out, contiguous) => fill(default_generator, out, contiguous))
    return drawn
  })
  return requires_grad ? made.requires_grad_() : made
}

function like(name: string, fill: Fill): Op<[input: Tensor, opts?: CreateOptions]> {
  const schema = parse_schema(`${name}(Tensor self, ${CREATE})`)
  return random_maker(name, [schema], args => {
    const [self, ...options] = bind([schema], args).values as [Tensor, ...unknown[]]
    return random_like(self, options, fill)
  })
}

/** Uniform numbers in [0, 1) with the sizes and dtype of another tensor. */
export const rand_like: Op<[input: Tensor, opts?: CreateOptions]> = like('rand_like', uniform)
/** Standard normal numbers with the sizes and dtype of another tensor. */
export const randn_like: Op<[input: Tensor, opts?: CreateOptions]> = like('randn_like', normal_numbers)

const randint_like_schemas = [
  parse_schema(`randint_like(Tensor self, int high, ${CREATE})`),
  parse_schema(`randint_like(Tensor self, int low, int high, ${CREATE})`),
]
type RandintLikeOptions = CreateOptions & { low?: Bound; high?: Bound }
/** Whole numbers in [low, high), low being 0 unless given, with the sizes and dtype of another tensor. */
export const randint_like: Op<
  | [input: Tensor, high: Bound | RandintLikeOptions, opts?: CreateOptions]
  | [input: Tensor, low: Bound, high: Bound | RandintLikeOptions, opts?: CreateOptions]
> = random_maker('randint_like', randint_like_schemas, args => {
  const { overload, values } = bind(randint_like_schemas, args)
  const [self, ...rest] = values as [Tensor, ...unknown[]]
  const [low, high, ...options] = (overload === 0 ? [0, ...rest] : rest) as [Bound, Bound, ...unknown[]]
  return random_like(self, options, (g, out) => fill_random(g, out, low, high))
})
const zeros_for_second = (_: Tensor, [, other]: readonly unknown[]): Tensor => zeros_for(_, [other])

/** Poisson counts of the rates in `input`. */
export const poisson: Op<[input: Tensor, generator?: Generator | null]> = op(
  'poisson(Tensor self, generator? generator=None)',
  {
    forward(self: Tensor, generator: Generator | null) {
      const out = empty(self.sizes, self.dtype)
      fill_poisson(generator_of(generator), out, dense(self))
      return out
    },
    backward: { self: zeros_for },
  },
)

/** Binomial counts: of `count` trials the successes, each of probability `prob`. */
export const binomial: Op<[count: Tensor, prob: Tensor, generator?: Generator | null]> = op(
  'binomial(Tensor count, Tensor prob, generator? generator=None)',
  {
    forward(count: Tensor, prob: Tensor, generator: Generator | null) {
      const sizes = broadcast_sizes(count.sizes, prob.sizes)
      const spread = (t: Tensor): Tensor => dense_as(t.expand(sizes), count.dtype)
      const out = empty(sizes, count.dtype)
      fill_binomial(generator_of(generator), out, spread(count), spread(prob))
      return out
    },
  },
)

// Standard normal numbers times `std` plus `mean`, in PyTorch's order of operations, so that they round alike.
function normal_tensor(
  sizes: readonly number[],
  dtype: DType,
  std: number,
  generator: Generator | null,
): Tensor {
  const out = empty(sizes, dtype)
  fill_normal(generator_of(generator), out, 0, std)
  return out
}

function check_stds(std: Tensor): void {
  for (const x of array_of(dense_as(std, float64)))
    if (!(Number(x) >= 0)) throw new RuntimeError('normal expects all elements of std >= 0.0')
}

const normal_means: Op<[mean: Tensor, std?: number | DrawOptions, opts?: DrawOptions]> = op(
  'normal(Tensor mean, float std=1, *, generator? generator=None)',
  {
    node: 'NormalBackward1',
    forward: (mean: Tensor, std: number, generator: Generator | null) =>
      normal_tensor(mean.sizes, mean.dtype, std, generator).add_(mean),
    backward: { mean: zeros_for },
  },
)

const normal_stds: Op<[mean: number, std: Tensor, opts?: DrawOptions]> = op(
  'normal(float mean, Tensor std, *, generator? generator=None)',
  {
    node: 'NormalBackward2',
    forward(mean: number, std: Tensor, generator: Generator | null) {
      check_stds(std)
      return normal_tensor(std.sizes, std.dtype, 1, generator).mul_(std).add_(mean)
    },
    backward: { std: zeros_for_second },
  },
)

const normal_both: Op<[mean: Tensor, std: Tensor, opts?: DrawOptions]> = op(
  'normal(Tensor mean, Tensor std, *, generator? generator=None)',
  {
    node: 'NormalBackward3',
    forward(mean: Tensor, std: Tensor, generator: Generator | null) {
      check_stds(std)
      const sizes = broadcast_sizes(mean.sizes, std.sizes)
      return normal_tensor(sizes, mean.dtype, 1, generator).mul_(std).add_(mean)
    },
    backward: { mean: zeros_for, std: zeros_for_second },
  },
)

/**
 * Normal numbers of mean and standard deviation `mean` and `std`, of which one or both are tensors; of two numbers
 * with a size: `normal(0, 1, [2, 3])`. Throws RuntimeError for negative deviations.
 */
export const normal: Op<
  | [mean: Tensor | number, std: Tensor | number, opts?: NormalOptions]
  | [mean: Tensor, opts?: NormalOptions]
  | [mean: number, std: number, size: readonly number[], opts?: NormalOptions]
> = overloaded([
  [
    'normal(Tensor mean, Tensor std, *, generator? generator=None)',
    (mean: Tensor, std: Tensor, generator: Generator | null) => normal_both(mean, std, { generator }),
  ],
  [
    'normal(Tensor mean, float std=1, *, generator? generator=None)',
    (mean: Tensor, std: number, generator: Generator | null) => normal_means(mean, std, { generator }),
  ],
  [
    'normal(float mean, Tensor std, *, generator? generator=None)',
    (mean: number, std: Tensor, generator: Generator | null) => normal_stds(mean, std, { generator }),
  ],
  [
    `normal(float mean, float std, int[] size, ${CREATE}, generator? generator=None)`,
    (mean: number, std: number, size: number[], ...options: unknown[]) =>
      make_random(size, [...options, null], get_default_dtype(), (g, out, dense) =>
        fill_normal(g, out, mean, std, dense),
      ),
  ],
])
type NormalOptions = RandomOptions & { mean?: number; std?: number; size?: readonly number[] }
