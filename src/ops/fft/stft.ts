// Short-time Fourier transforms: of windows that move over a signal (stft), and back by adding them up (istft).
// Not here: the transforms themselves (primitives.ts).
import { RuntimeError } from '../../base/errors.ts'
import { warn } from '../../base/warn.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { complex, view_as_complex, view_as_real } from '../complex_parts.ts'
import { full } from '../creation.ts'
import { composite, type Op } from '../define/op.ts'
import { scalar_name } from '../define/out.ts'
import { fold } from '../nn/fold.ts'
import { constant_pad_nd, pad } from '../nn/pad.ts'
import { fft_c2c, fft_c2r, fft_r2c } from './primitives.ts'

/** A value as PyTorch writes it in the errors of these functions. */
const said = (value: number | boolean | null): string => (value === null ? 'None' : String(Number(value)))
const said_window = (window: Tensor | null): string =>
  window === null ? 'None' : `torch.${window.dtype.tensor_type}{[${window.sizes.join(', ')}]}`
/** `torch.FloatTensor[3, 4]`; of complex tensors C++'s name. */
function said_tensor(t: Tensor): string {
  const type = t.dtype.is_complex ? `CPU${scalar_name(t.dtype)}Type` : `torch.${t.dtype.tensor_type}`
  return `${type}[${t.sizes.join(', ')}]`
}

const size_of = (t: Tensor, dim: number): number => {
  const size = t.sizes.at(dim)
  if (size === undefined) t.size(dim) // throws
  return size as number
}

/** A window as long as a transform: ones if there is none, with zeros around it. */
function centered(window: Tensor | null, like: Tensor, win_length: number, n_fft: number): Tensor | null {
  if (win_length === n_fft) return window
  const left = Math.floor((n_fft - win_length) / 2)
  const given = window ?? full([win_length], 1, { dtype: like.dtype })
  return constant_pad_nd(given, [left, n_fft - win_length - left])
}

type StftOptions = {
  n_fft?: number
  hop_length?: number | null
  win_length?: number | null
  window?: Tensor | null
  center?: boolean
  pad_mode?: string
  normalized?: boolean
  onesided?: boolean | null
  return_complex?: boolean | null
}
type Stft = [
  self: Tensor,
  n_fft: number | (StftOptions & { n_fft: number }),
  hop_length?: number | null | StftOptions,
  win_length?: number | null | StftOptions,
  window?: Tensor | null | StftOptions,
  center?: boolean | StftOptions,
  pad_mode?: string | StftOptions,
  normalized?: boolean | StftOptions,
  onesided?: boolean | null | StftOptions,
  return_complex?: boolean | null | StftOptions,
]

