// Unpooling: zeros with values at the positions where max_pool found them. Not here: pooling (pool.ts, pool3d.ts).
import { type DType, int64 } from '../../base/dtype.ts'
import { IndexError, RuntimeError, ValueError } from '../../base/errors.ts'
import { numel } from '../../base/shape.ts'
import type { Expr } from '../../ir/expr.ts'
import { kernels, zeros } from '../../tensor/dispatch.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { require_range } from '../define/bounds.ts'
import { dense } from '../define/copy.ts'
import { composite, type Op, op, type Samples } from '../define/op.ts'
import { window } from '../define/space.ts'
import { max_pool1d_with_indices, max_pool2d_with_indices } from './pool.ts'
import { expand_to, in_two, lifted, type Numbers, require_computable, require_dtype } from './pool_windows.ts'
import { max_pool3d_with_indices } from './pool3d.ts'

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
const place: Readonly<Record<2 | 3, ReturnType<typeof placing>>> = { 2: placing(2), 3: placing(3) }

type UnpoolOptions = {
  kernel_size?: Numbers
  stride?: Numbers | null
  padding?: Numbers
  output_size?: readonly number[] | null
}
type UnpoolArgs = [
  input: Tensor,
  indices: Tensor,
  kernel_size: Numbers | UnpoolOptions,
  stride?: Numbers | null | UnpoolOptions,
  padding?: Numbers | UnpoolOptions,
  output_size?: readonly number[] | null | UnpoolOptions,
]

/** The sizes behind a pooling: those that the window implies, or the given ones where they are near enough. */
function unpooled_sizes(
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

const unpool_op = (dims: 1 | 2, samples: Samples<UnpoolArgs>): Op<UnpoolArgs> => {
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
