// The kernel of eigenvalues of general matrices: reduction to Hessenberg form, the QR algorithm with single shifts, and
// eigenvectors by back substitution; always of complex128. Not here: the ops (eig.ts).
import { complex128, type DType, int32 } from '../../base/dtype.ts'
import type { Executable } from '../../device/device.ts'
import { complex, constant, type Expr } from '../../ir/expr.ts'
import type { Builder, View } from '../../ir/kernel.ts'
import { kernels } from '../../tensor/dispatch.ts'
import { scaled, square } from './reflectors.ts'

const EPSILON = 2 ** -52
/** Steps per eigenvalue after which the iteration gives up; it takes two or three. */
const STEPS = 60
/** Eigenvalues of a real matrix this close to the real line (times the norm) are real. */
const REAL = 16 * EPSILON

const one = constant(1, 'f64')
const real = (x: Expr): Expr => complex(x, constant(0, 'f64'))

/** What the parts of the kernel share: the matrix, the transformation, and the size, of matrix `b`. */
interface Problem {
  readonly k: Builder
  readonly h: View
  /** By columns: z[b, j] is column j. Undefined where eigenvectors are not wanted. */
  readonly z: View | undefined
  readonly w: View
  readonly b: Expr
  readonly n: Expr
}

/** H := P H P for reflections P that make it upper Hessenberg; Z := Z P. */
function to_hessenberg({ k, h, z, w, b, n }: Problem): void {
  k.for(n.sub(2).max(0), 'serial', c => {
    const first = k.local('index', c.add(1))
    const length = k.local('index', n.sub(first))
    const at = (r: Expr): Expr => first.add(r)
    const total = k.local('f64', 0)
    k.for(length, 'reduce', r => k.assign(total, total.add(square(h.at(b, at(r), c)))))
    const alpha = k.local('c128', h.at(b, first, c))
    k.if(total.gt(square(alpha)), () => {
      const norm = k.local('f64', total.sqrt())
      const size = k.local('f64', alpha.abs())
      const phase = k.local('c128', 1)
      k.if(size.ne(0), () => k.assign(phase, scaled(alpha, one.div(size))))
      k.for(length, 'serial', r => k.store(w, [b, at(r)], h.at(b, at(r), c)))
      k.store(w, [b, first], alpha.add(scaled(phase, norm)))
      // |v|^2 / 2
      const factor = k.local('f64', one.div(total.add(norm.mul(size))))
      const reflect = (count: Expr, mode: 'left' | 'right' | 'z'): void =>
        k.for(count, 'serial', j => {
          const view = mode === 'z' ? z! : h
          const index = (r: Expr): Expr[] =>
            mode === 'left' ? [b, at(r), j] : mode === 'right' ? [b, j, at(r)] : [b, at(r), j]
          const v = (r: Expr): Expr => (mode === 'left' ? w.at(b, at(r)) : w.at(b, at(r)).conj())
          const dot = k.local('c128', 0)
          k.for(length, 'serial', r =>
            k.assign(
              dot,
              dot.add(
                v(r)
                  .conj()
                  .mul(view.at(...index(r))),
              ),
            ),
          )
          k.assign(dot, scaled(dot, factor))
          k.for(length, 'serial', r => k.store(view, index(r), view.at(...index(r)).sub(v(r).mul(dot))))
        })
      reflect(n, 'left')
      reflect(n, 'right')
      if (z !== undefined) reflect(n, 'z')
      k.for(length.sub(1), 'serial', r => k.store(h, [b, first.add(1).add(r), c], 0))
    })
  })
}

/** The eigenvalue of the last two rows and columns up to `hi` that is nearer to the last element. */
function wilkinson(k: Builder, h: View, b: Expr, hi: Expr): Expr {
  const low = hi.sub(1)
  const [p, q] = [h.at(b, low, low), h.at(b, hi, hi)]
  const half = k.local('c128', scaled(p.sub(q), constant(0.5, 'f64')))
  const off = k.local('c128', h.at(b, low, hi).mul(h.at(b, hi, low)))
  const root = k.local('c128', half.mul(half).add(off).sqrt())
  // q - off / (half + root), with the sign of the root that adds up
  const sum = k.local('c128', half.add(root))
  k.if(square(half.sub(root)).gt(square(sum)), () => k.assign(sum, half.sub(root)))
  const shift = k.local('c128', q)
  k.if(square(sum).ne(0), () => k.assign(shift, q.sub(off.div(sum))))
  return shift
}

