// Shared by the tests of lowering: runs a primitive as the lowered kernel of one vector loop, on the interpreter, and
// measures errors in ulps. `fused` off replaces each fma by mul and add, as on a target without the instruction.
import { readFileSync } from 'node:fs'
import { type DType, float32, float64, type TypedArray } from '../../src/base/dtype.ts'
import { type Expr, rewrite } from '../../src/ir/expr.ts'
import { interpret } from '../../src/ir/interpret.ts'
import { build, type Kernel, type Stmt } from '../../src/ir/kernel.ts'
import type { PrimName } from '../../src/ir/prims.ts'
import { verify } from '../../src/ir/verify.ts'
import { lower } from '../../src/lower/lower.ts'

export type FloatType = 'f32' | 'f64'
export const dtype_of = (type: FloatType): DType => (type === 'f32' ? float32 : float64)

/** out[i] = prim(x[i]) or prim(x[i], y[i]) in one vector loop. */
export const pointwise = (name: PrimName, dtype: DType, arity: number): Kernel =>
  elementwise(name, dtype, arity, (x, ...rest) => (x[name] as (...y: Expr[]) => Expr)(...rest))

function elementwise(
  name: string,
  dtype: DType,
  arity: number,
  form: (x: Expr, ...rest: Expr[]) => Expr,
): Kernel {
  return build(name, k => {
    const inputs = ['x', 'y'].slice(0, arity).map(n => k.input(n, dtype, 'flat'))
    const out = k.output('out', dtype, 'flat')
    k.for(out.sizes[0]!, 'vector', i => {
      const [x, ...rest] = inputs.map(v => v.at(i)) as [Expr, ...Expr[]]
      k.store(out, [i], form(x, ...rest))
    })
  })
}

/** The same statements with every expression mapped. */
export function map_expressions(stmts: readonly Stmt[], f: (e: Expr) => Expr): Stmt[] {
  return stmts.map((s): Stmt => {
    switch (s.kind) {
      case 'for':
        return { ...s, size: f(s.size), body: map_expressions(s.body, f) }
      case 'while':
        return { ...s, cond: f(s.cond), body: map_expressions(s.body, f) }
      case 'if':
        return { ...s, cond: f(s.cond), then: map_expressions(s.then, f), else: map_expressions(s.else, f) }
      case 'store':
        return { ...s, index: f(s.index), value: f(s.value) }
      default:
        return { ...s, value: f(s.value) }
    }
  })
}

const without_fma = (kernel: Kernel): Kernel => ({
  ...kernel,
  body: map_expressions(kernel.body, e =>
    rewrite(e, ({ op, src: [a, b, c] }) => (op === 'fma' ? a!.mul(b!).add(c!) : undefined)),
  ),
})

export const as_floats = (type: FloatType, x: readonly number[]): number[] =>
  type === 'f32' ? x.map(Math.fround) : [...x]

function as_array(dtype: DType, x: ArrayLike<number>): TypedArray {
  const array = new dtype.array(x.length)
  array.set(x as never)
  return array
}

type Run = (...operands: readonly ArrayLike<number>[]) => number[]

/** The lowered primitive, as a function of whole arrays. */
export const lowered = (name: PrimName, type: FloatType, arity: number, fused: boolean): Run =>
  as_function(pointwise(name, dtype_of(type), arity), dtype_of(type), fused)

/** The same of an expression of one operand. */
export const lowered_form = (form: (x: Expr) => Expr, type: FloatType, fused: boolean): Run =>
  as_function(elementwise('form', dtype_of(type), 1, form), dtype_of(type), fused)

function as_function(written: Kernel, dtype: DType, fused: boolean): Run {
  const kernel = lower(written)
  verify(kernel)
  const executable = interpret(fused ? kernel : without_fma(kernel))
  return (...operands) => {
    const arrays = [...operands.map(x => as_array(dtype, x)), new dtype.array(operands[0]!.length)]
    const memories = arrays.map(array => ({ array, offset: 0, lowest: 0, highest: array.length - 1 }))
    executable(
      memories,
      arrays.map(a => a.length),
    )
    return Array.from(arrays.at(-1) as ArrayLike<number>)
  }
}

const FORMATS = {
  f32: { fraction: 23, lowest: -126, largest: 2 ** 128 },
  f64: { fraction: 52, lowest: -1022, largest: Infinity },
}

/** The distance from `got` to head + tail in units of the last place of the type, at the exact value. */
export function ulps(type: FloatType, got: number, head: number, tail = 0): number {
  const { fraction, lowest, largest } = FORMATS[type]
  if (Number.isNaN(head) || Number.isNaN(got)) return Object.is(head, got) ? 0 : Infinity
  if (got === head) return Math.abs(tail) / ulp_of(head, fraction, lowest)
  const limit = largest * (1 - 2 ** -(fraction + 2))
  if (Math.abs(got) === Infinity) return Math.abs(head) >= limit && got > 0 === head > 0 ? 0 : Infinity
  return Math.abs(got - head - tail) / ulp_of(head, fraction, lowest)
}

function ulp_of(x: number, fraction: number, lowest: number): number {
  let exponent = Math.max(Math.floor(Math.log2(Math.abs(x))), lowest)
  if (2 ** exponent > Math.abs(x) && exponent > lowest) exponent--
  return 2 ** (exponent - fraction)
}

/** A stored point: the operands, the value as float64, and what that lacks. */
export type Point = { readonly x: readonly number[]; readonly head: number; readonly tail: number }

const stored = JSON.parse(
  readFileSync(new URL('../data/lower/reference.json', import.meta.url), 'utf8'),
) as Record<string, Record<FloatType, string>>

export const functions: readonly PrimName[] = Object.keys(stored) as PrimName[]
export const arity_of = (name: PrimName): number => (name === 'pow' || name === 'atan2' ? 2 : 1)

export function reference(name: PrimName, type: FloatType): Point[] {
  const bytes = Buffer.from(stored[name]![type], 'base64')
  const width = arity_of(name) + 2
  return Array.from({ length: bytes.length / (8 * width) }, (_, i) => {
    const [tail, head, ...x] = Array.from({ length: width }, (_, j) =>
      bytes.readDoubleLE(8 * (i * width + j)),
    ).reverse()
    return { x: x.reverse(), head: head!, tail: tail! }
  })
}
