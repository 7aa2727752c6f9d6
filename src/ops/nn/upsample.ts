// Resizing images: nearest, linear, bilinear, bicubic. One dimension after the other, the last first, each result a
// weighted sum of one, two or four elements. Not here: area (adaptive_pool.ts), the choice of sizes (nn/functional),
// antialiasing (antialias.ts).
import { type DType, float16, float32, float64, int32, uint8 } from '../../base/dtype.ts'
import { RuntimeError } from '../../base/errors.ts'
import type { Operand } from '../../device/device.ts'
import { constant, type Expr } from '../../ir/expr.ts'
import type { Builder } from '../../ir/kernel.ts'
import { compute_type } from '../../ir/types.ts'
import { empty, kernels, zeros } from '../../tensor/dispatch.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { dense } from '../define/copy.ts'
import { type Op, op } from '../define/op.ts'
import { not_implemented } from '../define/rules.ts'
import { window } from '../define/space.ts'
import { around, type Resampling, step } from './resample.ts'

/** Where a result comes from: elements of the source and their weights. */
type Tap = { at: Expr; weight: Expr }

/** The coefficient that PyTorch's bicubic filter (and OpenCV's) uses. */
const A = -0.75

function taps(k: Builder, mode: Resampling, align_corners: boolean, i: Expr, n: Expr, scale: Expr): Tap[] {
  const { type } = scale
  const x = i.cast(type)
  const one = constant(1, type)
  if (mode === 'nearest' || mode === 'nearest-exact') {
    const from = mode === 'nearest' ? x.mul(scale) : x.add(0.5).mul(scale)
    return [{ at: k.local('index', from.floor().cast('index').min(n.sub(1))), weight: one }]
  }
  const source = k.local(type, align_corners ? x.mul(scale) : x.add(0.5).mul(scale).sub(0.5))
  if (mode === 'linear') {
    const from = align_corners ? source : source.max(0)
    const first = k.local('index', from.floor().cast('index').min(n.sub(1)))
    const second = k.local('index', first.add(1).min(n.sub(1)))
    const t = k.local(type, from.sub(first.cast(type)).max(0).min(1))
    return [
      { at: first, weight: k.local(type, one.sub(t)) },
      { at: second, weight: t },
    ]
  }
  const first = k.local('index', source.floor().cast('index'))
  const t = k.local(type, source.sub(source.floor()))
  const near = (d: Expr): Expr =>
    d
      .mul(A + 2)
      .sub(A + 3)
      .mul(d)
      .mul(d)
      .add(1)
  const far = (d: Expr): Expr =>
    d
      .mul(A)
      .sub(5 * A)
      .mul(d)
      .add(8 * A)
      .mul(d)
      .sub(4 * A)
  const weights = [far(t.add(1)), near(t), near(one.sub(t)), far(constant(2, type).sub(t))]
  return weights.map((weight, j) => ({
    at: k.local(
      'index',
      first
        .add(j - 1)
        .max(0)
        .min(n.sub(1)),
    ),
    weight: k.local(type, weight),
  }))
}

const is_nearest = (mode: Resampling): boolean => mode === 'nearest' || mode === 'nearest-exact'

/** The type in which places and weights are computed. */
const scale_dtype = (dtype: DType, mode: Resampling): DType =>
  dtype === float64 && !is_nearest(mode) ? float64 : float32

/** A tap's part of a result, of type `type`; a single one is the element itself. */
const weighted = (value: Expr, weight: Expr | null): Expr =>
  weight === null ? value : value.mul(weight.cast(value.type))

const resize_rows_kernel = kernels(
  'resize_rows',
  (k, dtype: DType, mode: Resampling, align_corners: boolean, backward: boolean) => {
    const to = backward
      ? k.input('g', dtype, { rank: 3, inner: 1 })
      : k.output('out', dtype, { rank: 3, inner: 1 })
    const from = backward
      ? k.inout('grad', dtype, { rank: 3, inner: 1 })
      : k.input('x', dtype, { rank: 3, inner: 1 })
    const scale = k.value('scale', compute_type(scale_dtype(dtype, mode)))
    const [outer, count, inner] = to.sizes as [Expr, Expr, Expr]
    k.nest([outer, count], 'parallel', backward ? 'serial' : 'parallel', (o, i) => {
      const sources = taps(k, mode, align_corners, i!, from.sizes[1]!, scale)
      const weight = (tap: Tap): Expr | null => (is_nearest(mode) ? null : tap.weight)
      k.for(inner, 'vector', j => {
        const at = (tap: Tap): [Expr, Expr, Expr] => [o!, tap.at, j]
        if (!backward) {
          const terms = sources.map(tap => weighted(from.at(...at(tap)), weight(tap)))
          k.store(
            to,
            [o!, i!, j],
            terms.reduce((a, b) => a.add(b)),
          )
          return
        }
        for (const tap of sources)
          k.store(from, at(tap), from.at(...at(tap)).add(weighted(to.at(o!, i!, j), weight(tap))))
      })
    })
  },
)

