// Fractional max pooling: windows of one size, at random places such that there are as many as asked for. Planes are
// volumes with a depth of one. Not here: regular windows (pool.ts, pool3d.ts).
import { type DType, int64 } from '../../base/dtype.ts'
import { RuntimeError, ValueError } from '../../base/errors.ts'
import { numel } from '../../base/shape.ts'
import { empty, kernels } from '../../tensor/dispatch.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { dense } from '../define/copy.ts'
import { composite, type Op, op } from '../define/op.ts'
import { window } from '../define/space.ts'
import { rand } from '../random.ts'
import { images, position_in, require_dtype, unpool_images } from './pool_windows.ts'

const pool_kernel = kernels('fractional_max_pool', (k, dtype: DType, dims: number) => {
  const out = k.output('out', dtype, { rank: dims + 1, inner: 1 })
  const index = k.output('index', int64, { rank: dims + 1, inner: 1 })
  const x = k.input('x', dtype, { rank: dims + 1, inner: 1 })
  const samples = k.input('samples', dtype, { rank: 2, inner: 1 })
  const kernel = Array.from({ length: dims }, (_, d) => k.value(`kernel${d}`, 'index'))
  k.nest(out.sizes, 'parallel', 'serial', (p, ...o) => {
    const start = o.map((i, d) => {
      const [n, results] = [x.sizes[d + 1]!, out.sizes[d + 1]!]
      const room = n.sub(kernel[d]!)
      // Of planes the first number is the column's.
      const u = samples.at(p!, dims === 2 ? 1 - d : d)
      const step = room.cast(x.type).div(results.sub(1).max(1).cast(x.type))
      const place = i
        .cast(x.type)
        .add(u)
        .mul(step)
        .trunc()
        .cast('index')
        .sub(u.mul(step).trunc().cast('index'))
      return k.local('index', i.eq(results.sub(1)).where(room, place))
    })
    const best = k.local(x.type, -Infinity)
    const where = k.local('index', position_in(x, start))
    k.nest(kernel, 'serial', 'serial', (...step) => {
      const at = step.map((s, d) => start[d]!.add(s))
      const v = k.local(x.type, x.at(p!, ...at))
      k.if(v.gt(best).or(v.ne(v)), () => {
        k.assign(best, v)
        k.assign(where, position_in(x, at))
      })
    })
    k.store(out, [p!, ...o], best)
    k.store(index, [p!, ...o], where.cast('i64'))
  })
})

type Flat = [self: Tensor, samples: Tensor, kernel: readonly number[], sizes: readonly number[]]

const pooling = (dims: 2 | 3): Op<Flat, [Tensor, Tensor]> =>
  op(`fractional_max_pool${dims}d(Tensor self, Tensor samples, int[] kernel, int[] sizes)`, {
    node: `FractionalMaxPool${dims}DBackward0`,
    forward(self: Tensor, samples: Tensor, kernel: number[], sizes: number[]): [Tensor, Tensor] {
      const [out, index] = [empty(sizes, self.dtype), empty(sizes, int64)]
      if (out.count === 0) return [out, index]
      const random = window(dense(samples), [numel(sizes.slice(0, -dims)), dims], [dims, 1])
      const operands = [out, index, dense(self)].map(t => images(t, dims))
      pool_kernel(self.dtype, dims)([...operands, random], kernel)
      return [out, index]
    },
    saves: ['out.1'],
    backward: {
      self: ([g], [self], [, index]) => (g ? unpool_images(g, index, self.sizes, dims) : null),
    },
  })
const [pool2, pool3] = [pooling(2), pooling(3)]

const NAMES = ['time', 'height', 'width']

