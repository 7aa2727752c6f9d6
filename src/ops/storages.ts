// `torch.FloatStorage` and its relatives as users make them: from a size or from numbers. Not here: what a storage can do
// (tensor/storage_view.ts), the storage of a tensor (memory.ts).
import {
  bfloat16,
  bool,
  complex64,
  complex128,
  type DType,
  float16,
  float32,
  float64,
  get_default_dtype,
  int8,
  int16,
  int32,
  int64,
  uint8,
} from '../base/dtype.ts'
import { print_as } from '../base/inspect.ts'
import { empty } from '../tensor/dispatch.ts'
import { type TensorData, tensor_from } from '../tensor/from_data.ts'
import { type_name } from '../tensor/schema.ts'
import { TypedStorage as TypedStorageClass } from '../tensor/storage_view.ts'

type Content = number | readonly TensorData[]

/** `torch.FloatStorage`: makes storages of one dtype, with or without `new`, and names the type. */
export interface LegacyStorage {
  (content?: Content): TypedStorageClass
  new (content?: Content): TypedStorageClass
  readonly dtype: DType
  readonly prototype: TypedStorageClass
}

function filled(content: unknown, dtype: DType): TypedStorageClass {
  if (content === undefined) return new TypedStorageClass(empty([0], dtype).memory, dtype)
  if (typeof content === 'number') return new TypedStorageClass(empty([content], dtype).memory, dtype)
  if (!Array.isArray(content)) throw new TypeError(`Argument type not recognized: ${type_name(content)}`)
  return new TypedStorageClass(tensor_from(content as TensorData, dtype).memory, dtype)
}

function legacy(name: string, dtype_of: () => DType): LegacyStorage {
  const constructor = (content?: unknown): TypedStorageClass => filled(content, dtype_of())
  Object.defineProperties(constructor, {
    name: { value: name },
    prototype: { value: TypedStorageClass.prototype },
    dtype: { get: dtype_of },
    [Symbol.hasInstance]: {
      value: (x: unknown) => x instanceof TypedStorageClass && x.dtype === dtype_of(),
    },
    toString: { value: () => `<class 'torch.${name}'>` },
    [Symbol.for('nodejs.util.inspect.custom')]: { value: () => `<class 'torch.${name}'>` },
  })
  return constructor as unknown as LegacyStorage
}

export const FloatStorage: LegacyStorage = legacy('FloatStorage', () => float32)
export const DoubleStorage: LegacyStorage = legacy('DoubleStorage', () => float64)
export const HalfStorage: LegacyStorage = legacy('HalfStorage', () => float16)
export const BFloat16Storage: LegacyStorage = legacy('BFloat16Storage', () => bfloat16)
export const LongStorage: LegacyStorage = legacy('LongStorage', () => int64)
export const IntStorage: LegacyStorage = legacy('IntStorage', () => int32)
export const ShortStorage: LegacyStorage = legacy('ShortStorage', () => int16)
export const CharStorage: LegacyStorage = legacy('CharStorage', () => int8)
export const ByteStorage: LegacyStorage = legacy('ByteStorage', () => uint8)
export const BoolStorage: LegacyStorage = legacy('BoolStorage', () => bool)
export const ComplexFloatStorage: LegacyStorage = legacy('ComplexFloatStorage', () => complex64)
export const ComplexDoubleStorage: LegacyStorage = legacy('ComplexDoubleStorage', () => complex128)
/** The storage of the default dtype. */
export const Storage: LegacyStorage = legacy('Storage', get_default_dtype)

/** A storage of a dtype (default: torch.get_default_dtype()), from its size or from numbers. */
export function TypedStorage(
  content?: Content | { dtype?: DType },
  options: { dtype?: DType } = {},
): TypedStorageClass {
  const plain = typeof content === 'object' && !Array.isArray(content)
  const { dtype } = plain ? (content as { dtype?: DType }) : options
  return filled(plain ? undefined : content, dtype ?? get_default_dtype())
}
Object.defineProperty(TypedStorage, Symbol.hasInstance, {
  value: (x: unknown) => x instanceof TypedStorageClass,
})

/** Memory as bytes, with no dtype. */
export class UntypedStorage {
  readonly #bytes: TypedStorageClass

  constructor(content?: Content | TypedStorageClass) {
    this.#bytes =
      content instanceof TypedStorageClass
        ? new TypedStorageClass(content._memory, uint8)
        : filled(content, uint8)
  }

  /** The number of bytes. */
  size(): number {
    return this.#bytes.size()
  }
  get length(): number {
    return this.size()
  }
  nbytes(): number {
    return this.size()
  }
  element_size(): number {
    return 1
  }
  data_ptr(): number {
    return this.#bytes.data_ptr()
  }
  /** Byte `i`; negative ones count from the end. */
  at(i: number): number {
    return this.#bytes.at(i) as number
  }
  set(i: number, byte: number): void {
    this.#bytes.set(i, byte)
  }
  fill_(byte: number): this {
    this.#bytes.fill_(byte)
    return this
  }
  tolist(): number[] {
    return this.#bytes.tolist() as number[]
  }
  toString(): string {
    const lines = this.tolist().join('\n ')
    return ` ${lines}\n[torch.storage.UntypedStorage(device=cpu) of size ${this.size()}]`
  }
}
print_as(UntypedStorage, storage => storage.toString())
