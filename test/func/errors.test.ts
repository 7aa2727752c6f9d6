// The messages of torch.func and torch.vmap are PyTorch's.
import { describe, expect, test } from 'vitest'
import * as torch from '../../src/index.ts'
import type { Tensor } from '../../src/torch.ts'
import { expected, v } from './values.ts'

const { grad, vjp, jvp, jacrev } = torch.func
const vmap = torch.vmap as unknown as (f: unknown, ...rest: unknown[]) => (...args: unknown[]) => unknown
const F = torch.nn.functional
const x = v([2, 3])
const f32 = x.float()
const double = (x: Tensor): Tensor => x.mul(2)
const any = (f: unknown): never => f as never

const calls: Record<string, () => unknown> = {
  item: () => vmap((x: Tensor) => x.item())(v([3])),
  'control flow': () => vmap((x: Tensor) => (+x > 0 ? 1 : 0))(v([3])),
  random: () => vmap(() => torch.randn(2))(x),
  dropout: () => vmap((x: Tensor) => F.dropout(x))(x),
  'same batched': () => vmap((x: Tensor) => torch.bernoulli(x), { randomness: 'same' })(torch.ones(2, 3)),
  'different in place': () => vmap(() => torch.ones(3).uniform_(), { randomness: 'different' })(x),
  randomness: () => vmap((x: Tensor) => x, { randomness: 'bla' })(x),
  'in_dims structure': () => vmap((x: Tensor) => x, [0, 0])(x),
  'in_dims none': () => vmap((x: Tensor) => x, null)(x),
  'in_dims all none': () => vmap((x: Tensor) => x, [null])(x),
  'in_dims range': () => vmap((x: Tensor) => x, 3)(x),
  'in_dims str': () => vmap((x: Tensor) => x, ['a'])(x),
  sizes: () => vmap((x: Tensor) => x)(x, torch.ones(3)),
  'not a tensor': () => vmap((x: Tensor) => x)(x, 3),
  'no inputs': () => vmap(() => 1)(),
  'returns a number': () => vmap(() => 1)(x),
  'out_dims structure': () => vmap((x: Tensor) => [x, x], 0, [0, 1, 0])(x),
  'out_dims range': () => vmap((x: Tensor) => x, 0, 2)(x),
  'out_dims none': () => vmap((x: Tensor) => x, 0, null)(x),
  'dict in_dims': () => vmap((d: { a: Tensor }) => d.a, [{ b: 0 }])({ a: x }),
  'in place': () => vmap((x: Tensor) => torch.ones(3).copy_(x))(f32),
  out: () => vmap((x: Tensor) => torch.add(x, x, { out: torch.empty(3) }))(f32),
  masked_select: () => vmap((x: Tensor) => torch.masked_select(x, x.gt(0)))(x),
  nonzero: () => vmap((x: Tensor) => torch.nonzero(x))(x),
  requires_grad_: () => vmap((x: Tensor) => x.requires_grad_())(x),
  batch_norm: () =>
    vmap((x: Tensor) => F.batch_norm(x, torch.zeros(3), torch.ones(3), { training: true }))(
      torch.ones(2, 4, 3),
    ),
  'grad of no scalar': () => grad((x: Tensor) => x)(x),
  'grad of a tuple': () => grad(any((x: Tensor) => [x.sum(), x]))(x as never),
  'grad of a number': () => grad(any(() => 3))(x as never),
  'grad aux': () =>
    grad(
      any((x: Tensor) => x.sum()),
      { has_aux: true },
    )(any(x)),
  'grad by a number': () => grad((x: Tensor) => x.sum())(any(3)),
  'argnums range': () => grad((x: Tensor) => x.sum(), 1)(x),
  'argnums empty': () => jacrev((x: Tensor) => x, [])(x),
  'grad by integers': () => grad((x: Tensor) => x.sum())(torch.ones([3], { dtype: torch.int64 })),
  'vjp structure': () => vjp(double, x)[1](any([x, x])),
  'vjp sizes': () => vjp(double, x)[1](torch.ones(5)),
  'vjp of a number': () => vjp((_: Tensor) => 3, x),
  'jvp no tuple': () => jvp(double, any(x), any(x)),
  'jvp sizes': () => jvp(double, [x], [torch.ones([1], { dtype: torch.float64 })]),
  'jvp structure': () => jvp(double, [x], any([x, x])),
  'jvp tangent': () => jvp(double, [x], any([3])),
  'jvp of a number': () => jvp((_: Tensor) => 3, [x], [x]),
}

describe('wrong calls throw as PyTorch does', () => {
  for (const [name, run] of Object.entries(calls))
    test(name, () => {
      const wanted = expected.errors[name]!
      let thrown: Error | undefined
      try {
        run()
      } catch (error) {
        thrown = error as Error
      }
      expect(thrown, 'nothing was thrown').toBeDefined()
      expect(thrown!.message).toBe(wanted.message)
      expect(thrown!.constructor.name).toBe(wanted.type)
    })
  test('every recorded message is asked for', () => {
    expect(Object.keys(calls).sort()).toEqual(Object.keys(expected.errors).sort())
  })
})
