// Padding: with a constant (torch.constant_pad_nd), and with the tensor's own elements, reflected at the border,
// repeated from it or wrapped around. Not here: the modules (nn/).
import type { DType } from '../../base/dtype.ts'
import { NotImplementedError, RuntimeError } from '../../base/errors.ts'
import { contiguous_strides, numel } from '../../base/shape.ts'
import type { Expr } from '../../ir/expr.ts'
import { empty, kernels, zeros } from '../../tensor/dispatch.ts'
import { bind, parse_schema } from '../../tensor/schema.ts'
import { alias, type Tensor } from '../../tensor/tensor.ts'
import { copy_elements, dense } from '../define/copy.ts'
import { make_filled } from '../define/create.ts'
import { make_op, type Op, op } from '../define/op.ts'
import type { Number } from '../define/pointwise.ts'
import { is_integral, not_implemented } from '../define/rules.ts'
import { window } from '../define/space.ts'
import { arithmetic } from '../slices.ts'

const list = (sizes: readonly number[]): string => `[${sizes.join(', ')}]`

/** The paddings of each dimension, from the list that names the last dimension first. */
function by_dim(ndim: number, pad: readonly number[]): { low: number[]; high: number[] } {
  const [low, high] = [new Array<number>(ndim).fill(0), new Array<number>(ndim).fill(0)]
  for (let i = 0; i < pad.length / 2; i++) {
    low[ndim - 1 - i] = pad[2 * i]!
    high[ndim - 1 - i] = pad[2 * i + 1]!
  }
  return { low, high }
}

function padded_sizes(sizes: readonly number[], pad: readonly number[]): number[] {
  const { low, high } = by_dim(sizes.length, pad)
  return sizes.map((n, d) => {
    const size = n + low[d]! + high[d]!
    if (size < 0)
      throw new RuntimeError(
        `The input size ${n}, plus negative padding ${low[d]} and ${high[d]} resulted in a negative output size, which is invalid. Check dimension ${d} of your input.`,
      )
    return size
  })
}

/** `pad` elements of `value` around the last dimensions: [left, right, top, bottom, ...]. Negative ones cut off. */
export const constant_pad_nd: Op<[self: Tensor, pad: readonly number[], value?: Number]> = op(
  'constant_pad_nd(Tensor self, int[] pad, Scalar value=0)',
  {
    forward(self: Tensor, pad: number[], value: Number) {
      const ndim = self.sizes.length
      if (pad.length % 2 !== 0)
        throw new RuntimeError(`Length of pad must be even but instead it equals ${pad.length}`)
      if (pad.length > 2 * ndim)
        throw new RuntimeError(
          `Length of pad should be no more than twice the number of dimensions of the input. Pad length is ${pad.length}while the input has ${ndim}dimensions.`,
        )
      const out = make_filled(padded_sizes(self.sizes, pad), self.dtype, value)
      const { low, high } = by_dim(ndim, pad)
      const kept = self.sizes.map((n, d) => n + Math.min(low[d]!, 0) + Math.min(high[d]!, 0))
      if (kept.some(n => n <= 0)) return out
      const start = (strides: readonly number[], sign: number): number =>
        strides.reduce((sum, s, d) => sum + s * Math.max(sign * low[d]!, 0), 0)
      copy_elements(
        alias(out, kept, out.strides, out.offset + start(out.strides, 1)),
        alias(self, kept, self.strides, self.offset + start(self.strides, -1)),
      )
      return out
    },
    backward: {
      self: (g, [, pad]) =>
        constant_pad_nd(
          g,
          pad.map(n => -n),
        ),
    },
    samples: r => [
      [r(2, 3), [1, 2]],
      [r(2, 3), [1, 0, -1, 2], 1.5],
      [r(2, 3, 2), [0, 1, 1, 0, 2, 2]],
    ],
  },
)

// ------------------------------------------------------------------------------------ with own elements

type Mode = 'reflect' | 'replicate' | 'circular'

/** The element of a dimension of `n` that a padded position shows, counted from the first that is not padding. */
function source_of(mode: string, at: Expr, n: Expr): Expr {
  const last = n.sub(1)
  if (mode === 'replicate') return at.max(0).min(last)
  if (mode === 'reflect') return last.sub(last.sub(at.abs()).abs())
  return at.lt(0).where(at.add(n), at.ge(n).where(at.sub(n), at))
}

