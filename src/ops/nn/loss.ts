// Losses: elementwise ones with a reduction, and the likelihood of class indices. Each is one node on the tape, with
// PyTorch's name. Not here: losses that are plain formulas of other ops (nn/functional).
import { type DType, int64 } from '../../base/dtype.ts'
import { IndexError, RuntimeError, ValueError } from '../../base/errors.ts'
import { broadcast_sizes, numel } from '../../base/shape.ts'
import { warn } from '../../base/warn.ts'
import { type Expr, wrap } from '../../ir/expr.ts'
import { empty, kernels, zeros } from '../../tensor/dispatch.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { value_range } from '../define/bounds.ts'
import { dense, dense_as } from '../define/copy.ts'
import { composite, type Op, op, type Samples } from '../define/op.ts'
import { type Number, pointwise } from '../define/pointwise.ts'
import { reduce_to } from '../define/reduce_to.ts'
import { window } from '../define/space.ts'
import { logsigmoid } from './activation.ts'
import { log_softmax } from './softmax.ts'

export type Reduction = 'none' | 'mean' | 'sum'

/** Throws ValueError for what is no reduction. */
export function require_reduction(reduction: string): asserts reduction is Reduction {
  if (reduction !== 'none' && reduction !== 'mean' && reduction !== 'sum')
    throw new ValueError(`${reduction} is not a valid value for reduction`)
}

const reduced = (t: Tensor, reduction: string): Tensor =>
  reduction === 'mean' ? t.mean() : reduction === 'sum' ? t.sum() : t

type LossOptions = { reduction?: string }

/**
 * Declares a loss that is elementwise in `input` and `target` and then reduced. `extra` are further parameters of
 * the signature that the expression takes.
 */
function elementwise_loss<A extends readonly unknown[]>(
  name: string,
  forward: (input: Expr, target: Expr, ...extra: Expr[]) => Expr,
  samples: Samples<NoInfer<A>>,
  extra = '',
  backward?: (g: Expr, input: Expr, target: Expr) => Expr[],
): Op<A> {
  const element = pointwise<[Tensor, Tensor, ...Number[]], Expr[]>(
    `${name}_element(Tensor self, Tensor target${extra})`,
    {
      dtype: 'float',
      forward: forward as (...args: Expr[]) => Expr,
      ...(backward && { backward: (g: Expr, [x, y]: Expr[]) => backward(g, x!, y!) }),
    },
  )
  const spread = (g: Tensor, [input, target, ...rest]: unknown[], i: number): Tensor | null => {
    const reduction = rest.pop() as string
    const { sizes, dtype } = [input, target][i] as Tensor
    const n = numel(broadcast_sizes((input as Tensor).sizes, (target as Tensor).sizes))
    const scaled = reduction === 'mean' ? g.div(n) : g
    const grad = element.spec.gradient?.(scaled, i, [input, target, ...rest]) ?? null
    return grad === null ? null : reduce_to(grad, sizes, dtype)
  }
  return op<A, [Tensor, Tensor, ...unknown[]], Tensor>(
    `${name}(Tensor self, Tensor target${extra}, str reduction='mean')`,
    {
      forward: (input, target, ...rest) => {
        const reduction = rest.pop() as string
        require_reduction(reduction)
        return reduced(element(input, target, ...(rest as Number[])), reduction)
      },
      saves: ['self', 'target'],
      backward: {
        self: (g, values) => spread(g, [...values], 0),
        target: (g, values) => spread(g, [...values], 1),
      },
      samples,
    },
  )
}

type LossArgs = [input: Tensor, target: Tensor, opts?: LossOptions | string]

/** The squared difference. */
export const mse_loss: Op<LossArgs> = elementwise_loss(
  'mse_loss',
  (x, y) => x.sub(y).mul(x.sub(y)),
  r => [
    [r(3, 4), r(3, 4)],
    [r(3), r(3), { reduction: 'sum' }],
    [r(3), r(3), { reduction: 'none' }],
  ],
)

