/** The conformance runner's way between encoded values and the library's tensors. */
import { describe, expect, it } from 'vitest'
import type { Encoded, EncodedTensor } from '../scripts/conformance/cases.ts'
import { element, is_complex, is_list, is_tensor, read_cases } from '../scripts/conformance/cases.ts'
import { cotangent, decode, encode, type Tensor, type Torch } from '../scripts/conformance/codec.ts'
import * as library from '../src/index.ts'

const torch = library as unknown as Torch
const round_trip = (e: Encoded): Encoded => encode(decode(e, torch), torch)

function tensors(e: Encoded): EncodedTensor[] {
  if (typeof e !== 'object' || e === null) return []
  if (is_tensor(e)) return [e]
  return (is_list(e) ? e : Object.values(e)).flatMap(tensors)
}

describe('a tensor', () => {
  it('of any real dtype, shape and strides in the case file survives the round trip', () => {
    const all = read_cases().flatMap(c => [c.args, { ...c.kw }, c.out].flatMap(tensors))
    const seen = new Map(all.map(e => [JSON.stringify([e.$t, e.s, e.st]), e]))
    const dtypes = new Set<string>()
    for (const e of seen.values()) {
      if (is_complex(e.$t)) continue
      dtypes.add(e.$t)
      const v = e.v.map(x => (e.$t === 'float32' ? Math.fround(Number(element(x))) : element(x)))
      expect(round_trip(e)).toEqual({ $t: e.$t, s: e.s, v })
    }
    expect([...dtypes].sort()).toEqual(
      [
        'bfloat16',
        'bool',
        'float16',
        'float32',
        'float64',
        'int16',
        'int32',
        'int64',
        'int8',
        'uint8',
      ].sort(),
    )
  })

  it('keeps its strides', () => {
    const x = decode({ $t: 'float32', s: [2, 3], v: [1, 2, 3, 4, 5, 6], st: [1, 2] }, torch) as library.Tensor
    expect(x.stride()).toEqual([1, 2])
    expect(x.tolist()).toEqual([
      [1, 2, 3],
      [4, 5, 6],
    ])
  })

  it('may share elements with itself', () => {
    const x = decode({ $t: 'float32', s: [2, 2], v: [1, 2, 1, 2], st: [0, 1] }, torch) as library.Tensor
    expect(x.stride()).toEqual([0, 1])
    expect(x.tolist()).toEqual([
      [1, 2],
      [1, 2],
    ])
  })

  it('that requires grad is a leaf among the inputs, in order', () => {
    const inputs: Tensor[] = []
    const x: EncodedTensor = { $t: 'float32', s: [2], v: [1, 2], g: 1 }
    const [a, b, c] = decode(
      [x, { ...x, v: [3, 4] }, { $t: 'float32', s: [], v: [0] }],
      torch,
      inputs,
    ) as Tensor[]
    expect(inputs.map((t, i) => t === [a, b][i])).toEqual([true, true])
    expect([a, b, c].map(t => t!.requires_grad)).toEqual([true, true, false])
  })
})

it('plain values, indices and dtypes', () => {
  const values = { $f: 'inf' }
  expect(decode([1, true, null, 'mean', values, { $f: 0.5 }], torch)).toEqual([
    1,
    true,
    null,
    'mean',
    Infinity,
    0.5,
  ])
  const index = [
    { $slice: [0, 3, null] },
    { $slice: [null, null, 2] },
    { $slice: [null, -1, null] },
    { $ellipsis: 1 },
  ]
  expect(decode(index, torch)).toEqual(['0:3', '::2', ':-1', '...'])
  expect(decode({ $dtype: 'float64' }, torch)).toBe(library.float64)
  expect(decode({ $device: 'cpu' }, torch)).toBe('cpu')
})

it('the cotangent is the one that the gradients were recorded with, signs applied', () => {
  const out = decode({ $t: 'float32', s: [2, 2], v: [0, 0, 0, 0] }, torch) as Tensor
  expect(cotangent(out, torch).tolist()).toEqual([
    [-0.5, -0.25],
    [0, 0.25],
  ])
  expect(cotangent(out, torch, [-1, 1, 1, -1]).tolist()).toEqual([
    [0.5, -0.25],
    [0, -0.25],
  ])
})
