// Methods that change a tensor's sizes in place: t_, squeeze_, unsqueeze_, transpose_ on the same memory with the
// history of the view they are like; resize_, which forgets what the sizes meant. Not here: views (views.ts).
import { RuntimeError } from '../base/errors.ts'
import { same_sizes, wrap_dim, wrap_dims } from '../base/shape.ts'
import { bind, parse_schema } from '../tensor/schema.ts'
import { bump_version, edge_of, modes, records, set_history } from '../tensor/tape.ts'
import { alias, type Tensor } from '../tensor/tensor.ts'
import { FnNode } from './define/fn_node.ts'
import { make_op, type Op } from './define/op.ts'
import { resize } from './define/out.ts'
import { as_strided_backward, check_inplace, type Geometry } from './define/view.ts'
import { as_strided, type Sizes, swapped } from './views.ts'

type Change = Geometry & { node: string; backward: (g: Tensor) => Tensor }

function reshaped<A extends readonly unknown[], V extends readonly unknown[]>(
  signature: string,
  change: (self: Tensor, ...values: V) => Change,
): Op<A> {
  const schema = parse_schema(signature)
  return make_op(
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

function resized(self: Tensor, sizes: readonly number[]): Tensor {
  if (modes.grad && self.requires_grad) throw new RuntimeError('cannot resize variables that require grad')
  const negative = sizes.find(n => n < 0)
  if (negative !== undefined)
    throw new RuntimeError(
      `Trying to create tensor with negative dimension ${negative}: [${sizes.join(', ')}]`,
    )
  if (!same_sizes(self.sizes, sizes)) resize(self, sizes)
  return self
}

const resize_schema = parse_schema('resize_(Tensor self, int... size, *, any? memory_format=None)')

/** Gives the tensor new sizes in place. Memory is kept, grows where it must, and what is new is zero. */
export const resize_: Op<[self: Tensor, ...size: readonly [sizes: Sizes] | readonly number[]]> = make_op(
  (...args: readonly unknown[]) => {
    const [self, size] = bind([resize_schema], args).values as [Tensor, number[]]
    return resized(self, size)
  },
  { name: 'resize_', schemas: [resize_schema], samples: undefined, differentiable: false },
)

const resize_as_schema = parse_schema(
  'resize_as_(Tensor self, Tensor the_template, *, any? memory_format=None)',
)

/** {@link resize_} to the sizes of another tensor. */
export const resize_as_: Op<[self: Tensor, the_template: Tensor]> = make_op(
  (...args: readonly unknown[]) => {
    const [self, other] = bind([resize_as_schema], args).values as [Tensor, Tensor]
    return resized(self, other.sizes)
  },
  { name: 'resize_as_', schemas: [resize_as_schema], samples: undefined, differentiable: false },
)
