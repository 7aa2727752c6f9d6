// nn.utils.parameters_to_vector: parameters as one vector, and back.
import type { Tensor } from '../../torch.ts'
import * as torch from '../../torch.ts'
import { typename } from '../repr.ts'

/** All parameters one after the other as one vector. */
export function parameters_to_vector(parameters: Iterable<Tensor>): Tensor {
  return torch.cat([...parameters].map(p => p.reshape([-1])))
}

/** Makes the parameters show the elements of `vec`, in order. */
export function vector_to_parameters(vec: Tensor, parameters: Iterable<Tensor>): void {
  if (!(vec instanceof torch.Tensor)) throw new TypeError(`expected torch.Tensor, but got: ${typename(vec)}`)
  let at = 0
  for (const p of parameters) {
    p.data = vec.narrow(0, at, p.numel()).view_as(p).data
    at += p.numel()
  }
}
