// Kernels of the LU decomposition and of what is solved with it: elimination with row pivoting, triangular systems,
// interchanges of rows. Each is a loop over a batch. Not here: the ops (lu.ts, solve.ts, triangular_solve.ts).
import { type DType, int32 } from '../../base/dtype.ts'
import { constant, type Expr } from '../../ir/expr.ts'
import type { Builder, View } from '../../ir/kernel.ts'
import { empty, kernels } from '../../tensor/dispatch.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { copy_elements, dense } from '../define/copy.ts'
import type { Named } from '../define/named.ts'
import { as_list, as_matrices, as_rows, own_copy } from './matrices.ts'

/** |x|, of complex numbers |re| + |im|: by what LAPACK chooses pivots. */
export const size_of = (x: Expr): Expr => x.real().abs().add(x.imag().abs())

/** Swaps two rows of `n` elements. */
export function swap_rows(k: Builder, view: View, b: Expr, n: Expr, i: Expr, j: Expr): void {
  k.for(n, 'serial', c => {
    const upper = k.local(view.type, view.at(b, i, c))
    k.store(view, [b, i, c], view.at(b, j, c))
    k.store(view, [b, j, c], upper)
  })
}

/** Row `i` minus `factor` times row `j`, from column `first` on. */
export function subtract_row(
  k: Builder,
  x: View,
  b: Expr,
  i: Expr,
  factor: Expr,
  j: Expr,
  first: Expr = constant(0, 'index'),
): void {
  k.for(x.sizes[2]!.sub(first), 'vector', t => {
    const c = first.add(t)
    k.store(x, [b, i, c], x.at(b, i, c).sub(factor.mul(x.at(b, j, c))))
  })
}

/** LAPACK's getrf: pivots count from 1, info is 0 or one more than the first column without a pivot. */
const factor_kernel = kernels('lu_factor', (k, dtype: DType) => {
  const a = k.inout('a', dtype, { rank: 3, inner: 1 })
  const pivots = k.output('pivots', int32, { rank: 2, inner: 1 })
  const info = k.output('info', int32, { rank: 1, inner: 1 })
  const [count, m, n] = a.sizes as [Expr, Expr, Expr]
  k.for(count, 'parallel', b => {
    const failed = k.local('i32', 0)
    k.for(pivots.sizes[1]!, 'serial', c => {
      const pivot = k.local('index', c)
      const largest = k.local(a.at(b, c, c).real().type, size_of(a.at(b, c, c)))
      k.for(m.sub(c), 'serial', t => {
        const size = k.local(largest.type, size_of(a.at(b, c.add(t), c)))
        k.if(size.gt(largest), () => {
          k.assign(largest, size)
          k.assign(pivot, c.add(t))
        })
      })
      k.store(pivots, [b, c], pivot.cast('i32').add(1))
      k.if(
        largest.ne(0),
        () => {
          k.if(pivot.ne(c), () => swap_rows(k, a, b, n, c, pivot))
          const diagonal = k.local(a.type, a.at(b, c, c))
          k.for(m.sub(c).sub(1), 'serial', t => {
            const i = k.local('index', c.add(t).add(1))
            const factor = k.local(a.type, a.at(b, i, c).div(diagonal))
            k.store(a, [b, i, c], factor)
            subtract_row(k, a, b, i, factor, c, c.add(1))
          })
        },
        () => k.if(failed.eq(0), () => k.assign(failed, c.cast('i32').add(1))),
      )
    })
    k.store(info, [b], failed)
  })
})

/** An LU decomposition as LAPACK holds it: both factors in one matrix, interchanges of rows, success of each. */
export interface Factors {
  readonly lu: Tensor
  readonly pivots: Tensor
  readonly info: Tensor
}

/** The LU decomposition of each matrix, computed in `dtype`. */
export function factorize(a: Tensor, dtype: DType = a.dtype): Factors {
  const batch = a.sizes.slice(0, -2)
  const lu = own_copy(a, a.sizes, dtype)
  const pivots = empty([...batch, Math.min(...a.sizes.slice(-2))], int32)
  const info = empty(batch, int32)
  if (lu.count > 0) factor_kernel(dtype)([as_matrices(lu), as_rows(pivots), as_list(info)], [])
  else info.zero_()
  return { lu, pivots, info }
}

