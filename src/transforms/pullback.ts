// Backward passes as functions: vjp, and the pullback that jacrev is made of too. Not here: the pass (autograd/engine.ts).
import { RuntimeError } from '../base/errors.ts'
import { same_sizes, size_repr } from '../base/shape.ts'
import { enable_grad, modes } from '../tensor/tape.ts'
import { Tensor } from '../tensor/tensor.ts'
import {
  type Argnums,
  by_argument,
  type Fn,
  Inputs,
  outside,
  python_type,
  released,
  replace_arguments,
  split_aux,
} from './inputs.ts'
import { flatten, same_spec, spec_text, type Tree, type TreeSpec, unflatten } from './pytree.ts'

type AuxOption = { has_aux?: boolean }
const is_aux_option = (x: unknown): x is AuxOption =>
  typeof x === 'object' && x !== null && Object.keys(x).join() === 'has_aux'

/** The options at the end of arguments that may themselves be objects. */
function take_options<A extends readonly unknown[]>(args: readonly unknown[]): [args: A, has_aux: boolean] {
  const last = args[args.length - 1]
  return is_aux_option(last)
    ? [args.slice(0, -1) as unknown as A, last.has_aux ?? false]
    : [args as unknown as A, false]
}

export const VJP = 'vjp(f, *primals)'

/** Calls `func` with arguments that gradients can be asked for; its results as leaves, which must be tensors. */
export function call_on(
  what: string,
  func: Fn<never, unknown>,
  _inputs: Inputs,
  args: readonly unknown[],
  has_aux: boolean,
): { leaves: Tensor[]; spec: TreeSpec; aux: unknown } {
  const [output, aux] = split_aux(
    func(...(args as never)),
    has_aux,
    `${what}: output of function f should be a tuple: (output, aux) if has_aux is True`,
  )
  const { leaves, spec } = flatten(output)
  for (const leaf of leaves)
    if (!(leaf instanceof Tensor))
      throw new RuntimeError(
        `${what}: expected f(*primals) to return only tensors, got unsupported type <class '${python_type(leaf)}'>`,
      )
  return { leaves: leaves as Tensor[], spec, aux }
}

/** The outputs of `func`, and how to pull cotangents back: what vjp and jacrev are made of. */
export class Pullback {
  readonly inputs: Inputs = new Inputs()
  readonly outputs: readonly Tensor[]
  readonly spec: TreeSpec
  readonly aux: unknown
  readonly #whole: readonly Tensor[]
  readonly #recorded: boolean
  readonly #given: ReturnType<typeof replace_arguments>

  constructor(
    what: string,
    func: Fn<never, unknown>,
    args: readonly unknown[],
    argnums: Argnums,
    has_aux: boolean,
  ) {
    const { inputs } = this
    this.#given = replace_arguments(inputs, args, argnums)
    const { leaves, spec, aux } = enable_grad(() => call_on(what, func, inputs, this.#given.args, has_aux))
    this.#whole = leaves.map(t => inputs.whole(t))
    this.#recorded = inputs.is_recorded(this.#whole)
    this.outputs = leaves.map(t => inputs.release(t))
    this.spec = spec
    this.aux = released(inputs, aux)
  }

  /** The gradients of the inputs for those of the outputs, as flat lists. */
  pull(cotangents: readonly Tensor[], create_graph: boolean | null = null, keep = true): Tensor[] {
    const { inputs } = this
    const seeds = cotangents.map(t => inputs.whole(t))
    const recorded = create_graph ?? (modes.grad && (this.#recorded || seeds.some(t => t.requires_grad)))
    return outside(inputs.levels, () => inputs.gradients(this.#whole, seeds, recorded, keep)).map(g =>
      inputs.sample(g),
    )
  }

  by_argument(argnums: Argnums, values: readonly unknown[]): unknown {
    return by_argument(argnums, values, this.#given)
  }
}

/**
 * The output of `func` at `primals` and the function that takes cotangents of its form to gradients of the primals. With `{ has_aux: true }` at the end, where `func` returns [output, aux]: [output, vjp_fn, aux].
 */
export function vjp<A extends readonly Tree<Tensor>[], R>(
  func: Fn<A, R>,
  ...primals: A
): [output: R, vjp_fn: (cotangents: R, options?: VjpOptions) => A]
export function vjp<A extends readonly Tree<Tensor>[], R, X>(
  func: Fn<A, readonly [R, X]>,
  ...primals: [...A, AuxOption]
): [output: R, vjp_fn: (cotangents: R, options?: VjpOptions) => A, aux: X]
export function vjp(func: Fn<never, unknown>, ...given: readonly unknown[]): unknown[] {
  const [primals, has_aux] = take_options(given)
  const argnums = primals.map((_, i) => i)
  const back = new Pullback(VJP, func, primals, argnums, has_aux)
  const vjp_fn = (cotangents: unknown, options: VjpOptions = {}): unknown => {
    const { leaves, spec } = flatten(cotangents)
    if (!same_spec(spec, back.spec))
      throw new RuntimeError(
        `Expected pytree structure of cotangents to be the same as pytree structure of outputs to the function. cotangents: ${form_text(spec)}, primal output: ${form_text(back.spec)}`,
      )
    leaves.forEach((t, i) => check_seed(t as Tensor, back.outputs[i]!, i))
    const { create_graph = null, retain_graph = true } = options
    return back.by_argument(argnums, back.pull(leaves as Tensor[], create_graph, retain_graph))
  }
  const output = unflatten(back.outputs, back.spec)
  return has_aux ? [output, vjp_fn, back.aux] : [output, vjp_fn]
}

export type VjpOptions = { retain_graph?: boolean; create_graph?: boolean | null }

const form_text = (spec: TreeSpec): string =>
  Array.isArray(spec) ? `(${spec.map(form_text).join(', ')})` : spec === null ? '*' : spec_text(spec)

function check_seed(t: Tensor, output: Tensor, i: number): void {
  if (!same_sizes(t.sizes, output.sizes))
    throw new RuntimeError(
      `Mismatch in shape: grad_output[${i}] has a shape of ${size_repr(t.sizes)} and output[${i}] has a shape of ${size_repr(output.sizes)}.`,
    )
}
