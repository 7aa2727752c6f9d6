// How special functions are declared: computed in float64 whatever the dtype, which is rounded once at the end, and
// made of Chebyshev expansions where there is no closed form. Not here: the functions.
import { constant, type Expr } from '../../ir/expr.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import type { Op } from '../define/op.ts'
import { pointwise } from '../define/pointwise.ts'

export type Unary = [self: Tensor, opts?: { out?: Tensor }]

/** `f` in float64, for an argument of any floating-point type. */
const in_double = (x: Expr, f: (x: Expr) => Expr): Expr => f(x.cast('f64')).cast(x.type)

export type SpecialDef = {
  readonly node?: string
  /** The gradient; in float64, as is the function. None: PyTorch has no derivative. */
  readonly backward?: (g: Expr, x: Expr, out: Expr) => Expr
  /** Samples are drawn from (low, high). */
  readonly range?: readonly [low: number, high: number]
}

/** Declares a function of one number. Integers give floats. */
export function special_function(name: string, f: (x: Expr) => Expr, def: SpecialDef = {}): Op<Unary> {
  const { node, backward, range = [-2, 2] } = def
  return pointwise<Unary, readonly [self: Expr]>(`${name}(Tensor self)`, {
    dtype: 'float',
    forward: self => in_double(self, f),
    ...(node !== undefined && { node }),
    ...(backward === undefined
      ? { differentiable: false }
      : {
          backward: (g: Expr, [x]: readonly [Expr], out: Expr) => [
            backward(g.cast('f64'), x.cast('f64'), out.cast('f64')).cast(g.type),
          ],
        }),
    samples: r => [[r.range(...range, 3, 4)], [r.range(...range)]],
  })
}

/** c[0] + c[1] T_1(t) + c[2] T_2(t) + ..., by Clenshaw's recurrence. */
export function chebyshev(t: Expr, c: readonly number[]): Expr {
  const twice = t.add(t)
  let next = constant(0, t.type)
  let here = constant(c[c.length - 1] as number, t.type)
  for (let k = c.length - 2; k > 0; k--)
    [next, here] = [
      here,
      twice
        .mul(here)
        .sub(next)
        .add(c[k] as number),
    ]
  return t
    .mul(here)
    .sub(next)
    .add(c[0] as number)
}

/** An expansion in x over [low, high]. */
export const on = (x: Expr, low: number, high: number, c: readonly number[]): Expr =>
  chebyshev(x.mul(2 / (high - low)).sub((high + low) / (high - low)), c)

/** An expansion in ratio = (x0 / x)^power over (0, 1]. */
export const beyond = (ratio: Expr, c: readonly number[]): Expr => chebyshev(ratio.mul(2).sub(1), c)

/** 1 / x, as an expression of the type of `x`. */
export const over = (n: number, x: Expr): Expr => constant(n, x.type).div(x)
