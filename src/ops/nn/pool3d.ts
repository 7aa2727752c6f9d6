// Pooling in three dimensions: maxima with their positions, means. Not here: fewer dimensions (pool.ts, avg_pool.ts),
// adaptive windows (adaptive_pool3d.ts).
import { type DType, float32, float64, int64 } from '../../base/dtype.ts'
import { RuntimeError } from '../../base/errors.ts'
import { numel } from '../../base/shape.ts'
import type { Expr } from '../../ir/expr.ts'
import type { Builder } from '../../ir/kernel.ts'
import { empty, kernels, zeros } from '../../tensor/dispatch.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { dense } from '../define/copy.ts'
import { type Op, op, overloaded, type Samples } from '../define/op.ts'
import { window } from '../define/space.ts'
import { type Numbers, pooled, unpool, type Window } from './pool.ts'

/** Volumes (N, C, D, H, W) as [volumes, D, H, W]. */
export function volumes(t: Tensor): ReturnType<typeof window> {
  const [d, h, w] = t.sizes.slice(-3) as [number, number, number]
  return window(t, [numel(t.sizes.slice(0, -3)), d, h, w], [d * h * w, h * w, w, 1])
}

/** Throws for dtypes that PyTorch has no kernel for. */
export function require_dtype(name: string, { dtype }: Tensor, others: readonly DType[] = []): void {
  if (dtype !== float32 && dtype !== float64 && !others.includes(dtype))
    throw new RuntimeError(`"${name}" not implemented for '${dtype.tensor_type.slice(0, -6)}'`)
}

const AXES = ['d', 'h', 'w']
const three = (k: Builder, name: string): Expr[] => AXES.map(axis => k.value(`${name}_${axis}`, 'index'))

