// Moving elements in sizes that are cut into tiles and blocks: each way against another that is not cut.
import { describe, expect, it } from 'vitest'
import * as torch from '../../src/index.ts'

const numbers = (...sizes: number[]): torch.Tensor =>
  torch.arange(sizes.reduce((a, b) => a * b, 1)).reshape(sizes)

describe('copying between memory orders', () => {
  it.each([
    [8, 16],
    [13, 21],
    [4, 100],
    [65, 7],
  ])('%i by %i, whole tiles and remainders', (rows, columns) => {
    for (const dtype of [torch.float32, torch.float16, torch.bool, torch.int64]) {
      const x = numbers(rows, columns).fmod(7).to(dtype)
      const copy = x.t().contiguous()
      const i = numbers(columns, 1)
      const j = numbers(1, rows)
      const from = j.mul(columns).add(i).reshape([-1])
      expect(copy.reshape([-1]).tolist()).toEqual(x.reshape([-1]).index_select(0, from).tolist())
    }
  })

  it('with dimensions around those that change places', () => {
    const x = numbers(3, 5, 9, 10)
    const copy = x.permute(0, 2, 3, 1).contiguous()
    for (let a = 0; a < 3; a++)
      for (let b = 0; b < 5; b++)
        expect(copy.select(0, a).select(2, b).tolist()).toEqual(x.select(0, a).select(0, b).tolist())
  })
})

describe('slices by index in blocks', () => {
  const rows = torch.tensor([3, 1, 3, 0, 3])
  const source = numbers(5, 6600).fmod(97).to(torch.float32)

  it('adds what comes to one place', () => {
    const sum = torch.zeros(4, 6600).index_add(0, rows, source)
    expect(sum.select(0, 3).tolist()).toEqual(
      source.select(0, 0).add(source.select(0, 2)).add(source.select(0, 4)).tolist(),
    )
    expect(sum.select(0, 1).tolist()).toEqual(source.select(0, 1).tolist())
    expect(sum.select(0, 2).count_nonzero().item()).toBe(0)
    const put = torch.zeros(4, 6600).index_put_([rows], source, true)
    expect(put.equal(sum)).toBe(true)
  })

  it('keeps the last of what is written to one place', () => {
    const copy = torch.zeros(4, 6600).index_copy(0, rows, source)
    expect(copy.select(0, 3).equal(source.select(0, 4))).toBe(true)
    expect(copy.select(0, 0).equal(source.select(0, 3))).toBe(true)
  })

  it('finds an index that is out of range far from the start', () => {
    const index = torch.zeros(40_000, { dtype: torch.int64 })
    index.index_put_([33_333], 4)
    expect(() => torch.zeros(4).index_select(0, index)).toThrow('index out of range in self')
  })

  it('finds it in the pass that reads, and reads again after that', () => {
    const x = numbers(2, 40_000)
    const index = numbers(40_000).remainder(7)
    const wrong = index.index_put([33_333], torch.tensor(40_000))
    expect(() => x.gather(1, wrong.expand(2, -1))).toThrow(
      'index 40000 is out of bounds for dimension 1 with size 40000',
    )
    expect(() => x.at(':', wrong)).toThrow('index 40000 is out of bounds for dimension 0 with size 40000')
    expect(() => x.take(wrong.mul(3))).toThrow('out of range: tried to access index 120000')
    expect(x.gather(1, index.expand(2, -1)).equal(index.add(torch.tensor([[0], [40_000]])))).toBe(true)
    expect(x.at(':', index.sub(40_000)).equal(x.at(':', index))).toBe(true)
  })

  it('adds up the gradient of reading in blocks, in order', () => {
    const x = torch.zeros(1000, 64, { requires_grad: true })
    const index = numbers(500).mul(37).remainder(1000).sub(500)
    const g = numbers(500, 64).sin()
    const [grad] = torch.autograd.grad([x.at(index)], [x], [g])
    expect(grad!.equal(torch.zeros(1000, 64).index_add(0, index.remainder(1000), g))).toBe(true)
    const weights = [torch.nn.functional.embedding(index.remainder(1000), x, 5)]
    const [padded] = torch.autograd.grad(weights, [x], [g])
    expect(padded!.equal(grad!.index_fill(0, torch.tensor([5]), 0))).toBe(true)
  })
})

describe('joining in one launch', () => {
  const parts = (widths: number[], rows: number): torch.Tensor[] =>
    widths.map((n, i) =>
      numbers(rows, n)
        .mul(i + 1)
        .fmod(101),
    )

  it.each([
    ['rows', [3, 0, 5, 1, 2, 4, 1, 1, 1, 6, 2], 20],
    ['more than one launch takes', Array.from({ length: 19 }, (_, i) => i), 3],
    ['single elements', [1, 1, 1], 33],
    ['blocks of long rows', [40_000, 1, 20_001], 2],
    ['one row', [40_000, 700], 1],
  ])('%s', (_, widths, rows) => {
    const given = parts(widths, rows)
    for (const dtypes of [[torch.float32], [torch.int16], [torch.bool], [torch.float64, torch.uint8]]) {
      const pieces = given.map((t, i) => t.to(dtypes[i % dtypes.length]!))
      const joined = torch.cat(pieces, 1)
      let start = 0
      for (const piece of pieces) {
        const n = piece.size(1)
        expect(joined.narrow(1, start, n).equal(piece.to(joined.dtype))).toBe(true)
        start += n
      }
      expect(joined.size(1)).toBe(start)
    }
  })
})
