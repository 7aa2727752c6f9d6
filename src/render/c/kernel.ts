// Lowered kernels as C functions `i32 NAME(const f64 *args)`, which return 0. Loops whose iterations are independent are left to the
// compiler's vectoriser; reductions are written in lanes: an array of accumulators, which it keeps in vector registers.
// Not here: expressions (expr.ts), what is a reduction (loops.ts), compiling and calling (device/native/).
//
// args[0] and args[1] say which share of its work a call does, as fractions; a call for all of it has that shared among
// threads (share.ts) where it is much. One address per buffer follows, then the params in order (an i64 as its high
// signed and its low unsigned 32 bits).
import { Expr, topological } from '../../ir/expr.ts'
import type { Buffer, Kernel, Param, Stmt } from '../../ir/kernel.ts'
import {
  type Accumulator,
  accumulators_of,
  all_statements,
  assigned_names,
  has_loop,
  type Loop,
  looks_up,
  name_of,
  own_expressions,
  weight,
} from '../../lower/loops.ts'
import { type Cost, cost_of, split_nest } from '../../lower/split.ts'
import { c_type, element_type, print_expr, print_store } from './expr.ts'
import { PRELUDE } from './prelude.ts'

/** Where a kernel's operands begin in `args`. */
export const FIRST_ARGUMENT = 2

/** How many doubles of `args` a param takes. */
export const argument_size = (param: Param): number => (param.type === 'i64' ? 2 : 1)

/** One lowered kernel as a C function called `name`. */
export function render_c(kernel: Kernel, name: string = kernel.name): string {
  return new Printer(kernel).print(name)
}

/** A C file with one function for each [kernel, name]. */
export function render_c_unit(functions: readonly (readonly [kernel: Kernel, name: string])[]): string {
  return [PRELUDE, ...functions.map(([kernel, name]) => render_c(kernel, name))].join('\n')
}

/** The params that a kernel's expressions read; the others need not be passed. */
export function used_params(kernel: Kernel): ReadonlySet<Param> {
  const roots = all_statements(kernel.body).flatMap(own_expressions)
  return new Set(topological(...roots).flatMap(e => (e.op === 'param' ? [e.arg as Param] : [])))
}

/** Lanes of a reduction; of a long body only as many as its values leave registers for. */
const LANES = 32
const FEW_LANES = 16
/** Lanes for what is left of that. */
const TAIL_LANES = 8
const LONG_BODY = 12
/** After so many elements lanes are combined and start afresh, which keeps the rounding errors of sums small. */
const BLOCK = 1024

const RESERVED: ReadonlySet<string> = new Set(
  (
    'args l h part line_part longest parts parts_of cut auto break case char const continue default do double else enum extern float for goto if inline int ' +
    'long register restrict return short signed sizeof static struct switch typedef union unsigned void volatile ' +
    'while asm typeof f32 f64 i8 i16 i32 i64 u8 u16 u32 u64 linux unix'
  ).split(' '),
)

class Printer {
  readonly #kernel: Kernel
  readonly #assigned: ReadonlySet<string>
  readonly #names = new Map<string | Param | Buffer, string>()
  /** The loops that may be cut into shares, the outermost first. */
  readonly #split: readonly Loop[]
  #function = ''
  #text = ''
  #depth = 0

  constructor(kernel: Kernel) {
    this.#kernel = kernel
    this.#assigned = assigned_names(kernel.body)
    this.#split = split_nest(kernel.body)
    for (const x of [...kernel.buffers, ...kernel.params])
      this.#names.set(x, RESERVED.has(x.name) ? `${x.name}_` : x.name)
  }

