// Types as users name them where PyTorch had them before dtypes: torch.FloatTensor, 'torch.FloatTensor'.
// Not here: the constructors that bear these names (ops/data.ts).
import { DType, dtypes } from '../base/dtype.ts'
import { require_available } from './place.ts'

/** A dtype, a legacy constructor (torch.FloatTensor, which has a dtype) or its name ('torch.FloatTensor'). */
export type TypeLike = DType | { readonly dtype: DType } | string

/** The dtype that is meant, or null for what is no type. Throws RuntimeError for types of devices there are not. */
export function dtype_of_type(type: unknown): DType | null {
  if (type instanceof DType) return type
  if (typeof type === 'function' && 'dtype' in type && type.dtype instanceof DType) return type.dtype
  if (typeof type !== 'string') return null
  const [, place, name] = /^torch\.(?:(\w+)\.)?(\w+)$/.exec(type) ?? []
  const dtype = dtypes.find(d => d.tensor_type === name)
  if (dtype === undefined) return null
  require_available(place)
  return dtype
}
