// An index per element: gather reads along a dimension where an index tensor says, scatter writes there, and the
// scatter reductions combine what arrives at the same place. Not here: whole slices (index_ops.ts), masks (masked.ts).
import { type DType, int64 } from '../base/dtype.ts'
import { RuntimeError } from '../base/errors.ts'
import { broadcast_sizes, coalesce, contiguous_strides, wrap_dim } from '../base/shape.ts'
import type { Operand } from '../device/device.ts'
import type { Expr } from '../ir/expr.ts'
import { kernels } from '../tensor/dispatch.ts'
import { Tensor } from '../tensor/tensor.ts'
import { to_dtype } from './convert.ts'
import { each_in_range, note_of, range_note, require_range, was_out_of_range } from './define/bounds.ts'
import { launch_values } from './define/create.ts'
import { in_place } from './define/inplace.ts'
import { composite, type Op, op } from './define/op.ts'
import { empty_result, scalar_name } from './define/out.ts'
import type { Number } from './define/pointwise.ts'
import { inner_class, inner_stride, window } from './define/space.ts'
import { update_op } from './define/update.ts'
import { check_slices, fill_number, out_of_bounds } from './index_slices.ts'
import { arithmetic } from './slices.ts'

type Out = { out?: Tensor }

/**
 * Windows of the tensors' corner that `index` covers, with all dimensions but `dim` merged where possible. `dim`
 * comes last, or one before the last where another dimension has smaller steps.
 */
function corner(
  dim: number,
  index: Tensor,
  tensors: readonly Tensor[],
): { operands: Operand[]; rank: number; last: boolean; inner: string } {
  const all = [index, ...tensors]
  const without = <T>(list: readonly T[]): T[] => list.filter((_, d) => d !== dim)
  const { sizes, strides_list } = coalesce(
    without(index.sizes),
    all.map(t => without(t.strides)),
  )
  const first = tensors[0]!
  const step = first.strides[dim] ?? 1
  const last = sizes.length === 0 || Math.abs(strides_list[1]!.at(-1)!) > Math.abs(step)
  const at = last ? sizes.length : sizes.length - 1
  const operands = all.map((t, i) =>
    window(
      t,
      sizes.toSpliced(at, 0, t.sizes[dim] ?? 1),
      strides_list[i]!.toSpliced(at, 0, t.strides[dim] ?? 1),
    ),
  )
  const inner = operands.map(t => inner_class(t.strides)).join('')
  return { operands, rank: sizes.length + 1, last, inner }
}

const gather_kernel = kernels('gather', (k, dtype: DType, rank: number, last: boolean, inner: string) => {
  const index = k.input('index', int64, { rank, ...inner_stride(inner[0]!) })
  const x = k.input('x', dtype, { rank, ...inner_stride(inner[1]!) })
  const out = k.output('out', dtype, { rank, ...inner_stride(inner[2]!) })
  const p = last ? rank - 1 : rank - 2
  each_in_range(
    k,
    note_of(k),
    index.sizes,
    (...i) => index.at(...i),
    0,
    x.sizes[p]!,
    (...i) => k.store(out, i, x.at(...i.with(p, index.at(...i).cast('index')))),
  )
})

/** How what arrives is combined with what is there. */
const combine = {
  set: (_: Expr, b: Expr): Expr => b,
  add: (a: Expr, b: Expr): Expr => a.add(b),
  multiply: (a: Expr, b: Expr): Expr => a.mul(b),
  amax: (a: Expr, b: Expr): Expr => a.max(b),
  amin: (a: Expr, b: Expr): Expr => a.min(b),
} as const
type Combine = keyof typeof combine

const scatter_kernel = kernels(
  'scatter',
  (k, dtype: DType, rank: number, last: boolean, inner: string, how: string) => {
    const number = inner.length === 2
    const index = k.input('index', int64, { rank, ...inner_stride(inner[0]!) })
    const out = k.inout('out', dtype, { rank, ...inner_stride(inner[1]!) })
    const source = number ? null : k.input('source', dtype, { rank, ...inner_stride(inner[2]!) })
    const value = number ? k.value('value', out.type) : null
    const p = last ? rank - 1 : rank - 2
    const go = (d: number, i: Expr[]): void => {
      if (d === rank) {
        const at = i.with(p, index.at(...i).cast('index'))
        const b = arithmetic(value ?? source!.at(...i))
        k.store(out, at, how === 'set' ? b : combine[how as Combine](arithmetic(out.at(...at)), b))
        return
      }
      // Elements may arrive at the same place along the indexed dimension, never across the others.
      const mode = d === p ? 'serial' : d === rank - 1 ? 'vector' : d === 0 ? 'parallel' : 'serial'
      k.for(index.sizes[d]!, mode, n => go(d + 1, [...i, n]))
    }
    go(0, [])
  },
)

