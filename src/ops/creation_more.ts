// More ways to make a tensor: ranges by their number of steps, identity matrices, tensors with given strides, from
// buffers and array-likes. Not here: zeros, full, arange (creation.ts), tensor and as_tensor (data.ts).

import { ComplexScalar } from '../base/complex_scalar.ts'
import {
  bool,
  type DType,
  float32,
  float64,
  get_default_dtype,
  read_element,
  type TypedArray,
  to_complex_dtype,
  write_element,
} from '../base/dtype.ts'
import { RuntimeError, ValueError } from '../base/errors.ts'
import { general } from '../base/format.ts'
import { warn } from '../base/warn.ts'
import { Storage } from '../device/storage.ts'
import type { Expr } from '../ir/expr.ts'
import type { Builder } from '../ir/kernel.ts'
import { real_type } from '../ir/types.ts'
import { empty as empty_memory, kernels, zeros as zeros_memory } from '../tensor/dispatch.ts'
import { share_array, type TensorData, tensor_from } from '../tensor/from_data.ts'
import { type PlaceLike, require_available } from '../tensor/place.ts'
import { alias, contiguous_tensor, Tensor } from '../tensor/tensor.ts'
import { to_dtype } from './convert.ts'
import {
  CREATE,
  type Created,
  type CreateOptions,
  full_value,
  launch_values,
  make_filled,
  make_strided,
  maker,
  write_range,
} from './define/create.ts'
import type { Op } from './define/op.ts'
import { resize_out, scalar_name } from './define/out.ts'
import type { Number as Numeric } from './define/pointwise.ts'
import { not_implemented } from './define/rules.ts'

function place_in(out: Tensor | null, made: Tensor, requires_grad: boolean): Tensor {
  if (out === null) return requires_grad ? made.requires_grad_() : made
  resize_out(out, made.sizes)
  return out.copy_(made)
}

// ---------------------------------------------------------------------------------------------- steps

/** Element i of a range that is computed from whichever end is nearer, so that both ends are exact. */
function step_value(k: Builder, i: Expr): Expr {
  const [start, end, step, last] = ['start', 'end', 'step', 'last'].map(name => k.value(name, 'f64')) as [
    Expr,
    Expr,
    Expr,
    Expr,
  ]
  const half = k.value('half', 'f64')
  const at = i.cast('f64')
  return at.lt(half).where(start.add(step.mul(at)), end.sub(step.mul(last.sub(at))))
}

const linspace_kernel = kernels('linspace', (k, dtype: DType) => {
  const out = k.output('out', dtype, 'flat')
  const value =
    dtype === float32 ? vector_value(k, 8, 'f32') : dtype === float64 ? vector_value(k, 4, 'f64') : null
  k.for(out.sizes[0]!, 'vector', i => k.store(out, [i], (value?.(i) ?? step_value(k, i)).cast(out.type)))
})

/**
 * Element i as PyTorch's vectors of 32 bytes have it: counted from the first of its vector, which is computed from the
 * nearer end. What is left after the last pair of vectors stands alone. So the last bits are PyTorch's.
 */
function vector_value(k: Builder, lanes: number, type: 'f32' | 'f64'): (i: Expr) => Expr {
  const [start, end, step, last, half] = ['start', 'end', 'step', 'last', 'half'].map(name =>
    k.value(name, 'f64'),
  ) as [Expr, Expr, Expr, Expr, Expr]
  const round = (x: Expr): Expr => (type === 'f32' ? x.cast('f32').cast('f64') : x)
  return i => {
    const at = i.cast('f64')
    const pairs = last
      .add(1)
      .div(2 * lanes)
      .floor()
      .mul(2 * lanes)
    const first = at.lt(pairs).where(at.div(lanes).floor().mul(lanes), at)
    const base = first.lt(half).where(step.fma(first, start), step.neg().fma(last.sub(first), end))
    return round(base).add(round(step.mul(at.sub(first))))
  }
}

