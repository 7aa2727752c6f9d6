// Index syntax against PyTorch: four hundred random index expressions read, differentiated and written
// (test/data/ops/make_indexing.py), and the cases that have something to say one by one.
import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import * as torch from '../../src/index.ts'
import type { Index } from '../../src/ops/indexing.ts'

type Encoded = { s: number[]; v: number[] }
type EncodedIndex =
  | number
  | string
  | null
  | boolean
  | EncodedIndex[]
  | { t: 'int64' | 'bool'; s: number[]; v: (number | boolean)[] }
type Case = {
  sizes: number[]
  perm: number[]
  index: EncodedIndex[]
  error?: [string, string]
  get?: Encoded
  grad?: Encoded
  fill?: Encoded
  put?: Encoded
}
const cases = JSON.parse(
  readFileSync(new URL('../data/ops/indexing.json', import.meta.url), 'utf8'),
) as Case[]

const index_of = (i: EncodedIndex): Index =>
  typeof i === 'object' && i !== null && 't' in i
    ? torch.tensor(i.v, { dtype: i.t === 'bool' ? torch.bool : torch.int64 }).reshape(i.s)
    : (i as Index)
const numbers = (sizes: readonly number[], from = 0): torch.Tensor =>
  torch
    .arange(from, from + sizes.reduce((a, b) => a * b, 1))
    .to(torch.float32)
    .reshape(sizes)
const encode = (t: torch.Tensor): Encoded => ({
  s: [...t.shape],
  v: t.detach().reshape([-1]).tolist() as number[],
})
const indexed = ({ sizes, perm }: Case): torch.Tensor => numbers(sizes).permute(perm).clone()

/** The error that a call throws, as class and text. */
function error_of(call: () => unknown): string {
  try {
    call()
  } catch (error) {
    return `${(error as Error).name}: ${(error as Error).message}`
  }
  return 'no error'
}

describe('random index expressions', () => {
  test('read what PyTorch reads, or throw what it throws', () => {
    for (const c of cases) {
      const index = c.index.map(index_of)
      const label = JSON.stringify(c.index)
      if (c.error)
        expect(
          error_of(() => indexed(c).at(...index)),
          label,
        ).toBe(c.error.join(': '))
      else expect(encode(indexed(c).at(...index)), label).toEqual(c.get)
    }
  })

  test('have its gradients', () => {
    for (const c of cases) {
      if (c.grad === undefined) continue
      const x = indexed(c).requires_grad_()
      const y = x.at(...c.index.map(index_of))
      const [grad] = torch.autograd.grad(y.mul(numbers(y.shape, 1)).sum(), [x])
      expect(encode(grad!), JSON.stringify(c.index)).toEqual(c.grad)
    }
  })

  test('write a number where it does', () => {
    for (const c of cases) {
      if (c.fill === undefined) continue
      const x = indexed(c)
      expect(x.index_put_(c.index.map(index_of), -1.5)).toBe(x)
      expect(encode(x), JSON.stringify(c.index)).toEqual(c.fill)
    }
  })

  test('write a tensor where it does', () => {
    for (const c of cases) {
      if (c.put === undefined) continue
      const x = indexed(c)
      x.index_put_(c.index.map(index_of), numbers(c.get!.s, 1))
      expect(encode(x), JSON.stringify(c.index)).toEqual(c.put)
    }
  })
})

