// Complex arithmetic as arithmetic on pairs of floats. Expressions of the types c64 and c128 are made freely; before
// they become statements of a kernel, `realify` replaces each by its real and its imaginary part. So renderers, devices
// and the interpreter never see one. A row of `rules` per primitive; the formulas are those of Kahan, "Branch cuts for
// complex elementary functions" (1987), where the textbook's lose accuracy. Not here: derivatives (differentiate.ts).
import { constant, Expr, topological } from './expr.ts'
import { is_complex, real_type } from './types.ts'

/** The real and the imaginary part. */
export type Pair = readonly [re: Expr, im: Expr]

/** A primitive that complex numbers do not have, such as an order; carries the name of the primitive. */
export class NoComplexMeaning extends Error {
  override readonly name: string = 'NoComplexMeaning'
}

/** An expression of real type without complex ones below it, or for one of complex type its two parts. */
export function realify(root: Expr): Expr | Pair {
  const order = topological(root)
  if (!order.some(e => is_complex(e.type))) return root
  const done = new Map<Expr, Expr | Pair>()
  for (const e of order) done.set(e, rebuild(e, done))
  return done.get(root)!
}

function rebuild(e: Expr, done: ReadonlyMap<Expr, Expr | Pair>): Expr | Pair {
  const src = e.src.map(s => done.get(s)!)
  if (!is_complex(e.type) && src.every(s => s instanceof Expr)) {
    const same = src.every((s, i) => s === e.src[i])
    return same ? e : new Expr(e.op, e.type, src as Expr[], e.arg)
  }
  const rule = rules[e.op]
  if (rule === undefined) throw new NoComplexMeaning(e.op)
  return rule(e, ...(src as unknown as [Pair, Pair, Pair]))
}

/** What a complex node comes to, from the parts of its operands (real operands come as they are). */
type Rule = (e: Expr, a: Pair, b: Pair, c: Pair) => Expr | Pair
const one = (e: Expr): Expr => constant(1, real_type(e.type))
const zero = (x: Expr): Expr => constant(0, x.type)

const add = ([a, b]: Pair, [c, d]: Pair): Pair => [a.add(c), b.add(d)]
const sub = ([a, b]: Pair, [c, d]: Pair): Pair => [a.sub(c), b.sub(d)]
const mul = ([a, b]: Pair, [c, d]: Pair): Pair => [a.mul(c).sub(b.mul(d)), a.mul(d).add(b.mul(c))]
const scale = ([a, b]: Pair, factor: number): Pair => [a.mul(factor), b.mul(factor)]
/** x * i and x * -i. */
const turn_left = ([a, b]: Pair): Pair => [b.neg(), a]
const turn_right = ([a, b]: Pair): Pair => [b, a.neg()]
const choose = (condition: Expr, [a, b]: Pair, [c, d]: Pair): Pair => [
  condition.where(a, c),
  condition.where(b, d),
]

/** Smith's division: neither overflows nor underflows where the quotient does not. */
function div([a, b]: Pair, [c, d]: Pair): Pair {
  const wide = c.abs().ge(d.abs())
  const ratio = wide.where(d, c).div(wide.where(c, d))
  const both_zero = c.eq(0).and(d.eq(0))
  const scaled = wide.where(c.add(d.mul(ratio)), c.mul(ratio).add(d))
  const re = wide.where(a.add(b.mul(ratio)), a.mul(ratio).add(b))
  const im = wide.where(b.sub(a.mul(ratio)), b.mul(ratio).sub(a))
  return choose(both_zero, [a.div(c.abs()), b.div(c.abs())], [re.div(scaled), im.div(scaled)])
}

/** sqrt(a^2 + b^2) without overflow in between. */
function modulus([a, b]: Pair): Expr {
  const [x, y] = [a.abs(), b.abs()]
  const large = x.max(y)
  const ratio = x.min(y).div(large)
  const length = large.mul(ratio.mul(ratio).add(1).sqrt())
  return large.eq(0).or(large.eq(Infinity)).where(large, length)
}

const angle = ([a, b]: Pair): Expr => b.atan2(a)