function run(
  dims: 2 | 3,
  input: Tensor,
  kernel_: number[],
  output_size: number[] | null,
  output_ratio: number[] | null,
  given: Tensor | null,
): [Tensor, Tensor] {
  const name = `fractional_max_pool${dims}d`
  const { sizes } = input
  if (output_size === null && output_ratio === null)
    throw new ValueError(`${name} requires specifying either an output_size or an output_ratio`)
  const all = (values: number[]): number[] =>
    values.length === 1 ? new Array<number>(dims).fill(values[0]!) : values
  const wanted = all(
    output_size ?? all(output_ratio!).map((ratio, d) => Math.trunc(ratio * input.size(d - dims))),
  )
  if (given === null) input.size(dims === 2 && input.ndim === 0 ? 0 : -1 - dims)
  const samples =
    given ??
    rand([input.ndim === dims + 1 ? 1 : sizes[0]!, sizes.at(-1 - dims)!, dims], { dtype: input.dtype })
  const kernel = all(kernel_)
  const tuple = dims === 2 ? 'tuple of Ints' : 'tuple of three Ints'
  if (kernel.length !== dims)
    throw new RuntimeError(`${name}: kernel_size must either be a single Int or ${tuple}`)
  if (wanted.length !== dims)
    throw new RuntimeError(`${name}: output_size must either be a single Int or ${tuple}`)
  if (input.ndim !== dims + 1 && input.ndim !== dims + 2)
    throw new RuntimeError(
      `${name}${dims === 3 ? '_out' : ''}(): Expected ${dims + 1}D or ${dims + 2}D tensor, but got: [${sizes.join(', ')}]`,
    )
  const empty_at = sizes.findIndex((n, d) => n === 0 && d >= input.ndim - dims - 1 && d > 0)
  if (empty_at > 0)
    throw new RuntimeError(
      `${name}${dims === 3 ? '_out' : ''}(): Expected input to have non-zero size for non-batch dimensions, but got[${sizes.join(', ')}] with dimension ${empty_at} being empty.`,
    )
  const spatial = sizes.slice(-dims)
  // Windows of volumes need an element to spare, those of planes do not.
  const spare = dims - 2
  const large = wanted.findIndex((n, d) => n + kernel[d]! - 1 + spare > spatial[d]!)
  if (large >= 0)
    throw new RuntimeError(
      `${name}${dims === 3 ? '_out' : ''}(): pool ${NAMES[large + 3 - dims]} ${kernel[large]} too large relative to input ${NAMES[large + 3 - dims]} ${spatial[large]}`,
    )
  require_dtype(`${name}_out_frame`, input)
  if (samples.dtype !== input.dtype) {
    const scalar = (t: Tensor): string => t.dtype.tensor_type.slice(0, -6)
    throw new RuntimeError(`expected scalar type ${scalar(input)} but found ${scalar(samples)}`)
  }
  const planes = numel(sizes.slice(0, -dims))
  if (samples.count < planes * dims)
    throw new RuntimeError(
      `${name}(): Expected _random_samples to hold ${planes * dims} elements, but got ${samples.count}`,
    )
  return (dims === 2 ? pool2 : pool3)(input, samples, kernel, [...sizes.slice(0, -dims), ...wanted])
}

type Args = [
  input: Tensor,
  kernel_size: readonly number[],
  output_size: readonly number[] | null,
  output_ratio: readonly number[] | null,
  samples: Tensor | null,
]
const user_op = (dims: 2 | 3): Op<Args, [Tensor, Tensor]> =>
  composite<Args, [Tensor, Tensor]>(
    `fractional_max_pool${dims}d(Tensor input, int[] kernel_size, int[]? output_size, float[]? output_ratio, Tensor? _random_samples)`,
    {
      body: (...args: [Tensor, number[], number[] | null, number[] | null, Tensor | null]) =>
        run(dims, ...args),
      out: false,
    },
  )

/** Maxima of windows that lie at random, with their positions in each plane. */
export const fractional_max_pool2d_with_indices: Op<Args, [Tensor, Tensor]> = user_op(2)
/** Maxima of windows that lie at random, with their positions in each volume. */
export const fractional_max_pool3d_with_indices: Op<Args, [Tensor, Tensor]> = user_op(3)
