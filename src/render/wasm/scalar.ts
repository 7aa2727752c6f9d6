// Scalar primitives and conversions as WebAssembly code, and the helper functions for those that take more than a few
// instructions: integer division (which must not trap) and the exact fmod.
// Not here: walking expressions (kernel_writer.ts), vectors (vector.ts).
import type { PrimName } from '../../ir/prims.ts'
import type { ScalarType } from '../../ir/types.ts'
import {
  type Code,
  call,
  type Func,
  f32,
  f64,
  i32,
  i64,
  if_else,
  if_value,
  type Local,
  type ModuleBuilder,
  op,
  type ValueType,
  while_loop,
} from './assembler.ts'
import type { NumericOp } from './opcodes.ts'

/** The WebAssembly type of a scalar. */
export function value_type(type: ScalarType): 'i32' | 'i64' | 'f32' | 'f64' {
  return type === 'bool' || type === 'index' ? 'i32' : (type as 'i32' | 'i64' | 'f32' | 'f64')
}

/** A literal. */
export function literal(type: ScalarType, value: number | bigint | boolean): Code {
  switch (type) {
    case 'f32':
      return f32(Number(value))
    case 'f64':
      return f64(Number(value))
    case 'i64':
      return i64(BigInt(value))
    default:
      return i32(Number(value))
  }
}

/** What the code of a primitive may ask for: locals of the function it is part of, and helper functions. */
export interface ScalarContext {
  local(type: ValueType): Local
  helper(name: Helper): Func
  /** a * b + c in f32 or f64, rounded once where the vector unit does so. */
  fma(type: 'f32' | 'f64', a: Code, b: Code, c: Code): Code
}

const DIRECT: Partial<Record<PrimName, string>> = {
  add: 'add',
  sub: 'sub',
  mul: 'mul',
  div: 'div',
  and: 'and',
  or: 'or',
  xor: 'xor',
  shl: 'shl',
  shr: 'shr_s',
  ushr: 'shr_u',
  floor: 'floor',
  ceil: 'ceil',
  trunc: 'trunc',
  round: 'nearest',
  sqrt: 'sqrt',
  copysign: 'copysign',
}
const COMPARISONS = new Set<PrimName>(['eq', 'ne', 'lt', 'le', 'gt', 'ge'])

/** A primitive on scalars; `type` is that of the operands (of `where`: of the last two). */
export function scalar_prim(k: ScalarContext, name: PrimName, type: ScalarType, x: readonly Code[]): Code {
  const t = value_type(type)
  const is_float = t === 'f32' || t === 'f64'
  const [a, b, c] = x as [Code, Code, Code]
  const direct = DIRECT[name]
  if (direct !== undefined) return op(`${t}.${direct}` as NumericOp, ...x)
  if (COMPARISONS.has(name)) {
    const signed = !is_float && name !== 'eq' && name !== 'ne'
    return op(`${t}.${name}${signed ? '_s' : ''}` as NumericOp, a, b)
  }
  switch (name) {
    case 'where':
      return op('select', b, c, a)
    case 'not':
      return type === 'bool' ? op('i32.eqz', a) : op(`${t as 'i32'}.xor`, a, literal(type, -1))
    case 'neg':
      return is_float ? op(`${t}.neg`, a) : op(`${t as 'i32'}.sub`, literal(type, 0), a)
    case 'abs': {
      if (is_float) return op(`${t}.abs`, a)
      const [v, sign] = [k.local(t), k.local(t)]
      const width = literal(type, t === 'i32' ? 31 : 63)
      const flipped = op(`${t}.xor`, v.tee(a), sign.tee(op(`${t}.shr_s`, v.get, width)))
      return op(`${t}.sub`, flipped, sign.get)
    }
    case 'min':
    case 'max': {
      if (is_float) return op(`${t}.${name}`, a, b)
      const [v, w] = [k.local(t), k.local(t)]
      return op('select', v.tee(a), w.tee(b), op(`${t}.${name === 'min' ? 'lt_s' : 'gt_s'}`, v.get, w.get))
    }
    case 'fma':
      return k.fma(t as 'f32' | 'f64', a, b, c)
    case 'fmod':
      if (t === 'f64') return call(k.helper('fmod_f64'), a, b)
      if (t === 'f32') {
        const wide = call(k.helper('fmod_f64'), op('f64.promote_f32', a), op('f64.promote_f32', b))
        return op('f32.demote_f64', wide) // exact: the remainder of two floats is a float
      }
      break
    default:
  }
  const helper = `${name}_${t}`
  if (helper in HELPERS) return call(k.helper(helper as Helper), a, b)
  throw new TypeError(`${name} on ${type} is not something WebAssembly can do: lower() decomposes it`)
}

/** Value conversion as in C on x86: what an integer type cannot hold becomes its lowest value. */
export function scalar_cast(k: ScalarContext, from: ScalarType, to: ScalarType, x: Code): Code {
  const f = value_type(from)
  const t = value_type(to)
  if (to === 'bool') return from === 'bool' ? x : op(`${f}.ne`, x, literal(from, 0))
  if (f === t) return x
  if (t === 'f32' || t === 'f64') {
    if (f === 'f32') return op('f64.promote_f32', x)
    if (f === 'f64') return op('f32.demote_f64', x)
    return op(`${t}.convert_${f}_s`, x)
  }
  if (f === 'i32') return op('i64.extend_i32_s', x)
  if (f === 'i64') return op('i32.wrap_i64', x)
  const v = k.local(f)
  const too_large = literal(from, t === 'i32' ? 2 ** 31 : 2 ** 63)
  const lowest = t === 'i32' ? i32(-(2 ** 31)) : i64(-(2n ** 63n))
  return op('select', op(`${t}.trunc_sat_${f}_s`, v.tee(x)), lowest, op(`${f}.lt`, v.get, too_large))
}