/** Squared below `beta`, linear beyond: `0.5 d^2 / beta` where |d| < beta, else `|d| - 0.5 beta`. */
export const smooth_l1_loss: Op<[...LossArgs, beta?: number]> = (() => {
  const loss = elementwise_loss<[input: Tensor, target: Tensor, beta: number, reduction: string]>(
    'smooth_l1_loss',
    (x, y, beta) => {
      const d = x.sub(y).abs()
      return d.lt(beta!).where(d.mul(d).mul(0.5).div(beta!), d.sub(beta!.mul(0.5)))
    },
    () => [],
    ', Scalar beta',
  )
  return composite<[...LossArgs, beta?: number]>(
    "smooth_l1_loss(Tensor self, Tensor target, str reduction='mean', float beta=1.0)",
    {
      body: (input: Tensor, target: Tensor, reduction: string, beta: number) => {
        if (beta < 0) throw new RuntimeError('smooth_l1_loss does not support negative values for beta.')
        return beta === 0 ? reduced(input.sub(target).abs(), reduction) : loss(input, target, beta, reduction)
      },
      samples: r => [
        [r(3, 4), r(3, 4)],
        [r(3), r(3), { reduction: 'sum' }],
      ],
    },
  )
})()

/** Squared below `delta`, linear beyond: `0.5 d^2` where |d| < delta, else `delta (|d| - 0.5 delta)`. */
export const huber_loss: Op<[...LossArgs, delta?: number]> = (() => {
  const loss = elementwise_loss<[input: Tensor, target: Tensor, delta: number, reduction: string]>(
    'huber_loss',
    (x, y, delta) => {
      const d = x.sub(y).abs()
      return d.lt(delta!).where(d.mul(d).mul(0.5), delta!.mul(d.sub(delta!.mul(0.5))))
    },
    () => [],
    ', Scalar delta',
  )
  return composite<[...LossArgs, delta?: number]>(
    "huber_loss(Tensor self, Tensor target, str reduction='mean', float delta=1.0)",
    {
      body: (input: Tensor, target: Tensor, reduction: string, delta: number) => {
        if (delta <= 0) throw new RuntimeError('huber_loss does not support non-positive values for delta.')
        return loss(input, target, delta, reduction)
      },
      samples: r => [
        [r(3, 4), r(3, 4)],
        [r(3), r(3), { reduction: 'sum' }],
      ],
    },
  )
})()

/** log(1 + exp(-target * input)). */
export const soft_margin_loss: Op<LossArgs> = elementwise_loss(
  'soft_margin_loss',
  (x, y) => x.mul(y).neg().exp().log1p(),
  r => [[r(3, 4), r(3, 4)]],
)

/** The cross entropy of probabilities; logarithms are clamped at -100, as PyTorch does. */
const bce_element: Op<LossArgs> = elementwise_loss(
  'binary_cross_entropy',
  (x, t) => {
    const log_x = x.log().max(wrap(-100, x.type))
    const log_not = x.neg().log1p().max(wrap(-100, x.type))
    return t.sub(1).mul(log_not).sub(t.mul(log_x))
  },
  r => [[r.range(0.1, 0.9, 3, 4), r.range(0.1, 0.9, 3, 4)]],
)

type WeightedArgs = [
  input: Tensor,
  target: Tensor,
  weight?: Tensor | null | { weight?: Tensor | null; reduction?: string },
  reduction?: string | { reduction?: string },
]

/** The binary cross entropy between probabilities and targets. Throws for probabilities outside [0, 1]. */
export const binary_cross_entropy: Op<WeightedArgs> = composite(
  "binary_cross_entropy(Tensor self, Tensor target, Tensor? weight=None, str reduction='mean')",
  {
    body: (input: Tensor, target: Tensor, weight: Tensor | null, reduction: string) => {
      require_reduction(reduction)
      if (input.count > 0) {
        const { low, high } = value_range(input)
        if (!(low >= 0 && high <= 1))
          throw new RuntimeError('all elements of input should be between 0 and 1')
      }
      if (weight === null) return bce_element(input, target, reduction)
      return reduced(bce_element(input, target, 'none').mul(weight), reduction)
    },
    samples: r => [
      [r.range(0.1, 0.9, 3, 4), r.range(0.1, 0.9, 3, 4)],
      [r.range(0.1, 0.9, 3), r.range(0.1, 0.9, 3), r.range(0.1, 1, 3), { reduction: 'sum' }],
    ],
  },
)

