// Functions of one variable: exponentials, logarithms, circular and hyperbolic functions, the error and gamma
// functions. Integers give floats. Not here: rounding and limits (rounding.ts), special functions that are no methods
// (special.ts), activations (nn/activation.ts).
import { constant, type Expr } from '../ir/expr.ts'
import type { Tensor } from '../tensor/tensor.ts'
import { by_steps, round_to_bfloat16 } from './define/bfloat16.ts'
import { in_place } from './define/inplace.ts'
import { node_name, type Op, type Sampler } from './define/op.ts'
import { pointwise } from './define/pointwise.ts'

type Unary = [self: Tensor, opts?: { out?: Tensor }]

/** Declares a function of one float; samples are drawn from (low, high). */
function float_function(
  name: string,
  forward: (x: Expr) => Expr,
  [low, high]: readonly [number, number] = [-2, 2],
  more: { node?: string; backward?: (g: Expr, x: Expr, out: Expr) => Expr } = {},
): Op<Unary> {
  const { backward } = more
  return pointwise<Unary, readonly [self: Expr]>(`${name}(Tensor self)`, {
    dtype: 'float',
    forward,
    node: more.node ?? node_name(name),
    ...(backward && { backward: (g: Expr, [x]: readonly [Expr], out: Expr) => [backward(g, x, out)] }),
    samples: (r: Sampler): Unary[] => [
      [r.range(low, high, 3, 4)],
      [r.range(low, high)],
      [r.range(low, high, 2, 0)],
    ],
  })
}

// ---------------------------------------------------------------------------------------------- exponentials

/** e ** self. */
export const exp: Op<Unary> = float_function('exp', x => x.exp())
/** In-place {@link exp}. */
export const exp_: typeof exp = in_place(exp)

/** 2 ** self. */
export const exp2: Op<Unary> = float_function('exp2', x => x.exp2())
/** In-place {@link exp2}. */
export const exp2_: typeof exp2 = in_place(exp2)

/** e ** self - 1, accurate near 0. */
export const expm1: Op<Unary> = float_function('expm1', x => x.expm1())
/** In-place {@link expm1}. */
export const expm1_: typeof expm1 = in_place(expm1)

/** The natural logarithm. */
export const log: Op<Unary> = float_function('log', x => x.log(), [0.1, 2])
/** In-place {@link log}. */
export const log_: typeof log = in_place(log)

/** The logarithm to base 2. */
export const log2: Op<Unary> = float_function('log2', x => x.log2(), [0.1, 2])
/** In-place {@link log2}. */
export const log2_: typeof log2 = in_place(log2)

/** The logarithm to base 10. */
export const log10: Op<Unary> = float_function('log10', x => x.log10(), [0.1, 2])
/** In-place {@link log10}. */
export const log10_: typeof log10 = in_place(log10)

/** log(1 + self), accurate near 0. */
export const log1p: Op<Unary> = float_function('log1p', x => x.log1p(), [-0.8, 2], { node: 'Log1PBackward0' })
/** In-place {@link log1p}. */
export const log1p_: typeof log1p = in_place(log1p)

/** The square root. */
export const sqrt: Op<Unary> = float_function('sqrt', x => x.sqrt(), [0.1, 2])
/** In-place {@link sqrt}. */
export const sqrt_: typeof sqrt = in_place(sqrt)

/** 1 / sqrt(self). */
export const rsqrt: Op<Unary> = float_function('rsqrt', x => constant(1, x.type).div(x.sqrt()), [0.1, 2], {
  backward: (g, _, out) => g.mul(-0.5).mul(out.mul(out).mul(out)),
})
/** In-place {@link rsqrt}. */
export const rsqrt_: typeof rsqrt = in_place(rsqrt)

/** 1 / (1 + e ** -self). */
export const sigmoid: Op<Unary> = float_function(
  'sigmoid',
  x => constant(1, x.type).div(x.neg().exp().add(1)),
  [-2, 2],
  {
    backward: (g, _, out) => g.mul(constant(1, out.type).sub(out)).mul(out),
  },
)
/** In-place {@link sigmoid}. */
export const sigmoid_: typeof sigmoid = in_place(sigmoid)

