// Decompositions by what defines them: the factors multiply to the matrix, are orthogonal or triangular or in order; of
// any shape, dtype and rank, in batches. Values against PyTorch's are in the conformance suite.
import { describe, expect, test } from 'vitest'
import * as torch from '../../../src/index.ts'
import type { Tensor } from '../../../src/tensor/tensor.ts'

const { linalg } = torch
const dtypes = [torch.float32, torch.float64, torch.complex64, torch.complex128]
const shapes = [
  [1, 1],
  [4, 4],
  [6, 3],
  [3, 6],
  [2, 5, 3],
  [2, 2, 3, 4],
  [0, 3],
  [3, 0],
  [0, 2, 2],
  [17, 17],
]
const squares = [
  [1, 1],
  [2, 2],
  [5, 5],
  [3, 4, 4],
  [0, 0],
  [17, 17],
]

const largest = (x: Tensor): number => (x.numel() === 0 ? 0 : Number(x.abs().max().item()))
const tolerance = (dtype: torch.DType): number =>
  dtype === torch.float64 || dtype === torch.complex128 ? 1e-13 : 2e-5
const near = (a: Tensor, b: Tensor, dtype: torch.DType): void => {
  expect(a.sizes).toEqual(b.sizes)
  expect(largest(a.sub(b))).toBeLessThan(tolerance(dtype))
}
const orthonormal = (columns: Tensor): void => {
  const n = columns.sizes.at(-1)!
  near(
    columns.mH.matmul(columns),
    torch.eye(n, { dtype: columns.dtype }).expand([...columns.sizes.slice(0, -2), n, n]),
    columns.dtype,
  )
}
const random = (shape: readonly number[], dtype: torch.DType): Tensor => {
  torch.manual_seed(7)
  return torch.randn(shape, { dtype })
}
/** A matrix of rank 2. */
const deficient = (dtype: torch.DType): Tensor => random([6, 2], dtype).matmul(random([2, 5], dtype))
const diagonal = (s: Tensor, dtype: torch.DType): Tensor => s.to(dtype).diag_embed()
const in_order = (x: Tensor): boolean => {
  const n = x.sizes.at(-1)!
  return (
    n < 2 ||
    x
      .narrow(-1, 1, n - 1)
      .ge(x.narrow(-1, 0, n - 1))
      .all()
      .item() === true
  )
}
const nan = (): Tensor => torch.full([2, 2], NaN)

describe.each(dtypes.map(d => [d.name, d] as const))('%s', (_, dtype) => {
  const inputs = [...shapes.map(s => random(s, dtype)), deficient(dtype), torch.zeros([3, 2], { dtype })]

  test('linalg.qr: Q is orthonormal, R triangular, QR the matrix', () => {
    for (const A of inputs)
      for (const mode of ['reduced', 'complete'] as const) {
        const { Q, R } = linalg.qr(A, mode)
        near(Q.matmul(R), A, dtype)
        orthonormal(Q)
        expect(largest(R.tril(-1))).toBe(0)
        near(linalg.qr(A, 'r').R, linalg.qr(A).R, dtype)
      }
  })

  test('ormqr multiplies by the complete Q from either side', () => {
    const A = random([2, 5, 3], dtype)
    const { a, tau } = torch.geqrf(A)
    const { Q } = linalg.qr(A, 'complete')
    const C = random([2, 5, 5], dtype)
    near(torch.ormqr(a, tau, C), Q.matmul(C), dtype)
    near(torch.ormqr(a, tau, C, true, true), Q.mH.matmul(C), dtype)
    near(torch.ormqr(a, tau, C, false), C.matmul(Q), dtype)
    near(torch.ormqr(a, tau, C, false, true), C.matmul(Q.mH), dtype)
  })

  test('linalg.svd: orthonormal vectors, values in order, the product the matrix', () => {
    for (const A of inputs) {
      const { U, S, Vh } = linalg.svd(A, false)
      near(U.matmul(diagonal(S, dtype)).matmul(Vh), A, dtype)
      orthonormal(U)
      orthonormal(Vh.mH)
      expect(in_order(S.neg())).toBe(true)
      const full = linalg.svd(A)
      orthonormal(full.U)
      orthonormal(full.Vh)
      expect(full.U.sizes.at(-1)).toBe(A.sizes.at(-2))
      expect(full.Vh.sizes.at(-2)).toBe(A.sizes.at(-1))
      near(linalg.svdvals(A), S, dtype)
    }
  })

  test('linalg.eigh reads one triangle; eigenvectors are orthonormal, eigenvalues in order', () => {
    for (const shape of squares)
      for (const UPLO of ['L', 'U']) {
        const A = random(shape, dtype)
        const half = UPLO === 'L' ? A.tril(-1) : A.triu(1)
        const own = A.diagonal(0, -2, -1)
        const H = half.add(half.mH).add(diagonal(dtype.is_complex ? own.real : own, dtype))
        const { eigenvalues: L, eigenvectors: V } = linalg.eigh(A, UPLO)
        near(V.matmul(diagonal(L, dtype)).matmul(V.mH), H, dtype)
        orthonormal(V)
        near(linalg.eigvalsh(A, UPLO), L, dtype)
        expect(in_order(L)).toBe(true)
      }
  })

  test('linalg.eig: unit eigenvectors', () => {
    const special = [torch.zeros([3, 3], { dtype }), torch.eye(4, { dtype }), torch.ones([3, 3], { dtype })]
    for (const A of [...squares.map(s => random(s, dtype)), ...special]) {
      const { eigenvalues: L, eigenvectors: V } = linalg.eig(A)
      expect(L.dtype.is_complex && V.dtype.is_complex).toBe(true)
      near(A.to(V.dtype).matmul(V), V.mul(L.unsqueeze(-2)), dtype)
      near(V.abs().square().sum(-2), torch.ones(L.sizes, { dtype: V.real.dtype }), dtype)
    }
  })
})

