// Lazy modules against PyTorch: text before and after the first call, parameters after manual_seed(0), results, gradients; loading,
// copying and converting what has no sizes yet; errors.
import { readFileSync } from 'node:fs'
import { inspect } from 'node:util'
import { describe, expect, test } from 'vitest'
import * as torch from '../../src/index.ts'
import { type Summary, summary_difference, summary_differences } from './summary.ts'
import { values } from './values.ts'

const { nn } = torch
type Case = {
  module: string
  args: unknown[]
  kw: Record<string, unknown>
  sizes: number[]
  call: unknown[]
  before: string
  after: string
  lazy: string[]
  out: Summary
  state: Record<string, Summary>
  grads: Record<string, Summary>
}
const { cases, errors } = JSON.parse(
  readFileSync(new URL('../data/nn/lazy.json', import.meta.url), 'utf8'),
) as { cases: Case[]; errors: Record<string, [type: string, message: string]> }

type Lazy = torch.nn.Layer<unknown[]> & torch.nn.LazyModule

describe('lazy modules', () => {
  test.each(cases.map(c => [`${c.module}(${JSON.stringify([...c.args, c.kw])})`, c] as const))(
    '%s',
    (_, c) => {
      torch.manual_seed(0)
      const classes = nn as unknown as Record<string, new (...args: unknown[]) => Lazy>
      const module = new classes[c.module]!(...c.args, c.kw)
      expect(String(module)).toBe(c.before)
      expect(Object.keys(module.state_dict())).toEqual(c.lazy)
      const become = module.cls_to_become
      const before = module.parameters()
      const y = module(values(c.sizes, 'float', 1), ...c.call)
      expect(String(module)).toBe(c.after)
      expect(Object.getPrototypeOf(module) === become.prototype).toBe(true)
      expect(module.parameters().every((p, i) => p === before[i])).toBe(true)
      expect(summary_difference(y, c.out)).toBeUndefined()
      if (y.requires_grad) y.sum().backward()
      expect(summary_differences(module.state_dict(), c.state)).toEqual([])
      const grads = Object.fromEntries(module.named_parameters().map(([name, p]) => [name, p.grad]))
      expect(summary_differences(grads, c.grads)).toEqual([])
    },
  )

  test('are found in a model, which may be trained once it was called', () => {
    torch.manual_seed(0)
    const model = new nn.Sequential(
      new nn.LazyLinear(4),
      new nn.LazyBatchNorm1d(),
      new nn.ReLU(),
      new nn.LazyLinear(1),
    )
    const optimizer = new torch.optim.SGD(model.parameters(), { lr: 0.1 })
    const x = torch.randn(8, 3)
    const losses = [0, 1, 2, 3, 4].map(() => {
      optimizer.zero_grad()
      const loss = model(x).sub(1).square().mean()
      loss.backward()
      optimizer.step()
      return loss.item() as number
    })
    expect(losses[4]!).toBeLessThan(losses[0]! / 2)
    expect(model.at(0)).toBeInstanceOf(nn.Linear)
    expect(model.at(0)).not.toBeInstanceOf(nn.LazyLinear)
  })
})

