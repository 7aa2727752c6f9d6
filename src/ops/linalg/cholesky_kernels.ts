// The Cholesky decomposition and its gradient, under torch.linalg's names and the main namespace's.
import { type DType, int32 } from '../../base/dtype.ts'
import { complex, constant, type Expr } from '../../ir/expr.ts'
import { is_complex } from '../../ir/types.ts'
import { empty, kernels } from '../../tensor/dispatch.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { dense } from '../define/copy.ts'
import { type Named, named_tuple } from '../define/named.ts'
import { LinAlgError } from './error.ts'
import {
  adjoint,
  as_list,
  as_matrices,
  first_failure,
  require_float,
  require_lapack,
  require_square,
} from './matrices.ts'
import { solve_triangular } from './triangular_solve.ts'

/** L, row by row. After a pivot that is not positive the rest stays that of A; info says which it was, from 1. */
const kernel = kernels('cholesky', (k, dtype: DType) => {
  const out = k.inout('out', dtype, { rank: 3, inner: 1 })
  const a = k.input('a', dtype, { rank: 3 })
  const info = k.output('info', int32, { rank: 1, inner: 1 })
  const [count, n] = out.sizes as [Expr, Expr]
  k.for(count, 'parallel', b => {
    const failed = k.local('i32', 0)
    k.for(n, 'serial', i => {
      k.for(i, 'serial', j => {
        const rest = k.local(out.type, a.at(b, i, j))
        k.if(failed.eq(0), () => {
          const known = k.local(out.type, 0)
          k.for(j, 'reduce', t => k.assign(known, known.add(out.at(b, i, t).mul(out.at(b, j, t).conj()))))
          k.assign(rest, rest.sub(known).div(out.at(b, j, j)))
        })
        k.store(out, [b, i, j], rest)
      })
      const pivot = k.local(a.at(b, i, i).real().type, a.at(b, i, i).real())
      k.if(failed.eq(0), () => {
        const known = k.local(pivot.type, 0)
        k.for(i, 'reduce', t =>
          k.assign(
            known,
            known.add(
              out
                .at(b, i, t)
                .mul(out.at(b, i, t).conj())
                .real(),
            ),
          ),
        )
        k.assign(pivot, pivot.sub(known))
        k.if(
          pivot.gt(0),
          () => k.assign(pivot, pivot.sqrt()),
          () => k.assign(failed, i.cast('i32').add(1)),
        )
      })
      k.store(out, [b, i, i], is_complex(out.type) ? complex(pivot, constant(0, pivot.type)) : pivot)
      k.for(n.sub(i).sub(1), 'serial', t => k.store(out, [b, i, i.add(1).add(t)], constant(0, out.type)))
    })
    k.store(info, [b], failed)
  })
})

export function decomposed(name: string, a: Tensor, upper: boolean): Named<Tensor, 'L' | 'info'> {
  require_square(name, a)
  if (name !== 'cholesky') require_float(name, a)
  require_lapack('cholesky_cpu', a.dtype)
  const out = empty(a.sizes, a.dtype)
  const info = empty(a.sizes.slice(0, -2), int32)
  const from = dense(upper ? adjoint(a) : a)
  if (a.count > 0) kernel(a.dtype)([as_matrices(out), as_matrices(from), as_list(info)], [])
  else info.zero_()
  return named_tuple('linalg_cholesky_ex', { L: upper ? adjoint(out) : out, info })
}

export function throw_indefinite(name: string, info: Tensor): void {
  const failure = first_failure(info)
  if (failure !== null)
    throw new LinAlgError(
      `${name}: ${failure.where}The factorization could not be completed because the input is not positive-definite (the leading minor of order ${failure.code} is not positive-definite).`,
    )
}

/** The gradient of A, of that of L. */
export function cholesky_grad(g: Tensor, l: Tensor): Tensor {
  const inner = adjoint(l).matmul(g)
  const symmetric = inner
    .tril()
    .add(adjoint(inner.tril(-1)))
    .mul(0.5)
  const left = solve_triangular(adjoint(l), symmetric, { upper: true })
  return solve_triangular(l, left, { upper: false, left: false })
}
