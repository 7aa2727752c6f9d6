import { describe, expect, it } from 'vitest'
import { type PrimName, prims } from '../../src/ir/prims.ts'
import type { ScalarType } from '../../src/ir/types.ts'
import type { Value } from '../../src/ir/value.ts'
import { numbers, special, torch, tuples } from './reference.ts'

const js = (name: PrimName, type: ScalarType, ...x: Value[]): Value => prims[name].js(type, ...x)

describe('values are PyTorch’s at corner points', () => {
  for (const [key, text] of Object.entries(torch.values)) {
    const [name, type] = key.split(' ') as [PrimName, ScalarType]
    it(key, () => {
      const expected = numbers(text, type)
      const operands = tuples(numbers(torch.operands[type]!, type) as Value[], prims[name].arity)
      expect(operands.length).toBe(expected.length)
      operands.forEach((x, i) => {
        const want = expected[i]!
        if (want === null) return
        const got = js(name, type, ...x)
        const call = `${name}(${x.join(', ')})`
        // which zero is the lesser is open
        if (want === 0 && (name === 'min' || name === 'max')) expect(got === 0, call).toBe(true)
        else if (typeof want === 'number' && Number.isFinite(want) && want !== 0 && type.startsWith('f'))
          expect(Math.abs(((got as number) - want) / want), call).toBeLessThan(type === 'f32' ? 2e-6 : 1e-14)
        else expect(got, call).toBe(want)
      })
    })
  }
})

describe('functions of one float are accurate', () => {
  // In units of the larger of |value| and 1 for the two that cross zero at irrational points.
  const absolute = ['lgamma', 'digamma']
  for (const [name, points] of Object.entries(special))
    it(name, () => {
      for (const [x, y] of points) {
        const got = js(name as PrimName, 'f64', x) as number
        const scale = absolute.includes(name) ? Math.max(1, Math.abs(y)) : Math.abs(y)
        expect(Math.abs(got - y) / scale, `${name}(${x})`).toBeLessThan(
          absolute.includes(name) ? 4e-15 : 5e-16,
        )
      }
    })

  it('f32 results are rounded', () => {
    expect(js('exp', 'f32', 1)).toBe(Math.fround(Math.E))
    expect(js('div', 'f32', 1, 3)).toBe(Math.fround(1 / 3))
  })
})

describe('integers', () => {
  it('wrap to their width', () => {
    expect(js('add', 'i32', 2 ** 31 - 1, 1)).toBe(-(2 ** 31))
    expect(js('mul', 'i32', 123456789, 987654321)).toBe(Number(BigInt.asIntN(32, 123456789n * 987654321n)))
    expect(js('add', 'i64', 2n ** 63n - 1n, 1n)).toBe(-(2n ** 63n))
    expect(js('neg', 'i64', -(2n ** 63n))).toBe(-(2n ** 63n))
    expect(js('abs', 'i32', -(2 ** 31))).toBe(-(2 ** 31))
  })

  it('an index has 64 bits and no negative zero', () => {
    expect(js('mul', 'index', 2 ** 20, 2 ** 20)).toBe(2 ** 40)
    expect(js('mul', 'index', -1, 0)).toBe(0)
    expect(js('mod', 'index', -4, 2)).toBe(0)
    expect(js('truncdiv', 'index', -1, 2)).toBe(0)
    expect(js('floordiv', 'index', -1, 2)).toBe(-1)
    expect(js('shl', 'index', 1, 40)).toBe(2 ** 40)
    expect(js('and', 'index', 2 ** 40 + 5, 4)).toBe(4)
  })

  it('division by zero gives 0', () => {
    for (const name of ['floordiv', 'truncdiv', 'mod', 'fmod'] as const) {
      expect(js(name, 'i32', 7, 0)).toBe(0)
      expect(js(name, 'index', 7, 0)).toBe(0)
      expect(js(name, 'i64', 7n, 0n)).toBe(0n)
    }
  })

  it('the lowest integer divided by -1 wraps', () => {
    for (const name of ['floordiv', 'truncdiv'] as const) {
      expect(js(name, 'i32', -(2 ** 31), -1)).toBe(-(2 ** 31))
      expect(js(name, 'i64', -(2n ** 63n), -1n)).toBe(-(2n ** 63n))
    }
  })

  it('shifts count modulo the width; ushr shifts zeros in', () => {
    expect(js('shl', 'i32', 1, 33)).toBe(2)
    expect(js('shl', 'i64', 1n, 65n)).toBe(2n)
    expect(js('shr', 'i32', -8, 1)).toBe(-4)
    expect(js('ushr', 'i32', -8, 1)).toBe(2 ** 31 - 4)
    expect(js('ushr', 'i64', -8n, 1n)).toBe(2n ** 63n - 4n)
    expect(js('ushr', 'i32', -1, 0)).toBe(-1)
  })
})

