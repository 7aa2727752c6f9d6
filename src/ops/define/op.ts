// What an op is: a function users call, with its declaration attached. `op` declares one that computes by itself
// (a reduction, matrix multiply, gather) with a derivative per input; `composite` one that only calls other ops.
// In-place and out= forms follow from either (inplace.ts). Pointwise ops have their own declaration (pointwise.ts).
import { type DType, float32 } from '../../base/dtype.ts'
import { RuntimeError } from '../../base/errors.ts'
import { keep_exemplar } from '../../base/exemplar.ts'
import { Block, Storage } from '../../device/storage.ts'
import { batching, intercept, ORDINARY } from '../../tensor/batched.ts'
import { bind, bind_one, parse_schema, type Schema } from '../../tensor/schema.ts'
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
import { run_into, write_out } from './out.ts'

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
  /** For in-place forms: the op whose result is written. */
  readonly form?: Op<never>
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

/** {@link make_op} for a function that is to look for batched tensors, as declared ops do. */
export function make_batched_op<A extends readonly unknown[], R>(
  call: (...args: A) => R,
  spec: Spec,
): Op<A, R> {
  const looking: Op<A, R> = make_op((...args: A) => {
    if (batching.watched) {
      const result = intercept(looking, args)
      if (result !== ORDINARY) return result as R
    }
    return call(...args)
  }, spec)
  return looking
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
    super(new Block(0, null, true), 0, 0)
    const refuse = (): never => {
      throw new Error('backward read an input that its declaration does not name in `saves`')
    }
    Object.defineProperty(this, 'block', { get: refuse })
    Object.defineProperty(this, 'address', { get: refuse })
    Object.defineProperty(this, 'array', { value: refuse })
  }
}
/** The memory of tensors that have none: only their geometry is read. */
export const unsaved_memory: Storage = new Unsaved()
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
  /** Whether `out` may share no memory with operands. */
  out_apart?: boolean
  /** PyTorch's name of the node, where it is not the op's name with Backward0. */
  node?: string | ((values: readonly unknown[]) => string)
  samples?: Samples<NoInfer<A>>
  /** False where the samples' gradients cannot be checked by finite differences; say why beside it. */
  gradcheck?: boolean
}

/** What the nodes of one op have in common. */
type Recipe<V extends readonly unknown[], R> = {
  readonly def: OpDef<V, readonly unknown[], R>
  readonly schema: Schema
  readonly node: string
  /** Which inputs backward reads. */
  readonly saves: readonly boolean[]
  /** Whether backward reads a result at all, and which: by position, or all of them. */
  readonly saves_out: boolean
  readonly saves_results: (nr: number) => boolean
}

function recipe<V extends readonly unknown[], R>(
  schema: Schema,
  def: OpDef<V, readonly unknown[], R>,
): Recipe<V, R> {
  const saves = def.saves ?? []
  let saved: readonly boolean[] | undefined
  return {
    def,
    schema,
    node: node_name(schema.name),
    get saves() {
      return (saved ??= schema.params.map(p => saves.includes(p.name)))
    },
    saves_out: saves.some(name => name.startsWith('out')),
    saves_results: nr => saves.includes('out') || saves.includes(`out.${nr}`),
  }
}

/** What a call keeps of itself for backward. */
class OpNode<V extends readonly unknown[], R> extends Node {
  readonly #recipe: Recipe<V, R>
  /** The bound values. Of tensors that backward does not read, sizes and dtype. */
  readonly #values: unknown[]
  /** The results that backward reads; of others, sizes and dtype. */
  #out: (Saved | Tensor)[] | null = null
  readonly #is_list: boolean