  print(name: string): string {
    this.#function = name
    this.#braces(`i32 ${name}(const f64 *args)`, () => {
      this.#arguments()
      this.#block(this.#kernel.body)
      this.#line('return 0;')
    })
    return this.#text
  }

  #arguments(): void {
    const { buffers, params } = this.#kernel
    buffers.forEach((buffer, i) => {
      const qualifier = buffer.access === 'in' ? 'const ' : ''
      const at = FIRST_ARGUMENT + i
      this.#line(`${qualifier}${element_type(buffer)} *${this.#names.get(buffer)} = POINTER(args[${at}]);`)
    })
    const used = used_params(this.#kernel)
    let at = FIRST_ARGUMENT + buffers.length
    for (const param of params) {
      const value = param.type === 'i64' ? `INT64(args[${at}], args[${at + 1}])` : `args[${at}]`
      if (used.has(param)) this.#line(`const ${c_type(param.type)} ${this.#names.get(param)} = ${value};`)
      at += argument_size(param)
    }
  }

  // --------------------------------------------------------------------------------------------- text

  #line(text: string): void {
    this.#text += `${'  '.repeat(this.#depth)}${text}\n`
  }

  #braces(head: string, body: () => void): void {
    this.#line(head === '' ? '{' : `${head} {`)
    this.#depth++
    body()
    this.#depth--
    this.#line('}')
  }

  readonly #name = (of: string | Param | Buffer): string => this.#names.get(of) ?? (of as string)

  #expr(e: Expr): string {
    return print_expr(e, this.#name)
  }

  // --------------------------------------------------------------------------------------- statements

  #block(body: readonly Stmt[]): void {
    for (const stmt of body) this.#statement(stmt)
  }

  #statement(stmt: Stmt): void {
    switch (stmt.kind) {
      case 'for':
        this.#for(stmt)
        break
      case 'while':
        this.#braces(`while (${this.#expr(stmt.cond)})`, () => this.#block(stmt.body))
        break
      case 'if':
        this.#braces(`if (${this.#expr(stmt.cond)})`, () => this.#block(stmt.then))
        if (stmt.else.length > 0) this.#braces('else', () => this.#block(stmt.else))
        break
      case 'declare':
        this.#line(
          `${this.#assigned.has(name_of(stmt.var)) ? '' : 'const '}${c_type(stmt.var.type)} ${this.#expr(stmt.var)} = ${this.#expr(stmt.value)};`,
        )
        break
      case 'assign':
        this.#line(`${this.#expr(stmt.var)} = ${this.#expr(stmt.value)};`)
        break
      case 'store':
        this.#line(print_store(stmt.buffer, stmt.index, stmt.value, this.#name))
    }
  }

  #for(loop: Loop): void {
    if (loop === this.#split[0]) this.#share(loop)
    const accumulators = accumulators_of(loop)
    if (accumulators) this.#reduction(loop, accumulators)
    else {
      const [i, first, end] = this.#bounds(loop)
      const one_by_one = looks_up(loop)
      if (one_by_one) this.#line('ONE_BY_ONE')
      else if ((loop.mode === 'parallel' || loop.mode === 'vector') && !has_loop(loop.body))
        this.#line('INDEPENDENT')
      this.#braces(`for (i64 ${i} = ${first}; ${i} < ${end}; ${i}++)`, () => {
        if (one_by_one) this.#line('NO_VECTOR;')
        this.#block(loop.body)
      })
    }
  }

  /** The counter of a loop, and where it starts and ends: for the one that is cut, the share that this call runs. */
  #bounds(loop: Loop): [i: string, first: string, end: string] {
    const i = name_of(loop.var)
    const size = this.#expr(loop.size)
    if (!this.#split.includes(loop)) {
      if (/^\w+$/.test(size)) return [i, '0', size]
      this.#line(`const i64 ${i}_end = ${size};`)
      return [i, '0', `${i}_end`]
    }
    const at = this.#split.indexOf(loop)
    const part = loop.mode === 'vector' ? 'line_part' : 'part'
    const whole = (otherwise: string): string =>
      this.#split.length === 1 ? '' : `cut != ${at} ? ${otherwise} : `
    this.#line(`const i64 ${i}_end = ${whole(size)}${part}(args[1], ${size});`)
    return [i, `${whole('0')}${part}(args[0], ${size})`, `${i}_end`]
  }

  /** Chooses which loop is cut, and hands the work to the threads where it is much. */
  #share(loop: Loop): void {
    const [a, b, c = '0'] = this.#split.map(({ size, mode }) =>
      mode === 'vector' ? `${this.#expr(size)} / LINE` : this.#expr(size),
    ) as [string, string?, string?]
    let length = a
    if (b !== undefined) {
      this.#line(`const i64 cut = longest(${a}, ${b}, ${c});`)
      length = `cut == 0 ? ${a} : cut == 1 ? ${b} : ${c}`
    }
    const { buffers, params } = this.#kernel
    const count = params.reduce((n, p) => n + argument_size(p), FIRST_ARGUMENT + buffers.length)
    const cost = this.#cost(cost_of(loop))
    this.#line(`SHARE_WORK(${this.#function}, ${count}, ${length}, ${cost})`)
  }

  #cost({ size, own, inside }: Cost): string {
    const terms = [String(own), ...inside.map(c => this.#cost(c))]
    const factor = terms.length === 1 ? own : `(${terms.join(' + ')})`
    return `${typeof size === 'number' ? size : this.#expr(size)} * ${factor}`
  }

  // -------------------------------------------------------------------------------------------- lanes

  #reduction(loop: Loop, accumulators: readonly Accumulator[]): void {
    const count = weight(loop.body) > LONG_BODY ? FEW_LANES : LANES
    const lanes = accumulators.map(({ assign, op, identity }) => {
      const acc = name_of(assign.var)
      const { type } = assign.var
      const first = this.#expr(new Expr('const', type, [], identity))
      const combine = (x: string, y: string): string =>
        this.#expr(new Expr(op, type, [new Expr('var', type, [], x), new Expr('var', type, [], y)]))
      // what blocks of floats sum to is added up in doubles, or a long sum would lose digits
      const total = type === 'f32' && op === 'add' ? `${acc}_total` : acc
      return { acc, total, array: `${acc}_lanes`, type: c_type(type), first, combine }
    })
    this.#braces('', () => {
      const [i, first, end] = this.#bounds(loop)
      this.#line(`i64 ${i} = ${first};`)
      const totals = lanes.filter(x => x.total !== x.acc)
      for (const { acc, total } of totals) this.#line(`f64 ${total} = ${acc};`)
      const in_lanes = (count: number, longest: string): void => {
        this.#line(`const i64 ${i}_stop = ${i} + (${longest} & -${count});`)
        for (const { array, type, first } of lanes) {
          this.#line(`${type} ${array}[${count}];`)
          this.#line(`LANES(${count}) ${array}[l] = ${first};`)
        }
        this.#names.set(i, `(${i} + l)`)
        for (const { acc, array } of lanes) this.#names.set(acc, `${array}[l]`)
        this.#braces(`for (; ${i} < ${i}_stop; ${i} += ${count}) LANES(${count})`, () =>
          this.#block(loop.body),
        )
        for (const name of [i, ...lanes.map(x => x.acc)]) this.#names.delete(name)
        for (const { total, array, combine } of lanes) {
          this.#line(`FOLD_${count}(${array}[l] = ${combine(`${array}[l]`, `${array}[l + h]`)});`)
          this.#line(`${total} = ${combine(total, `${array}[0]`)};`)
        }
      }
      this.#braces(`while (${end} - ${i} >= ${count})`, () =>
        in_lanes(count, `min_i64(${end} - ${i}, ${BLOCK})`),
      )
      this.#braces(`if (${end} - ${i} >= ${TAIL_LANES})`, () => in_lanes(TAIL_LANES, `(${end} - ${i})`))
      for (const { acc, total } of totals) this.#line(`${acc} = ${total};`)
      this.#braces(`for (; ${i} < ${end}; ${i}++)`, () => this.#block(loop.body))
    })
  }
}
