// `torch.layout` and `torch.memory_format`: how elements lie in memory. A memory format names strides: row-major, those that
// a tensor has, or channels last (the order of images with interleaved channels). Not here: strides in general (shape.ts).
import { RuntimeError } from './errors.ts'
import { print_as } from './inspect.ts'
import { contiguous_strides, is_contiguous } from './shape.ts'

/** How a tensor is stored; all are strided. */
export class layout {
  readonly name: string
  constructor(name: string) {
    this.name = name
  }
  toString(): string {
    return `torch.${this.name}`
  }
}
print_as(layout, self => self.toString())

/** An order of elements in memory. Its name may be given instead. */
export class memory_format {
  readonly name: FormatName
  constructor(name: FormatName) {
    this.name = name
  }
  toString(): string {
    return `torch.${this.name}`
  }
}
print_as(memory_format, self => self.toString())

export type FormatName = 'contiguous_format' | 'preserve_format' | 'channels_last' | 'channels_last_3d'
/** What functions take as `memory_format`. */
export type MemoryFormat = memory_format | FormatName

/** Elements at offsets that are sums of an index times a stride for each dimension. */
export const strided: layout = new layout('strided')
/** Row-major. */
export const contiguous_format: memory_format = new memory_format('contiguous_format')
/** The order that the tensor has which is copied. */
export const preserve_format: memory_format = new memory_format('preserve_format')
/** (N, C, H, W) stored as (N, H, W, C). */
export const channels_last: memory_format = new memory_format('channels_last')
/** (N, C, D, H, W) stored as (N, D, H, W, C). */
export const channels_last_3d: memory_format = new memory_format('channels_last_3d')

const formats = [contiguous_format, preserve_format, channels_last, channels_last_3d]

/** The name of a format. Throws TypeError for what is none. */
export function format_name(format: unknown): FormatName {
  const found = formats.find(f => f === format || f.name === format)
  if (found === undefined)
    throw new TypeError(`argument 'memory_format' must be torch.memory_format, not ${typeof format}`)
  return found.name
}

const ranks: Readonly<Partial<Record<FormatName, number>>> = { channels_last: 4, channels_last_3d: 5 }

/** Strides of the sizes in channels-last order. */
function last_strides(sizes: readonly number[]): number[] {
  const [n, c, ...space] = sizes as [number, number, ...number[]]
  const [of_batch, ...of_space] = contiguous_strides([n, ...space, c])
  return [of_batch!, 1, ...of_space.slice(0, -1)]
}

/** The strides that a format asks for; null for 'preserve_format'. Throws RuntimeError for another rank. */
export function format_strides(format: FormatName, sizes: readonly number[]): number[] | null {
  if (format === 'preserve_format') return null
  const rank = ranks[format]
  if (rank === undefined) return contiguous_strides(sizes)
  if (sizes.length !== rank) throw new RuntimeError(`required rank ${rank} tensor to use ${format} format`)
  return last_strides(sizes)
}

/** Whether the elements lie as a format has it. */
export function has_format(
  format: FormatName,
  sizes: readonly number[],
  strides: readonly number[],
): boolean {
  if (format === 'preserve_format')
    throw new RuntimeError('preserve memory format is unsupported by the contiguous operator')
  const rank = ranks[format]
  if (rank === undefined) return is_contiguous(sizes, strides)
  if (sizes.length !== rank) return false
  const moved = (list: readonly number[]): number[] => [list[0]!, ...list.slice(2), list[1]!]
  return is_contiguous(moved(sizes), moved(strides))
}
