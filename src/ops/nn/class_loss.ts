// The likelihood of class indices, with weights and ignored labels: what nll_loss and cross_entropy share. One kernel computes
// the reduced loss and checks the labels. Not here: the losses (nll_loss.ts, cross_entropy.ts), elementwise ones (loss.ts).
import { type DType, float16, float64, int64, uint8 } from '../../base/dtype.ts'
import { IndexError, RuntimeError, ValueError } from '../../base/errors.ts'
import { numel } from '../../base/shape.ts'
import type { Operand } from '../../device/device.ts'
import { constant, type Expr } from '../../ir/expr.ts'
import { empty, kernels, zeros } from '../../tensor/dispatch.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { dense, dense_as } from '../define/copy.ts'
import { type Op, op } from '../define/op.ts'
import { scalar_name } from '../define/out.ts'
import { not_implemented } from '../define/rules.ts'
import { window } from '../define/space.ts'
import { require_reduction } from './reduction.ts'

/** [N, C, L] views of an input (N, C), (C) or (N, C, ...), and [N, L] of its target. */
function class_views(input: Tensor, target: Tensor): [Operand, Operand] {
  const { ndim, sizes } = input
  const [n, c, l] = ndim === 1 ? [1, sizes[0]!, 1] : [sizes[0]!, sizes[1]!, numel(sizes.slice(2))]
  return [window(input, [n, c, l], [c * l, l, 1]), window(target, [n, l], [l, 1])]
}

/**
 * The losses, one each or reduced, and what a mean divides by; the number of labels that are no class goes to `bad`.
 * Sums are made in float64.
 */
const forward_kernel = kernels('nll_loss', (k, dtype: DType, weighted: boolean, reduction: string) => {
  const out = k.output('out', dtype, reduction === 'none' ? { rank: 2, inner: 1 } : 'flat')
  const total = k.output('total', dtype, 'flat')
  const bad = k.output('bad', float64, 'flat')
  const x = k.input('x', dtype, { rank: 3 })
  const target = k.input('target', int64, { rank: 2, inner: 1 })
  const weight = weighted ? k.input('weight', dtype, 'flat') : null
  const ignore = k.value('ignore_index', 'i64')
  const [n, l] = target.sizes as [Expr, Expr]
  const classes = x.sizes[1]!.cast('i64')
  const sum = k.local('f64', 0)
  const weights = k.local('f64', 0)
  const wrong = k.local('f64', 0)
  k.nest([n, l], 'serial', 'serial', (i, j) => {
    const label = k.local('i64', target.at(i, j))
    const given = label.ne(ignore)
    const valid = label.ge(0).and(label.lt(classes))
    const counted = k.local('bool', given.and(valid))
    const at = label.cast('index')
    const w = weight === null ? counted.where(1, constant(0, x.type)) : weight.at_if(counted, [at], 0)
    const loss = counted.where(x.at_if(counted, [i, at, j], 0).mul(w).neg(), constant(0, x.type))
    k.assign(wrong, wrong.add(given.and(valid.not()).where(1, constant(0, 'f64'))))
    k.assign(weights, weights.add(w.cast('f64')))
    if (reduction === 'none') k.store(out, [i, j], loss)
    else k.assign(sum, sum.add(loss.cast('f64')))
  })
  if (reduction !== 'none') k.store(out, [0], (reduction === 'mean' ? sum.div(weights) : sum).cast(out.type))
  k.store(total, [0], weights.cast(total.type))
  k.store(bad, [0], wrong)
})

/** grad[n, label, l] = -weight * g / total, the others zero. */
const backward_kernel = kernels('nll_loss_grad', (k, dtype: DType, weighted: boolean, mean: boolean) => {
  const grad = k.inout('grad', dtype, { rank: 3 })
  const g = k.input('g', dtype, { rank: 2 })
  const target = k.input('target', int64, { rank: 2, inner: 1 })
  const total = k.input('total', dtype, 'flat')
  const weight = weighted ? k.input('weight', dtype, 'flat') : null
  const ignore = k.value('ignore_index', 'i64')
  k.nest(target.sizes, 'parallel', 'serial', (i, j) => {
    const label = k.local('i64', target.at(i, j))
    const at = label.cast('index')
    k.if(label.ne(ignore), () => {
      const share = mean ? g.at(i, j).div(total.at(0)) : g.at(i, j)
      k.store(grad, [i, at, j], (weight === null ? share : share.mul(weight.at(at))).neg())
    })
  })
})

