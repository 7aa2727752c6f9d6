// Signatures: one line of text per overload, in the manner of PyTorch's native functions, from which arguments are
// bound. Positional arguments stay positional, keyword arguments come as one trailing plain object, every parameter
// can be given either way, and wrong calls get PyTorch's TypeError. Not here: what the arguments mean.
import { ComplexScalar } from '../base/complex_scalar.ts'
import { DType, FloatScalar, is_plain_number } from '../base/dtype.ts'
import { Generator } from '../base/generator.ts'
import { Place } from './place.ts'
import { Tensor } from './tensor.ts'

/**
 * The types a parameter can have; `?` allows null. `int...` takes the remaining positional integers or one list
 * of them (view, permute); `int[]` also takes a single integer; `out` is a tensor, or a list of them
 * for several results; `any` is unchecked.
 */
type ParamType =
  | 'Tensor'
  | 'Tensor[]'
  | 'Scalar'
  | 'int'
  | 'int[]'
  | 'int...'
  | 'float'
  | 'float[]'
  | 'bool'
  | 'str'
  | 'dtype'
  | 'device'
  | 'generator'
  | 'out'
  | 'any'

export type SchemaParam = {
  readonly name: string
  readonly type: ParamType
  readonly nullable: boolean
  readonly required: boolean
  readonly keyword_only: boolean
  readonly default: unknown
}

/** A signature. Its parameters are parsed when they are first asked for: a program calls few of all functions. */
export class Schema {
  readonly name: string
  readonly text: string
  #params: readonly SchemaParam[] | null = null
  #positional = 0

  constructor(text: string) {
    this.name = text.slice(0, text.indexOf('('))
    this.text = text
  }

  get params(): readonly SchemaParam[] {
    return this.#params ?? this.#parse()
  }

