// Windows for signals: bartlett, blackman, hamming, hann, kaiser. A periodic window is the symmetric one of a length more,
// without its last element. Not here: what they are multiplied with (fft/stft.ts).
import { type DType, get_default_dtype } from '../base/dtype.ts'
import { RuntimeError } from '../base/errors.ts'
import type { PlaceLike } from '../tensor/place.ts'
import type { Tensor } from '../tensor/tensor.ts'
import { arange, full, ones, zeros } from './creation.ts'
import { CREATE, type CreateOptions } from './define/create.ts'
import { composite, type Op } from './define/op.ts'

/** What the dtypes that are no windows' are called in C++, where PyTorch's message comes from. */
const c_names: Readonly<Record<string, string>> = {
  bool: 'bool',
  uint8: 'unsigned char',
  int8: 'signed char',
  int16: 'short int',
  int32: 'int',
  int64: 'long int',
}

/** A window of elements 0 to `last`, from their numbers. */
type Shape = (n: Tensor, last: number, ...parameters: number[]) => Tensor

type Values = readonly [DType | null, unknown, PlaceLike | null, boolean, boolean]

/** Declares a window. `parameters` are those that it has beside its length. */
function window<A extends readonly unknown[]>(name: string, parameters: string, shape: Shape): Op<A> {
  const count = parameters === '' ? 0 : parameters.split(',').length
  const signature = `${name}(int window_length, bool periodic=True, ${parameters === '' ? '' : `${parameters}, `}${CREATE})`
  return composite<A>(signature, {
    body(length: number, periodic: boolean, ...rest: unknown[]): Tensor {
      const own = rest.slice(0, count) as number[]
      const [given, , device, , requires_grad] = rest.slice(count) as unknown as Values
      const dtype = given ?? get_default_dtype()
      if (!dtype.is_floating_point && !dtype.is_complex)
        throw new RuntimeError(
          `${name} expects floating point dtypes, got: TensorOptions(dtype=${c_names[dtype.name]}, device=cpu, layout=Strided (default), requires_grad=false (default), pinned_memory=false, memory_format=(nullopt))`,
        )
      if (length < 0)
        throw new RuntimeError(`${name} requires non-negative window_length, got window_length=${length}`)
      const options = { dtype, device }
      const made =
        length === 0
          ? zeros([0], options)
          : length === 1
            ? ones([1], options)
            : shape(arange(periodic ? length + 1 : length, options), periodic ? length : length - 1, ...own)
      return (periodic && length > 1 ? made.narrow(0, 0, length) : made).requires_grad_(requires_grad)
    },
    out: false,
  })
}

type Simple = [window_length: number, periodic?: boolean | PeriodicOptions, opts?: PeriodicOptions]
type PeriodicOptions = CreateOptions & { periodic?: boolean }
type HammingOptions = PeriodicOptions & { alpha?: number; beta?: number }
type KaiserOptions = PeriodicOptions & { beta?: number }

/** A triangle: 0 at the ends, 1 in the middle. */
export const bartlett_window: Op<Simple> = window('bartlett_window', '', (n, last) => {
  const rising = n.mul(2 / last)
  return rising.minimum(rising.neg().add(2))
})

const raised_cosine: Shape = (n, last, alpha, beta) =>
  n
    .mul((2 * Math.PI) / last)
    .cos()
    .mul(-beta!)
    .add(alpha!)

/** (1 - cos(2 pi n / N)) / 2: a raised cosine that ends in zeros. */
export const hann_window: Op<Simple> = window('hann_window', '', (n, last) =>
  raised_cosine(n, last, 0.5, 0.5),
)

/** alpha - beta cos(2 pi n / N): a raised cosine that does not end in zeros. */
export const hamming_window: Op<
  [
    window_length: number,
    periodic?: boolean | HammingOptions,
    alpha?: number | HammingOptions,
    beta?: number | HammingOptions,
    opts?: HammingOptions,
  ]
> = window('hamming_window', 'float alpha=0.54, float beta=0.46', raised_cosine)

/** 0.42 - 0.5 cos(2 pi n / N) + 0.08 cos(4 pi n / N). */
export const blackman_window: Op<Simple> = window('blackman_window', '', (n, last) => {
  const turns = n.mul(Math.PI / last)
  return turns.mul(4).cos().mul(0.08).sub(turns.mul(2).cos().mul(0.5)).add(0.42)
})

/** I0(beta sqrt(1 - (2 n / N - 1)^2)) / I0(beta), with the Bessel function I0. */
export const kaiser_window: Op<
  [
    window_length: number,
    periodic?: boolean | KaiserOptions,
    beta?: number | KaiserOptions,
    opts?: KaiserOptions,
  ]
> = window('kaiser_window', 'float beta=12.0', (n, last, beta) => {
  const away = n.sub(last / 2).div(last / 2)
  const root = away.mul(away).neg().add(1).sqrt()
  return root
    .mul(beta!)
    .i0()
    .div(full([], beta!, { dtype: n.dtype }).i0())
})
