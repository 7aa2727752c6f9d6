// Pooling by the size of the result: adaptive averages and maxima; and unpooling, which puts values back where
// max_pool found them. Not here: pooling by the size of the window (pool.ts).
import { type DType, int64 } from '../../base/dtype.ts'
import { IndexError, RuntimeError, ValueError } from '../../base/errors.ts'
import { numel } from '../../base/shape.ts'
import type { Expr } from '../../ir/expr.ts'
import type { Builder } from '../../ir/kernel.ts'
import { empty, kernels, zeros } from '../../tensor/dispatch.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { require_range } from '../define/bounds.ts'
import { dense } from '../define/copy.ts'
import { composite, type Op, op, type Samples } from '../define/op.ts'
import { window } from '../define/space.ts'
import {
  expand_to,
  in_two,
  lifted,
  max_pool1d_with_indices,
  max_pool2d_with_indices,
  type Numbers,
  planes,
  require_computable,
  unpool,
} from './pool.ts'

/** The window of result `i` of `out`, in a dimension of `n` elements: first element and count. */
export function window_of(k: Builder, i: Expr, n: Expr, out: Expr): { first: Expr; count: Expr } {
  const first = k.local('index', i.mul(n).truncdiv(out))
  return { first, count: i.add(1).mul(n).add(out.sub(1)).truncdiv(out).sub(first) }
}

const average_kernel = kernels('adaptive_avg_pool', (k, dtype: DType, backward: boolean) => {
  const small = backward
    ? k.input('g', dtype, { rank: 3, inner: 1 })
    : k.output('out', dtype, { rank: 3, inner: 1 })
  const large = backward
    ? k.inout('grad', dtype, { rank: 3, inner: 1 })
    : k.input('x', dtype, { rank: 3, inner: 1 })
  const [count, oh, ow] = small.sizes as [Expr, Expr, Expr]
  const [, h, w] = large.sizes as [Expr, Expr, Expr]
  k.nest([count, oh], 'parallel', 'serial', (p, i) => {
    const rows = window_of(k, i, h, oh)
    k.for(ow, 'serial', j => {
      const columns = window_of(k, j, w, ow)
      const n = rows.count.mul(columns.count).cast(small.type)
      if (backward) {
        const share = k.local(small.type, small.at(p, i, j).div(n))
        k.for(rows.count, 'serial', a =>
          k.for(columns.count, 'vector', b => {
            const at = [p, rows.first.add(a), columns.first.add(b)]
            k.store(large, at, large.at(...at).add(share))
          }),
        )
        return
      }
      const sum = k.local(small.type, 0)
      k.for(rows.count, 'serial', a =>
        k.for(columns.count, 'reduce', b =>
          k.assign(sum, sum.add(large.at(p, rows.first.add(a), columns.first.add(b)))),
        ),
      )
      k.store(small, [p, i, j], sum.div(n))
    })
  })
})

const maximum_kernel = kernels('adaptive_max_pool', (k, dtype: DType) => {
  const out = k.output('out', dtype, { rank: 3, inner: 1 })
  const index = k.output('index', int64, { rank: 3, inner: 1 })
  const x = k.input('x', dtype, { rank: 3, inner: 1 })
  const [count, oh, ow] = out.sizes as [Expr, Expr, Expr]
  const [, h, w] = x.sizes as [Expr, Expr, Expr]
  k.nest([count, oh], 'parallel', 'serial', (p, i) => {
    const rows = window_of(k, i, h, oh)
    k.for(ow, 'serial', j => {
      const columns = window_of(k, j, w, ow)
      const best = k.local(x.type, x.at(p, rows.first, columns.first))
      const where = k.local('index', rows.first.mul(w).add(columns.first))
      k.for(rows.count, 'serial', a =>
        k.for(columns.count, 'serial', b => {
          const [y, z] = [rows.first.add(a), columns.first.add(b)]
          const v = x.at(p, y, z)
          // The first of equal values wins, the last NaN over everything.
          k.if(v.gt(best).or(v.ne(v)), () => {
            k.assign(where, y.mul(w).add(z))
            k.assign(best, v)
          })
        }),
      )
      k.store(out, [p, i, j], best)
      k.store(index, [p, i, j], where.cast('i64'))
    })
  })
})

type Size = number | null
type Sizes = Size | readonly Size[]
type Dims = 1 | 2

