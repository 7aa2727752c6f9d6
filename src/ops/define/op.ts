// What an op is: a function users call, with its declaration attached. `op` declares one that computes by itself
// (a reduction, matrix multiply, gather) with a derivative per input; `composite` one that only calls other ops.
// In-place and out= forms follow from either (inplace.ts). Pointwise ops have their own declaration (pointwise.ts).
import type { DType } from '../../base/dtype.ts'
import { RuntimeError } from '../../base/errors.ts'
import { Storage } from '../../device/storage.ts'
import { bind, parse_schema, type Schema } from '../../tensor/schema.ts'
import {
  type Edge,
  edge_of,
  type Grads,
  modes,
  Node,
  records,
  Saved,
  set_history,
} from '../../tensor/tape.ts'
import { Tensor } from '../../tensor/tensor.ts'
import { write_out } from './out.ts'

/** Makes the tensors of sample inputs, from a seed, so that reference values can be recorded for them. */
export interface Sampler {
  /** float32 in (-2, 2) */
  (...sizes: number[]): Tensor
  /** float32 in (low, high) */
  range(low: number, high: number, ...sizes: number[]): Tensor
  /** int64 in [low, high) */
  ints(low: number, high: number, ...sizes: number[]): Tensor
  bools(...sizes: number[]): Tensor
  /** a permutation of 0..n-1 as float32: distinct values, for ops that are not smooth at ties */
  distinct(...sizes: number[]): Tensor
  cast(t: Tensor, dtype: DType): Tensor
}

export type Samples<A extends readonly unknown[]> = (r: Sampler) => A[]

/** A declared op as the suite and the in-place and out= forms see it. */
export interface Spec {
  readonly name: string
  readonly schemas: readonly Schema[]
  readonly samples: Samples<readonly unknown[]> | undefined
  /** Whether it takes `out=`. */
  readonly out?: boolean
  /** Gradients are checked (and gradgrad) over the samples. */
  readonly differentiable: boolean
  /** Runs on bound values. Nothing is recorded. */
  readonly run?: (values: unknown[], overload: number, out: Tensor | null) => unknown
  /** For pointwise ops: computes a plain unrecorded call on dense tensors straight into the first; false: not one. */
  readonly quick?: (self: Tensor, other: Tensor | undefined) => boolean
  /** Whether `run` computes straight into `out`; otherwise it ignores it and makes a new tensor. */
  readonly writes_out?: boolean
  /** The tensors among bound values, in the order of the node's edges. */
  readonly inputs?: (values: unknown[]) => Tensor[]
  /** The node for a call that has run. `edges` were taken before it ran. */
  readonly node?: (values: unknown[], overload: number, result: unknown, edges: (Edge | null)[]) => Node
  /** For pointwise ops: the gradient of the `i`-th operand, by the op's own derivative, on the tape. */
  readonly gradient?: (g: Tensor, i: number, values: unknown[]) => Tensor | null
  /** Whether backward needs the values of the first input. */
  readonly saves_self?: (values: unknown[], overload: number) => boolean
}

/** A function users call, with its declaration. `A` is its argument tuple, or a union of them for overloads. */
export interface Op<A extends readonly unknown[], R = Tensor> {
  (...args: A): R
  readonly op_name: string
  readonly spec: Spec
}

/** The type of an op's method, for overloads whose methods cannot be derived; there is no such property. */
export interface Overloads<Method> {
  readonly method_type: Method
}

/** Attaches a declaration to the function that users call. */
export function make_op<A extends readonly unknown[], R>(call: (...args: A) => R, spec: Spec): Op<A, R> {
  Object.defineProperty(call, 'name', { value: spec.name })
  return Object.assign(call, { op_name: spec.name, spec })
}

/** `log_softmax` -> `LogSoftmaxBackward0` */
export const node_name = (name: string): string =>
  `${name
    .split('_')
    .map(w => w.slice(0, 1).toUpperCase() + w.slice(1))
    .join('')}Backward0`

/** What backward sees of an input that `saves` does not name: sizes and dtype, but no memory. */
class Unsaved extends Storage {
  constructor() {
    super(new ArrayBuffer(0), 0, 0)
    const refuse = (): never => {
      throw new Error('backward read an input that its declaration does not name in `saves`')
    }
    Object.defineProperty(this, 'buffer', { get: refuse })
    Object.defineProperty(this, 'address', { get: refuse })
    Object.defineProperty(this, 'array', { value: refuse })
  }
}
const unsaved_memory = new Unsaved()
const without_memory = (t: Tensor): Tensor =>
  new Tensor(unsaved_memory, 0, t.sizes, t.strides, t.dtype, t.count, t.dense)

/** The gradient that reaches backward: one tensor, or a list for ops with several results (null: none arrived). */
type GradOf<R> = R extends Tensor ? Tensor : Grads

