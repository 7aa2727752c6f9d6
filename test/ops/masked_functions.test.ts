// torch.masked at its edges: what everything masked out gives, masks that broadcast, dtypes and errors. Values are
// PyTorch 1.13.1's. Its values on samples are checked by the op suite.
import { expect, test } from 'vitest'
import * as torch from '../../src/index.ts'

const { masked } = torch
const x = torch.tensor([
  [-3, -2, -1],
  [0, 1, 2],
])
const mask = torch.tensor([
  [true, false, true],
  [false, false, false],
])
const floats = x.to(torch.float32)
const list = (t: torch.Tensor): unknown => t.tolist()

test('where everything is masked out there is the identity of the reduction', () => {
  expect(list(masked.sum(x, 1, { mask }))).toEqual([-4, 0])
  expect(list(masked.prod(x, 1, { mask }))).toEqual([3, 1])
  expect(list(masked.amax(floats, 1, { mask }))).toEqual([-1, -Infinity])
  expect(list(masked.amin(floats, 1, { mask }))).toEqual([-3, Infinity])
  expect(list(masked.mean(floats, 1, { mask }))).toEqual([-2, NaN])
  expect(list(masked.median(floats, 1, { mask }))).toEqual([-3, NaN])
  expect(list(masked.var(floats, 1, false, { mask }))).toEqual([1, NaN])
  expect(list(masked.norm(floats, 1, 1, { mask }))).toEqual([4, 0])
  expect(list(masked.norm(floats, -Infinity, 1, { mask }))).toEqual([1, Infinity])
  expect(list(masked.logsumexp(floats, 1, { mask }).isinf())).toEqual([false, true])
})

test('integers have the limits of their dtype for identities', () => {
  expect(String(masked.amax(x, 1, { mask }).tolist())).toBe('-1,-9223372036854775808')
  expect(list(masked.amin(x.to(torch.uint8), 1, { mask }))).toEqual([253, 255])
  expect(masked.sum(x.to(torch.int8)).dtype).toBe(torch.int64)
  expect(masked.argmax(floats, 1, { mask }).dtype).toBe(torch.float32)
})

test('masks broadcast to the input', () => {
  const columns = torch.tensor([true, false, true])
  expect(list(masked.sum(x, 1, { mask: columns }))).toEqual([-4, 2])
  expect(list(masked.cumsum(x, 1, { mask: columns }))).toEqual([
    [-3, -3, -4],
    [0, 0, 2],
  ])
  expect(list(masked.cumprod(x, 0, { mask: columns }).select(0, 0))).toEqual([-3, 1, -1])
  expect(list(masked.softmax(floats, 1, { mask: columns }).select(1, 1))).toEqual([0, 0])
  expect(list(masked.normalize(floats, 1, 1, { mask: columns }))).toEqual(
    [
      [-0.75, -0, -0.25],
      [0, 0, 1],
    ].map(row => row.map(v => v + 0)),
  )
})

test('no gradient reaches what is masked out', () => {
  const leaf = floats.clone().requires_grad_()
  masked.sum(leaf.mul(3), { mask }).backward()
  expect(list(leaf.grad as torch.Tensor)).toEqual([
    [3, 0, 3],
    [0, 0, 0],
  ])
})

test('the gradient of an extreme that is NaN is NaN', () => {
  const leaf = torch.tensor([NaN, 1, NaN], { requires_grad: true })
  torch.amax(leaf).backward()
  expect(list(leaf.grad as torch.Tensor)).toEqual([NaN, NaN, NaN])
})

test('the sum in bool says whether any is true', () => {
  const rows = torch.tensor([
    [true, true],
    [false, false],
  ])
  expect(list(rows.sum(1, { dtype: torch.bool }))).toEqual([true, false])
  expect(list(torch.tensor([0.5, 0]).sum({ dtype: torch.bool }))).toBe(true)
})

test('wrong calls throw as in PyTorch', () => {
  expect(() => masked.sum(x, { mask: torch.ones([1, 2, 3], { dtype: torch.bool }) })).toThrow(
    '_input_mask expected broadcastable mask (got mask dimensionality higher than of the input)',
  )
  expect(() => masked.sum(x, [0, 0])).toThrow('dim=0 appears multiple times in the list of dims')
  expect(() => masked.sum(x, 2)).toThrow(
    'Dimension out of range (expected to be in range of [-2, 1], but got 2)',
  )
  expect(() => masked.amax(x.to(torch.bool), 1, { mask })).toThrow('identity of amax on torch.bool input')
  expect(() => masked.median(x, 1, { mask })).toThrow(
    'masked median expects no fully masked out rows if dtype is not floating point',
  )
})
