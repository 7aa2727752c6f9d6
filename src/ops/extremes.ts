// The largest and smallest elements, and where they are: over everything or over dimensions. NaN counts as both the
// largest and the smallest. Not here: of two tensors (maximum, compare.ts), sorting.
import { bool, int64 } from '../base/dtype.ts'
import { IndexError, RuntimeError } from '../base/errors.ts'
import { wrap_dim } from '../base/shape.ts'
import { constant } from '../ir/expr.ts'
import { is_float } from '../ir/types.ts'
import { alias, type Tensor } from '../tensor/tensor.ts'
import { maximum, minimum } from './compare.ts'
import { dense } from './define/copy.ts'
import { type Named, named_tuple } from './define/named.ts'
import { type Op, type Overloads, op, overloaded } from './define/op.ts'
import { all_dims, dims_of, keep_dims, type Reduction, reduction, restore_dims } from './define/reduce.ts'
import { not_implemented } from './define/rules.ts'

type Dims = number | readonly number[] | null
type Keep = { keepdim?: boolean; out?: Tensor }
/** What max and min give over a dimension. */
export type Extremes = Named<Tensor, 'values' | 'indices'>

const largest = reduction({ name: 'max', combine: 'max', type: x => (x === 'bool' ? 'i32' : x) })
const smallest = reduction({ name: 'min', combine: 'min', type: x => (x === 'bool' ? 'i32' : x) })

/** The first position where there is the extreme `y`, or NaN. Its type fills the same lanes as the elements. */
const first_at = reduction({
  name: 'first_at',
  combine: 'min',
  type: x => (x === 'f64' || x === 'i64' ? 'i64' : 'i32'),
  map(x, _, y, position) {
    const type = x.type === 'f64' || x.type === 'i64' ? 'i64' : 'i32'
    const here = is_float(x.type) ? x.eq(y).or(x.ne(x)) : x.eq(y)
    return here.where(position.cast(type), constant(type === 'i64' ? 2n ** 63n - 1n : 2 ** 31 - 1, type))
  },
})

/** Throws where the extreme of nothing is asked for. */
function refuse_empty(name: string, self: Tensor, dims: readonly number[] | null, hint = true): void {
  if (self.count > 0) return
  if (dims === null || dims.length === 0) {
    const text = `${name}(): Expected reduction dim to be specified for input.numel() == 0.`
    if (hint) throw new RuntimeError(`${text} Specify the reduction dim with the 'dim' argument.`)
    throw new IndexError(text)
  }
  for (const dim of dims)
    if (self.sizes[dim] === 0)
      throw new IndexError(`${name}(): Expected reduction dim ${dim} to have non-zero size.`)
}

// ---------------------------------------------------------------------------------------------- max and min

/**
 * The gradient of an extreme over dimensions: shared evenly by the elements that attain it. Where NaN is the extreme,
 * elements that are NaN share it, or else (`nan_too` is false) every gradient is NaN.
 */
function share_evenly(
  g: Tensor,
  self: Tensor,
  out: Tensor,
  dims: readonly number[],
  keepdim: boolean,
  nan_too: boolean,
): Tensor {
  const wide = (t: Tensor): Tensor => restore_dims(t, self.sizes, dims, keepdim)
  const equal = self.eq(wide(out))
  const mask = nan_too ? equal.logical_or(self.isnan().logical_and(wide(out).isnan())) : equal
  return wide(g)
    .div(mask.sum(dims, { keepdim: true }))
    .mul(mask)
}

const extreme_all = (name: 'max' | 'min', reduce: Reduction): Op<[self: Tensor]> =>
  op(`${name}(Tensor self)`, {
    forward(self: Tensor) {
      refuse_empty(name, self, null)
      return reduce(self, all_dims(self.sizes.length), self.dtype)
    },
    saves: ['self', 'out'],
    backward: {
      self: (g, [self], out) => share_evenly(g, self, out, all_dims(self.sizes.length), false, true),
    },
    node: name === 'max' ? 'MaxBackward1' : 'MinBackward1',
  })

