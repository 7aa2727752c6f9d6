// torch.func's derivatives and vmap: PyTorch's values, nested as one likes, and what they leave alone.
import { describe, expect, test } from 'vitest'
import * as torch from '../../src/index.ts'
import type { Tensor } from '../../src/torch.ts'
import { matches, v } from './values.ts'

const { grad, grad_and_value, vjp, jvp, linearize, jacrev, jacfwd, hessian, vmap } = torch.func
const { nn } = torch
const F = nn.functional

const [x, y, w, s] = [v([2, 3]), v([2, 3], 1), v([3], 2), v([3], 3)] as const

const cases: Record<string, () => unknown> = {
  grad: () => grad((x: Tensor) => x.sin().mul(x).sum())(x),
  'grad of grad': () => grad(grad((x: Tensor) => x.sin().mul(x.exp())))(v([], 1)),
  'grad argnums': () => grad((a: Tensor, b: Tensor) => a.mul(b.exp()).sum(), [1, 0])(x, y),
  'grad dict': () =>
    grad((p: { a: Tensor; b: [Tensor, Tensor] }) => p.a.mul(p.b[0]).sum().add(p.b[1].sin().sum()))({
      a: x,
      b: [y, w],
    }),
  'grad has_aux': () =>
    grad((x: Tensor) => [x.mul(x).sum(), { twice: x.mul(2) }] as const, { has_aux: true })(x),
  grad_and_value: () => grad_and_value((x: Tensor) => x.mul(x).sum())(x),
  vjp: () => {
    const [out, pull] = vjp((x: Tensor) => x.sin().mul(x), x)
    return [out, pull(y)]
  },
  'vjp tree': () => {
    const [out, pull] = vjp((a: Tensor, b: Tensor) => ({ p: a.mul(b), q: b.exp() }), x, w)
    return [out, pull({ p: y, q: w })]
  },
  jvp: () => jvp((a: Tensor, b: Tensor) => a.mul(b).sin(), [x, w], [y, s]),
  'jvp of jvp': () =>
    jvp((x: Tensor) => jvp((x: Tensor) => x.sin().mul(x.exp()), [x], [y])[1], [x], [v([2, 3], 2)]),
  'jvp has_aux': () => jvp((x: Tensor) => [x.sin(), x.cos()] as const, [x], [y], { has_aux: true }),
  jacrev: () => jacrev((x: Tensor) => x.sin().cumsum(0))(w),
  jacfwd: () => jacfwd((x: Tensor) => x.sin().cumsum(0))(w),
  'jacrev argnums': () => jacrev((a: Tensor, b: Tensor) => [a.matmul(b), a.sum()], [0, 1])(x, w),
  'jacfwd argnums': () => jacfwd((a: Tensor, b: Tensor) => [a.matmul(b), a.sum()], [0, 1])(x, w),
  hessian: () => hessian((x: Tensor) => x.sin().prod().add(x.exp().sum()))(w),
  'jacrev of jacfwd': () => jacrev(jacfwd((x: Tensor) => x.sin().prod().mul(x)))(w),
  perturbation: () => grad((x: Tensor) => x.mul(grad((y: Tensor) => x.add(y))(torch.ones_like(x))))(v([], 1)),

  vmap: () => vmap((a: Tensor, b: Tensor) => a.mul(b).add(a.sum()))(x, y),
  'vmap dims': () => vmap((a: Tensor, b: Tensor) => a.cumsum(0).mul(b), [1, null], 1)(x, v([2])),
  'vmap tree': () =>
    vmap((p: { a: Tensor; b: Tensor }) => ({ s: p.a.sum(), m: p.a.mul(p.b) }), {
      in_dims: [{ a: 0, b: null }],
    })({ a: x, b: w }),
  'vmap of vmap': () =>
    vmap(
      vmap((a: Tensor, b: Tensor) => a.dot(b), [null, 0]),
      [0, null],
    )(x, y),
  'vmap of grad': () =>
    vmap(
      grad((w: Tensor, x: Tensor) => w.mul(x).sin().sum()),
      [null, 0],
    )(w, x),
  'grad of vmap': () =>
    grad((x: Tensor) =>
      vmap((r: Tensor) => r.mul(r).sum().mul(r))(x)
        .sin()
        .sum(),
    )(x),
  'grad of vmap of grad': () =>
    grad((w: Tensor) =>
      vmap(grad((x: Tensor) => w.mul(x).sin().sum()))(x)
        .pow(2)
        .sum(),
    )(w),
  'vmap of hessian': () => vmap(hessian((x: Tensor) => x.sin().prod()))(x),
  'vmap of jvp': () => vmap((t: Tensor) => jvp((x: Tensor) => x.sin().mul(x), [w], [t])[1])(x),
  'vmap of jacrev of vmap': () => vmap(jacrev(vmap((r: Tensor) => r.sin().mul(r.sum()))))(v([2, 2, 3])),
}

