// Arithmetic between tensors and numbers: +, -, *, /, remainders, powers, and their fused relatives.
// Not here: functions of one variable (unary.ts), comparisons (compare.ts), matrix products (matmul.ts).
import { bool, complex128, type DType, float64, scalar_dtype } from '../base/dtype.ts'
import { RuntimeError } from '../base/errors.ts'
import { constant, type Expr } from '../ir/expr.ts'
import { is_integer } from '../ir/types.ts'
import { type_name } from '../tensor/schema.ts'
import { Tensor } from '../tensor/tensor.ts'
import { in_place } from './define/inplace.ts'
import { composite, make_op, type Op, overloaded } from './define/op.ts'
import { type Number, pointwise } from './define/pointwise.ts'
import { any_zero } from './define/reduce.ts'
import { floating, is_integral, lift, not_implemented, numeric } from './define/rules.ts'

type Other = Tensor | Number
type Alpha = { alpha?: Number; out?: Tensor }
type Out = { out?: Tensor }
type Value = { value?: Number; out?: Tensor }
type Binary = [self: Other, other: Other, opts?: Out]
type Rounding = { rounding_mode?: 'floor' | 'trunc' | null; out?: Tensor }

// ---------------------------------------------------------------------------------------------- + and -

/** `self + alpha * other`, elementwise with broadcasting. */
export const add: Op<[self: Other, other: Other, opts?: Alpha]> = pointwise(
  'add(Tensor self, Tensor other, *, Scalar alpha=1)',
  {
    number_first: true,
    dtype: with_alpha,
    forward: (self, other, alpha) => self.add(alpha.mul(other)),
    samples: r => [
      [r(3, 4), r(3, 4)],
      [r(3, 1), r(4)],
      [r(2), 2.5],
      [r(3), r(3), { alpha: 2 }],
      [r(), r()],
      [r(0, 3), r(3)],
    ],
  },
)
/** In-place {@link add}. */
export const add_: typeof add = in_place(add)

function with_alpha(promoted: DType, [, , alpha]: readonly unknown[]): DType {
  const given = scalar_dtype(alpha as Number)
  if (given === bool && promoted !== bool)
    throw new RuntimeError('Boolean alpha only supported for Boolean results.')
  if (!promoted.is_complex && given.is_complex)
    throw new RuntimeError('For non-complex input tensors, argument alpha must not be a complex number.')
  if (is_integral(promoted) && !is_integral(given))
    throw new RuntimeError('For integral input tensors, argument alpha must not be a floating point number.')
  return promoted
}

/** `self - alpha * other`. Throws RuntimeError for bools. */
export const sub: Op<[self: Other, other: Other, opts?: Alpha]> = pointwise(
  'sub(Tensor self, Tensor other, *, Scalar alpha=1)',
  {
    number_first: true,
    dtype: no_bools,
    forward: (self, other, alpha) => self.sub(alpha.mul(other)),
    samples: r => [
      [r(3, 4), r(3, 4)],
      [r(3, 1), r(4)],
      [r(2), 2.5],
      [r(3), r(3), { alpha: 2 }],
    ],
  },
)
/** In-place {@link sub}. */
export const sub_: typeof sub = in_place(sub)

function no_bools(promoted: DType, values: readonly unknown[]): DType {
  const bools = values
    .slice(0, 2)
    .filter(v => (v instanceof Tensor ? v.dtype === bool : typeof v === 'boolean')).length
  if (bools === 2)
    throw new RuntimeError(
      'Subtraction, the `-` operator, with two bool tensors is not supported. Use the `^` or `logical_xor()` operator instead.',
    )
  if (bools === 1)
    throw new RuntimeError(
      'Subtraction, the `-` operator, with a bool tensor is not supported. If you are trying to invert a mask, use the `~` or `logical_not()` operator instead.',
    )
  return with_alpha(promoted, values)
}

