/**
 * Sizes and strides as arithmetic on plain arrays of numbers: what a view, a broadcast or a reshape does to them,
 * and PyTorch's errors where it cannot be done. Strides and offsets count elements.
 */

import { IndexError, RuntimeError } from './errors.ts'
import { print_as } from './inspect.ts'

/** The number of elements: 1 for no dimensions. */
export function numel(sizes: readonly number[]): number {
  let n = 1
  for (const size of sizes) n *= size
  return n
}

/** Row-major strides. A dimension of size 0 counts as 1, as in PyTorch. */
export function contiguous_strides(sizes: readonly number[]): number[] {
  const strides = new Array<number>(sizes.length)
  let stride = 1
  for (let d = sizes.length - 1; d >= 0; d--) {
    strides[d] = stride
    stride *= Math.max(sizes[d] as number, 1)
  }
  return strides
}

/** Whether the elements lie in row-major order without gaps. Strides of size-1 dimensions and of nothing do not count. */
export function is_contiguous(sizes: readonly number[], strides: readonly number[]): boolean {
  let expected = 1
  let dense = true
  for (let d = sizes.length - 1; d >= 0; d--) {
    const size = sizes[d] as number
    if (size === 0) return true
    if (size === 1) continue
    if (strides[d] !== expected) dense = false
    expected *= size
  }
  return dense
}

/** Whether the elements fill a block of memory, each once, in some order of the dimensions. */
export function non_overlapping_and_dense(sizes: readonly number[], strides: readonly number[]): boolean {
  if (sizes.includes(0)) return true
  const dims = [...sizes.keys()].filter(d => sizes[d] !== 1)
  dims.sort((a, b) => (strides[a] as number) - (strides[b] as number))
  let expected = 1
  for (const d of dims) {
    if (strides[d] !== expected) return false
    expected *= sizes[d] as number
  }
  return true
}

/**
 * Strides without gaps or repeats that keep the dimensions in the order in which `strides` has them in memory: what a
 * new tensor gets that is to be like another. Strides that are so already are kept; repeated dimensions (stride 0)
 * stay where they stand.
 */
export function ordered_strides(sizes: readonly number[], strides: readonly number[]): number[] {
  if (non_overlapping_and_dense(sizes, strides)) return [...strides]
  const order: number[] = []
  const outside = (a: number, b: number): boolean =>
    strides[a] !== 0 && strides[b] !== 0 && (strides[a] as number) > (strides[b] as number)
  for (let d = 0; d < sizes.length; d++) {
    let at = order.length
    while (at > 0 && outside(d, order[at - 1] as number)) at--
    order.splice(at, 0, d)
  }
  const packed = contiguous_strides(order.map(d => sizes[d] as number))
  const result = new Array<number>(sizes.length)
  order.forEach((d, i) => {
    result[d] = packed[i] as number
  })
  return result
}

export function same_sizes(a: readonly number[], b: readonly number[]): boolean {
  if (a === b) return true
  if (a.length !== b.length) return false
  for (let d = 0; d < a.length; d++) if (a[d] !== b[d]) return false
  return true
}

// ---------------------------------------------------------------------------------------------- dimensions

/** `dim` counted from the front. 0-dim tensors have dimensions -1 and 0. Throws IndexError out of range. */
export function wrap_dim(dim: number, ndim: number): number {
  const n = Math.max(ndim, 1)
  if (!(dim >= -n && dim < n)) {
    throw new IndexError(
      `Dimension out of range (expected to be in range of [${-n}, ${n - 1}], but got ${dim})`,
    )
  }
  return dim < 0 ? dim + n : dim
}

/** Each of `dims` counted from the front, in the order given. Throws RuntimeError where one is given twice. */
export function wrap_dims(dims: readonly number[], ndim: number): number[] {
  const wrapped: number[] = []
  for (const given of dims) {
    const dim = wrap_dim(given, ndim)
    if (wrapped.includes(dim)) throw new RuntimeError(`dim ${dim} appears multiple times in the list of dims`)
    wrapped.push(dim)
  }
  return wrapped
}

// ---------------------------------------------------------------------------------------------- broadcasting

/** The sizes that all shapes broadcast to, aligned at the last dimension. Throws RuntimeError where they do not. */
export function broadcast_sizes(...shapes: (readonly number[])[]): number[] {
  let result: number[] = []
  for (const shape of shapes) result = broadcast_pair(result, shape)
  return result
}

function broadcast_pair(a: readonly number[], b: readonly number[]): number[] {
  const ndim = Math.max(a.length, b.length)
  const result = new Array<number>(ndim)
  for (let d = ndim - 1; d >= 0; d--) {
    const size_a = a[d - ndim + a.length] ?? 1
    const size_b = b[d - ndim + b.length] ?? 1
    if (size_a !== size_b && size_a !== 1 && size_b !== 1) {
      throw new RuntimeError(
        `The size of tensor a (${size_a}) must match the size of tensor b (${size_b}) at non-singleton dimension ${d}`,
      )
    }
    result[d] = size_a === 1 ? size_b : size_a
  }
  return result
}

