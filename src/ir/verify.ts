// The rules of the kernel IR, checked: types of operands, names in scope, what loops of each mode may write, which
// buffers may be read and written. Run after every pass in tests and by the interpreter; off in production.
// Not here: whether indices stay in bounds, which only a run can tell (ir/interpret.ts).
import { type Expr, type ExprArg, topological } from './expr.ts'
import type { Buffer, Kernel, LoopMode, Param, Stmt } from './kernel.ts'
import { type PrimName, prims } from './prims.ts'
import { print_expr } from './print.ts'
import { compute_type, type ScalarType } from './types.ts'

const LOOP_MODES: readonly LoopMode[] = ['parallel', 'vector', 'reduce', 'serial']
const SCALAR_TYPES: readonly ScalarType[] = ['f32', 'f64', 'i32', 'i64', 'bool', 'index']
/** The operations that may be taken in any order. */
const ASSOCIATIVE: readonly string[] = ['add', 'mul', 'min', 'max', 'and', 'or', 'xor']
const ACCESS: readonly Buffer['access'][] = ['in', 'out', 'inout']

/**
 * Throws an Error that names the kernel, the statement's place (such as `for i / store out`) and the fault. What is
 * checked, beyond types: every variable is declared before use, in scope and under a name of its own; only declared
 * locals are assigned; parallel loops are outermost or directly inside of others, vector loops innermost; iterations of parallel and vector loops
 * assign no local from outside; those of reduce loops store nothing and assign one only as `acc = acc op e`.
 */
export function verify(kernel: Kernel): void {
  new Verifier(kernel).run()
}

type Variable = { readonly expr: Expr; readonly kind: 'counter' | 'local'; readonly depth: number }

class Verifier {
  readonly #kernel: Kernel
  readonly #buffers: ReadonlySet<ExprArg>
  readonly #params: ReadonlySet<ExprArg>
  /** Nodes whose types were checked. */
  readonly #well_typed = new Set<Expr>()
  readonly #scope = new Map<string, Variable>()
  readonly #names = new Set<string>()
  /** The loops around the statement, outermost first. */
  readonly #loops: (LoopMode | 'while')[] = []
  readonly #path: string[] = []

  constructor(kernel: Kernel) {
    this.#kernel = kernel
    this.#buffers = new Set(kernel.buffers)
    this.#params = new Set(kernel.params)
  }

  run(): void {
    const { buffers, params, body } = this.#kernel
    const operands = new Set<string>()
    for (const buffer of buffers) {
      this.#require(!buffer.dtype.is_complex, `buffer ${buffer.name}: complex numbers are passed as pairs`)
      this.#require(ACCESS.includes(buffer.access), `buffer ${buffer.name}: unknown access ${buffer.access}`)
      this.#require(!operands.has(buffer.name), `two operands are called ${buffer.name}`)
      operands.add(buffer.name)
    }
    for (const param of params) {
      this.#require(!operands.has(param.name), `two operands are called ${param.name}`)
      operands.add(param.name)
      this.#param(param)
    }
    this.#block(body)
  }

