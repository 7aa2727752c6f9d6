// Sorting and selection on rows longer than the samples of the op suite, against JavaScript's own stable sort; ties,
// NaN and dtypes; what PyTorch's documents say of edge cases, recorded by hand from PyTorch 1.13.1.
import { describe, expect, test } from 'vitest'
import * as torch from '../../src/index.ts'

const { NaN: nan } = Number
const list = (t: torch.Tensor): unknown => t.tolist()

/** Whole numbers below `range`, so that there are ties, from a fixed sequence. */
function data(n: number, range: number): number[] {
  let state = 12345
  return Array.from({ length: n }, () => {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0
    return (state >>> 8) % range
  })
}

/** The stable order by JavaScript; NaN is largest. */
function order(values: readonly number[], descending: boolean): number[] {
  const key = (x: number): number => (Number.isNaN(x) ? Number.POSITIVE_INFINITY : x)
  const sign = descending ? -1 : 1
  return [...values.keys()].sort((a, b) => {
    const [x, y] = [key(values[a]!), key(values[b]!)]
    return x === y ? 0 : sign * (x < y ? -1 : 1)
  })
}

describe('sort', () => {
  test.each([1, 2, 7, 8, 9, 16, 17, 63, 64, 65, 1000, 4096, 4097])(
    'is stable on %i elements, both ways',
    n => {
      for (const range of [3, 1 << 20]) {
        const values = data(n, range)
        const x = torch.tensor(values)
        for (const descending of [false, true]) {
          const wanted = order(values, descending)
          const [sorted, indices] = x.sort(0, descending)
          expect(list(indices!)).toEqual(wanted)
          expect(list(sorted!)).toEqual(wanted.map(i => values[i]))
        }
      }
    },
  )

  test('sorts along any dimension', () => {
    const x = torch.tensor(data(5 * 33 * 3, 50)).reshape(5, 33, 3)
    for (const dim of [0, 1, 2]) {
      const { values, indices } = x.sort(dim)
      expect(list(values)).toEqual(list(x.movedim(dim, -1).contiguous().sort(-1).values.movedim(-1, dim)))
      expect(list(x.gather(dim, indices))).toEqual(list(values))
    }
  })

  test.each([
    torch.bool,
    torch.uint8,
    torch.int8,
    torch.int16,
    torch.int32,
    torch.int64,
    torch.float16,
    torch.bfloat16,
    torch.float32,
    torch.float64,
  ])('sorts %s', dtype => {
    const low = dtype === torch.bool || dtype === torch.uint8 ? 0 : 50
    for (const n of [40, 300]) {
      const values = data(n, dtype === torch.bool ? 2 : 100).map(x => x - low)
      const x = torch.tensor(values, { dtype })
      for (const descending of [false, true]) {
        const { values: sorted, indices } = x.sort(0, descending)
        expect(sorted.dtype).toBe(dtype)
        expect(list(indices)).toEqual(order(values, descending))
        expect(list(sorted)).toEqual(list(x.gather(0, indices)))
      }
    }
  })

  test.each([10, 200])(
    'keeps 0 and -0, NaN, infinities and the largest integers apart from others, %i elements',
    n => {
      const some = [0, -0, 1, -1, nan, -1 / 0, 1e-300, -1e-300, 1.7e308, -1.7e308]
      const values = Array.from({ length: n }, (_, i) => some[(i * 7) % some.length]!)
      for (const descending of [false, true]) {
        const wanted = order(values, descending)
        const { values: sorted, indices } = torch.tensor(values, { dtype: torch.float64 }).sort(0, descending)
        expect(list(indices)).toEqual(wanted)
        expect(list(sorted)).toEqual(wanted.map(i => values[i]))
      }
      const [low, high] = [-(2n ** 63n), 2n ** 63n - 1n]
      const integers = Array.from({ length: n }, (_, i) => [3n, low, high, 0n, -1n][i % 5]!)
      const ascending = integers.toSorted((a, b) => (a < b ? -1 : a > b ? 1 : 0))
      const x = torch.tensor(integers, { dtype: torch.int64 })
      expect(x.sort().values.equal(torch.tensor(ascending, { dtype: torch.int64 }))).toBe(true)
    },
  )

  test('has the same order for any number of threads', () => {
    const before = torch.get_num_threads()
    const x = torch.tensor(data(40 * 500, 1000)).reshape(40, 500)
    const orders = [1, 3].map(threads => {
      torch.set_num_threads(threads)
      return list(x.argsort(1))
    })
    torch.set_num_threads(before)
    expect(orders[1]).toEqual(orders[0])
  })

  test('puts NaN last, first when descending', () => {
    const x = torch.tensor([1, nan, 0, -1 / 0, nan, 1 / 0])
    expect(list(x.argsort())).toEqual([3, 2, 0, 5, 1, 4])
    expect(list(x.argsort({ descending: true }))).toEqual([1, 4, 5, 0, 2, 3])
  })

  test('gives named results that print', () => {
    expect(String(torch.tensor([2, 1]).sort())).toBe(
      'torch.return_types.sort(\nvalues=tensor([1, 2]),\nindices=tensor([1, 0]))',
    )
  })
})