/** The same bits as another type of the same size. */
export function scalar_bitcast(from: ScalarType, to: ScalarType, x: Code): Code {
  const f = value_type(from)
  const t = value_type(to)
  return f === t ? x : op(`${t}.reinterpret_${f}` as NumericOp, x)
}

// ------------------------------------------------------------------------------------------ helper functions

type Integer = 'i32' | 'i64'
type Body = (f: Func) => Code

const integer = (t: Integer, name: 'add' | 'sub' | 'mul' | 'and' | 'xor', a: Code, b: Code): Code =>
  op(`${t}.${name}`, a, b)
const literal_of = (t: Integer, value: number): Code => literal(t, value)

/** `b + 1 > 1` unsigned leaves out 0 and -1, which trap; for these a * b is the quotient (0, or -a wrapped). */
const truncdiv = (t: Integer, a: Code, b: Code): Code =>
  if_value(
    t,
    op(`${t}.gt_u`, integer(t, 'add', b, literal_of(t, 1)), literal_of(t, 1)),
    op(`${t}.div_s`, a, b),
    integer(t, 'mul', a, b),
  )

const fmod = (t: Integer, a: Code, b: Code): Code =>
  if_value(t, op(`${t}.ne`, b, literal_of(t, 0)), op(`${t}.rem_s`, a, b), literal_of(t, 0))

/** Whether a remainder is neither 0 nor of the divisor's sign. */
const wrong_side = (t: Integer, rest: Code, divisor: Code): Code =>
  op(
    'i32.and',
    op(`${t}.ne`, rest, literal_of(t, 0)),
    op(`${t}.lt_s`, integer(t, 'xor', rest, divisor), literal_of(t, 0)),
  )

const binary_helpers = (t: Integer): Record<'truncdiv' | 'fmod' | 'mod' | 'floordiv', Body> => ({
  truncdiv: f => truncdiv(t, f.params[0]!.get, f.params[1]!.get),
  fmod: f => fmod(t, f.params[0]!.get, f.params[1]!.get),
  mod: f => {
    const [a, b] = f.params as [Local, Local]
    const rest = f.local(t)
    return [
      rest.set(fmod(t, a.get, b.get)),
      op('select', integer(t, 'add', rest.get, b.get), rest.get, wrong_side(t, rest.get, b.get)),
    ]
  },
  floordiv: f => {
    const [a, b] = f.params as [Local, Local]
    const q = f.local(t)
    const rest = integer(t, 'sub', a.get, integer(t, 'mul', q.get, b.get))
    const below = op('i32.and', wrong_side(t, rest, b.get), op(`${t}.ne`, b.get, literal_of(t, 0)))
    return [
      q.set(truncdiv(t, a.get, b.get)),
      op('select', integer(t, 'sub', q.get, literal_of(t, 1)), q.get, below),
    ]
  },
})

/** Subtracts the divisor's multiples by powers of two, largest first: every step is exact. */
const fmod_f64: Body = f => {
  const [x, y] = f.params as [Local, Local]
  const [rest, divisor, multiple] = [f.local('f64'), f.local('f64'), f.local('f64')]
  const difference = op('f64.sub', rest.get, multiple.get)
  const steps: Code = [
    multiple.set(divisor.get),
    while_loop(
      op('f64.ge', difference, multiple.get),
      multiple.set(op('f64.add', multiple.get, multiple.get)),
    ),
    while_loop(
      op('f64.ge', multiple.get, divisor.get),
      if_else(op('f64.ge', rest.get, multiple.get), rest.set(difference)),
      multiple.set(op('f64.mul', multiple.get, f64(0.5))),
    ),
  ]
  const defined = op('i32.and', op('f64.lt', rest.get, f64(Infinity)), op('f64.gt', divisor.get, f64(0)))
  return [
    rest.set(op('f64.abs', x.get)),
    divisor.set(op('f64.abs', y.get)),
    if_else(defined, if_else(op('f64.ge', rest.get, divisor.get), steps), rest.set(f64(Number.NaN))),
    op('f64.copysign', rest.get, x.get),
  ]
}

/** Functions of two operands that WebAssembly has no instruction for. */
export type Helper = 'fmod_f64' | `${'truncdiv' | 'floordiv' | 'fmod' | 'mod'}_${'i32' | 'i64'}`

const [of_i32, of_i64] = [binary_helpers('i32'), binary_helpers('i64')]
const HELPERS: Readonly<Record<Helper, Body>> = {
  fmod_f64,
  truncdiv_i32: of_i32.truncdiv,
  truncdiv_i64: of_i64.truncdiv,
  floordiv_i32: of_i32.floordiv,
  floordiv_i64: of_i64.floordiv,
  fmod_i32: of_i32.fmod,
  fmod_i64: of_i64.fmod,
  mod_i32: of_i32.mod,
  mod_i64: of_i64.mod,
}

/** Adds a helper function of two operands to the module. */
export function define_helper(module: ModuleBuilder, name: Helper): Func {
  const t = name.slice(name.lastIndexOf('_') + 1) as ValueType
  const f = module.func(name, [t, t], t)
  f.emit(HELPERS[name](f))
  return f
}
