// torch.fft: Fourier transforms of one, two and all dimensions, with PyTorch's arguments, defaults and errors. Each
// brings its input to the lengths that are asked for and calls one of three primitives (fft/primitives.ts), which
// autograd knows. Not here: the arithmetic (fft/transform.ts), transforms of pieces of a signal (fft/stft.ts).
import { type DType, get_default_dtype, to_complex_dtype } from '../base/dtype.ts'
import { RuntimeError } from '../base/errors.ts'
import { wrap_dim } from '../base/shape.ts'
import { type PlaceLike, require_available } from '../tensor/place.ts'
import { bind_one, parse_schema, type Schema } from '../tensor/schema.ts'
import type { Tensor } from '../tensor/tensor.ts'
import { arange } from './creation.ts'
import { add_out, composite, make_op, type Op, refuse_out_with_grad, without_recording } from './define/op.ts'
import { scalar_name, write_out } from './define/out.ts'
import { is_integral } from './define/rules.ts'
import { fft_c2c, fft_c2r, fft_r2c, type Scale, scale_of } from './fft/primitives.ts'
import { cat } from './join.ts'
import { constant_pad_nd } from './nn/pad.ts'
import { roll } from './repeat.ts'

type Norm = 'forward' | 'backward' | 'ortho' | null
type Options = { n?: number | null; dim?: number; norm?: Norm; out?: Tensor }
type Sizes = number | readonly number[]
type OptionsN = { s?: Sizes | null; dim?: Sizes | null; norm?: Norm; out?: Tensor }
type One = [
  input: Tensor,
  n?: number | null | Options,
  dim?: number | Options,
  norm?: Norm | Options,
  o?: Options,
]
type Many = [
  input: Tensor,
  s?: Sizes | null | OptionsN,
  dim?: Sizes | null | OptionsN,
  norm?: Norm | OptionsN,
  o?: OptionsN,
]

// ---------------------------------------------------------------------------------------------- inputs

/** The input in a dtype that has transforms: integers become the default dtype. */
function promoted(x: Tensor, complex: boolean): Tensor {
  if (x.dtype.is_complex) return x
  const dtype = is_integral(x.dtype) ? get_default_dtype() : x.dtype
  if (dtype.itemsize < 4) throw new RuntimeError(`Unsupported dtype ${scalar_name(dtype)}`)
  return x.to(complex ? to_complex_dtype(dtype) : dtype)
}

function require_real(x: Tensor, message: (dtype: string) => string): void {
  if (x.dtype.is_complex) throw new RuntimeError(message(scalar_name(x.dtype)))
}

function require_points(n: number): void {
  if (n < 1) throw new RuntimeError(`Invalid number of data points (${n}) specified`)
}

/** `x` cut off or filled with zeros to `sizes` in `dims`. */
function resized(x: Tensor, dims: readonly number[], sizes: readonly number[]): Tensor {
  const padding = x.sizes.flatMap(() => [0, 0])
  let result = x
  dims.forEach((d, i) => {
    const [have, want] = [x.sizes[d]!, sizes[i]!]
    if (have < want) padding[padding.length - 2 * d - 1] = want - have
    if (have > want) result = result.narrow(d, 0, want)
  })
  return padding.some(n => n > 0) ? constant_pad_nd(result, padding) : result
}

// ---------------------------------------------------------------------------------------------- declarations

/** Declares a transform whose `out` is complex or real, and is refused otherwise. */
function declare<A extends readonly unknown[]>(
  signature: string,
  result: 'complex' | 'real',
  body: (name: string, input: Tensor, n: never, dim: never, norm: string | null) => Tensor,
): Op<A> {
  const schema: Schema = parse_schema(signature)
  const takes_out = parse_schema(add_out(signature))
  const name = schema.name.slice('fft_'.length)
  type Values = [input: Tensor, n: never, dim: never, norm: string | null]
  const run = (values: Values): Tensor => body(name, ...values)
  return make_op<A, Tensor>(
    (...args: A) => {
      const values = bind_one(takes_out, args)
      const out = values.pop() as Tensor | null
      if (out === null) return run(values as Values)
      const fits = result === 'complex' ? out.dtype.is_complex : out.dtype.is_floating_point
      const many = name.endsWith('2') ? `${name.slice(0, -1)}n` : name
      const expected = result === 'complex' ? 'complex' : 'floating point'
      if (!fits)
        throw new RuntimeError(
          `${many} expects a ${expected} output tensor, but got ${scalar_name(out.dtype)}`,
        )
      refuse_out_with_grad(schema.name, [values[0] as Tensor], out)
      return write_out(
        schema.name,
        out,
        without_recording(() => run(values as Values)),
      )
    },
    {
      name: schema.name,
      schemas: [schema],
      samples: undefined,
      out: true,
      differentiable: true,
      run: values => run(values as Values),
    },
  )
}

