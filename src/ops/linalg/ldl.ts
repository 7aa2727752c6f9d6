// The LDL decomposition of symmetric and Hermitian matrices by diagonal pivoting, as LAPACK's sytrf and hetrf hold it, and
// what is solved with it. Not here: positive definite matrices (cholesky.ts).
import { type DType, int32, int64 } from '../../base/dtype.ts'
import { IndexError, RuntimeError } from '../../base/errors.ts'
import { same_sizes } from '../../base/shape.ts'
import { complex, constant, type Expr } from '../../ir/expr.ts'
import type { Builder, View } from '../../ir/kernel.ts'
import { is_complex } from '../../ir/types.ts'
import { empty, kernels } from '../../tensor/dispatch.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { to_dtype } from '../convert.ts'
import { dense } from '../define/copy.ts'
import { type Named, named_tuple } from '../define/named.ts'
import { composite, type Op, op } from '../define/op.ts'
import { scalar_name } from '../define/out.ts'
import { size_of, subtract_row, swap_rows } from './lu_kernels.ts'
import {
  as_list,
  as_matrices,
  as_rows,
  common_batch,
  first_failure,
  own_copy,
  require_float,
  require_lapack,
  require_square,
  spread,
} from './matrices.ts'

/** Where a pivot beside the diagonal is worth a 2x2 block: Bunch and Kaufman's constant. */
const ALPHA = (1 + Math.sqrt(17)) / 8

const real = (x: Expr): Expr => (is_complex(x.type) ? complex(x.real(), constant(0, x.real().type)) : x)

/** The row at or after `first` with the largest element of column `c` in matrix `b`, and its size. */
function largest_below(k: Builder, a: View, b: Expr, c: Expr, first: Expr): { at: Expr; size: Expr } {
  const at = k.local('index', first)
  const size = k.local(size_of(a.at(b, c, c)).type, -1)
  k.for(a.sizes[1]!.sub(first), 'serial', t => {
    const here = k.local(size.type, size_of(a.at(b, first.add(t), c)))
    k.if(here.gt(size), () => {
      k.assign(size, here)
      k.assign(at, first.add(t))
    })
  })
  return { at, size }
}

