// Logic on truth values, operations on the bits of integers, and common divisors and multiples.
// Not here: comparisons, which give the truth values (compare.ts).
import { bool, result_dtype } from '../base/dtype.ts'
import type { Expr } from '../ir/expr.ts'
import type { Builder } from '../ir/kernel.ts'
import { compute_type } from '../ir/types.ts'
import type { Tensor } from '../tensor/tensor.ts'
import { in_place } from './define/inplace.ts'
import { type Looped, looped } from './define/looped.ts'
import { type Op, op } from './define/op.ts'
import { type DTypeRule, type Number, pointwise } from './define/pointwise.ts'
import { integral, not_implemented } from './define/rules.ts'

type Other = Tensor | Number
type Out = { out?: Tensor }
type Pair = [self: Tensor, other: Tensor, opts?: Out]
type Binary = [self: Other, other: Other, opts?: Out]

// ---------------------------------------------------------------------------------------------- logic

const truth = (x: Expr): Expr => (x.type === 'bool' ? x : x.ne(0))

const logical = (name: string, forward: (a: Expr, b: Expr) => Expr): Op<Pair> =>
  pointwise<Pair>(`${name}(Tensor self, Tensor other)`, {
    tensors_only: true,
    dtype: 'bool',
    logical: true,
    forward: (a, b) => forward(truth(a as Expr), truth(b as Expr)),
    samples: r => [
      [r.bools(3, 4), r.bools(4)],
      [r.ints(0, 2, 4), r(4)],
    ],
  })

/** Whether both elements are nonzero. */
export const logical_and: Op<Pair> = logical('logical_and', (a, b) => a.and(b))
/** In-place {@link logical_and}. */
export const logical_and_: typeof logical_and = in_place(logical_and)

/** Whether one of the elements is nonzero. */
export const logical_or: Op<Pair> = logical('logical_or', (a, b) => a.or(b))
/** In-place {@link logical_or}. */
export const logical_or_: typeof logical_or = in_place(logical_or)

/** Whether just one of the elements is nonzero. */
export const logical_xor: Op<Pair> = logical('logical_xor', (a, b) => a.xor(b))
/** In-place {@link logical_xor}. */
export const logical_xor_: typeof logical_xor = in_place(logical_xor)

/** Whether the element is zero. */
export const logical_not: Op<[self: Tensor, opts?: Out]> = pointwise('logical_not(Tensor self)', {
  dtype: 'bool',
  logical: true,
  forward: (self: Expr) => truth(self).not(),
  samples: r => [[r.bools(3, 4)], [r.ints(0, 2, 4)]],
})
/** In-place {@link logical_not}. */
export const logical_not_: typeof logical_not = in_place(logical_not)

// ---------------------------------------------------------------------------------------------- bits

const bits = (name: string, forward: (a: Expr, b: Expr) => Expr): Op<Binary> =>
  pointwise<Binary>(`${name}(Tensor self, Tensor other)`, {
    number_first: true,
    dtype: integral(`${name}_cpu`),
    logical: true,
    forward: (a, b) => forward(a as Expr, b as Expr),
    samples: r => [
      [r.ints(-9, 9, 3, 4), r.ints(-9, 9, 4)],
      [r.ints(0, 9, 4), 5],
      [r.bools(4), r.bools(4)],
    ],
  })

/** The bits that both have; of bools, `and`. */
export const bitwise_and: Op<Binary> = bits('bitwise_and', (a, b) => a.and(b))
/** In-place {@link bitwise_and}. */
export const bitwise_and_: typeof bitwise_and = in_place(bitwise_and)

/** The bits that one of them has; of bools, `or`. */
export const bitwise_or: Op<Binary> = bits('bitwise_or', (a, b) => a.or(b))
/** In-place {@link bitwise_or}. */
export const bitwise_or_: typeof bitwise_or = in_place(bitwise_or)

/** The bits that just one of them has; of bools, `xor`. */
export const bitwise_xor: Op<Binary> = bits('bitwise_xor', (a, b) => a.xor(b))
/** In-place {@link bitwise_xor}. */
export const bitwise_xor_: typeof bitwise_xor = in_place(bitwise_xor)

