// Running totals along a dimension: cumsum, cumprod, logcumsumexp, cummax, cummin. Totals of floats are kept in
// float64. Not here: reductions, which give only the last total (reduction.ts).
import { complex128, type DType, float64, int64 } from '../base/dtype.ts'
import { wrap_dim } from '../base/shape.ts'
import type { Operand } from '../device/device.ts'
import { constant, type Expr } from '../ir/expr.ts'
import { compute_type, is_float } from '../ir/types.ts'
import { empty, kernels } from '../tensor/dispatch.ts'
import { modes } from '../tensor/tape.ts'
import type { Tensor } from '../tensor/tensor.ts'
import { dense } from './define/copy.ts'
import { in_place } from './define/inplace.ts'
import { type Named, named_tuple } from './define/named.ts'
import { type Op, op } from './define/op.ts'
import { empty_result } from './define/out.ts'
import { any_zero } from './define/reduce.ts'
import { is_integral, not_implemented } from './define/rules.ts'
import { window } from './define/space.ts'
import { cat, stack } from './join.ts'

/** [outer, n, inner]: the sizes before, at and after a dimension. */
function split_at(sizes: readonly number[], dim: number): [outer: number, n: number, inner: number] {
  const product = (list: readonly number[]): number => list.reduce((a, b) => a * b, 1)
  return [product(sizes.slice(0, dim)), sizes[dim] ?? 1, product(sizes.slice(dim + 1))]
}

/** A contiguous tensor as [outer, n, inner]. */
function in_three(t: Tensor, [outer, n, inner]: readonly [number, number, number]): Operand {
  return window(t, [outer, n, inner], [n * inner, inner, 1])
}

type TotalType = 'f64' | 'i64' | 'c128'
const TOTALS: Readonly<Record<TotalType, DType>> = { f64: float64, i64: int64, c128: complex128 }

/** `backwards`: of what is at and after each place. */
type Scan = (self: Tensor, dim: number, dtype: DType, backwards?: boolean) => Tensor

/** Declares a scan: `step` makes the next total of the present one and an element, from `start`. */
function scan(name: string, start: number, step: (total: Expr, x: Expr) => Expr): Scan {
  const total_type = (dtype: DType): TotalType =>
    dtype.is_complex ? 'c128' : is_float(compute_type(dtype)) ? 'f64' : 'i64'
  // Along rows one total is a local; across rows there is one for each column, in memory.
  const kernel = kernels(
    name,
    (k, out_dtype: DType, x_dtype: DType, columns: boolean, backwards: boolean) => {
      const layout = { rank: 3, inner: 1 } as const
      const out = k.output('out', out_dtype, layout)
      const x = k.input('x', x_dtype, layout)
      const type = total_type(out_dtype)
      const [outer, n, inner] = x.sizes as [Expr, Expr, Expr]
      const along = (body: (i: Expr) => void): void =>
        k.for(n, 'serial', i => body(backwards ? n.sub(1).sub(i) : i))
      const element = (...i: Expr[]): Expr =>
        x
          .at(...i)
          .cast(out.type)
          .cast(type)
      if (!columns) {
        k.for(outer, 'parallel', o => {
          const total = k.local(type, start)
          along(i => {
            k.assign(total, step(total, element(o, i, constant(0, 'index'))))
            k.store(out, [o, i, 0], total.cast(out.type))
          })
        })
        return
      }
      const totals = k.inout('totals', TOTALS[type], { rank: 2, inner: 1 })
      k.for(outer, 'parallel', o => {
        k.for(inner, 'vector', c => k.store(totals, [o, c], start))
        along(i =>
          k.for(inner, 'vector', c => {
            const total = k.local(type, step(totals.at(o, c), element(o, i, c)))
            k.store(totals, [o, c], total)
            k.store(out, [o, i, c], total.cast(out.type))
          }),
        )
      })
    },
  )
  return (self, dim, dtype, backwards = false) => {
    const at = wrap_dim(dim, self.sizes.length)
    const out = empty_result(self.sizes, dtype)
    if (out.count === 0) return out
    const shape = split_at(self.sizes, at)
    const [outer, , inner] = shape
    const operands = [in_three(out, shape), in_three(dense(self), shape)]
    const type = total_type(dtype)
    if (inner > 1) operands.push(empty([outer, inner], TOTALS[type]))
    kernel(dtype, self.dtype, inner > 1, backwards)(operands, [])
    return out
  }
}

