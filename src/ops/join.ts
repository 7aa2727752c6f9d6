// Joining tensors: cat, stack and their relatives, grids and products. Pieces are copied into windows of the result.
// Not here: repeating one tensor (repeat.ts), cutting (split.ts), combinations (combinations.ts).
import { result_dtype } from '../base/dtype.ts'
import { RuntimeError } from '../base/errors.ts'
import { broadcast_sizes, numel, same_sizes, wrap_dim } from '../base/shape.ts'
import { empty, zeros } from '../tensor/dispatch.ts'
import { is_options, parse_schema, type_name } from '../tensor/schema.ts'
import { alias, Tensor } from '../tensor/tensor.ts'
import { copy_elements } from './define/copy.ts'
import { join_rows } from './define/joined.ts'
import { composite, make_op, type Op, op, type Spec } from './define/op.ts'
import { empty_result } from './define/out.ts'
import { reduce_to } from './define/reduce_to.ts'
import { expand, narrow, reshape, select, unsqueeze, view } from './views.ts'

type Out = { out?: Tensor }
type JoinArgs = [tensors: readonly Tensor[], dim?: number | { dim?: number; out?: Tensor }, opts?: Out]

const list = (sizes: readonly number[]): string => `[${sizes.join(', ')}]`

/** The window of a new contiguous tensor that starts at `start` along `dim` and has the given sizes. */
const piece = (out: Tensor, dim: number, start: number, sizes: readonly number[]): Tensor =>
  alias(out, sizes, out.strides, out.offset + start * (out.strides[dim] ?? 1))

/** An empty vector joins with anything, as it did when tensors had no other way to be empty. */
const is_skipped = (t: Tensor): boolean => t.sizes.length === 1 && t.sizes[0] === 0

function require_tensors(name: string, tensors: readonly Tensor[]): void {
  if (tensors.length === 0) throw new RuntimeError(`${name} expects a non-empty TensorList`)
}

/** Few elements in one row: copying the bytes takes less time than launching a kernel. */
const SMALL = 1024

/** Whether one kernel joins `pieces`, and copying each on its own would not be faster. */
const is_joinable = (out: Tensor, rows: number, pieces: readonly Tensor[]): boolean =>
  (rows > 1 || out.count > SMALL) && !out.dtype.is_complex && pieces.every(t => t.dense)

function joined(tensors: readonly Tensor[], dim: number): Tensor {
  if (tensors.length === 0) throw new RuntimeError('torch.cat(): expected a non-empty list of Tensors')
  tensors.forEach((t, i) => {
    if (t.sizes.length === 0)
      throw new RuntimeError(`zero-dimensional tensor (at position ${i}) cannot be concatenated`)
  })
  const dtype = result_dtype(tensors)
  const first = tensors.findIndex(t => !is_skipped(t))
  if (first < 0) return empty([0], dtype)
  const model = tensors[first]!
  const d = wrap_dim(dim, model.sizes.length)
  let total = 0
  tensors.forEach((t, i) => {
    if (is_skipped(t)) return
    if (t.sizes.length !== model.sizes.length)
      throw new RuntimeError(
        `Tensors must have same number of dimensions: got ${model.sizes.length} and ${t.sizes.length}`,
      )
    const wrong = t.sizes.findIndex((n, k) => k !== d && n !== model.sizes[k])
    if (wrong >= 0)
      throw new RuntimeError(
        `Sizes of tensors must match except in dimension ${d}. Expected size ${model.sizes[wrong]} but got size ${t.sizes[wrong]} for tensor number ${i} in the list.`,
      )
    total += t.sizes[d]!
  })
  const out = empty_result(model.sizes.with(d, total), dtype)
  if (out.count === 0) return out
  const pieces = tensors.filter(t => !is_skipped(t))
  const rows = numel(model.sizes.slice(0, d))
  if (is_joinable(out, rows, pieces)) {
    join_rows(out, rows, pieces)
    return out
  }
  let start = 0
  for (const t of pieces) {
    copy_elements(piece(out, d, start, t.sizes), t)
    start += t.sizes[d]!
  }
  return out
}