describe('truth values', () => {
  const both = [false, true]
  it('and, or, xor, not are logic', () => {
    for (const a of both) {
      expect(js('not', 'bool', a)).toBe(!a)
      for (const b of both) {
        expect(js('and', 'bool', a, b)).toBe(a && b)
        expect(js('or', 'bool', a, b)).toBe(a || b)
        expect(js('xor', 'bool', a, b)).toBe(a !== b)
        expect(js('eq', 'bool', a, b)).toBe(a === b)
      }
    }
  })

  it('comparisons', () => {
    const order: [PrimName, boolean, boolean, boolean, boolean][] = [
      // of 1 with 2, with 1, 2 with 1, and NaN with itself
      ['eq', false, true, false, false],
      ['ne', true, false, true, true],
      ['lt', true, false, false, false],
      ['le', true, true, false, false],
      ['gt', false, false, true, false],
      ['ge', false, true, true, false],
    ]
    for (const [name, less, same, greater, unordered] of order) {
      expect([js(name, 'f32', 1, 2), js(name, 'f32', 1, 1), js(name, 'f32', 2, 1)]).toEqual([
        less,
        same,
        greater,
      ])
      expect([js(name, 'i64', 1n, 2n), js(name, 'i64', 1n, 1n), js(name, 'i64', 2n, 1n)]).toEqual([
        less,
        same,
        greater,
      ])
      expect(js(name, 'f64', NaN, NaN)).toBe(unordered)
    }
  })

  it('where picks', () => {
    expect(js('where', 'f32', true, 1, 2)).toBe(1)
    expect(js('where', 'i64', false, 1n, 2n)).toBe(2n)
  })
})

it('fma is a * b + c; in f32 the product is not rounded', () => {
  expect(js('fma', 'f64', 2, 3, 4)).toBe(10)
  const x = 1 + 2 ** -12
  expect(js('fma', 'f32', x, x, -1)).toBe(2 ** -11 + 2 ** -24)
})

it('fused is a * b + c, rounded once', () => {
  const x = 1 + 2 ** -30
  expect(js('fused', 'f64', x, x, -1)).toBe(2 ** -29 + 2 ** -60)
  expect(js('fused', 'f64', Infinity, 1, 1)).toBe(Infinity)
  // by way of a double this would be the tie 1 + 2^-24, and so 1
  expect(js('fused', 'f32', 2 ** -40, 2 ** -40, 1 + 2 ** -23)).toBe(1 + 2 ** -23)
  expect(js('fused', 'f32', 2 ** -24, 1, 1)).toBe(1)
})

it('every row is tested here', () => {
  const named = ['not', 'ushr', 'eq', 'ne', 'lt', 'le', 'gt', 'ge', 'where', 'fma', 'fused']
  const tested = new Set([
    ...named,
    ...Object.keys(special),
    ...Object.keys(torch.values).map(k => k.split(' ')[0]),
  ])
  expect(Object.keys(prims).filter(name => !tested.has(name))).toEqual([])
})