const factor_kernel = kernels('ldl_factor', (k, dtype: DType, hermitian: boolean) => {
  const a = k.inout('a', dtype, { rank: 3, inner: 1 })
  const pivots = k.output('pivots', int32, { rank: 2, inner: 1 })
  const info = k.output('info', int32, { rank: 1, inner: 1 })
  const [count, n] = a.sizes as [Expr, Expr]
  const conj = (x: Expr): Expr => (hermitian ? x.conj() : x)
  const diagonal_size = (b: Expr, i: Expr): Expr =>
    hermitian ? a.at(b, i, i).real().abs() : size_of(a.at(b, i, i))
  const load = (b: Expr, i: Expr, j: Expr): Expr => k.local(a.type, a.at(b, i, j))
  const make_real = (b: Expr, i: Expr): void => {
    if (hermitian && is_complex(a.type)) k.store(a, [b, i, i], real(load(b, i, i)))
  }

  /** Interchanges rows and columns i < j of the lower triangle from column i on. */
  const interchange = (b: Expr, i: Expr, j: Expr): void => {
    k.for(n.sub(j).sub(1), 'serial', t => {
      const r = j.add(1).add(t)
      const [x, y] = [load(b, r, i), load(b, r, j)]
      k.store(a, [b, r, i], y)
      k.store(a, [b, r, j], x)
    })
    k.for(j.sub(i).sub(1), 'serial', t => {
      const r = i.add(1).add(t)
      const [x, y] = [load(b, r, i), load(b, j, r)]
      k.store(a, [b, r, i], conj(y))
      k.store(a, [b, j, r], conj(x))
    })
    if (hermitian) k.store(a, [b, j, i], load(b, j, i).conj())
    const [x, y] = [load(b, i, i), load(b, j, j)]
    k.store(a, [b, i, i], hermitian ? real(y) : y)
    k.store(a, [b, j, j], hermitian ? real(x) : x)
  }

  /** Takes column c, which becomes one of L, out of the rest. */
  const eliminate_one = (b: Expr, c: Expr): void => {
    const pivot = k.local(a.type, constant(1, a.type).div(a.at(b, c, c)))
    k.for(n.sub(c).sub(1), 'serial', t => {
      const j = k.local('index', c.add(1).add(t))
      const factor = k.local(a.type, pivot.mul(conj(a.at(b, j, c))))
      k.for(n.sub(j), 'serial', r => {
        const i = j.add(r)
        k.store(a, [b, i, j], a.at(b, i, j).sub(a.at(b, i, c).mul(factor)))
      })
      make_real(b, j)
    })
    k.for(n.sub(c).sub(1), 'serial', t => {
      const j = c.add(1).add(t)
      k.store(a, [b, j, c], a.at(b, j, c).mul(pivot))
    })
  }

  /** The same for columns c and c + 1, whose block of D is not diagonal. */
  const eliminate_two = (b: Expr, c: Expr): void => {
    const next = k.local('index', c.add(1))
    const beside = load(b, next, c)
    const scale = hermitian
      ? k.local(a.type, real(beside.mul(beside.conj())).sqrt())
      : k.local(a.type, beside)
    const upper = k.local(a.type, a.at(b, next, next).div(scale))
    const lower = k.local(a.type, a.at(b, c, c).div(scale))
    const unit = k.local(a.type, beside.div(scale))
    const whole = k.local(a.type, constant(1, a.type).div(upper.mul(lower).sub(1)).div(scale))
    k.for(n.sub(c).sub(2), 'serial', t => {
      const j = k.local('index', c.add(2).add(t))
      const [x, y] = [load(b, j, c), load(b, j, next)]
      const first = k.local(a.type, whole.mul(upper.mul(x).sub(unit.mul(y))))
      const second = k.local(a.type, whole.mul(lower.mul(y).sub(conj(unit).mul(x))))
      k.for(n.sub(j), 'serial', r => {
        const i = j.add(r)
        const known = a
          .at(b, i, c)
          .mul(conj(first))
          .add(a.at(b, i, next).mul(conj(second)))
        k.store(a, [b, i, j], a.at(b, i, j).sub(known))
      })
      k.store(a, [b, j, c], first)
      k.store(a, [b, j, next], second)
      make_real(b, j)
    })
  }

  k.for(count, 'parallel', b => {
    const failed = k.local('i32', 0)
    const c = k.local('index', 0)
    k.while(c.lt(n), () => {
      const size = k.local(diagonal_size(b, c).type, diagonal_size(b, c))
      const below = largest_below(k, a, b, c, c.add(1))
      const pivot = k.local('index', c)
      const step = k.local('index', 1)
      k.if(
        size.max(below.size).gt(0),
        () => {
          k.if(size.lt(below.size.mul(ALPHA)), () => {
            const row = k.local('index', below.at)
            const beside = k.local(size.type, largest_below(k, a, b, row, row.add(1)).size)
            k.for(row.sub(c), 'serial', t => k.assign(beside, beside.max(size_of(a.at(b, row, c.add(t))))))
            k.if(size.lt(below.size.mul(ALPHA).mul(below.size.div(beside))), () => {
              k.assign(pivot, row)
              k.if(diagonal_size(b, row).lt(beside.mul(ALPHA)), () => k.assign(step, 2))
            })
          })
          const taken = k.local('index', c.add(step).sub(1))
          make_real(b, c)
          make_real(b, taken)
          k.if(pivot.ne(taken), () => {
            interchange(b, taken, pivot)
            k.if(step.eq(2), () => {
              const [x, y] = [load(b, taken, c), load(b, pivot, c)]
              k.store(a, [b, taken, c], y)
              k.store(a, [b, pivot, c], x)
            })
          })
          k.if(
            step.eq(1),
            () => eliminate_one(b, c),
            () => eliminate_two(b, c),
          )
        },
        () => k.if(failed.eq(0), () => k.assign(failed, c.cast('i32').add(1))),
      )
      const mark = k.local('i32', pivot.cast('i32').add(1))
      k.if(
        step.eq(1),
        () => k.store(pivots, [b, c], mark),
        () => {
          k.store(pivots, [b, c], mark.neg())
          k.store(pivots, [b, c.add(1)], mark.neg())
        },
      )
      k.assign(c, c.add(step))
    })
    k.store(info, [b], failed)
  })
})

