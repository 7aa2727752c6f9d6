// Making tensors that depend on no other tensor: zeros, ones, full, arange, and their kernels.
// Not here: from data (tensor/from_data.ts), random numbers (random.ts).

import { ComplexScalar } from '../base/complex_scalar.ts'
import { type DType, get_default_dtype, int64, scalar_dtype } from '../base/dtype.ts'
import { RuntimeError } from '../base/errors.ts'
import { general } from '../base/format.ts'
import { format_name, format_strides } from '../base/memory_format.ts'
import { coalesce, is_contiguous } from '../base/shape.ts'
import type { LaunchValue } from '../device/device.ts'
import { compute_type } from '../ir/types.ts'
import {
  empty_in_order,
  empty as empty_memory,
  empty_strided as empty_strided_memory,
  kernels,
  zeros as zeros_memory,
} from '../tensor/dispatch.ts'
import { type PlaceLike, require_available } from '../tensor/place.ts'
import { bind, is_options, parse_schema, type Schema } from '../tensor/schema.ts'
import type { Tensor } from '../tensor/tensor.ts'
import { real_number } from './define/numbers.ts'
import { make_batched_op, make_op, type Op } from './define/op.ts'
import { resize_out } from './define/out.ts'
import type { Number } from './define/pointwise.ts'
import { window } from './define/space.ts'

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

