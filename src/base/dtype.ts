/**
 * The twelve element types, type promotion and numeric limits, as PyTorch has them.
 *
 * What an element type is and how types combine, with no tensors: an operand here is a dtype and its sizes.
 * The bits of the 16-bit floats are in half.ts (re-exported here).
 */

import { ComplexScalar } from './complex_scalar.ts'
import { general } from './format.ts'
import { bfloat16_to_float, float_to_bfloat16, float_to_half, half_to_float } from './half.ts'
import { print_as } from './inspect.ts'

export { bfloat16_to_float, float_to_bfloat16, float_to_half, half_to_float } from './half.ts'

export type DTypeName =
  | 'bool'
  | 'uint8'
  | 'int8'
  | 'int16'
  | 'int32'
  | 'int64'
  | 'float16'
  | 'bfloat16'
  | 'float32'
  | 'float64'
  | 'complex64'
  | 'complex128'

/** The typed arrays that hold elements: 16-bit floats as raw bits, complex numbers as two floats an element. */
export type TypedArray =
  | Uint8Array
  | Uint8ClampedArray
  | Int8Array
  | Int16Array
  | Uint16Array
  | Int32Array
  | BigInt64Array
  | Float32Array
  | Float64Array

export interface TypedArrayConstructor {
  readonly name: string
  readonly BYTES_PER_ELEMENT: number
  new (length: number): TypedArray
  new (buffer: ArrayBufferLike, byte_offset?: number, length?: number): TypedArray
}

/** bool, integral, floating, complex: promotion crosses from one to the next, never back. */
export type Category = 0 | 1 | 2 | 3

/** An element type, `torch.float32` and the like. There are twelve, compared by identity. */
export class DType {
  readonly name: DTypeName
  /** Dense, 0 to 11, in the order of `dtypes`. */
  readonly code: number
  /** Bytes an element. */
  readonly itemsize: number
  readonly category: Category
  readonly is_floating_point: boolean
  readonly is_complex: boolean
  readonly is_signed: boolean
  /** The legacy class name: 'FloatTensor'. */
  readonly tensor_type: string
  /** The typed array of a storage of this type. */
  readonly array: TypedArrayConstructor

  constructor(
    name: DTypeName,
    code: number,
    itemsize: number,
    category: Category,
    tensor_type: string,
    array: TypedArrayConstructor,
  ) {
    this.name = name
    this.code = code
    this.itemsize = itemsize
    this.category = category
    this.is_floating_point = category === 2
    this.is_complex = category === 3
    this.is_signed = name !== 'bool' && name !== 'uint8'
    this.tensor_type = tensor_type
    this.array = array
    Object.freeze(this)
  }

  toString(): string {
    return `torch.${this.name}`
  }
}

print_as(DType, self => self.toString())

export const bool: DType = new DType('bool', 0, 1, 0, 'BoolTensor', Uint8Array)
export const uint8: DType = new DType('uint8', 1, 1, 1, 'ByteTensor', Uint8Array)
export const int8: DType = new DType('int8', 2, 1, 1, 'CharTensor', Int8Array)
export const int16: DType = new DType('int16', 3, 2, 1, 'ShortTensor', Int16Array)
export const int32: DType = new DType('int32', 4, 4, 1, 'IntTensor', Int32Array)
export const int64: DType = new DType('int64', 5, 8, 1, 'LongTensor', BigInt64Array)
export const float16: DType = new DType('float16', 6, 2, 2, 'HalfTensor', Uint16Array)
export const bfloat16: DType = new DType('bfloat16', 7, 2, 2, 'BFloat16Tensor', Uint16Array)
export const float32: DType = new DType('float32', 8, 4, 2, 'FloatTensor', Float32Array)
export const float64: DType = new DType('float64', 9, 8, 2, 'DoubleTensor', Float64Array)
export const complex64: DType = new DType('complex64', 10, 8, 3, 'ComplexFloatTensor', Float32Array)
export const complex128: DType = new DType('complex128', 11, 16, 3, 'ComplexDoubleTensor', Float64Array)

