// The orthogonal matrix that Householder reflectors make: linalg.householder_product, orgqr by its older name.
// Not here: how reflectors come about (qr.ts), the kernels (reflectors.ts).
import { IndexError, RuntimeError } from '../../base/errors.ts'
import { same_sizes } from '../../base/shape.ts'
import { empty } from '../../tensor/dispatch.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { to_dtype } from '../convert.ts'
import { type Op, op } from '../define/op.ts'
import { scalar_name } from '../define/out.ts'
import { cat, stack } from '../join.ts'
import { columns_of, double_copy, from_columns, identities, require_lapack } from './matrices.ts'
import { apply_reflectors } from './reflectors.ts'

function require_reflectors(a: Tensor, tau: Tensor): void {
  const refuse = (text: string): never => {
    throw new RuntimeError(`torch.linalg.householder_product: ${text}`)
  }
  if (a.ndim < 2) refuse('input must have at least 2 dimensions.')
  const [m, n] = a.sizes.slice(-2) as [number, number]
  if (m < n) refuse('input.shape[-2] must be greater than or equal to input.shape[-1]')
  if (tau.ndim === 0) throw new IndexError('Dimension specified as -1 but tensor has no dimensions')
  if (n < tau.sizes.at(-1)!) refuse('input.shape[-1] must be greater than or equal to tau.shape[-1]')
  if (a.ndim - tau.ndim !== 1)
    refuse(
      `Expected tau to have one dimension less than input, but got tau.ndim equal to ${tau.ndim} and input.ndim is equal to ${a.ndim}`,
    )
  const batch = tau.sizes.slice(0, -1)
  if (!same_sizes(batch, a.sizes.slice(0, -2)))
    refuse(`Expected batch dimensions of tau to be equal to input.shape[:-2], but got [${batch.join(', ')}]`)
  if (tau.dtype !== a.dtype)
    refuse(`tau dtype ${scalar_name(tau.dtype)} does not match input dtype ${scalar_name(a.dtype)}`)
}

/** Of the product H_1 ... H_k E, H_i = I - tau_i v_i v_i^H, whose factors are taken off from the left one by one. */
function gradient(g: Tensor, a: Tensor, tau: Tensor): [Tensor, Tensor] {
  const [m, n] = a.sizes.slice(-2) as [number, number]
  const count = tau.sizes.at(-1)!
  const eye = to_dtype(identities([], m, n, a.dtype), a.dtype)
  const vectors = a.tril(-1).add(eye)
  const vector = (i: number): Tensor => vectors.narrow(-1, i, 1)
  const factor = (i: number): Tensor => tau.narrow(-1, i, 1).unsqueeze(-1)
  const reflected = (x: Tensor, v: Tensor, t: Tensor): Tensor => x.sub(v.mul(t).matmul(v.mH.matmul(x)))
  // products[i]: what H_i multiplies
  const products: Tensor[] = []
  let product = eye.expand(a.sizes)
  for (let i = count - 1; i >= 0; i--) {
    products[i] = product
    product = reflected(product, vector(i), factor(i))
  }
  const columns: Tensor[] = []
  const of_tau: Tensor[] = []
  let rest = g
  for (let i = 0; i < count; i++) {
    const [v, t, y] = [vector(i), factor(i), products[i]!]
    const [left, right] = [rest.mH.matmul(v), v.mH.matmul(y)]
    of_tau.push(right.matmul(left).conj().neg().squeeze(-1).squeeze(-1))
    const through = rest.matmul(right.mH).mul(t.conj()).add(y.matmul(left).mul(t))
    columns.push(through.neg())
    rest = reflected(rest, v, t.conj())
  }
  if (count < n) columns.push(a.new_zeros([...a.sizes.slice(0, -1), n - count]))
  return [cat(columns, -1).tril(-1), stack(of_tau, -1)]
}

/**
 * The first columns of the product of Householder reflectors, which `geqrf` gives: as many as `A` has. The vectors are
 * the columns of `A` below its diagonal, where they are 1; `tau` has their factors.
 */
export const householder_product: Op<[A: Tensor, tau: Tensor, opts?: { out?: Tensor }]> = op(
  'linalg_householder_product(Tensor self, Tensor input2)',
  {
    forward(a: Tensor, tau: Tensor) {
      require_reflectors(a, tau)
      require_lapack('orgqr_cpu', a.dtype)
      const [m, n] = a.sizes.slice(-2) as [number, number]
      if (a.count === 0) return empty(a.sizes, a.dtype)
      const factors = { columns: columns_of(a), tau: double_copy(tau) }
      const eye = identities(a.sizes.slice(0, -2), n, m, factors.columns.dtype)
      return from_columns(apply_reflectors(eye, factors), a.dtype)
    },
    saves: ['self', 'input2'],
    backward: (g, [a, tau]) => (a.count === 0 || tau.count === 0 ? [null, null] : gradient(g, a, tau)),
    samples: r => [
      [r(4, 3), r(3)],
      [r(2, 3, 3), r(2, 2)],
    ],
  },
)
