// Comparisons and choices: eq and its relatives, tests of kinds of numbers, maximum and minimum, where, closeness.
// Not here: logic on truth values and bits (bitwise.ts), extremes over dimensions (reduction.ts).
import { get_default_dtype } from '../base/dtype.ts'
import { RuntimeError } from '../base/errors.ts'
import { same_sizes } from '../base/shape.ts'
import { constant, type Expr } from '../ir/expr.ts'
import { is_complex, is_float } from '../ir/types.ts'
import type { Tensor } from '../tensor/tensor.ts'
import { in_place } from './define/inplace.ts'
import { type Op, overloaded, without_recording } from './define/op.ts'
import { scalar_name } from './define/out.ts'
import { type Number, pointwise } from './define/pointwise.ts'
import { is_integral } from './define/rules.ts'
import { all } from './reduction.ts'

type Other = Tensor | Number
type Out = { out?: Tensor }
type Comparison = [self: Tensor, other: Other, opts?: Out]
type Unary = [self: Tensor, opts?: Out]
type Pair = [self: Tensor, other: Tensor, opts?: Out]

// ---------------------------------------------------------------------------------------------- comparisons

const comparison = (name: string, forward: (a: Expr, b: Expr) => Expr): Op<Comparison> =>
  pointwise<Comparison>(`${name}(Tensor self, Tensor other)`, {
    dtype: 'bool',
    forward: (a, b) => forward(a as Expr, b as Expr),
    samples: r => [
      [r.ints(0, 3, 3, 4), r.ints(0, 3, 4)],
      [r.ints(0, 3, 5), 1],
      [r(3), r(3)],
      [r(), 0.5],
      [r(0), 1],
    ],
  })

/** self == other, elementwise. */
export const eq: Op<Comparison> = comparison('eq', (a, b) => a.eq(b))
/** In-place {@link eq}: 1 or 0 in the tensor's own dtype. */
export const eq_: typeof eq = in_place(eq)

/** self != other, elementwise. */
export const ne: Op<Comparison> = comparison('ne', (a, b) => a.ne(b))
/** In-place {@link ne}. */
export const ne_: typeof ne = in_place(ne)
/** Alias of {@link ne}. */
export const not_equal: typeof ne = ne
/** Alias of {@link ne_}. */
export const not_equal_: typeof ne = ne_

/** self < other, elementwise. */
export const lt: Op<Comparison> = comparison('lt', (a, b) => a.lt(b))
/** In-place {@link lt}. */
export const lt_: typeof lt = in_place(lt)
/** Alias of {@link lt}. */
export const less: typeof lt = lt
/** Alias of {@link lt_}. */
export const less_: typeof lt = lt_

/** self <= other, elementwise. */
export const le: Op<Comparison> = comparison('le', (a, b) => a.le(b))
/** In-place {@link le}. */
export const le_: typeof le = in_place(le)
/** Alias of {@link le}. */
export const less_equal: typeof le = le
/** Alias of {@link le_}. */
export const less_equal_: typeof le = le_

/** self > other, elementwise. */
export const gt: Op<Comparison> = comparison('gt', (a, b) => a.gt(b))
/** In-place {@link gt}. */
export const gt_: typeof gt = in_place(gt)
/** Alias of {@link gt}. */
export const greater: typeof gt = gt
/** Alias of {@link gt_}. */
export const greater_: typeof gt = gt_

/** self >= other, elementwise. */
export const ge: Op<Comparison> = comparison('ge', (a, b) => a.ge(b))
/** In-place {@link ge}. */
export const ge_: typeof ge = in_place(ge)
/** Alias of {@link ge}. */
export const greater_equal: typeof ge = ge
/** Alias of {@link ge_}. */
export const greater_equal_: typeof ge = ge_

// ---------------------------------------------------------------------------------------------- kinds of numbers

const test = (name: string, forward: (x: Expr) => Expr, of_integers: boolean): Op<Unary> =>
  pointwise<Unary, readonly [self: Expr]>(`${name}(Tensor self)`, {
    dtype: 'bool',
    forward: self =>
      is_float(self.type) || is_complex(self.type) ? forward(self) : constant(of_integers, 'bool'),
    samples: r => [[r(3, 4)], [r.ints(0, 3, 4)]],
  })

/** Whether a number, or either part of a complex one, is so. */
const any_part = (x: Expr, is_so: (part: Expr) => Expr): Expr =>
  is_complex(x.type) ? is_so(x.real()).or(is_so(x.imag())) : is_so(x)

/** Whether an element is NaN. */
export const isnan: Op<Unary> = test('isnan', x => x.ne(x), false)
/** Whether an element is an infinity. */
export const isinf: Op<Unary> = test('isinf', x => any_part(x, part => part.abs().eq(Infinity)), false)
/** Whether an element is neither NaN nor an infinity. */
export const isfinite: Op<Unary> = test(
  'isfinite',
  x => any_part(x, part => part.abs().lt(Infinity).not()).not(),
  true,
)
/** Whether an element is the positive infinity. */
export const isposinf: Op<Unary> = test('isposinf', x => x.eq(Infinity), false)
/** Whether an element is the negative infinity. */
export const isneginf: Op<Unary> = test('isneginf', x => x.eq(-Infinity), false)
/** Whether an element has no imaginary part. */
export const isreal: Op<Unary> = test('isreal', x => x.imag().eq(0), true)

/** Whether the sign bit is set: of negative numbers, and of -0. */
export const signbit: Op<Unary> = pointwise('signbit(Tensor self)', {
  dtype: 'bool',
  forward: (self: Expr) => (is_float(self.type) ? constant(1, self.type).copysign(self) : self).lt(0),
  samples: r => [[r(3, 4)], [r.ints(-3, 3, 4)]],
})

