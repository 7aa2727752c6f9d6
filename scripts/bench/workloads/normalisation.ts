// Softmax, the norms and the loss, forward and backward.
import * as torch from '../../../src/index.ts'
import { group, M, type Workload } from '../table.ts'

const F = torch.nn.functional
const grad = torch.autograd.grad

export const normalisation: Workload[] = group('softmax, norms, losses', {
  'softmax over dim 1 [1024, 1024]': {
    bytes: 8 * M,
    make: n => {
      const x = torch.randn(n(1024), n(1024))
      return () => x.softmax(1)
    },
  },
  'softmax over dim 0 [1024, 1024]': {
    bytes: 8 * M,
    make: n => {
      const x = torch.randn(n(1024), n(1024))
      return () => x.softmax(0)
    },
  },
  'log_softmax over dim 1 [1024, 1024]': {
    bytes: 8 * M,
    make: n => {
      const x = torch.randn(n(1024), n(1024))
      return () => x.log_softmax(1)
    },
  },
  'softmax, forward and backward': {
    bytes: 20 * M,
    make: n => {
      const x = torch.randn(n(1024), n(1024), { requires_grad: true })
      const g = torch.randn(n(1024), n(1024))
      return () => grad([x.softmax(1)], [x], [g])
    },
  },
  'layer_norm [2048, 512]': {
    bytes: 8 * M,
    make: n => {
      const x = torch.randn(n(2048), n(512))
      const [w, b] = [torch.randn(n(512)), torch.randn(n(512))]
      return () => F.layer_norm(x, [n(512)], w, b)
    },
  },
  'layer_norm, forward and backward': {
    bytes: 20 * M,
    make: n => {
      const x = torch.randn(n(2048), n(512), { requires_grad: true })
      const w = torch.randn(n(512), { requires_grad: true })
      const b = torch.randn(n(512), { requires_grad: true })
      const g = torch.randn(n(2048), n(512))
      return () => grad([F.layer_norm(x, [n(512)], w, b)], [x, w, b], [g])
    },
  },
  'batch_norm [32, 64, 32, 32], training': {
    bytes: 16 * M,
    make: n => {
      const x = torch.randn(n(32), n(64), n(32), n(32))
      const layer = new torch.nn.BatchNorm2d(n(64))
      return () => torch.no_grad(() => layer(x))
    },
  },
  'batch_norm, forward and backward': {
    bytes: 40 * M,
    make: n => {
      const x = torch.randn(n(32), n(64), n(32), n(32), { requires_grad: true })
      const g = torch.randn(n(32), n(64), n(32), n(32))
      const layer = new torch.nn.BatchNorm2d(n(64))
      return () => grad([layer(x)], [x, layer.weight!, layer.bias!], [g])
    },
  },
  'cross_entropy [128, 1000], forward and backward': {
    make: n => {
      const x = torch.randn(n(128), n(1000), { requires_grad: true })
      const y = torch.randint(0, n(1000), [n(128)])
      return () => grad([F.cross_entropy(x, y)], [x])
    },
  },
  'mse_loss 64K, forward and backward': {
    make: n => {
      const x = torch.randn(n(65536), { requires_grad: true })
      const y = torch.randn(n(65536))
      return () => grad([F.mse_loss(x, y)], [x])
    },
  },
})