/** The Fourier transforms of windows of `n_fft` elements, `hop_length` apart: [..., frequency, window]. */
export const stft: Op<Stft> = composite<Stft>(
  "stft(Tensor self, int n_fft, int? hop_length=None, int? win_length=None, Tensor? window=None, bool center=True, str pad_mode='reflect', bool normalized=False, bool? onesided=None, bool? return_complex=None)",
  {
    body(
      self: Tensor,
      n_fft: number,
      hop_given: number | null,
      win_given: number | null,
      window: Tensor | null,
      center: boolean,
      pad_mode: string,
      normalized: boolean,
      onesided_given: boolean | null,
      complex_given: boolean | null,
    ) {
      const hop_length = hop_given ?? n_fft >> 2
      const win_length = win_given ?? n_fft
      let x = self
      if (center) {
        const around = Math.trunc(n_fft / 2)
        const ndim = self.sizes.length
        const shape = [...Array<number>(Math.max(3 - ndim, 0)).fill(1), ...self.sizes]
        const padded = pad(self.reshape(shape), [around, around], pad_mode)
        x = padded.reshape(ndim === 0 ? padded.sizes : padded.sizes.slice(-ndim))
      }
      const fail = (problem: string): never => {
        throw new RuntimeError(
          `stft(${said_tensor(x)}, n_fft=${n_fft}, hop_length=${hop_length}, win_length=${win_length}, window=${said_window(window)}, ` +
            `normalized=${said(normalized)}, onesided=${said(onesided_given)}, return_complex=${said(complex_given)}) : ${problem}`,
        )
      }
      const return_complex = complex_given ?? (x.dtype.is_complex || (window?.dtype.is_complex ?? false))
      if (complex_given === null && !return_complex)
        warn(
          'stft will soon require the return_complex parameter be given for real inputs, and will further require that return_complex=True in a future PyTorch release.',
        )
      if (!x.dtype.is_floating_point && !x.dtype.is_complex)
        fail('expected a tensor of floating point or complex values')
      const ndim = x.sizes.length
      if (ndim < 1 || ndim > 2) fail('expected a 1D or 2D tensor')
      const length = x.sizes.at(-1)!
      if (n_fft <= 0 || n_fft > length) fail(`expected 0 < n_fft < ${length}, but got n_fft=${win_length}`)
      if (hop_length <= 0) fail(`expected hop_length > 0, but got hop_length=${hop_length}`)
      if (win_length <= 0 || win_length > n_fft)
        fail(`expected 0 < win_length <= n_fft, but got win_length=${win_length}`)
      if (window && (window.sizes.length !== 1 || window.sizes[0] !== win_length))
        fail(
          `expected a 1D window tensor of size equal to win_length=${win_length}, but got window with size [${window.sizes.join(', ')}]`,
        )
      const whole_window = centered(window, x, win_length, n_fft)
      const frames = x.unfold(-1, n_fft, hop_length)
      const shown = whole_window === null ? frames : frames.mul(whole_window)
      const onesided = onesided_given ?? !shown.dtype.is_complex
      if (shown.dtype.is_complex && onesided)
        throw new RuntimeError('Cannot have onesided output if window or input is complex')
      const scale = normalized ? 'root' : 'none'
      const result = shown.dtype.is_complex
        ? fft_c2c(shown, [ndim], scale, true)
        : fft_r2c(shown, [ndim], scale, onesided)
      const by_frequency = result.transpose(-1, -2)
      return return_complex ? by_frequency : view_as_real(by_frequency)
    },
    out: false,
  },
)

/** Pieces [channel, piece, n] added up, each `hop` after the one before: [channel, length]. */
function overlap_added(pieces: Tensor, hop: number): Tensor {
  if (pieces.dtype.is_complex) {
    const parts = view_as_real(pieces.contiguous()).unbind(-1) as Tensor[]
    const [re, im] = parts.map(part => overlap_added(part, hop)) as [Tensor, Tensor]
    return complex(re, im)
  }
  const [, count, n] = pieces.sizes as [number, number, number]
  const length = n + hop * (count - 1)
  return fold(pieces.transpose(1, 2), [1, length], [1, n], [1, 1], [0, 0], [1, hop]).flatten(1)
}

type IstftOptions = Omit<StftOptions, 'pad_mode' | 'return_complex'> & {
  length?: number | null
  return_complex?: boolean
}
type Istft = [
  self: Tensor,
  n_fft: number | (IstftOptions & { n_fft: number }),
  hop_length?: number | null | IstftOptions,
  win_length?: number | null | IstftOptions,
  window?: Tensor | null | IstftOptions,
  center?: boolean | IstftOptions,
  normalized?: boolean | IstftOptions,
  onesided?: boolean | null | IstftOptions,
  length?: number | null | IstftOptions,
  return_complex?: boolean | IstftOptions,
]