/** `other - alpha * self`. */
export const rsub: Op<[self: Tensor, other: Other, opts?: Alpha]> = pointwise(
  'rsub(Tensor self, Tensor other, *, Scalar alpha=1)',
  {
    dtype: no_bools,
    forward: (self, other, alpha) => other.sub(alpha.mul(self)),
    node: ([, number]) => (number ? 'RsubBackward1' : 'RsubBackward0'),
    samples: r => [
      [r(3, 4), r(4)],
      [r(2), 2.5],
      [r(3), r(3), { alpha: 2 }],
    ],
  },
)

/** Alias of {@link sub}. */
export const subtract: typeof sub = sub
/** Alias of {@link sub_}. */
export const subtract_: typeof sub = sub_

/** `-self`. Throws RuntimeError for bools. */
export const neg: Op<[self: Tensor, opts?: Out]> = pointwise('neg(Tensor self)', {
  dtype(promoted) {
    if (promoted === bool)
      throw new RuntimeError(
        'Negation, the `-` operator, on a bool tensor is not supported. If you are trying to invert a mask, use the `~` or `logical_not()` operator instead.',
      )
    return promoted
  },
  forward: (self: Expr) => self.neg(),
  samples: r => [[r(3, 4)], [r()]],
})
/** In-place {@link neg}. */
export const neg_: typeof neg = in_place(neg)
/** Alias of {@link neg}. */
export const negative: typeof neg = neg
/** Alias of {@link neg_}. */
export const negative_: typeof neg = neg_

// ---------------------------------------------------------------------------------------------- * and /

/** `self * other`, elementwise with broadcasting. */
export const mul: Op<Binary> = pointwise('mul(Tensor self, Tensor other)', {
  number_first: true,
  forward: (self: Expr, other: Expr) => self.mul(other),
  samples: r => [
    [r(3, 4), r(3, 4)],
    [r(3, 1), r(4)],
    [r(2), 2.5],
    [r(), r()],
  ],
})
/** In-place {@link mul}. */
export const mul_: typeof mul = in_place(mul)
/** Alias of {@link mul}. */
export const multiply: typeof mul = mul
/** Alias of {@link mul_}. */
export const multiply_: typeof mul = mul_

/**
 * `self / other`. Integers give floats, unless `rounding_mode` is `'floor'` or `'trunc'`, which keep the dtype.
 * Throws RuntimeError (ZeroDivisionError) where integers are rounded after a division by zero.
 */
export const div: Op<[self: Other, other: Other, opts?: Rounding]> = pointwise(
  'div(Tensor self, Tensor other, *, str? rounding_mode=None)',
  {
    number_first: true,
    check_options(self: Other, other: Other, mode: string | null) {
      if (mode === null) return
      if (mode !== 'floor' && mode !== 'trunc')
        throw new RuntimeError(
          `div expected rounding_mode to be one of None, 'trunc', or 'floor' but found '${mode}'`,
        )
      refuse_zero_divisor(self, other)
    },
    dtype(promoted, [, , mode]) {
      if (mode === null) return lift(promoted)
      return promoted === bool ? not_implemented(`div_${mode}_cpu`, bool) : promoted
    },
    forward: (self: Expr, other: Expr, mode: string | null) =>
      mode === null ? self.div(other) : mode === 'floor' ? self.floordiv(other) : self.truncdiv(other),
    backward: (g, [, other, mode], out) =>
      mode === null ? [g.div(other), g.mul(out).div(other).neg()] : [null, null],
    node: (_, [, , mode]) => (mode === null ? 'DivBackward0' : 'DivBackward2'),
    samples: r => [
      [r(3, 4), r.range(1, 2, 3, 4)],
      [r(3, 1), r.range(-2, -1, 4)],
      [r(2), 2.5],
      [r(5), r.range(1, 2, 5), { rounding_mode: 'floor' }],
      [r(5), 1.5, { rounding_mode: 'trunc' }],
    ],
  },
)
/** In-place {@link div}. */
export const div_: typeof div = in_place(div)
/** Alias of {@link div}. */
export const divide: typeof div = div
/** Alias of {@link div_}. */
export const divide_: typeof div = div_
/** Alias of {@link div} without rounding. */
export const true_divide: Op<Binary> = div as Op<Binary>
/** Alias of {@link div_} without rounding. */
export const true_divide_: Op<Binary> = div_ as Op<Binary>

