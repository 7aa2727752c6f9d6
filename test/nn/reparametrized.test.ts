// weight_norm, spectral_norm, parametrisations and fusion against PyTorch: states, text, results, gradients, what is left when
// they are taken off again; errors.
import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import * as torch from '../../src/index.ts'
import { type Summary, summary_difference, summary_differences } from './summary.ts'
import { cotangent, values } from './values.ts'

const { nn } = torch
const { utils } = nn
const { parametrizations: PZ, parametrize: P } = utils
type Tensor = torch.Tensor
type Summaries = Record<string, Summary | null>

type Case = {
  module: keyof typeof MODULES
  how: keyof typeof APPLY
  name: string
  kw: Record<string, unknown>
  mode: string
  repr: string
  parameters: string[]
  state: Summaries
  out: Summary
  grad: Summary
  grads: Summaries
  weight: Summary
  later: Summaries
  removed: Summaries
  'removed repr': string
  'removed parameters': string[]
}
type Facts = { repr: string; state: Summaries; out: Summary; grads: Summaries }
const recorded = JSON.parse(
  readFileSync(new URL('../data/nn/reparametrized.json', import.meta.url), 'utf8'),
) as {
  cases: Case[]
  other: Record<string, Facts>
  fused: Record<string, [Summary, Summary, Summary]>
  errors: Record<string, [type: string, message: string]>
}

const at = (sizes: number[], salt: number): Tensor => values(sizes, 'float', salt)
type AnyModule = torch.nn.Layer<unknown[], Tensor | readonly [Tensor, Tensor]>

const MODULES = {
  linear: [() => new nn.Linear(4, 3), [2, 4]],
  wide: [() => new nn.Linear(3, 5, { bias: false }), [2, 3]],
  square: [() => new nn.Linear(3, 3), [2, 3]],
  conv: [() => new nn.Conv2d(2, 3, 2), [1, 2, 4, 4]],
  transposed: [() => new nn.ConvTranspose1d(2, 3, 2), [1, 2, 4]],
  gru: [() => new nn.GRU(2, 3), [4, 1, 2]],
} as const
type Change = (module: AnyModule, name: string, options: object) => AnyModule
const APPLY: Record<'weight_norm' | 'spectral_norm' | 'orthogonal' | 'p.spectral_norm', [Change, Change]> = {
  weight_norm: [(m, name, o) => utils.weight_norm(m, name, o), utils.remove_weight_norm as Change],
  spectral_norm: [(m, name, o) => utils.spectral_norm(m, name, o), utils.remove_spectral_norm as Change],
  orthogonal: [(m, name, o) => PZ.orthogonal(m, name, null, o), P.remove_parametrizations as Change],
  'p.spectral_norm': [(m, name, o) => PZ.spectral_norm(m, name, o), P.remove_parametrizations as Change],
}

const read = (module: AnyModule, name: string): Tensor => (module as unknown as Record<string, Tensor>)[name]!
const grads = (module: torch.nn.Module): Record<string, Tensor | null> =>
  Object.fromEntries(module.named_parameters().map(([name, p]) => [name, p.grad]))
const names = (module: torch.nn.Module): string[] => module.named_parameters().map(([name]) => name)
const title = (c: Case): string => `${c.how} of ${c.module}.${c.name} ${JSON.stringify(c.kw)} ${c.mode}`

