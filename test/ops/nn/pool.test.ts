// Pooling rows that are wider than a vector, with windows that reach over every border: against pooling of the padded
// tensor, where none does.
import { describe, expect, it } from 'vitest'
import * as torch from '../../../src/index.ts'

const F = torch.nn.functional
const image = (h: number, w: number): torch.Tensor =>
  torch
    .arange(3 * h * w)
    .mul(37)
    .remainder(1009)
    .to(torch.float32)
    .view(1, 3, h, w)

describe.each([
  [3, 1, 1],
  [3, 2, 1],
  [2, 2, 1],
  [4, 3, 2],
  [5, 1, 2],
])('windows of %i, stride %i, padding %i', (size, stride, padding) => {
  const around = [padding, padding, padding, padding]

  it('maxima and their positions', () => {
    const x = image(9, 41)
    const [values, index] = F.max_pool2d_with_indices(x, size, stride, padding)
    const expected = F.max_pool2d(F.pad(x, around, { value: -Infinity }), size, stride)
    expect(values.equal(expected)).toBe(true)
    expect(x.flatten(-2).gather(-1, index.flatten(-2)).view_as(values).equal(values)).toBe(true)
  })

  it('of equal elements the first is the maximum, and a NaN before all', () => {
    const x = torch.zeros(1, 1, 9, 41)
    const [, index] = F.max_pool2d_with_indices(x, size, stride, padding)
    const [h, w] = index.sizes.slice(-2) as [number, number]
    const start = (n: number): torch.Tensor => torch.arange(n).mul(stride).sub(padding).clamp_min(0)
    expect(
      index
        .select(0, 0)
        .select(0, 0)
        .equal(start(h).mul(41).unsqueeze(1).add(start(w))),
    ).toBe(true)
    x.index_put_([0, 0, 4, 20], Number.NaN)
    const pooled = F.max_pool2d(x, size, stride, padding)
    const mask = F.max_pool2d(x.isnan().to(torch.float32), size, stride, padding)
    expect(pooled.isnan().equal(mask.gt(0))).toBe(true)
  })

  it('maxima without positions are the same, to the sign of a zero', () => {
    const x = image(9, 41)
    x.index_put_([0, 0, 4, 20], Number.NaN)
    x.narrow(-2, 0, 2).mul_(torch.tensor([-0, 0, -0], { dtype: torch.float32 }).repeat(14).narrow(0, 0, 41))
    const bits = (t: torch.Tensor): torch.Tensor => t.view(torch.int32)
    const [values] = F.max_pool2d_with_indices(x, size, stride, padding)
    expect(bits(F.max_pool2d(x, size, stride, padding)).equal(bits(values))).toBe(true)
    const mapped = torch.vmap((x: torch.Tensor) => F.max_pool2d(x, size, stride, padding))(x)
    expect(bits(mapped).equal(bits(values))).toBe(true)
  })

  it('means, counting what is padded or not', () => {
    const x = image(9, 41)
    const padded = F.avg_pool2d(F.pad(x, around), size, stride)
    expect(F.avg_pool2d(x, size, stride, padding).allclose(padded)).toBe(true)
    const counted = F.avg_pool2d(F.pad(torch.ones_like(x), around), size, stride)
    const own = F.avg_pool2d(x, size, stride, padding, { count_include_pad: false })
    expect(own.allclose(padded.div(counted))).toBe(true)
  })
})