describe('topk', () => {
  test.each([0, 1, 5, 31, 32, 33, 64, 100])('gives the %i largest and smallest in order', k => {
    const values = order(data(100, 1 << 20), false).map(i => i * 2)
    for (const largest of [true, false]) {
      const wanted = order(values, largest).slice(0, k)
      const { values: top, indices } = torch.tensor(values).topk(k, { largest })
      expect(list(indices)).toEqual(wanted)
      expect(list(top)).toEqual(wanted.map(i => values[i]))
    }
  })

  test.each([1, 10, 33, 200, 700])('gives the first %i of long rows and columns as a stable sort does', k => {
    for (const dtype of [torch.float32, torch.int64, torch.float64]) {
      const x = torch.tensor(data(3 * 1000 * 2, 90).map(v => v - 45)).to(dtype)
      for (const largest of [true, false])
        for (const [shape, dim] of [[[6, 1000], 1] as const, [[3, 1000, 2], 1] as const]) {
          const rows = x.reshape(...shape)
          const sorted = rows.sort(dim, largest)
          const { values: top, indices } = rows.topk(k, dim, largest)
          expect(list(top)).toEqual(list(sorted.values.narrow(dim, 0, k)))
          expect(list(indices)).toEqual(list(sorted.indices.narrow(dim, 0, k)))
        }
    }
  })

  test('counts NaN as largest', () => {
    const x = torch.tensor([1.5, nan, 0])
    expect(list(x.topk(2).indices)).toEqual([1, 0])
    expect(list(x.topk(2, { largest: false }).indices)).toEqual([2, 0])
  })
})

describe('kthvalue, median and mode', () => {
  test.each([torch.float32, torch.float64, torch.int16, torch.int64, torch.bfloat16])(
    'select from %s what a stable sort has there',
    dtype => {
      const x = torch
        .tensor(data(2 * 700 * 3, 200).map(v => v - 100))
        .to(dtype)
        .reshape(2, 700, 3)
      for (const dim of [0, 1, 2]) {
        const { values: sorted, indices: places } = x.sort(dim)
        const n = x.sizes[dim]!
        for (const k of [1, Math.ceil(n / 3), n]) {
          const { values: value, indices } = x.kthvalue(k, dim)
          expect(list(value)).toEqual(list(sorted.select(dim, k - 1)))
          expect(list(indices)).toEqual(list(places.select(dim, k - 1)))
        }
        expect(list(x.median(dim).indices)).toEqual(list(places.select(dim, (n - 1) >> 1)))
      }
    },
  )

  test('a median is NaN where there is one, a nanmedian leaves them out', () => {
    const values = data(1001, 500).map((v, i) => (i % 10 === 3 ? nan : v - 250))
    const x = torch.tensor(values)
    const numbers = values.filter(v => !Number.isNaN(v)).sort((a, b) => a - b)
    expect(x.median(0).indices.item()).toBe(3)
    expect(x.median().item()).toBeNaN()
    expect(x.nanmedian().item()).toBe(numbers[(numbers.length - 1) >> 1])
    expect(torch.full([300], nan).nanmedian(0).indices.item()).toBe(0)
  })

  test('agree with the sorted row', () => {
    const values = data(501, 90)
    const x = torch.tensor(values)
    const sorted = values.toSorted((a, b) => a - b)
    expect(x.median().item()).toBe(sorted[250])
    expect(x.at(':500').median().item()).toBe(values.slice(0, 500).toSorted((a, b) => a - b)[249])
    for (const k of [1, 77, 501]) {
      const { values: value, indices } = x.kthvalue(k)
      expect(value.item()).toBe(sorted[k - 1])
      expect(values[Number(indices.item())]).toBe(sorted[k - 1])
    }
    const counts = new Map<number, number>()
    for (const v of sorted) counts.set(v, (counts.get(v) ?? 0) + 1)
    const most = Math.max(...counts.values())
    const { values: mode, indices } = x.mode()
    expect(mode.item()).toBe([...counts].find(([, n]) => n === most)![0])
    expect(indices.item()).toBe(values.lastIndexOf(Number(mode.item())))
  })

  test('know NaN', () => {
    const x = torch.tensor([1, nan, 0.5])
    expect(list(x.median(0).indices)).toBe(1)
    expect(x.median().item()).toBeNaN()
    expect(x.nanmedian().item()).toBe(0.5)
    expect(list(x.nanmedian(0).indices)).toBe(2)
    expect(x.kthvalue(3).values.item()).toBeNaN()
    expect(torch.empty([0]).median().item()).toBeNaN()
  })
})