describe('parameters without sizes', () => {
  test('say so', () => {
    const { weight } = new nn.LazyLinear(3)
    expect([String(weight), inspect(weight)]).toEqual([
      '<UninitializedParameter>',
      '<UninitializedParameter>',
    ])
    expect(String(nn.UninitializedBuffer())).toBe('<UninitializedBuffer>')
    expect(weight instanceof nn.Parameter && weight instanceof torch.Tensor).toBe(true)
    expect(weight).toBeInstanceOf(nn.UninitializedParameter)
    expect([weight.requires_grad, weight.is_leaf, weight.grad]).toEqual([true, true, null])
    expect(new nn.UninitializedParameter({ requires_grad: false }).requires_grad).toBe(false)
  })

  test('get sizes and stay the same tensor', () => {
    const p = new nn.UninitializedParameter({ dtype: torch.float64 })
    expect(nn.parameter.is_lazy(p)).toBe(true)
    p.materialize([2, 3])
    expect(nn.parameter.is_lazy(p)).toBe(false)
    expect([p.shape.join(), p.dtype, p.requires_grad, p.is_leaf]).toEqual(['2,3', torch.float64, true, true])
    expect(p instanceof nn.Parameter && !(p instanceof nn.UninitializedParameter)).toBe(true)
    torch.no_grad(() => p.fill_(2))
    p.mul(3).sum().backward()
    expect([p.tolist(), p.grad!.tolist()]).toEqual([
      [
        [2, 2, 2],
        [2, 2, 2],
      ],
      [
        [3, 3, 3],
        [3, 3, 3],
      ],
    ])
  })

  test('take the dtype that the module is converted to', () => {
    const model = new nn.Sequential(new nn.LazyLinear(2), new nn.LazyBatchNorm1d()).double()
    expect(model(torch.ones([2, 3], { dtype: torch.float64 })).dtype).toBe(torch.float64)
    expect(model.state_dict()['1.running_mean']!.dtype).toBe(torch.float64)
  })

  test('are copied as such', () => {
    const lazy = new nn.LazyLinear(2)
    const copy = torch.deepcopy(lazy)
    copy(torch.ones(1, 3))
    expect([String(copy), String(lazy)]).toEqual([
      'Linear(in_features=3, out_features=2, bias=True)',
      'LazyLinear(in_features=0, out_features=2, bias=True)',
    ])
  })
})

describe('a state', () => {
  const match = '<All keys matched successfully>'
  test('with sizes gives them to a lazy module', () => {
    const [lazy, linear] = [new nn.LazyLinear(3), new nn.Linear(2, 3)]
    expect(String(lazy.load_state_dict(linear.state_dict()))).toBe(match)
    expect(String(lazy)).toBe('LazyLinear(in_features=0, out_features=3, bias=True)')
    const x = torch.ones(1, 2)
    expect(lazy(x).tolist()).toEqual(linear(x).tolist())
    expect(lazy).not.toBeInstanceOf(nn.LazyLinear)
  })

  test('without sizes is loaded by a lazy module', () => {
    const lazy = new nn.LazyLinear(3)
    expect(String(lazy.load_state_dict(new nn.LazyLinear(3).state_dict()))).toBe(match)
    expect(lazy.has_uninitialized_params()).toBe(true)
  })
})

describe("PyTorch's errors", () => {
  const z = (...sizes: number[]): torch.Tensor => torch.zeros(sizes)
  const calls: Record<string, () => unknown> = {
    shape: () => new nn.LazyLinear(3).weight.shape,
    method: () => new nn.LazyLinear(3).weight.sum(),
    buffer: () => new nn.LazyBatchNorm1d().running_mean!.sum(),
    share: () => new nn.LazyLinear(3).share_memory(),
    'into initialised': () => new nn.Linear(2, 3).load_state_dict(new nn.LazyLinear(3).state_dict()),
    groups: () => new nn.LazyConv2d(4, 3, { groups: 2 })(z(1, 3, 5, 5)),
    dims: () => new nn.LazyConv2d(4, 3)(z(1, 3, 5, 5, 1)),
    'norm dims': () => new nn.LazyBatchNorm2d()(z(2, 3)),
  }
  test.each(Object.entries(errors))('%s', (name, [type, message]) => {
    let thrown: unknown
    try {
      calls[name]!()
    } catch (error) {
      thrown = error
    }
    expect([(thrown as Error).constructor.name, (thrown as Error).message]).toEqual([type, message])
  })

  test('an operation on what has no sizes', () => {
    expect(() => torch.add(new nn.LazyLinear(3).weight, 1)).toThrow(
      'Attempted to use an uninitialized parameter in',
    )
    expect(() => torch.cat([z(2), new nn.LazyLinear(3).weight])).toThrow(torch.ValueError)
  })
})
