// Convolution in one to three dimensions and its transpose, over the device's routine; each gradient is again a
// convolution, and complex ones are three real ones. Not here: the routine (device/), im2col (fold.ts), depths as images
// (conv_depth.ts).
import { type DType, float16, float32, float64 } from '../../base/dtype.ts'
import { RuntimeError } from '../../base/errors.ts'
import type { ConvProblem, Operand } from '../../device/device.ts'
import { cpu_device, empty } from '../../tensor/dispatch.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { complex, imag, real } from '../complex_parts.ts'
import { dense, dense_as } from '../define/copy.ts'
import { type Op, op, overloaded } from '../define/op.ts'
import { window } from '../define/space.ts'
import { type Depths, fold_depths, images_of, unfold_depths } from './conv_depth.ts'
import { constant_pad_nd } from './pad.ts'

type Pair = readonly [number, number]

/** Everything but the tensors, for two dimensions. */
type Geometry = { stride: Pair; padding: Pair; dilation: Pair; groups: number }

type Role = 'input' | 'weight' | 'output' | 'bias'

/** A tensor with a height of one where it has none: the routine works in two dimensions. */
const lift = (t: Operand): Operand =>
  t.sizes.length === 4
    ? t
    : window(t, t.sizes.toSpliced(2, 0, 1), t.strides.toSpliced(2, 0, t.sizes[2]! * t.strides[2]!))

/** Runs the routine on 3-d or 4-d tensors; makes the operand that `kind` writes, of the given sizes, plus a bias if given. */
function run(
  kind: ConvProblem['kind'],
  given: { readonly [R in Role]?: Tensor | null },
  sizes: readonly number[],
  g: Geometry,
): Tensor {
  const target = kind === 'forward' ? 'output' : kind === 'input_grad' ? 'input' : 'weight'
  const { dtype } = (given.input ?? given.output) as Tensor
  // Integers are exact in float64 as far as PyTorch's programs go: below 2^53.
  const computing = !dtype.is_floating_point ? float64 : dtype.itemsize < 4 ? float32 : dtype
  const made = empty(sizes, computing)
  const operand = (role: Exclude<Role, 'bias'>): Operand =>
    lift(role === target ? made : dense_as(given[role] as Tensor, computing))
  const [input, weight, output] = [operand('input'), operand('weight'), operand('output')]
  const size = (t: Operand, d: number): number => t.sizes[d]!
  if (made.count > 0)
    cpu_device().conv({
      dtype: computing,
      kind,
      batch: size(input, 0),
      groups: g.groups,
      in_channels: size(input, 1),
      out_channels: size(weight, 0),
      in_size: [size(input, 2), size(input, 3)],
      out_size: [size(output, 2), size(output, 3)],
      kernel: [size(weight, 2), size(weight, 3)],
      stride: g.stride,
      padding: g.padding,
      dilation: g.dilation,
      input,
      weight,
      output,
      bias: given.bias ? dense_as(given.bias, computing) : null,
    })
  return dense_as(made, dtype)
}

/** The numbers a geometry is made of, one or two each, as schema arguments carry them. */
type Flat = [stride: number[], padding: number[], dilation: number[], groups: number]
const geometry = ([stride, padding, dilation, groups]: Flat): Geometry => {
  const pair = (values: readonly number[], one: number): Pair =>
    values.length === 1 ? [one, values[0]!] : [values[0]!, values[1]!]
  return { stride: pair(stride, 1), padding: pair(padding, 0), dilation: pair(dilation, 1), groups }
}

