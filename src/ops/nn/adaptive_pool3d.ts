// Pooling of volumes by the size of the result: adaptive averages and maxima; and unpooling, which puts values back where
// max_pool3d found them. Not here: fewer dimensions (adaptive_pool.ts), windows of one size (pool3d.ts).
import { type DType, float16, int64 } from '../../base/dtype.ts'
import { IndexError, RuntimeError } from '../../base/errors.ts'
import type { Expr } from '../../ir/expr.ts'
import { empty, kernels, zeros } from '../../tensor/dispatch.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { require_range } from '../define/bounds.ts'
import { dense } from '../define/copy.ts'
import { composite, type Op, op, type Samples } from '../define/op.ts'
import { place, sizes_of, type UnpoolArgs, unpooled_sizes, window_of } from './adaptive_pool.ts'
import { max_pool3d_with_indices, require_dtype, unpool_volumes, volumes } from './pool3d.ts'

const average_kernel = kernels('adaptive_avg_pool3d', (k, dtype: DType, backward: boolean) => {
  const small = backward
    ? k.input('g', dtype, { rank: 4, inner: 1 })
    : k.output('out', dtype, { rank: 4, inner: 1 })
  const large = backward
    ? k.inout('grad', dtype, { rank: 4, inner: 1 })
    : k.input('x', dtype, { rank: 4, inner: 1 })
  const [count, ...sizes] = small.sizes as [Expr, Expr, Expr, Expr]
  k.for(count, 'parallel', p =>
    k.nest(sizes, 'serial', 'serial', (...o) => {
      const [a, b, c] = o.map((i, d) => window_of(k, i, large.sizes[d + 1]!, sizes[d]!)) as [
        ReturnType<typeof window_of>,
        ReturnType<typeof window_of>,
        ReturnType<typeof window_of>,
      ]
      const n = a.count.mul(b.count).mul(c.count).cast(small.type)
      if (backward) {
        const share = k.local(small.type, small.at(p, ...o).div(n))
        k.nest([a.count, b.count], 'serial', 'serial', (i, j) =>
          k.for(c.count, 'vector', l => {
            const at = [p, a.first.add(i!), b.first.add(j!), c.first.add(l)]
            k.store(large, at, large.at(...at).add(share))
          }),
        )
        return
      }
      const sum = k.local(small.type, 0)
      k.nest([a.count, b.count], 'serial', 'serial', (i, j) =>
        k.for(c.count, 'reduce', l =>
          k.assign(sum, sum.add(large.at(p, a.first.add(i!), b.first.add(j!), c.first.add(l)))),
        ),
      )
      k.store(small, [p, ...o], sum.div(n))
    }),
  )
})

const maximum_kernel = kernels('adaptive_max_pool3d', (k, dtype: DType) => {
  const out = k.output('out', dtype, { rank: 4, inner: 1 })
  const index = k.output('index', int64, { rank: 4, inner: 1 })
  const x = k.input('x', dtype, { rank: 4, inner: 1 })
  const [, , h, w] = x.sizes as [Expr, Expr, Expr, Expr]
  k.nest(out.sizes, 'parallel', 'serial', (p, ...o) => {
    const ranges = o.map((i, d) => window_of(k, i, x.sizes[d + 1]!, out.sizes[d + 1]!))
    const position = (a: Expr, b: Expr, c: Expr): Expr => a.mul(h).add(b).mul(w).add(c)
    const [z, y, s] = ranges.map(r => r.first) as [Expr, Expr, Expr]
    const best = k.local(x.type, x.at(p!, z, y, s))
    const where = k.local('index', position(z, y, s))
    k.nest(
      ranges.map(r => r.count),
      'serial',
      'serial',
      (i, j, l) => {
        const at = [z.add(i!), y.add(j!), s.add(l!)] as [Expr, Expr, Expr]
        const v = k.local(x.type, x.at(p!, ...at))
        k.if(v.gt(best).or(v.ne(v)), () => {
          k.assign(best, v)
          k.assign(where, position(...at))
        })
      },
    )
    k.store(out, [p!, ...o], best)
    k.store(index, [p!, ...o], where.cast('i64'))
  })
})

type Size = number | null
type Sizes = Size | readonly Size[]

