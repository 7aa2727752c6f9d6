// Absolute values, signs, rounding and limits: functions that keep the dtype and are flat or straight in pieces.
// Not here: comparisons (compare.ts), smooth functions (unary.ts).
import { bool, type DType, finfo } from '../base/dtype.ts'
import { RuntimeError } from '../base/errors.ts'
import { constant, type Expr } from '../ir/expr.ts'
import { is_complex, is_integer } from '../ir/types.ts'
import { Tensor } from '../tensor/tensor.ts'
import { in_place } from './define/inplace.ts'
import { composite, type Op, overloaded } from './define/op.ts'
import { type DTypeRule, type Number, pointwise } from './define/pointwise.ts'
import { floating, is_integral, not_implemented, numeric, ordered, real } from './define/rules.ts'

type Out = { out?: Tensor }
type Unary = [self: Tensor, opts?: Out]
type Bound = Tensor | Number | null

// ---------------------------------------------------------------------------------------------- sign

/** The absolute value. */
export const abs: Op<Unary> = pointwise('abs(Tensor self)', {
  dtype: numeric('abs_cpu'),
  forward: (self: Expr) => self.abs(),
  samples: r => [[r(3, 4)], [r()], [r.ints(-5, 5, 4)]],
})
/** In-place {@link abs}. */
export const abs_: typeof abs = in_place(abs)
/** Alias of {@link abs}. */
export const absolute: typeof abs = abs
/** Alias of {@link abs_}. */
export const absolute_: typeof abs = abs_

const sign_of = (x: Expr): Expr => x.gt(0).where(constant(1, x.type), x.lt(0).where(constant(-1, x.type), 0))

/** -1, 0 or 1. NaN gives 0. */
export const sign: Op<Unary> = pointwise('sign(Tensor self)', {
  dtype: real(
    'Unlike NumPy, torch.sign is not intended to support complex numbers. Please use torch.sgn instead.',
  ),
  forward: sign_of,
  samples: r => [[r(3, 4)], [r.ints(-5, 5, 4)]],
})
/** In-place {@link sign}. */
export const sign_: typeof sign = in_place(sign)

/** {@link sign}; of a complex number, its direction. */
export const sgn: Op<Unary> = pointwise('sgn(Tensor self)', {
  forward: (x: Expr) => {
    if (!is_complex(x.type)) return sign_of(x)
    const size = x.abs()
    return size.eq(0).where(constant(0, x.type), x.div(size.cast(x.type)))
  },
  samples: r => [[r(3, 4)]],
})
/** In-place {@link sgn}. */
export const sgn_: typeof sgn = in_place(sgn)

/** The tensor itself. Throws RuntimeError for bools. */
export const positive: Op<[self: Tensor]> = composite('positive(Tensor self)', {
  body(self: Tensor) {
    if (self.dtype === bool) throw new RuntimeError('The `+` operator, on a bool tensor is not supported.')
    return self
  },
  samples: r => [[r(3)]],
  out: false,
})

// ---------------------------------------------------------------------------------------------- rounding

/** Integers stay what they are; bools and complex numbers are refused. */
function whole(name: string): DTypeRule {
  const refused = real(`${name} is not supported for complex inputs`)
  return dtype => (dtype === bool ? not_implemented(`${name}_vml_cpu`, dtype) : refused(dtype))
}
const unless_integer = (x: Expr, f: (x: Expr) => Expr): Expr => (is_integer(x.type) ? x : f(x))

/** The greatest integer that is not greater. */
export const floor: Op<Unary> = pointwise('floor(Tensor self)', {
  dtype: whole('floor'),
  forward: (self: Expr) => unless_integer(self, x => x.floor()),
  samples: r => [[r(3, 4)]],
})
/** In-place {@link floor}. */
export const floor_: typeof floor = in_place(floor)

/** The least integer that is not less. */
export const ceil: Op<Unary> = pointwise('ceil(Tensor self)', {
  dtype: whole('ceil'),
  forward: (self: Expr) => unless_integer(self, x => x.ceil()),
  samples: r => [[r(3, 4)]],
})
/** In-place {@link ceil}. */
export const ceil_: typeof ceil = in_place(ceil)

