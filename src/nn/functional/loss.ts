// Losses of torch.nn.functional: the ops of ops/nn/loss.ts with PyTorch's checks and warnings, and those that are
// formulas of other ops. Targets come second; `reduction` is 'mean' (the default), 'sum' or 'none'.
// Not here: the kernels, the modules (nn/modules/loss.ts).
import { RuntimeError, ValueError } from '../../base/errors.ts'
import * as torch from '../../torch.ts'
import {
  _nn,
  _composite as composite,
  float_scalar,
  type _Op as Op,
  type Tensor,
  _warn as warn,
} from '../../torch.ts'
import { pairwise_distance } from './distance.ts'

/** How a loss is reduced; the two flags are PyTorch's before 0.4. */
export type LossOptions = { size_average?: boolean | null; reduce?: boolean | null; reduction?: string }

const FLAGS = "bool? size_average=None, bool? reduce=None, str reduction='mean'"
type Flags = [size_average: boolean | null, reduce: boolean | null, reduction: string]

/** The reduction that the options say. Throws ValueError for what is none. */
function reduction_of([size_average, reduce, reduction]: Flags): 'none' | 'mean' | 'sum' {
  const meant = _nn.legacy_reduction(size_average, reduce, reduction)
  _nn.require_reduction(meant)
  return meant
}

/** Applies the reduction that the options say. */
function reduced(loss: Tensor, flags: Flags): Tensor {
  const reduction = reduction_of(flags)
  return reduction === 'mean' ? loss.mean() : reduction === 'sum' ? loss.sum() : loss
}

const same_shape = ({ sizes }: Tensor, other: Tensor): boolean =>
  sizes.length === other.sizes.length && sizes.every((n, d) => n === other.sizes[d])

function warn_of_broadcast(input: Tensor, target: Tensor): void {
  if (!same_shape(input, target))
    warn(
      `Using a target size (${target.shape}) that is different to the input size (${input.shape}). This will likely lead to ` +
        'incorrect results due to broadcasting. Please ensure they have the same size.',
    )
}

type LossArgs = [input: Tensor, target: Tensor, opts?: LossOptions]

/** The mean of the squared differences. */
export const mse_loss: Op<LossArgs> = composite(`mse_loss(Tensor input, Tensor target, ${FLAGS})`, {
  body: (input: Tensor, target: Tensor, ...flags: Flags) => {
    warn_of_broadcast(input, target)
    return _nn.mse_loss(...expanded(input, target), reduction_of(flags))
  },
  out: false,
})

function expanded(input: Tensor, target: Tensor): [Tensor, Tensor] {
  return same_shape(input, target)
    ? [input, target]
    : (torch.broadcast_tensors(input, target) as [Tensor, Tensor])
}

/** The mean of the absolute differences. */
export const l1_loss: Op<LossArgs> = composite(`l1_loss(Tensor input, Tensor target, ${FLAGS})`, {
  body: (input: Tensor, target: Tensor, ...flags: Flags) => {
    warn_of_broadcast(input, target)
    return _nn.l1_loss(input, target, reduction_of(flags))
  },
  samples: r => [
    [r(3, 4), r(3, 4)],
    [r(3), r(3), { reduction: 'sum' }],
  ],
  out: false,
})

/** Squared below `beta`, linear beyond: `0.5 d^2 / beta` where |d| < beta, else `|d| - 0.5 beta`. */
export const smooth_l1_loss: Op<[input: Tensor, target: Tensor, opts?: LossOptions & { beta?: number }]> =
  composite(`smooth_l1_loss(Tensor input, Tensor target, ${FLAGS}, float beta=1.0)`, {
    body: (input: Tensor, target: Tensor, ...[size_average, reduce, reduction, beta]: [...Flags, number]) => {
      warn_of_broadcast(input, target)
      return _nn.smooth_l1_loss(
        ...expanded(input, target),
        reduction_of([size_average, reduce, reduction]),
        beta,
      )
    },
    out: false,
  })

/** Squared below `delta`, linear beyond: `0.5 d^2` where |d| < delta, else `delta (|d| - 0.5 delta)`. */
export const huber_loss: Op<[input: Tensor, target: Tensor, opts?: { reduction?: string; delta?: number }]> =
  composite("huber_loss(Tensor input, Tensor target, str reduction='mean', float delta=1.0)", {
    body: (input: Tensor, target: Tensor, reduction: string, delta: number) => {
      warn_of_broadcast(input, target)
      return _nn.huber_loss(...expanded(input, target), reduction, delta)
    },
    out: false,
  })

