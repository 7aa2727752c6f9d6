// Primitives, conversions and memory accesses on SIMD vectors. A value of a vector loop is a list of v128 parts that
// hold 4, 8 or 16 lanes in order: four lanes of f32 or i32 fill one part, of f64 or i64 two; a bool is a mask of
// 32-bit lanes, all ones or zero. So loops of mixed widths keep their lanes together.
// Not here: which loops are vectorised and how they run (vector_loop.ts).
import type { DType } from '../../base/dtype.ts'
import type { Expr } from '../../ir/expr.ts'
import type { PrimName } from '../../ir/prims.ts'
import type { ScalarType } from '../../ir/types.ts'
import { type Code, i32, i32x4, lane, load, op, shuffle, shuffle32, store, store_low } from './assembler.ts'
import type { NumericOp } from './opcodes.ts'
import { value_type } from './scalar.ts'

/** The v128 parts of a value, each to be evaluated once. */
export type Vec = readonly Code[]

/** What the code of a vector primitive may ask for. */
export interface VectorContext {
  readonly relaxed: boolean
  /** Puts parts that are used more than once in locals. */
  save(x: Vec): Vec
  /** One constant in all lanes. */
  constant(type: ScalarType, value: number | bigint | boolean): Code
  /** A scalar that is the same in all iterations. */
  invariant(e: Expr): Code
  is_invariant(e: Expr): boolean
}

export const LANES = 4
export const is_wide = (type: ScalarType): boolean => type === 'f64' || type === 'i64'
export type Shape = 'f32x4' | 'f64x2' | 'i32x4' | 'i64x2'
export const shape = (type: ScalarType): Shape => {
  const t = value_type(type)
  return t === 'f32' || t === 'i32' ? `${t}x4` : `${t}x2`
}

const ZERO: Code = i32x4(0, 0, 0, 0)

const ANY_NUMBER: Partial<Record<PrimName, string>> = {
  add: 'add',
  sub: 'sub',
  mul: 'mul',
  neg: 'neg',
  abs: 'abs',
}
const FLOAT_ONLY: Partial<Record<PrimName, string>> = {
  div: 'div',
  floor: 'floor',
  ceil: 'ceil',
  trunc: 'trunc',
  round: 'nearest',
  sqrt: 'sqrt',
}
const SHIFTS: Partial<Record<PrimName, 'shl' | 'shr_s' | 'shr_u'>> = {
  shl: 'shl',
  shr: 'shr_s',
  ushr: 'shr_u',
}
const LOGIC = new Set<PrimName>(['and', 'or', 'xor', 'not', 'where', 'eq', 'ne', 'lt', 'le', 'gt', 'ge'])

/** Whether vectors have this primitive or conversion; else it is done lane by lane. */
export function is_native(node: Expr, k: Pick<VectorContext, 'is_invariant'>): boolean {
  const name = node.op
  const type = node.src[node.src.length - 1]!.type
  if (name === 'bitcast') return true
  if (name === 'cast') {
    const [a, b] = [type, node.type]
    const is_float = (t: ScalarType): boolean => t === 'f32' || t === 'f64'
    return !((a === 'i64' && is_float(b)) || (b === 'i64' && is_float(a)))
  }
  if (LOGIC.has(name as PrimName)) return true
  if (type === 'bool') return false
  if (name in ANY_NUMBER || name === 'min' || name === 'max') return true
  if (name in SHIFTS) return k.is_invariant(node.src[1]!)
  return type === 'f32' || type === 'f64'
    ? name in FLOAT_ONLY || name === 'fma' || name === 'copysign'
    : false
}

