import { describe, expect, test } from 'vitest'
import { bool, type DType, float32, int64, type TypedArray } from '../../src/base/dtype.ts'
import { Expr } from '../../src/ir/expr.ts'
import { interpret } from '../../src/ir/interpret.ts'
import { type Builder, build, type Kernel, type Param } from '../../src/ir/kernel.ts'
import { print_kernel } from '../../src/ir/print.ts'
import { verify } from '../../src/ir/verify.ts'
import { lower } from '../../src/lower/lower.ts'

/** The statements of the lowered kernel as text, without the declarations of operands. */
function body(kernel: Kernel): string {
  const lowered = lower(kernel)
  verify(lowered)
  const lines = print_kernel(lowered).trimEnd().split('\n').slice(1)
  return lines
    .filter(line => !/^ {2}(in|out|inout|param) /.test(line))
    .map(line => line.slice(2))
    .join('\n')
}

type Arrays = Record<string, TypedArray>

/** Runs a kernel on contiguous vectors: sizes are the arrays', strides 1, values those given. */
function run(kernel: Kernel, arrays: Arrays, values: Record<string, number> = {}): Arrays {
  const memories = kernel.buffers.map(b => {
    const array = arrays[b.name]!
    return { array, offset: 0, lowest: 0, highest: array.length - 1 }
  })
  const param = ({ name, source }: Param): number => {
    if (source.kind === 'value') return values[name]!
    return source.kind === 'stride' ? 1 : arrays[kernel.buffers[source.buffer]!.name]!.length
  }
  interpret(kernel)(memories, kernel.params.map(param))
  return arrays
}

/** A lowered kernel does what the kernel does; `make` gives the arrays afresh. */
function expect_same(kernel: Kernel, make: () => Arrays, values: Record<string, number> = {}): void {
  expect(run(lower(kernel), make(), values)).toEqual(run(kernel, make(), values))
}

const f32 = (...x: number[]): TypedArray => Float32Array.from(x)
const i64 = (...x: number[]): TypedArray => BigInt64Array.from(x.map(BigInt))

const vectors = (k: Builder, dtype: DType, ...names: string[]) => names.map(n => k.input(n, dtype, 'flat'))

describe('a pointwise kernel', () => {
  test('becomes a straight line of arithmetic', () => {
    const kernel = build('exp', k => {
      const [x] = vectors(k, float32, 'x')
      const out = k.output('out', float32, 'flat')
      k.for(out.sizes[0]!, 'vector', i => k.store(out, [i], x!.at(i).exp()))
    })
    expect(body(kernel)).toMatchInlineSnapshot(`
      "vector i0 < out_numel
        v0: f32 = x[i0]
        v1: f32 = where(v0 < -104.0, -104.0, v0)
        v2: f32 = where(v1 > 89.5, 89.5, v1)
        v3: f32 = fma(v2, 1.442695, 12583166.0)
        v4: f32 = v3 - 12583166.0
        v5: f32 = fma(v4, -0.0000014286068, fma(v4, -0.69314575, v2))
        v6: i32 = bits_i32(v3)
        v7: i32 = v6 >>> 1
        out[i0] = (fma(fma(fma(fma(fma(fma(0.0013782458, v5, 0.008368669), v5, 0.041668963), v5, 0.16666521), v5, 0.4999999), v5, 1.0), v5, 1.0) * bits_f32(v7 << 23)) * bits_f32((v6 - v7) << 23)"
    `)
  })

  test('computes once what it uses twice, and again after a store, for operands may be the same memory', () => {
    const kernel = build('shared', k => {
      const [x, y] = vectors(k, float32, 'x', 'y')
      const [sum, half] = ['sum', 'half'].map(n => k.output(n, float32, 'flat'))
      k.for(sum!.sizes[0]!, 'vector', i => {
        const total = k.local('f32', x!.at(i).add(y!.at(i)))
        const again = x!.at(i).add(y!.at(i))
        k.store(sum!, [i], total)
        k.store(half!, [i], again.mul(0.5).add(again))
      })
    })
    expect(body(kernel)).toMatchInlineSnapshot(`
      "vector i0 < sum_numel
        v0: f32 = x[i0] + y[i0]
        sum[i0] = v0
        v1: f32 = x[i0] + y[i0]
        half[i0] = (v1 * 0.5) + v1"
    `)
  })

  test('is the same text every time', () => {
    const make = () =>
      build('k', k => {
        const [x] = vectors(k, float32, 'x')
        const out = k.output('out', float32, 'flat')
        k.for(out.sizes[0]!, 'vector', i => k.store(out, [i], x!.at(i).sin().mul(x!.at(i).exp())))
      })
    expect(print_kernel(lower(make()))).toBe(print_kernel(lower(make())))
  })
})

