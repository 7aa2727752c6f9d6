// cross_entropy: log_softmax and the likelihood of the labels. For a matrix of scores and class indices the two are one
// kernel forward and one backward; the graph shows PyTorch's nodes all the same. Not here: nll_loss (class_loss.ts).
import { type DType, float32, float64, int64 } from '../../base/dtype.ts'
import { RuntimeError } from '../../base/errors.ts'
import { constant, type Expr } from '../../ir/expr.ts'
import type { Builder, View } from '../../ir/kernel.ts'
import { batching, needs_ops } from '../../tensor/batched.ts'
import { empty, kernels } from '../../tensor/dispatch.ts'
import {
  type Edge,
  edge_of,
  enable_grad,
  type Grads,
  Node,
  records,
  Saved,
  set_history,
} from '../../tensor/tape.ts'
import { Tensor } from '../../tensor/tensor.ts'
import { dense, dense_as } from '../define/copy.ts'
import { composite, type Op } from '../define/op.ts'
import { with_plain } from '../define/plain.ts'
import { window } from '../define/space.ts'
import {
  check_nll,
  first_bad,
  likelihood,
  NLL,
  type NllOptions,
  type NllValues,
  nll_grad,
  require_class_weight,
  share_of,
} from './class_loss.ts'
import type { Reduction } from './loss.ts'
import { legacy_reduction, reduced, require_reduction } from './reduction.ts'
import { log_softmax } from './softmax.ts'
import { log_softmax_grad, row_groups, rows_together } from './softmax_kernels.ts'

// ---------------------------------------------------------------------------------------------- kernels

const ROWS = { rank: 2, inner: 1 } as const
/** Classes whose exponentials are computed at once; the last ones of a row are filled up to as many. */
const LANES = 16
/** Scores up to which one loop does everything: more are worth sharing the rows out. */
const FEW_SCORES = 16384

/** The label of a row, whether it counts, and its weight, 0 where it does not. */
type Label = { readonly counted: Expr; readonly wrong: Expr; readonly at: Expr; readonly weight: Expr }

class Labels {
  readonly #k: Builder
  readonly #target: View
  readonly #weight: View | null
  readonly #ignore: Expr
  readonly #classes: Expr
  readonly #type: 'f32' | 'f64'
  constructor(k: Builder, x: View, weighted: boolean) {
    this.#k = k
    this.#target = k.input('target', int64, 'flat')
    this.#weight = weighted ? k.input('weight', x.buffer.dtype, 'flat') : null
    this.#ignore = k.value('ignore_index', 'i64')
    this.#classes = x.sizes[1]!.cast('i64')
    this.#type = x.type as 'f32' | 'f64'
  }