describe('x.at', () => {
  const x = numbers([2, 3, 4])

  test('gives views for integers, slices, null and ...', () => {
    const y = x.clone()
    y.at(0, '1:', null, '::2').fill_(-1)
    expect(y.at(0, 1).tolist()).toEqual([-1, 5, -1, 7])
    expect(y.at('...').data.fill_(3).at(0, 0, 0).item()).toBe(3)
    expect(y.tolist()).toEqual(torch.full([2, 3, 4], 3).tolist())
  })

  test('takes slices as objects, masks of several dimensions, and lists', () => {
    expect(x.at(torch.slice(1)).shape).toEqual(torch.Size.from([1, 3, 4]))
    expect(x.at(':', torch.slice(null, null, 2), torch.slice(1, 3)).tolist()).toEqual(
      x.at(':', '::2', '1:3').tolist(),
    )
    expect(String(torch.slice(1, null, 2))).toBe('slice(1, None, 2)')
    expect(x.at(x.gt(20)).tolist()).toEqual([21, 22, 23])
    expect(x.at([0, 1], [2, 0], [1, 1]).tolist()).toEqual([9, 13])
    expect(
      x.at(
        [
          [0, 1],
          [1, 0],
        ],
        ':',
        0,
      ).shape,
    ).toEqual(torch.Size.from([2, 2, 3]))
    // a mask stands for as many dimensions as it has, also when more indices follow
    expect(x.at(x.at(':', ':', 0).gt(5), 0).tolist()).toEqual([8, 12, 16, 20])
  })

  test('takes every integer dtype, and uint8 as a mask', () => {
    for (const dtype of [torch.int8, torch.int16, torch.int32, torch.int64])
      expect(x.at(torch.tensor([1, -1], { dtype }), 0, 0).tolist()).toEqual([12, 12])
    expect(x.at(torch.tensor([0, 1], { dtype: torch.uint8 }), 0, 0).tolist()).toEqual([12])
  })

  test('names its nodes as PyTorch', () => {
    const r = x.clone().requires_grad_()
    const names = (t: torch.Tensor): string[] => {
      const found: string[] = []
      for (let node = t.grad_fn; node !== null; node = node.next_functions[0]?.[0] ?? null)
        found.push(node.name().replace('Backward0', ''))
      return found
    }
    expect(names(r.at(':', 0))).toEqual(['Select', 'Slice', 'AccumulateGrad'])
    expect(names(r.at(':', null))).toEqual(['Unsqueeze', 'Slice', 'AccumulateGrad'])
    expect(names(r.at('...', 0))).toEqual(['Select', 'AccumulateGrad'])
    expect(names(r.at('...'))).toEqual(['Alias', 'AccumulateGrad'])
    expect(names(r.at(':', [0]))).toEqual(['Index', 'Slice', 'AccumulateGrad'])
    expect(names(r.at(r.gt(3)))).toEqual(['Index', 'AccumulateGrad'])
    expect(names(r.at(torch.tensor(1)))).toEqual(['Select', 'AccumulateGrad'])
    expect(names(r.clone().index_put_([r.gt(3)], 1))).toEqual(['IndexPut', 'Clone', 'AccumulateGrad'])
    expect(names(r.clone().index_put_([[0]], r.at(0)))).toEqual(['IndexPut', 'Clone', 'AccumulateGrad'])
    expect(names(r.clone().index_put_([0], 1))).toEqual(['CopySlices', 'Clone', 'AccumulateGrad'])
    expect(names(r.clone().index_put_([':', [0]], 1))).toEqual(['CopySlices', 'Clone', 'AccumulateGrad'])
  })

  const L = (...values: number[]): torch.Tensor => torch.tensor(values)
  const m = numbers([2, 3])
  const invalid =
    'IndexError: only integers, slices (`:`), ellipsis (`...`), None and long or byte Variables are valid indices (got '
  test.each<[string, Index[], string]>([
    ['too many', [0, 0, 0], 'IndexError: too many indices for tensor of dimension 2'],
    ['an integer', [5], 'IndexError: index 5 is out of bounds for dimension 0 with size 2'],
    ['a later integer', [':', -4], 'IndexError: index -4 is out of bounds for dimension 1 with size 3'],
    ['an index tensor', [L(0, 5)], 'IndexError: index 5 is out of bounds for dimension 0 with size 2'],
    ['a negative index tensor', [L(-3)], 'IndexError: index -3 is out of bounds for dimension 0 with size 2'],
    ['a negative step', ['::-1'], 'ValueError: step must be greater than zero'],
    ['no step', ['0:2:0'], 'ValueError: slice step cannot be zero'],
    [
      'index tensors',
      [L(0, 1), L(0, 1, 2)],
      'IndexError: shape mismatch: indexing tensors could not be broadcast together with shapes [2], [3]',
    ],
    [
      'a mask',
      [torch.tensor([true, false, true])],
      'IndexError: The shape of the mask [3] at index 0 does not match the shape of the indexed tensor [2, 3] at index 0',
    ],
    [
      'a later mask',
      [':', torch.tensor([true, false])],
      'IndexError: The shape of the mask [2] at index 0 does not match the shape of the indexed tensor [2, 3] at index 1',
    ],
    [
      'floats',
      [torch.tensor([0.5])],
      'IndexError: tensors used as indices must be long, byte or bool tensors',
    ],
    ['a fraction', [1.5], `${invalid}float)`],
    ['other text', ['a'], `${invalid}'a')`],
    ['undefined', [undefined as never], `${invalid}undefined)`],
  ])('refuses %s', (_, index, message) => {
    const before = m.tolist()
    expect(error_of(() => m.at(...index))).toBe(message)
    expect(error_of(() => m.index_put_(index, 9))).toBe(message)
    expect(m.tolist()).toEqual(before)
  })

  test('refuses indices of a 0-dim tensor', () => {
    expect(error_of(() => torch.tensor(3).at(0))).toBe(
      'IndexError: invalid index of a 0-dim tensor. Use `tensor.item()` in Python or `tensor.item<T>()` in C++ to convert a 0-dim tensor to a number',
    )
    expect(error_of(() => torch.tensor(3).at(':'))).toBe(
      'IndexError: slice() cannot be applied to a 0-dim tensor.',
    )
    expect(torch.tensor(3).at(null).tolist()).toEqual([3])
  })
})