const is_trivial = (t: Tensor, dim: number): boolean =>
  t.count <= 1 || t.sizes[wrap_dim(dim, t.sizes.length)] === 1

// ---------------------------------------------------------------------------------------------- sums and products

type Options = { dim?: number; dtype?: DType | null; out?: Tensor }
type ScanArgs = [self: Tensor, dim: number | (Options & { dim: number }), opts?: Options]
type ScanValues = [self: Tensor, dim: number, dtype: DType | null]

const running_dtype = (self: DType, dtype: DType | null): DType => dtype ?? (is_integral(self) ? int64 : self)
const running_sum = scan('cumsum', 0, (total, x) => total.add(x))
const running_product = scan('cumprod', 1, (total, x) => total.mul(x))

/** The sum of what is at and after each place. */
const sum_from_here: Op<[self: Tensor, dim: number]> = op<
  [self: Tensor, dim: number],
  [self: Tensor, dim: number],
  Tensor
>('cumsum_backward(Tensor self, int dim)', {
  forward: (self, dim) => running_sum(self, dim, self.dtype, true),
  backward: { self: (g, [, dim]) => g.cumsum(dim) },
})

/** The sum of the elements up to each place along `dim`. Integers are summed as int64. */
export const cumsum: Op<ScanArgs> = op<ScanArgs, ScanValues, Tensor>(
  'cumsum(Tensor self, int dim, *, dtype? dtype=None)',
  {
    forward: (self, dim, dtype) => running_sum(self, dim, running_dtype(self.dtype, dtype)),
    backward: { self: (g, [, dim]) => (is_trivial(g, dim) ? g : sum_from_here(g, dim)) },
    samples: r => [
      [r(3, 4), 0],
      [r(2, 3, 4), 1],
      [r(3, 4), -1],
      [r(), 0],
      [r.ints(-5, 5, 3, 4), 1],
    ],
  },
)
/** In-place {@link cumsum}. */
export const cumsum_: typeof cumsum = in_place(cumsum)

/** The product of the elements up to each place along `dim`. Integers are multiplied as int64. */
export const cumprod: Op<ScanArgs> = op<ScanArgs, ScanValues, Tensor>(
  'cumprod(Tensor self, int dim, *, dtype? dtype=None)',
  {
    forward: (self, dim, dtype) => running_product(self, dim, running_dtype(self.dtype, dtype)),
    saves: ['self', 'out'],
    backward: {
      self(g, [self, dim], out) {
        if (is_trivial(g, dim)) return g
        if (any_zero(self)) {
          const at = wrap_dim(dim, g.sizes.length)
          return cumprod_grad_with_zeros(g, self.conj(), out.conj(), at)
        }
        return sum_from_here(g.mul(out.conj()), dim).div(self.conj())
      },
    },
    samples: r => [
      [r(3, 4), 0],
      [r(2, 3, 2), 1],
      [r.cast(r.ints(0, 3, 3, 4), r(1).dtype), 1],
      [r(), 0],
    ],
  },
)
/** In-place {@link cumprod}. */
export const cumprod_: typeof cumprod = in_place(cumprod)

/**
 * d/dx_k of sum_j g_j x_0 ... x_j is P_k S_k: the product P_k of what is before k, and S_k = g_k + x_(k+1) S_(k+1).
 * No division, so zeros do no harm.
 */
function cumprod_grad_with_zeros(g: Tensor, x: Tensor, out: Tensor, dim: number): Tensor {
  const n = x.sizes[dim] as number
  const first = x.new_ones(x.sizes.map((size, d) => (d === dim ? 1 : size)))
  const before = cat([first, out.narrow(dim, 0, n - 1)], dim)
  let after = g.select(dim, n - 1)
  const sums = [after]
  for (let k = n - 2; k >= 0; k--) {
    after = g.select(dim, k).add(x.select(dim, k + 1).mul(after))
    sums.unshift(after)
  }
  return before.mul(stack(sums, dim))
}

/** log(e ** a + e ** b) in the reals with infinities. */
function log_add(a: Expr, b: Expr): Expr {
  const larger = a.max(b)
  const sum = larger.add(a.sub(b).abs().neg().exp().log1p())
  return a.eq(b).and(a.abs().eq(Infinity)).where(a, sum)
}
const running_log_sum = scan('logcumsumexp', -Infinity, log_add)

