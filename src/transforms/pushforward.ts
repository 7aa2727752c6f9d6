// Derivatives in a direction: jvp, linearize, and the pushforward that jacfwd is made of too. The gradient is linear in its
// seed, so its own gradient by the seed, for a tangent, is the derivative in that direction: exact, and differentiable again, at
// the price of a recorded backward pass. Not here: the pass (autograd/engine.ts).
import { grad as engine_grad } from '../autograd/engine.ts'
import { RuntimeError } from '../base/errors.ts'
import { same_sizes } from '../base/shape.ts'
import { zeros_like } from '../ops/creation.ts'
import { enable_grad, modes } from '../tensor/tape.ts'
import { Tensor } from '../tensor/tensor.ts'
import {
  type Argnums,
  alias_of,
  type Fn,
  Inputs,
  outside,
  python_type,
  released,
  replace_arguments,
} from './inputs.ts'
import { call_on } from './pullback.ts'
import { flatten, same_spec, spec_text, type Tree, type TreeSpec, unflatten } from './pytree.ts'

/** The outputs of `func`, and how to push tangents forward: the gradient is linear in its seed, and its gradient by that is J v. */
export class Pushforward {
  readonly inputs: Inputs = new Inputs()
  readonly outputs: readonly Tensor[]
  readonly spec: TreeSpec
  readonly aux: unknown
  readonly #seeds: readonly Tensor[]
  readonly #pulled: readonly (Tensor | null)[]
  readonly #recorded: boolean

  constructor(
    what: string,
    func: Fn<never, unknown>,
    args: readonly unknown[],
    argnums: Argnums,
    has_aux: boolean,
  ) {
    const { inputs } = this
    const given = replace_arguments(inputs, args, argnums)
    const { leaves, spec, aux } = enable_grad(() => call_on(what, func, inputs, given.args, has_aux))
    const whole = leaves.map(t => inputs.whole(t))
    this.#recorded = inputs.is_recorded(whole)
    this.outputs = leaves.map(t => inputs.release(t))
    this.spec = spec
    this.aux = released(inputs, aux)
    const live = whole.filter(t => t._requires_grad)
    const seeds = live.map(t => alias_of(zeros_like(t.detach())))
    this.#seeds = whole.map(t => seeds[live.indexOf(t)] ?? t)
    this.#pulled =
      live.length === 0
        ? inputs.leaves.map(() => null)
        : outside(inputs.levels, () =>
            enable_grad(() =>
              engine_grad(live, inputs.leaves, seeds, { create_graph: true, allow_unused: true }),
            ),
          )
  }

  /** Whether all outputs depend on the inputs. */
  get depends(): boolean {
    return this.#seeds.every(t => t._requires_grad)
  }

  /** The tangents of the outputs for those of the inputs. */
  push(tangents: readonly Tensor[]): Tensor[] {
    const { inputs } = this
    const whole = tangents.map(t => inputs.whole(t))
    const used = this.#pulled.flatMap((g, i) => (g?._requires_grad ? [i] : []))
    const seeds = this.#seeds.filter(t => t._requires_grad)
    const recorded = modes.grad && (this.#recorded || whole.some(t => t.requires_grad))
    const found =
      used.length === 0
        ? []
        : outside(inputs.levels, () =>
            engine_grad(
              used.map(i => this.#pulled[i]!),
              seeds,
              used.map(i => whole[i]!),
              { create_graph: recorded, retain_graph: true, allow_unused: true },
            ),
          )
    return this.#seeds.map(seed => {
      const at = seeds.indexOf(seed)
      return inputs.sample((at < 0 ? null : found[at]) ?? zeros_like(seed.detach()))
    })
  }
}

export const JVP = 'jvp(f, primals, tangents)'

function check_tangents(primals: readonly unknown[], tangents: readonly unknown[]): Tensor[] {
  const [own, given] = [flatten(primals), flatten(tangents)]
  if (!same_spec(own.spec, given.spec))
    throw new RuntimeError(
      `${JVP}: Expected primals and tangents to have the same python structure. For example, if primals is a tuple of 3 tensors, tangents also must be. Got primals with structure ${spec_text(own.spec)} and tangents with structure ${spec_text(given.spec)}`,
    )
  for (const [name, leaves] of [
    ['primals', own.leaves],
    ['tangents', given.leaves],
  ] as const)
    for (const leaf of leaves)
      if (!(leaf instanceof Tensor))
        throw new RuntimeError(
          `${JVP}: Expected ${name} to only contain Tensors, got <class '${python_type(leaf)}'>`,
        )
  given.leaves.forEach((t, i) => {
    const [tangent, primal] = [t as Tensor, own.leaves[i] as Tensor]
    if (!same_sizes(tangent.sizes, primal.sizes))
      throw new RuntimeError(
        `Trying to set a forward gradient that has a different size than that of the original Tensor, this is not supported. Tensor is of size [${primal.sizes.join(', ')}] while the given forward gradient is of size [${tangent.sizes.join(', ')}].`,
      )
  })
  return given.leaves as Tensor[]
}

function require_tuple(name: string, x: unknown): asserts x is readonly unknown[] {
  if (!Array.isArray(x))
    throw new RuntimeError(
      `${JVP}: Expected ${name} to be a tuple. E.g. it should be valid to call f(*${name}).`,
    )
  if (x.length === 0) throw new RuntimeError(`${JVP}: Expected ${name} to be non-empty.`)
}

/**
 * The output of `func` at the array `primals`, and its derivative in the direction of `tangents`, of the same form. With
 * `has_aux`, where `func` returns [output, aux]: [output, derivative, aux].
 */
export function jvp<A extends readonly Tree<Tensor>[], R>(
  func: Fn<A, R>,
  primals: A,
  tangents: A,
  options?: { strict?: boolean; has_aux?: false },
): [output: R, tangent: R]
export function jvp<A extends readonly Tree<Tensor>[], R, X>(
  func: Fn<A, readonly [R, X]>,
  primals: A,
  tangents: A,
  options: { strict?: boolean; has_aux?: boolean },
): [output: R, tangent: R, aux: X]
export function jvp(
  func: Fn<never, unknown>,
  primals: readonly unknown[],
  tangents: readonly unknown[],
  { strict = false, has_aux = false }: { strict?: boolean; has_aux?: boolean } = {},
): unknown[] {
  require_tuple('primals', primals)
  const directions = check_tangents(primals, tangents)
  const forward = new Pushforward(
    JVP,
    func,
    primals,
    primals.map((_, i) => i),
    has_aux,
  )
  if (strict && !forward.depends)
    throw new RuntimeError(
      'jvp(f, primals, tangents, strict=True): The output of f is independent of the inputs. This is not allowed with strict=True.',
    )
  const tangent = unflatten(forward.push(directions), forward.spec)
  const output = unflatten(forward.outputs, forward.spec)
  return has_aux ? [output, tangent, forward.aux] : [output, tangent]
}

/**
 * The output of `func` at `primals`, and the function that takes tangents (an argument for each primal) to the derivative in
 * their direction, without computing `func` again.
 */
export function linearize<A extends readonly Tree<Tensor>[], R>(
  func: Fn<A, R>,
  ...primals: A
): [output: R, jvp_fn: (...tangents: A) => R] {
  const forward = new Pushforward(
    JVP,
    func,
    primals,
    primals.map((_, i) => i),
    false,
  )
  const jvp_fn = (...tangents: A): R =>
    unflatten(forward.push(check_tangents(primals, tangents)), forward.spec) as R
  return [unflatten(forward.outputs, forward.spec) as R, jvp_fn]
}
