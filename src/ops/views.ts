// Views: the same memory under another geometry. Not here: slices (slice_view.ts), index syntax (indexing.ts), joining and
// copying rearrangements (repeat.ts).
import { type DType, DType as DTypeClass } from '../base/dtype.ts'
import { IndexError, RuntimeError } from '../base/errors.ts'
import { expand_sizes, expand_strides, infer_size, view_strides, wrap_dim, wrap_dims } from '../base/shape.ts'
import { bind, parse_schema } from '../tensor/schema.ts'
import type { Tensor } from '../tensor/tensor.ts'
import { arange } from './creation.ts'
import { make_op, type Op, without_recording } from './define/op.ts'
import { as_strided_backward, make_view, swapped, view_op } from './define/view.ts'

export type Sizes = readonly number[]
type SizeArgs = readonly [sizes: Sizes] | readonly number[]

/** A view with the given sizes, strides and (default: its own) offset, in elements of the storage. */
export const as_strided: Op<[self: Tensor, size: Sizes, stride: Sizes, storage_offset?: number | null]> =
  view_op('as_strided(Tensor self, int[] size, int[] stride, int? storage_offset=None)', {
    geometry(self, size: number[], stride: number[], offset: number | null) {
      if (size.length !== stride.length) throw new RuntimeError(`mismatch in length of strides and shape`)
      const first = offset ?? self.offset
      if (first < 0) throw new RuntimeError(`Tensor: invalid storage offset ${first}`)
      if (stride.some(s => s < 0))
        throw new RuntimeError(
          `as_strided: Negative strides are not supported at the moment, got strides: [${stride.join(', ')}]`,
        )
      const last = size.includes(0) ? -1 : size.reduce((m, n, d) => m + (n - 1) * stride[d]!, first)
      const { itemsize } = self.dtype
      if ((last + 1) * itemsize > self.memory.nbytes)
        throw new RuntimeError(
          `setStorage: sizes [${size.join(', ')}], strides [${stride.join(', ')}], storage offset ${first}, and itemsize ${itemsize} ` +
            `requiring a storage size of ${(last + 1) * itemsize} are out of bounds for storage of size ${self.memory.nbytes}`,
        )
      return { sizes: size, strides: stride, offset: first }
    },
    backward: (g, self, size: number[], stride: number[], offset: number | null) =>
      as_strided_backward(g, self, size, stride, offset ?? self.offset),
    samples: r => [
      [r(3, 4), [2, 2], [1, 2]],
      [r(6), [3, 2], [1, 1], 1],
    ],
  })

/** Repeats dimensions of size 1 up to `size`, without copying; -1 keeps a size. */
export const expand: Op<[self: Tensor, ...size: SizeArgs]> = view_op('expand(Tensor self, int... size)', {
  geometry: (self, size: number[]) => ({
    sizes: expand_sizes(self.sizes, size),
    strides: expand_strides(self.sizes, self.strides, size, self.dtype.tensor_type),
  }),
  backward: (g, self) => g.sum_to_size(self.sizes),
  samples: r => [
    [r(3, 1), 3, 4],
    [r(1), [2, 3]],
    [r(3), -1],
  ],
})

/** {@link expand} to the sizes of another tensor. */
export const expand_as: Op<[self: Tensor, other: Tensor]> = make_method(
  'expand_as(Tensor self, Tensor other)',
  (self, other) => expand(self, other.sizes),
)

/** {@link expand}, as a function. */
export const broadcast_to: Op<[self: Tensor, ...size: SizeArgs]> = view_op(
  'broadcast_to(Tensor self, int... size)',
  {
    geometry: (self, size: number[]) => ({
      sizes: expand_sizes(self.sizes, size),
      strides: expand_strides(self.sizes, self.strides, size, self.dtype.tensor_type),
    }),
    backward: (g, self) => g.sum_to_size(self.sizes),
    node: 'ExpandBackward0',
  },
)

