import { inspect } from 'node:util'
import { describe, expect, test } from 'vitest'
import { IndexError, RuntimeError } from '../../src/base/errors.ts'
import * as S from '../../src/base/shape.ts'
import expected from '../data/base/shape.json' with { type: 'json' }

type Sizes = number[]
type Outcome = { value?: unknown; error?: 'RuntimeError' | 'IndexError'; message?: string }

function check(call: () => unknown, outcome: Outcome, label: string): void {
  if (outcome.error === undefined) {
    expect(call(), label).toEqual(outcome.value)
  } else {
    // Where PyTorch 1.13 overflows on a negative size, a later one says what is wrong; so do we.
    const overflow = outcome.message?.startsWith('numel: integer multiplication overflow')
    expect(call, label).toThrow(outcome.error === 'IndexError' ? IndexError : RuntimeError)
    if (!overflow) expect(call, label).toThrow(outcome.message as string)
  }
}

describe('strides', () => {
  test('are contiguous where PyTorch says so', () => {
    for (const [sizes, strides, contiguous, row_major] of expected.contiguous as [
      Sizes,
      Sizes,
      boolean,
      Sizes,
    ][]) {
      expect(S.is_contiguous(sizes, strides), JSON.stringify([sizes, strides])).toBe(contiguous)
      expect(S.contiguous_strides(sizes)).toEqual(row_major)
    }
  })

  test('fill memory without gaps or overlap', () => {
    expect(S.non_overlapping_and_dense([2, 3], [1, 2])).toBe(true)
    expect(S.non_overlapping_and_dense([2, 3], [6, 2])).toBe(false)
    expect(S.non_overlapping_and_dense([2, 3], [0, 1])).toBe(false)
    expect(S.non_overlapping_and_dense([1, 3], [99, 1])).toBe(true)
    expect(S.non_overlapping_and_dense([0, 3], [7, 7])).toBe(true)
    expect(S.non_overlapping_and_dense([], [])).toBe(true)
  })

  test('reach from the lowest to the highest offset', () => {
    expect(S.extent([2, 3], [3, 1])).toEqual({ min: 0, max: 5 })
    expect(S.extent([2, 3], [-3, 1])).toEqual({ min: -3, max: 2 })
    expect(S.extent([2, 0], [3, 1])).toEqual({ min: 0, max: -1 })
    expect(S.extent([], [])).toEqual({ min: 0, max: 0 })
  })
})

describe('dimensions', () => {
  test('count from either end, and no further', () => {
    for (const [dim, ndim, outcome] of expected.dim as [number, number, Outcome][]) {
      const wrap = () => S.wrap_dim(dim, ndim)
      if (outcome.error !== undefined) check(wrap, outcome, `${dim} of ${ndim}`)
      else expect(wrap()).toBe((dim + Math.max(ndim, 1)) % Math.max(ndim, 1))
    }
  })

  test('are given once each', () => {
    for (const [dims, outcome] of expected.dims as [Sizes, Outcome][]) {
      const wrap = () => S.wrap_dims(dims, 3)
      if (outcome.error !== undefined) check(wrap, outcome, String(dims))
      else expect(wrap()).toEqual(dims.map(d => (d + 3) % 3))
    }
  })
})

describe('broadcasting', () => {
  test('aligns at the last dimension', () => {
    for (const [a, b, outcome] of expected.broadcast as [Sizes, Sizes, Outcome][]) {
      check(() => S.broadcast_sizes(a, b), outcome, JSON.stringify([a, b]))
    }
  })

  test('takes any number of shapes', () => {
    expect(S.broadcast_sizes()).toEqual([])
    expect(S.broadcast_sizes([3])).toEqual([3])
    expect(S.broadcast_sizes([2, 1], [3], [5, 1, 1])).toEqual([5, 2, 3])
  })

  test('expands by strides of 0', () => {
    for (const [sizes, strides, to, outcome] of expected.expand as [Sizes, Sizes, Sizes, Outcome][]) {
      check(() => S.expand_strides(sizes, strides, to), outcome, JSON.stringify([sizes, strides, to]))
    }
    expect(S.expand_sizes([2, 1], [4, -1, 3])).toEqual([4, 2, 3])
  })
})

describe('reshaping', () => {
  test('finds the size that is left open', () => {
    for (const [sizes, n, outcome] of expected.infer as [Sizes, number, Outcome][]) {
      check(() => S.infer_size(sizes, n), outcome, JSON.stringify([sizes, n]))
    }
  })

  test('needs no copy where PyTorch needs none', () => {
    for (const [sizes, strides, to, theirs] of expected.view as [Sizes, Sizes, Sizes, Sizes | null][]) {
      expect(S.view_strides(sizes, strides, to), JSON.stringify([sizes, strides, to])).toEqual(theirs)
    }
  })
})

