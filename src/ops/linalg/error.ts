// The error of linear algebra: a matrix that a function cannot work with. Not here: wrong shapes and dtypes, which are
// RuntimeErrors like everybody's.
import { RuntimeError } from '../../base/errors.ts'

/** A matrix is singular, not positive definite, or an iteration did not converge. */
export class LinAlgError extends RuntimeError {
  override readonly name: string = 'LinAlgError'
}
