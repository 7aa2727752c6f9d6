// Specification of the LDL decomposition, products of reflectors, projections to low rank and the nuclear norm: PyTorch's
// values, gradients and errors.
import { describe } from 'vitest'
import * as torch from '../../../src/index.ts'
import { describe_calls, grads, leaf, values } from '../calls.ts'

const LA = torch.linalg
const z = (...sizes: number[]): torch.Tensor => torch.zeros(sizes)
const { complex128, float64 } = torch
const wide = { dtype: float64 }
const c = { dtype: complex128 }

const symmetric = (sizes: number[], dtype: torch.DType = float64): torch.Tensor => {
  const x = values(sizes, { dtype })
  return x.add(x.mT)
}
const hermitian = (...sizes: number[]): torch.Tensor => {
  const x = values(sizes, c)
  return x.add(x.mH)
}

describe('ldl_factor and ldl_solve', () => {
  const sym = torch
    .tensor([
      [0, 1, 2],
      [1, 0, 3],
      [2, 3, 0],
    ])
    .float()
  const [LD, pivots] = LA.ldl_factor(sym) as unknown as [torch.Tensor, torch.Tensor]
  const solved = (a: torch.Tensor, b: torch.Tensor, options: { hermitian?: boolean } = {}): torch.Tensor => {
    const { LD, pivots } = LA.ldl_factor(a, options)
    return LA.ldl_solve(LD, pivots, b, options)
  }
  describe_calls('ldl', {
    'zero diagonal': () => LA.ldl_factor(sym),
    info: () => LA.ldl_factor_ex(sym),
    'singular info': () => LA.ldl_factor_ex(z(2, 2)),
    'lower triangle': () => LA.ldl_factor_ex(values([4, 4])),
    batch: () => LA.ldl_factor(symmetric([3, 6, 6])),
    complex: () => LA.ldl_factor(symmetric([6, 6], complex128)),
    hermitian: () => LA.ldl_factor(hermitian(6, 6), { hermitian: true }),
    'hermitian batch': () => LA.ldl_factor(hermitian(3, 6, 6), { hermitian: true }),
    'real hermitian': () => LA.ldl_factor(sym, { hermitian: true }),
    empty: () => LA.ldl_factor(z(2, 0, 0)),
    solve: () => solved(symmetric([6, 6]), values([6, 2], wide)),
    'solve batch': () => solved(symmetric([3, 6, 6]), values([6, 2], wide)),
    'solve complex': () => solved(symmetric([6, 6], complex128), values([2, 6, 2], c)),
    'solve hermitian': () => solved(hermitian(6, 6), values([6, 2], c), { hermitian: true }),
    'not square': () => LA.ldl_factor(z(2, 3)),
    vector: () => LA.ldl_factor(z(2)),
    integers: () => LA.ldl_factor(z(2, 2).long()),
    bfloat16: () => LA.ldl_factor(z(2, 2).bfloat16()),
    'solve vector': () => LA.ldl_solve(LD, pivots, z(3)),
    'solve rows': () => LA.ldl_solve(LD, pivots, z(2, 1)),
    'solve pivots': () => LA.ldl_solve(LD, pivots.narrow(0, 0, 2), z(3, 1)),
    'solve float pivots': () => LA.ldl_solve(LD, pivots.float(), z(3, 1)),
    'solve dtypes': () => LA.ldl_solve(LD, pivots, z(3, 1).double()),
    'solve not square': () => LA.ldl_solve(LD.narrow(0, 0, 2), pivots, z(3, 1)),
  })
})

const of = (
  f: (...inputs: torch.Tensor[]) => torch.Tensor | torch.Tensor[],
  ...inputs: torch.Tensor[]
): unknown => {
  const leaves = inputs.map(leaf)
  return grads(f(...leaves), ...leaves)
}