/** op(A) X = B for triangular A; B is replaced by X. */
const triangular_kernel = kernels(
  'triangular_solve',
  (k, dtype: DType, lower: boolean, unit: boolean, conjugate: boolean) => {
    const x = k.inout('x', dtype, { rank: 3, inner: 1 })
    const a = k.input('a', dtype, { rank: 3 })
    const [count, n, columns] = x.sizes as [Expr, Expr, Expr]
    const read = (b: Expr, i: Expr, j: Expr): Expr =>
      k.local(a.type, conjugate ? a.at(b, i, j).conj() : a.at(b, i, j))
    k.for(count, 'parallel', b =>
      k.for(n, 'serial', step => {
        const i = k.local('index', lower ? step : n.sub(1).sub(step))
        k.for(step, 'serial', t => {
          const j = k.local('index', lower ? t : i.add(1).add(t))
          subtract_row(k, x, b, i, read(b, i, j), j)
        })
        if (unit) return
        const diagonal = read(b, i, i)
        k.for(columns, 'vector', c => k.store(x, [b, i, c], x.at(b, i, c).div(diagonal)))
      }),
    )
  },
)

/** How a triangular matrix is read. */
export interface Triangle {
  readonly upper: boolean
  /** The diagonal is not read: it is 1. */
  readonly unit?: boolean
  /** The matrix is A^H instead of A; `upper` is said of A. */
  readonly adjoint?: boolean
}

/** Solves AX = B in place of B, which is contiguous; A has the batch dimensions of B. */
export function solve_triangle(x: Tensor, a: Tensor, { upper, unit, adjoint }: Triangle): void {
  if (x.count === 0) return
  const turned = adjoint === true
  const kernel = triangular_kernel(x.dtype, upper === turned, unit === true, turned)
  kernel([as_matrices(x), as_matrices(dense(a), turned)], [])
}

const interchange_kernel = kernels('interchange_rows', (k, dtype: DType, backwards: boolean) => {
  const x = k.inout('x', dtype, { rank: 3, inner: 1 })
  const pivots = k.input('pivots', int32, { rank: 2, inner: 1 })
  const [count, , columns] = x.sizes as [Expr, Expr, Expr]
  const steps = pivots.sizes[1]!
  k.for(count, 'parallel', b =>
    k.for(steps, 'serial', t => {
      const i = k.local('index', backwards ? steps.sub(1).sub(t) : t)
      const j = k.local('index', pivots.at(b, i).cast('index').sub(1))
      k.if(j.ne(i), () => swap_rows(k, x, b, columns, i, j))
    }),
  )
})

/** Interchanges rows as the pivots say, in place: P^T x, or backwards P x. `x` is contiguous. */
export function interchange(x: Tensor, pivots: Tensor, backwards: boolean): void {
  if (x.count === 0 || pivots.count === 0) return
  interchange_kernel(x.dtype, backwards)([as_matrices(x), as_rows(dense(pivots))], [])
}

/** Solves AX = B, or A^H X = B, in place of B, which is contiguous and has the batch dimensions of the factors. */
export function solve_factored(x: Tensor, lu: Tensor, pivots: Tensor, adjoint: boolean): void {
  const lower = { upper: false, unit: true, adjoint }
  const upper = { upper: true, adjoint }
  if (!adjoint) interchange(x, pivots, false)
  for (const triangle of adjoint ? [upper, lower] : [lower, upper]) solve_triangle(x, lu, triangle)
  if (adjoint) interchange(x, pivots, true)
}

/** Copies the identity to each matrix of `x`. */
export function fill_identity(x: Tensor): void {
  x.zero_()
  const diagonal = x.diagonal(0, -2, -1)
  if (diagonal.count > 0) copy_elements(diagonal, x.new_ones([]))
}

export type Parts = Named<Tensor, 'P' | 'L' | 'U'>
