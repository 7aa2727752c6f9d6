// Gamma and Dirichlet numbers by rejection (Marsaglia and Tsang 2000), number by number: how many words of the stream
// each takes is known only once it is drawn. Not here: the ops (../random_gamma.ts), gradients (gamma_grad.ts).
import { type DType, finfo, float32, float64, type TypedArray } from '../../base/dtype.ts'
import type { Generator } from '../../base/generator.ts'
import { round_to } from '../../base/rounding.ts'
import { not_implemented } from '../define/rules.ts'

// PyTorch writes these two as floats
const THIRD = Math.fround(1 / 3)
const SQUEEZE = Math.fround(0.0331)
const LEAST_DOUBLE = finfo(float64).tiny

/** One number of the gamma distribution of shape `a` and scale 1; what is made of `a` alone is rounded by `round`. */
function gamma(g: Generator, a: number, round: (x: number) => number): number {
  if (a === 0) return 0
  // a shape below 1 is raised by 1, and the power of a uniform makes up for it
  const scale = a < 1 ? (1 - g.uniform_double()) ** round(1 / a) : 1
  const d = round((a < 1 ? round(a + 1) : a) - THIRD)
  const c = 1 / Math.sqrt(9 * d)
  for (;;) {
    let x = g.normal_double()
    while (1 + c * x <= 0) x = g.normal_double()
    const y = 1 + c * x
    const v = y * y * y
    const u = 1 - g.uniform_double()
    const square = x * x
    if (u < 1 - SQUEEZE * square * square || Math.log(u) < 0.5 * square + d * (1 - v + Math.log(v)))
      return scale * d * v
  }
}

/** `x`, but `least` where it is less or NaN. */
function at_least(least: number, x: number): number {
  // biome-ignore lint/complexity/useMathMinMax: of NaN, Math.max makes NaN
  return x > least ? x : least
}

function check(name: string, dtype: DType): void {
  if (dtype !== float32 && dtype !== float64) not_implemented(name, dtype)
}

/** Gamma numbers of scale 1 of the shapes in `shape`, an array of the same dtype and length as `out`. */
export function fill_gamma(g: Generator, out: TypedArray, dtype: DType, shape: TypedArray): void {
  check('gamma_cpu', dtype)
  const round = round_to(dtype)
  const least = finfo(dtype).tiny
  for (let i = 0; i < out.length; i++) {
    out[i] = at_least(least, round(gamma(g, Number(shape[i]), round)))
  }
}

/** Points of simplices of `n` coordinates each, row after row: gamma numbers over their sum, kept off 0 and 1. */
export function fill_dirichlet(
  g: Generator,
  out: TypedArray,
  dtype: DType,
  concentration: TypedArray,
  n: number,
): void {
  check('dirichlet', dtype)
  const { tiny, eps } = finfo(dtype)
  const most = 1 - eps / 2
  const row = new Float64Array(n)
  const exact = (x: number): number => x
  for (let start = 0; start < out.length; start += n) draw_row(start)

  function draw_row(start: number): void {
    let sum = 0
    for (let j = 0; j < n; j++) {
      row[j] = at_least(LEAST_DOUBLE, gamma(g, Number(concentration[start + j]), exact))
      sum += row[j] as number
    }
    for (let j = 0; j < n; j++) out[start + j] = Math.min(most, Math.max(tiny, (row[j] as number) / sum))
  }
}
