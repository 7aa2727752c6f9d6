import { describe, expect, it } from 'vitest'
import { float32 } from '../../src/base/dtype.ts'
import { differentiate } from '../../src/ir/differentiate.ts'
import { constant, Expr, variable } from '../../src/ir/expr.ts'
import { type PrimName, prims } from '../../src/ir/prims.ts'
import type { Value } from '../../src/ir/value.ts'
import { evaluate, numbers, torch, tuples } from './reference.ts'

const seed = constant(1.5, 'f64')

/** A primitive applied to new float64 variables (a `where` gets a bool first). */
function apply(name: PrimName): { out: Expr; vars: Expr[] } {
  const { arity, operand } = prims[name]
  const vars = Array.from({ length: arity }, (_, i) =>
    variable(operand === 'rest' && i === 0 ? 'bool' : 'f64'),
  )
  return { out: new Expr(name, prims[name].result === 'bool' ? 'bool' : 'f64', vars), vars }
}

const bind = (vars: readonly Expr[], values: readonly Value[]): Map<Expr, Value> =>
  new Map(vars.map((v, i) => [v, values[i]!]))

/** Points where each primitive is smooth; those not named take any of `common`. */
const common = [-1.7, -0.4, 0.3, 0.8, 2.2]
const domains: Partial<Record<PrimName, number[]>> = {
  sqrt: [0.2, 1.3, 7],
  log: [0.2, 1.3, 7],
  log2: [0.2, 1.3, 7],
  log10: [0.2, 1.3, 7],
  log1p: [-0.6, 0.2, 3],
  asin: [-0.8, 0.1, 0.6],
  acos: [-0.8, 0.1, 0.6],
  atanh: [-0.8, 0.1, 0.6],
  erfinv: [-0.9, -0.3, 0.1, 0.6],
  acosh: [1.2, 3.4],
  lgamma: [-1.6, -0.4, 0.3, 1.4, 2.2, 8.5],
  digamma: [-1.6, -0.4, 0.3, 1.4, 2.2, 8.5],
  tan: [-0.4, 0.3, 0.8],
  pow: [0.3, 0.8, 2.2],
}

describe('the derivative of every row agrees with finite differences', () => {
  for (const name of Object.keys(prims) as PrimName[]) {
    const { arity, on, operand, result } = prims[name]
    if (!on.includes('f64') || result === 'bool') continue
    it(name, () => {
      const { out, vars } = apply(name)
      const first = operand === 'rest' ? 1 : 0 // the operands that are floats
      const points = domains[name] ?? common
      const gradients = differentiate(out, seed, vars)
      for (let i = 0; i < points.length; i++) {
        // different values for the operands, off the corners of floor, max and the like
        const x: Value[] = Array.from(
          { length: arity },
          (_, j) => points[(i + 2 * j) % points.length]! + 0.01 * j,
        )
        if (first === 1) x[0] = i % 2 === 0
        for (let j = first; j < arity; j++) {
          const at = (t: number): number => evaluate(out, bind(vars, x.with(j, t))) as number
          const h = 1e-3
          const t = x[j] as number
          // fourth order
          const slope = (8 * (at(t + h) - at(t - h)) - (at(t + 2 * h) - at(t - 2 * h))) / (12 * h)
          const g = gradients[j]
          const got = g ? (evaluate(g, bind(vars, x)) as number) : 0
          expect(got, `operand ${j} of ${name}(${x})`).toBeCloseTo(1.5 * slope, 6)
        }
      }
    })
  }
})

describe('gradients are PyTorch’s at corner points', () => {
  const operands = numbers(torch.gradient_operands, 'f64') as number[]
  for (const [name, grids] of Object.entries(torch.gradients) as [PrimName, string[]][])
    it(name, () => {
      const { out, vars } = apply(name)
      const gradients = differentiate(out, seed, vars)
      grids.forEach((grid, j) => {
        const expected = numbers(grid, 'f64') as number[]
        tuples(operands, vars.length).forEach((x, i) => {
          const g = gradients[j]
          const got = g ? (evaluate(g, bind(vars, x)) as number) : 0
          const want = expected[i]!
          const call = `operand ${j} of ${name}(${x})`
          // PyTorch's trigamma has 9 digits
          const tolerance = (name === 'digamma' ? 1e-8 : 1e-13) * Math.max(1, Math.abs(want))
          if (Number.isFinite(want)) expect(Math.abs(got - want), call).toBeLessThan(tolerance)
          else expect(got, call).toBe(want)
        })
      })
    })
})

describe('over a DAG', () => {
  const x = variable('f64')
  const y = variable('f64')
  const at = (e: Expr | null, values: readonly number[]): Value => evaluate(e!, bind([x, y], values))

  it('sums over all paths', () => {
    const u = x.mul(y)
    const [dx, dy] = differentiate(u.add(u.mul(x)), constant(1, 'f64'), [x, y])
    expect(at(dx!, [3, 5])).toBe(5 + 2 * 3 * 5)
    expect(at(dy!, [3, 5])).toBe(3 + 9)
  })

  it('of a node by itself is the seed', () => {
    expect(differentiate(x, seed, [x])).toEqual([seed])
  })

  it('is null without dependence, and through integers and truth values', () => {
    expect(differentiate(x.exp(), seed, [y])).toEqual([null])
    expect(differentiate(x.cast('i32').cast('f64'), seed, [x])).toEqual([null])
    expect(differentiate(x.gt(0).cast('f64'), seed, [x])).toEqual([null])
    expect(differentiate(x.floor(), seed, [x])).toEqual([null])
  })

  it('takes inner nodes as independent variables', () => {
    const out = x.exp()
    const [d_out, d_x] = differentiate(out.mul(out).add(x), constant(1, 'f64'), [out, x])
    expect(evaluate(d_x!, new Map())).toBe(1)
    expect(evaluate(d_out!, new Map([[out, 4]]))).toBe(8)
  })

  it('goes through casts between floats, in the type of the operand', () => {
    const single = variable('f32')
    const [d] = differentiate(single.cast('f64').mul(3), constant(1, 'f64'), [single])
    expect(d!.type).toBe('f32')
    expect(evaluate(d!, new Map())).toBe(3)
  })

  it('goes to what a guarded load gives instead of memory', () => {
    const guard = variable('bool')
    const buffer = { name: 'a', dtype: float32, access: 'in' } as const
    const otherwise = variable('f32')
    const read = new Expr('load', 'f32', [constant(0, 'index'), guard, otherwise], buffer)
    const [d] = differentiate(read, constant(2, 'f32'), [otherwise])
    expect(evaluate(d!, new Map([[guard, true]]))).toBe(0)
    expect(evaluate(d!, new Map([[guard, false]]))).toBe(2)
  })

  it('can be taken again: tanh has the second derivative -2 tanh (1 - tanh^2)', () => {
    const [first] = differentiate(x.tanh(), constant(1, 'f64'), [x])
    const [second] = differentiate(first!, constant(1, 'f64'), [x])
    const t = Math.tanh(0.7)
    expect(at(second!, [0.7])).toBeCloseTo(-2 * t * (1 - t * t), 14)
  })
})