describe('unique', () => {
  test.each([
    [torch.int64, 3],
    [torch.int64, 1],
    [torch.int64, 1e9],
    [torch.int8, 1],
    [torch.float32, 3],
  ])('of many %s, in steps of %d', (dtype, step) => {
    const values = data(6000, 100).map(v => (v - 50) * step)
    const wanted = [...new Set(values)].sort((a, b) => a - b)
    const x = torch.tensor(values).to(dtype).reshape(60, 100)
    const [found, inverse, counts] = torch.unique(x, { return_inverse: true, return_counts: true })
    expect(found!.dtype).toBe(dtype)
    expect(list(found!)).toEqual(wanted)
    expect(inverse!.sizes).toEqual([60, 100])
    expect(list(inverse!.flatten())).toEqual(values.map(v => wanted.indexOf(v)))
    expect(list(counts!)).toEqual(wanted.map(w => values.filter(v => v === w).length))
    expect(list(torch.unique(x))).toEqual(wanted)
  })

  test('of integers at the ends of their range', () => {
    const [low, high] = [-(2n ** 63n), 2n ** 63n - 1n]
    const x = torch.tensor([high, low, high, 0n], { dtype: torch.int64 }).repeat(2000)
    const [found, counts] = torch.unique(x, { return_counts: true })
    expect(found!.equal(torch.tensor([low, 0n, high], { dtype: torch.int64 }))).toBe(true)
    expect(list(counts!)).toEqual([2000, 2000, 4000])
  })

  test('gives distinct values, where they went and how many there are', () => {
    const values = data(3000, 40)
    const [distinct, inverse, counts] = torch.unique(torch.tensor(values).reshape(30, 100), {
      return_inverse: true,
      return_counts: true,
    })
    const wanted = [...new Set(values)].sort((a, b) => a - b)
    expect(list(distinct!)).toEqual(wanted)
    expect([...inverse!.shape]).toEqual([30, 100])
    expect(list(distinct!.index_select(0, inverse!.flatten()))).toEqual(values)
    expect(list(counts!)).toEqual(wanted.map(v => values.filter(x => x === v).length))
  })

  test('takes rows in lexicographic order', () => {
    const x = torch.tensor([
      [1, 2],
      [0, 9],
      [1, 2],
      [0, 3],
    ])
    const [rows, inverse, counts] = torch.unique(x, { dim: 0, return_inverse: true, return_counts: true })
    expect(list(rows!)).toEqual([
      [0, 3],
      [0, 9],
      [1, 2],
    ])
    expect(list(inverse!)).toEqual([2, 1, 2, 0])
    expect(list(counts!)).toEqual([1, 1, 2])
    expect(list(torch.unique(x, { dim: 1 }))).toEqual(list(x))
  })

  test('keeps each NaN, and runs apart when consecutive', () => {
    expect(list(torch.tensor([nan, 1, nan]).unique())).toEqual([1, nan, nan])
    const [values, counts] = torch.unique_consecutive(torch.tensor([1, 1, 2, 2, 2, 1]), {
      return_counts: true,
    })
    expect([list(values!), list(counts!)]).toEqual([
      [1, 2, 1],
      [2, 3, 1],
    ])
    expect([...torch.empty([0]).unique().shape]).toEqual([0])
  })
})

describe('searchsorted', () => {
  test('puts values before or after equal edges, and after NaN', () => {
    const edges = torch.tensor([1, 2, 2, nan])
    const values = torch.tensor([0, 1, 2, 3, nan])
    expect(list(torch.searchsorted(edges, values))).toEqual([0, 0, 1, 4, 4])
    expect(list(torch.searchsorted(edges, values, { right: true }))).toEqual([0, 1, 4, 4, 4])
  })

  test('agrees with a linear search on long rows, also through a sorter', () => {
    const edges = data(700, 500)
    const sorted = edges.toSorted((a, b) => a - b)
    const values = data(50, 520)
    const wanted = values.map(v => sorted.filter(e => e < v).length)
    expect(list(torch.searchsorted(torch.tensor(sorted), torch.tensor(values)))).toEqual(wanted)
    const sorter = torch.tensor(edges).argsort()
    expect(list(torch.searchsorted(torch.tensor(edges), torch.tensor(values), { sorter }))).toEqual(wanted)
  })
})