describe('reparametrised modules', () => {
  test.each(recorded.cases.map(c => [title(c), c] as const))('%s', (_, c) => {
    const [make, sizes] = MODULES[c.module]
    const [apply, remove] = APPLY[c.how]
    torch.manual_seed(0)
    const module = make() as unknown as AnyModule
    if (c.mode === 'eval') module.eval()
    expect(apply(module, c.name, c.kw)).toBe(module)
    expect(String(module)).toBe(c.repr)
    expect(names(module)).toEqual(c.parameters)
    expect(summary_differences(module.state_dict(), c.state)).toEqual([])
    const x = at([...sizes], 1).requires_grad_()
    module(x)
    const result = module(x)
    const y = result instanceof torch.Tensor ? (result as Tensor) : (result as [Tensor, Tensor])[0]
    expect(summary_difference(y, c.out)).toBeUndefined()
    y.mul(cotangent(y)).sum().backward()
    expect(summary_difference(x.grad, c.grad)).toBeUndefined()
    expect(summary_differences(grads(module), c.grads)).toEqual([])
    expect(summary_difference(read(module, c.name), c.weight)).toBeUndefined()
    expect(summary_differences(module.state_dict(), c.later)).toEqual([])
    remove(module, c.name, {})
    expect(String(module)).toBe(c['removed repr'])
    expect(names(module)).toEqual(c['removed parameters'])
    expect(summary_differences(module.state_dict(), c.removed)).toEqual([])
  })

  test.each(Object.keys(APPLY) as (keyof typeof APPLY)[])('with %s load a state of their own', how => {
    const make = (): AnyModule =>
      APPLY[how][0](new nn.Linear(4, 3) as unknown as AnyModule, 'weight', {}).eval()
    const [a, b] = [make(), make()]
    expect(String(b.load_state_dict(a.state_dict()))).toBe('<All keys matched successfully>')
    const x = torch.ones(1, 4)
    expect((b(x) as Tensor).tolist()).toEqual((a(x) as Tensor).tolist())
  })

  test('parametrised ones are copied', () => {
    const module = PZ.orthogonal(new nn.Linear(3, 3))
    const copy = torch.deepcopy(module)
    torch.no_grad(() => module.get_parameter('parametrizations.weight.original').fill_(0.3))
    expect(copy.weight.tolist()).not.toEqual(module.weight.tolist())
    P.remove_parametrizations(copy, 'weight')
    expect([P.is_parametrized(copy), P.is_parametrized(module)]).toEqual([false, true])
    expect(String(copy)).toBe('Linear(in_features=3, out_features=3, bias=True)')
  })
})

class Symmetric extends nn.Module {
  forward(x: Tensor): Tensor {
    return x.triu().add(x.triu(1).mT)
  }
  right_inverse(a: Tensor): Tensor {
    return a.triu()
  }
}
class Scaled extends nn.Module {
  scale: torch.nn.Parameter = nn.Parameter(torch.tensor(torch.float_scalar(2)))
  forward(x: Tensor): Tensor {
    return x.mul(this.scale)
  }
  right_inverse(x: Tensor): Tensor {
    return x.div(this.scale)
  }
}
class Product extends nn.Module {
  forward(...originals: Tensor[]): Tensor {
    const [x, y] = originals as [Tensor, Tensor]
    return x.unsqueeze(-1).matmul(y.unsqueeze(-2))
  }
  right_inverse(z: Tensor): Tensor[] {
    return [z.select(1, 0).clone(), z.select(0, 0).clone()]
  }
}
class Plain extends nn.Module {
  forward(x: Tensor): Tensor {
    return x.mul(3)
  }
}

function expect_facts(name: string, module: torch.nn.Linear): void {
  const facts = recorded.other[name]!
  expect(String(module)).toBe(facts.repr)
  const y = module(at([2, 3], 1))
  expect(summary_difference(y, facts.out)).toBeUndefined()
  module.zero_grad()
  y.mul(cotangent(y)).sum().backward()
  expect(summary_differences(grads(module), facts.grads)).toEqual([])
  expect(summary_differences(module.state_dict(), facts.state)).toEqual([])
}

describe('parametrisations of one’s own', () => {
  test('follow one another, are assigned through, and are taken off', () => {
    torch.manual_seed(0)
    const m = new nn.Linear(3, 3)
    const { weight } = m
    P.register_parametrization(m, 'weight', new Symmetric())
    expect_facts('one', m)
    expect(P.type_before_parametrizations(m)).toBe(nn.Linear)
    P.register_parametrization(m, 'weight', new Scaled())
    expect_facts('two', m)
    P.register_parametrization(m, 'bias', new Plain())
    expect_facts('bias too', m)
    const upper = at([3, 3], 5)
    m.weight = upper.triu().add(upper.triu(1).t()) as torch.nn.Parameter
    expect_facts('assigned', m)
    P.remove_parametrizations(m, 'bias', { leave_parametrized: false })
    expect_facts('bias removed', m)
    P.remove_parametrizations(m, 'weight')
    expect_facts('removed', m)
    expect(m.weight).toBe(weight)
    expect(m).toBeInstanceOf(nn.Linear)
  })

  test('may be of several tensors', () => {
    torch.manual_seed(0)
    new nn.Linear(3, 3)
    const m = P.register_parametrization(new nn.Linear(3, 3), 'weight', new Product())
    expect_facts('several', m)
    P.remove_parametrizations(m, 'weight')
    expect_facts('several removed', m)
  })

  test('are computed once while cached', () => {
    let calls = 0
    class Counted extends Plain {
      override forward(x: Tensor): Tensor {
        calls++
        return super.forward(x)
      }
    }
    const m = P.register_parametrization(new nn.Linear(2, 2), 'weight', new Counted(), { unsafe: true })
    const [once, again] = [m.weight, m.weight]
    expect(once === again).toBe(false)
    calls = 0
    const read_thrice = (): Tensor[] => [m.weight, P.cached(() => m.weight), m.weight]
    expect(new Set(P.cached(read_thrice)).size).toBe(1)
    expect(calls).toBe(1)
    const before = P.cached(() => m.weight.tolist())
    torch.no_grad(() => m.get_parameter('parametrizations.weight.original').add_(1))
    expect(P.cached(() => m.weight.tolist())).not.toEqual(before)
  })

  test('go over to another module', () => {
    const from = P.register_parametrization(new nn.Linear(3, 3), 'weight', new Symmetric())
    const to = P.transfer_parametrizations_and_params(from, new nn.Linear(3, 3))
    expect(to.weight.tolist()).toEqual(from.weight.tolist())
    expect(to.get_parameter('parametrizations.weight.original')).toBe(
      from.get_parameter('parametrizations.weight.original'),
    )
  })
})

