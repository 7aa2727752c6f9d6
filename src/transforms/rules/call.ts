// What batching rules are made of: a call with bound values, and the tensors in it with their batch as an ordinary first
// dimension. A rule computes on these, one level further out, and returns tensors whose first dimension is the batch.
// Not here: which op has which rule (table.ts), who calls them (dispatch.ts).
import { wrap_dim } from '../../base/shape.ts'
import type { Op } from '../../ops/define/op.ts'
import { Batched, type Level, ORDINARY, padded, remove_level } from '../../tensor/batched.ts'
import type { Schema } from '../../tensor/schema.ts'
import { Tensor } from '../../tensor/tensor.ts'

export type AnyOp = Op<readonly unknown[], unknown>

/** A call of an op, with its values in the order of the schema. */
export class Call {
  readonly op: AnyOp
  readonly schema: Schema
  readonly values: readonly unknown[]
  readonly level: Level

  constructor(op: AnyOp, schema: Schema, values: readonly unknown[], level: Level) {
    this.op = op
    this.schema = schema
    this.values = values
    this.level = level
  }

  /** The value of a parameter. */
  get<T>(name: string): T {
    return this.values[this.at(name)] as T
  }

  /** The position of a parameter, or -1. */
  at(name: string): number {
    return this.schema.params.findIndex(p => p.name === name)
  }

  /** Whether the tensor varies over the batch. */
  varies(t: unknown): t is Batched {
    return t instanceof Batched && t.level === this.level
  }

  /** The tensor with the batch in front, expanded where it does not vary. */
  all(t: Tensor): Tensor {
    return remove_level(t, this.level)
  }

  /** The tensor with the batch in front if it varies, else as it is. */
  own(t: Tensor): Tensor {
    return this.varies(t) ? t.value : t
  }

  /** {@link all} of every tensor among the values. */
  all_values(): unknown[] {
    return this.values.map(v => each_tensor(v, t => this.all(t)))
  }

  /** Calls the op with other values. */
  run(values: readonly unknown[]): unknown {
    const { params } = this.schema
    const given: unknown[] = []
    const options: Record<string, unknown> = {}
    params.forEach((p, i) => {
      if (!p.keyword_only) given.push(values[i])
      else if (values[i] !== p.default) options[p.name] = values[i]
    })
    return Object.keys(options).length > 0 ? this.op(...given, options) : this.op(...given)
  }

  /** Calls it with some values replaced, by name. */
  with(changes: Readonly<Record<string, unknown>>): unknown {
    const { params } = this.schema
    return this.run(
      this.values.map((v, i) => (Object.hasOwn(changes, params[i]!.name) ? changes[params[i]!.name] : v)),
    )
  }
}

/** Gives tensors with the batch in front; `ORDINARY`: the op's own body works on batched tensors. */
export type Rule = (call: Call) => unknown

export { ORDINARY, padded }

const is_tensor_list = (v: unknown): v is readonly Tensor[] =>
  Array.isArray(v) && v.length > 0 && v.every(t => t instanceof Tensor)

/** Applies `f` to a tensor, or to each of a list of them; anything else stays. */
export function each_tensor(v: unknown, f: (t: Tensor) => unknown): unknown {
  if (v instanceof Tensor) return f(v)
  return is_tensor_list(v) ? v.map(f) : v
}

/** Applies `f` to the result of an op: a tensor, or an array of them that is changed (its elements may have names). */
export function each_result(result: unknown, f: (t: Tensor) => Tensor): unknown {
  if (result instanceof Tensor) return f(result)
  if (Array.isArray(result)) result.forEach((r, i) => (result[i] = each_result(r, f)))
  return result
}

/** The batch and the first dimension of samples as one. */
export const folded = (value: Tensor): Tensor =>
  value.reshape([value.sizes[0]! * value.sizes[1]!, ...value.sizes.slice(2)])

/** The reverse of {@link folded}. */
export const unfolded = (t: Tensor, batch: number): Tensor =>
  t.reshape([batch, t.sizes[0]! / batch, ...t.sizes.slice(1)])

/** A dimension of a sample of `rank` dimensions, as one of the whole. */
export const shifted = (dim: number, rank: number): number => wrap_dim(dim, rank) + 1

/** All dimensions of a sample. */
export const every_dim = (rank: number): number[] => Array.from({ length: rank }, (_, d) => d + 1)
