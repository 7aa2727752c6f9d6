// Whether the values of an index tensor lie in a range: checked by a kernel before anything is written through them, or
// by the kernel that reads through them. Not here: what the error says, which differs from op to op.
import { type DType, float64, int32 } from '../../base/dtype.ts'
import { Expr, type Scalar } from '../../ir/expr.ts'
import type { Builder, View } from '../../ir/kernel.ts'
import { empty, kernels, zeros } from '../../tensor/dispatch.ts'
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
  const values = out.memory.peek(float64)
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
  throw error(Number(out.memory.peek(float64)[out.offset]))
}

// ------------------------------------------------------------------------------------ checks in passing

let note: Tensor | undefined

/** The operand in which kernels note that they met an index out of range (see {@link note_of}). */
export const range_note = (): Tensor => (note ??= zeros([1], int32))

/** Whether a kernel did so since this was last asked. */
export function was_out_of_range(): boolean {
  const values = range_note().memory.touch(int32)
  const noted = values[0] !== 0
  if (noted) values[0] = 0
  return noted
}

/** That operand in a kernel. */
export const note_of = (k: Builder): View => k.inout('note', int32, 'flat')

/** A bound in the type of what it bounds. */
const as_index = (bound: Scalar, index: Expr): Scalar =>
  bound instanceof Expr ? bound.cast(index.type) : bound

/** Emits `then` for where `index` lies in [low, end); elsewhere that is noted. */
export function if_in_range(
  k: Builder,
  note: View,
  index: Expr,
  low: Scalar,
  end: Scalar,
  then: () => void,
): void {
  k.if(index.ge(as_index(low, index)).and(index.lt(as_index(end, index))), then, () => k.store(note, [0], 1))
}

/** Elements that are checked before they are used: a few, so that the next are fetched meanwhile. */
const BLOCK = 512

/**
 * Independent loops over `sizes` around `body`, in blocks of the last dimension: a block in which some `index` is not in
 * [low, end) is left out, and that is noted.
 */
export function each_in_range(
  k: Builder,
  note: View,
  sizes: readonly Expr[],
  index: (...i: Expr[]) => Expr,
  low: Scalar,
  end: Scalar,
  body: (...i: Expr[]) => void,
): void {
  const size = sizes.at(-1)!
  const blocks = size.add(BLOCK - 1).floordiv(BLOCK)
  k.nest([...sizes.slice(0, -1), blocks], 'parallel', 'parallel', (...outer) => {
    const start = k.local('index', outer.pop()!.mul(BLOCK))
    const n = k.local('index', size.sub(start).min(BLOCK).min(size))
    const first = k.local(index(...outer, start).type, index(...outer, start))
    const lowest = k.local(first.type, first)
    const highest = k.local(first.type, first)
    k.for(n, 'reduce', i => {
      const value = index(...outer, start.add(i))
      k.assign(lowest, lowest.min(value))
      k.assign(highest, highest.max(value))
    })
    k.if(
      lowest.ge(as_index(low, first)).and(highest.lt(as_index(end, first))),
      () => k.for(n, 'vector', i => body(...outer, start.add(i))),
      () => k.store(note, [0], 1),
    )
  })
}