/** The signal whose {@link stft} comes nearest: windows are transformed back, added up and divided by their weights. */
export const istft: Op<Istft> = composite<Istft>(
  'istft(Tensor self, int n_fft, int? hop_length=None, int? win_length=None, Tensor? window=None, bool center=True, bool normalized=False, bool? onesided=None, int? length=None, bool return_complex=False)',
  {
    body(
      self: Tensor,
      n_fft: number,
      hop_given: number | null,
      win_given: number | null,
      window: Tensor | null,
      center: boolean,
      normalized: boolean,
      onesided_given: boolean | null,
      length: number | null,
      return_complex: boolean,
    ) {
      const hop_length = hop_given ?? n_fft >> 2
      const win_length = win_given ?? n_fft
      const describe = (): string =>
        `istft(${said_tensor(self)}, n_fft=${n_fft}, hop_length=${hop_length}, win_length=${win_length}, window=${said_window(window)}, ` +
        `center=${said(center)}, normalized=${said(normalized)}, onesided=${said(onesided_given)}, length=${said(length)}, return_complex=${said(return_complex)}) `
      const fail = (problem: string): never => {
        throw new RuntimeError(`${describe()}: ${problem}`)
      }
      if (!self.dtype.is_complex)
        warn(
          'istft will require a complex-valued input tensor in a future PyTorch release. Matching the output from stft with return_complex=True. ',
        )
      const pairs = self.dtype.is_complex ? [...self.sizes, 2] : self.sizes
      const real_ndim = pairs.length
      const fft_size = self.dtype.is_complex ? size_of(self, -2) : size_of(self, -3)
      const frames = pairs.at(-2)!
      if (self.count === 0) fail('input tensor cannot be empty.')
      if (real_ndim !== 3 && real_ndim !== 4)
        fail(`expected a tensor with 3 or 4 dimensions, but got ${real_ndim}`)
      if (pairs.at(-1) !== 2)
        fail(
          `expected the last dimension to be 2 (corresponding to real and imaginary parts), but got ${pairs.at(-1)}`,
        )
      const onesided = onesided_given ?? fft_size !== n_fft
      const wanted = onesided ? Math.floor(n_fft / 2) + 1 : n_fft
      if (fft_size !== wanted)
        fail(
          `expected the frequency dimension (3rd to the last) of the input tensor to match ${onesided ? 'n_fft / 2 + 1 when onesided=True' : 'n_fft when onsided=False'}, but got ${fft_size}`,
        )
      if (hop_length <= 0 || hop_length > win_length) fail('expected 0 < hop_length <= win_length')
      if (win_length <= 0 || win_length > n_fft) fail('expected 0 < win_length <= n_fft')
      if (window && (window.sizes.length !== 1 || window.sizes[0] !== win_length))
        fail('Invalid window shape. window has to be 1D and length of `win_length`')

      const signal = self.dtype.is_complex ? self : view_as_complex(self.contiguous())
      const spectrum = (real_ndim === 3 ? signal.unsqueeze(0) : signal).transpose(1, 2)
      const scale = normalized ? 'root' : 'count'
      if (return_complex && onesided)
        throw new RuntimeError('Cannot have onesided output if window or input is complex')
      if (!return_complex && window?.dtype.is_complex)
        throw new RuntimeError('Complex windows are incompatible with return_complex=False')
      const half = Math.floor(n_fft / 2) + 1
      const pieces = return_complex
        ? fft_c2c(spectrum, [2], scale, false)
        : fft_c2r(onesided ? spectrum : spectrum.narrow(2, 0, half), [2], scale, n_fft)

      const ones = window ?? full([win_length], 1, { dtype: signal.real.dtype })
      const weights = centered(ones, signal, win_length, n_fft) as Tensor
      const sum = overlap_added(pieces.mul(weights), hop_length)
      const squares = weights.pow(2).expand(1, frames, n_fft)
      const envelope = overlap_added(squares.contiguous(), hop_length)
      const whole = n_fft + hop_length * (frames - 1)
      const start = center ? Math.floor(n_fft / 2) : 0
      const end = length !== null ? start + length : center ? whole - Math.floor(n_fft / 2) : whole
      const count = Math.max(Math.min(end, whole) - start, 0)
      const own = envelope.narrow(1, start, count)
      if ((own.abs().min().item() as number) < 1e-11)
        throw new RuntimeError(`${describe()}window overlap add min: 1\n[ CPUBoolType{} ]`)
      const result = sum.narrow(1, start, count).div(own)
      const flat = real_ndim === 3 ? result.squeeze(0) : result
      if (end <= whole) return flat
      warn(
        'The length of signal is shorter than the length parameter. Result is being padded with zeros in the tail. Please check your center, hop_length and length parameters.',
      )
      return constant_pad_nd(flat, [0, end - whole])
    },
    out: false,
  },
)
