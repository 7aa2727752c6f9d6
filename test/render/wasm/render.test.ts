// What a rendered kernel does, for kernels in the lowered form that the renderer takes: every primitive, conversion and
// dtype against the reference meanings (ir/prims.ts, base/), one by one and as vectors, with every tail.
import { describe, expect, it } from 'vitest'
import * as t from '../../../src/base/dtype.ts'
import { type DType, dtypes, read_element, write_element } from '../../../src/base/dtype.ts'
import { constant, Expr } from '../../../src/ir/expr.ts'
import type { Kernel } from '../../../src/ir/kernel.ts'
import { type PrimName, prims } from '../../../src/ir/prims.ts'
import { compute_type, type KernelType, type ScalarType } from '../../../src/ir/types.ts'
import { convert, reinterpret, type Value } from '../../../src/ir/value.ts'
import { type Features, render_wasm } from '../../../src/render/wasm/render.ts'
import {
  type Argument,
  elementwise,
  every_feature,
  FORMS,
  type Form,
  gathered,
  run,
  spread,
  values_of,
  vector,
  zeros,
} from './harness.ts'

const F32 = [
  0,
  -0,
  1,
  -1,
  0.5,
  -0.5,
  1.5,
  2.5,
  -2.5,
  3.75,
  -3.75,
  7,
  -7,
  1e10,
  -3e9,
  2 ** 31,
  -(2 ** 31),
  1e-40,
  6e-39,
  3e38,
  Infinity,
  -Infinity,
  NaN,
].map(Math.fround)
const F64 = [
  ...F32,
  5e-324,
  1e300,
  -1e300,
  2 ** 63,
  -(2 ** 63),
  0.1,
  2147483647.5,
  -2147483648.5,
  2 ** 53 + 2,
]
const I32 = [
  0,
  1,
  -1,
  2,
  -2,
  3,
  7,
  -7,
  31,
  33,
  100,
  -128,
  255,
  65536,
  2 ** 31 - 1,
  -(2 ** 31),
  -(2 ** 31) + 1,
]
const I64 = [
  ...I32.map(BigInt),
  2n ** 63n - 1n,
  -(2n ** 63n),
  2n ** 32n,
  -(2n ** 40n) - 5n,
  63n,
  65n,
  2n ** 53n + 1n,
  2n ** 62n + 2n ** 38n + 1n,
]
const BOOL = [false, true]

const SAMPLES: Record<Exclude<KernelType, 'index'>, readonly Value[]> = {
  f32: F32,
  f64: F64,
  i32: I32,
  i64: I64,
  bool: BOOL,
}
const DTYPES: Record<Exclude<KernelType, 'index'>, DType> = {
  f32: t.float32,
  f64: t.float64,
  i32: t.int32,
  i64: t.int64,
  bool: t.bool,
}
type Stored = keyof typeof SAMPLES
const STORED = Object.keys(SAMPLES) as Stored[]

function apply(
  kernel: Kernel,
  form: Form,
  inputs: readonly Argument[],
  output: DType,
  n: number,
  f: Features = { relaxed_simd: false },
): Value[] {
  const operands = [...inputs, zeros(output, n)].map(a => (form === 'strided' ? spread(a) : a))
  run(kernel, operands, [], f)
  const y = gathered(operands[operands.length - 1]!)
  return output === t.bool ? y.map(x => x !== 0) : y
}

/** Every combination of the samples, as columns. */
function combinations(columns: readonly (readonly Value[])[]): Value[][] {
  const rows = columns.reduce<Value[][]>((out, c) => out.flatMap(row => c.map(x => [...row, x])), [[]])
  return columns.map((_, j) => rows.map(row => row[j]!))
}

const lowered = new Set<PrimName>(
  'exp exp2 expm1 log log2 log10 log1p sin cos tan asin acos atan sinh cosh tanh asinh acosh atanh erf erfc erfinv lgamma digamma pow atan2'.split(
    ' ',
  ) as PrimName[],
)

