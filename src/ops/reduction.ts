// Reductions: sums, products, means, truth and counts. Each takes all dimensions or some.
// Not here: how they are computed (define/reduce.ts), extremes (extremes.ts), variance (statistics.ts), norms (norms.ts),
// running totals (scan.ts).
import { bool, type DType, int64, uint8 } from '../base/dtype.ts'
import { RuntimeError } from '../base/errors.ts'
import { wrap_dim } from '../base/shape.ts'
import { is_complex, is_float } from '../ir/types.ts'
import type { Tensor } from '../tensor/tensor.ts'
import { to_dtype } from './convert.ts'
import { composite, type Op, op, overloaded } from './define/op.ts'
import { scalar_name } from './define/out.ts'
import {
  any_zero,
  average,
  dims_of,
  keep_dims,
  type Reduction,
  reduced_count,
  reduction,
  restore_dims,
} from './define/reduce.ts'
import { spread_number } from './define/reduce_to.ts'
import { is_integral } from './define/rules.ts'
import { cat } from './join.ts'

type Dims = number | readonly number[] | null
type Options = { dim?: Dims; keepdim?: boolean; dtype?: DType | null; out?: Tensor }
type Args = [self: Tensor, dim?: Dims | Options, keepdim?: boolean | Options, opts?: Options]
type DimArgs = [
  self: Tensor,
  dim?: number | { dim?: number; keepdim?: boolean; out?: Tensor },
  keepdim?: boolean | { keepdim?: boolean; out?: Tensor },
  opts?: { out?: Tensor },
]
/** The bound values of a reduction over dimensions. */
type DimValues = [self: Tensor, dim: number[] | null, keepdim: boolean, dtype: DType | null]

/** The gradient of a sum, spread over what was summed. */
const spread = (g: Tensor, self: Tensor, dim: readonly number[] | null, keepdim: boolean): Tensor =>
  restore_dims(g, self.sizes, dims_of(dim, self.sizes.length), keepdim).expand(self.sizes)

/** A reduction over dimensions as an op's forward. */
const over_dims =
  (reduce: Reduction, result_dtype: (self: DType, dtype: DType | null) => DType) =>
  (self: Tensor, dim: readonly number[] | null, keepdim: boolean, dtype: DType | null = null): Tensor => {
    const dims = dims_of(dim, self.sizes.length)
    const result = reduce(self, dims, result_dtype(self.dtype, dtype), [])
    return keep_dims(result, self.sizes, dims, keepdim)
  }

// ---------------------------------------------------------------------------------------------- sums

/** Integers are summed (and multiplied) as int64. */
const sum_dtype = (self: DType, dtype: DType | null): DType => dtype ?? (is_integral(self) ? int64 : self)

const add_terms = reduction({ name: 'sum', combine: 'add' })
/** Sums; of booleans as booleans: whether any is true. */
const add_up: Reduction = (x, dims, dtype, ...rest) =>
  dtype === bool
    ? to_dtype(add_terms(to_dtype(x, bool), dims, int64, ...rest), bool)
    : add_terms(x, dims, dtype, ...rest)
const sum_over = over_dims(add_up, sum_dtype)

const sum_all: Op<[self: Tensor, dtype: DType | null]> = op('sum(Tensor self, dtype? dtype)', {
  forward: (self: Tensor, dtype: DType | null) => sum_over(self, null, false, dtype),
  backward: { self: (g, [self]) => spread_number(g, self.sizes) },
})

const sum_dims: Op<[self: Tensor, dim: Dims, keepdim: boolean, dtype: DType | null]> = op(
  'sum(Tensor self, int[]? dim, bool keepdim, dtype? dtype)',
  {
    forward: (...values: DimValues) => sum_over(...values),
    backward: { self: (g, [self, dim, keepdim]) => spread(g, self, dim, keepdim) },
    node: 'SumBackward1',
  },
)

/**
 * The sum of all elements, or over the given dimensions. Integers are summed as int64. float32 sums are made of
 * partial sums and lose no accuracy with length.
 */
export const sum: Op<Args> = overloaded(
  [
    ['sum(Tensor self, *, dtype? dtype=None)', (self: Tensor, dtype: DType | null) => sum_all(self, dtype)],
    [
      'sum(Tensor self, int[]? dim, bool keepdim=False, *, dtype? dtype=None)',
      (...values: DimValues) => sum_dims(...values),
    ],
  ],
  {
    samples: r => [
      [r(3, 4)],
      [r(2, 3, 4), 1],
      [r(2, 3, 4), [0, -1], { keepdim: true }],
      [r()],
      [r(0, 3), 0],
      [r(3, 5), 0],
    ],
  },
)

const add_numbers = reduction({
  name: 'nansum',
  combine: 'add',
  map: x => (is_float(x.type) || is_complex(x.type) ? x.ne(x).where(0, x) : x),
})

