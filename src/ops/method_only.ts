// Ops that are methods only, as in PyTorch: conversions by name, new_* constructors, fills in place.
// Not here: ops that are functions too.
import {
  bfloat16 as bfloat16_,
  bool as bool_,
  complex64,
  complex128,
  DType,
  float16,
  float32,
  float64,
  int8,
  int16,
  int32,
  int64,
  is_plain_number,
  uint8,
} from '../base/dtype.ts'
import { RuntimeError } from '../base/errors.ts'
import { format_name, type MemoryFormat } from '../base/memory_format.ts'
import { Place, type PlaceLike, require_available, device as to_place } from '../tensor/place.ts'
import { bind, is_options, parse_schema, type Schema } from '../tensor/schema.ts'
import { Tensor } from '../tensor/tensor.ts'
import { overwrite, to_dtype } from './convert.ts'
import { full_value, make_filled } from './creation.ts'
import { make_batched_op, type Op } from './define/op.ts'
import type { Number } from './define/pointwise.ts'

type ToOptions = {
  dtype?: DType
  device?: PlaceLike
  copy?: boolean
  non_blocking?: boolean
  memory_format?: MemoryFormat
}

/** Converts dtype and device: `to(dtype)`, `to(device)`, `to(device, dtype)`, `to(other)`. */
export const to: Op<[self: Tensor, ...args: readonly (DType | PlaceLike | Tensor | ToOptions | boolean)[]]> =
  method('to', (self, ...args) => {
    const last = args[args.length - 1]
    const options = (is_options(last) ? last : {}) as ToOptions
    let dtype = options.dtype ?? null
    let place = options.device ?? null
    const flags: boolean[] = []
    for (const arg of args) {
      if (arg instanceof DType) dtype = arg
      else if (arg instanceof Tensor) dtype = arg.dtype
      else if (arg instanceof Place || typeof arg === 'string' || typeof arg === 'number') place = arg
      else if (typeof arg === 'boolean') flags.push(arg)
      else if (arg !== null && arg !== undefined && !is_options(arg))
        throw new TypeError(`to() received an invalid combination of arguments - got (${typeof arg})`)
    }
    for (const key of Object.keys(options))
      if (!['dtype', 'device', 'copy', 'non_blocking', 'memory_format'].includes(key))
        throw new TypeError(
          `to() got an unexpected keyword argument '${key}' (known: dtype, device, copy, non_blocking, memory_format)`,
        )
    require_available(place)
    const made = to_dtype(self, dtype ?? self.dtype, options.copy ?? flags[1] ?? false)
    const format = options.memory_format ?? 'preserve_format'
    return format_name(format) === 'preserve_format' ? made : made.contiguous({ memory_format: format })
  })

function method<A extends readonly unknown[], R = Tensor>(
  name: string,
  call: (self: Tensor, ...args: unknown[]) => R,
  schemas: readonly Schema[] = [],
): Op<A, R> {
  return make_batched_op(call as unknown as (...args: A) => R, {
    name,
    schemas,
    samples: undefined,
    differentiable: false,
  })
}

const cast = (name: string, dtype: DType): Op<[self: Tensor]> => method(name, self => to_dtype(self, dtype))

export const float: Op<[self: Tensor]> = cast('float', float32)
export const double: Op<[self: Tensor]> = cast('double', float64)
export const half: Op<[self: Tensor]> = cast('half', float16)
export const bfloat16: Op<[self: Tensor]> = cast('bfloat16', bfloat16_)
export const long: Op<[self: Tensor]> = cast('long', int64)
export const int: Op<[self: Tensor]> = cast('int', int32)
export const short: Op<[self: Tensor]> = cast('short', int16)
export const char: Op<[self: Tensor]> = cast('char', int8)
export const byte: Op<[self: Tensor]> = cast('byte', uint8)
export const bool: Op<[self: Tensor]> = cast('bool', bool_)

export const cfloat: Op<[self: Tensor]> = cast('cfloat', complex64)
export const cdouble: Op<[self: Tensor]> = cast('cdouble', complex128)

