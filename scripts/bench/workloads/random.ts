// The generator: PyTorch's stream on both sides.
import * as torch from '../../../src/index.ts'
import { group, M, type Workload } from '../table.ts'

export const random: Workload[] = group('random numbers', {
  'rand 1M': n => () => torch.rand(n(M)),
  'randn 1M': n => () => torch.randn(n(M)),
  'randint 1M': n => () => torch.randint(0, 1000, [n(M)]),
  'randperm 100K': n => () => torch.randperm(n(100_000)),
  'dropout 1M': n => {
    const x = torch.randn(n(M))
    return () => torch.nn.functional.dropout(x, 0.5)
  },
})
