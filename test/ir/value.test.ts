import { describe, expect, it } from 'vitest'
import { constant } from '../../src/ir/expr.ts'
import { convert, reinterpret } from '../../src/ir/value.ts'

describe('convert', () => {
  it('truncates floats and wraps integers', () => {
    expect(convert(-2.9, 'f32', 'i32')).toBe(-2)
    expect(convert(-0.5, 'f64', 'i32')).toBe(0)
    expect(convert(-2.9, 'f32', 'i64')).toBe(-2n)
    expect(convert(-2.9, 'f32', 'index')).toBe(-2)
    expect(convert(2n ** 32n + 5n, 'i64', 'i32')).toBe(5)
    expect(convert(2 ** 40 + 7, 'index', 'i32')).toBe(7)
    expect(convert(-1, 'i32', 'i64')).toBe(-1n)
  })

  it('gives the lowest integer for floats out of range, as PyTorch does on x86', () => {
    for (const x of [NaN, Infinity, -Infinity, 1e30, 2 ** 63])
      expect(convert(x, 'f64', 'i64')).toBe(-(2n ** 63n))
    for (const x of [NaN, Infinity, -Infinity, 3e9, 2 ** 31])
      expect(convert(x, 'f64', 'i32')).toBe(-(2 ** 31))
    expect(convert(-(2 ** 31) - 0.5, 'f64', 'i32')).toBe(-(2 ** 31))
    expect(convert(2 ** 31 - 0.5, 'f64', 'i32')).toBe(2 ** 31 - 1)
  })

  it('takes anything but 0 for true, NaN too', () => {
    expect([0, -0, 0.1, NaN].map(x => convert(x, 'f32', 'bool'))).toEqual([false, false, true, true])
    expect([0n, 2n].map(x => convert(x, 'i64', 'bool'))).toEqual([false, true])
    expect(convert(true, 'bool', 'f32')).toBe(1)
    expect(convert(true, 'bool', 'i64')).toBe(1n)
  })

  it('rounds once from i64 to f32', () => {
    // 2^60 + 2^36 is a tie of float32s; the double nearest to one more is the tie itself
    expect(convert(2n ** 60n + 2n ** 36n, 'i64', 'f32')).toBe(2 ** 60)
    expect(convert(2n ** 60n + 2n ** 36n + 1n, 'i64', 'f32')).toBe(2 ** 60 + 2 ** 37)
    expect(convert(-(2n ** 60n) - 2n ** 36n - 1n, 'i64', 'f32')).toBe(-(2 ** 60) - 2 ** 37)
    expect(convert(2n ** 60n + 3n * 2n ** 36n - 1n, 'i64', 'f32')).toBe(2 ** 60 + 2 ** 37)
  })
})

it('reinterpret reads the bits', () => {
  expect(reinterpret(1, 'f32', 'i32')).toBe(0x3f800000)
  expect(reinterpret(-(2 ** 31), 'i32', 'f32')).toBe(-0)
  expect(reinterpret(1, 'f64', 'i64')).toBe(0x3ff0000000000000n)
  expect(reinterpret(0x4000000000000000n, 'i64', 'f64')).toBe(2)
  expect(() => reinterpret(1, 'f32', 'i64')).toThrow('the bits of f32 cannot be read as i64')
})

it('a cast of a constant converts at once, where an i64 can hold no infinity too', () => {
  expect(constant(Infinity, 'f32').cast('i64').arg).toBe(-(2n ** 63n))
  expect(constant(2.5, 'f32').cast('i32').arg).toBe(2)
})