/** log(1 + exp(-target * input)), for targets of 1 and -1. */
export const soft_margin_loss: Op<LossArgs> = composite(
  `soft_margin_loss(Tensor input, Tensor target, ${FLAGS})`,
  {
    body: (input: Tensor, target: Tensor, ...flags: Flags) =>
      _nn.soft_margin_loss(input, target, reduction_of(flags)),
    out: false,
  },
)

type WeightedOptions = LossOptions & { weight?: Tensor | null }
type WeightedArgs = [
  input: Tensor,
  target: Tensor,
  weight?: Tensor | null | WeightedOptions,
  opts?: WeightedOptions,
]

/** The cross entropy between probabilities and targets, both of one size. Throws for probabilities outside [0, 1]. */
export const binary_cross_entropy: Op<WeightedArgs> = composite(
  `binary_cross_entropy(Tensor input, Tensor target, Tensor? weight=None, ${FLAGS})`,
  {
    body: (input: Tensor, target: Tensor, weight: Tensor | null, ...flags: Flags) => {
      const reduction = reduction_of(flags)
      if (target.shape.join() !== input.shape.join())
        throw new ValueError(
          `Using a target size (${target.shape}) that is different to the input size (${input.shape}) is deprecated. Please ensure they have the same size.`,
        )
      return _nn.binary_cross_entropy(input, target, weight, reduction)
    },
    out: false,
  },
)

export const binary_cross_entropy_with_logits: typeof _nn.binary_cross_entropy_with_logits =
  _nn.binary_cross_entropy_with_logits
export const nll_loss: typeof _nn.nll_loss = _nn.nll_loss
export const cross_entropy: typeof _nn.cross_entropy = _nn.cross_entropy

/**
 * target * (log(target) - input): the divergence of `target` from the log-probabilities `input`. `reduction` may also be
 * 'batchmean': the sum over the batch size, which is what the mathematics says.
 */
export const kl_div: Op<[input: Tensor, target: Tensor, opts?: LossOptions & { log_target?: boolean }]> =
  composite(`kl_div(Tensor input, Tensor target, ${FLAGS}, bool log_target=False)`, {
    body: (
      input: Tensor,
      target: Tensor,
      ...[size_average, reduce, reduction, log_target]: [...Flags, boolean]
    ) => {
      const legacy = size_average !== null || reduce !== null
      if (!legacy && reduction === 'mean')
        warn(
          "reduction: 'mean' divides the total loss by both the batch size and the support size.'batchmean' divides only by the batch size, " +
            "and aligns with the KL div math definition.'mean' will be changed to behave the same as 'batchmean' in the next major release.",
        )
      const batchmean = !legacy && reduction === 'batchmean'
      if (input.is_complex()) throw new RuntimeError('kl_div: Complex inputs not supported.')
      if (!input.is_floating_point() || !target.is_floating_point())
        throw new RuntimeError('kl_div: Integral inputs not supported.')
      const divergence = log_target ? _nn.kl_div_of_log : _nn.kl_div
      const total = reduction_of([size_average, reduce, batchmean ? 'sum' : reduction])
      const loss = divergence(input, target, total)
      return batchmean && input.ndim > 0 ? loss.div(input.size(0)) : loss
    },
    samples: r => [
      [r(3, 4), r.range(0.1, 1, 3, 4), { reduction: 'batchmean' }],
      [r(3, 4), r(3, 4), { reduction: 'sum', log_target: true }],
    ],
    out: false,
  })

type MarginOptions = LossOptions & { margin?: number }

/** max(0, -target * (input1 - input2) + margin), for targets of 1 and -1. */
export const margin_ranking_loss: Op<
  [input1: Tensor, input2: Tensor, target: Tensor, margin?: number | MarginOptions, opts?: LossOptions]
