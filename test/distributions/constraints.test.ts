// Constraints, and the transforms into them, against PyTorch.
import { describe, expect, it } from 'vitest'
import * as torch from '../../src/index.ts'
import { attempt, build, load, mismatch, type Recorded, type Spec } from './cases.ts'

type Constraint = torch.distributions.constraints.Constraint
type Case = { of: Spec } & Record<string, Recorded> & { value?: Spec }
const cases = load<Case>('constraints')
const { biject_to, constraints, transform_to } = torch.distributions

describe('constraints', () => {
  it.each(cases.filter(c => c.value !== undefined).map(c => [JSON.stringify(c.of), c] as const))(
    '%s',
    (_, c) => {
      const made = build(c.of) as Constraint
      const value = build(c.value as Spec) as torch.Tensor
      expect(String(made)).toBe(c['repr'])
      expect(
        mismatch(
          attempt(() => made.check(value)),
          c['check'],
        ),
      ).toBeUndefined()
      expect(
        mismatch(
          attempt(() => made.is_discrete),
          c['is_discrete'],
        ),
      ).toBeUndefined()
      expect(
        mismatch(
          attempt(() => made.event_dim),
          c['event_dim'],
        ),
      ).toBeUndefined()
    },
  )

  it('have a case each', () => {
    const made = new Set(cases.map(c => (c.of as { make: string }).make.replace('constraints.', '')))
    const tools = ['Constraint', 'dependent_property', 'is_dependent']
    expect(Object.keys(constraints).filter(name => !made.has(name) && !tools.includes(name))).toEqual([])
  })

  it('stand for what depends on other variables', () => {
    const some = constraints.dependent({ is_discrete: true })
    expect(constraints.is_dependent(some) && constraints.is_dependent(constraints.dependent)).toBe(true)
    expect(constraints.is_dependent(constraints.real)).toBe(false)
    expect(some.is_discrete).toBe(true)
    expect(() => some.event_dim).toThrow('.event_dim cannot be determined statically')
    expect(constraints.is_dependent(torch.distributions.Uniform.support as Constraint)).toBe(true)
  })

  it('tell whole floats from integers where they are told', () => {
    expect(String(constraints.greater_than(torch.float_scalar(2)))).toBe('GreaterThan(lower_bound=2.0)')
    expect(constraints.greater_than(torch.float_scalar(2)).lower_bound).toBe(2)
  })
})

describe('biject_to and transform_to', () => {
  it.each(cases.filter(c => 'biject_to' in c).map(c => [JSON.stringify(c.of), c] as const))('%s', (_, c) => {
    const made = build(c.of) as Constraint
    expect(
      mismatch(
        attempt(() => String(biject_to(made))),
        c['biject_to'],
      ),
    ).toBeUndefined()
    expect(
      mismatch(
        attempt(() => String(transform_to(made))),
        c['transform_to'],
      ),
    ).toBeUndefined()
  })

  const x = torch.tensor([
    [-3, 0.5, 4],
    [0.1, 0, -1],
  ])
  it.each([
    constraints.positive,
    constraints.greater_than(torch.tensor([1, 2, 3])),
    constraints.less_than(-1),
    constraints.unit_interval,
    constraints.interval(-2, 5),
    constraints.interval(torch.tensor(0.5), 2),
    constraints.simplex,
    constraints.corr_cholesky,
    constraints.independent(constraints.positive, 1),
    constraints.cat([constraints.positive, constraints.unit_interval], -1, [1, 2]),
    constraints.stack([constraints.positive, constraints.real, constraints.less_than(2)], -1),
  ])('%s: lead into it, and back', constraint => {
    const y = biject_to(constraint)(x)
    expect(constraint.check(y).all().item()).toBe(true)
    expect(constraint.check(transform_to(constraint)(x)).all().item()).toBe(true)
    expect(biject_to(constraint).inv(y).sub(x).abs().max().item()).toBeLessThan(1e-4)
  })

  it('can be taught', () => {
    class Even extends constraints.Constraint {
      check(value: torch.Tensor): torch.Tensor {
        return value.remainder(2).eq(0)
      }
    }
    expect(() => transform_to(new Even())).toThrow('Cannot transform _Even constraints')
    transform_to.register(Even)(() => new torch.distributions.AffineTransform(0, 2))
    expect(transform_to(new Even())(torch.tensor([3])).tolist()).toEqual([6])
    expect(() => transform_to.register(3 as never, () => x as never)).toThrow(TypeError)
  })
})
