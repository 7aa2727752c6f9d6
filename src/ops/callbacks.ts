// Methods that call a function of the user's on every element: apply_, map_, map2_. They are as slow as that sounds.
// Not here: anything that the IR can express.
import type { PlainNumber } from '../base/dtype.ts'
import { RuntimeError } from '../base/errors.ts'
import { each_element, tensor_from } from '../tensor/from_data.ts'
import type { Tensor } from '../tensor/tensor.ts'
import { composite, type Op } from './define/op.ts'

type Element = PlainNumber

function elements(t: Tensor): Element[] {
  const found: Element[] = []
  each_element(t, x => found.push(x))
  return found
}

/** Declares `name(self, ...others, f)`, which writes `f(x, ...)` to each element. */
const by_element = <A extends readonly unknown[]>(name: string, parameters: string): Op<A> =>
  composite<A>(`${name}(Tensor self, ${parameters}any callable)`, {
    body(self: Tensor, ...rest: unknown[]) {
      const f = rest.pop() as (...elements: Element[]) => Element
      const others = rest as Tensor[]
      for (const t of [self, ...others])
        if (t.requires_grad)
          throw new RuntimeError(
            `Can't call ${name}() on Variable that requires grad. Use var.detach().${name}() instead.`,
          )
      if (typeof f !== 'function')
        throw new TypeError(`${name}(): argument 'callable' must be a function, not ${typeof f}`)
      const operands = others.map(t => elements(t.expand(self.sizes)))
      const made = elements(self).map((x, i) => f(x, ...operands.map(list => list[i]!)))
      return self.copy_(tensor_from(made, self.dtype).view(self.sizes))
    },
    out: false,
  })

/** Replaces each element by `callable(element)`. */
export const apply_: Op<[self: Tensor, callable: (x: Element) => Element]> = by_element('apply_', '')
/** Replaces each element by `callable(element, element of tensor)`; `tensor` is broadcast. */
export const map_: Op<[self: Tensor, tensor: Tensor, callable: (x: Element, y: Element) => Element]> =
  by_element('map_', 'Tensor tensor, ')
/** {@link map_} with two tensors. */
export const map2_: Op<
  [self: Tensor, x: Tensor, y: Tensor, callable: (self: Element, x: Element, y: Element) => Element]
> = by_element('map2_', 'Tensor x, Tensor y, ')