describe('x.index_put_', () => {
  test('adds up with accumulate, also several values to one place', () => {
    const x = torch.zeros(3, 2)
    x.index_put_([torch.tensor([0, 0, 2])], torch.ones(2), true)
    expect(x.tolist()).toEqual([
      [2, 2],
      [0, 0],
      [1, 1],
    ])
    x.index_put_([0], 1, { accumulate: true })
    expect(x.at(0).tolist()).toEqual([3, 3])
    expect(
      x
        .index_put([torch.tensor([1])], torch.tensor(5.5))
        .at(1)
        .tolist(),
    ).toEqual([5.5, 5.5])
    expect(x.at(1).tolist()).toEqual([0, 0])
  })

  test('broadcasts, converts what goes into views, and drops leading dimensions of size 1', () => {
    const x = torch.zeros(2, 3)
    x.index_put_([':', 0], torch.tensor([1, 2]))
    x.index_put_([':', '1:'], torch.ones(1, 1, 2, 1))
    expect(x.tolist()).toEqual([
      [1, 1, 1],
      [2, 1, 1],
    ])
  })

  test('reads what it writes when both are the same memory', () => {
    const x = torch.arange(6)
    x.index_put_(['1:'], x.at(':-1'))
    expect(x.tolist()).toEqual([0, 0, 1, 2, 3, 4])
    x.index_put_([[0, 1, 2]], x.at([5, 4, 3]))
    expect(x.tolist()).toEqual([4, 3, 2, 2, 3, 4])
  })

  test('sends gradients to both sides', () => {
    const x = torch.ones(2, 3).requires_grad_()
    const v = torch.full([2], 3).to(torch.float32).requires_grad_()
    const y = x.clone()
    y.index_put_([':', 1], v)
    y.mul(y).sum().backward()
    expect(x.grad!.tolist()).toEqual([
      [2, 0, 2],
      [2, 0, 2],
    ])
    expect(v.grad!.tolist()).toEqual([6, 6])
  })

  test.each<[string, (x: torch.Tensor) => unknown, string]>([
    [
      'other dtypes',
      x => x.index_put_([[0]], torch.tensor([1, 2, 3])),
      'RuntimeError: Index put requires the source and destination dtypes match, got Float for the destination and Long for the source.',
    ],
    [
      'sizes that do not fit',
      x => x.index_put_([[0, 1]], torch.ones(2)),
      'RuntimeError: shape mismatch: value tensor of shape [2] cannot be broadcast to indexing result of shape [2, 3]',
    ],
    [
      'sizes that do not fit a view',
      x => x.index_put_([':', 0], torch.ones(3)),
      'RuntimeError: The expanded size of the tensor (2) must match the existing size (3) at non-singleton dimension 0.  Target sizes: [2].  Tensor sizes: [3]',
    ],
    ['text', x => x.index_put_([0], 'a' as never), "TypeError: can't assign a str to a torch.FloatTensor"],
    [
      'leaves',
      x => x.requires_grad_().index_put_([0], 1),
      'RuntimeError: a view of a leaf Variable that requires grad is being used in an in-place operation.',
    ],
  ])('refuses %s', (_, call, message) => {
    const x = torch.zeros(2, 3)
    expect(error_of(() => call(x))).toBe(message)
    expect(x.tolist()).toEqual([
      [0, 0, 0],
      [0, 0, 0],
    ])
  })
})