/** log(sum(exp(self))) of the elements up to each place along `dim`. */
export const logcumsumexp: Op<
  [self: Tensor, dim: number | { dim: number; out?: Tensor }, opts?: { out?: Tensor }]
> = op('logcumsumexp(Tensor self, int dim)', {
  forward(self: Tensor, dim: number) {
    if (is_integral(self.dtype)) not_implemented('logcumsumexp_out_cpu', self.dtype)
    return running_log_sum(self, dim, self.dtype)
  },
  saves: ['self', 'out'],
  backward: {
    // In logarithms, separately for gradients of either sign, so that nothing overflows. Logarithms have no derivative
    // at a gradient of 0: where this is itself differentiated, the plain formula, shifted by the largest element.
    self(g, [self, dim], out) {
      if (is_trivial(g, dim)) return g
      if (modes.grad) {
        const shift = self.detach().amax(dim, true)
        const later = sum_from_here(g.mul(shift.sub(out).exp()), dim)
        return self.sub(shift).exp().mul(later)
      }
      const part = (sign: Tensor): Tensor => {
        const logs = sign.log().sub(out)
        return logs.flip(dim).logcumsumexp(dim).flip(dim).add(self).exp()
      }
      return part(g.clamp({ min: 0 })).sub(part(g.neg().clamp({ min: 0 })))
    },
  },
  samples: r => [
    [r(3, 4), 0],
    [r(2, 3, 4), 1],
    [r(3, 4), -1],
    [r(), 0],
  ],
})

// ---------------------------------------------------------------------------------------------- extremes

/** Totals and where they were attained last; NaN is greater, and smaller, than everything. */
const extremes_kernel = kernels('cummax', (k, dtype: DType, largest: boolean) => {
  const layout = { rank: 3, inner: 1 } as const
  const values = k.output('values', dtype, layout)
  const indices = k.output('indices', int64, layout)
  const x = k.input('x', dtype, layout)
  const [outer, n, inner] = x.sizes as [Expr, Expr, Expr]
  k.for(outer, 'parallel', o =>
    k.for(inner, 'serial', c => {
      const best = k.local(x.type, x.at(o, 0, c))
      const at = k.local('i64', 0)
      k.for(n, 'serial', i => {
        const e = k.local(x.type, x.at(o, i, c))
        const further = largest ? e.ge(best) : e.le(best)
        const taken = k.local('bool', is_float(x.type) ? further.or(e.ne(e)) : further)
        k.assign(best, taken.where(e, best))
        k.assign(at, taken.where(i.cast('i64'), at))
        k.store(values, [o, i, c], best)
        k.store(indices, [o, i, c], at)
      })
    }),
  )
})

type Extremes = Named<Tensor, 'values' | 'indices'>
type ExtremeOptions = { dim?: number; out?: readonly Tensor[] }

const running_extreme = (
  name: 'cummax' | 'cummin',
): Op<[self: Tensor, dim: number | (ExtremeOptions & { dim: number }), opts?: ExtremeOptions], Extremes> =>
  op(`${name}(Tensor self, int dim)`, {
    forward(self: Tensor, dim: number) {
      const shape = split_at(self.sizes, wrap_dim(dim, self.sizes.length))
      const [values, indices] = [empty(self.sizes, self.dtype), empty(self.sizes, int64)]
      if (self.count > 0)
        extremes_kernel(self.dtype, name === 'cummax')(
          [values, indices, dense(self)].map(t => in_three(t, shape)),
          [],
        )
      return named_tuple(name, { values, indices })
    },
    saves: ['out'],
    backward: {
      self([g], [self, dim], [, indices]) {
        if (!g || self.sizes.length === 0) return g ?? null
        return g.new_zeros(self.sizes).scatter_add(dim, indices as Tensor, g)
      },
    },
    samples: r => [
      [r.distinct(3, 4), 0],
      [r.distinct(2, 3, 4), 1],
      [r(), 0],
    ],
  })

/** The largest element up to each place along `dim`, and where it was (last, among equal ones). */
export const cummax: ReturnType<typeof running_extreme> = running_extreme('cummax')
/** The smallest element up to each place along `dim`, and where it was (last, among equal ones). */
export const cummin: ReturnType<typeof running_extreme> = running_extreme('cummin')
