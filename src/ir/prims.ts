// The scalar primitives: one row each, with what it means on JavaScript values (the reference that every renderer is
// tested against) and its derivative. Adding a primitive is one name and one row here; the methods of `Expr`, the
// verifier, the interpreter and the derivatives of ops follow from the row.
// Not here: how a target spells or approximates a primitive (lower/, render/), or broadcasting and dtypes (ops/).
import { fma, fma_float } from '../base/rounding.ts'
import type { Expr } from './expr.ts'
import { digamma, erf, erfc, erfinv, lgamma } from './special.ts'
import { is_complex, type ScalarType } from './types.ts'
import { narrow, type Value } from './value.ts'

/** The words of a text, as a union of string types. */
type Words<S extends string> = S extends `${infer First} ${infer Rest}` ? First | Words<Rest> : S

type UnaryName =
  | Words<'neg abs not floor ceil trunc round'>
  | Words<'sqrt exp exp2 expm1 log log2 log10 log1p'>
  | Words<'sin cos tan asin acos atan sinh cosh tanh asinh acosh atanh'>
  | Words<'erf erfc erfinv lgamma digamma'>
type BinaryName =
  | Words<'add sub mul div min max floordiv truncdiv mod fmod'>
  | Words<'and or xor shl shr ushr'>
  | Words<'eq ne lt le gt ge'>
  | Words<'pow atan2 copysign'>
type TernaryName = 'where' | 'fma' | 'fused'

export type PrimName = UnaryName | BinaryName | TernaryName

/** One scalar primitive. */
export type Prim<Arity extends 1 | 2 | 3 = 1 | 2 | 3> = {
  readonly arity: Arity
  /** `same`: all operands have one type. `rest`: the first is bool, the others have one type (`where`). */
  readonly operand: 'same' | 'rest'
  readonly result: 'same' | 'bool'
  /** The operand types for which it has a meaning; of `where`, the types of its last two operands. */
  readonly on: readonly ScalarType[]
  /** The meaning: `type` is the operands' (of `where`, that of the last two). */
  js(type: ScalarType, ...x: Value[]): Value
  /** What each operand receives of the gradient `g`; null: nothing. No `d`: nothing for any operand. */
  d?(g: Expr, src: readonly Expr[], out: Expr): (Expr | null)[]
}

const FLOAT: readonly ScalarType[] = ['f32', 'f64']
const INTEGER: readonly ScalarType[] = ['i32', 'i64', 'index']
const NUMBER: readonly ScalarType[] = [...FLOAT, ...INTEGER]
const BITS: readonly ScalarType[] = [...INTEGER, 'bool']
const ANY: readonly ScalarType[] = [...NUMBER, 'bool']

// Meanings of a row are written on numbers; the operators of JavaScript mean the same on bigints.
type Binary = (a: number, b: number) => number
type Derivative<X extends readonly Expr[]> = (g: Expr, src: X, out: Expr) => (Expr | null)[]

/** A function of one float. */
const float = (f: (x: number) => number, d?: (g: Expr, x: Expr, out: Expr) => Expr): Prim<1> => ({
  arity: 1,
  operand: 'same',
  result: 'same',
  on: FLOAT,
  js: (type, x) => narrow(type, f(x as number)),
  ...(d && { d: (g: Expr, [x]: readonly Expr[], out: Expr) => [d(g, x!, out)] }),
})

const unary = (on: readonly ScalarType[], js: Prim['js'], d?: (g: Expr, x: Expr) => Expr): Prim<1> => ({
  arity: 1,
  operand: 'same',
  result: 'same',
  on,
  js,
  ...(d && { d: (g: Expr, [x]: readonly Expr[]) => [d(g, x!)] }),
})

const binary = (
  on: readonly ScalarType[],
  js: (type: ScalarType, a: Value, b: Value) => Value,
  d?: Derivative<readonly [Expr, Expr]>,
): Prim<2> => ({
  arity: 2,
  operand: 'same',
  result: 'same',
  on,
  js: js as Prim['js'],
  ...(d && { d: d as NonNullable<Prim['d']> }),
})

/** Integer division and remainders: by zero they give 0, for none of the targets may trap. */
const division = (integer: Binary, real: Prim['js'], d?: Derivative<readonly [Expr, Expr]>): Prim<2> =>
  binary(
    NUMBER,
    (type, a, b) => {
      if (type === 'f32' || type === 'f64') return real(type, a, b)
      if (type === 'i64') return b === 0n ? 0n : narrow(type, integer(a as number, b as number))
      return b === 0 ? 0 : narrow(type, integer(a as number, b as number))
    },
    d,
  )

