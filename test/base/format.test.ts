import { describe, expect, it } from 'vitest'
import {
  fixed,
  general,
  python_complex,
  python_float,
  python_scalar,
  scientific,
} from '../../src/base/format.ts'

// The expected texts are CPython 3.11's, of '%.*f', '%.*e', '%g' and repr().
describe('numbers as Python writes them', () => {
  it.each([
    [29428666, '29428666.0'],
    [1e-5, '1e-05'],
    [0.0001, '0.0001'],
    [1.5e-7, '1.5e-07'],
    [1e15, '1000000000000000.0'],
    [1e16, '1e+16'],
    [123456789012345680, '1.2345678901234568e+17'],
    [0.1, '0.1'],
    [-2.5, '-2.5'],
    [-0, '-0.0'],
    [100.25, '100.25'],
    [5e-324, '5e-324'],
    [1.7976931348623157e308, '1.7976931348623157e+308'],
    [NaN, 'nan'],
    [-Infinity, '-inf'],
  ])('repr(%d) is %s', (x, text) => {
    expect(python_float(x)).toBe(text)
  })

  it.each([
    [0.5, 0, '0'],
    [1.5, 0, '2'],
    [2.5, 0, '2'],
    [0.03125, 4, '0.0312'],
    [0.09375, 4, '0.0938'],
    [0.15, 1, '0.1'],
    [0.99995, 4, '1.0000'],
    [9.99996, 4, '10.0000'],
    [-0, 4, '-0.0000'],
    [-0.00001, 4, '-0.0000'],
    [1e22, 2, '10000000000000000000000.00'],
    [3.4028234663852886e38, 0, '340282346638528859811704183484516925440'],
    [NaN, 4, 'nan'],
  ])('%d to %d digits is %s', (x, digits, text) => {
    expect(fixed(x, digits)).toBe(text)
  })

  it.each([
    [1e5, 4, '1.0000e+05'],
    [1e-5, 4, '1.0000e-05'],
    [100005, 4, '1.0000e+05'],
    [100015, 4, '1.0002e+05'],
    [99999.5, 4, '1.0000e+05'],
    [99999.6, 4, '1.0000e+05'],
    [1e100, 2, '1.00e+100'],
    [0, 4, '0.0000e+00'],
    [-0, 0, '-0e+00'],
    [Infinity, 4, 'inf'],
  ])('%d with %d digits and an exponent is %s', (x, digits, text) => {
    expect(scientific(x, digits)).toBe(text)
  })

  it.each([
    [0.5, '0.5'],
    [100000, '100000'],
    [1e6, '1e+06'],
    [1234565, '1.23456e+06'],
    [1234575, '1.23458e+06'],
    [0.0001, '0.0001'],
    [0.00001, '1e-05'],
    [-0, '-0'],
  ])('%%g of %d is %s', (x, text) => {
    expect(general(x)).toBe(text)
  })

  it('scalars, whole numbers being ints', () => {
    expect([true, false, 3, -0, 2.5, 2n ** 62n].map(python_scalar)).toEqual([
      'True',
      'False',
      '3',
      '0',
      '2.5',
      '4611686018427387904',
    ])
  })

  it('complex numbers', () => {
    expect(python_complex(1, 2)).toBe('(1+2j)')
    expect(python_complex(1.5, -0.25)).toBe('(1.5-0.25j)')
    expect(python_complex(0, 2)).toBe('2j')
    expect(python_complex(-0, 2)).toBe('(-0+2j)')
    expect(python_complex(NaN, Infinity)).toBe('(nan+infj)')
  })
})
