// Kernels of Jacobi's method: the singular value decomposition by one-sided rotations and the eigenvalues of Hermitian
// matrices by two-sided ones. Matrices are held by their columns, each contiguous, in double precision; results are in
// no order. Not here: the order, the ops (svd.ts, eigh.ts).
import type { DType } from '../../base/dtype.ts'
import type { Executable } from '../../device/device.ts'
import { constant, type Expr } from '../../ir/expr.ts'
import type { Builder, View } from '../../ir/kernel.ts'
import { kernels } from '../../tensor/dispatch.ts'
import { as_type, scaled, square } from './reflectors.ts'

/** Sweeps over all pairs, after which the method stops in any case; ten are plenty for matrices of thousands. */
const SWEEPS = 60
const EPSILON = 2 ** -52

/** The rotation that makes a pair diagonal: cosine, sine, the tangent, and the phase between the two. */
interface Rotation {
  readonly c: Expr
  readonly s: Expr
  readonly t: Expr
  readonly phase: Expr
}

/** The rotation for [[a, g], [conj g, b]]; `size` is |g|, and not 0. */
function rotation(k: Builder, a: Expr, b: Expr, g: Expr, size: Expr): Rotation {
  const theta = k.local('f64', b.sub(a).div(size.mul(2)))
  const root = theta.abs().add(theta.mul(theta).add(1).sqrt())
  const t = k.local('f64', constant(1, 'f64').div(theta.ge(0).where(root, root.neg())))
  const c = k.local('f64', constant(1, 'f64').div(t.mul(t).add(1).sqrt()))
  const s = k.local('f64', c.mul(t))
  return { c, s, t, phase: k.local(g.type, g.div(as_type(size, g)).conj()) }
}

/** Rotates the columns p and q of `x`. */
function rotate(k: Builder, x: View, b: Expr, p: Expr, q: Expr, { c, s, phase }: Rotation): void {
  k.for(x.sizes[2]!, 'vector', r => {
    const left = k.local(x.type, x.at(b, p, r))
    const right = k.local(x.type, x.at(b, q, r).mul(phase))
    k.store(x, [b, p, r], scaled(left, c).sub(scaled(right, s)))
    k.store(x, [b, q, r], scaled(left, s).add(scaled(right, c)))
  })
}

/** Repeats `visit` for all pairs p < q below `n` until it says 'go on' for none. */
function sweep(k: Builder, n: Expr, visit: (p: Expr, q: Expr, go_on: () => void) => void): void {
  const changed = k.local('i32', 1)
  const count = k.local('i32', 0)
  k.while(changed.ne(0).and(count.lt(SWEEPS)), () => {
    k.assign(changed, 0)
    k.assign(count, count.add(1))
    k.for(n, 'serial', p =>
      k.for(n.sub(p).sub(1), 'serial', j => {
        visit(p, k.local('index', p.add(1).add(j)), () => k.assign(changed, 1))
      }),
    )
  })
}

/**
 * Makes the columns `x` orthogonal; `values` become their norms. What is done to them from the right is done to `v`,
 * if that is wanted.
 */
export const one_sided: (dtype: DType, real: DType, vectors: boolean) => Executable = kernels(
  'svd',
  (k, dtype: DType, real: DType, vectors: boolean) => {
    const values = k.output('values', real, { rank: 2, inner: 1 })
    const x = k.inout('x', dtype, { rank: 3, inner: 1 })
    const v = vectors ? k.inout('v', dtype, { rank: 3, inner: 1 }) : undefined
    const [count, n, m] = x.sizes as [Expr, Expr, Expr]
    k.for(count, 'parallel', b => {
      sweep(k, n, (p, q, go_on) => {
        const left = k.local('f64', 0)
        const right = k.local('f64', 0)
        const both = k.local(x.type, 0)
        k.for(m, 'reduce', r => k.assign(left, left.add(square(x.at(b, p, r)))))
        k.for(m, 'reduce', r => k.assign(right, right.add(square(x.at(b, q, r)))))
        k.for(m, 'reduce', r =>
          k.assign(
            both,
            both.add(
              x
                .at(b, p, r)
                .conj()
                .mul(x.at(b, q, r)),
            ),
          ),
        )
        const size = k.local('f64', both.abs())
        k.if(
          size
            .gt(
              left
                .sqrt()
                .mul(right.sqrt())
                .mul(4 * EPSILON),
            )
            .and(size.gt(1e-300)),
          () => {
            go_on()
            const by = rotation(k, left, right, both, size)
            rotate(k, x, b, p, q, by)
            if (v !== undefined) rotate(k, v, b, p, q, by)
          },
        )
      })
      k.for(n, 'serial', p => {
        const total = k.local('f64', 0)
        k.for(m, 'reduce', r => k.assign(total, total.add(square(x.at(b, p, r)))))
        k.store(values, [b, p], total.sqrt())
      })
    })
  },
)

/** Makes the Hermitian matrices `x` diagonal; `values` become the diagonal, `v` the eigenvectors (from the identity). */
export const two_sided: (dtype: DType, real: DType, vectors: boolean) => Executable = kernels(
  'eigh',
  (k, dtype: DType, real: DType, vectors: boolean) => {
    const values = k.output('values', real, { rank: 2, inner: 1 })
    const x = k.inout('x', dtype, { rank: 3, inner: 1 })
    const v = vectors ? k.inout('v', dtype, { rank: 3, inner: 1 }) : undefined
    const [count, n] = x.sizes as [Expr, Expr]
    k.for(count, 'parallel', b => {
      const total = k.local('f64', 0)
      k.for(n, 'serial', i => k.for(n, 'reduce', r => k.assign(total, total.add(square(x.at(b, i, r))))))
      const least = k.local('f64', total.sqrt().mul(1e-18))
      sweep(k, n, (p, q, go_on) => {
        const g = k.local(x.type, x.at(b, q, p)) // row p of column q
        const size = k.local('f64', g.abs())
        k.if(size.gt(least), () => {
          go_on()
          const a = k.local('f64', x.at(b, p, p).real())
          const d = k.local('f64', x.at(b, q, q).real())
          const by = rotation(k, a, d, g, size)
          rotate(k, x, b, p, q, by)
          k.for(n, 'serial', j => {
            k.store(x, [b, j, p], x.at(b, p, j).conj())
            k.store(x, [b, j, q], x.at(b, q, j).conj())
          })
          k.store(x, [b, p, p], as_type(a.sub(by.t.mul(size)), g))
          k.store(x, [b, q, q], as_type(d.add(by.t.mul(size)), g))
          k.store(x, [b, p, q], 0)
          k.store(x, [b, q, p], 0)
          if (v !== undefined) rotate(k, v, b, p, q, by)
        })
      })
      k.for(n, 'serial', i => k.store(values, [b, i], x.at(b, i, i).real()))
    })
  },
)