/** Checks, and gives the sizes of the result: null keeps the input's. */
function result_size(name: string, input: Tensor, output_size: unknown): number[] {
  const given = sizes_of(output_size, input, 3)
  const maximum = name.includes('max')
  if (given.length !== 1 && given.length !== 3)
    throw new RuntimeError(
      maximum ? `${name}(): internal error: output_size.size() must be 3` : `${name}: output_size must be 3`,
    )
  const { sizes } = input
  if (input.ndim !== 4 && input.ndim !== 5)
    throw new RuntimeError(
      `${name}(): Expected 4D or 5D tensor, but got${maximum ? ':' : ''} [${sizes.join(', ')}]`,
    )
  const spatial = sizes.slice(-3)
  const wanted = [0, 1, 2].map(d => (given.length === 1 ? given[0]! : given[d]!) ?? spatial[d]!)
  if (wanted.some(n => n < 0))
    throw new RuntimeError(
      maximum
        ? `Trying to create tensor with negative dimension ${wanted.find(n => n < 0)}: [${[...sizes.slice(0, -3), ...wanted].join(', ')}]`
        : `adaptive_avg_pool2d: elements of output_size must be greater than or equal to 0 but received {${wanted[0]}, ${wanted[1]},${wanted[2]}}`,
    )
  const empty_at = sizes.findIndex((n, d) => n === 0 && d > 0 && d >= input.ndim - 4)
  if (empty_at > 0)
    throw new RuntimeError(
      `${name}(): Expected input to have non-zero size for non-batch dimensions, but input has sizes [${sizes.join(', ')}] with dimension ${empty_at} being empty`,
    )
  require_dtype(`${name}_cpu`, input)
  return wanted
}

const average: Op<[self: Tensor, sizes: readonly number[]]> = op(
  'adaptive_avg_pool3d(Tensor self, int[] sizes)',
  {
    node: 'AdaptiveAvgPool3DBackward0',
    forward(self: Tensor, sizes: number[]) {
      const out = empty(sizes, self.dtype)
      if (out.count > 0) average_kernel(self.dtype, false)([volumes(out), volumes(dense(self))], [])
      return out
    },
    backward: { self: (g, [self]) => average_grad(g, self.sizes) },
  },
)

const average_grad: Op<[g: Tensor, sizes: readonly number[]]> = op(
  'adaptive_avg_pool3d_backward(Tensor g, int[] sizes)',
  {
    node: 'AdaptiveAvgPool3DBackwardBackward0',
    forward(g: Tensor, sizes: number[]) {
      const grad = zeros(sizes, g.dtype)
      if (g.count > 0) average_kernel(g.dtype, true)([volumes(dense(g)), volumes(grad)], [])
      return grad
    },
    backward: { g: (gg, [g]) => average(gg, g.sizes) },
  },
)

type AdaptiveArgs = [input: Tensor, output_size: Sizes | { output_size: Sizes }]

/** The means of windows that divide a volume into `output_size` parts; null keeps a size. */
export const adaptive_avg_pool3d: Op<AdaptiveArgs> = composite(
  'adaptive_avg_pool3d(Tensor input, any? output_size)',
  {
    body: (input: Tensor, output_size: unknown) => {
      const alone = (Array.isArray(output_size) ? output_size : [output_size]).every(n => n === 1)
      if (alone && input.ndim > 3 && (input.dtype === float16 || input.dtype.is_floating_point))
        return input.mean([-1, -2, -3], true)
      const size = result_size('adaptive_avg_pool3d', input, output_size)
      return average(input, [...input.sizes.slice(0, -3), ...size])
    },
    samples: r => [
      [r(1, 2, 4, 5, 3), 2],
      [r(2, 3, 4, 2), [2, 3, null]],
      [r(2, 2, 2, 2), 1],
    ],
    out: false,
  },
)

const maximum: Op<[self: Tensor, sizes: readonly number[]], [Tensor, Tensor]> = op(
  'adaptive_max_pool3d(Tensor self, int[] sizes)',
  {
    node: 'AdaptiveMaxPool3DBackward0',
    forward(self: Tensor, sizes: number[]): [Tensor, Tensor] {
      const [out, index] = [empty(sizes, self.dtype), empty(sizes, int64)]
      if (out.count > 0) maximum_kernel(self.dtype)([volumes(out), volumes(index), volumes(dense(self))], [])
      return [out, index]
    },
    saves: ['out.1'],
    backward: { self: ([g], [self], [, index]) => (g ? unpool_volumes(g, index, self.sizes) : null) },
  },
)

