// Pooling of volumes as users call it: maxima with their positions, and averages, whose kernels are avg_kernels.ts.
// Not here: fewer dimensions (pool.ts, avg_pool.ts), adaptive windows (adaptive_pool.ts).
import { type DType, int64 } from '../../base/dtype.ts'
import { RuntimeError } from '../../base/errors.ts'
import type { Expr } from '../../ir/expr.ts'
import { empty, kernels } from '../../tensor/dispatch.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { dense } from '../define/copy.ts'
import { type Op, op, overloaded, type Samples } from '../define/op.ts'
import { average } from './avg_kernels.ts'
import type { AvgArgs } from './avg_pool.ts'
import type { MaxArgs } from './pool.ts'
import {
  each_element,
  images,
  pooled,
  position_in,
  require_dtype,
  type Span,
  unpool_images,
  type Window,
} from './pool_windows.ts'

const max_kernel = kernels('max_pool3d', (k, dtype: DType) => {
  const out = k.output('out', dtype, { rank: 4, inner: 1 })
  const index = k.output('index', int64, { rank: 4, inner: 1 })
  const x = k.input('x', dtype, { rank: 4, inner: 1 })
  const [kernel, stride, padding, dilation] = ['kernel', 'stride', 'padding', 'dilation'].map(name =>
    ['d', 'h', 'w'].map(axis => k.value(`${name}_${axis}`, 'index')),
  ) as [Expr[], Expr[], Expr[], Expr[]]
  k.nest(out.sizes, 'parallel', 'serial', (image, ...o) => {
    const window = o.map((i, d): Span => {
      const start = k.local('index', i.mul(stride[d]!).sub(padding[d]!))
      const by = dilation[d]!
      // The first step that is not in the padding, and how many follow.
      const skip = start.neg().max(0).add(by.sub(1)).floordiv(by)
      const first = k.local('index', start.add(skip.mul(by)))
      const end = start
        .add(kernel[d]!.sub(1).mul(by))
        .add(1)
        .min(x.sizes[d + 1]!)
      return { first, by, count: k.local('index', end.sub(first).add(by.sub(1)).floordiv(by)) }
    })
    const best = k.local(x.type, -Infinity)
    const where = k.local(
      'index',
      position_in(
        x,
        window.map(span => span.first),
      ),
    )
    each_element(k, window, 'serial', (...at) => {
      const v = k.local(x.type, x.at(image!, ...at))
      // The first of equal values wins, the last NaN over everything.
      k.if(v.gt(best).or(v.ne(v)), () => {
        k.assign(best, v)
        k.assign(where, position_in(x, at))
      })
    })
    k.store(out, [image!, ...o], best)
    k.store(index, [image!, ...o], where.cast('i64'))
  })
})

type MaxFlat = [kernel: number[], stride: number[], padding: number[], dilation: number[], ceil_mode: boolean]

const max_pool: Op<[self: Tensor, ...MaxFlat], [Tensor, Tensor]> = op(
  'max_pool3d_with_indices(Tensor self, int[] kernel, int[] stride, int[] padding, int[] dilation, bool ceil_mode)',
  {
    node: 'MaxPool3DWithIndicesBackward0',
    forward(self: Tensor, ...flat: MaxFlat): [Tensor, Tensor] {
      const [kernel, stride, padding, dilation, ceil_mode] = flat
      const win: Window = { kernel, stride, padding, dilation, ceil_mode }
      const sizes = [...self.sizes.slice(0, -3), ...self.sizes.slice(-3).map((n, d) => pooled(n, d, win))]
      const [out, index] = [empty(sizes, self.dtype), empty(sizes, int64)]
      if (out.count > 0)
        max_kernel(self.dtype)(
          [images(out, 3), images(index, 3), images(dense(self), 3)],
          [...kernel, ...stride, ...padding, ...dilation],
        )
      return [out, index]
    },
    saves: ['out.1'],
    backward: { self: ([g], [self], [, index]) => (g ? unpool_images(g, index, self.sizes, 3) : null) },
  },
)

// ---------------------------------------------------------------------------------------------- as users call it

const per_axis = (name: string, what: string, values: readonly number[], text: string): number[] => {
  if (values.length !== 1 && values.length !== 3)
    throw new RuntimeError(`${name}: ${what} must ${text}a single int, or a tuple of three ints`)
  return values.length === 1 ? [values[0]!, values[0]!, values[0]!] : [...values]
}

/** How PyTorch names the three dimensions in messages. */
const shown = (prefix: string, [t, h, w]: readonly number[]): string =>
  `${prefix}T: ${t} ${prefix}H: ${h} ${prefix}W: ${w}`