// ---------------------------------------------------------------------------------------------- the larger, the smaller

/** The larger of two elements; NaN where either is. At ties each gets half of the gradient. */
export const maximum: Op<Pair> = pointwise('maximum(Tensor self, Tensor other)', {
  tensors_only: true,
  forward: (self: Expr, other: Expr) => self.max(other),
  samples: r => [
    [r(3, 4), r(4)],
    [r.ints(0, 3, 5), r.ints(0, 3, 5)],
    [r(), r(2)],
  ],
})

/** The smaller of two elements; NaN where either is. At ties each gets half of the gradient. */
export const minimum: Op<Pair> = pointwise('minimum(Tensor self, Tensor other)', {
  tensors_only: true,
  forward: (self: Expr, other: Expr) => self.min(other),
  samples: r => [
    [r(3, 4), r(4)],
    [r.ints(0, 3, 5), r.ints(0, 3, 5)],
    [r(), r(2)],
  ],
})

const or_nan = (chosen: Expr, other: Expr): Expr =>
  is_float(other.type) ? chosen.or(other.ne(other)) : chosen

/** The larger of two elements; the number where one is NaN. */
export const fmax: Op<Pair> = pointwise('fmax(Tensor self, Tensor other)', {
  tensors_only: true,
  forward: (self: Expr, other: Expr) => or_nan(self.ge(other), other).where(self, other),
  samples: r => [[r(3, 4), r(4)]],
})

/** The smaller of two elements; the number where one is NaN. */
export const fmin: Op<Pair> = pointwise('fmin(Tensor self, Tensor other)', {
  tensors_only: true,
  forward: (self: Expr, other: Expr) => or_nan(self.le(other), other).where(self, other),
  samples: r => [[r(3, 4), r(4)]],
})

/** 0 below zero, 1 above, and at zero the element of `values`. Has no derivative. */
export const heaviside: Op<[self: Tensor, values: Tensor, opts?: Out]> = pointwise(
  'heaviside(Tensor self, Tensor values)',
  {
    tensors_only: true,
    dtype(promoted, [self, values]) {
      if ((self as Tensor).dtype !== (values as Tensor).dtype)
        throw new RuntimeError('heaviside is not yet implemented for tensors with different dtypes.')
      return promoted
    },
    forward: (self: Expr, values: Expr) =>
      self.eq(0).where(values, self.gt(0).where(constant(1, self.type), 0)),
    differentiable: false,
    samples: r => [
      [r.ints(-1, 2, 3, 4), r.ints(0, 9, 4)],
      [r(3), r(3)],
    ],
  },
)
/** In-place {@link heaviside}. */
export const heaviside_: typeof heaviside = in_place(heaviside)

// ---------------------------------------------------------------------------------------------- closeness

type Tolerances = { rtol?: number; atol?: number; equal_nan?: boolean }
type CloseArgs = [
  self: Tensor,
  other: Tensor,
  rtol?: number | Tolerances,
  atol?: number | Tolerances,
  equal_nan?: boolean | Tolerances,
  opts?: Tolerances,
]
const CLOSE = 'Tensor self, Tensor other, float rtol=1e-05, float atol=1e-08, bool equal_nan=False'

/** |self - other| <= atol + rtol * |other|, elementwise, in floating point. Throws RuntimeError for two dtypes. */
export const isclose: Op<CloseArgs> = overloaded([[`isclose(${CLOSE})`, close]], {
  samples: r => [
    [r(3, 4), r(4), 0.5, 0.1],
    [r.ints(0, 3, 4), r.ints(0, 3, 4)],
  ],
  gradcheck: false, // gives bools
  out: false,
})

function close(self: Tensor, other: Tensor, rtol: number, atol: number, equal_nan: boolean): Tensor {
  if (self.dtype !== other.dtype)
    throw new RuntimeError(`${scalar_name(self.dtype)} did not match ${scalar_name(other.dtype)}`)
  if (rtol < 0) throw new RuntimeError(`rtol must be greater than or equal to zero, but got ${rtol}`)
  if (atol < 0) throw new RuntimeError(`atol must be greater than or equal to zero, but got ${atol}`)
  return without_recording(() => {
    const equal = eq(self, other)
    const both = equal_nan ? equal.logical_or(isnan(self).logical_and(isnan(other))) : equal
    if (rtol === 0 && atol === 0) return both
    const [a, b] = is_integral(self.dtype)
      ? [self.to(get_default_dtype()), other.to(get_default_dtype())]
      : [self, other]
    const error = a.sub(b).abs()
    return both.logical_or(isfinite(error).logical_and(le(error, b.mul(rtol).abs().add(atol))))
  })
}

const all_true = (t: Tensor): boolean => Boolean(all(t).item())

/** Whether all elements are close; see {@link isclose}. */
export const allclose: Op<CloseArgs, boolean> = overloaded<CloseArgs, boolean>(
  [[`allclose(${CLOSE})`, (...args: Parameters<typeof close>) => all_true(close(...args))]],
  { gradcheck: false, out: false },
)

/** Whether two tensors have the same size and elements. */
export const equal: Op<[self: Tensor, other: Tensor], boolean> = overloaded<
  [self: Tensor, other: Tensor],
  boolean
>([['equal(Tensor self, Tensor other)', same]], { gradcheck: false, out: false })

function same(self: Tensor, other: Tensor): boolean {
  if (!same_sizes(self.sizes, other.sizes)) return false
  return all_true(eq(self, other))
}
