// Declaring what is no computation: methods that bind their arguments themselves, and questions to a tensor.
import type { Schema } from '../../tensor/schema.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { composite, make_batched_op, type Op } from './op.ts'

export function method<A extends readonly unknown[], R = Tensor>(
  name: string,
  call: (self: Tensor, ...args: unknown[]) => R,
  schemas: readonly Schema[] = [],
): Op<A, R> {
  return make_batched_op(call as unknown as (...args: A) => R, {
    name,
    schemas,
    samples: undefined,
    differentiable: false,
  })
}

export const about = <R>(name: string, answer: (t: Tensor) => R): Op<[input: Tensor], R> =>
  composite(`${name}(Tensor self)`, { body: answer, out: false })