describe('loop invariants', () => {
  const strided = (order: (sum: number[]) => number[]) =>
    build('strided', k => {
      const x = k.input('x', float32, { rank: 3 })
      const out = k.output('out', float32, { rank: 3, inner: 1 })
      const alpha = k.value('alpha', 'f32')
      k.nest(out.sizes, 'parallel', 'serial', (...index) => {
        const terms = order([0, 1, 2]).map(d => index[d]!.mul(x.strides[d]!))
        const element = new Expr('load', 'f32', [terms.reduce((a, b) => a.add(b))], x.buffer)
        k.store(out, index, element.mul(alpha.mul(2).add(1)))
      })
    })

  test('leave the loop: arithmetic on values, and partial sums of an index', () => {
    expect(body(strided(d => d))).toMatchInlineSnapshot(`
      "v0: f32 = (alpha * 2.0) + 1.0
      parallel i0 < out_size0
        v1: index = i0 * out_stride0
        v2: index = i0 * x_stride0
        serial i1 < out_size1
          v3: index = v1 + (i1 * out_stride1)
          v4: index = v2 + (i1 * x_stride1)
          serial i2 < out_size2
            out[v3 + i2] = x[v4 + (i2 * x_stride2)] * v0"
    `)
  })

  test('are found in a sum of any order', () => {
    expect(body(strided(d => d.toReversed()))).toBe(body(strided(d => d)))
  })

  test('what depends on an assigned local stays', () => {
    const kernel = build('running', k => {
      const [x] = vectors(k, float32, 'x')
      const out = k.output('out', float32, 'flat')
      const sum = k.local('f32', 0)
      k.for(out.sizes[0]!, 'serial', i => {
        k.store(out, [i], sum.mul(2))
        k.assign(sum, sum.add(x!.at(i)))
      })
      k.store(out, [0], sum.mul(2))
    })
    expect(body(kernel)).toMatchInlineSnapshot(`
      "v0: f32 = 0.0
      serial i0 < out_numel
        out[i0] = v0 * 2.0
        v0 = v0 + x[i0]
      out[0] = v0 * 2.0"
    `)
    expect_same(kernel, () => ({ x: f32(1, 2, 3), out: f32(0, 0, 0) }))
  })

  test('loads stay inside their loop, for it may not run at all', () => {
    const kernel = build('none', k => {
      const [x, w] = vectors(k, float32, 'x', 'w')
      const out = k.output('out', float32, 'flat')
      k.for(out.sizes[0]!, 'serial', i => {
        const sum = k.local('f32', 0)
        k.for(x!.sizes[0]!, 'reduce', j => k.assign(sum, sum.add(x!.at(j).mul(w!.at(i)))))
        k.store(out, [i], sum)
      })
    })
    expect_same(kernel, () => ({ x: f32(), w: f32(), out: f32(7, 7) }))
    expect_same(kernel, () => ({ x: f32(1, 2), w: f32(3, 4), out: f32(7, 7) }))
  })
})

describe('loads and stores', () => {
  test('a load is not shared across a store, for operands may be the same memory', () => {
    const kernel = build('alias', k => {
      const x = k.inout('x', float32, 'flat')
      k.for(x.sizes[0]!, 'serial', i => {
        const before = k.local('f32', x.at(i))
        k.store(x, [i], before.mul(2))
        k.store(x, [i], x.at(i).add(before))
      })
    })
    expect(run(lower(kernel), { x: f32(1, 5) })).toEqual({ x: f32(3, 15) })
  })

  test('a local keeps what it was declared as when memory changes', () => {
    const kernel = build('swap', k => {
      const a = k.inout('a', float32, 'flat')
      const b = k.inout('b', float32, 'flat')
      k.for(a.sizes[0]!, 'vector', i => {
        const old = k.local('f32', a.at(i))
        k.store(a, [i], b.at(i))
        k.store(b, [i], old)
      })
    })
    expect(run(lower(kernel), { a: f32(1, 2), b: f32(3, 4) })).toEqual({ a: f32(3, 4), b: f32(1, 2) })
  })

  test('a local that copies another keeps its value when the other is assigned', () => {
    const kernel = build('fibonacci', k => {
      const out = k.output('out', float32, 'flat')
      const [a, b] = [k.local('f32', 0), k.local('f32', 1)]
      k.for(out.sizes[0]!, 'serial', i => {
        const old = k.local('f32', a)
        k.assign(a, b)
        k.assign(b, old.add(b))
        k.store(out, [i], a)
      })
    })
    expect(run(lower(kernel), { out: f32(0, 0, 0, 0, 0, 0) })).toEqual({ out: f32(1, 1, 2, 3, 5, 8) })
  })

  test('what a branch stores is read after it', () => {
    const kernel = build('branches', k => {
      const x = k.inout('x', float32, 'flat')
      const flag = k.input('flag', bool, 'flat')
      k.for(x.sizes[0]!, 'serial', i => {
        const twice = x.at(i).mul(2)
        k.if(
          flag.at(i),
          () => k.store(x, [i], twice),
          () => k.store(x, [i], twice.add(1)),
        )
        k.store(x, [i], x.at(i).add(twice))
      })
    })
    expect_same(kernel, () => ({ x: f32(1, 5), flag: Uint8Array.of(1, 0) }))
  })
})

