// torch.autograd's forward_ad and functional, and custom functions in mapped ones.
import { describe, expect, test } from 'vitest'
import * as torch from '../../src/index.ts'
import type { Tensor } from '../../src/torch.ts'
import { v } from './values.ts'

const { forward_ad, functional } = torch.autograd
const close = (a: Tensor, b: Tensor): void => {
  expect([...a.shape]).toEqual([...b.shape])
  expect(torch.allclose(a, b), `${a} is not ${b}`).toBe(true)
}

describe('forward_ad', () => {
  test('tangents of results are derivatives in the direction of the inputs’', () => {
    const [x, t] = [v([3], 1), v([3], 2)]
    forward_ad.dual_level(() => {
      const dual = forward_ad.make_dual(x, t)
      const y = dual.exp().mul(dual)
      const { primal, tangent } = forward_ad.unpack_dual(y)
      close(primal, x.exp().mul(x))
      close(tangent as Tensor, x.exp().mul(x.add(1)).mul(t))
      expect(forward_ad.unpack_dual(dual).tangent).toBe(t)
    })
  })

  test('several duals add up; what depends on none has no tangent', () => {
    using _ = forward_ad.dual_level()
    const [a, b] = [v([3], 1), v([3], 2)]
    const x = forward_ad.make_dual(a, torch.ones_like(a))
    const y = forward_ad.make_dual(b, torch.ones_like(b))
    close(forward_ad.unpack_dual(x.mul(y)).tangent as Tensor, a.add(b))
    expect(forward_ad.unpack_dual(a.mul(2)).tangent).toBeNull()
  })

  test('throws as PyTorch does', () => {
    const x = torch.ones(2)
    expect(() => forward_ad.make_dual(x, x)).toThrow(
      'Trying to create a dual Tensor for forward AD but no level exists, make sure to enter_dual_level() first.',
    )
    forward_ad.dual_level(() => {
      expect(() => forward_ad.enter_dual_level()).toThrow(
        'Nested forward mode AD is not supported at the moment',
      )
      expect(() => forward_ad.make_dual(x.int(), x)).toThrow(
        'Expected primal to be floating point or complex, but got: torch.int32',
      )
      expect(() => forward_ad.make_dual(x, torch.ones(3))).toThrow(
        'Trying to set a forward gradient that has a different size than that of the original Tensor, this is not ' +
          'supported. Tensor is of size [2] while the given forward gradient is of size [3].',
      )
    })
    expect(() => forward_ad.exit_dual_level()).toThrow('Dual level must be a positive number.')
  })
})

describe('functional', () => {
  const f = (x: Tensor): Tensor => x.sin().outer(x).sum(0)
  const x = v([3], 1)
  const plain = functional.jacobian(f, x) as Tensor

  test('vectorized Jacobians and Hessians, both ways', () => {
    close(functional.jacobian(f, x, { vectorize: true }) as Tensor, plain)
    close(functional.jacobian(f, x, { vectorize: true, strategy: 'forward-mode' }) as Tensor, plain)
    const g = (x: Tensor): Tensor => x.sin().prod()
    const wanted = functional.hessian(g, x) as Tensor
    close(functional.hessian(g, x, { vectorize: true }) as Tensor, wanted)
    close(
      functional.hessian(g, x, { vectorize: true, outer_jacobian_strategy: 'forward-mode' }) as Tensor,
      wanted,
    )
  })

  test('recorded, they can be differentiated', () => {
    const leaf = x.clone().requires_grad_()
    const options = { vectorize: true, create_graph: true }
    const [by_map] = torch.autograd.grad((functional.jacobian(f, leaf, options) as Tensor).pow(2).sum(), leaf)
    const loop = functional.jacobian(f, leaf, { create_graph: true }) as Tensor
    const [by_loop] = torch.autograd.grad(loop.pow(2).sum(), leaf)
    close(by_map as Tensor, by_loop as Tensor)
  })

  test('options that exclude each other', () => {
    expect(() => functional.jacobian(f, x, { strict: true, vectorize: true })).toThrow(
      'torch.autograd.functional.jacobian: `strict=True` and `vectorized=True` are not supported together. Please either ' +
        'set `strict=False` or `vectorize=False`.',
    )
    expect(() => functional.jacobian(f, x, { strategy: 'forward-mode' })).toThrow('only implemented for')
  })
})

test('a custom function in a mapped one is applied sample by sample, gradients included', () => {
  class Cube extends torch.autograd.Function {
    static override forward(ctx: torch.autograd.FunctionCtx, x: Tensor): Tensor {
      ctx.save_for_backward(x)
      return x.pow(3)
    }
    static override backward(ctx: torch.autograd.FunctionCtx, g: Tensor): Tensor {
      return ctx.saved_tensors[0]!.pow(2).mul(3).mul(g)
    }
  }
  const x = v([2, 3]).requires_grad_()
  const y = torch.vmap((x: Tensor) => Cube.apply(x) as Tensor)(x)
  close(y, x.pow(3))
  y.sum().backward()
  close(x.grad as Tensor, x.detach().pow(2).mul(3))
  const each = torch.vmap(torch.func.grad((x: Tensor) => (Cube.apply(x) as Tensor).sum()))(x.detach())
  close(each, x.detach().pow(2).mul(3))
})
