// Rewrites what WebAssembly has no instruction for into what it has, within the IR, so that the scalar and the vector
// renderer share it: 16-bit floats become integer arithmetic on their bits, floor division and remainders of floats
// become steps around the exact fmod, and what is to be rounded once is computed in more digits, where the processor does
// not do it. Not here: exp, log and their kin (lower/), instructions.
import { constant, Expr, rewrite } from '../../ir/expr.ts'
import type { Buffer, Kernel, Stmt } from '../../ir/kernel.ts'

/**
 * The kernel with loads and stores of 16-bit floats as 16-bit integers, and no floordiv, truncdiv, mod or fused of floats.
 * `fma_is_fused` says that fma is rounded once.
 */
export function legalise(kernel: Kernel, fma_is_fused: boolean): Kernel {
  const done = new Map<Expr, Expr>()
  const legal = (e: Expr): Expr => rewrite(e, node => replace(node, fma_is_fused), done)
  const go = (body: readonly Stmt[]): Stmt[] =>
    body.map((s): Stmt => {
      switch (s.kind) {
        case 'for':
          return { ...s, size: legal(s.size), body: go(s.body) }
        case 'while':
          return { ...s, cond: legal(s.cond), body: go(s.body) }
        case 'if':
          return { ...s, cond: legal(s.cond), then: go(s.then), else: go(s.else) }
        case 'store':
          return { ...s, index: legal(s.index), value: narrow(s.buffer, legal(s.value)) }
        default:
          return { ...s, value: legal(s.value) }
      }
    })
  return { ...kernel, body: go(kernel.body) }
}

function replace(node: Expr, fma_is_fused: boolean): Expr | undefined {
  const is_float = node.type === 'f32' || node.type === 'f64'
  if (!is_float) return undefined
  const [a, b, c] = node.src as [Expr, Expr, Expr]
  switch (node.op) {
    case 'load':
      return widen(node)
    case 'fused':
      if (fma_is_fused) return a.fma(b, c)
      return node.type === 'f32' ? fused_float(a, b, c) : fused_double(a, b, c)
    case 'truncdiv':
      return a.div(b).trunc()
    case 'mod': {
      const rest = a.fmod(b)
      return wrong_side(rest, b).where(rest.add(b), rest)
    }
    case 'floordiv':
      return floordiv(a, b)
    default:
      return undefined
  }
}

const wrong_side = (rest: Expr, divisor: Expr): Expr => rest.ne(0).and(rest.lt(0).ne(divisor.lt(0)))

/** As the reference in ir/prims.ts, step by step. */
function floordiv(a: Expr, b: Expr): Expr {
  const rest = a.fmod(b)
  const exact = a.sub(rest).div(b)
  const q = wrong_side(rest, b).where(exact.sub(1), exact)
  const floor = q.floor()
  const rounded = q.sub(floor).gt(0.5).where(floor.add(1), floor)
  const by_zero = a.div(b)
  return b.eq(0).where(by_zero, q.eq(0).where(constant(0, a.type).copysign(by_zero), rounded))
}

// ------------------------------------------------------------------------------------------ a product and a sum

/** The product of two floats is exact in a double, and so is the rounding of a sum that was rounded to odd. */
function fused_float(a: Expr, b: Expr, c: Expr): Expr {
  const [product, term] = [a.cast('f64').mul(b.cast('f64')), c.cast('f64')]
  const sum = product.add(term)
  return to_odd(sum, lost_in_sum(product, term, sum)).cast('f32')
}

/** As `fma` of base/rounding.ts: the lost parts of product and sum are added up, rounded to odd, then to the result. */
function fused_double(a: Expr, b: Expr, c: Expr): Expr {
  const product = a.mul(b)
  const [x, y] = [halves_of(a), halves_of(b)]
  const crossed = product.sub(x.high.mul(y.high)).sub(x.low.mul(y.high)).sub(x.high.mul(y.low))
  const product_lost = x.low.mul(y.low).sub(crossed)
  const sum = c.add(product_lost)
  const high = product.add(sum)
  const [first, second] = [lost_in_sum(c, product_lost, sum), lost_in_sum(product, sum, high)]
  const rest = first.add(second)
  const odd = to_odd(rest, lost_in_sum(first, second, rest))
  return is_finite(high).where(high.add(odd), product.add(c))
}

