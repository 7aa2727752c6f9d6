// Looking up rows by index: embedding and its gradient. Not here: bags of rows (embedding_bag).
import { int32, int64 } from '../../base/dtype.ts'
import { AssertionError, IndexError, RuntimeError } from '../../base/errors.ts'
import { no_grad, records } from '../../tensor/tape.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { require_range } from '../define/bounds.ts'
import { composite, type Op, op } from '../define/op.ts'
import { add_slices, read_slices } from '../slices.ts'
import { where } from '../where.ts'

const out_of_range = (): Error => new IndexError('index out of range in self')

const lookup: Op<[weight: Tensor, indices: Tensor, padding_idx: number, scale_grad_by_freq: boolean]> = op(
  'embedding(Tensor weight, Tensor indices, int padding_idx, bool scale_grad_by_freq)',
  {
    forward(weight: Tensor, indices: Tensor, _padding: number, _scale: boolean) {
      const sizes = [...indices.sizes, weight.sizes[1]!]
      return read_slices(weight, 0, indices, sizes, false, out_of_range)
    },
    saves: ['indices'],
    backward: {
      weight(g, [weight, indices, padding_idx, scale_grad_by_freq]) {
        const rows = indices.reshape([-1]).to(int64)
        let grad = g.reshape([rows.count, ...weight.sizes.slice(1)])
        if (scale_grad_by_freq) {
          const counts = rows.new_zeros([weight.sizes[0]!]).index_add(0, rows, rows.new_ones(rows.sizes))
          grad = grad.div(counts.index_select(0, rows).unsqueeze(1))
        }
        return add_slices(grad, 0, rows, weight.sizes[0]!, padding_idx)
      },
    },
  },
)

type EmbeddingOptions = {
  padding_idx?: number | null
  max_norm?: number | null
  norm_type?: number
  scale_grad_by_freq?: boolean
  sparse?: boolean
}

/**
 * The rows of `weight` at `input`, of sizes [...input, row]. Rows whose norm exceeds `max_norm` are first scaled
 * down in `weight` itself. Throws IndexError for indices out of range.
 */
export const embedding: Op<
  [input: Tensor, weight: Tensor, padding_idx?: number | null | EmbeddingOptions, opts?: EmbeddingOptions]
> = composite(
  'embedding(Tensor input, Tensor weight, int? padding_idx=None, float? max_norm=None, float norm_type=2.0, bool scale_grad_by_freq=False, bool sparse=False)',
  {
    body: (
      input: Tensor,
      weight: Tensor,
      padding: number | null,
      max_norm: number | null,
      norm_type: number,
      scale: boolean,
      sparse: boolean,
    ) => {
      if (input.dtype !== int64 && input.dtype !== int32)
        throw new RuntimeError(
          `Expected tensor for argument #1 'indices' to have one of the following scalar types: Long, Int; but got torch.${input.dtype.tensor_type} instead (while checking arguments for embedding)`,
        )
      if (weight.ndim !== 2) throw new RuntimeError("'weight' must be 2-D")
      if (sparse && records([weight])) throw new RuntimeError('embedding: sparse gradients are not supported')
      const rows = weight.sizes[0]!
      if (padding !== null && (padding >= rows || padding < -rows))
        throw new AssertionError('Padding_idx must be within num_embeddings')
      if (max_norm !== null) embedding_renorm_(weight, input, max_norm, norm_type)
      return lookup(weight, input, padding === null ? -1 : padding < 0 ? padding + rows : padding, scale)
    },
    samples: r => [
      [r.ints(0, 5, 2, 3), r(5, 4)],
      [r.ints(2, 5, 4), r(5, 2), 1],
    ],
    out: false,
  },
)

/** Scales down, in `weight` itself, those of its rows at `indices` whose norm exceeds `max_norm`. */
export const embedding_renorm_: Op<[weight: Tensor, indices: Tensor, max_norm: number, norm_type: number]> =
  composite('embedding_renorm_(Tensor self, Tensor indices, float max_norm, float norm_type)', {
    body: (weight: Tensor, indices: Tensor, max_norm: number, norm_type: number) => {
      require_range(indices, 0, weight.sizes[0]!, out_of_range)
      return no_grad(() => {
        const rows = indices.reshape([-1]).to(int64)
        const used = weight.index_select(0, rows)
        const norms = used.norm(norm_type, 1, true)
        const scale = where(norms.gt(max_norm), norms.add(1e-7).reciprocal().mul(max_norm), 1)
        return weight.index_copy_(0, rows, used.mul(scale))
      })
    },
    out: false,
  })
