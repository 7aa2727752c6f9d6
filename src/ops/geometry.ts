// Methods that change a tensor's sizes in place: t_, squeeze_, unsqueeze_, transpose_ on the same memory with the
// history of the view they are like; resize_ and set_, which forget what the memory meant. Not here: views (views.ts).
import { RuntimeError } from '../base/errors.ts'
import { format_name, format_strides } from '../base/memory_format.ts'
import { contiguous_strides, extent, numel, same_sizes, wrap_dim, wrap_dims } from '../base/shape.ts'
import { warn } from '../base/warn.ts'
import { empty } from '../tensor/dispatch.ts'
import { bind, parse_schema, type_name } from '../tensor/schema.ts'
import { TypedStorage } from '../tensor/storage_view.ts'
import { bump_version, edge_of, modes, records, set_history } from '../tensor/tape.ts'
import { alias, Tensor } from '../tensor/tensor.ts'
import { FnNode } from './define/fn_node.ts'
import { composite, make_batched_op, make_op, type Op } from './define/op.ts'
import { resize as resize_memory } from './define/out.ts'
import { as_strided_backward, check_inplace, type Geometry, swapped } from './define/view.ts'
import { as_strided, type Sizes } from './views.ts'

type Change = Geometry & { node: string; backward: (g: Tensor) => Tensor }

function reshaped<A extends readonly unknown[], V extends readonly unknown[]>(
  signature: string,
  change: (self: Tensor, ...values: V) => Change,
): Op<A> {
  const schema = parse_schema(signature)
  return make_batched_op(
    (...args: A) => {
      const [self, ...values] = bind([schema], args).values as [Tensor, ...V]
      const recording = records([self])
      check_inplace(self, recording)
      const { sizes, strides, offset = self.offset, node, backward } = change(self, ...values)
      const edge = recording ? edge_of(self) : null
      self.set_geometry(offset, sizes, strides)
      bump_version(self)
      if (edge !== null) set_history(new FnNode(node, [edge], ([g]) => [g ? backward(g) : null]), [self])
      return self
    },
    { name: schema.name, schemas: [schema], samples: undefined, differentiable: false },
  )
}

const swap = (self: Tensor, a: number, b: number): Change => ({
  ...swapped(self, a, b),
  node: 'TransposeBackward1',
  backward: g => g.transpose(a, b),
})

/** In-place {@link transpose}. */
export const transpose_: Op<[self: Tensor, dim0: number, dim1: number]> = reshaped(
  'transpose_(Tensor self, int dim0, int dim1)',
  swap,
)
/** Another name of {@link transpose_}. */
export const swapaxes_: Op<[self: Tensor, axis0: number, axis1: number]> = reshaped(
  'swapaxes_(Tensor self, int axis0, int axis1)',
  swap,
)
/** Another name of {@link transpose_}. */
export const swapdims_: Op<[self: Tensor, dim0: number, dim1: number]> = reshaped(
  'swapdims_(Tensor self, int dim0, int dim1)',
  swap,
)

/** In-place {@link t}. */
export const t_: Op<[self: Tensor]> = reshaped('t_(Tensor self)', (self: Tensor) => {
  const ndim = self.sizes.length
  if (ndim > 2) throw new RuntimeError(`t_() expects a tensor with <= 2 dimensions, but self is ${ndim}D`)
  return { ...(ndim < 2 ? self : swapped(self, 0, 1)), node: 'TBackward1', backward: g => g.t() }
})

/** In-place {@link squeeze}. */
export const squeeze_: Op<[self: Tensor, dim?: number | Sizes]> = reshaped(
  'squeeze_(Tensor self, int[]? dim=None)',
  (self: Tensor, dim: number[] | null) => {
    const { sizes, strides } = self
    const drop = dim === null ? [...sizes.keys()] : wrap_dims(dim, sizes.length)
    const keep = (_: number, d: number): boolean => sizes[d] !== 1 || !drop.includes(d)
    return {
      sizes: sizes.filter(keep),
      strides: strides.filter(keep),
      node: dim === null ? 'SqueezeBackward2' : 'SqueezeBackward3',
      backward: g => g.reshape(sizes),
    }
  },
)

/** In-place {@link unsqueeze}. */
export const unsqueeze_: Op<[self: Tensor, dim: number]> = reshaped(
  'unsqueeze_(Tensor self, int dim)',
  (self: Tensor, dim: number) => {
    const { sizes, strides } = self
    const d = wrap_dim(dim, sizes.length + 1)
    const stride = d >= sizes.length ? 1 : sizes[d]! * strides[d]!
    return {
      sizes: sizes.toSpliced(d, 0, 1),
      strides: strides.toSpliced(d, 0, stride),
      node: 'UnsqueezeBackward1',
      backward: g => g.reshape(sizes),
    }
  },
)

