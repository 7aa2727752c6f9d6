// Writes one lowered kernel as a WebAssembly function: declarations, loops, ifs, assignments and stores, scalar ones here.
// Not here: loops in lanes (vector_loop.ts), expressions (scalar.ts), the module around it (render.ts).
import type { Expr } from '../../ir/expr.ts'
import type { Buffer, Param, Stmt } from '../../ir/kernel.ts'
import type { PrimName } from '../../ir/prims.ts'
import type { ScalarType } from '../../ir/types.ts'
import {
  add,
  block,
  br,
  br_if,
  type Code,
  type Func,
  i32,
  if_else,
  if_value,
  type Local,
  lane,
  load,
  loop,
  type ModuleBuilder,
  op,
  store,
  type ValueType,
  while_loop,
} from './assembler.ts'
import { bytes_of, load_element, store_element } from './element.ts'
import {
  define_helper,
  type Helper,
  literal,
  type ScalarContext,
  scalar_bitcast,
  scalar_cast,
  scalar_prim,
  value_type,
} from './scalar.ts'
import { vector_loop } from './vector_loop.ts'
import type { ForStmt } from './vector_plan.ts'
import { shared_nodes } from './walk.ts'

export type Features = {
  readonly relaxed_simd: boolean
  /** Whether relaxed SIMD rounds a product and sum once. */
  readonly fused_madd?: boolean
  /** Whether the memory that modules import is shared among threads. */
  readonly shared_memory?: boolean
}

/** Code in the making: values that are used more than once go to locals, which `code` sets before they are read. */
export type Scope = {
  readonly code: Code[]
  readonly shared: ReadonlySet<Expr>
  readonly memo: Map<Expr, Code>
}

export class KernelWriter implements ScalarContext {
  readonly features: Features
  readonly #module: ModuleBuilder
  readonly #f: Func
  readonly #helpers = new Map<Helper, Func>()
  readonly #constants = new Map<string, { readonly offset: number; readonly set: Code }>()
  #constant_bytes: number
  readonly buffers: Map<Buffer, Local> = new Map()
  readonly params: Map<Param, Local> = new Map()
  readonly vars: Map<string, Local> = new Map()
  scope: Scope = { code: [], shared: new Set(), memo: new Map() }

  /** `constants_at`: where the function's argument block has room for constants. */
  constructor(module: ModuleBuilder, f: Func, features: Features, constants_at: number) {
    this.#module = module
    this.#f = f
    this.features = features
    this.#constant_bytes = constants_at
  }

  local(type: ValueType): Local {
    return this.#f.local(type)
  }

  helper(name: Helper): Func {
    let f = this.#helpers.get(name)
    if (f === undefined) this.#helpers.set(name, (f = define_helper(this.#module, name)))
    return f
  }

  fma(type: 'f32' | 'f64', a: Code, b: Code, c: Code): Code {
    if (!this.features.relaxed_simd) return op(`${type}.add`, op(`${type}.mul`, a, b), c)
    // as in the vector unit, so that the same operands give the same result in a loop's tail
    const s = type === 'f32' ? 'f32x4' : 'f64x2'
    const [x, y, z] = [a, b, c].map(v => op(`${s}.splat`, v)) as [Code, Code, Code]
    return lane(`${s}.extract_lane`, 0, op(`${s}.relaxed_madd`, x, y, z))
  }

  get argument_bytes(): number {
    return this.#constant_bytes
  }

