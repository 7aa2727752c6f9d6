// torch.autograd.graph: what happens to tensors that are kept for the backward pass.
// Not here: what is kept (ops/define), the keeping (tensor/tape.ts).
import { RuntimeError } from '../base/errors.ts'
import { type ModeGuard, type SavedHooks, saved_hooks } from '../tensor/tape.ts'
import type { Tensor } from '../tensor/tensor.ts'

/** Runs `body` between `begin` and `end`; without a body, ends when the guard is disposed. */
function between<R>(begin: () => void, end: () => void, body: (() => R) | undefined): R | ModeGuard {
  begin()
  if (body === undefined) return { [Symbol.dispose]: end }
  try {
    return body()
  } finally {
    end()
  }
}

/**
 * While `body` runs (or until the guard is disposed), each tensor that an op keeps for backward is given to `pack_hook`, and
 * what that returns is kept in its stead; `unpack_hook` makes a tensor of it again when backward wants it. So they can be
 * written to disk, made smaller, or counted. Throws RuntimeError where such hooks are disabled.
 */
export function saved_tensors_hooks<P, R>(
  pack_hook: (t: Tensor) => P,
  unpack_hook: (packed: P) => Tensor,
  body: () => R,
): R
export function saved_tensors_hooks<P>(
  pack_hook: (t: Tensor) => P,
  unpack_hook: (packed: P) => Tensor,
): ModeGuard
export function saved_tensors_hooks<P, R>(
  pack_hook: (t: Tensor) => P,
  unpack_hook: (packed: P) => Tensor,
  body?: () => R,
): R | ModeGuard {
  const hooks = { pack: pack_hook, unpack: unpack_hook } as unknown as SavedHooks
  const begin = (): void => {
    if (saved_hooks.disabled !== null) throw new RuntimeError(saved_hooks.disabled)
    saved_hooks.stack.push(hooks)
  }
  return between(begin, () => void saved_hooks.stack.splice(saved_hooks.stack.lastIndexOf(hooks), 1), body)
}

/** Keeps tensors in CPU memory, where all are: as if there were no hooks, but that in-place changes are not noticed. */
export function save_on_cpu<R>(pin_memory: boolean, body: () => R): R
export function save_on_cpu(pin_memory?: boolean): ModeGuard
export function save_on_cpu<R>(_pin_memory = false, body?: () => R): R | ModeGuard {
  const itself = (t: Tensor): Tensor => t
  return body === undefined ? saved_tensors_hooks(itself, itself) : saved_tensors_hooks(itself, itself, body)
}

/** While `body` runs (or until the guard is disposed), hooks throw RuntimeError with this text. */
export function disable_saved_tensors_hooks<R>(error_message: string, body: () => R): R
export function disable_saved_tensors_hooks(error_message: string): ModeGuard
export function disable_saved_tensors_hooks<R>(error_message: string, body?: () => R): R | ModeGuard {
  const before = saved_hooks.disabled
  const begin = (): void => {
    if (saved_hooks.stack.length > 0) throw new RuntimeError(error_message)
    saved_hooks.disabled = error_message
  }
  const end = (): void => {
    saved_hooks.disabled = before
  }
  return between(begin, end, body)
}
