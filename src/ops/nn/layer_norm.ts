// layer_norm: over rows, which the last dimensions make. The gradients are one kernel over blocks of rows and one that
// adds up the blocks' sums; a backward pass that is recorded is made of other ops. Not here: norms of channels.
import type { DType } from '../../base/dtype.ts'
import { RuntimeError } from '../../base/errors.ts'
import { contiguous_strides, numel } from '../../base/shape.ts'
import type { Operand } from '../../device/device.ts'
import { constant, type Expr } from '../../ir/expr.ts'
import type { View } from '../../ir/kernel.ts'
import { needs_ops } from '../../tensor/batched.ts'
import { empty, kernels } from '../../tensor/dispatch.ts'
import { alias, type Tensor } from '../../tensor/tensor.ts'
import { dense, dense_as } from '../define/copy.ts'
import { composite, type Op } from '../define/op.ts'
import { window } from '../define/space.ts'
import { add_few_rows, add_row, sum_partials } from '../define/sums.ts'
import {
  centred,
  type Gradients,
  record_norm,
  require_float,
  require_same_dtype,
  statistics,
  statistics_dtype,
} from './norm_parts.ts'

const layer_norm_kernel = kernels('layer_norm', (k, dtype: DType, affine: string) => {
  const stats = statistics_dtype(dtype)
  const out = k.output('out', dtype, { rank: 2, inner: 1 })
  const mean_out = k.output('mean', stats, 'flat')
  const rstd_out = k.output('rstd', stats, 'flat')
  const x = k.input('x', dtype, { rank: 2, inner: 1 })
  const weight = affine.includes('w') ? k.input('weight', dtype, 'flat') : null
  const bias = affine.includes('b') ? k.input('bias', dtype, 'flat') : null
  const eps = k.value('eps', x.type)
  const [m, n] = x.sizes as [Expr, Expr]
  k.for(m, 'parallel', i => {
    const sum = k.local(x.type, 0)
    k.for(n, 'reduce', j => k.assign(sum, sum.add(x.at(i, j))))
    const mean = k.local(x.type, sum.div(n.cast(x.type)))
    const squares = k.local(x.type, 0)
    k.for(n, 'reduce', j => {
      const d = x.at(i, j).sub(mean)
      k.assign(squares, squares.add(d.mul(d)))
    })
    const rstd = k.local(x.type, constant(1, x.type).div(squares.div(n.cast(x.type)).add(eps).sqrt()))
    k.store(mean_out, [i], mean)
    k.store(rstd_out, [i], rstd)
    k.for(n, 'vector', j => {
      const normal = x.at(i, j).sub(mean).mul(rstd)
      const scaled = weight === null ? normal : normal.mul(weight.at(j))
      k.store(out, [i, j], bias === null ? scaled : scaled.add(bias.at(j)))
    })
  })
})

type LayerNormFlat = [
  input: Tensor,
  normalized_shape: readonly number[],
  weight: Tensor | null,
  bias: Tensor | null,
  eps: number,
]

function normalise(...[input, shape, weight, bias, eps]: LayerNormFlat): [Tensor, Tensor, Tensor] {
  check_layer_norm(input, shape, weight, bias)
  require_float('LayerNormKernelImpl', input)
  require_same_dtype(input, weight, bias)
  const n = numel(shape)
  const outer = input.sizes.slice(0, input.ndim - shape.length)
  const m = numel(outer)
  const stats = statistics_dtype(input.dtype)
  const out = empty(input.sizes, input.dtype)
  const kept = [...outer, ...shape.map(() => 1)]
  const [mean, rstd] = [empty(kept, stats), empty(kept, stats)]
  const rows = (t: Tensor): Operand => window(t, [m, n], [n, 1])
  const operands: Operand[] = [rows(out), mean, rstd, rows(dense(input))]
  if (weight !== null) operands.push(dense_as(weight, input.dtype))
  if (bias !== null) operands.push(dense_as(bias, input.dtype))
  const affine = `${weight === null ? '' : 'w'}${bias === null ? '' : 'b'}`
  if (m > 0) layer_norm_kernel(input.dtype, affine)(operands, [eps])
  const results: [Tensor, Tensor, Tensor] = [out, mean, rstd]
  const statistics = [mean, rstd].map(t => alias(t)) as [Tensor, Tensor]
  record_norm('NativeLayerNormBackward0', results, [input, weight, bias], (g, input, weight, needs) =>
    needs_ops(g)
      ? recorded_gradients(g, input, shape, weight, eps)
      : fused_gradients(g, input, shape, weight, ...statistics, needs),
  )
  return results
}