/** {@link run} on volumes: as images, one for each depth of the result. */
function run_volumes(
  kind: ConvProblem['kind'],
  given: { readonly [R in Role]?: Tensor | null },
  sizes: readonly number[],
  [stride, padding, dilation, groups]: Flat,
): Tensor {
  const { dtype } = (given.input ?? given.output) as Tensor
  const weight_sizes = given.weight?.sizes ?? sizes
  const [o, c, size, kh, kw] = weight_sizes as [number, number, number, number, number]
  const depths: Depths = { size, stride: stride[0]!, padding: padding[0]!, dilation: dilation[0]! }
  const flat = geometry([stride.slice(1), padding.slice(1), dilation.slice(1), groups])
  const weight = given.weight && dense(given.weight).view([o, c * size, kh, kw])
  const [n, channels, out_depth, h, w] = sizes as [number, number, number, number, number]
  if (kind === 'input_grad') {
    const out = empty(sizes, dtype)
    const output = given.output as Tensor
    const depth = output.sizes[2]!
    if (out.count === 0) return out
    const images = run(
      kind,
      { weight: weight!, output: images_of(output) },
      [n * depth, channels * size, h, w],
      flat,
    )
    fold_depths(out, images, depth, depths, given.bias ?? null)
    return out
  }
  if (kind === 'weight_grad') {
    const output = given.output as Tensor
    const input = unfold_depths(given.input as Tensor, output.sizes[2]!, depths)
    return run(kind, { input, output: images_of(output) }, [o, c * size, kh, kw], flat).view(sizes)
  }
  const input = unfold_depths(given.input as Tensor, out_depth, depths)
  const images = run(
    kind,
    { input, weight: weight!, bias: given.bias ?? null },
    [n * out_depth, channels, h, w],
    flat,
  )
  return dense(images.view([n, out_depth, channels, h, w]).transpose(1, 2))
}

const compute = (
  kind: ConvProblem['kind'],
  given: { readonly [R in Role]?: Tensor | null },
  sizes: readonly number[],
  flat: Flat,
): Tensor =>
  flat[0].length === 3 ? run_volumes(kind, given, sizes, flat) : run(kind, given, sizes, geometry(flat))

const GEOMETRY = 'int[] stride, int[] padding, int[] dilation, int groups'

type GradArgs = [a: Tensor, b: Tensor, sizes: readonly number[], ...Flat]

const sum_channels = (g: Tensor): Tensor => g.sum([...g.sizes.keys()].filter(d => d !== 1))

const convolution: Op<[input: Tensor, weight: Tensor, bias: Tensor | null, ...Flat]> = op(
  `convolution(Tensor input, Tensor weight, Tensor? bias, ${GEOMETRY})`,
  {
    forward(input: Tensor, weight: Tensor, bias: Tensor | null, ...flat: Flat) {
      const [stride, padding, dilation] = flat
      const spatial = input.sizes.slice(2).map((n, i) => {
        const reach = dilation[i]! * (weight.sizes[2 + i]! - 1) + 1
        return Math.floor((n + 2 * padding[i]! - reach) / stride[i]!) + 1
      })
      const sizes = [input.sizes[0]!, weight.sizes[0]!, ...spatial]
      return compute('forward', { input, weight, bias }, sizes, flat)
    },
    saves: ['input', 'weight'],
    backward: {
      input: (g, [input, weight, , ...flat]) => input_grad(g, weight, input.sizes, ...flat),
      weight: (g, [input, weight, , ...flat]) => weight_grad(g, input, weight.sizes, ...flat),
      bias: g => sum_channels(g),
    },
  },
)

/** The gradient of the input. */
const input_grad: Op<GradArgs> = op(
  `convolution_input_grad(Tensor output, Tensor weight, int[] sizes, ${GEOMETRY})`,
  {
    node: 'ConvolutionBackwardBackward0',
    forward: (output: Tensor, weight: Tensor, sizes: number[], ...flat: Flat) =>
      compute('input_grad', { weight, output }, sizes, flat),
    saves: ['output', 'weight'],
    backward: {
      output: (g, [, weight, , ...flat]) => convolution(g, weight, null, ...flat),
      weight: (g, [output, weight, , ...flat]) => weight_grad(output, g, weight.sizes, ...flat),
    },
  },
)

/** The transposed convolution: the gradient of the input, as an operator with a bias. */
const transposed_convolution: Op<
  [input: Tensor, weight: Tensor, bias: Tensor | null, sizes: readonly number[], ...Flat]
> = op(`convolution_transpose(Tensor input, Tensor weight, Tensor? bias, int[] sizes, ${GEOMETRY})`, {
  node: 'ConvolutionBackward0',
  forward: (input: Tensor, weight: Tensor, bias: Tensor | null, sizes: number[], ...flat: Flat) =>
    compute('input_grad', { weight, bias, output: input }, sizes, flat),
  saves: ['input', 'weight'],
  backward: {
    input: (g, [, weight, , , ...flat]) => convolution(g, weight, null, ...flat),
    weight: (g, [input, weight, , , ...flat]) => weight_grad(input, g, weight.sizes, ...flat),
    bias: g => sum_channels(g),
  },
})

