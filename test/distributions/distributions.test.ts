// Every distribution against PyTorch 1.13.1: moments, entropy, densities, samples under a seed, what they look like, and
// gradients. test/data/distributions/make.py says how the values were made.
import { describe, expect, it } from 'vitest'
import * as torch from '../../src/index.ts'
import type { Data } from '../nn/values.ts'
import {
  attempt,
  build,
  type Failure,
  gradients,
  gradients_of,
  load,
  mismatch,
  mismatches,
  type Recorded,
  type Spec,
  seeded,
} from './cases.ts'

type Distribution = torch.distributions.Distribution
type Gradients = (Data | null)[] | Failure
type Case = { of: Spec; repr: string } & Record<string, Recorded>
const cases = load<Case>('distributions')

/** Where PyTorch has a bug that we do not: what is recorded is an error. */
const mended: Readonly<Record<string, readonly string[]>> = {
  // expand forgets what entropy needs
  Multinomial: ['expanded_entropy'],
  // drawing anew writes over a mask that backward needs
  Wishart: ['grad_rsample'],
}

const plain = [
  'batch_shape',
  'event_shape',
  'has_rsample',
  'has_enumerate_support',
  'mean',
  'mode',
  'variance',
  'stddev',
]

function results(p: Distribution, spec: Spec): Record<string, () => unknown> {
  const get = (name: string) => () => (p as unknown as Record<string, unknown>)[name]
  const x = (): torch.Tensor => seeded(() => p.sample([3]))
  const wide = [2, ...p.batch_shape]
  const u = (): torch.Tensor => {
    const dtype = p.sample().dtype
    const steps = torch.tensor([0.125, 0.5, 0.875], dtype.is_floating_point ? { dtype } : {})
    return steps.reshape([3, ...p.batch_shape.map(() => 1)])
  }
  const remade = (): Distribution => build(spec) as Distribution
  return {
    ...Object.fromEntries(plain.map(name => [name, get(name)])),
    entropy: () => p.entropy(),
    perplexity: () => p.perplexity(),
    enumerate_support: () => p.enumerate_support(),
    column: () => p.enumerate_support({ expand: false }),
    support: () => String(p.support),
    sample: x,
    sample_one: () => seeded(() => p.sample()),
    rsample: () => seeded(() => p.rsample([2, 2])),
    log_prob: () => p.log_prob(x()),
    cdf: () => p.cdf(x()),
    inside: () => p.support.check(x()),
    icdf: () => p.icdf(u()),
    expanded: () => p.expand(wide).batch_shape,
    expanded_mean: () => p.expand(wide).mean,
    expanded_entropy: () => p.expand(wide).entropy(),
    expanded_sample: () => seeded(() => p.expand(wide).sample([2])),
    expanded_log_prob: () => {
      const value = x().narrow(0, 0, 2).unsqueeze(1)
      return p.expand(wide).log_prob(value.expand([2, ...wide, ...p.event_shape]))
    },
    repr_after: () => String(p),
    grad_rsample: () => gradients_of(spec, (q: Distribution) => seeded(() => q.rsample([2]))),
    grad_entropy: () => gradients_of(spec, (q: Distribution) => q.entropy()),
    grad_mean: () => gradients_of(spec, (q: Distribution) => q.mean),
    grad_log_prob: () =>
      gradients_of(spec, (q: Distribution) => q.log_prob(seeded(() => remade().sample([3])))),
    grad_value: () => {
      const leaf = x().clone().requires_grad_()
      return gradients(p.log_prob(leaf), [leaf])[0]
    },
  }
}

describe.each(cases.map((c, i) => [`${i}: ${c.repr.replaceAll('\n', ' ')}`, c] as const))('%s', (_, c) => {
  it('is as PyTorch has it', () => {
    const p = build(c.of) as Distribution
    expect(String(p)).toBe(c.repr)
    const ignored = mended[p.constructor.name] ?? []
    const wrong = Object.entries(results(p, c.of)).flatMap(([name, f]) => {
      if (!(name in c) || ignored.includes(name)) return []
      const got = attempt(f)
      const difference =
        name.startsWith('grad_') && name !== 'grad_value'
          ? mismatches(got, c[name] as unknown as Gradients)
          : mismatch(got, c[name])
      return difference === undefined ? [] : [`${name}: ${difference}`]
    })
    expect(wrong).toEqual([])
  })
})

