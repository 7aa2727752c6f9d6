// Random ops in a mapped function: refused, the same for all samples, or different ones, as vmap was told.
// Not here: functions that make random tensors of a size, which ask for themselves (ops/random.ts).

import { RuntimeError } from '../../base/errors.ts'
import {
  Batched,
  type Level,
  ORDINARY,
  refuse_randomness,
  remove_level,
  with_level,
} from '../../tensor/batched.ts'
import { empty } from '../../tensor/dispatch.ts'
import { bind } from '../../tensor/schema.ts'
import { Tensor } from '../../tensor/tensor.ts'
import { type AnyOp, Call, folded, padded, unfolded } from './call.ts'

type Args = readonly unknown[]
export type RandomRule = (op: AnyOp, args: Args, level: Level) => unknown

const bound = (op: AnyOp, args: Args, level: Level): Call => {
  const { overload, values } = bind(op.spec.schemas, args)
  return new Call(op, op.spec.schemas[overload]!, values, level)
}

const varies = (args: Args, level: Level): boolean =>
  args.some(a => a instanceof Batched && a.level === level)

/** Draws whose parameters are tensors. */
const draws =
  (different: (call: Call) => unknown): RandomRule =>
  (op, args, level) => {
    if (level.randomness === 'error') refuse_randomness()
    if (level.randomness === 'different')
      return with_level(level.outer, () => new Batched(different(bound(op, args, level)) as Tensor, level))
    if (varies(args, level))
      throw new RuntimeError(
        'Vmap does not currently support same randomness with a batched tensor input. Please file an issue with functorch',
      )
    return with_level(level.outer, () => op(...args))
  }

/** Of each element. */
export const elements: RandomRule = draws(call => {
  const tensors = call.values.filter(v => v instanceof Tensor)
  const rank = Math.max(...tensors.map(t => t.sizes.length))
  return call.run(call.values.map(v => (v instanceof Tensor ? padded(call.all(v), rank) : v)))
})

/** Of rows of weights. */
export const multinomial: RandomRule = draws(call => {
  const self = call.all(call.values[0] as Tensor)
  if (self.sizes.length === 2) return call.with({ self })
  return unfolded(call.with({ self: folded(self) }) as Tensor, call.level.size)
})

/** In place: what is drawn does not depend on what was there. */
export const fill: RandomRule = (op, args, level) => {
  if (level.randomness === 'error') refuse_randomness()
  const [self, ...rest] = args as [Tensor, ...unknown[]]
  const batched = self instanceof Batched && self.level === level
  if (!batched) {
    if (level.randomness === 'different')
      throw new RuntimeError(
        'vmap: Cannot ask for different inplace randomness on an unbatched tensor. This will appear like same randomness. ' +
          'If this is necessary for your usage, please file an issue with functorch.',
      )
    return with_level(level.outer, () => op(self, ...rest))
  }
  if (level.randomness === 'same') {
    const drawn = with_level(level.outer, () => op(empty(self.sizes, self.dtype), ...rest)) as Tensor
    return self.copy_(drawn)
  }
  with_level(level.outer, () =>
    op(self.value, ...rest.map(v => (v instanceof Tensor ? remove_level(v, level) : v))),
  )
  return self
}

/** Dropout of elements, or (`channels`) of what lies behind the first two dimensions. */
export const dropout =
  (channels: boolean): RandomRule =>
  (op, args, level) => {
    const call = bound(op, args, level)
    const [input, p, train] = call.values as [Tensor, number, boolean]
    if (!train || p === 0 || p === 1) return ORDINARY
    if (level.randomness === 'error') refuse_randomness()
    if (level.randomness === 'same') return ORDINARY
    const in_place = op.op_name.endsWith('_')
    if (in_place && !call.varies(input))
      throw new RuntimeError(
        'vmap: Cannot ask for different inplace randomness on an unbatched tensor. This will appear like same randomness. ' +
          'If this is necessary for your usage, please file an issue with functorch.',
      )
    const all = call.all(input)
    const made = with_level(level.outer, () =>
      channels && input.sizes.length > 1
        ? unfolded(op(folded(all), p, train) as Tensor, level.size)
        : (op(all, p, train) as Tensor),
    )
    return in_place ? input : new Batched(made, level)
  }
