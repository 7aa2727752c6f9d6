// The tape: nodes of the backward graph, what they save, and the modes that decide whether ops record. The graph
// is made as ops run and walked by autograd/engine.ts. Not here: the walk, and any derivative.

import { RuntimeError } from '../base/errors.ts'
import { keep_exemplar } from '../base/exemplar.ts'
import { print_as } from '../base/inspect.ts'
import { size_repr } from '../base/shape.ts'
import { alias, modes, Tensor } from './tensor.ts'

export { modes } from './tensor.ts'

/** Where a gradient goes: input `nr` of `node`. */
export type Edge = { readonly node: Node; readonly nr: number }

export type Grads = (Tensor | null)[]
export type TensorHook = (grad: Tensor) => Tensor | null | undefined | void
export type NodeHook = (grad_inputs: Grads, grad_outputs: Grads) => Grads | null | undefined | void

/** How often user code has run inside backward passes: hooks, and the backward of custom functions. */
export const foreign_calls: { count: number } = { count: 0 }

let sequence = 0

/**
 * A function of the backward graph. Its name is PyTorch's (MulBackward0). The fields are assigned, not defined: V8 defines
 * the fields of a class with many subclasses by a call of its runtime each.
 */
export abstract class Node {
  declare readonly _name: string
  /** Where each result of `apply` goes; null for inputs that need no gradient. */
  declare edges: (Edge | null)[]
  /** Order of creation: the engine runs later nodes first. */
  declare readonly sequence: number
  /** Sizes and dtypes of the forward outputs, to make zeros for those that received no gradient. */
  declare outputs: { sizes: readonly number[]; dtype: Tensor['dtype'] }[]
  declare pre_hooks: ((grads: Grads) => void)[] | null
  declare hooks: NodeHook[] | null
  /** Where the forward op was called, kept in anomaly mode. */
  declare trace: string | undefined
  /** The edge to its first input: most nodes have one output, which all who use it share. */
  declare readonly first: Edge
  /** The engine's notes: the pass that has met the node last, ... */
  declare pass: number
  /** ... how many edges of the graph that lead here it has not walked yet, ... */
  declare waiting: number
  /** ... and the sums of the gradients that have arrived, by input; null until the first does. */
  declare arrived: Grads | null

  constructor(name: string, edges: (Edge | null)[]) {
    this._name = name
    this.edges = edges
    this.sequence = sequence++
    this.outputs = []
    this.pre_hooks = null
    this.hooks = null
    this.trace = modes.anomaly ? new Error(`forward call of ${name}`).stack : undefined
    this.first = { node: this, nr: 0 }
    this.pass = 0
    this.waiting = 0
    this.arrived = null
  }

  /** The gradients of the inputs, from those of the outputs (null: none arrived). */
  abstract apply(grads: Grads): Grads

  /** Drops saved tensors; a second backward then throws. */
  release(): void {}

  name(): string {
    return this._name
  }

  /** The graph below: pairs of a node and the number of its output, as in PyTorch. */
  get next_functions(): [Node | null, number][] {
    return this.edges.map(edge => (edge === null ? [null, 0] : [edge.node, edge.nr]))
  }

  /** Calls `hook(grad_inputs, grad_outputs)` after each run of this node; it may return new grad_inputs. */
  register_hook(hook: NodeHook): { remove(): void } {
    this.hooks ??= []
    return push_hook(this.hooks, hook)
  }

  /** `<MulBackward0 object at 0x7f0000000010>`: the address is made up, but tells nodes apart. */
  toString(): string {
    return `<${this._name} object at 0x${(0x7f0000000000 + 16 * this.sequence).toString(16)}>`
  }
}

print_as(Node, self => self.toString())

/** Adds a hook and returns the handle that removes it. */
export function push_hook<H>(list: H[], hook: H): { remove(): void } {
  list.push(hook)
  return {
    remove() {
      const at = list.indexOf(hook)
      if (at >= 0) list.splice(at, 1)
    },
  }
}

/** How tensors that are kept for backward are put away, and got back: see autograd/graph.ts. */
export interface SavedHooks {
  readonly pack: (t: Tensor) => unknown
  readonly unpack: (packed: never) => Tensor
}

