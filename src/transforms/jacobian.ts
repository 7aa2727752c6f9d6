// Jacobians: rows by backward passes (jacrev), columns by directions (jacfwd), all at once by vmap; and Hessians.
// Not here: the passes (pullback.ts, pushforward.ts).
import { eye } from '../ops/creation_more.ts'
import type { Randomness } from '../tensor/batched.ts'
import type { Tensor } from '../tensor/tensor.ts'
import { type Argnums, type ByArgument, by_argument, check_argnums, type Fn } from './inputs.ts'
import { Pullback, VJP } from './pullback.ts'
import { JVP, Pushforward } from './pushforward.ts'
import { flatten, unflatten } from './pytree.ts'
import { vmap } from './vmap.ts'

/** The unit vectors of the space that `tensors` make together, for each its part: of sizes [total, ...sizes]. */
function basis_of(tensors: readonly Tensor[]): Tensor[] {
  const total = tensors.reduce((n, t) => n + t.count, 0)
  let at = 0
  return tensors.map(t => {
    const part = eye(total, { dtype: t.dtype })
      .narrow(1, at, t.count)
      .reshape([total, ...t.sizes])
    at += t.count
    return part
  })
}

export type JacobianOptions<N extends Argnums = Argnums> = {
  argnums?: N
  has_aux?: boolean
  /** How many rows (jacrev) are computed at a time; null: all. */
  chunk_size?: number | null
  randomness?: Randomness
}

const jacobian_options = (
  argnums: Argnums | JacobianOptions,
  has_aux: boolean,
): Required<JacobianOptions> => {
  const standard = { argnums: 0, has_aux, chunk_size: null, randomness: 'error' } as const
  return typeof argnums === 'object' && !Array.isArray(argnums)
    ? { ...standard, ...(argnums as JacobianOptions) }
    : { ...standard, argnums: argnums as Argnums }
}

/** A block for each output: what stands in the place of a tensor in the output's form. */
type Blocks<A extends readonly unknown[], R, N> = R extends Tensor
  ? ByArgument<A, N>
  : R extends readonly unknown[]
    ? { [K in keyof R]: Blocks<A, R[K], N> }
    : R extends Readonly<Record<string, unknown>>
      ? { [K in keyof R]: Blocks<A, R[K], N> }
      : ByArgument<A, N>

/** Makes the function that computes a Jacobian, in each form that the arguments have. */
interface Jacobian {
  <A extends readonly unknown[], R>(func: Fn<A, R>): Fn<A, Blocks<A, R, 0>>
  <A extends readonly unknown[], R, N extends Argnums>(func: Fn<A, R>, argnums: N): Fn<A, Blocks<A, R, N>>
  <A extends readonly unknown[], R, N extends Argnums = 0>(
    func: Fn<A, R>,
    options: JacobianOptions<N> & { has_aux?: false },
  ): Fn<A, Blocks<A, R, N>>
  <A extends readonly unknown[], R, X, N extends Argnums>(
    func: Fn<A, readonly [R, X]>,
    argnums: N,
    has_aux: boolean,
  ): Fn<A, [jacobian: Blocks<A, R, N>, aux: X]>
  <A extends readonly unknown[], R, X, N extends Argnums = 0>(
    func: Fn<A, readonly [R, X]>,
    options: JacobianOptions<N>,
  ): Fn<A, [jacobian: Blocks<A, R, N>, aux: X]>
}

/**
 * The function that computes the Jacobian of `func` by backward passes, all rows at once: for each output, in the form of the
 * outputs, and each argument that `argnums` names a tensor of sizes [...output, ...input]. With `has_aux`: [jacobian, aux].
 */
export const jacrev: Jacobian = function jacrev(
  func: Fn<never, unknown>,
  argnums: Argnums | JacobianOptions = 0,
  has_aux = false,
): Fn<readonly unknown[], never> {
  const options = jacobian_options(argnums, has_aux)
  return (...args) => {
    const back = new Pullback(VJP, func, args, options.argnums, options.has_aux)
    const { outputs, spec } = back
    const rows =
      outputs.length === 0
        ? []
        : vmap((...seeds: Tensor[]) => back.pull(seeds), {
            chunk_size: options.chunk_size,
            randomness: options.randomness,
          })(...basis_of(outputs))
    let at = 0
    const blocks = outputs.map(out => {
      const own = rows.map(t => {
        const [, ...sizes] = t.sizes
        return t.narrow(0, at, out.count).reshape([...out.sizes, ...sizes])
      })
      at += out.count
      return back.by_argument(options.argnums, own)
    })
    const jacobian = unflatten(blocks, spec)
    return (options.has_aux ? [jacobian, back.aux] : jacobian) as never
  }
}

/**
 * The function that computes the Jacobian of `func` column by column, all at once: what {@link jacrev} gives, sooner where there
 * are more outputs than inputs.
 */
export const jacfwd: Jacobian = function jacfwd(
  func: Fn<never, unknown>,
  argnums: Argnums | JacobianOptions = 0,
  has_aux = false,
): Fn<readonly unknown[], never> {
  const options = jacobian_options(argnums, has_aux)
  return (...args) => {
    const nums = check_argnums(options.argnums, args.length)
    const forms = nums.map(n => flatten(args[n]))
    const leaves = forms.flatMap(f => f.leaves) as Tensor[]
    const forward = new Pushforward(JVP, func, args, options.argnums, options.has_aux)
    const columns = vmap((...tangents: Tensor[]) => forward.push(tangents), 0, -1, {
      chunk_size: options.chunk_size,
      randomness: options.randomness,
    })(...basis_of(leaves))
    const counts = forms.map(f => f.leaves.length)
    const blocks = columns.map(t => {
      let at = 0
      const own = leaves.map(x => {
        const part = t.narrow(-1, at, x.count).reshape([...t.sizes.slice(0, -1), ...x.sizes])
        at += x.count
        return part
      })
      return by_argument(options.argnums, own, { forms: forms.map(f => f.spec), counts })
    })
    const jacobian = unflatten(blocks, forward.spec)
    return (options.has_aux ? [jacobian, forward.aux] : jacobian) as never
  }
}

/** The function that computes the Hessian of `func`: the Jacobian of its Jacobian. */
export function hessian<A extends readonly unknown[], R>(func: Fn<A, R>): Fn<A, Blocks<A, Blocks<A, R, 0>, 0>>
export function hessian<A extends readonly unknown[], R, N extends Argnums = 0>(
  func: Fn<A, R>,
  argnums: N,
): Fn<A, Blocks<A, Blocks<A, R, N>, N>>
export function hessian(func: Fn<never, unknown>, by: Argnums = 0): Fn<never, unknown> {
  return jacfwd(jacrev(func as Fn<never, unknown> as never, by as never) as never, by as never) as never
}
