import { describe, expect, it } from 'vitest'
import {
  bfloat16,
  bool,
  type DType,
  float16,
  float32,
  float64,
  int8,
  int16,
  int32,
  int64,
  type TypedArray,
  uint8,
} from '../../src/base/dtype.ts'
import { constant, type Expr } from '../../src/ir/expr.ts'
import { interpret, type Memory } from '../../src/ir/interpret.ts'
import { type Builder, build } from '../../src/ir/kernel.ts'

const memory = (array: TypedArray): Memory => ({ array, offset: 0, lowest: 0, highest: array.length - 1 })
const floats = (...x: number[]): Memory => memory(new Float32Array(x))
const values = (m: Memory): number[] => Array.from(m.array as Float32Array)

/** Runs `write` over a float32 input and output of `n` elements; returns the output. */
function run(
  input: readonly number[],
  write: (k: Builder, x: (i: Expr) => Expr, put: Put) => void,
): number[] {
  const kernel = build('k', k => {
    const x = k.input('x', float32, 'flat')
    const y = k.output('y', float32, 'flat')
    write(
      k,
      i => x.at(i),
      (i, value) => k.store(y, [i], value),
    )
  })
  const out = memory(new Float32Array(input.length))
  interpret(kernel)([floats(...input), out], [input.length, input.length])
  return values(out)
}
type Put = (i: Expr, value: Expr) => void

describe('statements', () => {
  it('loops', () => {
    for (const mode of ['parallel', 'vector', 'serial'] as const)
      expect(run([1, 2, 3], (k, x, put) => k.for(3, mode, i => put(i, x(i).mul(10))))).toEqual([10, 20, 30])
  })

  it('reduces into a local', () => {
    const total = run([1, 2, 3], (k, x, put) => {
      const acc = k.local('f32', 100)
      k.for(3, 'reduce', i => k.assign(acc, acc.add(x(i))))
      put(constant(0, 'index'), acc)
    })
    expect(total).toEqual([106, 0, 0])
  })

  it('declares a local anew in each iteration', () => {
    const twice = run([1, 2, 3], (k, x, put) =>
      k.for(3, 'serial', i => {
        const local = k.local('f32', 0)
        k.assign(local, local.add(x(i)))
        put(i, local)
      }),
    )
    expect(twice).toEqual([1, 2, 3])
  })

  it('branches', () => {
    const signs = run([-4, 0, 4], (k, x, put) =>
      k.for(3, 'serial', i =>
        k.if(
          x(i).lt(0),
          () => put(i, constant(-1, 'f32')),
          () => k.if(x(i).gt(0), () => put(i, constant(1, 'f32'))),
        ),
      ),
    )
    expect(signs).toEqual([-1, 0, 1])
  })

  it('repeats while a condition holds, evaluated each time', () => {
    const halved = run([1, 10, 100], (k, x, put) =>
      k.for(3, 'serial', i => {
        const v = k.local('f32', x(i))
        // the condition uses v.mul(v) twice
        const square = v.mul(v)
        k.while(square.gt(4).and(square.lt(1e6)), () => k.assign(v, v.div(2)))
        put(i, v)
      }),
    )
    expect(halved).toEqual([1, 1.25, 1.5625])
  })

  it('runs no iteration for a size of 0 or less', () => {
    expect(run([1, 2], (k, _, put) => k.for(-3, 'serial', i => put(i, constant(9, 'f32'))))).toEqual([0, 0])
  })

  it('assigns from a value that was read before', () => {
    // a, b = b, a + b
    const fibonacci = run(Array(8).fill(0), (k, _, put) => {
      const a = k.local('f32', 0)
      const b = k.local('f32', 1)
      k.for(8, 'serial', i => {
        put(i, a)
        const sum = k.local('f32', a.add(b))
        k.assign(a, b)
        k.assign(b, sum)
      })
    })
    expect(fibonacci).toEqual([0, 1, 1, 2, 3, 5, 8, 13])
  })
})

describe('expressions', () => {
  it('evaluates a shared node once per use of the statement, with its present value', () => {
    const out = run([1, 2, 3], (k, x, put) =>
      k.for(3, 'serial', i => {
        const u = x(i).add(1)
        put(i, u.mul(u))
      }),
    )
    expect(out).toEqual([4, 9, 16])
  })

  it('is linear in the size of a DAG', () => {
    const out = run([1], (_, x, put) => {
      let e = x(constant(0, 'index'))
      for (let i = 0; i < 100; i++) e = e.add(e)
      put(constant(0, 'index'), e)
    })
    expect(out).toEqual([2 ** 100])
  })

  it('takes sizes, strides and values as params', () => {
    const kernel = build('transpose', k => {
      const x = k.input('x', float32, { rank: 2 })
      const y = k.output('y', float32, { rank: 2, inner: 1 })
      const scale = k.value('scale', 'f32')
      k.nest(x.sizes, 'parallel', 'serial', (i, j) => k.store(y, [j, i], x.at(i, j).mul(scale)))
    })
    const out = memory(new Float32Array(6))
    // x: sizes, strides; y: sizes, stride of its first dim; scale
    interpret(kernel)([floats(1, 2, 3, 4, 5, 6), out], [2, 3, 3, 1, 3, 2, 2, 10])
    expect(values(out)).toEqual([10, 40, 20, 50, 30, 60])
  })

  it('keeps all 64 bits of an int64', () => {
    const kernel = build('k', k => {
      const x = k.inout('x', int64, 'flat')
      k.store(x, [0], x.at(0).add(1))
    })
    const x = memory(BigInt64Array.of(2n ** 62n))
    interpret(kernel)([x], [1])
    expect(x.array[0]).toBe(2n ** 62n + 1n)
  })

  it('computes f32 with the rounding of f32', () => {
    expect(
      run([2 ** 24], (_, x, put) => put(constant(0, 'index'), x(constant(0, 'index')).add(1).add(1))),
    ).toEqual([2 ** 24])
  })
})