/** One derivative: of the gradient, the bound values (tensors only where saved), and the saved result. */
export type Derivative<V extends readonly unknown[], R> = (
  g: GradOf<R>,
  values: V,
  out: R,
) => Tensor | null | (Tensor | null)[]

export interface OpDef<V extends readonly unknown[], A extends readonly unknown[], R> {
  /** Computes; runs with recording off. May throw before anything is written. */
  forward(...values: V): R
  /** Names of the inputs whose values backward reads; `out` for the result, `out.1` for one of several. */
  saves?: readonly string[]
  /** A derivative per input name, or one function for all (in the order of the tensor inputs; `needs` says which). */
  backward?:
    | { readonly [input: string]: Derivative<V, R> }
    | ((g: GradOf<R>, values: V, out: R, needs: readonly boolean[]) => (Tensor | null)[])
  /** PyTorch's name of the node, where it is not the op's name with Backward0. */
  node?: string | ((values: readonly unknown[]) => string)
  samples?: Samples<NoInfer<A>>
  /** False where the samples' gradients cannot be checked by finite differences; say why beside it. */
  gradcheck?: boolean
}

/** What a call keeps of itself for backward. */
class OpNode<V extends readonly unknown[], R> extends Node {
  readonly #def: OpDef<V, readonly unknown[], R>
  readonly #schema: Schema
  readonly #values: unknown[]
  readonly #saved: (Saved | Saved[] | null)[]
  /** The results that backward reads; of others, sizes and dtype. */
  readonly #out: (Saved | Tensor)[] | null

  constructor(
    def: OpDef<V, readonly unknown[], R>,
    schema: Schema,
    values: unknown[],
    result: R,
    edges: (Edge | null)[],
  ) {
    super(typeof def.node === 'function' ? def.node(values) : (def.node ?? node_name(schema.name)), edges)
    this.#def = def
    this.#schema = schema
    const saves = def.saves ?? []
    this.#saved = values.map((v, i) => {
      const name = schema.params[i]!.name
      if (!saves.includes(name)) return null
      if (v instanceof Tensor) return new Saved(v)
      return is_tensor_list(v) ? v.map(t => new Saved(t)) : null
    })
    this.#values = values.map(v =>
      v instanceof Tensor ? without_memory(v) : is_tensor_list(v) ? v.map(without_memory) : v,
    )
    this.#out = null
    if (saves.some(name => name.startsWith('out'))) {
      // A node may not hold its output through the graph's eyes before history is set; the engine reads it later.
      const outs = (Array.isArray(result) ? result : [result]) as Tensor[]
      this.#out = outs.map((t, i) =>
        saves.includes('out') || saves.includes(`out.${i}`) ? new Saved(t) : without_memory(t),
      )
      this.#out_is_list = Array.isArray(result)
    }
  }
  readonly #out_is_list: boolean = false

  apply(grads: Grads): Grads {
    const values = this.#values.map((v, i) => {
      const saved = this.#saved[i]
      if (!saved) return v
      return Array.isArray(saved) ? saved.map(s => s.get()) : saved.get()
    }) as unknown as V
    const outs = this.#out?.map(s => (s instanceof Saved ? s.get() : s))
    const out = (this.#out_is_list ? outs : outs?.[0]) as R
    const g = (this.outputs.length === 1 && !this.is_list ? grads[0] : grads) as GradOf<R>
    const { backward } = this.#def
    if (typeof backward === 'function')
      return backward(
        g,
        values,
        out,
        this.edges.map(e => e !== null),
      )
    const result: Grads = []
    this.#values.forEach((v, i) => {
      const name = this.#schema.params[i]!.name
      const n = v instanceof Tensor ? 1 : is_tensor_list(v) ? v.length : 0
      if (n === 0) return
      const wanted = this.edges.slice(result.length, result.length + n).some(e => e !== null)
      const derivative = backward?.[name]
      if (!wanted) result.push(...new Array<null>(n).fill(null))
      else if (derivative === undefined)
        throw new RuntimeError(
          `the derivative for '${name === 'self' ? 'input' : name}' of '${this.#schema.name}' is not implemented`,
        )
      else result.push(...[derivative(g, values, out)].flat())
    })
    return result
  }

  is_list = false

  override release(): void {
    for (const s of this.#saved) {
      if (Array.isArray(s)) for (const each of s) each.release()
      else s?.release()
    }
    for (const s of this.#out ?? []) if (s instanceof Saved) s.release()
  }
}

const is_tensor_list = (v: unknown): v is Tensor[] =>
  Array.isArray(v) && v.length > 0 && v[0] instanceof Tensor

/** The tensors among bound values. */
export function tensors_of(values: readonly unknown[]): Tensor[] {
  const found: Tensor[] = []
  for (const v of values) {
    if (v instanceof Tensor) found.push(v)
    else if (is_tensor_list(v)) found.push(...v)
  }
  return found
}

