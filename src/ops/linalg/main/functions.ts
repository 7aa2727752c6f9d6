// Linear algebra that is a function of the main namespace and no method: chain_matmul, vander.
// Not here: decompositions (lu_unpack.ts, lowrank.ts).
import { int64 } from '../../../base/dtype.ts'
import { RuntimeError } from '../../../base/errors.ts'
import { warn } from '../../../base/warn.ts'
import { is_options } from '../../../tensor/schema.ts'
import { Tensor } from '../../../tensor/tensor.ts'
import { composite, make_op, type Op } from '../../define/op.ts'
import { cat } from '../../join.ts'
import { multi_dot } from '../products.ts'

type Out = { out?: Tensor }

/**
 * The matrix whose columns (of N, by default as many as `x` has elements) are the powers of a vector, the highest first or,
 * if `increasing`, the lowest.
 */
export const vander: Op<
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