const weight_grad: Op<GradArgs> = op(
  `convolution_weight_grad(Tensor output, Tensor input, int[] sizes, ${GEOMETRY})`,
  {
    node: 'ConvolutionBackwardBackward0',
    forward: (output: Tensor, input: Tensor, sizes: number[], ...flat: Flat) =>
      compute('weight_grad', { input, output }, sizes, flat),
    saves: ['output', 'input'],
    backward: {
      output: (g, [, input, , ...flat]) => convolution(input, g, null, ...flat),
      input: (g, [output, input, , ...flat]) => input_grad(output, g, input.sizes, ...flat),
    },
  },
)

// ---------------------------------------------------------------------------------------------- as users call it

const list_text = (sizes: readonly number[]): string => `[${sizes.join(', ')}]`

/** One number for all dimensions, or one each. */
function per_dim(name: string, values: readonly number[], dims: number): number[] {
  if (values.length === 1) return new Array<number>(dims).fill(values[0]!)
  if (values.length !== dims)
    throw new RuntimeError(
      `expected ${name} to be a single integer value or a list of ${dims} values to match the convolution dimensions, but got ${name}=${list_text(values)}`,
    )
  return [...values]
}

const scalar_name = (dtype: DType): string => dtype.tensor_type.slice(0, -6)

const CPP_NAMES: Readonly<Record<string, string>> = {
  float64: 'double',
  float32: 'float',
  float16: 'c10::Half',
  bfloat16: 'c10::BFloat16',
  int64: 'long int',
  int32: 'int',
  int16: 'short int',
  int8: 'signed char',
  uint8: 'unsigned char',
}
/** What C++ calls the elements, as one of PyTorch's messages does. */
const cpp_name = (dtype: DType): string => CPP_NAMES[dtype.name] ?? dtype.name

function check(
  input: Tensor,
  weight: Tensor,
  bias: Tensor | null,
  dims: number,
  groups: number,
  stride: readonly number[],
  padding: readonly number[],
  dilation: readonly number[],
  transposed: boolean,
): void {
  const { sizes } = weight
  if (weight.ndim < 3) throw new RuntimeError('weight should have at least three dimensions')
  if (weight.ndim !== dims + 2) {
    if (dims > 1) per_dim('stride', stride, weight.ndim - 2)
    throw new RuntimeError(
      `Expected ${weight.ndim}-dimensional input for ${weight.ndim}-dimensional weight ${list_text(sizes)}, but got ${input.ndim}-dimensional input of size ${list_text(input.sizes)} instead`,
    )
  }
  if (groups <= 0) throw new RuntimeError('non-positive groups is not supported')
  if (padding.some(p => p < 0)) throw new RuntimeError('negative padding is not supported')
  if (sizes[0]! < groups || sizes[0]! % groups !== 0)
    throw new RuntimeError(
      sizes[0]! < groups
        ? `Given groups=${groups}, expected weight to be at least ${groups} at dimension 0, but got weight of size ${list_text(sizes)} instead`
        : `Given groups=${groups}, expected weight to be divisible by ${groups} at dimension 0, but got weight of size [${list_text(sizes)}] instead`,
    )
  const channels = input.sizes[1]!
  if (transposed ? channels !== sizes[0] : channels !== sizes[1]! * groups)
    throw new RuntimeError(
      transposed
        ? `Given transposed=1, weight of size ${list_text(sizes)}, expected input${list_text(input.sizes)} to have ${sizes[0]} channels, but got ${channels} channels instead`
        : `Given groups=${groups}, weight of size ${list_text(sizes)}, expected input${list_text(input.sizes)} to have ${sizes[1]! * groups} channels, but got ${channels} channels instead`,
    )
  const out_channels = transposed ? sizes[1]! * groups : sizes[0]!
  if (bias !== null && (bias.ndim !== 1 || bias.sizes[0] !== out_channels))
    throw new RuntimeError(
      `Given ${transposed ? 'transposed=1, ' : ''}weight of size ${list_text(sizes)}, expected bias to be 1-dimensional with ${out_channels} elements, but got bias of size ${list_text(bias.sizes)} instead`,
    )
  if (bias !== null && bias.dtype !== input.dtype && dims === 2 && !transposed)
    throw new RuntimeError(
      `Input type (${cpp_name(input.dtype)}) and bias type (${cpp_name(bias.dtype)}) should be the same`,
    )
  for (const t of [weight, bias])
    if (t !== null && t.dtype !== input.dtype)
      throw new RuntimeError(
        `expected scalar type ${scalar_name(input.dtype)} but found ${scalar_name(t.dtype)}`,
      )
  if (input.dtype === float16)
    throw new RuntimeError(
      `"${dims === 3 ? 'compute_columns3d' : 'slow_conv2d_cpu'}" not implemented for '${scalar_name(input.dtype)}'`,
    )
  if (transposed) return
  const padded = input.sizes.slice(2).map((n, i) => n + 2 * padding[i]!)
  const reach = sizes.slice(2).map((k, i) => dilation[i]! * (k - 1) + 1)
  if (reach.some((k, i) => k > padded[i]!))
    throw new RuntimeError(
      `Calculated padded input size per channel: (${padded.join(' x ')}). Kernel size: (${reach.join(' x ')}). Kernel size can't be greater than actual input size`,
    )
}

