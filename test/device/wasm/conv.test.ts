// Convolution and its gradients against PyTorch's results and the definition (the interp device's), over every way the
// work is divided. Small whole numbers make the sums exact in any order.
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { type DType, float32, float64, int32 } from '../../../src/base/dtype.ts'
import type { ConvProblem } from '../../../src/device/device.ts'
import { interp_device } from '../../../src/device/interp/interp.ts'
import { wasm_device } from '../../../src/device/wasm/device.ts'
import { contents, operand, small } from './operands.ts'

const device = wasm_device()
const reference = interp_device()

type Pair = readonly [number, number]
type Shape = Omit<ConvProblem, 'dtype' | 'kind' | 'input' | 'weight' | 'output' | 'bias'>

/** Batch, groups, channels in and out, input size; then kernel, stride, padding and dilation. */
function shape(
  [batch, groups, in_channels, out_channels]: readonly [number, number, number, number],
  in_size: Pair,
  kernel: Pair,
  stride: Pair = [1, 1],
  padding: Pair = [0, 0],
  dilation: Pair = [1, 1],
): Shape {
  const out = (d: 0 | 1): number =>
    Math.floor((in_size[d] + 2 * padding[d] - dilation[d] * (kernel[d] - 1) - 1) / stride[d]) + 1
  const out_size: Pair = [out(0), out(1)]
  return { batch, groups, in_channels, out_channels, in_size, out_size, kernel, stride, padding, dilation }
}

const SHAPES: Readonly<Record<string, Shape>> = {
  'one channel': shape([2, 1, 1, 5], [7, 6], [3, 3]),
  'several channels': shape([2, 1, 3, 6], [8, 9], [3, 2], [1, 1], [1, 1]),
  strided: shape([3, 1, 4, 5], [9, 10], [3, 3], [2, 3], [1, 2]),
  dilated: shape([1, 1, 3, 4], [11, 12], [3, 3], [1, 2], [2, 3], [2, 3]),
  'padding wider than the kernel': shape([1, 1, 2, 4], [3, 4], [2, 2], [1, 1], [5, 4]),
  'kernel as large as the input': shape([4, 1, 3, 9], [4, 5], [4, 5]),
  'kernel reaching out on both sides': shape([1, 1, 2, 3], [2, 3], [5, 7], [1, 1], [2, 3]),
  groups: shape([2, 3, 6, 12], [6, 7], [3, 3], [1, 1], [1, 1]),
  depthwise: shape([3, 5, 5, 5], [7, 9], [3, 3], [1, 1], [1, 1]),
  'depthwise, strided and dilated': shape([2, 4, 4, 4], [9, 11], [3, 3], [2, 3], [2, 2], [2, 1]),
  'depthwise with a multiplier': shape([2, 3, 3, 6], [6, 8], [2, 3], [1, 2], [0, 1]),
  'depthwise with a large multiplier': shape([2, 2, 2, 12], [6, 8], [3, 3], [1, 1], [1, 1]),
  'depthwise, wide rows': shape([2, 4, 4, 4], [9, 37], [3, 3], [1, 1], [1, 1]),
  'depthwise, narrow rows': shape([2, 3, 3, 3], [5, 2], [3, 3], [1, 1], [1, 1]),
  'depthwise, wide, strided, with a multiplier': shape([2, 4, 4, 8], [9, 40], [3, 5], [2, 2], [1, 2]),
  'depthwise, many channels': shape([2, 70, 70, 70], [17, 16], [5, 5], [1, 1], [2, 2]),
  'rows of whole panels': shape([2, 1, 5, 7], [9, 16], [3, 3], [1, 1], [1, 1]),
  'rows of whole panels, dilated, in groups': shape([1, 2, 4, 6], [11, 18], [3, 5], [2, 1], [2, 3], [2, 2]),
  'whole panels of padding': shape([1, 1, 2, 4], [3, 8], [2, 1], [1, 1], [5, 12]),
  'panels wider than the input': shape([1, 1, 2, 3], [4, 3], [3, 2], [1, 1], [1, 3]),
  'one channel to one': shape([2, 1, 1, 1], [8, 8], [3, 3]),
  pointwise: shape([2, 1, 7, 9], [5, 6], [1, 1]),
  'pointwise, strided': shape([2, 1, 7, 9], [5, 6], [1, 1], [2, 2]),
  'pointwise, grouped': shape([2, 2, 6, 10], [5, 6], [1, 1]),
  'one dimension': shape([2, 1, 3, 5], [1, 40], [1, 5], [1, 2], [0, 2]),
  'more channels than a block': shape([2, 1, 70, 6], [5, 5], [3, 3], [1, 1], [1, 1]),
  'more output channels than a block': shape([1, 1, 2, 300], [4, 4], [3, 3], [1, 1], [1, 1]),
  'more pointwise channels than a block': shape([1, 1, 300, 280], [3, 3], [1, 1]),
  'more rows than a block': shape([1, 1, 24, 3], [60, 50], [3, 3], [1, 1], [1, 1]),
  'rows longer than a block': shape([1, 1, 2, 3], [1, 5000], [1, 9], [1, 1], [0, 4]),
  'padding longer than a block': shape([1, 1, 1, 5], [1, 60], [1, 3], [1, 1], [0, 3000]),
  'many small images': shape([50, 1, 2, 6], [5, 5], [3, 3]),
  'more images than are staged at once': shape([9, 1, 8, 4], [70, 64], [3, 3], [2, 2]),
}