/** Checks, and gives the height and width of the result: null keeps the input's. */
function result_size(name: string, input: Tensor, given: readonly Size[], dims: Dims): [number, number] {
  const spatial = input.sizes.slice(-dims)
  const wanted = given.length === 1 ? new Array<Size>(dims).fill(given[0]!) : given
  if (wanted.length !== dims) throw new RuntimeError(`${name}: output_size must be ${dims}`)
  if (input.ndim !== dims + 1 && input.ndim !== dims + 2)
    throw new RuntimeError(
      dims === 1
        ? `Expected 2 to 3 dimensions, but got ${input.ndim}-dimensional tensor for argument #1 'self' (while checking arguments for ${name})`
        : `${name}(): Expected 3D or 4D tensor, but got${name.includes('max') ? ':' : ''} [${input.sizes.join(', ')}]`,
    )
  const empty_at = input.sizes.findIndex((n, d) => n === 0 && d >= input.ndim - dims - 1 && d > 0)
  if (empty_at > 0) {
    // A line is a plane of one row.
    const sizes = dims === 1 ? input.sizes.toSpliced(-1, 0, 1) : input.sizes
    throw new RuntimeError(
      `${name.replace('1d', '2d')}(): Expected input to have non-zero size for non-batch dimensions, but input has sizes [${sizes.join(', ')}] with dimension ${sizes.indexOf(0, empty_at)} being empty`,
    )
  }
  const sizes = wanted.map((n, d) => n ?? spatial[d]!)
  if (sizes.some(n => n < 0))
    throw new RuntimeError(
      `${name}: elements of output_size must be greater than or equal to 0 but received {${sizes.join(', ')}}`,
    )
  require_computable(`adaptive_${name.includes('max') ? 'max' : 'avg'}_pool2d`, input.dtype)
  return in_two(sizes, 1)
}

/** The sizes that are given; a list must be shorter than the input's. */
export function sizes_of(x: unknown, input: Tensor, dims: number): Size[] {
  if (!Array.isArray(x)) return [x as Size]
  if (dims > 1 && input.ndim <= x.length)
    throw new ValueError(`Input dimension should be at least ${x.length + 1}`)
  return x as Size[]
}

const average: Op<[self: Tensor, sizes: readonly number[]]> = op(
  'adaptive_avg_pool2d(Tensor self, int[] sizes)',
  {
    node: 'AdaptiveAvgPool2DBackward0',
    forward(self: Tensor, sizes: number[]) {
      const out = empty(sizes, self.dtype)
      if (out.count > 0) average_kernel(self.dtype, false)([planes(out), planes(dense(self))], [])
      return out
    },
    backward: { self: (g, [self]) => average_grad(g, self.sizes) },
  },
)

const average_grad: Op<[g: Tensor, sizes: readonly number[]]> = op(
  'adaptive_avg_pool2d_backward(Tensor g, int[] sizes)',
  {
    node: 'AdaptiveAvgPool2DBackwardBackward0',
    forward(g: Tensor, sizes: number[]) {
      const grad = zeros(sizes, g.dtype)
      if (g.count > 0) average_kernel(g.dtype, true)([planes(dense(g)), planes(grad)], [])
      return grad
    },
    backward: { g: (gg, [g]) => average(gg, g.sizes) },
  },
)

type AdaptiveArgs = [input: Tensor, output_size: Sizes | { output_size: Sizes }]

const average_op = (dims: Dims, samples: Samples<AdaptiveArgs>): Op<AdaptiveArgs> => {
  const name = `adaptive_avg_pool${dims}d`
  return composite(`${name}(Tensor input, any? output_size)`, {
    body: (input: Tensor, output_size: unknown) => {
      const given = sizes_of(output_size, input, dims)
      // One value a plane is a mean, whose kernels are better.
      const fits = dims === 2 ? input.ndim > 2 : input.ndim === 2 || input.ndim === 3
      if (fits && given.every(n => n === 1)) return input.mean(dims === 2 ? [-1, -2] : [-1], true)
      const size = result_size(name, input, given, dims)
      return lifted(dims, input, x => average(x, [...x.sizes.slice(0, -2), ...size]))
    },
    samples,
    out: false,
  })
}

/** The means of windows that divide the last dimension into `output_size` parts. */
export const adaptive_avg_pool1d: Op<AdaptiveArgs> = average_op(1, r => [
  [r(2, 3, 8), 3],
  [r(2, 5), 1],
])
/** The means of windows that divide the last two dimensions into `output_size` parts; null keeps a size. */
export const adaptive_avg_pool2d: Op<AdaptiveArgs> = average_op(2, r => [
  [r(1, 2, 7, 5), 3],
  [r(2, 5, 4), [2, 6]],
  [r(2, 2, 4, 4), 1],
])