/** Complex numbers on the line from start to end, or powers of a base; computed as elements, as PyTorch does. */
const complex_steps = kernels('complex_steps', (k, dtype: DType, power: boolean) => {
  const out = k.output('out', dtype, 'flat')
  const [start, end, step] = ['start', 'end', 'step'].map(name => k.value(name, out.type)) as [
    Expr,
    Expr,
    Expr,
  ]
  const [last, half] = [k.value('last', 'f64'), k.value('half', 'f64')]
  const base = power ? k.value('base', out.type) : null
  k.for(out.sizes[0]!, 'vector', i => {
    const at = i.cast('f64')
    const times = (n: Expr): Expr => step.mul(n.cast(real_type(out.type)).cast(out.type))
    const value = at.lt(half).where(start.add(times(at)), end.sub(times(last.sub(at))))
    k.store(out, [i], base === null ? value : base.pow(value))
  })
})

const logspace_kernel = kernels('logspace', (k, dtype: DType) => {
  const out = k.output('out', dtype, 'flat')
  const base = k.value('base', 'f64')
  k.for(out.sizes[0]!, 'vector', i => k.store(out, [i], base.pow(step_value(k, i)).cast(out.type)))
})

/** `x` as an element of `dtype` holds it. */
function as_element(x: number, dtype: DType): number {
  const array = new dtype.array(1)
  write_element(array, dtype, 0, x)
  return Number(read_element(array, dtype, 0))
}

/** start, end, step, last, half: what {@link step_value} reads. */
function step_values(start: number, end: number, steps: number, dtype: DType): number[] {
  const exact = (x: number): number => (dtype.is_floating_point ? as_element(x, dtype) : Math.trunc(x))
  const [a, b] = [exact(start), exact(end)]
  const span = dtype.is_floating_point ? exact(b - a) : b - a
  const step = steps > 1 ? span / (steps - 1) : 0
  return [
    a,
    steps > 1 ? b : a,
    dtype.is_floating_point ? exact(step) : step,
    steps - 1,
    Math.floor(steps / 2),
  ]
}

function spaced(
  name: string,
  start: Numeric,
  end: Numeric,
  steps: number,
  base: number | null,
  options: Created,
  out: Tensor | null,
): Tensor {
  const [given, , device, , requires_grad] = options
  require_available(device)
  if (steps < 0) throw new RuntimeError('number of steps must be non-negative')
  const complex = start instanceof ComplexScalar || end instanceof ComplexScalar
  const standard = get_default_dtype()
  const dtype = given ?? out?.dtype ?? (complex ? to_complex_dtype(standard) : standard)
  if (dtype === bool) not_implemented(`${name}_cpu`, dtype)
  if (complex && !dtype.is_complex)
    throw new RuntimeError(
      `torch.${name}(): inferred dtype ${scalar_name(to_complex_dtype(standard))} can't be safely cast to passed dtype ${scalar_name(dtype)}`,
    )
  const made = empty_memory([steps], dtype)
  if (steps > 0 && dtype.is_complex) {
    const [a, b] = [start, end].map(x => launch_values(x, dtype) as number[]) as [number[], number[]]
    const step = steps > 1 ? [0, 1].map(i => (b[i]! - a[i]!) / (steps - 1)) : [0, 0]
    const values = [...a, ...(steps > 1 ? b : a), ...step, steps - 1, Math.floor(steps / 2)]
    complex_steps(dtype, base !== null)([made], base === null ? values : [...values, base, 0])
  } else if (steps > 0) {
    const values = step_values(Number(start), Number(end), steps, dtype)
    if (base === null) linspace_kernel(dtype)([made], values)
    else logspace_kernel(dtype)([made], [base, ...values])
  }
  return place_in(out, made, requires_grad)
}

/** `steps` evenly spaced numbers from `start` to `end`, both included. */
export const linspace: Op<[start: Numeric, end: Numeric, steps: number, opts?: CreateOptions]> = maker(
  `linspace(Scalar start, Scalar end, int steps, ${CREATE}, Tensor? out=None)`,
  (start: Numeric, end: Numeric, steps: number, ...rest: unknown[]) =>
    spaced('linspace', start, end, steps, null, rest as unknown as Created, rest[6] as Tensor | null),
)