/** Where the results along a dimension come from and with what weights, as [taps, results]. */
const taps_kernel = kernels('resize_taps', (k, dtype: DType, mode: Resampling, align_corners: boolean) => {
  const places = k.output('places', int32, { rank: 2, inner: 1 })
  const weights = k.output('weights', dtype, { rank: 2, inner: 1 })
  const n = k.value('n', 'index')
  const scale = k.value('scale', weights.type)
  k.for(places.sizes[1]!, 'parallel', i => {
    for (const [t, { at, weight }] of taps(k, mode, align_corners, i, n, scale).entries()) {
      k.store(places, [t, i], at.cast('i32'))
      k.store(weights, [t, i], weight)
    }
  })
})

const resize_columns_kernel = kernels(
  'resize_columns',
  (k, dtype: DType, mode: Resampling, backward: boolean) => {
    const to = backward
      ? k.input('g', dtype, { rank: 2, inner: 1 })
      : k.output('out', dtype, { rank: 2, inner: 1 })
    const from = backward
      ? k.inout('grad', dtype, { rank: 2, inner: 1 })
      : k.input('x', dtype, { rank: 2, inner: 1 })
    const places = k.input('places', int32, { rank: 2, inner: 1 })
    const weights = k.input('weights', scale_dtype(dtype, mode), { rank: 2, inner: 1 })
    const weight = (t: number, i: Expr): Expr | null => (is_nearest(mode) ? null : weights.at(t, i))
    const numbers = [...new Array<number>(TAPS[mode]).keys()]
    const [rows, count] = to.sizes as [Expr, Expr]
    k.for(rows, 'parallel', o =>
      k.for(count, backward ? 'serial' : 'vector', i => {
        const at = (t: number): [Expr, Expr] => [o, places.at(t, i).cast('index')]
        if (!backward) {
          const terms = numbers.map(t => weighted(from.at(...at(t)), weight(t, i)))
          k.store(
            to,
            [o, i],
            terms.reduce((a, b) => a.add(b)),
          )
          return
        }
        for (const t of numbers)
          k.store(from, at(t), from.at(...at(t)).add(weighted(to.at(o, i), weight(t, i))))
      }),
    )
  },
)

const TAPS: Readonly<Record<Resampling, number>> = { nearest: 1, 'nearest-exact': 1, linear: 2, cubic: 4 }

/** Resizes dimension `dim` of `from` into `to`, both contiguous; backward adds to `from` what `to`'s gradients say. */
function resize(
  to: Tensor,
  from: Tensor,
  { dim, mode, step }: Pass,
  align_corners: boolean,
  backward: boolean,
): void {
  const { dtype } = to
  if (dim < to.sizes.length - 1) {
    resize_rows_kernel(dtype, mode, align_corners, backward)([around(to, dim), around(from, dim)], [step])
    return
  }
  const [count, n] = [to.sizes[dim]!, from.sizes[dim]!]
  const places = empty([TAPS[mode], count], int32)
  const weights = empty([TAPS[mode], count], scale_dtype(dtype, mode))
  taps_kernel(weights.dtype, mode, align_corners)([places, weights], [n, step])
  const rows = (t: Tensor, size: number): Operand => window(t, [t.count / size, size], [size, 1])
  resize_columns_kernel(dtype, mode, backward)([rows(to, count), rows(from, n), places, weights], [])
}

type Arguments = [
  size: readonly number[],
  mode: string,
  align_corners: boolean,
  scales: readonly number[] | null,
]
const SIGNATURE = 'int[] size, str mode, bool align_corners, float[]? scales'
const node_of: Record<string, string> = {
  nearest: 'Nearest',
  'nearest-exact': 'NearestExact',
  linear: 'Linear',
  bilinear: 'Bilinear',
  trilinear: 'Trilinear',
  bicubic: 'Bicubic',
}

