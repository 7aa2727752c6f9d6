import { describe, expect, it } from 'vitest'
import * as d from '../../../src/base/dtype.ts'
import { type Expr, variable } from '../../../src/ir/expr.ts'
import { type Builder, build } from '../../../src/ir/kernel.ts'
import type { ScalarType } from '../../../src/ir/types.ts'
import { contents, type Number, native, noise, operand, small_integers } from './operand.ts'

const device = native!

/** Runs out[i] = f(x[i], ...) on flat operands. */
function map(
  out: d.DType,
  inputs: readonly { dtype: d.DType; data: readonly Number[] }[],
  f: (...x: Expr[]) => Expr,
): Number[] {
  const kernel = build('map', k => {
    const to = k.output('to', out, 'flat')
    const from = inputs.map(({ dtype }, i) => k.input(`x${i}`, dtype, 'flat'))
    k.for(to.sizes[0]!, 'vector', i => k.store(to, [i], f(...from.map(x => x.at(i)))))
  })
  const n = inputs[0]!.data.length
  const result = operand(out, [n])
  device.compile(kernel)([result, ...inputs.map(({ dtype, data }) => operand(dtype, [n], data))], [])
  return contents(result)
}
const f32 = (data: readonly number[]): { dtype: d.DType; data: readonly number[] } => ({
  dtype: d.float32,
  data,
})
const f64 = (data: readonly number[]): { dtype: d.DType; data: readonly number[] } => ({
  dtype: d.float64,
  data,
})
const i32 = (data: readonly number[]): { dtype: d.DType; data: readonly number[] } => ({
  dtype: d.int32,
  data,
})
const i64 = (data: readonly bigint[]): { dtype: d.DType; data: readonly bigint[] } => ({
  dtype: d.int64,
  data,
})

describe.skipIf(!native)('every dtype is loaded, computed with and stored', () => {
  const numbers = [0, 1, 2, 3, 100, 127, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17]
  for (const dtype of [d.uint8, d.int8, d.int16, d.int32, d.float32, d.float64])
    it(`${dtype}`, () => {
      const sum = new dtype.array(numbers.length)
      numbers.forEach((x, i) => {
        sum[i] = x + x + x
      })
      const data = { dtype, data: numbers }
      expect(map(dtype, [data, data], (a, b) => a.add(b).add(a))).toEqual(Array.from(sum as Int8Array))
    })

  it('int64, exactly', () => {
    const a = [2n ** 62n, -(2n ** 63n), 9007199254740993n, -1n]
    const b = [2n ** 62n, -1n, 9007199254740993n, 5n]
    const wrap = (x: bigint): bigint => BigInt.asIntN(64, x)
    expect(map(d.int64, [i64(a), i64(b)], (x, y) => x.mul(y).add(x))).toEqual(
      a.map((x, i) => wrap(x * b[i]! + x)),
    )
  })

  it('bool', () => {
    const a = { dtype: d.bool, data: [0, 1, 0, 1] }
    const b = { dtype: d.bool, data: [0, 0, 1, 1] }
    expect(map(d.bool, [a, b], (x, y) => x.and(y))).toEqual([0, 0, 0, 1])
    expect(map(d.bool, [a, b], (x, y) => x.or(y))).toEqual([0, 1, 1, 1])
    expect(map(d.bool, [a, b], (x, y) => x.xor(y).not())).toEqual([1, 0, 0, 1])
    expect(map(d.bool, [f32([0, -0, NaN, 0.25])], x => x.cast('bool'))).toEqual([0, 0, 1, 1])
    expect(map(d.int32, [a], x => x.cast('i32').add(2))).toEqual([2, 3, 2, 3])
  })

  it('float16 and bfloat16: each of their values, and rounding to nearest even', () => {
    const all = Array.from({ length: 65536 }, (_, i) => i)
    for (const [dtype, widen, narrow] of [
      [d.float16, d.half_to_float, d.float_to_half],
      [d.bfloat16, d.bfloat16_to_float, d.float_to_bfloat16],
    ] as const) {
      expect(map(d.float32, [{ dtype, data: all }], x => x)).toEqual(all.map(widen))
      // every value, the middle between it and the next, and just beside the middle
      const between = all.flatMap(bits => {
        const [a, b] = [widen(bits), widen(bits + 1)]
        const middle = (a + b) / 2
        return [a, middle, middle * (1 + 2 ** -23), middle * (1 - 2 ** -23), middle + 2 ** -30]
      })
      const rounded = new Float32Array([...between, NaN, Infinity, -Infinity, 65519.9, 65520, 3.4e38, 1e-45])
      const data = Array.from(rounded)
      const bits = map(dtype, [f32(data)], x => x) as number[]
      const wrong = data.filter((x, i) => !Object.is(widen(bits[i]!), widen(narrow(x))))
      expect(wrong).toEqual([])
    }
  })

  it('stores wrap integers and round floats', () => {
    const data = [300, -1, 40000, -40000, 2 ** 31 - 1]
    expect(map(d.uint8, [i32(data)], x => x)).toEqual([44, 255, 64, 192, 255])
    expect(map(d.int8, [i32(data)], x => x)).toEqual([44, -1, 64, -64, -1])
    expect(map(d.int16, [i32(data)], x => x)).toEqual([300, -1, -25536, 25536, -1])
    expect(map(d.float32, [f64([0.1, 1e300])], x => x.cast('f32'))).toEqual([Math.fround(0.1), Infinity])
  })
})