const max_kernel = kernels('max_pool3d', (k, dtype: DType) => {
  const out = k.output('out', dtype, { rank: 4, inner: 1 })
  const index = k.output('index', int64, { rank: 4, inner: 1 })
  const x = k.input('x', dtype, { rank: 4, inner: 1 })
  const [kernel, stride, padding, dilation] = ['kernel', 'stride', 'padding', 'dilation'].map(name =>
    three(k, name),
  ) as [Expr[], Expr[], Expr[], Expr[]]
  const [, , h, w] = x.sizes as [Expr, Expr, Expr, Expr]
  k.nest(out.sizes, 'parallel', 'serial', (p, ...o) => {
    const ranges = o.map((i, d) => {
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
    const where = k.local('index', ranges[0]!.first.mul(h).add(ranges[1]!.first).mul(w).add(ranges[2]!.first))
    k.nest(
      ranges.map(r => r.count),
      'serial',
      'serial',
      (...steps) => {
        const [a, b, c] = steps.map((s, d) => ranges[d]!.first.add(s.mul(ranges[d]!.by))) as [
          Expr,
          Expr,
          Expr,
        ]
        const v = k.local(x.type, x.at(p!, a, b, c))
        // The first of equal values wins, the last NaN over everything.
        k.if(v.gt(best).or(v.ne(v)), () => {
          k.assign(best, v)
          k.assign(where, a.mul(h).add(b).mul(w).add(c))
        })
      },
    )
    k.store(out, [p!, ...o], best)
    k.store(index, [p!, ...o], where.cast('i64'))
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
          [volumes(out), volumes(index), volumes(dense(self))],
          [...kernel, ...stride, ...padding, ...dilation],
        )
      return [out, index]
    },
    saves: ['out.1'],
    backward: { self: ([g], [self], [, index]) => (g ? unpool_volumes(g, index, self.sizes) : null) },
  },
)

/** Adds `g` to the positions `index` of each volume of zeros. */
export function unpool_volumes(g: Tensor, index: Tensor, sizes: readonly number[]): Tensor {
  const [d, h, w] = sizes.slice(-3) as [number, number, number]
  return unpool(g.flatten(-3, -2), index.flatten(-3, -2), [...sizes.slice(0, -3), d * h, w]).view(sizes)
}

// ---------------------------------------------------------------------------------------------- means

const avg_kernel = kernels(
  'avg_pool3d',
  (k, dtype: DType, include_pad: boolean, divisor: boolean, backward: boolean) => {
    const small = backward
      ? k.input('g', dtype, { rank: 4, inner: 1 })
      : k.output('out', dtype, { rank: 4, inner: 1 })
    const large = backward
      ? k.inout('grad', dtype, { rank: 4, inner: 1 })
      : k.input('x', dtype, { rank: 4, inner: 1 })
    const [kernel, stride, padding] = ['kernel', 'stride', 'padding'].map(name => three(k, name)) as [
      Expr[],
      Expr[],
      Expr[],
    ]
    const by = k.value('divisor', 'index')
    const [count, ...sizes] = small.sizes as [Expr, Expr, Expr, Expr]
    const body = (p: Expr, ...o: Expr[]): void => {
      const ranges = o.map((i, d) => {
        const size = large.sizes[d + 1]!
        const start = i.mul(stride[d]!).sub(padding[d]!)
        const end = start.add(kernel[d]!).min(size.add(padding[d]!))
        const first = k.local('index', start.max(0))
        return { first, n: k.local('index', end.min(size).sub(first)), padded: end.sub(start) }
      })
      const product = (all: Expr[]): Expr => all.reduce((a, b) => a.mul(b))
      const elements = divisor ? by : product(ranges.map(r => (include_pad ? r.padded : r.n)))
      const n = k.local(small.type, elements.cast(small.type))
      const [a, b, c] = ranges as [(typeof ranges)[0], (typeof ranges)[0], (typeof ranges)[0]]
      if (backward) {
        const share = k.local(small.type, small.at(p, ...o).div(n))
        k.nest([a.n, b.n], 'serial', 'serial', (i, j) =>
          k.for(c.n, 'vector', l => {
            const at = [p, a.first.add(i!), b.first.add(j!), c.first.add(l)]
            k.store(large, at, large.at(...at).add(share))
          }),
        )
        return
      }
      const sum = k.local(small.type, 0)
      k.nest([a.n, b.n], 'serial', 'serial', (i, j) =>
        k.for(c.n, 'reduce', l =>
          k.assign(sum, sum.add(large.at(p, a.first.add(i!), b.first.add(j!), c.first.add(l)))),
        ),
      )
      k.store(small, [p, ...o], small.type === 'i64' ? sum.truncdiv(n) : sum.div(n))
    }
    k.for(count, 'parallel', p => k.nest(sizes, 'serial', 'serial', (...o) => body(p, ...o)))
  },
)

type AvgFlat = [
  kernel: number[],
  stride: number[],
  padding: number[],
  ceil_mode: boolean,
  count_include_pad: boolean,
  divisor: number | null,
]
const AVG_FLAT =
  'int[] kernel, int[] stride, int[] padding, bool ceil_mode, bool count_include_pad, int? divisor'

const run_avg = (small: Tensor, large: Tensor, flat: AvgFlat, backward: boolean): void => {
  const [kernel, stride, padding, , include_pad, divisor] = flat
  avg_kernel(
    small.dtype,
    include_pad,
    divisor !== null,
    backward,
  )([volumes(small), volumes(large)], [...kernel, ...stride, ...padding, divisor ?? 1])
}

const avg_pool: Op<[self: Tensor, ...AvgFlat]> = op(`avg_pool3d(Tensor self, ${AVG_FLAT})`, {
  node: 'AvgPool3DBackward0',
  forward(self: Tensor, ...flat: AvgFlat) {
    const [kernel, stride, padding, ceil_mode] = flat
    const win: Window = { kernel, stride, padding, dilation: [1, 1, 1], ceil_mode }
    const sizes = [...self.sizes.slice(0, -3), ...self.sizes.slice(-3).map((n, d) => pooled(n, d, win))]
    const out = empty(sizes, self.dtype)
    if (out.count > 0) run_avg(out, dense(self), flat, false)
    return out
  },
  backward: { self: (g, [self, ...flat]) => avg_grad(g, self.sizes, ...flat) },
})

const avg_grad: Op<[g: Tensor, sizes: readonly number[], ...AvgFlat]> = op(
  `avg_pool3d_backward(Tensor g, int[] sizes, ${AVG_FLAT})`,
  {
    node: 'AvgPool3DBackwardBackward0',
    forward(g: Tensor, sizes: number[], ...flat: AvgFlat) {
      const grad = zeros(sizes, g.dtype)
      if (g.count > 0) run_avg(dense(g), grad, flat, true)
      return grad
    },
    backward: { g: (gg, [, , ...flat]) => avg_pool(gg, ...flat) },
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

type MaxOptions = {
  kernel_size?: Numbers
  stride?: Numbers | null
  padding?: Numbers
  dilation?: Numbers
  ceil_mode?: boolean
}
type MaxArgs = [
  input: Tensor,
  kernel_size: Numbers | MaxOptions,
  stride?: Numbers | null | MaxOptions,
  padding?: Numbers | MaxOptions,
  dilation?: Numbers | MaxOptions,
  ceil_mode?: boolean | MaxOptions,
]

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

type AvgOptions = {
  kernel_size?: Numbers
  stride?: Numbers | null
  padding?: Numbers
  ceil_mode?: boolean
  count_include_pad?: boolean
  divisor_override?: number | null
}
type AvgArgs = [
  input: Tensor,
  kernel_size: Numbers | AvgOptions,
  stride?: Numbers | null | AvgOptions,
  padding?: Numbers | AvgOptions,
  ceil_mode?: boolean | AvgOptions,
  count_include_pad?: boolean | AvgOptions,
  divisor_override?: number | null,
]

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
        return avg_pool(input, kernel, stride, padding, ceil_mode, include_pad, divisor)
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
