// Views in several pieces: unbind, split, chunk and their relatives. The pieces share one node, and may not be written
// through where that would lose history. Not here: joining (join.ts), single views (views.ts).
import { IndexError, RuntimeError } from '../base/errors.ts'
import { wrap_dim } from '../base/shape.ts'
import { Batched, by_samples } from '../tensor/batched.ts'
import { type Edge, edge_of, type Grads, modes, set_history } from '../tensor/tape.ts'
import type { Tensor } from '../tensor/tensor.ts'
import { FnNode } from './define/fn_node.ts'
import { type Op, overloaded, type Samples } from './define/op.ts'
import { batched_geometry, type Geometry, make_view } from './define/view.ts'
import { cat, stack } from './join.ts'
import { slice } from './slice_view.ts'
import type { Sizes } from './views.ts'

/** Several views of `self` on one node. With `tracked` off, pieces are as good as new tensors: writing goes unseen. */
function pieces(
  self: Tensor,
  geometries: readonly Geometry[],
  name: string,
  backward: (grads: Tensor[]) => Tensor,
  tracked = true,
): Tensor[] {
  if (self instanceof Batched) {
    const { value, level } = self
    const all = (grads: Tensor[]): Tensor => by_samples(level.size, grads, backward)
    const batched = geometries.map(g => batched_geometry(self, g))
    return pieces(value, batched, name, all, tracked).map(piece => new Batched(piece, level))
  }
  const views = geometries.map(g => make_view(self, g, name, first => first, name))
  if (!tracked) for (const view of views) view._view = null
  const edge = modes.grad ? edge_of(self) : null
  if (edge !== null) set_history(pieces_node(name, edge, geometries, backward), views)
  return views
}

/** Not within `pieces`: functions made there would keep `self` alive. */
function pieces_node(
  name: string,
  edge: Edge,
  geometries: readonly Geometry[],
  backward: (grads: Tensor[]) => Tensor,
): FnNode {
  const present = (grads: Grads): Tensor[] => {
    const any = grads.find(g => g !== null)!
    return grads.map((g, i) => g ?? any.new_zeros(geometries[i]!.sizes))
  }
  return new FnNode(name, [edge], grads => [backward(present(grads))])
}

/** The part of `self` from `start` on, `length` long, along `d`. */
const part = (self: Tensor, d: number, start: number, length: number): Geometry => ({
  sizes: self.sizes.with(d, length),
  strides: self.strides,
  offset: self.offset + start * self.strides[d]!,
})

/** Not within functions of a tensor, which it would keep alive. */
const joined_again =
  (d: number) =>
  (grads: Tensor[]): Tensor =>
    cat(grads, d)
const stacked_again =
  (d: number) =>
  (grads: Tensor[]): Tensor =>
    stack(grads, d)

function cut(self: Tensor, lengths: readonly number[], d: number, name: string, tracked = true): Tensor[] {
  let start = 0
  const geometries = lengths.map(n => {
    const geometry = part(self, d, start, n)
    start += n
    return geometry
  })
  return pieces(self, geometries, name, joined_again(d), tracked)
}

const list = (sizes: readonly number[]): string => `[${sizes.join(', ')}]`

/** How long the pieces of a dimension of `n` are: `size` each, the last as much as is left. */
const lengths_of = (n: number, size: number): number[] =>
  n === 0 ? [0] : Array.from({ length: Math.ceil(n / size) }, (_, i) => Math.min(size, n - i * size))

function split_by(self: Tensor, size: number, dim: number, tracked: boolean): Tensor[] {
  if (self.sizes.length === 0) throw new RuntimeError('split expects at least a 1-dimensional tensor')
  if (size < 0) throw new RuntimeError(`split expects split_size be non-negative, but got split_size=${size}`)
  const d = wrap_dim(dim, self.sizes.length)
  const n = self.sizes[d]!
  if (size === 0 && n !== 0)
    throw new RuntimeError(`split_size can only be 0 if dimension size is 0, but got dimension size of ${n}`)
  return cut(self, lengths_of(n, size), d, tracked ? 'SplitBackward0' : 'UnsafeSplitBackward0', tracked)
}

function split_into(self: Tensor, sizes: readonly number[], dim: number, tracked = true): Tensor[] {
  if (self.sizes.length === 0) throw new RuntimeError('split expects at least a 1-dimensional tensor')
  const d = wrap_dim(dim, self.sizes.length)
  const negative = sizes.some(n => n < 0)
  if (negative)
    throw new RuntimeError(
      `split_with_sizes expects split_sizes have only non-negative entries, but got split_sizes=${list(sizes)}`,
    )
  if (sizes.reduce((a, b) => a + b, 0) !== self.sizes[d])
    throw new RuntimeError(
      `split_with_sizes expects split_sizes to sum exactly to ${self.sizes[d]} (input tensor's size at dimension ${d}), but got split_sizes=${list(sizes)}`,
    )
  return cut(self, sizes, d, tracked ? 'SplitWithSizesBackward0' : 'UnsafeSplitWithSizesBackward0', tracked)
}

