// x.at: Python's x[...]. Not here: what indices mean (indexing.ts).
import type { Tensor } from '../tensor/tensor.ts'
import { index as gather_at } from './advanced_index.ts'
import { make_op, type Op } from './define/op.ts'
import { make_view } from './define/view.ts'
import { apply, type Index, integers } from './indexing.ts'

/** An index list holds integers and booleans only; anything else in an array means several indices. */
const is_index_list = (x: unknown): boolean =>
  Array.isArray(x)
    ? x.every(is_index_list)
    : typeof x === 'number' || typeof x === 'bigint' || typeof x === 'boolean'

/** Arguments of `at`: several indices, one, or a list of several. */
const unpack = (given: readonly unknown[]): readonly unknown[] =>
  given.length === 1 && Array.isArray(given[0]) && !is_index_list(given[0]) ? given[0] : given

/**
 * Python's `x[...]`: `x.at(0)`, `x.at(':', -1)`, `x.at('1:3', null)`, `x.at(mask)`, `x.at(rows, columns)`. Integers,
 * slices, null and '...' give a view, masks, tensors and lists of integers a copy. Throws IndexError.
 */
export const at: Op<[self: Tensor, ...indices: readonly (Index | readonly Index[])[]]> = make_op(
  (self: Tensor, ...given: readonly (Index | readonly Index[])[]) => {
    const applied = apply(self, unpack(given))
    const { view, tensors } = applied
    if (tensors.size === 0) return view === self ? make_view(self, self, 'AliasBackward0', g => g) : view
    const { indices, dims } = integers(applied)
    return gather_at(view, indices, dims)
  },
  { name: 'at', schemas: [], samples: undefined, differentiable: true },
)