describe.each(dtypes.map(d => [d.name, d] as const))('of %s', (_, dtype) => {
  test('linalg.pinv satisfies the equations of Penrose', () => {
    for (const A of [random([4, 3], dtype), random([2, 2, 3], dtype), deficient(dtype)]) {
      const P = linalg.pinv(A)
      near(A.matmul(P).matmul(A), A, dtype)
      near(A.matmul(P).mH, A.matmul(P), dtype)
      near(P.matmul(A).mH, P.matmul(A), dtype)
      near(torch.pinverse(random([4, 3], dtype)), linalg.pinv(random([4, 3], dtype)), dtype)
    }
  })

  test('linalg.matrix_rank counts what is above the tolerance', () => {
    expect(linalg.matrix_rank(deficient(dtype)).item()).toBe(2)
    expect(linalg.matrix_rank(random([3, 4], dtype)).item()).toBe(3)
    expect(linalg.matrix_rank(torch.tensor([2, 0.5]).to(dtype).diag(), 1).item()).toBe(1)
    expect(linalg.matrix_rank(torch.zeros([2, 0, 3], { dtype })).tolist()).toEqual([0, 0])
  })

  test('linalg.lstsq leaves a residual orthogonal to the columns', () => {
    const [A, B] = [random([2, 6, 3], dtype), random([6, 2], dtype).expand(2, 6, 2)]
    for (const driver of ['gels', 'gelsy', 'gelsd', 'gelss']) {
      const { solution, residuals, rank, singular_values } = linalg.lstsq(A, B, { driver })
      const rest = A.matmul(solution).sub(B)
      near(A.mH.matmul(rest), A.mH.matmul(rest).mul(0), dtype)
      if (driver === 'gelsy') expect(residuals.sizes).toEqual([0])
      else near(residuals, rest.abs().square().sum(-2), dtype)
      expect(rank.tolist()).toEqual(driver === 'gels' ? [] : [3, 3])
      expect(singular_values.sizes).toEqual(
        driver.startsWith('gels') && /[ds]$/.test(driver.slice(4)) ? [2, 3] : [0],
      )
    }
  })
})

test('the eigenvalues of rotations and permutations need shifts', () => {
  const turn = torch.tensor(
    [
      [0, -1],
      [1, 0],
    ],
    { dtype: torch.float64 },
  )
  expect(largest(linalg.eigvals(turn).real)).toBeLessThan(1e-15)
  const cycle = torch.eye(5, { dtype: torch.float64 }).roll(1, 0)
  const L = linalg.eigvals(cycle)
  expect(largest(L.pow(5).sub(1))).toBeLessThan(1e-13)
})

test('real eigenvalues of real matrices have no imaginary part', () => {
  const A = torch.tensor(
    [
      [1, 2, 3],
      [0, 4, 5],
      [0, 0, 6],
    ],
    { dtype: torch.float64 },
  )
  const { eigenvalues, eigenvectors } = linalg.eig(A)
  expect(largest(eigenvalues.imag)).toBe(0)
  expect(largest(eigenvectors.imag)).toBe(0)
})

