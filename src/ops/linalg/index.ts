// torch.linalg: linear algebra by its names there, a line per family. Those that PyTorch has had for longer are ops of
// the main namespace too, under the names there. Not here: any formula.

export { matmul } from '../matmul.ts'
export { vector_norm } from '../norms.ts'
export { LinAlgError } from './error.ts'
export { inverse as inv } from './inverse.ts'
