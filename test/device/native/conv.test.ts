import { readFileSync } from 'node:fs'
import { afterEach, describe, expect, it } from 'vitest'
import { type DType, float32, float64 } from '../../../src/base/dtype.ts'
import type { ConvProblem, Operand } from '../../../src/device/device.ts'
import { contents, native, noise, operand, small_integers } from './operand.ts'

const device = native!

type Pair = readonly [number, number]
type Shape = Omit<ConvProblem, 'dtype' | 'kind' | 'input' | 'weight' | 'output' | 'bias'>

const shape = (
  [batch, groups, in_channels, out_channels]: readonly number[],
  in_size: Pair,
  kernel: Pair,
  {
    stride = [1, 1],
    padding = [0, 0],
    dilation = [1, 1],
  }: { stride?: Pair; padding?: Pair; dilation?: Pair } = {},
): Shape => {
  const out = (d: 0 | 1): number =>
    Math.floor((in_size[d] + 2 * padding[d] - dilation[d] * (kernel[d] - 1) - 1) / stride[d]) + 1
  return {
    batch: batch!,
    groups: groups!,
    in_channels: in_channels!,
    out_channels: out_channels!,
    in_size,
    out_size: [out(0), out(1)],
    kernel,
    stride,
    padding,
    dilation,
  }
}

/** Calls `visit` with the places in input, weight and output that meet. */
function each_product(s: Shape, visit: (input: number, weight: number, output: number) => void): void {
  const [ih, iw] = s.in_size
  const [oh, ow] = s.out_size
  const [kh, kw] = s.kernel
  const [cin, cout] = [s.in_channels / s.groups, s.out_channels / s.groups]
  for (let n = 0; n < s.batch; n++)
    for (let o = 0; o < s.out_channels; o++)
      for (let c = 0; c < cin; c++)
        for (let y = 0; y < oh; y++)
          for (let x = 0; x < ow; x++)
            for (let a = 0; a < kh; a++)
              for (let b = 0; b < kw; b++) {
                const r = y * s.stride[0] + a * s.dilation[0] - s.padding[0]
                const q = x * s.stride[1] + b * s.dilation[1] - s.padding[1]
                if (r < 0 || r >= ih || q < 0 || q >= iw) continue
                const channel = Math.floor(o / cout) * cin + c
                visit(
                  ((n * s.in_channels + channel) * ih + r) * iw + q,
                  ((o * cin + c) * kh + a) * kw + b,
                  ((n * s.out_channels + o) * oh + y) * ow + x,
                )
              }
}

type Change = (values: { input: Float64Array; weight: Float64Array; output: Float64Array }) => unknown

/** Compares all three kinds with sums of products, on small integers that `change` may have replaced in part. */
function check(dtype: DType, s: Shape, change: Change = () => {}, only?: ConvProblem['kind']): void {
  const sizes = {
    input: [s.batch, s.in_channels, ...s.in_size],
    weight: [s.out_channels, s.in_channels / s.groups, ...s.kernel],
    output: [s.batch, s.out_channels, ...s.out_size],
  }
  const filled = (name: keyof typeof sizes, seed: number): Operand => {
    const count = sizes[name].reduce((a, b) => a * b, 1)
    return operand(dtype, sizes[name], small_integers(count, seed))
  }
  const operands = { input: filled('input', 1), weight: filled('weight', 2), output: filled('output', 3) }
  const array = (name: keyof typeof sizes): Float64Array => operands[name].memory.array(dtype) as Float64Array
  change({ input: array('input'), weight: array('weight'), output: array('output') })
  const values = {
    input: contents(operands.input) as number[],
    weight: contents(operands.weight) as number[],
    output: contents(operands.output) as number[],
  }
  for (const [kind, written] of [
    ['forward', 'output'],
    ['input_grad', 'input'],
    ['weight_grad', 'weight'],
  ] as const) {
    if (only && kind !== only) continue
    const result = filled(written, 4) // what was there before does not count
    const channels = written === 'output' ? s.out_channels : s.in_channels
    const bias = written === 'weight' ? null : operand(dtype, [channels], small_integers(channels, 5))
    device.conv({ ...s, dtype, kind, ...operands, bias, [written]: result })
    const plane = result.sizes[2]! * result.sizes[3]!
    const expected = Array.from({ length: result.count }, (_, i) =>
      bias === null ? 0 : (contents(bias)[Math.floor(i / plane) % channels] as number),
    )
    each_product(s, (i, w, o) => {
      if (written === 'output') expected[o]! += values.input[i]! * values.weight[w]!
      else if (written === 'input') expected[i]! += values.output[o]! * values.weight[w]!
      else expected[w]! += values.output[o]! * values.input[i]!
    })
    const unsigned = (list: readonly number[]): number[] => list.map(v => v + 0) // zeros have no sign
    expect(unsigned(contents(result) as number[])).toEqual(unsigned(expected))
  }
}