describe.skipIf(!native)('what C operators alone would get wrong', () => {
  const INT_MIN = -(2 ** 31)

  it('casts from float: what does not fit, and NaN, become the lowest integer', () => {
    const data = [1.9, -1.9, 2 ** 31, -(2 ** 31), -(2 ** 31) - 256, NaN, Infinity, -Infinity, 0.5]
    const expected = [1, -1, INT_MIN, INT_MIN, INT_MIN, INT_MIN, INT_MIN, INT_MIN, 0]
    expect(map(d.int32, [f32(data)], x => x.cast('i32'))).toEqual(expected)
    expect(map(d.int32, [f64(data)], x => x.cast('i32'))).toEqual(expected)
    expect(map(d.int32, [f64([-2147483648.5, 2147483647.5])], x => x.cast('i32'))).toEqual([
      INT_MIN,
      2 ** 31 - 1,
    ])
    const long = [1.9, -1.9, 2 ** 63, -(2 ** 63), NaN]
    const lowest = -(2n ** 63n)
    expect(map(d.int64, [f64(long)], x => x.cast('i64'))).toEqual([1n, -1n, lowest, lowest, lowest])
    expect(map(d.int64, [f32(long)], x => x.cast('i64'))).toEqual([1n, -1n, lowest, lowest, lowest])
  })

  it('int64 to float32 rounds once', () => {
    const x = 2n ** 54n + 2n ** 30n + 1n // by way of a double this would be a tie
    expect(map(d.float32, [i64([x, -x])], y => y.cast('f32'))).toEqual([
      2 ** 54 + 2 ** 31,
      -(2 ** 54) - 2 ** 31,
    ])
  })

  it('integer division: by zero 0, the lowest number by -1 wraps, floors and signs', () => {
    const a = [7, -7, 7, -7, 7, INT_MIN, INT_MIN, 6, -6]
    const b = [2, 2, -2, -2, 0, -1, 0, 3, 3]
    expect(map(d.int32, [i32(a), i32(b)], (x, y) => x.floordiv(y))).toEqual([
      3,
      -4,
      -4,
      3,
      0,
      INT_MIN,
      0,
      2,
      -2,
    ])
    expect(map(d.int32, [i32(a), i32(b)], (x, y) => x.truncdiv(y))).toEqual([
      3,
      -3,
      -3,
      3,
      0,
      INT_MIN,
      0,
      2,
      -2,
    ])
    expect(map(d.int32, [i32(a), i32(b)], (x, y) => x.mod(y))).toEqual([1, 1, -1, -1, 0, 0, 0, 0, 0])
    expect(map(d.int32, [i32(a), i32(b)], (x, y) => x.fmod(y))).toEqual([1, -1, 1, -1, 0, 0, 0, 0, 0])
    const [p, q] = [i64(a.map(BigInt)), i64(b.map(BigInt))]
    expect(map(d.int64, [p, q], (x, y) => x.floordiv(y))).toEqual([
      3n,
      -4n,
      -4n,
      3n,
      0n,
      2n ** 31n,
      0n,
      2n,
      -2n,
    ])
    const lowest = [-(2n ** 63n)]
    expect(map(d.int64, [i64(lowest), i64([-1n])], (x, y) => x.truncdiv(y))).toEqual(lowest)
  })

  it('division of floats with floor, and its remainders', () => {
    const a = [7, -7, 7, -7, 1, -1, 0, 5, Infinity, 1]
    const b = [2, 2, -2, -2, 0.1, 0.1, 3, Infinity, 2, 0]
    const remainder = (x: number, y: number): number =>
      x % y !== 0 && x % y < 0 !== y < 0 ? (x % y) + y : x % y
    expect(map(d.float64, [f64(a), f64(b)], (x, y) => x.fmod(y))).toEqual(a.map((x, i) => x % b[i]!))
    expect(map(d.float64, [f64(a), f64(b)], (x, y) => x.mod(y))).toEqual(a.map((x, i) => remainder(x, b[i]!)))
    // Python: 1 // 0.1 is 9.0, -1 // 0.1 is -10.0
    expect(map(d.float64, [f64(a), f64(b)], (x, y) => x.floordiv(y))).toEqual([
      ...[3, -4, -4, 3, 9, -10, 0, 0],
      ...[NaN, Infinity],
    ])
  })

  it('shifts count modulo the width', () => {
    const a = [1, -8, 1, 1, -1]
    const b = [4, 1, 32, 33, 31]
    expect(map(d.int32, [i32(a), i32(b)], (x, y) => x.shl(y))).toEqual(a.map((x, i) => x << b[i]!))
    expect(map(d.int32, [i32(a), i32(b)], (x, y) => x.shr(y))).toEqual(a.map((x, i) => x >> b[i]!))
    expect(map(d.int32, [i32(a), i32(b)], (x, y) => x.ushr(y))).toEqual(a.map((x, i) => (x >>> b[i]!) | 0))
    expect(map(d.int64, [i64([1n, -8n]), i64([63n, 65n])], (x, y) => x.shl(y))).toEqual([-(2n ** 63n), -16n])
    expect(map(d.int64, [i64([-8n, -8n]), i64([1n, 65n])], (x, y) => x.ushr(y))).toEqual([
      2n ** 63n - 4n,
      2n ** 63n - 4n,
    ])
  })

  it('a NaN wins a minimum and a maximum', () => {
    const a = [1, NaN, 1, NaN, 2, -Infinity]
    const b = [2, 1, NaN, NaN, 1, Infinity]
    expect(map(d.float32, [f32(a), f32(b)], (x, y) => x.max(y))).toEqual(a.map((x, i) => Math.max(x, b[i]!)))
    expect(map(d.float32, [f32(a), f32(b)], (x, y) => x.min(y))).toEqual(a.map((x, i) => Math.min(x, b[i]!)))
    expect(map(d.float32, [f32(a)], x => x.max(0))).toEqual([1, NaN, 1, NaN, 2, 0])
    expect(map(d.float32, [f32(a)], x => x.min(0))).toEqual([0, NaN, 0, NaN, 0, -Infinity])
  })

  it('signs of zeros, infinities and rounding to even', () => {
    const data = [0.5, 1.5, 2.5, -0.5, -1.5, 0.49999997, -0, Infinity, NaN, 2 ** 23 + 1]
    expect(map(d.float32, [f32(data)], x => x.round())).toEqual([
      0,
      2,
      2,
      -0,
      -2,
      0,
      -0,
      Infinity,
      NaN,
      2 ** 23 + 1,
    ])
    expect(map(d.float32, [f32(data)], x => x.neg())).toEqual(Array.from(new Float32Array(data), x => -x))
    expect(map(d.float32, [f32([1, -1, 0])], x => x.div(0))).toEqual([Infinity, -Infinity, NaN])
    expect(map(d.float64, [f64([3, -3]), f64([-0, 0])], (x, y) => x.copysign(y))).toEqual([-3, 3])
    expect(map(d.float32, [f32([1, 2])], x => x.mul(NaN).add(-Infinity))).toEqual([NaN, NaN])
  })

  it('the lowest integers as constants', () => {
    expect(map(d.int32, [i32([1])], x => x.add(INT_MIN))).toEqual([INT_MIN + 1])
    expect(map(d.int64, [i64([1n])], x => x.add(-(2n ** 63n)))).toEqual([-(2n ** 63n) + 1n])
    expect(map(d.int64, [i64([1n])], x => x.add(2n ** 40n))).toEqual([2n ** 40n + 1n])
  })

  it('float products and sums are not contracted', () => {
    const x = 1 + 2 ** -12
    expect(map(d.float32, [f32([x]), f32([x])], (a, b) => a.mul(b).sub(Math.fround(x * x)))).toEqual([0])
  })
})