describe('dtypes', () => {
  /** Loads an element of `from`, converts it to the compute type of `to`, stores it. */
  function converted(from: DType, to: DType, bits: number | bigint): number | bigint {
    const kernel = build('cast', k => {
      const x = k.input('x', from, 'flat')
      const y = k.output('y', to, 'flat')
      k.store(y, [0], x.at(0))
    })
    const source = new from.array(1)
    source[0] = bits
    const out = memory(new to.array(1))
    interpret(kernel)([memory(source), out], [1, 1])
    return out.array[0]!
  }

  it('reads and writes the bits of 16-bit floats', () => {
    expect(converted(float16, float32, 0x3c00)).toBe(1)
    expect(converted(float16, float32, 0x0001)).toBe(2 ** -24)
    expect(converted(float32, float16, 65504)).toBe(0x7bff)
    expect(converted(float32, float16, 1e6)).toBe(0x7c00)
    expect(converted(bfloat16, float32, 0xbf80)).toBe(-1)
    expect(converted(float32, bfloat16, 1 + 2 ** -8)).toBe(0x3f80) // a tie, to even
    expect(converted(float32, bfloat16, NaN)).toBe(0x7fc0)
  })

  it('stores bool as 0 and 1', () => {
    expect(converted(float32, bool, NaN)).toBe(1)
    expect(converted(int64, bool, 256n)).toBe(1)
    expect(converted(float32, bool, -0)).toBe(0)
    expect(converted(bool, float32, 1)).toBe(1)
    expect(converted(bool, int64, 1)).toBe(1n)
  })

  it('wraps integers to their width', () => {
    expect(converted(int32, uint8, -1)).toBe(255)
    expect(converted(int32, int8, 200)).toBe(-56)
    expect(converted(int64, int16, 2n ** 40n + 40000n)).toBe(40000 - 65536)
    expect(converted(float32, uint8, 300.7)).toBe(44)
    expect(converted(float64, int64, -7.9)).toBe(-7n)
    expect(converted(uint8, int64, 255)).toBe(255n)
  })

  it('rounds float64 to float32', () => {
    expect(converted(float64, float32, 0.1)).toBe(Math.fround(0.1))
  })
})

describe('memory', () => {
  const copy = build('copy', k => {
    const x = k.input('x', float32, 'flat')
    const y = k.output('y', float32, 'flat')
    const n = k.value('n', 'index')
    k.for(n, 'serial', i => k.store(y, [i], x.at(i)))
  })

  it('an index outside of its memory throws', () => {
    const run = interpret(copy)
    expect(() => run([floats(1, 2), floats(0, 0, 0)], [2, 3, 3])).toThrow(
      'kernel copy: index 2 of x is outside of [0, 1]',
    )
    expect(() => run([floats(1, 2, 3), floats(0, 0)], [3, 2, 3])).toThrow('index 2 of y is outside of [0, 1]')
  })

  it('indices count from the offset, and may go back as far as the operand does', () => {
    const reversed = build('reversed', k => {
      const x = k.input('x', float32, { rank: 1 })
      const y = k.output('y', float32, 'flat')
      k.for(x.sizes[0]!, 'serial', i => k.store(y, [i], x.at(i)))
    })
    const out = floats(0, 0, 0)
    const x = { array: new Float32Array([9, 1, 2, 3]), offset: 3, lowest: -2, highest: 0 }
    interpret(reversed)([x, out], [3, -1, 3])
    expect(values(out)).toEqual([3, 2, 1])
    expect(() => interpret(reversed)([x, floats(0, 0, 0, 0)], [4, -1, 4])).toThrow('index -3 of x')
  })

  it('a guarded load touches no memory where the guard is false', () => {
    const shifted = build('shifted', k => {
      const x = k.input('x', float32, 'flat')
      const y = k.output('y', float32, 'flat')
      k.for(3, 'serial', i => k.store(y, [i], x.at_if(i.gt(0), [i.sub(1)], 7)))
    })
    const out = floats(0, 0, 0)
    interpret(shifted)([floats(1, 2, 3), out], [3, 3])
    expect(values(out)).toEqual([7, 1, 2])
  })

  it('where reads on both sides: it is no guard', () => {
    expect(() =>
      run([1, 2, 3], (k, x, put) => k.for(3, 'serial', i => put(i, i.gt(0).where(x(i.sub(1)), x(i))))),
    ).toThrow('index -1 of x is outside of [0, 2]')
  })
})

it('verifies first', () => {
  const bad = build('bad', k => k.store(k.input('x', float32, 'flat'), [0], 1))
  expect(() => interpret(bad)).toThrow('kernel bad: store x: x is read-only')
})
