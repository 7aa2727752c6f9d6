// Losses as modules, and the distances. Each keeps its settings; what they compute is in functional/loss.ts.
import { AssertionError, ValueError } from '../../base/errors.ts'
import { _nn, type Tensor, _warn as warn } from '../../torch.ts'
import * as F from '../functional/index.ts'
import { Module } from '../module.ts'
import { type Reader, reader } from './settings.ts'

/** `size_average` and `reduce` are PyTorch's from before `reduction`. */
const LEGACY = 'bool? size_average=None, bool? reduce=None'
const REDUCTION = `${LEGACY}, str reduction='mean'`
const MODERN = "str reduction='mean'"

export type LossOptions = { size_average?: boolean | null; reduce?: boolean | null; reduction?: string }
export type WeightedOptions = LossOptions & { weight?: Tensor | null }

abstract class Loss extends Module {
  declare readonly reduction: string

  constructor(read: Reader, args: readonly unknown[]) {
    super()
    const { size_average, reduce, weight, pos_weight, ...settings } = read<
      LossOptions & { weight?: Tensor | null; pos_weight?: Tensor | null }
    >(args)
    const reduction = _nn.legacy_reduction(size_average ?? null, reduce ?? null, settings.reduction ?? 'mean')
    Object.assign(this, settings, { reduction })
    if (weight !== undefined) this.register_buffer('weight', weight)
    if (pos_weight !== undefined) this.register_buffer('pos_weight', pos_weight)
  }
}

type Args<O> = readonly (O | boolean | string | number | null | Tensor)[]

const plain = reader(`Loss(${REDUCTION})`)

/** The mean (or sum) of squared differences. */
export class MSELoss extends Loss {
  constructor(...args: Args<LossOptions>) {
    super(plain, args)
  }
  forward(input: Tensor, target: Tensor): Tensor {
    return F.mse_loss(input, target, { reduction: this.reduction })
  }
}

/** The mean (or sum) of absolute differences. */
export class L1Loss extends Loss {
  constructor(...args: Args<LossOptions>) {
    super(plain, args)
  }
  forward(input: Tensor, target: Tensor): Tensor {
    return F.l1_loss(input, target, { reduction: this.reduction })
  }
}

const smooth_l1 = reader(`SmoothL1Loss(${REDUCTION}, float beta=1.0)`)

/** Squared below `beta`, linear beyond. */
export class SmoothL1Loss extends Loss {
  declare readonly beta: number
  constructor(...args: Args<LossOptions & { beta?: number }>) {
    super(smooth_l1, args)
  }
  forward(input: Tensor, target: Tensor): Tensor {
    return F.smooth_l1_loss(input, target, { reduction: this.reduction, beta: this.beta })
  }
}

const huber = reader(`HuberLoss(${MODERN}, float delta=1.0)`)

/** Squared below `delta`, linear beyond, with slope `delta`. */
export class HuberLoss extends Loss {
  declare readonly delta: number
  constructor(...args: Args<{ reduction?: string; delta?: number }>) {
    super(huber, args)
  }
  forward(input: Tensor, target: Tensor): Tensor {
    return F.huber_loss(input, target, { reduction: this.reduction, delta: this.delta })
  }
}

const nll = reader(
  `NLLLoss(Tensor? weight=None, bool? size_average=None, int ignore_index=-100, bool? reduce=None, ${MODERN})`,
)
type NllOptions = WeightedOptions & { ignore_index?: number }

/** Minus the log-probability of each target class. */
export class NLLLoss extends Loss {
  declare readonly ignore_index: number
  declare weight: Tensor | null
  constructor(...args: Args<NllOptions>) {
    super(nll, args)
  }
  forward(input: Tensor, target: Tensor): Tensor {
    return F.nll_loss(input, target, {
      weight: this.weight,
      ignore_index: this.ignore_index,
      reduction: this.reduction,
    })
  }
}

