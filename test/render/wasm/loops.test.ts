// What rendered loops do: every tail, layout, guard and reduction, as vectors and one by one.
import { describe, expect, it } from 'vitest'
import * as t from '../../../src/base/dtype.ts'
import { type DType, dtypes, read_element, write_element } from '../../../src/base/dtype.ts'
import { constant, Expr } from '../../../src/ir/expr.ts'
import { type Builder, build, type Kernel, type LoopMode } from '../../../src/ir/kernel.ts'
import { type PrimName, prims } from '../../../src/ir/prims.ts'
import { compute_type } from '../../../src/ir/types.ts'
import { convert, type Value } from '../../../src/ir/value.ts'
import {
  type Argument,
  elementwise,
  every_feature,
  run,
  spread,
  values_of,
  vector,
  zeros,
} from './harness.ts'

const real = dtypes.filter(d => !d.is_complex)

describe('loops', () => {
  const counts = [...Array(18).keys(), 31, 32, 33, 47, 48, 63, 64, 65]
  const numbers = (n: number): number[] => Array.from({ length: n }, (_, i) => (i * 7) % 11)

  it.each(real)('do every element and no more: %s', dtype => {
    const kernel = elementwise([dtype, dtype], dtype, (a, b) => (dtype === t.bool ? a.xor(b) : a.add(b)))
    for (const n of counts) {
      const small = numbers(n).map(x =>
        dtype.itemsize === 2 && dtype.is_floating_point ? 0x3c00 : dtype === t.bool ? x & 1 : x,
      )
      const [a, b] = [vector(dtype, small), vector(dtype, small)]
      const y = zeros(dtype, n + 20)
      y.array.fill((dtype === t.int64 ? 77n : 77) as never)
      run(kernel, [a, b, { ...y, sizes: [n] }])
      const expected = new dtype.array(n)
      small.forEach((x, i) => {
        const two =
          dtype === t.float16 ? 0x4000 : dtype === t.bfloat16 ? 0x3d00 : dtype === t.bool ? 0 : 2 * x
        expected[i] = dtype === t.int64 ? BigInt(two) : two
      })
      if (dtype !== t.bfloat16)
        expect(values_of(y).slice(0, n)).toEqual(Array.from(expected as ArrayLike<number>))
      expect(
        values_of(y)
          .slice(n)
          .every(x => Number(x) === 77),
      ).toBe(true)
    }
  })

  it.each([t.float32, t.int32, t.float64, t.uint8])('read every other element: %s', dtype => {
    const kernel = build('k', k => {
      const y = k.output('y', dtype, 'flat')
      const x = k.input('x', dtype, 'flat')
      k.for(y.sizes[0]!, 'vector', i => {
        const [even, odd] = [x.at(i.mul(2)), x.at(i.mul(2).add(1))]
        k.store(y, [i], even.add(odd.mul(2)))
      })
    })
    for (const n of counts) {
      const all = numbers(2 * n)
      const y = zeros(dtype, n)
      run(kernel, [y, vector(dtype, all)])
      expect(values_of(y)).toEqual(Array.from({ length: n }, (_, i) => all[2 * i]! + 2 * all[2 * i + 1]!))
    }
  })

  it.each(['vector', 'parallel', 'serial'] as const)('of mode %s run a part of their range', mode => {
    const kernel = build('k', k => {
      const y = k.output('y', t.float32, 'flat')
      k.for(y.sizes[0]!, mode, i => k.store(y, [i], i.cast('f32')))
    })
    const y = zeros(t.float32, 40)
    run(kernel, [y], [], undefined, [3, 30])
    const part = (i: number): number => (mode === 'serial' || (i >= 3 && i < 30) ? i : 0)
    expect(values_of(y)).toEqual(Array.from({ length: 40 }, (_, i) => part(i)))
  })

  it('have their counter, outer locals and parameters as values', () => {
    const kernel = build('k', k => {
      const y = k.output('y', t.float64, { rank: 2, inner: 1 })
      const scale = k.value('scale', 'f64')
      const shift = k.value('shift', 'i64')
      const flag = k.value('flag', 'bool')
      k.nest(y.sizes, 'parallel', 'vector', (i, j) => {
        const row = k.local('f64', i.cast('f64').mul(100))
        const sum = row.add(j.cast('f64').mul(scale)).add(shift.cast('f64'))
        k.store(y, [i, j], flag.where(sum, 0))
      })
    })
    const y: Argument = { ...zeros(t.float64, 3 * 20), sizes: [3, 18], strides: [20, 1] }
    run(kernel, [y], [0.5, -(2n ** 40n), true])
    const expected = Array.from({ length: 60 }, (_, p) =>
      p % 20 < 18 ? Math.floor(p / 20) * 100 + (p % 20) * 0.5 - 2 ** 40 : 0,
    )
    expect(values_of(y)).toEqual(expected)
  })

  it('read and write strided, broadcast and transposed operands', () => {
    for (const inner of [undefined, 1, 0] as const) {
      const kernel = build('k', k => {
        const a = k.input('a', t.float32, { rank: 2 })
        const b = k.input('b', t.float32, inner === undefined ? { rank: 2 } : { rank: 2, inner })
        const y = k.output('y', t.float32, { rank: 2, inner: 1 })
        k.nest(y.sizes, 'parallel', 'vector', (i, j) =>
          k.store(y, [i, j], a.at(i, j).mul(10).add(b.at(i, j))),
        )
      })
      const [rows, columns] = [3, 9]
      const a: Argument = { ...vector(t.float32, numbers(27)), sizes: [rows, columns], strides: [1, rows] }
      const strides = inner === 0 ? [1, 0] : inner === 1 ? [0, 1] : [0, -1]
      const b: Argument = {
        ...vector(t.float32, numbers(columns)),
        offset: inner === undefined ? 8 : 0,
        sizes: [rows, columns],
        strides,
      }
      const y: Argument = { ...zeros(t.float32, 27), sizes: [rows, columns], strides: [columns, 1] }
      run(kernel, [a, b, y])
      const at = (o: Argument, i: number, j: number): number =>
        o.array[o.offset + i * o.strides[0]! + j * o.strides[1]!] as number
      for (let i = 0; i < rows; i++)
        for (let j = 0; j < columns; j++) expect(at(y, i, j)).toBe(at(a, i, j) * 10 + at(b, i, j))
    }
  })

  it('work in place', () => {
    for (const n of counts) {
      const kernel = build('k', k => {
        const x = k.inout('x', t.float32, 'flat')
        k.for(x.sizes[0]!, 'vector', i => k.store(x, [i], x.at(i).mul(2).add(1)))
      })
      const x = vector(t.float32, numbers(n))
      run(kernel, [x])
      expect(values_of(x)).toEqual(numbers(n).map(v => 2 * v + 1))
    }
  })

  it('gather and scatter through an index operand', () => {
    for (const dtype of [t.float32, t.int64, t.int8, t.bool]) {
      const kernel = build('k', k => {
        const x = k.input('x', dtype, 'flat')
        const from = k.input('from', t.int64, 'flat')
        const to = k.input('to', t.int32, 'flat')
        const y = k.output('y', dtype, 'flat')
        k.for(from.sizes[0]!, 'vector', i =>
          k.store(y, [to.at(i).cast('index')], x.at(from.at(i).cast('index'))),
        )
      })
      for (const n of [0, 1, 4, 7, 16, 19]) {
        const x = vector(
          dtype,
          numbers(n).map(v => (dtype === t.bool ? v & 1 : v)),
        )
        const from = Array.from({ length: n }, (_, i) => n - 1 - i)
        const to = Array.from({ length: n }, (_, i) => (i + 3) % n)
        const y = zeros(dtype, n)
        run(kernel, [x, vector(t.int64, from), vector(t.int32, to), y])
        const expected = new dtype.array(n)
        from.forEach((f, i) => {
          expected[to[i]!] = x.array[f]!
        })
        expect(values_of(y)).toEqual(Array.from(expected as ArrayLike<number>))
      }
    }
  })

  it('guard loads: where the guard is false memory is not touched', () => {
    const far = 2 ** 28 // far outside of the memory
    const cases: ((i: Expr, n: Expr) => readonly [index: Expr, guard: Expr])[] = [
      (i, n) => [i.sub(3), i.ge(3).and(n.gt(0))], // contiguous, lane by lane
      (i, n) => [i.add(far), n.lt(0)], // contiguous, all or nothing
      (i, n) => [i.mul(far), i.eq(0).and(n.gt(0))], // strided
      (i, n) => [i.mod(5).eq(0).where(i, far), i.mod(5).eq(0).and(n.gt(0))], // anywhere
    ]
    const read: readonly ((i: number) => number | false)[] = [
      i => i >= 3 && i - 3,
      () => false,
      i => i === 0 && 0,
      i => i % 5 === 0 && i,
    ]
    for (const dtype of [t.float32, t.float64, t.float16, t.bool])
      cases.forEach((at, c) => {
        const type = compute_type(dtype)
        const kernel = build('k', k => {
          const x = k.input('x', dtype, 'flat')
          const y = k.output('y', dtype, 'flat')
          k.for(y.sizes[0]!, 'vector', i => {
            const [index, guard] = at(i, x.sizes[0]!)
            k.store(y, [i], x.at_if(guard, [index], constant(1, type)))
          })
        })
        const one = dtype === t.float16 ? 0x3c00 : 1
        const stored = (i: number): number =>
          dtype === t.bool ? i & 1 : dtype === t.float16 ? 0x3c00 + i : i
        for (const n of [1, 4, 5, 16, 18]) {
          const y = zeros(dtype, n)
          run(kernel, [
            vector(
              dtype,
              Array.from({ length: n }, (_, i) => stored(i)),
            ),
            y,
          ])
          const expected = Array.from({ length: n }, (_, i) => {
            const from = read[c]!(i)
            return from === false ? one : stored(from)
          })
          expect(values_of(y), `${dtype} case ${c}`).toEqual(expected)
        }
      })
  })

  it('branch and repeat', () => {
    // steps of the Collatz sequence, with its own loop for each element
    const kernel = build('k', k => {
      const x = k.input('x', t.int32, 'flat')
      const y = k.output('y', t.int32, 'flat')
      k.for(y.sizes[0]!, 'parallel', i => {
        const n = k.local('i32', x.at(i))
        const steps = k.local('i32', 0)
        k.while(n.gt(1), () => {
          k.if(
            n.and(1).eq(0),
            () => k.assign(n, n.shr(1)),
            () => k.assign(n, n.mul(3).add(1)),
          )
          k.assign(steps, steps.add(1))
        })
        k.store(y, [i], steps)
      })
    })
    const y = zeros(t.int32, 6)
    run(kernel, [vector(t.int32, [1, 2, 3, 6, 7, 27]), y])
    expect(values_of(y)).toEqual([0, 1, 7, 8, 16, 111])
  })
})