type LogitOp = Op<
  [self: Tensor, eps?: number | null | { eps?: number | null; out?: Tensor }, opts?: { out?: Tensor }]
>
const LOGIT = 'logit(Tensor self, float? eps=None)'
const logit_by = (step: (x: Expr) => Expr): LogitOp =>
  pointwise(LOGIT, {
    dtype: 'float',
    forward(self: Expr, eps: number | null) {
      const x = eps === null ? self : self.max(eps).min(1 - eps)
      return step(x.div(step(constant(1, x.type).sub(x)))).log()
    },
    backward(g, [x, eps]) {
      const slope = g.div(x.mul(constant(1, x.type).sub(x)))
      if (eps === null) return [x.lt(0).or(x.gt(1)).where(constant(NaN, x.type), slope)]
      return [
        x
          .lt(eps)
          .or(x.gt(1 - eps))
          .where(0, slope),
      ]
    },
    samples: r => [[r.range(0.1, 0.9, 3, 4)], [r.range(0, 1, 5), 0.2]],
  })
/** log(self / (1 - self)); with `eps`, self is first clamped to [eps, 1 - eps]. */
export const logit: LogitOp = by_steps(
  LOGIT,
  logit_by(x => x),
  logit_by(round_to_bfloat16),
)
/** In-place {@link logit}. */
export const logit_: typeof logit = in_place(logit)

// ---------------------------------------------------------------------------------------------- circular

/** The sine. */
export const sin: Op<Unary> = float_function('sin', x => x.sin())
/** In-place {@link sin}. */
export const sin_: typeof sin = in_place(sin)

/** The cosine. */
export const cos: Op<Unary> = float_function('cos', x => x.cos())
/** In-place {@link cos}. */
export const cos_: typeof cos = in_place(cos)

/** The tangent. */
export const tan: Op<Unary> = float_function('tan', x => x.tan(), [-1, 1])
/** In-place {@link tan}. */
export const tan_: typeof tan = in_place(tan)

/** The inverse sine. */
export const asin: Op<Unary> = float_function('asin', x => x.asin(), [-0.9, 0.9])
/** In-place {@link asin}. */
export const asin_: typeof asin = in_place(asin)
/** Alias of {@link asin}. */
export const arcsin: typeof asin = asin
/** Alias of {@link asin_}. */
export const arcsin_: typeof asin = asin_

/** The inverse cosine. */
export const acos: Op<Unary> = float_function('acos', x => x.acos(), [-0.9, 0.9])
/** In-place {@link acos}. */
export const acos_: typeof acos = in_place(acos)
/** Alias of {@link acos}. */
export const arccos: typeof acos = acos
/** Alias of {@link acos_}. */
export const arccos_: typeof acos = acos_

/** The inverse tangent. */
export const atan: Op<Unary> = float_function('atan', x => x.atan())
/** In-place {@link atan}. */
export const atan_: typeof atan = in_place(atan)
/** Alias of {@link atan}. */
export const arctan: typeof atan = atan
/** Alias of {@link atan_}. */
export const arctan_: typeof atan = atan_

const sinc_by = (pi: number, step: (x: Expr) => Expr): Op<Unary> =>
  float_function(
    'sinc',
    x => {
      const product = step(x.mul(pi))
      return x.eq(0).where(1, step(product.sin()).div(product))
    },
    [0.2, 2],
    {
      backward(g, x) {
        const product = x.mul(Math.PI)
        const slope = product.mul(product.cos()).sub(product.sin()).div(product.mul(x))
        return product.mul(x).eq(0).where(0, g.mul(slope))
      },
    },
  )
/** sin(pi self) / (pi self), 1 at 0. */
export const sinc: Op<Unary> = by_steps(
  'sinc(Tensor self)',
  sinc_by(Math.PI, x => x),
  sinc_by(3.140625, round_to_bfloat16),
)
/** In-place {@link sinc}. */
export const sinc_: typeof sinc = in_place(sinc)

