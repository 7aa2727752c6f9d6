import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { type DType, float32, float64, int64 } from '../../../src/base/dtype.ts'
import type { ConvProblem, Device, GemmProblem, MatrixRef, Operand } from '../../../src/device/device.ts'
import { interp_device } from '../../../src/device/interp/interp.ts'
import { build } from '../../../src/ir/kernel.ts'

const device: Device = interp_device()

function operand(dtype: DType, sizes: readonly number[], data: readonly (number | bigint)[] = []): Operand {
  const count = sizes.reduce((a, b) => a * b, 1)
  const memory = device.alloc(count * dtype.itemsize)
  const array = memory.array(dtype)
  data.forEach((x, i) => {
    array[i] = x
  })
  const strides = sizes.map((_, d) => sizes.slice(d + 1).reduce((a, b) => a * b, 1))
  return { memory, offset: 0, sizes, strides, count, dtype }
}
const contents = (x: Operand): (number | bigint)[] => Array.from(x.memory.array(x.dtype) as Float32Array)

describe('kernels', () => {
  const affine = device.compile(
    build('affine', k => {
      const x = k.input('x', float32, { rank: 2 })
      const y = k.output('y', float32, 'flat')
      const scale = k.value('scale', 'f32')
      const shift = k.value('shift', 'i64')
      k.nest(x.sizes, 'parallel', 'serial', (i, j) =>
        k.store(y, [i.mul(x.sizes[1]!).add(j)], x.at(i, j).mul(scale).add(shift.cast('f32'))),
      )
    }),
  )

  it('get sizes and strides from the operands, and values in order', () => {
    const x = operand(float32, [2, 3], [1, 2, 3, 4, 5, 6])
    const y = operand(float32, [6])
    affine([x, y], [10, 1n])
    expect(contents(y)).toEqual([11, 21, 31, 41, 51, 61])
  })

  it('work on views: transposed, offset, broadcast, reversed', () => {
    const x = operand(float32, [2, 3], [1, 2, 3, 4, 5, 6])
    const view = (offset: number, sizes: number[], strides: number[]): (number | bigint)[] => {
      const y = operand(float32, [sizes[0]! * sizes[1]!])
      affine([{ ...x, offset, sizes, strides, count: sizes[0]! * sizes[1]! }, y], [1, 0])
      return contents(y)
    }
    expect(view(0, [3, 2], [1, 3])).toEqual([1, 4, 2, 5, 3, 6])
    expect(view(1, [2, 2], [3, 1])).toEqual([2, 3, 5, 6])
    expect(view(3, [2, 3], [0, 1])).toEqual([4, 5, 6, 4, 5, 6])
    expect(view(5, [2, 3], [-3, -1])).toEqual([6, 5, 4, 3, 2, 1])
    expect(view(0, [0, 3], [3, 1])).toEqual([])
  })

  it('may not leave the window of an operand, even inside its storage', () => {
    const x = operand(float32, [2, 3], [1, 2, 3, 4, 5, 6])
    const small = { ...operand(float32, [6]), sizes: [5], count: 5 }
    expect(() => affine([x, small], [1, 0])).toThrow('kernel affine: index 5 of y is outside of [0, 4]')
  })

  it('reject operands and values that do not fit', () => {
    const x = operand(float32, [2, 3])
    expect(() => affine([x], [1, 0])).toThrow('kernel affine takes 2 operands, got 1')
    expect(() => affine([x, operand(int64, [6])], [1, 0])).toThrow(
      'kernel affine: y is torch.float32, got torch.int64',
    )
    expect(() => affine([x, x], [1])).toThrow('kernel affine: no value for shift')
    expect(() => affine([x, x], [1, 2, 3])).toThrow('kernel affine takes 2 values, got 3')
    expect(() => affine([operand(float32, [6]), x], [1, 0])).toThrow(
      'kernel affine: x_size1 of an operand of 1 dimensions',
    )
    expect(() => affine([{ ...x, offset: 1 }, x], [1, 0])).toThrow(
      'an operand of elements 1 to 6 in a storage of 6',
    )
  })
})

