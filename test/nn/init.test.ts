// torch.nn.init: the numbers of PyTorch after manual_seed(0).
import { expect, test } from 'vitest'
import * as torch from '../../src/index.ts'
import { recorded, rounded } from './behaviour.ts'

const { init } = torch.nn

const fills: Record<string, [sizes: number[], (t: torch.Tensor) => unknown]> = {
  uniform_: [[3, 4], t => init.uniform_(t, -1, 2)],
  normal_: [[3, 4], t => init.normal_(t, { mean: 1, std: 2 })],
  'normal_ long': [[5, 4], t => init.normal_(t)],
  trunc_normal_: [[3, 4], t => init.trunc_normal_(t, { std: 0.5, a: -0.5, b: 1 })],
  constant_: [[2], t => init.constant_(t, 0.3)],
  eye_: [[2, 3], t => init.eye_(t)],
  dirac_: [[4, 2, 3], t => init.dirac_(t)],
  'dirac_ groups': [[4, 2, 3, 3], t => init.dirac_(t, 2)],
  xavier_uniform_: [[3, 4], t => init.xavier_uniform_(t, 2)],
  xavier_normal_: [[3, 2, 2], t => init.xavier_normal_(t)],
  kaiming_uniform_: [[3, 4], t => init.kaiming_uniform_(t, { a: 0.1 })],
  kaiming_normal_: [[3, 2, 3], t => init.kaiming_normal_(t, { mode: 'fan_out', nonlinearity: 'relu' })],
  orthogonal_: [[3, 5], t => init.orthogonal_(t, 2)],
  'orthogonal_ tall': [[6, 2, 2], t => init.orthogonal_(t)],
  sparse_: [[5, 3], t => init.sparse_(t, 0.4, 0.1)],
}

test('covers what was recorded', () => {
  expect(Object.keys(fills)).toEqual(Object.keys(recorded.init))
})

test.each(Object.keys(fills))('%s', name => {
  const [sizes, fill] = fills[name]!
  torch.manual_seed(0)
  const t = torch.empty(sizes)
  expect(fill(t)).toBe(t)
  const expected = recorded.init[name]!
  const got = t.reshape([-1]).tolist() as number[]
  expect(got.length).toBe(expected.length)
  got.forEach((x, i) => {
    expect(x).toBeCloseTo(expected[i]!, 5)
  })
})

test('parameters are filled outside the graph', () => {
  const p = torch.nn.Parameter(torch.zeros(2, 2))
  init.ones_(p)
  expect([p.requires_grad, p.is_leaf, rounded(p)]).toEqual([true, true, [1, 1, 1, 1]])
})

test('calculate_gain', () => {
  for (const [name, gain] of Object.entries(recorded.gains))
    expect(
      name === 'leaky_relu 0.2' ? init.calculate_gain('leaky_relu', 0.2) : init.calculate_gain(name),
    ).toBeCloseTo(gain, 12)
})
