// Expressions of lowered kernels as C, one line each. Types keep their IR names (f32, i64, ...), declared by the
// prelude; an index is an i64 and a bool a _Bool. Not here: statements and loops (kernel.ts).

import type { DTypeName } from '../../base/dtype.ts'
import type { Expr } from '../../ir/expr.ts'
import type { Buffer, Param } from '../../ir/kernel.ts'
import type { KernelType, ScalarType } from '../../ir/types.ts'

const TYPES: Readonly<Record<KernelType, string>> = {
  f32: 'f32',
  f64: 'f64',
  i32: 'i32',
  i64: 'i64',
  bool: '_Bool',
  index: 'i64',
}

/** The C type of values in locals and expressions. */
export const c_type = (type: ScalarType): string => TYPES[type as KernelType]

/** How elements of a dtype lie in memory, and the functions that convert them where an assignment does not. */
type Element = { readonly type: string; readonly load?: string; readonly store?: string }
const ELEMENT: Readonly<Partial<Record<DTypeName, Element>>> = {
  bool: { type: 'u8' },
  uint8: { type: 'u8' },
  int8: { type: 'i8' },
  int16: { type: 'i16' },
  int32: { type: 'i32' },
  int64: { type: 'i64' },
  float16: { type: 'u16', load: 'load_f16', store: 'store_f16' },
  bfloat16: { type: 'u16', load: 'load_bf16', store: 'store_bf16' },
  float32: { type: 'f32' },
  float64: { type: 'f64' },
}

/** The C type of a buffer's elements in memory. */
export const element_type = (buffer: Buffer): string => element(buffer).type

function element(buffer: Buffer): Element {
  const found = ELEMENT[buffer.dtype.name]
  if (!found) throw new TypeError(`kernels do not load or store ${buffer.dtype}`)
  return found
}

/** What variables, params and buffers are called in the C text. */
export type Names = (of: string | Param | Buffer) => string

const INFIX: Readonly<Record<string, string>> = {
  add: '+',
  sub: '-',
  mul: '*',
  div: '/',
  and: '&',
  or: '|',
  xor: '^',
  eq: '==',
  ne: '!=',
  lt: '<',
  le: '<=',
  gt: '>',
  ge: '>=',
}
/** Functions of the prelude, with one definition per type. */
const TYPED: ReadonlySet<string> = new Set('min max fma floordiv truncdiv mod fmod shl shr ushr'.split(' '))
/** Functions of C, with the suffix f for f32. */
const BUILTIN: Readonly<Record<string, string>> = {
  sqrt: 'sqrt',
  floor: 'floor',
  ceil: 'ceil',
  trunc: 'trunc',
  round: 'rint',
  copysign: 'copysign',
  fused: 'fma',
}

/** An expression as C. Throws an Error where it has a primitive that lowering should have taken apart. */
export function print_expr(e: Expr, names: Names): string {
  const { op, type, src, arg } = e
  const text = (i: number): string => print_expr(src[i]!, names)
  const operand = (i: number): string => (is_compound(src[i]!) ? `(${text(i)})` : text(i))
  switch (op) {
    case 'const':
      return print_constant(arg as number | bigint | boolean, type)
    case 'param':
      return names(arg as Param)
    case 'var':
      return names(arg as string)
    case 'load': {
      const read = print_load(arg as Buffer, text(0), names)
      return src.length === 1 ? read : `${operand(1)} ? ${read} : ${operand(2)}`
    }
    case 'cast':
      return print_cast(src[0]!.type, type, text(0), operand(0))
    case 'bitcast':
      return `${c_type(src[0]!.type)}_as_${c_type(type)}(${text(0)})`
    case 'where':
      return `${operand(0)} ? ${operand(1)} : ${operand(2)}`
    case 'neg':
      return `-${operand(0)}`
    case 'not':
      return type === 'bool' ? `!${operand(0)}` : `~${operand(0)}`
    case 'abs':
      return is_float(type) ? `__builtin_fabs${suffix(type)}(${text(0)})` : `abs_${c_type(type)}(${text(0)})`
    case 'min':
    case 'max':
      if (is_number(src[1]!)) return `${op}_number_${type}(${text(0)}, ${text(1)})`
  }
  if (op in INFIX) return `${operand(0)} ${INFIX[op]} ${operand(1)}`
  const args = src.map((_, i) => text(i)).join(', ')
  if (TYPED.has(op)) return `${op}_${c_type(type)}(${args})`
  if (op in BUILTIN) return `__builtin_${BUILTIN[op]}${suffix(type)}(${args})`
  throw new Error(`the C renderer takes lowered kernels: ${op} of ${type} is not arithmetic`)
}

/** A float constant that is no NaN, with which a minimum or maximum takes one comparison. */
const is_number = (e: Expr): boolean => e.op === 'const' && is_float(e.type) && !Number.isNaN(e.arg)

const is_float = (type: ScalarType): boolean => type === 'f32' || type === 'f64'
const suffix = (type: ScalarType): string => (type === 'f32' ? 'f' : '')

/** Whether its text needs parentheses as an operand. */
function is_compound(e: Expr): boolean {
  if (e.op in INFIX || e.op === 'where' || e.op === 'neg' || e.op === 'not') return true
  if (e.op === 'load') return e.src.length > 1
  if (e.op === 'const') return Number(e.arg) < 0 || Object.is(e.arg, -0)
  return e.op === 'cast'
}

function print_load(buffer: Buffer, index: string, names: Names): string {
  const read = `${names(buffer)}[${index}]`
  const { load } = element(buffer)
  if (load) return `${load}(${read})`
  return buffer.dtype.name === 'bool' ? `(${read} != 0)` : read
}

/** The statement that writes `value`, an expression of the buffer's compute type. */
export function print_store(buffer: Buffer, index: Expr, value: Expr, names: Names): string {
  const { store, type } = element(buffer)
  const text = print_expr(value, names)
  // Not the short names, which are those of counters as well: i8.
  const narrow = { u8: 'uint8_t', i8: 'int8_t', i16: 'int16_t' }[type]
  const converted = store ? `${store}(${text})` : narrow ? `(${narrow})(${text})` : text
  return `${names(buffer)}[${print_expr(index, names)}] = ${converted};`
}

function print_cast(from: ScalarType, to: ScalarType, text: string, operand: string): string {
  if (to === 'bool') return `${operand} != 0`
  if (is_float(from) && !is_float(to)) return `${from}_to_${c_type(to)}(${text})`
  return `(${c_type(to)})${operand}`
}

/** A literal of exactly this value. */
function print_constant(value: number | bigint | boolean, type: ScalarType): string {
  if (typeof value === 'boolean') return value ? '1' : '0'
  if (type === 'i64' || type === 'index')
    return BigInt(value) === -(2n ** 63n)
      ? 'INT64_MIN'
      : `${value}${Math.abs(Number(value)) < 2 ** 31 ? '' : 'LL'}`
  if (type === 'i32') return value === -(2 ** 31) ? 'INT32_MIN' : `${value}`
  const x = value as number
  if (Number.isNaN(x)) return `__builtin_nan${suffix(type)}("")`
  if (!Number.isFinite(x)) return `${x < 0 ? '-' : ''}__builtin_inf${suffix(type)}()`
  if (Object.is(x, -0)) return `-0.0${suffix(type)}`
  const digits = String(x)
  return `${/[.e]/.test(digits) ? digits : `${digits}.0`}${suffix(type)}`
}
