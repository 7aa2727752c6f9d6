// Reading and writing by several index tensors at once, which are broadcast against one another: what index syntax
// does with tensors. Their positions become one offset into memory each, so one kernel serves any number of them.
// Not here: the syntax (indexing.ts), one index tensor along a dimension (index_ops.ts).
import { type DType, int64 } from '../base/dtype.ts'
import { IndexError, RuntimeError } from '../base/errors.ts'
import { broadcast_sizes, coalesce, contiguous_strides, expand_strides, numel } from '../base/shape.ts'
import type { Operand } from '../device/device.ts'
import type { Expr } from '../ir/expr.ts'
import type { View } from '../ir/kernel.ts'
import { empty, kernels } from '../tensor/dispatch.ts'
import { alias, type Tensor } from '../tensor/tensor.ts'
import { each_in_range, note_of, range_note, require_range, was_out_of_range } from './define/bounds.ts'
import { dense } from './define/copy.ts'
import { in_place } from './define/inplace.ts'
import { type Op, op } from './define/op.ts'
import { scalar_name } from './define/out.ts'
import { around, blocks_of, wrapped } from './define/rows.ts'
import { inner_class, inner_stride, window } from './define/space.ts'
import { update_op } from './define/update.ts'
import { write_slices } from './index_slices.ts'
import { add_slices, arithmetic, is_index, read_slices } from './slices.ts'

const list = (sizes: readonly number[]): string => `[${sizes.join(', ')}]`

/** Where index tensors point: their broadcast sizes, and how the result's dimensions lie around them. */
type Plan = {
  /** The sizes that the index tensors broadcast to. */
  readonly shape: readonly number[]
  /** Dimensions of self before and after those of the index tensors in the result. */
  readonly before: readonly number[]
  readonly after: readonly number[]
  readonly sizes: readonly number[]
}

/** Index tensors for neighbouring dimensions put theirs in the place of those; others put them first. */
function plan_of(self: Tensor, indices: readonly Tensor[], dims: readonly number[]): Plan {
  let shape: number[]
  try {
    shape = broadcast_sizes(...indices.map(i => i.sizes))
  } catch {
    throw new IndexError(
      `shape mismatch: indexing tensors could not be broadcast together with shapes ${indices.map(i => list(i.sizes)).join(', ')}`,
    )
  }
  const neighbours = dims.every((d, i) => i === 0 || d === dims[i - 1]! + 1)
  const others = [...self.sizes.keys()].filter(d => !dims.includes(d))
  const before = neighbours ? others.filter(d => d < dims[0]!) : []
  const after = others.filter(d => !before.includes(d))
  const sizes = [...before.map(d => self.sizes[d]!), ...shape, ...after.map(d => self.sizes[d]!)]
  if (numel(shape) > 0 && dims.some(d => self.sizes[d] === 0))
    throw new IndexError('index is out of bounds for dimension with size 0')
  return { shape, before, after, sizes }
}

const outside =
  (position: number, n: number) =>
  (value: number): Error =>
    new IndexError(`index ${value} is out of bounds for dimension ${position} with size ${n}`)

/** Throws for the first index tensor that points outside of `self`. */
function require_inside(self: Tensor, indices: readonly Tensor[], dims: readonly number[]): void {
  indices.forEach((index, i) => {
    const n = self.sizes[dims[i]!]!
    require_range(index, -n, n, outside(i, n))
  })
}

const offsets_kernel = kernels('index_offsets', (k, rank: number, ...dtypes: DType[]) => {
  const out = k.output('out', int64, { rank })
  const indices = dtypes.map((dtype, i) => k.input(`index${i}`, dtype, { rank }))
  const sizes = dtypes.map((_, i) => k.value(`size${i}`, 'index'))
  const strides = dtypes.map((_, i) => k.value(`stride${i}`, 'index'))
  const is_inside = (index: View, i: number, at: readonly Expr[]): Expr => {
    const n = index.at(...at)
    const size = sizes[i]!.cast(n.type)
    return n.ge(size.neg()).and(n.lt(size))
  }
  each_in_range(
    k,
    note_of(k),
    out.sizes,
    (...at) =>
      indices
        .map((index, i) => is_inside(index, i, at))
        .reduce((a, b) => a.and(b))
        .cast('i32'),
    1,
    2,
    (...at) => {
      const terms = indices.map((index, i) => wrapped(k, index.at(...at), sizes[i]!).mul(strides[i]!))
      k.store(out, at, terms.reduce((a, b) => a.add(b)).cast('i64'))
    },
  )
})