/** The tensor itself, which is dense already, or its conversion to `dtype`. */
export const to_dense: Op<[self: Tensor, dtype?: DType | null | { dtype?: DType }]> = method(
  'to_dense',
  (...args) => {
    const [self, dtype] = bind([to_dense_schema], args).values as [Tensor, DType | null]
    return to_dtype(self, dtype ?? self.dtype)
  },
)
const to_dense_schema = parse_schema('to_dense(Tensor self, dtype? dtype=None)')

/** In CPU memory: the tensor itself. */
export const cpu: Op<[self: Tensor]> = method('cpu', self => self)
/** On a GPU. Throws RuntimeError: no such device is built in. */
export const cuda: Op<[self: Tensor, device?: PlaceLike]> = method('cuda', (_, device) => {
  require_available(to_place((device as PlaceLike | undefined) ?? 'cuda'))
  throw new RuntimeError('Torch not compiled with CUDA enabled')
})

/** The dtype of another tensor. */
export const type_as: Op<[self: Tensor, other: Tensor]> = method('type_as', (self, other) =>
  to_dtype(self, (other as Tensor).dtype),
)

type NewOptions = { dtype?: DType | null; device?: PlaceLike | null; requires_grad?: boolean }
type NewArgs = readonly [self: Tensor, ...size: readonly (number | readonly number[] | NewOptions)[]]

const make_new = (name: string, fill: number | null): Op<NewArgs> => {
  const schema = parse_schema(
    `${name}(Tensor self, int... size, *, dtype? dtype=None, device? device=None, bool requires_grad=False)`,
  )
  return method(
    name,
    (...args) => {
      const [self, size, dtype, device, requires_grad] = bind([schema], args).values as [
        Tensor,
        number[],
        DType | null,
        PlaceLike | null,
        boolean,
      ]
      require_available(device)
      return make_filled(size, dtype ?? self.dtype, fill, requires_grad)
    },
    [schema],
  )
}

/** A tensor of zeros of this tensor's dtype. */
export const new_zeros: Op<NewArgs> = make_new('new_zeros', 0)
/** A tensor of ones of this tensor's dtype. */
export const new_ones: Op<NewArgs> = make_new('new_ones', 1)
/** An uninitialised tensor of this tensor's dtype. */
export const new_empty: Op<NewArgs> = make_new('new_empty', null)

/** Fills in place with a number or a 0-dim tensor. */
export const fill_: Op<[self: Tensor, value: Number | Tensor]> = method('fill_', (self, given) => {
  const value = is_options(given) ? given['value'] : given
  if (value instanceof Tensor) {
    if (value.sizes.length > 0)
      throw new RuntimeError(
        `fill_ only supports 0-dimension value tensor but got tensor with ${value.sizes.length} dimensions.`,
      )
    return self.copy_(value)
  }
  if (!is_plain_number(value))
    throw new TypeError(`fill_(): argument 'value' (position 1) must be Tensor, not ${typeof value}`)
  return overwrite(self, 'FillBackward0', x => full_value(x, value))
})

/** Fills with zeros in place. */
export const zero_: Op<[self: Tensor]> = method('zero_', self =>
  overwrite(self, 'ZeroBackward0', x => full_value(x, 0)),
)

export { apply_, map_, map2_ } from './callbacks.ts'
export { new_empty_strided, new_full, new_tensor } from './creation_more.ts'
export { new_legacy as new, numpy, tolist } from './data.ts'

export {
  as_strided_,
  resize,
  resize_,
  resize_as,
  resize_as_,
  set_,
  squeeze_,
  swapaxes_,
  swapdims_,
  t_,
  transpose_,
  unsqueeze_,
} from './geometry.ts'
export { at } from './indexing.ts'
export {
  data_ptr,
  get_device,
  is_pinned,
  is_set_to,
  is_shared,
  pin_memory,
  share_memory_,
  storage,
  storage_type,
} from './memory.ts'
export {
  bernoulli_,
  cauchy_,
  exponential_,
  geometric_,
  log_normal_,
  normal_,
  random_,
  uniform_,
} from './random_fill.ts'
export { sum_to_size } from './reduction.ts'
export { repeat } from './repeat.ts'
export { polygamma_, polygamma_method as polygamma } from './special/gamma.ts'
export { fill_diagonal_ } from './triangular.ts'
export { where_method as where } from './where.ts'
