// Writing whole slices of a tensor by one index tensor: the kernels and checks under index_add, index_copy, index_fill.
// Not here: reading them (slices.ts).
import { type DType, FloatScalar, is_plain_number } from '../base/dtype.ts'
import { IndexError, RuntimeError } from '../base/errors.ts'
import { wrap_dim } from '../base/shape.ts'
import type { Operand } from '../device/device.ts'
import type { Expr } from '../ir/expr.ts'
import { kernels } from '../tensor/dispatch.ts'
import { Tensor } from '../tensor/tensor.ts'
import { require_range } from './define/bounds.ts'
import { dense } from './define/copy.ts'
import { launch_values } from './define/create.ts'
import { scalar_name } from './define/out.ts'
import type { Number } from './define/pointwise.ts'
import { around, blocks_of, each_row_in_order, wrapped } from './define/rows.ts'
import { arithmetic, is_index } from './slices.ts'

const blocks = ({ sizes, count }: Operand): number => blocks_of(sizes[0]!, sizes[2] ?? 1, count)

// Negative indices count from the end; what may not be negative was checked before.

const add_kernel = kernels('index_add', (k, dtype: DType, index_dtype: DType, rank: number) => {
  const out = k.inout('out', dtype, { rank, inner: 1 })
  const source = k.input('source', dtype, { rank, inner: 1 })
  const index = k.input('index', index_dtype, 'flat')
  const alpha = arithmetic(k.value('alpha', out.type))
  const blocks = k.value('blocks', 'index')
  const place = (j: Expr): Expr => wrapped(k, index.at(j), out.sizes[1]!)
  each_row_in_order(k, source.sizes, blocks, place, (o, j, at, i) => {
    const sum = arithmetic(out.at(o, at, ...i)).add(alpha.mul(arithmetic(source.at(o, j, ...i))))
    k.store(out, [o, at, ...i], sum)
  })
})

const copy_kernel = kernels('index_copy', (k, dtype: DType, index_dtype: DType, rank: number) => {
  const out = k.inout('out', dtype, { rank, inner: 1 })
  const source = k.input('source', dtype, { rank, inner: 1 })
  const index = k.input('index', index_dtype, 'flat')
  const blocks = k.value('blocks', 'index')
  const place = (j: Expr): Expr => wrapped(k, index.at(j), out.sizes[1]!)
  each_row_in_order(k, source.sizes, blocks, place, (o, j, at, i) =>
    k.store(out, [o, at, ...i], source.at(o, j, ...i)),
  )
})

const fill_kernel = kernels('index_fill', (k, dtype: DType, index_dtype: DType, rank: number) => {
  const out = k.inout('out', dtype, { rank, inner: 1 })
  const index = k.input('index', index_dtype, 'flat')
  const value = k.value('value', out.type)
  const blocks = k.value('blocks', 'index')
  const place = (j: Expr): Expr => wrapped(k, index.at(j), out.sizes[1]!)
  const [outer, , ...inner] = out.sizes as [Expr, Expr, ...Expr[]]
  each_row_in_order(k, [outer, index.sizes[0]!, ...inner], blocks, place, (o, _, at, i) =>
    k.store(out, [o, at, ...i], value),
  )
})

/** Writes to those slices along `dim` of a contiguous tensor that `index` names (checked), in its order. */
export function write_slices(out: Tensor, dim: number, index: Tensor, writing: Writing): void {
  if (out.count === 0 || index.count === 0) return
  const target = around(out, dim)
  const rank = target.sizes.length
  const { dtype } = out
  const at = dense(index)
  if ('fill' in writing) {
    const values = [...launch_values(writing.fill, dtype), blocks(target)]
    fill_kernel(dtype, index.dtype, rank)([target, at], values)
  } else if ('copy' in writing)
    copy_kernel(dtype, index.dtype, rank)([target, writing.copy, at], [blocks(writing.copy)])
  else {
    const values = [...launch_values(writing.alpha, dtype), blocks(writing.add)]
    add_kernel(dtype, index.dtype, rank)([target, writing.add, at], values)
  }
}

/** Checks slices of `source` that go to those of `self` which `index` names; returns the wrapped dimension. */
export function check_slices(name: string, self: Tensor, dim: number, index: Tensor, source: Tensor): number {
  const d = wrap_dim(dim, self.sizes.length)
  require_vector(
    index,
    () =>
      new IndexError(
        `${name}(): Index is supposed to be a vector, but got dim: ${index.sizes.length} with type: ${scalar_name(index.dtype)} and size: [${index.sizes.join(', ')}]`,
      ),
  )
  if (!is_index(index.dtype))
    throw new RuntimeError(
      `${name}(): Expected dtype int32/int64 for index but got: ${scalar_name(index.dtype)}`,
    )
  if (self.dtype !== source.dtype)
    throw new RuntimeError(
      `${name}(): self (${scalar_name(self.dtype)}) and source (${scalar_name(source.dtype)}) must have the same scalar type`,
    )
  if (d > 0 && d >= source.sizes.length)
    throw new RuntimeError(`${name}(): Indexing dim ${d} is out of bounds of tensor`)
  const n = source.sizes[d] ?? 1
  if (index.count !== n)
    throw new RuntimeError(
      `${name}(): Number of indices (${index.count}) should be equal to source.size(dim): (${n}), for dim: ${d}`,
    )
  same_slices(self, source, d)
  require_range(index, 0, self.sizes[d] ?? 1, () => new IndexError('index out of range in self'))
  return d
}

/** Throws where the sizes without `dim` differ. */
function same_slices(self: Tensor, source: Tensor, dim: number): void {
  const rest = (t: Tensor): number[] => t.sizes.filter((_, d) => d !== dim)
  const [a, b] = [rest(self), rest(source)]
  if (a.length !== b.length)
    throw new RuntimeError(
      `source tensor shape must match self tensor shape, excluding the specified dimension. Got self.shape = [${self.sizes.join(', ')}] source.shape = [${source.sizes.join(', ')}]`,
    )
  const at = a.findIndex((n, i) => n !== b[i])
  if (at >= 0)
    throw new RuntimeError(
      `The size of tensor a (${a[at]}) must match the size of tensor b (${b[at]}) at non-singleton dimension ${at}`,
    )
}

export const out_of_bounds =
  (name: string, dim: number, size: number, Cls: typeof IndexError | typeof RuntimeError = IndexError) =>
  (value: number): Error =>
    new Cls(
      `${name === '' ? '' : `${name}(): `}index ${value} is out of bounds for dimension ${dim} with size ${size}`,
    )

/** The number to fill with: `value`, or the element of a 0-dim tensor. */
export function fill_number(name: string, value: unknown): Exclude<Number, FloatScalar> {
  if (!(value instanceof Tensor)) {
    if (value instanceof FloatScalar) return value.value
    if (is_plain_number(value)) return value as Exclude<Number, FloatScalar>
    throw new TypeError(`${name}(): argument 'value' must be Number, not ${typeof value}`)
  }
  if (value.sizes.length > 0)
    throw new RuntimeError(
      `${name} only supports a 0-dimensional value tensor, but got tensor with ${value.sizes.length} dimension(s).`,
    )
  return value.item()
}

export const require_vector = (index: Tensor, error: () => Error): void => {
  if (index.sizes.length > 1) throw error()
}

/** How {@link write_slices} writes: the value of an element of the source, that added, or one number for all. */
export type Writing =
  | { readonly copy: Operand }
  | { readonly add: Operand; readonly alpha: Number }
  | { readonly fill: Number }
