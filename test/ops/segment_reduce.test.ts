// Specification of torch.segment_reduce: PyTorch's values, gradients and errors.
import { describe } from 'vitest'
import * as torch from '../../src/index.ts'
import { describe_calls, grads, leaf, values } from './calls.ts'

const S = torch.segment_reduce
const ints = (...v: (number | number[])[]): torch.Tensor =>
  torch.tensor(v as number[], { dtype: torch.int64 })
const x = values([6])
const lengths = ints(2, 0, 4)
const y = leaf(torch.tensor([0, 2, Number.NaN, 0, 0, 3, 0, 2]))
const z = leaf(torch.tensor([2, 2, Number.NaN, 0, 0, 3, 3, 3, 5]))

const reductions = ['sum', 'mean', 'prod', 'max', 'min']

describe('segment_reduce', () => {
  describe_calls('segment_reduce', {
    ...Object.fromEntries(reductions.map(r => [r, () => S(x, r, { lengths })])),
    ...Object.fromEntries(reductions.map(r => [`${r} from 2`, () => S(x, r, { lengths, initial: 2 })])),
    offsets: () => S(x, 'sum', { offsets: ints(0, 2, 2, 6) }),
    'offsets inside': () => S(x, 'sum', { offsets: ints(1, 2, 2, 5) }),
    int32: () => S(x, 'max', { lengths: lengths.int(), axis: -1 }),
    'not all': () => S(x, 'sum', { lengths: ints(2, 0, 3), unsafe: true }),
    rows: () => S(x.view(3, 2), 'mean', { lengths: ints(1, 2) }),
    columns: () => S(values([2, 3, 2]), 'prod', { lengths: ints([1, 2], [3, 0]), axis: 1 }),
    transposed: () => S(values([2, 3]).t(), 'sum', { lengths: ints(1, 2) }),
    'bfloat16 total': () => S(torch.ones(300).bfloat16(), 'sum', { lengths: ints(300) }),
    'products of zeros and nan': () => grads(S(y, 'prod', { lengths: ints(3, 3, 2), initial: 2 }), y),
    'maxima that are equal': () => grads(S(z, 'max', { lengths: ints(2, 1, 2, 3, 1), initial: 2 }), z),
    'means and nan': () => grads(S(z, 'mean', { lengths: ints(2, 1, 2, 3, 1), initial: 2 }), z),
    'no such reduction': () => S(x, 'median', { lengths }),
    'no segments': () => S(x, 'sum'),
    indices: () => S(x, 'sum', { indices: lengths }),
    'too short': () => S(x, 'sum', { lengths: ints(2, 0, 3) }),
    negative: () => S(x, 'sum', { lengths: ints(2, -1, 5) }),
    descending: () => S(x, 'sum', { offsets: ints(0, 3, 2, 6) }),
    'float lengths': () => S(x, 'sum', { lengths: lengths.float() }),
    integers: () => S(x.long(), 'sum', { lengths }),
    axis: () => S(x, 'sum', { lengths, axis: 1 }),
    'axis before': () => S(x.view(2, 3), 'sum', { lengths: ints([1, 2], [3, 0]) }),
    scalar: () => S(torch.tensor(1), 'sum', { lengths: ints(1) }),
    empty: () => S(x.narrow(0, 0, 0), 'sum', { lengths: lengths.narrow(0, 0, 0) }),
  })
})
