// torch.deepcopy as Python's copy.deepcopy: of tensors that share memory, of modules, of what holds them.
import { describe, expect, test } from 'vitest'
import * as torch from '../../src/index.ts'

const { nn, deepcopy } = torch

class Tied extends nn.Module {
  a: torch.nn.Linear = new nn.Linear(2, 2)
  b: torch.nn.Linear = new nn.Linear(2, 2)
  declare x: torch.Tensor
  declare y: torch.Tensor
  declare z: torch.Tensor

  constructor() {
    super()
    this.b.weight = this.a.weight
    const base = torch.arange(6)
    this.register_buffer('x', base)
    this.register_buffer('y', base.narrow(0, 2, 2))
    this.register_buffer('z', base.at('::2'), { persistent: false })
  }

  forward(x: torch.Tensor): torch.Tensor {
    return this.b(this.a(x)).add(this.x.sum())
  }
}

describe('the copy of a module', () => {
  test('is a module of its class with the same state, which shares nothing with it', () => {
    const [model, input] = [new Tied(), torch.ones(1, 2)]
    const copy = deepcopy(model)
    expect(copy).toBeInstanceOf(Tied)
    expect(copy).not.toBe(model)
    expect(String(copy)).toBe(String(model))
    expect(Object.keys(copy.state_dict())).toEqual(['x', 'y', 'a.weight', 'a.bias', 'b.weight', 'b.bias'])
    const before = model(input).tolist()
    expect(copy(input).tolist()).toEqual(before)
    torch.no_grad(() => copy.a.weight.zero_())
    expect(model(input).tolist()).toEqual(before)
    expect(copy(input).tolist()).not.toEqual(before)
  })

  test('keeps what is shared within it shared', () => {
    const model = new Tied()
    const copy = deepcopy(model)
    expect(copy.b.weight).toBe(copy.a.weight)
    expect(copy.a.weight === model.a.weight).toBe(false)
    copy.x.index_put_([2], torch.tensor(50))
    expect([copy.y.tolist(), copy.z.tolist(), model.x.tolist()]).toEqual([
      [50, 3],
      [0, 50, 4],
      [0, 1, 2, 3, 4, 5],
    ])
    expect(copy.parameters().length).toBe(3)
  })

  test('has parameters without gradients, frozen where the original is', () => {
    const model = new Tied()
    model(torch.ones(1, 2)).sum().backward()
    model.a.bias!.requires_grad_(false)
    const copy = deepcopy(model)
    expect(copy.a.weight).toBeInstanceOf(nn.Parameter)
    expect(copy.parameters().map(p => [p.grad, p.requires_grad])).toEqual([
      [null, true],
      [null, false],
      [null, true],
    ])
    copy(torch.ones(1, 2)).sum().backward()
    expect(copy.a.weight.grad!.tolist()).toEqual(model.a.weight.grad!.tolist())
  })

  test('has the hooks, which see the copy; removing them there leaves the original its own', () => {
    const model = new Tied()
    const seen: unknown[] = []
    const handle = model.register_forward_hook(module => {
      seen.push(module)
    })
    const copy = deepcopy(model)
    copy(torch.ones(1, 2))
    expect(seen).toEqual([copy])
    handle.remove()
    model(torch.ones(1, 2))
    expect(seen.length).toBe(1)
    copy(torch.ones(1, 2))
    expect(seen.length).toBe(2)
  })

  test('has its own mode', () => {
    const model = new Tied().eval()
    const copy = deepcopy(model)
    expect(copy.a.training).toBe(false)
    copy.train()
    expect(model.a.training).toBe(false)
  })

  test.each([
    [
      'Sequential',
      () => new nn.Sequential({ b: new nn.Linear(2, 3), 1: new nn.ReLU(), 0: new nn.Linear(3, 1) }),
    ],
    ['LSTM', () => new nn.LSTM(2, 3, 2, { bidirectional: true })],
    ['ParameterDict', () => new nn.ParameterDict({ b: torch.ones(2), a: torch.zeros(1) })],
    ['ParameterList', () => new nn.ParameterList([torch.ones(2), torch.zeros(1)])],
    ['BatchNorm1d', () => new nn.BatchNorm1d(3)],
  ])('works for %s', (_, make) => {
    const model = make()
    const copy = deepcopy(model)
    expect(String(copy)).toBe(String(model))
    expect(Object.entries(copy.state_dict()).map(([k, t]) => [k, t.tolist()])).toEqual(
      Object.entries(model.state_dict()).map(([k, t]) => [k, t.tolist()]),
    )
  })

  test('of a recurrent module computes the same', () => {
    const lstm = new nn.LSTM(2, 3, 2, { bidirectional: true })
    const x = torch.randn(4, 1, 2)
    expect(deepcopy(lstm)(x)[0].tolist()).toEqual(lstm(x)[0].tolist())
  })

  test('is made by the class itself where it has private members', () => {
    class Counting extends nn.Module {
      #calls: number
      constructor(calls = 0) {
        super()
        this.#calls = calls
      }
      override __deepcopy__(): this {
        return new Counting(this.#calls) as this
      }
      forward(): number {
        return ++this.#calls
      }
    }
    const counting = new Counting()
    counting()
    const list = deepcopy(new nn.ModuleList<Counting>([counting]))
    expect([list.at(0)(), list.at(0)(), counting()]).toEqual([2, 3, 2])
  })
})

describe('the copy of a tensor', () => {
  test('has the same strides, and a copy of the gradient', () => {
    const t = torch.arange(6).float().view(2, 3).t().requires_grad_()
    t.grad = torch.ones(3, 2)
    const copy = deepcopy(t)
    expect(copy.stride()).toEqual([1, 3])
    expect([copy.requires_grad, copy.is_leaf]).toEqual([true, true])
    expect(copy.grad!.tolist()).toEqual(t.grad.tolist())
    expect(copy.grad === t.grad).toBe(false)
    expect(deepcopy(torch.arange(6).at('::2')).stride()).toEqual([2])
  })

  test('of a recorded one is an error', () => {
    const message =
      'Only Tensors created explicitly by the user (graph leaves) support the deepcopy protocol at the moment'
    const recorded = torch.ones([2], { requires_grad: true }).mul(2)
    expect(() => deepcopy(recorded)).toThrow(torch.RuntimeError)
    expect(() => deepcopy([recorded])).toThrow(message)
  })
})

describe('the copy of what holds them', () => {
  test('goes through objects, lists, maps and sets; what is shared stays shared', () => {
    const [t, at] = [torch.ones(2), new Date(0)]
    const made = {
      t,
      list: [t, 'a', null],
      map: new Map([['k', t]]),
      set: new Set([t]),
      at,
      f: Math.abs,
      dtype: t.dtype,
    }
    const copy = deepcopy({ made, loop: null as unknown, data: new Float32Array([1, 2]) })
    const { made: m } = copy
    expect([m.list[0], m.map.get('k'), [...m.set][0]].every(x => x === m.t)).toBe(true)
    expect(m.t === t).toBe(false)
    expect(m.list.slice(1)).toEqual(['a', null])
    expect([m.at, m.f, m.dtype, copy.data]).toEqual([at, Math.abs, torch.float32, new Float32Array([1, 2])])
    expect(m.at).not.toBe(at)
  })

  test('ends where objects hold one another', () => {
    const a: { next?: unknown } = {}
    a.next = [a]
    const copy = deepcopy(a)
    expect((copy.next as unknown[])[0]).toBe(copy)
    expect(copy).not.toBe(a)
  })

  test('of an optimizer with its model trains the copied parameters', () => {
    const model = new nn.Linear(2, 1)
    const optimizer = new torch.optim.Adam(model.parameters())
    const copy = deepcopy({ model, optimizer })
    expect(copy.optimizer.param_groups[0]!.params[0]).toBe(copy.model.weight)
    const before = model.weight.tolist()
    copy.model(torch.ones(1, 2)).sum().backward()
    copy.optimizer.step()
    expect(model.weight.tolist()).toEqual(before)
    expect(copy.model.weight.tolist()).not.toEqual(before)
  })

  test('is the same copy for calls that share a memo', () => {
    const [memo, t] = [new Map<unknown, unknown>(), torch.ones(1)]
    expect(deepcopy(t, memo)).toBe(deepcopy([t], memo)[0])
  })

  test('refuses generators', () => {
    expect(() => deepcopy(new torch.Generator())).toThrow("cannot pickle 'torch._C.Generator' object")
  })
})
