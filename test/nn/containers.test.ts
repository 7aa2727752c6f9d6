// Containers of modules and of parameters.
import { describe, expect, expectTypeOf, test } from 'vitest'
import * as torch from '../../src/index.ts'
import { recorded, rounded } from './behaviour.ts'

const { nn } = torch
const keys = (m: torch.nn.Module): string[] => m.named_children().map(([name]) => name)

test('containers and parameters print as in PyTorch', () => {
  const parameters = new nn.ParameterDict({ b: torch.zeros(2, 3), a: nn.Parameter(torch.zeros(1)) })
  expect({
    empty: String(new nn.Sequential()),
    list: String(new nn.ModuleList([new nn.Linear(1, 1), new nn.ReLU()])),
    dict: String(new nn.ModuleDict({ b: new nn.ReLU(), a: new nn.ModuleList([new nn.Tanh()]) } as never)),
    'parameter list': String(
      new nn.ParameterList([torch.zeros(2, 3), nn.Parameter(torch.zeros(1).double())]),
    ),
    'parameter dict': String(parameters),
    nested: String(new nn.Sequential(new nn.Sequential(new nn.Linear(1, 2)), new nn.LSTM(2, 3))),
    parameter: String(
      nn.Parameter(
        torch.tensor([
          [1.5, 2],
          [3, 4],
        ]),
      ),
    ),
    'frozen parameter': String(nn.Parameter(torch.ones(2), false)),
  }).toEqual(recorded.reprs)
})

describe('Parameter', () => {
  test('is a tensor on the same memory, made with or without new', () => {
    const t = torch.ones(2)
    for (const p of [nn.Parameter(t), new nn.Parameter(t)]) {
      expect(p).toBeInstanceOf(nn.Parameter)
      expect(p).toBeInstanceOf(torch.Tensor)
      expect([p.requires_grad, p.is_leaf, p.data_ptr() === t.data_ptr()]).toEqual([true, true, true])
    }
    expect(t).not.toBeInstanceOf(nn.Parameter)
    expect(nn.Parameter(t, { requires_grad: false }).requires_grad).toBe(false)
    expect(nn.Parameter().shape.join()).toBe('0')
  })
})

describe('Sequential', () => {
  test('runs its modules in order', () => {
    const double = new nn.Linear(1, 1, false)
    torch.no_grad(() => double.weight.fill_(2))
    const model = new nn.Sequential(double, new nn.Threshold(3, 0), double)
    expect(rounded(model(torch.tensor([[1], [2]]).float()))).toEqual([0, 8])
    expect(new nn.Sequential()(torch.ones(1)).item()).toBe(1)
  })

  test('is indexed, sliced, iterated, with the types of its modules', () => {
    const [a, b, c] = [new nn.Linear(1, 2), new nn.ReLU(), new nn.Linear(2, 1)]
    const model = new nn.Sequential(a, b, c)
    expect([model.at(0), model[1], model.at(-1), ...model]).toEqual([a, b, c, a, b, c])
    expectTypeOf(model.at(0)).toEqualTypeOf<torch.nn.Linear>()
    expectTypeOf(model.at(1)).toEqualTypeOf<torch.nn.ReLU>()
    expect(model.length).toBe(3)
    expect(keys(model.at('1:'))).toEqual(['1', '2'])
    expect(keys(model.slice(0, -1))).toEqual(['0', '1'])
    expect([...model.at('::-1')]).toEqual([c, b, a])
  })

  test('takes names', () => {
    const given = { conv: new nn.Conv1d(1, 1, 1), relu: new nn.ReLU() }
    expect(keys(new nn.Sequential(given))).toEqual(['conv', 'relu'])
    expect(keys(new nn.Sequential(new Map(Object.entries(given))))).toEqual(['conv', 'relu'])
    expect(keys(new nn.Sequential(given).append(new nn.Tanh()))).toEqual(['conv', 'relu', '2'])
  })

  test('changes', () => {
    const model = new nn.Sequential(new nn.ReLU(), new nn.Tanh()) as torch.nn.Sequential
    model.append(new nn.Sigmoid()).insert(1, new nn.SELU()).extend([new nn.ELU()])
    expect(String([...model])).toBe('ReLU(),SELU(),Tanh(),Sigmoid(),ELU(alpha=1.0)')
    expect(String(model.pop(1))).toBe('SELU()')
    model.set(0, new nn.Mish())
    expect([...model].map(String)).toEqual(['Mish()', 'Tanh()', 'Sigmoid()', 'ELU(alpha=1.0)'])
    expect(keys(model)).toEqual(['0', '1', '2', '3'])
  })
})

