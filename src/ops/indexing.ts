// Index syntax: x.at(0, '1:3'), x.at('...', null), x.at(mask), x.at(rows, columns), and writing by the same indices
// with index_put_. Integers, slices and null give views; tensors and lists gather. Not here: the kernels
// (advanced_index.ts, masked.ts).
import { bool, int64, is_plain_number, uint8 } from '../base/dtype.ts'
import { IndexError, ValueError } from '../base/errors.ts'
import { print_as } from '../base/inspect.ts'
import { same_sizes } from '../base/shape.ts'
import type { Expr } from '../ir/expr.ts'
import { empty } from '../tensor/dispatch.ts'
import { tensor_from } from '../tensor/from_data.ts'
import { bind_one, parse_schema, type Schema, type_name } from '../tensor/schema.ts'
import { alias, Tensor } from '../tensor/tensor.ts'
import { index as gather_at, put_at, put_at_ } from './advanced_index.ts'
import { to_dtype } from './convert.ts'
import { in_place } from './define/inplace.ts'
import { make_op, type Op } from './define/op.ts'
import { type Number, pointwise } from './define/pointwise.ts'
import { make_view } from './define/view.ts'
import { fill_args, nonzero_rows } from './masked.ts'
import { select, slice as slice_op, unsqueeze } from './views.ts'

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

type Bound = number | bigint | Tensor | null

/** Python's slice: `slice(stop)` or `slice(start, stop, step)`; null leaves a bound open. */
export function slice(stop: Bound): Slice
export function slice(start: Bound, stop: Bound, step?: Bound): Slice
export function slice(...args: (Bound | undefined)[]): Slice {
  const [start, stop, step] = args.length === 1 ? [null, args[0], null] : args
  return new Slice(bound(start), bound(stop), bound(step))
}

function bound(x: Bound | undefined): number | null {
  if (x === null || x === undefined) return null
  const n = Number(x instanceof Tensor ? x.item() : x)
  if (!Number.isInteger(n))
    throw new TypeError('slice indices must be integers or None or have an __index__ method')
  return n
}

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

/** An index list holds integers and booleans only; anything else in an array means several indices. */
const is_index_list = (x: unknown): boolean =>
  Array.isArray(x)
    ? x.every(is_index_list)
    : typeof x === 'number' || typeof x === 'bigint' || typeof x === 'boolean'

/** Arguments of `at`: several indices, one, or a list of several. */
const unpack = (given: readonly unknown[]): readonly unknown[] =>
  given.length === 1 && Array.isArray(given[0]) && !is_index_list(given[0]) ? given[0] : given

/** What basic indices make of a tensor, and the index tensors that remain, by dimension. */
type Applied = { view: Tensor; tensors: Map<number, Tensor> }

const width = (index: Parsed): number => {
  if (index instanceof Tensor) return index.dtype === bool ? index.sizes.length : 1
  return typeof index === 'number' || index instanceof Slice ? 1 : 0
}

