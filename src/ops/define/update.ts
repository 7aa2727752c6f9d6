// Declares ops whose result is their first input with some elements changed (index_add, scatter, put): out of place
// they work on a copy, in place they write only what changes. Not here: what is written.
import { empty } from '../../tensor/dispatch.ts'
import { bump_version } from '../../tensor/tape.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { copy_elements } from './copy.ts'
import { type Op, type OpDef, op } from './op.ts'

export interface UpdateDef<V extends readonly unknown[], A extends readonly unknown[]>
  extends Omit<OpDef<[self: Tensor, ...V], A, Tensor>, 'forward'> {
  /** Checks the arguments and returns what writes into a contiguous tensor with the values of `self`. */
  readonly prepare: (self: Tensor, ...values: V) => (out: Tensor) => void
}

/** A contiguous copy outside the graph. */
export function dense_copy(t: Tensor): Tensor {
  const out = empty(t.sizes, t.dtype)
  copy_elements(out, t)
  return out
}

/** Declares an op that changes some elements of its first input. */
export function update_op<A extends readonly unknown[], V extends readonly unknown[]>(
  signature: string,
  { prepare, ...def }: UpdateDef<V, A>,
): Op<A> {
  const form = op<A, [self: Tensor, ...V], Tensor>(signature, {
    ...def,
    forward(self, ...values) {
      const write = prepare(self, ...values)
      const out = dense_copy(self)
      write(out)
      return out
    },
  })
  const { spec } = form
  const run = (values: unknown[], overload: number, out: Tensor | null): unknown => {
    if (out === null) return spec.run?.(values, overload, null)
    const [self, ...rest] = values as [Tensor, ...V]
    const write = prepare(self, ...rest)
    if (out.dense) write(out)
    else {
      const copy = dense_copy(out)
      write(copy)
      copy_elements(out, copy)
    }
    bump_version(out)
    return out
  }
  return Object.assign(form, { spec: { ...spec, run, writes_out: true } })
}
