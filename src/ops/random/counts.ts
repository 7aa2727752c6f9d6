// Poisson and binomial counts by rejection, as PyTorch's CPU kernels draw them: for few expected counts by adding up
// what comes between them, else by transformed rejection (Hoermann 1993). What PyTorch computes in the operands' dtype
// is rounded to it here too. Not here: the ops (../random.ts), the stream (rejection.ts).
import { bfloat16, type DType, float16 } from '../../base/dtype.ts'
import { RuntimeError } from '../../base/errors.ts'
import type { Generator } from '../../base/generator.ts'
import type { Operand } from '../../device/device.ts'
import { constant, type Expr } from '../../ir/expr.ts'
import type { Builder } from '../../ir/kernel.ts'
import { kernels } from '../../tensor/dispatch.ts'
import { not_implemented } from '../define/rules.ts'
import { type Draw, draw_by_rejection, write_sampler } from './rejection.ts'

const double = (x: number): Expr => constant(x, 'f64')
const HALF_LOG_2PI = 0.5 * Math.log(2 * Math.PI)

/** f(k) for whole numbers: `series` of them, but for those below 10 from a table. */
function tabled(k: Builder, x: Expr, series: (x: Expr) => Expr, f: (x: number) => number): Expr {
  const value = k.local('f64', 0)
  k.if(
    x.ge(10),
    () => k.assign(value, series(x)),
    () => {
      for (let i = 0; i < 10; i++) k.if(x.eq(i), () => k.assign(value, f(i)))
    },
  )
  return value
}

/** `x` such that what is computed of it stays here: what few attempts need is not worth computing for each number. */
function here(k: Builder, x: Expr): Expr {
  const local = k.local(x.type, 0)
  k.assign(local, x)
  return local
}

const log_factorial_of = (k: number): number => (k < 2 ? 0 : log_factorial_of(k - 1) + Math.log(k))
const stirling = (k: number): number => (k + 0.5) * Math.log(k + 1) - (k + 1) + HALF_LOG_2PI

/** log(k!) by Stirling's series. */
const log_factorial = (k: Builder, x: Expr): Expr =>
  tabled(
    k,
    x,
    x => {
      const y = x.add(1)
      const square = y.mul(y)
      const terms = [1 / 1260, 1 / 360, 1 / 12]
      const tail = terms.reduce<Expr>((sum, c) => sum.div(square).neg().add(c), double(1 / 1680)).div(y)
      return y.sub(0.5).mul(y.log()).sub(y).add(HALF_LOG_2PI).add(tail)
    },
    log_factorial_of,
  )

/** log(k!) less Stirling's formula for it. */
const stirling_tail = (k: Builder, x: Expr): Expr =>
  tabled(
    k,
    x,
    x => {
      const y = x.add(1)
      const square = y.mul(y)
      const terms = [1 / 360, 1 / 12]
      return terms.reduce<Expr>((sum, c) => sum.div(square).neg().add(c), double(1 / 1260)).div(y)
    },
    i => log_factorial_of(i) - stirling(i),
  )

// ---------------------------------------------------------------------------------------------- Poisson

const poisson = kernels('poisson', (k, dtype: DType) => {
  write_sampler(k, { dtype, inputs: [dtype] }, ({ x: [input], source, accept, refuse }) => {
    const rate = k.local('f64', input!.cast('f64'))
    const few = k.local('bool', rate.lt(10))
    const product = k.local('f64', 1)
    const limit = k.local('f64', 0)
    const count = k.local('f64', 0)
    const [a, b, accepted] = [k.local('f64', 0), k.local('f64', 0), k.local('f64', 0)]
    k.if(rate.ge(0).not(), refuse)
    k.if(rate.eq(0), () => accept(0))
    k.if(
      few,
      () => k.assign(limit, rate.neg().exp()),
      () => {
        k.assign(b, rate.sqrt().mul(2.53).add(0.931))
        k.assign(a, b.mul(0.02483).add(-0.059))
        k.assign(accepted, double(-3.6224).div(b.sub(2)).add(0.9277))
      },
    )
    // Uniforms multiplied until their product falls below exp(-rate) (Knuth).
    const multiply = (): void => {
      k.assign(product, product.mul(source.uniform()))
      k.if(
        product.gt(limit),
        () => k.assign(count, count.add(1)),
        () => accept(count),
      )
    }
    const transformed = (): void => {
      const u = k.local('f64', source.uniform().sub(0.5))
      const v = source.uniform()
      const us = k.local('f64', u.abs().neg().add(0.5))
      const drawn = k.local('f64', a.mul(2).div(us).add(b).mul(u).add(rate).add(0.43).floor())
      k.if(
        us.ge(0.07).and(v.le(accepted)),
        () => accept(drawn),
        () =>
          k.if(
            drawn
              .lt(0)
              .or(us.lt(0.013).and(v.gt(us)))
              .not(),
            () => {
              const inverse_alpha = double(1.1328).div(b.sub(3.4)).add(1.1239)
              const left = v
                .log()
                .add(inverse_alpha.log())
                .sub(a.div(us.mul(us)).add(b).log())
              const right = rate.neg().add(drawn.mul(rate.log())).sub(log_factorial(k, drawn))
              k.if(left.le(right), () => accept(drawn))
            },
          ),
      )
    }
    return () => k.if(few, multiply, transformed)
  })
})

