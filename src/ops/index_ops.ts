// Reading and writing whole slices along a dimension, or single elements of a flattened tensor, by index tensors:
// index_select, index_add, index_copy, index_fill, take, put. Not here: the kernels (slices.ts, index_slices.ts), an index per
// element (scatter.ts), masks (masked.ts), index syntax (indexing.ts).
import { ComplexScalar } from '../base/complex_scalar.ts'
import { type DType, int64 } from '../base/dtype.ts'
import { IndexError, RuntimeError } from '../base/errors.ts'
import { same_sizes, wrap_dim } from '../base/shape.ts'
import { kernels } from '../tensor/dispatch.ts'
import { Tensor } from '../tensor/tensor.ts'
import { each_in_range, note_of, range_note, require_range, was_out_of_range } from './define/bounds.ts'
import { dense } from './define/copy.ts'
import { in_place } from './define/inplace.ts'
import { type Op, op } from './define/op.ts'
import { empty_result, scalar_name } from './define/out.ts'
import type { Number } from './define/pointwise.ts'
import { around, wrapped } from './define/rows.ts'
import { update_op } from './define/update.ts'
import { check_slices, fill_number, out_of_bounds, require_vector, write_slices } from './index_slices.ts'
import { add_slices, arithmetic, is_index, read_slices } from './slices.ts'

type Out = { out?: Tensor }

/** The slices of `dim` that `index` (1-d, int32 or int64) names, in its order. Throws IndexError out of range. */
export const index_select: Op<[self: Tensor, dim: number, index: Tensor, opts?: Out]> = op(
  'index_select(Tensor self, int dim, Tensor index)',
  {
    out_apart: true,
    forward(self: Tensor, dim: number, index: Tensor) {
      const d = wrap_dim(dim, self.sizes.length)
      require_vector(index, () => new IndexError('index_select(): Index is supposed to be a vector'))
      if (!is_index(index.dtype))
        throw new RuntimeError('index_select(): Expected dtype int32 or int64 for index')
      const sizes = self.sizes.length === 0 ? [] : self.sizes.with(d, index.count)
      return read_slices(self, d, index, sizes, false, () => new IndexError('index out of range in self'))
    },
    saves: ['index'],
    backward: {
      self: (g, [self, dim, index]) =>
        add_slices(
          g,
          wrap_dim(dim, self.sizes.length),
          index,
          self.sizes[wrap_dim(dim, self.sizes.length)] ?? 1,
        ),
    },
    samples: r => [
      [r(4, 3), 0, r.ints(0, 4, 5)],
      [r(2, 3, 4), -2, r.ints(0, 3, 2)],
      [r(3), 0, r.ints(0, 3)],
    ],
  },
)

/** Adds `alpha` times the slices of `source` to those slices of `dim` that `index` (1-d) names. */
export const index_add: Op<
  [self: Tensor, dim: number, index: Tensor, source: Tensor, opts?: { alpha?: Number; out?: Tensor }]
> = update_op('index_add(Tensor self, int dim, Tensor index, Tensor source, *, Scalar alpha=1)', {
  prepare(self: Tensor, dim: number, index: Tensor, source: Tensor, alpha: Number) {
    const d = check_slices('index_add_', self, dim, index, source)
    return out => {
      if (source.count === 0) return
      write_slices(out, d, index, { add: around(dense(source), d), alpha })
    }
  },
  saves: ['index'],
  backward: {
    self: g => g,
    source: (g, [, dim, index, source, alpha]) => {
      const picked = g.index_select(dim, index).reshape(source.sizes)
      return Number(alpha) === 1 ? picked : picked.mul(alpha)
    },
  },
  samples: r => [
    [r(4, 3), 0, r.ints(0, 4, 5), r(5, 3)],
    [r(2, 3, 4), 1, r.ints(0, 3, 2), r(2, 2, 4), { alpha: 2 }],
    [r(3), 0, r.ints(0, 3, 4), r(4)],
  ],
})
/** In-place {@link index_add}. */
export const index_add_: typeof index_add = in_place(index_add)