/** A function of two tensors that calls another op. */
function make_method(
  signature: string,
  body: (self: Tensor, other: Tensor) => Tensor,
): Op<[self: Tensor, other: Tensor]> {
  const schema = parse_schema(signature)
  return make_op(
    (...args: [Tensor, Tensor]) => {
      const [self, other] = bind([schema], args).values as [Tensor, Tensor]
      return body(self, other)
    },
    {
      name: schema.name,
      schemas: [schema],
      samples: undefined,
      differentiable: true,
      run: values => body(values[0] as Tensor, values[1] as Tensor),
    },
  )
}

/** The same elements under other sizes; -1 is inferred. Throws RuntimeError where that needs a copy. */
export const view: Op<[self: Tensor, ...size: SizeArgs] | [self: Tensor, dtype: DType]> = make_op(
  (self: Tensor, ...args: readonly unknown[]) => {
    if (args[0] instanceof DTypeClass) return view_dtype(self, args[0])
    return view_sizes(self, ...(args as SizeArgs))
  },
  {
    name: 'view',
    schemas: [parse_schema('view(Tensor self, int... size)')],
    samples: r => [
      [r(3, 4), 2, 6],
      [r(3, 4), [-1]],
      [r(), 1],
    ],
    differentiable: true,
  },
)

const view_sizes: Op<[self: Tensor, ...size: SizeArgs]> = view_op('view(Tensor self, int... size)', {
  geometry(self, size: number[]) {
    const sizes = infer_size(size, self.count)
    const strides = view_strides(self.sizes, self.strides, sizes)
    if (strides === null)
      throw new RuntimeError(
        "view size is not compatible with input tensor's size and stride (at least one dimension spans across two contiguous subspaces). Use .reshape(...) instead.",
      )
    return { sizes, strides }
  },
  backward: (g, self) => g.reshape(self.sizes),
})

/** The same bytes as another dtype. */
function view_dtype(self: Tensor, dtype: DType): Tensor {
  const ratio = self.dtype.itemsize / dtype.itemsize
  const last = self.sizes.length - 1
  if (ratio !== 1) {
    if (last < 0)
      throw new RuntimeError(
        `self.dim() cannot be 0 to view ${self.dtype} as ${dtype} (different element sizes)`,
      )
    if (self.strides[last] !== 1)
      throw new RuntimeError(
        `self.stride(-1) must be 1 to view ${self.dtype} as ${dtype} (different element sizes), but got ${self.strides[last]}`,
      )
    if ((self.sizes[last]! * ratio) % 1 !== 0 || (self.offset * ratio) % 1 !== 0)
      throw new RuntimeError(
        `self.size(-1) must be divisible by ${1 / ratio} to view ${self.dtype} as ${dtype} (different element sizes), but got ${self.sizes[last]}`,
      )
  }
  const out = without_recording(() => view_sizes(self, self.sizes))
  out._view = null
  out.dtype = dtype
  out.set_geometry(
    self.offset * ratio,
    self.sizes.map((n, d) => (d === last ? n * ratio : n)),
    self.strides.map((s, d) => (d === last ? s : s * ratio)),
  )
  return out
}

/** {@link view} where the memory allows it, else a copy. */
export const reshape: Op<[self: Tensor, ...shape: SizeArgs]> = make_op(
  (...args: readonly unknown[]) => {
    const [self, shape] = bind([reshape_schema], args).values as [Tensor, number[]]
    const sizes = infer_size(shape, self.count)
    const strides = view_strides(self.sizes, self.strides, sizes)
    if (strides === null) return view_sizes(self.clone({ memory_format: 'contiguous_format' }), sizes)
    const meta = self.sizes
    return make_view(self, { sizes, strides }, 'ReshapeAliasBackward0', g => g.reshape(meta))
  },
  {
    name: 'reshape',
    schemas: [parse_schema('reshape(Tensor self, int... shape)')],
    samples: r => [
      [r(3, 4), 2, 6],
      [r(3, 4), [-1]],
    ],
    differentiable: true,
  },
)
const reshape_schema = parse_schema('reshape(Tensor self, int... shape)')

