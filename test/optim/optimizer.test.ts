/** What all optimizers share: groups, text, gradients, saving and loading, arguments and errors. */
import { inspect } from 'node:util'
import { describe, expect, it, vi } from 'vitest'
import * as torch from '../../src/index.ts'
import text from '../data/optim/text.json' with { type: 'json' }

const { optim } = torch
type Tensor = torch.Tensor

const leaf = (...values: number[]): Tensor =>
  torch.tensor(values, { requires_grad: true, dtype: torch.float32 })
const names = [
  'Adam',
  'AdamW',
  'Adagrad',
  'RMSprop',
  'Adadelta',
  'Adamax',
  'NAdam',
  'RAdam',
  'ASGD',
  'Rprop',
  'LBFGS',
] as const

describe('an optimizer as text', () => {
  it.each(names)('is what PyTorch prints: %s', name => {
    const optimizer = new optim[name]([leaf(0)])
    expect(String(optimizer)).toBe(text[name])
    expect(inspect(optimizer)).toBe(text[name])
  })

  it('is what PyTorch prints: SGD', () => {
    expect(String(optim.SGD([leaf(0)], { lr: 0.01, momentum: 0.9 }))).toBe(text.SGD)
  })

  it('shows every group, and what a scheduler has left in it', () => {
    const groups = [{ params: [leaf(0)] }, { params: [leaf(0)], lr: 1e-5 }]
    expect(String(optim.SGD(groups, { lr: 0.1 }))).toBe(text['two groups'])
    const optimizer = optim.SGD([leaf(0)], { lr: 0.1 })
    optim.lr_scheduler.StepLR(optimizer, 5)
    expect(String(optimizer)).toBe(text.scheduled)
  })
})

describe('parameters', () => {
  it('come in a list, from a generator, or in groups', () => {
    function* generate(): Generator<Tensor> {
      yield leaf(1)
      yield leaf(2)
    }
    expect(optim.SGD([leaf(1), leaf(2)], 0.1).param_groups[0]!.params).toHaveLength(2)
    expect(optim.SGD(generate(), 0.1).param_groups[0]!.params).toHaveLength(2)
    const one = leaf(3)
    const grouped = optim.SGD([{ params: generate(), lr: 0.5 }, { params: one }], 0.1)
    expect(grouped.param_groups.map(group => [group.params.length, group.lr])).toEqual([
      [2, 0.5],
      [1, 0.1],
    ])
    expect(grouped.param_groups[1]!.params[0]).toBe(one)
  })

  it('can be added later, with options of their own', () => {
    const [p, q] = [leaf(1), leaf(1)]
    const optimizer = optim.SGD([p], { lr: 0.5 })
    optimizer.add_param_group({ params: q, lr: 0.25 })
    p.mul(2).add(q.mul(2)).sum().backward()
    optimizer.step()
    expect([p.item(), q.item()]).toEqual([0, 0.5])
  })

  it('without a gradient stay where they are', () => {
    const [p, q] = [leaf(1), leaf(1)]
    const optimizer = optim.Adam([p, q])
    p.sum().backward()
    optimizer.step()
    expect(q.item()).toBe(1)
    expect(optimizer.state.has(q)).toBe(false)
  })

  it('are warned of when a group has one twice', () => {
    const warn = vi.spyOn(console, 'warn').mockImplementation(() => {})
    const p = leaf(1)
    optim.SGD([p, p], 0.1)
    expect(warn.mock.calls).toEqual([
      [expect.stringMatching(/^UserWarning: optimizer contains a parameter group with duplicate/)],
    ])
    warn.mockRestore()
  })
})