const is_finite = (x: Expr): Expr => x.sub(x).eq(0)

/** Where something was lost of a finite sum and its last bit is even: the neighbour towards what was lost. */
function to_odd(sum: Expr, lost: Expr): Expr {
  const bits = sum.bitcast('i64')
  const step = lost.gt(0).eq(sum.gt(0)).where(constant(1, 'i64'), -1)
  const even = lost.ne(0).and(is_finite(sum)).and(bits.and(1).eq(0))
  return even.where(bits.add(step), bits).bitcast('f64')
}

/** The part of the exact a + b that `sum` lacks (Knuth). */
function lost_in_sum(a: Expr, b: Expr, sum: Expr): Expr {
  const b_seen = sum.sub(a)
  return a.sub(sum.sub(b_seen)).add(b.sub(b_seen))
}

/** A double as a sum of two of half the digits (Veltkamp). */
function halves_of(a: Expr): { readonly high: Expr; readonly low: Expr } {
  const scaled = a.mul(134217729)
  const high = scaled.sub(scaled.sub(a))
  return { high, low: a.sub(high) }
}

// ------------------------------------------------------------------------------------------ 16-bit floats

const HALF_MAX = 0x477ff000 // the first float that rounds to a half's infinity
const HALF_MIN_NORMAL = 0x38800000

function widen(load: Expr): Expr | undefined {
  const { name } = (load.arg as Buffer).dtype
  if (name !== 'float16' && name !== 'bfloat16') return undefined
  const [index, guard, otherwise] = load.src
  const bits = new Expr('load', 'i32', guard ? [index!, guard, constant(0, 'i32')] : [index!], load.arg)
  const value = name === 'float16' ? half_to_float(bits) : bits.shl(16).bitcast('f32')
  return guard ? guard.where(value, otherwise!) : value
}

function narrow(buffer: Buffer, value: Expr): Expr {
  if (buffer.dtype.name === 'float16') return float_to_half(value)
  if (buffer.dtype.name === 'bfloat16') return float_to_bfloat16(value)
  return value
}

/** Scaling by 2^112 moves the exponent's bias, and makes normal floats of subnormal halves. */
function half_to_float(bits: Expr): Expr {
  const magnitude = bits.and(0x7fff).shl(13)
  const finite = magnitude
    .bitcast('f32')
    .mul(2 ** 112)
    .bitcast('i32')
  const special = magnitude.ge(0x0f800000) // infinity or NaN
  return special.where(magnitude.or(0x7f800000), finite).or(bits.and(0x8000).shl(16)).bitcast('f32')
}

/** To nearest, ties to even; NaN becomes the quiet 0x7e00. Adding 0.5 lets the FPU round a subnormal half. */
function float_to_half(x: Expr): Expr {
  const bits = x.bitcast('i32')
  const magnitude = bits.and(0x7fffffff)
  const normal = magnitude
    .add(magnitude.ushr(13).and(1))
    .add(0xfff - 0x38000000)
    .ushr(13)
  const subnormal = magnitude.bitcast('f32').add(0.5).bitcast('i32').sub(0x3f000000)
  const finite = magnitude.lt(HALF_MIN_NORMAL).where(subnormal, normal)
  const large = magnitude.gt(0x7f800000).where(constant(0x7e00, 'i32'), 0x7c00)
  return magnitude.ge(HALF_MAX).where(large, finite).or(bits.ushr(16).and(0x8000))
}

function float_to_bfloat16(x: Expr): Expr {
  const bits = x.bitcast('i32')
  const rounded = bits.add(bits.ushr(16).and(1)).add(0x7fff).ushr(16)
  return x.ne(x).where(constant(0x7fc0, 'i32'), rounded)
}