  constructor(recipe: Recipe<V, R>, values: readonly unknown[], result: R, edges: (Edge | null)[]) {
    const { node } = recipe.def
    super(typeof node === 'function' ? node(values) : (node ?? recipe.node), edges)
    this.#recipe = recipe
    this.#is_list = Array.isArray(result)
    this.#values = values.map((v, i) => {
      if (v instanceof Tensor) return recipe.saves[i] ? new Saved(v) : without_memory(v)
      if (is_tensor_list(v)) return recipe.saves[i] ? new SavedList(v) : v.map(without_memory)
      return v
    })
    if (recipe.saves_out) {
      const outs = (this.#is_list ? result : [result]) as Tensor[]
      this.#out = outs.map((t, nr) => (recipe.saves_results(nr) ? new Saved(t) : without_memory(t)))
    }
  }

  apply(grads: Grads): Grads {
    const { def, schema } = this.#recipe
    const values = this.#values.map(v =>
      v instanceof Saved || v instanceof SavedList ? v.get() : v,
    ) as unknown as V
    const outs = this.#out?.map(s => (s instanceof Saved ? s.get() : s))
    const out = (this.#is_list ? outs : outs?.[0]) as R
    const g = (this.#is_list ? grads : grads[0]) as GradOf<R>
    const { backward } = def
    if (typeof backward === 'function')
      return backward(
        g,
        values,
        out,
        this.edges.map(e => e !== null),
      )
    const result: Grads = []
    for (let i = 0; i < values.length; i++) {
      const v: unknown = values[i]
      const n = v instanceof Tensor ? 1 : is_tensor_list(v) ? v.length : 0
      if (n === 0) continue
      const first = result.length
      let wanted = false
      for (let k = first; k < first + n; k++) if (this.edges[k] !== null) wanted = true
      const { name } = schema.params[i] as { name: string }
      const derivative = backward?.[name]
      if (!wanted) for (let k = 0; k < n; k++) result.push(null)
      else if (derivative === undefined)
        throw new RuntimeError(
          `the derivative for '${name === 'self' ? 'input' : name}' of '${schema.name}' is not implemented`,
        )
      else {
        const grad = derivative(g, values, out)
        if (Array.isArray(grad)) result.push(...grad)
        else result.push(grad)
      }
    }
    return result
  }

  override release(): void {
    for (const v of this.#values) if (v instanceof Saved || v instanceof SavedList) v.release()
    if (this.#out !== null) for (const s of this.#out) if (s instanceof Saved) s.release()
  }
}

{
  const number = new Tensor(Storage.over(new ArrayBuffer(4), 0, 4), 0, [], [], float32)
  const like_others = recipe(parse_schema('exemplar(Tensor self)'), { forward: () => number })
  keep_exemplar(new OpNode(like_others, [number], number, [null]))
}

/** A list of tensors kept for backward. */
class SavedList {
  readonly #list: readonly Saved[]
  constructor(tensors: readonly Tensor[]) {
    this.#list = tensors.map(t => new Saved(t))
  }
  get(): Tensor[] {
    return this.#list.map(s => s.get())
  }
  release(): void {
    for (const s of this.#list) s.release()
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

function any_requires_grad(values: readonly unknown[]): boolean {
  for (const v of values) {
    if (v instanceof Tensor) {
      if (v._requires_grad) return true
    } else if (is_tensor_list(v)) for (const t of v) if (t._requires_grad) return true
  }
  return false
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
  if (records([...inputs, ...[out].flat()]))
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
  const common = recipe(schema, def as OpDef<V, readonly unknown[], R>)
  const { forward } = def
  const run = (values: unknown[]): R => {
    if (!modes.grad) return forward(...(values as unknown as V))
    modes.grad = false
    try {
      return forward(...(values as unknown as V))
    } finally {
      modes.grad = true
    }
  }
  const make_node = (values: readonly unknown[], result: R, edges: (Edge | null)[]): Node =>
    new OpNode(common, values, result, edges)
  const spec: Spec = {
    name: schema.name,
    schemas: [schema],
    samples: def.samples as Samples<readonly unknown[]> | undefined,
    out: true,
    differentiable: def.backward !== undefined && def.gradcheck !== false,
    run,
    inputs: tensors_of,
    node: (values, _, result, edges) => make_node(values, result as R, edges),
    saves_self: () => common.saves[0] === true,
  }
  const call = (...args: A): R => {
    if (batching.watched) {
      const result = intercept(call, args)
      if (result !== ORDINARY) return result as R
    }
    const values = bind_one(takes_out, args)
    const out = values.pop() as Tensor | null
    if (out !== null) {
      const operands = tensors_of(values)
      refuse_out_with_grad(schema.name, operands, out)
      return run_into(schema.name, out, operands, def.out_apart === true, () => run(values))
    }
    if (!modes.grad || !any_requires_grad(values)) return forward(...(values as unknown as V))
    const edges = tensors_of(values).map(edge_of)
    const result = run(values)
    if (def.backward !== undefined && is_differentiable(result)) {
      const node = make_node(values, result, edges)
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
  return `${body}${star}${body.endsWith('(') ? '' : ', '}out? out=None)`
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
    if (batching.watched) {
      const result = intercept(call, args)
      if (result !== ORDINARY) return result as R
    }
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