type Pass = { readonly dim: number; readonly out: number; readonly mode: Resampling; readonly step: number }

/** The dimensions that change, with what the kernel needs for each. */
function passes(sizes: readonly number[], [size, mode_name, align_corners, scales]: Arguments): Pass[] {
  const mode = mode_name.replace(/^(bi|tri)/, '') as Resampling
  const first = sizes.length - size.length
  return size.flatMap((out, d) => {
    const n = sizes[first + d]!
    const by = step(n, out, mode, align_corners, scales?.[d] ?? null)
    return n === out && (by === 1 || mode === 'nearest') ? [] : [{ dim: first + d, out, mode, step: by }]
  })
}

function resized(x: Tensor, args: Arguments): Tensor {
  let value = dense(x)
  for (const pass of passes(x.sizes, args).reverse()) {
    const next = empty(value.sizes.with(pass.dim, pass.out), x.dtype)
    if (next.count > 0) resize(next, value, pass, args[2], false)
    value = next
  }
  if (value !== x) return value
  const copy = empty(x.sizes, x.dtype)
  return copy.copy_(x)
}

function resized_back(g: Tensor, sizes: readonly number[], args: Arguments): Tensor {
  let value = dense(g)
  for (const pass of passes(sizes, args)) {
    const next = zeros(value.sizes.with(pass.dim, sizes[pass.dim]!), g.dtype)
    if (value.count > 0) resize(value, next, pass, args[2], true)
    value = next
  }
  return value === g ? g.clone() : value
}

type ResizeArgs = [self: Tensor, ...Arguments]
type ResizeGradArgs = [g: Tensor, sizes: readonly number[], ...Arguments]
type Pair = { forward: Op<ResizeArgs>; backward: Op<ResizeGradArgs> }

const pairs = new Map<string, Pair>()

/** The op and its adjoint under PyTorch's names for `mode` in so many dimensions. */
function pair_of(mode: string, dims: number): Pair {
  const name = `Upsample${node_of[mode]}${dims}D`
  const known = pairs.get(name)
  if (known) return known
  const pair: Pair = {
    forward: op(`upsample(Tensor self, ${SIGNATURE})`, {
      node: `${name}Backward1`,
      forward: (self: Tensor, ...args: Arguments) => resized(self, args),
      backward: { self: (g, [self, ...args]) => pair.backward(g, self.sizes, ...args) },
    }),
    backward: op(`upsample_backward(Tensor g, int[] sizes, ${SIGNATURE})`, {
      node: `${name}BackwardBackward0`,
      forward: (g: Tensor, sizes: readonly number[], ...args: Arguments) => resized_back(g, sizes, args),
      backward: { g: (gg, [, , ...args]) => pair.forward(gg, ...args) },
    }),
  }
  pairs.set(name, pair)
  return pair
}

/**
 * `input` (N, C, ...) with its last dimensions resized to `size`. `mode` is nearest, nearest-exact, linear, bilinear, trilinear or
 * bicubic; `scales` (results per element) take the place of the ratio of sizes where they are given.
 */
export function upsample_to(
  input: Tensor,
  size: readonly number[],
  mode: string,
  align_corners: boolean,
  scales: readonly number[] | null,
): Tensor {
  const spatial = input.sizes.slice(2)
  if (spatial.some(n => n <= 0) || size.some(n => n <= 0))
    throw new RuntimeError(
      `Input and output sizes should be greater than 0, but got input (${spatial.map((n, d) => `${'DHW'[3 - size.length + d]}: ${n}`).join(', ')})${size.length > 1 ? '' : ' and'} output (${size.map((n, d) => `${'DHW'[3 - size.length + d]}: ${n}`).join(', ')})`,
    )
  if (size.length > 1 && input.sizes[1] === 0)
    throw new RuntimeError(
      `Non-empty ${size.length + 2}D data tensor expected but got a tensor with sizes [${input.sizes.join(', ')}]`,
    )
  const kind = mode.startsWith('nearest') ? 'nearest' : mode === 'bicubic' ? 'cubic' : 'linear'
  const { dtype } = input
  if ((!dtype.is_floating_point || dtype === float16) && !(kind === 'nearest' && dtype === uint8))
    not_implemented(`compute_indices_weights_${kind}`, dtype)
  return pair_of(mode, size.length).forward(input, size, mode, align_corners, scales)
}
