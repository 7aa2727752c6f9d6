// sin, cos, tan as arithmetic, in f64 also for f32. The argument is reduced to |r| <= pi/4 and a quadrant exactly
// enough for every finite float, by multiplying with 1 / (2 pi) of as many bits as the argument's exponent asks for
// (Payne and Hanek); what are whole turns is dropped before it can drown the rest. Then minimax polynomials.
// Coefficients: scripts/minimax.sollya.
import { constant, type Expr } from '../../ir/expr.ts'
import { bits_of_constant, fast_two_sum, nearest, polynomial, two_product } from './common.ts'

/** |x| = quadrant * pi/2 + r; the quadrant is an i64 of which the low bits count. */
type Angle = { readonly r: Expr; readonly quadrant: Expr }

/** 1 / (2 pi) in pieces of 29 bits and a last one of 53, so that products with the 24 bits of an f32 are exact. */
const INVERSE_TURN = [
  [0.15915494225919247, 8.327028684640414e-10, 5.69002511952534e-19, 6.317065088957875e-27],
  // from 2^-58 on: with |x| >= 2^80 what stands before contributes whole turns
  [4.038449463906148e-18, 6.31706507132483e-27, 1.7633044837708364e-35, 2.897178338357036e-44],
] as const

/** For an f32 value that is held as f64. */
function reduce_f32(a: Expr): Angle {
  const small = a.lt(2 ** 80)
  const [near, far] = INVERSE_TURN
  const products = near.map((c, i) => a.mul(small.where(constant(c, 'f64'), constant(far[i]!, 'f64'))))
  const [p0, p1, p2] = products.slice(0, 3).map(p => p.sub(p.round())) as [Expr, Expr, Expr]
  const p3 = products[3]!
  const quarters = nearest(p0.add(p1).add(p2).add(p3), 4)
  const turns = p0.sub(quarters.float.mul(0.25)).add(p1).add(p2).add(p3)
  return { r: turns.mul(2 * Math.PI), quadrant: quarters.integer }
}

/** pi / 2 in three pieces, of 33, 33 and 53 bits. */
const HALF_PI = [1.5707963267341256, 6.077100506303966e-11, 2.0222662487959506e-21] as const

function reduce_f64(a: Expr): Angle {
  const n = nearest(a, 2 / Math.PI)
  // a - n pi/2: the products with the first two pieces are exact, and so is the first difference
  const first = n.float.fma(-HALF_PI[0], a)
  const second = n.float.mul(HALF_PI[1])
  const sum = first.sub(second)
  const near = sum.sub(n.float.fma(HALF_PI[2], second.sub(first.sub(sum))))
  const far = reduce_huge(a)
  const small = a.lt(2 ** 20)
  const finite = a.lt(Infinity).where(far.r, constant(NaN, 'f64'))
  return { r: small.where(near, finite), quadrant: small.where(n.integer, far.quadrant) }
}

/** The bits of 2^-32 / (2 pi) after the point, in words of 64. */
const INVERSE_TURN_BITS = [
  0x0000000028be60dbn,
  0x9391054a7f09d5f4n,
  0x7d4d377036d8a566n,
  0x4f10e4107f9458ean,
  0xf7aef1586dc91b8en,
  0x909374b801924bban,
  0x827464873f877ac7n,
  0x2c4a69cfba208d7dn,
  0x4baed1213a671c09n,
  0xad17df904e64758en,
  0x60d4ce7d272117e2n,
  0xef7e4a0ec7fe25ffn,
  0xf7816603fbcbc462n,
  0xd6829b47db4d9fb3n,
  0xc9f2c26dd3d18fd9n,
  0xa797fa8b5d49eeb1n,
  0xfaf97c5ecf41ce7dn,
  0xe294a4ba9afed7ecn,
  0x47e357421580cc11n,
] as const

/** What 2 pi as f64 lacks. */
const TURN_TAIL = 2.4492935982947064e-16
const LOW_HALF = 0xffffffffn
const TWO_52 = bits_of_constant('f64', 2 ** 52)

/** An integer in [0, 2^52) as f64. */
const to_f64 = (n: Expr): Expr =>
  n
    .or(TWO_52)
    .bitcast('f64')
    .sub(2 ** 52)

/** The upper 64 bits of m * w, for m < 2^53 and any unsigned w. */
function multiply_high(m: Expr, w: Expr): Expr {
  const [m0, m1, w0, w1] = [m.and(LOW_HALF), m.ushr(32), w.and(LOW_HALF), w.ushr(32)]
  const middle = m1.mul(w0).add(m0.mul(w0).ushr(32))
  const carry = m0.mul(w1).add(middle.and(LOW_HALF)).ushr(32)
  return m1.mul(w1).add(middle.ushr(32)).add(carry)
}

