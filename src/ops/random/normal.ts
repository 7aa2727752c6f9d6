// Normal numbers by the Box-Muller transform, as PyTorch's CPU kernels draw them: small and strided tensors pair by
// pair in double precision, contiguous ones of 16 elements or more in blocks: 16 uniforms become 8 radii and 8 angles.
// For float32 PyTorch has its own log, sin and cos (polynomials of Moshier's Cephes library, in single precision with
// fused multiply-add); they are followed here to the last bit. The other dtypes have the C library's, and may differ in
// the last bit. Not here: the ops (../random.ts, ../random_fill.ts).
import { type DType, float16, float32, float64, int32, write_element } from '../../base/dtype.ts'
import { RuntimeError } from '../../base/errors.ts'
import { general } from '../../base/format.ts'
import type { Generator } from '../../base/generator.ts'
import { fma, round_to } from '../../base/rounding.ts'
import type { Operand } from '../../device/device.ts'
import { constant, type Expr } from '../../ir/expr.ts'
import { kernels } from '../../tensor/dispatch.ts'
import { not_implemented } from '../define/rules.ts'
import { unit_at, words_per } from './uniform.ts'
import { double_at, draw, part, real_parts } from './words.ts'

/** What a pair of uniform numbers becomes. */
type Pair = readonly [cosine: Expr, sine: Expr]
type Transform = (u1: Expr, u2: Expr, mean: Expr, std: Expr) => Pair

/**
 * Fills with normal numbers, for floating and complex dtypes (of a complex one, both parts: the variance is shared).
 * `contiguous` tells whether the tensor to be filled is: it decides
 * how PyTorch draws, not how `out` lies in memory, which has no gaps.
 */
export function fill_normal(g: Generator, out: Operand, mean = 0, std = 1, contiguous = true): void {
  if (!(std >= 0)) throw new RuntimeError(`normal expects std >= 0.0, but found std ${general(std)}`)
  if (out.dtype.is_complex) {
    fill_normal(g, real_parts(out), mean, std / Math.SQRT2, contiguous)
    return
  }
  const { dtype, count } = out
  if (!dtype.is_floating_point) not_implemented('normal_kernel_cpu', dtype)
  if (count < 16 || !contiguous) {
    fill_pairs(g, out, false, mean, std)
    return
  }
  const round = round_to(dtype)
  const per = words_per(dtype)
  const kernel = blocks_kernel(dtype)
  const values = [round(mean), round(std)]
  const rest = count % 16
  if (rest === 0) draw(g, per, kernel, [out], values)
  else {
    // the uniforms of a broken block are drawn and not used: the last 16 numbers are drawn anew
    draw(g, per, kernel, [part(out, 0, count - rest)], values)
    for (let i = 0; i < rest * per; i++) g.random()
    draw(g, per, kernel, [part(out, count - 16, 16)], values)
  }
}

const blocks_kernel = kernels('normal_blocks', (k, dtype: DType) => {
  const words = k.input('words', int32, 'flat')
  const out = k.output('out', dtype, 'flat')
  const mean = k.value('mean', out.type)
  const std = k.value('std', out.type)
  const transform = dtype === float32 ? float_pair : dtype === float64 ? double_pair : short_pair(dtype)
  k.for(out.sizes[0]!.floordiv(16), 'parallel', block =>
    k.for(8, 'vector', j => {
      const at = block.mul(16).add(j)
      const after = at.add(8)
      const [x, y] = transform(unit_at(words, at, dtype), unit_at(words, after, dtype), mean, std)
      k.store(out, [at], x)
      k.store(out, [after], y)
    }),
  )
})

const double_pair: Transform = (u1, u2, mean, std) => {
  const radius = u1.neg().add(1).log().mul(-2).sqrt()
  const theta = u2.mul(2 * Math.PI)
  return [radius.mul(theta.cos()).fused(std, mean), radius.mul(theta.sin()).fused(std, mean)]
}

/** float16 computes between its roundings in float32; bfloat16 rounds every step. */
const short_pair =
  (dtype: DType): Transform =>
  (u1, u2, mean, std) => {
    const round = dtype === float16 ? to_half : to_bfloat16
    const step = dtype === float16 ? (x: Expr): Expr => x : to_bfloat16
    // the C library's functions of floats are all but exact
    const by = (name: 'log' | 'cos' | 'sin', x: Expr): Expr => step(x.cast('f64')[name]().cast('f32'))
    const radius = round(step(by('log', round(u1.neg().add(1))).mul(-2)).sqrt())
    const theta = round(
      u2
        .cast('f64')
        .mul(2 * Math.PI)
        .cast('f32'),
    )
    const result = (x: Expr): Expr => {
      const normal = step(radius.mul(x))
      return dtype === float16 ? normal.fused(std, mean) : step(normal.mul(std)).add(mean)
    }
    return [result(by('cos', theta)), result(by('sin', theta))]
  }

/** The nearest float16 of a float that is normal there, and the nearest bfloat16 of any that is finite. */
const to_half = (x: Expr): Expr => to_digits(x, 13)
const to_bfloat16 = (x: Expr): Expr => to_digits(x, 16)

function to_digits(x: Expr, dropped: number): Expr {
  const bits = x.bitcast('i32')
  const odd = bits.ushr(dropped).and(1)
  const rounded = bits.add(odd).add(2 ** (dropped - 1) - 1)
  return rounded.and(-(2 ** dropped)).bitcast('f32')
}

// ---------------------------------------------------------------------------------------------- float32

