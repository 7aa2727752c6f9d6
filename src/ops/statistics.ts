// Variance and standard deviation, and log of a sum of exponentials: reductions in two passes over the elements.
// Not here: means (reduction.ts), norms (norms.ts), quantiles and histograms.
import { complex128, float64 } from '../base/dtype.ts'
import { RuntimeError } from '../base/errors.ts'
import type { Tensor } from '../tensor/tensor.ts'
import { to_dtype } from './convert.ts'
import { dense_as, part_of } from './define/copy.ts'
import { type Op, op, overloaded } from './define/op.ts'
import { average, dims_of, keep_dims, reduced_count, reduction, restore_dims } from './define/reduce.ts'
import { is_integral, lift } from './define/rules.ts'

type Dims = number | readonly number[] | null
type Keep = { keepdim?: boolean; out?: Tensor }
type MomentOptions = Keep & { dim?: Dims; unbiased?: boolean; correction?: number | null }
type MomentArgs = [
  self: Tensor,
  dim?: Dims | boolean | MomentOptions,
  unbiased?: boolean | MomentOptions,
  keepdim?: boolean | MomentOptions,
  opts?: MomentOptions,
]

// ---------------------------------------------------------------------------------------------- variance

/** The sum of squared distances from y, divided by the one value. */
const squares = (name: string, root: boolean): ReturnType<typeof reduction> =>
  reduction({
    name,
    combine: 'add',
    values: 1,
    map(x, _, mean) {
      const away = x.sub(mean.cast(x.type))
      return away.mul(away)
    },
    final(total, [n]) {
      const variance = total.div(n!)
      return root ? variance.sqrt() : variance
    },
  })
const variance = squares('var', false)
const deviation = squares('std', true)

type MomentName = 'var' | 'std' | 'var_mean' | 'std_mean'
type MomentValues = [self: Tensor, dim: readonly number[] | null, correction: number, keepdim: boolean]

/** The variance or its root over dimensions, and the mean; keepdim as asked. */
function moments(
  name: MomentName,
  ...[self, dim, correction, keepdim]: MomentValues
): { spread: Tensor; mean: Tensor } {
  if (is_integral(self.dtype))
    throw new RuntimeError(
      `${name.endsWith('mean') ? name : 'std and var'} only support floating point and complex dtypes`,
    )
  const dims = dims_of(dim, self.sizes.length)
  const n = reduced_count(self.sizes, dims)
  if (self.dtype.is_complex) {
    const of = (part: 0 | 1): Tensor => moments('var', part_of(self, part), dim, correction, keepdim).spread
    const both = of(0).add(of(1))
    const mean = average(self, dims, complex128, [n])
    return {
      spread: name.startsWith('var') ? both : both.sqrt(),
      mean: keep_dims(mean, self.sizes, dims, keepdim),
    }
  }
  // In float64, so that a mean far from zero costs no accuracy.
  const mean = average(self, dims, float64, [n])
  const reduce = name.startsWith('var') ? variance : deviation
  const spread = reduce(self, dims, self.dtype, [Math.max(0, n - correction)], mean)
  const keep = (t: Tensor): Tensor => keep_dims(t, self.sizes, dims, keepdim)
  return { spread: keep(spread), mean: keep(mean) }
}

/** d variance: 2 (x - mean) / (n - correction) for each element. `g` is the variance's gradient. */
function variance_grad(g: Tensor, ...[self, dim, correction, keepdim]: MomentValues): Tensor {
  const dims = dims_of(dim, self.sizes.length)
  const n = reduced_count(self.sizes, dims) - correction
  const away = self.sub(self.mean(dims, { keepdim: true }))
  return restore_dims(g, self.sizes, dims, keepdim)
    .mul(2 / n)
    .mul(away)
}

/** The gradient of the variance from that of its root. */
const through_root = (g: Tensor, root: Tensor): Tensor => g.div(root.mul(2)).masked_fill(root.eq(0), 0)

function spread_mean_grad(g: Tensor, self: Tensor, dim: readonly number[] | null, keepdim: boolean): Tensor {
  const dims = dims_of(dim, self.sizes.length)
  return restore_dims(g, self.sizes, dims, keepdim).expand(self.sizes).div(reduced_count(self.sizes, dims))
}

const MOMENT = '(Tensor self, int[]? dim, int correction, bool keepdim)'
type InnerArgs = [self: Tensor, dim: Dims, correction: number, keepdim: boolean]

const moment = (name: 'var' | 'std'): Op<InnerArgs> =>
  op<InnerArgs, MomentValues, Tensor>(`${name}${MOMENT}`, {
    forward: (...values) => moments(name, ...values).spread,
    saves: name === 'std' ? ['self', 'out'] : ['self'],
    backward: {
      self: (g, values, out) => variance_grad(name === 'std' ? through_root(g, out) : g, ...values),
    },
  })

