// Losses that are elementwise and then reduced, each one node on the tape with PyTorch's name. Not here: the kernels that
// do both at once (fused_loss.ts), losses of class indices (class_loss.ts), plain formulas of other ops (nn/functional).
import { RuntimeError, ValueError } from '../../base/errors.ts'
import { broadcast_sizes, numel } from '../../base/shape.ts'
import type { LaunchValue } from '../../device/device.ts'
import { type Expr, wrap } from '../../ir/expr.ts'
import { needs_ops } from '../../tensor/batched.ts'
import { edge_of, enable_grad, type Grads, Node, records, Saved, set_history } from '../../tensor/tape.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { value_range } from '../define/bounds.ts'
import { composite, type Op, op, type Samples } from '../define/op.ts'
import { require_castable, scalar_name } from '../define/out.ts'
import { type Number, pointwise } from '../define/pointwise.ts'
import { reduce_to } from '../define/reduce_to.ts'
import { lift, not_implemented } from '../define/rules.ts'
import { logsigmoid } from './activation.ts'
import { type FusedLoss, fused_loss, is_fusible } from './fused_loss.ts'
import { legacy_reduction, reduced, require_reduction } from './reduction.ts'

export type Reduction = 'none' | 'mean' | 'sum'

type LossOptions = { reduction?: string }

type LossDef = {
  readonly element: (input: Expr, target: Expr, ...extra: Expr[]) => Expr
  /** Further parameters of the signature, which the expression takes. */
  readonly extra?: string
  readonly backward?: (g: Expr, input: Expr, target: Expr) => Expr[]
  /** PyTorch's kernel: what it names where it has none for a dtype. */
  readonly kernel?: string
  /** What inputs must be, and what throws for those that are not. */
  readonly valid?: (input: Expr) => Expr
  readonly check?: (input: Tensor) => void
}
type LossValues = readonly [input: Tensor, target: Tensor, ...extra: unknown[]]

/** An elementwise loss with its reductions and its gradients, in kernels that do both at once where that can be. */
class Loss {
  readonly #element: Op<[Tensor, Tensor, ...Number[]]>
  readonly #fused: FusedLoss
  readonly #check: ((input: Tensor) => void) | undefined

  constructor(name: string, { element, extra = '', backward, kernel, valid, check }: LossDef) {
    this.#element = pointwise<[Tensor, Tensor, ...Number[]], Expr[]>(
      `${name}_element(Tensor self, Tensor target${extra})`,
      {
        dtype:
          kernel === undefined
            ? 'float'
            : dtype => (dtype.is_complex ? not_implemented(kernel, dtype) : lift(dtype)),
        forward: element as (...args: Expr[]) => Expr,
        ...(backward && { backward: (g: Expr, [x, y]: Expr[]) => backward(g, x!, y!) }),
      },
    )
    const fused = { name, element, extra: extra.split(',').length - 1 }
    this.#fused = fused_loss({ ...fused, ...(backward && { backward }), ...(valid && { valid }) })
    this.#check = check
  }

  forward([input, target, ...extra]: LossValues, reduction: Reduction): Tensor {
    if (reduction !== 'none' && is_fusible(input, target)) {
      const total = this.#fused.total(input, target, extra as LaunchValue[], reduction === 'mean')
      if (total !== null) return total
    }
    this.#check?.(input)
    return reduced(this.#element(input, target, ...(extra as Number[])), reduction)
  }

  /** The gradient of input (0) or target (1). */
  gradient(i: 0 | 1, g: Tensor, values: LossValues, reduction: Reduction): Tensor | null {
    const [input, target, ...extra] = values
    const mean = reduction === 'mean'
    if (!needs_ops(g) && reduction !== 'none' && g.dtype === input.dtype && is_fusible(input, target))
      return this.#fused.gradient(i, g, input, target, extra as LaunchValue[], mean)
    const { sizes, dtype } = [input, target][i] as Tensor
    const n = numel(broadcast_sizes(input.sizes, target.sizes))
    const grad = this.#element.spec.gradient?.(mean ? g.div(n) : g, i, [...values]) ?? null
    return grad === null ? null : reduce_to(grad, sizes, dtype)
  }
}

/** Declares a loss that is elementwise in `input` and `target` and then reduced. */
function elementwise_loss<A extends readonly unknown[]>(
  name: string,
  def: LossDef & { readonly samples: Samples<NoInfer<A>> },
): Op<A> {
  const loss = new Loss(name, def)
  const apart = (values: readonly unknown[]): [LossValues, Reduction] => {
    const reduction = values.at(-1) as string
    require_reduction(reduction)
    return [values.slice(0, -1) as unknown as LossValues, reduction]
  }
  return op<A, [Tensor, Tensor, ...unknown[]], Tensor>(
    `${name}(Tensor self, Tensor target${def.extra ?? ''}, str reduction='mean')`,
    {
      forward: (...values) => loss.forward(...apart(values)),
      saves: ['self', 'target'],
      backward: {
        self: (g, values) => loss.gradient(0, g, ...apart(values)),
        target: (g, values) => loss.gradient(1, g, ...apart(values)),
      },
      samples: def.samples,
    },
  )
}

