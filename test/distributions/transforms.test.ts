// Transforms, their inverses and jacobians against PyTorch, and their caches.
import { describe, expect, it } from 'vitest'
import * as torch from '../../src/index.ts'
import type { Data } from '../nn/values.ts'
import {
  attempt,
  build,
  type Failure,
  gradients_of,
  load,
  mismatch,
  mismatches,
  type Recorded,
  type Spec,
} from './cases.ts'

type Transform = torch.distributions.Transform
type Case = { of: Spec; x: Spec } & Record<string, Recorded>
type Gradients = (Data | null)[] | Failure
const all = load<Case>('transforms')
const { distributions } = torch
const { AffineTransform, ComposeTransform, ExpTransform, IndependentTransform, PowerTransform } =
  distributions

describe('transforms', () => {
  it.each(all.filter(c => 'x' in c).map((c, i) => [`${i}: ${JSON.stringify(c.of)}`, c] as const))(
    '%s',
    (_, c) => {
      const t = build(c.of) as Transform
      const x = build(c.x) as torch.Tensor
      expect(String(t)).toBe(c['repr'])
      const got: Record<string, () => unknown> = {
        y: () => t(x),
        bijective: () => t.bijective,
        event_dim: () => t.event_dim,
        sign: () => t.sign,
        domain: () => String(t.domain),
        codomain: () => String(t.codomain),
        dims: () => new torch.Size([t.domain.event_dim, t.codomain.event_dim]),
        forward_shape: () => t.forward_shape(x.shape),
        back: () => t.inv(t(x)),
        log_det: () => t.log_abs_det_jacobian(x, t(x)),
        inverse_shape: () => t.inverse_shape(t(x).shape),
        inverse_repr: () => String(t.inv),
      }
      const wrong = Object.entries(got).flatMap(([name, f]) => {
        const difference = c[name] === null ? undefined : mismatch(attempt(f), c[name])
        return difference === undefined ? [] : [`${name}: ${difference}`]
      })
      expect(wrong).toEqual([])
      expect(
        mismatches(
          attempt(() => gradients_of(c.x, t)),
          c['grad'] as unknown as Gradients,
        ),
      ).toBeUndefined()
      expect(
        mismatches(
          attempt(() => gradients_of(c.x, (x: torch.Tensor) => t.log_abs_det_jacobian(x, t(x)))),
          c['grad_log_det'] as unknown as Gradients,
        ),
      ).toBeUndefined()
      expect(t.inv.inv).toBe(t)
      expect(String(t.with_cache().with_cache(0))).toBe(String(t))
    },
  )

  it.each(all.filter(c => 'method' in c).map(c => [JSON.stringify(c), c] as const))('%s', (_, c) => {
    const t = build(c.of) as unknown as Record<string, (shape: unknown) => unknown>
    expect(
      mismatch(
        attempt(() => t[c['method'] as string]!(c['shape'])),
        c['result'],
      ),
    ).toBeUndefined()
  })

  it('have a case each', () => {
    const text = JSON.stringify(all)
    const without = Object.keys(distributions.transforms).filter(
      name => !text.includes(`"${name}"`) && !['Transform', 'identity_transform'].includes(name),
    )
    expect(without).toEqual([])
    expect(Object.keys(distributions.transforms).every(name => name in distributions)).toBe(true)
  })

  it('keep their last pair where they have a cache', () => {
    const x = torch.randn([3])
    for (const t of [
      new ExpTransform({ cache_size: 1 }),
      new PowerTransform(2, { cache_size: 1 }),
      new AffineTransform(0, 2, { cache_size: 1 }),
      new IndependentTransform(new ExpTransform(), 1, 1),
      new ComposeTransform([new ExpTransform(), new AffineTransform(1, 2)], 1),
      new distributions.SigmoidTransform().with_cache(),
      new distributions.StackTransform([new ExpTransform()], 0, 1),
    ]) {
      const of = t instanceof distributions.StackTransform ? x.narrow(0, 0, 1) : x
      const y = t(of)
      const z = torch.rand(of.shape)
      expect([String(t), t.inv(y) === of, t(of) === y, t(t.inv(z)) === z]).toEqual([
        String(t),
        true,
        true,
        true,
      ])
    }
    const without = new ExpTransform()
    expect(without.inv(without(x)) === x).toBe(false)
    expect(new ExpTransform(1).with_cache(1)).toBeInstanceOf(ExpTransform)
  })

  it('are compared by what they do', () => {
    const same = (a: Transform, b: Transform): boolean => a.equals(b)
    expect(same(new ExpTransform(), new ExpTransform())).toBe(true)
    expect(same(new ExpTransform().inv, new ExpTransform().inv)).toBe(true)
    expect(same(new ExpTransform(), new ExpTransform().inv)).toBe(false)
    expect(same(new AffineTransform(0, 1), new AffineTransform(0, 1))).toBe(true)
    expect(same(new AffineTransform(0, 1), new AffineTransform(0, torch.tensor([1, 2])))).toBe(false)
    expect(same(new PowerTransform(2), new PowerTransform(torch.tensor(2)))).toBe(true)
    expect(same(new ComposeTransform([new ExpTransform()]), new ComposeTransform([new ExpTransform()]))).toBe(
      true,
    )
    expect(same(distributions.identity_transform, new ComposeTransform([]))).toBe(true)
    expect(same(new distributions.TanhTransform(), new distributions.SigmoidTransform())).toBe(false)
  })

  it('can be written by users', () => {
    class Cube extends distributions.Transform {
      get domain(): torch.distributions.constraints.Constraint {
        return distributions.constraints.real
      }
      get codomain(): torch.distributions.constraints.Constraint {
        return distributions.constraints.real
      }
      override get bijective(): boolean {
        return true
      }
      override _call(x: torch.Tensor): torch.Tensor {
        return x.pow(3)
      }
      override _inverse(y: torch.Tensor): torch.Tensor {
        return y.sign().mul(y.abs().pow(1 / 3))
      }
      override log_abs_det_jacobian(x: torch.Tensor): torch.Tensor {
        return x.pow(2).mul(3).log()
      }
    }
    const p = new distributions.TransformedDistribution(
      new distributions.Normal(0, 1),
      new Cube({ cache_size: 1 }),
    )
    const y = p.rsample([4])
    expect(p.log_prob(y).shape).toEqual([4])
    expect(String(new Cube().inv)).toBe('_InverseTransform(Cube())')
    expect(new Cube().with_cache()).toBeInstanceOf(Cube)
    expect(() => new Cube(2)).toThrow('cache_size must be 0 or 1')
  })
})