describe('vector loops', () => {
  test('have where instead of if, and loads under a guard', () => {
    const kernel = build('branch', k => {
      const [x, y] = vectors(k, float32, 'x', 'y')
      const out = k.output('out', float32, 'flat')
      k.for(out.sizes[0]!, 'vector', i => {
        const v = k.local('f32', x!.at(i))
        k.if(
          i.lt(y!.sizes[0]!),
          () => {
            k.assign(v, v.add(y!.at(i)))
            k.store(out, [i], v.neg())
          },
          () => k.store(out, [i], v),
        )
      })
    })
    expect(body(kernel)).toMatchInlineSnapshot(`
      "vector i0 < out_numel
        v0: f32 = x[i0]
        v1: bool = i0 < y_numel
        v2: f32 = where(v1, v0 + (v1 ? y[i0] : 0.0), v0)
        out[i0] = where(v1, -v2, v2)"
    `)
    expect_same(kernel, () => ({ x: f32(1, 2, 3), y: f32(10, 20), out: f32(0, 0, 0) }))
  })

  test('that store only sometimes keep no more than their independence', () => {
    const kernel = build('sometimes', k => {
      const [x] = vectors(k, float32, 'x')
      const out = k.output('out', float32, 'flat')
      k.for(out.sizes[0]!, 'vector', i => {
        k.if(x!.at(i).gt(0), () => k.store(out, [i], x!.at(i)))
      })
    })
    expect(body(kernel)).toMatchInlineSnapshot(`
      "parallel i0 < out_numel
        if x[i0] > 0.0
          out[i0] = x[i0]"
    `)
    expect_same(kernel, () => ({ x: f32(1, -2, 3), out: f32(7, 7, 7) }))
  })
})

describe('control flow', () => {
  test('a condition that shares subexpressions is computed outside of the while', () => {
    const kernel = build('newton', k => {
      const [x] = vectors(k, float32, 'x')
      const out = k.output('out', float32, 'flat')
      k.for(out.sizes[0]!, 'serial', i => {
        const r = k.local('f32', 1)
        const error = r.mul(r).sub(x!.at(i))
        k.while(error.mul(error).gt(1e-6), () => k.assign(r, r.sub(error.div(r.mul(2)))))
        k.store(out, [i], r)
      })
    })
    expect_same(kernel, () => ({ x: f32(2, 9), out: f32(0, 0) }))
    expect(run(lower(kernel), { x: f32(2, 9), out: f32(0, 0) })['out']![1]).toBeCloseTo(3, 3)
  })

  test('`acc = acc op e` keeps its form', () => {
    const kernel = build('sum', k => {
      const [x] = vectors(k, float32, 'x')
      const out = k.output('out', float32, 'flat')
      const sum = k.local('f32', 0)
      k.for(x!.sizes[0]!, 'reduce', i => k.assign(sum, sum.add(x!.at(i).neg())))
      k.store(out, [0], sum)
    })
    expect(body(kernel)).toMatchInlineSnapshot(`
      "v0: f32 = 0.0
      reduce i0 < x_numel
        v0 = v0 + -x[i0]
      out[0] = v0"
    `)
  })
})

describe('powers of integers', () => {
  const power = (n: number | undefined) =>
    build('power', k => {
      const [x, y] = vectors(k, int64, 'x', 'y')
      const out = k.output('out', int64, 'flat')
      k.for(out.sizes[0]!, 'vector', i => k.store(out, [i], x!.at(i).pow(n ?? y!.at(i))))
    })

  test('multiply for a constant exponent', () => {
    expect(body(power(5))).toMatchInlineSnapshot(`
      "vector i0 < out_numel
        v0: i64 = x[i0]
        v1: i64 = v0 * v0
        out[i0] = v0 * (v1 * v1)"
    `)
  })

  test('loop for any other', () => {
    expect(body(power(undefined))).toMatchInlineSnapshot(`
      "parallel i0 < out_numel
        v0: i64 = x[i0]
        v1: i64 = v0
        v2: i64 = y[i0]
        v3: bool = v2 < 0n
        v4: i64 = where(v3, v2 & 1n, v2)
        v5: i64 = where(v3 & !((v0 == 1n) | (v0 == -1n)), 0n, 1n)
        while v4 != 0n
          v5 = where((v4 & 1n) != 0n, v5 * v1, v5)
          v1 = v1 * v1
          v4 = v4 >>> 1n
        out[i0] = v5"
    `)
    const bases = [0, 1, -1, 2, -3, 7]
    const exponents = [0, 1, 2, 5, 62, 63, 64, 101, -1, -2, -3]
    const pairs = bases.flatMap(b => exponents.map(e => [b, e] as const))
    const make = () => ({
      x: i64(...pairs.map(p => p[0])),
      y: i64(...pairs.map(p => p[1])),
      out: i64(...pairs.map(() => 9)),
    })
    expect_same(power(undefined), make)
    expect_same(power(5), make)
  })
})