  /** A constant in all lanes, read from the argument block: engines rebuild a v128.const wherever it is used. */
  constant(type: ScalarType, value: number | bigint | boolean): Code {
    const t = value_type(type)
    const size = t === 'f64' || t === 'i64' ? 8 : 4
    const bits = type === 'bool' ? i32(value ? -1 : 0) : literal(type, value)
    const key = `${t} ${bits.flat(9).join()}`
    let known = this.#constants.get(key)
    if (known === undefined) {
      const offset = Math.ceil(this.#constant_bytes / size) * size
      this.#constant_bytes = offset + size
      known = { offset, set: store(`${t}.store`, this.#f.params[0]!.get, bits, offset) }
      this.#constants.set(key, known)
    }
    return load(size === 8 ? 'v128.load64_splat' : 'v128.load32_splat', this.#f.params[0]!.get, known.offset)
  }

  /** The code that writes the constants, for the start of the function. */
  constant_setup(): Code {
    return [...this.#constants.values()].map(c => c.set)
  }

  // ---------------------------------------------------------------------------------------- expressions

  /** The code of `write` as a unit, with its own locals for what `roots` share. */
  scoped(roots: readonly Expr[], write: () => Code): Code {
    const outer = this.scope
    this.scope = { code: [], shared: shared_nodes(roots), memo: new Map() }
    const last = write()
    const { code } = this.scope
    this.scope = outer
    return [...code, last]
  }

  scalar(e: Expr): Code {
    const { code, shared, memo } = this.scope
    const known = memo.get(e)
    if (known !== undefined) return known
    const value = this.#scalar(e)
    if (!shared.has(e)) return value
    const local = this.local(value_type(e.type))
    code.push(local.set(value))
    memo.set(e, local.get)
    return local.get
  }

  #scalar(e: Expr): Code {
    switch (e.op) {
      case 'const':
        return literal(e.type, e.arg as number | bigint | boolean)
      case 'param':
        return this.params.get(e.arg as Param)!.get
      case 'var':
        return this.vars.get(e.arg as string)!.get
      case 'load': {
        const buffer = e.arg as Buffer
        const [index, guard, otherwise] = e.src
        if (guard === undefined) return load_element(buffer.dtype, this.address(buffer, index!))
        const condition = this.scalar(guard)
        const element = load_element(buffer.dtype, this.address(buffer, index!))
        return if_value(value_type(e.type), condition, element, this.scalar(otherwise!))
      }
      case 'cast':
        return scalar_cast(this, e.src[0]!.type, e.type, this.scalar(e.src[0]!))
      case 'bitcast':
        return scalar_bitcast(e.src[0]!.type, e.type, this.scalar(e.src[0]!))
      default: {
        const type = e.src[e.src.length - 1]!.type
        return scalar_prim(
          this,
          e.op as PrimName,
          type,
          e.src.map(s => this.scalar(s)),
        )
      }
    }
  }

  /** The byte address of an element. */
  address(buffer: Buffer, index: Expr): Code {
    return this.element_address(buffer, this.scalar(index))
  }

  element_address(buffer: Buffer, index: Code): Code {
    return add(this.buffers.get(buffer)!.get, bytes_of(index, buffer.dtype.itemsize))
  }

  // ---------------------------------------------------------------------------------------- statements

  statements(body: readonly Stmt[]): Code {
    return body.map(s => this.statement(s))
  }

  statement(s: Stmt): Code {
    switch (s.kind) {
      case 'declare':
      case 'assign':
        return this.scoped([s.value], () => this.variable(s.var).set(this.scalar(s.value)))
      case 'store':
        return this.scoped([s.index, s.value], () =>
          store_element(s.buffer.dtype, this.address(s.buffer, s.index), this.scalar(s.value)),
        )
      case 'if':
        return this.scoped([s.cond], () =>
          if_else(this.scalar(s.cond), this.statements(s.then), this.statements(s.else)),
        )
      case 'while': {
        const stop = this.scoped([s.cond], () => br_if(1, op('i32.eqz', this.scalar(s.cond))))
        return block(loop(stop, this.statements(s.body), br(0)))
      }
      case 'for': {
        const end = this.local('i32')
        return [this.scoped([s.size], () => end.set(this.scalar(s.size))), this.range(s, i32(0), end)]
      }
    }
  }

  /** The iterations of a loop from `begin` to `end`, as vectors where that pays. */
  range(s: ForStmt, begin: Code, end: Local): Code {
    const i = this.variable(s.var)
    const vectors = s.mode === 'serial' ? null : vector_loop(this, s, i, end)
    const scalars = while_loop(op('i32.lt_s', i.get, end.get), this.statements(s.body), i.step(1))
    return [i.set(begin), vectors ?? [], scalars]
  }

  /** The local of a loop counter or IR local. */
  variable(e: Expr): Local {
    const name = e.arg as string
    let local = this.vars.get(name)
    if (local === undefined) this.vars.set(name, (local = this.local(value_type(e.type))))
    return local
  }
}