describe('transforms give PyTorch’s values', () => {
  for (const [name, run] of Object.entries(cases)) test(name, () => matches(name, run()))
})

describe('what transforms leave alone', () => {
  test('a captured tensor is a constant to them, and differentiable outside', () => {
    const outer = v([3], 1).requires_grad_()
    const inner = grad((x: Tensor) => x.mul(outer).pow(3).sum())(w)
    expect(inner.requires_grad).toBe(true)
    inner.sum().backward()
    const wanted = torch.autograd.grad(outer.pow(3).mul(w.pow(2)).mul(3).sum(), outer)[0] as Tensor
    expect(torch.allclose(outer.grad as Tensor, wanted)).toBe(true)
  })

  test('results have no history where nobody outside records', () => {
    const [gradient, [value, aux]] = grad_and_value((x: Tensor) => [x.sin().sum(), x.mul(2)] as const, {
      has_aux: true,
    })(x) as unknown as [Tensor, [Tensor, Tensor]]
    for (const t of [gradient, value, aux]) expect(t.requires_grad).toBe(false)
    expect(x.requires_grad).toBe(false)
    expect(x.grad).toBeNull()
  })

  test('inputs that require grad keep theirs, and results can be differentiated by them', () => {
    const leaf = x.clone().requires_grad_()
    const gradient = grad((x: Tensor) => x.pow(3).sum())(leaf)
    expect(leaf.grad).toBeNull()
    gradient.sum().backward()
    expect(torch.allclose(leaf.grad as Tensor, x.mul(6))).toBe(true)
  })

  test('no_grad inside of the function holds, around it results are constants', () => {
    const inside = grad((x: Tensor) =>
      torch
        .no_grad(() => x.sin())
        .mul(x)
        .sum(),
    )(w)
    expect(torch.allclose(inside, w.sin())).toBe(true)
    const leaf = w.clone().requires_grad_()
    const around = torch.no_grad(() => grad((x: Tensor) => x.pow(2).sum())(leaf))
    expect(torch.allclose(around, w.mul(2))).toBe(true)
    expect(around.requires_grad).toBe(false)
  })

  test('in-place writes inside of the function', () => {
    const f = (x: Tensor): Tensor => {
      const z = x.mul(2)
      z.select(0, 0).mul_(x.select(0, 1))
      z.add_(1)
      return z.pow(2).sum()
    }
    const g = vmap(grad(f))(x)
    const rows = [0, 1].map(i => grad(f)(x.select(0, i)))
    expect(torch.allclose(g, torch.stack(rows))).toBe(true)
  })

  test('writes into an argument of a mapped function go through', () => {
    const t = x.clone()
    vmap((r: Tensor) => r.mul_(2))(t)
    expect(torch.equal(t, x.mul(2))).toBe(true)
  })
})