const pad_kernel = kernels('pad', (k, dtype: DType, dims: number, mode: string) => {
  const out = k.output('out', dtype, { rank: dims + 1, inner: 1 })
  const x = k.input('x', dtype, { rank: dims + 1, inner: 1 })
  const low = Array.from({ length: dims }, (_, d) => k.value(`low${d}`, 'index'))
  k.elementwise(out.sizes, (b, ...i) => {
    const from = i.map((at, d) => source_of(mode, at.sub(low[d]!), x.sizes[d + 1]!))
    k.store(out, [b!, ...i], x.at(b!, ...from))
  })
})

const unpad_kernel = kernels('pad_adjoint', (k, dtype: DType, dims: number, mode: string) => {
  const out = k.inout('out', dtype, { rank: dims + 1, inner: 1 })
  const g = k.input('g', dtype, { rank: dims + 1, inner: 1 })
  const low = Array.from({ length: dims }, (_, d) => k.value(`low${d}`, 'index'))
  k.nest(g.sizes, 'parallel', 'serial', (b, ...i) => {
    const to = [b!, ...i.map((at, d) => source_of(mode, at.sub(low[d]!), out.sizes[d + 1]!))]
    k.store(out, to, arithmetic(out.at(...to)).add(arithmetic(g.at(b!, ...i))))
  })
})

/** A contiguous tensor as [batch, the `dims` padded dimensions]. */
const batched = (t: Tensor, dims: number) => {
  const sizes = [numel(t.sizes.slice(0, -dims)), ...t.sizes.slice(-dims)]
  return window(t, sizes, contiguous_strides(sizes))
}

/** Padding with own elements, and its adjoint, which adds every element's gradient to where it came from. */
function own_padding(mode: Mode, node: string): (self: Tensor, pad: readonly number[]) => Tensor {
  const lows = (pad: readonly number[]): number[] => pad.filter((_, i) => i % 2 === 0).toReversed()
  type Args = [self: Tensor, pad: readonly number[]]
  const pad_own: Op<Args> = op(`${mode}_pad(Tensor self, int[] pad)`, {
    node,
    forward(self: Tensor, pad: number[]) {
      const out = empty(padded_sizes(self.sizes, pad), self.dtype)
      const dims = pad.length / 2
      if (out.count > 0)
        pad_kernel(self.dtype, dims, mode)([batched(out, dims), batched(dense(self), dims)], lows(pad))
      return out
    },
    backward: { self: (g, [self, pad]) => unpad_own(g, pad, self.sizes) },
  })
  const unpad_own: Op<[g: Tensor, pad: readonly number[], sizes: readonly number[]]> = op(
    `${mode}_pad_backward(Tensor self, int[] pad, int[] sizes)`,
    {
      forward(g: Tensor, pad: number[], sizes: number[]) {
        const out = zeros(sizes, g.dtype)
        const dims = pad.length / 2
        if (g.count > 0)
          unpad_kernel(g.dtype, dims, mode)([batched(out, dims), batched(dense(g), dims)], lows(pad))
        return out
      },
      backward: { self: (gg, [, pad]) => pad_own(gg, pad) },
    },
  )
  return (self, pad) => pad_own(self, pad)
}

const of_dims = (mode: Mode, name: string): ((self: Tensor, pad: readonly number[]) => Tensor)[] =>
  [1, 2, 3].map(d => own_padding(mode, `${name}${d}DBackward0`))
const own: Record<Mode, ((self: Tensor, pad: readonly number[]) => Tensor)[]> = {
  reflect: of_dims('reflect', 'ReflectionPad'),
  replicate: of_dims('replicate', 'ReplicationPad'),
  circular: of_dims('circular', 'CircularPad'),
}