const moment_and_mean = (name: 'var_mean' | 'std_mean'): Op<InnerArgs, Tensor[]> =>
  op<InnerArgs, MomentValues, Tensor[]>(`${name}${MOMENT}`, {
    forward(...values) {
      const { spread, mean } = moments(name, ...values)
      return [spread, dense_as(mean, values[0].dtype)]
    },
    saves: ['self', 'out'],
    backward: {
      self([g_spread, g_mean], values, [root]) {
        const [self, dim, , keepdim] = values
        const g = g_spread && name === 'std_mean' ? through_root(g_spread, root as Tensor) : g_spread
        const of_spread = g ? variance_grad(g, ...values) : null
        const of_mean = g_mean ? spread_mean_grad(g_mean, self, dim, keepdim) : null
        return of_spread && of_mean ? of_spread.add(of_mean) : (of_spread ?? of_mean)
      },
    },
  })

/** The public overloads over an inner op. */
function with_overloads<R>(name: MomentName, inner: Op<InnerArgs, R>): Op<MomentArgs, R> {
  return overloaded<MomentArgs, R>(
    [
      [
        `${name}(Tensor self, bool unbiased=True)`,
        (self: Tensor, unbiased: boolean) => inner(self, null, Number(unbiased), false),
      ],
      [
        `${name}(Tensor self, int[]? dim, bool unbiased=True, bool keepdim=False)`,
        (self: Tensor, dim: number[] | null, unbiased: boolean, keepdim: boolean) =>
          inner(self, dim, Number(unbiased), keepdim),
      ],
      [
        `${name}(Tensor self, int[]? dim, *, int? correction, bool keepdim=False)`,
        (self: Tensor, dim: number[] | null, correction: number | null, keepdim: boolean) =>
          inner(self, dim, correction ?? 1, keepdim),
      ],
    ],
    {
      samples: r => [
        [r(3, 4)],
        [r(2, 3, 4), 1],
        [r(3, 4), [0, 1], false, true],
        [r(3, 4), 0, { correction: 2 }],
        [r(5), { unbiased: false }],
      ],
    },
  )
}

const var_: Op<MomentArgs> = with_overloads('var', moment('var'))

/**
 * The variance of all elements, or over the given dimensions. Divides by n - 1, or by n where `unbiased` is false, or
 * by n - `correction`. Throws RuntimeError for integers.
 */
export { var_ as var }
/** The square root of the variance; arguments as there. */
export const std: Op<MomentArgs> = with_overloads('std', moment('std'))
/** Variance and mean. */
export const var_mean: Op<MomentArgs, Tensor[]> = with_overloads('var_mean', moment_and_mean('var_mean'))
/** Standard deviation and mean. */
export const std_mean: Op<MomentArgs, Tensor[]> = with_overloads('std_mean', moment_and_mean('std_mean'))

// ---------------------------------------------------------------------------------------------- logsumexp

const largest_finite = reduction({
  name: 'largest_finite',
  combine: 'max',
  // Nothing is subtracted where the maximum is infinite: the sum is then 0 or infinite by itself.
  final: total => total.abs().eq(Infinity).where(0, total),
})
const log_of_sum = reduction({
  name: 'logsumexp',
  combine: 'add',
  map: (x, _, m) => x.sub(m.cast(x.type)).exp(),
  final: (total, _, m) => total.log().add(m.cast(total.type)),
})

type SumArgs = [
  self: Tensor,
  dim: number | readonly number[] | (Keep & { dim: number | readonly number[] }),
  keepdim?: boolean | Keep,
  opts?: Keep,
]

const logsumexp_float: Op<[self: Tensor, dim: readonly number[], keepdim: boolean]> = op(
  'logsumexp(Tensor self, int[] dim, bool keepdim)',
  {
    forward(self: Tensor, dim: readonly number[], keepdim: boolean) {
      const dims = dims_of(dim, self.sizes.length)
      const largest = largest_finite(self, dims, self.dtype)
      return keep_dims(log_of_sum(self, dims, self.dtype, [], largest), self.sizes, dims, keepdim)
    },
    saves: ['self', 'out'],
    backward: {
      self(g, [self, dim, keepdim], out) {
        const dims = dims_of(dim, self.sizes.length)
        const wide = (t: Tensor): Tensor => restore_dims(t, self.sizes, dims, keepdim)
        return wide(g).mul(self.sub(wide(out)).exp())
      },
    },
  },
)

/** log(sum(exp(self))) over the given dimensions, without overflow. Integers give floats. */
export const logsumexp: Op<SumArgs> = overloaded(
  [
    [
      'logsumexp(Tensor self, int[] dim, bool keepdim=False)',
      (self: Tensor, dim: number[], keepdim: boolean) =>
        logsumexp_float(to_dtype(self, lift(self.dtype)), dim, keepdim),
    ],
  ],
  {
    samples: r => [
      [r(3, 4), 1],
      [r(2, 3, 4), [0, 2], { keepdim: true }],
      [r(3, 4), 0],
    ],
  },
)
