// Bags of embeddings by the arguments of nn.functional. Not here: single lookups (ops/nn/embedding.ts).
import { NotImplementedError, ValueError } from '../../base/errors.ts'
import * as torch from '../../torch.ts'
import { _composite as composite, type _Op as Op, type Tensor, _warn as warn } from '../../torch.ts'

const MODES = ['sum', 'mean', 'max']

export type BagOptions = {
  offsets?: Tensor | null
  max_norm?: number | null
  norm_type?: number
  scale_grad_by_freq?: boolean
  /** 'sum', 'mean' or 'max'. */
  mode?: string
  sparse?: boolean
  /** A factor for each index, with mode 'sum'. */
  per_sample_weights?: Tensor | null
  /** Whether the last of `offsets` says where the last bag ends. */
  include_last_offset?: boolean
  /** The index that does not count. */
  padding_idx?: number | null
}

/**
 * Sums, means or maxima of bags of rows of `weight`. A bag is a row of a 2-d `input`, or the indices of a 1-d one from one
 * of `offsets` to the next; what comes of an empty one is zero. Rows whose norm exceeds `max_norm` are first scaled down in
 * `weight` itself.
 */
export const embedding_bag: Op<
  [
    input: Tensor,
    weight: Tensor,
    ...rest: readonly (Tensor | number | boolean | string | null | BagOptions)[],
  ]
> = composite(
  "embedding_bag(Tensor input, Tensor weight, Tensor? offsets=None, float? max_norm=None, float norm_type=2, bool scale_grad_by_freq=False, str mode='mean', bool sparse=False, Tensor? per_sample_weights=None, bool include_last_offset=False, int? padding_idx=None)",
  {
    body: (
      given_input: Tensor,
      given_weight: Tensor,
      given_offsets: Tensor | null,
      max_norm: number | null,
      norm_type: number,
      scale_grad_by_freq: boolean,
      mode: string,
      sparse: boolean,
      per_sample_weights: Tensor | null,
      include_last_offset: boolean,
      padding_idx: number | null,
    ) => {
      let [input, weight] = [given_input, given_weight]
      if (weight.dtype === torch.int64 && input.is_floating_point()) {
        warn(
          'Argument order of nn.functional.embedding_bag was changed. Usage `embedding_bag(weight, input, ...)` is deprecated, and should now be `embedding_bag(input, weight, ...)`.',
        )
        ;[input, weight] = [weight, input]
      }
      require_shape(input, per_sample_weights)
      const offsets = offsets_of(input, given_offsets)
      require_mode(mode, scale_grad_by_freq, sparse)
      if (max_norm !== null) torch.embedding_renorm_(weight, input, max_norm, norm_type)
      if (per_sample_weights !== null && mode !== 'sum')
        throw new NotImplementedError(
          `embedding_bag: per_sample_weights was not None. per_sample_weights is only supported for mode='sum' (got mode='${mode}'). Please open a feature request on GitHub.`,
        )
      return torch.embedding_bag(weight, input.reshape([-1]), offsets, {
        scale_grad_by_freq,
        mode: MODES.indexOf(mode),
        sparse,
        per_sample_weights: per_sample_weights?.reshape([-1]) ?? null,
        include_last_offset,
        padding_idx,
      })[0]!
    },
    samples: r => [
      [r.ints(0, 6, 2, 3), r(6, 3)],
      [r.ints(0, 6, 5), r(6, 3), { offsets: r.ints(0, 1, 2), mode: 'sum', per_sample_weights: r(5) }],
      [r.ints(0, 6, 2, 3), r.distinct(6, 3), { mode: 'max', padding_idx: -2 }],
      [r.ints(0, 4, 3, 2), r(4, 3), { padding_idx: 1 }],
    ],
    out: false,
  },
)

function require_shape(input: Tensor, shares: Tensor | null): void {
  if (shares !== null && shares.sizes.join() !== input.sizes.join())
    throw new ValueError(
      `embedding_bag: If per_sample_weights (${shares.shape}) is not None, then it must have the same shape as the input (${input.shape})`,
    )
}

/** Where the bags begin in the flattened input. */
function offsets_of(input: Tensor, offsets: Tensor | null): Tensor {
  if (input.ndim === 2) {
    if (offsets !== null)
      throw new ValueError(
        "if input is 2D, then offsets has to be None, as input is treated is a mini-batch of fixed length sequences. However, found offsets of type <class 'torch.Tensor'>",
      )
    return torch.arange(0, input.numel(), input.size(1), { dtype: input.dtype })
  }
  if (input.ndim !== 1)
    throw new ValueError(`input has to be 1D or 2D Tensor, but got Tensor of dimension ${input.ndim}`)
  if (offsets === null) throw new ValueError('offsets has to be a 1D Tensor but got None')
  if (offsets.ndim !== 1) throw new ValueError('offsets has to be a 1D Tensor')
  return offsets
}

function require_mode(mode: string, scale_grad_by_freq: boolean, sparse: boolean): void {
  if (!MODES.includes(mode)) throw new ValueError('mode has to be one of sum, mean or max')
  if (mode !== 'max') return
  if (scale_grad_by_freq)
    throw new ValueError('max mode does not support scaling the gradient by the frequency')
  if (sparse) throw new ValueError('max mode does not support sparse weights')
}
