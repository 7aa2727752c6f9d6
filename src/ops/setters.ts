// What assigning to the properties real and imag of a tensor does. Not here: the properties (properties.ts).
import { is_plain_number, type PlainNumber } from '../base/dtype.ts'
import { type_name } from '../tensor/schema.ts'
import { Tensor } from '../tensor/tensor.ts'
import { imag, real } from './complex_parts.ts'

/** Copies a number or tensor into a view: what assigning to `x.real` and `x.imag` does. */
function assign(part: Tensor, value: unknown): void {
  if (value instanceof Tensor) part.copy_(value)
  else if (is_plain_number(value)) part.fill_(value)
  else throw new TypeError(`can't assign a ${type_name(value)} to a torch.${part.dtype.tensor_type}`)
}

/** What can be assigned to `x.real` and `x.imag`. */
export type PartValue = Tensor | PlainNumber

/** What assignment to properties of tensors does, by name. */
export const setters: { readonly [name: string]: (self: Tensor, value: unknown) => void } = {
  real: (self, value) => assign(real(self), value),
  imag: (self, value) => assign(imag(self), value),
}