/** (out, mean, rstd) over the last dimensions; see {@link layer_norm}. */
export const native_layer_norm: Op<LayerNormFlat, [Tensor, Tensor, Tensor]> = composite(
  'native_layer_norm(Tensor input, int[] normalized_shape, Tensor? weight, Tensor? bias, float eps)',
  { body: normalise, out: false },
)

/** By ops on the tape, all of them. */
function recorded_gradients(
  g: Tensor,
  input: Tensor,
  shape: readonly number[],
  weight: Tensor | null,
  eps: number,
): Gradients {
  const dims = shape.map((_, i) => input.ndim - 1 - i)
  const [mean, rstd] = statistics(input, dims, eps)
  const normal = input.sub(mean).mul(rstd)
  const outer = [...Array(input.ndim - shape.length).keys()]
  const over_rows = (t: Tensor): Tensor => (outer.length === 0 ? t : t.sum(outer))
  const scaled = weight === null ? g : g.mul(weight)
  return [centred(scaled, normal, rstd, dims), over_rows(g.mul(normal)), over_rows(g)]
}

/** Rows whose sums are kept together, and elements that a block of rows has at least, if it can. */
const [FEWEST_ROWS, MOST_ROWS, BLOCK_ELEMENTS] = [4, 64, 32768]
/** Rows that are added up before they go to a sum of columns. */
const TOGETHER = 4

/**
 * The gradients of input, weight and bias, those that `needs` has a letter for; the last two as sums over blocks of
 * rows, which are the same for any number of threads.
 */
const gradients_kernel = kernels('layer_norm_grad', (k, dtype: DType, weighted: boolean, needs: string) => {
  const stats = statistics_dtype(dtype)
  const layout = { rank: 2, inner: 1 } as const
  const x = k.input('x', dtype, layout)
  const g = k.input('g', dtype, layout)
  const mean = k.input('mean', stats, 'flat')
  const rstd = k.input('rstd', stats, 'flat')
  const weight = weighted ? k.input('weight', dtype, 'flat') : null
  const grad = needs.includes('x') ? k.output('grad', dtype, layout) : null
  const weight_sums = needs.includes('w') ? k.inout('weight_sums', stats, layout) : null
  const bias_sums = needs.includes('b') ? k.inout('bias_sums', stats, layout) : null
  const sums = [weight_sums, bias_sums].filter(v => v !== null)
  const block = k.value('block', 'index')
  const [rows, n] = x.sizes as [Expr, Expr]

  const input_gradient = (grad: View, i: Expr): void => {
    const [m, r] = [k.local(x.type, mean.at(i)), k.local(x.type, rstd.at(i))]
    const [of_g, of_product] = [k.local('f64', 0), k.local('f64', 0)]
    add_row(k, x.type, n, [of_g, of_product], j => {
      const gj = weight ? g.at(i, j).mul(weight.at(j)) : g.at(i, j)
      return [gj, gj.mul(x.at(i, j).sub(m))]
    })
    const count = n.cast('f64')
    const g_mean = k.local(x.type, of_g.div(count).cast(x.type))
    const slope = k.local(x.type, of_product.div(count).cast(x.type).mul(r).mul(r))
    k.for(n, 'vector', j => {
      const gj = weight ? g.at(i, j).mul(weight.at(j)) : g.at(i, j)
      k.store(grad, [i, j], gj.sub(g_mean).sub(x.at(i, j).sub(m).mul(slope)).mul(r))
    })
  }

  k.for(rows.add(block).sub(1).truncdiv(block), 'parallel', b => {
    const first = b.mul(block)
    const count = k.local('index', rows.sub(first).min(block))
    for (const s of sums) k.for(n, 'vector', j => k.store(s, [b, j], constant(0, s.type)))
    const some_rows = (from: Expr, number: Expr | number): void => {
      if (grad) k.for(number, 'serial', i => input_gradient(grad, from.add(i)))
    }
    const column_sums = (from: Expr, number: number): void => {
      if (sums.length === 0) return
      add_few_rows(k, { width: n, totals: sums, at: j => [b, j] }, from, number, (i, j) => {
        const gj = g.at(i, j)
        const normal = x.at(i, j).sub(mean.at(i)).mul(rstd.at(i))
        return [...(weight_sums ? [gj.mul(normal)] : []), ...(bias_sums ? [gj] : [])]
      })
    }
    const groups = k.local('index', count.truncdiv(TOGETHER))
    k.for(groups, 'serial', group => {
      const from = first.add(group.mul(TOGETHER))
      some_rows(from, TOGETHER)
      column_sums(from, TOGETHER)
    })
    k.for(count.sub(groups.mul(TOGETHER)), 'serial', i => {
      const from = first.add(groups.mul(TOGETHER)).add(i)
      some_rows(from, 1)
      column_sums(from, 1)
    })
  })
})