const plain_bce_with_logits: Op<LossArgs> = elementwise_loss(
  'binary_cross_entropy_with_logits',
  (x, t) => wrap(1, x.type).sub(t).mul(x).add(softplus_of_negative(x)),
  r => [[r(3, 4), r.range(0, 1, 3, 4)]],
  '',
  // Written out for x = 0, where the terms above have corners that cancel.
  (g, x, t) => [g.mul(wrap(1, x.type).div(x.neg().exp().add(1)).sub(t)), g.mul(x.neg())],
)
function softplus_of_negative(x: Expr): Expr {
  return x.abs().neg().exp().log1p().add(x.neg().max(0))
}

type LogitsOptions = { weight?: Tensor | null; reduction?: string; pos_weight?: Tensor | null }

/** The binary cross entropy of sigmoid(input), without overflow; `pos_weight` weighs positive answers, by class. */
export const binary_cross_entropy_with_logits: Op<
  [input: Tensor, target: Tensor, weight?: Tensor | null | LogitsOptions, opts?: LogitsOptions]
> = composite(
  "binary_cross_entropy_with_logits(Tensor self, Tensor target, Tensor? weight=None, bool? size_average=None, bool? reduce=None, str reduction='mean', Tensor? pos_weight=None)",
  {
    body: (
      input: Tensor,
      target: Tensor,
      weight: Tensor | null,
      size_average: boolean | null,
      reduce: boolean | null,
      reduction_: string,
      pos_weight: Tensor | null,
    ) => {
      const reduction = legacy_reduction(size_average, reduce, reduction_)
      require_reduction(reduction)
      if (target.sizes.join() !== input.sizes.join())
        throw new ValueError(`Target size (${target.shape}) must be the same as input size (${input.shape})`)
      if (weight === null && pos_weight === null) return plain_bce_with_logits(input, target, reduction)
      const log_weight = pos_weight === null ? 1 : pos_weight.sub(1).mul(target).add(1)
      const loss = target.neg().add(1).mul(input).sub(logsigmoid(input).mul(log_weight))
      return reduced(weight === null ? loss : loss.mul(weight), reduction)
    },
    samples: r => [
      [r(3, 4), r.range(0, 1, 3, 4)],
      [
        r(3, 4),
        r.range(0, 1, 3, 4),
        r.range(0.1, 1, 4),
        { pos_weight: r.range(0.5, 2, 4), reduction: 'sum' },
      ],
    ],
  },
)

// ---------------------------------------------------------------------------------------------- class indices

/** [N, C, L] views of an input (N, C), (C) or (N, C, ...), and [N, L] of its target. */
function class_views(input: Tensor, target: Tensor): [ReturnType<typeof window>, ReturnType<typeof window>] {
  const [n, c, l] =
    input.ndim === 1
      ? [1, input.sizes[0]!, 1]
      : [input.sizes[0]!, input.sizes[1]!, numel(input.sizes.slice(2))]
  return [window(input, [n, c, l], [c * l, l, 1]), window(target, [n, l], [l, 1])]
}

