// The three transforms that all others are made of, as differentiable ops, and their scales: complex to complex, real
// to complex, complex to real. The derivative of each is one of them. Not here: how they are computed (transform.ts),
// lengths and defaults (../fft.ts).
import { RuntimeError } from '../../base/errors.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { dense } from '../define/copy.ts'
import { op } from '../define/op.ts'
import { constant_pad_nd } from '../nn/pad.ts'
import { transform } from './transform.ts'

/** What results are divided by: nothing, the square root of the number of elements, or that number. */
export type Scale = 'none' | 'root' | 'count'

/** The scale that a `norm` argument asks for. */
export function scale_of(norm: string | null, forward: boolean): Scale {
  if (norm === null || norm === 'backward') return forward ? 'none' : 'count'
  if (norm === 'forward') return forward ? 'count' : 'none'
  if (norm === 'ortho') return 'root'
  throw new RuntimeError(`Invalid normalization mode: "${norm}"`)
}

function factor(scale: Scale, count: number): number {
  return scale === 'none' ? 1 : scale === 'root' ? 1 / Math.sqrt(count) : 1 / count
}

const elements = (t: Tensor, dims: readonly number[]): number =>
  dims.reduce((product, d) => product * t.sizes[d]!, 1)

/** Complex transforms along `dims`, one after the other; the result of the last is multiplied by `by`. */
function along_each(x: Tensor, dims: readonly number[], forward: boolean, by: number): Tensor {
  let result = x
  dims.forEach((dim, i) => {
    const last = i === dims.length - 1
    result = transform(result, dim, 'c2c', { n: x.sizes[dim]!, forward, scale: last ? by : 1, all: true })
  })
  return result
}

type C2C = [self: Tensor, dim: readonly number[], scale: Scale, forward: boolean]
/** The transform of a complex signal. */
export const fft_c2c: (...args: C2C) => Tensor = op<C2C, C2C, Tensor>(
  '_fft_c2c(Tensor self, int[] dim, str scale, bool forward)',
  {
    node: 'FftC2CBackward0',
    forward(self, dim, scale, forward) {
      if (dim.length === 0) return dense(self).clone()
      return along_each(self, [...dim].reverse(), forward, factor(scale, elements(self, dim)))
    },
    backward: { self: (g, [, dim, scale, forward]) => fft_c2c(g, dim, scale, !forward) },
  },
)

type R2C = [self: Tensor, dim: readonly number[], scale: Scale, onesided: boolean]
/** The transform of a real signal; `onesided`: without what is the conjugate of the rest, in the last of `dim`. */
export const fft_r2c: (...args: R2C) => Tensor = op<R2C, R2C, Tensor>(
  '_fft_r2c(Tensor self, int[] dim, str scale, bool onesided)',
  {
    node: 'FftR2CBackward0',
    forward(self, dim, scale, onesided) {
      const last = dim.at(-1)!
      const by = factor(scale, elements(self, dim))
      const n = self.sizes[last]!
      const first = { n, forward: true, scale: dim.length === 1 ? by : 1, all: !onesided }
      return along_each(transform(self, last, 'r2c', first), dim.slice(0, -1), true, by)
    },
    backward: {
      self(g, [self, dim, scale, onesided]) {
        const last = dim.at(-1)!
        const missing = self.sizes[last]! - g.sizes[last]!
        const padding = [
          ...g.sizes
            .slice(last)
            .fill(0)
            .flatMap(zero => [zero, zero]),
        ]
        padding[padding.length - 1] = missing
        const whole = onesided && missing > 0 ? constant_pad_nd(g, padding) : g
        return fft_c2c(whole, dim, scale, false).real
      },
    },
  },
)

type C2R = [self: Tensor, dim: readonly number[], scale: Scale, last_dim_size: number]
/** The inverse transform to a real signal with `last_dim_size` elements in the last of `dim`. */
export const fft_c2r: (...args: C2R) => Tensor = op<C2R, C2R, Tensor>(
  '_fft_c2r(Tensor self, int[] dim, str scale, int last_dim_size)',
  {
    node: 'FftC2RBackward0',
    forward(self, dim, scale, n) {
      const last = dim.at(-1)!
      const others = dim.slice(0, -1)
      const by = factor(scale, elements(self, others) * n)
      const whole = along_each(self, others, false, 1)
      return transform(whole, last, 'c2r', { n, forward: false, scale: by, all: true })
    },
    backward: {
      self(g, [, dim, scale, n]) {
        const last = dim.at(-1)!
        const half = fft_r2c(g, dim, scale, true)
        // what stands for two elements of the whole signal counts twice
        const twice = g.new_ones(half.sizes.map((size, d) => (d === last ? size : 1)))
        const paired = Math.floor((n - 1) / 2)
        if (paired > 0) twice.narrow(last, 1, paired).fill_(2)
        return half.mul(twice)
      },
    },
  },
)