/** `steps` numbers from base^start to base^end, evenly spaced in their logarithm. */
export const logspace: Op<
  [
    start: Numeric,
    end: Numeric,
    steps: number,
    base?: number | (CreateOptions & { base?: number }),
    opts?: CreateOptions,
  ]
> = maker(
  `logspace(Scalar start, Scalar end, int steps, float base=10, ${CREATE}, Tensor? out=None)`,
  (start: Numeric, end: Numeric, steps: number, base: number, ...rest: unknown[]) =>
    spaced('logspace', start, end, steps, base, rest as unknown as Created, rest[6] as Tensor | null),
)

/** The identity: ones on the diagonal of an n x m matrix (m defaults to n), zeros elsewhere. */
export const eye: Op<[n: number, m?: number | null | CreateOptions, opts?: CreateOptions]> = maker(
  `eye(int n, int? m=None, ${CREATE}, Tensor? out=None)`,
  (n: number, m: number | null, ...rest: unknown[]) => {
    const [dtype, , device, , requires_grad] = rest as unknown as Created
    const out = rest[6] as Tensor | null
    require_available(device)
    if (n < 0) throw new RuntimeError(`n must be greater or equal to 0, got ${n}`)
    if (m !== null && m < 0) throw new RuntimeError(`m must be greater or equal to 0, got ${m}`)
    const columns = m ?? n
    const made = zeros_memory([n, columns], dtype ?? out?.dtype ?? get_default_dtype())
    const length = Math.min(n, columns)
    full_value(alias(made, [length], [columns + 1]), 1)
    return place_in(out, made, requires_grad)
  },
)

/** A 0-dim tensor of the default dtype. */
export const scalar_tensor: Op<[s: Numeric, opts?: CreateOptions]> = maker(
  `scalar_tensor(Scalar s, ${CREATE})`,
  (value: Numeric, ...rest: unknown[]) => {
    const [dtype, , device, , requires_grad] = rest as unknown as Created
    require_available(device)
    return make_filled([], dtype ?? get_default_dtype(), value, requires_grad)
  },
)

/** A tensor of the given size and strides, with memory for the elements that they reach. */
export const empty_strided: Op<[size: readonly number[], stride: readonly number[], opts?: CreateOptions]> =
  maker(
    `empty_strided(int[] size, int[] stride, ${CREATE})`,
    (size: number[], stride: number[], ...rest: unknown[]) => {
      const [dtype, , device, , requires_grad] = rest as unknown as Created
      require_available(device)
      const made = make_strided(size, stride, dtype ?? get_default_dtype())
      return requires_grad ? made.requires_grad_() : made
    },
  )

type AsArrayOptions = {
  dtype?: DType | null
  device?: PlaceLike | null
  copy?: boolean | null
  requires_grad?: boolean
}

/**
 * `obj` as a tensor, sharing memory where it can: tensors and typed arrays of the wanted dtype. `copy: true` never
 * shares; `copy: false` throws ValueError where sharing is not possible.
 */
export const asarray: Op<[obj: TensorData, opts?: AsArrayOptions]> = maker(
  'asarray(any obj, *, dtype? dtype=None, device? device=None, bool? copy=None, bool requires_grad=False)',
  (
    obj: TensorData,
    dtype: DType | null,
    device: PlaceLike | null,
    copy: boolean | null,
    requires_grad: boolean,
  ) => {
    require_available(device)
    const shared =
      obj instanceof Tensor ? obj : ArrayBuffer.isView(obj) ? share_array(obj as TypedArray) : null
    if (copy === false && shared === null)
      throw new ValueError("can't alias arbitrary sequence into a tensor.")
    if (copy === false && dtype !== null && shared?.dtype !== dtype)
      throw new ValueError(
        `can't alias tensor with dtype '${scalar_name((shared as Tensor).dtype)}' into dtype '${scalar_name(dtype)}'.`,
      )
    const made =
      shared === null ? tensor_from(obj, dtype) : to_dtype(shared, dtype ?? shared.dtype, copy === true)
    if (requires_grad) return made === obj ? made.requires_grad_() : made.detach().requires_grad_()
    return made.requires_grad && !(obj instanceof Tensor && obj.requires_grad) ? made.detach() : made
  },
)