/** Throws where integers would be divided by zero. Two bools are refused otherwise. */
function refuse_zero_divisor(self: Other, other: Other): void {
  const [a, b] = [self, other].map(x => (x instanceof Tensor ? x.dtype : scalar_dtype(x))) as [DType, DType]
  if (!is_integral(a) || !is_integral(b) || (a === bool && b === bool)) return
  if (self instanceof Tensor && self.count === 0) return
  const zero = other instanceof Tensor ? any_zero(other) : Number(other) === 0
  if (zero) throw new RuntimeError('ZeroDivisionError')
}

/** `floor(self / other)`. Has no derivative. */
export const floor_divide: Op<Binary> = pointwise('floor_divide(Tensor self, Tensor other)', {
  number_first: true,
  dtype: numeric('div_floor_cpu'),
  check: refuse_zero_divisor,
  forward: (self: Expr, other: Expr) => self.floordiv(other),
  differentiable: false,
  samples: r => [
    [r(3, 4), r.range(1, 2, 4)],
    [r(3), 0.5],
    [r.ints(-9, 9, 5), 2],
  ],
})
/** In-place {@link floor_divide}. */
export const floor_divide_: typeof floor_divide = in_place(floor_divide)

/** The remainder of a division rounded down: it has the sign of `other`, as Python's `%`. */
export const remainder: Op<Binary> = pointwise('remainder(Tensor self, Tensor other)', {
  number_first: true,
  dtype: numeric('remainder_cpu'),
  check: refuse_zero_divisor,
  forward: (self: Expr, other: Expr) => self.mod(other),
  node: ([, number]) => (number ? 'RemainderBackward0' : 'RemainderBackward1'),
  samples: r => [
    [r(3, 4), r.range(0.5, 1, 4)],
    [r(3), 0.7],
    [r(3), -0.7],
  ],
})
/** In-place {@link remainder}. */
export const remainder_: typeof remainder = in_place(remainder)

/** The remainder of a division rounded towards zero: it has the sign of `self`, as C's `fmod`. */
export const fmod: Op<Binary> = pointwise('fmod(Tensor self, Tensor other)', {
  number_first: true,
  dtype: numeric('fmod_cpu'),
  check: refuse_zero_divisor,
  forward: (self: Expr, other: Expr) => self.fmod(other),
  node: ([, number]) => (number ? 'FmodBackward0' : 'FmodBackward1'),
  samples: r => [
    [r(3, 4), r.range(0.5, 1, 4)],
    [r(3), 0.7],
    [r(3), -0.7],
  ],
})
/** In-place {@link fmod}. */
export const fmod_: typeof fmod = in_place(fmod)

/** `1 / self`. Integers give floats. */
export const reciprocal: Op<[self: Tensor, opts?: Out]> = pointwise('reciprocal(Tensor self)', {
  dtype: 'float',
  forward: (self: Expr) => constant(1, self.type).div(self),
  backward: (g, _, out) => [g.mul(out.mul(out)).neg()],
  samples: r => [[r.range(0.5, 2, 3, 4)]],
})
/** In-place {@link reciprocal}. */
export const reciprocal_: typeof reciprocal = in_place(reciprocal)

// ---------------------------------------------------------------------------------------------- powers

/** Exponents with kernels of their own. */
const EXPONENTS = [-2, -1, -0.5, 0, 0.5, 1, 2, 3]

