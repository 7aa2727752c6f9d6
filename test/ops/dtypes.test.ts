// Specification of what depends on the dtype: roundings between the steps of bfloat16, numbers beside small integers.
import { describe } from 'vitest'
import * as torch from '../../src/index.ts'
import { describe_calls, grads, leaf, values } from './calls.ts'

const b16 = values([40], { dtype: torch.bfloat16 })
const u8 = torch.tensor([255, 1, 200], { dtype: torch.uint8 })
const of = (f: (x: torch.Tensor) => torch.Tensor, input: torch.Tensor): unknown => {
  const x = leaf(input)
  return grads(f(x), x)
}

describe('dtypes', () => {
  describe_calls('dtypes', {
    sinc: () => torch.sinc(b16),
    logit: () => torch.logit(b16.sigmoid()),
    'logit eps': () => torch.logit(b16.sigmoid(), 0.25),
    ndtr: () => torch.special.ndtr(b16),
    log_softmax: () => torch.log_softmax(b16.view(8, 5), 1),
    'uint8 == -1': () => u8.eq(-1),
    'uint8 > -1': () => u8.gt(-1),
    'uint8 < 300': () => u8.lt(300),
    'int8 != 255': () => torch.tensor([-1, 3], { dtype: torch.int8 }).ne(255),
    'pdist of order 0': () =>
      of(
        x => torch.nn.functional.pdist(x, 0),
        torch
          .tensor([
            [1, 2],
            [1, 3],
            [1, 2],
          ])
          .float(),
      ),
  })
})
