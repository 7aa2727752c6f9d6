// How module settings read in Python: the pieces that extra_repr is made of. Not here: the tree (module.ts).
import * as torch from '../torch.ts'

/** A Python float: 1e-05, 0.5, 1.0. */
export const float: (x: number) => string = torch._python_float

/** An int, bool, None, str (in quotes), or a tuple of these. */
export function value(x: number | boolean | string | null | readonly number[]): string {
  if (x === null) return 'None'
  if (typeof x === 'string') return `'${x}'`
  if (typeof x === 'number' || typeof x === 'boolean') return torch._python_scalar(x)
  return tuple(x)
}

/** `(1, 2)`, `(1,)`, `()`. */
export const tuple = (x: readonly number[]): string => `(${x.join(', ')}${x.length === 1 ? ',' : ''})`

/** What torch.typename calls a value. */
export const typename = (x: unknown): string =>
  x instanceof torch.Tensor ? `torch.${(x as torch.Tensor).dtype.tensor_type}` : torch._type_name(x)
