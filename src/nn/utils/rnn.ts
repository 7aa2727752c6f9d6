// torch.nn.utils.rnn: sequences of different lengths. Not here: packed sequences.
import { RuntimeError } from '../../base/errors.ts'
import type { Tensor } from '../../torch.ts'
import * as torch from '../../torch.ts'
import { typename } from '../repr.ts'

type PadOptions = { batch_first?: boolean; padding_value?: number }

/**
 * Stacks tensors (L_i, ...) of different lengths to (longest, N, ...), or with `batch_first` to (N, longest, ...); what is
 * missing is `padding_value`.
 */
export function pad_sequence(
  sequences: readonly Tensor[],
  batch_first: boolean | PadOptions = false,
  padding_value = 0,
): Tensor {
  const options = typeof batch_first === 'boolean' ? { batch_first, padding_value } : batch_first
  if (sequences === null || typeof sequences !== 'object' || !(Symbol.iterator in sequences))
    throw new RuntimeError(
      `pad_sequence: Expected iterable for input sequences, but got arg of type: <class '${typename(sequences)}'>`,
    )
  const list = [...sequences]
  if (list.length === 0) throw new RuntimeError('received an empty list of sequences')
  const [first] = list as [Tensor]
  const longest = Math.max(...list.map(t => t.size(0)))
  const fill = options.padding_value ?? 0
  const padded = list.map(t => {
    const missing = longest - t.size(0)
    return missing === 0
      ? t
      : torch.cat([t, torch.full([missing, ...first.shape.slice(1)], fill, { dtype: t.dtype })])
  })
  return torch.stack(padded, (options.batch_first ?? false) ? 0 : 1)
}

/** The opposite of {@link pad_sequence}: the sequences of the given lengths. */
export function unpad_sequence(
  padded: Tensor,
  lengths: Tensor | readonly number[],
  batch_first: boolean | { batch_first?: boolean } = false,
): Tensor[] {
  const first = typeof batch_first === 'boolean' ? batch_first : (batch_first.batch_first ?? false)
  const rows = first ? padded : padded.transpose(0, 1)
  const sizes = lengths instanceof torch.Tensor ? (lengths.tolist() as number[]) : lengths
  return rows.unbind(0).map((row, i) => row.narrow(0, 0, Number(sizes[i])))
}