function fused_gradients(
  g: Tensor,
  input: Tensor,
  shape: readonly number[],
  weight: Tensor | null,
  mean: Tensor,
  rstd: Tensor,
  [of_input, of_weight, of_bias]: readonly boolean[],
): Gradients {
  const { dtype } = input
  const n = numel(shape)
  const stats = statistics_dtype(dtype)
  const grad = of_input ? empty(input.sizes, dtype) : null
  const m = input.count === 0 ? 0 : input.count / n
  const block = Math.max(FEWEST_ROWS, Math.min(MOST_ROWS, Math.floor(BLOCK_ELEMENTS / Math.max(1, n))))
  const blocks = Math.ceil(m / block)
  const sums = (wanted: boolean | undefined): Tensor | null => (wanted ? empty([blocks, n], stats) : null)
  const [weight_sums, bias_sums] = [sums(of_weight), sums(of_bias)]
  if (m > 0) {
    const rows = (t: Tensor): Operand => window(t, [m, n], [n, 1])
    const operands: Operand[] = [rows(dense(input)), rows(dense_as(g, dtype)), mean, rstd]
    if (weight !== null) operands.push(dense_as(weight, dtype))
    if (grad !== null) operands.push(rows(grad))
    for (const t of [weight_sums, bias_sums]) if (t !== null) operands.push(t)
    const letters = `${grad ? 'x' : ''}${of_weight ? 'w' : ''}${of_bias ? 'b' : ''}`
    gradients_kernel(dtype, weight !== null, letters)(operands, [block])
  }
  const total = (t: Tensor | null): Tensor | null =>
    t && (blocks === 1 ? alias(t, shape, contiguous_strides(shape)) : sum_partials(t).view(shape))
  return [grad, total(weight_sums), total(bias_sums)]
}

function check_layer_norm(
  input: Tensor,
  shape: readonly number[],
  weight: Tensor | null,
  bias: Tensor | null,
): void {
  const text = `[${shape.join(', ')}]`
  if (shape.length === 0)
    throw new RuntimeError(
      `Expected normalized_shape to be at least 1-dimensional, i.e., containing at least one element, but got normalized_shape = ${text}`,
    )
  for (const [name, t] of [
    ['weight', weight],
    ['bias', bias],
  ] as const)
    if (t !== null && t.sizes.join() !== shape.join())
      throw new RuntimeError(
        `Expected ${name} to be of same shape as normalized_shape, but got ${name} of shape [${t.sizes.join(', ')}] and normalized_shape = ${text}`,
      )
  if (input.ndim < shape.length || input.sizes.slice(-shape.length).join() !== shape.join())
    throw new RuntimeError(
      `Given normalized_shape=${text}, expected input with shape [*, ${shape.join(', ')}], but got input of size[${input.sizes.join(', ')}]`,
    )
}

type LayerNormOptions = { weight?: Tensor | null; bias?: Tensor | null; eps?: number }

/** Normalises over the last dimensions to mean 0 and variance 1, then scales and shifts. */
export const layer_norm: Op<
  [
    input: Tensor,
    normalized_shape: readonly number[],
    weight?: Tensor | null | LayerNormOptions,
    bias?: Tensor | null | LayerNormOptions,
    eps?: number | LayerNormOptions,
    cudnn_enable?: boolean,
  ]
> = composite(
  'layer_norm(Tensor input, int[] normalized_shape, Tensor? weight=None, Tensor? bias=None, float eps=1e-05, bool cudnn_enable=True)',
  {
    body: (input: Tensor, shape: number[], weight: Tensor | null, bias: Tensor | null, eps: number) =>
      normalise(input, shape, weight, bias, eps)[0],
    samples: r => [
      [r(3, 4), [4], r(4), r(4)],
      [r(2, 3, 4), [3, 4]],
    ],
    out: false,
  },
)