test('a layer and the BatchNorm after it are one', () => {
  const bn = new nn.BatchNorm2d(3)
  torch.no_grad(() => {
    for (const [i, t] of [bn.weight, bn.bias, bn.running_mean].entries()) t!.copy_(at([3], i))
    bn.running_var!.copy_(at([3], 3).square().add(0.5))
  })
  bn.eval()
  const filled = <M extends torch.nn.Module>(module: M): M => {
    torch.no_grad(() => {
      for (const [i, p] of module.parameters().entries()) p.copy_(at([...p.shape], 7 + i))
    })
    return module.eval()
  }
  const x = at([1, 2, 4, 4], 2)
  const bn1 = new nn.BatchNorm1d(3).eval()
  bn1.load_state_dict(bn.state_dict())
  const linear = filled(new nn.Linear(4, 3))
  const fused: Record<string, [torch.nn.Layer & { weight: Tensor; bias: Tensor | null }, Tensor, Tensor]> = {}
  const conv = filled(new nn.Conv2d(2, 3, 2))
  fused['conv'] = [utils.fuse_conv_bn_eval(conv, bn), x, bn(conv(x))]
  const unbiased = filled(new nn.Conv2d(2, 3, 2, { bias: false }))
  fused['no bias'] = [utils.fuse_conv_bn_eval(unbiased, bn), x, bn(unbiased(x))]
  const transposed = filled(new nn.ConvTranspose2d(2, 3, 2))
  fused['transposed'] = [utils.fuse_conv_bn_eval(transposed, bn, { transpose: true }), x, bn(transposed(x))]
  const rows = at([2, 4], 2)
  fused['linear'] = [utils.fuse_linear_bn_eval(linear, bn1), rows, bn1(linear(rows))]
  for (const [name, [module, input, apart]] of Object.entries(fused)) {
    const got = [module.weight, module.bias, module(input)]
    expect(got.flatMap((t, i) => summary_difference(t, recorded.fused[name]![i]!) ?? [])).toEqual([])
    expect(torch.allclose(module(input), apart, 1e-4, 1e-5)).toBe(true)
    expect(module.weight).toBeInstanceOf(nn.Parameter)
  }
})

test.each([0, 1, null])('weight_norm as a parametrisation is weight_norm, over %s', dim => {
  torch.manual_seed(0)
  const hooked = utils.weight_norm(new nn.Linear(4, 3), 'weight', dim)
  torch.manual_seed(0)
  const module = PZ.weight_norm(new nn.Linear(4, 3), { dim })
  const x = at([2, 4], 1)
  expect(module(x).tolist()).toEqual(hooked(x).tolist())
  for (const m of [hooked, module]) m(x).sum().backward()
  const { original0, original1 } = module.get_submodule('parametrizations.weight') as unknown as Record<
    'original0' | 'original1',
    Tensor
  >
  expect([original0.grad!.tolist(), original1.grad!.tolist()]).toEqual([
    read(hooked as unknown as AnyModule, 'weight_g').grad!.tolist(),
    read(hooked as unknown as AnyModule, 'weight_v').grad!.tolist(),
  ])
  const before = module.weight.tolist()
  expect(P.remove_parametrizations(module, 'weight').weight.tolist()).toEqual(before)
})

