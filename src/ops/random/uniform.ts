// Uniform numbers, and what is decided by one: 1 with a given probability. Exact on every device.
// Not here: the ops (../random.ts, ../random_fill.ts).
import { bfloat16, type DType, finfo, float16, float32, float64, int32, uint8 } from '../../base/dtype.ts'
import { RuntimeError } from '../../base/errors.ts'
import { general } from '../../base/format.ts'
import type { Generator } from '../../base/generator.ts'
import { round_to } from '../../base/rounding.ts'
import type { Operand } from '../../device/device.ts'
import { constant, type Expr } from '../../ir/expr.ts'
import type { View } from '../../ir/kernel.ts'
import { empty, kernels } from '../../tensor/dispatch.ts'
import { scalar_name } from '../define/out.ts'
import { not_implemented } from '../define/rules.ts'
import { check_bounds } from './integers.ts'
import { bits53_at, double_at, draw, real_parts, word_at } from './words.ts'

/** Words that make one uniform number of a dtype. */
export const words_per = (dtype: DType): number => (dtype === float64 ? 2 : 1)

/** The i-th uniform number in [0, 1), of as many digits as the dtype has: f64 for float64, else f32. */
export function unit_at(words: View, i: Expr, dtype: DType): Expr {
  if (dtype === float64) return double_at(words, i)
  const digits = dtype === float16 ? 11 : dtype === bfloat16 ? 8 : 24
  return word_at(words, i)
    .and(2 ** digits - 1)
    .cast('f32')
    .mul(2 ** -digits)
}

const uniform_kernel = kernels('uniform', (k, dtype: DType, from_zero: boolean) => {
  const words = k.input('words', int32, 'flat')
  const out = k.output('out', dtype, 'flat')
  const width = k.value('width', out.type)
  const low = k.value('low', out.type)
  k.for(out.sizes[0]!, 'vector', i => {
    const unit = unit_at(words, i, dtype)
    k.store(out, [i], from_zero ? unit.mul(width) : unit.fused(width, low))
  })
})

/** Fills with uniform numbers of [from, to), scaled in the dtype's own arithmetic. */
export function fill_uniform(g: Generator, out: Operand, from = 0, to = 1): void {
  const parts = real_parts(out)
  const { dtype } = parts
  if (!dtype.is_floating_point) not_implemented('check_uniform_bounds', dtype)
  if (from !== 0 || to !== 1) check_uniform(dtype, from, to)
  const round = round_to(dtype)
  const low = round(from)
  const width = round(round(to) - low)
  draw(g, words_per(dtype), uniform_kernel(dtype, low === 0), [parts], [width, low])
}

function check_uniform(dtype: DType, from: number, to: number): void {
  const { max } = finfo(dtype)
  check_bounds(from, 'from', -max, max, dtype)
  check_bounds(to, 'to', -max, max, dtype)
  if (from > to)
    throw new RuntimeError(
      `uniform_ expects to return a [from, to) range, but found from=${general(from)} > to=${general(to)}`,
    )
  if (to - from > max)
    throw new RuntimeError(
      `uniform_ expects to-from <= std::numeric_limits<${scalar_name(dtype)}>::max(), ` +
        `but found to=${general(to)} and from=${general(from)} which result in to-from to exceed the limit`,
    )
}

// ---------------------------------------------------------------------------------------------- bernoulli

const bernoulli_kernel = kernels('bernoulli', (k, dtype: DType) => {
  const words = k.input('words', int32, 'flat')
  const out = k.output('out', dtype, 'flat')
  const limit = k.value('limit', 'f64')
  const one = k.value('one', out.type)
  k.for(out.sizes[0]!, 'vector', i =>
    k.store(out, [i], bits53_at(words, i).lt(limit).where(one, constant(0, out.type))),
  )
})

/** Fills with `one` with probability `p`, else 0, for every dtype but the complex ones. */
export function fill_bernoulli(g: Generator, out: Operand, p: number, one = 1): void {
  if (!(p >= 0 && p <= 1))
    throw new RuntimeError(`bernoulli_ expects p to be in [0, 1], but got p=${general(p)}`)
  if (out.dtype.is_complex) not_implemented('bernoulli_scalar_cpu_', out.dtype)
  draw(g, 2, bernoulli_kernel(out.dtype), [out], [p * 2 ** 53, one])
}

const bernoulli_from_kernel = kernels('bernoulli_from', (k, dtype: DType, p_dtype: DType) => {
  const words = k.input('words', int32, 'flat')
  const out = k.output('out', dtype, 'flat')
  const p = k.input('p', p_dtype, 'flat')
  // of probabilities only float64 has more digits than 24
  const unit = p_dtype === float64 ? float64 : float32
  k.for(out.sizes[0]!, 'vector', i => k.store(out, [i], unit_at(words, i, unit).lt(p.at(i)).cast(out.type)))
})

const are_probabilities = kernels('are_probabilities', (k, dtype: DType) => {
  const out = k.output('out', uint8, 'flat')
  const p = k.input('p', dtype, 'flat')
  const all = k.local('bool', true)
  k.for(p.sizes[0]!, 'reduce', i => k.assign(all, all.and(p.at(i).ge(0).and(p.at(i).le(1)))))
  k.store(out, [0], all.cast('i32'))
})

/** Fills with 1 with the probability at the same place of `p`, floating and flat in the order of `out`; else 0. */
export function fill_bernoulli_from(g: Generator, out: Operand, p: Operand): void {
  const ok = empty([1], uint8)
  are_probabilities(p.dtype)([ok, p], [])
  if (ok.memory.peek(uint8)[ok.offset] === 0)
    throw new RuntimeError(
      'Expected p_in >= 0 && p_in <= 1 to be true, but got false.  (Could this error message be improved?  ' +
        'If so, please report an enhancement request to PyTorch.)',
    )
  draw(g, words_per(p.dtype), bernoulli_from_kernel(out.dtype, p.dtype), [out, p])
}
