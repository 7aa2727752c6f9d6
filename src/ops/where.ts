// where: elements of one tensor or another, by a condition. Not here: the method (reordered.ts), filling by a mask (masked.ts).
import type { Tensor } from '../tensor/tensor.ts'
import { choose, type Other } from './define/choose.ts'
import { type Op, overloaded } from './define/op.ts'
import { nonzero } from './masked.ts'

type Out = { out?: Tensor }

type WhereArgs = [condition: Tensor, self: Other, other: Other, opts?: Out]
const choice: Op<WhereArgs> = overloaded([['where(Tensor condition, any self, any other)', choose]], {
  samples: r => [
    [r.bools(3, 4), r(3, 4), r(4)],
    [r.bools(3, 1), r(4), 2.5],
    [r.bools(3), 1, r(3)],
    [r.bools(3), 1, 2],
  ],
})

/** `where(condition)`: the positions where it holds, as one index tensor a dimension. */
type Positions = (condition: Tensor) => Tensor[]

/**
 * Elements of `self` where `condition` (bool or uint8) holds, else of `other`; both may be numbers. With the condition
 * alone, the positions where it holds, one index tensor a dimension.
 */
export const where: Positions & Op<WhereArgs> = Object.assign(
  ((...args: [Tensor] | WhereArgs) =>
    args.length === 1 ? nonzero(args[0], { as_tuple: true }) : choice(...args)) as Positions &
    ((...args: WhereArgs) => Tensor),
  { op_name: 'where', spec: choice.spec },
)