> = composite(`margin_ranking_loss(Tensor input1, Tensor input2, Tensor target, float margin=0, ${FLAGS})`, {
  body: (a: Tensor, b: Tensor, target: Tensor, margin: number, ...flags: Flags) => {
    if (a.ndim !== b.ndim || a.ndim !== target.ndim)
      throw new RuntimeError(
        `margin_ranking_loss : All input tensors should have same dimension but got sizes: input1: ${a.shape}, input2: ${b.shape}, target: ${target.shape} `,
      )
    return reduced(target.neg().mul(a.sub(b)).add(float_scalar(margin)).clamp_min(0), flags)
  },
  samples: r => [[r(4), r(4), r.range(0.5, 1, 4), 0.25]],
  out: false,
})

/** `input` where the target is 1, max(0, margin - input) where it is -1. */
export const hinge_embedding_loss: Op<
  [input: Tensor, target: Tensor, margin?: number | MarginOptions, opts?: LossOptions]
> = composite(`hinge_embedding_loss(Tensor input, Tensor target, float margin=1.0, ${FLAGS})`, {
  body: (input: Tensor, target: Tensor, margin: number, ...flags: Flags) => {
    // As PyTorch: the margin is a number of the input's kind.
    const limit = input.is_floating_point() ? float_scalar(margin) : Math.trunc(margin)
    const apart = torch.where(target.ne(1), input.neg().add(limit).clamp_min(0), 0)
    const together = torch.where(target.ne(-1), input, 0)
    return reduced(apart.add(together), flags)
  },
  samples: r => [[r(4), r.ints(0, 2, 4).mul(2).sub(1)]],
  out: false,
})

/** The logistic loss of each class on its own, averaged over the classes (the last dimension). */
export const multilabel_soft_margin_loss: Op<WeightedArgs> = composite(
  `multilabel_soft_margin_loss(Tensor input, Tensor target, Tensor? weight=None, ${FLAGS})`,
  {
    body: (
      input: Tensor,
      target: Tensor,
      weight: Tensor | null,
      size_average: boolean | null,
      reduce: boolean | null,
      reduction: string,
    ) => {
      const { logsigmoid } = _nn
      const loss = target
        .mul(logsigmoid(input))
        .add(target.neg().add(1).mul(logsigmoid(input.neg())))
        .neg()
      const classes = input.ndim - 1
      const each = (weight === null ? loss : loss.mul(weight)).sum(classes).div(input.size(classes))
      const meant = _nn.legacy_reduction(size_average, reduce, reduction)
      if (meant !== 'none' && meant !== 'mean' && meant !== 'sum')
        throw new ValueError(`${meant} is not valid`)
      return reduced(each, [null, null, meant])
    },
    samples: r => [
      [r(3, 4), r.range(0, 1, 3, 4)],
      [r(3, 4), r.range(0, 1, 3, 4), r.range(0.1, 1, 4), { reduction: 'none' }],
    ],
    out: false,
  },
)

/** 1 - cos(input1, input2) where the target is 1, max(0, cos - margin) where it is -1. */
export const cosine_embedding_loss: Op<
  [input1: Tensor, input2: Tensor, target: Tensor, margin?: number | MarginOptions, opts?: LossOptions]
> = composite(
  `cosine_embedding_loss(Tensor input1, Tensor input2, Tensor target, float margin=0, ${FLAGS})`,
  {
    body: (a: Tensor, b: Tensor, target: Tensor, margin: number, ...flags: Flags) => {
      const sizes = (t: Tensor): string => `[${t.shape.join(', ')}]`
      if (target.ndim > 1)
        throw new RuntimeError('0D or 1D target tensor expected, multi-target not supported')
      if (target.ndim === 1 && (a.ndim !== 2 || b.ndim !== 2))
        throw new RuntimeError(
          `1D target tensor expects 2D input tensors, but found inputs with sizes ${sizes(a)} and ${sizes(b)}.`,
        )
      if (target.ndim === 0 && (a.ndim !== 1 || b.ndim !== 1))
        throw new RuntimeError(
          `0D target tensor expects 1D input tensors, but found inputs with sizes ${sizes(a)} and ${sizes(b)}.`,
        )
      const epsilon = 1e-12
      const square = (t: Tensor): Tensor => t.mul(t).sum(-1).add(epsilon)
      const cosine = a
        .mul(b)
        .sum(-1)
        .div(square(a).mul(square(b)).sqrt())
      const together = torch.where(target.eq(1), cosine.neg().add(1), 0)
      const apart = torch.where(target.eq(-1), cosine.sub(float_scalar(margin)).clamp_min(0), 0)
      return reduced(together.add(apart), flags)
    },
    samples: r => [[r(4, 3), r(4, 3), r.ints(0, 2, 4).mul(2).sub(1), 0.1]],
    out: false,
  },
)

