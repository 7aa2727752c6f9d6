// Properties of tensors that are ops without arguments: x.T and its relatives. ops/methods.ts makes the getters.
// Not here: properties of the tensor itself, such as shape (tensor/tensor.ts).
import { RuntimeError } from '../base/errors.ts'
import type { Tensor } from '../tensor/tensor.ts'
import { conj } from './complex.ts'
import { permute, transpose } from './views.ts'

function swap_last(self: Tensor, name: string): Tensor {
  const ndim = self.sizes.length
  if (ndim < 2)
    throw new RuntimeError(
      `tensor.${name} is only supported on matrices or batches of matrices. Got ${ndim}-D tensor.`,
    )
  return transpose(self, -2, -1)
}

/** The dimensions in reverse order. */
export function T(self: Tensor): Tensor {
  return permute(
    self,
    self.sizes.map((_, d) => self.sizes.length - 1 - d),
  )
}

/** The last two dimensions swapped. */
export function mT(self: Tensor): Tensor {
  return swap_last(self, 'mT')
}

/** The last two dimensions swapped, and conjugated (which changes nothing but complex numbers). */
export function mH(self: Tensor): Tensor {
  return conj(swap_last(self, 'mH'))
}

/** A matrix transposed, and conjugated (which changes nothing but complex numbers). */
export function H(self: Tensor): Tensor {
  const ndim = self.sizes.length
  if (ndim === 0) return conj(self)
  if (ndim !== 2)
    throw new RuntimeError(
      `tensor.H is only supported on matrices (2-D tensors). Got ${ndim}-D tensor.` +
        (ndim > 2 ? ' For batches of matrices, consider using tensor.mH' : ''),
    )
  return conj(transpose(self, 0, 1))
}

export { imag, real } from './complex_parts.ts'