function filled(out: Tensor, value: Number | null, requires_grad: boolean): Tensor {
  if (value !== null) full_value(out, value)
  return requires_grad ? out.requires_grad_() : out
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

function sized(name: string, fill: number | null): Op<SizedArgs> {
  const schema = parse_schema(`${name}(int... size, ${CREATE}, Tensor? out=None)`)
  return make_op(
    (...args: SizedArgs) => {
      const [size, dtype, , device, , requires_grad, format, out] = bind_sized(schema, args) as [
        number[],
        DType | null,
        unknown,
        PlaceLike | null,
        boolean,
        boolean,
        unknown,
        Tensor | null,
      ]
      require_available(device)
      if (out === null) {
        const made = make_filled(size, dtype ?? get_default_dtype(), fill, requires_grad)
        const strides = format === null ? null : format_strides(format_name(format), size)
        if (strides !== null) made.set_geometry(made.offset, made.sizes, strides)
        return made
      }
      resize_out(out, size)
      return fill === null ? out : out.fill_(fill)
    },
    { name, schemas: [schema], samples: undefined, differentiable: false },
  )
}

/** Zeros of the given size. */
export const zeros: Op<SizedArgs> = sized('zeros', 0)
/** Ones of the given size. */
export const ones: Op<SizedArgs> = sized('ones', 1)
/** A tensor whose values are whatever memory holds (zeros, here). */
export const empty: Op<SizedArgs> = sized('empty', null)

type LikeArgs = readonly [input: Tensor, opts?: CreateOptions]
function like(name: string, fill: number | null): Op<LikeArgs> {
  const schema = parse_schema(`${name}(Tensor self, ${CREATE})`)
  return make_batched_op(
    (...args: LikeArgs) => {
      const [self, ...values] = bind([schema], args).values as [Tensor, ...unknown[]]
      return make_like(self, fill, values)
    },
    { name, schemas: [schema], samples: undefined, differentiable: false },
  )
}

/** A tensor like `self` filled with `fill`, by the values of the options CREATE. */
function make_like(self: Tensor, fill: Number | null, options: readonly unknown[]): Tensor {
  const [dtype, , device, , requires_grad, memory_format] = options as [
    DType | null,
    unknown,
    PlaceLike | null,
    boolean,
    boolean,
    unknown,
  ]
  require_available(device)
  return filled(empty_as(self, dtype ?? self.dtype, memory_format), fill, requires_grad)
}

/** Zeros of the sizes and dtype of another tensor. */
export const zeros_like: Op<LikeArgs> = like('zeros_like', 0)
/** Ones of the sizes and dtype of another tensor. */
export const ones_like: Op<LikeArgs> = like('ones_like', 1)
/** An uninitialised tensor of the sizes and dtype of another tensor. */
export const empty_like: Op<LikeArgs> = like('empty_like', null)

const full_like_schema = parse_schema(`full_like(Tensor self, Scalar fill_value, ${CREATE})`)
/** A tensor of one value with the sizes and dtype of another tensor. */
export const full_like: Op<[input: Tensor, fill_value: Number, opts?: CreateOptions]> = make_batched_op(
  (...args: readonly unknown[]) => {
    const [self, value, ...values] = bind([full_like_schema], args).values as [Tensor, Number, ...unknown[]]
    return make_like(self, value, values)
  },
  { name: 'full_like', schemas: [full_like_schema], samples: undefined, differentiable: false },
)

/** A tensor of one value; the dtype follows from the value. */
export const full: Op<[size: readonly number[], fill_value: Number, opts?: CreateOptions]> = make_op(
  (...args: readonly unknown[]) => {
    const [size, value, dtype, , device, , requires_grad] = bind([full_schema], args).values as [
      number[],
      Number,
      DType | null,
      unknown,
      PlaceLike | null,
      boolean,
      boolean,
    ]
    require_available(device)
    return make_filled(size, dtype ?? scalar_dtype(value), value, requires_grad)
  },
  { name: 'full', schemas: [], samples: undefined, differentiable: false },
)
const full_schema = parse_schema(`full(int[] size, Scalar fill_value, ${CREATE})`)

const arange_kernel = kernels('arange', (k, dtype: DType) => {
  const out = k.output('out', dtype, 'flat')
  const integral = out.type === 'i32' || out.type === 'i64' || out.type === 'bool'
  const type = integral ? 'i64' : 'f64'
  const start = k.value('start', type)
  const step = k.value('step', type)
  k.for(out.sizes[0]!, 'vector', i => k.store(out, [i], start.add(i.cast(type).mul(step)).cast(out.type)))
})

/** Numbers from `start` (0) to `end` (not included) in steps: `arange(end)`, `arange(start, end, step)`. */
export const arange: Op<readonly [...args: readonly (Number | CreateOptions)[]]> = make_op(
  (...args: readonly unknown[]) => {
    const { overload, values } = bind(arange_schemas, args)
    const [start, end, step] = overload === 0 ? [0, values[0], 1] : values
    const [dtype, , device, , requires_grad] = values.slice(overload === 0 ? 1 : 3) as [
      DType | null,
      unknown,
      PlaceLike | null,
      boolean,
      boolean,
    ]
    require_available(device)
    return make_range(start as Number, end as Number, step as Number, dtype).requires_grad_(requires_grad)
  },
  { name: 'arange', schemas: [], samples: undefined, differentiable: false },
)
const arange_schemas = [
  parse_schema(`arange(Scalar end, ${CREATE})`),
  parse_schema(`arange(Scalar start, Scalar end, Scalar step=1, ${CREATE})`),
]

function make_range(start: Number, end: Number, step: Number, given: DType | null): Tensor {
  const dtype =
    given ?? [start, end, step].map(scalar_dtype).find(d => d.is_floating_point) ?? scalar_dtype(1)
  const numbers = [start, end, step].map(Number)
  if (!numbers.slice(0, 2).every(Number.isFinite))
    throw new RuntimeError(`unsupported range: ${general(numbers[0]!)} -> ${general(numbers[1]!)}`)
  // int64 counts its steps between whole bounds, the narrower integers between the bounds as given.
  const bounds = dtype === int64 ? numbers.map(Math.trunc) : numbers
  const [a, b] = bounds as [number, number]
  const s = dtype.is_floating_point ? numbers[2]! : Math.trunc(numbers[2]!)
  if (s === 0) throw new RuntimeError('step must be nonzero')
  if ((s > 0 && a > b) || (s < 0 && a < b))
    throw new RuntimeError('upper bound and larger bound inconsistent with step sign')
  return write_range(a, s, Math.ceil((b - a) / (dtype === int64 ? s : numbers[2]!)), dtype)
}

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