const solve_kernel = kernels('ldl_solve', (k, dtype: DType, hermitian: boolean) => {
  const x = k.inout('x', dtype, { rank: 3, inner: 1 })
  const a = k.input('a', dtype, { rank: 3, inner: 1 })
  const pivots = k.input('pivots', int64, { rank: 2, inner: 1 })
  const [count, n, columns] = x.sizes as [Expr, Expr, Expr]
  const conj = (e: Expr): Expr => (hermitian ? e.conj() : e)
  const load = (b: Expr, i: Expr, j: Expr): Expr => k.local(a.type, a.at(b, i, j))
  const mark_of = (b: Expr, i: Expr): Expr => k.local('index', pivots.at(b, i).cast('index'))
  const swap = (b: Expr, i: Expr, j: Expr): void =>
    k.if(i.ne(j).and(j.ge(0)).and(j.lt(n)), () => swap_rows(k, x, b, columns, i, j))
  /** Takes row i of what is solved out of those from `first` on. */
  const forward = (b: Expr, i: Expr, first: Expr): void =>
    k.for(n.sub(first), 'serial', t => {
      const r = k.local('index', first.add(t))
      subtract_row(k, x, b, r, load(b, r, i), i)
    })
  const backward = (b: Expr, i: Expr, first: Expr): void =>
    k.for(n.sub(first), 'serial', t => {
      const r = k.local('index', first.add(t))
      subtract_row(k, x, b, i, k.local(a.type, conj(a.at(b, r, i))), r)
    })
  k.for(count, 'parallel', b => {
    const c = k.local('index', 0)
    k.while(c.lt(n), () => {
      const mark = mark_of(b, c)
      k.if(
        mark.gt(0).or(c.eq(n.sub(1))),
        () => {
          swap(b, c, mark.sub(1))
          forward(b, c, c.add(1))
          const pivot = load(b, c, c)
          k.for(columns, 'serial', j => k.store(x, [b, c, j], x.at(b, c, j).div(pivot)))
          k.assign(c, c.add(1))
        },
        () => {
          const next = k.local('index', c.add(1))
          swap(b, next, mark.neg().sub(1))
          forward(b, c, c.add(2))
          forward(b, next, c.add(2))
          const beside = load(b, next, c)
          const upper = k.local(a.type, a.at(b, c, c).div(conj(beside)))
          const lower = k.local(a.type, a.at(b, next, next).div(beside))
          const whole = k.local(a.type, upper.mul(lower).sub(1))
          k.for(columns, 'serial', j => {
            const first = k.local(a.type, x.at(b, c, j).div(conj(beside)))
            const second = k.local(a.type, x.at(b, next, j).div(beside))
            k.store(x, [b, c, j], lower.mul(first).sub(second).div(whole))
            k.store(x, [b, next, j], upper.mul(second).sub(first).div(whole))
          })
          k.assign(c, c.add(2))
        },
      )
    })
    k.assign(c, n.sub(1))
    k.while(c.ge(0), () => {
      const mark = mark_of(b, c)
      backward(b, c, c.add(1))
      k.if(
        mark.gt(0).or(c.eq(0)),
        () => {
          swap(b, c, mark.sub(1))
          k.assign(c, c.sub(1))
        },
        () => {
          backward(b, c.sub(1), c.add(1))
          swap(b, c, mark.neg().sub(1))
          k.assign(c, c.sub(2))
        },
      )
    })
  })
})

type FactorOptions = { hermitian?: boolean; out?: readonly Tensor[] }
type ExOptions = FactorOptions & { check_errors?: boolean }

function throw_singular(name: string, info: Tensor): void {
  const failure = first_failure(info)
  if (failure !== null)
    throw new RuntimeError(
      `torch.linalg.${name}: ${failure.where}D[${failure.code},${failure.code}] is zero, and using it in ldl_solve would divide by zero`,
    )
}

/**
 * torch.linalg.ldl_factor_ex: L and the block diagonal D of A = LDL^T, or LDL^H of a complex matrix with `hermitian`, in
 * one matrix; the interchanges as LAPACK counts them, negative for blocks of two; and an info per matrix: the first k for
 * which D[k, k] is zero, or 0. Only the lower triangle of A is read.
 */
