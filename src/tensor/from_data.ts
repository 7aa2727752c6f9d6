// Tensors from JavaScript values and back: nested arrays, typed arrays (shared or copied), plain numbers.
// Not here: reading one element (Tensor.item), printing.
import { ComplexScalar } from '../base/complex_scalar.ts'
import {
  type DType,
  dtypes,
  FloatScalar,
  float32,
  float64,
  get_default_dtype,
  int64,
  is_plain_number,
  type PlainNumber,
  promote_types,
  read_complex,
  read_element,
  scalar_dtype,
  type TypedArray,
  uint8,
  write_element,
} from '../base/dtype.ts'
import { RuntimeError, ValueError } from '../base/errors.ts'
import { numel } from '../base/shape.ts'
import { Storage } from '../device/storage.ts'
import { empty } from './dispatch.ts'
import { type_name } from './schema.ts'
import { contiguous_tensor, narrow_bigint, Tensor } from './tensor.ts'

type Item = PlainNumber
/** What a tensor can be made from: a value, nested arrays of values, a typed array, a tensor. */
export type TensorData = Item | TypedArray | Tensor | readonly TensorData[]

const is_typed_array = (x: unknown): x is TypedArray => ArrayBuffer.isView(x) && !(x instanceof DataView)

/** The dtype whose memory a typed array is. Throws TypeError where there is none. */
export function dtype_of_array(array: TypedArray): DType {
  if (array instanceof Uint8Array || array instanceof Uint8ClampedArray) return uint8
  const dtype = dtypes.find(
    d =>
      d.category > 0 &&
      !d.is_complex &&
      d.itemsize > 0 &&
      d.array !== Uint16Array &&
      array instanceof d.array,
  )
  if (dtype === undefined)
    throw new TypeError(
      `can't convert ${array.constructor.name}. The only supported types are: Float64Array, Float32Array, BigInt64Array, Int32Array, Int16Array, Int8Array and Uint8Array.`,
    )
  return dtype
}

function sizes_of(data: TensorData): number[] {
  const sizes: number[] = []
  let level: unknown = data
  while (Array.isArray(level) || is_typed_array(level)) {
    sizes.push(level.length)
    if (level.length === 0) return sizes
    level = level[0]
  }
  if (level instanceof Tensor) sizes.push(...level.sizes)
  return sizes
}

/** Calls `visit` with every value, in order. Throws where nesting is uneven, as PyTorch does. */
function walk(data: unknown, sizes: readonly number[], d: number, visit: (x: Item) => void): void {
  if (Array.isArray(data) || is_typed_array(data)) {
    if (d >= sizes.length) throw new ValueError(`only one element tensors can be converted to Python scalars`)
    if (data.length !== sizes[d])
      throw new ValueError(`expected sequence of length ${sizes[d]} at dim ${d} (got ${data.length})`)
    for (let i = 0; i < data.length; i++) walk(data[i], sizes, d + 1, visit)
    return
  }
  if (data instanceof Tensor) {
    if (data.sizes.join() !== sizes.slice(d).join())
      throw new ValueError('only one element tensors can be converted to Python scalars')
    each_element(data, visit)
    return
  }
  if (d < sizes.length) throw new TypeError(`not a sequence`)
  if (is_plain_number(data)) {
    visit(data)
    return
  }
  if (typeof data === 'string')
    throw new TypeError(d === 0 ? `new(): invalid data type 'str'` : `too many dimensions 'str'`)
  throw new RuntimeError(`Could not infer dtype of ${type_name(data)}`)
}

/** Calls `visit` with the elements in index order. */
export function each_element(t: Tensor, visit: (x: number | bigint | boolean | ComplexScalar) => void): void {
  const array = t.memory.peek(t.dtype)
  const go = (d: number, at: number): void => {
    if (d === t.sizes.length)
      visit(t.dtype.is_complex ? read_complex(array, at) : read_element(array, t.dtype, at))
    else for (let i = 0; i < t.sizes[d]!; i++) go(d + 1, at + i * t.strides[d]!)
  }
  go(0, t.offset)
}