/** out[index] = how(out[index], source), for checked arguments. */
function write(out: Tensor, dim: number, index: Tensor, source: Tensor | Number, how: Combine): void {
  if (index.count === 0) return
  const tensor = source instanceof Tensor
  const { operands, rank, last, inner } = corner(dim, index, tensor ? [out, source] : [out])
  const kernel = scatter_kernel(out.dtype, rank, last, inner, how)
  kernel(operands, tensor ? [] : launch_values(source, out.dtype))
}

const list = (sizes: readonly number[]): string => `[${sizes.join(', ')}]`
const ndim = (t: Tensor): number => Math.max(t.sizes.length, 1)

/** The elements along `dim` at `index` (int64, of the result's sizes): out[i][j] = self[index[i][j]][j] for dim 0. */
export const gather: Op<
  [self: Tensor, dim: number, index: Tensor, opts?: { sparse_grad?: boolean; out?: Tensor }]
> = op('gather(Tensor self, int dim, Tensor index, *, bool sparse_grad=False)', {
  out_apart: true,
  forward(self: Tensor, dim: number, index: Tensor, sparse_grad: boolean) {
    if (sparse_grad) throw new RuntimeError('gather(): sparse gradients are not supported')
    const d = wrap_dim(dim, self.sizes.length)
    const out = empty_result(index.sizes, self.dtype)
    if (index.dtype !== int64) throw new RuntimeError('gather(): Expected dtype int64 for index')
    if (index.count === 0) return out
    if (ndim(index) !== ndim(self))
      throw new RuntimeError('Index tensor must have the same number of dimensions as input tensor')
    const wrong = index.sizes.findIndex((n, k) => k !== d && n > (self.sizes[k] ?? 1))
    if (wrong >= 0)
      throw new RuntimeError(
        `Size does not match at dimension ${wrong} expected index ${list(index.sizes)} to be smaller than self ${list(self.sizes)} apart from dimension ${d}`,
      )
    const n = self.sizes[d] ?? 1
    const { operands, rank, last, inner } = corner(d, index, [self, out])
    gather_kernel(self.dtype, rank, last, inner)([...operands, range_note()], [])
    if (was_out_of_range()) require_range(index, 0, n, out_of_bounds('', d, n, RuntimeError))
    return out
  },
  saves: ['index'],
  backward: { self: (g, [self, dim, index]) => g.new_zeros(self.sizes).scatter_add(dim, index, g) },
  samples: r => [
    [r(4, 3), 0, r.ints(0, 4, 2, 3)],
    [r(2, 3, 4), -1, r.ints(0, 4, 2, 3, 5)],
    [r(3), 0, r.ints(0, 3, 4)],
  ],
})

/** Checks the arguments of a scatter; returns the wrapped dimension. */
function check_scatter(self: Tensor, dim: number, index: Tensor, source: Tensor | null): number {
  const d = wrap_dim(dim, self.sizes.length)
  if (index.dtype !== int64) throw new RuntimeError('scatter(): Expected dtype int64 for index')
  if (source !== null && source.dtype !== self.dtype)
    throw new RuntimeError('scatter(): Expected self.dtype to be equal to src.dtype')
  if (index.count === 0) return d
  if (ndim(index) !== ndim(self))
    throw new RuntimeError('Index tensor must have the same number of dimensions as self tensor')
  if (source !== null && ndim(index) !== ndim(source))
    throw new RuntimeError('Index tensor must have the same number of dimensions as src tensor')
  const beyond_self = index.sizes.some((n, k) => k !== d && n > (self.sizes[k] ?? 1))
  const beyond_source = source !== null && index.sizes.some((n, k) => n > (source.sizes[k] ?? 1))
  if (beyond_self || beyond_source)
    throw new RuntimeError(
      `Expected index ${list(index.sizes)} to be smaller than self ${list(self.sizes)} apart from dimension ${d}` +
        (source === null ? '' : ` and to be smaller size than src ${list(source.sizes)}`),
    )
  const n = self.sizes[d] ?? 1
  require_range(index, 0, n, out_of_bounds('', d, n, RuntimeError))
  return d
}

