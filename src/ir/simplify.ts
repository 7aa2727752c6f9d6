// Constant folding, algebraic identities and sharing of common subexpressions. On floats only what is exact in IEEE
// arithmetic, NaN, infinities and -0 included (the payload and sign of a NaN do not count); on integers whatever
// wrapping arithmetic allows. Not here: approximations and loop transformations (lower/).
import { constant, Expr, rewrite, topological } from './expr.ts'
import type { Buffer } from './kernel.ts'
import { type PrimName, prims } from './prims.ts'
import { is_float, is_integer, type ScalarType } from './types.ts'
import { reinterpret, type Value } from './value.ts'

/** An expression of the same value, with constants folded and identities applied. */
export function simplify(e: Expr): Expr {
  return rewrite(share(e)[0]!, reduce_fully)
}

/** Rewrites one node, whose operands are simple, until no rule applies. */
function reduce_fully(e: Expr): Expr {
  let at = e
  for (;;) {
    const next = reduce(at)
    if (next === undefined) return at
    at = next
  }
}

/** Makes a node of simple operands and simplifies it. */
const make = (op: PrimName, type: ScalarType, ...src: Expr[]): Expr => reduce_fully(new Expr(op, type, src))

const is_const = (e: Expr): boolean => e.op === 'const'
const is = (e: Expr, value: number): boolean =>
  e.op === 'const' && (typeof e.arg === 'bigint' ? e.arg === BigInt(value) : Object.is(e.arg, value))
const is_prim = (e: Expr): boolean => Object.hasOwn(prims, e.op)

function reduce(e: Expr): Expr | undefined {
  const [a, b, c] = e.src
  switch (e.op) {
    case 'const':
    case 'param':
    case 'var':
      return undefined
    case 'load':
      if (b === undefined || !is_const(b)) return undefined
      return b.arg === true ? new Expr('load', e.type, [a!], e.arg) : c
    case 'cast':
      return reduce_cast(a!, e.type)
    case 'bitcast':
      if (is_const(a!)) return constant(reinterpret(a!.arg as Value, a!.type, e.type), e.type)
      return a!.op === 'bitcast' ? a!.src[0]!.bitcast(e.type) : undefined
    default:
      if (!is_prim(e)) return undefined
      if (e.src.every(is_const)) return fold(e)
      return rules[e.op as PrimName]?.(e, a!, b!, c!)
  }
}

function fold(e: Expr): Expr {
  const { type } = e.src[e.src.length - 1]!
  return constant(prims[e.op as PrimName].js(type, ...e.src.map(s => s.arg as Value)), e.type)
}

/** `from` values that `to` holds exactly. An index may have 32 bits. */
const holds: Partial<Record<ScalarType, readonly ScalarType[]>> = {
  bool: ['bool'],
  i32: ['bool', 'i32'],
  index: ['bool', 'i32', 'index'],
  i64: ['bool', 'i32', 'index', 'i64'],
  f32: ['bool', 'f32'],
  f64: ['bool', 'i32', 'f32', 'f64'],
}

function reduce_cast(x: Expr, type: ScalarType): Expr | undefined {
  if (x.type === type || is_const(x)) return x.cast(type)
  // an exact conversion in between changes nothing
  if (x.op === 'cast' && holds[x.type]?.includes(x.src[0]!.type)) return reduce_fully(x.src[0]!.cast(type))
  return undefined
}

type Rule = (e: Expr, a: Expr, b: Expr, c: Expr) => Expr | undefined

/** Constants go to the right, so that the rules look for them there only. */
const commutative =
  (rule: Rule): Rule =>
  (e, a, b, c) =>
    is_const(a) ? make(e.op as PrimName, e.type, b, a) : rule(e, a, b, c)

/** (x op c1) op c2 = x op (c1 op c2), where the arithmetic wraps. */
function reassociate(e: Expr, a: Expr, b: Expr): Expr | undefined {
  if (!is_integer(e.type) || !is_const(b) || a.op !== e.op || !is_const(a.src[1]!)) return undefined
  const op = e.op as PrimName
  return make(op, e.type, a.src[0]!, make(op, e.type, a.src[1]!, b))
}

const idempotent: Rule = (_, a, b) => (a === b ? a : undefined)