describe('primitives', () => {
  for (const name of Object.keys(prims) as PrimName[]) {
    if (lowered.has(name) || name === 'fma') continue
    const prim = prims[name]
    it(`${name} on ${prim.on.join(' ')}`, () => {
      for (const type of STORED.filter(s => prim.on.includes(s))) {
        const types: Stored[] = name === 'where' ? ['bool', type, type] : Array(prim.arity).fill(type)
        const result = prim.result === 'bool' ? 'bool' : type
        const columns = combinations(types.map(s => SAMPLES[s]))
        const n = columns[0]!.length
        const expected = columns[0]!.map((_, i) => prim.js(type, ...columns.map(c => c[i]!)))
        const inputs = columns.map((c, j) => vector(DTYPES[types[j]!], c))
        for (const form of FORMS) {
          const call = (...x: Expr[]): Expr => new Expr(name, result, x)
          const kernel = elementwise(
            inputs.map(a => a.dtype),
            DTYPES[result],
            call,
            form,
          )
          for (const f of every_feature) {
            // the reference of fused is not for results near underflow or overflow
            const clear = (x: ReturnType<typeof apply>) =>
              name === 'fused' && f.fused_madd
                ? x.map(v => (Math.abs(Number(v)) > 1e-290 && Math.abs(Number(v)) < 1e300 ? v : 0))
                : x
            expect(
              clear(apply(kernel, form, inputs, DTYPES[result], n, f)),
              `${type} ${form} ${JSON.stringify(f)}`,
            ).toEqual(clear(expected))
          }
        }
      }
    })
  }

  it('min and max with a constant, whichever side it is on', () => {
    for (const name of ['min', 'max'] as const)
      for (const bound of [0, -0, 1, NaN])
        for (const flipped of [false, true]) {
          const c = constant(bound, 'f32')
          const kernel = elementwise([t.float32], t.float32, x => (flipped ? c[name](x) : x[name](c)))
          const expected = F32.map(x => prims[name].js('f32', x, bound))
          expect(apply(kernel, 'flat', [vector(t.float32, F32)], t.float32, F32.length)).toEqual(expected)
        }
  })

  it('the lesser or greater by a comparison, with its second choice for NaN and zeros', () => {
    const [a, b] = combinations([F32, F32]) as number[][]
    for (const dtype of [t.float32, t.float64])
      for (const comparison of ['lt', 'gt'] as const)
        for (const flipped of [false, true]) {
          const kernel = elementwise([dtype, dtype], dtype, (x, y) =>
            x[comparison](y).where(...(flipped ? ([y, x] as const) : ([x, y] as const))),
          )
          const expected = a!.map((x, i) => {
            const y = b![i]!
            return (comparison === 'lt' ? x < y : x > y) !== flipped ? x : y
          })
          const got = apply(kernel, 'flat', [vector(dtype, a!), vector(dtype, b!)], dtype, a!.length)
          expect(got).toEqual(expected)
        }
  })

  it('fma rounds once or twice, the same in vectors and in tails', () => {
    const [a, b, c] = combinations([
      [0.1, 1 / 3, -7.7],
      [0.3, 1e10, 3],
      [-0.03, 1, 1e-8],
    ]) as number[][]
    for (const dtype of [t.float32, t.float64])
      for (const f of every_feature) {
        const inputs = [a!, b!, c!].map(x => vector(dtype, x))
        const results = FORMS.map(form =>
          apply(
            elementwise([dtype, dtype, dtype], dtype, (x, y, z) => x.fma(y, z), form),
            form,
            inputs,
            dtype,
            a!.length,
            f,
          ),
        )
        expect(results[1]).toEqual(results[0])
        expect(results[2]).toEqual(results[0])
        const [x, y, z] = inputs.map(v => values_of(v) as number[])
        x!.forEach((_, i) => {
          const product = x![i]! * y![i]!
          const scale = dtype === t.float32 ? 2 ** -23 : 2 ** -52
          expect(Math.abs((results[0]![i] as number) - (product + z![i]!))).toBeLessThanOrEqual(
            (Math.abs(product) + Math.abs(z![i]!)) * scale,
          )
        })
      }
  })

  it('refuses what lower() has to decompose', () => {
    const kernel = elementwise([t.float32], t.float32, x => x.exp())
    expect(() => render_wasm(kernel, { relaxed_simd: false })).toThrow(TypeError)
  })

  it('shares subexpressions, so that a deep graph stays small', () => {
    for (const mode of ['vector', 'serial'] as const) {
      const kernel = elementwise(
        [t.float32],
        t.float32,
        x => {
          for (let i = 0; i < 60; i++) x = x.mul(0.5).add(x.mul(0.5))
          return x
        },
        mode === 'serial' ? 'serial' : 'flat',
      )
      const bytes = render_wasm(kernel, { relaxed_simd: false })
      expect(bytes.length).toBeLessThan(10_000)
      expect(apply(kernel, 'flat', [vector(t.float32, [1, 2, 3, 4, 5])], t.float32, 5)).toEqual([
        1, 2, 3, 4, 5,
      ])
    }
  })
})

