// Padded batches of sequences to packed rows and back: step by step, the rows of the sequences that last so long, which are
// sorted by length. Rows are found by one index, so a batch is copied once. Not here: PackedSequence (nn/utils/rnn.ts).
import { int64 } from '../../base/dtype.ts'
import { RuntimeError, ValueError } from '../../base/errors.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { arange, full } from '../creation.ts'
import { type Op, op } from '../define/op.ts'

/** Where packed rows lie among the rows of a padded batch of `length` steps, flattened. */
function places(batch_sizes: Tensor, length: number, batch: number, batch_first: boolean): Tensor {
  const at = arange(batch).lt(batch_sizes.unsqueeze(1)).flatten().nonzero().squeeze(1) // of (step, sequence)
  if (!batch_first) return at
  const step = at.div(batch, { rounding_mode: 'floor' })
  return at.sub(step.mul(batch)).mul(length).add(step)
}

const rows_of = (t: Tensor): Tensor => t.flatten(0, 1)

function check_lengths(lengths: Tensor, batch: number): void {
  if (lengths.ndim !== 1 || lengths.dtype !== int64)
    throw new RuntimeError(
      `'lengths' argument should be a 1D CPU int64 tensor, but got ${lengths.ndim}D cpu ${lengths.dtype.tensor_type.slice(0, -6)} tensor`,
    )
  if (lengths.count !== batch)
    throw new RuntimeError(
      `Expected \`len(lengths)\` to be equal to batch_size, but got ${lengths.count} (batch_size=${batch})`,
    )
  const all = (lengths.tolist() as (number | bigint)[]).map(Number)
  if (all.some(n => n <= 0))
    throw new RuntimeError(
      "Length of all samples has to be greater than 0, but found an element in 'lengths' that is <= 0",
    )
  if (all.some((n, i) => i > 0 && n > all[i - 1]!))
    throw new RuntimeError(
      '`lengths` array must be sorted in decreasing order when `enforce_sorted` is True. You can pass `enforce_sorted=False` ' +
        'to pack_padded_sequence and/or pack_sequence to sidestep this requirement if you do not need ONNX exportability.',
    )
}

type PackValues = [input: Tensor, lengths: Tensor, batch_first: boolean]

/**
 * The rows of a padded batch (T, B, ...), or with `batch_first` (B, T, ...), of sequences of the given lengths, which do not
 * grow: [rows, how many there are of each step].
 */
export const _pack_padded_sequence: Op<PackValues, [Tensor, Tensor]> = op(
  '_pack_padded_sequence(Tensor input, Tensor lengths, bool batch_first)',
  {
    forward(...[input, lengths, batch_first]: PackValues): [Tensor, Tensor] {
      if (input.count === 0) throw new RuntimeError('Cannot pack empty tensors.')
      const [length, batch] = batch_first ? [input.size(1), input.size(0)] : [input.size(0), input.size(1)]
      check_lengths(lengths, batch)
      const longest = Number(lengths.select(0, 0).item())
      if (longest > length)
        throw new RuntimeError(
          `Expected the longest of \`lengths\` to be at most the padded length, but got ${longest} (length=${length})`,
        )
      const batch_sizes = arange(longest).unsqueeze(1).lt(lengths).sum(1)
      return [rows_of(input).index_select(0, places(batch_sizes, length, batch, batch_first)), batch_sizes]
    },
    saves: ['out.1'],
    backward: {
      input: ([g], [input, , batch_first], [, batch_sizes]) =>
        _pad_packed_sequence(g!, batch_sizes, batch_first, 0, input.size(batch_first ? 1 : 0))[0],
    },
    gradcheck: false, // lengths go with sizes: tested in test/nn/packing.test.ts
  },
)

type PadValues = [
  data: Tensor,
  batch_sizes: Tensor,
  batch_first: boolean,
  padding_value: number,
  total_length: number,
]

/** The opposite of {@link _pack_padded_sequence}, of `total_length` steps: [padded batch, lengths]. */
export const _pad_packed_sequence: Op<PadValues, [Tensor, Tensor]> = op(
  '_pad_packed_sequence(Tensor data, Tensor batch_sizes, bool batch_first, float padding_value, int total_length)',
  {
    forward(...[data, batch_sizes, batch_first, padding_value, total_length]: PadValues): [Tensor, Tensor] {
      const steps = batch_sizes.size(0)
      const length = total_length > 0 ? total_length : steps
      if (length < steps)
        throw new ValueError(
          `Expected total_length to be at least the length of the longest sequence in input, but got total_length=${length} and max sequence length being ${steps}`,
        )
      const batch = Number(batch_sizes.select(0, 0).item())
      const rest = data.sizes.slice(1)
      const out = full([length * batch, ...rest], padding_value, { dtype: data.dtype })
      out.index_copy_(0, places(batch_sizes, length, batch, batch_first), data)
      const lengths = arange(batch).lt(batch_sizes.unsqueeze(1)).sum(0)
      return [out.view(...(batch_first ? [batch, length] : [length, batch]), ...rest), lengths]
    },
    saves: ['batch_sizes'],
    node: values => (values[2] === true ? 'TransposeBackward0' : 'CopySlices'),
    backward: {
      data: ([g], [, batch_sizes, batch_first]) => {
        const [length, batch] = batch_first ? [g!.size(1), g!.size(0)] : [g!.size(0), g!.size(1)]
        return rows_of(g!).index_select(0, places(batch_sizes, length, batch, batch_first))
      },
    },
    gradcheck: false, // lengths go with sizes: tested in test/nn/packing.test.ts
  },
)