  #param({ name, type, source }: Param): void {
    this.#require(SCALAR_TYPES.includes(type), `param ${name}: unknown type ${type}`)
    if (source.kind === 'value') return
    this.#require(type === 'index', `param ${name}: a ${source.kind} is an index, not ${type}`)
    const buffer = this.#kernel.buffers[source.buffer]
    this.#require(buffer !== undefined, `param ${name}: there is no buffer ${source.buffer}`)
  }

  #fault(fault: string): Error {
    const place = this.#path.length > 0 ? `${this.#path.join(' / ')}: ` : ''
    return new Error(`kernel ${this.#kernel.name}: ${place}${fault}`)
  }

  #require(holds: boolean, fault: string): void {
    if (!holds) throw this.#fault(fault)
  }

  // ------------------------------------------------------------------------------------------ statements

  #block(body: readonly Stmt[]): void {
    const declared: string[] = []
    for (const stmt of body) {
      this.#path.push(place_of(stmt))
      this.#statement(stmt, declared)
      this.#path.pop()
    }
    for (const name of declared) this.#scope.delete(name)
  }

  #statement(stmt: Stmt, declared: string[]): void {
    switch (stmt.kind) {
      case 'for':
        this.#for(stmt)
        break
      case 'while':
        this.#expr(stmt.cond, 'bool', 'the condition')
        this.#loop('while', stmt.body)
        break
      case 'if':
        this.#expr(stmt.cond, 'bool', 'the condition')
        this.#block(stmt.then)
        this.#block(stmt.else)
        break
      case 'declare':
        this.#expr(stmt.value, stmt.var.type, 'the value')
        declared.push(this.#declare(stmt.var, 'local'))
        break
      case 'assign':
        this.#assign(stmt.var, stmt.value)
        break
      case 'store':
        this.#store(stmt)
        break
      default:
        throw this.#fault(`unknown statement ${(stmt as Stmt).kind}`)
    }
  }

  #store({ buffer, index, value }: Stmt & { kind: 'store' }): void {
    this.#require(this.#buffers.has(buffer), `${buffer.name} is not a buffer of the kernel`)
    this.#require(buffer.access !== 'in', `${buffer.name} is read-only`)
    this.#require(!this.#loops.includes('reduce'), 'a store inside a reduce loop')
    this.#expr(index, 'index', 'the index')
    this.#expr(value, compute_type(buffer.dtype), 'the value')
  }

  #for(stmt: Stmt & { kind: 'for' }): void {
    const { mode, size, body } = stmt
    this.#require(LOOP_MODES.includes(mode), `unknown loop mode ${mode}`)
    this.#expr(size, 'index', 'the size')
    this.#require(stmt.var.type === 'index', `a loop counter is an index, not ${stmt.var.type}`)
    if (mode === 'parallel')
      this.#require(
        this.#loops.every(outer => outer === 'parallel'),
        'a parallel loop inside a loop that is not',
      )
    if (mode === 'vector') this.#require(!has_loop(body), 'a vector loop with a loop inside')
    // the counter belongs to the body: one deeper than the loop
    const name = this.#declare(stmt.var, 'counter', this.#loops.length + 1)
    this.#loop(mode, body)
    this.#scope.delete(name)
  }

  #loop(mode: LoopMode | 'while', body: readonly Stmt[]): void {
    this.#loops.push(mode)
    this.#block(body)
    this.#loops.pop()
  }

  #declare(expr: Expr, kind: Variable['kind'], depth: number = this.#loops.length): string {
    this.#require(expr.op === 'var', `${kind} is a ${expr.op}, not a var`)
    const name = String(expr.arg)
    this.#require(!this.#names.has(name), `${name} is declared twice`)
    this.#names.add(name)
    this.#scope.set(name, { expr, kind, depth })
    return name
  }

  #assign(target: Expr, value: Expr): void {
    this.#require(target.op === 'var', `assigns a ${target.op}, not a var`)
    const found = this.#scope.get(String(target.arg))
    if (found === undefined) throw this.#fault(`${target.arg} is not declared here`)
    this.#require(found.kind === 'local', `${target.arg} is a loop counter`)
    this.#expr(target, found.expr.type, 'the variable')
    this.#expr(value, target.type, 'the value')
    for (const mode of this.#loops.slice(found.depth)) {
      if (mode === 'parallel' || mode === 'vector')
        throw this.#fault(`${target.arg} is declared outside of the ${mode} loop`)
      if (mode === 'reduce')
        this.#require(
          is_accumulation(target, value),
          `${target.arg} is assigned in a reduce loop, but not as ${target.arg} op e: ${print_expr(value)}`,
        )
    }
  }

  // ----------------------------------------------------------------------------------------- expressions

  /** Checks an expression used here, as something of `type`. */
  #expr(root: Expr, type: ScalarType, role: string): void {
    for (const node of topological(root)) {
      if (node.op === 'var') this.#in_scope(node)
      if (this.#well_typed.has(node)) continue
      this.#node(node)
      this.#well_typed.add(node)
    }
    this.#require(root.type === type, `${role} is ${root.type}, not ${type}: ${print_expr(root)}`)
  }

  #in_scope(node: Expr): void {
    const found = this.#scope.get(String(node.arg))
    if (found === undefined) throw this.#fault(`${node.arg} is not declared here`)
    const { type } = found.expr
    this.#require(type === node.type, `${node.arg} was declared as ${type} but is used as ${node.type}`)
  }

  #node(node: Expr): void {
    const require = (holds: boolean, fault: string): void => {
      if (!holds) throw this.#fault(`${fault}: ${print_expr(node)}`)
    }
    const { op, type, src, arg } = node
    require(SCALAR_TYPES.includes(type), `unknown type ${type}`)
    switch (op) {
      case 'const':
        require(is_value_of(type, arg), `a constant that is no ${type}`)
        break
      case 'param':
        require(this.#params.has(arg), 'a param that the kernel does not have')
        require((arg as Param).type === type, `a param of type ${(arg as Param).type} used as ${type}`)
        break
      case 'var':
        break
      case 'load':
        this.#load(node, require)
        break
      case 'cast':
        require(src.length === 1, `a cast of ${src.length} operands`)
        break
      case 'bitcast':
        require(src.length === 1, `a bitcast of ${src.length} operands`)
        require(bit_width[src[0]!.type] === bit_width[type], `the bits of ${src[0]!.type} read as ${type}`)
        break
      default:
        check_prim(node, require)
    }
  }

  #load({ type, src, arg }: Expr, require: Require): void {
    const buffer = arg as Buffer
    const [index, guard, otherwise] = src
    require(this.#buffers.has(buffer), 'a load from what is not a buffer of the kernel')
    require(buffer.access !== 'out', `${buffer.name} is write-only`)
    const expected = compute_type(buffer.dtype)
    require(type === expected, `${buffer.dtype} loads as ${expected}, not ${type}`)
    require(src.length === 1 || src.length === 3, `a load of ${src.length} operands`)
    require(index!.type === 'index', `an index of type ${index!.type}`)
    if (guard === undefined || otherwise === undefined) return
    require(guard.type === 'bool', `a guard of type ${guard.type}`)
    require(otherwise.type === type, `a load of ${type} that otherwise gives ${otherwise.type}`)
  }
}