/** The tensors one after another along `dim`; dtypes are promoted. Throws RuntimeError where other sizes differ. */
export const cat: Op<JoinArgs> = op('cat(Tensor[] tensors, int dim=0)', {
  out_apart: true,
  forward: joined,
  backward(g, [tensors, dim], _, needs) {
    const ndim = tensors.find(t => !is_skipped(t))?.sizes.length ?? 1
    const d = wrap_dim(dim, ndim)
    let start = 0
    return tensors.map((t, i) => {
      if (is_skipped(t)) return needs[i] ? g.new_zeros([0]).to(t.dtype) : null
      const from = start
      start += t.sizes[d]!
      return needs[i] ? reduce_to(narrow(g, d, from, t.sizes[d]!), t.sizes, t.dtype) : null
    })
  },
  samples: r => [[[r(2, 3), r(1, 3)]], [[r(2, 3), r(2, 1), r(0)], 1], [[r(2), r(3)], -1]],
})

const cat_alias = (name: string): Op<JoinArgs> =>
  composite(`${name}(Tensor[] tensors, int dim=0, *, out? out=None)`, {
    body: (tensors: Tensor[], dim: number, out: Tensor | null) =>
      cat(tensors, dim, out === null ? {} : { out }),
    out: false,
  })
/** Another name of {@link cat}. */
export const concat: Op<JoinArgs> = cat_alias('concat')
/** Another name of {@link cat}. */
export const concatenate: Op<JoinArgs> = cat_alias('concatenate')

/** Tensors of one size along a new dimension. */
export const stack: Op<JoinArgs> = op('stack(Tensor[] tensors, int dim=0)', {
  out_apart: true,
  forward(tensors: Tensor[], dim: number) {
    require_tensors('stack', tensors)
    const { sizes } = tensors[0]!
    const d = wrap_dim(dim, sizes.length + 1)
    tensors.forEach((t, i) => {
      if (!same_sizes(t.sizes, sizes))
        throw new RuntimeError(
          `stack expects each tensor to be equal size, but got ${list(sizes)} at entry 0 and ${list(t.sizes)} at entry ${i}`,
        )
    })
    const out = empty_result(sizes.toSpliced(d, 0, tensors.length), result_dtype(tensors))
    if (out.count === 0) return out
    const rows = numel(sizes.slice(0, d))
    if (is_joinable(out, rows, tensors)) {
      join_rows(out, rows, tensors)
      return out
    }
    const strides = out.strides.toSpliced(d, 1)
    tensors.forEach((t, i) => {
      copy_elements(alias(out, sizes, strides, out.offset + i * out.strides[d]!), t)
    })
    return out
  },
  backward: (g, [tensors, dim], _, needs) =>
    tensors.map((t, i) => (needs[i] ? reduce_to(select(g, dim, i), t.sizes, t.dtype) : null)),
  samples: r => [[[r(2, 3), r(2, 3)]], [[r(2, 3), r(2, 3), r(2, 3)], -1], [[r(), r()]]],
})

const stack_form = (
  name: string,
  prepare: (t: Tensor) => Tensor,
  dim: (first: Tensor) => number,
): Op<[tensors: readonly Tensor[], opts?: Out]> =>
  composite(`${name}(Tensor[] tensors)`, {
    body(tensors: Tensor[]) {
      require_tensors(name, tensors)
      const pieces = tensors.map(prepare)
      return cat(pieces, dim(pieces[0]!))
    },
    samples: r => [[[r(2, 3), r(2, 3)]], [[r(3), r(3)]]],
  })
/** Joined in columns: along dimension 1, vectors along 0. */
export const hstack: Op<[tensors: readonly Tensor[], opts?: Out]> = stack_form(
  'hstack',
  t => atleast_1d(t),
  t => (t.sizes.length === 1 ? 0 : 1),
)
/** Joined in rows: along dimension 0; vectors become rows. */
export const vstack: Op<[tensors: readonly Tensor[], opts?: Out]> = stack_form(
  'vstack',
  t => atleast_2d(t),
  () => 0,
)
/** Another name of {@link vstack}. */
export const row_stack: Op<[tensors: readonly Tensor[], opts?: Out]> = stack_form(
  'row_stack',
  t => atleast_2d(t),
  () => 0,
)
/** Joined in depth: along dimension 2. */
export const dstack: Op<[tensors: readonly Tensor[], opts?: Out]> = stack_form(
  'dstack',
  t => atleast_3d(t),
  () => 2,
)
/** Vectors as columns, matrices side by side. */
export const column_stack: Op<[tensors: readonly Tensor[], opts?: Out]> = stack_form(
  'column_stack',
  t => (t.sizes.length <= 1 ? reshape(t, [t.count, 1]) : t),
  () => 1,
)

