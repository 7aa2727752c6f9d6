import { expect, it } from 'vitest'
import { bool, float32, int64 } from '../../src/base/dtype.ts'
import { constant, Expr, variable } from '../../src/ir/expr.ts'
import { build } from '../../src/ir/kernel.ts'
import { print_expr, print_kernel } from '../../src/ir/print.ts'

const example = () =>
  build('example', k => {
    const x = k.input('x', float32, { rank: 2 })
    const n = k.inout('n', int64, 'flat')
    const y = k.output('y', bool, { rank: 1, inner: 1 })
    const scale = k.value('scale', 'f32')
    k.for(x.sizes[0]!, 'parallel', i => {
      const total = k.local('f32', -0)
      k.for(x.sizes[1]!, 'reduce', j => k.assign(total, total.add(x.at_if(j.gt(0), [i, j], 1))))
      const square = total.mul(scale)
      k.if(
        total.gt(0).not(),
        () => k.store(n, [i], square.mul(square).exp().cast('i64')),
        () => k.while(total.lt(0.1), () => k.assign(total, total.neg().max(2))),
      )
      k.store(y, [i], n.at(i).mod(7).ne(3))
    })
  })

it('prints a kernel', () => {
  expect(print_kernel(example())).toBe(`\
kernel example
  in x: float32
  inout n: int64
  out y: bool
  param x_size0: index = size(x, 0)
  param x_size1: index = size(x, 1)
  param x_stride0: index = stride(x, 0)
  param x_stride1: index = stride(x, 1)
  param n_numel: index = numel(n)
  param y_size0: index = size(y, 0)
  param scale: f32 = value
  parallel i0 < x_size0
    v0: f32 = -0.0
    reduce i1 < x_size1
      v0 = v0 + ((i1 > 0) ? x[(i0 * x_stride0) + (i1 * x_stride1)] : 1.0)
    if !(v0 > 0.0)
      %0 = v0 * scale
      n[i0] = i64(exp(%0 * %0))
    else
      while v0 < 0.1
        v0 = max(-v0, 2.0)
    y[i0] = (n[i0] % 7n) != 3n
`)
})

it('prints the same text for the same kernel, whatever variables came before', () => {
  const before = print_kernel(example())
  variable('f32')
  expect(print_kernel(example())).toBe(before)
})

it('prints a DAG in as many lines as it has shared nodes', () => {
  const k = build('chain', k => {
    const y = k.output('y', float32, 'flat')
    let e = k.value('x', 'f32')
    for (let i = 0; i < 40; i++) e = e.add(e)
    k.store(y, [0], e)
  })
  expect(print_kernel(k).trimEnd().split('\n').length).toBe(4 + 39 + 1)
})

it('prints constants so that their types can be told', () => {
  const text = (value: number | bigint | boolean, type: Expr['type']): string =>
    print_expr(constant(value, type))
  expect(text(1, 'f32')).toBe('1.0')
  expect(text(0.1, 'f32')).toBe('0.1')
  expect(text(1 / 3, 'f32')).toBe('0.33333334')
  expect(text(1 / 3, 'f64')).toBe('0.3333333333333333')
  expect(text(NaN, 'f32')).toBe('NaN')
  expect(text(-Infinity, 'f64')).toBe('-Infinity')
  expect(text(1e30, 'f64')).toBe('1e+30')
  expect(text(-5, 'i64')).toBe('-5n')
  expect(text(-5, 'i32')).toBe('-5')
  expect(text(true, 'bool')).toBe('true')
})

it('cuts a deep expression', () => {
  let e = new Expr('var', 'f32', [], 'x')
  for (let i = 0; i < 10; i++) e = e.exp()
  expect(print_expr(e)).toBe('exp(exp(exp(exp(...))))')
})
