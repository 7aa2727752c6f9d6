// A small WebAssembly assembler. Code is a nested list of bytes; every function here takes the code of its operands
// and returns the code that computes them and then itself, so a program reads as an expression: op('i32.add', a, b).
// A module imports one memory and exports all its named functions. Not here: what the code is for; nothing in this
// file checks types (WebAssembly.Module does).
import { LANES, type LaneOp, MEMORY, type MemoryOp, NUMERIC, type NumericOp } from './opcodes.ts'

export type ValueType = 'i32' | 'i64' | 'f32' | 'f64' | 'v128'

/** Bytes of instructions, nested; flattened once, at the end. */
export type Code = readonly (number | Code)[]

const TYPE_CODES: Readonly<Record<ValueType, number>> = {
  i32: 0x7f,
  i64: 0x7e,
  f32: 0x7d,
  f64: 0x7c,
  v128: 0x7b,
}
const VOID = 0x40

/** An unsigned integer below 2^53 in LEB128. */
export function unsigned(n: number): number[] {
  const bytes: number[] = []
  do {
    const rest = Math.floor(n / 128)
    bytes.push(rest > 0 ? (n & 127) | 128 : n & 127)
    n = rest
  } while (n > 0)
  return bytes
}

/** A signed integer of up to 64 bits in LEB128. */
export function signed(n: bigint): number[] {
  const bytes: number[] = []
  for (;;) {
    const byte = Number(n & 127n)
    n >>= 7n
    if ((n === 0n && byte < 64) || (n === -1n && byte >= 64)) {
      bytes.push(byte)
      return bytes
    }
    bytes.push(byte | 128)
  }
}

const opcode = (code: number): number[] =>
  code < 0x100 ? [code] : code < 0x10000 ? [code >> 8, code & 0xff] : [code >> 16, ...unsigned(code & 0xffff)]

const scratch = new DataView(new ArrayBuffer(8))
function float_bytes(value: number, size: 4 | 8): number[] {
  if (size === 4) scratch.setFloat32(0, value, true)
  else scratch.setFloat64(0, value, true)
  return Array.from({ length: size }, (_, i) => scratch.getUint8(i))
}

// ------------------------------------------------------------------------------------------ instructions

/** An instruction without immediates, after its operands. */
export const op = (name: NumericOp, ...operands: Code[]): Code => [operands, opcode(NUMERIC[name])]

/** A load from `address + offset`, or a store of `value` there. Alignment is never promised. */
export const load = (name: MemoryOp, address: Code, offset = 0): Code => [
  address,
  opcode(MEMORY[name]),
  0,
  unsigned(offset),
]
export const store = (name: MemoryOp, address: Code, value: Code, offset = 0): Code => [
  address,
  value,
  opcode(MEMORY[name]),
  0,
  unsigned(offset),
]

/** Stores the lowest 4 or 8 bytes of a vector. */
export const store_low = (bytes: 4 | 8, address: Code, value: Code, offset = 0): Code => [
  store(bytes === 4 ? 'v128.store32_lane' : 'v128.store64_lane', address, value, offset),
  0,
]

/** extract_lane of one vector, or replace_lane of a vector and a scalar. */
export const lane = (name: LaneOp, index: number, ...operands: Code[]): Code => [
  operands,
  opcode(LANES[name]),
  index,
]

/** The sixteen bytes picked from those of `a` (0 to 15) and `b` (16 to 31). */
export const shuffle = (a: Code, b: Code, bytes: readonly number[]): Code => [a, b, 0xfd, 0x0d, bytes]

/** `shuffle` in units of 32-bit lanes: 0 to 3 from `a`, 4 to 7 from `b`. */
export const shuffle32 = (a: Code, b: Code, lanes: readonly number[]): Code =>
  shuffle(
    a,
    b,
    lanes.flatMap(l => [4 * l, 4 * l + 1, 4 * l + 2, 4 * l + 3]),
  )

export const i32 = (value: number): Code => [0x41, signed(BigInt(value | 0))]
export const i64 = (value: bigint): Code => [0x42, signed(value)]
export const f32 = (value: number): Code => [0x43, float_bytes(value, 4)]
export const f64 = (value: number): Code => [0x44, float_bytes(value, 8)]
/** A vector of four 32-bit integers. */
export const i32x4 = (...values: readonly number[]): Code => [
  0xfd,
  0x0c,
  values.flatMap(v => [v & 255, (v >> 8) & 255, (v >> 16) & 255, v >>> 24]),
]

/** Four or two lanes of zeros. */
export const v128_zero: Code = i32x4(0, 0, 0, 0)

/** One float in memory, in all lanes. */
export const splat_load = (type: 'f32' | 'f64', address: Code, offset = 0): Code =>
  load(type === 'f32' ? 'v128.load32_splat' : 'v128.load64_splat', address, offset)

