// Every module against PyTorch: its weights after manual_seed(0), its text, its state, what it computes in training or
// evaluation, the gradients of inputs and parameters, and the buffers afterwards.
import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import * as torch from '../../src/index.ts'
import { cotangent, type Data, difference, values } from './values.ts'

type Spec = readonly [number[], string] | readonly Spec[]
type Case = {
  module: string
  args: unknown[]
  kw: Record<string, unknown>
  mode: 'train' | 'eval'
  calls: number
  inputs: Spec[]
  repr: string
  state: Record<string, Data>
  out: Data[]
  input_grads?: (Data | null)[]
  param_grads?: Record<string, Data | null>
  after: Record<string, Data>
}

const cases = JSON.parse(readFileSync(new URL('../data/nn/modules.json', import.meta.url), 'utf8')) as Case[]

type Input = torch.Tensor | Input[]

const is_leaf_spec = (spec: Spec): spec is readonly [number[], string] => typeof spec[1] === 'string'

function input(spec: Spec, salt: number): Input {
  if (!is_leaf_spec(spec)) return spec.map((s, i) => input(s, salt + 10 + i))
  const t = values(spec[0], spec[1], salt)
  return ['float', 'pos', 'prob', 'lprob'].includes(spec[1]) ? t.requires_grad_() : t
}

const flat = (x: unknown): torch.Tensor[] => (Array.isArray(x) ? x.flatMap(flat) : [x as torch.Tensor])

const argument = (x: unknown): unknown =>
  typeof x === 'object' && x !== null && '$tensor' in x
    ? torch.tensor((x as { $tensor: number[] }).$tensor)
    : x

function make(c: Case): torch.nn.Layer {
  const type = (torch.nn as unknown as Record<string, new (...args: unknown[]) => torch.nn.Layer>)[c.module]!
  const options = Object.fromEntries(Object.entries(c.kw).map(([k, v]) => [k, argument(v)]))
  const args = c.args.map(argument)
  return Object.keys(options).length > 0 ? new type(...args, options) : new type(...args)
}

const differences = (
  got: Record<string, torch.Tensor | null>,
  expected: Record<string, Data | null>,
): string[] => {
  expect(Object.keys(got)).toEqual(Object.keys(expected))
  return Object.entries(expected).flatMap(([name, data]) => {
    const found = difference(got[name]!, data)
    return found === undefined ? [] : [`${name} ${found}`]
  })
}

const title = (c: Case): string =>
  `${c.module}(${[...c.args, c.kw].map(x => JSON.stringify(x)).join(', ')}) ${c.mode} ${c.inputs.map(i => JSON.stringify(i)).join(' ')}`

describe('modules are those of PyTorch', () => {
  test.each(cases.map(c => [title(c), c] as const))('%s', (_, c) => {
    torch.manual_seed(0)
    const module = make(c)
    expect(String(module)).toBe(c.repr)
    expect(differences(module.state_dict(), c.state)).toEqual([])

    if (c.mode === 'eval') module.eval()
    torch.manual_seed(1)
    let inputs: Input[] = []
    let out: unknown
    for (let i = 0; i < c.calls; i++) {
      inputs = c.inputs.map(input)
      out = module(...(inputs as [torch.Tensor]))
    }
    const outs = flat(out)
    expect(outs.length).toBe(c.out.length)
    expect(outs.flatMap((t, i) => difference(t, c.out[i]!) ?? [])).toEqual([])
    expect(differences(Object.fromEntries(module.named_buffers()), c.after)).toEqual([])

    if (c.input_grads === undefined) return
    const terms = outs
      .filter(t => t.is_floating_point() && t.requires_grad)
      .map(t => t.mul(cotangent(t)).sum())
    terms.reduce((a, b) => a.add(b)).backward()
    const grads = inputs.flatMap(flat).map(t => t.grad)
    expect(grads.flatMap((g, i) => difference(g, c.input_grads![i]!) ?? [])).toEqual([])
    const own = Object.fromEntries(module.named_parameters().map(([name, p]) => [name, p.grad]))
    expect(differences(own, c.param_grads!)).toEqual([])
  })
})