describe.skipIf(!native).each([float32, float64])('conv and its gradients in %s', dtype => {
  const cases: Record<string, Shape> = {
    'a kernel of 3 x 3': shape([2, 1, 3, 4], [8, 8], [3, 3], { padding: [1, 1] }),
    'one channel': shape([2, 1, 1, 1], [5, 6], [2, 3]),
    'many channels': shape([1, 1, 50, 30], [5, 5], [3, 3], { padding: [1, 1] }),
    'more channels than a block': shape([1, 1, 2, 110], [4, 5], [2, 2]),
    'a kernel of 1 x 1': shape([2, 1, 20, 17], [6, 7], [1, 1]),
    'a kernel of 1 x 1, many channels': shape([2, 1, 400, 50], [9, 11], [1, 1]),
    'rows of whole vectors': shape([2, 1, 3, 20], [5, 32], [3, 3], { padding: [1, 1] }),
    'a kernel of 1 x 1 with stride': shape([2, 1, 5, 9], [7, 8], [1, 1], { stride: [2, 3] }),
    'stride 2': shape([2, 1, 3, 18], [9, 10], [3, 3], { stride: [2, 2], padding: [1, 1] }),
    'strides that skip the last pixels': shape([1, 1, 2, 5], [10, 11], [3, 2], { stride: [4, 3] }),
    'a stride larger than the kernel': shape([1, 1, 3, 3], [11, 13], [2, 2], {
      stride: [5, 4],
      padding: [1, 1],
    }),
    dilation: shape([1, 1, 3, 13], [12, 11], [3, 3], { dilation: [2, 3], padding: [2, 3] }),
    'dilation and stride': shape([1, 1, 2, 6], [14, 15], [3, 3], {
      dilation: [3, 2],
      stride: [2, 3],
      padding: [1, 2],
    }),
    'dilation a multiple of the stride': shape([1, 1, 2, 6], [14, 15], [3, 3], {
      dilation: [2, 4],
      stride: [2, 2],
    }),
    'padding larger than the kernel': shape([1, 1, 2, 3], [4, 4], [2, 2], { padding: [5, 4] }),
    'different sizes across and down': shape([2, 1, 4, 7], [3, 40], [3, 5], {
      stride: [1, 2],
      padding: [0, 4],
    }),
    'one dimension': shape([3, 1, 6, 8], [1, 50], [1, 7], { padding: [0, 3] }),
    'wide images': shape([1, 1, 2, 3], [6, 200], [5, 5]),
    groups: shape([2, 3, 6, 12], [6, 6], [3, 3], { padding: [1, 1] }),
    depthwise: shape([2, 8, 8, 8], [9, 9], [3, 3], { padding: [1, 1] }),
    'depthwise, wide': shape([2, 3, 3, 3], [9, 50], [3, 3], { padding: [1, 1] }),
    'depthwise, wide, with stride 2': shape([2, 4, 4, 4], [9, 40], [3, 3], {
      ...{ stride: [2, 2], padding: [1, 1] },
    }),
    'depthwise, stride 2 larger than the kernel': shape([2, 4, 4, 4], [10, 38], [1, 1], { stride: [2, 2] }),
    'depthwise with a multiplier, stride and dilation': shape([2, 4, 4, 8], [9, 10], [3, 3], {
      ...{ stride: [2, 1], dilation: [1, 2], padding: [1, 2] },
    }),
    'many channels, odd sizes': shape([3, 1, 24, 40], [11, 13], [3, 3], { padding: [1, 0] }),
    'many channels in groups': shape([2, 2, 48, 64], [10, 10], [3, 3], { padding: [1, 1] }),
    'many channels and more of the result': shape([2, 1, 20, 150], [8, 9], [3, 3], { padding: [1, 2] }),
    '5 x 5, many channels': shape([3, 1, 20, 24], [11, 14], [5, 5], { padding: [2, 1] }),
    'stride 2, many channels': shape([2, 1, 24, 40], [15, 18], [3, 3], { stride: [2, 2], padding: [1, 1] }),
    'stride 2, a row and a column over': shape([2, 1, 24, 40], [16, 15], [3, 3], { stride: [2, 2] }),
    '4 x 4 with stride 2, many channels': shape([2, 1, 24, 40], [16, 14], [4, 4], {
      ...{ stride: [2, 2], padding: [1, 1] },
    }),
    'no images': shape([0, 1, 2, 3], [4, 4], [2, 2]),
  }
  for (const [name, s] of Object.entries(cases)) it(name, () => check(dtype, s))

  it('a NaN outside of a result reaches it in no other way', () => {
    const s = shape([1, 1, 1, 2], [6, 6], [3, 3], { stride: [2, 2] }) // the last row and column are not used
    const input = operand(dtype, [1, 1, 6, 6], small_integers(36))
    const array = input.memory.array(dtype) as Float64Array
    for (let i = 0; i < 6; i++) array[i * 6 + 5] = array[30 + i] = NaN
    const weight = operand(dtype, [2, 1, 3, 3], small_integers(18, 2))
    const output = operand(dtype, [1, 2, 2, 2])
    device.conv({ ...s, dtype, kind: 'forward', input, weight, output, bias: null })
    expect(contents(output).every(v => Number.isFinite(v))).toBe(true)
    device.conv({ ...s, dtype, kind: 'weight_grad', input, weight, output, bias: null })
    expect(contents(weight).every(v => Number.isFinite(v))).toBe(true)
  })
})

