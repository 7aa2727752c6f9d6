// Whether the values of an index tensor lie in a range: checked by a kernel before anything is read or written
// through them. Not here: what the error says, which differs from op to op.
import { type DType, float64 } from '../../base/dtype.ts'
import { empty, kernels } from '../../tensor/dispatch.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { dense } from './copy.ts'

const range_kernel = kernels('index_range', (k, dtype: DType) => {
  const out = k.output('out', float64, { rank: 2, inner: 1 })
  const x = k.input('x', dtype, 'flat')
  const n = x.sizes[0]!
  const parts = out.sizes[0]!
  k.for(parts, 'parallel', p => {
    const start = k.local('index', p.mul(n).floordiv(parts))
    const low = k.local(x.type, x.at(start))
    const high = k.local(x.type, x.at(start))
    k.for(p.add(1).mul(n).floordiv(parts).sub(start), 'reduce', i => {
      k.assign(low, low.min(x.at(start.add(i))))
      k.assign(high, high.max(x.at(start.add(i))))
    })
    k.store(out, [p, 0], low.cast('f64'))
    k.store(out, [p, 1], high.cast('f64'))
  })
})

/** Elements to a part of the work. */
const PART = 16384

const first_outside_kernel = kernels('first_outside', (k, dtype: DType) => {
  const out = k.output('out', float64, 'flat')
  const x = k.input('x', dtype, 'flat')
  const low = k.value('low', 'f64')
  const end = k.value('end', 'f64')
  const at = k.local('index', 0)
  const value = x.at(at).cast('f64')
  k.while(value.ge(low).and(value.lt(end)), () => k.assign(at, at.add(1)))
  k.store(out, [0], value)
})

/** The lowest and highest value of an integer tensor that is not empty. */
export function value_range(index: Tensor): { low: number; high: number } {
  const parts = Math.min(64, Math.ceil(index.count / PART))
  const out = empty([parts, 2], float64)
  range_kernel(index.dtype)([out, dense(index)], [])
  const values = out.memory.array(float64)
  let low = Infinity
  let high = -Infinity
  for (let at = out.offset; at < out.offset + 2 * parts; at += 2) {
    low = Math.min(low, Number(values[at]))
    high = Math.max(high, Number(values[at + 1]))
  }
  return { low, high }
}

/** Throws `error(value)` for the first value that is below `low` or not below `end`. */
export function require_range(
  index: Tensor,
  low: number,
  end: number,
  error: (value: number) => Error,
): void {
  if (index.count === 0) return
  const range = value_range(index)
  if (range.low >= low && range.high < end) return
  const out = empty([1], float64)
  first_outside_kernel(index.dtype)([out, dense(index)], [low, end])
  throw error(Number(out.memory.array(float64)[out.offset]))
}