type Require = (holds: boolean, fault: string) => void

/** Operands and result of a primitive against its row. */
function check_prim({ op, type, src }: Expr, require: Require): void {
  require(Object.hasOwn(prims, op), `unknown operation ${op}`)
  const { arity, operand, result, on } = prims[op as PrimName]
  require(src.length === arity, `${op} takes ${arity} operands, not ${src.length}`)
  const operands = operand === 'rest' ? src.slice(1) : src
  if (operand === 'rest') require(src[0]!.type === 'bool', `the condition is ${src[0]!.type}`)
  const on_type = operands[0]!.type
  require(operands.every(x => x.type === on_type), `${op} of ${operands.map(x => x.type).join(', ')}`)
  require(on.includes(on_type), `${op} has no meaning on ${on_type}`)
  const expected = result === 'bool' ? 'bool' : on_type
  require(type === expected, `${op} gives ${expected}, not ${type}`)
}

const bit_width: Partial<Record<ScalarType, number>> = {
  f32: 32,
  i32: 32,
  f64: 64,
  i64: 64,
  bool: 1,
  index: 0,
}

function place_of(stmt: Stmt): string {
  switch (stmt.kind) {
    case 'for':
    case 'declare':
    case 'assign':
      return `${stmt.kind} ${String(stmt.var.arg)}`
    case 'store':
      return `store ${stmt.buffer.name}`
    default:
      return stmt.kind
  }
}

function has_loop(body: readonly Stmt[]): boolean {
  return body.some(s => {
    if (s.kind === 'for' || s.kind === 'while') return true
    return s.kind === 'if' && (has_loop(s.then) || has_loop(s.else))
  })
}

/** acc op e, e op acc, or fma(a, b, acc), where the rest does not read acc. */
function is_accumulation(acc: Expr, value: Expr): boolean {
  const is_acc = (e: Expr): boolean => e.op === 'var' && e.arg === acc.arg
  if (!ASSOCIATIVE.includes(value.op) && value.op !== 'fma') return false
  const at = value.op === 'fma' ? (is_acc(value.src[2]!) ? 2 : -1) : value.src.findIndex(is_acc)
  return at >= 0 && !topological(...value.src.filter((_, i) => i !== at)).some(is_acc)
}

function is_value_of(type: ScalarType, x: ExprArg): boolean {
  switch (type) {
    case 'bool':
      return typeof x === 'boolean'
    case 'i64':
      return typeof x === 'bigint' && BigInt.asIntN(64, x) === x
    case 'i32':
      return typeof x === 'number' && (x | 0) === x
    case 'index':
      return Number.isSafeInteger(x)
    case 'f32':
      return typeof x === 'number' && Object.is(Math.fround(x), x)
    case 'f64':
      return typeof x === 'number'
    default:
      return false
  }
}
