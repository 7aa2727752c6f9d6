// What complex arithmetic comes to for real tensors: angle, conj and its relatives.
// Not here: the parts of complex tensors (complex_parts.ts), which have no kernels yet.
import { RuntimeError } from '../base/errors.ts'
import { constant, type Expr } from '../ir/expr.ts'
import type { Tensor } from '../tensor/tensor.ts'
import { composite, type Op } from './define/op.ts'
import { pointwise } from './define/pointwise.ts'

type Unary = [self: Tensor, opts?: { out?: Tensor }]

/** The angle in the complex plane: 0, or pi for negative numbers. */
export const angle: Op<Unary> = pointwise('angle(Tensor self)', {
  dtype: 'float',
  forward: (self: Expr) => self.ne(self).where(self, self.lt(0).where(constant(Math.PI, self.type), 0)),
  backward: () => [null],
  samples: r => [[r(3, 4)]],
})

const itself = (name: string): Op<[self: Tensor]> =>
  composite(`${name}(Tensor self)`, { body: (self: Tensor) => real_only(name, self), out: false })

function real_only(name: string, self: Tensor): Tensor {
  if (self.dtype.is_complex) throw new RuntimeError(`${name}() of complex tensors is not supported`)
  return self
}

/** The conjugate: a real tensor is its own. */
export const conj: Op<[self: Tensor]> = itself('conj')
/** {@link conj}, computed at once. */
export const conj_physical: Op<[self: Tensor]> = itself('conj_physical')
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
