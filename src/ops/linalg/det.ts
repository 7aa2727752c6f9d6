// torch.linalg's determinants, by the LU decomposition: det, slogdet. Not here: the decomposition (lu_kernels.ts).
import { type DType, int32 } from '../../base/dtype.ts'
import { constant, type Expr } from '../../ir/expr.ts'
import { empty, kernels } from '../../tensor/dispatch.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { type Op, op } from '../define/op.ts'
import { type SignAndLog, sign_and_log, solved_adjoint } from './det_kernels.ts'
import { factorize } from './lu_kernels.ts'
import {
  as_list,
  as_matrices,
  as_rows,
  double_of,
  require_float,
  require_lapack,
  require_square,
} from './matrices.ts'

/** 1, or -1 where an odd number of rows was interchanged. */
const det_kernel = kernels('det', (k, to: DType, dtype: DType) => {
  const out = k.output('out', to, { rank: 1, inner: 1 })
  const lu = k.input('lu', dtype, { rank: 3, inner: 1 })
  const pivots = k.input('pivots', int32, { rank: 2, inner: 1 })
  const [count, n] = lu.sizes as [Expr, Expr]
  k.for(count, 'parallel', b => {
    const product = k.local(lu.type, constant(1, lu.type))
    k.for(n, 'serial', i => {
      k.assign(product, product.mul(lu.at(b, i, i)))
      k.if(pivots.at(b, i).ne(i.cast('i32').add(1)), () => k.assign(product, product.neg()))
    })
    k.store(out, [b], product.cast(out.type))
  })
})

/** The determinant of a square matrix, or of each of a batch. */
export const det: Op<[A: Tensor, opts?: { out?: Tensor }]> = op('linalg_det(Tensor self)', {
  node: 'LinalgDetBackward0',
  forward(a: Tensor) {
    require_square('linalg.det', a)
    require_float('linalg.det', a)
    require_lapack('lu_cpu', a.dtype)
    const out = empty(a.sizes.slice(0, -2), a.dtype)
    if (a.count === 0) return out.fill_(1)
    const { lu, pivots } = factorize(a, double_of(a.dtype))
    det_kernel(a.dtype, lu.dtype)([as_list(out), as_matrices(lu), as_rows(pivots)], [])
    return out
  },
  saves: ['self', 'out'],
  backward: {
    self: (g, [a], out) => (a.count === 0 ? null : solved_adjoint(a, g.mul(out.conj()), true)),
  },
  samples: r => [[r(3, 3)], [r(2, 2, 2)], [r(0, 0)]],
})
/** The sign of the determinant and the logarithm of its size: 0 and -inf where it is 0. */
export const slogdet: Op<[A: Tensor, opts?: { out?: readonly Tensor[] }], SignAndLog> =
  sign_and_log('linalg_slogdet')
