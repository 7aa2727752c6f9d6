// What determinants and their logarithms have in common: kernels, gradients. Not here: the LU decomposition.
import { type DType, int32, to_real_dtype } from '../../base/dtype.ts'
import { complex, constant, type Expr } from '../../ir/expr.ts'
import { is_complex } from '../../ir/types.ts'
import { inside } from '../../tensor/batched.ts'
import { empty, kernels } from '../../tensor/dispatch.ts'
import { is_grad_enabled } from '../../tensor/tape.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { to_dtype } from '../convert.ts'
import { type Named, named_tuple } from '../define/named.ts'
import { type Op, op } from '../define/op.ts'
import { factorize, fill_identity, solve_factored } from './lu_kernels.ts'
import {
  adjoint,
  as_list,
  as_matrices,
  as_rows,
  double_of,
  require_float,
  require_square,
} from './matrices.ts'
import { solve } from './solve.ts'

const slogdet_kernel = kernels('slogdet', (k, to: DType, dtype: DType) => {
  const sign = k.output('sign', to, { rank: 1, inner: 1 })
  const log = k.output('log', to_real_dtype(to), { rank: 1, inner: 1 })
  const lu = k.input('lu', dtype, { rank: 3, inner: 1 })
  const pivots = k.input('pivots', int32, { rank: 2, inner: 1 })
  const [count, n] = lu.sizes as [Expr, Expr]
  const unit = (x: Expr, size: Expr): Expr => {
    const scaled = (part: Expr): Expr => size.eq(0).where(part, part.div(size))
    return is_complex(x.type)
      ? complex(scaled(x.real()), scaled(x.imag()))
      : x.gt(0).where(constant(1, x.type), x.lt(0).where(constant(-1, x.type), x))
  }
  k.for(count, 'parallel', b => {
    const product = k.local(lu.type, constant(1, lu.type))
    const total = k.local('f64', 0)
    k.for(n, 'serial', i => {
      const x = k.local(lu.type, lu.at(b, i, i))
      const size = k.local('f64', x.abs())
      k.assign(product, product.mul(unit(x, size)))
      k.assign(total, total.add(size.log()))
      k.if(pivots.at(b, i).ne(i.cast('i32').add(1)), () => k.assign(product, product.neg()))
    })
    k.store(sign, [b], product.cast(sign.type))
    k.store(log, [b], total.cast(log.type))
  })
})

export type SignAndLog = Named<Tensor, 'sign' | 'logabsdet'>

export const sign_and_log = (
  tuple: string,
): Op<[A: Tensor, opts?: { out?: readonly Tensor[] }], SignAndLog> =>
  op(`${tuple}(Tensor self)`, {
    node: 'LinalgSlogdetBackward0',
    forward: (a: Tensor) => slogdet_of(a, tuple, 'linalg.slogdet'),
    saves: ['self', 'out.0'],
    backward: {
      self([for_sign, for_log], [a], [sign]) {
        if (a.count === 0) return a.new_zeros(a.sizes)
        const d = for_log === null || for_log === undefined ? a.new_zeros(a.sizes.slice(0, -2)) : for_log
        if (!a.dtype.is_complex) return solved_adjoint(a, d, false)
        const turn = for_sign?.mul((sign as Tensor).conj())
        // the part of the sign's gradient that turns it
        const whole = turn === undefined ? d.to(a.dtype) : d.add(turn.sub(turn.conj()).mul(0.5))
        return solved_adjoint(a, whole, false)
      },
    },
  })

function slogdet_of(a: Tensor, tuple: string, name: string): SignAndLog {
  require_square(name, a)
  require_float(name, a, false)
  const batch = a.sizes.slice(0, -2)
  const sign = empty(batch, a.dtype)
  const logabsdet = empty(batch, to_real_dtype(a.dtype))
  if (a.count === 0) {
    sign.fill_(1)
    logabsdet.zero_()
  } else {
    const { lu, pivots } = factorize(a, double_of(a.dtype))
    slogdet_kernel(a.dtype, lu.dtype)(
      [as_list(sign), as_list(logabsdet), as_matrices(lu), as_rows(pivots)],
      [],
    )
  }
  return named_tuple(tuple, { sign, logabsdet })
}

/** The matrices `d` times the identity. */
const diagonals = (d: Tensor, n: number): Tensor =>
  d
    .unsqueeze(-1)
    .expand([...d.sizes, n])
    .diag_embed()

/**
 * A^-H times `d`, for a scalar `d` per matrix. Where A is singular and nobody asks for gradients of this, as PyTorch
 * does it, for a matrix near A.
 */
export function solved_adjoint(a: Tensor, d: Tensor, perturb: boolean): Tensor {
  const n = a.sizes.at(-1) as number
  if (is_grad_enabled() && (!perturb || inside(d).ne(0).all().item() === true))
    return solve(adjoint(a), diagonals(d, n))
  const { lu, pivots } = factorize(a, double_of(a.dtype))
  const diagonal = lu.diagonal(0, -2, -1)
  if (perturb) {
    const narrow = a.dtype.name === 'float32' || a.dtype.name === 'complex64'
    diagonal.masked_fill_(diagonal.eq(0), narrow ? 2 ** -23 : 2 ** -52)
  }
  const x = empty(a.sizes, lu.dtype)
  fill_identity(x)
  solve_factored(x, lu, pivots, true)
  return to_dtype(x.mul(d.unsqueeze(-1).unsqueeze(-1)), a.dtype)
}