function check_own(self: Tensor, pad: readonly number[], mode: Mode): void {
  const ndim = self.sizes.length
  const { low, high } = by_dim(ndim, pad)
  const dims = pad.length / 2
  if (mode === 'circular' && pad.length !== 2 * (ndim - 2))
    throw new RuntimeError(`Invalid padding size, expected ${2 * (ndim - 2)} but got ${pad.length}`)
  const batched = ndim === dims + 2
  // Reflection of lines and planes takes an empty dimension in front of what is padded, the others an empty batch.
  const may_be_empty = (d: number): boolean =>
    d === 0 && (batched || (mode === 'reflect' && dims < 3 && d < ndim - dims))
  if (mode !== 'circular' && self.sizes.some((n, d) => n === 0 && !may_be_empty(d)))
    throw new RuntimeError(
      mode === 'reflect' && dims < 3
        ? `${dims + 1}D or ${dims + 2}D (batch mode) tensor expected for input, but got: [ torch.${self.dtype.tensor_type}{${self.sizes.join(',')}} ]`
        : `Expected ${dims + 1}D or ${dims + 2}D (batch mode) tensor with possibly 0 batch size and other non-zero dimensions for input, but got: ${list(self.sizes)}`,
    )
  for (let d = ndim - dims; d < ndim; d++) {
    const n = self.sizes[d]!
    const size = n + low[d]! + high[d]!
    if (mode === 'reflect' && (low[d]! >= n || high[d]! >= n))
      throw new RuntimeError(
        `Argument #${4 + 2 * (ndim - 1 - d)}: Padding size should be less than the corresponding input dimension, but got: padding (${low[d]}, ${high[d]}) at dimension ${d} of input ${dims === 2 ? ndim : list(self.sizes)}`,
      )
    if (mode === 'circular' && (low[d]! > n || high[d]! > n))
      throw new RuntimeError('Padding value causes wrapping around more than once.')
    if (mode === 'circular' && size < 0)
      throw new RuntimeError('Negative padding value is resulting in an empty dimension')
    if (mode !== 'circular' && (n === 0 || size < 1))
      throw new RuntimeError(
        `input (${n}) is too small. Calculated output size: ${size} at dimension ${d} of input ${list(self.sizes)}`,
      )
  }
  if (mode !== 'circular' && is_integral(self.dtype))
    not_implemented(
      mode === 'reflect'
        ? `reflection_pad${dims}d${dims === 3 ? '_cpu' : ''}`
        : `replication_pad${dims}d_cpu`,
      self.dtype,
    )
}

const pad_schema = parse_schema("pad(Tensor input, int[] pad, str mode='constant', float? value=None)")
type PadOptions = { mode?: string; value?: number | null }

/**
 * Pads the last dimensions: `pad` is [left, right, top, bottom, ...]. `mode` is 'constant' (with `value`), 'reflect',
 * 'replicate' or 'circular'; the last three take 2-d to 5-d input and pad all dimensions but the first one or two.
 */
export const pad: Op<
  [input: Tensor, pad: readonly number[], mode?: string | PadOptions, value?: number | null | PadOptions]
> = make_op(
  (...args: readonly unknown[]) => {
    const [input, amounts, mode, value] = bind([pad_schema], args).values as [
      Tensor,
      number[],
      string,
      number | null,
    ]
    const ndim = input.sizes.length
    if (amounts.length % 2 !== 0) throw new RuntimeError('Padding length must be divisible by 2')
    if (amounts.length > 2 * ndim) throw new RuntimeError('Padding length too large')
    if (mode === 'constant') return constant_pad_nd(input, amounts, value ?? 0)
    if (value !== null && value !== 0)
      throw new RuntimeError(`Padding mode "${mode}" doesn't take in value argument`)
    const dims = amounts.length / 2
    if ((ndim !== dims + 1 && ndim !== dims + 2) || dims < 1 || dims > 3)
      throw new NotImplementedError(
        'Only 2D, 3D, 4D, 5D padding with non-constant padding are supported for now',
      )
    const apply = own[mode as Mode]?.[dims - 1]
    if (apply === undefined) throw new NotImplementedError(`Unrecognised padding mode ${mode}`)
    check_own(input, amounts, mode as Mode)
    return apply(input, amounts)
  },
  {
    name: 'pad',
    schemas: [pad_schema],
    samples: r => [
      [r(2, 3), [1, 1]],
      [r(2, 3, 4), [2, 1], 'reflect'],
      [r(1, 2, 3, 4), [1, 2, 0, 2], 'replicate'],
      [r(1, 2, 3, 4), [1, 2, 0, 2], 'circular'],
      [r(1, 2, 3, 4), [1, 2, 2, 1], 'reflect'],
    ],
    differentiable: true,
  },
)
