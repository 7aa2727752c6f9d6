// nn.utils.prune against PyTorch: masks, states and gradients by every method, one after another, over several parameters; errors.
import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import * as torch from '../../src/index.ts'
import { type Summary, summary_difference, summary_differences } from './summary.ts'
import { values } from './values.ts'

const { nn } = torch
const P = nn.utils.prune
type Tensor = torch.Tensor
type Step = [f: string, name: string, ...args: (number | { scores?: number; mask?: number })[]]
type Case = {
  module: 'linear' | 'conv'
  steps: Step[]
  parameters: string[]
  state: Record<string, Summary>
  pruned: boolean
  out: Summary
  grads: Record<string, Summary | null>
  removed: Record<string, Summary>
  left: boolean
}
const recorded = JSON.parse(readFileSync(new URL('../data/nn/prune.json', import.meta.url), 'utf8')) as {
  cases: Case[]
  together: {
    twice: boolean
    method: 'L1Unstructured' | 'RandomUnstructured'
    amount: number
    scores: boolean
    state: Record<string, Summary>
  }[]
  alone: Record<'l1' | 'ln' | 'masked', Summary>
  errors: Record<string, [type: string, message: string]>
}

const at = (sizes: readonly number[], salt: number): Tensor => values(sizes, 'float', salt)
const read = (module: torch.nn.Module, name: string): Tensor =>
  (module as unknown as Record<string, Tensor>)[name]!

function prune(module: torch.nn.Module, [f, name, ...args]: Step): void {
  const { shape } = read(module, name)
  const given = args.map(a =>
    typeof a === 'number'
      ? a
      : a.scores !== undefined
        ? { importance_scores: at(shape, a.scores) }
        : at(shape, a.mask!).gt(0).float(),
  )
  const functions = P as unknown as Record<string, (...args: unknown[]) => unknown>
  expect(functions[f]!(module, name, ...given)).toBe(module)
}

describe('pruned modules', () => {
  test.each(recorded.cases.map(c => [`${c.module} ${JSON.stringify(c.steps)}`, c] as const))('%s', (_, c) => {
    torch.manual_seed(0)
    const module: torch.nn.Layer = c.module === 'linear' ? new nn.Linear(4, 5) : new nn.Conv2d(3, 4, 2)
    const x = at(c.module === 'linear' ? [2, 4] : [1, 3, 4, 4], 1)
    torch.manual_seed(1)
    for (const step of c.steps) prune(module, step)
    expect(module.named_parameters().map(([name]) => name)).toEqual(c.parameters)
    expect(summary_differences(module.state_dict(), c.state)).toEqual([])
    expect(P.is_pruned(module)).toBe(c.pruned)
    const y = module(x)
    expect(summary_difference(y, c.out)).toBeUndefined()
    y.sum().backward()
    const grads = Object.fromEntries(module.named_parameters().map(([name, p]) => [name, p.grad]))
    expect(summary_differences(grads, c.grads)).toEqual([])
    for (const name of [...new Set(c.steps.map(([, name]) => name))].sort()) P.remove(module, name)
    expect(summary_differences(module.state_dict(), c.removed)).toEqual([])
    expect(P.is_pruned(module)).toBe(c.left)
  })

  test.each(recorded.together.map(c => [JSON.stringify({ ...c, state: undefined }), c] as const))(
    'several at once: %s',
    (_, c) => {
      torch.manual_seed(0)
      const [first, second] = [new nn.Linear(3, 4), new nn.Linear(4, 2)]
      const module = new nn.Sequential(first, second)
      torch.manual_seed(1)
      if (c.twice) P.l1_unstructured(first, 'weight', 3)
      const importance_scores = c.scores ? new Map([[second, { bias: at([2], 2).abs().mul(9) }]]) : null
      const parameters = [
        [first, 'weight'],
        [second, 'weight'],
        [second, 'bias'],
      ] as const
      const method = { L1Unstructured: P.L1Unstructured, RandomUnstructured: P.RandomUnstructured }[c.method]
      P.global_unstructured(parameters, method, { amount: c.amount, importance_scores })
      expect(summary_differences(module.state_dict(), c.state)).toEqual([])
    },
  )

  test('train what is left', () => {
    const module = new nn.Linear(3, 2)
    const { weight } = module
    const optimizer = new torch.optim.SGD(module.parameters(), { lr: 0.1 })
    const method = P.L1Unstructured.apply(module, 'weight', 2, {
      importance_scores: torch.arange(6).view(2, 3),
    })
    expect(method).toBeInstanceOf(P.L1Unstructured)
    module(torch.ones(1, 3)).sum().backward()
    optimizer.step()
    module(torch.ones(1, 3))
    expect(module.weight.flatten().narrow(0, 0, 2).abs().tolist()).toEqual([0, 0])
    P.remove(module, 'weight')
    expect(module.weight).toBe(weight)
  })

  test('of whole shares', () => {
    const module = P.l1_unstructured(new nn.Linear(3, 2), 'weight', torch.float_scalar(1))
    expect(module.weight.abs().sum().item()).toBe(0)
  })

  test('are copied with what was pruned', () => {
    const module = P.identity(new nn.Linear(3, 2), 'weight')
    // The weight has been computed; a copy can be made of what has not been recorded.
    torch.no_grad(() => module(torch.ones(1, 3)))
    const copy = torch.deepcopy(module)
    P.l1_unstructured(copy, 'weight', 3)
    expect([read(copy, 'weight_mask').sum().item(), read(module, 'weight_mask').sum().item()]).toEqual([3, 6])
  })
})

