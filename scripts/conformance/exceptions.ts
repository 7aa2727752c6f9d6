/**
 * Where the plain comparison asks for more than PyTorch defines, and why. One row an op (or `op:variant`).
 * This is no list of ops that are wrong: those fail and count as failed.
 */
import type { Align } from './align.ts'
import { dim_of, ties, unordered_eigenvalues, unordered_unique, up_to_phase } from './align.ts'
import type { Case } from './cases.ts'
import { is_tensor } from './cases.ts'
import type { Widened } from './compare.ts'

export interface Exception {
  readonly reason: string
  /** Rewrites an equally right result to the recorded one. */
  readonly align?: Align
  /** Tolerances instead of the defaults, by dtype. */
  readonly tolerance?: Widened
}

/** min(m, n) of the first argument, a batch of m x n matrices. */
const rank = (c: Case): number => {
  const x = c.args[0]!
  return is_tensor(x) ? Math.min(...x.s.slice(-2)) : 0
}
/** The vectors of svd_lowrank and pca_lowrank: as many as were asked for. */
const asked = (c: Case): number => (typeof c.kw['q'] === 'number' ? c.kw['q'] : Infinity)

const last = (position: number) => (c: Case) => dim_of(c, position, -1)
const optional = (position: number) => (c: Case) => dim_of(c, position, null)

const tie = 'equal keys: PyTorch says which index comes back only for stable sorts'
const sign = 'singular and eigenvectors are defined up to a factor of modulus 1'

const conditioned =
  'ill-conditioned samples: PyTorch itself differs by this much from one processor to another'
const single = (rtol: number, atol: number): Widened => ({
  float32: { rtol, atol },
  complex64: { rtol, atol },
})

export const exceptions: Readonly<Record<string, Exception>> = {
  topk: { reason: tie, align: ties(1, last(2)) },
  kthvalue: { reason: tie, align: ties(1, last(2)) },
  mode: { reason: tie, align: ties(1, last(1)) },
  median: { reason: tie, align: ties(1, optional(1)) },
  nanmedian: { reason: tie, align: ties(1, optional(1)) },
  argsort: { reason: tie, align: ties(0, last(1)) },
  sort: {
    reason: tie,
    align: (c, actual) => (c.kw['stable'] === true ? { actual } : ties(1, last(1))(c, actual)),
  },
  unique: { reason: 'with sorted=False the values come in any order', align: unordered_unique },
  'linalg.svd': {
    reason: sign,
    align: up_to_phase([{ output: 0 }, { output: 2, rows: true, inverse: true }], rank),
  },
  svd: { reason: sign, align: up_to_phase([{ output: 0 }, { output: 2 }], rank) },
  svd_lowrank: { reason: sign, align: up_to_phase([{ output: 0 }, { output: 2 }], asked) },
  pca_lowrank: { reason: sign, align: up_to_phase([{ output: 0 }, { output: 2 }], asked) },
  'linalg.eigh': { reason: sign, align: up_to_phase([{ output: 1 }], rank) },
  symeig: {
    reason: sign,
    align: (c, actual) =>
      c.kw['eigenvectors'] === true ? up_to_phase([{ output: 1 }], rank)(c, actual) : { actual },
  },
  'linalg.eig': {
    reason: 'eigenvalues of a general matrix have no order, and their vectors no phase',
    align: (c, actual) => up_to_phase([{ output: 1 }], rank)(c, unordered_eigenvalues(c, actual).actual),
  },
  'linalg.eigvals': { reason: 'eigenvalues of a general matrix have no order', align: unordered_eigenvalues },
  matrix_exp: { reason: conditioned, tolerance: single(5e-6, 1e-5) },
  ormqr: { reason: conditioned, tolerance: single(1e-5, 1e-4) },
  'linalg.householder_product': { reason: conditioned, tolerance: single(1e-5, 2e-3) },
  'linalg.pinv:hermitian': { reason: conditioned, tolerance: single(2e-5, 2e-5) },
}
