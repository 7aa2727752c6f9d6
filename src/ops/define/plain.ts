// A short way into ops for their plainest calls: a few positional arguments of the expected kinds, which need no
// binding. Not here: binding (tensor/schema.ts), what ops compute.
import { batching } from '../../tensor/batched.ts'
import { make_op, type Op } from './op.ts'

/**
 * `slow`, but `plain` is asked first: it gets the arguments as they were passed and returns undefined for a call that is
 * not plain. Whatever it does return must be what `slow` would.
 */
export function with_plain<A extends readonly unknown[], R>(
  slow: Op<A, R>,
  plain: (...args: readonly unknown[]) => R | undefined,
): Op<A, R> {
  const call = (...args: A): R => (!batching.watched ? plain(...args) : undefined) ?? slow(...args)
  return make_op(call, slow.spec)
}