/** `to` with each -1 replaced by the tensor's own size there: the sizes that `expand` gives. */
export function expand_sizes(sizes: readonly number[], to: readonly number[]): number[] {
  const added = to.length - sizes.length
  return to.map((size, d) => (size === -1 && d >= added ? (sizes[d - added] as number) : size))
}

/**
 * The strides that show a tensor as `to`, as `expand` does: 0 where a dimension is repeated. In `to`, -1 keeps a size.
 * Throws expand's own RuntimeError; `tensor_type` is for its text.
 */
export function expand_strides(
  sizes: readonly number[],
  strides: readonly number[],
  to: readonly number[],
  tensor_type = 'FloatTensor',
): number[] {
  const added = to.length - sizes.length
  if (added < 0) {
    throw new RuntimeError(
      `expand(torch.${tensor_type}{${list(sizes)}}, size=${list(to)}): the number of sizes provided (${to.length}) ` +
        `must be greater or equal to the number of dimensions in the tensor (${sizes.length})`,
    )
  }
  const expanded = expand_sizes(sizes, to)
  const result = new Array<number>(to.length)
  for (let d = to.length - 1; d >= 0; d--) {
    const target = to[d] as number
    if (d < added) {
      if (target < 0) {
        throw new RuntimeError(
          `The expanded size of the tensor (${target}) isn't allowed in a leading, non-existing dimension ${d}`,
        )
      }
      // PyTorch gives a new dimension of size 1 the stride that it would have in a contiguous tensor, but 0 to all
      // of a 0-dim tensor's.
      const inner = d === to.length - 1 ? 1 : (expanded[d + 1] as number) * (result[d + 1] as number)
      result[d] = target !== 1 || sizes.length === 0 ? 0 : inner
      continue
    }
    const size = sizes[d - added] as number
    if (target === -1 || target === size) {
      result[d] = strides[d - added] as number
    } else if (size === 1 && target >= 0) {
      result[d] = 0
    } else {
      throw new RuntimeError(
        `The expanded size of the tensor (${target}) must match the existing size (${size}) at non-singleton ` +
          `dimension ${d}.  Target sizes: ${list(to)}.  Tensor sizes: ${list(sizes)}`,
      )
    }
  }
  return result
}

// ---------------------------------------------------------------------------------------------- reshaping

/** `sizes` for `n` elements with its one -1 filled in. Throws RuntimeError where the elements do not fit. */
export function infer_size(sizes: readonly number[], n: number): number[] {
  let known = 1
  let inferred = -1
  for (let d = 0; d < sizes.length; d++) {
    const size = sizes[d] as number
    if (size === -1) {
      if (inferred >= 0) throw new RuntimeError('only one dimension can be inferred')
      inferred = d
    } else if (size >= 0) {
      known *= size
    } else {
      throw new RuntimeError(`invalid shape dimension ${size}`)
    }
  }
  if (n !== known && !(inferred >= 0 && known > 0 && n % known === 0)) {
    throw new RuntimeError(`shape '${list(sizes)}' is invalid for input of size ${n}`)
  }
  const result = [...sizes]
  if (inferred >= 0) {
    if (known === 0) {
      throw new RuntimeError(
        `cannot reshape tensor of 0 elements into shape ${list(sizes)} because the unspecified dimension size -1 ` +
          'can be any value and is ambiguous',
      )
    }
    result[inferred] = n / known
  }
  return result
}

/**
 * The strides that show the same elements as `new_sizes`, or null where that needs a copy. `new_sizes` holds no -1
 * and as many elements. Runs of dimensions that are contiguous with one another can be cut anew, across runs not.
 */
export function view_strides(
  sizes: readonly number[],
  strides: readonly number[],
  new_sizes: readonly number[],
): number[] | null {
  if (sizes.length === 0) return new_sizes.map(() => 1)
  if (sizes.includes(0)) return same_sizes(sizes, new_sizes) ? [...strides] : contiguous_strides(new_sizes)
  const result = new Array<number>(new_sizes.length)
  let v = new_sizes.length - 1
  let base = strides[sizes.length - 1] as number
  let run = 1
  for (let d = sizes.length - 1; d >= 0; d--) {
    run *= sizes[d] as number
    if (d > 0 && (sizes[d - 1] === 1 || strides[d - 1] === run * base)) continue
    // A run of the old dimensions ends here: the new ones have to use it up exactly.
    let taken = 1
    for (; v >= 0 && (taken < run || new_sizes[v] === 1); v--) {
      result[v] = taken * base
      taken *= new_sizes[v] as number
    }
    if (taken !== run) return null
    if (d > 0) base = strides[d - 1] as number
    run = 1
  }
  return v < 0 ? result : null
}

// ---------------------------------------------------------------------------------------------- memory