/** Per element the loss and its weight; classes out of range are counted in `bad` beforehand. */
const nll_kernel = kernels('nll_loss', (k, dtype: DType, weighted: boolean, backward: boolean) => {
  // forward: loss[n, l] and share[n, l] from x; backward: grad[n, class, l] from the gradient of each loss.
  const x = backward ? k.inout('grad', dtype, { rank: 3 }) : k.input('x', dtype, { rank: 3 })
  const target = k.input('target', int64, { rank: 2 })
  const weight = weighted ? k.input('weight', dtype, { rank: 1 }) : null
  const loss = backward ? k.input('g', dtype, { rank: 2 }) : k.output('loss', dtype, { rank: 2 })
  const share = backward ? null : k.output('share', dtype, { rank: 2 })
  const ignore = k.value('ignore_index', 'i64')
  k.nest(target.sizes, 'parallel', 'serial', (n, l) => {
    const label = target.at(n, l)
    const kept = label.ne(ignore)
    const at = label.cast('index')
    const w =
      weight === null ? kept.where(1, x.at_if(kept, [n, at, l], 0).mul(0)) : weight.at_if(kept, [at], 0)
    if (backward) {
      k.if(kept, () => k.store(x, [n, at, l], loss.at(n, l).mul(weight === null ? -1 : w.neg())))
      return
    }
    k.store(loss, [n, l], kept.where(x.at_if(kept, [n, at, l], 0).mul(w).neg(), w.mul(0)))
    k.store(share!, [n, l], w)
  })
})

function check_nll(input: Tensor, target: Tensor, weight: Tensor | null): void {
  if (input.ndim === 0 || input.ndim > 5) throw new RuntimeError(`input tensor should be 1D or 2D`)
  if (input.ndim === 1 ? target.ndim > 1 : input.sizes[0] !== target.sizes[0])
    throw new ValueError(
      `Expected input batch_size (${input.sizes[0]}) to match target batch_size (${target.sizes[0] ?? 1}).`,
    )
  if (input.ndim >= 3 && target.sizes.slice(1).join() !== input.sizes.slice(2).join())
    throw new RuntimeError(
      `size mismatch (got input: [${input.sizes.join(', ')}] , target: [${target.sizes.join(', ')}])`,
    )
  if (target.dtype !== int64)
    throw new RuntimeError(
      target.dtype.is_floating_point
        ? `expected scalar type Long but found ${target.dtype.tensor_type.slice(0, -6)}`
        : `"nll_loss_out_frame" not implemented for '${target.dtype.tensor_type.slice(0, -6)}'`,
    )
  const classes = input.sizes[input.ndim === 1 ? 0 : 1]!
  if (weight !== null && weight.count !== classes)
    throw new RuntimeError(
      `weight tensor should be defined either for all ${classes} classes or no classes but got weight tensor of shape: [${weight.sizes.join(', ')}]`,
    )
}

function check_labels(target: Tensor, classes: number, ignore_index: number): void {
  const bad = target.lt(0).logical_or(target.ge(classes)).logical_and(target.ne(ignore_index))
  if (bad.any().item() !== true) return
  const first = target.masked_select(bad).select(0, 0).item()
  throw new IndexError(`Target ${first} is out of bounds.`)
}

/** The losses and weights per element, and their reduction. */
function run_nll(
  input: Tensor,
  target: Tensor,
  weight: Tensor | null,
  reduction: string,
  ignore_index: number,
): { loss: Tensor; total: Tensor } {
  const sizes = target.sizes
  const loss = empty(sizes, input.dtype)
  const share = empty(sizes, input.dtype)
  const [x, labels] = class_views(dense(input), dense(target))
  const flat = (t: Tensor): ReturnType<typeof window> => window(t, labels.sizes, labels.strides)
  if (loss.count > 0) {
    const operands = weight === null ? [x, labels] : [x, labels, dense_as(weight, input.dtype)]
    nll_kernel(input.dtype, weight !== null, false)([...operands, flat(loss), flat(share)], [ignore_index])
  }
  const total = share.sum()
  if (reduction === 'none') return { loss, total }
  return { loss: reduction === 'sum' ? loss.sum() : loss.sum().div(total), total }
}

type NllFlat = [input: Tensor, target: Tensor, weight: Tensor | null, reduction: string, ignore_index: number]

