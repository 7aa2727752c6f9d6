// Elementwise ops by size, into fresh memory and with out=.
import * as torch from '../../../src/index.ts'
import { group, K, M, type Workload } from '../table.ts'

type Row = Omit<Workload, 'name' | 'group'>

const add = (size: number): Row => ({
  bytes: 12 * size,
  make: n => {
    const [x, y] = [torch.randn(n(size)), torch.randn(n(size))]
    return () => x.add(y)
  },
})
const add_out = (size: number): Row => ({
  bytes: 12 * size,
  make: n => {
    const [x, y, out] = [torch.randn(n(size)), torch.randn(n(size)), torch.empty(n(size))]
    return () => torch.add(x, y, { out })
  },
})
const unary = (size: number, f: (x: torch.Tensor) => torch.Tensor): Row => ({
  bytes: 8 * size,
  make: n => {
    const x = torch.randn(n(size))
    return () => f(x)
  },
})

export const elementwise: Workload[] = group('elementwise', {
  'add 1K': add(K),
  'add 64K': add(64 * K),
  'add 1M': add(M),
  'add 16M': add(16 * M),
  'add 1K out=': add_out(K),
  'add 64K out=': add_out(64 * K),
  'add 1M out=': add_out(M),
  'add 16M out=': add_out(16 * M),
  'exp 64K': unary(64 * K, x => x.exp()),
  'exp 1M': unary(M, x => x.exp()),
  'exp 1M out=': {
    bytes: 8 * M,
    make: n => {
      const [x, out] = [torch.randn(n(M)), torch.empty(n(M))]
      return () => torch.exp(x, { out })
    },
  },
  'tanh 1M': unary(M, x => x.tanh()),
  'sigmoid 1M': unary(M, x => x.sigmoid()),
  'gelu 1M': unary(M, x => torch.nn.functional.gelu(x)),
  'erf 1M': unary(M, x => x.erf()),
  'relu 1M': unary(M, x => x.relu()),
  'pow 1M': {
    bytes: 8 * M,
    make: n => {
      const x = torch.rand(n(M)).add(0.5)
      return () => x.pow(2.5)
    },
  },
  'add a row [1024, 1024]': {
    bytes: 8 * M,
    make: n => {
      const [x, row] = [torch.randn(n(1024), n(1024)), torch.randn(n(1024))]
      return () => x.add(row)
    },
  },
  'where(x > 0, x, y) 1M': {
    bytes: 18 * M,
    make: n => {
      const [x, y] = [torch.randn(n(M)), torch.randn(n(M))]
      return () => torch.where(x.gt(0), x, y)
    },
  },
  'float64 from float32 1M': {
    bytes: 12 * M,
    make: n => {
      const x = torch.randn(n(M))
      return () => x.double()
    },
  },
  'gelu 1M, forward and backward': {
    bytes: 20 * M,
    make: n => {
      const x = torch.randn(n(M), { requires_grad: true })
      const g = torch.randn(n(M))
      return () => torch.autograd.grad([torch.nn.functional.gelu(x)], [x], [g])
    },
  },
})
