// torch.linalg: linear algebra by its names there, a line per family. Those that PyTorch has had for longer are ops of
// the main namespace too, under the names there. Not here: any formula.

export { matmul } from '../matmul.ts'
export { vector_norm } from '../norms.ts'
export { linalg_eig as eig, linalg_eigvals as eigvals } from './eig.ts'
export { linalg_eigh as eigh, linalg_eigvalsh as eigvalsh } from './eigh.ts'
export { LinAlgError } from './error.ts'
export { inverse as inv } from './inverse.ts'
export {
  linalg_lstsq as lstsq,
  linalg_matrix_rank as matrix_rank,
  linalg_pinv as pinv,
} from './pseudo_inverse.ts'
export { linalg_qr as qr } from './qr.ts'
export { linalg_svd as svd, linalg_svdvals as svdvals } from './svd.ts'