describe('coalesce', () => {
  /** The offsets of all operands, element by element, in any order. */
  function visits(sizes: readonly number[], strides_list: readonly (readonly number[])[]): string[] {
    let points = [strides_list.map(() => 0)]
    sizes.forEach((size, d) => {
      points = points.flatMap(point =>
        Array.from({ length: size }, (_, i) =>
          point.map((offset, k) => offset + i * (strides_list[k]?.[d] as number)),
        ),
      )
    })
    return points.map(String).sort()
  }

  test.each([
    {
      name: 'contiguous operands become one run',
      sizes: [4, 1, 5],
      strides: [
        [5, 5, 1],
        [5, 9, 1],
      ],
      to: [20],
    },
    {
      name: 'so do operands transposed alike',
      sizes: [3, 4],
      strides: [
        [1, 3],
        [1, 3],
      ],
      to: [12],
    },
    {
      name: 'a broadcast row stays apart',
      sizes: [3, 4],
      strides: [
        [4, 1],
        [0, 1],
      ],
      to: [3, 4],
    },
    {
      name: 'the first operand decides the order',
      sizes: [3, 4],
      strides: [
        [1, 3],
        [4, 1],
      ],
      to: [4, 3],
    },
    {
      name: 'where it is 0, the next does',
      sizes: [3, 4],
      strides: [
        [0, 0],
        [1, 3],
      ],
      to: [12],
    },
    {
      name: 'gaps stay',
      sizes: [2, 3, 4],
      strides: [
        [24, 4, 1],
        [12, 4, 1],
      ],
      to: [2, 12],
    },
    { name: 'backward steps count by their length', sizes: [3, 4], strides: [[-1, 3]], to: [4, 3] },
    { name: 'one element has no dimensions', sizes: [1, 1], strides: [[7, 7]], to: [] },
    { name: 'nothing is nothing', sizes: [3, 0], strides: [[1, 1]], to: [0] },
  ])('$name', ({ sizes, strides, to }) => {
    const out = S.coalesce(sizes, strides)
    expect(out.sizes).toEqual(to)
    expect(visits(out.sizes, out.strides_list)).toEqual(visits(sizes, strides))
  })

  test('keeps the order where asked to', () => {
    expect(S.coalesce([3, 4], [[1, 3]], false)).toEqual({ sizes: [3, 4], strides_list: [[1, 3]] })
  })
})

describe('torch.Size', () => {
  const size = new S.Size([2, 3, 4])

  test('prints as in PyTorch', () => {
    expect(String(size)).toBe('torch.Size([2, 3, 4])')
    expect(inspect({ size })).toBe('{ size: torch.Size([2, 3, 4]) }')
    expect(String(new S.Size())).toBe('torch.Size([])')
    expect(JSON.stringify(size)).toBe('[2,3,4]')
  })

  test('does what a tuple does', () => {
    const [rows, ...rest] = size
    expect([rows, rest]).toEqual([2, [3, 4]])
    expect(String(size.slice(1))).toBe('torch.Size([3, 4])')
    expect(String(size.concat([1], 5))).toBe('torch.Size([2, 3, 4, 1, 5])')
    expect(size.equals([2, 3, 4])).toBe(true)
    expect(size.equals([2, 3])).toBe(false)
    expect(size).toEqual([2, 3, 4])
    expect(size.at(-1)).toBe(4)
    expect(size.numel()).toBe(24)
  })

  test('what is computed from it is a plain array', () => {
    expect(size.map(n => n / 2)).toEqual([1, 1.5, 2])
    expect(size.map(n => n)).not.toBeInstanceOf(S.Size)
    expect(size.filter(n => n > 2)).not.toBeInstanceOf(S.Size)
  })

  test('holds whole numbers', () => {
    expect(() => new S.Size([2, 2.5])).toThrow("torch.Size() takes an iterable of 'int' (item 1 is 'float')")
    expect(() => new S.Size(3 as unknown as number[])).toThrow(TypeError)
  })
})

test('ordered_strides keep the order in memory and drop gaps and repeats', () => {
  expect(S.ordered_strides([3, 4], [1, 3])).toEqual([1, 3])
  expect(S.ordered_strides([4, 2, 3], [1, 48, 8])).toEqual([1, 12, 4])
  expect(S.ordered_strides([3, 4], [1, 0])).toEqual([4, 1])
  expect(S.ordered_strides([2, 3], [0, 0])).toEqual([3, 1])
  expect(S.ordered_strides([], [])).toEqual([])
})