/** One step of the QR algorithm on the rows `lo` to `hi`, with everything that it changes of T. */
function qr_step({ k, h, z, b, n }: Problem, lo: Expr, hi: Expr, shift: Expr): void {
  const x = k.local('c128', h.at(b, lo, lo).sub(shift))
  const y = k.local('c128', h.at(b, lo.add(1), lo))
  k.for(hi.sub(lo), 'serial', t => {
    const i = k.local('index', lo.add(t))
    const next = k.local('index', i.add(1))
    k.if(t.gt(0), () => {
      k.assign(x, h.at(b, i, i.sub(1)))
      k.assign(y, h.at(b, next, i.sub(1)))
    })
    const norm = k.local('f64', square(x).add(square(y)).sqrt())
    const c = k.local('c128', 1)
    const s = k.local('c128', 0)
    k.if(norm.ne(0), () => {
      k.assign(c, scaled(x, one.div(norm)))
      k.assign(s, scaled(y, one.div(norm)))
    })
    const start = k.local('index', t.gt(0).where(i.sub(1), i))
    k.for(n.sub(start), 'serial', r => {
      const j = start.add(r)
      const upper = k.local('c128', h.at(b, i, j))
      const lower = k.local('c128', h.at(b, next, j))
      k.store(h, [b, i, j], c.conj().mul(upper).add(s.conj().mul(lower)))
      k.store(h, [b, next, j], c.mul(lower).sub(s.mul(upper)))
    })
    k.if(t.gt(0), () => k.store(h, [b, next, i.sub(1)], 0))
    const columns = (view: View, count: Expr, index: (column: Expr, r: Expr) => Expr[]): void =>
      k.for(count, 'serial', r => {
        const left = k.local('c128', view.at(...index(i, r)))
        const right = k.local('c128', view.at(...index(next, r)))
        k.store(view, index(i, r), c.mul(left).add(s.mul(right)))
        k.store(view, index(next, r), c.conj().mul(right).sub(s.conj().mul(left)))
      })
    columns(h, i.add(3).min(hi.add(1)), (column, r) => [b, r, column])
    if (z !== undefined) columns(z, n, (column, r) => [b, column, r])
  })
}

/** The QR algorithm: H becomes upper triangular. Returns 0, or how many eigenvalues were not found. */
function to_triangular(problem: Problem, norm: Expr): Expr {
  const { k, h, b, n } = problem
  const hi = k.local('index', n.sub(1))
  const steps = k.local('i32', 0)
  const failed = k.local('i32', 0)
  k.while(hi.gt(0).and(failed.eq(0)), () => {
    const lo = k.local('index', hi)
    const go_on = k.local('i32', 1)
    k.while(go_on.ne(0), () => {
      k.assign(go_on, 0)
      k.if(lo.gt(0), () => {
        const below = h.at(b, lo, lo.sub(1)).abs()
        const beside = k.local(
          'f64',
          h
            .at(b, lo.sub(1), lo.sub(1))
            .abs()
            .add(h.at(b, lo, lo).abs()),
        )
        k.if(beside.eq(0), () => k.assign(beside, norm))
        k.if(
          below.le(beside.mul(EPSILON)),
          () => k.store(h, [b, lo, lo.sub(1)], 0),
          () => {
            k.assign(lo, lo.sub(1))
            k.assign(go_on, 1)
          },
        )
      })
    })
    k.if(
      lo.eq(hi),
      () => {
        k.assign(hi, hi.sub(1))
        k.assign(steps, 0)
      },
      () => {
        const shift = wilkinson(k, h, b, hi)
        k.assign(steps, steps.add(1))
        // now and then another shift, should the usual one go in circles
        k.if(steps.mod(10).eq(0), () =>
          k.assign(shift, shift.add(real(h.at(b, hi, hi.sub(1)).abs().mul(0.75)))),
        )
        qr_step(problem, lo, hi, shift)
        k.if(steps.gt(STEPS), () => k.assign(failed, hi.cast('i32').add(1)))
      },
    )
  })
  return failed
}