/** The list that an op of several tensors was called with: `f(a, b)` or `f([a, b])`. */
function tensor_list(name: string, args: readonly unknown[]): Tensor[] {
  const tensors = (args.length === 1 && Array.isArray(args[0]) ? args[0] : args) as unknown[]
  tensors.forEach((t, i) => {
    if (!(t instanceof Tensor))
      throw new TypeError(
        `${name}(): argument 'tensors' (position 1) must be tuple of Tensors, but found element of type ${typeof t} at pos ${i}`,
      )
  })
  return tensors as Tensor[]
}

/** Declares a function of any number of tensors, given one by one or as a list. */
function of_tensors<R = Tensor>(
  name: string,
  body: (tensors: Tensor[]) => R,
): Op<[...tensors: readonly (Tensor | readonly Tensor[])[]], R> {
  return make_op((...args: readonly (Tensor | readonly Tensor[])[]) => body(tensor_list(name, args)), {
    name,
    schemas: [parse_schema(`${name}(Tensor[] tensors)`)],
    samples: undefined,
    differentiable: true,
  })
}

const block_diagonal: Op<[tensors: readonly Tensor[]]> = op('block_diag(Tensor[] tensors)', {
  forward(tensors: Tensor[]) {
    tensors.forEach((t, i) => {
      if (t.sizes.length > 2)
        throw new RuntimeError(
          `torch.block_diag: Input tensors must have 2 or fewer dimensions. Input ${i} has ${t.sizes.length} dimensions`,
        )
    })
    const blocks = tensors.map(as_matrix)
    const out = zeros(
      [0, 1].map(d => blocks.reduce((n, [, sizes]) => n + sizes[d]!, 0)),
      result_dtype(tensors),
    )
    let [row, column] = [0, 0]
    for (const [t, sizes] of blocks) {
      copy_elements(
        alias(out, sizes, out.strides, out.offset + row * out.strides[0]! + column),
        alias(t, sizes, matrix_strides(t)),
      )
      row += sizes[0]!
      column += sizes[1]!
    }
    return out
  },
  backward(g, [tensors], _, needs) {
    let [row, column] = [0, 0]
    return tensors.map((t, i) => {
      const [, sizes] = as_matrix(t)
      const block = needs[i] ? narrow(narrow(g, 0, row, sizes[0]!), 1, column, sizes[1]!) : null
      row += sizes[0]!
      column += sizes[1]!
      return block === null ? null : reduce_to(block.reshape(t.sizes), t.sizes, t.dtype)
    })
  },
  samples: r => [[[r(2, 3), r(2), r()]]],
})
const as_matrix = (t: Tensor): [Tensor, number[]] => [
  t,
  [...new Array<number>(2 - t.sizes.length).fill(1), ...t.sizes],
]
const matrix_strides = (t: Tensor): number[] => [
  ...new Array<number>(2 - t.sizes.length).fill(1),
  ...t.strides,
]

/** A matrix with the tensors (at most 2-d each) along its diagonal. */
export const block_diag: Op<[...tensors: readonly (Tensor | readonly Tensor[])[]]> = of_tensors(
  'block_diag',
  tensors => (tensors.length === 0 ? empty([1, 0], result_dtype([])) : block_diagonal(tensors)),
)

// ------------------------------------------------------------------------------------ grids

/** Views of the tensors at their common broadcast size. */
export const broadcast_tensors: Op<[...tensors: readonly (Tensor | readonly Tensor[])[]], Tensor[]> =
  of_tensors('broadcast_tensors', tensors => {
    const sizes = broadcast_sizes(...tensors.map(t => t.sizes))
    return tensors.map(t => (same_sizes(t.sizes, sizes) ? t : expand(t, sizes)))
  })

type MeshArgs = readonly [...tensors: readonly (Tensor | readonly Tensor[] | { indexing?: 'ij' | 'xy' })[]]

/** Coordinate grids of 1-d tensors, as views; `indexing: 'xy'` swaps the first two dimensions, as NumPy does. */
export const meshgrid: Op<MeshArgs, Tensor[]> = make_op(
  (...args: MeshArgs) => {
    const last = args[args.length - 1]
    const options = is_options(last) ? (last as { indexing?: string }) : null
    for (const key of Object.keys(options ?? {}))
      if (key !== 'indexing')
        throw new TypeError(`meshgrid() got an unexpected keyword argument '${key}' (known: indexing)`)
    return grids(tensor_list('meshgrid', options ? args.slice(0, -1) : args), options?.indexing ?? 'ij')
  },
  {
    name: 'meshgrid',
    schemas: [parse_schema("meshgrid(Tensor[] tensors, *, str indexing='ij')")],
    samples: undefined,
    differentiable: true,
  },
)

