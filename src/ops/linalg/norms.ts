// torch.linalg's norms: vector_norm, matrix_norm, norm and the condition number.
// Not here: how vectors' are computed (../p_norm.ts), singular values (svd.ts).
import { can_cast, type DType } from '../../base/dtype.ts'
import { RuntimeError } from '../../base/errors.ts'
import { wrap_dim } from '../../base/shape.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { to_dtype } from '../convert.ts'
import { composite, type Op, overloaded } from '../define/op.ts'
import { scalar_name } from '../define/out.ts'
import { dims_of } from '../define/reduce.ts'
import { norm_op } from '../p_norm.ts'
import { require_float, require_matrices, require_square } from './matrices.ts'
import { inv_ex } from './solve.ts'
import { svdvals } from './svd.ts'

/** The order of a matrix norm; null is the Frobenius norm (of `linalg.norm`: that of all elements). */
type Order = number | 'fro' | 'nuc' | null
type Dims = number | readonly number[] | null
type Options = { ord?: Order; dim?: Dims; keepdim?: boolean; dtype?: DType | null; out?: Tensor }

const MATRIX_ORDERS: readonly unknown[] = ['fro', 'nuc', 1, -1, 2, -2, Infinity, -Infinity]

/** The norm of the matrices in two dimensions of `x`. */
function norm_of_matrices(x: Tensor, ord: Order, dim: readonly number[], keepdim: boolean): Tensor {
  if (dim.length !== 2)
    throw new RuntimeError(
      `linalg.matrix_norm: dim must be a 2-tuple. Got ${dim.length === 0 ? '[]' : dim.join(', ')}`,
    )
  const [rows, columns] = dim.map(d => wrap_dim(d, x.ndim)) as [number, number]
  if (rows === columns)
    throw new RuntimeError(`linalg.matrix_norm: dims must be different. Got (${dim.join(', ')})`)
  if (!MATRIX_ORDERS.includes(ord)) throw new RuntimeError(`linalg.matrix_norm: Order ${ord} not supported.`)
  if (ord === 'fro') return vector_norm(x, 2, [rows, columns], keepdim)
  const size = Math.abs(Number(ord))
  if (size === 1 || size === Infinity) {
    const [summed, left] = size === 1 ? [rows, columns] : [columns, rows]
    const sums = vector_norm(x, 1, summed, keepdim)
    const at = keepdim || summed > left ? left : left - 1
    return Number(ord) > 0 ? sums.amax(at, keepdim) : sums.amin(at, keepdim)
  }
  const values = svdvals(x.movedim([rows, columns], [-2, -1]))
  const norm = ord === 'nuc' ? values.sum(-1) : Number(ord) > 0 ? values.amax(-1) : values.amin(-1)
  const [first, second] = rows < columns ? [rows, columns] : [columns, rows]
  return keepdim ? norm.unsqueeze(first).unsqueeze(second) : norm
}

type MatrixArgs = [
  A: Tensor,
  ord?: Order | Options,
  dim?: readonly number[] | Options,
  keepdim?: boolean | Options,
  opts?: Options,
]

/**
 * A norm of the matrices in the dimensions `dim`: 'fro' (the default), 'nuc' (the sum of singular values), 1 and -1 (the
 * largest and smallest sum of a column's magnitudes), Infinity and -Infinity (of a row's), 2 and -2 (the largest and
 * smallest singular value). Throws RuntimeError for other orders and for integers.
 */
export const matrix_norm: Op<MatrixArgs> = composite(
  "linalg_matrix_norm(Tensor self, any ord='fro', int[] dim=[-2,-1], bool keepdim=False, *, dtype? dtype=None)",
  {
    body(A: Tensor, ord: Order, dim: readonly number[], keepdim: boolean, dtype: DType | null) {
      require_matrices('linalg.matrix_norm', A)
      require_float('linalg.matrix_norm', A)
      return norm_of_matrices(to_dtype(A, dtype ?? A.dtype), ord ?? 'fro', dim, keepdim)
    },
    samples: r => [[r(3, 4)], [r(2, 3, 4), 1], [r(2, 3, 4), 'nuc', [0, 2], true], [r(3, 3), -Infinity]],
  },
)

type NormArgs = [
  A: Tensor,
  ord?: Order | Options,
  dim?: Dims | Options,
  keepdim?: boolean | Options,
  opts?: Options,
]

/**
 * The norm of a vector or of matrices: without `ord` the Euclidean norm of all elements or of those in `dim`; with it, a
 * vector norm in one dimension (or of a 1-d tensor), a matrix norm in two.
 */