function exp([a, b]: Pair): Pair {
  const length = a.exp()
  // a real number stays one: inf * 0 would be NaN
  return [b.eq(0).where(length, length.mul(b.cos())), b.eq(0).where(b, length.mul(b.sin()))]
}

const log = (z: Pair): Pair => [modulus(z).log(), angle(z)]

function log1p([a, b]: Pair): Pair {
  const near = a.mul(a.add(2)).add(b.mul(b)) // |1 + z|^2 - 1
  return [near.log1p().mul(0.5), b.atan2(a.add(1))]
}

function sqrt(z: Pair): Pair {
  const [a, b] = z
  const half = a.abs().add(modulus(z)).mul(0.5).sqrt()
  const other = b.div(half.mul(2))
  const right = a.ge(0)
  const root: Pair = [right.where(half, other.abs()), right.where(other, half.copysign(b))]
  const infinite = b.abs().eq(Infinity) // whatever the real part
  return choose(half.eq(0), [zero(a), b], choose(infinite, [b.abs(), b], root))
}

const sinh = ([a, b]: Pair): Pair => [a.sinh().mul(b.cos()), a.cosh().mul(b.sin())]
const cosh = ([a, b]: Pair): Pair => [a.cosh().mul(b.cos()), a.sinh().mul(b.sin())]
const sin = ([a, b]: Pair): Pair => [a.sin().mul(b.cosh()), a.cos().mul(b.sinh())]
const cos = ([a, b]: Pair): Pair => [a.cos().mul(b.cosh()), a.sin().mul(b.sinh()).neg()]

function tanh([a, b]: Pair): Pair {
  const t = b.tan()
  const s = a.sinh()
  const beta = t.mul(t).add(1)
  const rho = s.mul(s).add(1).sqrt()
  const bottom = beta.mul(s).mul(s).add(1)
  const far = a.abs().gt(11)
  const small = b.sin().mul(b.cos()).mul(4).mul(a.abs().mul(-2).exp())
  return choose(
    far,
    [constant(1, a.type).copysign(a), small],
    [beta.mul(rho).mul(s).div(bottom), t.div(bottom)],
  )
}
/** tan z = -i tanh(i z). */
const tan = (z: Pair): Pair => turn_right(tanh(turn_left(z)))

/** sqrt(1 - z), sqrt(1 + z). */
function beside_one([a, b]: Pair): readonly [Pair, Pair] {
  const unit = constant(1, a.type)
  return [sqrt([unit.sub(a), b.neg()]), sqrt([unit.add(a), b])]
}
const imaginary_of_product = ([a, b]: Pair, [c, d]: Pair): Expr => a.mul(d).add(b.mul(c))
const conjugate = ([a, b]: Pair): Pair => [a, b.neg()]

function asin(z: Pair): Pair {
  const [minus, plus] = beside_one(z)
  const real_of_product = minus[0].mul(plus[0]).sub(minus[1].mul(plus[1]))
  return [z[0].atan2(real_of_product), imaginary_of_product(conjugate(minus), plus).asinh()]
}
function acos(z: Pair): Pair {
  const [minus, plus] = beside_one(z)
  return [minus[0].atan2(plus[0]).mul(2), imaginary_of_product(conjugate(plus), minus).asinh()]
}
/** asinh z = -i asin(i z). */
const asinh = (z: Pair): Pair => turn_right(asin(turn_left(z)))
function acosh([a, b]: Pair): Pair {
  const minus = sqrt([a.sub(1), b])
  const plus = sqrt([a.add(1), b])
  const re = minus[0].mul(plus[0]).add(minus[1].mul(plus[1]))
  return [re.asinh(), minus[1].atan2(plus[0]).mul(2)]
}
function atanh([a, b]: Pair): Pair {
  const unit = constant(1, a.type)
  const less = unit.sub(a)
  const re = a
    .mul(4)
    .div(less.mul(less).add(b.mul(b)))
    .log1p()
    .mul(0.25)
  return [
    re,
    b
      .mul(2)
      .atan2(less.mul(unit.add(a)).sub(b.mul(b)))
      .mul(0.5),
  ]
}
/** atan z = -i atanh(i z). */
const atan = (z: Pair): Pair => turn_right(atanh(turn_left(z)))

