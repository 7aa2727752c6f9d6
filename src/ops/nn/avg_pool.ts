// Averages over windows of lines and planes as users call them. Not here: how they are computed (avg_kernels.ts), volumes
// (pool3d.ts), adaptive windows (adaptive_pool.ts).
import { RuntimeError } from '../../base/errors.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { type Op, overloaded, type Samples } from '../define/op.ts'
import { average } from './avg_kernels.ts'
import { check_pool, in_two, lifted, type Numbers, window_of } from './pool_windows.ts'

type AvgOptions = {
  kernel_size?: Numbers
  stride?: Numbers | null
  padding?: Numbers
  ceil_mode?: boolean
  count_include_pad?: boolean
  divisor_override?: number | null
}
export type AvgArgs = [
  input: Tensor,
  kernel_size: Numbers | AvgOptions,
  stride?: Numbers | null | AvgOptions,
  padding?: Numbers | AvgOptions,
  ceil_mode?: boolean | AvgOptions,
  count_include_pad?: boolean | AvgOptions,
  divisor_override?: number | null,
]

const avg_pool_op = (dims: 1 | 2, samples: Samples<AvgArgs>): Op<AvgArgs> => {
  const name = `avg_pool${dims}d`
  return overloaded<AvgArgs>(
    [
      [
        `${name}(Tensor input, int[] kernel_size, int[]? stride=None, int[] padding=[0], bool ceil_mode=False, bool count_include_pad=True, int? divisor_override=None)`,
        (
          input: Tensor,
          kernel_: number[],
          stride_: number[] | null,
          padding_: number[],
          ceil_mode: boolean,
          include_pad: boolean,
          divisor: number | null,
        ) => {
          const win = window_of(name, dims, kernel_, stride_, padding_, [1], ceil_mode)
          check_pool(name, input, win)
          const { kernel, stride, padding } = win
          if (divisor === 0) throw new RuntimeError('divisor must be not zero')
          return lifted(dims, input, x =>
            average[2](
              x,
              in_two(kernel, 1),
              in_two(stride, 1),
              in_two(padding, 0),
              ceil_mode,
              include_pad,
              divisor,
            ),
          )
        },
      ],
    ],
    { samples, out: false },
  )
}

/** The mean of each window; `stride` defaults to the window's size. */
export const avg_pool1d: Op<AvgArgs> = avg_pool_op(1, r => [[r(2, 3, 8), 3, 2, 1]])
/** The mean of each window; `stride` defaults to the window's size. */
export const avg_pool2d: Op<AvgArgs> = avg_pool_op(2, r => [
  [r(1, 2, 6, 6), 2],
  [r(2, 7, 7), 3, 2, 1, true, false],
])
