// LSTM over a sequence.
import * as torch from '../../../src/index.ts'
import { group, type Workload } from '../table.ts'

const flops = 2 * 64 * 32 * 4 * 128 * (128 + 128)

export const recurrent: Workload[] = group('recurrent', {
  'LSTM 128 [64, 32, 128]': {
    flops,
    make: n => {
      const layer = new torch.nn.LSTM(n(128), n(128))
      const x = torch.randn(n(64), n(32), n(128))
      return () => torch.no_grad(() => layer(x))
    },
  },
  'LSTM, forward and backward': {
    flops: 3 * flops,
    make: n => {
      const layer = new torch.nn.LSTM(n(128), n(128))
      const x = torch.randn(n(64), n(32), n(128), { requires_grad: true })
      const g = torch.randn(n(64), n(32), n(128))
      const inputs = [x, ...layer.parameters()]
      return () => torch.autograd.grad([layer(x)[0]], inputs, [g])
    },
  },
})