/** The lowest and highest element offset that is touched, from the tensor's first element. Of nothing: max is -1. */
export function extent(sizes: readonly number[], strides: readonly number[]): { min: number; max: number } {
  let min = 0
  let max = 0
  for (let d = 0; d < sizes.length; d++) {
    const size = sizes[d] as number
    if (size === 0) return { min: 0, max: -1 }
    const reach = (size - 1) * (strides[d] as number)
    if (reach < 0) min += reach
    else max += reach
  }
  return { min, max }
}

/** Sizes and, for each operand, strides of a common iteration space. */
export interface IterationSpace {
  readonly sizes: number[]
  readonly strides_list: number[][]
}

/**
 * The same iteration over several operands with as few dimensions as possible: drops dimensions of size 1, merges
 * neighbours that every operand steps through as one, and (unless `reorder` is false) first puts the dimensions in
 * descending order of stride, the first operand deciding, a later one where it does not (stride 0). That changes the
 * order in which elements are visited: right for pointwise work, which has none. Nothing to do gives sizes [0].
 */
export function coalesce(
  sizes: readonly number[],
  strides_list: readonly (readonly number[])[],
  reorder = true,
): IterationSpace {
  if (sizes.includes(0)) return { sizes: [0], strides_list: strides_list.map(() => [0]) }
  const dims: number[] = []
  for (let d = 0; d < sizes.length; d++) {
    if (sizes[d] === 1) continue
    let at = dims.length
    if (reorder) while (at > 0 && steps_further(d, dims[at - 1] as number, sizes, strides_list)) at--
    dims.splice(at, 0, d)
  }
  const out: IterationSpace = { sizes: [], strides_list: strides_list.map(() => []) }
  for (const d of dims) {
    const size = sizes[d] as number
    const last = out.sizes.length - 1
    const merges =
      last >= 0 && strides_list.every((s, k) => out.strides_list[k]?.[last] === size * (s[d] as number))
    if (merges) out.sizes[last] = (out.sizes[last] as number) * size
    else out.sizes.push(size)
    const at = out.sizes.length - 1
    strides_list.forEach((s, k) => {
      const merged = out.strides_list[k] as number[]
      merged[at] = s[d] as number
    })
  }
  return out
}

// Whether dimension `a` belongs outside of `b`, which is outside of it so far.
function steps_further(
  a: number,
  b: number,
  sizes: readonly number[],
  strides_list: readonly (readonly number[])[],
): boolean {
  for (const strides of strides_list) {
    const stride_a = Math.abs(strides[a] as number)
    const stride_b = Math.abs(strides[b] as number)
    if (stride_a === 0 || stride_b === 0) continue
    if (stride_a !== stride_b) return stride_a > stride_b
    if ((sizes[a] as number) !== (sizes[b] as number)) return (sizes[a] as number) < (sizes[b] as number)
  }
  return false
}

// ---------------------------------------------------------------------------------------------- printing, torch.Size

function list(sizes: readonly number[]): string {
  return `[${sizes.join(', ')}]`
}

/** 'torch.Size([2, 3])' */
export function size_repr(sizes: readonly number[]): string {
  return `torch.Size(${list(sizes)})`
}

/**
 * `torch.Size`: an array of sizes that prints as PyTorch's does and stays a Size when sliced or joined.
 * JavaScript has no operators on it: `a.equals([2, 3])` for `==`, `a.concat([1])` for `+`, `a.at(-1)` for `a[-1]`.
 */
export class Size extends Array<number> {
  // map and filter give plain arrays: what they compute need not be sizes.
  static override get [Symbol.species](): ArrayConstructor {
    return Array
  }

  constructor(sizes: Iterable<number> = []) {
    super()
    for (const size of sizes) {
      if (!Number.isInteger(size)) {
        const type = typeof size === 'number' ? 'float' : typeof size
        throw new TypeError(`torch.Size() takes an iterable of 'int' (item ${this.length} is '${type}')`)
      }
      this.push(size)
    }
  }

  /** The number of elements of a tensor of this size. */
  numel(): number {
    return numel(this)
  }

  /** Whether `other` holds the same sizes. */
  equals(other: readonly number[]): boolean {
    return same_sizes(this, other)
  }

  override slice(start?: number, end?: number): Size {
    return new Size(super.slice(start, end))
  }

  override concat(...items: (number | ConcatArray<number>)[]): Size {
    return new Size(super.concat(...items))
  }

  override toString(): string {
    return size_repr(this)
  }
}

print_as(Size, self => size_repr(self))

/** Whether some element is reached by two indices. */
export function overlaps(sizes: readonly number[], strides: readonly number[]): boolean {
  if (sizes.includes(0)) return false
  const dims = [...sizes.keys()]
    .filter(d => sizes[d] !== 1)
    .sort((a, b) => Math.abs(strides[a]!) - Math.abs(strides[b]!))
  let reach = 0
  for (const d of dims) {
    const stride = Math.abs(strides[d]!)
    if (stride <= reach) return true
    reach += stride * (sizes[d]! - 1)
  }
  return false
}

/** The offset of a diagonal of an m x n matrix; those beyond the matrix are all the same. */
export const clip_diagonal = (offset: number, m: number, n: number): number =>
  Math.min(Math.max(offset, -m - 1), n + 1)
