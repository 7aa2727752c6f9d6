// The element of a given rank along a dimension, without sorting: the highest bits of the elements (as integers in the
// same order) are counted, those of the bits that have the rank are looked at further. Also the first elements of an
// order. Of equal elements each has the place that a stable sort gives it. Not here: the ops (../sorting.ts).
import { type DType, int32, int64 } from '../../base/dtype.ts'
import type { Operand } from '../../device/device.ts'
import { constant, type Expr } from '../../ir/expr.ts'
import type { Builder, View } from '../../ir/kernel.ts'
import { empty, kernels } from '../../tensor/dispatch.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { dense } from './copy.ts'
import { digit_of, fill_keys, key_dtype, key_of } from './order_keys.ts'
import { scratch } from './scratch.ts'
import { around_dim, each_line, row_parts } from './sort.ts'
import { window } from './space.ts'

/** Bits that are counted at once. */
const DIGIT = 8
/** Elements among which one is looked for together. */
const BLOCK = 512

type Keys = { readonly keys: View; readonly counts: View; readonly part: Expr; readonly n: Expr }

/**
 * Finds the key of rank `rank` among those of a row, which are in the first half of `keys`. Returns it and its rank
 * among those that are equal.
 */
function key_of_rank(
  k: Builder,
  { keys, counts, part, n }: Keys,
  length: Expr,
  rank: Expr,
): { key: Expr; rank: Expr } {
  const left = k.local('index', rank)
  const from = k.local('index', 0)
  const count = k.local('index', n)
  const shift = k.local('i32', length)
  k.while(shift.gt(0).and(count.gt(1)), () => {
    const width = k.local('i32', shift.min(DIGIT))
    k.assign(shift, shift.sub(width))
    const mask = k.local('i32', constant(1, 'i32').shl(width).sub(1))
    const digit = (i: Expr): Expr => digit_of(keys.at(part, from.add(i)), shift, mask)
    k.for(2 ** DIGIT, 'vector', d => k.store(counts, [part, d], 0))
    k.for(count, 'serial', i => {
      const d = k.local('index', digit(i))
      k.store(counts, [part, d], counts.at(part, d).add(1))
    })
    const chosen = k.local('index', 0)
    const here = (): Expr => counts.at(part, chosen).cast('index')
    k.while(here().le(left), () => {
      k.assign(left, left.sub(here()))
      k.assign(chosen, chosen.add(1))
    })
    // Every key is written, and stays if the next one does not take its place.
    const kept = k.local('index', 0)
    const total = k.local('index', here())
    const i = k.local('index', 0)
    k.while(kept.lt(total), () => {
      const key = k.local(keys.type, keys.at(part, from.add(i)))
      const stays = k.local('bool', digit_of(key, shift, mask).eq(chosen))
      k.store(keys, [part, n.add(kept)], key)
      k.assign(kept, kept.add(stays.cast('index')))
      k.assign(i, i.add(1))
    })
    k.assign(from, n)
    k.assign(count, total)
  })
  return { key: k.local(keys.type, keys.at(part, from)), rank: left }
}

/** The place of the `rank`-th of the keys of a row that are equal to `key`. */
function place_of(k: Builder, { keys, part, n }: Keys, key: Expr, rank: Expr): Expr {
  const left = k.local('index', rank)
  const first = k.local('index', 0)
  const found = k.local('bool', false)
  k.while(found.not(), () => {
    const here = k.local('i32', 0)
    k.for(n.sub(first).min(BLOCK), 'reduce', i =>
      k.assign(here, here.add(keys.at(part, first.add(i)).eq(key).cast('i32'))),
    )
    k.assign(found, left.lt(here.cast('index')))
    k.if(found.not(), () => {
      k.assign(left, left.sub(here.cast('index')))
      k.assign(first, first.add(BLOCK))
    })
  })
  k.while(keys.at(part, first).ne(key).or(left.gt(0)), () => {
    k.assign(left, left.sub(keys.at(part, first).eq(key).cast('index')))
    k.assign(first, first.add(1))
  })
  return first
}

/** Which element of a row: of a rank that is given, or in the middle of all or of those that are not NaN. */
export type Which = 'kth' | 'median' | 'nanmedian'