type One1D = (name: string, input: Tensor, n: number | null, dim: number, norm: string | null) => Tensor
type ManyD = (
  name: string,
  input: Tensor,
  s: readonly number[] | null,
  dim: readonly number[] | null,
  norm: string | null,
) => Tensor

const one = (name: string, result: 'complex' | 'real', body: One1D): Op<One> =>
  declare<One>(`fft_${name}(Tensor self, int? n=None, int dim=-1, str? norm=None)`, result, body)
const two = (name: string, result: 'complex' | 'real', body: ManyD): Op<Many> =>
  declare<Many>(`fft_${name}(Tensor self, int[]? s=None, int[]? dim=[-2, -1], str? norm=None)`, result, body)
const many = (name: string, result: 'complex' | 'real', body: ManyD): Op<Many> =>
  declare<Many>(`fft_${name}(Tensor self, int[]? s=None, int[]? dim=None, str? norm=None)`, result, body)

// ---------------------------------------------------------------------------------------------- one dimension

/** A transform of a complex or real signal to a complex one. */
const to_complex =
  (forward: boolean): One1D =>
  (_, input, n, dim, norm) => {
    const x = promoted(input, false)
    const d = wrap_dim(dim, x.sizes.length)
    const points = n ?? x.sizes[d] ?? 0
    require_points(points)
    const sized = resized(x, [d], [points])
    const scale = scale_of(norm, forward)
    if (x.dtype.is_complex) return fft_c2c(sized, [d], scale, forward)
    const result = fft_r2c(sized, [d], scale, false)
    return forward ? result : result.conj()
  }

/** A transform of a real signal to the first half of its transform. */
const real_to_half =
  (forward: boolean): One1D =>
  (name, input, n, dim, norm) => {
    require_real(input, dtype => `${name} expects a real input tensor, but got ${dtype}`)
    const x = promoted(input, false)
    const d = wrap_dim(dim, x.sizes.length)
    const points = n ?? x.sizes[d] ?? 0
    require_points(points)
    const result = fft_r2c(resized(x, [d], [points]), [d], scale_of(norm, forward), true)
    return forward ? result : result.conj()
  }

/** A transform of the first half of a Hermitian signal to a real one. */
const half_to_real =
  (forward: boolean): One1D =>
  (_, input, n, dim, norm) => {
    const x = promoted(input, true)
    const d = wrap_dim(dim, x.sizes.length)
    const points = n ?? 2 * ((x.sizes[d] ?? 0) - 1)
    require_points(points)
    const sized = resized(x, [d], [Math.floor(points / 2) + 1])
    return fft_c2r(forward ? sized.conj() : sized, [d], scale_of(norm, forward), points)
  }

/** The discrete Fourier transform along `dim`, of `n` elements. */
export const fft: Op<One> = one('fft', 'complex', to_complex(true))
/** The inverse of {@link fft}. */
export const ifft: Op<One> = one('ifft', 'complex', to_complex(false))
/** The first half of {@link fft} of a real signal; the second is its conjugate. */
export const rfft: Op<One> = one('rfft', 'complex', real_to_half(true))
/** The inverse of {@link rfft}; `n` is the length of the result. */
export const irfft: Op<One> = one('irfft', 'real', half_to_real(false))
/** {@link fft} of a Hermitian signal, given by its first half: it is real. */
export const hfft: Op<One> = one('hfft', 'real', half_to_real(true))
/** The inverse of {@link hfft}. */
export const ihfft: Op<One> = one('ihfft', 'complex', real_to_half(false))

// ---------------------------------------------------------------------------------------------- several dimensions

