// Matrix products of many shapes.
import * as torch from '../../../src/index.ts'
import { group, type Workload } from '../table.ts'

type Row = Omit<Workload, 'name' | 'group'>

const product = (m: number, k: number, n: number, dtype: torch.DType = torch.float32): Row => ({
  flops: 2 * m * k * n,
  make: scale => {
    const a = torch.randn(scale(m), scale(k), { dtype })
    const b = torch.randn(scale(k), scale(n), { dtype })
    return () => a.matmul(b)
  },
})
const batched = (batch: number, m: number, k: number, n: number): Row => ({
  flops: 2 * batch * m * k * n,
  make: scale => {
    const a = torch.randn(scale(batch), scale(m), scale(k))
    const b = torch.randn(scale(batch), scale(k), scale(n))
    return () => a.matmul(b)
  },
})
const transposed = (size: number, of_a: boolean): Row => ({
  flops: 2 * size ** 3,
  make: n => {
    const [a, b] = [torch.randn(n(size), n(size)), torch.randn(n(size), n(size))]
    return of_a ? () => a.t().matmul(b) : () => a.matmul(b.t())
  },
})

export const matmul: Workload[] = group('matrix products', {
  'matmul 16': product(16, 16, 16),
  'matmul 64': product(64, 64, 64),
  'matmul 256': product(256, 256, 256),
  'matmul 1024': product(1024, 1024, 1024),
  'matmul 2048': product(2048, 2048, 2048),
  'matmul 1 x 1024 x 1024': product(1, 1024, 1024),
  'matmul 8 x 1024 x 1024': product(8, 1024, 1024),
  'matmul 32 x 1024 x 1024': product(32, 1024, 1024),
  'matmul 1024 x 1024 x 10': product(1024, 1024, 10),
  'matmul 512, a transposed': transposed(512, true),
  'matmul 512, b transposed': transposed(512, false),
  'matmul 512 float64': product(512, 512, 512, torch.float64),
  'matmul 64 of 128 x 64 x 128': batched(64, 128, 64, 128),
  'matmul 1024 of 8 x 8 x 8': batched(1024, 8, 8, 8),
  'linear 128 x 784 to 512, forward and backward': {
    flops: 6 * 128 * 784 * 512,
    make: n => {
      const x = torch.randn(n(128), n(784), { requires_grad: true })
      const layer = new torch.nn.Linear(n(784), n(512))
      const g = torch.randn(n(128), n(512))
      return () => torch.autograd.grad([layer(x)], [x, layer.weight, layer.bias!], [g])
    },
  },
})
