// Calling a module: its hooks before and after forward, and around its part of the backward graph.
// Not here: how a module is registered or found (module.ts).
import { RuntimeError } from '../base/errors.ts'
import type { Tensor } from '../torch.ts'
import * as torch from '../torch.ts'
import type { Module } from './module.ts'
import type { IncompatibleKeys, LocalMetadata, StateDict } from './state_dict.ts'

/** Takes a hook off again; also by `using`. */
export interface RemovableHandle extends Disposable {
  remove(): void
}

/** `void` lets a hook return nothing; null does the same. */
export type ForwardPreHook<M> = (module: M, args: readonly unknown[]) => unknown
export type ForwardHook<M> = (module: M, args: readonly unknown[], output: never) => unknown
export type GradTuple = readonly (Tensor | null)[]
export type BackwardHook<M> = (
  module: M,
  grad_input: GradTuple,
  grad_output: GradTuple,
) => GradTuple | Tensor | null | undefined | void
export type StateDictHook<M> = (
  module: M,
  state: StateDict,
  prefix: string,
  metadata: LocalMetadata,
) => StateDict | null | undefined | void
export type LoadHook = (
  state: StateDict,
  prefix: string,
  metadata: LocalMetadata,
  strict: boolean,
  missing: string[],
  unexpected: string[],
  errors: string[],
) => void

type AnyForwardPreHook = (module: Module, args: readonly unknown[]) => unknown
type AnyForwardHook = (module: Module, args: readonly unknown[], output: unknown) => unknown
type AnyBackwardHook = BackwardHook<Module>
type Kinds = {
  forward_pre: AnyForwardPreHook
  forward: AnyForwardHook
  backward: AnyBackwardHook
  state_dict: StateDictHook<Module>
  load_pre: LoadHook
  load_post: (module: Module, keys: IncompatibleKeys) => void
}

/** The hooks of one module. */
export class Hooks {
  /** Whether a call has anything to do besides forward. */
  busy = false
  /** By what a handle removes: one function may be registered twice. */
  readonly #lists: { [K in keyof Kinds]?: Map<object, Kinds[K]> } = {}
  #full_backward: boolean | null = null

