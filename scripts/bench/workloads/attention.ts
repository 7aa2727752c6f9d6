// Scaled dot-product attention.
import * as torch from '../../../src/index.ts'
import { group, type Scale, type Workload } from '../table.ts'

const flops = 4 * 8 * 8 * 128 * 128 * 64
const operand = (n: Scale, grad: boolean): torch.Tensor =>
  torch.randn(n(8), n(8), n(128), n(64), { requires_grad: grad })

export const attention: Workload[] = group('attention', {
  'attention [8, 8, 128, 64]': {
    flops,
    make: n => {
      const [q, k, v] = [operand(n, false), operand(n, false), operand(n, false)]
      return () => torch.nn.functional.scaled_dot_product_attention(q, k, v)
    },
  },
  'attention, forward and backward': {
    flops: 3 * flops,
    make: n => {
      const [q, k, v] = [operand(n, true), operand(n, true), operand(n, true)]
      const g = operand(n, false)
      return () =>
        torch.autograd.grad([torch.nn.functional.scaled_dot_product_attention(q, k, v)], [q, k, v], [g])
    },
  },
})