/** Values and first positions along one dimension, without it. */
function extremes_along(reduce: Reduction, self: Tensor, dim: number): { values: Tensor; indices: Tensor } {
  const values = reduce(self, [dim], self.dtype)
  return { values, indices: first_at(self, [dim], int64, [], values) }
}

const extreme_dim = (
  name: 'max' | 'min',
  reduce: Reduction,
): Op<[self: Tensor, dim: number, keepdim: boolean], Extremes> =>
  op(`${name}(Tensor self, int dim, bool keepdim)`, {
    forward(self: Tensor, dim: number, keepdim: boolean) {
      const at = wrap_dim(dim, self.sizes.length)
      refuse_empty(name, self, [at])
      const { values, indices } = extremes_along(reduce, self, at)
      return named_tuple(name, {
        values: keep_dims(values, self.sizes, [at], keepdim),
        indices: keep_dims(indices, self.sizes, [at], keepdim),
      })
    },
    saves: ['out'],
    backward: {
      self([g], [self, dim, keepdim], [, indices]) {
        if (!g) return null
        if (self.sizes.length === 0) return g
        const at = wrap_dim(dim, self.sizes.length)
        const wide = (t: Tensor): Tensor => restore_dims(t, self.sizes, [at], keepdim)
        return g.new_zeros(self.sizes).scatter(at, wide(indices as Tensor), wide(g))
      },
    },
  })

type AlongOptions = { keepdim?: boolean; out?: readonly Tensor[] }
/** The overloads of max and min: over everything, with another tensor, along a dimension. */
interface ExtremeMethod {
  (opts?: { out?: Tensor }): Tensor
  (other: Tensor | { other: Tensor }, opts?: { out?: Tensor }): Tensor
  (
    dim: number | (AlongOptions & { dim: number }),
    keepdim?: boolean | AlongOptions,
    opts?: AlongOptions,
  ): Extremes
}
interface ExtremeFunction {
  (self: Tensor, opts?: { out?: Tensor }): Tensor
  (self: Tensor, other: Tensor | { other: Tensor }, opts?: { out?: Tensor }): Tensor
}
type AlongArgs = [
  self: Tensor,
  dim: number | (AlongOptions & { dim: number }),
  keepdim?: boolean | AlongOptions,
  opts?: AlongOptions,
]
type Extreme = ExtremeFunction & Op<AlongArgs, Extremes> & Overloads<ExtremeMethod>

function extreme(name: 'max' | 'min', reduce: Reduction, of_two: typeof maximum): Extreme {
  const whole = extreme_all(name, reduce)
  const along = extreme_dim(name, reduce)
  return overloaded<AlongArgs, Extremes>(
    [
      [`${name}(Tensor self)`, (self: Tensor) => whole(self) as unknown as Extremes],
      [
        `${name}(Tensor self, Tensor other)`,
        (self: Tensor, other: Tensor) => of_two(self, other) as unknown as Extremes,
      ],
      [
        `${name}(Tensor self, int dim, bool keepdim=False)`,
        (self: Tensor, dim: number, keepdim: boolean) => along(self, dim, keepdim),
      ],
    ],
    {
      samples: r => [
        [r.distinct(3, 4), 1],
        [r.distinct(2, 3, 4), 0, { keepdim: true }],
      ],
    },
  ) as unknown as Extreme
}

/**
 * The largest element; along a dimension `{ values, indices }`; with another tensor {@link maximum}. Throws for tensors
 * without elements, unless a dimension is given that has some.
 */
export const max: Extreme = extreme('max', largest, maximum)
/**
 * The smallest element; along a dimension `{ values, indices }`; with another tensor {@link minimum}. Throws for tensors
 * without elements, unless a dimension is given that has some.
 */
export const min: Extreme = extreme('min', smallest, minimum)

// ---------------------------------------------------------------------------------------------- amax, amin, aminmax

type OverArgs = [self: Tensor, dim?: Dims | (Keep & { dim?: Dims }), keepdim?: boolean | Keep, opts?: Keep]