/** A batch of one is made where it is missing; the name is for the error. */
function with_batch(name: string, input: Tensor, dims: number): [Tensor, boolean] {
  if (input.ndim === dims + 2) return [input, true]
  if (input.ndim === dims + 1) return [input.unsqueeze(0), false]
  throw new RuntimeError(
    `Expected ${dims + 1}D (unbatched) or ${dims + 2}D (batched) input to ${name}, but got input of size: ${list_text(input.sizes)}`,
  )
}

type Padding = number[] | string

/** `same` and `valid`, as numbers before and after; uneven padding is made beforehand. */
function resolve_padding(
  input: Tensor,
  weight: Tensor,
  padding: Padding,
  stride: readonly number[],
  dilation: readonly number[],
  dims: number,
): [Tensor, number[]] {
  if (typeof padding !== 'string') return [input, per_dim('padding', padding, dims)]
  if (padding === 'valid') return [input, new Array<number>(dims).fill(0)]
  if (padding !== 'same') throw new RuntimeError(`Invalid padding string: '${padding}'`)
  if (stride.some(s => s !== 1))
    throw new RuntimeError("padding='same' is not supported for strided convolutions")
  const totals = dilation.map((d, i) => d * (weight.sizes[2 + i]! - 1))
  const even = totals.map(t => Math.floor(t / 2))
  const uneven = totals
    .flatMap(t => [0, t % 2])
    .reverse()
    .flatMap((_, i, all) => (i % 2 === 0 ? [all[i + 1]!, all[i]!] : []))
  return [uneven.some(n => n > 0) ? constant_pad_nd(input, uneven) : input, even]
}

/** A convolution of complex numbers, out of three of their parts. */
function in_parts(
  input: Tensor,
  weight: Tensor,
  bias: Tensor | null,
  f: (input: Tensor, weight: Tensor, bias: Tensor | null) => Tensor,
): Tensor {
  if (!input.dtype.is_complex) return f(input, weight, bias)
  const parts = (t: Tensor): [Tensor, Tensor] => [real(t), imag(t)]
  const [[xr, xi], [wr, wi]] = [parts(input), parts(weight)]
  const [br, bi] = bias === null ? [null, null] : parts(bias)
  const a = f(xr, wr, br)
  const b = f(xi, wi, null)
  const c = f(xr.add(xi), wr.add(wi), br && bi ? br.add(bi) : null)
  return complex(a.sub(b), c.sub(a).sub(b))
}

