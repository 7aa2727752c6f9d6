// `torch.cpu`: what memory the tensors of this process take, under the names of torch.cuda's functions. The figures are
// V8's own: the bytes of all buffers outside of its heap, Node's included, and of tensors that died but were not yet
// collected. Peaks are seen before each collection, at latest after 64 MB of new large results.
// Not here: when memory is collected (device/collection.ts).
import { RuntimeError } from '../base/errors.ts'
import { held_bytes, peak_bytes, reset_peak } from '../device/collection.ts'
import { pooled_bytes } from '../device/pool.ts'

export * as amp from './cpu_amp.ts'

/** Bytes: `allocated` is what tensors take, `reserved` has the blocks in addition that wait to be used again. */
export type MemoryStats = {
  readonly 'allocated_bytes.all.current': number
  readonly 'allocated_bytes.all.peak': number
  readonly 'reserved_bytes.all.current': number
  readonly 'reserved_bytes.all.peak': number
}

/** Figures of the CPU's memory, with the keys of `torch.cuda.memory_stats`. Throws RuntimeError outside of Node. */
export function memory_stats(): MemoryStats {
  const held = held_bytes()
  if (held === null) throw new RuntimeError('memory statistics are available under Node.js only')
  const peak = peak_bytes()
  return {
    'allocated_bytes.all.current': held - pooled_bytes(),
    'allocated_bytes.all.peak': peak,
    'reserved_bytes.all.current': held,
    'reserved_bytes.all.peak': peak,
  }
}

/** The bytes that tensors take now; those that died count until they are collected. */
export const memory_allocated = (): number => memory_stats()['allocated_bytes.all.current']

/** The most bytes since the start, or since {@link reset_peak_memory_stats}, with blocks that waited to be used again. */
export const max_memory_allocated = (): number => memory_stats()['allocated_bytes.all.peak']

/** The bytes that are held now: those of tensors, and of blocks that wait to be used again. */
export const memory_reserved = (): number => memory_stats()['reserved_bytes.all.current']

/** The most bytes that were held. */
export const max_memory_reserved = (): number => memory_stats()['reserved_bytes.all.peak']

/** Begins new peaks with what is held now. */
export const reset_peak_memory_stats = (): void => reset_peak()