describe('reductions', () => {
  const kernel = (
    dtype: DType,
    mode: LoopMode,
    start: number,
    combine: (k: Builder, acc: Expr, x: Expr) => Expr,
    strided = false,
  ): Kernel =>
    build('reduce', k => {
      const x = k.input('x', dtype, strided ? { rank: 1 } : 'flat')
      const y = k.output('y', dtype, 'flat')
      const acc = k.local(compute_type(dtype), start)
      k.for(x.sizes[0]!, mode, i => k.assign(acc, combine(k, acc, x.at(i))))
      k.store(y, [0], acc)
    })
  const ops: Partial<Record<PrimName, [start: number, dtypes: readonly DType[]]>> = {
    add: [3, [t.float32, t.float64, t.int32, t.int64, t.uint8]],
    mul: [1, [t.float32, t.float64, t.int32, t.int64]],
    min: [5, [t.float32, t.float64, t.int32, t.int64, t.int16]],
    max: [-5, [t.float32, t.float64, t.int32, t.int64, t.float16]],
    and: [-1, [t.int32, t.int64, t.bool]],
    or: [0, [t.int32, t.int64, t.bool]],
    xor: [9, [t.int32, t.int64, t.bool]],
  }

  it.each(Object.keys(ops) as PrimName[])('%s', name => {
    const [start, types] = ops[name]!
    for (const dtype of types) {
      const type = compute_type(dtype)
      for (const n of [...Array(18).keys(), 31, 33, 64, 67])
        for (const strided of [false, true]) {
          const x = zeros(dtype, n)
          for (let i = 0; i < n; i++) {
            const value =
              name === 'mul' ? 1 + (i % 3 === 0 ? 1 : 0) : ((i * 7 + n) % 13) - (dtype === t.uint8 ? 0 : 6)
            write_element(x.array, dtype, i, dtype === t.bool ? value % 2 !== 0 : value)
          }
          let expected: Value = convert(start, 'f64', type)
          for (let i = 0; i < n; i++) {
            const element = read_element(x.array, dtype, i)
            expected = prims[name].js(type, expected, type === 'i64' ? BigInt(element) : element)
          }
          const y = zeros(dtype, 1)
          const k = kernel(dtype, 'reduce', start, (_, acc, e) => new Expr(name, type, [acc, e]), strided)
          run(k, [strided ? spread(x) : x, y])
          const stored = new dtype.array(1)
          write_element(stored, dtype, 0, expected)
          expect(y.array, `${dtype} ${n} ${strided}`).toEqual(stored)
        }
    }
  })

  it('fma, the accumulator on the right, NaN, and locals in the body', () => {
    const x = vector(
      t.float32,
      Array.from({ length: 23 }, (_, i) => i - 5),
    )
    const sum_of_squares = values_of(x).reduce<number>((s, v) => s + Number(v) ** 2, 0)
    const y = zeros(t.float32, 1)
    for (const f of every_feature) {
      run(
        kernel(t.float32, 'reduce', 0, (_, acc, e) => e.fma(e, acc)),
        [x, y],
        [],
        f,
      )
      expect(values_of(y)).toEqual([sum_of_squares])
    }
    run(
      kernel(t.float32, 'reduce', 0, (k, acc, e) => {
        const square = k.local('f32', e.mul(e))
        return square.add(acc)
      }),
      [x, y],
    )
    expect(values_of(y)).toEqual([sum_of_squares])
    for (const at of [0, 9, 22]) {
      const nan = vector(t.float32, values_of(x) as number[])
      nan.array[at] = NaN
      run(
        kernel(t.float32, 'reduce', -Infinity, (_, acc, e) => acc.max(e)),
        [nan, y],
      )
      expect(values_of(y)).toEqual([NaN])
    }
  })

  it.each([t.float32, t.float64])(
    'of zeros the greatest is +0, the least -0, wherever it stands: %s',
    dtype => {
      const y = zeros(dtype, 1)
      for (const [name, wanted, other] of [
        ['max', 0, -0],
        ['min', -0, 0],
      ] as const)
        for (const rest of [other, name === 'max' ? -3 : 3])
          for (let at = 0; at < 19; at++) {
            const x = vector(
              dtype,
              Array.from({ length: 19 }, (_, i) => (i === at ? wanted : i % 2 ? rest : other)),
            )
            const start = name === 'max' ? -Infinity : Infinity
            run(
              kernel(dtype, 'reduce', start, (_, acc, e) => acc[name](e)),
              [x, y],
            )
            expect(values_of(y)).toEqual([wanted])
          }
    },
  )

  it('what depends on a total so far is done in order', () => {
    const y = zeros(t.float32, 1)
    const totals = build('reduce', k => {
      const x = k.input('x', t.float32, 'flat')
      const out = k.output('y', t.float32, 'flat')
      const [sum, sums] = [k.local('f32', 0), k.local('f32', 0)]
      k.for(x.sizes[0]!, 'reduce', i => {
        k.assign(sum, sum.add(x.at(i)))
        k.assign(sums, sums.add(sum))
      })
      k.store(out, [0], sums)
    })
    run(totals, [vector(t.float32, [1, 2, 3, 4, 5, 6, 7, 8, 9]), y])
    expect(values_of(y)).toEqual([165])
  })

  it('conditional contributions', () => {
    const y = zeros(t.float32, 1)
    const odd_sum = build('reduce', k => {
      const x = k.input('x', t.float32, 'flat')
      const out = k.output('y', t.float32, 'flat')
      const acc = k.local('f32', 0)
      k.for(x.sizes[0]!, 'reduce', i => k.if(i.and(1).eq(1), () => k.assign(acc, acc.add(x.at(i)))))
      k.store(out, [0], acc)
    })
    run(odd_sum, [vector(t.float32, [1, 2, 3, 4, 5, 6, 7, 8, 9]), y])
    expect(values_of(y)).toEqual([20])
  })

  it('along rows and along columns', () => {
    for (const [rows, columns] of [
      [5, 7],
      [4, 16],
      [1, 33],
      [9, 4],
      [0, 6],
    ] as const) {
      const sum = (along: 0 | 1): Kernel =>
        build('sum', k => {
          const x = k.input('x', t.float32, { rank: 2, inner: 1 })
          const y = k.output('y', t.float32, 'flat')
          k.for(y.sizes[0]!, 'parallel', i => {
            const acc = k.local('f32', 0)
            k.for(x.sizes[along]!, 'reduce', j =>
              k.assign(acc, acc.add(along === 0 ? x.at(j, i) : x.at(i, j))),
            )
            k.store(y, [i], acc)
          })
        })
      const values = Array.from({ length: rows * columns }, (_, i) => (i * 5) % 17)
      const x: Argument = { ...vector(t.float32, values), sizes: [rows, columns], strides: [columns, 1] }
      const [by_column, by_row] = [zeros(t.float32, columns), zeros(t.float32, rows)]
      run(sum(0), [x, by_column])
      run(sum(1), [x, by_row])
      const total = (pick: (i: number) => boolean): number =>
        values.reduce((s, v, i) => (pick(i) ? s + v : s), 0)
      expect(values_of(by_column)).toEqual(
        Array.from({ length: columns }, (_, j) => total(i => i % columns === j)),
      )
      expect(values_of(by_row)).toEqual(
        Array.from({ length: rows }, (_, r) => total(i => Math.floor(i / columns) === r)),
      )
    }
  })
})
