// `torch.random`: the seed and the state of the default generator. These functions are in torch itself too, except
// fork_rng. Not here: drawing (random.ts), generators of one's own (torch.Generator, base/generator.ts).
import { uint8 } from '../base/dtype.ts'
import { default_generator, type Generator } from '../base/generator.ts'
import { empty } from '../tensor/dispatch.ts'
import { Tensor } from '../tensor/tensor.ts'

/**
 * Restarts the random numbers from a seed: what is drawn after is what PyTorch draws after the same call. Returns the
 * default generator. Numbers are truncated, as Python's int() does.
 */
export function manual_seed(seed: number | bigint): Generator {
  return default_generator.manual_seed(
    typeof seed === 'number' && Number.isFinite(seed) ? Math.trunc(seed) : seed,
  )
}

/** Seeds with a random number and returns it. */
export const seed = (): number => default_generator.seed()

/** The seed that the stream of random numbers began with. */
export const initial_seed = (): number | bigint => default_generator.initial_seed()

/** The state of the default generator: 5056 bytes as a uint8 tensor, which PyTorch understands too. */
export function get_rng_state(): Tensor {
  const bytes = default_generator.get_state()
  const state = empty([bytes.length], uint8)
  ;(state.memory.touch(uint8) as Uint8Array).set(bytes)
  return state
}

/** Continues from a state that `get_rng_state` or a generator's `get_state` gave. */
export function set_rng_state(state: Tensor | Uint8Array): void {
  default_generator.set_state(state instanceof Tensor ? state.contiguous() : state)
}

/**
 * Runs `body` and puts the state of the random numbers back to what it was, so that what comes after draws as if
 * `body` had not been there. Without a body, until the guard that it returns is disposed: `using _ = fork_rng()`.
 */
export function fork_rng<R>(body: () => R): R
export function fork_rng(): Disposable
export function fork_rng<R>(body?: () => R): R | Disposable {
  const before = default_generator.get_state()
  const restore = (): void => {
    default_generator.set_state(before)
  }
  if (body === undefined) return { [Symbol.dispose]: restore }
  let result: R
  try {
    result = body()
  } catch (error) {
    restore()
    throw error
  }
  if (result instanceof Promise) return result.finally(restore) as R
  restore()
  return result
}

export { default_generator } from '../base/generator.ts'