const comparison = (f: (a: number, b: number) => boolean): Prim<2> => ({
  arity: 2,
  operand: 'same',
  result: 'bool',
  on: ANY,
  js: (_, a, b) => f(a as number, b as number),
})

/** A function of the bits of two integers, or of two truth values. An index has the 64 bits of an i64. */
const bitwise = (on: readonly ScalarType[], i32: Binary, i64: (a: bigint, b: bigint) => bigint): Prim<2> =>
  binary(on, (type, a, b) => {
    if (type === 'bool') return i32(Number(a), Number(b)) !== 0
    if (type === 'i32') return i32(a as number, b as number)
    const bits = BigInt.asIntN(64, i64(BigInt(a), BigInt(b)))
    return type === 'i64' ? bits : Number(bits)
  })

// `%` has the dividend's sign, so what is left of a quotient rounded towards zero is exact for bigints too.
const quotient: Binary = (a, b) => (a - (a % b)) / b
const floored: Binary = (a, b) => {
  const rest = a % b
  // biome-ignore lint/suspicious/noDoubleEquals: 0 == 0n holds, so this serves numbers and bigints
  const below = rest != 0 && rest < 0 !== b < 0
  const q = quotient(a, b)
  return below ? decrement(q) : q
}
const decrement = (q: number | bigint): number => (typeof q === 'bigint' ? q - 1n : q - 1) as number
const modulo: Binary = (a, b) => {
  const rest = a % b
  // biome-ignore lint/suspicious/noDoubleEquals: as above
  return rest != 0 && rest < 0 !== b < 0 ? rest + b : rest
}

/** floor(a / b) as Python has it: consistent with `mod`, and rounded step by step in the operands' type. */
function floordiv_float(type: ScalarType, a: number, b: number): number {
  const round = (x: number): number => narrow(type, x) as number
  if (b === 0) return round(a / b)
  const rest = a % b
  let q = round(round(a - rest) / b)
  if (rest !== 0 && b < 0 !== rest < 0) q = round(q - 1)
  if (q === 0) return copysign(0, a / b)
  const floor = Math.floor(q)
  return q - floor > 0.5 ? floor + 1 : floor // NaN and infinities pass through
}

const is_negative = (x: number): boolean => x < 0 || Object.is(x, -0)
const copysign: Binary = (a, b) => (is_negative(a) === is_negative(b) ? a : -a)

function round_half_even(x: number): number {
  const floor = Math.floor(x)
  const rest = x - floor
  if (rest < 0.5) return copysign(floor, x)
  if (rest > 0.5 || floor % 2 !== 0) return copysign(floor + 1, x)
  return copysign(floor, x)
}

const min_bigint = (a: bigint, b: bigint): bigint => (a < b ? a : b)
const max_bigint = (a: bigint, b: bigint): bigint => (a > b ? a : b)

/** As in C: 1 to any power and -1 to an infinite one are 1, where JavaScript has NaN. */
const pow_float: Binary = (a, b) =>
  a === 1 || (a === -1 && (b === Infinity || b === -Infinity)) ? 1 : a ** b

/** By squaring, with wrapping; a negative exponent gives what is left of 1 / a^n when truncated. */
function pow_integer(bits: number, a: bigint, n: bigint): bigint {
  if (n < 0n) return a === 1n ? 1n : a === -1n ? (n % 2n === 0n ? 1n : -1n) : 0n
  let power = 1n
  for (let square = a; n > 0n; n >>= 1n) {
    if (n & 1n) power = BigInt.asIntN(bits, power * square)
    square = BigInt.asIntN(bits, square * square)
  }
  return power
}

/** The derivative of digamma, as an expression: reflection, recurrence up to x + 8, then its asymptotic series. */
function trigamma(x: Expr): Expr {
  const reflected = x.lt(0.5)
  let z = reflected.where(x.neg().add(1), x)
  let sum = z.mul(z).pow(-1)
  for (let i = 1; i < 8; i++) {
    z = z.add(1)
    sum = sum.add(z.mul(z).pow(-1))
  }
  z = z.add(1)
  const w = z.mul(z).pow(-1)
  // sum of B_2k / z^(2k+1), k = 1 to 7
  const series = [-691 / 2730, 5 / 66, -1 / 30, 1 / 42, -1 / 30, 1 / 6].reduce(
    (s, c) => s.mul(w).add(c),
    w.mul(7 / 6),
  )
  sum = sum.add(w.mul(0.5)).add(series.mul(w).add(1).div(z))
  const sine = x.mul(Math.PI).sin()
  return reflected.where(
    sine
      .mul(sine)
      .pow(-1)
      .mul(Math.PI ** 2)
      .sub(sum),
    sum,
  )
}

type Table = Readonly<Record<UnaryName, Prim<1>> & Record<BinaryName, Prim<2>> & Record<TernaryName, Prim<3>>>