function infer_dtype(data: TensorData, sizes: readonly number[]): DType {
  if (is_typed_array(data)) return dtype_of_array(data)
  if (data instanceof Tensor) return data.dtype
  let found: DType | null = null
  const lift = (dtype: DType): void => {
    found = found === null ? dtype : promote_types(found, dtype)
  }
  const scan = (x: unknown): void => {
    if (Array.isArray(x)) for (const y of x) scan(y)
    else if (is_typed_array(x)) lift(dtype_of_array(x))
    else if (x instanceof Tensor) lift(x.dtype)
    else if (typeof x === 'number') {
      if (found !== float32 && found !== float64) lift(scalar_dtype(x))
    } else if (is_plain_number(x)) lift(scalar_dtype(x))
  }
  scan(data)
  return found ?? (numel(sizes) === 0 ? get_default_dtype() : int64)
}

/** A new tensor holding a copy of `data`; the dtype follows from the values unless given. */
export function tensor_from(data: TensorData, dtype: DType | null = null): Tensor {
  const sizes = sizes_of(data)
  const wanted = dtype ?? infer_dtype(data, sizes)
  const out = empty(sizes, wanted)
  if (is_typed_array(data) && dtype_of_array(data) === wanted) {
    out.memory.touch(wanted).set(data as never, 0)
    return out
  }
  const array = out.memory.touch(wanted)
  let at = 0
  const plain = wanted === float32 || wanted === float64
  walk(data, sizes, 0, x => {
    const value = x instanceof FloatScalar ? x.value : x
    if (wanted.is_complex) {
      const [re, im] = value instanceof ComplexScalar ? [value.real, value.imag] : [Number(value), 0]
      array[2 * at] = re
      array[2 * at++ + 1] = im
    } else if (value instanceof ComplexScalar) throw new TypeError('must be real number, not complex')
    else if (plain) (array as Float32Array)[at++] = Number(value)
    else write_element(array, wanted, at++, value)
  })
  return out
}

/** A 1-d tensor on the memory of a typed array: each sees what is written to the other. */
export function share_array(array: TypedArray, dtype: DType = dtype_of_array(array)): Tensor {
  return contiguous_tensor(
    Storage.over(array.buffer, array.byteOffset, array.byteLength),
    [array.length],
    dtype,
  )
}

/**
 * The tensor's memory as a typed array, in row-major order, shared both ways. Throws for tensors in a graph, for
 * those that are not contiguous, and for bfloat16.
 */
export function to_typed_array(t: Tensor): TypedArray {
  if (t.requires_grad)
    throw new RuntimeError(
      "Can't call numpy() on Tensor that requires grad. Use tensor.detach().numpy() instead.",
    )
  if (t.dtype.name === 'bfloat16') throw new TypeError('Got unsupported ScalarType BFloat16')
  if (!t.dense)
    throw new RuntimeError('numpy(): a typed array has no strides: call .contiguous() first, which copies')
  const per = t.dtype.is_complex ? 2 : 1
  return t.memory.array(t.dtype).subarray(t.offset * per, (t.offset + t.count) * per) as TypedArray
}

/** Nested arrays of the elements, or the element itself of a 0-dim tensor. */
export type Nested = number | boolean | bigint | ComplexScalar | Nested[]
export function to_list(t: Tensor): Nested {
  const array = t.memory.peek(t.dtype)
  const go = (d: number, at: number): Nested => {
    if (d === t.sizes.length) {
      if (t.dtype.is_complex) return read_complex(array, at)
      const value = read_element(array, t.dtype, at)
      return typeof value === 'bigint' ? narrow_bigint(value) : value
    }
    return Array.from({ length: t.sizes[d]! }, (_, i) => go(d + 1, at + i * t.strides[d]!))
  }
  return go(0, t.offset)
}
