// Convolutions and pooling, forward and backward.
import * as torch from '../../../src/index.ts'
import { group, M, type Workload } from '../table.ts'

const F = torch.nn.functional

type Row = Omit<Workload, 'name' | 'group'>
type Shape = {
  batch: number
  from: number
  to: number
  /** the kernel's side */
  k: number
  /** the image's side */
  side?: number
  stride?: number
  groups?: number
  backward?: boolean
}

/** A convolution that keeps the image's size but for the stride. */
function conv({ batch, from, to, k, side = 32, stride = 1, groups = 1, backward = false }: Shape): Row {
  const flops = (2 * batch * to * (from / groups) * k * k * side * side) / stride ** 2
  return {
    flops: backward ? 3 * flops : flops,
    make: n => {
      const grouped = groups === 1 ? 1 : n(groups)
      const x = torch.randn(n(batch), n(from), n(side), n(side), { requires_grad: backward })
      const w = torch.randn(n(to), groups === 1 ? n(from) : 1, k, k, { requires_grad: backward })
      const options = { stride, padding: (k - 1) / 2, groups: grouped }
      const y = F.conv2d(x, w, null, options)
      const g = torch.randn(y.size())
      return backward
        ? () => torch.autograd.grad([F.conv2d(x, w, null, options)], [x, w], [g])
        : () => F.conv2d(x, w, null, options)
    },
  }
}

export const convolution: Workload[] = group('convolution, pooling', {
  'conv2d 3x3, 64 to 64, [32, 64, 32, 32]': conv({ batch: 32, from: 64, to: 64, k: 3 }),
  'conv2d 3x3, forward and backward': conv({ batch: 16, from: 64, to: 64, k: 3, backward: true }),
  'conv2d 3x3, 3 to 32, [64, 3, 32, 32]': conv({ batch: 64, from: 3, to: 32, k: 3 }),
  'conv2d 3x3, 256 to 256, [8, 256, 8, 8]': conv({ batch: 8, from: 256, to: 256, k: 3, side: 8 }),
  'conv2d 1x1, 64 to 128, [16, 64, 32, 32]': conv({ batch: 16, from: 64, to: 128, k: 1 }),
  'conv2d 1x1, forward and backward': conv({ batch: 16, from: 64, to: 128, k: 1, backward: true }),
  'conv2d 5x5, 32 to 32, [16, 32, 32, 32]': conv({ batch: 16, from: 32, to: 32, k: 5 }),
  'conv2d 3x3 stride 2, 64 to 128, [16, 64, 32, 32]': conv({ batch: 16, from: 64, to: 128, k: 3, stride: 2 }),
  'conv2d 3x3 stride 2, forward and backward': conv({
    batch: 16,
    from: 64,
    to: 128,
    k: 3,
    stride: 2,
    backward: true,
  }),
  'conv2d depthwise 3x3, [16, 64, 32, 32]': conv({ batch: 16, from: 64, to: 64, k: 3, groups: 64 }),
  'conv2d depthwise 3x3, forward and backward': conv({
    batch: 16,
    from: 64,
    to: 64,
    k: 3,
    groups: 64,
    backward: true,
  }),
  'max_pool2d 2x2 [32, 64, 32, 32]': {
    bytes: 10 * M,
    make: n => {
      const x = torch.randn(n(32), n(64), n(32), n(32))
      return () => F.max_pool2d(x, 2)
    },
  },
  'max_pool2d, forward and backward': n => {
    const x = torch.randn(n(32), n(64), n(32), n(32), { requires_grad: true })
    const g = torch.randn(n(32), n(64), n(32) / 2, n(32) / 2)
    return () => torch.autograd.grad([F.max_pool2d(x, 2)], [x], [g])
  },
  'avg_pool2d 2x2 [32, 64, 32, 32]': {
    bytes: 10 * M,
    make: n => {
      const x = torch.randn(n(32), n(64), n(32), n(32))
      return () => F.avg_pool2d(x, 2)
    },
  },
})
