// How modules read their constructor's arguments: by a schema, as PyTorch's signatures, into an object of settings.

import type { DeviceLike, DType } from '../../torch.ts'
import * as torch from '../../torch.ts'

/** The settings that a constructor's arguments give, by name, with defaults filled in. Throws TypeError as PyTorch does. */
export type Reader = <S>(args: readonly unknown[]) => S

/** Reads the arguments of `signature`; a list parameter `int[n]` takes one number for all its entries. */
export function reader(signature: string): Reader {
  const schema = torch._parse_schema(signature.replaceAll(/int\[\d\]/g, 'any'))
  const lists = [...signature.matchAll(/int\[(\d)\]\??\s(\w+)/g)].map(
    m => [m[2] as string, Number(m[1])] as const,
  )
  return <S>(args: readonly unknown[]): S => {
    const { values } = torch._bind([schema], args)
    const settings = Object.fromEntries(schema.params.map((p, i) => [p.name, values[i]]))
    for (const [name, n] of lists) {
      const x = settings[name]
      if (typeof x === 'number') settings[name] = new Array<number>(n).fill(x)
    }
    return settings as S
  }
}

/** Where and as what parameters are made. */
export const FACTORY = 'device? device=None, dtype? dtype=None'
export type FactoryOptions = { device?: DeviceLike; dtype?: DType }
export type Factory = { readonly dtype: DType | null }

/** An uninitialised tensor for a parameter. */
export const uninitialised = (sizes: readonly number[], { dtype }: Factory): torch.Tensor =>
  torch.empty(sizes, dtype === null ? {} : { dtype })
