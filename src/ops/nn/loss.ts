// Losses that are elementwise and then reduced, each one node on the tape with PyTorch's name.
// Not here: losses of class indices (class_loss.ts), losses that are plain formulas of other ops (nn/functional).
import { RuntimeError, ValueError } from '../../base/errors.ts'
import { broadcast_sizes, numel } from '../../base/shape.ts'
import { warn } from '../../base/warn.ts'
import { type Expr, wrap } from '../../ir/expr.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { value_range } from '../define/bounds.ts'
import { composite, type Op, op, type Samples } from '../define/op.ts'
import { type Number, pointwise } from '../define/pointwise.ts'
import { reduce_to } from '../define/reduce_to.ts'
import { logsigmoid } from './activation.ts'

export type Reduction = 'none' | 'mean' | 'sum'

/** Throws ValueError for what is no reduction. */
export function require_reduction(reduction: string): asserts reduction is Reduction {
  if (reduction !== 'none' && reduction !== 'mean' && reduction !== 'sum')
    throw new ValueError(`${reduction} is not a valid value for reduction`)
}

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

/** Applies a reduction. */
export const reduced = (t: Tensor, reduction: string): Tensor =>
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