describe.skipIf(!native)('reductions', () => {
  type Case = readonly [name: string, type: d.DType, first: Number | boolean, f: (acc: Expr, x: Expr) => Expr]
  const reduce = ([name, dtype, first, f]: Case, data: readonly Number[]): Number => {
    const kernel = build(name, k => {
      const out = k.output('out', dtype, 'flat')
      const x = k.input('x', dtype, 'flat')
      const acc = k.local(out.type, first)
      k.for(x.sizes[0]!, 'reduce', i => k.assign(acc, f(acc, x.at(i))))
      k.store(out, [0], acc)
    })
    const out = operand(dtype, [1])
    device.compile(kernel)([out, operand(dtype, [data.length], data)], [])
    return contents(out)[0]!
  }
  const lengths = [0, 1, 2, 15, 16, 31, 32, 33, 63, 64, 100, 4095, 4096, 4097, 10000]

  it.each(lengths)('%i elements: sums, products, minima, maxima', n => {
    const data = small_integers(n)
    const sum = data.reduce((a, x) => a + x, 7)
    expect(reduce(['sum', d.float32, 7, (a, x) => a.add(x)], data)).toBe(sum)
    expect(reduce(['sum', d.float64, 7, (a, x) => a.add(x)], data)).toBe(sum)
    expect(reduce(['sum', d.int32, 7, (a, x) => a.add(x)], data)).toBe(sum)
    expect(reduce(['fma', d.float32, 7, (a, x) => x.fma(x, a)], data)).toBe(
      data.reduce((a, x) => a + x * x, 7),
    )
    expect(reduce(['max', d.float32, -Infinity, (a, x) => a.max(x)], data)).toBe(Math.max(...data))
    expect(reduce(['min', d.int32, 2 ** 31 - 1, (a, x) => a.min(x)], data)).toBe(
      Math.min(2 ** 31 - 1, ...data),
    )
    const longs = data.map(x => BigInt(x) * 3n ** 35n)
    const product = longs.reduce((a, x) => BigInt.asIntN(64, a * (x | 1n)), 1n)
    expect(reduce(['prod', d.int64, 1n, (a, x) => a.mul(x.or(1n))], longs)).toBe(product)
    const lowest = -(2n ** 63n)
    const sorted = [lowest, ...longs].sort((a, b) => (a < b ? -1 : 1))
    expect(reduce(['max', d.int64, lowest, (a, x) => x.max(a)], longs)).toBe(sorted.at(-1))
  })

  it('of booleans', () => {
    for (const n of [0, 5, 40, 100])
      for (const at of [0, 3, 39, 99]) {
        const data = Array.from({ length: n }, (_, i) => (i === at ? 1 : 0))
        expect(reduce(['any', d.bool, false, (a, x) => a.or(x)], data)).toBe(at < n ? 1 : 0)
        expect(reduce(['all', d.bool, true, (a, x) => a.and(x.not())], data)).toBe(at < n ? 0 : 1)
      }
  })

  it('a NaN anywhere makes the maximum NaN, and -0 stays the sum of -0', () => {
    const data = noise(100)
    for (const at of [0, 50, 99])
      expect(reduce(['max', d.float32, -Infinity, (a, x) => a.max(x)], data.with(at, NaN))).toBeNaN()
    expect(reduce(['sum', d.float32, -0, (a, x) => a.add(x)], new Array<number>(100).fill(-0))).toBe(-0)
  })

  it('sums of many floats keep their digits', () => {
    const n = 1 << 20
    const sum = reduce(['sum', d.float32, 0, (a, x) => a.add(x)], new Array<number>(n).fill(Math.fround(0.1)))
    expect(Math.abs((sum as number) / (n * Math.fround(0.1)) - 1)).toBeLessThan(4e-7)
  })

  it('two at once, of a value with locals', () => {
    const kernel = build('moments', k => {
      const out = k.output('out', d.float32, 'flat')
      const x = k.input('x', d.float32, { rank: 2 })
      k.for(x.sizes[0]!, 'parallel', r => {
        const sum = k.local('f32', 0)
        const squares = k.local('f32', 0)
        k.for(x.sizes[1]!, 'reduce', i => {
          const v = k.local('f32', x.at(r, i).add(1))
          k.assign(sum, sum.add(v))
          k.assign(squares, squares.add(v.mul(v)))
        })
        k.store(out, [r.mul(2)], sum)
        k.store(out, [r.mul(2).add(1)], squares)
      })
    })
    const rows = [1, 2, 3].map(seed => noise(77, seed).map(x => Math.round(x * 8)))
    const out = operand(d.float32, [6])
    device.compile(kernel)([out, operand(d.float32, [3, 77], rows.flat())], [])
    const moments = (row: number[]): number[] => [
      row.reduce((a, x) => a + x + 1, 0),
      row.reduce((a, x) => a + (x + 1) ** 2, 0),
    ]
    expect(contents(out)).toEqual(rows.flatMap(moments))
  })
})