const maximum: Op<[self: Tensor, sizes: readonly number[]], [Tensor, Tensor]> = op(
  'adaptive_max_pool2d(Tensor self, int[] sizes)',
  {
    node: 'AdaptiveMaxPool2DBackward0',
    forward(self: Tensor, sizes: number[]): [Tensor, Tensor] {
      const [out, index] = [empty(sizes, self.dtype), empty(sizes, int64)]
      if (out.count > 0) maximum_kernel(self.dtype)([planes(out), planes(index), planes(dense(self))], [])
      return [out, index]
    },
    saves: ['out.1'],
    backward: { self: ([g], [self], [, index]) => (g ? unpool(g, index, self.sizes) : null) },
  },
)

const maximum_op = <R>(
  dims: Dims,
  pick: (found: [Tensor, Tensor]) => R,
  samples?: Samples<AdaptiveArgs>,
): Op<AdaptiveArgs, R> => {
  const name = `adaptive_max_pool${dims}d`
  return composite<AdaptiveArgs, R>(`${name}(Tensor input, any? output_size)`, {
    body: (input: Tensor, output_size: unknown) => {
      const size = result_size(name, input, sizes_of(output_size, input, dims), dims)
      return pick(lifted(dims, input, x => maximum(x, [...x.sizes.slice(0, -2), ...size])))
    },
    ...(samples && { samples }),
    out: false,
  })
}

/** The largest elements of windows that divide the last dimension into `output_size` parts. */
export const adaptive_max_pool1d: Op<AdaptiveArgs> = maximum_op(1, ([values]) => values)
/** The largest elements of windows that divide the last two dimensions into `output_size` parts; null keeps a size. */
export const adaptive_max_pool2d: Op<AdaptiveArgs> = maximum_op(2, ([values]) => values)
/** {@link adaptive_max_pool1d} and the positions of the largest elements. */
export const adaptive_max_pool1d_with_indices: Op<AdaptiveArgs, [Tensor, Tensor]> = maximum_op(
  1,
  found => found,
  r => [[r.distinct(2, 3, 8), 3]],
)
/** {@link adaptive_max_pool2d} and the positions of the largest elements in each plane. */
export const adaptive_max_pool2d_with_indices: Op<AdaptiveArgs, [Tensor, Tensor]> = maximum_op(
  2,
  found => found,
  r => [
    [r.distinct(1, 2, 7, 5), 3],
    [r.distinct(2, 5, 4), [2, 6]],
  ],
)

// ---------------------------------------------------------------------------------------------- unpooling

const place_kernel = kernels('max_unpool', (k, dtype: DType) => {
  const out = k.inout('out', dtype, { rank: 2, inner: 1 })
  const x = k.input('x', dtype, { rank: 2, inner: 1 })
  const index = k.input('index', int64, { rank: 2, inner: 1 })
  const [count, n] = x.sizes as [Expr, Expr]
  k.for(count, 'parallel', p =>
    k.for(n, 'serial', i => k.store(out, [p, index.at(p, i).cast('index')], x.at(p, i))),
  )
})

const placing = (dims: 2 | 3): Op<[self: Tensor, indices: Tensor, sizes: readonly number[]]> =>
  op(`max_unpool${dims}d(Tensor self, Tensor indices, int[] sizes)`, {
    node: `MaxUnpool${dims}DBackward0`,
    forward(self: Tensor, indices: Tensor, sizes: number[]) {
      const out = zeros(sizes, self.dtype)
      const count = numel(sizes.slice(0, -dims))
      const flat = (t: Tensor): ReturnType<typeof window> =>
        window(t, [count, t.count / count], [t.count / count, 1])
      if (self.count > 0) place_kernel(self.dtype)([flat(out), flat(dense(self)), flat(dense(indices))], [])
      return out
    },
    saves: ['indices'],
    backward: {
      self: (g, [, indices]) => g.flatten(-dims).gather(-1, indices.flatten(-dims)).view(indices.sizes),
    },
  })
/** Elements at their positions in each plane, or each volume, of zeros. */
export const place: Readonly<Record<2 | 3, ReturnType<typeof placing>>> = { 2: placing(2), 3: placing(3) }