/** The old name of {@link NLLLoss}. */
export class NLLLoss2d extends NLLLoss {
  constructor(...args: Args<NllOptions>) {
    warn(
      'NLLLoss2d has been deprecated. Please use NLLLoss instead as a drop-in replacement and see https://pytorch.org/docs/master/nn.html#torch.nn.NLLLoss for more details.',
    )
    super(...args)
  }
}

const cross_entropy = reader(
  `CrossEntropyLoss(Tensor? weight=None, bool? size_average=None, int ignore_index=-100, bool? reduce=None, ${MODERN}, float label_smoothing=0.0)`,
)

/** NLLLoss of log_softmax: scores against class indices or probabilities. */
export class CrossEntropyLoss extends Loss {
  declare readonly ignore_index: number
  declare readonly label_smoothing: number
  declare weight: Tensor | null
  constructor(...args: Args<NllOptions & { label_smoothing?: number }>) {
    super(cross_entropy, args)
  }
  forward(input: Tensor, target: Tensor): Tensor {
    const { weight, ignore_index, reduction, label_smoothing } = this
    return F.cross_entropy(input, target, { weight, ignore_index, reduction, label_smoothing })
  }
}

const weighted = reader(`Loss(Tensor? weight=None, ${REDUCTION})`)

/** The binary cross entropy of probabilities. */
export class BCELoss extends Loss {
  declare weight: Tensor | null
  constructor(...args: Args<WeightedOptions>) {
    super(weighted, args)
  }
  forward(input: Tensor, target: Tensor): Tensor {
    return F.binary_cross_entropy(input, target, { weight: this.weight, reduction: this.reduction })
  }
}

const bce_logits = reader(`BCEWithLogitsLoss(Tensor? weight=None, ${REDUCTION}, Tensor? pos_weight=None)`)

/** The binary cross entropy of scores, through a sigmoid. */
export class BCEWithLogitsLoss extends Loss {
  declare weight: Tensor | null
  declare pos_weight: Tensor | null
  constructor(...args: Args<WeightedOptions & { pos_weight?: Tensor | null }>) {
    super(bce_logits, args)
  }
  forward(input: Tensor, target: Tensor): Tensor {
    const { weight, pos_weight, reduction } = this
    return F.binary_cross_entropy_with_logits(input, target, { weight, pos_weight, reduction })
  }
}

const kl_div = reader(`KLDivLoss(${REDUCTION}, bool log_target=False)`)

/** The Kullback-Leibler divergence of log-probabilities from target probabilities. */
export class KLDivLoss extends Loss {
  declare readonly log_target: boolean
  constructor(...args: Args<LossOptions & { log_target?: boolean }>) {
    super(kl_div, args)
  }
  forward(input: Tensor, target: Tensor): Tensor {
    return F.kl_div(input, target, { reduction: this.reduction, log_target: this.log_target })
  }
}

const hinge = reader(`HingeEmbeddingLoss(float margin=1.0, ${REDUCTION})`)
type MarginOptions = LossOptions & { margin?: number }

/** x where the target is 1, max(0, margin - x) where it is -1. */
export class HingeEmbeddingLoss extends Loss {
  declare readonly margin: number
  constructor(...args: Args<MarginOptions>) {
    super(hinge, args)
  }
  forward(input: Tensor, target: Tensor): Tensor {
    return F.hinge_embedding_loss(input, target, { margin: this.margin, reduction: this.reduction })
  }
}

const no_margin = reader(`Loss(float margin=0.0, ${REDUCTION})`)

/** max(0, -y (x1 - x2) + margin). */
export class MarginRankingLoss extends Loss {
  declare readonly margin: number
  constructor(...args: Args<MarginOptions>) {
    super(no_margin, args)
  }
  forward(input1: Tensor, input2: Tensor, target: Tensor): Tensor {
    return F.margin_ranking_loss(input1, input2, target, { margin: this.margin, reduction: this.reduction })
  }
}

