// Functions of two numbers from analysis and from floating-point formats: atan2, hypot, logaddexp, xlogy, copysign,
// nextafter, ldexp, frexp. Not here: arithmetic (arithmetic.ts), special functions that are no methods (special.ts).
import {
  bfloat16,
  type DType,
  type FloatScalar,
  float_scalar,
  float16,
  int32,
  result_dtype,
} from '../base/dtype.ts'
import { RuntimeError } from '../base/errors.ts'
import { constant, type Expr } from '../ir/expr.ts'
import type { ScalarType } from '../ir/types.ts'
import { empty, kernels } from '../tensor/dispatch.ts'
import type { Tensor } from '../tensor/tensor.ts'
import { pow } from './arithmetic.ts'
import { dense } from './define/copy.ts'
import { in_place } from './define/inplace.ts'
import { type Named, named_tuple } from './define/named.ts'
import { composite, type Op, op } from './define/op.ts'
import { type Number, pointwise } from './define/pointwise.ts'
import { floating, not_implemented, number_node } from './define/rules.ts'

/** A float, so that powers with integer exponents are floats. */
const TWO: FloatScalar = float_scalar(2)

type Out = { out?: Tensor }
type Pair = [self: Tensor, other: Tensor, opts?: Out]
type Binary = [self: Tensor | Number, other: Tensor | Number, opts?: Out]

/** The angle of the point (other, self). Integers give floats. */
export const atan2: Op<Pair> = pointwise('atan2(Tensor self, Tensor other)', {
  tensors_only: true,
  dtype: 'float',
  forward: (self: Expr, other: Expr) => self.atan2(other),
  node: 'Atan2Backward0',
  samples: r => [
    [r(3, 4), r(4)],
    [r(), r(2)],
  ],
})
/** In-place {@link atan2}. */
export const atan2_: typeof atan2 = in_place(atan2)
/** Alias of {@link atan2}. */
export const arctan2: typeof atan2 = atan2
/** Alias of {@link atan2_}. */
export const arctan2_: typeof atan2 = atan2_

/** sqrt(self ** 2 + other ** 2) without overflow. */
export const hypot: Op<Pair> = pointwise('hypot(Tensor self, Tensor other)', {
  tensors_only: true,
  dtype: floating('hypot_cpu'),
  forward(self: Expr, other: Expr) {
    const [a, b] = [self.abs(), other.abs()]
    const [large, small] = [a.max(b), a.min(b)]
    const ratio = small.div(large)
    const finite = large.eq(0).where(0, large.mul(ratio.mul(ratio).add(1).sqrt()))
    return a.eq(Infinity).or(b.eq(Infinity)).where(constant(Infinity, a.type), finite)
  },
  backward: (g, [self, other], out) => [g.mul(self.div(out)), g.mul(other.div(out))],
  samples: r => [[r(3, 4), r(4)]],
})
/** In-place {@link hypot}. */
export const hypot_: typeof hypot = in_place(hypot)

const equal_infinities = (a: Expr, b: Expr): Expr => a.eq(b).and(a.abs().eq(Infinity))

/** log(e ** self + e ** other) without overflow. */
export const logaddexp: Op<Pair> = pointwise('logaddexp(Tensor self, Tensor other)', {
  tensors_only: true,
  dtype: floating('logaddexp_cpu'),
  forward: (a: Expr, b: Expr) =>
    equal_infinities(a, b).where(a, a.max(b).add(a.sub(b).abs().neg().exp().log1p())),
  backward: (g, [a, b]) => [g.div(b.sub(a).exp().add(1)), g.div(a.sub(b).exp().add(1))],
  samples: r => [[r(3, 4), r(4)]],
})

/** log2(2 ** self + 2 ** other) without overflow. */
export const logaddexp2: Op<Pair> = pointwise('logaddexp2(Tensor self, Tensor other)', {
  tensors_only: true,
  dtype: floating('logaddexp2_cpu'),
  forward: (a: Expr, b: Expr) =>
    equal_infinities(a, b).where(a, a.max(b).add(a.sub(b).abs().neg().exp2().log1p().mul(Math.LOG2E))),
  backward: (g, [a, b]) => [g.div(b.sub(a).exp2().add(1)), g.div(a.sub(b).exp2().add(1))],
  samples: r => [[r(3, 4), r(4)]],
})

/** self * log(other), 0 where `self` is 0 (unless `other` is NaN). Integers give floats. */
export const xlogy: Op<Binary> = pointwise('xlogy(Tensor self, Tensor other)', {
  number_first: true,
  dtype: 'float',
  forward: (x: Expr, y: Expr) => y.ne(y).where(y, x.eq(0).where(0, x.mul(y.log()))),
  backward: (g, [x, y]) => [x.eq(0).and(y.le(0)).where(0, g.mul(y.log())), g.mul(x).div(y)],
  node: number_node('Xlogy'),
  samples: r => [
    [r(3, 4), r.range(0.1, 2, 4)],
    [r(3), 2.5],
    [2, r.range(0.1, 2, 3)],
  ],
})
/** In-place {@link xlogy}. */
export const xlogy_: typeof xlogy = in_place(xlogy)

