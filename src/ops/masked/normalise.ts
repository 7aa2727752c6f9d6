// torch.masked's functions that keep the sizes: running sums, softmax and its relatives, normalize, logaddexp. Their
// results at masked-out elements are undefined, in PyTorch too. Made of other ops, which autograd follows.
// Not here: reductions (reduction.ts).
import type { DType } from '../../base/dtype.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { to_dtype } from '../convert.ts'
import { composite, type Op } from '../define/op.ts'
import { canonical_dim, fill_masked, sample_mask } from './mask.ts'
import { norm } from './reduction.ts'

type AlongOptions = { dim?: number; dtype?: DType | null; mask?: Tensor | null }
type AlongArgs = [input: Tensor, dim: number | (AlongOptions & { dim: number }), opts?: AlongOptions]

const REST = '*, dtype? dtype=None, Tensor? mask=None'
const along = (
  name: string,
  reducer: 'sum' | 'prod' | 'amax' | 'amin',
  compute: (filled: Tensor, dim: number, dtype: DType) => Tensor,
  finite = true,
): Op<AlongArgs> =>
  composite<AlongArgs>(`${name}(Tensor input, int dim, ${REST})`, {
    body: (input: Tensor, dim: number, dtype: DType | null, mask: Tensor | null) =>
      compute(fill_masked(reducer, input, mask), canonical_dim(dim, input.ndim), dtype ?? input.dtype),
    out: false,
    gradcheck: finite, // -inf has no finite differences
    samples: r => [
      [r(3, 4), 1],
      [r(3, 4), 0, { mask: sample_mask(3, 4) }],
      [r(2, 3, 4), -2, { mask: sample_mask(3, 1) }],
    ],
  })

/** The running sum along `dim` of the elements that are not masked out. */
export const cumsum: Op<AlongArgs> = along('cumsum', 'sum', (x, dim, dtype) =>
  to_dtype(x.cumsum(dim, { dtype }), dtype),
)
/** The running product along `dim` of the elements that are not masked out. */
export const cumprod: Op<AlongArgs> = along('cumprod', 'prod', (x, dim, dtype) =>
  to_dtype(x.cumprod(dim, { dtype }), dtype),
)
/** softmax along `dim` of the elements that are not masked out; NaN where all are. */
export const softmax: Op<AlongArgs> = along('softmax', 'amax', (x, dim, dtype) => x.softmax(dim, { dtype }))
/** log(softmax) along `dim` of the elements that are not masked out. */
export const log_softmax: Op<AlongArgs> = along(
  'log_softmax',
  'amax',
  (x, dim, dtype) => x.log_softmax(dim, { dtype }),
  false,
)
/** softmax of the negated elements along `dim` that are not masked out. */
export const softmin: Op<AlongArgs> = along('softmin', 'amin', (x, dim, dtype) =>
  x.neg().softmax(dim, { dtype }),
)

type NormalizeOptions = {
  ord?: number
  dim?: number
  eps?: number
  dtype?: DType | null
  mask?: Tensor | null
}
type NormalizeArgs = [
  input: Tensor,
  ord: number | NormalizeOptions,
  dim?: number | NormalizeOptions,
  opts?: NormalizeOptions,
]

/** Divides by the norm of order `ord` along `dim` of the elements that are not masked out, or by `eps` if that is more. */
export const normalize: Op<NormalizeArgs> = composite<NormalizeArgs>(
  'normalize(Tensor input, float ord, int dim, *, float eps=1e-12, dtype? dtype=None, Tensor? mask=None)',
  {
    body: (
      input: Tensor,
      ord: number,
      dim: number,
      eps: number,
      dtype: DType | null,
      mask: Tensor | null,
    ) => {
      canonical_dim(dim, input.ndim)
      const filled = fill_masked('sum', input, mask)
      const length = norm(input, ord, dim, { keepdim: true, dtype, mask })
      return filled.div(length.maximum(length.new_full([], eps)))
    },
    out: false,
    samples: r => [
      [r(3, 4), 2, 1],
      [r(3, 4), 1, 0, { mask: sample_mask(3, 4) }],
    ],
  },
)

type PairOptions = { dtype?: DType | null; input_mask?: Tensor | null; other_mask?: Tensor | null }

/** log(exp(input) + exp(other)), where a masked-out element counts as -inf. */
export const logaddexp: Op<[input: Tensor, other: Tensor, opts?: PairOptions]> = composite(
  'logaddexp(Tensor input, Tensor other, *, dtype? dtype=None, Tensor? input_mask=None, Tensor? other_mask=None)',
  {
    body: (
      input: Tensor,
      other: Tensor,
      dtype: DType | null,
      input_mask: Tensor | null,
      other_mask: Tensor | null,
    ) =>
      to_dtype(
        fill_masked('logsumexp', input, input_mask).logaddexp(fill_masked('logsumexp', other, other_mask)),
        dtype ?? input.dtype,
      ),
    out: false,
    samples: r => [
      [r(3, 4), r(3, 4)],
      [r(3, 4), r(4), { dtype: null }],
    ],
  },
)