function conv(
  name: string,
  dims: 1 | 2 | 3,
  given: Tensor,
  weight: Tensor,
  bias: Tensor | null,
  stride_: number[],
  padding_: Padding,
  dilation_: number[],
  groups: number,
): Tensor {
  const [batch, batched] = with_batch(name, given, dims)
  const stride = per_dim('stride', stride_, dims)
  const dilation = per_dim('dilation', dilation_, dims)
  if (stride.some(s => s <= 0)) throw new RuntimeError('non-positive stride is not supported')
  const [input, padding] = resolve_padding(batch, weight, padding_, stride, dilation, dims)
  check(input, weight, bias, dims, groups, stride, padding, dilation, false)
  const out = in_parts(input, weight, bias, (x, w, b) =>
    convolution(x, w, b, stride, padding, dilation, groups),
  )
  return batched ? out : out.squeeze(0)
}

type Numbers = number | readonly number[]
type ConvOptions = {
  bias?: Tensor | null
  stride?: Numbers
  padding?: Numbers | string
  dilation?: Numbers
  groups?: number
}
type ConvCall = [
  input: Tensor,
  weight: Tensor,
  bias?: Tensor | null | ConvOptions,
  stride?: Numbers | ConvOptions,
  padding?: Numbers | string | ConvOptions,
  dilation?: Numbers | ConvOptions,
  groups?: number | ConvOptions,
]

const conv_op = (
  dims: 1 | 2 | 3,
  samples: (r: Parameters<NonNullable<Parameters<typeof op>[1]['samples']>>[0]) => ConvCall[],
): Op<ConvCall> => {
  const name = `conv${dims}d`
  return overloaded<ConvCall>(
    [
      [
        `${name}(Tensor input, Tensor weight, Tensor? bias=None, int[] stride=[1], int[] padding=[0], int[] dilation=[1], int groups=1)`,
        (
          input: Tensor,
          weight: Tensor,
          bias: Tensor | null,
          stride: number[],
          padding: number[],
          dilation: number[],
          groups: number,
        ) => conv(name, dims, input, weight, bias, stride, padding, dilation, groups),
      ],
      [
        `${name}(Tensor input, Tensor weight, Tensor? bias=None, int[] stride=[1], str padding='valid', int[] dilation=[1], int groups=1)`,
        (
          input: Tensor,
          weight: Tensor,
          bias: Tensor | null,
          stride: number[],
          padding: string,
          dilation: number[],
          groups: number,
        ) => conv(name, dims, input, weight, bias, stride, padding, dilation, groups),
      ],
    ],
    { samples, out: false },
  )
}

/** Cross-correlates `input` (N, C, L) with `weight` (O, C/groups, K). */
export const conv1d: Op<ConvCall> = conv_op(1, r => [
  [r(2, 2, 6), r(3, 2, 3), r(3)],
  [r(1, 4, 7), r(4, 2, 3), null, 2, 1, 1, 2],
])

/** Cross-correlates `input` (N, C, H, W) with `weight` (O, C/groups, KH, KW). */
export const conv2d: Op<ConvCall> = conv_op(2, r => [
  [r(1, 2, 5, 5), r(3, 2, 3, 3), r(3)],
  [r(2, 4, 6, 5), r(4, 2, 3, 2), null, 2, 1, 1, 2],
  [r(1, 1, 7, 7), r(1, 1, 3, 3), null, { dilation: 2, padding: 2 }],
  [r(2, 5, 5), r(3, 2, 1, 1)],
])

/** Cross-correlates `input` (N, C, D, H, W) with `weight` (O, C/groups, KD, KH, KW). */
export const conv3d: Op<ConvCall> = conv_op(3, r => [
  [r(1, 2, 3, 4, 3), r(2, 2, 2, 3, 2), r(2)],
  [r(1, 2, 3, 3, 3), r(2, 1, 2, 2, 3), null, [2, 1, 1], 1, [2, 1, 1], 2],
  [r(1, 2, 3, 2), r(2, 1, 2, 2, 1), null, { padding: 'same' }],
])

