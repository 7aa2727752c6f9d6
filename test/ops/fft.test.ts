// Specification of torch.fft, stft and istft: values and gradients against PyTorch's (test/data/fft), for every radix
// and for lengths with large prime factors; dtypes, second derivatives and errors.
import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import type { Tensor } from '../../src/index.ts'
import * as torch from '../../src/index.ts'

type Case = {
  readonly name: string
  readonly sizes: readonly number[]
  readonly complex: boolean
  readonly args: readonly unknown[]
  readonly options: Readonly<Record<string, unknown>>
  readonly window: number
  readonly shape: readonly number[]
  readonly value: readonly number[]
  readonly gradient: readonly number[]
}
const { cases } = JSON.parse(readFileSync(new URL('../data/fft/expected.json', import.meta.url), 'utf8')) as {
  readonly cases: readonly Case[]
}

/** The signals of test/data/fft/make.py. */
function signal(sizes: readonly number[], seed: number, dtype = torch.float64): Tensor {
  const n = sizes.reduce((a, b) => a * b, 1)
  const values = Array.from({ length: n }, (_, i) => (((i * i * 7 + i * 13 + seed * 31) % 101) - 50) / 25)
  return torch.tensor(values, { dtype }).view([...sizes])
}
const complex_signal = (sizes: readonly number[], seed: number, dtype = torch.float64): Tensor =>
  torch.complex(signal(sizes, seed, dtype), signal(sizes, seed + 1, dtype))

function numbers(t: Tensor): number[] {
  const all = (t.is_complex() ? torch.view_as_real(t) : t).detach().flatten().tolist() as number[]
  return all.length > 120 ? all.filter((_, i) => i % 37 === 0) : all
}

function expect_close(actual: readonly number[], expected: readonly number[], tolerance: number): void {
  expect(actual).toHaveLength(expected.length)
  const size = Math.max(...expected.map(Math.abs), 1e-3)
  actual.forEach((x, i) => {
    expect(Math.abs(x - expected[i]!)).toBeLessThanOrEqual(tolerance * size)
  })
}

type Function = (...args: unknown[]) => Tensor
function find(name: string): Function {
  let at: unknown = torch
  for (const part of name.split('.')) at = (at as Record<string, unknown>)[part]
  return at as Function
}

function run(c: Case, dtype: torch.DType): { x: Tensor; y: Tensor } {
  const x = (c.complex ? complex_signal(c.sizes, 1, dtype) : signal(c.sizes, 1, dtype)).requires_grad_(true)
  const window = c.window === 0 ? {} : { window: signal([c.window], 5, dtype).abs().add(0.5) }
  return { x, y: find(c.name)(x, ...c.args, { ...c.options, ...window }) }
}

const named = cases.map((c): [string, Case] => {
  const options = { ...c.options, ...(c.window === 0 ? {} : { window: c.window }) }
  const given = [`[${c.sizes}]${c.complex ? ' complex' : ''}`, ...c.args.map(a => JSON.stringify(a))]
  return [
    `${c.name}(${[...given, ...(Object.keys(options).length > 0 ? [JSON.stringify(options)] : [])].join(', ')})`,
    c,
  ]
})

describe('value and gradient of', () => {
  test.each(named)('%s', (_, c) => {
    const { x, y } = run(c, torch.float64)
    expect([...y.shape]).toEqual(c.shape)
    expect_close(numbers(y), c.value, 1e-12)
    y.backward(y.is_complex() ? complex_signal(c.shape, 3) : signal(c.shape, 3))
    expect_close(numbers(x.grad as Tensor), c.gradient, 1e-12)
  })
})

describe('in float32 the value of', () => {
  const long = named.filter(([, c]) => c.sizes.some(n => n >= 30))
  test.each(long)('%s', (_, c) => {
    const { y } = run(c, torch.float32)
    expect(y.dtype).toBe(y.is_complex() ? torch.complex64 : torch.float32)
    expect_close(numbers(y), c.value, 2e-6)
  })
})

describe('second derivatives', () => {
  const { fft } = torch
  /** Finite differences, with complex numbers as pairs. */
  const check = (f: (x: Tensor) => Tensor, signal: Tensor): void => {
    const complex = signal.is_complex()
    const of_reals = (x: Tensor): Tensor => {
      const y = f(complex ? torch.view_as_complex(x) : x)
      return y.is_complex() ? torch.view_as_real(y) : y
    }
    const x = (complex ? torch.view_as_real(signal) : signal).detach().requires_grad_(true)
    expect(torch.autograd.gradcheck(of_reals, [x])).toBe(true)
    expect(torch.autograd.gradgradcheck(of_reals, [x])).toBe(true)
  }
  test.each([
    ['fft', fft.fft, true],
    ['rfft', fft.rfft, false],
    ['irfft', fft.irfft, true],
    ['hfft', fft.hfft, true],
    ['ihfft', fft.ihfft, false],
    ['rfftn', fft.rfftn, false],
    ['irfftn', fft.irfftn, true],
    ['hfftn', fft.hfftn, true],
  ] as const)('of %s', (_, f, complex) => {
    check(f as (x: Tensor) => Tensor, complex ? complex_signal([2, 4], 1) : signal([2, 5], 1))
  })
  test('of stft and istft', () => {
    check(x => x.stft(4, { return_complex: true }), signal([9], 1))
    check(x => torch.istft(x, 4), complex_signal([3, 5], 1))
  })
  test('of a length with a large prime factor', () => {
    check(x => fft.rfft(x, 37), signal([4], 1))
  })
})

