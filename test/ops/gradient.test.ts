// Specification of torch.gradient, cdist and matrix_exp beyond PyTorch's recorded calls: exact cases, edges, errors.
import { describe, expect, test } from 'vitest'
import * as torch from '../../src/index.ts'

describe('gradient', () => {
  const squares = torch.tensor([0, 1, 4, 9, 16], { dtype: torch.float64 })

  test('is exact for a parabola with edges of second order', () => {
    expect(torch.gradient(squares, { edge_order: 2 })[0]!.tolist()).toEqual([0, 2, 4, 6, 8])
    expect(torch.gradient(squares)[0]!.tolist()).toEqual([1, 2, 4, 6, 7])
    expect(torch.gradient(squares, { spacing: 2 })[0]!.tolist()).toEqual([0.5, 1, 2, 3, 3.5])
  })

  test('takes the places of the samples', () => {
    const x = torch.tensor([0, 1, 3, 4], { dtype: torch.float64 })
    const [slope] = torch.gradient(x.mul(x), { spacing: [x], edge_order: 2 })
    expect(torch.allclose(slope!, x.mul(2))).toBe(true)
  })

  test('wants enough samples, and a spacing for each dimension', () => {
    expect(() => torch.gradient(torch.ones(2), { edge_order: 2 })).toThrow('at least edge_order+1')
    expect(() => torch.gradient(torch.ones(3, 3), { spacing: [1] })).toThrow('a list of length')
    expect(() => torch.gradient(torch.ones(3), { edge_order: 3 })).toThrow('only supports edge_order=1')
  })
})

test('cdist has no gradient where two rows are the same, and broadcasts', () => {
  const x = torch.tensor([[1, 2]], { dtype: torch.float64, requires_grad: true })
  torch.cdist(x, torch.tensor([[1, 2]], { dtype: torch.float64 })).backward()
  expect(x.grad!.tolist()).toEqual([[0, 0]])
  expect(torch.cdist(torch.zeros(2, 3, 4), torch.zeros(5, 4)).sizes).toEqual([2, 3, 5])
  expect(() => torch.cdist(torch.zeros(3, 4), torch.zeros(3, 5))).toThrow(
    'must have the same number of columns',
  )
})

test('matrix_exp of large and of nilpotent matrices', () => {
  const x = torch.tensor(
    [
      [0, 40],
      [0, 0],
    ],
    { dtype: torch.float64 },
  )
  expect(torch.matrix_exp(x).tolist()).toEqual([
    [1, 40],
    [0, 1],
  ])
  const d = torch.diag(torch.tensor([1, -20], { dtype: torch.float64 }))
  expect(torch.allclose(torch.matrix_exp(d), torch.diag(d.diag().exp()))).toBe(true)
})