/** log(1 + x) - x + x^2/2 over x^3, for sqrt(1/2) <= 1 + x < sqrt(2); ln 2 in two parts. */
const LOG = [
  7.0376836292e-2, -1.151461031e-1, 1.167699874e-1, -1.2420140846e-1, 1.4249322787e-1, -1.6668057665e-1,
  2.0000714765e-1, -2.4999993993e-1, 3.3333331174e-1,
]
const LN2_LOW = -2.1219444e-4
const LN2_HIGH = 0.693359375

/** pi/4 in three parts; sine and cosine on [-pi/4, pi/4]. */
const QUARTER_PI = [0.78515625, 2.4187564849853516e-4, 3.774894977445941e-8]
const SIN = [-1.9515295891e-4, 8.3321608736e-3, -1.6666654611e-1]
const COS = [2.443315711809948e-5, -1.388731625493765e-3, 4.166664568298827e-2]

/** By Horner's rule, the highest power first, with one rounding a step. */
const horner = (x: Expr, [first, second, ...rest]: readonly number[]): Expr =>
  rest.reduce((sum, c) => sum.fused(x, c), constant(first!, 'f32').fused(x, second!))

/** log(x) for a normal x. */
function float_log(x: Expr): Expr {
  const bits = x.bitcast('i32')
  const fraction = bits.and(0x007fffff).or(0x3f000000).bitcast('f32') // [1/2, 1)
  const small = fraction.lt(Math.fround(Math.SQRT1_2))
  const exponent = bits.ushr(23).sub(126).sub(small.cast('i32')).cast('f32')
  const f = fraction.sub(1).add(small.where(fraction, 0))
  const square = f.mul(f)
  const cubic = horner(f, LOG).mul(f).fused(square, exponent.mul(LN2_LOW))
  return exponent.fused(LN2_HIGH, f.add(cubic.sub(square.mul(0.5))))
}

/** The sine and the cosine of 0 <= x < 2 pi. */
function float_sin_cos(x: Expr): readonly [Expr, Expr] {
  const octant = x
    .mul(4 / Math.PI)
    .cast('i32')
    .add(1)
    .and(-2)
  const turned = octant.cast('f32')
  const y = QUARTER_PI.reduce((rest, piece) => turned.fused(-piece, rest), x)
  const square = y.mul(y)
  const cosine = horner(square, COS).mul(square).fused(square, square.mul(-0.5)).add(1)
  const sine = horner(square, SIN).mul(square).fused(y, y)
  // turned by quarters of a circle: an odd number of them swaps sine and cosine
  const odd = octant.and(2).ne(0)
  const flip = (value: Expr, bits: Expr): Expr => value.bitcast('i32').xor(bits).bitcast('f32')
  return [
    flip(odd.where(cosine, sine), octant.and(4).shl(29)),
    flip(odd.where(sine, cosine), octant.add(2).and(4).shl(29)),
  ]
}

const float_pair: Transform = (u1, u2, mean, std) => {
  const radius = float_log(u1.neg().add(1)).mul(-2).sqrt()
  const [sin, cos] = float_sin_cos(u2.mul(2 * Math.PI))
  return [radius.mul(cos).fused(std, mean), radius.mul(sin).fused(std, mean)]
}

// ---------------------------------------------------------------------------------------------- pairs of doubles

const pairs_kernel = kernels('normal_pairs', (k, dtype: DType, log_normal: boolean) => {
  const words = k.input('words', int32, 'flat')
  const out = k.output('out', dtype, 'flat')
  const mean = k.value('mean', 'f64')
  const std = k.value('std', 'f64')
  const result = (x: Expr): Expr => {
    const normal = x.fused(std, mean)
    return (log_normal ? normal.exp() : normal).cast(out.type)
  }
  k.for(out.sizes[0]!.floordiv(2), 'vector', i => {
    const at = i.mul(2)
    const radius = double_at(words, at.add(1)).neg().add(1).log().mul(-2).sqrt()
    const theta = double_at(words, at).mul(2 * Math.PI)
    k.store(out, [at], result(radius.mul(theta.cos())))
    k.store(out, [at.add(1)], result(radius.mul(theta.sin())))
  })
})

/** Fills with normal numbers or, where `log_normal`, their exponentials; a pair whose second is not needed keeps it. */
function fill_pairs(g: Generator, out: Operand, log_normal: boolean, mean: number, std: number): void {
  const { dtype, count } = out
  const one = (i: number): void => {
    const normal = fma(g.normal_double(), std, mean)
    write_element(out.memory.touch(dtype), dtype, out.offset + i, log_normal ? Math.exp(normal) : normal)
  }
  const few = count < 16
  const first = few ? 0 : Number(g.next_normal !== null)
  const last = few ? 0 : count - ((count - first) % 2)
  for (let i = 0; i < first; i++) one(i)
  if (!few) draw(g, 2, pairs_kernel(dtype, log_normal), [part(out, first, last - first)], [mean, std])
  for (let i = last; i < count; i++) one(i)
}

/** Fills with numbers whose logarithm is normal of this mean and standard deviation, for floating dtypes. */
export function fill_log_normal(g: Generator, out: Operand, mean: number, std: number): void {
  if (!(std > 0)) throw new RuntimeError(`log_normal_ expects std > 0.0, but found std=${general(std)}`)
  if (!out.dtype.is_floating_point) not_implemented('log_normal_cpu', out.dtype)
  fill_pairs(g, out, true, mean, std)
}