/** The integer part. */
export const trunc: Op<Unary> = pointwise('trunc(Tensor self)', {
  dtype: whole('trunc'),
  forward: (self: Expr) => unless_integer(self, x => x.trunc()),
  samples: r => [[r(3, 4)]],
})
/** In-place {@link trunc}. */
export const trunc_: typeof trunc = in_place(trunc)
/** Alias of {@link trunc}. */
export const fix: typeof trunc = trunc
/** Alias of {@link trunc_}. */
export const fix_: typeof trunc = trunc_

/** What {@link trunc} cuts off. */
export const frac: Op<Unary> = pointwise('frac(Tensor self)', {
  dtype: floating('frac_cpu'),
  forward: (self: Expr) => self.sub(self.trunc()),
  samples: r => [[r(3, 4)]],
})
/** In-place {@link frac}. */
export const frac_: typeof frac = in_place(frac)

/** Rounds to the nearest integer, or to `decimals` digits after the point; ties go to the even one. */
export const round: Op<[self: Tensor, opts?: { decimals?: number; out?: Tensor }]> = pointwise(
  'round(Tensor self, *, int decimals=0)',
  {
    dtype(promoted, [, decimals]) {
      if (decimals !== 0 && is_integral(promoted)) not_implemented('round_cpu', promoted)
      return promoted === bool ? not_implemented('round_vml_cpu', promoted) : promoted
    },
    forward(self: Expr, decimals: number) {
      if (is_integer(self.type)) return self
      const scale = 10 ** Math.abs(decimals)
      if (decimals > 0) return self.mul(scale).round().div(scale)
      return decimals < 0 ? self.div(scale).round().mul(scale) : self.round()
    },
    node: (_, [, decimals]) => (decimals === 0 ? 'RoundBackward0' : 'RoundBackward1'),
    samples: r => [[r(3, 4)], [r(5), { decimals: 2 }], [r.range(-200, 200, 5), { decimals: -1 }]],
  },
)
/** In-place {@link round}. */
export const round_: typeof round = in_place(round)

// ---------------------------------------------------------------------------------------------- limits

/**
 * Limits elements to [min, max]; either may be left out. Both are numbers, or both tensors. Where `min` is greater
 * than `max` the result is `max`; NaN anywhere gives NaN.
 */
export const clamp: Op<
  [
    self: Tensor,
    min?: Bound | { min?: Bound; max?: Bound; out?: Tensor },
    max?: Bound | { max?: Bound; out?: Tensor },
    opts?: Out,
  ]
> = pointwise('clamp(Tensor self, Tensor? min=None, Tensor? max=None)', {
  dtype: ordered,
  check(_: Tensor, min: Bound, max: Bound) {
    if (min === null && max === null)
      throw new RuntimeError("torch.clamp: At least one of 'min' or 'max' must not be None")
    if (min !== null && max !== null && min instanceof Tensor !== max instanceof Tensor)
      throw new TypeError(
        'clamp() received an invalid combination of arguments: min and max must both be Tensor or both be Number',
      )
  },
  forward(self: Expr, min: Expr | null, max: Expr | null) {
    const raised = min === null ? self : self.max(min)
    return max === null ? raised : raised.min(max)
  },
  backward(g, [x, min, max]) {
    const inside = min === null ? x.le(max as Expr) : max === null ? x.ge(min) : x.ge(min).and(x.le(max))
    const below = min === null ? null : max === null ? x.lt(min) : x.lt(min).and(min.lt(max))
    const above = max === null ? null : min === null ? x.gt(max) : x.gt(max).or(max.lt(min))
    return [inside, below, above].map(mask => mask?.where(g, 0) ?? null)
  },
  node: ([, min, max]) => (min && max ? 'ClampBackward1' : 'ClampBackward0'),
  samples: r => [
    [r(3, 4), -0.5, 1],
    [r(3), { min: 0 }],
    [r(3), { max: 0.3 }],
    [r(3, 4), r.range(-2, 0, 4), r.range(0, 2, 3, 1)],
    [r(3), r(3)],
  ],
})
/** In-place {@link clamp}. */
export const clamp_: typeof clamp = in_place(clamp)
/** Alias of {@link clamp}. */
export const clip: typeof clamp = clamp
/** Alias of {@link clamp_}. */
export const clip_: typeof clamp = clamp_