export {
  complex64 as cfloat,
  complex128 as cdouble,
  float16 as half,
  float32 as float,
  float64 as double,
  int16 as short,
  int32 as int,
  int64 as long,
}

/** Every dtype, by its code. */
export const dtypes: readonly DType[] = Object.freeze([
  bool,
  uint8,
  int8,
  int16,
  int32,
  int64,
  float16,
  bfloat16,
  float32,
  float64,
  complex64,
  complex128,
])

// ---------------------------------------------------------------------------------------------- promotion

/** The floating-point type of a complex type's parts; any other type is returned as it is. */
export function to_real_dtype(dtype: DType): DType {
  return dtype === complex64 ? float32 : dtype === complex128 ? float64 : dtype
}

/** The complex type with parts of `dtype`. There is no complex32: float16 and bfloat16 give complex64. */
export function to_complex_dtype(dtype: DType): DType {
  return dtype.is_complex ? dtype : dtype === float64 ? complex128 : complex64
}

/** The smallest type that holds both: `torch.promote_types`. */
export function promote_types(a: DType, b: DType): DType {
  if (a === b) return a
  if (a.category > b.category) return promote_types(b, a)
  if (b.is_complex) return a === float64 || a === complex128 ? complex128 : b
  if (a.category < b.category) return b
  if (b.is_floating_point) return a.itemsize === b.itemsize ? float32 : a.itemsize > b.itemsize ? a : b
  // Two different integral types: uint8 and int8 meet in int16; otherwise the wider one holds the other.
  return a.itemsize === b.itemsize ? int16 : a.itemsize > b.itemsize ? a : b
}

/** Whether `from` converts to `to` without dropping to an earlier category: `torch.can_cast`. */
export function can_cast(from: DType, to: DType): boolean {
  return to.category >= from.category
}

let default_dtype: DType = float32

/** The dtype of new floating-point tensors. */
export function get_default_dtype(): DType {
  return default_dtype
}

/** Sets the dtype of new floating-point tensors. Throws TypeError for a type that is not floating-point. */
export function set_default_dtype(dtype: DType): void {
  if (!dtype.is_floating_point) {
    throw new TypeError('only floating-point types are supported as the default type')
  }
  default_dtype = dtype
}

/** A Python float that happens to be whole: `add(int_tensor, float_scalar(2))` is `add(int_tensor, 2.0)`. */
export class FloatScalar {
  readonly value: number
  constructor(value: number) {
    this.value = value
  }
  valueOf(): number {
    return this.value
  }
}

/** Marks a number as a Python float even where it is whole. */
export function float_scalar(value: number): FloatScalar {
  return new FloatScalar(value)
}

/** A number, or what stands for one where PyTorch takes a Number. */
export type PlainNumber = number | bigint | boolean | FloatScalar | ComplexScalar

/** Whether a value is a number, or stands for one. */
export const is_plain_number = (x: unknown): x is PlainNumber =>
  typeof x === 'number' ||
  typeof x === 'bigint' ||
  typeof x === 'boolean' ||
  x instanceof FloatScalar ||
  x instanceof ComplexScalar

/**
 * The dtype that a scalar has on its own: bool for booleans, int64 for bigints and whole numbers, else the default
 * dtype, or the complex one of it. A whole number outside of int64's range can only have been a float.
 */
export function scalar_dtype(value: PlainNumber): DType {
  if (typeof value === 'boolean') return bool
  if (typeof value === 'bigint') return int64
  if (value instanceof ComplexScalar) return to_complex_dtype(default_dtype)
  return Number.isInteger(value) && Math.abs(value as number) < 2 ** 63 ? int64 : default_dtype
}

/** One operand of a promotion: `wrapped` marks a plain number that was made a tensor for the call. */
export interface PromotionOperand {
  readonly dtype: DType
  readonly sizes: readonly number[]
  readonly wrapped?: boolean
}