type MultiMarginOptions = WeightedOptions & { p?: number; margin?: number }

/** The mean over the other classes of max(0, margin - input[target] + input[class])^p. */
export const multi_margin_loss: Op<
  [
    input: Tensor,
    target: Tensor,
    p?: number | MultiMarginOptions,
    margin?: number | MultiMarginOptions,
    opts?: WeightedOptions,
  ]
> = composite(
  `multi_margin_loss(Tensor input, Tensor target, int p=1, float margin=1.0, Tensor? weight=None, ${FLAGS})`,
  {
    body: (
      input: Tensor,
      target: Tensor,
      p: number,
      margin: number,
      weight: Tensor | null,
      ...flags: Flags
    ) => {
      if (p !== 1 && p !== 2) throw new ValueError('only p == 1 and p == 2 supported')
      if (weight !== null && weight.ndim !== 1) throw new ValueError('weight must be one-dimensional')
      require_rows(input)
      const rows = input.reshape([input.ndim < 2 ? 1 : input.size(0), input.ndim === 0 ? 1 : input.size(-1)])
      const labels = target.reshape([-1])
      if (labels.size(0) !== rows.size(0) || target.ndim > 1)
        throw new RuntimeError(`inconsistent target size, got: [${target.shape.join(', ')}]`)
      require_kernel('multi_margin_loss_cpu_kernel', input)
      require_labels(target)
      if (
        labels
          .lt(0)
          .logical_or(labels.ge(rows.size(1)))
          .any()
          .item()
      )
        throw new RuntimeError('target out of range')
      const own = rows.gather(1, labels.unsqueeze(1))
      const miss = rows.sub(own).add(float_scalar(margin)).clamp_min(0)
      const powered = p === 2 ? miss.mul(miss) : miss
      const weighted = weight === null ? powered : powered.mul(weight.index_select(0, labels).unsqueeze(1))
      const others = torch.ones_like(rows).scatter(1, labels.unsqueeze(1), 0)
      const loss = weighted.mul(others).sum(1).div(rows.size(1))
      return reduced(input.ndim < 2 && target.ndim === 0 ? loss.squeeze(0) : loss, flags)
    },
    samples: r => [
      [r(3, 5), r.ints(0, 5, 3)],
      [r(3, 5), r.ints(0, 5, 3), 2, 0.5, { weight: r.range(0.1, 1, 5), reduction: 'none' }],
    ],
    out: false,
  },
)

function require_rows(input: Tensor): void {
  if (input.ndim > 2 || (input.ndim > 0 && input.size(-1) === 0))
    throw new RuntimeError(
      `Expected non-empty vector or matrix with optional 0-dim batch size, but got: [${input.shape.join(', ')}]`,
    )
}

const scalar_name = (t: Tensor): string => t.dtype.tensor_type.replace('Tensor', '')

function require_kernel(kernel: string, input: Tensor): void {
  if (!input.is_floating_point())
    throw new RuntimeError(`"${kernel}" not implemented for '${scalar_name(input)}'`)
}

function require_labels(target: Tensor): void {
  if (target.dtype !== torch.int64)
    throw new RuntimeError(`expected scalar type Long but found ${scalar_name(target)}`)
}

/**
 * For several labels a row (class indices up to the first -1): the sum over labels and other classes of
 * max(0, 1 - (input[label] - input[class])), over the number of classes.
 */