describe('torch.distributions', () => {
  it('has no distribution without a case', () => {
    const { Distribution, ExponentialFamily } = torch.distributions
    const made = new Set(cases.map(c => (c.of as { make: string }).make))
    const without = Object.entries(torch.distributions).flatMap(([name, cls]) => {
      const { prototype } = cls as { prototype?: unknown }
      const is_distribution = typeof cls === 'function' && prototype instanceof Distribution
      return is_distribution && (cls as unknown) !== ExponentialFamily && !made.has(name) ? [name] : []
    })
    expect(without).toEqual([])
  })

  it('makes distributions with and without new, by position and by name', () => {
    const { Normal } = torch.distributions
    const all = [new Normal(0, 2), Normal(0, 2), Normal({ loc: 0, scale: 2 }), new Normal(0, { scale: 2 })]
    expect(all.map(String)).toEqual(all.map(() => 'Normal(loc: 0.0, scale: 2.0)'))
    expect(all.every(p => p instanceof Normal)).toBe(true)
    expect(() => new Normal({ loc: 0 })).toThrow(TypeError)
    expect(() => new Normal({ loc: 0, scale: 1, size: 3 } as never)).toThrow('size')
  })

  it('validates unless told not to', () => {
    const { Distribution, Normal } = torch.distributions
    expect(() => new Normal(0, -1, { validate_args: false })).not.toThrow()
    Distribution.set_default_validate_args(false)
    try {
      expect(() => new Normal(0, -1)).not.toThrow()
      expect(() => new Normal(0, -1, true)).toThrow('constraint GreaterThan(lower_bound=0.0)')
    } finally {
      Distribution.set_default_validate_args(true)
    }
    expect(() => new Normal(0, -1)).toThrow('invalid values')
  })

  it('can be extended', () => {
    const { Distribution, Normal, constraints, kl_divergence, register_kl } = torch.distributions
    class Shifted extends Normal {
      constructor(loc: number) {
        super(loc, 1)
      }
      override get mode(): torch.Tensor {
        return this.loc.add(1)
      }
    }
    const p = new Shifted(2).expand([3])
    expect(p).toBeInstanceOf(Shifted)
    expect(p.mode.tolist()).toEqual([3, 3, 3])
    expect(kl_divergence(new Shifted(2), new Normal(2, 1)).item()).toBe(0)
    register_kl(Shifted, Shifted)(q => q.loc)
    expect(kl_divergence(new Shifted(2), new Shifted(3)).item()).toBe(2)

    class Point extends Distribution {
      static override readonly arg_constraints = { at: constraints.real }
      static override readonly support = constraints.real
      declare readonly at: torch.Tensor
      constructor(at: torch.Tensor) {
        super()
        this.at = at
        this._init(at.shape)
      }
      override rsample(shape: readonly number[] = []): torch.Tensor {
        return this.at.expand(this._extended_shape(shape))
      }
    }
    const point = new Point(torch.tensor([1, 2], { dtype: torch.float32 }))
    expect(String(point)).toBe('Point(at: torch.Size([2]))')
    expect(point.sample([2]).tolist()).toEqual([
      [1, 2],
      [1, 2],
    ])
    expect(() => point.mean).toThrow(torch.NotImplementedError)
    expect(() => new Point(torch.tensor([Number.NaN]))).toThrow(
      'Expected parameter at (Tensor of shape (1,))',
    )
  })

  it('draws what the default generator draws for rsample and sample alike', () => {
    const p = new torch.distributions.Exponential(2)
    expect(seeded(() => p.sample({ sample_shape: [4] })).tolist()).toEqual(
      seeded(() => p.rsample([4])).tolist(),
    )
    expect(() => p.sample(3 as never)).toThrow(TypeError)
  })
})
