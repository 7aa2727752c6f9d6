import { describe, expect, it } from 'vitest'
import { bool, complex64, float16, float32, int64 } from '../../src/base/dtype.ts'
import { constant, Expr, type ExprOp, variable } from '../../src/ir/expr.ts'
import { type Buffer, type Builder, build, type Kernel, type Stmt } from '../../src/ir/kernel.ts'
import type { ScalarType } from '../../src/ir/types.ts'
import { verify } from '../../src/ir/verify.ts'

const zero = constant(0, 'index')
const a: Buffer = { name: 'a', dtype: float32, access: 'in' }
const out: Buffer = { name: 'out', dtype: float32, access: 'out' }

const kernel = (body: readonly Stmt[], rest: Partial<Kernel> = {}): Kernel => ({
  name: 'k',
  buffers: [a, out],
  params: [],
  body,
  ...rest,
})
const store = (value: Expr, index: Expr = zero, buffer: Buffer = out): Stmt => ({
  kind: 'store',
  buffer,
  index,
  value,
})
const node = (op: string, type: ScalarType, src: readonly Expr[], arg: Expr['arg'] = null): Expr =>
  new Expr(op as ExprOp, type, src, arg)
const cast = (e: Expr): Expr => node('cast', 'f32', [e])
const one = constant(1, 'f32')
const index = (n: number): Expr => constant(n, 'index')

/** A kernel of one float32 input and output, written by the builder. */
const built = (write: (k: Builder, x: Expr, put: (value: Expr) => void) => void): Kernel =>
  build('k', k => {
    const x = k.input('a', float32, 'flat')
    const y = k.output('out', float32, 'flat')
    write(k, x.at(0), value => k.store(y, [0], value))
  })

const rejects = (faults: readonly (readonly [string, () => Kernel])[]): void => {
  for (const [message, make] of faults)
    it(message, () => {
      expect(() => verify(make())).toThrow(message)
    })
}

describe('accepts', () => {
  it('a sum of rows', () => {
    const sum = build('sum', k => {
      const x = k.input('x', float16, { rank: 2 })
      const y = k.output('y', float16, { rank: 1 })
      k.for(x.sizes[0]!, 'parallel', i => {
        const total = k.local('f32', 0)
        k.for(x.sizes[1]!, 'reduce', j => k.assign(total, total.add(x.at(i, j))))
        k.store(y, [i], total)
      })
    })
    verify(sum)
  })

  it('every way to accumulate', () => {
    verify(
      built((k, x) => {
        const acc = k.local('f32', 0)
        k.for(3, 'reduce', () => {
          k.assign(acc, x.max(acc))
          k.assign(acc, x.fma(x, acc))
          const product = k.local('f32', x) // a local of the iteration is free
          k.assign(product, product.div(x))
          k.if(x.gt(0), () => k.assign(acc, acc.min(product)))
        })
      }),
    )
  })

  it('a serial scan, a while loop and a guarded load', () => {
    verify(
      build('scan', k => {
        const x = k.input('x', int64, { rank: 1 })
        const y = k.inout('y', bool, 'flat')
        const running = k.local('i64', 0)
        k.for(x.sizes[0]!, 'serial', i => {
          k.assign(running, running.mul(2).sub(x.at_if(i.gt(0), [i.sub(1)], 7)))
          k.while(running.gt(100), () => k.assign(running, running.shr(1)))
          k.store(y, [i], y.at(i).or(running.eq(3)))
        })
      }),
    )
  })
})

