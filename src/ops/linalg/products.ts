// Products of several vectors and matrices: vecdot, cross, multi_dot, matrix_power, vander, kron. Not here: the product of two
// matrices (../matmul.ts).
import { int64 } from '../../base/dtype.ts'
import { RuntimeError } from '../../base/errors.ts'
import { broadcast_sizes, wrap_dim } from '../../base/shape.ts'
import { warn } from '../../base/warn.ts'
import { is_options } from '../../tensor/schema.ts'
import { Tensor } from '../../tensor/tensor.ts'
import { composite, make_op, type Op } from '../define/op.ts'
import { cat, stack } from '../join.ts'
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

/** The cross product of the vectors along `dim`. Throws RuntimeError where they have not three elements. */
export const linalg_cross: Op<[self: Tensor, other: Tensor, opts?: Along]> = composite(
  'linalg_cross(Tensor self, Tensor other, *, int dim=-1)',
  {
    body: (x: Tensor, y: Tensor, dim: number) => cross_product('linalg.cross', x, y, dim),
    samples: r => [
      [r(4, 3), r(4, 3)],
      [r(3, 4), r(3, 1), { dim: 0 }],
    ],
  },
)

type CrossArgs = [
  self: Tensor,
  other: Tensor,
  dim?: number | null | { dim?: number | null; out?: Tensor },
  opts?: Out,
]

/** The cross product along `dim`; without it, along the first dimension of size 3. */
export const cross: Op<CrossArgs> = composite('cross(Tensor self, Tensor other, int? dim=None)', {
  body(x: Tensor, y: Tensor, dim: number | null) {
    const at = dim ?? x.sizes.indexOf(3)
    if (at < 0 && dim === null) throw new RuntimeError('no dimension of size 3 in input')
    return cross_product('linalg.cross', x, y, at)
  },
  samples: r => [
    [r(4, 3), r(4, 3)],
    [r(3, 4, 3), r(3, 4, 3), 2],
  ],
})

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

/**
 * The matrix whose columns (of N, by default as many as `x` has elements) are the powers of a vector, the highest first or,
 * if `increasing`, the lowest.
 */
export const power_columns: Op<
  [
    x: Tensor,
    N?: number | null | { N?: number | null; increasing?: boolean },
    increasing?: boolean | { increasing?: boolean },
  ]
> = composite('vander(Tensor x, int? N=None, bool increasing=False)', {
  body(x: Tensor, N: number | null, increasing: boolean) {
    if (x.ndim !== 1) throw new RuntimeError('x must be a one-dimensional tensor.')
    const n = N ?? x.sizes[0]!
    if (n < 0) throw new RuntimeError('N must be non-negative.')
    const ones = x.new_ones([x.sizes[0]!, Math.min(n, 1)], x.dtype.category > 1 ? {} : { dtype: int64 })
    const columns =
      n > 1
        ? cat(
            [
              ones,
              x
                .unsqueeze(1)
                .expand(-1, n - 1)
                .cumprod(1),
            ],
            1,
          )
        : ones
    return increasing ? columns : columns.flip([1])
  },
  out: false,
  samples: r => [[r(4)], [r(3), 2, true], [r(3), { N: 5 }]],
})

/** The product of matrices in a row, in the order that takes the fewest steps. Deprecated: use linalg.multi_dot. */
export const chain_matmul: Op<readonly [...matrices: readonly (Tensor | Out)[]]> = make_op(
  (...args: readonly (Tensor | Out)[]) => {
    const last = args.at(-1)
    const options = is_options(last) ? (last as Out) : {}
    const matrices = args.filter(a => a instanceof Tensor)
    warn(
      'torch.chain_matmul is deprecated and will be removed in a future PyTorch release. Use torch.linalg.multi_dot instead, ' +
        'which accepts a list of two or more tensors rather than multiple parameters.',
    )
    if (matrices.length === 0) throw new RuntimeError('chain_matmul(): Expected one or more matrices')
    const other = matrices.find(m => m.ndim !== 2)
    if (other !== undefined) throw new RuntimeError(`Tensor dimension is ${other.ndim}, expected 2 instead.`)
    return matrices.length === 1 ? matrices[0]!.clone() : multi_dot(matrices, options)
  },
  { name: 'chain_matmul', schemas: [], samples: undefined, differentiable: true },
)

/** The Kronecker product: each element of `self` times the whole of `other`, as blocks. */
export const kron: Op<[self: Tensor, other: Tensor, opts?: Out]> = composite(
  'kron(Tensor self, Tensor other)',
  {
    body(self: Tensor, other: Tensor) {
      const n = Math.max(self.ndim, other.ndim)
      const padded = (t: Tensor): number[] => [...new Array<number>(n - t.ndim).fill(1), ...t.sizes]
      const [a, b] = [padded(self), padded(other)]
      const blocks = self.reshape(a.flatMap(s => [s, 1])).mul(other.reshape(b.flatMap(s => [1, s])))
      return blocks.reshape(a.map((s, d) => s * b[d]!))
    },
    samples: r => [
      [r(2, 3), r(3, 2)],
      [r(2), r(2, 1, 3)],
      [r(), r(2)],
    ],
  },
)
