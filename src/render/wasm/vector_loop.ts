// Vector and reduce loops as SIMD: rounds of 4, 8 or 16 iterations at a time; what is left over is done one by one by
// the caller. Contiguous loads and stores are vectors at a pointer that moves on; other elements, and primitives that
// vectors lack, are done lane by lane in between. A loop where that does not pay, or whose body is no straight line, is
// declined. A reduction has an accumulator for each lane, combined at the end.
// Not here: what a primitive looks like on vectors (vector.ts).
import { Expr } from '../../ir/expr.ts'
import type { Buffer, Stmt } from '../../ir/kernel.ts'
import type { PrimName } from '../../ir/prims.ts'
import type { ScalarType } from '../../ir/types.ts'
import { own_expressions } from '../../lower/loops.ts'
import { is_constant } from './affine.ts'
import {
  add,
  type Code,
  i32,
  i32x4,
  if_else,
  if_value,
  type Local,
  load,
  mul,
  op,
  shuffle32,
  v128_zero,
  while_loop,
} from './assembler.ts'
import { bytes_of, load_element, store_element } from './element.ts'
import type { KernelWriter, Scope } from './kernel_writer.ts'
import { literal, scalar_cast, scalar_prim, value_type } from './scalar.ts'
import {
  extract,
  extremum,
  from_lanes,
  horizontal,
  is_native,
  is_wide,
  LANES,
  not_numbers,
  splat,
  type Vec,
  type VectorContext,
  vector_cast,
  vector_load,
  vector_prim,
  vector_store,
} from './vector.ts'
import { type ForStmt, lane_affine, type Plan, vector_plan } from './vector_plan.ts'
import { shared_nodes } from './walk.ts'

/**
 * The code that does the iterations of `s` from counter `i` on in vectors, as many as fill vectors, and leaves `i`
 * at the first that is left; null where the loop is better done one by one.
 */
export function vector_loop(k: KernelWriter, s: ForStmt, i: Local, end: Local): Code | null {
  const plan = vector_plan(s)
  return plan && new VectorLoop(k, s, i, end, plan).code()
}

// ------------------------------------------------------------------------------------------ code

/** A pointer to the element of the first lane, and how far apart the lanes are in bytes. */
type Pointer = { readonly at: Code; readonly stride: number | Code }

class VectorLoop implements VectorContext {
  readonly relaxed: boolean
  readonly #k: KernelWriter
  readonly #s: ForStmt
  readonly #i: Local
  readonly #end: Local
  readonly #plan: Plan
  /** Runs once, before the rounds. */
  readonly #prologue: Scope
  readonly #hoisted = new Map<Expr, Local>()
  readonly #constants = new Map<string, Local>()
  readonly #hoisted_scalars = new Map<Expr, Local>()
  /** Pointers that move on with each round, by what they point at. */
  readonly #pointers = new Map<string, { readonly local: Local; readonly stride: number | Local }>()
  readonly #accumulators = new Map<string, Local[]>()
  /** For each part of a minimum or maximum of floats, where a NaN was met. */
  readonly #not_numbers = new Map<string, Local[]>()
  /** Locals of the body, one for each part. */
  #locals = new Map<string, Local[]>()
  #lanes: number
  #memo = new Map<Expr, Vec>()

  constructor(k: KernelWriter, s: ForStmt, i: Local, end: Local, plan: Plan) {
    this.#k = k
    this.#s = s
    this.#i = i
    this.#end = end
    this.#plan = plan
    this.#lanes = plan.lanes
    this.relaxed = k.features.relaxed_simd
    const roots = plan.body.flatMap(own_expressions)
    this.#prologue = { code: [], shared: shared_nodes(roots), memo: new Map() }
  }