/** A native primitive on vectors; `x` are the operands of `node`. */
export function vector_prim(k: VectorContext, node: Expr, x: readonly Vec[]): Vec {
  const name = node.op as PrimName
  const type = node.src[node.src.length - 1]!.type
  const s = shape(type)
  const [a, b, c] = x as [Vec, Vec, Vec]
  const each = (f: (...parts: Code[]) => Code): Vec => a.map((_, i) => f(...x.map(v => v[i]!)))
  const direct = ANY_NUMBER[name] ?? FLOAT_ONLY[name]
  if (direct !== undefined) return each((...parts) => op(`${s}.${direct}` as NumericOp, ...parts))
  const shift = SHIFTS[name]
  if (shift !== undefined) {
    const count = k.invariant(node.src[1]!)
    const count32 = s === 'i64x2' ? op('i32.wrap_i64', count) : count
    return a.map(part => op(`${s as 'i32x4'}.${shift}`, part, count32))
  }
  switch (name) {
    case 'and':
    case 'or':
    case 'xor':
    case 'not':
      return each((...parts) => op(`v128.${name}`, ...parts))
    case 'where': {
      const lesser = less_or_greater(node)
      if (lesser !== null) return b.map((part, i) => op(`${s as 'f32x4'}.${lesser}`, c[i]!, part))
      const mask = is_wide(type) ? widen_mask(k, a) : a
      return mask.map((m, i) => choose(k, m, b[i]!, c[i]!))
    }
    case 'min':
    case 'max':
      return min_max(k, node, name, x)
    case 'fma':
      return k.relaxed
        ? each((...parts) => op(`${s as 'f32x4'}.relaxed_madd`, ...parts))
        : each((p, q, r) => op(`${s as 'f32x4'}.add`, op(`${s as 'f32x4'}.mul`, p!, q!), r!))
    case 'copysign': {
      const magnitude = s === 'f32x4' ? k.constant('i32', 0x7fffffff) : k.constant('i64', 2n ** 63n - 1n)
      return each((p, q) => op('v128.bitselect', p!, q!, magnitude))
    }
    default:
      return compare(k, name, type, a, b)
  }
}

/** The lanes of `a` where the mask's are ones, of `b` where they are zeros: relaxed, one blend instruction. */
const choose = (k: VectorContext, mask: Code, a: Code, b: Code): Code =>
  op(k.relaxed ? 'i32x4.relaxed_laneselect' : 'v128.bitselect', a, b, mask)

/** Whether `where` chooses the lesser or the greater of two floats, of which the second where neither is: one instruction. */
export function less_or_greater(node: Expr): 'pmin' | 'pmax' | null {
  const [condition, a, b] = node.src as [Expr, Expr, Expr]
  const is_less = condition.op === 'lt'
  if (node.op !== 'where' || (!is_less && condition.op !== 'gt')) return null
  if (a.type !== 'f32' && a.type !== 'f64') return null
  const [x, y] = condition.src as [Expr, Expr]
  if (is_same(x, a) && is_same(y, b)) return is_less ? 'pmin' : 'pmax'
  if (is_same(x, b) && is_same(y, a)) return is_less ? 'pmax' : 'pmin'
  return null
}

const is_same = (a: Expr, b: Expr): boolean =>
  a === b || (a.op === b.op && a.type === b.type && a.src.length === 0 && Object.is(a.arg, b.arg))

/**
 * A step of a reduction that finds the lesser or greater of floats where none is NaN, and anything where one is. Taken
 * both ways round, the two differ only in zeros of different signs: of these the maximum is +0, the minimum -0.
 */
export function extremum(type: ScalarType, name: 'min' | 'max', a: Code, b: Code): Code {
  const s = shape(type) as 'f32x4'
  return op(name === 'min' ? 'v128.or' : 'v128.and', op(`${s}.p${name}`, a, b), op(`${s}.p${name}`, b, a))
}

/** Ones where a float is NaN. */
export const not_numbers = (type: ScalarType, a: Code): Code => op(`${shape(type) as 'f32x4'}.ne`, a, a)

/**
 * f32x4.min takes seven machine instructions, for it propagates NaN and orders the zeros; pmin(x, c) takes one and
 * does both where c is neither NaN nor a zero (of zeros, pmin(x, +0) is right and pmax(x, +0) lacks -0 + 0 = +0).
 */
function min_max(k: VectorContext, node: Expr, name: 'min' | 'max', x: readonly Vec[]): Vec {
  const type = node.type
  const s = shape(type)
  const [a, b] = x as [Vec, Vec]
  if (s === 'i32x4') return a.map((p, i) => op(`${s}.${name}_s`, p, b[i]!))
  if (s === 'i64x2') {
    const [p, q] = [k.save(a), k.save(b)]
    return p.map((_, i) =>
      choose(k, op(`i64x2.${name === 'min' ? 'lt_s' : 'gt_s'}`, p[i]!, q[i]!), p[i]!, q[i]!),
    )
  }
  const at = node.src.findIndex(e => {
    return e.op === 'const' && !Number.isNaN(e.arg) && !Object.is(e.arg, -0)
  })
  if (at < 0) return a.map((p, i) => op(`${s}.${name}`, p, b[i]!))
  const [value, bound] = at === 0 ? [b, a] : [a, b]
  const bounded = value.map((p, i) => op(`${s}.p${name}`, p, bound[i]!))
  return name === 'max' && node.src[at]!.arg === 0 ? bounded.map(p => op(`${s}.add`, p, ZERO)) : bounded
}