describe.skipIf(!native)('loops and memory', () => {
  const run = (
    write: (k: Builder) => void,
    ...operands: Parameters<ReturnType<typeof device.compile>>
  ): void => device.compile(build('test', write))(...operands)

  it('strides of any sign, broadcasting and offsets', () => {
    const x = operand(d.float32, [2, 3], [1, 2, 3, 4, 5, 6])
    const view = (offset: number, sizes: number[], strides: number[]): Number[] => {
      const out = operand(d.float32, sizes)
      run(
        k => {
          const to = k.output('to', d.float32, { rank: 2, inner: 1 })
          const from = k.input('from', d.float32, { rank: 2 })
          k.nest(to.sizes, 'parallel', 'vector', (i, j) => k.store(to, [i, j], from.at(i, j)))
        },
        [out, { ...x, offset, sizes, strides }],
        [],
      )
      return contents(out)
    }
    expect(view(0, [3, 2], [1, 3])).toEqual([1, 4, 2, 5, 3, 6])
    expect(view(1, [2, 2], [3, 1])).toEqual([2, 3, 5, 6])
    expect(view(3, [2, 3], [0, 1])).toEqual([4, 5, 6, 4, 5, 6])
    expect(view(5, [2, 3], [-3, -1])).toEqual([6, 5, 4, 3, 2, 1])
  })

  it('an output may be one of the inputs', () => {
    for (const n of [3, 64, 1000]) {
      const data = noise(n).map(Math.fround)
      const x = operand(d.float32, [n], data)
      run(
        k => {
          const out = k.output('out', d.float32, 'flat')
          const [a, b] = [k.input('a', d.float32, 'flat'), k.input('b', d.float32, 'flat')]
          k.for(out.sizes[0]!, 'vector', i => k.store(out, [i], a.at(i).sub(b.at(i).mul(2))))
        },
        [x, x, x],
        [],
      )
      expect(contents(x)).toEqual(data.map(v => Math.fround(v - 2 * v)))
    }
  })

  it('an output may be an input of another type of the same size', () => {
    const x = operand(d.float32, [100], noise(100))
    const bits = Array.from(x.memory.array(d.int32) as Int32Array)
    run(
      k => {
        const out = k.output('out', d.int32, 'flat')
        const a = k.input('a', d.float32, 'flat')
        k.for(out.sizes[0]!, 'vector', i => k.store(out, [i], a.at(i).neg().bitcast('i32')))
      },
      [{ ...x, dtype: d.int32 }, x],
      [],
    )
    expect(Array.from(x.memory.array(d.int32) as Int32Array)).toEqual(bits.map(b => b ^ (1 << 31)))
  })

  it('a load under a false guard touches no memory', () => {
    const x = operand(d.float32, [100], noise(100))
    const out = operand(d.float32, [100])
    run(
      k => {
        const to = k.output('to', d.float32, 'flat')
        const from = k.input('from', d.float32, 'flat')
        k.for(to.sizes[0]!, 'vector', i => {
          const at = i.lt(50).where(i, i.mul(2 ** 40))
          k.store(to, [i], from.at_if(i.lt(50), [at], -1))
        })
      },
      [out, x],
      [],
    )
    const expected = contents(x).map((v, i) => (i < 50 ? v : -1))
    expect(contents(out)).toEqual(expected)
  })

  it('while, if and serial loops', () => {
    const out = operand(d.int32, [6])
    run(
      k => {
        const to = k.output('to', d.int32, 'flat')
        // the number of Collatz steps from i + 1, negative where it is odd
        k.for(to.sizes[0]!, 'serial', i => {
          const n = k.local('i32', i.cast('i32').add(1))
          const steps = k.local('i32', 0)
          k.while(n.ne(1), () => {
            k.if(
              n.and(1).eq(0),
              () => k.assign(n, n.shr(1)),
              () => k.assign(n, n.mul(3).add(1)),
            )
            k.assign(steps, steps.add(1))
          })
          k.store(to, [i], steps.and(1).eq(0).where(steps, steps.neg()))
        })
      },
      [out],
      [],
    )
    expect(contents(out)).toEqual([0, -1, -7, 2, -5, 8])
  })

  it('gathers', () => {
    const out = operand(d.float32, [4])
    run(
      k => {
        const to = k.output('to', d.float32, 'flat')
        const from = k.input('from', d.float32, 'flat')
        const index = k.input('index', d.int64, 'flat')
        k.for(to.sizes[0]!, 'vector', i => k.store(to, [i], from.at(index.at(i).cast('index'))))
      },
      [out, operand(d.float32, [3], [10, 20, 30]), operand(d.int64, [4], [2n, 0n, 1n, 2n])],
      [],
    )
    expect(contents(out)).toEqual([30, 10, 20, 30])
  })

  it('values of every type, in order', () => {
    const types: ScalarType[] = ['f32', 'i64', 'bool', 'f64', 'i32', 'i64', 'index']
    const values = [0.1, -(2n ** 63n), true, 0.1, -(2 ** 31), 2n ** 53n + 1n, 5]
    const out = operand(d.int64, [types.length])
    run(
      k => {
        const to = k.output('to', d.int64, 'flat')
        types.forEach((type, i) => {
          const v = k.value(`v${i}`, type)
          const scaled = type === 'f32' || type === 'f64' ? v.mul(2 ** 60) : v
          k.store(to, [i], scaled.cast('i64'))
        })
      },
      [out],
      values,
    )
    expect(contents(out)).toEqual([
      BigInt(Math.fround(0.1) * 2 ** 60),
      -(2n ** 63n),
      1n,
      BigInt(0.1 * 2 ** 60),
      -(2n ** 31n),
      2n ** 53n + 1n,
      5n,
    ])
  })

  it('operands and params may have the names of C', () => {
    const out = operand(d.float32, [2])
    run(
      k => {
        const to = k.output('float', d.float32, 'flat')
        const factor = k.value('args', 'f32')
        k.for(to.sizes[0]!, 'vector', i => k.store(to, [i], factor.add(k.value('l', 'f32'))))
      },
      [out],
      [1.5, 2],
    )
    expect(contents(out)).toEqual([3.5, 3.5])
  })

  it('nothing is written for empty operands', () => {
    const out = operand(d.float32, [0])
    run(
      k => {
        const to = k.output('to', d.float32, 'flat')
        k.for(to.sizes[0]!, 'vector', i => k.store(to, [i], 1))
      },
      [out],
      [],
    )
    expect(contents(out)).toEqual([])
  })

  it('a kernel that does not exist in C is an error', () => {
    const x = variable('f32')
    const kernel = build('bad', k => {
      const to = k.output('to', d.float32, 'flat')
      k.store(to, [0], x)
    })
    expect(() => device.compile(kernel)([operand(d.float32, [1])], [])).toThrow(/failed: .*undeclared/s)
  })
})