type Flat = [input: Tensor, target: Tensor, weight: Tensor | null, reduction: string, ignore_index: number]

const nll_op = (node: string): Op<Flat, [Tensor, Tensor]> =>
  op('nll_loss(Tensor input, Tensor target, Tensor? weight, str reduction, int ignore_index)', {
    node,
    forward(...[input, target, weight, reduction, ignore_index]: Flat): [Tensor, Tensor] {
      const { dtype } = input
      const [out, total, bad] = [
        empty(reduction === 'none' ? target.sizes : [], dtype),
        empty([], dtype),
        empty([1], float64),
      ]
      const [x, labels] = class_views(dense(input), dense_as(target, int64))
      const loss = reduction === 'none' ? window(out, labels.sizes, labels.strides) : out
      const operands = [loss, total, bad, x, labels, ...(weight === null ? [] : [dense_as(weight, dtype)])]
      forward_kernel(dtype, weight !== null, reduction)(operands, [ignore_index])
      if (Number(bad.memory.peek(float64)[bad.offset]) > 0) throw first_bad(target, x.sizes[1]!, ignore_index)
      return [out, total]
    },
    saves: ['target', 'weight', 'out.1'],
    gradcheck: false, // the second result is no function to differentiate; nll_loss is checked
    backward([g], [input, target, weight, reduction, ignore_index], [, total], needs) {
      const grad =
        g && needs[0]
          ? nll_grad(g, target, weight, reduction === 'mean' ? total : null, ignore_index, input.sizes)
          : null
      return [grad, null, ...(weight === null ? [] : [null])]
    },
  })
const nll_1d = nll_op('NllLossBackward0')
const nll_2d = nll_op('NllLoss2DBackward0')

export function first_bad(target: Tensor, classes: number, ignore_index: number): IndexError {
  const bad = target.lt(0).logical_or(target.ge(classes)).logical_and(target.ne(ignore_index))
  return new IndexError(`Target ${target.masked_select(bad).select(0, 0).item()} is out of bounds.`)
}

type GradArgs = [
  g: Tensor,
  target: Tensor,
  weight: Tensor | null,
  total: Tensor | null,
  ignore_index: number,
  sizes: readonly number[],
]

export const nll_grad: Op<GradArgs> = op(
  'nll_loss_backward(Tensor g, Tensor target, Tensor? weight, Tensor? total, int ignore_index, int[] sizes)',
  {
    node: 'NllLossBackwardBackward0',
    forward(...[g, target, weight, total, ignore_index, sizes]: GradArgs) {
      const grad = zeros(sizes, g.dtype)
      if (grad.count === 0 || target.count === 0) return grad
      const [x, labels] = class_views(grad, dense_as(target, int64))
      const each =
        g.count === 1 ? window(g, labels.sizes, [0, 0]) : window(dense(g), labels.sizes, labels.strides)
      const operands = [x, each, labels, total ?? g, ...(weight === null ? [] : [dense_as(weight, g.dtype)])]
      backward_kernel(g.dtype, weight !== null, total !== null)(operands, [ignore_index])
      return grad
    },
    saves: ['target', 'weight', 'total'],
    gradcheck: false, // only g is differentiable; nll_loss's second derivative is checked
    backward(gg, [g, target, weight, total, ignore_index], _, needs) {
      const none = [null, ...[weight, total].flatMap(t => (t === null ? [] : [null]))]
      if (!needs[0]) return [null, ...none]
      const dim = gg.ndim === 1 ? 0 : 1
      const labels = target.to(int64)
      const kept = labels.ne(ignore_index)
      const picked = gg.gather(dim, labels.mul(kept).unsqueeze(dim)).squeeze(dim).neg().mul(kept)
      const weighted = weight === null ? picked : picked.mul(share_of(labels, weight, ignore_index))
      const shared = total === null ? weighted : weighted.div(total)
      return [g.ndim === 0 ? shared.sum() : shared, ...none]
    },
  },
)

