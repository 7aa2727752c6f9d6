// Makes ops into methods: for every op of ops/index.ts and ops/method_only.ts, `x.name(...)` is `name(x, ...)`.
// The types come from the same tables. Not here: any op.
import { Tensor } from '../tensor/tensor.ts'
import type { Op, Overloads } from './define/op.ts'
import * as both from './index.ts'
import * as method_only from './method_only.ts'
import * as properties from './properties.ts'
import { type PartValue, setters } from './setters.ts'

type Tail<A> = A extends readonly [unknown, ...infer Rest]
  ? Rest
  : A extends readonly [unknown?, ...infer Rest]
    ? Rest
    : never
type Method<F> =
  F extends Overloads<infer M> ? M : F extends Op<infer A, infer R> ? (...args: Tail<A>) => R : never
type Methods<M> = { [K in keyof M]: Method<M[K]> }
type Properties<M> = { readonly [K in Exclude<keyof M, 'real' | 'imag'>]: Tensor }

declare module '../tensor/tensor.ts' {
  interface TensorMethods
    extends Methods<typeof both>,
      Methods<typeof method_only>,
      Properties<typeof properties> {
    /** The real parts: a view, which can be assigned to. */
    get real(): Tensor
    set real(value: PartValue)
    /** The imaginary parts of a complex tensor: a view, which can be assigned to. */
    get imag(): Tensor
    set imag(value: PartValue)
  }
}

/**
 * Gives tensors the ops. They stand on a prototype of the prototype, which is a dictionary while it is made: to any other
 * object V8 adds each property by copying the list of all that it has, which takes 20 ms for so many.
 */
export function install_methods(): void {
  const methods: object = Object.create(null)
  for (const [name, op] of [...Object.entries(both), ...Object.entries(method_only)])
    Object.defineProperty(methods, name, {
      value: as_method(op as (...args: unknown[]) => unknown),
      writable: true,
      configurable: true,
    })
  for (const [name, property] of Object.entries(properties)) {
    const setter = setters[name]
    Object.defineProperty(methods, name, {
      get(this: Tensor): Tensor {
        return property(this)
      },
      ...(setter && {
        set(this: Tensor, value: unknown): void {
          setter(this, value)
        },
      }),
      configurable: true,
    })
  }
  end_dictionary(methods, Object.keys(both))
  Object.setPrototypeOf(methods, Object.prototype)
  Object.setPrototypeOf(Tensor.prototype, methods)
}

/** Reading through a prototype often enough makes V8 see an ordinary object in it, whose methods it can inline. */
function end_dictionary(prototype: object, names: readonly string[]): void {
  const reader: Record<string, unknown> = Object.create(prototype)
  for (const name of names) reader[name]
}

/** Calls without rest arguments where there are few: they are what programs are made of. */
function as_method(op: (...args: unknown[]) => unknown): (...args: unknown[]) => unknown {
  return function (this: Tensor, ...args: unknown[]): unknown {
    if (args.length === 0) return op(this)
    if (args.length === 1) return op(this, args[0])
    return op(this, ...args)
  }
}