describe('properties', () => {
  const { fft } = torch
  const x = (): Tensor => signal([3, 4], 1, torch.float32)

  test('an infinite row leaves the others alone', () => {
    const z = complex_signal([3, 8], 1)
    const all = fft.fft(z).select(0, 2)
    z.select(0, 1).fill_(Infinity)
    expect(numbers(fft.fft(z).select(0, 2))).toEqual(numbers(all))
  })
  test('strided and empty inputs', () => {
    const z = complex_signal([6, 4], 1)
    expect(numbers(fft.fft(z.t()))).toEqual(numbers(fft.fft(z.t().contiguous())))
    expect([...fft.rfft(torch.empty(0, 5)).shape]).toEqual([0, 3])
  })
  test('integers become the default dtype', () => {
    expect(fft.fft(torch.tensor([1, 2, 3])).dtype).toBe(torch.complex64)
    expect(fft.irfft(torch.tensor([true, false])).dtype).toBe(torch.float32)
  })
  test('out= is written to', () => {
    const out = torch.empty(3, 4, { dtype: torch.complex128 })
    expect(fft.fft(x(), { out })).toBe(out)
    expect_close(numbers(out), numbers(fft.fft(x())), 1e-12)
  })
  test('the names of the nodes', () => {
    const node = (t: Tensor): string | undefined => t.grad_fn?.name()
    const real = x().requires_grad_(true)
    expect(node(fft.fft(real))).toBe('FftR2CBackward0')
    expect(node(fft.irfft(real))).toBe('FftC2RBackward0')
    expect(node(fft.fftn(real))).toBe('FftC2CBackward0')
  })
  test('frequencies', () => {
    expect(numbers(fft.fftfreq(4))).toEqual([0, 0.25, -0.5, -0.25])
    expect(numbers(fft.fftfreq(5, 0.5, { dtype: torch.float64 }))).toEqual([0, 0.4, 0.8, -0.8, -0.4])
    expect(numbers(fft.rfftfreq(6, { d: 0.5 })).map(v => v.toFixed(4))).toEqual([
      ...['0.0000', '0.3333', '0.6667', '1.0000'],
    ])
    expect([...fft.fftfreq(0).shape]).toEqual([0])
  })
  test('shifts', () => {
    expect(numbers(fft.fftshift(torch.arange(5)))).toEqual([3, 4, 0, 1, 2])
    expect(numbers(fft.ifftshift(torch.arange(5)))).toEqual([2, 3, 4, 0, 1])
    expect(numbers(fft.ifftshift(fft.fftshift(x(), [1, 0])))).toEqual(numbers(x()))
  })
})

describe('errors', () => {
  const { fft } = torch
  const r = torch.ones(3, 4)
  const c = torch.complex(r, r)
  const invalid = (n: number): string => `Invalid number of data points (${n}) specified`
  test.each<[() => unknown, string]>([
    [() => fft.fft(r, { norm: 'x' as 'ortho' }), 'Invalid normalization mode: "x"'],
    [() => fft.fft(r, 0), invalid(0)],
    [() => fft.irfft(r.narrow(1, 0, 1)), invalid(0)],
    [() => fft.fft(torch.tensor(1)), invalid(0)],
    [() => fft.irfftn(r, [2, -2]), invalid(-2)],
    [() => fft.fft(r, null, 2), 'Dimension out of range (expected to be in range of [-2, 1], but got 2)'],
    [() => fft.rfft(c), 'rfft expects a real input tensor, but got ComplexFloat'],
    [() => fft.rfft2(c), 'rfftn expects a real-valued input tensor, but got ComplexFloat'],
    [() => fft.fft(r.half()), 'Unsupported dtype Half'],
    [() => fft.fftn(r, [2], [0, 1]), 'When given, dim and shape arguments must have the same length'],
    [() => fft.fftn(r, [2, 2, 2]), 'Got shape with 3 values but input tensor only has 2 dimensions.'],
    [() => fft.fftn(r, { dim: [0, 0] }), 'FFT dims must be unique'],
    [() => fft.hfftn(r, { dim: [] }), 'hfftn must transform at least one axis'],
    [() => fft.fft2(r, { out: r }), 'fftn expects a complex output tensor, but got Float'],
    [() => fft.irfft(r, { out: c }), 'irfft expects a floating point output tensor, but got ComplexFloat'],
    [
      () => fft.fft('x' as unknown as Tensor),
      "fft_fft(): argument 'input' (position 1) must be Tensor, not str",
    ],
    [() => fft.fftfreq(4, { dtype: torch.int64 }), 'fftfreq requires a floating point or complex dtype'],
    [() => fft.fftfreq(-1), 'Trying to create tensor with negative dimension -1: [-1]'],
    [
      () => torch.stft(r, 2),
      'stft(torch.FloatTensor[3, 6], n_fft=2, hop_length=0, win_length=2, window=None, normalized=0, onesided=None, return_complex=None) : expected hop_length > 0, but got hop_length=0',
    ],
    [() => torch.stft(r, 4, { center: false, window: torch.ones(3) }), 'but got window with size [3]'],
    [() => torch.stft(c, 4, { onesided: true }), 'Cannot have onesided output if window or input is complex'],
    [() => torch.istft(c, 4, { win_length: 5 }), 'expected 0 < win_length <= n_fft'],
    [() => torch.istft(c, 4, { window: torch.zeros(4) }), 'window overlap add min: 1'],
    [() => torch.istft(r, 4), 'Dimension out of range (expected to be in range of [-2, 1], but got -3)'],
    [
      () => torch.istft(c, 6, { onesided: false }),
      'istft(CPUComplexFloatType[3, 4], n_fft=6, hop_length=1, win_length=6, window=None, center=1, normalized=0, onesided=0, length=None, return_complex=0) : expected the frequency dimension (3rd to the last) of the input tensor to match n_fft when onsided=False, but got 3',
    ],
  ])('%s', (call, message) => {
    expect(call).toThrow(message)
  })
})