describe.skipIf(!native)('where Winograd’s algorithm computes', () => {
  const cases: Record<string, Shape> = {
    '3 x 3': shape([4, 1, 32, 32], [16, 15], [3, 3], { padding: [1, 1] }),
    '5 x 5': shape([3, 1, 24, 32], [15, 16], [5, 5], { padding: [2, 2] }),
    'stride 2': shape([4, 1, 64, 64], [16, 16], [3, 3], { stride: [2, 2], padding: [1, 1] }),
  }
  describe.each(Object.entries(cases))('%s', (_, s) => {
    it('what is not finite reaches what it is a factor of, as in sums of products', () => {
      const size = s.out_size[0] * s.out_size[1]
      const middle = Math.floor(s.out_size[0] / 2) * s.out_size[1] + Math.floor(s.out_size[1] / 2)
      check(float32, s, ({ input, output }) => {
        input[40] = Infinity
        input[600] = -Infinity
        input[2000] = NaN
        output[size + middle] = Infinity
        output[3 * size + middle] = NaN
      })
    })
    it('sums of pixels may be too large', () => {
      const [large, small] = [2 ** 127, 2 ** -40]
      const pixels = (a: Float64Array): void => {
        a.fill(0)
        for (let i = 30; i < 34; i++) a[i] = large * (1 + (i % 2) / 2)
      }
      const signs = (a: Float64Array): void => a.forEach((v, i) => void (a[i] = Math.sign(v) * small))
      const given: Change = ({ input, weight, output }) => [pixels(input), signs(weight), signs(output)]
      check(float32, s, given, 'forward')
      check(float32, s, given, 'weight_grad')
      check(float32, s, ({ weight, output }) => [pixels(output), signs(weight)], 'input_grad')
    })
    it('is as exact as a float32 allows', () => {
      const counts = {
        input: [s.batch, s.in_channels, ...s.in_size],
        weight: [s.out_channels, s.in_channels / s.groups, ...s.kernel],
        output: [s.batch, s.out_channels, ...s.out_size],
      }
      const of = (dtype: DType, list: readonly number[], seed: number): Operand => {
        const values = noise(
          list.reduce((a, b) => a * b),
          seed,
        )
        return operand(dtype, list, values.map(Math.fround))
      }
      for (const [kind, written] of [
        ['forward', 'output'],
        ['input_grad', 'input'],
        ['weight_grad', 'weight'],
      ] as const) {
        const [single, double] = [float32, float64].map(dtype => {
          const operands = {
            input: of(dtype, counts.input, 1),
            weight: of(dtype, counts.weight, 2),
            output: of(dtype, counts.output, 3),
          }
          device.conv({ ...s, dtype, kind, ...operands, bias: null })
          return contents(operands[written]) as number[]
        })
        const scale = Math.sqrt(double!.reduce((sum, v) => sum + v * v, 0) / double!.length)
        const error = Math.max(...single!.map((v, i) => Math.abs(v - double![i]!)))
        expect(error / scale).toBeLessThan(4e-6)
      }
    })
  })
})

