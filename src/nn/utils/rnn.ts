// torch.nn.utils.rnn: sequences of different lengths, padded or packed. Not here: what runs over them (modules/rnn.ts).
import { AssertionError, RuntimeError, ValueError } from '../../base/errors.ts'
import type { DeviceLike, DType, Tensor } from '../../torch.ts'
import * as torch from '../../torch.ts'
import { typename } from '../repr.ts'

/**
 * Sequences of different lengths without padding: the rows of all first elements, then those of all second ones, and so
 * on, longest sequence first. Recurrent modules take it and give one back. {@link pack_sequence} and
 * {@link pack_padded_sequence} make it.
 */
export class PackedSequence {
  /** (all rows, ...) */
  readonly data: Tensor
  /** How many rows there are of each step. */
  readonly batch_sizes: Tensor
  /** Where the sequences stood before they were sorted by length; null where they were not sorted. */
  readonly sorted_indices: Tensor | null
  /** The opposite permutation. */
  readonly unsorted_indices: Tensor | null

  constructor(
    data: Tensor | readonly [data: Tensor, batch_sizes: Tensor],
    batch_sizes: Tensor | null = null,
    sorted_indices: Tensor | null = null,
    unsorted_indices: Tensor | null = null,
  ) {
    if (batch_sizes !== null) {
      this.data = data as Tensor
      this.batch_sizes = batch_sizes
    } else {
      if (!Array.isArray(data) || data.length !== 2) throw new AssertionError('')
      ;[this.data, this.batch_sizes] = data as [Tensor, Tensor]
    }
    this.sorted_indices = sorted_indices
    this.unsorted_indices = unsorted_indices ?? invert_permutation(sorted_indices)
  }

  /** Converts the data; the same packed sequence where it is so already. */
  to(
    ...args: readonly (DType | DeviceLike | Tensor | { dtype?: DType; device?: DeviceLike })[]
  ): PackedSequence {
    const data = (this.data.to as (...args: readonly unknown[]) => Tensor).call(this.data, ...args)
    return data === this.data
      ? this
      : new PackedSequence(data, this.batch_sizes, this.sorted_indices, this.unsorted_indices)
  }

  double(): PackedSequence {
    return this.to(torch.float64)
  }
  float(): PackedSequence {
    return this.to(torch.float32)
  }
  half(): PackedSequence {
    return this.to(torch.float16)
  }
  long(): PackedSequence {
    return this.to(torch.int64)
  }
  int(): PackedSequence {
    return this.to(torch.int32)
  }
  short(): PackedSequence {
    return this.to(torch.int16)
  }
  char(): PackedSequence {
    return this.to(torch.int8)
  }
  byte(): PackedSequence {
    return this.to(torch.uint8)
  }
  cpu(): PackedSequence {
    return this.to('cpu')
  }
  /** Throws where there is no such device. */
  cuda(device: DeviceLike = 'cuda'): PackedSequence {
    return this.to(device)
  }

  get is_cuda(): boolean {
    return this.data.is_cuda
  }

  /** The four fields, as a tuple. */
  *[Symbol.iterator](): Iterator<Tensor | null> {
    yield* [this.data, this.batch_sizes, this.sorted_indices, this.unsorted_indices]
  }

  toString(): string {
    const { data, batch_sizes, sorted_indices, unsorted_indices } = this
    const fields = Object.entries({ data, batch_sizes, sorted_indices, unsorted_indices })
    return `PackedSequence(${fields.map(([name, x]) => `${name}=${x ?? 'None'}`).join(', ')})`
  }
}
torch._print_as(PackedSequence, self => self.toString())

/** The permutation that undoes `permutation`; null of null. */
export function invert_permutation<P extends Tensor | null>(permutation: P): P {
  if (permutation === null) return permutation
  const order = torch.arange(permutation.numel(), { dtype: permutation.dtype })
  return torch.empty_like(permutation).scatter_(0, permutation, order) as P & Tensor
}

type PackOptions = { batch_first?: boolean; enforce_sorted?: boolean }

/**
 * Packs a padded batch (T, B, ...), or with `batch_first` (B, T, ...), of sequences of the given lengths. They are to be sorted,
 * longest first, unless `enforce_sorted` is false: then they are sorted here. Gradients reach the padded batch.
 */
export function pack_padded_sequence(
  input: Tensor,
  lengths: Tensor | readonly number[],
  batch_first: boolean | PackOptions = false,
  enforce_sorted: boolean | PackOptions = true,
): PackedSequence {
  const options: PackOptions = {
    ...(typeof batch_first === 'boolean' ? { batch_first } : batch_first),
    ...(typeof enforce_sorted === 'boolean'
      ? typeof batch_first === 'boolean' && { enforce_sorted }
      : enforce_sorted),
  }
  const first = options.batch_first ?? false
  const given =
    lengths instanceof torch.Tensor
      ? (lengths as Tensor).to(torch.int64)
      : torch.tensor(
          lengths.map(n => Math.trunc(n)),
          { dtype: torch.int64 },
        )
  if (options.enforce_sorted ?? true)
    return new PackedSequence(torch._pack_padded_sequence(input, given, first))
  const { values, indices } = torch.sort(given, { descending: true })
  const sorted = input.index_select(first ? 0 : 1, indices)
  const [data, batch_sizes] = torch._pack_padded_sequence(sorted, values, first)
  return new PackedSequence(data, batch_sizes, indices)
}

type PadPackedOptions = { batch_first?: boolean; padding_value?: number; total_length?: number | null }

/**
 * The opposite of {@link pack_padded_sequence}: the padded batch (T, B, ...), or with `batch_first` (B, T, ...), and the lengths, in
 * the order from before packing. `total_length` pads to more steps than the longest sequence has.
 */
export function pad_packed_sequence(
  sequence: PackedSequence,
  batch_first: boolean | PadPackedOptions = false,
  padding_value: number | PadPackedOptions = 0,
  total_length: number | null | PadPackedOptions = null,
): [padded: Tensor, lengths: Tensor] {
  const options: PadPackedOptions = {}
  for (const [name, x] of Object.entries({ total_length, padding_value, batch_first }))
    Object.assign(options, x !== null && typeof x === 'object' ? x : { [name]: x })
  const { batch_first: first = false, padding_value: fill = 0, total_length: total = null } = options
  const longest = sequence.batch_sizes.size(0)
  if (total !== null && total < longest)
    throw new ValueError(
      `Expected total_length to be at least the length of the longest sequence in input, but got total_length=${total} and max sequence length being ${longest}`,
    )
  const { data, batch_sizes, unsorted_indices } = sequence
  const [padded, lengths] = torch._pad_packed_sequence(data, batch_sizes, first, fill, total ?? longest)
  if (unsorted_indices === null) return [padded, lengths]
  return [padded.index_select(first ? 0 : 1, unsorted_indices), lengths.index_select(0, unsorted_indices)]
}

/** Packs sequences (L_i, ...); see {@link pack_padded_sequence}. */
export function pack_sequence(
  sequences: readonly Tensor[],
  enforce_sorted: boolean | { enforce_sorted?: boolean } = true,
): PackedSequence {
  const options = typeof enforce_sorted === 'boolean' ? { enforce_sorted } : enforce_sorted
  return pack_padded_sequence(
    pad_sequence(sequences),
    sequences.map(s => s.size(0)),
    options,
  )
}

/** The sequences of a packed one, in the order from before packing. */
export function unpack_sequence(packed_sequences: PackedSequence): Tensor[] {
  const [padded, lengths] = pad_packed_sequence(packed_sequences, true)
  return unpad_sequence(padded, lengths, true)
}

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
