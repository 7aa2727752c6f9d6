// Custom functions: a class with static forward(ctx, ...) and backward(ctx, ...grads), called by `apply`.
// Not here: how ops declare their derivatives (ops/define/op.ts).
import { float32 } from '../base/dtype.ts'
import { RuntimeError } from '../base/errors.ts'
import { without_recording } from '../ops/define/op.ts'
import { rebase_history } from '../ops/define/view.ts'
import { stack } from '../ops/join.ts'
import { Batched, batching, type Level, level_of, with_level } from '../tensor/batched.ts'
import { zeros } from '../tensor/dispatch.ts'
import { bump_version, edge_of, foreign_calls, type Grads, Node, records, Saved } from '../tensor/tape.ts'
import { alias, Tensor } from '../tensor/tensor.ts'

/** What forward leaves for backward. Any property may be set on it besides those here. */
export class FunctionCtx {
  [key: string]: unknown
  /** Which inputs need a gradient. */
  needs_input_grad: boolean[] = []
  #saved: Saved[] = []
  #saved_tensors: (Tensor | null)[] = []
  #dirty: readonly Tensor[] = []
  #non_differentiable: readonly Tensor[] = []
  #materialize = true

  /** Keeps tensors (inputs or outputs) for backward; they are checked for in-place changes. */
  save_for_backward(...tensors: readonly (Tensor | null)[]): void {
    this.#saved_tensors = [...tensors]
  }

