// Specification of complex arithmetic: every function against PyTorch's values and gradients (test/data/complex), and
// how complex tensors are copied, promoted and refused.
import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import type { Tensor } from '../../src/index.ts'
import * as torch from '../../src/index.ts'

type Case = { readonly value: readonly number[]; readonly gradients: readonly (readonly number[])[] }
type Data = {
  readonly points: readonly number[]
  readonly others: readonly number[]
  readonly cases: Readonly<Record<string, Case>>
}
const { points, others, cases } = JSON.parse(
  readFileSync(new URL('../data/complex/expected.json', import.meta.url), 'utf8'),
) as Data

const from_pairs = (pairs: readonly number[]): Tensor =>
  torch.view_as_complex(torch.tensor(pairs, { dtype: torch.float64 }).view(-1, 2)).clone()
const numbers = (t: Tensor): number[] =>
  (t.is_complex() ? torch.view_as_real(t) : t).detach().flatten().tolist() as number[]

/** Relative to the size of the whole number: one part of it may be small by cancellation. */
function expect_close(actual: readonly number[], expected: readonly number[], step: number): void {
  expect(actual).toHaveLength(expected.length)
  for (let i = 0; i < expected.length; i += step) {
    const want = expected.slice(i, i + step)
    const size = Math.hypot(...want)
    want.forEach((x, k) => {
      expect(Math.abs(actual[i + k]! - x)).toBeLessThanOrEqual(1e-12 * size + 1e-14)
    })
  }
}

type Function = (...xs: Tensor[]) => Tensor
const on_five =
  (name: 'sum' | 'mean' | 'prod' | 'var' | 'std' | 'norm'): Function =>
  x =>
    (x!.narrow(0, 0, 5)[name] as () => Tensor)().reshape(1)
const special: Record<string, Function> = {
  mm: (a, b) => a!.reshape(2, 5).mm(b!.reshape(5, 2)).flatten(),
  cumsum: x => x!.narrow(0, 0, 5).cumsum(0),
  cumprod: x => x!.narrow(0, 0, 5).cumprod(0),
}
for (const name of ['sum', 'mean', 'prod', 'var', 'std', 'norm'] as const) special[name] = on_five(name)

describe('value and gradient of', () => {
  test.each(Object.entries(cases))('%s', (name, { value, gradients }) => {
    const f = special[name] ?? ((torch as unknown as Record<string, Function>)[name] as Function)
    const xs = [points, others].slice(0, gradients.length).map(x => from_pairs(x).requires_grad_(true))
    const y = f(...xs)
    expect_close(numbers(y), value, y.is_complex() ? 2 : 1)
    const g = torch.linspace(0.5, 1.5, y.numel(), { dtype: torch.float64 })
    y.backward(y.is_complex() ? torch.complex(g, torch.rsub(g, 1)) : g)
    gradients.forEach((expected, i) => {
      expect_close(numbers(xs[i]!.grad as Tensor), expected, 2)
    })
  })
})

describe('complex tensors', () => {
  const z = (): Tensor => torch.complex(torch.FloatTensor([1, -2, 3]), torch.FloatTensor([4, 5, -6]))

  test('are copied whole, to real tensors without their imaginary parts, and from them with zeros', () => {
    expect(numbers(z().to(torch.complex128))).toEqual([1, 4, -2, 5, 3, -6])
    expect(numbers(torch.empty(3).copy_(z()))).toEqual([1, -2, 3])
    expect(numbers(z().copy_(torch.tensor([7, 8, 9])))).toEqual([7, 0, 8, 0, 9, 0])
    expect(numbers(z().view(3, 1).expand(3, 2).contiguous().t().contiguous())).toEqual([
      ...[1, 4, -2, 5, 3, -6],
      ...[1, 4, -2, 5, 3, -6],
    ])
  })

  test('decide the dtype of a result', () => {
    expect(z().mul(2).dtype).toBe(torch.complex64)
    expect(z().add(torch.tensor([1, 2, 3], { dtype: torch.float64 })).dtype).toBe(torch.complex128)
    expect(z().abs().dtype).toBe(torch.float32)
    expect(z().eq(z()).dtype).toBe(torch.bool)
  })

  test('a real operand receives a real gradient', () => {
    const x = torch.tensor([1, 2, 3], { dtype: torch.float32, requires_grad: true })
    x.mul(z()).abs().sum().backward()
    expect((x.grad as Tensor).dtype).toBe(torch.float32)
    const sizes = [Math.hypot(1, 4), Math.hypot(2, 5), Math.hypot(3, 6)]
    numbers(x.grad as Tensor).forEach((g, i) => {
      expect(g).toBeCloseTo(sizes[i]!, 5)
    })
  })

  test('have second derivatives', () => {
    const x = from_pairs(points.slice(0, 6)).requires_grad_(true)
    expect(torch.autograd.gradgradcheck((a: Tensor) => a.mul(a).sin().abs(), [x])).toBe(true)
  })

  test.each([
    ['floor', 'floor is not supported for complex inputs'],
    ['ceil', 'ceil is not supported for complex inputs'],
    ['erf', "not implemented for 'ComplexFloat'"],
    ['relu', 'clamp is not supported for complex types'],
    ['sign', 'Please use torch.sgn instead.'],
  ])('have no %s', (name, message) => {
    expect(() => (torch as unknown as Record<string, Function>)[name]!(z())).toThrow(message)
  })

  test('have no order', () => {
    expect(() => z().lt(z())).toThrow('"lt_cpu" not implemented for \'ComplexFloat\'')
    expect(() => torch.maximum(z(), z())).toThrow("not implemented for 'ComplexFloat'")
  })
})