/** The type of a comparison is bool: what it compares is its operands' type. */
const compare =
  (when_same: boolean): Rule =>
  (_, a, b) =>
    a === b && !is_float(a.type) ? constant(when_same, 'bool') : undefined

const negated_comparison: Partial<Record<PrimName, PrimName>> = {
  eq: 'ne',
  ne: 'eq',
  lt: 'ge',
  ge: 'lt',
  gt: 'le',
  le: 'gt',
}

/** floor, ceil, trunc and round leave whole numbers as they are. */
const rounding: Rule = (_, a) => (['floor', 'ceil', 'trunc', 'round'].includes(a.op) ? a : undefined)

/** A power of two whose inverse is exact: dividing by it is multiplying. */
function exact_inverse(e: Expr): number | undefined {
  const value = e.arg as number
  const exponent = Math.round(Math.log2(Math.abs(value)))
  const largest = e.type === 'f32' ? 126 : 1022 // so that value and inverse are both normal
  return Math.abs(exponent) <= largest && 2 ** exponent === Math.abs(value) ? 1 / value : undefined
}

const rules: Partial<Record<PrimName, Rule>> = {
  add: commutative((e, a, b) => {
    if (is_integer(e.type) ? is(b, 0) : is(b, -0)) return a
    if (b.op === 'neg') return make('sub', e.type, a, b.src[0]!)
    if (a.op === 'neg') return make('sub', e.type, b, a.src[0]!)
    return reassociate(e, a, b)
  }),
  sub: (e, a, b) => {
    if (is(b, 0)) return a
    if (b.op === 'neg') return make('add', e.type, a, b.src[0]!)
    if (!is_integer(e.type)) return undefined
    if (a === b) return constant(0, e.type)
    if (is_const(b)) return make('add', e.type, a, make('neg', e.type, b))
    return undefined
  },
  mul: commutative((e, a, b) => {
    if (is(b, 1)) return a
    if (is(b, -1)) return make('neg', e.type, a)
    if (is_integer(e.type) && is(b, 0)) return b
    if (a.op === 'neg' && b.op === 'neg') return make('mul', e.type, a.src[0]!, b.src[0]!)
    if (a.op === 'neg' && is_const(b)) return make('mul', e.type, a.src[0]!, make('neg', e.type, b))
    return reassociate(e, a, b)
  }),
  div: (e, a, b) => {
    if (!is_const(b)) return undefined
    if (is(b, 1)) return a
    const inverse = exact_inverse(b)
    return inverse === undefined ? undefined : make('mul', e.type, a, constant(inverse, e.type))
  },
  neg: (e, a) => {
    if (a.op === 'neg') return a.src[0]
    if (a.op === 'mul' && is_const(a.src[1]!))
      return make('mul', e.type, a.src[0]!, make('neg', e.type, a.src[1]!))
    return is_integer(e.type) && a.op === 'sub' ? make('sub', e.type, a.src[1]!, a.src[0]!) : undefined
  },
  abs: (e, a) => (a.op === 'abs' ? a : a.op === 'neg' ? make('abs', e.type, a.src[0]!) : undefined),
  min: idempotent,
  max: idempotent,
  fma: (e, a, b, c) =>
    is(b, 1) ? make('add', e.type, a, c) : is(a, 1) ? make('add', e.type, b, c) : undefined,

  floordiv: (e, a, b) => {
    if (!is_integer(e.type)) return undefined
    if (is(b, 1)) return a
    return e.type === 'index' && is_multiple(a, b) ? a.src[0] : undefined
  },
  truncdiv: (e, a, b) => (is_integer(e.type) && is(b, 1) ? a : undefined),
  mod: (e, a, b) => {
    if (!is_integer(e.type)) return undefined
    return is(b, 1) || (e.type === 'index' && is_multiple(a, b)) ? constant(0, e.type) : undefined
  },
  fmod: (e, _, b) => (is_integer(e.type) && is(b, 1) ? constant(0, e.type) : undefined),

  and: commutative((e, a, b) => {
    if (a === b) return a
    if (!is_const(b)) return undefined
    if (e.type === 'bool') return b.arg ? a : b
    return is(b, 0) ? b : is(b, -1) ? a : undefined
  }),
  or: commutative((e, a, b) => {
    if (a === b) return a
    if (!is_const(b)) return undefined
    if (e.type === 'bool') return b.arg ? b : a
    return is(b, 0) ? a : is(b, -1) ? b : undefined
  }),
  xor: commutative((e, a, b) => {
    if (a === b) return constant(0, e.type)
    if (!is_const(b)) return undefined
    if (e.type === 'bool') return b.arg ? make('not', 'bool', a) : a
    return is(b, 0) ? a : undefined
  }),
  not: (_, a) => {
    if (a.op === 'not') return a.src[0]
    const opposite = negated_comparison[a.op as PrimName]
    if (opposite === undefined) return undefined
    // NaN is neither less nor greater, so on floats only equality has an opposite
    const exact = !is_float(a.src[0]!.type) || a.op === 'eq' || a.op === 'ne'
    return exact ? make(opposite, 'bool', ...a.src) : undefined
  },
  shl: (_, a, b) => (is(b, 0) ? a : undefined),
  shr: (_, a, b) => (is(b, 0) ? a : undefined),
  ushr: (_, a, b) => (is(b, 0) ? a : undefined),

  floor: rounding,
  ceil: rounding,
  trunc: rounding,
  round: rounding,

  eq: commutative(compare(true)),
  ne: commutative(compare(false)),
  le: compare(true),
  ge: compare(true),
  lt: (_, a, b) => (a === b ? constant(false, 'bool') : undefined),
  gt: (_, a, b) => (a === b ? constant(false, 'bool') : undefined),

  where: (e, condition, a, b) => {
    if (is_const(condition)) return condition.arg ? a : b
    if (same(a, b)) return a
    if (condition.op === 'not') return make('where', e.type, condition.src[0]!, b, a)
    if (a.op === 'where' && a.src[0] === condition) return make('where', e.type, condition, a.src[1]!, b)
    if (b.op === 'where' && b.src[0] === condition) return make('where', e.type, condition, a, b.src[2]!)
    if (e.type === 'bool' && is_const(a) && is_const(b))
      return a.arg ? condition : make('not', 'bool', condition)
    return undefined
  },
  // pow(x, 0) is 1 for every x, NaN too
  pow: (e, a, b) => {
    if (is(b, 0) || is(b, -0)) return constant(1, e.type)
    if (is(b, 1)) return a
    if (is(b, 2)) return make('mul', e.type, a, a)
    return is_float(e.type) && is(b, -1) ? make('div', e.type, constant(1, e.type), a) : undefined
  },
}

