// out=: what can be computed where the caller wants it is not copied there, and tensors that overlap are refused as
// PyTorch 1.13.1 refuses them. That out= gives the same numbers for every op is in suite.test.ts.
import { describe, expect, test } from 'vitest'
import * as torch from '../../src/index.ts'

const x = torch.arange(12, { dtype: torch.float32 }).view(4, 3)
const index = torch.tensor([0, 2, 1, 3])
const zeros = torch.zeros(4, 3, { dtype: torch.int64 })

/** Ops whose result has the sizes of `x`, or is twice as high. */
const calls: Record<string, (a: torch.Tensor, out: torch.Tensor) => torch.Tensor> = {
  cat: (a, out) => torch.cat([a.narrow(0, 0, 2), a.narrow(0, 2, 2)], { out }),
  concat: (a, out) => torch.concat([a.narrow(0, 0, 2), a.narrow(0, 2, 2)], 0, { out }),
  index_select: (a, out) => torch.index_select(a, 0, index, { out }),
  gather: (a, out) => torch.gather(a, 0, zeros, { out }),
  take: (a, out) => torch.take(a, zeros, { out }),
  cumsum: (a, out) => torch.cumsum(a, 0, { out }),
  tril: (a, out) => torch.tril(a, { out } as never),
  mm: (a, out) => torch.mm(torch.eye(4), a, { out }),
}
const refused = ['cat', 'concat', 'index_select', 'gather', 'take']

describe.each(Object.entries(calls))('%s', (name, call) => {
  const expected = call(x, torch.empty(0)).tolist()

  test('writes to memory that the caller has, whatever its layout and dtype', () => {
    const fresh = torch.full([4, 3], NaN)
    const before = fresh.data_ptr()
    const version = fresh._version
    expect(call(x, fresh)).toBe(fresh)
    expect(fresh.tolist()).toEqual(expected)
    expect(fresh.data_ptr()).toBe(before)
    expect(fresh._version).toBeGreaterThan(version)
    const turned = torch.full([3, 4], NaN).t()
    expect(call(x, turned).tolist()).toEqual(expected)
    expect(turned.stride()).toEqual([1, 4])
    const inside = torch.full([8, 3], NaN)
    call(x, inside.narrow(0, 2, 4))
    expect(inside.narrow(0, 2, 4).tolist()).toEqual(expected)
    expect(inside.narrow(0, 6, 2).isnan().all().item()).toBe(true)
    expect(call(x, torch.full([4, 3], NaN, { dtype: torch.float64 })).tolist()).toEqual(expected)
    expect(call(x, torch.empty(0)).shape).toEqual([4, 3])
  })

  test('with an out= that shares memory with an operand', () => {
    const own = x.clone()
    if (refused.includes(name)) {
      expect(() => call(own, own)).toThrow(
        'unsupported operation: some elements of the input tensor and the written-to tensor refer to a single memory location. Please clone() the tensor before performing the operation.',
      )
      expect(own.tolist()).toEqual(x.tolist())
    } else expect(call(own, own).tolist()).toEqual(expected)
  })

  test('refuses an out= of which several elements are one', () => {
    expect(() => call(x, torch.empty(1).expand(4, 3))).toThrow(
      'unsupported operation: more than one element of the written-to tensor refers to a single memory location. Please clone() the tensor before performing the operation.',
    )
  })
})

test('what was resized for a call that throws can be used again', () => {
  const out = torch.empty(0)
  expect(() => torch.index_select(x, 0, torch.tensor([9]), { out })).toThrow('index out of range in self')
  const sum = x.add(x)
  expect(sum.tolist()).toEqual(x.mul(2).tolist())
  expect(torch.index_select(x, 0, index, { out }).tolist()).toEqual(x.at(index).tolist())
})