describe('types', () => {
  rejects([
    ['k: store out: the value is f64, not f32: 1.0', () => kernel([store(constant(1, 'f64'))])],
    ['the index is i32, not index', () => kernel([store(one, constant(0, 'i32'))])],
    ['add of f32, f64: 1.0 + 1.0', () => kernel([store(one.add(constant(1, 'f64')))])],
    ['add has no meaning on bool', () => kernel([store(one.gt(0).add(true).cast('f32'))])],
    ['exp has no meaning on i64', () => kernel([store(constant(1, 'i64').exp().cast('f32'))])],
    ['and has no meaning on f32', () => kernel([store(one.and(one))])],
    ['div has no meaning on index', () => kernel([store(one, index(4).div(2))])],
    ['the condition is f32', () => kernel([store(one.where(one, one))])],
    ['where of f32, f64', () => kernel([store(one.gt(0).where(one, constant(1, 'f64')))])],
    ['add takes 2 operands, not 1', () => kernel([store(node('add', 'f32', [one]))])],
    ['exp gives f32, not f64', () => kernel([store(node('exp', 'f64', [one]).cast('f32'))])],
    ['lt gives bool, not f32', () => kernel([store(node('lt', 'f32', [one, one]))])],
    ['unknown operation frobnicate', () => kernel([store(node('frobnicate', 'f32', [one]))])],
    ['unknown type f16', () => kernel([store(cast(node('const', 'f16' as ScalarType, [], 1)))])],
    ['the bits of f32 read as i64', () => kernel([store(one.bitcast('i64').cast('f32'))])],
    ['a constant that is no f32: 0.1', () => kernel([store(node('const', 'f32', [], 0.1))])],
    ['a constant that is no i64', () => kernel([store(cast(node('const', 'i64', [], 1)))])],
    ['a constant that is no index', () => kernel([store(one, node('const', 'index', [], 0.5))])],
    ['if: the condition is f32, not bool', () => kernel([{ kind: 'if', cond: one, then: [], else: [] }])],
    ['while: the condition is f32, not bool', () => kernel([{ kind: 'while', cond: one, body: [] }])],
    [
      'the size is i32, not index',
      () =>
        kernel([{ kind: 'for', var: variable('index'), size: constant(3, 'i32'), mode: 'serial', body: [] }]),
    ],
    [
      'a loop counter is an index, not i32',
      () => kernel([{ kind: 'for', var: variable('i32'), size: index(3), mode: 'serial', body: [] }]),
    ],
    ['declare', () => kernel([{ kind: 'declare', var: variable('f64'), value: one }])],
  ])
})

describe('memory', () => {
  const load = (buffer: Buffer, type: ScalarType, ...src: Expr[]): Expr => node('load', type, src, buffer)
  rejects([
    ['a load from what is not a buffer', () => kernel([store(load({ ...a }, 'f32', zero))])],
    ['out is write-only: out[0]', () => kernel([store(load(out, 'f32', zero))])],
    ['a is read-only', () => kernel([store(one, zero, a)])],
    ['b is not a buffer of the kernel', () => kernel([store(one, zero, { ...out, name: 'b' })])],
    ['torch.float32 loads as f32, not f64', () => kernel([store(load(a, 'f64', zero).cast('f32'))])],
    ['an index of type i64', () => kernel([store(load(a, 'f32', constant(0, 'i64')))])],
    ['a guard of type f32', () => kernel([store(load(a, 'f32', zero, one, one))])],
    ['otherwise gives f64', () => kernel([store(load(a, 'f32', zero, one.gt(0), constant(1, 'f64')))])],
    ['a load of 2 operands', () => kernel([store(load(a, 'f32', zero, one.gt(0)))])],
    ['complex numbers are passed as pairs', () => kernel([], { buffers: [{ ...a, dtype: complex64 }] })],
    ['two operands are called a', () => kernel([], { buffers: [a, { ...a }] })],
    [
      'a param that the kernel does not have',
      () => kernel([store(node('param', 'f32', [], { name: 'p', type: 'f32', source: { kind: 'value' } }))]),
    ],
    [
      'a param of type f64 used as f32',
      () => {
        const param = { name: 'p', type: 'f64', source: { kind: 'value' } } as const
        return kernel([store(node('param', 'f32', [], param))], { params: [param] })
      },
    ],
    [
      'param n: there is no buffer 7',
      () => kernel([], { params: [{ name: 'n', type: 'index', source: { kind: 'numel', buffer: 7 } }] }),
    ],
    [
      'param n: a size is an index, not i32',
      () => kernel([], { params: [{ name: 'n', type: 'i32', source: { kind: 'size', buffer: 0, dim: 0 } }] }),
    ],
    ['unknown access rw', () => kernel([], { buffers: [{ ...a, access: 'rw' as 'in' }] })],
  ])
})