/** All bits turned round; of bools, `not`. */
export const bitwise_not: Op<[self: Tensor, opts?: Out]> = pointwise('bitwise_not(Tensor self)', {
  dtype: integral('bitwise_not_cpu'),
  logical: true,
  forward: (self: Expr) => self.not(),
  samples: r => [[r.ints(-9, 9, 3, 4)], [r.bools(4)]],
})
/** In-place {@link bitwise_not}. */
export const bitwise_not_: typeof bitwise_not = in_place(bitwise_not)

const shiftable =
  (kernel: string): DTypeRule =>
  promoted =>
    promoted === bool || promoted.is_floating_point || promoted.is_complex
      ? not_implemented(kernel, promoted)
      : promoted

const shift = (name: string, kernel: string, forward: (a: Expr, b: Expr) => Expr): Op<Binary> =>
  pointwise<Binary>(`${name}(Tensor self, Tensor other)`, {
    number_first: true,
    dtype: shiftable(kernel),
    forward: (a, b) => forward(a as Expr, b as Expr),
    samples: r => [
      [r.ints(-9, 9, 3, 4), r.ints(0, 5, 4)],
      [r.ints(0, 9, 4), 2],
    ],
  })

/** Shifts bits to the left. */
export const bitwise_left_shift: Op<Binary> = shift('bitwise_left_shift', 'lshift_cpu', (a, b) => a.shl(b))
/** In-place {@link bitwise_left_shift}. */
export const bitwise_left_shift_: typeof bitwise_left_shift = in_place(bitwise_left_shift)

/** Shifts bits to the right, keeping the sign. */
export const bitwise_right_shift: Op<Binary> = shift('bitwise_right_shift', 'rshift_cpu', (a, b) => a.shr(b))
/** In-place {@link bitwise_right_shift}. */
export const bitwise_right_shift_: typeof bitwise_right_shift = in_place(bitwise_right_shift)

/** Python's operators by their names, as torch and its tensors have them. */
export {
  bitwise_and as __and__,
  bitwise_and_ as __iand__,
  bitwise_left_shift as __lshift__,
  bitwise_left_shift_ as __ilshift__,
  bitwise_or as __or__,
  bitwise_or_ as __ior__,
  bitwise_right_shift as __rshift__,
  bitwise_right_shift_ as __irshift__,
  bitwise_xor as __xor__,
  bitwise_xor_ as __ixor__,
}

// ---------------------------------------------------------------------------------------------- divisors

/** Euclid's algorithm: the last remainder that is not zero, with any sign. */
function greatest_divisor(k: Builder, x: Expr, y: Expr): Expr {
  const a = k.local(x.type, x)
  const b = k.local(x.type, y)
  k.while(b.ne(0), () => {
    const rest = k.local(x.type, a.fmod(b))
    k.assign(a, b)
    k.assign(b, rest)
  })
  return a
}

const gcd_of = looped('gcd', compute_type, (k, x, y) => greatest_divisor(k, x, y).abs())
const lcm_of = looped('lcm', compute_type, (k, x, y) => {
  const divisor = greatest_divisor(k, x, y)
  return divisor.eq(0).where(0, x.truncdiv(divisor).mul(y).abs())
})

function divisors(name: string, f: Looped): (self: Tensor, other: Tensor) => Tensor {
  return (self, other) => {
    const dtype = result_dtype([self, other])
    if (dtype === bool || dtype.is_floating_point || dtype.is_complex) not_implemented(`${name}_cpu`, dtype)
    return f(self, other, dtype)
  }
}

/** The greatest common divisor of integers. */
export const gcd: Op<Pair> = op('gcd(Tensor self, Tensor other)', {
  forward: divisors('gcd', gcd_of),
  samples: r => [[r.ints(-20, 20, 3, 4), r.ints(-20, 20, 4)]],
})
/** In-place {@link gcd}. */
export const gcd_: typeof gcd = in_place(gcd)

/** The least common multiple of integers. */
export const lcm: Op<Pair> = op('lcm(Tensor self, Tensor other)', {
  forward: divisors('lcm', lcm_of),
  samples: r => [[r.ints(-20, 20, 3, 4), r.ints(-20, 20, 4)]],
})
/** In-place {@link lcm}. */
export const lcm_: typeof lcm = in_place(lcm)