export const block = (...body: Code[]): Code => [0x02, VOID, body, 0x0b]
export const loop = (...body: Code[]): Code => [0x03, VOID, body, 0x0b]
export const br = (depth: number): Code => [0x0c, unsigned(depth)]
export const br_if = (depth: number, condition: Code): Code => [condition, 0x0d, unsigned(depth)]
export const if_else = (condition: Code, then: Code, otherwise: Code = []): Code => [
  condition,
  0x04,
  VOID,
  then,
  otherwise.length > 0 ? [0x05, otherwise] : [],
  0x0b,
]
/** An `if` that leaves a value; only the taken side is evaluated. */
export const if_value = (type: ValueType, condition: Code, then: Code, otherwise: Code): Code => [
  condition,
  0x04,
  TYPE_CODES[type],
  then,
  0x05,
  otherwise,
  0x0b,
]
export const call = (f: Func, ...operands: Code[]): Code => [operands, 0x10, unsigned(f.index)]

/** Adds to an address. */
export const add = (a: Code, b: Code | number): Code =>
  b === 0 ? a : op('i32.add', a, typeof b === 'number' ? i32(b) : b)
export const mul = (a: Code, b: Code | number): Code =>
  b === 1 ? a : op('i32.mul', a, typeof b === 'number' ? i32(b) : b)

/** Repeats `body` while `condition` holds, tested before each round. */
export const while_loop = (condition: Code, ...body: Code[]): Code =>
  block(loop(br_if(1, op('i32.eqz', condition)), ...body, br(0)))

// ------------------------------------------------------------------------------------------ functions, modules

export class Local {
  readonly index: number
  readonly type: ValueType
  readonly get: Code

  constructor(index: number, type: ValueType) {
    this.index = index
    this.type = type
    this.get = [0x20, ...unsigned(index)]
  }

  set(value: Code): Code {
    return [value, 0x21, unsigned(this.index)]
  }

  tee(value: Code): Code {
    return [value, 0x22, unsigned(this.index)]
  }

  /** Adds a constant, for a counter or a pointer. */
  step(by: Code | number): Code {
    return this.set(add(this.get, by))
  }
}

export class Func {
  readonly name: string
  readonly index: number
  readonly params: readonly Local[]
  readonly result: ValueType | undefined
  readonly #locals: ValueType[] = []
  readonly #body: Code[] = []

  constructor(name: string, index: number, params: readonly ValueType[], result: ValueType | undefined) {
    this.name = name
    this.index = index
    this.params = params.map((type, i) => new Local(i, type))
    this.result = result
  }

  local(type: ValueType): Local {
    return new Local(this.params.length + this.#locals.push(type) - 1, type)
  }

  emit(...code: Code[]): void {
    this.#body.push(...code)
  }

  /** for (i = 0; i < end; i += step); `end` is evaluated each round. */
  for(end: Code, body: (i: Local) => Code, step = 1): Code {
    const i = this.local('i32')
    return [i.set(i32(0)), while_loop(op('i32.lt_s', i.get, end), body(i), i.step(step))]
  }

  signature(): Code {
    return [
      0x60,
      unsigned(this.params.length),
      this.params.map(p => TYPE_CODES[p.type]),
      this.result === undefined ? [0] : [1, TYPE_CODES[this.result]],
    ]
  }

  code(): number[] {
    const runs: [ValueType, number][] = []
    for (const type of this.#locals) {
      const last = runs[runs.length - 1]
      if (last?.[0] === type) last[1]++
      else runs.push([type, 1])
    }
    const body = flatten([
      unsigned(runs.length),
      runs.map(([type, count]) => [unsigned(count), TYPE_CODES[type]]),
      this.#body,
      0x0b,
    ])
    return [...unsigned(body.length), ...body]
  }
}

/** The limits of a memory that is shared: at least one page, at most as many as there can be. */
const SHARED_MEMORY: Code = [3, 1, unsigned(65536)]

/** A module in the making: functions over one imported memory (`env.memory`). */
export class ModuleBuilder {
  readonly #functions: Func[] = []
  readonly #shares_memory: boolean

  constructor(shares_memory: boolean = false) {
    this.#shares_memory = shares_memory
  }

  func(name: string, params: readonly ValueType[], result?: ValueType): Func {
    const f = new Func(name, this.#functions.length, params, result)
    this.#functions.push(f)
    return f
  }

  bytes(): Uint8Array<ArrayBuffer> {
    const f = this.#functions
    return new Uint8Array(
      flatten([
        [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
        section(1, [unsigned(f.length), f.map(x => x.signature())]),
        section(2, [1, text('env'), text('memory'), 2, this.#shares_memory ? SHARED_MEMORY : [0, 1]]),
        section(3, [unsigned(f.length), f.map((_, i) => unsigned(i))]),
        section(7, [unsigned(f.length), f.map((x, i) => [text(x.name), 0, unsigned(i)])]),
        section(10, [unsigned(f.length), f.map(x => x.code())]),
      ]),
    )
  }
}

function section(id: number, content: Code): Code {
  const bytes = flatten(content)
  return [id, unsigned(bytes.length), bytes]
}

/** A name; only ASCII. */
const text = (name: string): Code => [unsigned(name.length), [...name].map(c => c.charCodeAt(0))]

function flatten(code: Code, bytes: number[] = []): number[] {
  for (const part of code) {
    if (typeof part === 'number') bytes.push(part)
    else flatten(part, bytes)
  }
  return bytes
}
