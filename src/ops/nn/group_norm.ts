// group_norm: over groups of channels of a sample. One kernel normalises, another makes the gradients, those of weight and
// bias for each sample, whose sum is a third. A backward pass that is recorded is made of other ops.
import type { DType } from '../../base/dtype.ts'
import { RuntimeError } from '../../base/errors.ts'
import { numel } from '../../base/shape.ts'
import type { Operand } from '../../device/device.ts'
import { constant, type Expr } from '../../ir/expr.ts'
import type { Builder } from '../../ir/kernel.ts'
import { needs_ops } from '../../tensor/batched.ts'
import { empty, kernels } from '../../tensor/dispatch.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { dense, dense_as } from '../define/copy.ts'
import { composite, type Op } from '../define/op.ts'
import { window } from '../define/space.ts'
import { add_row, sum_partials } from '../define/sums.ts'
import {
  centred,
  type Gradients,
  per_channel,
  record_norm,
  require_float,
  require_same_dtype,
  statistics,
  statistics_dtype,
} from './norm_parts.ts'

/** A group of a sample is a row. */
const ROWS = { rank: 2, inner: 1 } as const

/**
 * For each channel of row `row`: its place in weight and bias, and a loop over its elements, which gets their places in
 * the row. `single`: a channel is one element.
 */
type EachElement = (body: (channel: Expr) => (j: Expr) => void) => void
function each_element(k: Builder, channels: Expr, length: Expr, single: boolean): EachElement {
  return body => {
    if (single) k.for(channels, 'vector', d => body(d)(d))
    else
      k.for(channels, 'serial', d => {
        const element = body(d)
        k.for(length, 'vector', l => element(d.mul(length).add(l)))
      })
  }
}

const forward_kernel = kernels('group_norm', (k, dtype: DType, affine: string, single: boolean) => {
  const stats = statistics_dtype(dtype)
  const out = k.output('out', dtype, ROWS)
  const mean_out = k.output('mean', stats, 'flat')
  const rstd_out = k.output('rstd', stats, 'flat')
  const x = k.input('x', dtype, ROWS)
  const weight = affine.includes('w') ? k.input('weight', stats, ROWS) : null
  const bias = affine.includes('b') ? k.input('bias', stats, ROWS) : null
  const [groups, channels] = [k.value('groups', 'index'), k.value('channels', 'index')]
  const eps = k.value('eps', 'f64')
  const [rows, n] = x.sizes as [Expr, Expr]
  k.for(rows, 'parallel', row => {
    const group = k.local('index', row.mod(groups))
    const [sum, squares] = [k.local('f64', 0), k.local('f64', 0)]
    add_row(k, x.type, n, [sum], j => [x.at(row, j)])
    const mean = k.local(x.type, sum.div(n.cast('f64')).cast(x.type))
    add_row(k, x.type, n, [squares], j => {
      const d = x.at(row, j).sub(mean)
      return [d.mul(d)]
    })
    const deviation = squares.div(n.cast('f64')).add(eps).sqrt()
    const rstd = k.local(x.type, constant(1, 'f64').div(deviation).cast(x.type))
    k.store(mean_out, [row], mean)
    k.store(rstd_out, [row], rstd)
    each_element(
      k,
      channels,
      n.truncdiv(channels),
      single,
    )(d => {
      const scale = weight ? rstd.mul(weight.at(group, d)) : rstd
      const shift = bias?.at(group, d)
      return j => {
        const normal = x.at(row, j).sub(mean).mul(scale)
        k.store(out, [row, j], shift ? normal.add(shift) : normal)
      }
    })
  })
})