function conv_transpose(
  name: string,
  dims: 1 | 2 | 3,
  given: Tensor,
  weight: Tensor,
  bias: Tensor | null,
  stride_: number[],
  padding_: number[],
  output_padding_: number[],
  groups: number,
  dilation_: number[],
): Tensor {
  const [input, batched] = with_batch(name, given, dims)
  const stride = per_dim('stride', stride_, dims)
  const padding = per_dim('padding', padding_, dims)
  const dilation = per_dim('dilation', dilation_, dims)
  const extra = per_dim('output_padding', output_padding_, dims)
  if (extra.some((p, i) => p >= stride[i]! && p >= dilation[i]!)) {
    const sides = dims === 3 ? ['depth', 'height', 'width'] : ['height', 'width']
    const shown = (what: string, values: readonly number[]): string =>
      sides.map((side, i) => `${what}_${side}: ${values[i] ?? values[0]}`).join(' ')
    throw new RuntimeError(
      `output padding must be smaller than either stride or dilation, but got ${shown('output_padding', extra)} ${shown('stride', stride)} ${shown('dilation', dilation)}`,
    )
  }
  check(input, weight, bias, dims, groups, stride, padding, dilation, true)
  const sizes = input.sizes
    .slice(2)
    .map(
      (n, i) =>
        (n - 1) * stride[i]! - 2 * padding[i]! + dilation[i]! * (weight.sizes[2 + i]! - 1) + extra[i]! + 1,
    )
  if (input.count === 0 && input.sizes[0]! > 0 && input.sizes[1]! > 0)
    throw new RuntimeError(
      `Only zero batch or zero channel inputs are supported, but got input shape: ${list_text(dims === 1 ? input.sizes.toSpliced(2, 0, 1) : input.sizes)}`,
    )
  const channels = weight.sizes[1]! * groups
  const result = [input.sizes[0]!, channels, ...sizes]
  const out = in_parts(input, weight, bias, (x, w, b) =>
    transposed_convolution(x, w, b, result, stride, padding, dilation, groups),
  )
  return batched ? out : out.squeeze(0)
}

type TransposeOptions = ConvOptions & { output_padding?: Numbers; padding?: Numbers }
type TransposeCall = [
  input: Tensor,
  weight: Tensor,
  bias?: Tensor | null | TransposeOptions,
  stride?: Numbers | TransposeOptions,
  padding?: Numbers | TransposeOptions,
  output_padding?: Numbers | TransposeOptions,
  groups?: number | TransposeOptions,
  dilation?: Numbers,
]

const transpose_op = (
  dims: 1 | 2 | 3,
  samples: (r: Parameters<NonNullable<Parameters<typeof op>[1]['samples']>>[0]) => TransposeCall[],
): Op<TransposeCall> => {
  const name = `conv_transpose${dims}d`
  return overloaded<TransposeCall>(
    [
      [
        `${name}(Tensor input, Tensor weight, Tensor? bias=None, int[] stride=[1], int[] padding=[0], int[] output_padding=[0], int groups=1, int[] dilation=[1])`,
        (
          input: Tensor,
          weight: Tensor,
          bias: Tensor | null,
          stride: number[],
          padding: number[],
          output_padding: number[],
          groups: number,
          dilation: number[],
        ) =>
          conv_transpose(name, dims, input, weight, bias, stride, padding, output_padding, groups, dilation),
      ],
    ],
    { samples, out: false },
  )
}

/** The transpose (gradient) of {@link conv1d}, as an operator on `input` (N, C, L); `weight` is (C, O/groups, K). */
export const conv_transpose1d: Op<TransposeCall> = transpose_op(1, r => [
  [r(1, 2, 4), r(2, 3, 3), r(3), 2, 1, 1],
])

/** The transpose (gradient) of {@link conv2d}, as an operator on `input` (N, C, H, W); `weight` is (C, O/groups, KH, KW). */
export const conv_transpose2d: Op<TransposeCall> = transpose_op(2, r => [
  [r(1, 2, 3, 3), r(2, 3, 3, 3), r(3), 2, 1, 1],
  [r(1, 4, 3, 3), r(4, 1, 2, 2), null, 1, 0, 0, 2],
])

/** The transpose (gradient) of {@link conv3d}, as an operator on `input`; `weight` is (C, O/groups, KD, KH, KW). */
export const conv_transpose3d: Op<TransposeCall> = transpose_op(3, r => [
  [r(1, 2, 2, 2, 3), r(2, 2, 2, 2, 2), r(2), [2, 1, 2], 1, [1, 0, 0]],
  [r(1, 2, 2, 3, 2), r(2, 1, 2, 2, 1), r(2), 1, 0, 0, 2, [2, 1, 1]],
])
