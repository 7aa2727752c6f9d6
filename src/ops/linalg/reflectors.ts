// Kernels of Householder reflectors: a factorisation as LAPACK's geqrf, and the product with its orthogonal factor as
// ormqr. A matrix is held by its columns, each contiguous. Not here: the ops (qr.ts).
import type { DType } from '../../base/dtype.ts'
import { complex, constant, type Expr } from '../../ir/expr.ts'
import type { Builder, View } from '../../ir/kernel.ts'
import { is_complex } from '../../ir/types.ts'
import { empty, kernels } from '../../tensor/dispatch.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { as_matrices, as_rows, columns_of } from './matrices.ts'

/** |x|^2. */
export const square = (x: Expr): Expr =>
  is_complex(x.type) ? x.real().mul(x.real()).add(x.imag().mul(x.imag())) : x.mul(x)

/** A number without imaginary part, of the type of `like`. */
export const as_type = (x: Expr, like: Expr): Expr =>
  is_complex(like.type) ? complex(x, constant(0, x.type)) : x

/** `x` times a real number. */
export const scaled = (x: Expr, factor: Expr): Expr =>
  is_complex(x.type) ? complex(x.real().mul(factor), x.imag().mul(factor)) : x.mul(factor)

/** H = I - factor * v v^H on column `column` of `c`; v is column `i` of `x`, 1 at `i` and zero above. */
function reflect(k: Builder, x: View, c: View, b: Expr, i: Expr, column: Expr, factor: Expr): void {
  const length = x.sizes[2]!.sub(i).sub(1)
  const at = (r: Expr): Expr => i.add(1).add(r)
  const w = k.local(x.type, c.at(b, column, i))
  k.for(length, 'reduce', r =>
    k.assign(
      w,
      w.add(
        x
          .at(b, i, at(r))
          .conj()
          .mul(c.at(b, column, at(r))),
      ),
    ),
  )
  k.assign(w, w.mul(factor))
  k.store(c, [b, column, i], c.at(b, column, i).sub(w))
  k.for(length, 'vector', r =>
    k.store(c, [b, column, at(r)], c.at(b, column, at(r)).sub(w.mul(x.at(b, i, at(r))))),
  )
}

const factorize = kernels('geqrf', (k, dtype: DType) => {
  const x = k.inout('x', dtype, { rank: 3, inner: 1 })
  const tau = k.output('tau', dtype, { rank: 2, inner: 1 })
  const [count, n, m] = x.sizes as [Expr, Expr, Expr]
  k.for(count, 'parallel', b => {
    k.for(tau.sizes[1]!, 'serial', i => {
      const alpha = k.local(x.type, x.at(b, i, i))
      const rest = k.local('f64', 0)
      const length = m.sub(i).sub(1)
      k.for(length, 'reduce', r => k.assign(rest, rest.add(square(x.at(b, i, i.add(1).add(r))))))
      const factor = k.local(x.type, 0)
      k.if(rest.ne(0).or(alpha.imag().ne(0)), () => {
        const norm = square(alpha).add(rest).sqrt()
        const beta = k.local('f64', alpha.real().ge(0).where(norm.neg(), norm))
        const real = beta.sub(alpha.real()).div(beta)
        k.assign(factor, is_complex(x.type) ? complex(real, alpha.imag().neg().div(beta)) : real)
        const scale = k.local(x.type, constant(1, x.type).div(alpha.sub(as_type(beta, alpha))))
        k.for(length, 'vector', r =>
          k.store(x, [b, i, i.add(1).add(r)], x.at(b, i, i.add(1).add(r)).mul(scale)),
        )
        k.store(x, [b, i, i], as_type(beta, alpha))
      })
      k.store(tau, [b, i], factor)
      k.for(n.sub(i).sub(1), 'serial', j => reflect(k, x, x, b, i, i.add(1).add(j), factor.conj()))
    })
  })
})

const apply_kernel = kernels('ormqr', (k, dtype: DType, adjoint: boolean) => {
  const c = k.inout('c', dtype, { rank: 3, inner: 1 })
  const x = k.input('x', dtype, { rank: 3, inner: 1 })
  const tau = k.input('tau', dtype, { rank: 2, inner: 1 })
  const [count, columns] = c.sizes as [Expr, Expr]
  const used = tau.sizes[1]!
  k.nest([count, columns], 'parallel', 'parallel', (b, column) => {
    k.for(used, 'serial', t => {
      const i = k.local('index', adjoint ? t : used.sub(1).sub(t))
      const factor = k.local(x.type, tau.at(b!, i))
      reflect(k, x, c, b!, i, column!, adjoint ? factor.conj() : factor)
    })
  })
})

/** Reflectors below the diagonal of R, by columns, and their factors; in double precision. */
export interface Reflectors {
  readonly columns: Tensor
  readonly tau: Tensor
}

/** The reflectors that triangularise each matrix of `a`. */
export function reflectors_of(a: Tensor): Reflectors {
  const columns = columns_of(a)
  const [m, n] = a.sizes.slice(-2) as [number, number]
  const tau = empty([...a.sizes.slice(0, -2), Math.min(m, n)], columns.dtype)
  if (tau.count > 0) factorize(columns.dtype)([as_matrices(columns), as_rows(tau)], [])
  return { columns, tau }
}

/** Multiplies the columns `c` (contiguous, in double precision) by Q or its adjoint in place. */
export function apply_reflectors(c: Tensor, { columns, tau }: Reflectors, adjoint = false): Tensor {
  if (c.count > 0 && tau.count > 0)
    apply_kernel(c.dtype, adjoint)([as_matrices(c), as_matrices(columns), as_rows(tau)], [])
  return c
}
