// torch.autograd.forward_ad: dual tensors, whose tangents are asked for at the end of a computation. A dual tensor is one that
// requires grad and of which the tangent is known; a result's tangent is the gradient of its gradient, as in pushforward.ts. So
// results of dual tensors show that they require grad, and what runs without recording has no tangent. Not here: jvp.
import { grad } from '../autograd/engine.ts'
import { RuntimeError, ValueError } from '../base/errors.ts'
import { same_sizes } from '../base/shape.ts'
import { zeros_like } from '../ops/creation.ts'
import { type Named, named_tuple } from '../ops/define/named.ts'
import { enable_grad, modes } from '../tensor/tape.ts'
import { alias, type Tensor } from '../tensor/tensor.ts'

type Dual = { readonly tensor: Tensor; readonly tangent: Tensor }

/** The dual tensors of the level that was entered, or null outside of one. */
let duals: Dual[] | null = null

type LevelOptions = { level?: number | null }

/** Begins a level, in which dual tensors can be made, and returns its number, 0: there is no other inside of it. */
export function enter_dual_level(): number {
  if (duals !== null) throw new RuntimeError('Nested forward mode AD is not supported at the moment')
  duals = []
  return 0
}

/** Ends the level: tangents are forgotten. */
export function exit_dual_level({ level = null }: LevelOptions = {}): void {
  if (duals === null) throw new RuntimeError('Dual level must be a positive number.')
  if (level !== null && level !== 0)
    throw new RuntimeError(
      'Trying to exit a forward AD level that was not the last one that was created. This is not supported.',
    )
  duals = null
}

/** Runs `body` in a level of its own; without a body, the level ends with the guard: `using _ = dual_level()`. */
export function dual_level<R>(body: () => R): R
export function dual_level(): Disposable
export function dual_level<R>(body?: () => R): R | Disposable {
  enter_dual_level()
  if (body === undefined) return { [Symbol.dispose]: () => exit_dual_level() }
  try {
    return body()
  } finally {
    exit_dual_level()
  }
}

/** `tensor` with a tangent: what is computed from it has tangents too. Throws outside of a level. */
export function make_dual(tensor: Tensor, tangent: Tensor, _options: LevelOptions = {}): Tensor {
  if (duals === null)
    throw new RuntimeError(
      'Trying to create a dual Tensor for forward AD but no level exists, make sure to enter_dual_level() first.',
    )
  for (const [name, t] of [
    ['primal', tensor],
    ['tangent', tangent],
  ] as const)
    if (!t.dtype.is_floating_point && !t.dtype.is_complex)
      throw new ValueError(`Expected ${name} to be floating point or complex, but got: ${t.dtype}`)
  if (!same_sizes(tensor.sizes, tangent.sizes))
    throw new RuntimeError(
      `Trying to set a forward gradient that has a different size than that of the original Tensor, this is not supported. Tensor is of size [${tensor.sizes.join(', ')}] while the given forward gradient is of size [${tangent.sizes.join(', ')}].`,
    )
  const dual = modes.grad && tensor._requires_grad ? tensor.view_as(tensor) : alias(tensor)
  dual._requires_grad = true
  duals.push({ tensor: dual, tangent })
  return dual
}

/** The value and the tangent of a tensor: (primal, tangent), the latter null where it depends on no dual tensor. */
export function unpack_dual(
  tensor: Tensor,
  _options: LevelOptions = {},
): Named<Tensor | null, 'primal' | 'tangent'> & { readonly primal: Tensor } {
  const tangent = duals === null ? null : tangent_of(tensor, duals)
  return named_tuple('UnpackedDualTensor', { primal: tensor.detach(), tangent }) as never
}

function tangent_of(tensor: Tensor, known: readonly Dual[]): Tensor | null {
  const own = known.find(d => d.tensor === tensor)
  if (own !== undefined) return own.tangent
  if (!tensor._requires_grad || known.length === 0) return null
  const options = { create_graph: true, allow_unused: true }
  return enable_grad(() => {
    const seed = zeros_like(tensor.detach())
    seed._requires_grad = true
    const pulled = grad(
      [tensor],
      known.map(d => d.tensor),
      [seed],
      options,
    )
    const used = pulled.flatMap((g, i) => (g?._requires_grad ? [i] : []))
    if (used.length === 0) return null
    const [tangent] = grad(
      used.map(i => pulled[i]!),
      [seed],
      used.map(i => known[i]!.tangent),
      { create_graph: false, retain_graph: true, allow_unused: true },
    )
    return tangent ?? null
  })
}
