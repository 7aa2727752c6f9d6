// torch.linalg's products of several vectors and matrices: vecdot, cross, multi_dot, matrix_power, vander; and diagonal.
// Not here: the product of two matrices (../matmul.ts), kron (main/products.ts).
import { RuntimeError } from '../../base/errors.ts'
import { broadcast_sizes, wrap_dim } from '../../base/shape.ts'
import { bind, parse_schema } from '../../tensor/schema.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { composite, make_op, type Op } from '../define/op.ts'
import { cat, stack } from '../join.ts'
import { diagonal as diagonal_view } from '../views.ts'
import { identities, require_square } from './matrices.ts'
import { inv } from './solve.ts'

type Out = { out?: Tensor }
type Along = Out & { dim?: number }

/** The sum of conj(x) y along `dim`, broadcast. */
export const vecdot: Op<[x: Tensor, y: Tensor, opts?: Along]> = composite(
  'linalg_vecdot(Tensor x, Tensor y, *, int dim=-1)',
  {
    body: (x: Tensor, y: Tensor, dim: number) => x.conj().mul(y).sum(dim),
    samples: r => [
      [r(3, 4), r(3, 4)],
      [r(3, 4), r(4)],
      [r(3, 4), r(3, 4), { dim: 0 }],
    ],
  },
)

/** The cross product of the vectors along `dim`. Throws RuntimeError where they have not three elements. */
export const cross: Op<[self: Tensor, other: Tensor, opts?: Along]> = composite(
  'linalg_cross(Tensor self, Tensor other, *, int dim=-1)',
  {
    body: (x: Tensor, y: Tensor, dim: number) => cross_product('linalg.cross', x, y, dim),
    samples: r => [
      [r(4, 3), r(4, 3)],
      [r(3, 4), r(3, 1), { dim: 0 }],
    ],
  },
)

/** The product of two or more matrices in the order that takes the fewest multiplications; the ends may be vectors. */
export const multi_dot: Op<[tensors: readonly Tensor[], opts?: Out]> = composite(
  'linalg_multi_dot(Tensor[] tensors)',
  {
    body(tensors: readonly Tensor[]) {
      const n = tensors.length
      if (n < 2) throw new RuntimeError(`multi_dot(): expected at least 2 tensors but got ${n}`)
      const [first, last] = [tensors[0]!, tensors[n - 1]!]
      for (const [i, t] of tensors.entries()) {
        const end = i === 0 ? 'first' : i === n - 1 ? 'last' : undefined
        if (t.ndim !== 2 && !(t.ndim === 1 && end))
          throw new RuntimeError(
            end
              ? `multi_dot(): the ${end} tensor must be 1D or 2D but got ${t.ndim}D`
              : `multi_dot(): tensor ${i} must be 2D but got ${t.ndim}D`,
          )
      }
      const matrices = [...tensors]
      if (first.ndim === 1) matrices[0] = first.unsqueeze(0)
      if (last.ndim === 1) matrices[n - 1] = last.unsqueeze(1)
      for (let i = 1; i < n; i++)
        if (matrices[i - 1]!.sizes[1] !== matrices[i]!.sizes[0])
          throw new RuntimeError(
            `multi_dot(): tensors ${i - 1} and ${i} with shapes [${tensors[i - 1]!.sizes.join(', ')}] and [${tensors[i]!.sizes.join(', ')}] cannot be multiplied`,
          )
      let product = in_best_order(matrices)
      if (last.ndim === 1) product = product.squeeze(1)
      return first.ndim === 1 ? product.squeeze(0) : product
    },
    samples: r => [[[r(2, 3), r(3, 4), r(4, 2)]], [[r(3), r(3, 4), r(4)]]],
  },
)

/** Cormen, Leiserson, Rivest and Stein, "Introduction to Algorithms", 15.2: matrix-chain multiplication. */
function in_best_order(matrices: readonly Tensor[]): Tensor {
  const sizes = [...matrices.map(m => m.sizes[0]!), matrices.at(-1)!.sizes[1]!]
  const n = matrices.length
  const cost: number[][] = matrices.map(() => new Array<number>(n).fill(0))
  const cut: number[][] = matrices.map(() => new Array<number>(n).fill(0))
  for (let length = 2; length <= n; length++)
    for (let i = 0; i + length <= n; i++) {
      const j = i + length - 1
      cost[i]![j] = Infinity
      for (let k = i; k < j; k++) {
        const c = cost[i]![k]! + cost[k + 1]![j]! + sizes[i]! * sizes[k + 1]! * sizes[j + 1]!
        if (c < cost[i]![j]!) {
          cost[i]![j] = c
          cut[i]![j] = k
        }
      }
    }
  const multiply = (i: number, j: number): Tensor =>
    i === j ? matrices[i]! : multiply(i, cut[i]![j]!).mm(multiply(cut[i]![j]! + 1, j))
  return multiply(0, n - 1)
}