test('ModuleList holds modules whose parameters are found', () => {
  const list = new nn.ModuleList([new nn.Linear(1, 2), new nn.Linear(2, 3)])
  list.append(new nn.Linear(3, 4))
  list.insert(0, new nn.Linear(9, 1))
  list.extend(new nn.ModuleList([new nn.Linear(4, 5)]))
  expect([...list].map(l => l.out_features)).toEqual([1, 2, 3, 4, 5])
  expect(list.at('1:4:2').length).toBe(2)
  expect(list.slice(-2).at(0).out_features).toBe(4)
  expect(list.pop(0).in_features).toBe(9)
  expect(list[0]?.in_features).toBe(1)
  list.set(-1, new nn.Linear(7, 7))
  expect(Object.keys(list.state_dict())).toEqual(
    ['0', '1', '2', '3'].flatMap(i => [`${i}.weight`, `${i}.bias`]),
  )
})

test('ModuleDict keeps the order of insertion', () => {
  const dict = new nn.ModuleDict<torch.nn.Layer>([
    ['lrelu', new nn.LeakyReLU()],
    ['10', new nn.PReLU()],
  ])
  dict.set('2', new nn.ReLU())
  dict.update(new Map([['a', new nn.Tanh()]]))
  expect(dict.keys()).toEqual(['lrelu', '10', '2', 'a'])
  expect([...dict]).toEqual(dict.keys())
  expect(String(dict.at('2'))).toBe('ReLU()')
  expect([dict.has('2'), dict.has('x'), dict.length]).toEqual([true, false, 4])
  expect(String(dict.pop('lrelu'))).toBe('LeakyReLU(negative_slope=0.01)')
  expect(dict.values().length).toBe(3)
  expect(Object.keys(dict.state_dict())).toEqual(['10.weight'])
  dict.clear()
  expect(dict.items()).toEqual([])
  expect(() => dict.set('keys', new nn.ReLU())).toThrow("attribute 'keys' already exists")
})

test('ParameterList makes parameters of tensors', () => {
  const list = new nn.ParameterList([torch.ones(1), nn.Parameter(torch.zeros(2))])
  list.append(torch.ones(3)).extend([torch.ones(4)])
  expect(list.parameters().map(p => p.numel())).toEqual([1, 2, 3, 4])
  expect(list.at(-1)).toBeInstanceOf(nn.Parameter)
  expect(list.at('1:3').length).toBe(2)
  list.set(0, torch.ones(7))
  expect([...list][0]?.numel()).toBe(7)
})

test('ParameterDict holds parameters by name', () => {
  const dict = new nn.ParameterDict(
    new Map([
      ['z', torch.ones(1)],
      ['5', torch.ones(2)],
    ]),
  )
  dict.set('a', torch.ones(3))
  expect(dict.keys()).toEqual(['z', '5', 'a'])
  expect(dict.named_parameters().map(([name]) => name)).toEqual(['z', '5', 'a'])
  expect(dict.get('nothing')).toBeNull()
  expect(dict.setdefault('b', torch.zeros(1)).numel()).toBe(1)
  expect(dict.popitem()[0]).toBe('b')
  expect(dict.copy().keys()).toEqual(['z', '5', 'a'])
  expect(dict.pop('z').numel()).toBe(1)
  expect([dict.length, dict.has('z')]).toEqual([2, false])
})
