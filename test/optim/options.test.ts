/**
 * Every optimizer with each of its options, on real and complex parameters and in groups, over 100 steps: saved and loaded in
 * the middle, against PyTorch's losses, parameters, states and text; and the errors for options that make no sense.
 */
import { describe, expect, it } from 'vitest'
import * as torch from '../../src/index.ts'
import recorded from '../data/optim/options.json' with { type: 'json' }

const { optim } = torch
type Tensor = torch.Tensor
type Options = Record<string, unknown>
type Any = {
  step(closure?: () => Tensor): Tensor
  zero_grad(): void
  state_dict(): torch.optim.OptimizerStateDict
  load_state_dict(state: torch.optim.OptimizerStateDict): void
}
type Row = {
  readonly optimizer: string
  readonly options: Options
  readonly kind: string
  readonly grouped: boolean
  readonly losses: readonly number[]
  readonly params: readonly (readonly number[])[]
  readonly state: Readonly<Record<string, Readonly<Record<string, unknown>>>>
  readonly text: string
}
const { cases, errors, input, steps, saved_at, kept } = recorded as unknown as {
  cases: Row[]
  errors: { optimizer: string; options: Options; where: string; error: string; message: string }[]
  input: Record<'x' | 'y' | 'weight' | 'bias', number[] | number[][]>
  steps: number
  saved_at: number
  kept: number[]
}

const make = (name: string, params: unknown, options: Options): Any =>
  (optim as unknown as Record<string, (params: unknown, options: Options) => Any>)[name]!(params, options)
const double = (x: unknown): Tensor => torch.tensor(x as number[], { dtype: torch.float64 })

/** A linear layer under squared errors, with a quartic penalty; of complex parameters under squared magnitudes. */
function problem(kind: string): { weight: Tensor; bias: Tensor; loss: () => Tensor } {
  let [x, y, weight, bias] = [input.x, input.y, input.weight, input.bias].map(double) as [
    Tensor,
    Tensor,
    Tensor,
    Tensor,
  ]
  const complex = kind === 'complex'
  if (complex) {
    weight = torch.complex(weight, weight.flip([0]).mul(0.5))
    bias = torch.complex(bias, bias.neg())
    x = torch.complex(x, x.mul(0))
  }
  weight.requires_grad_()
  bias.requires_grad_()
  const loss = (): Tensor => {
    const away = x.mm(weight.t()).add(bias).sub(y)
    const penalty = weight.abs().pow(4).sum().div(40)
    const squares = complex ? torch.real(away).pow(2).add(torch.imag(away).pow(2)) : away.pow(2)
    return squares.sum().div(10).add(penalty)
  }
  return { weight, bias, loss }
}

const flat = (t: Tensor): number[] =>
  (t.is_complex() ? torch.view_as_real(t.detach()) : t.detach()).flatten().tolist() as number[]
function values(x: unknown): unknown {
  if (x instanceof torch.Tensor) return flat(x)
  return Array.isArray(x) ? x.map(values) : x
}

/** The same numbers, to 9 digits: sums are added up in another order than PyTorch's, 100 times. */
function expect_close(actual: unknown, expected: unknown, where: string): void {
  if (Array.isArray(expected)) {
    expect(actual, where).toHaveLength(expected.length)
    expected.forEach((e, i) => expect_close((actual as unknown[])[i], e, `${where}[${i}]`))
  } else if (typeof expected === 'number') {
    const [got] = [actual].flat() as number[]
    expect(Math.abs(Number(got) - expected), `${where}: ${got}, not ${expected}`).toBeLessThanOrEqual(
      1e-9 * Math.abs(expected) + 1e-10,
    )
  } else expect(actual, where).toEqual(expected)
}

describe('a run, saved and loaded in the middle, is as in PyTorch:', () => {
  it.each(
    cases.map(c => {
      const title = `${c.optimizer} ${JSON.stringify(c.options)} ${c.kind}${c.grouped ? ' in groups' : ''}`
      return [title, c] as const
    }),
  )('%s', (_, c) => {
    const { weight, bias, loss } = problem(c.kind)
    const build = (): Any =>
      make(
        c.optimizer,
        c.grouped ? [{ params: [weight], lr: 0.02 }, { params: [bias] }] : [weight, bias],
        c.options,
      )
    let optimizer = build()
    const closure = (): Tensor => {
      optimizer.zero_grad()
      const value = loss()
      ;(c.options['maximize'] === true ? value.neg() : value).backward()
      return value
    }
    const losses: number[] = []
    for (let step = 1; step <= steps; step++) {
      const value = Number(optimizer.step(closure).item())
      if (kept.includes(step)) losses.push(value)
      if (step === saved_at) {
        const saved = optimizer.state_dict()
        optimizer = build()
        optimizer.load_state_dict(saved)
      }
    }
    expect_close(losses, c.losses, 'losses')
    expect_close([flat(weight), flat(bias)], c.params, 'parameters')
    const state = optimizer.state_dict().state as Record<string, Record<string, unknown>>
    for (const [p, wanted] of Object.entries(c.state))
      for (const [name, value] of Object.entries(wanted))
        expect_close(values(state[p]![name]), value, `state ${p}.${name}`)
    expect(String(optimizer)).toBe(c.text)
  })
})

describe('an option that makes no sense', () => {
  it.each(errors.map(e => [`${e.optimizer} ${JSON.stringify(e.options)}`, e] as const))('%s', (_, e) => {
    const p = torch.ones(2, { requires_grad: true })
    const q = torch.ones(2, { requires_grad: true })
    const params = e.where === 'groups' ? [{ params: [p] }, { params: [q] }] : [p]
    const act = (): void => {
      const optimizer = make(e.optimizer, params, e.options)
      if (e.where !== 'step') return
      p.sum().backward()
      optimizer.step(() => p.sum())
    }
    let thrown: unknown
    try {
      act()
    } catch (error) {
      thrown = error
    }
    expect(thrown).toBeInstanceOf(Error)
    expect(`${(thrown as Error).name}: ${(thrown as Error).message.split('\n')[0]}`).toBe(
      `${e.error}: ${e.message}`,
    )
  })
})

it('SparseAdam prints as in PyTorch', () => {
  expect(String(optim.SparseAdam([torch.ones(1, { requires_grad: true })]))).toBe(recorded.text.SparseAdam)
})