/** Overwrites those slices of `dim` that `index` (1-d, int64) names with the slices of `source`. */
export const index_copy: Op<[self: Tensor, dim: number, index: Tensor, source: Tensor, opts?: Out]> =
  update_op('index_copy(Tensor self, int dim, Tensor index, Tensor source)', {
    prepare(self: Tensor, dim: number, index: Tensor, source: Tensor) {
      const d = wrap_dim(dim, self.sizes.length)
      if (index.sizes.length > 1)
        throw new IndexError(`index_copy_(): Index should have dimension 1 or 0 (got ${index.sizes.length})`)
      if (source.sizes.length === 0 && index.count !== 1)
        throw new IndexError(
          `index_copy_(): When source is scalar, index should have one element (got ${index.count})`,
        )
      if (source.sizes.length > 0 && self.sizes.length > 0 && source.sizes.length !== self.sizes.length)
        throw new IndexError(
          `index_copy_(): When source and destination are not scalars, their dimensionality must match. Source dimensionality (${source.sizes.length}), destination dimensionality (${self.sizes.length})`,
        )
      if (index.dtype !== int64)
        throw new RuntimeError(
          `index_copy_(): Expected a long tensor for index, but got ${scalar_name(index.dtype)}`,
        )
      if (self.dtype !== source.dtype)
        throw new RuntimeError(
          `index_copy_(): self and source expected to have the same dtype, but got (self) ${scalar_name(self.dtype)} and (source) ${scalar_name(source.dtype)}`,
        )
      const rest = (t: Tensor): number[] => t.sizes.filter((_, k) => k !== d)
      if (!same_sizes(rest(self), rest(source)) && source.sizes.length > 0)
        throw new RuntimeError(
          `index_copy_(): Source/destination tensor must have same slice shapes. Destination slice shape: ${rest(self).join(' ')} at dimension ${d} and source slice shape: ${rest(source).join(' ')} at dimension 0.`,
        )
      if (source.sizes.length > 0 && index.count !== source.sizes[d])
        throw new IndexError(
          `index_copy_(): Number of indices (${index.count}) should be equal to source.size(dim) (${source.sizes[d]})`,
        )
      const n = self.sizes[d] ?? 1
      require_range(index, 0, n, out_of_bounds('index_copy_', d, n))
      return out => {
        if (source.count > 0) write_slices(out, d, index, { copy: around(dense(source), d) })
      }
    },
    saves: ['index'],
    backward: {
      self: (g, [, dim, index]) => g.index_fill(dim, index, 0),
      source: (g, [, dim, index, source]) => g.index_select(dim, index).reshape(source.sizes),
    },
    samples: r => [
      [r(4, 3), 0, r.ints(0, 1, 1), r(1, 3)],
      [r(2, 3, 4), 2, r.ints(2, 3, 1), r(2, 3, 1)],
    ],
  })
/** In-place {@link index_copy}. */
export const index_copy_: typeof index_copy = in_place(index_copy)

/** Fills those slices of `dim` that `index` (1-d, int64) names with a number or a 0-dim tensor. */
export const index_fill: Op<[self: Tensor, dim: number, index: Tensor, value: Number | Tensor, opts?: Out]> =
  update_op('index_fill(Tensor self, int dim, Tensor index, any value)', {
    node: ([, , , value]) => (value instanceof Tensor ? 'IndexFillBackward1' : 'IndexFillBackward0'),
    prepare(self: Tensor, dim: number, index: Tensor, value: Number | Tensor) {
      const number = fill_number('index_fill_', value)
      if (number instanceof ComplexScalar && !self.dtype.is_complex)
        throw new RuntimeError(
          'index_fill_(): Converting complex Scalar to non-complex type is not supported',
        )
      if (index.dtype !== int64) throw new IndexError('index_fill_(): Expected dtype int64 for index.')
      const d = wrap_dim(dim, self.sizes.length)
      require_vector(index, () => new RuntimeError('Index has to be a vector/scalar'))
      const n = self.sizes[d] ?? 1
      require_range(index, -n, n, out_of_bounds('', d, n))
      return out => write_slices(out, d, index, { fill: number })
    },
    saves: ['index'],
    backward: {
      self: (g, [, dim, index]) => g.index_fill(dim, index, 0),
      value: (g, [, dim, index]) => g.index_select(dim, index).sum(),
    },
    samples: r => [
      [r(4, 3), 0, r.ints(0, 4, 2), 1.5],
      [r(2, 3, 4), -1, r.ints(0, 4, 2), r()],
    ],
  })
