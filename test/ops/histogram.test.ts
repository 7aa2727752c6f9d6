// Specification of histogram and histogramdd: PyTorch's values and errors.
import { describe, expect, test } from 'vitest'
import * as torch from '../../src/index.ts'
import { describe_calls, values } from './calls.ts'

const { histogram: H, histogramdd: D } = torch
const t = (...v: (number | number[])[]): torch.Tensor => torch.tensor(v as number[], { dtype: torch.float32 })
const p5 = t(1, 2, 2, 3, 5)
const weight = t(0, 1, 2, 3, 4)
const z4 = t([0, 1], [1, 0], [2, 1], [2, 2])

describe('histogram', () => {
  describe_calls('histogram', {
    bins: () => H(p5, 3),
    edges: () => H(p5, t(1, 2, 3, 4)),
    range: () => H(p5, 3, { range: [0, 4] }),
    weight: () => H(p5, 3, { weight }),
    density: () => H(p5, 3, { weight, density: true, range: [1, 3] }),
    'nothing in range': () => H(p5, 3, { density: true, range: [10, 11] }),
    'no range': () => H(p5, 3, { range: [1, 1] }),
    'descending edges': () => H(p5, t(3, 2, 1)),
    many: () => H(values([400], { dtype: torch.float64 }), 17),
    out: () => H(p5, 2, { out: [torch.empty(0), torch.empty(0)] }),
    nan: () => H(t(1, Number.NaN), 3),
    'no bins': () => H(p5, 0),
    'edges in two dimensions': () => H(p5, t([1])),
    'one edge': () => H(p5, t(1)),
    'no edge': () => H(p5, p5.narrow(0, 0, 0)),
    'edges of another dtype': () => H(p5, t(1, 2).double()),
    integers: () => H(p5.long(), 3),
    bfloat16: () => H(p5.bfloat16(), 3),
    'few weights': () => H(p5, 3, { weight: t(1, 2) }),
    'integer weights': () => H(p5, 3, { weight: torch.tensor([1, 2, 3, 4, 5]) }),
    'range turned': () => H(p5, 3, { range: [3, 1] }),
    'short range': () => H(p5, 3, { range: [1] }),
    'infinite range': () => H(p5, 3, { range: [0, Number.POSITIVE_INFINITY] }),
    dd: () => D(z4, [3, 2]),
    'dd one number': () => D(z4, 3),
    'dd edges': () => D(z4, [t(0, 1, 2), t(0, 2)]),
    'dd range': () => D(z4, [2, 2], { range: [0, 1, 0, 2] }),
    'dd density': () => D(z4, [2, 2], { weight: t(1, 2, 3, 4), density: true }),
    'dd 3d': () => D(values([2, 5, 3]), [2, 3, 2]),
    'dd few bins': () => D(z4, [2]),
    'dd 1d': () => D(z4.select(0, 0), [2, 2]),
    'dd no bins': () => D(z4, [2, 0]),
    'dd short range': () => D(z4, [2, 2], { range: [0, 1] }),
    'dd few edges': () => D(z4, [t(0, 1, 2)]),
    'dd few weights': () => D(z4, [2, 2], { weight: t(1, 1, 1) }),
    'dd dtype of edges': () => D(z4, [t(0, 1, 2), t(0, 2).double()]),
    'dd range turned': () => D(z4, [2, 2], { range: [0, -1, 0, 1] }),
  })

  test('prints as in Python, and has no derivative', () => {
    expect(`${H(t(0, 1), 1)}`).toBe(
      'torch.return_types.histogram(\nhist=tensor([2.]),\nbin_edges=tensor([0., 1.]))',
    )
    expect(`${D(t([0, 1], [1, 0]), 1)}`).toBe(
      'torch.return_types.histogramdd(\nhist=tensor([[2.]]),\nbin_edges=(tensor([0., 1.]), tensor([0., 1.])))',
    )
    const { hist } = H(p5.clone().requires_grad_(), 2)
    expect(() => hist.sum().backward()).toThrow('is not implemented')
  })
})
