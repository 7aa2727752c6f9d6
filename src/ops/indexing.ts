// Index syntax: what a list of indices makes of a tensor, for x.at and index_put. Integers, slices and null give views;
// tensors and lists gather. Not here: the ops (at.ts, index_put.ts), the kernels (advanced_index.ts, masked.ts).
import { bool, int64, uint8 } from '../base/dtype.ts'
import { IndexError, ValueError } from '../base/errors.ts'
import { print_as } from '../base/inspect.ts'
import { empty } from '../tensor/dispatch.ts'
import { tensor_from } from '../tensor/from_data.ts'
import { type_name } from '../tensor/schema.ts'
import { alias, Tensor } from '../tensor/tensor.ts'
import { to_dtype } from './convert.ts'
import { nonzero_rows } from './masks.ts'
import { slice as slice_op } from './slice_view.ts'
import { select, unsqueeze } from './views.ts'

/** A range of a dimension in an index: `x.at(torch.slice(1, 3))` is `x.at('1:3')`. */
export class Slice {
  readonly start: number | null
  readonly stop: number | null
  readonly step: number | null

  constructor(start: number | null, stop: number | null, step: number | null) {
    this.start = start
    this.stop = stop
    this.step = step
  }

  toString(): string {
    return `slice(${[this.start, this.stop, this.step].map(n => n ?? 'None').join(', ')})`
  }
}

print_as(Slice, self => self.toString())

/** A list of integers or booleans, nested to any depth: an index tensor written out. */
export type IndexList = readonly (number | bigint | boolean | IndexList)[]

/**
 * One index: an integer; a slice, as text ('1:3', '::2', ':') or made by `torch.slice`; '...' for all dimensions
 * that no other index takes; null for a new dimension; a mask (boolean or uint8); a tensor or list of integers.
 */
export type Index = number | bigint | boolean | null | string | Slice | Tensor | IndexList

const ELLIPSIS = '...'
const RANGE = /^\s*(-?\d+)?\s*:\s*(-?\d+)?\s*(?::\s*(-?\d+)?\s*)?$/

const invalid = (what: string): IndexError =>
  new IndexError(
    `only integers, slices (\`:\`), ellipsis (\`...\`), None and long or byte Variables are valid indices (got ${what})`,
  )

type Parsed = number | boolean | null | typeof ELLIPSIS | Slice | Tensor

function parse(index: unknown): Parsed {
  if (typeof index === 'number') {
    if (!Number.isInteger(index)) throw invalid('float')
    return index
  }
  if (typeof index === 'bigint') return Number(index)
  if (typeof index === 'boolean' || index === null || index instanceof Slice) return index
  if (typeof index === 'string') {
    if (index.trim() === ELLIPSIS) return ELLIPSIS
    const match = RANGE.exec(index)
    if (match === null) throw invalid(`'${index}'`)
    const [start, stop, step] = match.slice(1).map(n => (n === undefined ? null : Number(n)))
    return new Slice(start!, stop!, step!)
  }
  if (index instanceof Tensor) return parse_tensor(index)
  if (Array.isArray(index))
    return parse_tensor(index.length === 0 ? empty([0], int64) : tensor_from(index, null))
  throw invalid(index === undefined ? 'undefined' : type_name(index))
}

/** One integer or boolean is what it holds; others stay tensors, masks as bools. */
function parse_tensor(index: Tensor): Parsed {
  const { dtype } = index
  if (dtype.is_floating_point || dtype.is_complex)
    throw new IndexError('tensors used as indices must be long, byte or bool tensors')
  const is_mask = dtype === bool || dtype === uint8
  if (index.sizes.length === 0) return is_mask ? Boolean(index.item()) : Number(index.item())
  return is_mask ? to_dtype(index, bool) : index
}

/** What basic indices make of a tensor, and the index tensors that remain, by dimension. */
type Applied = { view: Tensor; tensors: Map<number, Tensor> }

const width = (index: Parsed): number => {
  if (index instanceof Tensor) return index.dtype === bool ? index.sizes.length : 1
  return typeof index === 'number' || index instanceof Slice ? 1 : 0
}

export function apply(self: Tensor, given: readonly unknown[]): Applied {
  const indices = given.map(parse)
  const taken = indices.reduce<number>((n, index) => n + width(index), 0)
  const ndim = self.sizes.length
  if (ndim === 0 && indices.length === 1 && typeof indices[0] === 'number')
    throw new IndexError(
      'invalid index of a 0-dim tensor. Use `tensor.item()` in Python or `tensor.item<T>()` in C++ to convert a 0-dim tensor to a number',
    )
  if (ndim === 0 && indices.length === 1 && indices[0] instanceof Slice)
    throw new IndexError('slice() cannot be applied to a 0-dim tensor.')
  if (taken > ndim) throw new IndexError(`too many indices for tensor of dimension ${ndim}`)
  const tensors = new Map<number, Tensor>()
  let view = self
  let dim = 0
  let seen = 0
  for (const index of indices) {
    if (typeof index === 'number') view = pick(view, dim, index, seen)
    else if (index === ELLIPSIS) {
      dim += ndim - taken
      seen += ndim - taken
    } else if (index === null) view = unsqueeze(view, dim++)
    else if (typeof index === 'boolean') {
      view = unsqueeze(view, dim)
      tensors.set(dim++, empty([index ? 1 : 0], int64))
    } else if (index instanceof Slice) view = range(view, dim++, index)
    else {
      tensors.set(dim, index)
      dim += width(index)
    }
    seen += width(index)
  }
  return { view, tensors }
}

function pick(view: Tensor, dim: number, index: number, position: number): Tensor {
  const n = view.sizes[dim]!
  if (index < -n || index >= n)
    throw new IndexError(`index ${index} is out of bounds for dimension ${position} with size ${n}`)
  return select(view, dim, index)
}

function range(view: Tensor, dim: number, { start, stop, step }: Slice): Tensor {
  if (step === 0) throw new ValueError('slice step cannot be zero')
  if (step !== null && step < 0) throw new ValueError('step must be greater than zero')
  return slice_op(view, dim, start, stop, step ?? 1)
}

/** Index tensors of integers, with the dimensions they are for; a mask becomes one for each of its dimensions. */
export function integers({ view, tensors }: Applied): { indices: Tensor[]; dims: number[] } {
  const indices: Tensor[] = []
  const dims: number[] = []
  for (const [dim, t] of tensors) {
    if (t.dtype !== bool) {
      indices.push(t)
      dims.push(dim)
      continue
    }
    check_mask(t, view, dim)
    const rows = nonzero_rows(t)
    t.sizes.forEach((_, d) => {
      indices.push(alias(rows, [rows.sizes[0]!], [rows.strides[0]!], rows.offset + d))
      dims.push(dim + d)
    })
  }
  return { indices, dims }
}

export function check_mask(mask: Tensor, view: Tensor, dim: number): void {
  const wrong = mask.sizes.findIndex((n, d) => n !== view.sizes[dim + d])
  if (wrong >= 0)
    throw new IndexError(
      `The shape of the mask [${mask.sizes.join(', ')}] at index ${wrong} does not match the shape of the indexed tensor [${view.sizes.join(', ')}] at index ${dim + wrong}`,
    )
}