/** In-place {@link index_fill}. */
export const index_fill_: typeof index_fill = in_place(index_fill)

// ------------------------------------------------------------------------------------ flattened tensors

const take_kernel = kernels('take', (k, dtype: DType) => {
  const out = k.output('out', dtype, 'flat')
  const x = k.input('x', dtype, 'flat')
  const index = k.input('index', int64, 'flat')
  const n = x.sizes[0]!
  each_in_range(
    k,
    note_of(k),
    [out.sizes[0]!],
    i => index.at(i!),
    n.neg(),
    n,
    i => k.store(out, [i!], x.at(wrapped(k, index.at(i!), n))),
  )
})

const put_kernel = kernels('put', (k, dtype: DType, accumulate: boolean) => {
  const out = k.inout('out', dtype, 'flat')
  const source = k.input('source', dtype, 'flat')
  const index = k.input('index', int64, 'flat')
  k.for(index.sizes[0]!, 'serial', i => {
    const at = wrapped(k, index.at(i), out.sizes[0]!)
    const value = source.at(i)
    k.store(out, [at], accumulate ? arithmetic(out.at(at)).add(arithmetic(value)) : value)
  })
})

const outside_of =
  (count: number) =>
  (value: number): Error =>
    new IndexError(`out of range: tried to access index ${value} on a tensor of ${count} elements.`)

/** The elements of the flattened tensor at `index` (int64, any sizes); negative ones count from the end. */
export const take: Op<[self: Tensor, index: Tensor, opts?: Out]> = op('take(Tensor self, Tensor index)', {
  out_apart: true,
  forward(self: Tensor, index: Tensor) {
    if (index.dtype !== int64)
      throw new RuntimeError(`take(): Expected a long tensor for index, but got ${scalar_name(index.dtype)}`)
    if (self.count === 0 && index.count > 0)
      throw new IndexError('take(): tried to take from an empty tensor')
    const out = empty_result(index.sizes, self.dtype)
    if (out.count > 0) take_kernel(self.dtype)([out, dense(self), dense(index), range_note()], [])
    if (was_out_of_range()) require_range(index, -self.count, self.count, outside_of(self.count))
    return out
  },
  saves: ['index'],
  backward: { self: (g, [self, index]) => g.new_zeros(self.sizes).put(index, g, true) },
  samples: r => [
    [r(3, 4), r.ints(-12, 12, 2, 3)],
    [r(5), r.ints(0, 5)],
  ],
})

/** Writes (or adds) the elements of `source` at `index` (int64) of the flattened tensor. */
export const put: Op<
  [self: Tensor, index: Tensor, source: Tensor, accumulate?: boolean | { accumulate?: boolean }]
> = update_op('put(Tensor self, Tensor index, Tensor source, bool accumulate=False)', {
  prepare(self: Tensor, index: Tensor, source: Tensor, accumulate: boolean) {
    if (index.dtype !== int64)
      throw new RuntimeError(`put_(): Expected a long tensor for index, but got ${scalar_name(index.dtype)}`)
    if (self.dtype !== source.dtype)
      throw new RuntimeError(
        `put_(): self and source expected to have the same dtype, but got self.dtype = ${scalar_name(self.dtype)} and source.dtype = ${scalar_name(source.dtype)}`,
      )
    if (index.count !== source.count)
      throw new IndexError(
        `put_(): Expected source and index to have the same number of elements, but got source.numel() = ${source.count}, index.numel() = ${index.count}`,
      )
    if (self.count === 0 && index.count > 0)
      throw new IndexError('put_(): Tried to put elements into an empty tensor')
    require_range(index, -self.count, self.count, outside_of(self.count))
    return out => {
      if (index.count > 0) put_kernel(self.dtype, accumulate)([out, dense(source), dense(index)], [])
    }
  },
  saves: ['index'],
  backward: {
    self: (g, [, index, source, accumulate]) => (accumulate ? g : g.put(index, g.new_zeros(source.sizes))),
    source: (g, [, index, source]) => g.take(index).reshape(source.sizes),
  },
  samples: r => [
    [r(3, 4), r.ints(2, 3, 1), r(1)],
    [r(5), r.ints(-5, 5, 4), r(4), true],
  ],
})
/** In-place {@link put}. */
export const put_: typeof put = in_place(put)