  /** What was saved. Throws RuntimeError once the graph has been released. */
  get saved_tensors(): Tensor[] {
    if (this.#saved.length < this.#saved_tensors.length) return this.#saved_tensors as Tensor[]
    return this.#saved.map(s => (s.empty ? (null as unknown as Tensor) : s.get()))
  }

  /** Declares inputs that forward has changed in place. */
  mark_dirty(...tensors: readonly Tensor[]): void {
    this.#dirty = tensors
  }

  /** Declares outputs that have no gradient. */
  mark_non_differentiable(...tensors: readonly Tensor[]): void {
    this.#non_differentiable = tensors
  }

  /** Whether gradients that did not arrive come as zeros (the default) or as null. */
  set_materialize_grads(value: boolean): void {
    this.#materialize = value
  }

  /** For `apply`: seals what was saved. */
  _finish(): { dirty: readonly Tensor[]; non_differentiable: readonly Tensor[]; materialize: boolean } {
    this.#saved = this.#saved_tensors.map(t => new Saved(t))
    return {
      dirty: this.#dirty,
      non_differentiable: this.#non_differentiable,
      materialize: this.#materialize,
    }
  }

  /** For the node: drops what was saved. */
  _release(): void {
    for (const s of this.#saved) if (!s.empty) s.release()
  }
}

class FunctionNode extends Node {
  readonly ctx: FunctionCtx
  readonly #backward: (ctx: FunctionCtx, ...grads: (Tensor | null)[]) => unknown
  readonly #positions: readonly number[]
  readonly #arity: number
  readonly #materialize: boolean

  constructor(
    name: string,
    ctx: FunctionCtx,
    backward: (ctx: FunctionCtx, ...grads: (Tensor | null)[]) => unknown,
    inputs: readonly Tensor[],
    positions: readonly number[],
    arity: number,
    materialize: boolean,
  ) {
    super(name, inputs.map(edge_of))
    this.ctx = ctx
    this.#backward = backward
    this.#positions = positions
    this.#arity = arity
    this.#materialize = materialize
  }

  apply(grads: Grads): Grads {
    foreign_calls.count++
    const given = grads.map((g, i) => {
      if (g !== null || !this.#materialize) return g
      const { sizes, dtype } = this.outputs[i]!
      return zeros(sizes, dtype)
    })
    const result = this.#backward(this.ctx, ...given)
    const list = (Array.isArray(result) ? result : [result]) as (Tensor | null | undefined)[]
    if (list.length > this.#arity && list.slice(this.#arity).every(g => g === null || g === undefined))
      list.length = this.#arity
    if (list.length !== this.#arity)
      throw new RuntimeError(
        `function ${this.name()} returned an incorrect number of gradients (expected ${this.#arity}, got ${list.length})`,
      )
    return this.#positions.map(p => {
      const grad = list[p] ?? null
      if (grad !== null) grad.memory.owned = true
      return grad
    })
  }

  override release(): void {
    this.ctx._release()
  }
}

/** Calls `apply` sample by sample: what a custom function does with a batch is not known. */
function each_sample(level: Level, args: readonly unknown[], apply: (args: unknown[]) => unknown): unknown {
  const own = (b: number): unknown[] =>
    args.map(a => (a instanceof Batched && a.level === level ? a.value.select(0, b) : a))
  const results = with_level(level.outer, () => Array.from({ length: level.size }, (_, b) => apply(own(b))))
  const join = (list: unknown[]): unknown =>
    list[0] instanceof Tensor
      ? new Batched(
          with_level(level.outer, () => stack(list as Tensor[], 0)),
          level,
        )
      : list[0]
  const [first] = results
  return Array.isArray(first)
    ? first.map((_, i) => join(results.map(r => (r as unknown[])[i])))
    : join(results)
}

/**
 * Base class of custom functions. Subclasses define `static forward(ctx, ...args)` and
 * `static backward(ctx, ...grads)`, which returns a gradient (or null) for each argument of forward.
 */
export class Function {
  static forward(_ctx: FunctionCtx, ..._args: never[]): unknown {
    throw new RuntimeError('You must implement the forward function for custom autograd.Function.')
  }

  static backward(_ctx: FunctionCtx, ..._grads: never[]): unknown {
    throw new RuntimeError(
      'You must implement either the backward or vjp method for your custom autograd.Function to use it with backward mode AD.',
    )
  }

  /** Runs forward, and records it where an argument requires grad. Static methods are called through the class. */
  static apply<F extends (ctx: FunctionCtx, ...args: never[]) => unknown>(
    this: { forward: F; backward: unknown; name: string },
    ...args: F extends (ctx: FunctionCtx, ...args: infer A) => unknown ? A : never
  ): ReturnType<F> {
    const level = batching.top === null ? null : level_of(args)
    if (level !== null) {
      const call = Function.apply as unknown as (...own: readonly unknown[]) => unknown
      return each_sample(level, args, own => call.apply(this, own)) as ReturnType<F>
    }
    const given: readonly unknown[] = args
    const positions = given.flatMap((a, i) => (a instanceof Tensor ? [i] : []))
    const inputs = positions.map(i => given[i] as Tensor)
    const ctx = new FunctionCtx()
    const recording = records(inputs)
    ctx.needs_input_grad = given.map(a => a instanceof Tensor && a.requires_grad)
    const result = without_recording(() => this.forward(ctx, ...args))
    const many = Array.isArray(result)
    const outputs = (many ? result : [result]) as unknown[]
    const { dirty, non_differentiable, materialize } = ctx._finish()
    for (const t of dirty) bump_version(t)
    if (!recording) return result as ReturnType<F>
    const node = new FunctionNode(
      `${this.name}Backward`,
      ctx,
      this.backward as (ctx: FunctionCtx) => unknown,
      inputs,
      positions,
      args.length,
      materialize,
    )
    const shown = outputs.map(out => {
      if (!(out instanceof Tensor)) return out
      if (non_differentiable.includes(out) || dirty.includes(out)) return out
      // An input that is returned as it is becomes an output of its own.
      return inputs.includes(out) ? alias(out) : out
    })
    node.outputs = shown.map(t =>
      t instanceof Tensor ? { sizes: t.sizes, dtype: t.dtype } : { sizes: [], dtype: float32 },
    )
    shown.forEach((t, nr) => {
      if (!(t instanceof Tensor) || non_differentiable.includes(t) || !t.dtype.is_floating_point) return
      if (dirty.includes(t)) {
        rebase_history(t, node)
        return
      }
      t._grad_fn = node
      t._output_nr = nr
      t._requires_grad = true
    })
    return (many ? shown : shown[0]) as ReturnType<F>
  }
}
