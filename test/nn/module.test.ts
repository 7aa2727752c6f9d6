// Module: calling, finding members, changing the tree, state; against what PyTorch does with the same classes.
import { inspect } from 'node:util'
import { describe, expect, expectTypeOf, test } from 'vitest'
import * as torch from '../../src/index.ts'
import { type Block, Net, recorded, rounded } from './behaviour.ts'

const { nn } = torch
const names = (entries: readonly (readonly [string, unknown])[]): string[] => entries.map(([name]) => name)

describe('a module', () => {
  test('is a function, an instance of its class, and typed by forward', () => {
    class Scale extends nn.Module {
      #calls = 0
      readonly by: number
      constructor(by: number) {
        super()
        this.by = by
      }
      forward(x: torch.Tensor, options?: { twice?: boolean }): torch.Tensor {
        this.#calls++
        return x.mul(this.by * ((options?.twice ?? false) ? 2 : 1))
      }
      get calls(): number {
        return this.#calls
      }
    }
    const scale = new Scale(3)
    expect(typeof scale).toBe('function')
    expect(scale).toBeInstanceOf(Scale)
    expect(scale).toBeInstanceOf(nn.Module)
    expect(rounded(scale(torch.ones(2)))).toEqual([3, 3])
    expect(rounded(scale(torch.ones(2), { twice: true }))).toEqual([6, 6])
    expect(scale.calls).toBe(2)
    expectTypeOf(scale).parameters.toEqualTypeOf<[x: torch.Tensor, options?: { twice?: boolean }]>()
    expectTypeOf(scale).returns.toEqualTypeOf<torch.Tensor>()
    // @ts-expect-error no such option
    scale(torch.ones(1), { thrice: true })
    // @ts-expect-error no tensor
    expect(() => scale('x')).toThrow()
  })

  test('can be passed where any module from tensor to tensor is wanted', () => {
    const apply = (model: torch.nn.Layer): torch.Tensor => model(torch.ones(1, 2))
    expect(apply(new Net()).shape.join()).toBe('1,1')
    expect(apply(new nn.Sequential(new nn.Linear(2, 3), new nn.ReLU())).shape.join()).toBe('1,3')
    // @ts-expect-error an LSTM gives a pair
    apply(new nn.LSTM(2, 3))
  })

  test('may use names that functions have', () => {
    class Named extends nn.Module {
      override name = 'mine'
      override length: torch.nn.Parameter = nn.Parameter(torch.ones(1))
      forward(): string {
        return this.name
      }
    }
    const named = new Named()
    expect(named()).toBe('mine')
    expect(names(named.named_parameters())).toEqual(['length'])
    expect(named.call).toBeUndefined()
  })

  test('prints as a tree', () => {
    expect(String(new Net())).toBe(recorded.repr)
    expect(inspect(new Net())).toBe(recorded.repr)
    expect(`${new nn.ReLU()}`).toBe('ReLU()')
  })

  test('passes an error of forward on', () => {
    expect(() => new nn.Linear(5, 3)(torch.zeros(2, 4))).toThrow(
      'mat1 and mat2 shapes cannot be multiplied (2x4 and 5x3)',
    )
  })
})

