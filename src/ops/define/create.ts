// What constructors are made of: memory that is checked and filled, with one value or a range, and their schema.
// Not here: the constructors (creation.ts, creation_more.ts).
import { ComplexScalar } from '../../base/complex_scalar.ts'
import type { DType } from '../../base/dtype.ts'
import { RuntimeError } from '../../base/errors.ts'
import { format_name, format_strides } from '../../base/memory_format.ts'
import { coalesce, extent, is_contiguous } from '../../base/shape.ts'
import type { LaunchValue } from '../../device/device.ts'
import { allocate } from '../../device/storage.ts'
import { compute_type } from '../../ir/types.ts'
import {
  empty_in_order,
  empty as empty_memory,
  empty_strided as empty_strided_memory,
  kernels,
  zeros as zeros_memory,
} from '../../tensor/dispatch.ts'
import type { PlaceLike } from '../../tensor/place.ts'
import { bind, is_options, parse_schema, type Schema } from '../../tensor/schema.ts'
import { Tensor } from '../../tensor/tensor.ts'
import { real_number } from './numbers.ts'
import { make_batched_op, type Op } from './op.ts'
import type { Number } from './pointwise.ts'
import { window } from './space.ts'

const fill_kernel = kernels('fill', (k, dtype: DType) => {
  const out = k.output('out', dtype, 'flat')
  const value = k.value('value', out.type)
  k.for(out.sizes[0]!, 'vector', i => k.store(out, [i], value))
})

const fill_strided = kernels('fill_strided', (k, dtype: DType, rank: number) => {
  const out = k.output('out', dtype, { rank })
  const value = k.value('value', out.type)
  k.elementwise(out.sizes, (...i) => k.store(out, i, value))
})

/** Writes `value` to every element; history is not kept. */
export function full_value(t: Tensor, value: Number): void {
  if (t.count === 0) return
  const values = launch_values(value, t.dtype)
  if (t.dense) {
    fill_kernel(t.dtype)([t], values)
    return
  }
  const { sizes, strides_list } = coalesce(t.sizes, [t.strides])
  fill_strided(t.dtype, sizes.length)([window(t, sizes, strides_list[0]!)], values)
}

/** A number as a kernel takes a value of `dtype`: of complex ones both parts. */
export function launch_values(value: Number, dtype: DType): LaunchValue[] {
  if (!dtype.is_complex) return [launch_value(real_number(value, dtype), dtype)]
  return value instanceof ComplexScalar ? [value.real, value.imag] : [Number(value), 0]
}

/** A number as the computing type of `dtype`, not complex, takes it. */
function launch_value(value: number | bigint | boolean, dtype: DType): LaunchValue {
  const type = compute_type(dtype)
  if (type === 'bool') return Number(value) !== 0
  if (type === 'i64') return typeof value === 'bigint' ? value : BigInt(Math.trunc(Number(value)))
  return type === 'i32' ? Number(BigInt.asIntN(32, BigInt(Math.trunc(Number(value))))) : Number(value)
}

/** A new contiguous tensor of one value; null leaves memory as it comes. */
export function make_filled(
  sizes: readonly number[],
  dtype: DType,
  value: Number | null,
  requires_grad = false,
): Tensor {
  const out = empty_checked(sizes, dtype, is_zero(value) ? zeros_memory : empty_memory)
  return filled(out, is_zero(value) ? null : value, requires_grad)
}

const is_zero = (value: Number | null): boolean => value === false || Object.is(value, 0)

/** A new contiguous tensor. Throws RuntimeError for negative sizes. */
export function empty_checked(
  sizes: readonly number[],
  dtype: DType,
  make: typeof empty_memory = empty_memory,
): Tensor {
  const negative = sizes.find(n => n < 0)
  if (negative !== undefined)
    throw new RuntimeError(
      `Trying to create tensor with negative dimension ${negative}: [${sizes.join(', ')}]`,
    )
  return make(sizes, dtype)
}

/**
 * A new tensor of the sizes of `t`, its dimensions in the same order in memory but without gaps or repeats; in
 * the order that the memory format asks for, if it does.
 */