// A category of higher priority keeps its own dtype; a lower one only lifts it to a further category.
function combine(higher: DType | null, lower: DType | null): DType | null {
  if (higher === null || lower === null) return higher ?? lower
  if (higher.is_complex) return higher
  if (higher.is_floating_point) return lower.is_complex ? to_complex_dtype(higher) : higher
  return higher === bool || lower.category > 1 ? promote_types(higher, lower) : higher
}

/**
 * The dtype of an operation on these operands: `torch.result_type`. Tensors with dimensions come first, then 0-dim
 * tensors, then plain numbers; a later group counts only by its category (bool, integral, floating, complex).
 */
export function result_dtype(operands: readonly PromotionOperand[]): DType {
  let dimensioned: DType | null = null
  let zero_dim: DType | null = null
  let wrapped: DType | null = null
  for (const operand of operands) {
    const { dtype } = operand
    if (operand.sizes.length > 0) {
      dimensioned = dimensioned === null ? dtype : promote_types(dimensioned, dtype)
    } else if (operand.wrapped) {
      const own = dtype.is_complex
        ? to_complex_dtype(default_dtype)
        : dtype.is_floating_point
          ? default_dtype
          : dtype
      wrapped = wrapped === null ? own : promote_types(wrapped, own)
    } else {
      zero_dim = zero_dim === null ? dtype : promote_types(zero_dim, dtype)
    }
  }
  const result = combine(dimensioned, combine(zero_dim, wrapped))
  if (result === null) throw new TypeError('result_dtype needs at least one operand')
  return result
}

// ---------------------------------------------------------------------------------------------- elements

/** One real element as JavaScript has it: a boolean for bool, a bigint only where an int64 is past 2^53. */
export type Element = number | bigint | boolean

/** Element `i` of an array of complex numbers. */
export const read_complex = (array: TypedArray, i: number): ComplexScalar =>
  new ComplexScalar(array[2 * i] as number, array[2 * i + 1] as number)

function int64_to_element(value: bigint): number | bigint {
  const number = Number(value)
  return Number.isSafeInteger(number) ? number : value
}

/**
 * Element `i` of an array of `dtype`, not complex: a boolean for bool, a number, or a bigint for an int64 past 2^53.
 */
export function read_element(array: TypedArray, dtype: DType, i: number): Element {
  const stored = array[i]
  if (stored === undefined) throw new RangeError(`element ${i} of an array of ${array.length}`)
  switch (dtype.name) {
    case 'bool':
      return stored !== 0
    case 'int64':
      return int64_to_element(stored as bigint)
    case 'float16':
      return half_to_float(stored as number)
    case 'bfloat16':
      return bfloat16_to_float(stored as number)
    case 'complex64':
    case 'complex128':
      throw new TypeError(`read_element does not read ${dtype}: a complex element is two floats`)
    default:
      return stored
  }
}

const INT64_MIN = -(2n ** 63n)

// As x86 casts: what int64 cannot hold becomes its lowest value.
function number_to_int64(x: number): bigint {
  return x >= -(2 ** 63) && x < 2 ** 63 ? BigInt(Math.trunc(x)) : INT64_MIN
}

/**
 * Stores `value` as element `i` of an array of `dtype`, not complex, converting as a C cast does: towards zero,
 * integers wrap to the width, anything but zero is true.
 */
export function write_element(array: TypedArray, dtype: DType, i: number, value: Element): void {
  if (dtype.is_complex)
    throw new TypeError(`write_element does not write ${dtype}: a complex element is two floats`)
  if (dtype === int64) {
    const out = array as BigInt64Array
    out[i] = typeof value === 'number' ? number_to_int64(value) : BigInt(value)
  } else {
    const out = array as Exclude<TypedArray, BigInt64Array>
    out[i] = converted(dtype, value)
  }
}