const nansum_dims: Op<[self: Tensor, dim: Dims, keepdim: boolean, dtype: DType | null]> = op(
  'nansum(Tensor self, int[]? dim, bool keepdim, dtype? dtype)',
  {
    // The map looks at elements before they are converted, so the conversion comes first.
    forward: (self: Tensor, dim: number[] | null, keepdim: boolean, dtype: DType | null) =>
      over_dims(add_numbers, sum_dtype)(to_dtype(self, dtype ?? self.dtype), dim, keepdim, dtype),
    saves: ['self'],
    backward: {
      self: (g, [self, dim, keepdim]) => spread(g, self, dim, keepdim).mul(self.isnan().logical_not()),
    },
  },
)

/** The sum of the elements that are not NaN. */
export const nansum: Op<Args> = overloaded(
  [
    [
      'nansum(Tensor self, int[]? dim=None, bool keepdim=False, *, dtype? dtype=None)',
      (...values: DimValues) => nansum_dims(...values),
    ],
  ],
  { samples: r => [[r(3, 4)], [r(2, 3, 4), [0, 2]], [r(3, 4).log(), 1]] },
)

function mean_dtype(self: DType, dtype: DType | null): DType {
  const given = dtype ?? self
  if (!is_integral(given)) return given
  throw new RuntimeError(
    `mean(): could not infer output dtype. ${dtype ? 'Optional' : 'Input'} dtype must be either a floating point or complex dtype. Got: ${scalar_name(given)}`,
  )
}

function mean_over(
  self: Tensor,
  dim: readonly number[] | null,
  keepdim: boolean,
  dtype: DType | null,
): Tensor {
  const dims = dims_of(dim, self.sizes.length)
  const result = average(self, dims, mean_dtype(self.dtype, dtype), [reduced_count(self.sizes, dims)])
  return keep_dims(result, self.sizes, dims, keepdim)
}

const mean_all: Op<[self: Tensor, dtype: DType | null]> = op('mean(Tensor self, dtype? dtype)', {
  forward: (self: Tensor, dtype: DType | null) => mean_over(self, null, false, dtype),
  backward: { self: (g, [self]) => spread_number(g, self.sizes).div(self.count) },
})

const mean_dims: Op<[self: Tensor, dim: Dims, keepdim: boolean, dtype: DType | null]> = op(
  'mean(Tensor self, int[]? dim, bool keepdim, dtype? dtype)',
  {
    forward: (...values: DimValues) => mean_over(...values),
    backward: {
      self: (g, [self, dim, keepdim]) =>
        spread(g, self, dim, keepdim).div(reduced_count(self.sizes, dims_of(dim, self.sizes.length))),
    },
    node: 'MeanBackward1',
  },
)

/** The mean of all elements, or over the given dimensions. Throws RuntimeError for integers. */
export const mean: Op<Args> = overloaded(
  [
    ['mean(Tensor self, *, dtype? dtype=None)', (self: Tensor, dtype: DType | null) => mean_all(self, dtype)],
    [
      'mean(Tensor self, int[]? dim, bool keepdim=False, *, dtype? dtype=None)',
      (...values: DimValues) => mean_dims(...values),
    ],
  ],
  {
    samples: r => [[r(3, 4)], [r(2, 3, 4), 1], [r(2, 3, 4), [0, -1], { keepdim: true }], [r()], [r(3, 5), 0]],
  },
)

/** The mean of the elements that are not NaN. */
export const nanmean: Op<Args> = composite(
  'nanmean(Tensor self, int[]? dim=None, bool keepdim=False, *, dtype? dtype=None)',
  {
    body(...[self, dim, keepdim, dtype]: DimValues) {
      if (is_integral(self.dtype))
        throw new RuntimeError(
          `nanmean(): expected input to have floating point dtype but got ${scalar_name(self.dtype)}`,
        )
      const count = sum_dims(self.isnan().logical_not(), dim, keepdim, null)
      return nansum_dims(self, dim, keepdim, dtype).div(count)
    },
    samples: r => [[r(3, 4)], [r(2, 3, 4), [0, 2]], [r.range(-0.5, 2, 3, 4).log(), 1]],
  },
)

// ---------------------------------------------------------------------------------------------- products

const multiply_up = reduction({ name: 'prod', combine: 'mul' })
/** The product of all other elements along `dim`, for each: right where some of them are zero. */
function product_of_others(x: Tensor, dim: number): Tensor {
  const n = x.sizes[dim] as number
  const edge = x.new_ones(x.sizes.map((size, d) => (d === dim ? 1 : size)))
  const before = cat([edge, x.narrow(dim, 0, n - 1)], dim).cumprod(dim)
  const after = cat([edge, x.narrow(dim, 1, n - 1).flip(dim)], dim)
    .cumprod(dim)
    .flip(dim)
  return before.mul(after)
}

