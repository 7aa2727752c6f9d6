// Sums, maxima and scans.
import * as torch from '../../../src/index.ts'
import { group, K, M, type Workload } from '../table.ts'

type Row = Omit<Workload, 'name' | 'group'>

const sum = (size: number): Row => ({
  bytes: 4 * size,
  make: n => {
    const x = torch.randn(n(size))
    return () => x.sum()
  },
})
const of_square = (bytes: number, f: (x: torch.Tensor) => unknown): Row => ({
  bytes,
  make: n => {
    const x = torch.randn(n(1024), n(1024))
    return () => f(x)
  },
})

export const reduction: Workload[] = group('reductions', {
  'sum 1K': sum(K),
  'sum 64K': sum(64 * K),
  'sum 1M': sum(M),
  'sum 16M': sum(16 * M),
  'sum over dim 0 [1024, 1024]': of_square(4 * M, x => x.sum(0)),
  'sum over dim 1 [1024, 1024]': of_square(4 * M, x => x.sum(1)),
  'sum over dim 1 [64, 128, 128]': {
    bytes: 4 * M,
    make: n => {
      const x = torch.randn(n(64), n(128), n(128))
      return () => x.sum(1)
    },
  },
  'sum over dim 1 [1024, 1024] out=': {
    bytes: 4 * M,
    make: n => {
      const [x, out] = [torch.randn(n(1024), n(1024)), torch.empty(n(1024))]
      return () => torch.sum(x, 1, { out })
    },
  },
  'max over dim 1 [1024, 1024]': of_square(4 * M, x => x.max(1)),
  'argmax over dim 1 [1024, 1024]': of_square(4 * M, x => x.argmax(1)),
  'var over dim 1 [1024, 1024]': of_square(4 * M, x => x.var(1)),
  'cumsum over dim 1 [1024, 1024]': of_square(8 * M, x => x.cumsum(1)),
})