/** Eigenvector `c` of the triangular matrix by back substitution, times Z, to row `c` of `out`. */
function back_substitute({ k, h, z, w, b, n }: Problem, out: View, c: Expr, value: Expr, norm: Expr): void {
  k.store(w, [b, c], 1)
  k.for(c, 'serial', t => {
    const i = k.local('index', c.sub(1).sub(t))
    const sum = k.local('c128', 0)
    k.for(c.sub(i), 'serial', r => {
      const j = i.add(1).add(r)
      k.assign(sum, sum.add(h.at(b, i, j).mul(w.at(b, j))))
    })
    const divisor = k.local('c128', value.sub(h.at(b, i, i)))
    const least = norm.mul(EPSILON).max(1e-300)
    k.if(divisor.abs().lt(least), () => k.assign(divisor, real(least)))
    k.assign(sum, sum.div(divisor))
    k.store(w, [b, i], sum)
    const size = k.local('f64', sum.abs())
    k.if(size.gt(1e100), () =>
      k.for(c.sub(i).add(1), 'serial', r =>
        k.store(w, [b, i.add(r)], scaled(w.at(b, i.add(r)), one.div(size))),
      ),
    )
  })
  k.for(n, 'serial', r => k.store(out, [b, c, r], 0))
  k.for(c.add(1), 'serial', j => {
    const factor = k.local('c128', w.at(b, j))
    k.for(n, 'serial', r => k.store(out, [b, c, r], out.at(b, c, r).add(factor.mul(z!.at(b, j, r)))))
  })
}

/** Makes row `c` of `out` a unit vector whose largest element is real; all of it where `is_real`. */
function normalize({ k, b, n }: Problem, out: View, c: Expr, is_real: Expr): void {
  const total = k.local('f64', 0)
  const largest = k.local('f64', -1)
  const pivot = k.local('c128', 1)
  k.for(n, 'serial', r => {
    const element = k.local('c128', out.at(b, c, r))
    const size = k.local('f64', square(element))
    k.assign(total, total.add(size))
    k.if(size.gt(largest), () => {
      k.assign(largest, size)
      k.assign(pivot, element)
    })
  })
  const factor = k.local('c128', scaled(pivot.conj(), one.div(total.sqrt().mul(pivot.abs()))))
  k.for(n, 'serial', r => {
    const element = k.local('c128', out.at(b, c, r).mul(factor))
    const flat = is_real.or(square(out.at(b, c, r)).eq(largest))
    k.store(out, [b, c, r], complex(element.real(), flat.where(constant(0, 'f64'), element.imag())))
  })
}

/**
 * Eigenvalues of the matrices `h`, which are used up, and with `vectors` the eigenvectors: those of matrix b are the
 * rows of out[b]. `w` is scratch of n, `z` holds identities. `info` is 0 where the iteration converged.
 */
export const schur: (vectors: boolean, from_real: boolean) => Executable = kernels(
  'eig',
  (k, vectors: boolean, from_real: boolean) => {
    const dtype: DType = complex128
    const values = k.output('values', dtype, { rank: 2, inner: 1 })
    const info = k.output('info', int32, { rank: 1, inner: 1 })
    const h = k.inout('h', dtype, { rank: 3, inner: 1 })
    const w = k.inout('w', dtype, { rank: 2, inner: 1 })
    const z = vectors ? k.inout('z', dtype, { rank: 3, inner: 1 }) : undefined
    const out = vectors ? k.inout('out', dtype, { rank: 3, inner: 1 }) : undefined
    const [count, n] = h.sizes as [Expr, Expr]
    k.for(count, 'parallel', b => {
      const problem: Problem = { k, h, z, w, b, n }
      const total = k.local('f64', 0)
      k.for(n, 'serial', i => k.for(n, 'serial', j => k.assign(total, total.add(square(h.at(b, i, j))))))
      const norm = k.local('f64', total.sqrt())
      to_hessenberg(problem)
      k.store(info, [b], to_triangular(problem, norm))
      k.for(n, 'serial', c => {
        const value = k.local('c128', h.at(b, c, c))
        const is_real = from_real
          ? k.local('bool', value.imag().abs().le(norm.mul(REAL)))
          : constant(false, 'bool')
        if (out !== undefined) {
          back_substitute(problem, out, c, value, norm)
          normalize(problem, out, c, is_real)
        }
        k.store(values, [b, c], complex(value.real(), is_real.where(constant(0, 'f64'), value.imag())))
      })
    })
  },
)