  /** The hooks of a kind, in order of registration. */
  of<K extends keyof Kinds>(kind: K): Iterable<Kinds[K]> {
    return (this.#lists[kind] as Map<object, Kinds[K]> | undefined)?.values() ?? []
  }

  /** Whether backward hooks see all inputs and outputs; null where there are none. */
  get full_backward(): boolean | null {
    return this.#lists.backward?.size ? this.#full_backward : null
  }

  add<K extends keyof Kinds>(kind: K, hook: unknown): RemovableHandle {
    const list = (this.#lists[kind] as Map<object, Kinds[K]> | undefined) ?? new Map<object, Kinds[K]>()
    ;(this.#lists as Record<string, unknown>)[kind] = list
    const token = {}
    list.set(token, hook as Kinds[K])
    this.#count()
    const remove = (): void => {
      list.delete(token)
      this.#count()
    }
    return { remove, [Symbol.dispose]: remove }
  }

  /** Takes off the hooks of a kind for which `is` holds. */
  remove<K extends keyof Kinds>(kind: K, is: (hook: Kinds[K]) => boolean): void {
    const list = this.#lists[kind] as Map<object, Kinds[K]> | undefined
    for (const [token, hook] of list ?? []) if (is(hook)) list!.delete(token)
    this.#count()
  }

  #count(): void {
    this.busy = ['forward_pre', 'forward', 'backward'].some(
      k => (this.#lists[k as keyof Kinds]?.size ?? 0) > 0,
    )
  }

  /** Adds the hooks of `other`. */
  copy_from(other: Hooks): void {
    for (const [kind, list] of Object.entries(other.#lists))
      (this.#lists as Record<string, unknown>)[kind] = new Map<object, unknown>(list)
    this.#full_backward = other.#full_backward
    this.busy = other.busy
  }

  add_backward(hook: unknown, full: boolean): RemovableHandle {
    if (this.#full_backward === !full)
      throw new RuntimeError(
        'Cannot use both regular backward hooks and full backward hooks on a single Module. Please use only one of them.',
      )
    this.#full_backward = full
    return this.add('backward', hook)
  }
}

/** Runs forward with its hooks. */
export function call_with_hooks(module: Module, hooks: Hooks, args: unknown[]): unknown {
  if (!hooks.busy) return module.forward(...(args as never[]))
  const forward = (given: readonly unknown[]): unknown => module.forward(...(given as never[]))
  let given: unknown[] = args
  for (const hook of hooks.of('forward_pre')) {
    const changed = hook(module, given)
    if (changed !== null && changed !== undefined) given = Array.isArray(changed) ? changed : [changed]
  }
  const full = hooks.full_backward === true ? new FullBackward(module, [...hooks.of('backward')]) : null
  if (full) given = full.watch_inputs(given)
  let result = forward(given)
  for (const hook of hooks.of('forward')) {
    const changed = hook(module, given, result)
    if (changed !== null && changed !== undefined) result = changed
  }
  if (full) result = full.watch_outputs(result)
  if (hooks.full_backward === false) watch_last_node(module, [...hooks.of('backward')], result)
  return result
}

/** The identity, so that the edge of a module in the graph has nodes of its own. */
class BackwardHookFunction extends torch.autograd.Function {
  static override forward(ctx: torch.autograd.FunctionCtx, ...tensors: Tensor[]): Tensor[] {
    ctx.mark_non_differentiable(...tensors.filter(t => !t.requires_grad))
    return tensors
  }

  static override backward(_ctx: torch.autograd.FunctionCtx, ...grads: (Tensor | null)[]): (Tensor | null)[] {
    return grads
  }
}

/** Calls the hooks of one call of a module once the gradients of its inputs and outputs are known. */
class FullBackward {
  readonly #module: Module
  readonly #hooks: readonly AnyBackwardHook[]
  #input_places: number[] | null = null
  #inputs = 0
  #grad_outputs: GradTuple | null = null

  constructor(module: Module, hooks: readonly AnyBackwardHook[]) {
    this.#module = module
    this.#hooks = hooks
  }

  watch_inputs(args: readonly unknown[]): unknown[] {
    this.#inputs = args.length
    const watched = through_identity(args)
    if (watched === null) return [...args]
    this.#input_places = watched.places
    watched.node.register_hook(grads => {
      // The module's outputs were not used, or reached by no gradient.
      if (this.#grad_outputs === null) return null
      let grad_input: GradTuple = spread(watched.places, grads, this.#inputs)
      for (const hook of this.#hooks) {
        const changed = hook(this.#module, grad_input, this.#grad_outputs)
        if (changed === null || changed === undefined) continue
        const list = (Array.isArray(changed) ? changed : [changed]) as GradTuple
        if (list.length !== grad_input.length)
          throw new RuntimeError(
            `Backward hook returned an invalid number of grad_input, got ${list.length}, but expected ${grad_input.length}`,
          )
        grad_input = list
      }
      this.#grad_outputs = null
      return watched.places.map(place => grad_input[place] ?? null)
    })
    return watched.values
  }

  watch_outputs(result: unknown): unknown {
    const many = Array.isArray(result)
    const outputs: unknown[] = many ? result : [result]
    const watched = through_identity(outputs)
    if (watched === null) return result
    watched.node.register_hook((_, grads) => {
      this.#grad_outputs = spread(watched.places, grads, outputs.length)
      if (this.#input_places !== null) return null
      for (const hook of this.#hooks) {
        const changed = hook(this.#module, new Array<null>(this.#inputs).fill(null), this.#grad_outputs)
        if (
          changed !== null &&
          changed !== undefined &&
          !(Array.isArray(changed) && changed.every(g => g === null))
        )
          throw new RuntimeError(
            'Backward hook for Modules where no input requires gradient should always return None or None for all gradients.',
          )
      }
      this.#grad_outputs = null
      return null
    })
    return many ? watched.values : watched.values[0]
  }
}

type GradNode = NonNullable<Tensor['grad_fn']>

/** The values with their tensors passed through a node of the graph, or null where nothing is recorded. */
function through_identity(
  values: readonly unknown[],
): { values: unknown[]; places: number[]; node: GradNode } | null {
  const places = values.flatMap((v, i) => (v instanceof torch.Tensor ? [i] : []))
  const tensors = places.map(i => values[i] as Tensor)
  if (!torch.is_grad_enabled() || !tensors.some(t => t.requires_grad)) return null
  const passed = BackwardHookFunction.apply(...tensors)
  const node = passed.find(t => t.grad_fn !== null)?.grad_fn
  if (!node) return null
  const all = [...values]
  places.forEach((place, i) => {
    all[place] = passed[i]
  })
  return { values: all, places, node }
}

function spread(places: readonly number[], grads: GradTuple, length: number): GradTuple {
  const all = new Array<Tensor | null>(length).fill(null)
  places.forEach((place, i) => {
    all[place] = grads[i] ?? null
  })
  return all
}

/** The old hooks: called with the gradients of the last node that made the result. */
function watch_last_node(module: Module, hooks: readonly AnyBackwardHook[], result: unknown): void {
  let found = result
  while (found !== null && typeof found === 'object' && !(found instanceof torch.Tensor))
    found = Array.isArray(found) ? found[0] : Object.values(found).find(v => v instanceof torch.Tensor)
  const node = found instanceof torch.Tensor ? found.grad_fn : null
  if (node === null || node === undefined) return
  for (const hook of hooks)
    node.register_hook((grad_input, grad_output) => {
      const changed = hook(module, grad_input, grad_output)
      return changed === null || changed === undefined
        ? null
        : ((Array.isArray(changed) ? changed : [changed]) as (Tensor | null)[])
    })
}