export const norm: Op<NormArgs> = composite(
  'linalg_norm(Tensor self, any? ord=None, int[]? dim=None, bool keepdim=False, *, dtype? dtype=None)',
  {
    body(A: Tensor, ord: Order, dim: readonly number[] | null, keepdim: boolean, dtype: DType | null) {
      if (dim !== null && dim.length !== 1 && dim.length !== 2 && ord !== null)
        throw new RuntimeError(
          `linalg.norm: If dim is specified, it must be of length 1 or 2. Got [${dim.join(', ')}]`,
        )
      if (dim === null && ord !== null && A.ndim !== 1 && A.ndim !== 2)
        throw new RuntimeError(
          `linalg.norm: If dim is not specified but ord is, the input must be 1D or 2D. Got ${A.ndim}D.`,
        )
      const x = to_dtype(A, dtype ?? A.dtype)
      if (typeof ord === 'string' || (ord !== null && (dim?.length ?? A.ndim) === 2)) {
        require_float('linalg.matrix_norm', A)
        return norm_of_matrices(x, ord, dim ?? [-2, -1], keepdim)
      }
      return vector_norm(x, ord ?? 2, dim, keepdim)
    },
    samples: r => [[r(3, 4)], [r(4), 3], [r(3, 4), 'nuc'], [r(2, 3, 4), 1, [0, 1]]],
  },
)

/**
 * The condition number of matrices in the norm `p` (null: 2): the ratio of the extreme singular values, or the norm
 * times that of the inverse. Infinite for singular matrices.
 */
export const cond: Op<[A: Tensor, p?: Order | { p?: Order; out?: Tensor }, opts?: { out?: Tensor }]> =
  composite('linalg_cond(Tensor self, any? p=None)', {
    body(A: Tensor, p: Order) {
      require_matrices('linalg.cond', A)
      if (p === null || p === 2 || p === -2) {
        const values = svdvals(A)
        const [first, last] = [values.select(-1, 0), values.select(-1, -1)]
        return p === -2 ? last.div(first) : first.div(last)
      }
      require_square('linalg.cond', A)
      const [inverse, info] = inv_ex(A) as unknown as [Tensor, Tensor]
      const size = norm_of_matrices(A, p, [-2, -1], false)
      const of_inverse = norm_of_matrices(inverse, p, [-2, -1], false)
      return size.mul(of_inverse).masked_fill(info.ne(0), Infinity)
    },
    samples: r => [[r(3, 3)], [r(4, 2)], [r(3, 3), 1], [r(2, 3, 3), 'fro']],
  })

const ord_norm = norm_op('linalg_vector_norm', 'LinalgVectorNormBackward0')

type VectorOptions = { ord?: number; dim?: Dims; keepdim?: boolean; dtype?: DType | null; out?: Tensor }

/** torch.linalg.vector_norm: the norm of order `ord` of the elements, of all or over the given dimensions. */
export const vector_norm: Op<
  [
    x: Tensor,
    ord?: number | VectorOptions,
    dim?: Dims | VectorOptions,
    keepdim?: boolean | VectorOptions,
    opts?: VectorOptions,
  ]
> = overloaded(
  [
    [
      'linalg_vector_norm(Tensor self, float ord=2, int[]? dim=None, bool keepdim=False, *, dtype? dtype=None)',
      checked_vector_norm,
    ],
  ],
  {
    samples: r => [
      [r(3, 4)],
      [r(3, 4), 1, 1],
      [r(3, 4), Infinity, 0],
      [r(3, 4), 3.5, [0, 1], { keepdim: true }],
    ],
  },
)

function checked_vector_norm(
  self: Tensor,
  ord: number,
  dim: number[] | null,
  keepdim: boolean,
  dtype: DType | null,
): Tensor {
  const fail = (text: string): never => {
    throw new RuntimeError(`linalg.vector_norm: ${text}`)
  }
  const floats = (d: DType): boolean => d.is_floating_point || d.is_complex
  if (!floats(self.dtype))
    fail(`Expected a floating point or complex tensor as input. Got ${scalar_name(self.dtype)}`)
  if (dtype !== null && !floats(dtype))
    fail(`dtype should be floating point or complex. Got ${scalar_name(dtype)}`)
  if (dtype !== null && (!can_cast(self.dtype, dtype) || dtype.itemsize < self.dtype.itemsize))
    fail(
      `the dtype of the input (${scalar_name(self.dtype)}) should be convertible without narrowing to the specified dtype (${scalar_name(dtype)})`,
    )
  const dims = dims_of(dim, self.sizes.length)
  if ((ord < 0 || ord === Infinity) && dims.some(d => self.sizes[d] === 0)) {
    const what = Number.isFinite(ord) ? `the ${ord} norm` : 'the infinity norm'
    if (dim === null || dim.length === 0)
      fail(`cannot compute ${what} on an empty tensor because the operation does not have an identity`)
    fail(
      `cannot compute ${what} on the dimension ${dims.find(d => self.sizes[d] === 0)} because this dimension is empty and the operation does not have an identity`,
    )
  }
  return ord_norm(self, ord, dim, keepdim, dtype)
}
