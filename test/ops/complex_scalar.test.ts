// Specification of complex numbers as plain values: what tensors of them give, where they stand for a number, the dtypes
// they promote to, and PyTorch 1.13.1's errors where they do not fit.
import { describe, expect, test } from 'vitest'
import type { Tensor } from '../../src/index.ts'
import * as torch from '../../src/index.ts'

const c = torch.complex_scalar
const z = (): Tensor => torch.tensor([c(1, 2), c(3, -1)])
const x = (): Tensor => torch.tensor([1, 2], { dtype: torch.float32 })
const text = (t: Tensor): string => String(t)

describe('a complex number', () => {
  test('is printed as Python prints it', () => {
    expect(String(c(1, 2))).toBe('(1+2j)')
    expect(String(c(0, -1.5))).toBe('-1.5j')
    expect(String(c(2))).toBe('(2+0j)')
    expect(() => +c(1, 2)).toThrow(new TypeError("can't convert complex to float"))
  })

  test('is what item() and tolist() of complex tensors give', () => {
    expect(String(torch.tensor(c(1, 2)).item())).toBe('(1+2j)')
    expect(String(z().t().select(0, 1).item())).toBe('(3-1j)')
    expect(String(z().tolist())).toBe('(1+2j),(3-1j)')
    expect(() => +torch.tensor(c(1, 2))).toThrow('value cannot be converted to type double without overflow')
    expect(+torch.tensor(c(1, 0))).toBe(1)
    expect(torch.is_nonzero(torch.tensor(c(0, 1)))).toBe(true)
  })

  test('makes tensors complex', () => {
    expect(text(torch.tensor([c(0, 1), 1.5]))).toBe('tensor([0.0000+1.j, 1.5000+0.j])')
    expect(torch.tensor(c(1, 2), { dtype: torch.complex128 }).dtype).toBe(torch.complex128)
    expect(() => torch.tensor([c(0, 1)], { dtype: torch.float32 })).toThrow(
      new TypeError('must be real number, not complex'),
    )
    expect(text(torch.full([2], c(0, 1)))).toBe('tensor([0.+1.j, 0.+1.j])')
    expect(text(torch.full_like(z(), c(0, 1)))).toBe('tensor([0.+1.j, 0.+1.j])')
    expect(text(z().new_full([2], c(0, 1)))).toBe('tensor([0.+1.j, 0.+1.j])')
    expect(text(z().fill_(c(0, 1)))).toBe('tensor([0.+1.j, 0.+1.j])')
    expect(text(z().t().repeat(2, 1).t().fill_(c(0, 1)).select(0, 0))).toBe('tensor([0.+1.j, 0.+1.j])')
    expect(text(torch.scalar_tensor(c(0, 1), { dtype: torch.complex64 }))).toBe('tensor(0.+1.j)')
  })
})

