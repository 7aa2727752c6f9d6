/** The notebooks under examples/notebooks/: they print what PyTorch 1.13.1 prints, and draw their plots. */
import { existsSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import * as autograd from '../../examples/notebooks/autograd.ts'
import * as introduction from '../../examples/notebooks/introduction.ts'
import * as modules from '../../examples/notebooks/modules.ts'
import * as optimizers from '../../examples/notebooks/optimizers.ts'
import * as torch from '../../src/index.ts'
import text from '../data/examples/text.json' with { type: 'json' }
import traces from '../data/examples/traces.json' with { type: 'json' }
import { agree, expect_text, printed } from './printed.ts'

/** Runs a section from the seed it was recorded with, and compares what it prints. */
function section<T>(name: keyof typeof text, body: () => T, seeded = true): T {
  if (seeded) torch.manual_seed(0)
  const { text: actual, result } = printed(body)
  expect_text(actual, text[name])
  return result
}

const quietly = <T>(body: () => T): T => printed(body).result

function expect_plot(name: string): void {
  const file = new URL(`../../examples/output/${name}.svg`, import.meta.url)
  expect(existsSync(file)).toBe(true)
  expect(readFileSync(file, 'utf8')).toMatch(/^<svg [\s\S]*<path [\s\S]*<\/svg>$/)
}

describe('introduction', () => {
  it('ranges and functions of them', () => {
    const x = section('introduction.first_and_last', introduction.first_and_last)
    const y3 = section('introduction.vector_computations', () => introduction.vector_computations(x))
    section('introduction.clamped', () => introduction.clamped(x, y3))
    expect_plot('introduction_functions')
    expect_plot('introduction_clamped')
  })

  it('rows, columns and products', () => {
    const { m, dot_product, outer_product } = section(
      'introduction.multidimensional',
      introduction.multidimensional,
    )
    expect_plot('introduction_products')
    section('introduction.products_by_mm', () => introduction.products_by_mm(m, dot_product, outer_product))
  })

  it('rearrangement', () => section('introduction.rearrange', introduction.rearrange))
  it('einsum', () => section('introduction.einsum', introduction.einsum))
  it('covariance', () => section('introduction.covariance', introduction.covariance))
})

describe('autograd', () => {
  it('grad and backward give -2x sin(x²)', () => {
    const { x, dydx } = autograd.by_grad()
    const wanted = x.detach().mul(x.detach().pow(2).sin()).mul(-2)
    expect(torch.allclose(dydx, wanted, { atol: 1e-5 })).toBe(true)
    section('autograd.by_backward', autograd.by_backward)
    expect_plot('autograd_grad')
    expect_plot('autograd_backward')
  })

  it('a cubic', () => section('autograd.cubic_derivative', autograd.cubic_derivative))
  it('two inputs', () => section('autograd.two_inputs', autograd.two_inputs))
  it('accumulation', () => section('autograd.accumulate', autograd.accumulate))
  it('a second derivative', () => section('autograd.second_derivative', autograd.second_derivative))
})

describe('optimizers', () => {
  type Wanted = { losses: (number | null)[] }

  /** Five digits over the first steps. Near its lowest point the bowl has a kink, where steps go one way or another. */
  function expect_trace({ losses }: optimizers.Trace, wanted: Wanted): void {
    const first = wanted.losses.slice(0, 21).map(Number)
    expect(first.filter((loss, i) => Math.abs(losses[i]! - loss) > 1e-6 + 5e-5 * loss)).toEqual([])
    expect(losses).toHaveLength(wanted.losses.length)
    expect(losses.at(-1)).toBeLessThan(0.5 * losses[0]!)
  }

  it('by hand, with a plot of the way', () => {
    torch.manual_seed(0)
    const trace = optimizers.by_hand(torch.randn(2))
    expect_trace(trace, traces['by hand'])
    optimizers.plot_progress('optimizers_by_hand', trace)
    expect_plot('optimizers_by_hand')
  })

  it.each(Object.keys(traces.examples) as (keyof typeof traces.examples)[])('%s', name => {
    torch.manual_seed(0)
    expect_trace(optimizers.by_optimizer(torch.randn(2), optimizers.examples[name]!), traces.examples[name])
  })

  it.each(Object.keys(traces.exercises) as (keyof typeof traces.exercises)[])('exercise: %s', name => {
    const start = torch.tensor([-1, 0], { dtype: torch.float32 })
    const wanted = traces.exercises[name]
    const trace = optimizers.by_optimizer(start, optimizers.exercises[name]!, 101)
    if (name !== 'LBFGS') return expect_trace(trace, wanted)
    // It leaves the bowl at the second step, for good.
    expect(agree(trace.losses[0]!, wanted.losses[0]!) && agree(trace.losses[1]!, wanted.losses[1]!)).toBe(
      true,
    )
    expect([trace.losses[20], wanted.losses[20]]).toEqual([Infinity, null])
  })
})

describe('modules', () => {
  it('a layer, its parameters, its gradients and its state', () => {
    const net = section('modules.linear', modules.linear)
    section('modules.named_parameters', () => modules.named_parameters(net), false)
    section('modules.gradients', () => modules.gradients(net), false)
    section('modules.zero_bias', () => modules.zero_bias(net), false)
    const state = section('modules.save_and_load', () => modules.save_and_load(net), false)
    const net2 = section('modules.load_without_bias', () => modules.load_without_bias(state), false)
    expect(net2.weight.equal(net.weight)).toBe(true)
  })

  it('training by hand', () => {
    torch.manual_seed(0)
    const { net, log } = quietly(() => modules.train_by_hand())
    expect(log.slice(0, 100).filter((loss, i) => !agree(loss, traces.train_by_hand[i]!))).toEqual([])
    expect(net.weight.abs().max().item()).toBeLessThan(1e-4)
    expect(net.bias!.sub(1).abs().max().item()).toBeLessThan(1e-4)
    expect_plot('modules_by_hand')
    expect_plot('modules_by_hand_log')
  })

  it('training by Adam', () => {
    torch.manual_seed(0)
    const { net, log } = quietly(() => modules.train_by_adam())
    expect(log.slice(0, 100).filter((loss, i) => !agree(loss, traces.train_by_adam[i]!))).toEqual([])
    expect(net.weight.abs().max().item()).toBeLessThan(1e-6)
    expect(`bias is ${net.bias}`).toBe(text['modules.train_by_adam'])
  })

  it('a network of networks', () => section('modules.describe', modules.describe))
  it('a network with a residual', () => section('modules.residual', modules.residual))

  /** Accuracies of 10,000 points: a point at the border may fall to the other side. */
  function expect_accuracies(
    actual: ReadonlyMap<number, number>,
    wanted: Readonly<Record<string, number>>,
  ): void {
    expect([...actual.keys()].map(String)).toEqual(Object.keys(wanted))
    for (const [iteration, accuracy] of actual) {
      const digits = iteration < 32 ? 5e-4 : 5e-3
      expect(Math.abs(accuracy - wanted[iteration]!), `iteration ${iteration}`).toBeLessThan(digits)
    }
  }

  it('learns a curve, and what it learned is drawn', () => {
    torch.manual_seed(0)
    const mlp = modules.make_mlp()
    const accuracies = quietly(() => modules.train_classifier(mlp, modules.above_sine, 128))
    expect_accuracies(accuracies, traces.above_sine)
    modules.visualize_net('modules_above_sine', mlp, modules.above_sine)
    expect_plot('modules_above_sine')
  })

  it('learns other objectives, and so does the network with a residual', () => {
    torch.manual_seed(0)
    const parabola = quietly(() =>
      modules.train_classifier(modules.make_mlp(), modules.objectives['above_parabola']!, 64),
    )
    expect_accuracies(parabola, traces.above_parabola)
    torch.manual_seed(0)
    expect_accuracies(
      quietly(() => modules.train_classifier(modules.residual(), modules.above_sine, 64)),
      traces.residual,
    )
  })
})