type UnpoolOptions = {
  kernel_size?: Numbers
  stride?: Numbers | null
  padding?: Numbers
  output_size?: readonly number[] | null
}
export type UnpoolArgs = [
  input: Tensor,
  indices: Tensor,
  kernel_size: Numbers | UnpoolOptions,
  stride?: Numbers | null | UnpoolOptions,
  padding?: Numbers | UnpoolOptions,
  output_size?: readonly number[] | null | UnpoolOptions,
]

/** The sizes behind a pooling: those that the window implies, or the given ones where they are near enough. */
export function unpooled_sizes(
  input: Tensor,
  kernel: number[],
  stride: number[],
  padding: number[],
  given: readonly number[] | null,
): number[] {
  const dims = kernel.length
  const spatial = input.sizes.slice(-dims)
  const implied = spatial.map((n, d) => (n - 1) * stride[d]! + kernel[d]! - 2 * padding[d]!)
  if (given === null) return implied
  const wanted = given.length === dims + 2 ? given.slice(2) : given
  if (wanted.length !== dims)
    throw new ValueError(
      `output_size should be a sequence containing ${dims} or ${dims + 2} elements, but it has a length of '${wanted.length}'`,
    )
  wanted.forEach((n, d) => {
    const [low, high] = [implied[d]! - stride[d]!, implied[d]! + stride[d]!]
    if (n <= low || n >= high)
      throw new ValueError(
        `invalid output_size "(${wanted.join(', ')})" (dim ${d} must be between ${low} and ${high})`,
      )
  })
  return [...wanted]
}

const unpool_op = (dims: Dims, samples: Samples<UnpoolArgs>): Op<UnpoolArgs> => {
  const name = `max_unpool${dims}d`
  return composite(
    `${name}(Tensor input, Tensor indices, int[] kernel_size, int[]? stride=None, int[] padding=[0], int[]? output_size=None)`,
    {
      body: (
        input: Tensor,
        indices: Tensor,
        kernel_: number[],
        stride_: number[] | null,
        padding_: number[],
        output_size: number[] | null,
      ) => {
        const kernel = expand_to(name, kernel_, dims, 'kernel_size')
        const stride =
          stride_ === null || stride_.length === 0 ? kernel : expand_to(name, stride_, dims, 'stride')
        const padding = expand_to(name, padding_, dims, 'padding')
        if (input.ndim < dims) throw new IndexError('tuple index out of range')
        if (indices.dtype !== int64)
          throw new RuntimeError(
            `elements in indices should be type int64 but got: ${indices.dtype.tensor_type.slice(0, -6)}`,
          )
        if (input.ndim !== dims + 1 && input.ndim !== dims + 2)
          throw new RuntimeError(
            `Input to max_unpooling2d should be a 3d or 4d Tensor, but got a tensor with ${input.ndim + 2 - dims} dimensions.`,
          )
        if (input.sizes.join() !== indices.sizes.join()) {
          // Lines are planes of one column.
          const text = (t: Tensor): string => [...t.sizes, ...(dims === 1 ? [1] : [])].join(', ')
          throw new RuntimeError(
            `Expected shape of indices to be same as that of the input tensor ([${text(input)}]) but got indices tensor with shape: [${text(indices)}]`,
          )
        }
        require_computable('max_unpool2d', input.dtype)
        const spatial = unpooled_sizes(input, kernel, stride, padding, output_size)
        check_positions(indices, spatial)
        const size = in_two(spatial, 1)
        const positions = dims === 1 ? indices.unsqueeze(-2) : indices
        return lifted(dims, input, x => place[2](x, positions, [...x.sizes.slice(0, -2), ...size]))
      },
      samples,
      out: false,
    },
  )
}

function check_positions(indices: Tensor, spatial: readonly number[]): void {
  const [height, width] = spatial.length === 1 ? [spatial[0], 1] : spatial
  require_range(
    indices,
    0,
    numel(spatial),
    value =>
      new RuntimeError(`Found an invalid max index: ${value} (output volumes are of size ${height}x${width}`),
  )
}

/** Zeros with `input` at the positions that max_pool1d gave as `indices`. */
export const max_unpool1d: Op<UnpoolArgs> = unpool_op(1, r => [
  [...max_pool1d_with_indices(r.distinct(1, 2, 6), 2), 2],
])
/** Zeros with `input` at the positions that max_pool2d gave as `indices`. */
export const max_unpool2d: Op<UnpoolArgs> = unpool_op(2, r => [
  [...max_pool2d_with_indices(r.distinct(1, 2, 4, 4), 2), 2],
  [...max_pool2d_with_indices(r.distinct(2, 5, 5), 2), 2, { output_size: [5, 5] }],
])
