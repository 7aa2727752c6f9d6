// The names of the nodes that ops record, as PyTorch 1.13 has them; and what ops say that have no derivative.
// Not here: the graph itself (test/autograd).
import { describe, expect, test } from 'vitest'
import * as torch from '../../src/index.ts'
import type { Tensor } from '../../src/tensor/tensor.ts'

const x = (): Tensor => torch.tensor([0.25, 0.5, 0.75], { requires_grad: true })
const name = (t: Tensor): string | undefined => t.grad_fn?.name()
const above = (): Tensor => x().gt(0.5)

const names: Readonly<Record<string, Readonly<Record<string, () => Tensor>>>> = {
  Add: { '0': () => x().add(1) },
  Sub: { '0': () => torch.sub(1, x()) },
  Rsub: { '0': () => torch.rsub(x(), x()), '1': () => torch.rsub(x(), 1) },
  Mul: { '0': () => torch.mul(2, x()) },
  Div: {
    '0': () => x().div(2),
    '2': () => x().div(x(), { rounding_mode: 'floor' }),
  },
  Remainder: { '0': () => x().remainder(2), '1': () => x().remainder(x()) },
  Fmod: { '0': () => x().fmod(2), '1': () => x().fmod(x()) },
  Pow: {
    '0': () => x().pow(2),
    '1': () => x().pow(x()),
    '2': () => torch.pow(2, x()),
  },
  Addcmul: { '0': () => x().addcmul(x(), x()) },
  Addcdiv: { '0': () => x().addcdiv(x(), x()) },
  Lerp: { '0': () => x().lerp(x(), 0.5), '1': () => x().lerp(x(), x()) },
  Clamp: { '0': () => x().clamp(x(), x()), '1': () => x().clamp({ min: 0 }) },
  ClampMin: { '0': () => x().clamp_min(0), '1': () => x().clamp_min(x()) },
  ClampMax: { '0': () => x().clamp_max(0), '1': () => x().clamp_max(x()) },
  Trunc: { '0': () => x().fix() },
  Round: { '0': () => x().round(), '1': () => x().round({ decimals: 2 }) },
  NanToNum: { '0': () => x().nan_to_num() },
  Deg2Rad: { '0': () => x().deg2rad() },
  Exp2: { '0': () => x().exp2() },
  Log1P: { '0': () => x().log1p() },
  Acos: { '0': () => x().arccos() },
  Atan2: { '0': () => x().atan2(x()) },
  Xlogy: { '0': () => x().xlogy(x()), '1': () => torch.xlogy(2, x()), '2': () => x().xlogy(2) },
  SpecialXlog1Py: { '0': () => torch.special.xlog1py(x(), x()) },
  SpecialI0E: { '0': () => torch.special.i0e(x()) },
  SpecialErfcx: { '0': () => torch.special.erfcx(x()) },
  Logaddexp2: { '0': () => x().logaddexp2(x()) },
  Copysign: { '0': () => x().copysign(x()), '1': () => x().copysign(2) },
  Maximum: { '0': () => x().max(x()) },
  Where: { '0': () => torch.where(above(), x(), 2) },
  Sum: { '0': () => x().sum(), '1': () => x().sum(0) },
  Mean: { '0': () => x().mean(), '1': () => x().mean(0) },
  Prod: { '0': () => x().prod(), '1': () => x().prod(0) },
  Max: { '0': () => x().max(0).values, '1': () => x().max() },
  Min: { '0': () => x().min(0).values, '1': () => x().min() },
  Amax: { '0': () => x().amax() },
  Nansum: { '0': () => x().nansum() },
  Norm: { '1': () => x().norm() },
  Var: { '0': () => x().var() },
  StdMean: { '0': () => torch.std_mean(x())[1]! },
  Logsumexp: { '0': () => x().logsumexp(0) },
  Dist: { '0': () => torch.dist(x(), x()) },
  Cumsum: { '0': () => x().cumsum(0) },
  Cummax: { '0': () => x().cummax(0).values },
  Polygamma: { '0': () => torch.polygamma(2, x()) },
  Mvlgamma: { '0': () => x().add(5).mvlgamma(2) },
}

describe('the node', () => {
  for (const [family, calls] of Object.entries(names))
    for (const [number, call] of Object.entries(calls)) {
      const expected = `${family}Backward${number}`
      test(expected, () => {
        expect(name(call())).toBe(expected)
      })
    }

  test('of an in-place form is that of the op', () => {
    const y = x().mul(1)
    y.pow_(3)
    expect(name(y)).toBe('PowBackward0')
  })

  test('of an op without derivative throws when the gradient reaches it', () => {
    const y = x().floor_divide(0.1)
    expect(name(y)).toBe('torch::autograd::NotImplemented')
    expect(y.requires_grad).toBe(true)
    expect(() => y.sum().backward()).toThrow(
      new torch.RuntimeError('derivative for aten::floor_divide is not implemented'),
    )
  })

  test('is none for comparisons and positions', () => {
    expect(x().lt(1).grad_fn).toBeNull()
    expect(x().argmax().grad_fn).toBeNull()
    expect(x().max(0).indices.grad_fn).toBeNull()
  })
})