/** Lengths and dimensions where either or both are given. */
function lengths(
  x: Tensor,
  s: readonly number[] | null,
  dim: readonly number[] | null,
): { dims: number[]; sizes: number[] } {
  const ndim = x.sizes.length
  let dims = dim?.map(d => wrap_dim(d, ndim))
  if (dims && new Set(dims).size < dims.length) throw new RuntimeError('FFT dims must be unique')
  if (s !== null) {
    if (dims && dims.length !== s.length)
      throw new RuntimeError('When given, dim and shape arguments must have the same length')
    if (s.length > ndim)
      throw new RuntimeError(
        `Got shape with ${s.length} values but input tensor only has ${ndim} dimensions.`,
      )
    dims ??= s.map((_, i) => ndim - s.length + i)
  }
  dims ??= x.sizes.map((_, d) => d)
  const sizes = dims.map((d, i) => (s === null || s[i] === -1 ? (x.sizes[d] ?? 0) : s[i]!))
  for (const n of sizes) require_points(n)
  return { dims, sizes }
}

function require_axis(name: string, dims: readonly number[]): void {
  if (dims.length === 0) throw new RuntimeError(`${name} must transform at least one axis`)
}

const many_to_complex =
  (forward: boolean): ManyD =>
  (_, input, s, dim, norm) => {
    const { dims, sizes } = lengths(input, s, dim)
    const x = promoted(input, true)
    return fft_c2c(resized(x, dims, sizes), dims, scale_of(norm, forward), forward)
  }

const many_rfft: ManyD = (_, input, s, dim, norm) => {
  require_real(input, dtype => `rfftn expects a real-valued input tensor, but got ${dtype}`)
  const { dims, sizes } = lengths(input, s, dim)
  require_axis('rfftn', dims)
  return fft_r2c(resized(promoted(input, false), dims, sizes), dims, scale_of(norm, true), true)
}

const many_ihfft: ManyD = (_, input, s, dim, norm) => {
  require_real(
    input,
    () =>
      'Expected self.is_floating_point() to be true, but got false.  (Could this error message be improved?  If so, please report an enhancement request to PyTorch.)',
  )
  const { dims, sizes } = lengths(input, s, dim)
  require_axis('ihfftn', dims)
  const scale = scale_of(norm, false)
  const half = fft_r2c(resized(promoted(input, false), dims, sizes), dims.slice(-1), scale, true).conj()
  return dims.length === 1 ? half : fft_c2c(half, dims.slice(0, -1), scale, false)
}

/** The input of a transform to a real signal, and the length of that in the last dimension. */
function half_signal(
  name: string,
  input: Tensor,
  s: readonly number[] | null,
  dim: readonly number[] | null,
): { x: Tensor; dims: number[]; last: number } {
  const { dims, sizes } = lengths(input, s, dim)
  require_axis(name, dims)
  const given = s === null ? -1 : s.at(-1)!
  const last = given === -1 ? 2 * (input.sizes[dims.at(-1)!]! - 1) : given
  require_points(last)
  sizes[sizes.length - 1] = Math.floor(last / 2) + 1
  return { x: resized(promoted(input, true), dims, sizes), dims, last }
}

const many_irfft: ManyD = (_, input, s, dim, norm) => {
  const { x, dims, last } = half_signal('irfftn', input, s, dim)
  return fft_c2r(x, dims, scale_of(norm, false), last)
}

const many_hfft: ManyD = (_, input, s, dim, norm) => {
  const { x, dims, last } = half_signal('hfftn', input, s, dim)
  const scale: Scale = scale_of(norm, true)
  const across = dims.length > 1 ? fft_c2c(x, dims.slice(0, -1), scale, true) : x
  return fft_c2r(across.conj(), dims.slice(-1), scale, last)
}