  code(): Code {
    for (const { var: acc, op: name } of this.#plan.accumulators.values()) this.#open_accumulator(acc, name)
    const widest = this.#plan.lanes
    const rounds = (widest > LANES ? [widest, LANES] : [LANES]).map(lanes => this.#rounds(lanes))
    const combined = [...this.#plan.accumulators.values()].map(a => this.#close_accumulator(a.var, a.op))
    const left = op('i32.sub', this.#end.get, this.#i.get)
    return if_else(op('i32.ge_s', left, i32(LANES)), [this.#prologue.code, rounds, combined])
  }

  /** Rounds of `lanes` iterations as long as there are so many left. */
  #rounds(lanes: number): Code {
    this.#lanes = lanes
    this.#locals = new Map()
    const limit = this.#k.local('i32')
    const body = this.#plan.body.map(s => this.#statement(s))
    const moves = [...this.#pointers.values()].map(p =>
      p.local.step(typeof p.stride === 'number' ? lanes * p.stride : mul(p.stride.get, lanes)),
    )
    return [
      limit.set(op('i32.sub', this.#end.get, i32(lanes - 1))),
      while_loop(op('i32.lt_s', this.#i.get, limit.get), ...body, ...moves, this.#i.step(lanes)),
    ]
  }

  // ---------------------------------------------------------------------------------------- reductions

  /** Idempotent reductions start from the value so far, the others from their neutral element. */
  #open_accumulator(acc: Expr, name: PrimName): void {
    const neutral =
      name === 'add' ? (acc.type === 'f32' || acc.type === 'f64' ? -0 : 0) : name === 'mul' ? 1 : 0
    const keeps = name === 'min' || name === 'max' || name === 'and' || name === 'or'
    const start = keeps
      ? this.#k.variable(acc).get
      : literal(acc.type, acc.type === 'i64' ? BigInt(neutral) : neutral)
    const parts = this.#parts(acc.type).map(() => this.#k.local('v128'))
    this.#prologue.code.push(...parts.map(p => p.set(splat(acc.type, start))))
    this.#accumulators.set(acc.arg as string, parts)
    if (!is_float_extremum(acc, name)) return
    const nans = parts.map(() => this.#k.local('v128'))
    this.#prologue.code.push(...nans.map((n, i) => n.set(not_numbers(acc.type, parts[i]!.get))))
    this.#not_numbers.set(acc.arg as string, nans)
  }

  /** A step of a minimum or maximum of floats: NaNs are only noted, which keeps the steps short. */
  #extremum(acc: Expr, name: 'min' | 'max', value: Expr): Code {
    const other = value.src.find(e => !(e.op === 'var' && e.arg === acc.arg))!
    const nans = this.#not_numbers.get(acc.arg as string)!
    const parts = this.#variable(acc)
    return this.save(this.#vector(other)).map((x, j) => [
      nans[j]!.set(op('v128.or', nans[j]!.get, not_numbers(acc.type, x))),
      parts[j]!.set(extremum(acc.type, name, parts[j]!.get, x)),
    ])
  }

  #close_accumulator(acc: Expr, name: PrimName): Code {
    const parts = this.#accumulators.get(acc.arg as string)!
    const total = this.#k.variable(acc)
    const node = new Expr(name, acc.type, [acc, acc])
    const one = parts[0]!
    const scalar = (a: Code, b: Code): Code => scalar_prim(this.#k, name, acc.type, [a, b])
    const nans = this.#not_numbers.get(acc.arg as string)
    return [
      nans?.map((n, j) =>
        parts[j]!.set(op('v128.bitselect', this.#k.constant(acc.type, Number.NaN), parts[j]!.get, n.get)),
      ) ?? [],
      parts.slice(1).map(p => one.set(vector_prim(this, node, [[one.get], [p.get]])[0]!)),
      total.set(scalar(total.get, horizontal(acc.type, one.get, scalar))),
    ]
  }

  // ---------------------------------------------------------------------------------------- statements

  #statement(s: Stmt): Code {
    switch (s.kind) {
      case 'declare':
      case 'assign':
        return this.#scoped([s.value], () => {
          if (this.#not_numbers.has(s.var.arg as string))
            return this.#extremum(s.var, s.value.op as 'min' | 'max', s.value)
          const target = this.#variable(s.var)
          return this.#vector(s.value).map((part, j) => target[j]!.set(part))
        })
      case 'store':
        return this.#scoped([s.index, s.value], () => this.#store(s.buffer, s.index, this.#vector(s.value)))
      default:
        throw new Error(`${s.kind} in a vector loop`)
    }
  }

  #scoped(roots: readonly Expr[], write: () => Code): Code {
    const outer = this.#memo
    this.#memo = new Map()
    const code = this.#k.scoped(roots, write)
    this.#memo = outer
    return code
  }

  /** The locals of a variable of the body, one for each part. */
  #variable(e: Expr): readonly Local[] {
    const name = e.arg as string
    const accumulator = this.#accumulators.get(name)
    if (accumulator) return accumulator.slice(0, this.#parts(e.type).length)
    let locals = this.#locals.get(name)
    if (locals === undefined)
      this.#locals.set(name, (locals = this.#parts(e.type).map(() => this.#k.local('v128'))))
    return locals
  }

  #parts(type: ScalarType): number[] {
    return Array.from({ length: this.#lanes / (is_wide(type) ? 2 : 4) }, (_, i) => i)
  }

  get #each_lane(): number[] {
    return Array.from({ length: this.#lanes }, (_, i) => i)
  }

  // ---------------------------------------------------------------------------------------- expressions

  #vector(e: Expr): Vec {
    const known = this.#memo.get(e)
    if (known) return known
    const value = this.#evaluate(e)
    if (!this.#k.scope.shared.has(e)) return value
    const saved = this.save(value)
    this.#memo.set(e, saved)
    return saved
  }

  #evaluate(e: Expr): Vec {
    if (e.op === 'const') return this.#parts(e.type).map(() => this.constant(e.type, e.arg as number))
    if (!this.#plan.varies(e)) {
      const same = this.#hoist(e).get
      return this.#parts(e.type).map(() => same)
    }
    switch (e.op) {
      case 'var':
        return e.arg === this.#s.var.arg ? this.#counter() : this.#variable(e).map(p => p.get)
      case 'load':
        return this.#load(e)
      case 'bitcast':
        return this.#vector(e.src[0]!)
      default: {
        const x = e.src.map(s => this.#vector(s))
        if (!is_native(e, this)) return this.#lane_by_lane(e, x)
        return e.op === 'cast' ? vector_cast(this, e.src[0]!.type, e.type, x[0]!) : vector_prim(this, e, x)
      }
    }
  }

  #counter(): Vec {
    return this.#parts('index').map(p =>
      op('i32x4.add', op('i32x4.splat', this.#i.get), i32x4(4 * p, 4 * p + 1, 4 * p + 2, 4 * p + 3)),
    )
  }

  #lane_by_lane(e: Expr, x: readonly Vec[]): Vec {
    const saved = x.map(v => this.save(v))
    const type = e.src[e.src.length - 1]!.type
    const lanes = this.#each_lane.map(l => {
      const scalars = saved.map((v, j) => extract(e.src[j]!.type, v, l))
      return e.op === 'cast'
        ? scalar_cast(this.#k, type, e.type, scalars[0]!)
        : scalar_prim(this.#k, e.op as PrimName, type, scalars)
    })
    return from_lanes(e.type, lanes)
  }

  save(x: Vec): Vec {
    return x.map(part => {
      if (part.length === 2 && part[0] === 0x20) return part // already a local
      const local = this.#k.local('v128')
      this.#k.scope.code.push(local.set(part))
      return local.get
    })
  }

  /** Zeros are made on the spot; other constants are loaded before the rounds, and stay in registers as room allows. */
  constant(type: ScalarType, value: number | bigint | boolean): Code {
    if (Object.is(value, 0) || value === 0n || value === false) return v128_zero
    const key = `${type} ${Object.is(value, -0) ? '-0' : value}`
    let local = this.#constants.get(key)
    if (local === undefined) {
      this.#constants.set(key, (local = this.#k.local('v128')))
      this.#prologue.code.push(local.set(this.#k.constant(type, value)))
    }
    return local.get
  }

  is_invariant(e: Expr): boolean {
    return !this.#plan.varies(e)
  }

  invariant(e: Expr): Code {
    if (e.op === 'const') return this.#k.scalar(e)
    let local = this.#hoisted_scalars.get(e)
    if (local === undefined) {
      this.#hoisted_scalars.set(e, (local = this.#k.local(value_type(e.type))))
      this.#before(() => local!.set(this.#k.scalar(e)))
    }
    return local.get
  }

  #hoist(e: Expr): Local {
    let local = this.#hoisted.get(e)
    if (local === undefined) {
      this.#hoisted.set(e, (local = this.#k.local('v128')))
      this.#before(() => local!.set(splat(e.type, this.#k.scalar(e))))
    }
    return local
  }

  #before(write: () => Code): void {
    const inner = this.#k.scope
    this.#k.scope = this.#prologue
    const code = write()
    this.#prologue.code.push(code)
    this.#k.scope = inner
  }

  // ---------------------------------------------------------------------------------------- memory

  /** Where the lanes' elements are, or null where they are just anywhere. */
  #pointer(buffer: Buffer, index: Expr): Pointer | null {
    const a = lane_affine(index, this.#s.var.arg as string, this.#plan.varies)
    if (a === null) return null
    const size = buffer.dtype.itemsize
    const steps = [0, 1, 2].find(n => is_constant(a.coefficient, n))
    const fixed = steps === undefined ? null : steps * size
    const key = `${buffer.name} ${text(a.coefficient)} ${text(a.rest)}`
    let known = this.#pointers.get(key)
    if (known === undefined) {
      const local = this.#k.local('i32')
      const stride = fixed ?? this.#k.local('i32')
      known = { local, stride }
      this.#pointers.set(key, known)
      this.#before(() => [
        local.set(this.#k.address(buffer, index)),
        typeof stride === 'number' ? [] : stride.set(bytes_of(this.#k.scalar(a.coefficient), size)),
      ])
    }
    return { at: known.local.get, stride: typeof known.stride === 'number' ? known.stride : known.stride.get }
  }

  /** The address of each lane's element. */
  #addresses(buffer: Buffer, index: Expr): readonly Code[] {
    const p = this.#pointer(buffer, index)
    if (p !== null) {
      const { stride } = p
      return this.#each_lane.map(l =>
        add(p.at, typeof stride === 'number' ? l * stride : l === 0 ? 0 : mul(stride, l)),
      )
    }
    const at = this.save(this.#vector(index))
    return this.#each_lane.map(l => this.#k.element_address(buffer, extract('index', at, l)))
  }

  #load(e: Expr): Vec {
    const buffer = e.arg as Buffer
    const [index, guard, otherwise] = e.src as [Expr, Expr | undefined, Expr | undefined]
    const p = this.#pointer(buffer, index)
    const size = buffer.dtype.itemsize
    const is_unit = p?.stride === size
    if (is_unit && guard === undefined) return vector_load(buffer.dtype, p.at, this.#lanes)
    if (is_unit && guard && otherwise && this.is_invariant(guard)) {
      const condition = this.invariant(guard)
      const rest = this.save(this.#vector(otherwise))
      return vector_load(buffer.dtype, p.at, this.#lanes).map((part, j) =>
        if_value('v128', condition, part, rest[j]!),
      )
    }
    if (guard === undefined && size === 4 && p?.stride === 8) return every_other(p.at, this.#lanes)
    const elements = this.#addresses(buffer, index).map(at => load_element(buffer.dtype, at))
    if (guard === undefined) return from_lanes(e.type, elements)
    const conditions = this.#lane_scalars(guard)
    const rest = this.#lane_scalars(otherwise!)
    return from_lanes(
      e.type,
      elements.map((x, l) => if_value(value_type(e.type), conditions[l]!, x, rest[l]!)),
    )
  }

  /** A value as one scalar for each lane. */
  #lane_scalars(e: Expr): readonly Code[] {
    if (this.is_invariant(e)) return this.#each_lane.map(() => this.invariant(e))
    const saved = this.save(this.#vector(e))
    return this.#each_lane.map(l => extract(e.type, saved, l))
  }

  #store(buffer: Buffer, index: Expr, value: Vec): Code {
    const p = this.#pointer(buffer, index)
    if (p?.stride === buffer.dtype.itemsize) return vector_store(this, buffer.dtype, p.at, value)
    const type = this.#stored_type(buffer)
    const saved = this.save(value)
    return this.#addresses(buffer, index).map((at, l) =>
      store_element(buffer.dtype, at, extract(type, saved, l)),
    )
  }

  /** The type of values that are stored to a buffer; 16-bit floats are stored as their bits. */
  #stored_type(buffer: Buffer): ScalarType {
    switch (buffer.dtype.name) {
      case 'float32':
        return 'f32'
      case 'float64':
        return 'f64'
      case 'int64':
        return 'i64'
      case 'bool':
        return 'bool'
      default:
        return 'i32'
    }
  }
}

const is_float_extremum = (acc: Expr, name: PrimName): boolean =>
  (name === 'min' || name === 'max') && (acc.type === 'f32' || acc.type === 'f64')

/** Every other element of 4 bytes; nothing beyond the last is read. */
const every_other = (at: Code, lanes: number): Vec =>
  Array.from({ length: lanes / 4 }, (_, i) => {
    const [low, high] = [load('v128.load', at, 32 * i), load('v128.load', at, 32 * i + 12)]
    return shuffle32(low, high, [0, 2, 5, 7])
  })

/** An index expression as text: equal for equal expressions. */
function text(e: Expr): string {
  const arg = e.op === 'param' || e.op === 'load' ? (e.arg as { name: string }).name : String(e.arg)
  return `${e.op}:${e.type}:${arg}(${e.src.map(text).join()})`
}
