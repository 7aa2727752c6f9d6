// What only complex numbers have, elementwise: angle, conj and its relatives.
// Not here: complex arithmetic (ir/complex.ts: it is that of every op), the parts of complex tensors (complex_parts.ts).
import { RuntimeError } from '../base/errors.ts'
import { constant, type Expr } from '../ir/expr.ts'
import { is_complex } from '../ir/types.ts'
import type { Tensor } from '../tensor/tensor.ts'
import { in_place } from './define/inplace.ts'
import { composite, make_op, type Op } from './define/op.ts'
import { pointwise } from './define/pointwise.ts'

type Unary = [self: Tensor, opts?: { out?: Tensor }]

/** The angle in the complex plane: 0, or pi for negative numbers. */
export const angle: Op<Unary> = pointwise('angle(Tensor self)', {
  dtype: 'float',
  forward: (self: Expr) =>
    is_complex(self.type)
      ? self.angle()
      : self.ne(self).where(self, self.lt(0).where(constant(Math.PI, self.type), 0)),
  samples: r => [[r(3, 4)]],
})

const conjugate = (name: string): Op<[self: Tensor]> => {
  const computed = pointwise<[self: Tensor], readonly [self: Expr]>(`${name}(Tensor self)`, {
    forward: self => self.conj(),
  })
  return make_op((self: Tensor) => (self.dtype.is_complex ? computed(self) : self), computed.spec)
}

/** The conjugate: a real tensor is its own. PyTorch gives a view that is computed later; here it is a new tensor. */
export const conj: Op<[self: Tensor]> = conjugate('conj')
/** {@link conj}, computed at once. */
export const conj_physical: Op<[self: Tensor]> = conjugate('conj_physical')
/** In-place {@link conj_physical}. */
export const conj_physical_: typeof conj_physical = in_place(conj_physical)
/** {@link conj} where that is pending, which it never is. */
export const resolve_conj: Op<[self: Tensor]> = composite('resolve_conj(Tensor self)', {
  body: (self: Tensor) => self,
  out: false,
})
/** The tensor itself: no negation is ever pending. */
export const resolve_neg: Op<[self: Tensor]> = composite('resolve_neg(Tensor self)', {
  body: (self: Tensor) => self,
  out: false,
})
/** Whether a conjugation is pending: never, {@link conj} computes it at once. */
export const is_conj: Op<[input: Tensor], boolean> = composite('is_conj(Tensor self)', {
  body: () => false,
  out: false,
})

/** The last two dimensions swapped, and conjugated. */
export const adjoint: Op<[self: Tensor]> = composite('adjoint(Tensor self)', {
  body(self: Tensor) {
    if (self.ndim === 1)
      throw new RuntimeError(
        'tensor.adjoint() is only supported on matrices or batches of matrices. Got 1-D tensor.',
      )
    return conj(self.ndim === 0 ? self : self.transpose(-2, -1))
  },
  out: false,
  samples: r => [[r(2, 3)], [r(2, 3, 4)], [r()]],
})
