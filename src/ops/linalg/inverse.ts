// Linear algebra that needs no library: the inverse, by elimination with pivoting, as a kernel.
// Not here: products (matmul.ts); the decompositions.
import { type DType, int32 } from '../../base/dtype.ts'
import { RuntimeError } from '../../base/errors.ts'
import { numel } from '../../base/shape.ts'
import { constant, type Expr } from '../../ir/expr.ts'
import { empty, kernels } from '../../tensor/dispatch.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { copy_elements } from '../define/copy.ts'
import { type Op, op } from '../define/op.ts'
import { window } from '../define/space.ts'
import { LinAlgError } from './error.ts'

/**
 * Gauss-Jordan elimination with row pivoting on each matrix of a batch. `work` holds the matrices and is used up;
 * `info` is 0, or one more than the column where no pivot was left.
 */
const inverse_kernel = kernels('inverse', (k, dtype: DType) => {
  const out = k.inout('out', dtype, { rank: 3, inner: 1 })
  const work = k.inout('work', dtype, { rank: 3, inner: 1 })
  const info = k.output('info', int32, 'flat')
  const [count, n] = work.sizes as [Expr, Expr, Expr]
  k.for(count, 'parallel', b => {
    k.nest([n, n], 'serial', 'serial', (i, j) =>
      k.store(out, [b, i, j], i.eq(j).where(constant(1, out.type), 0)),
    )
    const failed = k.local('i32', 0)
    k.for(n, 'serial', c => {
      const pivot = k.local('index', c)
      const largest = k.local(work.type, work.at(b, c, c).abs())
      k.for(n, 'serial', i =>
        k.if(i.gt(c).and(work.at(b, i, c).abs().gt(largest)), () => {
          k.assign(largest, work.at(b, i, c).abs())
          k.assign(pivot, i)
        }),
      )
      k.if(largest.eq(0).and(failed.eq(0)), () => k.assign(failed, c.cast('i32').add(1)))
      const swap = (view: typeof work, j: Expr): void => {
        const upper = k.local(view.type, view.at(b, c, j))
        k.store(view, [b, c, j], view.at(b, pivot, j))
        k.store(view, [b, pivot, j], upper)
      }
      k.for(n, 'serial', j => {
        swap(work, j)
        swap(out, j)
      })
      const scale = k.local(work.type, constant(1, work.type).div(work.at(b, c, c)))
      k.for(n, 'serial', j => {
        k.store(work, [b, c, j], work.at(b, c, j).mul(scale))
        k.store(out, [b, c, j], out.at(b, c, j).mul(scale))
      })
      k.for(n, 'serial', i =>
        k.if(i.ne(c), () => {
          const factor = k.local(work.type, work.at(b, i, c))
          k.for(n, 'serial', j => {
            k.store(work, [b, i, j], work.at(b, i, j).sub(factor.mul(work.at(b, c, j))))
            k.store(out, [b, i, j], out.at(b, i, j).sub(factor.mul(out.at(b, c, j))))
          })
        }),
      )
    })
    k.store(info, [b], failed)
  })
})

/** The inverse of a square matrix, or of each of a batch. Throws LinAlgError for a singular one. */
export const inverse: Op<[self: Tensor]> = op('inverse(Tensor self)', {
  node: 'LinalgInvExBackward0',
  forward(self: Tensor) {
    const [rows, columns] = self.sizes.slice(-2)
    if (self.ndim < 2)
      throw new RuntimeError(`linalg.inv: The input tensor A must have at least 2 dimensions.`)
    if (rows !== columns)
      throw new RuntimeError(
        `linalg.inv: A must be batches of square matrices, but they are ${rows} by ${columns} matrices`,
      )
    if (self.dtype.name !== 'float32' && self.dtype.name !== 'float64')
      throw new RuntimeError(
        self.dtype.is_complex
          ? 'linalg.inv: complex matrices are not supported'
          : `linalg.inv: Low precision dtypes not supported. Got ${self.dtype.tensor_type.slice(0, -6)}`,
      )
    const n = rows as number
    const count = numel(self.sizes.slice(0, -2))
    const out = empty(self.sizes, self.dtype)
    if (out.count === 0) return out
    const work = empty(self.sizes, self.dtype)
    copy_elements(work, self)
    const info = empty([count], int32)
    const batch = (t: Tensor): ReturnType<typeof window> => window(t, [count, n, n], [n * n, n, 1])
    inverse_kernel(self.dtype)([batch(out), batch(work), info], [])
    const codes = info.memory.peek(int32)
    for (let b = 0; b < count; b++) {
      const code = Number(codes[info.offset + b])
      if (code === 0) continue
      const which = self.ndim > 2 ? `(Batch element ${b}): ` : ''
      throw new LinAlgError(
        `linalg.inv: ${which}The diagonal element ${code} is zero, the inversion could not be completed because the input matrix is singular.`,
      )
    }
    return out
  },
  saves: ['out'],
  backward: {
    self: (g, _, out) => {
      const transposed = out.transpose(-2, -1)
      return transposed.matmul(g).matmul(transposed).neg()
    },
  },
  samples: r => [[r(3, 3)], [r(2, 2, 2)]],
})
