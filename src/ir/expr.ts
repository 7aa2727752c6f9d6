// Scalar expressions of the kernel IR: immutable, typed, shared as a DAG. A row of ir/prims.ts per
// primitive gives meaning and derivative; the methods of `Expr` (x.mul(y).exp()) are made from that table.
// Not here: loops and memory writes (ir/kernel.ts).
import type { Buffer, Param } from './kernel.ts'
import { type PrimName, prims } from './prims.ts'
import { is_complex, real_type, type ScalarType } from './types.ts'
import { convert, type Value } from './value.ts'

/** What an expression method takes as operand: a number becomes a constant of the receiver's type. */
export type Scalar = Expr | number | bigint | boolean

type Methods = {
  [K in PrimName]: (typeof prims)[K]['arity'] extends 1
    ? () => Expr
    : (typeof prims)[K]['arity'] extends 2
      ? (other: Scalar) => Expr
      : (a: Scalar, b: Scalar) => Expr
}

export type ExprOp = PrimName | 'const' | 'param' | 'var' | 'load' | 'cast' | 'bitcast' | ComplexOp

/** What only complex numbers have: a pair as a number, and what is read off one. No kernel contains them. */
export type ComplexOp = 'complex' | 'real' | 'imag' | 'conj' | 'angle'

/** `const`: the value. `param`: its declaration. `var`: its name. `load`: the buffer. Else null. */
export type ExprArg = number | bigint | boolean | Param | string | Buffer | null

export interface Expr extends Methods {}

export class Expr {
  readonly op: ExprOp
  readonly type: ScalarType
  /** Operands. A load has [index], or [index, guard, otherwise]: with a false guard memory is not touched. */
  readonly src: readonly Expr[]
  readonly arg: ExprArg

  constructor(op: ExprOp, type: ScalarType, src: readonly Expr[], arg: ExprArg = null) {
    this.op = op
    this.type = type
    this.src = src
    this.arg = arg
  }

  /** Value conversion as in C: float to integer truncates, anything to bool is `!= 0`. */
  cast(type: ScalarType): Expr {
    if (type === this.type) return this
    if (this.op === 'const' && !is_complex(type))
      return constant(convert(this.arg as Value, this.type, type), type)
    return new Expr('cast', type, [this])
  }

  /** The real part: of a real expression itself. */
  real(): Expr {
    return is_complex(this.type) ? new Expr('real', real_type(this.type), [this]) : this
  }

  /** The imaginary part of a complex expression. */
  imag(): Expr {
    return is_complex(this.type) ? new Expr('imag', real_type(this.type), [this]) : constant(0, this.type)
  }

  /** The complex conjugate: of a real expression itself. */
  conj(): Expr {
    if (this.op === 'conj') return this.src[0]!
    return is_complex(this.type) ? new Expr('conj', this.type, [this]) : this
  }

  /** The angle in the complex plane, of a complex expression. */
  angle(): Expr {
    return new Expr('angle', real_type(this.type), [this])
  }

  /** The same bits read as another type of the same size (f32 with i32, f64 with i64). */
  bitcast(type: ScalarType): Expr {
    return type === this.type ? this : new Expr('bitcast', type, [this])
  }
}

/** real + imag * i, of two floats of one type. */
export const complex = (real: Expr, imag: Expr): Expr =>
  new Expr('complex', real.type === 'f64' ? 'c128' : 'c64', [real, imag])

/** A literal; numbers are normalised to what `type` can hold (a boolean, a bigint for i64, else a number). */
export function constant(value: number | bigint | boolean, type: ScalarType): Expr {
  if (is_complex(type)) return complex(constant(Number(value), real_type(type)), constant(0, real_type(type)))
  if (type === 'bool')
    return new Expr('const', type, [], typeof value === 'boolean' ? value : Number(value) !== 0)
  if (type === 'i64') return new Expr('const', type, [], BigInt.asIntN(64, to_bigint(value)))
  const number = Number(value)
  if (type === 'i32') return new Expr('const', type, [], Math.trunc(number) | 0)
  return new Expr('const', type, [], type === 'f32' ? Math.fround(number) : number)
}

function to_bigint(value: number | bigint | boolean): bigint {
  return typeof value === 'number' ? BigInt(Math.trunc(value)) : BigInt(value)
}

/** A number as an expression of `type`; an expression stays as it is. */
export const wrap = (x: Scalar, type: ScalarType): Expr => (x instanceof Expr ? x : constant(x, type))

let fresh = 0
/** A new variable: a loop counter or a local; names are unique in the process. */
export const variable = (type: ScalarType, prefix = 'v'): Expr =>
  new Expr('var', type, [], `${prefix}${fresh++}`)

for (const name of Object.keys(prims) as PrimName[])
  Object.defineProperty(Expr.prototype, name, {
    value(this: Expr, ...rest: Scalar[]): Expr {
      const { result, operand } = prims[name]
      // `where` is called on its condition; the operands that follow take the type of the first expression among them
      const type =
        operand === 'rest' ? (rest.find(x => x instanceof Expr) as Expr | undefined)?.type : this.type
      if (type === undefined)
        throw new TypeError(`${name}() of two plain numbers has no type: make one an expression`)
      const src = [this, ...rest.map(x => wrap(x, type))]
      const own = result === 'bool' ? 'bool' : name === 'abs' ? real_type(type) : type
      return new Expr(name, own, src)
    },
  })

/** Every node below `roots`, operands before users, each once. Iterative: expressions may be deep. */
export function topological(...roots: readonly Expr[]): Expr[] {
  const order: Expr[] = []
  const seen = new Set<Expr>()
  const stack: [Expr, number][] = roots.map(root => [root, 0])
  while (stack.length > 0) {
    const top = stack[stack.length - 1]!
    const [node, next] = top
    if (next === 0 && seen.has(node)) {
      stack.pop()
      continue
    }
    if (next === node.src.length) {
      seen.add(node)
      order.push(node)
      stack.pop()
      continue
    }
    top[1]++
    const child = node.src[next]!
    if (!seen.has(child)) stack.push([child, 0])
  }
  return order
}

/** Rebuilds the DAG below `root` with `replace` applied to each node whose operands are already rebuilt. */
export function rewrite(
  root: Expr,
  replace: (node: Expr) => Expr | undefined,
  done: Map<Expr, Expr> = new Map(),
): Expr {
  for (const node of topological(root)) {
    if (done.has(node)) continue
    const src = node.src.map(s => done.get(s)!)
    const same = src.every((s, i) => s === node.src[i])
    const rebuilt = same ? node : new Expr(node.op, node.type, src, node.arg)
    done.set(node, replace(rebuilt) ?? rebuilt)
  }
  return done.get(root)!
}