type DimArg = number | { dim?: number }

const split_form = (
  name: string,
  tracked: boolean,
  samples?: Samples<[Tensor, number | Sizes, DimArg?]>,
): Op<[self: Tensor, split_size: number | Sizes, dim?: DimArg], Tensor[]> =>
  overloaded(
    [
      [
        `${name}(Tensor self, int split_size, int dim=0)`,
        (self: Tensor, size: number, dim: number) => split_by(self, size, dim, tracked),
      ],
      [
        `${name}(Tensor self, int split_size_or_sections, int dim=0)`,
        (self: Tensor, size: number, dim: number) => split_by(self, size, dim, tracked),
      ],
      [
        `${name}(Tensor self, int[] split_size, int dim=0)`,
        (self: Tensor, sizes: number[], dim: number) => split_into(self, sizes, dim, tracked),
      ],
      [
        `${name}(Tensor self, int[] split_size_or_sections, int dim=0)`,
        (self: Tensor, sizes: number[], dim: number) => split_into(self, sizes, dim, tracked),
      ],
    ],
    { out: false, ...(samples ? { samples } : {}) },
  )

/** Views of `split_size` elements each along `dim` (the last may be shorter), or of the given sizes. */
export const split: Op<[self: Tensor, split_size: number | Sizes, dim?: DimArg], Tensor[]> = split_form(
  'split',
  true,
  r => [
    [r(5, 2), 2],
    [r(2, 5), [2, 3], 1],
  ],
)
/** {@link split} whose results may be written to; the input's history does not learn of it. */
export const unsafe_split: Op<[self: Tensor, split_size: number | Sizes, dim?: DimArg], Tensor[]> =
  split_form('unsafe_split', false)

/** Views of the given sizes along `dim`. */
export const split_with_sizes: Op<[self: Tensor, split_sizes: Sizes, dim?: DimArg], Tensor[]> = overloaded(
  [
    [
      'split_with_sizes(Tensor self, int[] split_sizes, int dim=0)',
      (self: Tensor, sizes: number[], dim: number) => split_into(self, sizes, dim),
    ],
  ],
  { out: false, samples: r => [[r(5, 2), [1, 4]]] },
)

/** {@link split_with_sizes} whose results may be written to; the input's history does not learn of it. */
export const unsafe_split_with_sizes: Op<[self: Tensor, split_sizes: Sizes, dim?: DimArg], Tensor[]> =
  overloaded(
    [
      [
        'unsafe_split_with_sizes(Tensor self, int[] split_sizes, int dim=0)',
        (self: Tensor, sizes: number[], dim: number) => split_into(self, sizes, dim, false),
      ],
    ],
    { out: false },
  )

function chunks(self: Tensor, count: number, dim: number, tracked: boolean): Tensor[] {
  if (self.sizes.length === 0) throw new RuntimeError('chunk expects at least a 1-dimensional tensor')
  if (count <= 0) throw new RuntimeError(`chunk expects \`chunks\` to be greater than 0, got: ${count}`)
  const n = self.sizes[wrap_dim(dim, self.sizes.length)]!
  const size = Math.ceil(n / count)
  // Of an empty dimension there are as many pieces as were asked for.
  if (size === 0) return split_into(self, new Array<number>(count).fill(0), dim, tracked)
  return split_by(self, size, dim, tracked)
}

/** At most `chunks` views of equal size along `dim`; the last may be shorter. */
export const chunk: Op<[self: Tensor, chunks: number, dim?: DimArg], Tensor[]> = overloaded(
  [
    [
      'chunk(Tensor self, int chunks, int dim=0)',
      (self: Tensor, count: number, dim: number) => chunks(self, count, dim, true),
    ],
  ],
  {
    out: false,
    samples: r => [
      [r(5, 2), 2],
      [r(2, 4), 3, 1],
    ],
  },
)
/** {@link chunk} whose results may be written to; the input's history does not learn of it. */
export const unsafe_chunk: Op<[self: Tensor, chunks: number, dim?: DimArg], Tensor[]> = overloaded(
  [
    [
      'unsafe_chunk(Tensor self, int chunks, int dim=0)',
      (self: Tensor, count: number, dim: number) => chunks(self, count, dim, false),
    ],
  ],
  { out: false },
)

/** The slices along `dim`, without that dimension. */
export const unbind: Op<[self: Tensor, dim?: DimArg], Tensor[]> = overloaded(
  [
    [
      'unbind(Tensor self, int dim=0)',
      (self: Tensor, dim: number) => {
        if (self.sizes.length === 0)
          throw new IndexError(`Dimension specified as ${dim} but tensor has no dimensions`)
        const d = wrap_dim(dim, self.sizes.length)
        const [sizes, strides] = [self.sizes.toSpliced(d, 1), self.strides.toSpliced(d, 1)]
        const geometries = Array.from({ length: self.sizes[d]! }, (_, i) => ({
          sizes,
          strides,
          offset: self.offset + i * self.strides[d]!,
        }))
        return pieces(self, geometries, 'UnbindBackward0', stacked_again(d))
      },
    ],
  ],
  { out: false, samples: r => [[r(3, 2)], [r(2, 3), 1]] },
)

