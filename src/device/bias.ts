// A product's bias for devices whose routine has no place for one: written to the result first, which the product is then
// added to. Not here: the routines.
import type { GemmProblem } from './device.ts'

/** The problem without its bias, which is in `c` now. */
export function lay_bias(problem: GemmProblem): GemmProblem {
  const { dtype, batch, m, n, c, bias } = problem
  if (!bias) return problem
  const out = c.storage.array(dtype) as Float32Array | Float64Array
  const row = (bias.memory.array(dtype) as typeof out).subarray(bias.offset, bias.offset + n)
  for (let b = 0; b < batch; b++)
    for (let i = 0; i < m; i++) out.set(row, c.offset + b * c.batch_stride + i * c.row_stride)
  return { ...problem, accumulate: true, bias: null }
}