type LossFormula = (input: Tensor, target: Tensor, reduction: Reduction) => Tensor

/**
 * A loss that PyTorch makes of other ops, by `formula`. It is computed as one where only the input has a gradient; the
 * graph shows the nodes of the formula all the same.
 */
function formula_loss(name: string, def: LossDef, formula: LossFormula): LossFormula {
  const loss = new Loss(name, def)
  return (input, target, reduction) => {
    if (reduction === 'none' || !is_fusible(input, target) || records([target]))
      return formula(input, target, reduction)
    const out = loss.forward([input, target], reduction)
    if (records([input])) set_history(new FormulaNode(loss, formula, input, target, reduction), [out])
    return out
  }
}

/** The history of such a loss. Whoever looks below it gets the nodes of the formula, which do the work from then on. */
class FormulaNode extends Node {
  readonly #loss: Loss
  readonly #formula: LossFormula
  readonly #saved: readonly [input: Saved, target: Saved]
  readonly #reduction: Reduction
  #parts: Node | null = null

  constructor(loss: Loss, formula: LossFormula, input: Tensor, target: Tensor, reduction: Reduction) {
    super(reduction === 'mean' ? 'MeanBackward0' : 'SumBackward0', [edge_of(input)])
    this.#loss = loss
    this.#formula = formula
    this.#saved = [new Saved(input), new Saved(target)]
    this.#reduction = reduction
  }

