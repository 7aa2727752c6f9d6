// The QR decomposition of the main namespace: qr, and LAPACK's own steps, geqrf and ormqr.
// Not here: the decomposition (qr_kernels.ts), orgqr, which is householder_product.
import { RuntimeError } from '../../../base/errors.ts'
import { same_sizes } from '../../../base/shape.ts'
import type { Tensor } from '../../../tensor/tensor.ts'
import { to_dtype } from '../../convert.ts'
import { type Named, named_tuple } from '../../define/named.ts'
import { type Op, op } from '../../define/op.ts'
import { scalar_name } from '../../define/out.ts'
import { columns_of, double_copy, from_columns, require_lapack } from '../matrices.ts'
import { qr as linalg_qr } from '../qr.ts'
import { decompose, gradient, type QR } from '../qr_kernels.ts'
import { apply_reflectors, reflectors_of } from '../reflectors.ts'

type SomeOptions = { some?: boolean; out?: readonly Tensor[] }

/** {@link linalg_qr}, 'reduced' or with `some` false 'complete'. Deprecated in PyTorch. */
export const qr: Op<[self: Tensor, some?: boolean | SomeOptions, opts?: SomeOptions], QR> = op(
  'qr(Tensor self, bool some=True)',
  {
    node: 'LinalgQrBackward0',
    forward: (self: Tensor, some: boolean) => decompose('qr', self, some ? 'reduced' : 'complete'),
    saves: ['out'],
    backward: { self: (g, [, some], out) => gradient(g, some ? 'reduced' : 'complete', out) },
  },
)

/** Reflectors below R, and their factors, as LAPACK's geqrf gives them. */
export const geqrf: Op<[self: Tensor, opts?: { out?: readonly Tensor[] }], Named<Tensor, 'a' | 'tau'>> = op(
  'geqrf(Tensor self)',
  {
    forward(self: Tensor) {
      if (self.ndim < 2) throw new RuntimeError('torch.geqrf: input must have at least 2 dimensions.')
      require_lapack('geqrf_cpu', self.dtype)
      const { columns, tau } = reflectors_of(self)
      return named_tuple('geqrf', { a: from_columns(columns, self.dtype), tau: to_dtype(tau, self.dtype) })
    },
    backward: {},
    gradcheck: false, // PyTorch has no derivative either
  },
)

function check_ormqr(self: Tensor, tau: Tensor, other: Tensor, left: boolean): void {
  const refuse = (text: string): never => {
    throw new RuntimeError(`torch.ormqr: ${text}`)
  }
  if (self.ndim < 2) refuse('input must have at least 2 dimensions.')
  if (other.ndim < 2) refuse('other must have at least 2 dimensions.')
  const side = left ? -2 : -1
  const size = other.sizes.at(side)!
  if (size < tau.sizes.at(-1)!) refuse(`other.shape[${side}] must be greater than or equal to tau.shape[-1]`)
  if (size !== self.sizes.at(-2)) refuse(`other.shape[${side}] must be equal to input.shape[-2]`)
  if (tau.sizes.at(-1)! > self.sizes.at(-1)!)
    refuse('tau.shape[-1] must be less than or equal to input.shape[-1]')
  if (self.ndim - tau.ndim !== 1)
    refuse(
      'Expected tau to have one dimension less than input, but got tau.ndim equal to ' +
        `${tau.ndim} and input.ndim is equal to ${self.ndim}`,
    )
  if (self.ndim !== other.ndim)
    refuse(
      'Expected other to have the same number of dimensions as input, but got other.ndim equal to ' +
        `${other.ndim} and input.ndim is equal to ${self.ndim}`,
    )
  const batch = self.sizes.slice(0, -2)
  const list = (sizes: readonly number[]): string => `[${sizes.join(', ')}]`
  if (!same_sizes(tau.sizes.slice(0, -1), batch))
    refuse(
      `Expected batch dimensions of tau to be equal to input.shape[:-2], but got ${list(tau.sizes.slice(0, -1))}`,
    )
  if (!same_sizes(other.sizes.slice(0, -2), batch))
    refuse(
      `Expected batch dimensions of other to be equal to input.shape[:-2], but got ${list(other.sizes.slice(0, -2))}`,
    )
  for (const [name, t] of [
    ['tau', tau],
    ['other', other],
  ] as const)
    if (t.dtype !== self.dtype)
      refuse(
        `Expected input and ${name} to have the same dtype, but input has dtype` +
          `${scalar_name(self.dtype)} and ${name} has dtype ${scalar_name(t.dtype)}`,
      )
}

type OrmqrOptions = { left?: boolean; transpose?: boolean; out?: Tensor }

/** `other` multiplied from the left or right by the Q (or its adjoint) that {@link geqrf} represents. */
export const ormqr: Op<
  [
    self: Tensor,
    input2: Tensor,
    input3: Tensor,
    left?: boolean | OrmqrOptions,
    transpose?: boolean | OrmqrOptions,
    opts?: OrmqrOptions,
  ]
> = op('ormqr(Tensor self, Tensor input2, Tensor input3, bool left=True, bool transpose=False)', {
  forward(self: Tensor, tau: Tensor, other: Tensor, left: boolean, transpose: boolean) {
    check_ormqr(self, tau, other, left)
    require_lapack('ormqr_cpu', self.dtype)
    const factors = { columns: columns_of(self), tau: double_copy(tau) }
    if (left) return from_columns(apply_reflectors(columns_of(other), factors, transpose), self.dtype)
    // C Q = (Q^H C^H)^H
    const product = apply_reflectors(double_copy(other.conj()), factors, !transpose)
    return to_dtype(product.conj(), self.dtype)
  },
  backward: {},
  gradcheck: false, // PyTorch has no derivative either
})
