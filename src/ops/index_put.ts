// index_put: Python's x[...] = value, in place and as a copy. Not here: what indices mean (indexing.ts).

import { bool, is_plain_number } from '../base/dtype.ts'
import { same_sizes } from '../base/shape.ts'
import type { Expr } from '../ir/expr.ts'
import { tensor_from } from '../tensor/from_data.ts'
import { bind_one, parse_schema, type Schema, type_name } from '../tensor/schema.ts'
import { Tensor } from '../tensor/tensor.ts'
import { put_at, put_at_ } from './advanced_index.ts'
import { in_place } from './define/inplace.ts'
import { make_op, type Op } from './define/op.ts'
import { type Number, pointwise } from './define/pointwise.ts'
import { apply, check_mask, type Index, integers } from './indexing.ts'
import { fill_args } from './masks.ts'

const fill_mask_ = in_place(
  pointwise<[self: Tensor, mask: Tensor, value: Tensor | Number], [Expr, Expr, Expr]>(
    'index_put(Tensor self, Tensor mask, Tensor value)',
    { forward: (self, mask, value) => mask.ne(0).where(value, self) },
  ) as unknown as Op<[self: Tensor, mask: Tensor, value: Tensor | Number]>,
)

type Value = Tensor | Number
type Accumulate = boolean | { accumulate?: boolean }

/** `value` in the sizes of a view that it is to be written to. */
function fitted(value: Tensor, { sizes }: Tensor): Tensor {
  const fit = without_leading_ones(value, sizes.length)
  return same_sizes(fit.sizes, sizes) ? fit : fit.expand(sizes)
}

/** Writes `value` at the indices of `self`. */
function assign(self: Tensor, given: readonly unknown[], value: unknown, accumulate: boolean): void {
  if (!(value instanceof Tensor) && !is_plain_number(value))
    throw new TypeError(`can't assign a ${type_name(value)} to a torch.${self.dtype.tensor_type}`)
  const applied = apply(self, given)
  const { view, tensors } = applied
  if (tensors.size === 0) {
    if (accumulate) view.add_(value)
    else if (value instanceof Tensor) view.copy_(fitted(value, view))
    else view.fill_(value)
    return
  }
  const [first] = tensors
  const [dim, mask] = first!
  const one = value instanceof Tensor ? value.count === 1 : true
  if (tensors.size === 1 && mask.dtype === bool && one && !accumulate) {
    check_mask(mask, view, dim)
    const rest = view.sizes.slice(dim + mask.sizes.length).map(() => 1)
    fill_mask_(
      ...fill_args(
        view,
        mask.reshape([...mask.sizes, ...rest]),
        value instanceof Tensor ? value.reshape([]) : value,
      ),
    )
    return
  }
  const { indices, dims } = integers(applied)
  const source = value instanceof Tensor ? value : tensor_from(value, self.dtype)
  put_at_(
    view,
    indices,
    without_leading_ones(source, view.sizes.length - dims.length + widest(indices)),
    dims,
    accumulate,
  )
}

const widest = (indices: readonly Tensor[]): number => Math.max(...indices.map(i => i.sizes.length))

/** A value may have dimensions of size 1 in front of those of the place it goes to. */
function without_leading_ones(value: Tensor, ndim: number): Tensor {
  let drop = 0
  while (value.sizes.length - drop > ndim && value.sizes[drop] === 1) drop++
  return drop === 0 ? value : value.reshape(value.sizes.slice(drop))
}

const put_schema = (name: string): Schema =>
  parse_schema(`${name}(Tensor self, any? indices, any values, bool accumulate=False)`)
const index_put_schema = put_schema('index_put')
const index_put_in_place_schema = put_schema('index_put_')

function bind_put(schema: Schema, args: readonly unknown[]): [Tensor, readonly unknown[], unknown, boolean] {
  const [self, indices, values, accumulate] = bind_one(schema, args) as [Tensor, unknown, unknown, boolean]
  return [self, Array.isArray(indices) ? indices : [indices], values, accumulate]
}

type PutArgs = [self: Tensor, indices: Index | readonly Index[], values: Value, accumulate?: Accumulate]

/**
 * Python's `x[...] = value`: `x.index_put_([0, '1:3'], value)` writes a number or a tensor (broadcast) where the
 * list of indices, as for `at`, says. With `accumulate` values are added, also several to one place.
 */
export const index_put_: Op<PutArgs> = make_op(
  (...args: PutArgs) => {
    const [self, indices, values, accumulate] = bind_put(index_put_in_place_schema, args)
    assign(self, indices, values, accumulate)
    return self
  },
  { name: 'index_put_', schemas: [], samples: undefined, differentiable: false },
)

/** A copy with `values` written by {@link index_put_}. */
export const index_put: Op<PutArgs> = make_op(
  (...args: PutArgs) => {
    const [self, indices, values, accumulate] = bind_put(index_put_schema, args)
    const applied = apply(self, indices)
    if (applied.view !== self || applied.tensors.size === 0 || !(values instanceof Tensor)) {
      const out = self.clone()
      assign(out, indices, values, accumulate)
      return out
    }
    const { indices: positions, dims } = integers(applied)
    return put_at(self, positions, values, dims, accumulate)
  },
  { name: 'index_put', schemas: [], samples: undefined, differentiable: true },
)