export const multilabel_margin_loss: Op<LossArgs> = composite(
  `multilabel_margin_loss(Tensor input, Tensor target, ${FLAGS})`,
  {
    body: (input: Tensor, target: Tensor, ...flags: Flags) => {
      require_rows(input)
      if (input.ndim === 0 ? target.numel() > 1 : input.shape.join() !== target.shape.join())
        throw new RuntimeError(`inconsistent size [${target.shape.join(', ')}] for argument #2 'target'`)
      require_kernel('multilabel_margin_loss_forward_out_frame', input)
      require_labels(target)
      if (
        target
          .lt(-1)
          .logical_or(target.ge(input.ndim === 0 ? 1 : input.size(-1)))
          .any()
          .item()
      )
        throw new RuntimeError("argument #2 'target' is out of range")
      const classes = input.ndim === 0 ? 1 : input.size(-1)
      const rows = input.reshape([-1, classes])
      const given = target.reshape([-1, classes])
      const listed = given.ge(0).to(torch.int64).cumprod(1)
      const labels = given.mul(listed)
      const is_label = torch.zeros_like(given).scatter_add(1, labels, listed).gt(0)
      const apart = rows.unsqueeze(1).sub(rows.gather(1, labels).unsqueeze(2)).add(1).clamp_min(0) // (N, labels, classes)
      const counted = listed.unsqueeze(2).mul(is_label.logical_not().unsqueeze(1))
      const loss = apart.mul(counted).sum([1, 2]).div(classes)
      return reduced(input.ndim < 2 ? loss.squeeze(0) : loss, flags)
    },
    samples: r => [
      [
        r(2, 4),
        torch.tensor([
          [3, 0, -1, 1],
          [1, -1, -1, -1],
        ]),
      ],
    ],
    out: false,
  },
)

type TripletOptions = LossOptions & { margin?: number; p?: number; eps?: number; swap?: boolean }

/** max(0, d(anchor, positive) - d(anchor, negative) + margin), d the distance of norm `p`; `swap` also looks at d(positive, negative). */
export const triplet_margin_loss: Op<
  [
    anchor: Tensor,
    positive: Tensor,
    negative: Tensor,
    margin?: number | TripletOptions,
    opts?: TripletOptions,
  ]
> = composite(
  `triplet_margin_loss(Tensor anchor, Tensor positive, Tensor negative, float margin=1.0, float p=2, float eps=1e-6, bool swap=False, ${FLAGS})`,
  {
    body: (
      anchor: Tensor,
      positive: Tensor,
      negative: Tensor,
      margin: number,
      p: number,
      eps: number,
      swap: boolean,
      ...flags: Flags
    ) => {
      if (anchor.ndim !== positive.ndim || anchor.ndim !== negative.ndim)
        throw new RuntimeError(
          `All inputs should have same dimension but got ${anchor.ndim}D, ${positive.ndim}D and ${negative.ndim}D inputs.`,
        )
      const near = pairwise_distance(anchor, positive, p, eps)
      const far = pairwise_distance(anchor, negative, p, eps)
      const apart = swap ? torch.minimum(far, pairwise_distance(positive, negative, p, eps)) : far
      return reduced(near.add(margin).sub(apart).clamp_min(0), flags)
    },
    samples: r => [
      [r(3, 4), r(3, 4), r(3, 4), 2.5],
      [r(3, 4), r(3, 4), r(3, 4), { swap: true, margin: 3 }],
    ],
    out: false,
  },
)

/** {@link triplet_margin_loss} with any function of two tensors as the distance. */
export function triplet_margin_with_distance_loss(
  anchor: Tensor,
  positive: Tensor,
  negative: Tensor,
  options: {
    distance_function?: ((a: Tensor, b: Tensor) => Tensor) | null
    margin?: number
    swap?: boolean
    reduction?: string
  } = {},
): Tensor {
  const distance = options.distance_function ?? ((a: Tensor, b: Tensor) => pairwise_distance(a, b))
  const near = distance(anchor, positive)
  const far = distance(anchor, negative)
  const apart = (options.swap ?? false) ? torch.minimum(far, distance(positive, negative)) : far
  return reduced(
    near
      .sub(apart)
      .add(options.margin ?? 1)
      .clamp_min(0),
    [null, null, options.reduction ?? 'mean'],
  )
}

type PoissonOptions = LossOptions & { log_input?: boolean; full?: boolean; eps?: number }

/** exp(input) - target * input, or with `log_input: false` input - target * log(input + eps); `full` adds Stirling's term. */
export const poisson_nll_loss: Op<
  [input: Tensor, target: Tensor, log_input?: boolean | PoissonOptions, opts?: PoissonOptions]