const prod_all: Op<[self: Tensor, dtype: DType | null]> = op('prod(Tensor self, dtype? dtype)', {
  forward: (self: Tensor, dtype: DType | null) => over_dims(multiply_up, sum_dtype)(self, null, false, dtype),
  saves: ['self', 'out'],
  backward: {
    self: (g, [self], out) => {
      if (!any_zero(self)) return g.mul(out.conj()).div(self.conj())
      return g.mul(
        product_of_others(self.reshape([-1]), 0)
          .conj()
          .reshape(self.sizes),
      )
    },
  },
})

const prod_dim: Op<[self: Tensor, dim: number, keepdim: boolean, dtype: DType | null]> = op(
  'prod(Tensor self, int dim, bool keepdim, dtype? dtype)',
  {
    forward: (self: Tensor, dim: number, keepdim: boolean, dtype: DType | null) =>
      over_dims(multiply_up, sum_dtype)(self, [dim], keepdim, dtype),
    saves: ['self', 'out'],
    backward: {
      self: (g, [self, dim, keepdim], out) => {
        if (self.sizes.length === 0) return g
        const at = wrap_dim(dim, self.sizes.length)
        const wide = (t: Tensor): Tensor => restore_dims(t, self.sizes, [at], keepdim)
        if (any_zero(self)) return wide(g).mul(product_of_others(self, at).conj())
        return wide(g).mul(wide(out).conj()).div(self.conj())
      },
    },
    node: 'ProdBackward1',
  },
)

/** The product of all elements, or over one dimension. Integers are multiplied as int64. */
export const prod: Op<
  [
    self: Tensor,
    dim?: number | { dim?: number; keepdim?: boolean; dtype?: DType | null; out?: Tensor },
    keepdim?: boolean | { keepdim?: boolean; dtype?: DType | null; out?: Tensor },
    opts?: { dtype?: DType | null; out?: Tensor },
  ]
> = overloaded(
  [
    ['prod(Tensor self, *, dtype? dtype=None)', (self: Tensor, dtype: DType | null) => prod_all(self, dtype)],
    [
      'prod(Tensor self, int dim, bool keepdim=False, *, dtype? dtype=None)',
      (self: Tensor, dim: number, keepdim: boolean, dtype: DType | null) =>
        prod_dim(self, dim, keepdim, dtype),
    ],
  ],
  {
    samples: r => [
      [r(3, 2)],
      [r(2, 3, 2), 1],
      [r.cast(r.ints(0, 3, 3, 4), r(1).dtype), 1, { keepdim: true }],
      [r()],
    ],
  },
)

// ---------------------------------------------------------------------------------------------- truth and counts

// As integers, which have lanes.
const conjunction = reduction({
  name: 'all',
  combine: 'and',
  type: () => 'i32',
  map: x => x.ne(0).cast('i32'),
  final: total => total.ne(0),
})
const disjunction = reduction({
  name: 'any',
  combine: 'or',
  type: () => 'i32',
  map: x => x.ne(0).cast('i32'),
})
const count = reduction({ name: 'count_nonzero', combine: 'add', map: x => x.ne(0).cast('i64') })

/** uint8 is what masks were made of before bool, and stays. */
const truth_dtype = (self: DType): DType => (self === uint8 ? uint8 : bool)

const truth = (name: string, reduce: Reduction): Op<DimArgs> =>
  overloaded(
    [
      [`${name}(Tensor self)`, (self: Tensor) => over_dims(reduce, truth_dtype)(self, null, false)],
      [
        `${name}(Tensor self, int dim, bool keepdim=False)`,
        (self: Tensor, dim: number, keepdim: boolean) => over_dims(reduce, truth_dtype)(self, [dim], keepdim),
      ],
    ],
    {
      samples: r => [[r.bools(3, 4)], [r.ints(0, 2, 3, 4), 1], [r(3, 4), 0, { keepdim: true }]],
      gradcheck: false,
    },
  )

/** Whether all elements are nonzero, or all along `dim`. */
export const all: Op<DimArgs> = truth('all', conjunction)
/** Whether some element is nonzero, or some along `dim`. */
export const any: Op<DimArgs> = truth('any', disjunction)

/** The number of nonzero elements, or of those over the given dimensions. */
export const count_nonzero: Op<[self: Tensor, dim?: Dims | { dim?: Dims }]> = overloaded(
  [
    [
      'count_nonzero(Tensor self, int[]? dim=None)',
      (self: Tensor, dim: number[] | null) => over_dims(count, () => int64)(self, dim, false),
    ],
  ],
  { samples: r => [[r.ints(0, 2, 3, 4)], [r.ints(0, 2, 3, 4), 1]], gradcheck: false, out: false },
)