const pick_kernel = kernels('pick', (k, dtype: DType, which: Which, single: boolean) => {
  const out = k.output('out', dtype, { rank: 3, inner: 1 })
  const places = k.output('places', int64, { rank: 3, inner: 1 })
  const x = k.input('x', dtype, single ? { rank: 2, inner: 1 } : { rank: 3, inner: 1 })
  const keys = k.inout('keys', key_dtype(dtype), { rank: 2, inner: 1 })
  const counts = k.inout('counts', int32, { rank: 2, inner: 1 })
  const given = k.value('rank', 'index')
  const n = x.sizes[1]!
  each_line(k, [out.sizes[0]!, n, out.sizes[2]!], keys.sizes[0]!, (at, part) => {
    const load = (i: Expr): Expr => x.at(...at(i).slice(0, single ? 2 : 3))
    const row = { keys, counts, part, n }
    const { length } = fill_keys(k, keys, part, n, i => key_of(load(i), false))
    const rank = k.local('index', given)
    if (which !== 'kth') {
      const numbers = k.local('index', n)
      if (dtype.is_floating_point) {
        const nan = k.local('i32', 0)
        k.for(n, 'reduce', i => k.assign(nan, nan.add(load(i).ne(load(i)).cast('i32'))))
        k.assign(numbers, n.sub(nan.cast('index')))
      }
      const lower_middle = numbers.sub(1).max(0).shr(1)
      k.assign(rank, which === 'median' ? numbers.lt(n).where(numbers, lower_middle) : lower_middle)
    }
    const found = key_of_rank(k, row, length, rank)
    const place = place_of(k, row, found.key, found.rank)
    const to = at(constant(0, 'index'))
    k.store(out, to, load(place))
    k.store(places, to, place.cast('i64'))
  })
})

const first_kernel = kernels('first_of_order', (k, dtype: DType, largest: boolean, single: boolean) => {
  const out = k.output('out', dtype, { rank: 3, inner: 1 })
  const places = k.output('places', int64, { rank: 3, inner: 1 })
  const x = k.input('x', dtype, single ? { rank: 2, inner: 1 } : { rank: 3, inner: 1 })
  const keys = k.inout('keys', key_dtype(dtype), { rank: 2, inner: 1 })
  const counts = k.inout('counts', int32, { rank: 2, inner: 1 })
  const n = x.sizes[1]!
  const room = out.sizes[1]!
  each_line(k, [out.sizes[0]!, n, out.sizes[2]!], keys.sizes[0]!, (at, part) => {
    const load = (i: Expr): Expr => x.at(...at(i).slice(0, single ? 2 : 3))
    const row = { keys, counts, part, n }
    const { length } = fill_keys(k, keys, part, n, i => key_of(load(i), largest))
    const last = key_of_rank(k, row, length, room.sub(1))
    // All before the last key, and as many of those equal to it as there is room for.
    const equal = k.local('index', last.rank.add(1))
    const limit = k.local(keys.type, unsigned(last.key))
    const kept = k.local('index', 0)
    const i = k.local('index', 0)
    k.while(kept.lt(room), () => {
      const key = k.local(keys.type, unsigned(keys.at(part, i)))
      const same = k.local('bool', key.eq(limit).and(equal.gt(0)))
      k.store(out, at(kept), load(i))
      k.store(places, at(kept), i.cast('i64'))
      k.assign(equal, equal.sub(same.cast('index')))
      k.assign(kept, kept.add(key.lt(limit).or(same).cast('index')))
      k.assign(i, i.add(1))
    })
  })
})

/** Distances between keys are unsigned: with the top bit turned they compare as signed ones. */
const unsigned = (key: Expr): Expr => key.xor(key.type === 'i64' ? -(2n ** 63n) : -(2 ** 31))

function run(
  kernel: (single: boolean) => (operands: readonly Operand[], values: readonly number[]) => void,
  self: Tensor,
  dim: number,
  taken: number,
  results: readonly Tensor[],
  values: readonly number[],
): void {
  const [outer, n, inner] = around_dim(self, dim).sizes as [number, number, number]
  const single = inner === 1
  const x = dense(self)
  const parts = row_parts(outer * inner, n)
  kernel(single)(
    [
      ...results.map(t => window(t, [outer, taken, inner], [taken * inner, inner, 1])),
      single ? window(x, [outer, n], [n, 1]) : around_dim(x, dim),
      scratch(0, [parts, 2 * n], key_dtype(self.dtype)),
      scratch(1, [parts, 2 ** DIGIT], int32),
    ],
    values,
  )
}

/** The element of each row along `dim`, which is not empty, and its place; results have `sizes`. */
export function pick(
  self: Tensor,
  dim: number,
  sizes: readonly number[],
  which: Which,
  rank: number,
): { values: Tensor; indices: Tensor } {
  const [values, indices] = [empty(sizes, self.dtype), empty(sizes, int64)]
  if (values.count > 0)
    run(single => pick_kernel(self.dtype, which, single), self, dim, 1, [values, indices], [rank])
  return { values, indices }
}

/** The `count` (one or more) elements along `dim` that come first in the order, as they stand in self, and their places. */
export function first_of_order(
  self: Tensor,
  dim: number,
  count: number,
  largest: boolean,
): { values: Tensor; indices: Tensor } {
  const sizes = self.sizes.with(dim, count)
  const [values, indices] = [empty(sizes, self.dtype), empty(sizes, int64)]
  if (values.count > 0)
    run(single => first_kernel(self.dtype, largest, single), self, dim, count, [values, indices], [])
  return { values, indices }
}