const KINDS = ['forward', 'input_grad', 'weight_grad'] as const

function problem(dtype: DType, kind: ConvProblem['kind'], s: Shape, with_bias = true): ConvProblem {
  const { batch, groups, in_channels, out_channels, in_size, out_size, kernel } = s
  // the operand that is written begins with garbage
  const of = (sizes: readonly number[], written: boolean, shift: number) =>
    operand(dtype, sizes, i => (written ? 99 : small(i + shift)))
  return {
    ...s,
    ...{ dtype, kind },
    input: of([batch, in_channels, ...in_size], kind === 'input_grad', 0),
    weight: of([out_channels, in_channels / groups, ...kernel], kind === 'weight_grad', 5),
    output: of([batch, out_channels, ...out_size], kind === 'forward', 9),
    bias:
      kind === 'weight_grad' || !with_bias
        ? null
        : of([kind === 'forward' ? out_channels : in_channels], false, 3),
  }
}
const result = (p: ConvProblem): (number | bigint)[] =>
  contents({ forward: p.output, input_grad: p.input, weight_grad: p.weight }[p.kind])

describe.each(Object.entries(SHAPES))('%s', (_, s) => {
  it.each(KINDS)('%s', kind => {
    for (const dtype of [float32, float64]) {
      const [got, expected] = [problem(dtype, kind, s), problem(dtype, kind, s)]
      device.conv(got)
      reference.conv(expected)
      expect(result(got), String(dtype)).toEqual(result(expected))
    }
  })
})

describe('an operand without elements', () => {
  it.each(KINDS)('leaves zeros: %s', kind => {
    const p = problem(float32, kind, shape([0, 1, 2, 3], [5, 5], [3, 3]))
    device.conv(p)
    expect(result(p)).toEqual(kind === 'weight_grad' ? Array(54).fill(0) : [])
  })
})

describe('as PyTorch', () => {
  type Case = Shape & Readonly<Record<(typeof KINDS)[number] | 'output', readonly number[]>>
  const path = new URL('../../data/device/conv.json', import.meta.url)
  const cases = JSON.parse(readFileSync(path, 'utf8')) as Case[]
  // the fillings of test/data/device/conv.py
  const fillings = { input: [7, 11, 5], weight: [5, 7, 3], output: [3, 5, 2] } as const

  it.each(cases.map((c, i) => [i, c] as const))('case %i', (_, c) => {
    for (const kind of KINDS) {
      const p = problem(float32, kind, c, false)
      for (const name of ['input', 'weight', 'output'] as const) {
        const [a, m, b] = fillings[name]
        const array = p[name].memory.array(float32)
        for (let i = 0; i < array.length; i++) array[i] = ((i * a) % m) - b
      }
      device.conv(p)
      expect(result(p)).toEqual(c[kind === 'forward' ? 'output' : kind])
    }
  })
})

it('refuses other dtypes', () => {
  expect(() => device.conv(problem(int32, 'forward', SHAPES['one channel']!))).toThrow(TypeError)
})
