// Every divergence that PyTorch registers, with its gradients, and how the pair of classes is looked up.
import { describe, expect, it } from 'vitest'
import { registered_pairs } from '../../src/distributions/kl/registry.ts'
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

type Distribution = torch.distributions.Distribution
type Case = { pair?: [string, string]; p: Spec; q: Spec; kl: Recorded; grad?: (Data | null)[] | Failure }
const cases = load<Case>('kl')
const { kl_divergence, register_kl, Normal, Gamma, LogNormal } = torch.distributions
const name = (spec: Spec): string => (spec as { make: string }).make

describe('kl_divergence', () => {
  it.each(cases.map((c, i) => [`${i}: ${name(c.p)}, ${name(c.q)}`, c] as const))('%s', (_, c) => {
    const got = attempt(() => kl_divergence(build(c.p) as Distribution, build(c.q) as Distribution))
    expect(mismatch(got, c.kl)).toBeUndefined()
    const grad = attempt(() =>
      gradients_of([c.p, c.q], ([p, q]: [Distribution, Distribution]) => kl_divergence(p, q)),
    )
    expect(mismatches(grad, c.grad)).toBeUndefined()
  })

  it('knows the pairs that PyTorch knows', () => {
    const recorded = new Set(cases.flatMap(c => (c.pair === undefined ? [] : [c.pair.join(', ')])))
    expect(
      registered_pairs()
        .map(pair => pair.join(', '))
        .sort(),
    ).toEqual([...recorded].sort())
  })

  it('takes the most derived pair, and warns where there are two', () => {
    class A extends Normal {}
    class B extends A {}
    const [a, b] = [new A(0, 1), new B(0, 1)]
    const constant = (x: number) => () => torch.tensor(x)
    register_kl(A, Normal)(constant(1))
    register_kl(Normal, A)(constant(2))
    expect(kl_divergence(b, new Normal(0, 1)).item()).toBe(1)
    expect(kl_divergence(new Normal(0, 1), b).item()).toBe(2)
    expect(kl_divergence(a, a).item()).toBe(1) // and a warning
    register_kl(A, A)(constant(3))
    expect(kl_divergence(b, a).item()).toBe(3)
    register_kl(B, B)(constant(4))
    expect(kl_divergence(b, b).item()).toBe(4)
    expect(kl_divergence(new Normal(0, 1), new Normal(0, 1)).item()).toBe(0)
  })

  it('registers only distributions', () => {
    expect(() => register_kl(Date as never, Normal)).toThrow(TypeError)
    expect(() => register_kl(Normal, 3 as never)).toThrow('Expected type_q to be a Distribution subclass')
  })

  it('is not known for exponential families of different kinds', () => {
    expect(() => kl_divergence(new Normal(0, 1), new torch.distributions.Dirichlet(torch.ones([2])))).toThrow(
      'different exponential families',
    )
    expect(kl_divergence(new LogNormal(0, 1), new LogNormal(0, 1)).item()).toBe(0)
    expect(kl_divergence(new Gamma(1, 1), new Gamma(1, 1)).item()).toBe(0)
  })
})
