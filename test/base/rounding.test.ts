import { describe, expect, test } from 'vitest'
import { general } from '../../src/base/format.ts'
import { fma, fma_float } from '../../src/base/rounding.ts'

/** The exact value of a double as a whole number of 2^-1074. */
function exact(x: number): bigint {
  const view = new DataView(new ArrayBuffer(8))
  view.setFloat64(0, x)
  const bits = view.getBigUint64(0)
  const exponent = (bits >> 52n) & 0x7ffn
  const mantissa = bits & (2n ** 52n - 1n)
  const magnitude = exponent === 0n ? mantissa : (mantissa | (2n ** 52n)) << (exponent - 1n)
  return x < 0 ? -magnitude : magnitude
}

/** Whether `rounded` is as near to a * b + c as its neighbours (`step` away) are. */
function is_nearest(a: number, b: number, c: number, rounded: number, step: number): boolean {
  const unit = 2n ** 1074n
  const error = (x: number): bigint => {
    const difference = exact(a) * exact(b) + (exact(c) - exact(x)) * unit
    return difference < 0n ? -difference : difference
  }
  return error(rounded) <= error(rounded * (1 + step)) && error(rounded) <= error(rounded * (1 - step))
}

describe('fused multiply-add', () => {
  const values = Array.from({ length: 24 }, (_, i) => Math.sin(i * i + 1) * 2 ** ((i % 7) * 3 - 9))

  test('of doubles rounds once', () => {
    expect(fma(0.1, 10, -1)).toBe(2 ** -54)
    for (const a of values) {
      for (const b of values) {
        for (const c of [...values, -a * b, -a * b * (1 + 2 ** -40)]) {
          expect(is_nearest(a, b, c, fma(a, b, c), 2 ** -52), `${a} * ${b} + ${c}`).toBe(true)
        }
      }
    }
  })

  test('of floats rounds once, also where doubles land on a tie', () => {
    // 1 + 2^-24 + 2^-60: just above the middle between 1 and its neighbour, which a double does not see.
    expect(Math.fround(2 ** -30 * 2 ** -30 + (1 + 2 ** -24))).toBe(1)
    expect(fma_float(2 ** -30, 2 ** -30, 1 + 2 ** -24)).toBe(1 + 2 ** -23)
    expect(fma_float(-(2 ** -30), 2 ** -30, 1 + 2 ** -24)).toBe(1)
  })
})

describe('numbers in messages', () => {
  test.each([
    [0, '0'],
    [-1.5, '-1.5'],
    [1e39, '1e+39'],
    [3e-5, '3e-05'],
    [0.0009765625, '0.000976562'],
    [123456.7, '123457'],
    [1234567, '1.23457e+06'],
    [Infinity, 'inf'],
    [NaN, 'nan'],
  ])('%d is %s', (x, text) => expect(general(x)).toBe(text))
})