/** x ** e, without logarithms for the exponents above. */
function power(x: Expr, e: Expr): Expr {
  if (e.op !== 'const' || is_integer(x.type)) return x.pow(e)
  switch (e.arg) {
    case -2:
      return constant(1, x.type).div(x.mul(x))
    case -0.5:
      return constant(1, x.type).div(x.sqrt())
    case 0.5:
      return x.sqrt()
    case 3:
      return x.mul(x).mul(x)
    default:
      return x.pow(e) // 0, 1, 2 and -1 are simplified everywhere
  }
}

/** `self ** exponent`. Throws RuntimeError for integers under a negative number. */
export const pow: Op<[self: Other, exponent: Other, opts?: Out]> = pointwise(
  'pow(Tensor self, Tensor exponent)',
  {
    number_first: true,
    constants: EXPONENTS,
    dtype: numeric('pow'),
    check_options(self: Other, exponent: Other) {
      if (!(self instanceof Tensor) || exponent instanceof Tensor || !is_integral(self.dtype)) return
      if (is_integral(scalar_dtype(exponent)) && Number(exponent) < 0)
        throw new RuntimeError('Integers to negative integer powers are not allowed.')
    },
    forward: (self: Expr, exponent: Expr) => power(self, exponent),
    backward: (g, [x, e], out) => {
      const of_base = g.mul(
        e.mul(power(x, e.op === 'const' ? constant((e.arg as number) - 1, e.type) : e.sub(1))),
      )
      return [e.eq(0).where(0, of_base), g.mul(x.eq(0).and(e.real().ge(0)).where(0, out.mul(x.log())))]
    },
    node: ([base, exponent]) => (base ? 'PowBackward2' : exponent ? 'PowBackward0' : 'PowBackward1'),
    samples: r => [
      [r(3, 4), 2],
      [r.range(0.5, 2, 3), 0.5],
      [r.range(0.5, 2, 3), -1.7],
      [r.range(0.5, 2, 3, 4), r(4)],
      [2.5, r(3)],
      [r(3), 3],
      [r.range(1, 2, 3), -2],
    ],
  },
)
/** In-place {@link pow}. */
export const pow_: typeof pow = in_place(pow)

/** `self ** 2`. */
export const square: Op<[self: Tensor, opts?: Out]> = composite('square(Tensor self)', {
  body: (self: Tensor) => pow(self, 2),
  samples: r => [[r(3, 4)]],
})
/** In-place {@link square}. */
export const square_: Op<[self: Tensor]> = make_op((self: Tensor) => pow_(self, 2), in_place(square).spec)

/** `self ** exponent`, computed in float64. */
export const float_power: Op<[self: Other, exponent: Other, opts?: Out]> = composite(
  'float_power(any self, any exponent)',
  {
    body(self: Other, exponent: Other) {
      if (!(self instanceof Tensor) && !(exponent instanceof Tensor))
        throw new TypeError(
          `float_power() received an invalid combination of arguments - got (${type_name(self)}, ${type_name(exponent)})`,
        )
      const double = (x: Other): Other =>
        x instanceof Tensor ? x.to(x.dtype.is_complex ? complex128 : float64) : x
      return pow(double(self), double(exponent))
    },
    samples: r => [
      [r.range(0.5, 2, 3), 2.5],
      [r.range(0.5, 2, 3), r(3)],
      [2, r(3)],
    ],
  },
)
/** In-place {@link float_power}, of float64 tensors only. */
export const float_power_: Op<[self: Tensor, exponent: Other]> = overloaded(
  [
    [
      'float_power_(Tensor self, any exponent)',
      (self: Tensor, exponent: Other) => {
        if (self.dtype !== float64)
          throw new RuntimeError(
            `the base given to float_power_ has dtype ${self.dtype.tensor_type.slice(0, -'Tensor'.length)} but the operation's result requires dtype Double`,
          )
        return pow_(self, exponent instanceof Tensor ? exponent.to(float64) : exponent)
      },
    ],
  ],
  { out: false },
)

// ---------------------------------------------------------------------------------------------- fused