describe('members', () => {
  test('are found in order of assignment, shared ones once', () => {
    const net = new Net()
    expect(names(net.named_parameters())).toEqual(recorded.parameters)
    expect(names(net.named_parameters('net'))).toEqual(recorded['parameters twice'])
    expect(names(net.named_parameters({ prefix: 'net' }))).toEqual(recorded['parameters twice'])
    expect(names(net.first.named_parameters('', false))).toEqual(recorded['own parameters'])
    expect(net.first.parameters({ recurse: false })[0]).toBe(net.first.scale)
    expect(names(net.named_buffers())).toEqual(recorded.buffers)
    expect(names(net.named_modules())).toEqual(recorded.modules)
    expect(names(net.named_modules({ remove_duplicate: false }))).toEqual(recorded['modules with repeats'])
    expect(names(net.named_children())).toEqual(recorded.children)
    expect(net.children()).toEqual([net.first, net.layers, net.head])
    expect(net.parameters().length).toBe(net.named_parameters().length)
    expect(net.parameters().every(p => p instanceof nn.Parameter && p.requires_grad)).toBe(true)
  })

  test('are removed by delete, replaced by assignment', () => {
    const net = new Net() as Omit<Net, 'first'> & { first?: Block }
    delete net.first
    expect(names(net.named_parameters())).toEqual(recorded['after delete'])
    net.head = new nn.Linear(2, 3)
    expect(String(net.head)).toBe(recorded['after replace'])
    expect(net.named_parameters().at(-1)?.[0]).toBe('head.bias')
  })

  test('are found by path', () => {
    const net = new Net()
    expect(net.get_submodule('')).toBe(net)
    expect(net.get_submodule('layers.0.lin')).toBe(net.layers.at(0).lin)
    expect(net.get_parameter('layers.0.lin.weight')).toBe(net.layers.at(0).lin.weight)
    expect(net.get_buffer('first.seen')).toBe(net.first.seen)
  })

  test('keep their order where names are numbers', () => {
    class Numbered extends nn.Module {
      forward(): void {}
    }
    const m = new Numbered()
    m.add_module('b', new nn.ReLU())
    m.add_module('10', new nn.Tanh())
    m.add_module('2', new nn.Sigmoid())
    m.register_module('a', new nn.ReLU())
    expect(names(m.named_children())).toEqual(['b', '10', '2', 'a'])
  })

  test('of weight tying count once and are saved twice', () => {
    const encoder = new nn.Linear(2, 2, false)
    const decoder = new nn.Linear(2, 2, false)
    decoder.weight = encoder.weight
    const model = new nn.Sequential(encoder, decoder)
    expect(model.parameters().length).toBe(1)
    expect(Object.keys(model.state_dict())).toEqual(['0.weight', '1.weight'])
  })

  test('may not be replaced by plain tensors or other values', () => {
    const m = new nn.Linear(2, 2) as unknown as { weight: unknown; parameters(): unknown }
    m.parameters()
    m.weight = torch.ones(2, 2)
    expect(() => m.parameters()).toThrow(
      "cannot assign 'torch.FloatTensor' as parameter 'weight' (torch.nn.Parameter or None expected)",
    )
    const net = new Net() as unknown as {
      head: unknown
      children(): unknown
      first: { seen: unknown; buffers(): unknown }
    }
    net.children()
    net.head = 3
    expect(() => net.children()).toThrow(
      "cannot assign 'int' as child module 'head' (torch.nn.Module or None expected)",
    )
    net.first.seen = 3
    expect(() => net.first.buffers()).toThrow(
      "cannot assign 'int' as buffer 'seen' (torch.Tensor or None expected)",
    )
  })

  test('buffers are assigned like properties', () => {
    const net = new Net()
    net.first.seen = torch.ones(1)
    expect(rounded(net.state_dict()['first.seen'])).toEqual([1])
    class Declared extends nn.Module {
      // A field without initialiser is there, as undefined, before the constructor's body.
      mask: torch.Tensor | null = undefined as unknown as null
      constructor() {
        super()
        this.register_buffer('mask', null)
      }
      forward(): void {}
    }
    expect(new Declared().buffers()).toEqual([])
  })
})

describe('the tree', () => {
  test('is visited children first by apply', () => {
    const order: string[] = []
    const net = new Net()
    expect(net.apply(m => order.push(m.constructor.name))).toBe(net)
    expect(order).toEqual(recorded.apply)
  })

  test('changes mode as a whole', () => {
    const net = new Net()
    expect(net.eval()).toBe(net)
    expect(net.modules().map(m => m.training)).toEqual(recorded.eval)
    expect(
      net
        .train()
        .modules()
        .every(m => m.training),
    ).toBe(true)
    expect(net.parameters().every(p => p.requires_grad)).toBe(true)
  })

  test('is frozen by requires_grad_', () => {
    const net = new Net().requires_grad_(false)
    expect(net.parameters().some(p => p.requires_grad)).toBe(false)
  })

  test('clears gradients to zeros, or drops them', () => {
    const lin = new nn.Linear(2, 1)
    lin(torch.ones(1, 2)).sum().backward()
    lin.zero_grad()
    expect(rounded(lin.weight.grad)).toEqual([0, 0])
    lin.zero_grad({ set_to_none: true })
    expect(lin.weight.grad).toBeNull()
  })

  test('is converted in place, gradients and buffers as well', () => {
    const net = new nn.BatchNorm1d(2)
    net(torch.randn(3, 2)).sum().backward()
    const { weight } = net
    expect(net.double()).toBe(net)
    expect(net.weight).toBe(weight)
    expect([
      weight?.dtype,
      weight?.grad?.dtype,
      net.running_mean?.dtype,
      net.num_batches_tracked?.dtype,
    ]).toEqual([torch.float64, torch.float64, torch.float64, torch.int64])
    expect(net.to('cpu', torch.float32).weight?.dtype).toBe(torch.float32)
    expect(net.to({ dtype: torch.float64 }).weight?.dtype).toBe(torch.float64)
    expect(net.to(torch.ones(1)).weight?.dtype).toBe(torch.float32)
    expect(net.half().weight?.dtype).toBe(torch.float16)
    expect(net.bfloat16().weight?.dtype).toBe(torch.bfloat16)
    expect(net.float().cpu().weight?.dtype).toBe(torch.float32)
    expect(() => net.cuda()).toThrow()
  })
})