describe('conversions', () => {
  it.each(STORED.flatMap(from => STORED.map(to => [from, to] as const)))('%s to %s', (from, to) => {
    const expected = SAMPLES[from].map(x => convert(x, from, to))
    for (const form of FORMS) {
      const kernel = elementwise([DTYPES[from]], DTYPES[to], x => x.cast(to), form)
      const got = apply(kernel, form, [vector(DTYPES[from], SAMPLES[from])], DTYPES[to], expected.length)
      expect(got, form).toEqual(expected)
    }
  })

  it.each([
    ['f32', 'i32'],
    ['i32', 'f32'],
    ['f64', 'i64'],
    ['i64', 'f64'],
  ] as const)('bits of %s as %s', (from, to) => {
    const expected = SAMPLES[from].map(x => reinterpret(x, from, to))
    for (const form of FORMS) {
      const kernel = elementwise([DTYPES[from]], DTYPES[to], x => x.bitcast(to), form)
      const got = apply(kernel, form, [vector(DTYPES[from], SAMPLES[from])], DTYPES[to], expected.length)
      expect(got, form).toEqual(expected)
    }
  })
})

const real = dtypes.filter(d => !d.is_complex)

describe('dtypes', () => {
  /** 40 elements of every size and sign that the dtype has. */
  const elements = (dtype: DType): Argument => {
    const a = zeros(dtype, 40)
    for (let i = 0; i < 40; i++) {
      const x = dtype.is_floating_point ? (i - 20) * 1.37 ** i : i % 3 === 0 ? -(i ** 4) : i ** 5 + i
      write_element(a.array, dtype, i, dtype === t.bool ? i % 3 === 0 : x)
    }
    return a
  }

  it.each(real.flatMap(from => real.map(to => [from, to] as const)))(
    '%s is read and stored as %s',
    (from, to) => {
      const [a, b] = [compute_type(from), compute_type(to)]
      for (const form of FORMS) {
        const x = elements(from)
        const expected = new to.array(40)
        for (let i = 0; i < 40; i++)
          write_element(expected, to, i, convert(widened(read_element(x.array, from, i), a), a, b))
        const kernel = elementwise([from], to, e => e.cast(b), form)
        const operands = [x, zeros(to, 40)].map(o => (form === 'strided' ? spread(o) : o))
        run(kernel, operands)
        expect(gathered(operands[1]!), form).toEqual(Array.from(expected as ArrayLike<number>))
      }
    },
  )
  const widened = (x: Value, type: ScalarType): Value => (type === 'i64' ? BigInt(x) : x)

  it.each([t.float16, t.bfloat16])('every %s is read exactly', dtype => {
    const bits = Array.from({ length: 65536 }, (_, i) => i)
    const x = vector(dtype, bits)
    const expected = bits.map(i => read_element(x.array, dtype, i))
    const y = zeros(t.float32, bits.length)
    run(
      elementwise([dtype], t.float32, e => e),
      [x, y],
    )
    expect(values_of(y)).toEqual(expected)
  })

  it.each([t.float16, t.bfloat16])('%s is stored to nearest, ties to even', dtype => {
    // around every tenth value of the dtype: its neighbours' midpoints, and a step beside them
    const near = Array.from({ length: 6554 }, (_, i) => i * 10).flatMap(bits => {
      const [a, b] = [bits, bits + 1].map(x => read_element(new Uint16Array([x]), dtype, 0) as number) as [
        number,
        number,
      ]
      const middle = Math.fround((a + b) / 2)
      return [a, middle, Math.fround(middle * (1 + 2 ** -22)), Math.fround(middle * (1 - 2 ** -22))]
    })
    const x = vector(t.float32, [...near, Infinity, -Infinity, NaN, 1e-45, -1e-45, 65519.99, 65520, 3.4e38])
    const expected = new Uint16Array(x.array.length)
    values_of(x).forEach((v, i) => void write_element(expected, dtype, i, v))
    for (const form of FORMS) {
      const operands = [x, zeros(dtype, x.array.length)].map(o => (form === 'strided' ? spread(o) : o))
      run(
        elementwise([t.float32], dtype, e => e, form),
        operands,
      )
      // the sign of a NaN does not count
      const same = gathered(operands[1]!).every(
        (v, i) =>
          v === expected[i] ||
          (Number.isNaN(x.array[i]) && Number.isNaN(read_element(new Uint16Array([Number(v)]), dtype, 0))),
      )
      expect(same, form).toBe(true)
    }
  })
})
