// Kernels of the IR: loops, locals and stores around scalar expressions, and the builder that op families write
// them with. Sizes and strides are run-time parameters, filled in from the operands at launch, so one compiled
// kernel serves all shapes. Not here: what the expressions mean (ir/prims.ts), how a kernel runs (device/).
import { type DType, to_real_dtype } from '../base/dtype.ts'
import { realify } from './complex.ts'
import { complex, constant, Expr, type Scalar, topological, variable, wrap } from './expr.ts'
import { compute_type, is_complex, real_type, type ScalarType } from './types.ts'

/** One operand of a kernel. Indices are in elements from the operand's own offset. */
export type Buffer = {
  readonly name: string
  readonly dtype: DType
  readonly access: 'in' | 'out' | 'inout'
}

/** A run-time argument: a size or stride of an operand (filled in at launch), or a value the caller passes. */
export type Param = {
  readonly name: string
  readonly type: ScalarType
  readonly source:
    | { readonly kind: 'size' | 'stride'; readonly buffer: number; readonly dim: number }
    | { readonly kind: 'numel'; readonly buffer: number }
    | { readonly kind: 'value' }
}

/**
 * parallel: iterations are independent, a device may split them among threads (outermost loops, and loops directly
 * inside of those).
 * vector: iterations are independent and the body is made for SIMD (innermost loops only).
 * reduce: iterations only update accumulators by `acc = acc op e` with an associative op; they may be reordered.
 * serial: in order.
 */
export type LoopMode = 'parallel' | 'vector' | 'reduce' | 'serial'

export type Stmt =
  | {
      readonly kind: 'for'
      readonly var: Expr
      readonly size: Expr
      readonly mode: LoopMode
      readonly body: readonly Stmt[]
    }
  | { readonly kind: 'while'; readonly cond: Expr; readonly body: readonly Stmt[] }
  | {
      readonly kind: 'if'
      readonly cond: Expr
      readonly then: readonly Stmt[]
      readonly else: readonly Stmt[]
    }
  | { readonly kind: 'declare'; readonly var: Expr; readonly value: Expr }
  | { readonly kind: 'assign'; readonly var: Expr; readonly value: Expr }
  | { readonly kind: 'store'; readonly buffer: Buffer; readonly index: Expr; readonly value: Expr }

export type Kernel = {
  readonly name: string
  readonly buffers: readonly Buffer[]
  readonly params: readonly Param[]
  readonly body: readonly Stmt[]
  /** The places of buffers of complex numbers: they are passed as pairs of floats, in one more dimension. */
  readonly pairs?: readonly number[]
}

/**
 * How a view is addressed. `flat`: one index, no strides (contiguous operands). Else one index per dim; `inner`
 * pins the last stride to a constant (1 contiguous, 0 broadcast) so that inner loops vectorise.
 */
export type Layout = 'flat' | { readonly rank: number; readonly inner?: 0 | 1 }

/** One operand inside a kernel under construction. */
export class View {
  readonly buffer: Buffer
  /** Sizes per dim; for a flat view the one entry is its element count. */
  readonly sizes: readonly Expr[]
  readonly strides: readonly Expr[]
  readonly type: ScalarType

  constructor(buffer: Buffer, sizes: readonly Expr[], strides: readonly Expr[], type: ScalarType) {
    this.buffer = buffer
    this.sizes = sizes
    this.strides = strides
    this.type = type
  }

  /** The element offset of an index tuple. */
  offset(...index: readonly Scalar[]): Expr {
    if (index.length !== this.strides.length)
      throw new Error(`${this.buffer.name} takes ${this.strides.length} indices, got ${index.length}`)
    const terms = index.map((i, d) => times(wrap(i, 'index'), this.strides[d]!))
    return terms.reduce(plus, constant(0, 'index'))
  }

  /** Reads one element. */
  at(...index: readonly Scalar[]): Expr {
    return this.#load(this.offset(...index))
  }

