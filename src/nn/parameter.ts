// nn.Parameter: a tensor that a Module counts among its parameters. It is a Tensor with a flag, not a subclass, so that
// code that handles tensors sees one class. Not here: how modules find them (module.ts).

import { RuntimeError } from '../base/errors.ts'
import type { Tensor } from '../torch.ts'
import * as torch from '../torch.ts'

export interface Parameter extends Tensor {
  readonly _is_parameter: true
}

export interface ParameterConstructor {
  /**
   * A parameter on the memory of `data` (an empty tensor by default). `new` may be left out.
   * @throws TypeError where `data` is no tensor; RuntimeError where an integer tensor should require a gradient.
   */
  new (data?: Tensor | null, requires_grad?: boolean | { requires_grad?: boolean }): Parameter
  (data?: Tensor | null, requires_grad?: boolean | { requires_grad?: boolean }): Parameter
  readonly prototype: Parameter
}

const schema = torch._parse_schema('Parameter(Tensor? data=None, bool requires_grad=True)')

function make_parameter(...args: readonly unknown[]): Parameter {
  const [data, requires_grad] = torch._bind([schema], args).values as [Tensor | null, boolean]
  const made = (data ?? torch.empty(0)).detach()
  if (requires_grad && !made.is_floating_point() && !made.is_complex())
    throw new RuntimeError('Only Tensors of floating point and complex dtype can require gradients')
  made._is_parameter = true
  made.requires_grad_(requires_grad)
  return made as Parameter
}

// An arrow function could not be called with `new`.
export const Parameter: ParameterConstructor = function Parameter(...args: readonly unknown[]): Parameter {
  return make_parameter(...args)
} as unknown as ParameterConstructor

Object.defineProperty(Parameter, 'prototype', { value: torch.Tensor.prototype })
Object.defineProperty(Parameter, Symbol.hasInstance, {
  value: (x: unknown): boolean => x instanceof torch.Tensor && (x as Tensor)._is_parameter,
})