test('linearize computes the function once', () => {
  let calls = 0
  const [out, push] = linearize((x: Tensor) => {
    calls++
    return x.sin().mul(x)
  }, x)
  const [wanted_out, wanted] = jvp((x: Tensor) => x.sin().mul(x), [x], [y])
  expect(torch.allclose(out, wanted_out)).toBe(true)
  expect(torch.allclose(push(y), wanted)).toBe(true)
  expect(torch.allclose(push(y.mul(2)), wanted.mul(2))).toBe(true)
  expect(calls).toBe(1)
})

test('jacobians in chunks', () => {
  const f = (x: Tensor): Tensor => x.sin().outer(x).sum(0)
  const wanted = jacrev(f)(w)
  for (const chunk_size of [1, 2, 3, 5]) {
    expect(torch.allclose(jacrev(f, { chunk_size })(w), wanted)).toBe(true)
    expect(torch.allclose(jacfwd(f, { chunk_size })(w), wanted)).toBe(true)
  }
})

describe('what people do with them', () => {
  const params = {
    c: v([2, 1, 3, 3], 4),
    cb: v([2], 5),
    n: v([2], 6),
    nb: v([2], 7),
    l: v([4, 8], 8),
    lb: v([4], 9),
  }
  const images = v([5, 1, 6, 6], 10)
  const labels = torch.tensor([0, 3, 1, 2, 3])

  function net(p: typeof params, image: Tensor, label: Tensor): Tensor {
    const conv = F.conv2d(image.unsqueeze(0), p.c, p.cb)
    const hidden = F.max_pool2d(F.group_norm(conv, 1, p.n, p.nb).relu(), 2).flatten(1)
    return F.cross_entropy(F.linear(hidden, p.l, p.lb), label.unsqueeze(0))
  }

  test('per-sample gradients of a small convolutional network', () => {
    matches('per-sample gradients', vmap(grad(net), [null, 0, 0])(params, images, labels))
    matches(
      'per-sample gradients',
      vmap(grad(net), [null, 0, 0], 0, 'error', { chunk_size: 2 })(params, images, labels),
    )
  })

  test('meta-learning: the gradient through a step of gradient descent', () => {
    const maml = (w: Tensor): Tensor => {
      const task = (x: Tensor, y: Tensor): Tensor => {
        const loss = (w: Tensor): Tensor => x.matmul(w).sub(y).pow(2).mean()
        return loss(w.sub(grad(loss)(w).mul(0.1)))
      }
      return vmap(task)(v([4, 5, 3]), v([4, 5], 1)).mean()
    }
    matches('maml', [maml(w), grad(maml)(w)])
  })

  test('an ensemble: stack_module_state, functional_call and vmap', () => {
    torch.manual_seed(0)
    const models = Array.from(
      { length: 3 },
      () => new nn.Sequential(new nn.Linear(4, 5), new nn.BatchNorm1d(5), new nn.ReLU(), new nn.Linear(5, 2)),
    )
    for (const m of models) m.eval()
    const [stacked, buffers] = torch.func.stack_module_state(models)
    expect([...stacked['0.weight']!.shape]).toEqual([3, 5, 4])
    expect(stacked['0.weight']!.is_leaf && stacked['0.weight']!.requires_grad).toBe(true)
    const base = models[0]!
    const inputs = torch.randn(6, 4)
    const call = (p: typeof stacked, b: typeof buffers, x: Tensor): Tensor =>
      torch.func.functional_call(base, [p, b], [x])
    const out = vmap(call, [0, 0, null])(stacked, buffers, inputs)
    const wanted = torch.stack(models.map(m => m(inputs)))
    expect(torch.allclose(out, wanted, { atol: 1e-6 })).toBe(true)
    out.pow(2).sum().backward()
    wanted.pow(2).sum().backward()
    for (const [name, t] of Object.entries(stacked)) {
      const each = torch.stack(models.map(m => m.get_parameter(name).grad as Tensor))
      expect(torch.allclose(t.grad as Tensor, each, { rtol: 1e-4, atol: 1e-5 }), name).toBe(true)
    }
  })
})