/** `self + value * tensor1 * tensor2`. */
export const addcmul: Op<[self: Tensor, tensor1: Tensor, tensor2: Tensor, opts?: Value]> = pointwise(
  'addcmul(Tensor self, Tensor tensor1, Tensor tensor2, *, Scalar value=1)',
  {
    dtype: numeric('addcmul_cpu_out'),
    forward: (self, a, b, value) => self.add(value.mul(a).mul(b)),
    samples: r => [
      [r(3, 4), r(3, 4), r(3, 4)],
      [r(3, 1), r(4), r(3, 4), { value: 0.5 }],
      [r(4), r(3, 4), r(3, 1)],
    ],
  },
)
/** In-place {@link addcmul}. */
export const addcmul_: typeof addcmul = in_place(addcmul)

/** `self + value * tensor1 / tensor2`. Throws RuntimeError where both of those are integers. */
export const addcdiv: Op<[self: Tensor, tensor1: Tensor, tensor2: Tensor, opts?: Value]> = pointwise(
  'addcdiv(Tensor self, Tensor tensor1, Tensor tensor2, *, Scalar value=1)',
  {
    check(_: Tensor, a: Tensor, b: Tensor) {
      if (is_integral(a.dtype) && is_integral(b.dtype))
        throw new RuntimeError(
          'Integer division with addcdiv is no longer supported, and in a future  release addcdiv will perform a true division of tensor1 and tensor2. ' +
            'The historic addcdiv behavior can be implemented as (input + value * torch.trunc(tensor1 / tensor2)).to(input.dtype) for integer inputs ' +
            'and as (input + value * tensor1 / tensor2) for float inputs. The future addcdiv behavior is just the latter implementation: ' +
            '(input + value * tensor1 / tensor2), for all dtypes.',
        )
    },
    forward: (self, a, b, value) => self.add(value.mul(a).div(b)),
    samples: r => [
      [r(3, 4), r(3, 4), r.range(1, 2, 3, 4)],
      [r(3, 1), r(4), r.range(-2, -1, 3, 4), { value: 0.5 }],
    ],
  },
)
/** In-place {@link addcdiv}. */
export const addcdiv_: typeof addcdiv = in_place(addcdiv)

const C_NAMES: Readonly<Record<string, string>> = {
  float32: 'float',
  float64: 'double',
  int64: 'long int',
  int32: 'int',
  bool: 'bool',
}
const c_name = (dtype: DType): string => C_NAMES[dtype.name] ?? dtype.name

/** `self + weight * (end - self)`. All tensors have one floating-point dtype. */
export const lerp: Op<[self: Tensor, end: Tensor, weight: Other, opts?: Out]> = pointwise(
  'lerp(Tensor self, Tensor end, Tensor weight)',
  {
    dtype: floating('lerp_kernel_scalar'),
    check(self: Tensor, end: Tensor, weight: Other) {
      for (const [name, x] of Object.entries({ end, weight }))
        if (x instanceof Tensor && x.dtype !== self.dtype)
          throw new RuntimeError(
            `expected dtype ${c_name(self.dtype)} for \`${name}\` but got dtype ${c_name(x.dtype)}`,
          )
    },
    // From the nearer end, so that weight 1 gives `end` exactly.
    forward(self: Expr, end: Expr, weight: Expr) {
      const way = end.sub(self)
      return weight
        .abs()
        .lt(0.5)
        .where(self.add(weight.mul(way)), end.sub(way.mul(weight.neg().add(1))))
    },
    backward: (g, [self, end, weight]) => [g.mul(weight.neg().add(1)), g.mul(weight), g.mul(end.sub(self))],
    node: ([, , number]) => (number ? 'LerpBackward0' : 'LerpBackward1'),
    samples: r => [
      [r(3, 4), r(3, 4), 0.3],
      [r(3, 1), r(4), r(3, 4)],
      [r(3), r(3), 0.8],
    ],
  },
)
/** In-place {@link lerp}. */
export const lerp_: typeof lerp = in_place(lerp)