function grids(given: readonly Tensor[], indexing: string): Tensor[] {
  require_tensors('meshgrid', given)
  for (const t of given) {
    if (t.sizes.length > 1)
      throw new RuntimeError(
        `torch.meshgrid: Expected 0D or 1D tensor in the tensor list but got: ${String(t)}`,
      )
    if (t.dtype !== given[0]!.dtype)
      throw new RuntimeError('meshgrid expects all tensors to have the same dtype')
  }
  if (indexing !== 'ij' && indexing !== 'xy')
    throw new RuntimeError(`torch.meshgrid: indexing must be one of "xy" or "ij", but received: ${indexing}`)
  const swap = indexing === 'xy' && given.length >= 2
  const tensors = swap ? [given[1]!, given[0]!, ...given.slice(2)] : given
  const sizes = tensors.map(t => t.count)
  const made = tensors.map((t, i) =>
    expand(
      view(
        t,
        sizes.map((_, d) => (d === i ? t.count : 1)),
      ),
      sizes,
    ),
  )
  if (!swap) return made
  const [first, second, ...rest] = made
  return [second!, first!, ...rest]
}

const require_vector = (t: Tensor): void => {
  if (t.sizes.length !== 1) throw new RuntimeError(`Expect a 1D vector, but got shape ${list(t.sizes)}`)
}

/** The rows of the product of 1-d tensors: one column a tensor. */
export const cartesian_prod: Op<[...tensors: readonly (Tensor | readonly Tensor[])[]]> = of_tensors(
  'cartesian_prod',
  tensors => {
    for (const t of tensors) require_vector(t)
    if (tensors.length === 1) return tensors[0]!
    return stack(
      grids(tensors, 'ij').map(t => t.flatten()),
      1,
    )
  },
)

/** The size that tensors of the given sizes broadcast to. */
export function broadcast_shapes(...shapes: readonly (number | readonly number[])[]): number[] {
  return broadcast_sizes(...shapes.map(s => (typeof s === 'number' ? [s] : s)))
}

/** Declares a function of one tensor, of several, or of a list of them, which gives as many. */
function each(name: string, body: (t: Tensor) => Tensor): AtLeast {
  return make_op(
    (...args: readonly (Tensor | readonly Tensor[])[]) => {
      const [first] = args
      const tensors = (Array.isArray(first) ? first : args) as Tensor[]
      tensors.forEach((t, i) => {
        if (!(t instanceof Tensor))
          throw new TypeError(
            `${name}(): argument 'tensors' (position ${i + 1}) must be Tensor, not ${type_name(t)}`,
          )
      })
      return args.length === 1 && !Array.isArray(first) ? body(tensors[0]!) : tensors.map(body)
    },
    {
      name,
      schemas: [parse_schema(`${name}(Tensor self)`)],
      samples: r => [[r(3)], [r()]],
      differentiable: true,
    },
  ) as unknown as AtLeast
}
type AtLeast = ((input: Tensor) => Tensor) &
  ((tensors: readonly Tensor[]) => Tensor[]) &
  ((...tensors: readonly [Tensor, Tensor, ...Tensor[]]) => Tensor[]) & {
    readonly op_name: string
    readonly spec: Spec
  }

/** With at least one dimension. */
export const atleast_1d: AtLeast = each('atleast_1d', t => (t.sizes.length === 0 ? reshape(t, [1]) : t))
/** With at least two dimensions: vectors become rows. */
export const atleast_2d: AtLeast = each('atleast_2d', t =>
  t.sizes.length === 0 ? reshape(t, [1, 1]) : t.sizes.length === 1 ? unsqueeze(t, 0) : t,
)
/** With at least three dimensions: vectors become [1, n, 1], matrices [m, n, 1]. */
export const atleast_3d: AtLeast = each('atleast_3d', t => {
  if (t.sizes.length === 0) return reshape(t, [1, 1, 1])
  if (t.sizes.length === 1) return unsqueeze(unsqueeze(t, 0), -1)
  return t.sizes.length === 2 ? unsqueeze(t, -1) : t
})
