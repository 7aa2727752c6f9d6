/**
 * Each optimizer against PyTorch 1.13.1 over 100 steps of one problem: a linear layer under squared errors with a
 * quartic penalty (see test/data/optim/make.py). In float64 the numbers agree to 1e-10, in float32 to 1e-5.
 */
import { describe, expect, it } from 'vitest'
import * as torch from '../../src/index.ts'
import recorded from '../data/optim/steps.json' with { type: 'json' }

type Tensor = torch.Tensor
const dtypes = { float32: torch.float32, float64: torch.float64 }
type Name =
  | 'SGD'
  | 'Adam'
  | 'AdamW'
  | 'Adagrad'
  | 'RMSprop'
  | 'Adadelta'
  | 'Adamax'
  | 'NAdam'
  | 'RAdam'
  | 'ASGD'
  | 'Rprop'
  | 'LBFGS'
type Run = {
  losses: number[]
  params: [number[], number[]][]
  evaluations: number
  state: Record<string, Record<string, string>>
}
type Case = { optimizer: Name; options: Record<string, unknown>; float64: Run; float32: Run }
const cases = recorded.cases as unknown as Case[]

const flat = (t: Tensor): number[] => t.detach().reshape(-1).tolist() as number[]

function make({ optimizer, options }: Case, params: Tensor[]): torch.optim.Optimizer {
  return new torch.optim[optimizer](params, options) as unknown as torch.optim.Optimizer
}

function run(tested: Case, dtype: torch.DType): Omit<Run, 'state'> & { optimizer: torch.optim.Optimizer } {
  const input = (name: keyof typeof recorded.input): Tensor => torch.tensor(recorded.input[name], { dtype })
  const [x, y] = [input('x'), input('y')]
  const weight = input('weight').requires_grad_()
  const bias = input('bias').requires_grad_()
  const optimizer = make(tested, [weight, bias])
  let evaluations = 0
  const closure = (): Tensor => {
    evaluations++
    optimizer.zero_grad()
    const errors = x.mm(weight.t()).add(bias).sub(y)
    const loss = errors.pow(2).sum().div(24).add(weight.pow(4).sum().div(40))
    ;(tested.options['maximize'] ? loss.neg() : loss).backward()
    return loss
  }
  const losses: number[] = []
  const params: [number[], number[]][] = []
  for (let step = 1; step <= 100; step++) {
    losses.push(Number(optimizer.step(closure).item()))
    if (recorded.kept.includes(step)) params.push([flat(weight), flat(bias)])
  }
  return { losses, params, evaluations, optimizer }
}

function expect_close(actual: number[], wanted: number[], tolerance: number, what: string): void {
  const worst = Math.max(...wanted.map((w, i) => Math.abs((actual[i] as number) - w) / (1 + Math.abs(w))))
  expect(worst, what).toBeLessThan(tolerance)
}

const named = cases.map(c => [`${c.optimizer} ${JSON.stringify(c.options)}`, c] as const)

describe.each(named)('%s', (_, tested) => {
  it.each(['float64', 'float32'] as const)('moves as PyTorch does, in %s', kind => {
    const tolerance = kind === 'float64' ? 1e-10 : 1e-5
    const wanted = tested[kind]
    const { losses, params } = run(tested, dtypes[kind])
    expect_close(losses, wanted.losses, tolerance, 'losses')
    // LBFGS goes on until the loss has no more digits; that leaves half of them to the parameters.
    const searched = kind === 'float32' && tested.optimizer === 'LBFGS'
    const of_params = searched ? 1e-3 : tolerance
    params.forEach(([weight, bias], i) => {
      const [wanted_weight, wanted_bias] = wanted.params[i]!
      expect_close(weight, wanted_weight, of_params, `weight after ${recorded.kept[i]} steps`)
      expect_close(bias, wanted_bias, of_params, `bias after ${recorded.kept[i]} steps`)
    })
  })

  it('calls the closure as often, and keeps a state of the same names and kinds', () => {
    const { evaluations, optimizer } = run(tested, torch.float64)
    expect(evaluations).toBe(tested.float64.evaluations)
    const kind = (x: unknown): string =>
      x === null ? 'NoneType' : x instanceof torch.Tensor ? 'Tensor' : Array.isArray(x) ? 'list' : typeof x
    const number = (type: string): string => (type === 'int' || type === 'float' ? 'number' : type)
    const state = Object.entries(optimizer.state_dict().state).map(([index, values]) => [
      index,
      Object.fromEntries(Object.entries(values).map(([name, x]) => [name, kind(x)])),
    ])
    const wanted = Object.entries(tested.float64.state).map(([index, { al: _, ...values }]) => [
      index,
      Object.fromEntries(Object.entries(values).map(([name, type]) => [name, number(type)])),
    ])
    expect(Object.fromEntries(state)).toEqual(Object.fromEntries(wanted))
  })
})

describe('a parameter that is not dense in memory', () => {
  const all = [
    ['SGD', { lr: 0.1, momentum: 0.9, nesterov: true, weight_decay: 0.01 }],
    ['Adam', { lr: 0.1, amsgrad: true, weight_decay: 0.01, maximize: true }],
    ['AdamW', { lr: 0.1 }],
  ] as const
  it.each(all)('moves as a dense one does: %s', (name, options) => {
    const start = torch.arange(6, { dtype: torch.float64 }).view(2, 3)
    const dense = start.t().contiguous().requires_grad_()
    const strided = start.clone().t().detach().requires_grad_()
    expect([dense.is_contiguous(), strided.is_contiguous()]).toEqual([true, false])
    for (const p of [dense, strided]) {
      const optimizer = new torch.optim[name]([p], options)
      for (let step = 0; step < 4; step++) {
        optimizer.zero_grad()
        p.sub(1).pow(2).sum().backward()
        optimizer.step()
      }
    }
    flat(dense).forEach((x, i) => {
      expect(flat(strided)[i]).toBeCloseTo(x, 12)
    })
    expect(strided._version).toBeGreaterThan(0)
    expect(dense._version).toBeGreaterThan(0)
  })
})
