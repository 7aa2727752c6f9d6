// Random ops in mapped functions: the numbers are PyTorch's, different for each sample or the same for all.
import { expect, test } from 'vitest'
import * as torch from '../../src/index.ts'
import type { Tensor } from '../../src/torch.ts'
import { agrees, expected, v } from './values.ts'

const { vmap } = torch
const F = torch.nn.functional
const f32 = v([2, 3]).float()

test('the draws of a seeded program', () => {
  const different = { randomness: 'different' } as const
  const same = { randomness: 'same' } as const
  torch.manual_seed(0)
  const draws: [string, () => Tensor][] = [
    ['randn different', () => vmap((_: Tensor) => torch.randn(2), different)(f32)],
    ['randn same', () => vmap((_: Tensor) => torch.randn(2), same)(f32)],
    ['dropout different', () => vmap((x: Tensor) => F.dropout(x), different)(torch.ones(3, 8))],
    ['dropout same', () => vmap((x: Tensor) => F.dropout(x), same)(torch.ones(3, 8))],
    ['rand_like different', () => vmap((x: Tensor) => torch.rand_like(x), different)(f32)],
    ['rand_like same', () => vmap((x: Tensor) => torch.rand_like(x), same)(f32)],
    [
      'bernoulli different',
      () => vmap((x: Tensor) => torch.bernoulli(x), different)(torch.ones(2, 3).mul(0.5)),
    ],
    ['uniform_ different', () => vmap((x: Tensor) => x.uniform_(), different)(torch.ones(2, 3))],
    ['uniform_ same', () => vmap((x: Tensor) => x.uniform_(), same)(torch.ones(2, 3))],
  ]
  for (const [name, draw] of draws) agrees(draw(), expected.random[name]!, 6, name)
})

test('permutations of each sample', () => {
  const orders = vmap((_: Tensor) => torch.randperm(5), { randomness: 'different' })(f32)
  for (const order of orders) expect([...(order.tolist() as number[])].sort()).toEqual([0, 1, 2, 3, 4])
})

test('nested maps: one may draw the same, the other different numbers', () => {
  const draw = vmap((x: Tensor) => vmap((_: Tensor) => torch.rand(4), { randomness: 'same' })(x), {
    randomness: 'different',
  })
  const drawn = draw(f32)
  expect([...drawn.shape]).toEqual([2, 3, 4])
  expect(torch.equal(drawn.select(1, 0), drawn.select(1, 2))).toBe(true)
  expect(torch.equal(drawn.select(0, 0), drawn.select(0, 1))).toBe(false)
})