/** Runs `f` with recording off. */
export function without_recording<R>(f: () => R): R {
  if (!modes.grad) return f()
  modes.grad = false
  try {
    return f()
  } finally {
    modes.grad = true
  }
}

const is_differentiable = (result: unknown): boolean =>
  Array.isArray(result)
    ? result.some(is_differentiable)
    : result instanceof Tensor && (result.dtype.is_floating_point || result.dtype.is_complex)

/** Throws where `out=` would have to be recorded. */
export function refuse_out_with_grad(name: string, inputs: readonly Tensor[], out: Tensor): void {
  if (records([...inputs, out]))
    throw new RuntimeError(
      `${name}(): functions with out=... arguments don't support automatic differentiation, but one of the arguments requires grad.`,
    )
}

/**
 * Declares an op that computes by itself. `signature` is one line of schema; where the result is a tensor an
 * `out` keyword is added. Returns the function that users call.
 */
export function op<A extends readonly unknown[], V extends readonly unknown[], R>(
  signature: string,
  def: OpDef<V, A, R>,
): Op<A, R> {
  const schema = parse_schema(signature)
  const takes_out = parse_schema(add_out(signature))
  const spec: Spec = {
    name: schema.name,
    schemas: [schema],
    samples: def.samples as Samples<readonly unknown[]> | undefined,
    out: true,
    differentiable: def.backward !== undefined && def.gradcheck !== false,
    run: values => without_recording(() => def.forward(...(values as unknown as V))),
    inputs: tensors_of,
    node: (values, _, result, edges) => {
      const node = new OpNode(def as OpDef<V, readonly unknown[], R>, schema, values, result as R, edges)
      node.is_list = Array.isArray(result)
      return node
    },
    saves_self: () => (def.saves ?? []).includes(schema.params[0]?.name ?? ''),
  }
  const call = (...args: A): R => {
    const { values } = bind([takes_out], args)
    const out = values.pop() as Tensor | null
    const inputs = tensors_of(values)
    if (out !== null) {
      refuse_out_with_grad(schema.name, inputs, out)
      return write_out(schema.name, out, spec.run?.(values, 0, null) as R)
    }
    if (!records(inputs)) return def.forward(...(values as unknown as V))
    const edges = inputs.map(edge_of)
    const result = spec.run?.(values, 0, null) as R
    if (def.backward !== undefined && is_differentiable(result)) {
      const node = (spec.node as NonNullable<Spec['node']>)(values, 0, result, edges)
      set_history(node, (Array.isArray(result) ? result.flat() : [result]) as Tensor[])
    }
    return result
  }
  return make_op(call, spec)
}

/** The signature with an `out` keyword at its end. */
export function add_out(signature: string): string {
  const body = signature.slice(0, signature.lastIndexOf(')'))
  const star = body.includes('*,') ? '' : body.endsWith('(') ? '*, ' : ', *'
  return `${body}${star}${body.endsWith('(') ? '' : ', '}Tensor? out=None)`
}

/**
 * Declares an op that is a function of other ops: autograd follows them. Several signatures are tried in order;
 * `body` gets the bound values of the one that fits and its index.
 */
export function composite<A extends readonly unknown[], R = Tensor>(
  signatures: string | readonly string[],
  def: { body: (...values: never[]) => R; samples?: Samples<NoInfer<A>>; gradcheck?: boolean; out?: boolean },
): Op<A, R> {
  return overloaded<A, R>(
    [signatures].flat().map(signature => [signature, def.body] as const),
    def,
  )
}

/** Declares an op with overloads, each a schema and the function of its bound values. */
export function overloaded<A extends readonly unknown[], R = Tensor>(
  overloads: readonly (readonly [string, (...values: never[]) => R])[],
  def: { samples?: Samples<NoInfer<A>>; gradcheck?: boolean; out?: boolean } = {},
): Op<A, R> {
  const plain = overloads.map(([signature]) => parse_schema(signature))
  const schemas = def.out === false ? plain : overloads.map(([signature]) => parse_schema(add_out(signature)))
  const name = (plain[0] as Schema).name
  const body = (overload: number): ((...values: unknown[]) => R) =>
    overloads[overload]?.[1] as unknown as (...values: unknown[]) => R
  const call = (...args: A): R => {
    const { overload, values } = bind(schemas, args)
    const out = def.out === false ? null : (values.pop() as Tensor | null)
    if (out === null) return body(overload)(...values)
    refuse_out_with_grad(name, tensors_of(values), out)
    return write_out(name, out, without_recording(() => body(overload)(...values)) as Tensor) as R
  }
  const spec: Spec = {
    name,
    schemas: plain,
    samples: def.samples as Samples<readonly unknown[]> | undefined,
    out: def.out !== false,
    differentiable: def.gradcheck !== false,
    run: (values, overload) => body(overload)(...values),
  }
  return make_op(call, spec)
}