describe('gemm', () => {
  const matrix = (
    x: Operand,
    row_stride: number,
    col_stride: number,
    rest: Partial<MatrixRef> = {},
  ): MatrixRef => ({
    storage: x.memory,
    offset: 0,
    batch_stride: 0,
    row_stride,
    col_stride,
    ...rest,
  })
  const a = operand(float64, [2, 3], [1, 2, 3, 4, 5, 6])
  const b = operand(float64, [3, 2], [7, 8, 9, 10, 11, 12])
  const product = [58, 64, 139, 154]

  function multiply(
    problem: Partial<GemmProblem>,
    out: Operand = operand(float64, [2, 2]),
  ): (number | bigint)[] {
    device.gemm({
      dtype: out.dtype,
      batch: 1,
      m: 2,
      n: 2,
      k: 3,
      a: matrix(a, 3, 1),
      b: matrix(b, 2, 1),
      c: matrix(out, 2, 1),
      accumulate: false,
      ...problem,
    })
    return contents(out)
  }

  it('multiplies', () => {
    expect(multiply({})).toEqual(product)
  })

  it('reads transposed matrices by their strides', () => {
    const a_t = operand(float64, [3, 2], [1, 4, 2, 5, 3, 6])
    const b_t = operand(float64, [2, 3], [7, 9, 11, 8, 10, 12])
    expect(multiply({ a: matrix(a_t, 1, 2), b: matrix(b_t, 1, 3) })).toEqual(product)
  })

  it('accumulates', () => {
    const out = operand(float64, [2, 2], [1000, 2000, 3000, 4000])
    expect(multiply({ accumulate: true }, out)).toEqual([1058, 2064, 3139, 4154])
  })

  it('k = 0 writes zeros, or leaves c when accumulating; no rows do nothing', () => {
    const out = operand(float64, [2, 2], [1, 2, 3, 4])
    expect(multiply({ k: 0, accumulate: true }, out)).toEqual([1, 2, 3, 4])
    expect(multiply({ m: 0 }, out)).toEqual([1, 2, 3, 4])
    expect(multiply({ k: 0 }, out)).toEqual([0, 0, 0, 0])
  })

  it('batches, with a broadcast operand', () => {
    // two vectors by two matrices [[1, 2], [3, 4]] and [[5, 6], [7, 8]]
    const rows = operand(float64, [1, 2], [10, 1])
    const stack = operand(float64, [2, 2, 2], [1, 2, 3, 4, 5, 6, 7, 8])
    const out = operand(float64, [2, 2])
    const shape = { batch: 2, m: 1, n: 2, k: 2, a: matrix(rows, 2, 1) }
    multiply({
      ...shape,
      b: matrix(stack, 2, 1, { batch_stride: 4 }),
      c: matrix(out, 2, 1, { batch_stride: 2 }),
    })
    expect(contents(out)).toEqual([13, 24, 57, 68])
  })

  it('rounds float32 once, at the end', () => {
    const x = operand(float32, [1, 3], [2 ** 24, 1, 1])
    const ones = operand(float32, [3, 1], [1, 1, 1])
    const out = operand(float32, [1, 1])
    expect(
      multiply({ m: 1, n: 1, a: matrix(x, 3, 1), b: matrix(ones, 1, 1), c: matrix(out, 1, 1) }, out),
    ).toEqual([2 ** 24 + 2])
  })
})

describe('conv agrees with PyTorch', () => {
  type Case = Omit<ConvProblem, 'dtype' | 'kind' | 'input' | 'weight' | 'output' | 'bias'> & {
    output: number[]
    input_grad: number[]
    weight_grad: number[]
  }
  const path = new URL('../../data/device/conv.json', import.meta.url)
  const cases = JSON.parse(readFileSync(path, 'utf8')) as Case[]
  // the fillings of test/data/device/conv.py
  const fill = (sizes: readonly number[], a: number, m: number, c: number): Operand => {
    const x = operand(float32, sizes)
    const array = x.memory.array(float32)
    for (let i = 0; i < array.length; i++) array[i] = ((i * a) % m) - c
    return x
  }

  cases.forEach(({ output, input_grad, weight_grad, ...shape }, i) => {
    const { batch, groups, in_channels, out_channels, in_size, out_size, kernel } = shape
    const sizes = {
      input: [batch, in_channels, ...in_size],
      weight: [out_channels, in_channels / groups, ...kernel],
      output: [batch, out_channels, ...out_size],
    }
    const problem = (kind: ConvProblem['kind']): ConvProblem => ({
      ...shape,
      dtype: float32,
      kind,
      input: kind === 'input_grad' ? operand(float32, sizes.input) : fill(sizes.input, 7, 11, 5),
      weight: kind === 'weight_grad' ? operand(float32, sizes.weight) : fill(sizes.weight, 5, 7, 3),
      output: kind === 'forward' ? operand(float32, sizes.output) : fill(sizes.output, 3, 5, 2),
      bias: null,
    })
    it(`case ${i}: kernel ${kernel}, stride ${shape.stride}, padding ${shape.padding}, groups ${groups}`, () => {
      const forward = problem('forward')
      device.conv(forward)
      expect(contents(forward.output)).toEqual(output)
      const to_input = problem('input_grad')
      device.conv(to_input)
      expect(contents(to_input.input)).toEqual(input_grad)
      const to_weight = problem('weight_grad')
      device.conv(to_weight)
      expect(contents(to_weight.weight)).toEqual(weight_grad)
    })
  })
})