function compare(_k: VectorContext, name: PrimName, type: ScalarType, a: Vec, b: Vec): Vec {
  const each = (f: (p: Code, q: Code) => Code): Vec => a.map((p, i) => f(p, b[i]!))
  if (type === 'bool') {
    const not = (x: Code): Code => op('v128.not', x)
    switch (name) {
      case 'eq':
        return each((p, q) => not(op('v128.xor', p, q)))
      case 'ne':
        return each((p, q) => op('v128.xor', p, q))
      case 'lt':
        return each((p, q) => op('v128.and', not(p), q))
      case 'gt':
        return each((p, q) => op('v128.and', p, not(q)))
      case 'le':
        return each((p, q) => op('v128.or', not(p), q))
      default:
        return each((p, q) => op('v128.or', p, not(q)))
    }
  }
  const s = shape(type)
  const signed = (s === 'i32x4' || s === 'i64x2') && name !== 'eq' && name !== 'ne' ? '_s' : ''
  const mask = each((p, q) => op(`${s}.${name}${signed}` as NumericOp, p, q))
  return is_wide(type) ? narrow_lanes(mask) : mask
}

// ------------------------------------------------------------------------------------------ conversions

/** Keeps the low halves of 64-bit lanes: two parts become one. */
function narrow_lanes(x: Vec): Vec {
  return pairs(x, (low, high) => shuffle32(low, high, [0, 2, 4, 6]))
}

function pairs(x: Vec, f: (low: Code, high: Code) => Code): Vec {
  return Array.from({ length: x.length / 2 }, (_, i) => f(x[2 * i]!, x[2 * i + 1]!))
}

/** One part becomes two: `low` and `high` of each. */
function halves(k: VectorContext, x: Vec, low: (part: Code) => Code, high: (part: Code) => Code): Vec {
  return k.save(x).flatMap(part => [low(part), high(part)])
}

const widen_mask = (k: VectorContext, x: Vec): Vec => extend(k, x)
const extend = (k: VectorContext, x: Vec): Vec =>
  halves(
    k,
    x,
    part => op('i64x2.extend_low_i32x4_s', part),
    part => op('i64x2.extend_high_i32x4_s', part),
  )
const upper = (part: Code): Code => shuffle32(part, part, [2, 3, 2, 3])

/** Conversions other than those between i64 and floats. */
export function vector_cast(k: VectorContext, from: ScalarType, to: ScalarType, x: Vec): Vec {
  const f = shape(from)
  const t = shape(to)
  if (to === 'bool') {
    if (from === 'bool') return x
    const mask = x.map(part => op(`${f}.ne`, part, ZERO))
    return is_wide(from) ? narrow_lanes(mask) : mask
  }
  if (from === 'bool') {
    const mask = is_wide(to) ? widen_mask(k, x) : x
    if (t === 'i32x4' || t === 'i64x2') return mask.map(part => op(`${t}.neg`, part))
    return mask.map(part => op('v128.and', part, k.constant(to, 1)))
  }
  if (f === t) return x
  switch (`${f} ${t}`) {
    case 'f32x4 f64x2':
      return halves(
        k,
        x,
        part => op('f64x2.promote_low_f32x4', part),
        part => op('f64x2.promote_low_f32x4', upper(part)),
      )
    case 'f64x2 f32x4': {
      const demoted = x.map(part => op('f32x4.demote_f64x2_zero', part))
      return pairs(demoted, (low, high) => shuffle32(low, high, [0, 1, 4, 5]))
    }
    case 'i32x4 i64x2':
      return extend(k, x)
    case 'i64x2 i32x4':
      return narrow_lanes(x)
    case 'i32x4 f32x4':
      return x.map(part => op('f32x4.convert_i32x4_s', part))
    case 'i32x4 f64x2':
      return halves(
        k,
        x,
        part => op('f64x2.convert_low_i32x4_s', part),
        part => op('f64x2.convert_low_i32x4_s', upper(part)),
      )
    case 'f32x4 i32x4': {
      const v = k.save(x)
      const fits = v.map(part => op('f32x4.lt', part, k.constant('f32', 2 ** 31)))
      return or_lowest(
        k,
        v.map(part => op('i32x4.trunc_sat_f32x4_s', part)),
        fits,
      )
    }
    case 'f64x2 i32x4': {
      const v = k.save(x)
      const fits = narrow_lanes(v.map(part => op('f64x2.lt', part, k.constant('f64', 2 ** 31))))
      const truncated = pairs(v, (low, high) =>
        shuffle32(
          op('i32x4.trunc_sat_f64x2_s_zero', low),
          op('i32x4.trunc_sat_f64x2_s_zero', high),
          [0, 1, 4, 5],
        ),
      )
      return or_lowest(k, truncated, fits)
    }
    default:
      throw new Error(`${from} to ${to} has no vector form`)
  }
}