/** The hooks in force, the innermost last. With a text as `disabled`, there may be none. */
export const saved_hooks: { readonly stack: SavedHooks[]; disabled: string | null } = {
  stack: [],
  disabled: null,
}

/** A tensor kept for backward by a user's hooks: what they made of it, and where it stood in the graph. */
class Packed {
  readonly #packed: unknown
  readonly #hooks: SavedHooks
  readonly #edge: Edge | null
  /** The result of the very op that saves it, which has no history yet. */
  readonly #result: Tensor | null

  constructor(t: Tensor, hooks: SavedHooks) {
    this.#hooks = hooks
    this.#edge = edge_of(t)
    this.#result = t._requires_grad ? null : t
    const { version } = t.memory
    this.#packed = run_with(false, modes.inference, () => hooks.pack(t))
    if (t.memory.version !== version)
      throw new RuntimeError(
        'A saved tensor pack hook is modifying its input in place. Tensors provided as input to pack hook can not be ' +
          'modified by in-place operations as this can lead to unexpected side-effects. Please open an issue if you need ' +
          'to perform in-place operations on the input to a pack hook.',
      )
  }

  get(): Tensor {
    foreign_calls.count++
    const found: unknown = run_with(false, modes.inference, () => this.#hooks.unpack(this.#packed as never))
    if (!(found instanceof Tensor))
      throw new TypeError(
        `Output of saved tensor unpack_hook expected to be a Tensor but got result of type ${typeof found}`,
      )
    const t = alias(found)
    const edge = this.#edge ?? (this.#result && edge_of(this.#result))
    if (edge !== null) {
      t._requires_grad = true
      if (edge.node instanceof AccumulateGrad) t._accumulator = edge.node
      else {
        t._grad_fn = edge.node
        t._output_nr = edge.nr
      }
    }
    return t
  }
}

/** A tensor kept for backward, with the version it had. */
export class Saved {
  #tensor: Tensor | null
  #packed: Packed | null = null
  readonly #version: number
  /** The node that saved its own output holds it by this; the error text names it. */
  constructor(tensor: Tensor | null) {
    if (tensor?._inference && !modes.inference)
      throw new RuntimeError(
        'Inference tensors cannot be saved for backward. To work around you can make a clone to get a normal tensor and use it in autograd.',
      )
    this.#tensor = tensor
    this.#version = tensor === null ? 0 : tensor.memory.version
    this.empty = tensor === null
    if (tensor !== null && saved_hooks.stack.length > 0) {
      this.#packed = new Packed(tensor, saved_hooks.stack.at(-1) as SavedHooks)
      this.#tensor = null
    }
  }
  readonly empty: boolean