describe('parts of complex tensors', () => {
  const z = (): Tensor => torch.complex(torch.FloatTensor([1, 3]), torch.FloatTensor([2, 4]))

  test('can be assigned', () => {
    const x = z()
    x.real = torch.FloatTensor([5, 6])
    expect(numbers(x)).toEqual([5, 2, 6, 4])
    x.imag = 7
    expect(numbers(x)).toEqual([5, 7, 6, 7])
    x.real = 2.5
    x.imag = torch.tensor([true, false])
    expect(numbers(x)).toEqual([2.5, 1, 2.5, 0])
    x.real = torch.complex(torch.FloatTensor([8, 9]), torch.FloatTensor([1, 1]))
    expect(numbers(x)).toEqual([8, 1, 9, 0])
    x.narrow(0, 1, 1).imag = -1
    expect(numbers(x)).toEqual([8, 1, 9, -1])
    const own = torch.ones(2)
    own.real = torch.FloatTensor([3, 4])
    expect(own.tolist()).toEqual([3, 4])
  })

  test('that are assigned have a history', () => {
    const x = z().requires_grad_(true)
    const y = x.clone()
    y.real = torch.FloatTensor([9, 9])
    expect(y.grad_fn?.name()).toBe('CopySlices')
    y.abs().sum().backward()
    const slope = (re: number, im: number): number => im / Math.hypot(re, im)
    const found = numbers(x.grad as Tensor)
    ;[0, slope(9, 2), 0, slope(9, 4)].forEach((expected, i) => {
      expect(found[i]).toBeCloseTo(expected, 6)
    })
    const part = torch.tensor([5, 6], { dtype: torch.float32, requires_grad: true })
    const w = z()
    w.imag = part
    w.imag
      .mul(torch.tensor([2, 3]))
      .sum()
      .backward()
    expect(part.grad?.tolist()).toEqual([2, 3])
  })

  test('refuse what PyTorch refuses', () => {
    const x = z()
    const real = (value: unknown) => () => {
      x.real = value as Tensor
    }
    expect(() => {
      torch.ones(2).imag = 1
    }).toThrow('imag is not implemented for tensors with non-complex dtypes.')
    expect(real(torch.ones(3))).toThrow(
      'The size of tensor a (2) must match the size of tensor b (3) at non-singleton dimension 0',
    )
    expect(real(torch.ones(2, 1))).toThrow("output with shape [2] doesn't match the broadcast shape [2, 2]")
    expect(real('a')).toThrow("can't assign a str to a torch.FloatTensor")
    expect(real(null)).toThrow("can't assign a NoneType to a torch.FloatTensor")
    expect(real(torch.complex_scalar(0, 1))).toThrow(
      'value cannot be converted to type float without overflow',
    )
    expect(numbers(x)).toEqual([1, 2, 3, 4])
    const leaf = z().requires_grad_(true)
    expect(() => {
      leaf.real = 1
    }).toThrow('a view of a leaf Variable that requires grad is being used in an in-place operation.')
    expect(() => Object.assign(x, { T: x })).toThrow(TypeError)
  })
})
