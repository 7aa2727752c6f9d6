// What is differentiated: inputs that gradients are asked for, made in the place of arguments, and what of results may be seen
// outside. There is one tape: a transform asks for the gradients of its own inputs alone, so transforms nest, and what a
// function captures is a constant to it. Inside of vmap inputs are batched first, and a backward pass runs on all samples at
// once: samples do not depend on each other. Not here: the transforms (grad.ts, pullback.ts, pushforward.ts, jacobian.ts).
import { grad as engine_grad } from '../autograd/engine.ts'
import { RuntimeError, ValueError } from '../base/errors.ts'
import { zeros_like } from '../ops/creation.ts'
import {
  add_levels,
  Batched,
  batching,
  type Level,
  levels_under_way,
  remove_levels,
  with_level,
} from '../tensor/batched.ts'
import { type_name } from '../tensor/schema.ts'
import { edge_of, enable_grad, modes, type Node } from '../tensor/tape.ts'
import { alias, Tensor } from '../tensor/tensor.ts'
import { flatten, map_tensors, type TreeSpec, unflatten } from './pytree.ts'

export type Fn<A extends readonly unknown[], R> = (...args: A) => R
export type Argnums = number | readonly number[]

/** The inputs of a function under differentiation. */
export class Inputs {
  /** The maps that the transform runs in, innermost first: their batches are dimensions of `leaves`. */
  readonly levels: readonly Level[] = levels_under_way()
  /** Whether what is outside records. */
  readonly recording: boolean = modes.grad
  /** What gradients are asked for. */
  readonly leaves: Tensor[] = []

  /** A tensor of the same values of which the gradient can be asked for. */
  add(t: unknown): Tensor {
    if (!(t instanceof Tensor))
      throw new ValueError(`Thing passed to transform API must be Tensor, got <class '${type_name(t)}'>`)
    if (!t.dtype.is_floating_point && !t.dtype.is_complex)
      throw new RuntimeError('only Tensors of floating point dtype can require gradients')
    const whole = remove_levels(t, this.levels)
    const leaf =
      this.recording && whole._requires_grad ? enable_grad(() => whole.view_as(whole)) : alias_of(whole)
    this.leaves.push(leaf)
    return add_levels(leaf, this.levels)
  }

  /** The batches as dimensions, and back. */
  whole(t: Tensor): Tensor {
    return remove_levels(t, this.levels)
  }
  sample(t: Tensor): Tensor {
    return add_levels(t, this.levels)
  }

  /** Whether tensors besides these inputs, or those behind them, have part in `outputs` and want gradients. */
  is_recorded(outputs: readonly Tensor[]): boolean {
    return this.recording && outputs.some(t => leads_elsewhere(t, this.leaves))
  }

  /** A result as those outside may see it: without history, unless they record it. */
  release(t: Tensor): Tensor {
    return this.is_recorded([this.whole(t)]) ? t : t.detach()
  }

  /** The gradients of `outputs` for `seeds`, all with batches as dimensions. */
  gradients(
    outputs: readonly Tensor[],
    seeds: readonly Tensor[],
    create_graph: boolean,
    keep: boolean,
  ): Tensor[] {
    const live = outputs.flatMap((t, i) => (t._requires_grad ? [i] : []))
    const found =
      live.length === 0
        ? []
        : engine_grad(
            live.map(i => outputs[i]!),
            this.leaves,
            live.map(i => seeds[i]!),
            { create_graph, retain_graph: keep || create_graph, allow_unused: true },
          )
    return this.leaves.map((leaf, i) => found[i] ?? zeros_like(leaf).detach())
  }
}

export const alias_of = (t: Tensor): Tensor => {
  const leaf = t instanceof Batched ? t.detach() : alias(t)
  leaf._requires_grad = true
  return leaf
}

/** Whether the graph of `t` reaches a leaf that is none of `own`. */
function leads_elsewhere(t: Tensor, own: readonly Tensor[]): boolean {
  const start = edge_of(t)
  if (start === null) return false
  const ends = new Set(own.map(leaf => edge_of(leaf)!.node))
  const seen = new Set<Node>([start.node])
  const stack = [start.node]
  while (stack.length > 0) {
    const node = stack.pop()!
    if (node.edges.length === 0) {
      if (!ends.has(node)) return true
      continue
    }
    for (const edge of node.edges)
      if (edge !== null && !seen.has(edge.node)) {
        seen.add(edge.node)
        stack.push(edge.node)
      }
  }
  return false
}

/** Runs engine calls among tensors whose batches of `levels` are dimensions. */
export const outside = <R>(levels: readonly Level[], f: () => R): R =>
  // Maps begun since then are still under way, with batches of their own.
  levels.length > 0 && batching.top === levels[0] ? with_level(null, f) : f()

export function check_argnums(argnums: Argnums, count: number): number[] {
  const list = Array.isArray(argnums) ? (argnums as readonly unknown[]) : [argnums]
  if (list.length === 0) throw new RuntimeError('argnums must be non-empty')
  return list.map(n => {
    if (typeof n !== 'number' || !Number.isInteger(n))
      throw new RuntimeError(`argnums must be int or Tuple[int, ...], got: <class '${type_name(argnums)}'>`)
    if (n < -count || n >= count)
      throw new RuntimeError(`Got argnum=${n}, but only ${count} positional inputs`)
    return n < 0 ? n + count : n
  })
}

/** The arguments with those that `argnums` names made inputs; returns the forms of these. */
export function replace_arguments(
  inputs: Inputs,
  args: readonly unknown[],
  argnums: Argnums,
): { args: unknown[]; forms: TreeSpec[]; counts: number[] } {
  const given = [...args]
  const forms: TreeSpec[] = []
  const counts: number[] = []
  for (const n of check_argnums(argnums, args.length)) {
    const { leaves, spec } = flatten(args[n])
    forms.push(spec)
    counts.push(leaves.length)
    given[n] = unflatten(
      leaves.map(leaf => inputs.add(leaf)),
      spec,
    )
  }
  return { args: given, forms, counts }
}

/** Results by argument, in their forms; of one number its own. */
export function by_argument(
  argnums: Argnums,
  values: readonly unknown[],
  { forms, counts }: { forms: readonly TreeSpec[]; counts: readonly number[] },
): unknown {
  let at = 0
  const shaped = forms.map((form, i) => {
    const part = unflatten(values.slice(at, at + counts[i]!), form)
    at += counts[i]!
    return part
  })
  return typeof argnums === 'number' ? shaped[0] : shaped
}

export function split_aux(
  result: unknown,
  has_aux: boolean,
  message: string,
): [output: unknown, aux: unknown] {
  if (!has_aux) return [result, undefined]
  if (!Array.isArray(result) || result.length !== 2) throw new RuntimeError(message)
  return [result[0], result[1]]
}

/** What of a result that may hold anything is shown outside. */
export const released = <T>(inputs: Inputs, tree: T): T => map_tensors(t => inputs.release(t), tree)

export const python_type = (x: unknown): string => (Array.isArray(x) ? 'tuple' : type_name(x))

/** The derivatives by the arguments that `N` names, in their forms. */
export type ByArgument<A extends readonly unknown[], N> = N extends number ? A[N] : A[number][]
export type Aux<R> = R extends readonly [unknown, infer X] ? X : unknown