  /** How many parameters can be given by position. */
  get positional(): number {
    if (this.#params === null) this.#parse()
    return this.#positional
  }

  #parse(): readonly SchemaParam[] {
    const params = parse_params(this.text)
    this.#positional = params.filter(p => !p.keyword_only).length
    return (this.#params = params)
  }
}

/** The signature `name(Tensor self, int dim=-1, *, bool keepdim=False)`. */
export const parse_schema = (text: string): Schema => new Schema(text)

function parse_params(text: string): SchemaParam[] {
  const params: SchemaParam[] = []
  let keyword_only = false
  for (const part of split_params(text.slice(text.indexOf('(') + 1, text.lastIndexOf(')')))) {
    if (part === '*') {
      keyword_only = true
      continue
    }
    const match = /^(\S+?)(\??) (\w+)(?:=(.*))?$/.exec(part)
    const [, type = '', question, param, value] = match ?? []
    if (!Object.hasOwn(accepts, type)) throw new Error(`bad parameter '${part}' in schema '${text}'`)
    params.push({
      name: param as string,
      type: type as ParamType,
      nullable: question === '?',
      required: value === undefined,
      keyword_only,
      default: value === undefined ? undefined : parse_default(value),
    })
  }
  return params
}

/** Splits at the commas that are not inside brackets. */
function split_params(text: string): string[] {
  const parts: string[] = []
  let depth = 0
  let start = 0
  for (let i = 0; i <= text.length; i++) {
    const c = text[i]
    if (c === '[' || c === '(') depth++
    else if (c === ']' || c === ')') depth--
    else if (c === undefined || (c === ',' && depth === 0)) {
      const part = text.slice(start, i).trim()
      if (part !== '') parts.push(part)
      start = i + 1
    }
  }
  return parts
}

function parse_default(text: string): unknown {
  if (text === 'None') return null
  if (text === 'True') return true
  if (text === 'False') return false
  if (text === 'inf') return Infinity
  if (text === '-inf') return -Infinity
  if (/^'.*'$/.test(text)) return text.slice(1, -1)
  if (text.startsWith('[')) return JSON.parse(text)
  const number = Number(text)
  if (Number.isNaN(number)) throw new Error(`bad default '${text}'`)
  return number
}

/** An options object: what keyword arguments come in. */
export function is_options(x: unknown): x is Record<string, unknown> {
  if (typeof x !== 'object' || x === null) return false
  const prototype = Object.getPrototypeOf(x)
  return prototype === Object.prototype || prototype === null
}

/** What Python calls the type of a value, for error texts. */
export function type_name(x: unknown): string {
  if (x === null || x === undefined) return 'NoneType'
  if (typeof x === 'number') return Number.isInteger(x) ? 'int' : 'float'
  if (typeof x === 'bigint') return 'int'
  if (typeof x === 'boolean') return 'bool'
  if (typeof x === 'string') return 'str'
  if (typeof x === 'function') return 'function'
  if (Array.isArray(x)) return 'list'
  if (x instanceof Tensor) return 'Tensor'
  if (x instanceof DType) return 'torch.dtype'
  if (x instanceof Place) return 'torch.device'
  if (x instanceof FloatScalar) return 'float'
  if (x instanceof ComplexScalar) return 'complex'
  return is_options(x) ? 'dict' : (x.constructor?.name ?? 'object')
}

const is_integer = (x: unknown): boolean =>
  (typeof x === 'number' && Number.isInteger(x)) ||
  typeof x === 'bigint' ||
  (x instanceof Tensor && x.count === 1 && !x.dtype.is_floating_point && x.sizes.length === 0)
const is_number = (x: unknown): boolean => is_plain_number(x) && !(x instanceof ComplexScalar)

const accepts: Record<ParamType, (x: unknown) => boolean> = {
  Tensor: x => x instanceof Tensor,
  'Tensor[]': x => Array.isArray(x) && x.every(t => t instanceof Tensor),
  Scalar: x => is_plain_number(x) || (x instanceof Tensor && x.sizes.length === 0),
  int: is_integer,
  'int[]': x => is_integer(x) || (is_list(x) && x.every(is_integer)),
  'int...': x => is_integer(x) || (is_list(x) && x.every(is_integer)),
  float: x => is_number(x) || (x instanceof Tensor && x.sizes.length === 0),
  'float[]': x => is_number(x) || (is_list(x) && x.every(is_number)),
  bool: x => typeof x === 'boolean',
  str: x => typeof x === 'string',
  dtype: x => x instanceof DType,
  device: x => x instanceof Place || typeof x === 'string' || typeof x === 'number',
  generator: x => x instanceof Generator,
  out: x => x instanceof Tensor || (is_list(x) && x.every(t => t instanceof Tensor)),
  any: () => true,
}

const is_list = (x: unknown): x is unknown[] => Array.isArray(x)
/** A number; a bigint only past 2^53, where parameters of that size make sense (bounds of random numbers). */
function plain_integer(x: unknown): unknown {
  const value = x instanceof Tensor ? x.item() : x
  const number = Number(value)
  return typeof value === 'bigint' && !Number.isSafeInteger(number) ? value : number
}
const plain_number = (x: unknown): unknown =>
  x instanceof FloatScalar ? x.value : x instanceof Tensor ? x.item() : x

function convert(type: ParamType, x: unknown): unknown {
  switch (type) {
    case 'int':
      return plain_integer(x)
    case 'int[]':
    case 'int...':
      return is_list(x) ? x.map(plain_integer) : [plain_integer(x)]
    case 'float':
      return Number(plain_number(x))
    case 'float[]':
      return is_list(x) ? x.map(v => Number(plain_number(v))) : [Number(plain_number(x))]
    default:
      return x
  }
}

const expected: Partial<Record<ParamType, string>> = {
  'Tensor[]': 'tuple of Tensors',
  Scalar: 'Number',
  'int[]': 'tuple of ints',
  'int...': 'tuple of ints',
  'float[]': 'tuple of floats',
  dtype: 'torch.dtype',
  device: 'torch.device',
  generator: 'Generator',
  out: 'Tensor',
}
const expected_name = (type: ParamType): string => expected[type] ?? type

const public_name = (param: SchemaParam): string => (param.name === 'self' ? 'input' : param.name)

/** Whether a value is taken as it is; values that need more than this to be accepted go the long way. */
function is_plain({ type, nullable }: SchemaParam, x: unknown): boolean {
  if (x === null) return nullable
  switch (type) {
    case 'Tensor':
      return x instanceof Tensor
    case 'int':
      return typeof x === 'number' && Number.isInteger(x)
    case 'float':
      return typeof x === 'number'
    case 'Scalar':
      return is_plain_number(x)
    case 'bool':
      return typeof x === 'boolean'
    case 'str':
      return typeof x === 'string'
    case 'dtype':
      return x instanceof DType
    case 'any':
      return x instanceof Tensor || typeof x === 'number' || typeof x === 'string'
    default:
      return false
  }
}

/** Binds a call by position, without keyword arguments or conversions: what most calls are. Null for any other. */
function bind_plain({ params, positional }: Schema, args: readonly unknown[]): unknown[] | null {
  const given = args.length
  if (given > positional) return null
  const values: unknown[] = []
  for (let i = 0; i < params.length; i++) {
    const param = params[i] as SchemaParam
    if (i < given) {
      if (!is_plain(param, args[i])) return null
      values.push(args[i])
    } else {
      if (param.required) return null
      values.push(param.default)
    }
  }
  return values
}

/** Binds one overload; returns the values in declaration order, or an error text. */
function try_bind({ name, params, positional }: Schema, args: readonly unknown[]): unknown[] | string {
  let given = args.length
  while (given > 0 && args[given - 1] === undefined) given--
  const last = args[given - 1]
  const options = is_options(last) ? last : undefined
  if (options !== undefined) given--
  while (given > 0 && args[given - 1] === undefined) given--
  const values: unknown[] = []
  let at = 0
  for (const param of params) {
    let value: unknown
    let position = 0
    if (!param.keyword_only && at < given) {
      position = at + 1
      if (param.type === 'int...' && !is_list(args[at])) {
        value = args.slice(at, given)
        at = given
      } else value = args[at++]
      if (options !== undefined && Object.hasOwn(options, param.name) && options[param.name] !== undefined)
        return `${name}() got multiple values for argument '${param.name}'`
    } else if (options !== undefined) {
      value = options[param.name]
      if (value === undefined && param.name === 'self') value = options.input
    }
    if (value === undefined) {
      if (param.required) {
        if (param.nullable) value = null
        else return missing(name, params, values.length)
      } else value = param.default
      values.push(value)
      continue
    }
    if (value === null) {
      if (!param.nullable && param.default !== null) return mistyped(name, param, position, value)
      values.push(null)
      continue
    }
    if (!accepts[param.type](value)) return mistyped(name, param, position, value)
    values.push(convert(param.type, value))
  }
  if (at < given) {
    const most = positional
    return `${name}() takes ${most} positional argument${most === 1 ? '' : 's'} but ${given} were given`
  }
  if (options !== undefined)
    for (const key of Object.keys(options))
      if (
        options[key] !== undefined &&
        !params.some(p => p.name === key || (p.name === 'self' && key === 'input'))
      )
        return `${name}() got an unexpected keyword argument '${key}' (known: ${params
          .map(p => p.name)
          .filter(n => n !== 'self')
          .join(', ')})`
  return values
}

function missing(name: string, params: readonly SchemaParam[], from: number): string {
  const names = params
    .slice(from)
    .filter(p => p.required && !p.nullable)
    .map(p => `"${public_name(p)}"`)
  return `${name}() missing ${names.length} required positional argument${names.length === 1 ? '' : 's'}: ${names.join(', ')}`
}

function mistyped(name: string, param: SchemaParam, position: number, value: unknown): string {
  const where = position > 0 ? ` (position ${position})` : ''
  const list = param.type.endsWith('[]') || param.type === 'int...'
  if (list && is_list(value)) {
    const element = param.type === 'Tensor[]' ? 'Tensor' : param.type.startsWith('int') ? 'int' : 'float'
    const bad = value.findIndex(v =>
      element === 'Tensor' ? !(v instanceof Tensor) : !is_number(v) || (element === 'int' && !is_integer(v)),
    )
    return `${name}(): argument '${public_name(param)}'${where} must be ${expected_name(param.type)}, but found element of type ${type_name(value[bad])} at pos ${bad}`
  }
  return `${name}(): argument '${public_name(param)}'${where} must be ${expected_name(param.type)}, not ${type_name(value)}`
}

/** Binds `args` to the one signature of a function. Throws TypeError with PyTorch's text where they do not fit. */
export function bind_one(schema: Schema, args: readonly unknown[]): unknown[] {
  const plain = bind_plain(schema, args)
  if (plain !== null) return plain
  const bound = try_bind(schema, args)
  if (typeof bound === 'string') throw new TypeError(bound)
  return bound
}

/**
 * Binds `args` to the first overload that takes them. Returns the values in declaration order with the overload's
 * index. Throws TypeError with PyTorch's text otherwise.
 */
export function bind(
  schemas: readonly Schema[],
  args: readonly unknown[],
): { overload: number; values: unknown[] } {
  let problem = ''
  for (let overload = 0; overload < schemas.length; overload++) {
    const schema = schemas[overload] as Schema
    const bound = bind_plain(schema, args) ?? try_bind(schema, args)
    if (typeof bound !== 'string') return { overload, values: bound }
    problem ||= bound
  }
  if (schemas.length === 1) throw new TypeError(problem)
  const { name } = schemas[0] as Schema
  const got = args.map(a =>
    is_options(a)
      ? Object.entries(a)
          .map(([k, v]) => `${k}=${type_name(v)}`)
          .join(', ')
      : type_name(a),
  )
  const lines = schemas.map(
    s =>
      ` * (${s.params.map(p => `${p.type === 'out' ? 'Tensor' : p.type}${p.nullable ? '?' : ''} ${public_name(p)}`).join(', ')})`,
  )
  throw new TypeError(
    `${name}() received an invalid combination of arguments - got (${got.join(', ')}), but expected one of:\n${lines.join('\n')}\n`,
  )
}