/** 1 - cos for pairs that belong together, max(0, cos - margin) for others. */
export class CosineEmbeddingLoss extends Loss {
  declare readonly margin: number
  constructor(...args: Args<MarginOptions>) {
    super(no_margin, args)
  }
  forward(input1: Tensor, input2: Tensor, target: Tensor): Tensor {
    return F.cosine_embedding_loss(input1, input2, target, { margin: this.margin, reduction: this.reduction })
  }
}

const triplet = reader(
  `TripletMarginLoss(float margin=1.0, float p=2.0, float eps=1e-06, bool swap=False, ${REDUCTION})`,
)

/** max(0, d(anchor, positive) - d(anchor, negative) + margin). */
export class TripletMarginLoss extends Loss {
  declare readonly margin: number
  declare readonly p: number
  declare readonly eps: number
  declare readonly swap: boolean
  constructor(...args: Args<MarginOptions & { p?: number; eps?: number; swap?: boolean }>) {
    super(triplet, args)
  }
  forward(anchor: Tensor, positive: Tensor, negative: Tensor): Tensor {
    const { margin, p, eps, swap, reduction } = this
    return F.triplet_margin_loss(anchor, positive, negative, { margin, p, eps, swap, reduction })
  }
}

type DistanceOptions = {
  distance_function?: ((a: Tensor, b: Tensor) => Tensor) | null
  margin?: number
  swap?: boolean
  reduction?: string
}

/** {@link TripletMarginLoss} with any function of two tensors as the distance. */
export class TripletMarginWithDistanceLoss extends Module {
  declare readonly distance_function: (a: Tensor, b: Tensor) => Tensor
  declare readonly margin: number
  declare readonly swap: boolean
  declare readonly reduction: string
  constructor(options: DistanceOptions = {}) {
    super()
    const { distance_function, margin = 1, swap = false, reduction = 'mean' } = options
    Object.assign(this, {
      distance_function: distance_function ?? new PairwiseDistance(),
      margin,
      swap,
      reduction,
    })
  }
  forward(anchor: Tensor, positive: Tensor, negative: Tensor): Tensor {
    const { distance_function, margin, swap, reduction } = this
    return F.triplet_margin_with_distance_loss(anchor, positive, negative, {
      distance_function,
      margin,
      swap,
      reduction,
    })
  }
}

/** log(1 + exp(-y x)). */
export class SoftMarginLoss extends Loss {
  constructor(...args: Args<LossOptions>) {
    super(plain, args)
  }
  forward(input: Tensor, target: Tensor): Tensor {
    return F.soft_margin_loss(input, target, { reduction: this.reduction })
  }
}

/** The mean over classes of the binary cross entropy of scores. */
export class MultiLabelSoftMarginLoss extends Loss {
  declare weight: Tensor | null
  constructor(...args: Args<WeightedOptions>) {
    super(weighted, args)
  }
  forward(input: Tensor, target: Tensor): Tensor {
    return F.multilabel_soft_margin_loss(input, target, { weight: this.weight, reduction: this.reduction })
  }
}

/** The hinge loss over pairs of a target class and another, for several target classes. */
export class MultiLabelMarginLoss extends Loss {
  constructor(...args: Args<LossOptions>) {
    super(plain, args)
  }
  forward(input: Tensor, target: Tensor): Tensor {
    return F.multilabel_margin_loss(input, target, { reduction: this.reduction })
  }
}

const multi_margin = reader(`MultiMarginLoss(int p=1, float margin=1.0, Tensor? weight=None, ${REDUCTION})`)

/** The hinge loss of the target class against each other. */
export class MultiMarginLoss extends Loss {
  declare readonly p: number
  declare readonly margin: number
  declare weight: Tensor | null
  constructor(...args: Args<WeightedOptions & { p?: number; margin?: number }>) {
    super(multi_margin, args)
    if (this.p !== 1 && this.p !== 2) throw new ValueError('only p == 1 and p == 2 supported')
    if (this.weight !== null && this.weight.ndim !== 1) throw new AssertionError('')
  }
  forward(input: Tensor, target: Tensor): Tensor {
    const { p, margin, weight, reduction } = this
    return F.multi_margin_loss(input, target, { p, margin, weight, reduction })
  }
}

