// Specification of linalg's norms of matrices and products of several factors: errors and edges. Values and gradients
// are the op suite's and the conformance cases'.
import { describe, expect, test } from 'vitest'
import type { Tensor } from '../../../src/index.ts'
import * as torch from '../../../src/index.ts'

const { linalg } = torch
const range = (...sizes: number[]): Tensor =>
  torch.arange(1, sizes.reduce((a, b) => a * b, 1) + 1, { dtype: torch.float64 }).reshape(sizes)

describe('matrix_norm', () => {
  test('of two dimensions anywhere, kept or not', () => {
    const x = range(2, 3, 2)
    expect(linalg.matrix_norm(x, 1, [0, 2]).tolist()).toEqual([10, 14, 18])
    expect(linalg.matrix_norm(x, Infinity, [0, 2], true).sizes).toEqual([1, 3, 1])
    expect(linalg.matrix_norm(x, 'nuc', [2, 0], true).sizes).toEqual([1, 3, 1])
    expect(linalg.matrix_norm(x, -1, [1, 2]).tolist()).toEqual([9, 27])
  })

  test('says what it does not take', () => {
    expect(() => linalg.matrix_norm(range(3))).toThrow('must have at least 2 dimensions')
    expect(() => linalg.matrix_norm(range(3, 3), 3)).toThrow('linalg.matrix_norm: Order 3 not supported.')
    expect(() => linalg.matrix_norm(range(3, 3), 2, [0, 0])).toThrow('dims must be different')
    expect(() => linalg.matrix_norm(torch.ones([2, 2], { dtype: torch.int64 }))).toThrow(
      'Expected a floating point or complex tensor as input. Got Long',
    )
  })
})

test('norm takes one dimension as vectors and two as matrices', () => {
  expect(linalg.norm(range(2, 2), 1, 0).tolist()).toEqual([4, 6])
  expect(linalg.norm(range(2, 2), 1, [0, 1]).item()).toBe(6)
  expect(linalg.norm(range(2, 2)).item()).toBeCloseTo(Math.sqrt(30), 12)
  expect(() => linalg.norm(range(2, 2, 2), 2)).toThrow('the input must be 1D or 2D. Got 3D.')
})

test('cond is infinite for singular matrices', () => {
  expect(linalg.cond(torch.zeros([2, 2]), 1).item()).toBe(Infinity)
  expect(linalg.cond(torch.eye(3)).item()).toBeCloseTo(1, 6)
})

test('multi_dot multiplies matrices, and vectors at its ends', () => {
  const [a, b, c] = [range(2, 3), range(3, 4), range(4, 5)]
  expect(linalg.multi_dot([a, b, c]).equal(a.mm(b).mm(c))).toBe(true)
  expect(linalg.multi_dot([range(3), b, range(4)]).sizes).toEqual([])
  expect(() => linalg.multi_dot([a])).toThrow('multi_dot(): expected at least 2 tensors but got 1')
  expect(() => linalg.multi_dot([a, c])).toThrow('cannot be multiplied')
})

test('matrix_power squares, inverts, and gives the unit matrix', () => {
  const a = torch.tensor([
    [2, 1],
    [1, 1.5],
  ])
  expect(torch.allclose(torch.matrix_power(a, 5), a.mm(a).mm(a).mm(a).mm(a))).toBe(true)
  expect(torch.allclose(linalg.matrix_power(a, -1).mm(a), torch.eye(2), { atol: 1e-6 })).toBe(true)
  expect(linalg.matrix_power(a, 0).equal(torch.eye(2))).toBe(true)
})

test('cross takes the first dimension of size 3; linalg.cross the last', () => {
  const [x, y] = [range(3, 3), range(3, 3).t().contiguous()]
  expect(torch.cross(x, y).equal(linalg.cross(x, y, { dim: 0 }))).toBe(true)
  expect(() => linalg.cross(range(3, 2), range(3, 2))).toThrow('inputs dimension -1 must have length 3')
})

test('renorm scales what is longer', () => {
  const x = torch.tensor([
    [3, 4],
    [0.3, 0.4],
  ])
  expect(torch.allclose(linalg.norm(x.renorm(2, 0, 1), 2, 1), torch.tensor([1, 0.5]))).toBe(true)
})
