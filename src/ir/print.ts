// Kernels as text, for TSTORCH_DEBUG, error messages and golden tests. Variables are renamed in order of appearance, so
// that the same kernel prints the same text in every run. Not here: source code for a target (render/).
import { type Expr, topological } from './expr.ts'
import type { Buffer, Kernel, Param, Stmt } from './kernel.ts'

const INFIX: Readonly<Record<string, string>> = {
  add: '+',
  sub: '-',
  mul: '*',
  div: '/',
  floordiv: '//',
  mod: '%',
  and: '&',
  or: '|',
  xor: '^',
  shl: '<<',
  shr: '>>',
  ushr: '>>>',
  eq: '==',
  ne: '!=',
  lt: '<',
  le: '<=',
  gt: '>',
  ge: '>=',
}
const PREFIX: Readonly<Record<string, string>> = { neg: '-', not: '!' }

/** A kernel as readable text, ending in a newline. Names of variables depend on the kernel alone. */
export function print_kernel(kernel: Kernel): string {
  const buffers = kernel.buffers.map(b => `  ${b.access} ${b.name}: ${b.dtype.name}\n`)
  const params = kernel.params.map(p => `  param ${p.name}: ${p.type} = ${source_of(p, kernel.buffers)}\n`)
  const printer = new Printer()
  printer.block(kernel.body, 1)
  return `kernel ${kernel.name}\n${buffers.join('')}${params.join('')}${printer.text}`
}

/** One expression on one line, as a tree; long ones are cut. */
export function print_expr(e: Expr): string {
  return new Printer((name, _) => name).expr(e, 4)
}

function source_of({ source }: Param, buffers: readonly Buffer[]): string {
  switch (source.kind) {
    case 'value':
      return 'value'
    case 'numel':
      return `numel(${buffers[source.buffer]?.name})`
    default:
      return `${source.kind}(${buffers[source.buffer]?.name}, ${source.dim})`
  }
}

class Printer {
  text = ''
  readonly #names = new Map<string, string>()
  readonly #counts = new Map<string, number>()
  readonly #rename: (name: string, fresh: () => string) => string
  /** Nodes that were given a name because a statement uses them more than once. */
  readonly #shared = new Map<Expr, string>()

  constructor(rename: (name: string, fresh: () => string) => string = (_, fresh) => fresh()) {
    this.#rename = rename
  }

  block(body: readonly Stmt[], depth: number): void {
    for (const stmt of body) this.#statement(stmt, depth)
  }

  #line(depth: number, text: string): void {
    this.text += `${'  '.repeat(depth)}${text}\n`
  }

  #statement(stmt: Stmt, depth: number): void {
    switch (stmt.kind) {
      case 'for':
        this.#share(depth, stmt.size)
        this.#line(depth, `${stmt.mode} ${this.expr(stmt.var)} < ${this.expr(stmt.size)}`)
        this.block(stmt.body, depth + 1)
        break
      case 'while':
        // evaluated again each time round, so it is printed whole
        this.#shared.clear()
        this.#line(depth, `while ${this.expr(stmt.cond)}`)
        this.block(stmt.body, depth + 1)
        break
      case 'if':
        this.#share(depth, stmt.cond)
        this.#line(depth, `if ${this.expr(stmt.cond)}`)
        this.block(stmt.then, depth + 1)
        if (stmt.else.length === 0) break
        this.#line(depth, 'else')
        this.block(stmt.else, depth + 1)
        break
      case 'declare':
        this.#share(depth, stmt.value)
        this.#line(depth, `${this.expr(stmt.var)}: ${stmt.var.type} = ${this.expr(stmt.value)}`)
        break
      case 'assign':
        this.#share(depth, stmt.value)
        this.#line(depth, `${this.expr(stmt.var)} = ${this.expr(stmt.value)}`)
        break
      case 'store':
        this.#share(depth, stmt.index, stmt.value)
        this.#line(depth, `${stmt.buffer.name}[${this.expr(stmt.index)}] = ${this.expr(stmt.value)}`)
    }
  }

  /** Prints what the statement uses more than once as lines of its own, named %0, %1, ... */
  #share(depth: number, ...roots: readonly Expr[]): void {
    const order = topological(...roots)
    const uses = new Map<Expr, number>()
    for (const node of order) for (const s of node.src) uses.set(s, (uses.get(s) ?? 0) + 1)
    this.#shared.clear()
    for (const node of order) {
      if (node.src.length === 0 || (uses.get(node) ?? 0) < 2) continue
      const text = this.expr(node)
      const name = this.#fresh('%')
      this.#line(depth, `${name} = ${text}`)
      this.#shared.set(node, name)
    }
  }

  #fresh(prefix: string): string {
    const n = this.#counts.get(prefix) ?? 0
    this.#counts.set(prefix, n + 1)
    return `${prefix}${n}`
  }

  #name(name: string): string {
    let renamed = this.#names.get(name)
    if (renamed === undefined) {
      renamed = this.#rename(name, () => this.#fresh(name.replace(/\d+$/, '')))
      this.#names.set(name, renamed)
    }
    return renamed
  }

  expr(e: Expr, depth = Infinity): string {
    const shared = this.#shared.get(e)
    if (shared !== undefined) return shared
    if (depth === 0 && e.src.length > 0) return '...'
    const src = e.src.map(s => this.expr(s, depth - 1))
    const inner = e.src.map((s, i) => (this.#is_compound(s) ? `(${src[i]})` : src[i]))
    switch (e.op) {
      case 'const':
        return literal(e)
      case 'param':
        return (e.arg as Param).name
      case 'var':
        return this.#name(e.arg as string)
      case 'load': {
        const read = `${(e.arg as Buffer).name}[${src[0]}]`
        return src.length === 1 ? read : `${inner[1]} ? ${read} : ${inner[2]}`
      }
      case 'cast':
        return `${e.type}(${src[0]})`
      case 'bitcast':
        return `bits_${e.type}(${src[0]})`
      default:
        if (e.op in INFIX && src.length === 2) return `${inner[0]} ${INFIX[e.op]} ${inner[1]}`
        if (e.op in PREFIX && src.length === 1) return `${PREFIX[e.op]}${inner[0]}`
        return `${e.op}(${src.join(', ')})`
    }
  }

  /** Whether its text needs parentheses as an operand. */
  #is_compound(e: Expr): boolean {
    if (this.#shared.has(e)) return false
    return e.op in INFIX || (e.op === 'load' && e.src.length > 1)
  }
}

/** 1.0 for floats, 1n for i64, 1 for the others. */
function literal(e: Expr): string {
  const { arg } = e
  if (typeof arg === 'bigint') return `${arg}n`
  if (typeof arg !== 'number' || (e.type !== 'f32' && e.type !== 'f64')) return String(arg)
  if (Object.is(arg, -0)) return '-0.0'
  const text = e.type === 'f32' ? shortest_f32(arg) : String(arg)
  return /^-?\d+$/.test(text) ? `${text}.0` : text
}

/** The fewest digits that read back as the same float32. */
function shortest_f32(x: number): string {
  for (let digits = 1; digits < 10; digits++) {
    const text = String(Number(x.toPrecision(digits)))
    if (Math.fround(Number(text)) === x) return text
  }
  return String(x)
}