// ---------------------------------------------------------------------------------------------- formats

/** The magnitude of `self` with the sign of `other`. Integers give floats. */
export const copysign: Op<[self: Tensor, other: Tensor | Number, opts?: Out]> = pointwise(
  'copysign(Tensor self, Tensor other)',
  {
    dtype: 'float',
    forward: (self: Expr, other: Expr) => self.copysign(other),
    node: ([, number]) => (number ? 'CopysignBackward1' : 'CopysignBackward0'),
    samples: r => [
      [r(3, 4), r(4)],
      [r(3), -1.5],
    ],
  },
)
/** In-place {@link copysign}. */
export const copysign_: typeof copysign = in_place(copysign)

/** One step of a format (`ulp` units of the computing type's last bit) from each number towards another. */
const next = (ulp: number): Op<Pair> =>
  pointwise<Pair>('nextafter(Tensor self, Tensor other)', {
    tensors_only: true,
    dtype: promoted =>
      promoted === float16 || !promoted.is_floating_point
        ? not_implemented('nextafter_cpu', promoted)
        : promoted,
    forward(self, other) {
      const [x, y] = [self as Expr, other as Expr]
      const bits: ScalarType = x.type === 'f64' ? 'i64' : 'i32'
      const smallest = constant(ulp, bits).bitcast(x.type).copysign(y)
      const raw = x.bitcast(bits)
      const away = x.lt(y).eq(x.gt(0))
      const moved = away.where(raw.add(ulp), raw.sub(ulp)).bitcast(x.type)
      const unordered = x.ne(x).or(y.ne(y))
      return unordered.where(x.add(y), x.eq(y).where(y, x.eq(0).where(smallest, moved)))
    },
    differentiable: false,
    samples: r => [[r(3, 4), r(4)]],
  })
const next_plain = next(1)
const next_bfloat16 = next(2 ** 16)

/** The next number of the dtype after `self` in the direction of `other`. */
export const nextafter: Op<Pair> = composite('nextafter(Tensor self, Tensor other)', {
  body: (self: Tensor, other: Tensor) =>
    (result_dtype([self, other]) === bfloat16 ? next_bfloat16 : next_plain)(self, other),
  samples: r => [[r(3, 4), r(4)]],
  gradcheck: false, // has no derivative
})
/** In-place {@link nextafter}. */
export const nextafter_: typeof nextafter = in_place(nextafter)

/** self * 2 ** other. */
export const ldexp: Op<Pair> = composite('ldexp(Tensor self, Tensor other)', {
  body: (self: Tensor, other: Tensor) => self.mul(pow(TWO, other)),
  samples: r => [
    [r(3, 4), r.ints(-3, 3, 4)],
    [r(3), r(3)],
  ],
})
/** In-place {@link ldexp}. */
export const ldexp_: typeof ldexp = in_place(ldexp)

const frexp_kernel = kernels('frexp', (k, dtype: DType) => {
  const mantissa = k.output('mantissa', dtype, 'flat')
  const exponent = k.output('exponent', int32, 'flat')
  const input = k.input('x', dtype, 'flat')
  const wide = input.type === 'f64'
  const bits: ScalarType = wide ? 'i64' : 'i32'
  const [fraction_bits, bias] = wide ? [52, 1022] : [23, 126]
  k.for(mantissa.sizes[0] as Expr, 'vector', i => {
    const given = input.at(i)
    // Subnormals are scaled up first, so that their exponent can be read.
    const tiny = given.abs().lt(wide ? 2 ** -1022 : 2 ** -126)
    const x = k.local(input.type, tiny.where(given.mul(wide ? 2 ** 54 : 2 ** 25), given))
    const field = x
      .bitcast(bits)
      .shr(fraction_bits)
      .and(wide ? 0x7ff : 0xff)
      .cast('i32')
    const special = given.eq(0).or(given.abs().lt(Infinity).not())
    const e = field.sub(bias)
    const rest = x.bitcast(bits).and(wide ? ~(0x7ffn << 52n) : ~(0xff << 23))
    const half = rest.or(wide ? BigInt(bias) << 52n : bias << 23).bitcast(input.type)
    k.store(mantissa, [i], special.where(given, half))
    k.store(exponent, [i], special.where(constant(0, 'i32'), tiny.where(e.sub(wide ? 54 : 25), e)))
  })
})

/** Each number as mantissa * 2 ** exponent, with 0.5 <= |mantissa| < 1. */
export const frexp: Op<[self: Tensor], Named<Tensor, 'mantissa' | 'exponent'>> = op('frexp(Tensor self)', {
  forward(self: Tensor) {
    if (!self.dtype.is_floating_point)
      throw new RuntimeError('torch.frexp() only supports floating-point dtypes')
    const [mantissa, exponent] = [empty(self.sizes, self.dtype), empty(self.sizes, int32)]
    if (self.count > 0) frexp_kernel(self.dtype)([mantissa, exponent, dense(self)], [])
    return named_tuple('frexp', { mantissa, exponent })
  },
  saves: ['out'],
  backward: { self: ([g], _, [, exponent]) => (g ? g.div(pow(TWO, exponent as Tensor)) : null) },
  samples: r => [[r(3, 4)]],
})