const nll_op = (node: string): Op<NllFlat> =>
  op('nll_loss(Tensor input, Tensor target, Tensor? weight, str reduction, int ignore_index)', {
    node,
    forward: (...[input, target, weight, reduction, ignore_index]: NllFlat) =>
      run_nll(input, target, weight, reduction, ignore_index).loss,
    saves: ['target', 'weight'],
    backward: {
      input: (g, [input, target, weight, reduction, ignore_index]) => {
        const kept = weight === null ? target.ne(ignore_index).sum() : null
        const total = kept ?? share_of(target, weight as Tensor, ignore_index).sum()
        const each = reduction === 'mean' ? g.div(total.to(g.dtype)) : g
        return nll_grad(each.expand(target.sizes), target, weight, ignore_index, input.sizes)
      },
    },
  })

/** The weight of each element's class; ignored ones have none. */
const share_of = (target: Tensor, weight: Tensor, ignore_index: number): Tensor => {
  const kept = target.ne(ignore_index)
  const safe = target.mul(kept)
  return weight
    .index_select(0, safe.reshape([-1]))
    .view(target.sizes)
    .mul(kept)
}

const nll_grad: Op<
  [g: Tensor, target: Tensor, weight: Tensor | null, ignore_index: number, sizes: readonly number[]]
> = op('nll_loss_backward(Tensor g, Tensor target, Tensor? weight, int ignore_index, int[] sizes)', {
  node: 'NllLossBackwardBackward0',
  forward(g: Tensor, target: Tensor, weight: Tensor | null, ignore_index: number, sizes: number[]) {
    const grad = zeros(sizes, g.dtype)
    if (grad.count === 0 || target.count === 0) return grad
    const [x, labels] = class_views(grad, dense(target))
    const operands = weight === null ? [x, labels] : [x, labels, dense_as(weight, g.dtype)]
    nll_kernel(
      g.dtype,
      weight !== null,
      true,
    )([...operands, window(dense(g), labels.sizes, labels.strides)], [ignore_index])
    return grad
  },
  saves: ['target', 'weight'],
  backward: {
    g: (gg, [, target, weight, ignore_index]) => {
      const dim = gg.ndim === 1 ? 0 : 1
      const kept = target.ne(ignore_index)
      const picked = gg.gather(dim, target.mul(kept).unsqueeze(dim)).squeeze(dim).neg().mul(kept)
      return weight === null ? picked : picked.mul(share_of(target, weight, ignore_index))
    },
  },
})

const nll_1d = nll_op('NllLossBackward0')
const nll_2d = nll_op('NllLoss2DBackward0')

type NllOptions = { weight?: Tensor | null; ignore_index?: number; reduction?: string }
type NllArgs = [input: Tensor, target: Tensor, weight?: Tensor | null | NllOptions, opts?: NllOptions]

const NLL =
  "Tensor? weight=None, bool? size_average=None, int ignore_index=-100, bool? reduce=None, str reduction='mean'"

/** What the flags of old PyTorch meant, as a reduction. */
export function legacy_reduction(
  size_average: boolean | null,
  reduce: boolean | null,
  reduction: string,
): string {
  if (size_average === null && reduce === null) return reduction
  const meant = reduce === false ? 'none' : (size_average ?? true) ? 'mean' : 'sum'
  warn(`size_average and reduce args will be deprecated, please use reduction='${meant}' instead.`)
  return meant
}

/** Minus the entry of `input` (log-probabilities, classes in dim 1) at each target class. */
export const nll_loss: Op<NllArgs> = composite(`nll_loss(Tensor input, Tensor target, ${NLL})`, {
  body: (
    input: Tensor,
    target: Tensor,
    weight: Tensor | null,
    size_average: boolean | null,
    ignore_index: number,
    reduce: boolean | null,
    reduction_: string,
  ) => {
    const reduction = legacy_reduction(size_average, reduce, reduction_)
    require_reduction(reduction)
    check_nll(input, target, weight)
    check_labels(target, input.sizes[input.ndim === 1 ? 0 : 1]!, ignore_index)
    return (input.ndim > 2 ? nll_2d : nll_1d)(input, target, weight, reduction, ignore_index)
  },
  samples: r => [
    [r(3, 5), r.ints(0, 5, 3)],
    [r(3, 5), r.ints(0, 5, 3), r.range(0.1, 1, 5), { reduction: 'sum' }],
    [r(2, 4, 3), r.ints(0, 4, 2, 3), { reduction: 'none' }],
  ],
})