/** Degrees to radians. */
export const deg2rad: Op<Unary> = float_function('deg2rad', x => x.mul(Math.PI / 180), [-90, 90], {
  node: 'Deg2RadBackward0',
})
/** In-place {@link deg2rad}. */
export const deg2rad_: typeof deg2rad = in_place(deg2rad)

/** Radians to degrees. */
export const rad2deg: Op<Unary> = float_function('rad2deg', x => x.mul(180 / Math.PI), [-2, 2], {
  node: 'Rad2DegBackward0',
})
/** In-place {@link rad2deg}. */
export const rad2deg_: typeof rad2deg = in_place(rad2deg)

// ---------------------------------------------------------------------------------------------- hyperbolic

/** The hyperbolic sine. */
export const sinh: Op<Unary> = float_function('sinh', x => x.sinh())
/** In-place {@link sinh}. */
export const sinh_: typeof sinh = in_place(sinh)

/** The hyperbolic cosine. */
export const cosh: Op<Unary> = float_function('cosh', x => x.cosh())
/** In-place {@link cosh}. */
export const cosh_: typeof cosh = in_place(cosh)

/** The hyperbolic tangent. */
export const tanh: Op<Unary> = float_function('tanh', x => x.tanh())
/** In-place {@link tanh}. */
export const tanh_: typeof tanh = in_place(tanh)

/** The inverse hyperbolic sine. */
export const asinh: Op<Unary> = float_function('asinh', x => x.asinh())
/** In-place {@link asinh}. */
export const asinh_: typeof asinh = in_place(asinh)
/** Alias of {@link asinh}. */
export const arcsinh: typeof asinh = asinh
/** Alias of {@link asinh_}. */
export const arcsinh_: typeof asinh = asinh_

/** The inverse hyperbolic cosine. */
export const acosh: Op<Unary> = float_function('acosh', x => x.acosh(), [1.2, 3])
/** In-place {@link acosh}. */
export const acosh_: typeof acosh = in_place(acosh)
/** Alias of {@link acosh}. */
export const arccosh: typeof acosh = acosh
/** Alias of {@link acosh_}. */
export const arccosh_: typeof acosh = acosh_

/** The inverse hyperbolic tangent. */
export const atanh: Op<Unary> = float_function('atanh', x => x.atanh(), [-0.9, 0.9])
/** In-place {@link atanh}. */
export const atanh_: typeof atanh = in_place(atanh)
/** Alias of {@link atanh}. */
export const arctanh: typeof atanh = atanh
/** Alias of {@link atanh_}. */
export const arctanh_: typeof atanh = atanh_

// ---------------------------------------------------------------------------------------------- error and gamma functions

/** The error function. */
export const erf: Op<Unary> = float_function('erf', x => x.erf())
/** In-place {@link erf}. */
export const erf_: typeof erf = in_place(erf)

/** 1 - erf(self), accurate where that is small. */
export const erfc: Op<Unary> = float_function('erfc', x => x.erfc())
/** In-place {@link erfc}. */
export const erfc_: typeof erfc = in_place(erfc)

/** The inverse of {@link erf}. */
export const erfinv: Op<Unary> = float_function('erfinv', x => x.erfinv(), [-0.9, 0.9])
/** In-place {@link erfinv}. */
export const erfinv_: typeof erfinv = in_place(erfinv)

/** The logarithm of the absolute value of the gamma function. */
export const lgamma: Op<Unary> = float_function('lgamma', x => x.lgamma(), [0.2, 4])
/** In-place {@link lgamma}. */
export const lgamma_: typeof lgamma = in_place(lgamma)

/** The logarithmic derivative of the gamma function. */
export const digamma: Op<Unary> = float_function('digamma', x => x.digamma(), [0.2, 4])
/** In-place {@link digamma}. */
export const digamma_: typeof digamma = in_place(digamma)
