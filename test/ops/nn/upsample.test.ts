// Resizing rows that are wider than a vector: along the last dimension as along one before it, and its adjoint.
import { describe, expect, it } from 'vitest'
import * as torch from '../../../src/index.ts'

const F = torch.nn.functional
const image = (...sizes: number[]): torch.Tensor =>
  torch
    .arange(sizes.reduce((a, b) => a * b))
    .mul(37)
    .remainder(101)
    .to(torch.float64)
    .view(sizes)

describe.each(['nearest', 'nearest-exact', 'bilinear', 'bicubic'])('%s', mode => {
  it.each([[[7, 83]], [[19, 20]], [[5, 37]], [[3, 90]]])(
    'of 5 x 37 to %j is the transpose of what it makes of the transpose',
    size => {
      const x = image(2, 3, 5, 37)
      const resized = F.interpolate(x, { size, mode })
      const turned = F.interpolate(x.mT, { size: size.toReversed(), mode })
      expect(resized.sizes).toEqual([2, 3, ...size])
      expect(resized.allclose(turned.mT)).toBe(true)
    },
  )

  it('has the adjoint as its gradient', () => {
    const x = image(1, 2, 5, 37).requires_grad_()
    const y = F.interpolate(x, { size: [11, 70], mode })
    const g = image(1, 2, 11, 70)
    const [grad] = torch.autograd.grad([y], [x], [g])
    expect(grad!.mul(x).sum().allclose(y.mul(g).sum())).toBe(true)
    const other = image(1, 2, 5, 37).square()
    expect(
      grad!
        .mul(other)
        .sum()
        .allclose(
          F.interpolate(other, { size: [11, 70], mode })
            .mul(g)
            .sum(),
        ),
    ).toBe(true)
  })
})