/** The gradient of x, and for each sample the sums over each channel of g and of g times the normalised x. */
const backward_kernel = kernels('group_norm_grad', (k, dtype: DType, weighted: boolean, single: boolean) => {
  const stats = statistics_dtype(dtype)
  const x = k.input('x', dtype, ROWS)
  const g = k.input('g', dtype, ROWS)
  const mean_in = k.input('mean', stats, 'flat')
  const rstd_in = k.input('rstd', stats, 'flat')
  const weight = weighted ? k.input('weight', stats, ROWS) : null
  const grad = k.output('grad', dtype, ROWS)
  const weight_sums = k.output('weight_sums', stats, ROWS)
  const bias_sums = k.output('bias_sums', stats, ROWS)
  const [groups, channels] = [k.value('groups', 'index'), k.value('channels', 'index')]
  const [rows, n] = x.sizes as [Expr, Expr]
  k.for(rows, 'parallel', row => {
    const group = k.local('index', row.mod(groups))
    const [mean, rstd] = [k.local(x.type, mean_in.at(row)), k.local(x.type, rstd_in.at(row))]
    const length = n.truncdiv(channels)
    const [of_g, of_product] = [k.local('f64', 0), k.local('f64', 0)]
    if (single) {
      add_row(k, x.type, n, [of_g, of_product], j => {
        const gj = weight ? g.at(row, j).mul(weight.at(group, j)) : g.at(row, j)
        return [gj, gj.mul(x.at(row, j).sub(mean))]
      })
      k.for(n, 'vector', j => {
        k.store(bias_sums, [row, j], g.at(row, j))
        k.store(weight_sums, [row, j], g.at(row, j).mul(x.at(row, j).sub(mean)).mul(rstd))
      })
    } else
      k.for(channels, 'serial', d => {
        const [sum, products] = [k.local('f64', 0), k.local('f64', 0)]
        const first = k.local('index', d.mul(length))
        add_row(k, x.type, length, [sum, products], l => {
          const j = first.add(l)
          const gj = g.at(row, j)
          return [gj, gj.mul(x.at(row, j).sub(mean))]
        })
        k.store(bias_sums, [row, d], sum.cast(rstd.type))
        k.store(weight_sums, [row, d], products.cast(rstd.type).mul(rstd))
        const share = weight ? weight.at(group, d).cast('f64') : constant(1, 'f64')
        k.assign(of_g, of_g.add(sum.mul(share)))
        k.assign(of_product, of_product.add(products.mul(share)))
      })
    const count = n.cast('f64')
    const offset = k.local(x.type, of_g.div(count).cast(x.type).mul(rstd))
    const slope = k.local(x.type, of_product.div(count).cast(x.type).mul(rstd).mul(rstd).mul(rstd))
    each_element(
      k,
      channels,
      length,
      single,
    )(d => {
      const scale = weight ? rstd.mul(weight.at(group, d)) : rstd
      return j => {
        const taken = offset.add(x.at(row, j).sub(mean).mul(slope))
        k.store(grad, [row, j], g.at(row, j).mul(scale).sub(taken))
      }
    })
  })
})

/** What the kernels are told about a tensor (N, C, ...). */
function shape_of({ sizes }: Tensor, groups: number) {
  const [batch, all_channels] = sizes as [number, number]
  const rows = batch * groups
  const channels = all_channels / groups
  const length = numel(sizes.slice(2))
  const n = channels * length
  return {
    batch,
    all_channels,
    channels,
    rows,
    single: length === 1,
    in_rows: (t: Tensor): Operand => window(t, [rows, n], [n, 1]),
    by_group: (t: Tensor): Operand => window(t, [groups, channels], [channels, 1]),
  }
}

function normalise(
  input: Tensor,
  weight: Tensor | null,
  bias: Tensor | null,
  groups: number,
  eps: number,
): Tensor {
  require_float('GroupNormKernelImpl', input)
  require_same_dtype(input, weight, bias)
  const { dtype } = input
  const stats = statistics_dtype(dtype)
  const { rows, channels, single, in_rows, by_group } = shape_of(input, groups)
  const out = empty(input.sizes, dtype)
  const [mean, rstd] = [empty([rows], stats), empty([rows], stats)]
  const operands = [in_rows(out), mean, rstd, in_rows(dense(input))]
  if (weight !== null) operands.push(by_group(dense_as(weight, stats)))
  if (bias !== null) operands.push(by_group(dense_as(bias, stats)))
  const affine = `${weight === null ? '' : 'w'}${bias === null ? '' : 'b'}`
  if (input.count > 0) forward_kernel(dtype, affine, single)(operands, [groups, channels, eps])
  record_norm('NativeGroupNormBackward0', [out], [input, weight, bias], (g, input, weight) =>
    needs_ops(g)
      ? recorded_gradients(g, input, weight, groups, eps)
      : fused_gradients(g, input, weight, mean, rstd, groups),
  )
  return out
}

