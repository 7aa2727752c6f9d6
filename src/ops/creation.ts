// Making tensors that depend on no other tensor: zeros, ones, full, arange, and their kernels.
// Not here: from data (tensor/from_data.ts), random numbers (random.ts).
import { type DType, FloatScalar, get_default_dtype, scalar_dtype } from '../base/dtype.ts'
import { RuntimeError } from '../base/errors.ts'
import { coalesce } from '../base/shape.ts'
import { compute_type } from '../ir/types.ts'
import { empty as empty_memory, kernels } from '../tensor/dispatch.ts'
import { type PlaceLike, require_available } from '../tensor/place.ts'
import { bind, parse_schema } from '../tensor/schema.ts'
import type { Tensor } from '../tensor/tensor.ts'
import { make_op, type Op } from './define/op.ts'
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
  const number = value instanceof FloatScalar ? value.value : value
  if (t.dtype.is_complex) {
    if (!t.dense) throw new RuntimeError('complex tensors that are not contiguous cannot be filled')
    const array = t.memory.array(t.dtype)
    for (let i = 0; i < t.count; i++) {
      array[2 * (t.offset + i)] = Number(number)
      array[2 * (t.offset + i) + 1] = 0
    }
    return
  }
  const typed = launch_value(number, t.dtype)
  if (t.dense) {
    fill_kernel(t.dtype)([t], [typed])
    return
  }
  const { sizes, strides_list } = coalesce(t.sizes, [t.strides])
  fill_strided(t.dtype, sizes.length)([window(t, sizes, strides_list[0]!)], [typed])
}

/** A number as the computing type of `dtype` takes it. */
export function launch_value(value: number | bigint | boolean, dtype: DType): number | bigint | boolean {
  const type = compute_type(dtype)
  if (type === 'bool') return Number(value) !== 0
  if (type === 'i64') return typeof value === 'bigint' ? value : BigInt(Math.trunc(Number(value)))
  return type === 'i32' ? Number(BigInt.asIntN(32, BigInt(Math.trunc(Number(value))))) : Number(value)
}

/** A new contiguous tensor of one value; null leaves memory as it comes. */
export function make_filled(sizes: readonly number[], dtype: DType, value: Number | null, requires_grad = false): Tensor {
  const negative = sizes.find(n => n < 0)
  if (negative !== undefined)
    throw new RuntimeError(`Trying to create tensor with negative dimension ${negative}: [${sizes.join(', ')}]`)
  const out = empty_memory(sizes, dtype)
  if (value !== null && value !== 0 && value !== false) full_value(out, value)
  return requires_grad ? out.requires_grad_() : out
}

export type CreateOptions = {
  dtype?: DType | null
  device?: PlaceLike | null
  requires_grad?: boolean
  layout?: unknown
  pin_memory?: boolean
  memory_format?: unknown
  out?: Tensor
}
const CREATE = '*, dtype? dtype=None, any? layout=None, device? device=None, bool pin_memory=False, bool requires_grad=False, any? memory_format=None'

type SizedArgs = readonly [...size: readonly (number | readonly number[] | CreateOptions)[]]

function sized(name: string, fill: number | null): Op<SizedArgs> {
  const schema = parse_schema(`${name}(int... size, ${CREATE}, Tensor? out=None)`)
  return make_op(
    (...args: SizedArgs) => {
      const [size, dtype, , device, , requires_grad, , out] = bind([schema], args.length === 0 || (args.length === 1 && typeof args[0] === 'object' && !Array.isArray(args[0])) ? [[], ...args] : args)
        .values as [number[], DType | null, unknown, PlaceLike | null, boolean, boolean, unknown, Tensor | null]
      require_available(device)
      const made = make_filled(size, dtype ?? out?.dtype ?? get_default_dtype(), fill, requires_grad)
      if (out === null) return made
      out.resize_(size)
      return out.copy_(made)
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
  return make_op(
    (...args: LikeArgs) => {
      const [self, dtype, , device, , requires_grad] = bind([schema], args).values as [Tensor, DType | null, unknown, PlaceLike | null, boolean, boolean]
      require_available(device)
      return make_filled(self.sizes, dtype ?? self.dtype, fill, requires_grad)
    },
    { name, schemas: [schema], samples: undefined, differentiable: false },
  )
}

/** Zeros of the sizes and dtype of another tensor. */
export const zeros_like: Op<LikeArgs> = like('zeros_like', 0)
/** Ones of the sizes and dtype of another tensor. */
export const ones_like: Op<LikeArgs> = like('ones_like', 1)
/** An uninitialised tensor of the sizes and dtype of another tensor. */
export const empty_like: Op<LikeArgs> = like('empty_like', null)

/** A tensor of one value; the dtype follows from the value. */
export const full: Op<[size: readonly number[], fill_value: Number, opts?: CreateOptions]> = make_op(
  (...args: readonly unknown[]) => {
    const [size, value, dtype, , device, , requires_grad] = bind([full_schema], args).values as [number[], Number, DType | null, unknown, PlaceLike | null, boolean, boolean]
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
    const [dtype, , device, , requires_grad] = values.slice(overload === 0 ? 1 : 3) as [DType | null, unknown, PlaceLike | null, boolean, boolean]
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
  const dtype = given ?? [start, end, step].map(scalar_dtype).find(d => d.is_floating_point) ?? scalar_dtype(1)
  const [a, b, s] = [start, end, step].map(Number) as [number, number, number]
  if (s === 0) throw new RuntimeError('step must be nonzero')
  if (!Number.isFinite(a) || !Number.isFinite(b)) throw new RuntimeError(`unsupported range: ${a} -> ${b}`)
  if ((s > 0 && a > b) || (s < 0 && a < b)) throw new RuntimeError('upper bound and larger bound inconsistent with step sign')
  const out = empty_memory([Math.ceil((b - a) / s)], dtype)
  if (out.count > 0) arange_kernel(dtype)([out], dtype.is_floating_point ? [a, s] : [BigInt(Math.trunc(a)), BigInt(Math.trunc(s))])
  return out
}
