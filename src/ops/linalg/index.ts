// torch.linalg: linear algebra by its names there, a line per family. Those that PyTorch has had for longer are ops of
// the main namespace too, under the names there. Not here: any formula.

export { matmul } from '../matmul.ts'
export { vector_norm } from '../norms.ts'
export { linalg_diagonal as diagonal } from '../views.ts'
export { cholesky_ex, linalg_cholesky as cholesky } from './cholesky.ts'
export { det, linalg_slogdet as slogdet } from './det.ts'
export { linalg_eig as eig, linalg_eigvals as eigvals } from './eig.ts'
export { linalg_eigh as eigh, linalg_eigvalsh as eigvalsh } from './eigh.ts'
export { LinAlgError } from './error.ts'
export { matrix_exp } from './exp.ts'
export { householder_product } from './householder.ts'
export { ldl_factor, ldl_factor_ex, ldl_solve } from './ldl.ts'
export { linalg_lu as lu, linalg_lu_solve as lu_solve, lu_factor, lu_factor_ex } from './lu.ts'
export { cond, linalg_norm as norm, matrix_norm } from './norms.ts'
export { linalg_cross as cross, matrix_power, multi_dot, vander, vecdot } from './products.ts'
export {
  linalg_lstsq as lstsq,
  linalg_matrix_rank as matrix_rank,
  linalg_pinv as pinv,
} from './pseudo_inverse.ts'
export { linalg_qr as qr } from './qr.ts'
export { inv, inv_ex, solve, solve_ex, tensorinv, tensorsolve } from './solve.ts'
export { linalg_svd as svd, linalg_svdvals as svdvals } from './svd.ts'
export { solve_triangular } from './triangular_solve.ts'