/** The offset from an element of `self` to the one that the index tensors point at, for each of their positions. Throws IndexError. */
function offsets(
  self: Tensor,
  indices: readonly Tensor[],
  dims: readonly number[],
  shape: readonly number[],
): Tensor {
  const out = empty([numel(shape)], int64)
  const space = coalesce(shape, [
    contiguous_strides(shape),
    ...indices.map(i => expand_strides(i.sizes, i.strides, shape)),
  ])
  if (space.sizes.length === 0) {
    space.sizes.push(1)
    for (const strides of space.strides_list) strides.push(1)
  }
  const operands = [out, ...indices].map((t, i) => window(t, space.sizes, space.strides_list[i]!))
  offsets_kernel(space.sizes.length, ...indices.map(i => i.dtype))(
    [...operands, range_note()],
    [...dims.map(d => self.sizes[d]!), ...dims.map(d => self.strides[d]!)],
  )
  if (was_out_of_range()) require_inside(self, indices, dims)
  return out
}

/** `t` (in self's layout) and `other` (in the result's) as [before..., positions, after...], few dimensions each. */
function operands_of(
  plan: Plan,
  t: Tensor,
  dims: readonly number[],
  other: Tensor,
  count: number,
): { operands: Operand[]; before: number; after: number } {
  const { before, after, shape } = plan
  const part = (own: readonly number[], from: number): { sizes: number[]; strides_list: number[][] } => {
    const sizes = own.map(d => t.sizes[d]!)
    return coalesce(sizes, [own.map(d => t.strides[d]!), other.strides.slice(from, from + own.length)], false)
  }
  const first = part(before, 0)
  const last = part(after, before.length + shape.length)
  // The positions lie one after another, or (of one value for all) on one spot.
  const step = shape.findLastIndex(n => n > 1)
  const reach = dims.reduce((n, d) => n + (t.sizes[d]! - 1) * t.strides[d]!, 1)
  const operands = [
    window(
      t,
      [...first.sizes, reach, ...last.sizes],
      [...first.strides_list[0]!, 1, ...last.strides_list[0]!],
    ),
    window(
      other,
      [...first.sizes, count, ...last.sizes],
      [
        ...first.strides_list[1]!,
        step < 0 ? 1 : other.strides[before.length + step]!,
        ...last.strides_list[1]!,
      ],
    ),
  ]
  return { operands, before: first.sizes.length, after: last.sizes.length }
}

const get_kernel = kernels('index', (k, dtype: DType, before: number, after: number, inner: string) => {
  const rank = before + 1 + after
  const x = k.input('x', dtype, { rank, ...(inner === '1' ? { inner: 1 } : {}) })
  const out = k.output('out', dtype, { rank, inner: 1 })
  const offsets = k.input('offsets', int64, 'flat')
  const go = (d: number, i: Expr[], at: Expr[]): void => {
    if (d === rank) {
      k.store(out, i, x.at(...at))
      return
    }
    k.for(out.sizes[d]!, d === rank - 1 ? 'vector' : d === 0 ? 'parallel' : 'serial', n => {
      const offset = (): Expr => offsets.at(n).cast('index')
      const from = d !== before ? n : d === rank - 1 ? offset() : k.local('index', offset())
      go(d + 1, [...i, n], [...at, from])
    })
  }
  go(0, [], [])
})

/** Whether it is whole slices of memory that the index tensors name: there is one of them. */
const is_slice_index = (self: Tensor, indices: readonly Tensor[]): boolean =>
  indices.length === 1 && self.dense && is_index(indices[0]!.dtype)

/** The elements of self at the index tensors (integers) for the dimensions `dims`, which ascend. */
export const index: Op<[self: Tensor, indices: readonly Tensor[], dims: readonly number[]]> = op(
  'index(Tensor self, Tensor[] indices, int[] dims)',
  {
    forward(self: Tensor, indices: Tensor[], dims: number[]) {
      const plan = plan_of(self, indices, dims)
      if (numel(plan.sizes) > 0 && is_slice_index(self, indices))
        return read_slices(self, dims[0]!, indices[0]!, plan.sizes, true, outside(0, self.sizes[dims[0]!]!))
      const out = empty(plan.sizes, self.dtype)
      if (out.count === 0) return out
      const at = offsets(self, indices, dims, plan.shape)
      const { operands, before, after } = operands_of(plan, self, dims, out, at.count)
      const inner = after > 0 && operands[0]!.strides.at(-1) === 1 ? '1' : 'x'
      get_kernel(self.dtype, before, after, inner)([...operands, at], [])
      return out
    },
    saves: ['indices'],
    backward: {
      self: (g, [self, indices, dims]) => {
        const [dim, at] = [dims[0]!, indices[0]!]
        if (indices.length > 1 || !is_index(at.dtype))
          return put_at(g.new_zeros(self.sizes), indices, g, dims, true)
        const slices = g.reshape(self.sizes.with(dim, at.count))
        return add_slices(slices, dim, at.reshape([-1]), self.sizes[dim]!)
      },
    },
    samples: r => [
      [r(3, 4), [r.ints(0, 3, 2)], [0]],
      [r(3, 4), [r.ints(-3, 3, 2, 1), r.ints(0, 4, 3)], [0, 1]],
      [r(2, 3, 4), [r.ints(0, 2, 2), r.ints(0, 4, 2)], [0, 2]],
    ],
  },
)

