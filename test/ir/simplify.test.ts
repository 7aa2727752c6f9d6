import { describe, expect, it } from 'vitest'
import { float32 } from '../../src/base/dtype.ts'
import { constant, Expr, topological, variable } from '../../src/ir/expr.ts'
import { type PrimName, prims } from '../../src/ir/prims.ts'
import { print_expr } from '../../src/ir/print.ts'
import { share, simplify } from '../../src/ir/simplify.ts'
import type { KernelType, ScalarType } from '../../src/ir/types.ts'
import type { Value } from '../../src/ir/value.ts'
import { evaluate } from './reference.ts'

const named = (name: string, type: ScalarType): Expr => new Expr('var', type, [], name)
const [x, y] = [named('x', 'f32'), named('y', 'f32')]
const [i, j] = [named('i', 'index'), named('j', 'index')]
const [n, m] = [named('n', 'i64'), named('m', 'i64')]
const [p, q] = [named('p', 'bool'), named('q', 'bool')]
const one = constant(1, 'f32')

const becomes = (cases: readonly [Expr, string][]): void => {
  for (const [e, text] of cases) expect(print_expr(simplify(e)), print_expr(e)).toBe(text)
}

it('folds constants with the reference meaning', () => {
  becomes([
    [one.exp(), '2.7182817'],
    [constant(7, 'index').floordiv(2).add(1), '4'],
    [constant(2n ** 63n - 1n, 'i64').add(1), '-9223372036854775808n'],
    [constant(NaN, 'f32').eq(NaN), 'false'],
    [constant(1, 'f32').bitcast('i32'), '1065353216'],
    [constant(true, 'bool').where(x, y), 'x'],
  ])
})

describe('floats', () => {
  it('drops what changes no value', () => {
    becomes([
      [x.mul(1), 'x'],
      [one.mul(x), 'x'],
      [x.div(1), 'x'],
      [x.sub(0), 'x'],
      [x.add(-0), 'x'],
      [x.neg().neg(), 'x'],
      [x.mul(-1), '-x'],
      [x.neg().abs(), 'abs(x)'],
      [x.add(y.neg()), 'x - y'],
      [x.neg().add(y), 'y - x'],
      [x.sub(y.neg()), 'x + y'],
      [x.neg().mul(y.neg()), 'x * y'],
      [x.mul(3).neg(), 'x * -3.0'],
      [x.max(x), 'x'],
      [x.floor().round(), 'floor(x)'],
      [x.pow(2), 'x * x'],
      [x.pow(-1), '1.0 / x'],
      [x.pow(0), '1.0'],
      [x.fma(1, y), 'x + y'],
      [x.lt(x), 'false'],
    ])
  })

  it('multiplies instead of dividing by a power of two', () => {
    becomes([
      [x.div(4), 'x * 0.25'],
      [x.div(3), 'x / 3.0'],
      [x.div(2 ** 127), 'x / 1.7014118e+38'], // its inverse is subnormal
    ])
  })

  it('keeps what NaN, an infinity or -0 would tell apart', () => {
    becomes([
      [x.add(0), 'x + 0.0'],
      [x.mul(0), 'x * 0.0'],
      [x.sub(x), 'x - x'],
      [x.div(x), 'x / x'],
      [x.eq(x), 'x == x'],
      [x.lt(y).not(), '!(x < y)'],
      [constant(0, 'f32').sub(x), '0.0 - x'],
      [p.where(constant(0, 'f32'), -0), 'where(p, 0.0, -0.0)'],
    ])
  })
})

it('integers', () => {
  becomes([
    [i.add(0), 'i'],
    [i.mul(0), '0'],
    [i.sub(i), '0'],
    [i.add(2).add(3), 'i + 5'],
    [i.sub(2).add(2), 'i'],
    [i.mul(2).mul(3), 'i * 6'],
    [constant(2, 'index').mul(i), 'i * 2'],
    [i.mul(4).floordiv(4), 'i'],
    [i.mul(4).mod(4), '0'],
    [n.mul(4).floordiv(4), '(n * 4n) // 4n'], // n * 4 may have wrapped
    [i.floordiv(1).mod(1), '0'],
    [i.sub(j).neg(), 'j - i'],
    [n.and(0), '0n'],
    [n.or(m).or(n.or(m)), 'n | m'],
    [n.xor(n), '0n'],
    [n.and(-1), 'n'],
    [n.pow(-1), 'pow(n, -1n)'],
    [i.eq(i), 'true'],
    [i.lt(j).not(), 'i >= j'],
    [i.shl(0), 'i'],
  ])
})

it('truth values and where', () => {
  becomes([
    [p.not().not(), 'p'],
    [p.and(true), 'p'],
    [p.and(false), 'false'],
    [p.or(true), 'true'],
    [p.xor(true), '!p'],
    [p.where(x, x), 'x'],
    [p.not().where(x, y), 'where(p, y, x)'],
    [p.where(constant(true, 'bool'), false), 'p'],
    [p.where(constant(false, 'bool'), true), '!p'],
    [p.where(p.where(x, 1), y), 'where(p, x, y)'],
    [p.where(x, p.where(1, y)), 'where(p, x, y)'],
    [p.and(q).and(p.and(q)), 'p & q'],
    [x.eq(y).not(), 'x != y'],
  ])
})

