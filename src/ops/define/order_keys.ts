// Integers in the order of the elements, and digits of them: what sorting and selection work on. NaN is the largest,
// and 0 and -0 are equal, as are all NaN. Not here: the algorithms (sort.ts, select.ts).
import { type DType, int32, int64 } from '../../base/dtype.ts'
import { constant, type Expr } from '../../ir/expr.ts'
import type { Builder, View } from '../../ir/kernel.ts'
import { compute_type, is_float, type ScalarType } from '../../ir/types.ts'

type KeyType = 'i32' | 'i64'

const key_type = (type: ScalarType): KeyType => (type === 'f64' || type === 'i64' ? 'i64' : 'i32')

/** The dtype of a tensor's keys. */
export const key_dtype = (dtype: DType): DType => (key_type(compute_type(dtype)) === 'i64' ? int64 : int32)

const highest = (type: KeyType): Expr => constant(type === 'i64' ? 2n ** 63n - 1n : 2 ** 31 - 1, type)

/** A signed integer that is in the order (or the reverse one) where `x` is. */
export function key_of(x: Expr, descending: boolean): Expr {
  const type = key_type(x.type)
  let key: Expr
  if (is_float(x.type)) {
    const bits = x.bitcast(type)
    const ordered = bits.lt(0).where(bits.xor(highest(type)), bits)
    key = x.ne(x).where(highest(type), x.eq(0).where(constant(0, type), ordered))
  } else key = x.cast(type)
  return descending ? key.not() : key
}

/** The element of a key. Of several elements that have the same key it is read: `load` does. */
export function element_of(
  key: Expr,
  type: ScalarType,
  descending: boolean,
  load: (guard: Expr, otherwise: Expr) => Expr,
): Expr {
  const plain = descending ? key.not() : key
  if (type === 'bool') return plain.ne(0)
  if (!is_float(type)) return plain.cast(type)
  const top = highest(key_type(type))
  const bits = plain.lt(0).where(plain.xor(top), plain)
  return load(plain.eq(0).or(plain.eq(top)), bits.bitcast(type))
}

/** How many of the low bits of a non-negative distance between keys are in use. */
function bit_length(k: Builder, range: Expr): Expr {
  const bits = range.type === 'i64' ? 64 : 32
  const length = k.local('i32', 0)
  const rest = k.local(range.type, range)
  for (let step = bits / 2; step >= 1; step /= 2)
    k.if(rest.ushr(step).ne(0), () => {
      k.assign(length, length.add(step))
      k.assign(rest, rest.ushr(step))
    })
  k.if(rest.ne(0), () => k.assign(length, length.add(1)))
  return length
}

/**
 * Fills row `at` of `keys` with the distances of n keys from the lowest of them. Returns that and the length in bits of
 * the greatest distance.
 */
export function fill_keys(
  k: Builder,
  keys: View,
  at: Expr,
  n: Expr,
  key: (i: Expr) => Expr,
): { low: Expr; length: Expr } {
  const { type } = keys
  const top = highest(type as KeyType)
  const low = k.local(type, top)
  const high = k.local(type, top.not())
  k.for(n, 'vector', i => k.store(keys, [at, i], key(i)))
  k.for(n, 'reduce', i => {
    k.assign(low, low.min(keys.at(at, i)))
    k.assign(high, high.max(keys.at(at, i)))
  })
  k.for(n, 'vector', i => k.store(keys, [at, i], keys.at(at, i).sub(low)))
  return { low, length: bit_length(k, high.sub(low)) }
}

/** The `width` bits of a key from `shift` on. */
export const digit_of = (key: Expr, shift: Expr, mask: Expr): Expr =>
  key.ushr(shift.cast(key.type)).cast('i32').and(mask).cast('index')