/** {@link view} with the sizes of another tensor. */
export const view_as: Op<[self: Tensor, other: Tensor]> = make_method(
  'view_as(Tensor self, Tensor other)',
  (self, other) => view_sizes(self, other.sizes),
)

/** {@link reshape} with the sizes of another tensor. */
export const reshape_as: Op<[self: Tensor, other: Tensor]> = make_method(
  'reshape_as(Tensor self, Tensor other)',
  (self, other) => reshape(self, other.sizes),
)

/** Reorders the dimensions. */
export const permute: Op<[self: Tensor, ...dims: SizeArgs]> = view_op('permute(Tensor self, int... dims)', {
  geometry(self, dims: number[]) {
    if (dims.length !== self.sizes.length)
      throw new RuntimeError(
        `permute(sparse_coo): number of dimensions in the tensor input does not match the length of the desired ordering of dimensions i.e. input.dim() = ${self.sizes.length} is not equal to len(dims) = ${dims.length}`,
      )
    const order = unique_dims(dims, self.sizes.length)
    return { sizes: order.map(d => self.sizes[d]!), strides: order.map(d => self.strides[d]!) }
  },
  backward: (g, self, dims: number[]) => {
    const order = wrap_dims(dims, self.sizes.length)
    return g.permute(order.map((_, d) => order.indexOf(d)))
  },
  samples: r => [
    [r(2, 3, 4), 2, 0, 1],
    [r(2, 3), [-1, 0]],
    [r(), []],
  ],
})

function unique_dims(dims: readonly number[], ndim: number): number[] {
  const wrapped = dims.map(d => wrap_dim(d, ndim))
  if (new Set(wrapped).size !== wrapped.length)
    throw new RuntimeError('permute(): duplicate dims are not allowed.')
  return wrapped
}

/** Swaps two dimensions. */
export const transpose: Op<[self: Tensor, dim0: number, dim1: number]> = view_op(
  'transpose(Tensor self, int dim0, int dim1)',
  {
    geometry: (self, dim0: number, dim1: number) => swapped(self, dim0, dim1),
    backward: (g, _, dim0: number, dim1: number) => g.transpose(dim0, dim1),
    samples: r => [
      [r(2, 3, 4), 0, 2],
      [r(2, 3), -1, -2],
    ],
  },
)

/** Transposes a matrix; vectors and scalars stay as they are. */
export const t: Op<[self: Tensor]> = view_op('t(Tensor self)', {
  geometry(self) {
    if (self.sizes.length > 2)
      throw new RuntimeError(`t() expects a tensor with <= 2 dimensions, but self is ${self.sizes.length}D`)
    return self.sizes.length < 2 ? self : swapped(self, 0, 1)
  },
  backward: g => g.t(),
  samples: r => [[r(2, 3)], [r(3)]],
})

/** The `index`-th slice along `dim`, without that dimension. */
export const select: Op<[self: Tensor, dim: number, index: number]> = view_op(
  'select(Tensor self, int dim, int index)',
  {
    geometry(self, dim: number, index: number) {
      if (self.sizes.length === 0) throw new IndexError('select() cannot be applied to a 0-dim tensor.')
      const d = wrap_dim(dim, self.sizes.length)
      const size = self.sizes[d]!
      if (index < -size || index >= size)
        throw new IndexError(
          `select(): index ${index} out of range for tensor of size [${self.sizes.join(', ')}] at dimension ${d}`,
        )
      const at = index < 0 ? index + size : index
      return {
        sizes: self.sizes.filter((_, k) => k !== d),
        strides: self.strides.filter((_, k) => k !== d),
        offset: self.offset + at * self.strides[d]!,
      }
    },
    backward: (g, self, dim: number, index: number) => {
      const zeros = g.new_zeros(self.sizes)
      return zeros.select_scatter(g, dim, index)
    },
    samples: r => [
      [r(3, 4), 0, 1],
      [r(2, 3, 4), -1, -2],
    ],
  },
)