describe('a step', () => {
  it('returns what the closure returns, and null without one', () => {
    const p = leaf(3)
    const optimizer = optim.SGD([p], 0.5)
    expect(optimizer.step()).toBeNull()
    const loss = torch.no_grad(() =>
      optimizer.step(() => {
        optimizer.zero_grad()
        const loss = p.pow(2).sum()
        loss.backward()
        return loss
      }),
    )
    expect(loss.item()).toBe(9)
    expect(p.item()).toBe(0)
  })

  it('is not recorded, and leaves the gradient as it is', () => {
    const p = leaf(3, 4)
    p.pow(2).sum().backward()
    optim.SGD([p], { lr: 0.5, weight_decay: 1, momentum: 0.9, maximize: true }).step()
    expect([p.is_leaf, p.requires_grad, p.grad!.tolist()]).toEqual([true, true, [6, 8]])
  })

  it('is recorded where it is to be differentiable', () => {
    const p = leaf(3)
    const moved = p.clone()
    moved.retain_grad()
    moved.pow(2).sum().backward({ retain_graph: true })
    p.grad = null
    const optimizer = optim.SGD([moved], { lr: 0.25, differentiable: true })
    optimizer.step()
    moved.pow(2).sum().backward()
    expect(p.grad!.item()).toBe(2 * (3 - 0.25 * 6))
  })

  it('of LBFGS needs a closure', () => {
    expect(() => optim.LBFGS([leaf(1)]).step()).toThrowError(
      new TypeError("LBFGS.step() missing 1 required positional argument: 'closure'"),
    )
  })

  it('is for subclasses to write', () => {
    class Signs extends optim.Optimizer<{ lr: number }> {
      protected override update(p: Tensor, grad: Tensor, _: object, group: { lr: number }): void {
        p.sub_(grad.sign(), { alpha: group.lr })
      }
    }
    const p = leaf(1, -1)
    p.pow(2).sum().backward()
    const optimizer = new Signs([p], { lr: 0.5 })
    optimizer.step()
    expect(p.tolist()).toEqual([0.5, -0.5])
    expect(String(optimizer)).toBe('Signs (\nParameter Group 0\n    lr: 0.5\n)')
    expect(() => new optim.Optimizer([p], {}).step()).toThrowError(torch.NotImplementedError)
  })
})

describe('zero_grad', () => {
  it('writes zeros into the gradients, out of any graph', () => {
    const p = leaf(3)
    p.pow(3).sum().backward({ create_graph: true })
    const { grad } = p
    optim.SGD([p], 0.1).zero_grad()
    expect(p.grad).toBe(grad)
    expect([grad!.item(), grad!.requires_grad]).toEqual([0, false])
  })

  it('drops them on request', () => {
    for (const wish of [true, { set_to_none: true }]) {
      const p = leaf(3)
      p.sum().backward()
      optim.SGD([p], 0.1).zero_grad(wish)
      expect(p.grad).toBeNull()
    }
  })
})