const over = (name: 'amax' | 'amin', reduce: Reduction): Op<OverArgs> =>
  op<OverArgs, [self: Tensor, dim: number[], keepdim: boolean], Tensor>(
    `${name}(Tensor self, int[] dim=[], bool keepdim=False)`,
    {
      forward(self, dim, keepdim) {
        const dims = dims_of(dim, self.sizes.length)
        refuse_empty(name, self, dim.length === 0 ? null : dims)
        return keep_dims(reduce(self, dims, self.dtype), self.sizes, dims, keepdim)
      },
      saves: ['self', 'out'],
      backward: {
        self: (g, [self, dim, keepdim], out) =>
          share_evenly(g, self, out, dims_of(dim, self.sizes.length), keepdim, false),
      },
      samples: r => [
        [r.distinct(3, 4)],
        [r.distinct(2, 3, 4), [0, 2]],
        [r.distinct(3, 4), 1, { keepdim: true }],
      ],
    },
  )

/** The largest elements over the given dimensions, or over all. Ties share the gradient. */
export const amax: Op<OverArgs> = over('amax', largest)
/** The smallest elements over the given dimensions, or over all. Ties share the gradient. */
export const amin: Op<OverArgs> = over('amin', smallest)

/** The smallest and the largest element, or those along `dim`. Has no derivative. */
export const aminmax: Op<
  [self: Tensor, opts?: { dim?: number | null; keepdim?: boolean }],
  Named<Tensor, 'min' | 'max'>
> = op('aminmax(Tensor self, *, int? dim=None, bool keepdim=False)', {
  forward(self: Tensor, dim: number | null, keepdim: boolean) {
    const dims = dims_of(dim === null ? null : [dim], self.sizes.length)
    if (dims.some(d => self.sizes[d] === 0))
      throw new RuntimeError(
        'aminmax(): cannot compute aminmax over an empty dimension as the operation has no identity.',
      )
    const of = (reduce: Reduction): Tensor =>
      keep_dims(reduce(self, dims, self.dtype), self.sizes, dims, keepdim)
    return named_tuple('aminmax', { min: of(smallest), max: of(largest) })
  },
  backward() {
    throw new RuntimeError('derivative for aten::aminmax is not implemented')
  },
  node: 'torch::autograd::NotImplemented',
  samples: r => [[r(3, 4)], [r(3, 4), { dim: 1 }]],
  gradcheck: false, // has no derivative
})

// ---------------------------------------------------------------------------------------------- positions

type ArgArgs = [
  self: Tensor,
  dim?: number | null | (Keep & { dim?: number | null }),
  keepdim?: boolean | Keep,
  opts?: Keep,
]

const position = (name: 'argmax' | 'argmin', reduce: Reduction): Op<ArgArgs> =>
  op<ArgArgs, [self: Tensor, dim: number | null, keepdim: boolean], Tensor>(
    `${name}(Tensor self, int? dim=None, bool keepdim=False)`,
    {
      forward(self, dim, keepdim) {
        const dims = dims_of(dim === null ? null : [dim], self.sizes.length)
        refuse_empty(name, self, dim === null ? null : dims, false)
        if (self.dtype === bool) not_implemented(`${name}_cpu`, bool)
        const x = dim === null ? alias(dense(self), [self.count], [1]) : self
        const { indices } = extremes_along(reduce, x, dim === null ? 0 : (dims[0] as number))
        return keep_dims(indices, self.sizes, dims, keepdim)
      },
      samples: r => [[r.distinct(3, 4)], [r.distinct(2, 3, 4), 1], [r.distinct(3, 4), 0, { keepdim: true }]],
    },
  )

/** The position of the largest element, counted over all elements or along `dim`: the first of equal ones. */
export const argmax: Op<ArgArgs> = position('argmax', largest)
/** The position of the smallest element, counted over all elements or along `dim`: the first of equal ones. */
export const argmin: Op<ArgArgs> = position('argmin', smallest)