function expm1([a, b]: Pair): Pair {
  const half = b.mul(0.5).sin()
  return [a.expm1().mul(b.cos()).sub(half.mul(half).mul(2)), a.exp().mul(b.sin())]
}

/** x ** e = exp(e log x); of 0 it is 0, or 1 under the exponent 0. */
function pow(x: Pair, e: Pair): Pair {
  // The product multiplies the error of the logarithm. As in C's cpowf each step is rounded to float once.
  const { type } = x[0]
  const wide = ([a, b]: Pair): Pair => [a.cast('f64'), b.cast('f64')]
  const narrow = ([a, b]: Pair): Pair => [a.cast(type), b.cast(type)]
  const general = narrow(exp(wide(mul(e, narrow(log(wide(x)))))))
  const [a] = x
  const unit = constant(1, type)
  const of_zero = choose(e[0].eq(0).and(e[1].eq(0)), [unit, zero(a)], [zero(a), zero(a)])
  return choose(a.eq(0).and(x[1].eq(0)), of_zero, general)
}

/** The value of a pair of constants whose imaginary part is 0. */
function whole([a, b]: Pair): number | undefined {
  return a.op === 'const' && b.op === 'const' && b.arg === 0 ? Number(a.arg) : undefined
}

const of_one =
  (f: (z: Pair) => Expr | Pair): Rule =>
  (_, z) =>
    f(z)
const of_two =
  (f: (a: Pair, b: Pair) => Expr | Pair): Rule =>
  (_, a, b) =>
    f(a, b)

const rules: Partial<Record<Expr['op'], Rule>> = {
  var: e => [new Expr('real', real_type(e.type), [e]), new Expr('imag', real_type(e.type), [e])],
  // the operands of `complex` are real
  complex: (_, a, b) => [a as unknown as Expr, b as unknown as Expr],
  real: of_one(([a]) => a),
  imag: of_one(([, b]) => b),
  conj: of_one(conjugate),
  abs: of_one(modulus),
  angle: of_one(angle),
  cast(e, x) {
    if (is_complex(e.type)) {
      const type = real_type(e.type)
      if (x instanceof Expr) return [x.cast(type), constant(0, type)]
      return [x[0].cast(type), x[1].cast(type)]
    }
    return e.type === 'bool' ? x[0].ne(0).or(x[1].ne(0)) : x[0].cast(e.type)
  },
  where: (_, condition, a, b) => choose(condition as unknown as Expr, a, b),
  eq: of_two(([a, b], [c, d]) => a.eq(c).and(b.eq(d))),
  ne: of_two(([a, b], [c, d]) => a.ne(c).or(b.ne(d))),
  add: of_two(add),
  sub: of_two(sub),
  mul: of_two(mul),
  div: of_two(div),
  neg: of_one(([a, b]) => [a.neg(), b.neg()]),
  fma: (_, a, b, c) => add(mul(a, b), c),
  sqrt: of_one(sqrt),
  exp: of_one(exp),
  exp2: of_one(z => exp(scale(z, Math.LN2))),
  expm1: of_one(expm1),
  log: of_one(log),
  log2: of_one(z => scale(log(z), 1 / Math.LN2)),
  log10: of_one(z => scale(log(z), 1 / Math.LN10)),
  log1p: of_one(log1p),
  sin: of_one(sin),
  cos: of_one(cos),
  tan: of_one(tan),
  asin: of_one(asin),
  acos: of_one(acos),
  atan: of_one(atan),
  sinh: of_one(sinh),
  cosh: of_one(cosh),
  tanh: of_one(tanh),
  asinh: of_one(asinh),
  acosh: of_one(acosh),
  atanh: of_one(atanh),
  pow(e, x, exponent) {
    switch (whole(exponent)) {
      case 0:
        return [one(e), zero(one(e))]
      case 1:
        return x
      case 2:
        return mul(x, x)
      case -1:
        return div([one(e), zero(one(e))], x)
      default:
        return pow(x, exponent)
    }
  },
}