> = composite(
  "poisson_nll_loss(Tensor input, Tensor target, bool log_input=True, bool full=False, bool? size_average=None, float eps=1e-8, bool? reduce=None, str reduction='mean')",
  {
    body: (
      input: Tensor,
      target: Tensor,
      log_input: boolean,
      full: boolean,
      size_average: boolean | null,
      eps: number,
      reduce: boolean | null,
      reduction: string,
    ) => {
      const meant = _nn.legacy_reduction(size_average, reduce, reduction)
      if (meant !== 'none' && meant !== 'mean' && meant !== 'sum')
        throw new ValueError(`${meant} is not valid`)
      const loss = log_input
        ? input.exp().sub(target.mul(input))
        : input.sub(target.mul(input.add(eps).log()))
      if (!full) return reduced(loss, [null, null, meant])
      const stirling = target
        .mul(target.log())
        .sub(target)
        .add(
          target
            .mul(2 * Math.PI)
            .log()
            .mul(0.5),
        )
      return reduced(loss.add(stirling.masked_fill(target.le(1), 0)), [null, null, meant])
    },
    samples: r => [
      [r(3, 4), r.range(1.5, 4, 3, 4)],
      [r.range(0.5, 2, 3), r.range(1.5, 4, 3), { log_input: false, full: true }],
    ],
    out: false,
  },
)

type GaussianOptions = { full?: boolean; eps?: number; reduction?: string }

/** 0.5 * (log(var) + (input - target)^2 / var); `var` has the size of `input`, or 1 (or nothing) in its last dimension. */
export const gaussian_nll_loss: Op<
  [input: Tensor, target: Tensor, variance: Tensor, opts?: GaussianOptions]
> = composite(
  "gaussian_nll_loss(Tensor input, Tensor target, Tensor var, bool full=False, float eps=1e-6, str reduction='mean')",
  {
    body: (input: Tensor, target: Tensor, given: Tensor, full: boolean, eps: number, reduction: string) => {
      const head = input.shape.slice(0, -1).join()
      let variance = given
      if (given.shape.join() !== input.shape.join()) {
        if (given.shape.join() === head && given.ndim === input.ndim - 1) variance = given.unsqueeze(-1)
        else if (
          given.ndim !== input.ndim ||
          given.shape.slice(0, -1).join() !== head ||
          given.size(-1) !== 1
        )
          throw new ValueError('var is of incorrect size')
      }
      if (reduction !== 'none' && reduction !== 'mean' && reduction !== 'sum')
        throw new ValueError(`${reduction} is not valid`)
      if (variance.lt(0).any().item() === true) throw new ValueError('var has negative entry/entries')
      // As PyTorch: the gradient does not see the clamp.
      const safe = variance.clone()
      torch.no_grad(() => safe.clamp_(eps))
      const loss = safe.log().add(input.sub(target).square().div(safe)).mul(0.5)
      return reduced(full ? loss.add(0.5 * Math.log(2 * Math.PI)) : loss, [null, null, reduction])
    },
    samples: r => [
      [r(3, 4), r(3, 4), r.range(0.5, 2, 3, 4)],
      [r(3, 4), r(3, 4), r.range(0.5, 2, 3, 1), { full: true, reduction: 'sum' }],
    ],
    out: false,
  },
)

type Lengths = Tensor | readonly number[]
type CtcOptions = { blank?: number; reduction?: string; zero_infinity?: boolean }

/**
 * Connectionist temporal classification: the negative logarithm of the probability of `targets` under `log_probs`, (T, N, C)
 * or (T, C), over all alignments; `blank` is the label for nothing. Targets are rows of a 2-d tensor, or one after the other.
 */
export const ctc_loss: Op<
  [
    log_probs: Tensor,
    targets: Tensor,
    input_lengths: Lengths,
    target_lengths: Lengths,
    ...rest: readonly (number | string | boolean | CtcOptions)[],
  ]
> = composite(
  "ctc_loss(Tensor log_probs, Tensor targets, any input_lengths, any target_lengths, int blank=0, str reduction='mean', bool zero_infinity=False)",
  {
    body: (
      log_probs: Tensor,
      targets: Tensor,
      input_lengths: Lengths,
      target_lengths: Lengths,
      blank: number,
      reduction: string,
      zero_infinity: boolean,
    ) => {
      _nn.require_reduction(reduction)
      const mode = ['none', 'mean', 'sum'].indexOf(reduction)
      return torch.ctc_loss(log_probs, targets, input_lengths, target_lengths, blank, mode, zero_infinity)
    },
    out: false,
  },
)
