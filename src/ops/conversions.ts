// Conversions, which are methods only: `to`, and one by the name of each dtype.
// Not here: how a dtype is converted (convert.ts).
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
  uint8,
} from '../base/dtype.ts'
import { RuntimeError } from '../base/errors.ts'
import { format_name, type MemoryFormat } from '../base/memory_format.ts'
import { Place, type PlaceLike, require_available, device as to_place } from '../tensor/place.ts'
import { bind, is_options, parse_schema } from '../tensor/schema.ts'
import { Tensor } from '../tensor/tensor.ts'
import { to_dtype } from './convert.ts'
import { method } from './define/method.ts'
import type { Op } from './define/op.ts'

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
