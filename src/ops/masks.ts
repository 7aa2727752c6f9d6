// What ops make of a mask before they run: a value of the right dtype, the positions where it is true, and a
// loop over these that starts anywhere. Not here: the ops (masked.ts, indexing.ts).
import { bool, type DType, float64, int64 } from '../base/dtype.ts'
import type { Operand } from '../device/device.ts'
import type { Expr } from '../ir/expr.ts'
import type { Builder, View } from '../ir/kernel.ts'
import { empty, kernels } from '../tensor/dispatch.ts'
import { Tensor } from '../tensor/tensor.ts'
import { to_dtype } from './convert.ts'
import { dense } from './define/copy.ts'
import { overflow, real_number } from './define/numbers.ts'
import type { Number } from './define/pointwise.ts'
import { scratch } from './define/scratch.ts'
import { window } from './define/space.ts'
import { fill_number } from './index_slices.ts'

/** The mask as bools and the value as the tensor's dtype takes it, so that neither promotes. */
export function fill_args(
  self: Tensor,
  mask: Tensor,
  value: Tensor | Number,
): [Tensor, Tensor, Tensor | Number] {
  for (const [i, t] of [self, mask].entries())
    if (!(t instanceof Tensor))
      throw new TypeError(
        `masked_fill(): argument '${i ? 'mask' : 'input'}' (position ${i + 1}) must be Tensor, not ${typeof t}`,
      )
  const as_bool = to_dtype(mask, bool)
  if (value instanceof Tensor) {
    if (value.sizes.length > 0) fill_number('masked_fill_', value)
    return [self, as_bool, to_dtype(value, self.dtype)]
  }
  const number = fill_number('masked_fill_', value)
  if (self.dtype.is_complex) return [self, as_bool, number]
  const real = real_number(number, self.dtype)
  return [self, as_bool, self.dtype.is_floating_point ? real : integer_value(Number(real), real, self.dtype)]
}

function integer_value(n: number, value: number | bigint | boolean, dtype: DType): number | bigint | boolean {
  if (dtype === bool) return n !== 0
  const bits = dtype.itemsize * 8
  const high = dtype.is_signed ? 2 ** (bits - 1) : 2 ** bits
  if (!(n >= -high && n < high)) throw overflow(dtype)
  return typeof value === 'bigint' ? value : Math.trunc(n)
}

// ------------------------------------------------------------------------------------ positions

const positions_kernel = kernels('nonzero', (k, dtype: DType, rank: number) => {
  const out = k.output('out', int64, { rank: 2, inner: 1 })
  const x = k.input('x', dtype, 'flat')
  const starts = k.input('starts', float64, 'flat')
  const sizes = Array.from({ length: rank }, (_, d) => k.value(`size${d}`, 'index'))
  let place: Expr[] = []
  each_true(
    k,
    starts,
    i => x.at(i).ne(0),
    n => {
      for (const [d, at] of place.entries()) k.store(out, [n, d], at.cast('i64'))
    },
    first => {
      const rest = k.local('index', first)
      place = sizes.map(() => k.local('index', 0))
      for (let d = rank - 1; d > 0; d--) {
        k.assign(place[d]!, rest.mod(sizes[d]!))
        k.assign(rest, rest.floordiv(sizes[d]!))
      }
      k.assign(place[0]!, rest)
      return () => {
        k.assign(place[rank - 1]!, place[rank - 1]!.add(1))
        for (let d = rank - 1; d > 0; d--) {
          const over = k.local('bool', place[d]!.eq(sizes[d]!))
          k.assign(place[d]!, over.where(0, place[d]!))
          k.assign(place[d - 1]!, place[d - 1]!.add(over.cast('index')))
        }
      }
    },
  )
})

/** The positions of the elements that are not zero, a row each, outside the graph. */
export function nonzero_rows(x: Tensor): Tensor {
  const from = dense(x)
  const { starts, total } = count_blocks(from)
  const out = empty([total, x.sizes.length], int64)
  if (out.count > 0) positions_kernel(x.dtype, x.sizes.length)([out, from, starts], x.sizes)
  return out
}

// ------------------------------------------------------------------------------------ counting and packing

/** Elements that are counted, and then written, together. */
const BLOCK = 8192

const count_kernel = kernels('count_true', (k, dtype: DType) => {
  const counts = k.output('counts', float64, 'flat')
  const x = k.input('x', dtype, 'flat')
  k.for(counts.sizes[0]!, 'parallel', block => {
    const first = k.local('index', block.mul(BLOCK))
    const n = k.local('i32', 0)
    k.for(x.sizes[0]!.sub(first).min(BLOCK), 'reduce', i =>
      k.assign(n, n.add(x.at(first.add(i)).ne(0).cast('i32'))),
    )
    k.store(counts, [block], n.cast('f64'))
  })
})

/** How many elements of a contiguous tensor are not zero before each block, and in the end how many in all. */
export function count_blocks(x: Tensor): { starts: Operand; total: number } {
  const blocks = Math.ceil(x.count / BLOCK)
  const starts = scratch(0, [blocks + 1], float64)
  if (blocks > 0) count_kernel(x.dtype)([window(starts, [blocks], [1]), x], [])
  const numbers = starts.memory.touch(float64) as Float64Array
  let total = 0
  for (let b = 0; b < blocks; b++) {
    const here = numbers[b]!
    numbers[b] = total
    total += here
  }
  numbers[blocks] = total
  return { starts, total }
}

/**
 * Loops over the elements of which `true_at` holds, and over others between them: `n` is the number of the former
 * before place `i`. What is done for `n` is done again for the one that it is meant for, so it need not be skipped.
 */
export function each_true(
  k: Builder,
  starts: View,
  true_at: (i: Expr) => Expr,
  body: (n: Expr, i: Expr, here: Expr) => void,
  begin: (first: Expr) => () => void = () => () => {},
): void {
  k.for(starts.sizes[0]!.sub(1), 'parallel', block => {
    const n = k.local('index', starts.at(block).cast('index'))
    const end = k.local('index', starts.at(block.add(1)).cast('index'))
    const i = k.local('index', block.mul(BLOCK))
    const next = begin(i)
    k.while(n.lt(end), () => {
      const here = k.local('bool', true_at(i))
      body(n, i, here)
      k.assign(n, n.add(here.cast('index')))
      k.assign(i, i.add(1))
      next()
    })
  })
}