const or_lowest = (k: VectorContext, x: Vec, fits: Vec): Vec =>
  x.map((part, i) => choose(k, fits[i]!, part, k.constant('i32', -(2 ** 31))))

// ------------------------------------------------------------------------------------------ lanes

/** One scalar in all lanes of a part. */
export const splat = (type: ScalarType, x: Code): Code =>
  op(`${shape(type)}.splat`, type === 'bool' ? op('i32.sub', i32(0), x) : x)

/** The scalar in lane `l` of a value whose parts are saved. */
export function extract(type: ScalarType, x: Vec, l: number): Code {
  const per_part = is_wide(type) ? 2 : 4
  const scalar = lane(`${shape(type)}.extract_lane`, l % per_part, x[Math.floor(l / per_part)]!)
  return type === 'bool' ? op('i32.and', scalar, i32(1)) : scalar
}

/** A value put together from scalars, one per lane. */
export function from_lanes(type: ScalarType, lanes: readonly Code[]): Vec {
  const s = shape(type)
  const per_part = is_wide(type) ? 2 : 4
  return Array.from({ length: lanes.length / per_part }, (_, p) => {
    const [first, ...rest] = lanes.slice(p * per_part, (p + 1) * per_part)
    const part = rest.reduce((v, x, i) => lane(`${s}.replace_lane`, i + 1, v, x), op(`${s}.splat`, first!))
    return type === 'bool' ? op('i32x4.neg', part) : part
  })
}

/** A reduction over the lanes of one part. */
export function horizontal(type: ScalarType, part: Code, combine: (a: Code, b: Code) => Code): Code {
  const at = (l: number): Code => extract(type, [part], l)
  return is_wide(type) ? combine(at(0), at(1)) : combine(combine(at(0), at(2)), combine(at(1), at(3)))
}

// ------------------------------------------------------------------------------------------ memory

/** Consecutive elements at an address (code to be evaluated once for each part) as lanes. */
export function vector_load(dtype: DType, address: Code, lanes: number): Vec {
  const size = dtype.itemsize
  const parts = Array.from({ length: (lanes * Math.max(size, 4)) / 16 }, (_, i) => i)
  return parts.map(i => {
    if (size >= 4) return load('v128.load', address, 16 * i)
    if (size === 2)
      return load(dtype.name === 'int16' ? 'v128.load16x4_s' : 'v128.load16x4_u', address, 8 * i)
    const sign = dtype.name === 'int8' ? 's' : 'u'
    const bytes = load('v128.load32_zero', address, 4 * i)
    const words = op(`i32x4.extend_low_i16x8_${sign}`, op(`i16x8.extend_low_i8x16_${sign}`, bytes))
    return dtype.name === 'bool' ? op('i32x4.ne', words, ZERO) : words
  })
}

const LOW_BYTES = [0, 4, 8, 12, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]
const LOW_WORDS = [0, 1, 4, 5, 8, 9, 12, 13, 0, 0, 0, 0, 0, 0, 0, 0]

/** Stores lanes as consecutive elements; integers keep their low bits. */
export function vector_store(k: VectorContext, dtype: DType, address: Code, x: Vec): Code {
  const size = dtype.itemsize
  if (size >= 4) return x.map((part, i) => store('v128.store', address, part, 16 * i))
  const saved = k.save(dtype.name === 'bool' ? x.map(part => op('i32x4.neg', part)) : x)
  return saved.map((part, i) =>
    size === 2
      ? store_low(8, address, shuffle(part, part, LOW_WORDS), 8 * i)
      : store_low(4, address, shuffle(part, part, LOW_BYTES), 4 * i),
  )
}
