// Sampling by grids, complex convolutions, fractional pooling: results and gradients against PyTorch's, and errors. The
// samples of ops (test/ops/suite.test.ts) cover the other spatial functions.
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import * as torch from '../../../src/index.ts'

type Encoded = { dtype: string; shape: number[]; values: number[] }
type Case = {
  name: string
  tensors: Encoded[]
  args: unknown[]
  options: Record<string, unknown>
  samples?: Encoded
  out: Encoded
  grads: Encoded[]
}
const F = torch.nn.functional
const cases = JSON.parse(
  readFileSync(new URL('../../data/ops/spatial.json', import.meta.url), 'utf8'),
) as Case[]

const dtypes = { float32: torch.float32, float64: torch.float64, complex128: torch.complex128 }
function decode({ dtype, shape, values }: Encoded): torch.Tensor {
  const type = dtypes[dtype as keyof typeof dtypes]
  if (!type.is_complex) return torch.tensor(values, { dtype: type }).view(shape)
  return torch.view_as_complex(torch.tensor(values, { dtype: torch.float64 }).view([...shape, 2]))
}
const close = (a: torch.Tensor, b: torch.Tensor): boolean =>
  a.dtype === b.dtype && a.sizes.join() === b.sizes.join() && Number(a.sub(b).abs().max().item()) < 1e-5

describe('what PyTorch gives, and its gradients', () => {
  it.each(cases.map((c, i) => [i, c.name, JSON.stringify(c.options), c] as const))(
    '%i %s %s',
    (_i, name, _options, c) => {
      const given = c.tensors.map(t => decode(t).requires_grad_())
      const options = c.samples ? { ...c.options, _random_samples: decode(c.samples) } : c.options
      const f = F[name as keyof typeof F] as (...args: unknown[]) => torch.Tensor
      const out = f(...given, ...c.args, options)
      expect(close(out.detach(), decode(c.out))).toBe(true)
      const loss = (out.dtype.is_complex ? torch.view_as_real(out) : out).pow(2).sum().div(2)
      const grads = torch.autograd.grad([loss], given) as torch.Tensor[]
      for (const [i, grad] of grads.entries()) expect(close(grad, decode(c.grads[i]!))).toBe(true)
    },
  )
})

describe('errors', () => {
  const volume = torch.rand(1, 2, 4, 4, 4)
  const image = torch.rand(1, 2, 3, 4)
  const indices = torch.zeros([1, 2, 4, 4, 4], { dtype: torch.int64 })
  it.each<[string, () => unknown, string]>([
    [
      'max_pool3d of a plane',
      () => F.max_pool3d(torch.rand(4, 4), 2),
      'non-empty 4D or 5D (batch mode) tensor expected for input',
    ],
    [
      'max_pool3d of two sizes',
      () => F.max_pool3d(volume, [2, 2]),
      'max_pool3d: kernel_size must either be a single int, or a tuple of three ints',
    ],
    [
      'max_pool3d of a large window',
      () => F.max_pool3d(volume, 9),
      'Given input size: (2x4x4x4). Calculated output size: (2x0x0x0). Output size is too small',
    ],
    [
      'avg_pool3d of a large window',
      () => F.avg_pool3d(volume, 9),
      'input image (T: 4 H: 4 W: 4) smaller than kernel size (kT: 9 kH: 9 kW: 9)',
    ],
    [
      'avg_pool3d padded too much',
      () => F.avg_pool3d(volume, 2, 2, 2),
      'pad should be at most half of kernel size, but got pad=2 and kernel_size=2',
    ],
    [
      'adaptive_max_pool3d of two sizes',
      () => F.adaptive_max_pool3d(volume, [2, 2]),
      'adaptive_max_pool3d(): internal error: output_size.size() must be 3',
    ],
    [
      'max_unpool3d with an index outside',
      () => F.max_unpool3d(volume, indices.add(512), 2),
      'Found an invalid max index: 512 (output volumes are of size 8x8x8',
    ],
    [
      'fractional_max_pool2d without a size',
      () => F.fractional_max_pool2d(image, 2),
      'fractional_max_pool2d requires specifying either an output_size or an output_ratio',
    ],
    [
      'fractional_max_pool3d of too many windows',
      () => F.fractional_max_pool3d(volume, 2, 5),
      'fractional_max_pool3d_out(): pool time 2 too large relative to input time 4',
    ],
    [
      'conv3d of a large kernel',
      () => F.conv3d(volume, torch.rand(2, 2, 5, 5, 5)),
      "Calculated padded input size per channel: (4 x 4 x 4). Kernel size: (5 x 5 x 5). Kernel size can't be greater than actual input size",
    ],
    [
      'grid_sample with an unknown mode',
      () => F.grid_sample(image, torch.rand(1, 2, 2, 2), 'x'),
      "nn.functional.grid_sample(): expected mode to be 'bilinear', 'nearest' or 'bicubic', but got: 'x'",
    ],
    [
      'grid_sample by three coordinates',
      () => F.grid_sample(image, torch.rand(1, 2, 2, 3), { align_corners: true }),
      'grid_sampler(): expected grid to have size 2 in last dimension, but got grid with sizes [1, 2, 2, 3]',
    ],
    [
      'affine_grid of one map too few',
      () => F.affine_grid(torch.rand(2, 3), [1, 1, 2, 2], true),
      'Expected a batch of 2D affine matrices of shape Nx2x3 for size [1, 1, 2, 2]. Got torch.Size([2, 3]).',
    ],
  ])('%s', (_name, call, message) => expect(call).toThrow(message))
})