export const ldl_factor_ex: Op<[A: Tensor, opts?: ExOptions], Named<Tensor, 'LD' | 'pivots' | 'info'>> = op(
  'linalg_ldl_factor_ex(Tensor self, *, bool hermitian=False, bool check_errors=False)',
  {
    forward(a: Tensor, hermitian: boolean, check_errors: boolean) {
      require_square('torch.linalg.ldl_factor_ex', a)
      require_float('torch.linalg.ldl_factor_ex', a)
      require_lapack('ldl_factor_kernel_cpu', a.dtype)
      const LD = own_copy(a.tril())
      const pivots = empty(a.sizes.slice(0, -1), int32)
      const info = empty(a.sizes.slice(0, -2), int32)
      if (a.count === 0) info.zero_()
      else
        factor_kernel(a.dtype, hermitian && a.dtype.is_complex)(
          [as_matrices(LD), as_rows(pivots), as_list(info)],
          [],
        )
      if (check_errors) throw_singular('ldl_factor_ex', info)
      return named_tuple('linalg_ldl_factor_ex', { LD, pivots, info })
    },
    backward: {}, // PyTorch has no derivative either
  },
)

/** torch.linalg.ldl_factor: {@link ldl_factor_ex} without the info. Throws RuntimeError where D is singular. */
export const ldl_factor: Op<[A: Tensor, opts?: FactorOptions], Named<Tensor, 'LD' | 'pivots'>> = composite(
  'linalg_ldl_factor(Tensor self, *, bool hermitian=False)',
  {
    body(a: Tensor, hermitian: boolean) {
      const { LD, pivots, info } = ldl_factor_ex(a, { hermitian })
      throw_singular('ldl_factor', info)
      return named_tuple('linalg_ldl_factor', { LD, pivots })
    },
  },
)

type SolveOptions = { hermitian?: boolean; out?: Tensor }

/** torch.linalg.ldl_solve: X of AX = B, by the decomposition of A that {@link ldl_factor} gives. */
export const ldl_solve: Op<[LD: Tensor, pivots: Tensor, B: Tensor, opts?: SolveOptions]> = op(
  'linalg_ldl_solve(Tensor self, Tensor pivots, Tensor B, *, bool hermitian=False)',
  {
    forward(data: Tensor, pivots: Tensor, b: Tensor, hermitian: boolean) {
      const name = 'torch.linalg.ldl_solve'
      require_square(name, data)
      require_float(name, data)
      if (b.ndim < 2)
        throw new IndexError('Dimension out of range (expected to be in range of [-1, 0], but got -2)')
      if (data.dtype !== b.dtype)
        throw new RuntimeError(
          `Expected b and A to have the same dtype, but found b of type ${scalar_name(b.dtype)} and A of type ${scalar_name(data.dtype)} instead.`,
        )
      const n = data.sizes.at(-1)!
      if (b.sizes.at(-2) !== n)
        throw new RuntimeError(
          `Incompatible matrix sizes for ${name}: each A matrix is ${n} by ${n} but each b matrix is ${b.sizes.at(-2)} by ${b.sizes.at(-1)}`,
        )
      if (!same_sizes(data.sizes.slice(0, -1), pivots.sizes))
        throw new RuntimeError(
          `${name}: Expected LD.shape[:-1] and pivots.shape to be the same, but got pivots with shape [${pivots.sizes.join(', ')}] instead`,
        )
      if (pivots.dtype.is_floating_point || pivots.dtype.is_complex || pivots.dtype.name === 'bool')
        throw new RuntimeError(`${name}: Expected pivots to be integers. Got ${scalar_name(pivots.dtype)}`)
      require_lapack('ldl_solve_kernel_cpu', data.dtype)
      const batch = common_batch(data, b)
      const x = own_copy(b, [...batch, ...b.sizes.slice(-2)])
      if (x.count === 0) return x
      const rows = dense(to_dtype(pivots, int64).expand([...batch, n]))
      solve_kernel(data.dtype, hermitian && data.dtype.is_complex)(
        [as_matrices(x), as_matrices(dense(spread(data, batch))), as_rows(rows)],
        [],
      )
      return x
    },
    backward: {}, // PyTorch has no derivative either
  },
)