/** The gradient of a scatter's source: what reached the places it was written to, zero for what was not used. */
function source_grad(g: Tensor, dim: number, index: Tensor, source: Tensor): Tensor {
  const used = g.gather(dim, index)
  if (String(index.sizes) === String(source.sizes)) return used
  return g.new_zeros(source.sizes).as_strided_scatter(used, index.sizes, contiguous_strides(source.sizes), 0)
}

const REDUCE: Record<string, Combine> = { add: 'add', multiply: 'multiply' }

/**
 * A copy with `src` (a tensor or a number) written along `dim` at `index`: out[index[i][j]][j] = src[i][j] for dim 0.
 * `reduce: 'add' | 'multiply'` combines instead. Of elements written to the same place the last wins.
 */
export const scatter: Op<
  [
    self: Tensor,
    dim: number,
    index: Tensor,
    src: Tensor | Number,
    opts?: { reduce?: string | null; out?: Tensor },
  ]
> = update_op('scatter(Tensor self, int dim, Tensor index, any src, *, str? reduce=None)', {
  node: ([, , , src]) => (src instanceof Tensor ? 'ScatterBackward0' : 'ScatterBackward1'),
  prepare(self: Tensor, dim: number, index: Tensor, src: Tensor | Number, reduce: string | null) {
    const source = src instanceof Tensor ? src : fill_number('scatter', src)
    const d = check_scatter(self, dim, index, source instanceof Tensor ? source : null)
    const how = reduce === null ? 'set' : REDUCE[reduce]
    if (how === undefined) throw new RuntimeError('reduce argument must be either add or multiply.')
    return out => write(out, d, index, source, how)
  },
  saves: ['index'],
  backward: {
    self: (g, [, dim, index, , reduce]) => {
      if (reduce !== null)
        throw new RuntimeError(
          "the derivative for 'scatter' with reduce is not implemented: use scatter_reduce",
        )
      return g.scatter(dim, index, 0)
    },
    src: (g, [, dim, index, src, reduce]) => {
      if (reduce !== null)
        throw new RuntimeError(
          "the derivative for 'scatter' with reduce is not implemented: use scatter_reduce",
        )
      return source_grad(g, dim, index, src as Tensor)
    },
  },
  samples: r => [
    [r(4, 3), 0, r.ints(1, 2, 1, 3), r(1, 3)],
    [r(2, 4), 1, r.ints(0, 4, 2, 2), 1.5],
    [r(3), 0, r.ints(0, 1, 1), r(1)],
  ],
})
/** In-place {@link scatter}. */
export const scatter_: typeof scatter = in_place(scatter)

/** A copy with `src` added along `dim` at `index`. */
export const scatter_add: Op<[self: Tensor, dim: number, index: Tensor, src: Tensor, opts?: Out]> = update_op(
  'scatter_add(Tensor self, int dim, Tensor index, Tensor src)',
  {
    prepare(self: Tensor, dim: number, index: Tensor, src: Tensor) {
      const d = check_scatter(self, dim, index, src)
      return out => write(out, d, index, src, 'add')
    },
    saves: ['index'],
    backward: { self: g => g, src: (g, [, dim, index, src]) => source_grad(g, dim, index, src) },
    samples: r => [
      [r(4, 3), 0, r.ints(0, 4, 5, 3), r(5, 3)],
      [r(2, 3, 4), -1, r.ints(0, 4, 2, 2, 3), r(2, 3, 4)],
      [r(), 0, r.ints(0, 1), r()],
    ],
  },
)
/** In-place {@link scatter_add}. */
export const scatter_add_: typeof scatter_add = in_place(scatter_add)

const COMBINE: Record<string, Combine> = {
  sum: 'add',
  prod: 'multiply',
  mean: 'add',
  amax: 'amax',
  amin: 'amin',
}

/** What a reduction starts from where the tensor's own value does not take part. */
function identity_of(how: string, dtype: DType): number | bigint | boolean {
  if (how === 'sum' || how === 'mean') return 0
  if (how === 'prod') return 1
  const largest = how === 'amin'
  if (dtype.is_floating_point) return largest ? Infinity : -Infinity
  if (dtype.name === 'bool') return largest
  const bits = BigInt(dtype.itemsize * 8)
  if (dtype.is_signed) return largest ? 2n ** (bits - 1n) - 1n : -(2n ** (bits - 1n))
  return largest ? 2n ** bits - 1n : 0
}