describe('state', () => {
  test('has the names and the order of PyTorch, and shares memory', () => {
    const net = new Net()
    const state = net.state_dict()
    expect(Object.keys(state)).toEqual(recorded.state)
    expect(Object.keys(net.state_dict({ prefix: 'm.' }))).toEqual(recorded['state prefix'])
    expect(state['head.weight']?.requires_grad).toBe(false)
    expect(net.state_dict({ keep_vars: true })['head.weight']).toBe(net.head.weight)
    torch.no_grad(() => net.head.weight.fill_(7))
    expect(rounded(state['head.weight'])).toEqual([7, 7])
  })

  test('is loaded exactly', () => {
    torch.manual_seed(0)
    const [a, b] = [new Net().eval(), new Net().eval()]
    const x = torch.randn(3, 2)
    expect(torch.equal(a(x), b(x))).toBe(false)
    const result = b.load_state_dict(a.state_dict())
    expect(String(result)).toBe('<All keys matched successfully>')
    expect(inspect(result)).toBe('<All keys matched successfully>')
    expect(torch.equal(a(x), b(x))).toBe(true)
    expect(String(new Net().load_state_dict(new Map(Object.entries(a.state_dict()))))).toBe(
      '<All keys matched successfully>',
    )
  })

  test('is loaded in part where not strict', () => {
    const lin = new nn.Linear(2, 1, false)
    const result = lin.load_state_dict({ weight: torch.ones(1, 2), bias: torch.ones(1) }, { strict: false })
    expect(String(result)).toBe("_IncompatibleKeys(missing_keys=[], unexpected_keys=['bias'])")
    const [missing, unexpected] = result
    expect([missing, unexpected]).toEqual([[], ['bias']])
    expect(rounded(lin.weight)).toEqual([1, 1])
    expect(lin.load_state_dict({}, false).missing_keys).toEqual(['weight'])
  })

  test('of BatchNorm before its version 2 has no count of batches', () => {
    const bn = new nn.BatchNorm1d(2)
    const { num_batches_tracked: _, ...old } = bn.state_dict()
    expect(String(new nn.BatchNorm1d(2).load_state_dict(old))).toBe('<All keys matched successfully>')
    const state = bn.state_dict()
    delete state.num_batches_tracked
    expect(() => new nn.BatchNorm1d(2).load_state_dict(state)).toThrow(
      'Missing key(s) in state_dict: "num_batches_tracked". ',
    )
  })

  test('may have more than tensors', () => {
    class Counter extends nn.Module {
      count = 0
      forward(): void {}
      override get_extra_state(): unknown {
        return { count: this.count }
      }
      override set_extra_state(state: unknown): void {
        this.count = (state as { count: number }).count
      }
    }
    const a = new nn.Sequential({ counter: new Counter() })
    ;(a.get_submodule('counter') as Counter).count = 5
    expect(a.state_dict()).toEqual({ 'counter._extra_state': { count: 5 } })
    const b = new nn.Sequential({ counter: new Counter() })
    b.load_state_dict(a.state_dict())
    expect((b.get_submodule('counter') as Counter).count).toBe(5)
    expect(() => b.load_state_dict({})).toThrow('Missing key(s) in state_dict: "counter._extra_state". ')
  })

  test('hooks see it', () => {
    const lin = new nn.Linear(1, 1, false)
    lin._register_state_dict_hook((_, state, prefix) => {
      state[`${prefix}extra`] = torch.ones(1)
    })
    const seen: string[] = []
    lin._register_load_state_dict_pre_hook(state => {
      delete state.extra
    })
    lin.register_load_state_dict_post_hook((_, keys) => {
      seen.push(...keys.missing_keys)
      keys.missing_keys.length = 0
    })
    const state = lin.state_dict()
    expect(Object.keys(state)).toEqual(['weight', 'extra'])
    expect(String(lin.load_state_dict(state))).toBe('<All keys matched successfully>')
    lin.load_state_dict({})
    expect(seen).toEqual(['weight'])
  })
})