/** Square matrices to an integer power, by squaring; a negative one of the inverse. */
export const matrix_power: Op<[self: Tensor, n: number, opts?: Out]> = composite(
  'matrix_power(Tensor self, int n)',
  {
    body(self: Tensor, n: number) {
      require_square('linalg.matrix_power', self)
      if (n === 0) {
        const order = self.sizes.at(-1)!
        const unit = identities(self.sizes.slice(0, -2), order, order, self.dtype)
        return self.clone().copy_(unit) // with a gradient of zeros
      }
      let rest = Math.abs(n)
      let square = n < 0 ? inv(self) : self
      let power: Tensor | undefined
      for (;;) {
        if (rest % 2 === 1) power = power === undefined ? square : power.matmul(square)
        rest = Math.floor(rest / 2)
        if (rest === 0) return power === self ? self.clone() : power!
        square = square.matmul(square)
      }
    },
    samples: r => [
      [r(3, 3), 3],
      [r(2, 3, 3), 0],
      [r(3, 3), -2],
    ],
  },
)

/** The powers 0 to N - 1 of the elements of `x`, in a last dimension of their own; N is their number if not given. */
export const vander: Op<[x: Tensor, opts?: { N?: number | null }]> = composite(
  'linalg_vander(Tensor x, *, int? N=None)',
  {
    body(self: Tensor, N: number | null) {
      const x = self.ndim === 0 ? self.unsqueeze(0) : self
      const n = N ?? x.sizes.at(-1)
      if (n === undefined || n <= 1) throw new RuntimeError(`N must be greater than 1.`)
      const ones = x.new_ones([...x.sizes, 1])
      const repeated = x
        .unsqueeze(-1)
        .expand([...x.sizes, n - 1])
        .cumprod(-1)
      return cat([ones.to(repeated.dtype), repeated], -1)
    },
    out: false,
    samples: r => [[r(4)], [r(2, 3), { N: 2 }]],
  },
)

const diagonal_schema = parse_schema('linalg_diagonal(Tensor A, *, int offset=0, int dim1=-2, int dim2=-1)')
/** torch.linalg.diagonal: the diagonals of the last two dimensions, if no others are named. */
export const diagonal: Op<[A: Tensor, opts?: { offset?: number; dim1?: number; dim2?: number }]> = make_op(
  (...args: readonly unknown[]) => {
    const [A, offset, dim1, dim2] = bind([diagonal_schema], args).values as [Tensor, number, number, number]
    return diagonal_view(A, offset, dim1, dim2)
  },
  {
    name: 'linalg_diagonal',
    schemas: [diagonal_schema],
    samples: r => [[r(2, 3, 4)], [r(3, 4), { offset: -1 }]],
    differentiable: true,
  },
)

/** The cross product of vectors of three elements along `dim`, broadcast. */
function cross_product(name: string, x: Tensor, y: Tensor, dim: number): Tensor {
  if (x.ndim !== y.ndim)
    throw new RuntimeError(
      `${name}: inputs must have the same number of dimensions. Got ${x.ndim} and ${y.ndim}`,
    )
  const sizes = broadcast_sizes(x.sizes, y.sizes)
  const at = wrap_dim(dim, sizes.length)
  if (x.sizes[at] !== 3 || y.sizes[at] !== 3)
    throw new RuntimeError(
      `${name}: inputs dimension ${dim} must have length 3. Got ${x.sizes[at]} and ${y.sizes[at]}`,
    )
  const [a, b] = [x.expand(sizes).unbind(at), y.expand(sizes).unbind(at)]
  const part = (i: number, j: number): Tensor => a[i]!.mul(b[j]!).sub(a[j]!.mul(b[i]!))
  return stack([part(1, 2), part(2, 0), part(0, 1)], at)
}