/** Every scalar primitive. Derivatives are PyTorch's (derivatives.yaml), also where a function has corners. */
export const prims: Table = {
  // arithmetic
  add: binary(
    NUMBER,
    (type, a, b) => narrow(type, (a as number) + (b as number)),
    g => [g, g],
  ),
  sub: binary(
    NUMBER,
    (type, a, b) => narrow(type, (a as number) - (b as number)),
    g => [g, g.neg()],
  ),
  mul: binary(
    NUMBER,
    (type, a, b) =>
      type === 'i32' ? Math.imul(a as number, b as number) : narrow(type, (a as number) * (b as number)),
    (g, [a, b]) => [g.mul(b), g.mul(a)],
  ),
  div: binary(
    FLOAT,
    (type, a, b) => narrow(type, (a as number) / (b as number)),
    (g, [, b], out) => [g.div(b), g.mul(out).div(b).neg()],
  ),
  neg: unary(
    NUMBER,
    (type, x) => narrow(type, -(x as number)),
    g => g.neg(),
  ),
  abs: unary(
    NUMBER,
    (type, x) =>
      typeof x === 'bigint' ? narrow(type, x < 0n ? -x : x) : narrow(type, Math.abs(x as number)),
    (g, x) => x.gt(0).where(g, x.lt(0).where(g.neg(), 0)),
  ),
  // A NaN operand wins; at a tie each operand gets half.
  min: binary(
    NUMBER,
    (_, a, b) => (typeof a === 'bigint' ? min_bigint(a, b as bigint) : Math.min(a as number, b as number)),
    (g, [a, b]) => [
      a.eq(b).where(g.mul(0.5), a.gt(b).where(0, g)),
      a.eq(b).where(g.mul(0.5), a.lt(b).where(0, g)),
    ],
  ),
  max: binary(
    NUMBER,
    (_, a, b) => (typeof a === 'bigint' ? max_bigint(a, b as bigint) : Math.max(a as number, b as number)),
    (g, [a, b]) => [
      a.eq(b).where(g.mul(0.5), a.lt(b).where(0, g)),
      a.eq(b).where(g.mul(0.5), a.gt(b).where(0, g)),
    ],
  ),
  // a * b + c where the machine may round once or twice, whichever is faster; `fused` rounds once everywhere.
  fma: {
    arity: 3,
    operand: 'same',
    result: 'same',
    on: FLOAT,
    js: (type, a, b, c) => narrow(type, (a as number) * (b as number) + (c as number)),
    d: (g, [a, b]) => [g.mul(b!), g.mul(a!), g],
  },
  fused: {
    arity: 3,
    operand: 'same',
    result: 'same',
    on: FLOAT,
    js: (type, a, b, c) => (type === 'f32' ? fma_float : fma)(a as number, b as number, c as number),
    d: (g, [a, b]) => [g.mul(b!), g.mul(a!), g],
  },

  // integer division and remainders, also for floats
  floordiv: division(floored, (type, a, b) => floordiv_float(type, a as number, b as number)),
  truncdiv: division(quotient, (type, a, b) =>
    Math.trunc(narrow(type, (a as number) / (b as number)) as number),
  ),
  mod: division(
    modulo,
    (type, a, b) => narrow(type, modulo(a as number, b as number)),
    (g, [a, b]) => [g, g.mul(a.floordiv(b)).neg()],
  ),
  fmod: division(
    (a, b) => a % b,
    (_, a, b) => (a as number) % (b as number),
    (g, [a, b]) => [g, g.mul(a.truncdiv(b)).neg()],
  ),

  // bits of integers, or logic on bool
  and: bitwise(
    BITS,
    (a, b) => a & b,
    (a, b) => a & b,
  ),
  or: bitwise(
    BITS,
    (a, b) => a | b,
    (a, b) => a | b,
  ),
  xor: bitwise(
    BITS,
    (a, b) => a ^ b,
    (a, b) => a ^ b,
  ),
  not: unary(BITS, (type, x) => (type === 'bool' ? !x : narrow(type, typeof x === 'bigint' ? ~x : -x - 1))),
  // A shift counts modulo the width, as processors do.
  shl: bitwise(
    INTEGER,
    (a, b) => a << b,
    (a, b) => a << (b & 63n),
  ),
  shr: bitwise(
    INTEGER,
    (a, b) => a >> b,
    (a, b) => a >> (b & 63n),
  ),
  ushr: bitwise(
    INTEGER,
    (a, b) => (a >>> b) | 0,
    (a, b) => BigInt.asUintN(64, a) >> (b & 63n),
  ),

  // rounding
  floor: float(Math.floor),
  ceil: float(Math.ceil),
  trunc: float(Math.trunc),
  round: float(round_half_even),

  // comparison
  eq: comparison((a, b) => a === b),
  ne: comparison((a, b) => a !== b),
  lt: comparison((a, b) => a < b),
  le: comparison((a, b) => a <= b),
  gt: comparison((a, b) => a > b),
  ge: comparison((a, b) => a >= b),
  where: {
    arity: 3,
    operand: 'rest',
    result: 'same',
    on: ANY,
    js: (_, condition, a, b) => (condition ? a : b),
    d: (g, [condition]) => [null, condition!.where(g, 0), condition!.where(0, g)],
  },

  // exponentials and logarithms
  sqrt: float(Math.sqrt, (g, _, out) => g.div(out.mul(2))),
  exp: float(Math.exp, (g, _, out) => g.mul(out)),
  exp2: float(
    x => 2 ** x,
    (g, _, out) => g.mul(out).mul(Math.LN2),
  ),
  expm1: float(Math.expm1, (g, _, out) => g.mul(out.add(1))),
  log: float(Math.log, (g, x) => g.div(x)),
  log2: float(Math.log2, (g, x) => g.div(x.mul(Math.LN2))),
  log10: float(Math.log10, (g, x) => g.div(x.mul(Math.LN10))),
  log1p: float(Math.log1p, (g, x) => g.div(x.add(1))),

  // circular and hyperbolic functions
  sin: float(Math.sin, (g, x) => g.mul(x.cos())),
  cos: float(Math.cos, (g, x) => g.mul(x.sin()).neg()),
  tan: float(Math.tan, (g, _, out) => g.mul(out.mul(out).add(1))),
  asin: float(Math.asin, (g, x) => g.div(one_minus_square(x).sqrt())),
  acos: float(Math.acos, (g, x) => g.div(one_minus_square(x).sqrt()).neg()),
  atan: float(Math.atan, (g, x) => g.div(x.mul(x).add(1))),
  sinh: float(Math.sinh, (g, x) => g.mul(x.cosh())),
  cosh: float(Math.cosh, (g, x) => g.mul(x.sinh())),
  tanh: float(Math.tanh, (g, _, out) => g.mul(one_minus_square(out))),
  asinh: float(Math.asinh, (g, x) => g.div(x.mul(x).add(1).sqrt())),
  // two roots: of a complex number the root of the product may be the other one
  acosh: float(Math.acosh, (g, x) =>
    g.div(is_complex(x.type) ? x.sub(1).sqrt().mul(x.add(1).sqrt()) : x.mul(x).sub(1).sqrt()),
  ),
  atanh: float(Math.atanh, (g, x) => g.div(one_minus_square(x))),

  // special functions
  erf: float(erf, (g, x) => g.mul(gauss(x).mul(2 / Math.sqrt(Math.PI)))),
  erfc: float(erfc, (g, x) => g.mul(gauss(x).mul(-2 / Math.sqrt(Math.PI)))),
  erfinv: float(erfinv, (g, _, out) =>
    g.mul(
      out
        .mul(out)
        .exp()
        .mul(Math.sqrt(Math.PI) / 2),
    ),
  ),
  lgamma: float(lgamma, (g, x) => g.mul(x.digamma())),
  digamma: float(digamma, (g, x) => g.mul(trigamma(x))),

  // functions of two variables
  pow: binary(
    NUMBER,
    (type, a, b) => {
      if (type === 'f32' || type === 'f64') return narrow(type, pow_float(a as number, b as number))
      const power = pow_integer(type === 'i32' ? 32 : 64, BigInt(a), BigInt(b))
      return type === 'i64' ? power : Number(power)
    },
    // 0 for the base under exponent 0, and for the exponent of 0 ** b with b >= 0: not the NaN of 0 * inf
    (g, [a, b], out) => [
      b.eq(0).where(0, g.mul(b.mul(a.pow(b.sub(1))))),
      g.mul(a.eq(0).and(b.real().ge(0)).where(0, out.mul(a.log()))),
    ],
  ),
  atan2: binary(
    FLOAT,
    (type, y, x) => narrow(type, Math.atan2(y as number, x as number)),
    (g, [y, x]) => {
      const square = x.mul(x).add(y.mul(y))
      return [g.mul(x.div(square)), g.mul(y.div(square)).neg()]
    },
  ),
  copysign: binary(
    FLOAT,
    (_, a, b) => copysign(a as number, b as number),
    (g, [a], out) => [a.eq(0).where(0, g.mul(out.div(a))), null],
  ),
}

const one_minus_square = (x: Expr): Expr => x.mul(x).neg().add(1)
const gauss = (x: Expr): Expr => x.mul(x).neg().exp()