/** {@link fft} along the dimensions `dim`, of `s` elements. */
export const fftn: Op<Many> = many('fftn', 'complex', many_to_complex(true))
/** The inverse of {@link fftn}. */
export const ifftn: Op<Many> = many('ifftn', 'complex', many_to_complex(false))
/** {@link fftn} of a real signal, without what is the conjugate of the rest in the last dimension. */
export const rfftn: Op<Many> = many('rfftn', 'complex', many_rfft)
/** The inverse of {@link rfftn}; `s` are the sizes of the result. */
export const irfftn: Op<Many> = many('irfftn', 'real', many_irfft)
/** {@link fftn} of a signal that is Hermitian in its last dimension. */
export const hfftn: Op<Many> = many('hfftn', 'real', many_hfft)
/** The inverse of {@link hfftn}. */
export const ihfftn: Op<Many> = many('ihfftn', 'complex', many_ihfft)
/** {@link fftn} of the last two dimensions. */
export const fft2: Op<Many> = two('fft2', 'complex', many_to_complex(true))
/** {@link ifftn} of the last two dimensions. */
export const ifft2: Op<Many> = two('ifft2', 'complex', many_to_complex(false))
/** {@link rfftn} of the last two dimensions. */
export const rfft2: Op<Many> = two('rfft2', 'complex', many_rfft)
/** {@link irfftn} of the last two dimensions. */
export const irfft2: Op<Many> = two('irfft2', 'real', many_irfft)
/** {@link hfftn} of the last two dimensions. */
export const hfft2: Op<Many> = two('hfft2', 'real', many_hfft)
/** {@link ihfftn} of the last two dimensions. */
export const ihfft2: Op<Many> = two('ihfft2', 'complex', many_ihfft)

// ---------------------------------------------------------------------------------------------- frequencies, order

type CreateOptions = {
  d?: number
  dtype?: DType
  device?: PlaceLike
  requires_grad?: boolean
  out?: Tensor
}
type Frequencies = [n: number, d?: number | CreateOptions, opts?: CreateOptions]

const frequencies = (name: string, indices: (n: number, dtype: DType) => Tensor): Op<Frequencies> => {
  const signature = `fft_${name}(int n, float d=1.0, *, dtype? dtype=None, any layout=None, device? device=None, bool pin_memory=False, bool requires_grad=False, Tensor? out=None)`
  const schema = parse_schema(signature)
  return make_op<Frequencies, Tensor>(
    (...args) => {
      const values = bind_one(schema, args) as unknown[]
      const [n, d, given, , device, , requires_grad, out] = values as [
        number,
        number,
        DType | null,
        unknown,
        PlaceLike | null,
        boolean,
        boolean,
        Tensor | null,
      ]
      require_available(device)
      const dtype = given ?? out?.dtype ?? get_default_dtype()
      if (is_integral(dtype)) throw new RuntimeError(`${name} requires a floating point or complex dtype`)
      if (dtype.is_complex) throw new RuntimeError(`"arange_cpu" not implemented for '${scalar_name(dtype)}'`)
      const result = indices(n, dtype).mul(1 / (n * d))
      return out === null ? result.requires_grad_(requires_grad) : write_out(schema.name, out, result)
    },
    { name: schema.name, schemas: [schema], samples: undefined, differentiable: false },
  )
}

/** The frequencies of the elements of {@link fft} of `n` samples that are `d` apart. */
export const fftfreq: Op<Frequencies> = frequencies('fftfreq', (n, dtype) => {
  if (n < 0) throw new RuntimeError(`Trying to create tensor with negative dimension ${n}: [${n}]`)
  const half = Math.floor(n / 2)
  return cat([arange(n - half, { dtype }), arange(-half, 0, { dtype })])
})

/** The frequencies of the elements of {@link rfft} of `n` samples that are `d` apart. */
export const rfftfreq: Op<Frequencies> = frequencies('rfftfreq', (n, dtype) =>
  arange(Math.trunc(n / 2) + 1, { dtype }),
)

type Shift = [input: Tensor, dim?: Sizes | null | { dim?: Sizes | null }]

const shift = (name: string, by: (size: number) => number): Op<Shift> =>
  composite<Shift>(`fft_${name}(Tensor self, int[]? dim=None)`, {
    body: (self: Tensor, dim: number[] | null) => {
      const dims = (dim ?? self.sizes.map((_, d) => d)).map(d => wrap_dim(d, self.sizes.length))
      return roll(
        self,
        dims.map(d => by(self.sizes[d]!)),
        dims,
      )
    },
    out: false,
  })

/** Moves the element of frequency zero to the middle. */
export const fftshift: Op<Shift> = shift('fftshift', n => Math.floor(n / 2))
/** The inverse of {@link fftshift}. */
export const ifftshift: Op<Shift> = shift('ifftshift', n => Math.floor((n + 1) / 2))