type CrossEntropyOptions = NllOptions & { label_smoothing?: number }

/** nll_loss of log_softmax; targets are class indices, or probabilities of the input's shape. */
export const cross_entropy: Op<
  [input: Tensor, target: Tensor, weight?: Tensor | null | CrossEntropyOptions, opts?: CrossEntropyOptions]
> = composite(`cross_entropy(Tensor input, Tensor target, ${NLL}, float label_smoothing=0.0)`, {
  body: (
    input: Tensor,
    target: Tensor,
    weight: Tensor | null,
    size_average: boolean | null,
    ignore_index: number,
    reduce: boolean | null,
    reduction_: string,
    smoothing: number,
  ) => {
    const reduction = legacy_reduction(size_average, reduce, reduction_)
    require_reduction(reduction)
    if (smoothing < 0 || smoothing > 1)
      throw new RuntimeError(`label_smoothing must be between 0.0 and 1.0. Got: ${smoothing}`)
    const dim = input.ndim === 1 ? 0 : 1
    const log_probabilities = log_softmax(input, dim)
    if (target.sizes.join() === input.sizes.join() && target.dtype.is_floating_point)
      return soft_targets(log_probabilities, target, weight, reduction, smoothing, dim)
    const plain = nll_loss(log_probabilities, target, weight, { ignore_index, reduction })
    return smoothing === 0
      ? plain
      : smoothed(plain, log_probabilities, target, weight, reduction, ignore_index, smoothing, dim)
  },
  samples: r => [
    [r(3, 5), r.ints(0, 5, 3)],
    [r(3, 5), r.range(0, 1, 3, 5)],
    [r(3, 5), r.ints(0, 5, 3), r.range(0.1, 1, 5), { label_smoothing: 0.1 }],
    [r(2, 4, 3), r.ints(0, 4, 2, 3), { reduction: 'none' }],
  ],
})

/** `weight` along dimension `dim` of a tensor of `ndim` dimensions. */
const along = (weight: Tensor, dim: number, ndim: number): Tensor =>
  weight.view(Array.from({ length: ndim }, (_, d) => (d === dim ? -1 : 1)))

function soft_targets(
  log_probabilities: Tensor,
  target: Tensor,
  weight: Tensor | null,
  reduction: string,
  smoothing: number,
  dim: number,
): Tensor {
  const classes = log_probabilities.sizes[dim]!
  const wanted = smoothing > 0 ? target.mul(1 - smoothing).add(smoothing / classes) : target
  const terms = log_probabilities.mul(wanted)
  const weighted = weight === null ? terms : terms.mul(along(weight, dim, terms.ndim))
  const loss = weighted.sum(dim).neg()
  if (reduction !== 'mean') return reduced(loss, reduction)
  return loss.sum().div(Math.max(loss.count, 1))
}

/** Mixes in the mean of all classes' losses. */
function smoothed(
  plain: Tensor,
  log_probabilities: Tensor,
  target: Tensor,
  weight: Tensor | null,
  reduction: string,
  ignore_index: number,
  smoothing: number,
  dim: number,
): Tensor {
  const classes = log_probabilities.sizes[dim]!
  const weighted =
    weight === null ? log_probabilities : log_probabilities.mul(along(weight, dim, log_probabilities.ndim))
  const kept = target.ne(ignore_index)
  const each = weighted.sum(dim).neg().mul(kept)
  const total = weight === null ? kept.sum() : share_of(target, weight, ignore_index).sum()
  const uniform = reduction === 'mean' ? each.sum().div(total.to(each.dtype)) : reduced(each, reduction)
  return plain.mul(1 - smoothing).add(uniform.mul(smoothing / classes))
}
