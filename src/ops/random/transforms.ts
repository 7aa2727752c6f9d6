// Distributions that are a function of one uniform double: exponential, geometric, Cauchy. Of float64 numbers the last
// bit may differ from PyTorch's, which has the C library's log and tan. Not here: the ops (../random_fill.ts).
import { bool, type DType, int32 } from '../../base/dtype.ts'
import { RuntimeError } from '../../base/errors.ts'
import { general } from '../../base/format.ts'
import type { Generator } from '../../base/generator.ts'
import type { Operand } from '../../device/device.ts'
import type { Expr } from '../../ir/expr.ts'
import { kernels } from '../../tensor/dispatch.ts'
import { not_implemented } from '../define/rules.ts'
import { double_at, draw } from './words.ts'

/** Kernels that compute `f` of a uniform double and two numbers, all in double precision. */
const transform = (name: string, f: (u: Expr, a: Expr, b: Expr) => Expr) =>
  kernels(name, (k, dtype: DType) => {
    const words = k.input('words', int32, 'flat')
    const out = k.output('out', dtype, 'flat')
    const [a, b] = [k.value('a', 'f64'), k.value('b', 'f64')]
    k.for(out.sizes[0]!, 'vector', i => k.store(out, [i], f(double_at(words, i), a, b).cast(out.type)))
  })

const exponential = transform('exponential', (u, scale) => u.neg().add(1).log().mul(scale))
const geometric = transform('geometric', (u, log_failure) => u.log().div(log_failure).ceil())
const cauchy = transform('cauchy', (u, median, sigma) => u.sub(0.5).mul(Math.PI).tan().fma(sigma, median))

/** Exponential with rate `lambda`, for floating dtypes. */
export function fill_exponential(g: Generator, out: Operand, lambda = 1): void {
  if (!(lambda >= 0))
    throw new RuntimeError(`exponential_ expects lambda >= 0.0, but found lambda=${general(lambda)}`)
  if (!out.dtype.is_floating_point) not_implemented('exponential_cpu', out.dtype)
  draw(g, 2, exponential(out.dtype), [out], [-1 / lambda, 0])
}

/** The number of trials to the first success of probability `p`, for integral and floating dtypes. */
export function fill_geometric(g: Generator, out: Operand, p: number): void {
  if (!(p > 0 && p < 1))
    throw new RuntimeError(`geometric_ expects p to be in (0, 1), but got p=${general(p)}`)
  if (out.dtype === bool || out.dtype.is_complex) not_implemented('geometric_cpu', out.dtype)
  draw(g, 2, geometric(out.dtype), [out], [Math.log(1 - p), 0])
}

/** Cauchy, for floating dtypes. */
export function fill_cauchy(g: Generator, out: Operand, median: number, sigma: number): void {
  if (!out.dtype.is_floating_point) not_implemented('cauchy_cpu', out.dtype)
  if (!(sigma > 0)) throw new RuntimeError(`cauchy_ expects sigma > 0.0, but found sigma=${general(sigma)}`)
  draw(g, 2, cauchy(out.dtype), [out], [median, sigma])
}