function fused_gradients(
  g: Tensor,
  input: Tensor,
  weight: Tensor | null,
  mean: Tensor,
  rstd: Tensor,
  groups: number,
): Gradients {
  const { dtype } = input
  const stats = statistics_dtype(dtype)
  const { batch, all_channels, rows, channels, single, in_rows, by_group } = shape_of(input, groups)
  const grad = empty(input.sizes, dtype)
  const [weight_sums, bias_sums] = [empty([batch, all_channels], stats), empty([batch, all_channels], stats)]
  const operands = [in_rows(dense(input)), in_rows(dense_as(g, dtype)), mean, rstd]
  if (weight !== null) operands.push(by_group(dense_as(weight, stats)))
  const sums = [weight_sums, bias_sums].map(t => window(t, [rows, channels], [channels, 1]))
  if (input.count > 0)
    backward_kernel(dtype, weight !== null, single)([...operands, in_rows(grad), ...sums], [groups, channels])
  return [grad, sum_partials(weight_sums), sum_partials(bias_sums)]
}

/** By ops on the tape, all of them. */
function recorded_gradients(
  g: Tensor,
  input: Tensor,
  weight: Tensor | null,
  groups: number,
  eps: number,
): Gradients {
  const { sizes } = input
  const rows = sizes[0]! * groups
  const as_rows = (t: Tensor): Tensor => t.reshape([rows, rows === 0 ? 0 : t.count / rows])
  const x = as_rows(input)
  const [mean, rstd] = statistics(x, [1], eps)
  const normal = x.sub(mean).mul(rstd)
  const scaled = as_rows(weight === null ? g : g.mul(per_channel(weight, g.ndim)))
  const dims = [...sizes.keys()].filter(d => d !== 1)
  return [centred(scaled, normal, rstd, [1]).view(sizes), g.mul(normal.view(sizes)).sum(dims), g.sum(dims)]
}

type GroupNormOptions = { weight?: Tensor | null; bias?: Tensor | null; eps?: number }

/** Normalises each group of channels of each sample, then scales and shifts the channels. */
export const group_norm: Op<
  [
    input: Tensor,
    num_groups: number,
    weight?: Tensor | null | GroupNormOptions,
    bias?: Tensor | null,
    eps?: number,
    cudnn_enabled?: boolean,
  ]
> = composite(
  'group_norm(Tensor input, int num_groups, Tensor? weight=None, Tensor? bias=None, float eps=1e-05, bool cudnn_enabled=True)',
  {
    body: (input: Tensor, groups: number, weight: Tensor | null, bias: Tensor | null, eps: number) => {
      const channels = input.size(1)
      if (channels % groups !== 0)
        throw new RuntimeError(
          `Expected number of channels in input to be divisible by num_groups, but got input of shape [${input.sizes.join(', ')}] and num_groups=${groups}`,
        )
      for (const [name, t] of [
        ['weight', weight],
        ['bias', bias],
      ] as const)
        if (t !== null && (t.ndim !== 1 || t.count !== channels))
          throw new RuntimeError(
            `Expected ${name} to be a vector of size equal to the number of channels in input, but got ${name} of shape [${t.sizes.join(', ')}] and input of shape [${input.sizes.join(', ')}]`,
          )
      return normalise(input, weight, bias, groups, eps)
    },
    samples: r => [
      [r(2, 4, 3), 2, r(4), r(4)],
      [r(2, 4), 1],
    ],
    out: false,
  },
)
