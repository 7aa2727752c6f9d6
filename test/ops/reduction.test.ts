// Reductions large enough to be cut into parts, whole, along rows and along columns: against the same in plain
// JavaScript, and the same bits for every number of threads. The values of small ones are in the op suite.
import { describe, expect, test } from 'vitest'
import * as torch from '../../src/index.ts'

/** Numbers in [-1, 1) from a fixed sequence, as floats of 24 bits. */
function data(n: number): Float32Array {
  let state = 4321
  return Float32Array.from({ length: n }, () => {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0
    return (state >>> 8) / 2 ** 23 - 1
  })
}

const shapes: [outer: number, n: number, columns: number][] = [
  [1, 140001, 1],
  [3, 50001, 1],
  [40, 4001, 1],
  [1, 2003, 67],
  [1, 131, 1200],
  [2, 700, 100],
  [30, 300, 33],
  [20, 70, 101],
  [1, 70000, 2],
]

describe.each(shapes)('over the middle of [%i, %i, %i]', (outer, n, columns) => {
  const values = data(outer * n * columns)
  const x = torch.from_numpy(values).reshape(outer, n, columns)
  /** What `f` makes of the elements of each result. */
  const each = (f: (line: number[]) => number): number[] =>
    Array.from({ length: outer * columns }, (_, i) => {
      const [o, c] = [Math.floor(i / columns), i % columns]
      return f(Array.from({ length: n }, (_, r) => values[(o * n + r) * columns + c]!))
    })
  const numbers = (t: torch.Tensor): number[] => t.flatten().tolist() as number[]
  const close = (got: number[], wanted: number[], tolerance: number): void =>
    got.forEach((y, i) => expect(Math.abs(y - wanted[i]!)).toBeLessThanOrEqual(tolerance))

  test('sums and means', () => {
    const sums = each(line => line.reduce((a, b) => a + b, 0))
    close(numbers(x.sum(1)), sums, 5e-4)
    close(
      numbers(x.mean(1)),
      sums.map(s => s / n),
      1e-7,
    )
    expect(numbers(x.gt(0).sum(1))).toEqual(each(line => line.filter(v => v > 0).length))
  })

  test('the second pass of a variance', () => {
    const variances = each(line => {
      const mean = line.reduce((a, b) => a + b, 0) / n
      return line.reduce((a, b) => a + (b - mean) ** 2, 0) / (n - 1)
    })
    close(numbers(x.var(1)), variances, 1e-6)
  })

  test('extremes, where they are, and truth', () => {
    const [most, at] = x.max(1)
    const wanted = each(line => line.reduce((a, b) => Math.max(a, b)))
    expect(numbers(most!)).toEqual(wanted)
    expect(numbers(at!)).toEqual(each(line => line.indexOf(line.reduce((a, b) => Math.max(a, b)))))
    expect(numbers(x.lt(2).all(1)).every(Boolean)).toBe(true)
    expect(numbers(x.gt(2).any(1)).some(Boolean)).toBe(false)
  })

  test('the same for any number of threads', () => {
    const before = torch.get_num_threads()
    const results = [1, 2, 5].map(threads => {
      torch.set_num_threads(threads)
      return [x.sum(1), x.var(1), x.argmin(1)].map(numbers)
    })
    torch.set_num_threads(before)
    expect(results[1]).toEqual(results[0])
    expect(results[2]).toEqual(results[0])
  })
})

test('NaN and infinities pass through parts', () => {
  const x = torch.zeros(200000)
  x.fill_(1)
  x.select(0, 150000).fill_(Number.NaN)
  expect(x.max().item()).toBeNaN()
  expect(x.argmax().item()).toBe(150000)
  expect(x.sum().item()).toBeNaN()
  x.select(0, 150000).fill_(Number.NEGATIVE_INFINITY)
  expect(x.min().item()).toBe(Number.NEGATIVE_INFINITY)
  expect(x.logsumexp(0).item()).toBeCloseTo(1 + Math.log(199999), 5)
})

test('products over parts are those of integers', () => {
  const x = torch.ones(150000, { dtype: torch.int64 })
  for (const i of [3, 77777, 149999]) x.select(0, i).fill_(7)
  expect(x.prod().item()).toBe(343)
})