  /** The element at an offset: of complex numbers, which lie there as pairs, both parts. */
  #load(offset: Expr, guard?: Expr, otherwise?: Expr): Expr {
    const type = real_type(this.type)
    const part = (at: Expr, other?: Expr): Expr =>
      new Expr('load', type, guard && other ? [at, guard, other] : [at], this.buffer)
    if (!is_complex(this.type)) return part(offset, otherwise)
    return complex(part(offset, otherwise?.real()), part(offset.add(1), otherwise?.imag()))
  }

  /** Reads one element where `guard` holds, else gives `otherwise` without touching memory. */
  at_if(guard: Expr, index: readonly Scalar[], otherwise: Scalar = 0): Expr {
    return this.#load(this.offset(...index), guard, wrap(otherwise, this.type))
  }
}

const is_constant = (e: Expr, value: number): boolean => e.op === 'const' && e.arg === value
const times = (a: Expr, b: Expr): Expr =>
  is_constant(b, 1) ? a : is_constant(b, 0) || is_constant(a, 0) ? constant(0, 'index') : a.mul(b)
const plus = (a: Expr, b: Expr): Expr => (is_constant(a, 0) ? b : is_constant(b, 0) ? a : a.add(b))

/** Writes a kernel statement by statement. Loop bodies are callbacks; what they emit lands inside the loop. */
export class Builder {
  readonly #buffers: Buffer[] = []
  readonly #params: Param[] = []
  readonly #pairs: number[] = []
  #block: Stmt[] = []
  /** Whether a complex local was assigned, inside the loop that is being written, from both of its parts. */
  #mixes = false

  input(name: string, dtype: DType, layout: Layout): View {
    return this.#view(name, dtype, 'in', layout)
  }

  output(name: string, dtype: DType, layout: Layout): View {
    return this.#view(name, dtype, 'out', layout)
  }

  /** An operand that is read and written. */
  inout(name: string, dtype: DType, layout: Layout): View {
    return this.#view(name, dtype, 'inout', layout)
  }