it('casts', () => {
  becomes([
    [new Expr('cast', 'f32', [x]), 'x'],
    [x.cast('f64').cast('f32'), 'x'],
    [named('k', 'i32').cast('i64').cast('f32'), 'f32(k)'],
    [p.cast('f32').cast('bool'), 'p'],
    [named('d', 'f64').cast('f32').cast('f64'), 'f64(f32(d))'],
    [x.cast('i32').cast('f32'), 'f32(i32(x))'],
    [x.bitcast('i32').bitcast('f32'), 'x'],
  ])
})

it('guards of loads', () => {
  const a = { name: 'a', dtype: float32, access: 'in' } as const
  const load = (guard: Expr): Expr => new Expr('load', 'f32', [i, guard, x], a)
  becomes([
    [load(constant(true, 'bool')), 'a[i]'],
    [load(constant(false, 'bool')), 'x'],
    [load(p.and(true)), 'p ? a[i] : x'],
  ])
})

describe('share', () => {
  it('makes equal expressions one node, over several roots', () => {
    const [a, b] = share(x.add(y).exp(), x.add(y).mul(2))
    expect(a!.src[0]).toBe(b!.src[0])
    const [c, d] = share(constant(0, 'f32'), constant(0, 'f32'))
    expect(c).toBe(d)
  })

  it('keeps 0 and -0, types, and buffers of one name apart', () => {
    const a = { name: 'a', dtype: float32, access: 'in' } as const
    const roots = [
      constant(0, 'f32'),
      constant(-0, 'f32'),
      constant(0, 'f64'),
      new Expr('load', 'f32', [i], a),
      new Expr('load', 'f32', [i], { ...a }),
    ]
    expect(new Set(share(...roots)).size).toBe(5)
  })

  it('lets simplify see equal operands', () => {
    expect(print_expr(simplify(p.where(x.add(1), x.add(1))))).toBe('x + 1.0')
  })

  it('is linear on a chain of doublings', () => {
    let e = variable('f32')
    for (let k = 0; k < 60; k++) e = e.add(e)
    expect(topological(simplify(e)).length).toBe(61)
  })
})

describe('random expressions keep their value', () => {
  const corner: Record<KernelType, Value[]> = {
    f32: [0, -0, 1, -1, 2, 0.5, -3, Math.fround(0.1), Infinity, -Infinity, NaN],
    f64: [0, -0, 1, -1, 2, 0.5, -3, 0.1, Infinity, -Infinity, NaN],
    i32: [0, 1, -1, 2, -3, 31, 2 ** 31 - 1, -(2 ** 31)],
    i64: [0n, 1n, -1n, 2n, -3n, 63n, 2n ** 63n - 1n, -(2n ** 63n)],
    index: [0, 1, 2, 3, 7],
    bool: [false, true],
  }
  // A small generator of its own, so that a failure can be found again.
  let state = 12345
  const below = (limit: number): number => {
    state = (Math.imul(state, 1103515245) + 12345) & 0x7fffffff
    return Math.floor((state / 0x80000000) * limit)
  }
  const pick = <T>(list: readonly T[]): T => list[below(list.length)]!

  const bindings = new Map<Expr, Value>()
  const variables = Object.keys(corner).flatMap(type =>
    ['a', 'b'].map(name => named(`${name}_${type}`, type as ScalarType)),
  )
  const names = Object.keys(prims) as PrimName[]
  function random(type: KernelType, depth: number): Expr {
    if (depth === 0)
      return below(2) ? constant(pick(corner[type]), type) : pick(variables.filter(v => v.type === type))
    if (below(8) === 0) return random(pick(Object.keys(corner) as KernelType[]), depth - 1).cast(type)
    const name = pick(names.filter(k => prims[k].result === (type === 'bool' ? prims[k].result : 'same')))
    const { arity, operand, result, on } = prims[name]
    const of = (result === 'bool' ? pick(on) : type) as KernelType
    if (!on.includes(of)) return random(type, depth)
    const src = Array.from({ length: arity }, (_, k) =>
      random(operand === 'rest' && k === 0 ? 'bool' : of, depth - 1),
    )
    return new Expr(name, type, src)
  }

  for (const type of ['f32', 'f64', 'i32', 'i64', 'bool'] as const)
    it(type, () => {
      for (let round = 0; round < 1500; round++) {
        const e = random(type, 1 + below(4))
        for (const v of variables) bindings.set(v, pick(corner[v.type as KernelType]))
        const simple = simplify(e)
        expect(simple.type).toBe(type)
        expect(evaluate(simple, bindings), `${print_expr(e)} became ${print_expr(simple)}`).toBe(
          evaluate(e, bindings),
        )
      }
    })
})