test('weights of convolutions are put in another order in memory', () => {
  const model = new nn.Sequential(
    new nn.Conv2d(2, 3, 2),
    new nn.ConvTranspose2d(3, 4, 2),
    new nn.Conv1d(1, 1, 1),
  )
  const x = torch.ones(1, 2, 4, 4)
  const [conv, transposed, other] = [...model] as unknown as [
    torch.nn.Conv2d,
    torch.nn.Conv2d,
    torch.nn.Conv1d,
  ]
  const [values_before, before] = [conv.weight.tolist(), transposed(conv(x))]
  expect(utils.convert_conv2d_weight_memory_format(model, torch.channels_last)).toBe(model)
  expect([conv.weight.stride(), transposed.weight.stride(), other.weight.stride()]).toEqual([
    [8, 1, 4, 2],
    [16, 1, 8, 4],
    [1, 1, 1],
  ])
  expect(conv.weight.tolist()).toEqual(values_before)
  expect(torch.allclose(transposed(conv(x)), before)).toBe(true)
})

test('skip_init uses no random numbers', () => {
  torch.manual_seed(0)
  const expected = torch.rand(1).item()
  torch.manual_seed(0)
  const m = utils.skip_init(nn.Linear, 3, 2)
  expect([m.weight.shape.join(), torch.rand(1).item()]).toEqual(['2,3', expected])
})

describe("PyTorch's errors", () => {
  const L = (): torch.nn.Linear => new nn.Linear(2, 3)
  const assign = (m: torch.nn.Linear, x: Tensor): void => {
    m.weight = x as torch.nn.Parameter
  }
  class Flat extends Plain {
    override forward(x: Tensor): Tensor {
      return x.flatten()
    }
  }
  class Double extends Plain {
    override forward(x: Tensor): Tensor {
      return x.double()
    }
  }
  const plain = (): torch.nn.Linear => P.register_parametrization(L(), 'weight', new Plain())
  const several = (): torch.nn.Linear =>
    P.register_parametrization(L(), 'weight', new Product(), { unsafe: true })
  const calls: Record<string, () => unknown> = {
    'weight_norm twice': () => utils.weight_norm(utils.weight_norm(L())),
    'spectral_norm twice': () => utils.spectral_norm(utils.spectral_norm(L())),
    'no weight_norm': () => utils.remove_weight_norm(L()),
    'no spectral_norm': () => utils.remove_spectral_norm(L()),
    'lazy weight_norm': () => utils.weight_norm(new nn.LazyLinear(3)),
    'lazy spectral_norm': () => utils.spectral_norm(new nn.LazyLinear(3)),
    'no bias': () => utils.spectral_norm(new nn.Linear(2, 3, { bias: false }), 'bias'),
    iterations: () => utils.spectral_norm(L(), { n_power_iterations: 0 }),
    'p iterations': () => PZ.spectral_norm(L(), { n_power_iterations: 0 }),
    'p dim': () => PZ.spectral_norm(L(), { dim: 2 }),
    'p name': () => PZ.spectral_norm(L(), 'x'),
    'orthogonal name': () => PZ.orthogonal(L(), 'x'),
    'orthogonal vector': () => PZ.orthogonal(L(), 'bias'),
    // @ts-expect-error no such map
    'orthogonal map': () => PZ.orthogonal(L(), { orthogonal_map: 'qr' }),
    'orthogonal shape': () => assign(PZ.orthogonal(L()), torch.ones(2, 2)),
    'orthogonal assign': () =>
      assign(PZ.orthogonal(L(), { orthogonal_map: 'cayley', use_trivialization: false }), torch.ones(3, 2)),
    'parametrize name': () => P.register_parametrization(L(), 'x', new Symmetric()),
    'parametrize shape': () => P.register_parametrization(L(), 'weight', new Flat()),
    'parametrize dtype': () => P.register_parametrization(L(), 'weight', new Double()),
    'parametrize second shape': () => P.register_parametrization(plain(), 'weight', new Flat()),
    'no inverse': () => assign(plain(), torch.ones(3, 2)),
    'not parametrized': () => P.remove_parametrizations(L(), 'weight'),
    'leave several': () => P.remove_parametrizations(several(), 'weight', false),
    fuse: () => utils.fuse_conv_bn_eval(new nn.Conv2d(2, 3, 2), new nn.BatchNorm2d(3).eval()),
    // @ts-expect-error no module
    skip: () => utils.skip_init(Date, 3),
  }
  test.each(Object.entries(recorded.errors))('%s', (name, [type, message]) => {
    let thrown: unknown
    try {
      calls[name]!()
    } catch (error) {
      thrown = error
    }
    const text = name === 'skip' ? message.split(';')[0]! : message
    expect((thrown as Error).constructor.name).toBe(type)
    expect((thrown as Error).message.slice(0, text.length)).toBe(text)
  })
})