describe('gradients are those of finite differences, to second order', () => {
  const x = (shape: number[], dtype = torch.float64): Tensor => random(shape, dtype).requires_grad_()
  const check = (f: (a: Tensor) => Tensor | Tensor[], a: Tensor): void => {
    expect(torch.autograd.gradcheck(f, [a])).toBe(true)
    expect(torch.autograd.gradgradcheck(f, [a])).toBe(true)
  }
  const symmetric = (a: Tensor): Tensor => a.add(a.mH)

  test('linalg.qr', () => {
    for (const shape of [
      [4, 3],
      [3, 3],
      [2, 2, 4],
    ])
      check(a => [...linalg.qr(a)], x(shape))
    check(a => [...torch.qr(a, false)], x([2, 3]))
  })
  test('linalg.svd and svdvals', () => {
    for (const shape of [
      [4, 3],
      [3, 3],
      [2, 2, 4],
    ]) {
      check(a => [...linalg.svd(a, false)], x(shape))
      check(a => linalg.svdvals(a), x(shape))
    }
  })
  test('linalg.eigh and eigvalsh', () => {
    check(a => [...linalg.eigh(symmetric(a))], x([2, 3, 3]))
    check(a => linalg.eigvalsh(symmetric(a)), x([3, 3]))
  })
  test('linalg.eig and eigvals', () => {
    check(a => linalg.eigvals(a).abs(), x([3, 3]))
    check(a => linalg.eig(a).eigenvectors.abs(), x([3, 3]))
  })
  test('linalg.pinv and lstsq', () => {
    for (const shape of [
      [4, 3],
      [2, 3],
    ]) {
      check(a => linalg.pinv(a), x(shape))
      check(a => linalg.lstsq(a, random([shape[0]!, 2], torch.float64)).solution, x(shape))
      check(b => linalg.lstsq(random([shape[0]!, 3], torch.float64), b).solution, x([shape[0]!, 2]))
    }
  })
  test('of complex matrices', () => {
    const complex = (f: (a: Tensor) => Tensor, shape: number[]): void =>
      check(a => f(torch.view_as_complex(a)), x([...shape, 2]))
    complex(a => linalg.svd(a, false).U.abs(), [4, 3])
    complex(a => linalg.svd(a, false).Vh.abs(), [2, 3])
    complex(a => linalg.svdvals(a), [2, 3])
    complex(a => linalg.eigh(symmetric(a)).eigenvectors.abs(), [3, 3])
  })
})

test("errors are PyTorch's", () => {
  const A = torch.ones([3, 2])
  const ints = torch.ones([2, 2], { dtype: torch.int32 })
  const rows: [() => unknown, string][] = [
    [() => linalg.qr(torch.ones([3])), 'linalg.qr: The input tensor A must have at least 2 dimensions.'],
    [() => linalg.qr(ints), 'linalg.qr: Expected a floating point or complex tensor as input. Got Int'],
    [
      () => linalg.qr(A, 'x' as 'r'),
      "qr received unrecognized mode 'x' but expected one of 'reduced' (default), 'r', or 'complete'",
    ],
    [
      () =>
        linalg
          .qr(torch.ones([4, 3], { requires_grad: true }), 'complete')
          .R.sum()
          .backward(),
      "The QR decomposition is not differentiable when mode='complete' and nrows > ncols.",
    ],
    [() => torch.geqrf(torch.ones([3])), 'torch.geqrf: input must have at least 2 dimensions.'],
    [
      () => torch.ormqr(A, torch.ones([2]), torch.ones([4, 2])),
      'torch.ormqr: other.shape[-2] must be equal to input.shape[-2]',
    ],
    [() => linalg.svd(torch.ones([3])), 'linalg.svd: The input tensor A must have at least 2 dimensions.'],
    [
      () => linalg.svd(nan()),
      'linalg.svd: The algorithm failed to converge because the input matrix contained non-finite values.',
    ],
    [
      () => linalg.svd(A, { driver: 'gesvd' }),
      'torch.linalg.svd: keyword argument `driver=` is only supported on CUDA inputs with cuSOLVER backend.',
    ],
    [
      () => torch.svd(torch.ones([3])),
      'linalg.svd: input should have at least 2 dimensions, but has 1 dimensions instead',
    ],
    [() => linalg.eigh(A), 'linalg.eigh: A must be batches of square matrices, but they are 3 by 2 matrices'],
    [() => linalg.eigh(torch.ones([2, 2]), 'x'), "Expected UPLO argument to be 'L' or 'U', but got x"],
    [() => linalg.eigh(ints), '"linalg_eigh_cpu" not implemented for \'Int\''],
    [() => linalg.eig(A), 'linalg.eig: A must be batches of square matrices, but they are 3 by 2 matrices'],
    [() => linalg.eig(nan()), 'torch.linalg.eig: input tensor should not contain infs or NaNs.'],
    [
      () => linalg.pinv(torch.ones([3])),
      'linalg.pinv(Float{[3]}): expected a tensor with 2 or more dimensions of float, double, cfloat or cdouble types',
    ],
    [
      () => linalg.matrix_rank(torch.ones([3])),
      'torch.linalg.matrix_rank: The input tensor input must have at least 2 dimensions.',
    ],
    [
      () => linalg.lstsq(A, torch.ones([2, 2])),
      'torch.linalg.lstsq: input.size(-2) should match other.size(-2)',
    ],
    [
      () => linalg.lstsq(A, A, { driver: 'x' }),
      'torch.linalg.lstsq: parameter `driver` should be one of (gels, gelsy, gelsd, gelss)',
    ],
    [() => linalg.eig(ints), 'Unknown Complex ScalarType for Int'],
  ]
  for (const [call, message] of rows) expect(call).toThrow(message)
})