const poisson = reader(
  `PoissonNLLLoss(bool log_input=True, bool full=False, bool? size_average=None, float eps=1e-08, bool? reduce=None, ${MODERN})`,
)

/** Minus the log-likelihood of counts under a Poisson distribution. */
export class PoissonNLLLoss extends Loss {
  declare readonly log_input: boolean
  declare readonly full: boolean
  declare readonly eps: number
  constructor(...args: Args<LossOptions & { log_input?: boolean; full?: boolean; eps?: number }>) {
    super(poisson, args)
  }
  forward(log_input: Tensor, target: Tensor): Tensor {
    return F.poisson_nll_loss(log_input, target, {
      log_input: this.log_input,
      full: this.full,
      eps: this.eps,
      reduction: this.reduction,
    })
  }
}

const gaussian = reader("GaussianNLLLoss(*, bool full=False, float eps=1e-06, str reduction='mean')")

/** Minus the log-likelihood of targets under normal distributions of given means and variances. */
export class GaussianNLLLoss extends Loss {
  declare readonly full: boolean
  declare readonly eps: number
  constructor(options: { full?: boolean; eps?: number; reduction?: string } = {}) {
    super(gaussian, [options])
  }
  forward(input: Tensor, target: Tensor, variance: Tensor): Tensor {
    return F.gaussian_nll_loss(input, target, variance, {
      full: this.full,
      eps: this.eps,
      reduction: this.reduction,
    })
  }
}

const ctc = reader(`CTCLoss(int blank=0, ${MODERN}, bool zero_infinity=False)`)

/** The loss of sequences of labels that are not aligned with the input: connectionist temporal classification. */
export class CTCLoss extends Loss {
  declare readonly blank: number
  declare readonly zero_infinity: boolean
  constructor(...args: Args<{ blank?: number; reduction?: string; zero_infinity?: boolean }>) {
    super(ctc, args)
  }
  forward(
    log_probs: Tensor,
    targets: Tensor,
    input_lengths: Tensor | readonly number[],
    target_lengths: Tensor | readonly number[],
  ): Tensor {
    const { blank, reduction, zero_infinity } = this
    return F.ctc_loss(log_probs, targets, input_lengths, target_lengths, blank, reduction, zero_infinity)
  }
}

const cosine = reader('CosineSimilarity(int dim=1, float eps=1e-08)')

/** The cosine of the angle between vectors along `dim`. */
export class CosineSimilarity extends Module {
  declare readonly dim: number
  declare readonly eps: number
  constructor(dim?: number | { dim?: number; eps?: number }, eps?: number)
  constructor(...args: readonly unknown[]) {
    super()
    Object.assign(this, cosine(args))
  }
  forward(x1: Tensor, x2: Tensor): Tensor {
    return F.cosine_similarity(x1, x2, this.dim, this.eps)
  }
}

const pairwise = reader('PairwiseDistance(float p=2.0, float eps=1e-06, bool keepdim=False)')

/** The p-norm of differences of vectors. */
export class PairwiseDistance extends Module {
  declare readonly norm: number
  declare readonly eps: number
  declare readonly keepdim: boolean
  constructor(p?: number | { p?: number; eps?: number; keepdim?: boolean }, eps?: number, keepdim?: boolean)
  constructor(...args: readonly unknown[]) {
    super()
    const { p, ...settings } = pairwise<{ p: number }>(args)
    Object.assign(this, { norm: p, ...settings })
  }
  forward(x1: Tensor, x2: Tensor): Tensor {
    return F.pairwise_distance(x1, x2, this.norm, this.eps, this.keepdim)
  }
}