describe('where numbers stand for tensors', () => {
  test('it promotes as a number of the complex category', () => {
    expect(text(x().mul(c(0, 1)))).toBe('tensor([0.+1.j, 0.+2.j])')
    expect(x().double().mul(c(0, 1)).dtype).toBe(torch.complex128)
    expect(torch.tensor([1, 2]).mul(c(0, 1)).dtype).toBe(torch.complex64)
    expect(torch.tensor(2, { dtype: torch.float64 }).mul(c(0, 1)).dtype).toBe(torch.complex128)
    expect(torch.result_type(x(), c(0, 1))).toBe(torch.complex64)
    expect(() => x().mul_(c(0, 1))).toThrow(
      "result type ComplexFloat can't be cast to the desired output type Float",
    )
  })

  test('it is an operand', () => {
    expect(text(z().eq(c(1, 2)))).toBe('tensor([ True, False])')
    expect(text(x().pow(c(0, 1)))).toBe('tensor([1.0000+0.0000j, 0.7692+0.6390j])')
    expect(text(z().add(z(), { alpha: c(0, 1) }))).toBe('tensor([-1.+3.j,  4.+2.j])')
    expect(text(torch.where(x().gt(1), x(), c(0, 1)))).toBe('tensor([0.+1.j, 2.+0.j])')
    expect(text(torch.where(x().gt(1), c(0, 1), x()))).toBe('tensor([1.+0.j, 0.+1.j])')
    expect(text(torch.where(x().gt(1), c(0, 1), 2))).toBe('tensor([2.+0.j, 0.+1.j])')
    expect(text(z().masked_fill(torch.tensor([true, false]), c(0, 1)))).toBe('tensor([0.+1.j, 3.-1.j])')
    expect(text(z().index_fill(0, torch.tensor([0]), c(0, 1)))).toBe('tensor([0.+1.j, 3.-1.j])')
    expect(text(z().index_add(0, torch.tensor([0]), z().narrow(0, 0, 1), { alpha: c(0, 2) }))).toBe(
      'tensor([-3.+4.j,  3.-1.j])',
    )
    expect(text(torch.scatter(z(), 0, torch.tensor([0]), c(0, 1)))).toBe('tensor([0.+1.j, 3.-1.j])')
    expect(text(z().index_put_(['1:'], c(0, 1)))).toBe('tensor([1.+2.j, 0.+1.j])')
    expect(() => x().lt(c(0, 1))).toThrow(`"lt_cpu" not implemented for 'ComplexFloat'`)
  })

  test('it scales products, and their gradients by its conjugate', () => {
    const [m, a, b] = [0, 1, 2].map(i => torch.full([2, 2], c(i, 1)).requires_grad_()) as [
      Tensor,
      Tensor,
      Tensor,
    ]
    const out = torch.addmm(m, a, b, { beta: c(0, 1), alpha: c(1, 1) })
    expect(text(out.detach().select(0, 0))).toBe('tensor([-5.+8.j, -5.+8.j])')
    out.real.sum().backward()
    expect(text(m.grad!.select(0, 0))).toBe('tensor([0.-1.j, 0.-1.j])')
    expect(text(a.grad!.select(0, 0))).toBe('tensor([2.-6.j, 2.-6.j])')
    expect(text(b.grad!.select(0, 0))).toBe('tensor([0.-4.j, 0.-4.j])')
  })

  test('has a gradient through it', () => {
    const w = x().requires_grad_()
    w.mul(c(2, 3)).imag.sum().backward()
    expect(text(w.grad!)).toBe('tensor([3., 3.])')
  })

  test('ranges run along a line in the plane', () => {
    expect(text(torch.linspace(0, c(0, 1), 3))).toBe('tensor([0.+0.0000j, 0.+0.5000j, 0.+1.0000j])')
    expect(text(torch.logspace(0, c(0, 1), 3))).toBe(
      'tensor([ 1.0000+0.0000j,  0.4073+0.9133j, -0.6682+0.7440j])',
    )
    expect(() => torch.linspace(0, c(0, 1), 3, { dtype: torch.float32 })).toThrow("can't be safely cast")
  })

  test.each<[string, () => unknown]>([
    [
      'For non-complex input tensors, argument alpha must not be a complex number.',
      () => x().add(x(), { alpha: c(0, 1) }),
    ],
    ['value cannot be converted to type float without overflow', () => x().fill_(c(0, 1))],
    ['value cannot be converted to type float without overflow', () => torch.full_like(x(), c(0, 1))],
    ['value cannot be converted to type float without overflow', () => x().masked_fill(x().gt(1), c(0, 1))],
    [
      'value cannot be converted to type int without overflow',
      () => torch.full([2], c(0, 1), { dtype: torch.int32 }),
    ],
    [
      'index_fill_(): Converting complex Scalar to non-complex type is not supported',
      () => x().index_fill(0, torch.tensor([0]), c(0, 1)),
    ],
    [
      'value cannot be converted to type float without overflow',
      () => torch.addmm(torch.ones(2, 2), torch.ones(2, 2), torch.ones(2, 2), { alpha: c(0, 1) }),
    ],
    ['must be float, not complex', () => torch.nn.functional.dropout(x(), { p: c(0, 1) as never })],
  ])('refuses: %s', (message, call) => {
    expect(call).toThrow(message)
  })
})