function check(name: string, self: Tensor, { kernel, stride, padding, dilation, ...rest }: Window): void {
  const { sizes } = self
  const average = name === 'avg_pool3d'
  const win = { kernel, stride, padding, dilation, ...rest }
  if (self.ndim !== 4 && self.ndim !== 5)
    throw new RuntimeError('non-empty 4D or 5D (batch mode) tensor expected for input')
  if (stride.some(s => s === 0)) throw new RuntimeError('stride should not be zero')
  const negative = padding.find(p => p < 0)
  if (negative !== undefined) throw new RuntimeError(`pad must be non-negative, but got pad: ${negative}`)
  const wide = padding.findIndex((p, d) => p > kernel[d]! / 2)
  if (wide >= 0)
    throw new RuntimeError(
      `pad should be at most half of kernel size, but got pad=${padding[wide]} and kernel_size=${kernel[wide]}`,
    )
  const require_positive = (what: string, prefix: string, values: readonly number[]): void => {
    if (values.some(n => n <= 0))
      throw new RuntimeError(`${what} should be greater than zero, but got ${shown(prefix, values)}`)
  }
  require_positive('kernel size', 'k', kernel)
  require_positive('stride', 'd', stride)
  require_positive('dilation', 'dilation', dilation)
  if (sizes.slice(-4).some(n => n === 0))
    throw new RuntimeError(
      `${average ? name : 'max_pool3d_with_indices_out_cpu_template'}(): Expected input's non-batch dimensions to have positive length, but input has a shape of [${sizes.join(', ')}] and non-batch dimension 0 has length zero!`,
    )
  const spatial = sizes.slice(-3)
  if (average && spatial.some((n, d) => n < kernel[d]!))
    throw new RuntimeError(
      `input image (${shown('', spatial)}) smaller than kernel size (${shown('k', kernel)})`,
    )
  const out = spatial.map((n, d) => pooled(n, d, win))
  if (out.some(n => n < 1))
    throw new RuntimeError(
      `Given input size: (${sizes.slice(-4).join('x')}). Calculated output size: (${[sizes.at(-4), ...out].join('x')}). Output size is too small`,
    )
}

const max_pool_op = <R>(pick: (found: [Tensor, Tensor]) => R, samples?: Samples<MaxArgs>): Op<MaxArgs, R> =>
  overloaded<MaxArgs, R>(
    [
      [
        'max_pool3d(Tensor input, int[] kernel_size, int[]? stride=None, int[] padding=[0], int[] dilation=[1], bool ceil_mode=False)',
        (input: Tensor, ...given: [number[], number[] | null, number[], number[], boolean]) => {
          const name = 'max_pool3d'
          const [kernel_, stride_, padding_, dilation_, ceil_mode] = given
          const kernel = per_axis(name, 'kernel_size', kernel_, 'either be ')
          const stride =
            stride_ === null || stride_.length === 0
              ? kernel
              : per_axis(name, 'stride', stride_, 'either be omitted, ')
          const padding = per_axis(name, 'padding', padding_, 'be either be ')
          const dilation = per_axis(name, 'dilation', dilation_, 'be either ')
          check(name, input, { kernel, stride, padding, dilation, ceil_mode })
          require_dtype('max_pool3d_with_indices_cpu', input)
          return pick(max_pool(input, kernel, stride, padding, dilation, ceil_mode))
        },
      ],
    ],
    { out: false, ...(samples && { samples }) },
  )

/** The largest element of each window of a volume; `stride` defaults to the window's size. */
export const max_pool3d: Op<MaxArgs> = max_pool_op(
  ([values]) => values,
  r => [
    [r.distinct(1, 2, 3, 4, 4), 2],
    [r.distinct(2, 3, 5, 4), [2, 3, 2], [1, 2, 1], [1, 1, 0], [2, 1, 1], true],
  ],
)
/** {@link max_pool3d} and the positions of the largest elements in each volume. */
export const max_pool3d_with_indices: Op<MaxArgs, [Tensor, Tensor]> = max_pool_op(found => found)

/** The mean of each window of a volume; `stride` defaults to the window's size. */
export const avg_pool3d: Op<AvgArgs> = overloaded<AvgArgs>(
  [
    [
      'avg_pool3d(Tensor input, int[] kernel_size, int[]? stride=None, int[] padding=[0], bool ceil_mode=False, bool count_include_pad=True, int? divisor_override=None)',
      (input: Tensor, ...given: [number[], number[] | null, number[], boolean, boolean, number | null]) => {
        const name = 'avg_pool3d'
        const [kernel_, stride_, padding_, ceil_mode, include_pad, divisor] = given
        const kernel = per_axis(name, 'kernel_size', kernel_, 'be ')
        const stride =
          stride_ === null || stride_.length === 0
            ? kernel
            : per_axis(name, 'stride', stride_, 'be omitted, ')
        const padding = per_axis(name, 'padding', padding_, 'be ')
        if (divisor === 0) throw new RuntimeError('divisor must be not zero')
        check(name, input, { kernel, stride, padding, dilation: [1, 1, 1], ceil_mode })
        require_dtype('avg_pool3d_out_frame', input, [int64])
        return average[3](input, kernel, stride, padding, ceil_mode, include_pad, divisor)
      },
    ],
  ],
  {
    samples: r => [
      [r(1, 2, 3, 4, 4), 2],
      [r(2, 3, 5, 4), [2, 3, 2], [1, 2, 1], [1, 1, 0], true, false],
      [r(2, 3, 2, 4), 2, 1, 1, false, true, 5],
    ],
    out: false,
  },
)