describe('names', () => {
  const v = variable('f32', 'v')
  const name = v.arg as string
  const declare: Stmt = { kind: 'declare', var: v, value: one }
  const nothing = one.gt(0)
  rejects([
    [`${name} is not declared here`, () => kernel([store(v)])],
    [`store out: ${name} is not declared here`, () => kernel([store(v), declare])],
    [
      `${name} is not declared here`,
      () => kernel([{ kind: 'if', cond: nothing, then: [declare], else: [store(v)] }]),
    ],
    [
      `${name} is not declared here`,
      () => kernel([{ kind: 'while', cond: nothing, body: [declare] }, store(v)]),
    ],
    [`${name} is declared twice`, () => kernel([declare, declare])],
    [
      `${name} was declared as f32 but is used as i32`,
      () => kernel([declare, store(node('var', 'i32', [], name).cast('f32'))]),
    ],
    [`assign ${name}: ${name} is not declared here`, () => kernel([{ kind: 'assign', var: v, value: one }])],
    [
      `the value is f64, not f32`,
      () => kernel([declare, { kind: 'assign', var: v, value: constant(1, 'f64') }]),
    ],
    ['is a loop counter', () => built(k => k.for(3, 'serial', i => k.assign(i, i.add(1))))],
    ['assigns a const, not a var', () => kernel([{ kind: 'assign', var: one, value: one }])],
    ['local is a const, not a var', () => kernel([{ kind: 'declare', var: one, value: one }])],
    ['unknown statement goto', () => kernel([{ kind: 'goto' } as unknown as Stmt])],
  ])

  it('a loop counter ends with its loop', () => {
    const make = (): Kernel =>
      built((k, _, put) => {
        let counter = zero
        k.for(3, 'serial', i => {
          counter = i
        })
        put(counter.cast('f32'))
      })
    expect(() => verify(make())).toThrow(/k: store out: i\d+ is not declared here/)
  })
})

describe('loops', () => {
  rejects([
    [
      'a parallel loop inside a loop that is not',
      () => built(k => k.for(2, 'serial', () => k.for(2, 'parallel', () => {}))),
    ],
    [
      'a vector loop with a loop inside',
      () => built((k, x) => k.for(2, 'vector', () => k.if(x.gt(0), () => k.while(x.gt(0), () => {})))),
    ],
    [
      'is declared outside of the vector loop',
      () =>
        built((k, x) => {
          const acc = k.local('f32', 0)
          k.for(2, 'vector', () => k.assign(acc, acc.add(x)))
        }),
    ],
    [
      'is declared outside of the parallel loop',
      () =>
        built((k, x) => {
          const acc = k.local('f32', 0)
          k.for(2, 'parallel', () => k.for(2, 'serial', () => k.assign(acc, x)))
        }),
    ],
    ['a store inside a reduce loop', () => built((k, x, put) => k.for(2, 'reduce', () => put(x)))],
    ['unknown loop mode fast', () => built(k => k.for(2, 'fast' as 'serial', () => {}))],
  ])

  it('a reduce loop only accumulates', () => {
    const reduce = (step: (acc: Expr, x: Expr) => Expr): (() => void) => {
      const k = built((k, x) => {
        const acc = k.local('f32', 0)
        k.for(2, 'reduce', () => k.assign(acc, step(acc, x)))
      })
      return () => verify(k)
    }
    expect(reduce((acc, x) => acc.sub(x))).toThrow(
      /is assigned in a reduce loop, but not as v\d+ op e: v\d+ - a\[0\]/,
    )
    expect(reduce((_, x) => x)).toThrow('is assigned in a reduce loop')
    expect(reduce(acc => acc.mul(acc))).toThrow('is assigned in a reduce loop')
    expect(reduce((acc, x) => acc.add(acc.mul(x)))).toThrow('is assigned in a reduce loop')
    expect(reduce((acc, x) => acc.fma(x, 1))).toThrow('is assigned in a reduce loop')
    expect(reduce((acc, x) => x.mul(2).add(acc))).not.toThrow()
  })
})

it('names the place of the fault', () => {
  const make = (): Kernel =>
    built((k, x) => k.for(2, 'serial', () => k.if(x.gt(0), () => k.while(x, () => {}))))
  expect(() => verify(make())).toThrow(
    /^kernel k: for i\d+ \/ if \/ while: the condition is f32, not bool: a\[0\]$/,
  )
})