  override get next_functions(): [Node | null, number][] {
    if (this.#parts === null) {
      const [input, target] = this.#saved
      const result = enable_grad(() => this.#formula(input.get(), target.get(), this.#reduction))
      this.#parts = result.grad_fn as Node
      this.edges = this.#parts.edges
    }
    return super.next_functions
  }

  apply(grads: Grads): Grads {
    if (this.#parts !== null) return this.#parts.apply(grads)
    const [input, target] = this.#saved
    return [this.#loss.gradient(0, grads[0] as Tensor, [input.get(), target.get()], this.#reduction)]
  }

  override release(): void {
    for (const s of this.#saved) s.release()
    this.#parts?.release()
  }
}

type LossArgs = [input: Tensor, target: Tensor, opts?: LossOptions | string]

/** The squared difference. */
export const mse_loss: Op<LossArgs> = elementwise_loss('mse_loss', {
  kernel: 'mse_cpu',
  element: (x, y) => x.sub(y).mul(x.sub(y)),
  samples: r => [
    [r(3, 4), r(3, 4)],
    [r(3), r(3), { reduction: 'sum' }],
    [r(3), r(3), { reduction: 'none' }],
  ],
})

/** The absolute difference. */
export const l1_loss: LossFormula = formula_loss(
  'l1_loss',
  { element: (x, y) => x.sub(y).abs() },
  (input, target, reduction) => reduced(input.sub(target).abs(), reduction),
)

/** target * (log(target) - input). */
export const kl_div: LossFormula = formula_loss(
  'kl_div',
  {
    element: (x, y) =>
      y
        .ne(y)
        .where(y, y.eq(0).where(0, y.mul(y.log())))
        .sub(y.mul(x)),
    backward: (g, _, y) => [g.mul(y.neg())],
  },
  (input, target, reduction) => reduced(target.xlogy(target).sub(target.mul(input)), reduction),
)

/** {@link kl_div} of the logarithm of the target: exp(target) * (target - input). */
export const kl_div_of_log: LossFormula = formula_loss(
  'kl_div_of_log',
  { element: (x, y) => y.exp().mul(y.sub(x)) },
  (input, target, reduction) => reduced(target.exp().mul(target.sub(input)), reduction),
)

/** Squared below `beta`, linear beyond: `0.5 d^2 / beta` where |d| < beta, else `|d| - 0.5 beta`. */
export const smooth_l1_loss: Op<[...LossArgs, beta?: number]> = (() => {
  const loss = elementwise_loss<[input: Tensor, target: Tensor, beta: number, reduction: string]>(
    'smooth_l1_loss',
    {
      kernel: 'smooth_l1_cpu',
      element: (x, y, beta) => {
        const d = x.sub(y).abs()
        return d.lt(beta!).where(d.mul(d).mul(0.5).div(beta!), d.sub(beta!.mul(0.5)))
      },
      extra: ', Scalar beta',
      samples: () => [],
    },
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
    {
      kernel: 'huber_cpu',
      element: (x, y, delta) => {
        const d = x.sub(y).abs()
        return d.lt(delta!).where(d.mul(d).mul(0.5), delta!.mul(d.sub(delta!.mul(0.5))))
      },
      extra: ', Scalar delta',
      samples: () => [],
    },
  )
  return composite<[...LossArgs, delta?: number]>(
    "huber_loss(Tensor self, Tensor target, str reduction='mean', float delta=1.0)",
    {
      body: (input: Tensor, target: Tensor, reduction: string, delta: number) => {
        if (delta <= 0) throw new RuntimeError('huber_loss does not support non-positive values for delta.')
        return like_input(input, target, () => loss(input, target, delta, reduction))
      },
      samples: r => [
        [r(3, 4), r(3, 4)],
        [r(3), r(3), { reduction: 'sum' }],
      ],
    },
  )
})()

const soft_margin: Op<LossArgs> = elementwise_loss('soft_margin_loss', {
  element: (x, y) => x.mul(y).neg().exp().log1p(),
  samples: () => [],
})

/** log(1 + exp(-target * input)). */
export const soft_margin_loss: Op<LossArgs> = composite(
  "soft_margin_loss(Tensor self, Tensor target, str reduction='mean')",
  {
    body: (input: Tensor, target: Tensor, reduction: string) =>
      like_input(input, target, () => soft_margin(input, target, reduction)),
    samples: r => [[r(3, 4), r(3, 4)]],
  },
)

/** A loss that PyTorch computes in memory like the input's: of its size, and cast to its dtype. */
function like_input(input: Tensor, target: Tensor, loss: () => Tensor): Tensor {
  const sizes = broadcast_sizes(input.sizes, target.sizes)
  if (sizes.join() !== input.sizes.join())
    throw new RuntimeError(
      `output with shape [${input.sizes.join(', ')}] doesn't match the broadcast shape [${sizes.join(', ')}]`,
    )
  const found = loss()
  require_castable(found.dtype, input.dtype)
  return found.to(input.dtype)
}

/** The cross entropy of probabilities; logarithms are clamped at -100, as PyTorch does. */
const bce_element: Op<LossArgs> = elementwise_loss('binary_cross_entropy', {
  kernel: 'binary_cross_entropy',
  element: (x, t) => {
    const log_x = x.log().max(wrap(-100, x.type))
    const log_not = x.neg().log1p().max(wrap(-100, x.type))
    return t.sub(1).mul(log_not).sub(t.mul(log_x))
  },
  valid: x => x.ge(0).and(x.le(1)),
  check(input) {
    if (input.count === 0) return
    const { low, high } = value_range(input)
    if (!(low >= 0 && high <= 1)) throw new RuntimeError('all elements of input should be between 0 and 1')
  },
  samples: r => [[r.range(0.1, 0.9, 3, 4), r.range(0.1, 0.9, 3, 4)]],
})

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
      if (input.dtype !== target.dtype)
        throw new RuntimeError(
          `Found dtype ${scalar_name(target.dtype)} but expected ${scalar_name(input.dtype)}`,
        )
      if (input.dtype.is_complex) not_implemented('binary_cross_entropy', input.dtype)
      if (weight === null) return bce_element(input, target, reduction)
      return reduced(bce_element(input, target, 'none').mul(weight), reduction)
    },
    samples: r => [
      [r.range(0.1, 0.9, 3, 4), r.range(0.1, 0.9, 3, 4)],
      [r.range(0.1, 0.9, 3), r.range(0.1, 0.9, 3), r.range(0.1, 1, 3), { reduction: 'sum' }],
    ],
  },
)

const plain_bce_with_logits: Op<LossArgs> = elementwise_loss('binary_cross_entropy_with_logits', {
  element: (x, t) => wrap(1, x.type).sub(t).mul(x).add(softplus_of_negative(x)),
  // Written out for x = 0, where the terms above have corners that cancel.
  backward: (g, x, t) => [g.mul(wrap(1, x.type).div(x.neg().exp().add(1)).sub(t)), g.mul(x.neg())],
  samples: r => [[r(3, 4), r.range(0, 1, 3, 4)]],
})
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
      // PyTorch works in the memory of 1 - target, and in that of the input before.
      if (input.dtype.is_complex) throw new RuntimeError('clamp is not supported for complex types')
      for (const t of [input, target]) require_castable(lift(t.dtype), t.dtype)
      if (weight === null && pos_weight === null)
        return plain_bce_with_logits(input.to(target.dtype), target, reduction)
      const log_weight = pos_weight === null ? 1 : pos_weight.sub(1).mul(target).add(1)
      const loss = target.neg().add(1).mul(input).sub(logsigmoid(input).mul(log_weight))
      return reduced((weight === null ? loss : loss.mul(weight)).to(target.dtype), reduction)
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