/** `length` elements of a dimension from `start` on. */
export const narrow: Op<[self: Tensor, dim: number, start: number, length: number]> = view_op(
  'narrow(Tensor self, int dim, int start, int length)',
  {
    node: 'SliceBackward0',
    geometry(self, dim: number, start: number, length: number) {
      if (self.sizes.length === 0) throw new RuntimeError('narrow() cannot be applied to a 0-dim tensor.')
      if (length < 0) throw new RuntimeError('narrow(): length must be non-negative.')
      const d = wrap_dim(dim, self.sizes.length)
      const n = self.sizes[d]!
      if (start < -n || start > n)
        throw new IndexError(
          `Dimension out of range (expected to be in range of [${-n}, ${n}], but got ${start})`,
        )
      const from = start < 0 ? start + n : start
      if (from + length > n)
        throw new RuntimeError(`start (${from}) + length (${length}) exceeds dimension size (${n}).`)
      return {
        sizes: self.sizes.map((s, k) => (k === d ? length : s)),
        strides: self.strides,
        offset: self.offset + from * self.strides[d]!,
      }
    },
    backward: (g, self, dim: number, start: number, length: number) => {
      const n = self.sizes[wrap_dim(dim, self.sizes.length)]!
      const from = start < 0 ? start + n : start
      return g.new_zeros(self.sizes).slice_scatter(g, dim, from, from + length)
    },
    samples: r => [
      [r(5, 3), 0, 1, 3],
      [r(4), 0, -2, 2],
    ],
  },
)

/** Inserts a dimension of size 1 at `dim`. */
export const unsqueeze: Op<[self: Tensor, dim: number]> = view_op('unsqueeze(Tensor self, int dim)', {
  geometry(self, dim: number) {
    const d = wrap_dim(dim, self.sizes.length + 1)
    const stride = d >= self.sizes.length ? 1 : self.sizes[d]! * self.strides[d]!
    return { sizes: self.sizes.toSpliced(d, 0, 1), strides: self.strides.toSpliced(d, 0, stride) }
  },
  backward: (g, self, _dim: number) => g.reshape(self.sizes),
  samples: r => [
    [r(2, 3), 1],
    [r(2, 3), -1],
    [r(), 0],
  ],
})

/** Drops dimensions of size 1: all of them, or those named. */
export const squeeze: Op<[self: Tensor, dim?: number | Sizes]> = make_op(
  (...args: readonly unknown[]) => {
    const [self, dim] = bind([squeeze_schema], args).values as [Tensor, number[] | null]
    const ndim = self.sizes.length
    const drop = dim === null ? [...self.sizes.keys()] : wrap_dims(dim, ndim)
    const keep = (d: number): boolean => self.sizes[d] !== 1 || !drop.includes(d)
    const sizes = self.sizes
    return make_view(
      self,
      { sizes: sizes.filter((_, d) => keep(d)), strides: self.strides.filter((_, d) => keep(d)) },
      dim === null ? 'SqueezeBackward0' : 'SqueezeBackward1',
      g => g.reshape(sizes),
    )
  },
  {
    name: 'squeeze',
    schemas: [parse_schema('squeeze(Tensor self, int[]? dim=None)')],
    samples: r => [[r(2, 1, 3, 1)], [r(2, 1, 3), 1], [r(2, 3), 0]],
    differentiable: true,
  },
)
const squeeze_schema = parse_schema('squeeze(Tensor self, int[]? dim=None)')

/** The diagonal of two dimensions, as the last dimension. */
export const diagonal: Op<
  [
    self: Tensor,
    offset?: number | { offset?: number; dim1?: number; dim2?: number },
    dim1?: number,
    dim2?: number,
  ]