  #view(name: string, dtype: DType, access: Buffer['access'], layout: Layout): View {
    const buffer: Buffer = { name, dtype: to_real_dtype(dtype), access }
    const at = this.#buffers.push(buffer) - 1
    const type = compute_type(dtype)
    const step = dtype.is_complex ? 2 : 1 // between neighbours
    if (dtype.is_complex) this.#pairs.push(at)
    if (layout === 'flat') {
      const size = this.#param({
        name: `${name}_numel`,
        type: 'index',
        source: { kind: 'numel', buffer: at },
      })
      return new View(buffer, [step === 1 ? size : size.floordiv(step)], [constant(step, 'index')], type)
    }
    const dims = Array.from({ length: layout.rank }, (_, d) => d)
    const sizes = dims.map(dim =>
      this.#param({ name: `${name}_size${dim}`, type: 'index', source: { kind: 'size', buffer: at, dim } }),
    )
    const strides = dims.map(dim =>
      dim === layout.rank - 1 && layout.inner !== undefined
        ? constant(layout.inner * step, 'index')
        : this.#param({
            name: `${name}_stride${dim}`,
            type: 'index',
            source: { kind: 'stride', buffer: at, dim },
          }),
    )
    return new View(buffer, sizes, strides, type)
  }

  /** A value the caller passes at launch, in the order of these calls: two of them, its parts, for a complex one. */
  value(name: string, type: ScalarType): Expr {
    const part = (name: string): Expr =>
      this.#param({ name, type: real_type(type), source: { kind: 'value' } })
    return is_complex(type) ? complex(part(name), part(`${name}_imag`)) : part(name)
  }

  #param(param: Param): Expr {
    this.#params.push(param)
    return new Expr('param', param.type, [], param)
  }

  for(size: Scalar, mode: LoopMode, body: (i: Expr) => void): void {
    const counter = variable('index', 'i')
    const outer = this.#mixes
    this.#mixes = false
    const inside = this.#collect(() => body(counter))
    // both parts of a complex product read both parts of the former one: such a loop cannot be reordered
    const own = mode === 'reduce' && this.#mixes ? 'serial' : mode
    this.#mixes = outer || this.#mixes
    this.#block.push({
      kind: 'for',
      var: counter,
      size: plain(wrap(size, 'index')),
      mode: own,
      body: inside,
    })
  }

  /** Nested loops over `sizes`, the outermost with mode `outer`, the others with `inner`. */
  nest(sizes: readonly Scalar[], outer: LoopMode, inner: LoopMode, body: (...i: Expr[]) => void): void {
    const go = (d: number, index: Expr[]): void => {
      if (d === sizes.length) body(...index)
      else this.for(sizes[d]!, d === 0 ? outer : inner, i => go(d + 1, [...index, i]))
    }
    go(0, [])
  }

  /** Nested loops with independent iterations: the innermost for SIMD, the others to be split among threads. */
  elementwise(sizes: readonly Scalar[], body: (...i: Expr[]) => void): void {
    const last = sizes.length - 1
    const go = (d: number, index: Expr[]): void => {
      if (d > last) body(...index)
      else this.for(sizes[d]!, d === last ? 'vector' : 'parallel', i => go(d + 1, [...index, i]))
    }
    go(0, [])
  }

  while(cond: Expr, body: () => void): void {
    this.#block.push({ kind: 'while', cond: plain(cond), body: this.#collect(body) })
  }

  if(cond: Expr, then: () => void, otherwise?: () => void): void {
    this.#block.push({
      kind: 'if',
      cond: plain(cond),
      then: this.#collect(then),
      else: otherwise ? this.#collect(otherwise) : [],
    })
  }

  /** A mutable local, which reads as an expression. */
  local(type: ScalarType, value: Scalar): Expr {
    const declare = (value: Expr): Expr => {
      const local = variable(value.type)
      this.#block.push({ kind: 'declare', var: local, value })
      return local
    }
    const e = realify(wrap(value, type))
    return e instanceof Expr ? declare(e) : complex(declare(e[0]), declare(e[1]))
  }

  assign(local: Expr, value: Scalar): void {
    const e = realify(wrap(value, local.type))
    if (e instanceof Expr) {
      this.#block.push({ kind: 'assign', var: local, value: e })
      return
    }
    const [re, im] = local.src as [Expr, Expr]
    // what the second part reads of the first is its value from before
    const mixes = topological(e[1]).includes(re)
    this.#mixes ||= mixes
    const second = mixes ? this.local(e[1].type, e[1]) : e[1]
    this.assign(re, e[0])
    this.assign(im, second)
  }

  store(view: View, index: readonly Scalar[], value: Scalar): void {
    const { buffer } = view
    const at = plain(view.offset(...index))
    const e = realify(wrap(value, view.type).cast(view.type))
    if (e instanceof Expr) this.#block.push({ kind: 'store', buffer, index: at, value: e })
    else {
      // read before either part is written: the operand may be the result
      const im = this.local(e[1].type, e[1])
      this.#block.push({ kind: 'store', buffer, index: at, value: e[0] })
      this.#block.push({ kind: 'store', buffer, index: at.add(1), value: im })
    }
  }

  #collect(body: () => void): Stmt[] {
    const outer = this.#block
    this.#block = []
    body()
    const inner = this.#block
    this.#block = outer
    return inner
  }

  finish(name: string): Kernel {
    const kernel = { name, buffers: this.#buffers, params: this.#params, body: this.#block }
    return this.#pairs.length === 0 ? kernel : { ...kernel, pairs: this.#pairs }
  }
}

/** An expression that is not complex itself, without complex ones below it. */
const plain = (e: Expr): Expr => realify(e) as Expr

/** Builds one kernel. */
export function build(name: string, write: (k: Builder) => void): Kernel {
  const builder = new Builder()
  write(builder)
  return builder.finish(name)
}