  /** Throws RuntimeError if it was changed in place since, or released. */
  get(): Tensor {
    if (this.#packed !== null) return this.#packed.get()
    const t = this.#tensor
    if (t === null)
      throw new RuntimeError(
        'Trying to backward through the graph a second time (or directly access saved tensors after they have ' +
          'already been freed). Saved intermediate values of the graph are freed when you call .backward() or ' +
          'autograd.grad(). Specify retain_graph=True if you need to backward through the graph a second time or ' +
          'if you need to access saved tensors after calling backward.',
      )
    if (t.memory.version !== this.#version) {
      const { tensor_type } = t.dtype
      const maker = t._grad_fn === null ? '' : `, which is output ${t._output_nr} of ${t._grad_fn.name()},`
      throw new RuntimeError(
        'one of the variables needed for gradient computation has been modified by an inplace operation: ' +
          `[torch.${tensor_type} ${size_repr(t.sizes).slice('torch.Size('.length, -1)}]${maker} is at version ` +
          `${t.memory.version}; expected version ${this.#version} instead. Hint: ` +
          (modes.anomaly
            ? 'the backtrace further above shows the operation that failed to compute its gradient. The variable in question was changed in there or anywhere later. Good luck!'
            : 'enable anomaly detection to find the operation that failed to compute its gradient, with torch.autograd.set_detect_anomaly(True).'),
      )
    }
    return t
  }

  release(): void {
    this.#tensor = null
    this.#packed = null
  }
}

/** The end of the graph at a leaf: adds what arrives to the leaf's `.grad`. */
export class AccumulateGrad extends Node {
  readonly variable: Tensor
  constructor(variable: Tensor) {
    super('AccumulateGrad', [])
    this.variable = variable
    this.outputs = [{ sizes: variable.sizes, dtype: variable.dtype }]
  }
  apply(): Grads {
    throw new Error('the engine accumulates into leaves itself')
  }
}

/** Where the gradient of `t` goes, or null where none is wanted. */
export function edge_of(t: Tensor): Edge | null {
  if (!t._requires_grad) return null
  const node = t.grad_fn
  if (node !== null) return t._output_nr === 0 ? node.first : { node, nr: t._output_nr }
  t._accumulator ??= new AccumulateGrad(t)
  return t._accumulator.first
}

/** Whether an op on these inputs records. */
export function records(inputs: readonly (Tensor | null | undefined)[]): boolean {
  if (!modes.grad) return false
  for (const t of inputs) if (t?._requires_grad) return true
  return false
}

/** Makes `node` the history of `outputs`; outputs of integer dtype stay outside the graph. */
export function set_history(node: Node, outputs: readonly Tensor[]): void {
  // A literal of one element takes less memory than an array that grows to it.
  if (outputs.length === 1 && node.outputs.length === 0) {
    const { sizes, dtype } = outputs[0] as Tensor
    node.outputs = [{ sizes, dtype }]
  }
  for (let nr = 0; nr < outputs.length; nr++) {
    const t = outputs[nr] as Tensor
    const { sizes, dtype } = t
    if (outputs.length > 1 || node.outputs.length > 1) node.outputs[nr] = { sizes, dtype }
    if (!dtype.is_floating_point && !dtype.is_complex) continue
    t._grad_fn = node
    t._output_nr = nr
    t._requires_grad = true
  }
}

keep_exemplar(new Saved(null))

/** Counts an in-place write, so that whoever saved the old values finds out. */
export function bump_version(t: Tensor): void {
  t.memory.version++
}

// ------------------------------------------------------------------------------------------ modes as functions

/** A switched mode: ends at `using`'s end of scope, or by `Symbol.dispose`. */
export interface ModeGuard extends Disposable {}

function run_with<R>(grad: boolean, inference: boolean, body: (() => R) | undefined): R | ModeGuard {
  const before_grad = modes.grad
  const before_inference = modes.inference
  modes.grad = grad
  modes.inference = inference
  if (body === undefined) {
    return {
      [Symbol.dispose]() {
        modes.grad = before_grad
        modes.inference = before_inference
      },
    }
  }
  let promised = false
  try {
    const result = body()
    if (!(result instanceof Promise)) return result
    promised = true
    return result.finally(() => {
      modes.grad = before_grad
      modes.inference = before_inference
    }) as R
  } finally {
    if (!promised) {
      modes.grad = before_grad
      modes.inference = before_inference
    }
  }
}

/**
 * Runs `body` without recording and returns its result; without a body, records nothing until the guard that it
 * returns is disposed: `using _ = torch.no_grad()`.
 */
export function no_grad<R>(body: () => R): R
export function no_grad(): ModeGuard
export function no_grad<R>(body?: () => R): R | ModeGuard {
  return run_with(false, modes.inference, body)
}

/** Like {@link no_grad}, but records. */
export function enable_grad<R>(body: () => R): R
export function enable_grad(): ModeGuard
export function enable_grad<R>(body?: () => R): R | ModeGuard {
  return run_with(true, modes.inference, body)
}

/** Sets recording on or off, for good or (with a body, or by `using`) for a while. */
export function set_grad_enabled(mode: boolean): ModeGuard
export function set_grad_enabled<R>(mode: boolean, body: () => R): R
export function set_grad_enabled<R>(mode: boolean, body?: () => R): R | ModeGuard {
  return run_with(mode, modes.inference, body)
}

/** Like {@link no_grad}, and results can never enter a graph. */
export function inference_mode<R>(body: () => R): R
export function inference_mode(mode?: boolean): ModeGuard
export function inference_mode<R>(body?: (() => R) | boolean): R | ModeGuard {
  if (body === false) return run_with(modes.grad, modes.inference, undefined)
  return run_with(false, true, typeof body === 'function' ? body : undefined)
}

export const is_grad_enabled = (): boolean => modes.grad
export const is_inference_mode_enabled = (): boolean => modes.inference

/** Whether `value` is a tensor. */
export const is_tensor = (value: unknown): value is Tensor => value instanceof Tensor