/** {@link clamp} with a lower limit only. */
export const clamp_min: Op<[self: Tensor, min: Tensor | Number, opts?: Out]> = pointwise(
  'clamp_min(Tensor self, Tensor min)',
  {
    dtype: ordered,
    forward: (self: Expr, min: Expr) => self.max(min),
    backward: (g, [x, min]) => [x.ge(min).where(g, 0), x.lt(min).where(g, 0)],
    node: ([, number]) => (number ? 'ClampMinBackward0' : 'ClampMinBackward1'),
    samples: r => [
      [r(3, 4), 0.1],
      [r(3, 4), r(4)],
    ],
  },
)
/** In-place {@link clamp_min}. */
export const clamp_min_: typeof clamp_min = in_place(clamp_min)

/** {@link clamp} with an upper limit only. */
export const clamp_max: Op<[self: Tensor, max: Tensor | Number, opts?: Out]> = pointwise(
  'clamp_max(Tensor self, Tensor max)',
  {
    dtype: ordered,
    forward: (self: Expr, max: Expr) => self.min(max),
    backward: (g, [x, max]) => [x.le(max).where(g, 0), x.gt(max).where(g, 0)],
    node: ([, number]) => (number ? 'ClampMaxBackward0' : 'ClampMaxBackward1'),
    samples: r => [
      [r(3, 4), 0.1],
      [r(3, 4), r(4)],
    ],
  },
)
/** In-place {@link clamp_max}. */
export const clamp_max_: typeof clamp_max = in_place(clamp_max)

/** max(self, 0). Throws RuntimeError for bools. */
export const relu: Op<[self: Tensor]> = pointwise('relu(Tensor self)', {
  dtype(promoted) {
    if (promoted === bool) throw new RuntimeError('Boolean inputs not supported for relu')
    return ordered(promoted)
  },
  forward: (self: Expr) => self.max(0),
  backward: (g, _, out) => [out.le(0).where(0, g)],
  samples: r => [[r(3, 4)], [r()]],
})
/** In-place {@link relu}. */
export const relu_: typeof relu = in_place(relu)

// ---------------------------------------------------------------------------------------------- not finite

const replace: Op<[self: Tensor, nan: number, posinf: number, neginf: number]> = pointwise(
  'nan_to_num(Tensor self, Scalar nan, Scalar posinf, Scalar neginf)',
  {
    forward(self, nan, posinf, neginf) {
      if (is_integer(self.type)) return self
      return self.ne(self).where(nan, self.eq(Infinity).where(posinf, self.eq(-Infinity).where(neginf, self)))
    },
    backward: (g, [x]) => [x.abs().lt(Infinity).where(g, 0)],
  },
)
const replace_: typeof replace = in_place(replace)

type NanOptions = { nan?: number | null; posinf?: number | null; neginf?: number | null; out?: Tensor }
const NAN_SCHEMA = 'float? nan=None, float? posinf=None, float? neginf=None'

/** Replaces NaN by `nan` (0) and infinities by the given numbers, or by the dtype's largest and smallest. */
export const nan_to_num: Op<
  [
    self: Tensor,
    nan?: number | null | NanOptions,
    posinf?: number | null | NanOptions,
    neginf?: number | null | NanOptions,
    opts?: NanOptions,
  ]
> = overloaded(
  [
    [
      `nan_to_num(Tensor self, ${NAN_SCHEMA})`,
      (self: Tensor, ...numbers: (number | null)[]) => replace(self, ...replacements(self.dtype, numbers)),
    ],
  ],
  { samples: r => [[r(3, 4)], [r(3).log(), 1, 2, 3]] },
)
/** In-place {@link nan_to_num}. */
export const nan_to_num_: typeof nan_to_num = overloaded(
  [
    [
      `nan_to_num_(Tensor self, ${NAN_SCHEMA})`,
      (self: Tensor, ...numbers: (number | null)[]) => replace_(self, ...replacements(self.dtype, numbers)),
    ],
  ],
  { out: false },
)

function replacements(
  dtype: DType,
  [nan, posinf, neginf]: readonly (number | null | undefined)[],
): [number, number, number] {
  if (!dtype.is_floating_point) return [0, 0, 0]
  const { min, max } = finfo(dtype)
  return [nan ?? 0, posinf ?? max, neginf ?? min]
}