describe.skipIf(!native)('conv agrees with PyTorch', () => {
  type Case = Shape & { output: number[]; input_grad: number[]; weight_grad: number[] }
  const path = new URL('../../data/device/conv.json', import.meta.url)
  const cases = JSON.parse(readFileSync(path, 'utf8')) as Case[]
  // the fillings of test/data/device/conv.py
  const fill = (sizes: readonly number[], a: number, m: number, c: number): Operand => {
    const count = sizes.reduce((x, y) => x * y, 1)
    return operand(
      float32,
      sizes,
      Array.from({ length: count }, (_, i) => ((i * a) % m) - c),
    )
  }
  cases.forEach(({ output, input_grad, weight_grad, ...s }, i) => {
    const sizes = {
      input: [s.batch, s.in_channels, ...s.in_size],
      weight: [s.out_channels, s.in_channels / s.groups, ...s.kernel],
      output: [s.batch, s.out_channels, ...s.out_size],
    }
    it(`case ${i}: kernel ${s.kernel}, stride ${s.stride}, padding ${s.padding}, groups ${s.groups}`, () => {
      const of = {
        bias: null,
        input: fill(sizes.input, 7, 11, 5),
        weight: fill(sizes.weight, 5, 7, 3),
        output: fill(sizes.output, 3, 5, 2),
      }
      const results = {
        input: operand(float32, sizes.input),
        weight: operand(float32, sizes.weight),
        output: operand(float32, sizes.output),
      }
      device.conv({ ...s, ...of, dtype: float32, kind: 'forward', output: results.output })
      device.conv({ ...s, ...of, dtype: float32, kind: 'input_grad', input: results.input })
      device.conv({ ...s, ...of, dtype: float32, kind: 'weight_grad', weight: results.weight })
      expect(contents(results.output)).toEqual(output)
      expect(contents(results.input)).toEqual(input_grad)
      expect(contents(results.weight)).toEqual(weight_grad)
    })
  })
})

describe.skipIf(!native)('a convolution gives the same bits with any number of threads', () => {
  const initial = native?.num_threads ?? 1
  afterEach(() => {
    device.num_threads = initial
  })

  const cases: Record<string, Shape> = {
    '3 x 3, many channels': shape([4, 1, 48, 40], [16, 16], [3, 3], { padding: [1, 1] }),
    'few channels': shape([16, 1, 3, 20], [20, 22], [3, 3], { padding: [1, 1] }),
    '1 x 1': shape([6, 1, 40, 60], [14, 14], [1, 1]),
    '5 x 5': shape([4, 1, 24, 40], [16, 16], [5, 5], { padding: [2, 2] }),
    '3 x 3 with stride 2': shape([4, 1, 32, 40], [16, 16], [3, 3], { stride: [2, 2], padding: [1, 1] }),
    strides: shape([4, 1, 16, 30], [24, 24], [4, 4], { stride: [2, 2], padding: [1, 1] }),
    groups: shape([4, 4, 32, 32], [16, 16], [3, 3], { padding: [1, 1] }),
    depthwise: shape([16, 48, 48, 48], [24, 24], [3, 3], { padding: [1, 1] }),
  }
  it.each(Object.entries(cases))('%s', (_, s) => {
    const sizes = {
      input: [s.batch, s.in_channels, ...s.in_size],
      weight: [s.out_channels, s.in_channels / s.groups, ...s.kernel],
      output: [s.batch, s.out_channels, ...s.out_size],
    }
    const full = (list: readonly number[], seed: number): Operand =>
      operand(
        float32,
        list,
        noise(
          list.reduce((a, b) => a * b),
          seed,
        ),
      )
    const operands = {
      input: full(sizes.input, 1),
      weight: full(sizes.weight, 2),
      output: full(sizes.output, 3),
    }
    for (const [kind, written] of [
      ['forward', 'output'],
      ['input_grad', 'input'],
      ['weight_grad', 'weight'],
    ] as const) {
      const [first, ...others] = [1, 2, 3, 8].map(n => {
        device.num_threads = n
        const result = operand(float32, sizes[written])
        device.conv({ ...s, dtype: float32, kind, ...operands, bias: null, [written]: result })
        return contents(result)
      })
      expect(first!.some(x => x !== 0)).toBe(true)
      for (const other of others) expect(other).toEqual(first)
    }
  })
})