type BufferOptions = { dtype: DType; count?: number; offset?: number; requires_grad?: boolean }

/**
 * A 1-d tensor on the bytes of a buffer from `offset` on: `count` elements, or all that there are. What is written to
 * one shows in the other. The bytes have to start at a multiple of the element size.
 */
export const frombuffer: Op<[buffer: ArrayBufferLike | ArrayBufferView, opts: BufferOptions]> = maker(
  'frombuffer(any buffer, *, dtype dtype, int count=-1, int offset=0, bool requires_grad=False)',
  (
    buffer: ArrayBufferLike | ArrayBufferView,
    dtype: DType,
    count: number,
    offset: number,
    requires_grad: boolean,
  ) => {
    const [memory, first] = ArrayBuffer.isView(buffer) ? [buffer.buffer, buffer.byteOffset] : [buffer, 0]
    const { byteLength: length } = buffer
    const size = dtype.itemsize
    if (length === undefined) throw new ValueError('object does not implement Python buffer protocol.')
    if (length === 0 || count === 0)
      throw new ValueError(`both buffer length (${length}) and count (${count}) must not be 0`)
    if (offset < 0 || offset >= length)
      throw new ValueError(
        `offset (${offset} bytes) must be non-negative and no greater than buffer length (${length} bytes) minus 1`,
      )
    if (count < 0 && (length - offset) % size !== 0)
      throw new ValueError(
        `buffer length (${length} bytes) after offset (${offset} bytes) must be a multiple of element size (${size})`,
      )
    const n = count < 0 ? (length - offset) / size : count
    if (n * size > length - offset)
      throw new ValueError(
        `requested buffer length (${n} * ${size} bytes) after offset (${offset} bytes) must not be greater than ` +
          `actual buffer length (${length} bytes)`,
      )
    if ((first + offset) % dtype.array.BYTES_PER_ELEMENT !== 0)
      throw new ValueError(
        `the bytes of a ${dtype} tensor must start at a multiple of ${dtype.array.BYTES_PER_ELEMENT}, not at ${first + offset}`,
      )
    if (requires_grad && !dtype.is_floating_point && !dtype.is_complex)
      throw new RuntimeError('Only Tensors of floating point and complex dtype can require gradients')
    const made = contiguous_tensor(Storage.over(memory, first + offset, n * size), [n], dtype)
    return requires_grad ? made.requires_grad_() : made
  },
)

/** Numbers from `start` to `end`, both included, in steps. Deprecated: use {@link arange}, which leaves out the end. */
export const range: Op<
  [start: Numeric, end: Numeric, step?: Numeric | (CreateOptions & { step?: Numeric }), opts?: CreateOptions]
> = maker(
  `range(Scalar start, Scalar end, Scalar step=1, ${CREATE}, Tensor? out=None)`,
  (start: Numeric, end: Numeric, step: Numeric, ...rest: unknown[]) => {
    warn(
      "torch.range is deprecated and will be removed in a future release because its behavior is inconsistent with Python's " +
        'range builtin. Instead, use torch.arange, which produces values in [start, end).',
    )
    const [given, , device, , requires_grad] = rest as unknown as Created
    const out = rest[6] as Tensor | null
    require_available(device)
    const dtype = given ?? out?.dtype ?? get_default_dtype()
    const exact = (x: Numeric): number => (dtype.is_floating_point ? Number(x) : Math.trunc(Number(x)))
    const [a, b, s] = [exact(start), exact(end), exact(step)]
    if (s === 0) throw new RuntimeError('step must be nonzero')
    if (!Number.isFinite(a) || !Number.isFinite(b))
      throw new RuntimeError(`unsupported range: ${general(a)} -> ${general(b)}`)
    if ((s > 0 && b < a) || (s < 0 && b > a))
      throw new RuntimeError('upper bound and lower bound inconsistent with step sign')
    return place_in(out, write_range(a, s, Math.floor((b - a) / s) + 1, dtype), requires_grad)
  },
)