const maximum_op = <R>(
  pick: (found: [Tensor, Tensor]) => R,
  samples?: Samples<AdaptiveArgs>,
): Op<AdaptiveArgs, R> =>
  composite<AdaptiveArgs, R>('adaptive_max_pool3d(Tensor input, any? output_size)', {
    body: (input: Tensor, output_size: unknown) => {
      const size = result_size('adaptive_max_pool3d', input, output_size)
      return pick(maximum(input, [...input.sizes.slice(0, -3), ...size]))
    },
    ...(samples && { samples }),
    out: false,
  })

/** The largest elements of windows that divide a volume into `output_size` parts; null keeps a size. */
export const adaptive_max_pool3d: Op<AdaptiveArgs> = maximum_op(([values]) => values)
/** {@link adaptive_max_pool3d} and the positions of the largest elements in each volume. */
export const adaptive_max_pool3d_with_indices: Op<AdaptiveArgs, [Tensor, Tensor]> = maximum_op(
  found => found,
  r => [
    [r.distinct(1, 2, 4, 5, 3), 2],
    [r.distinct(2, 3, 4, 2), [2, 3, 1]],
  ],
)

/** Zeros with `input` at the positions that max_pool3d gave as `indices`. */
export const max_unpool3d: Op<UnpoolArgs> = composite(
  'max_unpool3d(Tensor input, Tensor indices, int[] kernel_size, int[]? stride=None, int[] padding=[0], int[]? output_size=None)',
  {
    body: (
      input: Tensor,
      indices: Tensor,
      ...given: [number[], number[] | null, number[], number[] | null]
    ) => {
      const [kernel_, stride_, padding_, output_size] = given
      if (input.ndim < 3) throw new IndexError('tuple index out of range')
      const triple = (x: number[]): number[] => (x.length === 1 ? [x[0]!, x[0]!, x[0]!] : x)
      const kernel = triple(kernel_)
      const stride = stride_ === null || stride_.length === 0 ? kernel : triple(stride_)
      const spatial = unpooled_sizes(input, kernel, stride, triple(padding_), output_size)
      const sizes = `[${input.sizes.join(', ')}]`
      if (indices.dtype !== int64) throw new RuntimeError('elements in indices should be type int64')
      if (input.ndim !== 4 && input.ndim !== 5)
        throw new RuntimeError(
          `Input to max_unpooling3d should be a 4d or 5d Tensor, but got a tensor with ${input.ndim} dimensions.`,
        )
      if (input.sizes.join() !== indices.sizes.join())
        throw new RuntimeError(
          `Expected shape of indices to be same as that of the input tensor (${sizes}) but got indices tensor with shape: [${indices.sizes.join(', ')}]`,
        )
      const empty_at = input.sizes.findIndex((n, d) => n === 0 && d > 0)
      if (empty_at > 0)
        throw new RuntimeError(
          `max_unpooling3d_forward_out_cpu(): Expected input to have non-zero size for non-batch dimensions, but got ${sizes} with dimension ${empty_at} being empty.`,
        )
      if (stride.some(s => s <= 0))
        throw new RuntimeError(`strides should be greater than zero, but got stride: [${stride.join(', ')}]`)
      require_dtype('max_unpool3d', input)
      const invalid = (value: number): Error =>
        new RuntimeError(
          `Found an invalid max index: ${value} (output volumes are of size ${spatial.join('x')}`,
        )
      require_range(
        indices,
        0,
        spatial.reduce((a, b) => a * b, 1),
        invalid,
      )
      return place[3](input, indices, [...input.sizes.slice(0, -3), ...spatial])
    },
    samples: r => [
      [...max_pool3d_with_indices(r.distinct(1, 2, 4, 4, 2), 2), 2],
      [...max_pool3d_with_indices(r.distinct(2, 3, 5, 4), 2), 2, { output_size: [3, 5, 4] }],
    ],
    out: false,
  },
)