const put_kernel = kernels(
  'index_put',
  (k, dtype: DType, before: number, after: number, accumulate: boolean, inner: string) => {
    const rank = before + 1 + after
    const out = k.inout('out', dtype, { rank, ...inner_stride(inner[0]!) })
    const values = k.input('values', dtype, { rank, ...inner_stride(inner[1]!) })
    const offsets = k.input('offsets', int64, 'flat')
    const write = (i: Expr[], at: Expr): void => {
      const place = i.with(before, at)
      const value = values.at(...i)
      k.store(out, place, accumulate ? arithmetic(out.at(...place)).add(arithmetic(value)) : value)
    }
    const offset = (n: Expr): Expr => k.local('index', offsets.at(n).cast('index'))
    // Two positions may be the same place, so those come in order; within one, elements are independent.
    if (before === 0 && after === 1) {
      const blocks = k.value('blocks', 'index')
      const width = k.local('index', values.sizes[1]!.add(blocks).sub(1).floordiv(blocks))
      k.for(blocks, 'parallel', b => {
        const start = k.local('index', b.mul(width))
        const n = k.local('index', values.sizes[1]!.sub(start).min(width))
        k.for(values.sizes[0]!, 'serial', j => {
          const at = offset(j)
          k.for(n, 'vector', i => write([j, start.add(i)], at))
        })
      })
      return
    }
    const go = (d: number, i: Expr[], at: Expr | null): void => {
      if (d === rank) {
        write(i, at!)
        return
      }
      const mode = d === before ? 'serial' : d === rank - 1 ? 'vector' : d === 0 ? 'parallel' : 'serial'
      k.for(values.sizes[d]!, mode, n => go(d + 1, [...i, n], d === before ? offset(n) : at))
    }
    go(0, [], null)
  },
)

/** A copy with `values` (broadcast) written, or added, at the index tensors for the dimensions `dims`. */
export const put_at: Op<
  [self: Tensor, indices: readonly Tensor[], values: Tensor, dims: readonly number[], accumulate: boolean]
> = update_op('index_put(Tensor self, Tensor[] indices, Tensor values, int[] dims, bool accumulate)', {
  prepare(self: Tensor, indices: Tensor[], values: Tensor, dims: number[], accumulate: boolean) {
    if (self.dtype !== values.dtype)
      throw new RuntimeError(
        `Index put requires the source and destination dtypes match, got ${scalar_name(self.dtype)} for the destination and ${scalar_name(values.dtype)} for the source.`,
      )
    const plan = plan_of(self, indices, dims)
    const strides = spread(values, plan)
    return out => {
      if (numel(plan.sizes) === 0) return
      if (is_slice_index(out, indices)) {
        require_inside(out, indices, dims)
        const [dim, at] = [dims[0]!, indices[0]!]
        if (values.count === 1 && !accumulate) {
          write_slices(out, dim, at, { fill: values.item() })
          return
        }
        const full = dense(alias(values, plan.sizes, strides))
        const sizes = self.sizes.with(dim, at.count)
        const source = around(alias(full, sizes, contiguous_strides(sizes)), dim)
        write_slices(out, dim, at, accumulate ? { add: source, alpha: 1 } : { copy: source })
        return
      }
      const at = offsets(out, indices, dims, plan.shape)
      const spreaded = alias(values, plan.sizes, strides)
      // One value for all positions has a stride of 0 throughout; others are laid out one after another.
      const source = values.count === 1 ? spreaded : dense(spreaded)
      const { operands, before, after } = operands_of(plan, out, dims, source, at.count)
      const inner = inner_class(operands[0]!.strides) + inner_class(operands[1]!.strides)
      const kernel = put_kernel(self.dtype, before, after, accumulate, inner)
      const { sizes, count } = operands[1]!
      kernel([...operands, at], before === 0 && after === 1 ? [blocks_of(1, sizes[1]!, count)] : [])
    }
  },
  saves: ['indices'],
  backward: {
    self: (g, [, indices, values, dims, accumulate]) =>
      accumulate ? g : put_at(g, indices, values.new_zeros([]).to(g.dtype), dims, false),
    values: (g, [, indices, values, dims]) => sum_to_values(index(g, indices, dims), values),
  },
  samples: r => [
    [r(3, 4), [r.ints(0, 1, 1)], r(4), [0], false],
    [r(3, 4), [r.ints(0, 3, 2, 1), r.ints(0, 4, 3)], r(2, 3), [0, 1], true],
  ],
})
/** In-place {@link put_at}. */
export const put_at_: typeof put_at = in_place(put_at)

const sum_to_values = (g: Tensor, values: Tensor): Tensor =>
  String(g.sizes) === String(values.sizes) ? g : g.sum_to_size(values.sizes)

function spread(values: Tensor, { sizes }: Plan): number[] {
  try {
    return expand_strides(values.sizes, values.strides, sizes)
  } catch {
    throw new RuntimeError(
      `shape mismatch: value tensor of shape ${list(values.sizes)} cannot be broadcast to indexing result of shape ${list(sizes)}`,
    )
  }
}