describe('householder_product', () => {
  const HP = (a: torch.Tensor, tau: torch.Tensor): torch.Tensor => LA.householder_product(a, tau)
  const reflectors = (sizes: number[], dtype: torch.DType = float64): torch.Tensor[] => [
    values(sizes, { dtype }),
    values(sizes.toSpliced(-2, 1), { dtype, salt: 1 }),
  ]
  describe_calls('householder_product', {
    square: () => of(HP as never, ...reflectors([3, 3])),
    tall: () => of(HP as never, ...reflectors([4, 2])),
    batch: () => of(HP as never, ...reflectors([2, 4, 3])),
    fewer: () => of(HP as never, values([4, 3], wide), values([2], wide)),
    complex: () => of(HP as never, ...reflectors([4, 3], complex128)),
    'complex fewer': () => of(HP as never, values([4, 3], c), values([2], c)),
    none: () => HP(values([3, 2]), values([0])),
    empty: () => HP(z(0, 0), z(0)),
    'of geqrf': () => {
      const { a, tau } = torch.geqrf(values([4, 3]))
      return torch.orgqr(a, tau)
    },
    wide: () => HP(z(2, 3), z(2)),
    many: () => HP(z(3, 2), z(3)),
    vector: () => HP(z(3), z(3)),
    dimensions: () => HP(z(3, 2), z(1, 2)),
    batches: () => HP(z(2, 3, 2), z(3, 2)),
    dtypes: () => HP(z(3, 2), z(2).double()),
    integers: () => HP(z(3, 2).long(), z(2).long()),
    scalar: () => HP(z(3, 2), torch.tensor(1)),
  })
})

describe('svd_lowrank, pca_lowrank and the nuclear norm', () => {
  /** What does not depend on the signs of the vectors. */
  const low = (f: () => torch.Tensor[]): torch.Tensor[] => {
    torch.manual_seed(0)
    const [u, s, v] = f() as [torch.Tensor, torch.Tensor, torch.Tensor]
    return [s, u.matmul(torch.diag_embed(s).to(u.dtype)).matmul(v.mH)]
  }
  const x = values([5, 4])
  describe_calls('lowrank', {
    svd: () => low(() => torch.svd_lowrank(x, 2)),
    'svd wide': () => low(() => torch.svd_lowrank(values([3, 6]).double(), 2, { niter: 0 })),
    'svd batch': () => low(() => torch.svd_lowrank(values([2, 5, 2]), 2)),
    'svd less a mean': () => low(() => torch.svd_lowrank(x, 2, { M: x.mean(0, true).expand(5, 4) })),
    pca: () => low(() => torch.pca_lowrank(x, 2)),
    'pca whole': () => low(() => torch.pca_lowrank(values([5, 3]))),
    'svd too many': () => torch.svd_lowrank(x),
    'svd too many columns': () => torch.svd_lowrank(values([4, 2]), 3),
    'pca too many': () => torch.pca_lowrank(x, 7),
    'pca passes': () => torch.pca_lowrank(x, 2, { niter: -1 }),
    nuclear: () => of(x => x!.norm('nuc'), values([3, 4], wide)),
    'nuclear dims': () => torch.norm(values([3, 2, 4]), 'nuc', { dim: [2, 0], keepdim: true }),
    'nuclear vector': () => torch.norm(values([3]), 'nuc'),
    'nuclear one dim': () => torch.norm(values([3, 2]), 'nuc', { dim: 0 }),
    'nuclear dim twice': () => torch.norm(values([3, 2]), 'nuc', { dim: [0, 0] }),
    'nuclear dtype': () => torch.norm(values([3, 2]), 'nuc', { dtype: float64 }),
  })
})

describe('native_batch_norm', () => {
  const NB = torch.native_batch_norm
  const rest = [0.1, 1e-5] as const
  const b16 = values([4, 3], { dtype: torch.bfloat16 })
  describe_calls('native_batch_norm', {
    training: () => NB(values([4, 3]), values([3]), values([3], { salt: 1 }), null, null, true, ...rest),
    running: () => {
      const [mean, variance] = [z(3), torch.ones(3)]
      return [...NB(values([4, 3, 2]), null, null, mean, variance, true, ...rest), mean, variance]
    },
    evaluation: () =>
      NB(values([4, 3]), null, null, z(3), torch.full([3], 2, { dtype: torch.float32 }), false, ...rest),
    bfloat16: () => NB(b16, null, null, null, null, true, ...rest),
    'bfloat16 and float32': () => NB(b16, null, null, z(3), z(3), true, ...rest),
    gradient: () =>
      of(
        (x, w, b) => NB(x!, w!, b!, null, null, true, ...rest)[0]!,
        values([4, 3]),
        values([3]),
        values([3], { salt: 1 }),
      ),
    integers: () => NB(values([4, 3]).long(), null, null, z(3), z(3), true, ...rest),
  })
})