/** a = x * b with a constant b other than 0, as an index: it does not wrap. */
const is_multiple = (a: Expr, b: Expr): boolean =>
  a.op === 'mul' && is_const(b) && !is(b, 0) && a.src[1]!.op === 'const' && a.src[1]!.arg === b.arg

const same = (a: Expr, b: Expr): boolean => a === b || (is_const(a) && is_const(b) && Object.is(a.arg, b.arg))

/**
 * The same expressions with structurally equal nodes made one object, so that identity is equality; constants, loads
 * and variables too. Meant for expressions that are evaluated at one place: two loads of one element are one.
 */
export function share(...roots: readonly Expr[]): Expr[] {
  const representative = new Map<string, Expr>()
  const shared = new Map<Expr, Expr>()
  const numbers = new Map<unknown, number>()
  const number_of = (x: unknown): number => {
    let n = numbers.get(x)
    if (n === undefined) numbers.set(x, (n = numbers.size))
    return n
  }
  for (const node of topological(...roots)) {
    const src = node.src.map(s => shared.get(s)!)
    const key = `${node.op} ${node.type} ${key_of(node.arg, number_of)} ${src.map(number_of).join(' ')}`
    let one = representative.get(key)
    if (one === undefined) {
      one = src.every((s, i) => s === node.src[i]) ? node : new Expr(node.op, node.type, src, node.arg)
      representative.set(key, one)
    }
    shared.set(node, one)
  }
  return roots.map(root => shared.get(root)!)
}

function key_of(arg: Expr['arg'], number_of: (x: unknown) => number): string {
  if (typeof arg === 'object') return arg === null ? '' : `#${number_of(arg as Buffer)}`
  return Object.is(arg, -0) ? '-0' : String(arg)
}