function apply(self: Tensor, given: readonly unknown[]): Applied {
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
function integers({ view, tensors }: Applied): { indices: Tensor[]; dims: number[] } {
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

function check_mask(mask: Tensor, view: Tensor, dim: number): void {
  const wrong = mask.sizes.findIndex((n, d) => n !== view.sizes[dim + d])
  if (wrong >= 0)
    throw new IndexError(
      `The shape of the mask [${mask.sizes.join(', ')}] at index ${wrong} does not match the shape of the indexed tensor [${view.sizes.join(', ')}] at index ${dim + wrong}`,
    )
}

/**
 * Python's `x[...]`: `x.at(0)`, `x.at(':', -1)`, `x.at('1:3', null)`, `x.at(mask)`, `x.at(rows, columns)`. Integers,
 * slices, null and '...' give a view, masks, tensors and lists of integers a copy. Throws IndexError.
 */
export const at: Op<[self: Tensor, ...indices: readonly (Index | readonly Index[])[]]> = make_op(
  (self: Tensor, ...given: readonly (Index | readonly Index[])[]) => {
    const applied = apply(self, unpack(given))
    const { view, tensors } = applied
    if (tensors.size === 0) return view === self ? make_view(self, self, 'AliasBackward0', g => g) : view
    const { indices, dims } = integers(applied)
    return gather_at(view, indices, dims)
  },
  { name: 'at', schemas: [], samples: undefined, differentiable: true },
)

const fill_mask_ = in_place(
  pointwise<[self: Tensor, mask: Tensor, value: Tensor | Number], [Expr, Expr, Expr]>(
    'index_put(Tensor self, Tensor mask, Tensor value)',
    { forward: (self, mask, value) => mask.ne(0).where(value, self) },
  ) as unknown as Op<[self: Tensor, mask: Tensor, value: Tensor | Number]>,
)

type Value = Tensor | Number
type Accumulate = boolean | { accumulate?: boolean }

/** `value` in the sizes of a view that it is to be written to. */
function fitted(value: Tensor, { sizes }: Tensor): Tensor {
  const fit = without_leading_ones(value, sizes.length)
  return same_sizes(fit.sizes, sizes) ? fit : fit.expand(sizes)
}

/** Writes `value` at the indices of `self`. */
function assign(self: Tensor, given: readonly unknown[], value: unknown, accumulate: boolean): void {
  if (!(value instanceof Tensor) && !is_plain_number(value))
    throw new TypeError(`can't assign a ${type_name(value)} to a torch.${self.dtype.tensor_type}`)
  const applied = apply(self, given)
  const { view, tensors } = applied
  if (tensors.size === 0) {
    if (accumulate) view.add_(value)
    else if (value instanceof Tensor) view.copy_(fitted(value, view))
    else view.fill_(value)
    return
  }
  const [first] = tensors
  const [dim, mask] = first!
  const one = value instanceof Tensor ? value.count === 1 : true
  if (tensors.size === 1 && mask.dtype === bool && one && !accumulate) {
    check_mask(mask, view, dim)
    const rest = view.sizes.slice(dim + mask.sizes.length).map(() => 1)
    fill_mask_(
      ...fill_args(
        view,
        mask.reshape([...mask.sizes, ...rest]),
        value instanceof Tensor ? value.reshape([]) : value,
      ),
    )
    return
  }
  const { indices, dims } = integers(applied)
  const source = value instanceof Tensor ? value : tensor_from(value, self.dtype)
  put_at_(
    view,
    indices,
    without_leading_ones(source, view.sizes.length - dims.length + widest(indices)),
    dims,
    accumulate,
  )
}

const widest = (indices: readonly Tensor[]): number => Math.max(...indices.map(i => i.sizes.length))

/** A value may have dimensions of size 1 in front of those of the place it goes to. */
function without_leading_ones(value: Tensor, ndim: number): Tensor {
  let drop = 0
  while (value.sizes.length - drop > ndim && value.sizes[drop] === 1) drop++
  return drop === 0 ? value : value.reshape(value.sizes.slice(drop))
}

const put_schema = (name: string): Schema =>
  parse_schema(`${name}(Tensor self, any? indices, any values, bool accumulate=False)`)
const index_put_schema = put_schema('index_put')
const index_put_in_place_schema = put_schema('index_put_')

function bind_put(schema: Schema, args: readonly unknown[]): [Tensor, readonly unknown[], unknown, boolean] {
  const [self, indices, values, accumulate] = bind_one(schema, args) as [Tensor, unknown, unknown, boolean]
  return [self, Array.isArray(indices) ? indices : [indices], values, accumulate]
}

type PutArgs = [self: Tensor, indices: Index | readonly Index[], values: Value, accumulate?: Accumulate]

/**
 * Python's `x[...] = value`: `x.index_put_([0, '1:3'], value)` writes a number or a tensor (broadcast) where the
 * list of indices, as for `at`, says. With `accumulate` values are added, also several to one place.
 */
export const index_put_: Op<PutArgs> = make_op(
  (...args: PutArgs) => {
    const [self, indices, values, accumulate] = bind_put(index_put_in_place_schema, args)
    assign(self, indices, values, accumulate)
    return self
  },
  { name: 'index_put_', schemas: [], samples: undefined, differentiable: false },
)

/** A copy with `values` written by {@link index_put_}. */
export const index_put: Op<PutArgs> = make_op(
  (...args: PutArgs) => {
    const [self, indices, values, accumulate] = bind_put(index_put_schema, args)
    const applied = apply(self, indices)
    if (applied.view !== self || applied.tensors.size === 0 || !(values instanceof Tensor)) {
      const out = self.clone()
      assign(out, indices, values, accumulate)
      return out
    }
    const { indices: positions, dims } = integers(applied)
    return put_at(self, positions, values, dims, accumulate)
  },
  { name: 'index_put', schemas: [], samples: undefined, differentiable: true },
)