describe('the state', () => {
  const train = (optimizer: torch.optim.Optimizer, params: Tensor[], steps: number): void => {
    for (let i = 0; i < steps; i++)
      optimizer.step(() => {
        optimizer.zero_grad()
        const loss = params.map(p => p.sub(0.5).pow(2).sum()).reduce((a, b) => a.add(b))
        loss.backward()
        return loss
      })
  }
  const make = (name: (typeof names)[number] | 'SGD', params: Tensor[]): torch.optim.Optimizer =>
    new optim[name](
      params,
      (name === 'SGD' ? { lr: 0.1, momentum: 0.9 } : {}) as object,
    ) as unknown as torch.optim.Optimizer

  it("has PyTorch's structure: parameters are numbers, in the state and in the groups", () => {
    const params = [leaf(1, 2), leaf(3), leaf(4)]
    const optimizer = optim.SGD([{ params: params.slice(0, 2) }, { params: params.slice(2), lr: 1 }], {
      lr: 0.1,
      momentum: 0.9,
    })
    params[0]!.sum().add(params[2]!.sum()).backward()
    optimizer.step()
    const { state, param_groups } = optimizer.state_dict()
    expect(Object.keys(state)).toEqual(['0', '2'])
    expect((state as Record<number, { momentum_buffer: Tensor }>)[0]!.momentum_buffer.tolist()).toEqual([
      1, 1,
    ])
    expect(param_groups).toEqual([
      {
        lr: 0.1,
        momentum: 0.9,
        dampening: 0,
        weight_decay: 0,
        nesterov: false,
        maximize: false,
        foreach: null,
        differentiable: false,
        params: [0, 1],
      },
      {
        lr: 1,
        momentum: 0.9,
        dampening: 0,
        weight_decay: 0,
        nesterov: false,
        maximize: false,
        foreach: null,
        differentiable: false,
        params: [2],
      },
    ])
  })

  it.each(['SGD', ...names] as const)('of %s goes over to another, which goes on in the same way', name => {
    const begin = (): Tensor[] => [leaf(1, 2), leaf(3)]
    const whole = begin()
    train(make(name, whole), whole, 10)

    const first = begin()
    const saved = make(name, first)
    train(saved, first, 4)
    const second = first.map(p => p.detach().clone().requires_grad_())
    const restored = make(name, second)
    restored.load_state_dict(saved.state_dict())
    train(saved, first, 1) // a copy is not touched by what the original does next
    train(restored, second, 6)
    expect(second.map(p => p.tolist())).toEqual(whole.map(p => p.tolist()))
  })

  it('takes the dtype of the parameters, but for the count of steps', () => {
    const p = leaf(1, 2)
    const saved = optim.Adam([p])
    train(saved as unknown as torch.optim.Optimizer, [p], 2)
    const q = p.detach().double().requires_grad_()
    const restored = optim.Adam([q])
    restored.load_state_dict(saved.state_dict())
    const { step, exp_avg } = restored.state.get(q)!
    expect([step.dtype, exp_avg.dtype, step.item()]).toEqual([torch.float32, torch.float64, 2])
  })

  it('brings its options along, and takes a Map', () => {
    const [p, q] = [leaf(1), leaf(2)]
    const saved = optim.SGD([p], { lr: 0.25, momentum: 0.5 })
    train(saved as unknown as torch.optim.Optimizer, [p], 1)
    const { state, param_groups } = saved.state_dict()
    const restored = optim.SGD([q], { lr: 1 })
    restored.load_state_dict({
      state: new Map(Object.entries(state).map(([k, v]) => [Number(k), v])),
      param_groups,
    })
    expect(restored.param_groups[0]).toMatchObject({ lr: 0.25, momentum: 0.5 })
    expect(restored.param_groups[0]!.params[0]).toBe(q)
    expect(restored.state.get(q)!.momentum_buffer!.tolist()).toEqual([1])
  })

  it('of other groups is refused', () => {
    const one = optim.SGD([leaf(1)], 0.1)
    const two = optim.SGD([leaf(1), leaf(2)], 0.1)
    const groups = optim.SGD([{ params: [leaf(1)] }, { params: [leaf(2)] }], 0.1)
    expect(() => one.load_state_dict(groups.state_dict())).toThrowError(
      new torch.ValueError('loaded state dict has a different number of parameter groups'),
    )
    expect(() => one.load_state_dict(two.state_dict())).toThrowError(
      new torch.ValueError(
        "loaded state dict contains a parameter group that doesn't match the size of optimizer's group",
      ),
    )
  })
})