export function empty_as(t: Tensor, dtype: DType, memory_format: unknown = null): Tensor {
  if (memory_format !== null) {
    const strides = format_strides(format_name(memory_format), t.sizes)
    if (strides !== null) return empty_with(t.sizes, strides, dtype)
  }
  return t.dense ? empty_memory(t.sizes, dtype) : empty_in_order(t.sizes, t.strides, dtype)
}

const empty_with = (sizes: readonly number[], strides: readonly number[], dtype: DType): Tensor =>
  is_contiguous(sizes, strides) ? empty_memory(sizes, dtype) : empty_strided_memory(sizes, strides, dtype)

export type CreateOptions = {
  dtype?: DType | null
  device?: PlaceLike | null
  requires_grad?: boolean
  layout?: unknown
  pin_memory?: boolean
  memory_format?: unknown
  out?: Tensor
}
export const CREATE =
  '*, dtype? dtype=None, any? layout=None, device? device=None, bool pin_memory=False, bool requires_grad=False, any? memory_format=None'

export type SizedArgs = readonly [...size: readonly (number | readonly number[] | CreateOptions)[]]

/** Binds the arguments of `name(int... size, *, ...)`, where no size at all means []. */
export function bind_sized(schema: Schema, args: readonly unknown[]): unknown[] {
  const [first] = args
  const no_size =
    first === undefined || (args.length === 1 && is_options(first) && !Object.hasOwn(first, 'size'))
  return bind([schema], no_size ? [[], ...args] : args).values
}

const arange_kernel = kernels('arange', (k, dtype: DType) => {
  const out = k.output('out', dtype, 'flat')
  const integral = out.type === 'i32' || out.type === 'i64' || out.type === 'bool'
  const type = integral ? 'i64' : 'f64'
  const start = k.value('start', type)
  const step = k.value('step', type)
  k.for(out.sizes[0]!, 'vector', i => k.store(out, [i], start.add(i.cast(type).mul(step)).cast(out.type)))
})

/** `count` numbers from `start` on in steps. */
export function write_range(start: number, step: number, count: number, dtype: DType): Tensor {
  const out = empty_memory([count], dtype)
  if (count > 0)
    arange_kernel(dtype)(
      [out],
      dtype.is_floating_point ? [start, step] : [BigInt(Math.trunc(start)), BigInt(Math.trunc(step))],
    )
  return out
}

export function filled(out: Tensor, value: Number | null, requires_grad: boolean): Tensor {
  if (value !== null) full_value(out, value)
  return requires_grad ? out.requires_grad_() : out
}

/** A function that only makes a tensor: bound values in, no history out. */
export function maker<A extends readonly unknown[]>(
  signature: string,
  make: (...values: never[]) => Tensor,
): Op<A> {
  const schema = parse_schema(signature)
  return make_batched_op((...args: A) => make(...(bind([schema], args).values as never[])), {
    name: schema.name,
    schemas: [schema],
    samples: undefined,
    differentiable: false,
  })
}

/** The values of the options CREATE. */
export type Created = [DType | null, unknown, PlaceLike | null, boolean, boolean, unknown]

// ---------------------------------------------------------------------------------------------- strides

export function make_strided(size: readonly number[], stride: readonly number[], dtype: DType): Tensor {
  if (size.length !== stride.length)
    throw new RuntimeError(
      `dimensionality of sizes (${size.length}) must match dimensionality of strides (${stride.length})`,
    )
  const negative = size.find(n => n < 0)
  if (negative !== undefined)
    throw new RuntimeError(
      `Trying to create tensor with negative dimension ${negative}: [${size.join(', ')}]`,
    )
  if (stride.some(s => s < 0))
    throw new RuntimeError(
      `Storage size calculation overflowed with sizes=[${size.join(', ')}] and strides=[${stride.join(', ')}]`,
    )
  return new Tensor(
    allocate((extent(size, stride).max + 1) * dtype.itemsize),
    0,
    [...size],
    [...stride],
    dtype,
  )
}