/** Checks a scatter reduction and returns what does it. */
function prepare_reduce(
  self: Tensor,
  dim: number,
  index: Tensor,
  src: Tensor,
  reduce: string,
  include_self: boolean,
): (out: Tensor) => void {
  const how = COMBINE[reduce]
  if (how === undefined)
    throw new RuntimeError('reduce argument must be either sum, prod, mean, amax or amin.')
  const d = check_scatter(self, dim, index, src)
  return out => {
    if (index.count === 0) return
    if (!include_self) write(out, d, index, identity_of(reduce, self.dtype), 'set')
    write(out, d, index, src, how)
    if (reduce !== 'mean') return
    const count = counts(out, d, index, include_self)
    out.div_(count, { rounding_mode: out.dtype.is_floating_point ? null : 'floor' })
  }
}

/**
 * A copy in which what `src` brings to a place along `dim` is reduced: 'sum', 'prod', 'mean', 'amax' or 'amin';
 * `include_self: false` leaves the tensor's own values out where something arrives.
 */
export const scatter_reduce: Op<
  [
    self: Tensor,
    dim: number,
    index: Tensor,
    src: Tensor,
    reduce: string,
    opts?: { include_self?: boolean; out?: Tensor },
  ]
> = update_op(
  'scatter_reduce(Tensor self, int dim, Tensor index, Tensor src, str reduce, *, bool include_self=True)',
  {
    prepare: prepare_reduce,
    saves: ['self', 'index', 'src', 'out'],
    node: 'ScatterReduceBackward0',
    backward(g, [self, dim, index, src, reduce, include_self], out) {
      const [own, source] = reduce_grads(g, self, dim, index, src, reduce, include_self, out)
      return [own, null, source]
    },
    samples: r =>
      ['sum', 'prod', 'mean', 'amax', 'amin'].flatMap(reduce => [
        [r(4, 3), 0, r.ints(0, 4, 3, 3), r(3, 3), reduce] as const,
        [r(4), 0, r.ints(0, 4, 5), r(5), reduce, { include_self: false }] as const,
      ]) as never,
  },
)
/** In-place {@link scatter_reduce}. */
export const scatter_reduce_: typeof scatter_reduce = in_place(scatter_reduce)

/** How many values were added up at each place. */
function counts(like: Tensor, dim: number, index: Tensor, include_self: boolean): Tensor {
  const start = include_self ? like.new_ones(like.sizes) : like.new_zeros(like.sizes)
  const n = start.scatter_add(dim, index, like.new_ones(index.sizes))
  return include_self ? n : n.masked_fill(n.eq(0), 1)
}

/** The gradients of a scatter reduction for self and src. */
function reduce_grads(
  g: Tensor,
  self: Tensor,
  dim: number,
  index: Tensor,
  src: Tensor,
  reduce: string,
  include_self: boolean,
  out: Tensor,
): [Tensor, Tensor] {
  const [own, source] = all_grads(g, self, dim, index, src, reduce, include_self, out)
  return [include_self ? own : own.scatter(dim, index, 0), source]
}

function all_grads(
  g: Tensor,
  self: Tensor,
  dim: number,
  index: Tensor,
  src: Tensor,
  reduce: string,
  include_self: boolean,
  out: Tensor,
): [Tensor, Tensor] {
  const at = (t: Tensor): Tensor => t.gather(dim, index)
  const back = (t: Tensor): Tensor => source_grad(t, dim, index, src)
  if (reduce === 'sum') return [g, back(g)]
  if (reduce === 'mean') {
    const share = g.div(counts(g, dim, index, include_self))
    return [share, back(share)]
  }
  if (String(src.sizes) !== String(index.sizes))
    throw new RuntimeError(`scatter_reduce(): the backward of '${reduce}' needs an index of the sizes of src`)
  if (reduce === 'prod') {
    const own = self.masked_fill(self.eq(0), 1)
    const rest = own.scatter_reduce(dim, index, src, reduce, { include_self })
    const zero = src.eq(0)
    const zeros = at(g.new_zeros(self.sizes).scatter_add(dim, index, zero.to(g.dtype)))
    const single = zero.logical_and(zeros.eq(1))
    const without = self.scatter_reduce(dim, index, src.masked_fill(single, 1), reduce, { include_self })
    return [
      g.mul(rest).div(own),
      at(g.mul(without)).where(single, at(g.mul(out)).div(src.masked_fill(zero, 1))),
    ]
  }
  const own = self.eq(out).to(g.dtype)
  const source = src.eq(at(out)).to(g.dtype)
  const shared = g.div(own.scatter_add(dim, index, source))
  return [own.mul(shared), source.mul(at(shared))]
}