describe('arguments', () => {
  it('are positional or keywords, with or without new', () => {
    for (const optimizer of [
      new optim.SGD([leaf(0)], 0.1, 0.9),
      optim.SGD([leaf(0)], 0.1, { momentum: 0.9 }),
      optim.SGD([leaf(0)], { momentum: 0.9, lr: 0.1 }),
    ]) {
      expect(optimizer).toBeInstanceOf(optim.SGD)
      expect(optimizer.constructor).toBe(optim.SGD)
      expect(optimizer.param_groups[0]).toMatchObject({ lr: 0.1, momentum: 0.9 })
    }
  })

  it('are checked by the compiler', () => {
    const wrong = (): unknown[] => [
      // @ts-expect-error an option that is not known
      optim.SGD([leaf(0)], { lr: 0.1, momemtum: 0.9 }),
      // @ts-expect-error a value of another type
      optim.Adam([leaf(0)], { betas: 0.9 }),
      // @ts-expect-error a number in place of parameters
      optim.Adam(0.1),
    ]
    expect(wrong).toThrow()
  })

  const refused: [string, () => unknown, string, string][] = [
    ['no parameters', () => optim.SGD([], 0.1), 'ValueError', 'optimizer got an empty parameter list'],
    [
      'a tensor in place of a list',
      () => optim.SGD(leaf(0) as never, 0.1),
      'TypeError',
      'params argument given to the optimizer should be an iterable of Tensors or dicts, but got torch.FloatTensor',
    ],
    [
      'what cannot be iterated',
      () => optim.SGD(3 as never, 0.1),
      'TypeError',
      "'int' object is not iterable",
    ],
    ['null', () => optim.SGD(null as never, 0.1), 'TypeError', "'NoneType' object is not iterable"],
    [
      'what is no tensor',
      () => optim.SGD([leaf(0), 3 as never], 0.1),
      'TypeError',
      'optimizer can only optimize Tensors, but one of the params is int',
    ],
    ['a result', () => optim.SGD([leaf(0).mul(2)], 0.1), 'ValueError', "can't optimize a non-leaf Tensor"],
    [
      'a tensor among groups',
      () => optim.SGD([{ params: [leaf(0)] }, leaf(0) as never], 0.1),
      'AssertionError',
      'param group must be a dict',
    ],
    [
      'a set in a group',
      () => optim.SGD([{ params: new Set([leaf(0)]) }], 0.1),
      'TypeError',
      'optimizer parameters need to be organized in ordered collections, but the ordering of tensors in sets will change between runs. Please use a list instead.',
    ],
    [
      'a parameter in two groups',
      () => {
        const p = leaf(0)
        return optim.SGD([{ params: [p] }, { params: [p] }], 0.1)
      },
      'ValueError',
      'some parameters appear in more than one parameter group',
    ],
    [
      'SGD without a rate',
      () => optim.SGD([leaf(0)]),
      'ValueError',
      "parameter group didn't specify a value of required optimization parameter lr",
    ],
    ['a negative rate', () => optim.SGD([leaf(0)], -1), 'ValueError', 'Invalid learning rate: -1'],
    [
      'a negative rate of Adam',
      () => optim.Adam([leaf(0)], -1e-5),
      'ValueError',
      'Invalid learning rate: -1e-05',
    ],
    ['negative momentum', () => optim.SGD([leaf(0)], 1, -0.5), 'ValueError', 'Invalid momentum value: -0.5'],
    [
      'negative weight decay',
      () => optim.AdamW([leaf(0)], { weight_decay: -1 }),
      'ValueError',
      'Invalid weight_decay value: -1',
    ],
    [
      "Nesterov's momentum without momentum",
      () => optim.SGD([leaf(0)], 1, { nesterov: true }),
      'ValueError',
      'Nesterov momentum requires a momentum and zero dampening',
    ],
    [
      'a beta of 1',
      () => optim.Adam([leaf(0)], { betas: [0.9, 1] }),
      'ValueError',
      'Invalid beta parameter at index 1: 1',
    ],
    [
      'a negative epsilon',
      () => optim.Adadelta([leaf(0)], { eps: -0.1 }),
      'ValueError',
      'Invalid epsilon value: -0.1',
    ],
    ['a rho above 1', () => optim.Adadelta([leaf(0)], { rho: 1.5 }), 'ValueError', 'Invalid rho value: 1.5'],
    [
      'a shrinking eta',
      () => optim.Rprop([leaf(0)], { etas: [0.5, 0.9] }),
      'ValueError',
      'Invalid eta values: 0.5, 0.9',
    ],
    [
      'groups for LBFGS',
      () => optim.LBFGS([{ params: [leaf(0)] }, { params: [leaf(0)] }]),
      'ValueError',
      "LBFGS doesn't support per-parameter options (parameter groups)",
    ],
    [
      'a line search that is not known',
      () => optim.LBFGS([leaf(0)], { line_search_fn: 'armijo' as 'strong_wolfe' }).step(() => torch.zeros()),
      'RuntimeError',
      "only 'strong_wolfe' is supported",
    ],
    [
      'fused Adam',
      () => optim.Adam([leaf(0)], { fused: true }),
      'RuntimeError',
      'FusedAdam requires all the params to be CUDA, floating point',
    ],
    [
      'an option that is not known',
      () => optim.SGD([leaf(0)], { lr: 0.1, momemtum: 0.9 } as object),
      'TypeError',
      "SGD.__init__() got an unexpected keyword argument 'momemtum' (known: params, lr, momentum, dampening, weight_decay, nesterov, maximize, foreach, differentiable)",
    ],
    [
      'an option given twice',
      () => optim.SGD([leaf(0)], 0.1, { lr: 0.1 } as object),
      'TypeError',
      "SGD.__init__() got multiple values for argument 'lr'",
    ],
    [
      'a string for a number',
      () => optim.Adam([leaf(0)], { lr: 'fast' } as never),
      'TypeError',
      "Adam.__init__(): argument 'lr' must be float, not str",
    ],
  ]
  it.each(refused)('refuse %s', (_, call, name, message) => {
    expect(call).toThrowError(expect.objectContaining({ name, message }))
  })
})