function converted(dtype: DType, value: Element): number {
  switch (dtype.name) {
    case 'bool':
      return value === false || value === 0n || value === 0 ? 0 : 1 // NaN is true, as in C
    case 'float16':
      return float_to_half(Number(value))
    case 'bfloat16':
      return float_to_bfloat16(Number(value))
    case 'float32':
    case 'float64':
      return Number(value)
  }
  // int32 and narrower: typed arrays wrap numbers by themselves, a bigint has to before it loses digits.
  if (typeof value === 'bigint') return Number(BigInt.asIntN(32, value))
  const number = Number(value)
  return Number.isFinite(number) ? number : -(2 ** 31)
}

// ---------------------------------------------------------------------------------------------- limits

/** What `finfo` returns. */
export class FloatLimits {
  readonly bits: number
  readonly eps: number
  readonly max: number
  readonly min: number
  readonly tiny: number
  readonly smallest_normal: number
  readonly resolution: number
  /** The name, 'float32', as PyTorch gives it. */
  readonly dtype: string

  constructor(dtype: DType) {
    check_dtype(dtype, 'finfo')
    const real = to_real_dtype(dtype)
    const format = float_formats[real.name]
    if (format === undefined) {
      throw new TypeError(
        "torch.finfo() requires a floating point input type. Use torch.iinfo to handle 'torch.finfo'",
      )
    }
    const [mantissa, exponent, digits] = format
    this.bits = real.itemsize * 8
    this.eps = 2 ** -mantissa
    this.max = (2 - this.eps) * 2 ** exponent
    this.min = -this.max
    this.tiny = 2 ** (1 - exponent)
    this.smallest_normal = this.tiny
    this.resolution = Number(`1e-${digits}`)
    this.dtype = real.name
  }

  toString(): string {
    const { resolution, min, max, eps, tiny } = this
    const [r, lo, hi, e, t] = [resolution, min, max, eps, tiny].map(general)
    return `finfo(resolution=${r}, min=${lo}, max=${hi}, eps=${e}, smallest_normal=${t}, tiny=${t}, dtype=${this.dtype})`
  }
}

print_as(FloatLimits, self => self.toString())

/** What `iinfo` returns. */
export class IntLimits {
  readonly bits: number
  readonly max: number | bigint
  readonly min: number | bigint
  /** The name, 'int64', as PyTorch gives it. */
  readonly dtype: string

  constructor(dtype: DType) {
    check_dtype(dtype, 'iinfo')
    if (dtype.category > 1) {
      throw new TypeError(
        "torch.iinfo() requires an integer input type. Use torch.finfo to handle 'torch.iinfo'",
      )
    }
    if (dtype === bool) throw new TypeError('torch.bool is not supported by torch.iinfo')
    this.bits = dtype.itemsize * 8
    const max = 2n ** BigInt(dtype.is_signed ? this.bits - 1 : this.bits) - 1n
    this.max = int64_to_element(max)
    this.min = dtype.is_signed ? int64_to_element(-max - 1n) : 0
    this.dtype = dtype.name
  }

  toString(): string {
    return `iinfo(min=${general(Number(this.min))}, max=${general(Number(this.max))}, dtype=${this.dtype})`
  }
}

print_as(IntLimits, self => self.toString())

/** The limits of a floating-point type (for a complex type, of its parts): `torch.finfo`. */
export function finfo(dtype: DType = default_dtype): FloatLimits {
  return new FloatLimits(dtype)
}

/** The limits of an integral type: `torch.iinfo`. `min` and `max` are bigints for int64. */
export function iinfo(dtype: DType): IntLimits {
  return new IntLimits(dtype)
}

// Stored mantissa bits, greatest exponent, decimal digits that survive.
const float_formats: Partial<
  Record<DTypeName, readonly [mantissa: number, exponent: number, digits: number]>
> = {
  float16: [10, 15, 3],
  bfloat16: [7, 127, 2],
  float32: [23, 127, 6],
  float64: [52, 1023, 15],
}

function check_dtype(dtype: unknown, what: string): void {
  if (!(dtype instanceof DType)) {
    throw new TypeError(`${what}(): argument 'type' (position 1) must be torch.dtype, not ${typeof dtype}`)
  }
}