/** Poisson counts of the rates in `rate`, an operand of the same dtype and size as `out`, for floating dtypes. */
export function fill_poisson(g: Generator, out: Operand, rate: Operand): void {
  const { dtype } = out
  if (!dtype.is_floating_point || dtype === float16) not_implemented('poisson_cpu', dtype)
  draw_by_rejection(
    g,
    4,
    poisson(dtype),
    [out, rate],
    () => new RuntimeError('invalid Poisson rate, expected rate to be non-negative'),
  )
}

// ---------------------------------------------------------------------------------------------- binomial

const binomial = kernels('binomial', (k, dtype: DType) => {
  const wide = (x: Expr): Expr => x.cast('f64')
  const draw: Draw = ({ x: [trials, probability], source, accept }) => {
    const count = k.local('f64', wide(trials!))
    const given = k.local('f64', wide(probability!))
    const rare = k.local('bool', given.le(0.5))
    const p = k.local(trials!.type, rare.where(probability!, probability!.neg().add(1)))
    const mean = k.local('f64', wide(trials!.mul(p)))
    const rejects = k.local('bool', mean.ge(10))
    const finish = (drawn: Expr): void => accept(rare.where(drawn, count.sub(drawn)))

    const successes = k.local('f64', 0)
    const used_up = k.local('f64', 0)
    const log_failure = k.local('f64', 0)
    const [a, b] = [k.local('f64', 0), k.local('f64', 0)]
    const deviation = k.local('f64', 0)
    k.if(given.eq(given).not(), () => accept(NaN))
    k.if(given.ge(1), () => accept(count))
    k.if(count.le(0).or(given.le(0)), () => accept(0))
    k.if(
      rejects,
      () => {
        k.assign(deviation, wide(trials!.mul(p).mul(p.neg().add(1)).sqrt()))
        k.assign(b, deviation.mul(2.53).add(1.15))
        k.assign(a, b.mul(0.0248).add(-0.0873).add(wide(p).mul(0.01)))
      },
      () => k.assign(log_failure, wide(p.neg().log1p())),
    )
    // Adds up the trials to each success until they are used up.
    const invert = (): void => {
      k.assign(used_up, used_up.add(source.log_uniform().div(log_failure).ceil()))
      k.if(
        used_up.gt(count),
        () => finish(successes),
        () => k.assign(successes, successes.add(1)),
      )
    }
    const transformed = (): void => {
      const u = k.local('f64', source.uniform().sub(0.5))
      const v = source.uniform()
      const us = k.local('f64', u.abs().neg().add(0.5))
      const drawn = k.local('f64', a.mul(2).div(us).add(b).mul(u).add(mean.add(0.5)).floor())
      const accepted = double(-4.2).div(b).add(0.92)
      const fits = drawn.ge(0).and(drawn.le(count))
      k.if(
        fits.and(us.ge(0.07)).and(v.le(accepted)),
        () => finish(drawn),
        () =>
          k.if(fits, () => {
            const own = here(k, p)
            const odds = wide(own.div(own.neg().add(1)))
            const alpha = double(5.1).div(here(k, b)).add(2.83).mul(deviation)
            const mode = k.local('f64', wide(trials!.add(1).mul(own)).floor())
            const failures = count.sub(mode).add(1)
            const other = count.sub(drawn)
            const bound = mode
              .add(0.5)
              .mul(mode.add(1).div(odds.mul(failures)).log())
              .add(count.add(1).mul(failures.div(other.add(1)).log()))
              .add(drawn.add(0.5).mul(odds.mul(other.add(1)).div(drawn.add(1)).log()))
              .add(stirling_tail(k, mode))
              .add(stirling_tail(k, count.sub(mode)))
              .sub(stirling_tail(k, drawn))
              .sub(stirling_tail(k, other))
            k.if(
              v
                .mul(alpha)
                .div(a.div(us.mul(us)).add(b))
                .log()
                .le(bound),
              () => finish(drawn),
            )
          }),
      )
    }
    return () => k.if(rejects, transformed, invert)
  }
  write_sampler(k, { dtype, inputs: [dtype, dtype], logs: true }, draw)
})

/** Binomial counts of `count` trials with probability `p`, operands of the same dtype and size as `out`. */
export function fill_binomial(g: Generator, out: Operand, count: Operand, p: Operand): void {
  const { dtype } = out
  if (!dtype.is_floating_point || dtype === float16 || dtype === bfloat16)
    not_implemented('binomial_cpu', dtype)
  draw_by_rejection(g, 4, binomial(dtype), [out, count, p])
}