test('a method prunes tensors by themselves', () => {
  const t = at([3, 4], 3)
  const default_mask = at([3, 4], 9).gt(0).float()
  const got = {
    l1: new P.L1Unstructured(5).prune(t),
    ln: new P.LnStructured(1, 2, 0).prune(t, { importance_scores: at([3, 4], 8) }),
    masked: new P.L1Unstructured(2).prune(t, { default_mask }),
  }
  expect(summary_differences(got, recorded.alone)).toEqual([])
})

describe("PyTorch's errors", () => {
  const L = (): torch.nn.Linear => new nn.Linear(3, 4)
  const calls: Record<string, () => unknown> = {
    'too many': () => P.l1_unstructured(L(), 'weight', 13),
    share: () => P.l1_unstructured(L(), 'weight', 1.5),
    negative: () => P.l1_unstructured(L(), 'weight', -1),
    // @ts-expect-error no amount
    type: () => P.l1_unstructured(L(), 'weight', 'a'),
    vector: () => P.ln_structured(L(), 'bias', 1, 2, 0),
    dim: () => P.ln_structured(L(), 'weight', 1, 2, 3),
    'not pruned': () => P.remove(L(), 'weight'),
    mask: () => P.custom_from_mask(L(), 'weight', torch.ones(2)),
    // @ts-expect-error no list
    'no list': () => P.global_unstructured(3, P.L1Unstructured, { amount: 1 }),
    structured: () => P.global_unstructured([[L(), 'weight']], P.RandomStructured, { amount: 1 }),
    scores: () => P.l1_unstructured(L(), 'weight', 2, torch.ones(2)),
    'scores alone': () => new P.L1Unstructured(2).prune(torch.ones(3), { importance_scores: torch.ones(2) }),
  }
  test.each(Object.entries(recorded.errors))('%s', (name, [type, message]) => {
    let thrown: unknown
    try {
      calls[name]!()
    } catch (error) {
      thrown = error
    }
    // Classes are shown by their names.
    const text = message.replace(/<class 'torch\.nn\.utils\.prune\.(\w+)'>/, '$1')
    expect([(thrown as Error).constructor.name, (thrown as Error).message]).toEqual([type, text])
  })

  test('leave the module as it was', () => {
    const module = L()
    expect(calls['too many']).toThrow()
    expect(() => P.l1_unstructured(module, 'weight', 13)).toThrow()
    expect(Object.keys(module.state_dict())).toEqual(['weight', 'bias'])
    P.l1_unstructured(module, 'weight', 2)
    expect(() => P.l1_unstructured(module, 'weight', 13)).toThrow()
    expect(P.is_pruned(module)).toBe(true)
  })
})