  of(row: Expr): Label {
    const label = this.#k.local('i64', this.#target.at(row))
    const given = label.ne(this.#ignore)
    const valid = label.ge(0).and(label.lt(this.#classes))
    const counted = this.#k.local('bool', given.and(valid))
    const at = label.cast('index')
    const weight = this.#weight
      ? this.#weight.at_if(counted, [at], 0)
      : counted.where(1, constant(0, this.#type))
    return { counted, wrong: given.and(valid.not()), at, weight }
  }
}

/** The sum over a row of exp(x - max). */
function exponentials(k: Builder, x: View, row: Expr, max: Expr): Expr {
  const n = x.sizes[1] as Expr
  const sum = k.local(x.type, 0)
  const whole = n.truncdiv(LANES).mul(LANES)
  k.for(whole, 'reduce', j => k.assign(sum, sum.add(x.at(row, j).sub(max).min(0).exp())))
  k.if(whole.lt(n), () =>
    k.for(LANES, 'reduce', lane => {
      const j = whole.add(lane)
      k.assign(sum, sum.add(x.at_if(j.lt(n), [row, j], -Infinity).sub(max).min(0).exp()))
    }),
  )
  return sum
}

/**
 * The loss of each row, from its maximum and the logarithm of its sum of exponentials, which backward needs as well.
 * `whole`: the sums over the rows are made in the same kernel.
 */
const forward_kernel = kernels(
  'cross_entropy',
  (k, dtype: DType, weighted: boolean, smooth: boolean, reduction: Reduction, whole: boolean) => {
    const x = k.input('x', dtype, ROWS)
    const labels = new Labels(k, x, weighted)
    const top = k.output('top', dtype, 'flat')
    const log_sum = k.output('log_sum', dtype, 'flat')
    const losses = k.inout('losses', dtype, 'flat')
    const smoothing = smooth ? k.value('smoothing', x.type) : null
    const [rows, n] = x.sizes as [Expr, Expr]
    const totals = whole ? new Totals(k, dtype, reduction) : null
    k.for(rows, whole ? 'serial' : 'parallel', row => {
      const max = k.local(x.type, -Infinity)
      k.for(n, 'reduce', j => k.assign(max, max.max(x.at(row, j))))
      const log = k.local(x.type, exponentials(k, x, row, max).log())
      k.store(top, [row], max)
      k.store(log_sum, [row], log)
      const label = labels.of(row)
      const { counted, at, weight } = label
      const own = max
        .sub(x.at_if(counted, [row, at], 0))
        .add(log)
        .mul(weight)
      const loss = k.local(x.type, own)
      if (smoothing) {
        const all = k.local(x.type, 0)
        k.for(n, 'reduce', j => k.assign(all, all.add(max.sub(x.at(row, j)).add(log))))
        const share = smoothing.div(n.cast(x.type))
        k.assign(loss, own.mul(constant(1, x.type).sub(smoothing)).add(all.mul(share)))
      }
      const kept = k.local(x.type, counted.where(loss, constant(0, x.type)))
      k.store(losses, [row], kept)
      totals?.add(label, kept)
    })
    totals?.store()
  },
)

/** Sums over rows, made in float64: of losses, of weights, and of labels that are no class. */
class Totals {
  readonly #k: Builder
  readonly #reduction: Reduction
  readonly #out: View
  readonly #total: View
  readonly #bad: View
  readonly #sums: readonly [loss: Expr, weight: Expr, wrong: Expr]
  constructor(k: Builder, dtype: DType, reduction: Reduction) {
    this.#k = k
    this.#reduction = reduction
    this.#out = k.output('out', dtype, 'flat')
    this.#total = k.output('total', dtype, 'flat')
    this.#bad = k.output('bad', float64, 'flat')
    this.#sums = [k.local('f64', 0), k.local('f64', 0), k.local('f64', 0)]
  }

  add({ weight, wrong }: Label, loss: Expr): void {
    const terms = [loss.cast('f64'), weight.cast('f64'), wrong.where(1, constant(0, 'f64'))]
    this.#sums.forEach((sum, i) => {
      this.#k.assign(sum, sum.add(terms[i] as Expr))
    })
  }

  store(): void {
    const [loss, weight, wrong] = this.#sums
    const { type } = this.#out
    if (this.#reduction !== 'none')
      this.#k.store(this.#out, [0], (this.#reduction === 'mean' ? loss.div(weight) : loss).cast(type))
    this.#k.store(this.#total, [0], weight.cast(type))
    this.#k.store(this.#bad, [0], wrong)
  }
}

const totals_kernel = kernels(
  'cross_entropy_total',
  (k, dtype: DType, weighted: boolean, reduction: Reduction) => {
    const x = k.input('x', dtype, ROWS)
    const labels = new Labels(k, x, weighted)
    const losses = k.input('losses', dtype, 'flat')
    const totals = new Totals(k, dtype, reduction)
    k.for(losses.sizes[0] as Expr, 'serial', row => totals.add(labels.of(row), losses.at(row)))
    totals.store()
  },
)

/** The gradient of the scores: (softmax - one at the label) of each row, weighed. */
const backward_kernel = kernels(
  'cross_entropy_grad',
  (k, dtype: DType, weighted: boolean, smooth: boolean, mean: boolean) => {
    const x = k.input('x', dtype, ROWS)
    const labels = new Labels(k, x, weighted)
    const top = k.input('top', dtype, 'flat')
    const log_sum = k.input('log_sum', dtype, 'flat')
    const g = k.input('g', dtype, { rank: 1 })
    const total = mean ? k.input('total', dtype, 'flat') : null
    const grad = k.inout('grad', dtype, ROWS)
    const smoothing = smooth ? k.value('smoothing', x.type) : null
    const [rows, n] = x.sizes as [Expr, Expr]
    row_groups(k, rows, (first, count) => {
      k.for(count, 'serial', i => {
        const row = first.add(i)
        k.for(n, 'vector', j => k.store(grad, [row, j], x.at(row, j).sub(top.at(row)).sub(log_sum.at(row))))
      })
      k.for(count.mul(n), 'vector', e => k.store(grad, [first, e], grad.at(first, e).min(0).exp()))
      k.for(count, 'serial', i => {
        const row = first.add(i)
        const { counted, at, weight } = labels.of(row)
        const incoming = total === null ? g.at(row) : g.at(row).div(total.at(0))
        const scale = k.local(x.type, counted.where(incoming.mul(weight), constant(0, x.type)))
        const share = smoothing && k.local(x.type, smoothing.div(n.cast(x.type)).mul(scale))
        k.for(n, 'vector', j => {
          const all = grad.at(row, j).mul(scale)
          k.store(grad, [row, j], share ? all.sub(share) : all)
        })
        const own = smoothing ? scale.mul(constant(1, x.type).sub(smoothing)) : scale
        k.if(counted, () => k.store(grad, [row, at], grad.at(row, at).sub(own)))
      })
    })
  },
)

// ---------------------------------------------------------------------------------------------- the fused form

type Settings = { readonly reduction: Reduction; readonly ignore_index: number; readonly smoothing: number }

/** Whether the fused kernels do this: a matrix of scores, a label a row. */
const is_plain = (input: Tensor, target: Tensor, weight: Tensor | null, smoothing: number): boolean =>
  input.sizes.length === 2 &&
  target.sizes.length === 1 &&
  batching.top === null &&
  input.sizes[0] === target.sizes[0] &&
  input.count > 0 &&
  (input.dtype === float32 || input.dtype === float64) &&
  (weight === null || (smoothing === 0 && weight.sizes.length === 1 && weight.count === input.sizes[1]))

function fused(input: Tensor, target: Tensor, weight: Tensor | null, settings: Settings): Tensor {
  if (target.dtype !== int64 || weight !== null) check_nll(input, target, weight)
  const { reduction, ignore_index, smoothing } = settings
  const { dtype, sizes } = input
  const rows = sizes[0] as number
  const x = dense(input)
  const labels = dense_as(target, int64)
  const w = weight === null ? [] : [dense_as(weight, dtype)]
  const [top, log_sum] = [empty([rows], dtype), empty([rows], dtype)]
  const losses = empty([rows], dtype)
  const out = reduction === 'none' ? losses : empty([], dtype)
  const total = empty([], dtype)
  const bad = empty([], float64)
  const smooth = smoothing > 0
  const results = [out, total, bad]
  const whole = input.count <= FEW_SCORES
  forward_kernel(
    dtype,
    weight !== null,
    smooth,
    reduction,
    whole,
  )(
    [x, labels, ...w, top, log_sum, losses, ...(whole ? results : [])],
    smooth ? [ignore_index, smoothing] : [ignore_index],
  )
  if (!whole)
    totals_kernel(dtype, weight !== null, reduction)([x, labels, ...w, losses, ...results], [ignore_index])
  if (Number(bad.memory.peek(float64)[bad.offset]) > 0)
    throw first_bad(target, sizes[1] as number, ignore_index)
  if (records([input]))
    set_history(
      new CrossEntropyNode(input, target, weight, settings, [top, log_sum, total], [edge_of(input)]),
      [out],
    )
  return out
}

/**
 * The history of a fused result. It stands for the likelihood's node and log_softmax's; whoever looks below it gets
 * the two, which it then leaves the work to.
 */
class CrossEntropyNode extends Node {
  readonly #saved: readonly [input: Saved, target: Saved, weight: Saved | null]
  readonly #settings: Settings
  #statistics: readonly Tensor[]
  /** PyTorch's nodes, once somebody has asked. */
  #parts: Node | null = null

  constructor(
    input: Tensor,
    target: Tensor,
    weight: Tensor | null,
    settings: Settings,
    statistics: readonly Tensor[],
    edges: (Edge | null)[],
  ) {
    super(settings.smoothing > 0 ? 'AddBackward0' : 'NllLossBackward0', edges)
    this.#saved = [new Saved(input), new Saved(target), weight && new Saved(weight)]
    this.#settings = settings
    this.#statistics = statistics
  }

  override get next_functions(): [Node | null, number][] {
    if (this.#parts === null) {
      const [input, target, weight] = this.#saved
      const result = enable_grad(() =>
        formula(input.get(), target.get(), weight?.get() ?? null, this.#settings),
      )
      this.#parts = result.grad_fn as Node
      this.edges = this.#parts.edges
    }
    return super.next_functions
  }

  apply(grads: Grads): Grads {
    if (this.#parts !== null) return this.#parts.apply(grads)
    const [input, target, weight] = [
      this.#saved[0].get(),
      this.#saved[1].get(),
      this.#saved[2]?.get() ?? null,
    ]
    const g = grads[0] as Tensor
    const [top, log_sum, total] = this.#statistics as [Tensor, Tensor, Tensor]
    if (needs_ops(g)) return [recorded_gradient(g, input, target, weight, total, this.#settings)]
    const { reduction, ignore_index, smoothing } = this.#settings
    const { dtype, sizes } = input
    const grad = empty(sizes, dtype)
    const mean = reduction === 'mean'
    const each = window(dense(g), [sizes[0] as number], [reduction === 'none' ? 1 : 0])
    const operands = [dense(input), dense_as(target, int64), ...(weight ? [dense_as(weight, dtype)] : [])]
    operands.push(top, log_sum)
    const smooth = smoothing > 0
    const values = [ignore_index, ...(smooth ? [smoothing] : []), rows_together(sizes[1] as number)]
    const executable = backward_kernel(dtype, weight !== null, smooth, mean)
    executable([...operands, each, ...(mean ? [total] : []), grad], values)
    return [grad]
  }

  override release(): void {
    for (const s of this.#saved) s?.release()
    this.#statistics = []
    this.#parts?.release()
  }
}

/** The same gradient by ops on the tape. */
function recorded_gradient(
  g: Tensor,
  input: Tensor,
  target: Tensor,
  weight: Tensor | null,
  total: Tensor,
  { reduction, ignore_index, smoothing }: Settings,
): Tensor {
  const divisor = reduction === 'mean' ? total : null
  const plain = nll_grad(g, target, weight, divisor, ignore_index, input.sizes)
  const shares = (): Tensor => {
    const kept = target
      .ne(ignore_index)
      .to(input.dtype)
      .mul(divisor === null ? g : g.div(divisor))
    return kept.mul(-smoothing / (input.sizes[1] as number)).unsqueeze(1)
  }
  const grad = smoothing === 0 ? plain : plain.mul(1 - smoothing).add(shares())
  return log_softmax_grad(grad, log_softmax(input, 1), 1)
}

// ---------------------------------------------------------------------------------------------- the op

type CrossEntropyOptions = NllOptions & { label_smoothing?: number }

type CrossEntropyArgs = [
  input: Tensor,
  target: Tensor,
  weight?: Tensor | null | CrossEntropyOptions,
  opts?: CrossEntropyOptions,
]

const bound_cross_entropy: Op<CrossEntropyArgs> = composite(
  `cross_entropy(Tensor input, Tensor target, ${NLL}, float label_smoothing=0.0)`,
  {
    body: (
      ...[input, target, weight, size_average, ignore_index, reduce, reduction_, smoothing]: [
        ...NllValues,
        number,
      ]
    ) => {
      const reduction = legacy_reduction(size_average, reduce, reduction_)
      if (smoothing < 0 || smoothing > 1)
        throw new RuntimeError(`label_smoothing must be between 0.0 and 1.0. Got: ${smoothing}`)
      const dim = input.ndim === 1 ? 0 : 1
      if (target.sizes.join() === input.sizes.join()) {
        if (!target.dtype.is_floating_point)
          throw new RuntimeError(
            `Expected floating point type for target with class probabilities, got ${target.dtype.tensor_type.slice(0, -6)}`,
          )
        require_reduction(reduction)
        require_class_weight('cross_entropy: ', input, weight)
        return soft_targets(log_softmax(input, dim), target, weight, reduction, smoothing, dim)
      }
      require_reduction(reduction)
      const settings = { reduction, ignore_index, smoothing }
      if (is_plain(input, target, weight, smoothing)) return fused(input, target, weight, settings)
      return formula(input, target, weight, settings)
    },
    samples: r => [
      [r(3, 5), r.ints(0, 5, 3)],
      [r(3, 5), r.range(0, 1, 3, 5)],
      [r(3, 5), r.ints(0, 5, 3), r.range(0.1, 1, 5), { label_smoothing: 0.1 }],
      [r(2, 4, 3), r.ints(0, 4, 2, 3), { reduction: 'none' }],
    ],
  },
)

const plain_settings: Settings = { reduction: 'mean', ignore_index: -100, smoothing: 0 }

/** nll_loss of log_softmax; targets are class indices, or probabilities of the input's shape. */
export const cross_entropy: Op<CrossEntropyArgs> = with_plain(
  bound_cross_entropy,
  (input, target, ...rest) =>
    rest.length === 0 &&
    input instanceof Tensor &&
    target instanceof Tensor &&
    target.dtype === int64 &&
    is_plain(input, target, null, 0)
      ? fused(input, target, null, plain_settings)
      : undefined,
)

/** The loss of class indices by log_softmax and nll_loss. */
function formula(input: Tensor, target: Tensor, weight: Tensor | null, settings: Settings): Tensor {
  const { reduction, ignore_index, smoothing } = settings
  const dim = input.ndim === 1 ? 0 : 1
  const log_probabilities = log_softmax(input, dim)
  const plain = likelihood(log_probabilities, target, weight, reduction, ignore_index)
  return smoothing === 0
    ? plain
    : smoothed(plain, log_probabilities, target, weight, reduction, ignore_index, smoothing, dim)
}

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
  return loss.sum().div(loss.count)
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