// ------------------------------------------------------------------------------------ pieces that are slices

/** Slices of `dim` that end at each of `ends`, and the rest. */
function slices(self: Tensor, ends: readonly number[], dim: number): Tensor[] {
  const n = self.sizes[dim]!
  const starts = [0, ...ends]
  return starts.map((start, i) => slice(self, dim, start, i < ends.length ? ends[i]! : n))
}

function sections(self: Tensor, count: number, dim: number): Tensor[] {
  if (count <= 0) throw new RuntimeError(`number of sections must be larger than 0, got ${count}`)
  const n = self.sizes[dim]!
  const [size, larger] = [Math.floor(n / count), n % count]
  const ends = Array.from({ length: count - 1 }, (_, i) => (i + 1) * size + Math.min(i + 1, larger))
  return slices(self, ends, dim)
}

function dim_of(self: Tensor, dim: number): number {
  if (self.sizes.length === 0)
    throw new RuntimeError(
      'tensor_split expected at least a 1-dimensional tensor, but got a tensor with 0 dims',
    )
  return wrap_dim(dim, self.sizes.length)
}

function split_at(self: Tensor, where: Tensor, dim: number): Tensor[] {
  const d = dim_of(self, dim)
  if (where.dtype.name !== 'int64')
    throw new RuntimeError(
      `tensor_split expected tensor_indices_or_sections to have dtype of long, but got ${where.dtype.tensor_type.slice(0, -6)}`,
    )
  if (where.sizes.length > 1)
    throw new RuntimeError(
      `tensor_split expected tensor_indices_or_sections to be a zero-dimensional or one-dimensional tensor, but got a tensor with ${where.sizes.length} dims`,
    )
  if (where.sizes.length === 0) return sections(self, Number(where.item()), d)
  return slices(
    self,
    Array.from({ length: where.count }, (_, i) => Number(where.select(0, i).item())),
    d,
  )
}

type SplitArgs = [self: Tensor, indices_or_sections: number | Sizes | Tensor, dim?: DimArg]

/** Nearly equal pieces (a number), or the pieces between the given positions of `dim`. */
export const tensor_split: Op<SplitArgs, Tensor[]> = overloaded(
  [
    ['tensor_split(Tensor self, Tensor tensor_indices_or_sections, int dim=0)', split_at],
    [
      'tensor_split(Tensor self, int sections, int dim=0)',
      (self: Tensor, count: number, dim: number) => sections(self, count, dim_of(self, dim)),
    ],
    [
      'tensor_split(Tensor self, int[] indices, int dim=0)',
      (self: Tensor, ends: number[], dim: number) => slices(self, ends, dim_of(self, dim)),
    ],
  ],
  {
    out: false,
    samples: r => [
      [r(7), 3],
      [r(2, 5), [1, 3], 1],
    ],
  },
)

type AxisSplitArgs = [self: Tensor, split_size_or_sections: number | Sizes]

/** tensor_split along one axis that the name says, which an equal number of sections must divide. */
function axis_split(
  name: string,
  least: number,
  axis: (ndim: number) => number,
): Op<AxisSplitArgs, Tensor[]> {
  const dim = (self: Tensor): number => {
    if (self.sizes.length < least)
      throw new RuntimeError(
        `torch.${name} requires a tensor with at least ${least} dimension, but got a tensor with ${self.sizes.length} dimensions!`,
      )
    return axis(self.sizes.length)
  }
  return overloaded(
    [
      [
        `${name}(Tensor self, int sections)`,
        (self: Tensor, count: number) => {
          const d = dim(self)
          if (count <= 0) throw new RuntimeError(`number of sections must be larger than 0, got ${count}`)
          if (self.sizes[d]! % count !== 0)
            throw new RuntimeError(
              `torch.${name} attempted to split along dimension ${d}, but the size of the dimension ${self.sizes[d]} is not divisible by the split_size ${count}!`,
            )
          return sections(self, count, d)
        },
      ],
      [
        `${name}(Tensor self, int[] indices)`,
        (self: Tensor, ends: number[]) => slices(self, ends, dim(self)),
      ],
    ],
    {
      out: false,
      samples: r => [
        [r(2, 4, 2), 2],
        [r(2, 4, 2), [1]],
      ],
    },
  )
}

/** Pieces side by side: along dimension 1, of vectors along 0. */
export const hsplit: Op<AxisSplitArgs, Tensor[]> = axis_split('hsplit', 1, ndim => (ndim === 1 ? 0 : 1))
/** Pieces one above the other: along dimension 0. */
export const vsplit: Op<AxisSplitArgs, Tensor[]> = axis_split('vsplit', 2, () => 0)
/** Pieces in depth: along dimension 2. */
export const dsplit: Op<AxisSplitArgs, Tensor[]> = axis_split('dsplit', 3, () => 2)
