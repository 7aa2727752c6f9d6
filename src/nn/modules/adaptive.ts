// AdaptiveLogSoftmaxWithLoss: the approximate softmax over many classes of Grave et al., "Efficient softmax
// approximation for GPUs" (2017). The frequent classes have scores in the head, the others in clusters, each with a
// score of its own in the head and a narrow map of its own. Not here: log_softmax.
import { RuntimeError, ValueError } from '../../base/errors.ts'
import type { Tensor } from '../../torch.ts'
import * as torch from '../../torch.ts'
import * as F from '../functional/index.ts'
import { Module } from '../module.ts'
import { ModuleList, Sequential } from './container.ts'
import { Linear } from './linear.ts'
import { FACTORY, type Factory, type FactoryOptions, reader } from './settings.ts'

const settings = reader(
  `AdaptiveLogSoftmaxWithLoss(int in_features, int n_classes, any cutoffs, float div_value=4.0, bool head_bias=False, ${FACTORY})`,
)
type Options = FactoryOptions & { div_value?: number; head_bias?: boolean }
type Cluster = Sequential<[Linear, Linear]>

/** The log-probabilities of targets, and minus their mean: `output` and `loss`. */
export class AdaptiveLogSoftmaxWithLoss extends Module {
  declare readonly in_features: number
  declare readonly n_classes: number
  /** The first class of each cluster, and the number of classes. */
  declare readonly cutoffs: readonly number[]
  declare readonly div_value: number
  declare readonly head_bias: boolean
  declare readonly shortlist_size: number
  declare readonly n_clusters: number
  declare readonly head_size: number
  declare head: Linear
  declare tail: ModuleList<Cluster>

  constructor(
    in_features: number,
    n_classes: number,
    cutoffs: readonly number[],
    ...rest: readonly (number | boolean | Options)[]
  )
  constructor(...args: readonly unknown[]) {
    super()
    const read = settings<
      {
        in_features: number
        n_classes: number
        cutoffs: readonly number[]
        div_value: number
        head_bias: boolean
      } & Factory
    >(args)
    const { in_features, n_classes, cutoffs, div_value, head_bias, dtype } = read
    const rises = cutoffs.every((c, i) => Number.isInteger(c) && c > (cutoffs[i - 1] ?? 0) && c < n_classes)
    if (!rises)
      throw new ValueError(
        'cutoffs should be a sequence of unique, positive integers sorted in an increasing order, where each value is between 1 and n_classes-1',
      )
    const [shortlist_size, n_clusters] = [cutoffs[0]!, cutoffs.length]
    const head_size = shortlist_size + n_clusters
    const ends = [...cutoffs, n_classes]
    Object.assign(this, { in_features, n_classes, cutoffs: ends, div_value, head_bias })
    Object.assign(this, { shortlist_size, n_clusters, head_size })
    const factory = dtype === null ? {} : { dtype }
    this.head = new Linear(in_features, head_size, head_bias, factory)
    this.tail = new ModuleList()
    for (let i = 0; i < n_clusters; i++) {
      const width = Math.floor(in_features / div_value ** (i + 1))
      const narrow = new Linear(in_features, width, false, factory)
      this.tail.append(new Sequential(narrow, new Linear(width, ends[i + 1]! - ends[i]!, false, factory)))
    }
  }

  reset_parameters(): void {
    this.head.reset_parameters()
    for (const cluster of this.tail) for (const linear of cluster) linear.reset_parameters()
  }

  /** Of `input` (N, in_features) and `target` (N), or one row and one class. */
  forward(input: Tensor, target: Tensor): torch._Named<Tensor, 'output' | 'loss'> {
    if (target.ndim > 1) throw new RuntimeError('0D or 1D target tensor expected, multi-target not supported')
    if (target.ndim === 1 && input.size(0) !== target.size(0))
      throw new RuntimeError('Input and target should have the same size in the batch dimension.')
    if (input.ndim !== target.ndim + 1)
      throw new RuntimeError(
        `('${target.ndim}D target tensor expects ${target.ndim + 1}D input tensors, but found inputs with size', ${input.shape})`,
      )
    const rows = target.ndim === 0 ? input.unsqueeze(0) : input
    const classes = target.ndim === 0 ? target.unsqueeze(0) : target
    if (classes.lt(0).logical_or(classes.ge(this.n_classes)).any().item())
      throw new RuntimeError(
        `Target values should be in [0, ${this.n_classes - 1}], but values in range [${classes.min().item()}, ${classes.max().item()}] were found. `,
      )
    // What a target has in the head is its own score or its cluster's, to which the cluster adds.
    let in_head = classes
    let output = rows.new_zeros([classes.size(0)])
    for (const [i, cluster] of [...this.tail].entries()) {
      const [low, high] = [this.cutoffs[i]!, this.cutoffs[i + 1]!]
      const found = classes.ge(low).logical_and(classes.lt(high))
      const index = found.nonzero().squeeze(1)
      if (index.numel() === 0) continue
      in_head = in_head.index_fill(0, index, this.shortlist_size + i)
      const inside = classes.index_select(0, index).sub(low).unsqueeze(1)
      const log_prob = F.log_softmax(cluster(rows.index_select(0, index)), 1)
      output = output.index_copy(0, index, log_prob.gather(1, inside).squeeze(1))
    }
    const head = F.log_softmax(this.head(rows), 1)
    output = output.add(head.gather(1, in_head.unsqueeze(1)).squeeze(1))
    const loss = output.neg().mean()
    return torch._named_tuple('_ASMoutput', { output: target.ndim === 0 ? output.squeeze(0) : output, loss })
  }

  /** The log-probabilities of all classes, (N, n_classes). */
  log_prob(input: Tensor): Tensor {
    const head = F.log_softmax(this.head(input), 1)
    const parts = [...this.tail].map((cluster, i) =>
      F.log_softmax(cluster(input), 1).add(head.narrow(1, this.shortlist_size + i, 1)),
    )
    return torch.cat([head.narrow(1, 0, this.shortlist_size), ...parts], 1)
  }

  /** The most probable class of each row; clusters are looked into only for rows whose head names one. */
  predict(input: Tensor): Tensor {
    const best = this.head(input).argmax(1)
    const index = best.ge(this.shortlist_size).nonzero().squeeze(1)
    if (index.numel() === 0) return best
    return best.index_copy(0, index, this.log_prob(input.index_select(0, index)).argmax(1))
  }
}