/** In-place {@link as_strided}. Throws RuntimeError where the memory is too small. */
export const as_strided_: Op<[self: Tensor, size: Sizes, stride: Sizes, storage_offset?: number | null]> =
  reshaped(
    'as_strided_(Tensor self, int[] size, int[] stride, int? storage_offset=None)',
    (self: Tensor, size: number[], stride: number[], storage_offset: number | null) => {
      const offset = as_strided(alias(self), size, stride, storage_offset).offset
      const before = alias(self)
      return {
        sizes: size,
        strides: stride,
        offset,
        node: 'AsStridedBackward1',
        backward: g => as_strided_backward(g, before, size, stride, offset),
      }
    },
  )

function resized(self: Tensor, sizes: readonly number[], format: unknown): Tensor {
  if (modes.grad && self.requires_grad) throw new RuntimeError('cannot resize variables that require grad')
  const negative = sizes.find(n => n < 0)
  if (negative !== undefined)
    throw new RuntimeError(
      `Trying to create tensor with negative dimension ${negative}: [${sizes.join(', ')}]`,
    )
  if (!same_sizes(self.sizes, sizes)) resize_memory(self, sizes)
  const strides = format === null ? null : format_strides(format_name(format), sizes)
  if (strides !== null) self.set_geometry(self.offset, self.sizes, strides)
  return self
}

const resize_schema = parse_schema('resize_(Tensor self, int... size, *, any? memory_format=None)')

/** Gives the tensor new sizes in place. Memory is kept, grows where it must, and what is new is zero. */
export const resize_: Op<[self: Tensor, ...size: readonly [sizes: Sizes] | readonly number[]]> = make_op(
  (...args: readonly unknown[]) => {
    const [self, size, format] = bind([resize_schema], args).values as [Tensor, number[], unknown]
    return resized(self, size, format)
  },
  { name: 'resize_', schemas: [resize_schema], samples: undefined, differentiable: false },
)

const resize_as_schema = parse_schema(
  'resize_as_(Tensor self, Tensor the_template, *, any? memory_format=None)',
)

/** {@link resize_} to the sizes of another tensor. */
export const resize_as_: Op<[self: Tensor, the_template: Tensor]> = make_op(
  (...args: readonly unknown[]) => {
    const [self, other, format] = bind([resize_as_schema], args).values as [Tensor, Tensor, unknown]
    return resized(self, other.sizes, format)
  },
  { name: 'resize_as_', schemas: [resize_as_schema], samples: undefined, differentiable: false },
)

function checked_resize(name: string, self: Tensor, size: readonly number[]): Tensor {
  warn(`non-inplace ${name} is deprecated`)
  if (numel(size) !== self.count)
    throw new RuntimeError(
      `requested resize to ${size.join('x')} (${numel(size)} elements in total), but the given tensor has a size of ${self.sizes.join('x')} (${self.count} elements). autograd's resize can only change the shape of a given tensor, while preserving the number of elements. `,
    )
  return self.contiguous().view(size)
}

/** A view of other sizes. Deprecated: use {@link Tensor.view}. Throws RuntimeError for another number of elements. */
export const resize: Op<[self: Tensor, ...size: readonly [sizes: Sizes] | readonly number[]]> = composite(
  'resize(Tensor self, int... size)',
  { body: (self: Tensor, size: number[]) => checked_resize('resize', self, size), out: false },
)

/** {@link resize} to the sizes of another tensor. */
export const resize_as: Op<[self: Tensor, tensor: Tensor]> = composite(
  'resize_as(Tensor self, Tensor tensor)',
  {
    body: (self: Tensor, tensor: Tensor) => checked_resize('resize_as', self, tensor.sizes),
    out: false,
  },
)

/**
 * Makes the tensor show other memory: that of a tensor, or a window of a storage. Without arguments it becomes empty. Throws
 * RuntimeError where the dtypes differ.
 */
export const set_: Op<
  [self: Tensor, source?: Tensor | TypedStorage, storage_offset?: number, size?: Sizes, stride?: Sizes]
> = composite(
  [
    'set_(Tensor self)',
    'set_(Tensor self, any source)',
    'set_(Tensor self, any source, int storage_offset, int[] size, int[] stride=[])',
  ],
  {
    body(self: Tensor, source?: unknown, offset?: number, size?: number[], stride?: number[]) {
      check_inplace(self, records([self]))
      const from = source ?? empty([0], self.dtype)
      if (!(from instanceof Tensor || from instanceof TypedStorage))
        throw new TypeError(`set_(): argument 'source' must be Storage or Tensor, not ${type_name(from)}`)
      if (from.dtype !== self.dtype)
        throw new RuntimeError(`set_(): expected ${self.dtype} memory, but got ${from.dtype}`)
      const memory = from instanceof Tensor ? from.memory : from._memory
      if (size !== undefined) {
        const strides = stride === undefined || stride.length === 0 ? contiguous_strides(size) : stride
        memory.grow((offset! + extent(size, strides).max + 1) * self.dtype.itemsize)
        self.memory = memory
        self.set_geometry(offset!, size, strides)
      } else {
        self.memory = memory
        if (from instanceof Tensor) self.set_geometry(from.offset, from.sizes, from.strides)
        else self.set_geometry(0, [from.size()], [1])
      }
      bump_version(self)
      return self
    },
    out: false,
  },
)