> = view_op('diagonal(Tensor self, int offset=0, int dim1=0, int dim2=1)', {
  geometry(self, offset: number, dim1: number, dim2: number) {
    const a = wrap_dim(dim1, self.sizes.length)
    const b = wrap_dim(dim2, self.sizes.length)
    if (a === b) throw new RuntimeError(`diagonal dimensions cannot be identical ${dim1}, ${dim2}`)
    const length = Math.max(
      offset >= 0
        ? Math.min(self.sizes[a]!, self.sizes[b]! - offset)
        : Math.min(self.sizes[a]! + offset, self.sizes[b]!),
      0,
    )
    const start = length === 0 ? 0 : offset >= 0 ? offset * self.strides[b]! : -offset * self.strides[a]!
    const rest = <T>(list: readonly T[]): T[] => list.filter((_, d) => d !== a && d !== b)
    return {
      sizes: [...rest(self.sizes), length],
      strides: [...rest(self.strides), self.strides[a]! + self.strides[b]!],
      offset: self.offset + start,
    }
  },
  backward: (g, self, offset: number, dim1: number, dim2: number) =>
    g.new_zeros(self.sizes).diagonal_scatter(g, offset, dim1, dim2),
  samples: r => [[r(3, 4)], [r(3, 4), 1], [r(2, 3, 4), -1, 1, 2]],
})

/** Slices of `size` elements every `step` along `dimension`, as a new last dimension. */
export const unfold: Op<[self: Tensor, dimension: number, size: number, step: number]> = view_op(
  'unfold(Tensor self, int dimension, int size, int step)',
  {
    geometry(self, dimension: number, size: number, step: number) {
      const d = wrap_dim(dimension, self.sizes.length)
      const n = self.sizes.length === 0 ? 1 : self.sizes[d]!
      if (size > n)
        throw new RuntimeError(`maximum size for tensor at dimension ${d} is ${n} but size is ${size}`)
      if (step <= 0) throw new RuntimeError(`step is ${step} but must be > 0`)
      if (self.sizes.length === 0) return { sizes: [size], strides: [1] }
      const stride = self.strides[d]!
      return {
        sizes: [...self.sizes.map((s, k) => (k === d ? Math.floor((s - size) / step) + 1 : s)), size],
        strides: [...self.strides.map((s, k) => (k === d ? s * step : s)), stride],
      }
    },
    backward(g, self, dimension: number, size: number, step: number) {
      // Each element of a slice goes back to where it came from; overlapping slices add up.
      const d = wrap_dim(dimension, self.sizes.length)
      if (self.sizes.length === 0) return g.reshape([])
      const count = g.sizes[d]!
      const positions = arange(count).mul(step).unsqueeze(1).add(arange(size)).reshape([-1])
      const moved = g.movedim(-1, d + 1).flatten(d, d + 1)
      return g.new_zeros(self.sizes).index_add(d, positions, moved)
    },
    samples: r => [
      [r(7), 0, 3, 2],
      [r(2, 6), 1, 2, 1],
    ],
  },
)

/** Joins the dimensions `start_dim` to `end_dim` into one. */
export const flatten: Op<
  [self: Tensor, start_dim?: number | { start_dim?: number; end_dim?: number }, end_dim?: number]
> = make_op(
  (...args: readonly unknown[]) => {
    const [self, start_dim, end_dim] = bind([flatten_schema], args).values as [Tensor, number, number]
    const ndim = self.sizes.length
    const start = wrap_dim(start_dim, ndim)
    const end = wrap_dim(end_dim, ndim)
    if (start > end) throw new RuntimeError('flatten() has invalid args: start_dim cannot come after end_dim')
    if (ndim === 0) return reshape(self, [1])
    if (start === end) return self
    const joined = self.sizes.slice(start, end + 1).reduce((a, b) => a * b, 1)
    return reshape(self, [...self.sizes.slice(0, start), joined, ...self.sizes.slice(end + 1)])
  },
  {
    name: 'flatten',
    schemas: [parse_schema('flatten(Tensor self, int start_dim=0, int end_dim=-1)')],
    samples: r => [[r(2, 3, 4)], [r(2, 3, 4), 1], [r()]],
    differentiable: true,
  },
)

const flatten_schema = parse_schema('flatten(Tensor self, int start_dim=0, int end_dim=-1)')