// ------------------------------------------------------------------------------------ whole slices

/** The numbers of slices, as an index for each of their elements. */
function spread_index(index: Tensor, dim: number, source: Tensor): Tensor {
  const sizes = source.sizes.map((_, d) => (d === dim ? index.count : 1))
  return to_dtype(index, int64).reshape(sizes).expand(source.sizes)
}

/**
 * A copy in which the slices of `source` are reduced into those of `dim` that `index` (1-d) names: 'prod', 'mean',
 * 'amax' or 'amin'; `include_self: false` leaves the tensor's own values out where something arrives.
 */
export const index_reduce: Op<
  [
    self: Tensor,
    dim: number,
    index: Tensor,
    source: Tensor,
    reduce: string,
    opts?: { include_self?: boolean; out?: Tensor },
  ]
> = update_op(
  'index_reduce(Tensor self, int dim, Tensor index, Tensor source, str reduce, *, bool include_self=True)',
  {
    prepare(self: Tensor, dim: number, index: Tensor, source: Tensor, reduce: string, include_self: boolean) {
      if (reduce === 'sum' || COMBINE[reduce] === undefined)
        throw new RuntimeError(
          `index_reduce(): Expected reduce to be one of prod, mean, amax or amin but got ${reduce}.`,
        )
      const d = check_slices('index_reduce_', self, dim, index, source)
      return prepare_reduce(self, d, spread_index(index, d, source), source, reduce, include_self)
    },
    saves: ['self', 'index', 'source', 'out'],
    backward(g, [self, dim, index, source, reduce, include_self], out) {
      const d = wrap_dim(dim, self.sizes.length)
      const [own, from] = reduce_grads(
        g,
        self,
        d,
        spread_index(index, d, source),
        source,
        reduce,
        include_self,
        out,
      )
      return [own, null, from]
    },
    samples: r =>
      ['prod', 'mean', 'amax', 'amin'].flatMap(reduce => [
        [r.distinct(4, 3), 0, r.ints(0, 4, 2), r(2, 3), reduce] as const,
        [r(3), 0, r.ints(0, 3, 4), r(4), reduce, { include_self: false }] as const,
      ]) as never,
  },
)
/** In-place {@link index_reduce}. */
export const index_reduce_: typeof index_reduce = in_place(index_reduce)

/** {@link gather} with broadcasting of everything but `dim`; without `dim`, on the flattened tensors. */
export const take_along_dim: Op<
  [self: Tensor, indices: Tensor, dim?: number | null | { dim?: number | null; out?: Tensor }, opts?: Out]
> = composite('take_along_dim(Tensor self, Tensor indices, int? dim=None)', {
  body(self: Tensor, indices: Tensor, dim: number | null): Tensor {
    if (indices.dtype !== int64)
      throw new RuntimeError(
        `torch.take_along_dim(): dtype of indices should be Long but got ${scalar_name(indices.dtype)}`,
      )
    if (dim === null) return self.reshape([-1]).gather(0, indices.reshape([-1]))
    if (self.sizes.length !== indices.sizes.length)
      throw new RuntimeError(
        `torch.take_along_dim(): input and indices should have the same number of dimensions, but got ${self.sizes.length} dimensions for input, and ${indices.sizes.length} dimensions for indices`,
      )
    const d = wrap_dim(dim, self.sizes.length)
    if (self.sizes.length === 0) return self.gather(0, indices)
    const rest = broadcast_sizes(self.sizes.with(d, 1), indices.sizes.with(d, 1))
    return self
      .expand(rest.with(d, self.sizes[d]!))
      .gather(d, indices.expand(rest.with(d, indices.sizes[d]!)))
  },
  samples: r => [
    [r(4, 3), r.ints(0, 4, 2, 3), 0],
    [r(4, 3), r.ints(0, 12, 5)],
    [r(1, 3), r.ints(0, 3, 4, 1), 1],
  ],
})