/** The weight of each element's class; ignored ones have none. */
export function share_of(target: Tensor, weight: Tensor, ignore_index: number): Tensor {
  const kept = target.ne(ignore_index)
  return weight
    .index_select(0, target.mul(kept).reshape([-1]))
    .view(target.sizes)
    .mul(kept)
}

export function check_nll(input: Tensor, target: Tensor, weight: Tensor | null): void {
  const text = (sizes: readonly number[]): string => `[${sizes.join(', ')}]`
  if (input.ndim === 0) throw new ValueError('Expected 1 or more dimensions (got 0)')
  if (input.ndim > 1 && input.sizes[0] !== target.sizes[0])
    throw new ValueError(
      `Expected input batch_size (${input.sizes[0]}) to match target batch_size (${target.sizes[0] ?? 0}).`,
    )
  if (input.ndim <= 2 && target.ndim > 1)
    throw new RuntimeError('0D or 1D target tensor expected, multi-target not supported')
  if (input.ndim === 1 && target.ndim === 1)
    throw new RuntimeError(`size mismatch (got input: ${text(input.sizes)}, target: ${text(target.sizes)})`)
  if (input.ndim === 4 && target.ndim !== 3)
    throw new RuntimeError(
      `only batches of spatial targets supported (3D tensors) but got targets of dimension: ${target.ndim}`,
    )
  if (input.ndim > 2 && target.sizes.slice(1).join() !== input.sizes.slice(2).join())
    throw new RuntimeError(
      input.ndim === 4
        ? `size mismatch (got input: ${text(input.sizes)} , target: ${text(target.sizes)}`
        : `Expected target size ${text(input.sizes.toSpliced(1, 1))}, got ${text(target.sizes)}`,
    )
  if (target.dtype !== int64 && target.dtype !== uint8)
    throw new RuntimeError(`expected scalar type Long but found ${target.dtype.tensor_type.slice(0, -6)}`)
  if (!input.dtype.is_floating_point || input.dtype === float16)
    not_implemented(input.ndim > 2 ? 'nll_loss2d_forward_out_frame' : 'nll_loss_out_frame', input.dtype)
  if (weight !== null && weight.dtype !== input.dtype)
    throw new RuntimeError(
      `expected scalar type ${scalar_name(input.dtype)} but found ${scalar_name(weight.dtype)}`,
    )
  require_class_weight('', input, weight)
}

export function require_class_weight(name: string, input: Tensor, weight: Tensor | null): void {
  const classes = input.sizes[input.ndim === 1 ? 0 : 1]!
  if (weight !== null && weight.count !== classes)
    throw new RuntimeError(
      `${name}weight tensor should be defined either for all ${classes} classes or no classes but got weight tensor of shape: [${weight.sizes.join(', ')}]`,
    )
}

export function likelihood(...[input, target, weight, reduction, ignore_index]: Flat): Tensor {
  require_reduction(reduction)
  check_nll(input, target, weight)
  return (input.ndim > 2 ? nll_2d : nll_1d)(input, target, weight, reduction, ignore_index)[0]
}

export type NllOptions = {
  weight?: Tensor | null
  size_average?: boolean | null
  ignore_index?: number
  reduce?: boolean | null
  reduction?: string
}

/** The parameters after input and target. */
export const NLL =
  "Tensor? weight=None, bool? size_average=None, int ignore_index=-100, bool? reduce=None, str reduction='mean'"
export type NllValues = [
  input: Tensor,
  target: Tensor,
  weight: Tensor | null,
  size_average: boolean | null,
  ignore_index: number,
  reduce: boolean | null,
  reduction: string,
]