/** For 2^20 <= a < infinity: a = m 2^(e - 52), so its turns are m times 2^-52 / (2 pi) shifted left by e. */
function reduce_huge(a: Expr): Angle {
  const bits = a.bitcast('i64')
  const m = bits.and(2n ** 52n - 1n).or(2n ** 52n)
  const shift = bits.ushr(52).sub(1023 + 20)
  // shifted by 512, 256, 128 and 64 bits, keeping the words that the following steps need, then by what is left
  let words: Expr[] = INVERSE_TURN_BITS.map(w => constant(w, 'i64'))
  for (const step of [8, 4, 2, 1]) {
    const taken = shift.and(64 * step).ne(0)
    words = words.slice(step).map((w, i) => taken.where(w, words[i]!))
  }
  const [w0, w1, w2] = [0, 1, 2].map(i =>
    words[i]!.shl(shift).or(words[i + 1]!.ushr(1).ushr(shift.not())),
  ) as [Expr, Expr, Expr]
  const a1 = m.mul(w1)
  const low = a1.add(multiply_high(m, w2))
  const sign = constant(-(2n ** 63n), 'i64')
  const carry = low.xor(sign).lt(a1.xor(sign))
  const sum = m.mul(w0).add(multiply_high(m, w1))
  const high = carry.where(sum.add(1), sum)
  // 2 bits of quadrant, then the fraction of a quadrant above -1/2
  const centred = high.add(2n ** 61n)
  const fraction = centred.and(2n ** 62n - 1n)
  const upper = to_f64(fraction.ushr(32))
    .sub(2 ** 29)
    .mul(2 ** -32)
  const turns = fast_two_sum(upper, to_f64(fraction.and(LOW_HALF)).mul(2 ** -64))
  const rest = turns.lo.add(to_f64(low.ushr(12)).mul(2 ** -116))
  const angle = two_product(turns.hi, constant(2 * Math.PI, 'f64'))
  const tail = turns.hi.fma(TURN_TAIL, rest.mul(2 * Math.PI))
  return { r: angle.hi.add(angle.lo.add(tail)), quadrant: centred.ushr(62) }
}

/** sin(r) = r + r^3 p(r^2), for f32 and f64 results; relative error 2^-35.6 and 2^-55.9. */
const SIN = {
  f32: [-0.1666666666380324, 0.00833333185396478, -0.0001984007537701847, 2.7248441252420295e-6],
  f64: [
    -0.16666666666666666, 0.008333333333331269, -0.00019841269837011374, 2.755731618214332e-6,
    -2.505114247075029e-8, 1.5918621892074932e-10,
  ],
}

/** cos(r) = 1 - r^2/2 + r^4 p(r^2); 2^-29.7 and 2^-60. */
const COS = {
  f32: [0.041666664633451665, -0.0013888297674812182, 2.4546753231075523e-5],
  f64: [
    0.041666666666666664, -0.0013888888888887038, 2.4801587298417704e-5, -2.755731713487205e-7,
    2.0876122804908107e-9, -1.1381174291394252e-11,
  ],
}

type SinCos = Omit<Angle, 'r'> & { readonly sin: Expr; readonly cos: Expr; readonly bits: Expr }

/** Of the reduced |x|, with the bits of x as f64. */
function sin_cos(x: Expr): SinCos {
  const type = x.type as 'f32' | 'f64'
  const wide = x.cast('f64')
  const { r, quadrant } = type === 'f32' ? reduce_f32(wide.abs()) : reduce_f64(wide.abs())
  const z = r.mul(r)
  const sin = polynomial(z, SIN[type]).mul(z).fma(r, r)
  const cos = constant(1, 'f64').sub(z.mul(0.5).sub(polynomial(z, COS[type]).mul(z.mul(z))))
  return { sin, cos, quadrant, bits: wide.bitcast('i64') }
}

/** `value` with its sign changed where the top bit of `bits` is set. */
const flip = (value: Expr, bits: Expr): Expr =>
  value
    .bitcast('i64')
    .xor(bits.and(-(2n ** 63n)))
    .bitcast('f64')

export function sin(x: Expr): Expr {
  const { sin, cos, quadrant, bits } = sin_cos(x)
  const value = quadrant.and(1).ne(0).where(cos, sin)
  return flip(value, quadrant.shl(62).xor(bits)).cast(x.type)
}

export function cos(x: Expr): Expr {
  const { sin, cos, quadrant } = sin_cos(x)
  const value = quadrant.and(1).ne(0).where(sin, cos)
  return flip(value, quadrant.add(1).shl(62)).cast(x.type)
}

export function tan(x: Expr): Expr {
  const { sin, cos, quadrant, bits } = sin_cos(x)
  const odd = quadrant.and(1).ne(0)
  return flip(odd.where(cos.neg(), sin).div(odd.where(sin, cos)), bits).cast(x.type)
}
