// Masks over more elements than are counted together: what is selected, scattered and found, against plain JavaScript.
import { describe, expect, test } from 'vitest'
import * as torch from '../../src/index.ts'

const n = 3 * 8192 + 77
const masks: [name: string, (i: number) => boolean][] = [
  ['none', () => false],
  ['all', () => true],
  ['every third', i => i % 3 === 0],
  ['few', i => i % 9001 === 5],
  ['the first', i => i === 0],
  ['the last', i => i === n - 1],
  ['whole blocks', i => i >= 8192 && i < 16384],
]

describe.each(masks)('%s true', (_, holds) => {
  const places = Array.from({ length: n }, (_, i) => i).filter(holds)
  const mask = torch.tensor(Array.from({ length: n }, (_, i) => holds(i)))
  const x = torch.arange(n, { dtype: torch.float32 })

  test('masked_select', () => expect(x.masked_select(mask).tolist()).toEqual(places))

  test('masked_scatter', () => {
    const source = torch.arange(n, { dtype: torch.float32 }).neg()
    const wanted = Array.from({ length: n }, (_, i) => i)
    for (const [k, i] of places.entries()) wanted[i] = k === 0 ? 0 : -k
    const got = (x.masked_scatter(mask, source).tolist() as number[]).map(v => v + 0)
    expect(got).toEqual(wanted)
  })

  test('nonzero, in one dimension and in several', () => {
    expect(mask.nonzero().tolist()).toEqual(places.map(i => [i]))
    const [rows, columns] = [17, 11]
    const part = mask.narrow(0, 0, 131 * rows * columns).reshape(131, rows, columns)
    const wanted = places
      .filter(i => i < 131 * rows * columns)
      .map(i => [Math.floor(i / (rows * columns)), Math.floor(i / columns) % rows, i % columns])
    expect(part.nonzero().tolist()).toEqual(wanted)
  })
})

test('a transposed tensor is searched in its own order', () => {
  const x = torch
    .tensor([
      [0, 1, 0],
      [2, 0, 3],
    ])
    .t()
  expect(x.nonzero().tolist()).toEqual([
    [0, 1],
    [1, 0],
    [2, 1],
  ])
})
